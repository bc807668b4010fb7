"""One client in a process of its own: reads a fleet, and prints what that cost.

Run with the name of the client (``miningsdk`` or ``bare``), of the fleet, the number
of miners and of rounds, and the network that they are in.
"""

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
import gc
import importlib
import json
from pathlib import Path
import sys
import tempfile
import time
from typing import Any
from zlib import crc32

import aiohttp

from tests.benchmark.bare import ASK
from tests.benchmark.fleet import Place, places

SDK = Path(__file__).parents[2] / "custom_components" / "miningsdk" / "sdk"
# As many as there are connections to a fleet that answers at once.
_AT_ONCE = 64
_TICK = 0.001

type Read = Callable[[], Awaitable[object]]


def resident() -> int:
    """Return the memory of this process in bytes."""
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * 4096


def _import_sdk(stack: AsyncExitStack) -> Any:
    """Import the SDK as the wheel does, without Home Assistant; with all drivers."""
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    (Path(folder) / "miningsdk").symlink_to(SDK)
    sys.path.insert(0, folder)
    sdk = importlib.import_module("miningsdk")
    sdk.registry.drivers()
    return sdk


async def _devices(
    stack: AsyncExitStack, found: Sequence[Place], sdk: Any
) -> list[Read]:
    session = await stack.enter_async_context(
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
    )
    reads: list[Read] = []
    for place in found:
        username, password = place.account
        driver, _ = sdk.registry.find(place.family)
        device = driver(
            place.host,
            port=driver.default_port + place.offset if place.offset else None,
            username=username,
            password=password,
            session=session,
        )
        stack.push_async_callback(device.close)
        reads.append(device.read)
    return reads


async def _bare(stack: AsyncExitStack, found: Sequence[Place], _: Any) -> list[Read]:
    session = await stack.enter_async_context(
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
    )

    def reader(place: Place) -> Read:
        return lambda: ASK[place.family](session, place)

    return [reader(place) for place in found]


class _Blocks:
    """The longest time for which the event loop did nothing else."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._task = asyncio.create_task(self._tick())

    async def _tick(self) -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(_TICK)
            self.longest = max(self.longest, time.perf_counter() - before - _TICK)

    def stop(self) -> float:
        self._task.cancel()
        return self.longest


async def _round(reads: Sequence[Read]) -> tuple[float, float, float]:
    """Read all at once; return CPU and wall time in s, and the longest block."""
    limit = asyncio.Semaphore(_AT_ONCE)

    async def one(read: Read) -> None:
        async with limit:
            await read()

    blocks = _Blocks()
    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(one(read) for read in reads))
    spent = time.process_time() - cpu, time.perf_counter() - wall
    return *spent, blocks.stop()


async def _paced(reads: Sequence[Read], interval: float) -> float:
    """Read each at its own phase of an interval; return the longest block in s."""

    async def one(number: int, read: Read) -> None:
        phase = crc32(str(number).encode()) % 1000 / 1000
        await asyncio.sleep(interval * phase)
        await read()

    blocks = _Blocks()
    await asyncio.gather(*(one(n, read) for n, read in enumerate(reads)))
    return blocks.stop()


async def run(client: str, found: Sequence[Place], rounds: int) -> dict[str, Any]:
    """Return what reading the fleet costs, and how long it takes."""
    async with AsyncExitStack() as stack:
        make = _bare if client == "bare" else _devices
        sdk = None if client == "bare" else _import_sdk(stack)
        gc.collect()
        empty = resident()
        reads = await make(stack, found, sdk)
        first = await _round(reads)
        await _round(reads)
        gc.collect()
        grown = resident() - empty
        print("ready", flush=True)  # noqa: T201
        await asyncio.to_thread(sys.stdin.readline)
        measured = [await _round(reads) for _ in range(rounds)]
        print("counted", flush=True)  # noqa: T201
        await asyncio.to_thread(sys.stdin.readline)
        paced = await _paced(reads, max(1.0, len(reads) / 25))
    return {
        "first_cpu": first[0],
        "cpu": [cpu for cpu, _, _ in measured],
        "wall": [wall for _, wall, _ in measured],
        "block": max(block for _, _, block in measured),
        "block_paced": paced,
        "memory": grown,
    }


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("client")
    parser.add_argument("fleet")
    parser.add_argument("count", type=int)
    parser.add_argument("rounds", type=int)
    parser.add_argument("net", type=int)
    given = parser.parse_args()
    found = places(given.fleet, given.count, net=given.net)
    result = asyncio.run(run(given.client, found, given.rounds))
    print(json.dumps(result), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()

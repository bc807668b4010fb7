"""Part ``sdk``: what a read costs, beside a bare client in the same run."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
import json
from pathlib import Path
from statistics import median
import sys
import tempfile
from typing import Any

from tests.benchmark.bare import ASK
from tests.benchmark.client import SDK
from tests.benchmark.fleet import MIXED, WIDE
from tests.benchmark.plant import Plant
from tests.demo.makers import MAIN, MAKERS

_IMPORTS = 7
_SIZES = (1, 50, 250, 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one client spends on one fleet; per read, unless it says otherwise."""

    client: str
    fleet: str
    miners: int
    cpu_ms: float
    wall_ms_all: float
    requests: float
    kib_per_miner: float
    block_ms: float
    block_paced_ms: float


async def measure(fleets: list[tuple[str, int]], rounds: int) -> list[Cost]:
    """Measure both clients on each fleet, one after the other.

    The bare one knows the main families only.
    """
    costs = []
    for fleet, count in fleets:
        async with Plant(fleet, count) as plant:
            known = all(place.family in ASK for place in plant.places)
            costs += [
                await _cost(plant, client, fleet, count, rounds)
                for client in (("bare", "miningsdk") if known else ("miningsdk",))
            ]
    return costs


def fleets(*, quick: bool) -> list[tuple[str, int]]:
    """Return the fleets to measure: the main ones at four sizes, and all families."""
    if quick:
        return [(MIXED, 50)]
    sized = [(fleet, size) for fleet in (*MAIN, WIDE, MIXED) for size in _SIZES]
    return [(family, 50) for family in MAKERS if family not in MAIN] + sized


@asynccontextmanager
async def _process(*words: str) -> AsyncGenerator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *words,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _cost(plant: Plant, client: str, fleet: str, count: int, rounds: int) -> Cost:
    # Small fleets are read more often, so that there is something to measure.
    rounds *= max(1, 100 // count)
    numbers = (str(count), str(rounds), str(plant.net))
    words = ("-m", "tests.benchmark.client", client, fleet, *numbers)
    async with _process(*words) as process:
        await _until(process, "ready")
        before = await plant.order("count")
        _go_on(process)
        await _until(process, "counted")
        requests = await plant.order("count") - before
        _go_on(process)
        result = json.loads(await _line(process))
    return _as_cost(client, fleet, count, requests / rounds, result)


def _as_cost(
    client: str, fleet: str, count: int, requests: float, result: dict[str, Any]
) -> Cost:
    return Cost(
        client=client,
        fleet=fleet,
        miners=count,
        cpu_ms=median(result["cpu"]) / count * 1000,
        wall_ms_all=median(result["wall"]) * 1000,
        requests=requests / count,
        kib_per_miner=result["memory"] / count / 1024,
        block_ms=result["block"] * 1000,
        block_paced_ms=result["block_paced"] * 1000,
    )


async def _line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    if not line:
        raise RuntimeError("the client ended by itself")
    return line.strip()


async def _until(process: asyncio.subprocess.Process, word: str) -> None:
    while await _line(process) != word:
        pass


def _go_on(process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None
    process.stdin.write(b"\n")


async def import_ms() -> float:
    """Return the CPU of ``import miningsdk`` on top of aiohttp, median of several."""
    code = (
        "import sys, time, aiohttp; sys.path.insert(0, sys.argv[1]);"
        "start = time.process_time(); import miningsdk;"
        "print(time.process_time() - start)"
    )
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "miningsdk").symlink_to(SDK)
        times = []
        for _ in range(_IMPORTS):
            async with _process("-c", code, folder) as process:
                times.append(float(await _line(process)))
    return median(times) * 1000

"""Simulated miners in a process of their own: their CPU is not the client's."""

import argparse
import asyncio
from contextlib import AsyncExitStack
import json
import sys
from typing import Any, Self

from tests.benchmark.fleet import Place, free_net, places
from tests.simulators.base import SimulatedDevice, Trouble

_READY_WITHIN = 120.0


class Plant:
    """The process, started on entry and ended on exit."""

    def __init__(self, fleet: str, count: int) -> None:
        """Describe simulated miners that are not switched on yet."""
        self.net = net = free_net()
        self.places: list[Place] = places(fleet, count, net=net)
        self._words = [fleet, str(count), str(net)]
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        """Start, and wait until all of them listen."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.benchmark.plant",
            *self._words,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(_READY_WITHIN):
            await self._answer()
        return self

    async def __aexit__(self, *_: object) -> None:
        """End."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def order(self, word: str, **details: Any) -> Any:
        """Give an order and return the answer: ``count``, ``vanish`` or ``return``."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([word, details]).encode() + b"\n")
        await self._process.stdin.drain()
        return await self._answer()

    async def _answer(self) -> Any:
        assert self._process is not None
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError("the simulated miners ended by themselves")
        return json.loads(line)


async def _run(found: list[Place]) -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    async with AsyncExitStack() as stack:
        devices = [await stack.enter_async_context(p.make()) for p in found]
        _tell(len(devices))
        while line := await reader.readline():
            word, details = json.loads(line)
            _tell(await _obey(devices, word, details))


async def _obey(devices: list[SimulatedDevice], word: str, details: Any) -> Any:
    if word == "count":
        return sum(device.requests for device in devices)
    every = details["every"]
    for number, device in enumerate(devices):
        if number % every == 0:
            # It still takes connections and says nothing more: the worst there is.
            device.trouble = Trouble.SILENT if word == "vanish" else Trouble.NONE
    return len(devices)


def _tell(answer: Any) -> None:
    print(json.dumps(answer), flush=True)  # noqa: T201


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("fleet")
    parser.add_argument("count", type=int)
    parser.add_argument("net", type=int)
    given = parser.parse_args()
    asyncio.run(_run(places(given.fleet, given.count, net=given.net)))


if __name__ == "__main__":
    main()

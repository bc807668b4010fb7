"""Read miners with another library; run by the interpreter that has it installed."""

import asyncio
from contextlib import suppress
from importlib import import_module
import json
from pathlib import Path
from statistics import median
import sys
import time
from typing import Any


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


async def _find(client: str, host: str) -> Any:
    """Return the library's object for a miner, or ``None`` when it knows none."""
    try:
        if client == "pyasic":
            return await import_module("pyasic").get_miner(host)
        return await import_module("pyasic_rs").MinerFactory().get_miner(host)
    except ImportError:
        raise
    except Exception:  # noqa: BLE001
        return None


async def _read(miner: Any) -> None:
    with suppress(Exception):
        await miner.get_data()


async def run(client: str, rounds: int, hosts: list[str]) -> dict[str, float]:
    """Return what it costs to read all of them at once, several times."""
    before = _resident()
    found = await asyncio.gather(*(_find(client, host) for host in hosts))
    miners = [miner for miner in found if miner is not None]
    await asyncio.gather(*(_read(miner) for miner in miners))
    cpus, walls = [], []
    for _ in range(rounds):
        cpu, wall = time.process_time(), time.perf_counter()
        await asyncio.gather(*(_read(miner) for miner in miners))
        cpus.append(time.process_time() - cpu)
        walls.append(time.perf_counter() - wall)
    return {
        "read": len(miners),
        "cpu_ms": median(cpus) / max(1, len(miners)) * 1000,
        "wall_ms_all": median(walls) * 1000,
        "kib_per_miner": (_resident() - before) / max(1, len(miners)) / 1024,
    }


if __name__ == "__main__":
    print(  # noqa: T201
        json.dumps(asyncio.run(run(sys.argv[1], int(sys.argv[2]), sys.argv[3:])))
    )

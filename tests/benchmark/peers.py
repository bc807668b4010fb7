"""Other libraries on the same simulated miners, where somebody has installed them."""

import asyncio
from dataclasses import dataclass
import json
from pathlib import Path
from typing import Any

from tests.benchmark.fleet import MIXED, low_ports_allowed
from tests.benchmark.plant import Plant

_SCRIPT = Path(__file__).parent / "peer_client.py"
_WITHIN = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerCost:
    """What a peer spends on one read; ``read`` is how many of the miners it knew."""

    client: str
    fleet: str
    miners: int
    read: int
    cpu_ms: float
    wall_ms_all: float
    kib_per_miner: float


async def measure(python: Path, count: int, rounds: int) -> list[PeerCost]:
    """Measure what is installed beside an interpreter; they need the real ports."""
    if not low_ports_allowed():
        return []
    costs = []
    async with Plant(MIXED, count) as plant:
        hosts = [place.host for place in plant.places]
        for client in ("pyasic-rs", "pyasic"):
            result = await _run(python, client, hosts, rounds)
            if result is not None:
                costs.append(
                    PeerCost(client=client, fleet=MIXED, miners=count, **result)
                )
    return costs


async def _run(
    python: Path, client: str, hosts: list[str], rounds: int
) -> dict[str, Any] | None:
    """Return the costs, or ``None`` where the library is not installed."""
    process = await asyncio.create_subprocess_exec(
        str(python),
        str(_SCRIPT),
        client,
        str(rounds),
        *hosts,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    async with asyncio.timeout(_WITHIN):
        output, _ = await process.communicate()
    lines = output.decode().splitlines()
    if process.returncode or not lines:
        return None
    result: dict[str, Any] = json.loads(lines[-1])
    return result

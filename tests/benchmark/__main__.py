"""Measure, print a table, and with ``--check`` tell whether the promises are kept."""

import argparse
import asyncio
from collections.abc import Sequence
from dataclasses import asdict
import json
from pathlib import Path
import signal
import sys

from tests.benchmark import dead, hass, peers, scan, sdk
from tests.benchmark.report import tables
from tests.benchmark.targets import Found, targets

PARTS = ("sdk", "scan", "hass", "dead")
_ROUNDS = 7


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/benchmark", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"any of {', '.join(PARTS)}; all"
    )
    parser.add_argument("--check", action="store_true", help="exit 1 unless all hold")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all of it too")
    parser.add_argument(
        "--quick", action="store_true", help="small fleets, to see that it runs"
    )
    parser.add_argument(
        "--seconds", type=float, default=330, help="of watching Home Assistant (330)"
    )
    parser.add_argument(
        "--peers",
        type=Path,
        metavar="PYTHON",
        help="an interpreter that has pyasic or pyasic-rs, to measure them beside",
    )
    arguments = parser.parse_args(words)
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    return arguments


async def _measure(arguments: argparse.Namespace) -> Found:
    """Measure, and end Home Assistant and the miners too when told to end."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await measure(arguments)


async def measure(arguments: argparse.Namespace) -> Found:
    """Run the parts that were asked for."""
    found = Found()
    quick = arguments.quick
    parts = arguments.parts or PARTS
    if "sdk" in parts:
        rounds = 2 if quick else _ROUNDS
        found.costs = await sdk.measure(sdk.fleets(quick=quick), rounds)
        found.import_ms = await sdk.import_ms()
        if arguments.peers is not None:
            count = 12 if quick else 250
            found.peers = await peers.measure(arguments.peers, count, rounds)
    if "scan" in parts:
        found.scans = await scan.measure(quick=quick)
    if "hass" in parts:
        found.loads = await hass.measure(
            [(50, "automatic")]
            if quick
            else [(50, "automatic"), (250, "automatic"), (1000, "standard")],
            15 if quick else arguments.seconds,
        )
    if "dead" in parts:
        found.vanished = await dead.vanished()
        if not quick:
            found.half = await dead.half(1000)
    return found


def main(words: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    arguments = _arguments(words)
    found = asyncio.run(_measure(arguments))
    reached = targets(found)
    print("\n".join(tables(found, reached)))  # noqa: T201
    if arguments.json is not None:
        document = {**asdict(found), "targets": [asdict(t) for t in reached]}
        arguments.json.write_text(json.dumps(document, indent=2) + "\n")
    missed = [target for target in reached if not target.kept]
    for target in missed:
        print(f"missed: {target.promise}: {target.measured}", file=sys.stderr)  # noqa: T201
    return 1 if arguments.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())

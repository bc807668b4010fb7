"""What was measured, as tables in Markdown."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from typing import Any

from tests.benchmark.targets import Found, Target

_DIGITS = {"cpu_ms": 3, "requests": 2, "first_pass_s": 2, "whole_s": 2, "cpu_s": 2}
_NAMES = {
    "cpu_ms": "CPU per read, ms",
    "wall_ms_all": "all at once, ms",
    "requests": "requests per read",
    "kib_per_miner": "KiB per miner",
    "block_ms": "longest block, ms",
    "block_paced_ms": "longest block when spread, ms",
    "first_pass_s": "first pass, s",
    "whole_s": "with second pass, s",
    "cpu_s": "CPU, s",
    "added_s": "added, s",
    "started_s": "started, s",
    "cpu_percent": "CPU, %",
    "stall_ms": "stall 99.9 %, ms",
    "stall_longest_ms": "longest stall, ms",
    "memory_mib": "memory, MiB",
    "database_day": "database per day, MB",
    "writes_per_s": "state writes per s",
    "known_after_s": "known after, s",
    "on_time": "polls on time, %",
    "returned_s": "all back after, s",
    "step_s": "back-off step, s",
}
_SCALES = {"database_day": 1e-6, "on_time": 100}


def tables(found: Found, reached: Sequence[Target]) -> Iterator[str]:
    """Yield the lines of the tables of all parts, and of the promises."""
    yield from _table("Reading (SDK)", found.costs)
    if found.import_ms is not None:
        yield f"Importing it takes {found.import_ms:.0f} ms on top of aiohttp."
        yield ""
    yield from _table("Other libraries", found.peers)
    yield from _table("Scanning", found.scans)
    yield from _table("Home Assistant", found.loads)
    yield from _table("Vanished devices", [found.vanished] if found.vanished else [])
    yield from _table("Half a site silent", [found.half] if found.half else [])
    if reached:
        yield "### Promises"
        yield ""
        yield "| promise | measured | kept |"
        yield "|---|---|---|"
        for target in reached:
            kept = "yes" if target.kept else "**no**"
            yield f"| {target.promise} | {target.measured} | {kept} |"
        yield ""


def _table(title: str, rows: Iterable[Any]) -> Iterator[str]:
    listed = list(rows)
    if not listed:
        return
    names = [f.name for f in fields(listed[0]) if f.name != "warning"]
    yield f"### {title}"
    yield ""
    yield "| " + " | ".join(_NAMES.get(n, n.replace("_", " ")) for n in names) + " |"
    yield "|" + "---|" * len(names)
    for row in listed:
        yield "| " + " | ".join(_shown(n, getattr(row, n)) for n in names) + " |"
    yield ""


def _shown(name: str, value: object) -> str:
    if isinstance(value, float):
        digits = _DIGITS.get(name, 0 if value >= 10 else 1)
        return f"{value * _SCALES.get(name, 1):,.{digits}f}"
    return f"{value:,}" if isinstance(value, int) else str(value)

"""What is promised, and whether what was measured keeps it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.benchmark.dead import Half, Vanished
from tests.benchmark.fleet import MIXED
from tests.benchmark.hass import Load
from tests.benchmark.peers import PeerCost
from tests.benchmark.scan import Scan
from tests.benchmark.sdk import Cost


@dataclass(kw_only=True)
class Found:
    """All that was measured in one run; empty where a part was left out."""

    costs: Sequence[Cost] = ()
    peers: Sequence[PeerCost] = ()
    import_ms: float | None = None
    scans: Sequence[Scan] = ()
    loads: Sequence[Load] = ()
    vanished: Vanished | None = None
    half: Half | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """One promise; ``measured`` says what was found, ``kept`` whether it holds."""

    part: str
    promise: str
    measured: str
    kept: bool


def targets(found: Found) -> list[Target]:
    """Return every promise that this run has something to say about."""
    return [
        target
        for check in (_sdk, _import, _scan, _hass, _vanished, _half)
        for target in check(found)
    ]


def _sdk(found: Found) -> Iterator[Target]:
    costs = {(cost.client, cost.fleet, cost.miners): cost for cost in found.costs}
    ours, bare = (costs.get((who, MIXED, 250)) for who in ("miningsdk", "bare"))
    if ours is None or bare is None:
        return
    yield Target(
        "sdk",
        "a read costs at most the CPU of the bare client",
        f"{ours.cpu_ms:.3f} ms, bare {bare.cpu_ms:.3f} ms "
        f"({ours.cpu_ms / bare.cpu_ms:.2f})",
        ours.cpu_ms <= bare.cpu_ms,
    )
    for peer in found.peers:
        if peer.client == "pyasic-rs":
            yield Target(
                "sdk",
                "a read costs less CPU than asic-rs",
                f"{ours.cpu_ms:.3f} ms, {peer.client} {peer.cpu_ms:.3f} ms",
                ours.cpu_ms < peer.cpu_ms,
            )
    yield Target(
        "sdk",
        "at most 60 KiB a miner",
        f"{ours.kib_per_miner:.0f} KiB",
        ours.kib_per_miner <= 60,
    )
    yield Target(
        "sdk",
        "no loop block over 20 ms under the site's scheduler",
        f"{ours.block_paced_ms:.0f} ms",
        ours.block_paced_ms <= 20,
    )


def _import(found: Found) -> Iterator[Target]:
    if found.import_ms is not None:
        yield Target(
            "sdk",
            "importing it costs under 50 ms on top of aiohttp",
            f"{found.import_ms:.0f} ms",
            found.import_ms < 50,
        )


def _scan(found: Found) -> Iterator[Target]:
    for scan in found.scans:
        if scan.hosts != "silent":
            continue
        yield Target(
            "scan",
            f"all {scan.live} live hosts of a silent {scan.network} are found",
            str(scan.found),
            scan.found == scan.live,
        )
        within = 1.3 if scan.network == "/24" else 20.0
        yield Target(
            "scan",
            f"a silent {scan.network} ends its first pass within {within:g} s",
            f"{scan.first_pass_s:.2f} s",
            scan.first_pass_s <= within,
        )
        if scan.network == "/24":
            yield Target(
                "scan",
                "a silent /24 takes less than 1 s of CPU",
                f"{scan.cpu_s:.2f} s",
                scan.cpu_s < 1,
            )


def _hass(found: Found) -> Iterator[Target]:
    load = next((load for load in found.loads if load.miners == 1000), None)
    if load is None:
        return
    checks = (
        ("at most 20 % of a core", f"{load.cpu_percent:.1f} %", load.cpu_percent <= 20),
        (
            "stalls under 50 ms (99.9 %)",
            f"{load.stall_ms:.0f} ms, longest {load.stall_longest_ms:.0f} ms",
            load.stall_ms < 50,
        ),
        (
            "all entities have a state within 15 s",
            f"{load.started_s:.1f} s, {load.added_s:.1f} s when they were new",
            max(load.started_s, load.added_s) <= 15,
        ),
        (
            "no warning in the log",
            f"{load.warnings} {load.warning}".strip(),
            not load.warnings,
        ),
        ("under 500 MB", f"{load.memory_mib:.0f} MiB", load.memory_mib * 2**20 < 5e8),
        (
            "under 1 GB of database a day",
            f"{load.database_day / 1e9:.2f} GB",
            load.database_day < 1e9,
        ),
    )
    for promise, measured, kept in checks:
        yield Target("hass", f"1,000 miners: {promise}", measured, kept)


def _vanished(found: Found) -> Iterator[Target]:
    if found.vanished is not None:
        yield Target(
            "dead",
            "a device that vanished is known as unreachable within 5 s",
            f"{found.vanished.known_after_s:.1f} s",
            found.vanished.known_after_s <= 5,
        )


def _half(found: Found) -> Iterator[Target]:
    half = found.half
    if half is None:
        return
    yield Target(
        "dead",
        f"{half.silent} of {half.miners} silent: 99 % of polls are on time (2 s)",
        f"{half.on_time:.2%} of {half.polls}",
        half.on_time >= 0.99,
    )
    yield Target(
        "dead",
        "the silent ones return within one back-off step",
        f"{half.returned_s:.0f} s, the step is {half.step_s:.0f} s",
        half.returned_s <= half.step_s + 5,
    )

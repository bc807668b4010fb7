"""What a site's miners come to, all together."""

from collections.abc import Iterable
from dataclasses import dataclass

from .coordinator import MinerCoordinator
from .sdk import MinerStatus

# Work of another algorithm cannot be added to that of the site.
ALGORITHM = "sha256"


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Sums over the miners that answer; ``None`` when not one of them tells."""

    total: int = 0
    online: int = 0
    mining: int = 0
    hashrate: float | None = None
    hashrate_expected: float | None = None
    power: float | None = None
    efficiency: float | None = None


def add_up(coordinators: Iterable[MinerCoordinator]) -> Totals:
    """Return the totals of a site; an efficiency counts only whole pairs."""
    total = online = mining = 0
    hashrates: list[float] = []
    expected: list[float] = []
    powers: list[float] = []
    pairs: list[tuple[float, float]] = []
    for coordinator in coordinators:
        total += 1
        stats = coordinator.data
        if not coordinator.available or stats is None:
            continue
        online += 1
        mining += stats.status is MinerStatus.MINING
        if stats.power is not None:
            powers.append(stats.power)
        if (coordinator.record.info.algorithm or ALGORITHM) != ALGORITHM:
            continue
        if stats.hashrate is not None:
            hashrates.append(stats.hashrate)
        if stats.hashrate_expected is not None:
            expected.append(stats.hashrate_expected)
        if stats.power is not None and stats.hashrate:
            pairs.append((stats.power, stats.hashrate))
    return Totals(
        total=total,
        online=online,
        mining=mining,
        hashrate=_sum(hashrates),
        hashrate_expected=_sum(expected),
        power=_sum(powers),
        efficiency=_ratio(pairs),
    )


def _sum(values: list[float]) -> float | None:
    return round(sum(values), 4) if values else None


def _ratio(pairs: list[tuple[float, float]]) -> float | None:
    hashrate = sum(pair[1] for pair in pairs)
    return round(sum(pair[0] for pair in pairs) / hashrate, 2) if hashrate else None

"""What a site's miners come to, all together and by what they mine."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .coordinator import MinerCoordinator
from .sdk import MinerStats, MinerStatus
from .sdk.algorithms import SHA256, rounded

# What sites usually mine, and what the network's data and the money are about.
ALGORITHM = SHA256.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Sums over the miners of one algorithm; ``None`` when not one of them tells.

    What is expected of them is known only when all of them tell: it is compared with
    their hashrate. Hashrates in TH/s of that algorithm, power in W, efficiency in J/TH.
    """

    hashrate: float | None = None
    hashrate_expected: float | None = None
    power: float | None = None
    efficiency: float | None = None


_NOTHING = Work()


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Counts of miners, and the sums of those that answer.

    Work of one algorithm cannot be added to that of another: ``work`` has the sums of
    each, ``None`` being the one of miners that nobody knows. ``without_power`` counts
    those that answer, but not how much power they use.
    """

    total: int = 0
    online: int = 0
    mining: int = 0
    power: float | None = None
    without_power: int = 0
    work: Mapping[str | None, Work] = field(default_factory=dict)

    def of(self, algorithm: str) -> Work:
        """Return what the miners that are known to mine this come to."""
        return self.work.get(algorithm, _NOTHING)

    @property
    def usual(self) -> Work:
        """Return the sums that are shown without saying of what.

        Miners of an unknown algorithm count only where nobody's is known.
        """
        if self.work.keys() == {None}:
            return self.work[None]
        return self.of(ALGORITHM)

    @property
    def has_usual(self) -> bool:
        """Tell whether there are, or may yet be, miners for the usual sums."""
        return ALGORITHM in self.work or self.work.keys() <= {None}

    @property
    def others(self) -> list[str]:
        """Return what else is mined here, by name."""
        return sorted(name for name in self.work if name not in (None, ALGORITHM))


def add_up(coordinators: Iterable[MinerCoordinator]) -> Totals:
    """Return the totals of a site; an efficiency counts only whole pairs."""
    total = online = mining = 0
    groups: dict[str | None, list[MinerStats]] = {}
    for coordinator in coordinators:
        total += 1
        group = groups.setdefault(coordinator.record.info.algorithm, [])
        stats = coordinator.data
        if coordinator.available and stats is not None:
            online += 1
            mining += stats.status is MinerStatus.MINING
            group.append(stats)
    powers = [stats.power for group in groups.values() for stats in group]
    return Totals(
        total=total,
        online=online,
        mining=mining,
        power=_sum(powers),
        without_power=powers.count(None),
        work={name: _work(group) for name, group in groups.items()},
    )


def _work(group: list[MinerStats]) -> Work:
    return Work(
        hashrate=_sum(stats.hashrate for stats in group),
        hashrate_expected=_whole_sum([stats.hashrate_expected for stats in group]),
        power=_sum(stats.power for stats in group),
        efficiency=_ratio(
            (stats.power, stats.hashrate)
            for stats in group
            if stats.power is not None and stats.hashrate
        ),
    )


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return rounded(sum(known)) if known else None


def _whole_sum(values: list[float | None]) -> float | None:
    return None if None in values else _sum(values)


def _ratio(pairs: Iterable[tuple[float, float]]) -> float | None:
    whole = list(pairs)
    hashrate = sum(pair[1] for pair in whole)
    return round(sum(pair[0] for pair in whole) / hashrate, 2) if hashrate else None

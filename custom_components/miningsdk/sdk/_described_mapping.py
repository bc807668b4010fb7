"""How replies become a reading, as a driver's file describes it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from ._described_values import Sort, Value, plain, sorts_of
from .fields import mac_address, number, serial_number
from .model import (
    DeviceInfo,
    Fault,
    MeterStats,
    MinerSettings,
    MinerStats,
    MinerStatus,
)

type Values = Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Something that a reply may show: one of several words, or a number so large."""

    value: Value
    equals: frozenset[str] = frozenset()
    above: float | None = None
    below: float | None = None

    def holds(self, replies: object) -> bool:
        """Tell whether it is so; what is unknown is not."""
        if (raw := self.value.raw(replies)) is None:
            return False
        if self.equals:
            return plain(raw) in self.equals
        try:
            found = number(raw)
        except ValueError:
            return False
        return (
            found is not None
            and (self.above is None or found > self.above)
            and (self.below is None or found < self.below)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Records of a list: one for each element, or one for each that is written out."""

    record: type
    each: Value | None
    rows: tuple[Values, ...]

    def read(self, name: str, replies: object, failed: dict[str, str]) -> Any:
        """Return the records; places of which nothing is known are passed over."""
        kinds = sorts(self.record)
        found = []
        for index, (row, reply) in enumerate(self._places(replies)):
            known = _known(row, reply, kinds, failed, name)
            if known and _is_whole(self.record, known):
                if "index" in kinds:
                    known["index"] = index
                found.append(self.record(**known))
        return tuple(found)

    def _places(self, replies: object) -> Iterator[tuple[Values, object]]:
        if self.each is None:
            yield from ((row, replies) for row in self.rows)
            return
        items = self.each.raw(replies)
        if isinstance(items, Mapping):
            items = list(items.values())
        if isinstance(items, list):
            yield from ((self.rows[0], item) for item in items)

    def values(self) -> list[Value]:
        """Return what is looked for in the replies themselves."""
        if self.each is not None:
            return [self.each]
        return [value for row in self.rows for value in row.values()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """All that is read of a device. A path begins with the name of a reply."""

    info: Values = field(default_factory=dict)
    values: Values = field(default_factory=dict)
    settings: Values = field(default_factory=dict)
    phases: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    parts: Mapping[str, Part] = field(default_factory=dict)
    # What makes a status; ``None`` is always so.
    status: tuple[tuple[MinerStatus, Condition | None], ...] = ()

    def facts(self, replies: object) -> dict[str, Any]:
        """Return what the replies tell of who the device is."""
        facts = _known(self.info, replies, sorts(DeviceInfo), {})
        for name, clean in (("mac", mac_address), ("serial_number", serial_number)):
            if name in facts:
                facts[name] = clean(facts[name])
        return facts

    def miner(self, replies: object, failed: dict[str, str]) -> MinerStats:
        """Return the reading of a miner."""
        known = _known(self.values, replies, sorts(MinerStats), failed)
        for name, part in self.parts.items():
            known[name] = part.read(name, replies, failed)
        settings = _known(self.settings, replies, sorts(MinerSettings), failed)
        return MinerStats(
            **known,
            status=self._status(replies, known.get("hashrate")),
            settings=MinerSettings(**settings),
            failed=failed,
        )

    def meter(self, replies: object, failed: dict[str, str]) -> MeterStats:
        """Return the reading of a meter."""
        known = _known(self.values, replies, sorts(MeterStats), failed)
        for name, values in self.phases.items():
            phases = [_one(value, replies, "number", failed, name) for value in values]
            if any(value is not None for value in phases):
                known[name] = tuple(phases)
        if part := self.parts.get("faults"):
            known["faults"] = part.read("faults", replies, failed)
        return MeterStats(**known, failed=failed)

    def _status(self, replies: object, rate: float | None) -> MinerStatus:
        """Return the status of the first rule that fits; without rules, by the rate."""
        for status, condition in self.status:
            if condition is None or condition.holds(replies):
                return status
        if self.status or rate is None:
            return MinerStatus.UNKNOWN
        return MinerStatus.MINING if rate > 0 else MinerStatus.IDLE

    def info_replies(self) -> frozenset[str]:
        """Return the names of the replies that tell who the device is."""
        return _replies(self.info.values())

    def stats_replies(self) -> frozenset[str]:
        """Return the names of the replies that each reading needs."""
        return _replies(self.everything())

    def everything(self) -> list[Value]:
        """Return all that a reading looks for in the replies."""
        return [
            *self.values.values(),
            *self.settings.values(),
            *(value for row in self.phases.values() for value in row),
            *(value for part in self.parts.values() for value in part.values()),
            *(rule.value for _, rule in self.status if rule is not None),
        ]


@cache
def sorts(record: type) -> Mapping[str, Sort]:
    """Return the single values of a record of the vocabulary, by field."""
    return sorts_of(record)


def _replies(values: Any) -> frozenset[str]:
    return frozenset(str(value.steps[0]) for value in values)


def _known(
    values: Values,
    reply: object,
    kinds: Mapping[str, Sort],
    failed: dict[str, str],
    part: str = "",
) -> dict[str, Any]:
    """Return what is known; what cannot be read is noted under its field."""
    found = {
        name: _one(value, reply, kinds[name], failed, part or name)
        for name, value in values.items()
    }
    return {name: value for name, value in found.items() if value is not None}


def _one(
    value: Value, reply: object, sort: Sort, failed: dict[str, str], field: str
) -> Any:
    try:
        return value.read(reply, sort)
    except ValueError as error:
        failed.setdefault(field, str(error))
        return None


def _is_whole(record: type, known: Mapping[str, Any]) -> bool:
    """Tell whether nothing is missing that the record cannot be without."""
    return record is not Fault or ("code" in known and "message" in known)

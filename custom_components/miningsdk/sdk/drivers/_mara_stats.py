"""Read what the firmware of MARA tells of the miner's work.

Rates are GH/s or TH/s, and only some versions say which. Source: replies that users
posted, and how other programs read them; the vendor publishes nothing on it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..fields import Fields, number
from ..model import Board, Fan, Fault, MinerStatus, Severity
from ._antminer_pools import Pools
from ._antminer_status import START

_UNITS = {"MH": 1e-6, "GH": 1e-3, "TH": 1.0, "PH": 1e3}
_GH = 1e-3
# No miner does more than this times what is expected of it: then it is another unit.
_BEYOND = 1.5
# No expectation in GH/s is this low.
_LOW_IDEAL = 2000.0
_HOTTEST = 200.0
# The beginnings of the words by which the firmware says what it does.
_WORDS = (
    ("sleep", MinerStatus.PAUSED),
    ("paus", MinerStatus.PAUSED),
    ("fail", MinerStatus.FAULT),
    ("err", MinerStatus.FAULT),
    ("fault", MinerStatus.FAULT),
    ("tun", MinerStatus.TUNING),
    ("autotun", MinerStatus.TUNING),
    ("start", MinerStatus.STARTING),
    ("init", MinerStatus.STARTING),
    ("boot", MinerStatus.STARTING),
    ("mining", MinerStatus.MINING),
    ("hash", MinerStatus.MINING),
)


def inner(reply: object) -> Fields:
    """Return what a reply holds; some versions wrap it once more."""
    fields = Fields(reply)
    wrapped = fields.data.get("data")
    return Fields(wrapped) if isinstance(wrapped, dict) else fields


def rows(reply: object, key: str) -> list[Any]:
    """Return the list that a reply is, or that it holds under a key."""
    if isinstance(reply, dict) and isinstance(reply.get("data"), list | dict):
        reply = reply["data"]
    found = reply.get(key) if isinstance(reply, dict) else reply
    return found if isinstance(found, list) else []


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """What ``brief`` tells; rates in TH/s, ``word`` is the firmware's own."""

    word: str = ""
    mode: str | None = None
    hashrate: float | None = None
    hashrate_average: float | None = None
    hashrate_expected: float | None = None
    power: float | None = None
    temperature: float | None = None
    uptime: int | None = None
    faults: tuple[Fault, ...] = ()


def read_brief(fields: Fields) -> Brief:
    """Read the reply to ``brief``."""
    word = fields.text("status") or ""
    ideal = expected_rate(fields, "hashrate_ideal")
    power = fields.number("power_consumption_estimated", field="power", digits=1)
    faults: tuple[Fault, ...] = ()
    if _known(word) is MinerStatus.FAULT:
        message = fields.text("status_long") or word
        faults = (Fault(code="status", message=message, severity=Severity.CRITICAL),)
    return Brief(
        word=word,
        mode=fields.text("work_mode"),
        hashrate=rate(fields, "hashrate", ideal, "hashrate_realtime"),
        hashrate_average=rate(fields, "hashrate_average", ideal, "hashrate_average"),
        hashrate_expected=ideal,
        power=power if power is not None and power > 0 else None,
        temperature=_celsius(fields.number("temperature_max", field="temperature")),
        uptime=fields.integer("elapsed", field="uptime"),
        faults=faults,
    )


def status_of(brief: Brief, pools: Pools) -> MinerStatus:
    """Return what it is doing; mining only while it hashes."""
    known = _known(brief.word)
    if known is not None and known is not MinerStatus.MINING:
        return known
    if brief.hashrate:
        return MinerStatus.MINING
    if known is None or brief.hashrate is None:
        return MinerStatus.UNKNOWN
    if pools.none_alive:
        return MinerStatus.IDLE
    starts = brief.uptime is not None and brief.uptime < START
    return MinerStatus.STARTING if starts else MinerStatus.FAULT


def _known(word: str) -> MinerStatus | None:
    bare = word.lower().replace(" ", "").replace("-", "")
    return next((known for key, known in _WORDS if bare.startswith(key)), None)


def rate(fields: Fields, name: str, ideal: float | None, *keys: str) -> float | None:
    """Return a rate in TH/s: in the unit that is told, or in the one that can be."""
    for key in keys:
        value = fields.number(key, field=name)
        if value is None or value < 0:
            continue
        unit = _unit(fields, key)
        if unit is None:
            most = _LOW_IDEAL if ideal is None else ideal * _BEYOND
            unit = _GH if value > most else 1.0
        return round(value * unit, 4)
    return None


def expected_rate(fields: Fields, key: str) -> float | None:
    """Return what is expected in TH/s; without a unit it is GH/s, unless too low."""
    value = fields.number(key, field="hashrate_expected")
    if value is None or value <= 0:
        return None
    unit = _unit(fields, key) or (1.0 if value < _LOW_IDEAL else _GH)
    return round(value * unit, 4)


def _unit(fields: Fields, key: str) -> float | None:
    text = fields.text(f"{key}_unit", "hashrate_unit") or ""
    return _UNITS.get(text.upper().replace("/S", "").strip())


def read_boards(reply: object, failed: dict[str, str]) -> tuple[Board, ...]:
    """Read the reply to ``hashboards``; what is not there is left out."""
    found = [
        Fields(row, failed)
        for row in rows(reply, "hashboards")
        if isinstance(row, dict) and row.get("present") is not False
    ]
    numbers = [row.integer("index", "id", "slot", field="boards") for row in found]
    known = [number for number in numbers if number is not None]
    # Some versions count from one.
    first = 1 if known and min(known) == 1 else 0
    return tuple(
        _board(row, place if number is None else number - first)
        for place, (row, number) in enumerate(zip(found, numbers, strict=True))
    )


def _board(row: Fields, index: int) -> Board:
    value = row.number("hashrate_average", field="boards")
    unit = _unit(row, "hashrate_average") or _GH
    ideal = row.number("hashrate_ideal", field="boards")
    return Board(
        index=index,
        hashrate=None if value is None or value < 0 else round(value * unit, 4),
        hashrate_expected=None
        if not ideal or ideal < 0
        else round(ideal * (_unit(row, "hashrate_ideal") or _GH), 4),
        temperature_board=_hottest(row, "temperature_pcb"),
        temperature_chip=_hottest(row, "temperature_chip"),
        chips=row.integer("asic_num", field="boards"),
        chips_expected=row.integer("asic_num_ideal", field="boards") or None,
        serial_number=row.text("serial_number"),
    )


def read_fans(reply: object, failed: dict[str, str]) -> Iterator[Fan]:
    """Read the reply to ``fans``, in rpm."""
    for index, row in enumerate(rows(reply, "fans")):
        fields = Fields(row, failed)
        yield Fan(index=index, speed=fields.number("current_speed", field="fans"))


def _hottest(row: Fields, key: str) -> float | None:
    values = row.data.get(key)
    found = []
    for value in values if isinstance(values, list) else [values]:
        try:
            found.append(_celsius(number(value)))
        except ValueError as error:
            row.failed.setdefault("temperature", f"{key}: {error}")
    return max((value for value in found if value is not None), default=None)


def _celsius(value: float | None) -> float | None:
    """Return a temperature that can be true; 0 is what a missing sensor shows."""
    return round(value, 1) if value is not None and 0 < value < _HOTTEST else None

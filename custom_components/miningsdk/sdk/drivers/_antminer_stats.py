"""Parse what the mining process of stock Antminer firmware tells of itself.

Two formats: the flat one of bmminer (``chain_rate6`` in GH/s, temperatures as
``"70-70-68-69"``), and since the X19 the one asked for with ``new_api`` (arrays,
with their unit). Source: Bitmain's dashboard page and recorded replies.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
import re
from typing import Any

from ..errors import InvalidReply
from ..fields import Fields, number
from ..model import Board, Fan
from ._antminer_pools import position_of

_UNITS = {
    f"{prefix}{name}": factor
    for prefix, factor in (
        ("", 1e-12),
        ("K", 1e-9),
        ("M", 1e-6),
        ("G", 1e-3),
        ("T", 1.0),
        ("P", 1e3),
    )
    for name in ("H", "SOL")
}
_GH = 1e-3
_MH = 1e-6
# By these keys the flat format is known; scrypt miners count in MH/s.
_FLAT_KEYS = ("GHS av", "GHS 5s", "MHS av", "MHS 5s")
_HOTTEST = 200.0
_CHAIN = re.compile(r"chain_(?:acn|rate|acs)(\d+)")
_FAN = re.compile(r"fan(\d+)")
_OLD_SLEEP = 254
_FANS_ALWAYS_THERE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One reply to ``stats``; ``empty`` when the process tells nothing of itself.

    ``new_api`` names the format. ``sleeps`` is set when the reply itself says so,
    ``still`` when no fan turns.
    """

    new_api: bool
    model: str | None = None
    firmware_version: str | None = None
    empty: bool = False
    sleeps: bool = False
    still: bool = False
    mode: int | None = None
    hashrate: float | None = None
    hashrate_average: float | None = None
    hashrate_expected: float | None = None
    power: float | None = None
    temperature_ambient: float | None = None
    fans: tuple[Fan, ...] = ()
    boards: tuple[Board, ...] = ()
    hardware_errors: int | None = None
    uptime: int | None = None

    @property
    def hashing(self) -> bool:
        """Tell whether it demonstrably hashes."""
        return bool(self.hashrate)

    @property
    def chips(self) -> int | None:
        """Return how many chips the boards are known to have."""
        counts = [board.chips_expected for board in self.boards]
        known = [count for count in counts if count is not None]
        return sum(known) if known and len(known) == len(counts) else None


def read_stats(reply: Mapping[str, Any], failed: dict[str, str]) -> Reading:
    """Read a reply to ``stats`` of either format.

    Raises:
        InvalidReply: it is no such reply.
    """
    rows = reply.get("STATS")
    if not isinstance(rows, list):
        raise InvalidReply("the reply holds no STATS")
    found = [row for row in rows if isinstance(row, Mapping)]
    if isinstance(reply.get("INFO"), Mapping) or any("chain" in row for row in found):
        row = next(
            (row for row in found if "chain" in row), found[0] if found else None
        )
        return _read_arrays(reply, Fields(row, failed))
    head = Fields(found[0] if found else None)
    return _read_flat(head, Fields(flat_row(found), failed))


def flat_row(rows: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return that row of STATS, in the flat format, that holds the values."""
    return next((row for row in rows if any(key in row for key in _FLAT_KEYS)), None)


def read_old_status(
    reply: Mapping[str, Any], failed: dict[str, str], unit: float = _GH
) -> Reading:
    """Read get_miner_status.cgi, by which the web page up to X17 shows the same.

    ``unit`` is that of its rates in TH/s; no reply names it.
    """
    summary = Fields(_without_commas(reply.get("summary")), failed)
    boards = tuple(
        _status_board(Fields(_without_commas(row.data), failed), unit)
        for row in Fields(reply).children("devs")
    )
    return Reading(
        new_api=False,
        empty=not summary,
        hashrate=_rate(summary, "hashrate", unit, "ghs5s"),
        hashrate_average=_rate(summary, "hashrate_average", unit, "ghsav"),
        boards=boards,
        hardware_errors=summary.integer("hw", field="hardware_errors"),
        uptime=summary.integer("elapsed", field="uptime"),
    )


def _read_arrays(reply: Mapping[str, Any], row: Fields) -> Reading:
    info = Fields(reply).child("INFO")
    unit = _unit(row, "rate_unit")
    hashrate = _rate(row, "hashrate", unit, "rate_5s")
    boards = tuple(
        _board(chain, position, unit, hashing=bool(hashrate))
        for position, chain in enumerate(row.children("chain"))
    )
    fans = tuple(_fans(row))
    return Reading(
        new_api=True,
        model=info.text("type"),
        firmware_version=info.text("CompileTime"),
        empty=not row,
        still=not any(fan.speed for fan in fans),
        mode=row.integer("miner-mode", field="power_mode"),
        hashrate=hashrate,
        hashrate_average=_rate(row, "hashrate_average", unit, "rate_avg"),
        hashrate_expected=_rate(row, "hashrate_expected", unit, "rate_ideal") or None,
        power=_between(row, "power", "watt", 1, 100_000),
        temperature_ambient=_between(
            row, "temperature_ambient", "ambient_temp", -50, 100
        ),
        fans=fans,
        boards=boards,
        hardware_errors=_sum(chain.integer("hw") for chain in row.children("chain")),
        uptime=row.integer("elapsed", field="uptime"),
    )


def _board(chain: Fields, position: int, unit: float | None, *, hashing: bool) -> Board:
    """Read one board; a chip that is not shown as ``o`` does not work."""
    shown = chain.text("asic") or ""
    chips, expected = _chips(shown, chain.integer("asic_num"), hashing=hashing)
    return Board(
        index=position_of(chain, position, "index"),
        hashrate=_rate(chain, "boards", unit, "rate_real"),
        hashrate_expected=_rate(chain, "boards", unit, "rate_ideal") or None,
        temperature_board=_hottest(chain, "temp_pcb") or _hottest(chain, "temp_pic"),
        temperature_chip=_hottest(chain, "temp_chip"),
        chips=chips,
        chips_expected=expected,
        frequency=chain.number("freq_avg", field="boards", digits=1, missing=(0.0,)),
        serial_number=chain.text("sn"),
    )


@lru_cache(maxsize=1024)
def _number_in(pattern: re.Pattern[str], key: str) -> int | None:
    """Return the number in a key of a pattern; the same keys come with each reading."""
    match = pattern.fullmatch(key)
    return None if match is None else int(match[1])


def _read_flat(head: Fields, row: Fields) -> Reading:
    """Read the flat format; of its 16 chains only those that exist are told."""
    name = "GHS" if row.has("GHS av") or row.has("GHS 5s") else "MHS"
    unit = _unit(row, "rate_unit", default=_GH if name == "GHS" else _MH)
    hashrate = _rate(row, "hashrate", unit, f"{name} 5s")
    found = {_number_in(_CHAIN, key) for key in row.data}
    slots = sorted(slot for slot in found if slot is not None)
    boards = tuple(
        _flat_board(row, slot, unit, hashing=bool(hashrate))
        for slot in slots
        if _exists(row, slot)
    )
    fans = tuple(_flat_fans(row))
    return Reading(
        new_api=False,
        model=head.text("Type"),
        firmware_version=head.text("CompileTime"),
        empty=not row,
        sleeps=row.integer("Mode") == _OLD_SLEEP,
        still=not any(fan.speed for fan in fans),
        hashrate=hashrate,
        hashrate_average=_rate(row, "hashrate_average", unit, f"{name} av"),
        hashrate_expected=_rate(row, "hashrate_expected", unit, "total_rateideal")
        or None,
        fans=fans,
        boards=boards,
        hardware_errors=row.integer("no_matching_work", field="hardware_errors"),
        uptime=row.integer("Elapsed", field="uptime"),
    )


def _exists(row: Fields, slot: int) -> bool:
    """Tell whether a slot holds a board; that of none has no rate, or the number 0."""
    if row.number(f"chain_acn{slot}") or row.text(f"chain_acs{slot}"):
        return True
    key = f"chain_rate{slot}"
    return row.data.get(key) != 0 and row.text(key) is not None


def _flat_board(row: Fields, slot: int, unit: float | None, *, hashing: bool) -> Board:
    chips, expected = _chips(
        row.text(f"chain_acs{slot}") or "",
        row.integer(f"chain_acn{slot}"),
        hashing=hashing,
    )
    return Board(
        index=slot - 1,
        hashrate=_rate(row, "boards", unit, f"chain_rate{slot}"),
        hashrate_expected=_rate(row, "boards", unit, f"chain_rateideal{slot}") or None,
        temperature_board=_hottest(row, f"temp_pcb{slot}", f"temp{slot}"),
        temperature_chip=_hottest(
            row, f"temp_chip{slot}", f"temp2_{slot}", f"temp3_{slot}"
        ),
        chips=chips,
        chips_expected=expected,
        frequency=row.number(
            f"freq_avg{slot}",
            f"freq{slot}",
            "frequency",
            field="boards",
            digits=1,
            missing=(0.0,),
        ),
        voltage=row.number(f"voltage{slot}", field="boards", missing=(0.0,)),
    )


def _status_board(row: Fields, unit: float) -> Board:
    chips, expected = _chips(
        row.text("chain_acs") or "", row.integer("chain_acn"), hashing=True
    )
    return Board(
        index=position_of(row, 1, "index") - 1,
        hashrate=_rate(row, "boards", unit, "chain_rate", "rate"),
        temperature_board=_hottest(row, "temp"),
        temperature_chip=_hottest(row, "temp2"),
        chips=chips,
        chips_expected=expected,
        frequency=row.number("freqavg", "freq", field="boards", missing=(0.0,)),
    )


def _without_commas(data: object) -> dict[str, Any]:
    """Undo the thousands separators that the old page puts into its numbers."""
    if not isinstance(data, Mapping):
        return {}
    return {
        key: value.replace(",", "") if isinstance(value, str) else value
        for key, value in data.items()
    }


def _unit(row: Fields, key: str, default: float | None = None) -> float | None:
    text = row.text(key)
    if text is None:
        return default if default is not None else _GH
    unit = _UNITS.get(text.upper().removesuffix("/S").removesuffix("S"))
    if unit is None:
        row.failed.setdefault("hashrate", f"{key}: {text[:20]!r} is not a known unit")
    return unit


def _rate(row: Fields, field: str, unit: float | None, *keys: str) -> float | None:
    """Return a hashrate in TH/s; small ones, as of other coins, keep their digits."""
    if unit is None:
        return None
    value = row.number(*keys, field=field, scale=unit)
    if value is None or value < 0:
        return None
    return round(value, 4 if value >= 1 else 9)


def _between(
    row: Fields, field: str, key: str, low: float, high: float
) -> float | None:
    """Return a value that can be true; 0 W and -273 °C say "not measured"."""
    value = row.number(key, field=field, digits=1)
    return value if value is not None and low <= value <= high else None


def _hottest(row: Fields, *keys: str) -> float | None:
    """Return the highest of some sensors; 0 is what a missing one shows."""
    for key in keys:
        raw = row.data.get(key)
        values = raw.split("-") if isinstance(raw, str) else raw
        hottest = 0.0
        for value in values if isinstance(values, list) else [values]:
            try:
                celsius = number(value) or 0.0
            except ValueError as error:
                row.failed.setdefault("temperature", f"{key}: {error}")
                continue
            if hottest < celsius < _HOTTEST:
                hottest = celsius
        if hottest:
            return round(hottest, 1)
    return None


def _chips(
    shown: str, count: int | None, *, hashing: bool
) -> tuple[int | None, int | None]:
    """Return how many chips work and how many there are.

    Until the miner hashes, the firmware marks all chips as bad.
    """
    marks = shown.replace(" ", "").lower()
    expected = max(len(marks), count or 0) or None
    if not hashing:
        return None, expected
    return (marks.count("o") if marks else count), expected


def _fans(row: Fields) -> Iterator[Fan]:
    speeds = row.data.get("fan")
    for index, speed in enumerate(speeds if isinstance(speeds, list) else ()):
        try:
            yield Fan(index=index, speed=number(speed))
        except ValueError as error:
            row.failed.setdefault("fans", f"fan: {error}")
            yield Fan(index=index)


def _flat_fans(row: Fields) -> Iterator[Fan]:
    """Yield the fans; of 8 or 16 slots only those that turn can be told to exist."""
    numbers = (_number_in(_FAN, key) for key in row.data)
    found = sorted(number for number in numbers if number is not None)
    if not row.integer("fan_num"):
        return
    for slot in found:
        speed = row.number(f"fan{slot}", field="fans")
        if speed or len(found) <= _FANS_ALWAYS_THERE:
            yield Fan(index=slot - 1, speed=speed)


def _sum(values: Iterator[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None

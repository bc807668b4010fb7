"""Read the replies of API v2 of Whatsminer.

Source: protocols.md 4.1, mdk-devices.md 2.1.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ..fields import Fields
from ..model import (
    Board,
    Fault,
    MinerPool,
    MinerSettings,
    MinerStats,
    MinerStatus,
)
from . import _whatsminer_common as common
from ._whatsminer_errors import fault
from ._whatsminer_v2 import section

FANS = ("Fan Speed In", "Fan Speed Out")
# MHS 5s, 5m and av are of a time; HS RT is one of them, differently by firmware.
_NOW = ("MHS 5s", "MHS 1m", "HS RT", "MHS av")
_LONGEST = ("MHS av", "MHS 15m", "MHS 5m")
_TERA = 1e-6
_MOST_CODES = 64
# No board hashes as little in MH/s, nor as much in TH/s.
_TERA_BELOW = 2000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What ``status`` tells: whether the miner is switched off, and what is set.

    ``limit`` W, ``throttle`` % of full power, ``liquid`` °C. A miner that sleeps may
    tell its firmware here alone.
    """

    off: bool | None = None
    firmware: str | None = None
    mode: str | None = None
    limit: float | None = None
    throttle: float | None = None
    liquid: float | None = None

    def or_else(self, older: Condition) -> Condition:
        """Return this, with what it does not tell taken from an older one."""
        return Condition(
            off=self.off,
            firmware=self.firmware or older.firmware,
            mode=self.mode or older.mode,
            limit=older.limit if self.limit is None else self.limit,
            throttle=older.throttle if self.throttle is None else self.throttle,
            liquid=self.liquid,
        )


def condition(reply: dict[str, Any], failed: dict[str, str] | None = None) -> Condition:
    """Return what a reply to ``status`` tells; old firmware tells only ``off``."""
    facts = Fields(Fields(reply).child("Msg").data, failed)
    return Condition(
        off=facts.boolean("mineroff", "btmineroff", field="status"),
        firmware=facts.text("FirmwareVersion", "Firmware Version"),
        mode=common.power_mode(facts.text("power_mode")),
        limit=facts.number("power_limit_set", field="power_limit", missing=(0,)),
        throttle=facts.number("power_pct", field="throttle", missing=(0,)),
        liquid=common.temperature(facts, "liquid_temp", field="temperature_inlet"),
    )


def summary(reply: dict[str, Any], failed: dict[str, str] | None = None) -> Fields:
    """Return the summary in a reply, or an empty object."""
    found = section(reply, "summary", "SUMMARY")
    inner = found.child("SUMMARY") or found
    return Fields(inner.data if inner.has("Elapsed") else None, failed)


def hashrate(reply: Fields) -> float | None:
    """Return the shortest average of a summary, in TH/s."""
    value = reply.number(*_NOW, field="hashrate", scale=_TERA, digits=4)
    return common.positive(value)


def hashrate_average(reply: Fields) -> float | None:
    """Return the longest average of a summary, in TH/s."""
    return reply.number(*_LONGEST, field="hashrate_average", scale=_TERA, digits=4)


def hashrate_expected(reply: Fields) -> float | None:
    """Return what the miner is sold for, in TH/s."""
    field = "hashrate_expected"
    return reply.number(
        "Factory GHS", "HS Factory", field=field, scale=1e-3, digits=4, missing=(0,)
    ) or reply.number("Target MHS", field=field, scale=_TERA, digits=4, missing=(0,))


def efficiency(reply: Fields) -> float | None:
    """Return the J/TH of a summary, told or worked out over the longest average."""
    told = reply.number("Power Rate", field="efficiency", digits=2, missing=(0,))
    if told is not None:
        return told
    power, average = reply.number("Power", field="power"), hashrate_average(reply)
    return round(power / average, 2) if power and average else None


def power_limit(reply: Fields) -> float | None:
    """Return the power limit of a summary in W."""
    return reply.number("Power Limit", field="power_limit", missing=(0,))


def boards(reply: dict[str, Any], failed: dict[str, str]) -> tuple[Board, ...]:
    """Return the hashboards in a reply to ``edevs`` or ``devs``."""
    return tuple(
        _board(position, found)
        for position, found in enumerate(_devices(reply, failed))
    )


def _devices(reply: dict[str, Any], failed: dict[str, str]) -> Iterator[Fields]:
    found = section(reply, "edevs", "DEVS")
    return Fields(found.data, failed).children("DEVS")


def _board(position: int, reply: Fields) -> Board:
    index = reply.integer("Slot", "ASC", field="boards")
    return Board(
        index=position if index is None else index,
        hashrate=_board_hashrate(reply),
        hashrate_expected=hashrate_expected(reply),
        temperature_board=common.temperature(reply, "Temperature", field="boards"),
        temperature_chip=common.temperature(reply, "Chip Temp Max", field="boards"),
        chips=reply.integer("Effective Chips", field="boards"),
        frequency=reply.number("Chip Frequency", "Frequency", field="boards", digits=1),
        serial_number=reply.text("PCB SN"),
        enabled=reply.boolean("Enabled", field="boards"),
    )


def _board_hashrate(reply: Fields) -> float | None:
    """Return a board's hashrate in TH/s.

    Firmware that speaks API v3 too tells TH/s here, under the names of MH/s; it
    has no ``ASC``.
    """
    value = common.positive(reply.number(*_NOW, field="boards"))
    if value is None:
        return None
    tera = not reply.has("ASC") and value < _TERA_BELOW
    return round(value if tera else value * _TERA, 4)


def pools(reply: dict[str, Any], failed: dict[str, str]) -> tuple[MinerPool, ...]:
    """Return the pools in a reply, by priority."""
    found = Fields(section(reply, "pools", "POOLS").data, failed)
    by_priority = sorted(
        found.children("POOLS"), key=lambda pool: pool.number("Priority") or 0
    )
    return tuple(_pool(index, pool) for index, pool in enumerate(by_priority))


def _pool(index: int, reply: Fields) -> MinerPool:
    active = reply.boolean("Stratum Active", field="pools")
    return MinerPool(
        index=index,
        url=reply.text("URL"),
        user=reply.text("User"),
        status=common.pool_state(reply.text("Status"), active=active),
        accepted=reply.integer("Accepted", field="pools"),
        rejected=reply.integer("Rejected", field="pools"),
        stale=reply.integer("Stale", field="pools"),
    )


def codes_in_summary(reply: Fields) -> list[object]:
    """Return the error codes that old firmware has in its summary."""
    count = reply.integer("Error Code Count", field="faults") or 0
    keys = (f"Error Code {index}" for index in range(min(count, _MOST_CODES)))
    return [reply.data[key] for key in keys if key in reply.data]


def faults(items: Iterable[object]) -> tuple[Fault, ...]:
    """Return what codes mean; an object holds them as keys, with their date."""
    found: dict[str, Fault] = {}
    for item in items:
        reason = item.get("reason") if isinstance(item, dict) else None
        for code in item if isinstance(item, dict) else (item,):
            meaning = fault(code, reason if isinstance(reason, str) else None)
            if meaning is not None:
                found.setdefault(meaning.code, meaning)
    return tuple(found.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was asked for one reading.

    ``boards`` is a reply, ``off`` is asleep, ``coolant`` its temperature in °C.
    """

    summary: Fields
    boards: dict[str, Any]
    pools: tuple[MinerPool, ...]
    faults: tuple[Fault, ...]
    off: bool
    has_fans: bool
    coolant: float | None


def stats(
    reading: Reading,
    known: Condition,
    failed: dict[str, str],
    *,
    locating: bool | None,
    prefer_set: bool,
) -> MinerStats:
    """Return a reading in our words.

    Mode and limit are those in force; while the miner is on its way to others, or
    when ``prefer_set``, they are those it is set to.
    """
    summary = reading.summary
    found = boards(reading.boards, failed)
    rate = hashrate(summary)
    rate = common.total(found) if rate is None else rate
    tuning = _is_tuning(reading)
    elapsed = summary.integer("Elapsed", "Uptime", field="uptime")
    mode = common.power_mode(summary.text("Power Mode"))
    limit = power_limit(summary)
    if prefer_set or tuning or not rate:
        mode = known.mode or mode
        limit = limit if known.limit is None else known.limit
    return MinerStats(
        status=MinerStatus.UNKNOWN
        if not rate and "status" in failed
        else _status(reading, rate, elapsed, tuning=tuning),
        hashrate=0.0 if reading.off else rate,
        hashrate_average=hashrate_average(summary),
        hashrate_expected=hashrate_expected(summary),
        power=common.positive(summary.number("Power", field="power", digits=1)),
        power_limit=known.limit if limit is None else limit,
        power_mode=mode or known.mode,
        efficiency=efficiency(summary) if rate and not reading.off else None,
        temperature_chip=None
        if any(board.temperature_chip is not None for board in found)
        else common.temperature(summary, "Chip Temp Max", field="temperature_chip"),
        temperature_board=None
        if any(board.temperature_board is not None for board in found)
        else common.temperature(summary, "Temperature", field="temperature_board"),
        temperature_inlet=reading.coolant,
        temperature_ambient=common.temperature(
            summary,
            "Env Temp",
            field="temperature_ambient",
            missing=common.NO_AMBIENT,
        ),
        fans=common.fans(summary, FANS, liquid=not reading.has_fans),
        boards=found,
        pools=reading.pools,
        accepted=summary.integer("Accepted", field="accepted"),
        rejected=summary.integer("Rejected", field="rejected"),
        stale=summary.integer("Stale", field="stale"),
        hardware_errors=summary.integer("Hardware Errors", field="hardware_errors"),
        best_difficulty=summary.number(
            "Best Share", field="best_difficulty", missing=(0,)
        ),
        uptime=elapsed,
        locating=locating,
        settings=MinerSettings(throttle=known.throttle),
        faults=reading.faults,
        failed=failed,
    )


def _status(
    reading: Reading, rate: float | None, elapsed: int | None, *, tuning: bool
) -> MinerStatus:
    if reading.off:
        return MinerStatus.PAUSED
    if rate is None:
        return MinerStatus.UNKNOWN
    return common.status_of(
        hashing=rate > 0,
        tuning=tuning,
        elapsed=elapsed,
        faults=reading.faults,
        pools=(pool.status for pool in reading.pools),
    )


def _is_tuning(reading: Reading) -> bool:
    """Tell whether a board that hashes has not reached its frequency yet."""
    if reading.summary.has("Upfreq Complete"):
        return reading.summary.number("Upfreq Complete") == 0
    return any(
        board.number("Upfreq Complete") == 0 and (_board_hashrate(board) or 0) > 0
        for board in _devices(reading.boards, {})
    )

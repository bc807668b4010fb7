"""What the replies of a Proto Rig tell, after its contract (MDK API 1.8).

Telemetry gives every number with its unit; the other replies name it in the key.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..algorithms import rounded
from ..fields import Fields, serial_number
from ..model import (
    Board,
    Fan,
    Fault,
    MinerPool,
    MinerSettings,
    MinerStats,
    MinerStatus,
    PoolState,
    Severity,
)

TERA, WATT, VOLT, CELSIUS = "TH/s", "W", "V", "°C"
_GIGA = 1e-3
# What these units are in those that we want.
_UNITS: Mapping[str, Mapping[str, float]] = {
    TERA: {TERA: 1.0, "MH/s": 1e-6, "GH/s": _GIGA, "PH/s": 1e3},
    WATT: {WATT: 1.0, "mW": 1e-3, "kW": 1e3},
    VOLT: {VOLT: 1.0, "mV": 1e-3},
    CELSIUS: {CELSIUS: 1.0, "C": 1.0},
}
_STATES = {
    "uninitialized": MinerStatus.STARTING,
    "poweringon": MinerStatus.STARTING,
    "poweringoff": MinerStatus.IDLE,
    "nopools": MinerStatus.IDLE,
    "stopped": MinerStatus.PAUSED,
    # By the grid's operator or the owner of the site, from outside.
    "curtailed": MinerStatus.PAUSED,
    "error": MinerStatus.FAULT,
}
_MINES = frozenset({"mining", "degradedmining"})
_STARTS_WITHIN = 300
_POOL_STATES = {
    "active": PoolState.ACTIVE,
    "idle": PoolState.ALIVE,
    "dead": PoolState.DEAD,
}
_SEVERITIES = {
    "info": Severity.INFO,
    "error": Severity.CRITICAL,
    "critical": Severity.CRITICAL,
}


def metric(data: Fields, key: str, unit: str, part: str = "value") -> float | None:
    """Return a number of the telemetry in a unit, whatever unit it is given in."""
    told = data.child(key)
    value = told.number(part, field=key)
    if value is None:
        return None
    given = told.text("unit") or unit
    factor = _UNITS[unit].get(given)
    if factor is None:
        data.failed.setdefault(key, f"{key}: {given} is not a known unit")
        return None
    return value * factor


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A hashboard that is built in; ``index`` counts the slots from zero."""

    index: int
    serial_number: str | None = None
    chips: int | None = None


def slots(hardware: object) -> tuple[Slot, ...]:
    """Return the hashboards; slots may be left empty between them."""
    found = []
    boards = Fields(hardware).child("hardware-info").children("hashboards-info")
    for place, board in enumerate(boards):
        slot = board.integer("slot")
        found.append(
            Slot(
                index=place if slot is None else slot - 1,
                serial_number=serial_number(board.text("hb_sn")),
                chips=board.integer("mining_asic_count"),
            )
        )
    return tuple(sorted(found, key=lambda slot: slot.index))


@dataclass(frozen=True, slots=True, kw_only=True)
class Replies:
    """The replies of one reading; what was not told is ``None``."""

    mining: object
    telemetry: object = None
    cooling: object = None
    pools: object = None
    errors: object = None
    failed: dict[str, str] = field(default_factory=dict)


def read_stats(
    replies: Replies,
    built_in: Sequence[Slot],
    *,
    power_mode: str | None,
    locating: bool,
) -> MinerStats:
    """Return a reading; rates of now, unless only the one since the start is told."""
    failed = replies.failed
    mining = Fields(replies.mining, failed).child("mining-status")
    telemetry = Fields(replies.telemetry, failed)
    rate = metric(telemetry.child("miner"), "hashrate", TERA)
    if rate is None:
        rate = mining.number("hashrate_ghs", field="hashrate", scale=_GIGA)
    air = _air(telemetry)
    return MinerStats(
        status=_status(mining, rate),
        hashrate=_rate(rate),
        hashrate_average=_rate(
            mining.number("average_hashrate_ghs", field="hashrate_average", scale=_GIGA)
        ),
        hashrate_expected=_rate(
            mining.number(
                "ideal_hashrate_ghs",
                field="hashrate_expected",
                scale=_GIGA,
                missing=(0,),
            )
        ),
        power=_power(mining, telemetry),
        power_limit=mining.number(
            "power_target_watts", field="power_limit", missing=(0,)
        ),
        power_mode=power_mode,
        # It tells no hottest chip, only the mean of all.
        temperature_chip=_celsius(mining.number("average_asic_temp_c", digits=1)),
        temperature_inlet=min(air["inlet"], default=None),
        temperature_outlet=max(air["outlet"], default=None),
        fans=_fans(replies.cooling, failed),
        boards=_boards(telemetry, built_in),
        pools=_pools(replies.pools, failed),
        hardware_errors=mining.integer("hw_errors", field="hardware_errors"),
        best_difficulty=_best_difficulty(replies.pools),
        uptime=mining.integer("reboot_uptime_s", field="uptime"),
        locating=locating,
        settings=_settings(replies.cooling, failed),
        faults=_faults(replies.errors),
        failed=failed,
    )


def _rate(value: float | None) -> float | None:
    return rounded(value) if value is not None and value >= 0 else None


def _status(mining: Fields, rate: float | None) -> MinerStatus:
    state = (mining.text("status") or "").lower()
    if state not in _MINES:
        return _STATES.get(state, MinerStatus.UNKNOWN)
    if rate is None or rate > 0:
        return MinerStatus.MINING
    since = mining.integer("mining_uptime_s") or 0
    return MinerStatus.STARTING if since < _STARTS_WITHIN else MinerStatus.IDLE


def _power(mining: Fields, telemetry: Fields) -> float | None:
    """Return what is drawn from the mains, or else what mining takes, in W."""
    supplies = [
        metric(supply, "power", WATT, "input") for supply in telemetry.children("psus")
    ]
    known = [watts for watts in supplies if watts is not None and watts >= 0]
    if known and len(known) == len(supplies):
        return round(sum(known), 1)
    watts = metric(telemetry.child("miner"), "power", WATT)
    if watts is None:
        watts = mining.number("power_usage_watts", field="power")
    return round(watts, 1) if watts is not None and watts >= 0 else None


def power_of_supplies(reply: object, failed: dict[str, str]) -> float | None:
    """Return what all power supplies draw in W, as it is told without a password."""
    supplies = [
        supply.child("power").number("input_power_mw", field="power", scale=1e-3)
        for supply in Fields(reply, failed).children("psus_info")
    ]
    known = [watts for watts in supplies if watts is not None and watts >= 0]
    return round(sum(known), 1) if known and len(known) == len(supplies) else None


def _celsius(value: float | None) -> float | None:
    """Return a temperature in °C; chips that do not run tell zero."""
    return value if value and -50 < value < 200 else None


def _of_board(board: Fields, part: str) -> float | None:
    value = metric(board, "temperature", CELSIUS, part)
    return _celsius(None if value is None else round(value, 1))


def _air(telemetry: Fields) -> dict[str, list[float]]:
    """Return the air before and behind the boards."""
    boards = list(telemetry.children("hashboards"))
    return {
        side: [c for board in boards if (c := _of_board(board, side)) is not None]
        for side in ("inlet", "outlet")
    }


def _boards(telemetry: Fields, built_in: Sequence[Slot]) -> tuple[Board, ...]:
    """Return the boards that are built in, and others that tell of themselves."""
    boards = {slot.index: _silent_board(slot) for slot in built_in}
    by_serial = {slot.serial_number: slot for slot in built_in if slot.serial_number}
    for place, told in enumerate(telemetry.children("hashboards")):
        serial = serial_number(told.text("serial_number"))
        slot = by_serial.get(serial) if serial else None
        index = told.integer("index", field="boards") if slot is None else slot.index
        index = place if index is None else index
        known = boards.get(index, Board(index=index))
        boards[index] = _board(known, told, serial)
    return tuple(boards[index] for index in sorted(boards))


def _silent_board(slot: Slot) -> Board:
    return Board(
        index=slot.index, serial_number=slot.serial_number, chips_expected=slot.chips
    )


def _board(known: Board, told: Fields, serial: str | None) -> Board:
    volts = metric(told, "voltage", VOLT)
    return replace(
        known,
        hashrate=_rate(metric(told, "hashrate", TERA)),
        temperature_board=_of_board(told, "average"),
        voltage=None if volts is None else round(volts, 3),
        serial_number=serial or known.serial_number,
    )


def _fans(cooling: object, failed: dict[str, str]) -> tuple[Fan, ...]:
    status = Fields(cooling, failed).child("cooling-status")
    found = []
    for place, fan in enumerate(status.children("fans")):
        slot = fan.integer("slot", field="fans")
        found.append(
            Fan(
                index=place if slot is None else slot - 1,
                speed=fan.number("rpm", field="fans", digits=0),
                duty=fan.number("percentage", "speed_percentage", field="fans"),
            )
        )
    return tuple(sorted(found, key=lambda fan: fan.index))


def _settings(cooling: object, failed: dict[str, str]) -> MinerSettings:
    status = Fields(cooling, failed).child("cooling-status")
    mode = (status.text("fan_mode") or "").lower()
    manual = status.number("speed_percentage", field="settings")
    return MinerSettings(
        fan=manual if mode == "manual" else None,
        fan_automatic={"auto": True, "manual": False, "off": False}.get(mode),
        target_temperature=status.number("target_temperature_c", field="settings"),
    )


def _pools(reply: object, failed: dict[str, str]) -> tuple[MinerPool, ...]:
    """Return the pools, the one to be used first in front."""
    found = []
    for place, pool in enumerate(Fields(reply, failed).children("pools")):
        index = pool.integer("id", field="pools")
        priority = pool.number("priority", field="pools")
        shown = _pool(pool, place if index is None else index)
        if shown.url:
            found.append((place if priority is None else priority, place, shown))
    return tuple(shown for _, _, shown in sorted(found, key=lambda item: item[:2]))


def _pool(pool: Fields, index: int) -> MinerPool:
    status = _POOL_STATES.get((pool.text("status") or "").lower())
    off = pool.boolean("enabled", field="pools") is False
    return MinerPool(
        index=index,
        url=pool.text("url"),
        user=pool.text("user"),
        status=PoolState.DISABLED if off else status,
        accepted=pool.integer("accepted", field="pools"),
        rejected=pool.integer("rejected", field="pools"),
    )


def _best_difficulty(reply: object) -> float | None:
    found = [
        pool.number("best_difficulty_share") for pool in Fields(reply).children("pools")
    ]
    return max((value for value in found if value), default=None)


def _faults(reply: object) -> tuple[Fault, ...]:
    listed: dict[str, Any] = {"errors": reply}
    return tuple(
        Fault(
            code=code,
            message=error.text("message") or code,
            component=_component(error),
            severity=_SEVERITIES.get(
                (error.text("severity") or "").lower(), Severity.WARNING
            ),
        )
        for error in Fields(listed).children("errors")
        if (code := error.text("error_code", "code"))
    )


def _component(error: Fields) -> str | None:
    source, slot = error.text("source"), error.integer("slot")
    return f"{source} {slot}" if source and slot is not None else source

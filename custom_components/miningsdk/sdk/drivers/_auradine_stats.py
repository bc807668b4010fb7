"""What the replies of an Auradine miner tell, each in the form of cgminer.

Source: protocols.md 12, and sample replies of the vendor. Values of the power supply
are texts with their units.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from ..fields import Fields, serial_number
from ..model import Board, Fan, Fault, MinerStats, MinerStatus, Severity
from .cgminer import WINDOWS, any_alive, difficulty, hashrate, pools

LOCATING = 3
NORMAL = 2
POWER_MODES = ("eco", "normal", "turbo")
_CUSTOM = "custom"
# Lamps with these codes tell of no fault; those from 101 on are the user's own.
_NO_FAULT = frozenset({0, NORMAL, LOCATING})
_OWN_CODES = 100
_COMPONENTS = {1: "power supply", 5: "pools", 6: "network", 7: "control board"}
_SICK = frozenset({"sick", "dead", "nostart"})
_STARTS_WITHIN = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What hardly ever changes: chips of one board, and the serials of all."""

    chips: int | None = None
    serials: tuple[str | None, ...] = ()


def build(count: Mapping[str, Any], report: Mapping[str, Any], known: Build) -> Build:
    """Return what ``asccount`` and ``ipreport`` tell of the boards, or was known."""
    counted = Fields(count).child("ASCCount")
    chips, boards = counted.integer("AsicCount"), counted.integer("BoardCount")
    listed = Fields(report).child("IPReport").data.get("HBSerialNo")
    serials = tuple(map(serial_number, listed)) if isinstance(listed, list) else ()
    return Build(
        chips=chips // boards if chips and boards and boards > 0 else known.chips,
        serials=serials or known.serials,
    )


def power_of(
    reply: Mapping[str, Any], key: str, failed: dict[str, str]
) -> float | None:
    """Return a power in W, added up over the power supplies if all tell theirs."""
    values = [
        supply.number(key, field="power")
        for supply in Fields(reply, failed).children("PSU")
    ]
    known = [value for value in values if value is not None and value >= 0]
    return round(sum(known), 1) if known and len(known) == len(values) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replies:
    """All replies of one reading by their command; what was not told is empty."""

    replies: Mapping[str, Mapping[str, Any]]
    failed: dict[str, str] = field(default_factory=dict)

    def part(self, command: str, section: str) -> Fields:
        """Return the first object of a section."""
        return Fields(self.replies.get(command, {}), self.failed).child(section)

    def rows(self, command: str, section: str) -> Iterable[Fields]:
        """Return all objects of a section."""
        return Fields(self.replies.get(command, {}), self.failed).children(section)

    @property
    def asleep(self) -> bool | None:
        """Tell whether it was put to sleep; ``None``: that is not told."""
        return self.part("mode", "Mode").boolean("Sleep", field="status")


def read_stats(
    replies: Replies, build: Build, *, alive: bool, waking: bool
) -> MinerStats:
    """Return a reading.

    ``alive`` tells that the clock of the mining process goes on, ``waking`` that it
    slept a short while ago.
    """
    failed = replies.failed
    summary, mode = replies.part("summary", "SUMMARY"), replies.part("mode", "Mode")
    found = pools(replies.replies.get("pools"), failed)
    power_mode = (mode.text("Mode") or "").lower() or None
    watts = mode.number("Power", field="power_limit", missing=(0,))
    code = replies.part("led", "LED").integer("Code", field="locating")
    power = power_of(replies.replies.get("psu", {}), "PowerIn", failed)
    if power is None:
        power = summary.number("Wattage", field="power", missing=(0,))
    return MinerStats(
        status=_status(replies, summary, any_alive(found), alive=alive, waking=waking),
        hashrate=hashrate(summary, *WINDOWS),
        hashrate_average=hashrate(summary, "av", field="hashrate_average"),
        power=power,
        power_limit=watts if power_mode == _CUSTOM else None,
        power_mode=power_mode,
        fans=_fans(replies.rows("fan", "Fan")),
        boards=_boards(replies, build),
        pools=found,
        accepted=summary.integer("Accepted", field="accepted"),
        rejected=summary.integer("Rejected", field="rejected"),
        stale=summary.integer("Stale", field="stale"),
        hardware_errors=summary.integer("Hardware Errors", field="hardware_errors"),
        best_difficulty=difficulty(summary.data.get("Best Share")),
        uptime=summary.integer("Elapsed", field="uptime"),
        locating=None if code is None else code == LOCATING,
        faults=(*_lamp(replies), *_sick_boards(replies)),
        failed=failed,
    )


def _status(
    replies: Replies,
    summary: Fields,
    connected: bool,  # noqa: FBT001
    *,
    alive: bool,
    waking: bool,
) -> MinerStatus:
    if replies.asleep:
        return MinerStatus.PAUSED
    rate = hashrate(summary, *WINDOWS) if alive else None
    if rate is None:
        return MinerStatus.UNKNOWN
    if rate > 0:
        return MinerStatus.MINING
    elapsed = summary.integer("Elapsed")
    young = elapsed is not None and elapsed < _STARTS_WITHIN
    return MinerStatus.STARTING if connected and (young or waking) else MinerStatus.IDLE


def _fans(rows: Iterable[Fields]) -> tuple[Fan, ...]:
    return tuple(
        Fan(index=place, speed=fan.number("Speed", field="fans", digits=0))
        for place, fan in enumerate(rows)
    )


def _boards(replies: Replies, build: Build) -> tuple[Board, ...]:
    devices = {
        number: row
        for row in replies.rows("devs", "DEVS")
        if (number := row.integer("ID", "DEV", field="boards")) is not None
    }
    sensors = {
        number: row
        for row in replies.rows("temperature", "Temperature")
        # Number 0 is the control board.
        if (number := row.integer("ID", field="boards"))
    }
    first = 0 if 0 in devices else 1
    return tuple(
        _board(
            number - first,
            devices.get(number, Fields(None)),
            sensors.get(number - first + 1, Fields(None)),
            build,
        )
        for number in sorted(devices)
    )


def _board(index: int, device: Fields, sensors: Fields, build: Build) -> Board:
    serials = build.serials
    return Board(
        index=index,
        hashrate=hashrate(device, *WINDOWS, "av", field="boards"),
        temperature_board=_hottest(sensors, "BoardTemp") or _celsius(device),
        temperature_chip=_hottest(sensors, "ChipTemp"),
        chips_expected=build.chips,
        serial_number=serials[index] if 0 <= index < len(serials) else None,
        enabled=device.boolean("Enabled", field="boards"),
    )


def _hottest(sensors: Fields, key: str) -> float | None:
    """Return the highest temperature of a list of sensors; chips are hundreds."""
    listed = sensors.data.get(key)
    hottest: float | None = None
    for sensor in listed if isinstance(listed, list) else ():
        told = sensor.get("Temperature") if isinstance(sensor, Mapping) else None
        if type(told) is float:
            value: float | None = told
        else:
            value = Fields({key: told}, sensors.failed).number(key, field="boards")
        if _is_measured(value) and (hottest is None or value > hottest):
            hottest = value
    return None if hottest is None else round(hottest, 1)


def _is_measured(celsius: float | None) -> TypeGuard[float]:
    """Tell a temperature from those of no sensor, which are zero or absurd."""
    return celsius is not None and -50 < celsius < 200 and celsius != 0


def _celsius(device: Fields) -> float | None:
    value = device.number("Temperature", field="boards", digits=1)
    return value if _is_measured(value) else None


def _lamp(replies: Replies) -> tuple[Fault, ...]:
    """Return what the lamps tell of, if it is a fault."""
    led = replies.part("led", "LED")
    code = led.integer("Code", field="locating")
    if code is None or code in _NO_FAULT or code > _OWN_CODES:
        return ()
    message = led.text("Msg") or f"The lamps of the miner show code {code}"
    return (
        Fault(code=f"led_{code}", message=message, component=_COMPONENTS.get(code)),
    )


def _sick_boards(replies: Replies) -> tuple[Fault, ...]:
    return tuple(
        Fault(
            code=f"device_{state}",
            message=f"The miner calls its board {place} {state}",
            component=f"board {place}",
            severity=Severity.CRITICAL,
        )
        for place, device in enumerate(replies.rows("devs", "DEVS"))
        if (state := (device.text("Status") or "").lower()) in _SICK
    )

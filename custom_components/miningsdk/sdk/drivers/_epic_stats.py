"""What ``/summary`` and ``/capabilities`` of ePIC firmware tell.

Source: protocols.md 10, the OpenAPI document of API 1.30.0, and replies recorded from
an S19 XP with PowerPlay-BMS 1.5.13. Rates are in MH/s, target clocks in MHz.
"""

from collections.abc import Sequence
from dataclasses import dataclass
import re

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
from ._epic_api import error_words
from ._epic_tune import POWER, TERA, Target, profile_of, target_of

_MEGA = 1e-6
_FAN = re.compile(r"Fans Speed (\d{1,2})")
_STARTS_WITHIN = 300
_IDLE = "Idling"
_STATES = {
    "AdjustingClockVoltage": MinerStatus.TUNING,
    "Initializing": MinerStatus.STARTING,
    "Loading": MinerStatus.STARTING,
    "PreInitCooldown": MinerStatus.STARTING,
    "Rebooting": MinerStatus.STARTING,
    "SoftRebooting": MinerStatus.STARTING,
    "Stopping": MinerStatus.IDLE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What the capabilities tell that a reading needs.

    ``chips`` of one board, ``cores`` of one chip; ``senses_chips`` where the sensors
    sit on chips; ``presets`` where the power is set with a preset of the firmware.
    """

    chips: int | None = None
    cores: float | None = None
    serials: tuple[str | None, ...] = ()
    senses_chips: bool = False
    presets: bool = False


def build(capabilities: Fields) -> Build:
    """Return what the capabilities tell of the hardware."""
    estimator = capabilities.child("Performance Estimator")
    serials = capabilities.data.get("Board Serial Numbers")
    return Build(
        chips=estimator.integer("Chip Count"),
        cores=estimator.number("Hashes Per Second Per Chip"),
        serials=tuple(map(serial_number, serials)) if isinstance(serials, list) else (),
        senses_chips=capabilities.child("Temp Sensor Info").text("Type") == "Chip",
        presets=capabilities.has("PresetsPowerLevels"),
    )


def detected(summary: Fields) -> list[int]:
    """Return the places of the boards that there are."""
    known = [
        index
        for board in summary.children("HBStatus")
        if board.boolean("Detected") and (index := board.integer("Index")) is not None
    ]
    return known or [
        index
        for board in summary.children("HBs")
        if (index := board.integer("Index")) is not None
    ]


def read_stats(summary: Fields, build: Build, *, stopped: bool) -> MinerStats:
    """Return a reading; ``stopped`` tells that it was paused from here."""
    boards = _boards(summary, build)
    faults = _faults(summary)
    session, misc = summary.child("Session"), summary.child("Misc")
    algorithm = target_of(summary)
    return MinerStats(
        status=_status(summary, boards, stopped=stopped),
        # Boards that do not hash tell no rate at all.
        hashrate=0.0 if is_idle(summary) else None,
        hashrate_average=_terahashes(
            session.number("Average MHs", field="hashrate_average")
        ),
        power=_positive(
            summary.child("Power Supply Stats").number(
                "Input Power", field="power", digits=1, missing=(0,)
            )
        ),
        power_limit=_power_limit(summary, build, algorithm),
        power_mode=summary.child("PresetInfo").text("Preset")
        if build.presets
        else None,
        fans=_fans(summary),
        boards=boards,
        pools=_pools(summary),
        accepted=session.integer("Accepted", field="accepted"),
        rejected=session.integer("Rejected", field="rejected"),
        uptime=session.integer("Uptime", field="uptime"),
        locating=misc.boolean("Locate Miner State", field="locating"),
        settings=_settings(summary, algorithm),
        faults=faults,
        failed=summary.failed,
    )


def _positive(value: float | None) -> float | None:
    return value if value is not None and value >= 0 else None


def _terahashes(megahashes: float | None) -> float | None:
    rate = _positive(megahashes)
    return None if rate is None else rounded(rate * _MEGA)


def _status(summary: Fields, boards: Sequence[Board], *, stopped: bool) -> MinerStatus:
    """Return what the miner does; it calls idle what was stopped or went wrong."""
    state = summary.child("Status").text("Operating State") or ""
    if state == "Mining":
        return _hashing(summary, boards)
    if state != _IDLE:
        return _STATES.get(state, MinerStatus.UNKNOWN)
    if stopped or was_stopped(summary):
        return MinerStatus.PAUSED
    if error_words(summary.child("Status").data.get("Last Error")):
        return MinerStatus.FAULT
    lost = summary.child("Stratum").boolean("IsPoolConnected") is False
    waits = summary.boolean("IdleOnConnectionLost") is True
    return MinerStatus.IDLE if lost and waits else MinerStatus.PAUSED


def is_idle(summary: Fields) -> bool:
    """Tell whether the miner idles, for whatever reason, or is about to."""
    state = summary.child("Status").text("Operating State")
    return state in (_IDLE, "Stopping")


def was_stopped(summary: Fields) -> bool:
    """Tell whether the last command was the one to stop."""
    command = summary.child("Status").text("Last Command") or ""
    return "stop" in command.lower()


def _hashing(summary: Fields, boards: Sequence[Board]) -> MinerStatus:
    rates = [b.hashrate for b in boards if b.hashrate is not None]
    if not rates or any(rates):
        return MinerStatus.MINING
    uptime = summary.child("Session").integer("Uptime") or 0
    return MinerStatus.STARTING if uptime < _STARTS_WITHIN else MinerStatus.IDLE


def _power_limit(
    summary: Fields, build: Build, algorithm: Target | None
) -> float | None:
    if build.presets:
        preset = summary.child("PresetInfo")
        return preset.number("Target Power", field="power_limit", missing=(0,))
    if algorithm is not None and algorithm.algorithm in POWER:
        return algorithm.value
    return None


def _settings(summary: Fields, algorithm: Target | None) -> MinerSettings:
    mode = summary.child("Fans").child("Fan Mode")
    automatic = mode.child("Auto")
    manual = mode.number("Manual", field="settings")
    if not mode:
        manual = summary.child("Fans").number("Fans Speed", field="settings")
    rate = algorithm if algorithm is not None and algorithm.unit == TERA else None
    return MinerSettings(
        fan=manual,
        fan_automatic=bool(automatic) if mode else None,
        target_temperature=automatic.number("Target Temperature", field="settings"),
        frequency=_target_clock(summary),
        profile=None if rate is None else profile_of(rate.value),
    )


def _target_clock(summary: Fields) -> float | None:
    """Return the frequency in MHz that all boards are set to, if it is the same."""
    clocks = {
        board.number("Data", field="settings")
        for board in summary.child("HwConfig").children("Boards Target Clock")
    }
    return clocks.pop() if len(clocks) == 1 else None


def _fans(summary: Fields) -> tuple[Fan, ...]:
    """Return the fans; a place without one tells nothing, a fan that stands tells 0."""
    rpm = summary.child("Fans Rpm")
    duty = summary.child("Fans").number("Fans Speed", field="fans")
    places = sorted(
        (int(match[1]), key) for key in rpm.data if (match := _FAN.fullmatch(key))
    )
    return tuple(
        Fan(index=place - 1, speed=speed, duty=duty)
        for place, key in places
        if (speed := rpm.number(key, field="fans", digits=0)) is not None
    )


def _boards(summary: Fields, build: Build) -> tuple[Board, ...]:
    at_work = {
        index: board
        for board in summary.children("HBs")
        if (index := board.integer("Index", field="boards")) is not None
    }
    enabled = {
        index: board.boolean("Enabled", field="boards")
        for board in summary.children("HBStatus")
        if (index := board.integer("Index", field="boards")) is not None
    }
    places = sorted({*detected(summary), *at_work})
    serials = _serials(build, tuple(enabled), tuple(sorted(at_work)))
    return tuple(
        _board(
            place,
            at_work.get(place, Fields(None)),
            build,
            enabled=enabled.get(place),
            serial=serials.get(place),
        )
        for place in places
    )


def _serials(
    build: Build, slots: tuple[int, ...], at_work: tuple[int, ...]
) -> dict[int, str | None]:
    """Return the serials by place: they are listed for all slots or those at work."""
    for places in (slots, at_work):
        if len(places) == len(build.serials):
            return dict(zip(places, build.serials, strict=True))
    return {}


def _board(
    place: int,
    board: Fields,
    build: Build,
    *,
    enabled: bool | None,
    serial: str | None,
) -> Board:
    celsius = board.number("Temperature", field="boards", digits=1, missing=(0,))
    celsius = celsius if celsius is not None and -50 < celsius < 200 else None
    clock = board.number("Core Clock Avg", field="boards", digits=2)
    return Board(
        index=place,
        hashrate=_rate(board),
        hashrate_expected=_expected(build, clock),
        temperature_board=None if build.senses_chips else celsius,
        temperature_chip=celsius if build.senses_chips else None,
        chips_expected=build.chips,
        frequency=clock or None,
        voltage=board.number("Input Voltage", field="boards", digits=3, missing=(0,)),
        serial_number=serial,
        enabled=enabled,
    )


def _rate(board: Fields) -> float | None:
    """Return a board's rate in TH/s, the first of three numbers."""
    listed = board.data.get("Hashrate")
    if not isinstance(listed, list) or not listed:
        return None
    first = Fields({"Hashrate": listed[0]}, board.failed)
    return _terahashes(first.number("Hashrate", field="boards"))


def _expected(build: Build, clock: float | None) -> float | None:
    """Return what a board should give at its clock, in TH/s.

    The capture bears this out: its percentage of theory follows from it.
    """
    if not build.chips or not build.cores or not clock:
        return None
    return _terahashes(build.chips * build.cores * clock)


def _pools(summary: Fields) -> tuple[MinerPool, ...]:
    stratum = summary.child("Stratum")
    current = stratum.integer("Config Id", field="pools")
    connected = stratum.boolean("IsPoolConnected", field="pools")
    state = {True: PoolState.ACTIVE, False: PoolState.DEAD}.get(connected)  # type: ignore[arg-type]
    return tuple(
        MinerPool(
            index=index,
            url=pool.text("pool"),
            user=pool.text("login"),
            status=state if index == current else None,
        )
        for index, pool in enumerate(summary.children("StratumConfigs"))
        if pool.text("pool")
    )


def _faults(summary: Fields) -> tuple[Fault, ...]:
    """Return what went wrong; a miner that hashes has got over it."""
    hashes = summary.child("Status").text("Operating State") == "Mining"
    told = (
        (summary.child("Status").data.get("Last Error"), None),
        (summary.data.get("Last License Error"), "license"),
    )
    return tuple(
        Fault(
            code=found[0],
            message=found[1],
            component=component,
            severity=Severity.INFO if hashes else Severity.CRITICAL,
        )
        for error, component in told
        if (found := error_words(error))
    )

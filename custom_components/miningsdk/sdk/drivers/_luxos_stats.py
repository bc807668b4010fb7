"""Read what a miner with LuxOS does from the replies of its API.

Sources: Luxor's documentation, and replies recorded from an S19k Pro (2025.4) and an
S19j Pro (2026.9). ``Total MH`` is no total there, and is passed over.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..fields import Fields
from ..model import (
    Board,
    Fan,
    Fault,
    MinerPool,
    MinerSettings,
    MinerStats,
    MinerStatus,
    Severity,
)
from ._luxos_faults import faults
from ._luxos_link import section
from .cgminer import any_alive, difficulty, hashrate, pools

# Asked together, by one request.
READS = (
    "summary",
    "config",
    "stats",
    "devs",
    "devdetails",
    "temps",
    "fans",
    "power",
    "pools",
    "events",
    "tempctrl",
)
# Its boards need up to 5 minutes to start; some models are slower to ramp up.
START = 900
_NORMAL = "normal"
_AWAKE = frozenset({"none", ""})
_RATE_UNITS = {"MH": 1e-6, "GH": 1e-3, "TH": 1.0}
_HOTTEST = 150.0
_CELSIUS_MISSING = (0.0, -1.0, -273.0)


def is_asleep(config: Fields) -> bool:
    """Tell whether it was put to sleep, which survives a reboot."""
    return (config.text("CurtailMode") or "").lower() not in _AWAKE


@dataclass(frozen=True, slots=True, kw_only=True)
class Temperatures:
    """The temperatures in °C of all boards by their number, and of the water."""

    boards: Mapping[int, float]
    chips: Mapping[int, float]
    inlet: float | None = None
    outlet: float | None = None


def temperatures(reply: Mapping[str, Any], failed: dict[str, str]) -> Temperatures:
    """Return what the sensors show; labels in the reply tell where they are."""
    kinds = {key: _kind(label) for key, label in _labels(reply)}
    found: dict[str, dict[int, float]] = {"board": {}, "chip": {}, "in": {}, "out": {}}
    for row in Fields(reply, failed).children("TEMPS"):
        index = row.integer("ID", "TEMP", field="boards")
        for key in row.data:
            if index is None or key in ("ID", "TEMP"):
                continue
            celsius = _celsius(row, key)
            hottest = found[kinds.get(key) or _kind(key)]
            if celsius is not None and celsius > hottest.get(index, -273.0):
                hottest[index] = celsius
    return Temperatures(
        boards=found["board"],
        chips=found["chip"],
        inlet=max(found["in"].values(), default=None),
        outlet=max(found["out"].values(), default=None),
    )


def _labels(reply: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for row in Fields(reply).children("METADATA"):
        for key, value in row.data.items():
            label = Fields(value).text("Label") or row.text("Label")
            if label is not None and key != "Label":
                yield key, label


def _kind(label: str) -> str:
    """Return what a sensor measures; on a board it is, unless its label says more."""
    lowered = label.lower()
    if "water" in lowered:
        return "out" if "outlet" in lowered else "in"
    return "chip" if "chip" in lowered or "die" in lowered.split() else "board"


def _celsius(row: Fields, key: str) -> float | None:
    value = row.number(key, field="temperature", digits=1, missing=_CELSIUS_MISSING)
    return value if value is not None and -50 < value < _HOTTEST else None


def _boards(
    replies: Mapping[str, dict[str, Any]],
    chains: Fields,
    hottest: Temperatures,
    failed: dict[str, str],
) -> tuple[Board, ...]:
    details = {
        row.integer("ID", "DEVDETAILS", field="boards"): row
        for row in Fields(replies["devdetails"], failed).children("DEVDETAILS")
    }
    found = []
    for row in Fields(replies["devs"], failed).children("DEVS"):
        index = row.integer("ASC", "ID", field="boards")
        if index is not None:
            more = details.get(index) or Fields(None)
            found.append(_board(row, index, chains, more, hottest))
    return tuple(sorted(found, key=lambda board: board.index))


def _board(
    row: Fields, index: int, chains: Fields, details: Fields, hottest: Temperatures
) -> Board:
    # The statistics number the chains from one, in the order of the boards.
    marks = (chains.text(f"chain_acs{index + 1}") or "").replace(" ", "").lower()
    expected = details.integer("Chips", field="boards", missing=(0,))
    temperature = hottest.boards.get(index)
    return Board(
        index=index,
        hashrate=hashrate(row, "5s", field="boards"),
        hashrate_expected=row.number(
            "Nominal MHS", field="boards", scale=1e-6, digits=4, missing=(0,)
        ),
        temperature_board=_celsius(row, "Temperature")
        if temperature is None
        else temperature,
        temperature_chip=hottest.chips.get(index),
        chips=marks.count("o") if marks else None,
        chips_expected=len(marks) or expected,
        frequency=chains.number(
            f"freq{index + 1}", field="boards", digits=1, missing=(0,)
        )
        or details.number("Frequency", field="boards", missing=(0,)),
        voltage=details.number("Voltage", field="boards", missing=(0,)),
        serial_number=row.text("SerialNumber"),
        enabled=_is_enabled(row),
    )


def _is_enabled(row: Fields) -> bool | None:
    if row.boolean("IsUserShutdown", field="boards"):
        return False
    return row.boolean("Enabled", field="boards")


def _fans(reply: Mapping[str, Any], failed: dict[str, str]) -> tuple[Fan, ...]:
    found = enumerate(Fields(reply, failed).children("FANS"))
    fans = [
        Fan(
            index=place
            if (index := row.integer("ID", field="fans")) is None
            else index,
            speed=row.number("RPM", field="fans", missing=(-1,)),
            duty=row.number("Speed", field="fans", missing=(-1,)),
        )
        for place, row in found
    ]
    return tuple(sorted(fans, key=lambda fan: fan.index))


def _settings(
    config: Fields, control: Fields, fans: tuple[Fan, ...], *, asleep: bool
) -> MinerSettings:
    """Return what is set. Fans that were set by hand rest too while it sleeps."""
    mode = (control.text("Mode") or "").lower()
    automatic = mode == "automatic" if mode in ("automatic", "manual") else None
    manual = automatic is False and not asleep
    return MinerSettings(
        fan=next((fan.duty for fan in fans), None) if manual else None,
        fan_automatic=automatic,
        target_temperature=control.number(
            "Target", field="target_temperature", missing=(0,)
        ),
        profile=config.text("Profile"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What tells what it is doing; ``known`` is whether it tells of sleep at all."""

    known: bool
    asleep: bool
    powered: bool | None
    rate: float | None
    ramps: bool
    all_off: bool
    alive: bool | None
    uptime: int | None
    faults: tuple[Fault, ...]


def _status(state: State) -> MinerStatus:
    if state.asleep:
        return MinerStatus.PAUSED
    if state.rate:
        return MinerStatus.TUNING if state.ramps else MinerStatus.MINING
    if not state.known:
        return MinerStatus.UNKNOWN
    if any(fault.severity is Severity.CRITICAL for fault in state.faults):
        return MinerStatus.FAULT
    if state.powered is False:
        return MinerStatus.PAUSED
    return _status_without_hash(state)


def _status_without_hash(state: State) -> MinerStatus:
    """Return what it does that is on but does not hash, for no fault of its own."""
    if state.all_off:
        return MinerStatus.IDLE
    if state.ramps or (state.uptime is not None and state.uptime < START):
        return MinerStatus.STARTING
    if state.rate is None:
        return MinerStatus.UNKNOWN
    return MinerStatus.IDLE if state.alive is False else MinerStatus.FAULT


def _words(config: Fields) -> tuple[Fault, ...]:
    """Return what it says of itself when no event tells why it does not hash."""
    words = config.text("SystemStatus")
    if words is None or words.lower() == _NORMAL:
        return ()
    return (Fault(code="system_status", message=f"The miner says: {words}"),)


def power_limit(
    config: Fields, watts: Mapping[str, float], failed: dict[str, str]
) -> float | None:
    """Return its power target in W, or what its profile is to draw."""
    if config.boolean("IsPowerTargetEnabled", field="power_limit"):
        told = Fields(config.data, failed)
        return told.number("IdealPowerTarget", field="power_limit", missing=(0,))
    return watts.get(config.text("Profile") or "")


def read_stats(
    replies: Mapping[str, dict[str, Any]],
    watts: Mapping[str, float],
    failed: dict[str, str],
) -> MinerStats:
    """Return the stats that follow from the replies; ``watts`` by profile."""
    summary = section(replies["summary"], "SUMMARY", failed)
    config = section(replies["config"], "CONFIG", failed)
    asleep = is_asleep(config)
    chains = _chains(replies["stats"], failed)
    hottest = temperatures(replies["temps"], failed)
    boards = _boards(replies, chains, hottest, failed)
    fans = _fans(replies["fans"], failed)
    found = pools(replies["pools"], failed)
    told = faults(replies["events"], failed, asleep=asleep)
    rate = hashrate(summary, "5s", "1m", "5m")
    uptime = summary.integer("Elapsed", field="uptime")
    state = State(
        known=bool(config),
        asleep=asleep,
        powered=config.boolean("IsPowerSupplyOn", field="status"),
        rate=rate,
        ramps=_any_ramps(replies["devs"], failed),
        all_off=bool(boards) and all(board.enabled is False for board in boards),
        alive=_any_pool_alive(found, failed),
        uptime=uptime,
        faults=told,
    )
    status = _status(state)
    if status is MinerStatus.FAULT:
        told += _words(config)
    return MinerStats(
        status=status,
        hashrate=rate,
        hashrate_average=hashrate(summary, "av", field="hashrate_average"),
        hashrate_expected=_expected(chains),
        power=_power(replies["power"], rate, failed),
        power_limit=power_limit(config, watts, failed),
        temperature_inlet=hottest.inlet,
        temperature_outlet=hottest.outlet,
        fans=fans,
        boards=boards,
        pools=found,
        accepted=summary.integer("Accepted", field="accepted"),
        rejected=summary.integer("Rejected", field="rejected"),
        stale=summary.integer("Stale", field="stale"),
        hardware_errors=summary.integer("Hardware Errors", field="hardware_errors"),
        best_difficulty=difficulty(summary.data.get("Best Share")),
        uptime=uptime,
        locating=_locating(config),
        settings=_settings(
            config,
            section(replies["tempctrl"], "TEMPCTRL", failed),
            fans,
            asleep=asleep,
        ),
        faults=told,
        failed=failed,
    )


def _chains(reply: Mapping[str, Any], failed: dict[str, str]) -> Fields:
    """Return the object of the statistics that lists the chains."""
    for row in Fields(reply, failed).children("STATS"):
        if row.has("chain_acn1") or row.has("total_rateideal"):
            return row
    return Fields(None, failed)


def _expected(chains: Fields) -> float | None:
    unit = (chains.text("rate_unit") or "GH").upper()
    return chains.number(
        "total_rateideal",
        field="hashrate_expected",
        scale=_RATE_UNITS.get(unit, 1e-3),
        digits=4,
        missing=(0,),
    )


def _power(
    reply: Mapping[str, Any], rate: float | None, failed: dict[str, str]
) -> float | None:
    """Return the power in W, which the firmware estimates where nothing measures."""
    watts = section(reply, "POWER", failed).number("Watts", field="power")
    if watts is None or watts < 0:
        return None
    return watts if watts or not rate else None


def _any_ramps(reply: Mapping[str, Any], failed: dict[str, str]) -> bool:
    rows = Fields(reply, failed).children("DEVS")
    return any(row.boolean("IsRamping", field="status") for row in rows)


def _any_pool_alive(
    found: tuple[MinerPool, ...], failed: Mapping[str, str]
) -> bool | None:
    return None if "pools" in failed or not found else any_alive(found)


def _locating(config: Fields) -> bool | None:
    led = config.text("RedLed")
    return None if led is None else "blink" in led.lower()

"""Read the state of an Antspace."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import InvalidReply
from ..fields import Fields
from ..model import (
    Actuator,
    ContainerStats,
    ContainerStatus,
    Fault,
    Reading,
    Setpoint,
)
from . import _antspace_tables as tables
from ._antspace_tables import Flag, Value

PID = "pid_mode"
SUPPLY = "supply_liquid_set_temp"
SETPOINT = "supply_temperature"
# No liquid or air of a container is any colder or hotter.
_COLDEST, _HOTTEST = -60.0, 200.0
# No single miner makes more TH/s; a larger number is one of GH/s.
_MOST_OF_A_MINER = 3000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One of the two kinds, and what it tells.

    ``pumps`` show whether the cooling runs, ``power`` adds up to the whole, and
    ``supply`` is the range of the supply temperature: what is beyond sets off its
    alarms.
    """

    model: str
    pumps: tuple[str, ...]
    power: tuple[str, ...]
    supply: tuple[float, float]
    values: tuple[Value, ...]
    states: tuple[tuple[str, str], ...]
    actuators: tuple[tuple[str, str], ...]
    valves: tuple[tuple[str, str], ...] = ()
    faults: tuple[Flag, ...]


HK3 = Kind(
    model="Antspace HK3",
    pumps=("circulating_pump",),
    power=("power_box_1", "power_box_2"),
    supply=(20.0, 40.0),
    values=tables.HK3_VALUES,
    states=tables.HK3_STATES,
    actuators=tables.HK3_ACTUATORS,
    faults=tables.HK3_FAULTS,
)
IMMERSION = Kind(
    model="Antspace immersion",
    pumps=("second_pump1", "second_pump2"),
    power=("power_box",),
    supply=(20.0, 48.0),
    values=tables.IMMERSION_VALUES,
    states=tables.IMMERSION_STATES,
    actuators=tables.IMMERSION_ACTUATORS,
    valves=tables.IMMERSION_VALVES,
    faults=tables.IMMERSION_FAULTS,
)


def kind_of(state: Fields) -> Kind:
    """Tell the kind by its pumps.

    Raises:
        InvalidReply: it is neither.
    """
    for kind in (HK3, IMMERSION):
        if any(state.has(pump) for pump in kind.pumps):
            return kind
    raise InvalidReply("the reply is not the state of a container")


def read_state(kind: Kind, state: Fields, miners: Sequence[Reading]) -> ContainerStats:
    """Return the reading of a container, with that of its miners."""
    values = [
        _reading(value, state) for value in kind.values if state.has(value.source)
    ]
    faults = _faults(kind, state)
    # Without its controller it tells only what it knew last.
    lost = state.boolean("disconnect") is True
    pumps = [state.boolean(pump, field="cooling_on") for pump in kind.pumps]
    cooling = None if lost else _any(pumps)
    return ContainerStats(
        status=_status(faults, cooling=cooling),
        power=_power(kind, values),
        cooling_on=cooling,
        readings=(*values, *_states(kind, state), *_position(state), *miners),
        actuators=_actuators(kind, state),
        setpoints=_setpoints(kind, state),
        faults=faults,
        failed=state.failed,
    )


def _status(faults: Sequence[Fault], *, cooling: bool | None) -> ContainerStatus:
    if faults:
        return ContainerStatus.FAULT
    if cooling is None:
        return ContainerStatus.UNKNOWN
    return ContainerStatus.RUNNING if cooling else ContainerStatus.STOPPED


def _any(values: Sequence[bool | None]) -> bool | None:
    """Tell whether any is on; unknown as long as one that is unknown might be."""
    if True in values:
        return True
    return None if None in values or not values else False


def _reading(value: Value, state: Fields) -> Reading:
    found = state.number(
        value.source, field=value.key, scale=value.scale, digits=value.digits
    )
    if value.unit == "°C" and found is not None and not _COLDEST < found < _HOTTEST:
        found = None
    return Reading(key=value.key, name=value.name, value=found, unit=value.unit)


def _power(kind: Kind, values: Sequence[Reading]) -> float | None:
    known = {reading.key: reading.value for reading in values}
    parts = [known.get(key) for key in kind.power]
    found = [part for part in parts if isinstance(part, float)]
    return round(sum(found), 1) if len(found) == len(parts) else None


def _states(kind: Kind, state: Fields) -> list[Reading]:
    return [
        Reading(key=key, name=name, value=state.boolean(key))
        for key, name in kind.states
        if state.has(key)
    ]


def _position(state: Fields) -> list[Reading]:
    """Return where the container stands; zero and zero mean that it does not know."""
    places = [
        state.number(key, digits=6, missing=(0,)) for key in ("latitude", "longitude")
    ]
    if None in places:
        return []
    south = state.text("latitude_direction") == "S"
    west = state.text("longitude_direction") == "W"
    return [
        Reading(key=key, name=name, value=-place if negative else place, unit="°")
        for key, name, place, negative in (
            ("latitude", "Latitude", places[0] or 0.0, south),
            ("longitude", "Longitude", places[1] or 0.0, west),
        )
    ]


def _actuators(kind: Kind, state: Fields) -> tuple[Actuator, ...]:
    return (
        *(
            Actuator(key=key, name=name, on=state.boolean(key))
            for key, name in kind.actuators
            if state.has(key)
        ),
        *(
            Actuator(key=key, name=name, on=_valve(state, key))
            for key, name in kind.valves
            if state.has(f"{key}_open")
        ),
        Actuator(key=PID, name="PID control", on=state.boolean(PID)),
    )


def _valve(state: Fields, key: str) -> bool | None:
    """Return whether a valve is open; on its way it is neither."""
    opened, closed = state.boolean(f"{key}_open"), state.boolean(f"{key}_close")
    return opened if opened is not closed else None


def _setpoints(kind: Kind, state: Fields) -> tuple[Setpoint, ...]:
    if not state.has(SUPPLY):
        return ()
    return (
        Setpoint(
            key=SETPOINT,
            value=state.number(SUPPLY, field=SETPOINT, digits=1),
            minimum=kind.supply[0],
            maximum=kind.supply[1],
            unit="°C",
        ),
    )


def _faults(kind: Kind, state: Fields) -> tuple[Fault, ...]:
    known = {flag.source for flag in kind.faults}
    # Newer firmware has more of them; their names say enough.
    others = [
        Flag(key, key, key.replace("_", " ").capitalize())
        for key in state.data
        if key.endswith(("_fault", "_alarm")) and key not in known
    ]
    return tuple(
        Fault(
            code=flag.code,
            message=flag.message,
            component=flag.component,
            severity=flag.severity,
        )
        for flag in (*kind.faults, *others)
        if state.boolean(flag.source)
    )


def read_miners(info: Fields) -> tuple[Reading, ...]:
    """Return what the container knows of its miners altogether."""
    if not info:
        return ()
    count = info.integer("miner_num", field="miners")
    hashrate = info.number("total_hashrate", field="hashrate")
    if hashrate is not None and count and hashrate / count > _MOST_OF_A_MINER:
        hashrate /= 1000
    return (
        Reading(key="miners", name="Miners", value=count),
        Reading(
            key="hashrate",
            name="Hashrate",
            value=None if hashrate is None else round(hashrate, 4),
            unit="TH/s",
        ),
        *(
            _reading(value, info)
            for value in (
                Value("pcb_max_temp", "temperature_board", "Hottest board", "°C"),
                Value("chip_max_temp", "temperature_chip", "Hottest chip", "°C"),
                Value("chip_temp_mean", "temperature_chip_mean", "Mean chip", "°C"),
            )
        ),
    )

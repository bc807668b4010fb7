"""What a Shelly measures, out of its status."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..errors import InvalidReply
from ..fields import Fields
from ..model import Fault, MeterStats, Severity, Socket
from ._home_meter import Circuit, read_circuits, watt_hours

_WATT_MINUTES = 1 / 60_000
_SWITCH = "switch"
# What measures its own load; these are plugs and relays, not conductors.
_LOADS = (_SWITCH, "pm1", "cover", "light")
_PHASES = ("a", "b", "c")


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One status, read."""

    circuits: Sequence[Circuit]
    phases: bool
    sockets: Sequence[Socket]
    faults: Sequence[Fault]

    def stats(self, circuits: Sequence[Circuit], failed: dict[str, str]) -> MeterStats:
        """Return the reading of the circuits that were chosen."""
        reading = read_circuits(
            circuits, failed, phases=self.phases, sockets=self.sockets
        )
        return replace(reading, faults=tuple(self.faults))


# The first generation.


def read_first_generation(status: Fields) -> Status:
    """Read ``/status``.

    Raises:
        InvalidReply: it is not the status of a Shelly.
    """
    if not any(status.has(key) for key in ("meters", "emeters", "relays", "wifi_sta")):
        raise InvalidReply("the reply is not a status")
    phases = [
        _emeter(index, emeter)
        for index, emeter in enumerate(status.children("emeters"))
    ]
    loads = [
        _meter(index, meter)
        for index, meter in enumerate(status.children("meters"))
        # Without a counter it is a constant that somebody typed in.
        if meter.has("total")
    ]
    sockets = [] if list(status.children("rollers")) else _relays(status, loads)
    return Status(
        circuits=phases or loads,
        phases=bool(phases),
        sockets=sockets,
        faults=_old_faults(status),
    )


def _valid(meter: Fields, index: int) -> bool:
    if meter.boolean("is_valid") is not False:
        return True
    meter.failed.setdefault(f"channel {index}", "the device says it is not valid")
    return False


def _emeter(index: int, meter: Fields) -> Circuit:
    if not _valid(meter, index):
        return Circuit(index=index)
    power = meter.number("power", digits=1)
    factor = meter.number("pf", field="power_factor", digits=3)
    return Circuit(
        index=index,
        power=power,
        voltage=meter.number("voltage", field="voltage_phase", digits=1),
        current=meter.number("current", field="current_phase", digits=3),
        reactive=meter.number("reactive", field="power_reactive", digits=1),
        factor=factor,
        energy_import=watt_hours(meter, "total", field="energy_import"),
        energy_export=watt_hours(meter, "total_returned", field="energy_export"),
    )


def _meter(index: int, meter: Fields) -> Circuit:
    if not _valid(meter, index):
        return Circuit(index=index)
    return Circuit(
        index=index,
        power=meter.number("power", digits=1),
        energy_import=meter.number(
            "total", field="energy_import", scale=_WATT_MINUTES, digits=6
        ),
    )


def _relays(status: Fields, loads: Sequence[Circuit]) -> list[Socket]:
    relays = list(status.children("relays"))
    measured = {load.index: load.power for load in loads}
    # The 2 of the first hour measures two relays with one meter.
    own = measured if len(measured) == len(relays) else {}
    return [
        Socket(index=index, on=relay.boolean("ison"), power=own.get(index))
        for index, relay in enumerate(relays)
    ]


def _old_faults(status: Fields) -> list[Fault]:
    found = [
        Fault(code="overpower", message="Overpower", component=f"relay {index}")
        for index, relay in enumerate(status.children("relays"))
        if relay.boolean("overpower")
    ]
    if status.boolean("overtemperature"):
        found.append(
            Fault(
                code="overtemperature",
                message="Overtemperature",
                severity=Severity.CRITICAL,
            )
        )
    return found


# All later generations.


def read_status(status: Fields) -> Status:
    """Read the reply to ``Shelly.GetStatus``.

    Raises:
        InvalidReply: it is not the status of a Shelly.
    """
    if not status.has("sys") and not _components(status, *_LOADS, "em", "em1"):
        raise InvalidReply("the reply is not a status")
    circuits = _three_phases(status) or _single_phases(status)
    phases = bool(circuits)
    loads = [
        _load(component)
        for component in _components(status, *_LOADS)
        if component.has("apower")
    ]
    return Status(
        circuits=circuits or loads,
        phases=phases,
        sockets=_switches(status),
        faults=_faults(status),
    )


def _components(status: Fields, *kinds: str) -> list[Fields]:
    """Return the components of some kinds, such as ``switch:0``, by their number."""
    names = sorted(
        (int(number), kind)
        for kind, _, number in (key.partition(":") for key in status.data)
        if kind in kinds and number.isascii() and number.isdecimal()
    )
    return [
        component
        for number, kind in names
        if (component := status.child(f"{kind}:{number}"))
    ]


def _index(component: Fields) -> int:
    return component.integer("id") or 0


def _three_phases(status: Fields) -> list[Circuit]:
    """Read a meter of three phases; those that are not connected are left out."""
    for meter in _components(status, "em"):
        data = status.child(f"emdata:{_index(meter)}")
        found = [
            _phase(index, phase, meter, data)
            for index, phase in enumerate(_PHASES)
            if meter.has(f"{phase}_act_power")
        ]
        if found:
            return found
    return []


def _phase(index: int, phase: str, meter: Fields, data: Fields) -> Circuit:
    return Circuit(
        index=index,
        power=meter.number(f"{phase}_act_power", field="power_phase", digits=1),
        voltage=meter.number(f"{phase}_voltage", field="voltage_phase", digits=1),
        current=meter.number(f"{phase}_current", field="current_phase", digits=3),
        apparent=meter.number(f"{phase}_aprt_power", field="power_apparent", digits=1),
        factor=meter.number(f"{phase}_pf", field="power_factor", digits=3),
        frequency=meter.number(f"{phase}_freq", field="frequency", digits=2),
        energy_import=watt_hours(
            data, f"{phase}_total_act_energy", field="energy_import"
        ),
        energy_export=watt_hours(
            data, f"{phase}_total_act_ret_energy", field="energy_export"
        ),
    )


def _single_phases(status: Fields) -> list[Circuit]:
    return [
        _clamp(meter, status.child(f"em1data:{_index(meter)}"))
        for meter in _components(status, "em1")
    ]


def _clamp(meter: Fields, data: Fields) -> Circuit:
    return Circuit(
        index=_index(meter),
        power=meter.number("act_power", field="power_phase", digits=1),
        voltage=meter.number("voltage", field="voltage_phase", digits=1),
        current=meter.number("current", field="current_phase", digits=3),
        apparent=meter.number("aprt_power", field="power_apparent", digits=1),
        factor=meter.number("pf", field="power_factor", digits=3),
        frequency=meter.number("freq", field="frequency", digits=2),
        energy_import=watt_hours(data, "total_act_energy", field="energy_import"),
        energy_export=watt_hours(data, "total_act_ret_energy", field="energy_export"),
    )


def _load(component: Fields) -> Circuit:
    drawn = watt_hours(component.child("aenergy"), "total", field="energy_import")
    returned = watt_hours(
        component.child("ret_aenergy"), "total", field="energy_export"
    )
    if drawn is not None and returned is not None:
        drawn = max(round(drawn - returned, 6), 0.0)
    return Circuit(
        index=_index(component),
        power=component.number("apower", field="power", digits=1),
        voltage=component.number("voltage", field="voltage_phase", digits=1),
        current=component.number("current", field="current_phase", digits=3),
        factor=component.number("pf", field="power_factor", digits=3),
        frequency=component.number("freq", field="frequency", digits=2),
        energy_import=drawn,
        energy_export=returned,
    )


def _switches(status: Fields) -> list[Socket]:
    return [
        Socket(
            index=_index(switch),
            on=switch.boolean("output"),
            power=switch.number("apower", field="sockets", digits=1),
            current=switch.number("current", field="sockets", digits=3),
        )
        for switch in _components(status, _SWITCH)
    ]


def _faults(status: Fields) -> list[Fault]:
    found = []
    for name, component in status.data.items():
        errors = component.get("errors") if isinstance(component, dict) else None
        for error in errors if isinstance(errors, list) else ():
            text = str(error)
            found.append(
                Fault(
                    code=text,
                    message=text.replace("_", " ").replace(":", ": ").capitalize(),
                    component=name,
                    severity=Severity.CRITICAL
                    if text.startswith("over")
                    else Severity.WARNING,
                )
            )
    return found

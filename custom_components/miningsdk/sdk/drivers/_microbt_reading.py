"""Make a reading of what the units of a MicroBT container say."""

from collections.abc import Container, Mapping, Sequence

from ..model import ContainerStatus, Fault, Reading, Severity
from . import _microbt_registers as regs
from ._modbus_table import Register, decode, decode_raw

type Words = Mapping[Register, Sequence[int]]

_ERROR_BITS = 32
_FLAGS: dict[float | None, bool] = {0: False, 1: True, 2: False}
_OTHERS = {
    regs.CDU: "cooling",
    regs.CLIMATE: "climate",
    regs.ENVIRONMENT: "environment",
    regs.DIAGNOSIS: "diagnosis",
}


class Part:
    """What one unit said, value by value."""

    def __init__(self, words: Words) -> None:
        """Take the registers by their keys."""
        self._words = {row.field: (row, raw) for row, raw in words.items()}

    def value(self, key: str) -> float | None:
        """Return a number without scale; ``None`` when it is unknown."""
        row, raw = self._words.get(key, (None, ()))
        return None if row is None else decode(row, raw)

    def bits(self, key: str) -> int:
        """Return bits as a number; none of them is set when they are unknown."""
        row, raw = self._words.get(key, (None, ()))
        return 0 if row is None else int(decode_raw(row.kind, raw))

    def scaled(self, value: regs.Value) -> float | None:
        """Return a value in its unit."""
        raw = self.value(value.key)
        return None if raw is None else round(raw * value.scale, 2)

    def flag(self, key: str) -> bool | None:
        """Return whether something is on: 1 is; 0 and 2 are not."""
        return _FLAGS.get(self.value(key))


def name_of(number: int) -> str:
    """Return the key of a unit."""
    if number in regs.METERS:
        return f"meter_{number - regs.METERS[0] + 1}"
    if number in regs.PDUS:
        return f"pdu_{number - regs.PDUS[0] + 1}"
    return _OTHERS[number]


def _title(name: str) -> str:
    kind, _, number = name.partition("_")
    return f"{'PDU' if kind == 'pdu' else kind.title()} {number}".strip()


def reading_of(part: Part, value: regs.Value, of: str = "") -> Reading:
    """Return a value; ``of`` is the key of its unit where there are several."""
    return Reading(
        key=f"{of}_{value.key}" if of else value.key,
        name=f"{_title(of)} {value.name}" if of else value.name,
        value=part.scaled(value),
        unit=value.unit,
    )


def mode_of(part: Part, value: regs.Value) -> Reading:
    """Return whether something is left to the controller."""
    raw = part.value(value.key)
    mode = None if raw is None else ("auto" if raw == 1 else "manual")
    return Reading(key=value.key, name=value.name, value=mode)


def total_power(parts: Mapping[int, Part], seen: Container[int]) -> float | None:
    """Add up the meters that there are; unknown when one of them is."""
    power = next(value for value in regs.METER_VALUES if value.key == "power")
    watts = [
        parts[number].scaled(power) if number in parts else None
        for number in regs.METERS
        if number in seen
    ]
    known = [value for value in watts if value is not None]
    return round(sum(known), 1) if known and len(known) == len(watts) else None


def faults_of(parts: Mapping[int, Part]) -> list[Fault]:
    """Return what the units report as wrong, each thing once."""
    found: list[Fault] = []

    def add(alarm: regs.Alarm, number: int) -> None:
        fault = Fault(
            code=alarm.code,
            message=alarm.message,
            component=name_of(number),
            severity=alarm.severity,
        )
        if fault not in found:
            found.append(fault)

    if (cdu := parts.get(regs.CDU)) is not None:
        bits = cdu.bits(regs.ERROR_BITS.field)
        for bit, alarm in enumerate(regs.SYSTEM_ERRORS):
            if bits >> (_ERROR_BITS - 1 - bit) & 1:
                add(alarm, regs.CDU)
    for numbers, alarms in (
        ((regs.CDU,), regs.GENERAL_ERRORS),
        ((regs.ENVIRONMENT,), regs.ENVIRONMENT_ALARMS),
        (regs.PDUS, regs.PDU_ALARMS),
    ):
        for number in numbers:
            for row, alarm in alarms if number in parts else ():
                if parts[number].value(row.field) == 1:
                    add(alarm, number)
    return found


def status_of(
    running: bool | None,  # noqa: FBT001
    broken: bool,  # noqa: FBT001
    faults: Sequence[Fault],
) -> ContainerStatus:
    """Tell what the cooling does; only what endangers it is a fault."""
    cooling = name_of(regs.CDU)
    if broken or any(
        fault.component == cooling and fault.severity is Severity.CRITICAL
        for fault in faults
    ):
        return ContainerStatus.FAULT
    if running is None:
        return ContainerStatus.UNKNOWN
    return ContainerStatus.RUNNING if running else ContainerStatus.STOPPED

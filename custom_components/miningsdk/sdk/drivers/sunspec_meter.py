"""Meters that describe themselves in the SunSpec way, of whatever make.

A marker stands at one of three addresses, and after it a chain of models, each with its
number and length. Models 201 to 204 hold whole numbers with powers of ten beside them,
211 to 214 floats (https://github.com/sunspec/models). Offsets count from the register
that holds the model's number.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, override

from ..device import describe
from ..errors import InvalidReply
from ..fields import serial_number
from ..meter import Meter
from ..model import DeviceInfo, Fault, MeterStats
from ..transports.modbus import Refused, Unit, UnitProvider, probing
from ..transports.wire import Probe, Wire
from ._modbus_device import PORT, BlockReader, ModbusDevice
from ._modbus_table import (
    PHASED,
    Kind,
    Register,
    decode,
    decode_raw,
    decode_text,
    rounded,
)

_MARKER = [0x5375, 0x6E53]
_BASES = (40000, 50000, 0)
_COMMON = 1
_COMMON_WORDS = 66
_END = 0xFFFF
_MOST_MODELS = 40
# How many phases a meter model measures.
_PHASES = {201: 1, 202: 2, 203: 3, 204: 3, 211: 1, 212: 2, 213: 3, 214: 3}
_FLOATS = frozenset({211, 212, 213, 214})
_GAP = 60
# field: (offset, its power of ten, how many registers from phase to phase)
_WHOLE: dict[str, tuple[int, int, Kind]] = {
    "current_phase": (3, 6, "s16"),
    "voltage_phase": (8, 15, "s16"),
    "frequency": (16, 17, "s16"),
    "power": (18, 22, "s16"),
    "power_phase": (19, 22, "s16"),
    "power_apparent": (23, 27, "s16"),
    "power_reactive": (28, 32, "s16"),
    "power_factor": (33, 37, "s16"),
    "energy_export": (38, 54, "acc32"),
    "energy_import": (46, 54, "acc32"),
}
_FLOAT = {
    "current_phase": 4,
    "voltage_phase": 12,
    "frequency": 26,
    "power": 28,
    "power_phase": 30,
    "power_apparent": 36,
    "power_reactive": 44,
    "power_factor": 52,
    "energy_export": 60,
    "energy_import": 68,
}
_EVENTS_WHOLE, _EVENTS_FLOAT = 105, 124
_EVENTS = {
    2: "power failure",
    3: "voltage too low",
    4: "power factor too low",
    5: "current too high",
    6: "voltage too high",
    7: "a sensor is missing",
}
_OF_THE_MAKER = range(16, 31)
_POWERS_OF_TEN = range(-10, 11)


async def find_base(unit: Unit, bases: Sequence[int]) -> int | None:
    """Return where the marker stands; ``None`` when it stands nowhere."""
    for base in bases:
        try:
            if await unit.read("holding", base, 2) == _MARKER:
                return base
        except Refused:
            continue
    return None


async def walk(unit: Unit, base: int) -> list[tuple[int, int]]:
    """Return number and address of each model of the chain after the marker."""
    found: list[tuple[int, int]] = []
    address = base + 2
    for _ in range(_MOST_MODELS):
        number, length = await unit.read("holding", address, 2)
        if number == _END or not length:
            break
        found.append((number, address))
        address += length + 2
        if address > 0xFFFE:
            break
    return found


async def _ask_chain(wire: Wire, port: int) -> str:
    async with probing(wire, port) as unit:
        base = await find_base(unit, _BASES)
        if base is None:
            return ""
        return " ".join(str(number) for number, _ in await walk(unit, base))


_CHAIN = Probe("modbus chain of models", PORT, _ask_chain)


class SunSpecMeter(ModbusDevice[MeterStats], Meter):
    """A meter with one of the SunSpec models for meters.

    ``base`` is where the marker stands; without it the usual places are tried. A
    device with several such models is read by the first one.
    """

    name = "sunspec-meter"
    models = "any SunSpec meter: model 201, 202, 203, 204, 211, 212, 213 or 214"
    transport = "Modbus TCP 502, function 3"
    probes: ClassVar[tuple[Probe, ...]] = (_CHAIN,)

    extra_options = ("base",)

    def __init__(
        self,
        host: str,
        *,
        unit: int = 1,
        units: UnitProvider | None = None,
        invert: bool = False,
        base: int | None = None,
        **options: Any,
    ) -> None:
        """Describe a meter without talking to it; ``options`` as of Device."""
        super().__init__(host, unit=unit, units=units, invert=invert, **options)
        self._bases = _BASES if base is None else (base,)
        self._model: _Model | None = None

    @classmethod
    @override
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        chain = evidence.get(_CHAIN, "").split()
        return 70 if any(str(number) in chain for number in _PHASES) else 0

    @override
    async def _fetch_info(self) -> DeviceInfo:
        base = await find_base(self.unit, self._bases)
        if base is None:
            raise InvalidReply(f"{self.unit}: there is no SunSpec marker")
        common, meter = _first_meter(await walk(self.unit, base))
        if meter is None:
            raise InvalidReply(f"{self.unit}: no SunSpec model is that of a meter")
        if self._model is None or self._model.place != meter:
            self._model = _Model(meter)
        if common is None:
            return self.info
        words = await self.unit.read("holding", common, _COMMON_WORDS)
        return describe(
            self.info,
            make=decode_text(words[2:18]) or None,
            model=decode_text(words[18:34]) or None,
            firmware_version=decode_text(words[42:50]) or None,
            serial_number=serial_number(decode_text(words[50:66])),
        )

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> MeterStats:
        if self._model is None:
            raise InvalidReply(f"{self.unit}: its models are not known yet")
        return await self._model.read(self.unit, failed)


def _first_meter(
    chain: Sequence[tuple[int, int]],
) -> tuple[int | None, tuple[int, int] | None]:
    """Return where the meter's common model is, and the meter's own model."""
    common = None
    for number, address in chain:
        if number == _COMMON:
            common = address
        elif number in _PHASES:
            return common, (number, address)
    return common, None


class _Model:
    """One meter model at its address: the rows and what they mean."""

    def __init__(self, place: tuple[int, int]) -> None:
        self.place = place
        number, start = place
        floats = number in _FLOATS
        self._values: dict[Register, Register | None] = {}
        for field in _WHOLE:
            for phase in range(_PHASES[number]) if field in PHASED else (None,):
                row = (_float_row if floats else _whole_row)(start, field, phase)
                self._values[row] = None if floats else _power_row(start, field)
        at = _EVENTS_FLOAT if floats else _EVENTS_WHOLE
        self._events = Register(address=start + at, field="faults", kind="u32")
        tens = {row for row in self._values.values() if row is not None}
        self._reader = BlockReader((*self._values, *tens, self._events), 125, _GAP)

    async def read(self, unit: Unit, failed: dict[str, str]) -> MeterStats:
        words = await self._reader.read(unit, failed)
        found: dict[str, Any] = {}
        for row, ten in self._values.items():
            value = None
            if row in words and (ten is None or ten in words):
                value = _value(row, ten, words, failed)
            if row.phase is None:
                found[row.field] = value
            else:
                found[row.field] = (*found.get(row.field, ()), value)
        for field in PHASED:
            if not any(value is not None for value in found[field]):
                found[field] = ()
        return MeterStats(
            **found, faults=_faults(words.get(self._events)), failed=failed
        )


def _whole_row(start: int, field: str, phase: int | None) -> Register:
    offset, _, kind = _WHOLE[field]
    at = start + offset + (phase or 0)
    return Register(address=at, field=field, kind=kind, phase=phase)


def _power_row(start: int, field: str) -> Register:
    return Register(address=start + _WHOLE[field][1], field=field, kind="s16")


def _float_row(start: int, field: str, phase: int | None) -> Register:
    at = start + _FLOAT[field] + 2 * (phase or 0)
    return Register(address=at, field=field, kind="f32", phase=phase)


def _value(
    row: Register,
    ten: Register | None,
    words: Mapping[Register, Sequence[int]],
    failed: dict[str, str],
) -> float | None:
    value = decode(row, words[row])
    if value is None:
        return None
    if ten is not None:
        power = decode(ten, words[ten])
        if power is None or power not in _POWERS_OF_TEN:
            failed.setdefault(row.field, f"its power of ten at {ten.address} is wrong")
            return None
        value *= 10.0 ** int(power)
    return rounded(row.field, _in_units(row.field, value))


def _in_units(field: str, value: float) -> float:
    if field.startswith("energy"):
        return value / 1000
    # The models say percent, but many meters give a share of one.
    if field == "power_factor" and abs(value) > 1:
        return value / 100
    return value


def _faults(words: Sequence[int] | None) -> tuple[Fault, ...]:
    if words is None:
        return ()
    bits = int(decode_raw("u32", words))
    if bits == 0xFFFF_FFFF:
        return ()
    known = dict(_EVENTS)
    for bit in _OF_THE_MAKER:
        known[bit] = f"event {bit - 15} of the maker"
    return tuple(
        Fault(code=str(bit), message=message)
        for bit, message in known.items()
        if bits >> bit & 1
    )


DRIVERS = (SunSpecMeter,)

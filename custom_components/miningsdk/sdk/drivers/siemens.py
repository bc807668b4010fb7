"""Siemens PAC2200: floats, energies as doubles in Wh for each of two tariffs.

Registers: mbmd, and the maker's manual for frequency and identity. A request must not
begin or end within a value, and the identity can only be read as a whole.
"""

from collections.abc import Mapping
from typing import ClassVar, override

from ..fields import serial_number
from ..transports.modbus import probing
from ..transports.wire import Probe, Wire
from ._modbus_device import IDENTITY, PORT, identity_words
from ._modbus_table import MeterMap, Register, decode_text, phases
from ._table_meter import TableMeter

_IDENTITY_AT = 64001
_IDENTITY_WORDS = 27
_MAKER = 42


def _float(address: int, field: str) -> Register:
    return Register(address=address, field=field, kind="f32", space="input")


def _energy(address: int, field: str) -> Register:
    return Register(
        address=address, field=field, kind="f64", space="input", scale=0.001
    )


_PAC = MeterMap(
    registers=(
        *phases("voltage_phase", "f32", (1, 3, 5), space="input"),
        *phases("current_phase", "f32", (13, 15, 17), space="input"),
        *phases("power_phase", "f32", (25, 27, 29), space="input"),
        _float(55, "frequency"),
        _float(63, "power_apparent"),
        _float(65, "power"),
        _float(67, "power_reactive"),
        _float(69, "power_factor"),
        _energy(801, "energy_import"),
        _energy(805, "energy_import"),
        _energy(809, "energy_export"),
        _energy(813, "energy_export"),
    ),
)


async def _ask_order_number(wire: Wire, port: int) -> str:
    async with probing(wire, port) as unit:
        words = await unit.read("holding", _IDENTITY_AT, _IDENTITY_WORDS)
    return decode_text(words[1:11]) if words[0] == _MAKER else ""


_ORDER_NUMBER = Probe("modbus order number", PORT, _ask_order_number)


class SiemensPac2200(TableMeter):
    """A Siemens SENTRON PAC2200."""

    name = "siemens-pac2200"
    make = "Siemens"
    models = own_model = "PAC2200"
    transport = "Modbus TCP 502, function 4; identity by functions 3 and 43/14"
    probes: ClassVar[tuple[Probe, ...]] = (IDENTITY, _ORDER_NUMBER)
    table = _PAC

    @classmethod
    @override
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        said = identity_words(evidence)
        if "siemens" in said and ("pac2200" in said or "7km2200" in said):
            return 90
        return 90 if evidence.get(_ORDER_NUMBER, "").startswith("7KM2200") else 0

    @override
    async def _facts(self) -> Mapping[str, str | None]:
        words = await self.unit.read("holding", _IDENTITY_AT, _IDENTITY_WORDS)
        if words[0] != _MAKER:
            return {}
        return {
            "serial_number": serial_number(decode_text(words[11:19])),
            "firmware_version": _version(words[20:22]),
        }


def _version(words: list[int]) -> str | None:
    """Return a version such as ``V3.2.1``: a letter and three numbers."""
    letter, *numbers = b"".join(word.to_bytes(2, "big") for word in words)
    if not chr(letter).isalpha():
        return None
    return chr(letter) + ".".join(str(number) for number in numbers)


DRIVERS = (SiemensPac2200,)

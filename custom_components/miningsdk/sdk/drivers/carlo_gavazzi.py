"""Carlo Gavazzi EM24 with Ethernet: whole numbers, low word first.

Registers: mbmd and Victron, which agree. Read alone, register 0x000B is the number of
the model. The meter's "application" is left as it is: a setting that somebody chose.
"""

from collections.abc import Mapping
from typing import ClassVar, override

from ..errors import InvalidReply
from ..transports.modbus import probing
from ..transports.wire import Probe, Wire
from ._modbus_device import PORT
from ._modbus_table import MeterMap, Register, phases
from ._table_meter import TableMeter

_CODE = 0x000B
_MODELS = {
    "1648": "EM24DINAV23XE1X",
    "1649": "EM24DINAV23XE1PFA",
    "1650": "EM24DINAV23XE1PFB",
    "1651": "EM24DINAV53XE1X",
    "1652": "EM24DINAV53XE1PFA",
    "1653": "EM24DINAV53XE1PFB",
}
_NO_S32 = (0x7FFF_FFFF, -0x8000_0000)
_LONG: dict[str, object] = {
    "space": "input",
    "word_order": "little",
    "missing": _NO_S32,
}


def _long(address: int, field: str, scale: float) -> Register:
    return Register(
        address=address,
        field=field,
        kind="s32",
        space="input",
        word_order="little",
        scale=scale,
        missing=_NO_S32,
    )


_EM24 = MeterMap(
    registers=(
        *phases("voltage_phase", "s32", (0x00, 0x02, 0x04), scale=0.1, **_LONG),
        *phases("current_phase", "s32", (0x0C, 0x0E, 0x10), scale=0.001, **_LONG),
        *phases("power_phase", "s32", (0x12, 0x14, 0x16), scale=0.1, **_LONG),
        _long(0x28, "power", 0.1),
        _long(0x2A, "power_apparent", 0.1),
        _long(0x2C, "power_reactive", 0.1),
        Register(
            address=0x31,
            field="power_factor",
            kind="s16",
            space="input",
            scale=0.001,
            missing=(0x7FFF, -0x8000),
        ),
        Register(address=0x33, field="frequency", kind="u16", space="input", scale=0.1),
        _long(0x34, "energy_import", 0.1),
        _long(0x4E, "energy_export", 0.1),
    ),
    identity=(Register(address=0x5000, field="serial_number", kind="ascii", words=7),),
)


async def _ask_code(wire: Wire, port: int) -> str:
    async with probing(wire, port) as unit:
        return str((await unit.read("holding", _CODE, 1))[0])


_MODEL_CODE = Probe("modbus code at 0x000b", PORT, _ask_code)


class CarloGavazziEm24(TableMeter):
    """A Carlo Gavazzi EM24 with an Ethernet port."""

    name = "carlo-gavazzi-em24"
    make = "Carlo Gavazzi"
    models = "EM24 with Ethernet (EM24DINAV23XE1..., EM24DINAV53XE1...)"
    transport = "Modbus TCP 502, functions 3 and 4"
    probes: ClassVar[tuple[Probe, ...]] = (_MODEL_CODE,)
    table = _EM24

    @classmethod
    @override
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        # A small number in some register is no name: anything surer goes first.
        return 60 if evidence.get(_MODEL_CODE) in _MODELS else 0

    @override
    async def _facts(self) -> Mapping[str, str | None]:
        code = str((await self.unit.read("holding", _CODE, 1))[0])
        if code not in _MODELS:
            return {}
        return {**await super()._facts(), "model": _MODELS[code]}

    @override
    def _check(self, facts: Mapping[str, str | None]) -> None:
        if "model" not in facts:
            raise InvalidReply(f"{self.unit}: this is no EM24 with Ethernet")


DRIVERS = (CarloGavazziEm24,)

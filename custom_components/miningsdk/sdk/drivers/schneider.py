"""Schneider meters: floats in kW, energies in Wh; and a protection relay.

Registers: iEM3xxx and PM5xxx share their layout (MiningOS, mbmd and public copies of
the maker's list). A power factor beyond 1 tells its quadrant. Identity: function 43/14,
and for those that do not answer it the text of the model at register 50.
"""

from collections.abc import Mapping
from typing import ClassVar, override

from ..transports.modbus import probing
from ..transports.wire import Probe, Wire
from ._modbus_device import IDENTITY, PORT, identity_words
from ._modbus_table import MeterMap, Register, decode_text, phases
from ._table_meter import TableMeter

_MODEL = 49
_MODEL_WORDS = 20


def _kilo(address: int, field: str) -> Register:
    return Register(address=address, field=field, kind="f32", scale=1000.0)


def _energy(address: int, field: str) -> Register:
    return Register(address=address, field=field, kind="s64", scale=0.001)


_FLOATS = MeterMap(
    registers=(
        *phases("current_phase", "f32", (0x0BB7, 0x0BB9, 0x0BBB)),
        *phases("voltage_phase", "f32", (0x0BD3, 0x0BD5, 0x0BD7)),
        *phases("power_phase", "f32", (0x0BED, 0x0BEF, 0x0BF1), scale=1000.0),
        _kilo(0x0BF3, "power"),
        _kilo(0x0BFB, "power_reactive"),
        _kilo(0x0C03, "power_apparent"),
        Register(address=0x0C0B, field="power_factor", kind="f32", folded=True),
        Register(address=0x0C25, field="frequency", kind="f32"),
        _energy(0x0C83, "energy_import"),
        _energy(0x0C87, "energy_export"),
    ),
    identity=(
        Register(address=_MODEL, field="model", kind="ascii", words=_MODEL_WORDS),
        Register(address=129, field="serial_number", kind="u32"),
    ),
)
_RELAY = MeterMap(
    registers=(
        *phases("voltage_phase", "s16", (2016, 2017, 2018)),
        Register(address=2020, field="frequency", kind="s16", highest=100),
        Register(address=2021, field="power", kind="s16", scale=1000.0),
        Register(address=2022, field="power_reactive", kind="s16", scale=1000.0),
        Register(address=2023, field="power_apparent", kind="s16", scale=1000.0),
    ),
)


async def _ask_model(wire: Wire, port: int) -> str:
    async with probing(wire, port) as unit:
        return decode_text(await unit.read("holding", _MODEL, _MODEL_WORDS))


_MODEL_TEXT = Probe("modbus model text", PORT, _ask_model)


class _Schneider(TableMeter):
    make = "Schneider"
    transport = "Modbus TCP 502, function 3; identity by function 43/14"
    probes: ClassVar[tuple[Probe, ...]] = (IDENTITY, _MODEL_TEXT)
    # What a meter of this driver says of itself, in small letters.
    words: ClassVar[tuple[str, ...]] = ()
    score: ClassVar[int] = 90

    @classmethod
    @override
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        said = identity_words(evidence)
        if "schneider" not in said:
            said = ""
        text = evidence.get(_MODEL_TEXT, "").lower()
        known = any(word in said or text.startswith(word) for word in cls.words)
        return cls.score if known else 0


class SchneiderPm5xxx(_Schneider):
    """A Schneider PowerLogic meter of the PM5000 series."""

    name = "schneider-pm5xxx"
    aliases: ClassVar[tuple[str, ...]] = ("schneider-pm5000",)
    models = "PM5100, PM5300, PM5500 series"
    words = ("pm51", "pm53", "pm55")
    score = 80
    table = _FLOATS


class SchneiderPm5340(_Schneider):
    """A Schneider PowerLogic PM5340."""

    name = "schneider-pm5340"
    models = own_model = "PM5340"
    words = ("pm5340",)
    table = _FLOATS


class SchneiderIem3xxx(_Schneider):
    """A Schneider Acti9 meter of the iEM3000 series."""

    name = "schneider-iem3xxx"
    aliases: ClassVar[tuple[str, ...]] = ("schneider-iem3000",)
    models = "iEM3100, iEM3200, iEM3300, iEM3400, iEM3500 series"
    words = ("iem3", "a9mem3")
    table = _FLOATS


class SchneiderP3u30(_Schneider):
    """A Schneider Easergy P3U30 relay."""

    name = "schneider-p3u30"
    models = own_model = "P3U30"
    words = ("p3u30",)
    table = _RELAY


DRIVERS = (SchneiderPm5xxx, SchneiderPm5340, SchneiderIem3xxx, SchneiderP3u30)

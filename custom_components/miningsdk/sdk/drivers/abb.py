"""ABB meters and relays: scaled whole numbers, high word first.

Registers: B21, B23 and B24 from mbmd and Victron, which agree. M1M 20 and M4M 20 from
MiningOS; energies, frequency and factor from public maps of the larger M4M 30. REU615
from MiningOS. "Not available" is 0x7FFF... in signed and 0xFFFF... in unsigned ones.
"""

from collections.abc import Mapping
from typing import ClassVar, override

from ..errors import InvalidReply
from ..transports.modbus import probing
from ..transports.wire import Probe, Wire
from ._modbus_device import IDENTITY, PORT, identity_words
from ._modbus_table import MeterMap, Register, decode_text, phases
from ._table_meter import TableMeter

_TYPE = 0x8960
_NO_S16 = (0x7FFF, -0x8000)
_NO_S32 = (0x7FFF_FFFF, -0x8000_0000)


def _signed(address: int, field: str, scale: float) -> Register:
    return Register(
        address=address, field=field, kind="s32", scale=scale, missing=_NO_S32
    )


def _factor(address: int) -> Register:
    return Register(
        address=address,
        field="power_factor",
        kind="s16",
        scale=0.001,
        missing=_NO_S16,
    )


_ENERGIES = (
    Register(address=0x5000, field="energy_import", kind="u64", scale=0.01),
    Register(address=0x5004, field="energy_export", kind="u64", scale=0.01),
)
_B_SERIES = MeterMap(
    registers=(
        *_ENERGIES,
        *phases("voltage_phase", "u32", (0x5B00, 0x5B02, 0x5B04), scale=0.1),
        *phases("current_phase", "u32", (0x5B0C, 0x5B0E, 0x5B10), scale=0.01),
        _signed(0x5B14, "power", 0.01),
        *phases(
            "power_phase",
            "s32",
            (0x5B16, 0x5B18, 0x5B1A),
            scale=0.01,
            missing=_NO_S32,
        ),
        _signed(0x5B1C, "power_reactive", 0.01),
        _signed(0x5B24, "power_apparent", 0.01),
        Register(address=0x5B2C, field="frequency", kind="u16", scale=0.01),
        _factor(0x5B3A),
    ),
    identity=(
        Register(address=0x8900, field="serial_number", kind="u32"),
        Register(address=0x8908, field="firmware_version", kind="ascii", words=8),
        Register(address=_TYPE, field="model", kind="ascii", words=2),
    ),
)
_M_SERIES = MeterMap(
    registers=(
        *_ENERGIES,
        *phases("voltage_phase", "u32", (0x5B02, 0x5B04, 0x5B06), scale=0.1),
        *phases("current_phase", "u32", (0x5B10, 0x5B12, 0x5B14), scale=0.01),
        _signed(0x5B2A, "power_apparent", 0.01),
        Register(address=0x5B32, field="frequency", kind="u16", scale=0.01),
        _factor(0x5B40),
        # A second area holds the powers in whole watts, which do not overflow.
        _signed(0xCB1A, "power", 1.0),
        *phases("power_phase", "s32", (0xCB1C, 0xCB1E, 0xCB20), missing=_NO_S32),
        _signed(0xCB22, "power_reactive", 1.0),
    ),
)
_RELAY = MeterMap(
    registers=(
        _signed(1939, "power", 1.0),
        Register(address=1941, field="voltage_phase", kind="u32", phase=0),
    ),
)


async def _ask_type(wire: Wire, port: int) -> str:
    async with probing(wire, port) as unit:
        return decode_text(await unit.read("holding", _TYPE, 2))


_TYPE_CODE = Probe("modbus type of a b series", PORT, _ask_type)


class _AbbB(TableMeter):
    make = "ABB"
    transport = "Modbus TCP 502 through a gateway, function 3"
    table = _B_SERIES
    probes: ClassVar[tuple[Probe, ...]] = (_TYPE_CODE,)

    @classmethod
    @override
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        return 90 if evidence.get(_TYPE_CODE) == cls.own_model else 0

    @override
    def _check(self, facts: Mapping[str, str | None]) -> None:
        found = facts.get("model")
        if found is not None and not found.startswith("B2"):
            raise InvalidReply(f"{self.unit}: this is no meter of the B series")


class AbbB21(_AbbB):
    """An ABB B21, of one phase."""

    name = "abb-b21"
    models = own_model = "B21"


class AbbB23(_AbbB):
    """An ABB B23, of three phases, connected directly."""

    name = "abb-b23"
    models = own_model = "B23"


class AbbB24(_AbbB):
    """An ABB B24, of three phases, behind current transformers."""

    name = "abb-b24"
    models = own_model = "B24"


class _AbbM(TableMeter):
    make = "ABB"
    transport = "Modbus TCP 502, function 3"
    table = _M_SERIES
    probes: ClassVar[tuple[Probe, ...]] = (IDENTITY,)
    words: ClassVar[tuple[str, ...]]

    @classmethod
    @override
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        found = identity_words(evidence)
        return 90 if "abb" in found and any(word in found for word in cls.words) else 0


class AbbM1m20(_AbbM):
    """An ABB M1M 20 network analyser."""

    name = "abb-m1m20"
    models = own_model = "M1M 20"
    words = ("m1m 20", "m1m20")


class AbbM4m20(_AbbM):
    """An ABB M4M 20 network analyser."""

    name = "abb-m4m20"
    models = own_model = "M4M 20"
    words = ("m4m 20", "m4m20")


class AbbReu615(TableMeter):
    """An ABB REU615 relay; its one voltage is that between two lines."""

    name = "abb-reu615"
    make = "ABB"
    models = own_model = "REU615"
    transport = "Modbus TCP 502, function 3"
    table = _RELAY


DRIVERS = (AbbB21, AbbB23, AbbB24, AbbM1m20, AbbM4m20, AbbReu615)

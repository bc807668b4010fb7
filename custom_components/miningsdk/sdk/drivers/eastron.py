"""Eastron SDM meters behind a gateway: floats in input registers, W and kWh.

Registers: mbmd (P); a read of 80 registers from 0 is what ESPHome does. No register of
identity is sure enough, so a scan cannot tell them.
"""

from ..transports.modbus import Space
from ._modbus_table import MeterMap, Register, phases
from ._table_meter import TableMeter

_SPACE: Space = "input"


def _float(address: int, field: str) -> Register:
    return Register(address=address, field=field, kind="f32", space=_SPACE)


_COMMON = (
    _float(0x46, "frequency"),
    _float(0x48, "energy_import"),
    _float(0x4A, "energy_export"),
)
_THREE_PHASES = MeterMap(
    registers=(
        *phases("voltage_phase", "f32", (0x00, 0x02, 0x04), space=_SPACE),
        *phases("current_phase", "f32", (0x06, 0x08, 0x0A), space=_SPACE),
        *phases("power_phase", "f32", (0x0C, 0x0E, 0x10), space=_SPACE),
        _float(0x34, "power"),
        _float(0x38, "power_apparent"),
        _float(0x3C, "power_reactive"),
        _float(0x3E, "power_factor"),
        *_COMMON,
    ),
    maximum_block=80,
    maximum_gap=40,
)
_ONE_PHASE = MeterMap(
    registers=(
        *phases("voltage_phase", "f32", (0x00,), space=_SPACE),
        *phases("current_phase", "f32", (0x06,), space=_SPACE),
        _float(0x0C, "power"),
        _float(0x12, "power_apparent"),
        _float(0x18, "power_reactive"),
        _float(0x1E, "power_factor"),
        *_COMMON,
    ),
    maximum_block=80,
    maximum_gap=40,
)


class _Eastron(TableMeter):
    make = "Eastron"
    transport = "Modbus TCP 502 through a gateway, function 4"
    table = _ONE_PHASE


class EastronSdm120(_Eastron):
    """An Eastron SDM120, of one phase."""

    name = "eastron-sdm120"
    models = own_model = "SDM120"


class EastronSdm220(_Eastron):
    """An Eastron SDM220, of one phase."""

    name = "eastron-sdm220"
    models = own_model = "SDM220"


class EastronSdm230(_Eastron):
    """An Eastron SDM230, of one phase."""

    name = "eastron-sdm230"
    models = own_model = "SDM230"


class EastronSdm630(_Eastron):
    """An Eastron SDM630, of three phases."""

    name = "eastron-sdm630"
    models = own_model = "SDM630"
    table = _THREE_PHASES


DRIVERS = (EastronSdm120, EastronSdm220, EastronSdm230, EastronSdm630)

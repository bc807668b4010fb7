"""Janitza meters: floats, energies in Wh.

Registers: mbmd for the B series, OpenEMS for the UMG series, which agree. Nothing in
them tells the maker, so a scan cannot recognise them.
"""

from ._modbus_table import MeterMap, Register, phases
from ._table_meter import TableMeter


def _float(address: int, field: str, scale: float = 1.0) -> Register:
    return Register(address=address, field=field, kind="f32", scale=scale)


_FLOATS = MeterMap(
    registers=(
        *phases("voltage_phase", "f32", (0x4A38, 0x4A3A, 0x4A3C)),
        *phases("current_phase", "f32", (0x4A44, 0x4A46, 0x4A48)),
        *phases("power_phase", "f32", (0x4A4C, 0x4A4E, 0x4A50)),
        _float(0x4A52, "power"),
        _float(0x4A5A, "power_apparent"),
        _float(0x4A62, "power_reactive"),
        _float(0x4A6A, "frequency"),
        _float(0x4A7C, "energy_import", 0.001),
        _float(0x4A84, "energy_export", 0.001),
    ),
)


class Janitza(TableMeter):
    """A Janitza meter of the UMG or the B series."""

    name = "janitza"
    make = "Janitza"
    models = "UMG 96RM-E, UMG 604, B21, B23, B24"
    transport = "Modbus TCP 502, function 3"
    table = _FLOATS


DRIVERS = (Janitza,)

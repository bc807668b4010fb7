"""Satec power meters: 16-bit registers that are shares of a full scale.

A raw 0 to 9999 stands for the lowest to the highest value that the meter can show, and
these follow from how it was set up. They cannot be read in a way that is sure, so they
are options. Registers: MiningOS and public lists of the maker's registers, which agree.
Energies are two registers of four decimal digits each.
"""

from typing import Any, override

from ..model import MeterStats
from ._modbus_table import MeterMap, Register, phases
from ._table_meter import TableMeter

_FULL = 9999
_DIGITS = 10_000


def _share(low: float, high: float) -> dict[str, Any]:
    return {
        "scale": (high - low) / _FULL,
        "offset": low,
        "highest": _FULL,
        "missing": (),
    }


def _energy(address: int, field: str) -> tuple[Register, Register]:
    return (
        Register(address=address, field=field, kind="u16", highest=_FULL),
        Register(
            address=address + 1, field=field, kind="u16", highest=_FULL, scale=_DIGITS
        ),
    )


def _map(
    voltage: float | None,
    current: float | None,
    power: float | None,
    frequency: tuple[float, float] | None,
) -> MeterMap:
    rows: list[Register] = [
        Register(address=274, field="power_factor", kind="u16", **_share(-1.0, 1.0)),
        *_energy(287, "energy_import"),
        *_energy(289, "energy_export"),
    ]
    if voltage is not None:
        share = _share(0.0, voltage)
        rows += phases("voltage_phase", "u16", (256, 257, 258), **share)
    if current is not None:
        share = _share(0.0, current)
        rows += phases("current_phase", "u16", (259, 260, 261), **share)
    if power is not None:
        share = _share(-power, power)
        rows += phases("power_phase", "u16", (262, 263, 264), **share)
        rows += [
            Register(address=275, field="power", kind="u16", **share),
            Register(address=276, field="power_reactive", kind="u16", **share),
            Register(address=277, field="power_apparent", kind="u16", **share),
        ]
    if frequency is not None:
        share = _share(*frequency)
        rows.append(Register(address=279, field="frequency", kind="u16", **share))
    return MeterMap(registers=tuple(rows), maximum_gap=20)


class _Satec(TableMeter):
    """A Satec meter, whose full scales are options.

    ``voltage_high`` V: the meter's voltage scale times the ratio of its transformers.
    ``current_high`` A: its current scale times the ratio of its transformers.
    ``power_high`` W: the largest power it can show. It usually is voltage_high times
    current_high, times 3 where voltages are to neutral, times 2 where between lines.
    ``frequency_low`` and ``frequency_high`` Hz: usually 45 and 65.
    """

    make = "Satec"
    transport = "Modbus TCP 502, function 3"

    def __init__(
        self,
        host: str,
        *,
        voltage_high: float | None = None,
        current_high: float | None = None,
        power_high: float | None = None,
        frequency_low: float | None = None,
        frequency_high: float | None = None,
        **options: Any,
    ) -> None:
        super().__init__(host, **options)
        frequency = None
        if frequency_low is not None and frequency_high is not None:
            frequency = (frequency_low, frequency_high)
        self._use(_map(voltage_high, current_high, power_high, frequency))
        self._unset = {
            field: f"{option} is not set"
            for fields, option, value in (
                (("voltage_phase",), "voltage_high", voltage_high),
                (("current_phase",), "current_high", current_high),
                (("power", "power_phase"), "power_high", power_high),
                (("power_reactive", "power_apparent"), "power_high", power_high),
                (("frequency",), "frequency_low or frequency_high", frequency),
            )
            if value is None
            for field in fields
        }

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> MeterStats:
        failed.update(self._unset)
        return await super()._fetch_stats(failed)


class SatecPm180(_Satec):
    """A Satec PM180 power quality analyser."""

    name = "satec-pm180"
    models = own_model = "PM180"


class SatecEm133(_Satec):
    """A Satec EM133 energy meter."""

    name = "satec-em133"
    models = own_model = "EM133"


DRIVERS = (SatecPm180, SatecEm133)

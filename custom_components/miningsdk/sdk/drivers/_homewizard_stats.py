"""What a HomeWizard device measures, in the keys of either version of its API."""

from collections.abc import Sequence

from ..fields import Fields
from ..model import MeterStats, Socket
from ._home_meter import ratio

_PHASES = (1, 2, 3)
_TARIFFS = (1, 2, 3, 4)


def read_measurement(
    data: Fields,
    prefix: str,
    energy: str,
    failed: dict[str, str],
    sockets: Sequence[Socket] = (),
) -> MeterStats:
    """Read a measurement; version 1 puts ``active_`` before what version 2 tells.

    Of a meter with one phase some keys come without the number of the phase.
    """
    numbers = _phases(data, prefix)
    alone = len(numbers) == 1

    def phase(
        quantity: str, unit: str, field: str, digits: int
    ) -> tuple[float | None, ...]:
        return tuple(
            data.number(
                f"{prefix}{quantity}_l{number}_{unit}",
                *((f"{prefix}{quantity}_{unit}",) if alone else ()),
                field=field,
                digits=digits,
            )
            for number in numbers
        )

    power = data.number(f"{prefix}power_w", field="power", digits=1)
    apparent = data.number(
        f"{prefix}apparent_power_va", field="power_apparent", digits=1
    )
    factor = data.number(f"{prefix}power_factor", field="power_factor", digits=3)
    return MeterStats(
        power=power,
        power_phase=phase("power", "w", "power_phase", 1),
        voltage_phase=phase("voltage", "v", "voltage_phase", 1),
        current_phase=phase("current", "a", "current_phase", 3),
        power_reactive=data.number(
            f"{prefix}reactive_power_var", field="power_reactive", digits=1
        ),
        power_apparent=apparent,
        power_factor=ratio(power, apparent) if factor is None else factor,
        frequency=data.number(f"{prefix}frequency_hz", field="frequency", digits=2),
        energy_import=_energy(data, f"{energy}_import", "energy_import"),
        energy_export=_energy(data, f"{energy}_export", "energy_export"),
        sockets=tuple(sockets),
        failed=failed,
    )


def _phases(data: Fields, prefix: str) -> Sequence[int]:
    """Return the phases that are told of; one if there is none with a number."""
    last = 1
    for number in _PHASES:
        keys = (f"{prefix}power_l{number}_w", f"{prefix}current_l{number}_a")
        if any(data.data.get(key) is not None for key in keys):
            last = number
    return _PHASES[:last]


def _energy(data: Fields, name: str, field: str) -> float | None:
    """Return the counter of all tariffs; older firmware tells only each of them."""
    if (total := data.number(f"{name}_kwh", field=field, digits=6)) is not None:
        return total
    tariffs = [
        value
        for tariff in _TARIFFS
        if (value := data.number(f"{name}_t{tariff}_kwh", field=field)) is not None
    ]
    return round(sum(tariffs), 6) if tariffs else None

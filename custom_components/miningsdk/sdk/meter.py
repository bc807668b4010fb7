"""A power meter of any make and on any wire."""

from dataclasses import replace
from typing import Any, ClassVar, override

from .device import Device
from .model import DeviceKind, MeterStats

# Beyond this a power factor is a mistake; up to it a matter of rounding.
_FACTOR_TOLERANCE = 1.01


class Meter(Device[MeterStats]):
    """A power meter.

    ``invert`` is for current transformers that were mounted the wrong way round:
    what the meter takes for drawn was fed in, and the other way round.
    """

    kind = DeviceKind.METER
    extra_options: ClassVar[tuple[str, ...]] = ("invert",)

    def __init__(self, host: str, *, invert: bool = False, **options: Any) -> None:
        """Describe a meter without talking to it; ``options`` are those of Device."""
        super().__init__(host, **options)
        self.invert = invert

    @override
    async def _read(self) -> MeterStats:
        stats = complete(await super()._read())
        return inverted(stats) if self.invert else stats


def complete(stats: MeterStats) -> MeterStats:
    """Fill in what follows from the rest, and drop a factor that cannot be one.

    A total is the sum of its phases when none of them is unknown.
    """
    changes: dict[str, Any] = {}
    phases = [watts for watts in stats.power_phase if watts is not None]
    if stats.power is None and phases and len(phases) == len(stats.power_phase):
        changes["power"] = round(sum(phases), 1)
    factor = stats.power_factor
    if factor is not None and abs(factor) > 1:
        if abs(factor) > _FACTOR_TOLERANCE:
            changes["failed"] = {
                **stats.failed,
                "power_factor": f"{factor:g} is no power factor",
            }
            changes["power_factor"] = None
        else:
            changes["power_factor"] = 1.0 if factor > 0 else -1.0
    return replace(stats, **changes) if changes else stats


def inverted(stats: MeterStats) -> MeterStats:
    """Return the reading as if the current flowed the other way."""
    return replace(
        stats,
        power=_negative(stats.power),
        power_phase=tuple(_negative(watts) for watts in stats.power_phase),
        power_reactive=_negative(stats.power_reactive),
        power_factor=_negative(stats.power_factor),
        energy_import=stats.energy_export,
        energy_export=stats.energy_import,
    )


def _negative(value: float | None) -> float | None:
    # Without the addition zero would become a negative zero.
    return None if value is None else 0.0 - value

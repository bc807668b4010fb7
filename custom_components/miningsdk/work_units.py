"""Hashrates and efficiencies in the units of what a miner hashes."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from homeassistant.components.sensor import (
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)

from .sdk import algorithms
from .sdk.algorithms import SHA256, Algorithm, Quantity
from .totals import Totals

_EFFICIENCY_DIGITS = 2


@dataclass(frozen=True, kw_only=True)
class TotalsDescription(SensorEntityDescription):
    """A sensor of what several miners come to.

    ``work`` names the sum of ``Work`` that it shows, if it is one of the work done.
    """

    value_fn: Callable[[Totals], float | None]
    state_class: SensorStateClass | None = SensorStateClass.MEASUREMENT
    placeholders: Mapping[str, str] = field(default_factory=dict)
    work: str = ""


def for_others[D: TotalsDescription](usual: Iterable[D]) -> tuple[D, ...]:
    """Return the same sensors for any other algorithm, which has a name in theirs."""
    return tuple(replace(d, translation_key=f"{d.translation_key}_of") for d in usual)


def each_work[D: TotalsDescription](
    totals: Totals, usual: Iterable[D], others: Iterable[D]
) -> Iterator[D]:
    """Yield the sensors of the work done, a set for each algorithm that is mined.

    Each of the ``others`` gets its units and values from its algorithm.
    """
    if totals.has_usual:
        yield from usual
    for algorithm in totals.others:
        for description in others:
            yield _work_of(algorithm, description)


def _work_of[D: TotalsDescription](algorithm: str, description: D) -> D:
    found = algorithms.of(algorithm)
    quantity: Quantity = (
        "efficiency" if description.work == "efficiency" else "hashrate"
    )

    def value(totals: Totals) -> float | None:
        told: float | None = getattr(totals.of(algorithm), description.work)
        return None if told is None else found.convert(quantity, told)

    return replace(
        description,
        key=f"{description.key}_{algorithm}",
        placeholders={"algorithm": found.label},
        native_unit_of_measurement=found.unit(quantity),
        suggested_display_precision=_digits(found, quantity),
        value_fn=value,
    )


def _digits(algorithm: Algorithm, quantity: Quantity) -> int:
    return algorithm.digits if quantity == "hashrate" else _EFFICIENCY_DIGITS


class WorkSensor(SensorEntity):
    """A sensor that may show work, which each algorithm counts in a unit of its own.

    Its description is in the unit of the usual algorithm.
    """

    _counted_in: Algorithm = SHA256

    def _in_own_unit[T](
        self, value: T, quantity: Quantity | None, algorithm: str | None
    ) -> T | float:
        """Return a value of the vocabulary as people count it, and set its unit."""
        if quantity is None:
            return value
        found = algorithms.of(algorithm)
        if found != self._counted_in:
            self._counted_in = found
            self._attr_native_unit_of_measurement = found.unit(quantity)
            self._attr_suggested_display_precision = _digits(found, quantity)
        return (
            found.convert(quantity, value) if isinstance(value, int | float) else value
        )

"""Hashrates and efficiencies in the units of what a miner hashes."""

from collections.abc import Callable
from dataclasses import dataclass

from homeassistant.components.sensor import SensorEntity

from .sdk import algorithms
from .sdk.algorithms import SHA256, Algorithm, Quantity
from .totals import Totals

_EFFICIENCY_DIGITS = 2


@dataclass(frozen=True, slots=True)
class Count:
    """How one sum of the work of an algorithm is shown, and of which it is."""

    label: str
    unit: str
    digits: int
    value_fn: Callable[[Totals], float | None]


def count_of(algorithm: str, name: str) -> Count:
    """Return how a sum of ``Work`` is shown: its name, and that of the algorithm."""
    found = algorithms.of(algorithm)
    quantity: Quantity = "efficiency" if name == "efficiency" else "hashrate"

    def value(totals: Totals) -> float | None:
        told: float | None = getattr(totals.of(algorithm), name)
        return None if told is None else found.convert(quantity, told)

    return Count(found.label, found.unit(quantity), _digits(found, quantity), value)


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

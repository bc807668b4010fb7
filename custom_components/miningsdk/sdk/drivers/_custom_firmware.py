"""What firmware has in common that people put onto the hardware of others."""

from collections.abc import Mapping

_MAKES = (
    ("antminer", "Bitmain"),
    ("whatsminer", "MicroBT"),
    ("avalon", "Canaan"),
)


def make_of(model: str | None) -> str | None:
    """Return who made the hardware, by the name that the firmware has for it."""
    name = (model or "").lower()
    return next((make for mark, make in _MAKES if mark in name), None)


def highest_within(watts: float, steps: Mapping[str, float]) -> float | None:
    """Return the power of the highest step that keeps a limit, both in W."""
    return max((power for power in steps.values() if power <= watts), default=None)


def step_of(watts: float, steps: Mapping[str, float]) -> str:
    """Return the name of the step that has this power in W."""
    return next(name for name, power in steps.items() if power == watts)

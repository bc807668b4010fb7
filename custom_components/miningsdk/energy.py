"""Energy that was used, added up from power readings."""

from typing import Final

# Between readings further apart than this nobody knows what the power was.
MAXIMUM_GAP: Final = 900.0
_JOULES_PER_KWH: Final = 3_600_000.0


class EnergyMeter:
    """Integrate power over time, by the mean of two readings that follow each other."""

    __slots__ = ("_at", "_power", "_restored", "total")

    def __init__(self) -> None:
        """Start at zero."""
        self.total = 0.0
        self._power: float | None = None
        self._at = 0.0
        self._restored = False

    def restore(self, total: float) -> None:
        """Go on from an earlier total; an entity that is renamed asks for it again."""
        if not self._restored:
            self._restored = True
            self.total += total

    def add(self, power: float | None, now: float) -> float:
        """Take a reading in W at a monotonic time in s; return the kWh it added.

        An unknown power adds nothing, and neither does the time around it.
        """
        added = 0.0
        if power is not None and self._power is not None:
            elapsed = now - self._at
            if 0 < elapsed <= MAXIMUM_GAP:
                added = (power + self._power) / 2 * elapsed / _JOULES_PER_KWH
        self._power, self._at = power, now
        self.total += added
        return added

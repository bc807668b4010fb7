"""Notice a mining process that hangs: it repeats its last words, clock and all."""

from time import monotonic

# A clock that stands still for longer than this, in s, belongs to one that hangs.
FROZEN_AFTER = 15.0


class ProcessClock:
    """The seconds since its start that a mining process shows, reading by reading."""

    __slots__ = ("_seen", "_since")

    def __init__(self) -> None:
        """Begin with a clock that was never seen."""
        self._seen: float | None = None
        self._since = 0.0

    def has_restarted(self, elapsed: float | None) -> bool:
        """Tell whether the process is another one than when it was last noted."""
        seen = self._seen
        return elapsed is not None and seen is not None and elapsed < seen

    def goes(self, elapsed: float | None) -> bool:
        """Note what it shows, and tell whether it goes on; one unknown counts so."""
        if elapsed is None or elapsed != self._seen:
            self._since = monotonic()
        self._seen = elapsed
        return monotonic() - self._since <= FROZEN_AFTER

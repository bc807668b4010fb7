"""Parts of a reading that hardly change, asked for only every few readings."""

from collections.abc import Awaitable, Callable
from typing import cast


class Seldom[T]:
    """What one question last brought; it is asked again ``every`` so many readings.

    A question that fails is asked again by the next reading.
    """

    __slots__ = ("_every", "_kept", "_left", "_notes")

    def __init__(self, every: int) -> None:
        """Begin without an answer: the first reading asks."""
        self._every = every
        self._left = 0
        self._kept: T | None = None
        self._notes: dict[str, str] = {}

    def forget(self) -> None:
        """Have the next reading ask, for example because something was changed."""
        self._left = 0

    async def get(
        self,
        ask: Callable[[dict[str, str]], Awaitable[T]],
        failed: dict[str, str],
        *,
        now: bool = False,
    ) -> T:
        """Return the last answer, or ask when it is time, or at once.

        ``ask`` notes in what it is given which fields it could not read; these notes
        are kept with the answer, and put into ``failed`` each time.
        """
        if self._left and not now:
            self._left -= 1
        else:
            self._left = 0
            notes: dict[str, str] = {}
            self._kept = await ask(notes)
            self._notes, self._left = notes, self._every - 1
        failed.update(self._notes)
        return cast(T, self._kept)

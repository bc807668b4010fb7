"""Time limits for work that is done thousands of times a minute.

``asyncio.timeout`` sets a timer each time, and each reading would set half a dozen,
nearly all for nothing. Here all limits of an event loop share one timer, which looks
at them ten times a second; a limit may end that much late.
"""

import asyncio
from types import TracebackType
from typing import Self
from weakref import WeakKeyDictionary

_EVERY = 0.1


class _Watch:
    """The limits that are in force in one event loop."""

    __slots__ = ("_loop", "_timer", "live")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None
        self.live: dict[time_limit, None] = {}

    def add(self, limit: time_limit) -> None:
        self.live[limit] = None
        if self._timer is None:
            self._timer = self._loop.call_later(_EVERY, self._look)

    def remove(self, limit: time_limit) -> None:
        self.live.pop(limit, None)
        if not self.live and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = self._loop.call_later(_EVERY, self._look)
        now = self._loop.time()
        for limit in [one for one in self.live if one.until <= now]:
            limit.expire()


_watches: WeakKeyDictionary[asyncio.AbstractEventLoop, _Watch] = WeakKeyDictionary()


class time_limit:  # noqa: N801 # It is used like a function, as asyncio.timeout is.
    """Cancel what is inside after so many seconds and raise ``TimeoutError``."""

    __slots__ = ("_cancelling", "_expired", "_seconds", "_task", "_watch", "until")

    def __init__(self, seconds: float) -> None:
        """Describe a limit that begins when it is entered."""
        self._seconds = seconds
        self._expired = False
        self.until = 0.0

    async def __aenter__(self) -> Self:
        """Begin."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a time limit needs a task")
        self._task = task
        self._cancelling = task.cancelling()
        watch = _watches.get(loop)
        if watch is None:
            watch = _watches[loop] = _Watch(loop)
        self._watch = watch
        self.until = loop.time() + self._seconds
        watch.add(self)
        return self

    def restart(self, seconds: float) -> None:
        """Let it be so many seconds from now."""
        self.until = asyncio.get_running_loop().time() + seconds

    def expire(self) -> None:
        """End what is inside; the watch calls it."""
        self._watch.remove(self)
        self._expired = True
        self._task.cancel()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _: TracebackType | None,
    ) -> None:
        """End, and tell apart who cancelled."""
        if not self._expired:
            self._watch.remove(self)
            return
        ours = self._task.uncancel() <= self._cancelling
        if ours and kind is not None and issubclass(kind, asyncio.CancelledError):
            raise TimeoutError from error

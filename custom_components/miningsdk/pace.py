"""Long work of a site, in small pieces with turns of the event loop between them."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from homeassistant.core import HomeAssistant, callback

from .const import DOMAIN

if TYPE_CHECKING:
    from .coordinator import MiningConfigEntry


class Pace:
    """Sees to it that one piece of work at a time holds up the loop, and that it ends.

    Six platforms that each add twenty entities in one turn would add 120 there.
    """

    def __init__(self, hass: HomeAssistant, entry: MiningConfigEntry) -> None:
        """Begin without work."""
        self._hass = hass
        self._entry = entry
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        # Whether the site ends: what is added now would outlive it.
        self.stopped = False

    @asynccontextmanager
    async def piece(self) -> AsyncGenerator[None]:
        """Do the piece inside when it is its turn.

        Everything else has half as much time after it: the recorder, which runs beside
        the loop, would otherwise pile up what is to be written.
        """
        async with self._turn:
            began = self._hass.loop.time()
            yield
            await asyncio.sleep((self._hass.loop.time() - began) / 2)

    @callback
    def async_start(
        self, work: Coroutine[Any, Any, None], *, waited_for: bool = True
    ) -> None:
        """Begin with work; Home Assistant's start need not wait for it to be done."""
        create = (
            self._entry.async_create_task
            if waited_for
            else self._entry.async_create_background_task
        )
        task = create(self._hass, work, f"{DOMAIN} work")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def async_stop(self) -> None:
        """End the work that is not done yet, and take no more."""
        self.stopped = True
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

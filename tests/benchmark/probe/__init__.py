"""A component that watches Home Assistant from inside while it is measured.

It is copied into the configuration of the measured Home Assistant, so it imports
nothing of this project. It writes its findings to ``probe.json`` once a second.
"""

import asyncio
import contextlib
import json
import math
from pathlib import Path
import time
from typing import Any

from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.typing import ConfigType

DOMAIN = "benchmark_probe"
_WATCHED = "miningsdk"
_TICK = 0.01
_LOOK_EVERY = 0.25
_STAYS_SO = 2.0
_TELL_EVERY = 1.0
_SITE = ("sensor.hall_miners", "sensor.hall_miners_online")
# Lags are counted in classes of a millisecond.
_CLASSES = 5000


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Begin to watch."""
    Probe(hass).start()
    return True


class Probe:
    """What was seen so far."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Begin with nothing."""
        self.hass = hass
        self.writes = 0
        self.lags = [0] * _CLASSES
        self.entry_began: float | None = None
        self.complete_after: float | None = None
        self.entities = 0

    def start(self) -> None:
        """Watch until Home Assistant stops."""
        self.hass.bus.async_listen(EVENT_STATE_CHANGED, self._written)
        for work in (self._tick(), self._look(), self._tell()):
            self.hass.async_create_background_task(work, DOMAIN)

    @callback
    def _written(self, event: Event[Any]) -> None:
        self.writes += 1

    async def _tick(self) -> None:
        loop = self.hass.loop
        while True:
            before = loop.time()
            await asyncio.sleep(_TICK)
            lag = max(0.0, loop.time() - before - _TICK)
            self.lags[min(_CLASSES - 1, math.floor(lag * 1000))] += 1
            if self.entry_began is None and self._began():
                self.entry_began = time.monotonic()

    def _began(self) -> bool:
        entries = self.hass.config_entries.async_entries(_WATCHED)
        return any(entry.state.value != "not_loaded" for entry in entries)

    async def _look(self) -> None:
        """Note when every entity has a state of its own for the first time.

        A large site adds them bit by bit: there are all when no more come.
        """
        since, before = 0.0, -1
        while self.complete_after is None:
            await asyncio.sleep(_LOOK_EVERY)
            if self.entry_began is None:
                continue
            now, missing = time.monotonic(), self._missing()
            if missing or self.entities != before:
                since, before = now, self.entities
            elif self.entities and now - since > _STAYS_SO:
                self.complete_after = since - self.entry_began

    def _missing(self) -> bool:
        """Count the entities, and tell whether one of them is yet without a state."""
        registry = er.async_get(self.hass)
        wanted = [
            entity.entity_id
            for entity in registry.entities.values()
            if entity.platform == _WATCHED and entity.disabled_by is None
        ]
        self.entities = len(wanted)
        loaded = all(
            entry.state.value == "loaded"
            for entry in self.hass.config_entries.async_entries(_WATCHED)
        )
        return not loaded or not all(map(self._has_state, wanted))

    def _has_state(self, entity_id: str) -> bool:
        state = self.hass.states.get(entity_id)
        return (
            state is not None
            and not state.attributes.get("restored")
            and state.state != "unavailable"
        )

    def _site_states(self) -> dict[str, str]:
        """Return the states of the sensors that only a site has."""
        found = (self.hass.states.get(name) for name in _SITE)
        return {state.entity_id: state.state for state in found if state}

    def _rhythm(self) -> dict[str, int]:
        """Return how many polls there were, and how many of them began late."""
        polls = late = 0
        for entry in self.hass.config_entries.async_entries(_WATCHED):
            rhythm = getattr(getattr(entry, "runtime_data", None), "rhythm", None)
            if rhythm is not None:
                polls, late = polls + rhythm.polls, late + rhythm.late
        return {"polls": polls, "late_polls": late}

    async def _tell(self) -> None:
        path = Path(self.hass.config.path("probe.json"))
        while True:
            await asyncio.sleep(_TELL_EVERY)
            found = {
                "time": time.monotonic(),
                "writes": self.writes,
                "lags": {n: c for n, c in enumerate(self.lags) if c},
                "entry_began": self.entry_began,
                "complete_after": self.complete_after,
                "entities": self.entities,
                "states": self._site_states(),
                **self._rhythm(),
            }
            with contextlib.suppress(OSError):
                await self.hass.async_add_executor_job(_replace, path, found)


def _replace(path: Path, found: dict[str, Any]) -> None:
    """Write in one step, so that nobody reads half of it."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(found))
    fresh.replace(path)

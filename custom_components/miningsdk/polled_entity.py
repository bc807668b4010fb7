"""An entity that follows a poll loop, written only when something changed."""

from typing import Any, override

from homeassistant.core import callback
from homeassistant.helpers.entity import Entity

from .const import MAXIMUM_STATE_AGE
from .polling import DeviceCoordinator


class PolledEntity(Entity):
    """An entity of one device of any kind."""

    _attr_has_entity_name = True
    _attr_should_poll = False
    coordinator: DeviceCoordinator[Any, Any]
    _written: object = None
    _written_at = 0.0

    @property
    @override
    def available(self) -> bool:
        """Tell whether the device answers."""
        return self.coordinator.available

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the poll loop."""
        await super().async_added_to_hass()
        self._update()
        # What is known now gets written right after this.
        self._written = (self.available, self._shown())
        self._written_at = self.coordinator.hass.loop.time()
        self.coordinator.async_follow(self)
        self.async_on_remove(self._end)

    @callback
    def _end(self) -> None:
        self.coordinator.async_unfollow(self)

    def _update(self) -> None:
        """Take the new state out of the coordinator's data."""
        raise NotImplementedError

    def _shown(self) -> object:
        """Return what decides whether there is anything new to write."""
        raise NotImplementedError

    def _same(self, shown: object, written: object) -> bool:
        """Tell whether the new state may stand for the written one."""
        return shown == written

    @callback
    def async_polled(self) -> None:
        """Write the state when it differs, or when the written one is old."""
        self._update()
        now = self.coordinator.hass.loop.time()
        shown = (self.available, self._shown())
        written = self._written
        if (
            isinstance(written, tuple)
            and written[0] == shown[0]
            and self._same(shown[1], written[1])
            and now - self._written_at < MAXIMUM_STATE_AGE
        ):
            return
        self._written, self._written_at = shown, now
        self.async_write_ha_state()

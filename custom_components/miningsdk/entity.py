"""What all entities share: one device each, written only when something changed."""

from collections.abc import Awaitable, Callable
from typing import override

from homeassistant.core import callback
from homeassistant.helpers.device_registry import CONNECTION_NETWORK_MAC, DeviceInfo
from homeassistant.helpers.entity import Entity, EntityDescription

from .const import DOMAIN, MAXIMUM_STATE_AGE
from .coordinator import MinerCoordinator
from .fleet import Fleet
from .inventory import Record
from .sdk import Miner


def device_info(record: Record, fleet: Fleet) -> DeviceInfo:
    """Return how a miner stands in the device registry."""
    info = record.info
    described = DeviceInfo(
        identifiers={(DOMAIN, record.id)},
        manufacturer=info.make,
        model=info.model,
        name=record.name,
        serial_number=info.serial_number,
        sw_version=info.firmware_version,
    )
    if info.mac:
        described["connections"] = {(CONNECTION_NETWORK_MAC, info.mac)}
    if info.port is None:
        host = f"[{info.host}]" if ":" in info.host else info.host
        described["configuration_url"] = f"http://{host}"
    if parent := fleet.parent_of(info.host):
        described["via_device_id"] = parent
    return described


class MinerEntity(Entity):
    """An entity of one miner."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(
        self, coordinator: MinerCoordinator, description: EntityDescription
    ) -> None:
        """Make an entity that shows what the description says."""
        self.coordinator = coordinator
        self.entity_description = description
        self._attr_unique_id = f"{coordinator.record.id}_{description.key}"
        self._attr_device_info = device_info(coordinator.record, coordinator.fleet)
        self._written: object = None
        self._written_at = 0.0
        self._update()

    @property
    @override
    def available(self) -> bool:
        """Tell whether the miner answers."""
        return self.coordinator.available

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the poll loop."""
        await super().async_added_to_hass()
        self._update()
        # What is known now gets written right after this.
        self._written = (self.available, self._shown())
        self._written_at = self.coordinator.hass.loop.time()
        self.async_on_remove(self.coordinator.async_add_listener(self._polled))

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
    def _polled(self) -> None:
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

    async def async_command(self, command: Callable[[Miner], Awaitable[None]]) -> None:
        """Have the miner do something; done when the device has confirmed it."""
        await self.coordinator.async_command(command)

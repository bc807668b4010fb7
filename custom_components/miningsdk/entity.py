"""What the entities of miners share: one device each, and its commands."""

from collections.abc import Awaitable, Callable
from typing import override

from homeassistant.helpers.device_registry import CONNECTION_NETWORK_MAC, DeviceInfo
from homeassistant.helpers.entity import EntityDescription

from .const import DOMAIN
from .coordinator import MinerCoordinator
from .fleet import Fleet
from .inventory import Record
from .polled_entity import PolledEntity
from .sdk import Miner, models


def device_info(record: Record, fleet: Fleet) -> DeviceInfo:
    """Return how a miner stands in the device registry."""
    info = record.info
    described = DeviceInfo(
        identifiers={(DOMAIN, record.id)},
        manufacturer=info.make,
        model=models.label(info),
        name=record.name,
        serial_number=info.serial_number,
        sw_version=info.firmware_version,
    )
    if info.mac:
        described["connections"] = {(CONNECTION_NETWORK_MAC, info.mac)}
    if info.port is None:
        host = f"[{info.host}]" if ":" in info.host else info.host
        described["configuration_url"] = f"http://{host}"
    if area := fleet.positions.area_of(record):
        described["suggested_area"] = area
    if parent := fleet.parent_of(record):
        described["via_device_id"] = parent
    return described


def key_of(description: EntityDescription, index: int | None = None) -> str:
    """Return what tells an entity from the others of its device on a platform."""
    return description.key if index is None else f"{description.key}_{index}"


class MinerEntity(PolledEntity):
    """An entity of one miner, or of one of its parts."""

    coordinator: MinerCoordinator

    def __init__(
        self,
        coordinator: MinerCoordinator,
        description: EntityDescription,
        index: int | None = None,
    ) -> None:
        """Make an entity that shows what the description says."""
        self.coordinator = coordinator
        self.entity_description = description
        self._index = index
        self._attr_unique_id = f"{coordinator.record.id}_{key_of(description, index)}"
        self._update()

    @property
    @override
    def device_info(self) -> DeviceInfo:
        """Return how the miner stands in the device registry."""
        return device_info(self.coordinator.record, self.coordinator.fleet)

    async def async_command(self, command: Callable[[Miner], Awaitable[None]]) -> None:
        """Have the miner do something; done when the device has confirmed it."""
        await self.coordinator.async_command(command)

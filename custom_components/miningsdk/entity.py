"""What the entities of miners share: one device each, and its commands."""

from collections.abc import Awaitable, Callable

from homeassistant.helpers.device_registry import CONNECTION_NETWORK_MAC, DeviceInfo
from homeassistant.helpers.entity import EntityDescription

from .const import DOMAIN
from .coordinator import MinerCoordinator
from .fleet import Fleet
from .inventory import Record
from .polled_entity import PolledEntity
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


class MinerEntity(PolledEntity):
    """An entity of one miner."""

    coordinator: MinerCoordinator

    def __init__(
        self, coordinator: MinerCoordinator, description: EntityDescription
    ) -> None:
        """Make an entity that shows what the description says."""
        self.coordinator = coordinator
        self.entity_description = description
        self._attr_unique_id = f"{coordinator.record.id}_{description.key}"
        self._attr_device_info = device_info(coordinator.record, coordinator.fleet)
        self._update()

    async def async_command(self, command: Callable[[Miner], Awaitable[None]]) -> None:
        """Have the miner do something; done when the device has confirmed it."""
        await self.coordinator.async_command(command)

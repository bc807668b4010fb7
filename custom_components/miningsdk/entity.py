"""What the entities of miners share: one device each, and its commands."""

from collections.abc import Awaitable, Callable

from homeassistant.core import callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.entity import EntityDescription

from .const import DOMAIN
from .coordinator import MinerCoordinator
from .detail import Detail
from .fleet import Fleet
from .inventory import Record
from .polled_entity import PolledEntity
from .sdk import Miner, models


def device_info(record: Record, fleet: Fleet) -> dr.DeviceInfo:
    """Return how a miner stands in the device registry."""
    info = record.info
    described = dr.DeviceInfo(
        identifiers={(DOMAIN, record.id)},
        manufacturer=info.make,
        model=models.label(info),
        name=record.name,
        serial_number=info.serial_number,
        sw_version=info.firmware_version,
    )
    if info.mac:
        described["connections"] = {(dr.CONNECTION_NETWORK_MAC, info.mac)}
    if info.port is None:
        host = f"[{info.host}]" if ":" in info.host else info.host
        described["configuration_url"] = f"http://{host}"
    if area := fleet.positions.area_of(record):
        described["suggested_area"] = area
    if parent := fleet.parent_of(record):
        described["via_device_id"] = parent
    return described


@callback
def async_register(fleet: Fleet, record: Record) -> dr.DeviceEntry:
    """Return how a miner is registered, all of it brought up to date.

    It takes time, more with each device of the site: once is enough for all entities.
    """
    return dr.async_get(fleet.hass).async_get_or_create(
        config_entry_id=fleet.entry.entry_id, **device_info(record, fleet)
    )


def key_of(description: EntityDescription, index: int | None = None) -> str:
    """Return what tells an entity from the others of its device on a platform."""
    return description.key if index is None else f"{description.key}_{index}"


class MinerEntity(PolledEntity):
    """An entity of one miner, or of one of its parts."""

    coordinator: MinerCoordinator
    _index: int | None = None

    def __init__(
        self,
        coordinator: MinerCoordinator,
        description: EntityDescription,
        index: int | None = None,
    ) -> None:
        """Make an entity that shows what the description says."""
        self.coordinator = coordinator
        self.entity_description = description
        if index is not None:
            self._index = index
        self._attr_unique_id = f"{coordinator.record.id}_{key_of(description, index)}"
        self._update()

    @property
    def _of_many(self) -> bool:
        """Tell whether there are too many miners for every change of each to count."""
        return self.coordinator.fleet.detail < Detail.FULL

    async def async_command(self, command: Callable[[Miner], Awaitable[None]]) -> None:
        """Have the miner do something; done when the device has confirmed it."""
        await self.coordinator.async_command(command)

"""How a site and its miners stand in the device registry, and in which areas."""

from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import area_registry as ar, device_registry as dr

from .const import DOMAIN
from .inventory import Record
from .sdk import models

if TYPE_CHECKING:
    from .fleet import Fleet


def register_site(fleet: Fleet) -> str:
    """Return the id of the device of a site itself."""
    return (
        dr.async_get(fleet.hass)
        .async_get_or_create(
            config_entry_id=fleet.entry.entry_id,
            identifiers={(DOMAIN, fleet.entry.entry_id)},
            name=fleet.entry.title,
            model="Mining site",
            manufacturer="MiningSDK",
            entry_type=dr.DeviceEntryType.SERVICE,
        )
        .id
    )


def registered(fleet: Fleet, record_id: str) -> dr.DeviceEntry | None:
    """Return how a miner is registered; where single ones are not shown, it is not."""
    return dr.async_get(fleet.hass).async_get_device_by_identifier(
        (DOMAIN, record_id), fleet.entry.entry_id
    )


@callback
def async_update_registered(fleet: Fleet, record: Record) -> None:
    """Bring the device of a record up to date."""
    if device := registered(fleet, record.id):
        dr.async_get(fleet.hass).async_update_device(
            device.id,
            sw_version=record.info.firmware_version,
            model=models.label(record.info),
            via_device_id=fleet.parent_of(record),
        )


@callback
def async_exchange_registered(fleet: Fleet, record: Record) -> None:
    """Have the device of a record stand for another machine.

    Nothing of the old one may be left: it would be taken for this when it turns up.
    """
    if (device := registered(fleet, record.id)) is None:
        return
    registry, entry_id = dr.async_get(fleet.hass), fleet.entry.entry_id
    connections = {(dr.CONNECTION_NETWORK_MAC, mac) for mac in [record.info.mac] if mac}
    for connection in tuple(connections):
        other = registry.async_get_device_by_connection(connection, entry_id)
        if other is not None and other.id != device.id:
            connections.discard(connection)
    registry.async_update_device(
        device.id,
        manufacturer=record.info.make,
        name=record.name,
        new_connections=connections,
        serial_number=record.info.serial_number,
    )
    async_update_registered(fleet, record)


@callback
def async_suggest_area(
    hass: HomeAssistant, device: dr.DeviceEntry, before: str | None, now: str | None
) -> None:
    """Put a device into the area of its new position, unless a person has a say.

    That is so where it is in none, or not in that which its old position suggested.
    """
    areas = ar.async_get(hass)
    suggested = areas.async_get_area_by_name(before) if before else None
    if before == now or (before and suggested is None):
        return
    if device.area_id == (suggested.id if suggested else None):
        area_id = areas.async_get_or_create(now).id if now else None
        dr.async_get(hass).async_update_device(device.id, area_id=area_id)


@callback
def async_moved(fleet: Fleet, before: Record, now: Record) -> None:
    """Have the area of a miner follow its position."""
    old, new = fleet.positions.area_of(before), fleet.positions.area_of(now)
    if old != new and (device := registered(fleet, now.id)):
        async_suggest_area(fleet.hass, device, old, new)

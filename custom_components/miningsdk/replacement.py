"""Another machine takes the place of one: its record goes on, and remembers it."""

from dataclasses import replace
from typing import Final

from homeassistant.const import ATTR_DEVICE_ID, ATTR_ID, ATTR_NAME
from homeassistant.core import callback
from homeassistant.helpers import device_registry as dr
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .fleet import Fleet
from .inventory import Machine, Record, address
from .refusals import async_refusals
from .registered import async_exchange_registered, registered
from .sdk import DeviceInfo

EVENT_MACHINE_REPLACED: Final = f"{DOMAIN}_machine_replaced"
ATTR_ADDRESS: Final = "address"
ATTR_NEW: Final = "new"
ATTR_OLD: Final = "old"
ATTR_POSITION: Final = "position"
_FACTS: Final = ("make", "model", "serial_number", "mac")


async def async_replace(fleet: Fleet, record_id: str, other: DeviceInfo) -> None:
    """Let another machine be the device of a record from now on.

    Its id stays, and with that its entities, their history, its position and its
    energy. Where the machine was a device of the site by itself already, that one is
    removed. The machine that was the device before is new to the site when it turns up
    again.
    """
    known = fleet.inventory.find(other)
    if record_id not in fleet.inventory.records:
        return
    if known is not None:
        if known.id == record_id:
            return
        other = known.info
        await _async_forget(fleet, known)
    (await async_refusals(fleet.hass)).forget(record_id)
    if (before := fleet.inventory.records.get(record_id)) is None:
        return
    account = before if known is None or known.password is None else known
    now = replace(
        before,
        info=other,
        username=account.username,
        password=account.password,
        paused_by=None,
        history=(*before.history, Machine.of(before.info, dt_util.utcnow())),
    )
    fleet.strangers.pop(record_id, None)
    async_exchange_registered(fleet, now)
    _async_fire(fleet, before, now)
    if record_id in fleet.coordinators:
        await fleet.async_restart(now)
    else:
        # It waited for a driver that the new machine does not need.
        fleet.inventory.put(now)
        await fleet.async_begin([record_id])


async def _async_forget(fleet: Fleet, record: Record) -> None:
    await fleet.async_remove(record.id)
    if device := registered(fleet, record.id):
        dr.async_get(fleet.hass).async_remove_device(device.id)


@callback
def _async_fire(fleet: Fleet, before: Record, now: Record) -> None:
    device = registered(fleet, now.id)
    name = None if device is None else device.name_by_user or device.name
    fleet.hass.bus.async_fire(
        EVENT_MACHINE_REPLACED,
        {
            ATTR_DEVICE_ID: device.id if device else None,
            ATTR_ID: now.id,
            ATTR_NAME: name or now.name,
            ATTR_ADDRESS: address(now.info),
            ATTR_POSITION: fleet.positions.of(now).as_dict(),
            ATTR_OLD: {key: getattr(before.info, key) for key in _FACTS},
            ATTR_NEW: {key: getattr(now.info, key) for key in _FACTS},
        },
    )

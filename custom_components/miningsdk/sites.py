"""Which sites there are, and how devices get into one."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant

from .const import CONF_DEVICES, CONF_TARGETS, DOMAIN, SUBENTRY_RANGE
from .fleet import Fleet
from .inventory import Record
from .sdk import DeviceInfo, MiningSDKError
from .sdk.targets import expand


def async_sites(hass: HomeAssistant) -> list[ConfigEntry[Any]]:
    """Return the sites, set up or not."""
    return hass.config_entries.async_entries(DOMAIN, include_ignore=False)


def async_fleets(hass: HomeAssistant) -> Iterator[Fleet]:
    """Yield the sites that are running."""
    for entry in async_sites(hass):
        if entry.state is ConfigEntryState.LOADED:
            yield entry.runtime_data


def async_find(hass: HomeAssistant, info: DeviceInfo) -> tuple[Fleet, Record] | None:
    """Return the site that has this device already."""
    for fleet in async_fleets(hass):
        if record := fleet.inventory.find(info):
            return fleet, record
    return None


def async_find_by_mac(hass: HomeAssistant, mac: str) -> tuple[Fleet, Record] | None:
    """Return the site that has a device with this MAC."""
    for fleet in async_fleets(hass):
        if record := fleet.inventory.by_mac(mac):
            return fleet, record
    return None


def async_range_of(hass: HomeAssistant, host: str) -> Fleet | None:
    """Return the site that has a scan range over an address."""
    for fleet in async_fleets(hass):
        if any(ranges_over(fleet.entry, host)):
            return fleet
    return None


def ranges_over(entry: ConfigEntry[Any], host: str) -> Iterator[Mapping[str, Any]]:
    """Yield the scan ranges of a site that an address lies in."""
    for subentry in entry.subentries.values():
        if subentry.subentry_type == SUBENTRY_RANGE and host in _hosts(
            subentry.data[CONF_TARGETS]
        ):
            yield subentry.data


@lru_cache(maxsize=64)
def _hosts(targets: str) -> frozenset[str]:
    try:
        return frozenset(target.host for target in expand(targets))
    except MiningSDKError:
        # The scanner complains about such a range.
        return frozenset()


async def async_join(
    hass: HomeAssistant, entry: ConfigEntry[Any], records: Iterable[Record]
) -> None:
    """Add devices to a site; one that is not running takes them at its next start."""
    records = list(records)
    if entry.state is ConfigEntryState.LOADED:
        await entry.runtime_data.async_adopt(records)
        return
    waiting = [*entry.data.get(CONF_DEVICES, []), *(r.as_dict() for r in records)]
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, CONF_DEVICES: waiting}
    )

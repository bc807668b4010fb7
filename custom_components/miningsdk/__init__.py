"""MiningSDK: Bitcoin miners as ordinary Home Assistant devices."""

from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import Event, HomeAssistant
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.typing import ConfigType

from . import statistics
from .actions import async_setup_actions
from .const import CONF_DEVICES, CONF_NETWORK, DOMAIN, PLATFORMS
from .coordinator import MiningConfigEntry
from .extensions import EXTENSIONS, async_setup_extensions
from .feed import Feed
from .fleet import Fleet
from .inventory import Inventory
from .issues import async_forget_site
from .levels import LevelKeeper
from .market import MarketCoordinator
from .ranges import RangeScanner
from .refusals import async_refusals
from .sdk import models, registry
from .updates import Updates
from .websocket import async_setup_websocket

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)

# Read here, in the executor: drivers and models are files.
registry.drivers()
models.load()


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Set up the actions and the drivers of others, which belong to no single site."""
    async_setup_actions(hass)
    async_setup_websocket(hass)
    await async_setup_extensions(hass, config)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: MiningConfigEntry) -> bool:
    """Set up a site."""
    await hass.data[EXTENSIONS].async_read_files()
    fleet = Fleet(hass, entry)
    given = entry.data.get(CONF_DEVICES, [])
    await fleet.async_load(given)
    if given:
        hass.config_entries.async_update_entry(
            entry, data={k: v for k, v in entry.data.items() if k != CONF_DEVICES}
        )
    scanner = RangeScanner(hass, fleet)
    updates = Updates(fleet, scanner)
    entry.async_on_unload(entry.add_update_listener(updates.async_updated))
    levels = LevelKeeper(fleet)
    await levels.async_start()
    await fleet.async_start()
    levels.async_watch()
    await statistics.async_start(fleet)
    fleet.feed = Feed(fleet)
    entry.async_on_unload(fleet.feed.async_close)
    entry.runtime_data = fleet
    if entry.options.get(CONF_NETWORK):
        fleet.market = MarketCoordinator(hass, entry)
        # The internet may be away: the site is set up all the same.
        entry.async_create_background_task(
            hass, fleet.market.async_refresh(), f"{DOMAIN} network"
        )
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    scanner.async_start()
    entry.async_on_unload(scanner.async_stop)

    async def stop(_: Event) -> None:
        """Stop before Home Assistant closes the session that the polls use."""
        scanner.async_stop()
        await fleet.async_stop()

    entry.async_on_unload(hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, stop))
    return True


async def async_unload_entry(hass: HomeAssistant, entry: MiningConfigEntry) -> bool:
    """Unload a site."""
    await entry.runtime_data.pace.async_stop()
    unloaded = await hass.config_entries.async_unload_platforms(entry, PLATFORMS)
    if unloaded:
        await entry.runtime_data.async_stop()
    return unloaded


async def async_remove_entry(hass: HomeAssistant, entry: MiningConfigEntry) -> None:
    """Forget the devices of a site that was deleted."""
    async_forget_site(hass, entry.entry_id)
    inventory = Inventory(hass, entry.entry_id)
    try:
        await inventory.async_load()
        (await async_refusals(hass)).forget(*inventory.records)
    finally:
        await inventory.async_remove()
        await statistics.async_forget(hass, entry.entry_id)


async def async_remove_config_entry_device(
    hass: HomeAssistant, entry: MiningConfigEntry, device_entry: dr.DeviceEntry
) -> bool:
    """Forget a device that the user deletes; the site itself stays."""
    ids = [key for domain, key in device_entry.identifiers if domain == DOMAIN]
    # The site goes with its entry, and what was configured by hand with its subentry.
    if {entry.entry_id, *entry.subentries}.intersection(ids):
        return False
    for record_id in ids:
        await entry.runtime_data.async_remove(record_id)
    return True

"""Devices of a site whose driver is not there: not yet, or not any more."""

from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.start import async_at_started

from .const import DOMAIN, LOGGER
from .extensions import EXTENSIONS
from .issues import async_clear_driver_issue, async_driver_issue, listed
from .sdk import NotSupported, registry

if TYPE_CHECKING:
    from .coordinator import MiningConfigEntry
    from .fleet import Fleet


class WaitingRoom:
    """Keeps the devices that wait, and lets them go on when their driver comes.

    Integrations that bring drivers depend on this one, so they are always set up
    later: it is complained about only once Home Assistant has started.
    """

    def __init__(
        self, hass: HomeAssistant, entry: MiningConfigEntry, fleet: Fleet
    ) -> None:
        """Begin with nobody."""
        self._hass = hass
        self._entry = entry
        self._fleet = fleet
        # Driver and name, by the id of a record or a subentry.
        self._waiting: dict[str, tuple[str, str]] = {}
        # The drivers that the user knows to be missing.
        self._told: set[str] = set()
        self._started = False

    def __len__(self) -> int:
        """Return how many miners wait."""
        return sum(key in self._fleet.inventory.records for key in self._waiting)

    @callback
    def async_start(self) -> None:
        """Notice from now on when drivers come."""
        self._entry.async_on_unload(registry.on_change(self._changed))
        self._entry.async_on_unload(async_at_started(self._hass, self._begin_to_tell))
        self._entry.async_on_unload(self._stop)

    @callback
    def async_waits(self, key: str, name: str, driver: str) -> bool:
        """Tell whether a device has to wait for its driver; it is remembered then."""
        if _is_there(driver):
            self._waiting.pop(key, None)
            return False
        self._waiting[key] = (driver, name)
        return True

    @callback
    def async_forget(self, key: str) -> None:
        """Do not wait for a device any more."""
        if self._waiting.pop(key, None):
            self.async_tell()

    def _changed(self) -> None:
        # Drivers may be registered in any thread, also while Home Assistant ends.
        with suppress(RuntimeError):
            self._hass.loop.call_soon_threadsafe(self._go_on)

    @callback
    def _go_on(self) -> None:
        ready = [key for key, (driver, _) in self._waiting.items() if _is_there(driver)]
        if not ready or self._hass.is_stopping:
            return
        for key in ready:
            LOGGER.info("The driver of %s has come", self._waiting.pop(key)[1])
        self._entry.async_create_task(
            self._hass, self._fleet.async_begin(ready), f"{DOMAIN} driver has come"
        )

    @callback
    def _begin_to_tell(self, _: HomeAssistant) -> None:
        self._entry.async_create_task(
            self._hass, self._async_begin_to_tell(), f"{DOMAIN} missing drivers"
        )

    async def _async_begin_to_tell(self) -> None:
        # The first site may be set up long after the start, and they only after it.
        await self._hass.data[EXTENSIONS].async_wait()
        self._started = True
        self.async_tell()

    @callback
    def async_tell(self) -> None:
        """Complain about drivers that are missing, and about no others."""
        if not self._started:
            return
        missing: defaultdict[str, list[str]] = defaultdict(list)
        for driver, name in self._waiting.values():
            missing[driver].append(name)
        for driver in self._told - missing.keys():
            async_clear_driver_issue(self._hass, self._entry, driver)
        for driver, names in missing.items():
            if driver not in self._told:
                LOGGER.warning(
                    "%s %s left out: there is no driver named %r",
                    listed(names),
                    "is" if len(names) == 1 else "are",
                    driver,
                )
            async_driver_issue(self._hass, self._entry, driver, names)
        self._told = set(missing)

    @callback
    def _stop(self) -> None:
        for driver in self._told:
            async_clear_driver_issue(self._hass, self._entry, driver)


def _is_there(driver: str) -> bool:
    try:
        registry.get(driver)
    except NotSupported:
        return False
    return True

"""Scan ranges: adopt what turns up in them, and follow what moves."""

import asyncio

from homeassistant.const import CONF_PASSWORD, CONF_USERNAME
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.helpers.start import async_at_started

from .const import CONF_TARGETS, DOMAIN, LOGGER, RANGE_SCAN_INTERVAL, SUBENTRY_RANGE
from .devices import device_session
from .discovered import DiscoveredPool
from .fleet import Fleet
from .inventory import Record
from .sdk import DeviceInfo, DeviceKind, MiningSDKError, scan
from .sites import async_find


class RangeScanner:
    """Scan the ranges of a site now and then."""

    def __init__(self, hass: HomeAssistant, fleet: Fleet) -> None:
        """Prepare to scan for a site."""
        self.hass = hass
        self.fleet = fleet
        self._task: asyncio.Task[None] | None = None
        self._unsubscribe: list[CALLBACK_TYPE] = []

    @callback
    def async_start(self) -> None:
        """Scan once Home Assistant runs, and again at intervals."""
        self._unsubscribe = [
            async_at_started(self.hass, self._begin),
            async_track_time_interval(
                self.hass, self._begin, RANGE_SCAN_INTERVAL, cancel_on_shutdown=True
            ),
        ]

    @callback
    def async_stop(self) -> None:
        """Scan no more."""
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        if self._task is not None:
            self._task.cancel()

    @callback
    def _begin(self, _: object) -> None:
        if self._task is None or self._task.done():
            self._task = self.fleet.entry.async_create_background_task(
                self.hass, self.async_scan(), f"{DOMAIN} scan of ranges"
            )

    async def async_scan(self) -> None:
        """Scan all ranges of the site, one after another."""
        for subentry in self.fleet.entry.subentries.values():
            if subentry.subentry_type != SUBENTRY_RANGE:
                continue
            username = subentry.data.get(CONF_USERNAME)
            password = subentry.data.get(CONF_PASSWORD)
            try:
                async for info in scan(
                    subentry.data[CONF_TARGETS],
                    session=device_session(self.hass),
                    username=username,
                    password=password,
                ):
                    await self._found(info, username, password)
            except MiningSDKError as error:
                LOGGER.warning("Range %s: %s", subentry.title, error)

    async def _found(
        self, info: DeviceInfo, username: str | None, password: str | None
    ) -> None:
        """Adopt a device that is new, and follow one that moved."""
        if info.kind is not DeviceKind.MINER:
            return
        if known := async_find(self.hass, info):
            fleet, record = known
            await fleet.async_move(record, info.host, info.port)
        else:
            await self.fleet.async_adopt([Record.of(info, username, password)])
            DiscoveredPool.of(self.hass).tidy()

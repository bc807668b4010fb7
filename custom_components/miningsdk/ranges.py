"""Scan ranges: adopt what turns up in them, and follow what moves."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.helpers.start import async_at_started

from .accounts import Wanted, async_find_account, async_note_refused, with_account
from .const import CONF_TARGETS, DOMAIN, LOGGER, RANGE_SCAN_INTERVAL, SUBENTRY_RANGE
from .devices import device_session
from .discovered import DiscoveredPool
from .fleet import Fleet
from .inventory import Record
from .sdk import Account, DeviceInfo, DeviceKind, MiningSDKError, scan
from .sites import async_find


class RangeScanner:
    """Scan the ranges of a site now and then."""

    def __init__(self, hass: HomeAssistant, fleet: Fleet) -> None:
        """Prepare to scan for a site."""
        self.hass = hass
        self.fleet = fleet
        # Of all ranges at intervals, and of those that were added meanwhile.
        self._task: asyncio.Task[None] | None = None
        self._added: set[asyncio.Task[None]] = set()
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
        for task in (self._task, *self._added):
            if task is not None:
                task.cancel()

    @callback
    def async_scan_now(self, subentry_ids: Iterable[str]) -> None:
        """Scan ranges that were just added, whatever else is being scanned."""
        task = self._begin_to_scan(subentry_ids)
        self._added.add(task)
        task.add_done_callback(self._added.discard)

    @callback
    def _begin(self, _: object) -> None:
        if self._task is None or self._task.done():
            self._task = self._begin_to_scan(self.fleet.entry.subentries)

    def _begin_to_scan(self, subentry_ids: Iterable[str]) -> asyncio.Task[None]:
        return self.fleet.entry.async_create_background_task(
            self.hass, self.async_scan(subentry_ids), f"{DOMAIN} scan of ranges"
        )

    async def async_scan(self, subentry_ids: Iterable[str]) -> None:
        """Scan those of the site's ranges, one after another."""
        subentries = self.fleet.entry.subentries
        for subentry in map(subentries.__getitem__, subentry_ids):
            if subentry.subentry_type == SUBENTRY_RANGE:
                try:
                    await self._scan(subentry)
                except* MiningSDKError as group:
                    for error in group.exceptions:
                        LOGGER.warning("Range %s: %s", subentry.title, error)

    async def _scan(self, subentry: ConfigSubentry) -> None:
        """Scan a range; accounts are only shown to devices that are not known yet."""
        wanted = Wanted.of(subentry.data) + Wanted.of(self.fleet.entry.options)
        found = scan(subentry.data[CONF_TARGETS], session=device_session(self.hass))
        # A device that keeps silent while accounts are tried holds up no other one.
        async with asyncio.TaskGroup() as group:
            async for info in found:
                if info.kind is DeviceKind.MINER:
                    group.create_task(async_take_in(self.fleet, info, wanted))


async def async_take_in(fleet: Fleet, info: DeviceInfo, wanted: Wanted) -> None:
    """Adopt a device that is new, follow one that moved, and give it an account."""
    if (known := async_find(fleet.hass, info)) is None:
        new = Record.of(info)
        found = await async_find_account(fleet.hass, new.id, info, wanted)
        new = with_account(new, found)
        # By now it may have told that it is one of those there are.
        known = async_find(fleet.hass, new.info)
        if known is None:
            for added in await fleet.async_adopt([new]):
                _ask_replaced(fleet, added)
            DiscoveredPool.of(fleet.hass).tidy()
            return
    owner, record = known
    await owner.async_move(record, info.host, info.port)
    if owner is fleet and (wanting := _wanting(fleet, record.id)):
        await _async_give_account(fleet, wanting, wanted)


@callback
def _ask_replaced(fleet: Fleet, new: Record) -> None:
    """Ask whether a new machine took the place of that which had its address."""
    for known in fleet.inventory.at(new.info):
        if known.is_another(new.info):
            fleet.async_ask_replaced(known, new.info)


def _wanting(fleet: Fleet, record_id: str) -> Record | None:
    """Return a device of the site, provided that an account is of use to it."""
    record = fleet.inventory.records.get(record_id)
    if record is None or record_id not in fleet.coordinators:
        return None
    return record if fleet.accounts.is_wanted(record) else None


async def _async_give_account(fleet: Fleet, record: Record, wanted: Wanted) -> None:
    """Find an account for a device of the site that has none, or none that works."""
    if record.password is not None:
        refused = Account(record.username, record.password)
        await async_note_refused(fleet.hass, record.id, record.info.driver, refused)
    found = await async_find_account(fleet.hass, record.id, record.info, wanted)
    account, told = found.account, found.info or record.info
    if account is None or record.is_another(told):
        return
    LOGGER.info("%s takes one of the accounts of its range", record.name)
    await fleet.async_update(
        record.id,
        info=replace(told, mac=told.mac or record.info.mac),
        username=account.username,
        password=account.password,
    )

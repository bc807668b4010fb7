"""A site: its inventory, the poll loops of its miners, and what they come to."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_SCAN_INTERVAL
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.debounce import Debouncer
from homeassistant.util.hass_dict import HassKey

from .attached import AttachedCoordinator, async_prepare
from .const import (
    ATTACHED,
    CONF_DETAIL,
    CONNECTION_LIMIT,
    DEFAULT_INTERVAL,
    DOMAIN,
    FIRST_READINGS_WITHIN,
    LOGGER,
)
from .containers import Containers
from .coordinator import MinerCoordinator, MiningConfigEntry
from .detail import AUTOMATIC, Detail, choose
from .devices import device_session, make_device
from .energy import EnergyMeter
from .inventory import Inventory, Record, moved
from .issues import (
    CREDENTIALS,
    REPLACED,
    async_clear_issues,
    async_credentials_issue,
    async_replaced_issue,
)
from .market import MarketCoordinator
from .sdk import DeviceInfo, MinerStats, MiningSDKError, NotSupported
from .totals import Totals, add_up

type NewMiners = Callable[[list[MinerCoordinator]], None]

LIMITER: HassKey[asyncio.Semaphore] = HassKey(f"{DOMAIN}_limiter")
_TOTALS_EVERY = 1.0


class Fleet:
    """The miners of one config entry."""

    def __init__(self, hass: HomeAssistant, entry: MiningConfigEntry) -> None:
        """Describe a site; ``async_load`` and ``async_start`` bring it to life."""
        self.hass = hass
        self.entry = entry
        self.inventory = Inventory(hass, entry.entry_id)
        self.limiter = hass.data.setdefault(
            LIMITER, asyncio.Semaphore(CONNECTION_LIMIT)
        )
        self.session = device_session(hass)
        self.coordinators: dict[str, MinerCoordinator] = {}
        # Devices that answer where another one used to, by the id of that one.
        self.strangers: dict[str, DeviceInfo] = {}
        # Devices that refused the account when they were last read, by id.
        self._refused: set[str] = set()
        # What was configured by hand, by the id of its subentry.
        self.attached: dict[str, AttachedCoordinator] = {}
        self.containers = Containers()
        # The network's data, if the options of the site ask for them.
        self.market: MarketCoordinator | None = None
        self.totals = Totals()
        self.energy = EnergyMeter()
        self.site_device_id: str | None = None
        self._new_miners: list[NewMiners] = []
        self._listeners: dict[object, CALLBACK_TYPE] = {}
        self._debouncer = Debouncer(
            hass,
            LOGGER,
            cooldown=_TOTALS_EVERY,
            immediate=False,
            function=self._add_up,
            background=True,
        )

    @property
    def interval(self) -> float:
        """Return the seconds between two polls of one miner."""
        return float(self.entry.options.get(CONF_SCAN_INTERVAL, DEFAULT_INTERVAL))

    @property
    def detail(self) -> Detail:
        """Return how much of each miner is shown."""
        option = self.entry.options.get(CONF_DETAIL, AUTOMATIC)
        return choose(option, len(self.inventory.records))

    async def async_load(self, given: Sequence[dict[str, Any]]) -> None:
        """Read the inventory, and take in what the config flow gave."""
        await self.inventory.async_load()
        for data in given:
            record = Record.from_dict(data)
            if self.inventory.find(record.info) is None:
                record = self.inventory.renamed(record)
                self.inventory.records[record.id] = record
        if given:
            await self.inventory.async_save()

    async def async_start(self) -> None:
        """Begin to poll; waits a moment for first readings, but not for stragglers."""
        self.site_device_id = self._register_site()
        for record in self.inventory.records.values():
            try:
                self._create(record)
            except NotSupported as error:
                # A third party's driver may be gone; the device is kept for its return.
                LOGGER.warning("%s is left out: %s", record.name, error)
        for subentry in self.entry.subentries.values():
            if subentry.subentry_type in ATTACHED:
                await self._async_attach(subentry)
        await self._first_readings(
            [*self.coordinators.values(), *self.attached.values()]
        )
        self._add_up()

    async def _async_attach(self, subentry: ConfigSubentry) -> None:
        try:
            await async_prepare(self.hass, subentry.data)
            coordinator = AttachedCoordinator(self.hass, self, subentry)
        except MiningSDKError as error:
            LOGGER.warning("%s is left out: %s", subentry.title, error)
        else:
            self.attached[subentry.subentry_id] = coordinator
            self.containers.add(coordinator)

    async def async_stop(self) -> None:
        """Stop all polling."""
        self._debouncer.async_shutdown()
        await asyncio.gather(
            *(c.async_stop() for c in self.coordinators.values()),
            *(c.async_stop() for c in self.attached.values()),
        )
        await self.inventory.async_save()

    def parent_of(self, host: str) -> str | None:
        """Return the device that a miner hangs on: its container, or else the site."""
        container = self.containers.of(host)
        return self.site_device_id if container is None else container.device_id

    @callback
    def async_on_new_miners(self, add: NewMiners) -> None:
        """Have a platform called with the miners there are and with later ones."""
        self._new_miners.append(add)
        add(list(self.coordinators.values()))

    @callback
    def async_on_update(self, update: CALLBACK_TYPE) -> Callable[[], None]:
        """Have a function called when the totals changed; returns how to end that."""
        key = object()
        self._listeners[key] = update

        def remove() -> None:
            self._listeners.pop(key, None)

        return remove

    async def async_adopt(self, records: Iterable[Record]) -> list[Record]:
        """Take devices into the site; one that it has already moves to its address.

        Returns those that are new.
        """
        added = []
        for record in records:
            if known := self.inventory.find(record.info):
                await self.async_update(
                    known.id,
                    info=record.info,
                    username=record.username or known.username,
                    password=record.password or known.password,
                )
            else:
                new = self.inventory.renamed(record)
                self.inventory.put(new)
                added.append(self._create(new))
        if added:
            await self._first_readings(added)
            self._announce(added)
            self._add_up()
        return [coordinator.record for coordinator in added]

    async def async_update(
        self,
        record_id: str,
        *,
        info: DeviceInfo,
        username: str | None,
        password: str | None,
    ) -> None:
        """Give a device another address or other credentials, and ask it at once."""
        record = self.inventory.records[record_id]
        known = {
            name: getattr(record.info, name)
            for name in ("mac", "serial_number", "hostname", "model", "make")
            if getattr(info, name) is None
        }
        changed = replace(
            record,
            info=replace(info, **known),
            username=username or None,
            password=password or None,
        )
        if changed == record:
            return
        self.inventory.put(changed)
        await self._restart(changed)

    async def async_move(self, record: Record, host: str, port: int | None) -> None:
        """Follow a device to another address."""
        if (record.info.host, record.info.port) == (host, port):
            return
        LOGGER.info("%s is now at %s", record.name, host)
        changed = moved(record, host, port)
        self.inventory.put(changed)
        await self._restart(changed)

    async def async_remove(self, record_id: str) -> None:
        """Forget a device."""
        self.inventory.drop(record_id)
        self.strangers.pop(record_id, None)
        self._refused.discard(record_id)
        async_clear_issues(self.hass, self.entry, record_id)
        if coordinator := self.coordinators.pop(record_id, None):
            await coordinator.async_stop()
        self._add_up()

    @callback
    def async_read(
        self, coordinator: MinerCoordinator, stats: MinerStats, energy: float
    ) -> None:
        """Take note of a reading: new facts, new parts, energy and totals."""
        self.energy.total += energy
        record = coordinator.record
        info = replace(
            coordinator.device.info,
            mac=coordinator.device.info.mac or record.info.mac,
            serial_number=(
                coordinator.device.info.serial_number or record.info.serial_number
            ),
        )
        shape = record.shape.grown(stats)
        if info != record.info or shape is not record.shape:
            coordinator.record = replace(record, info=info, shape=shape)
            self.inventory.put(coordinator.record)
            if info != record.info:
                self._update_registry(coordinator.record)
            self._announce([coordinator])
        if self.strangers.pop(record.id, None):
            async_clear_issues(self.hass, self.entry, record.id, REPLACED)
        self._note_account(
            coordinator, refused=bool(coordinator.device.authentication_error)
        )
        self._debouncer.async_schedule_call()

    @callback
    def async_attached_read(self) -> None:
        """Take note of a reading of a device that was configured by hand."""
        self._debouncer.async_schedule_call()

    @callback
    def async_lost(self, coordinator: MinerCoordinator, *, refused: bool) -> None:
        """Take note that a device does not answer, or not without another account."""
        if refused:
            self._note_account(coordinator, refused=True)
        self._debouncer.async_schedule_call()

    def _note_account(self, coordinator: MinerCoordinator, *, refused: bool) -> None:
        """Ask for an account while readings need another, and no longer."""
        record_id = coordinator.record.id
        if refused:
            self._refused.add(record_id)
            self.async_credentials_failed(coordinator)
        elif record_id in self._refused:
            self._refused.discard(record_id)
            async_clear_issues(self.hass, self.entry, record_id, CREDENTIALS)

    @callback
    def async_credentials_failed(self, coordinator: MinerCoordinator) -> None:
        """Ask the user for credentials that work."""
        async_credentials_issue(self.hass, self.entry, coordinator.record)

    @callback
    def async_replaced(self, coordinator: MinerCoordinator, other: DeviceInfo) -> None:
        """Deal with another device on the address of a known one."""
        if known := self.inventory.find(other):
            if not known.is_device(coordinator.record.info):
                self.entry.async_create_background_task(
                    self.hass,
                    self.async_move(known, other.host, other.port),
                    f"{DOMAIN} move",
                )
        else:
            self.strangers[coordinator.record.id] = other
            async_replaced_issue(self.hass, self.entry, coordinator.record, other)
        self.async_lost(coordinator, refused=False)

    def _create(self, record: Record) -> MinerCoordinator:
        device = make_device(
            record.info, self.session, record.username, record.password
        )
        coordinator = MinerCoordinator(self.hass, self, record, device)
        self.coordinators[record.id] = coordinator
        return coordinator

    async def _restart(self, record: Record) -> None:
        """Put another device object behind the entities of a record."""
        async_clear_issues(self.hass, self.entry, record.id)
        self._update_registry(record)
        if coordinator := self.coordinators.get(record.id):
            device = make_device(
                record.info, self.session, record.username, record.password
            )
            await coordinator.async_exchange(record, device)

    async def _first_readings(
        self, coordinators: Sequence[MinerCoordinator | AttachedCoordinator]
    ) -> None:
        if coordinators:
            await asyncio.wait(
                [
                    self.entry.async_create_background_task(
                        self.hass, c.async_refresh(), f"{DOMAIN} first reading"
                    )
                    for c in coordinators
                ],
                timeout=FIRST_READINGS_WITHIN,
            )

    @callback
    def _announce(self, coordinators: list[MinerCoordinator]) -> None:
        for add in self._new_miners:
            add(coordinators)

    @callback
    def _add_up(self) -> None:
        self.totals = add_up(self.coordinators.values())
        self.containers.add_up(self.coordinators.values())
        for listener in tuple(self._listeners.values()):
            listener()

    def _register_site(self) -> str:
        return (
            dr.async_get(self.hass)
            .async_get_or_create(
                config_entry_id=self.entry.entry_id,
                identifiers={(DOMAIN, self.entry.entry_id)},
                name=self.entry.title,
                model="Mining site",
                manufacturer="MiningSDK",
                entry_type=dr.DeviceEntryType.SERVICE,
            )
            .id
        )

    def _update_registry(self, record: Record) -> None:
        registry = dr.async_get(self.hass)
        device = registry.async_get_device_by_identifier(
            (DOMAIN, record.id), self.entry.entry_id
        )
        if device is not None:
            registry.async_update_device(
                device.id,
                sw_version=record.info.firmware_version,
                model=record.info.model,
                via_device_id=self.parent_of(record.info.host),
            )

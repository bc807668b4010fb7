"""A site: its inventory, the poll loops of its miners, and what they come to."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import batched
from typing import TYPE_CHECKING, Any

from homeassistant.const import CONF_SCAN_INTERVAL
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.debounce import Debouncer
from homeassistant.util.hass_dict import HassKey

from .account_watch import AccountWatch
from .attached import AttachedCoordinator, async_prepare
from .attached_registry import async_prune
from .const import (
    ATTACHED,
    CONF_DETAIL,
    CONF_DRIVER,
    CONF_SOCKETS,
    CONNECTION_LIMIT,
    DEFAULT_INTERVAL,
    DOMAIN,
    FIRST_READINGS_WITHIN,
    LOGGER,
)
from .containers import Containers
from .coordinator import MinerCoordinator, MiningConfigEntry
from .detail import AUTOMATIC, Detail, decide
from .devices import device_session, make_device
from .energy import EnergyMeter
from .inventory import Inventory, Record, moved
from .issues import REPLACED, async_clear_issues, async_replaced_issue
from .market import MarketCoordinator
from .pace import Pace
from .polling import Rhythm
from .positions import Positions
from .registered import async_moved, async_update_registered, register_site
from .sdk import DeviceInfo, MinerStats, MiningSDKError, NotSupported
from .totals import Totals, add_up
from .waiting import WaitingRoom

if TYPE_CHECKING:
    from .feed import Feed

type NewMiners = Callable[[list[MinerCoordinator]], None]
type NewAttached = Callable[[list[AttachedCoordinator]], None]

LIMITER: HassKey[asyncio.Semaphore] = HassKey(f"{DOMAIN}_limiter")
_TOTALS_EVERY = 1.0
# So many devices are dealt with before the loop gets a turn again.
_AT_ONCE = 10
_FEW = 100


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
        self.accounts = AccountWatch(hass, entry, self.inventory, self._many_changed)
        # What was configured by hand, by the id of its subentry.
        self.attached: dict[str, AttachedCoordinator] = {}
        self.containers = Containers(entry.options.get(CONF_SOCKETS, {}))
        self.positions = Positions(entry.options)
        # The network's data, if the options of the site ask for them.
        self.market: MarketCoordinator | None = None
        # What dashboards watch, while the site is set up.
        self.feed: Feed | None = None
        self.totals = Totals()
        self.energy = EnergyMeter()
        self.rhythm = Rhythm()
        self.pace = Pace(hass, entry)
        # Decided anew when it is known what there is to show.
        self.level = decide(self.detail_option, 0, lambda _: True)
        self.site_device_id: str | None = None
        self.waiting = WaitingRoom(hass, entry, self)
        self._new_miners: list[NewMiners] = []
        self._new_attached: list[NewAttached] = []
        self._listeners: dict[object, CALLBACK_TYPE] = {}
        # Whether miners have come or gone since they were last added up.
        self._untold = False
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
    def detail_option(self) -> str:
        """Return the level of detail that the user wants, or ``automatic``."""
        return str(self.entry.options.get(CONF_DETAIL, AUTOMATIC))

    @property
    def detail(self) -> Detail:
        """Return how much of each miner is shown."""
        return self.level.detail

    async def async_load(self, given: Sequence[dict[str, Any]]) -> None:
        """Read the inventory, and take in what the config flow gave."""
        await self.inventory.async_load()
        for data in given:
            record = Record.from_dict(data)
            if self.inventory.find(record.info) is None:
                self.inventory.put(self.inventory.renamed(record))
        if given:
            await self.inventory.async_save()

    async def async_start(self) -> None:
        """Begin to poll all that the site has."""
        self.site_device_id = register_site(self)
        self.waiting.async_start()
        await self.async_begin([*self.inventory.records, *self.entry.subentries])

    async def async_begin(self, keys: Sequence[str]) -> None:
        """Begin to poll the devices of these records and subentries.

        Waits a moment for first readings, but not for stragglers. A device whose driver
        is not there is kept for its coming.
        """
        records = self.inventory.records
        miners = [c for key in keys if key in records and (c := self._begin(key))]
        attached = [a for key in keys if (a := await self._async_attach(key))]
        self.waiting.async_tell()
        if attached and self._new_attached:
            # A container that comes late may have miners in it that were there before.
            for coordinator in self.coordinators.values():
                async_update_registered(self, coordinator.record)
        await self._first_readings([*miners, *attached])
        self._announce(miners)
        for add in self._new_attached:
            add(attached)
        self._untold = True
        self._add_up()

    def _begin(self, record_id: str) -> MinerCoordinator | None:
        record = self.inventory.records[record_id]
        if self.waiting.async_waits(record_id, record.name, record.info.driver):
            return None
        try:
            return self._create(record)
        except NotSupported as error:
            LOGGER.warning("%s is left out: %s", record.name, error)
        except Exception:  # noqa: BLE001 # A driver of a third party may fail anyhow.
            LOGGER.exception("%s is left out", record.name)
        return None

    async def _async_attach(self, subentry_id: str) -> AttachedCoordinator | None:
        subentry = self.entry.subentries.get(subentry_id)
        if subentry is None or subentry.subentry_type not in ATTACHED:
            return None
        driver = subentry.data[CONF_DRIVER]
        if self.waiting.async_waits(subentry_id, subentry.title, driver):
            return None
        try:
            await async_prepare(self.hass, subentry.data)
            coordinator = AttachedCoordinator(self.hass, self, subentry)
        except MiningSDKError as error:
            LOGGER.warning("%s is left out: %s", subentry.title, error)
            return None
        except Exception:  # noqa: BLE001
            LOGGER.exception("%s is left out", subentry.title)
            return None
        self.attached[subentry_id] = coordinator
        self.containers.add(coordinator)
        async_prune(coordinator)
        return coordinator

    async def async_stop(self) -> None:
        """Stop all polling."""
        self._debouncer.async_shutdown()
        await asyncio.gather(
            *(c.async_stop() for c in self.coordinators.values()),
            *(c.async_stop() for c in self.attached.values()),
        )
        await self.inventory.async_save()

    def parent_of(self, record: Record) -> str | None:
        """Return the device that a miner hangs on: its container, or else the site."""
        container = self.containers.of(record)
        return self.site_device_id if container is None else container.device_id

    @callback
    def async_on_new_miners(self, add: NewMiners) -> list[MinerCoordinator]:
        """Have a function called with later miners; returns those that there are.

        It is called again for a miner that shows more than it did.
        """
        self._new_miners.append(add)
        return list(self.coordinators.values())

    @callback
    def async_on_new_attached(self, add: NewAttached) -> None:
        """Have a platform called with the devices configured by hand, now and later."""
        self._new_attached.append(add)
        add(list(self.attached.values()))

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
        for number, record in enumerate(records, 1):
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
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
            self._many_changed()
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
            # An empty one is a password too, where a device is sold with it.
            password=password,
        )
        if changed == record:
            return
        await self.async_restart(changed)

    async def async_move(self, record: Record, host: str, port: int | None) -> None:
        """Follow a device to another address."""
        if (record.info.host, record.info.port) == (host, port):
            return
        LOGGER.info("%s is now at %s", record.name, host)
        await self.async_restart(moved(record, host, port))

    async def async_restart(self, record: Record) -> None:
        """Keep a changed record, and put another device object behind its entities."""
        before = self.inventory.records[record.id]
        self.inventory.put(record)
        self.accounts.async_changed(record)
        async_update_registered(self, record)
        async_moved(self, before, record)
        if coordinator := self.coordinators.get(record.id):
            device = make_device(
                record.info, self.session, record.username, record.password
            )
            await coordinator.async_exchange(record, device)
            # It may be another driver's now, or may do more than before.
            self._announce([coordinator])

    async def async_remove(self, record_id: str) -> None:
        """Forget a device."""
        self.inventory.drop(record_id)
        self.waiting.async_forget(record_id)
        self.strangers.pop(record_id, None)
        await self.accounts.async_forget(record_id)
        if coordinator := self.coordinators.pop(record_id, None):
            await coordinator.async_stop()
        self._many_changed()

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
                async_update_registered(self, coordinator.record)
            self._announce([coordinator])
        if self.strangers.pop(record.id, None):
            async_clear_issues(self.hass, self.entry, record.id, REPLACED)
        self.accounts.async_note(
            record, refused=bool(coordinator.device.authentication_error)
        )
        self._debouncer.async_schedule_call()

    @callback
    def async_attached_read(self, coordinator: AttachedCoordinator) -> None:
        """Take note of a reading of a device that was configured by hand, or of none.

        What a container's sockets measure is the power of the miners in them.
        """
        self.containers.async_measure(coordinator, self.coordinators)
        self._debouncer.async_schedule_call()

    @callback
    def async_lost(self, coordinator: MinerCoordinator, *, refused: bool) -> None:
        """Take note that a device does not answer, or not without another account."""
        if refused:
            self.accounts.async_note(coordinator.record, refused=True)
        self._debouncer.async_schedule_call()

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
            self.async_ask_replaced(coordinator.record, other)
        self.async_lost(coordinator, refused=False)

    @callback
    def async_ask_replaced(self, record: Record, other: DeviceInfo) -> None:
        """Ask the user what to make of another device at the address of a record."""
        self.strangers[record.id] = other
        async_replaced_issue(self.hass, self.entry, record, other)

    def _create(self, record: Record) -> MinerCoordinator:
        device = make_device(
            record.info, self.session, record.username, record.password
        )
        coordinator = MinerCoordinator(self.hass, self, record, device)
        self.coordinators[record.id] = coordinator
        return coordinator

    async def _first_readings(
        self, coordinators: Sequence[MinerCoordinator | AttachedCoordinator]
    ) -> None:
        tasks: list[asyncio.Task[None]] = []
        for group in batched(coordinators, _AT_ONCE, strict=False):
            if tasks:
                await asyncio.sleep(0)
            tasks += [coordinator.async_begin() for coordinator in group]
        if tasks:
            await asyncio.wait(tasks, timeout=FIRST_READINGS_WITHIN)

    @callback
    def _announce(self, coordinators: list[MinerCoordinator]) -> None:
        for add in self._new_miners:
            add(coordinators)

    @callback
    def _many_changed(self) -> None:
        """Look at all miners anew; where there are many, not for each that is new."""
        self._untold = True
        if len(self.coordinators) > _FEW:
            self._debouncer.async_schedule_call()
        else:
            self._add_up()

    @callback
    def _add_up(self) -> None:
        if self._untold:
            self._untold = False
            self.accounts.async_tell_of_factory()
        totals = add_up(self.coordinators.values())
        self.totals = replace(totals, total=totals.total + len(self.waiting))
        self.containers.add_up(self.coordinators.values())
        for listener in tuple(self._listeners.values()):
            listener()

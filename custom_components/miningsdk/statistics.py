"""Hourly history of single miners, where they have no entities to keep it.

It goes to the recorder as external statistics, such as ``miningsdk:<id>_power``.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
import time
from typing import Any, Final, Protocol, Self, cast
from weakref import WeakSet

from homeassistant.const import (
    EVENT_HOMEASSISTANT_STOP,
    UnitOfEnergy,
    UnitOfPower,
    UnitOfTemperature,
)
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.helpers.importlib import async_import_module
from homeassistant.helpers.recorder import DATA_INSTANCE
from homeassistant.helpers.storage import Store
from homeassistant.util import slugify

from .const import DOMAIN
from .coordinator import MinerCoordinator
from .detail import Detail
from .fleet import Fleet
from .registered import registered
from .sdk import MinerStats, algorithms

_HOUR: Final = 3600
_SAVED_EVERY = timedelta(minutes=10)
_VERSION = 1
# The recorder is given this many miners at once, and time to take them in.
_AT_ONCE = 10
_PAUSE = 1.0
_PAUSE_AFTER_FAILURE = 60.0
HASHRATE: Final = "hashrate"
ENERGY: Final = "energy"


@dataclass(frozen=True, slots=True)
class Measured:
    """What is kept of a miner: its unit, and the class by which it can be converted."""

    name: str
    value_fn: Callable[[MinerStats], float | None]
    unit: str | None
    unit_class: str | None


MEASURED: Final = (
    # In the unit of the algorithm.
    Measured(HASHRATE, lambda stats: stats.hashrate, None, None),
    Measured("power", lambda stats: stats.power, UnitOfPower.WATT, "power"),
    Measured(
        "temperature",
        lambda stats: stats.temperature_chip,
        UnitOfTemperature.CELSIUS,
        "temperature",
    ),
)


@dataclass(slots=True)
class Mean:
    """The readings of a value in an hour."""

    count: int = 0
    total: float = 0.0
    lowest: float = 0.0
    highest: float = 0.0

    def add(self, value: float | None) -> None:
        """Take a reading; an unknown one is none."""
        if value is None:
            return
        self.lowest = min(self.lowest, value) if self.count else value
        self.highest = max(self.highest, value) if self.count else value
        self.count += 1
        self.total += value


@dataclass(slots=True)
class Hour:
    """What one miner told in an hour; its energy in kWh, if it told any power."""

    means: tuple[Mean, ...] = field(
        default_factory=lambda: tuple(Mean() for _ in MEASURED)
    )
    energy: float | None = None

    def add(self, stats: MinerStats, energy: float) -> None:
        """Take a reading, and the energy since the one before it."""
        for mean, measured in zip(self.means, MEASURED, strict=True):
            mean.add(measured.value_fn(stats))
        if stats.power is not None or energy:
            self.energy = (self.energy or 0.0) + energy

    def as_list(self) -> list[Any]:
        """Return it as it is stored."""
        means = [[m.count, m.total, m.lowest, m.highest] for m in self.means]
        return [self.energy, *means]

    @classmethod
    def from_list(cls, stored: list[Any]) -> Self:
        """Return what was stored."""
        return cls(tuple(Mean(*mean) for mean in stored[1:]), stored[0])


type Hours = dict[str, Hour]


@dataclass(frozen=True, slots=True)
class Series:
    """One value of one miner in one hour, as the recorder gets it.

    ``start`` in s since 1970; ``row`` has a mean, minimum and maximum, or a sum.
    """

    key: str
    quantity: str
    device: str
    unit: str
    unit_class: str | None
    start: int
    row: Mapping[str, float]

    @property
    def id(self) -> str:
        """Return the id of the statistics."""
        return statistic_id(self.key, self.quantity)


class Recorder(Protocol):
    """The part that needs the recorder, which may not be there."""

    async def async_last_sums(
        self, hass: HomeAssistant, ids: Iterable[str], start: int
    ) -> Mapping[str, tuple[float, float | None]]:
        """Return the sum before an hour, and that of the hour if it has one."""

    def async_add(self, hass: HomeAssistant, series: Series) -> None:
        """Hand a row over."""


def statistic_id(record_id: str, name: str) -> str:
    """Return the id of the statistics of a value of a miner."""
    return f"{DOMAIN}:{slugify(record_id)}_{name}"


async def async_start(fleet: Fleet) -> None:
    """Keep the history of the miners of a site, where nothing else keeps it."""
    hass = fleet.hass
    if fleet.detail <= Detail.COMPACT and DATA_INSTANCE in hass.data:
        found = await async_import_module(hass, f"{__package__}.recorded")
        await HourlyStatistics(fleet, cast(Recorder, found)).async_start()


class _Follower:
    """Adds the readings of one miner to its hour."""

    __slots__ = ("_coordinator", "_energy", "_last", "_note")

    def __init__(
        self,
        coordinator: MinerCoordinator,
        note: Callable[[str, MinerStats, float], None],
    ) -> None:
        self._coordinator = coordinator
        self._note = note
        self._last: MinerStats | None = None
        self._energy = 0.0

    @callback
    def async_polled(self) -> None:
        """Take a reading that is new."""
        coordinator = self._coordinator
        stats = coordinator.data if coordinator.available else None
        if stats is None or stats is self._last:
            return
        self._last = stats
        total = coordinator.energy.total
        self._note(coordinator.id, stats, total - self._energy)
        self._energy = total


class HourlyStatistics:
    """Adds up what the miners of a site tell in an hour, and then records it."""

    def __init__(self, fleet: Fleet, recorder: Recorder) -> None:
        """Begin with nothing; ``async_start`` goes on from before a restart."""
        self._fleet = fleet
        self._recorder = recorder
        self._hass = fleet.hass
        self._store = _store(fleet.hass, fleet.entry.entry_id)
        self._start = _this_hour()
        # By the begin of the hour: this one, and such as are yet to be recorded.
        self._hours: dict[int, Hours] = {self._start: {}}
        self._sums: dict[str, float] = {}
        self._recording = False
        self._timer: asyncio.TimerHandle | None = None
        self._followed: WeakSet[MinerCoordinator] = WeakSet()

    async def async_start(self) -> None:
        """Take up what was stored, and follow all miners."""
        if stored := await self._store.async_load():
            for start, hours in stored["hours"].items():
                self._hours[int(start)] = {
                    miner_id: Hour.from_list(hour) for miner_id, hour in hours.items()
                }
        entry = self._fleet.entry
        entry.async_on_unload(self.async_save)
        for end in (
            self._end,
            async_track_time_interval(self._hass, self._tick, _SAVED_EVERY),
            self._hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, self._stop),
        ):
            entry.async_on_unload(end)
        self._follow(self._fleet.async_on_new_miners(self._follow))
        self._roll()

    async def async_save(self) -> None:
        """Write down what is not recorded yet."""
        hours = {
            str(start): {key: hour.as_list() for key, hour in hours.items()}
            for start, hours in self._hours.items()
        }
        await self._store.async_save({"hours": hours})

    async def _stop(self, _: Event) -> None:
        await self.async_save()

    @callback
    def _follow(self, coordinators: Iterable[MinerCoordinator]) -> None:
        for coordinator in coordinators:
            if coordinator not in self._followed:
                self._followed.add(coordinator)
                follower = _Follower(coordinator, self._note)
                coordinator.async_follow(follower)
                follower.async_polled()

    @callback
    def _note(self, miner_id: str, stats: MinerStats, energy: float) -> None:
        self._roll()
        hours = self._hours[self._start]
        if (hour := hours.get(miner_id)) is None:
            hour = hours[miner_id] = Hour()
        hour.add(stats, energy)

    async def _tick(self, _: datetime) -> None:
        self._roll()
        await self.async_save()

    def _roll(self) -> None:
        """Begin another hour when it is time, and record those that are over."""
        self._start = _this_hour()
        self._hours.setdefault(self._start, {})
        if len(self._hours) > 1 and not self._recording:
            self._recording = True
            self._go_on()

    @callback
    def _go_on(self) -> None:
        self._fleet.entry.async_create_background_task(
            self._hass, self._async_record(), f"{DOMAIN} statistics"
        )

    async def _async_record(self) -> None:
        """Record a part of the hours that are over, and the next a little later."""
        pause = _PAUSE_AFTER_FAILURE
        try:
            start = min(self._hours)
            if start == self._start:
                self._recording = False
                await self.async_save()
                return
            hours = self._hours[start]
            some = dict(islice(hours.items(), _AT_ONCE))
            await self._async_record_some(start, some)
            for key in some:
                del hours[key]
            if not hours:
                del self._hours[start]
            pause = _PAUSE
        finally:
            if self._recording:
                self._timer = self._hass.loop.call_later(pause, self._go_on)

    @callback
    def _end(self) -> None:
        self._recording = False
        if self._timer is not None:
            self._timer.cancel()

    async def _async_record_some(self, start: int, hours: Hours) -> None:
        recorder = self._recorder
        ids = {key: statistic_id(key, ENERGY) for key in hours}
        known = await recorder.async_last_sums(self._hass, ids.values(), start)
        for key, hour in hours.items():
            before, recorded = known.get(ids[key], (0.0, None))
            total = max(before, self._sums.get(key, 0.0)) + (hour.energy or 0.0)
            if recorded is not None and recorded > total:
                # What was stored last is older than what was recorded before a crash.
                self._sums[key] = recorded
                continue
            self._sums[key] = total
            for series in self._series(key, hour, start, total):
                recorder.async_add(self._hass, series)

    def _series(
        self, key: str, hour: Hour, start: int, total: float
    ) -> Iterator[Series]:
        record = self._fleet.inventory.records.get(key)
        device = registered(self._fleet, key)
        name = (device and device.name_by_user) or (record.name if record else key)
        usual = algorithms.of(record.info.algorithm if record else None)
        for mean, measured in zip(hour.means, MEASURED, strict=True):
            if not mean.count:
                continue
            unit = measured.unit
            values = {
                "mean": mean.total / mean.count,
                "min": mean.lowest,
                "max": mean.highest,
            }
            if unit is None:
                unit = usual.unit(HASHRATE)
                values = {k: usual.convert(HASHRATE, v) for k, v in values.items()}
            yield Series(
                key, measured.name, name, unit, measured.unit_class, start, values
            )
        if hour.energy is not None:
            row = {"state": total, "sum": total}
            kwh = UnitOfEnergy.KILO_WATT_HOUR
            yield Series(key, ENERGY, name, kwh, ENERGY, start, row)


def _this_hour() -> int:
    return int(time.time()) // _HOUR * _HOUR


def _store(hass: HomeAssistant, entry_id: str) -> Store[dict[str, Any]]:
    return Store(hass, _VERSION, f"{DOMAIN}.{entry_id}.statistics", private=True)


async def async_forget(hass: HomeAssistant, entry_id: str) -> None:
    """Forget what is not recorded yet of a site that was deleted."""
    await _store(hass, entry_id).async_remove()

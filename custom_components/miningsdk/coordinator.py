"""The poll loop of one miner, and what it last read."""

import asyncio
from typing import TYPE_CHECKING, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from .const import LOGGER
from .energy import EnergyMeter
from .inventory import Record
from .measured import async_with_plug
from .polling import DeviceCoordinator
from .sdk import Miner, MinerStats

if TYPE_CHECKING:
    from .fleet import Fleet

type MiningConfigEntry = ConfigEntry[Fleet]


class MinerCoordinator(DeviceCoordinator[Miner, MinerStats]):
    """Poll one miner of the inventory."""

    def __init__(
        self, hass: HomeAssistant, fleet: Fleet, record: Record, device: Miner
    ) -> None:
        """Prepare to poll the miner of a record."""
        super().__init__(hass, fleet, device)
        self.record = record
        self.energy = EnergyMeter()

    @property
    @override
    def id(self) -> str:
        """Return the id of the record."""
        return self.record.id

    @property
    @override
    def name(self) -> str:
        """Return what a person calls the miner."""
        return self.record.name

    async def async_exchange(self, record: Record, device: Miner) -> None:
        """Go on with another device object: a new address, or new credentials."""
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.wait([self._refreshing])
        await self.device.close()
        self.record, self.device = record, device
        self._failures = 0
        await self.async_refresh()

    @override
    def _accepted(self, stats: MinerStats) -> bool:
        if not self.record.is_another(self.device.info):
            return True
        if not self._failures:
            LOGGER.warning("Another device answers at the address of %s", self.name)
        self._failures += 1
        self.available = False
        self.problem = "another device answers at this address"
        self._stop_counting()
        self.fleet.async_replaced(self, self.device.info)
        return False

    @override
    def _measured(self, stats: MinerStats) -> MinerStats:
        return async_with_plug(self.hass, self.fleet.entry.options, self.id, stats)

    @override
    def _taken(self, stats: MinerStats) -> None:
        added = self.energy.add(stats.power, self.hass.loop.time())
        self.fleet.async_read(self, stats, added)

    @override
    def _gone(self, *, refused: bool) -> None:
        self._stop_counting()
        self.fleet.async_lost(self, refused=refused)

    @override
    def _account_refused(self) -> None:
        self.fleet.async_credentials_failed(self)

    def _stop_counting(self) -> None:
        self.energy.add(None, self.hass.loop.time())

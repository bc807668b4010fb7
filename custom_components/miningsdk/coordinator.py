"""The poll loop of one miner, and what it last read."""

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from .const import LOGGER
from .energy import EnergyMeter
from .inventory import PausedBy, Record
from .measured import Plug, async_with_plug, plug_of
from .polling import DeviceCoordinator
from .positions import Position
from .sdk import Miner, MinerStats, MinerStatus

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
        # Whether the device registry has been told of it since the start.
        self.is_registered = False
        # What the miner itself said last, whatever measures its power.
        self._own: MinerStats | None = None

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

    @property
    def plug(self) -> Plug | None:
        """Return what measures the power of the miner, if that is not itself."""
        return plug_of(
            self.fleet.entry.options, self.id, self.fleet.containers.socket_of(self.id)
        )

    @property
    def position(self) -> Position:
        """Return where the miner stands, as far as that is known."""
        return self.fleet.positions.of(self.record)

    @callback
    def async_measure(self) -> None:
        """Take up what is measured outside of the miner now."""
        if self._own is not None and self.available:
            self.data = self._measured(self._own)
            self.async_tell()

    async def async_exchange(self, record: Record, device: Miner) -> None:
        """Go on with another device object: a new address, or new credentials."""
        # At once: what is noted of the record in the meantime must not get lost.
        self.record = record
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.wait([self._refreshing])
        await self.device.close()
        self.device = device
        self._failures = 0
        await self.async_refresh()

    async def async_pause(self, by: PausedBy) -> None:
        """Put the miner to sleep, and note who did."""
        await self.async_command(lambda miner: miner.pause())
        self._note_pause(by)

    async def async_resume(self) -> None:
        """Wake the miner up."""
        await self.async_command(lambda miner: miner.resume())
        self._note_pause(None)

    @property
    def paused_by_automation(self) -> bool:
        """Tell whether nobody has put it to sleep by hand."""
        return self.record.paused_by is PausedBy.AUTOMATION

    def _note_pause(self, by: PausedBy | None) -> None:
        if self.record.paused_by is not by:
            self.record = replace(self.record, paused_by=by)
            self.fleet.inventory.put(self.record)

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
        self._own = stats
        return async_with_plug(self.hass, self.plug, stats)

    @override
    def _taken(self, stats: MinerStats) -> None:
        if stats.status not in (MinerStatus.PAUSED, MinerStatus.UNKNOWN):
            # Whoever wakes it at the device itself, ends what was noted.
            self._note_pause(None)
        added = self.energy.add(stats.power, self.hass.loop.time())
        self.fleet.async_read(self, stats, added)

    @override
    def _gone(self, *, refused: bool) -> None:
        self._stop_counting()
        self.fleet.async_lost(self, refused=refused)

    @override
    def _account_refused(self) -> None:
        self.fleet.accounts.async_failed(self.record)

    @override
    def _control_disabled(self, words: str | None) -> None:
        self.fleet.accounts.async_control_disabled(self.record, words)

    def _stop_counting(self) -> None:
        self.energy.add(None, self.hass.loop.time())

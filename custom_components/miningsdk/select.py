"""Selects: the power mode and the tuning profile."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import override

from homeassistant.components.select import SelectEntity, SelectEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import MiningConfigEntry
from .detail import Detail
from .entity import MinerEntity
from .inventory import Record
from .lean import lean
from .platform import Part, async_add_miner_entities
from .sdk import Capability, Miner, MinerStats

PARALLEL_UPDATES = 16


@dataclass(frozen=True, kw_only=True)
class MinerSelectDescription(SelectEntityDescription):
    """A select of a miner; its options are those the device tells."""

    capability: Capability
    value_fn: Callable[[MinerStats], str | None]
    select_fn: Callable[[Miner, str], Awaitable[None]]


DESCRIPTIONS = (
    MinerSelectDescription(
        key="power_mode",
        translation_key="power_mode",
        entity_category=EntityCategory.CONFIG,
        capability=Capability.POWER_MODE,
        value_fn=lambda stats: stats.power_mode,
        select_fn=lambda miner, option: miner.set_power_mode(option),
    ),
    MinerSelectDescription(
        key="profile",
        translation_key="profile",
        entity_category=EntityCategory.CONFIG,
        capability=Capability.PROFILE,
        value_fn=lambda stats: stats.settings.profile,
        select_fn=lambda miner, option: miner.set_profile(option),
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: MiningConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the selects of a site."""
    await async_add_miner_entities(entry, async_add_entities, parts_of)


def parts_of(record: Record, detail: Detail) -> Iterator[Part]:
    """Yield the selects that a miner has at a level of detail.

    At the standard level it is one at most: the power mode, or else the profile.
    """
    able = [d for d in DESCRIPTIONS if d.capability in record.info.capabilities]
    most = {Detail.FULL: len(able), Detail.STANDARD: 1}.get(detail, 0)
    for description in able[:most]:
        yield Part(MinerSelect, description)


@lean
class MinerSelect(MinerEntity, SelectEntity):
    """A select of a miner."""

    entity_description: MinerSelectDescription

    @override
    async def async_select_option(self, option: str) -> None:
        """Choose an option, and wait for the device to confirm it."""
        await self.async_command(
            lambda miner: self.entity_description.select_fn(miner, option)
        )

    @override
    def _update(self) -> None:
        limits = self.coordinator.record.info.limits.get(
            self.entity_description.capability
        )
        self._attr_options = list(limits.options) if limits else []
        stats = self.coordinator.data
        value = None if stats is None else self.entity_description.value_fn(stats)
        self._attr_current_option = value if value in self._attr_options else None

    @override
    def _shown(self) -> object:
        return self._attr_current_option, self._attr_options

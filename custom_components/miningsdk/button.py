"""Buttons: reboot, and restart of the mining process."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import override

from homeassistant.components.button import (
    ButtonDeviceClass,
    ButtonEntity,
    ButtonEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .attached_entity import add_attached_entities
from .controls_attached import attached_buttons
from .coordinator import MiningConfigEntry
from .detail import Detail
from .entity import MinerEntity
from .inventory import Record
from .lean import lean
from .platform import Part, async_add_miner_entities
from .sdk import Capability, Miner

PARALLEL_UPDATES = 16


@dataclass(frozen=True, kw_only=True)
class MinerButtonDescription(ButtonEntityDescription):
    """A button of a miner."""

    capability: Capability
    press_fn: Callable[[Miner], Awaitable[None]]


DESCRIPTIONS = (
    MinerButtonDescription(
        key="reboot",
        device_class=ButtonDeviceClass.RESTART,
        translation_key="reboot",
        entity_category=EntityCategory.CONFIG,
        capability=Capability.REBOOT,
        press_fn=lambda miner: miner.reboot(),
    ),
    MinerButtonDescription(
        key="restart",
        translation_key="restart",
        entity_category=EntityCategory.CONFIG,
        capability=Capability.RESTART,
        press_fn=lambda miner: miner.restart(),
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: MiningConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the buttons of a site."""
    add_attached_entities(entry, async_add_entities, attached_buttons)
    await async_add_miner_entities(entry, async_add_entities, parts_of)


def parts_of(record: Record, detail: Detail) -> Iterator[Part]:
    """Yield the buttons that a miner has at a level of detail.

    Below the finest, actions do the same for any number of miners.
    """
    for description in DESCRIPTIONS if detail >= Detail.FULL else ():
        if description.capability in record.info.capabilities:
            yield Part(MinerButton, description)


@lean
class MinerButton(MinerEntity, ButtonEntity):
    """A button of a miner."""

    entity_description: MinerButtonDescription

    @override
    async def async_press(self) -> None:
        """Have the miner do it."""
        await self.async_command(self.entity_description.press_fn)

    @override
    def _update(self) -> None:
        """Do nothing: a button has no state of its own."""

    @override
    def _shown(self) -> object:
        return None

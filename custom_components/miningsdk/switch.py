"""Switches: mining, locate, automatic fans and hashboards."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, override

from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .attached_entity import add_attached_entities
from .controls_attached import attached_switches
from .coordinator import MinerCoordinator, MiningConfigEntry
from .detail import Detail
from .entity import MinerEntity
from .inventory import PausedBy, Record, paused_by
from .lean import lean
from .platform import Part, async_add_miner_entities
from .sdk import Capability, Miner, MinerStats, MinerStatus

PARALLEL_UPDATES = 16
# What the fans are set to when the automatic is switched off and nothing is known.
_FULL_DUTY = 100.0


@dataclass(frozen=True, kw_only=True)
class MinerSwitchDescription(SwitchEntityDescription):
    """A switch of a miner."""

    exists_fn: Callable[[Record], bool]
    value_fn: Callable[[MinerStats], bool | None]
    on_fn: Callable[[MinerCoordinator], Awaitable[None]]
    off_fn: Callable[[MinerCoordinator, PausedBy], Awaitable[None]]
    detail: Detail = Detail.FULL


def _mining(stats: MinerStats) -> bool | None:
    if stats.status is MinerStatus.UNKNOWN:
        return None
    return stats.status is not MinerStatus.PAUSED


def _told(
    tell: Callable[[Miner], Awaitable[None]],
) -> Callable[..., Awaitable[None]]:
    """Return what has a miner do something, confirmed by the device."""
    return lambda coordinator, *_: coordinator.async_command(tell)


def _fixed_fan(coordinator: MinerCoordinator, _: PausedBy) -> Awaitable[None]:
    stats = coordinator.data
    return coordinator.async_command(lambda miner: _set_fixed_fan(miner, stats))


def _set_fixed_fan(miner: Miner, stats: MinerStats | None) -> Awaitable[None]:
    limits = miner.info.limits[Capability.FAN]
    duties = [fan.duty for fan in stats.fans if fan.duty is not None] if stats else []
    duty = duties[0] if duties else _FULL_DUTY
    highest = _FULL_DUTY if limits.maximum is None else limits.maximum
    return miner.set_fan(min(max(duty, limits.minimum or 0.0), highest))


def _has_automatic_fan(record: Record) -> bool:
    limits = record.info.limits.get(Capability.FAN)
    return limits is not None and "auto" in limits.options


DESCRIPTIONS = (
    # No category: "turn off area Garage" is to pause the miners there.
    MinerSwitchDescription(
        key="mining",
        translation_key="mining",
        exists_fn=lambda record: Capability.PAUSE in record.info.capabilities,
        value_fn=_mining,
        on_fn=lambda coordinator: coordinator.async_resume(),
        off_fn=lambda coordinator, by: coordinator.async_pause(by),
        detail=Detail.COMPACT,
    ),
    MinerSwitchDescription(
        key="locate",
        translation_key="locate",
        entity_category=EntityCategory.CONFIG,
        exists_fn=lambda record: Capability.LOCATE in record.info.capabilities,
        value_fn=lambda stats: stats.locating,
        on_fn=_told(lambda miner: miner.locate(True)),
        off_fn=_told(lambda miner: miner.locate(False)),
    ),
    MinerSwitchDescription(
        key="fan_automatic",
        translation_key="fan_automatic",
        entity_category=EntityCategory.CONFIG,
        exists_fn=_has_automatic_fan,
        value_fn=lambda stats: stats.settings.fan_automatic,
        on_fn=_told(lambda miner: miner.set_fan(None)),
        off_fn=_fixed_fan,
    ),
)


@dataclass(frozen=True, kw_only=True)
class BoardSwitchDescription(SwitchEntityDescription):
    """The switch of a hashboard."""


BOARD = BoardSwitchDescription(
    key="board_enabled",
    translation_key="board_enabled",
    entity_category=EntityCategory.CONFIG,
    entity_registry_enabled_default=False,
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: MiningConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the switches of a site."""
    add_attached_entities(entry, async_add_entities, attached_switches)
    await async_add_miner_entities(entry, async_add_entities, parts_of)


def parts_of(record: Record, detail: Detail) -> Iterator[Part]:
    """Yield the switches that a miner has at a level of detail."""
    for description in DESCRIPTIONS:
        if detail >= description.detail and description.exists_fn(record):
            yield Part(MinerSwitch, description)
    if detail >= Detail.FULL:
        yield from (Part(BoardSwitch, BOARD, index) for index in _boards(record))


def _boards(record: Record) -> list[int]:
    """Return the boards that can be switched; without a list, all that were seen."""
    if Capability.BOARD_ENABLE not in record.info.capabilities:
        return []
    limits = record.info.limits.get(Capability.BOARD_ENABLE)
    listed = limits.options if limits else ()
    if listed:
        return sorted(int(option) for option in listed if option.isdecimal())
    return sorted(record.shape.boards)


@lean
class MinerSwitch(MinerEntity, SwitchEntity):
    """A switch of a miner; it shows what the device itself says."""

    entity_description: MinerSwitchDescription

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Switch on, and wait for the device to confirm it."""
        await self.entity_description.on_fn(self.coordinator)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Switch off, and wait for the device to confirm it."""
        user = None if self._context is None else self._context.user_id
        await self.entity_description.off_fn(self.coordinator, paused_by(user))

    @override
    def _update(self) -> None:
        stats = self.coordinator.data
        self._attr_is_on = (
            None if stats is None else self.entity_description.value_fn(stats)
        )

    @override
    def _shown(self) -> object:
        return self._attr_is_on


class BoardSwitch(MinerEntity, SwitchEntity):
    """Whether one hashboard may hash; it shows what the device itself says."""

    def __init__(
        self,
        coordinator: MinerCoordinator,
        description: EntityDescription,
        index: int | None,
    ) -> None:
        """Make the switch of the board with this index."""
        self._board = index or 0
        super().__init__(coordinator, description, index)
        # People count from one.
        self._attr_translation_placeholders = {"number": str(self._board + 1)}

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Let the board hash, and wait for the device to confirm it."""
        await self.async_command(
            lambda miner: miner.set_board_enabled(self._board, on=True)
        )

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Keep the board from hashing, and wait for the device to confirm it."""
        await self.async_command(
            lambda miner: miner.set_board_enabled(self._board, on=False)
        )

    @override
    def _update(self) -> None:
        stats = self.coordinator.data
        boards = () if stats is None else stats.boards
        board = next((board for board in boards if board.index == self._board), None)
        self._attr_is_on = None if board is None else board.enabled

    @override
    def _shown(self) -> object:
        return self._attr_is_on

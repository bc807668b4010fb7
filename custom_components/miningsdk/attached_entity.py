"""What the entities of hand-configured devices share, and how they are added."""

from collections.abc import Callable, Iterable
from typing import Any

from homeassistant.core import callback
from homeassistant.helpers.entity_platform import (
    AddConfigEntryEntitiesCallback,
    async_get_current_platform,
)

from .attached import AttachedCoordinator
from .attached_registry import async_replace
from .coordinator import MiningConfigEntry
from .polled_entity import PolledEntity

# A key that tells it from the others of the device, its class, and what it is made of.
type Part = tuple[str, type[AttachedEntity], Any]
type PartsOf = Callable[[AttachedCoordinator], Iterable[Part]]


class AttachedEntity(PolledEntity):
    """An entity of a meter, a sensor, a container or a pool account."""

    coordinator: AttachedCoordinator

    def __init__(
        self, coordinator: AttachedCoordinator, key: str, _: Any = None
    ) -> None:
        """Make an entity; a subclass makes use of the third argument."""
        self.coordinator = coordinator
        self._attr_unique_id = f"{coordinator.id}_{key}"
        self._attr_device_info = coordinator.device_info
        self._update()


def add_attached_entities(
    entry: MiningConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    parts_of: PartsOf,
) -> None:
    """Add what there is of each device, also what only a later reading shows."""
    domain = async_get_current_platform().domain

    @callback
    def add(coordinators: list[AttachedCoordinator]) -> None:
        for coordinator in coordinators:
            _follow(entry, async_add_entities, parts_of, coordinator, domain)

    entry.runtime_data.async_on_new_attached(add)


def _follow(
    entry: MiningConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    parts_of: PartsOf,
    coordinator: AttachedCoordinator,
    domain: str,
) -> None:
    known: set[str] = set()

    @callback
    def add() -> None:
        new = [part for part in parts_of(coordinator) if part[0] not in known]
        if new:
            for key, _, _ in new:
                known.add(key)
                async_replace(coordinator, domain, key)
            async_add_entities(
                [kind(coordinator, key, what) for key, kind, what in new],
                config_subentry_id=coordinator.id,
            )

    add()
    entry.async_on_unload(coordinator.async_add_listener(add))

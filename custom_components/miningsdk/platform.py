"""Add the entities of miners, now and when a miner or a part of it turns up."""

from collections.abc import Callable, Iterable
from weakref import WeakKeyDictionary

from homeassistant.core import callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_platform import (
    AddConfigEntryEntitiesCallback,
    async_get_current_platform,
)

from .coordinator import MinerCoordinator, MiningConfigEntry
from .detail import Detail
from .entity import MinerEntity
from .fleet import Fleet

type MakeEntities = Callable[[MinerCoordinator, Detail], Iterable[MinerEntity]]


def add_miner_entities(
    entry: MiningConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    make: MakeEntities,
) -> None:
    """Add what ``make`` yields for each miner, but nothing twice."""
    fleet = entry.runtime_data
    # By coordinator: a device that was removed may be added again later.
    known: WeakKeyDictionary[MinerCoordinator, set[str | None]] = WeakKeyDictionary()

    @callback
    def add(coordinators: list[MinerCoordinator]) -> None:
        detail = fleet.detail
        new: list[MinerEntity] = []
        for coordinator in coordinators:
            seen = known.setdefault(coordinator, set())
            made = [e for e in make(coordinator, detail) if e.unique_id not in seen]
            seen.update(entity.unique_id for entity in made)
            new += made
        if new:
            async_add_entities(new)

    _forget_finer_detail(fleet, make)
    fleet.async_on_new_miners(add)


def _forget_finer_detail(fleet: Fleet, make: MakeEntities) -> None:
    """Remove from the registry what only an earlier, finer level of detail showed.

    It would count for the number of entities that Home Assistant allows a site.
    """
    if fleet.detail is Detail.FULL:
        return
    platform = async_get_current_platform()
    registry = er.async_get(fleet.hass)
    left = {
        entry.unique_id: entry.entity_id
        for entry in er.async_entries_for_config_entry(registry, fleet.entry.entry_id)
        if entry.domain == platform.domain
        and not entry.unique_id.startswith(fleet.entry.entry_id)
    }
    if not left:
        return
    for coordinator in fleet.coordinators.values():
        for entity in make(coordinator, fleet.detail):
            left.pop(entity.unique_id or "", None)
    for coordinator in fleet.coordinators.values():
        if any(unique_id.startswith(coordinator.record.id) for unique_id in left):
            for entity in make(coordinator, Detail.FULL):
                if entity_id := left.pop(entity.unique_id or "", None):
                    registry.async_remove(entity_id)

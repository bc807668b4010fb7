"""Add the entities of miners, now and when a miner or a part of it turns up."""

from collections.abc import Callable, Iterable

from homeassistant.core import callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import MinerCoordinator, MiningConfigEntry
from .detail import Detail
from .entity import MinerEntity

type MakeEntities = Callable[[MinerCoordinator, Detail], Iterable[MinerEntity]]


def add_miner_entities(
    entry: MiningConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    make: MakeEntities,
) -> None:
    """Add what ``make`` yields for each miner, but nothing twice."""
    fleet = entry.runtime_data
    known: set[str | None] = set()

    @callback
    def add(coordinators: list[MinerCoordinator]) -> None:
        detail = fleet.detail
        new = [
            entity
            for coordinator in coordinators
            for entity in make(coordinator, detail)
            if entity.unique_id not in known
        ]
        known.update(entity.unique_id for entity in new)
        if new:
            async_add_entities(new)

    fleet.async_on_new_miners(add)

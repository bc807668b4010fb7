"""What the entities of hand-configured devices share, and how they are added."""

from collections.abc import Callable, Iterable
from typing import override

from homeassistant.core import callback
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .attached import AttachedCoordinator
from .coordinator import MiningConfigEntry

type MakeAttached = Callable[[AttachedCoordinator], Iterable[AttachedEntity]]


class AttachedEntity(Entity):
    """An entity of a meter, a sensor, a container or a pool account."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, coordinator: AttachedCoordinator, key: str) -> None:
        """Make an entity; ``key`` tells it from the others of the device."""
        self.coordinator = coordinator
        self._attr_unique_id = f"{coordinator.id}_{key}"
        self._attr_device_info = coordinator.device_info
        self._update()

    @property
    @override
    def available(self) -> bool:
        """Tell whether the device answers."""
        return self.coordinator.available

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the poll loop."""
        await super().async_added_to_hass()
        self._update()
        self.async_on_remove(self.coordinator.async_add_listener(self._polled))

    def _update(self) -> None:
        """Take the new state out of the coordinator's data."""
        raise NotImplementedError

    @callback
    def _polled(self) -> None:
        self._update()
        self.async_write_ha_state()


def add_attached_entities(
    entry: MiningConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    make: MakeAttached,
) -> None:
    """Add what ``make`` yields for each device, also what a later reading shows."""
    known: set[str | None] = set()

    def follow(coordinator: AttachedCoordinator) -> None:
        @callback
        def add() -> None:
            new = [e for e in make(coordinator) if e.unique_id not in known]
            known.update(entity.unique_id for entity in new)
            if new:
                async_add_entities(new, config_subentry_id=coordinator.id)

        add()
        entry.async_on_unload(coordinator.async_add_listener(add))

    for coordinator in entry.runtime_data.attached.values():
        follow(coordinator)

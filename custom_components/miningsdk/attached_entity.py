"""What the entities of hand-configured devices share, and how they are added."""

from collections.abc import Callable, Iterable
from typing import Any, override

from homeassistant.core import callback
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .attached import AttachedCoordinator
from .const import MAXIMUM_STATE_AGE
from .coordinator import MiningConfigEntry

# A key that tells it from the others of the device, its class, and what it is made of.
type Part = tuple[str, type[AttachedEntity], Any]
type PartsOf = Callable[[AttachedCoordinator], Iterable[Part]]


class AttachedEntity(Entity):
    """An entity of a meter, a sensor, a container or a pool account."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(
        self, coordinator: AttachedCoordinator, key: str, _: Any = None
    ) -> None:
        """Make an entity; a subclass makes use of the third argument."""
        self.coordinator = coordinator
        self._attr_unique_id = f"{coordinator.id}_{key}"
        self._attr_device_info = coordinator.device_info
        self._written: object = None
        self._written_at = 0.0
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
        # What is known now gets written right after this.
        self._written = (self.available, self._shown())
        self._written_at = self.coordinator.hass.loop.time()
        self.async_on_remove(self.coordinator.async_add_listener(self._polled))

    def _update(self) -> None:
        """Take the new state out of the coordinator's data."""
        raise NotImplementedError

    def _shown(self) -> object:
        """Return what decides whether there is anything new to write."""
        raise NotImplementedError

    @callback
    def _polled(self) -> None:
        """Write the state when it differs, or when the written one is old."""
        self._update()
        now = self.coordinator.hass.loop.time()
        shown = (self.available, self._shown())
        if shown == self._written and now - self._written_at < MAXIMUM_STATE_AGE:
            return
        self._written, self._written_at = shown, now
        self.async_write_ha_state()


def add_attached_entities(
    entry: MiningConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    parts_of: PartsOf,
) -> None:
    """Add what there is of each device, also what only a later reading shows."""
    for coordinator in entry.runtime_data.attached.values():
        _follow(entry, async_add_entities, parts_of, coordinator)


def _follow(
    entry: MiningConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    parts_of: PartsOf,
    coordinator: AttachedCoordinator,
) -> None:
    known: set[str] = set()

    @callback
    def add() -> None:
        new = [part for part in parts_of(coordinator) if part[0] not in known]
        if new:
            known.update(key for key, _, _ in new)
            async_add_entities(
                [kind(coordinator, key, what) for key, kind, what in new],
                config_subentry_id=coordinator.id,
            )

    add()
    entry.async_on_unload(coordinator.async_add_listener(add))

"""Add the entities of miners, now and when a miner or a part of it turns up."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import batched, chain, islice
from typing import Protocol
from weakref import WeakKeyDictionary

from homeassistant.core import callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import MinerCoordinator, MiningConfigEntry
from .detail import Detail
from .entity import MinerEntity, async_register, key_of
from .fleet import Fleet
from .inventory import Record
from .registered import registered

# So many entities are added before the loop gets a turn again: some 10 ms of work.
_AT_ONCE = 20
# So many batches are there when the set-up of a platform ends; the rest comes after it.
_AT_SETUP = 50


class MakeEntity(Protocol):
    """A class of entities, as far as it takes to make one."""

    def __call__(
        self,
        coordinator: MinerCoordinator,
        description: EntityDescription,
        index: int | None,
    ) -> MinerEntity:
        """Return the entity that shows what the description says."""


@dataclass(frozen=True, slots=True)
class Part:
    """One entity that a miner has: its class and what that is made with."""

    kind: MakeEntity
    description: EntityDescription
    index: int | None = None

    @property
    def key(self) -> str:
        """Return what tells it from the others of the miner on its platform."""
        return key_of(self.description, self.index)


type PartsOf = Callable[[Record, Detail], Iterable[Part]]


async def async_add_miner_entities(
    entry: MiningConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    parts_of: PartsOf,
) -> None:
    """Add what the miners of a site have, at its level of detail, but nothing twice.

    Of a large site, most is added after this returns: the set-up of a platform must
    not take long.
    """
    fleet = entry.runtime_data
    adder = _Adder(fleet, async_add_entities, parts_of)
    batches = adder.batches(fleet.async_on_new_miners(adder.async_new))
    await adder.async_add(islice(batches, _AT_SETUP))
    fleet.pace.async_start(adder.async_add(batches), waited_for=False)


class _Adder:
    """Adds the entities of one platform of a site."""

    def __init__(
        self,
        fleet: Fleet,
        async_add_entities: AddConfigEntryEntitiesCallback,
        parts_of: PartsOf,
    ) -> None:
        """Begin with none."""
        self._fleet = fleet
        self._add_entities = async_add_entities
        self._parts_of = parts_of
        # By coordinator: a device that was removed may be added again later.
        self._known: WeakKeyDictionary[MinerCoordinator, frozenset[str]] = (
            WeakKeyDictionary()
        )
        self._sets: dict[frozenset[str], frozenset[str]] = {}

    @callback
    def async_new(self, coordinators: Iterable[MinerCoordinator]) -> None:
        """Add what is new: a little at once, much of it bit by bit."""
        if self._fleet.pace.stopped:
            return
        batches = self.batches(coordinators)
        self._add_entities(next(batches, ()))
        if more := next(batches, None):
            self._fleet.pace.async_start(self.async_add(chain([more], batches)))

    def batches(
        self, coordinators: Iterable[MinerCoordinator]
    ) -> Iterator[tuple[MinerEntity, ...]]:
        """Return what is new, made when it is asked for."""
        return batched(self._new(coordinators), _AT_ONCE, strict=False)

    async def async_add(self, batches: Iterator[tuple[MinerEntity, ...]]) -> None:
        """Add what is new, and let the loop and other platforms have their turns."""
        more = True
        while more:
            async with self._fleet.pace.piece():
                batch = next(batches, ())
                self._add_entities(batch)
                more = bool(batch)

    def _new(self, coordinators: Iterable[MinerCoordinator]) -> Iterator[MinerEntity]:
        fleet = self._fleet
        for coordinator in coordinators:
            if fleet.coordinators.get(coordinator.id) is not coordinator:
                # It was removed before it was its turn.
                continue
            known = self._known.get(coordinator, frozenset())
            parts = [
                part
                for part in self._parts_of(coordinator.record, fleet.detail)
                if part.key not in known
            ]
            if not parts:
                continue
            now = known.union(part.key for part in parts)
            # Miners of one kind share one set.
            self._known[coordinator] = self._sets.setdefault(now, now)
            device = _device_of(coordinator)
            for part in parts:
                entity = part.kind(coordinator, part.description, part.index)
                entity.device_entry = device
                yield entity


def _device_of(coordinator: MinerCoordinator) -> dr.DeviceEntry:
    fleet, record = coordinator.fleet, coordinator.record
    if coordinator.is_registered and (device := registered(fleet, record.id)):
        return device
    coordinator.is_registered = True
    return async_register(fleet, record)

"""Which level of detail a site can carry, and what it no longer shows."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from homeassistant.const import Platform
from homeassistant.core import callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.entity_platform import MAX_ENABLED_ENTITIES_PER_CONFIG_ENTRY

from . import binary_sensor, button, number, select, sensor, switch
from .const import LOGGER
from .coordinator import MinerCoordinator
from .detail import AUTOMATIC, Detail, Level, Reason, choose, decide
from .fleet import Fleet
from .inventory import WHOLE, Record
from .issues import async_clear_detail_issue, async_detail_issue
from .platform import Part, PartsOf
from .registered import registered
from .sdk import Capability, DeviceInfo, DeviceKind, Limits

TABLES: Final[Mapping[Platform, PartsOf]] = {
    Platform.BINARY_SENSOR: binary_sensor.parts_of,
    Platform.BUTTON: button.parts_of,
    Platform.NUMBER: number.parts_of,
    Platform.SELECT: select.parts_of,
    Platform.SENSOR: sensor.parts_of,
    Platform.SWITCH: switch.parts_of,
}
# Of the entities that Home Assistant allows a site: for the site itself, and for what
# containers and the like have yet to show.
RESERVE: Final = 500
# So many miners are cleaned up before the loop has a turn.
_AT_ONCE = 5


def parts_of(record: Record, detail: Detail) -> Iterator[tuple[Platform, Part]]:
    """Yield all entities that a miner has at a level of detail."""
    for platform, parts in TABLES.items():
        for part in parts(record, detail):
            yield platform, part


def _keys(record: Record, detail: Detail) -> set[tuple[str, str]]:
    return {(platform, part.key) for platform, part in parts_of(record, detail)}


def _count(record: Record, detail: Detail) -> int:
    return sum(
        part.description.entity_registry_enabled_default
        for _, part in parts_of(record, detail)
    )


# A miner that tells everything there is, and does what there is to do.
_ABLE = Record(
    id="",
    info=DeviceInfo(
        kind=DeviceKind.MINER,
        driver="",
        host="",
        capabilities=tuple(Capability),
        limits={Capability.FAN: Limits(options=("auto",))},
    ),
    shape=WHOLE,
)
# The most entities of one miner that are enabled without anybody's doing.
MOST: Final = {detail: _count(_ABLE, detail) for detail in Detail}


class LevelKeeper:
    """Keeps a site within the number of entities that Home Assistant allows it."""

    def __init__(self, fleet: Fleet) -> None:
        """Know nothing yet; ``async_start`` looks."""
        self._fleet = fleet
        self._registered: defaultdict[str, list[er.RegistryEntry]] = defaultdict(list)
        # Enabled entities that are not of miners, and such of miners as somebody
        # enabled by hand.
        self._others = 0
        self._by_hand = 0
        self._counts: dict[tuple[str, Detail], tuple[Record, int]] = {}

    async def async_start(self) -> None:
        """Decide on the level, and take out of the registries what it does not show."""
        fleet = self._fleet
        self._look()
        fleet.level = self._decide()
        self._tell()
        await self._async_prune()
        self._registered.clear()

    @callback
    def async_watch(self) -> None:
        """Decide anew whenever a miner is new, or shows more than it did.

        It is to be told before those that add entities.
        """
        self._fleet.async_on_new_miners(self._grown)

    @callback
    def _grown(self, _: Iterable[MinerCoordinator]) -> None:
        level = self._decide()
        if level.detail < self._fleet.detail:
            self._fleet.level = level
            hass, entry = self._fleet.hass, self._fleet.entry
            LOGGER.info(
                "%s is shown at the level %s now", entry.title, level.detail.key
            )
            hass.config_entries.async_schedule_reload(entry.entry_id)

    def _decide(self) -> Level:
        fleet = self._fleet
        return decide(fleet.detail_option, len(fleet.inventory.records), self._fits)

    def _fits(self, detail: Detail) -> bool:
        records = self._fleet.inventory.records.values()
        room = MAX_ENABLED_ENTITIES_PER_CONFIG_ENTRY - RESERVE - self._others
        if detail is Detail.FULL:
            # Only there are entities that are not enabled from the start.
            room -= self._by_hand
        if MOST[detail] * len(records) <= room:
            return True
        return sum(self._needs(record, detail) for record in records) <= room

    def _needs(self, record: Record, detail: Detail) -> int:
        """Return how many entities a miner needs; one never read may need the most."""
        if not record.shape.fields:
            return MOST[detail]
        known, count = self._counts.get((record.id, detail), (None, 0))
        if known is not record:
            count = _count(record, detail)
            self._counts[record.id, detail] = record, count
        return count

    def _look(self) -> None:
        fleet = self._fleet
        registry = er.async_get(fleet.hass)
        for entry in er.async_entries_for_config_entry(registry, fleet.entry.entry_id):
            if (record_id := self._record_id(entry)) is not None:
                self._registered[record_id].append(entry)
            elif entry.disabled_by is None:
                self._others += 1
        if choose(fleet.detail_option, len(fleet.inventory.records)) is Detail.FULL:
            self._by_hand = sum(1 for _ in self._enabled_by_hand())

    def _record_id(self, entry: er.RegistryEntry) -> str | None:
        """Return the miner that an entity is of; what follows has underscores too."""
        records, unique_id = self._fleet.inventory.records, entry.unique_id
        end = unique_id.rfind("_")
        while end > 0:
            if unique_id[:end] in records:
                return unique_id[:end]
            end = unique_id.rfind("_", 0, end)
        return None

    def _enabled_by_hand(self) -> Iterator[er.RegistryEntry]:
        for record_id, entries in self._registered.items():
            record = self._fleet.inventory.records[record_id]
            off = {
                (platform, part.key)
                for platform, part in parts_of(record, Detail.FULL)
                if not part.description.entity_registry_enabled_default
            }
            for entry in entries:
                if entry.disabled_by is None and _key(entry, record) in off:
                    yield entry

    @callback
    def _tell(self) -> None:
        """Tell the user where the level that they chose is too much."""
        fleet = self._fleet
        level = fleet.level
        if (
            level.reason is Reason.NUMBER_OF_ENTITIES
            and fleet.detail_option != AUTOMATIC
        ):
            async_detail_issue(
                fleet.hass, fleet.entry, level.wanted.key, level.detail.key
            )
        else:
            async_clear_detail_issue(fleet.hass, fleet.entry.entry_id)

    async def _async_prune(self) -> None:
        """Remove what only a finer level shows; it comes back as it was with that.

        What a device merely ceased to tell stays.
        """
        registry, inventory = er.async_get(self._fleet.hass), self._fleet.inventory
        for done, (record_id, entries) in enumerate(self._registered.items(), 1):
            for entry in self._unwanted(inventory.records[record_id], entries):
                registry.async_remove(entry.entity_id)
            if done % _AT_ONCE == 0:
                await asyncio.sleep(0)
        if self._fleet.detail is Detail.FLEET:
            await self._async_prune_devices()

    def _unwanted(
        self, record: Record, entries: Iterable[er.RegistryEntry]
    ) -> list[er.RegistryEntry]:
        detail = self._fleet.detail
        if detail is Detail.FULL:
            return []
        wanted = _keys(record, detail)
        found = [entry for entry in entries if _key(entry, record) not in wanted]
        known = _keys(record, Detail.FULL) if found else set()
        return [entry for entry in found if _key(entry, record) in known]

    async def _async_prune_devices(self) -> None:
        registry = dr.async_get(self._fleet.hass)
        for done, record_id in enumerate(list(self._fleet.inventory.records), 1):
            if device := registered(self._fleet, record_id):
                registry.async_remove_device(device.id)
            if done % _AT_ONCE == 0:
                await asyncio.sleep(0)


def _key(entry: er.RegistryEntry, record: Record) -> tuple[str, str]:
    return entry.domain, entry.unique_id[len(record.id) + 1 :]

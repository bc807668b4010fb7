"""Sensors of the miners and of the site."""

from collections.abc import Iterator

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .attached_entity import add_attached_entities
from .const import CONF_TEMPERATURE_ENTITY
from .coordinator import MiningConfigEntry
from .detail import Detail
from .inventory import Record, Shape
from .platform import Part, async_add_miner_entities
from .sensor_attached import attached_sensors
from .sensor_container import container_sensors
from .sensor_market import market_sensors
from .sensor_miner import DESCRIPTIONS, ENERGY, MinerEnergySensor, MinerSensor
from .sensor_part import BOARD, FAN, POOL, MinerPartSensor
from .sensor_site import (
    OTHER_WORK,
    SITE_DESCRIPTIONS,
    USUAL_WORK,
    SiteEnergySensor,
    SiteSensor,
    SiteTemperatureSensor,
)
from .work_units import each_work

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: MiningConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the sensors of a site."""
    fleet = entry.runtime_data
    async_add_entities(
        [
            SiteEnergySensor(fleet),
            *(SiteSensor(fleet, description) for description in SITE_DESCRIPTIONS),
        ]
    )
    async_add_entities(market_sensors(entry))
    if temperature := entry.options.get(CONF_TEMPERATURE_ENTITY):
        async_add_entities([SiteTemperatureSensor(fleet, temperature)])
    _add_work(entry, async_add_entities)
    add_attached_entities(entry, async_add_entities, attached_sensors)
    add_attached_entities(entry, async_add_entities, container_sensors)
    await async_add_miner_entities(entry, async_add_entities, parts_of)


def _add_work(
    entry: MiningConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the site's work of each algorithm, also of those that come later."""
    fleet = entry.runtime_data
    known: set[str] = set()

    @callback
    def add() -> None:
        new = [
            d
            for d in each_work(fleet.totals, USUAL_WORK, OTHER_WORK)
            if d.key not in known
        ]
        if new:
            known.update(description.key for description in new)
            async_add_entities([SiteSensor(fleet, description) for description in new])

    add()
    entry.async_on_unload(fleet.async_on_update(add))


def parts_of(record: Record, detail: Detail) -> Iterator[Part]:
    """Yield the sensors that a miner has at a level of detail."""
    shape = record.shape
    for description in DESCRIPTIONS:
        if detail >= description.detail and description.exists_fn(shape):
            yield Part(MinerSensor, description)
    if detail >= Detail.STANDARD and "power" in shape.fields:
        yield Part(MinerEnergySensor, ENERGY)
    if detail >= Detail.FULL:
        yield from _of_its_parts(shape)


def _of_its_parts(shape: Shape) -> Iterator[Part]:
    for descriptions, indexes in (
        (BOARD, shape.boards),
        (FAN, shape.fans),
        (POOL, shape.pools),
    ):
        for description in descriptions:
            if description.exists_fn(shape):
                for index in sorted(indexes):
                    yield Part(MinerPartSensor, description, index)

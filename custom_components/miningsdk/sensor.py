"""Sensors of the miners and of the site."""

from collections.abc import Iterator

from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .attached_entity import add_attached_entities
from .const import CONF_TEMPERATURE_ENTITY
from .coordinator import MinerCoordinator, MiningConfigEntry
from .detail import Detail
from .entity import MinerEntity
from .platform import add_miner_entities
from .sensor_attached import attached_sensors
from .sensor_container import container_sensors
from .sensor_market import market_sensors
from .sensor_miner import DESCRIPTIONS, MinerEnergySensor, MinerSensor
from .sensor_part import BOARD, FAN, POOL, MinerPartSensor
from .sensor_site import (
    SITE_DESCRIPTIONS,
    SiteEnergySensor,
    SiteSensor,
    SiteTemperatureSensor,
)

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
    add_miner_entities(entry, async_add_entities, _sensors)
    add_attached_entities(entry, async_add_entities, attached_sensors)
    add_attached_entities(entry, async_add_entities, container_sensors)


def _sensors(coordinator: MinerCoordinator, detail: Detail) -> Iterator[MinerEntity]:
    shape = coordinator.record.shape
    for description in DESCRIPTIONS:
        if detail >= description.detail and description.exists_fn(shape):
            yield MinerSensor(coordinator, description)
    if detail >= Detail.STANDARD and "power" in shape.fields:
        yield MinerEnergySensor(coordinator)
    if detail >= Detail.FULL:
        yield from _part_sensors(coordinator)


def _part_sensors(coordinator: MinerCoordinator) -> Iterator[MinerEntity]:
    shape = coordinator.record.shape
    for descriptions, indexes in (
        (BOARD, shape.boards),
        (FAN, shape.fans),
        (POOL, shape.pools),
    ):
        for description in descriptions:
            if description.exists_fn(shape):
                for index in sorted(indexes):
                    yield MinerPartSensor(coordinator, description, index)

"""Numbers: power limit, throttle, fan, target temperature, frequency and voltage."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import override

from homeassistant.components.number import (
    NumberDeviceClass,
    NumberEntity,
    NumberEntityDescription,
)
from homeassistant.const import (
    EntityCategory,
    UnitOfElectricPotential,
    UnitOfFrequency,
    UnitOfPower,
    UnitOfRatio,
    UnitOfTemperature,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .attached_entity import add_attached_entities
from .container_alarms import alarm_limits
from .controls_attached import attached_numbers
from .coordinator import MiningConfigEntry
from .detail import Detail
from .entity import MinerEntity
from .inventory import Record
from .lean import lean
from .platform import Part, async_add_miner_entities
from .sdk import Capability, Limits, Miner, MinerStats

PARALLEL_UPDATES = 16


@dataclass(frozen=True, kw_only=True)
class MinerNumberDescription(NumberEntityDescription):
    """A number of a miner; its range is what the device tells."""

    capability: Capability
    value_fn: Callable[[MinerStats], float | None]
    set_fn: Callable[[Miner, float], Awaitable[None]]
    entity_category: EntityCategory | None = EntityCategory.CONFIG


DESCRIPTIONS = (
    MinerNumberDescription(
        key="power_limit",
        translation_key="power_limit",
        device_class=NumberDeviceClass.POWER,
        native_unit_of_measurement=UnitOfPower.WATT,
        capability=Capability.POWER_LIMIT,
        value_fn=lambda stats: stats.power_limit,
        set_fn=lambda miner, value: miner.set_power_limit(value),
    ),
    MinerNumberDescription(
        key="throttle",
        translation_key="throttle",
        native_unit_of_measurement=UnitOfRatio.PERCENTAGE,
        capability=Capability.THROTTLE,
        value_fn=lambda stats: stats.settings.throttle,
        set_fn=lambda miner, value: miner.set_throttle(value),
    ),
    MinerNumberDescription(
        key="fan",
        translation_key="fan_duty",
        native_unit_of_measurement=UnitOfRatio.PERCENTAGE,
        capability=Capability.FAN,
        value_fn=lambda stats: stats.settings.fan,
        set_fn=lambda miner, value: miner.set_fan(value),
    ),
    MinerNumberDescription(
        key="target_temperature",
        translation_key="target_temperature",
        device_class=NumberDeviceClass.TEMPERATURE,
        native_unit_of_measurement=UnitOfTemperature.CELSIUS,
        capability=Capability.TARGET_TEMPERATURE,
        value_fn=lambda stats: stats.settings.target_temperature,
        set_fn=lambda miner, value: miner.set_target_temperature(value),
    ),
    MinerNumberDescription(
        key="frequency",
        translation_key="frequency",
        device_class=NumberDeviceClass.FREQUENCY,
        native_unit_of_measurement=UnitOfFrequency.MEGAHERTZ,
        capability=Capability.FREQUENCY,
        value_fn=lambda stats: stats.settings.frequency,
        set_fn=lambda miner, value: miner.set_frequency(value),
    ),
    MinerNumberDescription(
        key="voltage",
        translation_key="voltage",
        device_class=NumberDeviceClass.VOLTAGE,
        native_unit_of_measurement=UnitOfElectricPotential.VOLT,
        capability=Capability.VOLTAGE,
        value_fn=lambda stats: stats.settings.voltage,
        set_fn=lambda miner, value: miner.set_voltage(value),
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: MiningConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the numbers of a site."""
    add_attached_entities(entry, async_add_entities, attached_numbers)
    add_attached_entities(entry, async_add_entities, alarm_limits)
    await async_add_miner_entities(entry, async_add_entities, parts_of)


def parts_of(record: Record, detail: Detail) -> Iterator[Part]:
    """Yield the numbers that a miner has at a level of detail.

    Below the finest, actions do the same for any number of miners.
    """
    for description in DESCRIPTIONS if detail >= Detail.FULL else ():
        if description.capability in record.info.capabilities:
            yield Part(MinerNumber, description)


@lean
class MinerNumber(MinerEntity, NumberEntity):
    """A number of a miner."""

    entity_description: MinerNumberDescription

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Set the value, and wait for the device to confirm it."""
        await self.async_command(
            lambda miner: self.entity_description.set_fn(miner, value)
        )

    @override
    def _update(self) -> None:
        limits = self.coordinator.record.info.limits.get(
            self.entity_description.capability, Limits()
        )
        if limits.minimum is not None:
            self._attr_native_min_value = limits.minimum
        if limits.maximum is not None:
            self._attr_native_max_value = limits.maximum
        if limits.step is not None:
            self._attr_native_step = limits.step
        stats = self.coordinator.data
        self._attr_native_value = (
            None if stats is None else self.entity_description.value_fn(stats)
        )

    @override
    def _shown(self) -> object:
        return self._attr_native_value, self.native_min_value, self.native_max_value

"""What the miners that stand in a container come to."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory, UnitOfPower

from .attached import AttachedCoordinator
from .attached_entity import Part
from .const import UNIT_EFFICIENCY, UNIT_HASHRATE
from .sensor_attached import AttachedSensorBase
from .totals import Totals


@dataclass(frozen=True, kw_only=True)
class ContainerTotalDescription(SensorEntityDescription):
    """A total of the miners in a container."""

    value_fn: Callable[[Totals], float | None]
    state_class: SensorStateClass | None = SensorStateClass.MEASUREMENT


DESCRIPTIONS = (
    ContainerTotalDescription(
        key="miners_hashrate",
        translation_key="miners_hashrate",
        native_unit_of_measurement=UNIT_HASHRATE,
        suggested_display_precision=2,
        value_fn=lambda totals: totals.hashrate,
    ),
    ContainerTotalDescription(
        key="miners_power",
        translation_key="miners_power",
        device_class=SensorDeviceClass.POWER,
        native_unit_of_measurement=UnitOfPower.WATT,
        suggested_display_precision=0,
        value_fn=lambda totals: totals.power,
    ),
    ContainerTotalDescription(
        key="miners_efficiency",
        translation_key="efficiency",
        native_unit_of_measurement=UNIT_EFFICIENCY,
        suggested_display_precision=1,
        value_fn=lambda totals: totals.efficiency,
    ),
    ContainerTotalDescription(
        key="miners_online",
        translation_key="online",
        value_fn=lambda totals: totals.online,
    ),
    ContainerTotalDescription(
        key="miners_total",
        translation_key="total",
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda totals: totals.total,
    ),
)


def container_sensors(coordinator: AttachedCoordinator) -> Iterator[Part]:
    """Yield the totals of a container that was told which miners are in it."""
    if coordinator in coordinator.fleet.containers:
        for description in DESCRIPTIONS:
            yield description.key, ContainerTotalSensor, description


class ContainerTotalSensor(AttachedSensorBase):
    """A total of a container's miners, known even while the container is silent."""

    entity_description: ContainerTotalDescription

    def __init__(self, coordinator: AttachedCoordinator, key: str, what: Any) -> None:
        """Make the sensor of a description."""
        self.entity_description = what
        super().__init__(coordinator, key, what)

    @property
    @override
    def available(self) -> bool:
        """Return true: the miners answer for themselves."""
        return True

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the miners, not the container."""
        await super().async_added_to_hass()
        self.async_on_remove(self.coordinator.fleet.async_on_update(self._polled))

    @override
    def _update(self) -> None:
        self._attr_native_value = self.entity_description.value_fn(
            self.coordinator.totals
        )

"""What a container's miners come to, and what others measure for it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory, UnitOfPower, UnitOfTemperature
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers.event import async_track_state_change_event

from .attached import AttachedCoordinator
from .attached_entity import Part
from .attached_registry import FOLLOWED
from .const import (
    CONF_POWER_ENTITY,
    CONF_ROOM_ENTITY,
    CONF_TEMPERATURE_ENTITY,
    SUBENTRY_CONTAINER,
    UNIT_EFFICIENCY,
    UNIT_HASHRATE,
)
from .measured import async_power, async_temperature
from .sensor_attached import AttachedSensorBase
from .work_units import TotalsDescription, each_work, for_others

USUAL_WORK = (
    TotalsDescription(
        key="miners_hashrate",
        work="hashrate",
        translation_key="miners_hashrate",
        native_unit_of_measurement=UNIT_HASHRATE,
        suggested_display_precision=2,
        value_fn=lambda totals: totals.usual.hashrate,
    ),
    TotalsDescription(
        key="miners_efficiency",
        work="efficiency",
        translation_key="efficiency",
        native_unit_of_measurement=UNIT_EFFICIENCY,
        suggested_display_precision=1,
        value_fn=lambda totals: totals.usual.efficiency,
    ),
)
OTHER_WORK = for_others(USUAL_WORK)
DESCRIPTIONS = (
    TotalsDescription(
        key="miners_power",
        translation_key="miners_power",
        device_class=SensorDeviceClass.POWER,
        native_unit_of_measurement=UnitOfPower.WATT,
        suggested_display_precision=0,
        value_fn=lambda totals: totals.power,
    ),
    TotalsDescription(
        key="miners_online",
        translation_key="online",
        value_fn=lambda totals: totals.online,
    ),
    TotalsDescription(
        key="miners_total",
        translation_key="total",
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda totals: totals.total,
    ),
)


@dataclass(frozen=True, kw_only=True)
class FollowedDescription(SensorEntityDescription):
    """What another integration measures for a container, by an option of the user."""

    option: str
    value_fn: Callable[[HomeAssistant, str], float | None]
    state_class: SensorStateClass | None = SensorStateClass.MEASUREMENT


def _temperature(key: str, option: str) -> FollowedDescription:
    return FollowedDescription(
        key=key,
        translation_key=key,
        device_class=SensorDeviceClass.TEMPERATURE,
        native_unit_of_measurement=UnitOfTemperature.CELSIUS,
        suggested_display_precision=1,
        option=option,
        value_fn=async_temperature,
    )


FOLLOWED_DESCRIPTIONS = (
    FollowedDescription(
        key=FOLLOWED[CONF_POWER_ENTITY],
        device_class=SensorDeviceClass.POWER,
        native_unit_of_measurement=UnitOfPower.WATT,
        suggested_display_precision=0,
        option=CONF_POWER_ENTITY,
        value_fn=async_power,
    ),
    _temperature(FOLLOWED[CONF_TEMPERATURE_ENTITY], CONF_TEMPERATURE_ENTITY),
    _temperature(FOLLOWED[CONF_ROOM_ENTITY], CONF_ROOM_ENTITY),
)


def container_sensors(coordinator: AttachedCoordinator) -> Iterator[Part]:
    """Yield the totals of a container that was told which miners are in it.

    And what other integrations measure for it.
    """
    if coordinator in coordinator.fleet.containers:
        for description in (
            *each_work(coordinator.totals, USUAL_WORK, OTHER_WORK),
            *DESCRIPTIONS,
        ):
            yield description.key, ContainerTotalSensor, description
    if coordinator.subentry.subentry_type == SUBENTRY_CONTAINER:
        for followed in FOLLOWED_DESCRIPTIONS:
            if followed.option in coordinator.subentry.data:
                yield followed.key, FollowedSensor, followed


class ContainerTotalSensor(AttachedSensorBase):
    """A total of a container's miners, known even while the container is silent."""

    entity_description: TotalsDescription

    def __init__(self, coordinator: AttachedCoordinator, key: str, what: Any) -> None:
        """Make the sensor of a description."""
        self.entity_description = what
        self._attr_translation_placeholders = what.placeholders
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
        self.async_on_remove(self.coordinator.fleet.async_on_update(self.async_polled))

    @override
    def _update(self) -> None:
        self._attr_native_value = self.entity_description.value_fn(
            self.coordinator.totals
        )


class FollowedSensor(AttachedSensorBase):
    """What an entity of another integration measures for a container.

    It is known as long as that entity is, whether the container answers or not.
    """

    entity_description: FollowedDescription

    def __init__(self, coordinator: AttachedCoordinator, key: str, what: Any) -> None:
        """Make the sensor of a description."""
        self.entity_description = what
        self._source: str = coordinator.subentry.data[what.option]
        self._attr_extra_state_attributes = {"measured_by": self._source}
        super().__init__(coordinator, key, what)

    @property
    @override
    def available(self) -> bool:
        """Return true: an entity that tells nothing makes the value unknown."""
        return True

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the entity."""
        await super().async_added_to_hass()
        self.async_on_remove(
            async_track_state_change_event(self.hass, self._source, self._followed)
        )

    @callback
    def _followed(self, _: Event[EventStateChangedData]) -> None:
        self.async_polled()

    @override
    def _update(self) -> None:
        self._attr_native_value = self.entity_description.value_fn(
            self.coordinator.hass, self._source
        )

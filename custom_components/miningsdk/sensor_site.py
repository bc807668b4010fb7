"""What the miners of a site come to."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import override

from homeassistant.components.sensor import (
    RestoreSensor,
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory, UnitOfPower
from homeassistant.core import callback
from homeassistant.helpers.device_registry import DeviceInfo

from .const import DOMAIN, UNIT_EFFICIENCY, UNIT_HASHRATE
from .fleet import Fleet
from .sensor_miner import ENERGY, restored
from .totals import Totals


@dataclass(frozen=True, kw_only=True)
class SiteSensorDescription(SensorEntityDescription):
    """A sensor of a site."""

    value_fn: Callable[[Totals], float | None]
    state_class: SensorStateClass | None = SensorStateClass.MEASUREMENT


SITE_DESCRIPTIONS = (
    SiteSensorDescription(
        key="hashrate",
        translation_key="hashrate",
        native_unit_of_measurement=UNIT_HASHRATE,
        suggested_display_precision=2,
        value_fn=lambda totals: totals.hashrate,
    ),
    SiteSensorDescription(
        key="hashrate_expected",
        translation_key="hashrate_expected",
        native_unit_of_measurement=UNIT_HASHRATE,
        suggested_display_precision=2,
        value_fn=lambda totals: totals.hashrate_expected,
    ),
    SiteSensorDescription(
        key="power",
        device_class=SensorDeviceClass.POWER,
        native_unit_of_measurement=UnitOfPower.WATT,
        suggested_display_precision=0,
        value_fn=lambda totals: totals.power,
    ),
    SiteSensorDescription(
        key="efficiency",
        translation_key="efficiency",
        native_unit_of_measurement=UNIT_EFFICIENCY,
        suggested_display_precision=1,
        value_fn=lambda totals: totals.efficiency,
    ),
    SiteSensorDescription(
        key="online",
        translation_key="online",
        value_fn=lambda totals: totals.online,
    ),
    SiteSensorDescription(
        key="mining",
        translation_key="mining",
        value_fn=lambda totals: totals.mining,
    ),
    SiteSensorDescription(
        key="total",
        translation_key="total",
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda totals: totals.total,
    ),
)


class SiteEntity(SensorEntity):
    """An entity of a site."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, fleet: Fleet, description: SensorEntityDescription) -> None:
        """Make an entity of the site's own device."""
        self.fleet = fleet
        self.entity_description = description
        self._attr_unique_id = f"{fleet.entry.entry_id}_{description.key}"
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, fleet.entry.entry_id)}
        )
        self._update()

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the totals."""
        await super().async_added_to_hass()
        self._update()
        self.async_on_remove(self.fleet.async_on_update(self._changed))

    def _update(self) -> None:
        raise NotImplementedError

    @callback
    def _changed(self) -> None:
        before = self._attr_native_value
        self._update()
        if before != self._attr_native_value:
            self.async_write_ha_state()


class SiteSensor(SiteEntity):
    """A total of a site."""

    entity_description: SiteSensorDescription

    @override
    def _update(self) -> None:
        self._attr_native_value = self.entity_description.value_fn(self.fleet.totals)


class SiteEnergySensor(SiteEntity, RestoreSensor):
    """The energy that all miners of a site used, over restarts."""

    def __init__(self, fleet: Fleet) -> None:
        """Count what the fleet adds up."""
        super().__init__(fleet, ENERGY)

    @override
    async def async_added_to_hass(self) -> None:
        """Go on from where it was before the restart."""
        if (last := await self.async_get_last_sensor_data()) is not None:
            self.fleet.energy.total += restored(last.native_value)
        await super().async_added_to_hass()

    @override
    def _update(self) -> None:
        self._attr_native_value = round(self.fleet.energy.total, 4)

"""What the miners of a site come to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import override

from homeassistant.components.sensor import (
    RestoreSensor,
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory, UnitOfPower, UnitOfTemperature
from homeassistant.core import Event, EventStateChangedData, callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.event import async_track_state_change_event

from .const import DOMAIN, MAXIMUM_STATE_AGE, UNIT_EFFICIENCY, UNIT_HASHRATE
from .fleet import Fleet
from .measured import async_temperature
from .sensor_miner import ENERGY, stored_total, within_dead_band
from .work_units import TotalsDescription, for_others


@dataclass(frozen=True, kw_only=True)
class SiteSensorDescription(TotalsDescription):
    """A sensor of a site. A change within its dead band is not worth a write."""

    dead_band_ratio: float = 0.0
    attributes_fn: Callable[[Fleet], Mapping[str, str]] | None = None


def _level(fleet: Fleet) -> dict[str, str]:
    """Return how much of each miner is shown, and why."""
    return {"detail": fleet.detail.key, "detail_reason": fleet.level.reason}


USUAL_WORK = (
    SiteSensorDescription(
        key="hashrate",
        translation_key="hashrate",
        work="hashrate",
        native_unit_of_measurement=UNIT_HASHRATE,
        suggested_display_precision=2,
        value_fn=lambda totals: totals.usual.hashrate,
        dead_band_ratio=0.005,
    ),
    SiteSensorDescription(
        key="hashrate_expected",
        translation_key="hashrate_expected",
        work="hashrate_expected",
        native_unit_of_measurement=UNIT_HASHRATE,
        suggested_display_precision=2,
        value_fn=lambda totals: totals.usual.hashrate_expected,
        dead_band_ratio=0.005,
    ),
    SiteSensorDescription(
        key="efficiency",
        translation_key="efficiency",
        work="efficiency",
        native_unit_of_measurement=UNIT_EFFICIENCY,
        suggested_display_precision=1,
        value_fn=lambda totals: totals.usual.efficiency,
        dead_band_ratio=0.01,
    ),
)
OTHER_WORK = for_others(USUAL_WORK)
SITE_DESCRIPTIONS = (
    SiteSensorDescription(
        key="power",
        device_class=SensorDeviceClass.POWER,
        native_unit_of_measurement=UnitOfPower.WATT,
        suggested_display_precision=0,
        value_fn=lambda totals: totals.power,
        dead_band_ratio=0.005,
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
        attributes_fn=_level,
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
        self._written: object = None
        self._written_at = 0.0
        self._update()

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the totals."""
        await super().async_added_to_hass()
        self._update()
        self._written = self._attr_native_value
        self._written_at = self.fleet.hass.loop.time()
        self.async_on_remove(self.fleet.async_on_update(self._changed))

    def _update(self) -> None:
        raise NotImplementedError

    def _same(self, written: object, age: float) -> bool:
        """Tell whether the new value may stand for the one written ``age`` s ago."""
        raise NotImplementedError

    @callback
    def _changed(self) -> None:
        """Write the state when it differs, or when the written one is old."""
        self._update()
        now = self.fleet.hass.loop.time()
        age = now - self._written_at
        if age < MAXIMUM_STATE_AGE and self._same(self._written, age):
            return
        self._written, self._written_at = self._attr_native_value, now
        self.async_write_ha_state()


class SiteSensor(SiteEntity):
    """A total of a site."""

    entity_description: SiteSensorDescription
    _unrecorded_attributes = frozenset({"detail", "detail_reason"})

    def __init__(self, fleet: Fleet, description: SiteSensorDescription) -> None:
        """Make the sensor of a description."""
        self._attr_translation_placeholders = description.placeholders
        super().__init__(fleet, description)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, str] | None:
        """Return what the description has to tell besides."""
        tell = self.entity_description.attributes_fn
        return None if tell is None else tell(self.fleet)

    @override
    def _update(self) -> None:
        self._attr_native_value = self.entity_description.value_fn(self.fleet.totals)

    @override
    def _same(self, written: object, age: float) -> bool:
        ratio = self.entity_description.dead_band_ratio
        return within_dead_band(self._attr_native_value, written, ratio=ratio)


class SiteEnergySensor(SiteEntity, RestoreSensor):
    """The energy that all miners of a site used, over restarts."""

    def __init__(self, fleet: Fleet) -> None:
        """Count what the fleet adds up."""
        super().__init__(fleet, ENERGY)

    @override
    async def async_added_to_hass(self) -> None:
        """Go on from where it was before the restart."""
        self.fleet.energy.restore(stored_total(await self.async_get_last_sensor_data()))
        await super().async_added_to_hass()

    @override
    def _update(self) -> None:
        self._attr_native_value = round(self.fleet.energy.total, 4)

    @override
    def _same(self, written: object, age: float) -> bool:
        # Each reading of each miner adds to it: as often as one miner's will do.
        return self._attr_native_value == written or age < self.fleet.interval


class SiteTemperatureSensor(SiteEntity):
    """The inlet or room temperature of a site, which another integration measures."""

    def __init__(self, fleet: Fleet, entity_id: str) -> None:
        """Show the temperature of an entity that the user named."""
        self._source = entity_id
        super().__init__(fleet, TEMPERATURE)

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the entity."""
        await super().async_added_to_hass()
        self.async_on_remove(
            async_track_state_change_event(self.hass, self._source, self._followed)
        )

    @callback
    def _followed(self, _: Event[EventStateChangedData]) -> None:
        self._changed()

    @override
    def _update(self) -> None:
        self._attr_native_value = async_temperature(self.fleet.hass, self._source)

    @override
    def _same(self, written: object, age: float) -> bool:
        return self._attr_native_value == written


TEMPERATURE = SensorEntityDescription(
    key="temperature_inlet",
    translation_key="temperature_inlet",
    device_class=SensorDeviceClass.TEMPERATURE,
    state_class=SensorStateClass.MEASUREMENT,
    native_unit_of_measurement=UnitOfTemperature.CELSIUS,
    suggested_display_precision=1,
)

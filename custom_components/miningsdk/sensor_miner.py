"""What one miner measures, as one table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite
from typing import Any, override

from homeassistant.components.sensor import (
    RestoreSensor,
    SensorDeviceClass,
    SensorEntityDescription,
    SensorExtraStoredData,
    SensorStateClass,
)
from homeassistant.const import (
    REVOLUTIONS_PER_MINUTE,
    EntityCategory,
    UnitOfEnergy,
    UnitOfPower,
    UnitOfRatio,
    UnitOfTemperature,
)
from homeassistant.util import dt as dt_util

from .const import UNIT_EFFICIENCY, UNIT_HASHRATE
from .detail import Detail
from .entity import MinerEntity
from .inventory import Shape
from .lean import lean
from .measured import name_of
from .positions import PARTS
from .sdk import MinerStats, MinerStatus
from .sdk.algorithms import Quantity
from .work_units import WorkSensor

type Value = str | int | float | datetime | None


@dataclass(frozen=True, kw_only=True)
class MinerSensorDescription(SensorEntityDescription):
    """A sensor of a miner. A change within ``dead_band`` is not worth a write.

    A ``quantity`` of work is shown in the unit that its algorithm is counted in.
    """

    value_fn: Callable[[MinerStats], Value]
    exists_fn: Callable[[Shape], bool]
    dead_band: float = 0.0
    # Where the noise grows with the value: this share of it, if that is more.
    dead_band_ratio: float = 0.0
    # Where there are many miners, the bands are so many times as wide.
    widened: float = 1.0
    detail: Detail = Detail.FULL
    quantity: Quantity | None = None


def _shows(*names: str) -> Callable[[Shape], bool]:
    return lambda shape: any(name in shape.fields for name in names)


def _rejected_ratio(stats: MinerStats) -> float | None:
    if stats.accepted is None or stats.rejected is None:
        return None
    shares = stats.accepted + stats.rejected
    return round(100 * stats.rejected / shares, 3) if shares else None


def _fan_speed(stats: MinerStats) -> float | None:
    return max((f.speed for f in stats.fans if f.speed is not None), default=None)


def _started(stats: MinerStats) -> datetime | None:
    if stats.uptime is None:
        return None
    return dt_util.utcnow() - timedelta(seconds=stats.uptime)


def _active_pool(stats: MinerStats) -> str | None:
    return next(
        (p.url for p in stats.pools if p.status is not None and p.status == "active"),
        None,
    )


def _temperature(
    key: str, value_fn: Callable[[MinerStats], Value], *, default: bool = False
) -> MinerSensorDescription:
    return MinerSensorDescription(
        key=key,
        translation_key=key,
        device_class=SensorDeviceClass.TEMPERATURE,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfTemperature.CELSIUS,
        suggested_display_precision=0,
        entity_registry_enabled_default=default,
        value_fn=value_fn,
        exists_fn=_shows(key),
        dead_band=1.0,
        widened=2.0,
        detail=Detail.STANDARD if default else Detail.FULL,
    )


def _hashrate(
    key: str, value_fn: Callable[[MinerStats], Value], *, default: bool = False
) -> MinerSensorDescription:
    return MinerSensorDescription(
        key=key,
        translation_key=key,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UNIT_HASHRATE,
        suggested_display_precision=2,
        entity_registry_enabled_default=default,
        value_fn=value_fn,
        exists_fn=_shows(key) if not default else lambda _: True,
        dead_band_ratio=0.005,
        widened=10.0,
        detail=Detail.COMPACT if default else Detail.FULL,
        quantity="hashrate",
    )


def _counter(
    key: str, value_fn: Callable[[MinerStats], Value]
) -> MinerSensorDescription:
    return MinerSensorDescription(
        key=key,
        translation_key=key,
        state_class=SensorStateClass.TOTAL_INCREASING,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=value_fn,
        exists_fn=_shows(key),
    )


DESCRIPTIONS: tuple[MinerSensorDescription, ...] = (
    MinerSensorDescription(
        key="status",
        translation_key="status",
        device_class=SensorDeviceClass.ENUM,
        options=[status.value for status in MinerStatus],
        value_fn=lambda stats: stats.status.value,
        exists_fn=lambda _: True,
        detail=Detail.COMPACT,
    ),
    _hashrate("hashrate", lambda stats: stats.hashrate, default=True),
    _hashrate("hashrate_average", lambda stats: stats.hashrate_average),
    _hashrate("hashrate_expected", lambda stats: stats.hashrate_expected),
    MinerSensorDescription(
        key="power",
        device_class=SensorDeviceClass.POWER,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfPower.WATT,
        suggested_display_precision=0,
        value_fn=lambda stats: stats.power,
        exists_fn=_shows("power"),
        dead_band_ratio=0.005,
        widened=4.0,
        detail=Detail.STANDARD,
    ),
    MinerSensorDescription(
        key="efficiency",
        translation_key="efficiency",
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UNIT_EFFICIENCY,
        suggested_display_precision=1,
        value_fn=lambda stats: stats.efficiency,
        exists_fn=_shows("efficiency"),
        dead_band_ratio=0.01,
        widened=5.0,
        detail=Detail.STANDARD,
        quantity="efficiency",
    ),
    _temperature("temperature_chip", lambda s: s.temperature_chip, default=True),
    _temperature("temperature_board", lambda s: s.temperature_board),
    _temperature("temperature_inlet", lambda s: s.temperature_inlet),
    _temperature("temperature_outlet", lambda s: s.temperature_outlet),
    _temperature("temperature_ambient", lambda s: s.temperature_ambient),
    MinerSensorDescription(
        key="fan_speed",
        translation_key="fan_speed",
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=REVOLUTIONS_PER_MINUTE,
        suggested_display_precision=0,
        value_fn=_fan_speed,
        exists_fn=_shows("fans.speed"),
        dead_band=60.0,
    ),
    MinerSensorDescription(
        key="rejected_ratio",
        translation_key="rejected_ratio",
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfRatio.PERCENTAGE,
        suggested_display_precision=2,
        value_fn=_rejected_ratio,
        exists_fn=_shows("accepted"),
        dead_band=0.01,
    ),
    MinerSensorDescription(
        key="power_limit",
        translation_key="power_limit",
        device_class=SensorDeviceClass.POWER,
        native_unit_of_measurement=UnitOfPower.WATT,
        suggested_display_precision=0,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda stats: stats.power_limit,
        exists_fn=_shows("power_limit"),
    ),
    MinerSensorDescription(
        key="power_mode",
        translation_key="power_mode",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda stats: stats.power_mode,
        exists_fn=_shows("power_mode"),
    ),
    _counter("accepted", lambda stats: stats.accepted),
    _counter("rejected", lambda stats: stats.rejected),
    _counter("stale", lambda stats: stats.stale),
    _counter("hardware_errors", lambda stats: stats.hardware_errors),
    MinerSensorDescription(
        key="best_difficulty",
        translation_key="best_difficulty",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        suggested_display_precision=0,
        value_fn=lambda stats: stats.best_difficulty,
        exists_fn=_shows("best_difficulty"),
    ),
    MinerSensorDescription(
        key="uptime",
        device_class=SensorDeviceClass.UPTIME,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=_started,
        exists_fn=_shows("uptime"),
    ),
    MinerSensorDescription(
        key="active_pool",
        translation_key="active_pool",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=_active_pool,
        exists_fn=lambda shape: bool(shape.pools),
    ),
)


@lean
class MinerSensor(MinerEntity, WorkSensor):
    """A sensor of a miner."""

    entity_description: MinerSensorDescription
    _unrecorded_attributes = frozenset({"measured_by", *PARTS})

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Return where the miner is, or what measures its power if it does not."""
        key, coordinator = self.entity_description.key, self.coordinator
        if key == "status":
            return coordinator.position.as_dict()
        plug = coordinator.plug if key == "power" else None
        return None if plug is None else {"measured_by": name_of(plug)}

    @override
    def _update(self) -> None:
        stats, description = self.coordinator.data, self.entity_description
        self._attr_native_value = self._in_own_unit(
            None if stats is None else description.value_fn(stats),
            description.quantity,
            self.coordinator.record.info.algorithm,
        )

    @override
    def _shown(self) -> object:
        if self.entity_description.key == "status":
            return self._attr_native_value, self.coordinator.position
        return self._attr_native_value

    @override
    def _same(self, shown: object, written: object) -> bool:
        description = self.entity_description
        times = description.widened if self._of_many else 1.0
        return within_dead_band(
            shown,
            written,
            band=times * description.dead_band,
            ratio=times * description.dead_band_ratio,
        )


def within_dead_band(
    shown: object, written: object, *, band: float = 0.0, ratio: float = 0.0
) -> bool:
    """Tell whether a new value differs too little from the written one."""
    if isinstance(shown, datetime) and isinstance(written, datetime):
        return abs(shown - written) < timedelta(minutes=1)
    if (
        isinstance(shown, int | float)
        and isinstance(written, int | float)
        # Zero is never noise: it means that something stopped or started.
        and shown
        and written
    ):
        widest = max(band, ratio * abs(written))
        return abs(shown - written) < widest or shown == written
    return shown == written


@lean
class MinerEnergySensor(MinerEntity, RestoreSensor):
    """The energy a miner used since it was added, over restarts."""

    @property
    @override
    def available(self) -> bool:
        """An energy that was used stays known while the miner is off."""
        return True

    @override
    async def async_added_to_hass(self) -> None:
        """Go on from where it was before the restart."""
        self.coordinator.energy.restore(
            stored_total(await self.async_get_last_sensor_data())
        )
        await super().async_added_to_hass()

    @override
    def _update(self) -> None:
        self._attr_native_value = round(self.coordinator.energy.total, 4)

    @override
    def _shown(self) -> object:
        return self._attr_native_value

    @override
    def _same(self, shown: object, written: object) -> bool:
        # Each reading adds to it; of many miners, each maximum age is often enough.
        return shown == written or self._of_many


def stored_total(last: SensorExtraStoredData | None) -> float:
    """Return the total of an earlier run, or zero when there is none that counts."""
    try:
        total = float(str(last.native_value)) if last else 0.0
    except ValueError:
        return 0.0
    return total if isfinite(total) and total > 0 else 0.0


ENERGY = SensorEntityDescription(
    key="energy",
    device_class=SensorDeviceClass.ENERGY,
    state_class=SensorStateClass.TOTAL_INCREASING,
    native_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
    suggested_display_precision=2,
)

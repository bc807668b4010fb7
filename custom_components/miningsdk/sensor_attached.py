"""Sensors of meters, sensors, containers and pool accounts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import (
    EntityCategory,
    UnitOfApparentPower,
    UnitOfElectricCurrent,
    UnitOfElectricPotential,
    UnitOfEnergy,
    UnitOfFrequency,
    UnitOfPower,
    UnitOfReactivePower,
)

from .attached import AttachedCoordinator
from .attached_entity import AttachedEntity, Part
from .const import CONF_POWER_ENTITY, UNIT_BITCOIN, UNIT_HASHRATE
from .containers import socket_name
from .sdk import (
    Capability,
    ContainerStats,
    ContainerStatus,
    MeterStats,
    PoolStats,
    Reading,
    Setpoint,
    Socket,
)

_MEASUREMENT = SensorStateClass.MEASUREMENT
_PHASES = 3


@dataclass(frozen=True, kw_only=True)
class AttachedSensorDescription(SensorEntityDescription):
    """A sensor of one kind of device."""

    kind: type[Any]
    value_fn: Callable[[Any], str | float | datetime | None]
    placeholders: dict[str, str] | None = None


def _meter(
    key: str,
    device_class: SensorDeviceClass | None,
    unit: str | None,
    *,
    state_class: SensorStateClass = _MEASUREMENT,
    enabled: bool = True,
    translation_key: str | None = None,
) -> AttachedSensorDescription:
    return AttachedSensorDescription(
        key=key,
        kind=MeterStats,
        device_class=device_class,
        native_unit_of_measurement=unit,
        state_class=state_class,
        translation_key=translation_key,
        entity_registry_enabled_default=enabled,
        value_fn=lambda stats: getattr(stats, key),
    )


def _phase(
    field: str, number: int, device_class: SensorDeviceClass, unit: str
) -> AttachedSensorDescription:
    return AttachedSensorDescription(
        key=f"{field}_{number + 1}",
        kind=MeterStats,
        translation_key=field,
        placeholders={"number": str(number + 1)},
        device_class=device_class,
        native_unit_of_measurement=unit,
        state_class=_MEASUREMENT,
        entity_registry_enabled_default=False,
        value_fn=lambda stats: _at(getattr(stats, field), number),
    )


def _at(values: tuple[float | None, ...], number: int) -> float | None:
    return values[number] if number < len(values) else None


def _pool(
    key: str,
    unit: str | None,
    *,
    state_class: SensorStateClass | None = _MEASUREMENT,
    device_class: SensorDeviceClass | None = None,
    precision: int | None = None,
    enabled: bool = True,
) -> AttachedSensorDescription:
    return AttachedSensorDescription(
        key=key,
        kind=PoolStats,
        entity_registry_enabled_default=enabled,
        translation_key=f"pool_account_{key}",
        device_class=device_class,
        native_unit_of_measurement=unit,
        state_class=state_class,
        suggested_display_precision=precision,
        value_fn=lambda stats: getattr(stats, key),
    )


_ENERGY = SensorDeviceClass.ENERGY
_KWH = UnitOfEnergy.KILO_WATT_HOUR

DESCRIPTIONS: tuple[AttachedSensorDescription, ...] = (
    _meter("power", SensorDeviceClass.POWER, UnitOfPower.WATT),
    _meter(
        "energy_import",
        _ENERGY,
        _KWH,
        state_class=SensorStateClass.TOTAL_INCREASING,
        translation_key="energy_import",
    ),
    _meter(
        "energy_export",
        _ENERGY,
        _KWH,
        state_class=SensorStateClass.TOTAL_INCREASING,
        translation_key="energy_export",
    ),
    _meter(
        "power_reactive",
        SensorDeviceClass.REACTIVE_POWER,
        UnitOfReactivePower.VOLT_AMPERE_REACTIVE,
        enabled=False,
    ),
    _meter(
        "power_apparent",
        SensorDeviceClass.APPARENT_POWER,
        UnitOfApparentPower.VOLT_AMPERE,
        enabled=False,
    ),
    _meter("power_factor", SensorDeviceClass.POWER_FACTOR, None, enabled=False),
    _meter(
        "frequency", SensorDeviceClass.FREQUENCY, UnitOfFrequency.HERTZ, enabled=False
    ),
    *(
        _phase(field, number, device_class, unit)
        for field, device_class, unit in (
            ("power_phase", SensorDeviceClass.POWER, UnitOfPower.WATT),
            (
                "voltage_phase",
                SensorDeviceClass.VOLTAGE,
                UnitOfElectricPotential.VOLT,
            ),
            (
                "current_phase",
                SensorDeviceClass.CURRENT,
                UnitOfElectricCurrent.AMPERE,
            ),
        )
        for number in range(_PHASES)
    ),
    AttachedSensorDescription(
        key="status",
        kind=ContainerStats,
        translation_key="container_status",
        device_class=SensorDeviceClass.ENUM,
        options=[status.value for status in ContainerStatus],
        value_fn=lambda stats: stats.status.value,
    ),
    AttachedSensorDescription(
        key="power",
        kind=ContainerStats,
        device_class=SensorDeviceClass.POWER,
        native_unit_of_measurement=UnitOfPower.WATT,
        state_class=_MEASUREMENT,
        value_fn=lambda stats: stats.power,
    ),
    _pool("hashrate_5m", UNIT_HASHRATE, precision=2),
    _pool("hashrate_1h", UNIT_HASHRATE, precision=2),
    _pool("hashrate_24h", UNIT_HASHRATE, precision=2),
    _pool("workers_active", None),
    _pool("workers_total", None),
    _pool("balance", UNIT_BITCOIN, precision=8),
    _pool("paid_total", UNIT_BITCOIN, precision=8),
    _pool("earnings_24h", UNIT_BITCOIN, precision=8),
    _pool("estimated_24h", UNIT_BITCOIN, precision=8),
    _pool(
        "last_share",
        None,
        state_class=None,
        device_class=SensorDeviceClass.TIMESTAMP,
        # Each of them would be a line of the activity list.
        enabled=False,
    ),
)

# The unit tells what a reading is; a percentage may be many things.
_CLASSES = {
    "°C": SensorDeviceClass.TEMPERATURE,
    "bar": SensorDeviceClass.PRESSURE,
    "L/min": SensorDeviceClass.VOLUME_FLOW_RATE,
    "W": SensorDeviceClass.POWER,
    "VA": SensorDeviceClass.APPARENT_POWER,
    "var": SensorDeviceClass.REACTIVE_POWER,
    "kWh": SensorDeviceClass.ENERGY,
    "V": SensorDeviceClass.VOLTAGE,
    "A": SensorDeviceClass.CURRENT,
    "Hz": SensorDeviceClass.FREQUENCY,
}

# Of the many values of a container, those that few people look at.
_SELDOM_WANTED = frozenset({"A", "V", "Hz", "VA", "var", "°", None})


def attached_sensors(coordinator: AttachedCoordinator) -> Iterator[Part]:
    """Yield the sensors of a device, as far as its readings show them."""
    stats = coordinator.data
    for description in DESCRIPTIONS:
        if (
            isinstance(stats, description.kind)
            and description.value_fn(stats) is not None
            and not _is_measured_elsewhere(coordinator, description)
        ):
            yield description.key, AttachedSensor, description
    for reading in getattr(stats, "readings", ()):
        if _is_shown(reading):
            yield f"reading_{reading.key}", ReadingSensor, reading
    for socket in getattr(stats, "sockets", ()):
        if socket.power is not None:
            yield f"socket_{socket.index}_power", SocketPowerSensor, socket
    if Capability.SETPOINT not in coordinator.device.info.capabilities:
        for setpoint in getattr(stats, "setpoints", ()):
            yield f"setpoint_{setpoint.key}", SetpointSensor, setpoint


def _is_measured_elsewhere(
    coordinator: AttachedCoordinator, description: AttachedSensorDescription
) -> bool:
    """Tell whether the user named an entity that measures this for a container."""
    return (
        description.kind is ContainerStats
        and description.key == "power"
        and CONF_POWER_ENTITY in coordinator.subentry.data
    )


def _is_shown(reading: Reading) -> bool:
    """Tell whether a reading is a number or a text, as far as that is known yet."""
    if reading.value is None:
        return reading.unit is not None
    return not isinstance(reading.value, bool)


class AttachedSensorBase(AttachedEntity, SensorEntity):
    """A sensor of a device that was configured by hand."""

    @override
    def _shown(self) -> object:
        return self._attr_native_value


class AttachedSensor(AttachedSensorBase):
    """A sensor that all devices of a kind have."""

    entity_description: AttachedSensorDescription

    def __init__(
        self,
        coordinator: AttachedCoordinator,
        key: str,
        description: AttachedSensorDescription,
    ) -> None:
        """Make the sensor of a description."""
        self.entity_description = description
        if description.placeholders:
            self._attr_translation_placeholders = description.placeholders
        super().__init__(coordinator, key, description)

    @override
    def _update(self) -> None:
        stats = self.coordinator.data
        self._attr_native_value = (
            self.entity_description.value_fn(stats)
            if isinstance(stats, self.entity_description.kind)
            else None
        )


class ReadingSensor(AttachedSensorBase):
    """One of the values that a device names itself."""

    def __init__(
        self, coordinator: AttachedCoordinator, key: str, reading: Reading
    ) -> None:
        """Make a sensor with the name and the unit that the device gives."""
        self._key = reading.key
        self._is_text = isinstance(reading.value, str)
        self._attr_name = reading.name
        if self._is_text:
            self._attr_entity_category = EntityCategory.DIAGNOSTIC
        else:
            self._attr_native_unit_of_measurement = reading.unit
            self._attr_entity_registry_enabled_default = (
                reading.unit not in _SELDOM_WANTED
            )
            self._attr_device_class = _class_of(reading)
            self._attr_state_class = (
                SensorStateClass.TOTAL_INCREASING
                if self._attr_device_class is SensorDeviceClass.ENERGY
                else _MEASUREMENT
            )
        super().__init__(coordinator, key, reading)

    @override
    def _update(self) -> None:
        readings = getattr(self.coordinator.data, "readings", ())
        value = next((r.value for r in readings if r.key == self._key), None)
        if isinstance(value, bool) or isinstance(value, str) is not self._is_text:
            value = None
        self._attr_native_value = value


def _class_of(reading: Reading) -> SensorDeviceClass | None:
    if reading.unit == "%" and "humidity" in reading.key:
        return SensorDeviceClass.HUMIDITY
    return _CLASSES.get(reading.unit or "")


class SetpointSensor(AttachedSensorBase):
    """What a container is set to, where it may not be changed from here."""

    _attr_translation_key = "setpoint"
    _attr_entity_category = EntityCategory.DIAGNOSTIC

    def __init__(
        self, coordinator: AttachedCoordinator, key: str, setpoint: Setpoint
    ) -> None:
        """Make the sensor with the unit that the device gives."""
        self._key = setpoint.key
        self._attr_translation_placeholders = {"name": words(setpoint.key)}
        self._attr_native_unit_of_measurement = setpoint.unit
        self._attr_device_class = _CLASSES.get(setpoint.unit or "")
        super().__init__(coordinator, key, setpoint)

    @override
    def _update(self) -> None:
        setpoints = getattr(self.coordinator.data, "setpoints", ())
        self._attr_native_value = next(
            (s.value for s in setpoints if s.key == self._key), None
        )


def words(key: str) -> str:
    """Return a key of the vocabulary as a person would write it."""
    return key.replace("_", " ").capitalize()


class SocketPowerSensor(AttachedSensorBase):
    """The power of one socket of a container."""

    _attr_translation_key = "socket_power"
    _attr_device_class = SensorDeviceClass.POWER
    _attr_state_class = _MEASUREMENT
    _attr_native_unit_of_measurement = UnitOfPower.WATT
    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _attr_entity_registry_enabled_default = False

    def __init__(
        self, coordinator: AttachedCoordinator, key: str, socket: Socket
    ) -> None:
        """Make the sensor of a socket."""
        self._index = socket.index
        self._attr_translation_placeholders = {"name": socket_name(socket)}
        super().__init__(coordinator, key, socket)

    @override
    def _update(self) -> None:
        sockets = getattr(self.coordinator.data, "sockets", ())
        self._attr_native_value = next(
            (s.power for s in sockets if s.index == self._index), None
        )

"""Binary sensors, switches and numbers of containers and other attached devices."""

from collections.abc import Iterator
from typing import override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
)
from homeassistant.components.number import NumberEntity, NumberMode
from homeassistant.components.switch import SwitchDeviceClass, SwitchEntity
from homeassistant.const import EntityCategory

from .attached import AttachedCoordinator
from .attached_entity import AttachedEntity
from .sdk import Actuator, Capability, Reading, Setpoint, Severity


def attached_binary_sensors(
    coordinator: AttachedCoordinator,
) -> Iterator[AttachedEntity]:
    """Yield the binary sensors of a device."""
    yield ConnectivitySensor(coordinator)
    stats = coordinator.data
    if hasattr(stats, "faults"):
        yield ProblemSensor(coordinator)
    for actuator in getattr(stats, "actuators", ()):
        yield ActuatorSensor(coordinator, actuator)
    for reading in getattr(stats, "readings", ()):
        if isinstance(reading.value, bool):
            yield FlagSensor(coordinator, reading)


def attached_switches(coordinator: AttachedCoordinator) -> Iterator[AttachedEntity]:
    """Yield the switches of a device: its cooling, if allowed, and its sockets."""
    capabilities = coordinator.device.info.capabilities
    if Capability.COOLING in capabilities:
        yield CoolingSwitch(coordinator)
    if Capability.SOCKET in capabilities:
        for socket in getattr(coordinator.data, "sockets", ()):
            yield SocketSwitch(coordinator, socket.index)


def attached_numbers(coordinator: AttachedCoordinator) -> Iterator[AttachedEntity]:
    """Yield the numbers of a container: its setpoints, if allowed."""
    if Capability.SETPOINT in coordinator.device.info.capabilities:
        for setpoint in getattr(coordinator.data, "setpoints", ()):
            yield SetpointNumber(coordinator, setpoint)


class ConnectivitySensor(AttachedEntity, BinarySensorEntity):
    """Whether the device answers."""

    _attr_device_class = BinarySensorDeviceClass.CONNECTIVITY
    _attr_entity_category = EntityCategory.DIAGNOSTIC

    def __init__(self, coordinator: AttachedCoordinator) -> None:
        """Make the sensor of a device."""
        super().__init__(coordinator, "connectivity")

    @property
    @override
    def available(self) -> bool:
        """Return true: it is known even of a device that is off."""
        return True

    @override
    def _update(self) -> None:
        self._attr_is_on = self.coordinator.available


class ProblemSensor(AttachedEntity, BinarySensorEntity):
    """Whether the device reports a fault; its attribute says which."""

    _attr_device_class = BinarySensorDeviceClass.PROBLEM
    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _unrecorded_attributes = frozenset({"faults"})

    def __init__(self, coordinator: AttachedCoordinator) -> None:
        """Make the sensor of a device."""
        super().__init__(coordinator, "problem")

    @override
    def _update(self) -> None:
        faults = getattr(self.coordinator.data, "faults", ())
        self._attr_is_on = any(f.severity is not Severity.INFO for f in faults)
        self._attr_extra_state_attributes = {"faults": [f.message for f in faults]}


class ActuatorSensor(AttachedEntity, BinarySensorEntity):
    """Whether a pump, fan or valve runs."""

    _attr_device_class = BinarySensorDeviceClass.RUNNING

    def __init__(self, coordinator: AttachedCoordinator, actuator: Actuator) -> None:
        """Make the sensor with the name that the device gives."""
        self._key = actuator.key
        self._attr_name = actuator.name
        super().__init__(coordinator, f"actuator_{actuator.key}")

    @override
    def _update(self) -> None:
        actuators = getattr(self.coordinator.data, "actuators", ())
        self._attr_is_on = next((a.on for a in actuators if a.key == self._key), None)


class FlagSensor(AttachedEntity, BinarySensorEntity):
    """A reading that is either true or not."""

    _attr_entity_category = EntityCategory.DIAGNOSTIC

    def __init__(self, coordinator: AttachedCoordinator, reading: Reading) -> None:
        """Make the sensor with the name that the device gives."""
        self._key = reading.key
        self._attr_name = reading.name
        super().__init__(coordinator, f"reading_{reading.key}")

    @override
    def _update(self) -> None:
        readings = getattr(self.coordinator.data, "readings", ())
        value = next((r.value for r in readings if r.key == self._key), None)
        self._attr_is_on = value if isinstance(value, bool) else None


class CoolingSwitch(AttachedEntity, SwitchEntity):
    """The cooling of a container; exists only where the user allowed it."""

    _attr_translation_key = "cooling"
    _attr_entity_category = EntityCategory.CONFIG

    def __init__(self, coordinator: AttachedCoordinator) -> None:
        """Make the switch of a container."""
        super().__init__(coordinator, "cooling")

    @override
    async def async_turn_on(self, **kwargs: object) -> None:
        """Start the cooling, and wait for the container to confirm it."""
        await self.coordinator.async_container_command(
            lambda device: device.set_cooling(True)
        )

    @override
    async def async_turn_off(self, **kwargs: object) -> None:
        """Stop the cooling, and wait for the container to confirm it."""
        await self.coordinator.async_container_command(
            lambda device: device.set_cooling(False)
        )

    @override
    def _update(self) -> None:
        self._attr_is_on = getattr(self.coordinator.data, "cooling_on", None)


class SocketSwitch(AttachedEntity, SwitchEntity):
    """One socket of a container."""

    _attr_translation_key = "socket"
    _attr_device_class = SwitchDeviceClass.OUTLET
    _attr_entity_category = EntityCategory.CONFIG

    def __init__(self, coordinator: AttachedCoordinator, index: int) -> None:
        """Make the switch of a socket."""
        self._index = index
        self._attr_translation_placeholders = {"number": str(index + 1)}
        super().__init__(coordinator, f"socket_{index}")

    @override
    async def async_turn_on(self, **kwargs: object) -> None:
        """Switch the socket on, and wait for the container to confirm it."""
        await self._switch(on=True)

    @override
    async def async_turn_off(self, **kwargs: object) -> None:
        """Switch the socket off, and wait for the container to confirm it."""
        await self._switch(on=False)

    async def _switch(self, *, on: bool) -> None:
        index = self._index
        await self.coordinator.async_container_command(
            lambda device: device.set_socket(index, on)
        )

    @override
    def _update(self) -> None:
        sockets = getattr(self.coordinator.data, "sockets", ())
        self._attr_is_on = next((s.on for s in sockets if s.index == self._index), None)


class SetpointNumber(AttachedEntity, NumberEntity):
    """A value that a container is set to."""

    _attr_entity_category = EntityCategory.CONFIG
    _attr_mode = NumberMode.BOX
    _attr_translation_key = "setpoint"

    def __init__(self, coordinator: AttachedCoordinator, setpoint: Setpoint) -> None:
        """Make the number with the range that the device gives."""
        self._key = setpoint.key
        self._attr_translation_placeholders = {"name": setpoint.key.replace("_", " ")}
        self._attr_native_unit_of_measurement = setpoint.unit
        if setpoint.minimum is not None:
            self._attr_native_min_value = setpoint.minimum
        if setpoint.maximum is not None:
            self._attr_native_max_value = setpoint.maximum
        self._attr_native_step = 0.1
        super().__init__(coordinator, f"setpoint_{setpoint.key}")

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Set the value, and wait for the container to confirm it."""
        key = self._key
        await self.coordinator.async_container_command(
            lambda device: device.set_setpoint(key, value)
        )

    @override
    def _update(self) -> None:
        setpoints = getattr(self.coordinator.data, "setpoints", ())
        self._attr_native_value = next(
            (s.value for s in setpoints if s.key == self._key), None
        )

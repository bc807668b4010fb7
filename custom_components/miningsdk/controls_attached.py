"""Binary sensors, switches and numbers of containers and other attached devices."""

from collections.abc import Iterator
from typing import Any, override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
)
from homeassistant.components.button import ButtonEntity
from homeassistant.components.number import (
    NumberDeviceClass,
    NumberEntity,
    NumberMode,
)
from homeassistant.components.switch import SwitchDeviceClass, SwitchEntity
from homeassistant.const import EntityCategory, UnitOfTemperature

from .attached import AttachedCoordinator
from .attached_entity import AttachedEntity, Part
from .containers import socket_name
from .sdk import Actuator, Capability, Reading, Setpoint, Severity, Socket
from .sdk.container import Container
from .sensor_attached import words

# A container with more sockets than this would fill its page with switches, most of
# them of no use to most people: they begin switched off.
MOST_SOCKETS = 24
# A driver that has no such command leaves it as it is.
_NO_RESET = Container._reset_cooling  # noqa: SLF001


def attached_binary_sensors(coordinator: AttachedCoordinator) -> Iterator[Part]:
    """Yield the binary sensors of a device."""
    yield "connectivity", ConnectivitySensor, None
    stats = coordinator.data
    if hasattr(stats, "faults"):
        yield "problem", ProblemSensor, None
    switchable = _switchable(coordinator)
    for actuator in getattr(stats, "actuators", ()):
        if actuator.key not in switchable:
            yield f"actuator_{actuator.key}", ActuatorSensor, actuator
    for reading in getattr(stats, "readings", ()):
        if isinstance(reading.value, bool):
            yield f"reading_{reading.key}", FlagSensor, reading


def attached_switches(coordinator: AttachedCoordinator) -> Iterator[Part]:
    """Yield the switches of a device: its cooling, if allowed, and its sockets."""
    info, stats = coordinator.device.info, coordinator.data
    if Capability.COOLING in info.capabilities:
        yield "cooling", CoolingSwitch, None
        switchable = _switchable(coordinator)
        for actuator in getattr(stats, "actuators", ()):
            if actuator.key in switchable:
                yield f"actuator_{actuator.key}", ActuatorSwitch, actuator
    if Capability.SOCKET in info.capabilities:
        for socket in getattr(stats, "sockets", ()):
            yield f"socket_{socket.index}", SocketSwitch, socket


def _switchable(coordinator: AttachedCoordinator) -> tuple[str, ...]:
    """Return the keys of those actuators that may be switched from here."""
    limits = coordinator.device.info.limits.get(Capability.COOLING)
    return () if limits is None else limits.options


def attached_numbers(coordinator: AttachedCoordinator) -> Iterator[Part]:
    """Yield the numbers of a container: its setpoints, if allowed."""
    if Capability.SETPOINT in coordinator.device.info.capabilities:
        for setpoint in getattr(coordinator.data, "setpoints", ()):
            yield f"setpoint_{setpoint.key}", SetpointNumber, setpoint


def attached_buttons(coordinator: AttachedCoordinator) -> Iterator[Part]:
    """Yield the buttons of a container: its cooling's alarms, if allowed."""
    device = coordinator.device
    if (
        isinstance(device, Container)
        and Capability.COOLING in device.info.capabilities
        and type(device)._reset_cooling is not _NO_RESET  # noqa: SLF001
    ):
        yield "reset_cooling", ResetCoolingButton, None


class AttachedBinarySensor(AttachedEntity, BinarySensorEntity):
    """A binary sensor of a device that was configured by hand."""

    @override
    def _shown(self) -> object:
        return self._attr_is_on


class ConnectivitySensor(AttachedBinarySensor):
    """Whether the device answers."""

    _attr_device_class = BinarySensorDeviceClass.CONNECTIVITY
    _attr_entity_category = EntityCategory.DIAGNOSTIC

    @property
    @override
    def available(self) -> bool:
        """Return true: it is known even of a device that is off."""
        return True

    @override
    def _update(self) -> None:
        self._attr_is_on = self.coordinator.available


class ProblemSensor(AttachedBinarySensor):
    """Whether the device reports a fault; its attribute says which."""

    _attr_device_class = BinarySensorDeviceClass.PROBLEM
    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _unrecorded_attributes = frozenset({"faults"})

    @override
    def _update(self) -> None:
        faults = getattr(self.coordinator.data, "faults", ())
        self._attr_is_on = any(f.severity is not Severity.INFO for f in faults)
        self._attr_extra_state_attributes = {"faults": [f.message for f in faults]}

    @override
    def _shown(self) -> object:
        return self._attr_is_on, self._attr_extra_state_attributes


class ActuatorSensor(AttachedBinarySensor):
    """Whether a pump, fan or valve runs."""

    _attr_device_class = BinarySensorDeviceClass.RUNNING

    def __init__(
        self, coordinator: AttachedCoordinator, key: str, actuator: Actuator
    ) -> None:
        """Make the sensor with the name that the device gives."""
        self._key = actuator.key
        self._attr_name = actuator.name
        super().__init__(coordinator, key, actuator)

    @override
    def _update(self) -> None:
        self._attr_is_on = _is_on(self.coordinator, self._key)


def _is_on(coordinator: AttachedCoordinator, key: str) -> bool | None:
    actuators = getattr(coordinator.data, "actuators", ())
    return next((a.on for a in actuators if a.key == key), None)


class FlagSensor(AttachedBinarySensor):
    """A reading that is either true or not."""

    _attr_entity_category = EntityCategory.DIAGNOSTIC

    def __init__(
        self, coordinator: AttachedCoordinator, key: str, reading: Reading
    ) -> None:
        """Make the sensor with the name that the device gives."""
        self._key = reading.key
        self._attr_name = reading.name
        super().__init__(coordinator, key, reading)

    @override
    def _update(self) -> None:
        readings = getattr(self.coordinator.data, "readings", ())
        value = next((r.value for r in readings if r.key == self._key), None)
        self._attr_is_on = value if isinstance(value, bool) else None


class AttachedSwitch(AttachedEntity, SwitchEntity):
    """A switch that shows what the device itself says."""

    # Not for "turn off area Hall 1": that is to pause the miners there.
    _attr_entity_category = EntityCategory.CONFIG

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Switch on, and wait for the device to confirm it."""
        await self.coordinator.async_command(lambda device: self._switch(device, True))

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Switch off, and wait for the device to confirm it."""
        await self.coordinator.async_command(lambda device: self._switch(device, False))

    async def _switch(self, device: Any, on: bool) -> None:  # noqa: FBT001
        raise NotImplementedError

    @override
    def _shown(self) -> object:
        return self._attr_is_on


class CoolingSwitch(AttachedSwitch):
    """The cooling of a container; exists only where the user allowed it."""

    _attr_translation_key = "cooling"

    @override
    async def _switch(self, device: Any, on: bool) -> None:
        await device.set_cooling(on)

    @override
    def _update(self) -> None:
        self._attr_is_on = getattr(self.coordinator.data, "cooling_on", None)


class ActuatorSwitch(AttachedSwitch):
    """A pump, fan or mode of the cooling; exists only where the user allowed it."""

    def __init__(
        self, coordinator: AttachedCoordinator, key: str, actuator: Actuator
    ) -> None:
        """Make the switch with the name that the device gives."""
        self._key = actuator.key
        self._attr_name = actuator.name
        super().__init__(coordinator, key, actuator)

    @override
    async def _switch(self, device: Any, on: bool) -> None:
        await device.set_actuator(self._key, on)

    @override
    def _update(self) -> None:
        self._attr_is_on = _is_on(self.coordinator, self._key)


class SocketSwitch(AttachedSwitch):
    """One socket of a container, or the relay of a meter."""

    _attr_translation_key = "socket"
    _attr_device_class = SwitchDeviceClass.OUTLET

    def __init__(
        self, coordinator: AttachedCoordinator, key: str, socket: Socket
    ) -> None:
        """Make the switch of a socket."""
        self._index = socket.index
        self._attr_translation_placeholders = {"name": socket_name(socket)}
        self._attr_entity_registry_enabled_default = (
            len(getattr(coordinator.data, "sockets", ())) <= MOST_SOCKETS
        )
        super().__init__(coordinator, key, socket)

    @override
    async def _switch(self, device: Any, on: bool) -> None:
        await device.set_socket(self._index, on)

    @override
    def _update(self) -> None:
        sockets = getattr(self.coordinator.data, "sockets", ())
        self._attr_is_on = next((s.on for s in sockets if s.index == self._index), None)


class SetpointNumber(AttachedEntity, NumberEntity):
    """A value that a container is set to; exists only where the user allowed it."""

    _attr_entity_category = EntityCategory.CONFIG
    _attr_mode = NumberMode.BOX
    _attr_native_step = 0.1
    _attr_translation_key = "setpoint"

    def __init__(
        self, coordinator: AttachedCoordinator, key: str, setpoint: Setpoint
    ) -> None:
        """Make the number with the range that the device gives."""
        self._key = setpoint.key
        self._attr_translation_placeholders = {"name": words(setpoint.key)}
        self._attr_native_unit_of_measurement = setpoint.unit
        if setpoint.unit == UnitOfTemperature.CELSIUS:
            self._attr_device_class = NumberDeviceClass.TEMPERATURE
        if setpoint.minimum is not None:
            self._attr_native_min_value = setpoint.minimum
        if setpoint.maximum is not None:
            self._attr_native_max_value = setpoint.maximum
        super().__init__(coordinator, key, setpoint)

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Set the value, and wait for the container to confirm it."""

        async def command(device: Any) -> None:
            await device.set_setpoint(self._key, value)

        await self.coordinator.async_command(command)

    @override
    def _update(self) -> None:
        setpoints = getattr(self.coordinator.data, "setpoints", ())
        self._attr_native_value = next(
            (s.value for s in setpoints if s.key == self._key), None
        )

    @override
    def _shown(self) -> object:
        return self._attr_native_value


class ResetCoolingButton(AttachedEntity, ButtonEntity):
    """Acknowledge the alarms of the cooling; exists only where the user allowed it."""

    _attr_translation_key = "reset_cooling"
    _attr_entity_category = EntityCategory.CONFIG

    @override
    async def async_press(self) -> None:
        """Acknowledge them, and wait until the container shows none."""

        async def command(device: Any) -> None:
            await device.reset_cooling()

        await self.coordinator.async_command(command)

    @override
    def _update(self) -> None:
        """Nothing of a button changes."""

    @override
    def _shown(self) -> object:
        return None

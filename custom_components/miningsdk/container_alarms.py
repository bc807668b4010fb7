"""Alarms of containers: readings outside of limits that the user may change."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
)
from homeassistant.components.number import (
    NumberEntityDescription,
    NumberMode,
    RestoreNumber,
)
from homeassistant.const import EntityCategory

from .attached import AttachedCoordinator
from .attached_entity import AttachedEntity, Part
from .sdk import ContainerStats, ContainerStatus, Reading
from .sdk.container import Threshold


@dataclass(frozen=True, kw_only=True)
class LimitDescription(NumberEntityDescription):
    """A limit of a reading, which is alarming beyond it."""

    severity: str
    above: bool
    entity_category: EntityCategory | None = EntityCategory.CONFIG
    entity_registry_enabled_default: bool = False
    mode: NumberMode | None = NumberMode.BOX
    native_min_value: float | None = -50.0
    native_max_value: float | None = 200.0
    native_step: float | None = 0.1


# The first that a reading is beyond counts.
LIMITS = tuple(
    LimitDescription(
        key=level, translation_key=f"limit_{level}", severity=severity, above=above
    )
    for level, severity, above in (
        ("high_critical", "critical", True),
        ("high", "warning", True),
        ("low_critical", "critical", False),
        ("low", "warning", False),
    )
)


def alarm_sensors(coordinator: AttachedCoordinator) -> Iterator[Part]:
    """Yield the alarm of a container whose driver knows limits."""
    if _limited(coordinator):
        yield "alarm", AlarmSensor, None


def alarm_limits(coordinator: AttachedCoordinator) -> Iterator[Part]:
    """Yield the limits of a container as numbers, off by default."""
    for reading, threshold in _limited(coordinator):
        for limit in LIMITS:
            if getattr(threshold, limit.key) is not None:
                yield f"limit_{reading.key}_{limit.key}", LimitNumber, (reading, limit)


def _limited(coordinator: AttachedCoordinator) -> list[tuple[Reading, Threshold]]:
    thresholds = getattr(coordinator.device, "thresholds", {})
    stats = coordinator.data
    if not isinstance(stats, ContainerStats):
        return []
    return [(r, thresholds[r.key]) for r in stats.readings if r.key in thresholds]


def limit_of(
    coordinator: AttachedCoordinator, threshold: Threshold, key: str, level: str
) -> float | None:
    """Return a limit: the one the user set, or else the driver's."""
    own: float | None = getattr(threshold, level)
    return coordinator.limits.get((key, level), own)


def alarms(coordinator: AttachedCoordinator) -> Iterator[tuple[str, str]]:
    """Yield severity and words for each reading outside of its limits.

    A container that stands still is not too cold, and one that is silent is not known
    to be anything.
    """
    stats = coordinator.data
    if not isinstance(stats, ContainerStats) or not coordinator.available:
        return
    if stats.status is ContainerStatus.STOPPED:
        return
    for reading, threshold in _limited(coordinator):
        value = reading.value
        if isinstance(value, bool | str) or value is None:
            continue
        for limit in LIMITS:
            at = limit_of(coordinator, threshold, reading.key, limit.key)
            if at is not None and (value >= at if limit.above else value <= at):
                word = "at or above" if limit.above else "at or below"
                unit = f" {reading.unit}" if reading.unit else ""
                yield (
                    limit.severity,
                    f"{reading.name} {value:g}{unit}, {word} {at:g}{unit}",
                )
                break


class AlarmSensor(AttachedEntity, BinarySensorEntity):
    """Whether a reading of the container is outside of its limits."""

    _attr_translation_key = "alarm"
    _attr_device_class = BinarySensorDeviceClass.PROBLEM
    _unrecorded_attributes = frozenset({"alarms"})

    @override
    def _update(self) -> None:
        found = list(alarms(self.coordinator))
        self._attr_is_on = bool(found)
        severities = {severity for severity, _ in found}
        self._attr_extra_state_attributes = {
            "severity": "critical"
            if "critical" in severities
            else "warning"
            if severities
            else None,
            "alarms": [words for _, words in found],
        }

    @override
    def _shown(self) -> object:
        return self._attr_is_on, self._attr_extra_state_attributes


class LimitNumber(AttachedEntity, RestoreNumber):
    """One limit of one reading; kept over restarts."""

    def __init__(self, coordinator: AttachedCoordinator, key: str, what: Any) -> None:
        """Make the number of a reading and a level."""
        reading, self.entity_description = what
        self._key: tuple[str, str] = (reading.key, self.entity_description.key)
        self._threshold: Threshold = getattr(coordinator.device, "thresholds")[  # noqa: B009
            reading.key
        ]
        self._attr_translation_placeholders = {"name": reading.name}
        self._attr_native_unit_of_measurement = reading.unit
        super().__init__(coordinator, key, what)

    @property
    @override
    def available(self) -> bool:
        """Return true: a limit is known even while the container is silent."""
        return True

    @override
    async def async_added_to_hass(self) -> None:
        """Take up the limit that was set before the restart."""
        last = await self.async_get_last_number_data()
        if last is not None and last.native_value is not None:
            self.coordinator.limits[self._key] = last.native_value
        await super().async_added_to_hass()

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Set the limit; the alarm follows at once."""
        self.coordinator.limits[self._key] = value
        self.coordinator.async_tell()

    @override
    def _update(self) -> None:
        self._attr_native_value = limit_of(
            self.coordinator, self._threshold, *self._key
        )

    @override
    def _shown(self) -> object:
        return self._attr_native_value

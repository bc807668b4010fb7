"""Binary sensors: what is wrong, and whether the miner answers."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .attached_entity import add_attached_entities
from .container_alarms import alarm_sensors
from .controls_attached import attached_binary_sensors
from .coordinator import MinerCoordinator, MiningConfigEntry
from .detail import Detail
from .entity import MinerEntity
from .inventory import Record
from .lean import lean
from .platform import Part, async_add_miner_entities
from .sdk import MinerStatus, Severity
from .workers import worker_sensors

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class MinerBinarySensorDescription(BinarySensorEntityDescription):
    """A binary sensor of a miner."""

    value_fn: Callable[[MinerCoordinator], bool | None]
    attributes_fn: Callable[[MinerCoordinator], dict[str, Any]] | None = None
    always_available: bool = False
    detail: Detail = Detail.FULL


def _problem(coordinator: MinerCoordinator) -> bool | None:
    stats = coordinator.data
    if stats is None:
        return None
    return stats.status is MinerStatus.FAULT or any(
        fault.severity is not Severity.INFO for fault in stats.faults
    )


def _faults(coordinator: MinerCoordinator) -> dict[str, Any]:
    stats = coordinator.data
    told: dict[str, Any] = {
        "faults": [] if stats is None else [fault.message for fault in stats.faults]
    }
    # Where to go to and pull the plug.
    if plugged := coordinator.fleet.containers.socket_of(coordinator.id):
        told["socket"] = plugged.name
    return told


DESCRIPTIONS = (
    MinerBinarySensorDescription(
        key="problem",
        device_class=BinarySensorDeviceClass.PROBLEM,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=_problem,
        attributes_fn=_faults,
        detail=Detail.STANDARD,
    ),
    MinerBinarySensorDescription(
        key="connectivity",
        device_class=BinarySensorDeviceClass.CONNECTIVITY,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda coordinator: coordinator.available,
        always_available=True,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: MiningConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the binary sensors of a site."""
    add_attached_entities(entry, async_add_entities, attached_binary_sensors)
    add_attached_entities(entry, async_add_entities, worker_sensors)
    add_attached_entities(entry, async_add_entities, alarm_sensors)
    await async_add_miner_entities(entry, async_add_entities, parts_of)


def parts_of(record: Record, detail: Detail) -> Iterator[Part]:
    """Yield the binary sensors that a miner has at a level of detail."""
    for description in DESCRIPTIONS:
        if detail >= description.detail:
            yield Part(MinerBinarySensor, description)


@lean
class MinerBinarySensor(MinerEntity, BinarySensorEntity):
    """A binary sensor of a miner."""

    entity_description: MinerBinarySensorDescription
    _unrecorded_attributes = frozenset({"faults"})

    @property
    @override
    def available(self) -> bool:
        """Tell whether the state can be known."""
        return self.entity_description.always_available or super().available

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Return the faults in words."""
        describe = self.entity_description.attributes_fn
        return None if describe is None else describe(self.coordinator)

    @override
    def _update(self) -> None:
        self._attr_is_on = self.entity_description.value_fn(self.coordinator)

    @override
    def _shown(self) -> object:
        return self._attr_is_on, self.extra_state_attributes

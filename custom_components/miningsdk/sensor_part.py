"""What the boards, fans and pools of a miner tell; all off by default."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import override

from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass
from homeassistant.const import (
    REVOLUTIONS_PER_MINUTE,
    EntityCategory,
    UnitOfElectricPotential,
    UnitOfFrequency,
    UnitOfRatio,
    UnitOfTemperature,
)

from .const import UNIT_HASHRATE
from .entity import MinerEntity
from .lean import lean
from .sdk import Board, Fan, MinerPool, MinerStats, PoolState
from .sensor_miner import MinerSensorDescription, Value, within_dead_band
from .work_units import WorkSensor

type Part = Board | Fan | MinerPool


@dataclass(frozen=True, kw_only=True)
class PartDescription(MinerSensorDescription):
    """A sensor of each part of one sort."""

    part_fn: Callable[[MinerStats], tuple[Part, ...]]
    part_value_fn: Callable[[Part], Value]
    entity_category: EntityCategory | None = EntityCategory.DIAGNOSTIC
    entity_registry_enabled_default: bool = False


def _describe(
    key: str,
    sort: str,
    field: str,
    unit: str | None = None,
    device_class: SensorDeviceClass | None = None,
    *,
    dead_band: float = 0.0,
) -> PartDescription:
    return PartDescription(
        key=key,
        translation_key=key,
        native_unit_of_measurement=unit,
        device_class=device_class,
        state_class=SensorStateClass.MEASUREMENT,
        part_fn=lambda stats: getattr(stats, sort),
        part_value_fn=lambda part: getattr(part, field),
        value_fn=lambda _: None,
        exists_fn=lambda shape: f"{sort}.{field}" in shape.fields,
        dead_band=dead_band,
    )


def _pool_status(part: Part) -> Value:
    status = part.status if isinstance(part, MinerPool) else None
    return None if status is None else status.value


_CELSIUS = UnitOfTemperature.CELSIUS
_TEMPERATURE = SensorDeviceClass.TEMPERATURE

BOARD = (
    replace(
        _describe("board_hashrate", "boards", "hashrate", UNIT_HASHRATE),
        dead_band=0.01,
        quantity="hashrate",
    ),
    _describe(
        "board_temperature_chip",
        "boards",
        "temperature_chip",
        _CELSIUS,
        _TEMPERATURE,
        dead_band=1.0,
    ),
    _describe(
        "board_temperature",
        "boards",
        "temperature_board",
        _CELSIUS,
        _TEMPERATURE,
        dead_band=1.0,
    ),
    _describe("board_chips", "boards", "chips"),
    _describe(
        "board_frequency",
        "boards",
        "frequency",
        UnitOfFrequency.MEGAHERTZ,
        SensorDeviceClass.FREQUENCY,
        dead_band=1.0,
    ),
    _describe(
        "board_voltage",
        "boards",
        "voltage",
        UnitOfElectricPotential.VOLT,
        SensorDeviceClass.VOLTAGE,
        dead_band=0.01,
    ),
)
FAN = (
    _describe("fan_n_speed", "fans", "speed", REVOLUTIONS_PER_MINUTE, dead_band=60.0),
    _describe("fan_n_duty", "fans", "duty", UnitOfRatio.PERCENTAGE, dead_band=1.0),
)
POOL = (
    replace(
        _describe("pool_status", "pools", "status", None, SensorDeviceClass.ENUM),
        state_class=None,
        options=[state.value for state in PoolState],
        part_value_fn=_pool_status,
    ),
    replace(
        _describe("pool_accepted", "pools", "accepted"),
        state_class=SensorStateClass.TOTAL_INCREASING,
    ),
    replace(
        _describe("pool_rejected", "pools", "rejected"),
        state_class=SensorStateClass.TOTAL_INCREASING,
    ),
)


@lean
class MinerPartSensor(MinerEntity, WorkSensor):
    """A sensor of one board, fan or pool."""

    entity_description: PartDescription

    # Kept in each entity, the numbers would take more memory than all the rest of it.
    @property  # type: ignore[misc]
    @override
    def translation_placeholders(self) -> Mapping[str, str]:
        """Return the number of the part, as people count."""
        return {"number": str((self._index or 0) + 1)}

    @override
    def _update(self) -> None:
        stats = self.coordinator.data
        parts = () if stats is None else self.entity_description.part_fn(stats)
        part = next((part for part in parts if part.index == self._index), None)
        description = self.entity_description
        self._attr_native_value = self._in_own_unit(
            None if part is None else description.part_value_fn(part),
            description.quantity,
            self.coordinator.record.info.algorithm,
        )

    @override
    def _shown(self) -> object:
        return self._attr_native_value

    @override
    def _same(self, shown: object, written: object) -> bool:
        band = self.entity_description.dead_band
        return within_dead_band(shown, written, band=band)

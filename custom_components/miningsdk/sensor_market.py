"""Sensors of the site about the network, and about money."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory, UnitOfRatio
from homeassistant.core import Event, EventStateChangedData, callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.event import async_track_state_change_event

from .const import (
    CONF_POWER_ENTITY,
    CONF_PRICE_ENTITY,
    DOMAIN,
    UNIT_BITCOIN,
    UNIT_HASHRATE,
)
from .coordinator import MiningConfigEntry
from .market import Money, async_money
from .sdk.network import NetworkStats

_MEASUREMENT = SensorStateClass.MEASUREMENT
_FEE = "sat/vB"


@dataclass(frozen=True, kw_only=True)
class NetworkDescription(SensorEntityDescription):
    """A sensor about the network."""

    value_fn: Callable[[NetworkStats, str], float | datetime | None]
    state_class: SensorStateClass | None = _MEASUREMENT
    # Where the unit is that of the site's currency.
    currency_unit: str | None = None


@dataclass(frozen=True, kw_only=True)
class MoneyDescription(SensorEntityDescription):
    """A sensor about money; ``per`` follows the currency in its unit."""

    value_fn: Callable[[Money], float | None]
    per: str
    state_class: SensorStateClass | None = _MEASUREMENT


def _network(
    key: str,
    unit: str | None,
    *,
    enabled: bool = True,
    precision: int | None = None,
) -> NetworkDescription:
    return NetworkDescription(
        key=key,
        translation_key=key,
        native_unit_of_measurement=unit,
        suggested_display_precision=precision,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=enabled,
        value_fn=lambda stats, _: getattr(stats, key),
    )


def _hashprice_money(stats: NetworkStats, currency: str) -> float | None:
    price = stats.price(currency)
    if price is None or stats.hashprice is None:
        return None
    return round(stats.hashprice * price, 6)


NETWORK = (
    _network("difficulty", None, enabled=False, precision=0),
    _network("network_hashrate", UNIT_HASHRATE, enabled=False, precision=0),
    _network("block_height", None, precision=0),
    _network("block_subsidy", UNIT_BITCOIN, enabled=False, precision=3),
    _network("block_reward", UNIT_BITCOIN, enabled=False, precision=3),
    _network("fee_fastest", _FEE, enabled=False, precision=1),
    _network("fee_half_hour", _FEE, enabled=False, precision=1),
    _network("fee_hour", _FEE, enabled=False, precision=1),
    _network("fee_economy", _FEE, enabled=False, precision=1),
    _network(
        "next_adjustment_change", UnitOfRatio.PERCENTAGE, enabled=False, precision=2
    ),
    _network("next_adjustment_blocks", None, enabled=False, precision=0),
    NetworkDescription(
        key="next_adjustment",
        translation_key="next_adjustment",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        state_class=None,
        value_fn=lambda stats, _: stats.next_adjustment,
    ),
    NetworkDescription(
        key="price",
        translation_key="bitcoin_price",
        suggested_display_precision=0,
        currency_unit="/BTC",
        value_fn=lambda stats, currency: stats.price(currency),
    ),
    NetworkDescription(
        key="hashprice_btc",
        translation_key="hashprice_btc",
        native_unit_of_measurement="BTC/TH/s/d",
        suggested_display_precision=10,
        entity_registry_enabled_default=False,
        value_fn=lambda stats, _: stats.hashprice,
    ),
    NetworkDescription(
        key="hashprice",
        translation_key="hashprice",
        suggested_display_precision=4,
        currency_unit="/TH/s/d",
        value_fn=_hashprice_money,
    ),
)

MONEY = (
    MoneyDescription(
        key="revenue",
        translation_key="revenue",
        per="/d",
        suggested_display_precision=2,
        value_fn=lambda money: money.revenue,
    ),
    MoneyDescription(
        key="power_cost",
        translation_key="power_cost",
        per="/d",
        suggested_display_precision=2,
        value_fn=lambda money: money.power_cost,
    ),
    MoneyDescription(
        key="profit",
        translation_key="profit",
        per="/d",
        suggested_display_precision=2,
        value_fn=lambda money: money.profit,
    ),
    MoneyDescription(
        key="break_even",
        translation_key="break_even",
        per="/kWh",
        suggested_display_precision=3,
        value_fn=lambda money: money.break_even,
    ),
    MoneyDescription(
        key="cost_per_ths",
        translation_key="cost_per_ths",
        per="/TH/s/d",
        suggested_display_precision=4,
        value_fn=lambda money: money.cost_per_ths,
    ),
)


def market_sensors(entry: MiningConfigEntry) -> list[SensorEntity]:
    """Return the sensors that the options of a site ask for."""
    sensors: list[SensorEntity] = []
    if entry.runtime_data.market is not None:
        sensors += [NetworkSensor(entry, description) for description in NETWORK]
    wanted = set()
    if entry.runtime_data.market is not None:
        wanted |= {"revenue", "break_even"}
    if entry.options.get(CONF_PRICE_ENTITY):
        wanted |= {"power_cost", "cost_per_ths"}
    if {"revenue", "power_cost"} <= wanted:
        wanted.add("profit")
    sensors += [MoneySensor(entry, d) for d in MONEY if d.key in wanted]
    return sensors


class _MarketSensor(SensorEntity):
    """What both sorts share: the site's own device."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, entry: MiningConfigEntry, key: str) -> None:
        """Make a sensor of the site's device."""
        self._entry = entry
        self._attr_unique_id = f"{entry.entry_id}_market_{key}"
        self._attr_device_info = DeviceInfo(identifiers={(DOMAIN, entry.entry_id)})

    @callback
    def _changed(self) -> None:
        before = self._attr_native_value, self.available
        self._update()
        if before != (self._attr_native_value, self.available):
            self.async_write_ha_state()

    def _update(self) -> None:
        raise NotImplementedError


class NetworkSensor(_MarketSensor):
    """A sensor about the network."""

    entity_description: NetworkDescription

    def __init__(
        self, entry: MiningConfigEntry, description: NetworkDescription
    ) -> None:
        """Make the sensor of a description."""
        super().__init__(entry, description.key)
        self.entity_description = description

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the network's data."""
        await super().async_added_to_hass()
        currency = self.hass.config.currency
        if self.entity_description.currency_unit:
            self._attr_native_unit_of_measurement = (
                f"{currency}{self.entity_description.currency_unit}"
            )
        market = self._entry.runtime_data.market
        if market is not None:
            self.async_on_remove(market.async_add_listener(self.async_write))
        self._update()

    @callback
    def async_write(self) -> None:
        """Write what the network's data show now, or that they cannot be had."""
        self._update()
        self.async_write_ha_state()

    @override
    def _update(self) -> None:
        market = self._entry.runtime_data.market
        stats = None if market is None else market.data
        self._attr_available = market is not None and market.last_update_success
        self._attr_native_value = (
            None
            if stats is None
            else self.entity_description.value_fn(stats, self.hass.config.currency)
        )


class MoneySensor(_MarketSensor):
    """A sensor about money; unknown while a part of the sum is."""

    entity_description: MoneyDescription

    def __init__(self, entry: MiningConfigEntry, description: MoneyDescription) -> None:
        """Make the sensor of a description."""
        super().__init__(entry, description.key)
        self.entity_description = description

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the totals, the network's data, the price and the meter."""
        await super().async_added_to_hass()
        fleet = self._entry.runtime_data
        self._attr_native_unit_of_measurement = (
            f"{self.hass.config.currency}{self.entity_description.per}"
        )
        self._update()
        self.async_on_remove(fleet.async_on_update(self._changed))
        if fleet.market is not None:
            self.async_on_remove(fleet.market.async_add_listener(self._changed))
        entities = [
            entity_id
            for option in (CONF_PRICE_ENTITY, CONF_POWER_ENTITY)
            if (entity_id := self._entry.options.get(option))
        ]
        if entities:
            self.async_on_remove(
                async_track_state_change_event(self.hass, entities, self._followed)
            )

    @callback
    def _followed(self, _: Event[EventStateChangedData]) -> None:
        self._changed()

    @override
    def _update(self) -> None:
        value = self.entity_description.value_fn(async_money(self.hass, self._entry))
        self._attr_native_value = None if value is None else round(value, 6)

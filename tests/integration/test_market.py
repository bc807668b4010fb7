"""What a site earns and costs."""

from dataclasses import replace
from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from custom_components.miningsdk.market import async_money, async_price
from tests.conftest import Simulate
from tests.integration.conftest import AddSite, Axe
from tests.integration.flows import fleet_of, settle
from tests.simulators.mempool import SimulatedMempool

PRICE = "sensor.tariff"


async def test_a_home_without_it_has_no_such_sensors(
    hass: HomeAssistant, axe: Axe, add_site: AddSite
) -> None:
    await add_site(await axe())
    assert fleet_of(hass).market is None
    assert not [s for s in hass.states.async_entity_ids() if "revenue" in s]


async def test_revenue_cost_and_profit(
    hass: HomeAssistant, axe: Axe, add_site: AddSite, simulate: Simulate
) -> None:
    hass.config.currency = "EUR"
    mempool: Any = await simulate(SimulatedMempool)
    hass.states.async_set(PRICE, "25", {"unit_of_measurement": "ct/kWh"})
    entry = await add_site(
        await axe(),
        options={
            "network": f"http://{mempool.address}",
            "price_entity": PRICE,
            "pool_fee": 2,
        },
    )
    await hass.async_block_till_done(wait_background_tasks=True)
    await settle(hass)
    fleet = fleet_of(hass)
    assert fleet.market is not None
    stats = fleet.market.data
    price, hashprice = stats.price("EUR"), stats.hashprice
    assert price is not None and hashprice is not None
    hashrate, power = fleet.totals.usual.hashrate, fleet.totals.power
    assert hashrate is not None and power is not None
    revenue = hashrate * hashprice * price * 0.98
    cost = power * 24 / 1000 * 0.25
    money = async_money(hass, entry)
    assert money.revenue == pytest.approx(revenue)
    assert money.power_cost == pytest.approx(cost)
    assert money.profit == pytest.approx(revenue - cost)
    assert money.break_even == pytest.approx(revenue / (power * 24 / 1000))
    assert money.cost_per_ths == pytest.approx(cost / hashrate)
    state = hass.states.get("sensor.home_profit")
    assert state is not None
    assert state.attributes["unit_of_measurement"] == "EUR/d"
    assert float(state.state) == pytest.approx(revenue - cost, abs=1e-4)
    height = hass.states.get("sensor.home_block_height")
    assert height is not None
    assert int(float(height.state)) == stats.block_height
    hashprice_state = hass.states.get("sensor.home_hashprice")
    assert hashprice_state is not None
    assert hashprice_state.attributes["unit_of_measurement"] == "EUR/TH/s/d"

    # Who does not know all of the power does not know what it costs.
    fleet.totals = replace(fleet.totals, without_power=1)
    money = async_money(hass, entry)
    assert money.revenue == pytest.approx(revenue)
    assert money.power_cost is money.profit is money.break_even is None
    fleet.totals = replace(fleet.totals, without_power=0)

    # A dynamic tariff that falls below zero pays for the power.
    hass.states.async_set(PRICE, "-50", {"unit_of_measurement": "EUR/MWh"})
    await settle(hass)
    assert async_money(hass, entry).power_cost == pytest.approx(
        power * 24 / 1000 * -0.05
    )
    state = hass.states.get("sensor.home_power_cost")
    assert state is not None and float(state.state) < 0

    # An unknown price makes the cost unknown, and nothing else.
    hass.states.async_set(PRICE, "unavailable")
    await settle(hass)
    money = async_money(hass, entry)
    assert money.power_cost is money.profit is money.cost_per_ths is None
    assert money.revenue is not None
    state = hass.states.get("sensor.home_profit")
    assert state is not None and state.state == "unknown"


async def test_without_internet_the_site_does_not_notice(
    hass: HomeAssistant, axe: Axe, add_site: AddSite
) -> None:
    device = await axe()
    await add_site(device, options={"network": f"http://{device.host}:9"})
    await hass.async_block_till_done(wait_background_tasks=True)
    online = hass.states.get("sensor.home_miners_online")
    assert online is not None and online.state == "1"
    height = hass.states.get("sensor.home_block_height")
    assert height is not None and height.state == "unavailable"
    revenue = hass.states.get("sensor.home_revenue")
    assert revenue is not None and revenue.state == "unknown"


async def test_meter_of_the_site_counts_instead_of_the_miners(
    hass: HomeAssistant, axe: Axe, add_site: AddSite
) -> None:
    hass.states.async_set(PRICE, "0.30", {"unit_of_measurement": "CHF/kWh"})
    hass.states.async_set("sensor.meter", "1.5", {"unit_of_measurement": "kW"})
    entry = await add_site(
        await axe(),
        options={"price_entity": PRICE, "power_entity": "sensor.meter"},
    )
    cost = hass.states.get("sensor.home_power_cost")
    assert cost is not None
    assert float(cost.state) == pytest.approx(1.5 * 24 * 0.30)
    hass.states.async_set("sensor.meter", "nonsense", {"unit_of_measurement": "kW"})
    await settle(hass)
    cost = hass.states.get("sensor.home_power_cost")
    assert cost is not None and cost.state == "unknown"
    assert entry.runtime_data.totals.power is not None


@pytest.mark.parametrize(
    ("state", "unit", "price"),
    [
        ("0.3", "EUR/kWh", 0.3),
        ("30", "ct/kWh", 0.3),
        ("30", "¢/kWh", 0.3),
        ("300", "EUR/MWh", 0.3),
        ("0.3", "", 0.3),
        ("abc", "EUR/kWh", None),
        ("unknown", "EUR/kWh", None),
    ],
)
async def test_units_of_prices(
    hass: HomeAssistant,
    axe: Axe,
    add_site: AddSite,
    state: str,
    unit: str,
    price: float | None,
) -> None:
    entry = await add_site(await axe(), options={"price_entity": PRICE})
    assert async_price(hass, entry) is None
    hass.states.async_set(PRICE, state, {"unit_of_measurement": unit})
    assert async_price(hass, entry) == (None if price is None else pytest.approx(price))

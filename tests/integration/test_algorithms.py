"""Miners of other algorithms: their units, and sums that mix nothing."""

from typing import Any

from homeassistant.const import STATE_UNKNOWN
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.miningsdk.const import DOMAIN
from custom_components.miningsdk.market import async_money
from custom_components.miningsdk.sdk import Board
from custom_components.miningsdk.totals import Totals, Work
from tests.conftest import Simulate
from tests.integration.conftest import AddSite
from tests.integration.fixtures_fleet import (
    FROZEN,
    Clock,
    MakeScript,
    clock_fixture,  # noqa: F401
    entity_id,
    script_fixture,  # noqa: F401
    state_of,
)
from tests.integration.flows import settle
from tests.simulators.mempool import SimulatedMempool

PRICE, METER = "sensor.tariff", "sensor.meter"
LITECOIN: dict[str, Any] = {
    "hashrate": 0.0165,
    "hashrate_expected": 0.017,
    "power": 3400.0,
    "efficiency": 206060.61,
    "boards": (Board(index=0, hashrate=0.0165),),
}


def state(hass: HomeAssistant, owner: str, key: str) -> State:
    """Return the whole state of a sensor."""
    found = hass.states.get(entity_id(hass, "sensor", owner, key))
    assert found is not None
    return found


def shown(hass: HomeAssistant, owner: str, *keys: str) -> dict[str, tuple[str, str]]:
    """Return state and unit of sensors by their keys."""
    states = {key: state(hass, owner, key) for key in keys}
    return {
        key: (found.state, found.attributes["unit_of_measurement"])
        for key, found in states.items()
    }


def has(hass: HomeAssistant, owner: str, key: str) -> bool:
    """Tell whether there is a sensor."""
    registry = er.async_get(hass)
    return registry.async_get_entity_id("sensor", DOMAIN, f"{owner}_{key}") is not None


def totals_of(entry: MockConfigEntry) -> Totals:
    """Return what the miners of a site come to."""
    totals: Totals = entry.runtime_data.totals
    return totals


@pytest.fixture(name="all_on")
def all_on_fixture(monkeypatch: pytest.MonkeyPatch) -> None:
    """Show the sensors that are off by default as well."""
    monkeypatch.setattr(
        "homeassistant.helpers.entity.Entity.entity_registry_enabled_default", True
    )


# One miner.


@pytest.mark.usefixtures("all_on")
async def test_a_miner_shows_the_unit_of_its_field(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """The vocabulary stays in TH/s; people think in GH/s of Scrypt."""
    miner = script(algorithm="scrypt")
    miner.say(**LITECOIN)
    entry = await add_site(miner.record)
    assert shown(
        hass,
        miner.record.id,
        "hashrate",
        "hashrate_expected",
        "efficiency",
        "board_hashrate_0",
    ) == {
        "hashrate": ("16.5", "GH/s"),
        "hashrate_expected": ("17.0", "GH/s"),
        "efficiency": ("206.06061", "J/GH"),
        "board_hashrate_0": ("16.5", "GH/s"),
    }
    assert entry.runtime_data.coordinators[miner.record.id].data.hashrate == 0.0165


@pytest.mark.parametrize(
    ("algorithm", "hashrate", "expected"),
    [
        ("sha256", 100.0, ("100.0", "TH/s")),
        (None, 100.0, ("100.0", "TH/s")),
        ("brandnew", 0.5, ("0.5", "TH/s")),
        ("kheavyhash", 0.1, ("0.1", "TH/s")),
        ("x11", 1.77, ("1770.0", "GH/s")),
        ("ethash", 0.00368, ("3680.0", "MH/s")),
        ("equihash", 8.4e-7, ("840.0", "kSol/s")),
    ],
)
async def test_units_of_algorithms(
    hass: HomeAssistant,
    add_site: AddSite,
    script: MakeScript,
    algorithm: str | None,
    hashrate: float,
    expected: tuple[str, str],
) -> None:
    """An algorithm that nobody has heard of keeps the vocabulary's unit."""
    miner = script(algorithm=algorithm)
    miner.say(hashrate=hashrate)
    await add_site(miner.record)
    found = shown(hass, miner.record.id, "hashrate")
    assert found == {"hashrate": expected}


async def test_an_algorithm_that_is_told_late_brings_its_unit(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """A firmware that tells it only when it hashes, say."""
    miner = script(algorithm=None)
    miner.say(hashrate=0.0165)
    entry = await add_site(miner.record)
    key = miner.record.id
    assert shown(hass, key, "hashrate") == {"hashrate": ("0.0165", "TH/s")}
    miner.be(algorithm="scrypt")
    coordinator = entry.runtime_data.coordinators[key]
    for _ in range(2):
        coordinator.device.forget_info()
        await coordinator.async_refresh()
    miner.say(hashrate=0.017)
    await coordinator.async_refresh()
    assert shown(hass, key, "hashrate") == {"hashrate": ("17.0", "GH/s")}


# A site.


@FROZEN
async def test_sums_mix_nothing(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """A hash of one algorithm is of another world than one of the next."""
    bitcoin, litecoin, unknown = (
        script(),
        script(algorithm="scrypt"),
        script(algorithm=None),
    )
    litecoin.say(**LITECOIN)
    entry = await add_site(*(miner.record for miner in (bitcoin, litecoin, unknown)))
    totals = totals_of(entry)
    assert (totals.online, totals.mining, totals.power) == (3, 3, 9400.0)
    assert totals.usual == Work(
        hashrate=100.0, hashrate_expected=110.0, power=3000.0, efficiency=30.0
    )
    assert totals.of("scrypt").hashrate == 0.0165
    assert totals.of("x11") == Work()
    site = entry.entry_id
    assert shown(
        hass,
        site,
        "hashrate",
        "efficiency",
        "power",
        "hashrate_scrypt",
        "hashrate_expected_scrypt",
        "efficiency_scrypt",
    ) == {
        "hashrate": ("100.0", "TH/s"),
        "efficiency": ("30.0", "J/TH"),
        "power": ("9400.0", "W"),
        "hashrate_scrypt": ("16.5", "GH/s"),
        "hashrate_expected_scrypt": ("17.0", "GH/s"),
        "efficiency_scrypt": ("206.06061", "J/GH"),
    }
    assert state(hass, site, "hashrate_scrypt").name == "Home Hashrate (Scrypt)"
    assert not has(hass, site, "hashrate_x11")


async def test_a_site_of_one_other_algorithm_shows_only_that(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """Nothing stays unknown for ever; the usual comes with its first miner."""
    litecoin = script(algorithm="scrypt")
    litecoin.say(**LITECOIN)
    entry = await add_site(litecoin.record)
    site = entry.entry_id
    assert shown(hass, site, "hashrate_scrypt") == {"hashrate_scrypt": ("16.5", "GH/s")}
    assert not has(hass, site, "hashrate")
    assert not has(hass, site, "efficiency")
    await entry.runtime_data.async_adopt([script().record])
    await hass.async_block_till_done(wait_background_tasks=True)
    assert shown(hass, site, "hashrate") == {"hashrate": ("100.0", "TH/s")}


async def test_an_empty_site_awaits_the_usual(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """And takes up what else comes."""
    entry = await add_site()
    site = entry.entry_id
    assert state_of(hass, "sensor", site, "hashrate") == STATE_UNKNOWN
    dash = script(algorithm="x11")
    dash.say(hashrate=1.77)
    await entry.runtime_data.async_adopt([dash.record])
    await hass.async_block_till_done(wait_background_tasks=True)
    assert shown(hass, site, "hashrate_x11") == {"hashrate_x11": ("1770.0", "GH/s")}
    assert state_of(hass, "sensor", site, "hashrate") == STATE_UNKNOWN


async def test_unknown_miners_count_among_themselves(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """Where nobody's algorithm is known they are taken to do the same."""
    entry = await add_site(*(script(algorithm=None).record for _ in range(2)))
    totals = totals_of(entry)
    assert totals.usual.hashrate == 200.0
    assert (totals.has_usual, totals.others) == (True, [])
    assert totals.of("sha256").hashrate is None
    assert state_of(hass, "sensor", entry.entry_id, "hashrate") == "200.0"


# Money.


async def test_money_is_about_one_algorithm(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript, simulate: Simulate
) -> None:
    """The site pays for all of its power; the network only for one sort of work."""
    mempool: Any = await simulate(SimulatedMempool)
    hass.config.currency = "EUR"
    hass.states.async_set(PRICE, "0.10", {"unit_of_measurement": "EUR/kWh"})
    bitcoin, litecoin = script(), script(algorithm="scrypt")
    litecoin.say(power=1000.0, hashrate=5000.0)
    entry = await add_site(
        bitcoin.record,
        litecoin.record,
        options={"network": f"http://{mempool.address}", "price_entity": PRICE},
    )
    await settle(hass)
    stats = entry.runtime_data.market.data
    revenue = 100.0 * stats.hashprice * stats.price("EUR")
    money = async_money(hass, entry)
    assert money.revenue == pytest.approx(revenue)
    assert money.power_cost == pytest.approx(4.0 * 24 * 0.10)
    assert money.profit == pytest.approx(revenue - 3.0 * 24 * 0.10)
    assert money.break_even == pytest.approx(revenue / 72)
    assert money.cost_per_ths == pytest.approx(7.2 / 100)

    # One that does not tell its power may be using any of it.
    litecoin.say(power=None)
    await entry.runtime_data.coordinators[litecoin.record.id].async_refresh()
    entry.runtime_data._add_up()
    money = async_money(hass, entry)
    assert money.revenue == pytest.approx(revenue)
    assert money.profit is money.break_even is money.cost_per_ths is None


async def test_a_meter_is_shared_by_what_miners_use(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """Fans and pumps run for all of them."""
    hass.states.async_set(PRICE, "0.10", {"unit_of_measurement": "EUR/kWh"})
    hass.states.async_set(METER, "5000", {"unit_of_measurement": "W"})
    litecoin = script(algorithm="scrypt")
    litecoin.say(power=1000.0)
    entry = await add_site(
        script().record,
        litecoin.record,
        options={"price_entity": PRICE, "power_entity": METER},
    )
    money = async_money(hass, entry)
    assert money.power_cost == pytest.approx(5.0 * 24 * 0.10)
    assert money.cost_per_ths == pytest.approx(5.0 * 0.75 * 24 * 0.10 / 100)


async def test_unknown_work_earns_nothing_that_is_known(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """But its power costs what it costs."""
    hass.states.async_set(PRICE, "0.10", {"unit_of_measurement": "EUR/kWh"})
    entry = await add_site(
        script(algorithm=None).record, options={"price_entity": PRICE}
    )
    money = async_money(hass, entry)
    assert money.power_cost == pytest.approx(3.0 * 24 * 0.10)
    assert money.cost_per_ths is None


# Models.


@pytest.mark.parametrize(
    ("facts", "shown_as"),
    [
        ({"make": "Acme", "model": "A1"}, "A1"),
        ({"make": None, "model": "HashBox 9"}, "Unknown model (HashBox 9)"),
        ({"make": "Canaan", "model": "Avalon Z9"}, "Unknown model (Avalon Z9)"),
        ({"make": "Canaan", "model": "Avalon Q"}, "Avalon Q"),
        ({"make": "Canaan", "model": None}, None),
    ],
)
async def test_a_device_page_says_when_a_model_is_unknown(
    hass: HomeAssistant,
    add_site: AddSite,
    script: MakeScript,
    facts: dict[str, Any],
    shown_as: str | None,
) -> None:
    """With what it calls itself; makers that we do not list know their own models."""
    miner = script(**facts)
    entry = await add_site(miner.record)
    device = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, miner.record.id), entry.entry_id
    )
    assert device is not None
    assert device.model == shown_as
    assert "Unknown model" not in (device.name or "")

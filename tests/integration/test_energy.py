"""Energy, added up from power: honest about gaps, and kept over restarts."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from homeassistant.components.sensor import SensorExtraStoredData
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    mock_restore_cache_with_extra_data,
)

from custom_components.miningsdk.energy import MAXIMUM_GAP, EnergyMeter
from custom_components.miningsdk.sensor_miner import stored_total
from tests.integration.conftest import AddSite
from tests.integration.fixtures_fleet import (
    FROZEN,
    UNREACHABLE,
    Clock,
    MakeScript,
    Script,
    clock_fixture,  # noqa: F401
    script_fixture,  # noqa: F401
    state_of,
)

MINER_ENERGY = "sensor.acme_a1_0001_energy"
SITE_ENERGY = "sensor.home_energy"


def added_up(readings: Sequence[tuple[float, float | None]]) -> float:
    """Return the kWh that readings (s, W) come to."""
    meter = EnergyMeter()
    for at, power in readings:
        meter.add(power, at)
    return round(meter.total, 6)


@pytest.mark.parametrize(
    ("readings", "kwh"),
    [
        ([(0, 3600.0)], 0.0),
        ([(0, 3600.0), (100, 3600.0)], 0.1),
        # The mean of both ends, not either of them.
        ([(0, 0.0), (100, 3600.0)], 0.05),
        ([(0, 3600.0), (100, 0.0), (200, 0.0)], 0.05),
        # What is unknown adds nothing, on either side.
        ([(0, 3600.0), (100, None), (200, 3600.0)], 0.0),
        ([(0, 3600.0), (100, None), (200, 3600.0), (300, 3600.0)], 0.1),
        # A gap that is too long is one that nobody knows about.
        ([(0, 3600.0), (MAXIMUM_GAP, 3600.0)], 0.9),
        ([(0, 3600.0), (MAXIMUM_GAP + 1, 3600.0)], 0.0),
        # A clock that stands still.
        ([(5, 3600.0), (5, 3600.0)], 0.0),
    ],
)
def test_adds_up_power(readings: list[tuple[float, float | None]], kwh: float) -> None:
    """Every reading is one end of a trapezium, if both of its ends are known."""
    assert added_up(readings) == kwh


def test_add_tells_what_it_added() -> None:
    """The site counts it too."""
    meter = EnergyMeter()
    assert meter.add(3600.0, 0) == 0
    assert meter.add(3600.0, 100) == pytest.approx(0.1)


def test_an_earlier_total_counts_once() -> None:
    """An entity that is renamed is added again and asks again."""
    meter = EnergyMeter()
    meter.add(3600.0, 0)
    meter.add(3600.0, 100)
    meter.restore(5.0)
    meter.restore(5.1)
    assert meter.total == pytest.approx(5.1)


@pytest.mark.parametrize(
    ("stored", "total"),
    [
        (Decimal("12.5"), 12.5),
        (12.5, 12.5),
        ("12.5", 12.5),
        (None, 0.0),
        ("unknown", 0.0),
        (-3.0, 0.0),
        (float("nan"), 0.0),
        (float("inf"), 0.0),
    ],
)
def test_a_stored_total_that_does_not_count_is_zero(stored: Any, total: float) -> None:
    """Whatever is in the file, the sum goes on as a number."""
    assert stored_total(SensorExtraStoredData(stored, "kWh")) == total
    assert stored_total(None) == 0.0


@FROZEN
async def test_a_miner_and_its_site_count_energy(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """Two miners of 3 kW and 1 kW in an hour: 3, 1 and 4 kWh."""
    one, two = script(), script()
    two.say(power=1000.0)
    await add_site(one.record, two.record)
    await clock.forward(3600, step=30)
    hour = [float(value) for value in _energies(hass, one, two)]
    assert hour == pytest.approx([3.0, 1.0, 4.0], rel=0.02)
    state = hass.states.get(MINER_ENERGY)
    assert state is not None
    assert state.attributes["state_class"] == "total_increasing"
    assert state.attributes["device_class"] == "energy"
    assert state.attributes["unit_of_measurement"] == "kWh"


def _energies(hass: HomeAssistant, *miners: Script) -> list[str]:
    states = [state_of(hass, "sensor", miner.record.id, "energy") for miner in miners]
    site = hass.states.get(SITE_ENERGY)
    assert site is not None
    return [*states, site.state]


@FROZEN
async def test_energy_stays_known_while_the_miner_is_off(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """It does not fall, and the time that the miner was away adds nothing."""
    miner = script()
    entry = await add_site(miner.record)
    await clock.forward(600, step=10)
    loop = entry.runtime_data.coordinators[miner.record.id]
    miner.error = UNREACHABLE
    await loop.async_refresh()
    before = _energies(hass, miner)
    assert float(before[0]) > 0.4
    await clock.forward(600, step=60)
    miner.error = None
    await loop.async_refresh()
    assert float(_energies(hass, miner)[0]) == pytest.approx(float(before[0]))


@FROZEN
async def test_unknown_power_adds_nothing(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """A miner that tells no power for a while has used what is known, no more."""
    miner = script()
    entry = await add_site(miner.record)
    loop = entry.runtime_data.coordinators[miner.record.id]
    miner.say(power=None)
    await clock.forward(600, step=10)
    miner.say(power=3600.0)
    await loop.async_refresh()
    assert float(_energies(hass, miner)[0]) == 0
    await clock.forward(100, step=10)
    assert 0 < float(_energies(hass, miner)[0]) <= 0.1


@FROZEN
async def test_a_miner_without_power_has_no_energy(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """Unless it begins to tell, which needs no reload."""
    miner = script()
    miner.say(power=None)
    entry = await add_site(miner.record)
    assert hass.states.get(MINER_ENERGY) is None
    miner.say(power=100.0)
    await entry.runtime_data.coordinators[miner.record.id].async_refresh()
    await clock.settle()
    assert state_of(hass, "sensor", miner.record.id, "energy") == "0.0"


def _stored(**totals: float) -> tuple[tuple[State, dict[str, Any]], ...]:
    return tuple(
        (
            State(f"sensor.{name}", "unavailable"),
            SensorExtraStoredData(Decimal(str(total)), "kWh").as_dict(),
        )
        for name, total in totals.items()
    )


@FROZEN
async def test_energy_goes_on_after_a_restart(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """From what it was, and the time in between adds nothing."""
    mock_restore_cache_with_extra_data(
        hass, _stored(acme_a1_0001_energy=123.4567, home_energy=5000.5)
    )
    miner = script()
    await add_site(miner.record)
    assert _energies(hass, miner) == ["123.4567", "5000.5"]
    await clock.forward(600, step=10)
    assert [float(value) for value in _energies(hass, miner)] == pytest.approx(
        [123.9, 5000.95], abs=0.1
    )


@FROZEN
async def test_energy_goes_on_for_a_miner_that_is_off_at_the_start(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """The sum is known though the miner is not there."""
    mock_restore_cache_with_extra_data(hass, _stored(acme_a1_0001_energy=77.0))
    miner = script()
    entry = await add_site(miner.record)
    assert await hass.config_entries.async_unload(entry.entry_id)
    miner.error = UNREACHABLE
    assert await hass.config_entries.async_setup(entry.entry_id)
    await clock.settle()
    assert state_of(hass, "sensor", miner.record.id, "energy") == "77.0"
    assert state_of(hass, "sensor", miner.record.id, "power") == "unavailable"


@FROZEN
async def test_energy_survives_reloads_and_renames(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """Neither loses it, and neither counts it twice."""
    miner = script()
    entry = await add_site(miner.record)
    await clock.forward(1200, step=10)
    before = [float(value) for value in _energies(hass, miner)]
    assert before[0] > 0.9

    registry = er.async_get(hass)
    registry.async_update_entity(MINER_ENERGY, new_entity_id="sensor.garage_energy")
    registry.async_update_entity(SITE_ENERGY, new_entity_id="sensor.all_energy")
    await clock.settle()
    # There and back: what was stored under the first name is found again.
    registry.async_update_entity("sensor.garage_energy", new_entity_id=MINER_ENERGY)
    registry.async_update_entity("sensor.all_energy", new_entity_id=SITE_ENERGY)
    await clock.settle()
    renamed = [_number(hass, e) for e in (MINER_ENERGY, SITE_ENERGY)]
    assert renamed == pytest.approx(before, abs=0.001)

    assert await hass.config_entries.async_reload(entry.entry_id)
    await clock.settle()
    again = [_number(hass, e) for e in (MINER_ENERGY, SITE_ENERGY)]
    assert again == pytest.approx(before, abs=0.001)
    await clock.forward(60, step=10)
    assert _number(hass, MINER_ENERGY) > before[0]


def _number(hass: HomeAssistant, wanted: str) -> float:
    state = hass.states.get(wanted)
    assert state is not None
    return float(state.state)


@FROZEN
async def test_the_sites_energy_does_not_fall_when_a_miner_is_removed(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """What was used was used."""
    one, two = script(), script()
    entry: MockConfigEntry = await add_site(one.record, two.record)
    await clock.forward(600, step=10)
    before = _number(hass, SITE_ENERGY)
    await entry.runtime_data.async_remove(two.record.id)
    await clock.forward(60, step=10)
    assert _number(hass, SITE_ENERGY) > before


@FROZEN
async def test_the_sites_energy_is_written_once_an_interval(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """However many miners add to it meanwhile."""
    await add_site(*(script().record for _ in range(12)))
    await clock.forward(60, step=1)
    times = set()
    for _ in range(120):
        await clock.forward(1)
        state = hass.states.get(SITE_ENERGY)
        assert state is not None
        times.add(state.last_updated)
    assert 3 <= len(times) <= 5

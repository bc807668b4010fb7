"""Alarms of containers: limits of the driver, of the user, and when they fire."""

from typing import Any

from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    mock_restore_cache_with_extra_data,
)

from tests.conftest import Simulate
from tests.integration.attached import attached_data, coordinator_of, entity_of
from tests.integration.conftest import AddSite
from tests.simulators.antspace import SimulatedAntspace

LIMIT = "limit_temperature_supply_high"


async def box_in_site(
    simulate: Simulate, add_site: AddSite, hass: HomeAssistant
) -> tuple[Any, MockConfigEntry]:
    box = await simulate(SimulatedAntspace)
    data = attached_data("container", driver="antspace", host=box.address)
    entry = await add_site(subentries=(data,))
    await hass.async_block_till_done(wait_background_tasks=True)
    return box, entry


def alarm(hass: HomeAssistant, entry: MockConfigEntry) -> State:
    entity_id = entity_of(hass, entry, "binary_sensor", "alarm")
    assert entity_id is not None
    state = hass.states.get(entity_id)
    assert state is not None
    return state


@pytest.mark.parametrize(
    ("told", "severity", "words"),
    [
        ({}, None, []),
        (
            {"supply_liquid_temp": 38},
            "warning",
            ["Supply temperature 38 °C, at or above 37 °C"],
        ),
        (
            {"supply_liquid_temp": 40},
            "critical",
            ["Supply temperature 40 °C, at or above 40 °C"],
        ),
        (
            {"supply_liquid_temp": 24.9},
            "warning",
            ["Supply temperature 24.9 °C, at or below 25 °C"],
        ),
        (
            {"supply_liquid_temp": 20, "supply_liquid_pressure": 3.6},
            "critical",
            [
                "Supply temperature 20 °C, at or below 21 °C",
                "Supply pressure 3.6 bar, at or above 3.5 bar",
            ],
        ),
    ],
)
async def test_limits_of_the_driver_fire(
    hass: HomeAssistant,
    simulate: Simulate,
    add_site: AddSite,
    told: dict[str, float],
    severity: str | None,
    words: list[str],
) -> None:
    box, entry = await box_in_site(simulate, add_site, hass)
    box.more = {"supply_liquid_temp": 30, "supply_liquid_pressure": 3.0, **told}
    await coordinator_of(entry).async_refresh()
    state = alarm(hass, entry)
    assert state.state == ("on" if words else "off")
    assert state.attributes["severity"] == severity
    assert state.attributes["alarms"] == words


async def test_container_that_stands_still_is_not_too_cold(
    hass: HomeAssistant, simulate: Simulate, add_site: AddSite
) -> None:
    box, entry = await box_in_site(simulate, add_site, hass)
    box.more = {"supply_liquid_temp": 5, "supply_liquid_pressure": 0}
    box.cooling = False
    await coordinator_of(entry).async_refresh()
    assert alarm(hass, entry).state == "off"
    await box.stop()
    await coordinator_of(entry).async_refresh()
    assert alarm(hass, entry).state == "unavailable"


async def enable_limit(hass: HomeAssistant, entry: MockConfigEntry) -> str:
    """Switch the limit on, as a user does in its settings."""
    entity_id = entity_of(hass, entry, "number", LIMIT)
    assert entity_id is not None
    registry = er.async_get(hass)
    found = registry.async_get(entity_id)
    assert found is not None
    assert found.disabled_by is er.RegistryEntryDisabler.INTEGRATION
    registry.async_update_entity(entity_id, disabled_by=None)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    return entity_id


async def test_limit_can_be_changed(
    hass: HomeAssistant, simulate: Simulate, add_site: AddSite
) -> None:
    box, entry = await box_in_site(simulate, add_site, hass)
    box.more = {"supply_liquid_temp": 36, "supply_liquid_pressure": 3.0}
    limit = await enable_limit(hass, entry)
    state = hass.states.get(limit)
    assert state is not None
    assert float(state.state) == 37
    assert alarm(hass, entry).state == "off"
    await hass.services.async_call(
        "number", "set_value", {"entity_id": limit, "value": 35.5}, blocking=True
    )
    assert alarm(hass, entry).state == "on"
    assert alarm(hass, entry).attributes["alarms"] == [
        "Supply temperature 36 °C, at or above 35.5 °C"
    ]
    state = hass.states.get(limit)
    assert state is not None
    assert float(state.state) == 35.5


async def test_own_limit_outlives_a_restart(
    hass: HomeAssistant, simulate: Simulate, add_site: AddSite
) -> None:
    box, entry = await box_in_site(simulate, add_site, hass)
    box.more = {"supply_liquid_temp": 36, "supply_liquid_pressure": 3.0}
    entity_id = entity_of(hass, entry, "number", LIMIT)
    assert entity_id is not None
    stored = {
        "native_max_value": 200.0,
        "native_min_value": -50.0,
        "native_step": 0.1,
        "native_unit_of_measurement": "°C",
        "native_value": 34.0,
    }
    mock_restore_cache_with_extra_data(hass, [(State(entity_id, "34.0"), stored)])
    await enable_limit(hass, entry)
    await coordinator_of(entry).async_refresh()
    assert alarm(hass, entry).state == "on"

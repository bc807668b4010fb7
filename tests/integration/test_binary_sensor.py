"""Binary sensors: what is wrong, and whether the miner answers."""

from homeassistant.const import STATE_OFF, STATE_ON, STATE_UNAVAILABLE, Platform
from homeassistant.core import HomeAssistant
import pytest

from custom_components.miningsdk.sdk import Fault, MinerStatus, Severity
from tests.integration.conftest import AddSite, Axe
from tests.integration.families import (
    MAIN,
    CheckPlatform,
    check_platform_fixture,  # noqa: F401
    recorded_fixture,  # noqa: F401
)
from tests.integration.fixtures_fleet import (
    FROZEN,
    UNREACHABLE,
    MakeScript,
    entity_id,
    script_fixture,  # noqa: F401
    state_of,
)


@FROZEN
@pytest.mark.parametrize("family", MAIN)
async def test_binary_sensors(check_platform: CheckPlatform, family: str) -> None:
    """They are the same for each family."""
    await check_platform(Platform.BINARY_SENSOR, family)


@pytest.mark.parametrize(
    ("status", "severity", "problem"),
    [
        (MinerStatus.MINING, None, STATE_OFF),
        (MinerStatus.MINING, Severity.INFO, STATE_OFF),
        (MinerStatus.MINING, Severity.WARNING, STATE_ON),
        (MinerStatus.MINING, Severity.CRITICAL, STATE_ON),
        (MinerStatus.FAULT, None, STATE_ON),
        (MinerStatus.PAUSED, None, STATE_OFF),
    ],
)
async def test_a_problem_is_what_needs_a_person(
    hass: HomeAssistant,
    add_site: AddSite,
    script: MakeScript,
    status: MinerStatus,
    severity: Severity | None,
    problem: str,
) -> None:
    """A mere note of the device is told, but is none."""
    miner = script()
    faults = (
        () if severity is None else (Fault(code="7", message="Hot", severity=severity),)
    )
    miner.say(status=status, faults=faults)
    await add_site(miner.record)
    state = hass.states.get(
        entity_id(hass, "binary_sensor", miner.record.id, "problem")
    )
    assert state is not None
    assert state.state == problem
    assert state.attributes["faults"] == [fault.message for fault in faults]


async def test_a_fault_of_a_simulated_miner_shows(
    hass: HomeAssistant, add_site: AddSite, axe: Axe
) -> None:
    """With the words that the device has for it."""
    device = await axe(overheated=True)
    entry = await add_site(device)
    key = next(iter(entry.runtime_data.inventory.records))
    state = hass.states.get(entity_id(hass, "binary_sensor", key, "problem"))
    assert state is not None
    assert state.state == STATE_ON
    assert state.attributes["faults"]


async def test_connectivity_is_known_when_all_else_is_not(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """A miner that was never there has no problem, as far as one can know."""
    miner = script()
    miner.error = UNREACHABLE
    entry = await add_site(miner.record)
    key = miner.record.id
    assert state_of(hass, "binary_sensor", key, "connectivity") == STATE_OFF
    assert state_of(hass, "binary_sensor", key, "problem") == STATE_UNAVAILABLE
    miner.error = None
    await entry.runtime_data.coordinators[key].async_refresh()
    assert state_of(hass, "binary_sensor", key, "connectivity") == STATE_ON
    assert state_of(hass, "binary_sensor", key, "problem") == STATE_OFF

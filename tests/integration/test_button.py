"""Buttons: reboot, and restart of the mining process."""

from homeassistant.components.button import DOMAIN as BUTTON_DOMAIN, SERVICE_PRESS
from homeassistant.const import ATTR_ENTITY_ID, STATE_UNAVAILABLE, Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest

from custom_components.miningsdk.sdk import CommandFailed
from tests.integration.conftest import AddSite, Axe
from tests.integration.families import (
    CONTROLLED,
    MAIN,
    CheckPlatform,
    check_platform_fixture,  # noqa: F401
    recorded_fixture,  # noqa: F401
)
from tests.integration.fixtures_fleet import (
    FROZEN,
    Clock,
    MakeScript,
    clock_fixture,  # noqa: F401
    entity_id,
    script_fixture,  # noqa: F401
    state_of,
)


@FROZEN
@pytest.mark.parametrize("family", [n for n in MAIN if n in CONTROLLED])
async def test_buttons(check_platform: CheckPlatform, family: str) -> None:
    """What each family has to press."""
    await check_platform(Platform.BUTTON, family)


async def press(hass: HomeAssistant, wanted: str) -> None:
    """Press a button as a user does."""
    await hass.services.async_call(
        BUTTON_DOMAIN, SERVICE_PRESS, {ATTR_ENTITY_ID: wanted}, blocking=True
    )


@FROZEN
async def test_reboot(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, axe: Axe
) -> None:
    """The device is away for a while, which is shown, and comes back."""
    device = await axe()
    entry = await add_site(device)
    key = next(iter(entry.runtime_data.coordinators))
    await press(hass, entity_id(hass, "button", key, "reboot"))
    assert device.restarts == 1
    assert state_of(hass, "button", key, "reboot") == STATE_UNAVAILABLE
    await clock.forward(60, step=5)
    assert state_of(hass, "sensor", key, "status") == "mining"


async def test_restart_of_the_mining_process(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """It is told once, and a refusal is shown."""
    miner = script(full=True)
    await add_site(miner.record)
    button = entity_id(hass, "button", miner.record.id, "restart")
    await press(hass, button)
    assert miner.told == ["restart"]
    miner.refuses = CommandFailed("the miner is being updated")
    with pytest.raises(HomeAssistantError) as raised:
        await press(hass, button)
    assert "the miner is being updated" in str(raised.value)
    assert miner.told == ["restart"]


async def test_a_button_is_not_written_at_each_poll(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """It has no state but when it was pressed."""
    miner = script(full=True)
    entry = await add_site(miner.record)
    button = entity_id(hass, "button", miner.record.id, "reboot")
    before = hass.states.get(button)
    for _ in range(3):
        await entry.runtime_data.coordinators[miner.record.id].async_refresh()
    after = hass.states.get(button)
    assert before is not None
    assert after is not None
    assert after.last_reported == before.last_reported

"""Selects: the power mode and the tuning profile."""

from homeassistant.components.select import (
    ATTR_OPTION,
    ATTR_OPTIONS,
    DOMAIN as SELECT_DOMAIN,
    SERVICE_SELECT_OPTION,
)
from homeassistant.const import ATTR_ENTITY_ID, STATE_UNKNOWN, Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest

from custom_components.miningsdk.sdk import Capability, Limits
from tests.conftest import Simulate
from tests.integration.conftest import AddSite, record_of
from tests.integration.families import (
    CheckPlatform,
    check_platform_fixture,  # noqa: F401
    recorded_fixture,  # noqa: F401
)
from tests.integration.fixtures_fleet import (
    FROZEN,
    LIMITS,
    MakeScript,
    entity_id,
    script_fixture,  # noqa: F401
    state_of,
)
from tests.simulators.whatsminer import SimulatedWhatsminer


@FROZEN
@pytest.mark.parametrize(
    "family", ["antminer", "avalon", "whatsminer", "whatsminer-v3"]
)
async def test_selects(check_platform: CheckPlatform, family: str) -> None:
    """What each family has to select from."""
    await check_platform(Platform.SELECT, family)


async def select(hass: HomeAssistant, wanted: str, option: str) -> None:
    """Select an option as a user does."""
    await hass.services.async_call(
        SELECT_DOMAIN,
        SERVICE_SELECT_OPTION,
        {ATTR_ENTITY_ID: wanted, ATTR_OPTION: option},
        blocking=True,
    )


async def test_a_mode_is_set_and_read_back(
    hass: HomeAssistant, add_site: AddSite, simulate: Simulate
) -> None:
    """The simulated miner changes, and the state is what it says."""
    device: SimulatedWhatsminer = await simulate(SimulatedWhatsminer)
    await add_site(await record_of(device, "admin", device.password))
    mode = entity_id(hass, "select", device.serial, "power_mode")
    assert state_of(hass, "select", device.serial, "power_mode") == "normal"
    await select(hass, mode, "low")
    assert device.power_mode == "low"
    assert state_of(hass, "select", device.serial, "power_mode") == "low"

    device.refused["set_low_power"] = (132, "API command ERROR")
    device.refused["set_high_power"] = (132, "API command ERROR")
    with pytest.raises(HomeAssistantError) as raised:
        await select(hass, mode, "high")
    assert raised.value.translation_key == "command_failed"
    assert state_of(hass, "select", device.serial, "power_mode") == "low"


async def test_a_profile_is_set(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """An option that is none of the device's is refused before it is asked."""
    miner = script(full=True)
    await add_site(miner.record)
    profile = entity_id(hass, "select", miner.record.id, "profile")
    await select(hass, profile, "90 TH")
    assert miner.stats.settings.profile == "90 TH"
    assert state_of(hass, "select", miner.record.id, "profile") == "90 TH"
    with pytest.raises(ServiceValidationError):
        await select(hass, profile, "500 TH")


async def test_what_is_no_option_is_unknown(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """Options that come later are shown though the state stays the same."""
    miner = script(full=True)
    entry = await add_site(miner.record)
    loop = entry.runtime_data.coordinators[miner.record.id]
    mode = entity_id(hass, "select", miner.record.id, "power_mode")
    miner.say(power_mode="hyper")
    await loop.async_refresh()
    assert state_of(hass, "select", miner.record.id, "power_mode") == STATE_UNKNOWN

    miner.say(power_mode="normal")
    await loop.async_refresh()
    more = Limits(options=("low", "normal", "turbo", "hyper"))
    miner.be(limits={**LIMITS, Capability.POWER_MODE: more})
    loop.device.forget_info()
    await loop.async_refresh()
    state = hass.states.get(mode)
    assert state is not None
    assert state.attributes[ATTR_OPTIONS] == ["low", "normal", "turbo", "hyper"]
    miner.be(limits={})
    loop.device.forget_info()
    await loop.async_refresh()
    state = hass.states.get(mode)
    assert state is not None
    assert state.attributes[ATTR_OPTIONS] == []

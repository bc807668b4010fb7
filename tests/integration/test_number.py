"""Numbers: limits, fans, temperatures, frequency and voltage."""

from homeassistant.components.number import (
    ATTR_VALUE,
    DOMAIN as NUMBER_DOMAIN,
    SERVICE_SET_VALUE,
)
from homeassistant.const import ATTR_ENTITY_ID, Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest

from custom_components.miningsdk.sdk import Capability, Limits, MinerSettings
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
    LIMITS,
    MakeScript,
    entity_id,
    script_fixture,  # noqa: F401
    state_of,
)


@FROZEN
@pytest.mark.parametrize("family", [n for n in MAIN if n in CONTROLLED])
async def test_numbers(check_platform: CheckPlatform, family: str) -> None:
    """What each family has to set."""
    await check_platform(Platform.NUMBER, family)


async def set_value(hass: HomeAssistant, wanted: str, value: float) -> None:
    """Set a number as a user does."""
    await hass.services.async_call(
        NUMBER_DOMAIN,
        SERVICE_SET_VALUE,
        {ATTR_ENTITY_ID: wanted, ATTR_VALUE: value},
        blocking=True,
    )


@pytest.mark.parametrize(
    ("key", "value", "setting", "stored"),
    [
        ("fan", 55, "manualFanSpeed", 55),
        ("target_temperature", 62, "temptarget", 62),
        ("frequency", 600, "frequency", 600),
        ("voltage", 1.2, "coreVoltage", 1200),
    ],
)
async def test_a_number_is_set_and_read_back(
    hass: HomeAssistant,
    add_site: AddSite,
    axe: Axe,
    key: str,
    value: float,
    setting: str,
    stored: int,
) -> None:
    """On a simulated Bitaxe, which has its own units and names."""
    device = await axe()
    entry = await add_site(device)
    record_id = next(iter(entry.runtime_data.inventory.records))
    number = entity_id(hass, "number", record_id, key)
    await set_value(hass, number, value)
    assert device.settings[setting] == stored
    assert float(state_of(hass, "number", record_id, key)) == pytest.approx(value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("power_limit", 2500.0),
        ("throttle", 70.0),
        ("fan", 30.0),
        ("target_temperature", 65.0),
        ("frequency", 500.0),
        ("voltage", 1.15),
    ],
)
async def test_every_number_reaches_its_command(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript, key: str, value: float
) -> None:
    """The range is what the device says; beyond it nothing is asked."""
    miner = script(full=True)
    await add_site(miner.record)
    record_id = miner.record.id
    number = entity_id(hass, "number", record_id, key)
    await set_value(hass, number, value)
    assert len(miner.told) == 1
    assert float(state_of(hass, "number", record_id, key)) == value
    state = hass.states.get(number)
    assert state is not None
    limits = LIMITS[Capability(key)]
    shown = [state.attributes[name] for name in ("min", "max", "step")]
    assert shown == [limits.minimum, limits.maximum, limits.step]
    assert limits.maximum is not None
    with pytest.raises(ServiceValidationError):
        await set_value(hass, number, limits.maximum + 1)
    assert len(miner.told) == 1


async def test_a_value_that_the_device_refuses(
    hass: HomeAssistant,
    add_site: AddSite,
    axe: Axe,
) -> None:
    """A Bitaxe answers 400 to what it does not take."""
    device = await axe()
    entry = await add_site(device)
    record_id = next(iter(entry.runtime_data.inventory.records))
    number = entity_id(hass, "number", record_id, "frequency")
    device.refuses_us = True
    with pytest.raises(HomeAssistantError) as raised:
        await set_value(hass, number, 600)
    assert raised.value.translation_key == "command_failed"
    assert device.settings["frequency"] == 525


async def test_limits_that_change_are_shown(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """Overclocking allowed on the device widens the range, without a reload."""
    miner = script(full=True)
    entry = await add_site(miner.record)
    loop = entry.runtime_data.coordinators[miner.record.id]
    number = entity_id(hass, "number", miner.record.id, "frequency")
    miner.be(limits={**LIMITS, Capability.FREQUENCY: Limits(minimum=200, maximum=900)})
    loop.device.forget_info()
    await loop.async_refresh()
    state = hass.states.get(number)
    assert state is not None
    shown = [state.attributes[name] for name in ("min", "max", "step")]
    assert shown == [200, 900, 5]


async def test_what_is_not_set_is_unknown(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """Without limits of the device, those of Home Assistant stand."""
    miner = script(full=True, limits={})
    miner.say(settings=MinerSettings())
    await add_site(miner.record)
    state = hass.states.get(entity_id(hass, "number", miner.record.id, "throttle"))
    assert state is not None
    assert state.state == "unknown"
    assert [state.attributes[name] for name in ("min", "max")] == [0, 100]

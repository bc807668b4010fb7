"""Switches: mining, locate and automatic fans, on simulated miners."""

from typing import Any

from homeassistant.components.switch import DOMAIN as SWITCH_DOMAIN
from homeassistant.const import (
    ATTR_AREA_ID,
    ATTR_ENTITY_ID,
    SERVICE_TURN_OFF,
    SERVICE_TURN_ON,
    STATE_OFF,
    STATE_ON,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
    Platform,
)
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    issue_registry as ir,
)
import pytest

from custom_components.miningsdk.const import DOMAIN
from custom_components.miningsdk.sdk import (
    Capability,
    Fan,
    Limits,
    MinerSettings,
    MinerStatus,
)
from tests.conftest import Simulate
from tests.integration.conftest import AddSite, Axe, record_of
from tests.integration.families import (
    CONTROLLED,
    FAMILIES,
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
from tests.simulators.whatsminer import SimulatedWhatsminer

# Simulated time runs so much faster where a command takes its time.
_FASTER: dict[str, dict[str, Any]] = {
    "avalon": {"speed": 500.0},
    "nerdaxe": {"boot": 0.02},
}


@FROZEN
@pytest.mark.parametrize("family", [n for n in MAIN if n in CONTROLLED])
async def test_switches(check_platform: CheckPlatform, family: str) -> None:
    """What each family has to switch."""
    await check_platform(Platform.SWITCH, family)


async def switch(hass: HomeAssistant, service: str, **target: Any) -> None:
    """Switch as a user does."""
    await hass.services.async_call(SWITCH_DOMAIN, service, target, blocking=True)


@pytest.mark.parametrize("name", CONTROLLED)
async def test_mining_is_paused_and_resumed(
    hass: HomeAssistant, add_site: AddSite, simulate: Simulate, name: str
) -> None:
    """The device itself says so, each time; nothing is assumed."""
    family = FAMILIES[name]
    options = {**family.options, **_FASTER.get(name, {})}
    device = await simulate(family.simulator, **options)
    record = await record_of(device, family.username, family.password)
    await add_site(record)
    mining = entity_id(hass, "switch", record.id, "mining")
    assert state_of(hass, "switch", record.id, "mining") == STATE_ON

    await switch(hass, SERVICE_TURN_OFF, **{ATTR_ENTITY_ID: mining})
    assert state_of(hass, "switch", record.id, "mining") == STATE_OFF
    assert state_of(hass, "sensor", record.id, "status") == MinerStatus.PAUSED

    await switch(hass, SERVICE_TURN_ON, **{ATTR_ENTITY_ID: mining})
    assert state_of(hass, "switch", record.id, "mining") == STATE_ON


async def test_turning_off_an_area_pauses_its_miners(
    hass: HomeAssistant, add_site: AddSite, axe: Axe
) -> None:
    """And does nothing else: the other switches have a category."""
    inside, outside = await axe(), await axe()
    entry = await add_site(inside, outside)
    keys = list(entry.runtime_data.inventory.records)
    registry = dr.async_get(hass)
    device = registry.async_get_device_by_identifier((DOMAIN, keys[0]), entry.entry_id)
    assert device is not None
    area = ar.async_get(hass).async_create("Garage")
    registry.async_update_device(device.id, area_id=area.id)
    await switch(hass, SERVICE_TURN_OFF, **{ATTR_AREA_ID: area.id})
    assert (inside.asleep, outside.asleep) == (True, False)
    assert inside.settings["autofanspeed"] == 1
    assert state_of(hass, "switch", keys[0], "mining") == STATE_OFF


async def test_locate(hass: HomeAssistant, add_site: AddSite, axe: Axe) -> None:
    """The lamp or screen of the device shows it."""
    device = await axe()
    entry = await add_site(device)
    key = next(iter(entry.runtime_data.inventory.records))
    lamp = entity_id(hass, "switch", key, "locate")
    assert state_of(hass, "switch", key, "locate") == STATE_OFF
    await switch(hass, SERVICE_TURN_ON, **{ATTR_ENTITY_ID: lamp})
    assert device.cue_until > 0
    assert state_of(hass, "switch", key, "locate") == STATE_ON
    await switch(hass, SERVICE_TURN_OFF, **{ATTR_ENTITY_ID: lamp})
    assert device.cue_until == 0
    assert state_of(hass, "switch", key, "locate") == STATE_OFF


async def test_automatic_fan(hass: HomeAssistant, add_site: AddSite, axe: Axe) -> None:
    """Off keeps the fan at the speed that it had."""
    device = await axe()
    entry = await add_site(device)
    key = next(iter(entry.runtime_data.inventory.records))
    automatic = entity_id(hass, "switch", key, "fan_automatic")
    duty = entry.runtime_data.coordinators[key].data.fans[0].duty
    await switch(hass, SERVICE_TURN_OFF, **{ATTR_ENTITY_ID: automatic})
    assert device.settings["autofanspeed"] == 0
    assert device.settings["manualFanSpeed"] == round(duty)
    assert state_of(hass, "switch", key, "fan_automatic") == STATE_OFF
    assert float(state_of(hass, "number", key, "fan")) == round(duty)
    await switch(hass, SERVICE_TURN_ON, **{ATTR_ENTITY_ID: automatic})
    assert device.settings["autofanspeed"] == 1
    assert state_of(hass, "switch", key, "fan_automatic") == STATE_ON


@pytest.mark.parametrize(
    ("fans", "limits", "duty"),
    [
        ((), Limits(minimum=10, maximum=90, options=("auto",)), 90.0),
        ((), Limits(options=("auto",)), 100.0),
        ((Fan(index=0, duty=95),), LIMITS[Capability.FAN], 90.0),
        ((Fan(index=0, duty=5),), LIMITS[Capability.FAN], 10.0),
        ((Fan(index=0), Fan(index=1, duty=40)), LIMITS[Capability.FAN], 40.0),
    ],
)
async def test_a_fixed_fan_stays_within_the_limits(
    hass: HomeAssistant,
    add_site: AddSite,
    script: MakeScript,
    fans: tuple[Fan, ...],
    limits: Limits,
    duty: float,
) -> None:
    """A duty that is not known becomes the highest: it cools in any case."""
    miner = script(full=True, limits={Capability.FAN: limits})
    miner.say(fans=fans, settings=MinerSettings(fan_automatic=True))
    await add_site(miner.record)
    automatic = entity_id(hass, "switch", miner.record.id, "fan_automatic")
    await switch(hass, SERVICE_TURN_OFF, **{ATTR_ENTITY_ID: automatic})
    assert miner.stats.settings == MinerSettings(fan=duty, fan_automatic=False)


async def test_a_status_that_is_unknown_is_neither_on_nor_off(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """What mines, starts, idles or has a fault is switched on."""
    miner = script(full=True)
    entry = await add_site(miner.record)
    loop = entry.runtime_data.coordinators[miner.record.id]
    shown = {}
    for status in MinerStatus:
        miner.say(status=status)
        await loop.async_refresh()
        shown[status.value] = state_of(hass, "switch", miner.record.id, "mining")
    assert shown == {
        "mining": STATE_ON,
        "starting": STATE_ON,
        "tuning": STATE_ON,
        "idle": STATE_ON,
        "paused": STATE_OFF,
        "fault": STATE_ON,
        "unknown": STATE_UNKNOWN,
    }


async def test_a_refusal_is_told_in_the_devices_words(
    hass: HomeAssistant, add_site: AddSite, simulate: Simulate
) -> None:
    """And the switch goes on showing the truth."""
    device: SimulatedWhatsminer = await simulate(SimulatedWhatsminer)
    await add_site(await record_of(device, "admin", device.password))
    device.refused["power_off"] = (132, "machine is in upgrading")
    mining = entity_id(hass, "switch", device.serial, "mining")
    with pytest.raises(HomeAssistantError) as raised:
        await switch(hass, SERVICE_TURN_OFF, **{ATTR_ENTITY_ID: mining})
    assert raised.value.translation_key == "command_failed"
    assert "machine is in upgrading" in str(raised.value)
    assert state_of(hass, "switch", device.serial, "mining") == STATE_ON
    assert not ir.async_get(hass).issues


async def test_what_is_not_confirmed_has_failed(
    hass: HomeAssistant,
    add_site: AddSite,
    axe: Axe,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A device that says yes and does nothing is found out."""
    monkeypatch.setattr(
        "custom_components.miningsdk.sdk.drivers.axeos.AxeOS.confirm_within", 0.05
    )
    device = await axe()
    entry = await add_site(device)
    device.stubborn = True
    key = next(iter(entry.runtime_data.inventory.records))
    mining = entity_id(hass, "switch", key, "mining")
    with pytest.raises(HomeAssistantError) as raised:
        await switch(hass, SERVICE_TURN_OFF, **{ATTR_ENTITY_ID: mining})
    assert "not confirmed" in str(raised.value)
    assert state_of(hass, "switch", key, "mining") == STATE_ON


@pytest.mark.parametrize("password", ["wrong", None])
async def test_a_wrong_or_missing_password_raises_a_repair(
    hass: HomeAssistant, add_site: AddSite, simulate: Simulate, password: str | None
) -> None:
    """The miner is read all the same."""
    device: SimulatedWhatsminer = await simulate(SimulatedWhatsminer)
    record = await record_of(device, "admin", password)
    entry = await add_site(record)
    mining = entity_id(hass, "switch", record.id, "mining")
    with pytest.raises(HomeAssistantError) as raised:
        await switch(hass, SERVICE_TURN_OFF, **{ATTR_ENTITY_ID: mining})
    assert raised.value.translation_key == "authentication_failed"
    assert "wrong" not in str(raised.value).replace("wrong password", "")
    issue = f"credentials_{entry.entry_id}_{record.id}"
    assert ir.async_get(hass).async_get_issue(DOMAIN, issue) is not None
    assert state_of(hass, "switch", record.id, "mining") == STATE_ON
    assert not device.asleep


async def test_a_miner_that_went_away_meanwhile(
    hass: HomeAssistant, add_site: AddSite, axe: Axe
) -> None:
    """The command fails, the entity becomes unavailable and takes no more."""
    device = await axe()
    entry = await add_site(device)
    key = next(iter(entry.runtime_data.inventory.records))
    mining = entity_id(hass, "switch", key, "mining")
    await device.stop()
    with pytest.raises(HomeAssistantError) as raised:
        await switch(hass, SERVICE_TURN_OFF, **{ATTR_ENTITY_ID: mining})
    assert raised.value.translation_key == "unreachable"
    assert state_of(hass, "switch", key, "mining") == STATE_UNAVAILABLE
    await switch(hass, SERVICE_TURN_OFF, **{ATTR_ENTITY_ID: mining})
    assert not device.asleep

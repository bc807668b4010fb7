"""Repairs: credentials that fail, and devices that were replaced."""

from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest

from custom_components.miningsdk.sdk import (
    AuthenticationFailed,
    CommandFailed,
    DeviceTimeout,
    InvalidReply,
    MiningSDKError,
    NotSupported,
)
from tests.integration.conftest import AddSite, Axe, Fake, record_of
from tests.integration.drivers import GuardedMiner
from tests.integration.flows import (
    Repairs,
    fields,
    id_of,
    records_of,
    settle,
    state,
    suggested,
)


@pytest.fixture
def repairs(hass: HomeAssistant) -> Repairs:
    """Return the repairs that Home Assistant shows."""
    return Repairs(hass)


async def locked_out(fake: Fake, add_site: AddSite) -> tuple[Any, Any]:
    """Set up a device whose password has been changed since."""
    device = await fake(firmware="guarded", password="old")
    entry = await add_site(await record_of(device, "root", "old"))
    device.password = "new"
    (coordinator,) = entry.runtime_data.coordinators.values()
    await coordinator.async_refresh()
    assert not coordinator.available
    return entry, device


# Credentials.


async def test_wrong_password_then_the_right_one(
    hass: HomeAssistant, fake: Fake, add_site: AddSite, repairs: Repairs
) -> None:
    entry, device = await locked_out(fake, add_site)
    issue = repairs.issues()["credentials"]
    assert issue.is_fixable
    named = {"name": "Guarded F1 0001", "host": device.host}
    assert issue.translation_placeholders == named

    result = await repairs.start("credentials")
    assert result["step_id"] == "confirm"
    assert fields(result) == {"username", "password"}
    assert suggested(result) == {"username": "root"}
    assert result["description_placeholders"] == named

    result = await repairs.fill(result, username="admin", password="wrong")
    assert result["errors"] == {"base": "invalid_auth"}
    assert suggested(result) == {"username": "admin"}
    assert records_of(hass)[id_of(device)].password == "old"

    result = await repairs.fill(result, username="admin", password="new")
    assert result["type"] == "create_entry"
    assert not repairs.issues()
    record = records_of(hass)[id_of(device)]
    assert (record.username, record.password) == ("admin", "new")
    (coordinator,) = entry.runtime_data.coordinators.values()
    assert coordinator.available


@pytest.mark.parametrize(
    ("error", "key"),
    [
        (DeviceTimeout("late"), "timeout"),
        (NotSupported("no"), "not_supported"),
        (InvalidReply("what"), "invalid_reply"),
        (CommandFailed("odd"), "unknown"),
        (MiningSDKError("odd"), "unknown"),
        (RuntimeError("odd"), "unknown"),
    ],
)
async def test_device_does_not_take_part(
    fake: Fake, add_site: AddSite, repairs: Repairs, error: Exception, key: str
) -> None:
    await locked_out(fake, add_site)
    result = await repairs.start("credentials")

    async def fail(self: GuardedMiner) -> None:
        raise error

    with patch.object(GuardedMiner, "check_credentials", fail):
        result = await repairs.fill(result, password="new")
    assert result["errors"] == {"base": key}
    result = await repairs.fill(result, password="new")
    assert result["type"] == "create_entry"
    assert not repairs.issues()


async def test_device_is_off_during_the_repair(
    fake: Fake, add_site: AddSite, repairs: Repairs
) -> None:
    _, device = await locked_out(fake, add_site)
    result = await repairs.start("credentials")
    await device.stop()
    result = await repairs.fill(result, password="new")
    assert result["errors"] == {"base": "cannot_connect"}
    await device.start()
    result = await repairs.fill(result, password="new")
    assert result["type"] == "create_entry"


async def test_device_moves_during_the_repair(
    hass: HomeAssistant, fake: Fake, add_site: AddSite, repairs: Repairs
) -> None:
    entry, device = await locked_out(fake, add_site)
    result = await repairs.start("credentials")
    await device.stop()
    there = await fake(firmware="guarded", password="new", serial=device.serial)
    fleet = entry.runtime_data
    await fleet.async_move(records_of(hass)[id_of(device)], there.host, None)
    result = await repairs.fill(result, password="new")
    assert result["type"] == "create_entry"
    assert records_of(hass)[id_of(device)].info.host == there.host


async def test_site_is_unloaded(
    hass: HomeAssistant, fake: Fake, add_site: AddSite, repairs: Repairs
) -> None:
    entry, _ = await locked_out(fake, add_site)
    open_form = await repairs.start("credentials")
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert entry.state is ConfigEntryState.NOT_LOADED
    result = await repairs.start("credentials")
    assert result["type"] == "create_entry"
    result = await repairs.fill(open_form, password="new")
    assert result["type"] == "create_entry"
    assert not repairs.issues()


async def test_site_is_deleted(
    hass: HomeAssistant, fake: Fake, add_site: AddSite, repairs: Repairs
) -> None:
    entry, _ = await locked_out(fake, add_site)
    open_form = await repairs.start("credentials")
    await hass.config_entries.async_remove(entry.entry_id)
    result = await repairs.fill(open_form, password="new")
    assert result["type"] == "create_entry"
    assert not repairs.issues()


async def test_device_is_removed(
    fake: Fake, add_site: AddSite, repairs: Repairs
) -> None:
    entry, device = await locked_out(fake, add_site)
    open_form = await repairs.start("credentials")
    await entry.runtime_data.async_remove(device.serial)
    assert not repairs.issues()
    result = await repairs.fill(open_form, password="new")
    assert result["type"] == "create_entry"


async def test_refused_command_asks_for_the_account(
    fake: Fake, add_site: AddSite, repairs: Repairs
) -> None:
    """Readings go on; only the command was refused."""
    device = await fake(firmware="guarded")
    entry = await add_site(device)
    (coordinator,) = entry.runtime_data.coordinators.values()

    async def refuse(self: GuardedMiner) -> None:
        raise AuthenticationFailed("a password is needed")

    with (
        patch.object(GuardedMiner, "_pause", refuse),
        pytest.raises(HomeAssistantError, match="a password is needed"),
    ):
        await coordinator.async_command(lambda miner: miner.pause())
    assert coordinator.available
    assert set(repairs.issues()) == {"credentials"}
    device.password = "right"
    result = await repairs.start("credentials")
    result = await repairs.fill(result, password="right")
    assert result["type"] == "create_entry"
    await coordinator.async_command(lambda miner: miner.pause())
    assert device.settings["status"] == "paused"


# A device that was replaced.


async def replaced(axe: Axe, add_site: AddSite) -> tuple[Any, Any, Any]:
    """Set up a device in whose place another one answers since."""
    old = await axe()
    entry = await add_site(old)
    await old.stop()
    new = await axe(host=old.host)
    (coordinator,) = entry.runtime_data.coordinators.values()
    coordinator.device.forget_info()
    await coordinator.async_refresh()
    assert not coordinator.available
    return entry, old, new


async def test_replaced_device_is_taken_in(
    hass: HomeAssistant, axe: Axe, add_site: AddSite, repairs: Repairs
) -> None:
    entry, old, new = await replaced(axe, add_site)
    issue = repairs.issues()["replaced"]
    named = {
        "name": "Bitaxe Gamma 601 0001",
        "host": old.address,
        "other": "Bitaxe Gamma 601 0002",
    }
    assert issue.translation_placeholders == named

    result = await repairs.start("replaced")
    assert (result["type"], result["step_id"]) == ("menu", "confirm")
    assert result["menu_options"] == ["replace", "add"]
    assert result["description_placeholders"] == named
    result = await repairs.fill(result, next_step_id="add")
    assert result["type"] == "create_entry"
    assert not repairs.issues()
    await hass.async_block_till_done()
    assert set(records_of(hass)) == {id_of(old), id_of(new)}
    assert state(hass, "switch.bitaxe_gamma_601_0002_mining") == "on"
    # The old one stays, without any more questions.
    (first, _) = entry.runtime_data.coordinators.values()
    await first.async_refresh()
    await settle(hass)
    assert not first.available
    assert not repairs.issues()


async def test_replaced_device_comes_back(
    hass: HomeAssistant, axe: Axe, add_site: AddSite, repairs: Repairs
) -> None:
    entry, old, new = await replaced(axe, add_site)
    open_form = await repairs.start("replaced")
    await new.stop()
    await old.start()
    (coordinator,) = entry.runtime_data.coordinators.values()
    await coordinator.async_refresh()
    assert coordinator.available
    assert not repairs.issues()
    result = await repairs.fill(open_form, next_step_id="replace")
    assert result["type"] == "create_entry"
    assert list(records_of(hass)) == [id_of(old)]

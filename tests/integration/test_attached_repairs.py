"""The repair of an account of what was configured by hand."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest

from custom_components.miningsdk.sdk import registry
from tests.conftest import Simulate
from tests.integration.attached import attached_data, coordinator_of, only
from tests.integration.conftest import AddSite
from tests.integration.flows import Repairs, fields, settle, suggested
from tests.simulators.base import Trouble
from tests.simulators.microbt_container import SimulatedMicroBt
from tests.simulators.pools import ACCOUNT, KEY, SimulatedViaBTC
from tests.simulators.shelly import SimulatedShelly

KIND = "attached_credentials"


@pytest.fixture
def repairs(hass: HomeAssistant) -> Repairs:
    """Return the repairs that Home Assistant shows."""
    return Repairs(hass)


async def locked_out(add_site: AddSite, simulate: Simulate) -> tuple[Any, Any]:
    """Set up a plug whose password has been changed since."""
    plug = await simulate(SimulatedShelly, password="old")
    data = {"driver": "shelly", "host": plug.address, "password": "old"}
    entry = await add_site(subentries=(attached_data("meter", "Plug", **data),))
    plug.password = "new"
    await coordinator_of(entry, "Plug").async_refresh()
    assert not coordinator_of(entry, "Plug").available
    return entry, plug


async def test_wrong_password_then_the_right_one(
    hass: HomeAssistant, add_site: AddSite, simulate: Simulate, repairs: Repairs
) -> None:
    """It is tried before it is kept; the device answers at once."""
    entry, plug = await locked_out(add_site, simulate)
    issue = repairs.issues()[KIND]
    assert issue.is_fixable
    assert issue.translation_placeholders == {"name": "Plug"}
    result = await repairs.start(KIND)
    assert result["step_id"] == "confirm"
    assert fields(result) == {"username", "password"}
    assert suggested(result) == {"username": None}
    result = await repairs.fill(result, username="admin", password="wrong")
    assert result["errors"] == {"base": "invalid_auth"}
    assert suggested(result) == {"username": "admin"}
    assert only(entry).data["password"] == "old"

    plug.trouble = Trouble.CLOSED
    result = await repairs.fill(result, password="new")
    assert result["errors"] == {"base": "cannot_connect"}
    plug.trouble = Trouble.NONE
    result = await repairs.fill(result, password="new")
    assert result["type"] == "create_entry"
    await settle(hass)
    assert only(entry).data["password"] == "new"
    assert "username" not in only(entry).data
    assert coordinator_of(entry, "Plug").available
    assert not repairs.issues()


async def test_the_same_password_is_right_again(
    hass: HomeAssistant, add_site: AddSite, simulate: Simulate, repairs: Repairs
) -> None:
    """What remembers that it was refused starts over."""
    entry, plug = await locked_out(add_site, simulate)
    plug.password = "old"
    result = await repairs.start(KIND)
    result = await repairs.fill(result, password="old")
    assert result["type"] == "create_entry"
    await settle(hass)
    assert coordinator_of(entry, "Plug").available
    assert not repairs.issues()


async def test_account_of_a_pool(
    hass: HomeAssistant,
    add_site: AddSite,
    simulate: Simulate,
    repairs: Repairs,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another account is another identity; one that the site has is refused."""
    monkeypatch.setattr(registry.find("pool-viabtc")[0], "request_interval", 0.01)
    pool = await simulate(SimulatedViaBTC)
    data = {"driver": "pool-viabtc", "host": f"http://{pool.address}"}
    entry = await add_site(
        subentries=(
            attached_data("pool", "One", **data, username="first", password="void"),
            attached_data("pool", "Two", **data, username="second", password=KEY),
        )
    )
    await settle(hass)
    issue = repairs.issues()[KIND]
    assert issue.translation_placeholders == {"name": "One"}
    result = await repairs.start(KIND)
    assert suggested(result) == {"username": "first"}
    result = await repairs.fill(result, username="second", password=KEY)
    assert result["errors"] == {"base": "already_configured"}
    result = await repairs.fill(result, username=ACCOUNT, password=KEY)
    assert result["type"] == "create_entry"
    await settle(hass)
    one = next(s for s in entry.subentries.values() if s.title == "One")
    assert one.data == {**data, "username": ACCOUNT, "password": KEY}
    assert ACCOUNT.lower() in (one.unique_id or "")
    assert coordinator_of(entry, "One").available


async def test_a_command_that_was_refused(
    hass: HomeAssistant, add_site: AddSite, simulate: Simulate, repairs: Repairs
) -> None:
    """Readings go on; the repair asks for the account that the command needs."""
    box = await simulate(SimulatedMicroBt, pdus=1)
    data = {"driver": "microbt-kehua", "host": box.address, "username": "admin"}
    entry = await add_site(
        subentries=(attached_data("container", **data, password="wrong"),)
    )
    coordinator = coordinator_of(entry)
    with pytest.raises(HomeAssistantError):
        await coordinator.async_command(
            lambda device: device.set_socket(1, False)  # type: ignore[attr-defined]
        )
    assert coordinator.available
    result = await repairs.start(KIND)
    result = await repairs.fill(result, username="admin", password="worse")
    assert result["errors"] == {"base": "invalid_auth"}
    result = await repairs.fill(result, username="admin", password="geheim")
    assert result["type"] == "create_entry"
    await settle(hass)
    await coordinator_of(entry).async_command(
        lambda device: device.set_socket(1, False)  # type: ignore[attr-defined]
    )
    assert not repairs.issues()


@pytest.mark.parametrize("how", ["unload", "remove site", "remove device"])
async def test_there_is_nothing_left_to_mend(
    hass: HomeAssistant,
    add_site: AddSite,
    simulate: Simulate,
    repairs: Repairs,
    how: str,
) -> None:
    """The form ends, whether it is just opened or was open."""
    entry, _ = await locked_out(add_site, simulate)
    first, second = [await repairs.start(KIND) for _ in range(2)]
    assert second["type"] == "form"
    if how == "unload":
        await hass.config_entries.async_unload(entry.entry_id)
    elif how == "remove site":
        await hass.config_entries.async_remove(entry.entry_id)
    else:
        hass.config_entries.async_remove_subentry(entry, only(entry).subentry_id)
        await settle(hass)
    assert not repairs.issues()
    for result in (first, second):
        done = await repairs.fill(result, password="new")
        assert done["type"] == "create_entry"
    assert not repairs.issues()

"""Devices that make their password themselves, while somebody presses a button."""

from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from custom_components.miningsdk.sdk import NotSupported
from custom_components.miningsdk.sdk.drivers.homewizard import HomeWizardV2
from tests.conftest import OFFSET, Simulate, loopback_address
from tests.integration.attached import (
    attached_data,
    begin_add,
    begin_change,
    coordinator_of,
    fill,
    only,
    state_at,
)
from tests.integration.conftest import AddSite
from tests.integration.flows import Repairs, fields, settle, suggested
from tests.simulators.base import Trouble
from tests.simulators.homewizard import SimulatedHomeWizardV2, maker_of_devices
from tests.simulators.shelly import SimulatedShelly

DRIVER = "homewizard-v2"


@pytest.fixture(autouse=True)
def simulated_maker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HomeWizardV2, "authority", maker_of_devices().pem)


async def switch_on(simulate: Simulate, **options: Any) -> Any:
    return await simulate(SimulatedHomeWizardV2, **options)


async def ask_button(
    hass: HomeAssistant, add_site: AddSite, device: Any
) -> tuple[Any, Any]:
    """Add a meter as far as to where the button is asked for."""
    entry = await add_site()
    result = await begin_add(hass, entry, "meter", DRIVER)
    result = await fill(hass, result, host=device.address)
    assert (result["type"], result["step_id"]) == ("form", "pair")
    assert not result["errors"]
    return entry, result


async def test_the_button_is_asked_for(
    hass: HomeAssistant, add_site: AddSite, simulate: Simulate
) -> None:
    """No password is typed; what the device makes is kept as one."""
    device = await switch_on(simulate)
    entry = await add_site()
    result = await begin_add(hass, entry, "meter", DRIVER)
    assert not {"username", "password"} & fields(result)
    result = await fill(hass, result, host=device.address)
    assert (result["type"], result["step_id"]) == ("form", "pair")
    assert fields(result) == set()
    result = await fill(hass, result)
    assert (result["step_id"], result["errors"]) == ("pair", {"base": "not_paired"})
    assert not entry.subentries
    device.press()
    result = await fill(hass, result)
    assert result["type"] == "create_entry", result
    assert result["title"] == f"HWE-P1 ({device.address})"
    (name, token) = next(iter(device.tokens.items()))
    assert name == f"local/home-assistant-{entry.entry_id[-6:].lower()}"
    assert only(entry).data["password"] == token
    await settle(hass)
    coordinator = coordinator_of(entry, result["title"])
    assert coordinator.available, coordinator.problem
    assert float(state_at(hass, entry, "sensor", "power"))


@pytest.mark.parametrize(
    ("trouble", "error"),
    [(Trouble.CLOSED, "cannot_connect"), (Trouble.GARBAGE, "invalid_reply")],
)
async def test_what_goes_wrong_at_the_button(
    hass: HomeAssistant,
    add_site: AddSite,
    simulate: Simulate,
    trouble: Trouble,
    error: str,
) -> None:
    """The form for the address says so; from there it goes on."""
    device = await switch_on(simulate)
    entry, result = await ask_button(hass, add_site, device)
    device.press()
    device.trouble = trouble
    result = await fill(hass, result)
    assert result["step_id"] == "details"
    assert result["errors"] == {"base": error}
    assert suggested(result)["host"] == device.address
    device.trouble = Trouble.NONE
    result = await fill(hass, result, host=device.address)
    assert result["step_id"] == "pair"
    result = await fill(hass, result)
    assert result["type"] == "create_entry"
    assert only(entry).data["password"] in device.tokens.values()


async def test_nothing_of_the_kind_answers(
    hass: HomeAssistant, add_site: AddSite, simulate: Simulate
) -> None:
    """The button is asked for only where a device of this make is."""
    entry = await add_site()
    plug = await simulate(SimulatedShelly)
    result = await begin_add(hass, entry, "meter", DRIVER)
    for host, error in (
        (f"{loopback_address()}:{OFFSET + 443}", {"base": "cannot_connect"}),
        (f"{plug.host}:{plug.port(80)}", {"base": "invalid_reply"}),
        ("not an address!", {"host": "invalid_host"}),
    ):
        result = await fill(hass, result, host=host)
        assert result["step_id"] == "details", host
        assert result["errors"] == error
    assert not entry.subentries


async def test_another_device_of_the_make(
    hass: HomeAssistant, add_site: AddSite, simulate: Simulate
) -> None:
    """It can be paired with, but is no meter of power."""
    device = await switch_on(simulate, model="HWE-WTR")
    _, result = await ask_button(hass, add_site, device)
    device.press()
    result = await fill(hass, result)
    assert result["step_id"] == "details"
    assert result["errors"] == {"base": "not_supported"}


async def test_it_is_not_paired_twice(
    hass: HomeAssistant,
    add_site: AddSite,
    simulate: Simulate,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """When the device cannot be read after that, its password is not lost."""
    device = await switch_on(simulate)
    entry, result = await ask_button(hass, add_site, device)
    read = HomeWizardV2._fetch_stats

    async def fail(*_: object) -> None:
        raise NotSupported("not now")

    monkeypatch.setattr(HomeWizardV2, "_fetch_stats", fail)
    device.press()
    result = await fill(hass, result)
    assert result["step_id"] == "details"
    assert result["errors"] == {"base": "not_supported"}
    assert set(suggested(result)) == {"host"} | (set(suggested(result)) & {"invert"})
    monkeypatch.setattr(HomeWizardV2, "_fetch_stats", read)
    # Another device does not get it.
    other = await switch_on(simulate, serial=2)
    result = await fill(hass, result, host=other.address)
    assert result["step_id"] == "pair"
    assert other.tokens_seen <= {""}
    hass.config_entries.subentries.async_abort(result["flow_id"])

    result = await begin_add(hass, entry, "meter", DRIVER)
    result = await fill(hass, result, host=device.address)
    device.press()
    monkeypatch.setattr(HomeWizardV2, "_fetch_stats", fail)
    result = await fill(hass, result)
    monkeypatch.setattr(HomeWizardV2, "_fetch_stats", read)
    result = await fill(hass, result, host=device.address)
    assert result["type"] == "create_entry"
    assert only(entry).data["password"] in device.tokens.values()


async def test_a_change_keeps_the_password(
    hass: HomeAssistant, add_site: AddSite, simulate: Simulate
) -> None:
    """As long as the device takes it; else it is paired again."""
    device = await switch_on(simulate, password="F" * 32)
    data = {"driver": DRIVER, "host": device.address, "password": "F" * 32}
    entry = await add_site(subentries=(attached_data("meter", **data),))
    result = await begin_change(hass, entry, only(entry))
    result = await fill(hass, result, host=device.address, invert=True)
    assert result["reason"] == "reconfigure_successful"
    assert only(entry).data["password"] == "F" * 32
    await settle(hass)

    device.tokens.clear()
    result = await begin_change(hass, entry, only(entry))
    result = await fill(hass, result, host=device.address)
    assert result["step_id"] == "pair"
    result = await fill(hass, result)
    assert result["errors"] == {"base": "not_paired"}
    device.press()
    result = await fill(hass, result)
    assert result["reason"] == "reconfigure_successful"
    assert only(entry).title == "Box"
    await settle(hass)
    assert only(entry).data["password"] in device.tokens.values()
    assert coordinator_of(entry).available


async def test_an_error_while_a_change_is_paired(
    hass: HomeAssistant, add_site: AddSite, simulate: Simulate
) -> None:
    """It is shown where the address is."""
    device = await switch_on(simulate)
    data = {"driver": DRIVER, "host": device.address, "password": "F" * 32}
    entry = await add_site(subentries=(attached_data("meter", **data),))
    result = await begin_change(hass, entry, only(entry))
    result = await fill(hass, result, host=device.address)
    assert result["step_id"] == "pair"
    await device.stop()
    result = await fill(hass, result)
    assert result["step_id"] == "reconfigure"
    assert result["errors"] == {"base": "cannot_connect"}


async def test_the_repair_asks_for_the_button(
    hass: HomeAssistant, add_site: AddSite, simulate: Simulate
) -> None:
    """The device has forgotten the password, or somebody withdrew it."""
    device = await switch_on(simulate, password="F" * 32)
    data = {"driver": DRIVER, "host": device.address, "password": "F" * 32}
    entry = await add_site(subentries=(attached_data("meter", **data),))
    repairs = Repairs(hass)
    assert not repairs.issues()
    device.tokens.clear()
    await coordinator_of(entry).async_refresh()
    assert repairs.issues()["attached_credentials"].is_fixable
    result = await repairs.start("attached_credentials")
    assert (result["step_id"], fields(result)) == ("pair", set())
    result = await repairs.fill(result)
    assert result["errors"] == {"base": "not_paired"}
    await device.stop()
    result = await repairs.fill(result)
    assert result["errors"] == {"base": "cannot_connect"}
    await device.start()
    device.press()
    result = await repairs.fill(result)
    assert result["type"] == "create_entry"
    await settle(hass)
    assert only(entry).data["password"] in device.tokens.values()
    assert coordinator_of(entry).available
    assert not repairs.issues()

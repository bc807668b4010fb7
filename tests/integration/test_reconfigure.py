"""Another address, or other credentials, for one device of a site."""

from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from tests.conftest import loopback_address
from tests.integration.conftest import AddSite, Axe, Fake, record_of
from tests.integration.flows import (
    fields,
    fill,
    id_of,
    options,
    records_of,
    settle,
    start_reconfigure,
    suggested,
)
from tests.simulators.axeos import SimulatedAxeOS


async def choose_device(hass: HomeAssistant, entry: Any, record_id: str) -> Any:
    result = await start_reconfigure(hass, entry)
    assert result["step_id"] == "reconfigure"
    result = await fill(hass, result, device=record_id)
    assert result["step_id"] == "reconfigure_device"
    return result


async def moved(device: SimulatedAxeOS, axe: Axe) -> SimulatedAxeOS:
    """Switch a device off, and the same one on at another address."""
    await device.stop()
    return await axe(mac=device.mac)


async def test_another_address(
    hass: HomeAssistant, axe: Axe, add_site: AddSite
) -> None:
    device, other = await axe(), await axe()
    entry = await add_site(device, other)
    there = await moved(device, axe)
    (coordinator, _) = entry.runtime_data.coordinators.values()
    await coordinator.async_refresh()
    assert not coordinator.available

    result = await start_reconfigure(hass, entry)
    assert options(result, "device") == {
        id_of(device): f"Bitaxe Gamma 601 0001 ({device.address})",
        id_of(other): f"Bitaxe Gamma 601 0002 ({other.address})",
    }
    result = await fill(hass, result, device=id_of(device))
    assert fields(result) == {"host", "username", "password"}
    assert suggested(result)["host"] == device.address
    result = await fill(hass, result, host=f" {there.address} ")
    assert result["type"] == "abort"
    assert result["reason"] == "reconfigure_successful"
    record = records_of(hass)[id_of(device)]
    assert record.info.host == there.host
    assert coordinator.available


@pytest.mark.parametrize(
    ("host", "error"),
    [("10.0.0.300", "invalid_host"), ("127.10.250.250:29999", "cannot_connect")],
)
async def test_wrong_address(
    hass: HomeAssistant, axe: Axe, add_site: AddSite, host: str, error: str
) -> None:
    device = await axe()
    entry = await add_site(device)
    result = await choose_device(hass, entry, id_of(device))
    result = await fill(hass, result, host=host, username="me")
    assert result["errors"] == {"base": error}
    assert suggested(result) == {"host": host, "username": "me"}
    assert records_of(hass)[id_of(device)].info.host == device.host

    result = await fill(hass, result, host=device.address)
    assert result["reason"] == "reconfigure_successful"


async def test_address_of_another_device(
    hass: HomeAssistant, axe: Axe, add_site: AddSite
) -> None:
    device, other = await axe(), await axe()
    entry = await add_site(device)
    result = await choose_device(hass, entry, id_of(device))
    result = await fill(hass, result, host=other.address)
    assert result["errors"] == {"base": "different_device"}
    result = await fill(hass, result, host=device.address)
    assert result["reason"] == "reconfigure_successful"
    assert records_of(hass)[id_of(device)].info.host == device.host


async def test_another_password(
    hass: HomeAssistant, fake: Fake, add_site: AddSite
) -> None:
    device = await fake(firmware="guarded", password="old")
    entry = await add_site(await record_of(device, "root", "old"))
    device.password = "new"
    result = await choose_device(hass, entry, id_of(device))
    assert suggested(result) == {"host": device.host, "username": "root"}

    result = await fill(hass, result, host=device.host, password="wrong")
    assert result["errors"] == {"base": "invalid_auth"}
    assert records_of(hass)[id_of(device)].password == "old"

    result = await fill(hass, result, host=device.host, username="root", password="new")
    assert result["reason"] == "reconfigure_successful"
    record = records_of(hass)[id_of(device)]
    assert (record.username, record.password) == ("root", "new")
    (coordinator,) = entry.runtime_data.coordinators.values()
    assert coordinator.available


async def test_empty_password_keeps_it(
    hass: HomeAssistant, fake: Fake, add_site: AddSite
) -> None:
    device = await fake(firmware="guarded", password="old")
    entry = await add_site(await record_of(device, "root", "old"))
    result = await choose_device(hass, entry, id_of(device))
    result = await fill(hass, result, host=device.host, username="admin")
    assert result["reason"] == "reconfigure_successful"
    record = records_of(hass)[id_of(device)]
    assert (record.username, record.password) == ("admin", "old")


async def test_nothing_changed(
    hass: HomeAssistant, axe: Axe, add_site: AddSite
) -> None:
    device = await axe()
    entry = await add_site(device)
    before = records_of(hass)[id_of(device)]
    result = await choose_device(hass, entry, id_of(device))
    result = await fill(hass, result, host=device.address)
    assert result["reason"] == "reconfigure_successful"
    assert records_of(hass)[id_of(device)] == before


async def test_site_without_devices(hass: HomeAssistant, add_site: AddSite) -> None:
    result = await start_reconfigure(hass, await add_site())
    assert result["type"] == "abort"
    assert result["reason"] == "no_devices"


async def test_site_that_is_not_running(
    hass: HomeAssistant, axe: Axe, add_site: AddSite
) -> None:
    entry = await add_site(await axe(), setup=False)
    result = await start_reconfigure(hass, entry)
    assert result["type"] == "abort"
    assert result["reason"] == "not_loaded"


async def test_site_is_unloaded_meanwhile(
    hass: HomeAssistant, axe: Axe, add_site: AddSite
) -> None:
    device = await axe()
    entry = await add_site(device)
    first = await start_reconfigure(hass, entry)
    second = await choose_device(hass, entry, id_of(device))
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert (await fill(hass, first, device=id_of(device)))["reason"] == "not_loaded"
    assert (await fill(hass, second, host=device.address))["reason"] == "not_loaded"


async def test_device_is_removed_meanwhile(
    hass: HomeAssistant, axe: Axe, add_site: AddSite
) -> None:
    device, other = await axe(), await axe()
    entry = await add_site(device, other)
    first = await start_reconfigure(hass, entry)
    second = await choose_device(hass, entry, id_of(device))
    await entry.runtime_data.async_remove(id_of(device))
    first = await fill(hass, first, device=id_of(device))
    second = await fill(hass, second, host=device.address)
    for result in (first, second):
        assert result["step_id"] == "reconfigure"
        assert list(options(result, "device")) == [id_of(other)]
    await settle(hass)


async def test_device_that_was_added_while_it_was_off(
    hass: HomeAssistant, axe: Axe, add_site: AddSite, fake: Fake
) -> None:
    """It never told who it is: whatever answers at the new address is it."""
    device = await axe()
    record = await record_of(device)
    unknown = record.of(
        record.info.__class__(
            kind=record.info.kind,
            driver="axeos",
            host=loopback_address(),
            port=29999,
        )
    )
    entry = await add_site(unknown)
    result = await choose_device(hass, entry, unknown.id)
    result = await fill(hass, result, host=device.address)
    assert result["reason"] == "reconfigure_successful"
    assert records_of(hass)[unknown.id].info.mac == id_of(device)

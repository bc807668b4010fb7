"""Adding one device by its address, and the accounts that devices ask for."""

from dataclasses import replace
from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from tests.conftest import Simulate, loopback_address
from tests.integration.conftest import AddSite, Axe, Fake
from tests.integration.drivers import OddDevice, SpeechlessDevice
from tests.integration.flows import (
    begin,
    fields,
    fill,
    id_of,
    options,
    records_of,
    search,
    sites,
    state,
    suggested,
)
from tests.simulators.base import Trouble
from tests.simulators.braiins import SimulatedBraiins
from tests.simulators.whatsminer import SimulatedWhatsminer


async def add(hass: HomeAssistant, address: str, **more: Any) -> Any:
    return await fill(hass, await begin(hass, "address"), host=address, **more)


async def test_first_device_creates_the_site(hass: HomeAssistant, axe: Axe) -> None:
    device = await axe()
    result = await add(hass, f"  {device.address} ")
    assert result["type"] == "create_entry"
    assert result["title"] == "Home"
    await hass.async_block_till_done()
    (record,) = records_of(hass).values()
    assert record.info.host == device.host
    assert record.info.port == 20080
    assert state(hass, "switch.bitaxe_gamma_601_0001_mining") == "on"


async def test_sleeping_device(hass: HomeAssistant, axe: Axe) -> None:
    device = await axe(asleep=True)
    assert (await add(hass, device.address))["type"] == "create_entry"
    await hass.async_block_till_done()
    assert state(hass, "switch.bitaxe_gamma_601_0001_mining") == "off"


async def test_already_added(hass: HomeAssistant, axe: Axe, add_site: AddSite) -> None:
    device = await axe()
    await add_site(device)
    result = await add(hass, device.address)
    assert result["type"] == "abort"
    assert result["reason"] == "already_added"
    assert result["description_placeholders"] == {"name": "Bitaxe Gamma 601 0001"}


@pytest.mark.parametrize(
    "host",
    ["", "not an address", "10.0.0.300", "10.0.0.1:0", "10.0.0.1:miner", "[fd00::1"],
)
async def test_no_address(hass: HomeAssistant, axe: Axe, host: str) -> None:
    result = await add(hass, host)
    assert result["step_id"] == "address"
    assert result["errors"] == {"base": "invalid_host"}
    # What was typed stands there, to be mended.
    assert suggested(result) == {"host": host}
    assert fields(result) == {"host"}

    result = await fill(hass, result, host=(await axe()).address)
    assert result["type"] == "create_entry"


async def test_nothing_answers(hass: HomeAssistant, axe: Axe) -> None:
    result = await add(hass, f"{loopback_address()}:20080")
    assert result["errors"] == {"base": "cannot_connect"}
    # Only now it makes sense to say what it is.
    assert fields(result) == {"host", "driver"}
    offered = options(result, "driver")
    assert offered["axeos"].startswith("Bitaxe Max, ")
    assert offered["whatsminer"].startswith("MicroBT: ")
    # A firmware for the machines of others stands there by what it runs on.
    assert offered["braiins"].startswith("Antminer ")

    result = await fill(hass, result, host=(await axe()).address)
    assert result["type"] == "create_entry"


@pytest.mark.usefixtures("impatient")
async def test_silent_device(hass: HomeAssistant, fake: Fake) -> None:
    device = await fake(firmware="open", trouble=Trouble.SILENT)
    result = await add(hass, device.host)
    assert result["errors"] == {"base": "timeout"}
    assert fields(result) == {"host", "driver"}

    device.trouble = Trouble.NONE
    assert (await fill(hass, result, host=device.host))["type"] == "create_entry"


async def test_something_else_answers(hass: HomeAssistant, fake: Fake) -> None:
    device = await fake(firmware="elsewhere")
    result = await add(hass, device.host)
    assert result["errors"] == {"base": "not_supported"}
    # Some firmware shows nothing of itself: the user may know what it is.
    assert fields(result) == {"host", "driver"}

    device.firmware = "open"
    assert (await fill(hass, result, host=device.host))["type"] == "create_entry"


async def test_device_breaks_its_protocol(hass: HomeAssistant, fake: Fake) -> None:
    device = await fake(kind=SpeechlessDevice)
    result = await add(hass, device.host)
    assert result["errors"] == {"base": "invalid_reply"}
    other = await fake(firmware="open")
    assert (await fill(hass, result, host=other.host))["type"] == "create_entry"


async def test_driver_fails(
    hass: HomeAssistant, fake: Fake, caplog: pytest.LogCaptureFixture
) -> None:
    device = await fake(kind=OddDevice)
    result = await add(hass, device.host)
    assert result["errors"] == {"base": "unknown"}
    assert f"Looking at {device.host} failed" in caplog.text
    assert "KeyError" in caplog.text
    other = await fake(firmware="open")
    assert (await fill(hass, result, host=other.host))["type"] == "create_entry"


# A device that is off.


async def test_device_that_is_off(hass: HomeAssistant, axe: Axe) -> None:
    device = await axe()
    await device.stop()
    result = await add(hass, device.address)
    assert result["errors"] == {"base": "cannot_connect"}
    result = await fill(hass, result, host=device.address, driver="axeos")
    assert result["type"] == "create_entry"
    await hass.async_block_till_done()
    (record,) = records_of(hass).values()
    assert record.id == f"axeos-{device.address}"
    assert record.info.unique_id is None
    (coordinator,) = sites(hass)[0].runtime_data.coordinators.values()
    assert not coordinator.available

    # Once it answers, it is known by what it says of itself.
    await device.start()
    await coordinator.async_refresh()
    await hass.async_block_till_done()
    (record,) = records_of(hass).values()
    assert record.id == f"axeos-{device.address}"
    assert record.info.mac == id_of(device)
    assert coordinator.available
    assert (await add(hass, device.address))["reason"] == "already_added"


async def test_device_that_is_off_is_added_once(
    hass: HomeAssistant, axe: Axe, add_site: AddSite
) -> None:
    device = await axe()
    await add_site(device)
    await device.stop()
    result = await add(hass, device.address)
    result = await fill(hass, result, host=device.address, driver="axeos")
    assert result["reason"] == "already_added"


@pytest.mark.parametrize("running", [True, False])
async def test_two_devices_that_were_off_at_one_address(
    hass: HomeAssistant, axe: Axe, add_site: AddSite, *, running: bool
) -> None:
    """The first has moved on since; the second does not push it out."""
    first = await axe()
    entry = await add_site(first)
    record = replace(records_of(hass)[id_of(first)], id="axeos-127.10.240.1")
    await hass.config_entries.async_remove(entry.entry_id)
    entry = await add_site(record)
    if not running:
        await hass.config_entries.async_unload(entry.entry_id)
    result = await add(hass, "127.10.240.1")
    result = await fill(hass, result, host="127.10.240.1", driver="axeos")
    result = await fill(hass, result, site=entry.entry_id)
    assert result["reason"] == "joined"
    if not running:
        await hass.config_entries.async_setup(entry.entry_id)
    hosts = {record.id: record.info.host for record in records_of(hass).values()}
    assert hosts == {
        "axeos-127.10.240.1": first.host,
        "axeos-127.10.240.1-2": "127.10.240.1",
    }


@pytest.mark.parametrize(
    ("driver", "password"), [("fakeguarded", None), ("fakesecret", "right")]
)
async def test_account_of_a_device_that_is_off(
    hass: HomeAssistant, fake: Fake, driver: str, password: str | None
) -> None:
    """What cannot be tried is kept: a repair asks again if it is wrong."""
    host = loopback_address()
    result = await add(hass, host)
    result = await fill(hass, result, host=host, driver=driver)
    assert result["step_id"] == "credentials"
    account = {} if password is None else {"password": password}
    result = await fill(hass, result, **account)
    assert result["type"] == "create_entry"
    await hass.async_block_till_done()
    (record,) = records_of(hass).values()
    assert record.password == password


# Accounts.


async def test_wrong_password_then_the_right_one(
    hass: HomeAssistant, fake: Fake
) -> None:
    device = await fake(firmware="guarded", password="right")
    result = await add(hass, device.host)
    assert result["step_id"] == "credentials"
    assert result["description_placeholders"] == {
        "make": "Guarded",
        "names": "Guarded F1 0001",
    }
    # The usual account is offered, and a password is never shown.
    assert suggested(result) == {"username": "root"}

    result = await fill(hass, result, username="admin", password="wrong")
    assert result["errors"] == {"base": "invalid_auth"}
    assert suggested(result) == {"username": "admin"}
    assert not sites(hass)

    result = await fill(hass, result, username="admin", password="right")
    assert result["type"] == "create_entry"
    await hass.async_block_till_done()
    record = records_of(hass)["FAKE0001"]
    assert (record.username, record.password) == ("admin", "right")


async def test_firmware_of_no_maker(hass: HomeAssistant, simulate: Simulate) -> None:
    """What asks for an account is called by the maker of the machine."""
    device = await simulate(SimulatedBraiins, password="right")
    result = await add(hass, device.address)
    assert result["step_id"] == "credentials"
    assert result["description_placeholders"]["make"] == "Bitmain"
    # Nothing but its address tells it from others: that stands there once.
    listed = options(await search(hass, device.address), "devices")
    assert list(listed.values()) == [f"Bitmain Antminer S19 XP {device.address}"]


async def test_no_password_only_watches(hass: HomeAssistant, fake: Fake) -> None:
    device = await fake(firmware="guarded")
    result = await add(hass, device.host)
    result = await fill(hass, result, username="root")
    assert result["type"] == "create_entry"
    await hass.async_block_till_done()
    record = records_of(hass)["FAKE0001"]
    assert (record.username, record.password) == (None, None)


async def test_password_that_cannot_be_left_out(
    hass: HomeAssistant, fake: Fake
) -> None:
    device = await fake(firmware="secret", password="right")
    result = await add(hass, device.host)
    # It does not tell who it is yet.
    names = result["description_placeholders"]["names"]
    assert names == f"fakesecret {device.host}"
    result = await fill(hass, result)
    assert result["errors"] == {"base": "password_needed"}
    result = await fill(hass, result, password="wrong")
    assert result["errors"] == {"base": "invalid_auth"}
    result = await fill(hass, result, password="right")
    assert result["type"] == "create_entry"
    await hass.async_block_till_done()
    # By now it has told, and is known by that.
    assert records_of(hass)["FAKE0001"].info.model == "F1"


async def test_device_is_switched_off_while_asked_for_its_password(
    hass: HomeAssistant, fake: Fake
) -> None:
    device = await fake(firmware="guarded", password="right")
    result = await add(hass, device.host)
    await device.stop()
    result = await fill(hass, result, password="right")
    assert result["errors"] == {"base": "cannot_connect"}
    await device.start()
    assert (await fill(hass, result, password="right"))["type"] == "create_entry"


async def test_each_family_is_asked_for_its_own(
    hass: HomeAssistant, fake: Fake, axe: Axe
) -> None:
    """Those that refuse are asked about again; the others are settled."""
    one = await fake(firmware="guarded", password="one")
    two = await fake(firmware="guarded", password="two")
    secret = await fake(firmware="secret", password="three")
    free = await axe()
    result = await search(hass, one.host, two.host, secret.host, free.address)
    result = await fill(hass, result, devices=list(options(result, "devices")))
    accounts = {"Guarded": ["one", "two"], "Fake": ["three"]}
    asked = []
    while result["type"] == "form":
        assert result["step_id"] == "credentials"
        shown = result["description_placeholders"]
        asked.append((shown["make"], shown["names"], result["errors"]))
        password = accounts[shown["make"]].pop(0)
        result = await fill(hass, result, password=password)
    refused = {"base": "invalid_auth"}
    assert ("Guarded", "Guarded F1 0002", refused) in asked
    assert ("Fake", f"fakesecret {secret.host}", {}) in asked
    assert len(asked) == 3
    assert result["type"] == "create_entry"
    await hass.async_block_till_done()
    passwords = {r.id: r.password for r in records_of(hass).values()}
    assert passwords == {
        id_of(one): "one",
        id_of(two): "two",
        id_of(secret): "three",
        id_of(free): None,
    }


async def test_whatsminer(hass: HomeAssistant, simulate: Simulate) -> None:
    """A real family: wrong, right, and then in use."""
    device = await simulate(SimulatedWhatsminer, password="right")
    result = await add(hass, device.address)
    assert result["step_id"] == "credentials"
    result = await fill(hass, result, username="admin", password="wrong")
    assert result["errors"] == {"base": "invalid_auth"}
    result = await fill(hass, result, username="admin", password="right")
    assert result["type"] == "create_entry"
    await hass.async_block_till_done()
    (record,) = records_of(hass).values()
    assert record.info.driver == "whatsminer"
    switches = hass.states.async_entity_ids("switch")
    (mining,) = [entity for entity in switches if entity.endswith("_mining")]
    await hass.services.async_call(
        "switch", "turn_off", {"entity_id": mining}, blocking=True
    )
    assert state(hass, mining) == "off"

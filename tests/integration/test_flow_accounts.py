"""Accounts in the flows: those of a site, and what devices are sold with."""

from typing import Any

from homeassistant.core import HomeAssistant

from tests.conftest import loopback_address
from tests.integration.conftest import AddSite, Axe, Fake
from tests.integration.drivers import LockingDevice
from tests.integration.flows import (
    begin,
    fields,
    fill,
    id_of,
    options,
    range_data,
    records_of,
    search,
    settle,
    sites,
)
from tests.integration.test_flow_discovery import leased
from tests.sdk.fakes import FakeDevice

ONE = {"username": "root", "password": "one"}
TWO = {"username": "admin", "password": "two"}


async def at(hass: HomeAssistant, device: FakeDevice) -> Any:
    return await fill(hass, await begin(hass, "address"), host=device.host)


def account_of(hass: HomeAssistant, device: FakeDevice) -> tuple[Any, Any]:
    record = records_of(hass)[id_of(device)]
    return record.username, record.password


# The accounts of the site that is joined.


async def test_accounts_of_the_site_are_tried_first(
    hass: HomeAssistant, fake: Fake, add_site: AddSite
) -> None:
    """Only those that refuse all of them are asked about."""
    first = await fake(firmware="guarded", password="one")
    second = await fake(firmware="guarded", password="two")
    third = await fake(firmware="guarded", password="three")
    entry = await add_site(options={"accounts": [ONE, TWO]})
    result = await search(hass, first.host, second.host, third.host)
    result = await fill(hass, result, devices=list(options(result, "devices")))
    assert result["step_id"] == "site"
    assert first.refused == second.refused == third.refused == []
    result = await fill(hass, result, site=entry.entry_id)
    assert result["step_id"] == "credentials"
    assert result["description_placeholders"]["names"] == "Guarded F1 0003"
    assert third.refused == ["one", "two"]
    result = await fill(hass, result, username="root", password="three")
    assert result["reason"] == "joined"
    assert account_of(hass, first) == ("root", "one")
    assert account_of(hass, second) == ("admin", "two")
    assert account_of(hass, third) == ("root", "three")


async def test_accounts_of_another_site_are_not_shown_to_a_device(
    hass: HomeAssistant, fake: Fake, add_site: AddSite
) -> None:
    device = await fake(firmware="guarded", password="one")
    await add_site(options={"accounts": [ONE]})
    garage = await add_site(title="Garage")
    result = await at(hass, device)
    result = await fill(hass, result, site=garage.entry_id)
    assert result["step_id"] == "credentials"
    assert set(device.passwords) == {None}


async def test_accounts_of_the_only_site_need_no_more_than_a_click(
    hass: HomeAssistant, fake: Fake, add_site: AddSite
) -> None:
    device = await fake(firmware="guarded", password="two")
    await add_site(options={"accounts": [ONE, TWO]})
    result = await leased(hass, device.host)
    assert result["step_id"] == "discovered"
    assert device.refused == []
    result = await fill(hass, result)
    assert result["reason"] == "joined"
    assert account_of(hass, device) == ("admin", "two")


async def test_accounts_of_the_range_that_an_address_lies_in(
    hass: HomeAssistant, fake: Fake, add_site: AddSite
) -> None:
    device = await fake(firmware="guarded", password="two")
    await device.stop()
    ranges = (range_data(loopback_address(), ONE), range_data(device.host, TWO))
    entry = await add_site(subentries=ranges)
    await settle(hass)
    await device.start()
    result = await fill(hass, await at(hass, device), site=entry.entry_id)
    assert result["reason"] == "joined"
    assert account_of(hass, device) == ("admin", "two")
    assert device.refused == []


async def test_site_that_is_not_running_has_accounts_too(
    hass: HomeAssistant, fake: Fake, add_site: AddSite
) -> None:
    device = await fake(firmware="guarded", password="one")
    entry = await add_site(options={"accounts": [ONE]})
    assert await hass.config_entries.async_unload(entry.entry_id)
    result = await fill(hass, await at(hass, device), site=entry.entry_id)
    assert result["reason"] == "joined"
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert account_of(hass, device) == ("root", "one")


async def test_accounts_are_not_tried_on_a_device_that_is_off(
    hass: HomeAssistant, fake: Fake, add_site: AddSite
) -> None:
    await fake(firmware="open")
    entry = await add_site(options={"accounts": [ONE]})
    host = loopback_address()
    result = await fill(hass, await begin(hass, "address"), host=host)
    result = await fill(hass, result, host=host, driver="fakeguarded")
    result = await fill(hass, result, site=entry.entry_id)
    assert result["step_id"] == "credentials"
    result = await fill(hass, result)
    assert result["reason"] == "joined"


async def test_site_is_deleted_while_an_account_is_typed(
    hass: HomeAssistant, fake: Fake, add_site: AddSite
) -> None:
    device = await fake(firmware="guarded", password="two")
    await add_site()
    garage = await add_site(title="Garage")
    result = await fill(hass, await at(hass, device), site=garage.entry_id)
    assert result["step_id"] == "credentials"
    await hass.config_entries.async_remove(garage.entry_id)
    result = await fill(hass, result, **TWO)
    assert result["step_id"] == "site"
    (home,) = sites(hass)
    result = await fill(hass, result, site=home.entry_id)
    assert result["reason"] == "joined"
    assert account_of(hass, device) == ("admin", "two")


async def test_first_site_is_made_while_an_account_is_typed(
    hass: HomeAssistant, fake: Fake, axe: Axe, add_site: AddSite
) -> None:
    device = await fake(firmware="guarded", password="two")
    result = await at(hass, device)
    assert result["step_id"] == "credentials"
    home = await add_site(await axe())
    result = await fill(hass, result, **TWO)
    assert result["step_id"] == "site"
    result = await fill(hass, result, site=home.entry_id)
    assert result["reason"] == "joined"


# What devices are sold with.


async def test_factory_password_is_tried_when_that_is_asked_for(
    hass: HomeAssistant, fake: Fake
) -> None:
    device = await fake(firmware="sold", password="sold")
    result = await at(hass, device)
    assert fields(result) == {"username", "password", "factory"}
    (mark,) = [f for f in result["data_schema"].schema if f == "factory"]
    assert mark.default() is False
    result = await fill(hass, result, username="root", password="wrong")
    assert result["errors"] == {"base": "invalid_auth"}
    assert "sold" not in device.passwords
    result = await fill(hass, result, username="root", factory=True)
    assert result["type"] == "create_entry"
    await hass.async_block_till_done()
    assert account_of(hass, device) == ("root", "sold")


async def test_factory_password_comes_after_what_was_typed(
    hass: HomeAssistant, fake: Fake
) -> None:
    typed = await fake(firmware="sold", password="typed")
    sold = await fake(firmware="sold", password="sold")
    result = await search(hass, typed.host, sold.host)
    result = await fill(hass, result, devices=list(options(result, "devices")))
    result = await fill(hass, result, username="me", password="typed", factory=True)
    assert result["type"] == "create_entry"
    await hass.async_block_till_done()
    assert account_of(hass, typed) == ("me", "typed")
    assert account_of(hass, sold) == ("root", "sold")
    assert "sold" not in typed.passwords


async def test_factory_password_that_is_refused(
    hass: HomeAssistant, fake: Fake
) -> None:
    """It is not tried again, however often it is asked for."""
    device = await fake(firmware="sold", password="own")
    result = await at(hass, device)
    for _ in range(3):
        result = await fill(hass, result, factory=True)
        assert result["errors"] == {"base": "factory_refused"}
    assert device.refused == ["sold"]
    result = await fill(hass, result, password="typo", factory=True)
    assert result["errors"] == {"base": "invalid_auth"}
    assert device.refused == ["sold", "typo"]
    result = await fill(hass, result, password="own", factory=True)
    assert result["type"] == "create_entry"


async def test_typing_is_not_held_up_but_counts(
    hass: HomeAssistant, fake: Fake
) -> None:
    """Who types a password means it; what is tried by itself has to wait then."""
    device = await fake(firmware="sold", password="sold")
    result = await at(hass, device)
    for word in ("a", "b", "c", "d"):
        result = await fill(hass, result, password=word)
        assert result["errors"] == {"base": "invalid_auth"}
    result = await fill(hass, result, factory=True)
    assert result["errors"] == {"base": "factory_refused"}
    assert device.refused == ["a", "b", "c", "d"]
    assert "sold" not in device.passwords
    result = await fill(hass, result, password="sold")
    assert result["type"] == "create_entry"


async def test_device_that_locks(hass: HomeAssistant, fake: Fake) -> None:
    device = await fake(kind=LockingDevice, firmware="sold", password="own")
    result = await at(hass, device)
    result = await fill(hass, result, password="a")
    assert result["errors"] == {"base": "invalid_auth"}
    result = await fill(hass, result, factory=True)
    assert result["errors"] == {"base": "locked_out"}
    result = await fill(hass, result, password="own")
    assert result["errors"] == {"base": "locked_out"}
    device.refused.clear()
    result = await fill(hass, result, password="own")
    assert result["type"] == "create_entry"


async def test_device_goes_away_before_its_factory_password_is_tried(
    hass: HomeAssistant, fake: Fake
) -> None:
    device = await fake(firmware="sold", password="sold")
    result = await at(hass, device)
    await device.stop()
    result = await fill(hass, result, factory=True)
    assert result["errors"] == {"base": "cannot_connect"}
    await device.start()
    assert (await fill(hass, result, factory=True))["type"] == "create_entry"


async def test_family_of_which_no_password_is_known(
    hass: HomeAssistant, fake: Fake
) -> None:
    result = await at(hass, await fake(firmware="guarded", password="one"))
    assert fields(result) == {"username", "password"}


# The options of a site.


async def open_accounts(hass: HomeAssistant, entry_id: str) -> Any:
    result: Any = await hass.config_entries.options.async_init(entry_id)
    return await configure(hass, result, next_step_id="accounts")


async def configure(hass: HomeAssistant, result: Any, **given: Any) -> Any:
    return await hass.config_entries.options.async_configure(result["flow_id"], given)


async def test_options_keep_the_accounts(
    hass: HomeAssistant, axe: Axe, add_site: AddSite
) -> None:
    entry = await add_site(await axe(), options={"scan_interval": 60})
    result = await open_accounts(hass, entry.entry_id)
    assert result["step_id"] == "accounts"
    assert fields(result) == {"username", "password", "another"}
    result = await configure(hass, result, username="root")
    assert result["errors"] == {"password": "password_missing"}
    result = await configure(hass, result, **ONE, another=True)
    assert result["step_id"] == "accounts"
    assert options(result, "accounts") == {"1": "1. root"}
    assert "one" not in str(result["data_schema"].schema)
    result = await configure(hass, result, **TWO)
    assert result["type"] == "create_entry"
    await settle(hass)
    assert entry.options == {"scan_interval": 60, "accounts": [ONE, TWO]}

    # The other options leave them alone.
    result = await hass.config_entries.options.async_init(entry.entry_id)
    result = await configure(hass, result, next_step_id="settings")
    result = await configure(hass, result, scan_interval=30, detail="full")
    await settle(hass)
    assert entry.options["accounts"] == [ONE, TWO]

    result = await open_accounts(hass, entry.entry_id)
    assert options(result, "accounts") == {"1": "1. root", "2": "2. admin"}
    # The same one twice is one.
    result = await configure(hass, result, accounts=["2"], **TWO)
    await settle(hass)
    assert entry.options["accounts"] == [TWO]
    assert entry.options["scan_interval"] == 30

    result = await open_accounts(hass, entry.entry_id)
    await configure(hass, result, accounts=[])
    await settle(hass)
    assert entry.options["accounts"] == []

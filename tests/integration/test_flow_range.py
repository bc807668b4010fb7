"""Scan ranges: adding and changing them, and what the scanner makes of them."""

from datetime import timedelta
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER, ConfigEntry
from homeassistant.core import EVENT_HOMEASSISTANT_STARTED, CoreState, HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.miningsdk.const import RANGE_SCAN_INTERVAL
from custom_components.miningsdk.sdk import scan
from tests.conftest import loopback_address
from tests.integration.conftest import AddSite, Axe, Fake, offline_record, record_of
from tests.integration.flows import (
    begin,
    cards,
    fields,
    fill,
    fleet_of,
    id_of,
    options,
    range_data,
    records_of,
    settle,
    sites,
    state,
    suggested,
)
from tests.integration.test_flow_discovery import announced

SCAN = "custom_components.miningsdk.ranges.scan"


async def pass_time(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, time: timedelta
) -> None:
    freezer.tick(time + timedelta(seconds=1))
    async_fire_time_changed(hass)
    await settle(hass)


def only_range(entry: ConfigEntry) -> Any:
    (subentry,) = entry.subentries.values()
    return subentry


# The form of the site's own flow.


async def test_first_range_creates_the_site(hass: HomeAssistant, axe: Axe) -> None:
    devices = [await axe(), await axe()]
    targets = ", ".join(device.address for device in devices)
    result = await begin(hass, "range")
    assert result["step_id"] == "range"
    assert fields(result) == {"targets", "username", "password", "another", "factory"}
    result = await fill(hass, result, targets=targets)
    assert result["type"] == "create_entry"
    assert result["title"] == "Home"
    (entry,) = sites(hass)
    assert only_range(entry).title == targets
    assert only_range(entry).data == {"targets": targets}
    await settle(hass)
    assert set(records_of(hass)) == {id_of(device) for device in devices}
    await hass.async_block_till_done()
    assert state(hass, "sensor.home_miners_online") == "2"


@pytest.mark.parametrize("targets", ["", " , ", "10.0.0.0/8", "10.0.0.9-1", "a b c!"])
async def test_wrong_range(hass: HomeAssistant, targets: str) -> None:
    result = await begin(hass, "range")
    result = await fill(hass, result, targets=targets, username="me", password="p")
    assert result["errors"] == {"targets": "invalid_targets"}
    assert suggested(result) == {"username": "me"}
    result = await fill(hass, result, targets=loopback_address())
    assert result["type"] == "create_entry"


async def test_range_joins_a_site(
    hass: HomeAssistant, fake: Fake, add_site: AddSite
) -> None:
    device = await fake(firmware="guarded", password="right")
    entry = await add_site()
    result = await begin(hass, "range")
    account = {"username": "root", "password": "right"}
    result = await fill(hass, result, targets=device.host, **account)
    assert result["step_id"] == "site"
    result = await fill(hass, result, site=entry.entry_id)
    assert result["type"] == "abort"
    assert result["reason"] == "range_added"
    await settle(hass)
    assert only_range(entry).data == {"targets": device.host, "accounts": [account]}
    record = records_of(hass)[id_of(device)]
    assert (record.username, record.password) == ("root", "right")


async def test_range_with_a_new_site(hass: HomeAssistant, add_site: AddSite) -> None:
    await add_site()
    result = await begin(hass, "range")
    result = await fill(hass, result, targets=loopback_address())
    result = await fill(hass, result, site="new", name="Garage")
    assert result["type"] == "create_entry"
    assert len(sites(hass)[1].subentries) == 1


# The flow of the range itself.


async def test_add_range(hass: HomeAssistant, axe: Axe, add_site: AddSite) -> None:
    device = await axe()
    entry = await add_site()
    flows = hass.config_entries.subentries
    result = await flows.async_init(
        (entry.entry_id, "range"), context={"source": SOURCE_USER}
    )
    assert result["step_id"] == "user"
    result = await flows.async_configure(result["flow_id"], {"targets": "nowhere!"})
    assert result["errors"] == {"targets": "invalid_targets"}
    result = await flows.async_configure(result["flow_id"], {"targets": device.address})
    assert result["type"] == "create_entry"
    assert result["title"] == device.address
    await settle(hass)
    assert list(records_of(hass)) == [id_of(device)]


async def change(hass: HomeAssistant, entry: ConfigEntry) -> Any:
    result = await hass.config_entries.subentries.async_init(
        (entry.entry_id, "range"),
        context={
            "source": SOURCE_RECONFIGURE,
            "subentry_id": only_range(entry).subentry_id,
        },
    )
    assert result["step_id"] == "reconfigure"
    return result


async def test_change_range(hass: HomeAssistant, axe: Axe, add_site: AddSite) -> None:
    device = await axe()
    account = {"username": "root", "password": "old"}
    entry = await add_site(subentries=(range_data(loopback_address(), account),))
    flows = hass.config_entries.subentries

    result = await change(hass, entry)
    result = await flows.async_configure(
        result["flow_id"], {"targets": "10.0.0.0/8", "username": "me"}
    )
    assert result["errors"] == {
        "targets": "invalid_targets",
        "password": "password_missing",
    }
    assert suggested(result) == {"username": "me"}
    result = await flows.async_configure(result["flow_id"], {"targets": device.address})
    assert result["type"] == "abort"
    assert result["reason"] == "reconfigure_successful"
    await settle(hass)
    assert only_range(entry).title == device.address
    # What is not touched stays.
    assert only_range(entry).data == {"targets": device.address, "accounts": [account]}
    assert list(records_of(hass)) == [id_of(device)]


async def test_accounts_of_a_range(hass: HomeAssistant, add_site: AddSite) -> None:
    """They are added at the end, one after another, and taken away by their marks."""
    first = {"username": "root", "password": "one"}
    second, third = {"password": "two"}, {"username": "root", "password": "three"}
    host = loopback_address()
    entry = await add_site(subentries=(range_data(host, first),))
    flows: Any = hass.config_entries.subentries

    result = await change(hass, entry)
    # Passwords are never shown.
    assert options(result, "accounts") == {"1": "1. root"}
    assert "one" not in str(result["data_schema"].schema)
    result = await flows.async_configure(
        result["flow_id"], {"targets": host, **second, "another": True}
    )
    assert result["step_id"] == "reconfigure"
    assert not result["errors"]
    assert options(result, "accounts") == {"1": "1. root", "2": "2. –"}
    assert only_range(entry).data["accounts"] == [first]
    # A typo does not bring back what was taken away.
    result = await flows.async_configure(
        result["flow_id"], {"targets": "", **third, "accounts": ["2"], "factory": True}
    )
    assert result["errors"] == {"targets": "invalid_targets"}
    shown = {str(field): field for field in result["data_schema"].schema}
    assert shown["accounts"].default() == ["2"]
    assert shown["factory"].default() is True
    result = await flows.async_configure(
        result["flow_id"],
        {"targets": host, **third, "accounts": ["2"], "factory": True},
    )
    assert result["type"] == "abort"
    await settle(hass)
    assert only_range(entry).data == {
        "targets": host,
        "accounts": [second, third],
        "factory": True,
    }

    result = await change(hass, entry)
    result = await flows.async_configure(
        result["flow_id"], {"targets": host, "accounts": [], **second, "factory": False}
    )
    await settle(hass)
    assert only_range(entry).data == {"targets": host, "accounts": [second]}


async def test_several_accounts_of_a_new_range(hass: HomeAssistant) -> None:
    host = loopback_address()
    result = await begin(hass, "range")
    result = await fill(hass, result, targets=host, password="one", another=True)
    assert result["step_id"] == "range"
    assert options(result, "accounts") == {"1": "1. –"}
    result = await fill(hass, result, targets=host, username="me")
    assert result["errors"] == {"password": "password_missing"}
    result = await fill(
        hass, result, targets=host, username="me", password="two", factory=True
    )
    assert result["type"] == "create_entry"
    accounts = [{"password": "one"}, {"username": "me", "password": "two"}]
    assert only_range(sites(hass)[0]).data == {
        "targets": host,
        "accounts": accounts,
        "factory": True,
    }


async def test_removed_range_is_scanned_no_more(
    hass: HomeAssistant, axe: Axe, add_site: AddSite, freezer: FrozenDateTimeFactory
) -> None:
    device = await axe()
    await device.stop()
    entry = await add_site(subentries=(range_data(device.address),))
    await settle(hass)
    hass.config_entries.async_remove_subentry(entry, only_range(entry).subentry_id)
    await settle(hass)
    await device.start()
    await pass_time(hass, freezer, RANGE_SCAN_INTERVAL)
    assert not records_of(hass)


# The scanner.


async def test_scanner_adopts_what_turns_up(
    hass: HomeAssistant, axe: Axe, add_site: AddSite, freezer: FrozenDateTimeFactory
) -> None:
    early, late = await axe(), await axe()
    await late.stop()
    await add_site(subentries=(range_data(f"{early.address},{late.address}"),))
    await settle(hass)
    assert set(records_of(hass)) == {id_of(early)}

    await late.start()
    await pass_time(hass, freezer, RANGE_SCAN_INTERVAL)
    assert set(records_of(hass)) == {id_of(early), id_of(late)}

    # One that is off is kept.
    await late.stop()
    await pass_time(hass, freezer, RANGE_SCAN_INTERVAL)
    assert set(records_of(hass)) == {id_of(early), id_of(late)}
    assert state(hass, "switch.bitaxe_gamma_601_0002_mining") == "unavailable"


async def test_scanner_follows_what_moves(
    hass: HomeAssistant, axe: Axe, add_site: AddSite, freezer: FrozenDateTimeFactory
) -> None:
    device = await axe()
    there = loopback_address()
    targets = f"{device.address},{there}:20080"
    await add_site(device, subentries=(range_data(targets),))
    await settle(hass)
    await device.stop()
    await axe(host=there, mac=device.mac)
    await pass_time(hass, freezer, RANGE_SCAN_INTERVAL)
    (record,) = records_of(hass).values()
    assert record.info.host == there
    assert state(hass, "switch.bitaxe_gamma_601_0001_mining") == "on"


async def test_scanner_leaves_devices_to_their_site(
    hass: HomeAssistant, axe: Axe, add_site: AddSite
) -> None:
    """A range that covers another site's device follows it, but does not take it."""
    device = await axe()
    garage = await add_site(device, title="Garage")
    await device.stop()
    there = await axe(mac=device.mac)
    home = await add_site(subentries=(range_data(there.address),))
    await settle(hass)
    assert not home.runtime_data.inventory.records
    (record,) = garage.runtime_data.inventory.records.values()
    assert record.info.host == there.host


async def test_scanner_leaves_what_is_no_miner(
    hass: HomeAssistant, fake: Fake, add_site: AddSite
) -> None:
    meter, miner = await fake(firmware="meter"), await fake(firmware="open")
    await add_site(subentries=(range_data(f"{meter.host},{miner.host}"),))
    await settle(hass)
    assert list(records_of(hass)) == [id_of(miner)]


async def test_scanner_withdraws_cards(
    hass: HomeAssistant, axe: Axe, add_site: AddSite
) -> None:
    device, other = await axe(), await axe()
    await announced(hass, device)
    await announced(hass, other)
    await add_site(subentries=(range_data(device.address),))
    await settle(hass)
    assert list(records_of(hass)) == [id_of(device)]
    (card,) = cards(hass)
    assert card["context"]["unique_id"] == id_of(other)


async def test_scanner_scans_ranges_only(
    hass: HomeAssistant, axe: Axe, add_site: AddSite
) -> None:
    device = await axe()
    other = {**range_data("127.0.0.1"), "subentry_type": "of a later version"}
    with patch(SCAN, wraps=scan) as scanned:
        await add_site(subentries=(other, range_data(device.address)))
        await settle(hass)
    assert [call.args for call in scanned.call_args_list] == [(device.address,)]
    assert list(records_of(hass)) == [id_of(device)]


async def test_scanner_goes_on_after_a_range_that_is_none(
    hass: HomeAssistant,
    axe: Axe,
    add_site: AddSite,
    caplog: pytest.LogCaptureFixture,
) -> None:
    device = await axe()
    await add_site(subentries=(range_data("127.0.0.0/8"), range_data(device.address)))
    await settle(hass)
    assert list(records_of(hass)) == [id_of(device)]
    assert "Range 127.0.0.0/8" in caplog.text


async def test_scanner_waits_for_home_assistant(
    hass: HomeAssistant, axe: Axe, add_site: AddSite
) -> None:
    hass.set_state(CoreState.starting)
    device = await axe()
    entry = await add_site(subentries=(range_data(device.address),))
    await settle(hass)
    assert not records_of(hass)
    # A site that is reloaded in the meantime waits all the same.
    assert await hass.config_entries.async_reload(entry.entry_id)
    await settle(hass)
    assert not records_of(hass)
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await settle(hass)
    assert list(records_of(hass)) == [id_of(device)]


async def test_scanner_never_overtakes_itself(
    hass: HomeAssistant, add_site: AddSite, freezer: FrozenDateTimeFactory
) -> None:
    """A scan that takes longer than the interval is not begun a second time."""
    began: list[str] = []
    closed: list[str] = []

    async def endless(targets: str, **options: Any) -> Any:
        began.append(targets)
        try:
            await hass.loop.create_future()
            yield
        finally:
            closed.append(targets)

    with patch(SCAN, endless):
        entry = await add_site(offline_record(), subentries=(range_data("127.0.0.1"),))
        freezer.tick(RANGE_SCAN_INTERVAL * 2)
        async_fire_time_changed(hass)
        await hass.async_block_till_done()
        assert began == ["127.0.0.1"]
        # And it ends with its site.
        assert not closed
        assert await hass.config_entries.async_unload(entry.entry_id)
        await settle(hass)
        assert closed == ["127.0.0.1"]


async def test_known_device_of_a_range_keeps_its_account(
    hass: HomeAssistant, fake: Fake, add_site: AddSite
) -> None:
    device = await fake(firmware="guarded", password="own")
    known = await record_of(device, "root", "own")
    account = {"username": "root", "password": "of the range"}
    await add_site(known, subentries=(range_data(device.host, account),))
    await settle(hass)
    assert fleet_of(hass).inventory.records[id_of(device)].password == "own"

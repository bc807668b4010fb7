"""Devices that announce themselves, or ask for an address."""

import asyncio
from fnmatch import fnmatch
from ipaddress import ip_address
import json
from pathlib import Path
from typing import Any

from homeassistant.config_entries import (
    SOURCE_DHCP,
    SOURCE_IGNORE,
    SOURCE_ZEROCONF,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.service_info.dhcp import DhcpServiceInfo
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
import pytest

from custom_components.miningsdk import const
from tests.conftest import loopback_address
from tests.integration.conftest import AddSite, Axe, Fake, record_of
from tests.integration.drivers import OddDevice, SpeechlessDevice
from tests.integration.flows import (
    cards,
    fields,
    fill,
    fleet_of,
    id_of,
    open_card,
    options,
    range_data,
    records_of,
    search,
    sites,
    start,
    state,
)
from tests.simulators.base import SimulatedDevice, Trouble

MAC = "02aabbccdd00"


async def announced(hass: HomeAssistant, device: SimulatedDevice) -> Any:
    address = ip_address(device.host)
    return await start(
        hass,
        SOURCE_ZEROCONF,
        ZeroconfServiceInfo(
            ip_address=address,
            ip_addresses=[address],
            port=device.port(device.ports[0]),
            hostname="bitaxe.local.",
            type="_http._tcp.local.",
            name="bitaxe._http._tcp.local.",
            properties={"family": "Gamma", "asic": "BM1370", "board": "601"},
        ),
    )


async def leased(hass: HomeAssistant, host: str, mac: str = MAC) -> Any:
    return await start(
        hass, SOURCE_DHCP, DhcpServiceInfo(ip=host, hostname="miner", macaddress=mac)
    )


async def ignore(hass: HomeAssistant, unique_id: str) -> None:
    await start(hass, SOURCE_IGNORE, {"unique_id": unique_id, "title": "Ignored"})


# One device.


async def test_announced_device(hass: HomeAssistant, axe: Axe) -> None:
    device = await axe()
    result = await announced(hass, device)
    assert result["step_id"] == "discovered"
    assert fields(result) == set()
    (card,) = cards(hass)
    named = {"name": "Bitaxe Gamma 601 0001", "host": device.address}
    assert result["description_placeholders"] == named
    assert card["context"]["title_placeholders"] == named

    result = await fill(hass, result)
    assert result["type"] == "create_entry"
    assert result["title"] == "Home"
    await hass.async_block_till_done()
    assert list(records_of(hass)) == [id_of(device)]
    assert sites(hass)[0].unique_id is None
    assert not cards(hass)


async def test_one_click_joins_the_only_site(
    hass: HomeAssistant, axe: Axe, add_site: AddSite
) -> None:
    await add_site(await axe())
    device = await axe()
    result = await fill(hass, await announced(hass, device))
    assert result["type"] == "abort"
    assert result["reason"] == "joined"
    assert id_of(device) in records_of(hass)


async def test_several_sites(hass: HomeAssistant, axe: Axe, add_site: AddSite) -> None:
    await add_site(await axe())
    garage = await add_site(title="Garage")
    device = await axe()
    result = await fill(hass, await announced(hass, device))
    assert result["step_id"] == "site"
    result = await fill(hass, result, site=garage.entry_id)
    assert result["reason"] == "joined"
    assert list(garage.runtime_data.inventory.records) == [id_of(device)]


async def test_leased_device_with_a_password(hass: HomeAssistant, fake: Fake) -> None:
    """What DHCP tells of the device is kept, as it does not tell its MAC itself."""
    device = await fake(firmware="guarded", password="right")
    result = await leased(hass, device.host)
    assert result["step_id"] == "discovered"
    result = await fill(hass, result)
    assert result["step_id"] == "credentials"
    result = await fill(hass, result, password="right")
    assert result["type"] == "create_entry"
    await hass.async_block_till_done()
    assert records_of(hass)[id_of(device)].info.mac == "02:aa:bb:cc:dd:00"


async def test_secret_device(hass: HomeAssistant, fake: Fake) -> None:
    """Its card goes by the MAC, as it only tells who it is once it trusts us."""
    device = await fake(firmware="secret", password="right")
    result = await leased(hass, device.host)
    twin = await leased(hass, device.host)
    assert twin["reason"] == "already_in_progress"
    result = await fill(hass, await fill(hass, result), password="right")
    assert result["type"] == "create_entry"
    await hass.async_block_till_done()
    (record,) = records_of(hass).values()
    assert (record.id, record.info.mac) == (id_of(device), "02:aa:bb:cc:dd:00")
    assert not cards(hass)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"firmware": "elsewhere"}, "not_supported"),
        ({"firmware": "meter"}, "not_supported"),
        ({"firmware": "open", "trouble": Trouble.SILENT}, "timeout"),
        ({"kind": SpeechlessDevice}, "invalid_reply"),
        ({"kind": OddDevice}, "unknown"),
    ],
)
@pytest.mark.usefixtures("impatient")
async def test_no_card_for_what_cannot_be_added(
    hass: HomeAssistant, fake: Fake, options: dict[str, Any], reason: str
) -> None:
    device = await fake(**options)
    result = await leased(hass, device.host)
    assert result["type"] == "abort"
    assert result["reason"] == reason
    assert not cards(hass)


async def test_device_that_went_away(hass: HomeAssistant) -> None:
    result = await leased(hass, loopback_address())
    assert result["reason"] == "cannot_connect"


# A device that is known.


async def test_lease_moves_a_known_device(
    hass: HomeAssistant, axe: Axe, add_site: AddSite
) -> None:
    device = await axe()
    entry = await add_site(device)
    await device.stop()
    there = await axe(mac=device.mac)
    result = await leased(hass, there.host, device.mac.replace(":", "").lower())
    assert result["reason"] == "already_configured"
    await hass.async_block_till_done()
    record = records_of(hass)[id_of(device)]
    assert (record.info.host, record.info.port) == (there.host, 20080)
    (coordinator,) = entry.runtime_data.coordinators.values()
    assert coordinator.available


async def test_announcement_moves_a_known_device(
    hass: HomeAssistant, axe: Axe, add_site: AddSite
) -> None:
    device = await axe()
    await add_site(device)
    await device.stop()
    there = await axe(mac=device.mac)
    result = await announced(hass, there)
    assert result["reason"] == "already_configured"
    assert records_of(hass)[id_of(device)].info.host == there.host
    assert state(hass, "switch.bitaxe_gamma_601_0001_mining") == "on"


async def test_known_device_where_it_was(
    hass: HomeAssistant, axe: Axe, add_site: AddSite
) -> None:
    device = await axe()
    await add_site(device)
    before = dict(records_of(hass))
    assert (await announced(hass, device))["reason"] == "already_configured"
    mac = device.mac.replace(":", "").lower()
    assert (await leased(hass, device.host, mac))["reason"] == "already_configured"
    assert records_of(hass) == before


async def test_device_in_a_range_joins_by_itself(
    hass: HomeAssistant, fake: Fake, add_site: AddSite
) -> None:
    """With the account of the range; and without a card."""
    device = await fake(firmware="guarded", password="right")
    account = {"username": "root", "password": "right"}
    hidden = await fake(firmware="open")
    await leased(hass, device.host)
    assert len(cards(hass)) == 1
    await device.stop()
    other = range_data(loopback_address())
    entry = await add_site(subentries=(other, range_data(device.host, account)))
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not records_of(hass)

    await device.start()
    result = await leased(hass, device.host)
    assert result["type"] == "abort"
    assert result["reason"] == "handed_to_site"
    # Nobody needs the card any more that it had before there was a range.
    assert not cards(hass)
    (record,) = entry.runtime_data.inventory.records.values()
    assert (record.username, record.password) == ("root", "right")
    # What lies in no range still gets its card.
    result = await leased(hass, hidden.host, "02aabbccdd01")
    assert result["step_id"] == "discovered"


# Cards that are not wanted.


async def test_ignored_device(hass: HomeAssistant, axe: Axe) -> None:
    unwanted, wanted = await axe(), await axe()
    await announced(hass, unwanted)
    result = await announced(hass, wanted)
    await ignore(hass, id_of(unwanted))
    assert len(cards(hass)) == 1
    again = await announced(hass, unwanted)
    assert again["type"] == "abort"
    assert again["reason"] == "already_configured"

    # It is not offered with others either.
    result = await open_card(hass, result)
    assert fields(result) == set()
    result = await fill(hass, result)
    assert result["type"] == "create_entry"
    await hass.async_block_till_done()
    assert list(records_of(hass)) == [id_of(wanted)]


async def test_same_device_twice(hass: HomeAssistant, axe: Axe) -> None:
    device = await axe()
    await announced(hass, device)
    result = await announced(hass, device)
    assert result["reason"] == "already_in_progress"
    assert len(cards(hass)) == 1


async def test_card_of_a_device_that_was_added_otherwise(
    hass: HomeAssistant, axe: Axe
) -> None:
    device, other = await axe(), await axe()
    await announced(hass, device)
    await announced(hass, other)
    result = await search(hass, device.address)
    await fill(hass, result, devices=[id_of(device)])
    await hass.async_block_till_done()
    (card,) = cards(hass)
    assert card["context"]["unique_id"] == id_of(other)


async def test_device_joins_another_way_while_its_card_is_open(
    hass: HomeAssistant, axe: Axe, add_site: AddSite
) -> None:
    device, other = await axe(), await axe()
    await add_site()
    result = await announced(hass, device)
    await fleet_of(hass).async_adopt([await record_of(device)])
    assert (await fill(hass, result))["reason"] == "already_configured"

    # Where there are others, these are offered instead.
    third = await axe()
    result = await announced(hass, other)
    await announced(hass, third)
    await fleet_of(hass).async_adopt([await record_of(other)])
    result = await fill(hass, result)
    assert result["errors"] == {"base": "none_chosen"}
    assert result["description_placeholders"]["name"] == "Bitaxe Gamma 601 0003"
    assert (await fill(hass, result))["reason"] == "joined"
    assert set(records_of(hass)) == {id_of(d) for d in (device, other, third)}


# Many devices.


async def test_cards_list_each_other(hass: HomeAssistant, axe: Axe) -> None:
    devices = [await axe() for _ in range(3)]
    first, second, third = [await announced(hass, device) for device in devices]
    # The first card was drawn when there was nothing else: it stands for itself.
    result = await fill(hass, first)
    assert result["type"] == "create_entry"
    await hass.async_block_till_done()
    assert list(records_of(hass)) == [id_of(devices[0])]

    # A card that is opened lists what there is, its own device on top.
    result = await open_card(hass, third)
    macs = [id_of(devices[2]), id_of(devices[1])]
    assert list(options(result, "devices")) == macs
    result = await fill(hass, result, devices=[])
    assert result["errors"] == {"base": "none_chosen"}
    result = await fill(hass, result, devices=macs)
    assert result["reason"] == "joined"
    assert len(records_of(hass)) == 3
    # The card of the second went with it.
    assert not cards(hass)
    assert second["flow_id"] not in {
        flow["flow_id"] for flow in hass.config_entries.flow.async_progress()
    }


async def test_crowd(hass: HomeAssistant, fake: Fake) -> None:
    """A hall that powers up asks for fifty addresses at once."""
    devices = [await fake(firmware="open") for _ in range(50)]
    results = await asyncio.gather(
        *(
            leased(hass, device.host, f"02aabbccdd{number:02x}")
            for number, device in enumerate(devices)
        )
    )
    shown = [result for result in results if result["type"] == "form"]
    listed = [result for result in results if result["type"] == "abort"]
    assert len(shown) == len(cards(hass)) == 3
    assert {result["reason"] for result in listed} == {"listed_with_others"}

    result = await open_card(hass, shown[0])
    everything = list(options(result, "devices"))
    assert set(everything) == {id_of(device) for device in devices}
    result = await fill(hass, result, devices=everything)
    assert result["type"] == "create_entry"
    await hass.async_block_till_done()
    assert set(records_of(hass)) == set(everything)
    assert not cards(hass)


# What Home Assistant is asked to look out for.


@pytest.mark.parametrize(
    ("hostname", "mac"),
    [
        ("bitaxe", "DCDA0C000001"),
        ("nerdqaxeplus", "DCDA0C000001"),
        ("antminer", "020000000001"),
        ("whatsminer", "020000000001"),
        ("", "E0A509000001"),
    ],
)
def test_dhcp_matchers(hostname: str, mac: str) -> None:
    matchers = manifest()["dhcp"]
    assert {"registered_devices": True} in matchers
    assert any(
        fnmatch(hostname, matcher.get("hostname", "*"))
        and fnmatch(mac, matcher.get("macaddress", "*"))
        for matcher in matchers
        if "registered_devices" not in matcher
    )


def test_zeroconf_matchers() -> None:
    by_name, by_facts = manifest()["zeroconf"]
    assert fnmatch("bitaxe._http._tcp.local.", by_name["name"])
    facts = {"family": "gamma", "asic": "bm1370", "board": "601"}
    assert all(
        fnmatch(facts[key], pattern) for key, pattern in by_facts["properties"].items()
    )


def manifest() -> dict[str, Any]:
    file = Path(const.__file__).parent / "manifest.json"
    loaded: dict[str, Any] = json.loads(file.read_text())
    return loaded

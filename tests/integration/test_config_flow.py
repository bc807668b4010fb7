"""The config flow as a person walks it: search, pick, and choose a site."""

import asyncio
from typing import Any
from unittest.mock import patch

from homeassistant.core import HomeAssistant
import pytest

from custom_components.miningsdk.const import DOMAIN
from custom_components.miningsdk.sdk import scan
from tests.conftest import loopback_address
from tests.integration.conftest import AddSite, Axe, record_of
from tests.integration.flows import (
    begin,
    choose,
    fill,
    id_of,
    open_card,
    options,
    records_of,
    search,
    searched,
    sites,
    start,
    state,
)

SCAN = "custom_components.miningsdk.config_flow.scan"


async def test_menu(hass: HomeAssistant) -> None:
    result = await start(hass)
    assert result["type"] == "menu"
    assert result["menu_options"] == ["search", "address", "range"]


async def test_first_devices_create_the_site(hass: HomeAssistant, axe: Axe) -> None:
    devices = [await axe(), await axe(model="401")]
    result = await search(hass, *(device.address for device in devices))
    assert result["step_id"] == "pick"
    assert result["description_placeholders"] == {"count": "2"}
    listed = options(result, "devices")
    assert sorted(listed.values()) == [
        f"Bitaxe Gamma 601 0001 ({devices[0].address})",
        f"Bitaxe Supra 401 0002 ({devices[1].address})",
    ]

    result = await fill(hass, result, devices=list(listed))
    assert result["type"] == "create_entry"
    assert result["title"] == "Home"
    await hass.async_block_till_done()
    assert set(records_of(hass)) == set(listed)
    (entry,) = sites(hass)
    assert entry.unique_id is None
    # The devices have gone into the site's inventory.
    assert entry.data == {}
    assert state(hass, "sensor.home_miners_online") == "2"


async def test_search_offers_local_networks(
    hass: HomeAssistant, local_network: None
) -> None:
    result = await begin(hass, "search")
    assert result["step_id"] == "search"
    (field,) = result["data_schema"].schema
    # Never more than a home's network, and nothing of an adapter that is off.
    assert field.default() == ["127.0.0.0/24", "127.9.9.128/25"]


@pytest.mark.parametrize(
    "targets", [[], ["10.0.0.1-nowhere"], ["10.0.0.0/8"], ["10.0.0.300"]]
)
async def test_search_of_nonsense(
    hass: HomeAssistant, axe: Axe, targets: list[str]
) -> None:
    result = await begin(hass, "search")
    result = await fill(hass, result, targets=targets)
    assert result["step_id"] == "search"
    assert result["errors"] == {"targets": "invalid_targets"}

    result = await fill(hass, result, targets=[(await axe()).address])
    assert (await searched(hass, result))["step_id"] == "pick"


async def test_search_finds_nothing(hass: HomeAssistant, axe: Axe) -> None:
    result = await search(hass, loopback_address())
    assert result["type"] == "menu"
    assert result["step_id"] == "nothing"
    assert result["menu_options"] == ["search", "address"]

    # A second search finds what was switched on in the meantime.
    device = await axe()
    result = await choose(hass, result, "search")
    assert result["step_id"] == "search"
    result = await fill(hass, result, targets=[device.address])
    result = await searched(hass, result)
    assert list(options(result, "devices")) == [id_of(device)]


async def test_search_leaves_out_what_is_added(
    hass: HomeAssistant, axe: Axe, add_site: AddSite
) -> None:
    old, new = await axe(), await axe()
    await add_site(old)
    result = await search(hass, old.address, new.address)
    assert list(options(result, "devices")) == [id_of(new)]


async def test_search_shows_its_progress(
    hass: HomeAssistant, axe: Axe, local_network: None
) -> None:
    device = await axe()
    shares: list[float] = []
    with patch(
        "homeassistant.data_entry_flow.FlowHandler.async_update_progress",
        lambda _, share: shares.append(share),
    ):
        result = await begin(hass, "search")
        result = await fill(hass, result, targets=[device.address, loopback_address()])
        assert result["description_placeholders"]["targets"].startswith(device.address)
        # Looking again while it runs changes nothing.
        again = await open_card(hass, result)
        assert again["type"] == "progress"
        await searched(hass, result)
    assert shares == [0.4, 0.8]


async def test_progress_of_the_second_pass(hass: HomeAssistant, axe: Axe) -> None:
    """The second pass is the last fifth of the bar; nothing to do moves nothing."""
    device = await axe()
    shares: list[float] = []

    async def scan(*args: Any, progress: Any, **options: Any) -> Any:
        await asyncio.sleep(0)
        for done, total, first in ((0, 0, True), (1, 2, True), (1, 2, False)):
            state = type("State", (), {"done": done, "total": total})
            state.first_pass = first  # type: ignore[attr-defined]
            progress(state)
        yield (await record_of(device)).info

    with (
        patch(SCAN, scan),
        patch(
            "homeassistant.data_entry_flow.FlowHandler.async_update_progress",
            lambda _, share: shares.append(share),
        ),
    ):
        assert (await search(hass, device.address))["step_id"] == "pick"
    assert shares == [0.4, 0.9]


async def test_search_that_goes_wrong(
    hass: HomeAssistant, axe: Axe, caplog: pytest.LogCaptureFixture
) -> None:
    device = await axe()
    found = await record_of(device)

    async def scan(*args: Any, **options: Any) -> Any:
        await asyncio.sleep(0)
        if fruitful:
            yield found.info
        raise OSError("no buffer space")

    fruitful = False
    with patch(SCAN, scan):
        result = await search(hass, device.address)
        assert result["type"] == "abort"
        assert result["reason"] == "unknown"
        assert "no buffer space" in caplog.text
        # What was found before can be picked.
        fruitful = True
        assert (await search(hass, device.address))["step_id"] == "pick"


async def test_closing_the_dialog_ends_the_search(
    hass: HomeAssistant, local_network: None
) -> None:
    began = asyncio.Event()
    ended: list[str] = []

    async def scan(*args: Any, **options: Any) -> Any:
        began.set()
        try:
            await asyncio.Event().wait()
            yield
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    with patch(SCAN, scan):
        result = await begin(hass, "search")
        result = await fill(hass, result, targets=["127.0.0.1"])
        assert result["type"] == "progress"
        await began.wait()
        hass.config_entries.flow.async_abort(result["flow_id"])
        await hass.async_block_till_done()
    assert ended == ["cancelled"]


async def test_picking_nothing(hass: HomeAssistant, axe: Axe) -> None:
    one, two = await axe(), await axe()
    result = await search(hass, one.address, two.address)
    result = await fill(hass, result, devices=[])
    assert result["step_id"] == "pick"
    assert result["errors"] == {"devices": "none_chosen"}
    assert not sites(hass)

    result = await fill(hass, result, devices=[id_of(two)])
    assert result["type"] == "create_entry"
    await hass.async_block_till_done()
    assert list(records_of(hass)) == [id_of(two)]


async def add_by_address(hass: HomeAssistant, address: str) -> Any:
    return await fill(hass, await begin(hass, "address"), host=address)


async def test_second_device_joins(
    hass: HomeAssistant, axe: Axe, add_site: AddSite
) -> None:
    first, second = await axe(), await axe()
    await add_site(first)
    result = await add_by_address(hass, second.address)
    assert result["step_id"] == "site"
    entry = sites(hass)[0]
    assert options(result, "site") == {entry.entry_id: "Home", "new": "+"}

    result = await fill(hass, result, site=entry.entry_id)
    assert result["type"] == "abort"
    assert result["reason"] == "joined"
    assert result["description_placeholders"] == {
        "site": "Home",
        "names": "Bitaxe Gamma 601 0002",
    }
    assert len(records_of(hass)) == 2
    await hass.async_block_till_done()
    assert state(hass, "switch.bitaxe_gamma_601_0002_mining") == "on"


async def test_new_site(hass: HomeAssistant, axe: Axe, add_site: AddSite) -> None:
    first, second = await axe(), await axe()
    await add_site(first)
    result = await add_by_address(hass, second.address)
    for name in ({}, {"name": "  "}):
        result = await fill(hass, result, site="new", **name)
        assert result["step_id"] == "site"
        assert result["errors"] == {"name": "name_needed"}

    result = await fill(hass, result, site="new", name=" Garage ")
    assert result["type"] == "create_entry"
    assert result["title"] == "Garage"
    await hass.async_block_till_done()
    assert [site.title for site in sites(hass)] == ["Home", "Garage"]
    assert [list(site.runtime_data.inventory.records) for site in sites(hass)] == [
        [id_of(first)],
        [id_of(second)],
    ]


async def test_site_that_was_deleted_meanwhile(
    hass: HomeAssistant, axe: Axe, add_site: AddSite
) -> None:
    first, second = await axe(), await axe()
    entry = await add_site(first)
    result = await add_by_address(hass, second.address)
    await hass.config_entries.async_remove(entry.entry_id)
    result = await fill(hass, result, site=entry.entry_id)
    assert result["errors"] == {"name": "name_needed"}
    assert list(options(result, "site")) == ["new"]
    result = await fill(hass, result, site="new", name="Garage")
    assert result["type"] == "create_entry"


async def test_unloaded_site_takes_devices_at_its_next_start(
    hass: HomeAssistant, axe: Axe, add_site: AddSite
) -> None:
    first, second, third = await axe(), await axe(), await axe()
    entry = await add_site(first)
    assert await hass.config_entries.async_unload(entry.entry_id)
    for device in (second, third):
        result = await add_by_address(hass, device.address)
        result = await fill(hass, result, site=entry.entry_id)
        assert result["reason"] == "joined"
    assert len(entry.data["devices"]) == 2

    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert set(records_of(hass)) == {id_of(device) for device in (first, second, third)}
    assert state(hass, "sensor.home_miners_online") == "3"


async def test_search_finds_what_another_flow_added_meanwhile(
    hass: HomeAssistant, axe: Axe
) -> None:
    """The device is in the site already; nothing happens twice."""
    device = await axe()
    first = await search(hass, device.address)
    second = await search(hass, device.address)
    result = await fill(hass, first, devices=[id_of(device)])
    assert result["type"] == "create_entry"
    await hass.async_block_till_done()
    result = await fill(hass, second, devices=[id_of(device)])
    assert result["step_id"] == "site"
    result = await fill(hass, result, site=sites(hass)[0].entry_id)
    assert result["reason"] == "joined"
    assert list(records_of(hass)) == [id_of(device)]
    assert len(hass.config_entries.async_entries(DOMAIN)) == 1


async def test_search_listens_with_home_assistants_own_zeroconf(
    hass: HomeAssistant, axe: Axe
) -> None:
    """Where it is set up, no second one is opened; where it is not, none is."""
    device = await axe()
    instance = object()
    given: list[Any] = []
    real = scan

    def spy(targets: Any, **more: Any) -> Any:
        given.append(more.pop("zeroconf"))
        return real(targets, **more)

    with (
        patch(SCAN, spy),
        patch(
            "custom_components.miningsdk.networks.zeroconf.async_get_async_instance",
            return_value=instance,
        ),
    ):
        assert (await search(hass, device.address))["step_id"] == "pick"
        hass.config.components.add("zeroconf")
        assert (await search(hass, device.address))["step_id"] == "pick"
    assert given == [None, instance]

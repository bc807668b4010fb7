"""Setting up a site, and everything that ends it."""

import asyncio
from types import MappingProxyType
from typing import Any
from unittest.mock import AsyncMock, patch

from homeassistant.config_entries import ConfigEntryState, ConfigSubentry
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.miningsdk import async_remove_config_entry_device
from custom_components.miningsdk.const import (
    CONF_DEVICES,
    DOMAIN,
    FIRST_READINGS_WITHIN,
)
from custom_components.miningsdk.fleet import Fleet
from custom_components.miningsdk.sdk import Capability, MinerStatus
from tests.conftest import OFFSET
from tests.integration.conftest import AddSite, Axe, offline_record, record_of
from tests.integration.fixtures_fleet import (
    FROZEN,
    UNREACHABLE,
    Clock,
    MakeScript,
    clock_fixture,  # noqa: F401
    entity_id,
    script_fixture,  # noqa: F401
    state_of,
    until,
)

pytestmark = FROZEN


async def test_sets_up_unloads_and_reloads(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, axe: Axe
) -> None:
    """A site with a real simulated miner, there and back."""
    device = await axe()
    entry = await add_site(device)
    record = await record_of(device)
    assert state_of(hass, "sensor", record.id, "status") == "mining"

    assert await hass.config_entries.async_unload(entry.entry_id)
    assert entry.state is ConfigEntryState.NOT_LOADED
    assert state_of(hass, "sensor", record.id, "status") == STATE_UNAVAILABLE
    asked = device.requests
    await clock.forward(600, step=60)
    assert device.requests == asked

    assert await hass.config_entries.async_setup(entry.entry_id)
    await clock.settle()
    assert state_of(hass, "sensor", record.id, "status") == "mining"
    assert await hass.config_entries.async_reload(entry.entry_id)
    await clock.settle()
    assert state_of(hass, "sensor", record.id, "status") == "mining"
    assert device.most_connections <= 2


async def test_the_site_and_its_miners_are_devices(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, axe: Axe
) -> None:
    """The miners hang on the site; what leads to their page is there if it can be."""
    device = await axe(mac="02:00:00:AA:BB:CC")
    entry = await add_site(device)
    registry = dr.async_get(hass)
    site = registry.async_get_device_by_identifier(
        (DOMAIN, entry.entry_id), entry.entry_id
    )
    record = next(iter(entry.runtime_data.inventory.records.values()))
    miner = registry.async_get_device_by_identifier((DOMAIN, record.id), entry.entry_id)
    assert site is not None
    assert miner is not None
    assert (site.name, site.entry_type) == ("Home", dr.DeviceEntryType.SERVICE)
    assert miner.via_device_id == site.id
    assert miner.connections == {("mac", "02:00:00:aa:bb:cc")}
    assert (miner.manufacturer, miner.model) == ("Bitaxe", "Gamma 601")
    assert miner.sw_version == "v2.15.0"
    # Its page is not on the port that a browser would take.
    assert device.port(80) == 80 + OFFSET
    assert miner.configuration_url is None


@pytest.mark.parametrize(
    ("host", "url"),
    [("127.99.0.1", "http://127.99.0.1"), ("::1", "http://[::1]")],
)
async def test_a_device_on_its_usual_port_links_to_its_page(
    clock: Clock,
    hass: HomeAssistant,
    add_site: AddSite,
    script: MakeScript,
    host: str,
    url: str,
) -> None:
    """An address of six hex groups is put into brackets."""
    miner = script(host=host)
    entry = await add_site(miner.record)
    device = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, miner.record.id), entry.entry_id
    )
    assert device is not None
    assert device.configuration_url == url


async def test_a_miner_that_is_off_sets_up_from_the_inventory(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """All of its entities are there, unavailable, and come to life with it."""
    miner = script(full=True)
    entry = await add_site(miner.record)
    registry = er.async_get(hass)
    before = {
        e.entity_id for e in er.async_entries_for_config_entry(registry, entry.entry_id)
    }
    assert await hass.config_entries.async_unload(entry.entry_id)
    miner.error = UNREACHABLE
    assert await hass.config_entries.async_setup(entry.entry_id)
    await clock.settle()
    after = {
        e.entity_id for e in er.async_entries_for_config_entry(registry, entry.entry_id)
    }
    assert after == before
    key = miner.record.id
    for platform, name in (
        ("sensor", "power"),
        ("switch", "mining"),
        ("number", "power_limit"),
        ("select", "power_mode"),
        ("button", "reboot"),
        ("binary_sensor", "problem"),
    ):
        state = hass.states.get(entity_id(hass, platform, key, name))
        assert state is not None
        assert state.state == STATE_UNAVAILABLE
        assert "restored" not in state.attributes
    assert state_of(hass, "binary_sensor", key, "connectivity") == "off"

    miner.error = None
    await clock.forward(60, step=1)
    assert state_of(hass, "sensor", key, "power") == "3000.0"
    assert state_of(hass, "switch", key, "mining") == "on"


async def test_a_miner_that_sleeps_is_set_up(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, axe: Axe
) -> None:
    """It is paused, not unavailable, and can be woken."""
    device = await axe(asleep=True)
    entry = await add_site(device)
    key = next(iter(entry.runtime_data.inventory.records))
    assert state_of(hass, "sensor", key, "status") == "paused"
    assert state_of(hass, "switch", key, "mining") == "off"


async def test_a_device_never_seen_gets_its_entities_when_it_answers(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, axe: Axe
) -> None:
    """It was typed in while it was off; no reload is needed."""
    device = await axe()
    await device.stop()
    record = offline_record(host=device.host, port=device.port(80))
    entry = await add_site(record)
    assert state_of(hass, "sensor", record.id, "status") == STATE_UNAVAILABLE
    registry = er.async_get(hass)
    assert registry.async_get_entity_id("switch", DOMAIN, f"{record.id}_mining") is None

    await device.start()
    await clock.forward(120, step=5)
    assert state_of(hass, "sensor", record.id, "status") == "mining"
    assert state_of(hass, "switch", record.id, "mining") == "on"
    assert state_of(hass, "number", record.id, "frequency") == "525.0"
    found = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, record.id), entry.entry_id
    )
    assert found is not None
    assert (found.manufacturer, found.model) == ("Bitaxe", "Gamma 601")


async def test_parts_that_turn_up_later_get_entities(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """A board, a field or a capability that comes with a later reading."""
    miner = script()
    entry = await add_site(miner.record)
    key = miner.record.id
    full = script(full=True)
    miner.stats = full.stats
    miner.be(capabilities=(Capability.PAUSE, Capability.FAN), limits=full.info.limits)
    loop = entry.runtime_data.coordinators[key]
    loop.device.forget_info()
    await loop.async_refresh()
    await clock.settle()
    assert state_of(hass, "switch", key, "mining") == "on"
    assert state_of(hass, "number", key, "fan") == "50.0"
    assert entity_id(hass, "sensor", key, "board_chips_1")
    assert entity_id(hass, "sensor", key, "temperature_inlet")


async def test_deleting_a_site_deletes_its_inventory(
    clock: Clock,
    hass: HomeAssistant,
    add_site: AddSite,
    script: MakeScript,
    hass_storage: dict[str, Any],
) -> None:
    """The file is gone, with its passwords, and does not come back."""
    miner = script()
    entry = await add_site(miner.record)
    file = f"{DOMAIN}.{entry.entry_id}"
    assert file in hass_storage
    assert hass_storage[file]["data"]["devices"][0]["id"] == miner.record.id
    await hass.config_entries.async_remove(entry.entry_id)
    await clock.forward(60, step=5)
    assert file not in hass_storage
    assert not er.async_get(hass).entities


async def test_what_is_learnt_is_saved_a_little_later(
    clock: Clock,
    hass: HomeAssistant,
    add_site: AddSite,
    script: MakeScript,
    hass_storage: dict[str, Any],
) -> None:
    """A power cut then loses ten seconds at most."""
    miner = script()
    entry = await add_site(miner.record)
    miner.say(temperature_inlet=21.0)
    loop = entry.runtime_data.coordinators[miner.record.id]
    await loop.async_refresh()
    await clock.forward(11)
    stored = hass_storage[f"{DOMAIN}.{entry.entry_id}"]["data"]["devices"][0]
    assert "temperature_inlet" in stored["shape"]["fields"]


async def test_a_user_may_delete_a_miner_but_not_the_site(
    clock: Clock,
    hass: HomeAssistant,
    add_site: AddSite,
    script: MakeScript,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """By the button on the page of the device."""
    assert await async_setup_component(hass, "config", {})
    gone, kept = script(), script()
    entry = await add_site(gone.record, kept.record)
    registry = dr.async_get(hass)
    client = await hass_ws_client(hass)

    async def delete(record_id: str) -> bool:
        device = registry.async_get_device_by_identifier(
            (DOMAIN, record_id), entry.entry_id
        )
        assert device is not None
        response = await client.remove_device(device.id)
        await clock.settle()
        return bool(response["success"])

    assert await delete(gone.record.id)
    assert not await delete(entry.entry_id)
    fleet: Fleet = entry.runtime_data
    assert set(fleet.coordinators) == set(fleet.inventory.records) == {kept.record.id}
    assert fleet.totals.total == 1
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert set(entry.runtime_data.coordinators) == {kept.record.id}


async def test_a_device_of_another_integration_can_be_deleted(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """Nothing of the site is touched by it."""
    entry = await add_site(script().record)
    other = dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id, identifiers={("elsewhere", "1")}
    )
    assert await async_remove_config_entry_device(hass, entry, other)
    assert len(entry.runtime_data.coordinators) == 1


async def test_another_title_or_option_reloads(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """The new interval is kept to, and the site's device has the new name."""
    miner = script()
    entry = await add_site(miner.record)
    hass.config_entries.async_update_entry(
        entry, title="Garage", options={"scan_interval": 10}
    )
    await clock.settle()
    assert entry.runtime_data.interval == 10
    reads = miner.reads
    await clock.forward(60, step=1)
    assert 5 <= miner.reads - reads <= 7
    site = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, entry.entry_id), entry.entry_id
    )
    assert site is not None
    assert site.name == "Garage"


async def test_two_sites_stand_side_by_side(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """They share the limit of sockets and nothing else."""
    one, two = script(), script()
    home = await add_site(one.record)
    hall = await add_site(two.record, title="Hall")
    assert home.runtime_data.limiter is hall.runtime_data.limiter
    assert await hass.config_entries.async_unload(home.entry_id)
    two.say(status=MinerStatus.IDLE)
    await clock.forward(60, step=5)
    assert state_of(hass, "sensor", two.record.id, "status") == "idle"


async def test_a_device_given_twice_is_one(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """Two flows may hand over the same device to a site that is not running."""
    miner = script()
    entry = await add_site(miner.record, miner.record)
    assert len(entry.runtime_data.coordinators) == 1
    assert await hass.config_entries.async_unload(entry.entry_id)
    hass.config_entries.async_update_entry(
        entry, data={CONF_DEVICES: [miner.record.as_dict()]}
    )
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert len(entry.runtime_data.coordinators) == 1
    assert CONF_DEVICES not in entry.data


async def test_a_site_that_cannot_be_unloaded_goes_on(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """Its entities are still there, so its miners are still read."""
    miner = script()
    entry = await add_site(miner.record)
    with patch.object(
        hass.config_entries, "async_unload_platforms", AsyncMock(return_value=False)
    ):
        assert not await hass.config_entries.async_unload(entry.entry_id)
    reads = miner.reads
    await clock.forward(60, step=5)
    assert miner.reads > reads
    await entry.runtime_data.async_stop()


async def test_stragglers_do_not_hold_up_the_start(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """A miner that hangs is waited for in the background after a few seconds."""
    slow, quick = script(), script()
    slow.gate = asyncio.Event()
    starting = asyncio.ensure_future(add_site(slow.record, quick.record))
    await until(lambda: slow.reads == quick.reads == 1)
    assert not starting.done()
    clock.freezer.tick(FIRST_READINGS_WITHIN + 0.1)
    entry = await starting
    assert entry.state is ConfigEntryState.LOADED
    assert state_of(hass, "sensor", quick.record.id, "hashrate") == "100.0"
    assert state_of(hass, "sensor", slow.record.id, "hashrate") == STATE_UNAVAILABLE
    slow.gate.set()
    await clock.settle()
    assert state_of(hass, "sensor", slow.record.id, "hashrate") == "100.0"


async def test_what_is_added_during_the_start_is_not_missed(
    hass: HomeAssistant, axe: Axe, add_site: AddSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A range that is added while the site starts makes it start once more."""
    starts: list[int] = []
    real = Fleet.async_start

    async def start(fleet: Fleet) -> None:
        await real(fleet)
        starts.append(len(fleet.entry.subentries))
        if len(starts) == 1:
            added = ConfigSubentry(
                data=MappingProxyType({"targets": "127.0.0.9:9"}),
                subentry_type="range",
                title="late",
                unique_id=None,
            )
            hass.config_entries.async_add_subentry(fleet.entry, added)

    monkeypatch.setattr(Fleet, "async_start", start)
    entry = await add_site(await axe(), setup=False)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert starts == [0, 1]
    assert entry.state is ConfigEntryState.LOADED

"""The options of a site."""

from datetime import timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import InvalidData
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from tests.integration.conftest import AddSite, Axe
from tests.integration.flows import (
    fields,
    fleet_of,
    settle,
    suggested,
)


async def open_settings(hass: HomeAssistant, entry_id: str) -> Any:
    result: Any = await hass.config_entries.options.async_init(entry_id)
    assert result["type"] == "menu"
    assert result["menu_options"] == ["settings", "plug", "accounts", "positions"]
    return await hass.config_entries.options.async_configure(
        result["flow_id"], {"next_step_id": "settings"}
    )


async def test_options(
    hass: HomeAssistant,
    axe: Axe,
    add_site: AddSite,
    freezer: FrozenDateTimeFactory,
    entity_registry: er.EntityRegistry,
) -> None:
    device = await axe()
    entry = await add_site(device)
    assert fleet_of(hass).interval == 30
    shown = len(er.async_entries_for_config_entry(entity_registry, entry.entry_id))

    result = await open_settings(hass, entry.entry_id)
    assert result["step_id"] == "settings"
    assert fields(result) == {
        "scan_interval",
        "detail",
        "network",
        "price_entity",
        "power_entity",
        "temperature_entity",
        "pool_fee",
    }
    defaults = {
        str(f): f.default()
        for f in result["data_schema"].schema
        if str(f) in ("scan_interval", "detail")
    }
    assert defaults == {"scan_interval": 30, "detail": "automatic"}
    result = await hass.config_entries.options.async_configure(
        result["flow_id"], {"scan_interval": 300, "detail": "compact"}
    )
    assert result["type"] == "create_entry"
    await hass.async_block_till_done()
    assert entry.options == {"scan_interval": 300, "detail": "compact", "plugs": {}}

    # They are in force at once: fewer entities, and readings less often.
    left = er.async_entries_for_config_entry(entity_registry, entry.entry_id)
    assert 0 < len(left) < shown
    (coordinator,) = fleet_of(hass).coordinators.values()
    assert coordinator.interval == 300
    await settle(hass)
    device.requests = 0
    freezer.tick(timedelta(seconds=100))
    async_fire_time_changed(hass)
    await settle(hass)
    assert device.requests == 0
    freezer.tick(timedelta(seconds=400))
    async_fire_time_changed(hass)
    await settle(hass)
    assert device.requests == 1

    # And they stand there the next time.
    result = await open_settings(hass, entry.entry_id)
    assert suggested(result) == {"scan_interval": 300, "detail": "compact"}


@pytest.mark.parametrize("interval", [4, 601])
async def test_interval_out_of_range(
    hass: HomeAssistant, axe: Axe, add_site: AddSite, interval: int
) -> None:
    entry = await add_site(await axe())
    result = await open_settings(hass, entry.entry_id)
    wrong = {"scan_interval": interval, "detail": "full"}
    with pytest.raises(InvalidData):
        await hass.config_entries.options.async_configure(result["flow_id"], wrong)
    result = await hass.config_entries.options.async_configure(
        result["flow_id"], {"scan_interval": 5, "detail": "full"}
    )
    assert result["type"] == "create_entry"
    await hass.async_block_till_done()
    assert fleet_of(hass).interval == 5


async def test_wrong_server(hass: HomeAssistant, axe: Axe, add_site: AddSite) -> None:
    entry = await add_site(await axe())
    result = await open_settings(hass, entry.entry_id)
    options = {"scan_interval": 30, "detail": "full", "network": "http://not a host/"}
    result = await hass.config_entries.options.async_configure(
        result["flow_id"], options
    )
    assert result["errors"] == {"network": "invalid_url"}
    result = await hass.config_entries.options.async_configure(
        result["flow_id"], {"scan_interval": 30, "detail": "full"}
    )
    assert result["type"] == "create_entry"
    await hass.async_block_till_done()


async def test_plug_measures_a_miner(
    hass: HomeAssistant, axe: Axe, add_site: AddSite
) -> None:
    """Its power counts instead of the miner's own, says so, and can be taken back."""
    entry = await add_site(await axe())
    (coordinator,) = fleet_of(hass).coordinators.values()
    (power,) = [
        s
        for s in hass.states.async_all("sensor")
        if s.entity_id.endswith("_power") and "home" not in s.entity_id
    ]
    own = float(power.state)
    hass.states.async_set("sensor.plug", "0.0312", {"unit_of_measurement": "kW"})

    async def choose(entity_id: str | None) -> None:
        result: Any = await hass.config_entries.options.async_init(entry.entry_id)
        result = await hass.config_entries.options.async_configure(
            result["flow_id"], {"next_step_id": "plug"}
        )
        result = await hass.config_entries.options.async_configure(
            result["flow_id"], {"device": coordinator.id}
        )
        assert result["step_id"] == "plug_device"
        # A site without containers has no sockets.
        assert fields(result) == {"power_entity"}
        result = await hass.config_entries.options.async_configure(
            result["flow_id"], {"power_entity": entity_id} if entity_id else {}
        )
        assert result["type"] == "create_entry"
        await hass.async_block_till_done(wait_background_tasks=True)

    await choose("sensor.plug")
    state = hass.states.get(power.entity_id)
    assert state is not None
    assert float(state.state) == pytest.approx(31.2)
    assert state.attributes["measured_by"] == "sensor.plug"
    (coordinator,) = fleet_of(hass).coordinators.values()
    assert coordinator.data is not None
    assert coordinator.data.hashrate is not None
    assert coordinator.data.efficiency == pytest.approx(
        31.2 / coordinator.data.hashrate, abs=0.01
    )
    hass.states.async_set("sensor.plug", "unavailable")
    await coordinator.async_refresh()
    state = hass.states.get(power.entity_id)
    assert state is not None
    assert state.state == "unknown"

    await choose(None)
    state = hass.states.get(power.entity_id)
    assert state is not None
    assert float(state.state) == pytest.approx(own, rel=0.5)
    assert "measured_by" not in state.attributes


async def test_plug_without_miners(hass: HomeAssistant, add_site: AddSite) -> None:
    entry = await add_site()
    result: Any = await hass.config_entries.options.async_init(entry.entry_id)
    result = await hass.config_entries.options.async_configure(
        result["flow_id"], {"next_step_id": "plug"}
    )
    assert result["type"] == "abort"
    assert result["reason"] == "no_devices"


async def test_temperature_of_the_site(
    hass: HomeAssistant, axe: Axe, add_site: AddSite
) -> None:
    hass.states.async_set("sensor.room", "77", {"unit_of_measurement": "°F"})
    await add_site(await axe(), options={"temperature_entity": "sensor.room"})
    state = hass.states.get("sensor.home_inlet_temperature")
    assert state is not None
    assert float(state.state) == pytest.approx(25)
    hass.states.async_set("sensor.room", "12.5", {"unit_of_measurement": "°C"})
    await settle(hass)
    state = hass.states.get("sensor.home_inlet_temperature")
    assert state is not None
    assert float(state.state) == pytest.approx(12.5)

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

    result: Any = await hass.config_entries.options.async_init(entry.entry_id)
    assert result["step_id"] == "init"
    assert fields(result) == {
        "scan_interval",
        "detail",
        "network",
        "price_entity",
        "power_entity",
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
    assert entry.options == {"scan_interval": 300, "detail": "compact"}

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
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert suggested(result) == {"scan_interval": 300, "detail": "compact"}


@pytest.mark.parametrize("interval", [4, 601])
async def test_interval_out_of_range(
    hass: HomeAssistant, axe: Axe, add_site: AddSite, interval: int
) -> None:
    entry = await add_site(await axe())
    result = await hass.config_entries.options.async_init(entry.entry_id)
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
    result: Any = await hass.config_entries.options.async_init(entry.entry_id)
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

"""Meters, sensors and containers that a search or an address leads to."""

from unittest.mock import patch

from homeassistant.core import HomeAssistant
from homeassistant.requirements import RequirementsNotFound
import pytest

from tests.conftest import Simulate
from tests.integration.attached import attached_data, only
from tests.integration.conftest import AddSite, Axe, Fake
from tests.integration.flows import (
    begin,
    fill,
    id_of,
    options,
    records_of,
    search,
    settle,
    sites,
    state,
)
from tests.simulators.antspace import SimulatedAntspace
from tests.simulators.base import Trouble
from tests.simulators.modbus import SimulatedMeter
from tests.simulators.shelly import SimulatedShelly

METER = "schneider-iem3xxx"
BRING = "custom_components.miningsdk.found.async_get_integration_with_requirements"


async def test_a_search_offers_a_meter_beside_miners(
    hass: HomeAssistant, simulate: Simulate, axe: Axe
) -> None:
    meter = await simulate(SimulatedMeter, driver=METER)
    miner = await axe()
    result = await search(hass, meter.address, miner.address)
    listed = options(result, "devices")
    assert len(listed) == 2
    result = await fill(hass, result, devices=list(listed))
    assert result["type"] == "create_entry"
    (entry,) = sites(hass)
    assert only(entry).subentry_type == "meter"
    assert only(entry).data == {"driver": METER, "host": meter.address, "unit": 1}
    await settle(hass)
    assert set(records_of(hass)) == {id_of(miner)}
    (name,) = [n for n in hass.states.async_entity_ids("sensor") if "iem3255" in n][:1]
    assert state(hass, name) not in {"unknown", "unavailable"}


async def test_what_is_found_joins_a_site(
    hass: HomeAssistant, simulate: Simulate, add_site: AddSite
) -> None:
    """And is not offered a second time."""
    container = await simulate(SimulatedAntspace)
    entry = await add_site()
    result = await search(hass, container.address)
    result = await fill(hass, result, devices=list(options(result, "devices")))
    assert result["step_id"] == "site"
    result = await fill(hass, result, site=entry.entry_id)
    assert result["reason"] == "joined"
    assert only(entry).title in result["description_placeholders"]["names"]
    await settle(hass)
    assert [a.available for a in entry.runtime_data.attached.values()] == [True]
    assert (await search(hass, container.address))["step_id"] == "nothing"
    result = await fill(hass, await begin(hass, "address"), host=container.address)
    assert result["reason"] == "already_added"


async def test_what_has_an_account_is_not_offered_again(
    hass: HomeAssistant, simulate: Simulate, add_site: AddSite
) -> None:
    """A search tells only where it is."""
    container = await simulate(SimulatedAntspace)
    data = {"driver": "antspace", "host": container.address, "username": "admin"}
    await add_site(subentries=(attached_data("container", **data),))
    assert (await search(hass, container.address))["step_id"] == "nothing"


async def test_a_meter_by_its_address(hass: HomeAssistant, simulate: Simulate) -> None:
    meter = await simulate(SimulatedMeter, driver=METER)
    result = await fill(hass, await begin(hass, "address"), host=meter.address)
    assert result["type"] == "create_entry"
    (entry,) = sites(hass)
    assert only(entry).data["driver"] == METER


async def test_a_meter_that_cannot_be_read_is_not_kept(
    hass: HomeAssistant, simulate: Simulate
) -> None:
    """It tells who it is and no more; the form says so, and can be sent again."""
    container = await simulate(SimulatedAntspace)
    result = await search(hass, container.address)
    chosen = list(options(result, "devices"))
    container.trouble = Trouble.GARBAGE
    result = await fill(hass, result, devices=chosen)
    assert result["step_id"] == "pick"
    assert result["errors"] == {"base": "invalid_reply"}
    assert not sites(hass)
    container.trouble = Trouble.NONE
    result = await fill(hass, result, devices=chosen)
    assert result["type"] == "create_entry"


async def test_a_search_leaves_out_what_has_an_integration_of_its_own(
    hass: HomeAssistant, simulate: Simulate
) -> None:
    """By its address it can be added all the same."""
    plug = await simulate(SimulatedShelly)
    assert (await search(hass, plug.address))["step_id"] == "nothing"
    result = await fill(hass, await begin(hass, "address"), host=plug.address)
    assert result["type"] == "create_entry"


async def test_a_range_leaves_out_what_is_no_miner(
    hass: HomeAssistant, fake: Fake
) -> None:
    meter = await fake(firmware="meter")
    await fill(hass, await begin(hass, "range"), targets=meter.host)
    await settle(hass)
    (entry,) = sites(hass)
    assert not entry.runtime_data.inventory.records
    assert only(entry).subentry_type == "range"


async def test_a_search_goes_without_modbus(
    hass: HomeAssistant, axe: Axe, caplog: pytest.LogCaptureFixture
) -> None:
    """Where Home Assistant cannot bring it, the miners are found."""
    miner = await axe()
    missing = RequirementsNotFound("modbus", ["modbus-connection"])
    with patch(BRING, side_effect=missing):
        result = await search(hass, miner.address)
    assert list(options(result, "devices")) == [id_of(miner)]
    assert "Meters on Modbus are not looked for" in caplog.text

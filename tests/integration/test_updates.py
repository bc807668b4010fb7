"""What is added to a running site, and what it is set up anew for."""

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
import pytest

from custom_components.miningsdk.flow_range import async_subentry
from tests.conftest import Simulate
from tests.integration.attached import attached_data, only
from tests.integration.conftest import AddSite, Axe
from tests.integration.flows import id_of, range_data, records_of, settle, state
from tests.simulators.modbus import SimulatedMeter

METER = "eastron-sdm630"


def add(hass: HomeAssistant, entry: ConfigEntry, data: object) -> None:
    subentry = async_subentry(data)  # type: ignore[arg-type]
    hass.config_entries.async_add_subentry(entry, subentry)


async def test_a_new_meter_joins_without_a_reload(
    hass: HomeAssistant, add_site: AddSite, axe: Axe, simulate: Simulate
) -> None:
    """The miners are not bothered."""
    meter = await simulate(SimulatedMeter)
    entry = await add_site(await axe())
    fleet = entry.runtime_data
    (miner,) = fleet.coordinators.values()
    data = attached_data("meter", driver=METER, host=meter.address, unit=1)
    add(hass, entry, data)
    await settle(hass)
    assert entry.runtime_data is fleet
    assert list(fleet.coordinators.values()) == [miner]
    assert float(state(hass, "sensor.box_power")) > 0


async def test_two_at_once_join_both(
    hass: HomeAssistant, add_site: AddSite, simulate: Simulate
) -> None:
    meters = [await simulate(SimulatedMeter), await simulate(SimulatedMeter)]
    entry = await add_site()
    fleet = entry.runtime_data
    for number, meter in enumerate(meters):
        title = f"Box {number}"
        add(
            hass,
            entry,
            attached_data("meter", title, driver=METER, host=meter.address, unit=1),
        )
    await settle(hass)
    assert entry.runtime_data is fleet
    assert sorted(a.name for a in fleet.attached.values()) == ["Box 0", "Box 1"]
    assert all(a.available for a in fleet.attached.values())


async def test_a_new_range_is_searched_at_once(
    hass: HomeAssistant, add_site: AddSite, axe: Axe
) -> None:
    """Without a reload, and with what the other ranges are at going on."""
    first, second = await axe(), await axe()
    entry = await add_site(subentries=(range_data(first.address),))
    await settle(hass)
    fleet = entry.runtime_data
    add(hass, entry, range_data(second.address))
    await settle(hass)
    assert entry.runtime_data is fleet
    assert set(records_of(hass)) == {id_of(first), id_of(second)}


async def test_a_reload_ends_what_is_being_added(
    hass: HomeAssistant,
    add_site: AddSite,
    simulate: Simulate,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It begins again with the site; nothing is added twice, or to what is gone."""
    meter = await simulate(SimulatedMeter)
    entry = await add_site()
    fleet = entry.runtime_data
    data = attached_data("meter", driver=METER, host=meter.address, unit=1)
    add(hass, entry, data)
    # While it is read for the first time.
    meter.delay = 0.5
    hass.config_entries.async_update_entry(entry, title="Hall")
    await settle(hass)
    assert entry.runtime_data is not fleet
    assert float(state(hass, "sensor.box_power")) > 0
    assert "unique IDs" not in caplog.text
    (coordinator,) = entry.runtime_data.attached.values()
    assert coordinator.available
    assert fleet.attached.keys() <= {coordinator.id}


@pytest.mark.parametrize("change", ["title", "options", "removed", "changed"])
async def test_anything_else_sets_it_up_anew(
    hass: HomeAssistant, add_site: AddSite, simulate: Simulate, change: str
) -> None:
    meter = await simulate(SimulatedMeter)
    data = {"driver": METER, "host": meter.address, "unit": 1}
    entry = await add_site(subentries=(attached_data("meter", **data),))
    fleet, entries = entry.runtime_data, hass.config_entries
    if change == "title":
        entries.async_update_entry(entry, title="Hall")
    elif change == "options":
        entries.async_update_entry(entry, options={"scan_interval": 60})
    elif change == "removed":
        entries.async_remove_subentry(entry, only(entry).subentry_id)
    else:
        entries.async_update_subentry(entry, only(entry), data={**data, "invert": True})
    await settle(hass)
    assert entry.runtime_data is not fleet
    assert len(entry.runtime_data.attached) == (change != "removed")

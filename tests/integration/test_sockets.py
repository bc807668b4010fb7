"""Miners in sockets of containers: which one, and what is measured there."""

from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, State
from homeassistant.data_entry_flow import InvalidData
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from tests.integration.attached import attached_data, coordinator_of, only
from tests.integration.conftest import AddSite
from tests.integration.fixtures_fleet import (
    UNREACHABLE,
    MakeScript,
    Script,
    entity_id,
    script_fixture,  # noqa: F401
)
from tests.integration.flows import fields, options, settle, suggested
from tests.integration.scripted_container import (
    MakeRack,
    RackScript,
    rack_fixture,  # noqa: F401
)
from tests.integration.test_membership import by_title, parent, totals


async def open_plug(hass: HomeAssistant, entry: ConfigEntry, miner: str) -> Any:
    """Open the form for what a miner is plugged into."""
    flows = hass.config_entries.options
    result: Any = await flows.async_init(entry.entry_id)
    result = await flows.async_configure(result["flow_id"], {"next_step_id": "plug"})
    assert fields(result) == {"device"}
    result = await flows.async_configure(result["flow_id"], {"device": miner})
    assert result["step_id"] == "plug_device"
    return result


async def fill(hass: HomeAssistant, result: Any, **given: Any) -> Any:
    result = await hass.config_entries.options.async_configure(result["flow_id"], given)
    await settle(hass)
    return result


def value(entry: ConfigEntry, index: int, title: str = "Box") -> str:
    return f"{by_title(entry, title).subentry_id}:{index}"


def power(hass: HomeAssistant, miner: str = "SN0001") -> State:
    state = hass.states.get(entity_id(hass, "sensor", miner, "power"))
    assert state is not None
    return state


async def plugged(
    hass: HomeAssistant,
    add_site: AddSite,
    miner: Script,
    box: RackScript,
    driver: str = "rack",
) -> MockConfigEntry:
    """Set up a site with a miner in the second socket of a container."""
    data = attached_data("container", driver=driver, host=box.host)
    entry = await add_site(miner.record, subentries=(data,))
    result = await open_plug(hass, entry, "SN0001")
    result = await fill(hass, result, socket=value(entry, 2))
    assert result["type"] == "create_entry"
    return entry


async def test_a_socket_measures_its_miner(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript, rack: MakeRack
) -> None:
    """It says so, hangs on the container, and can be taken out again."""
    miner, box = script(), rack()
    data = attached_data("container", driver="rack", host=box.host)
    entry = await add_site(miner.record, subentries=(data,))
    assert float(power(hass).state) == 3000.0
    result = await open_plug(hass, entry, "SN0001")
    assert fields(result) == {"power_entity", "socket"}
    assert result["description_placeholders"]["name"] == "Acme A1 0001"
    assert suggested(result) == {}
    labels = options(result, "socket")
    assert labels == {value(entry, n): f"Box: A-{n}" for n in range(1, 5)}
    result = await fill(hass, result, socket=value(entry, 2))
    assert result["type"] == "create_entry"
    place = {"container": only(entry).subentry_id, "socket": 2}
    assert entry.options["sockets"] == {"SN0001": place}

    assert float(power(hass).state) == 3200.0
    assert power(hass).attributes["measured_by"] == "Box: A-2"
    stats = entry.runtime_data.coordinators["SN0001"].data
    assert stats.efficiency == 32.0
    assert parent(hass, entry, 1) == "Box"
    assert totals(entry, "Box") == [1, 1]
    assert coordinator_of(entry).totals.power == 3200.0
    problem = hass.states.get(entity_id(hass, "binary_sensor", "SN0001", "problem"))
    assert problem is not None
    assert problem.attributes["socket"] == "Box: A-2"

    result = await open_plug(hass, entry, "SN0001")
    assert suggested(result) == {"socket": value(entry, 2)}
    result = await fill(hass, result)
    assert entry.options["sockets"] == {}
    assert float(power(hass).state) == 3000.0
    assert "measured_by" not in power(hass).attributes
    assert parent(hass, entry, 1) == "Home"


async def test_the_power_follows_the_container(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript, rack: MakeRack
) -> None:
    """Between the readings of the miner too; a silent container makes it unknown."""
    miner, box = script(), rack()
    entry = await plugged(hass, add_site, miner, box)
    reads = miner.reads
    box.say(2, power=3456.0)
    await coordinator_of(entry).async_refresh()
    assert float(power(hass).state) == 3456.0
    box.say(2, power=None)
    await coordinator_of(entry).async_refresh()
    assert power(hass).state == "unknown"
    box.say(2, power=3500.0)
    await coordinator_of(entry).async_refresh()
    assert float(power(hass).state) == 3500.0
    box.error = UNREACHABLE
    await coordinator_of(entry).async_refresh()
    # Neither its last word nor what the miner thinks.
    assert power(hass).state == "unknown"
    assert power(hass).attributes["measured_by"] == "Box: A-2"
    assert miner.reads == reads
    box.error = None
    await coordinator_of(entry).async_refresh()
    assert float(power(hass).state) == 3500.0
    miner.error = UNREACHABLE
    await entry.runtime_data.coordinators["SN0001"].async_refresh()
    await coordinator_of(entry).async_refresh()
    assert power(hass).state == "unavailable"


async def test_after_a_restart(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript, rack: MakeRack
) -> None:
    """Also when the container comes later than the miner."""
    miner, box = script(), rack()
    entry = await plugged(hass, add_site, miner, box)
    assert await hass.config_entries.async_unload(entry.entry_id)
    box.error = UNREACHABLE
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)
    assert parent(hass, entry, 1) == "Box"
    # It has not told the label of the socket yet.
    assert power(hass).attributes["measured_by"] == "Box: Socket 3"
    assert power(hass).state == "unknown"
    result = await open_plug(hass, entry, "SN0001")
    assert options(result, "socket") == {value(entry, 2): "Box: Socket 3"}
    assert suggested(result) == {"socket": value(entry, 2)}
    box.error = None
    await coordinator_of(entry).async_refresh()
    assert float(power(hass).state) == 3200.0


async def test_a_socket_that_does_not_measure(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript, rack: MakeRack
) -> None:
    """The miner is where it is, and measures itself."""
    entry = await plugged(hass, add_site, script(), rack(), "plain-rack")
    assert parent(hass, entry, 1) == "Box"
    assert totals(entry, "Box") == [1, 1]
    assert float(power(hass).state) == 3000.0
    assert "measured_by" not in power(hass).attributes
    problem = hass.states.get(entity_id(hass, "binary_sensor", "SN0001", "problem"))
    assert problem is not None
    assert problem.attributes["socket"] == "Box: A-2"


async def test_an_entity_measures_rather_than_the_socket(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript, rack: MakeRack
) -> None:
    """It was named for that; the miner belongs to the container all the same."""
    hass.states.async_set("sensor.plug", "2900", {"unit_of_measurement": "W"})
    entry = await plugged(hass, add_site, script(), rack())
    result = await open_plug(hass, entry, "SN0001")
    await fill(hass, result, power_entity="sensor.plug", socket=value(entry, 2))
    assert float(power(hass).state) == 2900.0
    assert power(hass).attributes["measured_by"] == "sensor.plug"
    assert parent(hass, entry, 1) == "Box"
    result = await open_plug(hass, entry, "SN0001")
    now = {"power_entity": "sensor.plug", "socket": value(entry, 2)}
    assert suggested(result) == now


async def test_a_miner_does_not_measure_itself(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript, rack: MakeRack
) -> None:
    """Its own power would be what it was before, for ever."""
    entry = await plugged(hass, add_site, script(), rack())
    result = await open_plug(hass, entry, "SN0001")
    with pytest.raises(InvalidData):
        await fill(
            hass, result, power_entity=entity_id(hass, "sensor", "SN0001", "power")
        )


async def test_one_miner_a_socket(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript, rack: MakeRack
) -> None:
    """The form says who is in it; another one is free."""
    miners, box = [script(), script()], rack()
    data = attached_data("container", driver="rack", host=box.host)
    entry = await add_site(*(m.record for m in miners), subentries=(data,))
    result = await open_plug(hass, entry, "SN0001")
    await fill(hass, result, socket=value(entry, 1))
    result = await open_plug(hass, entry, "SN0002")
    result = await fill(hass, result, socket=value(entry, 1))
    assert result["errors"] == {"socket": "socket_taken"}
    assert result["description_placeholders"]["other"] == "Acme A1 0001"
    assert suggested(result) == {"socket": value(entry, 1)}
    result = await fill(hass, result, socket=value(entry, 3))
    assert result["type"] == "create_entry"
    assert [float(power(hass, f"SN000{n}").state) for n in (1, 2)] == [3100.0, 3300.0]
    # Its own socket is not taken.
    result = await open_plug(hass, entry, "SN0002")
    result = await fill(hass, result, socket=value(entry, 3))
    assert result["type"] == "create_entry"


async def test_a_miner_that_was_chosen_for_another_container(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript, rack: MakeRack
) -> None:
    """It is taken out there first; the sockets of its own container are open to it."""
    entry = await add_site(
        script().record,
        subentries=(
            attached_data(
                "container",
                "Mine",
                driver="rack",
                host=rack(2).host,
                devices=["SN0001"],
            ),
            attached_data("container", "Other", driver="rack", host=rack(2).host),
        ),
    )
    result = await open_plug(hass, entry, "SN0001")
    assert len(options(result, "socket")) == 4
    result = await fill(hass, result, socket=value(entry, 1, "Other"))
    assert result["errors"] == {"socket": "in_another_container"}
    assert result["description_placeholders"]["container"] == "Mine"
    result = await fill(hass, result, socket=value(entry, 1, "Mine"))
    assert result["type"] == "create_entry"
    assert parent(hass, entry, 1) == "Mine"
    assert totals(entry, "Mine", "Other") == [1, 0, 1]


async def test_the_site_stops_meanwhile(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript, rack: MakeRack
) -> None:
    """Or the miner is deleted: there is nothing left to plug in."""
    entry = await plugged(hass, add_site, script(), rack())
    open_forms = [await open_plug(hass, entry, "SN0001") for _ in range(2)]
    await entry.runtime_data.async_remove("SN0001")
    result = await fill(hass, open_forms[0], socket=value(entry, 1))
    assert (result["type"], result["reason"]) == ("abort", "no_devices")
    assert await hass.config_entries.async_unload(entry.entry_id)
    result = await fill(hass, open_forms[1], socket=value(entry, 1))
    assert (result["type"], result["reason"]) == ("abort", "no_devices")


async def test_settings_keep_what_is_plugged_in(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript, rack: MakeRack
) -> None:
    """They are another form of the same options."""
    hass.states.async_set("sensor.plug", "2900", {"unit_of_measurement": "W"})
    entry = await plugged(hass, add_site, script(), rack())
    result = await open_plug(hass, entry, "SN0001")
    await fill(hass, result, power_entity="sensor.plug", socket=value(entry, 2))
    before = {key: entry.options[key] for key in ("plugs", "sockets")}
    flows = hass.config_entries.options
    result = await flows.async_init(entry.entry_id)
    result = await flows.async_configure(
        result["flow_id"], {"next_step_id": "settings"}
    )
    await fill(hass, result, scan_interval=60, detail="full")
    assert entry.options == {"scan_interval": 60, "detail": "full", **before}


async def test_diagnostics_show_the_socket(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    add_site: AddSite,
    script: MakeScript,
    rack: MakeRack,
) -> None:
    """And not the serial numbers by which the options are kept."""
    miner, box = script(mac="02:00:00:aa:bb:cc"), rack()
    data = attached_data("container", driver="rack", host=box.host, devices=["SN0001"])
    entry = await add_site(miner.record, subentries=(data,))
    result = await open_plug(hass, entry, "SN0001")
    await fill(hass, result, socket=value(entry, 2))
    told: Any = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    (device,) = told["devices"]
    assert device["measured_by"] == "socket"
    assert device["socket"]["container"] == "rack"
    assert device["socket"]["index"] == 2
    assert device["socket"]["power"] == 3200.0
    assert told["options"]["sockets"] == [
        {"container": only(entry).subentry_id, "socket": 2}
    ]
    assert told["attached"][0]["configured"]["devices"] == "**REDACTED**"
    assert "SN0001" not in str(told)
    hass.states.async_set("sensor.plug", "2900", {"unit_of_measurement": "W"})
    result = await open_plug(hass, entry, "SN0001")
    await fill(hass, result, power_entity="sensor.plug", socket=value(entry, 2))
    told = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert told["devices"][0]["measured_by"] == "sensor.plug"
    assert told["options"]["plugs"] == ["sensor.plug"]
    assert "SN0001" not in str(told)

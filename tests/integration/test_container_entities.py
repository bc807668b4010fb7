"""What of a container comes and goes with its options, and what others measure."""

from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, State
from homeassistant.data_entry_flow import InvalidData
from homeassistant.helpers import entity_registry as er
import pytest

from custom_components.miningsdk.controls_attached import MOST_SOCKETS
from tests.conftest import Simulate
from tests.integration.attached import (
    attached_data,
    begin_add,
    begin_change,
    coordinator_of,
    entity_of,
    fill,
    only,
)
from tests.integration.conftest import AddSite
from tests.integration.fixtures_fleet import UNREACHABLE
from tests.integration.flows import settle, suggested
from tests.integration.scripted_container import (
    MakeRack,
    rack_fixture,  # noqa: F401
)
from tests.simulators.antspace import SimulatedAntspace
from tests.simulators.microbt_container import SimulatedMicroBt

MEASURED = {
    "power_entity": "sensor.meter",
    "temperature_entity": "sensor.inlet",
    "room_entity": "sensor.room",
}


def keys(hass: HomeAssistant, entry: ConfigEntry) -> set[tuple[str, str]]:
    """Return platform and key of all entities of the only device."""
    prefix = f"{only(entry).subentry_id}_"
    return {
        (found.domain, found.unique_id.removeprefix(prefix))
        for found in er.async_entries_for_device(
            er.async_get(hass),
            coordinator_of(entry).device_id,
            include_disabled_entities=True,
        )
    }


def shown(hass: HomeAssistant, entry: ConfigEntry, key: str) -> State:
    state = hass.states.get(entity_of(hass, entry, "sensor", key) or "")
    assert state is not None, key
    return state


@pytest.fixture
def around(hass: HomeAssistant) -> None:
    """Measure around a container, in units of other countries."""
    hass.states.async_set("sensor.meter", "412.5", {"unit_of_measurement": "kW"})
    hass.states.async_set("sensor.inlet", "77", {"unit_of_measurement": "°F"})
    hass.states.async_set("sensor.room", "31.5", {"unit_of_measurement": "°C"})


# What other integrations measure.


@pytest.mark.usefixtures("around")
async def test_entities_of_others(
    hass: HomeAssistant, add_site: AddSite, rack: MakeRack
) -> None:
    """They are named in the form, shown as the container's, and followed."""
    box = rack()
    entry = await add_site()
    result = await begin_add(hass, entry, "container", "rack")
    result = await fill(hass, result, host=box.host, **MEASURED)
    assert result["type"] == "create_entry", result
    await settle(hass)
    hass.config_entries.async_update_subentry(entry, only(entry), title="Box")
    await settle(hass)
    expected = {"power_measured": 412_500, "temperature_inlet": 25}
    for key, value in {**expected, "temperature_room": 31.5}.items():
        assert float(shown(hass, entry, key).state) == pytest.approx(value)
    assert shown(hass, entry, "power_measured").attributes["measured_by"] == (
        "sensor.meter"
    )
    names = {shown(hass, entry, key).name for key in (*expected, "temperature_room")}
    assert names == {"Box Power", "Box Inlet temperature", "Box Room temperature"}

    # Whether the container answers or not.
    box.error = UNREACHABLE
    await coordinator_of(entry).async_refresh()
    hass.states.async_set("sensor.room", "28", {"unit_of_measurement": "°C"})
    hass.states.async_set("sensor.meter", "unavailable")
    await settle(hass)
    assert float(shown(hass, entry, "temperature_room").state) == 28
    assert shown(hass, entry, "power_measured").state == "unknown"
    assert shown(hass, entry, "status").state == "unavailable"


@pytest.mark.usefixtures("around")
async def test_a_meter_of_the_container_replaces_its_own(
    hass: HomeAssistant, add_site: AddSite, simulate: Simulate
) -> None:
    """And the other way round when it is taken away; there is one power at a time."""
    box = await simulate(SimulatedMicroBt, alive=False, pdus=1)
    account = {"username": "admin", "password": "geheim"}
    data = {"driver": "microbt-kehua", "host": box.address, **account}
    entry = await add_site(subentries=(attached_data("container", **data),))
    assert ("sensor", "power") in keys(hass, entry)
    entity_id = entity_of(hass, entry, "sensor", "power")
    result = await begin_change(hass, entry, only(entry))
    assert not set(MEASURED) & set(suggested(result))
    form: dict[str, Any] = {"host": box.address, "username": "admin"}
    result = await fill(hass, result, **form, power_entity="sensor.meter")
    assert result["reason"] == "reconfigure_successful"
    await settle(hass)
    assert ("sensor", "power") not in keys(hass, entry)
    # The same entity to all who look at it.
    assert entity_of(hass, entry, "sensor", "power_measured") == entity_id
    assert float(shown(hass, entry, "power_measured").state) == 412_500

    result = await begin_change(hass, entry, only(entry))
    assert suggested(result)["power_entity"] == "sensor.meter"
    result = await fill(hass, result, **form)
    await settle(hass)
    assert ("sensor", "power_measured") not in keys(hass, entry)
    assert entity_of(hass, entry, "sensor", "power") == entity_id


async def test_a_container_does_not_measure_itself(
    hass: HomeAssistant, add_site: AddSite, simulate: Simulate
) -> None:
    """Its own entities are no choice; a miner's or a meter's would be."""
    box = await simulate(SimulatedAntspace)
    data = attached_data("container", driver="antspace", host=box.address)
    entry = await add_site(subentries=(data,))
    own = entity_of(hass, entry, "sensor", "reading_temperature_supply")
    assert own is not None
    result = await begin_change(hass, entry, only(entry))
    with pytest.raises(InvalidData):
        await fill(hass, result, host=box.address, temperature_entity=own)


# What the cooling can be told.


async def test_cooling_that_is_no_longer_allowed(
    hass: HomeAssistant, add_site: AddSite, simulate: Simulate
) -> None:
    """Its controls are gone, not merely unavailable; what is to be read stays."""
    box = await simulate(SimulatedAntspace)
    data = {"driver": "antspace", "host": box.address}
    entry = await add_site(
        subentries=(attached_data("container", **data, allow_cooling=True),)
    )
    (setpoint,) = coordinator_of(entry).data.setpoints  # type: ignore[union-attr]
    (mode,) = next(iter(coordinator_of(entry).device.info.limits.values())).options
    controls = {
        ("switch", "cooling"),
        ("switch", f"actuator_{mode}"),
        ("number", f"setpoint_{setpoint.key}"),
        ("button", "reset_cooling"),
    }
    instead = {
        ("sensor", f"setpoint_{setpoint.key}"),
        ("binary_sensor", f"actuator_{mode}"),
    }
    allowed = keys(hass, entry)
    assert controls <= allowed
    assert not instead & allowed

    async def allow(*, cooling: bool) -> None:
        result = await begin_change(hass, entry, only(entry))
        result = await fill(hass, result, host=box.address, allow_cooling=cooling)
        assert result["reason"] == "reconfigure_successful"
        await settle(hass)

    await allow(cooling=False)
    assert keys(hass, entry) == (allowed - controls) | instead
    await allow(cooling=True)
    assert keys(hass, entry) == allowed


async def test_cooling_that_is_no_longer_allowed_of_a_silent_container(
    hass: HomeAssistant, add_site: AddSite, simulate: Simulate
) -> None:
    """Nothing has to be read for that; alarms and readings stay."""
    box = await simulate(SimulatedAntspace)
    data = {"driver": "antspace", "host": box.address}
    entry = await add_site(
        subentries=(attached_data("container", **data, allow_cooling=True),)
    )
    before = keys(hass, entry)
    await box.stop()
    hass.config_entries.async_update_subentry(
        entry, only(entry), data={**data, "allow_cooling": False}
    )
    await settle(hass)
    gone = before - keys(hass, entry)
    assert {domain for domain, _ in gone} == {"switch", "number", "button"}
    assert not {key for _, key in gone if key.startswith("limit_")}
    assert ("switch", "cooling") in gone


# Sockets.


@pytest.mark.parametrize("sockets", [MOST_SOCKETS, MOST_SOCKETS + 1])
async def test_many_sockets_are_off_by_default(
    hass: HomeAssistant, add_site: AddSite, rack: MakeRack, sockets: int
) -> None:
    """A switch for each is there, and can be enabled."""
    data = attached_data("container", driver="rack", host=rack(sockets).host)
    entry = await add_site(subentries=(data,))
    registry = er.async_get(hass)
    switches = [
        found
        for found in er.async_entries_for_device(
            registry, coordinator_of(entry).device_id, include_disabled_entities=True
        )
        if found.domain == "switch"
    ]
    assert len(switches) == sockets
    off = {found.disabled_by for found in switches}
    enabled = sockets <= MOST_SOCKETS
    assert off == {None if enabled else er.RegistryEntryDisabler.INTEGRATION}


async def test_a_full_container_shows_no_switch_for_each_socket(
    hass: HomeAssistant, add_site: AddSite, simulate: Simulate
) -> None:
    """Of 240 sockets."""
    box = await simulate(SimulatedMicroBt, alive=False)
    account = {"username": "admin", "password": "geheim"}
    data = attached_data(
        "container", driver="microbt-kehua", host=box.address, **account
    )
    await add_site(subentries=(data,))
    registered = er.async_get(hass).entities.values()
    switches = [e for e in registered if e.domain == "switch"]
    assert len(switches) == 240
    assert all(e.disabled_by for e in switches)

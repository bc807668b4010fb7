"""The entities of meters, sensors, containers and pool accounts."""

from collections.abc import AsyncGenerator, Awaitable, Callable
import json
from typing import Any
from unittest.mock import patch

from homeassistant.components.modbus.connection import async_get_connection_info
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import (
    device_registry as dr,
    entity_registry as er,
    issue_registry as ir,
)
from homeassistant.helpers.entity import Entity
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
    get_diagnostics_for_device,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from syrupy.assertion import SnapshotAssertion

from custom_components.miningsdk import async_remove_config_entry_device
from custom_components.miningsdk.const import DOMAIN
from custom_components.miningsdk.sdk.commands import Commanded
from custom_components.miningsdk.sdk.container import Container
from tests.conftest import Simulate
from tests.integration.attached import (
    attached_data,
    coordinator_of,
    entity_of,
    only,
    state_at,
)
from tests.integration.conftest import AddSite
from tests.integration.families import recorded_fixture, table  # noqa: F401
from tests.integration.fixtures_fleet import (
    FROZEN,
    Clock,
    MakeScript,
    clock_fixture,  # noqa: F401
    script_fixture,  # noqa: F401
)
from tests.integration.flows import settle
from tests.simulators.antspace import SimulatedAntspace
from tests.simulators.base import SimulatedDevice
from tests.simulators.microbt_container import SimulatedMicroBt
from tests.simulators.modbus import SimulatedMeter
from tests.simulators.pools import ACCOUNT, KEY, SimulatedOcean, SimulatedViaBTC
from tests.simulators.seneca import SimulatedSeneca
from tests.simulators.shelly import SimulatedShelly

type Attach = Callable[..., Awaitable[MockConfigEntry]]

METER: dict[str, Any] = {"driver": "eastron-sdm630", "unit": 1}
COOLED = {"driver": "antspace", "allow_cooling": True}
KEHUA = {"driver": "microbt-kehua", "username": "admin", "password": "geheim"}


@pytest.fixture(autouse=True)
def prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have commands read back without waits in between, and give up soon."""
    monkeypatch.setattr(Commanded, "confirm_every", 0.01)
    monkeypatch.setattr(Container, "confirm_longer", {})
    monkeypatch.setattr(Commanded, "confirm_within", 0.2)
    monkeypatch.setattr(
        Commanded, "_time_to_confirm", lambda self, _: self.confirm_within
    )


@pytest.fixture
def attach(add_site: AddSite) -> Attach:
    """Return a function that sets up a site with one device configured by hand."""

    async def attach(
        kind: str, device: SimulatedDevice | str, *miners: Any, **data: Any
    ) -> MockConfigEntry:
        host = device if isinstance(device, str) else device.address
        return await add_site(
            *miners, subentries=(attached_data(kind, host=host, **data),)
        )

    return attach


@pytest.fixture
async def all_enabled() -> AsyncGenerator[None]:
    """Enable what is off by default as well."""
    with patch.object(Entity, "entity_registry_enabled_default", new=True):
        yield


async def call(
    hass: HomeAssistant, entry: ConfigEntry, action: str, key: str, **data: Any
) -> None:
    """Run an action on an entity of the only device."""
    domain, _, name = action.partition(".")
    entity_id = entity_of(hass, entry, domain, key)
    assert entity_id is not None, key
    await hass.services.async_call(
        domain, name, {"entity_id": entity_id, **data}, blocking=True
    )


def device_of(hass: HomeAssistant, entry: ConfigEntry) -> dr.DeviceEntry:
    """Return the only device that was configured by hand."""
    device = dr.async_get(hass).async_get(coordinator_of(entry).device_id)
    assert isinstance(device, dr.DeviceEntry)
    return device


def has(hass: HomeAssistant, entry: ConfigEntry, platform: str, key: str) -> bool:
    return entity_of(hass, entry, platform, key) is not None


DEVICES: dict[
    str, tuple[str, type[SimulatedDevice], dict[str, Any], dict[str, Any]]
] = {
    "meter": ("meter", SimulatedMeter, {"alive": False}, METER),
    "seneca": (
        "sensor",
        SimulatedSeneca,
        {"alive": False, "temperatures": (41.3, None, 22.5, -7.4)},
        {"driver": "seneca-z4rtd2", "unit": 1},
    ),
    "antspace": ("container", SimulatedAntspace, {}, COOLED),
    "microbt": ("container", SimulatedMicroBt, {"alive": False, "pdus": 1}, KEHUA),
    "pool": (
        "pool",
        SimulatedViaBTC,
        {"wander": 0.0},
        {"driver": "pool-viabtc", "username": ACCOUNT, "password": KEY},
    ),
}
# What moves in a simulator with the time of day.
_MOVING = {"antspace", "pool"}


@pytest.mark.usefixtures("all_enabled")
@pytest.mark.parametrize("name", DEVICES)
async def test_entities(
    hass: HomeAssistant,
    attach: Attach,
    simulate: Simulate,
    recorded: SnapshotAssertion,
    name: str,
) -> None:
    """All that one device of each kind has, a line each."""
    kind, simulator, options, data = DEVICES[name]
    device = await simulate(simulator, **options)
    if kind == "pool":
        entry = await attach(kind, f"http://{device.address}", **data)
        # Its questions are a second apart; the first reading may still be under way.
        await coordinator_of(entry).async_refresh()
        await hass.async_block_till_done()
    else:
        entry = await attach(kind, device, **data)
    lines = {
        entity: _without_state(line) if name in _MOVING else line
        for entity, line in table(hass, entry.entry_id).items()
        if entity.startswith("Box")
    }
    assert lines == recorded
    assert len(lines) == len(
        er.async_entries_for_device(
            er.async_get(hass),
            coordinator_of(entry).device_id,
            include_disabled_entities=True,
        )
    )


def _without_state(line: str) -> str:
    state, _, rest = line.partition(" ")
    try:
        float(state.rstrip(","))
    except ValueError:
        return "..." if state[:2] == "20" else line
    return f"# {rest}"


async def test_energy_is_fit_for_the_energy_dashboard(
    hass: HomeAssistant, attach: Attach, simulate: Simulate
) -> None:
    """Both ways, in kWh, and never less than before."""
    entry = await attach("meter", await simulate(SimulatedMeter, alive=False), **METER)
    for key, value in (("energy_import", "12345.0"), ("energy_export", "67.0")):
        state = hass.states.get(entity_of(hass, entry, "sensor", key) or "")
        assert state is not None
        assert state.state == value
        assert state.attributes["state_class"] == "total_increasing"
        assert state.attributes["device_class"] == "energy"
        assert state.attributes["unit_of_measurement"] == "kWh"
    assert not has(hass, entry, "sensor", "status")


@FROZEN
async def test_off_at_start(
    hass: HomeAssistant,
    add_site: AddSite,
    simulate: Simulate,
    clock: Clock,
) -> None:
    """The site starts; the entities come with the first reading, and stay."""
    meter = await simulate(SimulatedMeter, alive=False)
    await meter.stop()
    entry = await add_site(
        subentries=(attached_data("meter", host=meter.address, **METER),)
    )
    assert state_at(hass, entry, "binary_sensor", "connectivity") == "off"
    assert not has(hass, entry, "sensor", "power")
    await meter.start()
    await coordinator_of(entry).async_refresh()
    await hass.async_block_till_done()
    assert state_at(hass, entry, "binary_sensor", "connectivity") == "on"
    assert state_at(hass, entry, "sensor", "power") == "10350.0"
    device = device_of(hass, entry)
    assert (device.manufacturer, device.model) == ("Eastron", "SDM630")
    assert device.via_device_id == entry.runtime_data.site_device_id

    await meter.stop()
    await coordinator_of(entry).async_refresh()
    await hass.async_block_till_done()
    assert state_at(hass, entry, "sensor", "power") == "unavailable"
    assert state_at(hass, entry, "binary_sensor", "connectivity") == "off"


async def test_a_state_is_written_when_it_changed(
    hass: HomeAssistant, attach: Attach, simulate: Simulate
) -> None:
    """And not at each reading."""
    meter = await simulate(SimulatedMeter, alive=False)
    entry = await attach("meter", meter, **METER)
    power, voltage = (
        entity_of(hass, entry, "sensor", key) for key in ("power", "energy_import")
    )

    def reported(entity_id: str | None) -> float:
        state = hass.states.get(entity_id or "")
        assert state is not None
        return state.last_reported_timestamp

    before = reported(power), reported(voltage)
    meter.values["power"] = 9000.0
    meter.update()
    await coordinator_of(entry).async_refresh()
    assert state_at(hass, entry, "sensor", "power") == "9000.0"
    assert reported(power) > before[0]
    assert reported(voltage) == before[1]


async def test_few_are_on_by_default(
    hass: HomeAssistant, attach: Attach, simulate: Simulate
) -> None:
    """The rest is there, switched off."""
    entry = await attach("meter", await simulate(SimulatedMeter), **METER)
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    prefix = f"{only(entry).subentry_id}_"
    on = {
        entity.unique_id.removeprefix(prefix)
        for entity in entities
        if entity.unique_id.startswith(prefix) and entity.disabled_by is None
    }
    assert on == {"power", "energy_import", "energy_export", "connectivity", "problem"}


async def test_two_units_share_home_assistants_connection(
    hass: HomeAssistant, add_site: AddSite, simulate: Simulate
) -> None:
    """One gateway, one connection, as long as the site is loaded."""
    gateway = await simulate(SimulatedMeter, unit=1, alive=False)
    gateway.units[2] = gateway.units[1]
    data: dict[str, Any] = {"driver": METER["driver"], "host": gateway.address}
    entry = await add_site(
        subentries=(
            attached_data("meter", "One", unit=1.0, **data),
            attached_data("meter", "Two", unit=2.0, **data),
        )
    )
    for title in ("One", "Two"):
        assert coordinator_of(entry, title).available
    (info,) = async_get_connection_info(hass)
    assert info.connected
    assert info.units == {entry.entry_id: [1, 2]}
    assert (gateway.accepted, gateway.most_connections) == (1, 1)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()
    assert async_get_connection_info(hass) == []


async def test_cooling_only_when_allowed(
    hass: HomeAssistant, attach: Attach, simulate: Simulate
) -> None:
    """Without the option there is nothing to switch, only to read."""
    box = await simulate(SimulatedAntspace)
    entry = await attach("container", box, driver="antspace", allow_cooling=False)
    assert state_at(hass, entry, "sensor", "status") == "running"
    assert not has(hass, entry, "switch", "cooling")
    assert not has(hass, entry, "button", "reset_cooling")
    (setpoint,) = coordinator_of(entry).data.setpoints  # type: ignore[union-attr]
    assert not has(hass, entry, "number", f"setpoint_{setpoint.key}")
    shown = state_at(hass, entry, "sensor", f"setpoint_{setpoint.key}")
    assert float(shown) == box.set_temperature


async def test_cooling(hass: HomeAssistant, attach: Attach, simulate: Simulate) -> None:
    """Each command is done when the container shows it."""
    box = await simulate(SimulatedAntspace, faults=("fan_fault",))
    entry = await attach("container", box, **COOLED)
    assert state_at(hass, entry, "switch", "cooling") == "on"
    await call(hass, entry, "switch.turn_off", "cooling")
    assert box.cooling is False
    assert state_at(hass, entry, "switch", "cooling") == "off"
    await call(hass, entry, "switch.turn_on", "cooling")
    assert state_at(hass, entry, "switch", "cooling") == "on"

    (setpoint,) = coordinator_of(entry).data.setpoints  # type: ignore[union-attr]
    key = f"setpoint_{setpoint.key}"
    await call(hass, entry, "number.set_value", key, value=36.5)
    assert box.set_temperature == 36.5
    assert state_at(hass, entry, "number", key) == "36.5"

    (mode,) = next(iter(coordinator_of(entry).device.info.limits.values())).options
    await call(hass, entry, "switch.turn_on", f"actuator_{mode}")
    assert box.pid is True
    await call(hass, entry, "button.press", "reset_cooling")
    assert not box.faults


async def test_commands_that_fail(
    hass: HomeAssistant, attach: Attach, simulate: Simulate
) -> None:
    """A refusal in the device's own words, a silence, and a device that is gone."""
    box = await simulate(SimulatedAntspace)
    entry = await attach("container", box, **COOLED)
    box.refusal = "ERR_LOCAL_MODE"
    with pytest.raises(HomeAssistantError, match=r"Box did not do it.*ERR_LOCAL_MODE"):
        await call(hass, entry, "switch.turn_off", "cooling")
    box.refusal = ""
    box.stubborn = True
    with pytest.raises(HomeAssistantError, match="not confirmed within") as caught:
        await call(hass, entry, "switch.turn_off", "cooling")
    assert caught.value.translation_key == "command_failed"
    assert state_at(hass, entry, "switch", "cooling") == "on"
    await box.stop()
    with pytest.raises(HomeAssistantError) as caught:
        await call(hass, entry, "switch.turn_off", "cooling")
    assert caught.value.translation_key == "unreachable"
    assert state_at(hass, entry, "switch", "cooling") == "unavailable"


async def test_sockets(hass: HomeAssistant, attach: Attach, simulate: Simulate) -> None:
    """By the names on their labels; they need no option, but the account."""
    box = await simulate(SimulatedMicroBt, pdus=1)
    entry = await attach("container", box, **KEHUA)
    socket = coordinator_of(entry).data.sockets[0]  # type: ignore[union-attr]
    key = f"socket_{socket.index}"
    entity_id = entity_of(hass, entry, "switch", key)
    state = hass.states.get(entity_id or "")
    assert state is not None
    assert state.name == "Box PDU 1 socket 1"
    await call(hass, entry, "switch.turn_off", key)
    assert state_at(hass, entry, "switch", key) == "off"
    await call(hass, entry, "switch.turn_on", key)
    assert state_at(hass, entry, "switch", key) == "on"


async def test_a_refused_account_is_told(
    hass: HomeAssistant, attach: Attach, simulate: Simulate
) -> None:
    """As an issue that goes when the device is taken away, or accepts it."""
    box = await simulate(SimulatedMicroBt, pdus=1)
    entry = await attach("container", box, **{**KEHUA, "password": "wrong"})
    socket = coordinator_of(entry).data.sockets[0]  # type: ignore[union-attr]
    with pytest.raises(HomeAssistantError) as caught:
        await call(hass, entry, "switch.turn_off", f"socket_{socket.index}")
    assert caught.value.translation_key == "authentication_failed"
    issue_id = f"attached_credentials_{only(entry).subentry_id}"
    await coordinator_of(entry).async_refresh()
    # It can be read, but that says nothing of the account.
    assert ir.async_get(hass).async_get_issue(DOMAIN, issue_id) is not None
    hass.config_entries.async_remove_subentry(entry, only(entry).subentry_id)
    await settle(hass)
    assert ir.async_get(hass).async_get_issue(DOMAIN, issue_id) is None
    assert not entry.runtime_data.attached


async def test_an_account_that_is_needed_to_read(
    hass: HomeAssistant, attach: Attach, simulate: Simulate
) -> None:
    """The issue is there from the start, and goes once the account is taken."""
    pool = await simulate(SimulatedViaBTC)
    data = {"driver": "pool-viabtc", "username": ACCOUNT, "password": KEY}
    key, pool.key = pool.key, "another"
    entry = await attach("pool", f"http://{pool.address}", **data)
    issue_id = f"attached_credentials_{only(entry).subentry_id}"
    issues = ir.async_get(hass)
    assert issues.async_get_issue(DOMAIN, issue_id) is not None
    assert state_at(hass, entry, "binary_sensor", "connectivity") == "off"
    pool.key = key
    # A refused key is not sent again before an hour is over, or it was changed.
    await coordinator_of(entry).device.connect()
    await coordinator_of(entry).async_refresh()
    assert issues.async_get_issue(DOMAIN, issue_id) is None
    assert state_at(hass, entry, "binary_sensor", "connectivity") == "on"


async def test_a_plug_that_measures(
    hass: HomeAssistant, attach: Attach, simulate: Simulate
) -> None:
    """Its relay is a switch, out of reach of whoever switches a whole area."""
    plug = await simulate(SimulatedShelly)
    entry = await attach("meter", plug, driver="shelly")
    assert state_at(hass, entry, "switch", "socket_0") == "on"
    await call(hass, entry, "switch.turn_off", "socket_0")
    assert state_at(hass, entry, "switch", "socket_0") == "off"


async def test_thermometers(
    hass: HomeAssistant, attach: Attach, simulate: Simulate
) -> None:
    """Below zero too; a broken one is unknown, and a problem."""
    box = await simulate(
        SimulatedSeneca, alive=False, temperatures=(41.3, None, 22.5, -7.4)
    )
    entry = await attach("sensor", box, driver="seneca-z4rtd2", unit=1)
    shown = [
        state_at(hass, entry, "sensor", f"reading_temperature_{n}") for n in range(1, 5)
    ]
    assert shown == ["41.3", "unknown", "22.5", "-7.4"]
    assert state_at(hass, entry, "binary_sensor", "problem") == "on"
    box.temperatures[1] = 20.0
    box._live()
    await coordinator_of(entry).async_refresh()
    assert state_at(hass, entry, "binary_sensor", "problem") == "off"
    assert state_at(hass, entry, "sensor", "reading_temperature_2") == "20.0"


async def test_pool_account(
    hass: HomeAssistant, attach: Attach, simulate: Simulate
) -> None:
    """Hashrate, workers and bitcoin; the key goes nowhere else."""
    pool = await simulate(SimulatedOcean, wander=0.0)
    entry = await attach(
        "pool", f"http://{pool.address}", driver="pool-ocean", username=ACCOUNT
    )
    # Its questions are a second apart; the first reading may still be under way.
    await coordinator_of(entry).async_refresh()
    await hass.async_block_till_done()
    assert state_at(hass, entry, "sensor", "workers_total") == "3"
    entity_id = entity_of(hass, entry, "sensor", "balance")
    state = hass.states.get(entity_id or "")
    assert state is not None
    assert state.attributes["unit_of_measurement"] == "BTC"
    assert not has(hass, entry, "binary_sensor", "problem")
    found = dr.async_get(hass).async_get(coordinator_of(entry).device_id)
    assert isinstance(found, dr.DeviceEntry)
    assert (found.manufacturer, found.model) == ("OCEAN", "Pool account")


async def test_miners_hang_on_their_container(
    hass: HomeAssistant, attach: Attach, simulate: Simulate, script: MakeScript
) -> None:
    """By address; the container adds them up, also while it is silent itself."""
    box = await simulate(SimulatedAntspace)
    inside, outside = script(), script()
    entry = await attach(
        "container",
        box,
        inside.record,
        outside.record,
        driver="antspace",
        targets=inside.host,
    )
    await settle(hass)
    registry, fleet = dr.async_get(hass), entry.runtime_data
    container_id = coordinator_of(entry).device_id

    def parent(number: int) -> str | None:
        device = registry.async_get_device_by_identifier(
            (DOMAIN, f"SN{number:04d}"), entry.entry_id
        )
        assert device is not None
        return device.via_device_id

    assert parent(1) == container_id
    assert parent(2) == fleet.site_device_id
    fleet._add_up()
    shown = {
        key: state_at(hass, entry, "sensor", f"miners_{key}")
        for key in ("hashrate", "power", "efficiency", "online", "total")
    }
    assert shown == {
        "hashrate": "100.0",
        "power": "3000.0",
        "efficiency": "30.0",
        "online": "1",
        "total": "1",
    }
    assert fleet.totals.total == 2

    await box.stop()
    await coordinator_of(entry).async_refresh()
    inside.say(hashrate=90.0)
    await fleet.coordinators["SN0001"].async_refresh()
    fleet._add_up()
    assert state_at(hass, entry, "sensor", "miners_hashrate") == "90.0"
    assert state_at(hass, entry, "sensor", "status") == "unavailable"


async def test_a_container_of_two_algorithms(
    hass: HomeAssistant, attach: Attach, simulate: Simulate, script: MakeScript
) -> None:
    """It adds up each by itself, in its own unit."""
    box = await simulate(SimulatedAntspace)
    bitcoin, litecoin = script(), script(algorithm="scrypt")
    litecoin.say(hashrate=0.0165, power=3300.0)
    entry = await attach(
        "container",
        box,
        bitcoin.record,
        litecoin.record,
        driver="antspace",
        targets=f"{bitcoin.host}, {litecoin.host}",
    )
    await settle(hass)
    entry.runtime_data._add_up()
    await coordinator_of(entry).async_refresh()
    await settle(hass)
    assert {
        key: state_at(hass, entry, "sensor", f"miners_{key}")
        for key in ("hashrate", "efficiency", "power", "hashrate_scrypt")
    } == {
        "hashrate": "100.0",
        "efficiency": "30.0",
        "power": "6300.0",
        "hashrate_scrypt": "16.5",
    }
    assert state_at(hass, entry, "sensor", "miners_efficiency_scrypt") == "200.0"


async def test_a_miner_that_moves_into_a_container(
    hass: HomeAssistant, attach: Attach, simulate: Simulate, script: MakeScript
) -> None:
    """Hangs on it from then on."""
    box = await simulate(SimulatedAntspace)
    there, miner = script(), script()
    entry = await attach(
        "container", box, miner.record, driver="antspace", targets=there.host
    )
    await settle(hass)
    fleet = entry.runtime_data
    there.be(serial_number=miner.info.serial_number)
    (record,) = fleet.inventory.records.values()
    await fleet.async_move(record, there.host, None)
    device = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, record.id), entry.entry_id
    )
    assert device is not None
    assert device.via_device_id == coordinator_of(entry).device_id
    fleet._add_up()
    assert coordinator_of(entry).totals.total == 1


async def test_a_container_without_addresses_has_no_totals(
    hass: HomeAssistant, attach: Attach, simulate: Simulate
) -> None:
    """They would always be nothing."""
    entry = await attach("container", await simulate(SimulatedAntspace), **COOLED)
    assert not has(hass, entry, "sensor", "miners_hashrate")


async def test_its_device_goes_with_the_subentry(
    hass: HomeAssistant, attach: Attach, simulate: Simulate
) -> None:
    """It cannot be deleted alone."""
    entry = await attach("meter", await simulate(SimulatedMeter), **METER)
    device = device_of(hass, entry)
    assert await async_remove_config_entry_device(hass, entry, device) is False
    hass.config_entries.async_remove_subentry(entry, only(entry).subentry_id)
    await settle(hass)
    assert dr.async_get(hass).async_get(device.id) is None


@pytest.mark.parametrize("name", ["microbt", "pool"])
async def test_diagnostics(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    attach: Attach,
    simulate: Simulate,
    name: str,
) -> None:
    """What it reads is in them, and nothing of where and whose it is."""
    kind, simulator, options, data = DEVICES[name]
    device = await simulate(simulator, **options)
    host = f"http://{device.address}" if kind == "pool" else device.address
    entry = await attach(kind, host, **data)
    own = await get_diagnostics_for_device(
        hass, hass_client, entry, device_of(hass, entry)
    )
    whole = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert whole["attached"] == [own]
    assert own["kind"] == kind
    assert own["info"]["driver"] == data["driver"]
    assert own["available"] is True
    assert own["stats"]
    told = json.dumps(own)
    for secret in (device.host, data["username"], data["password"], "rig1"):
        assert f'"{secret}' not in told
        assert len(secret) < 8 or secret not in told

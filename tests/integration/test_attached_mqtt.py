"""A container over Home Assistant's own MQTT integration and a real broker."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any
from unittest.mock import patch

from homeassistant.components import mqtt
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.miningsdk.sdk.commands import Commanded
from custom_components.miningsdk.sdk.container import Container
from tests.integration.attached import (
    attached_data,
    begin_add,
    coordinator_of,
    fill,
    only,
    state_at,
)
from tests.integration.conftest import AddSite
from tests.integration.fixtures_fleet import (
    MakeScript,
    script_fixture,  # noqa: F401
    state_of,
)
from tests.integration.flows import settle
from tests.integration.test_attached_entities import (
    all_enabled,  # noqa: F401
    call,
)
from tests.integration.test_membership import parent
from tests.simulators.base import Trouble
from tests.simulators.bitdeer import SimulatedBitdeer
from tests.simulators.broker import Broker, mosquitto

pytestmark = pytest.mark.skipif(
    mosquitto() is None, reason="there is no Mosquitto here"
)
DATA: dict[str, Any] = {"driver": "bitdeer-d40", "topic": "C024_D40"}


@pytest.fixture(autouse=True)
def prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have commands read back without waits in between."""
    monkeypatch.setattr(Commanded, "confirm_every", 0.01)
    monkeypatch.setattr(Container, "confirm_longer", {})


@pytest.fixture
async def broker() -> AsyncGenerator[Broker]:
    """Start a broker that asks for a login."""
    async with Broker() as running:
        yield running


@pytest.fixture
async def box(broker: Broker) -> AsyncGenerator[SimulatedBitdeer]:
    """Switch on a container that talks to the broker."""
    device = SimulatedBitdeer(
        broker.host,
        port=broker.port,
        username=broker.username,
        password=broker.password,
        every=0.05,
    )
    await device.start()
    yield device
    await device.stop()


@pytest.fixture
async def home_mqtt(hass: HomeAssistant, broker: Broker) -> AsyncGenerator[None]:
    """Set up the MQTT integration as the user did."""
    entry = MockConfigEntry(
        domain="mqtt",
        data={
            "broker": broker.host,
            "port": broker.port,
            "username": broker.username,
            "password": broker.password,
        },
        version=mqtt.CONFIG_ENTRY_VERSION,
        minor_version=mqtt.CONFIG_ENTRY_MINOR_VERSION,
    )
    entry.add_to_hass(hass)
    # The integration also looks for YAML, of which there is none here.
    with patch("homeassistant.config.load_yaml_config_file", return_value={}):
        assert await hass.config_entries.async_setup(entry.entry_id)
    assert await mqtt.async_wait_for_mqtt_client(hass)
    yield
    await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.usefixtures("home_mqtt", "all_enabled")
async def test_by_home_assistants_own_broker(
    hass: HomeAssistant, add_site: AddSite, box: SimulatedBitdeer
) -> None:
    """Neither address nor login are asked for twice."""
    entry = await add_site()
    result = await begin_add(hass, entry, "container", DATA["driver"])
    result = await fill(hass, result, topic=box.topic, allow_cooling=True)
    assert result["type"] == "create_entry", result
    assert result["title"] == "D40 M56 (C024_D40)"
    await settle(hass)
    assert state_at(hass, entry, "sensor", "status") == "running"
    socket = "socket_101"
    assert state_at(hass, entry, "switch", socket) == "on"
    await call(hass, entry, "switch.turn_off", socket)
    assert state_at(hass, entry, "switch", socket) == "off"
    assert box.sockets[0][0] == "0"
    await call(hass, entry, "switch.turn_off", "cooling")
    assert state_at(hass, entry, "switch", "cooling") == "off"


@pytest.mark.usefixtures("home_mqtt", "all_enabled")
async def test_a_container_that_falls_silent(
    hass: HomeAssistant, add_site: AddSite, box: SimulatedBitdeer
) -> None:
    """It is unavailable, and comes back by itself."""
    entry = await add_site(subentries=(attached_data("container", **DATA),))
    coordinator: Any = coordinator_of(entry)
    # The subscriptions take their time on a busy machine.
    await coordinator.async_refresh()
    assert coordinator.available, coordinator.problem
    coordinator.device.stale_after = 0.0
    box.trouble = Trouble.SILENT
    await coordinator.async_refresh()
    assert not coordinator.available
    assert state_at(hass, entry, "switch", "socket_101") == "unavailable"
    box.trouble = Trouble.NONE
    coordinator.device.stale_after = 30.0
    await coordinator.async_refresh()
    assert coordinator.available


@pytest.mark.usefixtures("home_mqtt")
async def test_a_socket_measures_the_miner_in_it(
    hass: HomeAssistant,
    add_site: AddSite,
    script: MakeScript,
    box: SimulatedBitdeer,
) -> None:
    """As the container publishes it; what its PDU does not tell is unknown."""
    entry = await add_site(
        script().record, subentries=(attached_data("container", **DATA),)
    )
    place = {"container": only(entry).subentry_id, "socket": 101}
    hass.config_entries.async_update_entry(
        entry, options={"sockets": {"SN0001": place}}
    )
    await settle(hass)
    coordinator: Any = coordinator_of(entry)
    await coordinator.async_refresh()
    assert coordinator.available, coordinator.problem
    assert parent(hass, entry, 1) == "Box"
    assert state_of(hass, "sensor", "SN0001", "power") == "7000.0"
    box.sockets[0][0] = "0"
    await until_told(coordinator, box)
    assert state_of(hass, "sensor", "SN0001", "power") == "0.0"
    box.unreadable.add(0)
    await until_told(coordinator, box)
    assert state_of(hass, "sensor", "SN0001", "power") == "unknown"


async def until_told(coordinator: Any, box: SimulatedBitdeer) -> None:
    """Wait until the container has published what it is like now, and read that."""
    await asyncio.sleep(4 * box.every)
    await coordinator.async_refresh()


async def test_with_a_broker_of_its_own(
    hass: HomeAssistant, add_site: AddSite, broker: Broker, box: SimulatedBitdeer
) -> None:
    """A wrong login is told; the right one is kept."""
    entry = await add_site()
    result = await begin_add(hass, entry, "container", DATA["driver"])
    where = {"host": f"{broker.host}:{broker.port}", "topic": box.topic}
    result = await fill(hass, result, **where)
    assert result["errors"] == {"base": "invalid_auth"}
    result = await fill(
        hass, result, **where, username=broker.username, password="wrong"
    )
    assert result["errors"] == {"base": "invalid_auth"}
    result = await fill(
        hass, result, **where, username=broker.username, password=broker.password
    )
    assert result["type"] == "create_entry", result
    await settle(hass)
    assert state_at(hass, entry, "sensor", "status") == "running"

"""The example of docs/drivers.md, installed in Home Assistant as a stranger would."""

from collections.abc import AsyncGenerator
import importlib.util
import json
from pathlib import Path
import sys
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import SOURCE_DHCP, SOURCE_INTEGRATION_DISCOVERY
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.service_info.dhcp import DhcpServiceInfo
import pytest

from custom_components.miningsdk.const import DOMAIN
from custom_components.miningsdk.sdk import registry
from tests import driver_guide
from tests.conftest import OFFSET, loopback_address
from tests.integration.conftest import AddSite
from tests.integration.flows import (
    begin,
    fill,
    open_card,
    records_of,
    search,
    sites,
    state,
)
from tests.integration.strangers import config_folder_fixture, installed  # noqa: F401

PORT = 80 + OFFSET
_INTEGRATION = "custom_components/ember"


@pytest.fixture
async def heater(config_folder: Path) -> AsyncGenerator[Any]:
    """Switch on the simulated Ember of the page's own test."""
    folder = driver_guide.write(config_folder / "own", "ember_miner.py")
    driver_guide.write(folder, "test_ember.py")
    with patch.object(sys, "path", [str(folder), *sys.path]):
        spec = importlib.util.find_spec("test_ember")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    del sys.modules["ember_miner"]
    device = module.SimulatedEmber(loopback_address(), PORT)
    await device.start()
    yield device
    await device.stop()


@pytest.fixture
def integration(hass: HomeAssistant, config_folder: Path) -> Path:
    """Install the integration of the page."""
    names = [name for name in driver_guide.files() if name.startswith(_INTEGRATION)]
    assert len(names) == 3
    driver_guide.write(config_folder, *names)
    folder = driver_guide.write(config_folder / _INTEGRATION, "ember_miner.py")
    installed(hass)
    return folder


@pytest.fixture
def described(config_folder: Path) -> Path:
    """Put the file of the page into the configuration folder."""
    return driver_guide.write(config_folder / DOMAIN / "drivers", "ember.toml")


def address(heater: Any) -> str:
    return f"{heater.host}:{heater.port}"


@pytest.mark.parametrize("way", ["integration", "described"])
async def test_an_ember_in_home_assistant(
    hass: HomeAssistant, heater: Any, way: str, request: pytest.FixtureRequest
) -> None:
    """It is found by a search, has its entities, counts, and does what it is told."""
    request.getfixturevalue(way)
    result = await search(hass, address(heater))
    assert result["step_id"] == "pick"
    result = await fill(hass, result, devices=["EM-100234"])
    assert result["type"] == "create_entry", result
    await hass.async_block_till_done()

    (record,) = records_of(hass).values()
    wanted = "ember" if way == "integration" else "ember-by-data"
    assert record.info.driver == wanted
    assert record.name == "Ember H1 0234"
    for name, value in {
        "sensor.ember_h1_0234_status": "mining",
        "sensor.ember_h1_0234_hashrate": "9.1505",
        "sensor.ember_h1_0234_power": "810.0",
        "sensor.ember_h1_0234_chip_temperature": "61.5",
        "switch.ember_h1_0234_mining": "on",
        "number.ember_h1_0234_power_limit": "850.0",
        "sensor.home_power": "810.0",
        "sensor.home_hashrate": "9.1505",
        "sensor.home_miners_mining": "1",
    }.items():
        assert state(hass, name) == value, name

    number = {"entity_id": "number.ember_h1_0234_power_limit", "value": 500}
    await hass.services.async_call("number", "set_value", number, blocking=True)
    assert heater.limit == 500
    switch = {"entity_id": "switch.ember_h1_0234_mining"}
    await hass.services.async_call("switch", "turn_off", switch, blocking=True)
    assert heater.asleep
    assert state(hass, "switch.ember_h1_0234_mining") == "off"
    assert state(hass, "sensor.ember_h1_0234_status") == "paused"
    await hass.services.async_call("switch", "turn_on", switch, blocking=True)
    assert not heater.asleep

    (entry,) = sites(hass)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert state(hass, "sensor.ember_h1_0234_power") == "460.0"
    assert not [i for i in ir.async_get(hass).issues.values() if i.domain == DOMAIN]


async def test_an_ember_by_its_address(
    hass: HomeAssistant, heater: Any, integration: Path
) -> None:
    """The integration is loaded for the first flow already."""
    result = await fill(hass, await begin(hass, "address"), host=address(heater))
    assert result["type"] == "create_entry", result
    await hass.async_block_till_done()
    assert state(hass, "sensor.ember_h1_0234_status") == "mining"


async def test_an_ember_that_home_assistant_discovers(
    hass: HomeAssistant,
    heater: Any,
    integration: Path,
    add_site: AddSite,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its own flow hands it over, and a card of MiningSDK shows up."""
    manifest = json.loads((integration / "manifest.json").read_text())
    manifest |= {"config_flow": True, "dhcp": [{"hostname": "ember*"}]}
    (integration / "manifest.json").write_text(json.dumps(manifest))
    (integration / "config_flow.py").write_text(driver_guide.flow_example())
    installed(hass)
    await add_site()
    # What asks for an address says nothing of ports, and low ones need privileges.
    find = sys.modules[f"custom_components.{DOMAIN}.config_flow"].find_device

    async def find_moved(hass: HomeAssistant, host: str) -> Any:
        return await find(hass, f"{host}:{PORT}")

    monkeypatch.setattr(
        f"custom_components.{DOMAIN}.config_flow.find_device", find_moved
    )
    told = DhcpServiceInfo(
        ip=heater.host, hostname="ember-1", macaddress="02000000002a"
    )
    result = await hass.config_entries.flow.async_init(
        "ember", context={"source": SOURCE_DHCP}, data=told
    )
    assert (result["type"], result["reason"]) == ("abort", "handed_over")
    await hass.async_block_till_done(wait_background_tasks=True)
    (card,) = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    assert card["context"]["source"] == SOURCE_INTEGRATION_DISCOVERY
    assert card["context"]["title_placeholders"]["name"] == "Ember H1 0234"
    shown = await open_card(hass, card)
    result = await hass.config_entries.flow.async_configure(shown["flow_id"], {})
    assert result["reason"] == "joined"
    await hass.async_block_till_done()
    assert state(hass, "sensor.ember_h1_0234_status") == "mining"
    (record,) = records_of(hass).values()
    assert record.info.mac == "02:00:00:00:00:2a"


async def test_a_discovery_may_name_the_port(
    hass: HomeAssistant, heater: Any, integration: Path
) -> None:
    """As one by mDNS does."""
    result = await hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": SOURCE_INTEGRATION_DISCOVERY},
        data={"host": heater.host, "port": heater.port},
    )
    assert result["step_id"] == "discovered"
    assert registry.get("ember").make == "Ember"

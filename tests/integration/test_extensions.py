"""Drivers that others add to Home Assistant: by an integration, and by files."""

import asyncio
import logging
from pathlib import Path
import sys
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import SOURCE_USER
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED, STATE_UNAVAILABLE
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import (
    device_registry as dr,
    entity_registry as er,
    issue_registry as ir,
)
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.miningsdk import async_remove_config_entry_device, extensions
from custom_components.miningsdk.const import DOMAIN
from custom_components.miningsdk.inventory import Record
from custom_components.miningsdk.sdk import (
    DeviceInfo,
    DeviceKind,
    NotSupported,
    described,
    registry,
)
from tests.integration.attached import attached_data
from tests.integration.conftest import AddSite
from tests.integration.strangers import (
    SETUP,
    Stranger,
    config_folder_fixture,  # noqa: F401
    installed,
    stranger_fixture,  # noqa: F401
)

KILN = """
from custom_components.miningsdk.sdk import driver as sdk


class Kiln(sdk.Miner):
    name = "kiln"
    make = "Kiln"
    default_port = 80

    async def _fetch_info(self):
        return sdk.describe(self.info, model="Kiln 1")

    async def _fetch_stats(self, failed):
        status = sdk.MinerStatus.MINING
        return sdk.MinerStats(status=status, hashrate=2.0, power=50.0, failed=failed)


class KilnMeter(sdk.Meter):
    name = "kiln-meter"
    default_port = 80

    async def _fetch_info(self):
        return self.info

    async def _fetch_stats(self, failed):
        return sdk.MeterStats(power=70.0, failed=failed)

"""
GOOD = f"{KILN}\nDRIVERS = (Kiln, KilnMeter)\n"
FILE = """
name = "clay"
kind = "meter"
protocol = "http"

[ask]
now = "/now"

[stats]
power = "now.watts"
"""


def record(driver: str = "kiln", serial: str = "KILN0001") -> Record:
    """Return a device of a driver that need not be there."""
    info = DeviceInfo(
        kind=DeviceKind.MINER,
        driver=driver,
        host="127.0.0.1",
        make="Kiln",
        model="Kiln 1",
        serial_number=serial,
    )
    return Record.of(info)


def states(hass: HomeAssistant, key: str) -> dict[str, str]:
    """Return what the entities of a device show, by their key."""
    found = {}
    for entity in er.async_get(hass).entities.values():
        if entity.platform == DOMAIN and entity.unique_id.startswith(f"{key}_"):
            state = hass.states.get(entity.entity_id)
            found[entity.unique_id.removeprefix(f"{key}_")] = (
                "" if state is None else state.state
            )
    return found


def issues(hass: HomeAssistant) -> dict[str, dict[str, str]]:
    """Return what is complained about, by the issue's id."""
    return {
        issue.issue_id: dict(issue.translation_placeholders or {})
        for issue in ir.async_get(hass).issues.values()
        if issue.domain == DOMAIN and issue.active
    }


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was logged about drivers, as warnings or worse."""
    return [
        r.getMessage()
        for r in caplog.records
        if r.levelno >= logging.WARNING and r.name.startswith("custom_components")
    ]


async def reload(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()


# Integrations.


async def test_an_installed_integration_brings_its_devices(
    hass: HomeAssistant,
    stranger: Stranger,
    add_site: AddSite,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It depends on this one, so its drivers come after the sites."""
    stranger("kiln", GOOD)
    meter = attached_data("meter", "Main", driver="kiln-meter", host="127.0.0.1")
    entry = await add_site(record(), subentries=(meter,))
    assert "kiln" in hass.config.components
    assert states(hass, "KILN0001")["status"] == "mining"
    assert states(hass, "KILN0001")["power"] == "50.0"
    (subentry_id,) = entry.subentries
    assert states(hass, subentry_id)["power"] == "70.0"
    fleet = entry.runtime_data
    assert (fleet.totals.total, fleet.totals.online, fleet.totals.power) == (1, 1, 50)
    await reload(hass, entry)
    assert states(hass, "KILN0001")["status"] == "mining"
    assert states(hass, subentry_id)["power"] == "70.0"
    assert complaints(caplog) == []
    assert issues(hass) == {}


async def test_an_integration_may_ask_which_drivers_it_has(
    hass: HomeAssistant, stranger: Stranger, add_site: AddSite
) -> None:
    """By a coroutine in place of the list."""
    stranger(
        "kiln",
        f"{KILN}\nasync def async_get_drivers(hass):\n"
        "    return (Kiln,) if hass.is_running else ()\n",
    )
    await add_site(record())
    assert states(hass, "KILN0001")["status"] == "mining"


async def test_an_integration_that_was_there_before(
    hass: HomeAssistant, stranger: Stranger, add_site: AddSite
) -> None:
    """It may get along without MiningSDK, and so be set up first."""
    stranger("kiln", GOOD, dependencies=[], after_dependencies=[DOMAIN])
    assert await async_setup_component(hass, "kiln", {})
    assert DOMAIN not in hass.config.components
    await add_site(record())
    assert states(hass, "KILN0001")["status"] == "mining"


async def test_an_integration_that_comes_by_itself_later(
    hass: HomeAssistant, stranger: Stranger, add_site: AddSite
) -> None:
    """It does not depend on MiningSDK, so it is not loaded for its drivers."""
    stranger("kiln", GOOD, dependencies=[])
    await add_site(record())
    assert "kiln" not in hass.config.components
    assert states(hass, "KILN0001") == {}
    assert await async_setup_component(hass, "kiln", {})
    await hass.async_block_till_done()
    assert states(hass, "KILN0001")["status"] == "mining"


async def test_the_first_search_knows_them(
    hass: HomeAssistant, stranger: Stranger
) -> None:
    """There is no site yet, so nothing has set up MiningSDK before the flow."""
    stranger("kiln", GOOD)
    await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert registry.get("kiln").make == "Kiln"


async def test_one_that_is_set_up_for_its_own_sake_as_well(
    hass: HomeAssistant,
    stranger: Stranger,
    add_site: AddSite,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its drivers are taken once."""
    setup = "calls = []\nasync def async_setup(hass, config):\n"
    stranger("kiln", GOOD, setup=f"{setup}    calls.append(1)\n    return True\n")
    assert await async_setup_component(hass, "kiln", {"kiln": {}})
    await add_site(record())
    assert sys.modules["custom_components.kiln"].calls == [1]
    assert states(hass, "KILN0001")["status"] == "mining"
    assert complaints(caplog) == []


HANGS = """
import asyncio

async def async_get_drivers(hass):
    await asyncio.sleep(3600)
"""
ABSTRACT = """
from custom_components.miningsdk.sdk import driver as sdk

class Half(sdk.Miner):
    name = "half"
    default_port = 80

DRIVERS = (Half,)
"""
BROKEN = {
    "nothing": ("", "has neither DRIVERS nor async_get_drivers"),
    "syntax": ("def", "SyntaxError"),
    "import": ("from custom_components.miningsdk.sdk import nonsense", "nonsense"),
    "missing": ("import a_package_that_is_not_there", "a_package_that_is_not_there"),
    "raises": ("1 / 0", "ZeroDivisionError"),
    "no list": ("DRIVERS = 5", "TypeError"),
    "get raises": ("async def async_get_drivers(hass):\n    1 / 0", "ZeroDivision"),
    "get hangs": (HANGS, "TimeoutError"),
    "no class": ("DRIVERS = ('ember',)", "'ember' is no subclass of"),
    "another class": ("DRIVERS = (int,)", "int is no subclass of"),
    "abstract": (ABSTRACT, "Half does not implement _fetch_info, _fetch_stats"),
    "no name": (
        f"{KILN}\nclass Odd(Kiln):\n    name = 'Odd One'\nDRIVERS = (Odd,)",
        "Odd.name is missing or wrong",
    ),
    "taken name": (
        f"{KILN}\nclass Odd(Kiln):\n    name = 'cgminer'\nDRIVERS = (Odd,)",
        "there is a driver of the name cgminer already",
    ),
}


@pytest.mark.parametrize("module", BROKEN)
async def test_a_broken_integration_harms_nobody_else(
    hass: HomeAssistant,
    stranger: Stranger,
    add_site: AddSite,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    module: str,
) -> None:
    """What is wrong is said once, and where."""
    monkeypatch.setattr(extensions, "_OFFERED_WITHIN", 0.05)
    text, why = BROKEN[module]
    stranger("abroken", text)
    stranger("kiln", GOOD)
    known = {driver.name for driver in registry.drivers()}
    await add_site(record())
    assert states(hass, "KILN0001")["status"] == "mining"
    assert {d.name for d in registry.drivers()} == known | {"kiln", "kiln-meter"}
    own = [r for r in caplog.records if r.name == "custom_components.miningsdk"]
    (said,) = [r for r in own if "the integration abroken" in r.getMessage()]
    shown = said.getMessage()
    if said.exc_info:
        shown += logging.Formatter().formatException(said.exc_info)
    assert why in shown
    assert said.levelno == logging.ERROR


@pytest.mark.parametrize(
    "setup",
    ["1 / 0", SETUP.replace("True", "False")],
    ids=["cannot be imported", "fails"],
)
async def test_an_integration_that_is_not_set_up(
    hass: HomeAssistant,
    stranger: Stranger,
    add_site: AddSite,
    caplog: pytest.LogCaptureFixture,
    setup: str,
) -> None:
    """Its drivers are not used, and the site does without."""
    stranger("kiln", GOOD, setup=setup)
    entry = await add_site(record())
    assert states(hass, "KILN0001") == {}
    assert "The drivers of the integration kiln are not there" in caplog.text
    assert f"driver_missing_{entry.entry_id}_kiln" in issues(hass)


async def test_a_driver_that_cannot_be_made(
    hass: HomeAssistant,
    stranger: Stranger,
    add_site: AddSite,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The rest of the site does without it."""
    init = "\n    def __init__(self, *args, **options):\n        1 / 0\n"
    module = f"{KILN}\nclass Odd(Kiln):\n    name = 'odd'{init}"
    meter = f"class OddMeter(KilnMeter):\n    name = 'odd-meter'{init}"
    drivers = "DRIVERS = (Kiln, Odd, OddMeter)\n"
    stranger("kiln", f"{module}\n{meter}\n{drivers}")
    data = attached_data("meter", "Main", driver="odd-meter", host="127.0.0.1")
    await add_site(record("odd", "ODD00001"), record(), subentries=(data,))
    assert states(hass, "KILN0001")["status"] == "mining"
    assert "Kiln 1 0001 is left out" in caplog.text
    assert "Main is left out" in caplog.text
    assert "ZeroDivisionError" in caplog.text


# A driver that is not there.


async def test_a_device_waits_for_its_driver(
    hass: HomeAssistant,
    stranger: Stranger,
    add_site: AddSite,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The integration was removed: unavailable, with a repair; and back with it."""
    folder = stranger("kiln", GOOD)
    meter = attached_data("meter", "Main", driver="kiln-meter", host="127.0.0.1")
    entry = await add_site(record(), subentries=(meter,))
    (subentry_id,) = entry.subentries
    before = states(hass, "KILN0001")
    assert set(before.values()) != {STATE_UNAVAILABLE}
    kiln, kiln_meter = registry.get("kiln"), registry.get("kiln-meter")
    registry.unregister(kiln)
    registry.unregister(kiln_meter)
    assert folder.exists()

    await reload(hass, entry)
    assert states(hass, "KILN0001") == dict.fromkeys(before, STATE_UNAVAILABLE)
    assert set(states(hass, subentry_id).values()) == {STATE_UNAVAILABLE}
    fleet = entry.runtime_data
    assert "KILN0001" in fleet.inventory.records
    assert (fleet.totals.total, fleet.totals.online) == (1, 0)
    assert issues(hass) == {
        f"driver_missing_{entry.entry_id}_kiln": {
            "driver": "kiln",
            "site": "Home",
            "names": "Kiln 1 0001",
        },
        f"driver_missing_{entry.entry_id}_kiln-meter": {
            "driver": "kiln-meter",
            "site": "Home",
            "names": "Main",
        },
    }
    assert complaints(caplog) == [
        "Kiln 1 0001 is left out: there is no driver named 'kiln'",
        "Main is left out: there is no driver named 'kiln-meter'",
    ]

    # Programs register in whichever thread they are.
    await hass.async_add_executor_job(registry.register, kiln)
    registry.register(kiln_meter)
    await hass.async_block_till_done()
    assert states(hass, "KILN0001") == before
    assert states(hass, subentry_id)["power"] == "70.0"
    assert (fleet.totals.total, fleet.totals.online) == (1, 1)
    assert issues(hass) == {}


async def test_a_driver_of_a_longer_name_is_not_taken_for_another(
    hass: HomeAssistant, config_folder: Path, add_site: AddSite
) -> None:
    """Behind a known name people write the model; a device's driver is exact."""
    entry = await add_site(record("cgminer-kiln"))
    assert entry.runtime_data.coordinators == {}
    assert f"driver_missing_{entry.entry_id}_cgminer-kiln" in issues(hass)


async def test_a_missing_driver_is_told_only_after_the_start(
    hass: HomeAssistant,
    config_folder: Path,
    add_site: AddSite,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Others are still to come before that; and one line tells of all devices."""
    hass.set_state(CoreState.starting)
    records = [record(serial=f"KILN{number:04}") for number in range(12)]
    entry = await add_site(*records)
    assert issues(hass) == {}
    assert complaints(caplog) == []
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await hass.async_block_till_done()
    (issue,) = issues(hass).values()
    assert issue["names"].endswith("Kiln 1 0009 and 2 more")
    (said,) = complaints(caplog)
    assert said.endswith("and 2 more are left out: there is no driver named 'kiln'")
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert issues(hass) == {}


async def test_a_device_that_waits_can_be_deleted(
    hass: HomeAssistant, stranger: Stranger, add_site: AddSite
) -> None:
    """And nobody waits for its driver any more."""
    stranger("kiln", GOOD)
    entry = await add_site(record())
    kiln = registry.get("kiln")
    registry.unregister(kiln)
    await reload(hass, entry)
    device = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, "KILN0001"), entry.entry_id
    )
    assert device is not None
    assert await async_remove_config_entry_device(hass, entry, device)
    assert issues(hass) == {}
    registry.register(kiln)
    await hass.async_block_till_done()
    assert entry.runtime_data.coordinators == {}


async def test_miners_hang_on_a_container_that_comes_late(
    hass: HomeAssistant, stranger: Stranger, add_site: AddSite
) -> None:
    """Its driver is a stranger's; the miners in it are known before."""
    container = """
class Shed(sdk.Container):
    name = "shed"
    default_port = 80

    async def _fetch_info(self):
        return self.info

    async def _fetch_stats(self, failed):
        return sdk.ContainerStats(failed=failed)

"""
    stranger("kiln", f"{KILN}{container}\nDRIVERS = (Kiln, Shed)\n")
    data = attached_data(
        "container", "Shed", driver="shed", host="127.0.0.2", targets="127.0.0.1"
    )
    entry = await add_site(record(), subentries=(data,))
    (subentry_id,) = entry.subentries
    devices = dr.async_get(hass)
    shed, kiln = (
        devices.async_get_device_by_identifier((DOMAIN, key), entry.entry_id)
        for key in (subentry_id, "KILN0001")
    )
    assert shed is not None
    assert kiln is not None
    assert kiln.via_device_id == shed.id


# Files.


async def test_a_file_brings_a_driver(
    hass: HomeAssistant, config_folder: Path, add_site: AddSite
) -> None:
    """It is read at the start, and again when a site is reloaded."""
    entry = await add_site()
    with pytest.raises(NotSupported):
        registry.get("clay")
    folder = config_folder / DOMAIN / "drivers"
    folder.mkdir(parents=True)
    (folder / "clay.toml").write_text(FILE)
    await reload(hass, entry)
    assert registry.get("clay").kind is DeviceKind.METER
    (folder / "clay.toml").unlink()
    await reload(hass, entry)
    with pytest.raises(NotSupported):
        registry.get("clay")


async def test_a_broken_file_is_told_until_it_is_mended(
    hass: HomeAssistant,
    config_folder: Path,
    add_site: AddSite,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """With its line and key; the other files are used."""
    folder = config_folder / DOMAIN / "drivers"
    folder.mkdir(parents=True)
    bad = FILE.replace("power", "powr").replace("clay", "bad")
    (folder / "bad.toml").write_text(f"{bad}\npowerr = 'now.x'\n")
    (folder / "clay.toml").write_text(FILE)
    entry = await add_site()
    assert registry.get("clay")
    assert issues(hass) == {
        "driver_file_bad.toml": {
            "file": "miningsdk/drivers/bad.toml",
            "error": "- `line 10, stats.powr: there is no such key; "
            "do you mean power?`\n"
            "- `line 12, stats.powerr: there is no such key; do you mean power?`",
        }
    }
    (said,) = complaints(caplog)
    assert said.startswith("miningsdk/drivers/bad.toml: line 10, stats.powr: there")
    await reload(hass, entry)
    assert len(complaints(caplog)) == 1, "what is known is not told again"

    (folder / "bad.toml").write_text("name =")
    await reload(hass, entry)
    (issue,) = issues(hass).values()
    assert issue["error"] == "- `line 1: invalid value`"
    (folder / "bad.toml").write_text(FILE.replace("clay", "bad"))
    await reload(hass, entry)
    assert issues(hass) == {}
    assert registry.get("bad")


async def test_files_are_read_in_a_thread(
    hass: HomeAssistant, config_folder: Path, add_site: AddSite
) -> None:
    """Not in the event loop, also while there are many sites."""
    folder = config_folder / DOMAIN / "drivers"
    folder.mkdir(parents=True)
    (folder / "clay.toml").write_text(FILE)
    threads: list[Any] = []

    def use(folder: Path) -> tuple[()]:
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        threads.append(folder)
        return ()

    with patch.object(described, "use", use):
        await add_site()
        await add_site(title="Second")
    assert threads == [folder] * 3


async def test_waits_for_what_is_installed_but_not_forever(
    hass: HomeAssistant, stranger: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flow goes on although another integration takes its time."""
    monkeypatch.setattr(extensions, "_OFFERED_WITHIN", 0.05)
    slow = "import asyncio\n" + SETUP.replace(
        "    return", "    await asyncio.sleep(1)\n    return"
    )
    stranger("kiln", GOOD, setup=slow)
    async with asyncio.timeout(0.9):
        await extensions.async_ready(hass)
    await hass.async_block_till_done()
    assert registry.get("kiln")
    installed(hass)

"""The example of docs/drivers.md, built and run as a stranger would: the SDK's part."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
import importlib
import json
import os
from pathlib import Path
import re
import subprocess
import sys
from types import ModuleType
from typing import Any

import pytest

from custom_components.miningsdk.sdk import (
    AnyDevice,
    MeterStats,
    Miner,
    MinerStats,
    MinerStatus,
    PoolState,
    connect,
    described,
    driver,
    registry,
)
from custom_components.miningsdk.sdk._described_commands import CONDITIONS
from tests import driver_guide
from tests.conftest import OFFSET, Simulate, loopback_address
from tests.simulators.cgminer import SimulatedCgminer
from tests.simulators.modbus import SimulatedModbus, UnitMap

SDK = Path(registry.__file__).parent

type Run = Callable[..., Awaitable[tuple[int, str, str]]]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder with the SDK and the package of the page installed in it."""
    place = tmp_path / "site"
    place.mkdir()
    (place / "miningsdk").symlink_to(SDK)
    return driver_guide.install(place)


@pytest.fixture
def environment(place: Path, tmp_path: Path) -> dict[str, str]:
    """Return the surroundings of a program that has both installed."""
    return {
        **os.environ,
        "PYTHONPATH": str(place),
        "PYTHONSAFEPATH": "1",
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "COLUMNS": "200",
    }


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path) -> Run:
    """Return a function that runs the command line and tells what came of it."""

    async def run(*words: str) -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "miningsdk", *words),
            env=environment,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        out, err = await process.communicate()
        return process.returncode or 0, out.decode(), err.decode()

    return run


@pytest.fixture
def ember(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """Import the page's own test with its simulator, and its driver with it."""
    folder = driver_guide.write(tmp_path / "ember", "ember_miner.py", "test_ember.py")
    monkeypatch.syspath_prepend(str(folder))
    yield importlib.import_module("test_ember")
    for name in ("test_ember", "ember_miner"):
        sys.modules.pop(name, None)


@pytest.fixture
async def heater(ember: ModuleType) -> AsyncGenerator[Any]:
    """Switch the simulated Ember on."""
    device = ember.SimulatedEmber(loopback_address(), 80 + OFFSET)
    await device.start()
    yield device
    await device.stop()


@pytest.fixture
def registered() -> Iterator[None]:
    """Leave no driver of this module behind."""
    registry.drivers()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "_drivers", dict(registry._drivers))
        patch.setattr(described, "_used", {})
        yield


def describe(folder: Path, *names: str) -> None:
    assert described.use(driver_guide.write(folder, *names)) == ()


# The page.


def test_the_page_has_what_the_tests_take_from_it() -> None:
    assert set(driver_guide.files()) == {
        "ember_miner.py",
        "test_ember.py",
        "pyproject.toml",
        "custom_components/ember/manifest.json",
        "custom_components/ember/__init__.py",
        "custom_components/ember/miningsdk.py",
        "ember.toml",
        "volta.toml",
        "cinder.toml",
    }
    assert "class EmberFlow" in driver_guide.flow_example()


def test_the_driver_is_written_in_one_sitting() -> None:
    lines = driver_guide.files()["ember_miner.py"].splitlines()
    assert 40 < len([line for line in lines if line.strip()]) < 80


def test_all_names_that_the_page_uses_are_there() -> None:
    used = set(re.findall(r"\bsdk\.([A-Za-z_]+)", driver_guide.GUIDE.read_text()))
    assert used > {"Miner", "ROOT", "describe"}
    for name in used - {"driver"}:
        assert name in driver.__all__
    for name in driver.__all__:
        assert hasattr(driver, name)


def test_links_lead_somewhere() -> None:
    text = driver_guide.GUIDE.read_text()
    headings = {
        re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }
    for link in re.findall(r"\]\(([^)]+)\)", text):
        file, _, heading = link.partition("#")
        if file:
            assert (driver_guide.GUIDE.parent / file).exists(), link
        else:
            assert heading in headings, link


# The class.


def test_its_own_test_passes(environment: dict[str, str], tmp_path: Path) -> None:
    folder = driver_guide.write(tmp_path / "test", "test_ember.py")
    environment["PYTHONPATH"] += os.pathsep + str(folder)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "unittest", "test_ember"],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Ran 5 tests" in done.stderr


async def test_the_package_on_the_command_line(run: Run, heater: Any) -> None:
    """Its entry point is enough to be listed, found, read and told."""
    code, out, err = await run("drivers", "--json")
    assert (code, err) == (0, "")
    (listed,) = (d for d in json.loads(out) if d["name"] == "ember")
    assert listed["make"] == "Ember"
    assert listed["capabilities"] == ["pause", "power_limit"]

    address = f"{heater.host}:{heater.port}"
    code, out, err = await run("scan", address, "--json")
    assert (code, err) == (0, "")
    (found,) = json.loads(out)
    assert (found["driver"], found["serial_number"]) == ("ember", "EM-100234")

    code, out, err = await run("set", address, "power-limit", "500")
    assert (code, err) == (0, "")
    assert heater.limit == 500
    code, out, err = await run("set", address, "pause", "--driver", "ember")
    assert code == 0, err
    code, out, err = await run("read", address, "--json")
    assert json.loads(out)["stats"]["status"] == "paused"


def test_a_program_may_register_it(ember: ModuleType, registered: None) -> None:
    registry.register(ember.EmberH1)
    assert registry.get("ember") is ember.EmberH1
    assert registry.find("ember-h1")[0] is ember.EmberH1


# By data alone.


async def test_the_file_does_what_the_class_does(
    ember: ModuleType, heater: Any, registered: None, tmp_path: Path
) -> None:
    describe(tmp_path / "drivers", "ember.toml")
    found = await connect(f"{heater.host}:{heater.port}")
    written = ember.EmberH1(heater.host, port=heater.port)
    await written.connect()
    assert isinstance(found, Miner)
    assert found.info.driver == "ember-by-data"
    try:
        for miner in (found, written):
            miner.confirm_every, miner.confirm_within = 0.01, 1.0
        assert told(found) == told(written)
        assert await found.read() == await written.read()
        assert (await found.read()).status is MinerStatus.MINING
        await found.pause()
        assert heater.asleep
        assert await found.read() == await written.read()
        await found.resume()
        await found.set_power_limit(700)
        assert heater.limit == 700
        with pytest.raises(driver.NotSupported, match="outside"):
            await found.set_power_limit(100)
        found._check_range = lambda *_: None  # type: ignore[method-assign]
        with pytest.raises(driver.CommandFailed, match="between 400 and 1000"):
            await found.set_power_limit(100)
    finally:
        await found.close()
        await written.close()


def told(device: AnyDevice) -> dict[str, Any]:
    info = device.info
    return {
        name: getattr(info, name)
        for name in (
            *("kind", "make", "model", "firmware_version", "serial_number"),
            *("algorithm", "capabilities", "limits"),
        )
    }


async def test_the_file_on_the_command_line(
    run: Run, heater: Any, tmp_path: Path
) -> None:
    """In a folder that is named, and in the usual one."""
    folder = driver_guide.write(tmp_path / "mine", "ember.toml")
    code, out, err = await run("drivers", "--drivers", str(folder), "--json")
    assert (code, err) == (0, "")
    assert "ember-by-data" in {d["name"] for d in json.loads(out)}
    usual = tmp_path / "config" / "miningsdk" / "drivers"
    driver_guide.write(usual, "ember.toml")
    code, out, err = await run("read", f"{heater.host}:{heater.port}", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["info"]["driver"] == "ember-by-data"


async def test_the_meter_of_the_page(
    simulate: Simulate, registered: None, tmp_path: Path
) -> None:
    describe(tmp_path, "volta.toml")
    server = await simulate(SimulatedModbus)
    unit = UnitMap()
    unit.put(0, [2304], "input")
    unit.put(52, [0x4270, 0x0000, *[0] * 18, 0x0001, 0x86A0], "input")
    unit.put_text(256, "VM3-0042", 6)
    server.units[1] = unit
    meter = await connect(server.address, driver="volta-m3")
    try:
        assert meter.info.serial_number == "VM3-0042"
        assert (meter.info.make, meter.info.model) == ("Volta", "M3")
        assert await meter.read() == MeterStats(
            power=60.0, voltage_phase=(230.4,), energy_import=1000.0
        )
    finally:
        await meter.close()


async def test_the_cgminer_miner_of_the_page(
    simulate: Simulate, registered: None, tmp_path: Path
) -> None:
    describe(tmp_path, "cinder.toml")
    device = await simulate(SimulatedCgminer)
    device.description = "cinderminer 1.0"
    miner = await connect(device.address)
    try:
        assert miner.info.driver == "cinder"
        assert miner.info.algorithm == "scrypt"
        asked = device.requests
        stats = await miner.read()
        assert device.requests == asked + 1
        assert isinstance(stats, MinerStats)
        assert stats.status is MinerStatus.MINING
        assert stats.hashrate == pytest.approx(14, rel=0.02)
        assert stats.uptime == device.uptime
        assert stats.hardware_errors == 12
        assert PoolState.ALIVE in {pool.status for pool in stats.pools}
        assert stats.accepted == sum(pool.accepted or 0 for pool in stats.pools)
        assert stats.failed == {}
    finally:
        await miner.close()


def test_the_page_tells_all_keys() -> None:
    """Each key that a file may hold stands in a table of the page, or in a list."""
    text = driver_guide.GUIDE.read_text()
    reference = text[
        text.index("## By data alone") : text.index("## What a driver owes")
    ]
    marked = set(re.findall(r"`\[*([A-Za-z_]+)\]*`", reference))
    sources = [(SDK / name).read_text() for name in SDK_FILES]
    taken = {
        key
        for source in sources
        for key in re.findall(
            r"\.(?:text|texts|choice|number|whole|table|tables|raw|places)\(\s*\"(\w+)\"",
            source,
        )
    }
    assert taken > {"name", "surety", "within", "missing"}
    assert taken | set(CONDITIONS) <= marked


SDK_FILES = (
    "_described_commands.py",
    "_described_modbus.py",
    "_described_schema.py",
    "_described_values.py",
)

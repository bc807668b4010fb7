"""The simulated devices of all families, found among each other."""

import asyncio
from collections.abc import Callable
from ipaddress import ip_address
import json
from typing import Any

import pytest

from custom_components.miningsdk.sdk import DeviceInfo, DeviceKind, connect, scan
from custom_components.miningsdk.sdk.registry import drivers
from tests.conftest import OFFSET, Simulate, loopback_address
from tests.sdk.conftest import Python
from tests.simulators.antminer import SimulatedAntminer
from tests.simulators.axeos import SimulatedAxeOS
from tests.simulators.base import SimulatedDevice
from tests.simulators.cgminer import SimulatedCgminer
from tests.simulators.families import Family, families
from tests.simulators.whatsminer import SimulatedWhatsminer

FAMILIES = families()
each_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.driver)


def test_every_miner_that_can_be_identified_is_tested_here() -> None:
    probed = {d.name for d in drivers() if d.probes and d.kind is DeviceKind.MINER}
    assert probed == {family.driver for family in FAMILIES}


@each_family
async def test_a_device_is_identified_by_each_of_its_ports(
    simulate: Simulate, family: Family
) -> None:
    simulated = await simulate(family.simulator, **family.options)
    (driver,) = (driver for driver in drivers() if driver.name == family.driver)
    asked = {probe.port for probe in driver.probes} & set(simulated.ports)
    for port in {driver.default_port} | asked:
        device = await connect(simulated.host, port=simulated.port(port))
        await device.close()
        assert device.info.driver == family.driver, port
        assert device.port == simulated.port(driver.default_port)


async def test_a_site_with_all_families(simulate: Simulate) -> None:
    simulated = {}
    for family in FAMILIES:
        try:
            simulated[family.driver] = await simulate(
                family.simulator, offset=0, **family.options
            )
        except PermissionError:
            pytest.skip("this user may not open the ports that real devices have")
    hosts = sorted((device.host for device in simulated.values()), key=ip_address)
    found = [
        info
        async for info in scan(
            f"{hosts[0]}-{hosts[-1]}", connect_timeout=20, second_timeout=None
        )
    ]
    assert {info.driver: info.host for info in found} == {
        name: device.host for name, device in simulated.items()
    }
    assert all(info.port is None for info in found)


async def test_a_hall_of_miners(simulate: Simulate) -> None:
    """Find many devices at once among addresses where nothing is."""
    wanted = set()
    kinds: list[tuple[int, Callable[[int], dict[str, Any]], type[SimulatedDevice]]] = [
        (80, lambda n: {"serial": f"SIM{n:08}"}, SimulatedAntminer),
        (80, lambda n: {"serial": n}, SimulatedAxeOS),
        (4028, lambda n: {"serial": f"HTM{n:08}"}, SimulatedWhatsminer),
    ]
    targets = []
    for number in range(45):
        port, options, kind = kinds[number % 3]
        device = await simulate(kind, **options(number))
        wanted.add(device.host)
        targets += [f"{device.host}:{port + OFFSET}", loopback_address()]
    found: dict[str, DeviceInfo] = {
        info.host: info
        async for info in scan(targets, connect_timeout=20, second_timeout=None)
    }
    assert set(found) == wanted
    assert len({info.unique_id for info in found.values()}) == 45


@pytest.mark.timeout(150)
async def test_no_host_is_lost_with_few_open_files(
    simulate: Simulate, installed: Python
) -> None:
    hosts = [(await simulate(SimulatedCgminer)).host for _ in range(40)]
    script = (
        "import resource, sys; from miningsdk.cli import main;"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (48, 48));"
        "sys.exit(main(sys.argv[1:]))"
    )
    targets = [f"{host}:{4028 + OFFSET}" for host in hosts]
    options = ("--json", "--connect-timeout", "30", "--second-timeout", "0")
    done = await asyncio.to_thread(installed, "-c", script, "scan", *targets, *options)
    assert done.stderr == ""
    assert {info["host"] for info in json.loads(done.stdout)} == set(hosts)

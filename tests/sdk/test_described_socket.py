"""Miners with the cgminer API that a file describes, and how such drivers are found."""

from typing import Any, override

import pytest

from custom_components.miningsdk.sdk import (
    CommandFailed,
    InvalidReply,
    MinerStatus,
    identify,
    registry,
)
from custom_components.miningsdk.sdk.described import read_driver
from custom_components.miningsdk.sdk.drivers._modbus_device import IDENTITY
from custom_components.miningsdk.sdk.transports import cgminer, http
from tests.conftest import OFFSET, Simulate
from tests.sdk.described_kiln import MINER, PORT, SimulatedKiln
from tests.sdk.trouble import ALL_TROUBLE, survives
from tests.simulators.base import Trouble
from tests.simulators.cgminer import Section, SocketMiner

SOCKET = """
name = "cinder"
kind = "miner"
protocol = "cgminer"

[recognise]
version = "cinderminer"
page = "Cinder web"

[ask]
summary = "summary"
limits = "stats"

[stats]
hashrate = { path = "summary.SUMMARY[0].GHS 5s", unit = "GH/s" }
power_limit = "limits.STATS[0].W"

[[status]]
is = "paused"
path = "summary.SUMMARY[0].GHS 5s"
equals = 0
[[status]]
is = "mining"

[commands]
pause = { command = "ascdisable", parameter = "0" }
resume = { command = "ascenable", parameter = "0" }
restart = { command = "restart" }

[commands.power_limit]
command = "ascset"
parameter = "0,limit,{value}"
minimum = 100
maximum = 500
"""


class SimulatedCinder(SocketMiner):
    """A miner with a command of its own for its limit."""

    description = "cinderminer 1.0"
    on = True
    limit = 300
    broken = False

    @override
    def run(self, name: str, parameter: str) -> Section | None:
        replies: dict[str, Section] = {
            "version": {"VERSION": [{"API": "3.7"}]},
            "summary": {"SUMMARY": [{"GHS 5s": 500.0 if self.on else 0}]},
            "stats": {"STATS": [{"W": self.limit}]},
        }
        if name == "stats" and self.broken:
            return self.refuse(45, "Access denied to 'stats' command")
        match name:
            case _ if name in replies:
                return replies[name]
            case "ascenable" | "ascdisable":
                self.on = name == "ascenable"
                return self.status("S", 1, "done")
            case "ascset" if parameter.split(",")[2] == "499":
                return self.refuse(119, "ASC 0 set failed: too hot")
            case "ascset":
                self.limit = int(parameter.split(",")[2])
        return self.status("S", 119, "ASC set OK") if name == "ascset" else None


@pytest.mark.parametrize("joins", [True, False])
async def test_a_miner_with_the_socket_api(simulate: Simulate, joins: bool) -> None:
    """Replies are asked for together where the firmware understands that."""
    device = await simulate(SimulatedCinder, joins=joins)
    miner: Any = read_driver(SOCKET)(device.host, port=cgminer.PORT + OFFSET)
    miner.confirm_every = 0.01
    await miner.connect()
    asked = device.requests
    stats = await miner.read()
    assert device.requests == asked + (1 if joins else 2)
    assert (stats.hashrate, stats.power_limit) == (0.5, 300)
    assert stats.status is MinerStatus.MINING
    await miner.pause()
    assert not device.on
    await miner.resume()
    await miner.set_power_limit(250)
    assert device.limit == 250
    with pytest.raises(CommandFailed, match="ASC 0 set failed: too hot"):
        await miner.set_power_limit(499)
    with pytest.raises(CommandFailed, match="Invalid command"):
        await miner.restart()
    device.broken = True
    stats = await miner.read()
    assert stats.hashrate == 0.5
    assert "Access denied" in stats.failed["limits"]
    await miner.close()


async def test_a_miner_that_refuses_everything(simulate: Simulate) -> None:
    """It answers, but nothing that the file asks for."""
    device = await simulate(SimulatedCinder)
    text = SOCKET[: SOCKET.index("[commands]")].replace('"summary"', '"estats"')
    text = text.replace('limits = "stats"', 'limits = "coin"')
    miner = read_driver(text)(device.host, port=cgminer.PORT + OFFSET)
    with pytest.raises(InvalidReply, match="Invalid command"):
        await miner.read()
    await miner.close()


@pytest.mark.parametrize("trouble", ALL_TROUBLE)
async def test_trouble_on_the_socket(simulate: Simulate, trouble: Trouble) -> None:
    device = await simulate(SimulatedCinder)
    miner: Any = read_driver(SOCKET)(
        device.host, port=cgminer.PORT + OFFSET, timeout=0.5
    )
    await miner.connect()
    await survives(miner, device, trouble)
    await miner.close()


# Who is recognised.


async def test_a_device_is_found_on_the_port_of_its_file(
    simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_loaded", True)
    monkeypatch.setattr(registry, "_drivers", {})
    driver = read_driver(MINER)
    registry.register(driver)
    device = await simulate(SimulatedKiln)
    found = await identify(device.host, port=PORT + OFFSET)
    assert found is not None
    assert (found.driver, found.port, found.score) == (driver, PORT + OFFSET, 77)


def test_all_markers_must_be_there() -> None:
    kiln, cinder = read_driver(MINER), read_driver(SOCKET)
    (page,) = kiln.probes
    assert (page.port, page.ask) == (PORT, http.ROOT.ask)
    both = "HTTP 200\nServer: KILND/2\n\n<title>kiln</title>"
    assert kiln.recognise({page: both}) == 77
    assert kiln.recognise({page: both.replace("KILND", "x")}) == 0
    assert kiln.recognise({}) == 0
    assert set(cinder.probes) == {http.ROOT, cgminer.VERSION}
    version = '{"STATUS":[{"Description":"cinderminer 1.0"}]}'
    assert cinder.recognise({cgminer.VERSION: version}) == 0
    web_page = "<h1>cinder WEB</h1>"
    evidence = {cgminer.VERSION: version, http.ROOT: web_page}
    assert cinder.recognise(evidence) == 60


def test_a_modbus_meter_is_recognised_by_its_identity() -> None:
    text = (
        'name = "clay"\nkind = "meter"\nprotocol = "modbus"\n'
        '[recognise]\nidentity = "Clay Works"\nsurety = 40\n'
        '[[registers]]\nfield = "power"\naddress = 1\ntype = "u16"\n'
    )
    driver = read_driver(text)
    assert driver.probes == (IDENTITY,)
    assert driver.recognise({IDENTITY: "CLAY WORKS|C3|1.0"}) == 40
    assert driver.recognise({IDENTITY: "Clay"}) == 0

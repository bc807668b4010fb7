"""Antspace: HK3 and immersion, their readings, faults and commands."""

from collections.abc import AsyncGenerator
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.miningsdk.sdk import (
    Capability,
    CommandFailed,
    ContainerStats,
    ContainerStatus,
    DeviceKind,
    DeviceUnreachable,
    InvalidReply,
    Limits,
    NotSupported,
    Setpoint,
    Severity,
    identify,
    register_miner,
)
from custom_components.miningsdk.sdk.drivers._antspace_stats import HK3, IMMERSION
from custom_components.miningsdk.sdk.drivers.antspace import Antspace
from tests.conftest import OFFSET, Simulate
from tests.sdk.site_trouble import survives, survives_bytes
from tests.sdk.trouble import ALL_TROUBLE
from tests.simulators.antspace import SimulatedAntspace
from tests.simulators.base import Trouble

PORT = 80 + OFFSET
KINDS = pytest.mark.parametrize("model", ["hk3", "immersion"])


@pytest.fixture
async def connect(
    simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[Any]:
    """Return a function that switches on a device and connects a container to it."""
    containers: list[Antspace] = []
    monkeypatch.setattr(Antspace, "confirm_longer", {})

    async def make(**options: Any) -> tuple[Antspace, SimulatedAntspace]:
        allow = options.pop("allow", True)
        timeout = options.pop("timeout", 2.0)
        device = await simulate(SimulatedAntspace, **options)
        container = Antspace(
            device.host, port=PORT, allow_cooling=allow, timeout=timeout
        )
        container.confirm_every, container.confirm_within = 0.01, 0.2
        containers.append(container)
        return await container.connect(), device

    yield make
    for container in containers:
        await container.close()


def is_alive(stats: ContainerStats) -> bool:
    return stats.status is ContainerStatus.RUNNING


def readings(stats: ContainerStats) -> dict[str, Any]:
    return {reading.key: reading.value for reading in stats.readings}


def units(stats: ContainerStats) -> dict[str, str | None]:
    return {reading.key: reading.unit for reading in stats.readings}


def actuators(stats: ContainerStats) -> dict[str, bool | None]:
    return {actuator.key: actuator.on for actuator in stats.actuators}


# Who it is.


@KINDS
async def test_info(connect: Any, model: str) -> None:
    container, device = await connect(model=model)
    info = container.info
    assert info.kind is DeviceKind.CONTAINER
    assert (info.driver, info.make) == ("antspace", "Bitmain")
    assert info.model == (HK3 if model == "hk3" else IMMERSION).model
    assert info.capabilities == (Capability.COOLING, Capability.SETPOINT)
    assert info.limits == {Capability.COOLING: Limits(options=("pid_mode",))}
    assert info.unique_id is None
    assert device.requests == 1


@KINDS
async def test_identified(simulate: Simulate, model: str) -> None:
    device = await simulate(SimulatedAntspace, model=model)
    found = await identify(device.host, port=PORT, timeout=5)
    assert found is not None
    assert (found.driver, found.port) == (Antspace, PORT)
    made = register_miner("antspace", host="127.0.0.1", serial_number="HK3-7")
    assert made.info.unique_id == "HK3-7"


async def test_another_kind_on_the_same_address(connect: Any) -> None:
    container, device = await connect(model="hk3")
    device.model = "immersion"
    stats = await container.read()
    assert container.info.model == "Antspace immersion"
    assert "second_pump1" in actuators(stats)


# What it tells.


async def test_hk3(connect: Any) -> None:
    container, device = await connect()
    device.requests = 0
    stats = await container.read()
    assert device.requests == 2
    assert device.operations[-2:] == ["coolerState", "minerInfo"]
    assert stats.status is ContainerStatus.RUNNING
    assert stats.cooling_on is True
    assert stats.power == pytest.approx(1_110_000, rel=0.02)
    found = readings(stats)
    assert found["temperature_supply"] == pytest.approx(35, abs=0.5)
    assert found["temperature_return"] == pytest.approx(44, abs=0.6)
    assert found["pressure_supply"] == pytest.approx(3.1, abs=0.05)
    assert found["flow_supply"] == pytest.approx(1450, rel=0.02)
    assert found["temperature_tower_inlet"] == pytest.approx(24, abs=0.4)
    assert found["humidity"] == pytest.approx(44, abs=0.6)
    assert found["power_box_1"] == pytest.approx(562_000, rel=0.02)
    assert found["latitude"] == 37.7749
    assert found["longitude"] == -122.4194
    assert found["running_mode"] is True
    assert found["miners"] == 210
    assert found["hashrate"] == pytest.approx(210 * 255, rel=0.02)
    assert found["temperature_chip"] == 71
    assert units(stats)["flow_supply"] == "L/min"
    assert units(stats)["pressure_return"] == "bar"
    assert stats.sockets == ()
    assert stats.setpoints == (
        Setpoint(key="supply_temperature", value=35, minimum=20, maximum=40, unit="°C"),
    )
    assert stats.faults == ()
    assert stats.failed == {}


async def test_immersion(connect: Any) -> None:
    container, _ = await connect(model="immersion")
    stats = await container.read()
    assert stats.status is ContainerStatus.RUNNING
    # That its primary pump runs is no fault.
    assert stats.faults == ()
    assert stats.power == pytest.approx(910_000, rel=0.02)
    found = readings(stats)
    assert found["power_distribution"] == pytest.approx(7670, rel=0.02)
    assert (found["voltage_a"], found["voltage_b"]) == (230.0, 230.7)
    assert found["current_c"] == pytest.approx(1312, rel=0.02)
    assert found["temperature_secondary_return_2"] == pytest.approx(48, abs=0.6)
    assert found["level_tank_d"] == pytest.approx(83, abs=1)
    assert found["frequency_dry_cooler"] == pytest.approx(38, abs=0.5)
    assert found["protocol_version"] == 5
    assert units(stats)["frequency_feedback"] == "Hz"
    moving = actuators(stats)
    assert moving["valve1"] is True
    assert moving["valve2"] is None
    assert moving["primary_circulating_pump"] is True
    assert moving["second_pump2"] is False


@KINDS
async def test_every_key_is_used(connect: Any, model: str) -> None:
    """Nothing that the device tells may be lost."""
    container, device = await connect(model=model, miners=0)
    kind = HK3 if model == "hk3" else IMMERSION
    used = {value.source for value in kind.values}
    used |= {key for key, _ in (*kind.states, *kind.actuators)}
    used |= {flag.source for flag in kind.faults}
    used |= {f"{key}_{way}" for key, _ in kind.valves for way in ("open", "close")}
    used |= {"pid_mode", "supply_liquid_set_temp"}
    used |= {"latitude", "latitude_direction", "longitude", "longitude_direction"}
    assert set(device.state()) <= used
    stats = await container.read()
    told = {*readings(stats), *actuators(stats)}
    wanted = {value.key for value in kind.values} | {key for key, _ in kind.actuators}
    assert wanted <= told
    assert len(told) == len(stats.readings) + len(stats.actuators)


@KINDS
async def test_every_fault_is_told(connect: Any, model: str) -> None:
    container, device = await connect(model=model)
    for flag in (HK3 if model == "hk3" else IMMERSION).faults:
        device.faults, device.lost = {flag.source}, flag.source == "disconnect"
        stats = await container.read()
        assert [fault.code for fault in stats.faults] == [flag.code]
        assert stats.faults[0].severity is flag.severity
        assert stats.status is ContainerStatus.FAULT
        assert stats.cooling_on is (None if device.lost else True)


async def test_fault_of_newer_firmware(connect: Any) -> None:
    container, device = await connect()
    device.more = {"heat_exchanger_fault": True, "dew_alarm": False}
    (fault,) = (await container.read()).faults
    assert fault.code == "heat_exchanger_fault"
    assert fault.message == "Heat exchanger fault"
    assert fault.severity is Severity.WARNING


async def test_stopped(connect: Any) -> None:
    container, _ = await connect(cooling=False)
    stats = await container.read()
    assert stats.status is ContainerStatus.STOPPED
    assert stats.cooling_on is False


async def test_hashrate_in_either_unit(connect: Any) -> None:
    container, _ = await connect(in_gigahash=True)
    found = readings(await container.read())
    assert found["hashrate"] == pytest.approx(210 * 255, rel=0.02)


async def test_what_is_not_measured_is_unknown(connect: Any) -> None:
    container, device = await connect()
    device.more = {
        "supply_liquid_temp": -3276.8,
        "return_liquid_temp": 850.0,
        "antbox_internal_temp": None,
        "supply_liquid_flow": "wet",
        "distribution_box2_power": None,
        "circulating_pump": None,
        "latitude": 0,
    }
    stats = await container.read()
    found = readings(stats)
    assert found["temperature_supply"] is None
    assert found["temperature_return"] is None
    assert found["temperature_ambient"] is None
    assert found["flow_supply"] is None
    assert found["pressure_supply"] is not None
    assert "latitude" not in found
    assert stats.power is None
    assert stats.cooling_on is None
    assert stats.status is ContainerStatus.UNKNOWN
    assert set(stats.failed) == {"flow_supply"}


async def test_without_the_summary_of_miners(connect: Any) -> None:
    container, device = await connect()
    device.without_miner_info = True
    stats = await container.read()
    assert is_alive(stats)
    assert "miners" not in readings(stats)
    assert set(stats.failed) == {"miners"}


# Commands.


@KINDS
async def test_cooling_is_confirmed(connect: Any, model: str) -> None:
    container, device = await connect(model=model)
    await container.set_cooling(on=False)
    assert device.cooling is False
    assert (await container.read()).status is ContainerStatus.STOPPED
    await container.set_cooling(on=True)
    assert (await container.read()).cooling_on is True
    sent = [name for name in device.operations if name in {"open", "close"}]
    assert sent == ["close", "open"]


async def test_setpoint_is_confirmed(connect: Any) -> None:
    container, device = await connect()
    await container.set_setpoint("supply_temperature", 32.5)
    assert device.set_temperature == 32.5
    for value in (19.9, 40.1):
        with pytest.raises(NotSupported, match="outside"):
            await container.set_setpoint("supply_temperature", value)
    with pytest.raises(NotSupported, match="is not one of: supply_temperature"):
        await container.set_setpoint("return_temperature", 30)
    assert device.operations.count("setTemp") == 1


async def test_pid_control_is_confirmed(connect: Any) -> None:
    container, device = await connect()
    await container.set_actuator("pid_mode", on=True)
    assert device.pid is True
    stats = await container.read()
    assert actuators(stats)["pid_mode"] is True
    await container.set_actuator("pid_mode", on=False)
    assert (device.pid, device.set_temperature) == (False, 38.0)
    with pytest.raises(NotSupported, match="is not one of: pid_mode"):
        await container.set_actuator("fan1", on=True)


async def test_reset(connect: Any) -> None:
    container, device = await connect(faults=("fan1_fault", "leakage_fault"))
    await container.reset_cooling()
    assert (await container.read()).faults == ()
    device.faults = device.persistent = {"leakage_fault"}
    with pytest.raises(CommandFailed, match="not confirmed"):
        await container.reset_cooling()


async def test_refused_in_its_own_words(connect: Any) -> None:
    container, device = await connect()
    device.refusal = "local mode"
    for command in (
        container.set_cooling(on=False),
        container.reset_cooling(),
        container.set_setpoint("supply_temperature", 30),
        container.set_actuator("pid_mode", on=True),
    ):
        with pytest.raises(CommandFailed, match="local mode"):
            await command
    assert device.cooling is True


async def test_not_confirmed(connect: Any) -> None:
    container, device = await connect()
    device.stubborn = True
    for command in (
        container.set_cooling(on=False),
        container.set_setpoint("supply_temperature", 30),
        container.set_actuator("pid_mode", on=True),
    ):
        with pytest.raises(CommandFailed, match="not confirmed"):
            await command


async def test_cooling_is_left_alone_unless_allowed(connect: Any) -> None:
    container, device = await connect(allow=False)
    assert container.info.capabilities == ()
    assert container.info.limits == {}
    for command in (
        container.set_cooling(on=False),
        container.reset_cooling(),
        container.set_setpoint("supply_temperature", 30),
        container.set_actuator("pid_mode", on=True),
    ):
        with pytest.raises(NotSupported, match="allow_cooling is off"):
            await command
    assert set(device.operations) == {"coolerState"}
    assert is_alive(await container.read())


async def test_it_has_no_sockets(connect: Any) -> None:
    container, _ = await connect()
    with pytest.raises(NotSupported):
        await container.set_socket(0, on=False)


# Trouble.


@KINDS
@pytest.mark.parametrize("trouble", ALL_TROUBLE)
async def test_trouble(connect: Any, model: str, trouble: Trouble) -> None:
    container, device = await connect(model=model, timeout=0.3)
    await survives(container, device, trouble, is_alive)
    assert device.most_connections <= 2


async def test_unreachable(connect: Any) -> None:
    container, device = await connect()
    await device.stop()
    with pytest.raises(DeviceUnreachable):
        await container.read()
    await device.start()
    assert is_alive(await container.read())


async def test_cooling_of_what_goes_away_is_not_confirmed(connect: Any) -> None:
    container, device = await connect(timeout=0.2)
    device.trouble = Trouble.RESET
    with pytest.raises(DeviceUnreachable):
        await container.set_cooling(on=False)


async def test_something_else_is_no_container(connect: Any) -> None:
    container, device = await connect()
    device.body = b'{"ok":true,"method":"coolerState","params":{"fan1":true}}'
    with pytest.raises(InvalidReply, match="not the state"):
        await container.read()


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
async def test_any_bytes(connect: Any, data: Any) -> None:
    if not hasattr(connect, "pair"):
        connect.pair = await connect(timeout=1.0)
    container, device = connect.pair
    words = st.sampled_from(
        [
            b'{"ok":true,"params":{"circulating_pump":[],"supply_liquid_temp":{}}}',
            b'{"ok":true,"params":{"second_pump1":"maybe","valve1_open":7}}',
            b'{"ok":1,"params":[]}',
        ]
    )
    await survives_bytes(container, device, data.draw(st.one_of(st.binary(), words)))


@pytest.mark.parametrize("model", ["hk3", "immersion"])
async def test_limits_are_of_readings_that_there_are(
    simulate: Simulate, model: str
) -> None:
    device = await simulate(SimulatedAntspace, model=model)
    async with Antspace(device.host, port=device.port(80)) as box:
        keys = {reading.key for reading in (await box.read()).readings}
    limited = keys & set(Antspace.thresholds)
    assert len(limited) == 2

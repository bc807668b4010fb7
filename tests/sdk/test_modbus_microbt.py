"""Containers of MicroBT: twenty units, a login, and what may be switched."""

from collections.abc import AsyncGenerator, Awaitable, Callable
import hashlib
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.miningsdk.sdk import (
    Actuator,
    AuthenticationFailed,
    Capability,
    CommandFailed,
    ContainerStats,
    ContainerStatus,
    DeviceKind,
    DeviceTimeout,
    DeviceUnreachable,
    Fault,
    InvalidReply,
    MiningSDKError,
    NotSupported,
    Reading,
    Setpoint,
    Severity,
    Socket,
    register_miner,
    to_json,
)
from custom_components.miningsdk.sdk.drivers._microbt_registers import SYSTEM_ERRORS
from custom_components.miningsdk.sdk.drivers.microbt_container import login_words
from tests.conftest import OFFSET, Simulate
from tests.simulators.base import Trouble
from tests.simulators.microbt_container import SimulatedMicroBt
from tests.simulators.modbus import PORT

BUILDERS = ("kehua", "wonderint")
REQUESTS = 39
CDU = 1
type Connect = Callable[..., Awaitable[Any]]


@pytest.fixture
async def connect(simulate: Simulate) -> AsyncGenerator[Connect]:
    """Return a function that connects to a simulated container."""
    containers: list[Any] = []

    async def connected(builder: str = "kehua", **options: Any) -> Any:
        given = {
            key: options.pop(key)
            for key in ("username", "password", "allow_cooling", "unit", "timeout")
            if key in options
        }
        device = await simulate(
            SimulatedMicroBt, builder=builder, alive=False, **options
        )
        container: Any = register_miner(
            f"microbt-{builder}",
            host=device.host,
            port=PORT + OFFSET,
            **{
                "username": "admin",
                "password": "geheim",
                "allow_cooling": True,
                "timeout": 2.0,
                **given,
            },
        )
        container.confirm_within, container.confirm_every = 0.03, 0.01
        containers.append(container)
        await container.connect()
        return container, device

    yield connected
    for container in containers:
        await container.close()


def readings(stats: ContainerStats) -> dict[str, Any]:
    return {reading.key: reading.value for reading in stats.readings}


def on(stats: ContainerStats) -> list[int]:
    return [socket.index for socket in stats.sockets if socket.on]


@pytest.mark.parametrize("builder", BUILDERS)
async def test_who_it_is(connect: Connect, builder: str) -> None:
    container, device = await connect(builder)
    info = container.info
    assert info.kind is DeviceKind.CONTAINER
    assert (info.make, info.model) == ("MicroBT", builder.title())
    assert info.firmware_version == "217"
    assert info.capabilities == (Capability.SOCKET, Capability.COOLING)
    assert device.requests == 2


async def test_cooling_is_left_alone_unless_it_is_allowed(connect: Connect) -> None:
    container, device = await connect(allow_cooling=False)
    assert container.info.capabilities == (Capability.SOCKET,)
    with pytest.raises(NotSupported, match="not allowed"):
        await container.set_cooling(False)
    with pytest.raises(NotSupported, match="not allowed"):
        await container.set_setpoint("fan_speed", 50)
    assert {function for _, function, *_ in device.log} == {3}


async def test_thresholds_are_shown_but_not_set(connect: Connect) -> None:
    """Two sources disagree by one on where they are written."""
    container, device = await connect()
    assert (await container.read()).setpoints == (
        Setpoint(key="fan_speed", value=80.0),
        Setpoint(key="fan_start_temperature", value=35.0, unit="°C"),
        Setpoint(key="fan_stop_temperature", value=30.0, unit="°C"),
    )
    with pytest.raises(NotSupported, match="does not offer setpoint"):
        await container.set_setpoint("fan_speed", 50)
    assert {function for _, function, *_ in device.log} == {3}


@pytest.mark.parametrize("builder", BUILDERS)
async def test_a_reading(connect: Connect, builder: str) -> None:
    container, device = await connect(builder)
    before = device.requests
    stats = await container.read()
    assert device.requests - before == REQUESTS
    assert device.most_connections == 1
    assert stats.failed == {}
    assert stats.status is ContainerStatus.RUNNING
    assert stats.cooling_on is True
    assert stats.power == 4 * 280_100.0
    assert stats.faults == ()
    found = readings(stats)
    assert found["dew_point"] == 12.4
    assert found["inlet_temperature"] == 31.5
    assert found["cooling_temperature"] == 29.8
    assert found["inlet_pressure"] == 3.1
    assert found["pump_outlet_pressure"] == 3.3
    assert found["pump_speed"] == 45.0
    assert found["filter_pressure"] == 0.45
    assert found["temperature"] == 27.4
    assert found["humidity"] == 41.5
    assert found["pump_mode"] == "auto"
    assert found["makeup_pump_mode"] == "manual"
    assert found["cpu"] == 34.0
    assert found["meter_2_energy"] == 412.55
    assert found["meter_4_power_factor"] == 0.99
    assert found["meter_1_frequency"] == 50.01
    # More than a signed register could hold.
    assert found["pdu_12_voltage_bc"] == 399.1
    assert found["pdu_1_power"] == 93_400.0
    assert ("outlet_temperature" in found) == (builder == "wonderint")
    assert ("cooling_state" in found) == (builder == "kehua")
    assert len(found) == len(stats.readings)
    assert to_json(stats)


async def test_units_and_names(connect: Connect) -> None:
    stats = await (await connect("wonderint"))[0].read()
    by_key = {reading.key: reading for reading in stats.readings}
    assert by_key["outlet_temperature"] == Reading(
        key="outlet_temperature",
        name="Outlet temperature (T3)",
        value=36.2,
        unit="°C",
    )
    assert by_key["inlet_pressure"].unit == "bar"
    assert by_key["pdu_3_power"].name == "PDU 3 power"
    assert by_key["meter_1_apparent_power"].unit == "VA"
    assert stats.actuators[:4] == (
        Actuator(key="circulation_pump", name="Circulation pump", on=True),
        Actuator(key="cooling_fan", name="Cooling fan", on=True),
        Actuator(key="makeup_pump", name="Makeup pump", on=False),
        Actuator(key="buzzer", name="Buzzer", on=False),
    )
    assert stats.actuators[-1].key == "pdu_12_buzzer"


async def test_sockets(connect: Connect) -> None:
    container, device = await connect()
    device.set(11, 45 + 7, 2)
    stats = await container.read()
    assert len(stats.sockets) == 240
    assert stats.sockets[46] == Socket(index=47, on=False, name="PDU 3 socket 7")
    assert on(stats) == [index for index in range(1, 241) if index != 47]


async def test_frost(connect: Connect) -> None:
    container, device = await connect()
    device.set(CDU, 95, -310)
    device.set(CDU, 201, -5)
    found = readings(await container.read())
    assert (found["dew_point"], found["inlet_temperature"]) == (-3.1, -0.05)


# Status and faults.


@pytest.mark.parametrize(
    ("builder", "number", "value", "status"),
    [
        ("kehua", 208, 100, ContainerStatus.RUNNING),
        ("kehua", 208, 0, ContainerStatus.STOPPED),
        ("kehua", 208, 200, ContainerStatus.FAULT),
        ("wonderint", 606, 1, ContainerStatus.RUNNING),
        ("wonderint", 606, 0, ContainerStatus.STOPPED),
        ("wonderint", 208, 200, ContainerStatus.RUNNING),
    ],
)
async def test_status(
    connect: Connect, builder: str, number: int, value: int, status: ContainerStatus
) -> None:
    container, device = await connect(builder)
    device.set(CDU, number, value)
    assert (await container.read()).status is status


@pytest.mark.parametrize(
    ("registers", "code", "severity"),
    [
        ((0x8000, 0), "low_inlet_pressure_circ_pump", Severity.CRITICAL),
        ((0x1000, 0), "circulating_pump_fault", Severity.CRITICAL),
        ((0x0400, 0), "high_pressure_diff_filter", Severity.WARNING),
        ((0x0001, 0), "unit_inlet_pressure_sensor_fault", Severity.WARNING),
        ((0, 0x8000), "unit_outlet_pressure_sensor_fault", Severity.WARNING),
        ((0, 0x1000), "bypass_valve_fault", Severity.CRITICAL),
        ((0, 0x0080), "circ_pump_high_inlet_pressure", Severity.CRITICAL),
    ],
)
async def test_system_errors(
    connect: Connect, registers: tuple[int, int], code: str, severity: Severity
) -> None:
    container, device = await connect()
    device.set(CDU, 291, *registers)
    stats = await container.read()
    assert [(f.code, f.severity, f.component) for f in stats.faults] == [
        (code, severity, "cooling")
    ]
    critical = severity is Severity.CRITICAL
    expected = ContainerStatus.FAULT if critical else ContainerStatus.RUNNING
    assert stats.status is expected


async def test_all_system_errors(connect: Connect) -> None:
    container, device = await connect()
    device.set(CDU, 291, 0xFFFF, 0xFF80)
    codes = {fault.code for fault in (await container.read()).faults}
    assert codes == {alarm.code for alarm in SYSTEM_ERRORS}
    device.set(CDU, 291, 0, 0x007F)
    assert (await container.read()).faults == ()


async def test_other_alarms(connect: Connect) -> None:
    container, device = await connect()
    device.set(CDU, 98, 1)
    device.set(3, 3, 1)
    device.set(3, 8, 1)
    device.set(9, 160, 1)
    device.set(20, 183, 1)
    device.set(20, 191, 1)
    stats = await container.read()
    assert stats.faults == (
        Fault(
            code="makeup_water_pump_fault",
            message="Makeup pump fault",
            component="cooling",
            severity=Severity.CRITICAL,
        ),
        Fault(
            code="smoke",
            message="Smoke in the container",
            component="environment",
            severity=Severity.CRITICAL,
        ),
        Fault(
            code="water_ingress",
            message="Water in the container",
            component="environment",
            severity=Severity.CRITICAL,
        ),
        Fault(code="access_control_3", message="Door 3", component="pdu_1"),
        Fault(
            code="smoke_2",
            message="Smoke at detector 2",
            component="pdu_12",
            severity=Severity.CRITICAL,
        ),
        Fault(code="low_wind_speed", message="Low wind speed", component="pdu_12"),
    )
    assert stats.status is ContainerStatus.FAULT


# Units that are not there.


async def test_a_smaller_container(connect: Connect) -> None:
    container, _ = await connect(pdus=8)
    stats = await container.read()
    assert len(stats.sockets) == 160
    assert set(stats.failed) == {"pdu_9", "pdu_10", "pdu_11", "pdu_12"}
    assert stats.power is not None


async def test_a_unit_that_goes_is_not_asked_each_time(connect: Connect) -> None:
    container, device = await connect()
    await container.read()
    lost = device.units.pop(10), device.units.pop(4)
    stats = await container.read()
    assert set(stats.failed) == {"pdu_2", "meter_1"}
    assert "gateway gets no answer" in stats.failed["pdu_2"]
    assert [s.on for s in stats.sockets[20:40]] == [None] * 20
    assert len(stats.sockets) == 240
    # A total without one of the meters would be too small.
    assert stats.power is None
    before = device.requests
    stats = await container.read()
    assert set(stats.failed) == {"pdu_2", "meter_1"}
    assert device.requests - before == REQUESTS - 4
    device.units[10], device.units[4] = lost
    container._away.clear()
    assert (await container.read()).failed == {}


async def test_without_cooling_unit_there_is_no_reading(connect: Connect) -> None:
    container, device = await connect()
    device.units.pop(CDU)
    with pytest.raises(DeviceUnreachable, match="unit 1: the gateway"):
        await container.read()


async def test_registers_that_a_unit_does_not_have(connect: Connect) -> None:
    container, device = await connect()
    for number in range(168, 192):
        device.units[9].holding.pop(number - 1)
    device.units[8].exception = 2
    stats = await container.read()
    assert "pdu_1_low_wind" in stats.failed
    assert "diagnosis" in stats.failed
    assert readings(stats)["pdu_1_power"] == 93_400.0
    assert len(on(stats)) == 240


async def test_other_unit_ids(simulate: Simulate, connect: Connect) -> None:
    _, device = await connect()
    device.units = {unit + 100: found for unit, found in device.units.items()}
    moved: Any = register_miner(
        "microbt-kehua", host=device.host, port=PORT + OFFSET, unit=101
    )
    assert len(on(await moved.read())) == 240
    await moved.close()


# Commands.


@pytest.mark.parametrize("builder", BUILDERS)
async def test_cooling(connect: Connect, builder: str) -> None:
    container, device = await connect(builder)
    await container.set_cooling(False)
    stats = await container.read()
    assert stats.cooling_on is False
    assert stats.status is ContainerStatus.STOPPED
    await container.set_cooling(True)
    stats = await container.read()
    assert stats.cooling_on is True
    assert stats.status is ContainerStatus.RUNNING
    assert device.logins == 2


async def test_what_a_command_costs(connect: Connect) -> None:
    """The login, the write, and as much as shows that it was done."""
    container, device = await connect()
    device.log.clear()
    await container.set_cooling(False)
    assert [(unit, function) for unit, function, *_ in device.log] == [
        (1, 3),
        (1, 16),
        (1, 6),
        *[(1, 3)] * 4,
    ]
    assert device.log[0] == (1, 3, 300, 4)
    assert device.log[1] == (1, 16, 304, 16)
    assert device.log[2] == (1, 6, 600, 0)


async def test_switching_sockets(connect: Connect) -> None:
    container, device = await connect()
    await container.set_socket(27, False)
    assert device.get(10, 45 + 7) == 2
    assert on(await container.read()) == [i for i in range(1, 241) if i != 27]
    device.log.clear()
    await container.set_sockets([1, 27, 240, 1], False)
    writes = [entry for entry in device.log if entry[1] == 6]
    assert writes == [(9, 6, 307, 2), (10, 6, 301, 2), (20, 6, 288, 2)]
    assert len(on(await container.read())) == 237
    await container.set_sockets(range(1, 241), True)
    assert len(on(await container.read())) == 240
    assert device.logins == 3


@pytest.mark.parametrize("index", [0, 241, -3])
async def test_a_socket_that_there_is_not(connect: Connect, index: int) -> None:
    container, device = await connect()
    with pytest.raises(NotSupported, match=f"no socket {index}"):
        await container.set_sockets([5, index], False)
    assert {function for _, function, *_ in device.log} == {3}


async def test_commands_without_a_password(connect: Connect) -> None:
    for missing in ({"password": None}, {"username": None}):
        container, device = await connect(**missing)
        await container.read()
        with pytest.raises(AuthenticationFailed, match="user name and a password"):
            await container.set_cooling(False)
        with pytest.raises(AuthenticationFailed):
            await container.set_socket(1, False)
        assert {function for _, function, *_ in device.log} == {3}


async def test_credentials_are_checked(connect: Connect) -> None:
    """By a login that no command follows; reading needs none."""
    container, device = await connect()
    await container.check_credentials()
    assert device.logins == 1
    for wrong in ({"password": "falsch"}, {"username": None}, {"password": None}):
        container, device = await connect(**wrong)
        with pytest.raises(AuthenticationFailed):
            await container.check_credentials()
        assert device.logins == 0
    container, device = await connect(username=None, password=None)
    await container.check_credentials()
    assert device.logins == 0


async def test_a_wrong_password(connect: Connect) -> None:
    container, device = await connect(password="falsch")
    with pytest.raises(AuthenticationFailed, match="login was refused") as error:
        await container.set_socket(1, False)
    assert "falsch" not in str(error.value)
    assert device.get(9, 46) == 1
    assert len([entry for entry in device.log if entry[1] == 16]) == 1
    assert "falsch" not in repr(container)


async def test_a_refused_command(connect: Connect) -> None:
    container, device = await connect()
    unit = device.units[9]
    unit.on_write = None
    with pytest.raises(CommandFailed, match="refused with exception 1"):
        await container.set_socket(1, False)


async def test_a_command_that_is_ignored(connect: Connect) -> None:
    container, device = await connect()
    device.ignores = True
    with pytest.raises(CommandFailed, match="still shows the old state"):
        await container.set_cooling(False)
    with pytest.raises(CommandFailed, match="still shows the old state"):
        await container.set_socket(240, False)


async def test_a_command_to_a_unit_that_is_away(connect: Connect) -> None:
    container, device = await connect()
    device.units.pop(9)
    await container.read()
    with pytest.raises(DeviceUnreachable, match="unit 9"):
        await container.set_socket(1, False)


def test_the_login() -> None:
    """As it is in the papers: a hash of the nonce and of two hashes."""
    words = login_words([0x0102, 0x0304, 0x0506, 0x0708], "admin", "geheim")
    nonce = bytes(range(1, 9))
    secret = hashlib.md5(b"admin").digest() + hashlib.md5(b"geheim").digest()
    expected = hashlib.sha256(nonce + secret).hexdigest()
    assert "".join(f"{word:04x}" for word in words) == expected
    assert len(words) == 16


# Trouble.


@pytest.mark.parametrize("trouble", [t for t in Trouble if t is not Trouble.NONE])
async def test_trouble(connect: Connect, trouble: Trouble) -> None:
    container, device = await connect()
    container.timeout, container.link.answer_within = 0.3, 0.1
    await container.close()
    before = await container.read()
    device.trouble = trouble
    with pytest.raises((DeviceTimeout, DeviceUnreachable, InvalidReply)):
        await container.read()
    device.trouble = Trouble.NONE
    container.timeout = 2.0
    assert await container.read() == before


async def test_asleep_at_connect_is_unreachable(connect: Connect) -> None:
    container, device = await connect()
    await device.stop()
    with pytest.raises(DeviceUnreachable, match="connection"):
        await container.connect()
    await device.start()
    await container.connect()
    assert (await container.read()).status is ContainerStatus.RUNNING


async def test_it_is_alive(simulate: Simulate) -> None:
    device = await simulate(SimulatedMicroBt)
    container: Any = register_miner(
        "microbt-kehua", host=device.host, port=PORT + OFFSET
    )
    seen = {readings(await container.read())["inlet_temperature"] for _ in range(4)}
    assert len(seen) > 1
    await container.close()


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
async def test_any_registers(connect: Any, data: st.DataObject) -> None:
    if not hasattr(connect, "pair"):
        connect.pair = await connect()
    container, device = connect.pair
    draw = st.one_of(st.integers(0, 0xFFFF), st.sampled_from([0xFFFF, 0x8000]))
    words = data.draw(st.lists(draw, min_size=30, max_size=30))
    for unit in device.units.values():
        for at, address in enumerate(sorted(unit.holding)):
            unit.holding[address] = words[at % 30]
    stats = await container.read()
    assert to_json(stats)
    assert len(stats.sockets) == 240


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(body=st.binary(max_size=40))
async def test_any_bytes(connect: Any, body: bytes) -> None:
    if not hasattr(connect, "pair"):
        connect.pair = await connect(timeout=0.06)
    container, device = connect.pair
    device.body = body
    try:
        assert to_json(await container.read())
    except MiningSDKError as error:
        assert str(error)
    finally:
        device.body = None

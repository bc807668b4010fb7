"""Bitdeer D40 over a real Mosquitto, and over a client that somebody hands in."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection
import json
import logging
from pathlib import Path
import subprocess
import sys
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
import orjson
import pytest

from custom_components.miningsdk.sdk import (
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
    Severity,
    register_miner,
    registry,
    to_json,
)
from custom_components.miningsdk.sdk.drivers.bitdeer import BitdeerD40
from custom_components.miningsdk.sdk.transports import mqtt
from custom_components.miningsdk.sdk.transports.mqtt import (
    Heard,
    Message,
    MqttClient,
)
from custom_components.miningsdk.sdk.transports.wire import Wire
from tests.simulators.base import Trouble
from tests.simulators.bitdeer import COMMANDS, TOPICS, SimulatedBitdeer
from tests.simulators.broker import Broker, mosquitto

TOPIC = "C024_D40"
TROUBLE = [trouble for trouble in Trouble if trouble is not Trouble.NONE]
NO_BROKER = pytest.mark.skipif(mosquitto() is None, reason="there is no Mosquitto here")


class FakeLink:
    """A client of somebody else, such as Home Assistant's, without a broker.

    ``device`` hears what is published, and publishes when asked to.
    """

    def __init__(self, device: SimulatedBitdeer | None = None) -> None:
        self.device = device
        self.problem: MiningSDKError | None = None
        self.listeners: dict[str, list[Heard]] = {}

    async def subscribe(
        self, topics: Collection[str], heard: Heard
    ) -> Callable[[], None]:
        self.check()
        for topic in topics:
            self.listeners.setdefault(topic, []).append(heard)
        self.deliver_all()

        def stop() -> None:
            for topic in topics:
                self.listeners[topic].remove(heard)

        return stop

    async def publish(self, topic: str, payload: str) -> None:
        self.check()
        assert self.device is not None
        self.device._hear(topic, payload.encode())
        self.deliver_all()

    def check(self) -> None:
        if self.problem is not None:
            raise self.problem

    def deliver(self, name: str, payload: bytes, *, retained: bool = False) -> None:
        topic = f"{TOPIC}{name}"
        for heard in self.listeners.get(topic, ()):
            heard(Message(topic, payload, retained))

    def deliver_all(self) -> None:
        if self.device is not None:
            for name in TOPICS:
                if name not in self.device.withheld:
                    self.deliver(name, orjson.dumps(self.device.message(name)))


def hurry(container: BitdeerD40) -> BitdeerD40:
    container.confirm_every, container.confirm_within = 0.01, 0.4
    container.stale_after, container.pace = 0.4, 0.0
    if container._own is not None:
        container._own.retry_first = 0.05
    return container


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BitdeerD40, "confirm_longer", {})


@pytest.fixture
async def broker() -> AsyncGenerator[Broker]:
    async with Broker() as running:
        yield running


@pytest.fixture
async def connect(broker: Broker) -> AsyncGenerator[Any]:
    """Return a function that switches on a D40 and connects a container to it."""
    made: list[Any] = []

    async def make(**options: Any) -> tuple[BitdeerD40, SimulatedBitdeer]:
        mine = {key: options.pop(key) for key in ("timeout",) if key in options}
        login: dict[str, Any] = {
            "username": broker.username,
            "password": broker.password,
        }
        options = {"every": 0.02, "port": broker.port, **login, **options}
        device = SimulatedBitdeer(broker.host, **options)
        await device.start()
        container = hurry(
            BitdeerD40(
                broker.host,
                port=broker.port,
                topic=device.topic,
                allow_cooling=True,
                **login,
                **mine,
            )
        )
        made.extend((container.close, device.stop))
        return await container.connect(), device

    yield make
    for end in made:
        await end()


async def handed(
    *, connected: bool = True, allow: bool = True, **options: Any
) -> tuple[BitdeerD40, SimulatedBitdeer, FakeLink]:
    """Return a container on a client of somebody else."""
    device = SimulatedBitdeer(**options)
    link = FakeLink(device)
    container = hurry(
        BitdeerD40("mqtt", topic=TOPIC, mqtt=link, allow_cooling=allow, timeout=0.5)
    )
    container.stale_after = 30.0
    if connected:
        await container.connect()
    return container, device, link


def is_alive(stats: ContainerStats) -> bool:
    return stats.status is ContainerStatus.RUNNING


def readings(stats: ContainerStats) -> dict[str, Any]:
    return {reading.key: reading.value for reading in stats.readings}


def actuators(stats: ContainerStats) -> dict[str, bool | None]:
    return {actuator.key: actuator.on for actuator in stats.actuators}


def setpoints(stats: ContainerStats) -> dict[str, float | None]:
    return {point.key: point.value for point in stats.setpoints}


async def until(check: Callable[[], Any], device: SimulatedBitdeer) -> None:
    """Wait until a check holds, from one publication to the next."""
    for _ in range(200):
        if await check():
            return
        await device.published()
    pytest.fail("it never came to that")


# Who it is.


@pytest.mark.parametrize(
    ("kind", "model", "sockets", "first", "last"),
    [
        ("m56", "D40 M56", 8 * 14, "1-1 1", "2-4 14"),
        ("m30", "D40 M30", 8 * 16, "1-1 a1", "2-4 c5"),
        ("a1346", "D40 A1346/S19XP", 8 * 13 - 4, "1-1 a1", "2-4 c4"),
        ("s19xp", "D40 A1346/S19XP", 8 * 13 - 4, "1-1 a1", "2-4 c4"),
    ],
)
async def test_four_kinds(
    kind: str, model: str, sockets: int, first: str, last: str
) -> None:
    container, _, _ = await handed(model=kind)
    assert container.info.model == model
    stats = await container.read()
    assert len(stats.sockets) == sockets
    assert (stats.sockets[0].name, stats.sockets[-1].name) == (first, last)
    assert stats.sockets[0].index == 101
    indexes = [socket.index for socket in stats.sockets]
    assert len(set(indexes)) == sockets
    names = [socket.name for socket in stats.sockets]
    assert len(set(names)) == sockets
    # The third PDU of a side has no a1, but its a2 keeps its place.
    assert ("1-3 a1" in names) == (kind == "m30")
    if sockets == 8 * 13 - 4:
        assert next(s.index for s in stats.sockets if s.name == "1-3 a2") == 302


async def test_info() -> None:
    container, device, _ = await handed()
    info = container.info
    assert info.kind is DeviceKind.CONTAINER
    assert (info.driver, info.make) == ("bitdeer-d40", "Bitdeer")
    assert info.serial_number == info.unique_id == TOPIC
    assert info.capabilities == (
        Capability.SOCKET,
        Capability.COOLING,
        Capability.SETPOINT,
    )
    options = info.limits[Capability.COOLING].options
    assert set(options) == {
        "auto_run",
        "oil_pump_1",
        "oil_pump_2",
        "water_pump_1",
        "water_pump_2",
        *(f"dry_cooler_{c}_fan_{f}" for c in (1, 2) for f in range(1, 9)),
        "tank_1",
        "tank_2",
        "air_exhaust",
    }
    assert device.requests == 0


@pytest.mark.parametrize("name", ["bitdeer-d40-s19xp", "bitdeer-s19xp"])
async def test_kind_that_is_given(name: str) -> None:
    link = FakeLink(SimulatedBitdeer(model="s19xp"))
    container = register_miner(name, host="mqtt", topic=TOPIC, mqtt=link)
    assert (await container.connect()).info.model == "D40 S19XP"


async def test_topic_is_needed() -> None:
    container = BitdeerD40("127.0.0.1", username="u", password="p")
    with pytest.raises(NotSupported, match="topic"):
        await container.connect()


def test_mqtt_is_imported_only_when_it_is_used() -> None:
    sdk = Path(registry.__file__).parent
    code = (
        "import importlib.util, sys\n"
        f"spec = importlib.util.spec_from_file_location('miningsdk', {str(sdk)!r}"
        " + '/__init__.py')\n"
        "module = importlib.util.module_from_spec(spec)\n"
        "sys.modules['miningsdk'] = module\n"
        "spec.loader.exec_module(module)\n"
        "from miningsdk.registry import drivers\n"
        "assert any(driver.name == 'bitdeer-d40' for driver in drivers())\n"
        "print([n for n in sys.modules if n.startswith(('paho', 'aiomqtt'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


# What it tells.


@NO_BROKER
async def test_reading_over_a_broker(connect: Any) -> None:
    container, device = await connect()
    stats = await container.read()
    assert device.requests == 0
    assert is_alive(stats)
    assert stats.cooling_on is True
    assert stats.power == (8 * 14 * 7 + 12) * 1000
    assert stats.failed == {}
    assert stats.faults == ()


async def test_every_reading() -> None:
    container, _, _ = await handed()
    stats = await container.read()
    found = readings(stats)
    assert stats.power is not None
    assert found["power_a"] == pytest.approx(stats.power / 3, abs=100)
    assert found["voltage_b"] == pytest.approx(237, abs=3)
    assert found["current_c"] > 1000
    assert found["temperature_ambient"] == pytest.approx(28.8, abs=0.4)
    assert found["humidity"] == pytest.approx(63.4, abs=0.8)
    assert found["temperature_oil_hot_1"] == pytest.approx(47, abs=0.6)
    assert found["temperature_oil_cold_2"] == pytest.approx(39, abs=0.6)
    assert found["temperature_water_hot_2"] == pytest.approx(40, abs=0.6)
    assert found["temperature_water_cold_1"] == pytest.approx(31, abs=0.6)
    assert found["pressure_tank_1"] == pytest.approx(2.3, abs=0.1)
    assert found["ups_battery"] == 100
    assert found["ups_output_frequency"] == 50
    assert found["power_pdu_1_1"] == 14 * 7000
    assert found["current_pdu_2_4"] == pytest.approx(141.4)
    assert (found["start_policy"], found["stop_policy"]) == ("electricity", "disabled")
    assert (found["electricity_price"], found["coin_price"]) == (0.05, 91000)
    units = {reading.key: reading.unit for reading in stats.readings}
    assert units["pressure_tank_2"] == "bar"
    assert units["temperature_oil_hot_2"] == "°C"
    assert len(units) == len(stats.readings)
    moving = actuators(stats)
    assert moving["oil_pump_1"] is True
    assert moving["water_pump_2"] is False
    assert moving["dry_cooler_2"] is True
    assert moving["dry_cooler_2_fan_8"] is True
    assert moving["air_exhaust"] is False
    assert setpoints(stats) == {
        "oil_cold_alarm": 48,
        "oil_hot_alarm": 60,
        "water_cold_alarm": 45,
        "water_hot_alarm": 50,
        "oil_cold_target": 38,
        "exhaust_fan_start": 30,
        "pressure_alarm": 3.8,
        "start_electricity_price": 0.04,
        "start_coin_price": 60000,
        "stop_electricity_price": 0.09,
        "stop_coin_price": 40000,
    }
    socket = stats.sockets[0]
    assert (socket.on, socket.power, socket.current) == (True, 7000, 10.1)


async def test_without_pressure_sensors() -> None:
    container, _, _ = await handed(pressure=False)
    stats = await container.read()
    assert "pressure_tank_1" not in readings(stats)
    assert "pressure_alarm" not in setpoints(stats)
    await container.set_setpoint("oil_hot_alarm", 62)


async def test_states() -> None:
    container, device, link = await handed(running=False)
    stats = await container.read()
    assert stats.status is ContainerStatus.STOPPED
    assert stats.cooling_on is True
    device.parameters |= {"Tank1Enable": "0", "Tank2Enable": "0"}
    link.deliver_all()
    assert (await container.read()).cooling_on is False


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("OilPump1 error", "oil_pump_error", "Oil pump 1 has an error"),
        ("WaterPump2 error", "water_pump_error", "Water pump 2 has an error"),
        ("OilPump2 not running", "oil_pump_not_running", "Oil pump 2 does not run"),
        (
            "WaterPump1 not running",
            "water_pump_not_running",
            "Water pump 1 does not run",
        ),
        ("Tank1 hot oil overheat", "hot_oil_overheat", "Tank 1: hot oil too hot"),
        ("Tank2 cool oil overheat", "cold_oil_overheat", "Tank 2: cold oil too hot"),
        ("Tank2 hot water overheat", "hot_water_overheat", "Tank 2: hot water too hot"),
        (
            "Tank1 cool water overheat",
            "cold_water_overheat",
            "Tank 1: cold water too hot",
        ),
    ],
)
async def test_alarms(text: str, code: str, message: str) -> None:
    container, _, _ = await handed(alarms=(text,))
    stats = await container.read()
    assert stats.faults == (
        Fault(code=code, message=message, severity=Severity.CRITICAL),
    )
    assert stats.status is ContainerStatus.FAULT


async def test_alarms_that_nobody_knows() -> None:
    container, device, link = await handed(alarms=("Door open", " "))
    assert (await container.read()).faults == (
        Fault(code="unknown", message="Door open"),
    )
    device.alarms, device.alarm_state = [], "1"
    link.deliver_all()
    (fault,) = (await container.read()).faults
    assert fault.code == "alarm"


async def test_pdu_that_cannot_be_read_is_unknown() -> None:
    container, device, link = await handed()
    device.unreadable = {1}
    link.deliver_all()
    stats = await container.read()
    second = [socket for socket in stats.sockets if 200 < socket.index < 300]
    assert len(second) == 14
    assert {(s.on, s.power, s.current) for s in second} == {(None, None, None)}
    assert readings(stats)["power_pdu_1_2"] is None
    assert readings(stats)["power_pdu_1_1"] == 98_000


# What is no longer true.


@NO_BROKER
async def test_silent_container_is_never_shown_as_alive(connect: Any) -> None:
    container, device = await connect(timeout=0.3)
    assert is_alive(await container.read())
    device.trouble = Trouble.SILENT

    async def is_gone() -> bool:
        try:
            await container.read()
        except DeviceTimeout as error:
            assert "nothing has come from C024_D40" in str(error)
            return True
        return False

    await until(is_gone, device)
    with pytest.raises(DeviceTimeout):
        await container.read()
    device.trouble = Trouble.NONE
    await device.published()
    assert is_alive(await container.read())


async def test_one_topic_that_stops_is_unknown_and_the_rest_is_not() -> None:
    container, device, link = await handed()
    container.stale_after = 0.05
    device.withheld = {"RunningInfo", "PDUData"}
    heard: list[ContainerStats] = []
    while not heard or not device.withheld <= set(heard[-1].failed):
        link.deliver_all()
        heard.append(await container.read())
    stats = heard[-1]
    assert stats.status is ContainerStatus.UNKNOWN
    assert stats.sockets == ()
    assert "oil_pump_1" not in actuators(stats)
    assert readings(stats)["temperature_ambient"] is not None
    assert {"RunningInfo", "PDUData"} <= set(stats.failed)


async def test_retained_messages_are_not_taken_for_news() -> None:
    container, device, link = await handed(connected=False)
    link.device = None
    with pytest.raises(DeviceTimeout):
        await container.connect()
    for name in TOPICS:
        link.deliver(name, orjson.dumps(device.message(name)), retained=True)
    with pytest.raises(DeviceTimeout):
        await container.read()
    for name in TOPICS:
        link.deliver(name, orjson.dumps(device.message(name)))
    assert is_alive(await container.read())


@NO_BROKER
async def test_nothing_has_come_yet(broker: Broker) -> None:
    container = hurry(
        BitdeerD40(
            broker.host,
            port=broker.port,
            topic=TOPIC,
            username=broker.username,
            password=broker.password,
            timeout=0.2,
        )
    )
    with pytest.raises(DeviceTimeout, match="nothing has come from C024_D40"):
        await container.connect()
    await container.close()


# The broker.


@NO_BROKER
async def test_wrong_password(broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    container = hurry(
        BitdeerD40(
            broker.host,
            port=broker.port,
            topic=TOPIC,
            username=broker.username,
            password="wrong-secret",
        )
    )
    with pytest.raises(AuthenticationFailed, match="refused the credentials"):
        await container.connect()
    # It is not sent again, although somebody asks.
    task = container._own._task if container._own else None
    for _ in range(3):
        with pytest.raises(AuthenticationFailed):
            await container.read()
    assert container._own is not None
    assert container._own._task is task
    assert "wrong-secret" not in caplog.text
    assert "wrong-secret" not in repr(container)
    await container.close()


@NO_BROKER
async def test_open_broker_only_when_that_is_allowed() -> None:
    async with Broker(open_to_all=True) as broker:
        device = SimulatedBitdeer(broker.host, port=broker.port, every=0.02)
        await device.start()
        options: dict[str, Any] = {"port": broker.port, "topic": TOPIC}
        careful = BitdeerD40(broker.host, **options)
        with pytest.raises(AuthenticationFailed, match="only when that is allowed"):
            await careful.connect()
        careless = hurry(BitdeerD40(broker.host, anonymous=True, **options))
        assert is_alive(await (await careless.connect()).read())
        await careless.close()
        await device.stop()


@NO_BROKER
async def test_broker_that_restarts(connect: Any, broker: Broker) -> None:
    container, device = await connect(timeout=0.3)
    assert is_alive(await container.read())
    await broker.stop()

    gone = False
    while not gone:
        await asyncio.sleep(0)
        try:
            await container.read()
        except DeviceUnreachable as error:
            assert "refused" in str(error) or "disconnected" in str(error)
            gone = True
    with pytest.raises(DeviceUnreachable):
        await container.set_socket(101, on=False)
    await broker.start()
    await device.published()

    async def is_back() -> bool:
        try:
            return is_alive(await container.read())
        except DeviceUnreachable, DeviceTimeout:
            return False

    await until(is_back, device)
    container.timeout = container.wire.timeout = 2.0
    await container.set_socket(101, on=False)
    assert device.sockets[0][0] == "0"


@NO_BROKER
async def test_broker_that_is_not_there(broker: Broker) -> None:
    await broker.stop()
    container = hurry(
        BitdeerD40(
            broker.host, port=broker.port, topic=TOPIC, username="u", password="p"
        )
    )
    with pytest.raises(DeviceUnreachable, match="refused"):
        await container.connect()
    await container.close()


async def test_something_else_than_a_broker() -> None:
    async def answer(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    container = hurry(
        BitdeerD40(
            "127.0.0.1", port=port, topic=TOPIC, username="u", password="p", timeout=0.3
        )
    )
    with pytest.raises((DeviceUnreachable, DeviceTimeout)):
        await container.connect()
    await container.close()
    server.close()


@NO_BROKER
async def test_user_who_may_not_listen() -> None:
    """Mosquitto does not refuse such a subscription, but hands on nothing."""
    async with Broker(allowed="elsewhere/#") as broker:
        container = hurry(
            BitdeerD40(
                broker.host,
                port=broker.port,
                topic=TOPIC,
                username=broker.username,
                password=broker.password,
                timeout=0.3,
            )
        )
        with pytest.raises(DeviceTimeout, match="may this user listen"):
            await container.connect()
        await container.close()


async def test_broker_that_refuses_a_subscription() -> None:
    class Client:
        async def subscribe(self, topics: list[tuple[str, int]]) -> list[int]:
            return [0, 128]

    with pytest.raises(AuthenticationFailed, match="does not let this user"):
        await mqtt._subscribe(Client(), ["a", "b"])  # type: ignore[arg-type]


async def test_closed_while_it_connects() -> None:
    """A broker that keeps silent holds up neither a reading nor the end."""
    writers: list[asyncio.StreamWriter] = []
    reached = asyncio.Event()

    async def keep_silent(
        _: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writers.append(writer)
        reached.set()

    server = await asyncio.start_server(keep_silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    container = hurry(
        BitdeerD40(
            "127.0.0.1", port=port, topic=TOPIC, username="u", password="p", timeout=0.3
        )
    )
    connecting = asyncio.create_task(container.connect())
    await reached.wait()
    await container.close()
    with pytest.raises(MiningSDKError):
        await connecting
    for writer in writers:
        writer.close()
    server.close()


@NO_BROKER
async def test_subscriptions_come_and_go(broker: Broker) -> None:
    client = MqttClient(
        Wire(host=broker.host),
        broker.port,
        username=broker.username,
        password=broker.password,
    )
    heard: list[str] = []
    arrived = asyncio.Event()

    def hear(message: Message) -> None:
        heard.append(f"{message.topic} {message.payload.decode()}")
        arrived.set()

    first = await client.subscribe(["a"], hear)
    await client.subscribe(["b"], hear)
    first()
    for topic in ("a", "b"):
        await client.publish(topic, "hello")
    await arrived.wait()
    assert heard == ["b hello"]
    with pytest.raises(DeviceUnreachable):
        await client.publish("wild/#", "not a topic to speak to")
    await client.close()


@NO_BROKER
async def test_two_containers_share_a_client(broker: Broker) -> None:
    wire = Wire(host=broker.host)
    client = MqttClient(
        wire, broker.port, username=broker.username, password=broker.password
    )
    devices, containers = [], []
    for topic in ("C1", "C11"):
        device = SimulatedBitdeer(
            broker.host,
            port=broker.port,
            username=broker.username,
            password=broker.password,
            topic=topic,
            every=0.02,
        )
        await device.start()
        devices.append(device)
        containers.append(hurry(BitdeerD40("mqtt", topic=topic, mqtt=client)))
    for container in containers:
        assert is_alive(await (await container.connect()).read())
    await containers[0].set_socket(101, on=False)
    assert devices[0].sockets[0][0] == "0"
    assert devices[1].requests == 0
    await containers[0].close()
    assert is_alive(await containers[1].read())
    for end in (*(device.stop for device in devices), client.close):
        await end()


# A client that somebody hands in.


async def test_given_client_needs_no_login_and_is_let_go() -> None:
    container, device, link = await handed()
    assert is_alive(await container.read())
    await container.close()
    assert not any(link.listeners.values())
    assert is_alive(await (await container.connect()).read())
    link.problem = DeviceUnreachable("the broker is away")
    with pytest.raises(DeviceUnreachable, match="is away"):
        await container.set_socket(101, on=False)
    container.stale_after = 0.0
    with pytest.raises(DeviceUnreachable, match="is away"):
        await container.read()
    assert device.requests == 0


# Commands.


@NO_BROKER
async def test_commands_over_a_broker(connect: Any) -> None:
    container, device = await connect()
    await container.set_socket(305, on=False)
    assert device.commands[-1] == (
        "PDUOperate",
        {"PDUIndex": 2, "SocketIndex": 4, "Operate": "0"},
    )
    await container.set_cooling(on=False)
    await container.set_setpoint("oil_cold_target", 36.5)
    await container.set_actuator("auto_run", on=False)
    stats = await container.read()
    assert stats.status is ContainerStatus.STOPPED
    assert stats.cooling_on is False
    assert setpoints(stats)["oil_cold_target"] == 36.5
    assert {name for name, _ in device.commands} <= set(COMMANDS)


async def test_cooling() -> None:
    container, device, _ = await handed()
    await container.set_cooling(on=False)
    assert [name for name, _ in device.commands] == [
        "CoolerOperate",
        "CoolerOperate",
        "ParameterSet",
    ]
    assert device.commands[1][1] == {
        "CoolerIndex": "1",
        "FansIndex": "-1",
        "Operate": "0",
    }
    body = device.commands[2][1]
    assert body["RunningParameter"]["Tank1Enable"] == "0"
    # What is not changed is sent as it was.
    assert body["RunningParameter"]["CoolOilAlarmTemp"] == "48.0"
    assert len(body["TimeStamp"]) == len("2023-06-16 19:33:00")
    assert (await container.read()).cooling_on is False
    await container.set_cooling(on=True)
    assert device.fans[1] == ["1"] * 8


@pytest.mark.parametrize(
    ("key", "name", "body"),
    [
        ("oil_pump_2", "PumpOperate", {"Type": "OilPump", "Index": "2"}),
        ("water_pump_1", "PumpOperate", {"Type": "WaterPump", "Index": "1"}),
        (
            "dry_cooler_2_fan_3",
            "CoolerOperate",
            {"CoolerIndex": "1", "FansIndex": "2"},
        ),
    ],
)
async def test_machines(key: str, name: str, body: dict[str, str]) -> None:
    container, device, _ = await handed()
    await container.set_actuator(key, on=False)
    assert device.commands == [(name, {**body, "Operate": "0"})]
    assert actuators(await container.read())[key] is False
    await container.set_actuator(key, on=True)
    assert actuators(await container.read())[key] is True


@pytest.mark.parametrize("key", ["auto_run", "tank_1", "tank_2", "air_exhaust"])
async def test_switches(key: str) -> None:
    container, device, _ = await handed()
    for on in (False, True):
        await container.set_actuator(key, on=on)
        assert actuators(await container.read())[key] is on
    assert len(device.commands) == 2


@pytest.mark.parametrize("key", ["dry_cooler_1", "door"])
async def test_what_cannot_be_switched(key: str) -> None:
    container, device, _ = await handed()
    with pytest.raises(NotSupported, match="is not one of"):
        await container.set_actuator(key, on=False)
    assert device.requests == 0


async def test_sockets_of_a_whole_pdu_take_one_message() -> None:
    container, device, _ = await handed(model="a1346")
    stats = await container.read()
    third = [s.index for s in stats.sockets if 300 < s.index < 400]
    assert len(third) == 12
    await container.set_sockets([*third, 101], on=False)
    assert [body["SocketIndex"] for _, body in device.commands] == [0, -1]
    assert [body["PDUIndex"] for _, body in device.commands] == [0, 2]
    off = {s.index for s in (await container.read()).sockets if not s.on}
    assert off == {*third, 101}
    with pytest.raises(CommandFailed, match="no socket 301"):
        await container.set_socket(301, on=False)
    with pytest.raises(CommandFailed, match="no socket 9999"):
        await container.set_sockets([101, 9999], on=False)
    assert device.requests == 2


@pytest.mark.parametrize(
    ("key", "value", "low", "high"),
    [
        ("oil_hot_alarm", 61.5, 9, 81),
        ("water_cold_alarm", 40.0, 4, 61),
        ("oil_cold_target", 35.0, 19, 51),
        ("exhaust_fan_start", 28.0, -1, 61),
        ("pressure_alarm", 3.25, -0.1, 5.1),
        ("start_electricity_price", 0.03, -1, 1e9),
        ("stop_coin_price", 45000.0, -1, 1e9),
    ],
)
async def test_setpoints(key: str, value: float, low: float, high: float) -> None:
    container, device, _ = await handed()
    before = setpoints(await container.read())
    await container.set_setpoint(key, value)
    assert setpoints(await container.read()) == before | {key: value}
    assert len(device.commands) == 1
    for outside in (low, high):
        with pytest.raises(NotSupported, match="outside"):
            await container.set_setpoint(key, outside)
    assert len(device.commands) == 1


async def test_reset() -> None:
    container, device, link = await handed(alarms=("OilPump1 error",))
    await container.reset_cooling()
    assert (await container.read()).status is ContainerStatus.RUNNING
    device.alarms = ["Tank1 hot oil overheat"]
    device.persistent = set(device.alarms)
    link.deliver_all()
    with pytest.raises(CommandFailed, match="not confirmed"):
        await container.reset_cooling()


async def test_not_confirmed() -> None:
    container, device, _ = await handed()
    device.stubborn = True
    container.confirm_within = 0.05
    for command in (
        container.set_cooling(on=False),
        container.set_actuator("tank_1", on=False),
        container.set_socket(101, on=False),
        container.set_setpoint("oil_hot_alarm", 61),
    ):
        with pytest.raises(CommandFailed, match="not confirmed"):
            await command


async def test_what_was_said_before_the_command_confirms_nothing() -> None:
    container, device, link = await handed()
    link.deliver_all()
    device.stubborn = True
    # It showed "on" before; nothing new comes after the command.
    device.withheld = set(TOPICS)
    container.confirm_within = 0.05
    container.timeout = 0.1
    with pytest.raises(CommandFailed, match="keeps silent"):
        await container.set_socket(101, on=True)


async def test_settings_that_are_not_known_are_not_overwritten() -> None:
    container, device, _ = await handed(connected=False)
    device.withheld = {"ParameterData"}
    await container.connect()
    for command in (
        container.set_cooling(on=False),
        container.set_setpoint("oil_hot_alarm", 61),
    ):
        with pytest.raises((CommandFailed, NotSupported)):
            await command
    assert device.requests == 0


async def test_cooling_is_left_alone_unless_allowed() -> None:
    container, device, _ = await handed(allow=False)
    assert container.info.capabilities == (Capability.SOCKET,)
    for command in (
        container.set_cooling(on=False),
        container.reset_cooling(),
        container.set_setpoint("oil_hot_alarm", 61),
        container.set_actuator("auto_run", on=False),
    ):
        with pytest.raises(NotSupported, match="allow_cooling is off"):
            await command
    await container.set_socket(101, on=False)
    assert device.requests == 1


async def test_messages_are_paced(monkeypatch: pytest.MonkeyPatch) -> None:
    container, _, _ = await handed()
    container.pace = 0.1
    waits: list[float] = []
    real = asyncio.sleep

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await real(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    await container.set_cooling(on=False)
    assert waits.count(0.1) == 3


# Trouble.


@NO_BROKER
@pytest.mark.parametrize("trouble", TROUBLE)
async def test_trouble(connect: Any, trouble: Trouble) -> None:
    container, device = await connect(timeout=0.3)
    assert is_alive(await container.read())
    device.trouble = trouble

    async def shows() -> bool:
        try:
            stats = await container.read()
        except (DeviceTimeout, InvalidReply) as error:
            assert str(error)
            return True
        assert to_json(stats)
        return not is_alive(stats)

    await until(shows, device)
    device.trouble = Trouble.NONE

    async def recovered() -> bool:
        try:
            return is_alive(await container.read())
        except DeviceTimeout, InvalidReply:
            return False

    await until(recovered, device)


_ODD = [
    {"RunningState": [], "AlarmInfo": "x", "DeviceInfo": {"DryCooler": [{}, 5]}},
    {"PDUData": [{"PDUIndex": "x"}, {"PDUIndex": "1", "SocketStatus": [None, {}]}]},
    {"PowerData": 5, "TemperatureData": [], "UPSData": {"Temperature": "hot"}},
    {"Tactics": {"RunTactics": [], "StopTactics": {"TacticsType": "9"}}},
    {"RunningParameter": {"Tank1Enable": "maybe", "HotOilAlarmTemp": {}}},
]


@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    name=st.sampled_from(TOPICS),
    body=st.one_of(
        st.binary(), st.sampled_from([json.dumps(o).encode() for o in _ODD])
    ),
)
async def test_any_bytes(name: str, body: bytes) -> None:
    container, _, link = await handed()
    link.deliver(name, body)
    try:
        assert to_json(await container.read())
    except MiningSDKError as error:
        assert str(error)


async def test_odd_fields_lose_no_others() -> None:
    container, device, link = await handed()
    for name, body in zip(TOPICS, _ODD, strict=True):
        link.deliver(name, orjson.dumps(body))
    stats = await container.read()
    assert stats.status is ContainerStatus.UNKNOWN
    assert stats.cooling_on is None
    assert "ups_temperature" in stats.failed
    assert [socket.on for socket in stats.sockets] == [None, None]
    link.deliver("MainData", orjson.dumps(device.message("MainData")))
    assert readings(await container.read())["ups_battery"] == 100

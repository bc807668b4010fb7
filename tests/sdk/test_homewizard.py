"""HomeWizard: version 1 of the API over HTTP, version 2 over HTTPS with tokens."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime
import ssl
from typing import Any

from aiohttp import ClientSession
from hypothesis import HealthCheck, given, settings, strategies as st
import orjson
import pytest

from custom_components.miningsdk.sdk import (
    AuthenticationFailed,
    Capability,
    CommandFailed,
    DeviceKind,
    DeviceTimeout,
    DeviceUnreachable,
    InvalidReply,
    MeterStats,
    NotSupported,
    identify,
    register_miner,
)
from custom_components.miningsdk.sdk.drivers import _home_meter
from custom_components.miningsdk.sdk.drivers._homewizard_ca import AUTHORITY
from custom_components.miningsdk.sdk.drivers._homewizard_stats import read_measurement
from custom_components.miningsdk.sdk.drivers.homewizard import HomeWizard, HomeWizardV2
from custom_components.miningsdk.sdk.fields import Fields
from custom_components.miningsdk.sdk.transports.tls import trust
from tests.conftest import OFFSET, Simulate
from tests.sdk.site_trouble import survives, survives_bytes
from tests.sdk.trouble import ALL_TROUBLE
from tests.simulators.base import Trouble
from tests.simulators.homewizard import (
    SimulatedHomeWizard,
    SimulatedHomeWizardV2,
    maker_of_devices,
)

TOKEN = "0123456789ABCDEF0123456789ABCDEF"
V1, V2 = SimulatedHomeWizard, SimulatedHomeWizardV2
KINDS: dict[type[Any], type[Any]] = {V1: HomeWizard, V2: HomeWizardV2}
PORTS: dict[type[Any], int] = {V1: 80 + OFFSET, V2: 443 + OFFSET}
BOTH = pytest.mark.parametrize("kind", [V1, V2], ids=["v1", "v2"])


@pytest.fixture(autouse=True)
def simulated_maker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HomeWizardV2, "authority", maker_of_devices().pem)


@pytest.fixture
async def make(simulate: Simulate) -> AsyncGenerator[Any]:
    """Return a function that switches on a device and makes a meter for it."""
    meters: list[Any] = []

    async def one(kind: Any = V1, **options: Any) -> tuple[Any, Any]:
        mine = {
            key: options.pop(key)
            for key in ("timeout", "session", "serial_number")
            if key in options
        }
        if kind is V2:
            options.setdefault("password", TOKEN)
        typed = options.pop("typed", options.get("password"))
        device = await simulate(kind, **options)
        meter = KINDS[kind](device.host, port=PORTS[kind], password=typed, **mine)
        meter.confirm_every, meter.confirm_within = 0.01, 0.2
        meters.append(meter)
        return meter, device

    yield one
    for meter in meters:
        await meter.close()


@pytest.fixture
def connect(make: Any) -> Any:
    """Return a function that switches on a device and connects a meter to it."""

    async def one(*args: Any, **options: Any) -> tuple[Any, Any]:
        meter, device = await make(*args, **options)
        return await meter.connect(), device

    return one


def is_alive(stats: MeterStats) -> bool:
    return stats.power is not None and stats.power > 0


# Who it is.


@BOTH
async def test_info(connect: Any, kind: Any) -> None:
    meter, device = await connect(kind, model="HWE-KWH3", serial=3)
    info = meter.info
    assert info.kind is DeviceKind.METER
    assert (info.make, info.model) == ("HomeWizard", "HWE-KWH3")
    assert info.firmware_version == "6.10"
    assert info.serial_number == info.unique_id == "a8032a000003"
    assert info.mac == "a8:03:2a:00:00:03"
    assert info.capabilities == ()
    assert device.requests == 1


@BOTH
async def test_identified(simulate: Simulate, kind: Any) -> None:
    device = await simulate(kind)
    found = await identify(device.host, port=PORTS[kind], timeout=5)
    assert found is not None
    assert (found.driver, found.port) == (KINDS[kind], PORTS[kind])


async def test_what_is_off_or_foreign_is_told_apart(simulate: Simulate) -> None:
    off = await simulate(V1, enabled=False)
    found = await identify(off.host, port=PORTS[V1], timeout=5)
    assert found is not None
    assert (found.driver, found.score) == (HomeWizard, 40)
    foreign = await simulate(V2, foreign=True)
    assert await identify(foreign.host, port=PORTS[V2], timeout=5) is None


def test_registered() -> None:
    assert isinstance(register_miner("homewizard", host="127.0.0.1"), HomeWizard)
    assert isinstance(register_miner("homewizard-v2", host="127.0.0.1"), HomeWizardV2)


async def test_replaced_device_is_noticed(connect: Any) -> None:
    meter, device = await connect()
    device.mac = "A8032AFFFFFE"
    meter.forget_info()
    await meter.read()
    assert meter.info.unique_id == "a8032afffffe"


async def test_token_is_not_sent_to_another_device(
    connect: Any, simulate: Simulate
) -> None:
    meter, device = await connect(V2, serial=1)
    await device.stop()
    other = await simulate(V2, serial=2, host=device.host, password="another")
    for _ in range(2):
        with pytest.raises(DeviceUnreachable):
            await meter.read()
    assert TOKEN not in other.tokens_seen
    await other.stop()
    await device.start()
    assert is_alive(await meter.read())


async def test_serial_number_that_is_known_is_asked_for(make: Any) -> None:
    meter, device = await make(V2, serial=1, serial_number="a8032a000002")
    with pytest.raises(DeviceUnreachable, match="another device"):
        await meter.connect()
    assert device.tokens_seen == set()


# What it measures.


@BOTH
@pytest.mark.parametrize("old", [False, True])
async def test_p1(connect: Any, kind: Any, old: bool) -> None:
    meter, device = await connect(kind, old=old)
    device.requests = 0
    stats = await meter.read()
    assert device.requests == 1
    assert stats.power == pytest.approx(sum(map(device.power, range(3))), abs=2)
    assert len(stats.power_phase) == len(stats.voltage_phase) == 3
    assert stats.current_phase[2] == pytest.approx(device.power(2) / 231, abs=0.1)
    assert stats.energy_import == pytest.approx(
        sum(map(device.imported, range(3))), abs=3e-3
    )
    assert stats.energy_export == pytest.approx(12.5 + 13.5 + 14.5, abs=3e-3)
    assert stats.sockets == ()
    assert stats.failed == {}


@BOTH
async def test_p1_of_one_phase(connect: Any, kind: Any) -> None:
    meter, device = await connect(kind, phases=1, power=-900.0)
    stats = await meter.read()
    assert stats.power == pytest.approx(device.power(), abs=1)
    assert stats.power_phase == (stats.power,)
    assert stats.current_phase[0] < 0


@BOTH
async def test_kwh_meter(connect: Any, kind: Any) -> None:
    meter, device = await connect(kind, model="HWE-KWH1", power=2300.0)
    stats = await meter.read()
    assert stats.power_phase == (stats.power,)
    assert stats.voltage_phase == (pytest.approx(device.voltage(), abs=0.2),)
    assert stats.current_phase == (pytest.approx(10, abs=0.2),)
    assert stats.power_factor == 0.95
    assert stats.frequency == 49.98
    assert stats.power_reactive == pytest.approx(-0.3 * stats.power, abs=1)
    three, _ = await connect(kind, model="HWE-KWH3")
    assert (await three.read()).power_factor == pytest.approx(0.95, abs=0.01)


async def test_battery(connect: Any) -> None:
    meter, _ = await connect(V2, model="HWE-BAT", power=-800.0)
    stats = await meter.read()
    assert stats.power < -700
    assert stats.energy_export > 12


async def test_water_is_no_power(connect: Any) -> None:
    with pytest.raises(NotSupported, match="does not measure"):
        await connect(V1, model="HWE-WTR")


# The relay of an Energy Socket.


async def test_socket_is_confirmed(connect: Any) -> None:
    meter, device = await connect(V1, model="HWE-SKT")
    assert meter.info.capabilities == (Capability.SOCKET,)
    device.requests = 0
    assert (await meter.read()).sockets[0].on is True
    assert device.requests == 2
    await meter.set_socket(0, on=False)
    assert device.on == [False]
    stats = await meter.read()
    assert (stats.power, stats.sockets[0].on) == (0, False)


async def test_socket_refused_or_not_confirmed(connect: Any) -> None:
    meter, device = await connect(V1, model="HWE-SKT", locked=True)
    with pytest.raises(CommandFailed, match="switch_lock is on"):
        await meter.set_socket(0, on=False)
    device.locked, device.stubborn = False, True
    with pytest.raises(CommandFailed, match="not confirmed"):
        await meter.set_socket(0, on=False)
    with pytest.raises(CommandFailed, match="no socket 1"):
        await meter.set_socket(1, on=False)
    p1, _ = await connect(V1)
    with pytest.raises(NotSupported):
        await p1.set_socket(0, on=False)


# Its login.


async def test_local_api_that_is_off(make: Any) -> None:
    meter, device = await make(V1, enabled=False)
    with pytest.raises(NotSupported, match="switch it on in the app"):
        await meter.connect()
    device.enabled = True
    assert is_alive(await meter.read())


async def test_token_is_made_at_the_button(make: Any) -> None:
    meter, device = await make(V2, password=None)
    with pytest.raises(AuthenticationFailed, match="create one"):
        await meter.connect()
    with pytest.raises(AuthenticationFailed, match="press the button"):
        await meter.pair()
    device.press()
    token = await meter.pair("tests")
    assert device.tokens["local/tests"] == token == meter.password
    assert is_alive(await meter.read())
    assert token not in repr(meter)
    device.body = b"{}"
    with pytest.raises(InvalidReply):
        await meter.pair()


async def test_refused_token_is_not_sent_again(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter, device = await make(V2, typed="F" * 32)
    with pytest.raises(AuthenticationFailed) as raised:
        await meter.connect()
    assert "FFFF" not in str(raised.value)
    for _ in range(3):
        with pytest.raises(AuthenticationFailed):
            await meter.read()
    assert device.unauthorised == 1
    device.tokens["local/new"] = "F" * 32
    monkeypatch.setattr(_home_meter, "_REFUSED_FOR", 0.0)
    assert is_alive(await meter.read())


async def test_token_that_is_withdrawn(connect: Any) -> None:
    meter, device = await connect(V2)
    device.tokens.clear()
    with pytest.raises(AuthenticationFailed):
        await meter.read()


async def test_certificate_of_somebody_else(make: Any) -> None:
    meter, device = await make(V2, foreign=True)
    with pytest.raises(DeviceUnreachable, match="not trusted"):
        await meter.connect()
    with pytest.raises(DeviceUnreachable, match="not trusted"):
        await meter.pair()
    assert device.tokens_seen == set()
    assert device.requests == 0


async def test_authority_of_the_maker() -> None:
    context = await trust(AUTHORITY, by_name=True)
    known: dict[str, Any] = context.get_ca_certs()[0]
    assert (("commonName", "Appliance Access CA"),) in known["subject"]
    # It is of version 1, which strict checking refuses.
    assert known["version"] == 1
    assert not context.verify_flags & ssl.VERIFY_X509_STRICT
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    until = ssl.cert_time_to_seconds(str(known["notAfter"]))
    assert until > datetime.now(UTC).timestamp()


async def test_given_session_is_used_and_stays_open(connect: Any) -> None:
    async with ClientSession() as session:
        meter, _ = await connect(V2, session=session)
        assert is_alive(await meter.read())
        await meter.close()
        assert not session.closed


# Trouble.


@BOTH
@pytest.mark.parametrize("trouble", ALL_TROUBLE)
async def test_trouble(connect: Any, kind: Any, trouble: Trouble) -> None:
    meter, device = await connect(kind, timeout=0.4)
    await survives(meter, device, trouble, is_alive)
    assert device.most_connections <= 2


@BOTH
async def test_unreachable(connect: Any, kind: Any) -> None:
    meter, device = await connect(kind)
    await device.stop()
    with pytest.raises(DeviceUnreachable):
        await meter.read()
    await device.start()
    assert is_alive(await meter.read())


async def test_plain_http_where_tls_is_expected(simulate: Simulate) -> None:
    device = await simulate(V1)
    meter = HomeWizardV2(device.host, port=PORTS[V1], password=TOKEN, timeout=0.5)
    with pytest.raises((InvalidReply, DeviceUnreachable)):
        await meter.connect()
    await meter.close()


@pytest.mark.parametrize(
    ("answer", "error"),
    [(b"", DeviceTimeout), (b"HTTP/1.1 400 Bad Request\r\n\r\n", InvalidReply)],
)
async def test_no_tls_at_all(answer: bytes, error: type[Exception]) -> None:
    writers: list[asyncio.StreamWriter] = []

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        writer.write(answer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    meter = HomeWizardV2("127.0.0.1", port=port, password=TOKEN, timeout=0.3)
    with pytest.raises(error):
        await meter.connect()
    for writer in writers:
        writer.close()
    server.close()
    await meter.close()


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
async def test_any_bytes(connect: Any, data: Any) -> None:
    if not hasattr(connect, "pair"):
        connect.pair = await connect(V1, timeout=1.0)
    meter, device = connect.pair
    words = st.sampled_from(
        [b'{"active_power_w":[]}', b'{"product_type":1,"serial":{}}', b"[1]"]
    )
    await survives_bytes(meter, device, data.draw(st.one_of(st.binary(), words)))


def test_one_odd_field_loses_no_other() -> None:
    failed: dict[str, str] = {}
    data = Fields({"power_w": 12, "voltage_v": "much", "frequency_hz": 50}, failed)
    stats = read_measurement(data, "", "energy", failed)
    assert (stats.power, stats.frequency) == (12, 50)
    assert stats.voltage_phase == (None,)
    assert set(stats.failed) == {"voltage_phase"}


# Recorded replies.


def recorded(raw: bytes, version: int) -> MeterStats:
    prefix, energy = ("active_", "total_power") if version == 1 else ("", "energy")
    return read_measurement(Fields(orjson.loads(raw)), prefix, energy, {})


def test_recorded_v1(example: Callable[[str], bytes]) -> None:
    stats = recorded(example("homewizard/v1/HWE-P1/data.json"), 1)
    assert stats.power == -543
    assert stats.power_phase == (-676.0, 133.0, 0.0)
    assert stats.current_phase == (-4.0, 2.0, 0.0)
    assert (stats.energy_import, stats.energy_export) == (13779.338, 0.0)
    one = recorded(example("homewizard/v1/HWE-P1/data_single_phase.json"), 1)
    assert one.power_phase == (-676.0,)
    assert one.energy_import == round(10830.511 + 2948.827, 6)
    plug = recorded(example("homewizard/v1/HWE-SKT/data.json"), 1)
    assert (plug.power, plug.energy_import) == (123, 10830.511)
    kwh = recorded(example("homewizard/v1/SDM230-wifi/data.json"), 1)
    assert kwh.power == -45.3
    assert kwh.voltage_phase == (228.5,)
    assert kwh.power_reactive == -58.6
    assert kwh.power_factor == 0.611
    three = recorded(example("homewizard/v1/SDM630-wifi/data.json"), 1)
    assert three.power_phase == (0.0, 3547.0, 3553.3)
    assert three.power_factor == 0.998
    assert three.frequency == 49.93


def test_recorded_v2(example: Callable[[str], bytes]) -> None:
    one = "homewizard/v2/HWE-P1/measurement_1_phase_no_gas.json"
    stats = recorded(example(one), 2)
    assert (stats.power, stats.power_phase) == (-678.0, (-676.0,))
    assert stats.energy_export == round(1285.951 + 2876.51, 6)
    kwh = recorded(example("homewizard/v2/HWE-KWH3/measurement.json"), 2)
    assert kwh.power_phase == (50.0, 40.0, -30.0)
    assert kwh.voltage_phase == (230.0, 230.0, 230.0)
    assert kwh.energy_export == 78.91
    battery = recorded(example("homewizard/v2/HWE-BAT/measurement.json"), 2)
    assert (battery.power, battery.current_phase) == (1234.0, (5.678,))

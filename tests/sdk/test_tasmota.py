"""Tasmota: one circuit or several, with relays and a web password or without."""

from collections.abc import AsyncGenerator, Callable
import logging
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
import orjson
import pytest

from custom_components.miningsdk.sdk import (
    AuthenticationFailed,
    Capability,
    CommandFailed,
    DeviceKind,
    DeviceUnreachable,
    MeterStats,
    MiningSDKError,
    NotSupported,
    identify,
    register_miner,
)
from custom_components.miningsdk.sdk.drivers.tasmota import Tasmota
from tests.conftest import OFFSET, Simulate
from tests.sdk.site_trouble import survives, survives_bytes
from tests.sdk.trouble import ALL_TROUBLE
from tests.simulators.base import Trouble
from tests.simulators.tasmota import SimulatedTasmota

PORT = 80 + OFFSET
SECRET = "geheim&cmnd=x #1"


@pytest.fixture
async def connect(simulate: Simulate) -> AsyncGenerator[Any]:
    """Return a function that switches on a device and connects a meter to it."""
    meters: list[Tasmota] = []

    async def make(**options: Any) -> tuple[Tasmota, SimulatedTasmota]:
        mine = {
            name: options.pop(name)
            for name in ("channel", "timeout")
            if name in options
        }
        typed = options.pop("typed", options.get("password"))
        device = await simulate(SimulatedTasmota, **options)
        meter = Tasmota(device.host, port=PORT, password=typed, **mine)
        meter.confirm_every, meter.confirm_within = 0.01, 0.2
        meters.append(meter)
        return await meter.connect(), device

    yield make
    for meter in meters:
        await meter.close()


def is_alive(stats: MeterStats) -> bool:
    return stats.power is not None and stats.power > 0


async def test_info(connect: Any) -> None:
    meter, device = await connect(serial=5)
    info = meter.info
    assert info.kind is DeviceKind.METER
    assert (info.driver, info.make, info.model) == ("tasmota", "Tasmota", "NOUS A1T")
    assert (info.firmware, info.firmware_version) == (
        "tasmota",
        "14.4.1(release-tasmota)",
    )
    assert info.mac == info.unique_id == "a8:03:2a:00:00:05"
    assert info.hostname == "tasmota-000005"
    assert info.capabilities == (Capability.SOCKET,)
    assert device.commands == ["Status 0"]


@pytest.mark.parametrize("password", [None, SECRET])
@pytest.mark.parametrize("firmware", ["8.1.0", "14.4.1(release-tasmota)"])
@pytest.mark.parametrize("language", ["en", "sv"])
async def test_identified(
    simulate: Simulate, password: str | None, firmware: str, language: str
) -> None:
    device = await simulate(
        SimulatedTasmota, password=password, firmware=firmware, language=language
    )
    found = await identify(device.host, port=PORT, timeout=5)
    assert found is not None
    assert found.driver is Tasmota
    assert isinstance(register_miner("tasmota", host="127.0.0.1"), Tasmota)


async def test_replaced_device_is_noticed(connect: Any) -> None:
    meter, device = await connect()
    before = meter.info.unique_id
    device.mac = "A8032AFFFFFE"
    meter.forget_info()
    await meter.read()
    assert meter.info.unique_id != before


async def test_plug(connect: Any) -> None:
    meter, device = await connect(power=1500.0)
    device.requests = 0
    stats = await meter.read()
    assert device.requests == 2
    assert stats.power == pytest.approx(device.power(), abs=1)
    assert stats.power_phase == (stats.power,)
    assert stats.voltage_phase == (pytest.approx(device.voltage(), abs=1),)
    assert stats.power_factor == 0.95
    assert stats.power_apparent == pytest.approx(stats.power / 0.95, abs=1)
    assert stats.power_reactive == pytest.approx(stats.power * 0.3, abs=1)
    assert stats.energy_import == pytest.approx(device.imported(), abs=2e-3)
    assert stats.energy_export is None
    assert [(s.index, s.on) for s in stats.sockets] == [(0, True)]
    assert stats.failed == {}


async def test_without_a_relay_a_reading_is_one_request(connect: Any) -> None:
    meter, device = await connect(relays=0)
    assert meter.info.capabilities == ()
    device.requests = 0
    assert (await meter.read()).sockets == ()
    assert device.requests == 1
    with pytest.raises(NotSupported):
        await meter.set_socket(0, on=False)


async def test_three_phases_that_flow_both_ways(connect: Any) -> None:
    meter, device = await connect(channels=3, phases=True, relays=0, both_ways=True)
    stats = await meter.read()
    assert stats.power == pytest.approx(sum(map(device.power, range(3))), abs=3)
    assert len(stats.power_phase) == len(stats.voltage_phase) == 3
    assert stats.current_phase[1] == pytest.approx(device.power(1) / 218.5, abs=0.1)
    assert stats.frequency == 50
    assert stats.power_factor == pytest.approx(0.95, abs=0.01)
    assert stats.energy_import == pytest.approx(
        sum(map(device.imported, range(3))), abs=3e-3
    )
    assert stats.energy_export == pytest.approx(12.5 + 13.5 + 14.5)


async def test_several_plugs_share_one_counter(connect: Any) -> None:
    meter, device = await connect(channels=2, relays=2)
    stats = await meter.read()
    assert stats.power == pytest.approx(device.power(0) + device.power(1), abs=2)
    assert stats.power_phase == ()
    assert stats.energy_import == pytest.approx(
        device.imported(0) + device.imported(1), abs=2e-3
    )
    assert [socket.index for socket in stats.sockets] == [0, 1]
    second, device = await connect(channels=2, relays=2, channel=1)
    picked = await second.read()
    assert picked.power == pytest.approx(device.power(1), abs=1)
    # The counter holds the other circuit as well.
    assert picked.energy_import is None
    with pytest.raises(NotSupported, match="channel 2"):
        await connect(channels=2, channel=2)


async def test_what_measures_nothing_is_no_meter(connect: Any) -> None:
    with pytest.raises(NotSupported, match="does not measure"):
        await connect(measures=False)


@pytest.mark.parametrize("relays", [1, 2])
async def test_socket_is_confirmed(connect: Any, relays: int) -> None:
    meter, device = await connect(relays=relays, channels=relays)
    last = relays - 1
    await meter.set_socket(last, on=False)
    assert device.on == [True] * last + [False]
    assert (await meter.read()).sockets[last].on is False
    await meter.set_socket(last, on=True)
    assert device.on == [True] * relays


async def test_socket_not_confirmed_or_refused(connect: Any) -> None:
    meter, device = await connect()
    device.stubborn = True
    with pytest.raises(CommandFailed, match="not confirmed"):
        await meter.set_socket(0, on=False)
    with pytest.raises(CommandFailed, match="Unknown"):
        await meter.set_socket(3, on=False)


@pytest.mark.parametrize("firmware", ["8.1.0", "14.4.1(release-tasmota)"])
async def test_login(connect: Any, firmware: str) -> None:
    meter, device = await connect(password=SECRET, firmware=firmware)
    assert is_alive(await meter.read())
    await meter.set_socket(0, on=False)
    assert device.unauthorised == 0
    assert device.commands[-2:] == ["Status 8", "Status 11"]


@pytest.mark.parametrize("firmware", ["8.1.0", "14.4.1(release-tasmota)"])
@pytest.mark.parametrize("typed", [None, "wrong-secret"])
async def test_refused_login_is_not_sent_again(
    connect: Any, simulate: Simulate, firmware: str, typed: str | None
) -> None:
    device = await simulate(SimulatedTasmota, password=SECRET, firmware=firmware)
    meter = Tasmota(device.host, port=PORT, password=typed)
    with pytest.raises(AuthenticationFailed):
        await meter.connect()
    for _ in range(3):
        with pytest.raises(AuthenticationFailed) as raised:
            await meter.read()
        assert "wrong-secret" not in str(raised.value)
    assert device.unauthorised == 1
    await meter.close()


@pytest.mark.parametrize("trouble", ALL_TROUBLE)
async def test_password_is_nowhere_to_be_read(
    connect: Any, trouble: Trouble, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    meter, device = await connect(password="geheim", timeout=0.2)
    device.trouble = trouble
    try:
        shown = repr(await meter.read())
    except MiningSDKError as error:
        shown = f"{error!r} {error.__cause__!r}"
        assert error.__suppress_context__ or error.__context__ is None
    assert "geheim" not in shown
    # What the simulated device itself would log is its own affair.
    ours = [r for r in caplog.records if not r.name.startswith("aiohttp.server")]
    assert not any("geheim" in record.getMessage() for record in ours)


@pytest.mark.parametrize("trouble", ALL_TROUBLE)
async def test_trouble(connect: Any, trouble: Trouble) -> None:
    meter, device = await connect(timeout=0.3)
    await survives(meter, device, trouble, is_alive)
    assert device.most_connections <= 2


async def test_unreachable(connect: Any) -> None:
    meter, device = await connect()
    await device.stop()
    with pytest.raises(DeviceUnreachable):
        await meter.read()
    await device.start()
    assert is_alive(await meter.read())


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
async def test_any_bytes(connect: Any, data: Any) -> None:
    if not hasattr(connect, "pair"):
        connect.pair = await connect(timeout=1.0)
    words = st.sampled_from(
        [
            b'{"StatusSNS":{"ENERGY":{"Power":[[],{}],"Total":"x"}}}',
            b'{"StatusSNS":{"ENERGY":[]},"StatusSTS":{"POWERx":1}}',
            b'{"Status":{"FriendlyName":[]}}',
        ]
    )
    meter, device = connect.pair
    await survives_bytes(meter, device, data.draw(st.one_of(st.binary(), words)))


async def test_one_odd_field_loses_no_other(connect: Any) -> None:
    meter, device = await connect(relays=0)
    body = device.status("0")
    body["StatusSNS"]["ENERGY"] |= {"Voltage": "much", "Current": None}
    device.body = orjson.dumps(body)
    stats = await meter.read()
    assert is_alive(stats)
    assert stats.voltage_phase == (None,)
    assert set(stats.failed) == {"voltage_phase"}


async def test_recorded_energy(connect: Any, example: Callable[[str], bytes]) -> None:
    meter, device = await connect(relays=0)
    device.body = example("tasmota/status8-energy.json")
    stats = await meter.read()
    assert stats.power == 0
    assert stats.energy_import == 3.185
    assert stats.voltage_phase == (221,)
    device.body = example("tasmota/status8-temp-humidity.json")
    with pytest.raises(NotSupported):
        await meter.read()

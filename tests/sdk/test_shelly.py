"""Shelly: the first generation with Basic login, the later ones with Digest."""

from collections.abc import AsyncGenerator, Callable
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
    DeviceUnreachable,
    Fault,
    InvalidReply,
    MeterStats,
    NotSupported,
    Severity,
    identify,
    register_miner,
)
from custom_components.miningsdk.sdk.drivers import _home_meter
from custom_components.miningsdk.sdk.drivers._shelly_stats import (
    read_first_generation,
    read_status,
)
from custom_components.miningsdk.sdk.drivers.shelly import Shelly, ShellyGen1
from custom_components.miningsdk.sdk.fields import Fields
from tests.conftest import OFFSET, Simulate
from tests.sdk.site_trouble import survives, survives_bytes
from tests.sdk.trouble import ALL_TROUBLE
from tests.simulators.base import Trouble
from tests.simulators.shelly import SimulatedShelly, SimulatedShellyGen1

PORT = 80 + OFFSET
SECRET = "geheim=1&x y"
KINDS: dict[type[Any], type[Any]] = {
    SimulatedShelly: Shelly,
    SimulatedShellyGen1: ShellyGen1,
}
OLD_AND_NEW = pytest.mark.parametrize("kind", list(KINDS))


@pytest.fixture
async def connect(simulate: Simulate) -> AsyncGenerator[Any]:
    """Return a function that switches on a Shelly and connects a meter to it."""
    meters: list[Any] = []

    async def make(kind: Any = SimulatedShelly, **options: Any) -> tuple[Any, Any]:
        mine = {
            name: options.pop(name)
            for name in ("channel", "invert", "session", "timeout")
            if name in options
        }
        typed = options.pop("typed", options.get("password"))
        device = await simulate(kind, **options)
        meter = KINDS[kind](device.host, port=PORT, password=typed, **mine)
        meter.confirm_every, meter.confirm_within = 0.01, 0.2
        meters.append(meter)
        return await meter.connect(), device

    yield make
    for meter in meters:
        await meter.close()


def is_alive(stats: MeterStats) -> bool:
    return stats.power is not None and stats.power > 0


# Who it is.


async def test_info_of_the_first_generation(connect: Any) -> None:
    meter, device = await connect(SimulatedShellyGen1, model="SHEM-3", serial=7)
    info = meter.info
    assert info.kind is DeviceKind.METER
    assert (info.driver, info.make, info.model) == ("shelly-gen1", "Shelly", "SHEM-3")
    assert info.firmware_version == "v1.14.0"
    assert info.mac == info.unique_id == "a8:03:2a:00:00:07"
    assert info.capabilities == (Capability.SOCKET,)
    assert device.requests == 2


async def test_info_of_later_generations(connect: Any) -> None:
    meter, device = await connect(model="Pro3EM", serial=9)
    info = meter.info
    assert (info.driver, info.make, info.model) == ("shelly", "Shelly", "Pro3EM")
    assert info.firmware_version == "1.7.1"
    assert info.hostname == "shellypro3em-a8032a000009"
    assert info.mac == info.unique_id == "a8:03:2a:00:00:09"
    assert info.capabilities == ()
    assert device.requests == 2


@OLD_AND_NEW
async def test_identified(simulate: Simulate, kind: Any) -> None:
    device = await simulate(kind, password=SECRET)
    found = await identify(device.host, port=PORT, timeout=5)
    assert found is not None
    assert (found.driver, found.port) == (KINDS[kind], PORT)


@OLD_AND_NEW
async def test_replaced_device_is_noticed(connect: Any, kind: Any) -> None:
    meter, device = await connect(kind, serial=1)
    before = meter.info.unique_id
    device.mac = "A8032AFFFFFE"
    meter.forget_info()
    await meter.read()
    assert meter.info.unique_id != before


def test_registered() -> None:
    assert isinstance(register_miner("shelly", host="127.0.0.1"), Shelly)
    assert isinstance(register_miner("shelly-gen1", host="127.0.0.1"), ShellyGen1)


# What it measures.


async def test_plug_of_the_first_generation_counts_watt_minutes(connect: Any) -> None:
    meter, device = await connect(SimulatedShellyGen1, model="SHPLG-S", power=1200.0)
    device.requests = 0
    stats = await meter.read()
    assert device.requests == 1
    assert stats.power == pytest.approx(device.power(), abs=0.3)
    assert stats.power_phase == (stats.power,)
    assert stats.energy_import == pytest.approx(device.imported(), abs=1e-3)
    assert stats.energy_export is None
    assert stats.voltage_phase == (None,)
    assert [(s.index, s.on, s.power) for s in stats.sockets] == [(0, True, stats.power)]
    assert stats.failed == {}


async def test_3em_of_the_first_generation_counts_watt_hours(connect: Any) -> None:
    meter, device = await connect(SimulatedShellyGen1, model="SHEM-3")
    stats = await meter.read()
    assert stats.power == pytest.approx(sum(stats.power_phase), abs=0.1)
    assert len(stats.power_phase) == len(stats.voltage_phase) == 3
    assert stats.voltage_phase[2] == pytest.approx(device.voltage(2), abs=0.2)
    assert stats.current_phase[0] == pytest.approx(device.power() / 231 / 0.97, abs=0.3)
    drawn = sum(map(device.imported, range(3)))
    assert stats.energy_import == pytest.approx(drawn, abs=1e-3)
    assert stats.energy_export == pytest.approx(12.5 + 13.5 + 14.5)
    assert stats.sockets[0].power is None


async def test_em_tells_reactive_power(connect: Any) -> None:
    meter, device = await connect(SimulatedShellyGen1, model="SHEM", channel=1)
    stats = await meter.read()
    assert stats.power_factor == 0.98
    assert stats.power_reactive == pytest.approx(device.power(1) * 0.2, abs=0.3)
    assert stats.energy_import == pytest.approx(device.imported(1), abs=1e-3)


async def test_invalid_readings_are_unknown(connect: Any) -> None:
    meter, device = await connect(SimulatedShellyGen1, model="SHEM-3")
    device.invalid = True
    stats = await meter.read()
    assert stats.power is None
    assert stats.energy_import is None
    assert set(stats.failed) == {"channel 0", "channel 1", "channel 2"}


async def test_three_phases(connect: Any) -> None:
    meter, device = await connect(model="Pro3EM")
    device.requests = 0
    stats = await meter.read()
    assert device.requests == 1
    assert stats.power == pytest.approx(sum(map(device.power, range(3))), abs=1)
    assert stats.power_factor == pytest.approx(0.98, abs=0.001)
    assert stats.frequency == 50.0
    assert stats.power_apparent == pytest.approx(stats.power / 0.98, abs=0.5)
    assert stats.energy_import == pytest.approx(
        sum(map(device.imported, range(3))), abs=1e-3
    )
    assert stats.energy_export == pytest.approx(12.5 + 13.5 + 14.5)
    assert stats.sockets == ()


async def test_two_clamps_and_a_contactor(connect: Any) -> None:
    meter, device = await connect(model="ProEM50")
    stats = await meter.read()
    assert len(stats.power_phase) == 2
    assert stats.energy_export == pytest.approx(12.5 + 13.5)
    assert [(s.index, s.on, s.power) for s in stats.sockets] == [(0, True, None)]
    assert device.requests == 3


@pytest.mark.parametrize("model", ["Plus1PM", "PlusPlugS", "Mini1PMG3", "MiniPMG3"])
async def test_plugs(connect: Any, model: str) -> None:
    meter, device = await connect(model=model, power=2000.0)
    stats = await meter.read()
    assert stats.power == pytest.approx(device.power(), abs=0.5)
    assert stats.power_factor == 0.96
    assert stats.frequency == 50.02
    assert stats.energy_import == pytest.approx(device.imported(), abs=1e-3)
    assert stats.energy_export is None
    assert len(stats.sockets) == len(device.on)


async def test_what_flows_back_is_counted_twice_by_the_device(connect: Any) -> None:
    meter, device = await connect(model="Plus1PM", returns=True, power=-800.0)
    raw = device.status()["switch:0"]
    assert raw["aenergy"]["total"] > device.imported() * 1000 + 1000
    stats = await meter.read()
    assert stats.power < -700
    assert stats.energy_import == pytest.approx(device.imported(), abs=1e-3)
    assert stats.energy_export == pytest.approx(device.exported(), abs=1e-3)


async def test_inverted(connect: Any) -> None:
    meter, device = await connect(model="ProEM50", invert=True)
    stats = await meter.read()
    assert stats.power < 0
    assert stats.energy_export == pytest.approx(
        device.imported(0) + device.imported(1), abs=1e-3
    )


async def test_several_plugs_are_added_up_or_picked(connect: Any) -> None:
    meter, device = await connect(model="Pro4PM")
    stats = await meter.read()
    assert stats.power == pytest.approx(sum(map(device.power, range(4))), abs=1)
    assert stats.power_phase == ()
    assert [socket.index for socket in stats.sockets] == [0, 1, 2, 3]
    assert stats.sockets[3].power == pytest.approx(device.power(3), abs=0.5)
    third, _ = await connect(model="Pro4PM", channel=2)
    picked = await third.read()
    assert picked.power == pytest.approx(device.power(2), abs=30)
    assert picked.energy_import == pytest.approx(device.imported(2), abs=1e-3)


@pytest.mark.parametrize(
    ("kind", "model", "channel"),
    [
        (SimulatedShelly, "Plus1", None),
        (SimulatedShellyGen1, "SHSW-1", None),
        (SimulatedShelly, "Pro4PM", 4),
    ],
)
async def test_what_measures_nothing_is_no_meter(
    connect: Any, kind: Any, model: str, channel: int | None
) -> None:
    with pytest.raises(NotSupported, match=r"channel 4|does not measure"):
        await connect(kind, model=model, channel=channel)


async def test_faults(connect: Any) -> None:
    meter, _ = await connect(model="Plus1PM", errors=("overtemp", "out_of_range:freq"))
    stats = await meter.read()
    assert stats.faults == (
        Fault(
            code="overtemp",
            message="Overtemp",
            component="switch:0",
            severity=Severity.CRITICAL,
        ),
        Fault(
            code="out_of_range:freq",
            message="Out of range: freq",
            component="switch:0",
        ),
    )
    old, _ = await connect(SimulatedShellyGen1, overpower=True, overtemperature=True)
    found = {fault.code: fault.component for fault in (await old.read()).faults}
    assert found == {"overpower": "relay 0", "overtemperature": None}


# Its relays.


@OLD_AND_NEW
async def test_socket_is_confirmed(connect: Any, kind: Any) -> None:
    meter, device = await connect(kind)
    await meter.set_socket(0, on=False)
    assert device.on == [False]
    stats = await meter.read()
    assert stats.sockets[0].on is False
    assert stats.power == 0
    await meter.set_socket(0, on=True)
    assert (await meter.read()).sockets[0].on is True


@OLD_AND_NEW
async def test_socket_not_confirmed(connect: Any, kind: Any) -> None:
    meter, device = await connect(kind)
    device.stubborn = True
    with pytest.raises(CommandFailed, match="not confirmed"):
        await meter.set_socket(0, on=False)


async def test_socket_refused_in_its_own_words(connect: Any) -> None:
    meter, device = await connect()
    device.refusal = "Overtemperature lock"
    with pytest.raises(CommandFailed, match="Overtemperature lock"):
        await meter.set_socket(0, on=False)
    old, simulator = await connect(SimulatedShellyGen1, model="SHSW-25")
    simulator.roller = True
    with pytest.raises(CommandFailed, match="mode is not relay"):
        await old.set_socket(0, on=False)


async def test_shutters_are_no_sockets(connect: Any) -> None:
    old, _ = await connect(SimulatedShellyGen1, model="SHSW-25", roller=True)
    new, _ = await connect(cover=True)
    for meter in (old, new):
        assert meter.info.capabilities == ()
        with pytest.raises(NotSupported):
            await meter.set_socket(0, on=False)
        assert is_alive(await meter.read())


@OLD_AND_NEW
async def test_there_is_no_such_socket(connect: Any, kind: Any) -> None:
    meter, _ = await connect(kind)
    with pytest.raises(CommandFailed):
        await meter.set_socket(5, on=False)


# Its login.


@OLD_AND_NEW
async def test_login(connect: Any, kind: Any) -> None:
    meter, device = await connect(kind, password=SECRET)
    device.requests = 0
    for _ in range(3):
        assert is_alive(await meter.read())
    assert device.requests == 3
    await meter.set_socket(0, on=False)
    assert device.unauthorised == 0
    assert SECRET not in repr(meter)


async def test_nonce_is_renewed(connect: Any) -> None:
    meter, device = await connect(password=SECRET, nonce_uses=2)
    for _ in range(6):
        assert is_alive(await meter.read())
    assert device.requests < 14


@OLD_AND_NEW
@pytest.mark.parametrize("typed", [None, "wrong-secret"])
async def test_refused_login_is_not_sent_again(
    connect: Any,
    kind: Any,
    typed: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    meter, device = await connect(kind)
    await meter.close()
    device.password = SECRET
    meter = KINDS[kind](device.host, port=PORT, password=typed)
    with pytest.raises(AuthenticationFailed) as raised:
        await meter.connect()
    assert "wrong-secret" not in str(raised.value)
    tries = device.unauthorised
    assert tries <= 1
    for _ in range(3):
        with pytest.raises(AuthenticationFailed):
            await meter.read()
    assert device.unauthorised == tries
    device.password = typed
    monkeypatch.setattr(_home_meter, "_REFUSED_FOR", 0.0)
    assert is_alive(await meter.read())
    await meter.close()


async def test_given_session_is_used_and_stays_open(connect: Any) -> None:
    async with ClientSession() as session:
        meter, _ = await connect(password=SECRET, session=session)
        assert is_alive(await meter.read())
        await meter.close()
        assert not session.closed


# Trouble.


@OLD_AND_NEW
@pytest.mark.parametrize("trouble", ALL_TROUBLE)
async def test_trouble(connect: Any, kind: Any, trouble: Trouble) -> None:
    meter, device = await connect(kind, timeout=0.3)
    await survives(meter, device, trouble, is_alive)
    assert device.most_connections <= 2


@OLD_AND_NEW
async def test_unreachable(connect: Any, kind: Any) -> None:
    meter, device = await connect(kind)
    await device.stop()
    with pytest.raises(DeviceUnreachable):
        await meter.read()
    await device.start()
    assert is_alive(await meter.read())


@OLD_AND_NEW
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
async def test_any_bytes(connect: Any, kind: Any, data: Any) -> None:
    if not hasattr(connect, "pair"):
        connect.pair = await connect(kind, timeout=1.0)
    words = st.sampled_from(
        [b'{"meters":[{"total":"x"}]}', b'{"sys":[],"switch:0":{"apower":[]}}', b"[]"]
    )
    meter, device = connect.pair
    await survives_bytes(meter, device, data.draw(st.one_of(st.binary(), words)))


@pytest.mark.parametrize(
    "body",
    [
        {"switch:0": {"id": 0, "apower": None, "aenergy": 5}},
        {"em:0": {"id": 0, "a_act_power": "much"}, "emdata:0": None},
        {"switch:x": 1, "switch:0": {"apower": {}, "errors": "none"}, "sys": 1},
    ],
)
def test_odd_status_is_read_as_unknown(body: dict[str, Any]) -> None:
    failed: dict[str, str] = {}
    status = read_status(Fields(orjson.loads(orjson.dumps(body)), failed))
    stats = status.stats(status.circuits, failed)
    assert stats.power is None
    assert stats.energy_import is None


def test_another_object_is_refused() -> None:
    with pytest.raises(InvalidReply):
        read_status(Fields({"code": 404}))
    with pytest.raises(InvalidReply):
        read_first_generation(Fields({"STATUS": 5}))


# Recorded replies.


def test_recorded_3em(example: Callable[[str], bytes]) -> None:
    reply = orjson.loads(example("shelly/gen1-em3-status.json"))
    status = read_first_generation(Fields(reply))
    stats = status.stats(status.circuits, {})
    assert stats.power == 10.7
    assert stats.power_phase == (10.7, 0.0, 0.0)
    assert stats.voltage_phase == (232.1, 232.1, 232.1)
    assert stats.current_phase == (0.08, 0.01, 0.01)
    assert stats.energy_import == 0.0053
    assert stats.sockets[0].on is True


def test_recorded_pro_em(example: Callable[[str], bytes]) -> None:
    reply = orjson.loads(example("shelly/gen2-pro-em50-em1.json"))
    status = read_status(Fields(reply))
    stats = status.stats(status.circuits, {})
    assert stats.power == 501.8
    assert stats.power_phase == (0.0, 501.8)
    assert stats.power_apparent == 631.1
    assert stats.frequency == 50
    assert stats.energy_import is None

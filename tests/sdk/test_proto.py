"""Proto Rig: its readings by value, its login, and what it is told."""

from collections.abc import AsyncGenerator, Callable
import json
import time
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.miningsdk.sdk import (
    AuthenticationFailed,
    Capability,
    CommandFailed,
    DeviceUnreachable,
    InvalidReply,
    Limits,
    MinerStatus,
    NotSupported,
    PoolConfig,
    PoolState,
    connect as identify_and_connect,
    register_miner,
)
from custom_components.miningsdk.sdk.drivers.proto import Proto
from custom_components.miningsdk.sdk.model import MinerSettings, Severity
from custom_components.miningsdk.sdk.transports import http
from custom_components.miningsdk.sdk.transports.wire import Wire
from tests.conftest import OFFSET, Simulate
from tests.sdk.trouble import ALL_TROUBLE, check_vocabulary, survives, survives_bytes
from tests.simulators.base import Trouble
from tests.simulators.proto import SimulatedProto

PORT = 80 + OFFSET
CAPTURE = "proto/v1/asicrs"
PASSWORD = "correct horse"
POOLS = (
    PoolConfig(url="stratum+tcp://a.example:3333", user="a.one", password="secret1"),
    PoolConfig(url="stratum+tcp://b.example:4444", user="a.two", password="secret2"),
)
CONTROLS = {
    Capability.PAUSE,
    Capability.REBOOT,
    Capability.LOCATE,
    Capability.FAN,
    Capability.POOLS,
    Capability.POWER_LIMIT,
    Capability.POWER_MODE,
}

# The device is of no fixed type, so that a test may change what it does.
type Pair = tuple[Proto, Any]


@pytest.fixture
async def connect(
    simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[Any]:
    """Return a function that switches on a rig and connects a miner to it."""
    miners: list[Proto] = []
    monkeypatch.setattr(Proto, "confirm_longer", {})

    async def make(**options: Any) -> Pair:
        timeout = options.pop("timeout", 2.0)
        password = options.pop("typed", PASSWORD)
        before = options.pop("before", None)
        device = await simulate(SimulatedProto, **options)
        if before is not None:
            before(device)
        miner = Proto(device.host, port=PORT, password=password, timeout=timeout)
        miner.confirm_every, miner.confirm_within = 0.01, 0.3
        miners.append(miner)
        return await miner.connect(), device

    yield make
    for miner in miners:
        await miner.close()


@pytest.fixture
async def pair(connect: Any) -> Pair:
    """Return one miner and its rig."""
    return await connect()  # type: ignore[no-any-return]


# Who it is.


async def test_info(connect: Any) -> None:
    miner, device = await connect(serial="PROTO0000077", mac="C8:98:DB:10:00:77")
    info = miner.info
    assert (info.driver, info.make, info.model) == ("proto", "Proto", "Rig")
    assert (info.firmware, info.firmware_version) == ("stock", "1.8.2")
    assert info.unique_id == info.serial_number == "PROTO0000077"
    assert (info.mac, info.hostname) == ("c8:98:db:10:00:77", "proto-miner-0001")
    assert (info.algorithm, info.chips) == ("sha256", 400)
    assert set(info.capabilities) == CONTROLS
    assert info.limits == {
        Capability.FAN: Limits(minimum=0, maximum=100, step=1, options=("auto",)),
        Capability.POOLS: Limits(minimum=1, maximum=3, step=1),
        Capability.POWER_LIMIT: Limits(minimum=2000, maximum=4000, step=1),
        Capability.POWER_MODE: Limits(options=("MaximumHashrate", "Efficiency")),
    }
    # System, network, hardware, login and target.
    assert (device.requests, device.logins) == (5, 1)


async def test_recognition(simulate: Simulate) -> None:
    device = await simulate(SimulatedProto)
    wire = Wire(host=device.host)
    page = await http.ROOT.ask(wire, PORT)
    await wire.close()
    assert Proto.recognise({http.ROOT: page}) == 50
    assert Proto.recognise({http.ROOT: "<title>Prototype OS</title>"}) == 0
    assert Proto.recognise({}) == 0
    found = await identify_and_connect(device.host, port=PORT, password=PASSWORD)
    await found.close()
    assert found.info.driver == "proto"


async def test_register_by_alias() -> None:
    miner = register_miner("proto-rig", host="127.0.0.1")
    assert isinstance(miner, Proto)
    await miner.close()


async def test_what_is_missing_loses_nothing_else(connect: Any) -> None:
    def break_it(device: Any) -> None:
        device.odd |= {"/network": b"{", "/hardware": 5, "/mining/target": "odd"}

    miner, _ = await connect(before=break_it)
    assert (miner.info.mac, miner.info.chips) == (None, None)
    assert miner.info.unique_id == "PROTO0000001"
    offered = set(miner.info.capabilities)
    assert offered == CONTROLS - {Capability.POWER_LIMIT, Capability.POWER_MODE}
    stats = await miner.read()
    assert (stats.status, stats.power_mode) == (MinerStatus.MINING, None)
    # Without the slots, the order of the telemetry is theirs.
    assert [board.index for board in stats.boards] == [0, 1, 2, 3]


async def test_a_broken_part_is_noted_once_it_is_known(pair: Pair) -> None:
    miner, device = pair
    reads = device._reads
    device._reads = lambda: {k: v for k, v in reads().items() if k != "/network"}
    miner.forget_info()
    assert not (await miner.read()).failed
    assert miner.info.mac == "c8:98:db:10:00:01"
    device.odd["/hardware"] = b"{"
    miner.forget_info()
    stats = await miner.read()
    assert stats.status is MinerStatus.MINING
    assert "not JSON" in stats.failed["info"]
    assert miner.info.chips == 400


async def test_firmware_without_a_target(connect: Any) -> None:
    def older(device: Any) -> None:
        reads = device._reads
        device._reads = lambda: {k: v for k, v in reads().items() if "tar" not in k}

    miner, _ = await connect(before=older)
    assert Capability.PAUSE in miner.info.capabilities
    assert (await miner.read()).status is MinerStatus.MINING


async def test_another_thing_on_the_port_is_refused(connect: Any) -> None:
    def other(device: Any) -> None:
        device.odd["/system"] = {"system-info": {"uptime_seconds": 5}}

    with pytest.raises(InvalidReply, match="not that of a Proto Rig"):
        await connect(before=other)


async def test_another_rig_on_the_address_is_noticed(
    connect: Any, simulate: Simulate
) -> None:
    miner, device = await connect()
    await device.stop()
    with pytest.raises(DeviceUnreachable):
        await miner.read()
    other = {"serial": "PROTO0000002", "mac": "C8:98:DB:10:00:02"}
    await simulate(SimulatedProto, host=device.host, **other)
    await miner.read()
    assert miner.info.unique_id == "PROTO0000002"
    assert miner.info.mac == "c8:98:db:10:00:02"


# What it reads.


async def test_stats(pair: Pair) -> None:
    miner, device = pair
    device.requests = 0
    stats = await miner.read()
    assert device.requests == 5
    assert device.most_connections == 1
    check_vocabulary(stats)
    assert stats.status is MinerStatus.MINING
    assert (stats.hashrate, stats.hashrate_average) == (144, 141.0005)
    assert stats.hashrate_expected == 145
    assert (stats.power, stats.power_limit) == (3400, 3400)
    assert (stats.power_mode, stats.efficiency) == ("MaximumHashrate", 23.61)
    assert (stats.temperature_chip, stats.temperature_board) == (68.4, 46)
    assert (stats.temperature_inlet, stats.temperature_outlet) == (31, 54)
    assert [(f.index, f.speed, f.duty) for f in stats.fans] == [
        (0, 4065, 55),
        (1, 4075, 55),
        (2, 4085, 55),
        (3, 4095, 55),
    ]
    board = stats.boards[0]
    assert (board.index, board.hashrate, board.voltage) == (0, 36, 14.5)
    assert (board.temperature_board, board.chips_expected) == (43, 100)
    assert board.serial_number == "HBPROTO00000011"
    assert [pool.status for pool in stats.pools] == [PoolState.ACTIVE, PoolState.ALIVE]
    assert stats.pools[0].url == "stratum+tcp://one.example:3333"
    assert stats.pools[0].user == "acct.rig"
    assert (stats.accepted, stats.rejected, stats.stale) == (600, 2, None)
    assert (stats.hardware_errors, stats.best_difficulty) == (3, 130_710)
    assert (stats.uptime, stats.locating) == (7200, False)
    assert stats.settings == MinerSettings(fan_automatic=True, target_temperature=52.5)
    assert not stats.faults
    assert not stats.failed


async def test_replies_of_its_kin(
    connect: Any, example: Callable[[str], bytes]
) -> None:
    """What the vendor's own simulator answered, in a version of its own."""
    names = {
        "/system": "system",
        "/network": "network",
        "/hardware": "hardware",
        "/mining": "mining",
        "/telemetry": "telemetry_full",
        "/cooling": "cooling",
        "/pools": "pools",
        "/errors": "errors",
    }

    def play(device: Any) -> None:
        for path, name in names.items():
            device.odd[path] = json.loads(example(f"{CAPTURE}/{name}.json"))

    miner, _ = await connect(before=play)
    info = miner.info
    assert (info.make, info.model, info.firmware_version) == ("Proto", "Rig", "1.8.0")
    assert info.serial_number == "PROTO-SIM-b6bdaf86"
    assert (info.mac, info.chips) == ("02:00:00:ad:66:39", 480)
    stats = await miner.read()
    assert stats.status is MinerStatus.MINING
    assert stats.hashrate == pytest.approx(135.4757, abs=1e-4)
    assert stats.hashrate_average == pytest.approx(141.1474, abs=1e-4)
    assert stats.hashrate_expected == 145
    # What both power supplies draw; the boards' share of it is less.
    assert stats.power == pytest.approx(3526.3, abs=0.1)
    assert stats.power_limit == 3400
    assert [board.index for board in stats.boards] == [0, 1, 2, 3]
    assert stats.boards[3].hashrate == pytest.approx(36.1667, abs=1e-4)
    assert stats.temperature_board == 48.4
    assert (stats.temperature_inlet, stats.temperature_outlet) == (38.6, 55.4)
    assert [fan.duty for fan in stats.fans] == [60] * 4
    assert stats.fans[1].speed == 4691
    assert stats.settings == MinerSettings(fan_automatic=True, target_temperature=50)
    assert [pool.status for pool in stats.pools] == [PoolState.ACTIVE] * 2
    assert (stats.accepted, stats.rejected, stats.uptime) == (24_690, 20, 28)
    assert not stats.failed


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("Uninitialized", MinerStatus.STARTING),
        ("PoweringOn", MinerStatus.STARTING),
        ("Mining", MinerStatus.MINING),
        ("DegradedMining", MinerStatus.MINING),
        ("PoweringOff", MinerStatus.IDLE),
        ("Stopped", MinerStatus.PAUSED),
        ("Curtailed", MinerStatus.PAUSED),
        ("NoPools", MinerStatus.IDLE),
        ("Error", MinerStatus.FAULT),
        ("Unknown", MinerStatus.UNKNOWN),
        ("SomethingNew", MinerStatus.UNKNOWN),
    ],
)
async def test_states(pair: Pair, state: str, status: MinerStatus) -> None:
    miner, device = pair
    device.state = state
    stats = await miner.read()
    assert stats.status is status
    assert bool(stats.hashrate) == (status is MinerStatus.MINING)


@pytest.mark.parametrize(
    ("uptime", "status"), [(100, MinerStatus.STARTING), (900, MinerStatus.IDLE)]
)
async def test_mining_needs_a_rate(
    connect: Any, uptime: float, status: MinerStatus
) -> None:
    miner, device = await connect(uptime=uptime)
    device.silent_boards = {1, 2, 3, 4}
    stats = await miner.read()
    assert (stats.status, stats.hashrate) == (status, 0)
    # The average since its start goes on.
    assert stats.hashrate_average == 141.0005


async def test_boards_with_empty_slots_between_them(connect: Any) -> None:
    miner, device = await connect(slots=(1, 3, 7, 9))
    device.silent_boards = {3}
    stats = await miner.read()
    assert [board.index for board in stats.boards] == [0, 2, 6, 8]
    silent = stats.boards[1]
    assert (silent.hashrate, silent.temperature_board) == (None, None)
    assert (silent.serial_number, silent.chips_expected) == ("HBPROTO00000013", 100)
    assert stats.boards[3].serial_number == "HBPROTO00000019"
    assert stats.hashrate == 108


async def test_numbers_in_other_units(pair: Pair) -> None:
    miner, device = pair
    telemetry = device.telemetry()
    telemetry["miner"]["hashrate"] = {"value": 143_000, "unit": "GH/s"}
    telemetry["hashboards"][0]["voltage"] = {"value": 14_400, "unit": "mV"}
    telemetry["hashboards"][1]["hashrate"] = {"value": 36}
    telemetry["hashboards"][2]["temperature"]["unit"] = "°F"
    telemetry["psus"][0]["power"] = {"input": 1.6, "unit": "kW"}
    device.odd["/telemetry"] = telemetry
    stats = await miner.read()
    assert (stats.hashrate, stats.power) == (143, 3300)
    assert stats.boards[0].voltage == 14.4
    assert stats.boards[1].hashrate == 36
    assert stats.boards[2].temperature_board is None
    assert stats.failed == {"temperature": "temperature: °F is not a known unit"}


async def test_power_without_that_of_the_supplies(pair: Pair) -> None:
    miner, device = pair
    telemetry = device.telemetry()
    del telemetry["psus"][1]["power"]
    device.odd["/telemetry"] = telemetry
    assert (await miner.read()).power == 3332
    device.odd["/telemetry"] = {}
    stats = await miner.read()
    assert (stats.power, stats.hashrate) == (3298, None)
    assert stats.status is MinerStatus.MINING


async def test_faults(pair: Pair) -> None:
    miner, device = pair
    device.errors = [
        {
            "error_code": "FanSlow",
            "message": "Fan 3 stalled",
            "source": "fan",
            "slot": 3,
        },
        {"code": "E7", "severity": "critical", "source": "rig"},
        {"message": "no code"},
    ]
    fan, rig = (await miner.read()).faults
    assert (fan.code, fan.message, fan.component) == (
        "FanSlow",
        "Fan 3 stalled",
        "fan 3",
    )
    assert fan.severity is Severity.WARNING
    assert (rig.code, rig.message, rig.component) == ("E7", "E7", "rig")
    assert rig.severity is Severity.CRITICAL


async def test_cooling(pair: Pair) -> None:
    miner, device = pair
    for mode, automatic in (("Manual", False), ("Off", False), ("Unknown", None)):
        device.cooling = {"mode": mode, "speed_percentage": 70}
        told = (await miner.read()).settings
        assert told.fan_automatic is automatic
        assert told.fan == (70 if mode == "Manual" else None)
        assert told.target_temperature is None


async def test_pools_in_the_order_of_their_priority(pair: Pair) -> None:
    miner, device = pair
    pools = device.pool_list()
    pools["pools"][0] |= {"priority": 2, "status": "Dead"}
    pools["pools"][1]["enabled"] = False
    device.odd["/pools"] = pools
    first, second = (await miner.read()).pools
    assert (first.index, first.status) == (1, PoolState.DISABLED)
    assert (second.index, second.status) == (0, PoolState.DEAD)


async def test_a_part_that_is_odd_loses_nothing_else(pair: Pair) -> None:
    miner, device = pair
    device.odd |= {
        "/cooling": {"cooling-status": {"fans": [{"slot": 1, "rpm": "fast"}]}},
        "/errors": {"not": "a list"},
        "/pools": 7,
    }
    stats = await miner.read()
    assert (stats.status, stats.hashrate) == (MinerStatus.MINING, 144)
    assert [fan.speed for fan in stats.fans] == [None]
    assert stats.pools == ()
    assert stats.faults == ()
    assert set(stats.failed) == {"fans"}


async def test_a_part_that_is_away_is_noted(pair: Pair) -> None:
    miner, device = pair
    reads = device._reads
    device._reads = lambda: {k: v for k, v in reads().items() if k != "/errors"}
    stats = await miner.read()
    assert set(stats.failed) == {"errors"}
    assert stats.hashrate == 144


# What it can be told.


async def test_pause_and_resume(connect: Any) -> None:
    miner, device = await connect(lag=0.05)
    await miner.pause()
    assert device.state == "Stopped"
    assert (await miner.read()).status is MinerStatus.PAUSED
    await miner.resume()
    assert (await miner.read()).status in (MinerStatus.STARTING, MinerStatus.MINING)
    assert [path for _, path, _ in device.told] == ["/mining/stop", "/mining/start"]


async def test_power_leaves_the_rest_of_the_target_alone(pair: Pair) -> None:
    miner, device = pair
    await miner.set_power_limit(2500.4)
    kept = {"performance_mode": "MaximumHashrate", "hash_on_disconnect": True}
    wanted = {"power_target_watts": 2500, **kept}
    assert device.told[-1] == ("PUT", "/mining/target", wanted)
    assert (await miner.read()).power_limit == 2500
    await miner.set_power_mode("Efficiency")
    assert (device.watts, device.hash_on_disconnect) == (2500, True)
    assert (await miner.read()).power_mode == "Efficiency"
    for refused in (miner.set_power_limit(1999), miner.set_power_mode("Turbo")):
        with pytest.raises(NotSupported):
            await refused


async def test_a_target_is_written_as_it_is_now(pair: Pair) -> None:
    miner, device = pair
    device.mode, device.hash_on_disconnect = "Efficiency", None
    await miner.set_power_limit(3000)
    wanted = {"power_target_watts": 3000, "performance_mode": "Efficiency"}
    assert device.told[-1][2] == wanted


async def test_fans(pair: Pair) -> None:
    miner, device = pair
    await miner.read()
    await miner.set_fan(80)
    assert device.told[-1][2] == {"mode": "Manual", "speed_percentage": 80}
    stats = await miner.read()
    assert (stats.settings.fan, stats.fans[0].duty) == (80, 80)
    await miner.set_fan(None)
    # With the temperature that it aimed for before.
    assert device.told[-1][2] == {"mode": "Auto", "target_temperature_c": 52.5}
    assert (await miner.read()).settings.target_temperature == 52.5


async def test_the_automatic_of_a_rig_that_never_told_its_target(connect: Any) -> None:
    def manual(device: Any) -> None:
        device.cooling = {"mode": "Manual", "speed_percentage": 40}

    miner, device = await connect(before=manual)
    await miner.set_fan(None)
    assert device.told[-1][2] == {"mode": "Auto"}


async def test_locate(connect: Any, freezer: FrozenDateTimeFactory) -> None:
    miner, device = await connect()
    await miner.locate(False)
    assert device.told == []
    await miner.locate(True)
    assert device.told[-1][1] == "/system/locate?led_on_time=120"
    assert (await miner.read()).locating is True
    await miner.locate(False)
    assert device.lit_until == 0
    assert (await miner.read()).locating is False
    await miner.locate(True)
    freezer.tick(121)
    assert (await miner.read()).locating is False


async def test_a_lamp_that_cannot_be_put_out(connect: Any) -> None:
    miner, device = await connect(puts_out=False)
    await miner.locate(True)
    until = device.lit_until
    with pytest.raises(CommandFailed, match=r"goes out by itself in 1\d\d s"):
        await miner.locate(False)
    assert device.lit_until == until
    assert (await miner.read()).locating is True


async def test_reboot(pair: Pair) -> None:
    miner, device = pair
    await miner.reboot()
    device.rude = True
    await miner.reboot()
    assert device.reboots == 2


async def test_pools(pair: Pair) -> None:
    miner, device = pair
    await miner.set_pools(POOLS)
    method, path, body = device.told[-1]
    assert (method, path) == ("POST", "/pools")
    assert [(p["priority"], p["password"]) for p in body] == [
        (0, "secret1"),
        (1, "secret2"),
    ]
    assert [pool.user for pool in (await miner.read()).pools] == ["a.one", "a.two"]
    with pytest.raises(CommandFailed, match="the device refused: Bad pool address"):
        await miner.set_pools([PoolConfig(url="http://x:1", user="x")])


async def test_refusals_in_its_own_words(pair: Pair) -> None:
    miner, device = pair
    device.mode = "Invented"
    with pytest.raises(CommandFailed, match="Invalid mode Invented"):
        await miner.set_power_limit(3000)
    device._obey = lambda request, path, body: _refuse(path)
    with pytest.raises(NotSupported, match="Method not allowed"):
        await miner.pause()
    with pytest.raises(CommandFailed, match="HTTP status 500"):
        await miner.locate(True)


def _refuse(path: str) -> Any:
    from aiohttp import web

    if path == "/mining/stop":
        return web.json_response({"message": "Method not allowed"}, status=405)
    return web.Response(status=500, text="<html>oops</html>")


async def test_what_is_not_confirmed_fails(pair: Pair) -> None:
    miner, device = pair
    miner.confirm_within = 0.05
    device.stubborn = True
    for command in (
        miner.pause(),
        miner.set_fan(50),
        miner.set_power_limit(3000),
        miner.set_power_mode("Efficiency"),
        miner.set_pools(POOLS),
    ):
        with pytest.raises(CommandFailed, match="not confirmed"):
            await command
    assert len(device.told) == 5


# Logins.


async def test_a_login_that_expired_is_renewed(pair: Pair) -> None:
    miner, device = pair
    device.tokens.clear()
    stats = await miner.read()
    assert (stats.hashrate, stats.failed) == (144, {})
    device.tokens.clear()
    await miner.set_fan(50)
    assert len(device.told) == 1
    assert device.logins == 3


async def test_a_wrong_password_is_sent_once(
    connect: Any, freezer: FrozenDateTimeFactory
) -> None:
    miner, device = await connect(typed="geheimnis")
    words = "the device refused the password: Wrong password"
    assert miner.authentication_error == words
    assert miner.info.capabilities == ()
    assert miner.info.unique_id == "PROTO0000001"
    assert "geheimnis" not in repr(miner)
    for _ in range(3):
        miner.forget_info()
        stats = await miner.read()
        assert (stats.status, stats.power) == (MinerStatus.UNKNOWN, 3400)
        assert stats.failed["status"] == words
        with pytest.raises(AuthenticationFailed, match="Wrong password"):
            await miner.check_credentials()
    with pytest.raises(AuthenticationFailed, match="Wrong password"):
        await miner.pause()
    assert device.logins == 1
    device.password = "geheimnis"
    freezer.tick(3601)
    await miner.check_credentials()
    assert set(miner.info.capabilities) == CONTROLS


async def test_a_login_that_never_holds_is_not_asked_for_in_a_loop(pair: Pair) -> None:
    miner, device = pair
    device.tokens.clear()
    device.tokens_hold = False
    for _ in range(3):
        stats = await miner.read()
        assert stats.status is MinerStatus.UNKNOWN
    assert "does not accept the login" in (miner.authentication_error or "")
    assert device.logins == 2


async def test_a_password_that_was_changed_since(pair: Pair) -> None:
    miner, device = pair
    device.tokens.clear()
    device.password = "another one"
    with pytest.raises(AuthenticationFailed, match="Wrong password"):
        await miner.pause()
    stats = await miner.read()
    assert stats.status is MinerStatus.UNKNOWN
    assert miner.authentication_error is not None
    assert device.logins == 2


async def test_the_default_password_has_to_be_changed(connect: Any) -> None:
    miner, device = await connect(default_password=True)
    error = miner.authentication_error
    assert "still has its default password: change it on the page" in error
    assert "Not with the default password" in error
    assert miner.info.capabilities == ()
    assert (await miner.read()).failed["status"] == error
    with pytest.raises(AuthenticationFailed, match="default password"):
        await miner.check_credentials()
    device.default_password = False
    await miner.check_credentials()
    assert (await miner.read()).status is MinerStatus.MINING


async def test_a_default_password_that_only_keeps_commands_back(pair: Pair) -> None:
    miner, device = pair
    answer = device._obey

    def guarded(request: Any, path: str, body: Any) -> Any:
        device.default_password = True
        try:
            device._check(request)
        finally:
            device.default_password = False
        return answer(request, path, body)

    device._obey = guarded
    with pytest.raises(AuthenticationFailed, match="still has its default password"):
        await miner.pause()
    assert device.told == []


async def test_without_a_password(connect: Any) -> None:
    miner, device = await connect(typed=None)
    assert miner.info.serial_number == "PROTO0000001"
    assert (miner.info.model, miner.info.chips) == ("Rig", 400)
    assert miner.info.capabilities == ()
    assert "with its password only" in (miner.authentication_error or "")
    device.requests = 0
    stats = await miner.read()
    assert device.requests == 1
    assert (stats.status, stats.power) == (MinerStatus.UNKNOWN, 3400)
    assert set(stats.failed) == {"status"}
    assert device.logins == 0
    with pytest.raises(AuthenticationFailed, match="with its password only"):
        await miner.locate(True)


async def test_firmware_that_tells_all_without_a_password(connect: Any) -> None:
    miner, device = await connect(typed=None, open_reads=True)
    await miner.check_credentials()
    stats = await miner.read()
    assert (stats.status, stats.hashrate) == (MinerStatus.MINING, 144)
    assert stats.power_mode == "MaximumHashrate"
    assert miner.info.capabilities == ()
    assert device.logins == 0


async def test_a_login_without_a_token(connect: Any) -> None:
    def broken(device: Any) -> None:
        from aiohttp import web

        device._login = lambda body: web.json_response({"access_token": 5 * [0]})

    miner, _ = await connect(before=broken)
    assert miner.authentication_error is None
    with pytest.raises(InvalidReply, match="no token"):
        await miner.read()


# When things go wrong.


@pytest.mark.parametrize("trouble", ALL_TROUBLE)
async def test_trouble(connect: Any, trouble: Trouble) -> None:
    miner, device = await connect(timeout=0.3)
    await survives(miner, device, trouble)


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(body=st.binary(max_size=100))
async def test_any_bytes(pair: Pair, body: bytes) -> None:
    miner, device = pair
    await survives_bytes(miner, device, body)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
async def test_any_json_in_any_place(pair: Pair, data: st.DataObject) -> None:
    miner, device = pair
    body: dict[str, Any] = {"mining-status": {"status": "Mining"}}
    for name in ("miner", "hashboards", "psus", "cooling-status", "pools"):
        body[name] = data.draw(_JSON)
    body["mining-status"]["average_hashrate_ghs"] = data.draw(_JSON)
    await survives_bytes(miner, device, json.dumps(body).encode())


async def test_unreachable(pair: Pair) -> None:
    miner, device = pair
    await device.stop()
    for command in (miner.read, miner.pause, miner.reboot):
        with pytest.raises(DeviceUnreachable, match="connection refused"):
            await command()
    started = time.monotonic()
    await device.start()
    assert (await miner.read()).status is MinerStatus.MINING
    assert time.monotonic() - started < 2

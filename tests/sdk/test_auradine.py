"""Auradine Teraflux: its readings by value, its token, and what it is told."""

from collections.abc import AsyncGenerator, Callable
import json
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from hypothesis import HealthCheck, given, settings, strategies as st
import orjson
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
from custom_components.miningsdk.sdk.drivers.auradine import Auradine
from custom_components.miningsdk.sdk.model import Severity
from custom_components.miningsdk.sdk.transports import cgminer
from custom_components.miningsdk.sdk.transports.wire import Wire
from tests.conftest import OFFSET, Simulate
from tests.sdk.trouble import ALL_TROUBLE, check_vocabulary, survives, survives_bytes
from tests.simulators.auradine import SimulatedAuradine
from tests.simulators.base import Trouble

PORT = 4028 + OFFSET
CAPTURE = "auradine/v1/asicrs"
SOCKET_COMMANDS = ("version", "summary", "devs", "pools", "asccount")
REST_COMMANDS = ("mode", "psu", "fan", "temperature", "led", "ipreport")
POOLS = (
    PoolConfig(url="stratum+tcp://one.example:3333", user="a.one", password="secret1"),
    PoolConfig(url="stratum+tcp://two.example:4444", user="a.two", password="secret2"),
)
CONTROLS = {
    Capability.PAUSE,
    Capability.REBOOT,
    Capability.RESTART,
    Capability.LOCATE,
    Capability.POWER_LIMIT,
    Capability.POWER_MODE,
    Capability.POOLS,
}

# The device is of no fixed type, so that a test may change what it does.
type Pair = tuple[Auradine, Any]


@pytest.fixture
async def connect(
    simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[Any]:
    """Return a function that switches on a device and connects a miner to it."""
    miners: list[Auradine] = []
    monkeypatch.setattr(Auradine, "confirm_longer", {})

    async def make(**options: Any) -> Pair:
        timeout = options.pop("timeout", 2.0)
        password = options.pop("typed", "admin")
        before = options.pop("before", None)
        device = await simulate(SimulatedAuradine, **options)
        if before is not None:
            before(device)
        miner = Auradine(device.host, port=PORT, password=password, timeout=timeout)
        miner.confirm_every, miner.confirm_within = 0.01, 0.3
        miners.append(miner)
        return await miner.connect(), device

    yield make
    for miner in miners:
        await miner.close()


@pytest.fixture
async def pair(connect: Any) -> Pair:
    """Return one miner and its device."""
    return await connect()  # type: ignore[no-any-return]


# Who it is.


async def test_info(connect: Any) -> None:
    miner, device = await connect(serial="AU23900077", mac="1c:00:00:00:00:77")
    info = miner.info
    assert (info.driver, info.make, info.firmware) == ("auradine", "Auradine", "stock")
    assert (info.model, info.firmware_version) == ("AT1500", "2024-06.11")
    assert info.unique_id == info.serial_number == "AU23900077"
    assert (info.mac, info.hostname) == ("1c:00:00:00:00:77", "teraflux-01")
    assert (info.algorithm, info.chips) == ("sha256", 396)
    assert set(info.capabilities) == CONTROLS
    assert info.limits == {
        Capability.POWER_MODE: Limits(options=("eco", "normal", "turbo")),
        Capability.POWER_LIMIT: Limits(minimum=100, maximum=3452, step=1),
        Capability.POOLS: Limits(minimum=1, maximum=3, step=1),
    }
    # Version, token, report, count and power supply.
    assert device.requests == 5
    assert device.logins == 1


async def test_no_power_limit_without_its_range(connect: Any) -> None:
    def no_supply(device: Any) -> None:
        device.odd["psu"] = {"PSU": [{"PowerIn": "3000.00W"}]}

    miner, _ = await connect(before=no_supply)
    assert Capability.POWER_LIMIT not in miner.info.capabilities
    assert (await miner.read()).power == 3000


async def test_what_is_known_outlasts_a_rest_api_that_is_away(pair: Pair) -> None:
    miner, device = pair
    gone = {"STATUS": [{"STATUS": "E", "Code": 1, "Msg": "starting"}]}
    device.odd |= {"psu": gone, "ipreport": gone, "asccount": gone}
    miner.forget_info()
    board = (await miner.read()).boards[0]
    assert set(miner.info.capabilities) == CONTROLS
    assert (miner.info.serial_number, miner.info.chips) == ("AU23900001", 396)
    assert (board.serial_number, board.chips_expected) == ("QAHB00010", 132)


async def test_recognition(simulate: Simulate) -> None:
    device = await simulate(SimulatedAuradine)
    wire = Wire(host=device.host)
    answer = await cgminer.VERSION.ask(wire, PORT)
    assert Auradine.recognise({cgminer.VERSION: answer}) == 50
    # Newer firmware describes itself by its number alone.
    device.description = "2.2.0"
    answer = await cgminer.VERSION.ask(wire, PORT)
    assert Auradine.recognise({cgminer.VERSION: answer}) == 50
    await wire.close()
    other = '{"STATUS":[{"Description":"cgminer 4.11.1"}],"VERSION":[{"CGMiner":"4"}]}'
    assert Auradine.recognise({cgminer.VERSION: other}) == 0
    assert Auradine.recognise({}) == 0
    found = await identify_and_connect(device.host, port=PORT, password="admin")
    await found.close()
    assert found.info.driver == "auradine"


async def test_register_by_alias() -> None:
    miner = register_miner("teraflux", host="127.0.0.1")
    assert isinstance(miner, Auradine)
    assert miner.username == "admin"
    await miner.close()


async def test_another_device_on_the_address_is_noticed(
    connect: Any, simulate: Simulate
) -> None:
    miner, device = await connect(serial="AU23900001")
    await device.stop()
    with pytest.raises(DeviceUnreachable):
        await miner.read()
    await simulate(
        SimulatedAuradine,
        host=device.host,
        serial="AU23900002",
        mac="1c:00:00:00:00:02",
        model="AI2500",
    )
    await miner.read()
    assert miner.info.unique_id == "AU23900002"
    assert (miner.info.mac, miner.info.model) == ("1c:00:00:00:00:02", "AI2500")


async def test_something_else_on_the_port(connect: Any) -> None:
    def other(device: Any) -> None:
        device.canned["version"] = b'{"hello": "you"}'

    with pytest.raises(InvalidReply, match="not one of the cgminer API"):
        await connect(before=other)


# What it reads.


@pytest.mark.parametrize("joins", [True, False])
async def test_stats(connect: Any, joins: bool) -> None:
    miner, device = await connect(joins=joins, uptime=90_000)
    await miner.read()
    device.requests = 0
    stats = await miner.read()
    assert device.requests == 6 if joins else 8
    assert device.most_connections == 1
    check_vocabulary(stats)
    assert stats.status is MinerStatus.MINING
    assert (stats.hashrate, stats.hashrate_average) == (150, 148.5)
    assert stats.hashrate_expected is None
    assert (stats.power, stats.efficiency) == (3000, 20)
    assert (stats.power_mode, stats.power_limit) == ("normal", None)
    assert (stats.temperature_chip, stats.temperature_board) == (71.1, 37)
    assert [fan.speed for fan in stats.fans] == [7001, 7002, 7003, 7004]
    assert [board.index for board in stats.boards] == [0, 1, 2]
    board = stats.boards[0]
    assert (board.hashrate, board.enabled, board.chips_expected) == (50, True, 132)
    assert (board.temperature_board, board.temperature_chip) == (35, 69.1)
    assert board.serial_number == "QAHB00010"
    assert [pool.status for pool in stats.pools] == [
        PoolState.ACTIVE,
        PoolState.DEAD,
        PoolState.DEAD,
    ]
    assert stats.pools[0].user == "acct.rig"
    assert (stats.accepted, stats.rejected, stats.stale) == (7500, 2, 1)
    assert (stats.hardware_errors, stats.uptime) == (4, 90_000)
    assert stats.locating is False
    assert not stats.faults
    assert not stats.failed


async def test_recorded_replies(connect: Any, example: Callable[[str], bytes]) -> None:
    """Samples of the vendor, of several machines at several times."""

    def play(device: Any) -> None:
        for name in (*SOCKET_COMMANDS, *REST_COMMANDS):
            device.odd[name] = json.loads(example(f"{CAPTURE}/{name}.json"))

    miner, _ = await connect(before=play)
    info = miner.info
    assert (info.model, info.firmware_version) == ("AT1500", "2023-12.27")
    assert (info.serial_number, info.mac) == ("AU23200006", "1c:00:00:0e:3b:2b")
    assert (info.hostname, info.chips) == ("teraflux-01", 396)
    assert info.limits[Capability.POWER_LIMIT].maximum == 3452
    stats = await miner.read()
    assert stats.status is MinerStatus.MINING
    assert stats.hashrate == pytest.approx(20.5998, abs=1e-4)
    assert stats.hashrate_average == pytest.approx(7.9706, abs=1e-4)
    assert (stats.power, stats.power_limit, stats.power_mode) == (58.9, 2000, "custom")
    assert [board.hashrate for board in stats.boards] == [6.8, 6.9, 7.0]
    assert [board.temperature_board for board in stats.boards] == [41.5, 43, 47.5]
    assert [board.temperature_chip for board in stats.boards] == [45.8, 48.2, 51.4]
    assert stats.boards[2].serial_number == "QAHB01230908001Z"
    assert [fan.speed for fan in stats.fans] == [7080, 7020, 7100, 7020]
    assert [pool.status for pool in stats.pools] == [
        PoolState.ACTIVE,
        PoolState.DEAD,
        PoolState.DEAD,
    ]
    assert (stats.accepted, stats.rejected, stats.uptime) == (3310, 1, 56_696)
    assert (stats.locating, stats.faults) == (False, ())
    assert not stats.failed


async def test_asleep(pair: Pair) -> None:
    miner, device = pair
    device.asleep = True
    stats = await miner.read()
    assert (stats.status, stats.hashrate, stats.power) == (MinerStatus.PAUSED, 0, 58.9)


async def test_asleep_without_its_mining_process(connect: Any) -> None:
    miner, device = await connect(quiet_asleep=True)
    device.asleep = True
    stats = await miner.read()
    assert (stats.status, stats.hashrate) == (MinerStatus.PAUSED, None)
    assert "reset" in stats.failed["summary"]
    assert len(stats.fans) == 4
    # And it is found while it sleeps.
    await connect(host=None, quiet_asleep=True, before=_sleep)
    device.asleep = False
    assert (await miner.read()).status is MinerStatus.MINING


def _sleep(device: Any) -> None:
    device.asleep = True


async def test_awake_without_its_mining_process(pair: Pair) -> None:
    miner, device = pair
    device.canned["summary+devs+pools"] = b""
    for name in ("summary", "devs", "pools"):
        device.canned[name] = b'{"STATUS":[{"STATUS":"E","Code":14,"Msg":"gone"}]}'
    stats = await miner.read()
    assert (stats.status, stats.hashrate) == (MinerStatus.UNKNOWN, None)
    assert "gone" in stats.failed["summary"]


@pytest.mark.parametrize(
    ("uptime", "pools", "status"),
    [
        (100, "Alive", MinerStatus.STARTING),
        (900, "Alive", MinerStatus.IDLE),
        (100, "Dead", MinerStatus.IDLE),
    ],
)
async def test_without_a_rate(
    connect: Any, uptime: float, pools: str, status: MinerStatus
) -> None:
    miner, device = await connect(uptime=uptime)
    device.watts = 0
    device.pool_status = pools
    stats = await miner.read()
    assert (stats.status, stats.hashrate) == (status, 0)


async def test_it_takes_time_to_wake(connect: Any) -> None:
    miner, device = await connect(slow=1000)
    device.asleep = True
    assert (await miner.read()).status is MinerStatus.PAUSED
    device.asleep = False
    device.watts = 0
    assert (await miner.read()).status is MinerStatus.STARTING


async def test_a_process_that_hangs_is_not_mining(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    miner, device = pair
    device.frozen = True
    assert (await miner.read()).status is MinerStatus.MINING
    monkeypatch.setattr(
        "custom_components.miningsdk.sdk.drivers._process_clock.FROZEN_AFTER", -1.0
    )
    assert (await miner.read()).status is MinerStatus.UNKNOWN


async def test_faults(pair: Pair) -> None:
    miner, device = pair
    device.led, device.led_message = 7, "Control board failure"
    device.sick = {2: "Sick"}
    lamp, board = (await miner.read()).faults
    assert (lamp.code, lamp.message) == ("led_7", "Control board failure")
    assert (lamp.component, lamp.severity) == ("control board", Severity.WARNING)
    assert (board.code, board.component) == ("device_sick", "board 1")
    assert board.severity is Severity.CRITICAL
    device.led = 101
    device.led_message = ""
    assert len((await miner.read()).faults) == 1
    device.led = 4
    assert (await miner.read()).faults[0].message.endswith("code 4")


async def test_boards_that_count_from_zero_and_miss_sensors(pair: Pair) -> None:
    miner, device = pair
    rows = [{"ID": n, "MHS 5s": 5e7, "Temperature": 0.0} for n in range(2)]
    device.odd["devs"] = {"DEVS": rows}
    device.odd["temperature"] = {
        "Temperature": [
            {"ID": 1, "BoardTemp": [{"Temperature": "31.5 C"}, {"Temperature": -273.0}]}
        ]
    }
    first, second = (await miner.read()).boards
    assert (first.index, first.temperature_board) == (0, 31.5)
    assert (second.index, second.temperature_board) == (1, None)
    assert first.temperature_chip is None


async def test_several_power_supplies(connect: Any) -> None:
    miner, device = await connect()
    device.supplies = 2
    assert (await miner.read()).power == 3000
    device.odd["psu"] = {"PSU": [{"PowerIn": "1500.00W"}, {"PowerIn": "broken"}]}
    stats = await miner.read()
    assert stats.power is None
    assert "broken" in stats.failed["power"]


async def test_odd_values_lose_nothing_else(pair: Pair) -> None:
    miner, device = pair
    device.odd["mode"] = {"Mode": [{"Sleep": "perhaps", "Mode": 7}]}
    device.odd["fan"] = {"Fan": [{"Speed": "fast"}, {"Speed": 6000}]}
    device.odd["led"] = {"LED": "dark"}
    stats = await miner.read()
    assert stats.status is MinerStatus.MINING
    assert [fan.speed for fan in stats.fans] == [None, 6000]
    assert stats.locating is None
    assert set(stats.failed) == {"status", "fans"}


async def test_a_part_that_is_refused_loses_nothing_else(pair: Pair) -> None:
    miner, device = pair
    no = {"STATUS": [{"STATUS": "E", "Code": 577, "Msg": "No PSU found"}]}
    device.odd["psu"] = no
    stats = await miner.read()
    assert stats.power is None
    assert "No PSU found" in stats.failed["psu"]
    assert stats.temperature_chip == 71.1
    device.odd["summary"] = {"SUMMARY": [{"MHS 5s": 1e8, "Wattage": 2990}]}
    assert (await miner.read()).power == 2990


async def test_rest_api_that_is_away(pair: Pair) -> None:
    """It is asked once, and what the socket tells is still told."""
    miner, device = pair
    runner = device._runners.pop()
    await runner.cleanup()
    stats = await miner.read()
    assert stats.status is MinerStatus.MINING
    assert (stats.hashrate, stats.power) == (150, None)
    assert "connection refused" in stats.failed["mode"]
    assert "psu" not in stats.failed


# What it can be told.


async def test_pause_and_resume(pair: Pair) -> None:
    miner, device = pair
    await miner.pause()
    assert device.asleep
    await miner.resume()
    assert not device.asleep
    assert device.told == [
        {"command": "mode", "sleep": "on"},
        {"command": "mode", "sleep": "off"},
    ]
    assert (await miner.read()).status is MinerStatus.MINING


async def test_power(pair: Pair) -> None:
    miner, device = pair
    await miner.set_power_limit(2500.4)
    assert device.told[-1] == {
        "command": "mode",
        "mode": "custom",
        "tune": "power",
        "power": 2500,
    }
    stats = await miner.read()
    assert (stats.power_limit, stats.power_mode) == (2500, "custom")
    await miner.set_power_mode("turbo")
    assert device.told[-1] == {"command": "mode", "mode": "turbo"}
    stats = await miner.read()
    assert (stats.power_limit, stats.power_mode) == (None, "turbo")
    device.most_watts = 3400
    with pytest.raises(CommandFailed, match="Power out of range"):
        await miner.set_power_limit(3440)
    for refused in (miner.set_power_limit(3453), miner.set_power_mode("custom")):
        with pytest.raises(NotSupported):
            await refused


async def test_locate(pair: Pair) -> None:
    miner, device = pair
    for on, code in ((True, 3), (False, 2)):
        await miner.locate(on)
        assert device.told[-1] == {"command": "led", "code": code}
        assert (await miner.read()).locating is on


async def test_reboot_and_restart(pair: Pair) -> None:
    miner, device = pair
    await miner.restart()
    assert device.told[-1] == {"command": "restart", "parameter": "gcminer"}
    assert (device.restarts, device.reboots) == (1, 0)
    device.rude = True
    await miner.reboot()
    assert device.told[-1] == {"command": "restart"}
    assert device.reboots == 1


async def test_pools(pair: Pair) -> None:
    miner, device = pair
    await miner.set_pools(POOLS)
    assert [pool["pass"] for pool in device.told[-1]["pools"]] == ["secret1", "secret2"]
    assert [pool.user for pool in (await miner.read()).pools] == ["a.one", "a.two"]
    with pytest.raises(CommandFailed, match="Invalid pool"):
        await miner.set_pools([PoolConfig(url="no.scheme:1", user="x")])


async def test_what_is_not_confirmed_fails(pair: Pair) -> None:
    miner, device = pair
    miner.confirm_within = 0.05
    device.stubborn = True
    for command in (
        miner.pause(),
        miner.locate(True),
        miner.set_power_limit(2000),
        miner.set_power_mode("eco"),
        miner.set_pools(POOLS),
    ):
        with pytest.raises(CommandFailed, match="not confirmed"):
            await command
    assert len(device.told) == 5


# Tokens and passwords.


@pytest.mark.parametrize("says", [True, False])
async def test_a_token_that_runs_out_is_renewed(connect: Any, says: bool) -> None:
    miner, device = await connect()
    device.says_expired = says
    device.tokens.clear()
    stats = await miner.read()
    assert (stats.power, stats.failed) == (3000, {})
    assert device.logins == 2
    device.tokens.clear()
    await miner.locate(True)
    assert [told["command"] for told in device.told] == ["led"]
    assert device.logins == 3


async def test_tokens_that_never_hold_are_not_asked_for_in_a_loop(pair: Pair) -> None:
    miner, device = pair
    device.expires = 0
    device.tokens.clear()
    for _ in range(3):
        stats = await miner.read()
        assert stats.status is MinerStatus.MINING
    assert "does not accept the login" in (miner.authentication_error or "")
    assert device.logins == 2


@pytest.mark.parametrize("status", [200, 401, 400])
async def test_a_wrong_password_is_sent_once(
    connect: Any, freezer: FrozenDateTimeFactory, status: int
) -> None:
    def strict(device: Any) -> None:
        device.login_status = status

    miner, device = await connect(typed="geheim", before=strict)
    assert miner.authentication_error == (
        "the device refused the password: Invalid user or password"
    )
    assert miner.info.capabilities == ()
    assert "geheim" not in repr(miner)
    for _ in range(3):
        miner.forget_info()
        stats = await miner.read()
        assert (stats.status, stats.hashrate) == (MinerStatus.MINING, 150)
        assert stats.power is None
        with pytest.raises(AuthenticationFailed, match="Invalid user"):
            await miner.check_credentials()
    with pytest.raises(AuthenticationFailed, match="Invalid user"):
        await miner.pause()
    assert device.logins == 1
    device.account = ("admin", "geheim")
    freezer.tick(3601)
    await miner.check_credentials()
    assert set(miner.info.capabilities) == CONTROLS


async def test_a_reply_to_the_login_that_is_none(connect: Any) -> None:
    def broken(device: Any) -> None:
        device._token = lambda body: _page(b'{"Token": []}')

    miner, _ = await connect(before=broken)
    assert miner.authentication_error is None
    stats = await miner.read()
    assert "no token" in stats.failed["mode"]
    assert stats.status is MinerStatus.MINING


def _page(body: bytes) -> Any:
    from aiohttp import web

    return web.Response(body=body, content_type="application/json")


async def test_without_a_password_it_only_reads(connect: Any) -> None:
    miner, device = await connect(typed=None)
    info = miner.info
    assert info.capabilities == ()
    assert (info.model, info.firmware_version) == ("AT1500", "2024-06.11")
    assert (info.mac, info.serial_number) == (None, None)
    await miner.check_credentials()
    stats = await miner.read()
    assert (stats.status, stats.hashrate, stats.power) == (
        MinerStatus.MINING,
        150,
        None,
    )
    assert [board.temperature_board for board in stats.boards] == [41.2, 42.2, 43.2]
    assert not stats.failed
    device.requests = 0
    await miner.read()
    # What the socket refused is not asked for again so soon.
    assert device.requests == 1
    assert device.logins == 0
    with pytest.raises(NotSupported):
        await miner.locate(True)


async def test_without_a_password_and_without_its_mining_process(
    connect: Any,
) -> None:
    miner, device = await connect(typed=None, quiet_asleep=True)
    device.asleep = True
    for _ in range(2):
        with pytest.raises(DeviceUnreachable):
            await miner.read()


async def test_a_refusal_with_a_status_of_http(pair: Pair) -> None:
    miner, device = pair
    post = device._post

    def status(name: str, body: Any, request: Any) -> Any:
        reply = post(name, body, request)
        reply.set_status(400)
        return reply

    device._post = status
    device.most_watts = 3400
    with pytest.raises(CommandFailed, match="the device refused: Power out of range"):
        await miner.set_power_limit(3440)
    with pytest.raises(InvalidReply, match="HTTP status 400"):
        await miner.locate(True)
    device._get = lambda _: _page(b'{"a": "E"')
    assert "not JSON" in (await miner.read()).failed["psu"]


async def test_a_socket_that_tells_all(connect: Any) -> None:
    miner, _ = await connect(typed=None, rest_on_socket=True)
    assert miner.info.unique_id == "AU23900001"
    stats = await miner.read()
    assert (stats.power, stats.temperature_chip) == (3000, 71.1)
    assert (stats.power_mode, stats.locating) == ("normal", False)
    assert miner.info.capabilities == ()


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
    sections = ("SUMMARY", "DEVS", "POOLS", "Mode", "PSU", "Fan", "Temperature", "LED")
    body = {name: data.draw(_JSON) for name in sections}
    body["STATUS"] = [{"STATUS": "S"}]
    await survives_bytes(miner, device, json.dumps(body).encode())


async def test_unreachable(pair: Pair) -> None:
    miner, device = pair
    await device.stop()
    with pytest.raises(DeviceUnreachable, match="connection refused"):
        await miner.read()
    for command in (miner.pause, miner.reboot):
        with pytest.raises(DeviceUnreachable):
            await command()


async def test_a_reply_of_the_rest_api_that_is_no_object(pair: Pair) -> None:
    miner, device = pair
    get = device._get
    device._get = lambda name: _page(orjson.dumps([1])) if name == "fan" else get(name)
    stats = await miner.read()
    assert "not an object" in stats.failed["fan"]
    assert stats.power == 3000

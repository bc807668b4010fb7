"""ePIC UMC and PowerPlay: its readings by value, and what it answers to commands."""

from collections.abc import AsyncGenerator, Callable
import json
import time
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
    Fan,
    InvalidReply,
    Limits,
    MinerStats,
    MinerStatus,
    NotSupported,
    PoolConfig,
    PoolState,
    connect as identify_and_connect,
    register_miner,
)
from custom_components.miningsdk.sdk.drivers.epic import Epic
from custom_components.miningsdk.sdk.model import MinerSettings, Severity
from custom_components.miningsdk.sdk.transports import cgminer, http
from custom_components.miningsdk.sdk.transports.wire import Wire
from tests.conftest import OFFSET, Simulate
from tests.sdk.trouble import ALL_TROUBLE, check_vocabulary, survives, survives_bytes
from tests.simulators.base import Trouble
from tests.simulators.epic import SimulatedEpic

PORT = 4028 + OFFSET
CAPTURE = "epic/v1/asicrs"
POOLS = (
    PoolConfig(url="stratum+tcp://one.example:3333", user="a.one", password="secret1"),
    PoolConfig(url="stratum+tcp://two.example:4444", user="a.two", password="secret2"),
)
CONTROLS = {
    Capability.PAUSE,
    Capability.REBOOT,
    Capability.RESTART,
    Capability.LOCATE,
    Capability.FAN,
    Capability.POOLS,
    Capability.PROFILE,
    Capability.BOARD_ENABLE,
}

# The device is of no fixed type, so that a test may change what it does.
type Pair = tuple[Epic, Any]


@pytest.fixture
async def connect(
    simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[Any]:
    """Return a function that switches on a device and connects a miner to it."""
    miners: list[Epic] = []
    monkeypatch.setattr(Epic, "confirm_longer", {})

    async def make(**options: Any) -> Pair:
        timeout = options.pop("timeout", 2.0)
        password = options.pop("typed", "letmein")
        before = options.pop("before", None)
        device = await simulate(SimulatedEpic, **options)
        if before is not None:
            before(device)
        miner = Epic(device.host, port=PORT, password=password, timeout=timeout)
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
    miner, device = await connect(serial="EPIC00000077", mac="E6:D4:41:00:00:77")
    info = miner.info
    assert (info.driver, info.make, info.firmware) == ("epic", "Bitmain", "epic")
    assert info.model == "Antminer S19 XP"
    assert info.firmware_version == "PowerPlay-BMS v1.30.2"
    assert info.unique_id == info.serial_number == "EPIC00000077"
    assert (info.mac, info.hostname) == ("e6:d4:41:00:00:77", "cminer00000001")
    assert (info.algorithm, info.chips) == ("sha256", 330)
    assert set(info.capabilities) == CONTROLS
    assert info.limits == {
        Capability.FAN: Limits(minimum=1, maximum=100, step=1, options=("auto",)),
        Capability.POOLS: Limits(minimum=1, maximum=3, step=1),
        Capability.PROFILE: Limits(options=("80 TH/s", "120 TH/s", "142 TH/s")),
        Capability.BOARD_ENABLE: Limits(options=("0", "1", "2")),
    }
    assert device.requests == 4


async def test_a_machine_of_its_own(connect: Any) -> None:
    miner, device = await connect(model="BLOCKMINER 520i")
    assert (miner.info.make, miner.info.model) == ("ePIC", "BLOCKMINER 520i")
    assert miner.info.unique_id == device.mac.lower()


async def test_a_search_for_a_power_is_offered_where_there_is_one(
    connect: Any,
) -> None:
    miner, _ = await connect(power_tune=True)
    limits = Limits(minimum=1500, maximum=3600, step=1)
    assert miner.info.limits[Capability.POWER_LIMIT] == limits


async def test_firmware_of_old(connect: Any) -> None:
    miner, _ = await connect(old=True)
    assert set(miner.info.capabilities) == {
        Capability.PAUSE,
        Capability.REBOOT,
        Capability.RESTART,
        Capability.LOCATE,
        Capability.FAN,
        Capability.POOLS,
        Capability.POWER_LIMIT,
    }
    assert miner.info.limits[Capability.FAN].options == ()
    watts = Limits(minimum=2000, maximum=3250, step=1)
    assert miner.info.limits[Capability.POWER_LIMIT] == watts
    stats = await miner.read()
    assert stats.status is MinerStatus.MINING
    assert (stats.power_limit, stats.power_mode) == (3250, "Normal")
    assert (stats.settings.fan, stats.settings.fan_automatic) == (62, None)
    assert [board.index for board in stats.boards] == [0, 1, 2]
    assert all(board.enabled is None for board in stats.boards)
    assert stats.fans == ()
    assert not stats.failed


async def test_what_is_missing_loses_nothing_else(connect: Any) -> None:
    def break_it(device: Any) -> None:
        device.canned["/capabilities"] = b"[]"
        device.canned["/network"] = b"never mind"

    miner, device = await connect(before=break_it)
    assert (miner.info.model, miner.info.mac, miner.info.chips) == (None, None, None)
    assert Capability.PAUSE in miner.info.capabilities
    stats = await miner.read()
    assert stats.hashrate == pytest.approx(144.5155)
    assert stats.hashrate_expected is None
    device.canned.clear()
    miner.forget_info()
    await miner.read()
    assert miner.info.model == "Antminer S19 XP"


async def test_a_broken_part_is_noted_once_it_is_known(pair: Pair) -> None:
    miner, device = pair
    device.canned["/capabilities"] = b"[]"
    miner.forget_info()
    stats = await miner.read()
    assert "not an object" in stats.failed["info"]
    assert miner.info.model == "Antminer S19 XP"


async def test_another_device_on_the_address_is_noticed(
    connect: Any, simulate: Simulate
) -> None:
    miner, device = await connect(serial="EPIC00000001")
    await device.stop()
    await simulate(
        SimulatedEpic,
        host=device.host,
        mac="E6:D4:41:00:00:99",
        hostname="cminer00000099",
        model="BLOCKMINER 520i",
    )
    await miner.read()
    assert miner.info.unique_id == "e6:d4:41:00:00:99"
    assert miner.info.model == "BLOCKMINER 520i"


async def test_firmware_without_a_page(connect: Any) -> None:
    def older(device: Any) -> None:
        device.gone = {"/network": 404, "/capabilities": 500}

    miner, _ = await connect(before=older)
    assert (miner.info.mac, miner.info.model) == (None, None)
    assert (await miner.read()).status is MinerStatus.MINING


async def test_another_thing_on_the_port_is_refused(connect: Any) -> None:
    def other(device: Any) -> None:
        device.canned["/summary"] = b'{"Status": {}}'

    with pytest.raises(InvalidReply, match="not that of ePIC"):
        await connect(before=other)


async def test_recognition(simulate: Simulate) -> None:
    device = await simulate(SimulatedEpic)
    wire = Wire(host=device.host)
    refusal = await cgminer.VERSION.ask(wire, PORT)
    page = await http.ROOT.ask(wire, 80 + OFFSET)
    await wire.close()
    assert refusal.startswith("HTTP/1.")
    assert " 400 " in refusal.splitlines()[0]
    assert Epic.recognise({cgminer.VERSION: refusal, http.ROOT: page}) == 90
    assert Epic.recognise({http.ROOT: page}) == 90
    assert Epic.recognise({cgminer.VERSION: refusal}) == 0
    socket_api = '{"STATUS":[{"STATUS":"S"}]}'
    assert Epic.recognise({cgminer.VERSION: socket_api, http.ROOT: page}) == 0
    for port in (PORT, 80 + OFFSET):
        found = await identify_and_connect(device.host, port=port, password="letmein")
        await found.close()
        assert found.info.driver == "epic"


async def test_register_by_alias() -> None:
    miner = register_miner("powerplay", host="127.0.0.1")
    assert isinstance(miner, Epic)
    await miner.close()


# What it reads.


async def test_stats(pair: Pair) -> None:
    miner, device = pair
    device.requests = 0
    stats = await miner.read()
    assert device.requests == 1
    check_vocabulary(stats)
    assert stats.status is MinerStatus.MINING
    assert stats.hashrate == 144.5155
    assert stats.hashrate_average == pytest.approx(stats.hashrate * 0.99, rel=1e-4)
    assert stats.hashrate_expected == 143.0847
    assert (stats.power, stats.efficiency) == (3250, 22.49)
    assert (stats.power_limit, stats.power_mode) == (None, None)
    assert (stats.temperature_board, stats.temperature_chip) == (63.5, None)
    assert stats.fans == tuple(
        Fan(index=n, speed=5810 + n * 10, duty=62) for n in range(4)
    )
    first = stats.boards[0]
    assert (first.index, first.enabled, first.serial_number) == (
        0,
        True,
        "EPICHB000000",
    )
    assert (first.hashrate, first.hashrate_expected) == (47.6949, 47.6949)
    assert (first.temperature_board, first.frequency, first.voltage) == (
        61.5,
        485,
        12.6,
    )
    assert (first.chips, first.chips_expected) == (None, 110)
    assert [pool.status for pool in stats.pools] == [PoolState.ACTIVE, None]
    assert stats.pools[0].url == "stratum+tcp://pool.example:3333"
    assert stats.pools[0].user == "acct.rig"
    assert "pool-secret" not in repr(stats)
    assert (stats.accepted, stats.rejected, stats.stale) == (600, 2, None)
    assert (stats.uptime, stats.locating) == (7200, False)
    assert stats.settings == MinerSettings(
        fan_automatic=True,
        target_temperature=58,
        frequency=485,
        profile="140 TH/s",
    )
    assert not stats.faults
    assert not stats.failed


async def test_recorded_replies(connect: Any, example: Callable[[str], bytes]) -> None:
    """An S19 XP with one of its boards switched off, and a fan that stands."""

    def play(device: Any) -> None:
        for name in ("summary", "capabilities", "network"):
            device.canned[f"/{name}"] = example(f"{CAPTURE}/{name}.json")

    miner, _ = await connect(before=play)
    info = miner.info
    assert (info.model, info.make) == ("Antminer S19 XP", "Bitmain")
    assert info.firmware_version == "PowerPlay-BMS v1.5.13"
    assert info.unique_id == info.mac == "e6:d4:41:51:64:28"
    assert (info.hostname, info.algorithm) == ("cminer32092035", "sha256")
    assert info.limits[Capability.PROFILE].options[0] == "80 TH/s"
    assert Capability.POWER_LIMIT not in info.capabilities
    stats = await miner.read()
    assert stats.status is MinerStatus.MINING
    assert stats.hashrate == pytest.approx(99.3658)
    assert stats.hashrate_average == pytest.approx(90.072, abs=1e-3)
    # The firmware's own percentage of theory, 103.1, says the same.
    assert stats.hashrate_expected == pytest.approx(2 * 47.9408, abs=1e-3)
    assert stats.boards[1].hashrate == pytest.approx(
        stats.boards[1].hashrate_expected * 1.031, rel=1e-3
    )
    assert (stats.power, stats.power_limit) == (2166.6, None)
    assert [board.enabled for board in stats.boards] == [False, True, True]
    assert stats.boards[0].hashrate is None
    assert [board.serial_number for board in stats.boards] == [
        None,
        "YNAHYPDBCJEBC0D6S",
        "YNAHYPDBCJEBC0C6R",
    ]
    assert stats.temperature_board == 67
    assert [fan.speed for fan in stats.fans] == [5971, 0, 5942, 5745]
    assert (stats.accepted, stats.rejected, stats.uptime) == (1862, 2, 23170)
    assert stats.pools[0].user == "randomuser.randomworker"
    assert stats.settings.target_temperature == 60
    assert stats.settings.profile == "143 TH/s"
    assert not stats.failed


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("Initializing", MinerStatus.STARTING),
        ("Loading", MinerStatus.STARTING),
        ("PreInitCooldown", MinerStatus.STARTING),
        ("Rebooting", MinerStatus.STARTING),
        ("SoftRebooting", MinerStatus.STARTING),
        ("AdjustingClockVoltage", MinerStatus.TUNING),
        ("Stopping", MinerStatus.IDLE),
        ("Testing", MinerStatus.UNKNOWN),
        ("UpdatingFirmware", MinerStatus.UNKNOWN),
        ("SomethingNew", MinerStatus.UNKNOWN),
    ],
)
async def test_states(pair: Pair, state: str, status: MinerStatus) -> None:
    miner, device = pair
    device.state = state
    assert (await miner.read()).status is status


async def test_mining_needs_a_rate(connect: Any) -> None:
    for uptime, status in ((100, MinerStatus.STARTING), (900, MinerStatus.IDLE)):
        miner, device = await connect(uptime=uptime)
        device.target = 0
        assert (await miner.read()).status is status


async def idle(pair: Pair, **state: Any) -> MinerStats:
    miner, device = pair
    device.state = "Idling"
    for name, value in state.items():
        setattr(device, name, value)
    return await miner.read()


async def test_why_it_idles(pair: Pair) -> None:
    """The firmware has one word for a pause, a lost pool and a fault."""
    stats = await idle(pair, last_command="Stop")
    assert (stats.status, stats.hashrate) == (MinerStatus.PAUSED, 0)
    assert stats.power is None
    stats = await idle(pair, last_command=None, connected=False)
    assert stats.status is MinerStatus.IDLE
    assert stats.pools[0].status is PoolState.DEAD
    assert (await idle(pair, connected=True)).status is MinerStatus.PAUSED
    stats = await idle(pair, last_error={"MinimumFansError": 2})
    assert stats.status is MinerStatus.FAULT
    (fault,) = stats.faults
    assert (fault.code, fault.message) == ("MinimumFansError", "MinimumFansError: 2")
    assert fault.severity is Severity.CRITICAL
    stats = await idle(pair, last_command="Stop")
    assert stats.status is MinerStatus.PAUSED


async def test_an_error_that_it_got_over_is_only_told(pair: Pair) -> None:
    miner, device = pair
    device.last_error = "ChipDetectTimeout"
    device.license_error = {"LicenseError": "expired"}
    stats = await miner.read()
    assert stats.status is MinerStatus.MINING
    assert [(f.code, f.component, f.severity) for f in stats.faults] == [
        ("ChipDetectTimeout", None, Severity.INFO),
        ("LicenseError", "license", Severity.INFO),
    ]


async def test_boards_and_fans_that_are_missing(pair: Pair) -> None:
    miner, device = pair
    device.missing, device.dead_fans = {1}, {2}
    device.enabled[2] = False
    stats = await miner.read()
    assert [(b.index, b.enabled) for b in stats.boards] == [(0, True), (2, False)]
    assert stats.hashrate == 47.6949
    assert [fan.speed for fan in stats.fans] == [5810, 0, 5830, 5840]


async def test_sensors_on_chips(connect: Any) -> None:
    def on_chips(device: Any) -> None:
        device.capabilities_more["Temp Sensor Info"] = {"Type": "Chip", "Count": 2}

    miner, _ = await connect(before=on_chips)
    stats = await miner.read()
    assert (stats.temperature_board, stats.temperature_chip) == (None, 63.5)


async def test_odd_values_lose_nothing_else(pair: Pair) -> None:
    miner, device = pair
    device.summary_more = {
        "HBs": [{"Index": 0, "Hashrate": ["fast"], "Temperature": -273.0}],
        "Session": {"Accepted": "many", "Uptime": 60},
        "Power Supply Stats": {"Input Power": 0.0},
        "HwConfig": {"Boards Target Clock": [{"Data": 480}, {"Data": 490}]},
    }
    stats = await miner.read()
    assert (stats.power, stats.accepted, stats.uptime) == (None, None, 60)
    assert stats.boards[0].hashrate is None
    assert stats.boards[0].temperature_board is None
    assert stats.settings.frequency is None
    assert set(stats.failed) == {"boards", "accepted"}


# What it can be told.


async def test_pause_and_resume(connect: Any) -> None:
    miner, device = await connect(lag=0.05)
    await miner.pause()
    assert device.state == "Idling"
    stats = await miner.read()
    assert (stats.status, stats.hashrate) == (MinerStatus.PAUSED, 0)
    await miner.resume()
    assert (await miner.read()).status in (MinerStatus.STARTING, MinerStatus.MINING)
    assert device.asked[-2:] == [("/miner", "Stop"), ("/miner", "Autostart")]


async def test_a_pause_is_known_to_be_one_without_the_last_command(
    connect: Any,
) -> None:
    """It lets go of its pool, and looks as if that had been lost."""
    miner, device = await connect(lag=0.05)

    def forgetful() -> dict[str, Any]:
        device.last_command = None
        device.connected = device.state == "Mining"
        return SimulatedEpic.summary(device)

    device.summary = forgetful
    await miner.pause()
    assert (await miner.read()).status is MinerStatus.PAUSED
    await miner.resume()
    device.state = "Mining"
    assert (await miner.read()).status is MinerStatus.MINING
    device.state = "Idling"
    assert (await miner.read()).status is MinerStatus.IDLE


async def test_commands(pair: Pair) -> None:
    miner, device = pair
    for on in (True, False):
        await miner.locate(on)
        assert device.asked[-1] == ("/identify", on)
        assert (await miner.read()).locating is on
    await miner.set_fan(45)
    assert device.fan == {"Manual": 45}
    assert (await miner.read()).settings.fan == 45
    await miner.set_fan(None)
    # As it was before.
    assert device.fan == {"Auto": {"Target Temperature": 58, "Idle Speed": 30}}
    await miner.set_board_enabled(1, False)
    assert device.enabled == {0: True, 1: False, 2: True}
    await miner.set_board_enabled(1, True)
    await miner.restart()
    await miner.reboot()
    assert (device.restarts, device.reboots) == (1, 1)
    for refused in (
        miner.set_fan(0),
        miner.set_board_enabled(3, True),
        miner.set_power_limit(2000),
        miner.set_profile("60 TH/s"),
    ):
        with pytest.raises(NotSupported):
            await refused


async def test_profiles_keep_how_far_they_may_be_throttled(pair: Pair) -> None:
    miner, device = pair
    await miner.set_profile("120 TH/s")
    assert device.asked[-1] == (
        "/perpetualtune/algo",
        {
            "algo": "VoltageOptimizer",
            "target": 120,
            "min_throttle": 60,
            "throttle_step": 5,
        },
    )
    assert (await miner.read()).settings.profile == "120 TH/s"
    device.throttle["Min Throttle Target"] = 100
    await miner.set_profile("80 TH/s")
    assert device.asked[-1][1] == {"algo": "VoltageOptimizer", "target": 80}


async def test_a_power_and_back_to_a_hashrate(connect: Any) -> None:
    miner, device = await connect(power_tune=True)
    await miner.set_power_limit(2400.4)
    assert device.asked[-1][1] == {"algo": "Power", "target": 2400}
    stats = await miner.read()
    assert (stats.power_limit, stats.settings.profile) == (2400, None)
    await miner.set_profile("142 TH/s")
    assert device.asked[-1][1] == {"algo": "VoltageOptimizer", "target": 142}
    assert (await miner.read()).power_limit is None


async def test_commands_of_old(connect: Any) -> None:
    miner, device = await connect(old=True)
    await miner.set_fan(45)
    assert device.asked[-1] == ("/fanspeed", "45")
    await miner.set_power_limit(2300)
    wanted = {"preset": "Eco", "power_target": 2300}
    assert device.asked[-1] == ("/mode", wanted)
    await miner.restart()
    assert device.asked[-1] == ("/softreboot", 0)
    with pytest.raises(NotSupported, match="no preset"):
        await miner.set_power_limit(2600)
    with pytest.raises(NotSupported):
        await miner.set_fan(None)


async def test_pools(pair: Pair) -> None:
    miner, device = pair
    await miner.set_pools(POOLS)
    path, param = device.asked[-1]
    assert path == "/coin"
    assert (param["coin"], param["unique_id"]) == ("BTC", True)
    assert [pool["password"] for pool in param["stratum_configs"]] == [
        "secret1",
        "secret2",
    ]
    assert [pool.user for pool in (await miner.read()).pools] == ["a.one", "a.two"]
    with pytest.raises(CommandFailed, match=r"InvalidPoolAddr: no\.scheme:1"):
        await miner.set_pools([PoolConfig(url="no.scheme:1", user="x")])


async def test_refusals_in_its_own_words(pair: Pair) -> None:
    miner, device = pair
    device.busy = True
    with pytest.raises(CommandFailed, match="LastCmdStillPending: tune"):
        await miner.pause()
    assert device.state == "Mining"
    device.canned["/identify"] = b'{"result": false}'
    with pytest.raises(CommandFailed, match="no reason given"):
        await miner.locate(True)
    device.canned["/identify"] = b"<html>"
    with pytest.raises(CommandFailed, match="HTTP status 200"):
        await miner.locate(True)


async def test_an_unknown_command(connect: Any) -> None:
    miner, device = await connect()
    device.old = True
    with pytest.raises(NotSupported, match="InvalidUrl: /boardenable"):
        await miner.set_board_enabled(0, False)


async def test_what_is_not_confirmed_fails(pair: Pair) -> None:
    miner, device = pair
    miner.confirm_within = 0.05
    device.stubborn = True
    for command in (
        miner.pause(),
        miner.locate(True),
        miner.set_fan(50),
        miner.set_profile("80 TH/s"),
        miner.set_pools(POOLS),
        miner.set_board_enabled(0, False),
    ):
        with pytest.raises(CommandFailed, match="not confirmed"):
            await command
    assert [path for path, _ in device.asked if path == "/miner"] == ["/miner"]


async def test_an_answer_that_comes_only_when_it_is_done(connect: Any) -> None:
    """Some firmware keeps the caller waiting for as long as the command takes."""
    miner, device = await connect(timeout=0.4)
    answer = device._post

    async def slow(request: Any) -> Any:
        reply = await answer(request)
        device.trouble = Trouble.SILENT if request.path == "/miner" else Trouble.NONE
        return reply

    device._post = slow
    started = time.monotonic()
    task = miner.pause()
    device.summary = _cured(device)
    await task
    assert time.monotonic() - started > 0.3
    assert device.state == "Idling"


def _cured(device: Any) -> Callable[[], dict[str, Any]]:
    def summary() -> dict[str, Any]:
        device.trouble = Trouble.NONE
        return SimulatedEpic.summary(device)

    return summary


async def test_a_reboot_that_cuts_its_own_answer_off(connect: Any) -> None:
    miner, device = await connect(lag=0.2)
    device.rude = True
    await miner.reboot()
    assert device.reboots == 1
    with pytest.raises(DeviceUnreachable):
        await miner.reboot()
    assert device.reboots == 1


# Passwords.


async def test_a_wrong_password_is_sent_once(
    connect: Any, freezer: FrozenDateTimeFactory
) -> None:
    miner, device = await connect(typed="geheim")
    assert miner.authentication_error == "the device refused the password: BadPassword"
    assert miner.info.capabilities == ()
    stats = await miner.read()
    assert stats.status is MinerStatus.MINING
    for _ in range(3):
        miner.forget_info()
        await miner.read()
        with pytest.raises(AuthenticationFailed, match="BadPassword"):
            await miner.check_credentials()
    with pytest.raises(AuthenticationFailed, match="BadPassword"):
        await miner.pause()
    assert device.wrong_passwords == 1
    device.password = "geheim"
    freezer.tick(3601)
    await miner.check_credentials()
    assert set(miner.info.capabilities) >= CONTROLS
    assert "geheim" not in repr(miner)


async def test_a_password_that_was_changed_since(pair: Pair) -> None:
    miner, device = pair
    device.password = "another"
    for _ in range(3):
        with pytest.raises(AuthenticationFailed, match="BadPassword"):
            await miner.locate(True)
    assert device.wrong_passwords == 1
    await miner.read()
    assert miner.authentication_error is not None
    assert miner.info.capabilities == ()
    assert device.wrong_passwords == 1


async def test_firmware_of_old_tells_with_the_first_command(connect: Any) -> None:
    miner, device = await connect(old=True, typed="wrong")
    assert miner.authentication_error is None
    for _ in range(2):
        with pytest.raises(AuthenticationFailed, match="Incorrect password"):
            await miner.locate(True)
    assert device.wrong_passwords == 1


async def test_without_a_password_it_only_reads(connect: Any) -> None:
    miner, device = await connect(typed=None)
    assert miner.info.capabilities == ()
    await miner.check_credentials()
    assert (await miner.read()).status is MinerStatus.MINING
    with pytest.raises(NotSupported):
        await miner.pause()
    assert device.asked == []


async def test_a_password_is_never_shown(pair: Pair) -> None:
    miner, device = pair
    echo = {"result": False, "error": {"MergeApiDecodeError": "at letmein"}}
    device.canned["/identify"] = orjson.dumps(echo)
    with pytest.raises(CommandFailed) as failure:
        await miner.locate(True)
    assert "letmein" not in str(failure.value)
    assert "MergeApiDecodeError: at ***" in str(failure.value)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refusal_by_status(connect: Any, status: int) -> None:
    def strict(device: Any) -> None:
        device.refusal_status = status

    miner, device = await connect(typed="wrong", before=strict)
    assert "refused the password" in miner.authentication_error
    assert device.wrong_passwords == 1


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
    summary = json.loads(orjson.dumps(SimulatedEpic.summary(device)))
    key = data.draw(st.sampled_from(sorted(summary)))
    summary[key] = data.draw(_JSON)
    if isinstance(summary["Status"], dict):
        body = json.dumps(summary).encode()
        await survives_bytes(miner, device, body)


async def test_unreachable(pair: Pair) -> None:
    miner, device = pair
    await device.stop()
    for command in (miner.read, miner.pause, miner.reboot):
        with pytest.raises(DeviceUnreachable, match="refused"):
            await command()
    await device.start()
    assert (await miner.read()).status is MinerStatus.MINING


async def test_at_most_one_connection(pair: Pair) -> None:
    miner, device = pair
    for _ in range(3):
        await miner.read()
    await miner.set_fan(70)
    assert device.most_connections == 1

"""Canaan Avalon: what it reads, what it can be told, and what it must survive."""

from collections.abc import Callable
import time

from hypothesis import HealthCheck, given, settings, strategies
import orjson
import pytest

from custom_components.miningsdk.sdk import (
    AuthenticationFailed,
    Capability,
    CommandFailed,
    DeviceTimeout,
    DeviceUnreachable,
    InvalidReply,
    MinerStats,
    MinerStatus,
    NotSupported,
    PoolConfig,
    PoolState,
    register_miner,
    to_json,
)
from custom_components.miningsdk.sdk.drivers import _avalon_reading as reading
from custom_components.miningsdk.sdk.drivers._avalon_models import (
    NANO_3,
    Q,
    family_of,
    model_name,
)
from custom_components.miningsdk.sdk.drivers.avalon import Avalon
from custom_components.miningsdk.sdk.fields import Fields
from custom_components.miningsdk.sdk.model import MinerSettings
from custom_components.miningsdk.sdk.transports import cgminer, cgminer_text
from custom_components.miningsdk.sdk.transports.wire import Wire
from tests.conftest import Simulate
from tests.sdk.trouble import ALL_TROUBLE, check_vocabulary, survives, survives_bytes
from tests.simulators.avalon import SimulatedAvalon
from tests.simulators.avalon_profiles import PROFILES
from tests.simulators.base import Trouble
from tests.simulators.cgminer import PORT, SimulatedCgminer

# Simulated time runs so much faster that no test waits for a miner.
FAST = 500.0
POOLS = (
    PoolConfig(url="stratum+tcp://new.example.com:3333", user="me.rig", password="k3y"),
    PoolConfig(url="stratum+tcp://spare.example.com:3333", user="me.rig"),
)


def make(
    device: SimulatedAvalon, password: str | None = None, timeout: float = 2
) -> Avalon:
    miner = Avalon(
        device.host, port=device.port(PORT), password=password, timeout=timeout
    )
    miner.confirm_every = 0.01
    miner.confirm_within = 3
    miner.reboot_within = 3
    return miner


@pytest.fixture
async def device(simulate: Simulate) -> SimulatedAvalon:
    found = await simulate(SimulatedAvalon, speed=FAST)
    assert isinstance(found, SimulatedAvalon)
    return found


@pytest.fixture
async def a1346(simulate: Simulate) -> SimulatedAvalon:
    found = await simulate(SimulatedAvalon, model="a1346", speed=FAST, reboot_time=20)
    assert isinstance(found, SimulatedAvalon)
    return found


# Who it is.


async def test_info(device: SimulatedAvalon) -> None:
    async with make(device) as miner:
        info = miner.info
    assert (info.driver, info.kind, info.algorithm) == ("avalon", "miner", "sha256")
    assert (info.make, info.model, info.firmware) == ("Canaan", "Avalon Q", "stock")
    assert info.firmware_version == "25052801_14a19a2"
    assert info.mac == "b4:a2:eb:30:00:01"
    assert info.serial_number == info.unique_id == "02010000aa00bb01"
    assert info.chips == 160
    assert device.asked == ["version", "estats", "ascset|0,help", "check|setpool"]
    assert device.requests == 3


async def test_mac_with_colons(simulate: Simulate) -> None:
    device = await simulate(SimulatedAvalon, mac="B4:A2:EB:30:00:0A")
    async with make(device) as miner:
        assert miner.info.mac == "b4:a2:eb:30:00:0a"


async def test_nano_3_hides_its_identity_in_the_statistics(simulate: Simulate) -> None:
    device = await simulate(SimulatedAvalon, model="nano3", serial="02010000cc00dd03")
    async with make(device) as miner:
        assert miner.info.model == "Avalon Nano 3"
        assert miner.info.mac is None
        assert miner.info.serial_number == "02010000cc00dd03"
        assert miner.info.capabilities == ()


@pytest.mark.parametrize(
    ("product", "model", "name"),
    [
        ("AvalonMiner 1246", "1246-83", "Avalon A1246"),
        ("AvalonMiner 1346-110", "1346-110", "Avalon A1346"),
        ("AvalonMiner 1166Pro", None, "Avalon A1166Pro"),
        ("AvalonMiner 10xx", "10xx", "Avalon A10xx"),
        ("AvalonMiner 15-194", "15-194", "Avalon A15-194"),
        ("Avalon Q", "Q", "Avalon Q"),
        ("Avalon Nano3s", "Nano3s", "Avalon Nano 3S"),
        ("Avalonnano", "nano3", "Avalon Nano 3"),
        ("Avalon Mini3", "Mini3", "Avalon Mini 3"),
        ("Avalon Mega", "Mega", "Avalon Mega"),
        ("AvalonMiner 921", "921", "AvalonMiner 921"),
        (None, None, None),
    ],
)
def test_model_names(product: str | None, model: str | None, name: str | None) -> None:
    assert model_name(product, model) == name


C = Capability


@pytest.mark.parametrize(
    ("model", "capabilities", "modes"),
    [
        ("q", {C.PAUSE, C.REBOOT, C.POWER_MODE, C.FAN, C.POOLS}, "eco standard super"),
        (
            "mini3",
            {C.PAUSE, C.REBOOT, C.POWER_MODE, C.FAN, C.POOLS},
            "heating mining night",
        ),
        ("nano3s", {C.REBOOT, C.POWER_MODE, C.FAN, C.POOLS}, "low mid high"),
        ("nano3", set(), ""),
        ("a1066", {C.REBOOT, C.LOCATE, C.POWER_MODE}, "normal high"),
        ("a1246", {C.REBOOT, C.LOCATE, C.POWER_MODE, C.FAN}, "normal high"),
        (
            "a1346",
            {C.PAUSE, C.REBOOT, C.LOCATE, C.POWER_MODE, C.FAN, C.POOLS},
            "normal high",
        ),
        ("a1566", {C.PAUSE, C.REBOOT, C.LOCATE, C.POWER_MODE, C.FAN}, "normal high"),
    ],
)
async def test_capabilities(
    simulate: Simulate, model: str, capabilities: set[Capability], modes: str
) -> None:
    device = await simulate(SimulatedAvalon, model=model)
    async with make(device) as miner:
        info = miner.info
    assert set(info.capabilities) == capabilities
    if modes:
        assert info.limits[C.POWER_MODE].options == tuple(modes.split())
    if C.FAN in capabilities:
        limits = info.limits[C.FAN]
        assert (limits.minimum, limits.maximum, limits.step) == (15, 100, 1)
        assert limits.options == ("auto",)


async def test_only_what_can_be_confirmed_is_offered(device: SimulatedAvalon) -> None:
    device.options = (device.options or "") + "target-temp|led|"
    device.overrides = {"WORKMODE": None, "FanR": None}
    device.takes_setpool = False
    async with make(device) as miner:
        assert set(miner.info.capabilities) == {C.PAUSE, C.REBOOT, C.TARGET_TEMPERATURE}
        limits = miner.info.limits[C.TARGET_TEMPERATURE]
    assert (limits.minimum, limits.maximum) == (50, 90)


async def test_a1346_that_lists_nothing_takes_what_is_documented(
    a1346: SimulatedAvalon,
) -> None:
    a1346.refuses["help"] = "Unknown option: help"
    async with make(a1346) as miner:
        assert set(miner.info.capabilities) == {
            *(C.PAUSE, C.REBOOT, C.LOCATE, C.POWER_MODE, C.FAN, C.POOLS)
        }


async def test_recognised(device: SimulatedAvalon, simulate: Simulate) -> None:
    answer = await cgminer.VERSION.ask(Wire(host=device.host), device.port(PORT))
    assert Avalon.recognise({cgminer.VERSION: answer}) == 50
    other = await simulate(SimulatedCgminer)
    answer = await cgminer.VERSION.ask(Wire(host=other.host), other.port(PORT))
    assert Avalon.recognise({cgminer.VERSION: answer}) == 0
    assert Avalon.recognise({}) == 0


@pytest.mark.parametrize("name", ["avalon", "avalonminer", "canaan-q"])
async def test_found_by_name(name: str) -> None:
    miner = register_miner(name, host="127.0.0.1")
    assert isinstance(miner, Avalon)
    assert miner.port == 4028
    assert miner.info.model == ("Q" if "q" in name else None)


# What it reads.


async def test_stats_of_a_q(device: SimulatedAvalon) -> None:
    async with make(device) as miner:
        before = device.requests
        stats = await miner.read()
    assert device.requests - before == 1
    assert device.most_connections == 1
    assert stats.failed == {}
    assert stats.status is MinerStatus.MINING
    assert stats.hashrate == pytest.approx(80.7, rel=0.011)
    assert stats.hashrate_average == 78.279
    assert stats.hashrate_expected == 81.507
    assert (stats.power, stats.power_limit) == (1403, 1333)
    assert stats.power_mode == "standard"
    assert stats.efficiency == pytest.approx(1403 / 80.7, rel=0.02)
    assert stats.temperature_chip == 78
    assert stats.temperature_board == 58
    assert (stats.temperature_inlet, stats.temperature_outlet) == (26, None)
    assert [(f.index, f.speed, f.duty) for f in stats.fans] == [
        (index, 2640 + 8 * index, 48) for index in range(4)
    ]
    (board,) = stats.boards
    assert board.hashrate == stats.hashrate
    assert (board.chips, board.chips_expected) == (160, 160)
    assert board.temperature_chip is not None
    assert 58 <= board.temperature_chip <= 76
    assert (board.voltage, board.frequency) == (13.12, 282.86)
    assert (stats.stale, stats.hardware_errors) == (3, 7)
    assert stats.best_difficulty == 354914572
    assert stats.accepted is not None
    assert stats.uptime == pytest.approx(stats.accepted * 6, abs=6)
    assert stats.locating is None
    assert stats.settings.target_temperature == 65
    assert stats.settings.fan_automatic is None
    assert stats.faults == ()


async def test_pools_without_secrets(device: SimulatedAvalon) -> None:
    async with make(device, "web-secret") as miner:
        stats = await miner.read()
    assert [pool.status for pool in stats.pools] == [
        PoolState.ACTIVE,
        PoolState.ALIVE,
        PoolState.ALIVE,
    ]
    assert stats.pools[1].url == "stratum+tcp://pool1.example.com:4444"
    assert stats.pools[1].user == "worker1"
    for shown in (to_json(stats), to_json(miner.info), repr(miner), repr(stats)):
        assert "secret" not in shown


async def test_stats_of_an_a1346(a1346: SimulatedAvalon) -> None:
    async with make(a1346) as miner:
        stats = await miner.read()
    assert stats.status is MinerStatus.MINING
    assert (stats.power, stats.power_mode) == (3348, "high")
    assert stats.temperature_ambient == 31
    assert stats.temperature_inlet is None
    assert [board.temperature_chip for board in stats.boards] == [77, 76, 75]
    assert [board.chips for board in stats.boards] == [136] * 3
    assert stats.boards[1].hashrate == pytest.approx(110.8 * 0.97 / 3, abs=0.01)
    assert stats.locating is False
    assert stats.uptime
    assert stats.failed == {}


async def test_six_numbers_of_the_supply_tell_the_power_of_the_boards(
    simulate: Simulate,
) -> None:
    device = await simulate(SimulatedAvalon, model="a1066")
    async with make(device) as miner:
        stats = await miner.read()
    assert stats.power == 2834
    # Without a momentary rate the shortest average of the summary counts.
    assert stats.hashrate == pytest.approx(50.6, rel=0.011)
    assert stats.status is MinerStatus.MINING
    assert stats.boards[0].voltage == 12.79
    assert stats.faults == ()


async def test_nano_3s(simulate: Simulate) -> None:
    device = await simulate(SimulatedAvalon, model="nano3s", mode=2)
    async with make(device) as miner:
        stats = await miner.read()
    assert (stats.power, stats.power_mode) == (133, "high")
    assert (stats.temperature_inlet, stats.temperature_outlet) == (None, 44)
    assert (stats.boards[0].chips, stats.boards[0].voltage) == (12, None)
    assert "temperature_inlet" not in stats.failed


async def test_text_only_firmware(simulate: Simulate) -> None:
    device = await simulate(SimulatedAvalon, model="a1346", speaks_json=False)
    async with make(device) as miner:
        assert miner.info.model == "Avalon A1346"
        assert C.PAUSE in miner.info.capabilities
        before = device.requests
        stats = await miner.read()
        assert device.requests - before == 3
        assert stats.status is MinerStatus.MINING
        assert stats.pools[0].status is PoolState.ACTIVE
        assert stats.failed == {}
        await miner.locate(True)
        assert device.led
    assert "ascset|0,led,1-1" in device.asked
    assert device.most_connections == 1


async def test_joined_requests_refused_once(simulate: Simulate) -> None:
    device = await simulate(SimulatedAvalon, joins=False)
    async with make(device) as miner:
        assert device.requests == 5
        await miner.read()
        before = device.requests
        stats = await miner.read()
    assert device.requests - before == 3
    assert stats.status is MinerStatus.MINING
    assert stats.failed == {}
    assert device.most_connections == 1


@pytest.mark.parametrize("joins", [True, False])
@pytest.mark.parametrize("missing", ["summary", "pools"])
async def test_one_refused_command_loses_nothing_else(
    simulate: Simulate, missing: str, joins: bool
) -> None:
    device = await simulate(SimulatedAvalon, joins=joins)
    async with make(device) as miner:
        device.refuses[missing] = ""
        stats = await miner.read()
    assert list(stats.failed) == [missing]
    assert stats.status is MinerStatus.MINING
    assert stats.power == 1403
    assert bool(stats.pools) == (missing == "summary")
    assert (stats.best_difficulty is None) == (missing == "summary")


async def test_older_name_of_the_statistics(device: SimulatedAvalon) -> None:
    device.refuses["estats"] = ""
    async with make(device) as miner:
        before = device.requests
        stats = await miner.read()
    assert device.requests - before == 1
    assert stats.status is MinerStatus.MINING
    assert stats.failed == {}


async def test_summary_alone_says_little_but_that(device: SimulatedAvalon) -> None:
    async with make(device) as miner:
        device.refuses["estats"] = ""
        stats = await miner.read()
    assert stats.status is MinerStatus.UNKNOWN
    assert {"status", "estats"} <= set(stats.failed)
    assert stats.hashrate_average
    assert stats.pools
    assert stats.boards == ()


async def test_garbled_values_are_named(device: SimulatedAvalon) -> None:
    device.overrides = {
        "TMax": "hot",
        "Fan2": "?",
        "PS": "0 zero 1",
        "MPO": "much",
        "MGHS": "-",
    }
    async with make(device) as miner:
        stats = await miner.read()
    assert {"temperature_chip", "fans", "PS", "power_limit"} <= set(stats.failed)
    assert [fan.index for fan in stats.fans] == [0, 2, 3]
    assert stats.power is None
    assert stats.status is MinerStatus.MINING
    check_vocabulary(stats)


@pytest.mark.parametrize(
    ("overrides", "status"),
    [
        ({"SYSTEMSTATU": "Work: In Init, Hash Board: 1"}, MinerStatus.STARTING),
        ({"SYSTEMSTATU": "Work: In Fault, Hash Board: 1"}, MinerStatus.FAULT),
        ({"SYSTEMSTATU": "Work: In Idle, Hash Board: 1"}, MinerStatus.IDLE),
        (
            {"SYSTEMSTATU": "Work: In Idle, Hash Board: 1", "SoftOFF": "4"},
            MinerStatus.PAUSED,
        ),
        ({"SYSTEMSTATU": "Work: Hot-Recovery, Hash Board: 1"}, MinerStatus.MINING),
        ({"SYSTEMSTATU": None}, MinerStatus.MINING),
        ({"SYSTEMSTATU": None, "GHSspd": "0.00"}, MinerStatus.UNKNOWN),
        ({"SoftOFF": "5", "GHSspd": "12.10"}, MinerStatus.MINING),
        ({"SYSTEMSTATU": None, "GHSspd": "0", "SoftOFF": "5"}, MinerStatus.PAUSED),
        ({"ADJ": "0", "BAR": "37"}, MinerStatus.TUNING),
        ({"ADJ": "0"}, MinerStatus.MINING),
        # Some firmware prints no momentary rate although it hashes.
        ({"GHSspd": "0.00"}, MinerStatus.MINING),
        ({"GHSspd": None}, MinerStatus.MINING),
    ],
)
async def test_status(
    device: SimulatedAvalon, overrides: dict[str, str | None], status: MinerStatus
) -> None:
    device.overrides = overrides
    async with make(device) as miner:
        assert (await miner.read()).status is status


async def test_no_pool_is_idle(device: SimulatedAvalon) -> None:
    async with make(device) as miner:
        device.pool_status = "Dead"
        stats = await miner.read()
        assert stats.status is MinerStatus.IDLE
        assert (stats.hashrate, stats.boards[0].hashrate) == (0, 0)
        assert stats.pools[0].status is PoolState.DEAD
        device.pool_status = "Alive"
        assert (await miner.read()).status is MinerStatus.MINING


async def test_ramping_up_is_not_mining(device: SimulatedAvalon) -> None:
    device.overrides = {"GHSspd": "0.00", "GHSmm": "900000.00"}
    async with make(device) as miner:
        stats = await miner.read()
    assert stats.status is MinerStatus.STARTING
    assert stats.hashrate == 0


@pytest.mark.parametrize(
    ("overrides", "codes"),
    [
        ({"PS": "17 1222 1312 250 1153 1320 1403"}, {"ps_1", "ps_16"}),
        ({"PS": "2048 1222 1312 250 1153 1320 1403"}, {"ps_2048"}),
        ({"PS": "8192 1222 1312 250 1153 1320 1403"}, {"ps_8192"}),
        ({"PS": "0 0 0 0 0 0 0"}, {"ps_silent"}),
        ({"POWS": "1"}, {"pows"}),
        ({"ECHU": "512"}, set()),
        ({"ECHU": "513"}, {"echu_1"}),
        ({"ECHU": "640"}, {"echu_128"}),
        ({"ECHU": "4"}, {"echu_4"}),
        ({"HASHS": "1"}, {"hashs"}),
        ({"ECMM": "1"}, {"ecmm_1"}),
        ({"POOLS": "1"}, {"pools"}),
        ({"FanErr": "2"}, {"fan_err"}),
        ({"SYSTEMSTATU": "Work: In Fault, Hash Board: 1"}, {"in_fault"}),
    ],
)
async def test_faults(
    device: SimulatedAvalon, overrides: dict[str, str | None], codes: set[str]
) -> None:
    device.overrides = overrides
    async with make(device) as miner:
        stats = await miner.read()
    assert {fault.code for fault in stats.faults} == codes
    assert all(fault.message for fault in stats.faults)


async def test_fault_of_one_board(a1346: SimulatedAvalon) -> None:
    a1346.overrides = {"ECHU": "0 641 0", "GHSspd": "0.00", "GHSmm": "900000"}
    async with make(a1346) as miner:
        stats = await miner.read()
    assert [fault.component for fault in stats.faults] == ["board 1", "board 1"]
    assert stats.status is MinerStatus.FAULT


async def test_asleep_at_connect(simulate: Simulate) -> None:
    device = await simulate(SimulatedAvalon, asleep=True)
    async with make(device) as miner:
        assert C.PAUSE in miner.info.capabilities
        stats = await miner.read()
    assert stats.status is MinerStatus.PAUSED
    assert stats.hashrate == 0
    assert stats.hashrate_average == 78.279
    assert stats.power == 12
    assert stats.temperature_chip is None
    (board,) = stats.boards
    # The temperatures of the chips are those from before.
    assert (board.hashrate, board.temperature_chip, board.chips) == (0, None, None)
    assert stats.efficiency is None


# What it can be told.


async def test_pause_and_resume_by_the_clock_of_the_miner(simulate: Simulate) -> None:
    device = await simulate(SimulatedAvalon, speed=FAST)
    device._origin = (device._origin[0] - 7200, device._origin[1])
    device.booted -= 7200
    async with make(device) as miner:
        await miner.pause()
        assert device.asleep
        assert (await miner.read()).status is MinerStatus.PAUSED
        await miner.resume()
        assert not device.asleep
        assert (await miner.read()).status is not MinerStatus.PAUSED
    slept = next(a for a in device.asked if "softoff" in a)
    assert slept.startswith("ascset|0,softoff,1:")
    # The clock of the miner is two hours behind that of the test.
    assert time.time() - int(slept.rpartition(":")[2]) > 3600
    assert device.most_connections == 1


async def test_pause_of_an_a1346_needs_a_reboot_to_resume(
    a1346: SimulatedAvalon,
) -> None:
    async with make(a1346) as miner:
        await miner.resume()
        assert not any("reboot" in asked for asked in a1346.asked)
        await miner.pause()
        assert (await miner.read()).status is MinerStatus.PAUSED
        await miner.resume()
        stats = await miner.read()
    assert stats.status in (MinerStatus.STARTING, MinerStatus.MINING)
    assert "ascset|0,softoff" in a1346.asked
    assert a1346.asked.count("ascset|0,reboot,0") == 1


async def test_command_without_effect_is_not_confirmed(device: SimulatedAvalon) -> None:
    device.ignores = {"softoff", "workmode", "fan-spd"}
    async with make(device) as miner:
        miner.confirm_within = 0.05
        with pytest.raises(CommandFailed, match="not confirmed"):
            await miner.pause()
        with pytest.raises(CommandFailed, match="not confirmed"):
            await miner.set_power_mode("eco")
        with pytest.raises(CommandFailed, match="not confirmed"):
            await miner.set_fan(80)


async def test_refusal_in_the_words_of_the_miner(device: SimulatedAvalon) -> None:
    async with make(device) as miner:
        device.refuses["workmode"] = "current mode 1 is caling Don't permit switch mode"
        with pytest.raises(CommandFailed, match="is caling"):
            await miner.set_power_mode("eco")
        device.refuses["softoff"] = "Unknown option: softoff"
        with pytest.raises(CommandFailed, match="Unknown option: softoff"):
            await miner.pause()
        assert not device.asleep
        assert device.mode == 1


async def test_power_mode(device: SimulatedAvalon) -> None:
    async with make(device) as miner:
        await miner.set_power_mode("super")
        assert device.mode == 2
        assert (await miner.read()).power_mode == "super"
        with pytest.raises(NotSupported, match="eco, standard, super"):
            await miner.set_power_mode("turbo")
    assert "ascset|0,workmode,set,2" in device.asked
    assert not any("reboot" in asked for asked in device.asked)


async def test_power_mode_of_the_a_series_reboots(a1346: SimulatedAvalon) -> None:
    async with make(a1346) as miner:
        assert (await miner.read()).power_mode == "high"
        await miner.set_power_mode("high")
        assert not any("workmode" in asked for asked in a1346.asked)
        await miner.set_power_mode("normal")
        assert (await miner.read()).power_mode == "normal"
    assert a1346.mode == 0
    assert "ascset|0,workmode,0" in a1346.asked
    assert "ascset|0,reboot,0" in a1346.asked


async def test_reboot_that_never_ends(a1346: SimulatedAvalon) -> None:
    a1346.reboot_time = 1e6
    async with make(a1346) as miner:
        miner.reboot_within = 0.05
        with pytest.raises(CommandFailed, match="refused"):
            await miner.set_power_mode("normal")
        # The patience was for that one command.
        assert miner._time_to_confirm(C.FAN) == miner.confirm_within


async def test_fan(device: SimulatedAvalon) -> None:
    async with make(device) as miner:
        await miner.set_fan(70)
        stats = await miner.read()
        assert (stats.settings.fan, stats.settings.fan_automatic) == (70, False)
        assert stats.fans[0].duty == 70
        await miner.set_fan(None)
        stats = await miner.read()
        assert (stats.settings.fan, stats.settings.fan_automatic) == (None, True)
        with pytest.raises(NotSupported, match="15 to 100"):
            await miner.set_fan(10)
        device.booted = device.now()
        assert (await miner.read()).settings.fan_automatic is None
    assert [a for a in device.asked if "fan" in a] == [
        "ascset|0,fan-spd,70",
        "ascset|0,fan-spd,-1",
    ]


async def test_target_temperature(device: SimulatedAvalon) -> None:
    device.options = "help|target-temp|"
    async with make(device) as miner:
        await miner.set_target_temperature(75)
        assert (await miner.read()).settings.target_temperature == 75
        with pytest.raises(NotSupported, match="50 to 90"):
            await miner.set_target_temperature(95)
        with pytest.raises(NotSupported):
            await miner.pause()
    assert device.target == 75


async def test_locate(a1346: SimulatedAvalon) -> None:
    async with make(a1346) as miner:
        await miner.locate(True)
        assert (await miner.read()).locating is True
        await miner.locate(False)
        assert a1346.led is False
        a1346.ignores = {"led"}
        miner.confirm_within = 0.05
        with pytest.raises(CommandFailed, match="not confirmed"):
            await miner.locate(True)


@pytest.mark.parametrize("mute", [True, False])
async def test_reboot(device: SimulatedAvalon, mute: bool) -> None:
    device.mute = {"reboot"} if mute else set()
    device.reboot_time = 50
    async with make(device) as miner:
        await miner.reboot()
        with pytest.raises(DeviceUnreachable):
            await miner.read()
    assert device.asked[-1] == "ascset|0,reboot,0"


async def test_reboot_without_any_answer(device: SimulatedAvalon) -> None:
    miner = make(device, timeout=0.3)
    await miner.connect()
    device.trouble = Trouble.SILENT
    await miner.reboot()


async def test_reboot_refused(device: SimulatedAvalon) -> None:
    async with make(device) as miner:
        device.refuses["reboot"] = "reboot value not number"
        with pytest.raises(CommandFailed, match="not number"):
            await miner.reboot()


# The pools are the only setting behind a password.


@pytest.mark.parametrize("model", ["q", "a1346"])
async def test_set_pools(simulate: Simulate, model: str) -> None:
    device = await simulate(SimulatedAvalon, model=model, speed=FAST, reboot_time=20)
    async with make(device, "web-secret") as miner:
        await miner.set_pools(POOLS)
        stats = await miner.read()
    first, second, third = stats.pools
    assert (first.url, first.user) == (POOLS[0].url, POOLS[0].user)
    assert second.url == POOLS[1].url
    # The firmware cannot empty a slot, so the last pool stands there once more.
    assert third.url == POOLS[1].url
    assert device.pools[0][2] == "k3y"
    assert device.asked.count("ascset|0,reboot,0") == 1


async def test_set_pools_without_password(device: SimulatedAvalon) -> None:
    async with make(device) as miner:
        assert C.POOLS in miner.info.capabilities
        with pytest.raises(AuthenticationFailed, match="password"):
            await miner.set_pools(POOLS)
    assert not any(asked.startswith("setpool") for asked in device.asked)


@pytest.mark.parametrize("model", ["q", "a1346"])
async def test_set_pools_with_wrong_password(simulate: Simulate, model: str) -> None:
    device = await simulate(SimulatedAvalon, model=model)
    async with make(device, "wrong-secret") as miner:
        before = device.requests
        with pytest.raises(AuthenticationFailed, match="userpass err") as caught:
            await miner.set_pools(POOLS)
        # The pools are read and one is tried; nothing is tried twice or rebooted.
        assert device.requests - before == 2
    assert "secret" not in str(caught.value)
    assert not any("reboot" in asked for asked in device.asked)


async def test_words_that_repeat_secrets_are_kept_back(
    device: SimulatedAvalon,
) -> None:
    device.refuses["setpool"] = "cannot set k3y"
    async with make(device, "web-secret") as miner:
        with pytest.raises(CommandFailed, match="refused the pool") as caught:
            await miner.set_pools(POOLS)
        assert "k3y" not in str(caught.value)
        device.refuses["setpool"] = "The pool url length is too long."
        with pytest.raises(CommandFailed, match="url length is too long"):
            await miner.set_pools(POOLS)


async def test_pools_that_cannot_be_written(device: SimulatedAvalon) -> None:
    async with make(device, "web-secret") as miner:
        with pytest.raises(NotSupported, match="comma"):
            await miner.set_pools([PoolConfig(url="a:1", user="me", password="d=1,x")])
        with pytest.raises(NotSupported):
            await miner.set_pools([])
        device.ignores, device.reboot_time = {"setpool"}, 5
        miner.reboot_within = 0.3
        with pytest.raises(CommandFailed, match="not confirmed"):
            await miner.set_pools(POOLS)


# What it must survive.


async def test_unreachable(device: SimulatedAvalon) -> None:
    miner = make(device)
    await device.stop()
    with pytest.raises(DeviceUnreachable, match="refused"):
        await miner.connect()


async def test_silence_at_connect(device: SimulatedAvalon) -> None:
    device.trouble = Trouble.SILENT
    with pytest.raises(DeviceTimeout):
        await make(device, timeout=0.2).connect()


@pytest.mark.parametrize("trouble", [Trouble.GARBAGE, Trouble.WRONG_TYPES])
async def test_another_device_at_connect(
    device: SimulatedAvalon, trouble: Trouble
) -> None:
    device.trouble = trouble
    with pytest.raises(InvalidReply):
        await make(device).connect()


async def test_replaced_device_is_noticed_at_once(device: SimulatedAvalon) -> None:
    async with make(device) as miner:
        await miner.read()
        device.serial = "02010000ee00ff99"
        await miner.read()
        assert miner.info.unique_id == "02010000ee00ff99"
        before = device.requests
        await miner.read()
        assert device.requests - before == 1


async def test_truncated_joined_reply_does_not_cost_forever(
    device: SimulatedAvalon,
) -> None:
    async with make(device) as miner:
        device.canned["summary+estats+pools"] = b'{"summary":[{"SUMM\x00'
        stats = await miner.read()
        assert stats.status is MinerStatus.MINING
        device.canned.clear()
        miner.forget_info()
        await miner.read()
        before = device.requests
        await miner.read()
        assert device.requests - before == 1


@pytest.mark.parametrize("trouble", ALL_TROUBLE)
@pytest.mark.parametrize("model", ["q", "a1346"])
async def test_trouble(simulate: Simulate, model: str, trouble: Trouble) -> None:
    device = await simulate(SimulatedAvalon, model=model)
    miner = make(device, timeout=0.3)
    await miner.connect()
    await survives(miner, device, trouble)


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(body=strategies.binary(max_size=300))
async def test_any_bytes(device: SimulatedAvalon, body: bytes) -> None:
    miner = make(device, timeout=0.3)
    await miner.connect()
    await survives_bytes(miner, device, body)


@settings(max_examples=100, deadline=None)
@given(text=strategies.text(alphabet="APSTMaxGHSspd[] 0123456789.-:%,", max_size=200))
def test_any_bracket_text(text: str) -> None:
    blob = reading.read_blob({"STATS": [{"MM ID0": text, "HBinfo": text}]}, {})
    stats = reading.read_stats(blob, Fields(None), (), Q, MinerSettings())
    check_vocabulary(stats)


def test_long_nonsense_is_read_in_time() -> None:
    started = time.monotonic()
    for text in ("A" * 300_000, "a[" * 150_000, "A b" * 100_000):
        reading.read_blob({"STATS": [{"MM ID0": text}]}, {})
        cgminer_text.parse(f"STATUS=S,Msg={text}|")
    assert time.monotonic() - started < 5


# Recorded replies.


def read_recording(
    example: Callable[[str], bytes], statistics: str, product: str | None, model: str
) -> MinerStats:
    data = example(f"avalonminer/{statistics}")
    reply = (
        orjson.loads(data)
        if statistics.endswith(".json")
        else cgminer_text.parse(data.decode())
    )
    blob = reading.read_blob(reply, {})
    return reading.read_stats(
        blob, Fields(None), (), family_of(product, model), MinerSettings()
    )


def test_recorded_idle_q(example: Callable[[str], bytes]) -> None:
    stats = read_recording(example, "asicrs/stats.json", "Avalon Q", "Q")
    assert stats.status is MinerStatus.PAUSED
    assert stats.hashrate == 0
    assert stats.hashrate_average == 44.4994
    assert (stats.power, stats.power_limit, stats.power_mode) == (146, 800, "eco")
    assert stats.temperature_inlet == 26
    assert stats.temperature_chip is None
    assert [fan.speed for fan in stats.fans] == [0, 0, 0, 0]
    assert stats.boards[0].temperature_board == 27
    assert stats.boards[0].chips_expected == 160
    assert (stats.uptime, stats.faults, stats.failed) == (37850, (), {})


def test_recorded_lite_statistics(example: Callable[[str], bytes]) -> None:
    stats = read_recording(example, "asicrs/litestats.json", "Avalon Q", "Q")
    assert stats.status is MinerStatus.PAUSED
    assert stats.power == 146


def test_recorded_a1246(example: Callable[[str], bytes]) -> None:
    stats = read_recording(
        example, "asicrs/avalon_a_stats.json", "AvalonMiner 1246", "1246-83"
    )
    assert stats.status is MinerStatus.MINING
    assert stats.hashrate == 81.0727
    assert stats.hashrate_average == 79.6566
    assert stats.hashrate_expected == 83.923
    assert (stats.power, stats.power_limit, stats.power_mode) == (3504, 3200, "high")
    assert (stats.temperature_chip, stats.temperature_ambient) == (77, 30)
    assert [board.hashrate for board in stats.boards] == [26.907, 26.0251, 26.7246]
    assert [board.temperature_chip for board in stats.boards] == [77, 77, 76]
    assert [board.chips for board in stats.boards] == [120] * 3
    assert stats.boards[0].voltage == 13.16
    assert [fan.speed for fan in stats.fans] == [5344, 5392, 5349, 5309]
    assert stats.fans[0].duty == 72
    assert (stats.hardware_errors, stats.locating) == (2735, False)
    assert (stats.faults, stats.failed) == ((), {})


def test_recorded_a10_in_text(example: Callable[[str], bytes]) -> None:
    stats = read_recording(example, "vendor-a10/estats.txt", "AvalonMiner 10xx", "10xx")
    assert stats.power == 2834
    assert stats.hashrate_average == 50.2918
    assert [board.temperature_chip for board in stats.boards] == [74, 72, 74]
    assert [board.chips_expected for board in stats.boards] == [114] * 3
    assert stats.power_mode == "high"
    # The sample has neither a momentary rate nor a summary with it.
    assert stats.status is MinerStatus.UNKNOWN
    assert stats.faults == ()


async def test_recorded_replies_over_the_wire(
    simulate: Simulate, example: Callable[[str], bytes]
) -> None:
    device = await simulate(SimulatedAvalon, joins=False)
    for name in ("version", "summary", "pools"):
        device.canned[name] = example(f"avalonminer/asicrs/{name}.json") + b"\x00"
    device.canned["estats"] = example("avalonminer/asicrs/stats.json") + b"\x00"
    async with make(device) as miner:
        assert miner.info.model == "Avalon Q"
        assert miner.info.mac == "aa:bb:cc:dd:ee:ff"
        stats = await miner.read()
    assert stats.status is MinerStatus.PAUSED
    assert (stats.accepted, stats.rejected) == (890, 2)
    assert stats.best_difficulty == 354914572
    assert stats.pools[0].user == "worker1"


def test_every_model_can_be_simulated() -> None:
    families = {
        name: family_of(profile.product, profile.model)
        for name, profile in PROFILES.items()
    }
    assert families["nano3"] is NANO_3
    assert {name for name, f in families.items() if f.industrial} == {
        *("a1066", "a1246", "a1346", "a1566")
    }

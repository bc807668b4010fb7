"""What the Antminer driver reads, from whom, and what it makes of trouble."""

from collections.abc import AsyncGenerator, Awaitable, Callable
import json
from typing import Any

import pytest

from custom_components.miningsdk.sdk import (
    AuthenticationFailed,
    Capability,
    DeviceUnreachable,
    MinerStatus,
    PoolState,
    Severity,
    register_miner,
)
from custom_components.miningsdk.sdk.drivers._antminer_faults import ALL_POOLS_DEAD
from custom_components.miningsdk.sdk.drivers._antminer_status import START
from custom_components.miningsdk.sdk.drivers.antminer import Antminer
from custom_components.miningsdk.sdk.transports import cgminer, http
from custom_components.miningsdk.sdk.transports.wire import Wire
from tests.conftest import OFFSET, Simulate
from tests.sdk.trouble import ALL_TROUBLE, check_vocabulary, survives
from tests.simulators.antminer import SimulatedAntminer
from tests.simulators.base import Trouble

type Meet = Callable[..., Awaitable[tuple[Antminer, SimulatedAntminer]]]


@pytest.fixture
async def meet(simulate: Simulate) -> AsyncGenerator[Meet]:
    """Return a function that switches on an Antminer and connects to it."""
    miners: list[Antminer] = []

    async def switch_on(
        *, password: str | None = "root", connect: bool = True, **options: Any
    ) -> tuple[Antminer, SimulatedAntminer]:
        device = await simulate(SimulatedAntminer, **options)
        miner = Antminer(device.host, port=device.port(80), password=password)
        miners.append(miner)
        if connect:
            await miner.connect()
        return miner, device

    yield switch_on
    for miner in miners:
        await miner.close()


async def test_info(meet: Meet) -> None:
    miner, _ = await meet()
    info = miner.info
    assert (info.make, info.model, info.firmware) == (
        "Bitmain",
        "Antminer S21",
        "stock",
    )
    assert info.firmware_version == "FR-1.12(251009-S21)"
    assert info.mac == "02:11:22:33:44:55"
    assert info.serial_number == "SIMB0BDJAB0240001"
    assert info.hostname == "Antminer"
    assert info.algorithm == "sha256"
    assert info.chips == 324
    assert set(info.capabilities) == {
        Capability.PAUSE,
        Capability.REBOOT,
        Capability.LOCATE,
        Capability.POWER_MODE,
        Capability.FAN,
        Capability.POOLS,
    }
    assert info.limits[Capability.POWER_MODE].options == ("normal", "low")
    assert info.limits[Capability.FAN].options == ("auto",)


@pytest.mark.parametrize(
    ("model", "offered", "modes"),
    [
        ("S9", "reboot fan pools", ()),
        ("T17+", "reboot locate fan pools", ()),
        ("S19 Pro", "pause reboot locate fan pools", ()),
        ("S19 XP Hyd.", "pause reboot locate pools", ()),
        ("S21+", "pause reboot locate fan pools", ()),
        ("T21", "pause reboot locate power_mode fan pools", ("normal", "high")),
    ],
)
async def test_capabilities_by_model(
    meet: Meet, model: str, offered: str, modes: tuple[str, ...]
) -> None:
    miner, _ = await meet(model=model)
    assert [c.value for c in miner.info.capabilities] == offered.split()
    limits = miner.info.limits.get(Capability.POWER_MODE)
    assert (limits.options if limits else ()) == modes


async def test_stats(meet: Meet) -> None:
    miner, device = await meet()
    device.bad_chips = 2
    stats = await miner.read()
    assert stats.failed == {}
    assert stats.status is MinerStatus.MINING
    assert stats.hashrate == pytest.approx(200.3, rel=0.02)
    assert stats.hashrate_average == pytest.approx(200.3, rel=0.02)
    assert stats.hashrate_expected == 200.3
    assert stats.power == 3510
    assert stats.efficiency == pytest.approx(17.5, abs=0.3)
    assert stats.power_mode == "normal"
    assert [fan.speed for fan in stats.fans] == [4810, 4870, 4930, 4990]
    board = stats.boards[0]
    assert (board.index, board.chips, board.chips_expected) == (0, 106, 108)
    assert board.hashrate_expected == pytest.approx(66.7667)
    assert (board.temperature_board, board.temperature_chip) == (67, 72)
    assert board.frequency == 500
    assert board.serial_number == "SIMB0BDJAB02B0"
    assert stats.temperature_chip == 74
    assert stats.temperature_inlet is None
    first, second = stats.pools
    assert (first.status, second.status) == (PoolState.ACTIVE, PoolState.ALIVE)
    assert first.user == "me.1"
    assert first.accepted is not None
    assert first.accepted > 4000
    assert stats.hardware_errors == 33
    assert stats.best_difficulty == 12904207043
    assert stats.uptime is not None
    assert stats.uptime >= 5000
    assert stats.locating is False
    assert stats.settings.fan_automatic is True
    assert stats.faults == ()


async def test_stats_of_an_s9(meet: Meet) -> None:
    """The rows of its stats lack a comma, its rates are text, its chains 6 to 8."""
    miner, _ = await meet(model="S9", password=None)
    assert miner.info.model == "Antminer S9"
    assert [c.value for c in miner.info.capabilities] == ["reboot", "pools"]
    for _ in range(2):
        stats = await miner.read()
        assert stats.failed == {}
        assert stats.status is MinerStatus.MINING
        assert stats.hashrate == pytest.approx(13.6, rel=0.02)
        assert [board.index for board in stats.boards] == [5, 6, 7]
        board = stats.boards[0]
        assert (board.temperature_board, board.temperature_chip) == (61, 72)
        assert (board.chips, board.chips_expected, board.voltage) == (63, 63, 8.8)
        assert [fan.index for fan in stats.fans] == [4, 5]
        assert stats.best_difficulty == 311621
        assert stats.power_mode is None


async def test_stats_tell_power_and_ambient_on_the_s21_plus(meet: Meet) -> None:
    miner, device = await meet(model="S21+", password=None)
    stats = await miner.read()
    assert (stats.power, stats.temperature_ambient) == (3880, 21.5)
    assert stats.hashrate == pytest.approx(235.1, rel=0.02)
    assert "/miner_power" not in device.commands


@pytest.mark.parametrize(
    ("model", "rounds"),
    [("S9", 4), ("T17+", 4), ("S19 Pro", 7), ("S21+", 7), ("S21", 11)],
)
async def test_round_trips_of_four_reads(meet: Meet, model: str, rounds: int) -> None:
    """Stats and power each time, pools every second and faults every fourth time."""
    miner, device = await meet(model=model)
    await miner.read()
    before = device.requests
    for _ in range(4):
        stats = await miner.read()
        assert stats.pools
    assert device.requests - before == rounds
    assert device.most_connections <= 2


async def test_nothing_is_seldom_once_it_does_not_hash(meet: Meet) -> None:
    miner, device = await meet(model="S19 Pro")
    await miner.read()
    device.pools_dead = True
    stats = await miner.read()
    assert {fault.code for fault in stats.faults} >= {ALL_POOLS_DEAD.code}
    assert stats.status is MinerStatus.IDLE


async def test_kept_digest_costs_one_round_trip_until_it_expires(meet: Meet) -> None:
    miner, device = await meet()
    device.open_api = False
    await device.follow()
    await miner.read()
    before = device.requests
    for _ in range(4):
        await miner.read()
    assert device.requests - before == 11
    device.digest.expire()
    before = device.requests
    await miner.read()
    assert device.requests - before == 3  # stats, the power, and once more for digest
    assert device.digest.wrong == 0


async def test_without_a_password(meet: Meet) -> None:
    miner, device = await meet(password=None)
    assert miner.info.mac is None
    assert miner.info.serial_number == "SIMB0BDJAB0240001"  # from the status server
    assert Capability.PAUSE in miner.info.capabilities
    stats = await miner.read()
    assert stats.status is MinerStatus.MINING
    assert stats.failed == {}
    assert stats.settings.fan_automatic is None
    assert device.digest.wrong == 0


async def test_wrong_password_is_not_tried_by_each_read(meet: Meet) -> None:
    miner, device = await meet(password="wrong")
    with pytest.raises(AuthenticationFailed) as caught:
        await miner.check_credentials()
    assert "wrong" not in str(caught.value)
    assert device.digest.wrong == 2
    assert miner.info.model == "Antminer S21"
    for _ in range(3):
        assert (await miner.read()).status is MinerStatus.MINING
    assert device.digest.wrong == 2
    device.password = "wrong"
    miner.forget_info()
    await miner.read()
    assert miner.authentication_error is None
    assert miner.info.mac is not None


async def test_closed_api_is_read_over_the_web(meet: Meet) -> None:
    miner, device = await meet(connect=False, model="S19 Pro")
    device.open_api = False
    await device.follow()
    await miner.connect()
    assert miner.info.model == "Antminer S19 Pro"
    stats = await miner.read()
    assert stats.status is MinerStatus.MINING
    assert stats.hashrate == pytest.approx(109.5, rel=0.02)
    assert len(stats.pools) == 2


async def test_closed_api_of_an_s9_is_read_over_the_web(meet: Meet) -> None:
    miner, device = await meet(connect=False, model="S9")
    device.open_api = False
    await device.follow()
    await miner.connect()
    assert miner.info.model == "Antminer S9"
    stats = await miner.read()
    assert stats.status is MinerStatus.MINING
    assert stats.hashrate == pytest.approx(13.6, rel=0.02)
    assert [board.chips for board in stats.boards] == [63, 63, 63]
    assert stats.boards[0].temperature_chip == 72
    assert stats.pools[0].accepted == device.shares


async def test_closed_api_without_a_password(meet: Meet) -> None:
    miner, device = await meet(password=None)
    device.open_api = False
    await device.follow()
    stats = await miner.read()
    assert stats.status is MinerStatus.UNKNOWN
    assert "password" in stats.failed["status"]
    assert stats.hashrate is None


async def test_silent_process_of_an_awake_miner(meet: Meet) -> None:
    miner, device = await meet()
    device.crashed = True
    await device.follow()
    stats = await miner.read()
    assert stats.status is MinerStatus.STARTING
    assert miner._silent_since is not None
    miner._silent_since -= START + 1
    stats = await miner.read()
    assert stats.status is MinerStatus.UNKNOWN


@pytest.mark.parametrize("password", ["root", None])
@pytest.mark.parametrize("asleep_api", ["empty", "zeros"])
async def test_asleep_at_connect(
    meet: Meet, password: str | None, asleep_api: str
) -> None:
    miner, _ = await meet(mode=1, asleep_api=asleep_api, password=password)
    assert miner.info.serial_number == "SIMB0BDJAB0240001"
    stats = await miner.read()
    assert stats.status is MinerStatus.PAUSED
    assert not stats.hashrate
    assert stats.power is None
    assert stats.power_mode is None


async def test_asleep_at_connect_with_a_closed_port(meet: Meet) -> None:
    miner, _ = await meet(mode=1, asleep_api="closed")
    assert miner.info.model == "Antminer S21"
    assert Capability.PAUSE in miner.info.capabilities
    stats = await miner.read()
    assert stats.status is MinerStatus.PAUSED
    assert [pool.user for pool in stats.pools] == ["me.1", "me.1"]
    assert stats.failed == {}


async def test_asleep_at_connect_with_a_closed_port_and_no_good_password(
    meet: Meet,
) -> None:
    miner, _ = await meet(mode=1, asleep_api="closed", password=None)
    assert miner.info.model is None
    assert (await miner.read()).status is MinerStatus.UNKNOWN
    refused, _ = await meet(
        mode=1, asleep_api="closed", password="wrong", connect=False
    )
    with pytest.raises(AuthenticationFailed):
        await refused.connect()


async def test_sleep_of_a_t17_is_told_by_its_stats(meet: Meet) -> None:
    miner, _ = await meet(model="T17+", mode=254, password=None)
    assert (await miner.read()).status is MinerStatus.PAUSED
    awake, _ = await meet(model="T17+", mode=1)
    assert (await awake.read()).status is MinerStatus.MINING


async def test_more_is_told_once_it_wakes(meet: Meet) -> None:
    miner, device = await meet(mode=1, asleep_api="closed")
    await miner.read()
    device.mode = 0
    await device.follow()
    assert (await miner.read()).status is MinerStatus.MINING
    stats = await miner.read()
    assert stats.power == 3510
    assert miner.info.chips == 324


async def test_sleep_and_settings_changed_by_others_are_noticed(meet: Meet) -> None:
    miner, device = await meet()
    await miner.read()
    device.mode, device.fan_manual, device.fan_duty = 3, True, "70"
    stats = await miner.read()
    assert (stats.power_mode, stats.settings.fan) == ("low", 70)
    device.mode = 1
    assert (await miner.read()).status is MinerStatus.PAUSED
    device.mode = 0
    assert (await miner.read()).status is MinerStatus.MINING


async def test_status_while_not_hashing(meet: Meet) -> None:
    miner, device = await meet()
    device.hashes = False
    device.uptime = 60
    stats = await miner.read()
    assert stats.status is MinerStatus.STARTING
    assert [board.chips for board in stats.boards] == [None, None, None]
    device.uptime = 3600
    assert (await miner.read()).status is MinerStatus.FAULT
    device.uptime = 60
    device.faults = ["P:1"]
    assert (await miner.read()).status is MinerStatus.FAULT


async def test_dead_pools(meet: Meet) -> None:
    miner, device = await meet()
    device.pools_dead = True
    stats = await miner.read()
    assert stats.status is MinerStatus.IDLE
    assert {pool.status for pool in stats.pools} == {PoolState.DEAD}
    assert [f.code for f in stats.faults] == ["all_pools_dead"]
    assert stats.faults[0].severity is Severity.CRITICAL
    device.pools = []
    stats = await miner.read()
    assert stats.status is MinerStatus.IDLE
    assert stats.pools == ()


async def test_faults_of_the_warning_list(meet: Meet) -> None:
    miner, device = await meet(faults=("J4:2", "F2:1"))
    device.dead_fans = 1
    stats = await miner.read()
    assert [(f.code, f.message, f.component) for f in stats.faults] == [
        ("J4:2", "cause of J4:2", "hashboard"),
        ("F2:1", "cause of F2:1", "fan"),
    ]
    assert stats.fans[0].speed == 0


async def test_faults_of_the_status_server(meet: Meet) -> None:
    miner, device = await meet(model="S19 XP Hyd.", faults=("P:2",))
    stats = await miner.read()
    assert [(f.code, f.severity) for f in stats.faults] == [("P:2", Severity.CRITICAL)]
    assert "warning" in device.commands
    device.commands.clear()
    await miner.read()
    assert "warning" not in device.commands


async def test_faults_of_the_lamps(meet: Meet) -> None:
    miner, _ = await meet(model="S19 Pro", status_port=False, faults=("F:1",))
    stats = await miner.read()
    assert [(f.code, f.message) for f in stats.faults] == [("fans:2", "fans alarm")]
    assert stats.best_difficulty == 12904207043


async def test_power_that_cannot_be_true_is_left_out(meet: Meet) -> None:
    miner, device = await meet()
    device.watts = 23
    stats = await miner.read()
    assert stats.power is None
    assert "23 W" in stats.failed["power"]


async def test_closed_status_port_is_not_asked_again(meet: Meet) -> None:
    miner, device = await meet(status_port=False)
    stats = await miner.read()
    assert stats.power is None
    assert stats.failed == {}
    before = device.requests
    for _ in range(4):
        await miner.read()
    assert device.requests - before == 7


async def test_another_miner_on_the_same_address(meet: Meet) -> None:
    miner, device = await meet()
    first = miner.info.unique_id
    await device.stop()
    with pytest.raises(DeviceUnreachable):
        await miner.read()
    other = SimulatedAntminer(
        device.host, offset=OFFSET, model="S9", mac="02:99:99:99:99:99"
    )
    async with other:
        stats = await miner.read()
        assert stats.status is MinerStatus.MINING
        assert miner.info.unique_id not in (first, None)
        assert miner.info.serial_number is None
        assert miner.info.model == "Antminer S9"


async def test_unreachable(meet: Meet) -> None:
    miner, device = await meet(connect=False)
    await device.stop()
    with pytest.raises(DeviceUnreachable):
        await miner.connect()


@pytest.mark.parametrize("password", ["root", None])
@pytest.mark.parametrize("trouble", ALL_TROUBLE)
async def test_trouble(meet: Meet, trouble: Trouble, password: str | None) -> None:
    miner, device = await meet(password=password)
    miner.timeout = miner.wire.timeout = 0.3
    await survives(miner, device, trouble)


async def test_recorded_replies_served(
    meet: Meet, example: Callable[[str], bytes]
) -> None:
    """A miner that knows the flat format only, whatever it is asked for."""
    miner, device = await meet(connect=False, model="S19 Pro", password=None)
    folder = "bench/antminer_v2020"
    told = {n: json.loads(example(f"{folder}/{n}.json")) for n in ("stats", "pools")}

    def reply_to(command: str, *, new: bool) -> dict[str, Any]:
        refusal = {"STATUS": [{"STATUS": "E", "Code": 14, "Msg": "Invalid command"}]}
        reply: dict[str, Any] = told.get(command, refusal)
        return reply

    device.reply_to = reply_to  # type: ignore[method-assign]
    await miner.connect()
    assert miner.info.firmware_version == "Tue Dec  6 16:12:30 CST 2022"
    assert Capability.PAUSE in miner.info.capabilities
    for _ in range(2):
        stats = await miner.read()
        assert stats.status is MinerStatus.MINING
        assert stats.hashrate == 110.5669
        assert stats.best_difficulty == 12904207043
        check_vocabulary(stats)
    assert device.commands.count("stats+pools") == 1


async def test_recognition(meet: Meet) -> None:
    _, device = await meet(connect=False)
    wire = Wire(host=device.host)
    evidence = {
        probe: await probe.ask(wire, device.port(probe.port))
        for probe in Antminer.probes
    }
    await wire.close()
    assert Antminer.recognise(evidence) == 50
    for probe, text in evidence.items():
        assert Antminer.recognise({probe: text}) == 50
    version = evidence[cgminer.VERSION]
    for other in ("BOSer 1", "LUXminer", "VNish 1.2", "KAONSU", "HIVEON"):
        marked = version.replace("2.0.0", other)
        assert marked != version
        assert Antminer.recognise({**evidence, cgminer.VERSION: marked}) == 0
    assert Antminer.recognise({http.ROOT: "HTTP 200\n\n<title>AnthillOS</title>"}) == 0
    assert Antminer.recognise({cgminer.VERSION: '{"VERSION":[]}'}) == 0


async def test_registered_by_name_and_no_secret_in_repr(meet: Meet) -> None:
    _, device = await meet(connect=False, password=None)
    miner = register_miner(
        "antminer-s21", host=device.host, port=device.port(80), password="root"
    )
    assert isinstance(miner, Antminer)
    assert miner.info.model == "S21"
    await miner.connect()
    await miner.read()
    assert miner.info.model == "Antminer S21"
    shown = f"{miner!r} {miner._config!r}"
    assert "s1" not in shown
    await miner.close()

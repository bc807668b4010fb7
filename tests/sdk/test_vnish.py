"""What the VNish driver reads, from recorded replies and from a simulated miner."""

from collections.abc import AsyncGenerator, Awaitable, Callable
import json
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.miningsdk.sdk import (
    Capability,
    DeviceUnreachable,
    InvalidReply,
    MinerStatus,
    PoolState,
    Severity,
    connect,
)
from custom_components.miningsdk.sdk.drivers._vnish_stats import Known, read_stats
from custom_components.miningsdk.sdk.drivers.vnish import VNish
from custom_components.miningsdk.sdk.fields import Fields
from custom_components.miningsdk.sdk.transports import http
from tests.conftest import Simulate
from tests.sdk.trouble import ALL_TROUBLE, check_vocabulary, survives, survives_bytes
from tests.simulators.base import Trouble
from tests.simulators.vnish import SimulatedVNish

type Meet = Callable[..., Awaitable[tuple[VNish, SimulatedVNish]]]

RECORDED = "vnish/proto-fleet-s21pro-1.2.7/web"


@pytest.fixture
async def meet(simulate: Simulate) -> AsyncGenerator[Meet]:
    """Return a function that switches on a miner with VNish and connects to it."""
    miners: list[VNish] = []

    async def switch_on(
        *,
        connect: bool = True,
        patience: float = 5.0,
        **options: Any,
    ) -> tuple[VNish, SimulatedVNish]:
        device = await simulate(SimulatedVNish, **options)
        miner = VNish(
            device.host,
            port=device.port(80),
            password="admin",
            timeout=patience,
        )
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
        "Antminer S21 Pro",
        "vnish",
    )
    assert info.firmware_version == "1.3.4"
    assert info.mac == "02:56:4e:00:00:42"
    assert info.serial_number == "SIMVN00000000042"
    assert info.hostname == "vn1"
    assert (info.algorithm, info.chips) == ("sha256", 195)
    assert [c.value for c in info.capabilities] == [
        "pause",
        "reboot",
        "restart",
        "locate",
        "power_limit",
        "profile",
        "throttle",
        "fan",
        "target_temperature",
        "pools",
        "board_enable",
    ]
    limits = info.limits
    # The one that takes another power supply is not offered.
    assert limits[Capability.PROFILE].options == (
        "disabled",
        "2550",
        "2800",
        "3070",
        "3340",
        "3610",
    )
    assert limits[Capability.POWER_LIMIT].minimum == 2550
    assert limits[Capability.POWER_LIMIT].maximum == 5000
    assert (limits[Capability.THROTTLE].minimum, limits[Capability.FAN].minimum) == (
        20,
        10,
    )
    target = limits[Capability.TARGET_TEMPERATURE]
    assert (target.minimum, target.maximum) == (20, 90)
    assert limits[Capability.BOARD_ENABLE].options == ("0", "1", "2")


async def test_info_of_older_firmware(meet: Meet) -> None:
    miner, _ = await meet(old=True)
    assert miner.info.firmware_version == "1.2.7"
    assert Capability.THROTTLE not in miner.info.capabilities
    limit = miner.info.limits[Capability.POWER_LIMIT]
    assert (limit.minimum, limit.maximum) == (2550, 3610)
    assert (await miner.read()).power_limit == 3340


async def test_presets_of_a_modified_power_supply(meet: Meet) -> None:
    miner, device = await meet(connect=False)
    device.state.overclock["modded_psu"] = True
    await miner.connect()
    assert miner.info.limits[Capability.PROFILE].options[-1] == "4690"


async def test_stats(meet: Meet) -> None:
    miner, _ = await meet()
    stats = await miner.read()
    assert stats.failed == {}
    assert stats.status is MinerStatus.MINING
    assert stats.hashrate == 222.6667
    assert stats.hashrate_average == 220.44
    assert stats.hashrate_expected == 222.6667
    assert (stats.power, stats.efficiency) == (3340, 15)
    assert stats.power_limit is None  # there is one, and it is not in force
    assert (stats.temperature_board, stats.temperature_chip) == (52, 66)
    assert (stats.temperature_inlet, stats.temperature_outlet) == (None, None)
    assert [(fan.index, fan.speed, fan.duty) for fan in stats.fans] == [
        (0, 5580, 62),
        (1, 5581, 62),
        (2, 5582, 62),
        (3, 5583, 62),
    ]
    assert [board.index for board in stats.boards] == [0, 1, 2]
    board = stats.boards[2]
    assert (board.hashrate, board.hashrate_expected) == (74.2222, 74.2222)
    assert (board.temperature_board, board.temperature_chip) == (52, 66)
    assert (board.chips, board.chips_expected) == (65, 65)
    assert (board.frequency, board.voltage) == (495, 13)
    assert (board.serial_number, board.enabled) == ("SIMVNB0003", True)
    assert [(p.index, p.url, p.user, p.status) for p in stats.pools] == [
        (0, "a.example:3333", "me.rig", PoolState.ACTIVE),
        (1, "b.example:3333", "me.rig", PoolState.ALIVE),
    ]
    # The shares for the fee of the firmware are not the user's.
    assert (stats.accepted, stats.rejected, stats.stale) == (353, 9, 2)
    assert stats.hardware_errors == 31
    assert stats.best_difficulty == 91234567
    assert stats.uptime is None
    assert stats.locating is False
    assert stats.settings.fan_automatic is True
    assert stats.settings.target_temperature == 65
    assert (stats.settings.throttle, stats.settings.profile) == (100, "3340")
    assert stats.faults == ()
    check_vocabulary(stats)


async def test_stats_of_another_coin(meet: Meet) -> None:
    miner, _ = await meet(model="Antminer L7", scrypt=True)
    assert miner.info.algorithm == "scrypt"
    stats = await miner.read()
    assert stats.hashrate == pytest.approx(0.0222667)
    assert stats.boards[0].hashrate == pytest.approx(0.00742222)


async def test_rates_in_a_unit_that_is_not_known(meet: Meet) -> None:
    miner, device = await meet(connect=False)
    device.canned["/info"] = b'{"fw_name":"Vnish","miner":"X","hr_measure":"Sol/s"}'
    await miner.connect()
    stats = await miner.read()
    assert stats.failed["hashrate"] == "rates in 'Sol/s' are not known"
    assert stats.hashrate is None
    assert stats.boards[0].hashrate is None
    assert stats.power == 3340


async def test_stats_of_a_hydro_model(meet: Meet) -> None:
    miner, _ = await meet(model="Antminer S21 Hyd.", water=True)
    assert Capability.FAN not in miner.info.capabilities
    stats = await miner.read()
    assert stats.fans == ()
    assert stats.settings.fan_automatic is None
    assert (stats.temperature_inlet, stats.temperature_outlet) == (33, 40)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("mining", MinerStatus.MINING),
        ("auto-tuning", MinerStatus.TUNING),
        ("initializing", MinerStatus.STARTING),
        ("starting", MinerStatus.STARTING),
        ("shutting-down", MinerStatus.IDLE),
        ("stopped", MinerStatus.PAUSED),
        ("paused", MinerStatus.PAUSED),
        ("failure", MinerStatus.FAULT),
        ("dreaming", MinerStatus.UNKNOWN),
    ],
)
async def test_status(meet: Meet, word: str, status: MinerStatus) -> None:
    miner, device = await meet()
    device.state.word = word
    stats = await miner.read()
    assert stats.status is status
    assert ("status" in stats.failed) is (status is MinerStatus.UNKNOWN)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"hashes": False}, MinerStatus.FAULT),
        ({"hashes": False, "since": 30}, MinerStatus.STARTING),
        ({"pools_dead": True}, MinerStatus.IDLE),
    ],
)
async def test_never_mining_without_a_rate(
    meet: Meet, change: dict[str, Any], status: MinerStatus
) -> None:
    miner, device = await meet()
    for name, value in change.items():
        setattr(device.state, name, value)
    assert (await miner.read()).status is status


async def test_paused(meet: Meet) -> None:
    """It then lists no pool, and what it measures is nothing."""
    miner, _ = await meet(stopped=True)
    stats = await miner.read()
    assert stats.status is MinerStatus.PAUSED
    assert stats.hashrate == 0
    assert stats.temperature_chip is None
    assert [(pool.url, pool.status) for pool in stats.pools] == [
        ("a.example:3333", None),
        ("b.example:3333", None),
    ]
    assert {board.enabled for board in stats.boards} == {True}


async def test_without_a_summary(meet: Meet) -> None:
    """While the mining process restarts there is none; its state is told elsewhere."""
    miner, device = await meet(restart_time=60)
    device._restart()
    stats = await miner.read()
    assert stats.status is MinerStatus.STARTING
    assert stats.hashrate is None
    assert stats.boards == ()
    assert stats.failed == {}


async def test_faults(meet: Meet) -> None:
    miner, device = await meet()
    device.state.bad_boards = {1: "failure", 2: "disconnected"}
    device.state.lost_fans = {3}
    stats = await miner.read()
    assert stats.status is MinerStatus.MINING
    assert [(f.code, f.message, f.component) for f in stats.faults] == [
        ("board_failure", "chain break", "board 1"),
        ("board_disconnected", "The miner calls its board 2 disconnected", "board 2"),
        ("fan_lost", "The miner has lost its fan 3", "fan 3"),
    ]
    device.state.word = "failure"
    device.state.description, device.state.failure_code = "no chains found", 3
    stats = await miner.read()
    assert stats.status is MinerStatus.FAULT
    assert stats.faults[0].code == "3"
    assert stats.faults[0].message == "no chains found"
    assert stats.faults[0].severity is Severity.CRITICAL


async def test_round_trips_of_a_read(meet: Meet) -> None:
    miner, device = await meet()
    await miner.read()
    before = device.requests
    await miner.read()
    assert device.requests - before == 1
    # While its light blinks, a second one tells when it stops.
    device.state.finding = True
    miner.forget_info()
    await miner.read()
    before = device.requests
    assert (await miner.read()).locating is True
    assert device.requests - before == 2
    device.state.finding = False
    assert (await miner.read()).locating is False
    assert device.most_connections == 1


async def test_another_miner_at_the_address(meet: Meet) -> None:
    miner, device = await meet()
    device.state.serial, device.state.mac = "OTHER0001", "02:00:00:00:00:09"
    device.missing = {"/model"}
    miner.forget_info()
    await miner.read()
    assert miner.info.unique_id == "OTHER0001"
    assert Capability.BOARD_ENABLE not in miner.info.capabilities


async def test_unreachable(meet: Meet) -> None:
    miner, device = await meet()
    await device.stop()
    with pytest.raises(DeviceUnreachable):
        await miner.read()
    await device.start()
    assert (await miner.read()).status is MinerStatus.MINING


async def test_something_else_at_the_port(meet: Meet) -> None:
    miner, device = await meet(connect=False)
    device.canned["/info"] = b'{"version": 3}'
    with pytest.raises(InvalidReply):
        await miner.connect()


@pytest.mark.parametrize("trouble", ALL_TROUBLE)
async def test_trouble(meet: Meet, trouble: Trouble) -> None:
    miner, device = await meet(patience=0.3)
    await survives(miner, device, trouble)


KEYS = [
    "miner", "miner_status", "miner_state", "hr_realtime", "chains", "id", "pcb_temp",
    "max", "chip_statuses", "red", "status", "state", "pools", "url", "cooling", "fans",
    "rpm", "settings", "mode", "name", "param", "throttled", "best_share",
]  # fmt: skip
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.sampled_from(["mining", "failure", "1e999", "auto", "-", "UserPool"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)
    ),
    max_leaves=15,
)


@settings(max_examples=100, deadline=None)
@given(value=VALUES, other=VALUES)
def test_any_object(value: Any, other: Any) -> None:
    failed: dict[str, str] = {}
    for key in ("chains", "pools", "cooling", "miner_status"):
        miner = Fields({key: [value, other], "hr_realtime": other}, failed)
        state = Fields(value, failed)
        check_vocabulary(read_stats(miner, state, Known(), None, failed))


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    body=st.binary(max_size=100)
    | VALUES.map(lambda value: json.dumps({"miner": value}).encode())
)
async def test_any_bytes(meet: Meet, body: bytes) -> None:
    miner, device = await meet(patience=0.5)
    await survives_bytes(miner, device, body)
    await device.stop()


def test_one_odd_value_loses_nothing_else() -> None:
    failed: dict[str, str] = {}
    miner = {
        "hr_realtime": "many",
        "hr_average": 200_000,
        "pcb_temp": {"max": -128},
        "power_consumption": "2583 W",
        "chains": [{"id": "?"}, {"id": 2, "hashrate_rt": None, "frequency": "495"}],
        "cooling": {"fans": [{"rpm": "x"}, {"rpm": 6000}]},
    }
    state = Fields({"miner_state": "mining", "miner_state_time": 4000}, failed)
    stats = read_stats(Fields(miner, failed), state, Known(), None, failed)
    assert stats.status is MinerStatus.UNKNOWN
    assert (stats.hashrate, stats.hashrate_average) == (None, 200)
    assert stats.temperature_board is None
    assert stats.power == 2583
    assert [board.index for board in stats.boards] == [1]
    assert stats.boards[0].frequency == 495
    assert [fan.speed for fan in stats.fans] == [None, 6000]
    assert set(stats.failed) == {"hashrate", "boards", "fans"}


async def test_recorded_replies(meet: Meet, example: Callable[[str], bytes]) -> None:
    """Recorded from an S21 Pro with 1.2.7 that tunes itself; its serial is "N/A"."""
    miner, device = await meet(connect=False)
    device.missing = {"/model", "/chains/factory-info", "/status"}
    for path in ("info", "summary", "settings", "autotune/presets", "perf-summary"):
        device.canned[f"/{path}"] = example(f"{RECORDED}/{path}.json")
    device.canned["/unlock"] = example(f"{RECORDED}/unlock.json")
    await miner.connect()
    info = miner.info
    assert (info.make, info.model) == ("Bitmain", "Antminer S21 Pro")
    assert (info.firmware_version, info.algorithm) == ("1.2.7", "sha256")
    network = json.loads(device.canned["/info"])["system"]["network_status"]
    assert (info.mac, info.serial_number) == (network["mac"].lower(), None)
    assert info.hostname == "Antminer"
    assert info.limits[Capability.PROFILE].options[:2] == ("disabled", "2550")
    limit = info.limits[Capability.POWER_LIMIT]
    assert (limit.minimum, limit.maximum) == (2550, 4690)
    assert Capability.LOCATE not in info.capabilities
    stats = await miner.read()
    assert stats.failed == {}
    assert stats.status is MinerStatus.TUNING
    assert stats.hashrate == 173.8709
    assert stats.hashrate_average == pytest.approx(174.37475, abs=1e-4)
    assert stats.hashrate_expected == 196.5172
    assert (stats.power, stats.power_limit) == (2583, 3160)
    assert stats.efficiency == 14.86
    assert (stats.temperature_board, stats.temperature_chip) == (50, 65)
    assert [fan.speed for fan in stats.fans] == [5880, 5880, 5940, 5940]
    assert [board.hashrate for board in stats.boards] == [60.7972, 57.7666, 55.3071]
    board = stats.boards[2]
    assert (board.chips, board.frequency, board.voltage) == (65, 495, 13)
    assert (board.hashrate_expected, board.temperature_chip) == (65.5057, 64)
    assert [(pool.index, pool.status) for pool in stats.pools] == [
        (0, PoolState.ACTIVE),
        (1, PoolState.ALIVE),
    ]
    assert (stats.accepted, stats.rejected) == (1599, 9)
    assert stats.best_difficulty == 169988423
    # The summary of this version has the name of the mode only.
    assert stats.settings.fan_automatic is True
    assert stats.settings.target_temperature == 65
    assert stats.settings.profile == "3160"


def test_recognise(example: Callable[[str], bytes]) -> None:
    page = '<meta name="firmware" content="AnthillOS">'
    assert VNish.recognise({http.ROOT: page}) == 90
    assert VNish.recognise({http.ROOT: "antMiner Configuration"}) == 0
    recorded = example(f"{RECORDED}/root.html").decode()
    assert VNish.recognise({http.ROOT: recorded}) == 90


async def test_identified_although_it_refuses_its_version(simulate: Simulate) -> None:
    device = await simulate(SimulatedVNish)
    async with await connect(device.host, port=device.port(4028)) as miner:
        assert miner.info.driver == "vnish"
        assert miner.port == device.port(80)

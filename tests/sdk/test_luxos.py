"""What the LuxOS driver reads, from recorded replies and from a simulated miner."""

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
from custom_components.miningsdk.sdk.drivers._luxos_stats import READS, read_stats
from custom_components.miningsdk.sdk.drivers.luxos import LuxOS
from custom_components.miningsdk.sdk.transports import cgminer, http
from tests.conftest import Simulate
from tests.sdk.trouble import ALL_TROUBLE, check_vocabulary, survives, survives_bytes
from tests.simulators.base import Trouble
from tests.simulators.luxos import SimulatedLuxOS

type Meet = Callable[..., Awaitable[tuple[LuxOS, SimulatedLuxOS]]]

RECORDED = "luxminer/v1/asicrs"


@pytest.fixture
async def meet(simulate: Simulate) -> AsyncGenerator[Meet]:
    """Return a function that switches on a miner with LuxOS and connects to it."""
    miners: list[LuxOS] = []

    async def switch_on(
        *, connect: bool = True, patience: float = 5.0, **options: Any
    ) -> tuple[LuxOS, SimulatedLuxOS]:
        device = await simulate(SimulatedLuxOS, **options)
        miner = LuxOS(device.host, port=device.port(4028), timeout=patience)
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
        "Antminer S19k Pro",
        "luxos",
    )
    assert info.firmware_version == "2026.8.3.101112-5ad0c0de"
    assert info.mac == "02:4c:58:00:00:71"
    assert info.serial_number == "SIMLUX0BDJAB00071"
    assert info.hostname == "lux1"
    assert (info.algorithm, info.chips) == ("sha256", 231)
    assert [c.value for c in info.capabilities] == [
        "pause",
        "reboot",
        "restart",
        "locate",
        "power_limit",
        "profile",
        "fan",
        "target_temperature",
        "pools",
        "board_enable",
    ]
    limits = info.limits
    assert limits[Capability.PROFILE].options[:2] == ("245MHz", "270MHz")
    assert "default" in limits[Capability.PROFILE].options
    watts = limits[Capability.POWER_LIMIT]
    assert (watts.minimum, watts.maximum) == (1164, 3064)
    fan = limits[Capability.FAN]
    assert (fan.minimum, fan.maximum, fan.options) == (10, 100, ("auto",))
    assert limits[Capability.TARGET_TEMPERATURE].maximum == 70
    assert limits[Capability.BOARD_ENABLE].options == ("0", "1", "2")


async def test_stats(meet: Meet) -> None:
    miner, _ = await meet()
    stats = await miner.read()
    assert stats.failed == {}
    assert stats.status is MinerStatus.MINING
    assert stats.hashrate == pytest.approx(112.5, rel=0.02)
    assert stats.hashrate_average == pytest.approx(111.4, rel=0.02)
    assert stats.hashrate_expected == 112.5425
    assert (stats.power, stats.power_limit) == (2589, 2589)
    assert stats.efficiency == pytest.approx(23, abs=0.5)
    assert (stats.temperature_board, stats.temperature_chip) == (60, None)
    assert (stats.temperature_inlet, stats.temperature_outlet) == (None, None)
    assert [(fan.index, fan.speed, fan.duty) for fan in stats.fans] == [
        (0, 3920, 49),
        (1, 3921, 49),
        (2, 3922, 49),
        (3, 3923, 49),
    ]
    assert [board.index for board in stats.boards] == [0, 1, 2]
    board = stats.boards[1]
    assert board.hashrate == pytest.approx(37.5, rel=0.02)
    assert board.hashrate_expected == 37.5142
    assert (board.temperature_board, board.temperature_chip) == (59, None)
    assert (board.chips, board.chips_expected) == (77, 77)
    assert (board.frequency, board.voltage) == (545, 13.6)
    assert (board.serial_number, board.enabled) == ("SIMLUX0BDJABB1", True)
    assert [(p.index, p.url, p.user, p.status) for p in stats.pools] == [
        (0, "stratum+tcp://a.example:3333", "me.rig", PoolState.ACTIVE),
        (1, "stratum+tcp://b.example:3333", "me.rig", PoolState.ALIVE),
    ]
    assert (stats.accepted, stats.rejected, stats.stale) == (290, 3, 1)
    assert stats.hardware_errors == 7
    assert stats.best_difficulty == 123456789
    assert stats.uptime is not None
    assert stats.uptime >= 5000
    assert stats.locating is False
    assert stats.settings.fan_automatic is True
    assert stats.settings.fan is None
    assert stats.settings.target_temperature == 60
    assert stats.settings.profile == "default"
    assert stats.faults == ()
    check_vocabulary(stats)


async def test_stats_of_a_hydro_model(meet: Meet) -> None:
    miner, _ = await meet(model="Antminer S19 Pro Hyd.", water=True)
    assert Capability.FAN not in miner.info.capabilities
    assert Capability.TARGET_TEMPERATURE not in miner.info.capabilities
    stats = await miner.read()
    assert stats.fans == ()
    assert (stats.temperature_inlet, stats.temperature_outlet) == (33.5, 40)
    assert (stats.temperature_board, stats.temperature_chip) == (60, 80)


async def test_one_board_of_three(meet: Meet) -> None:
    """Boards are numbered by the connector that they hang on."""
    miner, _ = await meet(boards=(1,))
    stats = await miner.read()
    assert [board.index for board in stats.boards] == [1]
    assert stats.boards[0].chips == 77
    assert miner.info.limits[Capability.BOARD_ENABLE].options == ("1",)


async def test_power_target(meet: Meet) -> None:
    miner, device = await meet(power_target=True)
    limits = miner.info.limits[Capability.POWER_LIMIT]
    assert (limits.minimum, limits.maximum) == (1000, 4000)
    device.state.target_watts = 3200
    assert (await miner.read()).power_limit == 3200


@pytest.mark.parametrize("joins", [True, False])
async def test_round_trips_of_a_read(meet: Meet, joins: bool) -> None:
    miner, device = await meet(joins=joins)
    await miner.read()
    before = device.requests
    stats = await miner.read()
    assert device.requests - before == (1 if joins else len(READS))
    assert device.most_connections == 1
    assert stats.failed == {}
    assert stats.status is MinerStatus.MINING


async def test_reads_that_old_firmware_does_not_know(meet: Meet) -> None:
    """They are left out from then on, and are no failure."""
    unknown = frozenset({"events", "devdetails", "tempctrl", "limits"})
    miner, device = await meet(unknown=unknown)
    stats = await miner.read()
    assert stats.failed == {}
    assert stats.status is MinerStatus.MINING
    assert stats.boards[0].voltage is None
    assert stats.boards[0].chips_expected == 77
    assert Capability.FAN not in miner.info.capabilities
    device.asked.clear()
    await miner.read()
    assert not unknown & set(device.asked)


async def test_a_read_that_is_refused(meet: Meet) -> None:
    miner, device = await meet()
    device.refuses = {"fans": "fan control is busy"}
    stats = await miner.read()
    assert stats.failed == {"fans": "the device refused: fan control is busy"}
    assert stats.fans == ()
    assert stats.status is MinerStatus.MINING


async def test_paused(meet: Meet) -> None:
    miner, device = await meet(asleep=True)
    device.state.fan_speed = 60
    stats = await miner.read()
    assert stats.status is MinerStatus.PAUSED
    assert stats.hashrate == 0
    assert stats.faults == ()
    assert stats.settings.fan is None  # what the fans do now is not what was set
    assert [fan.duty for fan in stats.fans] == [20] * 4


async def test_paused_by_its_power_supply(meet: Meet) -> None:
    miner, device = await meet()
    device.state.powered, device.state.hashes = False, False
    assert (await miner.read()).status is MinerStatus.PAUSED
    device.state.events = ["PSU_PANIC"]
    assert (await miner.read()).status is MinerStatus.FAULT


async def test_not_known_whether_it_sleeps(meet: Meet) -> None:
    miner, device = await meet()
    device.state.hashes = False
    device.refuses = {"config": "busy"}
    stats = await miner.read()
    assert stats.status is MinerStatus.UNKNOWN
    assert "config" in stats.failed


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"hashes": False}, MinerStatus.FAULT),
        ({"pools_dead": True}, MinerStatus.IDLE),
        ({"boards": {0: False, 1: False, 2: False}}, MinerStatus.IDLE),
    ],
)
async def test_status_without_hash(
    meet: Meet, change: dict[str, Any], status: MinerStatus
) -> None:
    miner, device = await meet()
    for name, value in change.items():
        setattr(device.state, name, value)
    assert (await miner.read()).status is status


async def test_starting_and_ramping(meet: Meet) -> None:
    miner, device = await meet(uptime=30.0, ramp_time=50.0)
    device.state.hashes = False
    assert (await miner.read()).status is MinerStatus.STARTING
    device.state.hashes = True
    device.ramped_at = device.now() + 50
    assert (await miner.read()).status is MinerStatus.TUNING


async def test_faults(meet: Meet) -> None:
    miner, device = await meet()
    device.state.events = [
        "BOARD_OVERTEMP_SHUTDOWN",
        "FAN_FAILURE",
        "REBOOT_USER",
        "NO_ACTIVE_POOLS",
        "BOARD_ASIC_INIT_FAILURE",
        "SOMETHING_NEW",
    ]
    stats = await miner.read()
    assert stats.status is MinerStatus.MINING
    assert [(f.code, f.severity, f.component) for f in stats.faults] == [
        ("BOARD_OVERTEMP_SHUTDOWN", Severity.CRITICAL, "board 1"),
        ("FAN_FAILURE", Severity.WARNING, None),
        ("REBOOT_USER", Severity.INFO, "board 1"),
        ("NO_ACTIVE_POOLS", Severity.WARNING, None),
        ("BOARD_ASIC_INIT_FAILURE", Severity.CRITICAL, "board 1"),
        ("SOMETHING_NEW", Severity.WARNING, None),
    ]
    assert stats.faults[0].message == "What BOARD_OVERTEMP_SHUTDOWN means."


async def test_its_own_words_when_it_does_not_hash(meet: Meet) -> None:
    miner, device = await meet()
    device.state.hashes, device.state.system_status = False, "Board init failed"
    stats = await miner.read()
    assert stats.status is MinerStatus.FAULT
    assert stats.faults[0].message == "The miner says: Board init failed"


async def test_another_miner_at_the_address(meet: Meet) -> None:
    miner, device = await meet()
    device.state.serial, device.state.mac = "OTHER0001", "02:00:00:00:00:09"
    device.state.model = ""
    device.unknown = frozenset({"profiles", "devdetails"})
    miner.forget_info()
    await miner.read()
    assert miner.info.serial_number == "OTHER0001"
    assert miner.info.model is None
    assert Capability.PROFILE not in miner.info.capabilities


async def test_unreachable(meet: Meet) -> None:
    miner, device = await meet()
    await device.stop()
    with pytest.raises(DeviceUnreachable):
        await miner.read()
    await device.start()
    assert (await miner.read()).status is MinerStatus.MINING


async def test_something_else_at_the_port(meet: Meet) -> None:
    miner, _ = await meet(connect=False, unknown=frozenset({"version", "config"}))
    with pytest.raises(InvalidReply, match="no version"):
        await miner.connect()


@pytest.mark.parametrize("trouble", ALL_TROUBLE)
async def test_trouble(meet: Meet, trouble: Trouble) -> None:
    miner, device = await meet(patience=0.3)
    await survives(miner, device, trouble)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.sampled_from(["", "Sleep", "oooo x", "GHS 5s", "1e999", "Y", "Alive"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "ID", "ASC", "GHS 5s", "MHS 5s", "CurtailMode", "chain_acn1", "URL",
                    "chain_acs1", "Label", "TopLeft", "RPM", "Watts", "Code", "Mode",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(value=VALUES, other=VALUES)
def test_any_object(value: Any, other: Any) -> None:
    names = {
        "summary": "SUMMARY",
        "config": "CONFIG",
        "temps": "TEMPS",
        "events": "EVENTS",
    }
    replies = {name: {names.get(name, name.upper()): [value, other]} for name in READS}
    replies["temps"]["METADATA"] = [other]
    check_vocabulary(read_stats(replies, {}, {}))


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(body=st.binary(max_size=100) | VALUES.map(lambda v: json.dumps(v).encode()))
async def test_any_bytes(meet: Meet, body: bytes) -> None:
    miner, device = await meet(patience=0.5)
    await survives_bytes(miner, device, body)
    await device.stop()


async def test_one_odd_value_loses_nothing_else(meet: Meet) -> None:
    miner, device = await meet()
    answer = device.run("devs", "")
    assert answer is not None
    answer["DEVS"][0]["MHS 5s"] = "many"
    answer["DEVS"][1]["ASC"] = {}
    device.joins = False
    device.canned["devs"] = json.dumps(answer).encode() + b"\x00"
    stats = await miner.read()
    assert [board.hashrate for board in stats.boards][-1] is None
    assert len(stats.boards) == 3  # the number of the other is told twice
    assert "boards" in stats.failed
    assert stats.status is MinerStatus.MINING


async def test_recorded_replies(meet: Meet, example: Callable[[str], bytes]) -> None:
    """Recorded from an S19k Pro; it answers one command at a time here."""
    miner, device = await meet(connect=False, joins=False)
    unknown = {"devdetails", "tempctrl", "limits"}
    device.unknown = frozenset(unknown)
    for name in {*READS, "version", "profiles"} - unknown:
        device.canned[name] = example(f"{RECORDED}/{name}.json")
    await miner.connect()
    info = miner.info
    assert (info.make, info.model) == ("Bitmain", "Antminer S19k Pro")
    assert info.firmware_version == "2025.4.8.220305-57b389c7"
    told = json.loads(device.canned["config"])["CONFIG"][0]
    assert info.mac == told["MACAddr"]
    assert (info.serial_number, info.hostname) == (
        told["SerialNumber"],
        told["Hostname"],
    )
    assert len(info.limits[Capability.PROFILE].options) == 25
    stats = await miner.read()
    assert stats.failed == {}
    assert stats.status is MinerStatus.MINING
    assert (stats.hashrate, stats.hashrate_average) == (59.7561, 56.9179)
    assert stats.hashrate_expected == 61.9542
    assert (stats.power, stats.power_limit) == (1051, 1188)
    assert stats.efficiency == 17.59
    assert stats.temperature_board == 47
    assert [fan.speed for fan in stats.fans] == [1920, 1920, 2340, 2340]
    assert {fan.duty for fan in stats.fans} == {20}
    assert [board.hashrate for board in stats.boards] == [19.7738, 19.2306, 20.7517]
    board = stats.boards[2]
    assert (board.chips, board.chips_expected, board.frequency) == (77, 77, 300)
    assert (board.hashrate_expected, board.temperature_board) == (20.6514, 47)
    assert [pool.status for pool in stats.pools] == [
        PoolState.ACTIVE,
        PoolState.DEAD,
        PoolState.ACTIVE,
        PoolState.DEAD,
    ]
    assert (stats.accepted, stats.rejected) == (1483, 1)
    assert stats.uptime == 3453
    assert stats.settings.profile == "290MHz"
    assert stats.locating is False
    assert [(f.code, f.severity) for f in stats.faults] == [
        ("NOPIC_PROTECTION", Severity.CRITICAL),
        ("REBOOT_NOT_HASHING", Severity.WARNING),
    ]


@pytest.mark.parametrize(
    ("version", "root", "surely"),
    [
        ('{"STATUS":[{"Description":"LUXminer 2025.4"}]}', "", 90),
        ("", "<title>Luxor Firmware</title>", 80),
        ('{"VERSION":[{"Type":"Antminer S19"}]}', "antMiner Configuration", 0),
        ('{"VERSION":[{"BOSer":"x"}]}', "Braiins OS", 0),
    ],
)
def test_recognise(version: str, root: str, surely: int) -> None:
    evidence = {cgminer.VERSION: version, http.ROOT: root}
    assert LuxOS.recognise(evidence) == surely


async def test_identified_among_antminers(simulate: Simulate) -> None:
    device = await simulate(SimulatedLuxOS)
    async with await connect(device.host, port=device.port(80)) as miner:
        assert miner.info.driver == "luxos"
        assert miner.port == device.port(4028)

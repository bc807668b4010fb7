"""What the driver of Sealminers reads, and what it tells the miner."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from unittest.mock import patch

import pytest

from custom_components.miningsdk.sdk import (
    AuthenticationFailed,
    Capability,
    CommandFailed,
    DeviceUnreachable,
    InvalidReply,
    Miner,
    MinerStatus,
    NotSupported,
    PoolConfig,
    PoolState,
    Severity,
)
from custom_components.miningsdk.sdk.drivers import sealminer
from custom_components.miningsdk.sdk.drivers._antminer_status import START
from custom_components.miningsdk.sdk.drivers.sealminer import Sealminer
from custom_components.miningsdk.sdk.transports import cgminer
from tests.conftest import Simulate
from tests.sdk.meeting import meeting
from tests.sdk.trouble import ALL_TROUBLE, survives, survives_bytes
from tests.simulators.base import Trouble
from tests.simulators.sealminer import SimulatedSealminer

type Meet = Callable[..., Awaitable[tuple[Sealminer, SimulatedSealminer]]]


@pytest.fixture
async def meet(simulate: Simulate) -> AsyncGenerator[Meet]:
    """Return a function that switches on a miner and connects to it."""
    async with meeting(simulate, Sealminer, SimulatedSealminer, "seal") as switch_on:
        yield switch_on


def test_it_is_told_from_others() -> None:
    version = '{"STATUS":[{"Description":"bdminer 4.11.1"}],"VERSION":[{}]}'
    assert Sealminer.recognise({cgminer.VERSION: version}) == 50
    assert Sealminer.recognise({cgminer.VERSION: version.replace("bd", "cg")}) == 0


async def test_info(meet: Meet) -> None:
    miner, _ = await meet()
    info = miner.info
    assert (info.make, info.model) == ("Bitdeer", "SealMiner A2")
    assert (info.firmware, info.firmware_version) == ("stock", "2025091001")
    assert info.mac == "02:53:45:41:00:01"
    assert info.serial_number == "SIMSEAL0001"
    assert info.algorithm == "sha256"
    assert info.chips == 630
    assert [c.value for c in info.capabilities] == [
        "pause",
        "reboot",
        "locate",
        "power_limit",
        "pools",
    ]
    limits = info.limits[Capability.POWER_LIMIT]
    assert (limits.minimum, limits.maximum) == (1100, 5600)


async def test_stats(meet: Meet) -> None:
    miner, device = await meet()
    device.bad_chips = 2
    device.requests = 0
    stats = await miner.read()
    assert device.requests == 1
    assert device.most_connections <= 2
    assert stats.failed == {}
    assert stats.status is MinerStatus.MINING
    assert stats.hashrate == pytest.approx(226, rel=0.02)
    assert stats.hashrate_average == pytest.approx(225.5, rel=0.02)
    assert stats.hashrate_expected == 226.0
    assert (stats.power, stats.power_limit, stats.power_mode) == (3730, 3900, None)
    assert stats.efficiency == pytest.approx(16.5, abs=0.3)
    assert [(fan.speed, fan.duty) for fan in stats.fans] == [
        (4100, 60.0),
        (4150, 60.0),
        (4200, 60.0),
        (4250, 60.0),
    ]
    board = stats.boards[0]
    assert (board.index, board.chips, board.chips_expected) == (0, 208, 210)
    assert board.hashrate == pytest.approx(75.33, rel=0.02)
    assert board.hashrate_expected == pytest.approx(75.3333)
    assert (board.temperature_chip, board.frequency) == (68, 520)
    assert board.serial_number == "SIMSEALB0"
    assert stats.temperature_chip == 70
    first, second = stats.pools
    assert (first.status, second.status) == (PoolState.ACTIVE, PoolState.ALIVE)
    assert (first.url, first.user) == ("stratum+tcp://a.example:3333", "me.1")
    assert (stats.accepted, stats.rejected, stats.stale) == (1150, 4, 2)
    assert stats.hardware_errors == 117
    assert stats.best_difficulty == 311621
    assert stats.uptime == 5000
    assert stats.locating is False
    assert stats.faults == ()


async def test_a_firmware_that_joins_no_commands(meet: Meet) -> None:
    miner, device = await meet(joins=False)
    await miner.read()
    device.asked.clear()
    stats = await miner.read()
    assert device.asked == ["summary", "stats", "pools"]
    assert stats.failed == {}
    assert stats.hashrate == pytest.approx(226, rel=0.02)


@pytest.mark.parametrize("joins", [True, False])
async def test_one_part_refused(meet: Meet, joins: bool) -> None:
    miner, device = await meet(joins=joins)
    device.unknown = {"pools"}
    stats = await miner.read()
    assert stats.status is MinerStatus.MINING
    assert stats.pools == ()
    assert "Invalid command" in stats.failed["pools"]
    device.more = {"Model": None}
    await miner.connect()
    assert miner.info.model == "SealMiner A2"


async def test_odd_values_leave_the_rest(meet: Meet) -> None:
    miner, device = await meet()
    device.more = {
        "PSU Input Power": "many",
        "0 Temp 3": "hot",
        "1 Temp 0": -40,
        "1 Chip Count": [],
        "2 MHS(1m)": -5,
        "0 PWM": 400,
        "1 Online": "perhaps",
        "Fan Count": 99,
        "Mining Mode": "High",
        "MHS(Rated)": None,
        "MHS(Ideal)": None,
    }
    stats = await miner.read()
    assert stats.status is MinerStatus.MINING
    assert (stats.power, stats.power_mode) == (None, "high")
    assert stats.hashrate_expected == pytest.approx(226, rel=0.001)
    assert stats.boards[0].temperature_chip == 65
    assert stats.boards[1].chips is None
    assert stats.boards[2].hashrate is None
    assert stats.fans[0].duty is None
    assert len(stats.fans) == 16
    assert {"power", "temperature", "boards"} <= set(stats.failed)
    await miner.connect()
    assert miner.info.limits[Capability.POWER_LIMIT].minimum == 500


async def test_faults(meet: Meet) -> None:
    miner, device = await meet()
    device.offline = {1}
    stats = await miner.read()
    assert stats.status is MinerStatus.MINING
    assert [(f.code, f.component, f.severity) for f in stats.faults] == [
        ("board_1_offline", "hashboard", Severity.WARNING)
    ]
    assert stats.boards[1].hashrate == 0
    device.offline, device.pools_dead = set(), True
    stats = await miner.read()
    assert stats.status is MinerStatus.IDLE
    assert [fault.code for fault in stats.faults] == ["all_pools_dead"]


@pytest.mark.parametrize(
    ("word", "hashes", "uptime", "status"),
    [
        ("Running", True, 5000, MinerStatus.MINING),
        ("Running", False, 10, MinerStatus.STARTING),
        ("Running", False, START + 10, MinerStatus.UNKNOWN),
        ("Suspended", False, 5000, MinerStatus.PAUSED),
        ("Init", False, START + 10, MinerStatus.STARTING),
        ("Tuning", True, 5000, MinerStatus.TUNING),
        ("Tuning", False, 5000, MinerStatus.TUNING),
        ("Error", True, 5000, MinerStatus.FAULT),
        ("Quiet", True, 5000, MinerStatus.MINING),
        ("Quiet", False, 5000, MinerStatus.UNKNOWN),
    ],
)
async def test_words(
    meet: Meet, word: str, hashes: bool, uptime: float, status: MinerStatus
) -> None:
    miner, device = await meet()
    device.word, device.hashes = word, hashes
    device.uptime_is(uptime)
    stats = await miner.read()
    assert stats.status is status
    assert ("status" in stats.failed) is (status is MinerStatus.UNKNOWN)


async def test_without_a_rate_nothing_is_mined(meet: Meet) -> None:
    miner, device = await meet(joins=False)
    device.canned["summary"] = b'{"STATUS":[{"STATUS":"S"}],"SUMMARY":[{"Elapsed":9}]}'
    assert (await miner.read()).status is MinerStatus.UNKNOWN


@pytest.mark.parametrize("password", ["seal", None])
@pytest.mark.parametrize("word", ["Suspend", "Dozing", "Running"])
async def test_pause_and_resume(meet: Meet, word: str, password: str | None) -> None:
    """Whatever it calls that state: it took the command and does not hash."""
    miner, device = await meet(asleep_word=word, password=password)
    await miner.pause()
    assert "ascset|0,suspend" in device.asked
    stats = await miner.read()
    assert stats.status is MinerStatus.PAUSED
    assert stats.hashrate == 0
    assert stats.failed == {}
    await miner.resume()
    assert (await miner.read()).status is MinerStatus.MINING
    assert device.pages.count("login.php") == (1 if password else 0)


async def test_one_that_others_woke_and_that_then_fails(meet: Meet) -> None:
    miner, device = await meet(asleep_word="Running")
    await miner.pause()
    device.asleep = False
    assert (await miner.read()).status is MinerStatus.MINING
    device.hashes = False
    assert (await miner.read()).status is MinerStatus.UNKNOWN


async def test_power_limit(meet: Meet) -> None:
    miner, device = await meet()
    await miner.set_power_limit(3000)
    assert 'ascset|0,powerlimit,{"value":"3000"}' in device.asked
    assert device.reboots == 1
    assert (await miner.read()).power_limit == 3000
    with pytest.raises(NotSupported):
        await miner.set_power_limit(9000)


async def test_pools(meet: Meet) -> None:
    miner, device = await meet()
    await miner.set_pools(
        [
            PoolConfig(url="stratum+tcp://n.example:1", user="w", password="p"),
            PoolConfig(url="stratum+tcp://a.example:3333", user="me.1"),
        ]
    )
    assert device.pools == [
        {"url": "stratum+tcp://n.example:1", "user": "w", "pass": "p"},
        {
            "url": "stratum+tcp://a.example:3333",
            "user": "me.1",
            "pass": "pool-secret",
        },
    ]
    assert device.posts[-1][1]["poolurl3"] == ""


async def test_locate(meet: Meet) -> None:
    miner, device = await meet()
    await miner.locate(True)
    assert (await miner.read()).locating is True
    device.gone = {"get_system_info.php"}
    stats = await miner.read()
    assert stats.locating is None
    assert "locating" in stats.failed
    device.pages.clear()
    await miner.read()
    assert device.pages == []


@pytest.mark.parametrize("dies", [False, True])
@pytest.mark.parametrize("methods", [("GET", "POST"), ("POST",)])
async def test_reboot(meet: Meet, methods: tuple[str, ...], dies: bool) -> None:
    miner, device = await meet()
    device.reboots_by, device.dies_at_reboot = methods, dies
    await miner.reboot()
    assert device.reboots == 1
    # The login went with the reboot.
    await miner.locate(True)
    assert device.logins == 2


@pytest.mark.parametrize("answer", [401, 403, 302, 0])
async def test_an_expired_login_is_renewed(meet: Meet, answer: int) -> None:
    miner, device = await meet()
    device.sessions.clear()
    device.expires_with = answer
    await miner.reboot()
    assert (device.reboots, device.logins, device.wrong) == (1, 2, 0)


async def test_without_a_password_it_is_paused_at_most(meet: Meet) -> None:
    miner, device = await meet(password=None)
    assert miner.authentication_error is None
    assert miner.info.capabilities == (Capability.PAUSE,)
    assert (await miner.read()).status is MinerStatus.MINING
    assert device.pages == []
    with pytest.raises(NotSupported):
        await miner.reboot()


async def test_a_wrong_password_is_sent_once(meet: Meet) -> None:
    miner, device = await meet(password="wrong")
    assert miner.authentication_error == (
        "the device refused the credentials: password error"
    )
    assert miner.info.capabilities == (Capability.PAUSE,)
    with pytest.raises(AuthenticationFailed):
        await miner.check_credentials()
    device.trouble = Trouble.CLOSED
    for _ in range(3):
        with pytest.raises(InvalidReply):
            await miner.read()
    device.trouble = Trouble.NONE
    assert (await miner.read()).status is MinerStatus.MINING
    assert (device.wrong, device.logins) == (1, 0)


async def test_controls_come_when_the_web_server_does(meet: Meet) -> None:
    miner, device = await meet(connect=False)
    device.gone = {"login.php"}
    await miner.connect()
    assert miner.info.capabilities == (Capability.PAUSE,)
    device.gone = set()
    with patch.object(sealminer, "_WEB_AGAIN", -1.0):
        await miner.read()
    await miner.read()
    assert Capability.POOLS in miner.info.capabilities
    # What is known stays while it fails once more.
    device.gone = {"get_miner_poolconf.php"}
    await miner.connect()
    assert Capability.POOLS in miner.info.capabilities


async def test_another_miner_at_the_address(meet: Meet) -> None:
    miner, device = await meet()
    device.mac, device.serial = "02:53:45:41:00:02", ""
    await miner.connect()
    assert miner.info.unique_id == "02:53:45:41:00:02"


type Command = Callable[[Miner], Awaitable[None]]


@pytest.mark.parametrize(
    "command",
    [
        lambda miner: miner.pause(),
        lambda miner: miner.set_power_limit(2500),
        lambda miner: miner.set_pools([PoolConfig(url="stratum+tcp://x:1", user="y")]),
        lambda miner: miner.locate(True),
    ],
    ids=["pause", "power_limit", "pools", "locate"],
)
async def test_refused_or_ignored(meet: Meet, command: Command) -> None:
    miner, device = await meet()
    device.refuses = "not allowed now"
    with pytest.raises(CommandFailed, match="not allowed now"):
        await command(miner)
    assert device.reboots == 0
    device.refuses, device.ignores_writes = None, True
    with (
        patch.object(Sealminer, "confirm_longer", {}),
        patch.object(Sealminer, "confirm_within", 0.1),
        pytest.raises(CommandFailed, match="not confirmed"),
    ):
        await command(miner)


async def test_nothing_there(meet: Meet) -> None:
    miner, device = await meet()
    await device.stop()
    with pytest.raises(DeviceUnreachable):
        await miner.read()


@pytest.mark.parametrize("joins", [True, False])
@pytest.mark.parametrize("trouble", ALL_TROUBLE)
async def test_trouble(meet: Meet, trouble: Trouble, joins: bool) -> None:
    miner, device = await meet(short=0.3, joins=joins)
    await survives(miner, device, trouble)


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"{}",
        b'{"SUMMARY":[{"MHS 5s":{}}],"STATS":[{"Board Count":"x"}],"POOLS":5}',
        b'{"summary":[{"SUMMARY":[{"Elapsed":"x"}]}],"stats":[{}],"pools":[{}]}',
        b'{"STATS":[{"Board Count":3,"0 Online":[],"0 Temp 0":{}}],"SUMMARY":[]}',
    ],
)
async def test_any_bytes(meet: Meet, body: bytes) -> None:
    miner, device = await meet(short=0.3)
    await survives_bytes(miner, device, body)

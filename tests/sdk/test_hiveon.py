"""What the driver of Hiveon ASIC reads, and what it tells the miner."""

from collections.abc import AsyncGenerator, Awaitable, Callable
import json
from unittest.mock import patch

import pytest

from custom_components.miningsdk.sdk import (
    AuthenticationFailed,
    Capability,
    CommandFailed,
    DeviceUnreachable,
    InvalidReply,
    MinerStatus,
    NotSupported,
    PoolConfig,
    PoolState,
    Severity,
)
from custom_components.miningsdk.sdk.drivers import _flat_miner
from custom_components.miningsdk.sdk.drivers._antminer_status import START
from custom_components.miningsdk.sdk.drivers.hiveon import Hiveon
from custom_components.miningsdk.sdk.transports import cgminer, http
from tests.conftest import Simulate
from tests.sdk.meeting import meeting
from tests.sdk.trouble import ALL_TROUBLE, check_vocabulary, survives, survives_bytes
from tests.simulators.base import Trouble
from tests.simulators.hiveon import SimulatedHiveon

type Meet = Callable[..., Awaitable[tuple[Hiveon, SimulatedHiveon]]]


@pytest.fixture
async def meet(simulate: Simulate) -> AsyncGenerator[Meet]:
    """Return a function that switches on a miner and connects to it."""
    async with meeting(simulate, Hiveon, SimulatedHiveon, "root") as switch_on:
        yield switch_on


def test_it_is_told_from_others() -> None:
    version = '{"VERSION":[{"BMMiner":"4.11.1 rwglr","Type":"Antminer S9 Hiveon"}]}'
    assert Hiveon.recognise({cgminer.VERSION: version}) == 80
    assert Hiveon.recognise({cgminer.VERSION: version.replace("Hiveon", "")}) == 0
    assert Hiveon.recognise({http.ROOT: 'realm="antMiner Configuration"'}) == 0


async def test_info(meet: Meet) -> None:
    miner, _ = await meet()
    info = miner.info
    assert (info.make, info.model) == ("Bitmain", "Antminer S19x88")
    assert info.firmware == "hiveon"
    assert info.firmware_version == "2023-04-11-1.0.1.96.20-hiveon"
    assert info.mac == "02:48:49:56:00:01"
    assert info.serial_number == "SIMHIVE0001"
    assert info.hostname == "hive-rig"
    assert info.algorithm == "sha256"
    assert info.chips == 228
    assert [c.value for c in info.capabilities] == [
        "pause",
        "reboot",
        "locate",
        "pools",
    ]


async def test_stats(meet: Meet) -> None:
    miner, device = await meet()
    device.bad_chips = 2
    stats = await miner.read()
    assert stats.failed == {}
    assert stats.status is MinerStatus.MINING
    assert stats.hashrate == pytest.approx(95, rel=0.02)
    assert stats.hashrate_average == pytest.approx(94.8, rel=0.02)
    assert stats.hashrate_expected == 95.0
    assert stats.power == 3150.0
    assert stats.efficiency == pytest.approx(33.2, abs=0.5)
    assert [(fan.index, fan.speed, fan.duty) for fan in stats.fans] == [
        (0, 4770.0, 62.0),
        (1, 4830.0, 62.0),
        (2, 4890.0, 62.0),
        (3, 4950.0, 62.0),
    ]
    assert [board.index for board in stats.boards] == [0, 1, 2]
    board = stats.boards[0]
    assert (board.chips, board.chips_expected) == (74, 76)
    assert board.hashrate == pytest.approx(31.67, rel=0.02)
    assert board.hashrate_expected == pytest.approx(31.6667)
    assert (board.temperature_board, board.temperature_chip) == (68, 68)
    assert (board.frequency, board.voltage) == (525, 13.7)
    assert stats.temperature_chip == 70
    first, second = stats.pools
    assert (first.status, second.status) == (PoolState.ACTIVE, PoolState.ALIVE)
    assert (first.url, first.user) == ("stratum+tcp://a.example:3333", "me.1")
    assert (first.accepted, first.rejected, first.stale) == (1150, 2, 1)
    assert stats.hardware_errors == 33
    assert stats.best_difficulty == 311621
    assert stats.uptime is not None
    assert stats.uptime >= 5000
    assert stats.locating is False
    assert stats.settings.fan_automatic is True
    assert stats.faults == ()


async def test_one_request_tells_all(meet: Meet) -> None:
    miner, device = await meet()
    device.requests = 0
    await miner.read()
    assert device.requests == 1
    assert device.most_connections <= 2


async def test_a_firmware_that_joins_no_commands(meet: Meet) -> None:
    miner, device = await meet(joins=False)
    device.asked.clear()
    stats = await miner.read()
    assert device.asked == ["stats", "pools"]
    assert stats.failed == {}
    assert len(stats.pools) == 2


async def test_power_of_an_older_build_is_text(meet: Meet) -> None:
    miner, device = await meet()
    device.old_power = True
    assert (await miner.read()).power == 3150.0


async def test_without_a_password_it_is_only_read(meet: Meet) -> None:
    miner, device = await meet(password=None)
    assert miner.authentication_error is None
    assert miner.info.capabilities == ()
    assert miner.info.serial_number == "SIMHIVE0001"
    stats = await miner.read()
    assert (stats.status, stats.failed) == (MinerStatus.MINING, {})
    assert device.pages == []
    with pytest.raises(NotSupported):
        await miner.pause()
    await device.sleep(asleep=True)
    device.uptime_is(START + 10)
    stats = await miner.read()
    assert stats.status is MinerStatus.UNKNOWN
    assert "nothing tells why" in stats.failed["status"]


async def test_a_wrong_password_is_sent_once(meet: Meet) -> None:
    miner, device = await meet(password="wrong")
    assert miner.authentication_error == "the device refused the credentials"
    assert miner.info.capabilities == ()
    with pytest.raises(AuthenticationFailed):
        await miner.check_credentials()
    device.trouble = Trouble.CLOSED
    for _ in range(3):
        with pytest.raises(InvalidReply):
            await miner.read()
    device.trouble = Trouble.NONE
    assert (await miner.read()).status is MinerStatus.MINING
    assert device.digest.wrong == 1


async def test_an_expired_challenge_is_answered_again(meet: Meet) -> None:
    miner, device = await meet()
    device.digest.expire()
    await miner.locate(True)
    assert device.blinking
    assert miner.authentication_error is None


@pytest.mark.parametrize("asleep_api", ["zeros", "closed"])
async def test_pause_and_resume(meet: Meet, asleep_api: str) -> None:
    miner, device = await meet(asleep_api=asleep_api)
    await miner.pause()
    assert device.asleep
    stats = await miner.read()
    assert stats.status is MinerStatus.PAUSED
    assert not stats.hashrate
    assert stats.pools[0].url == "stratum+tcp://a.example:3333"
    assert stats.faults == ()
    sent = json.loads(device.posts[-1][1])
    assert sent["pools"][0]["pass"] == "pool-secret"
    assert (sent["miner-mode"], sent["bitmain-work-mode"]) == (1, "1")
    await miner.resume()
    assert device.restarts == 2
    assert (await miner.read()).status is MinerStatus.MINING
    assert (await miner.read()).failed == {}


async def test_pause_while_paused_writes_nothing(meet: Meet) -> None:
    miner, device = await meet()
    await device.sleep(asleep=True)
    await miner.pause()
    assert device.posts == []


async def test_it_starts_after_a_resume(meet: Meet) -> None:
    miner, device = await meet(warm_up=3600.0, uptime=7200.0)
    await miner.pause()
    await miner.resume()
    assert (await miner.read()).status is MinerStatus.STARTING
    device.uptime_is(START + 10)
    assert (await miner.read()).status is MinerStatus.FAULT


async def test_pools(meet: Meet) -> None:
    miner, device = await meet()
    await miner.set_pools(
        [PoolConfig(url="stratum+tcp://n.example:1", user="w", password="p")]
    )
    assert device.pools[0] == {
        "url": "stratum+tcp://n.example:1",
        "user": "w",
        "pass": "p",
    }
    assert device.pools[1]["url"] == ""


async def test_locate(meet: Meet) -> None:
    miner, device = await meet()
    await miner.locate(True)
    assert (await miner.read()).locating is True
    device.blinking = False
    assert (await miner.read()).locating is False
    device.pages.clear()
    await miner.read()
    assert device.pages == []


async def test_reboot(meet: Meet) -> None:
    miner, device = await meet()
    await miner.reboot()
    assert device.reboots == 1
    assert (await miner.read()).status is MinerStatus.MINING


async def test_a_refusal_is_told_in_its_words(meet: Meet) -> None:
    miner, device = await meet()
    device.refuses = "request busy"
    with pytest.raises(CommandFailed, match="request busy"):
        await miner.pause()
    assert not device.asleep
    assert len(device.posts) == 1


async def test_no_confirmation(meet: Meet) -> None:
    miner, device = await meet()
    device.ignores_writes = True
    with (
        patch.object(Hiveon, "confirm_longer", {Capability.PAUSE: 0.1}),
        pytest.raises(CommandFailed, match="not confirmed"),
    ):
        await miner.pause()
    assert len(device.posts) == 1


async def test_an_old_one_is_only_read(meet: Meet) -> None:
    miner, _ = await meet(modern=False, model="S9", rate=13500.0)
    assert miner.info.model == "Antminer S9"
    assert miner.info.capabilities == ()
    assert miner.info.mac == "02:48:49:56:00:01"
    assert (await miner.read()).hashrate == pytest.approx(13.5, rel=0.02)


async def test_faults(meet: Meet) -> None:
    miner, device = await meet()
    device.supply = "PSU power lost"
    device.missing_boards = 1
    device.dead_fans = 1
    stats = await miner.read()
    assert stats.status is MinerStatus.MINING
    assert [(f.code, f.message, f.severity) for f in stats.faults] == [
        ("psu", "PSU power lost", Severity.WARNING)
    ]
    assert len(stats.boards) == 2
    assert [fan.index for fan in stats.fans] == [1, 2, 3]
    device.hashes = False
    assert (await miner.read()).status is MinerStatus.FAULT


async def test_without_a_pool_it_is_idle(meet: Meet) -> None:
    miner, device = await meet(pools_dead=True)
    stats = await miner.read()
    assert stats.status is MinerStatus.IDLE
    assert [fault.code for fault in stats.faults] == ["all_pools_dead"]
    assert stats.hashrate == 0
    device.pools_dead = False
    assert (await miner.read()).status is MinerStatus.MINING


async def test_a_process_that_does_not_answer(meet: Meet) -> None:
    miner, device = await meet()
    device.crashed = True
    await device.follow()
    stats = await miner.read()
    assert stats.status is MinerStatus.STARTING
    assert stats.hashrate is None
    with patch.object(_flat_miner, "START", -1.0):
        stats = await miner.read()
    assert stats.status is MinerStatus.UNKNOWN
    assert "does not answer" in stats.failed["status"]
    device.crashed = False
    await device.follow()
    assert (await miner.read()).status is MinerStatus.MINING


async def test_without_process_and_password(meet: Meet) -> None:
    miner, device = await meet(password=None)
    device.crashed = True
    await device.follow()
    stats = await miner.read()
    assert stats.status is MinerStatus.UNKNOWN
    await device.stop()
    with pytest.raises(DeviceUnreachable):
        await miner.read()
    with pytest.raises(DeviceUnreachable):
        await miner.connect()


async def test_controls_come_when_the_web_server_does(meet: Meet) -> None:
    miner, device = await meet(connect=False)
    for runner in device._runners:
        await runner.cleanup()
    await miner.connect()
    assert miner.info.capabilities == ()
    assert (await miner.read()).status is MinerStatus.MINING
    await device.stop()
    device._api = None
    await device.start()
    with patch.object(_flat_miner, "_WEB_AGAIN", -1.0):
        await miner.read()
    await miner.read()
    assert Capability.PAUSE in miner.info.capabilities


async def test_another_miner_at_the_address(meet: Meet) -> None:
    miner, device = await meet()
    device.mac, device.serial = "02:48:49:56:00:02", ""
    await miner.connect()
    assert miner.info.unique_id == "02:48:49:56:00:02"


async def test_odd_values_leave_the_rest(meet: Meet) -> None:
    miner, device = await meet()
    row = device.row()
    row |= {
        "total_power": "much",
        "temp_chip1": "hot-0-0-0",
        "fan_pwm": 900,
        "psu_status": 5,
        "chain_voltage2": [],
    }
    device.row = lambda: row  # type: ignore[method-assign]
    stats = await miner.read()
    assert stats.status is MinerStatus.MINING
    assert stats.power is None
    assert "power" in stats.failed
    assert stats.boards[0].temperature_chip is None
    assert stats.boards[1].voltage is None
    assert stats.fans[0].duty is None
    assert stats.temperature_board == 70


@pytest.mark.parametrize("trouble", ALL_TROUBLE)
async def test_trouble(meet: Meet, trouble: Trouble) -> None:
    miner, device = await meet(short=0.3)
    await survives(miner, device, trouble)


@pytest.mark.parametrize("trouble", ALL_TROUBLE)
async def test_trouble_while_asleep(meet: Meet, trouble: Trouble) -> None:
    miner, device = await meet(short=0.3, asleep_api="closed")
    await device.sleep(asleep=True)
    await survives(miner, device, trouble)


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"{}",
        b"null",
        b'{"STATS":[]}',
        b'{"STATS":[{"GHS 5s":[],"chain_acn1":{},"fan_num":"x"}],"POOLS":[5]}',
        b'{"stats":[{"STATS":[{"Type":5}]}],"pools":[{"POOLS":[{"URL":{}}]}]}',
    ],
)
async def test_any_bytes(meet: Meet, body: bytes) -> None:
    miner, device = await meet(short=0.3)
    await survives_bytes(miner, device, body)
    check_vocabulary(await miner.read())

"""What the driver of Elphapex reads, and what it tells the miner."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from unittest.mock import patch

import pytest

from custom_components.miningsdk.sdk import (
    AuthenticationFailed,
    Capability,
    CommandFailed,
    DeviceUnreachable,
    Miner,
    MinerStatus,
    NotSupported,
    PoolConfig,
    PoolState,
    Severity,
)
from custom_components.miningsdk.sdk.drivers import elphapex
from custom_components.miningsdk.sdk.drivers._antminer_status import START
from custom_components.miningsdk.sdk.drivers.elphapex import Elphapex
from custom_components.miningsdk.sdk.transports import http
from tests.conftest import Simulate
from tests.sdk.meeting import meeting
from tests.sdk.trouble import ALL_TROUBLE, survives, survives_bytes
from tests.simulators.base import Trouble
from tests.simulators.elphapex import SimulatedElphapex

type Meet = Callable[..., Awaitable[tuple[Elphapex, SimulatedElphapex]]]


@pytest.fixture
async def meet(simulate: Simulate) -> AsyncGenerator[Meet]:
    """Return a function that switches on a miner and connects to it."""
    async with meeting(simulate, Elphapex, SimulatedElphapex, "root") as switch_on:
        yield switch_on


def test_it_is_told_from_others() -> None:
    root = 'HTTP 401\nWWW-Authenticate: Digest realm="Daoge Configuration"'
    assert Elphapex.recognise({http.ROOT: root}) == 50
    assert Elphapex.recognise({http.ROOT: root.replace("Daoge", "antMiner")}) == 0
    assert Elphapex.recognise({}) == 0


async def test_info(meet: Meet) -> None:
    miner, _ = await meet()
    info = miner.info
    assert (info.make, info.model) == ("Elphapex", "DG1+")
    assert (info.firmware, info.firmware_version) == ("stock", "DG1+_SW_V1.0.2")
    assert info.mac == "02:44:47:31:00:01"
    assert info.serial_number == "SIMDG245192N0001"
    assert info.hostname == "DG1+-rig"
    assert info.algorithm == "scrypt"
    assert [c.value for c in info.capabilities] == [
        "pause",
        "reboot",
        "locate",
        "fan",
        "pools",
    ]
    limits = info.limits[Capability.FAN]
    assert (limits.minimum, limits.maximum, limits.options) == (10, 100, ("auto",))


async def test_stats(meet: Meet) -> None:
    miner, device = await meet()
    device.pages.clear()
    device.requests = 0
    stats = await miner.read()
    assert device.pages == ["stats", "pools", "summary", "get_power"]
    assert device.requests == 4
    assert device.most_connections <= 2
    assert stats.failed == {}
    assert stats.status is MinerStatus.MINING
    assert stats.hashrate == pytest.approx(0.0142, rel=0.02)
    assert stats.hashrate_average == pytest.approx(0.01417, rel=0.02)
    assert stats.hashrate_expected == 0.0142
    assert stats.power == 3905
    assert stats.efficiency == pytest.approx(275_000, rel=0.02)
    assert stats.power_mode == "normal"
    assert [fan.speed for fan in stats.fans] == [5310, 5370, 5430, 5490]
    assert len(stats.boards) == 4
    board = stats.boards[0]
    assert board.index == 0
    assert board.hashrate == pytest.approx(0.00355, rel=0.02)
    assert board.hashrate_expected == 0.00355
    assert (board.temperature_board, board.temperature_chip) == (68, 51.5)
    assert board.chips == 204
    assert board.frequency is None
    assert board.serial_number == "SIMDG245B0"
    assert stats.temperature_chip == 54.5
    assert stats.temperature_board == 71
    first, second = stats.pools
    assert (first.status, second.status) == (PoolState.DEAD, PoolState.ACTIVE)
    assert (second.url, second.user) == ("stratum+tcp://b.example:3333", "me.1")
    assert (second.rejected, second.stale) == (3, 0)
    assert stats.accepted == 953
    assert stats.hardware_errors is None
    assert stats.best_difficulty == 77215
    assert stats.uptime is not None
    assert stats.uptime >= 5000
    assert stats.locating is False
    settings = stats.settings
    assert (settings.fan, settings.fan_automatic, settings.throttle) == (
        None,
        True,
        100,
    )
    assert stats.faults == ()


async def test_a_home_miner_has_one_board_of_four(meet: Meet) -> None:
    miner, _ = await meet(model="DG-Home1", rate=2100.0, boards=1, chips=120)
    stats = await miner.read()
    assert miner.info.model == "DG-Home1"
    assert [board.index for board in stats.boards] == [0]
    assert stats.hashrate == pytest.approx(0.0021, rel=0.02)


async def test_faults(meet: Meet) -> None:
    miner, device = await meet()
    device.lamps = {"fans": "fan 2 too slow", "temp": ""}
    device.missing_boards = 1
    stats = await miner.read()
    assert stats.status is MinerStatus.MINING
    assert len(stats.boards) == 3
    assert [(f.code, f.message, f.component, f.severity) for f in stats.faults] == [
        ("fans", "fan 2 too slow", "fan", Severity.WARNING),
        ("temp", "temp is abnormal", "temperature", Severity.WARNING),
    ]
    device.hashes = False
    device.uptime = int(START) + 10
    assert (await miner.read()).status is MinerStatus.FAULT
    device.uptime = 10
    assert (await miner.read()).status is MinerStatus.STARTING
    device.pools_dead = True
    stats = await miner.read()
    assert stats.status is MinerStatus.IDLE
    assert stats.faults[-1].code == "all_pools_dead"


async def test_odd_values_leave_the_rest(meet: Meet) -> None:
    miner, device = await meet()
    row = device.stats()
    row["chain"][0] |= {"temp_chip": ["hot", "51000"], "rate_real": {}, "sn": None}
    row["chain"][1] |= {"temp_chip": "50", "temp_pcb": [9999, -273], "temp_pic": 0}
    row["fan"] = ["5340", "?"]
    device.stats = lambda: row  # type: ignore[method-assign]
    device.power = "plenty"
    stats = await miner.read()
    assert stats.status is MinerStatus.MINING
    assert stats.boards[0].temperature_chip == 51
    assert stats.boards[0].hashrate is None
    assert stats.boards[1].temperature_board is None
    assert [fan.speed for fan in stats.fans] == [5340, None]
    assert stats.power is None
    assert {"power", "temperature", "boards", "fans"} <= set(stats.failed)
    device.power = 0
    assert (await miner.read()).power is None


async def test_without_a_password(meet: Meet) -> None:
    miner, device = await meet(password=None)
    assert miner.authentication_error is not None
    assert miner.info.capabilities == ()
    with pytest.raises(AuthenticationFailed):
        await miner.check_credentials()
    with pytest.raises(AuthenticationFailed):
        await miner.read()
    with pytest.raises(AuthenticationFailed):
        await miner.pause()
    assert device.digest.wrong == 0


async def test_a_wrong_password_is_sent_once(meet: Meet) -> None:
    miner, device = await meet(password="wrong")
    assert miner.authentication_error == "the device refused the credentials"
    for _ in range(3):
        with pytest.raises(AuthenticationFailed):
            await miner.read()
    assert device.digest.wrong == 1


async def test_a_password_that_is_changed_later(meet: Meet) -> None:
    miner, device = await meet()
    await miner.read()
    device.password = "another"
    device.digest.expire()
    for _ in range(3):
        with pytest.raises(AuthenticationFailed):
            await miner.read()
    assert device.digest.wrong == 1
    device.password = "root"
    again = Elphapex(device.host, port=device.port(80), password="root")
    await again.connect()
    assert (await again.read()).status is MinerStatus.MINING
    await again.close()


async def test_an_expired_challenge_is_answered_again(meet: Meet) -> None:
    miner, device = await meet()
    device.digest.expire()
    assert (await miner.read()).status is MinerStatus.MINING
    assert miner.authentication_error is None


@pytest.mark.parametrize("asleep_stats", ["zeros", "nothing"])
async def test_pause_and_resume(meet: Meet, asleep_stats: str) -> None:
    miner, device = await meet(asleep_stats=asleep_stats)
    device.config["fc-work-mode"] = 2
    assert (await miner.read()).power_mode == "normal"
    await miner.pause()
    program, sent = device.posts[-1]
    assert program == "set_miner_conf"
    assert (sent["fc-work-mode"], sent["miner-mode"]) == (1, 1)
    # All else is sent back as it was.
    assert sent["fc-voltage"] == "1470"
    assert sent["pools"][0]["pass"] == "pool-secret"
    stats = await miner.read()
    assert stats.status is MinerStatus.PAUSED
    assert stats.pools[0].url == "stratum+tcp://a.example:3333"
    assert stats.faults == ()
    await miner.resume()
    assert device.config["fc-work-mode"] == 2
    stats = await miner.read()
    assert (stats.status, stats.power_mode) == (MinerStatus.MINING, "high")


async def test_the_other_number_for_sleep(meet: Meet) -> None:
    """Some firmware was seen to show -1000; then that one is written."""
    miner, device = await meet(asleep_at=-1000)
    device.config["fc-work-mode"] = "-1000"
    assert (await miner.read()).status is MinerStatus.PAUSED
    await miner.resume()
    assert device.config["fc-work-mode"] == "0"
    assert (await miner.read()).status is MinerStatus.MINING
    await miner.pause()
    assert device.config["fc-work-mode"] == "-1000"


async def test_a_number_that_does_not_stop_it_is_not_confirmed(meet: Meet) -> None:
    miner, device = await meet(asleep_at=-1000)
    with (
        patch.object(Elphapex, "confirm_longer", {Capability.PAUSE: 0.1}),
        pytest.raises(CommandFailed, match="not confirmed"),
    ):
        await miner.pause()
    assert (await miner.read()).status is MinerStatus.MINING
    await miner.resume()
    assert device.config["fc-work-mode"] == 0


async def test_fan(meet: Meet) -> None:
    miner, device = await meet()
    await miner.set_fan(55)
    config = device.config
    assert (config["fc-fan-ctrl"], config["fc-fan-pwm"]) == (True, "55")
    settings = (await miner.read()).settings
    assert (settings.fan, settings.fan_automatic) == (55, False)
    await miner.set_fan(None)
    config = device.config
    assert (config["fc-fan-ctrl"], config["fc-fan-pwm"]) == (False, "55")
    assert (await miner.read()).settings.fan_automatic is True
    with pytest.raises(NotSupported):
        await miner.set_fan(5)


async def test_pools(meet: Meet) -> None:
    miner, device = await meet()
    await miner.set_pools(
        [
            PoolConfig(url="stratum+tcp://n.example:1", user="w", password="p"),
            PoolConfig(url="stratum+tcp://a.example:3333", user="me.1"),
        ]
    )
    assert device.config["pools"] == [
        {"url": "stratum+tcp://n.example:1", "user": "w", "pass": "p"},
        {
            "url": "stratum+tcp://a.example:3333",
            "user": "me.1",
            "pass": "pool-secret",
        },
        {"url": "", "user": "", "pass": ""},
    ]


async def test_locate(meet: Meet) -> None:
    miner, device = await meet()
    await miner.locate(True)
    assert (await miner.read()).locating is True
    device.blinking = False
    assert (await miner.read()).locating is False
    device.pages.clear()
    await miner.read()
    assert "get_blink_status" not in device.pages


@pytest.mark.parametrize("dies", [False, True])
async def test_reboot(meet: Meet, dies: bool) -> None:
    miner, device = await meet()
    device.dies_at_reboot = dies
    await miner.reboot()
    assert device.reboots == 1


type Command = Callable[[Miner], Awaitable[None]]


@pytest.mark.parametrize(
    "command",
    [
        lambda miner: miner.pause(),
        lambda miner: miner.set_fan(40),
        lambda miner: miner.set_pools([PoolConfig(url="stratum+tcp://x:1", user="y")]),
    ],
    ids=["pause", "fan", "pools"],
)
async def test_refused_or_ignored(meet: Meet, command: Command) -> None:
    miner, device = await meet()
    device.refuses = "request busy"
    with pytest.raises(CommandFailed, match="request busy"):
        await command(miner)
    device.refuses, device.ignores_writes = None, True
    with (
        patch.object(Elphapex, "confirm_longer", {}),
        patch.object(Elphapex, "confirm_within", 0.1),
        pytest.raises(CommandFailed, match="not confirmed"),
    ):
        await command(miner)
    assert len(device.posts) == 2


async def test_a_write_that_is_never_answered(meet: Meet) -> None:
    miner, device = await meet(short=0.4)
    device.never_answers_posts = True
    await miner.pause()
    assert device.asleep


async def test_a_process_that_does_not_answer(meet: Meet) -> None:
    miner, device = await meet()
    device.crashed = True
    assert (await miner.read()).status is MinerStatus.STARTING
    with patch.object(elphapex, "START", -1.0):
        stats = await miner.read()
    assert stats.status is MinerStatus.UNKNOWN
    assert "does not answer" in stats.failed["status"]
    device.crashed = False
    assert (await miner.read()).status is MinerStatus.MINING
    await device.stop()
    with pytest.raises(DeviceUnreachable):
        await miner.read()


async def test_another_miner_at_the_address(meet: Meet) -> None:
    miner, device = await meet()
    device.mac, device.serial = "02:44:47:31:00:02", ""
    await miner.connect()
    assert miner.info.unique_id == "02:44:47:31:00:02"


@pytest.mark.parametrize("trouble", ALL_TROUBLE)
async def test_trouble(meet: Meet, trouble: Trouble) -> None:
    miner, device = await meet(short=0.3)
    await survives(miner, device, trouble)


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"{}",
        b'{"STATS":[7],"INFO":[]}',
        b'{"STATS":[{"chain":[5,{"asic_num":"x"}],"fan":{}}],"INFO":{},"POOLS":[]}',
        b'{"STATS":[{"rate_unit":"X","chain":{}}],"pools":5,"fc-work-mode":[]}',
        b'{"SUMMARY":[{"status":[{"type":[]}]}],"STATS":[],"POOLS":[{"url":1}]}',
    ],
)
async def test_any_bytes(meet: Meet, body: bytes) -> None:
    miner, device = await meet(short=0.3)
    await survives_bytes(miner, device, body)

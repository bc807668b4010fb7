"""What the driver of MARA's firmware reads, and what it tells the miner."""

from collections.abc import AsyncGenerator, Awaitable, Callable
import json
from typing import Any
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
)
from custom_components.miningsdk.sdk.drivers._antminer_status import START
from custom_components.miningsdk.sdk.drivers.mara import Mara
from custom_components.miningsdk.sdk.transports import cgminer, http
from tests.conftest import Simulate
from tests.sdk.meeting import meeting
from tests.sdk.trouble import ALL_TROUBLE, survives, survives_bytes
from tests.simulators.base import Trouble
from tests.simulators.mara import SimulatedMara

type Meet = Callable[..., Awaitable[tuple[Mara, SimulatedMara]]]


@pytest.fixture
async def meet(simulate: Simulate) -> AsyncGenerator[Meet]:
    """Return a function that switches on a miner and connects to it."""
    async with meeting(simulate, Mara, SimulatedMara, "root") as switch_on:
        yield switch_on


@pytest.mark.parametrize(
    ("version", "root", "score"),
    [
        ('{"VERSION":[{"KAONSU":"1"}]}', "", 70),
        ("", 'HTTP 401\nWWW-Authenticate: Digest realm="MaraFW"', 70),
        ("", 'HTTP 401\nWWW-Authenticate: Digest realm="antMiner Configuration"', 0),
        ('{"VERSION":[{"Type":"Antminer S19"}]}', "", 0),
    ],
)
def test_it_is_told_from_others(version: str, root: str, score: int) -> None:
    assert Mara.recognise({cgminer.VERSION: version, http.ROOT: root}) == score


async def test_info(meet: Meet) -> None:
    miner, _ = await meet()
    info = miner.info
    assert (info.make, info.model) == ("Bitmain", "Antminer S19J Pro")
    assert (info.firmware, info.firmware_version) == ("mara", "23.7.0")
    assert info.mac == info.unique_id == "02:4d:41:52:00:01"
    assert info.hostname == "mara-rig"
    assert info.algorithm == "sha256"
    assert [c.value for c in info.capabilities] == [
        "pause",
        "reboot",
        "locate",
        "power_limit",
        "power_mode",
        "fan",
        "pools",
    ]
    limits = info.limits
    assert limits[Capability.POWER_MODE].options == ("auto", "fixed", "stock")
    power = limits[Capability.POWER_LIMIT]
    assert (power.minimum, power.maximum) == (300, 10000)
    assert limits[Capability.FAN].options == ("auto",)
    assert set(limits) < set(info.capabilities)


@pytest.mark.parametrize("units", ["plain", "gh", "unit"])
@pytest.mark.parametrize("wraps", [False, True])
async def test_stats(meet: Meet, units: str, wraps: bool) -> None:
    miner, device = await meet(units=units, wraps=wraps)
    device.bad_chips = 2
    await miner.read()
    device.pages.clear()
    device.requests = 0
    stats = await miner.read()
    assert device.pages == ["GET brief", "GET hashboards", "GET fans", "GET pools"]
    assert device.requests == 4
    assert device.most_connections <= 2
    assert stats.failed == {}
    assert stats.status is MinerStatus.MINING
    assert stats.hashrate == pytest.approx(104, rel=0.02)
    assert stats.hashrate_average == pytest.approx(103.8, rel=0.02)
    assert stats.hashrate_expected == 104.0
    assert stats.power == 3010
    assert stats.efficiency == pytest.approx(28.9, abs=0.5)
    assert (stats.power_limit, stats.power_mode) == (3000, "auto")
    assert [fan.speed for fan in stats.fans] == [4770, 4830, 4890, 4950]
    board = stats.boards[0]
    assert (board.index, board.chips, board.chips_expected) == (0, 74, 76)
    assert board.hashrate == pytest.approx(34.67, rel=0.02)
    assert board.hashrate_expected == pytest.approx(34.6667)
    assert (board.temperature_board, board.temperature_chip) == (62, 68)
    assert board.serial_number == "SIMMARAB0"
    assert len(stats.boards) == 3
    assert stats.temperature_chip == 70
    first, second = stats.pools
    assert (first.status, second.status) == (PoolState.ACTIVE, PoolState.ALIVE)
    assert (first.url, first.user) == ("stratum+tcp://a.example:3333", "me.1")
    assert (first.accepted, first.rejected, first.stale) == (1150, 2, None)
    assert stats.uptime is not None
    assert stats.uptime >= 5000
    assert stats.locating is False
    assert stats.settings.fan_automatic is True
    assert stats.faults == ()


async def test_boards_counted_from_one_with_a_place_empty(meet: Meet) -> None:
    miner, device = await meet(first=1)
    device.missing_boards = 1
    assert [board.index for board in (await miner.read()).boards] == [0, 1]


async def test_odd_values_leave_the_rest(meet: Meet) -> None:
    miner, device = await meet()
    device.brief = {
        "power_consumption_estimated": "some",
        "hashrate_average": -1,
        "temperature_max": 0,
    }
    boards = device.board_rows()
    boards[0] |= {"temperature_chip": ["hot", 60], "hashrate_average": []}
    boards[1] |= {"temperature_chip": [], "temperature_pcb": None}
    device.board_rows = lambda: boards  # type: ignore[method-assign]
    stats = await miner.read()
    assert stats.status is MinerStatus.MINING
    assert (stats.power, stats.hashrate_average) == (None, None)
    assert stats.boards[0].temperature_chip == 60
    assert stats.boards[0].hashrate is None
    assert stats.boards[1].temperature_board is None
    assert {"power", "temperature", "boards"} <= set(stats.failed)
    device.gone = {"fans", "hashboards"}
    device.brief = {}
    stats = await miner.read()
    assert (stats.fans, stats.boards) == ((), ())
    assert stats.temperature_chip == 70
    assert {"fans", "boards"} <= set(stats.failed)


@pytest.mark.parametrize(
    ("word", "hashes", "uptime", "status"),
    [
        ("Paused", True, 5000, MinerStatus.PAUSED),
        ("Failure", True, 5000, MinerStatus.FAULT),
        ("Auto-Tuning", True, 5000, MinerStatus.TUNING),
        ("Initializing", False, 10, MinerStatus.STARTING),
        ("Mining", False, 10, MinerStatus.STARTING),
        ("Mining", False, START + 10, MinerStatus.FAULT),
        ("Quiet", True, 5000, MinerStatus.MINING),
        ("Quiet", False, 5000, MinerStatus.UNKNOWN),
    ],
)
async def test_words(
    meet: Meet, word: str, hashes: bool, uptime: float, status: MinerStatus
) -> None:
    miner, device = await meet()
    device.word, device.hashes = word, hashes
    device.brief = {"status_long": "board 2 is lost"}
    device.uptime_is(uptime)
    stats = await miner.read()
    assert stats.status is status
    told = [(fault.code, fault.message) for fault in stats.faults]
    assert told == ([("status", "board 2 is lost")] if word == "Failure" else [])
    assert ("status" in stats.failed) is (status is MinerStatus.UNKNOWN)


async def test_without_a_pool_it_is_idle(meet: Meet) -> None:
    miner, _ = await meet(pools_dead=True)
    stats = await miner.read()
    assert stats.status is MinerStatus.IDLE
    assert [fault.code for fault in stats.faults] == ["all_pools_dead"]


async def test_without_a_password_the_process_tells(meet: Meet) -> None:
    miner, device = await meet(password=None)
    assert miner.authentication_error is None
    assert miner.info.model == "Antminer S19J Pro"
    assert miner.info.capabilities == ()
    device.requests = 0
    stats = await miner.read()
    assert device.requests == 1
    assert stats.status is MinerStatus.MINING
    assert stats.hashrate == pytest.approx(104, rel=0.02)
    assert len(stats.boards) == 3
    assert device.pages == []
    with pytest.raises(NotSupported):
        await miner.pause()
    device.crashed = True
    await device.follow()
    assert (await miner.read()).status is MinerStatus.UNKNOWN
    await device.stop()
    with pytest.raises(DeviceUnreachable):
        await miner.read()


async def test_a_wrong_password_is_sent_once(meet: Meet) -> None:
    miner, device = await meet(password="wrong")
    assert miner.authentication_error == "the device refused the credentials"
    with pytest.raises(AuthenticationFailed):
        await miner.check_credentials()
    for _ in range(3):
        assert (await miner.read()).status is MinerStatus.MINING
    assert device.digest.wrong == 1


async def test_a_password_that_is_changed_later(meet: Meet) -> None:
    miner, device = await meet()
    await miner.read()
    device.password = "another"
    device.digest.expire()
    for _ in range(3):
        stats = await miner.read()
        assert stats.status is MinerStatus.MINING
    assert miner.authentication_error is not None
    assert device.digest.wrong == 1


async def test_an_expired_challenge_is_answered_again(meet: Meet) -> None:
    miner, device = await meet()
    device.digest.expire()
    assert (await miner.read()).power == 3010
    assert miner.authentication_error is None


async def test_pause_and_resume(meet: Meet) -> None:
    miner, device = await meet()
    device.selector = "Fixed"
    await miner.pause()
    assert device.selector == "Sleep"
    stats = await miner.read()
    assert stats.status is MinerStatus.PAUSED
    assert (stats.power_mode, stats.power_limit) == (None, None)
    # All else is sent back as it was.
    sent = json.loads(device.posts[-1][1])
    assert sent["pools"][0]["pass"] == "pool-secret"
    assert sent["mode"]["concorde"]["power-target"] == 3000
    await miner.resume()
    assert device.selector == "Fixed"
    stats = await miner.read()
    assert (stats.status, stats.power_mode) == (MinerStatus.MINING, "fixed")


@pytest.mark.parametrize(
    ("before", "history", "mode"),
    [
        ("Auto", None, "Auto"),
        ("Auto", [], "Stock"),
        ("Auto", [{"x": 1}, 5], "Stock"),
        ("Auto", [{"k": [{"path": ["Mode", "WorkModeSelector"], "to": "x"}]}], "Stock"),
        ("Quiet", None, "Stock"),
    ],
)
async def test_resume_of_one_that_others_paused(
    meet: Meet, before: str, history: Any, mode: str
) -> None:
    miner, device = await meet()
    device.selector = before
    device.selector = "Sleep"
    if history is not None:
        device.history = history
    assert (await miner.read()).status is MinerStatus.PAUSED
    await miner.resume()
    assert device.selector == mode


async def test_power_limit(meet: Meet) -> None:
    miner, device = await meet()
    device.selector = "Stock"
    stats = await miner.read()
    assert (stats.power_limit, stats.power_mode) == (None, "stock")
    await miner.set_power_limit(2500)
    assert device.selector == "Auto"
    assert device.config["mode"]["concorde"] == {
        "mode-select": "PowerTarget",
        "power-target": 2500,
        "hash-target": 100,
    }
    assert (await miner.read()).power_limit == 2500
    with pytest.raises(NotSupported):
        await miner.set_power_limit(100)


async def test_power_mode(meet: Meet) -> None:
    miner, device = await meet()
    await miner.set_power_mode("stock")
    assert device.selector == "Stock"
    assert (await miner.read()).power_mode == "stock"
    with pytest.raises(NotSupported):
        await miner.set_power_mode("sleep")
    device.selector = "Sleep"
    for command in (miner.set_power_mode("auto"), miner.set_power_limit(2500)):
        with pytest.raises(CommandFailed, match="asleep"):
            await command


async def test_fan(meet: Meet) -> None:
    miner, device = await meet()
    await miner.set_fan(45)
    fans = device.config["advance-config"]
    assert fans == {"override-fan-control": True, "fan-fixed-percent": 45}
    settings = (await miner.read()).settings
    assert (settings.fan, settings.fan_automatic) == (45, False)
    await miner.set_fan(None)
    assert (await miner.read()).settings.fan_automatic is True


async def test_no_fan_in_a_liquid(meet: Meet) -> None:
    miner, device = await meet()
    device.config["general-config"]["environment-profile"] = "Immersion"
    await miner.connect()
    assert Capability.FAN not in miner.info.capabilities


async def test_pools(meet: Meet) -> None:
    miner, device = await meet()
    device.config["pool-group"].append({"gid": 8, "alias": "fee", "percent": 20})
    await miner.set_pools(
        [
            PoolConfig(url="stratum+tcp://n.example:1", user="w", password="p"),
            PoolConfig(url="stratum+tcp://a.example:3333", user="me.1"),
        ]
    )
    assert device.config["pool-group"] == [{"gid": 7, "alias": "main", "percent": 100}]
    assert device.config["pools"] == [
        {"url": "stratum+tcp://n.example:1", "user": "w", "pass": "p", "gid": 7},
        {
            "url": "stratum+tcp://a.example:3333",
            "user": "me.1",
            "pass": "pool-secret",
            "gid": 7,
        },
    ]


async def test_locate(meet: Meet) -> None:
    miner, device = await meet()
    await miner.locate(True)
    assert (await miner.read()).locating is True
    device.blinking = False
    assert (await miner.read()).locating is False
    device.pages.clear()
    await miner.read()
    assert "GET locate_miner" not in device.pages


async def test_reboot(meet: Meet) -> None:
    miner, device = await meet()
    await miner.reboot()
    assert device.reboots == 1


type Command = Callable[[Miner], Awaitable[None]]


@pytest.mark.parametrize(
    "command",
    [
        lambda miner: miner.pause(),
        lambda miner: miner.set_power_limit(2500),
        lambda miner: miner.set_power_mode("stock"),
        lambda miner: miner.set_fan(40),
        lambda miner: miner.set_pools([PoolConfig(url="stratum+tcp://x:1", user="y")]),
    ],
    ids=["pause", "power_limit", "power_mode", "fan", "pools"],
)
async def test_refused_or_ignored(meet: Meet, command: Command) -> None:
    miner, device = await meet()
    device.refuses = "invalid value"
    with pytest.raises(CommandFailed, match="invalid value"):
        await command(miner)
    device.refuses, device.ignores_writes = None, True
    with (
        patch.object(Mara, "confirm_longer", {}),
        patch.object(Mara, "confirm_within", 0.1),
        pytest.raises(CommandFailed, match="not confirmed"),
    ):
        await command(miner)
    assert len(device.posts) == 2


async def test_firmware_without_settings_is_read_and_rebooted(meet: Meet) -> None:
    miner, device = await meet(connect=False)
    device.gone = {"miner_config", "locate_miner", "network_config"}
    await miner.connect()
    assert miner.info.capabilities == (Capability.REBOOT,)
    assert miner.info.hostname is None
    stats = await miner.read()
    assert stats.status is MinerStatus.MINING
    assert "settings" in stats.failed


async def test_firmware_without_brief_is_read_from_its_process(meet: Meet) -> None:
    miner, device = await meet()
    device.gone = {"brief"}
    assert (await miner.read()).status is MinerStatus.MINING


@pytest.mark.parametrize("password", ["root", None])
@pytest.mark.parametrize("trouble", ALL_TROUBLE)
async def test_trouble(meet: Meet, trouble: Trouble, password: str | None) -> None:
    miner, device = await meet(short=0.3, password=password)
    await survives(miner, device, trouble)


@pytest.mark.parametrize("password", ["root", None])
@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"{}",
        b'{"data": {"status": 5, "hashrate_realtime": {}}}',
        b'{"data": [1, {"current_speed": []}], "hashboards": 4}',
        b'{"hashboards": [5, {"index": "x", "temperature_chip": {}}], "pools": [{}]}',
        b'{"mode": 5, "pools": 4, "STATS": [{"GHS 5s": 1}]}',
    ],
)
async def test_any_bytes(meet: Meet, body: bytes, password: str | None) -> None:
    miner, device = await meet(short=0.3, password=password)
    await survives_bytes(miner, device, body)

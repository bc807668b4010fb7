"""Whatsminer on API v3: what it reads, what it can be told, what it must survive."""

import asyncio
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
import orjson
import pytest

from custom_components.miningsdk.sdk import (
    AuthenticationFailed,
    Capability,
    CommandFailed,
    ControlDisabled,
    DeviceTimeout,
    DeviceUnreachable,
    InvalidReply,
    MinerStatus,
    MiningSDKError,
    NotSupported,
    PoolConfig,
    PoolState,
    identify,
)
from custom_components.miningsdk.sdk.drivers import _whatsminer_v3 as api
from custom_components.miningsdk.sdk.drivers.whatsminer import Whatsminer
from custom_components.miningsdk.sdk.drivers.whatsminer_v3 import WhatsminerV3
from custom_components.miningsdk.sdk.transports.framed import HungUp, Link, open_link
from custom_components.miningsdk.sdk.transports.wire import Wire
from tests.conftest import Simulate
from tests.sdk.trouble import ALL_TROUBLE, check_vocabulary, survives, survives_bytes
from tests.simulators._whatsminer_state import HARDWARE, mac_of
from tests.simulators.base import Trouble
from tests.simulators.whatsminer_v3 import SimulatedWhatsminerV3

PASSWORD = "s3cret"
POOLS = (
    PoolConfig(url="stratum+tcp://new.example:3333", user="me.rig", password="p4ss"),
    PoolConfig(url="stratum+tcp://spare.example:3333", user="me.rig"),
)
ALL = {
    *("pause", "reboot", "restart", "locate", "pools"),
    *("power_limit", "power_mode", "throttle"),
}


def make(
    device: SimulatedWhatsminerV3,
    password: str | None = PASSWORD,
    timeout: float = 2,
    **options: Any,
) -> WhatsminerV3:
    miner = WhatsminerV3(
        device.host,
        port=device.port(4433),
        password=password,
        timeout=timeout,
        **options,
    )
    miner.confirm_every = 0.01
    return miner


@pytest.fixture
async def device(simulate: Simulate) -> SimulatedWhatsminerV3:
    found = await simulate(SimulatedWhatsminerV3)
    assert isinstance(found, SimulatedWhatsminerV3)
    return found


# The token and the cipher, against what openssl makes of the same.


def test_token() -> None:
    token, _ = api.sign("set.miner.service", "abcdefg", "QbVy1Ou3", 1764000000)
    assert token == "Vdkdn4tj"


def test_encrypted_parameter() -> None:
    _, key = api.sign("set.miner.pools", "abcdefg", "QbVy1Ou3", 1764000000)
    pools = [{"pool": "stratum+tcp://a:1", "worker": "w", "passwd": "x"}]
    assert api.encrypt(key, pools) == (
        "oWBEI8yUvkJWskjO1JrzFImdeMONWmZYKfWhnip+5VKbC1kjRLOh6skdWGjK8RZcvMbtm+bVbJkQ"
        "ULOLdr5aQA=="
    )


# Frames.


class Line:
    """A server that writes what it is given, in pieces."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.readexactly(6)
        for piece in self.pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        writer.close()


async def ask_line(*pieces: bytes) -> dict[str, Any]:
    server = await asyncio.start_server(Line(*pieces).serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    wire = Wire(host="127.0.0.1", timeout=1)
    async with server, open_link(wire, port) as link:
        return await link.ask({})


@pytest.mark.parametrize(
    "pieces",
    [
        (b"\x07\x00\x00\x00", b'{"a":1}'),
        (b"\x07\x00", b"\x00\x00{", b'"a":1}'),
        (b'\x00\x00\x00\x00\x07\x00\x00\x00{"a":1}',),
        (b'\x08\x00\x00\x00{"a":1,}',),
    ],
)
async def test_frames_in_pieces(pieces: tuple[bytes, ...]) -> None:
    assert await ask_line(*pieces) == {"a": 1}


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        ((b"\x09\x00\x00\x00{",), "whole"),
        ((b"\x07\x00",), "whole"),
        ((b"\xff\xff\xff\xff{}",), "larger than 1 MiB"),
        ((b"\x02\x00\x00\x00[]",), "not an object"),
        ((b"\x02\x00\x00\x00??",), "not JSON"),
    ],
)
async def test_broken_frames(pieces: tuple[bytes, ...], words: str) -> None:
    with pytest.raises(InvalidReply, match=words) as caught:
        await ask_line(*pieces)
    assert not isinstance(caught.value, HungUp)


@pytest.mark.parametrize("pieces", [(), (b"\x00\x00\x00\x00",)])
async def test_hung_up(pieces: tuple[bytes, ...]) -> None:
    with pytest.raises(HungUp):
        await ask_line(*pieces)


async def test_asking_on_a_lost_link(device: SimulatedWhatsminerV3) -> None:
    wire = Wire(host=device.host, timeout=1)
    async with open_link(wire, device.port(4433)) as link:
        device.trouble = Trouble.CLOSED
        for _ in range(2):
            with pytest.raises(HungUp):
                await link.ask({"cmd": "get.device.info"})


# Who it is.


async def test_found_on_the_network(device: SimulatedWhatsminerV3) -> None:
    for port in (4433, 4028):
        found = await identify(device.host, port=device.port(port))
        assert found is not None
        # The same device answers API v2 too; v3 goes first.
        assert (found.driver, found.score) == (WhatsminerV3, 60)
        assert found.port == device.port(4433)


async def test_api_v2_is_left_where_v3_is_not_reached(
    device: SimulatedWhatsminerV3,
) -> None:
    miner = Whatsminer(device.host, port=device.port(4028), password=PASSWORD)
    async with miner:
        stats = await miner.read()
    assert miner.info.model == "Whatsminer M60S VK40"
    assert stats.status is MinerStatus.MINING
    assert stats.hashrate == pytest.approx(186, rel=0.02)
    total = sum(board.hashrate or 0 for board in stats.boards)
    assert total == pytest.approx(186, rel=0.02)
    assert stats.temperature_chip == 88.2


async def test_info(device: SimulatedWhatsminerV3) -> None:
    async with make(device) as miner:
        info = miner.info
    assert (info.driver, info.make) == ("whatsminer-v3", "MicroBT")
    assert (info.model, info.firmware) == ("Whatsminer M60S VK40", "stock")
    assert info.firmware_version == "20251209.16.Rel2"
    assert info.mac == mac_of(device.serial).lower()
    assert info.serial_number == info.unique_id == "BTM3CS40HD24083112345"
    assert info.hostname == "WhatsMiner"
    assert {found.value for found in info.capabilities} == ALL
    assert info.limits[Capability.POWER_MODE].options == ("low", "normal", "high")
    power = info.limits[Capability.POWER_LIMIT]
    assert power.maximum is not None
    assert 3441 < power.maximum < 3441 * 1.3
    assert device.requests == 3
    assert device.most_connections == 1


async def test_capabilities_by_firmware(simulate: Simulate) -> None:
    device = await simulate(SimulatedWhatsminerV3, api_v3="3.0.0")
    async with make(device) as miner:
        found = {capability.value for capability in miner.info.capabilities}
        assert found == ALL - {"throttle"}
        device.has_setting = False
        miner.forget_info()
        stats = await miner.read()
        found = {capability.value for capability in miner.info.capabilities}
        assert found == ALL - {"throttle", "power_mode"}
        assert stats.power_limit == 3441
        assert stats.power_mode is None
        device.requests = 0
        await miner.read()
        assert device.requests == 2


async def test_another_device_on_the_same_address(
    device: SimulatedWhatsminerV3,
) -> None:
    async with make(device) as miner:
        await miner.read()
        device.serial, device.mac = "BTM0000000000002", "C6:07:00:00:00:02"
        await miner.read()
        await miner.read()
        assert miner.info.unique_id == "BTM0000000000002"
        assert miner.info.mac == "c6:07:00:00:00:02"


# What it does.


async def test_stats(device: SimulatedWhatsminerV3) -> None:
    async with make(device) as miner:
        await miner.read()
        device.requests = 0
        stats = await miner.read()
    # Two questions on one connection; the shares from API v2 every second time.
    assert device.requests == 2
    assert device.most_connections == 2
    assert stats.failed == {}
    assert stats.status is MinerStatus.MINING
    assert stats.hashrate == pytest.approx(186, rel=0.02)
    assert stats.hashrate_average == pytest.approx(186, rel=0.01)
    assert stats.hashrate_expected == 186
    assert stats.power == pytest.approx(3441, rel=0.02)
    assert (stats.power_limit, stats.power_mode) == (3441, "normal")
    assert stats.efficiency == pytest.approx(18.5, rel=0.02)
    assert (stats.temperature_chip, stats.temperature_board) == (82, 43.1)
    assert stats.temperature_ambient == 28.5
    assert stats.temperature_inlet is None
    assert [fan.speed for fan in stats.fans] == [5400, 5400]
    assert stats.accepted == pytest.approx(1800 + device.seed, abs=2)
    assert stats.settings.throttle == 100
    assert stats.uptime == pytest.approx(7200, abs=2)
    assert stats.locating is False
    check_vocabulary(stats)


async def test_boards_and_pools(device: SimulatedWhatsminerV3) -> None:
    async with make(device) as miner:
        stats = await miner.read()
    assert [board.index for board in stats.boards] == [0, 1, 2]
    board = stats.boards[2]
    assert board.hashrate == pytest.approx(62, rel=0.02)
    assert board.hashrate_expected == 62
    assert (board.temperature_board, board.temperature_chip) == (43.1, 82)
    assert (board.chips, board.frequency) == (225, 627.4)
    assert board.serial_number == f"BKM3CSE14{device.seed:03d}K42752"
    assert stats.pools[0].url == "stratum+tcp://pool1.example:3333"
    assert stats.pools[0].user == "acct.rig"
    assert [pool.status for pool in stats.pools] == [
        PoolState.ACTIVE,
        PoolState.ALIVE,
        PoolState.ALIVE,
    ]
    assert stats.pools[0].accepted == stats.accepted


@pytest.mark.parametrize("model", list(HARDWARE))
async def test_every_model(simulate: Simulate, model: str) -> None:
    device = await simulate(SimulatedWhatsminerV3, model=model)
    hardware = HARDWARE[model]
    async with make(device) as miner:
        stats = await miner.read()
    assert stats.failed == {}
    assert stats.hashrate == pytest.approx(hardware.ths, rel=0.03)
    assert len(stats.boards) == hardware.boards
    assert len(stats.fans) == (0 if hardware.liquid else 2)
    assert stats.temperature_inlet == (41.5 if hardware.liquid else None)


async def test_shares_without_api_v2(simulate: Simulate) -> None:
    device = await simulate(SimulatedWhatsminerV3, has_v2=False)
    async with make(device) as miner:
        await miner.read()
        device.requests = 0
        stats = await miner.read()
    assert device.requests == 2
    assert stats.failed == {}
    assert stats.accepted is None
    assert len(stats.pools) == 3


async def test_shares_that_v3_counts_itself(device: SimulatedWhatsminerV3) -> None:
    device.counts_shares = True
    async with make(device) as miner:
        await miner.read()
        device.requests = 0
        stats = await miner.read()
    assert device.requests == 2
    assert stats.accepted == pytest.approx(1800 + device.seed, abs=2)


async def test_shares_that_fail_once(device: SimulatedWhatsminerV3) -> None:
    async with make(device) as miner:
        await miner.read()
        device.canned["pools"] = b"<html>"
        # The shares are asked for every second time.
        assert (await miner.read()).failed == {}
        stats = await miner.read()
        assert set(stats.failed) == {"accepted"}
        assert stats.accepted is None
        assert stats.status is MinerStatus.MINING
        del device.canned["pools"]
        assert (await miner.read()).accepted is not None
        # Counters of other pools than those shown are not taken.
        other = device.pool_list()
        other["POOLS"][0]["URL"] = "stratum+tcp://elsewhere.example:1"
        device.canned["pools"] = orjson.dumps(other)
        assert (await miner.read()).accepted is not None
        assert (await miner.read()).accepted is None


async def test_faults_in_our_words_and_its_own(simulate: Simulate) -> None:
    device = await simulate(SimulatedWhatsminerV3, faults=(531, 264, 4321))
    async with make(device) as miner:
        stats = await miner.read()
    assert [found.code for found in stats.faults] == ["531", "264", "4321"]
    assert stats.faults[0].message == "Hashboard 1: not found: Slot1 not found."
    assert stats.faults[1].message.startswith("The power supply does not answer: Po")
    assert stats.faults[2].message == "Unknown error 4321"
    assert stats.status is MinerStatus.MINING


async def test_not_hashing_says_why(device: SimulatedWhatsminerV3) -> None:
    async with make(device) as miner:
        device.ramp = 1000
        device.restart()
        stats = await miner.read()
        assert stats.status is MinerStatus.TUNING
        device.stalled = True
        assert (await miner.read()).status is MinerStatus.STARTING
        device.ramp, device.stalled = 0, False
        device.pool_alive = False
        assert (await miner.read()).status is MinerStatus.IDLE
        device.pool_alive = True
        device.stalled = True
        device.faults = [360]
        assert (await miner.read()).status is MinerStatus.FAULT


@pytest.mark.parametrize("says_down", [True, False])
async def test_asleep_at_connect(simulate: Simulate, says_down: bool) -> None:
    device = await simulate(SimulatedWhatsminerV3, asleep=True, faults=(531,))
    device.says_down = says_down
    async with make(device) as miner:
        stats = await miner.read()
        assert (stats.status, stats.hashrate) == (MinerStatus.PAUSED, 0)
        assert (stats.power_mode, stats.power_limit) == ("normal", 3441)
        assert [found.code for found in stats.faults] == ["531"]
        assert stats.failed == {}
        assert {found.value for found in miner.info.capabilities} == ALL
        await miner.resume()
        assert (await miner.read()).status is MinerStatus.MINING
        limit = miner.info.limits[Capability.POWER_LIMIT].maximum
        assert limit is not None
        assert 3441 < limit < 5000


@pytest.mark.parametrize(
    ("working", "status"),
    [
        ("true", MinerStatus.STARTING),
        ("false", MinerStatus.PAUSED),
        (None, MinerStatus.PAUSED),
    ],
)
@pytest.mark.parametrize("code", [0, -1])
async def test_process_is_down(
    device: SimulatedWhatsminerV3, working: str | None, status: MinerStatus, code: int
) -> None:
    sections = device._sections()
    sections["miner"]["working"] = working
    sections["error-code"] = "btminer process is down err"
    device.canned["get.device.info"] = orjson.dumps({"code": 0, "msg": sections})
    down = {"code": code, "msg": "btminer process is down err"}
    device.canned["get.miner.status"] = orjson.dumps(down)
    async with make(device) as miner:
        stats = await miner.read()
    assert stats.status is status
    assert stats.faults == ()


async def test_one_part_that_cannot_be_read(device: SimulatedWhatsminerV3) -> None:
    async with make(device) as miner:
        before = await miner.read()
        device.canned["get.device.info"] = b'{"code": 0, "msg": "busy"}'
        stats = await miner.read()
        assert set(stats.failed) == {"status"}
        assert stats.status is MinerStatus.MINING
        assert stats.power_mode == "normal"
        assert stats.boards[0].index == before.boards[0].index
        device.stalled = True
        assert (await miner.read()).status is MinerStatus.UNKNOWN
        device.canned["get.miner.status"] = b'{"code": -1, "msg": "it is down"}'
        with pytest.raises(InvalidReply):
            await miner.read()
        device.canned.clear()
        await miner.read()
        device.canned["get.miner.setting"] = b'{"msg": 5}'
        device.power_limit = 3000
        stats = await miner.read()
        assert set(stats.failed) == {"settings"}
        assert stats.power_limit == 3000


async def test_one_value_that_cannot_be_read(device: SimulatedWhatsminerV3) -> None:
    live = device._live("summary+pools+edevs")[1]
    assert isinstance(live, dict)
    live["summary"] |= {"power-realtime": "much", "chip-temp-max": 999}
    live["summary"]["board-temperature"] = [41.5, None, "hot"]
    device.canned["get.miner.status"] = orjson.dumps({"code": 0, "msg": live})
    async with make(device) as miner:
        stats = await miner.read()
    assert stats.power == pytest.approx(3441, rel=0.02)
    assert set(stats.failed) == {"power", "boards"}
    assert stats.temperature_board == 41.5
    assert stats.status is MinerStatus.MINING


# What it can be told.


async def test_pause_and_resume(device: SimulatedWhatsminerV3) -> None:
    device.restart_seconds = 0.03
    device.says_down = True
    async with make(device) as miner:
        await miner.pause()
        assert device.asleep
        assert (await miner.read()).status is MinerStatus.PAUSED
        await miner.resume()
        device._away_until = 0
        assert (await miner.read()).status is MinerStatus.MINING
    assert device.writes == ["set.miner.service"] * 2


async def test_locate(device: SimulatedWhatsminerV3) -> None:
    async with make(device) as miner:
        await miner.locate(True)
        assert device.led == "flash"
        assert (await miner.read()).locating is True
        await miner.locate(False)
        assert (await miner.read()).locating is False


async def test_power_mode(device: SimulatedWhatsminerV3) -> None:
    device.mute.add("set.miner.power_mode")
    async with make(device) as miner:
        await miner.set_power_mode("low")
        stats = await miner.read()
        assert stats.power_mode == "low"
        assert stats.hashrate == pytest.approx(186 * 0.75, rel=0.02)
        with pytest.raises(NotSupported):
            await miner.set_power_mode("sleep")
    assert device.writes == ["set.miner.power_mode"]


async def test_power_limit(device: SimulatedWhatsminerV3) -> None:
    async with make(device) as miner:
        await miner.set_power_limit(2500.4)
        assert device.power_limit == 2500
        assert (await miner.read()).power_limit == 2500
        with pytest.raises(NotSupported):
            await miner.set_power_limit(0)


async def test_limit_in_force_and_limit_that_is_set(simulate: Simulate) -> None:
    device = await simulate(SimulatedWhatsminerV3, model="M7BS")
    device.power_limit = 10030
    async with make(device) as miner:
        assert miner.info.limits[Capability.POWER_LIMIT].maximum == 10030
        # Normal power keeps it lower than it is allowed to go.
        assert (await miner.read()).power_limit == 8085
        device.ramp = 1000
        device.restart()
        stats = await miner.read()
        assert (stats.status, stats.power_limit) == (MinerStatus.TUNING, 10030)


async def test_settings_that_others_change(device: SimulatedWhatsminerV3) -> None:
    async with make(device) as miner:
        await miner.read()
        device.power_mode, device.power_limit = "low", 3000
        device.requests = 0
        stats = await miner.read()
        assert (stats.power_mode, stats.power_limit) == ("low", 3000)
        assert device.requests == 3
        await miner.read()
        assert device.requests == 6


async def test_throttle(device: SimulatedWhatsminerV3) -> None:
    async with make(device) as miner:
        await miner.set_throttle(60)
        stats = await miner.read()
        assert stats.settings.throttle == 60
        assert stats.hashrate == pytest.approx(186 * 0.6, rel=0.02)
        await miner.set_throttle(100)
        assert (await miner.read()).settings.throttle == 100


async def test_pools(device: SimulatedWhatsminerV3) -> None:
    async with make(device) as miner:
        await miner.set_pools(POOLS)
        stats = await miner.read()
    assert device.pools == [
        {"url": "stratum+tcp://new.example:3333", "user": "me.rig", "pw": "p4ss"},
        {"url": "stratum+tcp://spare.example:3333", "user": "me.rig", "pw": "x"},
    ]
    assert [pool.user for pool in stats.pools] == ["me.rig", "me.rig"]


async def test_reboot_and_restart(device: SimulatedWhatsminerV3) -> None:
    device.mute.add("set.system.reboot")
    async with make(device) as miner:
        await miner.restart()
        await miner.reboot()
        uptime = (await miner.read()).uptime
        assert uptime is not None
        assert uptime < 60
    assert device.writes == ["set.miner.service", "set.system.reboot"]


@pytest.mark.parametrize(
    ("username", "password"),
    [("super", "wrong"), ("admin", PASSWORD), ("user1", PASSWORD)],
)
async def test_wrong_account_or_password(
    device: SimulatedWhatsminerV3, username: str, password: str
) -> None:
    async with make(device, password, username=username) as miner:
        with pytest.raises(AuthenticationFailed, match="account and password") as error:
            await miner.pause()
        assert password not in str(error.value)
        assert (await miner.read()).status is MinerStatus.MINING
    assert len(device.writes) == 1


async def test_missing_password(device: SimulatedWhatsminerV3) -> None:
    async with make(device, None) as miner:
        device.requests = 0
        with pytest.raises(AuthenticationFailed, match="account 'super'"):
            await miner.pause()
        assert device.requests == 0
        await miner.check_credentials()


async def test_api_is_switched_off(device: SimulatedWhatsminerV3) -> None:
    device.api_switch = False
    async with make(device) as miner:
        with pytest.raises(ControlDisabled, match=r"switched off.*WhatsMinerTool"):
            await miner.pause()


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        (-1, "not while it rains", CommandFailed),
        (-2, "invalid command", NotSupported),
        (-2, "invalid token", AuthenticationFailed),
        (-5, "out of memory", CommandFailed),
    ],
)
async def test_refused(
    device: SimulatedWhatsminerV3, code: int, message: str, kind: type[MiningSDKError]
) -> None:
    device.refused["set.miner.service"] = (code, message)
    async with make(device) as miner:
        with pytest.raises(kind, match=message):
            await miner.pause()
    assert device.writes == ["set.miner.service"]


async def test_not_confirmed(
    device: SimulatedWhatsminerV3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WhatsminerV3, "confirm_longer", {})
    commands = ("service", "power_limit", "power_mode", "power_percent")
    device.ignored |= {f"set.miner.{name}" for name in commands}
    async with make(device) as miner:
        miner.confirm_within = 0.05
        for command in (
            miner.pause,
            lambda: miner.set_power_limit(2000),
            lambda: miner.set_power_mode("low"),
            lambda: miner.set_throttle(50),
        ):
            with pytest.raises(CommandFailed, match="not confirmed"):
                await command()
    assert device.writes == [f"set.miner.{name}" for name in commands]


# What it must survive.


async def test_unreachable(device: SimulatedWhatsminerV3) -> None:
    miner = make(device)
    await device.stop()
    with pytest.raises(DeviceUnreachable):
        await miner.connect()


@pytest.mark.parametrize("framed", [False, True])
@pytest.mark.parametrize("trouble", ALL_TROUBLE)
async def test_trouble(
    device: SimulatedWhatsminerV3, trouble: Trouble, framed: bool
) -> None:
    device.frame_trouble = framed
    async with make(device, timeout=0.3) as miner:
        await survives(miner, device, trouble)
    # A silent device does not notice that the first one was closed.
    assert device.most_connections <= (3 if trouble is Trouble.SILENT else 2)


def link_of(miner: WhatsminerV3) -> Link | None:
    return miner._link


async def test_the_connection_is_kept(device: SimulatedWhatsminerV3) -> None:
    """And made anew when it ended, whoever ended it."""
    async with make(device) as miner:
        for _ in range(3):
            assert (await miner.read()).failed == {}
        kept = link_of(miner)
        assert kept is not None
        await miner.read()
        assert link_of(miner) is kept
        await device.stop()
        with pytest.raises(DeviceUnreachable):
            await miner.read()
        assert link_of(miner) is None
        await device.start()
        assert (await miner.read()).status is MinerStatus.MINING
        # What breaks off while it is asked costs no reading.
        kept = link_of(miner)
        assert kept is not None
        kept._transport.abort()
        assert (await miner.read()).failed == {}
    assert link_of(miner) is None
    assert device.most_connections <= 2


@pytest.mark.parametrize("trouble", ALL_TROUBLE)
async def test_trouble_while_a_command_is_sent(
    device: SimulatedWhatsminerV3, trouble: Trouble
) -> None:
    async with make(device, timeout=0.3) as miner:
        device.trouble = trouble
        with pytest.raises((DeviceUnreachable, DeviceTimeout, InvalidReply)) as caught:
            await miner.pause()
        assert PASSWORD not in str(caught.value)
        device.trouble = Trouble.NONE
        assert (await miner.read()).status is MinerStatus.MINING


async def test_silent_api_v2_does_not_hold_up_the_rest(
    device: SimulatedWhatsminerV3,
) -> None:
    async with make(device, timeout=0.8) as miner:
        # The shares are asked for every second time.
        await miner.read()
        await miner.read()

        async def keep_silent(*_: object) -> None:
            await asyncio.sleep(30)

        device._servers[1].close()
        await device._servers[1].wait_closed()
        await device.listen(4028, keep_silent)
        stats = await miner.read()
        assert stats.status is MinerStatus.MINING
        assert "in time" in stats.failed["accepted"]
        miner.forget_info()
        assert (await miner.read()).failed == {}
        assert (await miner.read()).failed == {}


ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats()
    | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("code", "msg", "summary", "pools", "edevs", "miner", "system"),
                    *("elapsed", "hash-realtime", "board-temperature", "slot", "url"),
                    *("working", "error-code", "power-limit", "network", "mac"),
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    body=st.binary(max_size=60)
    | ODD.map(orjson.dumps)
    | ODD.map(lambda msg: orjson.dumps({"code": 0, "msg": msg})),
    framed=st.booleans(),
)
async def test_any_bytes(
    device: SimulatedWhatsminerV3, body: bytes, framed: bool
) -> None:
    device.frame_trouble = framed
    async with make(device, timeout=0.5) as miner:
        await survives_bytes(miner, device, body)


# Replies that were recorded.


def serve(
    device: SimulatedWhatsminerV3, example: Callable[[str], bytes], info: str
) -> None:
    folder = "whatsminer/v3/asicrs"
    live: dict[str, Any] = {}
    for name in ("summary", "pools", "edevs"):
        reply = orjson.loads(example(f"{folder}/get_miner_status_{name}.json"))
        live |= reply["msg"]
    device.canned["get.miner.status"] = orjson.dumps({"code": 0, "msg": live})
    device.canned["get.device.info"] = example(f"{folder}/{info}.json")
    device.canned["pools"] = b'{"STATUS":"E","Code":14,"Msg":"invalid cmd"}'


async def test_recorded_m60s(
    device: SimulatedWhatsminerV3, example: Callable[[str], bytes]
) -> None:
    serve(device, example, "get_device_info")
    async with make(device) as miner:
        stats = await miner.read()
        assert miner.info.model == "Whatsminer M60S VK40"
        assert miner.info.serial_number == "BTM3CS40HD24083100000000000000000"
        assert miner.info.mac == "ce:02:01:00:8c:36"
    assert stats.failed == {}
    assert stats.status is MinerStatus.MINING
    assert (stats.hashrate, stats.hashrate_average) == (171.259, 170.8)
    assert (stats.hashrate_expected, stats.power) == (181.051, 3156)
    assert (stats.power_limit, stats.efficiency) == (3600, 17.6)
    assert (stats.temperature_chip, stats.temperature_board) == (82, 41.5)
    assert stats.temperature_ambient == 28.5
    assert [fan.speed for fan in stats.fans] == [5400, 5280]
    assert [board.hashrate for board in stats.boards] == [57.2, 57.0, 57.1]
    assert stats.boards[0].serial_number == "BKM3CSE1404807K42757"
    assert stats.accepted is None
    assert stats.uptime == 50000


async def test_recorded_errors(
    device: SimulatedWhatsminerV3, example: Callable[[str], bytes]
) -> None:
    serve(device, example, "get_device_info_with_errors")
    async with make(device) as miner:
        stats = await miner.read()
    codes = [found.code for found in stats.faults]
    assert codes == ["264", "265", "266", "267", "270"]
    assert "watch dog" in stats.faults[3].message

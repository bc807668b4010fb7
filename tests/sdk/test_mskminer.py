"""What the driver of MSKMiner reads, and what it tells the miner."""

from collections.abc import AsyncGenerator, Awaitable, Callable
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
    PoolState,
)
from custom_components.miningsdk.sdk.drivers._antminer_status import START
from custom_components.miningsdk.sdk.drivers._cookies import cookies_of
from custom_components.miningsdk.sdk.drivers.mskminer import MskMiner
from custom_components.miningsdk.sdk.transports import cgminer
from custom_components.miningsdk.sdk.transports.http import Response
from tests.conftest import Simulate
from tests.sdk.meeting import meeting
from tests.sdk.trouble import ALL_TROUBLE, survives, survives_bytes
from tests.simulators.base import Trouble
from tests.simulators.mskminer import SimulatedMskMiner

type Meet = Callable[..., Awaitable[tuple[MskMiner, SimulatedMskMiner]]]


@pytest.fixture
async def meet(simulate: Simulate) -> AsyncGenerator[Meet]:
    """Return a function that switches on a miner and connects to it."""
    async with meeting(simulate, MskMiner, SimulatedMskMiner, "admin") as switch_on:
        yield switch_on


def test_it_is_told_from_others() -> None:
    version = '{"VERSION":[{"BMMiner":"4.11.1 rwglr","Type":"S19-88 v.2.6.0.39 "}]}'
    assert MskMiner.recognise({cgminer.VERSION: version}) == 75
    hiveon = version.replace("v.2.6.0.39", "Hiveon")
    assert MskMiner.recognise({cgminer.VERSION: hiveon}) == 0
    assert MskMiner.recognise({cgminer.VERSION: '{"VERSION":[{}]}'}) == 0


def test_only_whole_cookies_are_kept() -> None:
    headers = {"Set-Cookie": "a=1; Path=/", "X": "b=2"}
    assert cookies_of(Response(200, headers, b"")) == {"a": "1"}
    assert cookies_of(Response(200, {"set-cookie": "a=; Max-Age=0"}, b"")) == {}
    assert cookies_of(Response(200, {"set-cookie": "nonsense"}, b"")) == {}


async def test_info(meet: Meet) -> None:
    miner, _ = await meet()
    info = miner.info
    assert (info.make, info.model) == ("Bitmain", "Antminer S19-88")
    assert (info.firmware, info.firmware_version) == ("mskminer", "2.6.0.39")
    assert info.mac == "02:4d:53:4b:00:01"
    assert info.serial_number == "SIMMSK0001"
    assert info.hostname == "msk-rig"
    assert info.algorithm == "sha256"
    assert info.chips == 264
    assert [c.value for c in info.capabilities] == ["pause", "reboot", "locate"]


async def test_stats(meet: Meet) -> None:
    miner, device = await meet()
    device.requests = 0
    stats = await miner.read()
    assert device.requests == 1
    assert device.most_connections <= 2
    assert stats.failed == {}
    assert stats.status is MinerStatus.MINING
    assert stats.hashrate == pytest.approx(96, rel=0.02)
    assert stats.hashrate_average == pytest.approx(95.8, rel=0.02)
    assert stats.hashrate_expected == 96.0
    assert stats.power == 3210.0
    board = stats.boards[2]
    assert (board.index, board.chips, board.chips_expected) == (2, 88, 88)
    assert board.hashrate == pytest.approx(32, rel=0.02)
    assert (board.temperature_board, board.temperature_chip) == (70, 70)
    assert (board.frequency, board.voltage) == (525, 13.7)
    assert len(stats.boards) == 3
    assert [fan.duty for fan in stats.fans] == [62.0] * 4
    assert stats.pools[0].status is PoolState.ACTIVE
    assert stats.accepted == 1150
    assert stats.hardware_errors == 33
    assert stats.uptime is not None
    assert stats.uptime >= 5000
    assert stats.locating is False
    assert stats.faults == ()


async def test_without_a_password_it_is_only_read(meet: Meet) -> None:
    miner, device = await meet(password=None)
    assert miner.authentication_error is None
    assert miner.info.capabilities == ()
    assert (await miner.read()).status is MinerStatus.MINING
    assert (device.logins, device.wrong, device.pages) == (0, 0, [])
    with pytest.raises(NotSupported):
        await miner.reboot()


async def test_a_wrong_password_is_sent_once(meet: Meet) -> None:
    miner, device = await meet(password="wrong")
    assert miner.authentication_error == "the device refused the credentials"
    with pytest.raises(AuthenticationFailed):
        await miner.check_credentials()
    device.trouble = Trouble.CLOSED
    for _ in range(3):
        with pytest.raises(InvalidReply):
            await miner.read()
    device.trouble = Trouble.NONE
    assert (await miner.read()).status is MinerStatus.MINING
    assert (device.logins, device.wrong) == (0, 1)


@pytest.mark.parametrize("status", [401, 403, 302])
async def test_an_expired_login_is_renewed(meet: Meet, status: int) -> None:
    miner, device = await meet()
    device.session = "another"
    device.expires_with = status
    await miner.locate(True)
    assert device.blinking
    assert device.logins == 2


@pytest.mark.parametrize("asleep_api", ["zeros", "closed"])
async def test_pause_and_resume(meet: Meet, asleep_api: str) -> None:
    miner, device = await meet(asleep_api=asleep_api)
    await miner.pause()
    assert device.asleep
    stats = await miner.read()
    assert stats.status is MinerStatus.PAUSED
    assert stats.faults == ()
    await miner.resume()
    assert device.restarts == 2
    assert (await miner.read()).status is MinerStatus.MINING


async def test_locate(meet: Meet) -> None:
    miner, device = await meet()
    await miner.locate(True)
    assert (await miner.read()).locating is True
    await miner.locate(False)
    assert not device.blinking
    device.pages.clear()
    assert (await miner.read()).locating is False
    assert device.pages == []


async def test_reboot(meet: Meet) -> None:
    miner, device = await meet()
    await miner.reboot()
    assert device.reboots == 1


async def test_a_refusal_is_told_in_its_words(meet: Meet) -> None:
    miner, device = await meet()
    device.refuses = "miner is updating"
    with pytest.raises(CommandFailed, match="miner is updating"):
        await miner.pause()
    assert device.pages.count("POST /api/miner_pause") == 1


async def test_no_confirmation(meet: Meet) -> None:
    miner, device = await meet()
    device.ignores_writes = True
    with (
        patch.object(MskMiner, "confirm_longer", {Capability.PAUSE: 0.1}),
        pytest.raises(CommandFailed, match="not confirmed"),
    ):
        await miner.pause()
    assert device.pages.count("POST /api/miner_pause") == 1


async def test_what_could_not_be_confirmed_is_not_offered(meet: Meet) -> None:
    miner, device = await meet()
    device.state = {"miner_stopped": "perhaps", "blink": None}
    await miner.connect()
    assert miner.info.capabilities == (Capability.REBOOT,)
    device.hashes = False
    device.uptime_is(START + 10)
    stats = await miner.read()
    assert stats.status is MinerStatus.UNKNOWN
    device.state = {}
    assert (await miner.read()).status is MinerStatus.FAULT


async def test_faults(meet: Meet) -> None:
    miner, device = await meet()
    device.supply = "PSU fan stuck"
    device.missing_boards = 1
    stats = await miner.read()
    assert [fault.message for fault in stats.faults] == ["PSU fan stuck"]
    assert len(stats.boards) == 2
    device.pools_dead = True
    stats = await miner.read()
    assert stats.status is MinerStatus.IDLE
    assert [fault.code for fault in stats.faults] == ["psu", "all_pools_dead"]


async def test_nothing_there(meet: Meet) -> None:
    miner, device = await meet()
    device.crashed = True
    await device.follow()
    assert (await miner.read()).status is MinerStatus.STARTING
    await device.stop()
    with pytest.raises(DeviceUnreachable):
        await miner.read()


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
    [b"[]", b"{}", b'{"STATS":[{"MHS 5s":{}}],"POOLS":[]}', b"\x00", b'{"STATS":[]}'],
)
async def test_any_bytes(meet: Meet, body: bytes) -> None:
    miner, device = await meet(short=0.3)
    await survives_bytes(miner, device, body)

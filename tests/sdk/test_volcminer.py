"""What the driver of VolcMiner, Hammer and Blackminer reads."""

from collections.abc import AsyncGenerator, Awaitable, Callable

import pytest

from custom_components.miningsdk.sdk import (
    AuthenticationFailed,
    Capability,
    DeviceUnreachable,
    MinerStatus,
    NotSupported,
    PoolState,
)
from custom_components.miningsdk.sdk.drivers._antminer_status import START
from custom_components.miningsdk.sdk.drivers.volcminer import VolcMiner
from custom_components.miningsdk.sdk.transports import cgminer, http
from tests.conftest import Simulate
from tests.sdk.meeting import meeting
from tests.sdk.trouble import ALL_TROUBLE, survives, survives_bytes
from tests.simulators.base import Trouble
from tests.simulators.volcminer import SimulatedVolcMiner

type Meet = Callable[..., Awaitable[tuple[VolcMiner, SimulatedVolcMiner]]]


@pytest.fixture
async def meet(simulate: Simulate) -> AsyncGenerator[Meet]:
    """Return a function that switches on a miner and connects to it."""
    async with meeting(simulate, VolcMiner, SimulatedVolcMiner, "ltc@dog") as switch_on:
        yield switch_on


@pytest.mark.parametrize(
    ("version", "root", "score"),
    [
        ('{"VERSION":[{"Type":"VolcMiner D1"}]}', "", 50),
        ('{"VERSION":[{"Type":"Hammer"}]}', "", 50),
        ('{"VERSION":[{"Type":"Blackminer F1"}]}', "", 50),
        ("", 'HTTP 401\nWWW-Authenticate: Digest realm="blackMiner Configuration"', 50),
        ("", "HTTP 200\n\n<title>VolcMiner</title>", 50),
        ("", 'HTTP 401\nWWW-Authenticate: Digest realm="antMiner Configuration"', 0),
        ('{"VERSION":[{"Type":"Antminer L7"}]}', "", 0),
        ("", "HTTP 302\nLocation: http://volcminer.example/", 0),
    ],
)
def test_it_is_told_from_others(version: str, root: str, score: int) -> None:
    evidence = {cgminer.VERSION: version, http.ROOT: root}
    assert VolcMiner.recognise(evidence) == score


async def test_info(meet: Meet) -> None:
    miner, _ = await meet()
    info = miner.info
    assert (info.make, info.model) == ("VolcMiner", "VolcMiner D1")
    assert (info.firmware, info.firmware_version) == ("stock", "20240910120000")
    assert info.mac == "02:56:4f:4c:00:01"
    assert info.hostname == "volc"
    assert info.algorithm == "scrypt"
    assert info.chips == 288
    assert info.capabilities == (Capability.REBOOT,)


@pytest.mark.parametrize(
    ("model", "make", "algorithm"),
    [("Hammer D10", "Hammer", "scrypt"), ("Blackminer F1+", "Blackminer", None)],
)
@pytest.mark.parametrize("password", ["ltc@dog", None])
async def test_makes(
    meet: Meet, model: str, make: str, algorithm: str | None, password: str | None
) -> None:
    miner, _ = await meet(model=model, password=password)
    info = miner.info
    assert (info.make, info.model, info.algorithm) == (make, model, algorithm)
    rate = 0.0152 if algorithm else 15.2
    assert (await miner.read()).hashrate == pytest.approx(rate, rel=0.02)


async def test_stats(meet: Meet) -> None:
    miner, device = await meet()
    device.bad_chips = 2
    device.requests = 0
    stats = await miner.read()
    assert device.requests == 1
    assert device.most_connections <= 2
    assert stats.failed == {}
    assert stats.status is MinerStatus.MINING
    assert stats.hashrate == pytest.approx(0.0152, rel=0.02)
    assert stats.hashrate_average == pytest.approx(0.01517, rel=0.02)
    assert [fan.speed for fan in stats.fans] == [4770.0, 4830.0, 4890.0, 4950.0]
    board = stats.boards[0]
    assert (board.index, board.chips, board.chips_expected) == (0, 94, 96)
    assert board.hashrate == pytest.approx(0.00507, rel=0.02)
    assert (board.temperature_board, board.frequency) == (65, 2000)
    assert len(stats.boards) == 3
    assert stats.temperature_board == 67
    assert stats.temperature_chip is None
    assert stats.power is None
    first, second = stats.pools
    assert (first.status, second.status) == (PoolState.ACTIVE, PoolState.ALIVE)
    assert stats.accepted == 1150
    assert stats.hardware_errors == 33
    assert stats.uptime is not None
    assert stats.uptime >= 5000
    assert stats.locating is None


async def test_stats_of_the_web_page(meet: Meet) -> None:
    """Where port 4028 is closed; numbers have commas, and comments stand around."""
    miner, device = await meet(open_api=False)
    for _ in range(2):
        device.pages.clear()
        stats = await miner.read()
        assert stats.failed == {}
    assert device.pages == ["get_miner_status"]
    assert stats.status is MinerStatus.MINING
    assert stats.hashrate == pytest.approx(0.0152, rel=0.02)
    assert stats.hashrate_average == pytest.approx(0.01517, rel=0.02)
    assert [(fan.index, fan.speed) for fan in stats.fans] == [(0, 3900), (2, 4020)]
    board = stats.boards[2]
    assert (board.index, board.chips, board.chips_expected) == (2, 96, 96)
    assert board.hashrate == pytest.approx(0.00507, rel=0.02)
    assert (board.temperature_board, board.frequency) == (67, 2000)
    assert [pool.status for pool in stats.pools] == [PoolState.ACTIVE, PoolState.ALIVE]
    assert stats.pools[0].url == "stratum+tcp://a.example:3333"
    assert stats.uptime is not None
    assert miner.info.model == "VolcMiner D1"


async def test_the_web_page_of_a_blackminer(meet: Meet) -> None:
    miner, _ = await meet(open_api=False, model="Blackminer F1+", rate=25.0)
    assert (await miner.read()).hashrate == pytest.approx(0.025, rel=0.02)


async def test_without_process_on_the_web_page(meet: Meet) -> None:
    miner, device = await meet(open_api=False)
    device.crashed = True
    stats = await miner.read()
    assert stats.status is MinerStatus.STARTING
    assert stats.hashrate is None


async def test_without_a_password_it_is_only_read(meet: Meet) -> None:
    miner, device = await meet(password=None)
    assert miner.authentication_error is None
    assert miner.info.capabilities == ()
    assert (await miner.read()).status is MinerStatus.MINING
    assert device.pages == []
    with pytest.raises(NotSupported):
        await miner.reboot()


async def test_without_password_and_process(meet: Meet) -> None:
    miner, device = await meet(open_api=False, password=None)
    stats = await miner.read()
    assert stats.status is MinerStatus.UNKNOWN
    assert "does not answer" in stats.failed["status"]
    await device.stop()
    with pytest.raises(DeviceUnreachable):
        await miner.read()


async def test_a_wrong_password_is_sent_once(meet: Meet) -> None:
    miner, device = await meet(password="wrong")
    assert miner.authentication_error == "the device refused the credentials"
    assert (await miner.read()).status is MinerStatus.MINING
    await miner.connect()
    assert device.digest.wrong == 1
    assert miner.info.capabilities == ()


async def test_a_wrong_password_on_the_web_page(meet: Meet) -> None:
    miner, device = await meet(password="wrong", open_api=False, connect=False)
    for _ in range(3):
        with pytest.raises(AuthenticationFailed):
            await miner.connect()
    assert device.digest.wrong == 1


async def test_a_password_that_is_changed_later(meet: Meet) -> None:
    miner, device = await meet(open_api=False)
    await miner.read()
    device.password = "another"
    device.digest.expire()
    for _ in range(3):
        with pytest.raises(AuthenticationFailed):
            await miner.read()
    assert device.digest.wrong == 1


@pytest.mark.parametrize("dies", [False, True])
async def test_reboot(meet: Meet, dies: bool) -> None:
    miner, device = await meet()
    device.dies_at_reboot = dies
    await miner.reboot()
    assert device.reboots == 1


async def test_what_stops_it(meet: Meet) -> None:
    miner, device = await meet()
    device.missing_boards = 2
    assert len((await miner.read()).boards) == 1
    device.pools_dead = True
    stats = await miner.read()
    assert stats.status is MinerStatus.IDLE
    assert [fault.code for fault in stats.faults] == ["all_pools_dead"]
    device.pools_dead, device.hashes = False, False
    device.restart()
    assert (await miner.read()).status is MinerStatus.STARTING
    device.uptime_is(START + 10)
    stats = await miner.read()
    assert stats.status is MinerStatus.UNKNOWN
    assert "nothing tells why" in stats.failed["status"]


@pytest.mark.parametrize("open_api", [True, False])
@pytest.mark.parametrize("trouble", ALL_TROUBLE)
async def test_trouble(meet: Meet, trouble: Trouble, open_api: bool) -> None:
    miner, device = await meet(short=0.3, open_api=open_api)
    await survives(miner, device, trouble)


@pytest.mark.parametrize("open_api", [True, False])
@pytest.mark.parametrize(
    "body",
    [
        b"// nothing\n",
        b"[]",
        b"null",
        b'{"summary": 5, "devs": [7], "pools": {}, "fan1": "x"}',
        b'{"summary": {"ghs5s": []}, "devs": [{"temp": {}}], "pools": []}',
        b'{"STATS":[{"MHS 5s":"x","chain_acn1":"3","chain_rate1":[]}],"POOLS":[]}',
    ],
)
async def test_any_bytes(meet: Meet, body: bytes, open_api: bool) -> None:
    miner, device = await meet(short=0.3, open_api=open_api)
    await survives_bytes(miner, device, body)

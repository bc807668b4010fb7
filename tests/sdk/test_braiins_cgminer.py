"""Braiins OS of the years of BOSminer, through the socket API alone."""

from collections.abc import AsyncGenerator, Awaitable, Callable
import time
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.miningsdk.sdk import (
    Board,
    Capability,
    CommandFailed,
    DeviceUnreachable,
    Fan,
    InvalidReply,
    MinerSettings,
    MinerStatus,
    NotSupported,
    PoolState,
    register_miner,
)
from custom_components.miningsdk.sdk.drivers._braiins_old import BraiinsCgminer
from tests.conftest import OFFSET, Simulate
from tests.sdk.trouble import ALL_TROUBLE, survives, survives_bytes
from tests.simulators._braiins_bosminer import SimulatedBosminer
from tests.simulators.base import Trouble
from tests.simulators.cgminer import SimulatedCgminer

type Meet = Callable[..., Awaitable[tuple[BraiinsCgminer, SimulatedBosminer]]]

PORT = 4028 + OFFSET


@pytest.fixture
async def meet(
    simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[Meet]:
    """Return a function that switches on a miner and connects to it."""
    miners: list[BraiinsCgminer] = []
    monkeypatch.setattr(BraiinsCgminer, "confirm_longer", {})
    monkeypatch.setattr(BraiinsCgminer, "confirm_within", 0.1)
    monkeypatch.setattr(BraiinsCgminer, "confirm_every", 0.01)

    async def switch_on(
        *, patience: float = 2.0, **options: Any
    ) -> tuple[BraiinsCgminer, SimulatedBosminer]:
        device = await simulate(SimulatedBosminer, **options)
        miner = BraiinsCgminer(device.host, port=PORT, timeout=patience)
        miners.append(miner)
        await miner.connect()
        return miner, device

    yield switch_on
    for miner in miners:
        await miner.close()


async def test_info(meet: Meet) -> None:
    miner, device = await meet()
    info = miner.info
    assert (info.driver, info.firmware) == ("braiins-cgminer", "braiins")
    assert (info.make, info.model) == ("Bitmain", "Antminer S9")
    assert info.firmware_version == "0.9.0-6bf3b3bd"
    assert info.algorithm == "sha256"
    assert info.capabilities == (Capability.PAUSE,)
    assert info.unique_id is None
    assert device.requests == 2


@pytest.mark.parametrize("name", ["braiins-cgminer", "bosminer", "BOSMINER-S9"])
def test_found_by_name(name: str) -> None:
    assert isinstance(register_miner(name, host="127.0.0.1"), BraiinsCgminer)


async def test_open_source_one_that_knows_little(meet: Meet) -> None:
    unknown = frozenset({"pause", "resume", "tunerstatus", "tempctrl", "check"})
    miner, device = await meet(unknown=unknown, model="")
    assert (miner.info.make, miner.info.model) == (None, None)
    assert miner.info.capabilities == ()
    stats = await miner.read()
    assert (stats.power, stats.power_limit) == (None, None)
    assert stats.settings == MinerSettings()
    assert stats.failed == {}
    device.asked.clear()
    await miner.read()
    # What it does not know it is not asked again.
    assert not {"tunerstatus", "tempctrl"} & set(device.asked)
    with pytest.raises(NotSupported):
        await miner.pause()


async def test_stats(meet: Meet) -> None:
    miner, device = await meet(speed=0.0)
    device.booted = device.now() - 5000
    device.requests = 0
    stats = await miner.read()
    assert device.requests == 1
    rate = 13.5 * device.wander()
    assert stats.status is MinerStatus.MINING
    assert stats.hashrate == round(rate, 4)
    assert stats.hashrate_average == 12.825
    assert stats.hashrate_expected == 13.5
    assert (stats.power, stats.power_limit) == (1419, 1420)
    assert stats.efficiency == round(1419 / round(rate, 4), 2)
    assert (stats.temperature_chip, stats.temperature_board) == (76.6, 63.9)
    assert stats.fans == (
        Fan(index=0, speed=5340, duty=100),
        Fan(index=1, speed=4620, duty=100),
    )
    assert [board.index for board in stats.boards] == [0, 1, 2]
    assert stats.boards[0] == Board(
        index=0,
        hashrate=round(rate / 3, 4),
        hashrate_expected=4.5,
        temperature_board=61.9,
        temperature_chip=74.6,
        chips=63,
        chips_expected=63,
        frequency=573.0,
        voltage=8.417,
        enabled=True,
    )
    assert [pool.status for pool in stats.pools] == [PoolState.ACTIVE, PoolState.ALIVE]
    assert stats.pools[0].user == "me.1"
    assert (stats.accepted, stats.rejected, stats.stale) == (250, 3, 1)
    assert stats.hardware_errors == 186
    assert stats.best_difficulty == 65536
    assert stats.uptime == 5000
    assert stats.settings == MinerSettings(fan_automatic=True, target_temperature=89)
    assert (stats.faults, stats.failed) == ((), {})


@pytest.mark.parametrize(
    ("ids", "indices"),
    [((6, 7, 8), [0, 1, 2]), ((7, 8), [1, 2]), ((1, 2), [0, 1]), ((0, 1), [0, 1])],
)
async def test_boards_by_their_ids(
    meet: Meet, ids: tuple[int, ...], indices: list[int]
) -> None:
    miner, _ = await meet(ids=ids)
    assert [board.index for board in (await miner.read()).boards] == indices


async def test_one_by_one_where_nothing_can_be_joined(meet: Meet) -> None:
    miner, device = await meet(joins=False)
    device.requests = 0
    stats = await miner.read()
    assert device.requests == 8
    assert (stats.status, stats.failed) == (MinerStatus.MINING, {})
    assert len(stats.boards) == 3


@pytest.mark.parametrize(
    ("command", "field"),
    [
        ("devs", "boards"),
        ("fans", "fans"),
        ("tunerstatus", "power"),
        ("pools", "pools"),
        ("tempctrl", "settings"),
    ],
)
@pytest.mark.parametrize("joins", [True, False])
async def test_what_fails_loses_nothing_else(
    meet: Meet, command: str, field: str, joins: bool
) -> None:
    miner, device = await meet(joins=joins)
    device.unavailable = frozenset({command})
    stats = await miner.read()
    assert stats.failed == {field: "the device refused: Unavailable"}
    assert stats.status is MinerStatus.MINING
    device.unavailable = frozenset()
    assert (await miner.read()).failed == {}


async def test_no_summary(meet: Meet) -> None:
    miner, device = await meet()
    device.unavailable = frozenset({"summary"})
    with pytest.raises(InvalidReply, match="Unavailable"):
        await miner.read()


# What it does.


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ({}, MinerStatus.MINING),
        ({"words": {7: "Tuning individual chips"}}, MinerStatus.TUNING),
        ({"words": {6: "Testing performance profile"}}, MinerStatus.TUNING),
        ({"words": {6: "Odd new word"}}, MinerStatus.MINING),
        ({"paused": True}, MinerStatus.PAUSED),
        ({"paused": True, "tells_pause": False}, MinerStatus.UNKNOWN),
        ({"hashes": False}, MinerStatus.UNKNOWN),
        ({"hashes": False, "words": {6: "resuming"}}, MinerStatus.STARTING),
        ({"pools_dead": True}, MinerStatus.IDLE),
    ],
)
async def test_status(meet: Meet, state: dict[str, Any], status: MinerStatus) -> None:
    miner, device = await meet()
    for name, value in state.items():
        setattr(device, name, value)
    stats = await miner.read()
    assert stats.status is status
    assert ("status" in stats.failed) is (status is MinerStatus.UNKNOWN)


async def test_start(meet: Meet) -> None:
    miner, device = await meet(uptime=60)
    device.hashes = False
    assert (await miner.read()).status is MinerStatus.STARTING


async def test_clock_that_stands_still(
    meet: Meet, freezer: FrozenDateTimeFactory
) -> None:
    miner, device = await meet(speed=0.0)
    assert (await miner.read()).status is MinerStatus.MINING
    freezer.tick(10)
    assert (await miner.read()).status is MinerStatus.MINING
    freezer.tick(10)
    assert (await miner.read()).status is MinerStatus.UNKNOWN
    device.booted -= 20
    assert (await miner.read()).status is MinerStatus.MINING


async def test_fans_that_turned_once_stay(meet: Meet) -> None:
    miner, device = await meet()
    assert len((await miner.read()).fans) == 2
    device.paused = True
    fans = (await miner.read()).fans
    assert [(fan.index, fan.speed, fan.duty) for fan in fans] == [(0, 0, 0), (1, 0, 0)]


async def test_faults(meet: Meet) -> None:
    miner, device = await meet()
    device.words = {7: "Hashchain refused to start: no chips {id: 7}"}
    (fault,) = (await miner.read()).faults
    assert fault.code == "hashchain"
    assert fault.message == "Hashchain refused to start: no chips"
    assert fault.component == "hashchain 7"


# What it is told.


@pytest.mark.parametrize("tells_pause", [True, False])
async def test_pause_and_resume(meet: Meet, tells_pause: bool) -> None:
    miner, device = await meet(tells_pause=tells_pause, ramp=30.0)
    await miner.pause()
    stats = await miner.read()
    assert (stats.status, stats.hashrate) == (MinerStatus.PAUSED, 0.0)
    await miner.pause()
    await miner.resume()
    assert (await miner.read()).status is MinerStatus.STARTING
    assert device.orders == ["pause", "pause", "resume"]


async def test_pause_is_over_when_it_hashes_again(
    meet: Meet, freezer: FrozenDateTimeFactory
) -> None:
    miner, device = await meet(tells_pause=False)
    await miner.pause()
    assert (await miner.read()).status is MinerStatus.PAUSED
    device.paused = False
    assert (await miner.read()).status is MinerStatus.MINING
    freezer.tick(61)
    assert (await miner.read()).status is MinerStatus.MINING
    device.hashes = False
    assert (await miner.read()).status is MinerStatus.UNKNOWN


async def test_pause_is_over_with_a_restart(meet: Meet) -> None:
    miner, device = await meet(tells_pause=False)
    await miner.pause()
    device.booted = device.now()
    assert (await miner.read()).status is MinerStatus.STARTING


async def test_pause_that_is_not_taken(
    meet: Meet, freezer: FrozenDateTimeFactory
) -> None:
    miner, device = await meet(tells_pause=False, speed=0.0)
    device.ignores_writes = True
    freezer.tick(1)
    # The clock of this test goes on only by hand.
    miner.confirm_within = -1.0
    with pytest.raises(CommandFailed, match="not confirmed"):
        await miner.pause()
    freezer.tick(150)
    device.booted -= 150
    assert (await miner.read()).status is MinerStatus.MINING
    device.hashes = False
    assert (await miner.read()).status is MinerStatus.UNKNOWN


async def test_refusal_in_its_own_words(meet: Meet) -> None:
    miner, device = await meet()
    device.unavailable = frozenset({"pause"})
    with pytest.raises(CommandFailed, match="refused: Unavailable"):
        await miner.pause()


async def test_not_confirmed(meet: Meet) -> None:
    miner, device = await meet()
    device.ignores_writes = True
    with pytest.raises(CommandFailed, match="not confirmed within"):
        await miner.pause()
    assert device.orders == ["pause"]
    device.paused = True
    with pytest.raises(CommandFailed, match="not confirmed within"):
        await miner.resume()


async def test_settings_cannot_be_written(meet: Meet) -> None:
    miner, _ = await meet()
    for command in (miner.reboot, miner.restart, lambda: miner.set_power_limit(900)):
        with pytest.raises(NotSupported):
            await command()


# Trouble.


async def test_another_miner_at_connect(simulate: Simulate) -> None:
    device = await simulate(SimulatedCgminer)
    miner = BraiinsCgminer(device.host, port=PORT)
    with pytest.raises(InvalidReply, match="does not run this firmware"):
        await miner.connect()


async def test_unreachable(meet: Meet) -> None:
    miner, device = await meet()
    await device.stop()
    with pytest.raises(DeviceUnreachable):
        await miner.read()


@pytest.mark.parametrize("trouble", ALL_TROUBLE)
async def test_trouble(meet: Meet, trouble: Trouble) -> None:
    miner, device = await meet(patience=0.4)
    started = time.monotonic()
    await survives(miner, device, trouble)
    assert time.monotonic() - started < 3
    assert device.most_connections <= 2


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"\x00",
        b'{"SUMMARY": [{"MHS 5s": 1, "Elapsed": "x"}], "DEVS": [{"ID": "a"}]}\x00',
        b'{"SUMMARY": [{}], "TEMPS": 5}\x00',
        b'{"summary": [{"SUMMARY": [7]}], "devs": [[]]}\x00',
        b'{"SUMMARY": [{"MHS 5s": "nan"}], "TUNERSTATUS": [{"TunerChainStatus": 1}]}',
    ],
)
async def test_any_bytes(meet: Meet, body: bytes) -> None:
    miner, device = await meet(patience=1.0)
    await survives_bytes(miner, device, body)
    assert (await miner.read()).status is MinerStatus.MINING

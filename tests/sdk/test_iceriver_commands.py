"""IceRiver with the maker's firmware: its commands, and how it refuses them."""

from collections.abc import Awaitable, Callable

import pytest

from custom_components.miningsdk.sdk import CommandFailed, MinerStatus, PoolConfig
from custom_components.miningsdk.sdk.drivers.iceriver import IceRiver
from tests.conftest import Simulate
from tests.sdk.test_iceriver import make
from tests.simulators.iceriver import SimulatedIceRiver

POOLS = (
    PoolConfig(url="stratum+tcp://pool.one:1", user="kaspa:a.one", password="secret1"),
    PoolConfig(url="stratum+tcp://pool.two:2", user="kaspa:b.two", password="secret2"),
)


@pytest.fixture(autouse=True)
def no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(IceRiver, "confirm_longer", {})


@pytest.fixture
async def device(simulate: Simulate) -> SimulatedIceRiver:
    found = await simulate(SimulatedIceRiver)
    assert isinstance(found, SimulatedIceRiver)
    return found


async def test_pause_and_resume(device: SimulatedIceRiver) -> None:
    before = list(device.pools)
    async with make(device) as miner:
        await miner.pause()
        device.requests = 0
        stats = await miner.read()
        assert device.requests == 2
        assert (stats.status, stats.hashrate) == (MinerStatus.PAUSED, 0)
        assert stats.faults == ()
        assert (device.pools, device.ratio, device.automatic) == (before, 60, True)
        await miner.pause()
        assert device.writes == ["configure"]
        await miner.resume()
        assert (await miner.read()).status is MinerStatus.MINING
    assert device.writes == ["configure", "configure"]
    assert device.pools == before


async def test_pause_by_somebody_else_is_noticed(device: SimulatedIceRiver) -> None:
    async with make(device, None) as miner:
        assert (await miner.read()).status is MinerStatus.MINING
        device.sleep(on=True)
        assert (await miner.read()).status is MinerStatus.PAUSED
        device.sleep(on=False)
        assert (await miner.read()).status is MinerStatus.MINING


async def test_change_that_is_answered_late(simulate: Simulate) -> None:
    device = await simulate(SimulatedIceRiver, restart=0.3)
    device.answer_late = 5
    async with make(device, timeout=0.5) as miner:
        miner.confirm_within = 2
        await miner.pause()
    assert device.asleep
    assert device.writes == ["configure"]


async def test_pools(device: SimulatedIceRiver) -> None:
    async with make(device) as miner:
        await miner.set_pools(POOLS)
        assert [(p["addr"], p["pass"]) for p in device.pools] == [
            (pool.url, pool.password) for pool in POOLS
        ]
        stats = await miner.read()
    assert [pool.url for pool in stats.pools] == [pool.url for pool in POOLS]


async def test_pools_of_a_sleeping_miner(device: SimulatedIceRiver) -> None:
    device.sleep(on=True)
    async with make(device) as miner:
        await miner.set_pools(POOLS)
        assert (await miner.read()).status is MinerStatus.PAUSED


async def test_pools_that_the_settings_do_not_show_are_kept(
    device: SimulatedIceRiver,
) -> None:
    before = list(device.pools)
    device._config = lambda form: device.answer_json(  # type: ignore[method-assign]
        {"data": {"ratio": 50, "mode": 1 + device.asleep}}
    )
    async with make(device) as miner:
        await miner.pause()
    assert (device.pools, device.ratio) == (before, 50)


async def test_locate_and_reboot(device: SimulatedIceRiver) -> None:
    async with make(device) as miner:
        await miner.locate(True)
        assert (await miner.read()).locating is True
        await miner.locate(False)
        assert device.locating is False
        await miner.reboot()
        device.away_until = 0
        stats = await miner.read()
        assert stats.uptime is not None
        assert stats.uptime < 60
        # The login was made void by the restart.
        await miner.locate(True)
    assert device.writes == ["locate", "locate", "reboot", "locate"]
    assert device.logins == 2


type Run = Callable[[IceRiver], Awaitable[None]]
COMMANDS: list[Run] = [
    lambda miner: miner.pause(),
    lambda miner: miner.locate(True),
    lambda miner: miner.set_pools(POOLS),
]


@pytest.mark.parametrize("command", [*COMMANDS, lambda miner: miner.reboot()])
async def test_refused_in_its_own_words(
    device: SimulatedIceRiver, command: Run
) -> None:
    async with make(device) as miner:
        device.refuses = "Miner return\nfailed!"
        with pytest.raises(CommandFailed, match="Miner return failed!"):
            await command(miner)


@pytest.mark.parametrize("command", COMMANDS)
async def test_not_confirmed(device: SimulatedIceRiver, command: Run) -> None:
    async with make(device) as miner:
        miner.confirm_within = 0.05
        device.stubborn = True
        with pytest.raises(CommandFailed, match="not confirmed"):
            await command(miner)

"""FutureBit Apollo: its mining process, its modes and pools, and how it refuses."""

from collections.abc import Awaitable, Callable

import pytest

from custom_components.miningsdk.sdk import (
    CommandFailed,
    MinerStatus,
    NotSupported,
    PoolConfig,
)
from custom_components.miningsdk.sdk.drivers.futurebit import FutureBit
from tests.conftest import Simulate
from tests.sdk.test_futurebit import make
from tests.simulators.futurebit import SimulatedFutureBit

POOLS = (
    PoolConfig(url="stratum+tcp://pool.one:1", user="a.one", password="secret1"),
    PoolConfig(url="stratum+tcp://pool.two:2", user="b.two", password="secret2"),
)


@pytest.fixture(autouse=True)
def no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FutureBit, "confirm_longer", {})


@pytest.fixture
async def device(simulate: Simulate) -> SimulatedFutureBit:
    found = await simulate(SimulatedFutureBit)
    assert isinstance(found, SimulatedFutureBit)
    return found


async def test_pause_and_resume(simulate: Simulate) -> None:
    device = await simulate(SimulatedFutureBit, slow=0.1)
    async with make(device) as miner:
        await miner.pause()
        stats = await miner.read()
        assert (stats.status, stats.hashrate) == (MinerStatus.PAUSED, 0)
        assert (stats.power, stats.boards) == (None, ())
        await miner.resume()
        assert (await miner.read()).status is MinerStatus.STARTING
        device._pending_until = 0
        assert (await miner.read()).status is MinerStatus.MINING
    assert device.writes == ["stop", "start"]


async def test_order_that_is_answered_late(device: SimulatedFutureBit) -> None:
    device.answers_late = 5
    async with make(device, timeout=0.4) as miner:
        await miner.pause()
    assert (device.running, device.writes) == (False, ["stop"])


async def test_power_mode(device: SimulatedFutureBit) -> None:
    async with make(device) as miner:
        await miner.set_power_mode("eco")
        stats = await miner.read()
        assert (stats.power_mode, stats.hashrate) == ("eco", 6.4)
        with pytest.raises(NotSupported, match="not one of"):
            await miner.set_power_mode("super_eco")
    assert device.writes == ["update", "restart"]
    # The node keeps its software.
    assert device.switched == []


async def test_power_mode_of_firmware_without_a_choice_of_nodes(
    simulate: Simulate,
) -> None:
    device = await simulate(SimulatedFutureBit, knows=("online",))
    async with make(device) as miner:
        await miner.set_power_mode("turbo")
    assert (device.mode, device.switched) == ("turbo", [None])


async def test_nothing_is_started_by_a_change(device: SimulatedFutureBit) -> None:
    device.running = False
    async with make(device) as miner:
        await miner.set_power_mode("eco")
        await miner.set_pools(POOLS)
        assert (await miner.read()).status is MinerStatus.PAUSED
    assert device.writes == ["update", "updateAll"]


async def test_pools(device: SimulatedFutureBit) -> None:
    async with make(device) as miner:
        await miner.set_pools(POOLS)
        stats = await miner.read()
    assert [pool.url for pool in stats.pools] == [pool.url for pool in POOLS]
    assert device.writes == ["updateAll", "restart"]
    # What the owner donates is left alone.
    assert [(p["index"], p["url"], p["donation"]) for p in device.pools] == [
        (1, POOLS[0].url, 0),
        (2, POOLS[1].url, 0),
        (3, "stratum+tcp://donate.example:3333", 3),
    ]
    assert [pool["password"] for pool in device.pools] == [
        "secret1",
        "secret2",
        "pool-secret",
    ]


async def test_restart_and_reboot(device: SimulatedFutureBit) -> None:
    async with make(device) as miner:
        await miner.restart()
        await miner.reboot()
        device._away_until = 0
        stats = await miner.read()
        assert stats.uptime is not None
        assert stats.uptime < 60
    assert device.writes == ["restart", "reboot"]


type Run = Callable[[FutureBit], Awaitable[None]]
COMMANDS: list[Run] = [
    lambda miner: miner.pause(),
    lambda miner: miner.set_power_mode("eco"),
    lambda miner: miner.set_pools(POOLS),
]


@pytest.mark.parametrize(
    "command", [*COMMANDS, lambda miner: miner.reboot(), lambda miner: miner.restart()]
)
async def test_refused_in_its_own_words(
    device: SimulatedFutureBit, command: Run
) -> None:
    async with make(device) as miner:
        device.refuses = "Failed to\nstop miner"
        with pytest.raises(CommandFailed, match="Failed to stop miner"):
            await command(miner)


@pytest.mark.parametrize("command", COMMANDS)
async def test_not_confirmed(device: SimulatedFutureBit, command: Run) -> None:
    async with make(device) as miner:
        miner.confirm_within = 0.05
        device.stubborn = True
        with pytest.raises(CommandFailed, match="not confirmed"):
            await command(miner)

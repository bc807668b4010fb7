"""Goldshell: its plans, its lamp and fans, its pools and how it refuses."""

from collections.abc import Awaitable, Callable

import pytest

from custom_components.miningsdk.sdk import (
    Capability,
    CommandFailed,
    MinerStatus,
    NotSupported,
    PoolConfig,
)
from custom_components.miningsdk.sdk.drivers.goldshell import Goldshell
from tests.conftest import Simulate
from tests.sdk.test_goldshell import PASSWORD, make
from tests.simulators.goldshell import MODELS, SimulatedGoldshell

POOLS = (
    PoolConfig(url="stratum+tcp://pool.one:1", user="a.one", password="secret1"),
    PoolConfig(url="stratum+tcp://pool.two:2", user="b.two", password="secret2"),
)


@pytest.fixture(autouse=True)
def no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Goldshell, "confirm_longer", {})


@pytest.fixture
async def device(simulate: Simulate) -> SimulatedGoldshell:
    found = await simulate(SimulatedGoldshell)
    assert isinstance(found, SimulatedGoldshell)
    return found


@pytest.mark.parametrize("model", ["SCBox", "SC5Pro", "MiniDOGEPro"])
async def test_pause_and_resume(simulate: Simulate, model: str) -> None:
    device = await simulate(SimulatedGoldshell, model=model, slow=0.1)
    device.setting["select"] = 1
    async with make(device) as miner:
        await miner.pause()
        stats = await miner.read()
        assert (stats.status, stats.hashrate) == (MinerStatus.PAUSED, 0)
        assert stats.power_mode is None
        assert device.setting["select"] == 2
        device.requests = 0
        await miner.read()
        assert device.requests == 1
        await miner.resume()
        assert device.setting["select"] == 1
        assert (await miner.read()).status is MinerStatus.STARTING
        device.slow = 0
        assert (await miner.read()).status is MinerStatus.MINING
        await miner.resume()
    assert device.writes == ["setting", "setting"]


async def test_resume_of_what_was_asleep_at_first(
    device: SimulatedGoldshell,
) -> None:
    device.setting["select"] = 2
    async with make(device) as miner:
        assert (await miner.read()).status is MinerStatus.PAUSED
        await miner.resume()
    assert device.setting["select"] == 0


async def test_pause_leaves_the_plan_made_by_hand(device: SimulatedGoldshell) -> None:
    device.setting["manual"] = True
    async with make(device) as miner:
        assert (await miner.read()).power_mode is None
        await miner.pause()
        assert device.setting["manual"] is False
        await miner.resume()
    assert (device.setting["manual"], device.setting["select"]) == (True, 0)


async def test_asleep_without_a_password_is_unknown(device: SimulatedGoldshell) -> None:
    device.setting["select"] = 2
    async with make(device, None) as miner:
        stats = await miner.read()
    assert (stats.status, stats.hashrate) == (MinerStatus.UNKNOWN, 0)


async def test_rate_that_lingers_is_no_mining(device: SimulatedGoldshell) -> None:
    async with make(device, None) as miner:
        lingering = device._summary()
        device._summary = lambda: lingering  # type: ignore[method-assign]
        device.setting["select"] = 2
        assert (await miner.read()).status is MinerStatus.UNKNOWN


async def test_pause_by_somebody_else_is_noticed(device: SimulatedGoldshell) -> None:
    async with make(device) as miner:
        assert (await miner.read()).status is MinerStatus.MINING
        device.setting["select"] = 2
        assert (await miner.read()).status is MinerStatus.PAUSED
        device.setting["select"] = 0
        assert (await miner.read()).status is MinerStatus.MINING


async def test_plans_by_algorithm_are_left_alone(simulate: Simulate) -> None:
    device = await simulate(SimulatedGoldshell, nested=True)
    async with make(device) as miner:
        assert not {Capability.PAUSE, Capability.POWER_MODE} & set(
            miner.info.capabilities
        )
        assert miner.info.algorithm == "blake2b"
        assert (await miner.read()).status is MinerStatus.MINING


async def test_large_miners_have_no_plan_to_sleep_in(simulate: Simulate) -> None:
    device = await simulate(SimulatedGoldshell, model="KD5")
    async with make(device) as miner:
        assert Capability.PAUSE not in miner.info.capabilities
        await miner.set_power_mode(MODELS["KD5"].plans[1][0])
        stats = await miner.read()
    assert stats.power_mode == MODELS["KD5"].plans[1][0]
    assert stats.boards[0].frequency == 600


async def test_other_settings(device: SimulatedGoldshell) -> None:
    async with make(device) as miner:
        await miner.set_target_temperature(71)
        assert device.setting["temp_target"] == 71
        with pytest.raises(NotSupported, match="outside"):
            await miner.set_target_temperature(80)
        await miner.locate(True)
        assert (await miner.read()).locating is True
        with pytest.raises(NotSupported, match="not one of"):
            await miner.set_power_mode("0 MHz 0 V 70 RPM 70 RPM")
    assert device.setting["name"] == f" {device.mac}"


async def test_pools(device: SimulatedGoldshell) -> None:
    async with make(device) as miner:
        await miner.set_pools(POOLS)
        assert [(p["url"], p["pass"]) for p in device.pools] == [
            (pool.url, pool.password) for pool in POOLS
        ]
        assert device.writes == ["newpool", "newpool", "delpool"]
        device.writes.clear()
        await miner.set_pools(tuple(reversed(POOLS)))
        assert device.writes == ["pools"]
        stats = await miner.read()
        assert [pool.url for pool in stats.pools] == [p.url for p in reversed(POOLS)]
        device.writes.clear()
        await miner.set_pools(tuple(reversed(POOLS)))
    assert device.writes == []


async def test_changed_password_of_a_pool(device: SimulatedGoldshell) -> None:
    async with make(device) as miner:
        await miner.set_pools(POOLS[:1])
        other = PoolConfig(url=POOLS[0].url, user=POOLS[0].user, password="other")
        await miner.set_pools([other])
    assert [pool["pass"] for pool in device.pools] == ["other"]


async def test_reboot(device: SimulatedGoldshell) -> None:
    async with make(device) as miner:
        await miner.reboot()
        assert device.writes == ["restart"]
        device._away_until = 0
        stats = await miner.read()
        assert stats.uptime is not None
        assert stats.uptime < 60
        await miner.locate(True)
    assert device.logins == 2


type Run = Callable[[Goldshell], Awaitable[None]]


@pytest.mark.parametrize(
    "command",
    [
        lambda miner: miner.pause(),
        lambda miner: miner.locate(True),
        lambda miner: miner.set_target_temperature(70),
        lambda miner: miner.set_pools(POOLS),
        lambda miner: miner.reboot(),
    ],
)
async def test_refused_in_its_own_words(
    device: SimulatedGoldshell, command: Run
) -> None:
    async with make(device) as miner:
        device.refuses = "busy with\nan upgrade"
        with pytest.raises(CommandFailed, match="busy with an upgrade"):
            await command(miner)


@pytest.mark.parametrize(
    "command",
    [
        lambda miner: miner.pause(),
        lambda miner: miner.locate(True),
        lambda miner: miner.set_pools(POOLS),
    ],
)
async def test_not_confirmed(device: SimulatedGoldshell, command: Run) -> None:
    async with make(device) as miner:
        miner.confirm_within = 0.05
        device.stubborn = True
        with pytest.raises(CommandFailed, match="not confirmed"):
            await command(miner)


async def test_never_shown_with_its_password(device: SimulatedGoldshell) -> None:
    async with make(device) as miner:
        stats = await miner.read()
        shown = f"{miner!r} {miner.info!r} {stats!r} {miner._api!r}"
    assert PASSWORD not in shown
    assert "pool-secret" not in shown

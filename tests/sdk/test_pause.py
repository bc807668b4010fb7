"""Pause is the cheapest sleep of a firmware, and resume undoes exactly that.

So all that was set before is set again afterwards: also for a program that was
restarted in between, as far as the device itself can tell.
"""

import asyncio
import time
from typing import Any

import pytest

from custom_components.miningsdk.sdk import (
    Capability,
    CommandFailed,
    Miner,
    MinerStats,
    MinerStatus,
    MiningSDKError,
)
from tests.conftest import Simulate
from tests.sdk.equivalence import (
    FAMILIES,
    PATIENCE,
    confirm_within,
    driver_of,
    each_that_pauses,
    is_paused,
    meeting,
    memory,
    miner_of,
    of,
    uses,
)
from tests.simulators.families import Family

SETTINGS = (
    Capability.POWER_LIMIT,
    Capability.POWER_MODE,
    Capability.PROFILE,
    Capability.THROTTLE,
    Capability.FAN,
    Capability.TARGET_TEMPERATURE,
    Capability.FREQUENCY,
    Capability.VOLTAGE,
    Capability.POOLS,
    Capability.BOARD_ENABLE,
)
SLEEPERS = [f for f in FAMILIES if Capability.PAUSE in driver_of(f).implemented()]
# Settings of those models that take both.
SET_AND_PAUSED = [
    (family, setting)
    for family in SLEEPERS
    for setting in driver_of(family).implemented()
    if setting in SETTINGS and setting.value not in family.others
]
# What another process can see.
SHOWN = [
    (family, setting)
    for family, setting in SET_AND_PAUSED
    if setting not in driver_of(family).unseen
]
LOST = [
    (family, setting)
    for family, setting in SET_AND_PAUSED
    if setting in driver_of(family).lost_asleep
]


pytestmark = pytest.mark.usefixtures("be_quick")


def all_set(stats: MinerStats) -> dict[str, Any]:
    """Return all that a reading shows to be set."""
    return {
        "power_limit": stats.power_limit,
        "power_mode": stats.power_mode,
        "settings": stats.settings,
        "pools": [(pool.url, pool.user) for pool in stats.pools],
        "boards": [(board.index, board.enabled) for board in stats.boards],
    }


async def change(miner: Miner, capability: Capability) -> dict[str, Any]:
    """Set something otherwise than it was, and return all that is set then."""
    now = await miner.read()
    use = next(use for use in uses(miner, capability) if not use.shown(now))
    await use.send(miner)
    stats = await awake(miner)
    assert use.shown(stats)
    return all_set(stats)


async def awake(miner: Miner) -> MinerStats:
    """Return a reading of a miner that may need a moment until it mines."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            stats = await miner.read()
        except MiningSDKError:
            stats = MinerStats()
        if stats.status in (MinerStatus.MINING, MinerStatus.TUNING):
            return stats
        assert time.monotonic() < until, f"it does not mine again: {stats.status}"
        await asyncio.sleep(0.01)


@of(SET_AND_PAUSED)
async def test_all_is_set_as_before(
    simulate: Simulate, family: Family, capability: Capability
) -> None:
    async with meeting(simulate, family) as (miner, _):
        before = await change(miner, capability)
        await miner.pause()
        assert is_paused(await miner.read())
        await miner.resume()
        assert all_set(await awake(miner)) == before


@of([claim for claim in SHOWN if claim not in LOST])
async def test_all_is_set_as_before_by_another_process(
    simulate: Simulate, family: Family, capability: Capability
) -> None:
    async with meeting(simulate, family) as (miner, device):
        before = await change(miner, capability)
        await miner.pause()
        async with miner_of(family, device) as another:
            assert is_paused(await another.read())
            await another.resume()
            assert all_set(await awake(another)) == before


@of(LOST)
async def test_what_the_device_itself_forgets_over_its_sleep(
    simulate: Simulate, family: Family, capability: Capability
) -> None:
    async with meeting(simulate, family) as (miner, device):
        usual = all_set(await miner.read())
        before = await change(miner, capability)
        await miner.pause()
        async with miner_of(family, device) as another:
            await another.resume()
            after = all_set(await awake(another))
    assert before != after == usual


@each_that_pauses
async def test_a_sleep_outlasts_the_program(simulate: Simulate, family: Family) -> None:
    async with meeting(simulate, family) as (miner, device):
        await miner.pause()
        async with miner_of(family, device) as another:
            assert is_paused(await another.read())


@each_that_pauses
async def test_what_is_awake_is_not_disturbed_by_resume(
    simulate: Simulate, family: Family
) -> None:
    async with meeting(simulate, family) as (miner, device):
        before = await miner.read()
        kept = memory(device)
        await miner.resume()
        after = await miner.read()
        now = memory(device)
    assert after.status is before.status
    assert (after.uptime or 0) >= (before.uptime or 0)
    for counter in ("reboots", "restarts"):
        assert now.get(counter) == kept.get(counter)


@each_that_pauses
async def test_a_pause_that_may_still_come_is_undone(
    simulate: Simulate, family: Family
) -> None:
    """Also of a miner that hashes yet, for as long as it was not seen asleep."""
    async with meeting(simulate, family) as (miner, _):
        sent: list[str] = []
        resume = miner._resume

        async def late() -> None:
            sent.append("pause")

        async def noted() -> None:
            sent.append("resume")
            await resume()

        miner._pause, miner._resume = late, noted  # type: ignore[method-assign]
        confirm_within(miner, 0.05)
        with pytest.raises(CommandFailed):
            await miner.pause()
        confirm_within(miner, PATIENCE)
        for _ in range(2):
            await miner.resume()
            await awake(miner)
    assert sent == ["pause", "resume"]

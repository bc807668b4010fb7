"""The same command does the same on every family of miners, and fails the same way."""

from typing import Any

import pytest

from custom_components.miningsdk.sdk import (
    Capability,
    CommandFailed,
    DeviceInfo,
    Limits,
    Miner,
    MinerStats,
    NotSupported,
    to_json,
)
from tests.conftest import Simulate
from tests.sdk.equivalence import (
    CHOICES,
    CLAIMS,
    POOLS,
    RANGES,
    SECRET,
    UNCONFIRMED,
    WITHOUT_LIMITS,
    Use,
    back,
    confirm_within,
    driver_of,
    each_family,
    each_that_pauses,
    is_paused,
    make_forgetful,
    meeting,
    memory,
    of,
    use_of,
    uses,
)
from tests.simulators.families import Family

pytestmark = pytest.mark.usefixtures("be_quick")

# What a device claims.


@each_family
async def test_what_a_driver_claims_one_of_its_models_offers(
    simulate: Simulate, family: Family
) -> None:
    claimed = set(driver_of(family).implemented())
    offered: set[Capability] = set()
    for model in (None, *map(Capability, family.others)):
        async with meeting(simulate, family, model) as (miner, _):
            check_claims(miner.info)
            assert model is None or model in miner.info.capabilities
            offered |= set(miner.info.capabilities)
    assert offered == claimed


def check_claims(info: DeviceInfo) -> None:
    assert set(info.limits) <= set(info.capabilities)
    for capability in info.capabilities:
        limits = info.limits.get(capability, Limits())
        if capability in RANGES:
            assert None not in (limits.minimum, limits.maximum, limits.step)
        if capability in CHOICES:
            assert len(limits.options) > 1


@each_family
def test_what_is_said_of_commands_is_said_of_those_there_are(family: Family) -> None:
    driver = driver_of(family)
    there = set(driver.implemented())
    assert set(driver.confirm_longer) <= there
    assert driver.restarts <= there - UNCONFIRMED - {Capability.PAUSE}
    assert driver.unseen <= there
    assert driver.lost_asleep <= there


# What it is told.


@of([claim for claim in CLAIMS if claim[1] not in UNCONFIRMED])
async def test_a_command_is_done_and_shown(
    simulate: Simulate, family: Family, capability: Capability
) -> None:
    async with meeting(simulate, family, capability) as (miner, device):
        await miner.read()
        kept = memory(device)
        for use in uses(miner, capability):
            # Twice is as good as once.
            for _ in range(2):
                await use.send(miner)
                stats = await back(miner)
                assert use.shown(stats), (use.command, use.values, to_json(stats))
                assert SECRET not in to_json(stats) + repr(stats) + repr(miner)
        assert device.most_connections <= 2
        if changed(kept, memory(device)):
            assert capability in miner.restarts | {Capability.PAUSE}


@of([claim for claim in CLAIMS if claim[1] in UNCONFIRMED])
async def test_a_restart_begins_anew(
    simulate: Simulate, family: Family, capability: Capability
) -> None:
    async with meeting(simulate, family, capability) as (miner, device):
        before = await miner.read()
        kept = memory(device)
        for use in uses(miner, capability):
            await use.send(miner)
            after = await back(miner)
            assert use.shown(after)
            assert is_younger(after, before) or changed(kept, memory(device))
        assert device.most_connections <= 2


def is_younger(after: MinerStats, before: MinerStats) -> bool:
    return after.uptime is not None and after.uptime < (before.uptime or 0)


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """Return what a device counted of the times that it began anew."""
    return {n for n in ("reboots", "restarts") if after.get(n) != before.get(n)}


@of([claim for claim in CLAIMS if claim[1] in RANGES])
async def test_a_value_out_of_limits_is_not_sent(
    simulate: Simulate, family: Family, capability: Capability
) -> None:
    async with meeting(simulate, family, capability) as (miner, device):
        limits = miner.info.limits[capability]
        assert limits.minimum is not None and limits.maximum is not None
        command = getattr(miner, RANGES[capability])
        before = device.requests
        for value in (limits.minimum - 1, limits.maximum + 1, float("nan")):
            with pytest.raises(NotSupported, match="outside of what the device takes"):
                await command(value)
        assert device.requests == before


@of([claim for claim in CLAIMS if claim[1] in CHOICES])
async def test_an_option_that_is_not_there_is_not_sent(
    simulate: Simulate, family: Family, capability: Capability
) -> None:
    async with meeting(simulate, family, capability) as (miner, device):
        before = device.requests
        with pytest.raises(NotSupported, match="'nonsense' is not one of"):
            await getattr(miner, CHOICES[capability])("nonsense")
        assert device.requests == before


@of([claim for claim in CLAIMS if claim[1] is Capability.POOLS])
async def test_pools_that_do_not_fit_are_not_written(
    simulate: Simulate, family: Family, capability: Capability
) -> None:
    async with meeting(simulate, family, capability) as (miner, _):
        limits = miner.info.limits.get(capability, Limits())
        before = await miner.read()
        for pools in ((), (*POOLS, *POOLS)[: int(limits.maximum or 3) + 1]):
            with pytest.raises(NotSupported):
                await miner.set_pools(pools)
        assert (await miner.read()).pools[0].url == before.pools[0].url


@each_family
async def test_what_a_device_does_not_offer_is_not_sent(
    simulate: Simulate, family: Family
) -> None:
    async with meeting(simulate, family) as (miner, device):
        before = device.requests
        for capability in WITHOUT_LIMITS:
            if capability not in miner.info.capabilities:
                with pytest.raises(NotSupported, match="does not offer"):
                    await use_of(miner, capability).send(miner)
        assert device.requests == before


async def first_change(miner: Miner, capability: Capability) -> Use:
    """Return a use after which a reading shows something else than now."""
    now = await miner.read()
    return next(use for use in uses(miner, capability) if not use.shown(now))


@of(
    [
        (family, capability)
        for family, capability in CLAIMS
        if capability not in UNCONFIRMED | driver_of(family).unseen
    ]
)
async def test_a_command_that_is_taken_but_not_done_fails(
    simulate: Simulate, family: Family, capability: Capability
) -> None:
    async with meeting(simulate, family, capability) as (miner, device):
        use = await first_change(miner, capability)
        confirm_within(miner, 0.1)
        make_forgetful(miner, device)
        with pytest.raises(CommandFailed) as failure:
            await use.send(miner)
        assert SECRET not in str(failure.value)
        assert not use.shown(await back(miner))


@each_that_pauses
async def test_a_pause_that_is_not_ended_fails(
    simulate: Simulate, family: Family
) -> None:
    async with meeting(simulate, family, Capability.PAUSE) as (miner, device):
        await miner.pause()
        confirm_within(miner, 0.1)
        make_forgetful(miner, device)
        with pytest.raises(CommandFailed):
            await miner.resume()
        assert is_paused(await back(miner))

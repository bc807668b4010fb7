"""What goes wrong goes wrong in the same way on every family of miners."""

from contextlib import suppress
import time

import pytest

from custom_components.miningsdk.sdk import (
    AuthenticationFailed,
    Capability,
    CommandFailed,
    DeviceTimeout,
    DeviceUnreachable,
    Miner,
    MinerStatus,
    MiningSDKError,
    NotSupported,
)
from tests.conftest import Simulate
from tests.sdk.equivalence import (
    FAMILIES,
    PATIENCE,
    UNCONFIRMED,
    back,
    confirm_within,
    driver_of,
    each_family,
    each_that_pauses,
    is_paused,
    meeting,
    name_of,
    use_of,
    uses,
)
from tests.sdk.trouble import ALL_TROUBLE, survives
from tests.simulators.base import SimulatedDevice, Trouble
from tests.simulators.families import Family

# A login with every reading would show in so many of them, of which not all ask for
# the same.
READINGS = 12
UNEVEN = 4
# Enough for a question and its answer here, and what a silent device is waited for.
SHORT = 0.25
LATE = 1.0

each_with_a_password = pytest.mark.parametrize(
    "family",
    [f for f in FAMILIES if driver_of(f).needs_password != "never"],
    ids=name_of,
)


pytestmark = pytest.mark.usefixtures("be_quick")


# Passwords.


async def takes_of_anybody(miner: Miner) -> set[Capability]:
    """Return what a device does for somebody without a password."""
    found = set()
    for capability in sorted(miner.info.capabilities, key=_reboots_last):
        with suppress(AuthenticationFailed):
            await uses(miner, capability)[0].send(miner)
            found.add(capability)
    return found


def _reboots_last(capability: Capability) -> bool:
    return capability in UNCONFIRMED


async def cost_of_readings(miner: Miner, device: SimulatedDevice) -> int:
    # After a failure, the first one asks who the device is.
    await try_to_read(miner)
    before = device.requests
    for _ in range(READINGS):
        await try_to_read(miner)
    return device.requests - before


async def try_to_read(miner: Miner) -> None:
    with suppress(AuthenticationFailed):
        await miner.read()


@each_with_a_password
async def test_a_wrong_password(simulate: Simulate, family: Family) -> None:
    """It is found out once, then by nothing but a command; all else works on."""
    async with meeting(simulate, family) as (miner, _):
        offered = miner.info.capabilities
    async with meeting(simulate, family, password="") as (miner, device):
        costs = await cost_of_readings(miner, device)
        is_open = await takes_of_anybody(miner)
    async with meeting(simulate, family, password="wrong-pw-1") as (miner, device):
        await check_reading_without_login(miner)
        assert await cost_of_readings(miner, device) <= costs + UNEVEN
        for capability in (name for name in offered if name not in is_open):
            for _ in range(2):
                before = device.requests
                with pytest.raises(AuthenticationFailed) as failure:
                    await use_of(miner, capability).send(miner)
                assert "wrong-pw-1" not in str(failure.value) + repr(miner)
                assert device.requests - before <= 2
        assert await cost_of_readings(miner, device) <= costs + UNEVEN


@each_with_a_password
async def test_no_password(simulate: Simulate, family: Family) -> None:
    async with meeting(simulate, family) as (miner, _):
        offered = miner.info.capabilities
    async with meeting(simulate, family, password="") as (miner, device):
        await check_reading_without_login(miner)
        is_open = await takes_of_anybody(miner)
    async with meeting(simulate, family, password="") as (miner, device):
        before = device.requests
        for capability in (name for name in offered if name not in is_open):
            with pytest.raises((AuthenticationFailed, NotSupported)):
                await use_of(miner, capability).send(miner)
        assert device.requests == before


async def check_reading_without_login(miner: Miner) -> None:
    try:
        stats = await miner.read()
    except AuthenticationFailed:
        assert miner.needs_password == "always"
    else:
        mining = stats.status is MinerStatus.MINING
        assert mining is (miner.needs_password != "always")


# Trouble.


@each_family
async def test_unreachable(simulate: Simulate, family: Family) -> None:
    async with meeting(simulate, family) as (miner, device):
        before = await miner.read()
        await device.stop()
        with pytest.raises(DeviceUnreachable):
            await miner.read()
        for capability in miner.info.capabilities:
            with pytest.raises(DeviceUnreachable):
                await uses(miner, capability)[0].send(miner)
        await device.start()
        assert (await back(miner)).status is before.status


@each_family
async def test_unreachable_from_the_start(simulate: Simulate, family: Family) -> None:
    async with meeting(simulate, family, connect=False) as (miner, device):
        await device.stop()
        with pytest.raises(DeviceUnreachable):
            await miner.connect()
        with pytest.raises(DeviceUnreachable):
            await miner.read()
        await device.start()
        assert (await back(miner)).status is MinerStatus.MINING


@each_family
async def test_silent(simulate: Simulate, family: Family) -> None:
    async with meeting(simulate, family) as (miner, device):
        await miner.read()
        device.trouble = Trouble.SILENT
        miner.timeout = miner.wire.timeout = SHORT
        started = time.monotonic()
        with pytest.raises(DeviceTimeout):
            await miner.read()
        assert time.monotonic() - started < SHORT + LATE
        device.trouble = Trouble.NONE
        miner.timeout = miner.wire.timeout = 5.0
        assert (await back(miner)).status is MinerStatus.MINING


@each_family
@pytest.mark.parametrize("trouble", [t for t in ALL_TROUBLE if t != Trouble.SILENT])
async def test_trouble(simulate: Simulate, family: Family, trouble: Trouble) -> None:
    async with meeting(simulate, family) as (miner, device):
        await survives(miner, device, trouble)


@each_that_pauses
@pytest.mark.parametrize("trouble", [Trouble.GARBAGE, Trouble.WRONG_TYPES])
async def test_a_command_in_trouble_is_never_confirmed(
    simulate: Simulate, family: Family, trouble: Trouble
) -> None:
    async with meeting(simulate, family, Capability.PAUSE) as (miner, device):
        await miner.read()
        confirm_within(miner, 0.1)
        device.trouble = trouble
        with pytest.raises(MiningSDKError):
            await miner.pause()


@each_that_pauses
async def test_a_device_that_goes_away_while_it_is_told(
    simulate: Simulate, family: Family
) -> None:
    async with meeting(simulate, family, Capability.PAUSE) as (miner, device):
        pause = miner._pause

        async def pause_and_go() -> None:
            await pause()
            await device.stop()

        miner._pause = pause_and_go  # type: ignore[method-assign]
        confirm_within(miner, 0.1)
        with pytest.raises(CommandFailed, match="not confirmed within"):
            await miner.pause()
        await device.start()
        confirm_within(miner, PATIENCE)
        await miner.resume()
        assert not is_paused(await back(miner))

"""What every driver must survive, run by the tests of each family."""

import asyncio
from collections.abc import Sequence
import time

import pytest

from custom_components.miningsdk.sdk import (
    DeviceTimeout,
    DeviceUnreachable,
    InvalidReply,
    Miner,
    MinerStats,
    MiningSDKError,
    to_json,
)
from tests.simulators.base import SimulatedDevice, Trouble

ALL_TROUBLE: Sequence[Trouble] = [t for t in Trouble if t is not Trouble.NONE]


async def survives(miner: Miner, device: SimulatedDevice, trouble: Trouble) -> None:
    """Check that trouble ends in an error or partial stats, and that it recovers.

    ``miner`` must be connected, with a short ``timeout``.
    """
    before = await miner.read()
    device.trouble = trouble
    started = time.monotonic()
    try:
        stats = await miner.read()
    except (DeviceUnreachable, DeviceTimeout, InvalidReply) as error:
        assert str(error)
    except MiningSDKError as error:
        pytest.fail(f"{trouble}: unexpected {type(error).__name__}: {error}")
    else:
        assert stats.status.value != "mining", f"{trouble}: says it is mining"
        check_vocabulary(stats)
    assert time.monotonic() - started < miner.timeout + 2
    device.trouble = Trouble.NONE
    after = await miner.read()
    assert after.status == before.status


async def survives_bytes(miner: Miner, device: SimulatedDevice, body: bytes) -> None:
    """Check that any bytes at all end in an SDK error or in stats, nothing else."""
    device.body = body
    try:
        async with asyncio.timeout(miner.timeout + 2):
            check_vocabulary(await miner.read())
    except MiningSDKError as error:
        assert str(error)
    finally:
        device.body = None


def check_vocabulary(stats: MinerStats) -> None:
    """Check units by their plausible range, and that it becomes JSON."""
    assert to_json(stats)
    for name in ("temperature_chip", "temperature_board", "temperature_inlet"):
        value = getattr(stats, name)
        assert value is None or -50 < value < 200, f"{name} {value}"
    assert stats.hashrate is None or stats.hashrate >= 0
    assert stats.power is None or stats.power >= 0

"""What the drivers of meters and containers must survive."""

import asyncio
from collections.abc import Callable
import time
from typing import Any

import pytest

from custom_components.miningsdk.sdk import (
    AnyDevice,
    DeviceTimeout,
    DeviceUnreachable,
    InvalidReply,
    MiningSDKError,
    to_json,
)
from tests.simulators.base import SimulatedDevice, Trouble

type Alive = Callable[[Any], bool]


async def survives(
    device: AnyDevice, simulator: SimulatedDevice, trouble: Trouble, alive: Alive
) -> None:
    """Check that trouble ends in an error or in nothing that looks alive; and passes.

    ``device`` must be connected, with a short ``timeout``.
    """
    assert alive(await device.read())
    simulator.trouble = trouble
    started = time.monotonic()
    try:
        stats = await device.read()
    except (DeviceUnreachable, DeviceTimeout, InvalidReply) as error:
        assert str(error)
    except MiningSDKError as error:
        pytest.fail(f"{trouble}: unexpected {type(error).__name__}: {error}")
    else:
        assert not alive(stats), f"{trouble}: it looks alive"
        assert to_json(stats)
    assert time.monotonic() - started < device.timeout + 2
    simulator.trouble = Trouble.NONE
    assert alive(await device.read())


async def survives_bytes(
    device: AnyDevice, simulator: SimulatedDevice, body: bytes
) -> None:
    """Check that any bytes at all end in an SDK error or in stats, nothing else."""
    simulator.body = body
    try:
        async with asyncio.timeout(device.timeout + 2):
            assert to_json(await device.read())
    except MiningSDKError as error:
        assert str(error)
    finally:
        simulator.body = None

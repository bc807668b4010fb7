"""Switch on a simulated device and talk to it with its driver."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from custom_components.miningsdk.sdk import Miner
from tests.conftest import Simulate
from tests.simulators.base import SimulatedDevice


@asynccontextmanager
async def meeting[M: Miner, D: SimulatedDevice](
    simulate: Simulate, driver: type[M], kind: type[D], password: str
) -> AsyncGenerator[Callable[..., Awaitable[tuple[M, D]]]]:
    """Give a function that switches on a device and connects to it.

    Its ``password`` is what the driver is told, ``device`` what the device has;
    ``short`` are seconds for a whole read. All drivers are closed at the end.
    """
    miners: list[M] = []

    async def switch_on(
        *,
        password: str | None = password,
        username: str | None = None,
        connect: bool = True,
        short: float = 5.0,
        **options: Any,
    ) -> tuple[M, D]:
        device = await simulate(kind, **options)
        miner = driver(
            device.host,
            port=device.port(driver.default_port),
            username=username,
            password=password,
            timeout=short,
        )
        miner.confirm_every = 0.05
        miners.append(miner)
        if connect:
            await miner.connect()
        return miner, device

    yield switch_on
    for miner in miners:
        await miner.close()

"""Time limits that share one timer."""

import asyncio
from contextlib import suppress

import pytest

from custom_components.miningsdk.sdk.transports.limit import _watches, time_limit


async def test_it_ends_what_takes_too_long() -> None:
    loop = asyncio.get_running_loop()
    started = loop.time()
    with pytest.raises(TimeoutError):
        async with time_limit(0.05):
            await asyncio.sleep(10)
    assert loop.time() - started < 1
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_it_leaves_alone_what_is_done_in_time() -> None:
    async with time_limit(10) as limit:
        await asyncio.sleep(0)
        limit.restart(10)
    assert not _watches[asyncio.get_running_loop()].live


async def test_no_timer_is_left_behind() -> None:
    async with time_limit(10):
        watch = _watches[asyncio.get_running_loop()]
        assert watch._timer is not None
    assert watch._timer is None


async def test_the_inner_limit_ends_first() -> None:
    async with time_limit(10):
        with pytest.raises(TimeoutError):
            async with time_limit(0.01):
                await asyncio.sleep(10)
    with pytest.raises(TimeoutError):
        async with time_limit(0.01), time_limit(10):
            await asyncio.sleep(10)


async def cut_short() -> None:
    async with time_limit(10) as limit:
        limit.restart(0.01)
        await asyncio.sleep(10)


async def test_restart_gives_more_time_or_less() -> None:
    async with time_limit(0.01) as limit:
        limit.restart(10)
        await asyncio.sleep(0.25)
    with pytest.raises(TimeoutError):
        await cut_short()


async def test_another_cancellation_is_not_swallowed() -> None:
    async def work() -> None:
        async with time_limit(10):
            await asyncio.sleep(10)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_inside_stays_what_it_is() -> None:
    with pytest.raises(ValueError, match="odd"):
        async with time_limit(10):
            raise ValueError("odd")


async def test_a_deaf_task_is_not_cancelled_for_ever() -> None:
    """What swallows the cancellation goes on, and nothing is left of the limit."""
    async with time_limit(0.01):
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(10)
    await asyncio.sleep(0)

"""One command for many miners: in stages, with a result for each, and to be ended."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util.hass_dict import HassKey
from homeassistant.util.ulid import ulid_now

from .const import DOMAIN
from .coordinator import MinerCoordinator
from .targeting import device_id_of

EVENT_BATCH: Final = f"{DOMAIN}_batch"
_BATCHES: HassKey[dict[str, Batch]] = HassKey(f"{DOMAIN}_batches")

# A miner may take minutes to confirm a command, and others are to be read meanwhile.
_AT_ONCE = 16

type Work = Callable[[MinerCoordinator], Awaitable[None]]


class State(StrEnum):
    """How far a batch is."""

    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"


class Outcome(StrEnum):
    """What became of one miner of a batch."""

    DONE = "done"
    FAILED = "failed"
    # It was left alone: there was no need, or somebody else has a say in it.
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


class Skipped(Exception):  # noqa: N818
    """A miner is left alone; the text says why."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one miner, and why if it was not done."""

    coordinator: MinerCoordinator
    outcome: Outcome
    error: HomeAssistantError | Skipped | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the result as an action answers it."""
        return {
            "device_id": device_id_of(self.coordinator),
            "name": self.coordinator.name,
            "outcome": self.outcome.value,
            "error": None if self.error is None else str(self.error),
        }


@dataclass(kw_only=True, eq=False)
class Batch:
    """A command for some miners, ``size`` at a time, with a pause of ``delay`` s.

    Without a size there are no stages, only a limit to how many are told at once.
    """

    hass: HomeAssistant
    action: str
    miners: Sequence[MinerCoordinator]
    work: Work
    context: Context
    size: int | None = None
    delay: float = 0.0
    id: str = field(default_factory=ulid_now)
    state: State = State.RUNNING
    results: dict[str, Result] = field(default_factory=dict)
    _ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def async_run(self) -> list[Result]:
        """Tell all miners, and return what became of each, in their order.

        Raises:
            ServiceValidationError: one of them has a part in another batch now.
        """
        running = self.hass.data.setdefault(_BATCHES, {})
        self._check_free(running)
        running[self.id] = self
        try:
            self._tell()
            await self._async_stages()
        finally:
            del running[self.id]
            if self.state is State.RUNNING:
                self.state = State.CANCELLED if self._left() else State.DONE
            for miner in self._left():
                self.results[miner.id] = Result(miner, Outcome.CANCELLED)
            self._tell()
        return [self.results[miner.id] for miner in self.miners]

    @callback
    def cancel(self) -> None:
        """Begin with no further miner; what is under way is brought to its end."""
        self.state = State.CANCELLED
        self._ended.set()

    def _check_free(self, running: dict[str, Batch]) -> None:
        mine = {miner.id for miner in self.miners}
        for batch in running.values():
            if both := [m for m in batch.miners if m.id in mine]:
                raise ServiceValidationError(
                    translation_domain=DOMAIN,
                    translation_key="batch_running",
                    translation_placeholders={
                        "action": batch.action,
                        "batch_id": batch.id,
                        "count": str(len(both)),
                        "name": both[0].name,
                    },
                )

    async def _async_stages(self) -> None:
        size = self.size or len(self.miners)
        for start in range(0, len(self.miners), size):
            if start and await self._async_cancelled_within(self.delay):
                return
            stage = self.miners[start : start + size]
            # A stage is as large as was asked for; without stages there is a limit.
            few = asyncio.Semaphore(len(stage) if self.size else _AT_ONCE)
            await asyncio.gather(*(self._async_one(few, miner) for miner in stage))
            if self.state is not State.RUNNING:
                return

    async def _async_cancelled_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        except TimeoutError:
            return False
        return True

    async def _async_one(self, few: asyncio.Semaphore, miner: MinerCoordinator) -> None:
        async with few:
            if self.state is not State.RUNNING:
                return
            try:
                await self.work(miner)
            except Skipped as why:
                result = Result(miner, Outcome.SKIPPED, why)
            except HomeAssistantError as error:
                result = Result(miner, Outcome.FAILED, error)
            else:
                result = Result(miner, Outcome.DONE)
        self.results[miner.id] = result
        if len(self.results) < len(self.miners):
            self._tell(result)

    def _left(self) -> list[MinerCoordinator]:
        return [miner for miner in self.miners if miner.id not in self.results]

    def _tell(self, last: Result | None = None) -> None:
        """Fire an event with how far the batch is, and what became of the last one."""
        counts = dict.fromkeys(Outcome, 0)
        for result in self.results.values():
            counts[result.outcome] += 1
        self.hass.bus.async_fire(
            EVENT_BATCH,
            {
                "batch_id": self.id,
                "action": self.action,
                "state": self.state.value,
                "total": len(self.miners),
                **{outcome.value: count for outcome, count in counts.items()},
                "last": None if last is None else last.as_dict(),
            },
            context=self.context,
        )


@callback
def async_cancel(hass: HomeAssistant, batch_id: str | None) -> list[str]:
    """Cancel a batch, or all that run; return their ids.

    Raises:
        ServiceValidationError: no batch of this id runs.
    """
    running = hass.data.get(_BATCHES, {})
    if batch_id is not None and batch_id not in running:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="no_such_batch",
            translation_placeholders={"batch_id": batch_id},
        )
    chosen = list(running.values()) if batch_id is None else [running[batch_id]]
    for batch in chosen:
        batch.cancel()
    return [batch.id for batch in chosen]

"""The poll loop of one device of any kind."""

from abc import ABC, abstractmethod
import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, override
from zlib import crc32

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.update_coordinator import BaseDataUpdateCoordinatorProtocol

from .const import BACKOFF_FIRST, BACKOFF_LAST, DOMAIN, LOGGER
from .sdk import (
    AnyDevice,
    AuthenticationFailed,
    CommandFailed,
    ControlDisabled,
    MiningSDKError,
    NotSupported,
)

if TYPE_CHECKING:
    from .fleet import Fleet

_MOST_DOUBLINGS = 16
# A poll that begins later than this, in s, is counted as late.
_LATE = 2.0


@dataclass(slots=True)
class Rhythm:
    """How many polls of a site began by themselves, and how many of them late."""

    polls: int = 0
    late: int = 0

    def note(self, lateness: float) -> None:
        """Count a poll that began so many seconds after its time."""
        self.polls += 1
        self.late += lateness > _LATE


class Follower(Protocol):
    """What shows something of a device."""

    @callback
    def async_polled(self) -> None:
        """Take up what the last poll brought."""


class DeviceCoordinator[D: AnyDevice, S](BaseDataUpdateCoordinatorProtocol, ABC):
    """Poll one device at its own phase of the interval, more seldom while it is off.

    ``data`` is the last reading, kept while the device is away; ``available`` tells
    whether it answered the last time.
    """

    def __init__(self, hass: HomeAssistant, fleet: Fleet, device: D) -> None:
        """Prepare to poll; ``async_refresh`` begins."""
        self.hass = hass
        self.fleet = fleet
        self.device = device
        self.data: S | None = None
        self.available = False
        self.problem: str | None = None
        self._failures = 0
        self._listeners: dict[object, CALLBACK_TYPE] = {}
        self._followers: list[Follower] = []
        self._timer: asyncio.TimerHandle | None = None
        self._refreshing: asyncio.Task[None] | None = None
        self._due = 0.0
        # The time for which a poll was scheduled that is about to begin.
        self._fired_for: float | None = None
        self._stopped = False

    @property
    @abstractmethod
    def id(self) -> str:
        """Return what the device is known by; never changes."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Return what a person calls the device."""

    @abstractmethod
    def _account_refused(self) -> None:
        """Ask the user for an account that a command can be given with."""

    def _control_disabled(self, words: str | None) -> None:
        """Tell the user how commands are allowed at the device; ``None``: they are."""

    @property
    def interval(self) -> float:
        """Return the seconds between two polls of a device that answers."""
        return self.fleet.interval

    @abstractmethod
    def _accepted(self, stats: S) -> bool:
        """Tell whether the reading is of the device that is meant."""

    def _measured(self, stats: S) -> S:
        """Return the reading with what is measured outside the device."""
        return stats

    @abstractmethod
    def _taken(self, stats: S) -> None:
        """Use a reading."""

    @abstractmethod
    def _gone(self, *, refused: bool) -> None:
        """Take note that the device did not answer, or refused its account."""

    @callback
    @override
    def async_add_listener(
        self, update_callback: CALLBACK_TYPE, context: Any = None
    ) -> Callable[[], None]:
        """Have a function called after each poll; returns how to end that."""
        key = object()
        self._listeners[key] = update_callback

        def remove() -> None:
            self._listeners.pop(key, None)

        return remove

    @callback
    def async_follow(self, follower: Follower) -> None:
        """Have an entity told of each poll; it takes less than a listener."""
        self._followers.append(follower)

    @callback
    def async_unfollow(self, follower: Follower) -> None:
        """Tell an entity no more."""
        self._followers.remove(follower)

    async def async_refresh(self) -> None:
        """Poll now; a poll that already runs is waited for instead."""
        if not self._stopped:
            # Unlike a shield, this leaves those who wait alone when it is cancelled.
            await asyncio.wait([self.async_begin()])

    @callback
    def async_begin(self) -> asyncio.Task[None]:
        """Poll in the background, unless that goes on already; return what does it."""
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = self.fleet.entry.async_create_background_task(
                self.hass, self._async_poll(), f"{DOMAIN} poll"
            )
        return self._refreshing

    async def async_stop(self) -> None:
        """Poll no more and let go of the device."""
        self._stopped = True
        self._unschedule()
        if self._refreshing is not None:
            self._refreshing.cancel()
        await self.device.close()

    async def async_command(self, command: Callable[[D], Awaitable[None]]) -> None:
        """Run a command; it has been confirmed by the device when this returns.

        Raises:
            HomeAssistantError: translated, with the device's own words.
        """
        try:
            async with self.fleet.limiter:
                await command(self.device)
        except NotSupported as error:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="not_supported",
                translation_placeholders=self._words(error),
            ) from error
        except AuthenticationFailed as error:
            self._account_refused()
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="authentication_failed",
                translation_placeholders=self._words(error),
            ) from error
        except MiningSDKError as error:
            if isinstance(error, ControlDisabled):
                self._control_disabled(str(error))
            refused = isinstance(error, CommandFailed)
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="command_failed" if refused else "unreachable",
                translation_placeholders=self._words(error),
            ) from error
        else:
            self._control_disabled(None)
        finally:
            await self.async_refresh()

    def _words(self, error: MiningSDKError) -> dict[str, str]:
        return {"name": self.name, "error": str(error)}

    async def _async_poll(self) -> None:
        started = self.hass.loop.time()
        due, self._fired_for = self._fired_for, None
        try:
            async with self.fleet.limiter:
                if due is not None:
                    self.fleet.rhythm.note(self.hass.loop.time() - due)
                stats = await self.device.read()
        except MiningSDKError as error:
            self._lost(error)
        except Exception as error:  # noqa: BLE001
            # A driver's own mistake must not end its poll loop.
            if not self._failures:
                LOGGER.exception("Unexpected error of %s", self.name)
            self._lost(error)
        else:
            self._got(stats)
        finally:
            if not self._stopped:
                self._schedule(started)
        self.async_tell()

    @callback
    def async_tell(self) -> None:
        """Call those who follow the device."""
        for follower in tuple(self._followers):
            follower.async_polled()
        for listener in tuple(self._listeners.values()):
            listener()

    def _got(self, stats: S) -> None:
        if not self._accepted(stats):
            return
        if self._failures:
            LOGGER.info("%s answers again", self.name)
        self._failures = 0
        self.data = self._measured(stats)
        self.available = True
        self.problem = None
        self._taken(self.data)

    def _lost(self, error: Exception) -> None:
        if not self._failures:
            LOGGER.info("%s does not answer: %s", self.name, error)
        self._failures += 1
        self.available = False
        self.problem = str(error)
        self._gone(refused=isinstance(error, AuthenticationFailed))

    @callback
    def _schedule(self, started: float) -> None:
        """Set the time of the next poll, so that polls of a fleet lie evenly spread."""
        self._unschedule()
        interval, ahead = self.interval, self._due - started
        if self._due <= 0 or (not self._failures and abs(ahead) > interval):
            phase = crc32(self.id.encode()) % 1000 / 1000
            self._due = started + interval * (0.5 + phase)
        elif self._failures:
            self._due = started + max(self._backoff(), interval)
        elif ahead < interval / 2:
            # After a refresh out of turn, a poll that is not yet near stays as it is.
            self._due += interval
        self._due = max(self._due, self.hass.loop.time() + 0.01)
        self._timer = self.hass.loop.call_at(self._due, self._fire)

    def _backoff(self) -> float:
        # The number of failures has no end, but that of a float's digits does.
        doublings = min(self._failures - 1, _MOST_DOUBLINGS)
        return min(BACKOFF_FIRST * 2.0**doublings, BACKOFF_LAST)

    @callback
    def _unschedule(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @callback
    def _fire(self) -> None:
        self._timer = None
        self._fired_for = self._due
        if not self.hass.is_stopping:
            self.async_begin()

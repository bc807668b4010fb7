"""Read a service of several parts, each no more often than it changes."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .errors import (
    AuthenticationFailed,
    DeviceTimeout,
    DeviceUnreachable,
    InvalidReply,
    MiningSDKError,
    NotSupported,
)
from .transports.web_api import NoTurn, RateLimited, WebApi

# For how long a reply stands in for one that fails, beyond its usual age.
_STANDS_IN = 900.0
# A required part of this age is asked before all others.
_PRESSING = 300.0
# What was refused is not asked for again any sooner; nor what made no sense, but that
# is asked again when it is due.
_REFUSED_FOR = 3600.0
_SENSELESS_FOR = 300.0
# More pages than this are not a list of workers.
_MOST_PAGES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One question to a service; ``name`` is the field that is noted when it fails.

    It is asked again when its answer is ``every`` seconds old. Without the answer to
    a ``required`` part there is no reading. An answer must be an object with one of
    the keys in ``expects``, or a list when there are none. ``following`` tells from
    the pages that have come the path of the next one, or ``None`` after the last; the
    answer is the list of pages then. ``unknown`` is what HTTP status 404 means.
    """

    name: str
    path: str
    every: float = 0.0
    json: Mapping[str, object] | None = None
    required: bool = False
    expects: tuple[str, ...] = ()
    following: Callable[[list[Any]], str | None] | None = None
    unknown: str | None = None

    def accepts(self, reply: object) -> bool:
        """Tell whether an answer has the shape that is expected."""
        if not self.expects:
            return isinstance(reply, list)
        return isinstance(reply, Mapping) and any(
            reply.get(key) is not None for key in self.expects
        )


@dataclass(slots=True)
class _Kept:
    reply: Any
    at: float
    # What is missing from it.
    note: str | None


@dataclass(slots=True)
class _Refused:
    error: MiningSDKError
    until: float


class Parts:
    """What was last answered, part by part."""

    def __init__(
        self, api: WebApi, fetch: Callable[[Part, str], Awaitable[Any]]
    ) -> None:
        """Keep the answers that ``fetch`` gets to a part at a path."""
        self._api = api
        self._fetch = fetch
        self._kept: dict[str, _Kept] = {}
        self._refused: dict[str, _Refused] = {}
        # Why the last reading had nothing to give, if it had not.
        self.last_error: MiningSDKError | None = None

    def forgive(self) -> None:
        """Let the next reading ask even for what was refused."""
        self._refused.clear()

    async def gather(
        self, parts: tuple[Part, ...], failed: dict[str, str], *, fresh: float = 0.0
    ) -> dict[str, Any]:
        """Ask what is due, the oldest first, and return all answers by name.

        Answers younger than ``fresh`` seconds are never asked for again. What fails
        is noted in ``failed``; its last answer stands in for up to 15 minutes.

        Raises:
            any error of a required part.
        """
        gone: MiningSDKError | None = None
        self.last_error = None
        for part in sorted(self._due(parts, fresh), key=self._last_asked):
            if gone is not None and not part.required:
                failed[part.name] = str(gone)
                continue
            try:
                await self._ask(part)
            except MiningSDKError as error:
                self._excuse(part, error, failed)
                self.last_error = self.last_error or error
                if isinstance(error, DeviceUnreachable | DeviceTimeout):
                    gone = error
        for part in parts:
            if (kept := self._kept.get(part.name)) is not None and kept.note:
                failed.setdefault(part.name, kept.note)
        return self.known(parts)

    def known(self, parts: tuple[Part, ...]) -> dict[str, Any]:
        """Return all answers by name that are not too old to be told."""
        now = self._api.clock()
        return {
            part.name: kept.reply
            for part in parts
            if (kept := self._kept.get(part.name)) is not None
            and now - kept.at <= part.every + _STANDS_IN
        }

    def _due(self, parts: tuple[Part, ...], fresh: float) -> list[Part]:
        now = self._api.clock()
        return [
            part
            for part in parts
            if (kept := self._kept.get(part.name)) is None
            or now - kept.at >= max(part.every, fresh)
        ]

    def _last_asked(self, part: Part) -> tuple[bool, float]:
        """Order by age, but begin with what no reading can do without much longer."""
        kept = self._kept.get(part.name)
        at = float("-inf") if kept is None else kept.at
        pressing = part.required and self._api.clock() - at > _PRESSING
        return (not pressing, at)

    async def _ask(self, part: Part) -> None:
        refused = self._refused.get(part.name)
        if refused is not None and self._api.clock() < refused.until:
            raise refused.error.with_traceback(None)
        reply, note = await self._pages(part)
        self._refused.pop(part.name, None)
        self._kept[part.name] = _Kept(reply, self._api.clock(), note)

    async def _pages(self, part: Part) -> tuple[Any, str | None]:
        """Return the answer, and a note when some of its pages could not be had."""
        first = await self._fetch(part, part.path)
        if part.following is None:
            return first, None
        pages = [first]
        while (path := part.following(pages)) is not None:
            try:
                if len(pages) >= _MOST_PAGES:
                    raise InvalidReply("there is no end to its pages")
                pages.append(await self._fetch(part, path))
            except (RateLimited, InvalidReply, DeviceTimeout) as error:
                return pages, f"only {len(pages)} pages were read: {error}"
        return pages, None

    def _excuse(
        self, part: Part, error: MiningSDKError, failed: dict[str, str]
    ) -> None:
        """Note what failed; raise it when there is no reading without it."""
        now = self._api.clock()
        refused = self._refused.get(part.name)
        if (hold := _hold(part, error)) and (refused is None or refused.until <= now):
            self._refused[part.name] = _Refused(error, now + hold)
        if isinstance(error, AuthenticationFailed | NotSupported):
            self._kept.pop(part.name, None)
        kept = self._kept.get(part.name)
        stands_in = kept is not None and now - kept.at <= part.every + _STANDS_IN
        if part.required and not (stands_in and isinstance(error, RateLimited)):
            raise error
        if not (stands_in and isinstance(error, NoTurn)):
            failed[part.name] = str(error)


def _hold(part: Part, error: MiningSDKError) -> float:
    """Return for how long a part that failed is not asked for again."""
    if isinstance(error, AuthenticationFailed | NotSupported):
        return _REFUSED_FOR
    senseless = isinstance(error, InvalidReply) and not isinstance(error, RateLimited)
    return min(part.every, _SENSELESS_FOR) if senseless and not part.required else 0.0

"""A web service that must not be asked too often: its address, turns and refusals."""

from asyncio import sleep, to_thread
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
import ssl
from time import monotonic
from weakref import WeakValueDictionary

from ..errors import InvalidReply
from ..targets import InvalidTarget, literal, single
from .http import HttpClient, Response
from .wire import Wire

# The ports of https and http.
WEB_PORTS = (443, 80)
# What a service that limits its callers may answer; both may carry Retry-After.
_TOO_MANY, _OVERLOADED = 429, 503
# What no guard before a service answers, but the service itself, even with a page.
_UNAUTHORISED = 401
_FIRST_WAIT = 60.0
_LONGEST_WAIT = 3600.0
_LONGEST_ASKED_FOR = 86_400.0
# The part of the time for a reading that may go by with waiting for a turn.
_PATIENCE = 0.6
_LOCAL_NAMES = (
    ".local",
    ".localhost",
    ".localdomain",
    ".lan",
    ".home",
    ".home.arpa",
    ".internal",
    ".intranet",
    ".fritz.box",
)


class RateLimited(InvalidReply):
    """The service has asked to be left alone for a while."""


class NoTurn(RateLimited):
    """The turns that are left in the time for a reading have all been taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a service is: ``base`` is put before every path, without a slash after."""

    host: str
    port: int
    secure: bool
    base: str = ""


def is_public(host: str) -> bool:
    """Tell whether a host is on the internet, going by its name or address alone."""
    if (address := literal(host)) is not None:
        return address.is_global
    name = host.rstrip(".").lower()
    return "." in name and not name.endswith(_LOCAL_NAMES)


def endpoint(
    text: str,
    *,
    ports: tuple[int, int],
    port: int | None = None,
    secure: bool | None = None,
) -> Endpoint:
    """Read ``host``, ``host:port`` or ``http[s]://host[:port][/base]``.

    ``ports`` are those of https and of http when none is given. Without a scheme and
    without ``secure``, hosts on the internet are asked by https, all others by http.

    Raises:
        InvalidTarget: it is none of these.
    """
    scheme, found, rest = text.strip().rpartition("://")
    if found and scheme.lower() not in ("http", "https"):
        raise InvalidTarget(f"{scheme!r} is neither http nor https")
    address, _, path = rest.partition("/")
    target = single(address.rpartition("@")[2])
    if secure is None:
        secure = scheme.lower() == "https" if found else is_public(target.host)
    base = path.partition("?")[0].partition("#")[0].strip("/")
    return Endpoint(
        host=target.host,
        port=port or target.port or ports[0 if secure else 1],
        secure=secure,
        base=f"/{base}" if base else "",
    )


class Turns:
    """When a service may be asked next, kept by all who ask it from here."""

    __slots__ = ("__weakref__", "_free_at", "_held_until", "_strikes")

    def __init__(self) -> None:
        """Begin with a service that was never asked."""
        self._free_at = 0.0
        self._held_until = 0.0
        self._strikes = 0

    def held(self, now: float) -> float:
        """Return for how many seconds more the service is to be left alone."""
        return max(0.0, self._held_until - now)

    def take(self, now: float, spacing: float, latest: float) -> float | None:
        """Reserve the next turn and return when it is; ``None``: not by ``latest``."""
        at = max(now, self._free_at)
        if at > max(now, latest):
            return None
        self._free_at = at + spacing
        return at

    def hold(self, now: float, asked_for: float | None) -> float:
        """Leave the service alone for as long as it asks, longer each time in a row."""
        wait = min(_FIRST_WAIT * float(2**self._strikes), _LONGEST_WAIT)
        if asked_for is not None:
            asked_for = min(asked_for, _LONGEST_ASKED_FOR)
            wait = max(asked_for, wait) if self._strikes else asked_for
        self._strikes = min(self._strikes + 1, 16)
        self._held_until = max(self._held_until, now + wait)
        return wait

    def answered(self) -> None:
        """Note that the service serves again."""
        self._strikes = 0


# Limits are counted for the address that asks, not for the account it asks about.
_turns: WeakValueDictionary[tuple[str, int], Turns] = WeakValueDictionary()


@cache
def _system_trust() -> ssl.SSLContext:
    return ssl.create_default_context()


class WebApi:
    """Requests to a web service, ``spacing`` seconds apart whoever makes them.

    A host on the internet must prove who it is, even where the session that was given
    trusts any certificate, as it may for devices of the own network.
    """

    def __init__(self, wire: Wire, where: Endpoint, *, spacing: float) -> None:
        """Describe the service; everybody in this process shares its turns."""
        self.host = where.host
        self.spacing = spacing
        self.clock = monotonic
        self.sleep = sleep
        self._http = HttpClient(wire, where.port, secure=where.secure, base=where.base)
        self._public = is_public(where.host)
        self._patience = wire.timeout * _PATIENCE
        self._latest = 0.0
        key = (where.host.lower(), where.port)
        self._turns = _turns.setdefault(key, Turns())

    def begin(self) -> None:
        """Begin a reading: what gets no turn soon enough is left for the next one."""
        self._latest = self.clock() + self._patience

    async def ask(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Wait for a turn, send a request and return the reply.

        Raises:
            RateLimited: it wants to be left alone; while it does, nothing is sent.
            NoTurn: it will not be free in time; nothing was sent.
            InvalidReply: it answered with a web page, or not in HTTP.
            DeviceUnreachable, DeviceTimeout: see ``HttpClient``.
        """
        await self._wait_for_turn()
        if self._public and self._http.trust is None and self._http.secure:
            # Reading the authorities of the system takes too long for the event loop.
            self._http.trust = await to_thread(_system_trust)
        response = await self._http.request(method, path, json=json, headers=headers)
        self._check(response)
        return response

    async def _wait_for_turn(self) -> None:
        now = self.clock()
        if held := self._turns.held(now):
            raise RateLimited(f"{self.host} asks to wait {held:.0f} s more")
        at = self._turns.take(now, self.spacing, self._latest)
        if at is None:
            raise NoTurn(
                f"{self.host} is asked once in {self.spacing:g} s; "
                "this comes with a later reading"
            )
        if at > now:
            await self.sleep(at - now)

    def _check(self, response: Response) -> None:
        status = response.status
        asked_for = retry_after(response.headers.get("Retry-After"))
        if status == _TOO_MANY or (status == _OVERLOADED and asked_for is not None):
            wait = self._turns.hold(self.clock(), asked_for)
            raise RateLimited(
                f"{self.host} asks to wait {wait:.0f} s (HTTP status {status})"
            )
        self._turns.answered()
        if status == _UNAUTHORISED:
            return
        kind = response.headers.get("Content-Type", "")
        if "html" in kind.lower() or response.body.lstrip()[:1] == b"<":
            raise InvalidReply(
                f"{self.host} answered with a web page (HTTP status {status})"
            )


def retry_after(value: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for, number or date."""
    if not value:
        return None
    text = value.strip()
    if text.isascii() and text.isdecimal():
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except ValueError, IndexError:
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max(0.0, (date - datetime.now(UTC)).total_seconds())

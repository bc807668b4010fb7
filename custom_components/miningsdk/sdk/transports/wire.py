"""What all transports of one device share: its address, limits and connections."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
import errno
import socket

import aiohttp

from ..errors import DeviceTimeout, DeviceUnreachable

# A device that needs more than this to describe itself is not one of ours.
MAXIMUM_REPLY = 1_048_576
# A device that says nothing for so long, in s, is gone, as far as a reading goes.
_SILENCE = 4.0


@dataclass(slots=True, kw_only=True, eq=False)
class Wire:
    """The way to one device.

    At most two connections are open at once. ``session`` is made on first use
    when none was given, and then closed with the wire.
    """

    host: str
    connect_timeout: float = 2.0
    timeout: float = 10.0
    session: aiohttp.ClientSession | None = None
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    # Whether a reading is under way, which is given up on soon: another one follows.
    reading: bool = False
    _own: bool = False

    @property
    def patience(self) -> float:
        """Return for how many seconds a device may keep silent after a question."""
        return min(self.timeout, _SILENCE) if self.reading else self.timeout

    def get_session(self) -> aiohttp.ClientSession:
        """Return the session of the caller, or one of our own."""
        if self.session is None:
            self.session = aiohttp.ClientSession(
                cookie_jar=aiohttp.DummyCookieJar(),
                # The system's own resolver knows the names that end in .local.
                connector=aiohttp.TCPConnector(
                    limit_per_host=2,
                    keepalive_timeout=75,
                    resolver=aiohttp.ThreadedResolver(),
                ),
            )
            self._own = True
        return self.session

    async def close(self) -> None:
        """Close what the wire itself opened."""
        if self._own and self.session is not None:
            await self.session.close()
            self.session, self._own = None, False

    def unreachable(self, port: int, error: OSError | None = None) -> DeviceUnreachable:
        """Return the error for a connection that could not be made."""
        return DeviceUnreachable(f"{self.host} port {port}: {reason(error)}")

    def silent(self, port: int) -> DeviceTimeout:
        """Return the error for an answer that did not come in time."""
        return DeviceTimeout(f"{self.host} port {port}: no answer in time")


def reason(error: OSError | None) -> str:
    """Say in a few words why a connection failed."""
    if error is None:
        return "no connection in time"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return "connection reset by the device"
    if isinstance(error, socket.gaierror):
        return "unknown host name"
    if error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN):
        return "no route to the device"
    return (error.strerror or type(error).__name__).lower()


@dataclass(frozen=True, slots=True)
class Probe:
    """One harmless question to one port, asked of a host that is not known yet.

    ``ask`` gets the wire and the port, and returns the answer as text. Two drivers
    that share a probe cost one question.
    """

    name: str
    port: int
    ask: Callable[[Wire, int], Awaitable[str]] = field(compare=False)

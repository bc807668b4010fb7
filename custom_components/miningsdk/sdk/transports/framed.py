"""JSON in frames: four bytes of length, little-endian, then as much JSON.

One connection carries any number of requests, one after the other. A frame of
length zero is a sign of life and answers nothing.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast, override

import orjson

from ..errors import InvalidReply
from .json_reply import lenient
from .limit import time_limit
from .wire import MAXIMUM_REPLY, Wire

_HEADER = 4
_CUT_OFF = "the device closed before its reply was whole"


class HungUp(InvalidReply):
    """The device closed without a word."""


class Link(asyncio.Protocol):
    """One connection, on which requests are asked in turn."""

    def __init__(self, wire: Wire, port: int) -> None:
        """Prepare for the connection that ``open_link`` makes."""
        self._wire = wire
        self._port = port
        self._buffer = bytearray()
        self._transport: asyncio.Transport
        self._frame: asyncio.Future[bytes] | None = None
        self._lost: Exception | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    @override
    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= _HEADER:
            length = int.from_bytes(self._buffer[:_HEADER], "little")
            if length > MAXIMUM_REPLY:
                self._fail(InvalidReply("the reply is larger than 1 MiB"))
                return
            if len(self._buffer) < _HEADER + length:
                return
            body = bytes(self._buffer[_HEADER : _HEADER + length])
            del self._buffer[: _HEADER + length]
            if body and self._frame is not None and not self._frame.done():
                self._frame.set_result(body)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if isinstance(exc, OSError):
            self._fail(exc)
        elif self._buffer:
            self._fail(InvalidReply(_CUT_OFF))
        else:
            self._fail(HungUp("the device closed without a reply"))

    def _fail(self, error: Exception) -> None:
        self._lost = self._lost or error
        if self._frame is not None and not self._frame.done():
            self._frame.set_exception(error)
        self._transport.close()

    async def ask(self, request: object) -> dict[str, Any]:
        """Send a request and return the object that answers it.

        Raises:
            DeviceUnreachable: the connection broke off.
            DeviceTimeout: no whole reply came in time.
            HungUp: the device closed without a reply.
            InvalidReply: the reply is no object in JSON.
        """
        body = orjson.dumps(request)
        self._frame = asyncio.get_running_loop().create_future()
        if self._lost is not None:
            self._frame.set_exception(self._lost)
        self._transport.write(len(body).to_bytes(_HEADER, "little") + body)
        try:
            async with time_limit(self._wire.patience):
                reply = lenient(await self._frame)
        except TimeoutError:
            raise self._wire.silent(self._port) from None
        except OSError as error:
            raise self._wire.unreachable(self._port, error) from None
        if not isinstance(reply, dict):
            raise InvalidReply("the reply is not an object")
        return reply

    @property
    def is_lost(self) -> bool:
        """Tell whether the connection has ended."""
        return self._lost is not None

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()


async def connect_link(wire: Wire, port: int) -> Link:
    """Connect for as long as both sides like; close the link in the end.

    Raises:
        DeviceUnreachable: no connection.
    """
    link = Link(wire, port)
    try:
        async with time_limit(wire.connect_timeout):
            await asyncio.get_running_loop().create_connection(
                lambda: link, wire.host, port
            )
    except TimeoutError:
        raise wire.unreachable(port) from None
    except OSError as error:
        raise wire.unreachable(port, error) from None
    return link


@asynccontextmanager
async def open_link(wire: Wire, port: int) -> AsyncGenerator[Link]:
    """Connect for a few requests.

    Raises:
        DeviceUnreachable: no connection.
    """
    async with wire.slots:
        link = await connect_link(wire, port)
        try:
            yield link
        finally:
            link.close()

"""One request and its reply over a plain TCP connection."""

import asyncio
from collections.abc import Callable
from typing import cast, override

from ..errors import InvalidReply
from .wire import MAXIMUM_REPLY, Wire

# Gets all that has come so far and whether the device has closed; returns the
# decoded reply, or None while there is more to come.
type Decoder[T] = Callable[[bytes, bool], T | None]


class _Exchange[T](asyncio.Protocol):
    """Send a request as soon as the connection stands and decode what comes back.

    Streams cost twice the CPU of a protocol, and this runs for every poll.
    """

    def __init__(self, request: bytes, decode: Decoder[T]) -> None:
        self._request = request
        self._decode = decode
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self.reply: asyncio.Future[T] = asyncio.get_running_loop().create_future()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._request)

    @override
    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if len(self._buffer) > MAXIMUM_REPLY:
            self._finish(InvalidReply("the reply is larger than 1 MiB"))
        else:
            self._try(closed=False)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self.reply.done():
            return
        if isinstance(exc, OSError):
            self._finish(exc)
        else:
            self._try(closed=True)
        if not self.reply.done():
            self._finish(InvalidReply("the device closed before its reply was whole"))

    def _try(self, *, closed: bool) -> None:
        if self.reply.done():
            return
        try:
            decoded = self._decode(bytes(self._buffer), closed)
        except InvalidReply as error:
            self._finish(error)
        else:
            if decoded is not None:
                self._finish(decoded)

    def _finish(self, outcome: T | Exception) -> None:
        if not self.reply.done():
            if isinstance(outcome, Exception):
                self.reply.set_exception(outcome)
            else:
                self.reply.set_result(outcome)
        if self._transport is not None:
            self._transport.close()


async def exchange[T](wire: Wire, port: int, request: bytes, decode: Decoder[T]) -> T:
    """Send one request on a connection of its own and return the decoded reply.

    Raises:
        DeviceUnreachable: no connection, or it broke off.
        DeviceTimeout: the connection stood, but no whole reply came.
        InvalidReply: the reply cannot be decoded.
    """
    loop = asyncio.get_running_loop()
    async with wire.slots:
        try:
            async with asyncio.timeout(wire.connect_timeout):
                transport, protocol = await loop.create_connection(
                    lambda: _Exchange(request, decode), wire.host, port
                )
        except TimeoutError:
            raise wire.unreachable(port) from None
        except OSError as error:
            raise wire.unreachable(port, error) from None
        try:
            async with asyncio.timeout(wire.patience):
                return await protocol.reply
        except TimeoutError:
            raise wire.silent(port) from None
        except OSError as error:
            raise wire.unreachable(port, error) from None
        finally:
            transport.close()

"""One request and its reply over a plain TCP connection."""

import asyncio
from collections.abc import Callable
from functools import cache
import socket

from ..errors import InvalidReply
from ..targets import literal
from .limit import time_limit
from .wire import MAXIMUM_REPLY, Wire

# Gets all that has come so far and whether the device has closed; returns the
# decoded reply, or None while there is more to come.
type Decoder[T] = Callable[[bytes, bool], T | None]

_CHUNK = 65_536


async def exchange[T](wire: Wire, port: int, request: bytes, decode: Decoder[T]) -> T:
    """Send one request on a connection of its own and return the decoded reply.

    Raises:
        DeviceUnreachable: no connection, or it broke off.
        DeviceTimeout: the connection stood, but no whole reply came.
        InvalidReply: the reply cannot be decoded.
    """
    sock = None
    async with wire.slots:
        try:
            async with time_limit(wire.connect_timeout) as limit:
                sock = await _connect(wire.host, port)
                limit.restart(wire.patience)
                return await _ask(sock, request, decode)
        except TimeoutError:
            error = wire.unreachable(port) if sock is None else wire.silent(port)
            raise error from None
        except OSError as error:
            raise wire.unreachable(port, error) from None
        finally:
            if sock is not None:
                sock.close()


async def _connect(host: str, port: int) -> socket.socket:
    """Return a connected socket.

    Transports and streams of asyncio cost a fifth to a half more CPU than the socket
    itself, and this runs for every poll.
    """
    if _is_address(host):
        return await _connect_address(host, port)
    return await _connect_name(host, port)


@cache
def _is_address(host: str) -> bool:
    return literal(host) is not None


async def _connect_name(host: str, port: int) -> socket.socket:
    """Connect to the first address of a name that takes it."""
    found = await asyncio.get_running_loop().getaddrinfo(
        host, port, type=socket.SOCK_STREAM
    )
    problem = OSError("the name has no address")
    for address in dict.fromkeys(str(item[4][0]) for item in found):
        try:
            return await _connect_address(address, port)
        except OSError as error:
            problem = error
    raise problem


async def _connect_address(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, (address, port))
    except BaseException:
        sock.close()
        raise
    return sock


async def _ask[T](sock: socket.socket, request: bytes, decode: Decoder[T]) -> T:
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(sock, request)
    buffer = bytearray()
    while data := await loop.sock_recv(sock, _CHUNK):
        buffer += data
        if len(buffer) > MAXIMUM_REPLY:
            raise InvalidReply("the reply is larger than 1 MiB")
        if (decoded := decode(bytes(buffer), False)) is not None:
            return decoded
    if (decoded := decode(bytes(buffer), True)) is None:
        raise InvalidReply("the device closed before its reply was whole")
    return decoded

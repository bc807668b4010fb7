"""What all simulated devices share: sockets on loopback, and trouble on demand."""

from abc import ABC, abstractmethod
import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from enum import StrEnum
import socket
import ssl
import struct
from typing import ClassVar, Self

from aiohttp import web
from aiohttp.typedefs import Handler


class Trouble(StrEnum):
    """How a device can misbehave on the wire."""

    NONE = "none"
    SILENT = "silent"  # takes the connection and never answers
    CLOSED = "closed"  # closes without an answer
    RESET = "reset"  # resets the connection
    GARBAGE = "garbage"  # answers bytes that mean nothing
    TRUNCATED = "truncated"  # answers half of the reply
    HUGE = "huge"  # answers more than 1 MiB
    WRONG_TYPES = "wrong_types"  # answers valid JSON of another shape


GARBAGE = b"\xff\xfe\x00<html>not what you asked for</html>\x80"
HUGE = b'{"x": "' + b"A" * 1_500_000 + b'"}'
WRONG_TYPES = b'{"STATUS": 5, "SUMMARY": "text", "code": [], "msg": 1, "temp": {}}'


REPLIES = {
    Trouble.GARBAGE: GARBAGE,
    Trouble.HUGE: HUGE,
    Trouble.WRONG_TYPES: WRONG_TYPES,
}


class SimulatedDevice(ABC):
    """One device on one loopback address, on its real ports plus ``offset``.

    ``requests`` counts what was asked (round trips); ``connections`` and
    ``most_connections`` count open sockets. ``body`` replaces every reply's bytes.
    """

    ports: ClassVar[tuple[int, ...]]

    def __init__(self, host: str = "127.0.0.1", *, offset: int = 0) -> None:
        """Describe a device that is not switched on yet."""
        self.host = host
        self.offset = offset
        self.trouble = Trouble.NONE
        self.body: bytes | None = None
        self.delay = 0.0
        self.requests = 0
        self.connections = 0
        self.most_connections = 0
        self._servers: list[asyncio.Server] = []
        self._runners: list[web.AppRunner] = []
        self._tasks: set[asyncio.Task[None]] = set()

    @abstractmethod
    async def start(self) -> None:
        """Open the ports; call ``listen`` and ``serve_http``."""

    def port(self, default: int) -> int:
        """Return the port on which this device really listens."""
        return default + self.offset

    @property
    def address(self) -> str:
        """Return ``host`` or ``host:port``, as a user would type it."""
        if not self.offset:
            return self.host
        return f"{self.host}:{self.port(self.ports[0])}"

    async def stop(self) -> None:
        """Switch the device off: its ports refuse, open connections break."""
        for server in self._servers:
            server.close()
        for task in list(self._tasks):
            task.cancel()
        for runner in self._runners:
            await runner.cleanup()
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        self._servers.clear()
        self._runners.clear()

    async def __aenter__(self) -> Self:
        """Switch the device on."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Switch the device off."""
        await self.stop()

    async def listen(
        self,
        default_port: int,
        serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    ) -> None:
        """Open a raw TCP port; ``serve`` handles one connection."""

        async def handle(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._tasks.add(task)
            self._opened()
            try:
                await serve(reader, writer)
                with suppress(ConnectionError):
                    await writer.drain()
            except ConnectionError, asyncio.IncompleteReadError, TimeoutError:
                pass
            except asyncio.CancelledError:
                writer.transport.abort()
            finally:
                self.connections -= 1
                self._tasks.discard(task)
                writer.close()

        self._servers.append(
            await asyncio.start_server(
                handle, self.host, self.port(default_port), backlog=256
            )
        )

    def _opened(self) -> None:
        self.connections += 1
        self.most_connections = max(self.most_connections, self.connections)

    async def answer(self, writer: asyncio.StreamWriter, reply: bytes) -> None:
        """Write a reply to a raw TCP connection, with the trouble that is set."""
        self.requests += 1
        if self.delay:
            await asyncio.sleep(self.delay)
        mangled = await self.mangle(reply)
        if mangled is None:
            if self.trouble is Trouble.RESET:
                reset(writer.transport)
            return
        writer.write(mangled)

    async def mangle(self, reply: bytes) -> bytes | None:
        """Return what goes onto the wire instead of the reply; ``None``: nothing."""
        if self.body is not None:
            return self.body
        if self.trouble is Trouble.SILENT:
            await asyncio.sleep(3600)
        if self.trouble in (Trouble.CLOSED, Trouble.RESET):
            return None
        if self.trouble is Trouble.TRUNCATED:
            return reply[: len(reply) // 2]
        return REPLIES.get(self.trouble, reply)

    async def serve_http(
        self,
        default_port: int,
        app: web.Application,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Open an HTTP port for an application, with the trouble that is set."""
        app.middlewares.append(self._trouble_middleware)
        # A handler that keeps silent ends with its client, not with the device.
        runner = web.AppRunner(
            app,
            access_log=None,
            keepalive_timeout=75,
            handler_cancellation=True,
            shutdown_timeout=0.5,
        )
        await runner.setup()
        await web.TCPSite(
            runner, self.host, self.port(default_port), backlog=256, ssl_context=tls
        ).start()
        self._runners.append(runner)

    @web.middleware
    async def _trouble_middleware(
        self, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        self.requests += 1
        self._opened()
        try:
            return await self._troubled(request, handler)
        finally:
            self.connections -= 1

    async def _troubled(
        self, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        if self.delay:
            await asyncio.sleep(self.delay)
        transport = request.transport
        if self.trouble in (Trouble.CLOSED, Trouble.RESET) and transport is not None:
            if self.trouble is Trouble.RESET:
                reset(transport)
            transport.abort()
            raise web.HTTPInternalServerError
        response = await handler(request)
        if self.body is None and self.trouble is Trouble.NONE:
            return response
        whole = response.body if isinstance(response, web.Response) else b""
        reply = whole if isinstance(whole, bytes) else b""
        mangled = await self.mangle(reply) or b""
        if self.trouble is Trouble.TRUNCATED and transport is not None:
            half = web.StreamResponse(status=response.status)
            half.content_length = len(reply) + 1
            await half.prepare(request)
            await half.write(mangled)
            transport.close()
            return half
        return web.Response(status=response.status, body=mangled)


def reset(transport: asyncio.BaseTransport) -> None:
    """Close a connection with RST instead of FIN."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        with suppress(OSError):
            sock.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
    assert isinstance(transport, asyncio.Transport)
    transport.abort()

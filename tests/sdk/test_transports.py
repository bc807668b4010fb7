"""The wires: plain TCP, the cgminer socket and HTTP, with all their trouble."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
import errno
import json
import socket
from typing import Any

import aiohttp
from aiohttp import web
import pytest

from custom_components.miningsdk.sdk import (
    AuthenticationFailed,
    CommandFailed,
    DeviceTimeout,
    DeviceUnreachable,
    InvalidReply,
    MiningSDKError,
    NotSupported,
)
from custom_components.miningsdk.sdk.transports import cgminer
from custom_components.miningsdk.sdk.transports.http import HttpClient, ask_page
from custom_components.miningsdk.sdk.transports.json_reply import (
    decode_stream,
)
from custom_components.miningsdk.sdk.transports.tcp import exchange
from custom_components.miningsdk.sdk.transports.wire import (
    MAXIMUM_REPLY,
    Wire,
    reason,
)
from tests.conftest import loopback_address
from tests.sdk.fakes import SilentHosts
from tests.simulators.base import reset

# The wires.


type Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(
    serve: Serve, host: str = "127.0.0.1"
) -> AsyncGenerator[tuple[Wire, int]]:
    """Serve raw TCP on a free port; yield a wire to it and the port."""

    handlers: set[asyncio.Task[None] | None] = set()

    async def handle(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        handlers.add(asyncio.current_task())
        with suppress(ConnectionError):
            await serve(reader, writer)
        writer.close()

    server = await asyncio.start_server(handle, host, 0)
    wire = Wire(host=host, connect_timeout=1, timeout=1)
    try:
        yield wire, server.sockets[0].getsockname()[1]
    finally:
        await wire.close()
        server.close()
        server.close_clients()
        await asyncio.gather(*filter(None, handlers), return_exceptions=True)


def replying(*parts: bytes) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.01)

    return serve


async def hanging(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def resetting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1000)
    reset(writer.transport)


async def ask(wire: Wire, port: int) -> Any:
    return await exchange(wire, port, b"question", decode_stream)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize(
    "parts",
    [
        (b'{"a": 1}',),
        (b'{"a"', b": 1", b"}\x00"),
        (b'{"a": 1,}',),
        (b'{"a": 1}\n',),
    ],
)
async def test_tcp_replies(host: str, parts: tuple[bytes, ...]) -> None:
    async with serving(replying(*parts), host) as (wire, port):
        assert await ask(wire, port) == {"a": 1}


async def test_tcp_reply_of_a_device_that_keeps_the_connection() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'{"a": 1}')
        await reader.read()

    async with serving(serve) as (wire, port):
        assert await ask(wire, port) == {"a": 1}


@pytest.mark.parametrize(
    ("serve", "error", "words"),
    [
        (hanging, DeviceTimeout, "no answer in time"),
        (resetting, DeviceUnreachable, "connection reset by the device"),
        (replying(b""), InvalidReply, "closed without a reply"),
        (replying(b'{"a": '), InvalidReply, "not JSON"),
        (replying(b'{"a": "' + b"x" * MAXIMUM_REPLY + b'"}'), InvalidReply, "1 MiB"),
        (replying(b'{"a": "' + b"x" * 1000), InvalidReply, "not JSON"),
    ],
)
async def test_tcp_trouble(
    serve: Serve, error: type[MiningSDKError], words: str
) -> None:
    async with serving(serve) as (wire, port):
        wire.timeout = 0.3
        with pytest.raises(error, match=words):
            await ask(wire, port)


async def test_tcp_reply_that_is_just_small_enough() -> None:
    size = MAXIMUM_REPLY - len(b'{"a": ""}')
    async with serving(replying(b'{"a": "' + b"x" * size + b'"}')) as (wire, port):
        assert len((await ask(wire, port))["a"]) == size


async def test_tcp_to_nobody() -> None:
    wire = Wire(host=loopback_address())
    with pytest.raises(DeviceUnreachable, match="port 4: connection refused"):
        await ask(wire, 4)


async def test_tcp_to_a_silent_host() -> None:
    with SilentHosts() as silent:
        host = loopback_address()
        silent.add(host, 24777)
        wire = Wire(host=host, connect_timeout=0.05)
        with pytest.raises(DeviceUnreachable, match="no connection in time"):
            await ask(wire, 24777)
        with pytest.raises(DeviceUnreachable, match="no connection in time"):
            await HttpClient(wire, 24777).request("GET", "/")
        await wire.close()


async def test_no_more_than_two_connections_at_once() -> None:
    now, most = 0, 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await reader.read(1000)
        await asyncio.sleep(0.01)
        now -= 1
        writer.write(b"{}")

    async with serving(serve) as (wire, port):
        await asyncio.gather(*(ask(wire, port) for _ in range(6)))
    assert most == 2


async def test_a_cancelled_exchange_frees_its_slot() -> None:
    async with serving(hanging) as (wire, port):
        tasks = [asyncio.create_task(ask(wire, port)) for _ in range(2)]
        await asyncio.sleep(0.02)
        assert wire.slots.locked()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert not wire.slots.locked()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (None, "no connection in time"),
        (ConnectionRefusedError(), "connection refused"),
        (BrokenPipeError(), "connection reset by the device"),
        (socket.gaierror(-2, "Name or service not known"), "unknown host name"),
        (OSError(errno.EHOSTUNREACH, "No route"), "no route to the device"),
        (OSError(errno.EMFILE, "Too many open files"), "too many open files"),
        (OSError(), "oserror"),
    ],
)
def test_reasons(error: OSError | None, expected: str) -> None:
    assert reason(error) == expected


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ([{"STATUS": "S", "Msg": "fine"}], None),
        ({"STATUS": "I"}, None),
        ("S", None),
        (None, None),
        (5, None),
        ([{"STATUS": "E", "Code": 14, "Msg": "Invalid command"}], NotSupported),
        ([{"STATUS": "E", "Code": 45, "Msg": "Access denied"}], NotSupported),
        ([{"STATUS": "E", "Code": 7, "Msg": "Too hot"}], CommandFailed),
        ([{"STATUS": "F"}], CommandFailed),
        ("E", CommandFailed),
    ],
)
async def test_cgminer_status(
    status: object, error: type[MiningSDKError] | None
) -> None:
    reply = json.dumps({"STATUS": status, "x": 1}).encode() + b"\x00"
    async with serving(replying(reply)) as (wire, port):
        if error is None:
            assert (await cgminer.command(wire, port, "version"))["x"] == 1
        else:
            with pytest.raises(error, match="the device refused"):
                await cgminer.command(wire, port, "version", "parameter")


async def test_cgminer_reply_that_is_no_object() -> None:
    async with serving(replying(b"[1]")) as (wire, port):
        with pytest.raises(InvalidReply, match="not an object"):
            await cgminer.command(wire, port, "version")


async def test_cgminer_request_on_the_wire() -> None:
    asked: list[Any] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(json.loads(await reader.read(1000)))
        writer.write(b"{}")

    async with serving(serve) as (wire, port):
        await cgminer.command(wire, port, "summary+pools")
        await cgminer.command(wire, port, "ascset", "0,led,1", token="t")
        await cgminer.VERSION.ask(wire, port)
    assert asked == [
        {"command": "summary+pools"},
        {"command": "ascset", "parameter": "0,led,1", "token": "t"},
        {"command": "version"},
    ]


# HTTP.


@asynccontextmanager
async def site(
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    host: str = "127.0.0.1",
) -> AsyncGenerator[HttpClient]:
    """Serve HTTP on a free port; yield a client to it."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, host, 0).start()
    wire = Wire(host=host, connect_timeout=1, timeout=1)
    try:
        yield HttpClient(wire, runner.addresses[0][1])
    finally:
        await wire.close()
        await runner.cleanup()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_http_requests(host: str) -> None:
    asked: list[tuple[str, str, str]] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append((request.method, request.path_qs, await request.text()))
        return web.Response(body=b'{"a": 1,}\x00', headers={"X-Model": "S19"})

    async with site(handler, host) as client:
        assert await client.get_json("/cgi-bin/x.cgi?_=%2F1") == {"a": 1}
        response = await client.request(
            "POST", "/set", json={"b": 2}, headers={"Referer": "x"}
        )
        assert (response.status, response.headers["x-model"]) == (200, "S19")
        await client.request("POST", "/form", data={"c": "3"})
    assert asked == [
        ("GET", "/cgi-bin/x.cgi?_=%2F1", ""),
        ("POST", "/set", '{"b": 2}'),
        ("POST", "/form", "c=3"),
    ]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (200, None),
        (204, None),
        (301, InvalidReply),
        (401, AuthenticationFailed),
        (403, AuthenticationFailed),
        (404, NotSupported),
        (405, NotSupported),
        (500, InvalidReply),
        (501, NotSupported),
    ],
)
async def test_http_status(status: int, error: type[MiningSDKError] | None) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": "http://10.0.0.1/"})

    async with site(handler) as client:
        # A redirect is not followed: it might lead anywhere.
        response = await client.request("GET", "/")
        assert response.status == status
        if error is None:
            response.raise_for_status()
        else:
            with pytest.raises(error):
                response.raise_for_status()


async def test_http_pages_to_look_into() -> None:
    async def handler(_: web.Request) -> web.Response:
        headers = {"WWW-Authenticate": 'Digest realm="x"'}
        return web.Response(status=401, text="y" * 2_000_000, headers=headers)

    async with site(handler) as client:
        page = await ask_page(client.wire, client.port, "/")
    assert page.startswith("HTTP 401\n")
    assert 'WWW-Authenticate: Digest realm="x"' in page
    assert 4096 <= len(page) < 5000


@pytest.mark.parametrize("chunked", [False, True])
async def test_http_reply_over_one_mebibyte(chunked: bool) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        if not chunked:
            response.content_length = MAXIMUM_REPLY + 1
        await response.prepare(request)
        await response.write(b"x" * (MAXIMUM_REPLY + 1))
        return response

    async with site(handler) as client:
        with pytest.raises(InvalidReply, match="larger than 1 MiB"):
            await client.request("GET", "/")


@pytest.mark.parametrize(
    ("serve", "error", "words"),
    [
        (hanging, DeviceTimeout, "no answer in time"),
        (resetting, DeviceUnreachable, "connection reset"),
        (replying(b""), DeviceUnreachable, "connection reset"),
        (replying(b"SSH-2.0-x\r\n\r\n"), InvalidReply, "does not speak HTTP"),
        (
            replying(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort"),
            InvalidReply,
            "before its reply was whole",
        ),
        (
            replying(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{"),
            InvalidReply,
            "JSON",
        ),
    ],
)
async def test_http_trouble(
    serve: Serve, error: type[MiningSDKError], words: str
) -> None:
    async with serving(serve) as (wire, port):
        wire.timeout = 0.3
        with pytest.raises(error, match=words):
            await HttpClient(wire, port).get_json("/")


async def test_http_that_stops_in_the_middle() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort")
        await reader.read()
        await reader.read()

    async with serving(serve) as (wire, port):
        wire.timeout = 0.2
        with pytest.raises(DeviceTimeout):
            await HttpClient(wire, port).request("GET", "/")


async def test_http_to_nobody() -> None:
    wire = Wire(host=loopback_address())
    with pytest.raises(DeviceUnreachable, match="connection refused"):
        await HttpClient(wire, 4).request("GET", "/")
    await wire.close()


async def test_a_wire_closes_only_its_own_session() -> None:
    wire = Wire(host="127.0.0.1")
    own = wire.get_session()
    assert wire.get_session() is own
    await wire.close()
    assert own.closed
    async with aiohttp.ClientSession() as session:
        given_one = Wire(host="127.0.0.1", session=session)
        await given_one.close()
        assert given_one.get_session() is session
        assert not session.closed

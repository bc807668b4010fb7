"""A login that is asked for once, holds, expires, and is never tried in a loop."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

from aiohttp import web
from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.miningsdk.sdk import AuthenticationFailed
from custom_components.miningsdk.sdk.transports.http import HttpClient
from custom_components.miningsdk.sdk.transports.login import LoginClient
from custom_components.miningsdk.sdk.transports.wire import Wire
from tests.conftest import loopback_address


class Door:
    """A web server behind a login; ``tokens`` are those that it accepts now."""

    def __init__(self) -> None:
        self.password = "right"
        self.tokens: set[str] = set()
        self.logins = 0
        self.forgetful = False

    async def log_in(self, request: web.Request) -> web.Response:
        self.logins += 1
        if (await request.json())["password"] != self.password:
            return web.Response(status=401)
        token = f"token{self.logins}"
        if not self.forgetful:
            self.tokens.add(token)
        return web.json_response({"token": token})

    async def inside(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") not in self.tokens:
            return web.Response(status=401)
        return web.json_response({"body": await request.text()})


@asynccontextmanager
async def opened(door: Door, password: str) -> AsyncGenerator[LoginClient]:
    app = web.Application()
    app.router.add_post("/login", door.log_in)
    app.router.add_route("*", "/inside", door.inside)
    runner = web.AppRunner(app)
    await runner.setup()
    host = loopback_address()
    await web.TCPSite(runner, host, 20080).start()
    wire = Wire(host=host)

    async def login(client: HttpClient) -> Mapping[str, str]:
        reply = await client.request("POST", "/login", json={"password": password})
        reply.raise_for_status()
        return {"Authorization": reply.json()["token"]}

    try:
        yield LoginClient(HttpClient(wire, 20080), login)
    finally:
        await wire.close()
        await runner.cleanup()


async def test_one_login_serves_many_requests() -> None:
    door = Door()
    async with opened(door, "right") as client:
        replies = await asyncio.gather(
            *(client.request("GET", "/inside") for _ in range(5))
        )
        assert {reply.status for reply in replies} == {200}
        assert door.logins == 1


async def test_an_expired_login_is_renewed_once() -> None:
    door = Door()
    async with opened(door, "right") as client:
        await client.request("GET", "/inside")
        door.tokens.clear()
        reply = await client.request("PUT", "/inside", json={"a": 1})
        assert reply.json() == {"body": '{"a": 1}'}
        assert door.logins == 2


async def test_a_wrong_password_is_not_tried_in_a_loop(
    freezer: FrozenDateTimeFactory,
) -> None:
    door = Door()
    async with opened(door, "wrong") as client:
        for _ in range(5):
            with pytest.raises(AuthenticationFailed):
                await client.request("GET", "/inside")
        assert door.logins == 1
        door.password = "wrong"
        freezer.tick(3601)
        assert (await client.request("GET", "/inside")).status == 200
        assert door.logins == 2


async def test_a_login_that_does_not_hold_is_a_refusal() -> None:
    door = Door()
    door.forgetful = True
    async with opened(door, "right") as client:
        for _ in range(3):
            with pytest.raises(AuthenticationFailed):
                await client.request("GET", "/inside")
        assert door.logins == 2


async def test_it_can_log_out() -> None:
    door = Door()
    async with opened(door, "right") as client:
        await client.request("GET", "/inside")
        client.log_out()
        await client.request("GET", "/inside")
        assert door.logins == 2

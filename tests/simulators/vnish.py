"""A simulated miner with VNish: its REST API on port 80, and the old one on 4028."""

import asyncio
from collections.abc import Callable
import time
from typing import Any, ClassVar, override

from aiohttp import web
import orjson

from tests.simulators import _vnish_replies as replies
from tests.simulators._vnish_replies import State
from tests.simulators.base import SimulatedDevice
from tests.simulators.families import Family

Row = dict[str, Any]
_PAGE = """<!DOCTYPE html><html><head><meta name="firmware" content="AnthillOS">
<title>Firmware</title></head><body><div id="app"></div></body></html>"""
_WRONG_ONES_ALLOWED = 3
_LOCKED_FOR = 60


class SimulatedVNish(SimulatedDevice):
    """One miner; attributes are its state and may be changed at any time.

    ``old`` makes it firmware 1.2, which cannot throttle and has no limit in W.
    ``restart_time`` is how many seconds the mining process needs to come back.
    ``ignores`` lists the paths that it takes and does nothing, ``refuses`` and
    ``refuses_writes`` those that it refuses with its words, ``missing`` those that it
    does not know, ``locked`` those that take a login beside the usual ones, and
    ``canned`` what it answers to some, whatever its state.
    """

    ports: ClassVar[tuple[int, ...]] = (80, 4028)

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        offset: int = 0,
        model: str = "Antminer S21 Pro",
        serial: str = "SIMVN00000000042",
        mac: str = "02:56:4e:00:00:42",
        firmware: str | None = None,
        password: str = "admin",
        api_keys: tuple[str, ...] = (),
        old: bool = False,
        scrypt: bool = False,
        water: bool = False,
        stopped: bool = False,
        restart_time: float = 0.0,
        restart_required: bool = True,
        seed: int = 1,
    ) -> None:
        """Describe a miner that is not switched on yet."""
        super().__init__(host, offset=offset)
        self.password = password
        self.api_keys = api_keys
        self.restart_time = restart_time
        self.restart_required = restart_required
        self.reboot_required = False
        self.state = State(
            model=model,
            serial=serial,
            mac=mac,
            firmware=firmware or ("1.2.7" if old else "1.3.4"),
            seed=seed,
            old=old,
            scrypt=scrypt,
            water=water,
            word="stopped" if stopped else "mining",
        )
        if water:
            self.state.cooling["mode"] = {"name": "immers"}
        self.ignores: set[str] = set()
        self.refuses: dict[str, str] = {}
        self.refuses_writes: dict[str, str] = {}
        self.locked: set[str] = set()
        self.missing: set[str] = set()
        self.canned: dict[str, bytes] = {}
        self.tokens: set[str] = set()
        self.unlocks = 0
        self.wrong = 0
        self.restarts = 0
        self.reboots = 0
        self.asked: list[str] = []
        self.posts: list[tuple[str, Any]] = []
        self._started = time.monotonic() - 5000 - 60 * seed
        self._restarted = 0.0

    @override
    async def start(self) -> None:
        """Open the ports."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        await self.serve_http(80, app)
        await self.listen(4028, self._serve_socket)

    def expire(self) -> None:
        """Have all tokens expire, as after a reboot."""
        self.tokens.clear()

    # The web server.

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if not request.path.startswith("/api/v1/"):
            return web.Response(text=_PAGE, content_type="text/html")
        path = request.path.removeprefix("/api/v1")
        self.asked.append(f"{request.method} {path}")
        self._pass_time()
        if path in self.missing:
            return web.Response(status=404)
        if path in self.canned:
            return web.Response(body=self.canned[path], content_type="application/json")
        if request.method != "POST":
            return self._serve_get(request, path)
        if path == "/unlock":
            return await self._unlock(request)
        return await self._serve_post(request, path)

    def _serve_get(self, request: web.Request, path: str) -> web.Response:
        if path in self.refuses:
            return _json({"err": self.refuses[path]}, 500)
        if path == "/auth-check":
            return _json({"unlock_timeout": None}, 200 if self._may(request) else 401)
        if path == "/status":
            return _json(replies.status(self.state, unlocked=self._may(request)))
        if (path in _LOCKED or path in self.locked) and not self._may(request):
            return web.Response(status=401)
        tell = _OPEN.get(path) or _LOCKED.get(path)
        return web.Response(status=404) if tell is None else _json(tell(self.state))

    def _may(self, request: web.Request) -> bool:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return token in self.tokens or request.headers.get("x-api-key") in self.api_keys

    async def _unlock(self, request: web.Request) -> web.Response:
        if self.wrong >= _WRONG_ONES_ALLOWED:
            return _json({"unlock_timeout": _LOCKED_FOR}, 429)
        if (await request.json()).get("pw") != self.password:
            self.wrong += 1
            return _json({"unlock_timeout": None}, 403)
        self.unlocks += 1
        token = f"sim.{self.unlocks}.token"
        self.tokens.add(token)
        return _json({"token": token})

    async def _serve_post(self, request: web.Request, path: str) -> web.Response:
        open_to_all = path in ("/find-miner", "/locate-miner")
        needs_login = path in self.locked or not open_to_all
        if needs_login and not self._may(request):
            return web.Response(status=401)
        text = await request.text()
        body = orjson.loads(text) if text else None
        self.posts.append((path, body))
        if words := self.refuses_writes.get(path) or self.refuses.get(path):
            return _json({"err": words}, 500)
        do = self._commands().get(path)
        if do is None:
            return web.Response(status=404)
        reply = {} if path in self.ignores else do(body)
        # Some commands answer with an empty body.
        return web.Response(status=200) if reply is None else _json(reply)

    def _commands(self) -> dict[str, Callable[[Any], Row | None]]:
        commands: dict[str, Callable[[Any], Row | None]] = {
            "/mining/stop": lambda _: self._become("stopped"),
            "/mining/start": lambda _: self._restart(),
            "/mining/pause": lambda _: self._become("paused"),
            "/mining/resume": lambda _: self._restart(),
            "/mining/restart": lambda _: self._restart(),
            "/system/reboot": lambda _: self._reboot(),
            "/settings": self._save,
            "/find-miner": self._find,
        }
        if not self.state.old:
            commands["/mining/throttle"] = self._throttle
            commands["/locate-miner"] = self._find
        return commands

    def _become(self, word: str) -> None:
        self.state.word = word

    def _restart(self) -> None:
        self.restarts += 1
        self._restarted = time.monotonic()
        self.state.word = "restarting"
        self._pass_time()

    def _pass_time(self) -> None:
        """Let what takes its time come about."""
        self.state.uptime = int(time.monotonic() - self._started)
        if self.state.word != "restarting":
            return
        if time.monotonic() - self._restarted >= self.restart_time:
            self.state.word = "mining"
            self._apply()

    def _apply(self) -> None:
        state = self.state
        state.preset = state.overclock["preset"]
        state.mined_pools = [dict(pool) for pool in state.pools]
        chains = state.overclock["chains"]
        state.off = {n for n, chain in enumerate(chains) if chain["disabled"]}

    def _reboot(self) -> Row:
        self.reboots += 1
        self.expire()
        self._started = time.monotonic()
        return {"after": 3}

    def _find(self, _: Any) -> Row:
        self.state.finding = not self.state.finding
        return {"on": self.state.finding}

    def _throttle(self, body: Any) -> Row:
        self.state.throttled = body["percent"]
        return {"restart_required": False, "reboot_required": False}

    def _save(self, body: Any) -> Row:
        """Take the parts that are there, each as a whole."""
        state = self.state
        for part, value in body["miner"].items():
            setattr(state, part, value)
        if not self.restart_required:
            self._apply()
        return {
            "restart_required": self.restart_required,
            "reboot_required": self.reboot_required,
        }

    # The old API, of which this firmware knows but a part.

    async def _serve_socket(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.read(4096)
        status = {"STATUS": "E", "Code": 0, "Msg": "Invalid command"}
        status |= {"When": int(time.time()), "Description": "cgminer 4.11.1"}
        await self.answer(writer, orjson.dumps({"STATUS": [status]}) + b"\x00")


def _json(body: object, status: int = 200) -> web.Response:
    return web.Response(
        body=orjson.dumps(body), status=status, content_type="application/json"
    )


_OPEN: dict[str, Callable[[State], object]] = {
    "/info": replies.info,
    "/model": replies.model,
    "/summary": replies.summary,
    "/perf-summary": replies.perf_summary,
    "/chains/factory-info": replies.factory_info,
}
_LOCKED: dict[str, Callable[[State], object]] = {
    "/settings": replies.settings,
    "/autotune/presets": replies.presets,
}
FAMILIES = (Family("vnish", SimulatedVNish, password="admin"),)

"""Simulated miners with Braiins OS: with the REST API, and with BOSminer alone."""

from collections.abc import Callable
import json
from typing import Any, ClassVar, override

from aiohttp import web

from tests.simulators._braiins_boser import BoserState
from tests.simulators._braiins_bosminer import SimulatedBosminer
from tests.simulators.families import Family

BASE = "/api/v1"
_PAGE = "<!doctype html><html><head><title>Braiins OS</title></head></html>"


class SimulatedBraiins(BoserState):
    """A miner with Braiins OS 25: REST behind a login, and BOSer on the socket.

    ``refusal`` has it refuse all that is written, in these words. ``not_now`` lists
    what it does not tell at present (412), ``absent`` what it does not have.
    """

    ports: ClassVar[tuple[int, ...]] = (80, 4028)

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        password: str = "root",
        has_rest: bool = True,
        has_socket: bool = True,
        **options: Any,
    ) -> None:
        """Describe a miner that is not switched on yet; see ``BoserState``."""
        super().__init__(host, **options)
        self.password = password
        self.has_rest = has_rest
        self.has_socket = has_socket
        self.refusal: str | None = None
        self.ignores_writes = False
        self.dies_at_reboot = False
        self.not_now: frozenset[str] = frozenset()
        self.absent: frozenset[str] = frozenset()
        self.tokens: set[str] = set()
        self.logins = 0
        self.reboots = 0
        self.asked_for: list[str] = []
        self.writes: list[tuple[str, str, Any]] = []

    @override
    async def start(self) -> None:
        """Open the ports."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve_web)
        await self.serve_http(80, app)
        if self.has_socket:
            await super().start()

    def expire(self) -> None:
        """Forget all logins, as the firmware does after an hour without requests."""
        self.tokens.clear()

    # The web server.

    async def _serve_web(self, request: web.Request) -> web.StreamResponse:
        if not request.path.startswith(BASE):
            return web.Response(text=_PAGE, content_type="text/html")
        path = request.path.removeprefix(BASE)
        if not self.has_rest or path in self.absent:
            return web.Response(status=404)
        if path == "/auth/login":
            return await self._log_in(request)
        if request.headers.get("Authorization") not in self.tokens:
            return web.Response(status=401)
        if request.method == "GET":
            return self._tell(path)
        body = await request.text()
        return self._take(request, path, json.loads(body) if body else None)

    def _tell(self, path: str) -> web.Response:
        self.asked_for.append(path)
        if path in self.not_now:
            return web.Response(status=412, text="bosminer is not running")
        found = self.told().get(path)
        return web.Response(status=404) if found is None else web.json_response(found())

    async def _log_in(self, request: web.Request) -> web.Response:
        if request.method != "POST":
            return web.Response(status=405)
        self.logins += 1
        told = await request.json()
        if (told["username"], told["password"]) != ("root", self.password):
            return web.json_response({"message": "unauthorized"}, status=401)
        token = f"token{self.logins:04d}"
        self.tokens.add(token)
        return web.json_response({"token": token, "timeout_s": 3600})

    # What it is told.

    def _take(self, request: web.Request, path: str, body: Any) -> web.Response:
        self.writes.append((request.method, path, body))
        if self.refusal is not None:
            return web.Response(status=422, text=self.refusal)
        action = f"{request.method} {path}"
        takers: dict[str, Callable[[Any], object]] = {
            "PUT /actions/pause": lambda _: self._sleep(paused=True),
            "PUT /actions/resume": lambda _: self._sleep(paused=False),
            "PUT /actions/restart": lambda _: self._change(self.anew),
            "PUT /actions/locate": self._blink,
            "PUT /performance/power-target": self._set_target,
            "PUT /performance/mode": self._set_mode,
            "PUT /cooling/mode": self._set_cooling,
            "PUT /pools/batch": self._set_pools,
            "PATCH /miner/hw/hashboards": self._switch_boards,
        }
        if action == "PUT /actions/reboot":
            return self._reboot(request)
        if action not in takers:
            return web.Response(status=405)
        return web.json_response(takers[action](body))

    def _change(self, change: Callable[[], None]) -> bool:
        if not self.ignores_writes:
            change()
        return False

    def _sleep(self, *, paused: bool) -> bool:
        was = self.paused

        def change() -> None:
            self.paused = paused
            if was and not paused:
                self.anew()

        self._change(change)
        return was is paused

    def _blink(self, on: Any) -> object:
        self._change(lambda: setattr(self, "locating", on))
        return self.locating

    def _set_target(self, body: Any) -> object:
        # By hashrate it goes on; this is only the power for when that is changed.
        if "power_target" in self.target:
            self._change(lambda: setattr(self, "target", {"power_target": body}))
        return body

    def _set_mode(self, body: Any) -> object:
        goal = body["tunermode"]["target"]["powertarget"]
        self._change(lambda: setattr(self, "target", goal))
        return body

    def _set_cooling(self, body: Any) -> object:
        def change() -> None:
            self.cooling = body
            self.anew()

        self._change(change)
        return self.cooling

    def _set_pools(self, body: Any) -> object:
        def change() -> None:
            self.groups = body
            self.anew()

        self._change(change)
        return body

    def _switch_boards(self, body: Any) -> object:
        def change() -> None:
            names = set(body["hashboard_ids"])
            self.off = self.off - names if body["enable"] else self.off | names
            self.anew()

        self._change(change)
        return {
            "hashboards": [
                {"id": name, "is_enabled": name not in self.off}
                for name in body["hashboard_ids"]
            ]
        }

    def _reboot(self, request: web.Request) -> web.Response:
        self.reboots += 1
        self.booted = self.now()
        self.expire()
        if self.dies_at_reboot and request.transport is not None:
            request.transport.close()
        return web.Response(status=204)


FAMILIES = (
    Family("braiins", SimulatedBraiins, username="root", password="root"),
    Family("braiins-cgminer", SimulatedBosminer),
)

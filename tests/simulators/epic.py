"""A simulated miner with ePIC's control board: PowerPlay with API 1.30, or of old."""

from collections.abc import Callable
import time
from typing import Any, ClassVar, override

from aiohttp import web
import orjson

from tests.simulators._epic_state import EpicState
from tests.simulators.families import Family

PORT = 4028

type Param = Any


class RefusedError(Exception):
    """The firmware refuses a command with one of its errors."""

    def __init__(self, error: object) -> None:
        super().__init__(str(error))
        self.error = error


class SimulatedEpic(EpicState):
    """One miner; attributes are its state and may be changed at any time.

    ``old`` is firmware with presets, before the automatic of the fans, the tuning by
    itself and the switches of boards. ``power_tune`` has a search for a power.
    ``lag`` is how many seconds a stop or start takes, ``busy`` has it refuse commands
    while one is pending, ``stubborn`` has it take commands without obeying, ``rude``
    has it break off instead of answering that it reboots. ``asked`` lists the commands,
    ``wrong_passwords`` counts how often a wrong one was sent. ``canned`` has replies by
    their path, ``gone`` the status of paths that are not there.
    """

    ports: ClassVar[tuple[int, ...]] = (PORT, 80)

    # How it serves.

    @override
    async def start(self) -> None:
        """Open the ports."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        await self.serve_http(PORT, app)
        page = web.Application()
        page.router.add_get("/", self._page)
        await self.serve_http(80, page)

    async def _page(self, request: web.Request) -> web.Response:
        text = "<!doctype html><html><title>Miner Web Dashboard</title></html>"
        return web.Response(text=text, content_type="text/html")

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if time.monotonic() < self.down_until and request.transport is not None:
            request.transport.abort()
            raise web.HTTPInternalServerError
        if request.path in self.gone:
            return web.Response(status=self.gone[request.path])
        if request.path in self.canned:
            return _json(self.canned[request.path])
        if request.method == "POST":
            return await self._post(request)
        reads: dict[str, Callable[[], Any]] = {
            "/summary": self.summary,
            "/capabilities": self.capabilities,
            "/network": self._network,
        }
        if request.path not in reads:
            return _json(_refusal({"InvalidUrl": request.path}), 404)
        return _json(reads[request.path]())

    def _network(self) -> dict[str, Any]:
        return {"dhcp": {"address": self.host, "mac_address": self.mac}}

    async def _post(self, request: web.Request) -> web.Response:
        body = orjson.loads(await request.read())
        if request.path not in self._commands():
            return _json(_refusal({"InvalidUrl": request.path}), 404)
        if body.get("password") != self.password:
            self.wrong_passwords += 1
            word = "Incorrect password" if self.old else "BadPassword"
            return _json(_refusal(word), self.refusal_status)
        param = body.get("param")
        self.asked.append((request.path, param))
        if self.busy and request.path != "/authenticate":
            return _json(_refusal({"LastCmdStillPending": "tune"}))
        if not self.stubborn:
            try:
                self._commands()[request.path](param)
            except RefusedError as refused:
                return _json(_refusal(refused.error))
        if self.rude and request.path == "/reboot" and request.transport is not None:
            request.transport.abort()
        return _json({"result": True, "error": None})

    def _commands(self) -> dict[str, Callable[[Param], None]]:
        both: dict[str, Callable[[Param], None]] = {
            "/miner": self._miner,
            "/reboot": self._reboot,
            "/softreboot": self._softreboot,
            "/identify": self._identify,
            "/coin": self._coin,
            "/fanspeed": self._old_fan if self.old else self._new_fan,
        }
        if self.old:
            return {**both, "/mode": self._mode}
        return {
            **both,
            "/authenticate": lambda param: None,
            "/perpetualtune/algo": self._algorithm,
            "/boardenable": self._board_enable,
        }

    def _miner(self, param: Param) -> None:
        if param not in ("Stop", "Autostart"):
            raise RefusedError("MissingParam")
        self.last_command = param
        if param == "Stop":
            self.become("Stopping", "Idling")
        else:
            self.become("Initializing", "Mining")

    def _reboot(self, param: Param) -> None:
        if param != 0:
            raise RefusedError("RebootFailed")
        self.reboots += 1
        self.last_command = None
        self._started = time.monotonic()
        self.down_until = time.monotonic() + self.lag

    def _softreboot(self, param: Param) -> None:
        if param != (0 if self.old else None):
            raise RefusedError("MissingParam")
        self.restarts += 1
        self.become("SoftRebooting", "Mining")

    def _identify(self, param: Param) -> None:
        self.locating = bool(param)

    def _coin(self, param: Param) -> None:
        if len(param["stratum_configs"]) > 3:
            raise RefusedError("InvalidPoolConfig")
        for pool in param["stratum_configs"]:
            if "://" not in pool["pool"]:
                raise RefusedError({"InvalidPoolAddr": pool["pool"]})
        self.coin, self.stratum = param["coin"], param["stratum_configs"]
        self.unique_id = param.get("unique_id", self.unique_id)

    def _old_fan(self, param: Param) -> None:
        if not isinstance(param, str) or not 1 <= int(param) <= 100:
            raise RefusedError("Invalid param")
        self.fan = {"Manual": int(param)}

    def _new_fan(self, param: Param) -> None:
        if not isinstance(param, dict) or param.keys() - {"Auto", "Manual"}:
            raise RefusedError("MissingParam")
        self.fan = param

    def _mode(self, param: Param) -> None:
        self.preset, self.preset_power = param["preset"], param["power_target"]

    def _algorithm(self, param: Param) -> None:
        known = {o["algorithm"]: o for o in self.capabilities()["PerpetualTune"]}
        option = known[param["algo"]]
        if not option["min"] <= param["target"] <= option["max"]:
            raise RefusedError({"UnknownError": "target out of range"})
        self.algorithm, self.target = param["algo"], param["target"]
        self.throttle = {
            key: param[name]
            for key, name in (
                ("Min Throttle Target", "min_throttle"),
                ("Throttle Step", "throttle_step"),
            )
            if name in param
        }

    def _board_enable(self, param: Param) -> None:
        for board in param:
            if board["Index"] not in self.enabled:
                raise RefusedError("InvalidBoardId")
            self.enabled[board["Index"]] = board["Data"]


def _refusal(error: object) -> dict[str, Any]:
    return {"result": False, "error": error}


def _json(body: object, status: int = 200) -> web.Response:
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    return web.Response(body=data, status=status, content_type="application/json")


FAMILIES = (
    Family(
        "epic",
        SimulatedEpic,
        options={"serial": "EPIC00000001", "power_tune": True},
        password="letmein",
    ),
)

"""A simulated Proto Rig with the API of its contract, open parts and closed ones."""

from collections.abc import Callable
import math
import time
from typing import Any, ClassVar, override
from urllib.parse import urlsplit

from aiohttp import web
import orjson

from tests.simulators.base import SimulatedDevice
from tests.simulators.families import Family

PORT = 80
BASE = "/api/v1"
_BOARD_RATE = 36.0
_LOWEST, _HIGHEST = 2000, 4000
_OPEN = frozenset(
    {"/system", "/system/status", "/network", "/hardware", "/power-supplies"}
)
_SCHEMES = ("stratum+tcp", "stratum+ssl", "stratum2+tcp")

type Body = Any


class RefusedError(Exception):
    """The rig refuses with a status, a code and words."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class SimulatedProto(SimulatedDevice):
    """One rig; attributes are its state and may be changed at any time.

    ``default_password`` has it keep everything back until that is changed; ``open``
    asks for no login to read; ``puts_out`` is firmware that can put its lamp out.
    ``slots`` are the places of its boards, counted from one. ``lag`` is how many
    seconds a stop or start takes, ``stubborn`` takes commands without obeying,
    ``rude`` breaks off instead of answering that it reboots. ``logins`` counts logins,
    ``told`` lists the commands, ``odd`` has replies by their path.
    """

    ports: ClassVar[tuple[int, ...]] = (PORT,)

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        offset: int = 0,
        model: str = "Rig",
        serial: str = "PROTO0000001",
        mac: str = "C8:98:DB:10:00:01",
        hostname: str = "proto-miner-0001",
        firmware: str = "1.8.2",
        password: str = "correct horse",
        default_password: bool = False,
        open_reads: bool = False,
        puts_out: bool = True,
        slots: tuple[int, ...] = (1, 2, 3, 4),
        lag: float = 0.0,
        wobble: float = 0.0,
        uptime: float = 7200.0,
    ) -> None:
        """Describe a rig that is not switched on yet."""
        super().__init__(host, offset=offset)
        self.model = model
        self.serial = serial
        self.mac = mac
        self.hostname = hostname
        self.firmware = firmware
        self.password = password
        self.default_password = default_password
        self.open_reads = open_reads
        self.puts_out = puts_out
        self.slots = slots
        self.lag = lag
        self.wobble = wobble
        self.state = "Mining"
        self.watts = 3400
        self.mode = "MaximumHashrate"
        self.hash_on_disconnect: bool | None = True
        self.cooling: dict[str, Any] = {"mode": "Auto"}
        self.target_temperature = 52.5
        self.pools = [
            {
                "url": f"stratum+tcp://{name}.example:3333",
                "user": "acct.rig",
                "status": status,
            }
            for name, status in (("one", "Active"), ("two", "Idle"))
        ]
        self.errors: list[dict[str, Any]] = []
        self.silent_boards: set[int] = set()
        self.stubborn = self.rude = False
        self.lit_until = 0.0
        self.tokens: set[str] = set()
        self.tokens_hold = True
        self.logins = self.reboots = 0
        self.told: list[tuple[str, str, Any]] = []
        self.odd: dict[str, Any] = {}
        self._next: tuple[float, str] | None = None
        self._started = time.monotonic() - uptime

    # What goes on in the rig.

    @property
    def uptime(self) -> int:
        return int(time.monotonic() - self._started)

    @property
    def mines(self) -> bool:
        return self.state in ("Mining", "DegradedMining")

    def wave(self, pace: float) -> float:
        return 1 + self.wobble * math.sin(time.monotonic() / pace)

    @property
    def rate(self) -> float:
        """Return the hashrate of a board in TH/s."""
        return _BOARD_RATE * self.watts / 3400 * self.wave(17) if self.mines else 0.0

    @property
    def power(self) -> float:
        """Return what both power supplies draw in W."""
        return self.watts * self.wave(11) if self.mines else 30.0

    def become(self, between: str, after: str) -> None:
        if self.lag:
            self.state = between
            self._next = (time.monotonic() + self.lag, after)
        else:
            self.state, self._next = after, None

    def settle(self) -> None:
        if self._next is not None and time.monotonic() >= self._next[0]:
            self.state, self._next = self._next[1], None

    # What it says.

    def system(self) -> dict[str, Any]:
        version = {"name": "mcdd", "version": self.firmware}
        return {
            "system-info": {
                "board": "C3",
                "cb_sn": self.serial,
                "manufacturer": "Proto",
                "model": self.model,
                "product_name": f"Proto {self.model}",
                "mining_driver_sw": version,
                "os": {"name": "ProtoOS", "version": self.firmware},
                "uptime_seconds": self.uptime,
            }
        }

    def network(self) -> dict[str, Any]:
        info = {"dhcp": True, "hostname": self.hostname, "ip": self.host}
        return {"network-info": {**info, "mac": self.mac}}

    def hardware(self) -> dict[str, Any]:
        boards = [
            {
                "slot": slot,
                "port": slot - 1,
                "hb_sn": f"HB{self.serial}{slot}",
                "mining_asic": "MC2",
                "mining_asic_count": 100,
            }
            for slot in self.slots
        ]
        return {"hardware-info": {"cb-info": {}, "hashboards-info": boards}}

    def power_supplies(self) -> dict[str, Any]:
        milliwatts = round(self.power / 2 * 1000)
        supplies = [
            {"slot": n, "power": {"input_power_mw": milliwatts}} for n in (1, 2)
        ]
        return {"psus_info": supplies}

    def mining(self) -> dict[str, Any]:
        rate = self.rate * (len(self.slots) - len(self.silent_boards))
        return {
            "mining-status": {
                "status": self.state,
                "average_asic_temp_c": 68.4 if self.mines else 0,
                "average_hashrate_ghs": 141_000.5,
                "hashboards_installed": len(self.slots),
                "hw_errors": 3,
                "ideal_hashrate_ghs": 145_000,
                "mining_uptime_s": self.uptime if self.mines else 0,
                "power_efficiency_jth": self.power / rate if rate else 0,
                "power_target_watts": self.watts,
                "power_usage_watts": self.power * 0.97,
                "reboot_uptime_s": self.uptime,
            }
        }

    def target(self) -> dict[str, Any]:
        told: dict[str, Any] = {
            "power_target_watts": self.watts,
            "power_target_min_watts": _LOWEST,
            "power_target_max_watts": _HIGHEST,
            "default_power_target_watts": 3400,
            "performance_mode": self.mode,
        }
        if self.hash_on_disconnect is not None:
            told["hash_on_disconnect"] = self.hash_on_disconnect
        return told

    def telemetry(self) -> dict[str, Any]:
        at_work = [slot for slot in self.slots if slot not in self.silent_boards]
        return {
            "timestamp": "2026-11-22T10:00:00Z",
            "miner": {
                "hashrate": _metric(self.rate * len(at_work), "TH/s"),
                "power": _metric(self.power * 0.98, "W"),
                "temperature": _metric(54.0, "°C"),
            },
            "hashboards": [
                self._board(place, slot) for place, slot in enumerate(at_work)
            ],
            "psus": [
                {"index": n, "power": {"input": self.power / 2, "unit": "W"}}
                for n in (0, 1)
            ],
        }

    def _board(self, place: int, slot: int) -> dict[str, Any]:
        return {
            "index": place,
            "serial_number": f"HB{self.serial}{slot}",
            "hashrate": _metric(self.rate, "TH/s"),
            "power": _metric(self.power / 4, "W"),
            "voltage": _metric(14.5, "V"),
            "temperature": {
                "unit": "°C",
                "inlet": 30.0 + slot,
                "outlet": 50.0 + slot,
                "average": 42.0 + slot,
            },
        }

    def cooling_status(self) -> dict[str, Any]:
        duty = self.cooling.get("speed_percentage", 55)
        mode = self.cooling["mode"]
        status = {
            "fan_mode": mode,
            "speed_percentage": duty,
            "fans": [
                {"slot": n, "rpm": 4000 + n * 10 + duty, "percentage": duty}
                for n in (1, 2, 3, 4)
            ],
        }
        if mode == "Auto":
            status["target_temperature_c"] = self.target_temperature
        return {"cooling-status": status}

    def pool_list(self) -> dict[str, Any]:
        return {
            "pools": [
                {
                    "id": n,
                    "priority": n,
                    "url": pool["url"],
                    "user": pool["user"],
                    "status": pool.get("status", "Idle"),
                    "accepted": self.uptime // 12 if n == 0 else 0,
                    "rejected": 2 if n == 0 else 0,
                    "best_difficulty_share": 65_355 * (n + 1),
                }
                for n, pool in enumerate(self.pools)
            ]
        }

    # How it serves.

    @override
    async def start(self) -> None:
        """Open the port."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        await self.serve_http(PORT, app)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/":
            text = "<!doctype html><html><head><title>Proto OS</title></head></html>"
            return web.Response(text=text, content_type="text/html")
        self.settle()
        path = request.path.removeprefix(BASE)
        try:
            return await self._answer(request, path)
        except RefusedError as refused:
            error = {"code": refused.code, "message": refused.message}
            return _json({"error": error}, refused.status)

    async def _answer(self, request: web.Request, path: str) -> web.Response:
        body = orjson.loads(await request.read() or b"null")
        if path == "/auth/login":
            return self._login(body)
        reads = self._reads()
        reading = request.method == "GET"
        if not (reading and (path in _OPEN or (self.open_reads and path in reads))):
            self._check(request)
        if reading:
            if path not in reads:
                raise RefusedError(404, "NOT_FOUND", "No such path")
            return _json(self.odd[path] if path in self.odd else reads[path]())
        return self._obey(request, path, body)

    def _reads(self) -> dict[str, Callable[[], Any]]:
        return {
            "/system": self.system,
            "/network": self.network,
            "/hardware": self.hardware,
            "/power-supplies": self.power_supplies,
            "/mining": self.mining,
            "/mining/target": self.target,
            "/telemetry": self.telemetry,
            "/cooling": self.cooling_status,
            "/pools": self.pool_list,
            "/errors": lambda: self.errors,
        }

    def _login(self, body: Body) -> web.Response:
        self.logins += 1
        if body.get("password") != self.password:
            raise RefusedError(401, "UNAUTHORIZED", "Wrong password")
        token = f"access{self.logins}"
        if self.tokens_hold:
            self.tokens.add(token)
        return _json({"access_token": token, "refresh_token": "unused"})

    def _check(self, request: web.Request) -> None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.tokens:
            raise RefusedError(401, "UNAUTHORIZED", "Log in first")
        if self.default_password:
            raise RefusedError(
                403, "DEFAULT_PASSWORD_ACTIVE", "Not with the default password"
            )

    def _obey(self, request: web.Request, path: str, body: Body) -> web.Response:
        commands: dict[tuple[str, str], Callable[[Body], str]] = {
            ("POST", "/mining/stop"): self._stop_mining,
            ("POST", "/mining/start"): self._start_mining,
            ("PUT", "/mining/target"): self._set_target,
            ("PUT", "/cooling"): self._set_cooling,
            ("POST", "/pools"): self._set_pools,
            ("POST", "/system/reboot"): self._reboot,
            ("POST", "/system/locate"): lambda _: self._locate(request),
        }
        if (request.method, path) not in commands:
            raise RefusedError(405, "METHOD_NOT_ALLOWED", "Method not allowed")
        self.told.append((request.method, request.path_qs.removeprefix(BASE), body))
        if self.stubborn:
            return _json({"message": "Accepted"}, 202)
        message = commands[request.method, path](body)
        if self.rude and path == "/system/reboot" and request.transport is not None:
            request.transport.abort()
        return _json({"message": message}, 202 if request.method == "POST" else 200)

    def _stop_mining(self, _: Body) -> str:
        self.become("PoweringOff", "Stopped")
        return "Stopping"

    def _start_mining(self, _: Body) -> str:
        self.become("PoweringOn", "Mining")
        return "Starting"

    def _set_target(self, body: Body) -> str:
        watts = body.get("power_target_watts", self.watts)
        if not _LOWEST <= watts <= _HIGHEST:
            raise RefusedError(422, "OUT_OF_RANGE", "power_target_watts out of range")
        mode = body.get("performance_mode")
        if mode not in ("MaximumHashrate", "Efficiency"):
            raise RefusedError(422, "INVALID_PERFORMANCE_MODE", f"Invalid mode {mode}")
        self.watts, self.mode = watts, mode
        # What is left out is set back, as a strict reading of the contract allows.
        self.hash_on_disconnect = body.get("hash_on_disconnect", False)
        return "Target set"

    def _set_cooling(self, body: Body) -> str:
        self.cooling = body
        self.target_temperature = body.get("target_temperature_c", 50.0)
        return "Cooling is set"

    def _set_pools(self, body: Body) -> str:
        for pool in body:
            if urlsplit(pool["url"]).scheme not in _SCHEMES:
                raise RefusedError(400, "INVALID_POOL_URL", "Bad pool address")
        ordered = sorted(body, key=lambda pool: pool["priority"])
        self.pools = [{"url": p["url"], "user": p["username"]} for p in ordered]
        return "Pools are set"

    def _reboot(self, _: Body) -> str:
        self.reboots += 1
        self._started = time.monotonic()
        return "Going down"

    def _locate(self, request: web.Request) -> str:
        now = time.monotonic()
        if self.puts_out and request.query.get("enable") == "false":
            self.lit_until = 0.0
            return "Lamp deactivated"
        if now >= self.lit_until:
            self.lit_until = now + float(request.query.get("led_on_time", 30))
        return "Lamp activated"


def _metric(value: float, unit: str) -> dict[str, Any]:
    return {"value": value, "unit": unit}


def _json(body: object, status: int = 200) -> web.Response:
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    return web.Response(body=data, status=status, content_type="application/json")


FAMILIES = (Family("proto", SimulatedProto, password="correct horse"),)

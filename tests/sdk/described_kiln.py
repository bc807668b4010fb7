"""A miner and a meter with JSON over HTTP, and the files that describe them."""

from base64 import b64encode
from typing import Any, ClassVar, override

from aiohttp import web
import orjson

from tests.simulators._antminer_web import Digest
from tests.simulators.base import SimulatedDevice

PORT = 8090
MINER = f"""
name = "kiln"
kind = "miner"
protocol = "http"
port = {PORT}
make = "Kiln"
model = "K1"
firmware = "kilnos"
algorithm = "scrypt"

[recognise]
page = ["<title>Kiln</title>", "server: kilnd"]
surety = 77

[ask]
now = "/now?all=1"
parts = "/parts"
who = "/who"

[info]
firmware_version = "who.version"
mac = "who.mac"
serial_number = "who.serial"
hostname = "who.name"
chips = "who.chips"

[stats]
hashrate = {{ path = "now.rate", unit = "MH/s" }}
hashrate_average = {{ path = 'now.rates["24.0 h"]', scale = 1e-6 }}
power = {{ path = "now.power", unit = "kW" }}
power_limit = "now.limit"
power_mode = {{ path = "now.mode", words = {{ 0 = "eco", 1 = "turbo" }} }}
temperature_chip = {{ path = "now.chip", unit = "°F" }}
temperature_inlet = {{ path = "now.inlet", missing = [-1, "none"] }}
best_difficulty = "now.best"
accepted = "now.shares[0]"
uptime = {{ path = "now.uptime", unit = "min" }}
locating = "now.blinks"

[stats.settings]
frequency = {{ path = "now.clock", unit = "kHz" }}
profile = "now.profile"

[[stats.fans]]
speed = "now.fan1"
duty = "now.duty"
[[stats.fans]]
speed = "now.fan2"

[stats.boards]
each = "parts.boards"
hashrate = {{ path = "rate", unit = "MH/s" }}
temperature_board = "temperatures[1]"
serial_number = "serial"
enabled = "on"

[stats.pools]
each = "parts.pools"
url = "."

[stats.faults]
each = "parts.errors"
code = "id"
message = "text"
severity = {{ path = "level", words = {{ 3 = "critical" }} }}

[[status]]
is = "paused"
path = "now.asleep"
equals = true
[[status]]
is = "fault"
path = "now.state"
equals = ["Error", "ALARM"]
[[status]]
is = "starting"
path = "now.uptime"
below = 1
[[status]]
is = "mining"
path = "now.rate"
above = 0
[[status]]
is = "idle"

[commands]
pause = {{ post = "/sleep", json = {{ on = true }} }}
resume = {{ post = "/sleep", json = {{ on = false }} }}
reboot = {{ get = "/reboot" }}
restart = {{ post = "/restart", ok = {{ path = "done", equals = true }} }}
locate = {{ put = "/blink/{{value}}" }}

[commands.power_limit]
patch = "/set"
form = {{ what = "limit", to = "{{value}}" }}
minimum = 100
maximum = 200
step = 5
within = 90

[commands.frequency]
post = "/set"
json = {{ what = "clock", to = ["{{value}}"] }}
scale = 1000
minimum = 300
maximum = 700

[commands.power_mode]
post = "/mode"
json = {{ name = "mode {{value}}", all = [1, 2.5, true] }}
options = ["eco", "turbo"]

[commands.profile]
post = "/profile/{{value}}"
options = ["quiet & cool"]
"""
METER = f"""
name = "clay"
kind = "meter"
protocol = "http"
port = {PORT}

[ask]
now = "/now"

[info]
model = "now.model"

[stats]
power_phase = [{{ path = "now.l1", unit = "kW" }}, "now.l2", "now.l3"]
voltage_phase = ["now.u"]
current_phase = ["now.i1", "now.i2"]
power_factor = "now.factor"
frequency = {{ path = "now.mains", unit = "mHz" }}
energy_import = {{ path = "now.wh", unit = "Wh" }}

[stats.faults]
each = "now.alarms"
code = "."
message = "."
"""


class SimulatedKiln(SimulatedDevice):
    """A device with JSON over HTTP; ``auth`` is the way it wants its password."""

    ports: ClassVar[tuple[int, ...]] = (PORT, 80)

    def __init__(
        self, host: str = "127.0.0.1", *, offset: int = 0, auth: str = "none"
    ) -> None:
        super().__init__(host, offset=offset)
        self.auth = auth
        self.open_paths: tuple[str, ...] = ("/",)
        self.refused = 0
        self.digest = Digest()
        self.told: list[tuple[str, str, bytes]] = []
        self.asked: list[str] = []
        self.refuse: tuple[int, str] | None = None
        self.ignore = False
        self.broken: frozenset[str] = frozenset()
        self.now: dict[str, Any] = {
            "rate": 950,
            "rates": {"24.0 h": 900},
            "power": "0.8125 kW",
            "limit": 150,
            "mode": 0,
            "chip": 142.7,
            "inlet": -1,
            "best": "1234.5",
            "shares": [77, 3],
            "uptime": 60,
            "blinks": 0,
            "clock": 500_000,
            "profile": "loud",
            "fan1": 1210,
            "fan2": "1190 rpm",
            "duty": 40,
            "asleep": False,
            "state": "ok",
        }
        self.parts: dict[str, Any] = {
            "boards": [
                {"rate": 500, "temperatures": [40, 48], "serial": "B1", "on": "Y"},
                {},
                {"rate": 450, "temperatures": [], "on": 0},
            ],
            "pools": ["stratum+tcp://a:1", ""],
            "errors": {"a": {"id": 7, "text": "Hot", "level": 3}, "b": {"id": 8}},
        }
        self.who: dict[str, Any] = {
            "version": "1.2",
            "mac": "02:00:00:00:00:2A",
            "serial": "KILN-0042",
            "name": "kiln-42",
            "chips": 12,
        }

    @override
    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        await self.serve_http(PORT, app)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if request.path not in self.open_paths and not self._knows(request):
            self.refused += 1
            return self._challenge(request)
        if request.path == "/":
            headers = {"Server": "kilnd"}
            return web.Response(text="<TITLE>kiln</TITLE>", headers=headers)
        known = {"/now": self.now, "/parts": self.parts, "/who": self.who}
        if request.path in known:
            self.asked.append(request.path_qs)
            if request.path in self.broken:
                return web.Response(status=500)
            return web.json_response(known[request.path])
        self.told.append((request.method, request.path_qs, await request.read()))
        if self.refuse is not None:
            return web.Response(status=self.refuse[0], text=self.refuse[1])
        if not self.ignore:
            self._take(request.path, await request.read())
        return web.json_response({"done": not self.ignore})

    def _knows(self, request: web.Request) -> bool:
        given = request.headers.get("Authorization", "")
        match self.auth:
            case "basic":
                return given == "Basic " + b64encode(b"admin:geheim").decode()
            case "header":
                return request.headers.get("X-Key") == "Key geheim!"
            case "digest":
                return self.digest.refusal(request, "geheim") is None
        return True

    def _challenge(self, request: web.Request) -> web.Response:
        if self.auth == "digest":
            refusal = self.digest.refusal(request, "geheim")
            assert refusal is not None
            return refusal
        return web.Response(status=401)

    def _take(self, path: str, body: bytes) -> None:
        match path.split("/")[1:]:
            case ["sleep"]:
                self.now["asleep"] = orjson.loads(body)["on"]
            case ["blink", on]:
                self.now["blinks"] = on
            case ["set"] if body.startswith(b"what=limit"):
                self.now["limit"] = float(body.rpartition(b"=")[2])
            case ["set"]:
                (self.now["clock"],) = orjson.loads(body)["to"]
            case ["mode"]:
                self.now["mode"] = ("mode eco", "mode turbo").index(
                    orjson.loads(body)["name"]
                )
            case ["profile", name]:
                self.now["profile"] = name

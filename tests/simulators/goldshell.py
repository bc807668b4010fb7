"""A simulated Goldshell: the socket API of its miner, and its web server."""

from collections.abc import Callable
from dataclasses import dataclass
import time
from typing import Any, ClassVar, override
import zlib

from aiohttp import web
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
import orjson

from tests.simulators.cgminer import Section, SocketMiner
from tests.simulators.families import Family

_KEY = b"!" * 16
_READ_ONLY = (45, "Access denied to that command")


@dataclass(frozen=True, slots=True)
class Hardware:
    """What a model has: rate in TH/s, clock in MHz, voltage as it is told."""

    boards: int
    rate: float
    clock: int
    voltage: float
    fans: int
    plans: tuple[tuple[str, int], ...]


_BOX = (
    ("725 MHz 0.41 V 70 RPM 70 RPM", 0),
    ("550 MHz 0.38 V 60 RPM 60 RPM", 1),
    ("0 MHz 0 V 70 RPM 70 RPM", 3),
)
_LARGE = (
    ("700 MHz 11750 V 30 RPM 30 RPM PV 11900", 0),
    ("600 MHz 11450 V 30 RPM 30 RPM PV 11600", 1),
)
_NAMED = (("Hashrate Mode", 0), ("Low-power Mode", 1), ("Idle Mode", 3))
MODELS = {
    "KD5": Hardware(4, 18.0, 700, 11750, 4, _LARGE),
    "SCBox": Hardware(1, 0.9, 725, 0.41, 2, _BOX),
    "SC5Pro": Hardware(3, 12.0, 650, 11600, 4, _NAMED),
    "LT5": Hardware(4, 0.00205, 480, 11500, 4, _LARGE),
    "MiniDOGEPro": Hardware(1, 0.000205, 500, 0.45, 2, _BOX),
}


class SimulatedGoldshell(SocketMiner):
    """One Goldshell with its ports 80 and 4028.

    ``hides`` takes the password hidden only, ``fresh`` takes no login at all as no
    password was set yet. ``slow`` are the seconds that a plan takes to come into force.
    ``nested`` keeps its plans by algorithm, as the boxes do that mine two.
    """

    ports: ClassVar[tuple[int, ...]] = (80, 4028)
    description = "intminer 5.4.2"

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        model: str = "SCBox",
        firmware: str = "2.2.5",
        serial: str = "GS0001",
        mac: str | None = None,
        password: str = "s3cret",
        hides: bool = False,
        fresh: bool = False,
        nested: bool = False,
        slow: float = 0.0,
        boot: float = 0.1,
        **options: Any,
    ) -> None:
        """Describe a miner that mines."""
        super().__init__(host, **options)
        self.model = model
        self.hardware = MODELS[model]
        self.firmware = firmware
        digits = f"{zlib.crc32(serial.encode()):08X}"
        pairs = [digits[i : i + 2] for i in range(0, 8, 2)]
        self.mac = mac or ":".join(("28", "E2", *pairs))
        self.password = password
        self.hides = hides
        self.fresh = fresh
        self.nested = nested
        self.slow = slow
        self.boot = boot
        self.logins = 0
        self.refused = 0
        self.races = 0
        self.tokens: set[str] = set()
        self.writes: list[str] = []
        self.stubborn = False
        self.refuses: str | None = None
        self.missing: set[int] = set()
        self.hot: set[int] = set()
        self.pool_up = True
        self.stalled = False
        self._away_until = 0.0
        self._ran, self._changed_at = 0, 0.0
        self.setting: dict[str, Any] = {
            "select": 0,
            "tempcontrol": True,
            "ledcontrol": False,
            "manualPowerplan": "600 MHz 0.40 V 80 RPM 80 RPM",
            "name": f" {self.mac}",
            "powerplans": [
                {"info": info, "level": level} for info, level in self.hardware.plans
            ],
            "temp_targets": [65.0, 75.0],
            "manual": False,
            "version": "v2.1",
            "temp_target": 65,
        }
        if nested:
            plans = self.setting["powerplans"]
            self.setting["powerplans"] = [{"algo": 0, "mode": plans}]
            self.setting["algoname"] = "blake2b(SC)"
        self.pools: list[dict[str, Any]] = [
            self._pool("stratum+tcp://pool.example:3333", "wallet.one", 0)
        ]

    # What it does.

    @property
    def running(self) -> int:
        """Return which plan is in force by now."""
        if time.monotonic() - self._changed_at >= self.slow:
            self._ran = self.setting["select"]
        return self._ran

    @property
    def clock(self) -> int:
        """Return the clock in MHz; it stands still while the miner sleeps."""
        if self.setting["manual"]:
            return 600
        return self._clock_of(0 if self.nested else self.running)

    @property
    def rate(self) -> float:
        """Return the rate of all boards in TH/s."""
        if not self.pool_up or self.stalled:
            return 0.0
        share = (self.hardware.boards - len(self.missing)) / self.hardware.boards
        return self.hardware.rate * share * self.clock / self._clock_of(0)

    def _clock_of(self, place: int) -> int:
        name = self.hardware.plans[place][0]
        if "Mode" in name:
            return {"H": self.hardware.clock, "L": 450}.get(name[0], 0)
        return int(name.split()[0])

    @override
    def run(self, name: str, parameter: str) -> Section | None:
        replies: dict[str, Callable[[], Section]] = {
            "version": lambda: {"VERSION": [{"Miner": "intminer 5.4.2", "API": "3.3"}]},
            "summary": lambda: {"SUMMARY": [self._summary()]},
            "devs": lambda: {"DEVS": self._devices()},
            "pools": lambda: {"POOLS": self._shown_pools()},
        }
        if name in ("addpool", "restart", "quit"):
            return self.refuse(*_READ_ONLY)
        return replies[name]() if name in replies else None

    def _summary(self) -> Section:
        megahashes = self.rate * 1e6
        return {
            "Elapsed": self.uptime,
            "MHS av": round(megahashes * 0.99, 3),
            "MHS 20s": round(megahashes * self.wander(), 3),
            "Found Blocks": 0,
            "Accepted": self.uptime // 5,
            "Rejected": self.uptime // 500,
            "Hardware Errors": 12,
            "Stale": 1,
            "Best Share": 812_345.6 + self.seed,
        }

    def _devices(self) -> list[Section]:
        return [self._device(place) for place in range(self.hardware.boards)]

    def _device(self, place: int) -> Section:
        gone = place in self.missing
        present = max(1, self.hardware.boards - len(self.missing))
        clock = 0 if gone else self.clock
        rate = 0.0 if gone else self.rate / present * 1e6
        cold = not clock
        return {
            "PGA": place,
            "Name": "INCS",
            "ID": place,
            "Enabled": "Y",
            "Status": "Dead" if gone else "Alive",
            "Device Elapsed": self.uptime,
            "MHS av": round(rate * 0.99, 3),
            "MHS 20s": round(rate * self.wander(), 3),
            "Accepted": 10,
            "Rejected": 0,
            "Hardware Errors": 3,
            "clock": clock,
            "voltage": self.hardware.voltage if clock else 0,
            **{f"fan{n}": 0 if gone else 3120 + 10 * n for n in range(self._fans)},
            "tstemp-0": -150 if gone else 31.5 if cold else 77.7,
            "tstemp-1": -150 if gone else 30.5 if cold else 73.75 + place,
            "tstemp-2": -150 if gone else 29.0 if cold else 58.0 + place,
            "overheat": int(place in self.hot),
            "rebootcnt": 0,
        }

    @property
    def _fans(self) -> int:
        return self.hardware.fans

    def _shown_pools(self) -> list[Section]:
        return [
            {
                "POOL": place,
                "URL": pool["url"],
                "Status": "Alive" if self.pool_up else "Dead",
                "Priority": pool["pool-priority"],
                "User": pool["user"],
                "Accepted": 0 if place else 10,
                "Rejected": 0,
                "Stale": 0,
                "Stratum Active": not pool["pool-priority"] and self.pool_up,
            }
            for place, pool in enumerate(self.pools)
        ]

    @staticmethod
    def _pool(
        url: str, user: str, place: int, password: str = "pool-secret"
    ) -> Section:
        return {
            "url": url,
            "user": user,
            "pass": password,
            "active": not place,
            "dragid": place,
            "pool-priority": place,
            "legal": True,
        }

    # Its web server.

    @override
    async def start(self) -> None:
        await super().start()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve_web)
        await self.serve_http(80, app)

    async def _serve_web(self, request: web.Request) -> web.Response:
        path = request.path
        if time.monotonic() < self._away_until:
            return web.Response(status=502)
        if path == "/":
            page = "<html><head><title>cloud-box</title></head></html>"
            return web.Response(text=page, content_type="text/html")
        if path in ("/mcb/status", "/user/login"):
            return self._log_in(request) if "login" in path else _json(self._status())
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.tokens or self.races:
            self.races = max(0, self.races - 1)
            return web.Response(status=401, text="Unauthorized")
        return self._object(request, path[5:], await request.read())

    def _status(self) -> Section:
        return {
            "hardware": "40.40.HA",
            "model": f"Goldshell-{self.model}",
            "mcbversion": "MCB_V5_4",
            "firmware": self.firmware,
        }

    def _log_in(self, request: web.Request) -> web.Response:
        told = request.query
        word = self.password
        if told["cipher"] == "true":
            plain = word.encode() + b"\x00" * (-len(word.encode()) % 16)
            run = Cipher(algorithms.AES(_KEY), modes.CBC(bytes(16))).encryptor()
            word = (run.update(plain) + run.finalize()).hex()
        elif self.hides:
            word = ""
        if self.fresh or (told["username"], told["password"]) != ("admin", word):
            self.refused += 1
            return web.Response(status=500, text="login failed")
        self.logins += 1
        token = f"token-{self.logins}"
        self.tokens = {token}
        return _json({"JWT Token": token})

    def _object(self, request: web.Request, name: str, body: bytes) -> web.Response:
        if request.method == "GET":
            return self._read_object(request, name)
        self.writes.append(name)
        if self.refuses is not None:
            return web.Response(status=500, text=self.refuses)
        if self.stubborn:
            return _json({})
        value = orjson.loads(body) if body and body != b"null" else None
        write: dict[str, Callable[[Any], None]] = {
            "setting": self._write_setting,
            "newpool": self._add_pool,
            "delpool": self._remove_pool,
            "pools": self._order_pools,
            "restart": lambda _: self._restart(),
        }
        if name not in write:
            return web.Response(status=404)
        write[name](value)
        return _json({})

    def _read_object(self, request: web.Request, name: str) -> web.Response:
        if name == "cgminer" and request.query.get("cgminercmd") == "devs":
            return _json(self.web_devices())
        found = {"setting": self.setting, "pools": self.pools}.get(name)
        return web.Response(status=404) if found is None else _json(found)

    def web_devices(self) -> Section:
        """Return the devices as the web server tells them."""
        boards = [
            {
                "valid": 20,
                "av_hashrate": board["MHS av"],
                "hashrate": board["MHS 20s"],
                "rejected": board["Rejected"],
                "accepted": board["Accepted"],
                "time": self.uptime,
                "id": board["ID"],
                "powerplan": self.running,
                "hwerrors": board["Hardware Errors"],
                "fanspeed": " / ".join(
                    f"{board[f'fan{n}']} rpm" for n in range(self._fans)
                ),
                "temp": f"{board['tstemp-0']} °C / {board['tstemp-1']} °C",
                "minerstatus": 3 if place in self.hot else 0,
                "CPB_name": "NULL",
            }
            for place, board in enumerate(self._devices())
        ]
        return {"status": 2, "data": boards}

    def _write_setting(self, value: Any) -> None:
        assert set(value) == set(self.setting), "it takes the whole object only"
        if value["select"] != self.setting["select"]:
            self._ran, self._changed_at = self.running, time.monotonic()
        self.setting = value

    def _add_pool(self, value: Any) -> None:
        place = len(self.pools)
        self.pools.append(self._pool(value["url"], value["user"], place, value["pass"]))

    def _remove_pool(self, value: Any) -> None:
        self.pools = [
            {**pool, "pool-priority": place, "dragid": place, "active": not place}
            for place, pool in enumerate(p for p in self.pools if p != value)
        ]

    def _order_pools(self, value: Any) -> None:
        self.pools = [
            next(
                {**pool, "pool-priority": wanted["pool-priority"]}
                for wanted in value
                if wanted["url"] == pool["url"] and wanted["user"] == pool["user"]
            )
            for pool in self.pools
        ]

    def _restart(self) -> None:
        self.tokens.clear()
        self.booted = self.now()
        self._away_until = time.monotonic() + self.boot


def _json(value: object) -> web.Response:
    return web.Response(body=orjson.dumps(value), content_type="application/json")


FAMILIES = (
    Family("goldshell", SimulatedGoldshell, username="admin", password="s3cret"),
)

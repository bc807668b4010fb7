"""A simulated Innosilicon: the socket API of its miner, and its web server."""

from collections.abc import Callable
from dataclasses import dataclass
import time
from typing import Any, ClassVar, override
import zlib

from aiohttp import web
import orjson

from tests.simulators.cgminer import Section, SocketMiner
from tests.simulators.families import Family

_DENIED = (45, "Access denied to that command")
_TUNES = ("efficient", "balanced", "factory", "performance")


@dataclass(frozen=True, slots=True)
class Hardware:
    """What a model has: rate of the whole in what its program calls MH/s, MHz, mV."""

    program: str
    boards: int
    rate: float
    clock: int
    millivolts: int
    chips: int
    tunes: bool


MODELS = {
    "T3H+": Hardware("innominer t3-2.1.0", 3, 57e6, 1312, 435, 114, tunes=False),
    "A9": Hardware("innominer a9-1.1.0", 3, 50_000.0, 700, 520, 64, tunes=False),
    "A10 Pro": Hardware("innominer a10-1.1.0", 3, 500e6, 1250, 780, 8, tunes=True),
    "A11MX": Hardware("innominer a10-1.1.2", 4, 2_000e6, 1400, 760, 8, tunes=True),
    "B52": Hardware("innominer b52-0.1", 2, 1_000.0, 500, 700, 10, tunes=False),
}


class SimulatedInnosilicon(SocketMiner):
    """One Innosilicon with its ports 80 and 4028.

    ``levels`` is for firmware that tells a level of its modes. ``tuning`` are the
    seconds for which it tunes itself after a change of the mode, ``boot`` those for
    which it is away after a restart.
    """

    ports: ClassVar[tuple[int, ...]] = (80, 4028)

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        model: str = "A11MX",
        firmware: str | None = None,
        serial: str = "IN0001",
        mac: str | None = None,
        password: str = "s3cret",
        levels: bool = False,
        separate: bool = False,
        tuning: float = 0.0,
        boot: float = 0.05,
        **options: Any,
    ) -> None:
        """Describe a miner that mines; ``separate`` lists each chain by itself."""
        super().__init__(host, **options)
        self.model = model
        self.hardware = MODELS[model]
        self.description = self.hardware.program
        if firmware is not None:
            self.description = f"{self.description.partition('-')[0]}-{firmware}"
        digits = f"{zlib.crc32(serial.encode()):08x}"
        pairs = [digits[i : i + 2] for i in range(0, 8, 2)]
        self.mac = mac or ":".join(("50", "6c", *pairs))
        self.password = password
        self.levels = levels
        self.separate = separate
        self.tuning = tuning
        self.boot = boot
        self.logins = 0
        self.refused = 0
        self.tokens: set[str] = set()
        self.writes: list[str] = []
        self.stubborn = False
        self.refuses: str | None = None
        self.locked = False
        self.mode = "balanced"
        self.error = ("0", "")
        self.stalled = False
        self.pool_up = True
        self.dead: set[int] = set()
        self._tunes_until = 0.0
        self._away_until = 0.0
        self.pools: list[tuple[str, str, str]] = [
            ("stratum+tcp://pool.example:4444", "wallet.one", "pool-secret")
        ]

    # Its mining process.

    @property
    def is_tuning(self) -> bool:
        return time.monotonic() < self._tunes_until

    @property
    def rate(self) -> float:
        if self.stalled or not self.pool_up or self.is_tuning:
            return 0.0
        return self.hardware.rate * (1 - len(self.dead) / self.hardware.boards)

    @override
    def run(self, name: str, parameter: str) -> Section | None:
        replies: dict[str, Callable[[], Section]] = {
            "version": lambda: {"VERSION": [{"CGMiner": "4.10.0", "API": "3.7"}]},
            "summary": lambda: {"SUMMARY": [self._summary()]},
            "devs": lambda: {"DEVS": [*map(self._device, self._boards)]},
            "stats": self._stats,
            "pools": lambda: {"POOLS": [*map(self._pool, range(len(self.pools)))]},
        }
        if name in ("addpool", "restart", "quit"):
            return self.refuse(*_DENIED)
        return replies[name]() if name in replies else None

    @property
    def _boards(self) -> range:
        return range(self.hardware.boards)

    def _rates(self, rate: float) -> Section:
        return {
            "MHS av": round(self.hardware.rate * 0.99, 2),
            "MHS 5s": round(rate * self.wander(), 2),
            **{f"MHS {window}": round(rate, 2) for window in ("1m", "5m", "15m")},
        }

    def _summary(self) -> Section:
        return {
            "Elapsed": self.uptime,
            **self._rates(self.rate),
            "Found Blocks": 0,
            "Getworks": 431,
            "Accepted": self.uptime // 5,
            "Rejected": self.uptime // 500,
            "Hardware Errors": 12,
            "Utility": 11.5,
            "Stale": 1,
            "Best Share": 0,
            "Last getwork": int(self.now()),
        }

    def _device(self, place: int) -> Section:
        gone = place in self.dead
        left = self.hardware.boards - len(self.dead)
        rate = 0.0 if gone else self.rate / left
        return {
            "ASC": place,
            "Name": "INNO",
            "ID": place,
            "Enabled": "Y",
            "Status": "Dead" if gone else "Alive",
            "Temperature": 0.0 if gone else 61.0 + place,
            **self._rates(rate),
            "MHS av": round(rate * 0.99, 2),
            "Accepted": 10,
            "Rejected": 0,
            "Hardware Errors": 3,
            "Device Elapsed": self.uptime,
        }

    def _chain(self, place: int) -> Section:
        gone = place in self.dead
        return {
            "STATS": place,
            "ID": f"INNO{place}",
            "Elapsed": self.uptime,
            "Calls": 0,
            "Chain ID": place,
            "Num chips": self.hardware.chips,
            "Num cores": 0 if gone else self.hardware.chips * 32,
            "Num active chips": 0 if gone else self.hardware.chips,
            "Temp max": 0.0 if gone else 71.0 + place,
            "Temp min": 0.0 if gone else 52.0,
            "Temp": 0.0 if gone else 61.0 + place,
            "Fan duty": 63,
            "PLL": 0 if gone else self.hardware.clock,
            "Voltage Avg": 0 if gone else self.hardware.millivolts,
            "power": 42,
        }

    def _stats(self) -> Section:
        chains = [self._chain(place) for place in self._boards]
        if self.separate:
            return {f"STATS{place}": [chain] for place, chain in enumerate(chains)}
        pool = {"STATS": 9, "ID": "POOL0", "Elapsed": self.uptime, "Calls": 0}
        return {"STATS": [*chains, pool]}

    def _pool(self, place: int) -> Section:
        url, user, _ = self.pools[place]
        used = not place and self.pool_up
        return {
            "POOL": place,
            "URL": url,
            "Status": "Alive" if self.pool_up else "Dead",
            "Priority": place,
            "User": user,
            "Accepted": 0 if place else 10,
            "Rejected": 0,
            "Stale": 0,
            "Stratum Active": used,
        }

    # Its web server.

    @override
    async def start(self) -> None:
        await super().start()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve_web)
        await self.serve_http(80, app)

    async def _serve_web(self, request: web.Request) -> web.Response:
        if time.monotonic() < self._away_until:
            return web.Response(status=502)
        if request.path == "/":
            page = "<html><head><title>AsicMiner</title></head></html>"
            return web.Response(text=page, content_type="text/html")
        form = {str(k): str(v) for k, v in (await request.post()).items()}
        name = request.path.removeprefix("/api/")
        if name == "auth":
            return _json(self._log_in(form))
        header = request.headers.get("Authorization", "")
        if not header:
            return _json({"success": False, "message": "invalid request"})
        if header.removeprefix("Bearer ") not in self.tokens:
            return _json({"success": False, "token": "expired"})
        return _json(self._answer(name, form))

    def _log_in(self, form: dict[str, str]) -> Section:
        if form.get("username") != "admin":
            self.refused += 1
            return {"success": False, "message": "user not found"}
        if form.get("password") != self.password:
            self.refused += 1
            return {"success": False, "message": "invalid password"}
        self.logins += 1
        self.tokens = {f"jwt-{self.logins}"}
        return {"success": True, "jwt": f"jwt-{self.logins}"}

    def _answer(self, name: str, form: dict[str, str]) -> Section:
        reads: dict[str, Callable[[], Section]] = {
            "overview": self._overview,
            "getErrorDetail": lambda: dict(
                zip(("code", "errmsg"), self.error, strict=True)
            ),
        }
        commands: dict[str, Callable[[dict[str, str]], Section]] = {
            "updatePools": self._update_pools,
            "restartCgMiner": lambda _: self._restart(),
            "reboot": lambda _: self._reboot(),
        }
        if self.hardware.tunes:
            reads["getAutoTuneStatus"] = self._tune_status
            commands["setAutoTune"] = self._set_tune
        if name in reads:
            return {"success": True, **reads[name]()}
        if name not in commands:
            return {"success": False, "message": "invalid request"}
        self.writes.append(name)
        if self.refuses is not None:
            return {"success": False, "message": self.refuses}
        more = {} if self.stubborn else commands[name](form)
        return {"success": True, **more}

    def _overview(self) -> Section:
        return {
            "type": self.model,
            "hardware": {"status": "ok", "uptime": "1 day"},
            "network": {"dhcp": "dhcp", "ipaddress": self.host},
            "version": {
                "hwver": "g19",
                "ethaddr": self.mac,
                "build_date": "23rd of July 2021 10:11 AM",
                "platform_v": "t1_20180409_152051",
            },
        }

    def _tune_status(self) -> Section:
        more = {"level": 1} if self.levels else {}
        busy = self.is_tuning
        return {"isRunning": True, "isTuning": busy, "mode": self.mode, **more}

    def _set_tune(self, form: dict[str, str]) -> Section:
        assert form["autotune"] in _TUNES
        assert form.get("level") == ("2" if self.levels else None)
        self.mode = form["autotune"]
        self._tunes_until = time.monotonic() + self.tuning
        return {}

    def _update_pools(self, form: dict[str, str]) -> Section:
        if self.locked:
            return {"message": "lock"}
        keys = ("Pool", "UserName", "Password")
        told = [tuple(form.get(f"{k}{n}", "") for k in keys) for n in (1, 2, 3)]
        self.pools = [(url, user, word) for url, user, word in told if word and url]
        return self._restart()

    def _restart(self) -> Section:
        self.booted = self.now()
        return {}

    def _reboot(self) -> Section:
        self.tokens.clear()
        self._away_until = time.monotonic() + self.boot
        return self._restart()


def _json(value: object) -> web.Response:
    return web.Response(body=orjson.dumps(value), content_type="text/html")


FAMILIES = (
    Family("innosilicon", SimulatedInnosilicon, username="admin", password="s3cret"),
)

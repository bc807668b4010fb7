"""A simulated IceRiver: the maker's web server, and that of iceriver-oc."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
import time
from typing import Any, ClassVar, override
import zlib

from aiohttp import web
import orjson

from tests.simulators.base import SimulatedDevice
from tests.simulators.families import Family
from tests.simulators.homewizard import Maker

type Object = dict[str, Any]

# How long the rate of a miner that has stopped goes on in its averages, in s.
_AVERAGE = 300.0


@dataclass(frozen=True, slots=True)
class Hardware:
    """What a model has: rate of the whole in TH/s, clock in MHz, chips of a board."""

    boards: int
    rate: float
    clock: float
    chips: int
    fans: int
    package: str


MODELS = {
    "KS0": Hardware(1, 0.1, 780.0, 1, 0, "ks0miner"),
    "KS0 Pro": Hardware(1, 0.2, 625.0, 2, 0, "634927_ks0pro_miner"),
    "KS3M": Hardware(3, 6.0, 500.0, 18, 4, "5977449_ks3m_miner"),
    "KS5L": Hardware(3, 12.0, 610.0, 18, 4, "712233_ks5l_miner"),
    "AL3": Hardware(3, 8.0, 700.0, 18, 4, "88120_10306_miner"),
}


class _IceRiver(SimulatedDevice):
    """What both web servers tell; ``custom`` is the version of iceriver-oc, if any.

    ``restart`` are the seconds for which the mining process is away after a change.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        offset: int = 0,
        model: str = "KS3M",
        firmware: str | None = None,
        custom: str | None = None,
        serial: str = "IR0001",
        mac: str | None = None,
        password: str = "s3cret",
        uptime: float = 90_061.0,
        restart: float = 0.0,
        boot: float = 0.05,
    ) -> None:
        """Describe a miner that mines."""
        super().__init__(host, offset=offset)
        self.model = model
        self.hardware = MODELS[model]
        package = self.hardware.package
        if firmware is not None:
            package = f"{firmware}_{package.split('_', 1)[-1]}"
        self.package = f"{custom}_{package.split('_', 1)[-1]}" if custom else package
        self.custom = custom
        digits = f"{zlib.crc32(serial.encode()):08x}"
        pairs = [digits[i : i + 2] for i in range(0, 8, 2)]
        self.mac = mac or ":".join(("52", "8c", *pairs))
        self.password = password
        self.restart = restart
        self.boot = boot
        self.asleep = False
        self.locating = False
        self.pool_up = True
        self.online = True
        self.hot = False
        self.stopped: set[int] = set()
        self.stubborn = False
        self.refuses: str | None = None
        self.writes: list[str] = []
        self.started = time.monotonic() - uptime
        self._slept_at = 0.0
        self.mining_away_until = 0.0
        self.away_until = 0.0
        self.pools = [self.pool("stratum+tcp://pool.example:5555", "kaspa:one.rig")]

    @staticmethod
    def pool(url: str, user: str, password: str = "pool-secret") -> Object:
        return {"addr": url, "user": user, "pass": password}

    @property
    def uptime(self) -> int:
        return int(time.monotonic() - self.started)

    @property
    def hashing(self) -> list[bool]:
        """Tell of each board whether it hashes now."""
        works = not self.asleep and self.pool_up and self.online
        return [works and n not in self.stopped for n in range(self.hardware.boards)]

    @property
    def rate(self) -> float:
        """Return the average over five minutes in GH/s, which ends slowly."""
        if self.asleep and time.monotonic() - self._slept_at > _AVERAGE:
            return 0.0
        share = 1 - len(self.stopped) / self.hardware.boards
        return self.hardware.rate * 1000 * share

    def sleep(self, *, on: bool) -> None:
        if on is not self.asleep:
            self._slept_at = time.monotonic()
            self.asleep = on
        self.mining_away_until = time.monotonic() + self.restart

    def reboot(self) -> None:
        self.started = time.monotonic()
        self.away_until = time.monotonic() + self.boot

    def overview(self) -> Object:
        """Return what it does, as both servers tell it."""
        hours, rest = divmod(self.uptime, 3600)
        minutes, seconds = divmod(rest, 60)
        days, hours = divmod(hours, 24)
        working = any(self.hashing)
        fans = [3300 + 60 * n for n in range(self.hardware.fans)]
        return {
            "model": self.model if self.custom else "none",
            "algo": "none",
            "online": self.online,
            "firmver1": "BOOT_2_1.BIN",
            "firmver2": "image_1.0",
            "softver1": self.package,
            "softver2": "bg",
            "firmtype": "Custom" if self.custom else "Factory",
            "nic": "eth0",
            "mac": self.mac.replace(":", "-"),
            "ip": self.host,
            "netmask": "255.255.255.0",
            "host": "rig-one",
            "dhcp": True,
            "gateway": "192.168.1.1",
            "dns": "192.168.1.1",
            "locate": self.locating,
            "rtpow": f"{self.rate:.0f}G",
            "avgpow": f"{self.hardware.rate * 990:.0f}G",
            "reject": 0.21,
            "runtime": f"{days:02}:{hours:02}:{minutes:02}:{seconds:02}",
            "unit": "G",
            "powstate": working,
            "netstate": self.pool_up,
            "fanstate": bool(self.hardware.fans),
            "tempstate": not self.hot,
            "fans": fans or [1877, 0, 0, 0],
            "pools": [self._shown(n, pool) for n, pool in enumerate(self.pools)],
            "boards": [self.board(n) for n in range(self.hardware.boards)],
            "refTime": "2024-06-04 01:18:45 UTC",
        }

    def _shown(self, place: int, pool: Object) -> Object:
        used = not place and self.pool_up and not self.asleep
        return {
            "no": place + 1.0,
            **pool,
            "connect": used,
            "diff": "274.88 G" if used else "",
            "priority": place + 1.0,
            "accepted": 0.0 if place else 3324.0,
            "rejected": 0.0 if place else 7.0,
            "diffa": 0.0,
            "diffr": 0.0,
            "state": 1.0 if used else 0.0,
            "lsdiff": 0.0,
            "lstime": "00:00:00:03",
        }

    def board(self, place: int) -> Object:
        """Return one board; iceriver-oc tells more of it."""
        works = self.hashing[place]
        share = self.hardware.rate * 1000 / self.hardware.boards
        more = {
            "chippll": self.hardware.clock + 1.25,
            "chiptmp": 67.161591 + place,
            "chipvoltage": 0.481587,
        }
        return {
            "no": place + 1.0,
            "chipnum": 18.0,
            "chipsuc": float(self.hardware.chips),
            "error": 0.0,
            "freq": self.hardware.clock,
            "rtpow": f"{self.rate / self.hardware.boards:.2f}G",
            "avgpow": f"{share * 0.99:.2f}G",
            "idealpow": f"{share:.2f}G" if self.custom else "0.00G",
            "tempnum": "",
            "pcbtemp": "38.00-51.00",
            "intmp": 38.0 + place,
            "outtmp": 51.0 + place,
            "state": works,
            "false": "",
            **(more if self.custom else {}),
        }

    def answer_json(self, reply: Object, **more: Any) -> web.Response:
        body = orjson.dumps({"error": 0, **reply, "message": "", **more})
        return web.Response(body=body, content_type="text/html")

    def fail(self, code: int, message: str) -> web.Response:
        return self.answer_json({}, error=code, message=message)


class SimulatedIceRiver(_IceRiver):
    """One with the maker's web server, which asks for no login but at the login.

    ``answer_late`` are the seconds for which it is busy before it answers a change.
    """

    ports: ClassVar[tuple[int, ...]] = (80,)

    def __init__(self, host: str = "127.0.0.1", **options: Any) -> None:
        """Describe a miner that mines."""
        super().__init__(host, **options)
        self.logins = 0
        self.refused = 0
        self.ratio = 60
        self.automatic = True
        self.answer_late = 0.0

    @override
    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        await self.serve_http(80, app)

    async def _serve(self, request: web.Request) -> web.Response:
        if time.monotonic() < self.away_until:
            return web.Response(status=502)
        form = {**request.query, **(await request.post())}
        post = str(form.get("post"))
        serve: dict[tuple[str, str], Callable[[Object], web.Response]] = {
            ("/user/loginpost", "6"): self._log_in,
            ("/user/userpanel", "3"): self._restart,
            ("/user/userpanel", "4"): self._panel,
            ("/user/userpanel", "5"): self._locate,
            ("/user/machineconfig", "1"): self._config,
            ("/user/machineconfig", "2"): self._configure,
        }
        if request.path == "/":
            page = "<HTML><HEAD><TITLE>用户界面</TITLE></HEAD></HTML>"
            return web.Response(text=page, content_type="text/html")
        if (request.path, post) not in serve:
            return web.Response(status=404)
        reply = serve[request.path, post](form)
        if (request.path, post) == ("/user/machineconfig", "2"):
            await asyncio.sleep(self.answer_late)
        return reply

    def _log_in(self, form: Object) -> web.Response:
        if form.get("user") != "admin":
            self.refused += 1
            return self.fail(1001, "user not exist")
        if form.get("pwd") != self.password:
            self.refused += 1
            return self.fail(1002, "password error")
        self.logins += 1
        response = self.answer_json({})
        response.set_cookie("session", f"{self.logins}")
        return response

    def _panel(self, form: Object) -> web.Response:
        if time.monotonic() < self.mining_away_until:
            return self.fail(1, "Connect miner failed!")
        return self.answer_json({"data": self.overview()})

    def _config(self, form: Object) -> web.Response:
        pools = [{"no": n + 1.0, **pool} for n, pool in enumerate(self.pools)]
        mode = 2 if self.asleep else 1
        return self.answer_json(
            {"data": {"pools": pools, "ratio": self.ratio, "mode": mode}}
        )

    def _refuses(self, form: Object, name: str) -> web.Response | None:
        self.writes.append(name)
        if self.refuses is not None:
            return self.fail(2, self.refuses)
        return self.answer_json({}) if self.stubborn else None

    def _configure(self, form: Object) -> web.Response:
        if (refused := self._refuses(form, "configure")) is not None:
            return refused
        self.ratio = int(form["fanratio"])
        self.automatic = form.get("fancontrol") != "on"
        told = [
            self.pool(*(form[f"pool{n}{key}"] for key in ("address", "miner", "pwd")))
            for n in (1, 2, 3)
        ]
        self.pools = [pool for pool in told if pool["addr"]]
        self.sleep(on=form["fanmode"] == "sleep")
        return self.answer_json({})

    def _locate(self, form: Object) -> web.Response:
        if (refused := self._refuses(form, "locate")) is not None:
            return refused
        self.locating = form["locate"] == "1"
        return self.answer_json({})

    def _restart(self, form: Object) -> web.Response:
        if (refused := self._refuses(form, "reboot")) is not None:
            return refused
        self.reboot()
        return self.answer_json({})


class SimulatedIceRiverOC(_IceRiver):
    """One with iceriver-oc: https by a certificate of its own, and a token.

    ``permits`` is false for a token that may only read.
    """

    ports: ClassVar[tuple[int, ...]] = (443,)

    def __init__(self, host: str = "127.0.0.1", **options: Any) -> None:
        """Describe a miner that mines."""
        options.setdefault("custom", "pbv081c")
        super().__init__(host, **options)
        self.token = "5b281acc-own-token"
        self.permits = True
        self.refused = 0
        self.fan: Object = {"min": 30, "mode": "temp", "ratio": 70, "target": 65}
        self.ids = iter(range(7, 99))
        self.pools = [{**pool, "id": next(self.ids)} for pool in self.pools]

    @override
    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        await self.serve_http(443, app, Maker("rig").server_context("rig"))

    async def _serve(self, request: web.Request) -> web.Response:
        if time.monotonic() < self.away_until:
            return web.Response(status=502)
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            self.refused += 1
            return web.Response(status=401)
        form = {str(k): str(v) for k, v in (await request.post()).items()}
        path = request.path.removeprefix("/api/")
        reads: dict[str, Callable[[], Object]] = {
            "overview": lambda: {"data": self.overview()},
            "machine": lambda: {"machine": self._machine()},
            "fan": lambda: {"fan": self.fan},
            "pool/list": lambda: {"pools": [*map(_listed, self.pools)]},
        }
        if path in reads:
            return self.answer_json(reads[path]())
        return self._command(path, request.method, form)

    def _machine(self) -> Object:
        return {"device": self.model, "mode": "sleep" if self.asleep else "normal"}

    def _command(self, path: str, method: str, form: dict[str, str]) -> web.Response:
        commands: dict[str, Callable[[dict[str, str]], object]] = {
            "machine/sleep": lambda _: self.sleep(on=True),
            "machine/wake": lambda _: self.sleep(on=False),
            "machine/reboot": lambda _: self.reboot(),
            "machine/locate": lambda _: setattr(self, "locating", not self.locating),
            "fan/update": self._set_fan,
            "pool/create": self._create,
            "pool/update": self._update,
            "pool/delete": self._delete,
        }
        if path not in commands or method != ("POST" if form else "GET"):
            return web.Response(status=404)
        if not self.permits:
            return web.Response(status=403)
        self.writes.append(path)
        if self.refuses is not None:
            return self.fail(1, self.refuses)
        if not self.stubborn:
            commands[path](form)
        return self.answer_json({})

    def _set_fan(self, form: dict[str, str]) -> None:
        assert form["mode"] in ("auto", "fixed", "temp")
        numbers: Object = {
            key: int(form[key]) for key in ("ratio", "min") if key in form
        }
        self.fan = {**self.fan, "mode": form["mode"], **numbers}

    def _create(self, form: dict[str, str]) -> None:
        self.pools.append({**_told(form), "id": next(self.ids)})

    def _update(self, form: dict[str, str]) -> None:
        (pool,) = (pool for pool in self.pools if pool["id"] == int(form["id"]))
        pool.update(_told(form))

    def _delete(self, form: dict[str, str]) -> None:
        self.pools = [pool for pool in self.pools if pool["id"] != int(form["id"])]


def _told(form: dict[str, str]) -> Object:
    return _IceRiver.pool(form["pool_address"], form["wallet"], form["pool_password"])


def _listed(pool: Object) -> Object:
    return {
        "id": pool["id"],
        "pool_address": pool["addr"],
        "wallet": pool["user"],
        "pool_password": pool["pass"],
    }


FAMILIES = (Family("iceriver", SimulatedIceRiver, username="admin", password="s3cret"),)

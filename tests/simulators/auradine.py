"""A simulated Auradine Teraflux: the socket API, and the REST API behind a token."""

from collections.abc import Callable
import time
from typing import Any, ClassVar, override

from aiohttp import web
import orjson

from tests.simulators.cgminer import PORT, Section, SocketMiner
from tests.simulators.families import Family

REST_PORT = 8080
_CODES = {
    "asccount": (104, "ASC count"),
    "fan": (510, "Total fans: 4"),
    "led": (530, "Total LEDs 2"),
    "mode": (540, "Operating mode"),
    "psu": (570, "PSU status"),
    "temperature": (590, "System temperature"),
    "ipreport": (620, "IP Report"),
}
_WATTS = {"eco": 2400, "normal": 3000, "turbo": 3400}
_CHIPS = 132


class SimulatedAuradine(SocketMiner):
    """One miner; attributes are its state and may be changed at any time.

    ``rest_on_socket`` has the socket know what others know from the REST API only.
    ``expires`` has every token run out after so many requests, ``says_expired`` by
    words instead of status 401. ``quiet_asleep`` closes the socket while it sleeps.
    ``slow`` is how many seconds a start takes, ``stubborn`` takes commands without
    obeying. ``logins`` counts tokens that were asked for, ``told`` lists the commands.
    """

    ports: ClassVar[tuple[int, ...]] = (PORT, REST_PORT)

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        model: str = "AT1500",
        serial: str = "AU23900001",
        mac: str = "1c:00:00:00:00:01",
        hostname: str = "teraflux-01",
        firmware: str = "2024-06.11",
        username: str = "admin",
        password: str = "admin",
        rest: bool = True,
        rest_on_socket: bool = False,
        quiet_asleep: bool = False,
        slow: float = 0.0,
        **options: Any,
    ) -> None:
        """Describe a miner that is not switched on yet."""
        super().__init__(host, **options)
        self.model = model
        self.serial = serial
        self.mac = mac
        self.hostname = hostname
        self.firmware = firmware
        self.description = f"FluxOS-{firmware}-d37c5dd4a7f8e4837e63dc99e577620cb5e9361d"
        self.account = (username, password)
        self.rest = rest
        self.rest_on_socket = rest_on_socket
        self.quiet_asleep = quiet_asleep
        self.slow = slow
        self.asleep = False
        self.mode = "normal"
        self.watts = 3000
        self.led = 2
        self.led_message = ""
        self.pool_status = "Alive"
        self.pool_list = [
            {"url": f"stratum+tcp://pool{n}.example:3333", "user": "acct.rig"}
            for n in range(3)
        ]
        self.sick: dict[int, str] = {}
        self.supplies = 1
        self.most_watts = 3452
        self.stubborn = self.says_expired = self.frozen = self.rude = False
        self.login_words = "Invalid user or password"
        self.login_status = 200
        self.expires: int | None = None
        self.tokens: dict[str, int] = {}
        self.logins = 0
        self.told: list[dict[str, Any]] = []
        self.reboots = self.restarts = 0
        self.odd: dict[str, Section] = {}
        self._woke_at = 0.0
        self._frozen_at = 0

    @property
    def hashes(self) -> bool:
        ready = time.monotonic() - self._woke_at >= self.slow
        return ready and not self.asleep and self.pool_status == "Alive"

    @property
    def rate(self) -> float:
        """Return the hashrate of a board in MH/s."""
        return round(self.watts / 20 * 1e6 / 3, 1) if self.hashes else 0.0

    @property
    def elapsed(self) -> int:
        if not self.frozen:
            self._frozen_at = self.uptime
        return self._frozen_at

    # The socket.

    @override
    async def start(self) -> None:
        await super().start()
        if self.rest:
            app = web.Application()
            app.router.add_route("*", "/{path:.*}", self._serve_rest)
            await self.serve_http(REST_PORT, app)

    @override
    async def _serve(self, reader: Any, writer: Any) -> None:
        if self.quiet_asleep and self.asleep:
            writer.transport.abort()
            return
        await super()._serve(reader, writer)

    @override
    def run(self, name: str, parameter: str) -> Section | None:
        if name in self.odd:
            return self.odd[name]
        known: dict[str, Callable[[], Section]] = {
            "version": lambda: {"VERSION": [{"API": "1.0", "GCMiner": "0.5"}]},
            "summary": lambda: {"SUMMARY": [self._summary()]},
            "devs": lambda: {"DEVS": [self._device(n) for n in (1, 2, 3)]},
            "pools": lambda: {"POOLS": [self._pool(n) for n in range(3)]},
            "devdetails": lambda: {"DEVDETAILS": [{"Model": self.model}]},
            "asccount": lambda: self._rest_reply("asccount"),
        }
        if name in known:
            return known[name]()
        if self.rest_on_socket and name in _CODES:
            return self._rest_reply(name)
        return None

    def _summary(self) -> Section:
        rate = self.rate * 3
        return {
            "Elapsed": self.elapsed,
            "MHS av": 148_500_000.0,
            "MHS 5s": rate,
            "MHS 1m": rate,
            "MHS 5m": rate,
            "MHS 15m": 149_000_000.0,
            "Accepted": self.uptime // 12,
            "Rejected": 2,
            "Stale": 1,
            "Hardware Errors": 4,
            "Total MH": self.uptime * 149_000_000,
        }

    def _device(self, number: int) -> Section:
        return {
            "DEV": number,
            "ID": number,
            "Name": "ASICBoard",
            "Enabled": True,
            "Status": self.sick.get(number, "Alive"),
            "Temperature": 40.25 + number,
            "MHS 5s": self.rate,
        }

    def _pool(self, index: int) -> Section:
        if index >= len(self.pool_list):
            return {"POOL": index, "URL": "", "User": "", "Status": "Dead"}
        pool = self.pool_list[index]
        first = index == 0
        return {
            "POOL": index,
            "Priority": index,
            "URL": pool["url"],
            "User": pool["user"],
            "Status": self.pool_status if first else "Dead",
            "Stratum Active": first and self.pool_status == "Alive",
            "Accepted": self.uptime // 12 if first else 0,
            "Rejected": 2 if first else 0,
        }

    # The REST API.

    def _rest_reply(self, name: str) -> Section:
        if name in self.odd:
            return self.odd[name]
        sections: dict[str, Callable[[], list[Section]]] = {
            "mode": lambda: [self._mode()],
            "psu": lambda: [self._supply() for _ in range(self.supplies)],
            "fan": lambda: [
                {"ID": n, "Max": 7700, "Speed": 7000 + n, "Target": 7000}
                for n in (1, 2, 3, 4)
            ],
            "led": lambda: [{"Code": self.led, "LED1": 1, "Msg": self.led_message}],
            "temperature": lambda: [self._sensors(n) for n in range(4)],
            "ipreport": lambda: [self._report()],
            "asccount": lambda: [{"AsicCount": _CHIPS * 3, "BoardCount": 3}],
        }
        names = {"psu": "PSU", "led": "LED", "ipreport": "IPReport"}
        section = names.get(name) or {"asccount": "ASCCount"}.get(name, name.title())
        return {**self.status("S", *_CODES[name]), section: sections[name]()}

    def _mode(self) -> Section:
        sleep = "on" if self.asleep else "off"
        return {"Mode": self.mode, "Power": self.watts, "Sleep": sleep, "Ths": 160}

    def _supply(self) -> Section:
        watts = (self.watts if self.hashes else 58.94) / self.supplies
        return {
            "FanSpeed1": "4052.00 RPM",
            "PowerIn": f"{watts:.2f}W",
            "PowerOut": f"{watts * 0.95:.2f}W",
            "PoutMax": f"{3452 / self.supplies:.2f}W",
            "Vin": "245.00V",
        }

    def _sensors(self, number: int) -> Section:
        if number == 0:
            board = [{"ID": 0, "Temperature": 24.9}]
            return {
                "ID": 0,
                "Name": "Control Board",
                "BoardTemp": board,
                "ChipTemp": None,
            }
        return {
            "ID": number,
            "Name": f"Hash Board {number}",
            "BoardTemp": [
                {"ID": n, "Temperature": 30.0 + n + number} for n in range(5)
            ],
            "ChipTemp": [
                {"ID": n, "Temperature": 55.0 + n / 10 + number} for n in range(_CHIPS)
            ],
        }

    def _report(self) -> Section:
        return {
            "CBSerialNo": self.serial,
            "HBSerialNo": [f"QAHB{self.seed:04d}{n}" for n in range(3)],
            "SerialNo": self.serial,
            "hostname": self.hostname,
            "mac": self.mac,
            "model": self.model,
            "version": self.firmware,
        }

    async def _serve_rest(self, request: web.Request) -> web.StreamResponse:
        name = request.path.strip("/")
        body = orjson.loads(await request.read() or b"{}")
        if name == "token":
            return self._token(body)
        if (refused := self._unless_known(request)) is not None:
            return refused
        if request.method == "GET":
            return self._get(name)
        return self._post(name, body, request)

    def _token(self, body: dict[str, Any]) -> web.Response:
        self.logins += 1
        if (body.get("user"), body.get("password")) != self.account:
            refusal = self.status("E", 400, self.login_words)
            return _json(refusal, self.login_status)
        token = f"token{self.logins}"
        self.tokens[token] = 0
        return _json({**self.status("S", 700, "Token"), "Token": [{"Token": token}]})

    def _unless_known(self, request: web.Request) -> web.Response | None:
        token = request.headers.get("Token", "")
        used = self.tokens.get(token)
        if used is not None and (self.expires is None or used < self.expires):
            self.tokens[token] = used + 1
            return None
        self.tokens.pop(token, None)
        refusal = self.status("E", 401, "Token is not valid")
        return _json(refusal, 200 if self.says_expired else 401)

    def _get(self, name: str) -> web.Response:
        if name not in _CODES:
            return _json(self.status("E", 14, "Invalid command"))
        return _json(self._rest_reply(name))

    def _post(
        self, name: str, body: dict[str, Any], request: web.Request
    ) -> web.Response:
        self.told.append(body)
        commands: dict[str, Callable[[dict[str, Any]], str | None]] = {
            "mode": self._set_mode,
            "led": self._set_led,
            "restart": self._restart,
            "updatepools": self._set_pools,
        }
        if name not in commands or body.get("command") != name:
            return _json(self.status("E", 14, "Invalid command"))
        problem = None if self.stubborn else commands[name](body)
        if self.rude and name == "restart" and request.transport is not None:
            request.transport.abort()
        if problem is not None:
            return _json(self.status("E", 541, problem))
        return _json(self.status("S", 541, "Done"))

    def _set_mode(self, body: dict[str, Any]) -> str | None:
        if "sleep" in body:
            self.asleep = body["sleep"] == "on"
            self._woke_at = time.monotonic()
            return None
        if body["mode"] == "custom":
            if body["power"] > self.most_watts:
                return "Power out of range"
            self.mode, self.watts = "custom", body["power"]
        elif body["mode"] in _WATTS:
            self.mode, self.watts = body["mode"], _WATTS[body["mode"]]
        else:
            return "Unknown mode"
        return None

    def _set_led(self, body: dict[str, Any]) -> str | None:
        self.led = body["code"]
        return None

    def _restart(self, body: dict[str, Any]) -> str | None:
        if body.get("parameter") == "gcminer":
            self.restarts += 1
            self.booted = self.now()
        else:
            self.reboots += 1
        return None

    def _set_pools(self, body: dict[str, Any]) -> str | None:
        if any("://" not in pool["url"] for pool in body["pools"]):
            return "Invalid pool"
        self.pool_list = [{k: p[k] for k in ("url", "user")} for p in body["pools"]]
        return None


def _json(body: Section, status: int = 200) -> web.Response:
    data = orjson.dumps({**body, "id": 1})
    return web.Response(body=data, status=status, content_type="application/json")


FAMILIES = (Family("auradine", SimulatedAuradine, username="admin", password="admin"),)

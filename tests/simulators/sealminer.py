"""A simulated Sealminer: the socket API on 4028, PHP programs on port 80."""

from collections.abc import Callable
import json
from typing import Any, ClassVar, override

from aiohttp import web

from tests.simulators.cgminer import PORT, Section, SocketMiner
from tests.simulators.families import Family


class SimulatedSealminer(SocketMiner):
    """One miner; its state may be changed at any time.

    ``rate`` is TH/s. ``asleep_word`` is what it calls its state while suspended,
    ``expires_with`` how an expired login is answered: a status, or 0 for the page to
    log in. ``wrong`` counts refused logins. ``ignores_writes`` acknowledges only.
    """

    ports: ClassVar[tuple[int, ...]] = (PORT, 80)
    description = "bdminer 4.11.1"

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        model: str = "SealMiner A2",
        serial: str = "SIMSEAL0001",
        mac: str = "02:53:45:41:00:01",
        password: str = "seal",
        firmware: str = "2025091001",
        rate: float = 226.0,
        asleep_word: str = "Suspend",
        warm_up: float = 0.0,
        pools_dead: bool = False,
        **options: Any,
    ) -> None:
        """Describe a miner that is not switched on yet."""
        super().__init__(host, **options)
        self.model = model
        self.serial = serial
        self.mac = mac
        self.password = password
        self.firmware = firmware
        self.rate = rate
        self.asleep_word = asleep_word
        self.warm_up = warm_up
        self.pools_dead = pools_dead
        self.pools = [
            {
                "url": f"stratum+tcp://{name}.example:3333",
                "user": f"me.{self.seed}",
                "pass": "pool-secret",
            }
            for name in "ab"
        ]
        self.asleep = False
        self.hashes = True
        self.word: str | None = None
        self.mode = "0"
        self.limit = 3900
        self.next_limit = 3900
        self.blinking = False
        self.ignores_writes = False
        self.refuses: str | None = None
        self.dies_at_reboot = False
        self.reboots_by: tuple[str, ...] = ("GET", "POST")
        self.expires_with = 401
        self.offline: set[int] = set()
        self.bad_chips = 0
        self.more: Section = {}
        self.unknown: set[str] = set()
        self.gone: set[str] = set()
        self.logins = 0
        self.wrong = 0
        self.sessions: set[str] = set()
        self.pages: list[str] = []
        self.posts: list[tuple[str, Section]] = []
        self.reboots = 0

    @override
    async def start(self) -> None:
        await super().start()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve_web)
        await self.serve_http(80, app)

    @property
    def hashing(self) -> bool:
        """Tell whether it hashes now."""
        warm = self.uptime >= self.warm_up
        return self.hashes and warm and not self.asleep and not self.pools_dead

    def uptime_is(self, seconds: float) -> None:
        """Have the mining process run for so long already."""
        self.booted = self.now() - seconds

    def reboot(self) -> None:
        """Start the whole device anew."""
        self.reboots += 1
        self.booted = self.now()
        self.limit = self.next_limit
        self.asleep = False

    # The mining process.

    @override
    def run(self, name: str, parameter: str) -> Section | None:
        if name in self.unknown:
            return None
        replies: dict[str, Callable[[], Section]] = {
            "version": lambda: {
                "VERSION": [{"BDMiner": "4.11.1", "API": "3.7", "CGMiner": "4.11.1"}]
            },
            "devdetails": lambda: {"DEVDETAILS": [{"Model": self.model}]},
            "summary": lambda: {"SUMMARY": [self._summary()]},
            "stats": lambda: {"STATS": [self.row()]},
            "pools": lambda: {"POOLS": self._pool_rows()},
            "ascset": lambda: self._ascset(parameter),
            "restart": self._restart,
        }
        return replies[name]() if name in replies else None

    @override
    def silent(self, name: str, parameter: str) -> bool:
        return name == "restart"

    def _restart(self) -> Section:
        if not self.ignores_writes:
            self.asleep = False
            self.booted = self.now()
        return self.status("S", 42, "RESTART")

    def _ascset(self, parameter: str) -> Section:
        if self.refuses is not None:
            return self.refuse(120, f"ASC 0 set failed: {self.refuses}")
        _, action, *value = parameter.split(",", 2)
        if self.ignores_writes:
            pass
        elif action == "suspend":
            self.asleep = True
        elif action == "powerlimit":
            self.next_limit = int(json.loads(value[0])["value"])
        return self.status("S", 119, "ASC 0 set OK")

    @property
    def total(self) -> float:
        """Return the rate of all boards, in MH/s."""
        return self.rate * 1e6 * self.wander() if self.hashing else 0.0

    def _summary(self) -> Section:
        return {
            "Elapsed": self.uptime,
            # Its average goes on after it was stopped.
            "MHS av": round(self.rate * 1e6 * 0.998, 2),
            **{f"MHS {window}": round(self.total, 2) for window in ("5s", "1m", "5m")},
            "Accepted": 900 + self.uptime // 20,
            "Rejected": 4,
            "Stale": 2,
            "Hardware Errors": 117,
            "Best Share": 311621,
        }

    def row(self) -> Section:
        """Return the statistics."""
        row: Section = {
            "STATS": 0,
            "ID": "BTM0",
            "Elapsed": self.uptime,
            "Model": self.model,
            "MAC": self.mac.upper(),
            "Ctrl Board": "C1",
            "Ctrl Board SN": self.serial,
            "Firmware": self.firmware,
            "Software Version": "1.2.3",
            "Mining Mode": self.mode,
            "PM State": self.word or (self.asleep_word if self.asleep else "Running"),
            "MHS(Rated)": self.rate * 1e6,
            "MHS(Ideal)": self.rate * 1e6,
            "PSU Input Power": 3730 if self.hashing else 55,
            "PSU Temp AMB": 31,
            "Power Limit": self.limit,
            "Error Code": 602,
            "Board Count": 3,
            "Fan Count": 4,
        }
        for board in range(3):
            row |= self._board(board)
        for fan in range(4):
            row |= {f"{fan} Speed": 4100 + 50 * fan, f"{fan} PWM": 153}
        return row | self.more

    def _board(self, board: int) -> Section:
        share = self.total / 3 if board not in self.offline else 0.0
        low = 58 + board + self.seed % 5 if self.hashing else 25
        told: Section = {
            "Online": "0" if board in self.offline else "1",
            "Chip Count": 210,
            "Bad Chip Count": self.bad_chips if board == 0 else 0,
            "SN": f"{self.serial[:7]}B{board}",
            "Freq": 520.0,
            "MHS(Sample)": round(share * 1.02, 2),
            "MHS(1m)": round(share, 2),
            "MHS(Avg)": round(self.rate * 1e6 / 3, 2),
            "MHS(Ideal)": round(self.rate * 1e6 / 3, 2),
            "HW": 39,
        }
        told |= {f"Temp {sensor}": low + 3 * sensor for sensor in range(4)}
        return {f"{board} {key}": value for key, value in told.items()}

    def _pool_rows(self) -> list[Section]:
        return [
            {
                "POOL": index,
                "URL": pool["url"],
                "Status": "Dead" if self.pools_dead else "Alive",
                "Priority": index,
                "Accepted": 900 + self.uptime // 20 if index == 0 else 0,
                "Rejected": 4 if index == 0 else 0,
                "Stale": 2 if index == 0 else 0,
                "User": pool["user"],
                "Stratum Active": index == 0 and not self.pools_dead,
            }
            for index, pool in enumerate(self.pools)
        ]

    # The web server.

    async def _serve_web(self, request: web.Request) -> web.StreamResponse:
        program = request.path.removeprefix("/cgi-bin/")
        self.pages.append(program)
        if program in self.gone:
            return web.Response(status=404)
        if program == "login.php":
            return await self._log_in(request)
        if program == "get_system_info.php":
            return self._printed(self._system())
        cookies = request.cookies
        if cookies.get("PHPSESSID") in self.sessions and "username" in cookies:
            return await self._known(request, program)
        if self.expires_with:
            return web.Response(status=self.expires_with)
        return web.Response(text="<html>log in</html>")

    async def _known(self, request: web.Request, program: str) -> web.Response:
        if program == "reboot.php":
            return self._reboot(request)
        if request.method == "POST":
            body = json.loads(await request.text())
            self.posts.append((program, body))
            return self._printed(self._post(program, body))
        if program == "get_miner_poolconf.php":
            return self._printed({"pools": self.pools, "xk-h3x-miningmode": 0})
        return web.Response(status=404)

    def _printed(self, reply: Section) -> web.Response:
        # PHP calls all that it prints a page.
        return web.Response(text=json.dumps(reply), content_type="text/html")

    async def _log_in(self, request: web.Request) -> web.Response:
        form = await request.post()
        right = (form.get("username"), form.get("origin_pwd"))
        if right != ("seal", self.password):
            self.wrong += 1
            return self._printed({"state": 1, "msg": "password error"})
        self.logins += 1
        self.sessions.add(request.cookies["PHPSESSID"])
        return self._printed({"state": 0, "msg": "ok"})

    def _system(self) -> Section:
        return {
            "brand": "Sealminer",
            "miner_type": self.model,
            "firmware_version": self.firmware,
            "macaddr": self.mac,
            "crtl_sn": self.serial,
            "miningMode": 0,
            "led": "on" if self.blinking else "off",
        }

    def _reboot(self, request: web.Request) -> web.Response:
        if request.method not in self.reboots_by:
            return web.Response(status=405)
        self.reboot()
        self.sessions.clear()
        if self.dies_at_reboot and request.transport is not None:
            request.transport.close()
        return self._printed({"result": True})

    def _post(self, program: str, body: Section) -> Section:
        if self.refuses is not None:
            return {"result": False, "msg": self.refuses}
        if self.ignores_writes:
            pass
        elif program == "led_conf.php":
            self.blinking = body == {"key": "led", "value": "on"}
        elif program == "set_miner_poolconf.php":
            slots = [
                {
                    "url": body[f"poolurl{slot}"],
                    "user": body[f"pooluser{slot}"],
                    "pass": body[f"poolpwd{slot}"],
                }
                for slot in (1, 2, 3)
            ]
            self.pools = [slot for slot in slots if slot["url"]]
        return {"result": True, "api": True, "fileWrite": True, "msg": ""}


# Not the factory's password: that word is in the name of the make as well.
FAMILIES = (
    Family(
        "sealminer",
        SimulatedSealminer,
        options={"password": "changed"},
        username="seal",
        password="changed",
    ),
)

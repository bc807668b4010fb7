"""A simulated Elphapex: CGI programs with HTTP digest on port 80."""

import asyncio
import json
import math
import time
from typing import Any, ClassVar, override

from aiohttp import web

from tests.simulators._antminer_web import Digest, verdict
from tests.simulators.base import SimulatedDevice
from tests.simulators.families import Family

type Section = dict[str, Any]

_ADDRESS = "{}.example:3333"


class SimulatedElphapex(SimulatedDevice):
    """One miner; its state may be changed at any time.

    ``asleep_at`` is the number by which it knows sleep, ``asleep_stats`` what it
    tells then: ``zeros`` or ``nothing``. ``ignores_writes`` acknowledges only.
    ``warm_up`` is how many seconds it starts before it hashes.
    """

    ports: ClassVar[tuple[int, ...]] = (80,)

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        offset: int = 0,
        model: str = "DG1+",
        serial: str = "SIMDG245192N0001",
        mac: str = "02:44:47:31:00:01",
        password: str = "root",
        firmware: str = "DG1+_SW_V1.0.2",
        rate: float = 14200.0,
        boards: int = 4,
        chips: int = 204,
        asleep_at: int = 1,
        asleep_stats: str = "zeros",
        warm_up: float = 0.0,
        pools_dead: bool = False,
        seed: int = 1,
    ) -> None:
        """Describe a miner that is not switched on yet; ``rate`` is MH/s."""
        super().__init__(host, offset=offset)
        self.model = model
        self.serial = serial
        self.mac = mac
        self.password = password
        self.firmware = firmware
        self.rate = rate
        self.boards = boards
        self.chips = chips
        self.asleep_at = asleep_at
        self.asleep_stats = asleep_stats
        self.warm_up = warm_up
        self.pools_dead = pools_dead
        self.seed = seed
        self.config: Section = {
            "pools": [
                {
                    "url": f"stratum+tcp://{_ADDRESS.format(name)}",
                    "user": f"me.{seed}",
                    "pass": "pool-secret",
                }
                for name in "ab"
            ]
            + [{"url": "", "user": "", "pass": ""}],
            "fc-voltage": "1470",
            "fc-fan-ctrl": False,
            "fc-freq-level": "100",
            "fc-fan-pwm": "80",
            "algo": "ltc",
            "fc-work-mode": 0,
            "fc-freq": "1850",
        }
        self.lamps: dict[str, str] = {}
        self.power: object = 3905
        self.hashes = True
        self.crashed = False
        self.blinking = False
        self.ignores_writes = False
        self.never_answers_posts = False
        self.dies_at_reboot = False
        self.refuses: str | None = None
        self.missing_boards = 0
        self.reboots = 0
        self.restarts = 0
        self.posts: list[tuple[str, Section]] = []
        self.pages: list[str] = []
        self.digest = Digest("Daoge Configuration")
        self._started = time.monotonic() - 5000 - 60 * seed

    @override
    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        await self.serve_http(80, app)

    @property
    def asleep(self) -> bool:
        """Tell whether it was put to sleep."""
        return int(self.config["fc-work-mode"]) == self.asleep_at

    @property
    def uptime(self) -> int:
        """Return the seconds since the mining process was started."""
        return int(time.monotonic() - self._started)

    @uptime.setter
    def uptime(self, seconds: int) -> None:
        self._started = time.monotonic() - seconds

    @property
    def hashing(self) -> bool:
        """Tell whether it hashes now."""
        warm = self.uptime >= self.warm_up
        return self.hashes and warm and not self.asleep and not self.pools_dead

    def rate_of(self, board: int) -> float:
        """Return the MH/s of a board, which wander by a percent."""
        if not self.hashing or board >= self.boards - self.missing_boards:
            return 0.0
        wander = 1 + 0.01 * math.sin(time.monotonic() / 7 + self.seed + board)
        return self.rate / self.boards * wander

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        refusal = self.digest.refusal(request, self.password)
        if refusal is not None:
            return refusal
        program = request.path.removeprefix("/cgi-bin/").removesuffix(".cgi")
        self.pages.append(program)
        if program == "reboot":
            return self._reboot(request)
        if request.method == "POST":
            body = json.loads(await request.text())
            self.posts.append((program, body))
            return await self._post(program, body)
        return self._page(program)

    def _reboot(self, request: web.Request) -> web.Response:
        self.reboots += 1
        self.uptime = 0
        if self.dies_at_reboot and request.transport is not None:
            request.transport.close()
        return web.Response(text="")

    def _page(self, program: str) -> web.Response:
        quiet = self.crashed or (self.asleep and self.asleep_stats == "nothing")
        if quiet and program in ("stats", "pools", "summary"):
            return web.Response(text="Socket connect failed: Connection refused\n")
        pages: dict[str, Any] = {
            "get_system_info": self._system_info,
            "stats": lambda: self._headed("stats") | {"STATS": [self.stats()]},
            "pools": lambda: self._headed("pools") | {"POOLS": self._pools()},
            "summary": lambda: self._headed("summary") | {"SUMMARY": [self._summary()]},
            "get_power": lambda: {"power_output": self.power},
            "get_miner_conf": lambda: self.config,
            "get_blink_status": lambda: {"blink": self.blinking},
        }
        if program not in pages:
            return web.Response(status=404, text="<h1>404</h1>")
        return web.Response(text=json.dumps(pages[program]()) + "\n")

    async def _post(self, program: str, body: Section) -> web.Response:
        if program == "blink":
            if not self.ignores_writes:
                self.blinking = body["blink"] == "true"
            return web.Response(text='{"code":"B000"}' if body else "")
        if program != "set_miner_conf":
            return web.Response(status=404)
        if self.refuses is not None:
            return verdict("error", "M001", self.refuses)
        if not self.ignores_writes:
            self.config = {k: v for k, v in body.items() if k != "miner-mode"}
            self.restarts += 1
            self.uptime = 0
        if self.never_answers_posts:
            await asyncio.sleep(3600)
        return verdict("success", "M000", "OK!")

    def _system_info(self) -> Section:
        return {
            "ipaddress": self.host,
            "Algorithm": "Scrypt",
            "system_filesystem_version": self.firmware,
            "nettype": "DHCP",
            "minertype": self.model,
            "macaddr": self.mac,
            "firmware_type": "Release",
            "hostname": f"{self.model}-rig",
        }

    def _headed(self, command: str) -> Section:
        return {
            "STATUS": {
                "STATUS": "S",
                "when": 1,
                "api_version": "1.0.0",
                "Msg": command,
            },
            "INFO": {
                "miner_version": self.firmware,
                "CompileTime": "",
                "dev_sn": self.serial,
                "type": self.model,
                "hw_version": "DG1+_HW_V1.0",
            },
        }

    def stats(self) -> Section:
        """Return the row of the statistics."""
        total = sum(self.rate_of(board) for board in range(self.boards))
        speed = 5300 + 10 * (self.seed % 20) if self.hashing else 1200
        return {
            "rate_unit": "MH/s",
            "elapsed": self.uptime,
            "rate_5s": round(total, 2),
            "rate_30m": 0,
            "rate_ideal": self.rate,
            "rate_avg": round(total * 0.998, 2),
            "hwp_total": 0.1,
            "chain": [self._chain(board) for board in range(4)],
            "chain_num": 4,
            "fan": [str(speed + 60 * fan) for fan in range(4)],
            "fan_num": 4,
        }

    def _chain(self, board: int) -> Section:
        there = board < self.boards - self.missing_boards
        low = 47 + board + self.seed % 5 if self.hashing else 24
        return {
            "index": board,
            "sn": f"{self.serial[:8]}B{board}" if there else "",
            "freq_avg": 62000,
            "temp_chip": [str(low * 1000 + 125), f"{low + 3}500"]
            if there
            else ["", ""],
            "temp_pcb": [low - 1, low, low + 19, low + 20] if there else [0, 0, 0, 0],
            "temp_pic": [low - 1, low, low + 19, low + 20] if there else [0, 0, 0, 0],
            "hw": self.chips,
            "asic": "oooooooo oooooooo" if there else "",
            "asic_num": self.chips if there else 0,
            "rate_real": round(self.rate_of(board), 2),
            "rate_ideal": round(self.rate / self.boards, 2) if there else 0,
        }

    def _pools(self) -> list[Section]:
        return [
            {
                "index": index,
                "url": pool["url"],
                "user": pool["user"],
                # The one that was put first cannot be reached.
                "status": "Unreachable" if self.pools_dead or index == 0 else "Alive",
                "priority": index,
                "accepted": 700 + self.uptime // 20 if index == 1 else 0,
                "rejected": 3 if index == 1 else 0,
                "stale": 0,
            }
            for index, pool in enumerate(self.config["pools"])
            if pool["url"]
        ]

    def _summary(self) -> Section:
        return {
            "elapsed": self.uptime,
            "rate_unit": "MH/s",
            "bestshare": 77215,
            "hw_all": 14199.0,
            "status": [
                {
                    "status": "e" if lamp in self.lamps else "s",
                    "type": lamp,
                    "msg": self.lamps.get(lamp, ""),
                    "code": 0,
                }
                for lamp in ("rate", "network", "fans", "temp")
            ],
        }


FAMILIES = (Family("elphapex", SimulatedElphapex, username="root", password="root"),)

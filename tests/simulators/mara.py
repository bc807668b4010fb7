"""A simulated Antminer with MARA's firmware: ports 80 (digest) and 4028."""

from collections.abc import Callable
import json
from typing import Any, override

from aiohttp import web

from tests.simulators._antminer_web import Digest
from tests.simulators._flat_device import FlatDevice
from tests.simulators.cgminer import Section
from tests.simulators.families import Family


class SimulatedMara(FlatDevice):
    """One Antminer; ``units`` tells how the rates of ``brief`` are written.

    They are ``plain`` TH/s, plain ``gh``, or each with its ``unit`` beside it.
    ``wraps`` puts every reply into an object of its own; ``first`` is the number of
    the first board; ``word`` stands in for the state that it tells.
    """

    description = "kaonsu 1.0.0"

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        model: str = "Antminer S19J Pro",
        serial: str = "SIMMARA0001",
        mac: str = "02:4d:41:52:00:01",
        password: str = "root",
        firmware: str = "23.7.0",
        rate: float = 104000.0,
        units: str = "plain",
        wraps: bool = False,
        first: int = 0,
        **options: Any,
    ) -> None:
        """Describe a miner that is not switched on yet; ``rate`` is GH/s."""
        super().__init__(
            host,
            model=model,
            serial=serial,
            mac=mac,
            password=password,
            firmware=firmware,
            rate=rate,
            **options,
        )
        self.units = units
        self.wraps = wraps
        self.first = first
        self.word: str | None = None
        self.brief: Section = {}
        self.refuses: str | None = None
        self.digest = Digest("MaraFW")
        self.gone: set[str] = set()
        self.history: list[Section] = []
        self.config: Section = {
            "mode": {
                "work-mode-selector": "Auto",
                "concorde": {
                    "mode-select": "PowerTarget",
                    "power-target": 3000,
                    "hash-target": 100,
                },
                "fixed": {"frequency": 525, "voltage": 1320},
            },
            "advance-config": {"override-fan-control": False, "fan-fixed-percent": 70},
            "general-config": {"environment-profile": "AirCooling"},
            "pool-group": [{"gid": 7, "alias": "main", "percent": 100}],
            "pools": [
                pool | {"pass": "pool-secret", "gid": 7}
                for pool in self.pools
                if pool["url"]
            ],
        }

    @property
    def selector(self) -> str:
        """Return the mode that is set."""
        return str(self.config["mode"]["work-mode-selector"])

    @selector.setter
    def selector(self, mode: str) -> None:
        path = {"path": ["Mode", "WorkModeSelector"]}
        change = {"type": "update", **path, "from": self.selector, "to": mode}
        self.history.append({"2026-11-22 10:00:00": [change]})
        self.config["mode"]["work-mode-selector"] = mode
        self.asleep = mode == "Sleep"

    # The mining process.

    @override
    def head(self) -> Section:
        return {
            "KAONSU": self.firmware,
            "API": "3.1",
            "Miner": "1.0.0",
            "CompileTime": self.firmware,
            "Type": self.model,
        }

    @override
    def pool_rows(self) -> list[Section]:
        self.pools = self.config["pools"]
        return super().pool_rows()

    # The web server.

    @override
    async def serve_web(self, request: web.Request) -> web.StreamResponse:
        refusal = self.digest.refusal(request, self.password)
        if refusal is not None:
            return refusal
        name = request.path.removeprefix("/kaonsu/v1/")
        self.pages.append(f"{request.method} {name}")
        if name in self.gone:
            return web.Response(status=404)
        if request.method == "POST":
            text = await request.text()
            self.posts.append((name, text))
            return web.json_response(await self._post(name, json.loads(text)))
        pages: dict[str, Callable[[], Any]] = {
            "brief": self._brief,
            "overview": self._overview,
            "network_config": lambda: {"hostname": "mara-rig", "dhcp": True},
            "hashboards": lambda: {"hashboards": self.board_rows()},
            "fans": lambda: {"fans": [{"current_speed": v} for v in self._speeds()]},
            "pools": self._pool_list,
            "locate_miner": lambda: {"blinking": self.blinking},
            "miner_config": lambda: self.config,
            "log": lambda: self.history,
        }
        if name not in pages:
            return web.Response(status=404)
        found = pages[name]()
        return web.json_response({"data": found} if self.wraps else found)

    def _brief(self) -> Section:
        scale = 1e-3 if self.units == "plain" else 1.0
        told: Section = {
            "status": self.word or ("Sleep" if self.asleep else "Mining"),
            "status_long": "",
            "work_mode": self.selector,
            "elapsed": self.uptime,
            "hashrate_realtime": round(self.total * scale, 3),
            "hashrate_realtime_10m": round(self.total * scale, 3),
            "hashrate_average": round(self.total * scale * 0.998, 3),
            "hashrate_ideal": self.rate,
            "power_consumption_estimated": 3010 if self.hashing else 25,
            "power_source": "PSU",
            "temperature_max": self.celsius(2) + 15,
        }
        if self.units == "unit":
            told["hashrate_unit"] = "GH/s"
        return told | self.brief

    def _overview(self) -> Section:
        return {
            "mac": self.mac,
            "version_firmware": self.firmware,
            "model": self.model,
            "control_board": "Xil",
            "hashboard_num_ideal": 3,
        }

    def board_rows(self) -> list[Section]:
        """Return the boards, and a place without one."""
        found = []
        for board in range(self.boards):
            there = board < self.boards - self.missing_boards
            low = self.celsius(board)
            row = {
                "index": board + self.first,
                "present": there,
                "hashrate_average": round(self.rate_of(board), 2),
                "hashrate_ideal": round(self.rate / 3, 2),
                "temperature_pcb": [low, low + 1, low + 9, 0],
                "temperature_chip": [low + 2, low + 3, low + 14, low + 15],
                "asic_num": self.chips - (self.bad_chips if board == 0 else 0),
                "asic_num_ideal": self.chips,
                "serial_number": f"{self.serial[:7]}B{board}",
            }
            found.append(row)
        return found

    def _speeds(self) -> list[int]:
        return [self._rpm(slot) for slot in range(1, self.fans + 1)]

    def _pool_list(self) -> Any:
        return [
            {
                "index": row["POOL"],
                "url": row["URL"],
                "user": row["User"],
                "status": row["Status"],
                "priority": row["Priority"],
                "accepted": row["Accepted"],
                "rejected": row["Rejected"],
            }
            for row in self.pool_rows()
        ]

    async def _post(self, name: str, body: Section) -> Section:
        if self.refuses is not None:
            return {"error": True, "msg": self.refuses}
        if self.ignores_writes:
            pass
        elif name == "locate_miner":
            self.blinking = body["blinking"] is True
        elif name == "maintenance" and body == {"type": "reboot"}:
            self.reboot()
        elif name == "miner_config":
            mode = body["mode"]["work-mode-selector"]
            before = self.selector
            self.config = json.loads(json.dumps(body))
            if mode != before:
                self.config["mode"]["work-mode-selector"] = before
                self.selector = mode
            self.restart()
        return {"error": False, "msg": "success"}


FAMILIES = (Family("mara", SimulatedMara, username="root", password="root"),)

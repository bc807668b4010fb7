"""A simulated Antminer with MSKMiner: ports 80 (login and cookie) and 4028."""

from typing import Any, override

from aiohttp import web

from tests.simulators._flat_device import FlatDevice, rwglr_row
from tests.simulators.cgminer import Section
from tests.simulators.families import Family


class SimulatedMskMiner(FlatDevice):
    """One Antminer; ``logins`` counts those that held, ``wrong`` the others.

    ``expires_with`` is the status by which an expired login is turned away.
    """

    description = "bmminer 4.11.1 rwglr"
    chips = 88

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        model: str = "S19-88",
        serial: str = "SIMMSK0001",
        mac: str = "02:4d:53:4b:00:01",
        password: str = "admin",
        firmware: str = "2.6.0.39",
        rate: float = 96000.0,
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
        self.supply = "PSU OK"
        self.logins = 0
        self.wrong = 0
        self.session = ""
        self.expires_with = 401
        self.refuses: str | None = None
        self.state: Section = {}

    @override
    def head(self) -> Section:
        return {
            "BMMiner": "4.11.1 rwglr",
            "API": "3.1",
            "Miner": "2.6.0.39",
            "CompileTime": "Thu Feb  8 12:01:10 UTC 2024",
            "Type": f"{self.model} v.{self.firmware} ",
        }

    @override
    def row(self) -> Section:
        watts = 3210.0 if self.hashing else 38.0
        return super().row() | rwglr_row(
            self, watts=watts, supply=self.supply, old=False
        )

    @override
    async def serve_web(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/admin/login":
            return await self._log_in(request)
        if not self.session or request.cookies.get("sid") != self.session:
            return web.Response(status=self.expires_with)
        self.pages.append(f"{request.method} {request.path}")
        told = await self._told(request.method, request.path)
        if told is None:
            return web.Response(status=404)
        return web.json_response(told)

    async def _log_in(self, request: web.Request) -> web.Response:
        form = await request.post()
        if (form.get("username"), form.get("password")) != ("admin", self.password):
            self.wrong += 1
            return web.Response(text="<html>wrong password</html>")
        self.logins += 1
        self.session = f"s{self.logins}"
        response = web.Response(status=302, headers={"Location": "/"})
        response.set_cookie("lang", "en")
        response.set_cookie("sid", self.session, httponly=True)
        return response

    async def _told(self, method: str, path: str) -> Section | None:
        asked = f"{method} {path}"
        if asked == "POST /api/info_v1":
            network = {"result": {"macaddr": self.mac, "hostname": "msk-rig"}}
            return {"network_info": network}
        if asked == "GET /api/info_app":
            return {
                "real_hash_rate": round(self.total, 2),
                "rate_unit": "GH/s",
                "running_time": self.uptime,
                "miner_stopped": "stopped" if self.asleep else "started",
                "miner_status": "stopped" if self.asleep else "mining",
                "blink": self.blinking,
                "tune_profile": "3300 W",
                "miner_type": self.model,
                "temp": {"inlet": 31, "outlet": 52},
            } | self.state
        return await self._do(asked)

    async def _do(self, asked: str) -> Section | None:
        if self.refuses is not None:
            return {"ok": False, "error": self.refuses}
        if asked in ("POST /api/miner_pause", "POST /api/miner_resume"):
            await self.sleep(asleep=asked.endswith("pause"))
        elif asked in ("POST /api/blink/start", "POST /api/blink/stop"):
            if not self.ignores_writes:
                self.blinking = asked.endswith("start")
        elif asked == "POST /api/reboot":
            self.reboot()
        else:
            return None
        return {"ok": True}


FAMILIES = (Family("mskminer", SimulatedMskMiner, username="admin", password="admin"),)

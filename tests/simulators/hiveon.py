"""A simulated Antminer with Hiveon ASIC: ports 80 (digest) and 4028."""

import json
from typing import Any, override

from aiohttp import web

from tests.simulators._antminer_web import Digest, verdict
from tests.simulators._flat_device import FlatDevice, rwglr_row
from tests.simulators.cgminer import Section
from tests.simulators.families import Family


class SimulatedHiveon(FlatDevice):
    """One Antminer; without ``modern`` its web server is that of the S9."""

    description = "bmminer 4.11.1 rwglr"

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        model: str = "S19x88",
        serial: str = "SIMHIVE0001",
        mac: str = "02:48:49:56:00:01",
        password: str = "root",
        firmware: str = "2023-04-11-1.0.1.96.20-hiveon",
        rate: float = 95000.0,
        modern: bool = True,
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
        self.modern = modern
        self.supply = "PSU OK"
        self.old_power = False
        self.digest = Digest()
        self.refuses: str | None = None
        self.fan_manual = False
        for pool in self.pools:
            pool["pass"] = "pool-secret"

    @override
    def head(self) -> Section:
        return {
            "BMMiner": "4.11.1 rwglr",
            "API": "3.1",
            "Miner": "1.0.1.3",
            "CompileTime": self.firmware,
            "Type": f"Antminer {self.model} Hiveon",
        }

    @override
    def row(self) -> Section:
        watts = 3150.0 if self.hashing else 40.0
        more = rwglr_row(self, watts=watts, supply=self.supply, old=self.old_power)
        return super().row() | more

    # The web server.

    @override
    async def serve_web(self, request: web.Request) -> web.StreamResponse:
        refusal = self.digest.refusal(request, self.password)
        if refusal is not None:
            return refusal
        program = request.path.removeprefix("/cgi-bin/").removesuffix(".cgi")
        self.pages.append(program)
        if program == "reboot":
            self.reboot()
            return web.Response(text="Status: 200\n")
        if request.method == "POST":
            text = await request.text()
            self.posts.append((program, text))
            return await self._post(program, json.loads(text))
        page = self._page(program)
        if page is None:
            return web.Response(status=404, text="<h1>404</h1>")
        return web.Response(text=json.dumps(page))

    def _page(self, program: str) -> dict[str, Any] | None:
        if program == "get_system_info":
            return {
                "minertype": f"Antminer {self.model} Hiveon",
                "nettype": "DHCP",
                "macaddr": self.mac.upper(),
                "hostname": "hive-rig",
                "system_filesystem_version": "Tue Apr 11 10:02:33 UTC 2023",
            }
        if program == "get_miner_conf":
            told: dict[str, Any] = {"pools": self.pools}
            if self.modern:
                told |= {
                    "bitmain-fan-ctrl": self.fan_manual,
                    "bitmain-fan-pwm": "100",
                    "bitmain-work-mode": "1" if self.asleep else "0",
                    "bitmain-freq-level": "100",
                }
            return told
        if program == "get_blink_status" and self.modern:
            return {"blink": self.blinking}
        return None

    async def _post(self, program: str, body: dict[str, Any]) -> web.Response:
        if program == "blink":
            if not self.ignores_writes:
                self.blinking = body["blink"] is True
            return web.Response(text='{"code":"B000"}')
        if self.refuses is not None:
            return verdict("error", "M001", self.refuses)
        if not self.ignores_writes:
            for slot, new in zip(self.pools, body.get("pools") or [], strict=False):
                slot.update(new)
            await self.sleep(int(body["miner-mode"]) == 1)
        return verdict("success", "M000", "OK!")


FAMILIES = (Family("hiveon", SimulatedHiveon, username="root", password="root"),)

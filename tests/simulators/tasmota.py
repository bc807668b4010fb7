"""A simulated plug or meter with Tasmota."""

import re
from typing import Any, override

from aiohttp import web
import orjson

from .home_meter import SimulatedLoad

_COMMAND = re.compile(r"(status|power)\s*(\d*)\s*(\S*)", re.IGNORECASE)
_LOCKED = {
    "en": "Need user=<username>&password=<password>",
    "sv": "Behöver användarnamn=<användarnamn>&lösenord=<lösenord>",
}


class SimulatedTasmota(SimulatedLoad):
    """A device with Tasmota; its web password is asked for in the address.

    ``firmware`` before 9.5 says "need user" in HTTP 200, later in 401. ``phases`` is
    a meter of several conductors, each with a voltage; otherwise several circuits are
    plugs in one case. ``both_ways`` counts what flows back, ``measures`` none of it.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        firmware: str = "14.4.1(release-tasmota)",
        relays: int = 1,
        phases: bool = False,
        both_ways: bool = False,
        measures: bool = True,
        language: str = "en",
        **options: Any,
    ) -> None:
        """Describe a device that is not switched on yet."""
        super().__init__(host, relays=relays, **options)
        self.firmware = firmware
        self.phases = phases
        self.both_ways = both_ways
        self.measures = measures
        self.language = language
        self.commands: list[str] = []

    @override
    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/cm", self._serve)
        await self.serve_http(80, app)

    @property
    def _modern(self) -> bool:
        return float(".".join(self.firmware.split(".")[:2])) >= 9.5

    async def _serve(self, request: web.Request) -> web.Response:
        if self.password is not None and (
            request.query.get("user") != "admin"
            or request.query.get("password") != self.password
        ):
            self.unauthorised += 1
            return self._reply(
                {"WARNING": _LOCKED[self.language]}, 401 if self._modern else 200
            )
        command = request.query.get("cmnd", "")
        self.commands.append(command)
        match = _COMMAND.fullmatch(command.strip())
        if match is None:
            return self._reply({"Command": "Unknown"})
        name, number, value = match.groups()
        if name.lower() == "status":
            return self._reply(self.status(number or value))
        return self._power(int(number or 1), value)

    def _reply(self, body: object, status: int = 200) -> web.Response:
        server = f"Tasmota/{self.firmware.partition('(')[0]} (ESP8266EX)"
        return web.Response(
            body=orjson.dumps(body),
            status=status,
            content_type="application/json",
            headers={"Server": server},
        )

    def _power(self, relay: int, value: str) -> web.Response:
        if not 1 <= relay <= len(self.on):
            return self._reply({"Command": "Unknown", "Input": f"POWER{relay}"})
        if value:
            self.switch(relay - 1, value.upper() == "ON")
        return self._reply({self._key(relay - 1): self._word(relay - 1)})

    def _key(self, relay: int) -> str:
        return "POWER" if len(self.on) == 1 else f"POWER{relay + 1}"

    def _word(self, relay: int) -> str:
        return "ON" if self.on[relay] else "OFF"

    def status(self, number: str) -> dict[str, Any]:
        """Return what ``Status`` with a number tells; with 0 it tells all."""
        parts = {
            "": self._identity,
            "2": lambda: {"StatusFWR": {"Version": self.firmware}},
            "5": self._network,
            "8": self._sensors,
            "10": self._sensors,
            "11": self._state,
        }
        if number == "0":
            return {
                key: value
                for part in ("", "2", "5", "8", "11")
                for key, value in parts[part]().items()
            }
        return parts.get(number, lambda: {"Command": "Error"})()

    def _identity(self) -> dict[str, Any]:
        return {
            "Status": {
                "Module": 0,
                "DeviceName": "NOUS A1T",
                "FriendlyName": ["Miner plug"],
                "Topic": f"tasmota_{self.mac[-6:]}",
                "Power": "1" if all(self.on) else "0",
            }
        }

    def _network(self) -> dict[str, Any]:
        mac = ":".join(self.mac[i : i + 2] for i in range(0, 12, 2))
        return {"StatusNET": {"Hostname": f"tasmota-{self.mac[-6:]}", "Mac": mac}}

    def _state(self) -> dict[str, Any]:
        relays = {self._key(n): self._word(n) for n in range(len(self.on))}
        return {"StatusSTS": {"Uptime": "3T04:05:06", "Sleep": 50, **relays}}

    def _sensors(self) -> dict[str, Any]:
        told: dict[str, Any] = {"Time": "2026-11-22T09:30:00"}
        if self.measures:
            told["ENERGY"] = self._energy()
        return {"StatusSNS": told}

    def _energy(self) -> dict[str, Any]:
        numbers = range(self.channels)
        power = [round(self.power(n)) for n in numbers]
        voltage = [round(self.voltage(n)) for n in numbers]
        told: dict[str, Any] = {
            "TotalStartTime": "2025-01-01T00:00:00",
            "Total": round(sum(map(self.imported, numbers)), 3),
            "Yesterday": 3.058,
            "Today": 0.127,
            "Power": power,
            "ApparentPower": [round(abs(watts) / 0.95) for watts in power],
            "ReactivePower": [round(abs(watts) * 0.3) for watts in power],
            "Factor": [0.95 for _ in numbers],
            "Voltage": voltage if self.phases else voltage[0],
            "Current": [round(abs(w) / 230 / 0.95, 3) for w in power],
        }
        if self.both_ways:
            told["ImportActive"] = told["Total"]
            told["ExportActive"] = round(sum(map(self.exported, numbers)), 3)
        if self.phases:
            told["Frequency"] = 50
        if self.channels == 1:
            return {
                key: value[0] if isinstance(value, list) else value
                for key, value in told.items()
            }
        return told

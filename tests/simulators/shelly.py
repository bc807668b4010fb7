"""Simulated Shellies of the first generation and of those that followed."""

import base64
import hashlib
import re
import secrets
from typing import Any, override

from aiohttp import web

from .home_meter import SimulatedLoad, object_of, reply

# Model: circuits, relays, and how it tells what it measures.
_OLD = {
    "SHPLG-S": (1, 1, "meters"),
    "SHSW-1": (0, 1, "meters"),
    "SHSW-25": (2, 2, "meters"),
    "SHEM": (2, 1, "emeters"),
    "SHEM-3": (3, 1, "emeters"),
}
_NEW = {
    "Plus1PM": (1, 1, "switch"),
    "PlusPlugS": (1, 1, "switch"),
    "Pro4PM": (4, 4, "switch"),
    "Mini1PMG3": (1, 1, "switch"),
    "MiniPMG3": (1, 0, "pm1"),
    "Pro3EM": (3, 0, "em"),
    "ProEM50": (2, 1, "em1"),
    "Plus1": (0, 1, "switch"),
}
_PAIR = re.compile(r'(\w+)="?([^",]+)"?')


class SimulatedShellyGen1(SimulatedLoad):
    """A Shelly of the first generation, with Basic login when it has a password.

    ``invalid`` makes its emeters say that their readings are not valid, ``roller``
    puts it into the mode in which its relays move a shutter.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        model: str = "SHPLG-S",
        overpower: bool = False,
        overtemperature: bool = False,
        roller: bool = False,
        **options: Any,
    ) -> None:
        """Describe a Shelly that is not switched on yet."""
        channels, relays, self.kind = _OLD[model]
        super().__init__(host, channels=channels, relays=relays, **options)
        self.model = model
        self.overpower = overpower
        self.overtemperature = overtemperature
        self.roller = roller
        self.invalid = False

    @override
    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/shelly", self._serve_identity)
        app.router.add_get("/status", self._serve_status)
        app.router.add_get(r"/relay/{relay:\d}", self._serve_relay)
        await self.serve_http(80, app)

    def _check(self, request: web.Request) -> None:
        if self.password is None:
            return
        login = base64.b64encode(f"admin:{self.password}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {login}":
            self.unauthorised += 1
            raise web.HTTPUnauthorized(
                text="401 Unauthorized",
                headers={"WWW-Authenticate": f'Basic realm="{self.model}"'},
            )

    async def _serve_identity(self, _: web.Request) -> web.Response:
        return reply(
            {
                "type": self.model,
                "mac": self.mac,
                "auth": self.password is not None,
                "fw": "20230913-114150/v1.14.0-gcb84623",
                "longid": 1,
                "num_outputs": len(self.on),
            }
        )

    async def _serve_status(self, request: web.Request) -> web.Response:
        self._check(request)
        return reply(self.status())

    def status(self) -> dict[str, Any]:
        """Return what ``/status`` tells."""
        told: dict[str, Any] = {
            "wifi_sta": {"connected": True, "ssid": "mine", "rssi": -58},
            "mac": self.mac,
            "relays": [
                {"ison": on, "overpower": self.overpower, "is_valid": True}
                for on in self.on
            ],
            "overtemperature": self.overtemperature,
        }
        if self.roller:
            told["rollers"] = [{"state": "stop", "current_pos": 40}]
        measure = self._emeter if self.kind == "emeters" else self._meter
        told[self.kind] = [measure(n) for n in range(self.channels)]
        if not self.channels:
            told["meters"] = [{"power": 0.0, "is_valid": True}]
        return told

    def _meter(self, channel: int) -> dict[str, Any]:
        return {
            "power": round(self.power(channel), 2),
            "is_valid": True,
            "timestamp": 1789214400,
            "counters": [500.1, 499.8, 500.0],
            "total": round(self.imported(channel) * 60_000),
        }

    def _emeter(self, channel: int) -> dict[str, Any]:
        power, voltage = self.power(channel), self.voltage(channel)
        told = {
            "power": round(power, 2),
            "voltage": round(voltage, 2),
            "is_valid": not self.invalid,
            "total": round(self.imported(channel) * 1000, 1),
            "total_returned": round(self.exported(channel) * 1000, 1),
        }
        if self.model == "SHEM-3":
            return told | {"pf": 0.97, "current": round(power / voltage / 0.97, 2)}
        return told | {"reactive": round(power * 0.2, 2), "pf": 0.98}

    async def _serve_relay(self, request: web.Request) -> web.Response:
        self._check(request)
        relay = int(request.match_info["relay"])
        if self.roller:
            return web.Response(status=400, text="Device mode is not relay!")
        if relay >= len(self.on):
            return web.Response(status=404, text="Not found")
        turn = request.query.get("turn")
        if turn in {"on", "off"}:
            self.switch(relay, turn == "on")
        return reply({"ison": self.on[relay], "source": "http"})


class SimulatedShelly(SimulatedLoad):
    """A Shelly of the second generation or later, with Digest login if it has one.

    ``returns`` tells whether it measures what flows back. A nonce is taken
    ``nonce_uses`` times. ``errors`` are those of its first component.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        model: str = "Plus1PM",
        returns: bool = False,
        errors: tuple[str, ...] = (),
        nonce_uses: int = 100,
        cover: bool = False,
        **options: Any,
    ) -> None:
        """Describe a Shelly that is not switched on yet."""
        channels, relays, self.kind = _NEW[model]
        super().__init__(host, channels=channels, relays=relays, **options)
        self.model = model
        self.returns = returns
        self.errors = errors
        self.nonce_uses = nonce_uses
        self.cover = cover
        self.refusal: str | None = None
        self._nonce = ""
        self._counts: list[int] = []

    @property
    def device_id(self) -> str:
        """Return its name, which is its realm as well."""
        return f"shelly{self.model.lower()}-{self.mac.lower()}"

    @override
    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/shelly", self._serve_identity)
        app.router.add_route("*", "/rpc/{method}", self._serve_rpc)
        await self.serve_http(80, app)

    async def _serve_identity(self, _: web.Request) -> web.Response:
        return reply(
            {
                "name": None,
                "id": self.device_id,
                "mac": self.mac,
                "slot": 0,
                "model": "SNSW-001P16EU",
                "gen": 2,
                "fw_id": "20250730-134611/1.7.1-gabcdef0",
                "ver": "1.7.1",
                "app": self.model,
                "auth_en": self.password is not None,
                "auth_domain": self.device_id if self.password else None,
            }
        )

    def _check(self, request: web.Request) -> None:
        if self.password is None:
            return
        header = request.headers.get("Authorization", "")
        if header.startswith("Digest ") and self._proves(request, header):
            return
        self.unauthorised += bool(header)
        self._nonce, self._counts = secrets.token_hex(4), []
        raise web.HTTPUnauthorized(
            headers={
                "WWW-Authenticate": f'Digest qop="auth", realm="{self.device_id}", '
                f'nonce="{self._nonce}", algorithm=SHA-256'
            }
        )

    def _proves(self, request: web.Request, header: str) -> bool:
        said = dict(_PAIR.findall(header))
        count = int(said.get("nc", "0"), 16)
        if said.get("nonce") != self._nonce or count in self._counts:
            return False
        if len(self._counts) >= self.nonce_uses or said.get("username") != "admin":
            return False
        self._counts.append(count)
        first = _sha(f"admin:{self.device_id}:{self.password}")
        second = _sha(f"{request.method}:{request.path_qs}")
        wanted = _sha(
            f"{first}:{self._nonce}:{said['nc']}:{said['cnonce']}:auth:{second}"
        )
        return said.get("response") == wanted and said.get("algorithm") == "SHA-256"

    async def _serve_rpc(self, request: web.Request) -> web.Response:
        self._check(request)
        match request.method, request.match_info["method"]:
            case _, "Shelly.GetStatus":
                return reply(self.status())
            case "POST", "Switch.Set":
                return self._set_switch(object_of(await request.read()))
        return reply({"code": 404, "message": "No handler for this"}, 404)

    def _set_switch(self, wanted: dict[str, Any]) -> web.Response:
        relay = wanted.get("id")
        if not isinstance(relay, int) or not 0 <= relay < len(self.on):
            return reply(
                {"code": -105, "message": f"Argument 'id', value {relay}"}, 500
            )
        if self.refusal:
            return reply({"code": -114, "message": self.refusal}, 500)
        was = self.on[relay]
        self.switch(relay, bool(wanted["on"]))
        return reply({"was_on": was})

    def status(self) -> dict[str, Any]:
        """Return what ``Shelly.GetStatus`` tells."""
        told: dict[str, Any] = {
            "ble": {},
            "cloud": {"connected": False},
            "sys": {"mac": self.mac, "restart_required": False, "uptime": 4711},
            "wifi": {"sta_ip": self.host, "status": "got ip", "rssi": -61},
        }
        if self.kind == "em":
            told |= self._three_phases()
        else:
            for channel in range(self.channels):
                told |= self._circuit(channel)
        for relay, on in enumerate(self.on):
            if not self.cover:
                switch = told.setdefault(f"switch:{relay}", {"id": relay})
                switch |= {"source": "init", "output": on}
        if self.errors:
            name = next(key for key in told if key.startswith(self.kind))
            told[name]["errors"] = list(self.errors)
        return told

    def _circuit(self, channel: int) -> dict[str, Any]:
        power, voltage = self.power(channel), self.voltage(channel)
        common = {
            "id": channel,
            "voltage": round(voltage, 1),
            "current": round(abs(power) / voltage / 0.96, 3),
            "pf": 0.96,
            "freq": 50.02,
        }
        if self.kind == "em1":
            return {
                f"em1:{channel}": common
                | {
                    "act_power": round(power, 1),
                    "aprt_power": round(abs(power) / 0.96, 1),
                    "calibration": "factory",
                },
                f"em1data:{channel}": {
                    "id": channel,
                    "total_act_energy": round(self.imported(channel) * 1000, 2),
                    "total_act_ret_energy": round(self.exported(channel) * 1000, 2),
                },
            }
        returned = self.exported(channel) * 1000 if self.returns else 0.0
        whole = self.imported(channel) * 1000 + returned
        told = common | {"apower": round(power, 1), "aenergy": _counter(whole)}
        if self.returns:
            told["ret_aenergy"] = _counter(returned)
        name = "cover" if self.cover else self.kind
        return {f"{name}:{channel}": told}

    def _three_phases(self) -> dict[str, Any]:
        live: dict[str, Any] = {"id": 0}
        data: dict[str, Any] = {"id": 0}
        for channel, phase in enumerate("abc"):
            power, voltage = self.power(channel), self.voltage(channel)
            live |= {
                f"{phase}_current": round(abs(power) / voltage / 0.98, 3),
                f"{phase}_voltage": round(voltage, 1),
                f"{phase}_act_power": round(power, 1),
                f"{phase}_aprt_power": round(abs(power) / 0.98, 1),
                f"{phase}_pf": 0.98,
                f"{phase}_freq": 50.0,
            }
            data |= {
                f"{phase}_total_act_energy": round(self.imported(channel) * 1000, 2),
                f"{phase}_total_act_ret_energy": round(
                    self.exported(channel) * 1000, 2
                ),
            }
        live["total_act_power"] = round(sum(map(self.power, range(3))), 3)
        return {"em:0": live, "emdata:0": data}


def _counter(watt_hours: float) -> dict[str, Any]:
    return {
        "total": round(watt_hours, 3),
        "by_minute": [0.0, 0.0, 0.0],
        "minute_ts": 1789214400,
    }


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

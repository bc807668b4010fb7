"""What the simulated miners with AxeOS share: state, pools and the web server."""

from collections.abc import Callable
from dataclasses import dataclass
import math
import time
from typing import Any, override

from aiohttp import web
import orjson

from .base import SimulatedDevice

PORT = 80
DEFAULT_POOLS = (("public-pool.io", 21496), ("solo.ckpool.org", 3333))
_PUBLIC_ORIGIN = "http://203.0.113.7"
_BITMAIN_STEPS = {
    "frequencies": (400, 425, 450, 475, 485, 500, 525, 550, 575),
    "voltages": (1100, 1150, 1200, 1250, 1300),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """What a kind of board is made of; power in W at the default setting."""

    family: str
    asic: str
    cores: int
    power: float
    frequency: int
    voltage: int = 1150
    board: str = ""
    chips: int = 1
    fans: int = 1
    frequencies: tuple[int, ...] = (400, 490, 525, 550, 600, 625)
    voltages: tuple[int, ...] = (1000, 1060, 1100, 1150, 1200, 1250)


def _bitaxe(
    board: str, family: str, asic: str, cores: int, frequency: int, **more: Any
) -> Hardware:
    steps = {} if asic == "BM1370" else _BITMAIN_STEPS
    return Hardware(
        board=board,
        family=family,
        asic=asic,
        cores=cores,
        frequency=frequency,
        **{**steps, **more},
    )


def _nerd(family: str, chips: int, power: float, fans: int = 1) -> Hardware:
    return Hardware(
        family=family,
        asic="BM1370",
        cores=2040,
        chips=chips,
        power=power,
        frequency=600,
        fans=fans,
        frequencies=(500, 515, 525, 550, 575, 590, 600),
        voltages=(1120, 1130, 1140, 1150, 1160, 1170, 1180, 1190, 1200),
    )


MODELS = {
    **{
        hardware.board: hardware
        for hardware in (
            _bitaxe("102", "Max", "BM1397", 672, 425, power=9, voltage=1400),
            _bitaxe("204", "Ultra", "BM1366", 894, 485, power=11.5, voltage=1200),
            _bitaxe("303", "Hex", "BM1366", 894, 485, power=62, chips=6),
            _bitaxe("401", "Supra", "BM1368", 1276, 490, power=12.5),
            _bitaxe("601", "Gamma", "BM1370", 2040, 525, power=17.5),
            _bitaxe("602", "Gamma", "BM1370", 2040, 525, power=18),
            _bitaxe("702", "SupraHex", "BM1368", 1276, 490, power=78, chips=6),
            _bitaxe(
                "801", "GammaTurbo", "BM1370", 2040, 525, power=36, chips=2, fans=2
            ),
        )
    },
    **{
        hardware.family: hardware
        for hardware in (
            _nerd("NerdAxeGamma", 1, 19),
            _nerd("NerdQAxe++", 4, 76),
            _nerd("NerdOCTAXE-γ", 8, 150, fans=2),
        )
    },
}


def number_within(low: float, high: float) -> Callable[[object], bool]:
    """Return a check for a number in a range."""
    return lambda value: (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and low <= value <= high
    )


def is_flag(value: object) -> bool:
    """Tell whether a value is a truth value, written as such or as 0 or 1."""
    return isinstance(value, bool) or value in (0, 1)


def _text(value: object) -> bool:
    return isinstance(value, str) and len(value) < 4000


POOL_KEYS = {
    "stratumURL": _text,
    "stratumPort": number_within(0, 65535),
    "stratumUser": _text,
    "stratumPassword": _text,
    "stratumTLS": number_within(0, 3),
}


def pool_record(host: str, port: int, user: str) -> dict[str, Any]:
    """Return a pool as 2.15 keeps it."""
    return {
        "stratumProtocol": "SV1",
        "stratumURL": host,
        "stratumPort": port,
        "stratumUser": user,
        "stratumPassword": "x",
        "stratumSuggestedDifficulty": 1000,
        "stratumTLS": 0,
        "stratumDecodeCoinbase": True,
    }


def suffixed(value: float) -> str:
    """Return a difficulty as firmware up to 2.10 prints it, such as ``4.29M``."""
    for suffix in ("", "k", "M", "G", "T"):
        if value < 1000 or suffix == "T":
            return f"{value:.3g}{suffix}"
        value /= 1000
    return "0"


class SimulatedAxe(SimulatedDevice):
    """What both families share: state, liveliness, pools and the web server.

    ``asleep`` stands for a pause or shutdown, ``ramp`` and ``boot`` are the seconds
    that the chips and a restart take, ``stubborn`` accepts writes without obeying,
    ``refuses_us`` is what the check of private addresses does to a stranger.
    """

    ports = (PORT,)
    default_model: str
    title: str

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        offset: int = 0,
        model: str | None = None,
        firmware: str,
        serial: int = 1,
        mac: str | None = None,
        hostname: str,
        asleep: bool = False,
        power_fault: str | None = None,
        hardware_fault: str | None = None,
        overheated: bool = False,
        pool_down: bool = False,
        uptime: float | None = None,
        ramp: float = 15.0,
        boot: float = 3.0,
    ) -> None:
        """Describe a miner that runs since ``uptime`` seconds."""
        super().__init__(host, offset=offset)
        self.hardware = MODELS[model or self.default_model]
        self.firmware = firmware
        numbers = firmware.partition("-")[0].split(".")
        self.generation = tuple(int(number) for number in numbers)
        self.serial = serial
        self.mac = mac or "DC:DA:0C:" + ":".join(
            f"{serial >> shift & 0xFF:02X}" for shift in (16, 8, 0)
        )
        self.hostname = hostname
        self.asleep = asleep
        self.power_fault = power_fault
        self.hardware_fault = hardware_fault
        self.overheated = overheated
        self.pool_down = pool_down
        self.stubborn = False
        self.refuses_us = False
        self.ramp = ramp
        self.boot = boot
        self.restarts = 0
        now = time.monotonic()
        since = 7200.0 + serial * 977 % 500_000 if uptime is None else uptime
        self._started = now - since
        self._woke = self._counted = now
        if since > ramp:
            self._woke -= since
        self._shares = since / 12
        user = f"bc1qsimulated{serial:05d}.{hostname}"
        self.records = [pool_record(*pool, user) for pool in DEFAULT_POOLS]
        self.settings: dict[str, Any] = {
            "frequency": self.hardware.frequency,
            "coreVoltage": self.hardware.voltage,
        }
        self.mining_to = self._selected()

    # What goes on in the device.

    def since(self, *version: int) -> bool:
        """Tell whether the firmware is at least of this version."""
        return self.generation >= version

    def _selected(self) -> list[tuple[str, str]]:
        return [(r["stratumURL"], r["stratumUser"]) for r in self.records[:2]]

    @property
    def uptime(self) -> float:
        """Return the seconds since the last start."""
        return max(time.monotonic() - self._started, 0.0)

    @property
    def expected(self) -> float:
        """Return the hashrate that the set frequency should give, in GH/s."""
        hardware = self.hardware
        frequency: float = self.settings["frequency"]
        return frequency * hardware.cores * hardware.chips / 1000

    @property
    def _level(self) -> float:
        """Return how far the chips are on their way to full rate: 0 to 1."""
        halted = self.asleep or self.overheated or self.pool_down
        if halted or self.power_fault or self.hardware_fault:
            return 0.0
        if self.ramp <= 0:
            return 1.0
        # The first half goes by without any work from the pool.
        done = (time.monotonic() - self._woke) / self.ramp
        return min(max(2 * done - 1, 0.0), 1.0)

    def wander(self, pace: float, share: float = 0.015) -> float:
        """Return a factor about 1 that moves with time, another for every device."""
        now = time.monotonic()
        return 1 + share * math.sin(now / pace + self.serial * 1.7)

    @property
    def hashrate(self) -> float:
        """Return the hashrate of now in GH/s."""
        return self.expected * self._level * self.wander(17)

    @property
    def power(self) -> float:
        """Return the power of now in W."""
        hardware, settings = self.hardware, self.settings
        pace: float = settings["frequency"] / hardware.frequency
        strength: float = (settings["coreVoltage"] / hardware.voltage) ** 2
        return 2.3 + (hardware.power - 2.3) * pace * strength * self._level * (
            self.wander(11, 0.01)
        )

    @property
    def shares(self) -> int:
        """Return the shares of this session, one about every 12 s of hashing."""
        now = time.monotonic()
        if self._level:
            self._shares += max(now - self._counted, 0.0) / 12
        self._counted = now
        return int(self._shares)

    def wake(self) -> None:
        """Start the chips."""
        self.asleep = False
        self._woke = time.monotonic()

    def restart(self) -> None:
        """Go away for a while and come back with what is stored."""
        self.restarts += 1
        self._started = self._woke = self._counted = time.monotonic() + self.boot
        self._shares = 0.0
        self.asleep = False
        self.mining_to = self._selected()

    # What it says.

    def info(self) -> dict[str, Any]:
        """Return the reply to ``/api/system/info``."""
        raise NotImplementedError

    def asic(self) -> dict[str, Any]:
        """Return the reply to ``/api/system/asic``."""
        hardware = self.hardware
        return {
            "ASICModel": hardware.asic,
            "deviceModel": hardware.family,
            "swarmColor": "green",
            "asicCount": hardware.chips,
            "defaultFrequency": hardware.frequency,
            "frequencyOptions": hardware.frequencies,
            "defaultVoltage": hardware.voltage,
            "voltageOptions": hardware.voltages,
        }

    def _flat_pools(self) -> dict[str, Any]:
        shown = {}
        for prefix, record in zip(
            ("stratum", "fallbackStratum"), self.records[:2], strict=True
        ):
            for key in ("URL", "Port", "User"):
                shown[f"{prefix}{key}"] = record[f"stratum{key}"]
        return shown

    def _patch_pools(self, wanted: dict[str, Any]) -> bool:
        """Store flat pool keys; return whether any was out of its range."""
        for number, prefix in enumerate(("stratum", "fallbackStratum")):
            for key, fits in POOL_KEYS.items():
                name = key.replace("stratum", prefix, 1)
                if name not in wanted or not self._takes_tls(name):
                    continue
                if not fits(wanted[name]):
                    return False
                self.records[number][key] = wanted[name]
        return True

    def _takes_tls(self, name: str) -> bool:
        return True

    # How it serves.

    @override
    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        await self.serve_http(PORT, app)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if self.uptime <= 0 and request.transport is not None:
            request.transport.abort()
            raise web.HTTPInternalServerError
        origin = request.headers.get("Origin", "")
        if request.path.startswith("/api") and (
            self.refuses_us or origin == _PUBLIC_ORIGIN
        ):
            return web.Response(status=401, text="Unauthorized")
        return self._decorate(await self._answer(request))

    def _decorate(self, response: web.Response) -> web.Response:
        return response

    async def _answer(self, request: web.Request) -> web.Response:
        match request.method, request.path:
            case "GET", "/":
                return web.Response(
                    text=f"<html><title>{self.title}</title></html>",
                    content_type="text/html",
                )
            case "GET", "/api/system/info":
                return self.reply(self.info())
            case "POST", "/api/system/restart":
                return self._restarted(request)
            case "PATCH", "/api/system":
                return self._patched(request, await request.read())
        return await self._answer_more(request)

    async def _answer_more(self, request: web.Request) -> web.Response:
        raise NotImplementedError

    def _restarted(self, request: web.Request) -> web.Response:
        self.restart()
        return web.Response(text="System will restart shortly.")

    def _patched(self, request: web.Request, body: bytes) -> web.Response:
        try:
            wanted = orjson.loads(body)
        except orjson.JSONDecodeError:
            return web.Response(status=400, text="Invalid JSON")
        if self.stubborn:
            return web.Response()
        if not isinstance(wanted, dict) or not self.apply(wanted):
            return web.Response(status=400, text="Wrong API input")
        return web.Response()

    def apply(self, wanted: dict[str, Any]) -> bool:
        """Store settings; tell whether the firmware took them."""
        raise NotImplementedError

    def reply(self, body: dict[str, Any]) -> web.Response:
        """Return JSON as the firmware formats it."""
        return web.Response(body=orjson.dumps(body), content_type="application/json")

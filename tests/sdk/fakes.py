"""Invented device families, to test what lies between the drivers and the user."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
import os
import socket
from typing import Any, ClassVar, Self, override

from aiohttp import web
import orjson

from custom_components.miningsdk.sdk import (
    AuthenticationFailed,
    Board,
    Capability,
    CommandFailed,
    DeviceInfo,
    Fan,
    Fault,
    Limits,
    Miner,
    MinerPool,
    MinerSettings,
    MinerStats,
    MinerStatus,
    PoolConfig,
    PoolState,
)
from custom_components.miningsdk.sdk.device import describe
from custom_components.miningsdk.sdk.transports.cgminer import request
from custom_components.miningsdk.sdk.transports.http import ask_page
from custom_components.miningsdk.sdk.transports.wire import Probe, Wire
from tests.simulators.base import SimulatedDevice

# Above what needs privileges, below what the system gives to clients.
PAGE_PORT = 28181
SOCKET_PORT = 24129
OTHER_PORT = 24534


async def _ask_page(wire: Wire, port: int) -> str:
    return await ask_page(wire, port, "/")


async def _ask_who(wire: Wire, port: int) -> str:
    return orjson.dumps(await request(wire, port, {"command": "info"})).decode()


PAGE = Probe("fake page", PAGE_PORT, _ask_page)
WHO = Probe("fake who", SOCKET_PORT, _ask_who)
OTHER = Probe("fake other", OTHER_PORT, _ask_who)


class FakeDevice(SimulatedDevice):
    """A device with a page and a socket; ``firmware`` is what it says it runs."""

    ports: ClassVar[tuple[int, ...]] = (PAGE_PORT, SOCKET_PORT)

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        offset: int = 0,
        firmware: str = "stock",
        serial: str | None = "FAKE0001",
        password: str | None = None,
        model: str = "F1",
    ) -> None:
        super().__init__(host, offset=offset)
        self.firmware = firmware
        self.serial = serial
        self.password = password
        self.model = model
        self.asked: list[str] = []
        self.passwords: list[str | None] = []
        self.refused: list[str] = []  # the passwords that were wrong
        self.refuse: str | None = None
        self.ignore = False
        # How many readings still show the old state after something was set.
        self.late = 0
        self.vanish = False
        self.was_set = asyncio.Event()
        self._pending: dict[str, Any] = {}
        self.status = "mining"  # unless a command has set another one
        self.faults: list[str] = []
        self.settings: dict[str, Any] = {"power_limit": 3000, "locate": False}

    @override
    async def start(self) -> None:
        await self.listen(SOCKET_PORT, self._serve)
        app = web.Application()
        app.router.add_get("/{path:.*}", self._page)
        await self.serve_http(PAGE_PORT, app)

    async def _page(self, request: web.Request) -> web.Response:
        self.asked.append("page")
        return web.Response(text=f"<title>Fake {self.firmware}</title>")

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        data = await reader.read(65_536)
        try:
            asked = orjson.loads(data)
        except orjson.JSONDecodeError:
            await self.answer(writer, b'{"error": "not JSON"}')
            return
        self.asked.append(asked["command"])
        await self.answer(writer, orjson.dumps(self._reply(asked)))

    def _reply(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.passwords.append(asked.get("password"))
        if asked["command"] == "info":
            return {"fake": self.firmware, "serial": self.serial, "model": self.model}
        if self.password is not None and asked.get("password") != self.password:
            if asked.get("password") is not None:
                self.refused.append(asked["password"])
            return {"denied": True}
        if asked["command"] == "set":
            return self._set(asked)
        if self.late:
            self.late -= 1
        else:
            self.settings |= self._pending
        return {
            "status": self.settings.get("status", self.status),
            "faults": self.faults,
            "settings": self.settings,
        }

    def _set(self, asked: dict[str, Any]) -> dict[str, Any]:
        if self.refuse is not None:
            return {"refused": self.refuse}
        if not self.ignore:
            target = self._pending if self.late else self.settings
            target[asked["name"]] = asked["value"]
        if self.vanish:
            for server in self._servers:
                server.close()
        self.was_set.set()
        return {}


class OtherDevice(FakeDevice):
    """A device of another family, on another port."""

    ports = (OTHER_PORT,)

    @override
    async def start(self) -> None:
        await self.listen(OTHER_PORT, self._serve)


class StockMiner(Miner):
    """The driver of the fake devices as they are sold."""

    name = "fakestock"
    aliases: ClassVar[tuple[str, ...]] = ("fakeminer",)
    make = "Fake"
    firmware = "stock"
    models = "F1, F2"
    transport = "TCP 24129, JSON"
    default_port = PAGE_PORT
    needs_password = "control"
    probes: ClassVar[tuple[Probe, ...]] = (PAGE, WHO)
    confirm_within = 0.1
    confirm_every = 0.01
    secret_info: ClassVar[bool] = False

    @classmethod
    @override
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        return 50 if "Fake stock" in evidence.get(PAGE, "") else 0

    async def _ask(self, command: str, **more: object) -> dict[str, Any]:
        payload: dict[str, object] = {"command": command, **more}
        if self.password is not None:
            payload["password"] = self.password
        reply = await request(self.wire, self.port_of(SOCKET_PORT), payload)
        if reply.get("denied"):
            raise AuthenticationFailed("the device wants a password")
        if "refused" in reply:
            raise CommandFailed(f"the device refused: {reply['refused']}")
        return reply

    @override
    async def _fetch_info(self) -> DeviceInfo:
        if self.secret_info:
            await self._ask("stats")
        reply = await self._ask("info")
        return describe(
            self.info,
            model=reply["model"],
            serial_number=reply["serial"],
            capabilities=tuple(Capability),
            limits={
                Capability.POWER_LIMIT: Limits(minimum=1000, maximum=4000, step=10),
                Capability.POWER_MODE: Limits(options=("eco", "turbo")),
                Capability.PROFILE: Limits(options=("100TH",)),
                Capability.FAN: Limits(minimum=10, maximum=100, options=("auto",)),
            },
        )

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> MinerStats:
        reply = await self._ask("stats")
        now = reply["settings"]
        fan = now.get("fan")
        return MinerStats(
            status=MinerStatus(reply["status"]),
            power=3010.0,
            power_limit=now.get("power_limit"),
            power_mode=now.get("power_mode"),
            uptime=93_784,
            locating=now.get("locate"),
            fans=(Fan(index=0, speed=4200.0), Fan(index=1, speed=4300.0)),
            boards=(Board(index=0, hashrate=50.0), Board(index=1, hashrate=50.5)),
            pools=tuple(
                MinerPool(index=i, url=url, user=user, status=PoolState.ALIVE)
                for i, (url, user, _) in enumerate(now.get("pools", ()))
            ),
            settings=MinerSettings(
                fan=fan if isinstance(fan, int | float) else None,
                fan_automatic=fan == "auto",
                target_temperature=now.get("target_temperature"),
                frequency=now.get("frequency"),
                voltage=now.get("voltage"),
                throttle=now.get("throttle"),
                profile=now.get("profile"),
            ),
            faults=tuple(Fault(code="1", message=text) for text in reply["faults"]),
            failed=failed,
        )

    async def _write(self, name: str, value: object) -> None:
        await self._ask("set", name=name, value=value)

    @override
    async def _pause(self) -> None:
        await self._write("status", "paused")

    @override
    async def _resume(self) -> None:
        await self._write("status", "mining")

    @override
    async def _reboot(self) -> None:
        await self._write("reboot", True)

    @override
    async def _restart(self) -> None:
        await self._write("restart", True)

    @override
    async def _locate(self, on: bool) -> None:
        await self._write("locate", on)

    @override
    async def _set_power_limit(self, watts: float) -> None:
        await self._write("power_limit", watts)

    @override
    async def _set_power_mode(self, mode: str) -> None:
        await self._write("power_mode", mode)

    @override
    async def _set_profile(self, profile: str) -> None:
        await self._write("profile", profile)

    @override
    async def _set_throttle(self, percent: float) -> None:
        await self._write("throttle", percent)

    @override
    async def _set_fan(self, duty: float | None) -> None:
        await self._write("fan", "auto" if duty is None else duty)

    @override
    async def _set_target_temperature(self, celsius: float) -> None:
        await self._write("target_temperature", celsius)

    @override
    async def _set_frequency(self, megahertz: float) -> None:
        await self._write("frequency", megahertz)

    @override
    async def _set_voltage(self, volts: float) -> None:
        await self._write("voltage", volts)

    @override
    async def _set_pools(self, pools: Sequence[PoolConfig]) -> None:
        await self._write("pools", [(p.url, p.user, p.password) for p in pools])


class CustomMiner(StockMiner):
    """The driver of a firmware that people put onto the same devices."""

    name = "fakecustom"
    aliases = ()
    firmware = "custom"

    @classmethod
    @override
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        return 90 if '"fake":"custom"' in evidence.get(WHO, "") else 0


class SecretMiner(StockMiner):
    """A firmware that tells nothing at all without a password."""

    name = "fakesecret"
    aliases = ()
    firmware = "secret"
    needs_password = "always"
    secret_info = True
    # Announcements reach every process of the machine, also other tests.
    zeroconf_types = (f"_fake{os.getpid()}._tcp.local.",)

    @classmethod
    @override
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        return 90 if '"fake":"secret"' in evidence.get(WHO, "") else 0


class OtherMiner(StockMiner):
    """The driver of the other family."""

    name = "fakeother"
    aliases = ()
    make = "Other"
    default_port = OTHER_PORT
    probes = (OTHER,)

    @classmethod
    @override
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        return 50 if '"fake":"other"' in evidence.get(OTHER, "") else 0

    @override
    async def _ask(self, command: str, **more: object) -> dict[str, Any]:
        return await request(self.wire, self.port, {"command": command, **more})


FAKES = (StockMiner, CustomMiner, SecretMiner, OtherMiner)


class SilentHosts(ExitStack):
    """Loopback addresses whose ports neither take nor refuse a connection.

    The kernel drops what would not fit into the queue of a listening socket.
    """

    def add(self, host: str, *ports: int) -> Self:
        """Let these ports of a host keep silent."""
        for port in ports:
            server = self.enter_context(socket.socket())
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind((host, port))
            server.listen(0)
            filler = self.enter_context(socket.socket())
            filler.connect((host, port))
        return self

"""Shelly plugs, relays and meters: the first generation and all that followed."""

import base64
from collections.abc import Mapping
from typing import Any, ClassVar, override

from aiohttp import DigestAuthMiddleware

from ..device import describe
from ..errors import CommandFailed, InvalidReply
from ..fields import Fields, mac_address
from ..model import Capability, DeviceInfo, MeterStats
from ..transports.http import HttpClient, ask_page
from ..transports.wire import Probe, Wire
from ._home_meter import HomeMeter, as_object
from ._shelly_stats import Status, read_first_generation, read_status


async def _ask(wire: Wire, port: int) -> str:
    return await ask_page(wire, port, "/shelly")


SHELLY = Probe("shelly", 80, _ask)


def _is_shelly(answer: str) -> bool:
    return answer.startswith("HTTP 200") and '"mac"' in answer


class _Shelly(HomeMeter):
    """What all generations share: who it is stands openly at ``/shelly``."""

    integration = "shelly"
    make = "Shelly"
    default_username = "admin"
    # Only if somebody set one; then it needs it for everything.
    needs_password = "control"
    probes = (SHELLY,)
    status_path: ClassVar[str]

    async def _identity(self) -> Fields:
        response = await self._http.request("GET", "/shelly")
        response.raise_for_status()
        identity = Fields(as_object(response))
        if mac_address(identity.text("mac")) is None:
            raise InvalidReply("the reply does not hold a MAC address")
        return identity

    async def _fetch_status(self, failed: dict[str, str]) -> Status:
        raise NotImplementedError

    async def _offer(self) -> tuple[Capability, ...]:
        status = await self._fetch_status({})
        self._chosen(status.circuits)
        return (Capability.SOCKET,) if status.sockets else ()

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> MeterStats:
        status = await self._fetch_status(failed)
        return status.stats(self._chosen(status.circuits), failed)


class ShellyGen1(_Shelly):
    """A Shelly of the first generation: Plug, Plug S, 1PM, 2.5, 4Pro, EM, 3EM.

    One request for each reading. ``meters`` count watt-minutes, ``emeters`` Wh. A
    login is HTTP Basic. Source: protocols.md 13.3.
    """

    name = "shelly-gen1"
    models = "Shelly of the first generation: Plug, Plug S, 1PM, 2.5, EM, 3EM"
    transport = "HTTP, port 80"
    zeroconf_types = ("_http._tcp.local.",)

    def __init__(self, *args: Any, **options: Any) -> None:
        """Describe a meter without talking to it; see ``SwitchedMeter``."""
        super().__init__(*args, **options)
        self._headers: dict[str, str] = {}
        if self.password:
            login = f"{self.username}:{self.password}".encode()
            encoded = base64.b64encode(login).decode()
            self._headers["Authorization"] = f"Basic {encoded}"

    @classmethod
    @override
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        answer = evidence.get(SHELLY, "")
        first = '"type"' in answer and '"gen"' not in answer
        return 90 if _is_shelly(answer) and first else 0

    @override
    async def _fetch_info(self) -> DeviceInfo:
        identity = await self._identity()
        return describe(
            self.info,
            model=identity.text("type"),
            firmware_version=_short_version(identity.text("fw")),
            mac=mac_address(identity.text("mac")),
            capabilities=await self._offer(),
        )

    @override
    async def _fetch_status(self, failed: dict[str, str]) -> Status:
        reply = await self._get("/status", self._headers)
        return read_first_generation(Fields(reply, failed))

    @override
    async def _set_socket(self, index: int, on: bool) -> None:
        turn = "on" if on else "off"
        response = await self._request(
            "GET", f"/relay/{index}?turn={turn}", headers=self._headers
        )
        if response.status != 200:
            raise CommandFailed(f"the device refused: {_words(response.text())}")


class Shelly(_Shelly):
    """A Shelly of the second generation or later: Plus, Pro, Mini, Gen3, Gen4.

    One request for each reading, ``Shelly.GetStatus``. What flowed back stands in
    ``ret_aenergy`` and is counted in ``aenergy`` as well, so it is taken off there.
    A login is HTTP Digest with SHA-256. Source: protocols.md 13.3.
    """

    name = "shelly"
    models = "Shelly Plus, Pro, Mini, Gen3 and Gen4 with a meter: PM, Plug, EM, 3EM"
    transport = "HTTP RPC, port 80"
    zeroconf_types = ("_shelly._tcp.local.", "_http._tcp.local.")

    def __init__(self, *args: Any, **options: Any) -> None:
        """Describe a meter without talking to it; see ``SwitchedMeter``."""
        super().__init__(*args, **options)
        if self.password and ":" not in (self.username or ""):
            digest = DigestAuthMiddleware(self.username or "", self.password)
            self._http = HttpClient(self.wire, self.port, digest)

    @classmethod
    @override
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        answer = evidence.get(SHELLY, "")
        return 90 if _is_shelly(answer) and '"gen"' in answer else 0

    @override
    async def _fetch_info(self) -> DeviceInfo:
        identity = await self._identity()
        return describe(
            self.info,
            model=identity.text("app", "model"),
            firmware_version=identity.text("ver"),
            mac=mac_address(identity.text("mac")),
            hostname=identity.text("id"),
            capabilities=await self._offer(),
        )

    @override
    async def _fetch_status(self, failed: dict[str, str]) -> Status:
        return read_status(Fields(await self._get("/rpc/Shelly.GetStatus"), failed))

    @override
    async def _set_socket(self, index: int, on: bool) -> None:
        response = await self._request(
            "POST", "/rpc/Switch.Set", json={"id": index, "on": on}
        )
        if response.status != 200:
            raise CommandFailed(f"the device refused: {_words(response.text())}")


def _short_version(text: str | None) -> str | None:
    """Return ``v1.14.0`` of ``20230913-114150/v1.14.0-gcb84623``."""
    return text.partition("/")[2].partition("-")[0] or text if text else None


def _words(text: str) -> str:
    return text.strip()[:200] or "no reason given"


DRIVERS = (ShellyGen1, Shelly)

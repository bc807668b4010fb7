"""Antminers with the firmware MSKMiner.

What it does is read from the mining process on port 4028, which asks for no
password. The web server has an API of its own, behind a login and its cookie.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, override

from ..errors import (
    AuthenticationFailed,
    CommandFailed,
    DeviceUnreachable,
    InvalidReply,
)
from ..fields import Fields, mac_address
from ..model import Capability
from ..transports import cgminer
from ..transports.http import HttpClient, Response, writes_only_once
from ..transports.login import LoginClient
from ..transports.wire import Probe
from ._antminer_models import algorithm
from ._cookies import cookie_header, cookies_of
from ._flat_miner import FlatMiner

# Hiveon ASIC names its mining process alike, and itself besides.
_MARK, _OTHER = "RWGLR", "HIVEON"
# A page of the web interface may stand in for a reply once the login has expired.
_EXPIRED = frozenset({301, 302, 303, 401, 403})
_SLEEPS = {"stopped": True, "started": False}


class MskMiner(FlatMiner):
    """An Antminer with MSKMiner.

    Sources: what users of the firmware posted of its replies, and how two other
    programs, each on its own, talk to it. The vendor publishes nothing on it.
    """

    name = "mskminer"
    make = "Bitmain"
    firmware = "mskminer"
    models = "Bitmain Antminer with MSKMiner firmware"
    transport = "cgminer API on 4028, HTTP with a login on 80"
    default_username = "admin"
    confirm_longer: ClassVar[dict[Capability, float]] = {Capability.PAUSE: 180.0}

    def __init__(self, host: str, **options: Any) -> None:
        """Describe a miner without talking to it; options are those of ``Device``."""
        super().__init__(host, **options)
        client = HttpClient(self.wire, self.port, writes_only_once)
        self._api = LoginClient(client, self._log_in, expired=_EXPIRED)

    @override
    @classmethod
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        """Know it by the name of its mining process."""
        version = evidence.get(cgminer.VERSION, "").upper()
        return 75 if _MARK in version and _OTHER not in version else 0

    async def _log_in(self, client: HttpClient) -> Mapping[str, str]:
        """Log in; the device answers with a cookie, or with a page without one."""
        response = await client.request(
            "POST",
            "/admin/login",
            data={"username": self.username, "password": self.password},
        )
        cookies = cookies_of(response)
        if response.status in (401, 403) or (response.status < 400 and not cookies):
            raise AuthenticationFailed("the device refused the credentials")
        if response.status >= 400:
            response.raise_for_status()
        return cookie_header(cookies)

    @property
    @override
    def _usable(self) -> bool:
        return bool(self.username and self.password)

    # Who it is.

    @override
    def _named(self, told: str | None) -> Mapping[str, Any]:
        """Read ``S19-88 v.2.6.0.39``: the model and the version of the firmware."""
        model, _, version = (told or "").strip().partition(" ")
        return {
            "model": f"Antminer {model}" if model else None,
            "firmware_version": version.strip().removeprefix("v.") or None,
            "algorithm": algorithm(model),
        }

    @override
    async def _look(self) -> Mapping[str, Any]:
        info = Fields(await self._object("POST", "/api/info_v1"))
        network = info.child("network_info").child("result")
        state = await self._state()
        self._locating = state.boolean("blink")
        # What could not be confirmed is not offered.
        offered = {
            Capability.PAUSE: _sleeps(state) is not None,
            Capability.REBOOT: True,
            Capability.LOCATE: self._locating is not None,
        }
        return {
            "mac": mac_address(network.text("macaddr")),
            "hostname": network.text("hostname"),
            "capabilities": tuple(name for name, there in offered.items() if there),
            "limits": {},
        }

    async def _object(self, method: str, path: str) -> dict[str, Any]:
        response = await self._api.request(method, path)
        response.raise_for_status()
        reply = response.json()
        if not isinstance(reply, dict):
            raise InvalidReply(f"{path} is not an object")
        return reply

    # What it does.

    async def _state(self) -> Fields:
        return Fields(await self._object("GET", "/api/info_app"))

    @override
    async def _sleeps(self) -> bool | None:
        return _sleeps(await self._state())

    @override
    async def _blinks(self) -> bool | None:
        return (await self._state()).boolean("blink")

    # What it is told.

    async def _tell(self, path: str) -> None:
        """Send a command; the device answers ``{"ok": true}``, or why not."""
        response = await self._api.request("POST", path)
        response.raise_for_status()
        if (reply := _fields(response)) and reply.boolean("ok") is False:
            words = reply.text("error", "message", "msg") or "no reason given"
            raise CommandFailed(f"the device refused: {words[:200]}")
        self.authentication_error = None

    @override
    async def _pause(self) -> None:
        await self._tell("/api/miner_pause")

    @override
    async def _resume(self) -> None:
        await self._tell("/api/miner_resume")

    @override
    async def _reboot(self) -> None:
        # Once this has answered, a broken connection means that it goes down.
        await self._state()
        try:
            await self._tell("/api/reboot")
        except DeviceUnreachable, InvalidReply:
            return
        finally:
            self._api.log_out()

    @override
    async def _locate(self, on: bool) -> None:
        await self._tell(f"/api/blink/{'start' if on else 'stop'}")
        # Whatever it was, the next reading has to look.
        self._locating = True


def _sleeps(state: Fields) -> bool | None:
    return _SLEEPS.get((state.text("miner_stopped") or "").lower())


def _fields(response: Response) -> Fields:
    try:
        return Fields(response.json())
    except InvalidReply:
        return Fields(None)


DRIVERS = (MskMiner,)

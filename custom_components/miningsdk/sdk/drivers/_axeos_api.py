"""The HTTP API of AxeOS: one way to ask and one way to write.

Source: protocols.md 3.1 and 3.2 (openapi.yaml and http_server.c of ESP-Miner) and
3.5 (docs/API.md of ESP-Miner-NerdQAxePlus).
"""

from collections.abc import Mapping
from typing import Any

from ..errors import (
    AuthenticationFailed,
    CommandFailed,
    InvalidReply,
    MiningSDKError,
    NotSupported,
)
from ..transports.http import HttpClient, Response, ask_page
from ..transports.wire import Probe, Wire

INFO_PATH = "/api/system/info"
ASIC_PATH = "/api/system/asic"
SETTINGS_PATH = "/api/system"
RESTART_PATH = "/api/system/restart"

ADDRESS_REFUSED = (
    "the device refuses the address of this computer: AxeOS serves private IPv4 "
    "addresses only (10.x.x.x, 172.16.x.x to 172.31.x.x and 192.168.x.x)"
)
# The Nerd family answers unknown paths with a redirect to its start page.
_UNKNOWN_PATH = frozenset({301, 302, 404, 405, 501})


class AxeApi:
    """The requests to one device, with its refusals said in the words of the SDK.

    No Origin header is ever sent: the firmware would check it like an address.
    """

    __slots__ = ("_http",)

    def __init__(self, wire: Wire, port: int) -> None:
        """Talk to the web server of the wire's host, on a kept connection."""
        self._http = HttpClient(wire, port)

    async def info(self) -> dict[str, Any]:
        """Return the one reply that holds nearly everything.

        Raises:
            InvalidReply: it is not that of AxeOS, or our address is refused.
        """
        response = await self._http.request("GET", INFO_PATH)
        reply = _read(response)
        if not isinstance(reply, dict) or not {"ASICModel", "hashRate"} & reply.keys():
            raise InvalidReply("the reply is not that of AxeOS")
        return reply

    async def asic(self) -> dict[str, Any] | None:
        """Return the chips and the values they may be set to.

        Empty where the firmware has no such page, ``None`` when it answered badly.
        """
        response = await self._http.request("GET", ASIC_PATH)
        if response.status in _UNKNOWN_PATH:
            return {}
        try:
            reply = _read(response)
        except InvalidReply:
            return None
        return reply if isinstance(reply, dict) else None

    async def write(
        self,
        method: str,
        path: str,
        json: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> str:
        """Send a command and return what the device says to it.

        A 200 proves little: settings that the firmware does not know are ignored
        without a word, so that the caller must read back.

        Raises:
            AuthenticationFailed: a one-time password is asked for.
            NotSupported: the firmware does not know the path.
            CommandFailed: it refused, in its own words.
        """
        response = await self._http.request(method, path, json=json, headers=headers)
        if (refusal := _refusal(response)) is not None:
            raise refusal
        return response.text()


def _read(response: Response) -> Any:
    if response.status == 401:
        raise InvalidReply(ADDRESS_REFUSED)
    if response.status != 200:
        raise InvalidReply(f"the device answered with HTTP status {response.status}")
    return response.json()


def _refusal(response: Response) -> MiningSDKError | None:
    """Return the error of a write, if it was one.

    The firmware tells a refused address ("Unauthorized") from a missing or wrong
    one-time password ("OTP/Session required") by the text only.
    """
    if response.status < 300:
        return None
    words = " ".join(response.text().split())[:200]
    if response.status == 401:
        if "OTP" in words or "blocked" in words:
            return AuthenticationFailed(f"the device asks for its OTP: {words}")
        return CommandFailed(ADDRESS_REFUSED)
    if response.status in _UNKNOWN_PATH:
        return NotSupported(f"the firmware does not know this ({response.status})")
    return CommandFailed(f"the device refused: {words or response.status}")


async def _ask_info(wire: Wire, port: int) -> str:
    return await ask_page(wire, port, INFO_PATH)


INFO = Probe("axeos info", 80, _ask_info)


def is_nerd(answer: str) -> bool:
    """Tell the Nerd family from Bitaxe by keys that only the former has."""
    return '"hostip"' in answer or '"deviceModel"' in answer


def answers_as_axeos(answer: str) -> bool:
    """Tell whether the answer to ``INFO`` is that of any AxeOS."""
    return answer.startswith("HTTP 200") and (
        '"ASICModel"' in answer or ('"hashRate"' in answer and is_nerd(answer))
    )

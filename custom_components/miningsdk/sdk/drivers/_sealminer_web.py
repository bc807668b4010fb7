"""The web server of a Sealminer: PHP programs behind a login and its session.

Source: how other programs log in and talk to it.
"""

from collections.abc import Mapping
from contextlib import suppress
import secrets
from typing import Any

from aiohttp import ClientHandlerType, ClientRequest, ClientResponse

from ..errors import (
    AuthenticationFailed,
    CommandFailed,
    DeviceUnreachable,
    InvalidReply,
    NotSupported,
)
from ..fields import Fields
from ..transports.http import HttpClient, Response, only_once
from ..transports.login import LoginClient
from ..transports.wire import Wire
from ._cookies import cookie_header, cookies_of

_FOLDER = "/cgi-bin/"
_REBOOT = "reboot.php"
_EXPIRED = frozenset({301, 302, 303, 401, 403})
_AS_A_PAGE = {"X-Requested-With": "XMLHttpRequest"}


class SealminerWeb:
    """The programs of one miner; it logs in when it must."""

    def __init__(
        self, wire: Wire, port: int, username: str | None, password: str | None
    ) -> None:
        """Prepare; nothing is sent yet."""
        self._username = username or ""
        self._password = password or ""
        self._client = HttpClient(wire, port, _commands_only_once)
        self._login = LoginClient(self._client, self._log_in, expired=_EXPIRED)

    @property
    def usable(self) -> bool:
        """Tell whether there are credentials at all."""
        return bool(self._username and self._password)

    async def system(self) -> Fields:
        """Return who the miner is, which takes no login.

        Raises:
            NotSupported: the firmware does not have this program.
            InvalidReply: it prints something else.
        """
        response = await self._client.request("GET", f"{_FOLDER}get_system_info.php")
        response.raise_for_status()
        return Fields(_object(response))

    async def ask(self, program: str) -> dict[str, Any]:
        """Return the object that a program prints after a login.

        Raises:
            AuthenticationFailed: the device refuses the login.
            and what ``system`` raises.
        """
        response = await self._request("GET", program)
        try:
            return _object(response)
        except InvalidReply:
            # The page to log in may stand in for the reply.
            self._login.log_out()
        return _object(await self._request("GET", program))

    async def tell(self, program: str, body: Mapping[str, object]) -> None:
        """Send a command.

        Raises:
            CommandFailed: the firmware refuses, in its own words.
            and what ``ask`` raises.
        """
        response = await self._request("POST", program, body)
        try:
            reply = _object(response)
        except InvalidReply:
            return
        # Each program has its own way to say how it went; all say no by a false.
        if any(reply.get(key) is False for key in ("result", "api", "fileWrite")):
            words = Fields(reply).text("msg") or "no reason given"
            raise CommandFailed(f"the device refused: {words[:200]}")

    async def reboot(self) -> None:
        """Reboot; a connection that breaks means that it goes down."""
        with suppress(DeviceUnreachable, InvalidReply):
            await self._reboot()
        self._login.log_out()

    async def _reboot(self) -> None:
        try:
            await self._request("GET", _REBOOT)
        except NotSupported:
            await self.tell(_REBOOT, {})

    async def _request(
        self, method: str, program: str, body: Mapping[str, object] | None = None
    ) -> Response:
        response = await self._login.request(method, _FOLDER + program, json=body)
        response.raise_for_status()
        return response

    async def _log_in(self, client: HttpClient) -> Mapping[str, str]:
        """Log in with a session of our own making, as the page does."""
        cookies = {"PHPSESSID": secrets.token_hex(13)}
        response = await client.request(
            "POST",
            f"{_FOLDER}login.php",
            data={"username": self._username, "origin_pwd": self._password},
            headers=_AS_A_PAGE | cookie_header(cookies),
        )
        response.raise_for_status()
        reply = Fields(_object(response))
        if reply.number("state") != 0:
            words = reply.text("msg") or "no reason given"
            raise AuthenticationFailed(
                f"the device refused the credentials: {words[:100]}"
            )
        known = {"username": self._username, "userLanguage": "en"}
        return _AS_A_PAGE | cookie_header(known | cookies | cookies_of(response))


async def _commands_only_once(
    request: ClientRequest, handler: ClientHandlerType
) -> ClientResponse:
    """Let aiohttp repeat only what reads when a kept connection turns out broken."""
    if request.method == "GET" and not request.url.path.endswith(_REBOOT):
        return await handler(request)
    return await only_once(request, handler)


def _object(response: Response) -> dict[str, Any]:
    reply = response.json()
    if not isinstance(reply, dict):
        raise InvalidReply("the program did not print an object")
    return reply

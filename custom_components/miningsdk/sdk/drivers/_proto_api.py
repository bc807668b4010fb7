"""The REST API of the Proto Rig, Block's Mining Development Kit API.

Source: protocols.md 12 and the contract of MDK API 1.8 that Proto publishes. Who the
rig is and what it is made of is open; what it does asks for a login with its password
alone. Firmware may keep everything back until its default password was changed.
"""

from collections.abc import Mapping
from typing import Any

from ..errors import AuthenticationFailed, CommandFailed, InvalidReply, NotSupported
from ..fields import Fields
from ..transports.http import HttpClient, Response
from ..transports.login import LoginClient
from ..transports.wire import Wire

BASE = "/api/v1"
_LOGIN = "/auth/login"
_DEFAULT_PASSWORD = "default_password_active"
_NONE_GIVEN = "the device tells what it does with its password only"
_REFUSED_LOGIN = frozenset({400, 401, 403, 422})
_UNKNOWN = frozenset({404, 405, 501})


class ProtoApi:
    """The requests to one rig, with its refusals in its own words."""

    def __init__(self, wire: Wire, port: int, password: str | None) -> None:
        """Talk to the API of the wire's host, on a kept connection."""
        self._open = HttpClient(wire, port, base=BASE)
        self._password = password
        self._web = LoginClient(self._open, self._log_in)

    @property
    def has_password(self) -> bool:
        """Tell whether there is a password at all."""
        return bool(self._password)

    async def _log_in(self, client: HttpClient) -> Mapping[str, str]:
        body = {"password": self._password}
        response = await client.request("POST", _LOGIN, json=body)
        if response.status in _REFUSED_LOGIN:
            raise _not_let_in(response)
        response.raise_for_status()
        token = Fields(response.json()).text("access_token")
        if token is None:
            raise InvalidReply("the device gave no token")
        return {"Authorization": f"Bearer {token}"}

    async def get_open(self, path: str) -> Any:
        """Return what is told without a login.

        Raises:
            AuthenticationFailed: it is not, after all.
            NotSupported: the firmware has no such path.
        """
        return _told(await self._open.request("GET", path))

    async def get(self, path: str) -> Any:
        """Return what is told, after a login where there is a password.

        Raises:
            AuthenticationFailed: the device refuses it, or asks for one.
            NotSupported: the firmware has no such path.
        """
        if not self.has_password:
            try:
                return await self.get_open(path)
            except AuthenticationFailed:
                raise AuthenticationFailed(_NONE_GIVEN) from None
        return _told(await self._web.request("GET", path))

    async def send(self, method: str, path: str, json: object = None) -> str:
        """Send a command and return what the device says to it.

        Raises:
            AuthenticationFailed: the device refuses the password.
            NotSupported: the firmware does not know the command.
            CommandFailed: it refuses, in its own words.
        """
        response = await self._web.request(method, path, json=json)
        words = _words(response)
        if response.status in (401, 403):
            raise _not_let_in(response)
        if response.status in _UNKNOWN:
            raise NotSupported(f"the device does not know this command: {words}")
        if response.status >= 300:
            raise CommandFailed(f"the device refused: {words}")
        return words


def _told(response: Response) -> Any:
    if response.status in (401, 403):
        raise _not_let_in(response)
    response.raise_for_status()
    return response.json()


def _not_let_in(response: Response) -> AuthenticationFailed:
    words = _words(response)
    if _DEFAULT_PASSWORD in response.text().lower():
        return AuthenticationFailed(
            "the device still has its default password: change it on the page of the "
            f"device first ({words})"
        )
    return AuthenticationFailed(f"the device refused the password: {words}")


def _words(response: Response) -> str:
    """Return the device's words, which stand in one of two places."""
    try:
        reply = Fields(response.json())
    except InvalidReply:
        reply = Fields(None)
    error = reply.child("error")
    words = error.text("message", "code") or reply.text("message", "error")
    return (words or f"HTTP status {response.status}")[:200]

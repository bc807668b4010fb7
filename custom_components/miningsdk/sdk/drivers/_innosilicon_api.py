"""The web server of an Innosilicon: forms in, JSON out, a token from the login.

Source: protocols.md 12, and the web interface of the vendor.
"""

from collections.abc import Mapping
from typing import Any

from ..errors import AuthenticationFailed, CommandFailed, InvalidReply, NotSupported
from ..transports.http import HttpClient, Response, only_once
from ..transports.login import LoginClient
from ..transports.wire import Wire

_UNKNOWN = "invalid request"


class WebApi:
    """What is below ``/api``; all of it needs the login.

    A token holds for six hours, or until the device reboots.
    """

    def __init__(
        self, wire: Wire, port: int, username: str | None, password: str | None
    ) -> None:
        """Talk to ``port``; without a password nothing is within reach."""
        self._session = LoginClient(HttpClient(wire, port, only_once), self._log_in)
        self._username = username or ""
        self._password = password

    @property
    def has_login(self) -> bool:
        """Tell whether there is a password to log in with."""
        return bool(self._password)

    async def get(self, name: str) -> dict[str, Any]:
        """Return what the device tells under a name."""
        reply = await self._ask(name, {})
        if reply.get("success") is False:
            raise InvalidReply(f"the device answers: {_words(reply)}")
        return reply

    async def tell(self, name: str, **form: str) -> dict[str, Any]:
        """Give a command, and return what the device says to it."""
        reply = await self._ask(name, form)
        if reply.get("success") is not True:
            raise CommandFailed(f"the device refused: {_words(reply)}")
        return reply

    def log_out(self) -> None:
        """Forget the login, as a restart makes it void."""
        self._session.log_out()

    async def _ask(self, name: str, form: Mapping[str, str]) -> dict[str, Any]:
        reply = await self._post(name, form)
        if reply.get("token") == "expired":
            # It was not carried out.
            self._session.log_out()
            reply = await self._post(name, form)
            if reply.get("token") == "expired":
                raise AuthenticationFailed(
                    "the device does not accept the login that it gave"
                )
        if reply.get("success") is False and reply.get("message") == _UNKNOWN:
            raise NotSupported(f"the device does not know {name}")
        return reply

    async def _post(self, name: str, form: Mapping[str, str]) -> dict[str, Any]:
        path = f"/api/{name}"
        return _object(await self._session.request("POST", path, data=form))

    async def _log_in(self, client: HttpClient) -> Mapping[str, str]:
        form = {"username": self._username, "password": self._password or ""}
        reply = _object(await client.request("POST", "/api/auth", data=form))
        if reply.get("success") is False:
            raise AuthenticationFailed(f"the device refused: {_words(reply)}")
        token = reply.get("jwt")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise InvalidReply("the reply to the login has no token")
        return {"Authorization": f"Bearer {token}"}


def _object(response: Response) -> dict[str, Any]:
    response.raise_for_status()
    reply = response.json()
    if not isinstance(reply, dict):
        raise InvalidReply("the reply is not an object")
    return reply


def _words(reply: Mapping[str, Any]) -> str:
    words = " ".join(str(reply.get("message") or "").split())[:200]
    return words or "no reason given"

"""The two web servers of an IceRiver: the maker's, and that of iceriver-oc.

Source: protocols.md 12, the web interface of the vendor, and the API documentation of
iceriver-oc.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from ..errors import AuthenticationFailed, CommandFailed, InvalidReply
from ..transports.http import HttpClient, Response, only_once
from ..transports.login import LoginClient, Refusal
from ..transports.tls import encrypt_only
from ..transports.wire import Wire

_PANEL = "/user/userpanel"
_CONFIG = "/user/machineconfig"
_LOGIN = "/user/loginpost"
_WRONG_USER, _WRONG_PASSWORD = 1001, 1002
# A command that restarts the miner may be answered only once that is done.
_ANSWERS_WITHIN = 0.6


class StockApi:
    """The web server of the maker: forms, told apart by a number named ``post``.

    It answers everybody, logged in or not. A command is given only with a password
    that the device has accepted, and never twice.
    """

    def __init__(
        self, wire: Wire, port: int, username: str | None, password: str | None
    ) -> None:
        """Talk to ``port``; without a password nothing can be told to the device."""
        self._wire = wire
        self._http = HttpClient(wire, port)
        self._session = LoginClient(HttpClient(wire, port, only_once), self._log_in)
        self._username = username or ""
        self._password = password

    @property
    def has_login(self) -> bool:
        """Tell whether there is a password to log in with."""
        return bool(self._password)

    async def panel(self) -> dict[str, Any]:
        """Return what the device does."""
        return await self._read(_PANEL, "4")

    async def config(self) -> dict[str, Any]:
        """Return what the device is set to: ``pools``, ``ratio``, ``mode``."""
        return await self._read(_CONFIG, "1")

    async def check_login(self) -> None:
        """Log in, if that was not done before."""
        await self._session.request("POST", _PANEL, data={"post": "4"})

    async def locate(self, *, on: bool) -> None:
        """Blink, or stop blinking."""
        await self._tell(_PANEL, {"post": "5", "locate": "1" if on else "0"})

    async def reboot(self) -> None:
        """Reboot; the connection may break before the reply."""
        try:
            await self._tell(_PANEL, {"post": "3"})
        finally:
            self._session.log_out()

    async def configure(self, form: Mapping[str, str]) -> None:
        """Set pools, fans and mode at once; the mining process restarts.

        The reply may come a minute later, when that is over: it is not waited for.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(self._wire.timeout * _ANSWERS_WITHIN):
                await self._tell(_CONFIG, {"post": "2", **form})

    async def _read(self, path: str, post: str) -> dict[str, Any]:
        response = await self._http.request("POST", path, data={"post": post})
        reply = _reply(response)
        if reply["error"]:
            raise InvalidReply(f"the device answers: {_words(reply)}")
        data = reply.get("data")
        if not isinstance(data, dict):
            raise InvalidReply("the reply has no data")
        return data

    async def _tell(self, path: str, form: Mapping[str, str]) -> None:
        reply = _reply(await self._session.request("POST", path, data=form))
        if reply["error"]:
            raise CommandFailed(f"the device refused: {_words(reply)}")

    async def _log_in(self, client: HttpClient) -> Mapping[str, str]:
        form = {"post": "6", "user": self._username, "pwd": self._password or ""}
        response = await client.request("POST", _LOGIN, data=form)
        reply = _reply(response)
        if reply["error"] in (_WRONG_USER, _WRONG_PASSWORD):
            raise AuthenticationFailed(f"the device refused: {_words(reply)}")
        if reply["error"]:
            raise InvalidReply(f"the device answers: {_words(reply)}")
        cookies = response.headers.get("Set-Cookie", "").partition(";")[0]
        return {"Cookie": cookies} if cookies.isprintable() and cookies else {}


class OpenApi:
    """The web server of iceriver-oc: https, and a token that its owner has made.

    Each device makes its own certificate and the authority for it.
    """

    def __init__(self, wire: Wire, port: int, token: str | None) -> None:
        """Talk to ``port`` with a token."""
        trust = encrypt_only()
        self._http = HttpClient(wire, port, secure=True, trust=trust)
        self._commands = HttpClient(wire, port, only_once, secure=True, trust=trust)
        self._token = token
        self._refusal = Refusal()

    async def get[T](self, path: str, key: str, kind: type[T]) -> T:
        """Return what is below a key of the reply, which must be of a kind."""
        response = await self._ask(self._http, "GET", path, None)
        reply = _reply(response)
        if reply["error"]:
            raise InvalidReply(f"the device answers: {_words(reply)}")
        found = reply.get(key)
        if not isinstance(found, kind):
            raise InvalidReply(f"the reply has no {key}")
        return found

    async def tell(self, path: str, **form: str) -> None:
        """Give a command: by GET if it takes no parameters, as the firmware has it."""
        method, data = ("POST", form) if form else ("GET", None)
        response = await self._ask(self._commands, method, path, data)
        if response.status == 403:
            raise CommandFailed("the device refused: the token does not permit it")
        reply = _reply(response)
        if reply["error"]:
            raise CommandFailed(f"the device refused: {_words(reply)}")

    async def _ask(
        self,
        client: HttpClient,
        method: str,
        path: str,
        data: Mapping[str, str] | None,
    ) -> Response:
        if not self._token:
            raise AuthenticationFailed(
                "this needs a token: create one in the web interface, below Account"
            )
        self._refusal.check()
        headers = {"Authorization": f"Bearer {self._token}"}
        response = await client.request(method, path, data=data, headers=headers)
        if response.status == 401:
            self._refusal.note("the device refused the token")
        return response


def _reply(response: Response) -> dict[str, Any]:
    response.raise_for_status()
    reply = response.json()
    if not isinstance(reply, dict) or not isinstance(reply.get("error"), int | float):
        raise InvalidReply("the reply is not one of this device")
    return reply


def _words(reply: Mapping[str, Any]) -> str:
    words = " ".join(str(reply.get("message") or "").split())[:200]
    return words or f"error {reply['error']:g}"

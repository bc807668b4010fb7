"""The REST API of VNish: open reads, and a password or an API key for the rest.

Source: the OpenAPI documents of the firmware (xminer-api, 2026-03 and of 1.3.4).
"""

from collections.abc import Mapping
from typing import Any

from ..errors import AuthenticationFailed, CommandFailed, InvalidReply, LockedOut
from ..fields import Fields
from ..transports.http import HttpClient, Response, writes_only_once
from ..transports.login import LoginClient
from ..transports.wire import Wire

BASE = "/api/v1"
# There are no accounts; this user name says that the password is an API key.
KEY_USER = "apikey"
_REFUSALS = frozenset({401, 403, 429})
_ERRORS = frozenset({400, 409, 500, 507})


class Api:
    """The API of one miner; reads may be repeated by aiohttp, writes are not."""

    __slots__ = ("_is_key", "_login", "_open", "_secret")

    def __init__(
        self, wire: Wire, port: int, username: str | None, password: str | None
    ) -> None:
        """Prepare; without a password only what is open can be asked."""
        self._secret = password
        self._is_key = (username or "").strip().lower() == KEY_USER
        self._open = HttpClient(wire, port, writes_only_once, base=BASE)
        self._login = LoginClient(self._open, self._log_in)

    @property
    def usable(self) -> bool:
        """Tell whether there is a password or a key at all."""
        return bool(self._secret)

    async def get(self, path: str) -> Any:
        """Return the JSON at a path, without a login unless one is asked for.

        Raises:
            AuthenticationFailed: it takes a login, and there is none.
            NotSupported: the firmware does not have this path.
            InvalidReply: it is no JSON.
        """
        response = await self._open.request("GET", path)
        if response.status == 401 and self.usable:
            return await self.get_locked(path)
        response.raise_for_status()
        return response.json()

    async def get_locked(self, path: str) -> Any:
        """Return the JSON at a path that takes a login."""
        response = await self._login.request("GET", path)
        _raise_for_error(response)
        return response.json()

    async def post(self, path: str, json: object = None) -> Fields:
        """Send a command and return the reply, which may be empty.

        Raises:
            CommandFailed: the device refuses, in its own words.
            and what ``get`` raises.
        """
        response = await self._login.request("POST", path, json=json)
        _raise_for_error(response)
        try:
            return Fields(response.json())
        except InvalidReply:
            return Fields(None)

    async def _log_in(self, client: HttpClient) -> Mapping[str, str]:
        if self._is_key:
            headers = {"x-api-key": self._secret or ""}
            response = await client.request("GET", "/auth-check", headers=headers)
            if response.status in _REFUSALS:
                raise AuthenticationFailed("the device refused the API key")
            response.raise_for_status()
            return headers
        response = await client.request("POST", "/unlock", json={"pw": self._secret})
        if response.status in _REFUSALS:
            raise _refusal(response)
        _raise_for_error(response)
        token = Fields(response.json()).text("token")
        if token is None:
            raise InvalidReply("the device gave no token")
        return {"Authorization": f"Bearer {token}"}


def _refusal(response: Response) -> AuthenticationFailed:
    """Say why a password was refused; the device tells how long it takes none."""
    kind, words = AuthenticationFailed, "the device refused the password"
    if response.status == 429:
        kind = LockedOut
        words = "the device takes no password now, after too many wrong ones"
    try:
        wait = Fields(response.json()).integer("unlock_timeout")
    except InvalidReply:
        wait = None
    return kind(f"{words} (unlock_timeout {wait})" if wait else words)


def _raise_for_error(response: Response) -> None:
    """Raise for what the firmware refuses, which it explains in most cases."""
    if response.status in _ERRORS:
        try:
            words = Fields(response.json()).text("err")
        except InvalidReply:
            words = None
        if words:
            raise CommandFailed(f"the device refused: {words[:200]}")
    response.raise_for_status()

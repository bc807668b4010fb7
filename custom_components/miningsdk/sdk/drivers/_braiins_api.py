"""The public REST API of Braiins OS: one token for all requests, JSON both ways.

Source: the OpenAPI document of 26.04 (API 1.3.0) and protocols.md 7.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import (
    AuthenticationFailed,
    CommandFailed,
    InvalidReply,
    NotSupported,
)
from ..fields import Fields
from ..transports.http import HttpClient, Response, writes_only_once
from ..transports.login import LoginClient
from ..transports.wire import Wire

BASE = "/api/v1"
DETAILS = "/miner/details"
STATS = "/miner/stats"
BOARDS = "/miner/hw/hashboards"
ERRORS = "/miner/errors"
COOLING = "/cooling/state"
TUNER = "/performance/tuner-state"
POOLS = "/pools/"
LOCATE = "/actions/locate"
CONFIGURATION = "/configuration/miner"
CONSTRAINTS = "/configuration/constraints"

NO_PASSWORD = "this needs the user name and password of the miner's web page"
# Which of them a wrong password gets is not documented.
_REFUSALS = frozenset({400, 401, 403, 422})
_UNKNOWN = frozenset({404, 405, 501})
_NOT_NOW = 412
# What is shorter is hardly a secret, and may stand in any sentence.
_SECRET_LENGTH = 4


class NotNow(InvalidReply):
    """The firmware does not tell this in its present state, as while it is paused."""


class Rest:
    """The REST API of one miner; reads may be repeated by aiohttp, writes are not."""

    __slots__ = ("_credentials", "_login", "_open")

    def __init__(
        self, wire: Wire, port: int, username: str | None, password: str | None
    ) -> None:
        """Prepare; without a password, which may be empty, nothing can be asked."""
        self._credentials = None if password is None else (username or "", password)
        self._open = HttpClient(wire, port, writes_only_once, base=BASE)
        self._login = LoginClient(self._open, self._log_in)

    @property
    def usable(self) -> bool:
        """Tell whether there are credentials at all."""
        return self._credentials is not None

    async def exists(self) -> bool:
        """Tell whether the firmware has this API; it may ask for a login."""
        response = await self._open.request("GET", "/version/")
        return response.status in (200, 401, 403)

    async def get(self, path: str) -> Any:
        """Return the JSON at a path.

        Raises:
            AuthenticationFailed: no password, or a wrong one.
            NotSupported: the firmware does not know the path.
            NotNow: it knows it, but not in its present state.
            and what ``HttpClient.request`` raises.
        """
        response = await self._login.request("GET", path)
        if response.status == _NOT_NOW:
            raise NotNow("the device does not tell this in its present state")
        response.raise_for_status()
        return response.json()

    async def write(
        self, method: str, path: str, json: object = None, secrets: Iterable[str] = ()
    ) -> Any:
        """Send a command and return the JSON of the answer, ``None`` without any.

        Raises:
            CommandFailed: the device refuses, in its words but for the ``secrets``.
            and what ``get`` raises.
        """
        response = await self._login.request(method, path, json=json)
        if response.status >= 300 and response.status not in {401, 403, *_UNKNOWN}:
            raise CommandFailed(f"the device refused: {_words(response, secrets)}")
        response.raise_for_status()
        try:
            return response.json()
        except InvalidReply:
            return None

    def log_out(self) -> None:
        """Forget the token, which does not outlast a reboot."""
        self._login.log_out()

    async def _log_in(self, client: HttpClient) -> Mapping[str, str]:
        if self._credentials is None:
            raise AuthenticationFailed(NO_PASSWORD)
        username, password = self._credentials
        response = await client.request(
            "POST", "/auth/login", json={"username": username, "password": password}
        )
        if response.status in _REFUSALS:
            raise AuthenticationFailed("the device refused the user name or password")
        response.raise_for_status()
        if response.body.lstrip().startswith(b"<"):
            raise NotSupported("the firmware has no REST API, only a web page")
        token = Fields(response.json()).text("token")
        if token is None:
            raise InvalidReply("the device took the password but gave no token")
        return {"Authorization": token}


def _words(response: Response, secrets: Iterable[str]) -> str:
    """Return what the device says against a command, or else the status."""
    try:
        reply = response.json()
    except InvalidReply:
        reply = response.text()
    if isinstance(reply, dict):
        reply = Fields(reply).text(
            "message", "error", "detail", "reason", "description"
        )
    said = " ".join(reply.split()) if isinstance(reply, str) else ""
    for secret in secrets:
        if len(secret) >= _SECRET_LENGTH:
            said = said.replace(secret, "***")
    if not said or said.startswith("<"):
        return f"HTTP status {response.status}"
    return said[:200]

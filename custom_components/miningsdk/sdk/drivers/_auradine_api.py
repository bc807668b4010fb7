"""The two ways to an Auradine miner: the socket API, and the REST API behind a token.

Source: protocols.md 2 and 12, peers.md 2.2. Both answer in the form of cgminer. On the
socket, ``summary``, ``devs``, ``pools``, ``version`` and ``asccount`` ask for nothing;
the rest is known from the REST API, and tried on the socket where there is no password.
"""

from collections.abc import Iterable, Mapping
from typing import Any, override

from ..errors import (
    AuthenticationFailed,
    CommandFailed,
    InvalidReply,
    MiningSDKError,
    NotSupported,
)
from ..fields import Fields
from ..transports import cgminer
from ..transports.http import HttpClient, Response
from ..transports.login import LoginClient
from ..transports.wire import Wire
from .cgminer import unjoin

TOKEN = "/token"
# How a reply that is none but for its status says that the token ran out.
_EXPIRED = ("token", "session", "expired", "unauthorized")


class _Rest(HttpClient):
    """Requests whose replies may say in words what others say by status 401."""

    __slots__ = ()

    @override
    async def request(self, method: str, path: str, **options: Any) -> Response:
        response = await super().request(method, path, **options)
        if path != TOKEN and response.status == 200:
            words = (_refusal(response) or "").lower()
            if any(word in words for word in _EXPIRED):
                return Response(401, response.headers, response.body)
        return response


def _refusal(response: Response) -> str | None:
    """Return the words of a reply that is an error, in the form of cgminer."""
    # Nearly all replies are none, and some are long.
    if b'"E"' not in response.body and b'"F"' not in response.body:
        return None
    try:
        reply = response.json()
    except InvalidReply:
        return None
    status = Fields(reply).child("STATUS")
    if status.text("STATUS") in ("E", "F"):
        return status.text("Msg") or "error without a message"
    return None


class FluxApi:
    """The requests to one device."""

    def __init__(
        self, wire: Wire, ports: tuple[int, int], username: str, password: str | None
    ) -> None:
        """Talk to the ports of the socket and of the REST API."""
        self._wire = wire
        self._port = ports[0]
        self._account = {"user": username, "password": password}
        self._web = LoginClient(_Rest(wire, ports[1]), self._log_in)
        self._joined = True
        self._missing: set[str] = set()

    @property
    def has_password(self) -> bool:
        """Tell whether the REST API can be asked at all."""
        return bool(self._account["password"])

    def start_over(self) -> None:
        """Try again what the firmware did not know: it may be another one now."""
        self._joined = True
        self._missing.clear()

    # The socket.

    async def version(self) -> dict[str, Any]:
        """Return the version; raises ``InvalidReply`` when it is none of this API."""
        reply = await self.command("version")
        if not Fields(reply).child("STATUS"):
            raise InvalidReply("the reply is not one of the cgminer API")
        return reply

    async def command(self, name: str) -> dict[str, Any]:
        """Run one command on the socket; empty where the firmware refuses it."""
        if name in self._missing:
            return {}
        try:
            return await cgminer.command(self._wire, self._port, name)
        except NotSupported, CommandFailed:
            self._missing.add(name)
            return {}

    async def together(
        self, names: Iterable[str], failed: dict[str, str]
    ) -> dict[str, dict[str, Any]]:
        """Run commands, joined into one where the firmware can.

        The first has to succeed; why any other did not is noted in ``failed``.
        """
        names = tuple(names)
        if self._joined and (replies := await self._join(names)) is not None:
            return {
                name: _unless_refused(name, reply, failed)
                for name, reply in replies.items()
            }
        self._joined = False
        replies = {}
        for name in names:
            reply = await cgminer.request(self._wire, self._port, {"command": name})
            replies[name] = _unless_refused(name, reply, failed)
        return replies

    async def _join(self, names: tuple[str, ...]) -> dict[str, dict[str, Any]] | None:
        try:
            reply = await cgminer.request(
                self._wire, self._port, {"command": "+".join(names)}
            )
        except InvalidReply:
            return None
        return unjoin(reply, names)

    # The REST API.

    async def _log_in(self, client: HttpClient) -> Mapping[str, str]:
        body = {"command": "token", **self._account}
        response = await client.request("POST", TOKEN, json=body)
        words = _refusal(response)
        if words is not None or response.status in (400, 401, 403):
            raise AuthenticationFailed(
                f"the device refused the password: {words or 'no reason given'}"
            )
        response.raise_for_status()
        token = Fields(response.json()).child("Token").text("Token")
        if token is None:
            raise InvalidReply("the device gave no token")
        return {"Token": token}

    async def ask(self, name: str) -> dict[str, Any]:
        """Return what the REST API tells, or the socket where there is no password.

        Raises:
            NotSupported, CommandFailed: the device refuses it, in its own words.
            AuthenticationFailed: it refuses the password.
        """
        if not self.has_password:
            return await self.command(name)
        return _read(await self._web.request("GET", f"/{name}"))

    async def tell(self, name: str, **more: object) -> None:
        """Send a command.

        Raises:
            NotSupported, CommandFailed: the device refuses it, in its own words.
            AuthenticationFailed: it refuses the password.
        """
        body = {"command": name, **more}
        _read(await self._web.request("POST", f"/{name}", json=body))


def _unless_refused(
    name: str, reply: dict[str, Any], failed: dict[str, str]
) -> dict[str, Any]:
    try:
        cgminer.raise_for_status(reply)
    except MiningSDKError as error:
        failed[name] = str(error)
        return {}
    return reply


def _read(response: Response) -> dict[str, Any]:
    if (words := _refusal(response)) is not None and response.status != 200:
        raise CommandFailed(f"the device refused: {words[:200]}")
    response.raise_for_status()
    reply = response.json()
    if not isinstance(reply, dict):
        raise InvalidReply("the reply is not an object")
    cgminer.raise_for_status(reply)
    return reply

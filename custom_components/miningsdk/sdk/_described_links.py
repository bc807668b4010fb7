"""Ask devices for replies and tell them what to do, as a file describes it."""

import base64
from collections.abc import Awaitable, Callable, Mapping
from copy import deepcopy
from typing import Any
from urllib.parse import quote

from aiohttp import (
    ClientHandlerType,
    ClientMiddlewareType,
    ClientRequest,
    ClientResponse,
    DigestAuthMiddleware,
)

from ._described_commands import Command
from ._described_schema import Description
from .device import AnyDevice
from .drivers.cgminer import unjoin
from .errors import (
    AuthenticationFailed,
    CommandFailed,
    DeviceUnreachable,
    InvalidReply,
    MiningSDKError,
    NotSupported,
)
from .transports import cgminer
from .transports.http import HttpClient, Response, only_once
from .transports.login import Refusal

_VALUE = "{value}"
WORDS = 200


class HttpLink:
    """Ask an HTTP device for replies, and tell it what to do, with its account."""

    def __init__(self, device: AnyDevice, description: Description) -> None:
        """Prepare; nothing is sent yet."""
        self._auth = description.auth
        self._paths = description.ask
        self._refusal = Refusal()
        self._telling = False
        self._given = bool(device.password)
        self._headers: dict[str, str] = {}
        middlewares: list[ClientMiddlewareType] = [self._once]
        if device.password:
            username, password = device.username or "", device.password
            if self._auth.type == "digest":
                middlewares.insert(0, DigestAuthMiddleware(username, password))
            else:
                self._headers = self._proof(username, password)
        self._client = HttpClient(device.wire, device.port, *middlewares)

    def _proof(self, username: str, password: str) -> dict[str, str]:
        if self._auth.type == "basic":
            login = base64.b64encode(f"{username}:{password}".encode()).decode()
            return {"Authorization": f"Basic {login}"}
        if self._auth.type == "header":
            # A header cannot hold the end of a line, which a form may have added.
            password = "".join(password.splitlines())
            return {self._auth.header: self._auth.value.replace("{password}", password)}
        return {}

    async def _once(
        self, request: ClientRequest, handler: ClientHandlerType
    ) -> ClientResponse:
        """Keep a command from being sent again when the connection breaks."""
        if self._telling:
            return await only_once(request, handler)
        return await handler(request)

    async def ask(self, names: list[str], failed: dict[str, str]) -> dict[str, Any]:
        """Return what the device answers, by the name of the reply."""

        async def one(name: str) -> Any:
            response = await self._send("GET", self._paths[name])
            response.raise_for_status()
            return response.json()

        return await _ask_each(names, one, failed)

    async def tell(self, command: Command, value: Any) -> Any:
        """Send a command and return the reply.

        Raises:
            CommandFailed: the device refused; in its own words.
        """
        self._telling = True
        try:
            response = await self._send(
                command.method,
                filled(command.path, value, quote_it=True),
                json=filled(command.json, value),
                data=None if command.form is None else _form(command.form, value),
            )
        finally:
            self._telling = False
        if response.status >= 400:
            raise CommandFailed(f"the device refused: {_said(response)}")
        try:
            return response.json()
        except InvalidReply:
            return response.text()

    async def _send(
        self, method: str, path: str, *, json: Any = None, data: Any = None
    ) -> Response:
        self._refusal.check()
        response = await self._client.request(
            method, path, json=json, data=data, headers=self._headers or None
        )
        if response.status == 401:
            if self._given:
                self._refusal.note("the device refuses the credentials")
            raise AuthenticationFailed("the device wants credentials")
        return response


class CgminerLink:
    """Ask a miner for replies by the cgminer API, joined where it understands that."""

    def __init__(self, device: AnyDevice, description: Description) -> None:
        """Prepare; nothing is sent yet."""
        self._device = device
        self._commands = description.ask
        self._joined = True

    async def ask(self, names: list[str], failed: dict[str, str]) -> dict[str, Any]:
        """Return what the miner answers, by the name of the reply."""
        replies = await self._together(names) if len(names) > 1 else None

        async def one(name: str) -> Any:
            if replies is not None:
                cgminer.raise_for_status(replies[self._commands[name]])
                return replies[self._commands[name]]
            device = self._device
            return await cgminer.command(device.wire, device.port, self._commands[name])

        return await _ask_each(names, one, failed)

    async def _together(self, names: list[str]) -> dict[str, dict[str, Any]] | None:
        if not self._joined:
            return None
        commands = [self._commands[name] for name in names]
        device = self._device
        try:
            reply = await cgminer.request(
                device.wire, device.port, {"command": "+".join(commands)}
            )
        except InvalidReply:
            replies = None
        else:
            replies = unjoin(reply, commands)
        self._joined = replies is not None
        return replies

    async def tell(self, command: Command, value: Any) -> Any:
        """Send a command and return the reply; raises ``CommandFailed``."""
        device = self._device
        parameter = filled(command.path, value) or None
        try:
            return await cgminer.command(
                device.wire, device.port, command.method, parameter
            )
        except NotSupported as error:
            raise CommandFailed(str(error)) from None


async def _ask_each(
    names: list[str], ask: Callable[[str], Awaitable[Any]], failed: dict[str, str]
) -> dict[str, Any]:
    """Ask for one reply after another; without some of them the others still count.

    Raises:
        MiningSDKError: nothing was answered at all, or the device went away.
    """
    replies: dict[str, Any] = {}
    trouble: MiningSDKError | None = None
    for name in names:
        try:
            replies[name] = await ask(name)
        except DeviceUnreachable:
            raise
        except MiningSDKError as error:
            trouble = trouble or error
            failed[name] = str(error)
    if trouble is not None and not replies:
        if isinstance(trouble, NotSupported | CommandFailed):
            raise InvalidReply(str(trouble))
        raise trouble
    return replies


def _said(response: Response) -> str:
    words = " ".join(response.text().split())[:WORDS]
    return words or f"HTTP status {response.status}"


def filled(template: Any, value: Any, *, quote_it: bool = False) -> Any:
    """Return a template with the value in it; on its own it keeps its type."""
    if isinstance(template, str):
        if template == _VALUE and not quote_it:
            return value
        text = _text(value)
        return template.replace(_VALUE, quote(text, safe="") if quote_it else text)
    if isinstance(template, Mapping):
        return {key: filled(inner, value) for key, inner in template.items()}
    if isinstance(template, list):
        return [filled(inner, value) for inner in template]
    return deepcopy(template)


def _form(template: Mapping[str, Any], value: Any) -> dict[str, str]:
    return {key: _text(filled(inner, value)) for key, inner in template.items()}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

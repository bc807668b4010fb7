"""The HTTP API of ePIC UMC and PowerPlay: open to read, a password in every command.

Source: protocols.md 10 (APIv3 of the vendor's dashboard) and the OpenAPI document that
firmware with API 1.30.0 serves of itself.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson

from ..errors import (
    CommandFailed,
    DeviceTimeout,
    InvalidReply,
    NotSupported,
)
from ..transports.http import HttpClient, Response
from ..transports.login import Refusal
from ..transports.wire import Wire

_UNKNOWN = ("InvalidUrl", "InvalidMethod")
# The part of the time for a command after which its answer is not waited for.
_PATIENCE = 0.8


class EpicApi:
    """The requests to one device; a refused password is not sent again for an hour."""

    __slots__ = ("_http", "_password", "_refusal")

    def __init__(self, wire: Wire, port: int, password: str | None) -> None:
        """Talk to the API of the wire's host, on a kept connection."""
        self._http = HttpClient(wire, port)
        self._password = password
        self._refusal = Refusal()

    async def get(self, path: str) -> dict[str, Any]:
        """Return the object at a path.

        Raises:
            NotSupported: the firmware has no such path.
            InvalidReply: it answers something else.
        """
        response = await self._http.request("GET", path)
        if response.status in (400, 404, 405):
            raise NotSupported(f"the device does not know {path}")
        if response.status != 200:
            raise InvalidReply(
                f"the device answered with HTTP status {response.status}"
            )
        reply = response.json()
        if not isinstance(reply, dict):
            raise InvalidReply("the reply is not an object")
        return reply

    async def tell(self, path: str, param: object) -> None:
        """Send a command; the answer may come before it is done.

        Raises:
            AuthenticationFailed: the password is wrong.
            NotSupported: the firmware does not know the command.
            CommandFailed: it refuses, in its own words.
        """
        self._refusal.check()
        body = {"param": param, "password": self._password}
        self._check(await self._http.request("POST", path, json=body))

    async def tell_slow(self, path: str, param: object) -> None:
        """Send a command that some firmware answers only when it is done.

        That may take minutes; what the device shows by then has to be read back.
        """
        try:
            async with asyncio.timeout(self._http.wire.timeout * _PATIENCE):
                await self.tell(path, param)
        except TimeoutError, DeviceTimeout:
            return

    def _check(self, response: Response) -> None:
        reply = _decoded(response)
        name, words = error_words(reply.get("error")) or ("", "no reason given")
        words = words.replace(self._password or "\0", "***")
        if response.status in (401, 403) or "password" in name.lower():
            self._refusal.note(f"the device refused the password: {words}")
        if response.status in (404, 405, 501) or name in _UNKNOWN:
            raise NotSupported(f"the device does not know this command: {words}")
        if reply.get("result") is not True or response.status != 200:
            raise CommandFailed(f"the device refused: {words}")


def _decoded(response: Response) -> dict[str, Any]:
    try:
        reply = response.json()
    except InvalidReply:
        reply = None
    if isinstance(reply, dict):
        return reply
    return {"error": f"HTTP status {response.status}"}


def error_words(error: object) -> tuple[str, str] | None:
    """Return the name and the words of an error, which is a name or has some detail."""
    if isinstance(error, Mapping) and error:
        name, detail = next(iter(error.items()))
        told = detail if isinstance(detail, str) else orjson.dumps(detail).decode()
        return str(name), f"{name}: {told}"[:200]
    if isinstance(error, str) and error.strip():
        return error.strip()[:200], error.strip()[:200]
    return None

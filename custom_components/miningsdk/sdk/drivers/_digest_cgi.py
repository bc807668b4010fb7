"""CGI programs behind HTTP digest, as Bitmain made them and others took them over.

Source: lighttpd.conf, CGI scripts and pages in Bitmain's firmware images of 2016
(S9) and of 2024 to 2025 (S21 family).
"""

import asyncio
from time import monotonic
from typing import Any

from aiohttp import DigestAuthMiddleware

from ..errors import (
    AuthenticationFailed,
    CommandFailed,
    DeviceTimeout,
    InvalidReply,
    NotSupported,
)
from ..transports.http import HttpClient, Response, only_once
from ..transports.json_reply import lenient
from ..transports.wire import Wire

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
_REFUSALS = ("B001", "M001")
_OPEN_BYTES = 1024
# A refused password is not tried again any sooner: devices lock users out.
_REFUSED_FOR = 3600.0


class Web:
    """The CGI programs of one miner; one kept session costs one round trip each.

    ``folder`` is where the programs are. With ``patient`` a password that was refused
    is not sent again for an hour; to try another takes another ``Device``.
    """

    __slots__ = (
        "_client",
        "_commands",
        "_credentials",
        "_folder",
        "_open",
        "_patience",
        "_patient",
        "_refused_until",
    )

    def __init__(
        self,
        wire: Wire,
        port: int,
        username: str | None,
        password: str | None,
        *,
        folder: str = "/cgi-bin/",
        patient: bool = False,
    ) -> None:
        """Prepare; without a password nothing but ``alive`` can be asked."""
        self._folder = folder
        self._patient = patient
        self._refused_until = 0.0
        self._open = HttpClient(wire, port)
        self._client = self._commands = self._open
        # A program may sleep half a minute before it answers; see ``send``.
        self._patience = wire.timeout / 2
        self._credentials: tuple[str, str] | None = None
        if username and password and ":" not in username:
            self._credentials = username, password
        self._arm()

    def _arm(self) -> None:
        """Forget all challenges, so that the next request waits for a new one."""
        if self._credentials is not None:
            digest = DigestAuthMiddleware(*self._credentials, preemptive=True)
            wire, port = self._open.wire, self._open.port
            self._client = HttpClient(wire, port, digest)
            self._commands = HttpClient(wire, port, only_once, digest)

    @property
    def usable(self) -> bool:
        """Tell whether there are credentials at all."""
        return self._credentials is not None

    async def alive(self) -> None:
        """Raise unless the web server answers; it may ask for a password."""
        await self._open.request("GET", "/", limit=_OPEN_BYTES, truncate=True)

    async def get(self, program: str) -> dict[str, Any]:
        """Return the object that a program prints.

        Raises:
            AuthenticationFailed: no password, or a wrong one.
            NotSupported: the firmware does not have this program.
            InvalidReply: it prints something else.
        """
        reply = await self.ask(program)
        if not isinstance(reply, dict):
            raise InvalidReply(f"{program} did not print an object")
        return reply

    async def ask(self, program: str) -> Any:
        """Return the JSON that a program prints; raises what ``get`` does."""
        return (await self._request(self._client, "GET", program)).json()

    async def page(self, program: str) -> str:
        """Return what a program prints, whatever it is."""
        return (await self._request(self._client, "GET", program)).text()

    async def send(
        self, method: str, program: str, data: bytes = b"", content_type: str = FORM
    ) -> str:
        """Send a command and return the reply, which may be empty.

        Some programs answer only after the miner process has come back, or never.
        What was sent counts as taken then, and is confirmed by reading back.

        Raises:
            CommandFailed: the firmware refuses; it says so in HTTP 200.
            and what ``get`` raises.
        """
        try:
            async with asyncio.timeout(self._patience):
                response = await self._request(
                    self._commands, method, program, data, content_type
                )
        except TimeoutError, DeviceTimeout:
            return ""
        reply = response.text()
        _raise_for_refusal(reply)
        return reply

    async def reboot(self) -> None:
        """Reboot; most firmware takes GET as its page sends it, some POST alone."""
        try:
            await self.send("GET", "reboot.cgi")
        except NotSupported:
            await self.send("POST", "reboot.cgi")

    async def _request(
        self,
        client: HttpClient,
        method: str,
        program: str,
        data: bytes = b"",
        content_type: str = FORM,
    ) -> Response:
        if self._credentials is None:
            raise AuthenticationFailed(
                "this needs the user name and password of the miner's web page"
            )
        if monotonic() < self._refused_until:
            raise AuthenticationFailed("the device refused the credentials")
        response = await client.request(
            method,
            self._folder + program,
            data=data or None,
            headers={"Content-Type": content_type} if data else None,
        )
        try:
            response.raise_for_status()
        except AuthenticationFailed:
            # Otherwise the next attempt would send the refused password twice.
            self._arm()
            if self._patient:
                self._refused_until = monotonic() + _REFUSED_FOR
            raise
        return response


def _raise_for_refusal(text: str) -> None:
    """Raise when the reply says no; newer firmware chats before its JSON."""
    start = text.find("{")
    if start < 0:
        return
    try:
        reply = lenient(text[start:].encode())
    except InvalidReply:
        return
    if not isinstance(reply, dict):
        return
    code = str(reply.get("code") or "")
    refused = reply.get("stats") == "error" or reply.get("error") is True
    if refused or code in _REFUSALS:
        message = str(reply.get("msg") or "no reason given")[:200]
        raise CommandFailed(f"the device refused: {message} ({code or 'no code'})")

"""The wire to a miner with LuxOS: joined reads, and a session for what it is told.

Sources: Luxor's documentation of the firmware's API and the list of commands that
need a session in its own tools (luxos-tooling, api.json).
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from ..errors import (
    CommandFailed,
    DeviceTimeout,
    DeviceUnreachable,
    InvalidReply,
    MiningSDKError,
    NotSupported,
)
from ..fields import Fields
from ..transports import cgminer
from ..transports.wire import Wire
from .cgminer import first, unjoin

# The device must be rid of the session soon, whatever became of the command.
_LOG_OFF_WITHIN = 2.0


class Session:
    """A session that the device has given; it has one at a time, for a minute."""

    __slots__ = ("_link", "_number")

    def __init__(self, link: Link, number: str) -> None:
        """Use the session of this number."""
        self._link = link
        self._number = number

    async def run(self, name: str, *parameters: str) -> dict[str, Any]:
        """Run a command that needs the session; raise when the device refuses it."""
        return await self._link.run(name, self._number, *parameters)

    async def run_and_lose(self, name: str) -> None:
        """Run a command after which the device may be gone before it answers."""
        with suppress(TimeoutError, DeviceTimeout, DeviceUnreachable, InvalidReply):
            async with asyncio.timeout(self._link.wire.timeout / 2):
                await self.run(name)


class Link:
    """One miner on port 4028."""

    __slots__ = ("_joins", "_unknown", "port", "wire")

    def __init__(self, wire: Wire, port: int) -> None:
        """Prepare; nothing is sent yet."""
        self.wire = wire
        self.port = port
        self.reset()

    def reset(self) -> None:
        """Find out anew what the firmware knows, and whether it joins commands."""
        self._joins = True
        self._unknown: set[str] = set()

    async def run(self, name: str, *parameters: str) -> dict[str, Any]:
        """Run one command; parameters are joined by commas.

        Raises:
            NotSupported: the firmware does not know the command.
            CommandFailed: the device refuses, in its own words.
        """
        parameter = ",".join(parameters) if parameters else None
        return await cgminer.command(self.wire, self.port, name, parameter)

    async def read(
        self, names: Sequence[str], failed: dict[str, str]
    ) -> dict[str, dict[str, Any]]:
        """Return the replies to reads, by one request where the firmware joins them.

        Raises:
            DeviceUnreachable, DeviceTimeout: it is not there.
        """
        wanted = [name for name in names if name not in self._unknown]
        replies = await self._together(wanted) if self._joins else None
        if replies is None:
            self._joins = False
            replies = {name: await self._alone(name, failed) for name in wanted}
        for name, reply in replies.items():
            self._note_refusal(name, reply, failed)
        return {name: replies.get(name, {}) for name in names}

    async def _together(self, names: Sequence[str]) -> dict[str, dict[str, Any]] | None:
        payload: dict[str, object] = {"command": "+".join(names)}
        try:
            return unjoin(await cgminer.request(self.wire, self.port, payload), names)
        except InvalidReply:
            return None

    async def _alone(self, name: str, failed: dict[str, str]) -> dict[str, Any]:
        try:
            return await cgminer.request(self.wire, self.port, {"command": name})
        except InvalidReply as error:
            failed[name] = str(error)
            return {}

    def _note_refusal(
        self, name: str, reply: dict[str, Any], failed: dict[str, str]
    ) -> None:
        """Note why a read was refused, unless the firmware does not know it at all."""
        try:
            cgminer.raise_for_status(reply)
        except NotSupported:
            self._unknown.add(name)
        except CommandFailed as error:
            failed[name] = str(error)

    @asynccontextmanager
    async def session(self) -> AsyncGenerator[Session]:
        """Log on, and log off again whatever happens.

        Raises:
            CommandFailed: somebody else has a session, in the device's own words.
        """
        number = section(await self.run("logon"), "SESSION").text("SessionID")
        if number is None:
            raise CommandFailed("the device gave no session")
        try:
            yield Session(self, number)
        finally:
            with suppress(MiningSDKError, TimeoutError):
                async with asyncio.timeout(_LOG_OFF_WITHIN):
                    await self.run("logoff", number)


def section(
    reply: Mapping[str, Any], name: str, failed: dict[str, str] | None = None
) -> Fields:
    """Return the first object that a reply has under this name."""
    return Fields(first(reply.get(name)), failed)

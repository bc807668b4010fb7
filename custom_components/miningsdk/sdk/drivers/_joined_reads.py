"""Several commands of the cgminer socket API, read in as few requests as may be."""

from typing import Any

from ..errors import DeviceUnreachable, InvalidReply, MiningSDKError
from ..transports import cgminer
from ..transports.wire import Wire
from .cgminer import note_refusal, unjoin


class JoinedReads:
    """Asks for several things in one request, or one by one where that is unknown.

    ``names`` are the commands; without the first one the others are worth nothing.
    """

    __slots__ = ("_joins", "_names", "_port", "_wire")

    def __init__(self, wire: Wire, port: int, *names: str) -> None:
        """Prepare; nothing is asked yet."""
        self._wire = wire
        self._port = port
        self._names = names
        self._joins = True

    def start_over(self) -> None:
        """Find out anew whether the firmware joins commands."""
        self._joins = True

    async def ask(self, failed: dict[str, str]) -> dict[str, dict[str, Any]]:
        """Return the replies by command, with an empty one for what was refused.

        Raises:
            InvalidReply: the first command was not answered.
            and what the transport raises.
        """
        replies = await self._together(failed) if self._joins else None
        if replies is None:
            self._joins = False
            replies = {name: await self._one(name, failed) for name in self._names}
        needed = self._names[0]
        if not replies[needed] or needed in failed:
            raise InvalidReply(failed.get(needed) or f"the reply has no {needed}")
        return replies

    async def _together(
        self, failed: dict[str, str]
    ) -> dict[str, dict[str, Any]] | None:
        joined: dict[str, object] = {"command": "+".join(self._names)}
        try:
            reply = await cgminer.request(self._wire, self._port, joined)
        except InvalidReply:
            return None
        replies = unjoin(reply, self._names)
        for name, part in (replies or {}).items():
            note_refusal(name, part, failed)
        return replies

    async def _one(self, name: str, failed: dict[str, str]) -> dict[str, Any]:
        try:
            return await cgminer.command(self._wire, self._port, name)
        except DeviceUnreachable:
            raise
        except MiningSDKError as error:
            failed[name] = str(error)
            return {}

"""The cgminer socket API: one JSON request per TCP connection, port 4028.

Source: the cgminer API notes and recorded replies of Antminer, Avalon, LuxOS and
Whatsminer. A reply ends with NUL, with the close, or with its JSON.
"""

from typing import Any

import orjson

from ..errors import CommandFailed, InvalidReply, NotSupported
from .json_reply import decode_stream
from .tcp import exchange
from .wire import Probe, Wire

PORT = 4028
_INVALID_COMMAND = 14
_ACCESS_DENIED = 45


async def request(wire: Wire, port: int, payload: dict[str, object]) -> dict[str, Any]:
    """Send one JSON request and return the reply's object."""
    reply = await exchange(wire, port, orjson.dumps(payload), decode_stream)
    if not isinstance(reply, dict):
        raise InvalidReply("the reply is not an object")
    return reply


async def command(
    wire: Wire, port: int, name: str, parameter: str | None = None, **more: object
) -> dict[str, Any]:
    """Run one command; ``a+b`` asks several that take no parameter at once.

    Raises:
        NotSupported: the firmware does not know the command or denies it.
        CommandFailed: the firmware answers with an error, given in its words.
    """
    payload: dict[str, object] = {"command": name, **more}
    if parameter is not None:
        payload["parameter"] = parameter
    reply = await request(wire, port, payload)
    raise_for_status(reply)
    return reply


def raise_for_status(reply: dict[str, Any]) -> None:
    """Raise when the STATUS of a reply is an error."""
    status = reply.get("STATUS")
    first = status[0] if isinstance(status, list) and status else status
    if not isinstance(first, dict):
        first = reply if isinstance(status, str) else {}
        first = {**first, "STATUS": status}
    if first.get("STATUS") not in ("E", "F"):
        return
    message = str(first.get("Msg") or "error without a message")[:200]
    if first.get("Code") in (_INVALID_COMMAND, _ACCESS_DENIED):
        raise NotSupported(f"the device refused: {message}")
    raise CommandFailed(f"the device refused: {message}")


def _version_or_page(data: bytes, closed: bool) -> str | None:  # noqa: FBT001
    """Decode a version; return the refusal of a web server as it came."""
    if data.startswith(b"HTTP/"):
        whole = closed or b"\r\n\r\n" in data
        return data.decode("utf-8", errors="replace") if whole else None
    reply = decode_stream(data, closed)
    if reply is not None and not isinstance(reply, dict):
        raise InvalidReply("the reply is not an object")
    return None if reply is None else orjson.dumps(reply).decode()


async def _ask_version(wire: Wire, port: int) -> str:
    request = orjson.dumps({"command": "version"})
    return await exchange(wire, port, request, _version_or_page)


VERSION = Probe("cgminer version", PORT, _ask_version)

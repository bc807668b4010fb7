"""The text form of the cgminer socket API: ``STATUS=S,Code=22,...|VERSION,API=3.7|``.

Source: the Avalon A10 manual and the open firmware of the Nano 3S. What is asked in
text is answered in text; some firmware answers in text whatever it is asked.
"""

import re
from typing import Any

from ..errors import InvalidReply
from .json_reply import decode_stream

# A bar also stands inside of help texts, and a comma inside of values.
_RECORD = re.compile(r"\|\s*(?=[A-Z]+[,=]|$)")
_FIELD = re.compile(r",(?=[A-Za-z][A-Za-z0-9 %_*]{0,39}=)")
# JSON gives these records under the name of their list.
_LISTS = {"POOL": "POOLS", "ASC": "DEVS", "PGA": "DEVS"}


class TextReply(dict[str, Any]):
    """A reply that came as text; it has the shape of a JSON reply."""


def request(name: str, parameter: str | None = None) -> bytes:
    """Return what is sent for one command, without a line end."""
    return (name if parameter is None else f"{name}|{parameter}").encode()


def decode(data: bytes, closed: bool) -> dict[str, Any] | None:  # noqa: FBT001
    """Decode a reply in JSON or in text, as soon as it is whole.

    Raises:
        InvalidReply: it is neither, or there is none.
    """
    if data.startswith(b"{"):
        reply = decode_stream(data, closed)
        if reply is not None and not isinstance(reply, dict):
            raise InvalidReply("the reply is not an object")
        return reply
    if closed or data.endswith(b"\x00"):
        return parse(data.decode("utf-8", errors="replace"))
    return None


def parse(reply: str) -> TextReply:
    """Return a text reply; all values but the codes stay text.

    Raises:
        InvalidReply: it is empty, or holds no record at all.
    """
    stripped = reply.strip("\x00 \r\n\t")
    if not stripped:
        raise InvalidReply("the device closed without a reply")
    found = TextReply()
    for record in _RECORD.split(stripped):
        if record:
            _add(found, _FIELD.split(record))
    if not found:
        raise InvalidReply("the reply is neither JSON nor text of the API")
    return found


def _add(found: dict[str, Any], fields: list[str]) -> None:
    pairs = [field.partition("=") for field in fields]
    name = pairs[0][0]
    if not name.isascii() or not name.isalpha() or not name.isupper():
        return
    values: dict[str, Any] = {
        key.strip(): value for key, equals, value in pairs if equals
    }
    code = values.get("Code")
    if name == "STATUS" and isinstance(code, str) and code.isdecimal():
        values["Code"] = int(code)
    found.setdefault(_LISTS.get(name, name), []).append(values)

"""Decode the JSON of firmware that does not always write valid JSON."""

import re
from typing import Any

import orjson

from ..errors import InvalidReply

_REPAIRS = (
    (re.compile(r"[\x00-\x1f]+"), " "),
    (re.compile(r'(\\["\\/bfnrtu])|\\'), r"\1"),
    (re.compile(r"\}\s*\{"), "},{"),
    (re.compile(r"\[\s*,"), "["),
    (re.compile(r",\s*([}\]])"), r"\1"),
    (
        re.compile(
            r"([:\[,]\s*)[-+]?(?:nan|inf(?:inity)?)(?=\s*[,}\]])", re.IGNORECASE
        ),
        r"\1null",
    ),
    (
        re.compile(
            r'\[\s*("(?:[^"\\]|\\.)*"\s*:\s*(?:"(?:[^"\\]|\\.)*"|[-\d.]+))\s*\]'
        ),
        r"[{\1}]",
    ),
)


def strict(data: bytes) -> Any | None:
    """Return the decoded JSON, or ``None`` when it is not valid."""
    try:
        return orjson.loads(data.rstrip(b"\x00 \r\n\t"))
    except orjson.JSONDecodeError:
        return None


def lenient(data: bytes) -> Any:
    """Return the decoded JSON after mending what is known to be broken.

    Known are: NUL and control characters, backslashes before what needs none, objects
    with no comma between them, trailing commas, ``nan`` and ``inf``, and pairs written
    straight into a list.

    Raises:
        InvalidReply: it is not JSON even so.
    """
    if (decoded := strict(data)) is not None:
        return decoded
    # The most common mistake is mended in one go, as it comes with every reading.
    if b"}{" in data and (decoded := strict(data.replace(b"}{", b"},{"))) is not None:
        return decoded
    mended = data.decode("utf-8", errors="replace").strip("\x00 \r\n\t")
    for pattern, replacement in _REPAIRS:
        mended = pattern.sub(replacement, mended)
    try:
        return orjson.loads(mended)
    except orjson.JSONDecodeError:
        raise InvalidReply("the reply is not JSON") from None


def decode_stream(data: bytes, closed: bool) -> Any | None:  # noqa: FBT001
    """Decode a reply that ends where its JSON ends, at a NUL or at the close."""
    if closed or data.endswith(b"\x00"):
        if not data.strip(b"\x00 \r\n\t"):
            raise InvalidReply("the device closed without a reply")
        return lenient(data)
    if data.endswith((b"}", b"}\n", b"]")):
        return strict(data)
    return None

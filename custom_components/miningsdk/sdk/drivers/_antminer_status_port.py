"""The status server of stock Antminer firmware, which is not quite HTTP.

Source: Bitmain's firmware images of 2024 to 2025 (S21 family).
"""

from ..errors import InvalidReply, NotSupported
from ..transports.tcp import exchange
from ..transports.wire import Wire


async def ask_status_port(wire: Wire, port: int, path: str) -> str:
    """Return the text that the status server on port 6060 has for a path.

    Its status line holds double spaces, which HTTP clients rightly refuse.

    Raises:
        NotSupported: this firmware does not know the path.
        and what ``exchange`` raises.
    """
    request = f"GET {path} HTTP/1.0\r\nHost: {wire.host}\r\n\r\n".encode()
    text = await exchange(wire, port, request, _decode_status)
    if not text or text.startswith("error 6060"):
        raise NotSupported(f"the status server does not know {path}")
    return text


def _decode_status(data: bytes, closed: bool) -> str | None:  # noqa: FBT001
    head, found, body = data.partition(b"\r\n\r\n")
    if found and not head.startswith(b"HTTP/1."):
        raise InvalidReply("the status server does not speak HTTP")
    length = None
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:") and line[15:].strip().isdigit():
            length = int(line[15:])
    if not found or (length is not None and len(body) < length):
        if closed:
            raise InvalidReply("the status server closed before its reply was whole")
        return None
    if length is None and not closed:
        return None
    return body[:length].decode("utf-8", errors="replace").strip("\x00 \r\n\t")

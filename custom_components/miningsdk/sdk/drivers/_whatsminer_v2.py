"""API v2 of Whatsminer: plain reads, writes under a token and AES.

Source: vendor's manuals 1.3.8, 2.0.5 and 2.2, see protocols.md 4.1 and 16.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
import hashlib
import re
from time import monotonic
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
import orjson

from ..errors import (
    AuthenticationFailed,
    CommandFailed,
    ControlDisabled,
    InvalidReply,
    MiningSDKError,
    NotSupported,
)
from ..fields import Fields
from ..transports.cgminer import raise_for_status
from ..transports.json_reply import decode_stream, lenient
from ..transports.md5crypt import md5_crypt
from ..transports.tcp import Decoder, exchange
from ..transports.wire import Wire
from ._whatsminer_common import ENABLE_API

PORT = 4028
# A token lives for 30 minutes; one is not used that close to its end.
_TOKEN_LIFE = 29 * 60.0
_BLOCK = 16

_INVALID_COMMAND = 14
_NO_COMMAND = 24
_DENIED = 45
_DONE = 131
_TOKEN_ERROR = 135
_TOO_MANY_TOKENS = 136

_WRONG = "the device refused the password"
_WAIT = (
    ". Too many programs hold a token; it gives out new ones when old ones end, "
    "after 30 minutes at the latest"
)
_CODE = re.compile(rb'"(\d{3,6})"\s*:')


@dataclass(slots=True)
class _Token:
    """What a write is signed and encrypted with."""

    key: bytes
    sign: str
    taken_at: float


def _cipher(key: bytes) -> Cipher[modes.ECB]:
    return Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305 - as the device asks


def encrypt(key: bytes, payload: Mapping[str, object]) -> str:
    """Return an object as the device wants it: zero-padded, AES-256-ECB, base64."""
    plain = orjson.dumps(payload)
    plain += b"\x00" * (-len(plain) % _BLOCK)
    encryptor = _cipher(key).encryptor()
    return base64.b64encode(encryptor.update(plain) + encryptor.finalize()).decode()


def decrypt(key: bytes, data: object) -> dict[str, Any]:
    """Return the object in an encrypted reply, whatever it is padded with.

    Raises:
        InvalidReply: it cannot be decrypted to an object.
    """
    try:
        raw = base64.b64decode(str(data), validate=False)
        decryptor = _cipher(key).decryptor()
        plain = decryptor.update(raw) + decryptor.finalize()
    except ValueError:
        raise InvalidReply("the encrypted reply is broken") from None
    reply = lenient(plain)
    if not isinstance(reply, dict):
        raise InvalidReply("the encrypted reply is not an object")
    return reply


def _decode_silence(data: bytes, closed: bool) -> Any | None:  # noqa: FBT001
    """Decode as always, but take a close without a reply for an empty object."""
    if closed and not data.strip(b"\x00 \r\n\t"):
        return {}
    return decode_stream(data, closed)


def _decode_codes(data: bytes, closed: bool) -> Any | None:  # noqa: FBT001
    """Decode error codes, also from the vendor's ``["329":"date","330":"date"]``."""
    try:
        return decode_stream(data, closed)
    except InvalidReply:
        if b'"error_code"' not in data:
            raise
        found = _CODE.findall(data.partition(b'"error_code"')[2])
        return {"Msg": {"error_code": [code.decode() for code in found]}}


def section(reply: dict[str, Any], name: str, key: str) -> Fields:
    """Return the part of a reply that holds ``key``, of a joined reply or a single.

    Firmware that speaks API v3 too wraps a summary into ``Msg`` instead.
    """
    outer = Fields(reply)
    inner = outer.child(name) or outer
    if key in inner.data:
        return inner
    return inner.child("Msg")


class Silence(InvalidReply):
    """The device closed without a word, as it does while its miner is down."""


class V2:
    """The API v2 of one miner."""

    def __init__(self, wire: Wire, port: int, account: str | None) -> None:
        """Talk to ``port``; ``account`` is only named in errors."""
        self._wire = wire
        self._port = port
        self._account = account
        self._token: _Token | None = None
        # Firmware of before 2020 has cgminer's own API under another key.
        self._key = "cmd"

    def start_over(self) -> None:
        """Find out anew how the device wants to be asked."""
        self._key = "cmd"

    @property
    def is_bare(self) -> bool:
        """Tell whether this is the old API that takes no writes at all."""
        return self._key != "cmd"

    async def read(self, command: str, **more: object) -> dict[str, Any]:
        """Read one thing, or two joined by ``+``.

        Raises:
            NotSupported: the firmware does not know the command.
            CommandFailed: it answers with an error, given in its words.
            Silence: it closes without an answer.
        """
        reply = await self._ask({self._key: command, **more})
        if self._key == "cmd" and _code(reply) == _NO_COMMAND:
            self._key = "command"
            reply = await self._ask({self._key: command, **more})
        raise_for_status(reply)
        return reply

    async def _ask(
        self, payload: dict[str, object], decode: Decoder[Any] = _decode_silence
    ) -> dict[str, Any]:
        reply = await exchange(self._wire, self._port, orjson.dumps(payload), decode)
        if not isinstance(reply, dict):
            raise InvalidReply("the reply is not an object")
        if not reply:
            raise Silence("the device closed without a reply")
        return reply

    async def read_codes(self) -> list[object]:
        """Return the error codes, as keys, texts or numbers."""
        reply = await self._ask({self._key: "get_error_code"}, _decode_codes)
        raise_for_status(reply)
        found = Fields(reply).child("Msg").data.get("error_code")
        if not isinstance(found, list):
            raise InvalidReply("the reply has no error codes")
        return found

    async def write(self, password: str | None, command: str, **more: object) -> None:
        """Run a command that changes something.

        A close without a reply counts as done: that is how firmware restarts. A
        token that the device has forgotten is renewed once.

        Raises:
            AuthenticationFailed: no password, or a wrong one.
            ControlDisabled: its API is switched off, or the password the factory's.
            CommandFailed: the device refused.
            NotSupported: the firmware does not know the command.
        """
        if not password:
            raise AuthenticationFailed(
                f"this command needs the password of the account {self._account!r}"
            )
        kept = self._token
        if kept is None or monotonic() - kept.taken_at > _TOKEN_LIFE:
            kept = None
        token = kept or await self._get_token(password)
        reply = await self._send(token, command, more)
        if _code(reply) == _TOKEN_ERROR or (kept is not None and _is_unreadable(reply)):
            self._token = None
            reply = await self._send(await self._get_token(password), command, more)
        if (error := _refusal(reply)) is not None:
            if isinstance(error, AuthenticationFailed | ControlDisabled):
                self._token = None
            raise error

    async def check(self, password: str) -> None:
        """Find out whether the password is right, as far as the device tells.

        Raises:
            AuthenticationFailed: it is wrong.
        """
        try:
            token = await self._get_token(password)
        except CommandFailed, NotSupported:
            return
        if _is_unreadable(await self._send(token, "status", {})):
            self._token = None
            raise AuthenticationFailed(_WRONG)

    async def _get_token(self, password: str) -> _Token:
        reply = await self._ask({self._key: "get_token"})
        facts = Fields(reply).child("Msg")
        time, salt = facts.text("time"), facts.text("salt")
        fresh = facts.text("newsalt")
        if time is None or salt is None or fresh is None:
            raise _refusal(reply) or InvalidReply("the reply has no token")
        key = md5_crypt(password, salt)
        sign = md5_crypt(key + time[-4:], fresh)
        self._token = _Token(hashlib.sha256(key.encode()).digest(), sign, monotonic())
        return self._token

    async def _send(
        self, token: _Token, command: str, more: dict[str, object]
    ) -> dict[str, Any]:
        data = encrypt(token.key, {"cmd": command, **more, "token": token.sign})
        payload = orjson.dumps({"enc": 1, "data": data})
        reply = await exchange(self._wire, self._port, payload, _decode_silence)
        if not isinstance(reply, dict):
            raise InvalidReply("the reply is not an object")
        return decrypt(token.key, reply["enc"]) if "enc" in reply else reply


def _code(reply: dict[str, Any]) -> int | None:
    return (Fields(reply).child("STATUS") or Fields(reply)).integer("Code")


def _message(reply: dict[str, Any]) -> str:
    inner = Fields(reply).child("STATUS") or Fields(reply)
    return (inner.text("Msg") or "error without a message")[:200]


def _is_unreadable(reply: dict[str, Any]) -> bool:
    """Tell whether the device could not decrypt the request."""
    return "enc json load" in _message(reply).lower()


def _refusal(reply: dict[str, Any]) -> MiningSDKError | None:
    """Return the error that a reply to a write stands for, if it is one."""
    code, message = _code(reply), _message(reply)
    if not reply or code == _DONE or (code is None and reply.get("STATUS") == "S"):
        return None
    if _is_unreadable(reply):
        return AuthenticationFailed(_WRONG)
    if code == _DENIED:
        # Not for a wrong password: with that one it could not decrypt the command.
        return ControlDisabled(f"the device refused: {message}. {ENABLE_API}")
    if code is None and reply.get("STATUS") != "E":
        return InvalidReply("the reply has no code")
    kind = NotSupported if code == _INVALID_COMMAND else CommandFailed
    advice = _WAIT if code == _TOO_MANY_TOKENS else ""
    return kind(f"the device refused: {message} (code {code}){advice}")

"""API v3 of Whatsminer: frames, tokens and encrypted parameters.

Source: the vendor's documentation of API 3.0, see protocols.md 4.2 and 16.
"""

import base64
import hashlib
import time
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
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
from ..transports.framed import HungUp, Link
from ._whatsminer_common import ENABLE_API

PORT = 4433
_DONE = 0
_INVALID_COMMAND = -2
_NO_PERMISSION = -4
_BLOCK_BITS = 128
_TOKEN_LENGTH = 8
_DOWN = "is down"


async def ask(link: Link, command: str, param: object = None) -> Any:
    """Return what a reading command answers; no account is needed.

    Raises:
        NotSupported: the firmware does not know the command.
        CommandFailed: it answers with an error, given in its words.
        InvalidReply: it answers something else than its protocol allows.
    """
    request = {"cmd": command} if param is None else {"cmd": command, "param": param}
    reply = await link.ask(request)
    code = _code(reply)
    if code == _DONE:
        return reply.get("msg")
    kind = NotSupported if code == _INVALID_COMMAND else CommandFailed
    raise kind(f"the device refused: {_message(reply)}")


async def ask_status(link: Link, param: str) -> Fields | None:
    """Return the live values, or ``None`` while the mining service is down.

    Some firmware says so in a text where the values should be.
    """
    try:
        found = await ask(link, "get.miner.status", param)
    except (CommandFailed, NotSupported) as error:
        if _DOWN in str(error):
            return None
        raise InvalidReply(str(error)) from None
    if isinstance(found, str) and _DOWN in found:
        return None
    if not isinstance(found, dict):
        raise InvalidReply("the reply has no live values")
    return Fields(found)


async def ask_device(link: Link) -> Fields:
    """Return all sections of the device's description."""
    try:
        found = await ask(link, "get.device.info")
    except (CommandFailed, NotSupported) as error:
        raise InvalidReply(str(error)) from None
    if not isinstance(found, dict):
        raise InvalidReply("the reply does not describe the device")
    return Fields(found)


async def write(
    link: Link,
    account: str | None,
    password: str | None,
    command: str,
    param: object = None,
    *,
    secret: bool = False,
) -> None:
    """Run a command that changes something; a ``secret`` parameter is encrypted.

    The device may close without a reply when it restarts itself.

    Raises:
        AuthenticationFailed: no password, or account and password are refused.
        ControlDisabled: its API is switched off.
        CommandFailed: the device refused.
        NotSupported: the firmware does not know the command.
    """
    if not password:
        raise AuthenticationFailed(
            f"this command needs the password of the account {account!r}"
        )
    device = await ask_device(link)
    salt = device.text("salt")
    if salt is None:
        raise InvalidReply("the device gave no salt for the token")
    now = int(time.time())
    token, key = sign(command, password, salt, now)
    request = {"cmd": command, "ts": now, "token": token, "account": account}
    if param is not None:
        request["param"] = encrypt(key, param) if secret else param
    try:
        reply = await link.ask(request)
    except HungUp:
        return
    if (error := _refusal(reply, device)) is not None:
        raise error


def sign(command: str, password: str, salt: str, now: int) -> tuple[str, bytes]:
    """Return the token for one command, and the key for its parameter."""
    digest = hashlib.sha256(f"{command}{password}{salt}{now}".encode()).digest()
    return base64.b64encode(digest).decode()[:_TOKEN_LENGTH], digest


def encrypt(key: bytes, param: object) -> str:
    """Return a parameter as the device wants it: AES-256-ECB, PKCS#7, base64."""
    padder = PKCS7(_BLOCK_BITS).padder()
    plain = padder.update(orjson.dumps(param)) + padder.finalize()
    cipher = Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305 - as it asks
    encryptor = cipher.encryptor()
    return base64.b64encode(encryptor.update(plain) + encryptor.finalize()).decode()


def _code(reply: dict[str, Any]) -> int:
    code = Fields(reply).integer("code")
    if code is None:
        raise InvalidReply("the reply has no code")
    return code


def _message(reply: dict[str, Any]) -> str:
    return (Fields(reply).text("msg") or "error without a message")[:200]


def _refusal(reply: dict[str, Any], device: Fields) -> MiningSDKError | None:
    code, message = _code(reply), _message(reply)
    if code == _DONE:
        return None
    text = f"the device refused: {message} (code {code})"
    if device.child("system").boolean("apiswitch") is False:
        return ControlDisabled(f"{text}. Its API is switched off. {ENABLE_API}")
    hint = message.lower()
    if code == _NO_PERMISSION or "token" in hint or "account" in hint:
        return AuthenticationFailed(
            f"{text}. Check account and password, and whether the account may do "
            f"this. {ENABLE_API}"
        )
    return NotSupported(text) if code == _INVALID_COMMAND else CommandFailed(text)

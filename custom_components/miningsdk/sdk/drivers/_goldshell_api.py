"""The web server of a Goldshell: logging in, reading and writing objects.

Source: protocols.md 12, and the web interface of the vendor.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ..errors import AuthenticationFailed, CommandFailed, InvalidReply
from ..transports.http import HttpClient, Response, writes_only_once
from ..transports.login import LoginClient
from ..transports.wire import Wire

_STATUS = "/mcb/status"
_LOGIN = "/user/login"
# The web interface hides the password behind this key, which is the same in all.
_KEY = b"!" * 16
_BLOCK = 16


def hidden(password: str) -> str:
    """Return a password as the web interface sends it: AES-128-CBC, hexadecimal."""
    plain = password.encode()
    plain += b"\x00" * (-len(plain) % _BLOCK)
    encryptor = Cipher(algorithms.AES(_KEY), modes.CBC(bytes(_BLOCK))).encryptor()
    return (encryptor.update(plain) + encryptor.finalize()).hex()


class WebApi:
    """The objects below ``/mcb``; all but the status need the login.

    One request at a time: the backend crashes under many, and mixes up the logins of
    two at once (a 401 that says nothing, which is asked again).
    """

    def __init__(
        self, wire: Wire, port: int, username: str | None, password: str | None
    ) -> None:
        """Talk to ``port``; without a password only the status is within reach."""
        self._http = HttpClient(wire, port, writes_only_once)
        self._session = LoginClient(self._http, self._log_in)
        self._username = username or ""
        self._password = password

    @property
    def has_login(self) -> bool:
        """Tell whether there is a password to log in with."""
        return bool(self._password)

    async def status(self) -> dict[str, Any]:
        """Return model and versions, which everybody may read."""
        response = await self._http.request("GET", _STATUS)
        response.raise_for_status()
        reply = response.json()
        if not isinstance(reply, dict) or not isinstance(reply.get("model"), str):
            raise InvalidReply("the reply is not the status of a Goldshell")
        return reply

    async def get(self, name: str) -> Any:
        """Return the object of this name."""
        response = await self._session.request("GET", f"/mcb/{name}")
        response.raise_for_status()
        return response.json()

    async def put(self, name: str, value: object = None) -> None:
        """Write an object, or give the command that has this name.

        Raises:
            CommandFailed: the device refused, in its own words.
        """
        response = await self._session.request("PUT", f"/mcb/{name}", json=value)
        if response.status in (401, 403, 404, 405):
            response.raise_for_status()
        if response.status >= 300:
            raise CommandFailed(f"the device refused: {_words(response)}")

    def log_out(self) -> None:
        """Forget the login, as a restart makes it void."""
        self._session.log_out()

    async def _log_in(self, client: HttpClient) -> Mapping[str, str]:
        """Ask for a token; newer firmware takes the password hidden only."""
        password = self._password or ""
        for cipher, word in (("false", password), ("true", hidden(password))):
            query = urlencode(
                {"username": self._username, "password": word, "cipher": cipher},
                quote_via=quote,
            )
            response = await client.request("GET", f"{_LOGIN}?{query}")
            if response.status == 200:
                return {"Authorization": f"Bearer {_token(response)}"}
            if response.status not in (400, 401, 403, 500):
                response.raise_for_status()
        raise AuthenticationFailed("the device refused the user or the password")


def _token(response: Response) -> str:
    reply = response.json()
    token = reply.get("JWT Token") if isinstance(reply, dict) else None
    if not isinstance(token, str) or not token.isascii() or not token.isprintable():
        raise InvalidReply("the reply to the login has no token")
    return token


def _words(response: Response) -> str:
    return " ".join(response.text().split())[:200] or f"HTTP status {response.status}"

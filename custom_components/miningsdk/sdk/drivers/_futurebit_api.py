"""The GraphQL server of a FutureBit Apollo: one request for all that is asked.

Source: protocols.md 12, and the source of the API that the maker has published.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import AuthenticationFailed, CommandFailed, InvalidReply, NotSupported
from ..fields import Fields
from ..transports.http import HttpClient, Response, only_once
from ..transports.login import LoginClient, Refusal
from ..transports.wire import Wire

_PATH = "/api/graphql"
_LOGIN = (
    "query($input:AuthLoginInput!)"
    "{Auth{login(input:$input){result{accessToken} error{message}}}}"
)
_UNAUTHENTICATED = "UNAUTHENTICATED"
_UNKNOWN = frozenset({"GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED"})


class GraphApi:
    """The API on port 5000. A token holds until the device makes a new secret."""

    def __init__(self, wire: Wire, port: int, password: str | None) -> None:
        """Talk to ``port``; without a password only the open part is within reach."""
        self._http = HttpClient(wire, port, only_once)
        self._session = LoginClient(self._http, self._log_in)
        self._refusal = Refusal()
        self._password = password

    @property
    def has_login(self) -> bool:
        """Tell whether there is a password to log in with."""
        return bool(self._password)

    async def ask(
        self,
        query: str,
        failed: dict[str, str],
        *,
        login: bool,
        variables: Mapping[str, object] | None = None,
    ) -> Fields:
        """Return the data of a reply; what is missing in it is noted in ``failed``.

        Raises:
            AuthenticationFailed: this needs another login than there is.
            NotSupported: the firmware does not know what is asked for.
            InvalidReply: it is no reply, or one without any data.
        """
        body = {"query": query, "variables": variables or {}}
        reply = await self._post(body, login=login)
        if login and _UNAUTHENTICATED in _codes(reply):
            # It was not carried out.
            self._session.log_out()
            reply = await self._post(body, login=True)
            if _UNAUTHENTICATED in _codes(reply):
                self._refusal.note("the device does not accept the login that it gave")
        return _data(reply, failed)

    async def tell(
        self, query: str, *path: str, variables: Mapping[str, object] | None = None
    ) -> Fields:
        """Give a command, and return what is below ``path`` of the reply.

        Raises:
            CommandFailed: the device refused, in its own words.
        """
        failed: dict[str, str] = {}
        data = await self.ask(query, failed, login=True, variables=variables)
        for key in path:
            data = data.child(key)
        if (words := refusal(data)) is not None:
            raise CommandFailed(f"the device refused: {words}")
        if failed:
            raise CommandFailed(f"the device refused: {next(iter(failed.values()))}")
        return data

    async def _post(self, body: object, *, login: bool) -> dict[str, Any]:
        if login:
            self._refusal.check()
            return _object(await self._session.request("POST", _PATH, json=body))
        return _object(await self._http.request("POST", _PATH, json=body))

    async def _log_in(self, client: HttpClient) -> Mapping[str, str]:
        body = {"query": _LOGIN, "variables": {"input": {"password": self._password}}}
        reply = _object(await client.request("POST", _PATH, json=body))
        login = _data(reply, {}).child("Auth").child("login")
        if (words := refusal(login)) is not None:
            raise AuthenticationFailed(f"the device refused: {words}")
        token = login.child("result").text("accessToken")
        if token is None or not token.isascii() or not token.isprintable():
            raise InvalidReply("the reply to the login has no token")
        return {"Authorization": f"Bearer {token}"}


def refusal(part: Fields) -> str | None:
    """Return why the device did not answer a part, in its own words."""
    return _short(part.child("error").text("message"))


def _object(response: Response) -> dict[str, Any]:
    """Return a reply; what is not understood is answered with status 400 and why."""
    if response.status != 400:
        response.raise_for_status()
    reply = response.json()
    if not isinstance(reply, dict) or not {"data", "errors"} & set(reply):
        raise InvalidReply("the reply is not one of GraphQL")
    return reply


def _errors(reply: Mapping[str, Any]) -> Iterable[Fields]:
    return Fields(reply).children("errors")


def _codes(reply: Mapping[str, Any]) -> set[str | None]:
    return {error.child("extensions").text("code") for error in _errors(reply)}


def _data(reply: Mapping[str, Any], failed: dict[str, str]) -> Fields:
    codes = _codes(reply)
    words = next(
        (found for error in _errors(reply) if (found := _short(error.text("message")))),
        "the reply has no data",
    )
    if _UNAUTHENTICATED in codes:
        raise AuthenticationFailed(f"the device refused: {words}")
    if codes & _UNKNOWN:
        raise NotSupported(f"the device does not know this request: {words}")
    data = Fields(reply.get("data"), failed)
    if not data:
        raise InvalidReply(f"the device answers: {words}")
    if codes:
        failed.setdefault("reply", words)
    return data


def _short(words: str | None) -> str | None:
    return " ".join(words.split())[:200] if words else None

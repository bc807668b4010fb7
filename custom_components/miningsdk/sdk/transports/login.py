"""Requests to a device that wants a login first, which then holds for a while."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from time import monotonic
from typing import NoReturn

from ..errors import AuthenticationFailed
from .http import HttpClient, Response

# A refused password is not tried again any sooner: devices lock users out.
_REFUSED_FOR = 3600.0
_EXPIRED = frozenset({401})


class Refusal:
    """What a device said against credentials, told again for an hour without asking.

    To try other credentials takes another ``Device``.
    """

    __slots__ = ("_said",)

    def __init__(self) -> None:
        """Begin without any."""
        self._said: tuple[AuthenticationFailed, float] | None = None

    def check(self) -> None:
        """Raise ``AuthenticationFailed`` while the device is not to be asked again."""
        if self._said is not None:
            said, until = self._said
            if monotonic() < until:
                raise type(said)(str(said))
            self._said = None

    def note(self, words: str | AuthenticationFailed) -> NoReturn:
        """Remember a refusal, and raise it."""
        said = AuthenticationFailed(words) if isinstance(words, str) else words
        self._said = (said, monotonic() + _REFUSED_FOR)
        raise type(said)(str(said))


class LoginClient:
    """An ``HttpClient`` that logs in when it must, and only once at a time.

    ``login`` asks the device and returns the headers that prove it from then on; it
    raises ``AuthenticationFailed`` when the device refuses, see ``Refusal``.
    ``expired`` are the statuses by which the firmware says that a login does not hold
    any more; a request so answered was not carried out, and is sent once more after a
    new login.
    """

    def __init__(
        self,
        client: HttpClient,
        login: Callable[[HttpClient], Awaitable[Mapping[str, str]]],
        *,
        expired: frozenset[int] = _EXPIRED,
    ) -> None:
        """Prepare; nothing is sent before the first request."""
        self.client = client
        self._login = login
        self._expired = expired
        self._headers: Mapping[str, str] | None = None
        self._refusal = Refusal()
        self._lock = asyncio.Lock()

    async def request(
        self, method: str, path: str, *, json: object = None, data: object = None
    ) -> Response:
        """Send a request with the login's headers, whatever the reply's status.

        Raises:
            AuthenticationFailed: the device refuses the login, or did so before.
            and what ``HttpClient.request`` raises.
        """
        headers = await self._logged_in(None)
        response = await self.client.request(
            method, path, json=json, data=data, headers=headers
        )
        if response.status not in self._expired:
            return response
        headers = await self._logged_in(headers)
        response = await self.client.request(
            method, path, json=json, data=data, headers=headers
        )
        if response.status in self._expired:
            self._refuse("the device does not accept the login that it gave")
        return response

    def log_out(self) -> None:
        """Forget the login, for example after a restart of the device."""
        self._headers = None

    async def _logged_in(self, stale: Mapping[str, str] | None) -> Mapping[str, str]:
        """Return the headers of a login that is not the ``stale`` one."""
        async with self._lock:
            if self._headers is None or self._headers is stale:
                self._headers = None
                self._refusal.check()
                try:
                    self._headers = await self._login(self.client)
                except AuthenticationFailed as error:
                    self._refuse(error)
            return self._headers

    def _refuse(self, words: str | AuthenticationFailed) -> NoReturn:
        self._headers = None
        self._refusal.note(words)

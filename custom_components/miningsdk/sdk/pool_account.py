"""An account at a mining pool: read with patience, its key kept to itself."""

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
import hashlib
from typing import Any, ClassVar, Self, override
from urllib.parse import quote

from .device import Device, describe
from .errors import AuthenticationFailed, InvalidReply, MiningSDKError, NotSupported
from .fields import Fields
from .model import DeviceInfo, DeviceKind, PoolStats
from .parts import Part, Parts
from .transports.web_api import WebApi, endpoint

_HIDDEN = "***"


class PoolAccount(Device[PoolStats]):
    """An account at a pool: ``username`` is the address or user, ``password`` the key.

    ``host`` is the host of the pool's API; without one it is the pool's own. It may
    be a base such as ``umbrel.local:2019`` or ``https://pool.example/base`` where a
    pool can be hosted by oneself. ``secure`` chooses between https and http; when it
    is not given, the scheme of ``host`` does, and else hosts on the internet are
    asked by https and those of the own network by http.

    A reading is no younger than ``minimum_interval`` seconds: until then ``read``
    returns the last one. Requests to one pool are ``request_interval`` seconds apart,
    whoever makes them and about whichever account. HTTP status 429 is honoured for as
    long as the pool asks; meanwhile the last reading stands in for up to 15 minutes,
    with a note in ``failed``. A key that was refused is not sent again for an hour,
    unless ``connect`` is called.

    A driver is a subclass. It names its questions in ``_parts``, the first of which is
    required and proves the account, and makes stats of the answers in ``_parse``.

    Raises, beside what ``Device`` raises: ``InvalidReply`` while the pool wants to be
    left alone and nothing recent is known.
    """

    kind = DeviceKind.POOL
    extra_options: ClassVar[tuple[str, ...]] = ("secure",)
    firmware = None
    default_host: ClassVar[str]
    # The port of http, where the pool can be hosted by oneself.
    plain_port: ClassVar[int] = 80
    # Whether accounts of the same name on two hosts are two accounts.
    self_hosted: ClassVar[bool] = False
    needs_username: ClassVar[bool] = True
    request_interval: ClassVar[float] = 1.0
    minimum_interval: float = 30.0

    def __init__(
        self,
        host: str | None = None,
        *,
        port: int | None = None,
        secure: bool | None = None,
        connect_timeout: float = 5.0,
        timeout: float = 20.0,
        **options: Any,
    ) -> None:
        """Describe an account without asking the pool; see the class and ``Device``.

        Raises:
            InvalidTarget: ``host`` is neither a host nor the address of a service.
        """
        self.endpoint = endpoint(
            host or self.default_host,
            ports=(self.default_port, self.plain_port),
            port=port,
            secure=secure,
        )
        super().__init__(
            self.endpoint.host,
            port=self.endpoint.port,
            connect_timeout=connect_timeout,
            timeout=timeout,
            **options,
        )
        self.username = (self.username or "").strip() or None
        self.password = (self.password or "").strip() or None
        if self.username:
            self._info = describe(self._info, serial_number=self._identity(None))
        self._api = WebApi(self.wire, self.endpoint, spacing=self.request_interval)
        self._replies = Parts(self._api, self._fetch)
        self._last: tuple[PoolStats, float] | None = None

    @abstractmethod
    def _parts(self) -> tuple[Part, ...]:
        """Return the questions of one reading; the first is the required one."""

    @abstractmethod
    def _parse(self, replies: Mapping[str, Any], failed: dict[str, str]) -> PoolStats:
        """Make stats of the answers, noting in ``failed`` what cannot be read."""

    def _headers(self) -> dict[str, str]:
        """Return the headers that carry the key."""
        return {}

    def _refusal(self, reply: Fields) -> MiningSDKError | None:
        """Return the error that an answer of the pool itself stands for, if any."""
        return None

    def _name(self, replies: Mapping[str, Any]) -> str | None:
        """Return what the pool calls the account, where it tells."""
        return None

    @property
    def account(self) -> str:
        """Return the address or user as a part of a path."""
        return quote(self.username or "", safe="")

    @override
    async def connect(self) -> Self:
        """Ask the pool for the account, even when it refused it before."""
        self._replies.forgive()
        return await super().connect()

    @override
    async def _limited[T](self, work: Callable[[], Awaitable[T]]) -> T:
        self._api.begin()
        return await super()._limited(work)

    @override
    async def _fetch_info(self) -> DeviceInfo:
        self._check_credentials()
        first = self._parts()[:1]
        replies = await self._replies.gather(first, {}, fresh=self.minimum_interval)
        return describe(
            self.info,
            algorithm="sha256",
            serial_number=self._identity(self._name(replies)),
        )

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> PoolStats:
        replies = await self._replies.gather(
            self._parts(), failed, fresh=self.minimum_interval
        )
        stats = self._parse(replies, failed)
        return replace(stats, failed=failed)

    @override
    async def _read(self) -> PoolStats:
        now = self._api.clock()
        if self._last is not None and now - self._last[1] < self.minimum_interval:
            return self._last[0]
        stats = await super()._read()
        self._last = (stats, now)
        return stats

    def _identity(self, told: str | None) -> str:
        """Return pool and account; a key alone is named by its fingerprint."""
        name = self.username or told
        if name is None:
            digest = hashlib.sha256((self.password or "").encode()).hexdigest()
            name = f"key-{digest[:12]}"
        where = self.endpoint
        if self.self_hosted and where.host != self.default_host:
            return f"{self.name}:{where.host}:{where.port}:{name}"
        return f"{self.name}:{name}"

    def _check_credentials(self) -> None:
        if self.needs_username and not self.username:
            raise AuthenticationFailed(f"{self.make} needs the name of the account")
        if self.account in (".", ".."):
            raise AuthenticationFailed(f"{self.make} has no account of this name")
        if self.needs_password == "always" and not self.password:
            raise AuthenticationFailed(f"{self.make} needs the key of the account")
        if self.password and not (
            self.password.isascii() and self.password.isprintable()
        ):
            raise AuthenticationFailed("the key has characters that no key has")

    async def _fetch(self, part: Part, path: str) -> Any:
        response = await self._api.ask(
            "GET" if part.json is None else "POST",
            path,
            json=part.json,
            headers=self._headers(),
        )
        try:
            reply = response.json()
        except InvalidReply:
            reply = None
        refusal = self._refusal(Fields(reply)) or self._by_status(part, response.status)
        if refusal is not None:
            raise refusal
        if reply is None:
            raise InvalidReply(f"{self.make} did not answer in JSON")
        if not part.accepts(reply):
            raise InvalidReply(f"{self.make} answered something else than was asked")
        return reply

    def _by_status(self, part: Part, status: int) -> MiningSDKError | None:
        if status < 300:
            return None
        if status in (401, 403):
            return AuthenticationFailed(f"{self.make} refused the key")
        if status == 404 and part.unknown is not None:
            return AuthenticationFailed(part.unknown)
        if status in (404, 405, 501):
            return NotSupported(f"{self.make} does not know this request ({status})")
        return InvalidReply(f"{self.make} answered with HTTP status {status}")

    def said(self, reason: str | None) -> str:
        """Return the pool's own words, short and without the key."""
        words = reason or "no reason given"
        if self.password:
            words = words.replace(self.password, _HIDDEN)
        return f"{self.make} says: {words.strip()[:120]}"

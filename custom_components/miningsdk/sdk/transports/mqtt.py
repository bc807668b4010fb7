"""MQTT: what a driver needs of a broker, and a client of our own that stays there.

Who has a client already, such as Home Assistant, hands it in as an ``MqttLink``.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
import logging
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ..errors import AuthenticationFailed, DeviceUnreachable, MiningSDKError
from .wire import MAXIMUM_REPLY, Wire

if TYPE_CHECKING:
    import aiomqtt

_LOGGER = logging.getLogger(__name__)
# What brokers answer to a wrong name or password, in MQTT 3.1.1 and in 5.
_REFUSALS = frozenset({4, 5, 134, 135})
_NOT_GRANTED = 128
_RETRY_FIRST = 1.0
_RETRY_LAST = 30.0
# A refused login is not tried again any sooner.
_REFUSED_FOR = 300.0
_KEEPALIVE = 30


class Message(NamedTuple):
    """What came from the broker; ``retained`` was kept there from earlier."""

    topic: str
    payload: bytes
    retained: bool


type Heard = Callable[[Message], None]


class MqttLink(Protocol):
    """A client that is connected to a broker, or tries to be.

    Raises, from each method: ``DeviceUnreachable``, ``DeviceTimeout``,
    ``AuthenticationFailed``.
    """

    async def subscribe(
        self, topics: Collection[str], heard: Heard
    ) -> Callable[[], None]:
        """Have every message to the topics heard, after a reconnect as well.

        What is returned ends it.
        """

    async def publish(self, topic: str, payload: str) -> None:
        """Send a message; returns once the broker has it."""

    def check(self) -> None:
        """Raise what keeps the client from the broker, if anything does."""


class MqttClient:
    """A client of our own, which comes back by itself when the broker does.

    A name and password are asked for: an open broker lets everybody on the network
    command what listens there. ``anonymous`` allows it nevertheless.
    """

    def __init__(
        self,
        wire: Wire,
        port: int,
        *,
        username: str | None = None,
        password: str | None = None,
        anonymous: bool = False,
    ) -> None:
        """Describe the way to a broker without connecting."""
        self._wire = wire
        self._port = port
        self._username = username
        self._password = password
        self._anonymous = anonymous
        self._heard: dict[str, list[Heard]] = {}
        self._client: aiomqtt.Client | None = None
        self._task: asyncio.Task[None] | None = None
        self._settled = asyncio.Event()
        self._problem: MiningSDKError | None = None
        self._refused_at = -inf
        self.retry_first = _RETRY_FIRST

    async def subscribe(
        self, topics: Collection[str], heard: Heard
    ) -> Callable[[], None]:
        """Have every message to the topics heard, after a reconnect as well."""
        for topic in topics:
            self._heard.setdefault(topic, []).append(heard)
        before = self._client
        try:
            client = await self._connected()
            # A client that was made just now has subscribed to all that is known.
            if client is before:
                await self._try(_subscribe(client, topics))
        except MiningSDKError:
            self._forget(topics, heard)
            raise
        return lambda: self._forget(topics, heard)

    async def publish(self, topic: str, payload: str) -> None:
        """Send a message; returns once the broker has it."""
        client = await self._connected()
        await self._try(client.publish(topic, payload, qos=1))

    def check(self) -> None:
        """Raise what keeps the client from the broker, if anything does."""
        if self._problem is not None:
            raise self._problem.with_traceback(None)

    async def close(self) -> None:
        """Disconnect."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def _forget(self, topics: Collection[str], heard: Heard) -> None:
        for topic in topics:
            listeners = self._heard.get(topic, [])
            with suppress(ValueError):
                listeners.remove(heard)
            if not listeners:
                self._heard.pop(topic, None)

    async def _connected(self) -> aiomqtt.Client:
        """Return the client once it is connected, or raise what is in the way."""
        self._check_login()
        if self._task is None or self._task.done():
            self._settled.clear()
            self._task = asyncio.create_task(self._stay(), name="miningsdk mqtt")
        try:
            async with asyncio.timeout(self._wire.timeout):
                await self._settled.wait()
        except TimeoutError:
            raise self._wire.silent(self._port) from None
        self.check()
        if self._client is None:
            raise self._wire.unreachable(self._port)
        return self._client

    def _check_login(self) -> None:
        if not self._anonymous and not (self._username and self._password):
            raise AuthenticationFailed(
                "a broker needs a user name and a password; "
                "an open one is used only when that is allowed"
            )
        if monotonic() - self._refused_at < _REFUSED_FOR:
            self.check()

    async def _stay(self) -> None:
        """Be connected, again and again, until the login is refused."""
        import aiomqtt  # noqa: PLC0415 # Only what has to do with MQTT needs it.

        delay = self.retry_first
        while True:
            began = monotonic()
            try:
                await self._listen()
            except (aiomqtt.MqttError, MiningSDKError, OSError, ValueError) as error:
                self._problem = self._translate(error)
                _LOGGER.debug("%s", self._problem)
            self._settled.set()
            if isinstance(self._problem, AuthenticationFailed):
                self._refused_at = monotonic()
                return
            if monotonic() - began > _RETRY_LAST:
                delay = self.retry_first
            await asyncio.sleep(delay)
            delay = min(2 * delay, _RETRY_LAST)

    async def _listen(self) -> None:
        """Connect, subscribe and hand on messages until the connection breaks."""
        client = self._make()
        await _enter(client)
        try:
            await _subscribe(client, self._heard)
            self._client, self._problem, self._refused_at = client, None, -inf
            self._settled.set()
            async for message in client.messages:
                self._hand_on(message)
        finally:
            self._client = None
            await _leave(client)

    def _make(self) -> aiomqtt.Client:
        import aiomqtt  # noqa: PLC0415

        return aiomqtt.Client(
            self._wire.host,
            self._port,
            username=self._username,
            password=self._password,
            timeout=self._wire.timeout * 0.8,
            keepalive=_KEEPALIVE,
            logger=_LOGGER,
        )

    def _hand_on(self, message: aiomqtt.Message) -> None:
        topic, payload = str(message.topic), message.payload
        if isinstance(payload, bytes) and len(payload) <= MAXIMUM_REPLY:
            for heard in self._heard.get(topic, ()):
                heard(Message(topic, payload, bool(message.retain)))

    async def _try(self, work: Awaitable[object]) -> None:
        import aiomqtt  # noqa: PLC0415

        try:
            await work
        except (aiomqtt.MqttError, OSError, ValueError) as error:
            raise self._translate(error) from None

    def _translate(self, error: Exception) -> MiningSDKError:
        """Return an error of aiomqtt in the words of the SDK."""
        from aiomqtt.exceptions import MqttConnectError  # noqa: PLC0415

        if isinstance(error, MiningSDKError):
            return error
        if isinstance(error, MqttConnectError):
            if getattr(error.rc, "value", error.rc) in _REFUSALS:
                return AuthenticationFailed("the broker refused the credentials")
        elif "timed out" in str(error):
            return self._wire.silent(self._port)
        words = str(error).rpartition("] ")[2].lower()
        return DeviceUnreachable(f"{self._wire.host} port {self._port}: {words}")


async def _subscribe(client: aiomqtt.Client, topics: Collection[str]) -> None:
    if not topics:
        return
    granted = await client.subscribe([(topic, 0) for topic in topics])
    codes: list[Any] = [getattr(code, "value", code) for code in granted]
    if any(code >= _NOT_GRANTED for code in codes):
        raise AuthenticationFailed("the broker does not let this user listen there")


async def _enter(client: aiomqtt.Client) -> None:
    """Connect; when cancelled, end what a thread has begun before giving up."""
    entering = asyncio.ensure_future(client.__aenter__())
    try:
        await asyncio.shield(entering)
    except asyncio.CancelledError:
        with suppress(Exception):
            await entering
            await _leave(client)
        raise


async def _leave(client: aiomqtt.Client) -> None:
    with suppress(Exception):
        await client.__aexit__(None, None, None)


class Inbox:
    """The newest message of each topic, and when it came."""

    def __init__(self) -> None:
        """Begin empty."""
        self._newest: dict[str, tuple[float, bytes]] = {}
        self._news = asyncio.Event()

    def hear(self, message: Message) -> None:
        """Keep a message; what was retained tells of an unknown time, not of now."""
        if not message.retained:
            self._newest[message.topic] = (monotonic(), message.payload)
            self._news.set()

    def since(self, then: float) -> dict[str, bytes]:
        """Return what came after a time of ``monotonic()``, by topic."""
        return {
            topic: payload
            for topic, (came, payload) in self._newest.items()
            if came > then
        }

    async def wait(self, topics: Collection[str], then: float, within: float) -> bool:
        """Wait until all topics have news; tell whether they came in time."""
        try:
            async with asyncio.timeout(within):
                while not self.since(then).keys() >= set(topics):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return False
        return True

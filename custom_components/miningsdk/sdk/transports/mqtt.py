"""MQTT: what a driver needs of a broker, and a client of our own that stays there.

Who has a client already, such as Home Assistant, hands it in as ``MqttLink``.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
import logging
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ..errors import AuthenticationFailed, DeviceTimeout, DeviceUnreachable
from .wire import MAXIMUM_REPLY, Wire

if TYPE_CHECKING:
    import aiomqtt

_LOGGER = logging.getLogger(__name__)
# What brokers answer to a wrong name or password, in MQTT 3.1.1 and in 5.
_REFUSALS = frozenset({4, 5, 134, 135})
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

    Raises, from each method but ``close``: ``DeviceUnreachable``, ``DeviceTimeout``,
    ``AuthenticationFailed``.
    """

    async def subscribe(self, topics: Iterable[str], heard: Heard) -> None:
        """Have every message to the topics heard, after a reconnect as well."""

    async def publish(self, topic: str, payload: str) -> None:
        """Send a message; returns once the broker has it."""

    def check(self) -> None:
        """Raise what keeps the client from the broker, if anything does."""

    async def close(self) -> None:
        """Give up the subscriptions that were made through this link."""


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
        self._heard: dict[str, Heard] = {}
        self._client: aiomqtt.Client | None = None
        self._task: asyncio.Task[None] | None = None
        self._settled = asyncio.Event()
        self._problem: Exception | None = None
        self._refused_at = 0.0
        self.retry_first = _RETRY_FIRST

    async def subscribe(self, topics: Iterable[str], heard: Heard) -> None:
        """Have every message to the topics heard, after a reconnect as well."""
        new = [topic for topic in topics if topic not in self._heard]
        self._heard.update(dict.fromkeys(new, heard))
        client = self._client
        await self._connected()
        # A client that was made just now has subscribed to all that is known.
        if client is not None and client is self._client:
            await self._try(self._subscribe(client, new))

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
        refused = isinstance(self._problem, AuthenticationFailed)
        if refused and monotonic() - self._refused_at < _REFUSED_FOR:
            self.check()

    async def _stay(self) -> None:
        """Be connected, again and again, until the login is refused."""
        delay = self.retry_first
        while True:
            connected_at = monotonic()
            try:
                await self._listen()
            except Exception as error:
                self._problem = self._translate(error)
                _LOGGER.debug("MQTT: %s", self._problem)
            finally:
                self._client = None
            self._settled.set()
            if isinstance(self._problem, AuthenticationFailed):
                self._refused_at = monotonic()
                return
            if monotonic() - connected_at > _RETRY_LAST:
                delay = self.retry_first
            await asyncio.sleep(delay)
            delay = min(2 * delay, _RETRY_LAST)

    async def _listen(self) -> None:
        """Connect, subscribe and hand on messages until the connection breaks."""
        client = self._make()
        await _enter(client)
        try:
            await self._subscribe(client, self._heard)
            self._client, self._problem = client, None
            self._settled.set()
            async for message in client.messages:
                self._hand_on(message)
        finally:
            self._client = None
            with suppress(Exception):
                await client.__aexit__(None, None, None)

    def _make(self) -> aiomqtt.Client:
        import aiomqtt  # noqa: PLC0415 # Only what has to do with MQTT needs it.

        return aiomqtt.Client(
            self._wire.host,
            self._port,
            username=self._username,
            password=self._password,
            timeout=self._wire.timeout * 0.8,
            keepalive=_KEEPALIVE,
            logger=_LOGGER,
        )

    @staticmethod
    async def _subscribe(client: aiomqtt.Client, topics: Iterable[str]) -> None:
        if wanted := [(topic, 0) for topic in topics]:
            await client.subscribe(wanted)

    def _hand_on(self, message: aiomqtt.Message) -> None:
        topic, payload = str(message.topic), message.payload
        heard = self._heard.get(topic)
        if heard is None or not isinstance(payload, bytes | bytearray):
            return
        if len(payload) <= MAXIMUM_REPLY:
            heard(Message(topic, bytes(payload), bool(message.retain)))

    async def _try[T](self, work: asyncio.Future[T] | object) -> None:
        try:
            await work  # type: ignore[misc]
        except Exception as error:
            raise self._translate(error) from None

    def _translate(self, error: Exception) -> Exception:
        """Return an error of aiomqtt in the words of the SDK."""
        import aiomqtt  # noqa: PLC0415

        if isinstance(error, DeviceUnreachable | DeviceTimeout):
            return error
        if isinstance(error, aiomqtt.MqttCodeError):
            code = getattr(error.rc, "value", error.rc)
            if code in _REFUSALS:
                return AuthenticationFailed("the broker refused the credentials")
        if "timed out" in str(error):
            return self._wire.silent(self._port)
        return DeviceUnreachable(f"{self._wire.host} port {self._port}: {error}")


async def _enter(client: aiomqtt.Client) -> None:
    """Connect; when cancelled, end what a thread has begun before giving up."""
    entering = asyncio.ensure_future(client.__aenter__())
    try:
        await asyncio.shield(entering)
    except asyncio.CancelledError:
        with suppress(Exception):
            await entering
            await client.__aexit__(None, None, None)
        raise

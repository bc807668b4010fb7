"""Modbus registers over TCP, on the library that Home Assistant uses itself.

All units behind one address share one connection, on which requests go one after the
other: many meters and gateways take one or very few connections. Addresses are those
of the wire, from zero; a manual's register number is often one more.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
import importlib
from inspect import isawaitable
import struct
from time import monotonic
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, override
from weakref import WeakKeyDictionary

from ..errors import DeviceTimeout, DeviceUnreachable, InvalidReply, NotSupported
from .wire import Wire, reason

if TYPE_CHECKING:
    from modbus_connection import ModbusUnit
    from modbus_connection.tmodbus import ModbusConnection

type Space = Literal["holding", "input"]
# Gets host, port and unit id. Home Assistant hands in its shared connection so.
type UnitProvider = Callable[[str, int, int], ModbusUnit | Awaitable[ModbusUnit]]

# More registers do not fit into one reply.
MAXIMUM_REGISTERS = 125
_LIBRARY = "modbus_connection"
_ANSWER_WITHIN = 3.0
_CLOSE_WITHIN = 1.0
# For so long a unit that kept silent is not asked another question of a scan.
_SILENT_FOR = 10.0
_ILLEGAL = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    5: "accepted, but not done yet",
    8: "memory parity error",
}
_BUSY = 6
_GATEWAY = {10: "has no path to it", 11: "gets no answer from it"}
# What a decoder may trip over when a reply is cut or made up.
_MALFORMED = (struct.error, IndexError, KeyError, ValueError)


class Refused(InvalidReply):
    """The unit answered with a Modbus exception; ``code`` is its number."""

    def __init__(self, message: str, code: int) -> None:
        """Keep the code: 1 and 2 say that the unit has no such thing."""
        super().__init__(message)
        self.code = code


class UnitUnreachable(DeviceUnreachable):
    """A gateway answers, but says that the unit behind it does not."""


@dataclass(slots=True, eq=False)
class _Shared:
    """One connection of our own, with those who hold it."""

    connection: ModbusConnection
    holds: int = 0
    # Probes take turns, and give up on a unit that kept silent for one of them.
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    silent_since: dict[int, float] = field(default_factory=dict)


_shared: WeakKeyDictionary[
    asyncio.AbstractEventLoop, dict[tuple[str, int], _Shared]
] = WeakKeyDictionary()
_library: ModuleType | None = None


async def library() -> ModuleType:
    """Return the library, imported without blocking on the first use.

    Raises:
        NotSupported: it is not installed; Home Assistant brings it with its Modbus
            integration.
    """
    global _library  # noqa: PLW0603
    if _library is None:
        try:
            await asyncio.to_thread(importlib.import_module, f"{_LIBRARY}.tmodbus")
        except ImportError as error:
            raise NotSupported(f"Modbus needs the package {error.name}") from error
        _library = importlib.import_module(_LIBRARY)
    return _library


class ModbusLink:
    """The way to all units at one address.

    Without a ``provider`` the connection is our own, shared with whoever in this
    process talks to the same address, and closed by the last one.
    """

    def __init__(
        self, wire: Wire, port: int, provider: UnitProvider | None = None
    ) -> None:
        """Describe the way without connecting."""
        self.wire = wire
        self.port = port
        self._provider = provider
        self._shared: _Shared | None = None
        self._units: dict[int, ModbusUnit] = {}
        # A silent unit must leave time to say so before the whole read is over.
        self.answer_within = min(_ANSWER_WITHIN, wire.timeout / 2)

    def unit(self, unit_id: int, *, hasty: bool = False) -> Unit:
        """Return one unit; a ``hasty`` one gives up once it kept silent."""
        return Unit(self, unit_id, hasty=hasty)

    async def raw(self, unit_id: int) -> ModbusUnit:
        """Return the library's own handle of a unit, holding the connection."""
        if (found := self._units.get(unit_id)) is not None:
            return found
        await library()
        if self._provider is not None:
            handed = self._provider(self.wire.host, self.port, unit_id)
            found = await handed if isawaitable(handed) else handed
        else:
            found = self._hold().connection.for_unit(unit_id)
        found.require_timeout(self.answer_within)
        self._units[unit_id] = found
        return found

    def _hold(self) -> _Shared:
        if self._shared is None:
            pool = _shared.setdefault(asyncio.get_running_loop(), {})
            key = (self.wire.host.lower(), self.port)
            if (shared := pool.get(key)) is None:
                connection = _own_connection(*key, self.wire.connect_timeout)
                shared = pool[key] = _Shared(connection)
            shared.holds += 1
            self._shared = shared
        return self._shared

    @property
    def shared(self) -> _Shared | None:
        """Return our own connection, if it is held."""
        return self._shared

    async def close(self) -> None:
        """Let go of the connection; the next request takes hold of it again."""
        units, self._units = self._units, {}
        shared, self._shared = self._shared, None
        if shared is None:
            for unit in units.values():
                unit.require_timeout(None)
            return
        shared.holds -= 1
        if shared.holds:
            return
        pool = _shared.get(asyncio.get_running_loop(), {})
        key = (self.wire.host.lower(), self.port)
        if pool.get(key) is shared:
            del pool[key]
        with suppress(Exception):
            async with asyncio.timeout(_CLOSE_WITHIN):
                await shared.connection.close()


class Unit:
    """One unit behind an address.

    Raises, from every request:
        DeviceUnreachable: no connection, or it broke off; ``UnitUnreachable`` when a
            gateway says that the unit behind it does not answer.
        DeviceTimeout: no answer in time, or the unit is busy.
        Refused: the unit answered with an exception.
        InvalidReply: the answer is malformed, or belongs to another unit.
    """

    __slots__ = ("_hasty", "_link", "unit_id")

    def __init__(self, link: ModbusLink, unit_id: int, *, hasty: bool = False) -> None:
        """Name a unit; ``ModbusLink.unit`` makes them."""
        self._link = link
        self.unit_id = unit_id
        self._hasty = hasty

    async def read(self, space: Space, address: int, count: int) -> list[int]:
        """Read registers: function 3 for ``holding``, function 4 for ``input``."""

        async def ask(unit: ModbusUnit) -> list[int]:
            if space == "holding":
                return await unit.read_holding_registers(address, count)
            return await unit.read_input_registers(address, count)

        words = await self._read(ask)
        if len(words) != count:
            raise InvalidReply(
                f"{self}: {len(words)} registers instead of {count} at {address}"
            )
        return words

    async def identification(self) -> dict[int, str]:
        """Read the basic device identification (function 43/14) as texts by object."""

        async def ask(unit: ModbusUnit) -> dict[int, bytes]:
            return await unit.read_device_identification()

        # Some gateways let a function that they do not know vanish.
        found = await self._read(ask, sure=False)
        texts = {key: printable(value) for key, value in found.items()}
        return {key: value for key, value in texts.items() if value}

    async def write(self, address: int, value: int) -> None:
        """Write one register (function 6); never tried a second time."""
        await self._once(lambda unit: unit.write_register(address, value))

    async def write_many(self, address: int, values: list[int]) -> None:
        """Write registers (function 16); never tried a second time."""
        await self._once(lambda unit: unit.write_registers(address, values))

    @override
    def __str__(self) -> str:
        """Name the unit and where it is."""
        return f"{self._link.wire.host} port {self._link.port} unit {self.unit_id}"

    async def _read[T](
        self, ask: Callable[[ModbusUnit], Awaitable[T]], *, sure: bool = True
    ) -> T:
        if self._hasty:
            return await self._ask_hastily(ask, sure=sure)
        raw = await self._link.raw(self.unit_id)
        was_connected = raw.connected
        try:
            return await self._once(ask)
        except UnitUnreachable:
            raise
        except DeviceUnreachable:
            # It may have restarted, or closed what was idle; reading again is safe.
            if not was_connected:
                raise
        return await self._once(ask)

    async def _ask_hastily[T](
        self, ask: Callable[[ModbusUnit], Awaitable[T]], *, sure: bool
    ) -> T:
        """Ask unless the unit kept silent; that is ``sure`` of what all units know."""
        await self._link.raw(self.unit_id)
        shared = self._link.shared
        if shared is None:
            return await self._once(ask)
        async with shared.turn:
            since = shared.silent_since.get(self.unit_id)
            if since is not None and monotonic() - since < _SILENT_FOR:
                raise self._silent()
            try:
                answer = await self._once(ask)
            except DeviceTimeout, DeviceUnreachable:
                if sure:
                    shared.silent_since[self.unit_id] = monotonic()
                raise
            shared.silent_since.pop(self.unit_id, None)
            return answer

    async def _once[T](self, ask: Callable[[ModbusUnit], Awaitable[T]]) -> T:
        lib = await library()
        unit = await self._link.raw(self.unit_id)
        try:
            return await self._connecting(unit, ask)
        except lib.ModbusExceptionError as error:
            raise self._refused(error) from None
        except lib.ModbusTimeoutError:
            if not unit.connected:
                raise self._link.wire.unreachable(self._link.port) from None
            # Half an answer may be left over that would spoil the next one.
            await _recycle(unit)
            raise self._silent() from None
        except lib.ModbusConnectionError as error:
            raise DeviceUnreachable(f"{self}: {_why(error)}") from None
        except lib.ModbusDesyncError:
            raise InvalidReply(f"{self}: the answer belongs to another unit") from None
        except (lib.ModbusError, *_MALFORMED):
            await _recycle(unit)
            raise InvalidReply(f"{self}: the answer is malformed") from None

    async def _connecting[T](
        self, unit: ModbusUnit, ask: Callable[[ModbusUnit], Awaitable[T]]
    ) -> T:
        """Ask, but do not wait for a connection as long as the library would."""
        if unit.connected:
            return await ask(unit)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(None) as limit:
                watch = loop.call_later(
                    self._link.wire.connect_timeout, _give_up, unit, limit
                )
                try:
                    return await ask(unit)
                finally:
                    watch.cancel()
        except TimeoutError:
            if not limit.expired():
                raise
            raise self._link.wire.unreachable(self._link.port) from None

    def _refused(self, error: Any) -> DeviceTimeout | DeviceUnreachable | Refused:
        code = int(error.exception_code or 0)
        if code in _GATEWAY:
            return UnitUnreachable(f"{self}: the gateway {_GATEWAY[code]}")
        if code == _BUSY:
            return DeviceTimeout(f"{self}: the unit is busy")
        why = _ILLEGAL.get(code, "an unknown reason")
        return Refused(f"{self}: refused with exception {code}, {why}", code)

    def _silent(self) -> DeviceTimeout:
        return DeviceTimeout(f"{self}: no answer in time; is this its unit id?")


@asynccontextmanager
async def probing(wire: Wire, port: int, unit_id: int = 1) -> AsyncGenerator[Unit]:
    """Hold a unit for a question of a scan; all questions share one connection.

    A unit that kept silent for one question is not asked the others.
    """
    link = ModbusLink(wire, port)
    try:
        yield link.unit(unit_id, hasty=True)
    finally:
        await link.close()


async def ask_identity(wire: Wire, port: int) -> str:
    """Ask unit 1 who it is (function 43/14): vendor, product and revision, by line."""
    async with probing(wire, port) as unit:
        return "\n".join((await unit.identification()).values())


def printable(raw: bytes) -> str:
    """Return a text from the wire without its padding; empty when it is none."""
    text = raw.rstrip(b"\x00\xff").decode("ascii", "replace").replace("\x00", "")
    text = text.strip()
    return text if text.isprintable() and "\ufffd" not in text else ""


def _own_connection(host: str, port: int, connect_within: float) -> ModbusConnection:
    """Return a connection that does not take as long to make as the library lets it."""
    from modbus_connection import (  # noqa: PLC0415
        ModbusTcpParams,
        ModbusTimeoutError,
    )
    from modbus_connection.tmodbus import ModbusConnection  # noqa: PLC0415

    class Connection(ModbusConnection):
        @override
        async def _connect_client(self) -> Any:
            try:
                async with asyncio.timeout(connect_within):
                    return await super()._connect_client()
            except ModbusTimeoutError:
                raise
            except TimeoutError:
                raise ModbusTimeoutError(f"no connection to {host}:{port}") from None

    return Connection(ModbusTcpParams(host=host, port=port))


def _give_up(unit: ModbusUnit, limit: asyncio.Timeout) -> None:
    if not unit.connected:
        limit.reschedule(asyncio.get_running_loop().time())


async def _recycle(unit: ModbusUnit) -> None:
    with suppress(Exception):
        await unit.disconnect()


def _why(error: BaseException) -> str:
    """Say why a connection failed, as far as the library lets one see it."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, OSError) and not isinstance(found, TimeoutError):
            return reason(found)
        found = found.__cause__ or found.__context__
    return "the connection broke off"

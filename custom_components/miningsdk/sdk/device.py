"""One device: who it is, what it reads, how it is closed."""

from abc import ABC, abstractmethod
import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from time import monotonic
from typing import Any, ClassVar, Self, override

import aiohttp

from . import models
from .errors import (
    AuthenticationFailed,
    DeviceTimeout,
    DeviceUnreachable,
    InvalidReply,
    LockedOut,
    MiningSDKError,
    NotSupported,
)
from .model import DeviceInfo, DeviceKind
from .transports.limit import time_limit
from .transports.wire import Probe, Wire

# Model, MAC, firmware and what else hardly ever changes is asked for this often.
INFO_MAXIMUM_AGE = 3600.0


class Device[S](ABC):
    """A device of any kind, read over the network by one driver.

    A driver is a subclass. It names itself and its wire in class variables, and
    implements ``_fetch_info`` and ``_fetch_stats``. All public methods may be called
    at any time from one event loop; the device is asked one thing after another.

    Raises, from every method that talks to the device: ``DeviceUnreachable``,
    ``DeviceTimeout``, ``AuthenticationFailed``, ``InvalidReply``.
    """

    name: ClassVar[str]
    kind: ClassVar[DeviceKind]
    make: ClassVar[str | None] = None
    firmware: ClassVar[str | None] = None
    # Other names by which register_miner() finds the driver.
    aliases: ClassVar[tuple[str, ...]] = ()
    # What `miningsdk drivers` and the README say of it.
    models: ClassVar[str] = ""
    transport: ClassVar[str] = ""
    default_port: ClassVar[int]
    # The account that is used when only a password is given.
    default_username: ClassVar[str | None] = None
    # Whether reading works without credentials, and what needs them.
    needs_password: ClassVar[str] = "never"  # "never", "control" or "always"
    # Whether check_credentials() can tell a wrong password from the right one.
    checks_password: ClassVar[bool] = True
    # What it is sold with: user name, empty where there is none, and password. Only
    # what is known for sure; they are tried where the user agrees, see accounts.py.
    factory_accounts: ClassVar[tuple[tuple[str, str], ...]] = ()
    # Whether the device makes the password itself, while somebody presses its button.
    pairs: ClassVar[bool] = False
    # Keyword arguments beside those of this class that a user may set: unit, ...;
    # a subclass names only those that it adds.
    extra_options: ClassVar[tuple[str, ...]] = ()
    probes: ClassVar[tuple[Probe, ...]] = ()
    # The integration that Home Assistant itself has for such devices, by its domain.
    integration: ClassVar[str | None] = None
    # The mDNS service types under which such devices announce themselves.
    zeroconf_types: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        host: str,
        *,
        port: int | None = None,
        username: str | None = None,
        password: str | None = None,
        session: aiohttp.ClientSession | None = None,
        connect_timeout: float = 2.0,
        timeout: float = 10.0,
        model: str | None = None,
        serial_number: str | None = None,
    ) -> None:
        """Describe a device without talking to it.

        ``model`` and ``serial_number`` stand in until (or unless) the device tells
        its own. Times are in seconds: for a connection, and for a whole read.
        """
        self.host = host
        self.port = self.default_port if port is None else port
        self.username = username or self.default_username
        self.password = password
        self.timeout = timeout
        self.wire = Wire(
            host=host,
            connect_timeout=connect_timeout,
            timeout=timeout,
            session=session,
        )
        # What the device last said against the credentials; None once they work.
        self.authentication_error: str | None = None
        self._locked_out = False
        self._lock = asyncio.Lock()
        self._info_read_at: float | None = None
        self._connected = False
        # Its model, if that is known, and what the table of models added to the info.
        self._known_model: models.Model | None = None
        self._table_facts: dict[str, Any] = {}
        # A model whose boards turned out to be others than those of the table.
        self._misfit: str | None = None
        self._info = DeviceInfo(
            kind=self.kind,
            driver=self.name,
            host=host,
            port=port if port != self.default_port else None,
            make=self.make,
            model=model,
            firmware=self.firmware,
            serial_number=serial_number,
        )

    @override
    def __repr__(self) -> str:
        """Name the device without its credentials."""
        return f"<{self.name} {self.host}:{self.port}>"

    @classmethod
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:  # noqa: ARG003
        """Tell from the answers to probes how surely this driver fits: 0 to 100.

        Custom firmware answers above 50, stock firmware at 50, a fallback below.
        """
        return 0

    @classmethod
    def all_options(cls) -> tuple[str, ...]:
        """Return the extra options of this class and of those that it is made of."""
        names = (
            name for base in cls.__mro__ for name in vars(base).get("extra_options", ())
        )
        return tuple(dict.fromkeys(names))

    @property
    def info(self) -> DeviceInfo:
        """Return who the device is, as last read."""
        return self._info

    def port_of(self, default: int) -> int:
        """Return a second port, moved by as much as the first one was."""
        return default + self.port - self.default_port

    async def connect(self) -> Self:
        """Read who the device is; it may be asleep."""
        async with self._lock:
            await self._limited(self._refresh_info)
        return self

    async def check_credentials(self) -> None:
        """Connect, and prove that the credentials work without changing anything.

        A device that takes none, or was given none that it needs to be read, passes.
        """
        await self.connect()
        if self.authentication_error:
            refusal = LockedOut if self._locked_out else AuthenticationFailed
            raise refusal(self.authentication_error)

    async def pair(self, name: str = "miningsdk") -> str:
        """Return a password that the device makes while somebody presses its button.

        It is used from now on; keep it. ``name`` is what the device lists it by: an
        earlier one of the same name becomes void.

        Raises:
            NotSupported: the device makes no passwords (``pairs`` is false).
            AuthenticationFailed: nobody has pressed the button; the text says how.
            and what every method raises.
        """
        async with self._lock:
            self.password = await self._limited(lambda: self._pair(name))
            return self.password

    async def read(self) -> S:
        """Read what the device does now.

        Who it is gets read again once an hour and after every failure, so that
        another device on the same address is noticed: compare ``info.unique_id``.
        """
        async with self._lock:
            self.wire.reading = True
            try:
                return await self._limited(self._read)
            finally:
                self.wire.reading = False

    async def close(self) -> None:
        """Close what the device itself opened; a given session stays open."""
        await self.wire.close()

    async def __aenter__(self) -> Self:
        """Connect."""
        return await self.connect()

    async def __aexit__(self, *_: object) -> None:
        """Close."""
        await self.close()

    @abstractmethod
    async def _fetch_info(self) -> DeviceInfo:
        """Ask the device who it is; start from ``self.info`` with ``replace``."""

    @abstractmethod
    async def _fetch_stats(self, failed: dict[str, str]) -> S:
        """Ask the device what it does, noting in ``failed`` what could not be read."""

    async def _pair(self, name: str) -> str:
        """Have the device make a password, where it does."""
        raise NotSupported("this device makes no passwords")

    def forget_info(self) -> None:
        """Have the next read ask again who the device is."""
        self._info_read_at = None

    async def _limited[T](self, work: Callable[[], Awaitable[T]]) -> T:
        """Do work within the time limit; any failure makes the facts doubtful."""
        try:
            async with time_limit(self.timeout):
                return await work()
        except TimeoutError:
            self.forget_info()
            raise DeviceTimeout(
                f"{self.host}: no whole answer within {self.timeout:g} s"
            ) from None
        except MiningSDKError:
            self.forget_info()
            raise

    async def _refresh_info(self) -> None:
        self.authentication_error = None
        self._complete_info(await self._fetch_info())
        self._info_read_at = monotonic()
        self._connected = True

    def _complete_info(self, told: DeviceInfo) -> None:
        """Add what the table of models knows to what the device told of itself."""
        # Drivers start from the last info: what was added to it is not the device's
        # own word, and another model may answer now.
        carried: dict[str, Any] = {
            name: None
            for name, value in self._table_facts.items()
            if getattr(told, name) == value
        }
        told = replace(told, **carried)
        self._known_model = None
        if told.kind is DeviceKind.MINER and told.model != self._misfit:
            self._known_model = models.lookup(told.make, told.model)
        self._table_facts = models.additions(told, self._known_model)
        self._info = replace(told, **self._table_facts)

    def _doubt_model(self) -> None:
        """Take back the counts of the table: this device is made of other boards."""
        self._misfit = self._info.model
        self._complete_info(self._info)

    def _blame_credentials(self, error: MiningSDKError) -> None:
        if isinstance(error, AuthenticationFailed):
            self.authentication_error = str(error)
            self._locked_out = isinstance(error, LockedOut)

    async def _read(self) -> S:
        failed: dict[str, str] = {}
        age = None if self._info_read_at is None else monotonic() - self._info_read_at
        if age is None or age > INFO_MAXIMUM_AGE:
            try:
                await self._refresh_info()
            except (InvalidReply, AuthenticationFailed) as error:
                if not self._connected:
                    raise
                self._blame_credentials(error)
                # Asked again in an hour: a wrong password must not lock the user out.
                self._info_read_at = monotonic()
                failed["info"] = str(error)
        return await self._fetch_stats(failed)

    async def _optional[T](
        self,
        field: str,
        failed: dict[str, str],
        ask: Callable[[], Awaitable[T]],
        default: T,
    ) -> T:
        """Ask for a part that the rest can do without; note why it failed.

        A device that went away altogether is still an error.
        """
        try:
            return await ask()
        except DeviceUnreachable:
            raise
        except MiningSDKError as error:
            self._blame_credentials(error)
            failed[field] = str(error)
            return default


type AnyDevice = Device[Any]


def describe(info: DeviceInfo, **changes: Any) -> DeviceInfo:
    """Return the info with what was learnt; an unknown fact keeps its old value."""
    known = {key: value for key, value in changes.items() if value is not None}
    return replace(info, **known)

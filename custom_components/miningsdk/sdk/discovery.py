"""Find devices on the network and tell what they are."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
import logging
from typing import TYPE_CHECKING, Any

import aiohttp

from ._scan_identify import Catalogue, Identified, identify, interview
from ._scan_listen import listening
from ._scan_ports import check, hosts_at_once
from .device import AnyDevice
from .errors import MiningSDKError, NotSupported
from .model import DeviceInfo, DeviceKind
from .registry import find
from .targets import Target, expand, single

if TYPE_CHECKING:
    from zeroconf import Zeroconf
    from zeroconf.asyncio import AsyncZeroconf

__all__ = ["Identified", "ScanProgress", "connect", "identify", "scan"]

_LOGGER = logging.getLogger(__name__)
# Announcements take this long to come in, even if the scan itself is done sooner.
_LISTEN_AT_LEAST = 1.5
_IDENTIFIED_WITHIN = 10.0
# So many hosts are begun before other work gets its turn.
_BATCH = 16


@dataclass(frozen=True, slots=True)
class ScanProgress:
    """How far a scan is: hosts done of all in this pass, and devices found so far."""

    done: int
    total: int
    found: int
    first_pass: bool


async def connect(
    host: str,
    *,
    port: int | None = None,
    driver: str | None = None,
    username: str | None = None,
    password: str | None = None,
    session: aiohttp.ClientSession | None = None,
    connect_timeout: float = 2.0,
    timeout: float | None = None,  # noqa: ASYNC109
    **options: Any,
) -> AnyDevice:
    """Return the device at ``host``, ``host:port`` or ``[::1]:port``, connected.

    It is identified unless the driver is named, such as ``whatsminer-m56s``. For the
    driver of a pool ``host`` may be what ``PoolAccount`` takes. Without a ``timeout``
    the driver's own counts; ``options`` are those that its ``all_options`` names.

    Raises:
        DeviceUnreachable: nothing answers.
        NotSupported: it answers, but is no known device; or there is no such driver,
            or it has no such option.
        InvalidTarget: ``host`` is no address.
        and what ``Device.connect`` raises.
    """
    kind, model = (None, None) if driver is None else find(driver)
    if kind is not None and kind.kind is DeviceKind.POOL:
        target = Target(host)
    else:
        target = single(host)
    port = target.port if port is None else port
    if kind is None:
        found = await identify(
            target.host,
            port=port,
            session=session,
            connect_timeout=connect_timeout,
            timeout=timeout or _IDENTIFIED_WITHIN,
        )
        if found is None:
            raise NotSupported(f"{target.host} answers, but is no device we know")
        kind, port = found.driver, found.port
    for name in options:
        if name not in kind.all_options():
            raise NotSupported(f"{kind.name} has no option {name}")
    if timeout is not None:
        options["timeout"] = timeout
    device = kind(
        target.host,
        port=port,
        username=username,
        password=password,
        session=session,
        connect_timeout=connect_timeout,
        model=model,
        **options,
    )
    try:
        return await device.connect()
    except BaseException:
        await device.close()
        raise


def scan(
    targets: str | Iterable[str | Target],
    *,
    concurrency: int = 256,
    connect_timeout: float = 1.0,
    second_timeout: float | None = 3.0,
    timeout: float = 10.0,
    session: aiohttp.ClientSession | None = None,
    username: str | None = None,
    password: str | None = None,
    listen: bool = False,
    zeroconf: AsyncZeroconf | Zeroconf | None = None,
    progress: Callable[[ScanProgress], None] | None = None,
) -> AsyncGenerator[DeviceInfo]:
    """Yield the devices at addresses, as soon as each is known.

    ``targets`` is what ``targets.expand`` reads: networks, ranges, names, with a
    port or without. At most ``concurrency`` hosts are asked at once, fewer if the
    process may not open so many files. Those that keep silent for
    ``connect_timeout`` s are asked again with ``second_timeout`` s, if given.
    With ``listen`` or a ``zeroconf`` instance, devices that announce themselves on
    a local network are found too; those get no credentials unless they are in
    ``targets``. A device that does not let itself be read is yielded with what is
    known of it.

    Raises:
        InvalidTarget: a target is no address, or they are too many.
    """
    return _Scan(
        expand(targets),
        concurrency=concurrency,
        timeouts=(connect_timeout, second_timeout),
        timeout=timeout,
        session=session,
        credentials=(username, password),
        listen=listen or zeroconf is not None,
        zeroconf=zeroconf,
        progress=progress,
    ).results()


@dataclass(slots=True)
class _Pass:
    """One round over the hosts."""

    targets: list[Target]
    within: float
    first: bool
    checked: int = 0
    done: int = 0
    all_checked: asyncio.Event = field(default_factory=asyncio.Event)


class _Scan:
    def __init__(
        self,
        targets: list[Target],
        *,
        concurrency: int,
        timeouts: tuple[float, float | None],
        timeout: float,
        session: aiohttp.ClientSession | None,
        credentials: tuple[str | None, str | None],
        listen: bool,
        zeroconf: AsyncZeroconf | Zeroconf | None,
        progress: Callable[[ScanProgress], None] | None,
    ) -> None:
        self._targets = targets
        self._wanted = set(targets)
        self._timeouts = timeouts
        self._timeout = timeout
        self._session = session
        self._credentials = credentials
        self._listen = listen
        self._zeroconf = zeroconf
        self._progress = progress
        self._patience = max(timeouts[0], timeouts[1] or 0.0)
        self._catalogue = Catalogue()
        self._slots = asyncio.Semaphore(
            hosts_at_once(concurrency, len(self._catalogue.ports))
        )
        self._queue: asyncio.Queue[DeviceInfo | None] = asyncio.Queue()
        self._silent: list[Target] = []
        self._claimed: set[Target] = set()
        self._known: set[object] = set()
        self._found = 0

    async def results(self) -> AsyncGenerator[DeviceInfo]:
        task = asyncio.create_task(self._run())
        try:
            while (info := await self._queue.get()) is not None:
                yield info
            await task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        try:
            async with AsyncExitStack() as stack:
                if self._session is None:
                    self._session = await stack.enter_async_context(_session())
                await self._sweep_all()
        finally:
            self._queue.put_nowait(None)

    async def _sweep_all(self) -> None:
        types = {t for d in self._catalogue.drivers for t in d.zeroconf_types}
        # What was heard may still be looked at when the listening is over.
        async with asyncio.TaskGroup() as heard, AsyncExitStack() as stack:
            if hearing := bool(self._listen and types):
                await stack.enter_async_context(
                    listening(
                        types,
                        lambda host, port: self._hear(heard, host, port),
                        zeroconf=self._zeroconf,
                        loopback=_only_loopback(self._targets),
                    )
                )
            async with asyncio.TaskGroup() as visits:
                if hearing:
                    visits.create_task(asyncio.sleep(_LISTEN_AT_LEAST))
                await self._sweep_twice(visits)

    async def _sweep_twice(self, visits: asyncio.TaskGroup) -> None:
        first, second = self._timeouts
        await self._sweep(visits, _Pass(self._targets, first, first=True))
        if second is not None and self._silent:
            await self._sweep(visits, _Pass(self._silent, second, first=False))

    async def _sweep(self, visits: asyncio.TaskGroup, sweep: _Pass) -> None:
        """Begin every host of a pass, and return when all ports were tried.

        What was found may still be asked who it is by then.
        """
        for number, target in enumerate(sweep.targets):
            await self._slots.acquire()
            task = visits.create_task(self._visit(target, sweep))
            task.add_done_callback(lambda _: self._slots.release())
            if number % _BATCH == 0:
                await asyncio.sleep(0)
        if sweep.targets:
            await sweep.all_checked.wait()

    async def _visit(self, target: Target, sweep: _Pass) -> None:
        ports = await self._check(target, sweep)
        sweep.checked += 1
        if sweep.checked == len(sweep.targets):
            sweep.all_checked.set()
        if ports:
            await self._meet(target, ports)
        sweep.done += 1
        if self._progress is not None:
            self._progress(
                ScanProgress(sweep.done, len(sweep.targets), self._found, sweep.first)
            )

    async def _check(self, target: Target, sweep: _Pass) -> tuple[int, ...]:
        ports = self._catalogue.ports if target.port is None else (target.port,)
        try:
            found = await check(target.host, ports, sweep.within)
        except MiningSDKError as error:
            _LOGGER.debug("%s", error)
            return ()
        if found.silent and sweep.first:
            self._silent.append(target)
        return found.open

    def _hear(self, group: asyncio.TaskGroup, host: str, port: int) -> None:
        usual = port in self._catalogue.ports
        target = Target(host, None if usual else port)
        if target not in self._claimed:
            group.create_task(self._visit_heard(target))

    async def _visit_heard(self, target: Target) -> None:
        heard = _Pass([target], self._timeouts[0], first=False)
        if ports := await self._check(target, heard):
            await self._meet(target, ports)

    async def _meet(self, target: Target, ports: tuple[int, ...]) -> None:
        """Identify a host that takes connections and read who it is."""
        if target in self._claimed:
            return
        self._claimed.add(target)
        try:
            found = await interview(
                self._catalogue,
                target.host,
                port=target.port,
                open_ports=ports,
                session=self._session,
                connect_timeout=self._patience,
                timeout=self._timeout,
            )
            if found is not None:
                self._tell(await self._read_info(target, found))
        except MiningSDKError as error:
            _LOGGER.debug("%s", error)
        except Exception:
            # One odd host must not end the scan of all others.
            _LOGGER.exception("Looking at %s failed", target.host)

    async def _read_info(self, target: Target, found: Identified) -> DeviceInfo:
        username, password = self._credentials
        if target not in self._wanted:
            username = password = None
        device = found.driver(
            target.host,
            port=found.port,
            username=username,
            password=password,
            session=self._session,
            connect_timeout=self._patience,
            timeout=self._timeout,
        )
        try:
            await device.connect()
        except MiningSDKError as error:
            _LOGGER.debug("%s does not tell who it is: %s", target.host, error)
        finally:
            await device.close()
        return device.info

    def _tell(self, info: DeviceInfo) -> None:
        names = {(info.host, info.port), info.unique_id or (info.host, info.port)}
        if self._known & names:
            return
        self._known |= names
        self._found += 1
        self._queue.put_nowait(info)


def _only_loopback(targets: list[Target]) -> bool:
    return bool(targets) and all(target.is_loopback for target in targets)


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(),
        # What was asked once is not asked again: free its connections soon.
        connector=aiohttp.TCPConnector(
            limit=0, keepalive_timeout=1, resolver=aiohttp.ThreadedResolver()
        ),
    )

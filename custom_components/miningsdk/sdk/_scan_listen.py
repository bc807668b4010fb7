"""Hear the devices that announce themselves by mDNS while a scan runs."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from ipaddress import IPv4Network, IPv6Network
import logging
from typing import TYPE_CHECKING

from .targets import literal

if TYPE_CHECKING:
    from zeroconf import ServiceStateChange, Zeroconf
    from zeroconf.asyncio import AsyncZeroconf

_LOGGER = logging.getLogger(__name__)
_DETAILS_WITHIN_MS = 2000

type Heard = Callable[[str, int], None]
type Network = IPv4Network | IPv6Network


def local_networks() -> list[Network]:
    """Return the networks that this machine has an address in."""
    import ifaddr  # noqa: PLC0415 # Only listening needs it.

    return [
        network
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
        if (network := _network(ip.ip, ip.network_prefix)) is not None
    ]


def _network(address: str | tuple[str, int, int], prefix: int) -> Network | None:
    host = address if isinstance(address, str) else address[0]
    kind = IPv6Network if ":" in host else IPv4Network
    try:
        return kind((host.partition("%")[0], prefix), strict=False)
    except ValueError:
        return None


def is_local(address: str, networks: Iterable[Network]) -> bool:
    """Tell whether an address lies in one of the networks."""
    parsed = literal(address)
    return parsed is not None and any(parsed in network for network in networks)


@asynccontextmanager
async def listening(
    types: Iterable[str],
    heard: Heard,
    *,
    zeroconf: AsyncZeroconf | Zeroconf | None,
    loopback: bool,
) -> AsyncGenerator[None]:
    """Call ``heard`` with address and port of what announces itself meanwhile.

    Only addresses of local networks count: anybody may announce any address.
    Without a zeroconf instance one is made, on the loopback interface if asked to.
    """
    from zeroconf import InterfaceChoice  # noqa: PLC0415 # Slow to import.
    from zeroconf.asyncio import AsyncServiceBrowser, AsyncZeroconf  # noqa: PLC0415

    own = None
    if zeroconf is None:
        try:
            interfaces = ["127.0.0.1"] if loopback else InterfaceChoice.All
            own = zeroconf = AsyncZeroconf(interfaces=interfaces)
        except OSError as error:
            _LOGGER.warning("Not listening for announcements: %s", error)
            yield
            return
    engine = zeroconf.zeroconf if isinstance(zeroconf, AsyncZeroconf) else zeroconf
    ears = _Ears(heard, local_networks())
    browser = AsyncServiceBrowser(engine, list(types), handlers=[ears.on_change])
    try:
        yield
    finally:
        await browser.async_cancel()
        await ears.stop()
        if own is not None:
            await own.async_close()


class _Ears:
    """Turn announcements into addresses."""

    def __init__(self, heard: Heard, networks: list[Network]) -> None:
        self._heard = heard
        self._networks = networks
        self._tasks: set[asyncio.Task[None]] = set()

    def on_change(
        self,
        zeroconf: Zeroconf,
        service_type: str,
        name: str,
        state_change: ServiceStateChange,
    ) -> None:
        """Look up a service that came; the browser calls this by these names."""
        if state_change.name == "Added":
            task = asyncio.get_running_loop().create_task(
                self._look_up(zeroconf, service_type, name)
            )
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _look_up(self, zeroconf: Zeroconf, service_type: str, name: str) -> None:
        from zeroconf import BadTypeInNameException  # noqa: PLC0415
        from zeroconf.asyncio import AsyncServiceInfo  # noqa: PLC0415

        try:
            info = AsyncServiceInfo(service_type, name)
            if not await info.async_request(zeroconf, _DETAILS_WITHIN_MS):
                return
        except BadTypeInNameException:
            return
        for address in info.parsed_scoped_addresses():
            if info.port and is_local(address, self._networks):
                self._heard(address, info.port)
                return

    async def stop(self) -> None:
        """End all look-ups."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

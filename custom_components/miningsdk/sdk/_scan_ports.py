"""Find out which ports of a host are open, many hosts at once and cheaply."""

import asyncio
from collections.abc import Sequence
import errno
import os
import socket
from typing import NamedTuple

from .errors import DeviceUnreachable
from .targets import literal
from .transports.wire import reason

# Once one port is open, the others answer soon or are filtered.
_GRACE = 0.5
_SPARE_FILES = 32
_FILES_WITHIN = 30.0
_FILES_EVERY = 0.05
_OUT_OF_FILES = (errno.EMFILE, errno.ENFILE)


class Ports(NamedTuple):
    """What a host said: its open ports, or nothing at all."""

    open: tuple[int, ...]
    silent: bool


def hosts_at_once(wanted: int, sockets: int) -> int:
    """Return how many hosts fit into what the process may still open."""
    left = _files_left()
    if left is None:
        return wanted
    return max(1, min(wanted, (left - _SPARE_FILES) // max(sockets, 3)))


def _files_left() -> int | None:
    try:
        import resource  # noqa: PLC0415 # Windows has no such limit.
    except ImportError:
        return None
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit == resource.RLIM_INFINITY:
        return None
    # Numbers are given out from the lowest free one, so a new one tells how many
    # are in use; to list them would block the event loop.
    try:
        newest = os.dup(0)
    except OSError:
        return limit
    os.close(newest)
    return limit - newest


def out_of_files(error: BaseException | None) -> bool:
    """Tell whether an error came from the limit on open files, not from the device."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _OUT_OF_FILES:
            return True
        error = error.__cause__ or error.__context__
    return False


async def check(host: str, ports: Sequence[int], within: float) -> Ports:
    """Connect to all ports at once and tell which are open.

    ``silent`` means that nothing came back in ``within`` seconds, not even a refusal.

    Raises:
        DeviceUnreachable: there is no host of this name.
    """
    if literal(host) is not None:
        return await _check_address(host, ports, within)
    silent = True
    for address in await _resolve(host):
        found = await _check_address(address, ports, within)
        if found.open:
            return found
        silent = silent and found.silent
    return Ports((), silent)


async def _resolve(host: str) -> list[str]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            host, None, type=socket.SOCK_STREAM
        )
    except OSError as error:
        raise DeviceUnreachable(f"{host}: {reason(error)}") from None
    return list(dict.fromkeys(str(item[4][0]) for item in found))


async def _check_address(address: str, ports: Sequence[int], within: float) -> Ports:
    sockets = await _open_sockets(address, len(ports))
    loop = asyncio.get_running_loop()
    tasks = {
        loop.create_task(_connect(loop, sock, address, port)): port
        for sock, port in zip(sockets, ports, strict=True)
    }
    try:
        await _settle(loop, set(tasks), loop.time() + within)
        results = {port: task.result() for task, port in tasks.items() if task.done()}
    finally:
        for task in tasks:
            task.cancel()
        # The tasks must let go of the sockets before these are closed.
        await asyncio.gather(*tasks, return_exceptions=True)
        for sock in sockets:
            sock.close()
    found = tuple(port for port, is_open in results.items() if is_open)
    return Ports(found, not found and False not in results.values())


async def _settle(
    loop: asyncio.AbstractEventLoop,
    pending: set[asyncio.Task[bool | None]],
    deadline: float,
) -> None:
    """Wait for the answers; shortly after the first open port no longer."""
    while pending and (left := deadline - loop.time()) > 0:
        done, pending = await asyncio.wait(
            pending, timeout=left, return_when=asyncio.FIRST_COMPLETED
        )
        if any(task.result() for task in done):
            deadline = min(deadline, loop.time() + _GRACE)
    if pending:
        # A busy loop gets to see answers and deadline in the same moment.
        await asyncio.sleep(0)


async def _connect(
    loop: asyncio.AbstractEventLoop, sock: socket.socket, address: str, port: int
) -> bool | None:
    """Return whether a port is open; ``None`` when nobody said so."""
    try:
        await loop.sock_connect(sock, (address, port))
    except ConnectionRefusedError:
        return False
    except OSError:
        return None
    return True


async def _open_sockets(address: str, count: int) -> list[socket.socket]:
    """Open all sockets for a host, waiting while the process has too many open."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    waited = 0.0
    while True:
        sockets: list[socket.socket] = []
        try:
            for _ in range(count):
                sock = socket.socket(family, socket.SOCK_STREAM)
                sockets.append(sock)
                sock.setblocking(False)
        except OSError as error:
            for sock in sockets:
                sock.close()
            if not out_of_files(error) or waited > _FILES_WITHIN:
                raise DeviceUnreachable(f"{address}: {reason(error)}") from error
        else:
            return sockets
        await asyncio.sleep(_FILES_EVERY)
        waited += _FILES_EVERY

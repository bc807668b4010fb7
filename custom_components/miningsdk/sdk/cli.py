"""The command line: ``miningsdk scan|read|watch|set|drivers``."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
import os
import sys

from . import _cli_parser, _cli_show as show, _cli_watch
from ._cli_set import WrongUsage, command_of
from .device import AnyDevice
from .discovery import connect, scan
from .errors import MiningSDKError, NotSupported
from .miner import Miner
from .model import to_json
from .registry import drivers, find
from .targets import InvalidTarget, expand

DONE, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = _cli_parser.build(_version())
    try:
        options = parser.parse_args(arguments)
    except SystemExit as stop:
        return int(stop.code or 0)
    try:
        code = asyncio.run(_run(options))
        sys.stdout.flush()
    except (InvalidTarget, WrongUsage) as error:
        return _complain(error, WRONG_USAGE)
    except MiningSDKError as error:
        return _complain(error, FAILED)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has gone; nothing more can be written to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    else:
        return code


async def _run(options: argparse.Namespace) -> int:
    if options.driver is not None:
        try:
            find(options.driver)
        except NotSupported as error:
            raise WrongUsage(f"{error} (see: miningsdk drivers)") from None
    return await _COMMANDS[options.command](options)


def _version() -> str:
    try:
        return version("miningsdk")
    except PackageNotFoundError:
        from . import __version__  # noqa: PLC0415

        return __version__


def _complain(error: Exception, code: int) -> int:
    print(f"miningsdk: {show.plain(str(error))}", file=sys.stderr)
    return code


async def _scan(options: argparse.Namespace) -> int:
    targets = expand(options.targets)
    listen = options.listen
    if listen is None:
        listen = not all(target.is_loopback for target in targets)
    _open_more_files()
    with show.progress() as bar:
        search = scan(
            targets,
            concurrency=options.concurrency,
            connect_timeout=options.connect_timeout,
            second_timeout=options.second_timeout or None,
            timeout=options.timeout,
            username=options.username,
            password=options.password,
            listen=listen,
            progress=bar,
        )
        found = [info async for info in search]
    if options.json:
        print(to_json(found, indent=True))
    else:
        show.infos(found)
    return DONE


def _open_more_files() -> None:
    """Use as many open files as the system grants; a scan wants a thousand."""
    with suppress(ImportError, OSError, ValueError):
        import resource  # noqa: PLC0415 # Windows has no such limit.

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard == resource.RLIM_INFINITY or hard > soft:
            wanted = 8192 if hard == resource.RLIM_INFINITY else min(hard, 8192)
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


async def _connect(options: argparse.Namespace, host: str) -> AnyDevice:
    return await connect(
        host,
        driver=options.driver,
        username=options.username,
        password=options.password,
        timeout=options.timeout,
    )


async def _read(options: argparse.Namespace) -> int:
    device = await _connect(options, options.host)
    try:
        stats = await device.read()
    finally:
        await device.close()
    if options.json:
        print(to_json({"info": device.info, "stats": stats}, indent=True))
    else:
        show.reading(device.info, stats)
    return DONE


async def _set(options: argparse.Namespace) -> int:
    run, value = command_of(options)
    device = await _connect(options, options.host)
    try:
        if not isinstance(device, Miner):
            raise NotSupported(f"{device.info.kind.value}s take no {options.action}")
        await run(device)
    finally:
        await device.close()
    if options.json:
        done = {"info": device.info, "command": options.action, "value": value}
        print(to_json(done, indent=True))
    else:
        told = "" if value is None else f" {show.text(value)}"
        print(f"{device.host}: {options.action}{told} done")
    return DONE


async def _watch(options: argparse.Namespace) -> int:
    return DONE if await _cli_watch.watch(options, _connect) else FAILED


async def _drivers(options: argparse.Namespace) -> int:
    known = [show.describe_driver(driver) for driver in drivers()]
    if options.json:
        print(to_json(known, indent=True))
    else:
        show.drivers(known)
    return DONE


_COMMANDS: dict[str, Callable[[argparse.Namespace], Awaitable[int]]] = {
    "scan": _scan,
    "read": _read,
    "watch": _watch,
    "set": _set,
    "drivers": _drivers,
}

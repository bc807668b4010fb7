"""The command line: ``miningsdk scan|read|watch|set|pair|drivers``."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
import os
import sys
from typing import Any

from . import _cli_parser, _cli_show as show, _cli_watch, models
from ._cli_described import use_described, warnings_shown
from ._cli_pair import pair
from ._cli_set import WrongUsage, command_of
from .device import AnyDevice
from .discovery import connect, scan
from .errors import MiningSDKError, NotSupported
from .model import to_json
from .pool_account import PoolAccount
from .registry import drivers, find
from .targets import InvalidTarget, expand

# Seconds for each reading of a device that a scan found.
_SCAN_WITHIN = 10.0
DONE, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = _cli_parser.build(_version())
    try:
        options = parser.parse_args(arguments)
    except SystemExit as stop:
        return int(stop.code or 0)
    try:
        with warnings_shown():
            options.sound = use_described(options.drivers)
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
    driver = None if options.driver is None else _driver(options)
    if isinstance(driver, type) and issubclass(driver, PoolAccount):
        _default_to(driver.default_host, options)
    if getattr(options, "host", "") is None or getattr(options, "hosts", True) == []:
        raise WrongUsage("the address of the device is missing")
    return await _COMMANDS[options.command](options)


def _driver(options: argparse.Namespace) -> type[AnyDevice]:
    """Return the driver that was named, provided it takes the options given."""
    try:
        driver, _ = find(options.driver)
    except NotSupported as error:
        raise WrongUsage(f"{error} (see: miningsdk drivers)") from None
    for name in _extra(options):
        if name not in driver.all_options():
            raise WrongUsage(f"{driver.name} takes no --{name.replace('_', '-')}")
    return driver


def _default_to(host: str, options: argparse.Namespace) -> None:
    """Ask a pool at its own address when no other was given."""
    if getattr(options, "host", "") is None:
        options.host = host
    if getattr(options, "hosts", None) == []:
        options.hosts = [host]


def _extra(options: argparse.Namespace) -> dict[str, Any]:
    """Return the options of drivers that were given."""
    given = {name: getattr(options, name) for name in _cli_parser.OPTIONS}
    return {name: value for name, value in given.items() if value is not None}


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
            timeout=options.timeout or _SCAN_WITHIN,
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
        **_extra(options),
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
    command = command_of(options)
    device = await _connect(options, options.host)
    try:
        if not isinstance(device, command.takes):
            raise NotSupported(f"{device.info.kind.value}s take no {options.action}")
        await command.run(device)
    finally:
        await device.close()
    if options.json:
        done = {
            "info": device.info,
            "command": options.action,
            "value": command.value,
        }
        print(to_json(done, indent=True))
    else:
        told = "" if command.value is None else f" {show.text(command.value)}"
        print(f"{device.host}: {options.action}{told} done")
    return DONE


async def _watch(options: argparse.Namespace) -> int:
    return DONE if await _cli_watch.watch(options, _connect) else FAILED


async def _pair(options: argparse.Namespace) -> int:
    device, password = await pair(options)
    if options.json:
        print(to_json({"info": device.info, "password": password}, indent=True))
    else:
        print(password)
    return DONE


async def _drivers(options: argparse.Namespace) -> int:
    if options.models:
        return _models(options)
    known = [show.describe_driver(driver) for driver in drivers()]
    if options.json:
        print(to_json(known, indent=True))
    else:
        show.drivers(known)
    return DONE if options.sound else FAILED


def _models(options: argparse.Namespace) -> int:
    if options.json:
        print(to_json(models.known(), indent=True))
    else:
        show.known_models(models.known())
    return DONE


_COMMANDS: dict[str, Callable[[argparse.Namespace], Awaitable[int]]] = {
    "scan": _scan,
    "read": _read,
    "watch": _watch,
    "set": _set,
    "pair": _pair,
    "drivers": _drivers,
}

"""Read devices again and again, in a table that stays in place."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from datetime import UTC, datetime
import sys
from typing import Any

from rich.live import Live
from rich.table import Table

from . import _cli_show as show, models
from .device import AnyDevice
from .errors import MiningSDKError
from .model import DeviceInfo, to_json
from .targets import single

type Connect = Callable[[argparse.Namespace, str], Awaitable[AnyDevice]]

_COLUMNS = (
    "status",
    "hashrate",
    "power",
    "efficiency",
    "temperature_chip",
    "temperature_board",
    "accepted",
    "rejected",
    "uptime",
)


async def watch(options: argparse.Namespace, connect: Connect) -> bool:
    """Read until stopped; return whether the last reading of each host came.

    Raises:
        InvalidTarget: a host is no address.
    """
    for host in options.hosts:
        # What has a path is the address of a service, which its driver checks.
        if "/" not in host:
            single(host)
    watched = [_Watched(host) for host in options.hosts]
    try:
        with ExitStack() as stack:
            tell = _lines if options.json else _live(stack)
            await _repeat(watched, options, connect, tell)
    finally:
        await asyncio.gather(*(one.close() for one in watched))
    return all(one.error is None for one in watched)


async def _repeat(
    watched: list[_Watched],
    options: argparse.Namespace,
    connect: Connect,
    tell: Callable[[list[_Watched]], None],
) -> None:
    loop = asyncio.get_running_loop()
    due, readings = loop.time(), 0
    while True:
        await asyncio.gather(*(one.read(options, connect) for one in watched))
        tell(watched)
        readings += 1
        if readings == options.count:
            return
        due = max(due + options.interval, loop.time())
        await asyncio.sleep(due - loop.time())


class _Watched:
    """One device with its last reading; connected to when it can be reached."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.stats: Any = None
        self.error: str | None = None
        self.time = datetime.now(UTC)
        self._device: AnyDevice | None = None

    @property
    def info(self) -> DeviceInfo | None:
        return None if self._device is None else self._device.info

    async def read(self, options: argparse.Namespace, connect: Connect) -> None:
        self.stats = self.error = None
        try:
            if self._device is None:
                self._device = await connect(options, self.host)
            self.stats = await self._device.read()
        except MiningSDKError as error:
            self.error = str(error)
        self.time = datetime.now(UTC)

    async def close(self) -> None:
        if self._device is not None:
            await self._device.close()


def _lines(watched: list[_Watched]) -> None:
    for one in watched:
        line: dict[str, object] = {
            "time": one.time,
            "host": one.host,
            "info": one.info,
            "stats": one.stats,
        }
        if one.error is not None:
            line["error"] = one.error
        sys.stdout.write(to_json(line) + "\n")
    sys.stdout.flush()


def _live(stack: ExitStack) -> Callable[[list[_Watched]], None]:
    out = show.console()
    if not out.is_terminal:
        return lambda watched: out.print(_table(watched))
    live = stack.enter_context(Live(console=out, auto_refresh=False))
    return lambda watched: live.update(_table(watched), refresh=True)


def _table(watched: list[_Watched]) -> Table:
    names = [name.replace("_", " ") for name in _COLUMNS]
    table = Table("address", "model", *names, "note")
    for one in watched:
        algorithm = one.info.algorithm if one.info else None
        values = [show.field_of(one.stats, name, algorithm) for name in _COLUMNS]
        model = models.label(one.info) if one.info else None
        table.add_row(one.host, show.text(model), *values, _note(one))
    return table


def _note(one: _Watched) -> str:
    if one.error is not None:
        return show.plain(one.error)
    faults = getattr(one.stats, "faults", ())
    return show.plain("; ".join(fault.message for fault in faults))

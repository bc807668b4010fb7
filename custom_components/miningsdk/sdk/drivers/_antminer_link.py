"""Ask stock Antminer firmware for what it does, on the ways that it offers.

The mining process answers on port 4028. The web server hands on the same replies,
for when that port is closed. Which format and which commands a firmware knows is
found out once and kept until ``reset``.
"""

from collections.abc import Callable
from typing import Any

from ..errors import (
    CommandFailed,
    DeviceTimeout,
    DeviceUnreachable,
    InvalidReply,
    NotSupported,
)
from ..fields import Fields, serial_number
from ..model import Fault
from ..transports import cgminer
from ..transports.limit import time_limit
from ..transports.wire import Wire
from ._antminer_faults import read_status_page, read_summary, read_warnings
from ._antminer_pools import Pools, read_pools
from ._antminer_stats import Reading, read_old_status, read_stats
from ._antminer_status_port import ask_status_port
from ._digest_cgi import Web

_LONGEST_SERIAL = 32


class Link:
    """The ways to the mining process of one miner."""

    def __init__(
        self,
        wire: Wire,
        api_port: int,
        status_port: int,
        web: Web,
        may_use_web: Callable[[], bool],
    ) -> None:
        """Prepare; ``may_use_web`` tells whether credentials are there and good."""
        self._wire = wire
        self._api_port = api_port
        self._status_port = status_port
        self._web = web
        self._may_use_web = may_use_web
        self.reset()

    def reset(self) -> None:
        """Forget what the firmware can do; another one may have been installed."""
        self.new_api: bool | None = None
        self.via_web = False
        self.best_difficulty: float | None = None
        self._joined = True
        self._status_open = False
        self._fault_sources = [self._warnings, self._status_page, self._summary]

    async def stats(self, failed: dict[str, str]) -> tuple[Reading, Pools | None]:
        """Return a reading, with the pools where one reply brings both.

        Raises:
            DeviceUnreachable: the port is closed, as may be while asleep.
            InvalidReply: the web server answered, but not the mining process.
            and what the transports raise.
        """
        if self.new_api is False and self._joined and not self.via_web:
            try:
                return await self._stats_and_pools(failed)
            except NotSupported, CommandFailed:
                self._joined = False
        try:
            reply = await self._ask("stats")
        except NotSupported:
            if not self.via_web:
                raise
            reply = await self._web.get("get_miner_status.cgi")
            self.new_api = False
            return read_old_status(reply, failed), read_pools(reply, failed)
        reading = read_stats(reply, failed)
        self.new_api = reading.new_api
        return reading, None

    async def pools(self, failed: dict[str, str]) -> Pools:
        """Return the pools, with their counters."""
        return read_pools(await self._ask("pools"), failed)

    async def faults(self, failed: dict[str, str]) -> tuple[Fault, ...]:
        """Return what the firmware complains of, from the best list that it has."""
        while self._fault_sources:
            try:
                return await self._fault_sources[0](failed)
            except NotSupported, CommandFailed, InvalidReply:
                del self._fault_sources[0]
        return ()

    async def read_best_difficulty(self) -> None:
        """Ask for the best share, which ``pools`` of the new format does not hold."""
        try:
            await self._summary({})
        except NotSupported, CommandFailed, InvalidReply:
            self.best_difficulty = None

    async def find_status_port(self) -> str | None:
        """Find out whether the status server is there; return the serial number.

        It asks for no password. A closed port is not asked again until ``reset``.
        """
        self._status_open = True
        try:
            text = await self._ask_status("/get_sn")
        except NotSupported:
            return None
        good = text.isalnum() and len(text) <= _LONGEST_SERIAL
        return serial_number(text) if good else None

    async def power(self) -> float | None:
        """Return the power in W that the status server tells, if it does."""
        try:
            text = await self._ask_status("/miner_power")
        except NotSupported:
            return None
        watts = Fields({"power": text.rpartition(":")[2]}).number("power", digits=1)
        return watts if watts is not None and watts > 0 else None

    async def _stats_and_pools(self, failed: dict[str, str]) -> tuple[Reading, Pools]:
        reply = Fields(await cgminer.command(self._wire, self._api_port, "stats+pools"))
        stats, pools = reply.child("stats"), reply.child("pools")
        if not stats or not pools:
            raise NotSupported("the reply does not hold both")
        return read_stats(stats.data, failed), read_pools(pools.data, failed)

    async def _ask(self, command: str) -> dict[str, Any]:
        if not self.via_web:
            try:
                return await cgminer.command(
                    self._wire, self._api_port, command, new_api=True
                )
            except DeviceUnreachable:
                if not self._may_use_web():
                    raise
                self.via_web = True
        return await self._web.get(f"{command}.cgi")

    async def _ask_status(self, path: str) -> str:
        if not self._status_open:
            raise NotSupported("the status server is not there")
        try:
            async with time_limit(self._wire.connect_timeout):
                return await ask_status_port(self._wire, self._status_port, path)
        except TimeoutError, DeviceUnreachable, DeviceTimeout, InvalidReply:
            self._status_open = False
            raise NotSupported("the status server does not answer") from None

    async def _warnings(self, _: dict[str, str]) -> tuple[Fault, ...]:
        self._need_new_api()
        return read_warnings(await self._ask("warning"))

    async def _status_page(self, _: dict[str, str]) -> tuple[Fault, ...]:
        return read_status_page(await self._ask_status("/warning"))

    async def _summary(self, failed: dict[str, str]) -> tuple[Fault, ...]:
        self._need_new_api()
        faults, best = read_summary(await self._ask("summary"), failed)
        self.best_difficulty = best
        return faults

    def _need_new_api(self) -> None:
        if not self.new_api:
            raise NotSupported("the mining process does not know the new format")

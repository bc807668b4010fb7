"""Whatsminer with API v3 on port 4433: firmware from the end of 2024 on.

The same firmware answers a reduced API v2 on port 4028, which counts the shares.
Source: protocols.md 4, 16 and 17, mdk-devices.md 2.2.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, ClassVar, cast, override

import orjson

from ..device import describe
from ..errors import (
    CommandFailed,
    DeviceUnreachable,
    InvalidReply,
    MiningSDKError,
    NotSupported,
)
from ..fields import Fields, mac_address, serial_number
from ..miner import Miner
from ..model import (
    Capability,
    DeviceInfo,
    Limits,
    MinerPool,
    MinerStats,
    PoolConfig,
)
from ..seldom import Seldom
from ..transports.framed import Link, connect_link, open_link
from ..transports.limit import time_limit
from ..transports.wire import Probe, Wire
from . import (
    _whatsminer_common as common,
    _whatsminer_v2_stats as read_v2,
    _whatsminer_v3 as api,
    _whatsminer_v3_stats as read,
)
from ._whatsminer_v2 import PORT as PORT_V2, V2


async def _ask_device(wire: Wire, port: int) -> str:
    async with open_link(wire, port) as link:
        return orjson.dumps(await link.ask({"cmd": "get.device.info"})).decode()


# The shares are a connection of their own, to another port.
_SHARES_EVERY = 2

_UNASKED = object()

_DEVICE_INFO = Probe("whatsminer v3", api.PORT, _ask_device)


class WhatsminerV3(Miner):
    """A Whatsminer on its API v3."""

    name = "whatsminer-v3"
    make = common.MAKE
    firmware = "stock"
    models = "M30 to M7x with firmware from 2024-11 on: air, hydro and immersion"
    transport = "TCP 4433, JSON in frames; writes with a token"
    default_port = api.PORT
    default_username = "super"
    needs_password = "control"
    checks_password = False
    probes = (_DEVICE_INFO,)
    confirm_longer: ClassVar[dict[Capability, float]] = common.CONFIRM_LONGER
    restarts = common.RESTARTS

    def __init__(self, host: str, **options: Any) -> None:
        """Describe a miner; options are those of ``Device``."""
        super().__init__(host, **options)
        self._v2 = V2(self.wire, self.port_of(PORT_V2), None)
        # Whether API v2 answers; None until it was tried since the last info.
        self._counts: bool | None = None
        self._shares: Seldom[tuple[MinerPool, ...]] = Seldom(_SHARES_EVERY)
        self._liquid = False
        self._link: Link | None = None
        self._setting = read.Setting()
        self._has_setting = True
        self._setting_due = False
        # What the settings were read with; they are read again when it changes.
        self._hint: tuple[object, ...] = ()

    @override
    @classmethod
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        # Above API v2, which the same device answers too.
        told = evidence.get(_DEVICE_INFO, "")
        return 60 if '"get.device.info"' in told or '"miner-sn"' in told else 0

    @override
    async def _fetch_info(self) -> DeviceInfo:
        async with open_link(self.wire, self.port) as link:
            device = await api.ask_device(link)
            self._has_setting = True
            reply = await self._read_setting(link, device)
            live = await api.ask_status(link, "summary")
        self._hint = _hint(device, live)
        summary = (live or Fields(None)).child("summary")
        self._counts = None
        self._shares.forget()
        info = self._identify(device)
        self._liquid = common.is_liquid(info.model) or read.coolant(device) is not None
        return self._with_capabilities(info, device, reply, summary)

    async def _read_setting(self, link: Link, device: Fields) -> Fields:
        """Read the settings into the cache and return the reply."""
        found: object = None
        if self._has_setting:
            try:
                found = await api.ask(link, "get.miner.setting")
            except NotSupported, CommandFailed:
                self._has_setting = False
        reply = Fields(found)
        self._setting = read.setting(reply, device)
        return reply

    def _identify(self, device: Fields) -> DeviceInfo:
        miner, network = device.child("miner"), device.child("network")
        info = self._info
        mac = mac_address(network.text("mac"))
        if mac is not None and info.mac not in (None, mac):
            # Another device has this address now; nothing of the old one holds.
            info = replace(
                info, model=None, serial_number=None, hostname=None, limits={}
            )
        return describe(
            info,
            mac=mac,
            model=common.model_name(miner.text("type")),
            serial_number=serial_number(miner.text("miner-sn")),
            hostname=network.text("hostname"),
            firmware_version=device.child("system").text("fwversion"),
            algorithm="sha256",
        )

    def _with_capabilities(
        self, info: DeviceInfo, device: Fields, setting: Fields, summary: Fields
    ) -> DeviceInfo:
        found = [Capability.REBOOT, Capability.RESTART, Capability.POOLS]
        limits: dict[Capability, Limits] = {}
        if device.child("miner").has("working"):
            found.append(Capability.PAUSE)
        if read.locating(device) is not None:
            found.append(Capability.LOCATE)
        if self._setting.mode is not None:
            found.append(Capability.POWER_MODE)
            limits[Capability.POWER_MODE] = Limits(options=common.POWER_MODES)
        if self._setting.limit is not None:
            found.append(Capability.POWER_LIMIT)
            limits[Capability.POWER_LIMIT] = self._power_limits(info, summary)
        if setting.has("power-percent"):
            found.append(Capability.THROTTLE)
            limits[Capability.THROTTLE] = common.THROTTLE
        return replace(info, capabilities=tuple(found), limits=limits)

    def _power_limits(self, info: DeviceInfo, summary: Fields) -> Limits:
        return common.power_limits(
            read.factory(summary),
            read.efficiency(summary),
            (read.power_limit(summary), self._setting.limit),
            info.limits.get(Capability.POWER_LIMIT),
        )

    @override
    async def _fetch_settings(self) -> None:
        self._setting_due = True
        self._shares.forget()

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> MinerStats:
        due, self._setting_due = self._setting_due, False
        async with self._live() as (link, live):
            device = await self._optional(
                "status", failed, lambda: api.ask_device(link), Fields(None)
            )
            if live is None and not device:
                raise InvalidReply(failed["status"])
            if due or (device and _hint(device, live) != self._hint):
                await self._optional(
                    "settings", failed, lambda: self._read_setting(link, device), None
                )
                self._hint = _hint(device, live)
        self._notice_changes(device, live)
        reading = read.Reading(
            device=device,
            live=live,
            pools=await self._pools(live, failed),
            setting=self._setting,
            has_fans=not self._liquid,
            prefer_set=due,
        )
        return read.stats(reading, failed)

    @asynccontextmanager
    async def _live(self) -> AsyncGenerator[tuple[Link, Fields | None]]:
        """Ask for the live values on the link of the last reading, if it still stands.

        To connect anew costs as much as all the rest of a reading.
        """
        link, live = await self._ask_kept()
        if link is None:
            link = await connect_link(self.wire, self.port)
        try:
            if live is _UNASKED:
                live = await api.ask_status(link, read.LIVE)
            yield link, cast(Fields | None, live)
        except BaseException:
            link.close()
            raise
        self._link = link

    async def _ask_kept(self) -> tuple[Link | None, object]:
        """Ask on the kept link; one that ended unnoticed is as good as none."""
        link, self._link = self._link, None
        if link is None or link.is_lost:
            return None, _UNASKED
        try:
            return link, await api.ask_status(link, read.LIVE)
        except DeviceUnreachable, InvalidReply:
            link.close()
            return None, _UNASKED
        except BaseException:
            link.close()
            raise

    @override
    async def close(self) -> None:
        """Close the link that was kept, and what the device itself opened."""
        link, self._link = self._link, None
        if link is not None:
            link.close()
        await super().close()

    async def _pools(
        self, live: Fields | None, failed: dict[str, str]
    ) -> tuple[MinerPool, ...]:
        """Return the pools, with the shares that only API v2 counts."""
        if live is None:
            return ()
        shown = read.pools(Fields(live.data, failed))
        if self._counts is False or any(p.accepted is not None for p in shown):
            return shown
        try:
            async with time_limit(self.timeout / 4):
                counted = await self._shares.get(self._read_shares, failed)
        except (MiningSDKError, TimeoutError) as error:
            if self._counts is None:
                self._counts = False
            else:
                failed["accepted"] = str(error) or "API v2 did not answer in time"
            return shown
        self._counts = True
        return read.with_shares(shown, counted)

    async def _read_shares(self, failed: dict[str, str]) -> tuple[MinerPool, ...]:
        return read_v2.pools(await self._v2.read("pools"), failed)

    def _notice_changes(self, device: Fields, live: Fields | None) -> None:
        """Look for what the info should tell otherwise by now."""
        info, limits = self._info, self._limits(Capability.POWER_LIMIT)
        mac = mac_address(device.child("network").text("mac"))
        if mac is not None and info.mac not in (None, mac):
            self.forget_info()
        elif limits.maximum == common.MOST_WATTS and live is not None:
            better = self._power_limits(info, live.child("summary"))
            changed = {**info.limits, Capability.POWER_LIMIT: better}
            self._info = replace(info, limits=changed)

    async def _write(
        self, command: str, param: object = None, *, secret: bool = False
    ) -> None:
        async with open_link(self.wire, self.port) as link:
            await api.write(
                link, self.username, self.password, command, param, secret=secret
            )

    @override
    async def _pause(self) -> None:
        await self._write("set.miner.service", "stop")

    @override
    async def _resume(self) -> None:
        await self._write("set.miner.service", "start")

    @override
    async def _reboot(self) -> None:
        await self._write("set.system.reboot")

    @override
    async def _restart(self) -> None:
        await self._write("set.miner.service", "restart")

    @override
    async def _locate(self, on: bool) -> None:
        await self._write("set.system.led", [common.BLINK] if on else "auto")

    @override
    async def _set_power_limit(self, watts: float) -> None:
        await self._write("set.miner.power_limit", round(watts))

    @override
    async def _set_power_mode(self, mode: str) -> None:
        await self._write("set.miner.power_mode", mode)

    @override
    async def _set_throttle(self, percent: float) -> None:
        # The fast mode is quicker, but this one is made for frequent use.
        await self._write(
            "set.miner.power_percent", {"percent": round(percent), "mode": "normal"}
        )

    @override
    async def _set_pools(self, pools: Sequence[PoolConfig]) -> None:
        texts = [
            {"pool": pool.url, "worker": pool.user, "passwd": pool.password}
            for pool in pools
        ]
        await self._write("set.miner.pools", texts, secret=True)


def _hint(device: Fields, live: Fields | None) -> tuple[object, ...]:
    """Return what changes in the live values when a setting was changed."""
    miner = device.child("miner").data
    summary = {} if live is None else live.child("summary").data
    return (
        miner.get("power-limit-set"),
        miner.get("hash-percent"),
        summary.get("power-limit"),
        summary.get("target-freq"),
    )


DRIVERS = (WhatsminerV3,)

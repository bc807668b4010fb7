"""Innosilicon: T series of SHA-256, A series of other algorithms.

Source: protocols.md 12, and the web interface of the vendor.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar, override

from ..device import describe
from ..errors import (
    AuthenticationFailed,
    CommandFailed,
    DeviceUnreachable,
    InvalidReply,
    MiningSDKError,
)
from ..fields import Fields, mac_address
from ..miner import Miner
from ..model import (
    Capability,
    DeviceInfo,
    Fault,
    Limits,
    MinerPool,
    MinerStats,
    MinerStatus,
    PoolConfig,
    Severity,
)
from ..transports import cgminer, http
from ..transports.wire import Probe
from . import _innosilicon_stats as read
from ._innosilicon_api import WebApi
from ._joined_reads import JoinedReads
from .cgminer import any_alive, first, pools

_MARK = "innominer"
_TITLES = ("<title>dragonmint</title>", "<title>asicminer</title>")
_MODES = ("efficient", "balanced", "factory", "performance")
# Firmware that tells a level takes the modes in two forms; this one is the plain one.
_PLAIN_LEVEL = "2"
_STARTS_WITHIN = 300


class Innosilicon(Miner):
    """An Innosilicon: T2, T3, A9, A10, A11 and their kin.

    A reading is one request to the open socket API. Model, MAC, modes and all control
    need the login of the web server; what is wrong is asked of it while nothing is
    hashed. No model can be paused, and none tells its power or the speed of its fans.
    """

    name = "innosilicon"
    make = "Innosilicon"
    firmware = "stock"
    models = "T2T, T3, T3+, T3H+, A9, A10, A10 Pro, A11"
    transport = "TCP 4028, JSON; HTTP 80 with a token for settings"
    default_port = http.PORT
    default_username = "admin"
    needs_password = "control"
    probes = (http.ROOT, cgminer.VERSION)
    confirm_longer: ClassVar[dict[Capability, float]] = {
        Capability.POOLS: 180.0,
        Capability.POWER_MODE: 60.0,
    }
    restarts = frozenset({Capability.POWER_MODE, Capability.POOLS})

    def __init__(self, host: str, **options: Any) -> None:
        """Describe a miner; options are those of ``Device``."""
        super().__init__(host, **options)
        self._api = WebApi(self.wire, self.port, self.username, self.password)
        self._socket = JoinedReads(
            self.wire, self.port_of(cgminer.PORT), "summary", "stats", "devs", "pools"
        )
        self._series: str | None = None
        self._tune = Fields(None)

    @override
    @classmethod
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        page = evidence.get(http.ROOT, "").lower()
        known = any(title in page for title in _TITLES)
        told = _MARK in evidence.get(cgminer.VERSION, "").lower()
        return 50 if known or told else 0

    @override
    async def _fetch_info(self) -> DeviceInfo:
        self._socket.start_over()
        overview = Fields(None)
        self._tune = Fields(None)
        if self._api.has_login:
            overview = await self._try_login()
        description = await self._describe_program(needed=not overview)
        by_program, version = read.program(description)
        model = overview.text("type")
        self._series = read.series(model) or by_program
        capabilities, limits = self._offer() if overview else ((), {})
        return describe(
            self.info,
            model=model,
            firmware_version=version,
            mac=mac_address(overview.child("version").text("ethaddr")),
            algorithm=read.algorithm(self._series),
            capabilities=capabilities,
            limits=limits,
        )

    async def _try_login(self) -> Fields:
        """Return the overview, or an empty one if the device refuses the login."""
        try:
            overview = Fields(await self._api.get("overview"))
        except AuthenticationFailed as error:
            self._blame_credentials(error)
            return Fields(None)
        try:
            await self._read_tune()
        except MiningSDKError:
            # Most models cannot tune themselves, and each says so in its own way.
            self._tune = Fields(None)
        return overview

    async def _describe_program(self, *, needed: bool) -> str:
        """Return the name of the mining process, which may be away for a while."""
        port = self.port_of(cgminer.PORT)
        try:
            reply = await cgminer.command(self.wire, port, "version")
        except MiningSDKError:
            if needed:
                raise
            return ""
        return Fields(first(reply.get("STATUS"))).text("Description") or ""

    async def _read_tune(self) -> None:
        self._tune = Fields(await self._api.get("getAutoTuneStatus"))

    def _offer(self) -> tuple[tuple[Capability, ...], dict[Capability, Limits]]:
        found = [Capability.REBOOT, Capability.RESTART, Capability.POOLS]
        limits = {}
        if self._tune.text("mode") in _MODES:
            found.append(Capability.POWER_MODE)
            limits[Capability.POWER_MODE] = Limits(options=_MODES)
        return tuple(found), limits

    @override
    async def _fetch_settings(self) -> None:
        if self._tune:
            await self._read_tune()

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> MinerStats:
        try:
            replies = await self._socket.ask(failed)
        except DeviceUnreachable as error:
            if not self._api.has_login or self.authentication_error:
                raise
            return await self._without_process(failed, error)
        summary = Fields(first(replies["summary"].get("SUMMARY")), failed)
        devices = list(Fields(replies["devs"], failed).children("DEVS"))
        found = pools(replies["pools"], failed)
        works = read.works(summary)
        faults = read.faults(devices) + await self._explain(failed, works=works)
        uptime = summary.integer("Elapsed", field="uptime")
        scale = read.unit(self._series)
        return MinerStats(
            status=self._status(works, faults, found, uptime),
            hashrate=0.0 if works is False else read.rate(summary, scale),
            hashrate_average=read.rate(summary, scale, ("av",), "hashrate_average"),
            power_mode=self._mode,
            fans=read.fans(replies["stats"], failed),
            boards=read.boards(replies["stats"], devices, scale, failed),
            pools=found,
            accepted=summary.integer("Accepted", field="accepted"),
            rejected=summary.integer("Rejected", field="rejected"),
            stale=summary.integer("Stale", field="stale"),
            hardware_errors=summary.integer("Hardware Errors", field="hardware_errors"),
            uptime=uptime,
            faults=faults,
            failed=failed,
        )

    @property
    def _mode(self) -> str | None:
        return self._tune.text("mode")

    @property
    def _tunes(self) -> bool:
        return self._tune.boolean("isTuning") is True

    async def _explain(
        self, failed: dict[str, str], *, works: bool | None
    ) -> tuple[Fault, ...]:
        """Ask the web server why nothing is hashed, and whether it still tunes."""
        if not self.info.capabilities or (works and not self._tunes):
            return ()
        await self._optional("power_mode", failed, self._fetch_settings, None)
        if works:
            return ()
        nothing: dict[str, Any] = {}
        return read.error(
            await self._optional(
                "faults", failed, lambda: self._api.get("getErrorDetail"), nothing
            )
        )

    async def _without_process(
        self, failed: dict[str, str], error: MiningSDKError
    ) -> MinerStats:
        """Return what the web server tells while the mining process is away."""
        faults = read.error(await self._api.get("getErrorDetail"))
        failed["summary"] = str(error)
        await self._optional("power_mode", failed, self._fetch_settings, None)
        return MinerStats(
            status=self._status(None, faults, (), None),
            power_mode=self._mode,
            faults=faults,
            failed=failed,
        )

    def _status(
        self,
        works: bool | None,  # noqa: FBT001
        faults: Sequence[Fault],
        found: tuple[MinerPool, ...],
        uptime: int | None,
    ) -> MinerStatus:
        if self._tunes:
            return MinerStatus.TUNING
        if works:
            return MinerStatus.MINING
        if any(fault.severity is Severity.CRITICAL for fault in faults):
            return MinerStatus.FAULT
        if works is None:
            return MinerStatus.UNKNOWN
        young = uptime is not None and uptime < _STARTS_WITHIN
        return (
            MinerStatus.STARTING
            if young and (not found or any_alive(found))
            else MinerStatus.IDLE
        )

    @override
    async def _set_power_mode(self, mode: str) -> None:
        """Choose a mode; the device tunes itself for half an hour afterwards."""
        await self._read_tune()
        if self._tune.has("level"):
            await self._api.tell("setAutoTune", autotune=mode, level=_PLAIN_LEVEL)
        else:
            await self._api.tell("setAutoTune", autotune=mode)

    @override
    async def _set_pools(self, wanted: Sequence[PoolConfig]) -> None:
        """Replace the pools; the mining process restarts.

        A pool without a password would be passed over.
        """
        form = {}
        for number, pool in enumerate(wanted, 1):
            form[f"Pool{number}"] = pool.url
            form[f"UserName{number}"] = pool.user
            form[f"Password{number}"] = pool.password or "x"
        reply = await self._api.tell("updatePools", **form)
        if Fields(reply).text("message") == "lock":
            raise CommandFailed("the device refused: its pools are locked")

    @override
    async def _restart(self) -> None:
        await self._api.tell("restartCgMiner")

    @override
    async def _reboot(self) -> None:
        # Once this has answered, a broken connection means that it goes down.
        await self._api.get("overview")
        with suppress(DeviceUnreachable, InvalidReply):
            await self._api.tell("reboot")
        self._api.log_out()


DRIVERS = (Innosilicon,)

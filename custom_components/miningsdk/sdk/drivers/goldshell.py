"""Goldshell: miners and boxes for Kadena, Handshake, Scrypt and other algorithms.

Source: protocols.md 12.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from math import inf
from time import monotonic
from typing import Any, ClassVar, override

from ..device import describe
from ..errors import (
    AuthenticationFailed,
    CommandFailed,
    DeviceUnreachable,
    InvalidReply,
)
from ..fields import Fields, mac_address
from ..miner import Miner
from ..model import (
    Capability,
    DeviceInfo,
    Fault,
    Limits,
    MinerPool,
    MinerSettings,
    MinerStats,
    MinerStatus,
    PoolConfig,
    PoolState,
    Severity,
)
from ..transports import cgminer, http
from ..transports.wire import Probe
from . import _goldshell_stats as read
from ._goldshell_api import WebApi
from ._joined_reads import JoinedReads
from .cgminer import difficulty, first, hashrate, pools

_MARKS = ("intminer", "intchains_qomo", "kdaminer")
_STARTS_WITHIN = 300
_PREFIXES = ("goldshell-", "goldshell ")


class Goldshell(Miner):
    """A Goldshell: KD, HS, CK, LT, SC, AL and the boxes.

    A reading is one request to the open socket API, or three where the firmware does
    not join them. Model and version are open too; the rest needs the login of the web
    interface: MAC, plans, lamp and all control. Fresh from the box, some models refuse
    every login until the owner has set a password in the web interface.

    Pausing selects the plan of 0 MHz, where there is one. No model measures its
    power, but for the smallest, of which the web server tells it.
    """

    name = "goldshell"
    make = "Goldshell"
    firmware = "stock"
    models = "KD, HS, CK, LT, SC, AL and LB series, Mini Doge, all boxes, Byte"
    transport = "TCP 4028, JSON; HTTP 80 with a token for settings"
    default_port = http.PORT
    default_username = "admin"
    factory_accounts = (("admin", "123456789"),)
    needs_password = "control"
    probes = (http.ROOT, cgminer.VERSION)
    confirm_longer: ClassVar[dict[Capability, float]] = {
        Capability.PAUSE: 120.0,
        Capability.POOLS: 60.0,
        Capability.POWER_MODE: 60.0,
    }
    restarts = frozenset({Capability.POWER_MODE})
    # Sleep is one of the plans.
    lost_asleep = frozenset({Capability.POWER_MODE})

    def __init__(self, host: str, **options: Any) -> None:
        """Describe a miner; options are those of ``Device``."""
        super().__init__(host, **options)
        self._api = WebApi(self.wire, self.port, self.username, self.password)
        self._socket = JoinedReads(
            self.wire, self.port_of(cgminer.PORT), "summary", "devs", "pools"
        )
        self._setting = read.Setting(None)
        # The plan to wake up to: its name, and whether the owner's own was in force.
        self._awake: tuple[str | None, bool] = (None, False)
        self._web_only = False
        self._woke_at = -inf

    @override
    @classmethod
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        version = evidence.get(cgminer.VERSION, "").lower()
        page = evidence.get(http.ROOT, "").lower()
        known = any(mark in version for mark in _MARKS)
        return 50 if known or "cloud-box" in page else 0

    @override
    async def _fetch_info(self) -> DeviceInfo:
        status = Fields(await self._api.status())
        self._socket.start_over()
        self._web_only = False
        if self._api.has_login:
            await self._try_setting()
        found = describe(
            self.info,
            model=_model(status.text("model")),
            firmware_version=status.text("firmware"),
            mac=mac_address(self._setting.fields.text("name")),
            algorithm=self._setting.algorithm or _algorithm(status.text("model")),
        )
        capabilities, limits = self._offer()
        return describe(found, capabilities=capabilities, limits=limits)

    async def _try_setting(self) -> None:
        try:
            await self._read_setting()
        except AuthenticationFailed as error:
            self._blame_credentials(error)
            self._setting = read.Setting(None)

    async def _read_setting(self) -> None:
        setting = read.Setting(await self._api.get("setting"))
        if not setting.data:
            raise InvalidReply("the reply has no settings")
        if self._setting.sleeps and not setting.sleeps:
            self._woke_at = monotonic()
        self._setting = setting
        if not setting.sleeps:
            plan = setting.selected
            by_hand = bool(setting.fields.boolean("manual"))
            self._awake = (plan.name if plan else None, by_hand)

    def _offer(self) -> tuple[tuple[Capability, ...], dict[Capability, Limits]]:
        """Return what can be told to a device whose settings could be read."""
        setting = self._setting
        if not setting.data:
            return (), {}
        found = [Capability.REBOOT, Capability.POOLS]
        limits = {}
        awake = tuple(plan.name for plan in setting.plans if not plan.idle)
        if awake and len(awake) < len(setting.plans):
            found.append(Capability.PAUSE)
        if len(awake) > 1 and len(set(awake)) == len(awake):
            found.append(Capability.POWER_MODE)
            limits[Capability.POWER_MODE] = Limits(options=awake)
        if setting.fields.boolean("ledcontrol") is not None:
            found.append(Capability.LOCATE)
        if (target := _target_limits(setting)) is not None:
            found.append(Capability.TARGET_TEMPERATURE)
            limits[Capability.TARGET_TEMPERATURE] = target
        return tuple(found), limits

    @override
    async def _fetch_settings(self) -> None:
        if self._api.has_login:
            await self._read_setting()

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> MinerStats:
        if not self._web_only:
            try:
                return await self._from_socket(failed)
            except DeviceUnreachable:
                if not self._api.has_login or self.authentication_error:
                    raise
        stats = await self._from_web(failed)
        self._web_only = True
        return stats

    async def _from_socket(self, failed: dict[str, str]) -> MinerStats:
        replies = await self._socket.ask(failed)
        summary = Fields(first(replies["summary"].get("SUMMARY")), failed)
        if not summary:
            raise InvalidReply("the miner tells no summary")
        hardware = read.from_socket(replies["devs"], failed)
        # The rate is an average; nothing is hashed any more once the clocks stand.
        rate = 0.0 if hardware.stopped else hashrate(summary, "20s", "5s")
        asleep = await self._is_asleep(failed, stopped=not rate)
        unsure = asleep is None and not rate and hardware.stopped is not False
        uptime = summary.integer("Elapsed", field="uptime")
        found = pools(read.by_priority(replies["pools"]), failed)
        return MinerStats(
            status=self._status(
                None if unsure else rate,
                hardware.faults,
                found,
                uptime,
                asleep=asleep,
            ),
            hashrate=0.0 if asleep else rate,
            hashrate_average=hashrate(summary, "av", field="hashrate_average"),
            fans=hardware.fans,
            boards=hardware.boards,
            pools=found,
            accepted=summary.integer("Accepted", field="accepted"),
            rejected=summary.integer("Rejected", field="rejected"),
            stale=summary.integer("Stale", field="stale"),
            hardware_errors=summary.integer("Hardware Errors", field="hardware_errors"),
            best_difficulty=difficulty(summary.data.get("Best Share")) or None,
            uptime=uptime,
            faults=hardware.faults,
            failed=failed,
            **self._set_values(),
        )

    async def _from_web(self, failed: dict[str, str]) -> MinerStats:
        reply = await self._api.get("cgminer?cgminercmd=devs")
        reading = read.from_web(reply, failed)
        if not reading.hardware.boards:
            raise InvalidReply("the reply has no boards")
        nothing: list[Any] = []
        listed = await self._optional(
            "pools", failed, lambda: self._api.get("pools"), nothing
        )
        found = read.web_pools(listed, failed)
        asleep = await self._is_asleep(failed, stopped=not reading.hashrate)
        return MinerStats(
            status=self._status(
                reading.hashrate,
                reading.hardware.faults,
                found,
                reading.uptime,
                asleep=asleep,
            ),
            hashrate=0.0 if asleep else reading.hashrate,
            hashrate_average=reading.average,
            power=reading.power,
            fans=reading.hardware.fans,
            boards=reading.hardware.boards,
            pools=found,
            accepted=reading.accepted,
            rejected=reading.rejected,
            hardware_errors=reading.errors,
            uptime=reading.uptime,
            faults=reading.hardware.faults,
            failed=failed,
            **self._set_values(),
        )

    def _status(
        self,
        rate: float | None,
        faults: Sequence[Fault],
        found: Sequence[MinerPool],
        uptime: int | None,
        *,
        asleep: bool | None,
    ) -> MinerStatus:
        """Say what the miner does: it mines only if it has a rate now."""
        if asleep:
            return MinerStatus.PAUSED
        if rate:
            return MinerStatus.MINING
        if any(fault.severity is Severity.CRITICAL for fault in faults):
            return MinerStatus.FAULT
        if rate is None:
            return MinerStatus.UNKNOWN
        states = {pool.status for pool in found}
        if found and not states & {PoolState.ACTIVE, PoolState.ALIVE, None}:
            return MinerStatus.IDLE
        woken = monotonic() - self._woke_at < _STARTS_WITHIN
        starts = woken or (uptime is not None and uptime < _STARTS_WITHIN)
        return MinerStatus.STARTING if starts else MinerStatus.IDLE

    async def _is_asleep(self, failed: dict[str, str], *, stopped: bool) -> bool | None:
        """Tell whether the miner sleeps as it was told; ``None`` if that is unknown.

        The settings are read again when they do not explain what the miner does.
        """
        known = bool(self._setting.data)
        if known and self._setting.sleeps is not stopped:
            await self._optional("status", failed, self._read_setting, None)
        if not stopped:
            return False
        return self._setting.sleeps if known and "status" not in failed else None

    def _set_values(self) -> dict[str, Any]:
        setting = self._setting
        plan = setting.selected
        return {
            "power_mode": plan.name if plan is not None and not plan.idle else None,
            "locating": setting.fields.boolean("ledcontrol"),
            "settings": MinerSettings(
                target_temperature=setting.fields.number("temp_target")
                if setting.fields.boolean("tempcontrol") is not False
                else None
            ),
        }

    async def _change(self, **values: object) -> None:
        """Write the settings as a whole, as they are now but for these values."""
        await self._read_setting()
        await self._api.put("setting", self._setting.change(**values))

    @override
    async def _pause(self) -> None:
        await self._read_setting()
        idle = next((n for n, p in enumerate(self._setting.plans) if p.idle), None)
        if idle is None:
            raise CommandFailed("the device has no plan of 0 MHz any more")
        await self._change(select=idle, manual=False)

    @override
    async def _resume(self) -> None:
        await self._read_setting()
        if not self._setting.sleeps:
            return
        name, by_hand = self._awake
        place = self._setting.place(name) if name is not None else None
        plans = enumerate(self._setting.plans)
        if place is None:
            place = next((n for n, plan in plans if not plan.idle), None)
        if by_hand:
            await self._change(select=place, manual=True)
        else:
            await self._change(select=place)

    @override
    async def _set_power_mode(self, mode: str) -> None:
        await self._read_setting()
        if (place := self._setting.place(mode)) is None:
            raise CommandFailed(f"the device has no plan {mode!r} any more")
        await self._change(select=place, manual=False)

    @override
    async def _set_target_temperature(self, celsius: float) -> None:
        await self._change(temp_target=round(celsius))

    @override
    async def _locate(self, on: bool) -> None:
        await self._change(ledcontrol=on)

    @override
    async def _reboot(self) -> None:
        # Once this has answered, a broken connection means that it goes down.
        await self._api.get("setting")
        with suppress(DeviceUnreachable, InvalidReply):
            await self._api.put("restart")
        self._api.log_out()

    @override
    async def _set_pools(self, wanted: Sequence[PoolConfig]) -> None:
        """Add what is new, take away what is not wanted, then put all in order."""
        stored = await self._stored_pools()
        for pool in wanted:
            if not any(_is(kept, pool) for kept in stored):
                new = {"url": pool.url, "user": pool.user, "pass": pool.password}
                await self._api.put("newpool", new)
        for kept in stored:
            if not any(_is(kept, pool) for pool in wanted):
                await self._api.put("delpool", kept)
        stored = await self._stored_pools()
        ordered = sorted(stored, key=lambda kept: _place(kept, wanted))
        if ordered != stored:
            places = enumerate(ordered)
            moved = [{**kept, "dragid": n, "pool-priority": n} for n, kept in places]
            await self._api.put("pools", moved)

    async def _stored_pools(self) -> list[dict[str, Any]]:
        reply = await self._api.get("pools")
        if not isinstance(reply, list):
            raise InvalidReply("the reply has no pools")
        found = [pool for pool in reply if isinstance(pool, dict)]
        return sorted(found, key=read.priority)


def _is(kept: Mapping[str, Any], pool: PoolConfig) -> bool:
    found = (kept.get("url"), kept.get("user"), kept.get("pass"))
    return found == (pool.url, pool.user, pool.password)


def _place(kept: Mapping[str, Any], wanted: Sequence[PoolConfig]) -> int:
    return next((n for n, pool in enumerate(wanted) if _is(kept, pool)), len(wanted))


def _model(raw: str | None) -> str | None:
    """Return ``KD5`` for ``Goldshell-KD5``."""
    name = (raw or "").strip()
    for prefix in _PREFIXES:
        if name.lower().startswith(prefix):
            name = name[len(prefix) :]
    return name or None


def _algorithm(raw: str | None) -> str | None:
    """Return the algorithm of the Sia miners; the others are in the table of models."""
    return "blake2b" if (_model(raw) or "").upper().startswith("SC") else None


def _target_limits(setting: read.Setting) -> Limits | None:
    listed = setting.data.get("temp_targets")
    values = sorted(
        float(value)
        for value in (listed if isinstance(listed, list) else ())
        if isinstance(value, int | float) and 0 < value < 120
    )
    told = setting.fields.number("temp_target")
    if len(values) < 2 or told is None or not setting.fields.boolean("tempcontrol"):
        return None
    return Limits(minimum=values[0], maximum=values[-1], step=1)


DRIVERS = (Goldshell,)

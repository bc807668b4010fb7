"""Sealminers of Bitdeer, air-cooled and hydro.

What they do is read from the mining process on port 4028, which asks for no
password; it even stops and goes on without one. All else that can be told goes
through the web server.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any, ClassVar, override

import orjson

from ..device import describe
from ..errors import (
    AuthenticationFailed,
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
    MinerPool,
    MinerStats,
    MinerStatus,
    PoolConfig,
)
from ..transports import cgminer, http
from ..transports.wire import Probe
from ._antminer_faults import ALL_POOLS_DEAD
from ._same_device import forget_another
from ._sealminer_stats import (
    offered,
    power_limits,
    read_boards,
    read_fans,
    read_faults,
    status_of,
)
from ._sealminer_web import SealminerWeb
from .cgminer import (
    any_alive,
    first,
    hashrate,
    note_refusal,
    pools as read_pools,
    unjoin,
)

_MARK = "BDMINER"
_COMMANDS = ("summary", "stats", "pools")
_POOLS = "get_miner_poolconf.php"
_UNCHANGED_PASSWORD = "x"
_SLOTS = 3
# A web server that failed is asked this often what it takes.
_WEB_AGAIN = 60.0


@dataclass(frozen=True, slots=True)
class _Told:
    """What one poll brought; ``alive`` is whether any pool answers, if known."""

    summary: Fields
    row: Fields
    pools: tuple[MinerPool, ...]
    alive: bool | None


class Sealminer(Miner):
    """A Sealminer with the firmware it was sold with.

    Sources: replies that users posted, and how other programs talk to it. Its mining
    modes are numbers of which nobody says what they mean, so they are not offered.
    """

    name = "sealminer"
    make = "Bitdeer"
    firmware = "stock"
    models = "Bitdeer Sealminer A2, A2 Pro, A3 and A3 Pro, air and hydro"
    transport = "cgminer API on 4028, HTTP with a login on 80"
    default_port = cgminer.PORT
    default_username = "seal"
    factory_accounts = (("seal", "seal"),)
    needs_password = "control"
    probes = (cgminer.VERSION,)
    confirm_every = 3.0
    confirm_longer: ClassVar[dict[Capability, float]] = {
        Capability.PAUSE: 180.0,
        Capability.POOLS: 120.0,
        # It takes a reboot to apply.
        Capability.POWER_LIMIT: 300.0,
    }
    restarts = frozenset({Capability.POWER_LIMIT, Capability.POOLS})

    def __init__(self, host: str, **options: Any) -> None:
        """Describe a miner without talking to it; options are those of ``Device``."""
        super().__init__(host, **options)
        self._web = SealminerWeb(
            self.wire, self.port_of(http.PORT), self.username, self.password
        )
        self._joined = True
        self._locating: bool | None = None
        # Whether it was told to stop and has not hashed since.
        self._suspended = False
        self._web_failed_at: float | None = None

    @override
    @classmethod
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        """Know it by the name of its mining process."""
        return 50 if _MARK in evidence.get(cgminer.VERSION, "").upper() else 0

    # Who it is.

    @override
    async def _fetch_info(self) -> DeviceInfo:
        self._joined = True
        stats = await self._run("stats")
        row = Fields(first(stats.get("STATS")))
        model = row.text("Model") or await self._model()
        mac = mac_address(row.text("MAC"))
        serial = serial_number(row.text("Ctrl Board SN"))
        old = forget_another(self.info, mac=mac, serial_number=serial)
        chips = [board.chips_expected for board in read_boards(row)]
        capabilities = await self._offered(limit=row.number("Power Limit") is not None)
        return describe(
            old,
            model=model,
            firmware_version=row.text("Firmware", "Software Version"),
            mac=mac,
            serial_number=serial,
            algorithm="sha256",
            chips=sum(count or 0 for count in chips) if all(chips) and chips else None,
            capabilities=capabilities,
            limits={Capability.POWER_LIMIT: power_limits(row)}
            if Capability.POWER_LIMIT in capabilities
            else {},
        )

    async def _model(self) -> str | None:
        try:
            reply = await self._run("devdetails")
        except NotSupported, CommandFailed, InvalidReply:
            return None
        return Fields(first(reply.get("DEVDETAILS"))).text("Model")

    async def _offered(self, *, limit: bool) -> tuple[Capability, ...]:
        """Return what it takes of us; look at the light on the way."""
        self._web_failed_at = self._locating = None
        allowed = self._web.usable
        try:
            if allowed:
                await self._web.ask(_POOLS)
                self._locating = await self._blinks()
        except AuthenticationFailed as error:
            self._blame_credentials(error)
            allowed = False
        except MiningSDKError:
            # It may do again what it did; for how long is found out soon.
            self._web_failed_at = monotonic()
            return self.info.capabilities or offered(web=False)
        light = self._locating is not None
        return offered(web=allowed, light=light, limit=limit)

    async def _run(self, name: str, parameter: str | None = None) -> dict[str, Any]:
        return await cgminer.command(self.wire, self.port, name, parameter)

    # What it does.

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> MinerStats:
        told = await self._ask(failed)
        self._look_again()
        rate = hashrate(told.summary, "5s", "1m")
        if rate:
            self._suspended = False
        status = status_of(
            told.row.text("PM State"),
            rate,
            told.summary.integer("Elapsed", field="uptime"),
            suspended=self._suspended,
            alive=told.alive,
        )
        if status is MinerStatus.UNKNOWN:
            shown = (told.row.text("PM State") or "nothing")[:40]
            failed.setdefault("status", f"it says {shown!r} and does not hash")
        await self._look_at_light(failed)
        faults = tuple(read_faults(told.row))
        if told.pools and told.alive is False and status is not MinerStatus.PAUSED:
            faults = (*faults, ALL_POOLS_DEAD)
        stats = _compose(told.summary, told.row, failed)
        return replace(
            stats,
            status=status,
            hashrate=rate,
            pools=told.pools,
            locating=self._locating,
            faults=faults,
        )

    def _look_again(self) -> None:
        """Have the web server asked again when it did not answer some time ago."""
        since = self._web_failed_at
        if since is not None and monotonic() - since > _WEB_AGAIN:
            self.forget_info()

    async def _ask(self, failed: dict[str, str]) -> _Told:
        """Ask for all at once, or one after another where that is not understood."""
        replies = await self._together(failed) if self._joined else None
        if replies is None:
            self._joined = False
            replies = {
                "summary": await self._run("summary"),
                "stats": await self._run("stats"),
                "pools": await self._optional(
                    "pools", failed, lambda: self._run("pools"), {}
                ),
            }
        summary = Fields(first(replies["summary"].get("SUMMARY")), failed)
        row = Fields(first(replies["stats"].get("STATS")), failed)
        if not summary and not row:
            raise InvalidReply("the miner tells nothing of itself")
        found = read_pools(replies["pools"], failed)
        alive = any_alive(found) if "POOLS" in replies["pools"] else None
        return _Told(summary, row, found, alive)

    async def _together(
        self, failed: dict[str, str]
    ) -> dict[str, dict[str, Any]] | None:
        try:
            reply = await self._run("+".join(_COMMANDS))
        except NotSupported, CommandFailed, InvalidReply:
            return None
        replies = unjoin(reply, _COMMANDS)
        if replies is None or not replies["summary"].get("SUMMARY"):
            return None
        for name, part in replies.items():
            note_refusal(name, part, failed)
        return replies

    async def _look_at_light(self, failed: dict[str, str]) -> None:
        """See whether it still blinks, while it may."""
        if self._locating:
            try:
                self._locating = await self._blinks()
            except MiningSDKError as error:
                self._locating = None
                failed["locating"] = str(error)

    async def _blinks(self) -> bool | None:
        return (await self._web.system()).boolean("led")

    # What it is told.

    @override
    async def _pause(self) -> None:
        await self._run("ascset", "0,suspend")
        self._suspended = True

    @override
    async def _resume(self) -> None:
        self._suspended = False
        try:
            await self._run("restart")
        except DeviceUnreachable, InvalidReply:
            # The process goes down before it has answered.
            return

    @override
    async def _set_power_limit(self, watts: float) -> None:
        # It applies after a reboot, which is for the web server to do.
        await self._web.ask(_POOLS)
        value = orjson.dumps({"value": f"{watts:.0f}"}).decode()
        await self._run("ascset", f"0,powerlimit,{value}")
        await self._web.reboot()

    @override
    async def _set_pools(self, pools: Sequence[PoolConfig]) -> None:
        present = Fields(await self._web.ask(_POOLS))
        known = {
            (pool.text("url"), pool.text("user")): str(pool.data.get("pass") or "")
            for pool in present.children("pools")
        }
        empty = PoolConfig(url="", user="", password="")
        body: dict[str, object] = {}
        for number, pool in enumerate([*pools, empty, empty][:_SLOTS], 1):
            password = pool.password
            if password == _UNCHANGED_PASSWORD:
                password = known.get((pool.url, pool.user), password)
            body |= {
                f"poolurl{number}": pool.url,
                f"pooluser{number}": pool.user,
                f"poolpwd{number}": password,
            }
        await self._web.tell("set_miner_poolconf.php", body)

    @override
    async def _locate(self, on: bool) -> None:
        body = {"key": "led", "value": "on" if on else "off"}
        await self._web.tell("led_conf.php", body)
        # Whatever it was, the next reading has to look.
        self._locating = True

    @override
    async def _reboot(self) -> None:
        await self._web.ask(_POOLS)
        await self._web.reboot()


def _compose(summary: Fields, row: Fields, failed: dict[str, str]) -> MinerStats:
    """Return what its replies tell, but for the state."""
    return MinerStats(
        hashrate_average=hashrate(summary, "av", field="hashrate_average"),
        hashrate_expected=row.number(
            "MHS(Ideal)",
            "MHS(Rated)",
            field="hashrate_expected",
            scale=1e-6,
            digits=4,
            missing=(0.0,),
        ),
        power=row.number("PSU Input Power", field="power", missing=(0.0,)),
        power_limit=row.number("Power Limit", field="power_limit", missing=(0.0,)),
        power_mode=_word(row.text("Mining Mode")),
        fans=tuple(read_fans(row)),
        boards=read_boards(row),
        accepted=summary.integer("Accepted", field="accepted"),
        rejected=summary.integer("Rejected", field="rejected"),
        stale=summary.integer("Stale", field="stale"),
        hardware_errors=summary.integer("Hardware Errors", field="hardware_errors"),
        best_difficulty=summary.number("Best Share", field="best_difficulty") or None,
        uptime=summary.integer("Elapsed", field="uptime"),
        failed=failed,
    )


def _word(mode: str | None) -> str | None:
    """Return the mode where it is a word; nobody says what the numbers mean."""
    return None if mode is None or mode.isdigit() else mode.lower()


DRIVERS = (Sealminer,)

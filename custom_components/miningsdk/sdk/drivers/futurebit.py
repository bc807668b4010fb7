"""FutureBit Apollo: a node and a miner of Bitcoin in one, and its units at USB.

Source: protocols.md 12, and the source of the API that the maker has published.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
import re
from typing import Any, ClassVar, override

from ..device import describe
from ..errors import (
    AuthenticationFailed,
    DeviceUnreachable,
    InvalidReply,
    MiningSDKError,
    NotSupported,
)
from ..fields import Fields, mac_address
from ..miner import Miner
from ..model import (
    Capability,
    DeviceInfo,
    Limits,
    MinerStats,
    MinerStatus,
    PoolConfig,
)
from ..transports import http
from ..transports.wire import Probe
from . import _futurebit_stats as read
from ._futurebit_api import GraphApi

_PORT = 5000
_REDIRECT = re.compile(r"http 308\n(?s:.*)^location: \S*/overview\s*$", re.MULTILINE)
_WIRED = ("eth", "en")
_MODES = ("eco", "balanced", "turbo")
_LOWEST = "super_eco"
_STARTS_WITHIN = 300
# To start or stop the mining process may take longer than the device is waited for.
_ANSWERS_WITHIN = 0.6
_MCU = """{Mcu{stats{result{stats{hostname network{name address mac}}}
error{message}}}}"""
_SOFTWARE = "{Settings{read{result{settings{nodeSoftware}} error{message}}}}"
_UPDATE = """query($input:SettingsUpdateInput!){Settings{update(input:$input)
{result{settings{minerMode}} error{message}}}}"""
_STORED = """{Pool{list{result{pools{index enabled donation url username password
proxy}} error{message}}}}"""
_REPLACE = """query($input:PoolUpdateAllInput!){Pool{updateAll(input:$input)
{result{pools{index}} error{message}}}}"""


class FutureBit(Miner):
    """A FutureBit Apollo with the software of 2022 or later (apolloapi-v2).

    A reading is one request, whatever it tells. Open to everybody is what the units
    do; model and all of that are theirs. Settings, pools, MAC and all control need the
    password of the owner. Pausing ends the mining process; the node goes on.
    """

    name = "futurebit"
    make = "FutureBit"
    firmware = "stock"
    aliases = ("apollo",)
    models = "Apollo BTC, Apollo II, Apollo III"
    transport = "HTTP 5000, GraphQL, with a token for control"
    default_port = _PORT
    needs_password = "control"
    factory_accounts = (("", "futurebit123"),)
    probes = (http.ROOT,)
    confirm_longer: ClassVar[dict[Capability, float]] = {
        Capability.PAUSE: 120.0,
        Capability.POWER_MODE: 60.0,
        Capability.POOLS: 60.0,
    }
    restarts = frozenset({Capability.POWER_MODE, Capability.POOLS})

    def __init__(self, host: str, **options: Any) -> None:
        """Describe a miner; options are those of ``Device``."""
        super().__init__(host, **options)
        self._api = GraphApi(self.wire, self.port, self.password)
        self._authorised = False
        # What older firmware may not know, asked for until it says so.
        self._parts: list[str] = []
        self._freshness = read.Freshness()

    @override
    @classmethod
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        page = evidence.get(http.ROOT, "").lower()
        return 50 if _REDIRECT.match(page) else 0

    @override
    async def _fetch_info(self) -> DeviceInfo:
        self._parts = [read.ONLINE, read.SERVICES]
        self._authorised = False
        network = Fields(None)
        if self._api.has_login:
            network = await self._try_login()
        data = await self._fetch_data({})
        units = read.units(data)
        found = describe(
            self.info,
            model=read.model(units),
            firmware_version=read.version(units),
            hostname=network.text("hostname"),
            mac=_mac(network),
            algorithm="sha256",
        )
        capabilities, limits = self._offer(data)
        return describe(found, capabilities=capabilities, limits=limits)

    async def _try_login(self) -> Fields:
        """Return what the computer tells of itself, if the device takes the login."""
        try:
            data = await self._api.ask(_MCU, {}, login=True)
        except AuthenticationFailed as error:
            self._blame_credentials(error)
            return Fields(None)
        except NotSupported, InvalidReply:
            # Older firmware tells other things here.
            data = Fields(None)
        self._authorised = True
        return data.child("Mcu").child("stats").child("result").child("stats")

    def _offer(
        self, data: Fields
    ) -> tuple[tuple[Capability, ...], dict[Capability, Limits]]:
        if not self._authorised:
            return (), {}
        found = [Capability.PAUSE, Capability.RESTART, Capability.REBOOT]
        limits = {}
        if data.child("Pool").child("list").child("result"):
            found.append(Capability.POOLS)
        if read.mode(data) is not None:
            newest = read.model(read.units(data)) == "Apollo III"
            modes = (_LOWEST, *_MODES) if newest else _MODES
            found.append(Capability.POWER_MODE)
            limits[Capability.POWER_MODE] = Limits(options=modes)
        return tuple(found), limits

    async def _fetch_data(self, failed: dict[str, str]) -> Fields:
        """Ask for everything at once, and for less where the firmware knows less."""
        while True:
            try:
                data = await self._api.ask(
                    self._query(), failed, login=self._authorised
                )
            except AuthenticationFailed as error:
                if self._authorised:
                    self._blame_credentials(error)
                    self._authorised = False
                    failed["settings"] = str(error)
                else:
                    self._ask_less(error)
            except NotSupported as error:
                self._ask_less(error)
            else:
                if not data.child("Miner"):
                    raise InvalidReply(failed.get("reply") or "the reply has no miner")
                return data

    def _query(self) -> str:
        online = read.ONLINE if read.ONLINE in self._parts else ""
        if not self._authorised:
            return f"{{Miner{{{read.STATS} {online}}}}}"
        services = read.SERVICES if read.SERVICES in self._parts else ""
        more = f"{services} {read.SETTINGS} {read.POOLS}"
        return f"{{Miner{{{read.STATS} {online}}} {more}}}"

    def _ask_less(self, error: MiningSDKError) -> None:
        if not self._parts:
            raise InvalidReply(str(error)) from None
        self._parts.pop()

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> MinerStats:
        data = await self._fetch_data(failed)
        state = self._state(data)
        # What the units told last stays, when their mining process has ended.
        mining = state == "online"
        units = read.units(data) if mining else []
        rate = read.rate(units)
        uptime = read.uptime(units)
        return MinerStats(
            status=_status(state, read.requested(data), rate, uptime),
            hashrate=0.0 if state in ("offline", "pending") else rate,
            hashrate_average=read.average(units),
            power=read.power(units),
            power_mode=read.mode(data),
            fans=read.fans(units),
            boards=read.boards(units),
            pools=read.pools(units, read.stored(data), mining=bool(rate)),
            accepted=read.shares(units, "sharesAccepted"),
            rejected=read.shares(units, "sharesRejected"),
            hardware_errors=read.errors(units),
            uptime=uptime,
            failed=failed,
        )

    def _state(self, data: Fields) -> str | None:
        """Return what the mining process is: online, pending, offline or error."""
        told = read.online(data)
        if isinstance(told, str):
            return told
        if not isinstance(told, bool):
            told = self._freshness.check(read.units(data))
        return None if told is None else "online" if told else "offline"

    @override
    async def _pause(self) -> None:
        await self._order("stop")

    @override
    async def _resume(self) -> None:
        await self._order("start")

    @override
    async def _restart(self) -> None:
        await self._order("restart")

    async def _order(self, name: str) -> None:
        """Start or stop the mining process, without waiting until it is done."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self.timeout * _ANSWERS_WITHIN):
                query = f"{{Miner{{{name}{{error{{message}}}}}}}}"
                await self._api.tell(query, "Miner", name)

    @override
    async def _reboot(self) -> None:
        # Once this has answered, a broken connection means that it goes down.
        await self._fetch_data({})
        with suppress(DeviceUnreachable, InvalidReply):
            await self._api.tell("{Mcu{reboot{error{message}}}}", "Mcu", "reboot")

    @override
    async def _set_power_mode(self, mode: str) -> None:
        change = {"minerMode": mode}
        if (software := await self._node_software()) is not None:
            change["nodeSoftware"] = software
        await self._api.tell(_UPDATE, "Settings", "update", variables={"input": change})
        await self._apply()

    async def _node_software(self) -> str | None:
        """Return the software of the node.

        A change of the settings that leaves it out is taken for a change of it.
        """
        try:
            told = await self._api.tell(_SOFTWARE, "Settings", "read")
        except NotSupported:
            return None
        return told.child("result").child("settings").text("nodeSoftware")

    @override
    async def _set_pools(self, wanted: Sequence[PoolConfig]) -> None:
        """Replace the pools, but for those to which the owner donates a share."""
        told = await self._api.tell(_STORED, "Pool", "list")
        stored = list(told.child("result").children("pools"))
        items: list[dict[str, object]] = [
            {
                "enabled": True,
                "donation": 0,
                "url": pool.url,
                "username": pool.user,
                "password": pool.password,
                "proxy": None,
            }
            for pool in wanted
        ]
        items += [
            {key: pool.data.get(key) for key in items[0]}
            for pool in stored
            if pool.integer("donation")
        ]
        pools = [{"index": place, **item} for place, item in enumerate(items, 1)]
        variables = {"input": {"pools": pools}}
        await self._api.tell(_REPLACE, "Pool", "updateAll", variables=variables)
        await self._apply()

    async def _apply(self) -> None:
        """Have the mining process read its settings, unless it is stopped anyway."""
        if self._state(await self._fetch_data({})) in ("online", "pending"):
            await self._order("restart")


def _status(
    state: str | None, requested: str | None, rate: float | None, uptime: int | None
) -> MinerStatus:
    if state == "online":
        if rate:
            return MinerStatus.MINING
        if rate is None:
            return MinerStatus.UNKNOWN
        young = uptime is not None and uptime < _STARTS_WITHIN
        return MinerStatus.STARTING if young else MinerStatus.IDLE
    if state == "pending":
        return MinerStatus.IDLE if requested == "offline" else MinerStatus.STARTING
    if state == "offline":
        # It has ended although nobody wanted that, or the device has just booted.
        return MinerStatus.IDLE if requested == "online" else MinerStatus.PAUSED
    return MinerStatus.UNKNOWN


def _mac(network: Fields) -> str | None:
    """Return the MAC of the wired interface, or else of the first that has one."""
    known = [
        (card.text("name") or "", mac)
        for card in network.children("network")
        if (mac := mac_address(card.text("mac"))) is not None
    ]
    wired = (mac for name, mac in known if name.startswith(_WIRED))
    return next(wired, known[0][1] if known else None)


DRIVERS = (FutureBit,)

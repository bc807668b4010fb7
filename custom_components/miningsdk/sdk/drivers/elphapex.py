"""Elphapex DG1 and its relatives, which mine scrypt.

All goes through the CGI programs of the web server, which asks for a password.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from time import monotonic
from typing import Any, ClassVar, override

import orjson

from ..device import describe
from ..errors import (
    AuthenticationFailed,
    CommandFailed,
    DeviceUnreachable,
    InvalidReply,
    NotSupported,
)
from ..fields import Fields, mac_address
from ..miner import Miner
from ..model import (
    Capability,
    DeviceInfo,
    Fault,
    Limits,
    MinerStats,
    MinerStatus,
    PoolConfig,
)
from ..transports import http
from ..transports.wire import Probe
from ._antminer_faults import ALL_POOLS_DEAD, read_summary
from ._antminer_pools import Pools, read_pools
from ._antminer_stats import Reading
from ._antminer_status import START
from ._digest_cgi import JSON, Web
from ._elphapex_stats import (
    ASLEEP,
    SLEEP,
    Config,
    read_config,
    read_elphapex,
    read_serial,
    with_fan,
    with_mode,
    with_pools,
)
from ._flat_miner import status_of
from ._flat_stats import Told
from ._same_device import forget_another

_REALM = 'realm="daoge'
_FAN = Limits(minimum=10, maximum=100, step=1, options=("auto",))
_NO_SUMMARY: tuple[tuple[Fault, ...], float | None] = ((), None)


class Elphapex(Miner):
    """An Elphapex with the firmware it was sold with.

    Sources: replies that users posted, and how other programs talk to it.
    """

    name = "elphapex"
    make = "Elphapex"
    firmware = "stock"
    models = "Elphapex DG1, DG1+, DG1 Lite, DG Home 1, DG2, DG2+"
    transport = "CGI with HTTP digest on 80"
    default_port = http.PORT
    default_username = "root"
    factory_accounts = (("root", "root"),)
    needs_password = "always"
    probes = (http.ROOT,)
    # A changed setting restarts the mining process.
    confirm_every = 3.0
    confirm_longer: ClassVar[dict[Capability, float]] = {
        Capability.PAUSE: 180.0,
        Capability.POOLS: 120.0,
        Capability.FAN: 60.0,
    }
    restarts = frozenset({Capability.POOLS, Capability.FAN})

    def __init__(self, host: str, **options: Any) -> None:
        """Describe a miner without talking to it; options are those of ``Device``."""
        super().__init__(host, **options)
        self._web = Web(
            self.wire, self.port, self.username, self.password, patient=True
        )
        self._config: Config | None = None
        self._locating: bool | None = None
        self._awake_mode = 0
        # The number for sleep that this firmware was seen to show.
        self._sleep = SLEEP
        self._silent_since: float | None = None

    @override
    @classmethod
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        """Know it by the realm of its web server."""
        return 50 if _REALM in evidence.get(http.ROOT, "").lower() else 0

    # Who it is.

    @override
    async def _fetch_info(self) -> DeviceInfo:
        self._config = self._locating = None
        try:
            system = Fields(await self._web.get("get_system_info.cgi"))
        except AuthenticationFailed as error:
            self._blame_credentials(error)
            await self._web.alive()
            return replace(self.info, capabilities=(), limits={})
        serial = await self._serial()
        await self._if_there(self._present)
        self._locating = await self._if_there(self._blinks)
        mac = mac_address(system.text("macaddr"))
        old = forget_another(self.info, mac=mac, serial_number=serial)
        return describe(
            old,
            model=system.text("minertype"),
            firmware_version=system.text("system_filesystem_version"),
            mac=mac,
            serial_number=serial,
            hostname=system.text("hostname"),
            algorithm=(system.text("Algorithm") or "scrypt").lower(),
            capabilities=self._offered(),
            limits={Capability.FAN: _FAN} if self._takes_fan else {},
        )

    async def _serial(self) -> str | None:
        reply = await self._if_there(lambda: self._web.get("stats.cgi"))
        return None if reply is None else read_serial(reply)

    async def _if_there[T](self, ask: Callable[[], Awaitable[T]]) -> T | None:
        """Return what a program prints, or ``None`` where it cannot be had."""
        try:
            return await ask()
        except NotSupported, CommandFailed, InvalidReply:
            return None

    @property
    def _takes_fan(self) -> bool:
        return self._config is not None and self._config.takes_fan

    def _offered(self) -> tuple[Capability, ...]:
        config = self._config
        offered = {
            Capability.PAUSE: config is not None and config.mode is not None,
            Capability.REBOOT: True,
            Capability.LOCATE: self._locating is not None,
            Capability.FAN: self._takes_fan,
            Capability.POOLS: config is not None,
        }
        return tuple(name for name, there in offered.items() if there)

    # What it does.

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> MinerStats:
        try:
            reading = read_elphapex(await self._web.get("stats.cgi"), failed)
        except NotSupported, InvalidReply:
            return await self._stats_of_silent(failed)
        self._silent_since = None
        pools = await self._optional(
            "pools", failed, lambda: self._pools(failed), Pools(known=False)
        )
        faults, best = await self._optional(
            "faults", failed, lambda: self._summary(failed), _NO_SUMMARY
        )
        power = await self._optional("power", failed, lambda: self._power(failed), None)
        if not reading.hashing or self._config is None or self._config.asleep:
            await self._optional("settings", failed, self._present, None)
        await self._look_at_light(failed)
        stats = self._compose(reading, pools, faults, failed)
        return replace(stats, power=power, best_difficulty=best)

    async def _pools(self, failed: dict[str, str]) -> Pools:
        return read_pools(await self._web.get("pools.cgi"), failed)

    async def _summary(
        self, failed: dict[str, str]
    ) -> tuple[tuple[Fault, ...], float | None]:
        return read_summary(await self._web.get("summary.cgi"), failed)

    async def _power(self, failed: dict[str, str]) -> float | None:
        reply = Fields(await self._web.get("get_power.cgi"), failed)
        watts = reply.number("power_output", field="power", digits=1)
        return watts if watts is not None and watts > 0 else None

    async def _stats_of_silent(self, failed: dict[str, str]) -> MinerStats:
        """Tell what the settings tell while the mining process does not answer."""
        now = monotonic()
        self._silent_since = since = self._silent_since or now
        config = await self._present()
        await self._look_at_light(failed)
        status = MinerStatus.PAUSED if config.asleep else MinerStatus.STARTING
        if not config.asleep and now - since > START:
            status = MinerStatus.UNKNOWN
            failed["status"] = "the mining process does not answer"
        return MinerStats(
            status=status,
            power_mode=config.power_mode,
            pools=config.unmined_pools(),
            locating=self._locating,
            settings=config.settings,
            failed=failed,
        )

    def _compose(
        self,
        reading: Reading,
        pools: Pools,
        faults: tuple[Fault, ...],
        failed: dict[str, str],
    ) -> MinerStats:
        config = self._config or read_config({})
        asleep = config.asleep and not reading.hashing
        status = status_of(Told(reading=reading, faults=faults), pools, asleep)
        if pools.all_dead and not asleep:
            faults = (*faults, ALL_POOLS_DEAD)
        if status is MinerStatus.UNKNOWN:
            failed.setdefault("status", "it does not hash, and nothing tells why")
        return MinerStats(
            status=status,
            hashrate=reading.hashrate,
            hashrate_average=reading.hashrate_average,
            hashrate_expected=reading.hashrate_expected,
            power_mode=config.power_mode,
            fans=reading.fans,
            boards=reading.boards,
            pools=pools.pools or config.unmined_pools(),
            uptime=reading.uptime,
            locating=self._locating,
            settings=config.settings,
            faults=faults,
            failed=failed,
        )

    async def _look_at_light(self, failed: dict[str, str]) -> None:
        """See whether it still blinks, while it may."""
        if self._locating:
            self._locating = await self._optional(
                "locating", failed, self._blinks, None
            )

    async def _blinks(self) -> bool | None:
        return Fields(await self._web.get("get_blink_status.cgi")).boolean("blink")

    async def _present(self) -> Config:
        """Return what is set now."""
        config = read_config(await self._web.get("get_miner_conf.cgi"))
        if config.mode in ASLEEP:
            self._sleep = config.mode
        self._config = config
        return config

    # What it is told.

    @override
    async def _fetch_settings(self) -> None:
        await self._present()

    async def _write(self, body: bytes) -> None:
        await self._web.send("POST", "set_miner_conf.cgi", body, JSON)

    @override
    async def _pause(self) -> None:
        config = await self._present()
        if not config.asleep:
            self._awake_mode = config.mode or 0
            await self._write(with_mode(config, self._sleep))

    @override
    async def _resume(self) -> None:
        config = await self._present()
        if config.asleep:
            await self._write(with_mode(config, self._awake_mode))

    @override
    async def _set_fan(self, duty: float | None) -> None:
        await self._write(with_fan(await self._present(), duty))

    @override
    async def _set_pools(self, pools: Sequence[PoolConfig]) -> None:
        await self._write(with_pools(await self._present(), pools))

    @override
    async def _locate(self, on: bool) -> None:
        body = orjson.dumps({"blink": "true" if on else "false"})
        await self._web.send("POST", "blink.cgi", body, JSON)
        # Whatever it was, the next reading has to look.
        self._locating = True

    @override
    async def _reboot(self) -> None:
        # Once this has answered, a broken connection means that it goes down.
        await self._web.get("get_system_info.cgi")
        try:
            await self._web.reboot()
        except DeviceUnreachable, InvalidReply:
            return


DRIVERS = (Elphapex,)

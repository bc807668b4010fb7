"""Antminers with the firmware of MARA.

All is read and told through its web API, which asks for a password. Without one,
the mining process on port 4028 still tells what it does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, override

import orjson

from ..errors import (
    AuthenticationFailed,
    CommandFailed,
    DeviceUnreachable,
    InvalidReply,
    MiningSDKError,
    NotSupported,
)
from ..fields import Fields, mac_address
from ..model import Capability, MinerStats, MinerStatus, PoolConfig
from ..transports import cgminer, http
from ..transports.wire import Probe
from ._antminer_faults import ALL_POOLS_DEAD
from ._antminer_models import algorithm
from ._antminer_pools import Pools, read_pools
from ._digest_cgi import JSON, Web
from ._flat_miner import FlatMiner
from ._mara_conf import (
    MODES,
    SLEEP,
    STOCK,
    Config,
    before_sleep,
    offered,
    read_config,
    with_fan,
    with_pools,
    with_power,
    with_selector,
)
from ._mara_stats import (
    Brief,
    inner,
    read_boards,
    read_brief,
    read_fans,
    rows,
    status_of,
)

_MARKS = ("KAONSU", "MARAFW", "MARA FW")
_HISTORY = "log?type=miner_config_history"


class Mara(FlatMiner):
    """An Antminer with MARA's firmware.

    Sources: replies that users posted, and how other programs talk to it.
    """

    name = "mara"
    aliases = ("marathon", "marafw")
    make = "Bitmain"
    firmware = "mara"
    models = "Bitmain Antminer with MARA firmware (MARAFW)"
    transport = "HTTP with digest on 80; cgminer API on 4028"
    default_username = "root"
    factory_accounts = (("root", "root"),)
    confirm_longer: ClassVar[dict[Capability, float]] = {
        Capability.PAUSE: 180.0,
        Capability.POWER_LIMIT: 120.0,
        Capability.POWER_MODE: 120.0,
        Capability.POOLS: 120.0,
        Capability.FAN: 60.0,
    }
    restarts = frozenset(confirm_longer) - {Capability.PAUSE}

    def __init__(self, host: str, **options: Any) -> None:
        """Describe a miner without talking to it; options are those of ``Device``."""
        super().__init__(host, **options)
        self._web = Web(
            self.wire,
            self.port,
            self.username,
            self.password,
            folder="/kaonsu/v1/",
            patient=True,
        )
        self._config: Config | None = None
        self._awake: str | None = None
        self._mode_told: str | None = None

    @override
    @classmethod
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        """Know it by its names, of the process or of its web server's realm."""
        told = evidence.get(cgminer.VERSION, "") + evidence.get(http.ROOT, "")
        return 70 if any(mark in told.upper() for mark in _MARKS) else 0

    @property
    @override
    def _usable(self) -> bool:
        return self._web.usable

    # Who it is.

    @override
    def _named(self, told: str | None) -> Mapping[str, Any]:
        return {"model": told, "algorithm": algorithm(told)}

    @override
    async def _look(self) -> Mapping[str, Any]:
        self._config = None
        overview = inner(await self._web.get("overview"))
        network = inner(await self._part("network_config"))
        self._locating = await self._light()
        limits = await self._controls()
        return {
            **self._named(overview.text("model", "model_extended")),
            "firmware_version": overview.text("version_firmware"),
            "mac": mac_address(overview.text("mac")),
            "hostname": network.text("hostname"),
            "capabilities": tuple(name for name in Capability if name in limits),
            "limits": {name: limit for name, limit in limits.items() if limit},
        }

    async def _controls(self) -> dict[Capability, Any]:
        """Return what can be told, as far as its result can be read back."""
        limits: dict[Capability, Any] = {Capability.REBOOT: None}
        if self._locating is not None:
            limits[Capability.LOCATE] = None
        try:
            limits |= offered(await self._present())
        except NotSupported, InvalidReply:
            return limits
        return limits

    async def _part(self, name: str) -> Any:
        """Return a reply that the rest can do without."""
        try:
            return await self._web.ask(name)
        except NotSupported, InvalidReply:
            return None

    async def _light(self) -> bool | None:
        try:
            return await self._blinks()
        except NotSupported, InvalidReply:
            return None

    @override
    async def _blinks(self) -> bool | None:
        return inner(await self._web.get("locate_miner")).boolean("blinking")

    async def _present(self) -> Config:
        """Return what is set now."""
        reply = await self._web.get("miner_config")
        config = read_config(inner(reply).data)
        self._config = config
        self.authentication_error = None
        return config

    # What it does.

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> MinerStats:
        if not self._may_use_web():
            return await super()._fetch_stats(failed)
        try:
            reply = inner(await self._web.get("brief"))
        except (AuthenticationFailed, NotSupported) as error:
            self._blame_credentials(error)
            return await super()._fetch_stats(failed)
        brief = read_brief(Fields(reply.data, failed))
        await self._follow(brief, failed)
        boards = read_boards(await self._more("hashboards", failed), failed)
        fans = tuple(read_fans(await self._more("fans", failed), failed))
        pools = await self._optional(
            "pools", failed, lambda: self._pools(failed), Pools(known=False)
        )
        await self._look_at_light(failed)
        stats = self._composed(brief, pools, failed)
        chip = None if any(b.temperature_chip for b in boards) else brief.temperature
        return replace(stats, boards=boards, fans=fans, temperature_chip=chip)

    async def _more(self, name: str, failed: dict[str, str]) -> Any:
        field = {"hashboards": "boards"}.get(name, name)
        return await self._optional(field, failed, lambda: self._web.ask(name), None)

    async def _pools(self, failed: dict[str, str]) -> Pools:
        reply = await self._web.ask("pools")
        return read_pools({"pools": rows(reply, "pools")}, failed)

    async def _follow(self, brief: Brief, failed: dict[str, str]) -> None:
        """Read the settings again when another mode is told than before."""
        if brief.mode != self._mode_told or self._config is None:
            self._mode_told = brief.mode
            await self._optional("settings", failed, self._present, None)

    def _composed(
        self, brief: Brief, pools: Pools, failed: dict[str, str]
    ) -> MinerStats:
        config = self._config or read_config({})
        status = status_of(brief, pools)
        faults = brief.faults
        if pools.all_dead and status is not MinerStatus.PAUSED:
            faults = (*faults, ALL_POOLS_DEAD)
        if status is MinerStatus.UNKNOWN:
            word = brief.word[:40] or "nothing"
            failed.setdefault("status", f"it says {word!r} and does not hash")
        return MinerStats(
            status=status,
            hashrate=brief.hashrate,
            hashrate_average=brief.hashrate_average,
            hashrate_expected=brief.hashrate_expected,
            power=brief.power,
            power_limit=config.power_limit,
            power_mode=config.power_mode,
            pools=pools.pools,
            uptime=brief.uptime,
            locating=self._locating,
            settings=config.settings,
            faults=faults,
            failed=failed,
        )

    # What it is told.

    @override
    async def _fetch_settings(self) -> None:
        await self._present()

    async def _write(self, body: Mapping[str, Any]) -> None:
        await self._web.send("POST", "miner_config", orjson.dumps(body), JSON)

    @override
    async def _pause(self) -> None:
        config = await self._present()
        if not config.asleep:
            self._awake = config.selector
            await self._write(with_selector(config, SLEEP))

    @override
    async def _resume(self) -> None:
        config = await self._present()
        if config.asleep:
            mode = self._awake or before_sleep(await self._history()) or STOCK
            await self._write(with_selector(config, mode))
            self._awake = None

    async def _history(self) -> Any:
        """Return what was changed before, for a miner that others put to sleep."""
        try:
            return rows(await self._web.ask(_HISTORY), "history")
        except MiningSDKError:
            return None

    @override
    async def _set_power_limit(self, watts: float) -> None:
        await self._write(with_power(await self._awake_config(), watts))

    @override
    async def _set_power_mode(self, mode: str) -> None:
        await self._write(with_selector(await self._awake_config(), MODES[mode]))

    async def _awake_config(self) -> Config:
        config = await self._present()
        if config.asleep:
            raise CommandFailed("the miner is asleep; resume it first")
        return config

    @override
    async def _set_fan(self, duty: float | None) -> None:
        await self._write(with_fan(await self._present(), duty))

    @override
    async def _set_pools(self, pools: Sequence[PoolConfig]) -> None:
        await self._write(with_pools(await self._present(), pools))

    @override
    async def _locate(self, on: bool) -> None:
        body = orjson.dumps({"blinking": on})
        await self._web.send("POST", "locate_miner", body, JSON)
        # Whatever it was, the next reading has to look.
        self._locating = True

    @override
    async def _reboot(self) -> None:
        # Once this has answered, a broken connection means that it goes down.
        await self._web.get("overview")
        self.authentication_error = None
        try:
            await self._web.send(
                "POST", "maintenance", orjson.dumps({"type": "reboot"}), JSON
            )
        except DeviceUnreachable, InvalidReply:
            return


DRIVERS = (Mara,)

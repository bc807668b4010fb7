"""Antminer with Bitmain's own firmware, S9 to S23, air, hydro and immersion.

What it does is read from the mining process on port 4028, which asks for no
password; who it is, its settings and all commands go through the web server.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from time import monotonic
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
from ..fields import Fields, serial_number
from ..miner import Miner
from ..model import (
    Capability,
    DeviceInfo,
    Fault,
    MinerStats,
    MinerStatus,
    PoolConfig,
)
from ..seldom import Seldom
from ..transports import cgminer, http
from ..transports.json_reply import lenient
from ..transports.wire import Probe
from ._antminer_conf import (
    SLEEP,
    Change,
    Config,
    form_body,
    form_order,
    json_body,
    read_config,
)
from ._antminer_identity import Findings, identity, score
from ._antminer_link import Link
from ._antminer_models import is_modern, power_modes, tells_power
from ._antminer_pools import Pools
from ._antminer_stats import Reading
from ._antminer_status import START, compose
from ._digest_cgi import FORM, JSON, Web

_STATUS_PORT = 6060
_NO_FAULTS: tuple[Fault, ...] = ()
# Pools and faults are connections of their own, to a miner that hashes undisturbed.
_POOLS_EVERY = 2
_FAULTS_EVERY = 4
# Between these J/TH lies every Antminer; the status server has been seen to err.
_BEST, _WORST = 5.0, 250.0


class Antminer(Miner):
    """An Antminer with the firmware it was sold with.

    Sources: firmware images of Bitmain and recorded replies, see the private modules.
    """

    name = "antminer"
    aliases = ("bitmain", "miner-am")
    make = "Bitmain"
    firmware = "stock"
    models = "Bitmain Antminer S9 to S23, air, hydro and immersion, stock firmware"
    transport = "cgminer API on 4028, CGI with HTTP digest on 80"
    default_port = http.PORT
    default_username = "root"
    factory_accounts = (("root", "root"),)
    needs_password = "control"
    probes = (cgminer.VERSION, http.ROOT)
    # A changed mode restarts the mining process, which reads its boards anew.
    confirm_every = 3.0
    confirm_longer: ClassVar[dict[Capability, float]] = {
        Capability.PAUSE: 180.0,
        Capability.POWER_MODE: 180.0,
        Capability.POOLS: 120.0,
        Capability.FAN: 60.0,
    }
    restarts = frozenset({Capability.POWER_MODE, Capability.POOLS, Capability.FAN})
    # Sleep is one of the modes.
    lost_asleep = frozenset({Capability.POWER_MODE})

    def __init__(self, host: str, **options: Any) -> None:
        """Describe a miner without talking to it; options are those of ``Device``."""
        super().__init__(host, **options)
        self._web = Web(self.wire, self.port, self.username, self.password)
        self._link = Link(
            self.wire,
            self.port_of(cgminer.PORT),
            self.port_of(_STATUS_PORT),
            self._web,
            self._may_use_web,
        )
        self._pools: Seldom[Pools] = Seldom(_POOLS_EVERY)
        self._faults: Seldom[tuple[Fault, ...]] = Seldom(_FAULTS_EVERY)
        self._config: Config | None = None
        # Whether it is an X19 or later, whose web server takes other commands.
        self._modern: bool | None = None
        self._form: tuple[str, ...] = ()
        self._locating: bool | None = None
        self._awake_mode = 0
        self._silent_since: float | None = None

    @override
    @classmethod
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        """Know it by the realm of its web server and the type in its version."""
        return score(evidence.get(cgminer.VERSION, ""), evidence.get(http.ROOT, ""))

    def _may_use_web(self) -> bool:
        return self._web.usable and self.authentication_error is None

    # Who it is.

    @override
    async def _fetch_info(self) -> DeviceInfo:
        self._link.reset()
        self._pools.forget()
        self._faults.forget()
        self._config, self._form, self._locating = None, (), None
        reading = await self._first_reading()
        system = Fields(await self._page("get_system_info.cgi"))
        if reading is None and not system:
            await self._be_alive()
        await self._read_settings(reading, system)
        serial = serial_number(system.text("serinum"))
        if self._modern:
            found = await self._link.find_status_port()
            serial = serial or found
        if reading is not None and not reading.empty:
            await self._link.read_best_difficulty()
        web = Findings(
            modern=self._modern,
            config=self._config,
            form=self._form,
            light=self._locating is not None,
        )
        return identity(self.info, reading, system, serial, web)

    async def _first_reading(self) -> Reading | None:
        """Return a reading, or ``None`` while the mining process is not there."""
        try:
            return (await self._link.stats({}))[0]
        except DeviceUnreachable, NotSupported, CommandFailed:
            return None
        except AuthenticationFailed as error:
            self._blame_credentials(error)
            return None
        except InvalidReply:
            if self._link.via_web:
                return None
            raise

    async def _page(self, program: str) -> dict[str, Any] | None:
        """Return what a CGI program tells, or ``None`` where it cannot be had."""
        if not self._may_use_web():
            return None
        try:
            return await self._web.get(program)
        except MiningSDKError as error:
            self._blame_credentials(error)
            return None

    async def _be_alive(self) -> None:
        """Raise unless at least the web server answers and was not refused us."""
        if self.authentication_error is not None:
            raise AuthenticationFailed(self.authentication_error)
        await self._web.alive()

    async def _read_settings(self, reading: Reading | None, system: Fields) -> None:
        """Read what is set and what can be set, as far as the password allows."""
        reply = await self._page("get_miner_conf.cgi")
        config = None if reply is None else read_config(reply)
        told = None if reading is None else reading.model
        self._modern = is_modern(system.text("minertype") or told or self.info.model)
        if self._modern is None and reading is not None:
            self._modern = reading.new_api
        elif self._modern is None and config is not None:
            self._modern = config.looks_modern
        self._config = None if config is None else self._understood(config)
        self._form = form_order(await self._form_page())
        try:
            if self._config is not None:
                self._locating = await self._read_light()
        except MiningSDKError as error:
            self._blame_credentials(error)

    def _understood(self, config: Config) -> Config:
        """Return the settings; up to X17 the mode is another thing than sleep."""
        if self._modern is not False:
            return config
        # Its script writes the switch of the fans only while it is on.
        manual = config.settings.fan_automatic is False
        settings = replace(config.settings, fan_automatic=not manual)
        return replace(config, mode=None, settings=settings)

    async def _form_page(self) -> str:
        if self._modern is not False or not self._may_use_web():
            return ""
        try:
            return await self._web.page("minerConfiguration.cgi")
        except MiningSDKError as error:
            self._blame_credentials(error)
            return ""

    # What it does.

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> MinerStats:
        try:
            reading, pools = await self._link.stats(failed)
        except AuthenticationFailed as error:
            self._blame_credentials(error)
            return await self._stats_of_silent(failed)
        except DeviceUnreachable, NotSupported, CommandFailed:
            return await self._stats_of_silent(failed)
        except InvalidReply:
            if not self._link.via_web:
                raise
            return await self._stats_of_silent(failed)
        if self._silent_since is not None:
            # Back again: now it can tell more of who it is and what it can do.
            self._silent_since = None
            self.forget_info()
        await self._follow(reading, failed)
        # While it hashes there is time; else the rest has to tell why it does not.
        changing = not reading.hashing
        if pools is None:
            pools = await self._optional(
                "pools",
                failed,
                lambda: self._pools.get(self._link.pools, failed, now=changing),
                Pools(known=False),
            )
        faults = await self._optional(
            "faults",
            failed,
            lambda: self._faults.get(self._link.faults, failed, now=changing),
            _NO_FAULTS,
        )
        if reading.power is None:
            reading = replace(reading, power=await self._power(reading, failed))
        await self._look_at_light(failed)
        if reading.chips and reading.chips != self.info.chips:
            self._info = replace(self.info, chips=reading.chips)
        best = pools.best_difficulty or self._link.best_difficulty
        stats = compose(reading, pools, faults, self._config, failed)
        return replace(stats, best_difficulty=best, locating=self._locating)

    async def _follow(self, reading: Reading, failed: dict[str, str]) -> None:
        """Read the settings again when what it does hints at a change of them."""
        config = self._config
        if not self._modern or not self._may_use_web():
            return
        if reading.mode is not None:
            changed = config is not None and config.mode != reading.mode
        else:
            asleep = config is not None and config.mode == SLEEP
            changed = asleep or not reading.hashing
        if changed:
            try:
                await self._present()
            except MiningSDKError as error:
                self._blame_credentials(error)
                failed["settings"] = str(error)

    async def _stats_of_silent(self, failed: dict[str, str]) -> MinerStats:
        """Tell what can be told while the mining process does not answer."""
        now = monotonic()
        self._silent_since = since = self._silent_since or now
        config = await self._settings_of_silent()
        if config is None:
            await self._web.alive()
            failed["status"] = "the mining process does not answer" + (
                "" if self._web.usable else "; it takes a password to tell why"
            )
            return MinerStats(failed=failed)
        await self._look_at_light(failed)
        status = MinerStatus.STARTING
        if self._modern and config.mode == SLEEP:
            status = MinerStatus.PAUSED
        elif now - since > START:
            status = MinerStatus.UNKNOWN
            failed["status"] = "the mining process does not answer"
        return MinerStats(
            status=status,
            pools=config.unmined_pools(),
            locating=self._locating,
            settings=config.settings,
            failed=failed,
        )

    async def _settings_of_silent(self) -> Config | None:
        """Return the settings, which tell sleep; raise when it is not there at all."""
        if not self._may_use_web():
            return None
        try:
            return await self._present()
        except AuthenticationFailed as error:
            self._blame_credentials(error)
        except NotSupported:
            pass
        return None

    async def _power(self, reading: Reading, failed: dict[str, str]) -> float | None:
        """Return what the status server tells, unless it cannot be true."""
        if not reading.hashrate or not tells_power(self.info.model):
            return None
        watts = await self._link.power()
        if watts is None or _BEST <= watts / reading.hashrate <= _WORST:
            return watts
        failed["power"] = f"{watts:g} W cannot be true at this hashrate"
        return None

    async def _look_at_light(self, failed: dict[str, str]) -> None:
        """See whether it still blinks; the firmware stops by itself after minutes."""
        if self._locating and self._may_use_web():
            try:
                self._locating = await self._read_light()
            except MiningSDKError as error:
                self._blame_credentials(error)
                self._locating = None
                failed["locating"] = str(error)

    async def _read_light(self) -> bool | None:
        if self._modern is not False:
            light = Fields(await self._web.get("get_blink_status.cgi"))
            return light.boolean("blink")
        reply = await self._web.send("POST", "blink.cgi", b"action=onPageLoaded")
        return Fields(lenient(reply.encode())).boolean("isBlinking")

    # What it is told.

    @override
    async def _fetch_settings(self) -> None:
        self._pools.forget()
        self._faults.forget()
        await self._present()

    async def _present(self) -> Config:
        """Return what is set now."""
        reply = await self._web.get("get_miner_conf.cgi")
        config = self._understood(read_config(reply))
        self._config = config
        self.authentication_error = None
        return config

    async def _change(self, config: Config, change: Change) -> None:
        """Write the settings back as they are, but for the change."""
        if self._modern is not False:
            body, kind = json_body(config, change), JSON
        elif self._form:
            body, kind = form_body(config, change, self._form), FORM
        else:
            raise NotSupported("the settings form of this firmware is not known")
        await self._web.send("POST", "set_miner_conf.cgi", body, kind)

    @override
    async def _pause(self) -> None:
        config = await self._present()
        if config.mode != SLEEP:
            self._awake_mode = config.mode or 0
            await self._change(config, Change(mode=SLEEP))

    @override
    async def _resume(self) -> None:
        config = await self._present()
        if config.mode == SLEEP:
            await self._change(config, Change(mode=self._awake_mode))

    @override
    async def _set_power_mode(self, mode: str) -> None:
        config = await self._present()
        if config.mode == SLEEP:
            raise CommandFailed("the miner is asleep; resume it first")
        modes = power_modes(self.info.model, self.info.firmware_version)
        number = next(number for number, name in modes.items() if name == mode)
        await self._change(config, Change(mode=number))

    @override
    async def _set_fan(self, duty: float | None) -> None:
        fan = "auto" if duty is None else duty
        await self._change(await self._present(), Change(fan=fan))

    @override
    async def _set_pools(self, pools: Sequence[PoolConfig]) -> None:
        await self._change(await self._present(), Change(pools=pools))

    @override
    async def _locate(self, on: bool) -> None:
        if self._modern is not False:
            body, kind = orjson.dumps({"blink": on}), JSON
        else:
            body, kind = f"action={'start' if on else 'stop'}Blink".encode(), FORM
        await self._web.send("POST", "blink.cgi", body, kind)
        # Whatever it was, the next reading has to look.
        self._locating = True

    @override
    async def _reboot(self) -> None:
        # Once this has answered, a broken connection means that it goes down.
        await self._web.get("get_system_info.cgi")
        self.authentication_error = None
        try:
            await self._web.reboot()
        except DeviceUnreachable, InvalidReply:
            return


DRIVERS = (Antminer,)

"""Antminers with the firmware Hiveon ASIC.

What it does is read from the mining process on port 4028, which asks for no
password. The web server keeps Bitmain's CGI programs; since the X19 they put the
miner to sleep by the same setting.
"""

from collections.abc import Mapping, Sequence
import re
from typing import Any, override

import orjson

from ..errors import (
    DeviceUnreachable,
    InvalidReply,
    NotSupported,
)
from ..fields import Fields, mac_address
from ..model import Capability, MinerPool, MinerSettings, PoolConfig
from ..transports import cgminer
from ..transports.wire import Probe
from ._antminer_conf import SLEEP, Change, Config, json_body, read_config
from ._antminer_models import algorithm
from ._digest_cgi import JSON, Web
from ._flat_miner import FlatMiner

_MARK = "HIVEON"
_MARKED = re.compile(r"\s*\bhiveon\b\s*", re.IGNORECASE)
# What firmware of the X19 and later takes; that of older miners is only read.
_MODERN = (Capability.PAUSE, Capability.REBOOT, Capability.POOLS)


class Hiveon(FlatMiner):
    """An Antminer with Hiveon ASIC.

    Sources: what users of the firmware posted of its replies, and how other programs
    talk to it. The vendor publishes nothing on it.
    """

    name = "hiveon"
    aliases = ("hive", "hiveos-asic")
    make = "Bitmain"
    firmware = "hiveon"
    models = "Bitmain Antminer S9 to S19 with Hiveon ASIC firmware"
    transport = "cgminer API on 4028, CGI with HTTP digest on 80"
    default_username = "root"
    restarts = frozenset({Capability.POOLS})
    factory_accounts = (("root", "root"),)

    def __init__(self, host: str, **options: Any) -> None:
        """Describe a miner without talking to it; options are those of ``Device``."""
        super().__init__(host, **options)
        self._web = Web(
            self.wire, self.port, self.username, self.password, patient=True
        )
        self._config: Config | None = None
        self._awake_mode = 0

    @override
    @classmethod
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        """Know it by its name, which it adds to the type of the miner."""
        return 80 if _MARK in evidence.get(cgminer.VERSION, "").upper() else 0

    @property
    @override
    def _usable(self) -> bool:
        return self._web.usable

    @property
    @override
    def _settings(self) -> MinerSettings:
        return MinerSettings() if self._config is None else self._config.settings

    @property
    @override
    def _unmined_pools(self) -> tuple[MinerPool, ...]:
        return () if self._config is None else self._config.unmined_pools()

    # Who it is.

    @override
    def _named(self, told: str | None) -> Mapping[str, Any]:
        model = _MARKED.sub(" ", told or "").strip() or None
        return {"model": model, "algorithm": algorithm(model)}

    @override
    async def _look(self) -> Mapping[str, Any]:
        self._config = None
        system = Fields(await self._web.get("get_system_info.cgi"))
        config = await self._present()
        found = self._named(system.text("minertype"))
        capabilities: set[Capability] = set()
        if config.mode is not None:
            capabilities.update(_MODERN)
            self._locating = await self._light()
            if self._locating is not None:
                capabilities.add(Capability.LOCATE)
        return {
            **found,
            "mac": mac_address(system.text("macaddr")),
            "hostname": system.text("hostname"),
            "capabilities": tuple(c for c in Capability if c in capabilities),
            "limits": {},
        }

    async def _light(self) -> bool | None:
        try:
            return await self._blinks()
        except NotSupported, InvalidReply:
            return None

    async def _present(self) -> Config:
        """Return what is set now."""
        config = read_config(await self._web.get("get_miner_conf.cgi"))
        self._config = config
        self.authentication_error = None
        return config

    # What it does.

    @override
    async def _sleeps(self) -> bool | None:
        config = await self._present()
        return None if config.mode is None else config.mode == SLEEP

    @override
    async def _blinks(self) -> bool | None:
        return Fields(await self._web.get("get_blink_status.cgi")).boolean("blink")

    # What it is told.

    @override
    async def _fetch_settings(self) -> None:
        await self._present()

    async def _change(self, config: Config, change: Change) -> None:
        """Write the settings back as they are, but for the change."""
        await self._web.send(
            "POST", "set_miner_conf.cgi", json_body(config, change), JSON
        )

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
    async def _set_pools(self, pools: Sequence[PoolConfig]) -> None:
        await self._change(await self._present(), Change(pools=pools))

    @override
    async def _locate(self, on: bool) -> None:
        await self._web.send("POST", "blink.cgi", orjson.dumps({"blink": on}), JSON)
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


DRIVERS = (Hiveon,)

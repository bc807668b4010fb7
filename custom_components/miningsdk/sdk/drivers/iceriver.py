"""IceRiver: miners of Kaspa and Alephium, with the maker's firmware or iceriver-oc.

Source: protocols.md 12, the web interface of the vendor, and the API documentation of
iceriver-oc.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, ClassVar, override

from ..device import describe
from ..errors import (
    AuthenticationFailed,
    DeviceUnreachable,
    InvalidReply,
    MiningSDKError,
)
from ..fields import Fields
from ..miner import Miner
from ..model import (
    Capability,
    DeviceInfo,
    Limits,
    MinerSettings,
    MinerStats,
    PoolConfig,
)
from ..transports import http
from ..transports.wire import Probe
from . import _iceriver_stats as read
from ._iceriver_api import OpenApi, StockApi

_TITLE = "<title>用户界面</title>"
_MODEL_SERIES = "KS0 to KS7, AL0, AL3"
_PLACES = 3
_FIXED = "fixed"


class _IceRiver(Miner):
    """What all firmware of an IceRiver has in common: what it tells."""

    make = "IceRiver"
    models = _MODEL_SERIES

    def __init__(self, host: str, **options: Any) -> None:
        """Describe a miner; options are those of ``Device``."""
        super().__init__(host, **options)
        self._memory = read.Memory()
        # Whether it was told to sleep, as last read.
        self._asleep: bool | None = None

    @abstractmethod
    async def _fetch_panel(self) -> dict[str, Any]:
        """Return what the device does."""

    @abstractmethod
    async def _is_asleep(self) -> bool:
        """Ask the device whether it was told to sleep."""

    @override
    async def _fetch_settings(self) -> None:
        self._asleep = await self._is_asleep()

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> MinerStats:
        data = Fields(await self._fetch_panel(), failed)
        asleep: bool | None = False
        if self._asleep is not False or not read.hashes(data):
            asleep = await self._optional("status", failed, self._is_asleep, None)
            self._asleep = asleep
        return read.stats(data, self._memory, self.info.model, asleep=asleep)


class IceRiver(_IceRiver):
    """An IceRiver with the maker's firmware, or with early iceriver-oc.

    Reading is open to everybody, and is one request: two while nothing is hashed. The
    device would take commands from everybody too, but is given none without its
    password. A change of the pools or of the mode sets both and the fans, and restarts
    the mining process; the fans are automatic afterwards. Power is not measured.
    """

    name = "iceriver"
    firmware = "stock"
    transport = "HTTP 80, forms and JSON"
    default_port = http.PORT
    default_username = "admin"
    factory_accounts = (("admin", "12345678"),)
    needs_password = "control"
    probes = (http.ROOT,)
    confirm_longer: ClassVar[dict[Capability, float]] = {
        Capability.PAUSE: 120.0,
        Capability.POOLS: 120.0,
    }
    restarts = frozenset({Capability.POOLS})

    def __init__(self, host: str, **options: Any) -> None:
        """Describe a miner; options are those of ``Device``."""
        super().__init__(host, **options)
        self._api = StockApi(self.wire, self.port, self.username, self.password)

    @override
    @classmethod
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        return 50 if _TITLE in evidence.get(http.ROOT, "").lower() else 0

    @override
    async def _fetch_panel(self) -> dict[str, Any]:
        return await self._api.panel()

    @override
    async def _is_asleep(self) -> bool:
        return _sleeps(await self._api.config())

    @override
    async def _fetch_info(self) -> DeviceInfo:
        data = Fields(await self._api.panel())
        found: tuple[Capability, ...] = ()
        if self._api.has_login and await self._logged_in():
            found = (
                Capability.PAUSE,
                Capability.REBOOT,
                Capability.POOLS,
                Capability.LOCATE,
            )
        return describe(read.introduce(self.info, data), capabilities=found)

    async def _logged_in(self) -> bool:
        try:
            await self._api.check_login()
        except AuthenticationFailed as error:
            self._blame_credentials(error)
            return False
        return True

    @override
    async def _pause(self) -> None:
        await self._configure(asleep=True)

    @override
    async def _resume(self) -> None:
        await self._configure(asleep=False)

    @override
    async def _set_pools(self, pools: Sequence[PoolConfig]) -> None:
        await self._configure(pools=pools)

    async def _configure(
        self,
        *,
        asleep: bool | None = None,
        pools: Sequence[PoolConfig] | None = None,
    ) -> None:
        """Set everything at once, as it is now but for what is given."""
        config = await self._api.config()
        sleeps = _sleeps(config)
        if sleeps is asleep:
            return
        sleeps = sleeps if asleep is None else asleep
        form = {"fanmode": "sleep" if sleeps else "normal"}
        ratio = Fields(config).integer("ratio")
        if ratio is not None:
            form["fanratio"] = str(ratio)
        kept = pools or _stored(config) or _stored(await self._api.panel())
        for place in range(_PLACES):
            pool = kept[place] if place < len(kept) else None
            form[f"pool{place + 1}address"] = pool.url if pool else ""
            form[f"pool{place + 1}miner"] = pool.user if pool else ""
            form[f"pool{place + 1}pwd"] = pool.password if pool else ""
        await self._api.configure(form)

    @override
    async def _locate(self, on: bool) -> None:
        await self._api.locate(on=on)

    @override
    async def _reboot(self) -> None:
        # Once this has answered, a broken connection means that it goes down.
        await self._api.check_login()
        with suppress(DeviceUnreachable, InvalidReply):
            await self._api.reboot()


def _sleeps(config: Mapping[str, Any]) -> bool:
    mode = Fields(config).integer("mode")
    return mode is not None and mode != 1


def _stored(reply: Mapping[str, Any]) -> list[PoolConfig]:
    return [
        PoolConfig(
            url=url, user=pool.text("user") or "", password=pool.text("pass") or ""
        )
        for pool in Fields(reply).children("pools")
        if (url := pool.text("addr"))
    ]


class IceRiverOC(_IceRiver):
    """An IceRiver with iceriver-oc of 2024 or later, which tells nobody what it is.

    It is found by no scan, but used when it is named. The password is a token that the
    owner has made in the web interface, with the permissions that he wants it to have.
    Reading is one request: two while nothing is hashed. Clock and voltage are left
    alone, as this firmware takes any value.
    """

    name = "iceriver-oc"
    models = f"{_MODEL_SERIES} with iceriver-oc of 2024 or later"
    firmware = read.OPEN
    transport = "HTTPS 443 with a token, JSON"
    default_port = 443
    needs_password = "always"
    confirm_longer: ClassVar[dict[Capability, float]] = {
        Capability.PAUSE: 120.0,
        Capability.POOLS: 60.0,
    }

    def __init__(self, host: str, **options: Any) -> None:
        """Describe a miner; options are those of ``Device``."""
        super().__init__(host, **options)
        self._api = OpenApi(self.wire, self.port, self.password)
        self._fan = Fields(None)

    @override
    async def _fetch_panel(self) -> dict[str, Any]:
        return await self._api.get("/api/overview", "data", dict)

    @override
    async def _is_asleep(self) -> bool:
        machine = await self._api.get("/api/machine", "machine", dict)
        return Fields(machine).text("mode") == "sleep"

    @override
    async def _fetch_info(self) -> DeviceInfo:
        data = Fields(await self._fetch_panel())
        found = [
            Capability.PAUSE,
            Capability.REBOOT,
            Capability.POOLS,
            Capability.LOCATE,
        ]
        limits = {}
        try:
            await self._read_fan()
        except MiningSDKError as error:
            self._fan = Fields(None, {"settings": str(error)})
        if self._fan.text("mode") is not None:
            found.append(Capability.FAN)
            limits[Capability.FAN] = Limits(
                minimum=self._fan.number("min") or 0.0,
                maximum=100,
                step=1,
                options=("auto",),
            )
        told = read.introduce(self.info, data)
        return describe(
            told, firmware=read.OPEN, capabilities=tuple(found), limits=limits
        )

    async def _read_fan(self) -> None:
        self._fan = Fields(await self._api.get("/api/fan", "fan", dict))

    @override
    async def _fetch_settings(self) -> None:
        await super()._fetch_settings()
        await self._read_fan()

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> MinerStats:
        stats = await super()._fetch_stats(failed)
        failed.update(self._fan.failed)
        return replace(stats, settings=self._settings())

    def _settings(self) -> MinerSettings:
        mode = self._fan.text("mode")
        if mode is None:
            return MinerSettings()
        return MinerSettings(
            fan=self._fan.number("ratio", field="settings") if mode == _FIXED else None,
            fan_automatic=mode != _FIXED,
            target_temperature=self._fan.number("target", field="settings")
            if mode == "temp"
            else None,
        )

    @override
    async def _pause(self) -> None:
        await self._api.tell("/api/machine/sleep")

    @override
    async def _resume(self) -> None:
        await self._api.tell("/api/machine/wake")

    @override
    async def _reboot(self) -> None:
        # Once this has answered, a broken connection means that it goes down.
        await self._fetch_panel()
        with suppress(DeviceUnreachable, InvalidReply):
            await self._api.tell("/api/machine/reboot")

    @override
    async def _locate(self, on: bool) -> None:
        """Press the switch, unless it is so already."""
        if Fields(await self._fetch_panel()).boolean("locate") is not on:
            await self._api.tell("/api/machine/locate")

    @override
    async def _set_fan(self, duty: float | None) -> None:
        if duty is None:
            await self._api.tell("/api/fan/update", mode="auto")
        else:
            ratio = str(round(duty))
            await self._api.tell("/api/fan/update", mode=_FIXED, ratio=ratio)

    @override
    async def _set_pools(self, pools: Sequence[PoolConfig]) -> None:
        """Change the pools that are stored, add what is new, delete what is left."""
        listed = await self._api.get("/api/pool/list", "pools", list)
        stored = [pool for pool in map(Fields, listed) if pool.integer("id")]
        for place, pool in enumerate(pools):
            form = {
                "pool_address": pool.url,
                "wallet": pool.user,
                "pool_password": pool.password,
            }
            if place >= len(stored):
                await self._api.tell("/api/pool/create", **form)
            elif any(stored[place].text(key) != word for key, word in form.items()):
                number = str(stored[place].integer("id"))
                await self._api.tell("/api/pool/update", id=number, **form)
        for old in stored[len(pools) :]:
            await self._api.tell("/api/pool/delete", id=str(old.integer("id")))


DRIVERS = (IceRiver, IceRiverOC)

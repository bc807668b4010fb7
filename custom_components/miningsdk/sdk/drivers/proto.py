"""Proto Rig, Block's miner with exchangeable boards, and its Proto OS."""

from collections.abc import Mapping, Sequence
from functools import partial
from time import monotonic
from typing import Any, ClassVar, override

from ..device import describe
from ..errors import (
    AuthenticationFailed,
    CommandFailed,
    DeviceUnreachable,
    InvalidReply,
    NotSupported,
)
from ..fields import Fields, mac_address, serial_number
from ..miner import Miner
from ..model import Capability, DeviceInfo, Limits, MinerStats, PoolConfig
from ..transports import http
from ..transports.wire import Probe
from ._proto_api import ProtoApi
from ._proto_stats import Replies, Slot, power_of_supplies, read_stats, slots
from ._same_device import forget_another

_TITLE = "Proto OS"
_TARGET = "/mining/target"
_TELEMETRY = "/telemetry?level=miner,hashboard,psu"
# Besides what the miner does: field of the reading, and where it is told.
_PARTS = {
    "telemetry": _TELEMETRY,
    "cooling": "/cooling",
    "pools": "/pools",
    "errors": "/errors",
}
# What a target is made of; all of it is written back as it was, but for the change.
_TARGET_KEYS = (
    "power_target_watts",
    "performance_mode",
    "hash_on_disconnect",
    "balance_bays",
)
_POWER_MODES = ("MaximumHashrate", "Efficiency")
_FAN = Limits(minimum=0, maximum=100, step=1, options=("auto",))
_CUE_SECONDS = 120


class Proto(Miner):
    """A Proto Rig.

    A reading is five requests after a login, and one without: who it is and what its
    power supplies draw is all that it tells then. A pause is its stop, which leaves
    nothing but the control board on. The lamp goes out by itself and cannot be read
    back: ``locating`` tells whether it was lit from here. The range of the target
    temperature is not known, so that it is only read, as is a curtailment from
    outside. Source: see ``_proto_api``.
    """

    name = "proto"
    make = "Proto"
    firmware = "stock"
    aliases = ("proto-rig",)
    models = "Proto Rig"
    transport = "HTTP on 80 with a bearer token"
    default_port = http.PORT
    needs_password = "always"
    probes = (http.ROOT,)
    confirm_longer: ClassVar[dict[Capability, float]] = {
        Capability.PAUSE: 180.0,
        Capability.POWER_LIMIT: 60.0,
        Capability.POWER_MODE: 60.0,
        Capability.POOLS: 60.0,
    }
    unseen = frozenset({Capability.LOCATE})

    def __init__(self, *args: Any, **options: Any) -> None:
        """Describe a rig without talking to it; see ``Device``."""
        super().__init__(*args, **options)
        self._api = ProtoApi(self.wire, self.port, self.password)
        self._slots: tuple[Slot, ...] = ()
        # Whether the rig tells what it does, to whom it asks for a password or not.
        self._tells = False
        self._target = Fields(None)
        self._target_temperature: float | None = None
        self._cue_until = 0.0

    @override
    @classmethod
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        """Know it by the title of its page."""
        return 50 if _TITLE in evidence.get(http.ROOT, "") else 0

    # Who it is.

    @override
    async def _fetch_info(self) -> DeviceInfo:
        system = Fields(await self._api.get_open("/system")).child("system-info")
        if not system.has("cb_sn") and not system.has("product_name"):
            raise InvalidReply("the reply is not that of a Proto Rig")
        network = Fields(await self._part("/network")).child("network-info")
        self._slots = slots(await self._part("/hardware"))
        self._tells = await self._is_let_in()
        mac = mac_address(network.text("mac"))
        serial = serial_number(system.text("cb_sn"))
        limits = self._limits_offered() if self._tells else {}
        counts = [slot.chips for slot in self._slots if slot.chips is not None]
        return describe(
            forget_another(self.info, mac=mac, serial_number=serial),
            make=system.text("manufacturer") or self.make,
            model=system.text("model") or system.text("product_name"),
            firmware_version=system.child("os").text("version"),
            mac=mac,
            serial_number=serial,
            hostname=network.text("hostname") or system.child("os").text("hostname"),
            algorithm="sha256",
            chips=sum(counts) or None,
            capabilities=self._capabilities(limits),
            limits=limits,
        )

    async def _part(self, path: str) -> Any:
        """Ask for what the first time may be missing or broken."""
        try:
            return await self._api.get_open(path)
        except AuthenticationFailed, NotSupported:
            return None
        except InvalidReply:
            if self._connected:
                raise
            return None

    async def _is_let_in(self) -> bool:
        """Tell whether the rig answers more than who it is; read its target."""
        try:
            self._target = Fields(await self._api.get(_TARGET))
        except AuthenticationFailed as error:
            self._blame_credentials(error)
            return False
        except InvalidReply, NotSupported:
            self._target = Fields(None)
            return self._api.has_password
        return True

    def _limits_offered(self) -> dict[Capability, Limits]:
        if not self._api.has_password:
            return {}
        limits = {
            Capability.FAN: _FAN,
            Capability.POOLS: Limits(minimum=1, maximum=3, step=1),
        }
        low = self._target.number("power_target_min_watts")
        high = self._target.number("power_target_max_watts")
        if low is not None and high is not None and low < high:
            watts = Limits(minimum=low, maximum=high, step=1)
            limits[Capability.POWER_LIMIT] = watts
        if self._target.has("performance_mode"):
            limits[Capability.POWER_MODE] = Limits(options=_POWER_MODES)
        return limits

    def _capabilities(
        self, limits: Mapping[Capability, Limits]
    ) -> tuple[Capability, ...]:
        if not limits:
            return ()
        return (Capability.PAUSE, Capability.REBOOT, Capability.LOCATE, *limits)

    # What it does.

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> MinerStats:
        if not self._tells:
            return await self._stats_without_login(failed)
        try:
            mining = await self._api.get("/mining")
        except AuthenticationFailed as error:
            self._blame_credentials(error)
            return await self._stats_without_login(failed)
        if not Fields(mining).child("mining-status"):
            raise InvalidReply("the reply is not that of a Proto Rig")
        parts = {
            name: await self._optional(name, failed, partial(self._api.get, path), None)
            for name, path in _PARTS.items()
        }
        stats = read_stats(
            Replies(mining=mining, failed=failed, **parts),
            self._slots,
            power_mode=self._target.text("performance_mode"),
            locating=monotonic() < self._cue_until,
        )
        if stats.settings.target_temperature is not None:
            self._target_temperature = stats.settings.target_temperature
        return stats

    async def _stats_without_login(self, failed: dict[str, str]) -> MinerStats:
        """Tell what the rig draws, which is all that it tells to anybody."""
        failed["status"] = self.authentication_error or "the device does not tell it"
        reply = await self._optional(
            "power", failed, lambda: self._api.get_open("/power-supplies"), None
        )
        return MinerStats(power=power_of_supplies(reply, failed), failed=failed)

    # What it is told.

    @override
    async def _fetch_settings(self) -> None:
        self._target = Fields(await self._api.get(_TARGET))

    async def _aim(self, **change: object) -> None:
        """Change one thing about the target; what is left out may be set back."""
        await self._fetch_settings()
        now = self._target.data
        kept = {key: now[key] for key in _TARGET_KEYS if now.get(key) is not None}
        await self._api.send("PUT", _TARGET, {**kept, **change})

    @override
    async def _pause(self) -> None:
        await self._api.send("POST", "/mining/stop")

    @override
    async def _resume(self) -> None:
        await self._api.send("POST", "/mining/start")

    @override
    async def _reboot(self) -> None:
        # Once this has answered, a broken connection means that it goes down.
        await self._api.get_open("/system")
        try:
            await self._api.send("POST", "/system/reboot")
        except DeviceUnreachable, InvalidReply:
            return

    @override
    async def _locate(self, on: bool) -> None:
        """Light the lamp for a while, or put out the one that was lit from here."""
        if on:
            path = f"/system/locate?led_on_time={_CUE_SECONDS}"
            await self._api.send("POST", path)
            self._cue_until = monotonic() + _CUE_SECONDS
        elif (left := self._cue_until - monotonic()) > 0:
            words = await self._api.send("POST", "/system/locate?enable=false")
            if "deactivat" not in words.lower():
                raise CommandFailed(
                    f"this firmware cannot put the lamp out: it goes out by itself in "
                    f"{left:.0f} s"
                )
            self._cue_until = 0.0

    @override
    async def _set_power_limit(self, watts: float) -> None:
        await self._aim(power_target_watts=round(watts))

    @override
    async def _set_power_mode(self, mode: str) -> None:
        await self._aim(performance_mode=mode)

    @override
    async def _set_fan(self, duty: float | None) -> None:
        wanted: dict[str, object] = {"mode": "Auto"}
        if duty is not None:
            wanted = {"mode": "Manual", "speed_percentage": round(duty)}
        elif self._target_temperature is not None:
            wanted["target_temperature_c"] = self._target_temperature
        await self._api.send("PUT", "/cooling", wanted)

    @override
    async def _set_pools(self, pools: Sequence[PoolConfig]) -> None:
        wanted = [
            {
                "url": pool.url,
                "username": pool.user,
                "password": pool.password,
                "priority": priority,
            }
            for priority, pool in enumerate(pools)
        ]
        await self._api.send("POST", "/pools", wanted)


DRIVERS = (Proto,)

"""What Bitaxe and the Nerd family have in common: reading and most settings."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from math import gcd, inf
from time import monotonic
from typing import Any, override

from ..device import describe
from ..errors import CommandFailed
from ..fields import Fields, mac_address, number
from ..miner import Miner
from ..model import Capability, DeviceInfo, Limits, MinerStats, PoolConfig
from ._axeos_api import INFO, RESTART_PATH, SETTINGS_PATH, AxeApi
from ._axeos_pools import Target, are_stored, slots, targets
from ._axeos_stats import STARTS_WITHIN, is_paused, read_stats

type Offer = dict[Capability, Limits | None]

_FULL_DUTY = 100.0
# What is told with every reading, and changes who the device is or what it takes.
_HINTS = ("macAddr", "version", "overclockEnabled", "minFanSpeed", "otp")


class AxeMiner(Miner):
    """A miner with AxeOS or a descendant of it.

    A reading is one GET of ``/api/system/info``; once an hour, and when that reply
    shows another device, firmware or limit, who it is is asked for with two more.
    """

    firmware = "axeos"
    transport = "HTTP, port 80"
    default_port = 80
    probes = (INFO,)
    zeroconf_types = ("_http._tcp.local.",)

    def __init__(self, *args: Any, **options: Any) -> None:
        """Describe a device without talking to it; see ``Device``."""
        super().__init__(*args, **options)
        self._api = AxeApi(self.wire, self.port)
        self._reply = Fields(None)
        self._asic = Fields(None)
        self._hints: tuple[object, ...] = ()
        self._fans_seen = 1
        self._slept = False
        self._woke_at = -inf

    @abstractmethod
    def _describe(self, reply: Fields, asic: Fields) -> dict[str, Any]:
        """Return make, model and number of chips."""

    @abstractmethod
    def _offer(self, reply: Fields, asic: Fields) -> Offer:
        """Return what this firmware can be told, with the limits of it."""

    @abstractmethod
    async def _write(self, method: str, path: str, json: object = None) -> str:
        """Send a command."""

    @abstractmethod
    async def _write_pools(self, wanted: Sequence[Target]) -> None:
        """Store the pools."""

    @abstractmethod
    def _pools_need_restart(self) -> bool:
        """Tell whether stored pools are used only after a restart."""

    @override
    async def _fetch_info(self) -> DeviceInfo:
        reply = Fields(await self._api.info())
        if (asic := await self._api.asic()) is not None:
            self._asic = Fields(asic)
        self._reply, self._hints = reply, _hints(reply)
        offer = self._offer(reply, self._asic)
        # A clone that took the address may not tell what its forerunner told.
        unknown = replace(self.info, mac=None, hostname=None, chips=None)
        return describe(
            unknown,
            firmware_version=reply.text("version"),
            mac=mac_address(reply.text("macAddr")),
            hostname=reply.text("hostname"),
            algorithm="sha256",
            capabilities=tuple(offer),
            limits={what: limits for what, limits in offer.items() if limits},
            **self._describe(reply, self._asic),
        )

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> MinerStats:
        reply = Fields(await self._api.info(), failed)
        if _hints(reply) != self._hints:
            await self._refresh_info()
            self._fans_seen = 1
        self._reply = reply
        stats = read_stats(
            reply,
            chips=self.info.chips,
            fans=self._fans_seen,
            waking=self._is_waking(reply),
            locating=self._is_locating(),
        )
        self._fans_seen = max(self._fans_seen, len(stats.fans))
        return stats

    def _is_waking(self, reply: Fields) -> bool:
        """Tell whether the last sleep ended just now, whoever ended it."""
        now, asleep = monotonic(), is_paused(reply)
        if self._slept and not asleep:
            self._woke_at = now
        self._slept = asleep
        return now - self._woke_at < STARTS_WITHIN

    def _is_locating(self) -> bool | None:
        return None

    async def _patch(self, **settings: object) -> None:
        await self._write("PATCH", SETTINGS_PATH, settings)

    @override
    async def _reboot(self) -> None:
        await self._write("POST", RESTART_PATH)

    @property
    def _fan_key(self) -> str:
        """Return the key that sets the duty; it was renamed in 2.11."""
        return "manualFanSpeed" if self._reply.has("manualFanSpeed") else "fanspeed"

    def _automatic_fan(self) -> int:
        return 1

    @override
    async def _set_fan(self, duty: float | None) -> None:
        if duty is None:
            await self._patch(autofanspeed=self._automatic_fan())
        else:
            await self._patch(**{"autofanspeed": 0, self._fan_key: round(duty)})

    @override
    async def _set_voltage(self, volts: float) -> None:
        await self._patch(coreVoltage=round(volts * 1000))

    @override
    async def _set_pools(self, pools: Sequence[PoolConfig]) -> None:
        """Store the pools and see to it that they are used.

        What the firmware does not know it ignores with a 200: the miner is restarted
        only once it shows the new pools.
        """
        wanted = targets(pools, slots(self._reply))
        await self._write_pools(wanted)
        self._reply = Fields(await self._api.info())
        if not are_stored(self._reply, wanted):
            raise CommandFailed("the device took the pools, but still shows the old")
        if self._pools_need_restart():
            await self._reboot()


def _hints(reply: Fields) -> tuple[object, ...]:
    return tuple(reply.data.get(key) for key in _HINTS)


def fan_limits(minimum: float) -> Limits:
    """Return the limits of a fan that also runs by itself."""
    return Limits(minimum=minimum, maximum=_FULL_DUTY, step=1, options=("auto",))


def options(asic: Fields, key: str) -> list[int]:
    """Return the values on offer, in MHz or mV, smallest first."""
    listed = asic.data.get(key)
    return sorted(
        {round(value) for raw in listed if (value := _option(raw)) is not None}
        if isinstance(listed, list)
        else ()
    )


def _option(raw: object) -> float | None:
    try:
        value = number(raw)
    except ValueError:
        return None
    return value if value is not None and value > 0 else None


def range_of(values: Sequence[int], *, scale: float = 1.0) -> Limits | None:
    """Return the range that the values span, in steps that meet every one of them."""
    if not values:
        return None
    step = gcd(*(value - values[0] for value in values)) or 1
    return Limits(
        minimum=round(values[0] * scale, 3),
        maximum=round(values[-1] * scale, 3),
        step=round(step * scale, 3),
    )

"""Simulated miners that run a descendant of AxeOS and are no Bitaxe."""

from collections.abc import Callable
from typing import Any, ClassVar, override

from tests.simulators.axeos import SimulatedAxeOS
from tests.simulators.axeos_base import Hardware

_NO_FAN_CONTROL = ("autofanspeed", "fanspeed", "fanrpm", "overheat_mode")
_BITDSK_LACKS = (
    *("power", "voltage", "vrTemp", "coreVoltage", "coreVoltageActual"),
    *("bestSessionDiff", "smallCoreCount", "asicCount", "runningPartition"),
    *("isUsingFallbackStratum", "macAddr", *_NO_FAN_CONTROL),
)


def _board(family: str, asic: str, cores: int, chips: int, power: float) -> Hardware:
    return Hardware(
        board="0",
        family=family,
        asic=asic,
        cores=cores,
        chips=chips,
        power=power,
        frequency=525,
        voltage=1150,
        fans=1,
        frequencies=(400, 490, 525, 550),
        voltages=(1100, 1150, 1200),
    )


class SimulatedClone(SimulatedAxeOS):
    """A clone of a Bitaxe with an open firmware; ``variant`` is one of ``VARIANTS``.

    "LV08" is a Lucky Miner with ESP-Miner-LVXX, "BitForge" a BitForge Nano with
    ForgeOS, "Zyber8S" one with ESP-Miner-Zyber, and "Bitdsk" one with its own.
    """

    VARIANTS: ClassVar[tuple[str, ...]] = ("LV08", "BitForge", "Zyber8S", "Bitdsk")

    def __init__(
        self, host: str = "127.0.0.1", *, variant: str = "LV08", **options: Any
    ) -> None:
        """Describe a clone that is not switched on yet."""
        generation = {"LV08": "2.11.0", "Bitdsk": "2.0.0", "Zyber8S": "2.8.0"}
        options.setdefault("firmware", generation.get(variant, "2.11.0"))
        self.variant = variant
        super().__init__(host, **options)
        self.hardware = {
            "LV08": _board("LV08", "BM1366", 894, 9, 105),
            "BitForge": _board("BITFORGE_NANO", "BM1370", 2040, 2, 38),
            "Zyber8S": _board("Zyber8S", "BM1368", 1276, 8, 140),
            "Bitdsk": _board("Bitdsk", "BM1366", 894, 1, 12),
        }[variant]
        self.settings |= {"frequency": 525, "coreVoltage": 1150}
        self.spike = False

    @property
    @override
    def has_asic_page(self) -> bool:
        return self.variant in ("LV08", "Zyber8S")

    @override
    def since(self, *version: int) -> bool:
        # ForgeOS numbers itself anew; it knows pauses, but no cue and no target.
        if self.variant == "BitForge" and version == (2, 14):
            return True
        return super().since(*version)

    @override
    def info(self) -> dict[str, Any]:
        told = super().info()
        disguise: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "LV08": lambda told: told | {"boardVersion": "302"},
            "BitForge": self._as_forge,
            "Zyber8S": self._as_zyber,
            "Bitdsk": self._as_bitdsk,
        }
        return disguise[self.variant](told)

    def _as_forge(self, told: dict[str, Any]) -> dict[str, Any]:
        duty = told.pop("fanspeed")
        for key in ("temptarget", "hashrateMonitor", "expectedHashrate", "temp2"):
            told.pop(key)
        cold = told["temp"] <= 0
        told["temp"] = 0 if cold else told["temp"]
        told["hashRate"] *= 1e6 if self.spike else 1
        return told | {
            "asicCount": 2,
            "fanSpeed": duty,
            "chiptemp1": 0 if cold else told["temp"] - 1.5,
            "chiptemp2": 0 if cold else told["temp"] + 1.5,
            "miningState": "paused" if self.asleep else "mining",
            "boardVersion": "800",
            "version": "v1.5",
        }

    def _as_zyber(self, told: dict[str, Any]) -> dict[str, Any]:
        return told | {
            "boardVersion": "1000",
            "beneathfanspeed": 40,
            "runningMode": 1,
            "chipSubmitStr": "",
            "version": "v2.11.8-Zyber",
        }

    def _as_bitdsk(self, told: dict[str, Any]) -> dict[str, Any]:
        speed = told["fanrpm"]
        for key in _BITDSK_LACKS:
            told.pop(key, None)
        for key in [key for key in told if key.startswith("fallback")]:
            told.pop(key)
        return told | {
            "fanSpeedRpm": speed,
            "networkdiff": 1.2e14,
            "staticipopen": 0,
            "staticip": "",
            "wifiPass": "wifi-secret",
            "stratumPassword": "pool-secret",
            "boardVersion": "0.11",
            "version": "v2.0.3",
        }

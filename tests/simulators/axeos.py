"""A simulated Bitaxe with AxeOS of any generation, or a clone of one."""

from collections.abc import Callable
import time
from typing import Any, override

from aiohttp import web
import orjson

from .axeos_base import (
    POOL_KEYS,
    SimulatedAxe,
    is_flag,
    number_within,
    pool_record,
    suffixed,
)
from .families import Family

_NO_ROUTE = orjson.dumps({"error": "unknown route"})


class SimulatedAxeOS(SimulatedAxe):
    """A Bitaxe with AxeOS 2.0 to 2.15; ``model`` is its board version.

    With ``clone`` it is a Lucky Miner: AxeOS of 2024 with a board version that is not
    its own, without MAC address and without a fallback pool.
    """

    default_model = "601"
    title = "AxeOS"

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        firmware: str = "2.15.0",
        hostname: str = "bitaxe",
        overclock: bool = False,
        clone: str | None = None,
        **options: Any,
    ) -> None:
        """Describe a Bitaxe that is not switched on yet."""
        super().__init__(host, firmware=firmware, hostname=hostname, **options)
        self.clone = clone
        self.cue_until = 0.0
        if self.since(2, 15):
            self.records.append(pool_record("pool.example", 3333, "unused"))
        self.settings |= {
            "autofanspeed": 1,
            "manualFanSpeed": 70,
            "minFanSpeed": 25,
            "temptarget": 60,
            "overclockEnabled": int(overclock),
            "overheat_mode": int(self.overheated),
        }

    @property
    def has_asic_page(self) -> bool:
        """Tell whether the firmware tells its chips on a page of their own."""
        return self.since(2, 7) and not self.clone

    @property
    def _fan_setting(self) -> str:
        return "manualFanSpeed" if self.since(2, 11) else "fanspeed"

    @property
    def duty(self) -> float:
        """Return the duty of the fans of now, in %."""
        if self.overheated:
            return 100.0
        if self.asleep:
            return 30.0
        if not self.settings["autofanspeed"]:
            return float(self.settings["manualFanSpeed"])
        lowest: float = self.settings["minFanSpeed"]
        return max(round(44 * self.wander(29, 0.05)), lowest)

    @override
    def info(self) -> dict[str, Any]:
        if self.clone:
            return self._clone_info()
        told = self._oldest()
        for version, more in (
            ((2, 3), self._since_2_3),
            ((2, 6), self._since_2_6),
            ((2, 8), self._since_2_8),
            ((2, 11), self._since_2_11),
            ((2, 12), self._since_2_12),
            ((2, 14), self._since_2_14),
            ((2, 15), self._since_2_15),
        ):
            if self.since(*version):
                told |= more()
        if self.power_fault and self.since(2, 6):
            told["power_fault"] = self.power_fault
        if self.hardware_fault and self.since(2, 14):
            told["hardware_fault"] = self.hardware_fault
        return told

    def _chip_temperature(self) -> float:
        if self.asleep or self.overheated:
            return -1
        target: float = self.settings["temptarget"]
        return round(target * self.wander(41), 3)

    def _oldest(self) -> dict[str, Any]:
        hardware, settings = self.hardware, self.settings
        best = 4_290_000.0 + self.serial * 1000
        return {
            "power": round(self.power, 6),
            "voltage": 5137.5 if hardware.chips < 3 else 12087.5,
            "current": round(self.power / 5.1 * 1000, 2),
            "temp": self._chip_temperature(),
            "vrTemp": round(52 * self.wander(53), 2),
            "hashRate": round(self.hashrate, 6),
            "bestDiff": best if self.since(2, 11) else suffixed(best),
            "bestSessionDiff": 21_000 if self.since(2, 11) else "21k",
            "coreVoltage": settings["coreVoltage"],
            "coreVoltageActual": settings["coreVoltage"] - 4 if not self.asleep else 0,
            "frequency": settings["frequency"],
            "ssid": "mine",
            "hostname": self.hostname,
            "wifiStatus": "Connected!",
            "sharesAccepted": self.shares,
            "sharesRejected": self.shares // 200,
            "uptimeSeconds": int(self.uptime),
            "smallCoreCount": hardware.cores,
            "ASICModel": hardware.asic,
            **({} if self.since(2, 9) else {"asicCount": hardware.chips}),
            **self._flat_pools(),
            "isUsingFallbackStratum": 0,
            "version": f"v{self.firmware}",
            "boardVersion": hardware.board,
            "runningPartition": "ota_0",
            "overheat_mode": int(self.overheated),
            "autofanspeed": settings["autofanspeed"],
            "fanspeed": self.duty,
            "fanrpm": round(self.duty * 71 * self.wander(7)),
        }

    def _since_2_3(self) -> dict[str, Any]:
        return {"macAddr": self.mac}

    def _since_2_6(self) -> dict[str, Any]:
        return {
            "wifiRSSI": -48,
            "sharesRejectedReasons": [],
            "temptarget": self.settings["temptarget"],
        }

    def _since_2_8(self) -> dict[str, Any]:
        return {
            "expectedHashrate": self.expected,
            "overclockEnabled": self.settings["overclockEnabled"],
            "minFanSpeed": self.settings["minFanSpeed"],
            "temp2": -1,
        }

    def _since_2_11(self) -> dict[str, Any]:
        chips = self.hardware.chips
        total = round(self.hashrate / chips, 4)
        second = round(self.duty * 69) if self.hardware.fans > 1 else 0
        return {
            "manualFanSpeed": self.settings["manualFanSpeed"],
            "fan2rpm": second,
            "ipv4": self.host,
            "errorPercentage": 0.2,
            "stratumTLS": self.records[0]["stratumTLS"],
            "fallbackStratumTLS": self.records[1]["stratumTLS"],
            "hashrateMonitor": {
                "asics": [
                    {"total": total, "domains": [total / 4] * 4, "errorCount": n + 3}
                    for n in range(chips)
                ]
            },
        }

    def _since_2_12(self) -> dict[str, Any]:
        # These averages stand still while nothing is hashed.
        return {
            "hashRate_1m": round(self.expected * 0.998, 4),
            "hashRate_10m": round(self.expected * 0.995, 4),
            "hashRate_1h": round(self.expected * 0.99, 4),
            "resetReason": "Software reset via esp_restart",
        }

    def _since_2_14(self) -> dict[str, Any]:
        return {
            "miningPaused": self.asleep,
            "actualFrequency": round(self.settings["frequency"] * self._level, 2),
            "cpuUsage": 12.5,
        }

    def _since_2_15(self) -> dict[str, Any]:
        return {
            "totalUptimeSeconds": int(self.uptime) + 90_000,
            "primaryPoolIndex": 0,
            "secondaryPoolIndex": 1,
            "pools": [
                {"id": number, **record, "stratumPassword": "*****"}
                for number, record in enumerate(self.records)
            ],
        }

    def _clone_info(self) -> dict[str, Any]:
        gone = (
            "macAddr",
            "hostname",
            "vrTemp",
            "asicCount",
            "fanrpm",
            "smallCoreCount",
        )
        told = self._oldest()
        told["fanSpeed"] = told["fanrpm"]
        for key in (*gone, *(k for k in told if k.startswith("fallback"))):
            told.pop(key, None)
        return told | {
            "minerModel": self.clone,
            "initMiner": "lucky",
            "version": "1.1.0",
            "boardVersion": "302",
        }

    @override
    def reply(self, body: dict[str, Any]) -> web.Response:
        return web.Response(
            body=orjson.dumps(body, option=orjson.OPT_INDENT_2),
            content_type="application/json",
            headers={"Access-Control-Allow-Origin": "*"},
        )

    @override
    async def _answer_more(self, request: web.Request) -> web.Response:
        if (known := self._answer_known(request)) is not None:
            return known
        path = request.path
        pool = path.startswith("/api/system/pools/") and self.since(2, 15)
        if pool and request.method == "PUT":
            return self._put_pool(path, await request.read())
        if path.startswith("/api"):
            return web.Response(
                status=404, body=_NO_ROUTE, content_type="application/json"
            )
        return web.Response(status=302, headers={"Location": "/"})

    def _answer_known(self, request: web.Request) -> web.Response | None:
        match request.method, request.path:
            case "GET", "/api/system/asic" if self.has_asic_page:
                return self.reply(self.asic())
            case "POST", "/api/system/pause" if self.since(2, 14):
                self.asleep = self.asleep or not self.stubborn
                return self.reply({"message": "Mining paused"})
            case "POST", "/api/system/resume" if self.since(2, 14):
                if not self.stubborn:
                    self.wake()
                return self.reply({"message": "Mining resumed"})
            case "POST", "/api/system/identify" if self.since(2, 12):
                return self.reply({"message": self._identify()})
        return None

    @override
    def _restarted(self, request: web.Request) -> web.Response:
        self.cue_until = 0.0
        plain = super()._restarted(request)
        if not self.since(2, 12):
            return plain
        return self.reply({"message": "System will restart shortly."})

    def _identify(self) -> str:
        if time.monotonic() < self.cue_until:
            self.cue_until = 0.0
            return 'The device no longer says "Hi!".'
        self.cue_until = time.monotonic() + 30
        return 'The device says "Hi!" for 30 seconds.'

    def _put_pool(self, path: str, body: bytes) -> web.Response:
        number = int(path.rpartition("/")[2])
        wanted = orjson.loads(body)
        needed = ("stratumURL", "stratumPort", "stratumUser")
        fits = all(
            check(wanted.get(k, 1)) for k, check in POOL_KEYS.items() if k in wanted
        )
        if not fits or not all(wanted.get(key) for key in needed):
            return web.Response(status=400, text="Invalid pool configuration payload")
        if not self.stubborn:
            self.records[number] = {**pool_record("", 0, ""), **wanted}
        return self.reply({"message": "Pool updated successfully"})

    @override
    def apply(self, wanted: dict[str, Any]) -> bool:
        checks: dict[str, Callable[[object], bool]] = {
            "frequency": number_within(1, 65535),
            "coreVoltage": number_within(1, 65535),
            "autofanspeed": is_flag,
            self._fan_setting: number_within(0, 100),
            "minFanSpeed": number_within(0, 99),
            "temptarget": number_within(35, 66),
            "overclockEnabled": is_flag,
        }
        known = {key: value for key, value in wanted.items() if key in checks}
        if not all(checks[key](value) for key, value in known.items()):
            return False
        if not self.since(2, 15) and not self._patch_pools(wanted):
            return False
        if self._fan_setting in known:
            known["manualFanSpeed"] = known.pop(self._fan_setting)
        self.settings |= known
        return True

    @override
    def _takes_tls(self, name: str) -> bool:
        return not name.endswith("TLS") or self.since(2, 11)


FAMILIES = (Family("axeos", SimulatedAxeOS, options={"ramp": 0}),)

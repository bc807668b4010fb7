"""A simulated miner of the Nerd family."""

from collections.abc import Mapping
import time
from typing import Any, override

from aiohttp import web

from .axeos_base import SimulatedAxe
from .families import Family

_BLOCKED_FOR = 300.0
_FAILURES = 5


class SimulatedNerdAxe(SimulatedAxe):
    """A NerdQAxe++ or the like, with firmware 1.0.30 to 1.0.38.

    With ``otp`` it asks for one-time passwords: ``otp_code`` or ``otp_session``.
    ``cut_off`` is what overheating does: the chips lose their voltage, and nothing
    else tells of it.
    """

    default_model = "NerdQAxe++"
    title = "NerdOS"

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        firmware: str = "1.0.36",
        hostname: str = "nerdqaxe",
        otp: bool = False,
        otp_code: str = "123456",
        otp_session: str = "LGQ7I2GZ6L2WRCJXHJHA.7NGNYMKM5MK6WVI3NJHT",
        cut_off: bool = False,
        pool_mode: int = 0,
        **options: Any,
    ) -> None:
        """Describe a miner that is not switched on yet."""
        super().__init__(host, firmware=firmware, hostname=hostname, **options)
        self.otp = otp
        self.otp_code = otp_code
        self.otp_session = otp_session
        self.cut_off = cut_off
        self.pool_mode = pool_mode
        self.otp_failures = 0
        self._blocked_until = 0.0
        self.settings |= {
            "autofanspeed": 2,
            "manualFanSpeed": 80,
            "pidTargetTemp": 56,
        }

    @property
    def _dead(self) -> bool:
        return self.asleep or self.cut_off

    @property
    def duty(self) -> int:
        """Return the duty of the fans of now, in %."""
        if not self.settings["autofanspeed"]:
            return int(self.settings["manualFanSpeed"])
        return round(62 * self.wander(29, 0.05))

    @override
    def info(self) -> dict[str, Any]:
        hardware, settings = self.hardware, self.settings
        rate = 0.0 if self._dead else self.hashrate
        told = {
            "asicCount": hardware.chips,
            "smallCoreCount": hardware.cores,
            "deviceModel": hardware.family,
            "hostip": self.host,
            "macAddr": self.mac,
            "wifiRSSI": -51,
            "power": 1.4 if self._dead else round(self.power, 3),
            "maxPower": 100,
            "minPower": 52,
            "voltage": 11_893.75,
            "current": round(self.power / 12 * 1000, 3),
            "temp": round(54 * self.wander(41), 2),
            "vrTemp": round(61 * self.wander(53), 2),
            "hashRate": round(rate, 3),
            **self._averages(rate),
            "coreVoltage": settings["coreVoltage"],
            "defaultCoreVoltage": hardware.voltage,
            "coreVoltageActual": 0 if self._dead else settings["coreVoltage"] - 2,
            "sharesAccepted": self.shares,
            "sharesRejected": self.shares // 150,
            "fanspeed": self.duty,
            "fanrpm": round(self.duty * 31),
            "pidTargetTemp": settings["pidTargetTemp"],
            "hostname": self.hostname,
            "ssid": "mine",
            **self._flat_pools(),
            "frequency": settings["frequency"],
            "defaultFrequency": hardware.frequency,
            "overheat_temp": 70,
            "autofanspeed": settings["autofanspeed"],
            "ASICModel": hardware.asic,
            "uptimeSeconds": int(self.uptime),
            "lastResetReason": "RESET_POWERON",
            "wifiStatus": "SYSTEM.WIFI_CONNECTED",
            "version": f"v{self.firmware}",
        }
        if self.since(1, 0, 36):
            return told | self._newer()
        linked = not self.pool_down
        return told | {"isStratumConnected": linked, "bestDiff": "270M"}

    def _averages(self, rate: float) -> dict[str, float]:
        """Return averages that count the time before the start as zero."""
        windows = (("10m", 600), ("1h", 3600), ("1d", 86_400))
        return {
            f"hashRate_{name}": round(rate * 0.99 * min(self.uptime / seconds, 1), 3)
            for name, seconds in windows
        }

    def _newer(self) -> dict[str, Any]:
        told: dict[str, Any] = {
            "currentA": round(self.power / 12, 3),
            "vrTempInt": 66.5,
            "hashRate_1m": 0.0 if self._dead else round(self.hashrate, 3),
            "manualFanSpeed": self.settings["manualFanSpeed"],
            "fanrpm2": self.duty * 30 if self.hardware.fans > 1 else 0,
            "fanCount": self.hardware.fans,
            "shutdown": self.asleep,
            "bestDiff": 270_000_000 + self.serial,
            "bestSessionDiff": 2_750_000,
            "stratum": self._stratum(),
            "asicTemps": [0.0] * self.hardware.chips,
            "stratumTLS": bool(self.records[0]["stratumTLS"]),
            "fallbackStratumTLS": bool(self.records[1]["stratumTLS"]),
            "otp": self.otp,
        }
        if self.since(1, 0, 37):
            told["fans"] = [
                {
                    "label": ("ASIC", "VR")[number],
                    "mode": self.settings["autofanspeed"],
                    "manualSpeed": self.settings["manualFanSpeed"],
                    "overheatTemp": 70,
                    "rpm": round(self.duty * 31),
                    "speedPerc": self.duty,
                    "pid": {"targetTemp": self.settings["pidTargetTemp"]},
                }
                for number in range(self.hardware.fans)
            ]
        return told

    def _stratum(self) -> dict[str, Any]:
        linked = not self.pool_down
        first = {
            "connected": linked,
            "poolDifficulty": 4096,
            "accepted": self.shares,
            "rejected": self.shares // 150,
        }
        second: dict[str, Any] = {"connected": linked and self.pool_mode == 1}
        if self.pool_mode == 1:
            second |= {"accepted": 7, "rejected": 1}
        pools = [first, second] if self.since(1, 0, 38) or self.pool_mode else [first]
        told: dict[str, Any] = {
            "poolMode": self.pool_mode,
            "activePoolMode": self.pool_mode,
            "pools": pools,
        }
        return told if self.pool_mode else told | {"usingFallback": False}

    @override
    def asic(self) -> dict[str, Any]:
        return super().asic() | {"absMaxFrequency": 800, "absMaxVoltage": 1400}

    @override
    def _decorate(self, response: web.Response) -> web.Response:
        response.force_close()
        return response

    @override
    async def _answer_more(self, request: web.Request) -> web.Response:
        match request.method, request.path:
            case "GET", "/api/system/asic" if self.since(1, 0, 34):
                return self.reply(self.asic())
            case "POST", "/api/system/shutdown" if self.since(1, 0, 36):
                self.asleep = self.asleep or not self.stubborn
                return web.Response(text="System will shutdown shortly.")
        return web.Response(
            status=302,
            text="Redirect to the captive portal",
            headers={"Location": "/"},
        )

    @override
    def _restarted(self, request: web.Request) -> web.Response:
        protected = self.since(1, 0, 34) and not self.since(1, 0, 36)
        if protected and (refusal := self._check_otp(request.headers)):
            return refusal
        if self.stubborn:
            return web.Response(text="System will restart shortly.")
        self.cut_off = False
        return super()._restarted(request)

    @override
    def _patched(self, request: web.Request, body: bytes) -> web.Response:
        if refusal := self._check_otp(request.headers):
            return refusal
        return super()._patched(request, body)

    def _check_otp(self, headers: Mapping[str, str]) -> web.Response | None:
        """Return the refusal, if the one-time password is missing or wrong."""
        if not self.otp:
            return None
        if time.monotonic() < self._blocked_until:
            return web.Response(status=401, text="blocked for 5 minutes")
        if (
            headers.get("X-OTP-Session") == self.otp_session
            or headers.get("X-TOTP") == self.otp_code
        ):
            return None
        self.otp_failures += 1
        if self.otp_failures >= _FAILURES:
            self._blocked_until = time.monotonic() + _BLOCKED_FOR
        return web.Response(status=401, text="OTP/Session required")

    @override
    def apply(self, wanted: dict[str, Any]) -> bool:
        duty = "manualFanSpeed" if self.since(1, 0, 36) else "fanspeed"
        # What has another type than expected is passed over, not refused.
        for key, name in (
            ("frequency", "frequency"),
            ("coreVoltage", "coreVoltage"),
            ("autofanspeed", "autofanspeed"),
            ("pidTargetTemp", "pidTargetTemp"),
            (duty, "manualFanSpeed"),
        ):
            value = wanted.get(key)
            if isinstance(value, int) and not isinstance(value, bool):
                self.settings[name] = value
        whole = {
            key: int(value) if isinstance(value, bool) else value
            for key, value in wanted.items()
            if isinstance(value, bool) or not key.endswith("TLS")
        }
        self._patch_pools(whole)
        if self.since(1, 0, 36):
            self.mining_to = self._selected()
        return True


FAMILIES = (Family("nerdaxe", SimulatedNerdAxe, options={"ramp": 0, "serial": 2}),)

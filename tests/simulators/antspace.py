"""A simulated Antspace: HK3 or immersion, with its controller on HTTP."""

import math
import time
from typing import Any, override

from aiohttp import web
import orjson

from .base import SimulatedDevice

_HK3_FAULTS = (
    "power_fault",
    "liquid_level_low",
    "circulating_pump_fault",
    "fan1_fault",
    "fan2_fault",
    "fluid_infusion_pump_fault",
    "spray_pump_fault",
    "cooling_tower_fan1_fault",
    "cooling_tower_fan2_fault",
    "cooling_tower_fan3_fault",
    "leakage_fault",
    "supply_liquid_temp_high",
    "supply_liquid_temp_too_high",
    "supply_liquid_pressure_high",
    "return_liquid_pressure_low",
    "supply_liquid_flow_low",
    "freezing_alarm",
    "cooling_tower_liquid_level_low",
)
_IMMERSION_FAULTS = (
    "leakage_fault",
    "supply_liquid_temp_too_high",
    "supply_liquid_temp_high",
    "pump_alarm",
    "dry_cooler_power_fre_fault",
    "dry_cooler_fre_conv",
    "second_pump1_fault",
    "second_pump2_fault",
    "fan_fault",
    "phasefailure",
    "supply_liquid_temp_fault",
    "return_liquid_temp_fault",
    "power_distribution_Fault",
    "lever_sensor_fault",
    "smoke_sensor_fault",
    "return_liquid_temp_high",
    "return_liquid_temp_too_high",
    "power_distribution_temp_high",
    "lever_high",
    "lever_low",
)


class SimulatedAntspace(SimulatedDevice):
    """An Antspace; ``model`` is ``hk3`` or ``immersion``.

    ``faults`` are the flags that are set, ``persistent`` those that a reset does not
    clear. ``stubborn`` takes commands without obeying, ``refusal`` refuses them.
    ``miners`` of ``hashrate`` TH/s are in it; ``in_gigahash`` makes its summary tell
    GH/s. ``lost`` means that the controller lost the cooling system.
    """

    ports = (80,)

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        offset: int = 0,
        model: str = "hk3",
        serial: int = 1,
        cooling: bool = True,
        pid: bool = False,
        faults: tuple[str, ...] = (),
        persistent: tuple[str, ...] = (),
        miners: int = 210,
        hashrate: float = 255.0,
        in_gigahash: bool = False,
    ) -> None:
        """Describe a container that is not switched on yet."""
        super().__init__(host, offset=offset)
        self.model = model
        self.serial = serial
        self.cooling = cooling
        self.pid = pid
        self.faults = set(faults) | set(persistent)
        self.persistent = set(persistent)
        self.miners = miners
        self.hashrate = hashrate
        self.in_gigahash = in_gigahash
        self.set_temperature = 35.0 if model == "hk3" else 42.0
        self.stubborn = False
        self.refusal: str | None = None
        self.lost = False
        self.more: dict[str, Any] = {}
        self.operations: list[str] = []
        self.without_miner_info = False

    @override
    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/cooler", self._serve)
        await self.serve_http(80, app)

    async def _serve(self, request: web.Request) -> web.Response:
        operation = request.query.get("operation", "")
        self.operations.append(operation)
        match operation:
            case "coolerState":
                return _reply(operation, self.state())
            case "minerInfo" if not self.without_miner_info:
                return _reply(operation, self.miner_info())
            case "open" | "close" | "reset" | "setTemp":
                return self._command(operation, request.query.get("temp", ""))
        return web.json_response(
            {"status": "error", "error": "ERR_UNSUPPORTED"}, status=400
        )

    def _command(self, operation: str, temperature: str) -> web.Response:
        if self.refusal:
            body = {"ok": False, "method": operation, "error": self.refusal}
            return web.Response(body=orjson.dumps(body))
        if not self.stubborn:
            self._obey(operation, temperature)
        return _reply(operation, None)

    def _obey(self, operation: str, temperature: str) -> None:
        match operation:
            case "open" | "close":
                self.cooling = operation == "open"
            case "reset":
                self.faults &= self.persistent
            case "setTemp" if temperature == "pid":
                self.pid, self.set_temperature = True, 38.0
            case "setTemp":
                self.pid, self.set_temperature = False, float(temperature)

    def wander(self, value: float, pace: float = 13.0) -> float:
        """Return a value that moves a little with time."""
        return round(
            value * (1 + 0.01 * math.sin(time.monotonic() / pace + self.serial)), 2
        )

    def state(self) -> dict[str, Any]:
        """Return what ``coolerState`` tells."""
        told = self._hk3() if self.model == "hk3" else self._immersion()
        told |= {
            "disconnect": self.lost,
            "running_mode": True,
            "pid_mode": self.pid,
            "supply_liquid_set_temp": self.set_temperature,
            "longitude_direction": "W",
            "longitude": 122.4194,
            "latitude_direction": "N",
            "latitude": 37.7749,
        }
        known = _HK3_FAULTS if self.model == "hk3" else _IMMERSION_FAULTS
        told |= {fault: fault in self.faults for fault in {*known, *self.faults}}
        return told | self.more

    def _hk3(self) -> dict[str, Any]:
        on = self.cooling
        return {
            "circulating_pump": on,
            "fan1": on,
            "fan2": on,
            "spray_pump": on,
            "fluid_infusion_pump": False,
            "cooling_tower_fan1": on,
            "cooling_tower_fan2": on,
            "cooling_tower_fan3": False,
            "supply_liquid_temp": self.wander(self.set_temperature),
            "return_liquid_temp": self.wander(self.set_temperature + 9),
            "supply_liquid_pressure": self.wander(3.1) if on else 0.4,
            "return_liquid_pressure": self.wander(1.6) if on else 0.4,
            "supply_liquid_flow": self.wander(87.0) if on else 0,
            "colding_tower_inlet_temp": self.wander(24.0),
            "antbox_internal_temp": self.wander(31.0),
            "antbox_internal_humidity": self.wander(44.0),
            "distribution_box1_power": self.wander(562_000.0),
            "distribution_box2_power": self.wander(548_000.0, 17),
        }

    def _immersion(self) -> dict[str, Any]:
        on, level = self.cooling, self.set_temperature
        told: dict[str, Any] = {
            "protocol_version": 5,
            "pump_ready": True,
            "pump_operation": on,
            "pump_run": on,
            "pump_start": on,
            "server_on": True,
            "one_pump": False,
            "second_pump1": on,
            "second_pump2": False,
            "primary_circulating_pump": on,
            "dry_cooler_freq_run": on,
            "dry_cooler_power_freq_run": False,
            "container_fan": on,
            "valve1_open": on,
            "valve1_close": not on,
            "valve2_open": False,
            "valve2_close": False,
            "primary_supply_temp": self.wander(level - 4),
            "primary_return_temp": self.wander(level + 3),
            "out_temp": self.wander(18.0),
            "container_temp": self.wander(29.0),
            "container_humidity": self.wander(51.0),
            "power_distribution_temp": self.wander(33.0),
            "power_distribution_humidity": self.wander(40.0),
            "drycooler_freq": self.wander(38.0) if on else 0,
            "feedback_fre": self.wander(37.5) if on else 0,
            "distribution_box_power": self.wander(9.1),
            "power_distribution": self.wander(7.67),
            "open1": 100 if on else 0,
            "open2": 0,
        }
        for number in (1, 2):
            told[f"second_supply_temp{number}"] = self.wander(level)
            told[f"second_return_temp{number}"] = self.wander(level + 6)
        for number, letter in enumerate("abcd"):
            told[f"tank_{letter}_level"] = self.wander(80.0 + number)
        for number, phase in enumerate("abc"):
            told[f"vol_{phase}_distribution"] = 2300 + number * 7
            told[f"cur_{phase}_distribution"] = self.wander(1310.0 + number)
        return told

    def miner_info(self) -> dict[str, Any]:
        """Return what ``minerInfo`` tells."""
        factor = 1000 if self.in_gigahash else 1
        shown = {
            f"10.20.30.{number}": {
                "miner_type": "Antminer S21 Hyd",
                "miner_version": "2024-05-07 10:11:12",
                "elapsed": 86_400 + number,
                "GHS_5s": self.wander(self.hashrate * factor),
                "GHS_avg": self.hashrate * factor,
                "pcb_max_temp": 52,
                "chip_max_temp": 68,
            }
            for number in range(1, 6)
        }
        return {
            "miner_num": self.miners,
            "total_hashrate": self.wander(self.miners * self.hashrate * factor),
            "pcb_max_temp": 55,
            "chip_max_temp": 71,
            "chip_temp_mean": 62.5,
            "miner_info": shown,
        }


def _reply(method: str, params: object) -> web.Response:
    return web.Response(
        body=orjson.dumps({"ok": True, "method": method, "params": params}),
        content_type="application/json",
    )

"""What goes on in a simulated miner with ePIC's control board, and what it says."""

import math
import time
from typing import Any

from tests.simulators.base import SimulatedDevice

_CORES = 894.0
_CHIPS = 110
_FULL_CLOCK = 485.0
_FULL_POWER = 3250.0


class EpicState(SimulatedDevice):
    """The state of one miner, see ``SimulatedEpic``."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        offset: int = 0,
        model: str = "AntMiner S19 XP",
        serial: str | None = None,
        mac: str = "E6:D4:41:00:00:01",
        hostname: str = "cminer00000001",
        firmware: str = "PowerPlay-BMS v1.30.2",
        password: str = "letmein",
        old: bool = False,
        power_tune: bool = False,
        boards: int = 3,
        lag: float = 0.0,
        wobble: float = 0.0,
        uptime: float = 7200.0,
    ) -> None:
        """Describe a miner that is not switched on yet."""
        super().__init__(host, offset=offset)
        self.model = model
        self.serial = serial
        self.mac = mac
        self.hostname = hostname
        self.firmware = firmware
        self.password = password
        self.old = old
        self.power_tune = power_tune
        self.lag = lag
        self.wobble = wobble
        self.busy = self.stubborn = self.rude = False
        self.state = "Mining"
        self.last_command: str | None = None
        self.last_error: object = None
        self.license_error: object = None
        self.connected = True
        self.enabled = dict.fromkeys(range(boards), True)
        self.missing: set[int] = set()
        self.dead_fans: set[int] = set()
        self.fan: dict[str, Any] = {
            "Auto": {"Idle Speed": 30, "Target Temperature": 58}
        }
        self.locating = False
        self.algorithm = "VoltageOptimizer"
        self.target = 140
        self.throttle: dict[str, int] = {"Min Throttle Target": 60, "Throttle Step": 5}
        self.preset, self.preset_power = "Normal", 3250
        self.coin, self.unique_id = "BTC", True
        self.stratum = [
            {
                "pool": "stratum+tcp://pool.example:3333",
                "login": "acct.rig",
                "password": "pool-secret",
            },
            {"pool": "stratum+tcp://two.example:3333", "login": "acct.rig"},
        ]
        self.summary_more: dict[str, Any] = {}
        self.capabilities_more: dict[str, Any] = {}
        self.canned: dict[str, bytes] = {}
        self.gone: dict[str, int] = {}
        self.asked: list[tuple[str, Any]] = []
        self.wrong_passwords = 0
        self.refusal_status = 200
        self.reboots = self.restarts = 0
        self.down_until = 0.0
        self._next: tuple[float, str] | None = None
        self._started = time.monotonic() - uptime

    # What goes on in the device.

    @property
    def uptime(self) -> int:
        """Return the seconds of the session."""
        return int(time.monotonic() - self._started)

    def become(self, between: str, after: str) -> None:
        """Go to a state by way of another, within the lag."""
        if self.lag:
            self.state = between
            self._next = (time.monotonic() + self.lag, after)
        else:
            self.state, self._next = after, None

    def settle(self) -> None:
        """Reach the state that was on its way, when its time has come."""
        if self._next is not None and time.monotonic() >= self._next[0]:
            self.state, self._next = self._next[1], None

    @property
    def hashes(self) -> bool:
        return self.state == "Mining" and self.connected

    @property
    def clock(self) -> float:
        """Return the clock in MHz that the tuning has come to."""
        if self.old:
            return round(_FULL_CLOCK * self.preset_power / _FULL_POWER, 1)
        share = self.target / (_FULL_POWER if self.algorithm == "Power" else 140)
        return round(_FULL_CLOCK * share, 1)

    def wave(self, pace: float) -> float:
        return 1 + self.wobble * math.sin(time.monotonic() / pace)

    def at_work(self) -> list[int]:
        return [n for n, on in self.enabled.items() if on and n not in self.missing]

    def rate_of(self, board: int) -> float:
        """Return the hashrate of a board in MH/s."""
        if not self.hashes:
            return 0.0
        return round(
            _CHIPS * _CORES * self.clock * (1 + board / 100) * self.wave(17), 1
        )

    # What it says.

    def summary(self) -> dict[str, Any]:
        """Return the reply to ``/summary``."""
        self.settle()
        told = {**self._common(), **({} if self.old else self._newer())}
        return told | self.summary_more

    def _common(self) -> dict[str, Any]:
        rate = sum(self.rate_of(n) for n in self.at_work())
        preset = {"Preset": self.preset} if self.old else {}
        power = _FULL_POWER * self.clock / _FULL_CLOCK * len(self.at_work()) / 3
        return {
            "Status": {
                "Operating State": self.state,
                "Last Command": self.last_command,
                "Last Command Result": None,
                "Last Error": self.last_error,
            },
            "Hostname": self.hostname,
            "PresetInfo": {**preset, "Target Power": self.preset_power},
            "Software": self.firmware,
            "Mining": {"Coin": self.coin, "Algorithm": "SHA-256"},
            "Stratum": {
                "Config Id": 0,
                "Current Pool": "pool.example:3333",
                "Current User": "acct.rig-0x7",
                "IsPoolConnected": self.connected,
                "Average Latency": 0.04,
                "Worker Unique Id": self.unique_id,
            },
            "Session": {
                "Startup Timestamp": 1_795_000_000,
                "Startup String": "never mind",
                "Uptime": self.uptime,
                "Average MHs": round(rate * 0.99, 1) if rate else None,
                "Accepted": self.uptime // 12,
                "Rejected": self.uptime // 3000,
                "Submitted": self.uptime // 12,
                "Difficulty": 262144.0,
            },
            "HBs": [self._board(n) for n in self.at_work()],
            "Fans": {"Fans Speed": self.duty},
            "Misc": {"Locate Miner State": self.locating, "Shutdown Temp": 95.0},
            "StratumConfigs": self.stratum,
            "Power Supply Stats": {
                "Input Voltage": 0.0,
                "Input Power": round(power * self.wave(11), 2) if self.hashes else 0.0,
                "Output Voltage": 12.6,
                "Target Voltage": 12600,
            },
        }

    @property
    def duty(self) -> int:
        return int(self.fan["Manual"]) if "Manual" in self.fan else 62

    def _board(self, index: int) -> dict[str, Any]:
        rate = self.rate_of(index)
        return {
            "Index": index,
            "Input Voltage": 12.6,
            "Input Power": 0.0,
            "Temperature": 61.5 + index if self.hashes else None,
            "Core Clock": [],
            "Core Clock Avg": self.clock if self.hashes else 0.0,
            "Hashrate": [rate, 100.0 + index, 0.7] if self.hashes else [],
        }

    def _newer(self) -> dict[str, Any]:
        limits = self.throttle
        return {
            "OS Type": "umcOS",
            "IdleOnConnectionLost": True,
            "Last License Error": self.license_error,
            "HBStatus": [
                {"Index": n, "Enabled": on, "Detected": n not in self.missing}
                for n, on in self.enabled.items()
            ],
            "Fans": {"Fans Speed": self.duty, "Fan Mode": self.fan},
            "Fans Rpm": {
                f"Fans Speed {n}": self._rpm(n) if n <= 4 else None
                for n in (1, 10, 11, 12, *range(2, 10))
            },
            "PerpetualTune": {
                "Running": True,
                "Algorithm": {
                    self.algorithm: {
                        "Optimized": True,
                        "Target": self.target,
                        "Throttle Target": None,
                        "Unit": "W" if self.algorithm == "Power" else "TH/s",
                        **limits,
                    }
                },
            },
            "HwConfig": {
                "Boards Target Clock": [
                    {"Index": n, "Data": self.clock} for n in self.at_work()
                ]
            },
        }

    def _rpm(self, fan: int) -> int:
        return 0 if fan in self.dead_fans else 5800 + fan * 10

    def capabilities(self) -> dict[str, Any]:
        """Return the reply to ``/capabilities``."""
        told: dict[str, Any] = {
            "Model": self.model,
            "Model Subtype": "BHB56801",
            "Coins": ["BTC"],
            "Display": ["ClksAndVoltage", "ShutdownTemp", "PerpetualTune"],
            "Max HBs": 3,
            "Temp Sensor Info": {"Type": "Board", "Count": 2},
        }
        if self.old:
            levels = {"Eco": [2000, 2400], "Normal": [2800, 3250]}
            told |= {"Presets": [*levels], "PresetsPowerLevels": levels}
        else:
            told |= self._newer_capabilities()
        return told | self.capabilities_more

    def _newer_capabilities(self) -> dict[str, Any]:
        names = ["VoltageOptimizer", "ChipTune", "BoardTune"]
        options = [
            {"algorithm": name, "name": name, "description": "", "min": 70, "max": 200}
            for name in names
        ]
        if self.power_tune:
            power = {"algorithm": "Power", "name": "Power", "description": ""}
            options.append({**power, "min": 1500, "max": 3600})
        return {
            "Miner Serial Number": self.serial,
            "Board Serial Numbers": [f"EPICHB{n:06d}" for n in self.enabled],
            "Performance Estimator": {
                "Chip Count": _CHIPS,
                "Hashes Per Second Per Chip": _CORES,
            },
            "Tune Presets": [
                {"clk": clk, "hashrate": rate, "power": watts, "voltage": 12500}
                for clk, rate, watts in (
                    (200, 60.0, 1400),
                    (272, 80.0, 1700),
                    (407, 120.0, 2700),
                    (482, 142.4, 3350),
                )
            ],
            "PerpetualTune": options,
        }

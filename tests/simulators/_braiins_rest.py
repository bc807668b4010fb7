"""What the REST API of a simulated Braiins OS answers, from the state of the miner."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

type Reply = dict[str, Any]

_WINDOWS = (
    "last_5s",
    "last_15s",
    "last_30s",
    "last_1m",
    "last_5m",
    "last_15m",
    "last_30m",
    "last_1h",
    "last_24h",
)


@dataclass(frozen=True, slots=True)
class Spec:
    """A model: its rated TH/s, power and what it is built from."""

    name: str
    chip: str
    boards: int
    chips: int
    rate: float
    watts: int
    fans: int
    brand: int = 1
    liquid: bool = False

    @property
    def power_range(self) -> tuple[int, int]:
        return round(self.watts * 0.3), round(self.watts * 1.15)


SPECS = {
    "S19 XP": Spec("Antminer S19 XP", "BM1366", 3, 110, 141.0, 3031, 4),
    "S19j Pro": Spec("Antminer S19j Pro", "BM1362", 3, 126, 104.0, 3068, 4),
    "S21": Spec("Antminer S21", "BM1368", 3, 108, 200.0, 3500, 4),
    "S21 Hyd": Spec("Antminer S21 Hyd.", "BM1368", 3, 216, 335.0, 5360, 0, liquid=True),
    "BMM 101": Spec("Braiins Mini Miner BMM 101", "BM1366", 1, 2, 1.0, 40, 1, brand=0),
}


def giga(terahashes: float | None) -> Reply | None:
    return None if terahashes is None else {"gigahash_per_second": terahashes * 1000}


def solver(rate: float | None, nominal: float, average: float, best: int) -> Reply:
    """Return the statistics of the miner or of a board."""
    real: Reply = {window: giga(rate) for window in _WINDOWS[:5]}
    real |= {window: giga(average) for window in _WINDOWS[5:]}
    real["since_restart"] = giga(round(average * 0.98, 6))
    return {
        "best_share": best,
        "error_hashrate": {"megahash_per_second": 0.0},
        "found_blocks": 0,
        "nominal_hashrate": giga(nominal),
        "real_hashrate": real,
    }


def board(
    spec: Spec, number: int, *, enabled: bool, rate: float, nominal: float, best: int
) -> Reply:
    """Return one board; one that is switched off tells no more than that."""
    running = enabled and rate > 0
    heat = {"degree_c": 52.0 + number} if enabled else None
    told: Reply = {
        "id": str(number),
        "board_name": "BHB56801",
        "model": "BHB56801",
        "chip_type": spec.chip,
        "chips_count": spec.chips if enabled else None,
        "enabled": enabled,
        "serial_number": f"SIMHB{number:08d}",
        "board_temp": heat,
        "current_frequency": {"hertz": 4.85e8 + number * 1e6} if running else None,
        "current_voltage": {"volt": 12.9382653} if running else None,
        "highest_chip_temp": None,
        "stats": solver(rate, nominal, nominal, best),
    }
    if heat is not None:
        chip = {"degree_c": 67.0 + number}
        told["highest_chip_temp"] = {"id": number, "location": 1, "temperature": chip}
    if spec.liquid:
        told["lowest_water_inlet_temp"] = {"degree_c": 34.0 + number}
        told["highest_water_outlet_temp"] = {"degree_c": 45.0 + number}
    else:
        told["lowest_inlet_temp"] = {"degree_c": 40.0 + number}
        told["highest_outlet_temp"] = heat
    return told


def pool_groups(groups: list[Reply], *, dead: bool, shares: int) -> list[Reply]:
    """Return the pools as they run; without their passwords."""
    return [
        {
            "name": group["name"],
            "uid": f"grp{number}",
            "strategy": group.get("load_balance_strategy"),
            "pools": [
                {
                    "uid": f"pool{number}{place}",
                    "url": pool["url"],
                    "user": pool["user"],
                    "enabled": pool.get("enabled", True),
                    "alive": not dead,
                    "active": not dead and place == 0 and number == 0,
                    "stats": {
                        "accepted_shares": shares if place == 0 else 4,
                        "rejected_shares": 18 if place == 0 else 0,
                        "stale_shares": 2 if place == 0 else 0,
                        "best_share": 776_342,
                        "generated_work": 17_787_650_048,
                        "last_difficulty": 262_144,
                        "last_share_time": {"seconds": 1_776_446_524, "nanos": 5},
                    },
                }
                for place, pool in enumerate(group["pools"])
            ],
        }
        for number, group in enumerate(groups)
    ]


def watts(value: float | None) -> Reply | None:
    return None if value is None else {"watt": round(value)}


def celsius(low: float, usual: float, high: float) -> Reply:
    return {
        "min": {"degree_c": low},
        "default": {"degree_c": usual},
        "max": {"degree_c": high},
    }


def constraints(spec: Spec, *, cooling: int) -> Reply:
    """Return what may be written; ``cooling`` is the number of the usual mode."""
    low, high = spec.power_range
    return {
        "tuner_constraints": {
            "default_mode": 1,
            "enabled": {"default": True},
            "power_target": {
                "min": watts(low),
                "default": watts(spec.watts),
                "max": watts(high),
            },
            "hashrate_target": None,
        },
        "cooling_constraints": {
            "default_cooling_mode": cooling,
            "target_temperature": celsius(20, 60, 75),
            "hot_temperature": celsius(20, 75, 85),
            "dangerous_temperature": celsius(20, 85, 95),
            "fan_speed_ratio": {"min": 0.1, "default": 0.7, "max": 1.0},
            "minimum_required_fans": {"min": 0, "default": spec.fans, "max": 4},
        },
        "hashboards_constraints": {
            "enabled": {"default": True},
            "hashboard_ids": [str(n) for n in range(1, spec.boards + 1)],
        },
        "dps_constraints": None,
    }


def tuner_state(number: int, target: Mapping[str, Any]) -> Reply:
    """Return the tuner's state; ``target`` is by power, by hashrate or empty."""
    mode: Reply | None = None
    if "power_target" in target:
        mode = {"powertargetmodestate": {"current_target": target["power_target"]}}
    elif "hashrate_target" in target:
        goal = target["hashrate_target"]
        mode = {"hashratetargetmodestate": {"current_target": goal}}
    return {"mode_state": mode, "overall_tuner_state": number}

"""What a simulated miner with LuxOS tells, by the name of the command."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]
_STEP = 25
_DEFAULT = 545
_CHIPS = 77
_RATE_PER_MHZ = 0.2065  # TH/s of three boards
_WATTS_PER_MHZ = 4.75


@dataclass(slots=True, kw_only=True)
class State:
    """All that can be told; the owner fills in what depends on time."""

    model: str
    serial: str
    mac: str
    seed: int
    power_target: bool
    water: bool
    boards: dict[int, bool]
    events: list[str]
    asleep: bool = False
    profile: str = "default"
    target_watts: int = 0
    atm: bool = False
    led: str = "auto"
    fan_speed: int = -1
    target: float = 60.0
    hot: float = 70.0
    dangerous: float = 75.0
    powered: bool = True
    hashes: bool = True
    pools_dead: bool = False
    system_status: str = "Normal"
    groups: list[tuple[str, float, list[tuple[str, str, str]]]] = field(
        default_factory=lambda: [
            (
                "default",
                1.0,
                [
                    ("stratum+tcp://a.example:3333", "me.rig", "pool-secret"),
                    ("stratum+tcp://b.example:3333", "me.rig", "x"),
                ],
            )
        ]
    )
    now: float = 0.0
    uptime: int = 0
    ramping: bool = False
    wander: float = 1.0

    @property
    def frequency(self) -> int:
        """Return the frequency of the profile in MHz."""
        rows = {row["Profile Name"]: row for row in profiles()}
        return int(rows[self.profile]["Frequency"])

    @property
    def hashing(self) -> bool:
        """Tell whether the boards work."""
        return self.hashes and not self.asleep and not self.pools_dead

    def rate(self, board: int) -> float:
        """Return the rate of a board in MH/s."""
        if not self.hashing or not self.boards[board]:
            return 0.0
        return self.frequency * _RATE_PER_MHZ / 3 * 1e6 * self.wander

    @property
    def watts(self) -> int:
        """Return what it draws."""
        if not self.hashing:
            return 14
        working = sum(self.boards.values()) / 3
        return round(self.frequency * _WATTS_PER_MHZ * working)


def profiles() -> list[Row]:
    """Return the profiles: steps of 25 MHz around the one that it came with."""
    rows: list[Row] = []
    for step in range(-12, 5):
        megahertz = _DEFAULT + step * _STEP
        rows.append(
            {
                "CanRestore": False,
                "Frequency": megahertz,
                "HasOverrides": False,
                "Hashrate": round(megahertz * _RATE_PER_MHZ, 1),
                "IsDynamic": True,
                "IsTuned": step == 0,
                "Profile Name": "default" if step == 0 else f"{megahertz}MHz",
                "Step": str(step),
                "Voltage": round(13.6 + step * 0.15, 2),
                "Watts": round(megahertz * _WATTS_PER_MHZ),
            }
        )
    return rows


def reply(name: str, state: State, firmware: str) -> dict[str, list[Row]] | None:
    """Return the data of a reply, or ``None`` for a command that is not known."""
    if name == "version":
        return {"VERSION": [_version(state, firmware)]}
    tell = _TELLS.get(name)
    return None if tell is None else tell(state)


def _version(state: State, firmware: str) -> Row:
    return {
        "API": "3.7",
        "CompileTime": "Mon Aug  3 10:11:12 UTC 2026",
        "LUXminer": firmware,
        "Miner": firmware.partition("-")[0],
        "Type": state.model,
    }


def _config(state: State) -> dict[str, list[Row]]:
    row: Row = {
        "ASC Count": len(state.boards),
        "Cooling": "Hydro" if state.water else "Air",
        "CurtailMode": "Sleep" if state.asleep else "None",
        "GreenLed": "auto",
        "Hostname": f"lux{state.seed}",
        "ImmersionMode": False,
        "IsAtmEnabled": state.atm,
        "IsPowerSupplyOn": state.powered and not state.asleep,
        "IsPowerTargetEnabled": state.power_target and state.target_watts > 0,
        "IsPowerTargetSupported": state.power_target,
        "IdealPowerTarget": state.target_watts,
        "IsTuning": True,
        "MACAddr": state.mac,
        "Model": state.model,
        "NameplateTHS": 112.5,
        "OS": "LuxOS",
        "Profile": state.profile,
        "RedLed": state.led,
        "SerialNumber": state.serial,
        "SystemStatus": state.system_status,
    }
    return {"CONFIG": [row]}


def _summary(state: State) -> dict[str, list[Row]]:
    rate = sum(map(state.rate, state.boards)) / 1e3
    row: Row = {
        "Accepted": 40 + state.uptime // 20,
        "Best Share": 123456789,
        "Elapsed": state.uptime,
        "GHS 5s": round(rate, 2),
        "GHS 1m": round(rate, 2),
        "GHS av": round(rate * 0.99, 2),
        "Hardware Errors": 7,
        "Rejected": 3,
        "Stale": 1,
        # As large as the rate in MH/s: it is no total.
        "Total MH": rate * 1e3,
    }
    return {"SUMMARY": [row]}


def _stats(state: State) -> dict[str, list[Row]]:
    row: Row = {"Elapsed": state.uptime, "ID": "BTM_SOC0", "rate_unit": "GH"}
    for board in range(4):
        chain, there = board + 1, board in state.boards
        marks = " ".join("oooo" for _ in range(_CHIPS // 4)) + " o"
        row |= {
            f"chain_acn{chain}": _CHIPS if there else 0,
            f"chain_acs{chain}": f" {marks}" if there else "",
            f"freq{chain}": float(state.frequency) if there else 0.0,
            f"temp_chip{chain}": "58-52-52-58" if there else "0-0-0-0",
        }
    row["total_rateideal"] = round(state.frequency * _RATE_PER_MHZ * 1e3, 1)
    return {"STATS": [{"Type": state.model}, row]}


def _devs(state: State) -> dict[str, list[Row]]:
    return {"DEVS": [_dev(state, board) for board in reversed(state.boards)]}


def _dev(state: State, board: int) -> Row:
    enabled = state.boards[board]
    rate = state.rate(board)
    return {
        "ASC": board,
        "Board": "BHB56903",
        "Connector": f"J{7 + board}",
        "Enabled": "Y" if enabled else "N",
        "ID": board,
        "IsRamping": state.ramping and enabled and not state.asleep,
        "IsUserShutdown": not enabled,
        "MHS 5s": rate,
        "MHS av": rate * 0.99,
        "Nominal MHS": state.frequency * _RATE_PER_MHZ / 3 * 1e6,
        "Profile": state.profile,
        "SerialNumber": f"{state.serial[:12]}B{board}",
        "Status": "Alive" if enabled else "Dead",
        "Temperature": 58.0 if state.hashing else 24.0,
        "Total MH": rate,
    }


def _devdetails(state: State) -> dict[str, list[Row]]:
    return {
        "DEVDETAILS": [
            {
                "DEVDETAILS": board,
                "ID": board,
                "Chips": _CHIPS,
                "Frequency": state.frequency,
                "Model": state.model,
                "Voltage": 0.0 if state.asleep else 13.6,
            }
            for board in state.boards
        ]
    }


def _temps(state: State) -> dict[str, list[Row]]:
    labels = {
        "TopLeft": "Board Exhaust (top)",
        "TopRight": "Board Intake (top)",
        "BottomLeft": "Board Exhaust (bottom)",
        "BottomRight": "Board Intake (bottom)",
    }
    if state.water:
        labels |= {"Chip": "Chip", "In": "Water Inlet", "Out": "Water Outlet"}
    hot = 58.0 if state.hashing else 24.0
    values = {"TopLeft": hot - 2, "TopRight": hot - 6, "BottomLeft": hot}
    values |= {"BottomRight": 0.0, "Chip": hot + 20, "In": 31.5, "Out": 38.0}
    return {
        "METADATA": [{key: {"Label": label} for key, label in labels.items()}],
        "TEMPS": [
            {"ID": board, "TEMP": board}
            | {key: values[key] + board if values[key] else 0.0 for key in labels}
            for board in state.boards
        ],
    }


def _fans(state: State) -> dict[str, list[Row]]:
    control = {"FanMaxSpeed": 100, "FanMinSpeed": 20, "MinFans": 1, "PowerOffSpeed": 20}
    if state.water:
        return {"FANCTRL": [control]}
    duty = 49 if state.fan_speed < 0 else state.fan_speed
    duty = 20 if state.asleep else duty
    return {
        "FANCTRL": [control],
        "FANS": [
            {"FAN": f"FAN{4 - fan}", "ID": fan, "RPM": duty * 80 + fan, "Speed": duty}
            for fan in range(4)
        ],
    }


def _pools(state: State) -> dict[str, list[Row]]:
    return {"POOLS": list(_each_pool(state))}


def _each_pool(state: State) -> Iterator[Row]:
    number = 0
    for group, (_, quota, pools) in enumerate(state.groups):
        for place, (url, user, _) in enumerate(pools):
            alive = not state.pools_dead and not state.asleep
            yield {
                "Accepted": (40 + state.uptime // 20) if number == 0 else 0,
                "GROUP": group,
                "POOL": number,
                "Quota": quota,
                "Rejected": 3 if number == 0 else 0,
                "Stale": 1 if number == 0 else 0,
                "Status": "Alive" if alive else "Dead",
                "Stratum Active": alive and place == 0,
                "URL": url,
                "User": user,
            }
            number += 1


def _groups(state: State) -> dict[str, list[Row]]:
    return {
        "GROUPS": [
            {"GROUP": number, "Name": name, "Quota": quota}
            for number, (name, quota, _) in enumerate(state.groups)
        ]
    }


def _events(state: State) -> dict[str, list[Row]]:
    codes = [*state.events]
    if state.asleep:
        codes += ["SLEEP", "NO_ACTIVE_POOLS"]
    rows: list[Row] = []
    for code in codes:
        target = "BOARD" if code.startswith(("BOARD", "REBOOT")) else "MINER"
        row: Row = {
            "Code": code,
            "Description": f"What {code} means.",
            "Target": target,
        }
        if target == "BOARD":
            row["ID"] = 1
        rows.append(row)
    return {"EVENTS": rows}


def _tempctrl(state: State) -> dict[str, list[Row]]:
    return {
        "TEMPCTRL": [
            {
                "Target": state.target,
                "Hot": state.hot,
                "Dangerous": state.dangerous,
                "Mode": "Automatic" if state.fan_speed < 0 else "Manual",
            }
        ]
    }


def _limits(_: State) -> dict[str, list[Row]]:
    return {
        "LIMITS": [
            {
                "FanMinSpeedMin": 10,
                "FanSpeedMax": 100,
                "FanSpeedMin": -1,
                "FrequencyMax": 1000,
                "PowerTargetMax": 4000,
                "PowerTargetMin": 1000,
                "TemperatureMax": 75.0,
                "TemperatureMin": 0.0,
            }
        ]
    }


def _power(state: State) -> dict[str, list[Row]]:
    return {"POWER": [{"PSU": False, "Watts": state.watts}]}


def _profiles(_: State) -> dict[str, list[Row]]:
    return {"PROFILES": profiles()}


_TELLS: dict[str, Callable[[State], dict[str, list[Row]]]] = {
    "config": _config,
    "summary": _summary,
    "stats": _stats,
    "devs": _devs,
    "devdetails": _devdetails,
    "temps": _temps,
    "fans": _fans,
    "power": _power,
    "pools": _pools,
    "groups": _groups,
    "events": _events,
    "tempctrl": _tempctrl,
    "limits": _limits,
    "profiles": _profiles,
}

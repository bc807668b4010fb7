"""What a simulated miner with VNish tells, by the path of its API."""

from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]
_WATTS_PER_TERAHASH = 15.0
_CHIPS = 65
_PRESETS = (2550, 2800, 3070, 3340, 3610)
_OVERCLOCKED = 4690


@dataclass(slots=True, kw_only=True)
class State:
    """All that can be told; ``old`` is firmware of before 1.3.3."""

    model: str
    serial: str
    mac: str
    firmware: str
    seed: int
    old: bool
    scrypt: bool
    word: str = "mining"
    since: int = 4000
    description: str | None = None
    failure_code: int | None = None
    preset: str = "3340"
    throttled: int = 100
    finding: bool = False
    water: bool = False
    hashes: bool = True
    pools_dead: bool = False
    bad_boards: dict[int, str] = field(default_factory=dict)
    lost_fans: set[int] = field(default_factory=set)
    uptime: int = 0
    wander: float = 1.0
    overclock: Row = field(default_factory=dict)
    cooling: Row = field(default_factory=dict)
    misc: Row = field(default_factory=dict)
    pools: list[Row] = field(default_factory=list)
    # What is mined; the settings take effect with a restart.
    mined_pools: list[Row] = field(default_factory=list)
    off: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Begin with the settings that it came with."""
        self.overclock = {
            "modded_psu": False,
            "preset": self.preset,
            "globals": {"volt": 1270, "freq": 555},
            "chains": [
                {"freq": 555, "chips": [0] * _CHIPS, "disabled": False}
                for _ in range(3)
            ],
            "preset_switcher": {"enabled": False, "top_preset": "3610"},
        }
        self.cooling = {
            "mode": {"name": "auto", "param": 65},
            "fan_min_count": 4,
            "fan_min_duty": 10,
            "fan_max_duty": 100,
        }
        self.misc = {"restart_temp": 90, "quiet_mode": False}
        if not self.old:
            self.misc |= {"power_limit": 0, "power_limit_enabled": False}
        self.pools = [
            {"url": "a.example:3333", "user": "me.rig", "pass": "pool-secret"},
            {"url": "b.example:3333", "user": "me.rig", "pass": "x"},
            {"url": "", "user": "", "pass": ""},
        ]
        self.mined_pools = [dict(pool) for pool in self.pools]

    @property
    def stopped(self) -> bool:
        """Tell whether it was told to stop or to pause."""
        return self.word in ("stopped", "paused")

    @property
    def hashing(self) -> bool:
        """Tell whether the boards work."""
        busy = self.word in ("mining", "auto-tuning")
        return self.hashes and busy and not self.pools_dead

    @property
    def watts(self) -> float:
        """Return what it draws when it hashes on all boards."""
        watts = float(self.preset) if self.preset.isdecimal() else 3000.0
        if self.misc.get("power_limit_enabled"):
            watts = min(watts, float(self.misc["power_limit"]))
        return watts * self.throttled / 100

    @property
    def unit(self) -> float:
        """Return how many of its unit of rates are 1 TH/s."""
        return 1e6 if self.scrypt else 1e3

    @property
    def terahashes(self) -> float:
        """Return the rate of one board."""
        whole = self.watts / _WATTS_PER_TERAHASH
        return (whole * 1e-4 if self.scrypt else whole) / 3


def info(state: State) -> Row:
    """Return who it is."""
    return {
        "miner": state.model,
        "model": state.model.lower().replace("antminer ", "").replace(" ", ""),
        "fw_name": "Vnish",
        "fw_version": state.firmware,
        "platform": "aml",
        "install_type": "nand",
        "build_time": "2026-02-11 10:00:00",
        "algorithm": "scrypt" if state.scrypt else "sha256d",
        "hr_measure": "MH/s" if state.scrypt else "GH/s",
        "system": {
            "os": "GNU/Linux",
            "network_status": {
                "mac": state.mac.upper(),
                "dhcp": True,
                "hostname": f"vn{state.seed}",
            },
            "uptime": "1:25",
        },
        "serial": state.serial,
    }


def model(state: State) -> Row:
    """Return what its hardware is made of."""
    overclock: Row = {"max_freq": 1000, "min_freq": 50, "max_voltage": 1530}
    if not state.old:
        overclock["max_power_limit"] = 5000
    return {
        "full_name": state.model,
        "hr_measure": "MH/s" if state.scrypt else "GH/s",
        "serial": state.serial,
        "chain": {"chips_per_chain": _CHIPS, "num_chains": 3},
        "cooling": {"min_fan_pwm": 10, "min_target_temp": 20, "max_target_temp": 90},
        "overclock": overclock,
    }


def factory_info(state: State) -> Row:
    """Return what the boards were made with."""
    chains = [
        {"id": number, "board_model": "BHB68701", "serial": f"SIMVNB{number:04d}"}
        for number in (1, 2, 3)
    ]
    return {"chains": chains, "hr_stock": 234.0, "psu_serial": state.serial}


def miner_status(state: State) -> Row:
    """Return what it says it does."""
    row: Row = {
        "miner_state": state.word,
        "miner_state_time": state.since if state.word == "mining" else 0,
    }
    if state.description is not None:
        row |= {"description": state.description, "failure_code": state.failure_code}
    if not state.old:
        row["throttled"] = state.throttled
    return row


def status(state: State, *, unlocked: bool) -> Row:
    """Return its state, and whether its light blinks."""
    return miner_status(state) | {
        "find_miner": state.finding,
        "unlocked": unlocked,
        "restart_required": False,
        "reboot_required": False,
    }


def summary(state: State) -> Row:
    """Return what it does; before its mining process is there, that is nothing."""
    if state.word in ("initializing", "restarting"):
        return {"miner": None}
    rate = sum(_rate(state, board) for board in range(3)) * state.unit
    warm = {"min": 40, "max": 52} if state.hashing else {"min": 0, "max": 0}
    hot = {"min": 55, "max": 66} if state.hashing else {"min": 0, "max": 0}
    return {
        "miner": {
            "miner_status": miner_status(state),
            "miner_type": f"{state.model} (Vnish {state.firmware})",
            "hr_realtime": round(rate, 2),
            "hr_average": round(rate * 0.99, 2),
            "hr_nominal": round(state.terahashes * 3 * state.unit, 2),
            "pcb_temp": warm,
            "chip_temp": hot,
            "power_consumption": round(_working(state) / 3 * state.watts),
            "hw_errors": 31,
            "pools": _pools(state),
            "cooling": _cooling(state),
            "chains": [_chain(state, board) for board in range(3)],
            "found_blocks": 0,
            "best_share": 91234567,
        }
    }


def _working(state: State) -> int:
    return sum(1 for board in range(3) if _rate(state, board))


def _rate(state: State, board: int) -> float:
    if not state.hashing or board in state.off or board in state.bad_boards:
        return 0.0
    return state.terahashes * state.wander


def _chain(state: State, board: int) -> Row:
    rate = _rate(state, board) * state.unit
    on = rate > 0
    row: Row = {
        "id": board + 1,
        "frequency": 495.0 if on else 0.0,
        "voltage": 13000 if on else 0,
        "power_consumption": round(state.watts / 3) if on else 0,
        "hashrate_ideal": round(state.terahashes * state.unit, 3),
        "hashrate_rt": round(rate, 3),
        "hw_errors": 19,
        "pcb_temp": {"min": 40, "max": 50 + board} if on else {"min": 0, "max": 0},
        "chip_temp": {"min": 55, "max": 64 + board} if on else {"min": 0, "max": 0},
        "chip_statuses": {"red": 1, "orange": 6, "grey": 58},
        "status": {"state": _board_word(state, board)},
    }
    if state.water:
        row |= {"inlet_water_temp": 31 + board, "outlet_water_temp": 38 + board}
    if board in state.bad_boards:
        row["status"]["description"] = "chain break" if board == 1 else None
    return row


def _board_word(state: State, board: int) -> str:
    if board in state.bad_boards:
        return state.bad_boards[board]
    if state.stopped:
        return "stopped"
    return "disabled" if board in state.off else "mining"


def _pools(state: State) -> list[Row]:
    rows: list[Row] = []
    if state.stopped:
        return rows
    for number, pool in enumerate(state.mined_pools):
        if pool["url"]:
            word = "offline" if state.pools_dead else "working"
            rows.append(_pool(state, number, pool, word))
    if rows and not state.pools_dead:
        rows[0]["status"] = "active"
    fee = _pool(state, 7, {"url": "DevFee", "user": "DevFee"}, "active")
    return [*rows, fee | {"pool_type": "DevFee", "accepted": 224}]


def _pool(state: State, number: int, pool: Row, word: str) -> Row:
    mined = number == 0
    return {
        "id": number,
        "url": pool["url"],
        "pool_type": "UserPool",
        "user": pool["user"],
        "status": word,
        "diff": "262K",
        "accepted": 100 + state.uptime // 20 if mined else 0,
        "rejected": 9 if mined else 0,
        "stale": 2 if mined else 0,
    }


def _cooling(state: State) -> Row:
    mode = dict(state.cooling["mode"])
    duty = mode["param"] if mode["name"] == "manual" else 62
    if state.old:
        mode.pop("param", None)
    fans = [
        {
            "id": fan,
            "rpm": 0 if fan in state.lost_fans else duty * 90 + fan,
            "status": "lost" if fan in state.lost_fans else "ok",
            "max_rpm": 6500,
        }
        for fan in range(0 if state.water else 4)
    ]
    return {
        "fan_num": len(fans),
        "fans": fans,
        "settings": {"mode": mode},
        "fan_duty": duty,
    }


def perf_summary(state: State) -> Row:
    """Return the preset that it runs."""
    return {
        "current_preset": {"name": state.preset, "status": "tuned"},
        "preset_switcher": state.overclock["preset_switcher"],
    }


def presets(state: State) -> list[Row]:
    """Return the presets; the first one has no power of its own."""
    names = ["disabled", *map(str, _PRESETS), str(_OVERCLOCKED)]
    return [
        {
            "name": name,
            "pretty": f"{name} watt",
            "status": "tuned" if name == state.preset else "untuned",
            "modded_psu_required": name == str(_OVERCLOCKED),
        }
        for name in names
    ]


def settings(state: State) -> Row:
    """Return all settings."""
    return {
        "miner": {
            "cooling": state.cooling,
            "misc": state.misc,
            "overclock": state.overclock,
            "pools": state.pools,
        },
        "network": {"hostname": f"vn{state.seed}", "dhcp": True},
        "password": None,
    }

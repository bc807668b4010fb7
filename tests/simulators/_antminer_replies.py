"""What a simulated Antminer tells: the two formats of its mining process."""

from dataclasses import dataclass
import math
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What a model is built of; ``slot`` is the first chain of the flat format."""

    modern: bool = True
    boards: int = 3
    chips: int
    rate: float  # TH/s
    fans: int = 4
    frequency: int = 500
    slot: int = 1
    slots: int = 4
    unit: str = "GH/s"
    firmware: str
    accepted: tuple[int, ...] = (0, 1, 2, 3)
    watts: int | None = None  # in the stats, as the S21+ tells it
    warns: bool = False  # knows the command "warning"
    release: bool = False  # prints only a part of its settings


SPECS = {
    "S9": Spec(
        modern=False,
        chips=63,
        rate=13.6,
        fans=2,
        slot=6,
        slots=16,
        frequency=650,
        firmware="Fri Nov 17 17:57:49 CST 2017",
    ),
    "T17+": Spec(
        modern=False,
        chips=44,
        rate=63.8,
        slots=16,
        frequency=620,
        firmware="Tue Jun  2 10:11:10 CST 2020",
    ),
    "S19 Pro": Spec(
        chips=114,
        rate=109.5,
        frequency=525,
        unit="GH",
        firmware="Tue Dec  6 16:12:30 CST 2022",
        accepted=(0, 1, 2),
    ),
    "S19 XP Hyd.": Spec(
        chips=204, rate=256.0, fans=0, firmware="Mon Mar  4 10:01:02 CST 2024"
    ),
    "S21": Spec(
        chips=108,
        rate=200.3,
        firmware="FR-1.12(251009-S21)",
        warns=True,
        release=True,
    ),
    "S21+": Spec(
        chips=65,
        rate=235.1,
        unit="TH/s",
        firmware="FR-1.15(250422-S21+)",
        warns=True,
        watts=3880,
    ),
    "T21": Spec(
        chips=108,
        rate=190.0,
        firmware="FR-1.18(250928-T21)",
        accepted=(0, 1, 2, 3, 5),
        warns=True,
        release=True,
    ),
}
_UNITS = {"GH": 1e3, "GH/s": 1e3, "TH/s": 1.0}


@dataclass(slots=True, kw_only=True)
class State:
    """What there is to tell at one moment."""

    spec: Spec
    model: str
    firmware: str
    serial: str
    now: float
    uptime: int
    hashing: bool
    mode: int
    seed: int
    bad_chips: int
    dead_fans: int

    def rate(self, board: int) -> float:
        """Return the TH/s of a board, which wander by a percent."""
        if not self.hashing:
            return 0.0
        share = self.spec.rate / self.spec.boards
        factor = {2: 1.08, 3: 0.75}.get(self.mode, 1.0)
        wander = 1 + 0.01 * math.sin(self.now / 7 + self.seed + board)
        return share * factor * wander

    @property
    def total(self) -> float:
        """Return the TH/s of all boards."""
        return sum(self.rate(board) for board in range(self.spec.boards))

    def marks(self, board: int) -> str:
        """Return the chips as the dashboard draws them."""
        if not self.hashing:
            return "x" * self.spec.chips
        bad = self.bad_chips if board == 0 else 0
        return "o" * (self.spec.chips - bad) + "x" * bad

    def celsius(self, board: int) -> int:
        """Return the temperature of the coolest chip."""
        return 55 + board + self.seed % 5 if self.hashing else 24

    def fans(self) -> list[int]:
        """Return rpm."""
        speed = 4800 + 10 * (self.seed % 30) if self.hashing else 600
        return [
            0 if fan < self.dead_fans else speed + 60 * fan
            for fan in range(self.spec.fans)
        ]


def old_status(state: str, code: int, message: str) -> dict[str, Any]:
    """Return what the flat format begins with."""
    status = {"STATUS": state, "When": 1, "Code": code, "Msg": message}
    return {"STATUS": [status | {"Description": "cgminer 1.0.0"}], "id": 1}


def new_status(state: State, command: str) -> dict[str, Any]:
    """Return what the format of ``new_api`` begins with."""
    return {
        "STATUS": {"STATUS": "S", "when": 1, "Msg": command, "api_version": "1.0.0"},
        "INFO": {
            "miner_version": "49.0.1.3",
            "CompileTime": state.firmware,
            "type": f"Antminer {state.model}",
        },
    }


def modern_stats(state: State) -> list[dict[str, Any]]:
    """Return STATS as ``new_api`` gives it."""
    scale = _UNITS[state.spec.unit]
    more: dict[str, Any] = {}
    if state.spec.watts is not None:
        watts = state.spec.watts if state.hashing else 0
        more = {"watt": watts, "jt": 16.5, "ambient_temp": 21.5}
    return [
        {
            "elapsed": state.uptime,
            "rate_5s": round(state.total * scale, 2),
            "rate_30m": round(state.total * scale * 1.001, 2),
            "rate_avg": round(state.total * scale * 0.998, 2),
            "rate_ideal": round(state.spec.rate * scale, 2),
            "rate_unit": state.spec.unit,
            "chain_num": state.spec.boards,
            "fan_num": state.spec.fans,
            "fan": state.fans(),
            "hwp_total": 0.001,
            "miner-mode": state.mode,
            "freq-level": 100,
            "chain": [
                _chain(state, board, scale) for board in range(state.spec.boards)
            ],
            **more,
        }
    ]


def _chain(state: State, board: int, scale: float) -> dict[str, Any]:
    low = state.celsius(board)
    return {
        "index": board,
        "freq_avg": state.spec.frequency,
        "rate_ideal": round(state.spec.rate / state.spec.boards * scale, 2),
        "rate_real": round(state.rate(board) * scale, 2),
        "asic_num": state.spec.chips,
        "asic": " " + state.marks(board),
        "temp_pic": [low - 15, low - 14, low, low + 1],
        "temp_pcb": [low - 5, low - 4, low + 10, low + 11],
        "temp_chip": [low, low + 1, low + 15, low + 16],
        "hw": 10 + board,
        "eeprom_loaded": True,
        "sn": f"{state.serial[:12]}B{board}",
        "hwp": 0.0003,
    }


def flat_stats(state: State, *, sleep_mode: int = 254) -> list[dict[str, Any]]:
    """Return STATS as bmminer gives it."""
    spec = state.spec
    row: dict[str, Any] = {
        "STATS": 0,
        "ID": "BC50" if spec.slot > 1 else "BTM_SOC0",
        "Elapsed": state.uptime,
        "Calls": 0,
        "Wait": 0.0,
        "Max": 0.0,
        "Min": 99999999.0,
        # Several models write this one as text.
        "GHS 5s": f"{state.total * 1000:.2f}",
        "GHS av": round(state.total * 998, 2),
        "rate_30m": round(state.total * 1001, 2),
        "miner_count": spec.boards,
        "frequency": str(spec.frequency),
        "fan_num": spec.fans if state.mode != sleep_mode else 0,
        "temp_num": spec.boards,
        "total_rateideal": spec.rate * 1000,
        "total_acn": spec.chips * spec.boards,
        "temp_max": 0,
        "no_matching_work": 33,
        "miner_version": "49.0.1.3",
    }
    if spec.slot == 1:
        row |= {"rate_unit": "GH", "Mode": state.mode}
    _add_fans(row, state)
    for slot in range(1, spec.slots + 1):
        _add_slot(row, state, slot)
    head = {
        "BMMiner": "2.0.0",
        "Miner": "49.0.1.3",
        "CompileTime": state.firmware,
        "Type": f"Antminer {state.model}",
    }
    return [head, row]


def _add_fans(row: dict[str, Any], state: State) -> None:
    """Add the fans: the S9 has 8 places and uses the 5th and 6th."""
    places = 8 if state.spec.slot > 1 else 4
    first = 4 if state.spec.slot > 1 else 0
    row |= {f"fan{place + 1}": 0 for place in range(places)}
    row |= {f"fan{first + fan + 1}": rpm for fan, rpm in enumerate(state.fans())}


def _add_slot(row: dict[str, Any], state: State, slot: int) -> None:
    board = slot - state.spec.slot
    there = 0 <= board < state.spec.boards
    low = state.celsius(board)
    temps = f"{low}-{low + 1}-{low + 15}-{low + 16}" if there else "0-0-0-0"
    row |= {
        f"chain_acn{slot}": state.spec.chips if there else 0,
        f"chain_acs{slot}": " " + state.marks(board) if there else "",
        f"chain_hw{slot}": 11 if there else 0,
        f"chain_rate{slot}": f"{state.rate(board) * 1000:.2f}" if there else "",
    }
    if state.spec.slot > 1:
        row |= {
            f"temp{slot}": low + 5 if there else 0,
            f"temp2_{slot}": low + 16 if there else 0,
            f"freq_avg{slot}": float(state.spec.frequency) if there else 0.0,
            f"voltage{slot}": 8.8 if there else 0.0,
        }
    else:
        row |= {
            f"temp_chip{slot}": temps,
            f"temp_pcb{slot}": temps,
            f"freq{slot}": state.spec.frequency if there else 0,
        }


def summary(state: State, codes: list[str]) -> list[dict[str, Any]]:
    """Return SUMMARY as ``new_api`` gives it, with the four lamps."""
    scale = _UNITS[state.spec.unit]
    wrong = {
        lamp
        for code in codes
        for lamp, letters in (("fans", "F"), ("temp", "P"), ("rate", "RJ"))
        if code[0] in letters
    }
    return [
        {
            "elapsed": state.uptime,
            "rate_5s": round(state.total * scale, 2),
            "rate_unit": state.spec.unit,
            "hw_all": 33,
            "bestshare": 12904207043,
            "status": [
                {
                    "type": lamp,
                    "status": "e" if lamp in wrong else "s",
                    "code": 2 if lamp in wrong else 0,
                    "msg": f"{lamp} alarm" if lamp in wrong else "",
                }
                for lamp in ("rate", "network", "fans", "temp")
            ],
        }
    ]


def status_page(state: State, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what get_miner_status.cgi prints up to X17: all numbers as text."""
    return {
        "summary": {
            "elapsed": str(state.uptime),
            "ghs5s": f"{state.total * 1000:,.2f}",
            "ghsav": f"{state.total * 998:,.2f}",
            "hw": "33",
        },
        "pools": [{key: str(value) for key, value in row.items()} for row in rows],
        "devs": [
            {
                "index": str(state.spec.slot + board),
                "chain_acn": str(state.spec.chips),
                "freqavg": str(state.spec.frequency),
                "chain_rate": f"{state.rate(board) * 1000:,.2f}",
                "temp": str(state.celsius(board) + 5),
                "temp2": str(state.celsius(board) + 16),
                "chain_acs": state.marks(board),
            }
            for board in range(state.spec.boards)
        ],
    }


def warnings(codes: list[str]) -> list[dict[str, Any]]:
    """Return WARNING as the dashboard of 2025 shows it."""
    return [
        {
            "code": code,
            "cause": f"cause of {code}",
            "suggestion": "replace it",
            "timestamp": "2025-11-22 08:00:00",
        }
        for code in codes
    ]


def pools(
    slots: list[dict[str, str]], *, modern: bool, dead: bool, shares: int
) -> list[dict[str, Any]]:
    """Return POOLS of either format; the first that lives is mined for."""
    rows: list[dict[str, Any]] = []
    for index, slot in enumerate(slots):
        if not slot["url"]:
            continue
        accepted = shares if index == 0 and not dead else 0
        state = "Dead" if dead else "Alive"
        if modern:
            rows.append(
                {
                    "index": index,
                    "url": slot["url"],
                    "user": slot["user"],
                    "status": state,
                    "priority": index,
                    "accepted": accepted,
                    "rejected": accepted // 400,
                    "stale": accepted // 900,
                    "diff": "524K",
                }
            )
        else:
            rows.append(
                {
                    "POOL": index,
                    "URL": f"stratum+tcp://{slot['url'].rpartition('://')[2]}",
                    "Status": state,
                    "Priority": index,
                    "Accepted": accepted,
                    "Rejected": accepted // 400,
                    "Stale": accepted // 900,
                    "User": slot["user"],
                    "Stratum Active": index == 0 and not dead,
                    "Best Share": 311621 if index == 0 else 0,
                    "Pool Stale%%": 0.0,
                }
            )
    return rows

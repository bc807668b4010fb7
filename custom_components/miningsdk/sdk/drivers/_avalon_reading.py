"""Read what an Avalon miner tells of itself: text such as ``TMax[77] Fan1[5344]``.

Sources: the open firmware of the Nano 3S, the A10 manual, captures of an A1246, an
A1566 and an Avalon Q. ``GHSspd`` is the rate of now; ``GHSavg`` and ``MGHS`` are
averages since the start and stay up while the miner sleeps.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
import re

from ..fields import Fields, number
from ..model import (
    Board,
    Fan,
    Fault,
    MinerPool,
    MinerSettings,
    MinerStats,
    MinerStatus,
    Severity,
)
from ._avalon_faults import read_faults
from ._avalon_models import Family
from .cgminer import WINDOWS, any_alive, difficulty, hashrate

_PAIR = re.compile(r"([A-Za-z][A-Za-z0-9_ ]{0,23}?)\[([^\[\]]*)\]")
_BOARD = re.compile(r"'HB(\d{1,2})'\s*:\s*\{([^{}]*)\}")
_CHIPS = re.compile(r"PVT_T(\d{1,2})")
_WORK = re.compile(r"Work:\s*([^,]*)")
_BOARDS = re.compile(r"Hash Board:\s*(\d{1,2})")
_LISTS = ("PS", "MGHS", "MTmax", "ECHU", "HASHS", "HBITemp", "HBOTemp")
_MAXIMUM_BOARDS = 16
_STATES = {"in fault": MinerStatus.FAULT, "in init": MinerStatus.STARTING}
# An old firmware prints GHSspd[0.00] while it hashes; this much of the theoretical
# rate over the last seconds shows that it does.
_SURELY_HASHES = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """The bracket text of one reply, taken apart but not yet understood.

    ``lists`` are the values that hold several numbers, ``chips`` the temperatures
    of the chips in °C by board.
    """

    values: Fields
    lists: dict[str, list[float | None]] = field(default_factory=dict)
    chips: dict[int, list[int]] = field(default_factory=dict)


def read_blob(reply: Mapping[str, object], failed: dict[str, str]) -> Blob:
    """Find and take apart the bracket text in a reply to estats or stats."""
    texts = {
        key: text
        for part in Fields(reply).children("STATS")
        for key, text in part.data.items()
        if isinstance(text, str) and (key.startswith("MM ID") or key == "HBinfo")
    }
    boards = texts.pop("HBinfo", "")
    pairs = _pairs(" ".join(texts.values()))
    values = Fields(pairs, failed)
    chips = {
        board: _whole_numbers(text)
        for key, text in pairs.items()
        if (board := _board_of(key)) is not None
    }
    for match in _BOARD.finditer(boards):
        # The one array below a board is numbered within the board.
        text = next((t for k, t in _pairs(match[2]).items() if _CHIPS.fullmatch(k)), "")
        chips[int(match[1])] = _whole_numbers(text)
    lists = {key: _numbers(pairs[key], key, failed) for key in _LISTS if key in pairs}
    return Blob(values=values, lists=lists, chips=chips)


@lru_cache(maxsize=1024)
def _board_of(key: str) -> int | None:
    """Return the board whose chips' temperatures a key holds, if it does."""
    match = _CHIPS.fullmatch(key)
    return None if match is None else int(match[1])


def _pairs(text: str) -> dict[str, str]:
    return {match[1]: match[2].strip() for match in _PAIR.finditer(text)}


def _numbers(text: str, key: str, failed: dict[str, str]) -> list[float | None]:
    try:
        return [number(part) for part in text.split()]
    except ValueError as error:
        failed.setdefault(key, str(error))
        return []


def _whole_numbers(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split()]
    except ValueError:
        return []


@dataclass(frozen=True, slots=True, kw_only=True)
class _Now:
    """What the parts of a reading have in common: state, rate and board count."""

    status: MinerStatus
    rate: float | None
    boards: int

    @property
    def hashes(self) -> bool:
        """Tell whether the miner hashes, so that its averages stand for now."""
        return self.status in (MinerStatus.MINING, MinerStatus.TUNING)

    @property
    def rests(self) -> bool:
        """Tell whether the boards are off, so that they show what was before."""
        return not self.hashes and self.status is not MinerStatus.UNKNOWN


def read_stats(
    blob: Blob,
    summary: Fields,
    pools: tuple[MinerPool, ...],
    family: Family,
    settings: MinerSettings,
) -> MinerStats:
    """Return the reading; ``settings`` is what else is known to be set."""
    values = blob.values
    work = _work(values)
    faults = read_faults(values, blob.lists, in_fault=work == "in fault")
    rate = _rate(values, summary, work)
    status = MinerStatus.UNKNOWN
    if values:
        status = _status(values, work, rate, pools, faults)
    else:
        values.failed.setdefault("status", "the miner does not tell its state")
    now = _Now(status=status, rate=rate, boards=_board_count(blob))
    return MinerStats(
        status=status,
        hashrate=rate,
        hashrate_average=_either(
            _gigahashes(values, "GHSavg", "hashrate_average"),
            hashrate(summary, "av", field="hashrate_average"),
        ),
        hashrate_expected=_gigahashes(values, "GHSmm", "hashrate_expected"),
        power=_power(blob),
        power_limit=values.number("MPO", field="power_limit", missing=(0,), digits=1),
        power_mode=family.modes.get(_mode(values)),
        temperature_chip=_celsius(
            values.number("TMax", field="temperature_chip", missing=(0,))
        ),
        temperature_inlet=_celsius(values.number("ITemp", field="temperature_inlet")),
        temperature_outlet=_celsius(values.number("OTemp", field="temperature_outlet")),
        temperature_ambient=_celsius(
            values.number("Temp", field="temperature_ambient")
        ),
        fans=_fans(values),
        boards=_boards(blob, now),
        pools=pools,
        accepted=summary.integer("Accepted", field="accepted"),
        rejected=summary.integer("Rejected", field="rejected"),
        stale=summary.integer("Stale", field="stale"),
        hardware_errors=_either(
            values.integer("HW", field="hardware_errors"),
            summary.integer("Hardware Errors", field="hardware_errors"),
        ),
        best_difficulty=difficulty(summary.data.get("Best Share")),
        uptime=_either(
            values.integer("Elapsed", field="uptime"),
            summary.integer("Elapsed", field="uptime"),
        ),
        locating=values.boolean("Led", field="locating"),
        settings=settings,
        faults=faults,
        failed=values.failed,
    )


def _work(values: Fields) -> str | None:
    match = _WORK.search(values.text("SYSTEMSTATU") or "")
    return match[1].strip().lower() if match else None


def _rate(values: Fields, summary: Fields, work: str | None) -> float | None:
    """Return the rate of now in TH/s."""
    speed = _gigahashes(values, "GHSspd", "hashrate")
    if speed or (speed is not None and work != "in work"):
        return speed
    recent = hashrate(summary, *WINDOWS)
    expected = _gigahashes(values, "GHSmm", "hashrate_expected")
    if speed is None or (
        recent is not None
        and expected is not None
        and recent > expected * _SURELY_HASHES
    ):
        return recent
    return speed


def _status(
    values: Fields,
    work: str | None,
    rate: float | None,
    pools: tuple[MinerPool, ...],
    faults: tuple[Fault, ...],
) -> MinerStatus:
    """Tell the state from the miner's own word for it, its sleep and its rate."""
    if work in _STATES:
        return _STATES[work]
    if rate and work != "in idle":
        return MinerStatus.TUNING if _calibrates(values) else MinerStatus.MINING
    asleep = values.number("SoftOFF", field="status")
    if asleep and (work is not None or rate is not None):
        return MinerStatus.PAUSED
    if work not in ("in idle", "in work") or (work == "in work" and rate is None):
        return MinerStatus.UNKNOWN
    return _without_hashing(work, pools, faults)


def _without_hashing(
    work: str, pools: tuple[MinerPool, ...], faults: tuple[Fault, ...]
) -> MinerStatus:
    if any(fault.severity is Severity.CRITICAL for fault in faults):
        return MinerStatus.FAULT
    if work == "in idle" or (pools and not any_alive(pools)):
        return MinerStatus.IDLE
    return MinerStatus.STARTING


def _calibrates(values: Fields) -> bool:
    """Tell whether the miner looks for its settings; only then it shows a bar."""
    return values.has("BAR") and values.number("ADJ", field="status") == 0


def _gigahashes(values: Fields, key: str, name: str) -> float | None:
    rate = values.number(key, field=name, scale=1e-3, digits=4)
    return rate if rate is not None and rate >= 0 else None


def _power(blob: Blob) -> float | None:
    """Return W at the wall, or of the boards where the supply tells no more.

    PS holds error, 12 V rail, board voltage, board current, board power and set
    voltage; newer supplies add the power at the wall as the seventh.
    """
    supply = blob.lists.get("PS", [])
    wall = blob.values.number("WALLPOWER", field="power", digits=1, missing=(0,))
    if wall is None and len(supply) in (6, 7):
        wall = supply[6 if len(supply) == 7 else 4]
    return wall if wall and wall > 0 else None


def _mode(values: Fields) -> int:
    mode = values.integer("WORKMODE", field="power_mode")
    return -1 if mode is None else mode


def _either[T](value: T | None, other: T | None) -> T | None:
    return other if value is None else value


def _celsius(value: float | None) -> float | None:
    """Return a temperature; -273 and the like stand for a sensor that is not there."""
    return round(float(value), 1) if value is not None and -50 < value < 200 else None


def _fans(values: Fields) -> tuple[Fan, ...]:
    duty = values.number("FanR", field="fans", digits=0)
    return tuple(
        Fan(index=index - 1, speed=speed, duty=duty)
        for index in range(1, 9)
        if (speed := values.number(f"Fan{index}", field="fans")) is not None
    )


def _board_count(blob: Blob) -> int:
    match = _BOARDS.search(blob.values.text("SYSTEMSTATU") or "")
    counts = [len(blob.lists.get(key, [])) for key in ("MGHS", "MTmax", "ECHU")]
    chips = max(blob.chips, default=-1) + 1
    return min(max(*counts, chips, int(match[1]) if match else 0), _MAXIMUM_BOARDS)


def _boards(blob: Blob, now: _Now) -> tuple[Board, ...]:
    return tuple(_board(blob, now, index) for index in range(now.boards))


def _board(blob: Blob, now: _Now, index: int) -> Board:
    chips = blob.chips.get(index, [])
    edges = [_item(blob, key, index) for key in ("HBITemp", "HBOTemp")]
    board = Board(
        index=index,
        hashrate=_board_rate(blob, now, index),
        temperature_board=_celsius(max((e for e in edges if e), default=None)),
        chips_expected=len(chips) or None,
    )
    return board if now.rests else _add_chips(board, blob, chips)


def _add_chips(board: Board, blob: Blob, chips: list[int]) -> Board:
    """Add what the chips tell; a chip without a temperature does not work."""
    working = [chip for chip in chips if 0 < chip < 200]
    hottest = _item(blob, "MTmax", board.index)
    if hottest is None:
        hottest = max(working, default=None)
    return replace(
        board,
        temperature_chip=_celsius(hottest),
        chips=len(working) if chips else None,
        frequency=blob.values.number("Freq", field="boards", digits=2),
        voltage=_voltage(blob),
    )


def _board_rate(blob: Blob, now: _Now, index: int) -> float | None:
    """Return the rate of a board, which is an average where there are several."""
    if now.boards == 1 or now.rate == 0:
        return now.rate
    average = _item(blob, "MGHS", index) if now.hashes else None
    return None if average is None or average < 0 else round(average / 1000, 4)


def _voltage(blob: Blob) -> float | None:
    """Return V of all boards; a supply without a 12 V rail counts in other units."""
    supply = blob.lists.get("PS", [])
    if len(supply) < 6 or not supply[1] or not supply[2]:
        return None
    return round(supply[2] / 100, 2)


def _item(blob: Blob, key: str, index: int) -> float | None:
    found = blob.lists.get(key, [])
    return found[index] if index < len(found) else None


def chip_count(blob: Blob) -> int | None:
    """Return how many chips the miner has in all."""
    return blob.values.integer("TA", field="chips", missing=(0,))

"""What an IceRiver tells of itself, as the vocabulary; all its firmware tells it alike.

Units of the firmware: a rate is text such as ``6226G`` in H/s, over 5 min (``rtpow``)
and 30 min (``avgpow``); MHz, V, °C, rpm; a time is ``DD:HH:MM:SS``. No model measures
its power. Source: protocols.md 12, the web interface of the vendor, and the API
documentation of iceriver-oc.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
import re

from ..algorithms import ALGORITHMS, rounded
from ..device import describe
from ..fields import Fields, mac_address
from ..model import (
    Board,
    DeviceInfo,
    Fan,
    Fault,
    MinerPool,
    MinerStats,
    MinerStatus,
    PoolState,
    Severity,
)

OPEN = "iceriver-oc"
# The rate over five minutes is worth something only after as long.
_STARTS_WITHIN = 300
_RATED_WITHIN = 1800
_COLDEST, _HOTTEST = -50.0, 200.0
_RATE = re.compile(r"\s*(\d{1,12}(?:\.\d*)?)\s*([KMGTPE]?)(?:H/s)?\s*", re.IGNORECASE)
_TERAHASHES = {
    "K": 1e-9,
    "M": 1e-6,
    "G": 1e-3,
    "T": 1.0,
    "P": 1e3,
    "E": 1e6,
}
_UPTIME = re.compile(r"(\d{1,5}):(\d{1,2}):(\d{1,2}):(\d{1,2})")
_PACKAGE = re.compile(r"(ks|al)(\d{1,2})([a-z]*)", re.IGNORECASE)
# Some packages bear a number instead of the model.
_NUMBERED = {"10306": "AL3", "11304": "KS7"}
_WORDS = {"pro": " Pro", "ultra": " Ultra", "lite": " Lite"}
# The smallest are sold without the fans that their firmware looks for.
_BARE = ("KS0", "AL0")


def introduce(info: DeviceInfo, data: Fields) -> DeviceInfo:
    """Return who the device is."""
    package = data.text("softver1") or ""
    algorithm = (data.text("algo") or "").lower()
    return describe(
        info,
        model=_model(data.text("model")) or _model_of(package),
        firmware=OPEN if package.lower().startswith("pb") else "stock",
        firmware_version=package.partition("_")[0],
        mac=mac_address(data.text("mac")),
        hostname=data.text("host"),
        algorithm=algorithm if algorithm in ALGORITHMS else None,
    )


def _model_of(package: str) -> str | None:
    """Return ``KS3M`` for a package named ``5977449_ks3m_miner``."""
    parts = package.lower().replace("miner", "").strip("_").split("_")
    return _NUMBERED.get(parts[-1]) or _model(parts[-1])


def _model(name: str | None) -> str | None:
    """Return ``KS0 Pro`` for ``ks0pro``."""
    match = _PACKAGE.fullmatch((name or "").replace(" ", ""))
    if match is None:
        return None
    series, number, rest = match.groups()
    return f"{series.upper()}{number}{_WORDS.get(rest.lower(), rest.upper())}"


@dataclass(slots=True)
class Memory:
    """What a reading leaves to the next one: how many fans have ever turned."""

    fans: int = 0


def hashes(data: Fields) -> bool | None:
    """Tell whether any board hashes now, as its rate goes on for five minutes more."""
    if data.boolean("online", field="status") is False:
        return False
    pools = [*data.children("pools")]
    if pools and not any(pool.boolean("connect", field="pools") for pool in pools):
        return False
    told = [board.boolean("state", field="boards") for board in data.children("boards")]
    known = [state for state in told if state is not None]
    return any(known) if known else None


def stats(
    data: Fields, memory: Memory, model: str | None, *, asleep: bool | None
) -> MinerStats:
    """Return a reading; ``asleep`` is ``None`` where that could not be read."""
    works = hashes(data)
    rate = _rate(data, "rtpow", "hashrate") if works else None if works is None else 0.0
    uptime = _uptime(data)
    found = _pools(data)
    faults = () if asleep else tuple(_faults(data, model or "", uptime))
    return MinerStats(
        status=_status(rate, uptime, found, faults, asleep=asleep),
        hashrate=0.0 if asleep else rate,
        hashrate_average=_rate(data, "avgpow", "hashrate_average"),
        fans=_fans(data, memory),
        boards=tuple(_board(data, board) for board in data.children("boards")),
        pools=found,
        uptime=uptime,
        locating=data.boolean("locate", field="locating"),
        faults=faults,
        failed=data.failed,
    )


def _status(
    rate: float | None,
    uptime: int | None,
    found: Sequence[MinerPool],
    faults: Sequence[Fault],
    *,
    asleep: bool | None,
) -> MinerStatus:
    if asleep:
        return MinerStatus.PAUSED
    if rate:
        return MinerStatus.MINING
    if asleep is not None and any(f.severity is Severity.CRITICAL for f in faults):
        return MinerStatus.FAULT
    if asleep is None or rate is None:
        return MinerStatus.UNKNOWN
    dead = found and all(pool.status is PoolState.DEAD for pool in found)
    young = uptime is not None and uptime < _STARTS_WITHIN
    return MinerStatus.STARTING if young and not dead else MinerStatus.IDLE


def _rate(data: Fields, key: str, field: str, unit: str = "") -> float | None:
    """Return a rate in TH/s; one without a unit is in that of the whole reply."""
    raw = data.data.get(key)
    if raw is None or isinstance(raw, bool) or not isinstance(raw, str | int | float):
        return None
    match = _RATE.fullmatch(str(raw))
    if match is None:
        data.failed.setdefault(field, f"{key} is not a rate")
        return None
    unit = match[2] or unit or data.text("unit") or "G"
    scale = _TERAHASHES.get(unit[0].upper())
    return None if scale is None else rounded(float(match[1]) * scale)


def _uptime(data: Fields) -> int | None:
    raw = data.text("runtime")
    if raw is None:
        return None
    match = _UPTIME.fullmatch(raw)
    if match is None:
        data.failed.setdefault("uptime", "runtime is not a time")
        return None
    days, hours, minutes, seconds = map(int, match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def _board(data: Fields, board: Fields) -> Board:
    index = board.integer("no", field="boards", missing=(0,)) or 1
    unit = (data.text("unit") or "")[:1]
    board_temperatures = (
        board.number(key, field="boards", digits=1) for key in ("intmp", "outtmp")
    )
    return Board(
        index=index - 1,
        hashrate=0.0
        if board.boolean("state", field="boards") is False
        else _rate(board, "rtpow", "boards", unit),
        hashrate_expected=_rate(board, "idealpow", "boards", unit) or None,
        temperature_board=_hottest(board_temperatures),
        temperature_chip=_hottest([board.number("chiptmp", field="boards", digits=1)]),
        chips=board.integer("chipsuc", field="boards"),
        frequency=board.number(
            "chippll", "freq", field="boards", digits=2, missing=(0,)
        ),
        voltage=board.number("chipvoltage", field="boards", digits=3, missing=(0,)),
    )


def _hottest(
    values: Iterator[float | None] | Sequence[float | None],
) -> float | None:
    """Return the hottest; a sensor that is not there tells 0."""
    found = [v for v in values if v is not None and _COLDEST < v < _HOTTEST and v]
    return max(found, default=None)


def _fans(data: Fields, memory: Memory) -> tuple[Fan, ...]:
    """Return the fans; the list has places for four, of which some stay empty."""
    listed = data.data.get("fans")
    told = Fields(
        {str(n): speed for n, speed in enumerate(listed)}
        if isinstance(listed, list)
        else None,
        data.failed,
    )
    speeds = [told.number(key, field="fans", digits=0) for key in list(told.data)[:16]]
    turning = [place + 1 for place, speed in enumerate(speeds) if speed]
    memory.fans = max(memory.fans, *turning, 0)
    found = enumerate(speeds[: memory.fans])
    return tuple(Fan(index=place, speed=speed) for place, speed in found)


def _pools(data: Fields) -> tuple[MinerPool, ...]:
    listed = [pool for pool in data.children("pools") if pool.text("addr")]
    connected = [pool.boolean("connect", field="pools") for pool in listed]
    active = connected.index(True) if True in connected else None
    return tuple(
        MinerPool(
            index=place,
            url=pool.text("addr"),
            user=pool.text("user"),
            status=_pool_state(place, active, connected[place]),
            accepted=pool.integer("accepted", field="pools"),
            rejected=pool.integer("rejected", field="pools"),
        )
        for place, pool in enumerate(listed)
    )


def _pool_state(
    place: int,
    active: int | None,
    connected: bool | None,  # noqa: FBT001
) -> PoolState | None:
    """Tell the state of a pool; nothing is known of those that are not needed."""
    if connected is None:
        return None
    if connected:
        return PoolState.ACTIVE if place == active else PoolState.ALIVE
    return PoolState.DEAD if active is None or place < active else None


def _faults(data: Fields, model: str, uptime: int | None) -> Iterator[Fault]:
    """Yield what the device calls unhealthy of itself."""
    if data.boolean("tempstate", field="faults") is False:
        yield Fault(
            code="temperature",
            message="The device reports that it is too hot",
            severity=Severity.CRITICAL,
        )
    fans = data.boolean("fanstate", field="faults")
    if fans is False and not model.startswith(_BARE):
        yield Fault(
            code="fan",
            message="The device reports a fault of its fans",
            component="fan",
        )
    if data.boolean("netstate", field="faults") is False:
        yield Fault(
            code="pool",
            message="The device reports that it has no pool",
            component="pool",
        )
    if uptime is not None and uptime >= _STARTS_WITHIN:
        yield from _lagging(data, uptime)


def _lagging(data: Fields, uptime: int) -> Iterator[Fault]:
    """Yield what is wrong with the hashing of a device that had time to begin."""
    low = data.boolean("powstate", field="faults") is False
    if low and uptime >= _RATED_WITHIN:
        yield Fault(
            code="hashrate",
            message="The device reports that its hashrate is too low",
        )
    boards = [*data.children("boards")]
    states = [board.boolean("state", field="faults") for board in boards]
    if True in states:
        for place, state in enumerate(states):
            if state is False:
                yield Fault(
                    code="board_stopped",
                    message="The board does not hash",
                    component=f"board {place}",
                    severity=Severity.CRITICAL,
                )

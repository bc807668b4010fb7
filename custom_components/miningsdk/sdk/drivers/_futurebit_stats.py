"""What the units of a FutureBit Apollo tell, as the vocabulary.

A unit is the board inside, or another one at a USB port. Units of the firmware: GH/s,
W, °C, rpm, s. What a unit told last stays where it is when the mining process ends, so
it counts only while that runs. Source: protocols.md 12, and the source of the API that
the maker has published.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from ..algorithms import rounded
from ..fields import Fields, number
from ..model import Board, Fan, MinerPool, PoolState

STATS = """stats{result{stats{uuid version date versions{miner}
master{upTime boardsW intervals{int_30{bySol} int_0{bySol errors}}}
pool{host port userName intervals{int_0{sharesAccepted sharesRejected}}}
fans{int_0{rpm}} temperature{max}
slots{int_0{chips temperature temperature1}}}} error{message}}"""
ONLINE = "online{result{online{status}} error{message}}"
SERVICES = """Services{stats(input:{serviceName:"miner"})
{result{data{requestedStatus}} error{message}}}"""
SETTINGS = "Settings{read{result{settings{minerMode}} error{message}}}"
POOLS = """Pool{list{result{pools{index enabled donation url username}}
error{message}}}"""
_MODELS = {"v1": "Apollo BTC", "v2": "Apollo II", "v3": "Apollo III"}
_COLDEST, _HOTTEST = -50.0, 200.0
# A unit tells something new every few seconds, while its mining process runs.
_RENEWED_WITHIN = 20.0
_FRESH = 20.0


def version(units: Sequence[Fields]) -> str | None:
    """Return the version of the mining process of the newest unit."""
    newest = max(units, key=_order, default=Fields(None))
    return newest.child("versions").text("miner")


def model(units: Sequence[Fields]) -> str | None:
    """Return the model by its newest unit: older ones are what was added to it."""
    versions = [version for unit in units if (version := unit.text("version"))]
    return _MODELS.get(max(versions, default=""))


def boards(units: Sequence[Fields]) -> tuple[Board, ...]:
    """Return one board for each unit, in an order that stays."""
    ordered = sorted(units, key=_order)
    return tuple(_board(place, unit) for place, unit in enumerate(ordered))


def _order(unit: Fields) -> tuple[str, str]:
    return (unit.text("version") or "", unit.text("uuid") or "")


def _board(place: int, unit: Fields) -> Board:
    slot = unit.child("slots").child("int_0")
    told = (
        slot.number("temperature", field="boards"),
        slot.number("temperature1", field="boards"),
        unit.child("temperature").number("max", field="boards"),
    )
    known = [t for t in told if t is not None and _COLDEST < t < _HOTTEST and t]
    return Board(
        index=place,
        hashrate=_rate(unit, "int_30"),
        temperature_board=round(max(known), 1) if known else None,
        chips=slot.integer("chips", field="boards", missing=(0,)),
    )


def _interval(unit: Fields, name: str) -> Fields:
    return unit.child("master").child("intervals").child(name)


def _rate(unit: Fields, name: str) -> float | None:
    found = _interval(unit, name).number("bySol", field="hashrate", scale=1e-3)
    return rounded(found) if found is not None and found >= 0 else None


def rate(units: Sequence[Fields]) -> float | None:
    """Return the rate over half a minute in TH/s."""
    return _sum([_rate(unit, "int_30") for unit in units])


def average(units: Sequence[Fields]) -> float | None:
    """Return the rate since the start in TH/s."""
    return _sum([_rate(unit, "int_0") for unit in units])


def power(units: Sequence[Fields]) -> float | None:
    """Return what all boards draw, in W."""
    return _sum(
        [unit.child("master").number("boardsW", field="power") for unit in units]
    )


def _sum(values: Sequence[float | None]) -> float | None:
    """Add up what all units tell; if one keeps silent the sum would be wrong."""
    known = [value for value in values if value is not None and value >= 0]
    return rounded(sum(known)) if values and len(known) == len(values) else None


def errors(units: Sequence[Fields]) -> int | None:
    """Return the errors of all chips since the start."""
    return _count(
        [_interval(unit, "int_0").integer("errors", field="errors") for unit in units]
    )


def shares(units: Sequence[Fields], key: str) -> int | None:
    """Return how many shares all units have sent with this result."""
    return _count([_shares(unit, key) for unit in units])


def _shares(unit: Fields, key: str) -> int | None:
    told = unit.child("pool").child("intervals").child("int_0")
    return told.integer(key, field="pools")


def _count(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def uptime(units: Sequence[Fields]) -> int | None:
    """Return for how many seconds the longest has run."""
    times = [unit.child("master").integer("upTime", field="uptime") for unit in units]
    return max((time for time in times if time is not None), default=None)


def fans(units: Sequence[Fields]) -> tuple[Fan, ...]:
    """Return the fans of all units."""
    speeds: list[float | None] = []
    for unit in sorted(units, key=_order):
        listed = unit.child("fans").child("int_0").data.get("rpm")
        for speed in listed if isinstance(listed, list) else ():
            try:
                speeds.append(number(speed))
            except ValueError as error:
                unit.failed.setdefault("fans", str(error))
                speeds.append(None)
    return tuple(Fan(index=n, speed=speed) for n, speed in enumerate(speeds[:16]))


def pools(
    units: Sequence[Fields], stored: Sequence[Fields], *, mining: bool
) -> tuple[MinerPool, ...]:
    """Return the pools that are stored, and the one mined on even if it is not."""
    live: dict[str, tuple[str, list[Fields]]] = {}
    for unit in units if mining else ():
        pool = unit.child("pool")
        if (host := pool.text("host")) is not None:
            port = pool.text("port")
            address = f"{host}:{port}" if port else host
            live.setdefault(address.lower(), (address, []))[1].append(unit)
    found: list[MinerPool] = []
    for pool in enabled(stored):
        url = pool.text("url") or ""
        bare = url.lower().rpartition("://")[2].rstrip("/")
        _, using = live.pop(bare, ("", []))
        found.append(_pool(len(found), url, pool.text("username"), using))
    for address, using in live.values():
        user = using[0].child("pool").text("userName")
        found.append(_pool(len(found), address, user, using))
    return tuple(found)


def enabled(stored: Sequence[Fields]) -> list[Fields]:
    """Return the pools that are used, without those to which a share is donated."""
    used = [
        pool
        for pool in stored
        if pool.text("url")
        and pool.boolean("enabled", field="pools") is not False
        and not pool.integer("donation", field="pools")
    ]
    return sorted(used, key=lambda pool: pool.integer("index", field="pools") or 0)


def _pool(place: int, url: str, user: str | None, using: list[Fields]) -> MinerPool:
    return MinerPool(
        index=place,
        url=url,
        user=user,
        status=PoolState.ACTIVE if using else None,
        accepted=shares(using, "sharesAccepted"),
        rejected=shares(using, "sharesRejected"),
    )


class Freshness:
    """Tells whether the units go on telling, for firmware that does not say it."""

    __slots__ = ("_dates", "_since")

    def __init__(self) -> None:
        """Begin without knowing anything."""
        self._dates: frozenset[str] | None = None
        self._since: float | None = None

    def check(self, units: Sequence[Fields]) -> bool | None:
        """Return whether what is told is new; ``None`` if that is not known yet."""
        dates = frozenset(date for unit in units if (date := unit.text("date")))
        before, self._dates = self._dates, dates
        if any(_is_new(date) for date in dates):
            self._since = monotonic()
            return True
        if before is None:
            return None
        if dates != before:
            self._since = monotonic()
        return self._since is not None and monotonic() - self._since < _RENEWED_WITHIN


def _is_new(date: str) -> bool:
    try:
        told = datetime.fromisoformat(date)
    except ValueError:
        return False
    if told.tzinfo is None:
        return False
    return abs((datetime.now(UTC) - told).total_seconds()) < _FRESH


def units(data: Fields) -> list[Fields]:
    """Return what each unit tells."""
    return list(data.child("Miner").child("stats").child("result").children("stats"))


def stored(data: Fields) -> list[Fields]:
    """Return the pools that are stored, if they were asked for."""
    return list(data.child("Pool").child("list").child("result").children("pools"))


def mode(data: Fields) -> str | None:
    """Return the mode that is set, if it was asked for."""
    settings = data.child("Settings").child("read").child("result").child("settings")
    return settings.text("minerMode")


def requested(data: Fields) -> str | None:
    """Return what the mining process was told to be: ``online`` or ``offline``."""
    told = data.child("Services").child("stats").child("result").child("data")
    return told.text("requestedStatus")


def online(data: Fields) -> Any:
    """Return what the device says of the mining process; old firmware: true, false."""
    told = data.child("Miner").child("online").child("result").child("online")
    return told.data.get("status")

"""The replies of a Goldshell as boards, fans, pools and plans.

Units of the firmware: MH/s of the own algorithm, MHz, rpm, °C and s. The voltage of
the chips is told in V by small miners and in mV by large ones. -150 °C is no sensor.
Source: protocols.md 12, recorded replies of KD5, HS5, SC5 and of the boxes, and the
web interface of the vendor.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
import re
from typing import Any

from ..algorithms import rounded
from ..fields import Fields
from ..model import Board, Fan, Fault, MinerPool, PoolState, Severity
from .cgminer import hashrate

_COLDEST, _HOTTEST = -50.0, 200.0
# No chip takes as much in V, nor as little in mV.
_MILLIVOLTS_ABOVE = 100.0
_FAN = re.compile(r"fan(\d{1,2})")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_IDLE = re.compile(r"0+(?:\.0+)? *MHz\b.*|.*\bidle\b.*", re.IGNORECASE)
_ALGORITHMS = (("(sc)", "blake2b"), ("hns", "handshake"), ("handshake", "handshake"))
_HOT = {
    2: ("over_temperature", "The board is too hot"),
    3: ("overheat", "The board has overheated"),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """One power plan: what the device calls it, and whether nothing runs in it."""

    name: str
    idle: bool


class Setting:
    """What the device is set to; written back as a whole.

    Plans are known only where they are one list: the boxes that mine two algorithms
    keep one for each, and are left alone.
    """

    def __init__(self, data: object) -> None:
        """Wrap the object ``setting``."""
        self.data: Mapping[str, Any] = data if isinstance(data, Mapping) else {}
        self.fields = Fields(self.data)
        self.plans = tuple(_plans(self.data.get("powerplans")))

    @property
    def selected(self) -> Plan | None:
        """Return the plan that is selected and in force."""
        place = self.fields.integer("select")
        if place is None or not 0 <= place < len(self.plans):
            return None
        # By hand, the owner's own clock and voltage stand in for the plans.
        return None if self.fields.boolean("manual") else self.plans[place]

    @property
    def sleeps(self) -> bool:
        """Tell whether the plan in force lets nothing run."""
        return self.selected is not None and self.selected.idle

    def place(self, name: str) -> int | None:
        """Return where the plan of a name is in the list."""
        names = [plan.name for plan in self.plans]
        return names.index(name) if name in names else None

    def change(self, **values: object) -> dict[str, Any]:
        """Return the whole object with some values changed."""
        return {**self.data, **values}

    @property
    def algorithm(self) -> str | None:
        """Return what a box mines that can do several."""
        name = (self.fields.text("algoname") or "").lower()
        return next((found for mark, found in _ALGORITHMS if mark in name), None)


def _plans(listed: object) -> Iterator[Plan]:
    plans = listed if isinstance(listed, list) else []
    names = [Fields(plan).text("info") for plan in plans]
    if None in names:
        return
    for name in filter(None, names):
        yield Plan(name, idle=_IDLE.fullmatch(name) is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """What the boards tell. ``stopped``: their clocks stand still, if that is told."""

    boards: tuple[Board, ...]
    fans: tuple[Fan, ...]
    faults: tuple[Fault, ...]
    stopped: bool | None


def from_socket(reply: object, failed: dict[str, str]) -> Hardware:
    """Return the hardware from the devices of the socket API."""
    devices = list(Fields(reply, failed).children("DEVS"))
    clocks = [device.number("clock", field="boards") for device in devices]
    known = [clock for clock in clocks if clock is not None]
    return Hardware(
        boards=tuple(_board(place, device) for place, device in enumerate(devices)),
        fans=next(filter(None, map(_fans, devices)), ()),
        faults=tuple(_socket_faults(devices)),
        stopped=not any(known) if known else None,
    )


def by_priority(reply: Mapping[str, Any]) -> dict[str, Any]:
    """Return a reply with its pools in the order in which they are tried."""
    listed = reply.get("POOLS")
    known = listed if isinstance(listed, list) else []
    found = [pool for pool in known if isinstance(pool, dict)]
    return {**reply, "POOLS": sorted(found, key=priority)}


def priority(pool: Mapping[str, Any]) -> int:
    """Return in which place a pool is tried, however it is told."""
    place = Fields(pool).integer("Priority", "pool-priority", "POOL")
    return 0 if place is None else place


def _board(place: int, device: Fields) -> Board:
    index = device.integer("PGA", "ID", field="boards")
    volts = device.number("voltage", field="boards", missing=(0,))
    if volts is not None and volts > _MILLIVOLTS_ABOVE:
        volts = round(volts / 1000, 3)
    return Board(
        index=place if index is None else index,
        hashrate=hashrate(device, "20s", "5s", "av", field="boards"),
        temperature_board=_celsius(device.number("tstemp-2", field="boards")),
        temperature_chip=_hottest(
            device.number(key, field="boards") for key in ("tstemp-0", "tstemp-1")
        ),
        frequency=device.number("clock", field="boards", digits=1, missing=(0,)),
        voltage=volts,
        enabled=device.boolean("Enabled", field="boards"),
    )


def _fans(device: Fields) -> tuple[Fan, ...]:
    """Return the fans, which every board tells alike."""
    speeds = {
        int(match[1]): device.number(key, field="fans", digits=0)
        for key in device.data
        if (match := _FAN.fullmatch(key))
    }
    return tuple(Fan(index=place, speed=speeds[place]) for place in sorted(speeds))


def _socket_faults(devices: Sequence[Fields]) -> Iterator[Fault]:
    for place, device in enumerate(devices):
        if device.boolean("overheat", field="faults"):
            yield _fault("overheat", _HOT[3][1], place)
        state = (device.text("Status") or "").lower()
        if state in ("sick", "dead", "nostart"):
            yield _fault(f"device_{state}", f"The miner calls the board {state}", place)


def _fault(code: str, message: str, place: int) -> Fault:
    return Fault(
        code=code,
        message=message,
        component=f"board {place}",
        severity=Severity.CRITICAL,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WebReading:
    """What the web server tells of the devices, where the socket is out of reach.

    ``hashrate`` and ``average`` TH/s, ``power`` W, ``uptime`` s.
    """

    hardware: Hardware
    hashrate: float | None
    average: float | None
    power: float | None
    accepted: int | None
    rejected: int | None
    errors: int | None
    uptime: int | None


def from_web(reply: object, failed: dict[str, str]) -> WebReading:
    """Return a reading from the devices of the web server.

    The smallest miners hold two of other algorithms, and tell each below ``minfos``.
    """
    outer = Fields(reply, failed)
    items = [*outer.children("data")]
    for group in outer.children("minfos"):
        items += group.children("infos")
    faults = [*_web_faults(items)]
    if outer.integer("status", field="faults") == 1:
        faults.append(
            Fault(
                code="fan",
                message="The device reports a fault of its fans",
                component="fan",
                severity=Severity.CRITICAL,
            )
        )
    return WebReading(
        hardware=Hardware(
            boards=tuple(_web_board(place, item) for place, item in enumerate(items)),
            fans=_web_fans(items),
            faults=tuple(faults),
            stopped=None,
        ),
        hashrate=_sum(_rate(item, "hashrate") for item in items),
        average=_sum(_rate(item, "av_hashrate") for item in items),
        power=_sum(item.number("power", field="power", digits=1) for item in items),
        accepted=_count(items, "accepted"),
        rejected=_count(items, "rejected"),
        errors=_count(items, "hwerrors"),
        uptime=max(
            (t for i in items if (t := i.integer("time", field="uptime")) is not None),
            default=None,
        ),
    )


def _web_board(place: int, item: Fields) -> Board:
    index = item.integer("id", field="boards")
    return Board(
        index=place if index is None else index,
        hashrate=_rate(item, "hashrate"),
        temperature_chip=_hottest(_numbers(item, "temp")),
    )


def _web_fans(items: Sequence[Fields]) -> tuple[Fan, ...]:
    """Return the fans from text such as ``3180 rpm / 3120 rpm``, told by each board."""
    for item in items:
        if speeds := _numbers(item, "fanspeed"):
            return tuple(Fan(index=n, speed=round(v)) for n, v in enumerate(speeds))
    return ()


def _web_faults(items: Sequence[Fields]) -> Iterator[Fault]:
    for place, item in enumerate(items):
        if found := _HOT.get(item.integer("minerstatus", field="faults") or 0):
            yield _fault(*found, place)


def _numbers(item: Fields, key: str) -> list[float]:
    found = item.data.get(key)
    words = str(found) if isinstance(found, str | int | float) else ""
    return [float(number) for number in _NUMBER.findall(words)[:16]]


def _rate(item: Fields, key: str) -> float | None:
    rate = item.number(key, field="hashrate", scale=1e-6)
    return rounded(rate) if rate is not None and rate >= 0 else None


def _sum(values: Iterator[float | None]) -> float | None:
    """Add up what all boards tell; if one keeps silent the sum would be wrong."""
    found = list(values)
    known = [value for value in found if value is not None and value >= 0]
    return rounded(sum(known)) if found and len(known) == len(found) else None


def _count(items: Sequence[Fields], key: str) -> int | None:
    counts = [item.integer(key, field=key) for item in items]
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _celsius(value: float | None) -> float | None:
    known = value is not None and _COLDEST < value < _HOTTEST and value != 0
    return round(value, 1) if known and value is not None else None


def _hottest(values: Iterator[float | None] | Sequence[float]) -> float | None:
    found = [celsius for value in values if (celsius := _celsius(value)) is not None]
    return max(found, default=None)


def web_pools(reply: object, failed: dict[str, str]) -> tuple[MinerPool, ...]:
    """Return the pools that are stored, and which of them is mined on."""
    found = Fields({"pools": reply}, failed).children("pools")
    return tuple(
        MinerPool(
            index=place,
            url=pool.text("url"),
            user=pool.text("user"),
            status=PoolState.ACTIVE if pool.boolean("active", field="pools") else None,
        )
        for place, pool in enumerate(found)
    )

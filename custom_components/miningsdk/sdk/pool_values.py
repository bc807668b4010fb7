"""Read the loosely typed values of pools: hashrates, bitcoin amounts and times."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
import math
import re
from typing import Any

from .fields import Fields, number
from .model import PoolWorker

HASH = 1e-12  # H/s in TH/s
GIGA = 1e-3
SATOSHI = 1e-8
_SUFFIXED = re.compile(r"\s*(\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)\s*([kKMGTPEZ]?)\s*")
_PREFIXES = {
    "": 1e-12,
    "k": 1e-9,
    "m": 1e-6,
    "g": 1e-3,
    "t": 1.0,
    "p": 1e3,
    "e": 1e6,
    "z": 1e9,
}
_UNIT = re.compile(r"\s*([kMGTPEZ]?)h(?:/s)?\s*", re.IGNORECASE)
# Times beyond this are in milliseconds: as seconds it would be the year 5138.
_MILLISECONDS = 1e11


def rate(fields: Fields, *keys: str, scale: float, field: str) -> float | None:
    """Return the first of the keys that holds a hashrate, in TH/s."""
    value = fields.number(*keys, scale=scale, field=field)
    if value is not None and value < 0:
        fields.failed.setdefault(field, "the pool gave a negative hashrate")
        return None
    return None if value is None else round(value, 4)


def suffixed_rate(fields: Fields, key: str, field: str) -> float | None:
    """Return a hashrate such as ``"4.57G"`` (H/s) in TH/s."""
    value = fields.data.get(key)
    if value is None:
        return None
    match = _SUFFIXED.fullmatch(str(value))
    if match is None:
        fields.failed.setdefault(field, f"{key}: {str(value)[:40]!r} is no hashrate")
        return None
    found = float(match[1]) * _PREFIXES[match[2].lower()]
    return round(found, 4) if math.isfinite(found) else None


def unit_scale(unit: str | None, default: float) -> float | None:
    """Return what a unit such as ``"Gh/s"`` is in TH/s; ``None``: it is no unit."""
    if unit is None:
        return default
    match = _UNIT.fullmatch(unit)
    return None if match is None else _PREFIXES[match[1].lower()]


def bitcoin(fields: Fields, *keys: str, field: str, scale: float = 1.0) -> float | None:
    """Return the first of the keys that holds an amount, in BTC."""
    return fields.number(*keys, field=field, scale=scale, digits=8)


def moment(value: object) -> datetime | None:
    """Return a time in UTC from Unix seconds or milliseconds, or from ISO 8601.

    A time without a zone is UTC. Zero, and what is no time at all, is ``None``.
    """
    try:
        if isinstance(value, str) and "-" in value.strip()[1:]:
            found = datetime.fromisoformat(value.strip())
            return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
        seconds = number(value)
        if seconds is None or seconds <= 0:
            return None
        if seconds >= _MILLISECONDS:
            seconds /= 1000
        return datetime.fromtimestamp(seconds, UTC)
    except ValueError, OverflowError, OSError:
        return None


def records(value: object) -> list[Mapping[str, Any]]:
    """Return the objects of a list; what is no object is passed over."""
    if not isinstance(value, list):
        return []
    return [item for item in value if isinstance(item, Mapping)]


def named(value: object) -> Iterator[tuple[str, object]]:
    """Yield the members of an object that maps names to things."""
    if isinstance(value, Mapping):
        yield from ((str(name), thing) for name, thing in value.items())


def latest(workers: Iterable[PoolWorker]) -> datetime | None:
    """Return when the pool last got a share from any worker."""
    return max((w.last_share for w in workers if w.last_share), default=None)


def total(values: Iterable[float | None], digits: int = 4) -> float | None:
    """Return the sum of what is known; ``None`` when nothing is."""
    known = [value for value in values if value is not None]
    return round(sum(known), digits) if known else None


def hashrate_of(workers: Iterable[PoolWorker], *, listed: bool) -> float | None:
    """Return the hashrate of all workers; zero when the list has come and is empty."""
    rates = [worker.hashrate for worker in workers]
    return total(rates) if rates or not listed else 0.0


def online(workers: Iterable[PoolWorker]) -> int:
    """Return how many workers the pool says are at work."""
    return sum(worker.online is True for worker in workers)

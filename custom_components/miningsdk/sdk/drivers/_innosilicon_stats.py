"""What an Innosilicon tells of its boards and rates, as the vocabulary.

The socket API calls each rate ``MHS`` but means another unit in each series: MH/s in T
series, and H/s or Sol/s in A9, A10 and A11. Of other series it is not known. Units of
the rest: MHz, mV, °C, % of the fans. The ``power`` that some tell is no measurement.
Source: protocols.md 12, and the web interface of the vendor.
"""

from collections.abc import Iterator, Mapping, Sequence
import re
from typing import Any

from ..algorithms import rounded
from ..fields import Fields
from ..model import Board, Fan, Fault, Severity

_WINDOWS = ("5s", "1m", "5m", "15m", "av")
_COLDEST, _HOTTEST = -50.0, 200.0
_SERIES = re.compile(r"\s*([a-z])(\d{1,2})", re.IGNORECASE)
_PROGRAM = re.compile(r"innominer\s+([a-z]\d{1,2})[^-\s]*-?(\S*)", re.IGNORECASE)
_ALGORITHMS = {
    "a4": "scrypt",
    "a5": "x11",
    "a6": "scrypt",
    "a9": "equihash",
    "a10": "ethash",
    "a11": "ethash",
    "d9": "blake256",
    "s11": "blake2b",
}
_HASHES = frozenset({"a9", "a10", "a11"})
_SICK = frozenset({"sick", "dead", "nostart"})


def program(description: str) -> tuple[str | None, str | None]:
    """Return series and version of ``innominer a10-1.1.0``."""
    match = _PROGRAM.match(description)
    return (match[1].lower(), match[2] or None) if match else (None, None)


def series(model: str | None) -> str | None:
    """Return ``a11`` for ``A11MX``."""
    match = _SERIES.match(model or "")
    return f"{match[1]}{match[2]}".lower() if match else None


def algorithm(found: str | None) -> str | None:
    """Return what a series mines."""
    if found is None:
        return None
    return "sha256" if found.startswith("t") else _ALGORITHMS.get(found)


def unit(found: str | None) -> float | None:
    """Return how many TH/s what is called one MH/s is in a series."""
    if found is None:
        return None
    if found.startswith("t"):
        return 1e-6
    return 1e-12 if found in _HASHES else None


def works(summary: Fields) -> bool | None:
    """Tell whether anything is hashed now, whatever the unit."""
    rate = _raw(summary, _WINDOWS[:-1])
    return None if rate is None else rate > 0


def rate(
    fields: Fields,
    scale: float | None,
    windows: Sequence[str] = _WINDOWS,
    field: str = "hashrate",
) -> float | None:
    """Return the rate of the first window that is told, in TH/s."""
    found = _raw(fields, windows, field)
    return None if found is None or scale is None else rounded(found * scale)


def _raw(
    fields: Fields, windows: Sequence[str], field: str = "hashrate"
) -> float | None:
    found = fields.number(*(f"MHS {window}" for window in windows), field=field)
    return found if found is not None and found >= 0 else None


def boards(
    stats: Mapping[str, Any],
    devices: Sequence[Fields],
    scale: float | None,
    failed: dict[str, str],
) -> tuple[Board, ...]:
    """Return the boards: one for each chain of the statistics, or for each device."""
    chains = list(_chains(stats, failed))
    rates = [rate(device, scale, field="boards") for device in devices]
    switches = [device.boolean("Enabled", field="boards") for device in devices]
    known = len(rates) == len(chains)
    if not chains:
        return tuple(
            Board(index=n, hashrate=found, enabled=switches[n])
            for n, found in enumerate(rates)
        )
    return tuple(
        _board(
            place,
            chain,
            rates[place] if known else None,
            switches[place] if known else None,
        )
        for place, chain in enumerate(chains)
    )


def _board(
    place: int,
    chain: Fields,
    found: float | None,
    switched: bool | None,  # noqa: FBT001
) -> Board:
    index = chain.integer("Chain ID", field="boards")
    return Board(
        index=place if index is None else index,
        hashrate=found,
        temperature_chip=_celsius(chain, "Temp max", "Temp"),
        chips=chain.integer("Num active chips", field="boards"),
        chips_expected=chain.integer("Num chips", field="boards"),
        frequency=chain.number("PLL", field="boards", digits=1, missing=(0,)),
        voltage=chain.number(
            "Voltage Avg", field="boards", scale=1e-3, digits=3, missing=(0,)
        ),
        enabled=switched,
    )


def _celsius(chain: Fields, *keys: str) -> float | None:
    for key in keys:
        value = chain.number(key, field="boards", digits=1, missing=(0,))
        if value is not None and _COLDEST < value < _HOTTEST:
            return value
    return None


def fans(stats: Mapping[str, Any], failed: dict[str, str]) -> tuple[Fan, ...]:
    """Return the duty of the fans, which is one for all; their speed is not told."""
    for chain in _chains(stats, failed):
        duty = chain.number("Fan duty", field="fans", digits=1)
        if duty is not None and 0 <= duty <= 100:
            return (Fan(index=0, duty=duty),)
    return ()


def _chains(stats: Mapping[str, Any], failed: dict[str, str]) -> Iterator[Fields]:
    """Yield the chains; older programs give each its own list, such as STATS0."""
    reply = Fields(stats, failed)
    for key in stats:
        if key.startswith("STATS"):
            yield from (e for e in reply.children(key) if e.has("Num chips"))


def faults(devices: Sequence[Fields]) -> tuple[Fault, ...]:
    """Return the boards that the mining process has given up."""
    return tuple(
        Fault(
            code=f"device_{state}",
            message=f"The miner calls the board {state}",
            component=f"board {place}",
            severity=Severity.CRITICAL,
        )
        for place, device in enumerate(devices)
        if (state := (device.text("Status") or "").lower()) in _SICK
    )


def error(reply: Mapping[str, Any]) -> tuple[Fault, ...]:
    """Return what the device says is wrong; its code is 0 if nothing is."""
    fields = Fields(reply)
    code = fields.text("code")
    if code is None or not code.strip("0"):
        return ()
    return (
        Fault(
            code=code,
            message=(fields.text("errmsg") or "The device reports an error")[:200],
            severity=Severity.CRITICAL,
        ),
    )

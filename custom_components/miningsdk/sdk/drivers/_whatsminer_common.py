"""What both APIs of a Whatsminer share: names, states, limits and pools.

Source: protocols.md 4, 16 and 17.
"""

from collections.abc import Iterable
import re

from ..fields import Fields
from ..model import (
    Board,
    Capability,
    Fan,
    Fault,
    Limits,
    MinerStatus,
    PoolState,
    Severity,
)

MAKE = "MicroBT"
POWER_MODES = ("low", "normal", "high")

# Modes and limits restart the miner; it is away for minutes. Seconds each.
CONFIRM_LONGER = {
    Capability.PAUSE: 60.0,
    Capability.POWER_LIMIT: 180.0,
    Capability.POWER_MODE: 180.0,
    Capability.POOLS: 60.0,
}

RESTARTS = frozenset({Capability.POWER_LIMIT, Capability.POWER_MODE})

ENABLE_API = (
    "In WhatsMinerTool change the default password and switch the API on "
    "(Remote Ctrl > Miner API Switch), then try again"
)

_MODEL = re.compile(r"(?:WHATSMINER[ _-]*)?(M\d[0-9A-Z]*?\+{0,2})[_ ]?(V[0-9A-Z]+)?")
# Models with fans; all others are cooled by water or oil.
_AIR = re.compile(r"M(?:2\d|3[0-2]|[4-9][01])")
_POOL_STATES = {
    "alive": PoolState.ALIVE,
    "dead": PoolState.DEAD,
    "disabled": PoolState.DISABLED,
    "rejecting": PoolState.DISABLED,
}
# Vendor: 0 to 99999 W, but 0 means "no limit" to the firmware.
_LEAST_WATTS = 100.0
MOST_WATTS = 99999.0
# Vendor: 0 to 100 %, but 0 is told while no percentage is set.
THROTTLE = Limits(minimum=1, maximum=100, step=1)
BLINK = {"color": "red", "period": 200, "duration": 100, "start": 0}
# Chips and boards that do not run are told to be this cold.
NO_TEMPERATURE = (0.0, -1.0, -273.0)
# It may well be 0 °C around a miner.
NO_AMBIENT = (-273.0,)
# At a low limit a miner needs less for each TH/s than at its rated power.
_MARGIN = 1.2
_STARTING_FOR = 900


def model_name(raw: str | None) -> str | None:
    """Return ``Whatsminer M60S VK40`` for ``M60S_VK40``, as users know it."""
    if raw is None:
        return None
    match = _MODEL.fullmatch(raw.strip().upper())
    if match is None:
        return f"Whatsminer {raw.strip()}"
    return " ".join(("Whatsminer", *filter(None, match.groups())))


def is_liquid(model: str | None) -> bool:
    """Tell from a model name whether the miner is made without fans."""
    bare = (model or "").upper().removeprefix("WHATSMINER ")
    return bool(bare.startswith("M") and bare[1:2].isdigit() and not _AIR.match(bare))


def temperature(
    reply: Fields,
    *keys: str,
    field: str,
    missing: tuple[float, ...] = NO_TEMPERATURE,
) -> float | None:
    """Return a temperature in °C, unless it is none that a miner can have."""
    value = reply.number(*keys, field=field, digits=1, missing=missing)
    return value if value is not None and -50 < value < 200 else None


def positive(value: float | None) -> float | None:
    """Return a number unless it is negative, as no rate and no power is."""
    return value if value is not None and value >= 0 else None


def fans(reply: Fields, keys: tuple[str, str], *, liquid: bool) -> tuple[Fan, ...]:
    """Return intake and exhaust fan; a liquid-cooled miner that tells 0 has none."""
    speeds = [positive(reply.number(key, field="fans", digits=0)) for key in keys]
    if liquid and not any(speeds):
        return ()
    return tuple(
        Fan(index=index, speed=speed)
        for index, speed in enumerate(speeds)
        if speed is not None
    )


def total(boards: Iterable[Board]) -> float | None:
    """Return the hashrate of all boards in TH/s, if any tells one."""
    rates = [board.hashrate for board in boards if board.hashrate is not None]
    return round(sum(rates), 4) if rates else None


def power_mode(value: str | None) -> str | None:
    """Return the power mode in our words, or ``None`` for anything else."""
    mode = (value or "").lower()
    return mode if mode in POWER_MODES else None


def pool_state(status: str | None, *, active: bool | None) -> PoolState | None:
    """Return how the miner sees a pool."""
    state = _POOL_STATES.get((status or "").lower())
    return PoolState.ACTIVE if active and state is PoolState.ALIVE else state


def power_limits(
    factory: float | None,
    rate: float | None,
    told: Iterable[float | None],
    before: Limits | None = None,
) -> Limits:
    """Return the range of the power limit in W.

    The rated power is not told; it is estimated from the nominal TH/s and the J/TH
    of now, with some margin. Whatever the miner is set to can be set, and what
    could be set ``before`` still can. Without an estimate, the range is the one
    that the vendor documents.
    """
    known = [watts for watts in told if watts is not None]
    if before is not None and before.maximum not in (None, MOST_WATTS):
        known.append(before.maximum)
    elif not factory or not rate:
        return Limits(minimum=_LEAST_WATTS, maximum=MOST_WATTS, step=1)
    known.append(round((factory or 0) * (rate or 0) * _MARGIN, -2))
    return Limits(minimum=_LEAST_WATTS, maximum=max(known), step=1)


def status_of(
    *,
    hashing: bool,
    tuning: bool,
    elapsed: int | None,
    faults: tuple[Fault, ...],
    pools: Iterable[PoolState | None],
) -> MinerStatus:
    """Return what a miner does that is switched on.

    It needs minutes to reach its frequency. Not hashing for long is a fault when
    the device reports a critical one, else it idles, mostly for want of a pool.
    """
    if hashing:
        return MinerStatus.TUNING if tuning else MinerStatus.MINING
    if _any_critical(faults):
        return MinerStatus.FAULT
    states = set(pools)
    if not states & {PoolState.ACTIVE, PoolState.ALIVE, None}:
        return MinerStatus.IDLE
    if tuning or (elapsed is not None and elapsed < _STARTING_FOR):
        return MinerStatus.STARTING
    return MinerStatus.IDLE


def status_without_values(*, off: bool, faults: tuple[Fault, ...]) -> MinerStatus:
    """Return what a miner does that is off, or is on but tells no values yet."""
    if off:
        return MinerStatus.PAUSED
    return MinerStatus.FAULT if _any_critical(faults) else MinerStatus.STARTING


def _any_critical(faults: tuple[Fault, ...]) -> bool:
    return any(fault.severity is Severity.CRITICAL for fault in faults)

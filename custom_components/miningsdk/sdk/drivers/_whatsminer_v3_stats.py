"""Read the replies of API v3 of Whatsminer; rates are in TH/s.

Source: protocols.md 4.2, mdk-devices.md 2.2.
"""

from dataclasses import dataclass, replace

from ..fields import Fields
from ..model import (
    Board,
    Fault,
    MinerPool,
    MinerSettings,
    MinerStats,
    MinerStatus,
)
from . import _whatsminer_common as common
from ._whatsminer_v2_stats import faults as faults_of

LIVE = "summary+pools+edevs"
_FANS = ("fan-speed-in", "fan-speed-out")
_NOW = ("hash-realtime", "hash-1min", "hash-average")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What the miner is set to: W, a power mode, % of full power."""

    limit: float | None = None
    mode: str | None = None
    throttle: float | None = None


def setting(reply: Fields, device: Fields) -> Setting:
    """Return the settings; firmware of before 3.0.3 tells no percentage."""
    percent = reply.number("power-percent", field="throttle")
    limit = power_limit(reply)
    if limit is None:
        limit = device.child("miner").number("power-limit-set", missing=(0,))
    return Setting(
        limit=limit,
        mode=common.power_mode(reply.text("power-mode")),
        throttle=100.0 if percent == 0 else percent,
    )


def locating(device: Fields) -> bool | None:
    """Tell whether the LED blinks by command."""
    state = device.child("system").text("ledstatus")
    return None if state is None else state.lower() != "auto"


def faults(device: Fields) -> tuple[Fault, ...]:
    """Return the faults; while the service is down there may be a text instead."""
    codes = device.data.get("error-code")
    return faults_of(codes) if isinstance(codes, list) else ()


def coolant(device: Fields) -> float | None:
    """Return the coolant's temperature in °C."""
    return common.temperature(
        device.child("power"), "liquid-temperature", field="temperature_inlet"
    )


def pools(live: Fields) -> tuple[MinerPool, ...]:
    """Return the pools by priority; most firmware counts no shares here."""
    by_priority = sorted(
        live.children("pools"), key=lambda pool: pool.number("pool-priority") or 0
    )
    return tuple(
        MinerPool(
            index=index,
            url=pool.text("url"),
            user=pool.text("account"),
            status=common.pool_state(
                pool.text("status"), active=pool.boolean("stratum-active")
            ),
            accepted=pool.integer("accepted", field="pools"),
            rejected=pool.integer("rejected", field="pools"),
            stale=pool.integer("stale", field="pools"),
        )
        for index, pool in enumerate(by_priority)
    )


def with_shares(
    shown: tuple[MinerPool, ...], counted: tuple[MinerPool, ...]
) -> tuple[MinerPool, ...]:
    """Return the pools with the counters that API v2 tells of the same pools."""
    if [pool.url for pool in shown] != [pool.url for pool in counted]:
        return shown
    return tuple(
        replace(
            pool,
            accepted=other.accepted,
            rejected=other.rejected,
            stale=other.stale,
        )
        for pool, other in zip(shown, counted, strict=True)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was asked for one reading; ``live`` is ``None`` while the service is down.

    The power limit is the one in force; while the miner is on its way to another,
    or when ``prefer_set``, it is the one it is set to.
    """

    device: Fields
    live: Fields | None
    pools: tuple[MinerPool, ...]
    setting: Setting
    has_fans: bool
    prefer_set: bool


def stats(reading: Reading, failed: dict[str, str]) -> MinerStats:
    """Return a reading in our words."""
    device = Fields(reading.device.data, failed)
    live = Fields(None if reading.live is None else reading.live.data, failed)
    summary = live.child("summary")
    found = _boards(live, summary, device.child("miner"))
    rate = _rate(summary, *_NOW)
    rate = common.total(found) if rate is None else rate
    tuning = summary.number("up-freq-finish") == 0
    elapsed = summary.integer("elapsed", "bootup-time", field="uptime")
    reports = faults(device)
    status = _status(reading, device, rate, elapsed, reports, tuning=tuning)
    paused = status is MinerStatus.PAUSED
    known = reading.setting
    limit = power_limit(summary)
    if limit is None or reading.prefer_set or tuning or paused:
        limit = limit if known.limit is None else known.limit
    return MinerStats(
        status=status,
        hashrate=0.0 if paused else rate,
        hashrate_average=_rate(summary, "hash-average", "hash-15min"),
        hashrate_expected=factory(summary),
        power=common.positive(
            summary.number("power-realtime", "power-5min", field="power", digits=1)
        ),
        power_limit=limit,
        power_mode=known.mode,
        efficiency=efficiency(summary) if rate and not paused else None,
        temperature_chip=None
        if any(board.temperature_chip is not None for board in found)
        else common.temperature(summary, "chip-temp-max", field="temperature_chip"),
        temperature_inlet=coolant(device),
        temperature_ambient=common.temperature(
            summary,
            "environment-temperature",
            field="temperature_ambient",
            missing=common.NO_AMBIENT,
        ),
        fans=common.fans(summary, _FANS, liquid=not reading.has_fans),
        boards=found,
        pools=reading.pools,
        uptime=elapsed,
        locating=locating(device),
        settings=MinerSettings(throttle=known.throttle),
        faults=reports,
        failed=failed,
    )


def _status(
    reading: Reading,
    device: Fields,
    rate: float | None,
    elapsed: int | None,
    reports: tuple[Fault, ...],
    *,
    tuning: bool,
) -> MinerStatus:
    """Return what the miner does; a service that is down without reason sleeps."""
    working = device.child("miner").boolean("working", field="status")
    if working is False or reading.live is None:
        return common.status_without_values(off=not working, faults=reports)
    if rate is None or (not rate and not device):
        return MinerStatus.UNKNOWN
    return common.status_of(
        hashing=rate > 0,
        tuning=tuning,
        elapsed=elapsed,
        faults=reports,
        pools=(pool.status for pool in reading.pools),
    )


def power_limit(summary: Fields) -> float | None:
    """Return the power limit in force, in W."""
    return summary.number("power-limit", field="power_limit", missing=(0,))


def factory(summary: Fields) -> float | None:
    """Return what the miner is sold for, in TH/s."""
    return summary.number(
        "factory-hash", field="hashrate_expected", digits=4, missing=(0,)
    )


def efficiency(summary: Fields) -> float | None:
    """Return the J/TH that the miner works out itself."""
    return summary.number("power-rate", field="efficiency", digits=2, missing=(0,))


def _rate(reply: Fields, *keys: str, field: str = "hashrate") -> float | None:
    return common.positive(reply.number(*keys, field=field, digits=4))


def _boards(live: Fields, summary: Fields, miner: Fields) -> tuple[Board, ...]:
    """Return the hashboards; serial numbers and sensors are told apart from them."""
    sensors = summary.data.get("board-temperature")
    degrees = sensors if isinstance(sensors, list) else []
    found = []
    for position, board in enumerate(live.children("edevs")):
        index = board.integer("slot", "id", field="boards")
        index = position if index is None else index
        sensor = Fields(
            {"board": degrees[index]} if 0 <= index < len(degrees) else None,
            live.failed,
        )
        found.append(
            Board(
                index=index,
                hashrate=_rate(board, *_NOW, field="boards"),
                hashrate_expected=_rate(board, "factory-hash", field="boards"),
                temperature_board=common.temperature(sensor, "board", field="boards"),
                temperature_chip=common.temperature(
                    board, "chip-temp-max", field="boards"
                ),
                chips=board.integer("effective-chips", field="boards"),
                frequency=board.number("freq", field="boards", digits=1),
                serial_number=miner.text(f"pcbsn{index}"),
            )
        )
    return tuple(found)

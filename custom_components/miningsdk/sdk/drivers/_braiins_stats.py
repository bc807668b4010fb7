"""Read what the REST API of Braiins OS tells of a miner at work.

Every number stands in an object that names its unit: ``{"watt": 3137}``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..algorithms import rounded
from ..fields import Fields
from ..model import Board, Fan, MinerPool, PoolState
from ._braiins_config import board_index

# From the shortest average to the longest of those that tell of now.
_NOW = ("last_5s", "last_15s", "last_30s", "last_1m")
_LONGER = ("last_5m", "last_15m", "last_30m", "last_1h", "last_24h")
_CHIP, _PCB = 1, 2  # Where the hottest sensor of a board may be.
_NO_SENSOR = (0.0, -1.0, -273.0)


@dataclass(frozen=True, slots=True)
class Rates:
    """Hashrates in TH/s: of the last seconds, since the start, and as tuned for."""

    now: float | None
    average: float | None
    expected: float | None
    hashing: bool


def read_rates(solver: Fields, field: str = "hashrate") -> Rates:
    """Return the hashrates of the miner, or of one board."""
    real = solver.child("real_hashrate")
    found = {window: _rate(real.child(window), field) for window in (*_NOW, *_LONGER)}
    now = [rate for window in _NOW if (rate := found[window]) is not None]
    longest = [rate for rate in found.values() if rate is not None][-1:]
    average = _rate(real.child("since_restart"), field)
    return Rates(
        now=next(iter(now), None),
        average=average if average is not None else next(iter(longest), None),
        expected=_rate(solver.child("nominal_hashrate"), field) or None,
        hashing=any(now),
    )


def _rate(told: Fields, field: str) -> float | None:
    rate = told.number("gigahash_per_second", field=field, scale=1e-3)
    return None if rate is None or rate < 0 else rounded(rate)


@dataclass(frozen=True, slots=True)
class Boards:
    """All boards, and the coldest inlet and hottest outlet of those in use, in °C."""

    boards: tuple[Board, ...] = ()
    inlet: float | None = None
    outlet: float | None = None


def read_boards(reply: object, failed: dict[str, str]) -> Boards:
    """Return the boards; one that is not there or switched off tells little."""
    told = list(Fields(reply, failed).children("hashboards"))
    boards = [_board(board, place) for place, board in enumerate(told)]
    used = [board for board in told if board.boolean("enabled") is not False]
    inlets = _known(
        _celsius(board, "lowest_water_inlet_temp", "lowest_inlet_temp")
        for board in used
    )
    outlets = _known(
        _celsius(board, "highest_water_outlet_temp", "highest_outlet_temp")
        for board in used
    )
    return Boards(
        boards=tuple(sorted(boards, key=lambda board: board.index)),
        inlet=min(inlets, default=None),
        outlet=max(outlets, default=None),
    )


def _board(board: Fields, place: int) -> Board:
    rates = read_rates(board.child("stats"), "boards")
    hottest = board.child("highest_chip_temp")
    at_chip = hottest.integer("location", field="boards") != _PCB
    return Board(
        index=board_index(board.text("id"), place),
        hashrate=rates.now,
        hashrate_expected=rates.expected,
        temperature_board=_celsius(board, "board_temp"),
        temperature_chip=_celsius(hottest, "temperature") if at_chip else None,
        chips=board.integer("chips_count", field="boards"),
        frequency=board.child("current_frequency").number(
            "hertz", field="boards", scale=1e-6, digits=1, missing=(0,)
        ),
        voltage=board.child("current_voltage").number(
            "volt", field="boards", digits=3, missing=(0,)
        ),
        serial_number=board.text("serial_number"),
        enabled=board.boolean("enabled", field="boards"),
    )


def _celsius(holder: Fields, *keys: str) -> float | None:
    """Return the first temperature that is told and can be true."""
    for key in keys:
        value = holder.child(key).number(
            "degree_c", field="boards", digits=1, missing=_NO_SENSOR
        )
        if value is not None and -50 < value < 200:
            return value
    return None


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def read_fans(reply: object, failed: dict[str, str]) -> tuple[Fan, ...]:
    """Return the fans with their speeds."""
    found = []
    for place, fan in enumerate(Fields(reply, failed).children("fans")):
        position = fan.integer("position", field="fans")
        found.append(
            Fan(
                index=place if position is None else position,
                speed=fan.number("rpm", field="fans", digits=0),
                duty=fan.number(
                    "target_speed_ratio", field="fans", scale=100, digits=0
                ),
            )
        )
    return tuple(found)


def hottest_chip(reply: object, failed: dict[str, str]) -> float | None:
    """Return the highest temperature of the miner, when a chip has it."""
    hottest = Fields(reply, failed).child("highest_temperature")
    if hottest.integer("location", field="temperature_chip") != _CHIP:
        return None
    return _celsius(hottest, "temperature")


def read_pools(reply: object, failed: dict[str, str]) -> tuple[MinerPool, ...]:
    """Return the pools of all groups, in order of priority."""
    groups = Fields({"groups": reply}, failed).children("groups")
    pools = [pool for group in groups for pool in group.children("pools")]
    return tuple(_pool(pool, place) for place, pool in enumerate(pools))


def _pool(pool: Fields, place: int) -> MinerPool:
    shares = pool.child("stats")
    return MinerPool(
        index=place,
        url=pool.text("url"),
        user=pool.text("user"),
        status=_pool_state(pool),
        **_shares(shares, "pools"),
    )


def _pool_state(pool: Fields) -> PoolState | None:
    if pool.boolean("enabled", field="pools") is False:
        return PoolState.DISABLED
    alive = pool.boolean("alive", field="pools")
    if alive and pool.boolean("active", field="pools"):
        return PoolState.ACTIVE
    return None if alive is None else PoolState.ALIVE if alive else PoolState.DEAD


def _shares(stats: Fields, field: str | None = None) -> dict[str, Any]:
    return {
        name: stats.integer(f"{name}_shares", field=field or name)
        for name in ("accepted", "rejected", "stale")
    }


@dataclass(frozen=True, slots=True)
class Work:
    """What the whole miner does, in the words of the vocabulary."""

    rates: Rates
    values: dict[str, Any]


def read_work(reply: object, failed: dict[str, str]) -> Work:
    """Return hashrate, power and shares of the whole miner."""
    stats = Fields(reply, failed)
    solver, power = stats.child("miner_stats"), stats.child("power_stats")
    rates = read_rates(solver)
    values = {
        "hashrate": rates.now,
        "hashrate_average": rates.average,
        "hashrate_expected": rates.expected,
        "power": power.child("approximated_consumption").number("watt", field="power"),
        "efficiency": power.child("efficiency").number(
            "joule_per_terahash", field="efficiency", digits=2, missing=(0,)
        ),
        # The text came with numbers that no longer fit into 64 bits.
        "best_difficulty": solver.number(
            "best_share_str", "best_share", field="best_difficulty"
        ),
        **_shares(stats.child("pool_stats")),
    }
    return Work(rates, values)

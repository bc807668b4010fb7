"""Put together what the REST API of Braiins OS tells in several answers."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ..fields import Fields
from ..model import MinerPool, MinerStats, MinerStatus
from . import _braiins_api as api, _braiins_stats as read
from ._braiins_config import Cooling, configured_power
from ._braiins_faults import read_faults
from ._braiins_status import (
    Judge,
    Signs,
    faults_of_state,
    told_status,
    told_tuner,
)

# The part of its power limit that a miner may still draw without hashing.
_ASLEEP = 0.25


def compose(
    details: Fields,
    replies: Mapping[str, Any],
    judge: Judge,
    cooling: Cooling,
    failed: dict[str, str],
) -> MinerStats:
    """Return the stats that follow from the details and the replies by path."""
    details = Fields(details.data, failed)
    tuner = Fields(replies[api.TUNER], failed)
    work = read.read_work(replies[api.STATS], failed)
    boards = read.read_boards(replies[api.BOARDS], failed)
    pools = read.read_pools(replies[api.POOLS], failed)
    signs = _signs(details, tuner, work, None if "pools" in failed else pools)
    status = judge.status(signs)
    limit = _power_limit(replies[api.CONFIGURATION], tuner)
    if status is MinerStatus.UNKNOWN:
        failed.setdefault("status", "the firmware does not tell what it does")
    hottest = None
    if not boards.boards:
        hottest = read.hottest_chip(replies[api.COOLING], failed)
    return MinerStats(
        status=status,
        **_as_of(status, work.values, limit),
        power_limit=limit,
        temperature_chip=hottest,
        temperature_inlet=boards.inlet,
        temperature_outlet=boards.outlet,
        fans=read.read_fans(replies[api.COOLING], failed),
        boards=boards.boards,
        pools=pools,
        uptime=details.integer("system_uptime_s", "system_uptime", field="uptime"),
        locating=_locating(replies[api.LOCATE]),
        settings=cooling.settings(),
        faults=faults_of_state(signs.told, signs.tuner)
        + read_faults(
            replies[api.ERRORS], failed, datetime.now(UTC), _process_uptime(details)
        ),
        failed=failed,
    )


def _signs(
    details: Fields,
    tuner: Fields,
    work: read.Work,
    pools: tuple[MinerPool, ...] | None,
) -> Signs:
    uptime = _process_uptime(details)
    if uptime is None:
        # Without a mining process it may be that the whole miner has just started.
        uptime = details.number("system_uptime_s", "system_uptime", field="uptime")
    return Signs(
        told=told_status(details),
        tuner=told_tuner(tuner),
        hashing=work.rates.hashing,
        uptime=uptime,
        pools=pools,
    )


def _process_uptime(details: Fields) -> float | None:
    """Return for how many seconds the mining process runs; 0 is not at all."""
    return details.number("bosminer_uptime_s", field="uptime", missing=(0,))


def _as_of(
    status: MinerStatus, values: dict[str, Any], limit: float | None
) -> dict[str, Any]:
    """Return the values as they hold in a state: asleep, it hashes nothing.

    The power is an estimate, and has been seen to stay for a while as it was.
    """
    if status is not MinerStatus.PAUSED:
        return values
    power = values["power"]
    stale = power and (limit is None or power > limit * _ASLEEP)
    return {
        **values,
        "hashrate": values["hashrate"] or 0.0,
        "efficiency": None,
        "power": None if stale else power,
    }


def _power_limit(configuration: object, tuner: Fields) -> float | None:
    """Return the power target that was set, or else the one in force."""
    configured = configured_power(Fields(configuration, tuner.failed))
    if configured is not None:
        return configured
    state = tuner.child("mode_state").child("powertargetmodestate")
    return state.child("current_target").number("watt", field="power_limit")


def _locating(reply: object) -> bool | None:
    return reply if isinstance(reply, bool) else None

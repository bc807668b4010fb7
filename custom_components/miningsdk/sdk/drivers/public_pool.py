"""Public-Pool: public-pool.io, and the same software hosted by oneself."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, override

from ..fields import Fields
from ..model import PoolStats, PoolWorker
from ..parts import Part
from ..pool_account import PoolAccount
from ..pool_values import HASH, hashrate_of, latest, moment, rate, records, total

_SLOT = timedelta(minutes=10)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


class PublicPool(PoolAccount):
    """An account at a Public-Pool, named by its address; it has no key.

    ``host`` may be an own one, such as ``umbrel.local:2019``; its API is asked by http
    on port 3334 when no other is given. An account of the same address at another
    host is another account. The server lists only workers that are connected: those
    that have been silent for some minutes are no longer there. Sessions of one name
    are one worker, with their hashrates added up. Averages of an hour and of a day
    are counted from the chart of ten-minute slots, where a slot that is missing
    counts as zero; the shape of the chart is known from the software alone. Who mines
    alone has no balance.

    Hashrates are H/s, times ISO 8601. The server renews nothing faster than a minute.
    Source: protocols.md 14.
    """

    name = "pool-public-pool"
    make = "Public-Pool"
    models = "Accounts at public-pool.io or an own Public-Pool"
    transport = "HTTPS or HTTP, API of the pool"
    default_port = 40557
    plain_port = 3334
    default_host = "public-pool.io"
    self_hosted = True
    minimum_interval = 55.0

    @override
    def _parts(self) -> tuple[Part, ...]:
        path = f"/api/client/{self.account}"
        return (
            Part(
                name="hashrate",
                path=path,
                expects=("workers", "workersCount"),
                required=True,
                unknown=f"{self.make} does not know this address",
            ),
            Part(name="chart", path=f"{path}/chart", every=590),
        )

    @override
    def _parse(self, replies: Mapping[str, Any], failed: dict[str, str]) -> PoolStats:
        client = Fields(replies.get("hashrate"), failed)
        sessions = [_worker(entry) for entry in client.children("workers")]
        workers = _by_name(sessions)
        chart = _chart(replies.get("chart"))
        return PoolStats(
            hashrate_5m=hashrate_of(
                workers, listed=isinstance(client.data.get("workers"), list)
            ),
            hashrate_1h=_mean(chart, _HOUR),
            hashrate_24h=_mean(chart, _DAY),
            workers_active=client.integer("workersCount", field="workers_active"),
            last_share=latest(workers),
            workers=workers,
        )


def _worker(entry: Fields) -> PoolWorker:
    return PoolWorker(
        name=entry.text("name") or "",
        hashrate=rate(entry, "hashRate", scale=HASH, field="workers"),
        online=True,
        last_share=moment(entry.data.get("lastSeen")),
    )


def _by_name(sessions: list[PoolWorker]) -> tuple[PoolWorker, ...]:
    found: dict[str, PoolWorker] = {}
    for session in sessions:
        other = found.get(session.name)
        found[session.name] = session if other is None else _both(session, other)
    return tuple(found.values())


def _both(one: PoolWorker, other: PoolWorker) -> PoolWorker:
    return replace(
        one,
        hashrate=total((one.hashrate, other.hashrate)),
        last_share=latest((one, other)),
    )


def _chart(reply: object) -> list[tuple[datetime, float]]:
    """Return the slots of the chart in TH/s; what cannot be read is left out."""
    slots = []
    for entry in records(reply):
        slot = Fields(entry)
        at = moment(slot.data.get("label"))
        value = rate(slot, "data", scale=HASH, field="chart")
        if at is not None and value is not None:
            slots.append((at, value))
    return slots


def _mean(chart: list[tuple[datetime, float]], span: timedelta) -> float | None:
    """Return the mean of the newest slots that fill the span."""
    if not chart:
        return None
    after = max(at for at, _ in chart) - span
    return round(sum(value for at, value in chart if at > after) / (span / _SLOT), 4)


DRIVERS = (PublicPool,)

"""Foundry USA Pool: a subaccount and an API key."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, override

from ..fields import Fields
from ..model import PoolStats, PoolWorker
from ..parts import Part
from ..pool_account import PoolAccount
from ..pool_values import GIGA, bitcoin, latest, moment, online, rate, records, total

_KEY = "X-API-KEY"
_LOOK_BACK = timedelta(days=3)


class Foundry(PoolAccount):
    """A subaccount at Foundry USA Pool, with its API key.

    Nobody could try this with a key: paths and fields are those of clients that were
    generated from the vendor's description. Hashrates are taken for GH/s, as the
    vendor says of those whose unit it gives. A worker is online when it had a hashrate
    in the last 15 minutes, as the pool counts. ``earnings_24h`` is the newest whole
    day of the pool's earnings, by UTC. The limit is not published.
    Source: protocols.md 14, the vendor's OpenAPI description 6.0.
    """

    name = "pool-foundry"
    make = "Foundry"
    models = "Subaccounts at Foundry USA, by API key (not tried with a real account)"
    transport = "HTTPS API of the pool"
    default_port = 443
    default_host = "api.foundryusapool.com"
    needs_password = "always"

    @override
    def _parts(self) -> tuple[Part, ...]:
        user = self.account
        start = int((datetime.now(UTC) - _LOOK_BACK).timestamp() * 1000)
        return (
            Part(
                name="workers",
                path=f"/workers/{user}?coin=BTC",
                expects=("workersList", "totalWorkerCount"),
                required=True,
                unknown=f"{self.make} does not know this subaccount",
            ),
            Part(
                name="hashrate",
                path=f"/subaccount_stats/{user}?coin=BTC",
                expects=("activeWorkers", "hashrate1hrAvg"),
            ),
            Part(
                name="balance",
                path=f"/balance/{user}?coin=BTC",
                expects=("balance",),
                every=590,
            ),
            Part(
                name="earnings_24h",
                path=f"/v2/earnings/{user}?coin=BTC&startDateUnixMs={start}",
                every=1790,
            ),
        )

    @override
    def _headers(self) -> dict[str, str]:
        return {_KEY: self.password or ""}

    @override
    def _parse(self, replies: Mapping[str, Any], failed: dict[str, str]) -> PoolStats:
        listed = Fields(replies.get("workers"), failed)
        entries = list(listed.children("workersList"))
        workers = tuple(map(_worker, entries))
        account = Fields(replies.get("hashrate"), failed)
        balance = Fields(replies.get("balance"), failed)

        def average(key: str, worker_key: str | None, field: str) -> float | None:
            told = rate(account, key, scale=GIGA, field=field)
            if told is not None or worker_key is None:
                return told
            return total(
                rate(entry, worker_key, scale=GIGA, field=field) for entry in entries
            )

        active = account.integer("activeWorkers", field="workers_active")
        return PoolStats(
            hashrate_5m=average("hashrate5minAvg", "hashrate_5m", "hashrate_5m"),
            hashrate_1h=average("hashrate1hrAvg", "hashrate_1h", "hashrate_1h"),
            hashrate_24h=average("hashrate24hrAvg", None, "hashrate_24h"),
            workers_active=online(workers) if active is None and entries else active,
            workers_total=listed.integer("totalWorkerCount", field="workers_total"),
            balance=bitcoin(balance, "balance", field="balance"),
            paid_total=bitcoin(balance, "totalWithdrawn", field="paid_total"),
            earnings_24h=_newest_day(replies.get("earnings_24h"), failed),
            last_share=moment(account.data.get("lastShareTime")) or latest(workers),
            workers=workers,
        )


def _worker(entry: Fields) -> PoolWorker:
    recent = rate(entry, "hashrate_15m", scale=GIGA, field="workers")
    return PoolWorker(
        name=entry.text("workerName") or "",
        hashrate=rate(entry, "hashrate_5m", scale=GIGA, field="workers"),
        online=None if recent is None else recent > 0,
        last_share=moment(entry.data.get("lastShareTime")),
    )


def _newest_day(reply: object, failed: dict[str, str]) -> float | None:
    """Return the earnings of the newest day that is over."""
    now = datetime.now(UTC)
    days = [
        (end, entry)
        for entry in records(reply)
        if (end := moment(entry.get("endTime"))) is not None and end <= now
    ]
    if not days:
        return None
    newest = max(days, key=lambda day: day[0])[1]
    return bitcoin(Fields(newest, failed), "totalAmount", field="earnings_24h")


DRIVERS = (Foundry,)

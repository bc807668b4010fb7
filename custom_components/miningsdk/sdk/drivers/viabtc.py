"""ViaBTC: an API key, which is all that reading takes."""

from collections.abc import Mapping
from typing import Any, override

from ..errors import AuthenticationFailed, InvalidReply, MiningSDKError
from ..fields import Fields
from ..model import PoolStats, PoolWorker
from ..parts import Part
from ..pool_account import PoolAccount
from ..pool_values import HASH, bitcoin, latest, moment, rate, records

_KEY = "X-API-KEY"
_API = "/res/openapi/v1"
# Wrong key, wrong signature, wrong time, address that is not on the list of the key.
_ABOUT_THE_KEY = {12001, 12002, 12003, 12004}
_ONLINE = {"active": True, "unactive": False, "inactive": False}
_PAGE = 50


class ViaBTC(PoolAccount):
    """An account at ViaBTC, named by its API key; a name of one's own may be given.

    ``hashrate_5m`` is the pool's average of ten minutes. ``earnings_24h`` is the newest
    day in the list of profits, by UTC. The balance is read from the list of the
    account as other clients describe it; the pool documents no total of what it paid.
    The key may be bound to addresses: then the pool refuses it from any other.

    Hashrates are text in H/s, amounts text in BTC, times Unix seconds; an error is a
    ``code`` in a reply of HTTP status 200. The limit is not published.
    Source: protocols.md 14, the vendor's README.
    """

    name = "pool-viabtc"
    make = "ViaBTC"
    models = "Accounts at ViaBTC, by API key"
    transport = "HTTPS API of the pool"
    default_port = 443
    default_host = "www.viabtc.com"
    needs_password = "always"
    needs_username = False

    @override
    def _parts(self) -> tuple[Part, ...]:
        workers = f"{_API}/hashrate/worker?coin=BTC&limit={_PAGE}&page="
        return (
            Part(
                name="hashrate",
                path=f"{_API}/hashrate?coin=BTC",
                expects=("data",),
                required=True,
            ),
            Part(
                name="workers",
                path=f"{workers}1",
                expects=("data",),
                every=110,
                following=lambda pages: (
                    f"{workers}{len(pages) + 1}" if _has_next(pages[-1]) else None
                ),
            ),
            Part(name="balance", path=f"{_API}/account", expects=("data",), every=590),
            Part(
                name="earnings_24h",
                path=f"{_API}/profit/history?coin=BTC&utc=true",
                expects=("data",),
                every=1790,
            ),
        )

    @override
    def _headers(self) -> dict[str, str]:
        return {_KEY: self.password or ""}

    @override
    def _refusal(self, reply: Fields) -> MiningSDKError | None:
        code = reply.integer("code")
        if not code:
            return None
        words = self.said(f"{reply.text('message') or 'no reason given'} ({code})")
        return (AuthenticationFailed if code in _ABOUT_THE_KEY else InvalidReply)(words)

    @override
    def _parse(self, replies: Mapping[str, Any], failed: dict[str, str]) -> PoolStats:
        account = Fields(replies.get("hashrate"), failed).child("data")
        workers = tuple(
            _worker(entry)
            for page in replies.get("workers", ())
            for entry in Fields(page, failed).child("data").children("data")
        )
        active = account.integer("active_workers", field="workers_active")
        idle = account.integer("unactive_workers", field="workers_total")
        return PoolStats(
            hashrate_5m=rate(
                account, "hashrate_10min", scale=HASH, field="hashrate_5m"
            ),
            hashrate_1h=rate(
                account, "hashrate_1hour", scale=HASH, field="hashrate_1h"
            ),
            hashrate_24h=rate(
                account, "hashrate_24hour", scale=HASH, field="hashrate_24h"
            ),
            workers_active=active,
            workers_total=None if active is None or idle is None else active + idle,
            balance=_balance(replies.get("balance"), failed),
            earnings_24h=_newest_profit(replies.get("earnings_24h"), failed),
            last_share=latest(workers),
            workers=workers,
        )


def _has_next(page: object) -> bool:
    data = Fields(page).child("data")
    return data.boolean("has_next") is True and bool(data.data.get("data"))


def _worker(entry: Fields) -> PoolWorker:
    return PoolWorker(
        name=entry.text("worker_name") or "",
        hashrate=rate(entry, "hashrate_10min", scale=HASH, field="workers"),
        online=_ONLINE.get((entry.text("worker_status") or "").lower()),
        last_share=moment(entry.data.get("last_active")),
    )


def _balance(reply: object, failed: dict[str, str]) -> float | None:
    account = Fields(reply, failed).child("data")
    for entry in account.children("balance"):
        if (entry.text("coin") or "").upper() == "BTC":
            return bitcoin(entry, "amount", "balance", field="balance")
    return None


def _newest_profit(reply: object, failed: dict[str, str]) -> float | None:
    history = Fields(reply, failed).child("data")
    days = [
        (date, entry)
        for entry in records(history.data.get("data"))
        if (date := moment(entry.get("date"))) is not None
    ]
    if not days:
        return None
    newest = max(days, key=lambda day: day[0])[1]
    return bitcoin(Fields(newest, failed), "total_profit", field="earnings_24h")


DRIVERS = (ViaBTC,)

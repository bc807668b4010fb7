"""Braiins Pool: an access token is the key, and it is asked sparingly."""

from collections.abc import Mapping
from typing import Any, override

from ..fields import Fields
from ..model import PoolStats, PoolWorker
from ..parts import Part
from ..pool_account import PoolAccount
from ..pool_values import (
    GIGA,
    bitcoin,
    latest,
    moment,
    named,
    rate,
    records,
    unit_scale,
)

_TOKEN = "Pool-Auth-Token"
_ONLINE = {"ok": True, "low": True, "off": False}


class BraiinsPool(PoolAccount):
    """An account at Braiins Pool, named by the token of an access profile.

    The pool allows about one request in five seconds; it drops what is more, and
    bans whoever goes on. All accounts of this process share these turns.
    ``earnings_24h`` is the last whole UTC day. ``paid_total`` is what was ever earned
    less what is still on the balance; accounts of before FPPS do not tell it. The pool
    gives no estimate for a day. A worker whose monitoring is off is neither online nor
    offline. Hashrates are in the unit that each reply names.
    Source: protocols.md 14; the list of rewards: the vendor's monitoring page.
    """

    name = "pool-braiins"
    make = "Braiins Pool"
    models = "Accounts at Braiins Pool, by access token"
    transport = "HTTPS API of the pool"
    default_port = 443
    default_host = "pool.braiins.com"
    needs_password = "always"
    needs_username = False
    request_interval = 5.0
    minimum_interval = 45.0

    @override
    def _parts(self) -> tuple[Part, ...]:
        return (
            Part(
                name="hashrate",
                path="/accounts/profile/json/btc/",
                expects=("btc",),
                required=True,
            ),
            Part(name="workers", path="/accounts/workers/json/btc/", expects=("btc",)),
            Part(
                name="earnings_24h",
                path="/accounts/rewards/json/btc",
                expects=("btc",),
                every=1790,
            ),
        )

    @override
    def _headers(self) -> dict[str, str]:
        return {_TOKEN: self.password or ""}

    @override
    def _name(self, replies: Mapping[str, Any]) -> str | None:
        return Fields(replies.get("hashrate")).text("username")

    @override
    def _parse(self, replies: Mapping[str, Any], failed: dict[str, str]) -> PoolStats:
        profile = Fields(replies.get("hashrate"), failed).child("btc")
        workers = _workers(Fields(replies.get("workers"), failed).child("btc"))
        balance = bitcoin(
            profile, "current_balance", "confirmed_reward", field="balance"
        )
        earned = bitcoin(profile, "all_time_reward", field="paid_total")
        paid = None
        if earned is not None and balance is not None:
            paid = round(max(0.0, earned - balance), 8)
        states = {s: profile.integer(f"{s}_workers") for s in (*_ONLINE, "dis")}
        return PoolStats(
            hashrate_5m=_rate(profile, "hash_rate_5m", "hashrate_5m"),
            hashrate_1h=_rate(profile, "hash_rate_60m", "hashrate_1h"),
            hashrate_24h=_rate(profile, "hash_rate_24h", "hashrate_24h"),
            workers_active=_add(states["ok"], states["low"]),
            workers_total=_add(*states.values()),
            balance=balance,
            paid_total=paid,
            earnings_24h=_yesterday(replies.get("earnings_24h"), failed),
            last_share=latest(workers),
            workers=workers,
        )


def _rate(fields: Fields, key: str, field: str) -> float | None:
    unit = fields.text("hash_rate_unit")
    scale = unit_scale(unit, GIGA)
    if scale is None:
        fields.failed.setdefault(field, f"{str(unit)[:20]!r} is no unit of hashrate")
        return None
    return rate(fields, key, scale=scale, field=field)


def _add(*counts: int | None) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _workers(account: Fields) -> tuple[PoolWorker, ...]:
    found = []
    for name, entry in named(account.data.get("workers")):
        worker = Fields(entry, account.failed)
        found.append(
            PoolWorker(
                name=name,
                hashrate=_rate(worker, "hash_rate_5m", "workers"),
                online=_ONLINE.get((worker.text("state") or "").lower()),
                last_share=moment(worker.data.get("last_share")),
            )
        )
    return tuple(found)


def _yesterday(reply: object, failed: dict[str, str]) -> float | None:
    """Return the reward of the newest day that is in the list."""
    account = Fields(reply, failed).child("btc")
    days = [
        (date, entry)
        for entry in records(account.data.get("daily_rewards"))
        if (date := moment(entry.get("date"))) is not None
    ]
    if not days:
        return None
    newest = max(days, key=lambda day: day[0])[1]
    return bitcoin(Fields(newest, failed), "total_reward", field="earnings_24h")


DRIVERS = (BraiinsPool,)

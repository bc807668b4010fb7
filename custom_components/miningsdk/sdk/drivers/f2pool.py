"""F2Pool: an account name and an API token."""

from collections.abc import Mapping
from typing import Any, override

from ..errors import AuthenticationFailed, InvalidReply, MiningSDKError
from ..fields import Fields
from ..model import PoolStats, PoolWorker
from ..parts import Part
from ..pool_account import PoolAccount
from ..pool_values import HASH, bitcoin, latest, moment, online, rate

_SECRET = "F2P-API-SECRET"
_ONLINE = {0: True, 1: False, 2: False}
# How the pool's error messages begin or what they name when the token is at fault.
_ABOUT_THE_KEY = ("auth", "token", "secret", "permission", "forbidden")


class F2Pool(PoolAccount):
    """An account at F2Pool, named by its user; the key is the token of API v2.

    ``hashrate_5m`` is what the pool calls current. ``earnings_24h`` is the last whole
    UTC day; the pool's estimate is for the part of today that has gone by, and so is
    not told. The old interface without a token is not used: nobody could say whether
    it is still open. Hashrates are H/s, amounts BTC, times Unix seconds. The limit is
    not published; MiningOS waits 1 s between requests. Which error codes stand for a
    wrong token is not published either, so it is told from the HTTP status and the
    pool's words. Source: protocols.md 14, mdk-devices.md 2.10, the vendor's API page.
    """

    name = "pool-f2pool"
    make = "F2Pool"
    models = "Accounts at F2Pool, by user and API token"
    transport = "HTTPS API of the pool"
    default_port = 443
    default_host = "api.f2pool.com"
    needs_password = "always"

    @override
    def _parts(self) -> tuple[Part, ...]:
        who = {"mining_user_name": self.username, "currency": "bitcoin"}
        return (
            Part(
                name="hashrate",
                path="/v2/hash_rate/info",
                json=who,
                expects=("info",),
                required=True,
            ),
            Part(
                name="workers",
                path="/v2/hash_rate/worker/list",
                expects=("workers",),
                json=who,
                every=110,
            ),
            Part(
                name="balance",
                path="/v2/assets/balance",
                json=who,
                expects=("balance_info",),
                every=590,
            ),
        )

    @override
    def _headers(self) -> dict[str, str]:
        return {_SECRET: self.password or ""}

    @override
    def _refusal(self, reply: Fields) -> MiningSDKError | None:
        if not reply.data.get("code"):
            return None
        words = reply.text("msg")
        about_the_key = any(word in (words or "").lower() for word in _ABOUT_THE_KEY)
        kind = AuthenticationFailed if about_the_key else InvalidReply
        return kind(self.said(words))

    @override
    def _parse(self, replies: Mapping[str, Any], failed: dict[str, str]) -> PoolStats:
        info = Fields(replies.get("hashrate"), failed).child("info")
        balance = Fields(replies.get("balance"), failed).child("balance_info")
        listed = Fields(replies.get("workers"), failed)
        workers = tuple(map(_worker, listed.children("workers")))
        return PoolStats(
            hashrate_5m=rate(info, "hash_rate", scale=HASH, field="hashrate_5m"),
            hashrate_1h=rate(info, "h1_hash_rate", scale=HASH, field="hashrate_1h"),
            hashrate_24h=rate(info, "h24_hash_rate", scale=HASH, field="hashrate_24h"),
            workers_active=online(workers) if listed else None,
            workers_total=len(workers) if listed else None,
            balance=bitcoin(balance, "balance", field="balance"),
            paid_total=bitcoin(balance, "paid", field="paid_total"),
            earnings_24h=bitcoin(balance, "yesterday_income", field="earnings_24h"),
            last_share=latest(workers),
            workers=workers,
        )


def _worker(entry: Fields) -> PoolWorker:
    info = entry.child("hash_rate_info")
    status = entry.integer("status", field="workers")
    return PoolWorker(
        name=info.text("name") or "",
        hashrate=rate(info, "hash_rate", scale=HASH, field="workers"),
        online=None if status is None else _ONLINE.get(status),
        last_share=moment(entry.data.get("last_share_at")),
    )


DRIVERS = (F2Pool,)

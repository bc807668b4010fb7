"""OCEAN: accounts are Bitcoin addresses, and everybody may read them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, override

from ..errors import InvalidReply, MiningSDKError
from ..fields import Fields
from ..model import PoolStats, PoolWorker
from ..parts import Part
from ..pool_account import PoolAccount
from ..pool_values import (
    HASH,
    SATOSHI,
    bitcoin,
    latest,
    moment,
    named,
    rate,
    records,
    total,
)


class Ocean(PoolAccount):
    """An account at OCEAN, named by its address; it has no key.

    ``earnings_24h`` is what the blocks of the last 24 hours credited. What was paid
    out over Lightning is not in this API, so ``paid_total`` is unknown, and OCEAN
    expects earnings by block and not by day. A worker is online when the pool got
    shares from it in the last five minutes. For an address without any active worker
    OCEAN answers with an error, the same as for one that it never saw.

    Numbers come as text or as numbers, amounts of ``earnpay`` in satoshis; all others
    are H/s and BTC. Limits are not published; MiningOS waits 1 s between requests.
    Source: protocols.md 14, mdk-devices.md 2.10.
    """

    name = "pool-ocean"
    make = "OCEAN"
    models = "Accounts at OCEAN, by address"
    transport = "HTTPS API of the pool"
    default_port = 443
    default_host = "api.ocean.xyz"

    @override
    def _parts(self) -> tuple[Part, ...]:
        user = self.account
        now = datetime.now(UTC)
        start = int((now - timedelta(days=1)).timestamp())
        return (
            Part(
                name="hashrate",
                path=f"/v1/user_hashrate/{user}",
                expects=("result",),
                required=True,
            ),
            Part(
                name="workers",
                path=f"/v1/user_hashrate_full/{user}",
                expects=("result",),
                every=110,
            ),
            Part(
                name="balance",
                path=f"/v1/statsnap/{user}",
                expects=("result",),
                every=290,
            ),
            Part(
                name="earnings_24h",
                path=f"/v1/earnpay/{user}/{start}/{int(now.timestamp())}",
                expects=("result",),
                every=590,
            ),
        )

    @override
    def _refusal(self, reply: Fields) -> MiningSDKError | None:
        error = reply.text("error")
        return InvalidReply(self.said(error)) if error else None

    @override
    def _parse(self, replies: Mapping[str, Any], failed: dict[str, str]) -> PoolStats:
        account = Fields(replies.get("hashrate"), failed).child("result")
        snapshot = Fields(replies.get("balance"), failed).child("result")
        workers = _workers(Fields(replies.get("workers"), failed).child("result"))
        return PoolStats(
            hashrate_5m=rate(
                account,
                "hashrate_300s",
                "hashrate_60s",
                scale=HASH,
                field="hashrate_5m",
            ),
            hashrate_1h=rate(
                account, "hashrate_3600s", scale=HASH, field="hashrate_1h"
            ),
            hashrate_24h=rate(
                account, "hashrate_86400s", scale=HASH, field="hashrate_24h"
            ),
            workers_active=account.integer("active_worker_count"),
            workers_total=len(workers) if "workers" in replies else None,
            balance=bitcoin(snapshot, "unpaid", field="balance"),
            earnings_24h=_earned(replies.get("earnings_24h"), failed),
            last_share=moment(account.data.get("lastest_share_ts"))
            or moment(snapshot.data.get("lastest_share_ts"))
            or latest(workers),
            workers=workers,
        )


def _workers(result: Fields) -> tuple[PoolWorker, ...]:
    found = []
    for name, entries in named(result.data.get("workers")):
        entry = Fields({"entry": entries}, result.failed).child("entry")
        current = rate(entry, "hashrate_300s", scale=HASH, field="workers")
        if current is None:
            current = rate(entry, "hashrate_60s", scale=HASH, field="workers")
        found.append(
            PoolWorker(
                name=name,
                hashrate=current,
                online=None if current is None else current > 0,
                last_share=moment(entry.data.get("lastest_share_ts")),
            )
        )
    return tuple(found)


def _earned(reply: object, failed: dict[str, str]) -> float | None:
    result = Fields(reply, failed).child("result")
    if not isinstance(result.data.get("earnings"), list):
        return None
    earned = [
        bitcoin(
            Fields(entry, failed),
            "satoshis_net_earned",
            field="earnings_24h",
            scale=SATOSHI,
        )
        for entry in records(result.data["earnings"])
    ]
    return total(earned, digits=8) if earned else 0.0


DRIVERS = (Ocean,)

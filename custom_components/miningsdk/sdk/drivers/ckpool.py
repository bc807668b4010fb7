"""CKPool: solo.ckpool.org, its European twin, and pools hosted by oneself."""

from collections.abc import Mapping
from typing import Any, override

from ..fields import Fields
from ..model import PoolStats, PoolWorker
from ..parts import Part
from ..pool_account import PoolAccount
from ..pool_values import latest, moment, suffixed_rate


class CKPool(PoolAccount):
    """An account at a CKPool, named by its address; it has no key.

    ``host`` may be ``eusolo.ckpool.org``, or any web server that serves the folder
    into which CKPool writes its statistics, once a minute. An account of the same
    address at another host is another account. Who mines alone earns nothing until a
    block is found, and then at once in the coinbase: there are no balances here. A
    worker is online while its average of five minutes is not zero. An address is
    unknown (404) until its first miner has logged in.

    Hashrates are text in H/s with a suffix from K to E, times Unix seconds.
    Source: protocols.md 14.
    """

    name = "pool-ckpool"
    make = "CKPool"
    models = "Accounts at solo.ckpool.org, eusolo.ckpool.org or an own CKPool"
    transport = "HTTPS or HTTP, statistics of the pool"
    default_port = 443
    default_host = "solo.ckpool.org"
    self_hosted = True
    minimum_interval = 55.0

    @override
    def _parts(self) -> tuple[Part, ...]:
        return (
            Part(
                name="hashrate",
                path=f"/users/{self.account}",
                expects=("hashrate5m", "worker"),
                required=True,
                unknown=f"{self.make} does not know this address",
            ),
        )

    @override
    def _parse(self, replies: Mapping[str, Any], failed: dict[str, str]) -> PoolStats:
        user = Fields(replies.get("hashrate"), failed)
        workers = tuple(map(_worker, user.children("worker")))
        return PoolStats(
            hashrate_5m=suffixed_rate(user, "hashrate5m", "hashrate_5m"),
            hashrate_1h=suffixed_rate(user, "hashrate1hr", "hashrate_1h"),
            hashrate_24h=suffixed_rate(user, "hashrate1d", "hashrate_24h"),
            workers_active=user.integer("workers", field="workers_active"),
            workers_total=len(workers) if user.has("worker") else None,
            last_share=moment(user.data.get("lastshare")) or latest(workers),
            workers=workers,
        )


def _worker(entry: Fields) -> PoolWorker:
    current = suffixed_rate(entry, "hashrate5m", "workers")
    return PoolWorker(
        name=entry.text("workername") or "",
        hashrate=current,
        online=None if current is None else current > 0,
        last_share=moment(entry.data.get("lastshare")),
    )


DRIVERS = (CKPool,)

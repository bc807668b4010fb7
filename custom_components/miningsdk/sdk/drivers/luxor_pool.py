"""Luxor's pool: an API key, and the name of a subaccount if there are several."""

from collections.abc import Mapping
from typing import Any, override
from urllib.parse import urlencode

from ..fields import Fields
from ..model import PoolStats, PoolWorker
from ..parts import Part
from ..pool_account import PoolAccount
from ..pool_values import HASH, bitcoin, latest, moment, rate, total

_KEY = "Authorization"
_API = "/api/v2/pool"
_PAGE = 1000
_ONLINE = {"active": True, "inactive": False, "dead": False, "offline": False}


class LuxorPool(PoolAccount):
    """A subaccount at Luxor, or without ``username`` all that the API key may see.

    Nobody could try this with a key: paths and fields are those of the vendor's pages
    and of other clients, and what is missing from a reply is unknown here. Hashrates
    are taken for H/s, as text or numbers, amounts for BTC. ``earnings_24h`` is the
    revenue that the pool counts for the last 24 hours. The limit is not published.
    Source: protocols.md 14, marked uncertain; MiningOS's client of API v2.
    """

    name = "pool-luxor"
    make = "Luxor"
    models = "Subaccounts at Luxor, by API key (not tried with a real account)"
    transport = "HTTPS API of the pool"
    default_port = 443
    default_host = "app.luxor.tech"
    needs_password = "always"
    needs_username = False

    @override
    def _parts(self) -> tuple[Part, ...]:
        who = {"subaccount_names": self.username} if self.username else {}

        def workers(page: int) -> str:
            query = urlencode({**who, "page_number": page, "page_size": _PAGE})
            return f"{_API}/workers/BTC?{query}"

        query = f"?{urlencode(who)}" if who else ""
        return (
            Part(
                name="hashrate",
                path=f"{_API}/summary/BTC{query}",
                expects=("hashrate_5m", "hashrate_24h", "active_miners"),
                required=True,
                unknown=f"{self.make} does not know this subaccount",
            ),
            Part(
                name="workers",
                path=workers(1),
                expects=("workers",),
                every=110,
                following=lambda pages: (
                    workers(len(pages) + 1) if _has_next(pages[-1]) else None
                ),
            ),
        )

    @override
    def _headers(self) -> dict[str, str]:
        return {_KEY: self.password or ""}

    @override
    def _parse(self, replies: Mapping[str, Any], failed: dict[str, str]) -> PoolStats:
        summary = Fields(replies.get("hashrate"), failed)
        pages = [Fields(page, failed) for page in replies.get("workers", ())]
        workers = tuple(
            _worker(entry) for page in pages for entry in page.children("workers")
        )
        first = pages[0] if pages else Fields(None, failed)
        active = first.integer("total_active", field="workers_active")
        idle = first.integer("total_inactive", field="workers_total")
        if active is None:
            active = summary.integer("active_miners", field="workers_active")
        return PoolStats(
            hashrate_5m=rate(summary, "hashrate_5m", scale=HASH, field="hashrate_5m"),
            hashrate_1h=rate(summary, "hashrate_1h", scale=HASH, field="hashrate_1h"),
            hashrate_24h=rate(
                summary, "hashrate_24h", scale=HASH, field="hashrate_24h"
            ),
            workers_active=active,
            workers_total=None if active is None or idle is None else active + idle,
            balance=_amount(summary, "balance", "balance"),
            earnings_24h=_amount(summary, "revenue_24h", "earnings_24h"),
            last_share=latest(workers),
            workers=workers,
        )


def _has_next(page: object) -> bool:
    fields = Fields(page)
    following = fields.child("pagination").text("next_page_url")
    return following is not None and bool(fields.data.get("workers"))


def _worker(entry: Fields) -> PoolWorker:
    return PoolWorker(
        name=entry.text("name") or "",
        hashrate=rate(entry, "hashrate", scale=HASH, field="workers"),
        online=_ONLINE.get((entry.text("status") or "").lower()),
        last_share=moment(entry.data.get("last_share_time")),
    )


def _amount(summary: Fields, key: str, field: str) -> float | None:
    """Add up the amounts in BTC of a list of amounts in several currencies."""
    amounts = [
        bitcoin(entry, "revenue", "balance", field=field)
        for entry in summary.children(key)
        if (entry.text("currency_type") or "").upper() == "BTC"
    ]
    return total(amounts, digits=8)


DRIVERS = (LuxorPool,)

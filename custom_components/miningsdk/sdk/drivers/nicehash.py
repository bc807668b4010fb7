"""NiceHash: the open statistics of a mining address."""

from collections.abc import Mapping
from typing import Any, override

from ..fields import Fields
from ..model import PoolStats, PoolWorker
from ..parts import Part
from ..pool_account import PoolAccount
from ..pool_values import bitcoin, hashrate_of, online, rate, total

_ALGORITHM = "SHA256"
_PAGE = 100
_ONLINE = {"MINING": True, "OFFLINE": False, "STOPPED": False}


class NiceHash(PoolAccount):
    """The rigs that mine to an address at NiceHash; the open part takes no key.

    Only SHA-256 counts. The speed of a rig is taken for TH/s, the unit that NiceHash
    displays this algorithm in; it stands under ``hashrate_5m``, longer averages are
    not told. ``balance`` is what is unpaid, and on external addresses what waits for
    payment; ``estimated_24h`` is the profitability that NiceHash shows, over all
    algorithms. The signed interface is not used. The limit is not published, and no
    reply could be recorded: other clients' fixtures stand behind this.
    Source: protocols.md 14.
    """

    name = "pool-nicehash"
    make = "NiceHash"
    models = "Mining addresses at NiceHash (not tried with a real account)"
    transport = "HTTPS API of the marketplace, open part"
    default_port = 443
    default_host = "api2.nicehash.com"
    minimum_interval = 55.0

    @override
    def _parts(self) -> tuple[Part, ...]:
        path = f"/main/api/v2/mining/external/{self.account}/rigs2?size={_PAGE}&page="
        return (
            Part(
                name="hashrate",
                path=f"{path}0",
                expects=("miningRigs", "totalRigs"),
                required=True,
                unknown=f"{self.make} does not know this address",
                following=lambda pages: (
                    f"{path}{len(pages)}" if _has_next(pages) else None
                ),
            ),
        )

    @override
    def _parse(self, replies: Mapping[str, Any], failed: dict[str, str]) -> PoolStats:
        pages = [Fields(page, failed) for page in replies["hashrate"]]
        workers = tuple(
            _worker(entry) for page in pages for entry in page.children("miningRigs")
        )
        account = pages[0]
        states = account.child("minerStatuses")
        mining = states.integer("MINING", field="workers_active")
        balances = (
            bitcoin(account, "unpaidAmount", field="balance"),
            bitcoin(account, "externalBalance", field="balance"),
        )
        listed = isinstance(account.data.get("miningRigs"), list)
        return PoolStats(
            hashrate_5m=hashrate_of(workers, listed=listed),
            workers_active=online(workers) if mining is None and listed else mining,
            workers_total=account.integer("totalRigs", field="workers_total"),
            balance=total(balances, digits=8),
            estimated_24h=bitcoin(account, "totalProfitability", field="estimated_24h"),
            workers=workers,
        )


def _has_next(pages: list[Any]) -> bool:
    last = Fields(pages[-1])
    count = last.child("pagination").integer("totalPageCount")
    return (count or 0) > len(pages) and bool(last.data.get("miningRigs"))


def _worker(rig: Fields) -> PoolWorker:
    speeds = [
        rate(entry, "speedAccepted", scale=1.0, field="workers")
        for entry in rig.children("stats")
        if _ALGORITHM in (entry.child("algorithm").text("enumName") or "").upper()
    ]
    status = (rig.text("minerStatus") or "").upper()
    found = _ONLINE.get(status)
    return PoolWorker(
        name=rig.text("name", "rigName", "rigId") or "",
        hashrate=total(speeds) if speeds else (0.0 if found is False else None),
        online=found,
    )


DRIVERS = (NiceHash,)

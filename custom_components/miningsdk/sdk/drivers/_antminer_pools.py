"""Parse the pools as stock Antminer firmware tells them, in either format."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import InvalidReply
from ..fields import Fields
from ..model import MinerPool, PoolState

_POOL_STATES = {
    "alive": PoolState.ALIVE,
    "dead": PoolState.DEAD,
    "deed": PoolState.DEAD,
    "unreachable": PoolState.DEAD,
    "disabled": PoolState.DISABLED,
}


@dataclass(frozen=True, slots=True)
class Pools:
    """One reply to ``pools``."""

    pools: tuple[MinerPool, ...] = ()
    best_difficulty: float | None = None
    known: bool = True

    @property
    def all_dead(self) -> bool:
        """Tell whether the miner has pools and reaches none of them."""
        return bool(self.pools) and all(
            pool.status is PoolState.DEAD for pool in self.pools
        )

    @property
    def none_alive(self) -> bool:
        """Tell whether there is no pool to mine for, as far as is known."""
        useful = (PoolState.ACTIVE, PoolState.ALIVE, None)
        return self.known and not any(pool.status in useful for pool in self.pools)


def read_pools(reply: Mapping[str, Any], failed: dict[str, str]) -> Pools:
    """Read a reply to ``pools`` of either format; unused slots are left out.

    Raises:
        InvalidReply: it is no such reply.
    """
    key = "POOLS" if "POOLS" in reply else "pools"
    if not isinstance(reply.get(key), list):
        raise InvalidReply("the reply holds no POOLS")
    fields = Fields(reply, failed)
    rows = [row for row in fields.children(key) if row.text("URL", "url")]
    best = [v for row in rows if (v := row.number("Best Share")) is not None]
    active = _active(rows)
    pools = tuple(
        MinerPool(
            index=position_of(row, index, "POOL", "index"),
            url=row.text("URL", "url"),
            user=row.text("User", "user"),
            status=PoolState.ACTIVE if row is active else _pool_state(row),
            accepted=row.integer("Accepted", "accepted", field="accepted"),
            rejected=row.integer("Rejected", "rejected", field="rejected"),
            stale=row.integer("Stale", "stale", field="stale"),
        )
        for index, row in enumerate(rows)
    )
    return Pools(pools, max(best, default=None) or None)


def _pool_state(row: Fields) -> PoolState | None:
    return _POOL_STATES.get((row.text("Status", "status") or "").lower())


def _active(rows: list[Fields]) -> Fields | None:
    """Return the pool that is mined for: of those that live, the first in rank."""
    alive = [row for row in rows if _pool_state(row) is PoolState.ALIVE]
    stratum = [row for row in alive if row.boolean("Stratum Active")]
    ranked = stratum or [row for row in alive if not row.has("Stratum Active")]
    return min(
        ranked, key=lambda row: row.number("Priority", "priority") or 0.0, default=None
    )


def position_of(row: Fields, position: int, *keys: str) -> int:
    """Return the number that a row gives itself, or else its position."""
    value = row.integer(*keys)
    return position if value is None else value

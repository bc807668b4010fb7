"""Pools as AxeOS shows and takes them, in all its generations.

Up to 2.14, and in the Nerd family, there is a primary and a fallback pool in flat
keys; from 2.15 on, up to eight records of which two are selected. Source:
protocols.md 3.2 to 3.5.
"""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any

from ..errors import NotSupported
from ..fields import Fields
from ..model import MinerPool, PoolConfig, PoolState

MAXIMUM_POOLS = 2
_PREFIXES = ("stratum", "fallbackStratum")


def read_pools(reply: Fields, *, hashing: bool) -> tuple[MinerPool, ...]:
    """Return the pools in order of priority: primary, fallback, then the unused."""
    if records := _records(reply):
        return tuple(_from_records(reply, records, hashing=hashing))
    return tuple(_from_flat_keys(reply, hashing=hashing))


def connected(reply: Fields) -> bool | None:
    """Tell whether any pool is connected; Bitaxe does not say."""
    found = [p.boolean("connected") for p in reply.child("stratum").children("pools")]
    if not found:
        return reply.boolean("isStratumConnected")
    return None if None in found and True not in found else True in found


def _records(reply: Fields) -> dict[int, Fields]:
    found = ((pool.integer("id"), pool) for pool in reply.children("pools"))
    return {number: pool for number, pool in found if number is not None}


def selected(reply: Fields) -> tuple[int, int]:
    """Return the numbers of the records that are primary and fallback (2.15)."""
    primary = reply.integer("primaryPoolIndex") or 0
    fallback = reply.integer("secondaryPoolIndex")
    return primary, primary + 1 if fallback is None else fallback


def _from_records(
    reply: Fields, records: dict[int, Fields], *, hashing: bool
) -> Iterator[MinerPool]:
    chosen = selected(reply)
    used = chosen[bool(reply.boolean("isUsingFallbackStratum"))]
    order = dict.fromkeys((*chosen, *sorted(records)))
    for index, number in enumerate(n for n in order if n in records):
        record = records[number]
        state: PoolState | None = PoolState.DISABLED
        if number in chosen:
            state = PoolState.ACTIVE if hashing and number == used else None
        yield MinerPool(
            index=index,
            url=_address(record, "stratum"),
            user=record.text("stratumUser"),
            status=state,
        )


def _from_flat_keys(reply: Fields, *, hashing: bool) -> Iterator[MinerPool]:
    stratum = reply.child("stratum")
    used = bool(reply.boolean("isUsingFallbackStratum"))
    used = bool(stratum.boolean("usingFallback")) if stratum else used
    live = list(stratum.children("pools"))
    if len(live) == 1:
        # Older firmware lists only the pool in use.
        live = [Fields(None), live[0]] if used else live
    both = stratum.integer("activePoolMode") == 1
    for index, prefix in enumerate(_PREFIXES):
        url = _address(reply, prefix)
        if url is None:
            continue
        pool = live[index] if index < len(live) else Fields(None)
        yield MinerPool(
            index=index,
            url=url,
            user=reply.text(f"{prefix}User"),
            status=_state(
                linked=pool.boolean("connected"),
                used=both or index == used,
                hashing=hashing,
            ),
            accepted=pool.integer("accepted"),
            rejected=pool.integer("rejected"),
        )


def _state(*, linked: bool | None, used: bool, hashing: bool) -> PoolState | None:
    """Return what is known; an idle fallback is disconnected without being dead."""
    if not used:
        return PoolState.ALIVE if linked else None
    if linked is False:
        return PoolState.DEAD
    return PoolState.ACTIVE if linked or hashing else None


def _address(reply: Fields, prefix: str) -> str | None:
    host = reply.text(f"{prefix}URL")
    if host is None:
        return None
    host = host.rpartition("://")[2].rstrip("/")
    port = reply.integer(f"{prefix}Port")
    if port and ":" not in host:
        host = f"{host}:{port}"
    if reply.data.get(f"{prefix}Protocol") in ("SV2", 1):
        return f"stratum2+tcp://{host}"
    secure = bool(reply.data.get(f"{prefix}TLS"))
    return f"{'stratum+ssl' if secure else 'stratum+tcp'}://{host}"


class Target:
    """A pool to be written, taken apart as the firmware wants it."""

    __slots__ = ("host", "password", "port", "tls", "user")

    def __init__(self, pool: PoolConfig) -> None:
        """Take an address such as ``stratum+tcp://pool.example:3333`` apart.

        Raises:
            NotSupported: there is no port in it, or it is Stratum V2.
        """
        scheme, _, rest = pool.url.strip().rpartition("://")
        host, _, port = rest.rstrip("/").rpartition(":")
        if scheme.startswith("stratum2"):
            raise NotSupported("pools of Stratum V2 are set on the device itself")
        if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
            raise NotSupported("a pool address must have the form host:port")
        self.host = host
        self.port = int(port)
        self.tls = "ssl" in scheme or "tls" in scheme
        self.user = pool.user
        self.password = pool.password

    @property
    def shown(self) -> tuple[str, str]:
        """Return address and user as ``read_pools`` will show them."""
        scheme = "stratum+ssl" if self.tls else "stratum+tcp"
        return f"{scheme}://{self.host}:{self.port}", self.user


def targets(pools: Sequence[PoolConfig], most: int) -> list[Target]:
    """Take the pools to be written apart.

    Raises:
        NotSupported: they are more than the device takes, or one is malformed.
    """
    if len(pools) > most:
        raise NotSupported(f"this device takes {most} pool{'s' if most > 1 else ''}")
    return [Target(pool) for pool in pools]


def are_stored(reply: Fields, wanted: Sequence[Target]) -> bool:
    """Tell whether the device shows the pools that were written."""
    shown = [(p.url, p.user) for p in read_pools(reply, hashing=False)]
    return shown[: len(wanted)] == [target.shown for target in wanted]


def slots(reply: Fields) -> int:
    """Return how many pools the firmware keeps in use: one or two."""
    if _records(reply) or reply.has("fallbackStratumURL"):
        return MAXIMUM_POOLS
    return 1


def flat_settings(
    reply: Fields, wanted: Sequence[Target], *, boolean_tls: bool
) -> dict[str, object]:
    """Return the settings up to 2.14; a fallback that is not wanted is emptied."""
    settings: dict[str, object] = {}
    for prefix, target in zip_longest(_PREFIXES[: slots(reply)], wanted):
        if target is None:
            settings |= {f"{prefix}URL": "", f"{prefix}User": ""}
            continue
        settings |= {
            f"{prefix}URL": target.host,
            f"{prefix}Port": target.port,
            f"{prefix}User": target.user,
            f"{prefix}Password": target.password,
        }
        if reply.has(f"{prefix}TLS"):
            tls = _tls(reply, prefix, target)
            settings[f"{prefix}TLS"] = bool(tls) if boolean_tls else tls
        elif target.tls:
            raise NotSupported("this firmware has no pools with TLS")
    return settings


def records(reply: Fields, wanted: Sequence[Target]) -> dict[int, dict[str, Any]]:
    """Return the records of 2.15 by their number, with what they hold otherwise.

    A selected record can be neither emptied nor deleted: a single pool is written
    to both, lest the miner falls back to one that nobody asked for.
    """
    known = _records(reply)
    first, second = selected(reply)
    changed: dict[int, dict[str, Any]] = {}
    for number, target in ((first, wanted[0]), (second, wanted[-1])):
        if number in changed:
            continue
        record = known.get(number, Fields(None))
        changed[number] = {
            **{key: value for key, value in record.data.items() if key != "id"},
            "stratumProtocol": "SV1",
            "stratumURL": target.host,
            "stratumPort": target.port,
            "stratumUser": target.user,
            "stratumPassword": target.password,
            "stratumTLS": _tls(record, "stratum", target),
        }
    return changed


def _tls(reply: Fields, prefix: str, target: Target) -> int:
    """Return 0 (none), 1 (public certificates) or 2 (an own one, if set before)."""
    before = reply.data.get(f"{prefix}TLS")
    if not target.tls:
        return 0
    return int(before) if isinstance(before, int) and before else 1

"""Tell which worker at a pool is which miner of the site."""

from collections.abc import Iterable
from dataclasses import dataclass

from .model import PoolWorker


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerMatches:
    """Which miner is which worker at the pool.

    ``pairs`` holds names of miners with their workers, ``unseen`` the miners that the
    pool does not know or says are offline, ``strangers`` the workers of no miner.
    """

    pairs: tuple[tuple[str, PoolWorker], ...] = ()
    unseen: tuple[str, ...] = ()
    strangers: tuple[PoolWorker, ...] = ()


def match_workers(
    workers: Iterable[PoolWorker], miners: Iterable[tuple[str, Iterable[str]]]
) -> WorkerMatches:
    """Match the workers of an account with miners, by what the miners log in with.

    ``miners`` are those that hash at this pool now, each with a name that is its own
    and with its users at the pool, such as ``"account.worker"`` or
    ``"address.worker"``. Pools tell a worker by that whole text or by what follows the
    first dot (or the first underscore, where there is no dot); upper and lower case
    are one. Two miners of one user are one worker. A miner without any user is passed
    over. Ask only when the list of workers could be read.
    """
    by_name = {worker.name.casefold(): worker for worker in workers if worker.name}
    pairs: list[tuple[str, PoolWorker]] = []
    unseen: list[str] = []
    met: set[str] = set()
    for miner, users in miners:
        names = [name for user in users for name in _names(user)]
        found = [name for name in names if name in by_name]
        met.update(found)
        pairs += [(miner, by_name[name]) for name in dict.fromkeys(found)]
        if names and all(by_name[name].online is False for name in found):
            unseen.append(miner)
    return WorkerMatches(
        pairs=tuple(pairs),
        unseen=tuple(unseen),
        strangers=tuple(w for name, w in by_name.items() if name not in met),
    )


def _names(user: str) -> tuple[str, ...]:
    """Return by which names a pool may know a user, as they can be compared."""
    whole = user.strip().casefold()
    separator = "." if "." in whole else "_"
    worker = whole.partition(separator)[2]
    return tuple(name for name in (whole, worker) if name)

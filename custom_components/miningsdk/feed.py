"""The miners of a site as rows, for a dashboard that shows thousands of them."""

from collections.abc import Callable, Iterator
from itertools import batched
import time
from typing import Any, Final

from homeassistant.core import callback
from homeassistant.helpers import device_registry as dr

from .coordinator import MinerCoordinator
from .fleet import Fleet
from .registered import registered
from .sdk import MinerStats, Severity
from .targeting import OFFLINE
from .totals import Totals

type Row = list[str | float | None]
type Message = dict[str, Any]
type Send = Callable[[Message], None]

# Hashrate in TH/s and efficiency in J/TH of the algorithm, power in W, temperature of
# the hottest chip in °C, ``started`` in s since 1970, ``problem`` in words.
COLUMNS: Final = (
    "id",
    "device_id",
    "name",
    "model",
    "algorithm",
    "host",
    "container",
    "rack",
    "row",
    "slot",
    "socket",
    "status",
    "hashrate",
    "power",
    "efficiency",
    "temperature",
    "started",
    "problem",
)
_STARTED: Final = COLUMNS.index("started")
# The same start, told by an uptime in s that is rounded or late.
_SAME_START = 90
_DIGITS = 4
# So many rows are made at once.
_AT_ONCE = 250


def site_of(fleet: Fleet) -> Message:
    """Return what there is to say of a site itself."""
    return {
        "entry_id": fleet.entry.entry_id,
        "title": fleet.entry.title,
        "device_id": fleet.site_device_id,
        "interval": fleet.interval,
        "detail": fleet.detail.key,
        "detail_reason": fleet.level.reason,
    }


def totals_of(totals: Totals) -> Message:
    """Return the totals of a site; work by algorithm, unless nobody knows which."""
    return {
        "total": totals.total,
        "online": totals.online,
        "mining": totals.mining,
        "power": totals.power,
        "without_power": totals.without_power,
        "work": {
            name or "unknown": {
                "hashrate": work.hashrate,
                "hashrate_expected": work.hashrate_expected,
                "power": work.power,
                "efficiency": work.efficiency,
            }
            for name, work in totals.work.items()
        },
    }


def row_of(coordinator: MinerCoordinator) -> Row:
    """Return a miner as a row; what it does not tell now is ``None``."""
    fleet, record = coordinator.fleet, coordinator.record
    info, place = record.info, fleet.positions.of(record)
    device = registered(fleet, record.id)
    container = fleet.containers.of(record)
    plugged = fleet.containers.socket_of(record.id)
    return [
        record.id,
        None if device is None else device.id,
        _name(coordinator, device),
        info.model,
        info.algorithm,
        info.host,
        place.container if container is None else container.name,
        place.rack,
        place.row,
        place.slot,
        None if plugged is None else plugged.name,
        *_readings(coordinator.data if coordinator.available else None),
        _problem(coordinator),
    ]


def _name(coordinator: MinerCoordinator, device: dr.DeviceEntry | None) -> str:
    if device is not None and device.name_by_user:
        return device.name_by_user
    return coordinator.record.name


def _readings(stats: MinerStats | None) -> Row:
    if stats is None:
        return [OFFLINE, None, None, None, None, None]
    uptime = stats.uptime
    return [
        stats.status.value,
        _short(stats.hashrate),
        _short(stats.power),
        _short(stats.efficiency),
        _short(stats.temperature_chip),
        None if uptime is None else round(time.time() - uptime),
    ]


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{_DIGITS}g}")


def _problem(coordinator: MinerCoordinator) -> str | None:
    """Return what is wrong in words: the worst that it tells, or why it is not read."""
    if not coordinator.available:
        return coordinator.problem
    faults = coordinator.data.faults if coordinator.data else ()
    return next((f.message for f in faults if f.severity is not Severity.INFO), None)


class _Watch:
    """Notes that a miner was polled."""

    __slots__ = ("_id", "_polled")

    def __init__(self, polled: set[str], miner_id: str) -> None:
        self._polled = polled
        self._id = miner_id

    @callback
    def async_polled(self) -> None:
        """Take note of a poll."""
        self._polled.add(self._id)


class Feed:
    """Sends the rows of a site to those who watch it, and then what changes of them.

    A message has ``rows``, each to put in the place of the one of its id, the ids that
    are ``gone``, and the ``totals``; there is one a second at most.
    """

    def __init__(self, fleet: Fleet) -> None:
        """Wait for somebody to watch."""
        self._fleet = fleet
        self._senders: dict[object, Send] = {}
        self._rows: dict[str, Row] = {}
        self._totals: Totals | None = None
        self._polled: set[str] = set()
        self._watched: dict[MinerCoordinator, _Watch] = {}
        self._end: Callable[[], None] | None = None

    @callback
    def async_subscribe(self, send: Send) -> Callable[[], None]:
        """Send what changes from now on; returns how to end that."""
        key = object()
        self._senders[key] = send
        if self._end is None:
            self._totals = self._fleet.totals
            self._end = self._fleet.async_on_update(self._publish)
            self._watch_all()
            # They are sent anyhow, by ``rows``.
            self._polled.clear()

        def unsubscribe() -> None:
            self._senders.pop(key, None)
            if not self._senders:
                self._sleep()

        return unsubscribe

    @callback
    def async_close(self) -> None:
        """Tell everybody that the site is not running any more."""
        for send in tuple(self._senders.values()):
            send({"closed": True})
        self._senders.clear()
        self._sleep()

    def parts(self) -> Iterator[list[Row]]:
        """Yield all rows in parts, as those who watch have them."""
        miners = tuple(self._fleet.coordinators.values())
        for some in batched(miners, _AT_ONCE, strict=False):
            yield [self._row(coordinator) for coordinator in some]

    def _row(self, coordinator: MinerCoordinator) -> Row:
        """Return the row that was sent last; nobody may miss what changed since."""
        if not self._senders:
            return row_of(coordinator)
        if coordinator.id not in self._rows:
            self._rows[coordinator.id] = row_of(coordinator)
        return self._rows[coordinator.id]

    @callback
    def _publish(self) -> None:
        self._watch_all()
        totals, now = self._fleet.totals, self._fleet.coordinators
        gone = [miner_id for miner_id in self._rows if miner_id not in now]
        for miner_id in gone:
            del self._rows[miner_id]
        rows = list(self._changed())
        if rows or gone or totals != self._totals:
            self._totals = totals
            message = {"rows": rows, "gone": gone, "totals": totals_of(totals)}
            for send in tuple(self._senders.values()):
                send(message)

    def _changed(self) -> Iterator[Row]:
        polled = sorted(self._polled)
        self._polled.clear()
        for miner_id in polled:
            if (coordinator := self._fleet.coordinators.get(miner_id)) is None:
                continue
            row, before = row_of(coordinator), self._rows.get(miner_id)
            if before is not None and _same_start(row[_STARTED], before[_STARTED]):
                row[_STARTED] = before[_STARTED]
            if row != before:
                self._rows[miner_id] = row
                yield row

    def _watch_all(self) -> None:
        """Watch each miner that there is, and no other."""
        now = self._fleet.coordinators
        if self._watched.keys() == set(now.values()):
            return
        for coordinator in [c for c in self._watched if now.get(c.id) is not c]:
            coordinator.async_unfollow(self._watched.pop(coordinator))
        for coordinator in now.values():
            if coordinator not in self._watched:
                watch = self._watched[coordinator] = _Watch(
                    self._polled, coordinator.id
                )
                coordinator.async_follow(watch)
                self._polled.add(coordinator.id)

    def _sleep(self) -> None:
        if self._end is not None:
            self._end()
            self._end = None
        for coordinator, watch in self._watched.items():
            coordinator.async_unfollow(watch)
        self._watched.clear()
        self._rows.clear()
        self._polled.clear()


def _same_start(one: object, other: object) -> bool:
    return (
        isinstance(one, int)
        and isinstance(other, int)
        and abs(one - other) <= _SAME_START
    )

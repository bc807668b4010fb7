"""The devices of a site, kept over restarts whether they answer or not."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store

from .const import DOMAIN
from .lookup import Lookup
from .positions import Position
from .sdk import (
    Board,
    Capability,
    DeviceInfo,
    DeviceKind,
    Fan,
    Limits,
    MinerPool,
    MinerStats,
)

_VERSION = 1
_SAVE_DELAY = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a miner has shown so far; entities are made for nothing else.

    ``fields`` are names of ``MinerStats``, and such as ``boards.voltage`` for what at
    least one part of a sort tells.
    """

    fields: frozenset[str] = frozenset()
    boards: frozenset[int] = frozenset()
    fans: frozenset[int] = frozenset()
    pools: frozenset[int] = frozenset()

    def grown(self, stats: MinerStats) -> Shape:
        """Return the shape with what this reading adds; itself if nothing."""
        shown = {name for name in _SINGLE if getattr(stats, name) is not None}
        shown |= {
            f"settings.{name}"
            for name in _SETTINGS
            if getattr(stats.settings, name) is not None
        }
        for sort, names in _PARTS.items():
            parts = getattr(stats, sort)
            shown |= {
                f"{sort}.{name}"
                for name in names
                if any(getattr(part, name) is not None for part in parts)
            }
        shape = Shape(
            fields=self.fields | shown,
            boards=self.boards | {board.index for board in stats.boards},
            fans=self.fans | {fan.index for fan in stats.fans},
            pools=self.pools | {pool.index for pool in stats.pools},
        )
        return self if shape == self else shape


_SHAPE = tuple(f.name for f in fields(Shape))
_INFO = tuple(f.name for f in fields(DeviceInfo))
_LISTS = {"fans", "boards", "pools", "settings", "faults", "failed"}
_SINGLE = tuple(f.name for f in fields(MinerStats) if f.name not in _LISTS)
_SETTINGS = tuple(f.name for f in fields(MinerStats().settings))
_PARTS = {
    sort: tuple(f.name for f in fields(kind) if f.name != "index")
    for sort, kind in (("boards", Board), ("fans", Fan), ("pools", MinerPool))
}

# That of a miner which tells all there is, with one board, fan and pool.
WHOLE = Shape(
    fields=frozenset(
        {
            *_SINGLE,
            *(f"settings.{name}" for name in _SETTINGS),
            *(f"{sort}.{name}" for sort, names in _PARTS.items() for name in names),
        }
    ),
    boards=frozenset({0}),
    fans=frozenset({0}),
    pools=frozenset({0}),
)


class PausedBy(StrEnum):
    """Who has put a miner to sleep, as far as it went through Home Assistant."""

    HAND = "hand"
    AUTOMATION = "automation"


def paused_by(user_id: str | None) -> PausedBy:
    """Return who pauses, going by the user of a context, if there is one."""
    return PausedBy.AUTOMATION if user_id is None else PausedBy.HAND


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A machine that a record stood for until another one took its place."""

    serial_number: str | None = None
    mac: str | None = None
    model: str | None = None
    until: datetime

    @classmethod
    def of(cls, info: DeviceInfo, until: datetime) -> Self:
        """Return what is kept of a machine that is gone."""
        return cls(
            serial_number=info.serial_number,
            mac=info.mac,
            model=info.model,
            until=until,
        )

    def as_dict(self) -> dict[str, str | None]:
        """Return the machine as plain JSON."""
        return {**asdict(self), "until": self.until.isoformat()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return a stored machine."""
        return cls(**{**data, "until": datetime.fromisoformat(data["until"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One device of the inventory. ``id`` never changes, unlike its address.

    ``position`` is what a person said, not what the rule of the site makes of the
    address. ``history`` names the machines that were the device before, oldest first.
    """

    id: str
    info: DeviceInfo
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    shape: Shape = Shape()
    # Until it hashes again; what was put to sleep at the device itself has none.
    paused_by: PausedBy | None = None
    position: Position | None = None
    history: tuple[Machine, ...] = ()

    @classmethod
    def of(
        cls, info: DeviceInfo, username: str | None = None, password: str | None = None
    ) -> Self:
        """Return the record of a device that is new to the site."""
        return cls(
            id=info.unique_id or f"{info.driver}-{address(info)}",
            info=info,
            username=username or None,
            password=password or None,
        )

    @property
    def name(self) -> str:
        """Return what a person calls the device until they rename it."""
        model = self.info.model or self.info.driver
        make = self.info.make
        family = self.info.driver.partition("-")[0]
        # "Antminer S21" needs no "Bitmain" before it, and no "NerdAxe" a "NerdQAxe++".
        if (
            make
            and family not in model.lower()
            and model[:4].lower() != make[:4].lower()
        ):
            model = f"{make} {model}"
        tail = "".join(c for c in self.info.unique_id or "" if c.isalnum())[-4:]
        return f"{model} {tail.upper()}" if tail else f"{model} {address(self.info)}"

    def is_device(self, info: DeviceInfo) -> bool:
        """Tell whether this is the device that goes by these facts."""
        return same_device(self.info, info) is True

    def is_another(self, info: DeviceInfo) -> bool:
        """Tell whether these facts are surely of another device."""
        return same_device(self.info, info) is False

    def as_dict(self) -> dict[str, Any]:
        """Return the record as it is stored."""
        stored: dict[str, Any] = {
            "id": self.id,
            "info": info_as_dict(self.info),
            "username": self.username,
            "password": self.password,
            "shape": {key: sorted(getattr(self.shape, key)) for key in _SHAPE},
            "paused_by": self.paused_by,
        }
        if self.position:
            stored["position"] = self.position.as_dict()
        if self.history:
            stored["history"] = [machine.as_dict() for machine in self.history]
        return stored

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return a stored record."""
        return cls(
            id=data["id"],
            info=info_from_dict(data["info"]),
            username=data.get("username"),
            password=data.get("password"),
            shape=Shape(
                **{key: frozenset(value) for key, value in data["shape"].items()}
            ),
            paused_by=PausedBy(data["paused_by"]) if data.get("paused_by") else None,
            position=Position.of(data["position"]) if data.get("position") else None,
            history=tuple(map(Machine.from_dict, data.get("history", ()))),
        )


def address(info: DeviceInfo) -> str:
    """Return the address as a user types it."""
    return address_of(info.host, info.port)


def address_of(host: str, port: int | None) -> str:
    """Return host and port as a user types them; no port means the usual one."""
    if port is None:
        return host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def same_device(one: DeviceInfo, other: DeviceInfo) -> bool | None:
    """Tell whether two descriptions are of one device; ``None``: cannot be told."""
    if one.serial_number and other.serial_number:
        return one.serial_number == other.serial_number
    if one.mac and other.mac:
        return one.mac == other.mac
    return None


def info_as_dict(info: DeviceInfo) -> dict[str, Any]:
    """Return the facts of a device as plain JSON."""
    # Unlike asdict, this copies nothing: there may be thousands of them.
    return {
        **{name: getattr(info, name) for name in _INFO},
        "limits": {key.value: asdict(value) for key, value in info.limits.items()},
    }


def info_from_dict(data: Mapping[str, Any]) -> DeviceInfo:
    """Return the facts of a device; a capability that is no more is dropped."""
    known = {capability.value for capability in Capability}
    plain = {key: value for key, value in data.items() if key in _INFO}
    plain["kind"] = DeviceKind(data["kind"])
    plain["capabilities"] = tuple(
        Capability(name) for name in data["capabilities"] if name in known
    )
    plain["limits"] = {
        Capability(name): Limits(**{**limits, "options": tuple(limits["options"])})
        for name, limits in data["limits"].items()
        if name in known
    }
    return DeviceInfo(**plain)


class Inventory:
    """All devices of one site, in a file of their own.

    ``records`` is to be looked at only: ``put`` and ``drop`` change it.
    """

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Describe the inventory of a config entry."""
        # What is written is made in a thread: of thousands that takes a while.
        self._store = Store[dict[str, Any]](
            hass,
            _VERSION,
            f"{DOMAIN}.{entry_id}",
            private=True,
            serialize_in_event_loop=False,
        )
        self._hass = hass
        self._lookup = Lookup()
        self.records: dict[str, Record] = {}

    async def async_load(self) -> None:
        """Read the inventory; a site without one has no devices yet."""
        if data := await self._store.async_load():
            for stored in data["devices"]:
                self._keep(Record.from_dict(stored))

    async def async_save(self) -> None:
        """Write the inventory now."""
        await self._store.async_save(
            await self._hass.async_add_executor_job(self._data)
        )

    async def async_remove(self) -> None:
        """Delete the file."""
        await self._store.async_remove()

    def renamed(self, record: Record) -> Record:
        """Return a device that is new under an id that no other one has.

        What was added while it was off goes by its address then, and may have moved.
        What another machine took the place of comes back under the id it had.
        """
        number, free = 1, record.id
        while free in self.records:
            number += 1
            free = f"{record.id}-{number}"
        return replace(record, id=free)

    def put(self, record: Record) -> None:
        """Add or replace a device; it is written to disk a little later.

        However many are put in that time, they are written once.
        """
        self._keep(record)
        self._store.async_delay_save(self._data, _SAVE_DELAY)

    def drop(self, record_id: str) -> None:
        """Forget a device."""
        if record := self.records.pop(record_id, None):
            self._lookup.drop(record_id, record.info)
        self._store.async_delay_save(self._data, _SAVE_DELAY)

    def find(self, info: DeviceInfo) -> Record | None:
        """Return the device that goes by these facts, wherever it is.

        A device that does not tell who it is, is known by its address.
        """
        for record in self._known_as(info):
            if record.is_device(info):
                return record
        for record in self.at(info):
            if (
                same_device(record.info, info) is None
                and record.info.driver == info.driver
            ):
                return record
        return None

    def at(self, info: DeviceInfo) -> Iterator[Record]:
        """Yield the devices that are, or were last, at the address of this one."""
        for record_id in self._lookup.by_address(info.host, info.port):
            yield self.records[record_id]

    def by_mac(self, mac: str) -> Record | None:
        """Return the device with this MAC."""
        return next((self.records[key] for key in self._lookup.by_mac(mac)), None)

    def _known_as(self, info: DeviceInfo) -> Iterator[Record]:
        for record_id in self._lookup.by_serial_number(info.serial_number):
            yield self.records[record_id]
        for record_id in self._lookup.by_mac(info.mac):
            yield self.records[record_id]

    def _keep(self, record: Record) -> None:
        if known := self.records.get(record.id):
            self._lookup.drop(record.id, known.info)
        self._lookup.add(record.id, record.info)
        self.records[record.id] = record

    def _data(self) -> dict[str, Any]:
        # A copy: the loop may put some in while a thread looks at them.
        return {"devices": [r.as_dict() for r in tuple(self.records.values())]}


def moved(record: Record, host: str, port: int | None) -> Record:
    """Return the record at another address."""
    return replace(record, info=replace(record.info, host=host, port=port))

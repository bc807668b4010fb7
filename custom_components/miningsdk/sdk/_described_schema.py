"""What the file of a driver may hold, table by table."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
import re
from typing import Any

from ._described_check import Table, listed
from ._described_commands import CONDITIONS, Command, condition_of, read_commands
from ._described_mapping import Condition, Mapped, Part, Values, sorts
from ._described_modbus import read_map
from ._described_values import Sort, Value, measure_of, value_of
from .drivers._modbus_table import MeterMap
from .model import (
    Board,
    DeviceInfo,
    Fan,
    Fault,
    MeterStats,
    MinerPool,
    MinerSettings,
    MinerStats,
    MinerStatus,
)

MINER, METER = "miner", "meter"
HTTP, CGMINER, MODBUS = "http", "cgminer", "modbus"
NAME = r"[a-z0-9]+(?:-[a-z0-9]+)*"
# Markers shorter than this stand on the page of half the devices of a network.
_SHORTEST_MARKER = 4
_NOT_TOLD = {"kind", "driver", "host", "port"}
_PARTS: Mapping[str, type] = {
    "boards": Board,
    "fans": Fan,
    "pools": MinerPool,
    "faults": Fault,
}
_PHASED = ("power_phase", "voltage_phase", "current_phase")


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth:
    """How a device wants its account: by HTTP basic or digest, or in a header."""

    type: str = "none"
    username: str | None = None
    needed_for: str = "reading"
    header: str = "Authorization"
    value: str = "{password}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """A driver, as far as data can describe it."""

    name: str
    kind: str
    protocol: str
    facts: Mapping[str, str]
    port: int | None = None
    auth: Auth = Auth()
    markers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    surety: int = 60
    ask: Mapping[str, str] = field(default_factory=dict)
    mapped: Mapped = field(default_factory=Mapped)
    commands: Mapping[str, Command] = field(default_factory=dict)
    table: MeterMap = field(default_factory=MeterMap)


def read_description(top: Table) -> Description:
    """Return what a file describes; complaints go where the table sends them."""
    top.need("name", "kind", "protocol")
    name = top.text("name", NAME, "a name of small letters, digits and dashes")
    kind = top.choice("kind", (MINER, METER))
    protocol = _protocol(top, kind)
    facts = {
        key: value
        for key in ("make", "model", "models", "firmware", "algorithm")
        if (value := top.text(key)) is not None
    }
    port = top.whole("port", 1, 65_535)
    markers, surety = _recognise(top, protocol)
    return Description(
        name=name or "",
        kind=kind or MINER,
        protocol=protocol or HTTP,
        facts=facts,
        port=port,
        markers=markers,
        surety=surety,
        **_device(top, kind, protocol),
    )


def _protocol(top: Table, kind: str | None) -> str | None:
    protocol = top.choice("protocol", (HTTP, CGMINER, MODBUS))
    if (kind, protocol) in ((METER, CGMINER), (MINER, MODBUS)):
        top.wrong("protocol", f"a {kind} cannot be described with this one")
        return None
    return protocol


def _device(top: Table, kind: str | None, protocol: str | None) -> dict[str, Any]:
    """Return what there is only of devices of a kind and a protocol."""
    if protocol is None or kind is None:
        # What the other keys should be depends on these.
        top.give_up()
        return {}
    if protocol == MODBUS:
        return {"table": read_map(top)}
    return _asked(top, kind, protocol)


def _recognise(
    top: Table, protocol: str | None
) -> tuple[dict[str, tuple[str, ...]], int]:
    table = top.table("recognise")
    if table is None or protocol is None:
        return {}, 0
    sources = ("identity",) if protocol == MODBUS else ("page", "version")
    found = {
        source: markers
        for source in sources
        if (markers := table.texts(source, _SHORTEST_MARKER))
    }
    if not any(table.has(source) for source in sources):
        table.wrong(None, f"give at least one of {listed(sources)}")
    surety = table.whole("surety", 1, 100)
    table.finish()
    return found, 60 if surety is None else surety


def _asked(top: Table, kind: str, protocol: str) -> dict[str, Any]:
    """Return what there is only of devices that are asked for replies."""
    ask = _ask(top, protocol)
    mapped = _mapped(top, ask, kind)
    found: dict[str, Any] = {"ask": ask, "mapped": mapped}
    if protocol == HTTP:
        found["auth"] = _auth(top)
    if kind == MINER:
        found["commands"] = read_commands(top, mapped, http=protocol == HTTP)
    return found


def _ask(top: Table, protocol: str) -> dict[str, str]:
    top.need("ask")
    table = top.table("ask")
    if table is None:
        return {}
    shape, like = (
        (r"/\S*", "a path that begins with /")
        if protocol == HTTP
        else (r"[a-z_]+", "a command such as summary")
    )
    found = {}
    for key in table:
        if not re.fullmatch(r"\w[\w-]*", key):
            table.wrong(key, "a name has only letters, digits, _ and -")
        if (asked := table.text(key, shape, like)) is not None:
            found[key] = asked
    if not list(table):
        top.wrong("ask", "there is nothing to ask for")
    return found


def _auth(top: Table) -> Auth:
    table = top.table("auth")
    if table is None:
        return Auth()
    table.need("type")
    kind = table.choice("type", ("basic", "digest", "header"))
    needed = table.choice("needed_for", ("reading", "control"))
    username = table.text("username")
    header = value = None
    if kind == "header":
        table.need("header")
        header = table.text("header", r"[A-Za-z0-9-]+", "the name of a header")
        value = table.text("value", r".*\{password\}.*", "text with {password} in it")
    table.finish()
    return Auth(
        type=kind or "none",
        username=username,
        needed_for=needed or "reading",
        header=header or "Authorization",
        value=value or "{password}",
    )


# The tables info, stats and status.


def _mapped(top: Table, ask: Iterable[str], kind: str) -> Mapped:
    meter = kind == METER
    info = top.table("info") or top.empty("info")
    top.need("stats")
    stats = top.table("stats") or top.empty("stats")
    facts = {k: v for k, v in sorts(DeviceInfo).items() if k not in _NOT_TOLD}
    single = {
        k: v
        for k, v in sorts(MeterStats if meter else MinerStats).items()
        if k != "status"
    }
    mapped = Mapped(
        info=_values(info, facts, ask),
        values=_values(stats, single, ask, mains=meter),
        settings={} if meter else _settings(stats, ask),
        phases=_phases(stats, ask) if meter else {},
        parts=_parts(stats, ask, ["faults"] if meter else list(_PARTS)),
        status=() if meter else _rules(top, ask),
    )
    info.finish()
    stats.finish()
    if top.has("stats") and not list(stats):
        top.wrong("stats", "there is nothing to read")
    return mapped


def _values(
    table: Table,
    kinds: Mapping[str, Sort],
    ask: Iterable[str] | None,
    *,
    mains: bool = False,
) -> dict[str, Value]:
    found = {
        name: value_of(table, name, sort, ask, measure_of(name, mains=mains))
        for name, sort in kinds.items()
    }
    return {name: value for name, value in found.items() if value is not None}


def _settings(stats: Table, ask: Iterable[str]) -> Values:
    table = stats.table("settings") or stats.empty("settings")
    found = _values(table, sorts(MinerSettings), ask)
    table.finish()
    return found


def _phases(stats: Table, ask: Iterable[str]) -> dict[str, tuple[Value, ...]]:
    found: dict[str, tuple[Value, ...]] = {}
    for name in _PHASED:
        places = stats.places(name, 3)
        values = [
            value_of(places, place, "number", ask, measure_of(name)) for place in places
        ]
        if known := tuple(value for value in values if value is not None):
            found[name] = known
    return found


def _parts(stats: Table, ask: Iterable[str], names: Iterable[str]) -> dict[str, Part]:
    found: dict[str, Part] = {}
    for name in names:
        kinds = {k: v for k, v in sorts(_PARTS[name]).items() if k != "index"}
        if isinstance(stats.raw(name), list):
            rows = [_row(table, kinds, ask) for table in stats.tables(name)]
            found[name] = Part(record=_PARTS[name], each=None, rows=tuple(rows))
        elif table := stats.table(name):
            table.need("each")
            each = value_of(table, "each", "text", ask, "")
            row = _row(table, kinds, None)
            if each is not None:
                found[name] = Part(record=_PARTS[name], each=each, rows=(row,))
    return found


def _row(table: Table, kinds: Mapping[str, Sort], ask: Iterable[str] | None) -> Values:
    row = _values(table, kinds, ask)
    table.finish()
    return row


def _rules(
    top: Table, ask: Iterable[str]
) -> tuple[tuple[MinerStatus, Condition | None], ...]:
    found: list[tuple[MinerStatus, Condition | None]] = []
    for table in top.tables("status"):
        table.need("is")
        status = table.choice("is", [status.value for status in MinerStatus])
        given = any(table.has(key) for key in CONDITIONS)
        condition = condition_of(table, ask) if given else None
        table.finish()
        if status is not None:
            found.append((MinerStatus(status), condition))
    return tuple(found)

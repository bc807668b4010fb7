"""Where a value stands in a device's reply, and what has to be done to it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
import math
import re
from types import NoneType
from typing import Any, Literal, get_args, get_type_hints

from ._described_check import Table, hint, listed, shown
from .algorithms import rounded
from .fields import boolean, number, text

# What becomes of a value: one of these, or a word of an enumeration.
type Sort = Literal["number", "integer", "boolean", "text"] | type[StrEnum]
type Steps = tuple[str | int, ...]

_SORTS: dict[object, Sort] = {
    float: "number",
    int: "integer",
    bool: "boolean",
    str: "text",
}
# A name, a place in a list, or a name with signs that mean something here.
_STEP = re.compile(r'\.([^.\[\]"]+)|\[(\d{1,6})\]|\["([^"]+)"\]')
# An element of a list that is itself the value.
_ITSELF = "."
# What a unit measures, and how it becomes the one that stands first.
_UNITS: dict[str, dict[str, tuple[float, float]]] = {
    "hashrate": {
        "TH/s": (1, 0),
        "H/s": (1e-12, 0),
        "kH/s": (1e-9, 0),
        "MH/s": (1e-6, 0),
        "GH/s": (1e-3, 0),
        "PH/s": (1e3, 0),
    },
    "power": {
        **dict.fromkeys(("W", "VA", "var"), (1, 0)),
        **dict.fromkeys(("kW", "kVA", "kvar"), (1e3, 0)),
        "mW": (1e-3, 0),
        "MW": (1e6, 0),
    },
    "energy": {"kWh": (1, 0), "Wh": (1e-3, 0), "MWh": (1e3, 0)},
    "temperature": {
        "°C": (1, 0),
        "°F": (1 / 1.8, -32 / 1.8),
        "K": (1, -273.15),
    },
    "voltage": {"V": (1, 0), "mV": (1e-3, 0), "kV": (1e3, 0)},
    "current": {"A": (1, 0), "mA": (1e-3, 0)},
    "frequency": {"MHz": (1, 0), "Hz": (1e-6, 0), "kHz": (1e-3, 0), "GHz": (1e3, 0)},
    "mains": {"Hz": (1, 0), "mHz": (1e-3, 0)},
    "uptime": {"s": (1, 0), "ms": (1e-3, 0), "min": (60, 0), "h": (3600, 0)},
}
# What the first word of a field does not tell of what it measures.
_MEASURES = {
    "power_factor": "",
    "power_mode": "",
    "target_temperature": "temperature",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One value of a reply: where it is, and how it becomes one of the vocabulary."""

    steps: Steps
    scale: float = 1.0
    offset: float = 0.0
    # The plain words by which the device says that it does not know.
    missing: frozenset[str] = frozenset()
    # What the device's words mean.
    words: Mapping[str, str] = field(default_factory=dict)

    def raw(self, reply: object) -> Any:
        """Return what stands at the place; ``None`` when nothing does."""
        for step in self.steps:
            if isinstance(step, int):
                there = isinstance(reply, list) and step < len(reply)
                reply = reply[step] if isinstance(reply, list) and there else None
            else:
                reply = reply.get(step) if isinstance(reply, Mapping) else None
        return None if plain(reply) in self.missing else reply

    def read(self, reply: object, sort: Sort) -> Any:
        """Return the value as it is to be shown.

        Raises:
            ValueError: it is of another sort.
        """
        raw = self.raw(reply)
        if raw is None:
            return None
        if sort == "boolean":
            return boolean(self._meant(raw))
        if sort in ("number", "integer"):
            return self._number(raw, whole=sort == "integer")
        said = text(self._meant(raw))
        if said is None or isinstance(sort, str):
            return said
        return sort(said.lower())

    def _meant(self, raw: object) -> object:
        return self.words.get(plain(raw), raw)

    def _number(self, raw: object, *, whole: bool) -> float | int | None:
        value = number(raw)
        if value is None or plain(value) in self.missing:
            return None
        value = value * self.scale + self.offset
        if not whole:
            return rounded(value)
        # A larger one is nonsense, and JSON could not hold it.
        return None if abs(value) >= 2**63 else round(value)


def plain(value: object) -> str:
    """Return a value as it is compared: small letters, ``true``, ``3`` for 3.0."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:.15g}" if math.isfinite(value) else str(value)
    return str(value).strip().lower()


def sorts_of(record: type, *without: str) -> dict[str, Sort]:
    """Return the single values that a record of the vocabulary holds, by field."""
    found: dict[str, Sort] = {}
    for name, hint_ in get_type_hints(record).items():
        kinds = [kind for kind in get_args(hint_) or (hint_,) if kind is not NoneType]
        if name in without or len(kinds) != 1:
            continue
        if (sort := _SORTS.get(kinds[0])) is not None:
            found[name] = sort
        elif isinstance(kinds[0], type) and issubclass(kinds[0], StrEnum):
            found[name] = kinds[0]
    return found


def read_steps(path: str) -> Steps | None:
    """Return ``a.b[0].c`` in steps; ``None`` when it is no path."""
    if path == _ITSELF:
        return ()
    path = path if path.startswith("[") else f".{path}"
    steps: list[str | int] = []
    at = 0
    while at < len(path):
        if (match := _STEP.match(path, at)) is None:
            return None
        name, place, quoted = match.groups()
        steps.append(name or quoted if place is None else int(place))
        at = match.end()
    return tuple(steps)


def value_of(
    table: Table,
    key: str | int,
    sort: Sort,
    replies: Iterable[str] | None,
    measure: str,
) -> Value | None:
    """Return the value that a key describes, by its path or by a table.

    ``replies`` are the names that a path may begin with; ``None`` stands for a path
    within an element of a list. ``measure`` is what a unit may be one of.
    """
    given = table.raw(key)
    if given is None:
        return None
    if isinstance(given, Mapping):
        inner = table.table(key)
        return None if inner is None else _from_table(inner, sort, replies, measure)
    steps = _checked_steps(table, key, given, replies)
    return None if steps is None else Value(steps=steps)


def _from_table(
    table: Table, sort: Sort, replies: Iterable[str] | None, measure: str
) -> Value | None:
    table.need("path")
    path = table.raw("path")
    steps = None if path is None else _checked_steps(table, "path", path, replies)
    scale, offset = 1.0, 0.0
    if sort in ("number", "integer"):
        scale, offset = _factor(table, measure)
    words = _words(table, sort) if sort not in ("number", "integer") else {}
    missing = table.raw("missing")
    table.finish()
    if steps is None:
        return None
    return Value(
        steps=steps,
        scale=scale,
        offset=offset,
        missing=plain_set(missing),
        words=words,
    )


def plain_set(given: object) -> frozenset[str]:
    """Return one value or a list of them as they are compared."""
    if given is None:
        return frozenset()
    return frozenset(map(plain, given if isinstance(given, list) else [given]))


def measure_of(name: str, *, mains: bool = False) -> str:
    """Return what a field of the vocabulary measures, which decides on its units."""
    measure = _MEASURES.get(name, name.partition("_")[0])
    return "mains" if mains and measure == "frequency" else measure


def _factor(table: Table, measure: str) -> tuple[float, float]:
    """Return scale and offset, which may be given as a unit."""
    units = _UNITS.get(measure, {})
    if table.has("unit"):
        if not units:
            table.raw("unit")
            table.wrong("unit", "this has no unit; use scale")
            return 1.0, 0.0
        if table.has("scale") or table.has("offset"):
            table.wrong("unit", "give either a unit, or scale and offset")
        unit = table.choice("unit", units)
        table.raw("scale"), table.raw("offset")
        return units[unit] if unit else (1.0, 0.0)
    scale, offset = table.number("scale"), table.number("offset")
    return 1.0 if scale is None else scale, offset or 0.0


def _words(table: Table, sort: Sort) -> dict[str, str]:
    inner = table.table("words")
    if inner is None:
        return {}
    found: dict[str, str] = {}
    for key in inner:
        meaning = inner.raw(key)
        if isinstance(meaning, bool):
            meaning = str(meaning).lower()
        allowed = [word.value for word in sort] if isinstance(sort, type) else None
        if not isinstance(meaning, str):
            inner.wrong(key, f"{shown(meaning)} is not a word")
        elif allowed is not None and meaning not in allowed:
            inner.wrong(key, f"{shown(meaning)} is not one of {listed(allowed)}")
        else:
            found[plain(key)] = meaning
    return found


def _checked_steps(
    table: Table, key: str | int, path: object, replies: Iterable[str] | None
) -> Steps | None:
    steps = read_steps(path) if isinstance(path, str) else None
    if steps is None:
        table.wrong(key, f"{shown(path)} is not a path such as reply.list[0].value")
        return None
    if replies is None:
        return steps
    names = list(replies)
    if not steps or steps[0] not in names:
        first = str(steps[0]) if steps else ""
        table.wrong(key, f"no reply of [ask] is named {first!r}{hint(first, names)}")
        return None
    return steps

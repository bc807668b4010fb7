"""Take a table of a driver's file apart, key by key, and complain about what is odd."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
import math
import re
from typing import Any

from ._described_lines import Path

# Only the first complaint about a place counts.
type Complain = Callable[[Path, str], object]

_MANY = 40


class Table:
    """One table; each key is taken once, and ``finish`` complains about the rest.

    A value that is wrong is complained of and taken for one that is not given.
    """

    def __init__(self, data: Mapping[Any, Any], path: Path, complain: Complain) -> None:
        """Wrap a table that stands at a path of the file."""
        self.path = path
        self._data = data
        self._complain = complain
        self._taken: set[str | int] = set()

    def has(self, key: str) -> bool:
        """Tell whether a key is given, rightly or not."""
        return key in self._data

    def __iter__(self) -> Iterator[Any]:
        """Yield the keys that are given."""
        return iter(self._data)

    def wrong(self, key: str | int | None, why: str) -> None:
        """Complain about a key, or about the table itself."""
        self._complain(self.path if key is None else (*self.path, key), why)

    def raw(self, key: str | int) -> Any:
        """Return whatever is given; ``None`` when nothing is."""
        self._taken.add(key)
        return self._data.get(key)

    def need(self, *keys: str) -> None:
        """Complain about keys that must be given."""
        for key in keys:
            self._taken.add(key)
            if key not in self._data:
                self.wrong(key, "this must be given")

    def text(self, key: str, pattern: str = r".*\S.*", like: str = "") -> str | None:
        """Return text, which must match a pattern as a whole."""
        value = self.raw(key)
        if value is None:
            return None
        if not isinstance(value, str):
            self.wrong(key, f"{shown(value)} is not text")
        elif not re.fullmatch(pattern, value):
            self.wrong(key, f"{shown(value)} is not {like or 'any text'}")
        else:
            return value
        return None

    def texts(self, key: str, shortest: int = 1) -> tuple[str, ...]:
        """Return a text or a list of texts."""
        value = self.raw(key)
        if value is None:
            return ()
        items = value if isinstance(value, list) else [value]
        for item in items:
            if not isinstance(item, str) or len(item.strip()) < shortest:
                least = f" of at least {shortest} letters" if shortest > 1 else ""
                self.wrong(key, f"{shown(item)} is no text{least}")
                return ()
        if not items:
            self.wrong(key, "the list is empty")
        return tuple(items)

    def choice(self, key: str, allowed: Iterable[str]) -> str | None:
        """Return one of several words."""
        value = self.raw(key)
        if value is None:
            return None
        if not isinstance(value, str) or value not in allowed:
            self.wrong(key, f"{shown(value)} is not one of {listed(allowed)}")
            return None
        return value

    def number(
        self, key: str, low: float = -math.inf, high: float = math.inf
    ) -> float | None:
        """Return a number within limits."""
        value = self.raw(key)
        if value is None:
            return None
        if not _is_number(value):
            self.wrong(key, f"{shown(value)} is not a number")
        elif not low <= value <= high:
            self.wrong(key, f"{shown(value)} is not between {low:g} and {high:g}")
        else:
            return float(value)
        return None

    def whole(self, key: str, low: int, high: int) -> int | None:
        """Return a whole number within limits."""
        value = self.number(key, low, high)
        if value is not None and not isinstance(self._data[key], int):
            self.wrong(key, f"{shown(self._data[key])} is not a whole number")
            return None
        return None if value is None else int(value)

    def table(self, key: str | int) -> Table | None:
        """Return the table under a key."""
        value = self.raw(key)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            self.wrong(key, f"{shown(value)} is not a table with keys and values")
            return None
        return Table(value, (*self.path, key), self._complain)

    def places(self, key: str, most: int) -> Table:
        """Return a list of one to so many values as a table by their places."""
        value = self.raw(key)
        if value is not None and not (
            isinstance(value, list) and 1 <= len(value) <= most
        ):
            self.wrong(key, f"this is a list of one to {most} values")
            value = None
        return Table(dict(enumerate(value or ())), (*self.path, key), self._complain)

    def empty(self, key: str) -> Table:
        """Return a table without keys, of which nobody complains."""
        return Table({}, (*self.path, key), lambda *_: None)

    def tables(self, key: str) -> list[Table]:
        """Return the tables of a list."""
        value = self.raw(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.wrong(key, f"{shown(value)} is not a list of tables")
            return []
        found = []
        for place, item in enumerate(value):
            if isinstance(item, Mapping):
                path = (*self.path, key, place)
                found.append(Table(item, path, self._complain))
            else:
                self._complain(
                    (*self.path, key, place), f"{shown(item)} is not a table"
                )
        return found

    def give_up(self) -> None:
        """Take all keys: what they should be cannot be told."""
        self._taken.update(self._data)

    def finish(self) -> None:
        """Complain about the keys that nobody took."""
        for key in self._data:
            if key not in self._taken:
                known = map(str, self._taken)
                self.wrong(key, f"there is no such key{hint(str(key), known)}")


def _is_number(value: object) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
    )


def hint(word: str, known: Iterable[str]) -> str:
    """Return what was most likely meant, or what there is to choose from."""
    known = sorted(known)
    if close := get_close_matches(word, known, n=1, cutoff=0.75):
        return f"; do you mean {close[0]}?"
    return f"; there are {listed(known)}" if known else ""


def listed(words: Iterable[str]) -> str:
    """Return words with commas between them."""
    return ", ".join(words)


def shown(value: object) -> str:
    """Return a value as it can stand in a sentence."""
    text = repr(value)
    return text if len(text) <= _MANY else f"{text[: _MANY - 3]}..."

"""What a table says about where miners stand, compared with what is known."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from homeassistant.helpers.device_registry import format_mac

from .positions import NOWHERE, PARTS, Position
from .positions_table import (
    IDENTIFIERS,
    Problem,
    Table,
    Wrong,
    read_table,
    write_table,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One miner of the inventory, and where it stands.

    ``given`` is what a person said, ``ruled`` what the rule makes of its address.
    Without a ``name`` it is no device of Home Assistant that could be renamed.
    """

    entry_id: str
    site: str
    id: str
    host: str
    serial_number: str | None = None
    mac: str | None = None
    model: str | None = None
    name: str | None = None
    given: Position | None = None
    ruled: Position = NOWHERE

    @property
    def key(self) -> tuple[str, str]:
        """Return what tells it from all others."""
        return self.entry_id, self.id

    @property
    def position(self) -> Position:
        """Return where it stands."""
        return self.given or self.ruled

    @property
    def source(self) -> str:
        """Return where its position is known from."""
        if self.given:
            return "given"
        return "rule" if self.ruled else ""

    def as_row(self) -> dict[str, str]:
        """Return its row in a table."""
        known = {
            "site": self.site,
            "id": self.id,
            "serial_number": self.serial_number,
            "mac": self.mac,
            "host": self.host,
            "model": self.model,
            "name": self.name,
            "source": self.source,
        }
        row = {key: value or "" for key, value in known.items()}
        return row | dict.fromkeys(PARTS, "") | self.position.as_dict()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a line of a table would change about a miner."""

    line: int
    place: Place
    given: Position | None
    name: str | None = None

    @property
    def position(self) -> Position:
        """Return where it would stand."""
        return self.given or self.place.ruled

    @property
    def moves(self) -> bool:
        """Tell whether its position would be another one."""
        return self.given != self.place.given


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a table would change, and what is wrong with it, line by line."""

    changes: tuple[Change, ...] = ()
    unchanged: int = 0
    unknown: int = 0
    problems: tuple[Problem, ...] = ()
    ignored: tuple[str, ...] = ()


class _LineError(Exception):
    """A line that cannot be used."""

    def __init__(self, column: str | None, key: Wrong, **told: str) -> None:
        super().__init__(key)
        self.column, self.key, self.told = column, key, told


def export(places: Iterable[Place], delimiter: str = ",") -> str:
    """Return the inventory as CSV."""
    return write_table([place.as_row() for place in places], delimiter)


def make_plan(text: str, places: Iterable[Place]) -> Plan:
    """Return what a text would change.

    A line that is wrong, or that puts two miners into one slot, changes nothing; all
    others stand.
    """
    table, places = read_table(text), list(places)
    problems, unknown = table.problems, 0
    known, lines = _Known(places), dict[tuple[str, str], int]()
    changes: dict[int, Change] = {}
    for line, cells in table.rows:
        try:
            place = known.find(cells)
            if (first := lines.setdefault(place.key, line)) != line:
                changes.pop(first, None)
                raise _LineError(None, Wrong.DEVICE_TWICE, line=str(first))
            changes[line] = _change(line, place, cells)
        except _LineError as wrong:
            unknown += wrong.key is Wrong.UNKNOWN_DEVICE
            problems.append(Problem(line, wrong.column, wrong.key, wrong.told))
    _blame_first_lines(table)
    changed = [change for change in changes.values() if change.moves or change.name]
    changed = _without_clashes(changed, places, problems)
    wrong_lines = {problem.line for problem in problems}
    return Plan(
        changes=tuple(changed),
        unchanged=sum(line not in wrong_lines for line in changes) - len(changed),
        unknown=unknown,
        problems=tuple(sorted(problems, key=lambda problem: problem.line)),
        ignored=table.ignored,
    )


def _blame_first_lines(table: Table) -> None:
    """Say of the first of two lines about one miner that it is wrong as well."""
    blamed: set[str] = set()
    for problem in tuple(table.problems):
        first = problem.told.get("line", "")
        if problem.key is Wrong.DEVICE_TWICE and first not in blamed:
            blamed.add(first)
            again = {"line": str(problem.line)}
            table.problems.append(Problem(int(first), None, Wrong.DEVICE_TWICE, again))


def _change(line: int, place: Place, cells: Mapping[str, str]) -> Change:
    """Return what a line says; a column that is missing leaves a part as it is."""
    told = {part: cells[part] for part in PARTS if part in cells}
    name = cells.get("name") or None
    if name == place.name:
        name = None
    if name and place.name is None:
        raise _LineError("name", Wrong.NOT_SHOWN)
    # Nothing but empty cells takes back what a person said, and not the rule.
    base = place.position if any(told.values()) else place.given or NOWHERE
    given = Position.of({**base.as_dict(), **told}) or None
    if given == place.position:
        given = place.given
    elif given == place.ruled:
        given = None
    return Change(line=line, place=place, given=given, name=name)


def _without_clashes(
    changes: list[Change], places: list[Place], problems: list[Problem]
) -> list[Change]:
    """Return the changes that do not put two miners into one slot.

    A miner whose line is left out stays where it is, where another one may have been
    about to go: so this is looked at until nothing is left out any more.
    """
    while True:
        moved = {change.place.key: change for change in changes}
        slots: defaultdict[tuple[str, Position], list[Place | Change]] = defaultdict(
            list
        )
        for place in places:
            found = moved.get(place.key, place)
            if found.position.is_exact:
                slots[place.entry_id, found.position].append(found)
        clashing = [
            (one, other)
            for found in slots.values()
            for one in found
            if isinstance(one, Change) and one.moves
            for other in [next((o for o in found if o is not one), None)]
            if other is not None
        ]
        if not clashing:
            return changes
        problems += [_clash(one, other) for one, other in clashing]
        wrong = {one.line for one, _ in clashing}
        changes = [change for change in changes if change.line not in wrong]


def _clash(change: Change, other: Place | Change) -> Problem:
    if isinstance(other, Change):
        told = {"line": str(other.line)}
        return Problem(change.line, "slot", Wrong.SLOT_TWICE, told)
    told = {"other": other.name or other.id}
    return Problem(change.line, "slot", Wrong.SLOT_TAKEN, told)


class _Known:
    """Finds miners by what a line says of them."""

    def __init__(self, places: Iterable[Place]) -> None:
        self._found: defaultdict[tuple[str, str], list[Place]] = defaultdict(list)
        for place in places:
            for column in IDENTIFIERS:
                if value := _plain(column, getattr(place, column)):
                    self._found[column, value].append(place)
            if (bare := place.host.rpartition(":")[0]) and ":" not in bare:
                self._found["host", bare].append(place)

    def find(self, cells: Mapping[str, str]) -> Place:
        """Return the only miner that a line can mean.

        Who it is counts more than where it is: an address may have changed since.
        """
        told = {
            column: value
            for column in IDENTIFIERS
            if (value := _plain(column, cells.get(column)))
        }
        if not told:
            raise _LineError(None, Wrong.WITHOUT_DEVICE, columns=", ".join(IDENTIFIERS))
        strong = [column for column in told if column != "host"]
        found: dict[tuple[str, str], Place] = {}
        for column in strong:
            for place in self._found.get((column, told[column]), ()):
                found[place.key] = place
        if not found and "host" in told:
            for place in self._found.get(("host", told["host"]), ()):
                if not any(getattr(place, column) for column in strong):
                    found[place.key] = place
        first = next(iter(told))
        if not found:
            raise _LineError(first, Wrong.UNKNOWN_DEVICE, value=cells[first])
        if len(found) > 1:
            names = ", ".join(place.name or place.id for place in found.values())
            raise _LineError(first, Wrong.AMBIGUOUS_DEVICE, names=names)
        return next(iter(found.values()))


def _plain(column: str, value: str | None) -> str:
    text = (value or "").strip()
    return format_mac(text) if column == "mac" and text else text.lower()

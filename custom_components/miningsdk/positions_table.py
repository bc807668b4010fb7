"""Read a table of miners as people send it: CSV of any dialect, with line numbers."""

from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator, Mapping
import csv
from dataclasses import dataclass, field
from enum import StrEnum
from io import StringIO
from types import MappingProxyType
from typing import Final

from .positions import PARTS

IDENTIFIERS: Final = ("id", "serial_number", "mac", "host")
# These say more about the miner to whoever reads the table, and change nothing.
INFORMATIVE: Final = ("site", "model", "source")
COLUMNS: Final = ("site", *IDENTIFIERS, "model", "name", *PARTS, "source")
DELIMITERS: Final = (",", ";", "\t")
MOST_CHARACTERS: Final = 5_000_000
MOST_LINES: Final = 50_000
LONGEST_CELL: Final = 100

_ALIASES: Final = MappingProxyType(
    {
        "address": "host",
        "ip": "host",
        "ip_address": "host",
        "mac_address": "mac",
        "serial": "serial_number",
        "sn": "serial_number",
    }
)
_BOM = "\ufeff"
_DAMAGED = "\ufffd"
# What a spreadsheet would take for a formula.
_FORMULA = ("=", "+", "-", "@")


class Wrong(StrEnum):
    """What may be wrong in a table, by the key of its text."""

    AMBIGUOUS_DEVICE = "list_ambiguous_device"
    BAD_ENCODING = "list_bad_encoding"
    BROKEN = "list_broken"
    COLUMN_TWICE = "list_column_twice"
    DEVICE_TWICE = "list_device_twice"
    EMPTY = "list_empty"
    NOT_SHOWN = "list_not_shown"
    SLOT_TAKEN = "list_slot_taken"
    SLOT_TWICE = "list_slot_twice"
    TOO_LARGE = "list_too_large"
    TOO_LONG = "list_too_long"
    TOO_MANY_CELLS = "list_too_many_cells"
    UNKNOWN_DEVICE = "list_unknown_device"
    UNPRINTABLE = "list_unprintable"
    WITHOUT_DEVICE = "list_without_device"
    WITHOUT_IDENTIFIER = "list_without_identifier"
    WITHOUT_POSITION = "list_without_position"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in a line, and what fills the gaps of its text."""

    line: int
    column: str | None
    key: Wrong
    told: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Table:
    """What was read: rows of cells by column, each with the number of its line."""

    columns: tuple[str, ...] = ()
    rows: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    ignored: tuple[str, ...] = ()
    problems: list[Problem] = field(default_factory=list)


class BadEncodingError(ValueError):
    """Bytes that are no text; ``line`` is the first line of that sort."""

    def __init__(self, line: int) -> None:
        """Say where it is."""
        super().__init__(f"line {line}")
        self.line = line


def decode(data: bytes) -> str:
    """Return the text of a file: UTF-8, or UTF-16 as spreadsheets call Unicode.

    Raises:
        BadEncodingError: it is neither.
    """
    wide = data.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
    try:
        return data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadEncodingError(data[: error.start].count(b"\n") + 1) from error


def read_table(text: str) -> Table:
    """Return what a text holds; what is wrong is told and the rest is read."""
    table = Table()
    text = text.removeprefix(_BOM)
    if len(text) > MOST_CHARACTERS:
        table.problems.append(
            Problem(1, None, Wrong.TOO_LARGE, {"most": f"{MOST_LINES:,}"})
        )
        return table
    try:
        _read(table, _rows(text))
    except csv.Error as error:
        table.rows.clear()
        table.problems.append(Problem(1, None, Wrong.BROKEN, {"error": str(error)}))
    return table


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not empty, with the line that each begins in."""
    first = text.split("\n", 1)[0].strip()
    told = first.lower().startswith("sep=") and len(first) == 5
    delimiter = first[4] if told else max(DELIMITERS, key=_header(text).count)
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter)
    line = 1
    for row in reader:
        if any(cell.strip() for cell in row) and not (told and line == 1):
            yield line, row
        line = reader.line_num + 1


def _header(text: str) -> str:
    return next((line for line in text.splitlines() if line.strip()), "")


def _read(table: Table, rows: Iterator[tuple[int, list[str]]]) -> None:
    line, header = next(rows, (1, []))
    names = [_name(cell) for cell in header]
    table.problems += _problems_of_header(line, names)
    if table.problems:
        return
    table.columns = tuple(name for name in names if name in COLUMNS)
    table.ignored = tuple(
        cell.strip()
        for cell, name in zip(header, names, strict=True)
        if name not in COLUMNS and name
    )
    for line, row in rows:
        if len(table.rows) >= MOST_LINES:
            most = {"most": f"{MOST_LINES:,}"}
            table.problems.append(Problem(line, None, Wrong.TOO_LARGE, most))
            return
        _read_row(table, line, names, row)


def _name(cell: str) -> str:
    name = "_".join(cell.strip().lower().replace("-", " ").replace("_", " ").split())
    return _ALIASES.get(name, name)


def _problems_of_header(line: int, names: list[str]) -> Iterator[Problem]:
    if not names:
        yield Problem(line, None, Wrong.EMPTY)
        return
    for name in COLUMNS:
        if names.count(name) > 1:
            yield Problem(line, name, Wrong.COLUMN_TWICE, {"column": name})
    if not set(IDENTIFIERS) & set(names):
        columns = {"columns": ", ".join(IDENTIFIERS)}
        yield Problem(line, None, Wrong.WITHOUT_IDENTIFIER, columns)
    if not {*PARTS, "name"} & set(names):
        columns = {"columns": ", ".join((*PARTS, "name"))}
        yield Problem(line, None, Wrong.WITHOUT_POSITION, columns)


def _read_row(table: Table, line: int, names: list[str], row: list[str]) -> None:
    if any(cell.strip() for cell in row[len(names) :]):
        table.problems.append(Problem(line, None, Wrong.TOO_MANY_CELLS))
        return
    cells = {
        name: plain(cell)
        for name, cell in zip(names, row, strict=False)
        if name in COLUMNS
    }
    problems = [
        Problem(line, name, key, {"most": str(LONGEST_CELL)})
        for name, cell in cells.items()
        if name not in INFORMATIVE and (key := wrong_with(cell))
    ]
    table.problems += problems
    if not problems:
        table.rows.append((line, cells))


def wrong_with(cell: str) -> Wrong | None:
    """Return what makes a text useless as a name or a part of a position."""
    if _DAMAGED in cell:
        return Wrong.BAD_ENCODING
    if not cell.isprintable():
        return Wrong.UNPRINTABLE
    return Wrong.TOO_LONG if len(cell) > LONGEST_CELL else None


def plain(cell: str) -> str:
    """Return the text of a cell, without what guards it from being a formula."""
    text = cell.strip()
    return text[1:] if text.startswith("'") and is_formula(text) else text


def is_formula(text: str) -> bool:
    """Tell whether a spreadsheet would take a text for a formula, guarded or not."""
    bare = text.lstrip("'")
    return bare.startswith(_FORMULA) and not bare[1:].isdecimal()


def write_table(rows: list[dict[str, str]], delimiter: str = ",") -> str:
    """Return rows as CSV that a spreadsheet opens without running anything."""
    out = StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS, delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(
            {k: f"'{text}" if is_formula(text) else text for k, text in row.items()}
        )
    return out.getvalue()

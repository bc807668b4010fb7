"""Find the line on which a key of a TOML file stands: its parser forgets it."""

from collections.abc import Mapping
import re

# The names of tables and keys, and places in arrays, from the top of the file.
type Path = tuple[str | int, ...]

_BLANK = re.compile(r"[ \t]*")
_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BASIC = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_LITERAL = re.compile(r"'[^'\n]*'")
_LONG_BASIC = re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}(?!")', re.DOTALL)
_LONG_LITERAL = re.compile(r"'''.*?'{3,5}(?!')", re.DOTALL)
# A number, a date, true or false: all that ends at the next sign of another kind.
_PLAIN = re.compile(r"[^,\]}#\n]*")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))")
_ESCAPED = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b"}


def lines_of(document: str) -> Mapping[Path, int]:
    """Return the line of each key and of each place in an array, counted from 1.

    The document must be one that ``tomllib`` takes.
    """
    return _Scanner(document).lines()


def line_at(lines: Mapping[Path, int], path: Path) -> int:
    """Return the line of a path; of what it is in, where it is not given itself."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


class _Scanner:
    """Walks over a document that is known to be right."""

    def __init__(self, document: str) -> None:
        self._text = document
        self._at = 0
        self._lines: dict[Path, int] = {}
        # How many tables each array of tables holds so far.
        self._counts: dict[Path, int] = {}

    def lines(self) -> Mapping[Path, int]:
        table: Path = ()
        while True:
            self._skip(_SPACE)
            if self._at >= len(self._text):
                return self._lines
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> Path:
        many = self._text.startswith("[[", self._at)
        self._at += 2 if many else 1
        path: Path = ()
        *parents, last = self._keys()
        for key in parents:
            path = self._inside((*path, key))
        path = (*path, last)
        self._at += 2 if many else 1
        if many:
            self._note(path)
            place = self._counts.get(path, 0)
            self._counts[path] = place + 1
            path = (*path, place)
        self._note(path)
        return path

    def _inside(self, path: Path) -> Path:
        """Return the last table of an array of tables, or the table itself."""
        count = self._counts.get(path)
        path = path if count is None else (*path, count - 1)
        self._note(path)
        return path

    def _pair(self, table: Path) -> None:
        path = table
        for key in self._keys():
            path = (*path, key)
            self._note(path)
        self._at += 1
        self._skip(_BLANK)
        self._value(path)

    def _keys(self) -> list[str]:
        """Read a key with its dots, up to what follows it."""
        keys: list[str] = []
        while True:
            self._skip(_BLANK)
            keys.append(self._key())
            self._skip(_BLANK)
            if self._text[self._at] != ".":
                return keys
            self._at += 1

    def _key(self) -> str:
        sign = self._text[self._at]
        if sign == '"':
            return _ESCAPE.sub(_unescaped, self._skip(_BASIC)[1:-1])
        if sign == "'":
            return self._skip(_LITERAL)[1:-1]
        return self._skip(_BARE_KEY)

    def _value(self, path: Path) -> None:
        text, at = self._text, self._at
        if text[at] == "[":
            self._array(path)
        elif text[at] == "{":
            self._inline_table(path)
        else:
            self._skip(_kind_of(text, at))

    def _array(self, path: Path) -> None:
        place = 0
        self._at += 1
        while self._next_item("]"):
            self._note((*path, place))
            self._value((*path, place))
            place += 1

    def _inline_table(self, path: Path) -> None:
        self._at += 1
        while self._next_item("}"):
            self._pair(path)

    def _next_item(self, end: str) -> bool:
        """Go to the next item, or past the end if there is none."""
        self._skip(_SPACE)
        if self._text[self._at] == ",":
            self._at += 1
            self._skip(_SPACE)
        if self._text[self._at] == end:
            self._at += 1
            return False
        return True

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None or (not match[0] and pattern not in (_BLANK, _SPACE)):
            raise ValueError("the document is not TOML")
        self._at = match.end()
        return match[0]

    def _note(self, path: Path) -> None:
        line = self._text.count("\n", 0, self._at) + 1
        self._lines.setdefault(path, line)


def _kind_of(text: str, at: int) -> re.Pattern[str]:
    for start, pattern in (
        ('"""', _LONG_BASIC),
        ("'''", _LONG_LITERAL),
        ('"', _BASIC),
        ("'", _LITERAL),
    ):
        if text.startswith(start, at):
            return pattern
    return _PLAIN


def _unescaped(match: re.Match[str]) -> str:
    short, long, sign = match.groups()
    if sign is None:
        return chr(int(short or long, 16))
    return _ESCAPED.get(sign, sign)

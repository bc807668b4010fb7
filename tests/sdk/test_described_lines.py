"""The line of each key of a TOML file."""

from collections.abc import Iterator, Mapping
import tomllib
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.miningsdk.sdk._described_lines import (
    Path as KeyPath,
    line_at,
    lines_of,
)

TOML = '''\
# A comment with [brackets] and "quotes".
top = 1  # = [2]
"quoted key" = "a # b"
'literal.key' = \'it\'
dotted.key.here = 2026-11-22 07:30:00

[table]
text = """
first = 1
[no.table]
"""
long = \'\'\'
x = "]"\'\'\'
after = [
  1,  # one
  [2, "three, ]"],
  { a = "}", b = [ { c = 4 } ] },
]

[table . "in side".it]
x = { y.z = 1, "w\\u0041" = -0.5e3 }

[[list]]
name = "first"
[list.sub]
a = true
[[list.items]]
b = 1
[[list.items]]
b = 2

[[list]]
name = """a\\"""b""""
end = \'\'\'\'quoted\'\'\'\'
'''
LINES: dict[KeyPath, int] = {
    ("top",): 2,
    ("quoted key",): 3,
    ("literal.key",): 4,
    ("dotted",): 5,
    ("dotted", "key"): 5,
    ("dotted", "key", "here"): 5,
    ("table",): 7,
    ("table", "text"): 8,
    ("table", "long"): 12,
    ("table", "after"): 14,
    ("table", "after", 0): 15,
    ("table", "after", 1): 16,
    ("table", "after", 1, 0): 16,
    ("table", "after", 1, 1): 16,
    ("table", "after", 2): 17,
    ("table", "after", 2, "a"): 17,
    ("table", "after", 2, "b"): 17,
    ("table", "after", 2, "b", 0): 17,
    ("table", "after", 2, "b", 0, "c"): 17,
    ("table", "in side"): 20,
    ("table", "in side", "it"): 20,
    ("table", "in side", "it", "x"): 21,
    ("table", "in side", "it", "x", "y"): 21,
    ("table", "in side", "it", "x", "y", "z"): 21,
    ("table", "in side", "it", "x", "wA"): 21,
    ("list",): 23,
    ("list", 0): 23,
    ("list", 0, "name"): 24,
    ("list", 0, "sub"): 25,
    ("list", 0, "sub", "a"): 26,
    ("list", 0, "items"): 27,
    ("list", 0, "items", 0): 27,
    ("list", 0, "items", 0, "b"): 28,
    ("list", 0, "items", 1): 29,
    ("list", 0, "items", 1, "b"): 30,
    ("list", 1): 32,
    ("list", 1, "name"): 33,
    ("list", 1, "end"): 34,
}


def paths_of(data: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    """Yield the path of everything in a document."""
    if path:
        yield path
    if isinstance(data, Mapping):
        for key, value in data.items():
            yield from paths_of(value, (*path, key))
    elif isinstance(data, list):
        for place, value in enumerate(data):
            yield from paths_of(value, (*path, place))


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_lines_of_all_that_a_document_holds(newline: str) -> None:
    text = TOML.replace("\n", newline)
    data = tomllib.loads(text)
    assert lines_of(text) == LINES
    assert set(paths_of(data)) == set(LINES)


def test_what_is_no_toml_is_an_error() -> None:
    with pytest.raises(ValueError, match="not TOML"):
        lines_of("a = 1\n= 5")


KEYS = st.one_of(
    st.from_regex(r"[A-Za-z0-9_-]{1,6}", fullmatch=True),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=6),
)
VALUES = st.recursive(
    st.one_of(
        st.booleans(),
        st.integers(-(2**63), 2**63 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)
    ),
    max_leaves=6,
)


def written(value: Any) -> str:
    """Return a value in TOML; arrays over several lines, as people write them."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{"".join(_escaped(sign) for sign in escaped)}"'
    if isinstance(value, list):
        items = "".join(f"\n  {written(item)}, # [x" for item in value)
        return f"[{items}\n]"
    if isinstance(value, dict):
        pairs = ", ".join(f"{written(k)} = {written(v)}" for k, v in value.items())
        return f"{{ {pairs} }}"
    return repr(value)


def _escaped(sign: str) -> str:
    return f"\\u{ord(sign):04x}" if ord(sign) < 32 or ord(sign) == 127 else sign


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(KEYS, VALUES, max_size=4),
    st.dictionaries(
        KEYS,
        st.lists(st.dictionaries(KEYS, VALUES, max_size=2), max_size=2),
        max_size=2,
    ),
)
def test_lines_of_any_document(
    top: dict[str, Any], lists: dict[str, list[dict[str, Any]]]
) -> None:
    """Every path has a line, on which its key stands."""
    parts = [f"{written(key)} = {written(value)}" for key, value in top.items()]
    for key, tables in lists.items():
        if key in top:
            continue
        for table in tables:
            parts.append(f"[[{written(key)}]]")
            parts += [f"{written(k)} = {written(v)}" for k, v in table.items()]
    text = "\n".join(parts) + "\n"
    data = tomllib.loads(text)
    found = lines_of(text)
    assert set(found) == set(paths_of(data))
    lines = text.split("\n")
    for path, line in found.items():
        if isinstance(path[-1], str):
            assert written(path[-1]) in lines[line - 1]


def test_what_is_not_given_stands_where_it_belongs() -> None:
    lines = lines_of("a = 1\n[b]\nc = [1]\n")
    assert line_at(lines, ()) == 1
    assert line_at(lines, ("x",)) == 1
    assert line_at(lines, ("b", "x", 0)) == 2
    assert line_at(lines, ("b", "c", 7)) == 3

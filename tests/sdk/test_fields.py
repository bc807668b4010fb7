"""Reading values and JSON as firmware writes them."""

import json
import math
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.miningsdk.sdk import (
    InvalidReply,
)
from custom_components.miningsdk.sdk.fields import (
    Fields,
    boolean,
    mac_address,
    number,
    serial_number,
    text,
)
from custom_components.miningsdk.sdk.transports.json_reply import (
    decode_stream,
    lenient,
    strict,
)

# Values.


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, 5.0),
        (5.5, 5.5),
        ("245.0 V", 245.0),
        (" -3 ", -3.0),
        ("1e3", 1000.0),
        ("60 °C", 60.0),
        ("12%", 12.0),
        ("", None),
        ("N/A", None),
        ("-", None),
        ("nan", None),
        (math.nan, None),
        (math.inf, None),
        (None, None),
    ],
)
def test_numbers(value: object, expected: float | None) -> None:
    assert number(value) == expected


@pytest.mark.parametrize("value", [True, "fast", "1.2.3.4", "12:30", [], {}, "1,000"])
def test_what_is_no_number(value: object) -> None:
    with pytest.raises(ValueError, match="is not a number"):
        number(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True),
        (0, False),
        (1, True),
        ("Yes", True),
        (" off ", False),
        ("n/a", None),
        (None, None),
    ],
)
def test_truth(value: object, expected: bool | None) -> None:
    assert boolean(value) is expected


def test_what_is_not_true_nor_false() -> None:
    with pytest.raises(ValueError, match="neither yes nor no") as caught:
        boolean("x" * 500)
    assert len(str(caught.value)) < 80


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (" S19 \x00", "S19"),
        (19, "19"),
        ("unknown", None),
        ("", None),
        (True, None),
        ([], None),
    ],
)
def test_text(value: object, expected: str | None) -> None:
    assert text(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("HTM3X01", "HTM3X01"),
        ("0000000000", None),
        ("FFFF-FFFF", None),
        ("abc", None),
        (None, None),
    ],
)
def test_serial_numbers(value: object, expected: str | None) -> None:
    assert serial_number(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("02:AB:cd:00:00:01", "02:ab:cd:00:00:01"),
        ("02ABCD000001", "02:ab:cd:00:00:01"),
        ("02-ab-cd-00-00-01", "02:ab:cd:00:00:01"),
        ("00:00:00:00:00:00", None),
        ("ff:ff:ff:ff:ff:ff", None),
        ("02:ab", None),
        (None, None),
    ],
)
def test_mac_addresses(value: object, expected: str | None) -> None:
    assert mac_address(value) == expected


def test_fields_read_what_they_can() -> None:
    failed: dict[str, str] = {}
    fields = Fields(
        {
            "odd": "fast",
            "power": "3250.4567 W",
            "zero": 0,
            "count": "7.0",
            "on": "1",
            "maybe": "perhaps",
            "name": " S19 ",
            "first": [{"a": 1}, {"a": 2}],
            "all": [{"a": 1}, "no object", {"a": 3}],
        },
        failed,
    )
    assert fields
    assert fields.has("zero")
    assert not fields.has("nothing")
    assert fields.number("absent", "power", digits=1) == 3250.5
    assert fields.number("power", scale=0.001, digits=3) == 3.25
    assert fields.number("odd", "zero", field="hashrate") == 0
    assert fields.number("zero", missing=(0,)) is None
    assert fields.integer("count") == 7
    assert fields.boolean("absent", "on") is True
    assert fields.boolean("maybe", field="locating") is None
    assert fields.text("absent", "name") == "S19"
    assert fields.child("absent", "first").number("a") == 1
    assert [child.number("a") for child in fields.children("all")] == [1, 3]
    assert list(fields.children("name")) == []
    assert not fields.child("name")
    # A child notes its failures with its parent.
    assert failed == {
        "hashrate": "odd: 'fast' is not a number",
        "locating": "maybe: 'perhaps' is neither yes nor no",
    }


@pytest.mark.parametrize("data", [None, [], "text", 5])
def test_fields_of_what_is_no_object(data: object) -> None:
    fields = Fields(data)
    assert not fields
    assert fields.number("a") is None
    assert fields.failed == {}


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(anything)
@settings(max_examples=60, deadline=None)
def test_fields_never_raise(value: Any) -> None:
    fields = Fields({"key": value})
    found = fields.number("key")
    assert found is None or math.isfinite(found)
    fields.integer("key")
    fields.boolean("key")
    fields.text("key")
    list(fields.children("key"))
    assert fields.child("key").failed is fields.failed
    serial_number(value)
    mac_address(value)


# JSON as firmware writes it.


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b'{"a": 1}\x00\r\n', {"a": 1}),
        (b'{"a": "x\x01y"}', {"a": "x y"}),
        (
            rb"""{"a": "\'x\'", "b": "\\ \" \u00b0 \q"}""",
            {"a": "'x'", "b": '\\ " ° q'},
        ),
        (b'{"STATS":[{"a":1}{"b":2}]}', {"STATS": [{"a": 1}, {"b": 2}]}),
        (b'{"a": [1, 2,], "b": 3,}', {"a": [1, 2], "b": 3}),
        (b'{"a": [,1]}', {"a": [1]}),
        (
            b'{"a": nan, "b": -inf, "c": [Infinity]}',
            {"a": None, "b": None, "c": [None]},
        ),
        (b'{"a": ["b":"c"]}', {"a": [{"b": "c"}]}),
        (b'\xff{"a": 1}', None),
        (b"", None),
        (b"<html>", None),
        (b'{"a": 1', None),
    ],
)
def test_lenient_json(data: bytes, expected: object) -> None:
    if expected is None:
        with pytest.raises(InvalidReply, match="not JSON"):
            lenient(data)
    else:
        assert lenient(data) == expected


def test_strict_json() -> None:
    assert strict(b"[1]\x00") == [1]
    assert strict(b"[1,]") is None


def test_where_a_reply_ends() -> None:
    assert decode_stream(b'{"a": 1', False) is None
    assert decode_stream(b'{"a": {"b": 1}', False) is None
    assert decode_stream(b'{"a": {"b": 1}}', False) == {"a": {"b": 1}}
    assert decode_stream(b'{"a": 1,}\x00', False) == {"a": 1}
    assert decode_stream(b'{"a": 1,}', False) is None
    assert decode_stream(b'{"a": 1,}', True) == {"a": 1}
    with pytest.raises(InvalidReply, match="closed without a reply"):
        decode_stream(b"\x00", True)


@given(st.binary(max_size=200))
@settings(max_examples=60, deadline=None)
def test_any_bytes_are_json_or_invalid(data: bytes) -> None:
    try:
        json.dumps(lenient(data))
    except InvalidReply as error:
        assert str(error)

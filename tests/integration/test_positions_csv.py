"""Tables of positions: what is read, what would change, what is wrong and where."""

from codecs import BOM_UTF16_LE

import pytest

from custom_components.miningsdk.positions import NOWHERE, Position
from custom_components.miningsdk.positions_csv import Place, Plan, export, make_plan
from custom_components.miningsdk.positions_table import (
    LONGEST_CELL,
    MOST_CHARACTERS,
    MOST_LINES,
    BadEncodingError,
    Wrong,
    decode,
    read_table,
)


def place(number: int, **more: object) -> Place:
    """Return a miner that stands nowhere unless something else is said."""
    facts = {
        "entry_id": "one",
        "site": "Hall",
        "id": f"SN{number}",
        "host": f"10.3.2.{number}",
        "serial_number": f"SN{number}",
        "mac": f"02:00:00:00:00:0{number}",
        "model": "S21",
        "name": f"Miner {number}",
        **more,
    }
    return Place(**facts)  # type: ignore[arg-type]


def at(*parts: str | None) -> Position:
    """Return a position by container, rack, row and slot."""
    names = ("container", "rack", "row", "slot")
    return Position.of(dict(zip(names, parts, strict=False)))


def problems(plan: Plan) -> list[tuple[int, str | None, Wrong]]:
    """Return what is wrong with a table."""
    return [(one.line, one.column, one.key) for one in plan.problems]


def moves(plan: Plan) -> dict[str, Position]:
    """Return where a table puts miners."""
    return {change.place.id: change.position for change in plan.changes}


# Reading.


@pytest.mark.parametrize(
    "text",
    [
        "serial_number,rack,slot\nSN1,2,7\n",
        "serial_number;rack;slot\r\nSN1;2;7\r\n",
        "\ufeffSerial Number;Rack;Slot\r\nSN1;2;7\r\n",
        "sep=;\nSN;RACK;SLOT\nSN1;2;7",
        "SEP=,\nserial-number,rack,slot\nSN1,2,7",
        "serial\track\tslot\rSN1\t2\t7",
        '"serial_number","rack","slot"\n\n"SN1"," 2 ","7"\n,,\n',
    ],
)
def test_dialects(text: str) -> None:
    """As programs and people write it."""
    plan = make_plan(text, [place(1)])
    assert moves(plan) == {"SN1": at(None, "2", None, "7")}
    assert not plan.problems


def test_lines_are_those_of_the_file() -> None:
    """Blank lines, and cells of several lines, count."""
    text = 'serial,rack\n\nSN1,"a\nb"\nNO,2\n\n\nSN2,3\n'
    plan = make_plan(text, [place(1), place(2)])
    assert problems(plan) == [
        (3, "rack", Wrong.UNPRINTABLE),
        (5, "serial_number", Wrong.UNKNOWN_DEVICE),
    ]
    assert [change.line for change in plan.changes] == [8]


def test_encodings() -> None:
    """Of files; the mark at the beginning is no part of the text."""
    text = "serial;rack\r\nSN1;Süd"
    for data in (
        text.encode(),
        text.encode("utf-8-sig"),
        BOM_UTF16_LE + text.encode("utf-16-le"),
    ):
        assert decode(data) == text
    with pytest.raises(BadEncodingError) as error:
        decode(text.encode("cp1252"))
    assert error.value.line == 2
    with pytest.raises(BadEncodingError):
        decode(BOM_UTF16_LE + b"a\x00\x00")


@pytest.mark.parametrize(
    ("text", "line", "column", "key"),
    [
        ("", 1, None, Wrong.EMPTY),
        (" \n;;\n", 1, None, Wrong.EMPTY),
        ("rack,slot\n1,2", 1, None, Wrong.WITHOUT_IDENTIFIER),
        ("serial,owner\nSN1,me", 1, None, Wrong.WITHOUT_POSITION),
        ("\nserial,rack,Rack\nSN1,1,2", 2, "rack", Wrong.COLUMN_TWICE),
        ("serial,sn,rack\nSN1,SN1,2", 1, "serial_number", Wrong.COLUMN_TWICE),
        ("serial,rack\nSN1," + "x" * 200_000, 1, None, Wrong.BROKEN),
        ("serial,rack\n" + " " * MOST_CHARACTERS, 1, None, Wrong.TOO_LARGE),
    ],
)
def test_useless_tables(text: str, line: int, column: str | None, key: Wrong) -> None:
    """Nothing is taken out of them."""
    plan = make_plan(text, [place(1)])
    assert problems(plan) == [(line, column, key)]
    assert not plan.changes
    assert plan.unchanged == plan.unknown == 0


def test_too_many_lines() -> None:
    """What comes after that is left out."""
    table = read_table("sn,rack\n" + "SN1,1\n" * (MOST_LINES + 2))
    assert len(table.rows) == MOST_LINES
    assert [(p.line, p.key) for p in table.problems] == [
        (MOST_LINES + 2, Wrong.TOO_LARGE)
    ]


def test_cells_that_cannot_be_used() -> None:
    """Each says its line and its column; the other lines stand."""
    text = (
        "serial,rack,slot,owner\n"
        "SN1,1,2,me,more\n"
        f"SN2,{'x' * (LONGEST_CELL + 1)},2,me\n"
        "SN3,a\x07,S\ufffdd,me\n"
        "SN4,1\n"
        "SN5,1,5,me,,\n"
    )
    plan = make_plan(text, [place(n) for n in range(1, 6)])
    assert problems(plan) == [
        (2, None, Wrong.TOO_MANY_CELLS),
        (3, "rack", Wrong.TOO_LONG),
        (4, "rack", Wrong.UNPRINTABLE),
        (4, "slot", Wrong.BAD_ENCODING),
    ]
    assert moves(plan) == {"SN4": at(None, "1"), "SN5": at(None, "1", None, "5")}
    assert plan.ignored == ("owner",)


# Which miner a line means.


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("id", "sn1"),
        ("serial_number", " sn1 "),
        ("mac", "0200.0000.0001"),
        ("mac", "02-00-00-00-00-01"),
        ("MAC address", "020000000001"),
        ("IP", "10.3.2.1"),
    ],
)
def test_any_column_that_tells_the_miner(column: str, value: str) -> None:
    """However it is written."""
    plan = make_plan(f"{column},slot\n{value},9", [place(1), place(2)])
    assert moves(plan) == {"SN1": at(None, None, None, "9")}


def test_identity_counts_more_than_the_address() -> None:
    """It may have changed since the table was made; but not who a miner is."""
    places = [place(1), place(2), place(3, serial_number=None, mac=None, id="x")]
    text = (
        "serial,mac,host,rack\n"
        "SN1,,10.3.2.2,1\n"  # Moved: that address is another one's now.
        "SN9,,10.3.2.2,1\n"  # Another machine is there now.
        "SN8,,10.3.2.3,1\n"  # It does not tell who it is.
        "SN1,02:00:00:00:00:02,,1\n"
        ",,,1\n"
    )
    plan = make_plan(text, places)
    assert moves(plan) == {"x": at(None, "1")} | {"SN1": at(None, "1")}
    assert problems(plan) == [
        (3, "serial_number", Wrong.UNKNOWN_DEVICE),
        (5, "serial_number", Wrong.AMBIGUOUS_DEVICE),
        (6, None, Wrong.WITHOUT_DEVICE),
    ]
    assert plan.problems[0].told == {"value": "SN9"}
    assert plan.problems[1].told == {"names": "Miner 1, Miner 2"}
    assert plan.unknown == 1


def test_addresses_with_ports() -> None:
    """Two behind one address are told apart by their ports only."""
    places = [
        place(1, host="10.0.0.9:4028"),
        place(2, host="10.0.0.9:4029"),
        place(3, host="10.0.0.8:81"),
        place(4, host="[fe80::1]:81"),
    ]
    text = "host,slot\n10.0.0.9:4029,2\n10.0.0.9,1\n10.0.0.8,3\n[fe80::1]:81,4\n"
    plan = make_plan(text, places)
    assert {key: one.slot for key, one in moves(plan).items()} == {
        "SN2": "2",
        "SN3": "3",
        "SN4": "4",
    }
    assert problems(plan) == [(3, "host", Wrong.AMBIGUOUS_DEVICE)]


def test_one_miner_in_several_lines() -> None:
    """None of them is more right than the others."""
    plan = make_plan(
        "serial,host,rack\nSN1,,1\nSN2,,1\n,10.3.2.1,2\nSN1,,3\n", [place(1), place(2)]
    )
    assert [(p.line, p.key, p.told["line"]) for p in plan.problems] == [
        (2, Wrong.DEVICE_TWICE, "4"),
        (4, Wrong.DEVICE_TWICE, "2"),
        (5, Wrong.DEVICE_TWICE, "2"),
    ]
    assert list(moves(plan)) == ["SN2"]


# Where it puts them.


def test_columns_that_are_missing_change_nothing() -> None:
    """A cell that is there and empty does."""
    given = place(1, given=at("3", "2", None, "7"))
    ruled = place(2, ruled=at("4", "1"))
    text = "serial,rack,slot\nSN1,,8\nSN2,,9\n"
    assert moves(make_plan(text, [given, ruled])) == {
        "SN1": at("3", None, None, "8"),
        "SN2": at("4", None, None, "9"),
    }


def test_a_line_without_any_part_leaves_it_to_the_rule() -> None:
    """What a person said is taken back."""
    given = place(1, given=at("3", "2", None, "7"), ruled=at("1"))
    ruled = place(2, ruled=at("4", "1"))
    plan = make_plan(
        "serial,container,rack,row,slot\nSN1,,,,\nSN2,,,,\n", [given, ruled]
    )
    assert moves(plan) == {"SN1": at("1")}
    assert plan.changes[0].given is None
    assert plan.unchanged == 1


def test_what_the_rule_says_anyway_stays_with_the_rule() -> None:
    """It follows the address then, also later."""
    places = [
        place(1, ruled=at("4", "1")),
        place(2, given=at("9"), ruled=at("4", "2")),
        place(3, given=at("4", "3"), ruled=at("4", "3")),
    ]
    text = "serial,container,rack\nSN1,4,1\nSN2,4,2\nSN3,4,3\n"
    plan = make_plan(text, places)
    assert [(change.place.id, change.given) for change in plan.changes] == [
        ("SN2", None)
    ]
    assert plan.unchanged == 2


def test_slots_are_for_one_miner_only() -> None:
    """Of the table, or one that the table says nothing of; racks hold many."""
    places = [
        *(place(n) for n in (1, 2, 3, 4)),
        place(5, ruled=at("1", "1", None, "5")),
        place(6, entry_id="other", given=at("1", "1", None, "4")),
    ]
    text = "serial,container,rack,slot\nSN1,1,1,1\nSN2,1,1,1\nSN3,1,1,5\nSN4,1,1,4\n"
    plan = make_plan(text, places)
    assert [(p.line, p.column, p.key, p.told) for p in plan.problems] == [
        (2, "slot", Wrong.SLOT_TWICE, {"line": "3"}),
        (3, "slot", Wrong.SLOT_TWICE, {"line": "2"}),
        (4, "slot", Wrong.SLOT_TAKEN, {"other": "Miner 5"}),
    ]
    assert moves(plan) == {"SN4": at("1", "1", None, "4")}
    racks = make_plan("serial,rack\nSN1,1\nSN2,1\n", places)
    assert len(racks.changes) == 2


def test_miners_change_places() -> None:
    """All in a ring, unless one of the lines is wrong: then none of it can be."""
    slots = [at(None, None, None, str(n)) for n in range(4)]
    places = [place(n, given=slots[n]) for n in (1, 2, 3)]
    plan = make_plan("serial,slot\nSN1,2\nSN2,3\nSN3,1\n", places)
    assert moves(plan) == {"SN1": slots[2], "SN2": slots[3], "SN3": slots[1]}
    plan = make_plan("serial,slot\nSN1,2\nSN2,3\nSN3,\x07\n", places)
    assert not plan.changes
    assert problems(plan) == [
        (2, "slot", Wrong.SLOT_TAKEN),
        (3, "slot", Wrong.SLOT_TAKEN),
        (4, "slot", Wrong.UNPRINTABLE),
    ]
    assert plan.unchanged == 0


def test_what_clashed_before_may_stay() -> None:
    """Two ports of one address have one position by the rule."""
    places = [place(n, ruled=at("1", None, None, "1")) for n in (1, 2)]
    plan = make_plan(export(places), places)
    assert not plan.problems
    assert plan.unchanged == 2


def test_names() -> None:
    """Nothing is named that is no device of Home Assistant."""
    places = [place(1), place(2), place(3, name=None)]
    plan = make_plan("serial,name\nSN1,Front left\nSN2,Miner 2\nSN3,x\n", places)
    assert [(c.place.id, c.name, c.moves) for c in plan.changes] == [
        ("SN1", "Front left", False)
    ]
    assert problems(plan) == [(4, "name", Wrong.NOT_SHOWN)]
    assert plan.unchanged == 1


# There and back.


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_an_export_changes_nothing(delimiter: str) -> None:
    """Whatever things are called."""
    places = [
        place(1, given=at("Halle, Süd", "2; 3", "-1", "7")),
        place(2, ruled=at("3", "2", None, "2")),
        place(3, name='"+1" rig', serial_number=None, mac=None, model=None),
        place(4, name="=cmd|' /C calc'!A0", given=at("@x", "+y", "-2z", "'=q")),
        place(5, name=None),
    ]
    text = export(places, delimiter)
    plan = make_plan(text, places)
    assert not plan.problems
    assert not plan.changes
    assert plan.unchanged == 5
    assert not plan.ignored
    # No cell runs in a spreadsheet.
    assert all(
        cell[:1] not in tuple("=+@")
        for line in text.splitlines()
        for cell in line.split(delimiter)
    )


def test_rows_say_where_a_position_is_from() -> None:
    sources = [
        place(1, given=at("1"), ruled=at("2")),
        place(2, ruled=at("2")),
        place(3, given=NOWHERE),
    ]
    assert [one.source for one in sources] == ["given", "rule", ""]
    assert [one.as_row()["container"] for one in sources] == ["1", "2", ""]

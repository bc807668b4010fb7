"""The tables ``registers`` and ``identity`` of a driver's file, for a Modbus meter."""

from typing import cast

from ._described_check import Table, listed
from .drivers._modbus_table import WORDS, Kind, MeterMap, Register
from .drivers.modbus_meter import InvalidTable, parse_table
from .transports.modbus import MAXIMUM_REGISTERS, Space

_IDENTITY = ("model", "firmware_version", "serial_number")
_SPACES = ("holding", "input")
_TEXT = "ascii"
_LAST_ADDRESS = 0xFFFF
_LONGEST_TEXT = 64


def read_map(top: Table) -> MeterMap:
    """Return the registers that a file describes, and complain about what is odd."""
    top.need("registers")
    rows = [row for table in top.tables("registers") for row in _register(table)]
    identity = [row for table in top.tables("identity") for row in _fact(table)]
    block = top.whole("maximum_block", 4, MAXIMUM_REGISTERS)
    gap = top.whole("maximum_gap", 0, MAXIMUM_REGISTERS)
    if top.raw("registers") == []:
        top.wrong("registers", "there is nothing to read")
    return MeterMap(
        registers=tuple(rows),
        identity=tuple(identity),
        maximum_block=MAXIMUM_REGISTERS if block is None else block,
        maximum_gap=gap or 0,
    )


def _register(table: Table) -> tuple[Register, ...]:
    try:
        return parse_table([{key: table.raw(key) for key in table}])
    except InvalidTable as error:
        table.wrong(error.key, error.why)
        return ()


def _fact(table: Table) -> tuple[Register, ...]:
    """Return a register that tells who the meter is."""
    table.need("field", "address", "type")
    field = table.choice("field", _IDENTITY)
    address = table.whole("address", 0, _LAST_ADDRESS)
    kind = table.choice("type", (*WORDS, _TEXT))
    space = table.choice("space", _SPACES)
    words = table.whole("words", 1, _LONGEST_TEXT)
    if kind == _TEXT and not table.has("words"):
        table.need("words")
    elif kind != _TEXT and words is not None:
        table.wrong("words", f"only {_TEXT} has a length; the others are {_others()}")
    table.finish()
    if field is None or address is None or kind is None:
        return ()
    return (
        Register(
            address=address,
            field=field,
            kind=cast(Kind, kind),
            space=cast(Space, space or _SPACES[0]),
            words=words or 0,
        ),
    )


def _others() -> str:
    return listed(f"{kind} {count}" for kind, count in WORDS.items())

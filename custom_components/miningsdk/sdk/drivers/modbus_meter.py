"""A Modbus meter whose registers the user knows: its table is an option."""

from collections.abc import Iterable, Mapping
import math
from typing import Any, cast, override

from ..errors import MiningSDKError, NotSupported
from ..model import DeviceInfo
from ..transports.modbus import MAXIMUM_REGISTERS, Space
from ._modbus_table import (
    FIELDS,
    PHASED,
    PHASES,
    WORDS,
    Kind,
    MeterMap,
    Register,
    WordOrder,
)
from ._table_meter import TableMeter

_SPACES = ("holding", "input")
_ORDERS = ("big", "little")
_KEYS = frozenset(
    {
        "address",
        "field",
        "phase",
        "space",
        "type",
        "word_order",
        "scale",
        "offset",
        "missing",
    }
)
_ADDRESSES = 0x10000


class InvalidTable(MiningSDKError, ValueError):  # noqa: N818
    """A table of registers has a mistake; the text names the row and the key."""

    def __init__(self, message: str, key: str | None = None, why: str = "") -> None:
        """Keep the key and what is wrong with it, for those who say where it is."""
        super().__init__(message)
        self.key = key
        self.why = why or message


def parse_table(rows: object) -> tuple[Register, ...]:
    """Return the registers that plain data describes, such as it comes from JSON.

    Each row is an object with ``field`` (one of ``MeterStats``), ``address`` (on the
    wire, from zero) and ``type`` (u16, s16, u32, s32, u64, s64, f32, f64, acc32), and
    may have ``phase`` (1 to 3), ``space`` (holding or input), ``word_order`` (big or
    little), ``scale`` and ``offset`` into the units of the vocabulary, and ``missing``
    (raw numbers that say "not available"). Rows of one field and phase add up.

    Raises:
        InvalidTable: the row and the key that are wrong, and why.
    """
    if not isinstance(rows, Iterable) or isinstance(rows, str | bytes | Mapping):
        raise InvalidTable("a table is a list of rows")
    return tuple(_Row(number, row).register() for number, row in enumerate(rows, 1))


class _Row:
    """One row, which knows its number for the complaints."""

    def __init__(self, number: int, row: object) -> None:
        self._number = number
        if not isinstance(row, Mapping):
            raise InvalidTable(f"row {number} is not an object with keys and values")
        self._row: Mapping[str, Any] = row
        for key in row:
            if key not in _KEYS:
                raise self._wrong(key, f"there is no such key; use {_listed(_KEYS)}")

    def register(self) -> Register:
        """Return the row as a register."""
        field = self._choice("field", FIELDS)
        kind = cast(Kind, self._choice("type", WORDS))
        return Register(
            address=self._whole("address", 0, _ADDRESSES - WORDS[kind]),
            field=field,
            kind=kind,
            phase=self._phase(field),
            space=cast(Space, self._choice("space", _SPACES, "holding")),
            word_order=cast(WordOrder, self._choice("word_order", _ORDERS, "big")),
            scale=self._number_of("scale", 1.0),
            offset=self._number_of("offset", 0.0),
            missing=self._missing(),
        )

    def _wrong(self, key: str, why: str) -> InvalidTable:
        return InvalidTable(f"row {self._number}, {key}: {why}", key, why)

    def _choice(
        self, key: str, allowed: Iterable[str], default: str | None = None
    ) -> str:
        value = self._row.get(key, default)
        if value is None:
            raise self._wrong(key, "it is not given")
        if not isinstance(value, str) or value not in allowed:
            raise self._wrong(key, f"{value!r} is not one of {_listed(allowed)}")
        return value

    def _whole(self, key: str, low: int, high: int) -> int:
        value = self._row.get(key)
        if value is None:
            raise self._wrong(key, "it is not given")
        if isinstance(value, bool) or not isinstance(value, int):
            raise self._wrong(key, f"{value!r} is not a whole number")
        if not low <= value <= high:
            raise self._wrong(key, f"{value} is not between {low} and {high}")
        return value

    def _phase(self, field: str) -> int | None:
        if field not in PHASED:
            if "phase" in self._row:
                raise self._wrong("phase", f"{field} has no phases")
            return None
        return self._whole("phase", 1, PHASES) - 1

    def _number_of(self, key: str, default: float) -> float:
        value = self._row.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._wrong(key, f"{value!r} is not a number")
        if not math.isfinite(value) or (key == "scale" and not value):
            raise self._wrong(key, f"{value!r} makes no sense")
        return float(value)

    def _missing(self) -> tuple[int, ...] | None:
        value = self._row.get("missing")
        if value is None:
            return None
        numbers = value if isinstance(value, list | tuple) else [value]
        for number in numbers:
            if isinstance(number, bool) or not isinstance(number, int):
                raise self._wrong("missing", f"{number!r} is not a whole number")
        return tuple(numbers)


def _listed(allowed: Iterable[str]) -> str:
    return ", ".join(sorted(allowed))


class ModbusMeter(TableMeter):
    """A meter of any make, read by a ``table`` that ``parse_table`` understands.

    ``maximum_block`` and ``maximum_gap`` bound the requests: registers in one, and
    unused registers that may be read along between two values.
    """

    name = "modbus-meter"
    models = "any Modbus meter whose registers are known"
    transport = "Modbus TCP 502, functions 3 and 4"
    extra_options = ("table",)

    def __init__(
        self,
        host: str,
        *,
        table: object = (),
        maximum_block: int = MAXIMUM_REGISTERS,
        maximum_gap: int = 0,
        **options: Any,
    ) -> None:
        """Describe a meter without talking to it; ``options`` as of TableMeter.

        Raises:
            InvalidTable: the table has a mistake.
        """
        super().__init__(host, **options)
        if not 4 <= maximum_block <= MAXIMUM_REGISTERS:
            raise InvalidTable(
                f"maximum_block: {maximum_block} is not between 4 and 125"
            )
        self._use(
            MeterMap(
                registers=parse_table(table),
                maximum_block=maximum_block,
                maximum_gap=max(maximum_gap, 0),
            )
        )

    @override
    async def _fetch_info(self) -> DeviceInfo:
        if not self._map.registers:
            raise NotSupported(f"{self.name} needs a table of registers")
        return await super()._fetch_info()


DRIVERS = (ModbusMeter,)

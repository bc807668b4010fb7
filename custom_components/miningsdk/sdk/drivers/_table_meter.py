"""A Modbus meter that is nothing but its table."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, override

from ..device import describe
from ..errors import InvalidReply
from ..fields import serial_number
from ..meter import Meter
from ..model import DeviceInfo, MeterStats
from ..transports.modbus import UnitProvider
from ._modbus_device import BlockReader, ModbusDevice
from ._modbus_table import (
    PHASED,
    MeterMap,
    Register,
    decode,
    decode_raw,
    decode_text,
    rounded,
)

type Words = Mapping[Register, Sequence[int]]


class TableMeter(ModbusDevice[MeterStats], Meter):
    """A meter whose registers are in ``table``.

    Where the table has rows of identity, these are read once an hour.
    """

    table: ClassVar[MeterMap] = MeterMap()
    # The model, where a driver is for one only and the meter does not tell it.
    own_model: ClassVar[str | None] = None

    def __init__(
        self,
        host: str,
        *,
        unit: int = 1,
        units: UnitProvider | None = None,
        invert: bool = False,
        model: str | None = None,
        **options: Any,
    ) -> None:
        """Describe a meter without talking to it; ``options`` as of Device."""
        super().__init__(
            host,
            unit=unit,
            units=units,
            invert=invert,
            model=model or self.own_model,
            **options,
        )
        self._use(self.table)

    def _use(self, table: MeterMap) -> None:
        """Read by this table from now on."""
        self._map = table
        self._reader = _reader(table.registers, table)
        self._identity = _reader(table.identity, table)

    @override
    async def _fetch_info(self) -> DeviceInfo:
        self._reader.reset()
        try:
            facts = await self._facts()
        except InvalidReply:
            # An older one may have no identity, but is read all the same.
            await self._prove()
            facts = {}
        self._check(facts)
        return describe(self.info, **facts)

    async def _facts(self) -> Mapping[str, str | None]:
        """Ask who the meter is; the names are those of ``DeviceInfo``."""
        if not self._map.identity:
            await self._prove()
            return {}
        self._identity.reset()
        return identity_of(await self._identity.read(self.unit, {}))

    def _check(self, facts: Mapping[str, str | None]) -> None:
        """Refuse a meter of another make by what it says of itself."""

    async def _prove(self) -> None:
        """Read as little as shows that there is such a unit at all."""
        first = next(iter(self._reader.blocks), None)
        if first is not None:
            row = first.rows[0]
            await self.unit.read(row.space, row.address, row.count)

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> MeterStats:
        return stats_of(await self._reader.read(self.unit, failed), self._map, failed)


def _reader(rows: Sequence[Register], table: MeterMap) -> BlockReader:
    return BlockReader(rows, table.maximum_block, table.maximum_gap)


def identity_of(words: Words) -> dict[str, str | None]:
    """Return what rows of identity say, by the field of ``DeviceInfo``."""
    facts: dict[str, str | None] = {}
    for row, raw in words.items():
        if row.kind == "ascii":
            text = decode_text(raw)
        else:
            text = str(decode_raw(row.kind, raw, row.word_order))
        if row.field == "serial_number":
            text = serial_number(text) or ""
        if text:
            facts[row.field] = text
    return facts


def stats_of(words: Words, table: MeterMap, failed: dict[str, str]) -> MeterStats:
    """Return the reading that registers hold; what makes no sense is in ``failed``."""
    totals: dict[tuple[str, int | None], float | None] = {}
    for row in table.registers:
        raw = words.get(row)
        value = None if raw is None else _decoded(row, raw, failed)
        key = row.field, row.phase
        totals[key] = _plus(totals[key], value) if key in totals else value
    return MeterStats(**_fields(totals), failed=failed)


def _plus(part: float | None, other: float | None) -> float | None:
    # Parts of which one is unknown make no total.
    return None if part is None or other is None else part + other


def _decoded(row: Register, raw: Sequence[int], failed: dict[str, str]) -> float | None:
    try:
        return decode(row, raw)
    except ValueError as error:
        failed.setdefault(row.field, f"register {row.address}: {error}")
        return None


def _fields(totals: Mapping[tuple[str, int | None], float | None]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    phased: dict[str, dict[int, float | None]] = {}
    for (field, phase), value in totals.items():
        known = None if value is None else rounded(field, value)
        if field in PHASED:
            phased.setdefault(field, {})[phase or 0] = known
        else:
            changes[field] = known
    for field, values in phased.items():
        if any(value is not None for value in values.values()):
            size = max(values) + 1
            changes[field] = tuple(values.get(phase) for phase in range(size))
    return changes

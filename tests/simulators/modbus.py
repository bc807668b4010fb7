"""A Modbus TCP server with a map of registers for each unit, and meters on it."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
import math
import struct
from typing import Any, ClassVar, override

from custom_components.miningsdk.sdk.drivers._modbus_table import MeterMap, Register
from custom_components.miningsdk.sdk.drivers._table_meter import TableMeter
from custom_components.miningsdk.sdk.registry import find
from tests.simulators.base import SimulatedDevice, Trouble

PORT = 502
_READS = {3: "holding", 4: "input"}
_MOST = 125


class Exception_(Exception):  # noqa: N801, N818
    """What a unit answers instead: a Modbus exception code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(slots=True, eq=False)
class UnitMap:
    """The registers of one unit, and what it does not take.

    ``exception`` answers everything; ``most`` registers fit into one request;
    ``whole`` are values (address -> registers) within which no request may begin or
    end; ``single`` are registers that hold something else when read alone;
    ``on_write`` gets address and values and may raise ``Exception_``.
    """

    holding: dict[int, int] = field(default_factory=dict)
    input: dict[int, int] = field(default_factory=dict)
    identification: dict[int, bytes] | None = None
    exception: int | None = None
    most: int = _MOST
    whole: dict[int, int] = field(default_factory=dict)
    single: dict[int, int] = field(default_factory=dict)
    on_write: Callable[[int, list[int]], None] | None = None
    before_read: Callable[[], None] | None = None

    def put(self, address: int, words: Iterable[int], space: str = "holding") -> None:
        """Set registers from an address on."""
        registers = self.holding if space == "holding" else self.input
        for at, word in enumerate(words, address):
            registers[at] = word & 0xFFFF

    def put_text(self, address: int, text: str, words: int) -> None:
        """Set registers to a text, padded with NUL."""
        raw = text.encode().ljust(2 * words, b"\x00")
        self.put(address, struct.unpack(f">{words}H", raw))

    def read(self, space: str, address: int, count: int) -> list[int]:
        """Return registers as a request for them does."""
        if count == 1 and address in self.single:
            return [self.single[address]]
        if not 1 <= count <= self.most:
            raise Exception_(3)
        end = address + count
        for at, size in self.whole.items():
            if at < address < at + size or at < end < at + size:
                raise Exception_(2)
        registers = self.holding if space == "holding" else self.input
        try:
            return [registers[at] for at in range(address, end)]
        except KeyError:
            raise Exception_(2) from None


class SimulatedModbus(SimulatedDevice):
    """A server, or a gateway with several units behind it.

    ``absent`` is the code for a unit that is not there; ``None``: it keeps silent.
    ``stands_in`` answers for every unit id there is not, as careless gateways do.
    ``says_unit`` and ``says_transaction`` put other numbers into the header of every
    answer; ``busy`` is how many times it answers "busy" first; ``chunk`` sends answers
    in pieces of so many bytes; ``log`` holds (unit, function, address, count).
    """

    ports: ClassVar[tuple[int, ...]] = (PORT,)

    def __init__(self, host: str = "127.0.0.1", *, offset: int = 0) -> None:
        super().__init__(host, offset=offset)
        self.units: dict[int, UnitMap] = {}
        self.absent: int | None = 11
        self.stands_in: int | None = None
        self.says_unit: int | None = None
        self.says_transaction: int | None = None
        self.busy = 0
        self.chunk = 0
        self.accepted = 0
        self.log: list[tuple[int, int, int, int]] = []

    @override
    async def start(self) -> None:
        await self.listen(PORT, self._serve)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.accepted += 1
        while True:
            header = await reader.readexactly(7)
            transaction, protocol, length, unit = struct.unpack(">HHHB", header)
            if protocol or not 2 <= length <= 254:
                return
            request = await reader.readexactly(length - 1)
            reply = self._handle(unit, request)
            if reply is None:
                continue
            if self.says_transaction is not None:
                transaction = self.says_transaction
            shown = unit if self.says_unit is None else self.says_unit
            header = struct.pack(">HHHB", transaction, 0, len(reply) + 1, shown)
            await self._send(writer, header + reply)
            if self.trouble in (Trouble.CLOSED, Trouble.RESET):
                return

    async def _send(self, writer: asyncio.StreamWriter, frame: bytes) -> None:
        if not self.chunk:
            await self.answer(writer, frame)
            return
        self.requests += 1
        for at in range(0, len(frame), self.chunk):
            writer.write(frame[at : at + self.chunk])
            await writer.drain()
            await asyncio.sleep(0)

    def _handle(self, unit: int, request: bytes) -> bytes | None:
        function = request[0]
        place = struct.unpack(">HH", request[1:5]) if len(request) >= 5 else (0, 0)
        self.log.append((unit, function, *place))
        try:
            return bytes((function,)) + self._do(unit, function, request[1:])
        except Exception_ as refusal:
            return bytes((function | 0x80, refusal.code))
        except Silence:
            self.requests += 1
            return None

    def _do(self, unit: int, function: int, data: bytes) -> bytes:
        found = self.units.get(unit)
        if found is None and self.stands_in is not None:
            found = self.units[self.stands_in]
        if found is None:
            if self.absent is None:
                raise Silence
            raise Exception_(self.absent)
        if self.busy:
            self.busy -= 1
            raise Exception_(6)
        if found.exception is not None:
            raise Exception_(found.exception)
        return self._ask(found, function, data)

    def _ask(self, unit: UnitMap, function: int, data: bytes) -> bytes:
        if function in _READS:
            address, count = struct.unpack(">HH", data)
            if unit.before_read is not None:
                unit.before_read()
            words = unit.read(_READS[function], address, count)
            return struct.pack(f">B{len(words)}H", 2 * len(words), *words)
        if function in (6, 16) and unit.on_write is not None:
            address, second = struct.unpack(">HH", data[:4])
            values = [second]
            if function == 16:
                values = list(struct.unpack(f">{second}H", data[5:]))
            unit.on_write(address, values)
            return data[:4]
        if function == 0x2B and data[:1] == b"\x0e" and unit.identification:
            return _identification(unit.identification, data)
        raise Exception_(1)

    def reads(self, unit: int | None = None) -> list[tuple[int, int, int]]:
        """Return function, address and count of what was read so far."""
        return [
            (function, address, count)
            for asked, function, address, count in self.log
            if function in _READS and unit in (None, asked)
        ]


class Silence(Exception):  # noqa: N818
    """A unit does not answer at all."""


def _identification(objects: Mapping[int, bytes], data: bytes) -> bytes:
    level = data[1]
    last = {1: 2, 2: 6, 3: 255}.get(level)
    if last is None:
        raise Exception_(3)
    found = {key: value for key, value in objects.items() if data[2] <= key <= last}
    body = b"".join(
        bytes((key, len(value))) + value for key, value in sorted(found.items())
    )
    return bytes((0x0E, level, 0x81, 0, 0, len(found))) + body


# The reading of an ordinary meter, in the vocabulary's fields.
VALUES: dict[str, Any] = {
    "power": 10350.0,
    "power_phase": (3410.0, 3460.0, 3480.0),
    "voltage_phase": (230.1, 231.2, 229.9),
    "current_phase": (15.01, 15.12, 15.3),
    "power_reactive": 812.0,
    "power_apparent": 10382.0,
    "power_factor": 0.997,
    "frequency": 50.0,
    "energy_import": 12345.0,
    "energy_export": 67.0,
}
_FORMS = {"f32": ">f", "f64": ">d"}


def encode(row: Register, raw: float) -> list[int]:
    """Return the registers of a raw number: the inverse of the driver's decoder."""
    if row.kind in _FORMS:
        data = struct.pack(_FORMS[row.kind], raw)
    else:
        bits = 16 * row.count
        data = (round(raw) % (1 << bits)).to_bytes(2 * row.count, "big")
    words = list(struct.unpack(f">{row.count}H", data))
    return words if row.word_order == "big" else words[::-1]


def lay_out(unit: UnitMap, table: MeterMap, values: Mapping[str, Any]) -> None:
    """Set the registers of a table so that they hold the values.

    Rows that add up share their value: whole ones of the larger scale first, or three
    quarters and one quarter where the scale is the same.
    """
    rows: dict[tuple[str, int | None], list[Register]] = {}
    for row in table.registers:
        rows.setdefault((row.field, row.phase), []).append(row)
    for (name, phase), parts in rows.items():
        value = values[name] if phase is None else values[name][phase]
        for row, part in _shares(parts, value):
            unit.put(row.address, encode(row, part), row.space)


def _shares(parts: list[Register], value: float) -> list[tuple[Register, float]]:
    if len(parts) == 1:
        return [(parts[0], (value - parts[0].offset) / parts[0].scale)]
    low, high = sorted(parts, key=lambda row: row.scale)
    if low.scale == high.scale:
        return [(low, 0.75 * value / low.scale), (high, 0.25 * value / high.scale)]
    whole = math.floor(value / high.scale)
    return [(high, whole), (low, (value - whole * high.scale) / low.scale)]


def fill_gaps(unit: UnitMap, table: MeterMap) -> None:
    """Let registers between the values read as zero, as most meters do."""
    for space, registers in (("holding", unit.holding), ("input", unit.input)):
        used = sorted(row.address for row in table.registers if row.space == space)
        for before, after in pairwise(used):
            if after - before <= table.maximum_gap + 4:
                for at in range(before, after):
                    registers.setdefault(at, 0)


class SimulatedMeter(SimulatedModbus):
    """A meter as its driver's table says, with an identity as its make has it.

    Its load wanders a little and its energy grows, unless ``alive`` is off.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        offset: int = 0,
        driver: str = "eastron-sdm630",
        unit: int = 1,
        serial: int = 12_345_678,
        values: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
        alive: bool = True,
    ) -> None:
        super().__init__(host, offset=offset)
        kind, _ = find(driver)
        assert issubclass(kind, TableMeter)
        self.table = kind("127.0.0.1", **(options or {}))._map
        self.values: dict[str, Any] = {**VALUES, **(values or {})}
        self.map = UnitMap()
        self.units[unit] = self.map
        self._alive = alive
        self._serial = serial
        self._ticks = serial % 97
        self.update()
        fill_gaps(self.map, self.table)
        self.map.before_read = self._live
        _IDENTITIES.get(kind.make or "", _no_identity)(self.map, driver, serial)

    def update(self) -> None:
        """Put the values into the registers."""
        lay_out(self.map, self.table, self.values)

    def _live(self) -> None:
        if not self._alive:
            return
        self._ticks += 1
        load = 1 + 0.02 * math.sin(self._ticks / 7)
        base = VALUES["power"]
        self.values["power"] = base * load
        self.values["power_phase"] = tuple(p * load for p in VALUES["power_phase"])
        self.values["energy_import"] += base * load / 1000 * 10 / 3600
        self.update()


def _no_identity(unit: UnitMap, driver: str, serial: int) -> None:
    """Most meters do not say who they are."""


def _of_abb(unit: UnitMap, driver: str, serial: int) -> None:
    if driver.startswith("abb-b"):
        unit.put(0x8900, (serial >> 16, serial))
        unit.put_text(0x8908, "B1.20.2", 8)
        unit.put_text(0x8960, driver[4:].upper() + " ", 2)
        for at in range(0x8902, 0x8908):
            unit.holding[at] = 0
    elif driver.startswith("abb-m"):
        unit.identification = {0: b"ABB", 1: driver[4:].upper().encode(), 2: b"1.5"}


def _of_schneider(unit: UnitMap, driver: str, serial: int) -> None:
    model = {
        "schneider-pm5xxx": ("PM5560", b"METSEPM5560"),
        "schneider-pm5340": ("PM5340", b"METSEPM5340"),
        "schneider-iem3xxx": ("iEM3255", b"A9MEM3255"),
        "schneider-p3u30": ("", b"P3U30"),
    }[driver]
    unit.identification = {0: b"Schneider Electric", 1: model[1], 2: b"V1.6.3"}
    if model[0]:
        unit.put_text(49, model[0], 20)
        unit.put(129, (serial >> 16, serial))


def _of_carlo_gavazzi(unit: UnitMap, driver: str, serial: int) -> None:
    unit.single[0x000B] = 1651
    unit.put_text(0x5000, f"BX{serial:08d}", 7)


def _of_siemens(unit: UnitMap, driver: str, serial: int) -> None:
    unit.identification = {0: b"SIEMENS AG", 1: b"7KM2200-2EA40-1EA1", 2: b"V3.0.1"}
    unit.put(64001, (42,))
    unit.put_text(64002, "7KM2200-2EA40-1EA1", 10)
    unit.put_text(64012, f"LQN/{serial:010d}", 8)
    unit.put(64020, (1, (ord("V") << 8) | 3, (0 << 8) | 1, 1, 0x3A00, 1, 0x0101, 1))
    unit.whole[64001] = 27
    unit.whole |= {1 + 2 * at: 2 for at in range(35)}
    unit.whole |= {801 + 4 * at: 4 for at in range(10)}


_IDENTITIES: dict[str, Callable[[UnitMap, str, int], None]] = {
    "ABB": _of_abb,
    "Schneider": _of_schneider,
    "Carlo Gavazzi": _of_carlo_gavazzi,
    "Siemens": _of_siemens,
}

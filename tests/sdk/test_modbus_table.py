"""Meters as data: decoding, planning of blocks, learning, and tables of users."""

from collections.abc import AsyncGenerator, Sequence
from itertools import pairwise
import math
import struct
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.miningsdk.sdk import (
    DeviceTimeout,
    InvalidReply,
    MeterStats,
    MiningSDKError,
    NotSupported,
)
from custom_components.miningsdk.sdk.drivers._modbus_device import BlockReader
from custom_components.miningsdk.sdk.drivers._modbus_table import (
    WORDS,
    Block,
    Kind,
    Register,
    decode,
    decode_raw,
    decode_text,
    plan,
)
from custom_components.miningsdk.sdk.drivers.modbus_meter import (
    InvalidTable,
    ModbusMeter,
    parse_table,
)
from custom_components.miningsdk.sdk.meter import complete, inverted
from custom_components.miningsdk.sdk.transports.modbus import ModbusLink, Refused, Unit
from custom_components.miningsdk.sdk.transports.wire import Wire
from tests.conftest import OFFSET, Simulate
from tests.simulators.base import Trouble
from tests.simulators.modbus import PORT, SimulatedModbus, UnitMap, encode


def row(address: int = 0, kind: Kind = "u16", **options: Any) -> Register:
    return Register(address=address, field="power", kind=kind, **options)


# Decoding. The registers are written down by hand, not made by an encoder.


@pytest.mark.parametrize(
    ("register", "words", "value"),
    [
        (row(kind="u16"), [0x04D2], 1234),
        (row(kind="s16"), [0xFB2E], -1234),
        (row(kind="u32"), [0x0001, 0x0002], 65_538),
        (row(kind="u32", word_order="little"), [0x0002, 0x0001], 65_538),
        (row(kind="s32"), [0xFFFF, 0xFB2E], -1234),
        (row(kind="s32", word_order="little"), [0xFB2E, 0xFFFF], -1234),
        (row(kind="u64"), [0, 0, 0x0001, 0x0002], 65_538),
        (row(kind="s64"), [0xFFFF, 0xFFFF, 0xFFFF, 0xFB2E], -1234),
        (row(kind="f32"), [0x4366, 0x2000], 230.125),
        (row(kind="f32", word_order="little"), [0x2000, 0x4366], 230.125),
        (row(kind="f64"), [0x4160, 0x0000, 0x4000, 0x0000], 8_388_610.0),
        (row(kind="acc32"), [0x0001, 0x0002], 65_538),
        (row(kind="u16", scale=0.1), [2301], 230.1),
        (row(kind="u16", scale=0.5, offset=-10.0), [40], 10.0),
        (row(kind="f32", folded=True), [0x3F80, 0x0000], 1.0),
        # 1.25 is 0.75 leading, and -1.25 is -0.75 leading.
        (row(kind="f32", folded=True), [0x3FA0, 0x0000], 0.75),
        (row(kind="f32", folded=True), [0xBFA0, 0x0000], -0.75),
        (row(kind="f32", folded=True), [0xBF00, 0x0000], -0.5),
    ],
)
def test_decode(register: Register, words: list[int], value: float) -> None:
    assert decode(register, words) == pytest.approx(value)


@pytest.mark.parametrize(
    ("register", "words"),
    [
        (row(kind="u16"), [0xFFFF]),
        (row(kind="s16"), [0x8000]),
        (row(kind="u32"), [0xFFFF, 0xFFFF]),
        (row(kind="s32"), [0x8000, 0x0000]),
        (row(kind="u64"), [0xFFFF] * 4),
        (row(kind="s64"), [0x8000, 0, 0, 0]),
        (row(kind="f32"), [0x7FC0, 0x0000]),
        (row(kind="f32"), [0xFFC0, 0x0000]),
        (row(kind="f32"), [0x7F80, 0x0000]),
        (row(kind="f64"), [0x7FF8, 0, 0, 0]),
        (row(kind="acc32"), [0, 0]),
        (row(kind="s32", missing=(0x7FFF_FFFF,)), [0x7FFF, 0xFFFF]),
    ],
)
def test_not_available(register: Register, words: list[int]) -> None:
    assert decode(register, words) is None


def test_own_sentinels_replace_the_usual_ones() -> None:
    assert decode(row(kind="u16", missing=()), [0xFFFF]) == 0xFFFF


def test_what_makes_no_sense() -> None:
    with pytest.raises(ValueError, match="10000 is beyond 9999"):
        decode(row(highest=9999), [10_000])


def test_text() -> None:
    assert decode_text([0x4232, 0x3320]) == "B23"
    assert decode_text([0x454D, 0x3234, 0x0000]) == "EM24"
    assert decode_text([0xFFFF, 0xFFFF]) == ""


@given(
    kind=st.sampled_from(sorted(WORDS)),
    order=st.sampled_from(["big", "little"]),
    data=st.data(),
)
def test_decoding_undoes_encoding(kind: Any, order: Any, data: st.DataObject) -> None:
    bits = 16 * WORDS[kind]
    if kind in ("f32", "f64"):
        value: float = data.draw(st.floats(allow_nan=False, width=bits))  # type: ignore[arg-type]
    elif kind[0] == "s":
        value = data.draw(st.integers(-(1 << bits - 1), (1 << bits - 1) - 1))
    else:
        value = data.draw(st.integers(0, (1 << bits) - 1))
    register = row(kind=kind, word_order=order)
    words = encode(register, value)
    assert len(words) == register.count
    assert decode_raw(kind, words, order) == value


@given(st.data())
def test_any_registers_decode(data: st.DataObject) -> None:
    kind: Any = data.draw(st.sampled_from(sorted(WORDS)))
    words = data.draw(
        st.lists(st.integers(0, 0xFFFF), min_size=WORDS[kind], max_size=WORDS[kind])
    )
    value = decode(row(kind=kind, scale=0.01, folded=data.draw(st.booleans())), words)
    assert value is None or math.isfinite(value)


@given(st.integers(0, 0xFFFF_FFFF))
def test_floats_are_those_of_the_wire(bits: int) -> None:
    words = [bits >> 16, bits & 0xFFFF]
    (expected,) = struct.unpack(">f", struct.pack(">I", bits))
    value = decode(row(kind="f32"), words)
    if math.isfinite(expected):
        assert value == expected
    else:
        assert value is None


# Planning.

ROWS = st.lists(
    st.builds(
        row,
        st.integers(0, 300),
        st.sampled_from(sorted(WORDS)),
        space=st.sampled_from(["holding", "input"]),
    ),
    max_size=12,
)


@given(rows=ROWS, size=st.integers(4, 125), gap=st.integers(0, 60))
def test_a_plan_reads_every_row_within_its_limits(
    rows: list[Register], size: int, gap: int
) -> None:
    blocks = plan(rows, size, gap)
    planned = [found for block in blocks for found in block.rows]
    assert sorted(planned, key=repr) == sorted(rows, key=repr)
    for block in blocks:
        assert 1 <= block.count <= size
        end = block.address
        for found in sorted(block.rows, key=lambda r: (r.address, r.end)):
            assert found.space == block.space
            assert block.address <= found.address
            assert found.end <= block.address + block.count
            assert found.address - end <= gap
            end = max(end, found.end)


@given(rows=ROWS, size=st.integers(4, 40), gap=st.integers(0, 20))
def test_no_two_neighbours_would_fit_into_one_request(
    rows: list[Register], size: int, gap: int
) -> None:
    blocks = plan(rows, size, gap)
    for one, other in pairwise(blocks):
        if one.space != other.space:
            continue
        first = min(other.rows, key=lambda r: (r.address, r.end))
        fits = first.end - one.address <= size
        near = first.address - (one.address + one.count) <= gap
        assert not (fits and near)


def test_a_plan_without_rows() -> None:
    assert plan([]) == []


def test_halves_part_at_the_widest_gap() -> None:
    rows = [row(0), row(1), row(9), row(10)]
    one, other = Block.of(rows).halves()
    assert (one.address, one.count) == (0, 2)
    assert (other.address, other.count) == (9, 2)
    one, other = Block.of([row(0, "u32"), row(2), row(3), row(4)]).halves()
    assert (one.address, one.count, other.address, other.count) == (0, 3, 3, 2)


# Reading, and learning what a unit does not take.


@pytest.fixture
async def device(simulate: Simulate) -> SimulatedModbus:
    found: SimulatedModbus = await simulate(SimulatedModbus)
    found.units[1] = UnitMap(holding={at: at for at in range(40)})
    return found


@pytest.fixture
async def unit(device: SimulatedModbus) -> AsyncGenerator[Unit]:
    link = ModbusLink(Wire(host=device.host, timeout=0.4), PORT + OFFSET)
    yield link.unit(1)
    await link.close()


def names(count: int, step: int = 2) -> list[Register]:
    return [
        Register(address=at * step, field=f"f{at}", kind="u16") for at in range(count)
    ]


def values(found: dict[Register, Sequence[int]]) -> dict[str, int]:
    return {register.field: raw[0] for register, raw in found.items()}


async def test_one_request_for_all(device: SimulatedModbus, unit: Unit) -> None:
    failed: dict[str, str] = {}
    found = await BlockReader(names(5), 125, 4).read(unit, failed)
    assert values(found) == {"f0": 0, "f1": 2, "f2": 4, "f3": 6, "f4": 8}
    assert device.reads() == [(3, 0, 9)]
    assert failed == {}


async def test_a_missing_register_does_not_lose_the_others(
    device: SimulatedModbus, unit: Unit
) -> None:
    del device.units[1].holding[4]
    reader = BlockReader(names(5), 125, 4)
    failed: dict[str, str] = {}
    found = await reader.read(unit, failed)
    assert values(found) == {"f0": 0, "f1": 2, "f3": 6, "f4": 8}
    assert list(failed) == ["f2"]
    assert "illegal data address" in failed["f2"]
    # What was learnt makes the next reading cheap again.
    before = device.requests
    again: dict[str, str] = {}
    assert values(await reader.read(unit, again)) == values(found)
    assert again == failed
    assert device.requests - before == 2
    assert (3, 4, 1) not in device.reads()[-2:]


async def test_a_hole_between_the_values_is_avoided(
    device: SimulatedModbus, unit: Unit
) -> None:
    del device.units[1].holding[5]
    reader = BlockReader(names(5), 125, 4)
    failed: dict[str, str] = {}
    assert len(await reader.read(unit, failed)) == 5
    assert failed == {}
    before = device.requests
    assert len(await reader.read(unit, failed)) == 5
    assert device.requests - before == 2


async def test_a_unit_that_takes_only_small_blocks(
    device: SimulatedModbus, unit: Unit
) -> None:
    device.units[1].most = 3
    failed: dict[str, str] = {}
    reader = BlockReader(names(8), 125, 4)
    assert len(await reader.read(unit, failed)) == 8
    assert failed == {}
    before = device.requests
    await reader.read(unit, failed)
    assert device.requests - before == 4


async def test_what_was_refused_is_tried_again_later(
    device: SimulatedModbus, unit: Unit
) -> None:
    del device.units[1].holding[4]
    reader = BlockReader(names(5), 125, 4)
    await reader.read(unit, {})
    device.units[1].holding[4] = 44
    failed: dict[str, str] = {}
    assert "f2" not in values(await reader.read(unit, failed))
    reader.reset()
    failed = {}
    assert values(await reader.read(unit, failed))["f2"] == 44
    assert failed == {}


async def test_nothing_can_be_read(device: SimulatedModbus, unit: Unit) -> None:
    device.units[1].exception = 2
    reader = BlockReader(names(2), 125, 4)
    for _ in range(2):
        with pytest.raises(InvalidReply):
            await reader.read(unit, {})
    device.units[1].exception = None
    reader.reset()
    assert len(await reader.read(unit, {})) == 2


async def test_another_refusal_may_pass(device: SimulatedModbus, unit: Unit) -> None:
    rows = [*names(2), Register(address=30, field="far", kind="u16")]
    reader = BlockReader(rows, 125, 4)
    served = device.units[1]
    served.before_read = lambda: setattr(served, "exception", 4)
    failed: dict[str, str] = {}
    found = await reader.read(unit, failed)
    assert values(found) == {"f0": 0, "f1": 2}
    assert "device failure" in failed["far"]
    served.before_read, served.exception = None, None
    failed = {}
    assert len(await reader.read(unit, failed)) == 3
    assert failed == {}


async def test_a_block_that_is_not_answered_ends_the_reading(
    device: SimulatedModbus, unit: Unit
) -> None:
    rows = [Register(address=at, field=f"f{at}", kind="u16") for at in (0, 10, 20, 30)]
    reader = BlockReader(rows, 125, 0)
    device.units[1].before_read = lambda: setattr(
        device, "trouble", Trouble.SILENT if device.requests else Trouble.NONE
    )
    failed: dict[str, str] = {}
    found = await reader.read(unit, failed)
    assert values(found) == {"f0": 0}
    assert set(failed) == {"f10", "f20", "f30"}
    assert device.requests == 2
    device.units[1].before_read = None
    device.trouble = Trouble.NONE
    failed = {}
    assert len(await reader.read(unit, failed)) == 4
    assert failed == {}


async def test_a_silent_unit_is_an_error(device: SimulatedModbus, unit: Unit) -> None:
    device.trouble = Trouble.SILENT
    with pytest.raises(DeviceTimeout):
        await BlockReader(names(2), 125, 0).read(unit, {})
    assert device.requests == 1


async def test_the_wrong_function_is_an_error(
    device: SimulatedModbus, unit: Unit
) -> None:
    device.units[1].exception = 1
    with pytest.raises(Refused):
        await BlockReader(names(2), 125, 4).read(unit, {})
    assert device.requests == 1


# What follows from a reading.


def test_totals_follow_from_the_phases() -> None:
    assert complete(MeterStats(power_phase=(1.0, 2.0, 3.5))).power == 6.5
    assert complete(MeterStats(power_phase=(1.0, None, 3.5))).power is None
    assert complete(MeterStats(power=5.0, power_phase=(1.0, 2.0))).power == 5.0
    assert complete(MeterStats()).power is None


def test_a_factor_that_is_none() -> None:
    assert complete(MeterStats(power_factor=1.004)).power_factor == 1.0
    assert complete(MeterStats(power_factor=-1.004)).power_factor == -1.0
    stats = complete(MeterStats(power_factor=98.5, failed={"x": "y"}))
    assert stats.power_factor is None
    assert set(stats.failed) == {"x", "power_factor"}


def test_a_meter_that_was_mounted_the_wrong_way_round() -> None:
    stats = inverted(
        MeterStats(
            power=-500.0,
            power_phase=(-200.0, None, -300.0),
            voltage_phase=(230.0, 231.0, 229.0),
            current_phase=(1.0, 0.0, 1.5),
            power_reactive=20.0,
            power_apparent=501.0,
            power_factor=-0.99,
            energy_import=1.0,
            energy_export=2.0,
        )
    )
    assert stats == MeterStats(
        power=500.0,
        power_phase=(200.0, None, 300.0),
        voltage_phase=(230.0, 231.0, 229.0),
        current_phase=(1.0, 0.0, 1.5),
        power_reactive=-20.0,
        power_apparent=501.0,
        power_factor=0.99,
        energy_import=2.0,
        energy_export=1.0,
    )
    assert str(inverted(MeterStats(power=0.0)).power) == "0.0"


# Tables that a user gives.

GOOD = {"field": "power", "address": 0x34, "type": "f32"}


def test_a_table_of_plain_data() -> None:
    table = [
        GOOD,
        {
            "field": "voltage_phase",
            "phase": 2,
            "address": 8,
            "type": "s32",
            "space": "input",
            "word_order": "little",
            "scale": 0.1,
            "offset": 1,
            "missing": [-1, 5],
        },
        {"field": "energy_import", "address": 9, "type": "u16", "missing": 7},
    ]
    assert parse_table(table) == (
        Register(address=0x34, field="power", kind="f32"),
        Register(
            address=8,
            field="voltage_phase",
            kind="s32",
            phase=1,
            space="input",
            word_order="little",
            scale=0.1,
            offset=1.0,
            missing=(-1, 5),
        ),
        Register(address=9, field="energy_import", kind="u16", missing=(7,)),
    )


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"field": "watts"}, "row 2, field: 'watts' is not one of"),
        ({"field": None}, "row 2, field: it is not given"),
        ({"type": "f31"}, "row 2, type: 'f31' is not one of acc32, f32"),
        ({"type": 7}, "row 2, type: 7 is not one of"),
        ({"address": "0x34"}, "row 2, address: '0x34' is not a whole number"),
        ({"address": True}, "row 2, address: True is not a whole number"),
        ({"address": None}, "row 2, address: it is not given"),
        ({"address": -1}, "row 2, address: -1 is not between 0 and 65534"),
        ({"address": 65_535}, "row 2, address: 65535 is not between 0 and 65534"),
        ({"phase": 1}, "row 2, phase: power has no phases"),
        ({"field": "power_phase"}, "row 2, phase: it is not given"),
        ({"field": "power_phase", "phase": 4}, "row 2, phase: 4 is not between 1"),
        ({"space": "coil"}, "row 2, space: 'coil' is not one of holding, input"),
        ({"word_order": "middle"}, "row 2, word_order: 'middle' is not one of"),
        ({"scale": "10"}, "row 2, scale: '10' is not a number"),
        ({"scale": 0}, "row 2, scale: 0 makes no sense"),
        ({"scale": math.inf}, "row 2, scale: inf makes no sense"),
        ({"offset": None}, "row 2, offset: None is not a number"),
        ({"missing": "x"}, "row 2, missing: 'x' is not a whole number"),
        ({"missing": [1, 2.5]}, "row 2, missing: 2.5 is not a whole number"),
        ({"adress": 5}, "row 2, adress: there is no such key; use address, field"),
    ],
)
def test_mistakes_in_a_table(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InvalidTable) as error:
        parse_table([GOOD, {**GOOD, **change}])
    assert str(error.value).startswith(complaint)
    assert isinstance(error.value, MiningSDKError)


@pytest.mark.parametrize("table", ["text", b"bytes", 5, None, {"field": "power"}])
def test_what_is_no_table(table: object) -> None:
    with pytest.raises(InvalidTable, match="a table is a list of rows"):
        parse_table(table)


def test_a_row_that_is_none() -> None:
    with pytest.raises(InvalidTable, match="row 1 is not an object"):
        parse_table(["power"])


@settings(max_examples=100)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["field", "address", "type", "phase", "scale", "missing"]
                ),
                inner | st.sampled_from(["power", "f32", "u16", "voltage_phase"]),
                max_size=5,
            )
        ),
        max_leaves=9,
    )
)
def test_any_table_is_taken_or_refused_in_our_words(table: object) -> None:
    try:
        rows = parse_table(table)
    except InvalidTable as error:
        assert str(error)
    else:
        assert all(register.end <= 0x1_0000 for register in rows)


async def test_a_meter_of_the_users_own(device: SimulatedModbus) -> None:
    meter = ModbusMeter(
        device.host,
        port=PORT + OFFSET,
        unit=1,
        maximum_gap=20,
        table=[
            {"field": "power", "address": 10, "type": "u16", "scale": 100},
            {"field": "energy_import", "address": 30, "type": "u16"},
            {"field": "voltage_phase", "phase": 1, "address": 23, "type": "u16"},
            {"field": "voltage_phase", "phase": 3, "address": 24, "type": "u16"},
        ],
    )
    await meter.connect()
    device.log.clear()
    stats = await meter.read()
    await meter.close()
    assert stats == MeterStats(
        power=1000.0, energy_import=30.0, voltage_phase=(23.0, None, 24.0)
    )
    assert device.reads() == [(3, 10, 21)]
    assert meter.info.make is None


async def test_a_meter_without_a_table(device: SimulatedModbus) -> None:
    meter = ModbusMeter(device.host, port=PORT + OFFSET)
    with pytest.raises(NotSupported, match="needs a table"):
        await meter.connect()
    assert device.requests == 0
    with pytest.raises(InvalidTable, match="maximum_block"):
        ModbusMeter(device.host, maximum_block=126)

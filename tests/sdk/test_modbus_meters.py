"""Every Modbus meter over a real socket."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.miningsdk.sdk import (
    AnyDevice,
    DeviceKind,
    DeviceTimeout,
    DeviceUnreachable,
    InvalidReply,
    MeterStats,
    MiningSDKError,
    identify,
    register_miner,
    to_json,
)
from custom_components.miningsdk.sdk.drivers._table_meter import TableMeter
from custom_components.miningsdk.sdk.drivers.modbus_meter import ModbusMeter
from custom_components.miningsdk.sdk.meter import Meter
from custom_components.miningsdk.sdk.registry import drivers, find
from tests.conftest import OFFSET, Simulate, loopback_address
from tests.sdk.modbus_registers import (
    B23,
    EM24,
    EXAMPLES,
    P3U30,
    PM180,
    PM5340,
    SDM630,
    Example,
)
from tests.simulators.base import Trouble
from tests.simulators.modbus import PORT, VALUES, SimulatedMeter, SimulatedModbus
from tests.simulators.sunspec import SimulatedSunSpec

AT = PORT + OFFSET
SCALES = {
    "voltage_high": 480.0,
    "current_high": 50.0,
    "power_high": 72_000.0,
    "frequency_low": 45.0,
    "frequency_high": 65.0,
}
METERS = sorted(
    driver.name
    for driver in drivers()
    if issubclass(driver, TableMeter) and not issubclass(driver, ModbusMeter)
)
# Requests to learn who the meter is, and for each reading.
REQUESTS = {
    "abb-b21": (2, 2),
    "abb-b23": (2, 2),
    "abb-b24": (2, 2),
    "abb-m1m20": (1, 3),
    "abb-m4m20": (1, 3),
    "abb-reu615": (1, 1),
    "carlo-gavazzi-em24": (2, 1),
    "eastron-sdm120": (1, 1),
    "eastron-sdm220": (1, 1),
    "eastron-sdm230": (1, 1),
    "eastron-sdm630": (1, 1),
    "janitza": (1, 1),
    "satec-em133": (1, 1),
    "satec-pm180": (1, 1),
    "schneider-iem3xxx": (2, 2),
    "schneider-p3u30": (1, 1),
    "schneider-pm5340": (2, 2),
    "schneider-pm5xxx": (2, 2),
    "siemens-pac2200": (1, 2),
}
type Connect = Callable[..., Awaitable[Any]]


def options_of(name: str) -> dict[str, Any]:
    return dict(SCALES) if name.startswith("satec") else {}


@pytest.fixture
async def connect() -> AsyncGenerator[Connect]:
    """Return a function that connects to a simulated device by a driver's name."""
    devices: list[AnyDevice] = []

    async def connected(name: str, device: SimulatedModbus, **options: Any) -> Any:
        options = {"port": AT, "timeout": 1.0, **options}
        made = register_miner(name, host=device.host, **options)
        devices.append(made)
        return await made.connect()

    yield connected
    for made in devices:
        await made.close()


async def meter_of(
    simulate: Simulate, connect: Connect, name: str = "eastron-sdm630", **more: Any
) -> tuple[Meter, SimulatedMeter]:
    options = options_of(name)
    device = await simulate(
        SimulatedMeter, driver=name, options=options, alive=False, **more
    )
    return await connect(name, device, **options), device


async def served(simulate: Simulate, example: Example) -> SimulatedModbus:
    device: SimulatedModbus = await simulate(SimulatedModbus)
    device.units[1] = example.unit()
    return device


def test_every_make_is_here() -> None:
    assert set(REQUESTS) == set(METERS)
    for name in METERS:
        driver, model = find(name)
        assert driver.kind is DeviceKind.METER
        assert model is None
        assert driver.make
        assert driver.make in driver.__doc__  # type: ignore[operator]
    assert find("janitza-umg604")[1] == "UMG604"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.driver)
async def test_registers_written_by_hand(
    simulate: Simulate, connect: Connect, example: Example
) -> None:
    device = await served(simulate, example)
    meter = await connect(example.driver, device, **example.options)
    assert await meter.read() == example.stats
    assert device.most_connections == 1


@pytest.mark.parametrize("name", METERS)
async def test_a_reading(simulate: Simulate, connect: Connect, name: str) -> None:
    meter, device = await meter_of(simulate, connect, name)
    assert device.requests == REQUESTS[name][0]
    stats = await meter.read()
    assert device.requests == sum(REQUESTS[name])
    assert device.accepted == 1
    assert stats.failed == {}
    assert meter.info.kind is DeviceKind.METER
    assert meter.info.port == AT
    assert to_json(stats)
    if not name.endswith(("reu615", "p3u30")) and not name.startswith("satec"):
        assert stats.power == VALUES["power"]
        assert stats.energy_import == VALUES["energy_import"]
        assert stats.energy_export == VALUES["energy_export"]
        assert stats.frequency == VALUES["frequency"]
        assert (
            stats.voltage_phase == VALUES["voltage_phase"][: len(stats.voltage_phase)]
        )


@pytest.mark.parametrize(
    ("name", "identity"),
    [
        ("abb-b23", ("B23", "12345678", "B1.20.2")),
        ("abb-b24", ("B24", "12345678", "B1.20.2")),
        ("abb-m4m20", ("M4M 20", None, None)),
        ("carlo-gavazzi-em24", ("EM24DINAV53XE1X", "BX12345678", None)),
        ("schneider-pm5xxx", ("PM5560", "12345678", None)),
        ("schneider-iem3xxx", ("iEM3255", "12345678", None)),
        ("siemens-pac2200", ("PAC2200", "LQN/0012345678", "V3.0.1")),
        ("eastron-sdm630", ("SDM630", None, None)),
        ("janitza", (None, None, None)),
    ],
)
async def test_who_it_is(
    simulate: Simulate, connect: Connect, name: str, identity: tuple[str | None, ...]
) -> None:
    meter, _ = await meter_of(simulate, connect, name)
    info = meter.info
    assert (info.model, info.serial_number, info.firmware_version) == identity


async def test_a_meter_is_alive(simulate: Simulate, connect: Connect) -> None:
    device = await simulate(SimulatedMeter)
    meter = await connect("eastron-sdm630", device)
    first, second = await meter.read(), await meter.read()
    assert first.power != second.power
    assert second.energy_import >= first.energy_import


async def test_a_model_may_be_named(simulate: Simulate, connect: Connect) -> None:
    device = await simulate(SimulatedMeter, driver="janitza")
    meter = await connect("janitza-umg96", device)
    assert meter.info.model == "UMG96"


# Unit ids.


async def test_several_meters_behind_one_gateway(
    simulate: Simulate, connect: Connect
) -> None:
    device = await simulate(SimulatedModbus)
    device.delay = 0.005
    device.units = {3: SDM630.unit(), 4: B23.unit(), 5: EM24.unit()}
    meters = [
        await connect(example.driver, device, unit=unit)
        for unit, example in ((3, SDM630), (4, B23), (5, EM24))
    ]
    readings = await asyncio.gather(*(meter.read() for meter in meters))
    assert readings == [SDM630.stats, B23.stats, EM24.stats]
    assert device.accepted == device.most_connections == 1
    assert {unit for unit, *_ in device.log} == {3, 4, 5}


async def test_a_wrong_unit_id(simulate: Simulate, connect: Connect) -> None:
    device = await served(simulate, SDM630)
    with pytest.raises(DeviceUnreachable, match="unit 2: the gateway gets no answer"):
        await connect("eastron-sdm630", device, unit=2)
    device.absent = 10
    with pytest.raises(DeviceUnreachable, match="unit 2: the gateway has no path"):
        await connect("eastron-sdm630", device, unit=2)
    device.absent = None
    with pytest.raises(DeviceTimeout, match=r"unit 2: .* is this its unit id"):
        await connect("eastron-sdm630", device, unit=2)


async def test_a_unit_that_comes_later(simulate: Simulate, connect: Connect) -> None:
    device = await served(simulate, SDM630)
    meter = await connect("eastron-sdm630", device)
    device.units[9] = device.units.pop(1)
    with pytest.raises(DeviceUnreachable):
        await meter.read()
    device.units[1] = device.units.pop(9)
    assert await meter.read() == SDM630.stats


@pytest.mark.parametrize(
    ("driver", "words"),
    [("abb-b23", "no meter of the B series"), ("carlo-gavazzi-em24", "no EM24")],
)
async def test_a_gateway_answers_with_another_meter(
    simulate: Simulate, connect: Connect, driver: str, words: str
) -> None:
    """Where a meter says who it is, it is not taken for another one."""
    device = await served(simulate, SDM630)
    device.units[1].put(0x8960, (0x584D, 0x5A30))
    device.units[1].single[0x000B] = 5
    device.stands_in = 1
    with pytest.raises(InvalidReply, match=words):
        await connect(driver, device, unit=77)


async def test_an_answer_under_another_unit_id(
    simulate: Simulate, connect: Connect
) -> None:
    device = await served(simulate, SDM630)
    meter = await connect("eastron-sdm630", device)
    device.says_unit = 2
    with pytest.raises(InvalidReply, match="another unit"):
        await meter.read()
    device.says_unit = None
    assert await meter.read() == SDM630.stats


async def test_a_b24_in_the_place_of_a_b23(
    simulate: Simulate, connect: Connect
) -> None:
    device = await simulate(SimulatedMeter, driver="abb-b24", alive=False)
    meter = await connect("abb-b23", device)
    assert meter.info.model == "B24"


async def test_a_replaced_meter_is_noticed(
    simulate: Simulate, connect: Connect
) -> None:
    meter, device = await meter_of(simulate, connect, "abb-b23")
    assert meter.info.unique_id == "12345678"
    device.map.put(0x8900, (0x0012, 0xD687))
    await device.stop()
    with pytest.raises(DeviceUnreachable):
        await meter.read()
    await device.start()
    await meter.read()
    assert meter.info.unique_id == "1234567"


async def test_an_older_meter_without_identity(
    simulate: Simulate, connect: Connect
) -> None:
    device = await served(simulate, PM5340)
    for address in (*range(49, 69), 129, 130):
        device.units[1].holding.pop(address)
    meter = await connect("schneider-pm5340", device)
    assert meter.info.model == "PM5340"
    assert meter.info.serial_number is None
    assert await meter.read() == PM5340.stats


# What is not available, or makes no sense.


async def test_missing_energies_do_not_lose_the_rest(
    simulate: Simulate, connect: Connect
) -> None:
    device = await served(simulate, B23)
    for address in range(0x5000, 0x5008):
        device.units[1].holding.pop(address)
    meter = await connect("abb-b23", device)
    stats = await meter.read()
    assert set(stats.failed) == {"energy_import", "energy_export"}
    expected = replace(B23.stats, energy_import=None, energy_export=None)
    assert replace(stats, failed={}) == expected
    before = device.requests
    await meter.read()
    assert device.requests - before == 1


async def test_all_sentinels(simulate: Simulate, connect: Connect) -> None:
    device = await served(simulate, SDM630)
    unit = device.units[1]
    for address in range(0, 0x4C, 2):
        unit.put(address, (0x7FC0, 0x0000), "input")
    meter = await connect("eastron-sdm630", device)
    assert await meter.read() == MeterStats()


async def test_an_unknown_tariff_makes_no_total(
    simulate: Simulate, connect: Connect
) -> None:
    meter, device = await meter_of(simulate, connect, "siemens-pac2200")
    device.map.put(805, (0x7FF8, 0, 0, 0), "input")
    stats = await meter.read()
    assert stats.energy_import is None
    assert stats.energy_export == VALUES["energy_export"]


async def test_a_frequency_that_is_none(simulate: Simulate, connect: Connect) -> None:
    device = await served(simulate, P3U30)
    device.units[1].put(2020, (5000,))
    stats = await (await connect("schneider-p3u30", device)).read()
    assert stats.frequency is None
    assert stats.failed == {"frequency": "register 2020: 5000 is beyond 100"}
    assert stats.power == P3U30.stats.power


async def test_scales_that_are_not_set(simulate: Simulate, connect: Connect) -> None:
    device = await served(simulate, PM180)
    meter = await connect("satec-pm180", device)
    stats = await meter.read()
    assert stats.energy_import == PM180.stats.energy_import
    assert stats.power_factor == PM180.stats.power_factor
    assert stats.power is None
    assert stats.voltage_phase == ()
    assert stats.failed == {
        "voltage_phase": "voltage_high is not set",
        "current_phase": "current_high is not set",
        "power": "power_high is not set",
        "power_phase": "power_high is not set",
        "power_reactive": "power_high is not set",
        "power_apparent": "power_high is not set",
        "frequency": "frequency_low or frequency_high is not set",
    }
    assert len(device.reads()) == 2


async def test_a_share_beyond_the_full_scale(
    simulate: Simulate, connect: Connect
) -> None:
    device = await served(simulate, PM180)
    device.units[1].put(275, (10_001,))
    meter = await connect("satec-pm180", device, **PM180.options)
    stats = await meter.read()
    assert stats.failed == {"power": "register 275: 10001 is beyond 9999"}
    # The total follows from the phases.
    assert stats.power == pytest.approx(17_423_556.7)


async def test_inverted(simulate: Simulate, connect: Connect) -> None:
    device = await served(simulate, EM24)
    stats = await (await connect("carlo-gavazzi-em24", device, invert=True)).read()
    assert stats.power == 10350.0
    assert stats.power_phase == (-3410.0, -3460.0, -3480.0)
    assert stats.energy_import == EM24.stats.energy_export
    assert stats.energy_export == EM24.stats.energy_import
    assert stats.voltage_phase == EM24.stats.voltage_phase


async def test_a_request_never_cuts_a_value(
    simulate: Simulate, connect: Connect
) -> None:
    """The PAC2200 refuses to be asked for half of one."""
    meter, device = await meter_of(simulate, connect, "siemens-pac2200")
    device.log.clear()
    await meter.read()
    assert device.reads() == [(4, 1, 70), (4, 801, 16)]


async def test_a_meter_that_takes_sixteen_registers(
    simulate: Simulate, connect: Connect
) -> None:
    meter, device = await meter_of(simulate, connect, "schneider-pm5340")
    device.map.most = 16
    stats = await meter.read()
    assert stats.failed == {}
    assert stats.power == VALUES["power"]
    before = device.requests
    assert await meter.read() == stats
    assert device.requests - before <= 9


# Identification.


@pytest.mark.parametrize(
    "name",
    [
        "abb-b21",
        "abb-b23",
        "abb-b24",
        "abb-m1m20",
        "abb-m4m20",
        "carlo-gavazzi-em24",
        "schneider-iem3xxx",
        "schneider-p3u30",
        "schneider-pm5340",
        "schneider-pm5xxx",
        "siemens-pac2200",
    ],
)
async def test_a_scan_recognises(simulate: Simulate, name: str) -> None:
    device = await simulate(SimulatedMeter, driver=name)
    found = await identify(device.host, port=AT)
    assert found is not None
    assert found.driver.name == name
    assert found.port == AT
    assert {function for _, function, *_ in device.log} <= {3, 4, 0x2B}
    asked = [entry for entry in device.log if entry[1] != 0x2B]
    assert len(asked) <= 7
    assert device.most_connections <= 2


@pytest.mark.parametrize(
    "name", ["eastron-sdm630", "janitza", "satec-pm180", "abb-reu615"]
)
async def test_a_scan_cannot_tell(simulate: Simulate, name: str) -> None:
    device = await simulate(SimulatedMeter, driver=name, options=options_of(name))
    assert await identify(device.host, port=AT) is None
    assert {function for _, function, *_ in device.log} <= {3, 4, 0x2B}


@pytest.mark.parametrize("model", [201, 203, 213])
async def test_a_scan_recognises_models(simulate: Simulate, model: int) -> None:
    device = await simulate(SimulatedSunSpec, model=model, before=((103, 50),))
    found = await identify(device.host, port=AT)
    assert found is not None
    assert found.driver.name == "sunspec-meter"


async def test_an_inverter_is_no_meter(simulate: Simulate) -> None:
    device = await simulate(SimulatedSunSpec, model=203)
    start = device.start_of_model
    device.map.put(start, (103,))
    assert await identify(device.host, port=AT) is None


async def test_a_silent_unit_does_not_hold_up_a_scan(simulate: Simulate) -> None:
    device = await simulate(SimulatedModbus)
    device.absent = None
    loop = asyncio.get_running_loop()
    started = loop.time()
    with suppress(MiningSDKError):
        assert await identify(device.host, port=AT, timeout=2.0) is None
    assert loop.time() - started < 3
    assert len(device.log) <= 2


# Trouble.


@pytest.mark.parametrize("trouble", [t for t in Trouble if t is not Trouble.NONE])
@pytest.mark.parametrize("name", ["eastron-sdm630", "abb-b23", "siemens-pac2200"])
async def test_trouble(
    simulate: Simulate, connect: Connect, name: str, trouble: Trouble
) -> None:
    meter, device = await meter_of(simulate, connect, name)
    meter.timeout = 0.3
    meter.link.answer_within = 0.1  # type: ignore[attr-defined]
    await meter.close()
    before = await meter.read()
    device.trouble = trouble
    with pytest.raises((DeviceTimeout, DeviceUnreachable, InvalidReply)) as error:
        await meter.read()
    assert str(error.value)
    device.trouble = Trouble.NONE
    assert await meter.read() == before
    assert device.most_connections <= 2


async def test_a_meter_that_restarts(simulate: Simulate, connect: Connect) -> None:
    meter, device = await meter_of(simulate, connect)
    before = await meter.read()
    await device.stop()
    await device.start()
    assert await meter.read() == before
    await device.stop()
    with pytest.raises(DeviceUnreachable, match="connection"):
        await meter.read()
    await device.start()
    assert await meter.read() == before


async def test_nothing_is_there() -> None:
    meter = register_miner("abb-b23", host=loopback_address(), port=AT)
    with pytest.raises(DeviceUnreachable, match="connection refused"):
        await meter.connect()
    await meter.close()


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(body=st.binary(max_size=60))
async def test_any_bytes(simulate: Simulate, connect: Any, body: bytes) -> None:
    if not hasattr(connect, "pair"):
        connect.pair = await meter_of(simulate, connect)
    meter, device = connect.pair
    meter.timeout = 0.06
    meter.link.answer_within = 0.02
    await meter.close()
    device.body = body
    try:
        assert to_json(await meter.read())
    except MiningSDKError as error:
        assert str(error)
    finally:
        device.body = None


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    name=st.sampled_from(["abb-b23", "carlo-gavazzi-em24", "schneider-pm5340"]),
    words=st.lists(
        st.one_of(
            st.integers(0, 0xFFFF), st.sampled_from([0xFFFF, 0x7FFF, 0x8000, 0x7FC0])
        ),
        min_size=40,
        max_size=40,
    ),
)
async def test_any_registers(
    simulate: Simulate, connect: Any, name: str, words: list[int]
) -> None:
    """Whatever stands in the registers, a reading comes of it that JSON can hold."""
    pairs = connect.__dict__.setdefault("pairs", {})
    if name not in pairs:
        pairs[name] = await meter_of(simulate, connect, name)
    meter, device = pairs[name]
    for registers in (device.map.holding, device.map.input):
        for number, address in enumerate(sorted(registers)):
            if address < 0x8900:
                registers[address] = words[number % len(words)]
    stats = await meter.read()
    assert "NaN" not in to_json(stats)
    assert stats.power_factor is None or -1 <= stats.power_factor <= 1

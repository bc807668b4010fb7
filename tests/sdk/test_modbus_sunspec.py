"""Meters that describe themselves, and the thermometers of Seneca."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import pytest

from custom_components.miningsdk.sdk import (
    AnyDevice,
    DeviceKind,
    DeviceTimeout,
    DeviceUnreachable,
    Fault,
    InvalidReply,
    MeterStats,
    Reading,
    SensorStats,
    register_miner,
)
from tests.conftest import OFFSET, Simulate
from tests.simulators.base import Trouble
from tests.simulators.modbus import PORT, SimulatedModbus, UnitMap
from tests.simulators.seneca import SimulatedSeneca
from tests.simulators.sunspec import SimulatedSunSpec

type Connect = Callable[..., Awaitable[Any]]

READING = MeterStats(
    power=-1234.0,
    power_phase=(-400.0, -410.0, -424.0),
    voltage_phase=(231.4, 230.2, 229.8),
    current_phase=(1.75, 1.79, 1.86),
    power_reactive=-120.0,
    power_apparent=1240.0,
    power_factor=0.995,
    frequency=49.98,
    energy_import=890.0,
    energy_export=4567.0,
)


@pytest.fixture
async def connect() -> AsyncGenerator[Connect]:
    devices: list[AnyDevice] = []

    async def connected(name: str, device: SimulatedModbus, **options: Any) -> Any:
        options = {"port": PORT + OFFSET, "timeout": 1.0, **options}
        devices.append(register_miner(name, host=device.host, **options))
        return await devices[-1].connect()

    yield connected
    for made in devices:
        await made.close()


async def sunspec(simulate: Simulate, connect: Connect, **options: Any) -> Any:
    given: dict[str, Any] = {}
    for key, name in (("at", "base"), ("invert", "invert")):
        if key in options:
            given[name] = options.pop(key)
    device = await simulate(SimulatedSunSpec, alive=False, **options)
    return await connect("sunspec-meter", device, **given), device


@pytest.mark.parametrize("model", [203, 204, 213, 214])
@pytest.mark.parametrize("base", [40000, 50000, 0])
async def test_three_phases(
    simulate: Simulate, connect: Connect, model: int, base: int
) -> None:
    meter, device = await sunspec(simulate, connect, model=model, base=base)
    before = device.requests
    assert await meter.read() == READING
    assert device.requests - before == 1
    assert device.most_connections == 1
    # The marker, the chain of two models and its end, and the common model.
    assert before == [40000, 50000, 0].index(base) + 1 + 3 + 1


@pytest.mark.parametrize(("model", "phases"), [(201, 1), (202, 2), (211, 1), (212, 2)])
async def test_fewer_phases(
    simulate: Simulate, connect: Connect, model: int, phases: int
) -> None:
    meter, _ = await sunspec(simulate, connect, model=model)
    stats = await meter.read()
    assert stats.voltage_phase == READING.voltage_phase[:phases]
    assert stats.current_phase == READING.current_phase[:phases]
    assert stats.power_phase == READING.power_phase[:phases]
    assert stats.power == READING.power


async def test_who_it_is(simulate: Simulate, connect: Connect) -> None:
    meter, _ = await sunspec(simulate, connect)
    info = meter.info
    assert info.kind is DeviceKind.METER
    assert (info.make, info.model) == ("Fronius", "Smart Meter TS 65A-3")
    assert (info.serial_number, info.firmware_version) == ("16091234", "1.3")


@pytest.mark.parametrize("common", [65, 66])
async def test_other_models_stand_before_it(
    simulate: Simulate, connect: Connect, common: int
) -> None:
    meter, _ = await sunspec(
        simulate,
        connect,
        common_length=common,
        before=((103, 50), (120, 26), (160, 128)),
    )
    assert await meter.read() == READING
    assert meter.info.serial_number == "16091234"


async def test_any_base_address(simulate: Simulate, connect: Connect) -> None:
    meter, device = await sunspec(simulate, connect, base=1234, at=1234)
    assert await meter.read() == READING
    assert device.log[0] == (1, 3, 1234, 2)
    with pytest.raises(InvalidReply, match="no SunSpec marker"):
        await connect("sunspec-meter", device)


async def test_no_model_of_a_meter(simulate: Simulate, connect: Connect) -> None:
    device = await simulate(SimulatedSunSpec)
    device.map.put(device.start_of_model, (103,))
    with pytest.raises(InvalidReply, match="no SunSpec model is that of a meter"):
        await connect("sunspec-meter", device)


async def test_an_endless_chain(simulate: Simulate, connect: Connect) -> None:
    device = await simulate(SimulatedSunSpec)
    device.map.holding = dict.fromkeys(range(0x10000), 1)
    device.map.put(40000, (0x5375, 0x6E53))
    with pytest.raises(InvalidReply):
        await connect("sunspec-meter", device)
    assert device.requests < 60


async def test_what_is_not_implemented(simulate: Simulate, connect: Connect) -> None:
    nothing = (None, None, None)
    for model in (203, 213):
        meter, _ = await sunspec(
            simulate,
            connect,
            model=model,
            values={
                "voltage_phase": nothing,
                "power_apparent": None,
                "power_reactive": None,
                "power_factor": None,
                "energy_export": None,
            },
        )
        stats = await meter.read()
        assert stats == MeterStats(
            power=READING.power,
            power_phase=READING.power_phase,
            current_phase=READING.current_phase,
            frequency=READING.frequency,
            energy_import=READING.energy_import,
        )


async def test_a_factor_in_percent(simulate: Simulate, connect: Connect) -> None:
    meter, _ = await sunspec(
        simulate, connect, model=213, values={"power_factor": -98.5}
    )
    assert (await meter.read()).power_factor == -0.985


async def test_powers_of_ten(simulate: Simulate, connect: Connect) -> None:
    meter, device = await sunspec(simulate, connect)
    start = device.start_of_model
    device.map.put(start + 22, (3,))
    assert (await meter.read()).power == -1_234_000.0
    device.map.put(start + 22, (0x8000,))
    stats = await meter.read()
    assert stats.power is None
    assert stats.power_phase == ()
    assert set(stats.failed) == {"power", "power_phase"}
    device.map.put(start + 22, (77,))
    assert "power of ten" in (await meter.read()).failed["power"]
    assert (await meter.read()).frequency == READING.frequency


async def test_events_are_faults(simulate: Simulate, connect: Connect) -> None:
    for model in (203, 213):
        meter, device = await sunspec(
            simulate, connect, model=model, events=(1 << 5) | (1 << 16)
        )
        assert (await meter.read()).faults == (
            Fault(code="5", message="current too high"),
            Fault(code="16", message="event 1 of the maker"),
        )
        device.events = 0xFFFF_FFFF
        device.update()
        assert (await meter.read()).faults == ()


async def test_inverted(simulate: Simulate, connect: Connect) -> None:
    meter, _ = await sunspec(simulate, connect, invert=True)
    stats = await meter.read()
    assert stats.power == 1234.0
    assert stats.energy_import == READING.energy_export


async def test_a_device_that_was_replaced(simulate: Simulate, connect: Connect) -> None:
    """Another device may have its models elsewhere; they are looked for again."""
    meter, device = await sunspec(simulate, connect)
    assert await meter.read() == READING
    await device.stop()
    with pytest.raises(DeviceUnreachable):
        await meter.read()
    await simulate(
        SimulatedSunSpec,
        host=device.host,
        model=213,
        base=50000,
        serial="99990000",
        alive=False,
    )
    assert await meter.read() == READING
    assert meter.info.serial_number == "99990000"


async def test_it_is_alive(simulate: Simulate, connect: Connect) -> None:
    device = await simulate(SimulatedSunSpec)
    meter = await connect("sunspec-meter", device)
    assert (await meter.read()).power != (await meter.read()).power


@pytest.mark.parametrize("trouble", [t for t in Trouble if t is not Trouble.NONE])
async def test_trouble(simulate: Simulate, connect: Connect, trouble: Trouble) -> None:
    meter, device = await sunspec(simulate, connect)
    meter.timeout, meter.link.answer_within = 0.3, 0.1
    await meter.close()
    assert await meter.read() == READING
    device.trouble = trouble
    with pytest.raises((DeviceTimeout, DeviceUnreachable, InvalidReply)):
        await meter.read()
    device.trouble = Trouble.NONE
    assert await meter.read() == READING


# Seneca.


def temperature(channel: int, celsius: float | None) -> Reading:
    return Reading(
        key=f"temperature_{channel}",
        name=f"Temperature {channel}",
        value=celsius,
        unit="°C",
    )


async def test_thermometers(simulate: Simulate, connect: Connect) -> None:
    device = await simulate(SimulatedModbus)
    # 41.3, -7.4 (written by hand), broken, and -200.1, which no thermometer has.
    device.units[5] = UnitMap(holding={2: 413, 3: 0xFFB6, 4: 8500, 5: 0xF82F})
    sensor = await connect("seneca-z4rtd2", device, unit=5)
    assert sensor.info.kind is DeviceKind.SENSOR
    assert (sensor.info.make, sensor.info.model) == ("Seneca", "Z-4RTD-2")
    before = device.requests
    assert await sensor.read() == SensorStats(
        readings=(
            temperature(1, 41.3),
            temperature(2, -7.4),
            temperature(3, None),
            temperature(4, None),
        ),
        faults=(
            Fault(
                code="sensor_error",
                message="The thermometer of channel 3 is broken or not connected",
                component="channel 3",
            ),
        ),
        failed={"temperature_4": "-200.1 °C is out of range"},
    )
    assert device.requests - before == 1


async def test_registers_of_the_users_own(simulate: Simulate, connect: Connect) -> None:
    device = await simulate(
        SimulatedSeneca, temperatures=(10.0, 20.5), registers=(70, 99), alive=False
    )
    sensor = await connect("seneca-z4rtd2", device, registers=(70, 99))
    stats = await sensor.read()
    assert stats.readings == (temperature(1, 10.0), temperature(2, 20.5))
    assert stats.failed == {}


async def test_a_channel_that_is_not_there(
    simulate: Simulate, connect: Connect
) -> None:
    device = await simulate(
        SimulatedSeneca,
        temperatures=(41.3, 38.9, 22.5),
        registers=(2, 3, 4),
        alive=False,
    )
    sensor = await connect("seneca-z4rtd2", device)
    stats = await sensor.read()
    assert [reading.value for reading in stats.readings] == [41.3, 38.9, 22.5, None]
    assert list(stats.failed) == ["temperature_4"]


async def test_thermometers_are_alive(simulate: Simulate, connect: Connect) -> None:
    device = await simulate(SimulatedSeneca)
    sensor = await connect("seneca-z4rtd2", device)
    seen = {(await sensor.read()).readings[0].value for _ in range(8)}
    assert len(seen) > 1


async def test_no_thermometer_at_all(simulate: Simulate, connect: Connect) -> None:
    device = await simulate(SimulatedModbus)
    with pytest.raises(DeviceUnreachable, match="unit 1: the gateway"):
        await connect("seneca-z4rtd2", device)
    device.units[1] = UnitMap(exception=2)
    with pytest.raises(InvalidReply, match="illegal data address"):
        await connect("seneca-z4rtd2", device)

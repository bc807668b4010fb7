"""The Modbus link: one connection for all, and errors in our own words."""

import asyncio
from collections.abc import AsyncGenerator, Callable
import socket
import sys
from typing import Any

from homeassistant.components.modbus import async_get_unit
from homeassistant.core import HomeAssistant
from hypothesis import HealthCheck, given, settings, strategies as st
from modbus_connection import ModbusTcpParams
from modbus_connection.mock import MockModbusConnection, MockModbusUnit
from modbus_connection.tmodbus import ModbusConnection
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.miningsdk.sdk import (
    DeviceTimeout,
    DeviceUnreachable,
    InvalidReply,
    MiningSDKError,
    NotSupported,
)
from custom_components.miningsdk.sdk.transports import modbus
from custom_components.miningsdk.sdk.transports.modbus import (
    ModbusLink,
    Refused,
    Unit,
    UnitUnreachable,
    ask_identity,
    printable,
    probing,
)
from custom_components.miningsdk.sdk.transports.wire import Wire
from tests.conftest import OFFSET, Simulate, loopback_address
from tests.sdk.conftest import Python
from tests.sdk.fakes import SilentHosts
from tests.simulators.base import Trouble
from tests.simulators.modbus import PORT, SimulatedModbus, UnitMap

AT = PORT + OFFSET
type Links = Callable[..., ModbusLink]


@pytest.fixture
async def links() -> AsyncGenerator[Links]:
    """Return a function that makes links, which the end of the test closes."""
    made: list[ModbusLink] = []

    def link(host: str, *, timeout: float = 0.6, **options: Any) -> ModbusLink:
        wire = Wire(host=host, connect_timeout=0.3, timeout=timeout)
        made.append(ModbusLink(wire, AT, **options))
        return made[-1]

    yield link
    for opened in made:
        await opened.close()


@pytest.fixture
async def device(simulate: Simulate) -> SimulatedModbus:
    """Switch on a gateway with the units 1 and 7."""
    found: SimulatedModbus = await simulate(SimulatedModbus)
    found.units[1] = UnitMap(holding=dict.fromkeys(range(200), 11))
    found.units[7] = UnitMap(
        holding=dict.fromkeys(range(10), 77), input={0: 0xBEEF, 1: 5}
    )
    return found


async def read(unit: Unit, count: int = 2) -> list[int]:
    return await unit.read("holding", 0, count)


async def test_holding_and_input(device: SimulatedModbus, links: Links) -> None:
    unit = links(device.host).unit(7)
    assert await unit.read("holding", 3, 2) == [77, 77]
    assert await unit.read("input", 0, 2) == [0xBEEF, 5]
    assert device.log == [(7, 3, 3, 2), (7, 4, 0, 2)]


async def test_all_units_share_one_connection(
    device: SimulatedModbus, links: Links
) -> None:
    device.delay = 0.01
    first, second, other = links(device.host), links(device.host), links(device.host)
    answers = await asyncio.gather(
        *(read(link.unit(unit)) for link in (first, second, other) for unit in (1, 7))
    )
    assert answers == [[11, 11], [77, 77]] * 3
    assert device.accepted == device.most_connections == 1
    await first.close()
    await second.close()
    assert await read(other.unit(1)) == [11, 11]
    assert device.accepted == 1


async def test_the_last_one_closes_the_connection(
    device: SimulatedModbus, links: Links
) -> None:
    first, second = links(device.host), links(device.host)
    await read(first.unit(1))
    await read(second.unit(7))
    await first.close()
    await first.close()
    await asyncio.sleep(0.02)
    assert device.connections == 1
    await second.close()
    await asyncio.sleep(0.02)
    assert device.connections == 0
    assert not modbus._shared[asyncio.get_running_loop()]
    # Whoever is closed may go on all the same.
    assert await read(second.unit(7)) == [77, 77]
    assert device.accepted == 2


async def test_without_the_library(
    links: Links, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a Home Assistant whose Modbus integration was never used."""
    monkeypatch.setattr(modbus, "_library", None)
    monkeypatch.setitem(sys.modules, "modbus_connection.tmodbus", None)
    with pytest.raises(NotSupported, match="needs the package modbus_connection"):
        await read(links(loopback_address()).unit(1))


async def test_nothing_listens(links: Links) -> None:
    with pytest.raises(DeviceUnreachable, match="connection refused"):
        await read(links(loopback_address()).unit(1))


async def test_nothing_answers_the_connection(links: Links) -> None:
    host = loopback_address()
    with SilentHosts().add(host, AT):
        link = links(host)
        loop = asyncio.get_running_loop()
        started = loop.time()
        with pytest.raises(DeviceUnreachable, match="no connection in time"):
            await read(link.unit(1))
        assert loop.time() - started < 1
        # The second try does not open a second connection.
        with pytest.raises(DeviceUnreachable):
            await read(link.unit(1))
        await link.close()


async def test_a_host_without_a_name(links: Links) -> None:
    with pytest.raises(DeviceUnreachable):
        await read(links("meter.invalid").unit(1))


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 8, 42])
async def test_what_a_unit_refuses(
    device: SimulatedModbus, links: Links, code: int
) -> None:
    unit = links(device.host).unit(7)
    device.units[7].exception = code
    with pytest.raises(Refused, match=rf"unit 7: refused with exception {code}, ") as e:
        await read(unit)
    assert e.value.code == code
    device.units[7].exception = None
    assert await read(unit) == [77, 77]
    assert device.accepted == 1


@pytest.mark.parametrize(("code", "words"), [(10, "no path"), (11, "no answer")])
async def test_what_a_gateway_says_of_a_unit(
    device: SimulatedModbus, links: Links, code: int, words: str
) -> None:
    device.absent = code
    link = links(device.host)
    with pytest.raises(UnitUnreachable, match=f"unit 99: the gateway .*{words}"):
        await read(link.unit(99))
    assert device.requests == 1
    assert await read(link.unit(1)) == [11, 11]


async def test_a_busy_unit_is_asked_again(
    device: SimulatedModbus, links: Links
) -> None:
    device.busy = 1
    assert await read(links(device.host, timeout=5.0).unit(1)) == [11, 11]
    assert device.requests == 2


async def test_a_unit_that_stays_busy(device: SimulatedModbus, links: Links) -> None:
    unit = links(device.host).unit(7)
    device.units[7].exception = 6
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await read(unit)
    device.units[7].exception = None
    assert await read(unit) == [77, 77]


async def test_a_unit_that_is_not_there_keeps_silent(
    device: SimulatedModbus, links: Links
) -> None:
    device.absent = None
    link = links(device.host)
    with pytest.raises(DeviceTimeout, match=r"unit 9: no answer in time.*unit id"):
        await read(link.unit(9))
    assert await read(link.unit(1)) == [11, 11]


async def test_an_answer_of_another_unit(device: SimulatedModbus, links: Links) -> None:
    unit = links(device.host).unit(1)
    device.says_unit = 7
    with pytest.raises(InvalidReply, match="belongs to another unit"):
        await read(unit)
    device.says_unit = None
    assert await read(unit) == [11, 11]


async def test_an_answer_to_another_question(
    device: SimulatedModbus, links: Links
) -> None:
    unit = links(device.host).unit(1)
    device.says_transaction = 0x7777
    with pytest.raises(DeviceTimeout):
        await read(unit)
    device.says_transaction = None
    assert await read(unit) == [11, 11]


async def test_a_gateway_that_ignores_the_unit_id(
    device: SimulatedModbus, links: Links
) -> None:
    """Nothing on the wire shows it; who the unit is must."""
    device.stands_in = 7
    assert await read(links(device.host).unit(200)) == [77, 77]


@pytest.mark.parametrize("size", [1, 3, 8])
async def test_answers_in_pieces(
    device: SimulatedModbus, links: Links, size: int
) -> None:
    device.chunk = size
    unit = links(device.host).unit(1)
    for _ in range(3):
        assert await read(unit, 100) == [11] * 100


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (Trouble.SILENT, DeviceTimeout),
        (Trouble.TRUNCATED, DeviceTimeout),
        (Trouble.GARBAGE, DeviceTimeout),
        (Trouble.HUGE, DeviceTimeout),
        (Trouble.RESET, DeviceUnreachable),
        (Trouble.CLOSED, DeviceUnreachable),
    ],
)
async def test_trouble_passes(
    device: SimulatedModbus, links: Links, trouble: Trouble, error: type[Exception]
) -> None:
    unit = links(device.host).unit(1)
    assert await read(unit) == [11, 11]
    device.trouble = trouble
    with pytest.raises(error, match="unit 1: "):
        await read(unit)
    device.trouble = Trouble.NONE
    assert await read(unit) == [11, 11]
    # A device that hangs does not notice that its connection was closed.
    assert device.most_connections == 1 + (trouble is Trouble.SILENT)


async def test_too_few_registers(device: SimulatedModbus, links: Links) -> None:
    unit = links(device.host).unit(1)
    device.body = b"\x00\x01\x00\x00\x00\x05\x01\x03\x02\x00\x0b"
    with pytest.raises(InvalidReply):
        await read(unit)
    device.body = None
    assert await read(unit) == [11, 11]


async def test_a_restart_goes_unnoticed(device: SimulatedModbus, links: Links) -> None:
    unit = links(device.host).unit(1)
    assert await read(unit) == [11, 11]
    await device.stop()
    await device.start()
    assert await read(unit) == [11, 11]
    assert device.accepted == 2


async def test_a_restart_that_takes_a_while(
    device: SimulatedModbus, links: Links
) -> None:
    unit = links(device.host).unit(1)
    assert await read(unit) == [11, 11]
    await device.stop()
    with pytest.raises(DeviceUnreachable):
        await read(unit)
    with pytest.raises(DeviceUnreachable, match="connection refused"):
        await read(unit)
    await device.start()
    assert await read(unit) == [11, 11]


async def test_writing(device: SimulatedModbus, links: Links) -> None:
    written: list[tuple[int, list[int]]] = []
    device.units[1].on_write = lambda *what: written.append(what)
    unit = links(device.host).unit(1)
    await unit.write(4, 5)
    await unit.write_many(8, [1, 2, 3])
    assert written == [(4, [5]), (8, [1, 2, 3])]
    assert [function for _, function, *_ in device.log] == [6, 16]


async def test_a_write_is_never_tried_twice(
    device: SimulatedModbus, links: Links
) -> None:
    device.units[1].on_write = lambda *_: None
    unit = links(device.host).unit(1)
    await read(unit)
    device.trouble = Trouble.RESET
    with pytest.raises(DeviceUnreachable):
        await unit.write(4, 5)
    assert [function for _, function, *_ in device.log] == [3, 6]


async def test_identification(device: SimulatedModbus, links: Links) -> None:
    device.units[1].identification = {
        0: b"Maker \x00",
        1: b"M-1",
        2: b"V1.2",
        5: b"is not basic",
    }
    assert await links(device.host).unit(1).identification() == {
        0: "Maker",
        1: "M-1",
        2: "V1.2",
    }
    with pytest.raises(Refused) as error:
        await links(device.host).unit(7).identification()
    assert error.value.code == 1
    wire = Wire(host=device.host, timeout=1.0)
    assert await ask_identity(wire, AT) == "Maker\nM-1\nV1.2"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"B23 ", "B23"),
        (b"EM24\x00\x00", "EM24"),
        (b"\xff\xff", ""),
        (b"", ""),
        (b"\x01\x02", ""),
        (b"a\xe9", ""),
        (b"two\x00words", "twowords"),
    ],
)
def test_printable(raw: bytes, text: str) -> None:
    assert printable(raw) == text


async def test_questions_share_a_connection_and_give_up_on_silence(
    device: SimulatedModbus,
) -> None:
    device.absent = None
    del device.units[1]
    wire = Wire(host=device.host, timeout=0.3)

    async def ask(address: int) -> list[int]:
        async with probing(wire, AT) as unit:
            return await unit.read("holding", address, 1)

    answers = await asyncio.gather(*map(ask, range(5)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [DeviceTimeout] * 5
    assert device.requests == 1
    assert device.accepted == 1
    device.units[1] = UnitMap(holding={0: 1, 1: 2})
    assert list(await asyncio.gather(ask(0), ask(1))) == [[1], [2]]


async def test_silence_to_an_unknown_function_proves_nothing(
    device: SimulatedModbus, links: Links, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gateways to serial lines may swallow function 43; the unit is there."""
    handle = device._handle
    monkeypatch.setattr(
        device,
        "_handle",
        lambda unit, pdu: None if pdu[0] == 0x2B else handle(unit, pdu),
    )
    wire = Wire(host=device.host, timeout=0.3)

    async def ask() -> list[int]:
        async with probing(wire, AT) as unit:
            return await unit.read("holding", 0, 1)

    identity, answer = await asyncio.gather(
        ask_identity(wire, AT), ask(), return_exceptions=True
    )
    assert isinstance(identity, DeviceTimeout)
    assert answer == [11]


async def test_a_silent_unit_is_asked_again_later(
    device: SimulatedModbus, links: Links, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = links(device.host, timeout=0.2)
    device.absent = None
    with pytest.raises(DeviceTimeout):
        await read(link.unit(5, hasty=True))
    device.units[5] = UnitMap(holding={0: 1, 1: 2})
    with pytest.raises(DeviceTimeout):
        await read(link.unit(5, hasty=True))
    # Nobody else has to wait for that.
    assert await read(link.unit(5)) == [1, 2]
    monkeypatch.setattr(modbus, "_SILENT_FOR", 0.0)
    assert await read(link.unit(5, hasty=True)) == [1, 2]


async def test_the_connection_that_home_assistant_shares(
    hass: HomeAssistant, device: SimulatedModbus, links: Links
) -> None:
    entries = [MockConfigEntry(domain=domain) for domain in ("miningsdk", "other")]
    params = ModbusTcpParams(host=device.host, port=AT)
    for entry in entries:
        entry.add_to_hass(hass)

    def provide(host: str, port: int, unit: int) -> Any:
        return async_get_unit(
            hass, entries[0], ModbusTcpParams(host=host, port=port), unit
        )

    link = links(device.host, provider=provide)
    theirs = async_get_unit(hass, entries[1], params, 7)
    assert await read(link.unit(1)) == [11, 11]
    assert await theirs.read_holding_registers(0, 1) == [77]
    assert device.accepted == device.most_connections == 1
    await link.close()
    for entry in entries:
        await entry._async_process_on_unload(hass)
    await asyncio.sleep(0.02)
    assert device.connections == 0


async def test_a_connection_of_somebody_else(
    device: SimulatedModbus, links: Links
) -> None:
    """Home Assistant hands in units of the connection that its integrations share."""
    theirs = ModbusConnection(ModbusTcpParams(host=device.host, port=AT))
    asked: list[tuple[str, int, int]] = []

    def provide(host: str, port: int, unit: int) -> Any:
        asked.append((host, port, unit))
        return theirs.for_unit(unit)

    link = links(device.host, provider=provide)
    assert await read(link.unit(1)) == [11, 11]
    assert await read(link.unit(1)) == [11, 11]
    assert await read(link.unit(7)) == [77, 77]
    assert asked == [(device.host, AT, 1), (device.host, AT, 7)]
    assert link.shared is None
    await link.close()
    assert theirs.connected
    await theirs.for_unit(1).read_holding_registers(0, 1)
    assert device.accepted == 1
    await theirs.close()
    with pytest.raises(DeviceUnreachable):
        await read(link.unit(1))


async def test_what_is_asked_of_the_connection_is_withdrawn(links: Links) -> None:
    mock = MockModbusConnection()
    unit: MockModbusUnit = mock.for_unit(4)
    unit.holding = {0: [1, 2]}
    link = links("h", timeout=4.0, provider=lambda *_: unit)
    assert await read(link.unit(4)) == [1, 2]
    assert unit.required_timeout == 2.0
    await link.close()
    assert unit.required_timeout is None


async def test_a_connection_of_somebody_else_that_does_not_stand(
    links: Links,
) -> None:
    host = loopback_address()
    with SilentHosts().add(host, AT):
        theirs = ModbusConnection(ModbusTcpParams(host=host, port=AT))
        link = links(host, provider=lambda *_: theirs.for_unit(1))
        with pytest.raises(DeviceUnreachable, match="no connection in time"):
            await read(link.unit(1))
    task = theirs._connect_task
    assert task is not None
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    pdu=st.binary(max_size=40),
    unit=st.sampled_from([1, 1, 1, 2]),
    transaction=st.sampled_from([0, 0, 0, 1]),
)
async def test_any_answer(
    device: SimulatedModbus, links: Links, pdu: bytes, unit: int, transaction: int
) -> None:
    """Whatever follows the header ends in an error of ours or in registers."""
    link = links(device.host, timeout=0.02)
    await read(link.unit(1))
    shared = link.shared
    assert shared is not None
    client: Any = shared.connection._client
    number = client.transport.base_transport._protocol._next_transaction_id
    header = (number + transaction).to_bytes(2, "big") + b"\x00\x00"
    device.body = header + (len(pdu) + 1).to_bytes(2, "big") + bytes([unit]) + pdu
    try:
        assert len(await read(link.unit(1))) == 2
    except MiningSDKError as error:
        assert str(error)
    finally:
        device.body = None
    await link.close()


def test_the_library_is_only_loaded_when_it_is_used(installed: Python) -> None:
    done = installed(
        "-c",
        "import sys, miningsdk; from miningsdk.registry import drivers; "
        "assert any(driver.name == 'abb-b23' for driver in drivers()); "
        "found = {'modbus_connection', 'tmodbus'} & set(sys.modules); "
        "assert not found, found",
    )
    assert done.returncode == 0, done.stderr


def test_port_is_free_for_ordinary_users() -> None:
    with socket.socket() as sock:
        sock.bind((loopback_address(), AT))

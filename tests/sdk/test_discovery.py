"""Finding devices and telling what they are."""

import asyncio
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import aclosing
import errno
import ipaddress
from pathlib import Path
import socket
import time
from typing import Any, override

import aiohttp
import ifaddr
import pytest
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from custom_components.miningsdk.sdk import (
    AnyDevice,
    DeviceInfo,
    DeviceTimeout,
    DeviceUnreachable,
    MiningSDKError,
    NotSupported,
    ScanProgress,
    _scan_ports,
    connect,
    discovery,
    identify,
    registry,
    scan,
)
from custom_components.miningsdk.sdk._scan_listen import is_local, local_networks
from custom_components.miningsdk.sdk.targets import (
    Target,
)
from custom_components.miningsdk.sdk.transports.wire import Probe, Wire
from tests.conftest import OFFSET, Simulate, loopback_address
from tests.sdk.fakes import (
    FAKES,
    OTHER_PORT,
    PAGE_PORT,
    SOCKET_PORT,
    FakeDevice,
    OtherDevice,
    SecretMiner,
    SilentHosts,
    StockMiner,
)
from tests.simulators.base import Trouble

ALL_PORTS = (PAGE_PORT, SOCKET_PORT, OTHER_PORT)


@pytest.fixture(autouse=True)
def only_fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Know the invented families only."""
    monkeypatch.setattr(registry, "_loaded", True)
    monkeypatch.setattr(registry, "_drivers", {fake.name: fake for fake in FAKES})


@pytest.fixture
def expected_lingering_timers() -> bool:
    """Allow zeroconf the timer that it leaves behind when it is closed."""
    return True


@pytest.fixture
def silent() -> Generator[SilentHosts]:
    with SilentHosts() as hosts:
        yield hosts


@pytest.fixture
async def nothing_left() -> AsyncGenerator[None]:
    """Check that no task and no socket outlives the test."""
    await asyncio.sleep(0)
    files = open_files()
    yield
    # Closed transports let go of their sockets in a later round of the loop.
    for _ in range(10):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert open_files() <= files


def open_files() -> int:
    return sum(1 for _ in Path("/dev/fd").iterdir())


def hosts(count: int) -> str:
    """Return a range of loopback addresses that nobody else uses."""
    first = ipaddress.ip_address(loopback_address())
    for _ in range(count - 1):
        last = loopback_address()
    return f"{first}-{last}"


async def found_by(*args: Any, **options: Any) -> list[DeviceInfo]:
    options.setdefault("connect_timeout", 20)
    options.setdefault("second_timeout", None)
    return [info async for info in scan(*args, **options)]


# One device.


async def test_connect_tells_custom_from_stock_firmware(simulate: Simulate) -> None:
    stock = await simulate(FakeDevice)
    custom = await simulate(FakeDevice, firmware="custom")
    async with await connect(stock.address) as device:
        assert device.info.driver == "fakestock"
        assert device.info.port == PAGE_PORT + OFFSET
        assert (await device.read()).power == 3010
    async with await connect(custom.address) as device:
        assert device.info.driver == "fakecustom"


async def test_every_question_is_asked_once(simulate: Simulate) -> None:
    device = await simulate(FakeDevice)
    found = await identify(device.host, port=device.port(PAGE_PORT))
    assert found is not None
    assert (found.driver, found.score) == (StockMiner, 50)
    assert sorted(device.asked) == ["info", "page"]


async def test_connect_at_the_usual_ports(simulate: Simulate) -> None:
    simulated = await simulate(FakeDevice, offset=0)
    async with await connect(simulated.host) as device:
        assert device.info.host == simulated.host
        assert device.info.port is None
        assert device.info.serial_number == "FAKE0001"


async def test_connect_by_the_second_port(simulate: Simulate) -> None:
    simulated = await simulate(FakeDevice)
    port = simulated.port(SOCKET_PORT)
    async with await connect(simulated.host, port=port) as device:
        assert device.port == simulated.port(PAGE_PORT)


@pytest.mark.parametrize(
    "typed", ["127.0.0.1:{}", "localhost:{}", "http://localhost:{}/"]
)
async def test_connect_by_name(simulate: Simulate, typed: str) -> None:
    simulated = await simulate(FakeDevice, host="127.0.0.1", offset=3000)
    async with await connect(typed.format(simulated.port(PAGE_PORT))) as device:
        assert device.info.serial_number == "FAKE0001"


async def test_connect_over_ipv6(simulate: Simulate) -> None:
    simulated = await simulate(FakeDevice, host="::1", offset=3300)
    async with await connect(f"[::1]:{simulated.port(PAGE_PORT)}") as device:
        assert device.info.host == "::1"
        assert (await device.read()).status == "mining"


async def test_connect_to_another_family(simulate: Simulate) -> None:
    simulated = await simulate(OtherDevice, firmware="other")
    async with await connect(simulated.address) as device:
        assert device.info.driver == "fakeother"


async def test_a_named_driver_needs_no_questions(simulate: Simulate) -> None:
    simulated = await simulate(FakeDevice, firmware="custom")
    async with await connect(simulated.address, driver="fakeminer-f7") as device:
        assert device.info.driver == "fakestock"
        # The device's own word counts more than the name it was given.
        assert device.info.model == "F1"
    assert "page" not in simulated.asked


async def test_an_unknown_driver() -> None:
    with pytest.raises(NotSupported, match="no driver named 'nonsense'"):
        await connect("127.0.0.1", driver="nonsense")


async def test_a_given_session_is_used_and_stays_open(simulate: Simulate) -> None:
    simulated = await simulate(FakeDevice)
    async with aiohttp.ClientSession() as session:
        async with await connect(simulated.address, session=session) as device:
            assert device.wire.get_session() is session
        assert not session.closed


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("port", [None, PAGE_PORT + OFFSET])
async def test_nothing_answers(port: int | None) -> None:
    host = loopback_address()
    with pytest.raises(DeviceUnreachable, match=rf"{host}.*connection refused"):
        await connect(host, port=port)


async def test_a_silent_host(silent: SilentHosts) -> None:
    host = loopback_address()
    silent.add(host, *ALL_PORTS)
    with pytest.raises(DeviceUnreachable, match="no answer in time"):
        await connect(host, connect_timeout=0.1)


async def test_an_unknown_name(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nobody(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", nobody)
    with pytest.raises(DeviceUnreachable, match=r"miner\.invalid: unknown host name"):
        await connect("miner.invalid")


async def test_a_device_of_nobody(simulate: Simulate) -> None:
    simulated = await simulate(FakeDevice, firmware="toaster")
    with pytest.raises(NotSupported, match="is no device we know"):
        await connect(simulated.address)


@pytest.mark.usefixtures("nothing_left")
async def test_a_device_that_hangs(simulate: Simulate) -> None:
    simulated = await simulate(FakeDevice)
    simulated.trouble = Trouble.SILENT
    with pytest.raises(DeviceTimeout):
        await connect(simulated.address, timeout=0.2)
    await simulated.stop()


@pytest.mark.usefixtures("nothing_left")
async def test_a_device_that_is_known_but_denies_itself(simulate: Simulate) -> None:
    simulated = await simulate(FakeDevice, firmware="secret", password="right")
    with pytest.raises(MiningSDKError, match="wants a password"):
        await connect(simulated.address, password="wrong")
    await simulated.stop()


async def test_a_faulty_driver_does_not_hide_the_others(
    simulate: Simulate, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(_wire: Wire, _port: int) -> str:
        raise KeyError("bug")

    class Faulty(StockMiner):
        name = "afaulty"
        probes = (*StockMiner.probes, Probe("broken", PAGE_PORT, broken))

        @classmethod
        @override
        def recognise(cls, evidence: Mapping[Probe, str]) -> int:
            raise RuntimeError("bug")

    registry.register(Faulty)
    simulated = await simulate(FakeDevice)
    async with await connect(simulated.address) as device:
        assert device.info.driver == "fakestock"
    assert "The driver afaulty failed" in caplog.text
    assert "The question broken failed" in caplog.text


# Many devices.


@pytest.mark.usefixtures("nothing_left")
async def test_scan_finds_all_families(simulate: Simulate) -> None:
    devices = [
        await simulate(FakeDevice, offset=0, serial="FAKE1"),
        await simulate(FakeDevice, offset=0, serial="FAKE2", firmware="custom"),
        await simulate(OtherDevice, offset=0, serial="FAKE3", firmware="other"),
        await simulate(FakeDevice, offset=0, serial="FAKE4", firmware="toaster"),
    ]
    found = await found_by(f"{devices[0].host}-{devices[-1].host}")
    assert {info.serial_number: info.driver for info in found} == {
        "FAKE1": "fakestock",
        "FAKE2": "fakecustom",
        "FAKE3": "fakeother",
    }
    assert all(info.port is None for info in found)
    for device in devices:
        await device.stop()


async def test_scan_with_a_port(simulate: Simulate) -> None:
    first = await simulate(FakeDevice, serial="FAKE1")
    second = await simulate(FakeDevice, serial="FAKE2", firmware="custom")
    found = await found_by(f"{first.host}-{second.host}:{first.port(PAGE_PORT)}")
    assert sorted((info.host, info.port, info.driver) for info in found) == sorted(
        [
            (first.host, first.port(PAGE_PORT), "fakestock"),
            (second.host, second.port(PAGE_PORT), "fakecustom"),
        ]
    )


async def test_scan_over_ipv6_and_by_name(simulate: Simulate) -> None:
    six = await simulate(FakeDevice, host="::1", offset=3200, serial="FAKE6")
    four = await simulate(FakeDevice, host="127.0.0.1", offset=3100)
    found = await found_by(
        [f"[::1]:{six.port(PAGE_PORT)}", f"localhost:{four.port(PAGE_PORT)}"]
    )
    assert {info.host for info in found} == {"::1", "localhost"}


async def test_one_device_with_two_addresses_is_found_once(simulate: Simulate) -> None:
    first = await simulate(FakeDevice, offset=0)
    second = await simulate(FakeDevice, offset=0)
    found = await found_by([first.host, second.host, first.host + f":{SOCKET_PORT}"])
    assert len(found) == 1


async def test_devices_without_a_serial_number_are_all_found(
    simulate: Simulate,
) -> None:
    first = await simulate(FakeDevice, serial=None)
    second = await simulate(FakeDevice, serial=None)
    third = await simulate(FakeDevice, serial=None, host=first.host, offset=OFFSET + 3)
    found = await found_by([first.address, second.address, third.address])
    assert len(found) == 3


async def test_a_device_that_denies_itself_is_still_found(simulate: Simulate) -> None:
    device = await simulate(FakeDevice, firmware="secret", password="right")
    (info,) = await found_by(device.address, password="wrong")
    assert (info.driver, info.make, info.firmware) == ("fakesecret", "Fake", "secret")
    assert (info.host, info.port) == (device.host, device.port(PAGE_PORT))
    assert info.serial_number is None
    (info,) = await found_by(device.address, password="right")
    assert info.serial_number == "FAKE0001"


@pytest.mark.parametrize("trouble", list(Trouble))
async def test_trouble_of_one_device_does_not_hide_another(
    simulate: Simulate, trouble: Trouble
) -> None:
    odd = await simulate(FakeDevice)
    good = await simulate(FakeDevice, serial="GOOD0001")
    odd.trouble = trouble
    found = await found_by([odd.address, good.address], timeout=0.3)
    assert "GOOD0001" in {info.serial_number for info in found}


async def test_scan_streams_what_it_finds(
    simulate: Simulate, silent: SilentHosts
) -> None:
    device = await simulate(FakeDevice)
    ports = [Target(loopback_address(), device.port(PAGE_PORT)) for _ in range(5)]
    for host, port in ports:
        assert port is not None
        silent.add(host, port)
    started = time.monotonic()
    search = scan([*ports, device.address], connect_timeout=30, second_timeout=None)
    async with aclosing(search):
        info = await anext(search)
    assert info.host == device.host
    assert time.monotonic() - started < 10


async def test_silent_hosts_are_asked_again(
    simulate: Simulate, silent: SilentHosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, refusing = loopback_address(), loopback_address()
    silent.add(host, *ALL_PORTS)
    states: list[ScanProgress] = []
    checked: list[tuple[str, float]] = []
    real = _scan_ports.check

    async def wake_up_late(asked: str, ports: Any, within: float) -> Any:
        if (asked, 0.1) in checked:
            silent.close()
            await simulate(FakeDevice, host=asked, offset=0)
        checked.append((asked, within))
        return await real(asked, ports, within)

    monkeypatch.setattr(discovery, "check", wake_up_late)
    (info,) = await found_by(
        [host, refusing],
        connect_timeout=0.1,
        second_timeout=5,
        progress=states.append,
    )
    assert info.host == host
    # The address that refused is not asked a second time.
    assert checked == [(host, 0.1), (refusing, 0.1), (host, 5)]
    assert [(state.done, state.total) for state in states] == [(1, 2), (2, 2), (1, 1)]
    assert [state.first_pass for state in states] == [True, True, False]
    assert states[-1].found == 1


async def test_without_a_second_pass(silent: SilentHosts) -> None:
    host = loopback_address()
    silent.add(host, *ALL_PORTS)
    states: list[ScanProgress] = []
    assert await found_by(host, connect_timeout=0.1, progress=states.append) == []
    assert states == [ScanProgress(done=1, total=1, found=0, first_pass=True)]


async def test_a_filtered_port_does_not_delay_much(
    simulate: Simulate, silent: SilentHosts
) -> None:
    device = await simulate(FakeDevice, offset=0)
    silent.add(device.host, OTHER_PORT)
    started = time.monotonic()
    (info,) = await found_by(device.host, connect_timeout=30)
    assert info.driver == "fakestock"
    assert time.monotonic() - started < 10


async def test_a_silent_network_is_scanned_in_one_timeout(
    silent: SilentHosts, simulate: Simulate
) -> None:
    device = await simulate(FakeDevice, offset=0)
    addresses = [loopback_address() for _ in range(200)]
    for host in addresses:
        silent.add(host, *ALL_PORTS)
    passed: list[float] = []
    started, cpu = time.monotonic(), time.process_time()

    def progress(state: ScanProgress) -> None:
        if state.first_pass and state.done == state.total:
            passed.append(time.monotonic() - started)

    found = await found_by(
        [device.host, *addresses], connect_timeout=0.5, progress=progress
    )
    assert len(found) == 1
    # Asked one after another, the hosts would take 100 s.
    assert 0.5 <= passed[0] < 5
    assert time.process_time() - cpu < 1


@pytest.mark.parametrize("concurrency", [1, 3])
async def test_no_more_hosts_at_once_than_asked_for(
    monkeypatch: pytest.MonkeyPatch, silent: SilentHosts, concurrency: int
) -> None:
    addresses = [loopback_address() for _ in range(6)]
    for host in addresses:
        silent.add(host, *ALL_PORTS)
    at_once, most = 0, 0
    real = _scan_ports.check

    async def spy(*args: Any) -> Any:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        try:
            return await real(*args)
        finally:
            at_once -= 1

    monkeypatch.setattr(discovery, "check", spy)
    await found_by(
        addresses, concurrency=concurrency, connect_timeout=0.02, second_timeout=0.05
    )
    assert most == concurrency


def test_fewer_hosts_at_once_when_few_files_may_be_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_scan_ports, "_files_left", lambda: 132)
    assert _scan_ports.hosts_at_once(256, 4) == 25
    assert _scan_ports.hosts_at_once(10, 4) == 10
    monkeypatch.setattr(_scan_ports, "_files_left", lambda: 3)
    assert _scan_ports.hosts_at_once(256, 4) == 1
    monkeypatch.setattr(_scan_ports, "_files_left", lambda: None)
    assert _scan_ports.hosts_at_once(256, 4) == 256


async def test_no_host_is_lost_when_files_run_out(
    monkeypatch: pytest.MonkeyPatch, simulate: Simulate
) -> None:
    devices = [
        await simulate(FakeDevice, serial=f"FAKE{n:04}", offset=0) for n in range(8)
    ]
    calls = 0

    class Scarce(socket.socket):
        def __init__(self, *args: Any, **more: Any) -> None:
            nonlocal calls
            calls += 1
            if calls % 3 == 0 and calls < 40:
                raise OSError(errno.EMFILE, "Too many open files")
            super().__init__(*args, **more)

    monkeypatch.setattr(socket, "socket", Scarce)
    monkeypatch.setattr(_scan_ports, "_FILES_EVERY", 0.001)
    found = await found_by([device.host for device in devices])
    assert len(found) == 8
    assert calls > 40


async def test_files_that_never_come_back_are_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def none_left(*_: object) -> None:
        raise OSError(errno.ENFILE, "Too many open files in system")

    monkeypatch.setattr(socket, "socket", none_left)
    monkeypatch.setattr(_scan_ports, "_FILES_EVERY", 0.01)
    monkeypatch.setattr(_scan_ports, "_FILES_WITHIN", 0.02)
    with pytest.raises(DeviceUnreachable, match="too many open files in system"):
        await identify(loopback_address())


async def test_a_question_waits_for_files(
    monkeypatch: pytest.MonkeyPatch, simulate: Simulate
) -> None:
    real, tries = StockMiner.probes[1].ask, 0

    async def scarce(wire: Wire, port: int) -> str:
        nonlocal tries
        tries += 1
        if tries < 3:
            try:
                raise OSError(errno.EMFILE, "Too many open files")
            except OSError as error:
                raise wire.unreachable(port, error) from None
        return await real(wire, port)

    probe = Probe("scarce", SOCKET_PORT, scarce)

    class Scarce(StockMiner):
        name = "scarce"
        probes = (probe,)

        @classmethod
        @override
        def recognise(cls, evidence: Mapping[Probe, str]) -> int:
            return 99 if probe in evidence else 0

    registry.register(Scarce)
    simulated = await simulate(FakeDevice)
    found = await identify(simulated.host, port=simulated.port(PAGE_PORT))
    assert found is not None
    assert found.driver is Scarce
    assert tries == 3


# What a scan leaves behind.


@pytest.mark.usefixtures("nothing_left")
async def test_a_scan_that_is_given_up(simulate: Simulate, silent: SilentHosts) -> None:
    device = await simulate(FakeDevice)
    hanging = await simulate(FakeDevice)
    hanging.trouble = Trouble.SILENT
    host = loopback_address()
    silent.add(host, *ALL_PORTS)
    search = scan([host, hanging.address, device.address], connect_timeout=30)
    async with aclosing(search):
        async for info in search:
            assert info.host == device.host
            break
    silent.close()
    await hanging.stop()
    await device.stop()


@pytest.mark.usefixtures("nothing_left")
async def test_a_scan_that_is_cancelled(silent: SilentHosts) -> None:
    host = loopback_address()
    silent.add(host, *ALL_PORTS)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await found_by(host, connect_timeout=30)
    silent.close()


@pytest.mark.usefixtures("nothing_left")
async def test_a_scan_that_is_never_begun() -> None:
    await scan("127.0.0.1").aclose()


@pytest.mark.usefixtures("nothing_left")
async def test_an_error_of_the_caller_ends_the_scan() -> None:
    def progress(_: ScanProgress) -> None:
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup) as caught:
        await found_by(hosts(4), progress=progress)
    assert caught.group_contains(ZeroDivisionError)


async def test_an_odd_error_of_one_host_does_not_end_the_scan(
    monkeypatch: pytest.MonkeyPatch,
    simulate: Simulate,
    caplog: pytest.LogCaptureFixture,
) -> None:
    odd = await simulate(FakeDevice, serial="ODD00001")
    good = await simulate(FakeDevice, serial="GOOD0001")
    real = StockMiner.connect

    async def connect_oddly(device: StockMiner) -> AnyDevice:
        if device.host == odd.host:
            raise KeyError("bug")
        return await real(device)

    monkeypatch.setattr(StockMiner, "connect", connect_oddly)
    found = await found_by([odd.address, good.address])
    assert [info.serial_number for info in found] == ["GOOD0001"]
    assert f"Looking at {odd.host} failed" in caplog.text


async def test_a_given_session_stays_open_after_a_scan(simulate: Simulate) -> None:
    simulated = await simulate(FakeDevice)
    async with aiohttp.ClientSession() as session:
        assert len(await found_by(simulated.address, session=session)) == 1
        assert not session.closed


async def test_no_targets() -> None:
    assert await found_by([]) == []


# Announcements.


@pytest.fixture
def loopback_adapter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Say that this machine has no network but the loopback one."""
    ips = [
        ifaddr.IP("127.0.0.1", 8, "lo"),
        ifaddr.IP(("::1", 0, 0), 128, "lo"),
        ifaddr.IP("odd", 8, "lo"),
    ]
    adapter = ifaddr.Adapter("lo", "lo", ips, index=1)
    monkeypatch.setattr(ifaddr, "get_adapters", lambda: [adapter])


@pytest.fixture
async def announcer(loopback_adapter: None) -> AsyncGenerator[AsyncZeroconf]:
    async with AsyncZeroconf(interfaces=["127.0.0.1"]) as zeroconf:
        yield zeroconf


async def announce(
    announcer: AsyncZeroconf, address: str, port: int, name: str = "Fake"
) -> None:
    kind = SecretMiner.zeroconf_types[0]
    info = AsyncServiceInfo(
        kind,
        f"{name}.{kind}",
        parsed_addresses=[address],
        port=port,
        server=f"{name}.local.",
    )
    await (await announcer.async_register_service(info, cooperating_responders=True))


@pytest.mark.parametrize("give_instance", [False, True])
async def test_scan_hears_announcements(
    simulate: Simulate,
    announcer: AsyncZeroconf,
    monkeypatch: pytest.MonkeyPatch,
    give_instance: bool,
) -> None:
    checked: list[str] = []
    real = _scan_ports.check

    async def spy(host: str, *more: Any) -> Any:
        checked.append(host)
        return await real(host, *more)

    monkeypatch.setattr(discovery, "check", spy)
    monkeypatch.setattr(discovery, "_LISTEN_AT_LEAST", 15)
    device = await simulate(FakeDevice, firmware="secret", password="right")
    await announce(announcer, "203.0.113.7", PAGE_PORT, "Foreign")
    await announce(announcer, device.host, device.port(PAGE_PORT), "Near")
    target = loopback_address()
    search = scan(
        target,
        password="right",
        listen=not give_instance,
        zeroconf=announcer if give_instance else None,
    )
    async with aclosing(search):
        info = await anext(search)
    assert (info.driver, info.host) == ("fakesecret", device.host)
    # It was not among the targets, so the password was not for it.
    assert set(device.passwords) == {None}
    # Anybody may announce any address; one of another network is not believed.
    assert sorted(checked) == sorted([target, device.host])
    assert not announcer.zeroconf.done


async def test_what_is_both_heard_and_found_comes_once(
    simulate: Simulate, announcer: AsyncZeroconf
) -> None:
    device = await simulate(FakeDevice, firmware="secret", password="right", offset=0)
    await announce(announcer, device.host, PAGE_PORT)
    (info,) = await found_by(device.host, password="right", listen=True)
    assert info.serial_number == "FAKE0001"


async def test_a_scan_without_multicast_still_scans(
    simulate: Simulate,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def no_network(*_: object, **__: object) -> None:
        raise OSError(errno.ENODEV, "No such device")

    monkeypatch.setattr("zeroconf.asyncio.AsyncZeroconf.__init__", no_network)
    monkeypatch.setattr(discovery, "_LISTEN_AT_LEAST", 0)
    device = await simulate(FakeDevice)
    assert len(await found_by(device.address, listen=True)) == 1
    assert "Not listening for announcements" in caplog.text


@pytest.mark.usefixtures("loopback_adapter")
def test_local_networks() -> None:
    networks = local_networks()
    assert is_local("127.9.9.9", networks)
    assert is_local("::1", networks)
    assert not is_local("203.0.113.7", networks)
    assert not is_local("miner.local", networks)
    six = [ipaddress.ip_network("fe80::/64"), ipaddress.ip_network("10.0.0.0/24")]
    assert is_local("fe80::5%eth0", six)
    assert is_local("10.0.0.7", six)
    assert not is_local("10.0.1.7", six)

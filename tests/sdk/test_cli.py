"""The command line, over simulated devices."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
import io
import json
from pathlib import Path
import threading
import tomllib
from typing import Any, cast, override

import pytest
from rich.console import Console

from custom_components.miningsdk.sdk import (
    AnyDevice,
    ContainerStats,
    DeviceInfo,
    DeviceKind,
    MeterStats,
    Miner,
    MinerSettings,
    MinerStats,
    ScanProgress,
    __version__,
    _cli_show as show,
    cli,
    registry,
)
from custom_components.miningsdk.sdk._cli_set import WrongUsage, pools_of
from custom_components.miningsdk.sdk.container import Container
from custom_components.miningsdk.sdk.device import Device
from tests.conftest import Simulate, loopback_address
from tests.sdk.conftest import Python
from tests.sdk.fakes import FAKES, PAGE_PORT, FakeDevice, StockMiner
from tests.simulators.base import Trouble

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


type Run = Callable[..., Awaitable[Outcome]]


@pytest.fixture(autouse=True)
def only_fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Know the invented families only, and no password of whoever runs the tests."""
    monkeypatch.setattr(registry, "_loaded", True)
    monkeypatch.setattr(registry, "_drivers", {fake.name: fake for fake in FAKES})
    monkeypatch.delenv("MININGSDK_PASSWORD", raising=False)
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs a command line and tells what came of it."""

    async def run(*words: str) -> Outcome:
        code = await asyncio.to_thread(cli.main, words)
        return Outcome(code, *capsys.readouterr())

    return run


# Scan.


async def test_scan_prints_a_list_of_devices(run: Run, simulate: Simulate) -> None:
    device = await simulate(FakeDevice)
    ghost = loopback_address()
    port = device.port(PAGE_PORT)
    done = await run("scan", f"{device.host}-{ghost}:{port}", "--json")
    assert done.code == 0
    (found,) = done.json
    assert found["kind"] == "miner"
    assert found["driver"] == "fakestock"
    assert found["host"] == device.host
    assert found["port"] == port
    assert found["serial_number"] == "FAKE0001"
    assert "power_limit" in found["capabilities"]
    assert found["limits"]["power_limit"]["maximum"] == 4000
    assert done.err == ""


async def test_scan_prints_a_table(run: Run, simulate: Simulate) -> None:
    device = await simulate(FakeDevice)
    done = await run("scan", device.address)
    assert done.code == 0
    assert device.address in done.out
    assert "FAKE0001" in done.out
    assert "1 found" in done.out


async def test_scan_that_finds_nothing(run: Run) -> None:
    assert await run("scan", loopback_address(), "--json") == Outcome(0, "[]\n", "")
    assert (await run("scan", loopback_address())).out == "nothing found\n"


async def test_scan_with_options(run: Run, simulate: Simulate) -> None:
    device = await simulate(FakeDevice, firmware="secret", password="right")
    words = ("--concurrency", "1", "--connect-timeout", "0.5", "--second-timeout", "0")
    done = await run(
        "scan", device.address, *words, "--password", "right", "--json", "--no-listen"
    )
    assert done.json[0]["serial_number"] == "FAKE0001"


@pytest.mark.parametrize(
    ("words", "listens"),
    [
        (("127.0.0.1",), False),
        (("127.0.0.1", "--listen"), True),
        (("127.0.0.1", "10.0.0.1"), True),
        (("10.0.0.1", "--no-listen"), False),
    ],
)
async def test_scan_listens_beyond_this_machine_only(
    run: Run, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], listens: bool
) -> None:
    options: dict[str, Any] = {}

    async def no_scan(_: object, **given: Any) -> AsyncGenerator[DeviceInfo]:
        options.update(given)
        for info in list[DeviceInfo]():
            yield info

    monkeypatch.setattr(cli, "scan", no_scan)
    await run("scan", *words)
    assert options["listen"] is listens


def test_progress_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(
        show,
        "Console",
        lambda **_: Console(file=terminal, force_terminal=True, width=100),
    )
    with show.progress() as bar:
        bar(ScanProgress(done=7, total=9, found=3, first_pass=True))
        bar(ScanProgress(done=1, total=4, found=3, first_pass=False))
    for thread in threading.enumerate():
        # The bar's own thread may take a moment to end.
        if type(thread).__name__ == "_RefreshThread":
            thread.join(5)
    shown = terminal.getvalue()
    assert "Asking silent ones again" in shown
    assert "1/4" in shown
    assert "3 found" in shown


# Read.


async def test_read_prints_one_document(run: Run, simulate: Simulate) -> None:
    device = await simulate(FakeDevice)
    done = await run("read", device.address, "--json")
    assert done.code == 0
    assert list(done.json) == ["info", "stats"]
    assert done.json["info"]["model"] == "F1"
    stats = done.json["stats"]
    assert stats["status"] == "mining"
    assert stats["hashrate"] == 100.5
    assert stats["power"] == 3010
    assert stats["temperature_chip"] is None
    assert [fan["speed"] for fan in stats["fans"]] == [4200, 4300]
    assert stats["failed"] == {}


async def test_read_prints_tables(run: Run, simulate: Simulate) -> None:
    device = await simulate(FakeDevice)
    device.faults = ["fan 1 [red]stuck[/red]\x1b[2J"]
    device.settings["pools"] = [("stratum+tcp://p.example:3333", "worker", "x")]
    done = await run("read", device.address)
    assert done.code == 0
    for expected in (
        device.address,
        "F1",
        "100.5 TH/s",
        "3,010 W",
        "29.95 J/TH",
        "4,200 rpm",
        "1d 2h 03m",
        "stratum+tcp://p.example:3333",
        "alive",
        "eco, turbo",
        "fan 1 [red]stuck[/red]?[2J",
    ):
        assert expected in done.out, expected
    assert "\x1b" not in done.out
    assert "temperature_chip" not in done.out


async def test_read_with_a_named_driver(run: Run, simulate: Simulate) -> None:
    device = await simulate(FakeDevice, firmware="custom")
    done = await run("read", device.address, "--driver", "fakestock", "--json")
    assert done.json["info"]["driver"] == "fakestock"


@pytest.mark.parametrize("by", ["option", "environment"])
async def test_read_with_a_password(
    run: Run, simulate: Simulate, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    device = await simulate(FakeDevice, password="right")
    words = ["read", device.address, "--json"]
    if by == "option":
        words += ["--password", "right", "--username", "root"]
    else:
        monkeypatch.setenv("MININGSDK_PASSWORD", "right")
    done = await run(*words)
    assert done.code == 0
    assert done.json["stats"]["status"] == "mining"
    assert "right" not in done.out


async def test_read_without_the_password(run: Run, simulate: Simulate) -> None:
    device = await simulate(FakeDevice, password="right")
    done = await run("read", device.address, "--password", "wrong", "--json")
    assert done == Outcome(1, "", "miningsdk: the device wants a password\n")


async def test_read_of_nobody(run: Run) -> None:
    host = loopback_address()
    done = await run("read", f"{host}:{PAGE_PORT}")
    assert done.code == 1
    assert done.out == ""
    assert done.err == f"miningsdk: {host} port {PAGE_PORT}: connection refused\n"


async def test_read_of_a_device_that_hangs(run: Run, simulate: Simulate) -> None:
    device = await simulate(FakeDevice)
    device.trouble = Trouble.SILENT
    done = await run(
        "read", device.address, "--driver", "fakestock", "--timeout", "0.2"
    )
    assert done.code == 1
    assert done.err.count("\n") == 1
    assert "within 0.2 s" in done.err


# Watch.


async def test_watch_prints_a_line_per_reading(run: Run, simulate: Simulate) -> None:
    first = await simulate(FakeDevice, serial="FAKE0001")
    second = await simulate(FakeDevice, serial="FAKE0002")
    done = await run(
        *("watch", first.address, second.address, "--json"),
        *("--interval", "0.01", "--count", "3"),
    )
    assert done.code == 0
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert [line["host"] for line in lines] == [first.address, second.address] * 3
    assert {line["info"]["serial_number"] for line in lines} == {"FAKE0001", "FAKE0002"}
    assert all(line["stats"]["power"] == 3010 for line in lines)
    times = [line["time"] for line in lines[::2]]
    assert times == sorted(times)
    assert all(time.endswith("Z") for time in times)
    # It is identified once, then only read.
    assert first.asked.count("page") == 1
    assert first.asked.count("stats") == 3


async def test_watch_goes_on_when_a_device_is_away(
    run: Run, simulate: Simulate
) -> None:
    device = await simulate(FakeDevice)
    away = f"{loopback_address()}:{PAGE_PORT}"
    done = await run("watch", device.address, away, "--count", "1", "--json")
    assert done.code == 1
    near, far = (json.loads(line) for line in done.out.splitlines())
    assert near["stats"]["status"] == "mining"
    assert "error" not in near
    assert far["stats"] is None
    assert far["info"] is None
    assert "connection refused" in far["error"]


async def test_watch_prints_tables(run: Run, simulate: Simulate) -> None:
    device = await simulate(FakeDevice)
    device.faults = ["a fan is stuck"]
    away = f"{loopback_address()}:{PAGE_PORT}"
    done = await run(
        "watch", device.address, away, "--count", "2", "--interval", "0.01"
    )
    assert done.code == 1
    assert done.out.count(device.address) == 2
    assert "100.5 TH/s" in done.out
    assert "a fan is stuck" in done.out
    assert "connection refused" in done.out


async def test_watch_on_a_terminal_stays_in_place(
    run: Run, simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(
        show,
        "Console",
        lambda **_: Console(file=terminal, force_terminal=True, width=150),
    )
    device = await simulate(FakeDevice)
    assert (
        await run("watch", device.address, "--count", "2", "--interval", "0")
    ).code == 0
    shown = terminal.getvalue()
    assert shown.count("3,010 W") >= 2
    # The cursor goes back up before the second table.
    assert "\x1b[1A" in shown


async def test_watch_of_no_address(run: Run) -> None:
    assert (await run("watch", "10.0.0.300", "--count", "1")).code == 2


# Set.


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        ("pause", "status", "paused"),
        ("resume", "status", "mining"),
        ("reboot", "reboot", True),
        ("restart", "restart", True),
        ("locate on", "locate", True),
        ("locate off", "locate", False),
        ("power-limit 2500", "power_limit", 2500),
        ("power-mode eco", "power_mode", "eco"),
        ("profile 100TH", "profile", "100TH"),
        ("throttle 80", "throttle", 80),
        ("fan 55.5", "fan", 55.5),
        ("fan auto", "fan", "auto"),
        ("target-temperature 60", "target_temperature", 60),
        ("frequency 525", "frequency", 525),
        ("voltage 1.15", "voltage", 1.15),
        (
            "pools stratum+tcp://a:1 me stratum+ssl://b:2 you secret",
            "pools",
            [["stratum+tcp://a:1", "me", "x"], ["stratum+ssl://b:2", "you", "secret"]],
        ),
    ],
)
async def test_set(
    run: Run, simulate: Simulate, words: str, name: str, value: object
) -> None:
    device = await simulate(FakeDevice)
    if words == "resume":
        device.status = "paused"
    done = await run("set", device.address, *words.split())
    assert (done.code, done.err) == (0, "")
    assert device.settings[name] == value
    action = words.split(maxsplit=1)[0]
    assert done.out.startswith(f"{device.host}: {action}")
    assert done.out.endswith("done\n")
    assert "secret" not in done.out


async def test_set_prints_json_wherever_the_option_stands(
    run: Run, simulate: Simulate
) -> None:
    device = await simulate(FakeDevice, password="right")
    for words in (
        ("--json", "--password", "right", device.address, "power-limit", "2500"),
        (device.address, "--json", "--password", "right", "power-limit", "2500"),
        (device.address, "power-limit", "2500", "--json", "--password", "right"),
        (device.address, "power-limit", "--password", "right", "--json", "2500"),
    ):
        done = await run("set", *words)
        assert done.code == 0, words
        assert done.json["info"]["serial_number"] == "FAKE0001"
        assert done.json["command"] == "power-limit"
        assert done.json["value"] == 2500
    done = await run(
        *("set", device.address, "pools", "tcp://a:1", "me", "geheim", "--json"),
        *("--password", "right"),
    )
    assert done.json["value"] == [{"url": "tcp://a:1", "user": "me"}]
    assert "geheim" not in done.out


async def test_set_that_is_refused(run: Run, simulate: Simulate) -> None:
    device = await simulate(FakeDevice)
    device.refuse = "not in this\nmood"
    done = await run("set", device.address, "pause", "--json")
    assert done.code == 1
    assert done.out == ""
    assert done.err == "miningsdk: the device refused: not in this?mood\n"


async def test_set_that_is_not_confirmed(run: Run, simulate: Simulate) -> None:
    device = await simulate(FakeDevice)
    device.ignore = True
    done = await run("set", device.address, "pause")
    assert done.code == 1
    assert "not confirmed" in done.err


@pytest.mark.parametrize(
    "words",
    [
        "power-limit 100",
        "power-mode warp",
        "fan 5",
        "pools a u b://b u c://c u d://d u",
    ],
)
async def test_set_of_what_the_device_does_not_take(
    run: Run, simulate: Simulate, words: str
) -> None:
    device = await simulate(FakeDevice)
    done = await run("set", device.address, *words.split())
    assert done.code == 1
    assert done.err.count("\n") == 1
    assert "set" not in device.asked


async def test_set_of_what_is_no_miner(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Meter(Device[MinerStats]):
        name = "fakemeter"
        kind = DeviceKind.METER
        default_port = 1

        @override
        async def _fetch_info(self) -> DeviceInfo:
            return self.info

        @override
        async def _fetch_stats(self, failed: dict[str, str]) -> MinerStats:
            return MinerStats()

    registry.register(Meter)
    done = await run("set", "127.0.0.1", "pause", "--driver", "fakemeter")
    assert (done.code, done.err) == (1, "miningsdk: meters take no pause\n")


@pytest.mark.parametrize(
    "words", [["u"], ["u", "n", "p", "q"], ["a://u", "b://v", "n"]]
)
def test_incomplete_pools(words: list[str]) -> None:
    with pytest.raises(WrongUsage):
        pools_of(words)


# Drivers and the rest.


async def test_drivers(run: Run) -> None:
    done = await run("drivers", "--json")
    assert done.code == 0
    known = {driver["name"]: driver for driver in done.json}
    assert set(known) == {fake.name for fake in FAKES}
    stock = known["fakestock"]
    assert stock["make"] == "Fake"
    assert stock["models"] == "F1, F2"
    assert stock["transport"] == "TCP 24129, JSON"
    assert stock["port"] == PAGE_PORT
    assert stock["needs_password"] == "control"
    assert {"pause", "power_limit", "fan", "pools"} <= set(stock["capabilities"])
    # A miner of ours has no such command.
    assert "board_enable" not in stock["capabilities"]
    done = await run("drivers")
    assert "fakecustom" in done.out
    assert "F1, F2" in done.out


def test_what_a_driver_can_do() -> None:
    class Reader(StockMiner):
        name = "reader"
        _pause = Miner._pause

    class Box(Container):
        name = "box"
        default_port = 1

        @override
        async def _set_cooling(self, on: bool) -> None:
            raise AssertionError

        @override
        async def _set_sockets(self, indexes: tuple[int, ...], on: bool) -> None:
            raise AssertionError

        @override
        async def _fetch_info(self) -> DeviceInfo:
            raise AssertionError

        @override
        async def _fetch_stats(self, failed: dict[str, str]) -> ContainerStats:
            raise AssertionError

    def capabilities(driver: type[AnyDevice]) -> set[object]:
        return set(cast("list[object]", show.describe_driver(driver)["capabilities"]))

    assert "pause" not in capabilities(Reader)
    assert "reboot" in capabilities(Reader)
    assert capabilities(Box) == {"cooling", "socket"}


@pytest.mark.parametrize(
    "words",
    [
        "",
        "nonsense",
        "scan",
        "scan 10.0.0.0/8",
        "scan 10.0.0.300",
        "scan 127.0.0.1 --concurrency 0",
        "scan 127.0.0.1 --connect-timeout 0",
        "scan 127.0.0.1 --second-timeout -1",
        "read",
        "read 127.0.0.1:99999",
        "read 127.0.0.1 --driver nonsense",
        "read 127.0.0.1 --timeout x",
        "read 127.0.0.1 --timeout nan",
        "watch 127.0.0.1 --count 0",
        "set 127.0.0.1",
        "set 127.0.0.1 explode",
        "set 127.0.0.1 locate maybe",
        "set 127.0.0.1 power-limit",
        "set 127.0.0.1 power-limit lots",
        "set 127.0.0.1 power-limit inf",
        "set 127.0.0.1 fan fast",
        "set 127.0.0.1 fan -1",
        "set 127.0.0.1 board 1",
        "set 127.0.0.1 board x on",
        "set 127.0.0.1 board -1 on",
        "set 127.0.0.1 board 1 maybe",
        "set 127.0.0.1 pools stratum+tcp://a:1",
        "drivers extra",
    ],
)
async def test_wrong_usage(run: Run, words: str) -> None:
    done = await run(*words.split())
    assert done.code == 2
    assert done.out == ""
    assert done.err


async def test_help_tells_of_exit_codes_and_the_password(run: Run) -> None:
    for words in (["--help"], ["read", "--help"], ["set", "--help"]):
        done = await run(*words)
        assert done.code == 0
        assert "MININGSDK_PASSWORD" in done.out
        assert "2 wrong usage" in done.out


async def test_help_does_not_show_the_password(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MININGSDK_PASSWORD", "geheim")
    assert "geheim" not in (await run("read", "--help")).out


async def test_version(run: Run) -> None:
    done = await run("--version")
    assert (done.code, done.out) == (0, f"miningsdk {__version__}\n")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project.get("version", __version__) == __version__


async def test_ctrl_c_is_quiet(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setitem(cli._COMMANDS, "drivers", interrupted)
    assert await run("drivers") == Outcome(130, "", "")


def test_values_for_people() -> None:
    assert show.text(None) == "-"
    assert show.text(()) == "-"
    assert show.text(True) == "yes"
    assert show.text(False) == "no"
    assert show.text(1_234_567) == "1,234,567"
    assert show.text(0.1 + 0.2) == "0.3"
    assert show.text(61.5, "°C") == "61.5 °C"
    assert show.text(125, "s") == "0h 02m 05s"
    assert show.text([{"url": "a", "user": "b"}]) == "a b"
    assert show.text("tab\there") == "tab?here"
    assert show.text(1.29042e10) == "12,904,200,000"
    assert show.text((229.5, None), "V") == "229.5 V, -"
    assert show.unit_of(MeterStats(), "frequency") == "Hz"
    assert show.unit_of(MinerSettings(), "frequency") == "MHz"
    assert show.unit_of(MinerStats(), "accepted") is None


def test_addresses_for_people() -> None:
    def at(host: str, port: int | None) -> str:
        info = DeviceInfo(kind=DeviceKind.MINER, driver="x", host=host, port=port)
        return show.address(info)

    assert at("10.0.0.1", None) == "10.0.0.1"
    assert at("10.0.0.1", 81) == "10.0.0.1:81"
    assert at("::1", 81) == "[::1]:81"


# The installed command, in a process of its own.


@pytest.mark.timeout(150)
def test_the_command_in_a_process(installed: Python) -> None:
    done = installed("-m", "miningsdk", "scan", loopback_address(), "--json")
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")


@pytest.mark.timeout(150)
def test_the_command_says_why_it_failed(installed: Python) -> None:
    host = loopback_address()
    done = installed("-m", "miningsdk", "read", f"{host}:1")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"miningsdk: {host} port 1: connection refused\n"


@pytest.mark.timeout(150)
def test_a_reader_that_goes_away(installed: Python) -> None:
    script = (
        "import os, sys; from miningsdk.cli import main;"
        "r, w = os.pipe(); os.dup2(w, 1); os.close(r); os.close(w);"
        "code = main(['drivers', '--json']);"
        "print(code, file=sys.stderr)"
    )
    done = installed("-c", script)
    assert done.stderr == "1\n"


@pytest.mark.timeout(150)
def test_importing_the_sdk_is_cheap(installed: Python) -> None:
    script = (
        "import aiohttp, sys, time; started = time.process_time();"
        "import miningsdk; took = time.process_time() - started;"
        "slow = {'rich', 'zeroconf', 'ifaddr', 'argparse', 'homeassistant'};"
        "print(took, *sorted(slow & set(sys.modules)))"
    )
    done = installed("-c", script)
    took, *loaded = done.stdout.split()
    assert loaded in ([], ["argparse"])
    assert float(took) < 0.25

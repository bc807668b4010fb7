"""The rules of the house, checked on the source itself."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from custom_components.miningsdk import sdk
from custom_components.miningsdk.sdk import (
    AnyDevice,
    Device,
    Miner,
    _cli_parser,
    economics,
)
from custom_components.miningsdk.sdk.registry import drivers, find

INTEGRATION = Path(__file__).parents[2] / "custom_components" / "miningsdk"
SDK = INTEGRATION / "sdk"
SOURCES = sorted(SDK.rglob("*.py"))
# Where a wire is named after the vendor whose firmware made it common.
WIRES = {"cgminer"}
# Words that are no vendor's name although a driver bears them.
COMMON = {"stock", "proto", *WIRES}
VENDORS = {
    "antminer",
    "auradine",
    "avalon",
    "axeos",
    "bitaxe",
    "bitmain",
    "braiins",
    "canaan",
    "elphapex",
    "futurebit",
    "goldshell",
    "iceriver",
    "luxos",
    "microbt",
    "nerdaxe",
    "nerdqaxe",
    "sealminer",
    "vnish",
    "whatsminer",
}


def relative(path: Path) -> str:
    return str(path.relative_to(INTEGRATION))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the level and name of each import, also of those inside functions."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.level, node.module or ""


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_the_sdk_stands_alone(path: Path) -> None:
    depth = len(path.relative_to(SDK).parts)
    for level, name in imports(path):
        top = name.partition(".")[0]
        assert level <= depth, "it imports from outside of the SDK"
        if level == 0:
            assert top not in {"homeassistant", "custom_components", "miningsdk"}
            assert top != "voluptuous"


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_arrows_point_one_way(path: Path) -> None:
    """Drivers know transports, transports know no driver, nobody knows the CLI."""
    room = path.relative_to(SDK).parts[0]
    for level, name in imports(path):
        if level == 0:
            continue
        if room == "transports":
            assert not name.startswith(("drivers", "device", "registry", "discovery"))
        if room == "drivers":
            assert not name.startswith(("discovery", "_scan", "registry"))
        if not room.startswith(("cli", "_cli", "__main__")):
            assert not name.startswith(("cli", "_cli"))


def code_words(path: Path) -> Iterator[str]:
    """Yield all names and texts of a module, without its docstrings."""
    module = tree(path)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(module)
        if isinstance(
            node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        )
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(module):
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str) and id(node) not in docstrings:
                yield node.value
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.alias | ast.arg | ast.keyword):
            yield getattr(node, "name", None) or getattr(node, "arg", None) or ""


def vendors() -> set[str]:
    known = set(VENDORS)
    for driver in drivers():
        for word in (driver.name, *driver.aliases, driver.make, driver.firmware):
            if word:
                known |= set(word.lower().split())
    # Short words and version marks stand in other words by chance.
    return {word for word in known - COMMON if len(word) > 4}


OUTSIDE = [
    path
    for path in sorted(INTEGRATION.rglob("*.py"))
    if not path.is_relative_to(SDK / "drivers")
]


@pytest.mark.parametrize("path", OUTSIDE, ids=relative)
def test_no_vendor_is_named_outside_of_its_driver(path: Path) -> None:
    known = vendors()
    for word in code_words(path):
        named = {vendor for vendor in known if vendor in word.lower()}
        assert not named, f"{word!r} belongs into a driver"


@pytest.mark.parametrize(
    "path",
    [p for p in OUTSIDE if p.is_relative_to(SDK) and p.parent.name != "transports"],
    ids=relative,
)
def test_no_port_is_named_outside_of_its_driver(path: Path) -> None:
    ports = {driver.default_port for driver in drivers()}
    ports |= {probe.port for driver in drivers() for probe in driver.probes}
    numbers = {
        node.value
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, int)
    }
    assert not numbers & {port for port in ports if port > 80}


DRIVERS = drivers()


def name_of(driver: type[AnyDevice]) -> str:
    return driver.name


@pytest.mark.parametrize("driver", DRIVERS, ids=name_of)
def test_a_driver_describes_itself(driver: type[AnyDevice]) -> None:
    assert driver.name == driver.name.lower()
    assert driver.name.replace("-", "").replace("_", "").isalnum()
    assert driver.models
    assert "\n" not in driver.models
    assert driver.transport
    assert "\n" not in driver.transport
    assert driver.needs_password in {"never", "control", "always"}
    assert 0 < driver.default_port <= 65_535
    assert driver.kind
    assert driver.__doc__
    assert all(kind.endswith("._tcp.local.") for kind in driver.zeroconf_types)


@pytest.mark.parametrize("driver", [d for d in DRIVERS if d.probes], ids=name_of)
def test_a_driver_can_be_identified(driver: type[AnyDevice]) -> None:
    assert driver.recognise({}) == 0
    nonsense = dict.fromkeys(driver.probes, "<html>\x00 nothing of ours {[")
    assert driver.recognise(nonsense) == 0


@pytest.mark.parametrize("driver", DRIVERS, ids=name_of)
def test_a_driver_is_found_by_its_names(driver: type[AnyDevice]) -> None:
    for name in (driver.name, *driver.aliases):
        assert find(name) == (driver, None)
        assert find(f" {name.upper()}-x1 ") == (driver, "X1")


# A value of each option that only some drivers take.
OPTIONS: dict[str, Any] = {
    "unit": 3,
    "invert": True,
    "allow_cooling": True,
    "topic": "C024_D40",
    "anonymous": True,
    "channel": 1,
    "base": 40_000,
    "table": [],
    "registers": (2, 3),
    "secure": True,
}


@pytest.mark.parametrize("driver", DRIVERS, ids=name_of)
def test_a_driver_takes_the_options_that_it_names(driver: type[AnyDevice]) -> None:
    options = driver.all_options()
    assert len(options) == len(set(options))
    driver("127.0.0.1", **{name: OPTIONS[name] for name in options})
    for name in set(OPTIONS) - set(options):
        with pytest.raises(TypeError, match=name):
            driver("127.0.0.1", **{name: OPTIONS[name]})


def test_the_command_line_has_all_options() -> None:
    assert set(_cli_parser.OPTIONS) == set(OPTIONS)
    assert {name for d in DRIVERS for name in d.all_options()} == set(OPTIONS)


def test_what_a_program_needs_is_exported() -> None:
    """All that the package names, and the base class and stats of every kind."""
    assert all(hasattr(sdk, name) for name in sdk.__all__)
    public = {n for n, v in vars(economics).items() if callable(v) and n[0] != "_"}
    bases = {"Container", "Meter", "Miner", "Network", "PoolAccount", "SwitchedMeter"}
    named = {"NetworkStats", "match_workers", "WorkerMatches", *public, *bases}
    assert named <= set(sdk.__all__)


def test_names_are_unique() -> None:
    names = [name for d in DRIVERS for name in (d.name, *d.aliases)]
    assert len(names) == len(set(names))
    assert DRIVERS


def test_probes_of_one_name_are_one_question() -> None:
    """Drivers that share a question ask it once, so it must be the same."""
    asks = {probe: probe.ask for d in DRIVERS for probe in d.probes}
    for driver in DRIVERS:
        for probe in driver.probes:
            assert probe.ask is asks[probe], f"{driver.name}: {probe.name}"


@pytest.mark.parametrize("driver", DRIVERS, ids=name_of)
def test_secrets_do_not_show(driver: type[AnyDevice]) -> None:
    device = driver("127.0.0.1", username="u", password="geheim")
    assert "geheim" not in repr(device)
    assert "geheim" not in repr(device.info)


@pytest.mark.parametrize(
    "driver", [d for d in DRIVERS if issubclass(d, Miner)], ids=name_of
)
def test_pause_and_resume_come_together(driver: type[Miner]) -> None:
    pauses = driver._pause is not Miner._pause
    resumes = driver._resume is not Miner._resume
    assert pauses == resumes


@pytest.mark.parametrize("driver", DRIVERS, ids=name_of)
def test_a_driver_that_pairs_says_so(driver: type[AnyDevice]) -> None:
    """And needs the password that it makes."""
    assert driver.pairs is (driver._pair is not Device._pair)
    assert not driver.pairs or driver.needs_password == "always"


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_modules_are_small_and_described(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 450
    assert ast.get_docstring(tree(path))

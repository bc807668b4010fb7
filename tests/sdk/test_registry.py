"""Drivers come and go: by programs, by packages, in any thread."""

from collections.abc import Callable
from importlib.metadata import EntryPoint
import logging
from pathlib import Path
import sys
import threading
from types import ModuleType
from typing import Any, ClassVar, override
from unittest.mock import patch

import pytest

from custom_components.miningsdk.sdk import (
    DeviceInfo,
    DeviceKind,
    Miner,
    MinerStats,
    NotSupported,
    _entry_points,
    cli,
    registry,
)
from custom_components.miningsdk.sdk._scan_identify import Catalogue
from custom_components.miningsdk.sdk.device import AnyDevice
from custom_components.miningsdk.sdk.transports import cgminer
from custom_components.miningsdk.sdk.transports.http import ROOT
from custom_components.miningsdk.sdk.transports.wire import Probe, Wire
from tests.sdk.conftest import Python
from tests.sdk.fakes import StockMiner

type Offer = Callable[..., None]


class Kiln(StockMiner):
    """A driver of somebody else."""

    name = "kiln"
    aliases: ClassVar[tuple[str, ...]] = ("oven",)


class KilnToo(Kiln):
    """Another one."""

    name = "kiln-too"
    aliases = ()


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the registry as it was."""
    registry.drivers()
    monkeypatch.setattr(registry, "_drivers", dict(registry._drivers))
    monkeypatch.setattr(registry, "_listeners", {})


# Programs.


def test_register_and_unregister() -> None:
    before = registry.drivers()
    registry.register(Kiln)
    assert registry.get("kiln") is registry.get("oven") is Kiln
    assert set(registry.drivers()) == {*before, Kiln}
    registry.unregister(Kiln)
    registry.unregister(Kiln)
    assert registry.drivers() == before
    with pytest.raises(NotSupported, match="no driver named 'kiln'"):
        registry.get("kiln")


def test_a_driver_that_stood_in_for_a_built_in_one() -> None:
    original = registry.get("cgminer")

    class Better(Kiln):
        name = "cgminer"

    class Best(Better):
        pass

    registry.register(Better)
    registry.register(Best)
    registry.unregister(Better)
    assert registry.get("cgminer") is Best
    registry.unregister(Best)
    assert registry.get("cgminer") is original
    registry.unregister(original)
    assert "cgminer" not in {driver.name for driver in registry.drivers()}


def test_get_is_exact() -> None:
    assert registry.find("cgminer-x1")[1] == "X1"
    with pytest.raises(NotSupported):
        registry.get("cgminer-x1")
    assert registry.get("generic-cgminer").name == "cgminer"


def test_others_may_not_take_a_name() -> None:
    registry.add(Kiln)
    registry.add(Kiln)
    for name, aliases in (("oven", ()), ("kiln-3", ("kiln",)), ("cgminer", ())):
        other = type("Other", (Kiln,), {"name": name, "aliases": aliases})
        with pytest.raises(TypeError, match="there is a driver of the name"):
            registry.add(other)
    assert registry.get("kiln") is Kiln


def test_others_may_not_take_a_question() -> None:
    """Questions of one name are asked once, so the answer would not be their own."""

    async def ask(wire: Wire, port: int) -> str:
        return "mine"

    other = type(
        "Other",
        (Kiln,),
        {"name": "other", "aliases": (), "probes": (Probe(ROOT.name, ROOT.port, ask),)},
    )
    with pytest.raises(TypeError, match="question 'http root' has the name of another"):
        registry.add(other)
    other.probes = (Probe("other root", ROOT.port, ask), ROOT)  # type: ignore[attr-defined]
    registry.add(other)
    registry.unregister(other)
    registry.register(other)


def test_a_module_that_is_read_again_replaces_its_driver(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = ModuleType("somebody")
    monkeypatch.setitem(sys.modules, "somebody", module)

    def again() -> type[AnyDevice]:
        names = {"name": "again", "aliases": (), "__module__": "somebody"}
        module.Again = type("Again", (Kiln,), names)  # type: ignore[attr-defined]
        return module.Again  # type: ignore[no-any-return]

    registry.add(again())
    second = again()
    registry.add(second)
    assert registry.get("again") is second


WRONG: dict[str, Any] = {
    "name": "Odd One",
    "kind": "miner",
    "aliases": ["odd"],
    "models": None,
    "transport": None,
    "default_port": 0,
    "needs_password": "sometimes",
    "probes": ("page",),
    "make": 5,
    "firmware": ("stock",),
    "default_username": 1,
    "extra_options": ["unit"],
    "zeroconf_types": ("_http._tcp.local",),
}


@pytest.mark.parametrize("key", WRONG)
def test_a_driver_must_say_what_it_is(key: str) -> None:
    odd = type("Odd", (Kiln,), {"name": "odd", "aliases": (), key: WRONG[key]})
    with pytest.raises(TypeError, match=rf"Odd\.{key} is missing or wrong"):
        registry.register(odd)


def test_what_is_no_driver_is_refused() -> None:
    class Half(Miner):
        name = "half"
        default_port = 80

        @override
        async def _fetch_info(self) -> DeviceInfo:
            return self.info

    with pytest.raises(TypeError, match="Half does not implement _fetch_stats"):
        registry.register(Half)  # type: ignore[type-abstract]
    for nothing in (int, "kiln", None, Kiln("127.0.0.1")):
        with pytest.raises(TypeError, match=r"is no subclass of .*\.sdk\.device\."):
            registry.register(nothing)  # type: ignore[arg-type]


def test_a_class_that_says_nothing_of_itself() -> None:
    class Silent(Miner):
        default_port = 80

        @override
        async def _fetch_info(self) -> DeviceInfo:
            return self.info

        @override
        async def _fetch_stats(self, failed: dict[str, str]) -> MinerStats:
            return MinerStats(failed=failed)

    with pytest.raises(TypeError, match=r"Silent\.name is missing"):
        registry.register(Silent)


@pytest.mark.parametrize(("boast", "score"), [(1000, 100), ("sure", 0), (None, 0)])
def test_a_driver_that_boasts_does_not_hide_the_others(
    boast: Any, score: int, caplog: pytest.LogCaptureFixture
) -> None:
    recognise = classmethod(lambda cls, evidence: boast)
    names = {"name": "boast", "aliases": (), "recognise": recognise}
    registry.register(type("Boast", (Kiln,), names))
    version = {cgminer.VERSION: '{"STATUS": "S"}'}
    found, driver = Catalogue().best(version)
    assert driver is not None
    assert (found, driver.name) == ((score, "boast") if score else (10, "cgminer"))
    assert ("The driver boast failed" in caplog.text) is not bool(score)


def test_listeners_hear_of_each_change() -> None:
    heard: list[set[str]] = []
    stop = registry.on_change(
        lambda: heard.append({"kiln", "kiln-too"} & set(registry._drivers))
    )
    registry.register(Kiln)
    registry.add(KilnToo)
    registry.unregister(Kiln)
    stop()
    stop()
    registry.unregister(KilnToo)
    assert heard == [{"kiln"}, {"kiln", "kiln-too"}, {"kiln-too"}]


def test_drivers_come_and_go_in_many_threads() -> None:
    """While others look for some; nobody sees half of a change."""
    kinds = [
        type(f"Many{number}", (Kiln,), {"name": f"many-{number}", "aliases": ()})
        for number in range(20)
    ]
    before = len(registry.drivers())
    troubles: list[BaseException] = []
    done = threading.Event()

    def look() -> None:
        try:
            while not done.is_set():
                assert len(registry.drivers()) >= before
                registry.find("cgminer-x1")
        except BaseException as error:  # noqa: BLE001
            troubles.append(error)

    def change(kind: type[AnyDevice]) -> None:
        for _ in range(50):
            registry.register(kind)
            registry.unregister(kind)

    lookers = [threading.Thread(target=look) for _ in range(2)]
    changers = [threading.Thread(target=change, args=(kind,)) for kind in kinds]
    for thread in (*lookers, *changers):
        thread.start()
    for thread in changers:
        thread.join()
    done.set()
    for thread in lookers:
        thread.join()
    assert troubles == []
    assert len(registry.drivers()) == before


def test_two_threads_that_ask_first_get_all(installed: Python) -> None:
    """The second one waits for the import that the first one began."""
    code = """
import threading
from miningsdk import registry
found = []
threads = [threading.Thread(target=lambda: found.append(len(registry.drivers())))
           for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert len(set(found)) == 1 and found[0] > 20, found
"""
    done = installed("-c", code)
    assert done.returncode == 0, done.stderr


def test_nothing_is_loaded_before_it_is_asked_for(installed: Python) -> None:
    code = """
import sys, miningsdk
loaded = {name for name in sys.modules if name.startswith("miningsdk.drivers.")}
assert not {name for name in loaded if "._" not in name}, loaded
"""
    done = installed("-c", code)
    assert done.returncode == 0, done.stderr


# Packages.


@pytest.fixture
def offer(monkeypatch: pytest.MonkeyPatch) -> Offer:
    """Return a function that has packages offer drivers, and loads the registry."""
    module = ModuleType("packaged")
    monkeypatch.setitem(sys.modules, "packaged", module)

    def packages(**offered: object) -> None:
        points = []
        for name, what in offered.items():
            setattr(module, name, what)
            target = "packaged" if isinstance(what, ModuleType) else f"packaged:{name}"
            points.append(EntryPoint(name, target, _entry_points.GROUP))
        points.append(EntryPoint("gone", "packaged:gone", _entry_points.GROUP))
        monkeypatch.setattr(registry, "_loaded", False)
        monkeypatch.setattr(registry, "_built_in", {})
        asked: list[str] = []

        def entry_points(*, group: str) -> list[EntryPoint]:
            asked.append(group)
            return points

        with patch("importlib.metadata.entry_points", entry_points):
            registry.drivers()
            registry.drivers()
        assert asked == ["miningsdk.drivers"]

    module.DRIVERS = (KilnToo,)  # type: ignore[attr-defined]
    return packages


def test_packages_offer_drivers(offer: Offer) -> None:
    """One, a list of them, or a module that has such a list."""
    offer(one=Kiln, module=sys.modules["packaged"])
    assert registry.get("kiln") is Kiln
    assert registry.get("kiln-too") is KilnToo


def test_a_package_that_is_broken_harms_nobody(
    offer: Offer, caplog: pytest.LogCaptureFixture
) -> None:
    offer(number=5, text="kiln", foreign=(int, KilnToo), taken=Bad, good=[Kiln])
    assert registry.get("kiln") is Kiln
    said = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert [words.split(" cannot")[0] for words in said] == [
        f"The drivers of the entry point '{name}'"
        for name in ("number", "text", "foreign", "taken", "gone")
    ]
    assert "neither a driver, nor a list" in said[0]
    assert "TypeError: int is no subclass of" in said[2]
    assert "there is a driver of the name cgminer already" in said[3]
    assert "AttributeError" in said[4]


class Bad(StockMiner):
    """A driver that takes the name of another one."""

    name = "cgminer"
    aliases: ClassVar[tuple[str, ...]] = ()
    kind = DeviceKind.MINER


def test_the_command_line_tells_of_a_broken_package(
    installed: Python, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the standard error, naming the package; all other drivers are listed."""
    info = tmp_path / "acme_miner-2.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.4\nName: acme-miner\n")
    (info / "entry_points.txt").write_text("[miningsdk.drivers]\nacme = acme_miner\n")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r});"
        "from miningsdk.cli import main; sys.exit(main(['drivers', '--json']))"
    )
    done = installed("-c", code)
    assert done.returncode == 0
    assert done.stderr == (
        "miningsdk: The drivers of the entry point 'acme' of the package acme-miner "
        "cannot be used: ModuleNotFoundError: No module named 'acme_miner'\n"
    )
    assert '"cgminer"' in done.stdout


def test_warnings_are_shown_while_a_command_runs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with patch.object(cli, "drivers", _warn):
        assert cli.main(["drivers", "--json"]) == 0
    assert capsys.readouterr().err == "miningsdk: mind the gap\n"
    _warn()
    assert capsys.readouterr().err == ""


def _warn() -> tuple[()]:
    logging.getLogger(registry.__name__).warning("mind the gap")
    return ()

"""Files that describe drivers: what they may hold, and what is said of mistakes."""

import os
from pathlib import Path
import re
import tomllib
from typing import Any

import pytest

from custom_components.miningsdk.sdk import (
    Capability,
    DeviceKind,
    Limits,
    MeterStats,
    MinerStats,
    NotSupported,
    PoolState,
    cli,
    described,
    registry,
)
from custom_components.miningsdk.sdk._cli_show import describe_driver
from custom_components.miningsdk.sdk._described_values import (
    measure_of,
    read_steps,
    sorts_of,
)
from custom_components.miningsdk.sdk.described import (
    InvalidDescription,
    Problem,
    read_driver,
    use,
)

MINER = """\
name = "kiln"
kind = "miner"
protocol = "http"

[recognise]
page = "Kiln 3000"

[ask]
now = "/now"
info = "/info"

[info]
model = "info.model"

[stats]
hashrate = { path = "now.rate", unit = "GH/s" }
power_limit = "now.limit"
power_mode = "now.mode"

[[status]]
is = "paused"
path = "now.state"
equals = "off"

[commands]
pause = { post = "/off" }
resume = { post = "/on" }

[commands.power_limit]
put = "/limit"
json = { watts = "{value}" }
minimum = 100
maximum = 200
"""
METER = """\
name = "clay"
kind = "meter"
protocol = "modbus"

[[registers]]
field = "power"
address = 10
type = "f32"

[[registers]]
field = "voltage_phase"
phase = 1
address = 20
type = "u16"
"""


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the registry as it was."""
    registry.drivers()
    monkeypatch.setattr(registry, "_drivers", dict(registry._drivers))
    monkeypatch.setattr(described, "_used", {})


def problems(text: str) -> list[str]:
    """Return what is wrong with a file, each in a line."""
    with pytest.raises(InvalidDescription) as caught:
        read_driver(text, "kiln.toml")
    assert str(caught.value) == "\n".join(map(str, caught.value.problems))
    return [str(problem) for problem in caught.value.problems]


def test_a_file_becomes_a_driver() -> None:
    driver = read_driver(MINER)
    registry.check(driver)
    assert describe_driver(driver) | {"transport": None} == {
        "name": "kiln",
        "aliases": (),
        "kind": DeviceKind.MINER,
        "make": None,
        "firmware": None,
        "models": "kiln",
        "transport": None,
        "port": 80,
        "needs_password": "never",
        "capabilities": [Capability.PAUSE, Capability.POWER_LIMIT],
    }
    device: Any = driver("127.0.0.1")
    assert device.described.commands["power_limit"].limits == Limits(
        minimum=100, maximum=200
    )
    meter = read_driver(METER)
    assert (meter.kind, meter.default_port) == (DeviceKind.METER, 502)
    assert meter.probes == ()
    assert meter.recognise({}) == 0


# Mistakes: what is put in the place of what, and what is said of it.

EXAMPLES = {"miner": MINER, "meter": METER}
MISTAKES = {
    f"{mistake['in']}: {mistake['name']}": mistake
    for mistake in tomllib.loads(
        Path(__file__).with_name("described_mistakes.toml").read_text()
    )["mistake"]
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_told_with_line_and_key(name: str) -> None:
    mistake = MISTAKES[name]
    example, old = EXAMPLES[mistake["in"]], mistake["old"]
    assert example.count(old) == 1, "the mistake is made in one place"
    assert problems(example.replace(old, mistake["new"])) == [
        f"kiln.toml, {words}" for words in mistake["says"]
    ]


def test_a_field_of_another_kind_of_device() -> None:
    text = MINER.replace("power_limit =", 'energy_import = "now.wh"\npower_limit =', 1)
    (found,) = problems(text)
    assert found.startswith(
        "kiln.toml, line 17, stats.energy_import: there is no such key; there are "
    )
    assert "hashrate, hashrate_average" in found
    assert "settings" in found


def test_a_meter_speaks_no_cgminer() -> None:
    text = METER.replace("modbus", "cgminer")
    assert problems(text) == [
        "kiln.toml, line 3, protocol: a meter cannot be described with this one"
    ]


def test_commands_of_the_cgminer_api() -> None:
    text = MINER.replace('"http"', '"cgminer"').replace('"/now"', '"summary"')
    found = problems(text.replace('"/info"', '"version"'))
    assert [words.split("; ")[0].removeprefix("kiln.toml, ") for words in found] == [
        "line 26, commands.pause.command: this must be given",
        "line 26, commands.pause.post: there is no such key",
        "line 27, commands.resume.command: this must be given",
        "line 27, commands.resume.post: there is no such key",
        "line 29, commands.power_limit.command: this must be given",
        "line 30, commands.power_limit.put: there is no such key",
        "line 31, commands.power_limit.json: there is no such key",
    ]


def test_all_mistakes_of_a_file_are_told_in_their_order() -> None:
    text = MINER.replace('"Kiln 3000"', "1").replace("maximum = 200", "maximum = true")
    lines = [int(re.findall(r"line (\d+)", words)[0]) for words in problems(text)]
    assert lines == [6, 33]


# What a file may say of any field of the vocabulary.


def test_every_field_can_be_described() -> None:
    """Of a miner and of a meter, whatever the vocabulary comes to hold."""
    single = sorts_of(MinerStats)
    assert {"hashrate", "uptime", "locating", "power_mode"} < set(single)
    fields = "\n".join(f'{name} = "now.x"' for name in single if name != "status")
    read_driver(MINER.split("[stats]", maxsplit=1)[0] + f"[stats]\n{fields}\n")
    fields = "\n".join(f'{name} = "now.x"' for name in sorts_of(MeterStats))
    phases = '\npower_phase = ["now.a", { path = "now.b", unit = "kW" }]'
    head = MINER.split("[stats]", maxsplit=1)[0].replace('"miner"', '"meter"')
    read_driver(f"{head}[stats]\n{fields}{phases}\n")


def test_phases_are_one_to_three() -> None:
    head = MINER.split("[stats]", maxsplit=1)[0].replace('"miner"', '"meter"')
    for wrong in ("[]", '["now.a", "now.b", "now.c", "now.d"]', '"now.a"'):
        (found,) = problems(f"{head}[stats]\npower_phase = {wrong}")
        assert found.endswith("stats.power_phase: this is a list of one to 3 values")
    (found,) = problems(f'{head}[stats]\npower_phase = [\n"now.a",\n5]')
    assert "line 18, stats.power_phase[1]: 5 is not a path" in found


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("a", ("a",)),
        ("a.b", ("a", "b")),
        ("a[0]", ("a", 0)),
        ("SUMMARY[0].GHS 5s", ("SUMMARY", 0, "GHS 5s")),
        ('a["b.c[0]"].d[12][3]', ("a", "b.c[0]", "d", 12, 3)),
        ("[0].a", (0, "a")),
        (".", ()),
        ("", None),
        ("..", None),
        ("a.", None),
        (".a", None),
        ("a..b", None),
        ("a[", None),
        ("a[-1]", None),
        ("a[0]b", None),
        ("a]", None),
        ('a["b]', None),
    ],
)
def test_paths(path: str, steps: tuple[str | int, ...] | None) -> None:
    assert read_steps(path) == steps


def test_what_fields_measure() -> None:
    assert measure_of("hashrate_average") == "hashrate"
    assert measure_of("target_temperature") == "temperature"
    assert measure_of("frequency") == "frequency"
    assert measure_of("frequency", mains=True) == "mains"
    assert measure_of("power_factor") == ""


# Folders.


def test_a_folder_of_files(tmp_path: Path) -> None:
    assert use(tmp_path / "nothing") == ()
    (tmp_path / "kiln.toml").write_text(MINER)
    (tmp_path / "clay.toml").write_text(METER)
    (tmp_path / "notes.txt").write_text("nothing")
    (tmp_path / ".hidden.toml").write_text("nothing")
    assert use(tmp_path) == ()
    kiln = registry.get("kiln")
    assert registry.get("clay").kind is DeviceKind.METER

    heard: list[None] = []
    stop = registry.on_change(lambda: heard.append(None))
    assert use(tmp_path) == ()
    assert (registry.get("kiln"), heard) == (kiln, []), "nothing has changed"

    (tmp_path / "kiln.toml").write_text(MINER.replace("Kiln 3000", "Kiln 4000"))
    (tmp_path / "clay.toml").unlink()
    assert use(tmp_path) == ()
    stop()
    assert registry.get("kiln") is not kiln
    assert heard
    with pytest.raises(NotSupported):
        registry.get("clay")


def test_what_is_wrong_in_a_folder(tmp_path: Path) -> None:
    """All of it is told, each time; the files that are right are used."""
    (tmp_path / "a.toml").write_text(MINER.replace("page", "pag"))
    (tmp_path / "b.toml").write_bytes(b"\xff\xfe")
    (tmp_path / "c.toml").write_text("#" * 300_000)
    (tmp_path / "d.yaml").write_text("name: kiln")
    (tmp_path / "e.toml").mkdir()
    (tmp_path / "f.toml").write_text(METER)
    (tmp_path / "g.toml").write_text(METER.replace('"clay"', '"cgminer"'))
    (tmp_path / "h.toml").write_text(f"# The same.\n{METER}")
    wanted = [
        "b.toml: it is not text in UTF-8",
        "c.toml: it is larger than 256 KiB",
        "d.yaml: a driver is described by a file that ends with .toml",
        "e.toml: Is a directory",
        "a.toml, line 5, recognise: give at least one of page, version",
        "a.toml, line 6, recognise.pag: there is no such key; do you mean page?",
        (
            "g.toml, line 1, name: there is a driver of the name cgminer already, in "
            f"{registry.get('cgminer').__module__}"
        ),
        "h.toml, line 2, name: f.toml describes a driver of this name already",
    ]
    assert [str(problem) for problem in use(tmp_path)] == wanted
    assert registry.get("clay")
    assert registry.get("cgminer").models != "cgminer"
    assert [str(problem) for problem in use(tmp_path)] == wanted

    # What was right before is not used any longer once it is broken.
    (tmp_path / "f.toml").write_text("name = 5")
    assert registry.get("clay")
    assert "f.toml, line 1, name: 5 is not text" in map(str, use(tmp_path))


def test_a_folder_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "drivers").write_text("a file")
    assert use(tmp_path / "drivers") == (Problem(file="drivers", why=os.strerror(20)),)


def test_two_folders_do_not_share_names(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "clay.toml").write_text(METER)
    assert use(tmp_path / "one") == ()
    (problem,) = use(tmp_path / "two")
    assert "there is a driver of the name clay already" in str(problem)
    (tmp_path / "one" / "clay.toml").unlink()
    assert use(tmp_path / "one") == ()
    assert use(tmp_path / "two") == ()


def test_the_words_of_a_problem() -> None:
    assert str(Problem(file="a.toml", why="no")) == "a.toml: no"
    problem = Problem(file="a.toml", line=3, key="stats.power", why="no")
    assert str(problem) == "a.toml, line 3, stats.power: no"
    assert problem.text == "line 3, stats.power: no"
    assert PoolState.ALIVE in PoolState


# The command line.


@pytest.fixture
def command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder that the command line looks into by itself."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = tmp_path / "config" / "miningsdk" / "drivers"
    folder.mkdir(parents=True)
    return folder


def test_the_command_line_checks_files(
    command_line: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All drivers are listed, all mistakes are told, and the exit code says so."""
    (command_line / "kiln.toml").write_text(MINER)
    assert cli.main(["drivers", "--json"]) == 0
    out, err = capsys.readouterr()
    assert ('"kiln"' in out, err) == (True, "")

    (command_line / "clay.toml").write_text(METER.replace("f32", "f33"))
    assert cli.main(["drivers", "--json"]) == 1
    out, err = capsys.readouterr()
    assert '"kiln"' in out
    assert err.startswith("miningsdk: clay.toml, line 8, registers[0].type: 'f33'")

    own = tmp_path / "own"
    own.mkdir()
    (own / "oven.toml").write_text(METER.replace("clay", "oven"))
    assert cli.main(["drivers", "--drivers", str(own), "--json"]) == 0
    assert '"oven"' in capsys.readouterr().out


def test_a_broken_file_does_not_keep_the_command_line_from_the_rest(
    command_line: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (command_line / "clay.toml").write_text("name")
    assert cli.main(["read", "127.0.0.1:9", "--driver", "cgminer"]) == 1
    err = capsys.readouterr().err.splitlines()
    assert len(err) == 2
    assert err[0].startswith("miningsdk: clay.toml, line 1: ")
    assert "127.0.0.1" in err[1]


def test_a_folder_that_does_not_exist(
    command_line: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is a mistake only when it was named."""
    command_line.rmdir()
    assert cli.main(["drivers", "--json"]) == 0
    nowhere = str(command_line / "nowhere")
    assert cli.main(["drivers", "--drivers", nowhere]) == 2
    assert capsys.readouterr().err == f"miningsdk: there is no folder {nowhere}\n"


def test_options_are_not_abbreviated(capsys: pytest.CaptureFixture[str]) -> None:
    """A scan takes no driver; that must not be read as a folder of drivers."""
    assert cli.main(["scan", "127.0.0.1:9", "--driver", "cgminer"]) == 2
    assert "unrecognized arguments: --driver" in capsys.readouterr().err

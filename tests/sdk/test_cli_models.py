"""What the command line says of models, and of work that is no SHA-256."""

import json

import pytest

from custom_components.miningsdk.sdk import (
    Board,
    DeviceInfo,
    DeviceKind,
    MinerStats,
    _cli_show as show,
    _cli_watch,
    cli,
    models,
    to_json,
)

type Captured = pytest.CaptureFixture[str]

LITECOIN = MinerStats(
    hashrate=0.0165,
    hashrate_expected=0.017,
    power=3400.0,
    efficiency=206060.61,
    boards=(Board(index=0, hashrate=0.0165, chips=110),),
)


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Print for a file, not for whatever terminal runs the tests."""
    monkeypatch.delenv("COLUMNS", raising=False)


def miner(**facts: str | None) -> DeviceInfo:
    return DeviceInfo(kind=DeviceKind.MINER, driver="x", host="127.0.0.1", **facts)  # type: ignore[arg-type]


def row(table: str, *words: str) -> list[str]:
    """Return the cells of the line in which all of the words stand."""
    (line,) = [
        line for line in table.splitlines() if all(word in line for word in words)
    ]
    return [cell.strip() for cell in line.strip("│").split("│")]


def test_models_as_a_table(capsys: Captured) -> None:
    assert cli.main(["drivers", "--models"]) == 0
    out = capsys.readouterr().out
    assert row(out, "Antminer S21 Pro ") == [
        *("Bitmain", "Antminer S21 Pro", "sha256", "3", "65", "4", "air"),
        *("234 TH/s", "3,510 W"),
    ]
    assert row(out, "Antminer L9")[-2:] == ["16 GH/s", "3,360 W"]
    assert row(out, "Antminer Z15 Pro")[-2:] == ["840 kSol/s", "2,780 W"]
    assert row(out, "Whatsminer M66S VK20") == [
        *("MicroBT", "Whatsminer M66S VK20", "sha256", "3", "368", "0", "immersion"),
        *("-", "-"),
    ]


def test_models_as_json(capsys: Captured) -> None:
    """In TH/s, as everything in JSON."""
    assert cli.main(["drivers", "--models", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told) == len(models.known())
    (found,) = [model for model in told if model["model"] == "Antminer L9"]
    assert found == {
        "make": "Bitmain",
        "model": "Antminer L9",
        "algorithm": "scrypt",
        "boards": 3,
        "chips": 110,
        "fans": 4,
        "cooling": "air",
        "hashrate": 0.016,
        "power": 3360,
        "names": [],
    }


def test_drivers_are_listed_without_models(capsys: Captured) -> None:
    assert cli.main(["drivers", "--json"]) == 0
    assert "Antminer Z15 Pro" not in capsys.readouterr().out


def test_a_reading_in_the_unit_of_its_field(capsys: Captured) -> None:
    show.reading(
        miner(make="Bitmain", model="Antminer L9", algorithm="scrypt"), LITECOIN
    )
    out = capsys.readouterr().out
    assert row(out, "hashrate_expected") == ["hashrate_expected", "17 GH/s"]
    assert row(out, "efficiency") == ["efficiency", "206.06061 J/GH"]
    assert row(out, "110") == ["0", "16.5 GH/s", "110"]
    assert '"hashrate":0.0165' in to_json(LITECOIN)


def test_a_reading_of_the_usual_sort(capsys: Captured) -> None:
    show.reading(miner(algorithm="sha256"), MinerStats(hashrate=200.5, efficiency=17.5))
    out = capsys.readouterr().out
    assert row(out, "hashrate") == ["hashrate", "200.5 TH/s"]
    assert row(out, "efficiency") == ["efficiency", "17.5 J/TH"]


def test_watching_in_the_unit_of_its_field(capsys: Captured) -> None:
    class Device:
        info = miner(make="Bitmain", model="Antminer S99", algorithm="x11")

    one = _cli_watch._Watched("127.0.0.1")
    one._device = Device()  # type: ignore[assignment]
    one.stats = MinerStats(hashrate=1.77)
    show.console().print(_cli_watch._table([one, _cli_watch._Watched("127.0.0.2")]))
    out = capsys.readouterr().out
    assert row(out, "127.0.0.1")[1:4] == [
        "Unknown model (Antminer S99)",
        "unknown",
        "1,770 GH/s",
    ]
    assert row(out, "127.0.0.2")[1:4] == ["-", "-", "-"]


def test_unknown_models_say_so(capsys: Captured) -> None:
    """With what they call themselves; JSON has that alone."""
    info = miner(model="HashBox 9")
    show.infos([info])
    show.reading(info, MinerStats())
    out = capsys.readouterr().out
    assert out.count("Unknown model (HashBox 9)") == 2
    assert '"model":"HashBox 9"' in to_json(info)

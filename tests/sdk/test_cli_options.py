"""The command line over what is no miner: options of drivers, pools, containers."""

from dataclasses import fields
import json
from pathlib import Path
from typing import Any

import pytest

from custom_components.miningsdk.sdk import Miner, PoolStats, PoolWorker
from custom_components.miningsdk.sdk._cli_show import unit_of
from custom_components.miningsdk.sdk.container import Container
from tests.conftest import Simulate
from tests.sdk.test_cli import Run, run  # noqa: F401
from tests.simulators.antspace import SimulatedAntspace
from tests.simulators.axeos import SimulatedAxeOS
from tests.simulators.luxos import SimulatedLuxOS
from tests.simulators.microbt_container import SimulatedMicroBt
from tests.simulators.modbus import SimulatedMeter
from tests.simulators.pools import ACCOUNT, SimulatedOcean, SimulatedPublicPool
from tests.simulators.seneca import SimulatedSeneca


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask pools without the pauses between questions."""

    async def at_once(_: float) -> None:
        """Sleep not at all."""

    monkeypatch.setattr(
        "custom_components.miningsdk.sdk.transports.web_api.sleep", at_once
    )


@pytest.fixture(autouse=True)
def prompt_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have commands read back without waits in between."""
    monkeypatch.setattr(Container, "confirm_every", 0.01)
    monkeypatch.delenv("MININGSDK_PASSWORD", raising=False)


async def test_a_unit_behind_a_gateway(run: Run, simulate: Simulate) -> None:  # noqa: F811
    meter = await simulate(SimulatedMeter, unit=7, alive=False)
    words = ("read", meter.address, "--driver", "eastron-sdm630", "--json")
    done = await run(*words, "--unit", "7")
    assert done.json["stats"]["power"] == 10350
    done = await run(*words, "--unit", "7", "--invert")
    assert done.json["stats"]["power"] == -10350
    assert done.json["stats"]["energy_export"] == 12345
    # Unit 1, which is asked without the option, is not there.
    assert (await run(*words)).code == 1


async def test_watch_takes_the_same_options(run: Run, simulate: Simulate) -> None:  # noqa: F811
    meter = await simulate(SimulatedMeter, unit=7, alive=False)
    done = await run(
        *("watch", meter.address, "--driver", "eastron-sdm630", "--unit", "7"),
        *("--count", "1", "--json"),
    )
    assert json.loads(done.out)["stats"]["power"] == 10350


async def test_registers_from_a_file(
    run: Run,  # noqa: F811
    simulate: Simulate,
    tmp_path: Path,
) -> None:
    meter = await simulate(SimulatedMeter, alive=False)
    file = tmp_path / "table.json"
    row = {"field": "power", "address": 52, "type": "f32", "space": "input"}
    file.write_text(json.dumps([row]))
    words = ("read", meter.address, "--driver", "modbus-meter", "--json", "--table")
    assert (await run(*words, str(file))).json["stats"]["power"] == 10350
    file.write_text("[{]")
    assert (await run(*words, str(file))).code == 2
    file.write_text('[{"field": "power"}]')
    done = await run(*words, str(file))
    assert done.code == 1
    assert "row 1, type" in done.err


async def test_channels_at_other_registers(run: Run, simulate: Simulate) -> None:  # noqa: F811
    box = await simulate(
        SimulatedSeneca, temperatures=(10.0, 20.5), registers=(70, 99), alive=False
    )
    words = ("read", box.address, "--driver", "seneca-z4rtd2", "--json")
    done = await run(*words, "--registers", "70, 99")
    assert done.code == 0, done.err
    assert [r["value"] for r in done.json["stats"]["readings"]] == [10.0, 20.5]
    assert (await run(*words)).code == 1


async def test_a_pool_with_or_without_tls(run: Run, simulate: Simulate) -> None:  # noqa: F811
    pool = await simulate(SimulatedOcean)
    words = ("read", "--driver", "pool-ocean", "--username", ACCOUNT, pool.address)
    assert (await run(*words, "--no-secure")).code == 0
    done = await run(*words, "--secure", "--timeout", "2")
    assert done.code == 1
    assert done.err


async def test_values_of_a_pool_have_units(run: Run, simulate: Simulate) -> None:  # noqa: F811
    pool = await simulate(SimulatedOcean, wander=0.0)
    done = await run(
        *("read", "--driver", "pool-ocean", "--username", ACCOUNT, pool.address)
    )
    assert done.code == 0, done.err
    told = {
        cells[0]: cells[1]
        for line in done.out.splitlines()
        if len(cells := [cell.strip() for cell in line.strip("│┃ ").split("│")]) == 2
    }
    for field in ("hashrate_5m", "hashrate_24h"):
        assert told[field].endswith(" TH/s"), told
    for field in ("balance", "paid_total", "earnings_24h"):
        assert told.get(field, " BTC").endswith(" BTC"), told
    assert "balance" in told


@pytest.mark.parametrize("record", [PoolStats, PoolWorker])
def test_each_amount_of_a_pool_has_a_unit(record: type[Any]) -> None:
    amounts = [f.name for f in fields(record) if f.type == float | None]
    assert amounts
    for name in amounts:
        assert unit_of(record, name) in ("TH/s", "BTC"), name


async def test_a_pool_by_host(run: Run, simulate: Simulate) -> None:  # noqa: F811
    pool = await simulate(SimulatedOcean)
    words = ("read", "--driver", "pool-ocean", "--username", ACCOUNT, "--json")
    for address in (pool.address, f"http://{pool.address}"):
        done = await run(*words, address)
        assert done.code == 0, done.err
        assert done.json["info"]["kind"] == "pool"
        assert done.json["stats"]["workers_total"] == 3


async def test_a_pool_behind_a_path(run: Run, simulate: Simulate) -> None:  # noqa: F811
    pool = await simulate(SimulatedPublicPool)
    done = await run(
        *("watch", "--driver", "pool-public-pool", "--username", ACCOUNT, "--json"),
        *(f"http://{pool.address}/base", "--count", "1"),
    )
    assert done.code == 1
    line = json.loads(done.out)
    assert line["host"].endswith("/base")
    # The path is asked for, and this pool has nothing there.
    assert any("/base/" in str(asked) for asked in pool.asked)


@pytest.mark.parametrize("command", ["read", "watch --count 1"])
async def test_a_pool_without_a_host(
    run: Run,  # noqa: F811
    simulate: Simulate,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
) -> None:
    from custom_components.miningsdk.sdk.drivers.ocean import DRIVERS

    pool = await simulate(SimulatedOcean)
    monkeypatch.setattr(DRIVERS[0], "default_host", f"http://{pool.address}")
    done = await run(
        *command.split(), "--driver", "pool-ocean", "--username", ACCOUNT, "--json"
    )
    assert done.code == 0, done.err
    assert json.loads(done.out)["stats"]["workers_total"] == 3


async def test_cooling(run: Run, simulate: Simulate) -> None:  # noqa: F811
    box = await simulate(SimulatedAntspace)
    words = ("set", box.address, "--driver", "antspace")
    done = await run(*words, "cooling", "off")
    assert done.code == 1
    assert "not allowed" in done.err
    assert box.cooling is True
    for given in (("--allow-cooling", "cooling", "off"), ("cooling", "off")):
        done = await run(*words, *given, "--allow-cooling")
        assert done.code == 0, done.err
        assert box.cooling is False
    done = await run(*words, "cooling", "on", "--allow-cooling", "--json")
    assert done.json["value"] == "on"
    assert box.cooling is True


async def test_setpoint_and_mode(run: Run, simulate: Simulate) -> None:  # noqa: F811
    box = await simulate(SimulatedAntspace)
    words = ("set", box.address, "--driver", "antspace", "--allow-cooling")
    shown = await run("read", box.address, "--driver", "antspace", "--json")
    (key,) = [point["key"] for point in shown.json["stats"]["setpoints"]]
    done = await run(*words, "setpoint", key, "36.5")
    assert done.code == 0, done.err
    assert box.set_temperature == 36.5
    assert (await run(*words, "setpoint", "nonsense", "36.5")).code == 1
    shown = await run(
        *("read", box.address, "--driver", "antspace", "--allow-cooling", "--json")
    )
    (mode,) = shown.json["info"]["limits"]["cooling"]["options"]
    assert (await run(*words, "actuator", mode, "on")).code == 0
    assert box.pid is True
    assert (await run(*words, "reset-cooling")).code == 0


async def test_socket(run: Run, simulate: Simulate) -> None:  # noqa: F811
    box = await simulate(SimulatedMicroBt, pdus=1)
    words = ("--driver", "microbt-kehua", "--username", "admin", "--password", "geheim")
    shown = await run("read", box.address, *words, "--json")
    index = shown.json["stats"]["sockets"][0]["index"]
    done = await run("set", box.address, *words, "socket", str(index), "off")
    assert done.code == 0, done.err
    assert done.out.endswith(f"socket {index}, off done\n")
    shown = await run("read", box.address, *words, "--json")
    assert shown.json["stats"]["sockets"][0]["on"] is False


async def test_board(run: Run, simulate: Simulate) -> None:  # noqa: F811
    miner = await simulate(SimulatedLuxOS)
    words = ("set", miner.address, "board")
    done = await run(*words, "1", "off")
    assert (done.code, done.err) == (0, "")
    assert done.out == f"{miner.host}: board 1, off done\n"
    assert miner.state.boards == {0: True, 1: False, 2: True}
    shown = await run("read", miner.address, "--json")
    told = [(b["index"], b["enabled"]) for b in shown.json["stats"]["boards"]]
    assert told == [(0, True), (1, False), (2, True)]
    done = await run(*words, "1", "on", "--json")
    assert (done.json["command"], done.json["value"]) == ("board", [1, "on"])
    assert all(miner.state.boards.values())


async def test_board_that_is_not_switched(
    run: Run,  # noqa: F811
    simulate: Simulate,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    miner = await simulate(SimulatedLuxOS)
    words = ("set", miner.address, "board")
    done = await run(*words, "7", "off")
    assert done.code == 1
    assert done.err == "miningsdk: '7' is not one of: 0, 1, 2\n"
    miner.refuses["disableboard"] = "Board in transition"
    done = await run(*words, "1", "off", "--json")
    assert (done.code, done.out) == (1, "")
    assert "Board in transition" in done.err
    miner.ignores.add("disableboard")
    miner.refuses.clear()
    monkeypatch.setattr(Miner, "confirm_every", 0.01)
    monkeypatch.setattr(Miner, "_time_to_confirm", lambda *_: 0.05)
    done = await run(*words, "1", "off")
    assert done.code == 1
    assert "not confirmed" in done.err
    assert all(miner.state.boards.values())


async def test_a_board_of_what_has_no_switch_for_it(
    run: Run,  # noqa: F811
    simulate: Simulate,
) -> None:
    axe = await simulate(SimulatedAxeOS)
    done = await run("set", axe.address, "board", "0", "off")
    assert done.code == 1
    assert done.err == "miningsdk: this device does not offer board_enable\n"
    box = await simulate(SimulatedAntspace)
    done = await run("set", box.address, "board", "0", "off")
    assert (done.code, done.err) == (1, "miningsdk: containers take no board\n")


async def test_help_tells_which_board(run: Run) -> None:  # noqa: F811
    assert "hashboard" in (await run("set", "--help")).out
    done = await run("set", "127.0.0.1", "board", "--help")
    assert done.code == 0
    assert "the index that a reading shows" in done.out
    assert "{on,off}" in done.out


@pytest.mark.parametrize(
    "words",
    [
        "read",
        "watch",
        "read --driver antspace",
        "read 127.0.0.1 --driver antspace --unit 1",
        "read 127.0.0.1 --driver eastron-sdm630 --topic x",
        "read 127.0.0.1 --driver eastron-sdm630 --unit 256",
        "read 127.0.0.1 --driver eastron-sdm630 --unit -1",
        "read --driver pool-ocean --allow-cooling",
        "watch 127.0.0.1 --driver antspace --invert --count 1",
        "set 127.0.0.1 --driver antspace cooling maybe",
        "set 127.0.0.1 --driver antspace socket 1",
        "set 127.0.0.1 --driver antspace socket x on",
        "set 127.0.0.1 --driver antspace setpoint x warm",
        "set 127.0.0.1 --driver antspace cooling on --topic x",
        "read 127.0.0.1 --driver modbus-meter --table /nowhere.json",
        "read 127.0.0.1 --driver seneca-z4rtd2 --registers 2,x",
        "read 127.0.0.1 --driver seneca-z4rtd2 --registers 65536",
        "read 127.0.0.1 --driver eastron-sdm630 --registers 2",
        "read 127.0.0.1 --driver antspace --secure",
        "read ftp://127.0.0.1/x --driver pool-ocean --username x",
    ],
)
async def test_wrong_usage(run: Run, words: str) -> None:  # noqa: F811
    done = await run(*words.split())
    assert done.code == 2, done
    assert done.out == ""
    assert done.err


async def test_an_option_for_what_was_identified(
    run: Run,  # noqa: F811
    simulate: Simulate,
) -> None:
    box = await simulate(SimulatedAntspace)
    done = await run("read", box.address, "--unit", "2")
    assert done.code == 1
    assert done.err == "miningsdk: antspace has no option unit\n"
    assert (await run("read", box.address, "--allow-cooling")).code == 0

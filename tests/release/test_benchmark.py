"""The benchmark runs, and tells honestly whether a promise is kept."""

from dataclasses import replace
import json
from pathlib import Path
from typing import Any

import pytest

from tests.benchmark import __main__ as benchmark
from tests.benchmark.dead import Half, Vanished
from tests.benchmark.hass import Load
from tests.benchmark.peers import PeerCost
from tests.benchmark.report import tables
from tests.benchmark.scan import Scan
from tests.benchmark.sdk import Cost
from tests.benchmark.targets import Found, targets

OURS = Cost(
    client="miningsdk",
    fleet="mixed",
    miners=250,
    cpu_ms=0.3,
    wall_ms_all=90.0,
    requests=2.0,
    kib_per_miner=30.0,
    block_ms=50.0,
    block_paced_ms=5.0,
)
GOOD = Found(
    costs=[replace(OURS, client="bare", cpu_ms=0.35), OURS],
    peers=[
        PeerCost(
            client="pyasic-rs",
            fleet="mixed",
            miners=250,
            read=250,
            cpu_ms=0.4,
            wall_ms_all=100.0,
            kib_per_miner=200.0,
        )
    ],
    import_ms=40.0,
    scans=[
        Scan(
            network=network,
            hosts="silent",
            live=20,
            found=20,
            first_pass_s=1.1,
            whole_s=4.0,
            cpu_s=0.2,
        )
        for network in ("/24", "/20")
    ],
    loads=[
        Load(
            miners=1000,
            detail="standard",
            entities=9000,
            added_s=9.0,
            started_s=6.0,
            cpu_percent=12.0,
            stall_ms=20.0,
            stall_longest_ms=60.0,
            memory_mib=400.0,
            database_day=6e8,
            writes_per_s=60.0,
            warnings=0,
            warning="",
        )
    ],
    vanished=Vanished(devices=24, known_after_s=4.0),
    half=Half(
        miners=1000, silent=500, polls=4000, on_time=0.999, returned_s=70.0, step_s=80.0
    ),
)


def test_all_promises_kept() -> None:
    reached = targets(GOOD)
    assert len(reached) == 19
    assert all(target.kept for target in reached)


def missed(**changes: object) -> list[str]:
    found = replace(GOOD, **changes)  # type: ignore[arg-type]
    return [target.promise for target in targets(found) if not target.kept]


def test_each_promise_can_be_missed() -> None:
    bare = GOOD.costs[0]
    load, scan = GOOD.loads[0], GOOD.scans[0]
    assert GOOD.half is not None
    assert missed(costs=[bare, replace(OURS, cpu_ms=0.36)]) == [
        "a read costs at most the CPU of the bare client"
    ]
    assert len(missed(costs=[bare, replace(OURS, kib_per_miner=61.0)])) == 1
    assert len(missed(costs=[bare, replace(OURS, block_paced_ms=21.0)])) == 1
    assert len(missed(peers=[replace(GOOD.peers[0], cpu_ms=0.2)])) == 1
    assert len(missed(import_ms=51.0)) == 1
    assert len(missed(scans=[replace(scan, found=19)])) == 1
    assert len(missed(scans=[replace(scan, first_pass_s=1.4)])) == 1
    assert len(missed(scans=[replace(scan, cpu_s=1.1)])) == 1
    changes: dict[str, Any] = {
        "cpu_percent": 21.0,
        "stall_ms": 51.0,
        "added_s": 16.0,
        "warnings": 1,
        "memory_mib": 500.0,
        "database_day": 1.1e9,
    }
    for field, value in changes.items():
        assert len(missed(loads=[replace(load, **{field: value})])) == 1, field
    assert len(missed(vanished=Vanished(devices=24, known_after_s=5.1))) == 1
    assert len(missed(half=replace(GOOD.half, on_time=0.98))) == 1
    assert len(missed(half=replace(GOOD.half, returned_s=90.0))) == 1


def test_the_tables_hold_all_of_it() -> None:
    text = "\n".join(tables(GOOD, targets(GOOD)))
    for word in ("miningsdk", "bare", "pyasic-rs", "/20", "standard", "yes"):
        assert f" {word} |" in text
    assert "**no**" not in text


@pytest.mark.timeout(150)
def test_it_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Really measures a small fleet, and writes what it found."""
    path = tmp_path / "found.json"
    assert benchmark.main(["sdk", "--quick", "--json", str(path)]) == 0
    found = json.loads(path.read_text())
    clients = {cost["client"]: cost for cost in found["costs"]}
    assert set(clients) == {"bare", "miningsdk"}
    assert all(cost["cpu_ms"] > 0 for cost in clients.values())
    # It pays with fewer requests for what it makes of the replies.
    assert clients["miningsdk"]["requests"] < clients["bare"]["requests"]
    assert "CPU per read" in capsys.readouterr().out


def test_an_unknown_part_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        benchmark.main(["nothing"])
    assert raised.value.code == 2
    assert "nothing" in capsys.readouterr().err

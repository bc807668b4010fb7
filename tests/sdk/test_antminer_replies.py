"""How the Antminer driver understands what it is told, recorded and made up."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
import json
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.miningsdk.sdk import (
    InvalidReply,
    MiningSDKError,
    PoolState,
    Severity,
)
from custom_components.miningsdk.sdk.drivers._antminer_conf import read_config
from custom_components.miningsdk.sdk.drivers._antminer_faults import (
    fault,
    read_status_page,
    read_summary,
    read_warnings,
)
from custom_components.miningsdk.sdk.drivers._antminer_models import (
    algorithm,
    power_modes,
)
from custom_components.miningsdk.sdk.drivers._antminer_pools import read_pools
from custom_components.miningsdk.sdk.drivers._antminer_stats import (
    read_old_status,
    read_stats,
)
from custom_components.miningsdk.sdk.drivers.antminer import Antminer
from tests.conftest import OFFSET
from tests.sdk.trouble import survives_bytes
from tests.simulators.antminer import SimulatedAntminer


@pytest.mark.parametrize(
    ("model", "version", "modes"),
    [
        ("Antminer S21", "Thu May 23 17:29:01 CST 2024", "normal low"),
        ("Antminer S21", "Tue Apr  2 10:47:01 CST 2024", "normal"),
        ("Antminer S19j Pro", "FR-1.2(250901-S19jPro)", "normal low"),
        ("Antminer S19k Pro", "FR-1.2(250901-S19kPro)", "normal high"),
        ("Antminer S21 Pro", "FR-1.76(251015-S21-Pro)", "normal"),
        ("Antminer S21 Hyd.", "FR-1.1(250416-S21 Hyd.)", "normal"),
        ("Antminer S21 XP", None, "normal"),
        ("Antminer L9", "FR-1.2(250901-L9)", "normal"),
    ],
)
def test_power_modes_by_model_and_release(
    model: str, version: str | None, modes: str
) -> None:
    assert list(power_modes(model, version).values()) == modes.split()


def test_algorithms() -> None:
    assert algorithm("Antminer L7") == "scrypt"
    assert algorithm("Antminer KS5 Pro") == "kheavyhash"
    assert algorithm("Antminer S19 XP") == "sha256"
    assert algorithm(None) is None


def test_error_codes() -> None:
    assert fault("J0:8").severity is Severity.CRITICAL
    assert fault("L255:2").message == "no level fits the mix of hashboards"
    assert fault("L1:2").message == "voltage and frequency do not match"
    assert fault("X:9").message == "unknown error"
    assert read_status_page('{"error_message":"None"}') == ()
    assert read_status_page("V:1;no power;replace it")[0].message == "no power"


KEYS = [
    "STATS",
    "POOLS",
    "WARNING",
    "SUMMARY",
    "INFO",
    "STATUS",
    "type",
    "status",
    "chain",
    "fan",
    "asic",
    "index",
    "code",
    "rate_5s",
    "rate_unit",
    "rate_ideal",
    "elapsed",
    "temp_chip",
    "temp_pcb",
    "chain_acn1",
    "chain_rate1",
    "temp_chip1",
    "GHS 5s",
    "Mode",
    "miner-mode",
    "pools",
    "devs",
    "url",
    "priority",
    "bitmain-fan-pwm",
]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(["GH/s", "Alive", "61-62-0-x", "1e999", " oox", "J0:2"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)
    ),
    max_leaves=15,
)


@pytest.mark.parametrize("model", ["S9", "S21"])
@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    body=st.binary(max_size=200)
    | VALUES.map(lambda value: json.dumps({"STATS": [value], "POOLS": value}).encode())
)
def test_any_bytes(model: str, body: bytes) -> None:
    async def read() -> None:
        async with SimulatedAntminer("127.9.9.9", offset=OFFSET, model=model) as device:
            port = device.port(80)
            async with Antminer(
                device.host, port=port, password="root", timeout=0.5
            ) as miner:
                await survives_bytes(miner, device, body)

    asyncio.run(read())


@pytest.mark.parametrize(
    ("key", "read"),
    [
        ("STATS", lambda reply: read_stats(reply, {})),
        ("POOLS", lambda reply: read_pools(reply, {})),
        ("devs", lambda reply: read_old_status(reply, {})),
        ("WARNING", read_warnings),
        ("SUMMARY", lambda reply: read_summary(reply, {})),
        ("pools", read_config),
    ],
)
@settings(max_examples=100, deadline=None)
@given(value=VALUES, other=VALUES)
def test_any_object(
    key: str, read: Callable[[dict[str, Any]], object], value: Any, other: Any
) -> None:
    for reply in ({key: value}, {key: [value, other]}, {key: [value], "INFO": other}):
        with suppress(MiningSDKError):
            assert read(reply) is not None


def test_one_odd_value_loses_nothing_else() -> None:
    failed: dict[str, str] = {}
    reply = {
        "INFO": {"type": "Antminer S21"},
        "STATS": [
            {
                "rate_5s": "many",
                "rate_avg": 1000.0,
                "rate_unit": "GH/s",
                "elapsed": None,
                "fan": [5000, "x"],
                "chain": [{"index": 0, "temp_chip": [70, "hot", 0], "asic": " oox"}],
            }
        ],
    }
    reading = read_stats(reply, failed)
    assert reading.hashrate is None
    assert reading.hashrate_average == 1.0
    assert [fan.speed for fan in reading.fans] == [5000, None]
    assert reading.boards[0].temperature_chip == 70
    assert set(failed) == {"hashrate", "fans", "temperature"}


def test_other_coins_and_units() -> None:
    def rate(value: float, unit: str) -> float | None:
        row = {"rate_5s": value, "rate_unit": unit, "chain": []}
        return read_stats({"INFO": {}, "STATS": [row]}, {}).hashrate

    assert rate(9050.4, "MH/s") == 0.0090504
    assert rate(420.0, "KSol/s") == 4.2e-07
    assert rate(234.5, "TH/s") == 234.5
    assert rate(5.0, "bananas") is None


def test_replies_of_another_shape() -> None:
    with pytest.raises(InvalidReply):
        read_stats({"STATS": "text"}, {})
    with pytest.raises(InvalidReply):
        read_pools({"STATS": []}, {})


def test_recorded_replies(example: Callable[[str], bytes]) -> None:
    """Captured from an S19 Pro with firmware of 2022, in the flat format."""
    failed: dict[str, str] = {}
    folder = "antminer/v2020/asicrs"
    reading = read_stats(json.loads(example(f"{folder}/stats.json")), failed)
    pools = read_pools(json.loads(example(f"{folder}/pools.json")), failed)
    assert failed == {}
    assert reading.model == "Antminer S19 Pro"
    assert reading.hashrate == 110.5669
    assert reading.hashrate_average == 111.8346
    assert reading.hashrate_expected == 110.0
    assert [board.hashrate for board in reading.boards] == [37.6033, 35.5362, 37.4274]
    assert [board.temperature_chip for board in reading.boards] == [78, 71, 69]
    assert [board.temperature_board for board in reading.boards] == [73, 66, 64]
    assert {board.chips for board in reading.boards} == {114}
    assert [fan.speed for fan in reading.fans] == [6000, 5880, 5040, 5040]
    assert reading.hardware_errors == 562
    assert reading.uptime == 50474
    assert [pool.status for pool in pools.pools] == [
        PoolState.ACTIVE,
        PoolState.ALIVE,
        PoolState.ALIVE,
    ]
    assert (pools.pools[0].accepted, pools.pools[0].stale) == (4057, 1)
    assert pools.best_difficulty == 12904207043

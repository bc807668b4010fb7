"""What the driver for Braiins OS reads from odd replies, without any device."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.miningsdk.sdk import MinerStatus, PoolState
from custom_components.miningsdk.sdk.drivers import _braiins_api as api
from custom_components.miningsdk.sdk.drivers._braiins_compose import compose
from custom_components.miningsdk.sdk.drivers._braiins_config import (
    Cooling,
    board_ids,
    configured_power,
    limits,
    read_cooling,
)
from custom_components.miningsdk.sdk.drivers._braiins_faults import read_faults
from custom_components.miningsdk.sdk.drivers._braiins_identity import (
    firmware_version,
    make_and_model,
)
from custom_components.miningsdk.sdk.drivers._braiins_stats import (
    hottest_chip,
    read_boards,
    read_fans,
    read_pools,
    read_work,
)
from custom_components.miningsdk.sdk.drivers._braiins_status import Judge
from custom_components.miningsdk.sdk.fields import Fields
from tests.sdk.trouble import check_vocabulary

PATHS = (
    api.STATS,
    api.BOARDS,
    api.ERRORS,
    api.COOLING,
    api.TUNER,
    api.POOLS,
    api.LOCATE,
    api.CONFIGURATION,
)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEYS = st.sampled_from(
    [
        "status",
        "miner_stats",
        "real_hashrate",
        "last_5s",
        "gigahash_per_second",
        "power_stats",
        "approximated_consumption",
        "watt",
        "hashboards",
        "id",
        "enabled",
        "stats",
        "highest_chip_temp",
        "temperature",
        "degree_c",
        "location",
        "chips_count",
        "current_frequency",
        "hertz",
        "fans",
        "rpm",
        "position",
        "target_speed_ratio",
        "pools",
        "accepted_shares",
        "errors",
        "error_codes",
        "components",
        "timestamp",
        "message",
        "tuner",
        "tuner_mode",
        "power_target",
        "mode_state",
        "powertargetmodestate",
        "current_target",
        "overall_tuner_state",
        "system_uptime_s",
        "bosminer_uptime_s",
    ]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6)
    ),
    max_leaves=25,
)


@given(
    details=st.dictionaries(KEYS, VALUES, max_size=5),
    replies=st.fixed_dictionaries(dict.fromkeys(PATHS, VALUES)),
)
@settings(max_examples=150, deadline=None)
def test_any_object(details: dict[str, Any], replies: Mapping[str, Any]) -> None:
    cooling = read_cooling(replies[api.CONFIGURATION]) or Cooling()
    check_vocabulary(compose(Fields(details), replies, Judge(), cooling, {}))


@given(VALUES)
@settings(max_examples=100, deadline=None)
def test_any_constraints(reply: Any) -> None:
    told = Fields({"cooling_constraints": reply, "hashboards_constraints": reply})
    limits(told, Cooling(mode="auto"))
    board_ids(told)


@pytest.mark.parametrize(
    ("name", "brand", "make", "model"),
    [
        ("Antminer S19 XP", 1, "Bitmain", "Antminer S19 XP"),
        ("Bitmain Antminer S9", None, "Bitmain", "Antminer S9"),
        ("Antminer S19J88NoPic", None, "Bitmain", "Antminer S19J88NoPic"),
        ("S21+ Hyd.", 1, "Bitmain", "S21+ Hyd."),
        ("Whatsminer M30S", 2, "MicroBT", "Whatsminer M30S"),
        ("MicroBT Whatsminer M30S", None, "MicroBT", "Whatsminer M30S"),
        ("Braiins Mini Miner BMM 100", 0, "Braiins", "BMM 100"),
        ("BMM101", None, "Braiins", "BMM 101"),
        ("Something new", None, None, "Something new"),
        ("Something new", 9, None, "Something new"),
        (None, 1, "Bitmain", None),
        (None, None, None, None),
    ],
)
def test_make_and_model(
    name: str | None, brand: float | None, make: str | None, model: str | None
) -> None:
    assert make_and_model(name, brand) == (make, model)


@pytest.mark.parametrize(
    ("build", "version"),
    [
        ("2025-08-06-0-3881c51d-25.07-plus", "25.07"),
        ("2024-12-03-0-f4c282cd-24.09.1-plus", "24.09.1"),
        ("2020-09-27-0-d360818-20.09", "20.09"),
        ("nightly", "nightly"),
        (None, None),
    ],
)
def test_firmware_version(build: str | None, version: str | None) -> None:
    assert firmware_version(build) == version


def test_sentinels_are_no_values() -> None:
    failed: dict[str, str] = {}
    nothing = {"degree_c": 0.0}
    board = {
        "id": "1",
        "enabled": True,
        "board_temp": nothing,
        "lowest_inlet_temp": {"degree_c": -273},
        "highest_outlet_temp": {"degree_c": 900},
        "highest_chip_temp": {"location": 1, "temperature": {"degree_c": -1}},
        "current_frequency": {"hertz": 0},
        "current_voltage": {"volt": 0},
        "stats": {
            "nominal_hashrate": {"gigahash_per_second": 0},
            "real_hashrate": {"last_5s": {"gigahash_per_second": -5}},
        },
    }
    found = read_boards({"hashboards": [board]}, failed)
    (shown,) = found.boards
    assert (found.inlet, found.outlet, failed) == (None, None, {})
    assert (shown.temperature_board, shown.temperature_chip) == (None, None)
    assert (shown.frequency, shown.voltage) == (None, None)
    assert (shown.hashrate, shown.hashrate_expected) == (None, None)


def test_a_sensor_on_the_board_is_no_chip() -> None:
    hot = {"location": 2, "temperature": {"degree_c": 70}}
    found = read_boards({"hashboards": [{"highest_chip_temp": hot}]}, {})
    assert found.boards[0].temperature_chip is None
    assert hottest_chip({"highest_temperature": hot}, {}) is None
    assert hottest_chip({"highest_temperature": {**hot, "location": 1}}, {}) == 70


def test_one_odd_value_loses_nothing_else() -> None:
    failed: dict[str, str] = {}
    boards = [
        {"id": "2", "chips_count": "many", "current_voltage": {"volt": "12.5 V"}},
        {"id": "1", "chips_count": 110},
        "odd",
        {"id": "x", "enabled": "perhaps"},
    ]
    found = read_boards({"hashboards": boards}, failed).boards
    assert [(board.index, board.chips) for board in found] == [
        (0, 110),
        (1, None),
        (2, None),
    ]
    assert found[1].voltage == 12.5
    assert "many" in failed["boards"]
    fans = read_fans({"fans": [{"rpm": "fast"}, {"rpm": 5904.4}]}, failed)
    assert [(fan.index, fan.speed) for fan in fans] == [(0, None), (1, 5904)]
    assert "fast" in failed["fans"]


def test_shortest_and_longest_average() -> None:
    def rates(**windows: float | None) -> tuple[float | None, float | None, bool]:
        real = {
            window: None if rate is None else {"gigahash_per_second": rate}
            for window, rate in windows.items()
        }
        work = read_work({"miner_stats": {"real_hashrate": real}}, {}).rates
        return work.now, work.average, work.hashing

    assert rates(last_5s=1e5, last_24h=9e4, since_restart=8e4) == (100, 80, True)
    assert rates(last_5s=None, last_1m=1e5, last_15m=9e4) == (100, 90, True)
    assert rates(last_5s=0, last_1m=1e5) == (0, 100, True)
    # What is longer than a minute says nothing of now.
    assert rates(last_5m=1e5, last_1h=9e4) == (None, 90, False)
    assert rates() == (None, None, False)


def test_best_difficulty_beyond_64_bits() -> None:
    solver = {"best_share_str": "36893488147419103232", "best_share": 7}
    work = read_work({"miner_stats": solver}, {})
    assert work.values["best_difficulty"] == 2**65
    assert read_work({"miner_stats": {"best_share": 7}}, {}).values[
        "best_difficulty"
    ] == (7)


@pytest.mark.parametrize(
    ("pool", "state"),
    [
        ({"enabled": False, "alive": True, "active": True}, PoolState.DISABLED),
        ({"enabled": True, "alive": True, "active": True}, PoolState.ACTIVE),
        ({"alive": True, "active": False}, PoolState.ALIVE),
        ({"alive": False, "active": True}, PoolState.DEAD),
        ({}, None),
    ],
)
def test_state_of_a_pool(pool: dict[str, bool], state: PoolState | None) -> None:
    (found,) = read_pools([{"pools": [pool]}], {})
    assert found.status is state


def test_pools_of_all_groups_are_counted_through() -> None:
    groups = [{"pools": [{"url": "a"}, {"url": "b"}]}, {}, {"pools": [{"url": "c"}]}]
    found = read_pools(groups, {})
    assert [(pool.index, pool.url) for pool in found] == [(0, "a"), (1, "b"), (2, "c")]


@pytest.mark.parametrize(
    ("tuner", "watts"),
    [
        ({"enabled": True, "tuner_mode": 1, "power_target": {"watt": 3031}}, 3031),
        ({"enabled": None, "tuner_mode": None, "power_target": {"watt": 900}}, 900),
        ({"enabled": False, "tuner_mode": 1, "power_target": {"watt": 3031}}, None),
        ({"enabled": True, "tuner_mode": 2, "power_target": {"watt": 3031}}, None),
        ({"enabled": True, "tuner_mode": 1, "power_target": {"watt": 0}}, None),
        ({"enabled": True, "tuner_mode": 1, "power_target": None}, None),
        (None, None),
    ],
)
def test_configured_power(tuner: object, watts: float | None) -> None:
    assert configured_power(Fields({"tuner": tuner})) == watts


@pytest.mark.parametrize(
    ("timestamp", "holds"),
    [
        ("2026-11-22T11:30:00.123456Z", True),
        ("2026-11-22T12:00:30Z", True),
        ("2026-11-22T11:30:00", True),
        ("2026-11-22T10:30:00Z", False),
        # So it is told before the clock is set.
        ("2015-01-01T00:00:37.638808Z", False),
        ("soon", True),
        (None, True),
    ],
)
def test_age_of_an_error(timestamp: str | None, holds: bool) -> None:
    error = {"timestamp": timestamp, "message": "no pool"}
    assert bool(read_faults({"errors": [error]}, {}, NOW, None)) is holds


def test_errors_with_several_codes_and_parts() -> None:
    error = {
        "timestamp": "2026-11-22T08:00:00Z",
        "message": "hashboard failed",
        "error_codes": [{"code": "A1", "reason": "no chips", "hint": ""}, {}],
        "components": [{"name": "board", "index": 2}, {"name": "psu"}, {}],
    }
    found = read_faults({"errors": [error, error]}, {}, NOW, 6 * 3600.0)
    assert [(fault.code, fault.message, fault.component) for fault in found] == [
        ("A1", "no chips", "board 2, psu"),
        ("error", "hashboard failed", "board 2, psu"),
    ]
    assert read_faults({"errors": [error]}, {}, NOW, 3600.0) == ()
    assert read_faults({"errors": [{}]}, {}, NOW, None) == ()


def test_nothing_told_is_nothing_claimed() -> None:
    failed: dict[str, str] = {}
    replies = dict.fromkeys(PATHS)
    stats = compose(Fields(None), replies, Judge(), Cooling(), failed)
    assert stats.status is MinerStatus.UNKNOWN
    assert stats.hashrate is None
    assert (stats.boards, stats.fans, stats.pools, stats.faults) == ((), (), (), ())
    assert set(failed) == {"status"}

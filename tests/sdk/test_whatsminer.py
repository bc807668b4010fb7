"""Whatsminer on API v2: who it is, what it reads and what it must survive."""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
import orjson
import pytest

from custom_components.miningsdk.sdk import (
    Capability,
    DeviceUnreachable,
    InvalidReply,
    Limits,
    MinerStatus,
    PoolState,
)
from custom_components.miningsdk.sdk.drivers import _whatsminer_common as common
from custom_components.miningsdk.sdk.drivers.whatsminer import Whatsminer
from tests.conftest import Simulate
from tests.sdk.trouble import ALL_TROUBLE, check_vocabulary, survives, survives_bytes
from tests.simulators._whatsminer_state import BARE, HARDWARE, mac_of
from tests.simulators.base import Trouble
from tests.simulators.whatsminer import SimulatedWhatsminer

PASSWORD = "s3cret"


def make(
    device: SimulatedWhatsminer, password: str | None = PASSWORD, timeout: float = 2
) -> Whatsminer:
    miner = Whatsminer(
        device.host, port=device.port(4028), password=password, timeout=timeout
    )
    miner.confirm_every = 0.01
    return miner


@pytest.fixture
async def device(simulate: Simulate) -> SimulatedWhatsminer:
    found = await simulate(SimulatedWhatsminer)
    assert isinstance(found, SimulatedWhatsminer)
    return found


# Who it is.


async def test_info(device: SimulatedWhatsminer) -> None:
    async with make(device) as miner:
        info = miner.info
    assert (info.driver, info.kind, info.algorithm) == ("whatsminer", "miner", "sha256")
    assert (info.make, info.firmware) == ("MicroBT", "stock")
    assert info.model == "Whatsminer M30S++ VH70"
    assert info.firmware_version == "20230803.11.REL"
    assert info.mac == mac_of(device.serial).lower()
    assert info.serial_number == info.unique_id == "HTM30H702208A1001"
    assert info.hostname == "WhatsMiner"
    assert set(info.capabilities) == {
        Capability.PAUSE,
        Capability.REBOOT,
        Capability.RESTART,
        Capability.LOCATE,
        Capability.POWER_LIMIT,
        Capability.POWER_MODE,
        Capability.POOLS,
    }
    assert info.limits[Capability.POWER_MODE].options == ("low", "normal", "high")
    power = info.limits[Capability.POWER_LIMIT]
    assert (power.minimum, power.step) == (100, 1)
    assert power.maximum is not None
    assert 3472 < power.maximum < 3472 * 1.3
    assert device.requests == 5
    assert device.most_connections == 1


@pytest.mark.parametrize(
    ("api", "capabilities"),
    [
        (BARE, set()),
        ("1.4.0", {"pause", "reboot", "restart", "power_mode", "pools"}),
        (
            "2.0.4",
            {"pause", "reboot", "restart", "power_mode", "pools", "locate"},
        ),
        (
            "2.2.2",
            {
                *("pause", "reboot", "restart", "power_mode", "pools", "locate"),
                *("power_limit", "throttle"),
            },
        ),
    ],
)
async def test_capabilities_by_firmware(
    simulate: Simulate, api: str, capabilities: set[str]
) -> None:
    device = await simulate(SimulatedWhatsminer, api=api)
    async with make(device) as miner:
        assert {found.value for found in miner.info.capabilities} == capabilities
        assert set(miner.info.limits) <= set(miner.info.capabilities)
        assert miner.info.model == "Whatsminer M30S++ VH70"
        assert miner.info.mac == mac_of(device.serial).lower()
        assert (miner.info.serial_number is None) == (api in (BARE, "1.4.0"))
        if api == "2.2.2":
            assert miner.info.limits[Capability.THROTTLE] == common.THROTTLE


async def test_info_of_a_miner_that_was_asleep_at_first(simulate: Simulate) -> None:
    device = await simulate(SimulatedWhatsminer, asleep=True)
    async with make(device) as miner:
        assert miner.info.serial_number == device.serial
        assert Capability.PAUSE in miner.info.capabilities
        assert Capability.POWER_MODE in miner.info.capabilities
        assert miner.info.limits[Capability.POWER_LIMIT].maximum == 99999
        await miner.resume()
        await miner.read()
        limit = miner.info.limits[Capability.POWER_LIMIT].maximum
        assert limit is not None
        assert 3472 < limit < 5000


async def test_lowered_limit_can_be_raised_again(device: SimulatedWhatsminer) -> None:
    device.power_limit = 1000
    async with make(device) as miner:
        before = miner.info.limits[Capability.POWER_LIMIT].maximum
        assert before is not None
        assert before > 3400
        device.power_limit = 100
        miner.forget_info()
        await miner.read()
        after = miner.info.limits[Capability.POWER_LIMIT].maximum
        assert after is not None
        assert after >= before


@pytest.mark.parametrize(
    ("factory", "rate", "told", "maximum"),
    [
        (100.0, 30.0, (3000.0, None), 3600),
        (560.0, 14.1, (8085.0, 10030.0), 10030),
        (None, 30.0, (3000.0,), 99999),
        (100.0, None, (3000.0,), 99999),
    ],
)
def test_range_of_the_power_limit(
    factory: float | None,
    rate: float | None,
    told: tuple[float | None, ...],
    maximum: float,
) -> None:
    assert common.power_limits(factory, rate, told).maximum == maximum


def test_range_of_the_power_limit_never_shrinks() -> None:
    before = Limits(minimum=100, maximum=4000, step=1)
    assert common.power_limits(100, 30, (2000,), before).maximum == 4000
    assert common.power_limits(None, None, (), before).maximum == 4000
    assert common.power_limits(200, 30, (), before).maximum == 7200


async def test_another_device_on_the_same_address(simulate: Simulate) -> None:
    first = await simulate(SimulatedWhatsminer, serial="HTM0000000000001")
    miner = make(first)
    async with miner:
        await miner.read()
        assert miner.info.unique_id == "HTM0000000000001"
        await first.stop()
        with pytest.raises(DeviceUnreachable):
            await miner.read()
        await simulate(
            SimulatedWhatsminer, host=first.host, model="M20S", api="1.4.0", serial="X2"
        )
        await miner.read()
        assert miner.info.model == "Whatsminer M20S V10"
        assert miner.info.serial_number is None
        assert miner.info.unique_id == mac_of("X2").lower()


async def test_another_device_without_a_gap(device: SimulatedWhatsminer) -> None:
    async with make(device) as miner:
        await miner.read()
        device.serial, device.mac = "HTM0000000000002", "C6:07:00:00:00:02"
        await miner.read()
        await miner.read()
        assert miner.info.unique_id == "HTM0000000000002"
        assert miner.info.mac == "c6:07:00:00:00:02"


# What it does.


async def test_stats(device: SimulatedWhatsminer) -> None:
    async with make(device) as miner:
        stats = await miner.read()
    assert stats.failed == {}
    assert stats.status is MinerStatus.MINING
    assert stats.hashrate == pytest.approx(112, rel=0.02)
    assert stats.hashrate_average == pytest.approx(112, rel=0.01)
    assert stats.hashrate_expected == 112
    assert stats.power == pytest.approx(3472, rel=0.02)
    assert stats.power_limit == 3472
    assert stats.power_mode == "normal"
    assert stats.efficiency == pytest.approx(31, rel=0.02)
    assert stats.temperature_chip == 88.2
    assert stats.temperature_board == 71
    assert stats.temperature_ambient == 27.5
    assert stats.temperature_inlet is None
    assert [fan.index for fan in stats.fans] == [0, 1]
    assert all(fan.speed and 5000 < fan.speed < 6000 for fan in stats.fans)
    assert stats.accepted == pytest.approx(1800 + device.seed, abs=2)
    assert stats.rejected == device.accepted // 200
    assert stats.stale == 0
    assert stats.hardware_errors == device.seed % 70
    assert stats.best_difficulty == 82_000_000 + device.seed
    assert stats.uptime == pytest.approx(7200, abs=2)
    assert stats.locating is False
    assert stats.faults == ()
    check_vocabulary(stats)


async def test_boards_and_pools(device: SimulatedWhatsminer) -> None:
    async with make(device) as miner:
        stats = await miner.read()
    assert [board.index for board in stats.boards] == [0, 1, 2]
    board = stats.boards[1]
    assert board.hashrate == pytest.approx(112 / 3, rel=0.02)
    assert board.hashrate_expected == pytest.approx(112 / 3, rel=0.001)
    assert (board.temperature_board, board.temperature_chip) == (70, 87.2)
    assert (board.chips, board.frequency, board.enabled) == (111, 641, True)
    assert board.serial_number == f"HEM1EP9C4{device.seed:03d}K60001"
    assert [pool.index for pool in stats.pools] == [0, 1, 2]
    assert stats.pools[0].url == "stratum+tcp://pool1.example:3333"
    assert stats.pools[0].user == "acct.rig"
    assert [pool.status for pool in stats.pools] == [
        PoolState.ACTIVE,
        PoolState.ALIVE,
        PoolState.ALIVE,
    ]
    assert stats.pools[0].accepted == stats.accepted


@pytest.mark.parametrize("model", list(HARDWARE))
@pytest.mark.parametrize("api", [BARE, "1.4.0", "2.0.5", "2.2.2"])
async def test_every_model_and_age(simulate: Simulate, model: str, api: str) -> None:
    device = await simulate(SimulatedWhatsminer, model=model, api=api)
    hardware = HARDWARE[model]
    async with make(device) as miner:
        await miner.read()
        device.requests = 0
        stats = await miner.read()
    assert stats.failed == {}
    assert stats.status is MinerStatus.MINING
    assert stats.hashrate == pytest.approx(hardware.ths, rel=0.03)
    assert len(stats.boards) == hardware.boards
    # Newer firmware tells TH/s for boards under the names of MH/s.
    total = sum(board.hashrate or 0 for board in stats.boards)
    assert total == pytest.approx(hardware.ths, rel=0.03)
    assert len(stats.fans) == (0 if hardware.liquid else 2)
    assert stats.temperature_chip is not None
    assert stats.temperature_board is not None
    inlet = 41.5 if hardware.liquid and api == "2.2.2" else None
    assert stats.temperature_inlet == inlet
    assert stats.accepted == pytest.approx(1800 + device.seed, abs=2)
    # Joined summary and pools, and where it tells anything new the status.
    assert device.requests == {BARE: 1, "1.4.0": 1, "2.0.5": 1, "2.2.2": 2}[api]
    assert device.most_connections == 1
    check_vocabulary(stats)


async def test_firmware_that_joins_nothing(simulate: Simulate) -> None:
    device = await simulate(SimulatedWhatsminer, api="1.4.0")
    device.joins = False
    async with make(device) as miner:
        assert (await miner.read()).status is MinerStatus.MINING
        device.requests = 0
        stats = await miner.read()
    assert device.requests == 2
    assert len(stats.pools) == 3
    assert stats.failed == {}


async def test_joined_reply_that_is_broken(device: SimulatedWhatsminer) -> None:
    device.canned["summary+pools"] = b'{"summary":[{"STATUS":[}'
    async with make(device) as miner:
        stats = await miner.read()
        assert (stats.status, stats.failed) == (MinerStatus.MINING, {})
        device.requests = 0
        assert len((await miner.read()).pools) == 3
        assert device.requests == 2


async def test_newer_device_after_a_bare_one(simulate: Simulate) -> None:
    device = await simulate(SimulatedWhatsminer, api=BARE)
    async with make(device) as miner:
        assert miner.info.capabilities == ()
        device.api = "2.0.5"
        miner.forget_info()
        await miner.read()
        assert Capability.PAUSE in miner.info.capabilities


async def test_firmware_without_edevs(simulate: Simulate) -> None:
    device = await simulate(SimulatedWhatsminer)
    device.has_edevs = False
    async with make(device) as miner:
        assert len((await miner.read()).boards) == 3
        device.requests = 0
        assert len((await miner.read()).boards) == 3
        assert len((await miner.read()).boards) == 3
    assert device.requests == 3


async def test_boards_come_every_second_and_codes_every_fourth_time(
    device: SimulatedWhatsminer,
) -> None:
    async with make(device) as miner:
        await miner.read()
        device.requests = 0
        for _ in range(4):
            assert (await miner.read()).failed == {}
    assert device.requests == 7


async def test_counters_and_clock_go_on(device: SimulatedWhatsminer) -> None:
    async with make(device) as miner:
        before = await miner.read()
        device._started -= 3600
        after = await miner.read()
    assert after.uptime is not None
    assert before.uptime is not None
    assert after.uptime - before.uptime == pytest.approx(3600, abs=2)
    assert after.accepted is not None
    assert before.accepted is not None
    assert after.accepted > before.accepted


@pytest.mark.parametrize("api", ["1.4.0", "2.0.4", "2.0.5", "2.2.2"])
async def test_faults(simulate: Simulate, api: str) -> None:
    device = await simulate(SimulatedWhatsminer, api=api, faults=(110, 531, 541007))
    async with make(device) as miner:
        stats = await miner.read()
    assert [found.code for found in stats.faults] == ["110", "531", "541007"]
    assert stats.faults[1].message == "Hashboard 1: not found"
    assert stats.status is MinerStatus.MINING


@pytest.mark.parametrize(
    ("codes", "found"),
    [
        ('["329":"2022-01-17 11:28:11"]', ["329"]),
        ('["329":"2022-01-17 11:28:11","530":"2022-01-17"]', ["329", "530"]),
        ('[{"218":"2024-06-15"},{"110":"2024-06-15"}]', ["218", "110"]),
        ('[{"218":"x","110":"y"}]', ["218", "110"]),
        ('[218, "110", 0, null]', ["218", "110"]),
        ("[]", []),
    ],
)
async def test_faults_however_they_are_written(
    device: SimulatedWhatsminer, codes: str, found: list[str]
) -> None:
    head = '{"STATUS":"S","When":1642392343,"Code":131,"Msg":{"error_code":'
    device.canned["get_error_code"] = f'{head}{codes}}},"Description":""}}'.encode()
    async with make(device) as miner:
        stats = await miner.read()
    assert [fault.code for fault in stats.faults] == found
    assert stats.failed == {}


async def test_one_part_that_cannot_be_read(device: SimulatedWhatsminer) -> None:
    async with make(device) as miner:
        device.canned["get_error_code"] = b'{"STATUS":"S","Msg":"none"}'
        device.canned["edevs"] = b"<html>"
        stats = await miner.read()
    assert set(stats.failed) == {"faults", "boards"}
    assert stats.status is MinerStatus.MINING
    assert stats.temperature_chip == 88.2


async def test_one_value_that_cannot_be_read(device: SimulatedWhatsminer) -> None:
    reply = device.summary()
    facts = reply["SUMMARY"][0]
    facts |= {"Power": "much", "Env Temp": -273.0, "Power Limit": "3400 W"}
    joined = {"summary": [reply], "pools": [device.pool_list()], "id": 1}
    device.canned["summary+pools"] = orjson.dumps(joined)
    async with make(device) as miner:
        stats = await miner.read()
    assert stats.power is None
    assert "much" in stats.failed["power"]
    assert stats.temperature_ambient is None
    assert stats.power_limit == 3400
    assert stats.hashrate == pytest.approx(112, rel=0.02)


async def test_on_its_way_to_full_speed(device: SimulatedWhatsminer) -> None:
    device.ramp = 1000.0
    device.restart()
    async with make(device) as miner:
        stats = await miner.read()
    assert stats.status is MinerStatus.TUNING
    assert stats.hashrate == pytest.approx(11.2, rel=0.1)


async def test_tuning_is_known_from_the_boards_too(simulate: Simulate) -> None:
    device = await simulate(SimulatedWhatsminer)
    device.ramp = 1000.0
    device.restart()
    reply = device.summary()
    del reply["SUMMARY"][0]["Upfreq Complete"]
    joined = {"summary": [reply], "pools": [device.pool_list()], "id": 1}
    device.canned["summary+pools"] = orjson.dumps(joined)
    async with make(device) as miner:
        assert (await miner.read()).status is MinerStatus.TUNING


async def test_not_hashing_says_why(device: SimulatedWhatsminer) -> None:
    async with make(device) as miner:
        device.stalled = True
        stats = await miner.read()
        assert (stats.status, stats.hashrate) == (MinerStatus.IDLE, 0)
        assert stats.efficiency is None
        device.faults = [200]
        assert (await miner.read()).status is MinerStatus.FAULT
        device.faults = [714]
        device.stalled, device.pool_alive = False, False
        stats = await miner.read()
        assert stats.status is MinerStatus.IDLE
        assert {pool.status for pool in stats.pools} == {PoolState.DEAD}
        device.pool_alive = True
        device.stalled = True
        device.restart()
        assert (await miner.read()).status is MinerStatus.STARTING


async def test_status_is_unknown_without_a_hashrate(
    device: SimulatedWhatsminer,
) -> None:
    bare = {"STATUS": [{"STATUS": "S"}], "SUMMARY": [{"Elapsed": 5000}]}
    device.canned["summary+pools"] = orjson.dumps({"summary": [bare], "pools": []})
    async with make(device) as miner:
        stats = await miner.read()
        assert stats.status is MinerStatus.MINING
        assert stats.hashrate == pytest.approx(112, rel=0.03)
        device.canned["edevs"] = device.canned["devs"] = b'{"DEVS":[{"Slot":0}]}'
        stats = await miner.read()
    assert stats.status is MinerStatus.UNKNOWN
    assert stats.hashrate is None


# Asleep.


@pytest.mark.parametrize("api", ["1.4.0", "2.0.5", "2.2.2"])
async def test_asleep_at_connect(simulate: Simulate, api: str) -> None:
    device = await simulate(SimulatedWhatsminer, api=api, asleep=True, faults=(600,))
    async with make(device) as miner:
        for _ in range(3):
            device.requests = 0
            stats = await miner.read()
            assert stats.status is MinerStatus.PAUSED
            assert stats.hashrate == 0
            assert stats.failed == {}
    assert [found.code for found in stats.faults] == ([] if api == "1.4.0" else ["600"])
    # Once it is known that it sleeps, it is asked no more than needed.
    assert device.requests == {"1.4.0": 1, "2.0.5": 2, "2.2.2": 4}[api]
    if api != "1.4.0":
        assert (stats.power_mode, stats.power_limit) == ("normal", 3472)


@pytest.mark.parametrize("api", ["1.4.0", "2.0.5", "2.2.2"])
async def test_pause_and_resume(simulate: Simulate, api: str) -> None:
    device = await simulate(SimulatedWhatsminer, api=api)
    device.restart_seconds = 0.05
    async with make(device) as miner:
        await miner.pause()
        assert device.asleep
        assert (await miner.read()).status is MinerStatus.PAUSED
        await miner.resume()
        assert not device.asleep
        miner.confirm_within = 1
        device._away_until = 0
        assert (await miner.read()).status is MinerStatus.MINING


async def test_starting_while_the_process_is_not_up_yet(
    device: SimulatedWhatsminer,
) -> None:
    async with make(device) as miner:
        device.restart_seconds = 60
        device.restart()
        stats = await miner.read()
        assert (stats.status, stats.hashrate) == (MinerStatus.STARTING, None)
        device.faults = [531]
        assert (await miner.read()).status is MinerStatus.FAULT


async def test_not_hashing_without_a_status_is_unknown(
    device: SimulatedWhatsminer,
) -> None:
    async with make(device) as miner:
        device.stalled = True
        device.canned["status"] = b"<html>"
        stats = await miner.read()
        assert stats.status is MinerStatus.UNKNOWN
        assert set(stats.failed) == {"status"}


async def test_not_hashing_on_firmware_that_has_no_status(simulate: Simulate) -> None:
    device = await simulate(SimulatedWhatsminer, api=BARE)
    device.stalled = True
    async with make(device) as miner:
        stats = await miner.read()
        assert (stats.status, stats.failed) == (MinerStatus.IDLE, {})


async def test_facts_that_are_broken_at_first(device: SimulatedWhatsminer) -> None:
    device.canned["get_miner_info"] = device.canned["devdetails"] = b"<html>"
    async with make(device) as miner:
        assert miner.info.model is None
        assert miner.info.unique_id == mac_of(device.serial).lower()
        assert Capability.LOCATE not in miner.info.capabilities
        device.canned.clear()
        miner.forget_info()
        await miner.read()
        assert Capability.LOCATE in miner.info.capabilities
        device.canned["get_miner_info"] = b"<html>"
        miner.forget_info()
        assert "info" in (await miner.read()).failed
        assert Capability.LOCATE in miner.info.capabilities


async def test_no_summary_and_no_status(device: SimulatedWhatsminer) -> None:
    device.canned["status"] = b'{"STATUS":"E","Code":132,"Msg":"API command ERROR"}'
    async with make(device) as miner:
        device.restart_seconds = 60
        device.restart()
        with pytest.raises(InvalidReply, match="API command ERROR"):
            await miner.read()


# What it must survive.


async def test_unreachable(simulate: Simulate) -> None:
    device = await simulate(SimulatedWhatsminer)
    miner = make(device)
    await device.stop()
    with pytest.raises(DeviceUnreachable):
        await miner.connect()


@pytest.mark.parametrize("api", ["1.4.0", "2.0.5"])
@pytest.mark.parametrize("trouble", ALL_TROUBLE)
async def test_trouble(simulate: Simulate, api: str, trouble: Trouble) -> None:
    device = await simulate(SimulatedWhatsminer, api=api)
    async with make(device, timeout=0.3) as miner:
        await survives(miner, device, trouble)
    assert device.most_connections <= 2


ODD = st.one_of(
    st.binary(max_size=80),
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**63)
        | st.floats()
        | st.text(st.characters(codec="utf-8"), max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        *("STATUS", "SUMMARY", "Msg", "DEVS", "POOLS", "summary"),
                        *("pools", "Elapsed", "MHS av", "Code", "error_code", "Slot"),
                        *("mineroff", "Upfreq Complete", "Power Limit", "Priority"),
                    ]
                ),
                inner,
                max_size=5,
            )
        ),
        max_leaves=12,
    ).map(orjson.dumps),
)


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(body=ODD)
async def test_any_bytes(device: SimulatedWhatsminer, body: bytes) -> None:
    async with make(device, timeout=0.5) as miner:
        await survives_bytes(miner, device, body)


# Replies that were recorded.


def serve(device: SimulatedWhatsminer, **replies: bytes) -> None:
    device.canned |= replies
    joined = {
        "summary": [orjson.loads(replies["summary"])],
        "pools": [orjson.loads(replies["pools"])],
        "id": 1,
    }
    device.canned["summary+pools"] = orjson.dumps(joined)


async def test_recorded_m31s(
    simulate: Simulate, example: Callable[[str], bytes]
) -> None:
    device = await simulate(SimulatedWhatsminer, api="1.4.0")
    folder = "whatsminer/v1/asicrs"
    serve(
        device,
        **{
            name: example(f"{folder}/{name}.json")
            for name in ("summary", "pools", "status", "get_version")
        },
        edevs=example(f"{folder}/devs.json"),
    )
    async with make(device) as miner:
        stats = await miner.read()
        assert miner.info.firmware_version == "20210322.22.REL"
        assert miner.info.mac == "c4:08:28:00:a4:19"
    assert stats.failed == {}
    assert stats.status is MinerStatus.MINING
    assert (stats.hashrate, stats.hashrate_average) == (70.6681, 67.7533)
    assert (stats.hashrate_expected, stats.power) == (68.796, 3417)
    assert (stats.power_limit, stats.power_mode) == (3500, "normal")
    assert stats.efficiency == pytest.approx(50.43)
    assert (stats.temperature_chip, stats.temperature_board) == (92.5, 71.5)
    assert [fan.speed for fan in stats.fans] == [6450, 6480]
    assert [board.chips for board in stats.boards] == [105, 105, 105]
    assert stats.boards[0].hashrate == 20.0534
    assert stats.boards[0].serial_number == "H5M14S69129A17K10095"
    assert (stats.accepted, stats.rejected, stats.hardware_errors) == (2338, 0, 69)
    assert stats.uptime == 10154
    serve(
        device,
        summary=example(f"{folder}/summary_with_errors.json"),
        pools=example(f"{folder}/pools.json"),
    )
    async with make(device) as miner:
        stats = await miner.read()
    assert [found.code for found in stats.faults] == ["110", "600"]


async def test_recorded_v2(simulate: Simulate, example: Callable[[str], bytes]) -> None:
    device = await simulate(SimulatedWhatsminer)
    names = ("summary", "pools", "devs", "status", "get_version", "get_miner_info")
    folder = "bench/whatsminer_v2"
    serve(device, **{name: example(f"{folder}/{name}.json") for name in names})
    device.has_edevs = False
    device.canned["get_error_code"] = example(
        f"{folder}/get_error_code_with_errors.json"
    )
    async with make(device) as miner:
        stats = await miner.read()
        assert miner.info.serial_number == "HTM32X67202312204020013410155"
        assert miner.info.firmware_version == "20230803.11.REL"
    assert stats.failed == {}
    assert stats.status is MinerStatus.MINING
    assert (stats.hashrate, stats.hashrate_expected) == (125, 126)
    assert (stats.power, stats.power_limit, stats.efficiency) == (3200, 3300, 25.6)
    assert (stats.temperature_chip, stats.temperature_board) == (81, 67)
    assert stats.temperature_ambient == 28.5
    assert [board.hashrate for board in stats.boards] == [41.5, 41.8, 41.7]
    assert (stats.accepted, stats.best_difficulty) == (5412, 82_000_000)
    assert [found.code for found in stats.faults] == ["218", "110"]
    assert stats.locating is False


# Firmware of 2026 as a live M7BS answers it: TH/s where MH/s is meant.
REL3_BOARD: dict[str, Any] = {
    "Slot": 0,
    "Temperature": 65.31,
    "Chip Frequency": 413,
    "MHS av": 170.62,
    "HS RT": 170.75,
    "Factory GHS": 139930,
    "Effective Chips": 288,
}


def test_rates_of_boards_in_either_unit() -> None:
    from custom_components.miningsdk.sdk.drivers import _whatsminer_v2_stats as read

    (board,) = read.boards({"DEVS": [REL3_BOARD]}, {})
    assert (board.hashrate, board.hashrate_expected) == (170.75, 139.93)
    old = {**REL3_BOARD, "ASC": 0, "MHS av": 170_620_000.0, "HS RT": 170_750_000.0}
    (board,) = read.boards({"DEVS": [old]}, {})
    assert board.hashrate == 170.75
    slow = {**REL3_BOARD, "HS RT": 900_000.0}
    (board,) = read.boards({"DEVS": [slow]}, {})
    assert board.hashrate == 0.9

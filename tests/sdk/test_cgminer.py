"""The fallback for anything with the cgminer socket API: it reads, and no more."""

from collections.abc import Callable

from hypothesis import HealthCheck, given, settings, strategies
import orjson
import pytest

from custom_components.miningsdk.sdk import (
    Capability,
    DeviceTimeout,
    DeviceUnreachable,
    InvalidReply,
    MinerStatus,
    NotSupported,
    PoolState,
    register_miner,
    to_json,
)
from custom_components.miningsdk.sdk.drivers import _process_clock, cgminer as driver
from custom_components.miningsdk.sdk.drivers.cgminer import Cgminer
from custom_components.miningsdk.sdk.transports import cgminer
from custom_components.miningsdk.sdk.transports.wire import Wire
from tests.conftest import Simulate
from tests.sdk.trouble import ALL_TROUBLE, check_vocabulary, survives, survives_bytes
from tests.simulators.base import Trouble
from tests.simulators.cgminer import PORT, SimulatedCgminer


def make(device: SimulatedCgminer, timeout: float = 2) -> Cgminer:
    return Cgminer(device.host, port=device.port(PORT), timeout=timeout)


@pytest.fixture
async def device(simulate: Simulate) -> SimulatedCgminer:
    found = await simulate(SimulatedCgminer)
    assert isinstance(found, SimulatedCgminer)
    return found


async def test_info(device: SimulatedCgminer) -> None:
    device.version["MAC"] = "AABBCCDDEE0F"
    async with make(device) as miner:
        info = miner.info
    assert (info.driver, info.make, info.model) == ("cgminer", None, "HashBox 9")
    assert (info.firmware, info.firmware_version) == ("cgminer", "4.11.1")
    assert info.mac == info.unique_id == "aa:bb:cc:dd:ee:0f"
    assert info.capabilities == ()
    assert device.asked == ["version", "devdetails"]


async def test_model_from_version_saves_a_request(device: SimulatedCgminer) -> None:
    device.version["Type"] = "HashBox 11 Pro"
    async with make(device) as miner:
        assert miner.info.model == "HashBox 11 Pro"
        assert miner.info.unique_id is None
    assert device.asked == ["version"]


async def test_refused_version_is_not_the_end(device: SimulatedCgminer) -> None:
    device.unknown = frozenset({"version", "devdetails"})
    async with make(device) as miner:
        assert miner.info.model is None
        assert (await miner.read()).status is MinerStatus.MINING


async def test_stats_in_one_request(device: SimulatedCgminer) -> None:
    async with make(device) as miner:
        before = device.requests
        stats = await miner.read()
    assert device.requests - before == 1
    assert device.most_connections == 1
    assert stats.failed == {}
    assert stats.status is MinerStatus.MINING
    assert stats.hashrate == pytest.approx(14, rel=0.011)
    assert stats.hashrate_average == 14
    assert stats.hashrate_expected == 14.5
    assert [(fan.index, fan.speed) for fan in stats.fans] == [(0, 4320), (1, 4200)]
    assert [board.index for board in stats.boards] == [0, 1, 2]
    board = stats.boards[2]
    assert board.hashrate == pytest.approx(4.6667, abs=1e-4)
    assert (board.temperature_board, board.temperature_chip) == (55, 75)
    assert (board.chips, board.frequency) == (63, 650)
    assert (stats.temperature_board, stats.temperature_chip) == (55, 75)
    assert stats.accepted == pytest.approx(5000 / 7, abs=2)
    assert (stats.stale, stats.hardware_errors) == (1, 12)
    assert stats.best_difficulty == 2.5e9
    assert stats.uptime == pytest.approx(5000, abs=3)
    assert stats.power is None
    assert stats.efficiency is None


async def test_pools_without_secrets(device: SimulatedCgminer) -> None:
    async with make(device) as miner:
        stats = await miner.read()
    assert [(p.index, p.status) for p in stats.pools] == [
        (0, PoolState.ACTIVE),
        (1, PoolState.ALIVE),
    ]
    assert stats.pools[0].url == "stratum+tcp://pool0.example.com:3333"
    assert stats.pools[0].user == "acct.rig"
    assert "pool-secret" not in to_json(stats)


async def test_joined_requests_refused_once(device: SimulatedCgminer) -> None:
    device.joins = False
    async with make(device) as miner:
        await miner.read()
        before = device.requests
        stats = await miner.read()
    assert device.requests - before == 4
    assert device.most_connections == 1
    assert stats.status is MinerStatus.MINING
    assert stats.failed == {}


@pytest.mark.parametrize("joins", [True, False])
async def test_one_refused_command_loses_nothing_else(
    device: SimulatedCgminer, joins: bool
) -> None:
    device.joins = joins
    device.unknown = frozenset({"pools", "stats"})
    async with make(device) as miner:
        stats = await miner.read()
    assert set(stats.failed) == {"pools", "stats"}
    assert "Invalid command" in stats.failed["pools"]
    assert stats.status is MinerStatus.MINING
    assert stats.fans == ()
    # Without the statistics the devices stand for the boards.
    assert len(stats.boards) == 3
    assert stats.boards[0].temperature_board is None
    assert stats.boards[2].temperature_board == 57
    assert stats.boards[2].enabled is True


@pytest.mark.parametrize("unit", ["KHS", "MHS", "GHS", "THS"])
async def test_units(simulate: Simulate, unit: str) -> None:
    device = await simulate(SimulatedCgminer, unit=unit, chains=False)
    async with make(device) as miner:
        stats = await miner.read()
    assert stats.hashrate == pytest.approx(14, rel=0.011)
    assert stats.boards[0].hashrate == pytest.approx(14 / 3, rel=0.011)


async def test_without_rate_it_does_not_mine(device: SimulatedCgminer) -> None:
    device.rate = 0
    async with make(device) as miner:
        stats = await miner.read()
        assert stats.status is MinerStatus.IDLE
        assert stats.hashrate == 0
        assert stats.hashrate_average == 3
        device.booted = device.now() - 60
        assert (await miner.read()).status is MinerStatus.STARTING
        device.pool_status = "Dead"
        stats = await miner.read()
    assert stats.status is MinerStatus.IDLE
    assert stats.pools[0].status is PoolState.DEAD


async def test_frozen_miner_is_not_mining(
    device: SimulatedCgminer, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = 1000.0
    monkeypatch.setattr(_process_clock, "monotonic", lambda: clock)
    async with make(device) as miner:
        device.freeze()
        assert (await miner.read()).status is MinerStatus.MINING
        clock += 10
        assert (await miner.read()).status is MinerStatus.MINING
        clock += 10
        stats = await miner.read()
        assert stats.status is MinerStatus.UNKNOWN
        assert stats.hashrate
        device.frozen, device.booted = None, device.booted - 20
        assert (await miner.read()).status is MinerStatus.MINING


async def test_lifetime_average_alone_proves_nothing(device: SimulatedCgminer) -> None:
    device.windows = ()
    async with make(device) as miner:
        stats = await miner.read()
        assert stats.status is MinerStatus.UNKNOWN
        assert stats.hashrate == 14
        device.booted -= 60
        assert (await miner.read()).status is MinerStatus.MINING


async def test_sick_device_is_a_fault(device: SimulatedCgminer) -> None:
    device.sick = {1: "Dead"}
    async with make(device) as miner:
        (fault,) = (await miner.read()).faults
    assert (fault.code, fault.component) == ("device_dead", "board 1")
    assert fault.severity == "critical"


async def test_it_takes_no_commands(device: SimulatedCgminer) -> None:
    async with make(device) as miner:
        before = device.requests
        with pytest.raises(NotSupported):
            await miner.pause()
        with pytest.raises(NotSupported):
            await miner.reboot()
        assert device.requests == before
        assert Capability.POOLS not in miner.info.capabilities


async def test_garbled_values_are_named(device: SimulatedCgminer) -> None:
    device.canned["summary+stats+devs+pools"] = orjson.dumps(
        {
            "summary": [{"SUMMARY": [{"Elapsed": "?", "GHS 5s": "12.5", "GHS av": 1}]}],
            "stats": [{"STATS": [{"fan1": "fast", "temp1": "warm"}]}],
            "devs": [{"DEVS": [{"Temperature": "nan", "Status": 7}]}],
            "pools": [{"POOLS": [{"URL": "x", "Accepted": "many"}, 5]}],
        }
    )
    async with make(device) as miner:
        stats = await miner.read()
    assert stats.hashrate == 0.0125
    assert {"uptime", "fans", "boards", "pools"} <= set(stats.failed)
    check_vocabulary(stats)


@pytest.mark.parametrize(
    ("written", "value"),
    [(5, 5), (1.5, 1.5), ("354914572", 354914572), ("2.5G", 2.5e9), ("1.2 k", 1200)],
)
def test_difficulty(written: object, value: float) -> None:
    assert driver.difficulty(written) == value


@pytest.mark.parametrize("written", [None, "", "many", True, [], "5Q"])
def test_no_difficulty(written: object) -> None:
    assert driver.difficulty(written) is None


async def test_recognised_as_the_last_resort(device: SimulatedCgminer) -> None:
    wire = Wire(host=device.host)
    answer = await cgminer.VERSION.ask(wire, device.port(PORT))
    assert Cgminer.recognise({cgminer.VERSION: answer}) == 10
    assert Cgminer.recognise({cgminer.VERSION: '{"error":"x"}'}) == 0
    assert Cgminer.recognise({}) == 0


async def test_found_by_name(device: SimulatedCgminer) -> None:
    miner = register_miner("generic-cgminer", host=device.host, port=device.port(PORT))
    await miner.connect()
    assert miner.info.driver == "cgminer"


async def test_unreachable(device: SimulatedCgminer) -> None:
    miner = make(device)
    await device.stop()
    with pytest.raises(DeviceUnreachable, match="refused"):
        await miner.connect()


async def test_silence_at_connect(device: SimulatedCgminer) -> None:
    device.trouble = Trouble.SILENT
    miner = make(device, 0.2)
    with pytest.raises(DeviceTimeout):
        await miner.connect()


async def test_another_protocol_at_connect(device: SimulatedCgminer) -> None:
    device.trouble = Trouble.WRONG_TYPES
    with pytest.raises(InvalidReply):
        await make(device).connect()


async def test_replaced_device_is_noticed(
    simulate: Simulate, device: SimulatedCgminer
) -> None:
    device.version["MAC"] = "aabbccddee01"
    async with make(device) as miner:
        first = miner.info.unique_id
        await device.stop()
        with pytest.raises(DeviceUnreachable):
            await miner.read()
        await simulate(
            SimulatedCgminer, host=device.host, version={"MAC": "aabbccddee02"}
        )
        await miner.read()
        assert miner.info.unique_id != first


@pytest.mark.parametrize("trouble", ALL_TROUBLE)
async def test_trouble(device: SimulatedCgminer, trouble: Trouble) -> None:
    miner = make(device, 0.3)
    await miner.connect()
    await survives(miner, device, trouble)


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(body=strategies.binary(max_size=300))
async def test_any_bytes(device: SimulatedCgminer, body: bytes) -> None:
    miner = make(device, 0.3)
    await miner.connect()
    await survives_bytes(miner, device, body)


@pytest.mark.parametrize("folder", ["bench/antminer_v2020", "bench/whatsminer_v2"])
async def test_recorded_replies(
    device: SimulatedCgminer, example: Callable[[str], bytes], folder: str
) -> None:
    device.joins = False
    for name in ("version", "summary", "stats", "devs", "pools"):
        file = "get_version" if "whats" in folder and name == "version" else name
        if name != "stats" or "whats" not in folder:
            device.canned[name] = example(f"{folder}/{file}.json")
    device.unknown = frozenset({"stats"})
    async with make(device) as miner:
        stats = await miner.read()
    check_vocabulary(stats)
    assert stats.hashrate
    assert stats.hashrate > 10
    assert stats.pools

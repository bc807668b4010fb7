"""AxeOS: Bitaxe of all generations, clones, and the recorded replies."""

from collections.abc import Callable, Sequence
import time
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
import orjson
import pytest

from custom_components.miningsdk.sdk import (
    AuthenticationFailed,
    Capability,
    CommandFailed,
    DeviceUnreachable,
    Fan,
    InvalidReply,
    Limits,
    MinerPool,
    MinerStats,
    MinerStatus,
    NotSupported,
    PoolConfig,
    PoolState,
    Severity,
    register_miner,
)
from custom_components.miningsdk.sdk.drivers import axeos as driver_module
from custom_components.miningsdk.sdk.drivers._axeos_api import INFO
from custom_components.miningsdk.sdk.drivers._axeos_stats import read_stats
from custom_components.miningsdk.sdk.drivers.axeos import AxeOS
from custom_components.miningsdk.sdk.drivers.nerdaxe import NerdAxe
from custom_components.miningsdk.sdk.fields import Fields
from custom_components.miningsdk.sdk.transports.wire import Wire
from tests.conftest import OFFSET, Simulate
from tests.sdk.trouble import ALL_TROUBLE, check_vocabulary, survives, survives_bytes
from tests.simulators.axeos import SimulatedAxeOS
from tests.simulators.base import Trouble

PORT = 80 + OFFSET
POOLS = (
    PoolConfig(url="stratum+tcp://pool.one:3333", user="bc1qone.a", password="secret1"),
    PoolConfig(url="stratum+ssl://pool.two:4444", user="bc1qtwo.b", password="secret2"),
)
EVERY_GENERATION = ("2.0.0", "2.3.1", "2.6.2", "2.8.0", "2.9.0", "2.10.1", "2.11.0")
NEWER = ("2.12.1", "2.13.0", "2.14.0", "2.15.0")


def hurry(miner: AxeOS) -> AxeOS:
    miner.confirm_every = 0.01
    miner.confirm_within = 0.3
    return miner


@pytest.fixture
async def connect(simulate: Simulate, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that switches on a device and connects a miner to it."""
    miners: list[AxeOS] = []
    monkeypatch.setattr(AxeOS, "confirm_longer", {})

    async def make(**options: Any) -> tuple[AxeOS, SimulatedAxeOS]:
        timeout = options.pop("timeout", 2.0)
        options.setdefault("boot", 0.05)
        device = await simulate(SimulatedAxeOS, **options)
        miner = hurry(AxeOS(device.host, port=PORT, timeout=timeout))
        miners.append(miner)
        return await miner.connect(), device

    yield make
    for miner in miners:
        await miner.close()


@pytest.fixture
async def pair(connect: Any) -> tuple[AxeOS, SimulatedAxeOS]:
    """Return one miner and its device."""
    return await connect(timeout=1.0)  # type: ignore[no-any-return]


def parse(raw: bytes, **more: Any) -> MinerStats:
    options = {"chips": 1, "fans": 1, "waking": False, "locating": None} | more
    return read_stats(Fields(orjson.loads(raw)), **options)


# Who it is.


async def test_info(connect: Any) -> None:
    miner, device = await connect(model="601", serial=7)
    info = miner.info
    assert info.driver == "axeos"
    assert (info.make, info.model, info.firmware) == ("Bitaxe", "Gamma 601", "axeos")
    assert info.firmware_version == "v2.15.0"
    assert info.mac == "dc:da:0c:00:00:07"
    assert info.unique_id == info.mac
    assert info.hostname == "bitaxe"
    assert info.algorithm == "sha256"
    assert info.chips == 1
    assert set(info.capabilities) == {
        Capability.REBOOT,
        Capability.PAUSE,
        Capability.LOCATE,
        Capability.FAN,
        Capability.TARGET_TEMPERATURE,
        Capability.FREQUENCY,
        Capability.VOLTAGE,
        Capability.POOLS,
    }
    assert info.limits == {
        Capability.FAN: Limits(minimum=25, maximum=100, step=1, options=("auto",)),
        Capability.TARGET_TEMPERATURE: Limits(minimum=35, maximum=66, step=1),
        Capability.FREQUENCY: Limits(minimum=400, maximum=625, step=5),
        Capability.VOLTAGE: Limits(minimum=1.0, maximum=1.25, step=0.01),
        Capability.POOLS: Limits(minimum=1, maximum=2, step=1),
    }
    assert device.requests == 2


@pytest.mark.parametrize(
    ("board", "model", "chips"),
    [
        ("102", "Max 102", 1),
        ("204", "Ultra 204", 1),
        ("303", "Hex 303", 6),
        ("401", "Supra 401", 1),
        ("702", "Supra Hex 702", 6),
        ("801", "Gamma Turbo 801", 2),
    ],
)
@pytest.mark.parametrize("firmware", ["2.6.0", "2.9.0", "2.15.0"])
async def test_models(
    connect: Any, board: str, model: str, chips: int, firmware: str
) -> None:
    miner, _ = await connect(model=board, firmware=firmware)
    assert (miner.info.model, miner.info.chips) == (model, chips)
    stats = await miner.read()
    assert stats.boards[0].chips_expected == chips
    assert stats.hashrate_expected == pytest.approx(stats.hashrate, rel=0.03)


@pytest.mark.parametrize(
    ("firmware", "added"),
    [
        ("2.0.0", set()),
        ("2.6.0", {Capability.TARGET_TEMPERATURE}),
        ("2.11.0", {Capability.TARGET_TEMPERATURE}),
        ("2.12.0", {Capability.TARGET_TEMPERATURE, Capability.LOCATE}),
        (
            "2.14.0",
            {Capability.TARGET_TEMPERATURE, Capability.LOCATE, Capability.PAUSE},
        ),
    ],
)
async def test_capabilities_follow_the_firmware(
    connect: Any, firmware: str, added: set[Capability]
) -> None:
    miner, _ = await connect(firmware=firmware)
    always = {
        Capability.REBOOT,
        Capability.POOLS,
        Capability.FAN,
        Capability.FREQUENCY,
        Capability.VOLTAGE,
    }
    assert set(miner.info.capabilities) == always | added
    for missing in {Capability.PAUSE, Capability.LOCATE} - added:
        with pytest.raises(NotSupported):
            await (miner.pause() if missing is Capability.PAUSE else miner.locate(True))


async def test_old_firmware_takes_the_options_of_its_chip(connect: Any) -> None:
    miner, _ = await connect(model="401", firmware="2.4.5-3-gb5d1e36-dirty")
    assert miner.info.limits[Capability.FREQUENCY] == Limits(
        minimum=400, maximum=575, step=5
    )
    assert miner.info.limits[Capability.VOLTAGE] == Limits(
        minimum=1.1, maximum=1.3, step=0.05
    )


async def test_overclocking_widens_the_limits_at_once(connect: Any) -> None:
    miner, device = await connect()
    with pytest.raises(NotSupported, match="700 MHz is outside"):
        await miner.set_frequency(700)
    device.settings["overclockEnabled"] = 1
    await miner.read()
    assert miner.info.limits[Capability.FREQUENCY] == Limits(
        minimum=200, maximum=1250, step=1
    )
    assert miner.info.limits[Capability.VOLTAGE] == Limits(
        minimum=0.9, maximum=1.5, step=0.001
    )
    await miner.set_frequency(700.25)
    assert device.settings["frequency"] == 700.25


async def test_a_clone_is_told_from_the_board_it_claims(connect: Any) -> None:
    miner, device = await connect(model="303", firmware="2.4.0", clone="LV07")
    assert (miner.info.make, miner.info.model) == ("Lucky Miner", "LV07")
    assert miner.info.unique_id is None
    assert miner.info.limits[Capability.POOLS].maximum == 1
    assert not {Capability.FREQUENCY, Capability.VOLTAGE} & set(miner.info.capabilities)
    stats = await miner.read()
    assert stats.status is MinerStatus.MINING
    assert stats.fans[0].speed > 1000
    assert len(stats.pools) == 1
    await miner.set_pools(POOLS[:1])
    assert device.mining_to[0] == ("pool.one", "bc1qone.a")
    with pytest.raises(NotSupported, match="takes 1 pool"):
        await miner.set_pools(POOLS)


async def test_register_by_model() -> None:
    miner = register_miner("bitaxe-gamma", host="127.0.0.1", port=8080)
    assert isinstance(miner, AxeOS)
    assert miner.info.model == "GAMMA"
    assert miner.info.port == 8080
    await miner.close()


async def test_recognition(simulate: Simulate) -> None:
    device = await simulate(SimulatedAxeOS)
    wire = Wire(host=device.host)
    answer = await INFO.ask(wire, PORT)
    await wire.close()
    assert AxeOS.recognise({INFO: answer}) == 90
    assert NerdAxe.recognise({INFO: answer}) == 0
    assert AxeOS.recognise({}) == 0
    assert AxeOS.recognise({INFO: "HTTP 302\nLocation: /\n\n"}) == 0
    assert AxeOS.recognise({INFO: "HTTP 401\n\nUnauthorized"}) == 0
    assert INFO in AxeOS.probes
    assert AxeOS in driver_module.DRIVERS


# What it reads.


async def test_stats(connect: Any) -> None:
    miner, device = await connect(model="602", serial=3, uptime=86_400)
    stats = await miner.read()
    check_vocabulary(stats)
    assert stats.status is MinerStatus.MINING
    assert stats.hashrate == pytest.approx(1.071, rel=0.02)
    assert stats.hashrate_average == pytest.approx(1.071 * 0.99, abs=1e-4)
    assert stats.hashrate_expected == 1.071
    assert stats.power == pytest.approx(18, rel=0.02)
    assert stats.temperature_chip == pytest.approx(60, abs=1)
    assert stats.temperature_board == pytest.approx(52, abs=1)
    assert stats.fans == (Fan(index=0, speed=stats.fans[0].speed, duty=device.duty),)
    assert len(stats.boards) == 1
    board = stats.boards[0]
    assert (board.index, board.chips, board.chips_expected) == (0, 1, 1)
    assert board.hashrate == stats.hashrate
    assert (board.frequency, board.voltage) == (525.0, 1.146)
    assert stats.pools[0] == MinerPool(
        index=0,
        url="stratum+tcp://public-pool.io:21496",
        user="bc1qsimulated00003.bitaxe",
        status=PoolState.ACTIVE,
    )
    assert stats.pools[1].url == "stratum+tcp://solo.ckpool.org:3333"
    assert stats.pools[1].status is None
    assert stats.pools[2].status is PoolState.DISABLED
    assert stats.accepted == 7200
    assert stats.rejected == 36
    assert stats.hardware_errors == 3
    assert stats.best_difficulty == 4_293_000.0
    assert stats.uptime == 86_400
    assert stats.locating is False
    assert stats.settings.fan is None
    assert stats.settings.fan_automatic is True
    assert stats.settings.target_temperature == 60
    assert (stats.settings.frequency, stats.settings.voltage) == (525, 1.15)
    assert stats.efficiency == pytest.approx(16.8, rel=0.05)
    assert not stats.faults
    assert not stats.failed


@pytest.mark.parametrize("firmware", [*EVERY_GENERATION, *NEWER])
async def test_every_generation_reads_alike(connect: Any, firmware: str) -> None:
    miner, device = await connect(firmware=firmware, serial=12)
    device.requests = 0
    stats = await miner.read()
    assert device.requests == 1
    check_vocabulary(stats)
    assert stats.status is MinerStatus.MINING
    assert stats.hashrate == pytest.approx(1.071, rel=0.02)
    assert stats.hashrate_expected == 1.071
    assert stats.best_difficulty == pytest.approx(4_302_000, rel=0.01)
    assert stats.temperature_chip == pytest.approx(60, abs=1)
    assert len(stats.fans) == 1
    assert len(stats.pools) == (3 if firmware == "2.15.0" else 2)
    assert (miner.info.mac is None) == (firmware == "2.0.0")
    assert not stats.failed


async def test_the_fan_duty_of_old_firmware_counts_as_its_setting(connect: Any) -> None:
    miner, device = await connect(firmware="2.9.0")
    device.settings |= {"autofanspeed": 0, "manualFanSpeed": 55}
    settings_ = (await miner.read()).settings
    assert (settings_.fan, settings_.fan_automatic) == (55, False)


async def test_a_second_fan_stays_once_it_was_seen(connect: Any) -> None:
    miner, device = await connect(model="801")
    assert len((await miner.read()).fans) == 2
    device.settings |= {"autofanspeed": 0, "manualFanSpeed": 0}
    fans = (await miner.read()).fans
    assert [fan.speed for fan in fans] == [0, 0]


async def test_asleep_at_connect(connect: Any) -> None:
    miner, _ = await connect(asleep=True)
    stats = await miner.read()
    assert stats.status is MinerStatus.PAUSED
    assert stats.hashrate == 0
    assert stats.hashrate_average is None
    assert stats.temperature_chip is None
    assert stats.temperature_board is not None
    assert stats.boards[0].chips is None
    assert stats.pools[0].status is None
    assert stats.power < 3


async def test_just_booted_is_starting(connect: Any) -> None:
    miner, _ = await connect(uptime=4)
    stats = await miner.read()
    assert stats.status is MinerStatus.STARTING
    assert stats.uptime == 4


async def test_without_a_pool_it_is_idle(connect: Any) -> None:
    miner, device = await connect()
    device.pool_down = True
    stats = await miner.read()
    assert (stats.status, stats.hashrate) == (MinerStatus.IDLE, 0)
    assert not stats.faults


async def test_overheating_is_a_fault(connect: Any) -> None:
    miner, _ = await connect(overheated=True)
    stats = await miner.read()
    assert stats.status is MinerStatus.FAULT
    assert [(f.code, f.severity) for f in stats.faults] == [
        ("overheat_mode", Severity.CRITICAL)
    ]
    assert stats.fans[0].duty == 100


async def test_faults_come_in_the_words_of_the_device(connect: Any) -> None:
    miner, device = await connect(power_fault="VIN too low", hardware_fault="No ASIC")
    stats = await miner.read()
    assert stats.status is MinerStatus.FAULT
    assert [(f.code, f.message, f.component) for f in stats.faults] == [
        ("power_fault", "VIN too low", "power"),
        ("hardware_fault", "No ASIC", "board"),
    ]
    device.power_fault = device.hardware_fault = None
    assert (await miner.read()).status is MinerStatus.MINING


def test_a_fault_while_hashing_does_not_hide_that_it_hashes() -> None:
    stats = parse(b'{"hashRate": 500, "power_fault": 1, "hardware_fault": 0}')
    assert stats.status is MinerStatus.MINING
    assert [f.message for f in stats.faults] == ["The firmware reports a power fault"]


def test_no_hashrate_is_not_mining() -> None:
    stats = parse(b'{"ASICModel": "BM1370", "hashRate": "much", "uptimeSeconds": 9000}')
    assert stats.status is MinerStatus.UNKNOWN
    assert "hashrate" in stats.failed


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ('"483k"', 483_000),
        ('"1.2M"', 1_200_000),
        ('"2.75G"', 2_750_000_000),
        ('"0"', 0),
        ("238214491", 238_214_491),
        ('"n/a"', None),
        ('"many"', None),
    ],
)
def test_best_difficulty(told: str, meant: float | None) -> None:
    stats = parse(f'{{"bestDiff": {told}}}'.encode())
    assert stats.best_difficulty == meant
    assert ("best_difficulty" in stats.failed) == (told == '"many"')


def test_recorded_2_15(example: Callable[[str], bytes]) -> None:
    stats = parse(example("axeos/vendor-ui-mock/system_info_v2.15.json"))
    assert stats.status is MinerStatus.MINING
    assert (stats.hashrate, stats.hashrate_average) == (0.475, 0.478)
    assert stats.hashrate_expected == 0.42
    assert stats.power == 11.7
    assert (stats.temperature_chip, stats.temperature_board) == (60, 45)
    assert stats.fans == (
        Fan(index=0, speed=3583, duty=50),
        Fan(index=1, speed=4146, duty=50),
    )
    assert (stats.accepted, stats.rejected, stats.uptime) == (1, 10, 38)
    assert stats.best_difficulty == 238_214_491
    assert [pool.url for pool in stats.pools] == [
        "stratum+tcp://public-pool.io:21496",
        "stratum+tcp://test.public-pool.io:21497",
    ]
    assert stats.pools[0].status is PoolState.ACTIVE
    assert (stats.boards[0].frequency, stats.boards[0].voltage) == (485, 1.2)
    assert stats.boards[0].chips == 1
    assert stats.hardware_errors == 4
    assert (stats.settings.target_temperature, stats.settings.fan) == (60, None)
    assert not stats.failed


@pytest.mark.parametrize(
    "path",
    ["bitaxe/v2_0_0/asicrs/system_info.json", "bench/bitaxe_v2_0_0/system_info.json"],
)
async def test_recorded_old_capture(
    connect: Any, example: Callable[[str], bytes], path: str
) -> None:
    miner, device = await connect(firmware="2.4.5", model="401")
    device.body = example(path)
    stats = await miner.read()
    assert stats.status is MinerStatus.MINING
    assert stats.hashrate == 1.0
    assert stats.hashrate_expected == 0.6252
    assert (stats.temperature_chip, stats.temperature_board) == (59.9, 78)
    assert stats.best_difficulty == 483_000
    assert stats.fans == (Fan(index=0, speed=3517, duty=35),)
    assert stats.boards[0].voltage == 1.172
    assert miner.info.mac == "aa:bb:cc:dd:ee:ff"
    assert miner.info.model == "Supra 401"


# What it can be told.


async def test_pause_and_resume(connect: Any) -> None:
    miner, device = await connect()
    await miner.pause()
    assert device.asleep
    assert (await miner.read()).status is MinerStatus.PAUSED
    await miner.resume()
    assert not device.asleep
    assert (await miner.read()).status is MinerStatus.STARTING
    device.ramp = 0
    assert (await miner.read()).status is MinerStatus.MINING


async def test_a_pause_that_does_not_happen_fails(connect: Any) -> None:
    miner, device = await connect()
    device.stubborn = True
    with pytest.raises(CommandFailed, match="not confirmed"):
        await miner.pause()


async def test_reboot(connect: Any) -> None:
    miner, device = await connect(ramp=0)
    device.requests = 0
    await miner.reboot()
    assert device.restarts == 1
    assert device.requests == 1


async def test_locate_toggles_what_the_device_toggles(connect: Any) -> None:
    miner, device = await connect()
    await miner.locate(True)
    assert device.cue_until > 0
    assert (await miner.read()).locating is True
    await miner.locate(False)
    assert device.cue_until == 0
    assert (await miner.read()).locating is False


async def test_locate_begins_anew_when_somebody_else_began(connect: Any) -> None:
    miner, device = await connect()
    device._identify()
    await miner.locate(True)
    assert device.cue_until > 0
    device.requests = 0
    await miner.locate(True)
    assert device.cue_until > 0
    assert device.requests == 3


async def test_locate_off_does_not_begin_a_cue(connect: Any) -> None:
    miner, device = await connect()
    await miner.locate(False)
    assert device.cue_until == 0


async def test_the_cue_ends_by_itself(
    connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    miner, _ = await connect()
    await miner.locate(True)
    later = time.monotonic() + 31
    monkeypatch.setattr(driver_module, "monotonic", lambda: later)
    assert (await miner.read()).locating is False


@pytest.mark.parametrize("firmware", ["2.6.0", "2.10.1", "2.11.0", "2.15.0"])
async def test_fan(connect: Any, firmware: str) -> None:
    miner, device = await connect(firmware=firmware)
    await miner.set_fan(60)
    assert (device.settings["autofanspeed"], device.settings["manualFanSpeed"]) == (
        0,
        60,
    )
    stats = await miner.read()
    assert (stats.settings.fan, stats.settings.fan_automatic) == (60, False)
    await miner.set_fan(None)
    assert device.settings["autofanspeed"] == 1
    assert (await miner.read()).settings.fan_automatic is True


async def test_fan_stays_above_the_minimum_of_the_device(connect: Any) -> None:
    miner, device = await connect()
    with pytest.raises(NotSupported, match="25 to 100 %"):
        await miner.set_fan(10)
    device.settings["minFanSpeed"] = 5
    await miner.read()
    await miner.set_fan(10)
    assert device.settings["manualFanSpeed"] == 10


async def test_target_temperature(connect: Any) -> None:
    miner, device = await connect()
    await miner.set_target_temperature(55)
    assert device.settings["temptarget"] == 55
    for outside in (34, 67):
        with pytest.raises(NotSupported):
            await miner.set_target_temperature(outside)


async def test_frequency_and_voltage(connect: Any) -> None:
    miner, device = await connect()
    await miner.set_frequency(550)
    await miner.set_voltage(1.06)
    assert device.settings["frequency"] == 550
    assert device.settings["coreVoltage"] == 1060
    stats = await miner.read()
    assert stats.settings.frequency == 550
    assert stats.settings.voltage == 1.06
    for refused in (miner.set_voltage(1.3), miner.set_frequency(399)):
        with pytest.raises(NotSupported):
            await refused


async def test_a_setting_that_is_ignored_is_not_confirmed(connect: Any) -> None:
    miner, device = await connect()
    device.stubborn = True
    with pytest.raises(CommandFailed, match="not confirmed"):
        await miner.set_frequency(550)
    with pytest.raises(CommandFailed, match="not confirmed"):
        await miner.set_fan(70)


async def test_a_refusal_comes_in_the_words_of_the_device(connect: Any) -> None:
    miner, device = await connect()
    device.apply = lambda _: False
    with pytest.raises(CommandFailed, match="the device refused: Wrong API input"):
        await miner.set_target_temperature(50)


@pytest.mark.parametrize("firmware", ["2.0.0", "2.10.1", "2.14.0", "2.15.0"])
async def test_pools_are_stored_and_then_used(connect: Any, firmware: str) -> None:
    miner, device = await connect(firmware=firmware)
    pools: Sequence[PoolConfig] = POOLS
    if not device.since(2, 11):
        pools = (POOLS[0], PoolConfig(url="pool.two:4444", user="bc1qtwo.b"))
    await miner.set_pools(pools)
    assert device.restarts == 1
    assert device.mining_to == [("pool.one", "bc1qone.a"), ("pool.two", "bc1qtwo.b")]
    assert device.records[0]["stratumPassword"] == "secret1"
    shown = (await miner.read()).pools
    assert shown[0].url == "stratum+tcp://pool.one:3333"
    if device.since(2, 11):
        assert device.records[1]["stratumTLS"] == 1
        assert shown[1].url == "stratum+ssl://pool.two:4444"


async def test_a_single_pool_leaves_no_strange_fallback(connect: Any) -> None:
    miner, device = await connect(firmware="2.14.0")
    await miner.set_pools(POOLS[:1])
    assert device.mining_to == [("pool.one", "bc1qone.a"), ("", "")]
    assert [pool.url for pool in (await miner.read()).pools] == [
        "stratum+tcp://pool.one:3333"
    ]
    miner, device = await connect(firmware="2.15.0")
    await miner.set_pools(POOLS[:1])
    assert device.mining_to == [("pool.one", "bc1qone.a")] * 2
    assert device.records[2]["stratumURL"] == "pool.example"
    assert device.records[0]["stratumSuggestedDifficulty"] == 1000


@pytest.mark.parametrize("firmware", ["2.9.0", "2.15.0"])
async def test_pools_that_are_ignored_do_not_cost_a_restart(
    connect: Any, firmware: str
) -> None:
    miner, device = await connect(firmware=firmware)
    device.stubborn = True
    with pytest.raises(CommandFailed, match="still shows the old") as failure:
        await miner.set_pools((POOLS[0],))
    assert device.restarts == 0
    assert "secret" not in str(failure.value)


@pytest.mark.parametrize(
    ("url", "firmware", "words"),
    [
        ("pool.without.port", "2.15.0", "host:port"),
        ("stratum+tcp://pool.one:0", "2.15.0", "host:port"),
        ("stratum2+tcp://pool.one:3333", "2.15.0", "Stratum V2"),
        ("stratum+ssl://pool.one:3333", "2.9.0", "TLS"),
    ],
)
async def test_pools_that_cannot_be(
    connect: Any, url: str, firmware: str, words: str
) -> None:
    miner, device = await connect(firmware=firmware)
    with pytest.raises(NotSupported, match=words):
        await miner.set_pools([PoolConfig(url=url, user="u")])
    with pytest.raises(NotSupported, match="takes 2 pools"):
        await miner.set_pools([*POOLS, POOLS[0]])
    assert device.restarts == 0


# When things go wrong.


async def test_a_stranger_is_told_why(connect: Any) -> None:
    miner, device = await connect()
    device.refuses_us = True
    with pytest.raises(InvalidReply, match="private IPv4"):
        await miner.read()
    with pytest.raises(CommandFailed, match="private IPv4"):
        await miner.pause()
    assert miner.authentication_error is None
    device.refuses_us = False
    assert (await miner.read()).status is MinerStatus.MINING


async def test_a_stranger_cannot_connect(simulate: Simulate) -> None:
    device = await simulate(SimulatedAxeOS)
    device.refuses_us = True
    miner = AxeOS(device.host, port=PORT)
    with pytest.raises(InvalidReply, match="private IPv4"):
        await miner.connect()
    await miner.close()


async def test_no_origin_is_sent(connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    headers: list[Any] = []
    answer = SimulatedAxeOS._answer

    async def spy(device: SimulatedAxeOS, request: Any) -> Any:
        headers.append(request.headers)
        return await answer(device, request)

    monkeypatch.setattr(SimulatedAxeOS, "_answer", spy)
    miner, _ = await connect()
    await miner.set_target_temperature(50)
    assert headers
    assert not any("Origin" in sent for sent in headers)


async def test_unreachable(connect: Any) -> None:
    miner, device = await connect()
    await device.stop()
    with pytest.raises(DeviceUnreachable, match="connection refused"):
        await miner.read()
    await device.start()
    assert (await miner.read()).status is MinerStatus.MINING


@pytest.mark.parametrize("trouble", ALL_TROUBLE)
async def test_trouble(connect: Any, trouble: Trouble) -> None:
    miner, device = await connect(timeout=0.3)
    await survives(miner, device, trouble)


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    body=st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers(-10, 10**9) | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ("ASICModel", "hashRate", "temp", "fans", "pools", "stratum", "id")
                ),
                inner,
                max_size=5,
            )
        ),
    ).map(orjson.dumps)
)
async def test_any_bytes(pair: tuple[AxeOS, SimulatedAxeOS], body: bytes) -> None:
    miner, device = pair
    await survives_bytes(miner, device, body)


async def test_a_replaced_device_is_noticed_at_once(
    connect: Any, simulate: Simulate
) -> None:
    miner, device = await connect(serial=1, model="601")
    await miner.read()
    await device.stop()
    await simulate(SimulatedAxeOS, host=device.host, serial=2, model="401")
    stats = await miner.read()
    assert miner.info.unique_id == "dc:da:0c:00:00:02"
    assert miner.info.model == "Supra 401"
    assert stats.hashrate_expected == 0.6252


async def test_a_replacement_does_not_inherit_what_it_does_not_tell(
    connect: Any, simulate: Simulate
) -> None:
    miner, device = await connect(serial=1, model="801")
    assert len((await miner.read()).fans) == 2
    await device.stop()
    await simulate(SimulatedAxeOS, host=device.host, clone="LV07", firmware="2.4.0")
    stats = await miner.read()
    info = miner.info
    assert (info.unique_id, info.hostname, info.chips) == (None, None, None)
    assert (info.make, info.model) == ("Lucky Miner", "LV07")
    assert len(stats.fans) == 1


async def test_one_request_per_read_on_one_connection(connect: Any) -> None:
    miner, device = await connect()
    device.requests = 0
    device.most_connections = 0
    for _ in range(3):
        await miner.read()
    assert device.requests == 3
    assert device.most_connections == 1


async def test_options_outlive_a_bad_answer(connect: Any) -> None:
    miner, device = await connect()
    miner.forget_info()
    device.asic = list
    await miner.read()
    assert miner.info.limits[Capability.FREQUENCY].maximum == 625


async def test_it_never_asks_for_a_password(connect: Any) -> None:
    miner, _ = await connect()
    assert miner.needs_password == "never"
    try:
        await miner.check_credentials()
    except AuthenticationFailed:
        pytest.fail("AxeOS has no login")

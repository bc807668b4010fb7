"""The Nerd family: its firmware from 1.0.30 to 1.0.38, and one-time passwords."""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
import orjson
import pytest

from custom_components.miningsdk.sdk import (
    AuthenticationFailed,
    Capability,
    CommandFailed,
    Fan,
    InvalidReply,
    Limits,
    MinerStatus,
    NotSupported,
    PoolConfig,
    PoolState,
    register_miner,
)
from custom_components.miningsdk.sdk.drivers import nerdaxe as driver_module
from custom_components.miningsdk.sdk.drivers._axeos_api import INFO
from custom_components.miningsdk.sdk.drivers.axeos import AxeOS
from custom_components.miningsdk.sdk.drivers.nerdaxe import NerdAxe
from custom_components.miningsdk.sdk.transports.wire import Wire
from tests.conftest import OFFSET, Simulate
from tests.sdk.trouble import ALL_TROUBLE, check_vocabulary, survives, survives_bytes
from tests.simulators.base import Trouble
from tests.simulators.nerdaxe import SimulatedNerdAxe

PORT = 80 + OFFSET
POOLS = (
    PoolConfig(url="stratum+tcp://pool.one:3333", user="bc1qone.a", password="secret1"),
    PoolConfig(url="stratum+ssl://pool.two:4444", user="bc1qtwo.b", password="secret2"),
)


@pytest.fixture
async def connect(simulate: Simulate, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that switches on a device and connects a miner to it."""
    miners: list[NerdAxe] = []
    monkeypatch.setattr(NerdAxe, "confirm_longer", {})

    async def make(**options: Any) -> tuple[NerdAxe, SimulatedNerdAxe]:
        timeout = options.pop("timeout", 2.0)
        password = options.pop("password", None)
        options.setdefault("boot", 0.05)
        device = await simulate(SimulatedNerdAxe, **options)
        miner = NerdAxe(device.host, port=PORT, password=password, timeout=timeout)
        miner.confirm_every, miner.confirm_within = 0.01, 0.3
        miners.append(miner)
        return await miner.connect(), device

    yield make
    for miner in miners:
        await miner.close()


@pytest.fixture
async def pair(connect: Any) -> tuple[NerdAxe, SimulatedNerdAxe]:
    """Return one miner and its device."""
    return await connect(timeout=1.0)  # type: ignore[no-any-return]


# Who it is.


async def test_info(connect: Any) -> None:
    miner, device = await connect(serial=0x0A0B0C)
    info = miner.info
    assert info.driver == "nerdaxe"
    assert (info.make, info.model, info.firmware) == ("NerdAxe", "NerdQAxe++", "axeos")
    assert info.firmware_version == "v1.0.36"
    assert info.unique_id == info.mac == "dc:da:0c:0a:0b:0c"
    assert (info.hostname, info.algorithm, info.chips) == ("nerdqaxe", "sha256", 4)
    assert set(info.capabilities) == {
        Capability.REBOOT,
        Capability.PAUSE,
        Capability.FAN,
        Capability.TARGET_TEMPERATURE,
        Capability.FREQUENCY,
        Capability.VOLTAGE,
        Capability.POOLS,
    }
    assert info.limits == {
        Capability.FAN: Limits(minimum=15, maximum=100, step=1, options=("auto",)),
        Capability.TARGET_TEMPERATURE: Limits(minimum=30, maximum=80, step=1),
        Capability.FREQUENCY: Limits(minimum=500, maximum=600, step=5),
        Capability.VOLTAGE: Limits(minimum=1.12, maximum=1.2, step=0.01),
        Capability.POOLS: Limits(minimum=1, maximum=2, step=1),
    }
    assert device.requests == 2


@pytest.mark.parametrize("firmware", ["1.0.30", "1.0.34", "1.0.35"])
async def test_no_pause_before_1_0_36(connect: Any, firmware: str) -> None:
    miner, device = await connect(firmware=firmware)
    assert Capability.PAUSE not in miner.info.capabilities
    assert (Capability.FREQUENCY in miner.info.capabilities) == device.since(1, 0, 34)
    with pytest.raises(NotSupported):
        await miner.pause()


async def test_locate_is_not_offered(connect: Any) -> None:
    miner, _ = await connect()
    with pytest.raises(NotSupported):
        await miner.locate(True)
    assert (await miner.read()).locating is None


async def test_recognition(simulate: Simulate) -> None:
    device = await simulate(SimulatedNerdAxe, firmware="1.0.38", model="NerdOCTAXE-γ")
    wire = Wire(host=device.host)
    answer = await INFO.ask(wire, PORT)
    await wire.close()
    assert NerdAxe.recognise({INFO: answer}) == 90
    assert AxeOS.recognise({INFO: answer}) == 0
    assert NerdAxe in driver_module.DRIVERS


async def test_register_by_alias() -> None:
    miner = register_miner("nerdqaxe", host="127.0.0.1")
    assert isinstance(miner, NerdAxe)
    assert miner.info.port is None
    await miner.close()


# What it reads.


@pytest.mark.parametrize(
    "firmware", ["1.0.30", "1.0.34", "1.0.36", "1.0.37.1", "1.0.38"]
)
async def test_stats(connect: Any, firmware: str) -> None:
    miner, device = await connect(firmware=firmware, serial=5, uptime=90_000)
    device.requests = 0
    stats = await miner.read()
    assert device.requests == 1
    check_vocabulary(stats)
    assert stats.status is MinerStatus.MINING
    assert stats.hashrate == pytest.approx(4.896, rel=0.02)
    assert stats.hashrate_average == pytest.approx(4.896 * 0.99, rel=0.02)
    assert stats.hashrate_expected == 4.896
    assert stats.power == pytest.approx(76, rel=0.02)
    assert stats.temperature_chip == pytest.approx(54, abs=1)
    newer = device.since(1, 0, 36)
    assert stats.temperature_board == pytest.approx(66.5 if newer else 61, abs=1)
    assert stats.fans == (
        Fan(index=0, speed=round(device.duty * 31), duty=device.duty),
    )
    board = stats.boards[0]
    assert (board.chips, board.chips_expected) == (None, 4)
    assert (board.frequency, board.voltage) == (600, 1.148)
    assert stats.pools[0].url == "stratum+tcp://public-pool.io:21496"
    assert stats.pools[0].status is PoolState.ACTIVE
    assert stats.pools[0].accepted == (stats.accepted if newer else None)
    assert stats.pools[1].status is None
    assert (stats.accepted, stats.rejected) == (7500, 50)
    assert stats.best_difficulty == pytest.approx(270_000_000, abs=10)
    assert stats.uptime == 90_000
    assert stats.settings.fan_automatic is True
    assert stats.settings.target_temperature == 56
    assert (stats.settings.frequency, stats.settings.voltage) == (600, 1.15)
    assert not stats.faults
    assert not stats.failed


async def test_two_fans(connect: Any) -> None:
    for firmware in ("1.0.36", "1.0.38"):
        miner, _ = await connect(model="NerdOCTAXE-γ", firmware=firmware)
        stats = await miner.read()
        assert [fan.index for fan in stats.fans] == [0, 1]
        assert all(fan.speed > 1000 and fan.duty > 50 for fan in stats.fans)


async def test_averages_wait_until_their_time_is_full(connect: Any) -> None:
    for uptime, share in ((300, None), (1800, 0.99), (7200, 0.99)):
        miner, _ = await connect(uptime=uptime, ramp=0)
        average = (await miner.read()).hashrate_average
        expected = None if share is None else pytest.approx(4.896 * share, rel=0.02)
        assert average == expected


async def test_both_pools_are_active_in_dual_mode(connect: Any) -> None:
    miner, _ = await connect(pool_mode=1, firmware="1.0.38")
    first, second = (await miner.read()).pools
    assert first.status is second.status is PoolState.ACTIVE
    assert (second.accepted, second.rejected) == (7, 1)


@pytest.mark.parametrize("firmware", ["1.0.30", "1.0.38"])
async def test_without_a_pool_it_is_idle(connect: Any, firmware: str) -> None:
    miner, device = await connect(firmware=firmware)
    device.pool_down = True
    stats = await miner.read()
    assert stats.status is MinerStatus.IDLE
    if device.since(1, 0, 36):
        assert stats.pools[0].status is PoolState.DEAD


async def test_a_stale_rate_without_a_pool_is_not_mining(connect: Any) -> None:
    miner, device = await connect(firmware="1.0.30")
    told = device.info() | {"isStratumConnected": False}
    device.body = orjson.dumps(told)
    stats = await miner.read()
    assert stats.hashrate > 4
    assert stats.status is MinerStatus.IDLE


async def test_asleep_at_connect(connect: Any) -> None:
    miner, _ = await connect(asleep=True)
    stats = await miner.read()
    assert (stats.status, stats.hashrate) == (MinerStatus.PAUSED, 0)
    assert not stats.faults


async def test_chips_that_the_firmware_cut_off_are_a_fault(connect: Any) -> None:
    miner, device = await connect(cut_off=True)
    stats = await miner.read()
    assert stats.status is MinerStatus.FAULT
    assert [(f.code, f.component) for f in stats.faults] == [
        ("core_voltage_off", "power")
    ]
    device.cut_off = False
    assert (await miner.read()).status is MinerStatus.MINING


async def test_booting_is_no_fault(connect: Any) -> None:
    miner, _ = await connect(uptime=20, cut_off=True)
    assert (await miner.read()).status is MinerStatus.STARTING


# What it can be told.


async def test_resume_is_a_restart(connect: Any) -> None:
    miner, device = await connect(ramp=0)
    await miner.pause()
    assert device.asleep
    assert (await miner.read()).status is MinerStatus.PAUSED
    await miner.resume()
    assert device.restarts == 1
    assert (await miner.read()).status is MinerStatus.MINING


async def test_a_pause_that_does_not_happen_fails(connect: Any) -> None:
    miner, device = await connect()
    device.stubborn = True
    with pytest.raises(CommandFailed, match="not confirmed"):
        await miner.pause()


async def test_a_resume_that_does_not_happen_fails(connect: Any) -> None:
    miner, device = await connect(asleep=True)
    device.stubborn = True
    with pytest.raises(CommandFailed, match="not confirmed"):
        await miner.resume()


async def test_reboot(connect: Any) -> None:
    miner, device = await connect()
    await miner.reboot()
    assert device.restarts == 1


@pytest.mark.parametrize("firmware", ["1.0.34", "1.0.36", "1.0.38"])
async def test_settings(connect: Any, firmware: str) -> None:
    miner, device = await connect(firmware=firmware)
    await miner.set_fan(40)
    assert (device.settings["autofanspeed"], device.settings["manualFanSpeed"]) == (
        0,
        40,
    )
    assert (await miner.read()).settings.fan == 40
    await miner.set_fan(None)
    assert device.settings["autofanspeed"] == 2
    await miner.set_target_temperature(60.4)
    assert device.settings["pidTargetTemp"] == 60
    await miner.set_frequency(575.0)
    assert device.settings["frequency"] == 575
    await miner.set_voltage(1.17)
    assert device.settings["coreVoltage"] == 1170
    for refused in (miner.set_frequency(700), miner.set_target_temperature(81)):
        with pytest.raises(NotSupported):
            await refused


async def test_without_a_pid_the_old_automatic_is_chosen(connect: Any) -> None:
    miner, device = await connect(firmware="1.0.30")
    device.settings |= {"pidTargetTemp": -1, "autofanspeed": 0}
    miner.forget_info()
    stats = await miner.read()
    assert Capability.TARGET_TEMPERATURE not in miner.info.capabilities
    assert stats.settings.target_temperature is None
    await miner.set_fan(None)
    assert device.settings["autofanspeed"] == 1


async def test_a_setting_that_is_ignored_is_not_confirmed(connect: Any) -> None:
    miner, device = await connect()
    device.stubborn = True
    with pytest.raises(CommandFailed, match="not confirmed"):
        await miner.set_voltage(1.13)


@pytest.mark.parametrize(("firmware", "restarts"), [("1.0.34", 1), ("1.0.36", 0)])
async def test_pools(connect: Any, firmware: str, restarts: int) -> None:
    miner, device = await connect(firmware=firmware)
    pools = (
        POOLS
        if restarts == 0
        else (POOLS[0], PoolConfig(url="pool.two:4444", user="bc1qtwo.b"))
    )
    await miner.set_pools(pools)
    assert device.mining_to == [("pool.one", "bc1qone.a"), ("pool.two", "bc1qtwo.b")]
    assert device.restarts == restarts
    assert device.records[0]["stratumPassword"] == "secret1"
    await miner.set_pools(POOLS[:1])
    assert device.mining_to[1] == ("", "")
    assert len((await miner.read()).pools) == 1


# One-time passwords.


@pytest.mark.parametrize("how", ["otp_session", "otp_code"])
async def test_otp_session_and_code(connect: Any, how: str) -> None:
    session = "SESSION.TOKEN"
    password = session if how == "otp_session" else "654321"
    miner, device = await connect(
        otp=True, otp_session=session, otp_code="654321", password=password
    )
    await miner.set_fan(50)
    assert device.settings["manualFanSpeed"] == 50
    assert device.otp_failures == 0
    await miner.check_credentials()


@pytest.mark.parametrize("password", [None, " ", "line\nbreak", "ü"])
async def test_without_otp_nothing_is_sent(connect: Any, password: str | None) -> None:
    miner, device = await connect(otp=True, password=password)
    assert Capability.FAN in miner.info.capabilities
    device.requests = 0
    with pytest.raises(AuthenticationFailed, match="one-time passwords"):
        await miner.set_fan(50)
    assert (device.requests, device.otp_failures) == (0, 0)
    await miner.pause()
    await miner.resume()
    await miner.reboot()
    assert device.restarts == 2


async def test_a_wrong_otp_is_tried_once_and_never_shown(connect: Any) -> None:
    miner, device = await connect(otp=True, password="OUTDATED.TOKEN")
    with pytest.raises(AuthenticationFailed, match="OTP/Session required") as failure:
        await miner.set_pools(POOLS)
    assert device.otp_failures == 1
    for secret in ("OUTDATED", "secret1"):
        assert secret not in str(failure.value)
    await miner.read()
    assert device.otp_failures == 1


async def test_a_locked_device_says_so(connect: Any) -> None:
    miner, device = await connect(otp=True, password="OUTDATED.TOKEN")
    for _ in range(5):
        with pytest.raises(AuthenticationFailed):
            await miner.set_fan(50)
    with pytest.raises(AuthenticationFailed, match="blocked for 5 minutes"):
        await miner.set_fan(50)
    assert device.otp_failures == 5


async def test_restart_was_protected_before_1_0_36(connect: Any) -> None:
    miner, device = await connect(firmware="1.0.35", otp=True)
    device.otp = True
    told = device.info() | {"otp": True}
    device.info = lambda: told
    miner.forget_info()
    await miner.read()
    with pytest.raises(AuthenticationFailed, match="OTP/Session required"):
        await miner.reboot()
    assert device.restarts == 0


# When things go wrong.


async def test_a_stranger_is_told_why(connect: Any) -> None:
    miner, device = await connect()
    device.refuses_us = True
    with pytest.raises(InvalidReply, match="private IPv4"):
        await miner.read()
    with pytest.raises(CommandFailed, match="private IPv4"):
        await miner.set_fan(50)


async def test_an_unknown_path_is_not_supported(connect: Any) -> None:
    miner, device = await connect()
    device.generation = (1, 0, 33)
    with pytest.raises(NotSupported, match="does not know this"):
        await miner.pause()


@pytest.mark.parametrize("trouble", ALL_TROUBLE)
async def test_trouble(connect: Any, trouble: Trouble) -> None:
    miner, device = await connect(timeout=0.3)
    await survives(miner, device, trouble)


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(body=st.binary(max_size=100))
async def test_any_bytes(pair: tuple[NerdAxe, SimulatedNerdAxe], body: bytes) -> None:
    miner, device = pair
    await survives_bytes(miner, device, body)


async def test_a_replaced_device_is_noticed_at_once(
    connect: Any, simulate: Simulate
) -> None:
    miner, device = await connect(serial=1)
    await device.stop()
    await simulate(SimulatedNerdAxe, host=device.host, serial=2, model="NerdAxeGamma")
    stats = await miner.read()
    assert miner.info.unique_id == "dc:da:0c:00:00:02"
    assert miner.info.model == "NerdAxeGamma"
    assert stats.boards[0].chips_expected == 1


async def test_at_most_one_connection(connect: Any) -> None:
    miner, device = await connect()
    for _ in range(3):
        await miner.read()
    await miner.set_fan(70)
    assert device.most_connections == 1


async def test_documented_replies_carry_no_v1_reading(
    connect: Any, example: Callable[[str], bytes]
) -> None:
    """The replies of API v2 are another shape: they must not pass for a reading."""
    miner, device = await connect()
    for name in ("get_dashboard", "get_settings", "get_system", "get_identify"):
        device.body = example(f"nerdqaxe/vendor-docs-v2/{name}.json")
        with pytest.raises(InvalidReply, match="not that of AxeOS"):
            await miner.read()

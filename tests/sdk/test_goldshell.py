"""Goldshell: the socket API, the settings behind its login, and what it survives."""

from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.miningsdk.sdk import (
    AuthenticationFailed,
    Capability,
    DeviceTimeout,
    DeviceUnreachable,
    InvalidReply,
    Limits,
    MinerStatus,
    NotSupported,
    PoolConfig,
    PoolState,
)
from custom_components.miningsdk.sdk.drivers import _goldshell_stats as read
from custom_components.miningsdk.sdk.drivers._goldshell_api import hidden
from custom_components.miningsdk.sdk.drivers.goldshell import Goldshell
from custom_components.miningsdk.sdk.fields import Fields
from custom_components.miningsdk.sdk.transports import cgminer, http
from tests.conftest import Simulate
from tests.sdk.trouble import ALL_TROUBLE, check_vocabulary, survives, survives_bytes
from tests.simulators.base import Trouble
from tests.simulators.goldshell import MODELS, SimulatedGoldshell

PASSWORD = "s3cret"
POOLS = (
    PoolConfig(url="stratum+tcp://pool.one:1", user="a.one", password="secret1"),
    PoolConfig(url="stratum+tcp://pool.two:2", user="b.two", password="secret2"),
)


def make(
    device: SimulatedGoldshell, password: str | None = PASSWORD, timeout: float = 2
) -> Goldshell:
    miner = Goldshell(
        device.host, port=device.port(80), password=password, timeout=timeout
    )
    miner.confirm_every = 0.01
    miner.confirm_within = 0.4
    return miner


@pytest.fixture(autouse=True)
def no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Goldshell, "confirm_longer", {})


@pytest.fixture
async def device(simulate: Simulate) -> SimulatedGoldshell:
    found = await simulate(SimulatedGoldshell)
    assert isinstance(found, SimulatedGoldshell)
    return found


# Who it is.


async def test_info(device: SimulatedGoldshell) -> None:
    async with make(device) as miner:
        info = miner.info
    assert (info.make, info.model, info.firmware) == ("Goldshell", "SCBox", "stock")
    assert (info.firmware_version, info.algorithm) == ("2.2.5", "blake2b")
    assert info.mac == device.mac.lower()
    assert set(info.capabilities) == {
        *(Capability.REBOOT, Capability.POOLS, Capability.PAUSE),
        *(Capability.POWER_MODE, Capability.LOCATE, Capability.TARGET_TEMPERATURE),
    }
    assert info.limits == {
        Capability.POWER_MODE: Limits(
            options=("725 MHz 0.41 V 70 RPM 70 RPM", "550 MHz 0.38 V 60 RPM 60 RPM")
        ),
        Capability.TARGET_TEMPERATURE: Limits(minimum=65, maximum=75, step=1),
    }


@pytest.mark.parametrize(
    ("model", "algorithm"),
    [("KD5", "kadena"), ("LT5", "scrypt"), ("SC5Pro", "blake2b")],
)
async def test_algorithm(simulate: Simulate, model: str, algorithm: str) -> None:
    device = await simulate(SimulatedGoldshell, model=model)
    async with make(device) as miner:
        assert miner.info.algorithm == algorithm


async def test_without_a_password_it_only_reads(device: SimulatedGoldshell) -> None:
    async with make(device, None) as miner:
        stats = await miner.read()
        assert miner.info.capabilities == ()
        assert (miner.info.model, miner.info.mac) == ("SCBox", None)
        assert miner.authentication_error is None
        with pytest.raises(NotSupported):
            await miner.pause()
    assert stats.status is MinerStatus.MINING
    assert stats.hashrate == pytest.approx(0.9, rel=0.02)
    assert (stats.locating, stats.power_mode) == (None, None)
    assert device.logins + device.refused == 0


async def test_wrong_password_is_told_and_not_tried_again(
    device: SimulatedGoldshell,
) -> None:
    miner = make(device, "wrong")
    with pytest.raises(AuthenticationFailed, match="refused the user or the password"):
        await miner.check_credentials()
    # In clear and hidden, once each.
    assert device.refused == 2
    for _ in range(3):
        stats = await miner.read()
        assert stats.status is MinerStatus.MINING
        miner.forget_info()
    assert device.refused == 2
    assert miner.info.capabilities == ()
    await miner.close()


async def test_firmware_that_takes_the_password_hidden_only(
    simulate: Simulate,
) -> None:
    device = await simulate(SimulatedGoldshell, hides=True)
    async with make(device) as miner:
        assert Capability.PAUSE in miner.info.capabilities
    assert device.logins == 1


def test_hidden_password() -> None:
    # By `openssl enc -aes-128-cbc -nopad` with key 21 x 16 and iv 0 x 16.
    assert hidden("123456789") == "bbad7537f4c8b6ea31eea0b3d760e257"
    assert len(hidden("x" * 16)) == 32
    assert hidden("") == ""


async def test_fresh_from_the_box_it_takes_no_login(simulate: Simulate) -> None:
    device = await simulate(SimulatedGoldshell, fresh=True)
    async with make(device) as miner:
        assert (await miner.read()).status is MinerStatus.MINING
        assert miner.authentication_error is not None


async def test_login_that_is_mixed_up_is_asked_again(
    device: SimulatedGoldshell,
) -> None:
    async with make(device) as miner:
        device.races = 1
        await miner.locate(True)
        assert (await miner.read()).locating is True
        device.tokens.clear()
        await miner.locate(False)
        assert (await miner.read()).locating is False
    assert device.logins == 3


async def test_another_device_on_the_same_address(simulate: Simulate) -> None:
    first = await simulate(SimulatedGoldshell, serial="A")
    async with make(first) as miner:
        before = miner.info.unique_id
        await first.stop()
        with pytest.raises(DeviceUnreachable):
            await miner.read()
        await simulate(SimulatedGoldshell, host=first.host, serial="B", model="KD5")
        stats = await miner.read()
        assert miner.info.unique_id not in (None, before)
        assert miner.info.model == "KD5"
        assert stats.hashrate == pytest.approx(18, rel=0.02)


def test_recognised() -> None:
    def by(**found: str) -> int:
        names = {"version": cgminer.VERSION, "root": http.ROOT}
        return Goldshell.recognise({names[key]: text for key, text in found.items()})

    assert by(version='{"STATUS":[{"Description":"intminer 5.4.2"}]}') == 50
    assert by(root="HTTP 200\n\n\n<title>cloud-box</title>") == 50
    assert by(version='{"STATUS":[{"Description":"bfgminer 5.4.2"}]}') == 0
    assert by() == 0


# What it reads.


async def test_stats(simulate: Simulate) -> None:
    device = await simulate(SimulatedGoldshell, model="KD5", uptime=6000)
    async with make(device) as miner:
        device.requests = 0
        stats = await miner.read()
        assert device.requests == 1
    check_vocabulary(stats)
    assert stats.failed == {}
    assert stats.status is MinerStatus.MINING
    assert stats.hashrate == pytest.approx(18, rel=0.02)
    assert stats.hashrate_average == pytest.approx(18 * 0.99, rel=0.001)
    assert stats.power is None
    assert (stats.temperature_chip, stats.temperature_board) == (77.7, 61.0)
    assert [fan.speed for fan in stats.fans] == [3120, 3130, 3140, 3150]
    assert [board.index for board in stats.boards] == [0, 1, 2, 3]
    board = stats.boards[1]
    assert (board.frequency, board.voltage, board.enabled) == (700, 11.75, True)
    assert (board.temperature_chip, board.temperature_board) == (77.7, 59.0)
    assert board.hashrate == pytest.approx(4.5, rel=0.02)
    assert board.chips_expected == 46
    assert (stats.accepted, stats.rejected, stats.stale) == (1200, 12, 1)
    assert (stats.hardware_errors, stats.uptime) == (12, 6000)
    assert stats.best_difficulty == 812_346.6
    assert stats.power_mode == MODELS["KD5"].plans[0][0]
    assert stats.locating is False
    assert stats.settings.target_temperature == 65
    (pool,) = stats.pools
    assert (pool.url, pool.user) == ("stratum+tcp://pool.example:3333", "wallet.one")
    assert pool.status is PoolState.ACTIVE
    assert "pool-secret" not in repr(stats)


@pytest.mark.parametrize(
    ("model", "rate"), [("LT5", 0.00205), ("MiniDOGEPro", 2.05e-4)]
)
async def test_small_rates_keep_their_digits(
    simulate: Simulate, model: str, rate: float
) -> None:
    device = await simulate(SimulatedGoldshell, model=model)
    async with make(device) as miner:
        stats = await miner.read()
    assert stats.hashrate == pytest.approx(rate, rel=0.02)
    assert stats.hashrate_average == pytest.approx(rate * 0.99, rel=0.001)
    assert sum(b.hashrate or 0 for b in stats.boards) == pytest.approx(rate, rel=0.02)


async def test_voltage_in_volts(device: SimulatedGoldshell) -> None:
    async with make(device) as miner:
        assert (await miner.read()).boards[0].voltage == 0.41


async def test_firmware_that_joins_nothing(simulate: Simulate) -> None:
    device = await simulate(SimulatedGoldshell, joins=False)
    async with make(device) as miner:
        await miner.read()
        device.asked.clear()
        stats = await miner.read()
    assert device.asked == ["summary", "devs", "pools"]
    assert stats.status is MinerStatus.MINING
    assert stats.failed == {}


async def test_missing_board(simulate: Simulate) -> None:
    device = await simulate(SimulatedGoldshell, model="KD5")
    device.missing = {0}
    async with make(device) as miner:
        stats = await miner.read()
    assert stats.status is MinerStatus.MINING
    gone = stats.boards[0]
    assert (gone.temperature_board, gone.temperature_chip) == (None, None)
    assert (gone.frequency, gone.voltage, gone.hashrate) == (None, None, 0)
    assert [(f.code, f.component) for f in stats.faults] == [("device_dead", "board 0")]
    assert stats.hashrate == pytest.approx(13.5, rel=0.02)


async def test_too_hot(device: SimulatedGoldshell) -> None:
    device.hot = {0}
    device.stalled = True
    async with make(device) as miner:
        stats = await miner.read()
    assert stats.status is MinerStatus.FAULT
    assert [fault.code for fault in stats.faults] == ["overheat"]


async def test_not_hashing_says_why(simulate: Simulate) -> None:
    device = await simulate(SimulatedGoldshell, uptime=10)
    async with make(device) as miner:
        device.stalled = True
        assert (await miner.read()).status is MinerStatus.STARTING
        device.booted -= 1000
        assert (await miner.read()).status is MinerStatus.IDLE
        device.pool_up = False
        device.booted += 1000
        stats = await miner.read()
        assert (stats.status, stats.pools[0].status) == (
            MinerStatus.IDLE,
            PoolState.DEAD,
        )


async def test_odd_values_lose_nothing_else(device: SimulatedGoldshell) -> None:
    async with make(device) as miner:
        whole = device._device(0)
        device._device = lambda place: {  # type: ignore[method-assign]
            **whole,
            "clock": "fast",
            "tstemp-0": {"x": 1},
            "fan0": [],
        }
        stats = await miner.read()
    assert stats.status is MinerStatus.MINING
    assert set(stats.failed) == {"boards", "fans"}
    assert stats.boards[0].temperature_board == 58
    assert stats.fans[1].speed == 3130


async def test_web_server_stands_in_for_a_closed_socket(
    simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = await simulate(SimulatedGoldshell, model="KD5")
    async with make(device) as miner:
        device._servers[0].close()
        await device._servers[0].wait_closed()
        stats = await miner.read()
        device.requests = 0
        stats = await miner.read()
        # Devices and pools.
        assert device.requests == 2
    check_vocabulary(stats)
    assert stats.failed == {}
    assert stats.status is MinerStatus.MINING
    assert stats.hashrate == pytest.approx(18, rel=0.02)
    assert stats.temperature_chip == 77.7
    assert [fan.speed for fan in stats.fans] == [3120, 3130, 3140, 3150]
    assert (stats.accepted, stats.hardware_errors) == (40, 12)
    assert stats.pools[0].status is PoolState.ACTIVE
    assert "pool-secret" not in repr(stats)


async def test_closed_socket_without_a_password(device: SimulatedGoldshell) -> None:
    async with make(device, None) as miner:
        device._servers[0].close()
        await device._servers[0].wait_closed()
        with pytest.raises(DeviceUnreachable):
            await miner.read()


def test_smallest_miners_tell_their_power() -> None:
    infos: list[dict[str, Any]] = [
        {"hashrate": 800.0, "power": "210 W", "temp": "61 °C", "accepted": 3},
        {"hashrate": 900.0, "power": 220, "temp": 63.5, "minerstatus": 2},
    ]
    failed: dict[str, str] = {}
    found = read.from_web({"status": 2, "minfos": [{"infos": infos}]}, failed)
    assert (found.power, found.hashrate, found.accepted) == (430, 0.0017, 3)
    assert [b.temperature_chip for b in found.hardware.boards] == [61, 63.5]
    assert [f.code for f in found.hardware.faults] == ["over_temperature"]
    assert failed == {}
    del infos[0]["power"]
    assert read.from_web({"minfos": [{"infos": infos}]}, failed).power is None


# What it survives.


async def test_unreachable(device: SimulatedGoldshell) -> None:
    miner = make(device)
    await device.stop()
    with pytest.raises(DeviceUnreachable):
        await miner.connect()
    await miner.close()


@pytest.mark.parametrize("trouble", ALL_TROUBLE)
@pytest.mark.parametrize("password", [PASSWORD, None])
async def test_trouble(
    device: SimulatedGoldshell, trouble: Trouble, password: str | None
) -> None:
    async with make(device, password, timeout=0.3) as miner:
        await survives(miner, device, trouble)


@pytest.mark.parametrize("trouble", ALL_TROUBLE)
async def test_trouble_at_connect(device: SimulatedGoldshell, trouble: Trouble) -> None:
    miner = make(device, timeout=0.3)
    device.trouble = trouble
    with pytest.raises((InvalidReply, DeviceUnreachable, DeviceTimeout)):
        await miner.connect()
    device.trouble = Trouble.NONE
    await miner.connect()
    await miner.close()


@given(body=st.binary(max_size=120))
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
async def test_any_bytes(device: SimulatedGoldshell, body: bytes) -> None:
    async with make(device, timeout=1) as miner:
        await survives_bytes(miner, device, body)


@pytest.mark.parametrize(
    "value",
    [None, 5, "x", [], {"powerplans": 5}, {"powerplans": [1]}, {"powerplans": [{}]}],
)
def test_settings_of_another_shape(value: Any) -> None:
    setting = read.Setting(value)
    assert setting.plans == ()
    assert (setting.selected, setting.sleeps) == (None, False)
    assert read.by_priority({"POOLS": value}) is not None
    assert Fields(value).data is not None

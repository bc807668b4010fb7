"""Innosilicon: the socket API, the web server behind its login, and its troubles."""

from collections.abc import Awaitable, Callable

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.miningsdk.sdk import (
    AuthenticationFailed,
    Capability,
    CommandFailed,
    DeviceTimeout,
    DeviceUnreachable,
    InvalidReply,
    Limits,
    MinerStatus,
    NotSupported,
    PoolConfig,
    PoolState,
)
from custom_components.miningsdk.sdk.drivers import _innosilicon_stats as read
from custom_components.miningsdk.sdk.drivers.innosilicon import Innosilicon
from custom_components.miningsdk.sdk.transports import cgminer, http
from tests.conftest import Simulate
from tests.sdk.trouble import ALL_TROUBLE, check_vocabulary, survives, survives_bytes
from tests.simulators.base import Trouble
from tests.simulators.innosilicon import SimulatedInnosilicon

PASSWORD = "s3cret"
MODES = ("efficient", "balanced", "factory", "performance")
POOLS = (
    PoolConfig(url="stratum+tcp://pool.one:1", user="a.one", password="secret1"),
    PoolConfig(url="stratum+tcp://pool.two:2", user="b.two", password=""),
)


def make(
    device: SimulatedInnosilicon, password: str | None = PASSWORD, timeout: float = 2
) -> Innosilicon:
    miner = Innosilicon(
        device.host, port=device.port(80), password=password, timeout=timeout
    )
    miner.confirm_every = 0.01
    miner.confirm_within = 0.4
    return miner


@pytest.fixture(autouse=True)
def no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Innosilicon, "confirm_longer", {})


@pytest.fixture
async def device(simulate: Simulate) -> SimulatedInnosilicon:
    found = await simulate(SimulatedInnosilicon)
    assert isinstance(found, SimulatedInnosilicon)
    return found


async def close_socket(device: SimulatedInnosilicon) -> None:
    """Have the mining process end, and the web server stay."""
    device._servers[0].close()
    await device._servers[0].wait_closed()


# Who it is.


async def test_info(device: SimulatedInnosilicon) -> None:
    async with make(device) as miner:
        info = miner.info
    assert (info.make, info.model, info.firmware) == ("Innosilicon", "A11MX", "stock")
    assert (info.firmware_version, info.algorithm) == ("1.1.2", "ethash")
    assert info.mac == device.mac
    assert set(info.capabilities) == {
        *(Capability.REBOOT, Capability.RESTART),
        *(Capability.POOLS, Capability.POWER_MODE),
    }
    assert info.limits == {Capability.POWER_MODE: Limits(options=MODES)}


async def test_model_that_does_not_tune(simulate: Simulate) -> None:
    device = await simulate(SimulatedInnosilicon, model="T3H+")
    async with make(device) as miner:
        info = miner.info
        assert (await miner.read()).power_mode is None
    assert (info.model, info.algorithm) == ("T3H+", "sha256")
    assert Capability.POWER_MODE not in info.capabilities
    assert Capability.POOLS in info.capabilities
    assert device.logins == 1


async def test_without_a_password_it_only_reads(device: SimulatedInnosilicon) -> None:
    async with make(device, None) as miner:
        stats = await miner.read()
        info = miner.info
        assert (info.capabilities, miner.authentication_error) == ((), None)
        assert (info.model, info.mac, info.algorithm) == (None, None, "ethash")
        with pytest.raises(NotSupported):
            await miner.restart()
    assert (stats.status, stats.failed) == (MinerStatus.MINING, {})
    assert stats.hashrate == pytest.approx(0.002, rel=0.02)
    assert device.logins + device.refused == 0


@pytest.mark.parametrize(
    ("username", "words"), [("admin", "invalid password"), ("root", "user not found")]
)
async def test_wrong_password_is_told_and_not_tried_again(
    device: SimulatedInnosilicon, username: str, words: str
) -> None:
    miner = Innosilicon(
        device.host, port=device.port(80), username=username, password="wrong"
    )
    with pytest.raises(AuthenticationFailed, match=words):
        await miner.check_credentials()
    for _ in range(3):
        assert (await miner.read()).status is MinerStatus.MINING
        miner.forget_info()
    assert device.refused == 1
    assert miner.info.capabilities == ()
    await miner.close()


async def test_login_that_expires(device: SimulatedInnosilicon) -> None:
    async with make(device) as miner:
        device.tokens.clear()
        await miner.set_power_mode("efficient")
        assert (device.mode, device.logins) == ("efficient", 2)
        device._log_in = lambda form: {"success": True, "jwt": "void"}  # type: ignore[method-assign]
        device.tokens.clear()
        with pytest.raises(AuthenticationFailed, match="does not accept the login"):
            await miner.restart()


async def test_another_device_on_the_same_address(simulate: Simulate) -> None:
    first = await simulate(SimulatedInnosilicon, serial="A")
    async with make(first) as miner:
        before = miner.info.unique_id
        await first.stop()
        with pytest.raises(DeviceUnreachable):
            await miner.read()
        await simulate(SimulatedInnosilicon, host=first.host, serial="B", model="T3H+")
        stats = await miner.read()
        assert miner.info.unique_id not in (None, before)
    assert miner.info.model == "T3H+"
    assert stats.hashrate == pytest.approx(57, rel=0.02)


def test_recognised() -> None:
    def by(**found: str) -> int:
        names = {"version": cgminer.VERSION, "root": http.ROOT}
        return Innosilicon.recognise({names[key]: text for key, text in found.items()})

    assert by(version='{"STATUS":[{"Description":"innominer a10-1.1.0"}]}') == 50
    assert by(root="HTTP 200\n\n\n<title>DragonMint</title>") == 50
    assert by(root="HTTP 200\n\n\n<title>AsicMiner</title>") == 50
    assert by(version='{"STATUS":[{"Description":"cgminer 4.10.0"}]}') == 0
    assert by() == 0


# What it reads.


async def test_stats(device: SimulatedInnosilicon) -> None:
    async with make(device) as miner:
        device.requests = 0
        stats = await miner.read()
        assert device.requests == 1
    check_vocabulary(stats)
    assert stats.failed == {}
    assert (stats.status, stats.faults) == (MinerStatus.MINING, ())
    assert stats.hashrate == pytest.approx(0.002, rel=0.02)
    assert stats.hashrate_average == 0.00198
    assert (stats.power, stats.power_mode) == (None, "balanced")
    assert (stats.temperature_chip, stats.temperature_board) == (74, None)
    assert [(fan.speed, fan.duty) for fan in stats.fans] == [(None, 63)]
    assert [board.index for board in stats.boards] == [0, 1, 2, 3]
    board = stats.boards[1]
    assert board.hashrate == pytest.approx(0.0005, rel=0.02)
    assert (board.chips, board.chips_expected) == (8, 8)
    assert (board.frequency, board.voltage, board.enabled) == (1400, 0.76, True)
    assert (board.temperature_chip, board.temperature_board) == (72, None)
    assert (stats.accepted, stats.rejected, stats.stale) == (1000, 10, 1)
    assert (stats.hardware_errors, stats.uptime) == (12, 5000)
    (pool,) = stats.pools
    assert (pool.url, pool.user) == ("stratum+tcp://pool.example:4444", "wallet.one")
    assert pool.status is PoolState.ACTIVE


@pytest.mark.parametrize(
    ("model", "rate"), [("T3H+", 57), ("A9", 5e-8), ("A10 Pro", 0.0005)]
)
@pytest.mark.parametrize("password", [PASSWORD, None])
async def test_unit_of_each_series(
    simulate: Simulate, model: str, rate: float, password: str | None
) -> None:
    device = await simulate(SimulatedInnosilicon, model=model)
    async with make(device, password) as miner:
        stats = await miner.read()
    assert stats.hashrate == pytest.approx(rate, rel=0.02)
    assert sum(b.hashrate or 0 for b in stats.boards) == pytest.approx(rate, rel=0.02)


async def test_series_whose_unit_is_unknown(simulate: Simulate) -> None:
    device = await simulate(SimulatedInnosilicon, model="B52")
    async with make(device) as miner:
        stats = await miner.read()
        assert (stats.status, stats.hashrate) == (MinerStatus.MINING, None)
        assert stats.boards[0].hashrate is None
        assert miner.info.algorithm is None
        device.stalled = True
        assert (await miner.read()).hashrate == 0


@pytest.mark.parametrize(
    ("model", "algorithm"),
    [("T2T", "sha256"), ("A4+", "scrypt"), ("A5", "x11"), ("A99", None), (None, None)],
)
def test_algorithm_of_a_series(model: str | None, algorithm: str | None) -> None:
    assert read.algorithm(read.series(model)) == algorithm


async def test_older_program(simulate: Simulate) -> None:
    device = await simulate(SimulatedInnosilicon, separate=True, joins=False)
    async with make(device) as miner:
        await miner.read()
        device.asked.clear()
        stats = await miner.read()
    assert device.asked == ["summary", "stats", "devs", "pools"]
    assert (stats.failed, len(stats.boards)) == ({}, 4)
    assert stats.boards[3].temperature_chip == 74


async def test_dead_board(device: SimulatedInnosilicon) -> None:
    device.dead = {1}
    async with make(device) as miner:
        stats = await miner.read()
    assert stats.status is MinerStatus.MINING
    assert stats.hashrate == pytest.approx(0.0015, rel=0.02)
    gone = stats.boards[1]
    assert (gone.temperature_chip, gone.frequency, gone.voltage) == (None, None, None)
    assert (gone.hashrate, gone.chips) == (0, 0)
    assert [(f.code, f.component) for f in stats.faults] == [("device_dead", "board 1")]


async def test_says_why_nothing_is_hashed(device: SimulatedInnosilicon) -> None:
    async with make(device) as miner:
        device.stalled = True
        device.requests = 0
        assert (await miner.read()).status is MinerStatus.IDLE
        assert device.requests == 3
        device.error = ("23", "fan is lost")
        stats = await miner.read()
        assert stats.status is MinerStatus.FAULT
        assert [(f.code, f.message) for f in stats.faults] == [("23", "fan is lost")]
        device.error = ("0", "")
        device.booted = device.now()
        assert (await miner.read()).status is MinerStatus.STARTING
        device.pool_up = False
        assert (await miner.read()).status is MinerStatus.IDLE


async def test_mining_process_that_is_away(device: SimulatedInnosilicon) -> None:
    async with make(device) as miner:
        await close_socket(device)
        stats = await miner.read()
        assert (stats.status, stats.hashrate) == (MinerStatus.UNKNOWN, None)
        assert "summary" in stats.failed
        device.error = ("35", "no chain")
        stats = await miner.read()
    assert stats.status is MinerStatus.FAULT
    assert [fault.code for fault in stats.faults] == ["35"]


async def test_mining_process_that_is_away_without_a_password(
    device: SimulatedInnosilicon,
) -> None:
    async with make(device, None) as miner:
        await close_socket(device)
        with pytest.raises(DeviceUnreachable):
            await miner.read()


async def test_mining_process_that_is_away_at_connect(
    device: SimulatedInnosilicon,
) -> None:
    await close_socket(device)
    async with make(device) as miner:
        assert (miner.info.model, miner.info.algorithm) == ("A11MX", "ethash")
    with pytest.raises(DeviceUnreachable):
        await make(device, None).connect()


async def test_odd_values_lose_nothing_else(device: SimulatedInnosilicon) -> None:
    whole = device._chain(0)
    device._chain = lambda place: {  # type: ignore[method-assign]
        **whole,
        "PLL": "fast",
        "Temp max": {"x": 1},
        "Fan duty": [],
    }
    async with make(device) as miner:
        stats = await miner.read()
    assert stats.status is MinerStatus.MINING
    assert set(stats.failed) == {"boards", "fans"}
    assert stats.boards[0].temperature_chip == 61
    assert stats.fans == ()


# What it can be told.


@pytest.mark.parametrize("levels", [False, True])
async def test_power_mode(simulate: Simulate, levels: bool) -> None:
    device = await simulate(SimulatedInnosilicon, levels=levels, tuning=0.2)
    async with make(device) as miner:
        await miner.set_power_mode("performance")
        stats = await miner.read()
        assert (stats.status, stats.power_mode) == (MinerStatus.TUNING, "performance")
        device._tunes_until = 0
        assert (await miner.read()).status is MinerStatus.MINING
        with pytest.raises(NotSupported, match="not one of"):
            await miner.set_power_mode("turbo")


async def test_pools(device: SimulatedInnosilicon) -> None:
    async with make(device) as miner:
        await miner.set_pools(POOLS)
        stats = await miner.read()
        # Without a password a pool would be passed over.
        assert [pool[2] for pool in device.pools] == ["secret1", "x"]
        assert [pool.url for pool in stats.pools] == [pool.url for pool in POOLS]
        device.locked = True
        with pytest.raises(CommandFailed, match="locked"):
            await miner.set_pools(POOLS[:1])
    assert "secret1" not in repr(stats)


async def test_restart_and_reboot(device: SimulatedInnosilicon) -> None:
    async with make(device) as miner:
        await miner.restart()
        await miner.reboot()
        device._away_until = 0
        stats = await miner.read()
        assert stats.uptime is not None
        assert stats.uptime < 60
        await miner.set_power_mode("factory")
    assert device.writes == ["restartCgMiner", "reboot", "setAutoTune"]
    assert device.logins == 2


type Run = Callable[[Innosilicon], Awaitable[None]]
COMMANDS: list[Run] = [
    lambda miner: miner.set_power_mode("factory"),
    lambda miner: miner.set_pools(POOLS),
]


@pytest.mark.parametrize(
    "command", [*COMMANDS, lambda miner: miner.reboot(), lambda miner: miner.restart()]
)
async def test_refused_in_its_own_words(
    device: SimulatedInnosilicon, command: Run
) -> None:
    async with make(device) as miner:
        device.refuses = "failed, please\nreboot manually"
        with pytest.raises(CommandFailed, match="failed, please reboot manually"):
            await command(miner)


@pytest.mark.parametrize("command", COMMANDS)
async def test_not_confirmed(device: SimulatedInnosilicon, command: Run) -> None:
    async with make(device) as miner:
        miner.confirm_within = 0.05
        device.stubborn = True
        with pytest.raises(CommandFailed, match="not confirmed"):
            await command(miner)


# What it survives.


@pytest.mark.parametrize("trouble", ALL_TROUBLE)
@pytest.mark.parametrize("password", [PASSWORD, None])
async def test_trouble(
    device: SimulatedInnosilicon, trouble: Trouble, password: str | None
) -> None:
    async with make(device, password, timeout=0.3) as miner:
        await survives(miner, device, trouble)


@pytest.mark.parametrize("trouble", ALL_TROUBLE)
async def test_trouble_at_connect(
    device: SimulatedInnosilicon, trouble: Trouble
) -> None:
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
async def test_any_bytes(device: SimulatedInnosilicon, body: bytes) -> None:
    async with make(device, timeout=1) as miner:
        await survives_bytes(miner, device, body)


async def test_never_shown_with_its_password(device: SimulatedInnosilicon) -> None:
    async with make(device) as miner:
        stats = await miner.read()
        shown = f"{miner!r} {miner.info!r} {stats!r} {miner._api!r}"
    assert PASSWORD not in shown
    assert "pool-secret" not in shown

"""IceRiver with the maker's firmware: readings, commands, and what it survives."""

from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.miningsdk.sdk import (
    AuthenticationFailed,
    Capability,
    DeviceTimeout,
    DeviceUnreachable,
    InvalidReply,
    MinerStatus,
    NotSupported,
    PoolState,
    Severity,
)
from custom_components.miningsdk.sdk.drivers import _iceriver_stats as read
from custom_components.miningsdk.sdk.drivers.iceriver import IceRiver
from custom_components.miningsdk.sdk.fields import Fields
from custom_components.miningsdk.sdk.transports import http
from tests.conftest import Simulate
from tests.sdk.trouble import ALL_TROUBLE, check_vocabulary, survives, survives_bytes
from tests.simulators.base import Trouble
from tests.simulators.iceriver import SimulatedIceRiver

PASSWORD = "s3cret"


def make(
    device: SimulatedIceRiver, password: str | None = PASSWORD, timeout: float = 2
) -> IceRiver:
    miner = IceRiver(
        device.host, port=device.port(80), password=password, timeout=timeout
    )
    miner.confirm_every = 0.01
    miner.confirm_within = 0.4
    return miner


@pytest.fixture(autouse=True)
def no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(IceRiver, "confirm_longer", {})


@pytest.fixture
async def device(simulate: Simulate) -> SimulatedIceRiver:
    found = await simulate(SimulatedIceRiver)
    assert isinstance(found, SimulatedIceRiver)
    return found


# Who it is.


async def test_info(device: SimulatedIceRiver) -> None:
    async with make(device) as miner:
        info = miner.info
    assert (info.make, info.model, info.firmware) == ("IceRiver", "KS3M", "stock")
    assert (info.firmware_version, info.algorithm) == ("5977449", "kheavyhash")
    assert (info.mac, info.hostname) == (device.mac, "rig-one")
    assert set(info.capabilities) == {
        Capability.PAUSE,
        Capability.REBOOT,
        Capability.POOLS,
        Capability.LOCATE,
    }


@pytest.mark.parametrize(
    ("model", "algorithm"), [("KS0 Pro", "kheavyhash"), ("AL3", "blake3")]
)
async def test_model(simulate: Simulate, model: str, algorithm: str) -> None:
    device = await simulate(SimulatedIceRiver, model=model)
    async with make(device) as miner:
        assert (miner.info.model, miner.info.algorithm) == (model, algorithm)


@pytest.mark.parametrize(
    ("package", "model"),
    [
        ("pbv077c_ks0miner", "KS0"),
        ("712_ks5l_miner", "KS5L"),
        ("712_ks0ultra_miner", "KS0 Ultra"),
        ("712_11304_miner", "KS7"),
        ("bg", None),
        ("", None),
    ],
)
async def test_model_by_package(
    device: SimulatedIceRiver, package: str, model: str | None
) -> None:
    device.package = package
    async with make(device, None) as miner:
        assert miner.info.model == model


async def test_early_custom_firmware(simulate: Simulate) -> None:
    device = await simulate(SimulatedIceRiver, model="KS3M", custom="pbv077c")
    async with make(device) as miner:
        info, stats = miner.info, await miner.read()
    assert (info.model, info.firmware) == ("KS3M", "iceriver-oc")
    assert info.firmware_version == "pbv077c"
    board = stats.boards[1]
    assert (board.temperature_chip, board.voltage, board.frequency) == (
        68.2,
        0.482,
        501.25,
    )
    assert board.hashrate_expected == 2


async def test_without_a_password_it_only_reads(device: SimulatedIceRiver) -> None:
    async with make(device, None) as miner:
        stats = await miner.read()
        assert (miner.info.capabilities, miner.authentication_error) == ((), None)
        with pytest.raises(NotSupported):
            await miner.pause()
    assert stats.status is MinerStatus.MINING
    assert device.logins + device.refused == 0


@pytest.mark.parametrize(
    ("username", "words"), [("admin", "password error"), ("root", "user not exist")]
)
async def test_wrong_password_is_told_and_not_tried_again(
    device: SimulatedIceRiver, username: str, words: str
) -> None:
    miner = IceRiver(
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


async def test_another_device_on_the_same_address(simulate: Simulate) -> None:
    first = await simulate(SimulatedIceRiver, serial="A")
    async with make(first) as miner:
        before = miner.info.unique_id
        await first.stop()
        with pytest.raises(DeviceUnreachable):
            await miner.read()
        await simulate(SimulatedIceRiver, host=first.host, serial="B", model="KS5L")
        stats = await miner.read()
        assert miner.info.unique_id not in (None, before)
    assert (miner.info.model, stats.hashrate) == ("KS5L", 12)


def test_recognised() -> None:
    def by(page: str) -> int:
        return IceRiver.recognise({http.ROOT: page})

    assert by("HTTP 200\n\n<HTML><TITLE>用户界面</TITLE>") == 50
    assert by("HTTP 200\n\n<title>IceRiver</title>") == 0
    assert IceRiver.recognise({}) == 0


# What it reads.


async def test_stats(device: SimulatedIceRiver) -> None:
    async with make(device) as miner:
        device.requests = 0
        stats = await miner.read()
        assert device.requests == 2
        device.requests = 0
        stats = await miner.read()
        assert device.requests == 1
    check_vocabulary(stats)
    assert stats.failed == {}
    assert (stats.status, stats.faults) == (MinerStatus.MINING, ())
    assert (stats.hashrate, stats.hashrate_average) == (6, 5.94)
    assert (stats.power, stats.temperature_chip) == (None, None)
    assert stats.temperature_board == 53
    assert [fan.speed for fan in stats.fans] == [3300, 3360, 3420, 3480]
    assert [board.index for board in stats.boards] == [0, 1, 2]
    board = stats.boards[1]
    assert (board.hashrate, board.hashrate_expected) == (2, None)
    assert (board.chips, board.chips_expected) == (18, 18)
    assert (board.frequency, board.voltage) == (500, None)
    assert (board.temperature_board, board.temperature_chip) == (52, None)
    assert (stats.accepted, stats.rejected) == (3324, 7)
    assert stats.uptime == 90_061
    assert stats.locating is False
    (pool,) = stats.pools
    assert (pool.url, pool.user) == ("stratum+tcp://pool.example:5555", "kaspa:one.rig")
    assert pool.status is PoolState.ACTIVE
    assert "pool-secret" not in repr(stats)


async def test_smallest_model(simulate: Simulate) -> None:
    device = await simulate(SimulatedIceRiver, model="KS0 Pro")
    async with make(device) as miner:
        stats = await miner.read()
    assert (stats.hashrate, stats.boards[0].chips) == (0.2, 2)
    # It looks for four fans, and has what its owner put onto it.
    assert [fan.speed for fan in stats.fans] == [1877]
    assert stats.faults == ()


@pytest.mark.parametrize(
    ("told", "unit", "rate"),
    [
        ("6226G", "G", 6.226),
        ("6.2T", "G", 6.2),
        ("850M", "G", 0.00085),
        ("1.5 P", "G", 1500),
        ("400 GH/s", "T", 0.4),
        (6226, "G", 6.226),
        ("6.2", "T", 6.2),
        ("6226", None, 6.226),
        ("6226", "X", None),
        ("fast", "G", None),
        (None, "G", None),
        ([], "G", None),
    ],
)
def test_units_of_the_rate(told: object, unit: str | None, rate: float | None) -> None:
    data = Fields({"rtpow": told, "unit": unit})
    assert read._rate(data, "rtpow", "hashrate") == rate
    assert ("hashrate" in data.failed) is (told == "fast")


async def test_fan_that_stops_is_kept(device: SimulatedIceRiver) -> None:
    async with make(device) as miner:
        await miner.read()
        whole = device.overview()
        whole["fans"] = [3300, 0, 3300, 0]
        whole["fanstate"] = False
        device.overview = lambda: whole  # type: ignore[method-assign]
        stats = await miner.read()
    assert [fan.speed for fan in stats.fans] == [3300, 0, 3300, 0]
    assert [fault.code for fault in stats.faults] == ["fan"]


async def test_rate_that_lingers_is_no_mining(device: SimulatedIceRiver) -> None:
    async with make(device) as miner:
        await miner.read()
        device.pool_up = False
        stats = await miner.read()
        assert (stats.status, stats.hashrate) == (MinerStatus.IDLE, 0)
        assert stats.pools[0].status is PoolState.DEAD
        assert [f.code for f in stats.faults] == ["pool", "hashrate"]
        device.pool_up = True
        device.online = False
        assert (await miner.read()).status is MinerStatus.IDLE
        device.started += 90_000
        assert (await miner.read()).status is MinerStatus.STARTING


async def test_stopped_board(device: SimulatedIceRiver) -> None:
    device.stopped = {1}
    async with make(device) as miner:
        stats = await miner.read()
    assert (stats.status, stats.hashrate) == (MinerStatus.MINING, 4)
    assert stats.boards[1].hashrate == 0
    (fault,) = stats.faults
    assert (fault.code, fault.component) == ("board_stopped", "board 1")


async def test_too_hot(device: SimulatedIceRiver) -> None:
    device.hot = True
    device.stopped = {0, 1, 2}
    async with make(device) as miner:
        stats = await miner.read()
    assert stats.status is MinerStatus.FAULT
    assert {f.code: f.severity for f in stats.faults} == {
        "temperature": Severity.CRITICAL,
        "hashrate": Severity.WARNING,
    }


async def test_backup_pools(device: SimulatedIceRiver) -> None:
    device.pools.append(device.pool("stratum+tcp://pool.two:2", "b"))
    device.pools.append(device.pool("", ""))
    async with make(device) as miner:
        stats = await miner.read()
    assert [pool.status for pool in stats.pools] == [PoolState.ACTIVE, None]


async def test_odd_values_lose_nothing_else(device: SimulatedIceRiver) -> None:
    whole = device.overview()
    whole |= {"avgpow": "much", "runtime": "long", "fans": ["x", 3000], "locate": 7}
    whole["boards"][0]["intmp"] = {}
    device.overview = lambda: whole  # type: ignore[method-assign]
    async with make(device) as miner:
        stats = await miner.read()
    assert (stats.status, stats.hashrate) == (MinerStatus.MINING, 6)
    names = {"hashrate_average", "uptime", "fans", "boards", "locating"}
    assert set(stats.failed) == names
    assert stats.boards[0].temperature_board == 51


@pytest.mark.parametrize("told", [{}, {"boards": 5, "pools": "x", "fans": {}}])
async def test_nothing_known_is_not_zero(
    device: SimulatedIceRiver, told: dict[str, Any]
) -> None:
    async with make(device) as miner:
        device.overview = lambda: told  # type: ignore[method-assign]
        stats = await miner.read()
    assert (stats.status, stats.hashrate) == (MinerStatus.UNKNOWN, None)
    assert (stats.uptime, stats.fans, stats.boards) == (None, (), ())


# What it survives.


async def test_unreachable(device: SimulatedIceRiver) -> None:
    miner = make(device)
    await device.stop()
    with pytest.raises(DeviceUnreachable):
        await miner.connect()
    await miner.close()


async def test_mining_process_that_restarts(device: SimulatedIceRiver) -> None:
    async with make(device) as miner:
        device.mining_away_until = float("inf")
        with pytest.raises(InvalidReply, match="Connect miner failed!"):
            await miner.read()
        device.mining_away_until = 0
        assert (await miner.read()).status is MinerStatus.MINING


@pytest.mark.parametrize("trouble", ALL_TROUBLE)
@pytest.mark.parametrize("password", [PASSWORD, None])
async def test_trouble(
    device: SimulatedIceRiver, trouble: Trouble, password: str | None
) -> None:
    async with make(device, password, timeout=0.3) as miner:
        await survives(miner, device, trouble)


@pytest.mark.parametrize("trouble", ALL_TROUBLE)
async def test_trouble_at_connect(device: SimulatedIceRiver, trouble: Trouble) -> None:
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
async def test_any_bytes(device: SimulatedIceRiver, body: bytes) -> None:
    async with make(device, timeout=1) as miner:
        await survives_bytes(miner, device, body)


async def test_never_shown_with_its_password(device: SimulatedIceRiver) -> None:
    async with make(device) as miner:
        stats = await miner.read()
        shown = f"{miner!r} {miner.info!r} {stats!r} {miner._api!r}"
    assert PASSWORD not in shown
    assert "pool-secret" not in shown

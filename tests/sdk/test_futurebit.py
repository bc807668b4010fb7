"""FutureBit Apollo: readings, old and new firmware, logins, and what it survives."""

from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
import orjson
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
    PoolState,
)
from custom_components.miningsdk.sdk.drivers import _futurebit_stats as read
from custom_components.miningsdk.sdk.drivers.futurebit import FutureBit
from custom_components.miningsdk.sdk.fields import Fields
from custom_components.miningsdk.sdk.transports import http
from tests.conftest import Simulate
from tests.sdk.trouble import ALL_TROUBLE, check_vocabulary, survives, survives_bytes
from tests.simulators.base import Trouble
from tests.simulators.futurebit import SimulatedFutureBit

PASSWORD = "s3cret"


def make(
    device: SimulatedFutureBit, password: str | None = PASSWORD, timeout: float = 2
) -> FutureBit:
    miner = FutureBit(
        device.host, port=device.port(5000), password=password, timeout=timeout
    )
    miner.confirm_every = 0.01
    miner.confirm_within = 0.4
    return miner


@pytest.fixture(autouse=True)
def no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FutureBit, "confirm_longer", {})


@pytest.fixture
async def device(simulate: Simulate) -> SimulatedFutureBit:
    found = await simulate(SimulatedFutureBit)
    assert isinstance(found, SimulatedFutureBit)
    return found


# Who it is.


async def test_info(device: SimulatedFutureBit) -> None:
    async with make(device) as miner:
        info = miner.info
    assert (info.make, info.model, info.firmware) == ("FutureBit", "Apollo II", "stock")
    assert (info.firmware_version, info.algorithm) == ("2.0.2", "sha256")
    assert (info.mac, info.hostname) == (device.mac, "apollo")
    assert set(info.capabilities) == {
        *(Capability.PAUSE, Capability.RESTART, Capability.REBOOT),
        *(Capability.POOLS, Capability.POWER_MODE),
    }
    modes = Limits(options=("eco", "balanced", "turbo"))
    assert info.limits == {Capability.POWER_MODE: modes}
    assert device.logins == 1


@pytest.mark.parametrize(
    ("versions", "model", "modes"),
    [
        (("v1",), "Apollo BTC", ("eco", "balanced", "turbo")),
        (("v1", "v2"), "Apollo II", ("eco", "balanced", "turbo")),
        (("v3",), "Apollo III", ("super_eco", "eco", "balanced", "turbo")),
    ],
)
async def test_model(
    simulate: Simulate, versions: tuple[str, ...], model: str, modes: tuple[str, ...]
) -> None:
    device = await simulate(SimulatedFutureBit, versions=versions)
    async with make(device) as miner:
        assert miner.info.model == model
        assert miner.info.limits[Capability.POWER_MODE].options == modes


async def test_without_a_password_it_only_reads(device: SimulatedFutureBit) -> None:
    async with make(device, None) as miner:
        device.requests = 0
        stats = await miner.read()
        assert device.requests == 1
        info = miner.info
        assert (info.capabilities, miner.authentication_error) == ((), None)
        assert (info.model, info.mac) == ("Apollo II", None)
        with pytest.raises(NotSupported):
            await miner.pause()
    assert (stats.status, stats.failed) == (MinerStatus.MINING, {})
    assert (stats.hashrate, stats.power_mode) == (8, None)
    assert [pool.url for pool in stats.pools] == ["pool.example:3333"]
    assert device.logins + device.refused == 0


@pytest.mark.parametrize(
    ("set_up", "words"), [(True, "Invalid password"), (False, "Setup not finished")]
)
async def test_wrong_password_is_told_and_not_tried_again(
    device: SimulatedFutureBit, set_up: bool, words: str
) -> None:
    device.set_up = set_up
    miner = make(device, "wrong")
    with pytest.raises(AuthenticationFailed, match=words):
        await miner.check_credentials()
    for _ in range(3):
        stats = await miner.read()
        assert (stats.status, stats.failed) == (MinerStatus.MINING, {})
        miner.forget_info()
    assert device.refused == 1
    assert miner.info.capabilities == ()
    await miner.close()


async def test_login_that_becomes_void(device: SimulatedFutureBit) -> None:
    async with make(device) as miner:
        device.tokens.clear()
        stats = await miner.read()
        assert (stats.failed, stats.power_mode) == ({}, "balanced")
        assert device.logins == 2


async def test_login_that_the_device_does_not_accept(
    device: SimulatedFutureBit,
) -> None:
    async with make(device) as miner:
        device.tokens.clear()
        void = {"result": {"accessToken": "void"}, "error": None}
        asked: list[Any] = []
        device._log_in = lambda told: asked.append(told) or void  # type: ignore[method-assign,func-returns-value]
        for _ in range(3):
            stats = await miner.read()
            # What is open to everybody is read all the same.
            assert stats.status is MinerStatus.MINING
        assert miner.authentication_error is not None
        assert len(asked) == 1


async def test_another_device_on_the_same_address(simulate: Simulate) -> None:
    first = await simulate(SimulatedFutureBit, serial="A")
    async with make(first) as miner:
        before = miner.info.unique_id
        await first.stop()
        with pytest.raises(DeviceUnreachable):
            await miner.read()
        await simulate(
            SimulatedFutureBit, host=first.host, serial="B", versions=("v3",)
        )
        stats = await miner.read()
        assert miner.info.unique_id not in (None, before)
    assert (miner.info.model, stats.hashrate) == ("Apollo III", 12)


def test_recognised() -> None:
    def by(page: str) -> int:
        return FutureBit.recognise({http.ROOT: page})

    assert by("HTTP 308\nServer: x\nLocation: /overview\n\n/overview") == 50
    assert by("HTTP 308\nlocation: http://10.0.0.9/overview\n\n") == 50
    assert by("HTTP 302\nLocation: /overview\n\n") == 0
    assert by("HTTP 308\nLocation: /overviews\n\n") == 0
    assert by("HTTP 308\nLocation: /login\n\nLocation /overview") == 0
    assert FutureBit.recognise({}) == 0


# What it reads.


async def test_stats(simulate: Simulate) -> None:
    device = await simulate(SimulatedFutureBit, versions=("v1", "v2"))
    async with make(device) as miner:
        device.requests = 0
        stats = await miner.read()
        assert device.requests == 1
    check_vocabulary(stats)
    assert stats.failed == {}
    assert (stats.status, stats.faults) == (MinerStatus.MINING, ())
    assert (stats.hashrate, stats.hashrate_average) == (10.6, 10.494)
    assert (stats.power, stats.efficiency) == (448, 42.26)
    assert stats.power_mode == "balanced"
    assert (stats.temperature_chip, stats.temperature_board) == (None, 63.5)
    assert [fan.speed for fan in stats.fans] == [3100, 3200]
    assert [(b.hashrate, b.temperature_board, b.chips) for b in stats.boards] == [
        (2.6, 62.5, 44),
        (8, 63.5, 44),
    ]
    assert (stats.accepted, stats.rejected) == (640, 4)
    assert (stats.hardware_errors, stats.uptime) == (24, 7200)
    (pool,) = stats.pools
    assert (pool.url, pool.user) == ("stratum+tcp://pool.example:3333", "wallet.one")
    assert (pool.status, pool.accepted) == (PoolState.ACTIVE, 640)
    assert "pool-secret" not in repr(stats)


async def test_pool_that_is_not_stored_is_shown_too(device: SimulatedFutureBit) -> None:
    unit = device._unit(0, "v2")
    unit["pool"] |= {"host": "127.0.0.1", "port": 3334, "userName": "solo"}
    device.units = lambda: [unit]  # type: ignore[method-assign]
    async with make(device) as miner:
        stats = await miner.read()
    assert [(p.url, p.user, p.status) for p in stats.pools] == [
        ("stratum+tcp://pool.example:3333", "wallet.one", None),
        ("127.0.0.1:3334", "solo", PoolState.ACTIVE),
    ]


async def test_nothing_to_hash(device: SimulatedFutureBit) -> None:
    device.pool_up = False
    async with make(device) as miner:
        stats = await miner.read()
        assert (stats.status, stats.hashrate) == (MinerStatus.IDLE, 0)
        device.started = monotonic()
        assert (await miner.read()).status is MinerStatus.STARTING


@pytest.mark.parametrize("password", [PASSWORD, None])
async def test_stopped_is_not_what_it_told_last(
    device: SimulatedFutureBit, password: str | None
) -> None:
    device.running = False
    async with make(device, password) as miner:
        stats = await miner.read()
    assert (stats.status, stats.hashrate) == (MinerStatus.PAUSED, 0)
    assert (stats.power, stats.boards, stats.fans) == (None, (), ())
    assert (stats.uptime, stats.accepted) == (None, None)


async def test_ended_without_being_told_to(device: SimulatedFutureBit) -> None:
    device.crashed = True
    async with make(device) as miner:
        assert (await miner.read()).status is MinerStatus.IDLE


async def test_error_of_the_device_is_no_state(device: SimulatedFutureBit) -> None:
    error = {"result": {"online": {"status": "error"}}}
    device._online = lambda: error  # type: ignore[method-assign]
    async with make(device) as miner:
        stats = await miner.read()
    assert (stats.status, stats.hashrate) == (MinerStatus.UNKNOWN, None)


# Older firmware.


async def test_firmware_without_services(simulate: Simulate) -> None:
    device = await simulate(SimulatedFutureBit, knows=("online", "software"))
    async with make(device) as miner:
        device.requests = 0
        stats = await miner.read()
        assert device.requests == 1
        assert (stats.status, stats.failed) == (MinerStatus.MINING, {})
        device.running = False
        assert (await miner.read()).status is MinerStatus.PAUSED


async def test_firmware_that_answers_true_or_false(simulate: Simulate) -> None:
    device = await simulate(SimulatedFutureBit, knows=())
    async with make(device) as miner:
        assert (await miner.read()).status is MinerStatus.MINING
        device.running = False
        assert (await miner.read()).status is MinerStatus.PAUSED


async def test_firmware_that_answers_whom_it_knows_only(simulate: Simulate) -> None:
    device = await simulate(SimulatedFutureBit, knows=())
    async with make(device, None) as miner:
        await miner.read()
        device.requests = 0
        stats = await miner.read()
        assert device.requests == 1
        assert (stats.status, stats.hashrate, stats.failed) == (
            MinerStatus.MINING,
            8,
            {},
        )
        # Its clock is wrong, but it goes on.
        device.clock = timedelta(days=-900)
        assert (await miner.read()).status is MinerStatus.MINING
        device.running = False
        read._RENEWED_WITHIN, usual = 0.0, read._RENEWED_WITHIN
        try:
            stats = await miner.read()
            assert (stats.status, stats.hashrate) == (MinerStatus.PAUSED, 0)
        finally:
            read._RENEWED_WITHIN = usual


def test_freshness() -> None:
    def unit(date: str | None) -> Fields:
        return Fields({"date": date})

    now = datetime.now(UTC).isoformat()
    fresh = read.Freshness()
    assert fresh.check([unit("2020-01-01T00:00:00+00:00")]) is None
    assert fresh.check([unit("2020-01-01T00:00:00+00:00")]) is False
    assert fresh.check([unit("2020-01-01T00:00:05+00:00")]) is True
    assert fresh.check([unit("2020-01-01T00:00:05+00:00")]) is True
    assert read.Freshness().check([unit(now)]) is True
    assert read.Freshness().check([unit("yesterday"), unit("2020-01-01")]) is None
    assert read.Freshness().check([unit(None)]) is None


async def test_odd_values_lose_nothing_else(device: SimulatedFutureBit) -> None:
    unit = device._unit(0, "v2")
    unit["master"] |= {"upTime": "long", "boardsW": []}
    unit["slots"]["int_0"]["chips"] = {}
    unit["fans"]["int_0"]["rpm"] = [True, 3000]
    unit["temperature"] = 5
    device.units = lambda: [unit]  # type: ignore[method-assign]
    async with make(device) as miner:
        stats = await miner.read()
    assert (stats.status, stats.hashrate) == (MinerStatus.MINING, 8)
    assert set(stats.failed) == {"uptime", "power", "boards", "fans"}
    assert [fan.speed for fan in stats.fans] == [None, 3000]
    assert stats.temperature_board == 62.5


# What it survives.


async def test_unreachable(device: SimulatedFutureBit) -> None:
    miner = make(device)
    await device.stop()
    with pytest.raises(DeviceUnreachable):
        await miner.connect()
    await miner.close()


@pytest.mark.parametrize(
    "reply",
    [
        {"data": {"Miner": None}, "errors": [{"message": "Float is odd"}]},
        {"errors": [{"message": "Float is odd"}]},
        {"data": None, "errors": [5]},
        {"data": {"Miner": {}}, "errors": "x"},
        [],
    ],
)
async def test_reply_without_a_miner(device: SimulatedFutureBit, reply: Any) -> None:
    async with make(device) as miner:
        device.body = orjson.dumps(reply)
        with pytest.raises(InvalidReply):
            await miner.read()
        device.body = None
        assert (await miner.read()).status is MinerStatus.MINING


@pytest.mark.parametrize("trouble", ALL_TROUBLE)
@pytest.mark.parametrize("password", [PASSWORD, None])
async def test_trouble(
    device: SimulatedFutureBit, trouble: Trouble, password: str | None
) -> None:
    async with make(device, password, timeout=0.3) as miner:
        await survives(miner, device, trouble)


@pytest.mark.parametrize("trouble", ALL_TROUBLE)
async def test_trouble_at_connect(device: SimulatedFutureBit, trouble: Trouble) -> None:
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
async def test_any_bytes(device: SimulatedFutureBit, body: bytes) -> None:
    async with make(device, timeout=1) as miner:
        await survives_bytes(miner, device, body)


async def test_never_shown_with_its_password(device: SimulatedFutureBit) -> None:
    async with make(device) as miner:
        stats = await miner.read()
        shown = f"{miner!r} {miner.info!r} {stats!r} {miner._api!r}"
    assert PASSWORD not in shown
    assert "pool-secret" not in shown

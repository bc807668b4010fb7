"""IceRiver with iceriver-oc: its token, its fans, its pools, and how it refuses."""

from collections.abc import Awaitable, Callable

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
)
from custom_components.miningsdk.sdk.drivers.iceriver import IceRiverOC
from tests.conftest import Simulate
from tests.sdk.trouble import ALL_TROUBLE, check_vocabulary, survives
from tests.simulators.base import Trouble
from tests.simulators.iceriver import SimulatedIceRiver, SimulatedIceRiverOC

TOKEN = "5b281acc-own-token"
POOLS = (
    PoolConfig(url="stratum+tcp://pool.one:1", user="kaspa:a.one", password="secret1"),
    PoolConfig(url="stratum+tcp://pool.two:2", user="kaspa:b.two", password="secret2"),
)


def make(
    device: SimulatedIceRiverOC, token: str | None = TOKEN, timeout: float = 2
) -> IceRiverOC:
    miner = IceRiverOC(
        device.host, port=device.port(443), password=token, timeout=timeout
    )
    miner.confirm_every = 0.01
    miner.confirm_within = 0.4
    return miner


@pytest.fixture(autouse=True)
def no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(IceRiverOC, "confirm_longer", {})


@pytest.fixture
async def device(simulate: Simulate) -> SimulatedIceRiverOC:
    found = await simulate(SimulatedIceRiverOC)
    assert isinstance(found, SimulatedIceRiverOC)
    return found


async def test_info(device: SimulatedIceRiverOC) -> None:
    async with make(device) as miner:
        info = miner.info
    assert (info.make, info.model, info.firmware) == ("IceRiver", "KS3M", "iceriver-oc")
    assert (info.firmware_version, info.algorithm) == ("pbv081c", "kheavyhash")
    assert (info.mac, info.hostname) == (device.mac, "rig-one")
    assert set(info.capabilities) == {
        *(Capability.PAUSE, Capability.REBOOT, Capability.POOLS),
        *(Capability.LOCATE, Capability.FAN),
    }
    assert info.limits == {
        Capability.FAN: Limits(minimum=30, maximum=100, step=1, options=("auto",))
    }


async def test_stats(device: SimulatedIceRiverOC) -> None:
    async with make(device) as miner:
        await miner.read()
        device.requests = 0
        stats = await miner.read()
        assert device.requests == 1
    check_vocabulary(stats)
    assert stats.failed == {}
    assert (stats.status, stats.faults) == (MinerStatus.MINING, ())
    assert (stats.hashrate, stats.hashrate_expected) == (6, 6)
    assert (stats.temperature_chip, stats.temperature_board) == (69.2, 53)
    assert (stats.boards[0].frequency, stats.boards[0].voltage) == (501.25, 0.482)
    assert stats.settings.fan_automatic is True
    assert (stats.settings.fan, stats.settings.target_temperature) == (None, 65)


@pytest.mark.parametrize("token", [None, "wrong"])
async def test_without_the_right_token(
    device: SimulatedIceRiverOC, token: str | None
) -> None:
    miner = make(device, token)
    for _ in range(3):
        with pytest.raises(AuthenticationFailed, match="token"):
            await miner.check_credentials()
    assert device.refused == (1 if token else 0)
    await miner.close()


async def test_token_that_becomes_void(device: SimulatedIceRiverOC) -> None:
    async with make(device) as miner:
        assert (await miner.read()).status is MinerStatus.MINING
        device.token = "another"
        for _ in range(3):
            with pytest.raises(AuthenticationFailed, match="refused the token"):
                await miner.read()
    assert device.refused == 1


async def test_token_that_may_only_read(device: SimulatedIceRiverOC) -> None:
    device.permits = False
    async with make(device) as miner:
        with pytest.raises(CommandFailed, match="does not permit"):
            await miner.pause()
        assert (await miner.read()).status is MinerStatus.MINING


async def test_pause_and_resume(device: SimulatedIceRiverOC) -> None:
    async with make(device) as miner:
        await miner.pause()
        device.requests = 0
        stats = await miner.read()
        assert device.requests == 2
        assert (stats.status, stats.hashrate) == (MinerStatus.PAUSED, 0)
        await miner.resume()
        assert (await miner.read()).status is MinerStatus.MINING
    assert device.writes == ["machine/sleep", "machine/wake"]


async def test_fans(device: SimulatedIceRiverOC) -> None:
    async with make(device) as miner:
        await miner.set_fan(80)
        stats = await miner.read()
        assert (stats.settings.fan, stats.settings.fan_automatic) == (80, False)
        assert stats.settings.target_temperature is None
        assert device.fan == {"min": 30, "mode": "fixed", "ratio": 80, "target": 65}
        with pytest.raises(NotSupported, match="outside"):
            await miner.set_fan(20)
        await miner.set_fan(None)
        assert device.fan["mode"] == "auto"
        assert (await miner.read()).settings.fan_automatic is True


async def test_lamp_is_a_switch(device: SimulatedIceRiverOC) -> None:
    async with make(device) as miner:
        await miner.locate(True)
        assert (await miner.read()).locating is True
        await miner.locate(True)
        assert (await miner.read()).locating is True
        await miner.locate(False)
        assert (await miner.read()).locating is False
    assert device.writes == ["machine/locate"] * 2


async def test_pools(device: SimulatedIceRiverOC) -> None:
    async with make(device) as miner:
        await miner.set_pools(POOLS)
        assert device.writes == ["pool/update", "pool/create"]
        assert [(p["addr"], p["pass"]) for p in device.pools] == [
            (pool.url, pool.password) for pool in POOLS
        ]
        device.writes.clear()
        await miner.set_pools(POOLS)
        assert device.writes == []
        await miner.set_pools(POOLS[:1])
        assert device.writes == ["pool/delete"]
        assert [p["addr"] for p in device.pools] == [POOLS[0].url]
        other = PoolConfig(url=POOLS[0].url, user=POOLS[0].user, password="other")
        await miner.set_pools([other])
        stats = await miner.read()
    assert device.pools[0]["pass"] == "other"
    assert "other" not in repr(stats.pools)


async def test_reboot(device: SimulatedIceRiverOC) -> None:
    async with make(device) as miner:
        await miner.reboot()
        device.away_until = 0
        stats = await miner.read()
    assert stats.uptime is not None
    assert stats.uptime < 60


type Run = Callable[[IceRiverOC], Awaitable[None]]
COMMANDS: list[Run] = [
    lambda miner: miner.pause(),
    lambda miner: miner.locate(True),
    lambda miner: miner.set_fan(90),
    lambda miner: miner.set_pools(POOLS),
]


@pytest.mark.parametrize("command", [*COMMANDS, lambda miner: miner.reboot()])
async def test_refused_in_its_own_words(
    device: SimulatedIceRiverOC, command: Run
) -> None:
    async with make(device) as miner:
        device.refuses = "machine is\nbusy"
        with pytest.raises(CommandFailed, match="machine is busy"):
            await command(miner)


@pytest.mark.parametrize("command", COMMANDS)
async def test_not_confirmed(device: SimulatedIceRiverOC, command: Run) -> None:
    async with make(device) as miner:
        miner.confirm_within = 0.05
        device.stubborn = True
        with pytest.raises(CommandFailed, match="not confirmed"):
            await command(miner)


async def test_fans_that_cannot_be_read(device: SimulatedIceRiverOC) -> None:
    device.fan = {}
    async with make(device) as miner:
        assert Capability.FAN not in miner.info.capabilities
        stats = await miner.read()
    assert stats.status is MinerStatus.MINING
    assert stats.settings.fan_automatic is None


async def test_port_without_tls(simulate: Simulate) -> None:
    device = await simulate(SimulatedIceRiver)
    miner = IceRiverOC(device.host, port=device.port(80), password=TOKEN)
    with pytest.raises((DeviceUnreachable, InvalidReply)):
        await miner.connect()
    assert device.requests == 0
    await miner.close()


@pytest.mark.parametrize("trouble", ALL_TROUBLE)
async def test_trouble(device: SimulatedIceRiverOC, trouble: Trouble) -> None:
    async with make(device, timeout=0.5) as miner:
        await survives(miner, device, trouble)


@pytest.mark.parametrize("trouble", ALL_TROUBLE)
async def test_trouble_at_connect(
    device: SimulatedIceRiverOC, trouble: Trouble
) -> None:
    miner = make(device, timeout=0.5)
    device.trouble = trouble
    with pytest.raises((InvalidReply, DeviceUnreachable, DeviceTimeout)):
        await miner.connect()
    device.trouble = Trouble.NONE
    await miner.connect()
    await miner.close()


async def test_never_shown_with_its_token(device: SimulatedIceRiverOC) -> None:
    async with make(device) as miner:
        shown = f"{miner!r} {miner.info!r} {await miner.read()!r} {miner._api!r}"
    assert TOKEN not in shown
    assert "pool-secret" not in shown

"""The descendants of AxeOS on boards that are no Bitaxe."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from custom_components.miningsdk.sdk import (
    Capability,
    Limits,
    MinerStatus,
    NotSupported,
    PoolConfig,
    register_miner,
)
from custom_components.miningsdk.sdk.drivers._axeos_clones import maker
from custom_components.miningsdk.sdk.drivers.axeos import AxeOS
from custom_components.miningsdk.sdk.fields import Fields
from tests.conftest import OFFSET, Simulate
from tests.sdk.trouble import check_vocabulary
from tests.simulators.axeos import SimulatedAxeOS
from tests.simulators.axeos_clones import SimulatedClone

type Connect = Callable[..., Awaitable[tuple[AxeOS, SimulatedClone]]]


@pytest.fixture
async def connect(
    simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Connect]:
    """Return a function that switches on a clone and connects a miner to it."""
    miners: list[AxeOS] = []
    monkeypatch.setattr(AxeOS, "confirm_longer", {})

    async def start(**options: Any) -> tuple[AxeOS, SimulatedClone]:
        device = await simulate(SimulatedClone, ramp=0, boot=0.05, **options)
        miner = AxeOS(device.host, port=80 + OFFSET, timeout=2)
        miner.confirm_every = 0.02
        miner.confirm_within = 1.0
        miners.append(miner)
        await miner.connect()
        return miner, device

    yield start
    for miner in miners:
        await miner.close()


@pytest.mark.parametrize(
    ("kind", "make", "model", "chips"),
    [
        ("LV08", "Lucky Miner", "LV08", 9),
        ("BitForge", "BitForge", "Nano", 2),
        ("Zyber8S", "TinyChipHub", "Zyber8S", 8),
        ("Bitdsk", "Bitdsk", "BM1366", None),
    ],
)
async def test_who_made_it(
    connect: Connect, kind: str, make: str, model: str, chips: int | None
) -> None:
    miner, _device = await connect(variant=kind)
    info = miner.info
    assert (info.make, info.model, info.chips) == (make, model, chips)
    assert (info.firmware, info.algorithm) == ("axeos", "sha256")
    assert (info.mac is None) == (kind == "Bitdsk")
    stats = await miner.read()
    check_vocabulary(stats)
    assert stats.status is MinerStatus.MINING
    assert stats.failed == {}
    assert stats.hashrate is not None
    assert stats.hashrate > 0.4


@pytest.mark.parametrize(
    ("told", "asic", "found"),
    [
        ({"boardVersion": "302"}, {"deviceModel": "Hex"}, None),
        ({"boardVersion": "302"}, {"deviceModel": "LV08"}, ("Lucky Miner", "LV08")),
        ({"minerModel": "LV06"}, {}, ("Lucky Miner", "LV06")),
        ({"boardVersion": "1110"}, {}, ("TinyChipHub", "Zyber8G")),
        ({"beneathfanspeed": 0}, {}, ("TinyChipHub", "Zyber")),
        ({"chiptemp1": 50}, {"deviceModel": "BITFORGE_MAX"}, ("BitForge", None)),
        ({"staticipopen": 0}, {}, None),
    ],
)
def test_maker(told: dict[str, Any], asic: dict[str, Any], found: object) -> None:
    made_by = maker(Fields(told), Fields(asic))
    if found == ("BitForge", None):
        found = ("BitForge", "BITFORGE_MAX")
    assert made_by == found


async def test_forge_chips_and_fan(connect: Connect) -> None:
    miner, device = await connect(variant="BitForge")
    stats = await miner.read()
    info = device.info()
    assert stats.temperature_chip == pytest.approx(info["chiptemp2"], abs=0.6)
    (fan,) = stats.fans
    assert fan.speed is not None
    assert fan.speed > 1000
    assert fan.duty == pytest.approx(device.duty, abs=1)
    await miner.set_fan(55)
    assert device.settings["manualFanSpeed"] == 55
    assert Capability.LOCATE not in miner.info.capabilities


async def test_forge_sleeps_without_a_temperature(connect: Connect) -> None:
    miner, device = await connect(variant="BitForge")
    await miner.pause()
    stats = await miner.read()
    assert stats.status is MinerStatus.PAUSED
    assert stats.temperature_chip is None
    await miner.resume()
    assert (await miner.read()).status is MinerStatus.MINING
    assert not device.asleep


async def test_forge_estimates_too_much_when_it_wakes(connect: Connect) -> None:
    miner, device = await connect(variant="BitForge")
    device.spike = True
    stats = await miner.read()
    assert stats.hashrate is None
    assert stats.failed["hashrate"] == "hashRate: more than the chips can do"
    assert stats.status is not MinerStatus.MINING


async def test_open_firmware_on_a_lucky_miner_offers_its_own_steps(
    connect: Connect,
) -> None:
    miner, device = await connect(variant="LV08")
    assert miner.info.limits[Capability.FREQUENCY] == Limits(
        minimum=400, maximum=550, step=5
    )
    await miner.set_frequency(490)
    assert device.settings["frequency"] == 490


async def test_bitdsk_takes_pools_and_no_fan(connect: Connect) -> None:
    miner, device = await connect(variant="Bitdsk")
    assert set(miner.info.capabilities) == {Capability.REBOOT, Capability.POOLS}
    assert miner.info.limits[Capability.POOLS].maximum == 1
    stats = await miner.read()
    (fan,) = stats.fans
    assert fan.duty is None
    assert fan.speed is not None
    assert fan.speed > 1000
    assert stats.power is None
    assert stats.settings.fan_automatic is None
    await miner.set_pools(
        [PoolConfig(url="stratum+tcp://pool.one:3333", user="bc1qone.a")]
    )
    assert device.mining_to[0] == ("pool.one", "bc1qone.a")
    with pytest.raises(NotSupported):
        await miner.set_fan(50)


async def test_bitdsk_keeps_its_passwords_to_itself(connect: Connect) -> None:
    miner, _device = await connect(variant="Bitdsk")
    shown = f"{await miner.read()!r} {miner.info!r} {miner!r}"
    assert "secret" not in shown


async def test_stock_lucky_miner_with_nine_chips(simulate: Simulate) -> None:
    device = await simulate(SimulatedAxeOS, firmware="2.4.0", clone="LV08", ramp=0)
    async with AxeOS(device.host, port=80 + OFFSET, timeout=2) as miner:
        assert (miner.info.make, miner.info.model) == ("Lucky Miner", "LV08")
        assert (await miner.read()).status is MinerStatus.MINING


@pytest.mark.parametrize("name", ["luckyminer", "bitforge", "zyber", "bitdsk"])
async def test_driver_by_name(name: str) -> None:
    miner = register_miner(name, host="127.0.0.1")
    assert isinstance(miner, AxeOS)
    await miner.close()

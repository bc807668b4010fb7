"""Whatsminer with the firmware of 2019 to 2021: API v1, or none but cgminer's."""

from collections.abc import Callable

import orjson
import pytest

from custom_components.miningsdk.sdk import (
    Capability,
    MinerStatus,
    NotSupported,
    PoolState,
)
from custom_components.miningsdk.sdk.drivers.whatsminer import Whatsminer
from tests.conftest import Simulate
from tests.simulators._whatsminer_state import BARE
from tests.simulators.whatsminer import SimulatedWhatsminer

FOLDER = "whatsminer/v1/asicrs"


def make(device: SimulatedWhatsminer, password: str | None = "s3cret") -> Whatsminer:
    return Whatsminer(device.host, port=device.port(4028), password=password, timeout=2)


def escaped(device: SimulatedWhatsminer) -> bytes:
    """Return the summary with the quotes of the version escaped, as no JSON may."""
    plain = orjson.dumps(device.summary())
    return plain.replace(
        f"'{device.firmware}'".encode(), rf"\'{device.firmware}\'".encode()
    )


@pytest.mark.parametrize("api", [BARE, "1.4.0"])
async def test_summary_with_quotes_that_need_no_escape(
    simulate: Simulate, api: str
) -> None:
    device = await simulate(
        SimulatedWhatsminer, api=api, model="M20S", firmware="20200917.22.REL"
    )
    device.joins = False
    device.canned["summary"] = escaped(device) + b"\x00"
    assert b"\\'" in device.canned["summary"]
    async with make(device) as miner:
        stats = await miner.read()
        assert miner.info.firmware_version == "20200917.22.REL"
    assert stats.failed == {}
    assert stats.status is MinerStatus.MINING
    assert stats.hashrate == pytest.approx(68, rel=0.02)
    assert stats.power == pytest.approx(device.watts, rel=0.02)


async def test_asleep_with_no_word_but_the_status(simulate: Simulate) -> None:
    """API v1.3 tells its version nowhere else while its miner is off."""
    device = await simulate(
        SimulatedWhatsminer, api="1.4.0", asleep=True, firmware="20210109.22.REL"
    )
    device.canned["get_version"] = orjson.dumps(
        {"STATUS": "E", "Code": 14, "Msg": "invalid cmd", "Description": ""}
    )
    async with make(device) as miner:
        stats = await miner.read()
        assert miner.info.firmware_version == "20210109.22.REL"
        assert Capability.PAUSE in miner.info.capabilities
    assert stats.status is MinerStatus.PAUSED
    assert stats.hashrate == 0
    assert stats.failed == {}


@pytest.mark.parametrize("has_edevs", [True, False])
async def test_bare_firmware_reads_everything_and_writes_nothing(
    simulate: Simulate, has_edevs: bool
) -> None:
    device = await simulate(
        SimulatedWhatsminer, api=BARE, model="M30S++", faults=(205,)
    )
    if has_edevs:
        device.canned["edevs"] = orjson.dumps(device.boards()) + b"\x00"
    async with make(device) as miner:
        stats = await miner.read()
        assert miner.info.capabilities == ()
        with pytest.raises(NotSupported):
            await miner.pause()
    assert stats.status is MinerStatus.MINING
    assert [board.index for board in stats.boards] == [0, 1, 2]
    assert [board.chips for board in stats.boards] == [111, 111, 111]
    assert [found.code for found in stats.faults] == ["205"]
    assert stats.pools[0].status is PoolState.ACTIVE
    assert device.writes == []


async def test_bare_firmware_that_measures_no_power(simulate: Simulate) -> None:
    """An M20S of 2019 has neither power, power mode nor nominal hashrate."""
    device = await simulate(SimulatedWhatsminer, api=BARE, model="M20S")
    summary = device.summary()
    for key in ("Power", "Power Mode", "Power Limit", "Factory GHS", "Env Temp"):
        del summary["SUMMARY"][0][key]
    device.joins = False
    device.canned["summary"] = orjson.dumps(summary) + b"\x00"
    async with make(device) as miner:
        stats = await miner.read()
    assert stats.status is MinerStatus.MINING
    assert (stats.power, stats.power_mode, stats.power_limit) == (None, None, None)
    assert (stats.efficiency, stats.temperature_ambient) == (None, None)
    assert stats.failed == {}


async def test_codes_of_the_factory_are_no_faults(simulate: Simulate) -> None:
    """They tell what the tests before delivery found, and stay for ever."""
    device = await simulate(SimulatedWhatsminer, api="1.4.0", faults=(206, 2320))
    summary = device.summary()
    summary["SUMMARY"][0] |= {
        "Error 0 Time": "",
        "Factory Error Code 0": 2340,
        "Factory Error Code Count": 1,
    }
    device.joins = False
    device.canned["summary"] = orjson.dumps(summary) + b"\x00"
    async with make(device) as miner:
        stats = await miner.read()
    assert [found.code for found in stats.faults] == ["206", "2320"]


async def test_recorded_quotes(
    simulate: Simulate, example: Callable[[str], bytes]
) -> None:
    device = await simulate(SimulatedWhatsminer, api="1.4.0", asleep=True)
    status = example(f"{FOLDER}/status.json")
    assert b"'20220919.15.REL'" in status
    device.canned["status"] = status.replace(b'"false"', b'"true"')
    device.canned["get_version"] = b'{"STATUS":"E","Code":14,"Msg":"invalid cmd"}'
    async with make(device) as miner:
        assert (await miner.read()).status is MinerStatus.PAUSED
        assert miner.info.firmware_version == "20220919.15.REL"

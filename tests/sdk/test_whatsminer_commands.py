"""Whatsminer on API v2: what it can be told, and what it asks for that."""

from dataclasses import replace

import orjson
import pytest

from custom_components.miningsdk.sdk import (
    AuthenticationFailed,
    Capability,
    CommandFailed,
    ControlDisabled,
    DeviceTimeout,
    DeviceUnreachable,
    InvalidReply,
    MinerStatus,
    MiningSDKError,
    NotSupported,
    PoolConfig,
)
from custom_components.miningsdk.sdk.drivers.whatsminer import Whatsminer
from tests.conftest import Simulate
from tests.sdk.trouble import ALL_TROUBLE
from tests.simulators._whatsminer_state import BARE
from tests.simulators.base import Trouble
from tests.simulators.whatsminer import SimulatedWhatsminer

PASSWORD = "s3cret"
POOLS = (
    PoolConfig(url="stratum+tcp://new.example:3333", user="me.rig", password="p4ss"),
    PoolConfig(url="stratum+tcp://spare.example:3333", user="me.rig"),
)


def make(
    device: SimulatedWhatsminer, password: str | None = PASSWORD, timeout: float = 2
) -> Whatsminer:
    miner = Whatsminer(
        device.host, port=device.port(4028), password=password, timeout=timeout
    )
    miner.confirm_every = 0.01
    return miner


def hurry(miner: Whatsminer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a command give up soon."""
    monkeypatch.setattr(Whatsminer, "confirm_longer", {})
    miner.confirm_within = 0.05


@pytest.fixture
async def device(simulate: Simulate) -> SimulatedWhatsminer:
    found = await simulate(SimulatedWhatsminer)
    assert isinstance(found, SimulatedWhatsminer)
    return found


# What it can be told.


async def test_locate(device: SimulatedWhatsminer) -> None:
    async with make(device) as miner:
        await miner.locate(True)
        assert device.led == "1,200,100,0 "
        assert (await miner.read()).locating is True
        await miner.locate(False)
        assert (await miner.read()).locating is False
        await miner.pause()
    assert device.writes == ["set_led", "set_led", "power_off"]


async def test_power_mode(device: SimulatedWhatsminer) -> None:
    device.mute |= {"set_low_power", "set_high_power"}
    device.restart_seconds = 60
    async with make(device) as miner:
        await miner.set_power_mode("low")
        assert device.power_mode == "low"
        stats = await miner.read()
        assert (stats.status, stats.power_mode) == (MinerStatus.STARTING, "low")
        device._away_until = 0
        await miner.set_power_mode("high")
        with pytest.raises(NotSupported):
            await miner.set_power_mode("turbo")
    assert device.power_mode == "high"


async def test_power_mode_of_old_firmware(simulate: Simulate) -> None:
    device = await simulate(SimulatedWhatsminer, api="1.4.0")
    device.restart_seconds = 0.03
    async with make(device) as miner:
        await miner.set_power_mode("low")
        assert (await miner.read()).power_mode == "low"


@pytest.mark.parametrize("api", ["2.0.5", "2.2.2"])
async def test_power_limit(simulate: Simulate, api: str) -> None:
    device = await simulate(SimulatedWhatsminer, api=api)
    device.ramp = 1000
    async with make(device) as miner:
        await miner.set_power_limit(2500)
        assert device.power_limit == 2500
        stats = await miner.read()
        assert (stats.status, stats.power_limit) == (MinerStatus.TUNING, 2500)
        for watts in (50, 20_000):
            with pytest.raises(NotSupported, match="outside"):
                await miner.set_power_limit(watts)
    assert device.writes == ["adjust_power_limit"]


async def test_limit_in_force_and_limit_that_is_set(
    device: SimulatedWhatsminer,
) -> None:
    reply = device.summary()
    reply["SUMMARY"][0]["Power Limit"] = 3300
    joined = {"summary": [reply], "pools": [device.pool_list()], "id": 1}
    device.canned["summary+pools"] = orjson.dumps(joined)
    async with make(device) as miner:
        assert (await miner.read()).power_limit == 3300
        reply["SUMMARY"][0]["Upfreq Complete"] = 0
        device.canned["summary+pools"] = orjson.dumps(joined)
        assert (await miner.read()).power_limit == 3472


async def test_throttle(simulate: Simulate) -> None:
    device = await simulate(SimulatedWhatsminer, api="2.2.2")
    async with make(device) as miner:
        assert (await miner.read()).settings.throttle == 100
        await miner.set_throttle(70)
        stats = await miner.read()
        assert stats.settings.throttle == 70
        assert stats.hashrate == pytest.approx(112 * 0.7, rel=0.03)
        with pytest.raises(NotSupported):
            await miner.set_throttle(0)


async def test_pools(device: SimulatedWhatsminer) -> None:
    async with make(device) as miner:
        await miner.set_pools(POOLS)
        stats = await miner.read()
    assert device.pools == [
        {"url": "stratum+tcp://new.example:3333", "user": "me.rig", "pw": "p4ss"},
        {"url": "stratum+tcp://spare.example:3333", "user": "me.rig", "pw": "x"},
    ]
    assert [pool.user for pool in stats.pools] == ["me.rig", "me.rig"]
    assert "p4ss" not in repr(stats)


async def test_reboot_and_restart(device: SimulatedWhatsminer) -> None:
    device.mute |= {"reboot", "restart_btminer"}
    async with make(device) as miner:
        await miner.restart()
        await miner.reboot()
        uptime = (await miner.read()).uptime
        assert uptime is not None
        assert uptime < 60
    assert device.writes == ["restart_btminer", "reboot"]


async def test_what_old_firmware_does_not_offer(simulate: Simulate) -> None:
    device = await simulate(SimulatedWhatsminer, api=BARE)
    async with make(device) as miner:
        for command in (miner.pause, miner.reboot, lambda: miner.locate(True)):
            with pytest.raises(NotSupported):
                await command()
    assert device.writes == []


# Tokens.


async def test_token_is_kept(device: SimulatedWhatsminer) -> None:
    async with make(device) as miner:
        await miner.restart()
        device.requests = 0
        await miner.restart()
        assert device.requests == 1
        assert device._given == 1


async def test_token_is_taken_anew_in_time(
    device: SimulatedWhatsminer, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "custom_components.miningsdk.sdk.drivers._whatsminer_v2._TOKEN_LIFE"
    async with make(device) as miner:
        await miner.restart()
        monkeypatch.setattr(path, -1.0)
        await miner.restart()
    assert device._given == 2


async def test_forgotten_token_is_renewed_once(device: SimulatedWhatsminer) -> None:
    async with make(device) as miner:
        await miner.restart()
        device.forget_tokens()
        await miner.restart()
        assert device.writes == ["restart_btminer"] * 3
        device.refused["restart_btminer"] = (135, "check token err")
        with pytest.raises(CommandFailed, match="check token err"):
            await miner.restart()
    assert device.writes == ["restart_btminer"] * 5


async def test_too_many_tokens(device: SimulatedWhatsminer) -> None:
    device.maximum_tokens = 0
    async with make(device) as miner:
        with pytest.raises(CommandFailed, match=r"over max connect.*30 minutes"):
            await miner.pause()
    assert device.writes == []


@pytest.mark.parametrize("password", ["wrong", "admin"])
async def test_wrong_password(device: SimulatedWhatsminer, password: str) -> None:
    async with make(device, password) as miner:
        with pytest.raises(AuthenticationFailed, match="password") as caught:
            await miner.pause()
        assert password not in str(caught.value)
        assert (await miner.read()).status is MinerStatus.MINING
        with pytest.raises(AuthenticationFailed):
            await miner.check_credentials()
    assert device.writes == []


async def test_password_is_changed_while_a_token_is_kept(
    device: SimulatedWhatsminer,
) -> None:
    async with make(device) as miner:
        await miner.restart()
        device.password = "another"
        with pytest.raises(AuthenticationFailed):
            await miner.restart()
        miner.password = "another"
        await miner.restart()
    assert device.writes == ["restart_btminer"] * 2


async def test_missing_password(device: SimulatedWhatsminer) -> None:
    async with make(device, None) as miner:
        assert Capability.PAUSE in miner.info.capabilities
        with pytest.raises(AuthenticationFailed, match="account 'admin'"):
            await miner.pause()
        await miner.check_credentials()
    assert device.writes == []


async def test_check_credentials_changes_nothing(device: SimulatedWhatsminer) -> None:
    async with make(device) as miner:
        await miner.check_credentials()
        device.maximum_tokens = 0
        await miner.check_credentials()
    assert device.writes == []


async def test_api_is_switched_off(device: SimulatedWhatsminer) -> None:
    device.api_switch = False
    async with make(device) as miner:
        with pytest.raises(
            ControlDisabled, match=r"WhatsMinerTool.*switch the API on"
        ) as caught:
            await miner.pause()
    assert "can't access write cmd" in str(caught.value)


async def test_factory_password(device: SimulatedWhatsminer) -> None:
    device.password = "admin"
    async with make(device, "admin") as miner:
        with pytest.raises(ControlDisabled, match="change the default password"):
            await miner.pause()


@pytest.mark.parametrize(
    ("code", "kind"), [(132, CommandFailed), (14, NotSupported), (137, CommandFailed)]
)
async def test_refused(
    device: SimulatedWhatsminer, code: int, kind: type[MiningSDKError]
) -> None:
    device.refused["power_off"] = (code, "not while it rains")
    async with make(device) as miner:
        with pytest.raises(kind, match="not while it rains"):
            await miner.pause()
    assert device.writes == ["power_off"]


async def test_not_confirmed(
    device: SimulatedWhatsminer, monkeypatch: pytest.MonkeyPatch
) -> None:
    device.ignored |= {"power_off", "set_led", "adjust_power_limit", "set_low_power"}
    async with make(device) as miner:
        hurry(miner, monkeypatch)
        for command in (
            miner.pause,
            lambda: miner.locate(True),
            lambda: miner.set_power_limit(2000),
            lambda: miner.set_power_mode("low"),
        ):
            with pytest.raises(CommandFailed, match="not confirmed"):
                await command()
    assert device.writes == [
        "power_off",
        "set_led",
        "adjust_power_limit",
        "set_low_power",
    ]


@pytest.mark.parametrize("trouble", ALL_TROUBLE)
async def test_trouble_while_a_command_is_sent(
    device: SimulatedWhatsminer, trouble: Trouble
) -> None:
    async with make(device, timeout=0.3) as miner:
        device.trouble = trouble
        with pytest.raises((DeviceUnreachable, DeviceTimeout, InvalidReply)) as caught:
            await miner.pause()
        assert PASSWORD not in str(caught.value)
        device.trouble = Trouble.NONE
        assert (await miner.read()).status is MinerStatus.MINING


def test_a_device_is_never_shown_with_its_password() -> None:
    miner = Whatsminer("192.0.2.1", password="hush")
    assert "hush" not in repr(miner)
    assert "hush" not in repr(replace(POOLS[0], password="hush"))

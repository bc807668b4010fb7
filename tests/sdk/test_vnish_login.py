"""Who may read and tell a miner with VNish: nobody, a password, or an API key."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.miningsdk.sdk import (
    AuthenticationFailed,
    Capability,
    MinerStatus,
)
from custom_components.miningsdk.sdk.drivers.vnish import VNish
from tests.conftest import Simulate
from tests.simulators.vnish import SimulatedVNish

type Meet = Callable[..., Awaitable[tuple[VNish, SimulatedVNish]]]

KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture
async def meet(simulate: Simulate) -> AsyncGenerator[Meet]:
    """Return a function that switches on a miner with VNish and connects to it."""
    miners: list[VNish] = []

    async def switch_on(
        *,
        password: str | None = "admin",
        username: str | None = None,
        connect: bool = True,
        **options: Any,
    ) -> tuple[VNish, SimulatedVNish]:
        device = await simulate(SimulatedVNish, **options)
        miner = VNish(
            device.host,
            port=device.port(80),
            username=username,
            password=password,
        )
        miners.append(miner)
        if connect:
            await miner.connect()
        return miner, device

    yield switch_on
    for miner in miners:
        await miner.close()


async def test_without_a_password(meet: Meet) -> None:
    """All that it does can be read, and nothing is offered that would be refused."""
    miner, device = await meet(password=None)
    assert miner.authentication_error is None
    await miner.check_credentials()
    assert miner.info.capabilities == ()
    assert miner.info.limits == {}
    assert miner.info.serial_number == "SIMVN00000000042"
    stats = await miner.read()
    assert stats.status is MinerStatus.MINING
    assert stats.failed == {}
    assert (stats.settings.profile, stats.power_limit) == ("3340", 3340)
    assert "POST /unlock" not in device.asked


async def test_wrong_password_is_sent_once_an_hour(
    meet: Meet, freezer: FrozenDateTimeFactory
) -> None:
    miner, device = await meet(password="geheim")
    with pytest.raises(AuthenticationFailed) as caught:
        await miner.check_credentials()
    assert str(caught.value) == "the device refused the password"
    assert "geheim" not in str(caught.value)
    assert miner.info.capabilities == ()
    for _ in range(3):
        miner.forget_info()
        assert (await miner.read()).status is MinerStatus.MINING
    assert device.wrong == 1
    freezer.tick(3601)
    device.password = "geheim"
    await miner.check_credentials()
    assert Capability.PAUSE in miner.info.capabilities


async def test_locked_after_wrong_passwords(meet: Meet) -> None:
    miner, device = await meet(connect=False)
    device.wrong = 3
    await miner.connect()
    assert miner.authentication_error == (
        "the device takes no password now, after too many wrong ones "
        "(unlock_timeout 60)"
    )


async def test_api_key(meet: Meet) -> None:
    miner, device = await meet(username="apikey", password=KEY, api_keys=(KEY,))
    await miner.check_credentials()
    assert Capability.PAUSE in miner.info.capabilities
    await miner.set_throttle(70)
    assert device.state.throttled == 70
    assert device.unlocks == 0


async def test_api_key_that_is_refused(meet: Meet) -> None:
    miner, device = await meet(username="apikey", password=KEY)
    with pytest.raises(AuthenticationFailed, match="refused the API key") as caught:
        await miner.check_credentials()
    assert KEY not in str(caught.value)
    assert device.unlocks == device.wrong == 0
    assert (await miner.read()).status is MinerStatus.MINING


async def test_expired_token(meet: Meet) -> None:
    miner, device = await meet()
    assert device.unlocks == 1
    device.expire()
    await miner.set_throttle(60)
    assert device.unlocks == 2
    assert device.state.throttled == 60


async def test_settings_that_are_refused(meet: Meet) -> None:
    miner, device = await meet(connect=False)
    device.refuses = {"/settings": "config is broken"}
    await miner.connect()
    assert miner.info.capabilities == ()
    assert (await miner.read()).status is MinerStatus.MINING
    device.refuses = {}
    miner.forget_info()
    await miner.read()
    assert Capability.PAUSE in miner.info.capabilities
    device.refuses = {"/settings": "config is broken"}
    miner.forget_info()
    stats = await miner.read()
    assert stats.failed == {"info": "the device refused: config is broken"}
    assert Capability.PAUSE in miner.info.capabilities


async def test_reads_that_take_a_login(meet: Meet) -> None:
    miner, device = await meet()
    device.locked = {"/summary"}
    assert (await miner.read()).status is MinerStatus.MINING
    miner, device = await meet(password=None)
    device.locked = {"/summary"}
    with pytest.raises(AuthenticationFailed):
        await miner.read()

"""What the VNish driver tells a miner, and how the miner confirms it."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import pytest

from custom_components.miningsdk.sdk import (
    AuthenticationFailed,
    CommandFailed,
    DeviceUnreachable,
    MinerStatus,
    NotSupported,
    PoolConfig,
)
from custom_components.miningsdk.sdk.drivers.vnish import VNish
from tests.conftest import Simulate
from tests.simulators.base import Trouble
from tests.simulators.vnish import SimulatedVNish

type Meet = Callable[..., Awaitable[tuple[VNish, SimulatedVNish]]]
type Command = Callable[[VNish], Awaitable[None]]

POOLS = [
    PoolConfig(url="stratum+tcp://c.example:700", user="us.er", password="geheim"),
    PoolConfig(url="stratum+ssl://d.example:443", user="us.er2", password="x"),
]
COMMANDS: dict[str, tuple[str, Command]] = {
    "pause": ("/mining/stop", lambda miner: miner.pause()),
    "reboot": ("/system/reboot", lambda miner: miner.reboot()),
    "restart": ("/mining/restart", lambda miner: miner.restart()),
    "locate": ("/find-miner", lambda miner: miner.locate(on=True)),
    "profile": ("/settings", lambda miner: miner.set_profile("2800")),
    "power_limit": ("/settings", lambda miner: miner.set_power_limit(2700)),
    "throttle": ("/mining/throttle", lambda miner: miner.set_throttle(70)),
    "fan": ("/settings", lambda miner: miner.set_fan(70)),
    "target": ("/settings", lambda miner: miner.set_target_temperature(55)),
    "pools": ("/settings", lambda miner: miner.set_pools(POOLS)),
    "board": ("/settings", lambda miner: miner.set_board_enabled(1, on=False)),
}
CONFIRMED = [name for name in COMMANDS if name not in ("reboot", "restart")]


@pytest.fixture
async def meet(simulate: Simulate) -> AsyncGenerator[Meet]:
    """Return a function that switches on a miner with VNish and connects to it."""
    miners: list[VNish] = []

    async def switch_on(
        *, password: str | None = "admin", **options: Any
    ) -> tuple[VNish, SimulatedVNish]:
        device = await simulate(SimulatedVNish, **options)
        miner = VNish(device.host, port=device.port(80), password=password)
        miners.append(miner)
        miner.confirm_every = 0.01
        await miner.connect()
        return miner, device

    yield switch_on
    for miner in miners:
        await miner.close()


def hurry(miner: VNish) -> None:
    """Have commands give up soon."""
    miner.confirm_within = 0.05
    miner.confirm_longer = {}  # type: ignore[misc]


def told(device: SimulatedVNish) -> list[str]:
    """Return the paths that something was written to."""
    return [path for path, _ in device.posts]


async def test_pause_and_resume(meet: Meet) -> None:
    miner, device = await meet()
    await miner.pause()
    assert (await miner.read()).status is MinerStatus.PAUSED
    await miner.pause()  # again changes nothing
    await miner.resume()
    assert (await miner.read()).status is MinerStatus.MINING
    await miner.resume()
    assert told(device) == ["/mining/stop", "/mining/start"]


async def test_resume_what_somebody_else_has_paused(meet: Meet) -> None:
    miner, device = await meet()
    device.state.word = "paused"
    await miner.pause()
    await miner.resume()
    assert told(device) == ["/mining/resume"]


async def test_resume_returns_once_it_has_left_its_sleep(meet: Meet) -> None:
    miner, device = await meet(stopped=True, restart_time=60)
    await miner.resume()
    assert (await miner.read()).status is MinerStatus.STARTING
    assert told(device) == ["/mining/start"]


async def test_profile(meet: Meet) -> None:
    """All other settings of the part go back as they were."""
    miner, device = await meet()
    before = dict(device.state.overclock)
    await miner.set_profile("2800")
    assert told(device) == ["/settings", "/mining/restart"]
    assert device.posts[0][1] == {"miner": {"overclock": before | {"preset": "2800"}}}
    stats = await miner.read()
    assert stats.settings.profile == "2800"
    assert stats.hashrate == pytest.approx(2800 / 15)
    with pytest.raises(NotSupported, match="4690"):
        await miner.set_profile("4690")


async def test_profile_of_a_stopped_miner(meet: Meet) -> None:
    """To restart it would start it."""
    miner, device = await meet(stopped=True)
    await miner.set_profile("2800")
    assert told(device) == ["/settings"]
    assert (await miner.read()).status is MinerStatus.PAUSED


async def test_settings_that_need_no_restart(meet: Meet) -> None:
    miner, device = await meet(restart_required=False)
    await miner.set_profile("2800")
    assert told(device) == ["/settings"]
    assert device.restarts == 0


async def test_settings_that_need_a_reboot(meet: Meet) -> None:
    miner, device = await meet()
    device.reboot_required = True
    with pytest.raises(CommandFailed, match="after a reboot only"):
        await miner.set_profile("2800")
    assert told(device) == ["/settings"]


async def test_power_limit(meet: Meet) -> None:
    miner, device = await meet()
    await miner.set_power_limit(2700)
    assert device.posts[0][1]["miner"]["misc"] == {
        "restart_temp": 90,
        "quiet_mode": False,
        "power_limit": 2700,
        "power_limit_enabled": True,
    }
    stats = await miner.read()
    assert (stats.power_limit, stats.settings.profile) == (2700, "3340")
    with pytest.raises(NotSupported, match="2550 to 5000"):
        await miner.set_power_limit(5001)


async def test_power_limit_of_older_firmware(meet: Meet) -> None:
    """The highest preset that keeps the limit is taken."""
    miner, device = await meet(old=True)
    await miner.set_power_limit(3000)
    assert device.state.preset == "2800"
    assert (await miner.read()).power_limit == 2800
    for watts in (2000, 4000):
        with pytest.raises(NotSupported, match="2550 to 3610"):
            await miner.set_power_limit(watts)


async def test_throttle(meet: Meet) -> None:
    miner, device = await meet()
    await miner.set_throttle(50)
    assert device.posts == [("/mining/throttle", {"percent": 50})]
    stats = await miner.read()
    assert stats.settings.throttle == 50
    assert stats.power == 1670
    with pytest.raises(NotSupported, match="20 to 100"):
        await miner.set_throttle(10)


async def test_fans(meet: Meet) -> None:
    miner, device = await meet(restart_required=False)
    await miner.set_target_temperature(58)
    assert device.state.cooling["mode"] == {"name": "auto", "param": 58}
    await miner.set_fan(70)
    assert device.state.cooling["mode"] == {"name": "manual", "param": 70}
    assert device.state.cooling["fan_min_count"] == 4
    stats = await miner.read()
    assert (stats.settings.fan, stats.settings.fan_automatic) == (70, False)
    assert stats.settings.target_temperature is None
    with pytest.raises(CommandFailed, match="make them so first"):
        await miner.set_target_temperature(58)
    await miner.set_fan(None)
    assert device.state.cooling["mode"] == {"name": "auto", "param": 65}
    assert (await miner.read()).settings.fan_automatic is True
    with pytest.raises(NotSupported):
        await miner.set_fan(5)


async def test_boards(meet: Meet) -> None:
    miner, device = await meet()
    await miner.set_board_enabled(1, on=False)
    chains = device.state.overclock["chains"]
    assert [chain["disabled"] for chain in chains] == [False, True, False]
    assert [chain["freq"] for chain in chains] == [555] * 3
    stats = await miner.read()
    assert [board.enabled for board in stats.boards] == [True, False, True]
    await miner.set_board_enabled(1, on=True)
    assert device.state.off == set()
    with pytest.raises(NotSupported, match="'3'"):
        await miner.set_board_enabled(3, on=False)


async def test_boards_of_a_stopped_miner(meet: Meet) -> None:
    miner, _ = await meet(stopped=True)
    await miner.set_board_enabled(0, on=False)
    boards = (await miner.read()).boards
    assert [board.enabled for board in boards] == [False, True, True]


@pytest.mark.parametrize("stopped", [True, False])
async def test_pools(meet: Meet, stopped: bool) -> None:
    miner, device = await meet(stopped=stopped)
    await miner.set_pools(POOLS)
    assert device.posts[0][1]["miner"]["pools"] == [
        {"url": "stratum+tcp://c.example:700", "user": "us.er", "pass": "geheim"},
        {"url": "stratum+ssl://d.example:443", "user": "us.er2", "pass": "x"},
        {"url": "", "user": "", "pass": ""},
    ]
    stats = await miner.read()
    assert [pool.user for pool in stats.pools] == ["us.er", "us.er2"]
    assert "geheim" not in repr(stats)


async def test_locate(meet: Meet) -> None:
    """It is a toggle: nothing is sent when it is as it should be."""
    miner, device = await meet()
    await miner.locate(on=True)
    await miner.locate(on=True)
    assert device.posts == [("/find-miner", {"on": True})]
    assert (await miner.read()).locating is True
    await miner.locate(on=False)
    assert device.state.finding is False


async def test_locate_by_its_newer_name(meet: Meet) -> None:
    miner, device = await meet()
    device.missing = {"/find-miner"}
    await miner.locate(on=True)
    assert device.state.finding is True


async def test_reboot_and_restart(meet: Meet) -> None:
    miner, device = await meet()
    await miner.restart()
    await miner.reboot()
    assert (device.restarts, device.reboots) == (1, 1)
    assert device.unlocks == 1
    await miner.set_throttle(50)  # the login did not survive the reboot
    assert device.unlocks == 2


@pytest.mark.parametrize("name", COMMANDS)
async def test_refusal(meet: Meet, name: str) -> None:
    miner, device = await meet()
    path, command = COMMANDS[name]
    device.refuses = {path: "not now"}
    if path == "/settings":
        device.refuses = {}
        device.refuses_writes = {path: "not now"}
    with pytest.raises(CommandFailed, match="the device refused: not now"):
        await command(miner)
    assert told(device) == [path]


@pytest.mark.parametrize("name", CONFIRMED)
async def test_not_confirmed(meet: Meet, name: str) -> None:
    """It answers that all is well, and does nothing."""
    miner, device = await meet()
    hurry(miner)
    path, command = COMMANDS[name]
    device.ignores = {path}
    with pytest.raises(CommandFailed, match="not confirmed"):
        await command(miner)
    assert told(device) == [path]


@pytest.mark.parametrize("name", COMMANDS)
async def test_command_after_the_password_has_changed(meet: Meet, name: str) -> None:
    miner, device = await meet()
    device.password = "other"
    device.expire()
    device.locked = {"/find-miner"}
    for _ in range(2):
        with pytest.raises(AuthenticationFailed, match="refused the password"):
            await COMMANDS[name][1](miner)
    assert device.wrong == 1
    assert device.state.word == "mining"


@pytest.mark.parametrize("name", COMMANDS)
async def test_command_without_a_password(meet: Meet, name: str) -> None:
    miner, device = await meet(password=None)
    with pytest.raises(NotSupported, match="does not offer"):
        await COMMANDS[name][1](miner)
    assert device.posts == []


@pytest.mark.parametrize("trouble", [Trouble.CLOSED, Trouble.RESET])
async def test_a_command_is_not_sent_twice(meet: Meet, trouble: Trouble) -> None:
    """Not even when the connection breaks before its answer."""
    miner, device = await meet()
    device.trouble = trouble
    before = device.requests
    with pytest.raises(DeviceUnreachable):
        await miner.reboot()
    assert device.requests - before == 1


async def test_round_trips_of_a_command(meet: Meet) -> None:
    miner, device = await meet(restart_required=False)
    before = device.requests
    await miner.set_profile("2800")
    # Read the settings, write them; read them, what it does, and its light.
    assert device.requests - before == 5
    assert device.most_connections <= 2

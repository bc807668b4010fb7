"""What the LuxOS driver tells a miner, and how it treats the session for that."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import pytest

from custom_components.miningsdk.sdk import (
    CommandFailed,
    DeviceTimeout,
    DeviceUnreachable,
    MinerStatus,
    NotSupported,
    PoolConfig,
)
from custom_components.miningsdk.sdk.drivers.luxos import LuxOS
from tests.conftest import Simulate
from tests.simulators.base import Trouble
from tests.simulators.luxos import SimulatedLuxOS

type Meet = Callable[..., Awaitable[tuple[LuxOS, SimulatedLuxOS]]]
type Command = Callable[[LuxOS], Awaitable[None]]

POOLS = [
    PoolConfig(url="stratum+tcp://c.example:700", user="us.er", password="geheim"),
    PoolConfig(url="stratum+tcp://d.example:443", user="us.er2", password="x"),
]
# By the command that does it on the wire.
COMMANDS: dict[str, Command] = {
    "curtail": lambda miner: miner.pause(),
    "ledset": lambda miner: miner.locate(on=True),
    "profileset": lambda miner: miner.set_profile("495MHz"),
    "fanset": lambda miner: miner.set_fan(70),
    "tempctrlset": lambda miner: miner.set_target_temperature(55),
    "disableboard": lambda miner: miner.set_board_enabled(2, on=False),
    "rebootdevice": lambda miner: miner.reboot(),
    "resetminer": lambda miner: miner.restart(),
}
CONFIRMED = [name for name in COMMANDS if name not in ("rebootdevice", "resetminer")]
each_command = pytest.mark.parametrize("name", COMMANDS)


@pytest.fixture
async def meet(simulate: Simulate) -> AsyncGenerator[Meet]:
    """Return a function that switches on a miner with LuxOS and connects to it."""
    miners: list[LuxOS] = []

    async def switch_on(
        *, patience: float = 5.0, **options: Any
    ) -> tuple[LuxOS, SimulatedLuxOS]:
        device = await simulate(SimulatedLuxOS, **options)
        miner = LuxOS(device.host, port=device.port(4028), timeout=patience)
        miners.append(miner)
        miner.confirm_every = 0.01
        await miner.connect()
        device.asked.clear()
        return miner, device

    yield switch_on
    for miner in miners:
        await miner.close()


def hurry(miner: LuxOS) -> None:
    """Have commands give up soon."""
    miner.confirm_within = 0.05
    miner.confirm_longer = {}  # type: ignore[misc]


def told(device: SimulatedLuxOS) -> list[str]:
    """Return what was told the device, without the reads."""
    return [asked for asked in device.asked if "|" in asked or asked == "logon"]


async def test_pause_and_resume(meet: Meet) -> None:
    miner, device = await meet()
    await miner.pause()
    assert told(device) == ["logon", "curtail|sim00001,sleep", "logoff|sim00001"]
    assert (await miner.read()).status is MinerStatus.PAUSED
    await miner.pause()  # again changes nothing
    assert device.sessions == 1
    await miner.resume()
    assert told(device)[-2] == "curtail|sim00002,wakeup"
    assert (await miner.read()).status is MinerStatus.MINING
    await miner.resume()
    assert device.sessions == 2


async def test_sleep_survives_a_reboot(meet: Meet) -> None:
    miner, device = await meet()
    await miner.pause()
    await miner.reboot()
    assert device.reboots == 1
    assert (await miner.read()).status is MinerStatus.PAUSED


async def test_resume_of_boards_that_ramp_up(meet: Meet) -> None:
    miner, device = await meet(asleep=True, ramp_time=100.0)
    device.state.hashes = False
    await miner.resume()
    assert (await miner.read()).status is MinerStatus.STARTING


async def test_locate(meet: Meet) -> None:
    miner, device = await meet()
    await miner.locate(on=True)
    assert (device.state.led, (await miner.read()).locating) == ("blink", True)
    await miner.locate(on=False)
    assert (device.state.led, (await miner.read()).locating) == ("auto", False)


async def test_profile(meet: Meet) -> None:
    miner, device = await meet()
    await miner.set_profile("395MHz")
    stats = await miner.read()
    assert stats.settings.profile == "395MHz"
    assert stats.hashrate == pytest.approx(395 * 0.2065, rel=0.02)
    assert stats.power_limit == 1876
    with pytest.raises(NotSupported, match="999MHz"):
        await miner.set_profile("999MHz")
    assert device.sessions == 1


async def test_profile_with_the_thermal_management_on(meet: Meet) -> None:
    """It is switched off for the moment, in the same session, and on again."""
    miner, device = await meet()
    device.state.atm = True
    await miner.set_profile("395MHz")
    assert told(device) == [
        "logon",
        "atmset|sim00001,enabled=false",
        "profileset|sim00001,395MHz",
        "atmset|sim00001,enabled=true",
        "logoff|sim00001",
    ]
    assert device.state.atm is True


async def test_thermal_management_is_on_again_after_a_refusal(meet: Meet) -> None:
    miner, device = await meet()
    device.state.atm = True
    device.refuses = {"profileset": "boards are not ready"}
    with pytest.raises(CommandFailed, match="boards are not ready"):
        await miner.set_profile("395MHz")
    assert device.state.atm is True
    assert device.session is None


async def test_thermal_management_that_stays_off_is_told(
    meet: Meet, monkeypatch: pytest.MonkeyPatch
) -> None:
    miner, device = await meet()
    device.state.atm = True
    real = device._set_profile

    def break_down(name: str) -> str | None:
        device.refuses = {"atmset": "flash is full"}
        return real(name)

    monkeypatch.setattr(device, "_set_profile", break_down)
    with pytest.raises(CommandFailed, match=r"could not be .* on again: .*flash"):
        await miner.set_profile("395MHz")
    assert device.session is None


async def test_profile_that_the_thermal_management_overrides(
    meet: Meet, monkeypatch: pytest.MonkeyPatch
) -> None:
    miner, device = await meet()
    hurry(miner)
    device.state.atm = True
    real = device._set_atm

    def lower(setting: str) -> None:
        real(setting)
        if device.state.atm:
            device.state.profile = "default"

    monkeypatch.setattr(device, "_set_atm", lower)
    with pytest.raises(CommandFailed, match="not confirmed"):
        await miner.set_profile("645MHz")


async def test_power_limit_by_profiles(meet: Meet) -> None:
    """The highest profile that keeps the limit is taken."""
    miner, device = await meet()
    await miner.set_power_limit(2000)
    assert device.state.profile == "420MHz"
    assert (await miner.read()).power_limit == 1995
    for watts in (1000, 4000):
        with pytest.raises(NotSupported, match="1164 to 3064"):
            await miner.set_power_limit(watts)


async def test_power_limit_by_target(meet: Meet) -> None:
    miner, device = await meet(power_target=True)
    await miner.set_power_limit(2345)
    assert "powertargetset|sim00001,power=2345" in device.asked
    assert (await miner.read()).power_limit == 2345
    with pytest.raises(NotSupported, match="1000 to 4000"):
        await miner.set_power_limit(900)


async def test_fans(meet: Meet) -> None:
    miner, device = await meet()
    await miner.set_fan(70)
    stats = await miner.read()
    assert (stats.settings.fan, stats.settings.fan_automatic) == (70, False)
    await miner.set_fan(None)
    assert device.state.fan_speed == -1
    assert (await miner.read()).settings.fan_automatic is True
    with pytest.raises(NotSupported):
        await miner.set_fan(5)


async def test_fans_of_a_sleeping_miner(meet: Meet) -> None:
    miner, device = await meet(asleep=True)
    with pytest.raises(CommandFailed, match="resume it first"):
        await miner.set_fan(70)
    assert device.sessions == 0


async def test_target_temperature(meet: Meet) -> None:
    """The limits that protect the boards are sent back as they are."""
    miner, device = await meet()
    await miner.set_target_temperature(55)
    state = device.state
    assert (state.target, state.hot, state.dangerous) == (55, 70, 75)
    assert (await miner.read()).settings.target_temperature == 55
    with pytest.raises(NotSupported, match="75"):
        await miner.set_target_temperature(75)


async def test_boards(meet: Meet) -> None:
    miner, device = await meet()
    await miner.set_board_enabled(1, on=False)
    stats = await miner.read()
    assert [board.enabled for board in stats.boards] == [True, False, True]
    assert stats.hashrate == pytest.approx(75, rel=0.02)
    await miner.set_board_enabled(1, on=True)
    assert device.state.boards == {0: True, 1: True, 2: True}
    with pytest.raises(NotSupported, match="'7'"):
        await miner.set_board_enabled(7, on=False)


async def test_pools(meet: Meet) -> None:
    """They are added before the old ones go, so that it is never without."""
    miner, device = await meet()
    device.state.groups.append(("more", 2.0, [("stratum+tcp://e:1", "u", "p")]))
    await miner.set_pools(POOLS)
    assert [asked for asked in device.asked if "group|" in asked or "pool|" in asked][
        -5:
    ] == [
        "addgroup|miningsdk,1",
        "addpool|stratum+tcp://c.example:700,us.er,geheim,2",
        "addpool|stratum+tcp://d.example:443,us.er2,x,2",
        "removegroup|1",
        "removegroup|0",
    ]
    stats = await miner.read()
    assert [(pool.url, pool.user) for pool in stats.pools] == [
        ("stratum+tcp://c.example:700", "us.er"),
        ("stratum+tcp://d.example:443", "us.er2"),
    ]
    assert device.sessions == 0


async def test_pools_that_are_refused(meet: Meet) -> None:
    """Those there were stay, and no password gets into the error."""
    miner, device = await meet()
    before = list(device.state.groups)
    odd = PoolConfig(url="http://c.example", user="u", password="geheim")
    with pytest.raises(CommandFailed, match="refused the pool") as caught:
        await miner.set_pools([POOLS[1], odd])
    assert "geheim" not in str(caught.value)
    assert device.state.groups == before
    with pytest.raises(CommandFailed, match="Invalid pool"):
        await miner.set_pools([PoolConfig(url="http://c.example", user="u")])


async def test_pools_with_a_comma(meet: Meet) -> None:
    miner, device = await meet()
    with pytest.raises(NotSupported, match="comma") as caught:
        await miner.set_pools([PoolConfig(url="a:1", user="u", password="ge,heim")])
    assert "heim" not in str(caught.value)
    assert told(device) == []


async def test_pools_without_a_new_group(meet: Meet) -> None:
    miner, device = await meet()
    device.ignores = {"addgroup"}
    with pytest.raises(CommandFailed, match="did not add a group"):
        await miner.set_pools(POOLS)
    assert len(device.state.groups) == 1


@pytest.mark.parametrize("dies", [True, False])
@pytest.mark.parametrize("name", ["rebootdevice", "resetminer"])
async def test_reboot_and_restart(meet: Meet, name: str, dies: bool) -> None:
    miner, device = await meet()
    device.dies_at_reboot = dies
    await COMMANDS[name](miner)
    assert device.reboots + device.restarts == 1
    assert (await miner.read()).uptime in (0, 1)


@each_command
async def test_refusal(meet: Meet, name: str) -> None:
    miner, device = await meet()
    device.refuses = {name: "not now"}
    with pytest.raises(CommandFailed, match="the device refused: not now"):
        await COMMANDS[name](miner)
    assert len([asked for asked in device.asked if asked.startswith(name)]) == 1
    assert device.session is None  # it is always logged off


@each_command
async def test_session_of_somebody_else(meet: Meet, name: str) -> None:
    miner, device = await meet()
    device.occupy()
    with pytest.raises(CommandFailed, match="Another session is active"):
        await COMMANDS[name](miner)
    assert device.session == "other001"
    assert not any(asked.startswith(name) for asked in device.asked)
    device.session_until = device.now()  # it lasts a minute
    await COMMANDS[name](miner)


async def test_no_session(meet: Meet) -> None:
    miner, device = await meet()
    device.joins = True
    device.canned["logon"] = b'{"STATUS":[{"STATUS":"S"}],"SESSION":[{}],"id":1}\x00'
    with pytest.raises(CommandFailed, match="gave no session"):
        await miner.pause()


@pytest.mark.parametrize("name", CONFIRMED)
async def test_not_confirmed(meet: Meet, name: str) -> None:
    miner, device = await meet()
    hurry(miner)
    device.ignores = {name}
    with pytest.raises(CommandFailed, match="not confirmed"):
        await COMMANDS[name](miner)
    assert device.session is None
    assert device.sessions == 1


async def test_logs_off_when_time_runs_out(meet: Meet) -> None:
    miner, device = await meet(patience=0.3)
    real = device.run

    def be_slow(name: str, parameter: str) -> Any:
        if name == "ledset":
            device.trouble = Trouble.SILENT
            asyncio.get_running_loop().call_later(
                0.25, setattr, device, "trouble", Trouble.NONE
            )
        return real(name, parameter)

    device.run = be_slow  # type: ignore[method-assign]
    with pytest.raises(DeviceTimeout):
        await miner.locate(on=True)
    assert device.asked[-1] == "logoff|sim00001"
    assert device.session is None


async def test_gone_before_the_command(meet: Meet) -> None:
    miner, device = await meet()
    await device.stop()
    for command in (miner.reboot, miner.pause):
        with pytest.raises(DeviceUnreachable):
            await command()


async def test_round_trips_of_a_command(meet: Meet) -> None:
    miner, device = await meet()
    before = device.requests
    await miner.locate(on=True)
    # Log on, tell, log off, and see that it blinks.
    assert device.requests - before == 4
    assert device.most_connections == 1

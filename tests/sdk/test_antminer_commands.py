"""What the Antminer driver tells a miner to do, and how the miner confirms it."""

from collections.abc import AsyncGenerator, Awaitable, Callable
import json
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
from custom_components.miningsdk.sdk.drivers._antminer_conf import form_order
from custom_components.miningsdk.sdk.drivers.antminer import Antminer
from tests.conftest import Simulate
from tests.simulators.antminer import SimulatedAntminer

type Meet = Callable[..., Awaitable[tuple[Antminer, SimulatedAntminer]]]
type Command = Callable[[Antminer], Awaitable[None]]

POOLS = [
    PoolConfig(url="stratum+tcp://c.example:700", user="us.er-1", password="p&c+1"),
    PoolConfig(url="stratum+ssl://d.example:443", user="us.er-2", password="x"),
]
COMMANDS: dict[str, Command] = {
    "pause": lambda miner: miner.pause(),
    "resume": lambda miner: miner.resume(),
    "reboot": lambda miner: miner.reboot(),
    "locate": lambda miner: miner.locate(on=True),
    "power_mode": lambda miner: miner.set_power_mode("low"),
    "fan": lambda miner: miner.set_fan(70),
    "pools": lambda miner: miner.set_pools(POOLS),
}
# Those that go through the settings, which the firmware may refuse to write.
SETTINGS = ("pause", "power_mode", "fan", "pools")


@pytest.fixture
async def meet(simulate: Simulate) -> AsyncGenerator[Meet]:
    """Return a function that switches on an Antminer and connects to it."""
    miners: list[Antminer] = []

    async def switch_on(
        *, password: str | None = "root", patience: float = 10.0, **options: Any
    ) -> tuple[Antminer, SimulatedAntminer]:
        device = await simulate(SimulatedAntminer, **options)
        miner = Antminer(
            device.host, port=device.port(80), password=password, timeout=patience
        )
        miners.append(miner)
        miner.confirm_every = 0.01
        await miner.connect()
        await miner.read()
        return miner, device

    yield switch_on
    for miner in miners:
        await miner.close()


def hurry(miner: Antminer, seconds: float = 0.05) -> None:
    """Have commands give up soon."""
    miner.confirm_within = seconds
    miner.confirm_longer = {}  # type: ignore[misc]


def sent(device: SimulatedAntminer) -> dict[str, Any]:
    """Return the settings that were written last."""
    program, text = device.posts[-1]
    assert program == "set_miner_conf"
    settings = json.loads(text)
    assert isinstance(settings, dict)
    return settings


@pytest.mark.parametrize("model", ["S19 Pro", "S19 XP Hyd.", "S21", "S21+"])
@pytest.mark.parametrize("asleep_api", ["empty", "closed", "zeros"])
async def test_pause_and_resume(meet: Meet, model: str, asleep_api: str) -> None:
    miner, device = await meet(model=model, asleep_api=asleep_api)
    await miner.pause()
    assert device.mode == 1
    assert sent(device)["miner-mode"] == 1
    assert sent(device)["bitmain-work-mode"] == "1"
    assert [pool["pass"] for pool in sent(device)["pools"]] == ["s1", "s2", ""]
    stats = await miner.read()
    assert stats.status is MinerStatus.PAUSED
    assert [pool.url for pool in stats.pools] == [
        "stratum+tcp://a.example:3333",
        "stratum+tcp://b.example:3333",
    ]
    await miner.pause()  # again changes nothing
    assert (device.restarts, len(device.posts)) == (1, 1)
    await miner.resume()
    assert device.mode == 0
    assert (await miner.read()).status is MinerStatus.MINING
    assert device.pools[1]["pass"] == "s2"
    await miner.resume()
    assert (device.restarts, len(device.posts)) == (2, 2)


async def test_resume_returns_to_the_mode_before(meet: Meet) -> None:
    miner, device = await meet(mode=3)
    assert (await miner.read()).power_mode == "low"
    await miner.pause()
    await miner.resume()
    assert device.mode == 3
    device.mode = 1
    other = Antminer(device.host, port=device.port(80), password="root")
    async with other:
        # It was put to sleep by somebody else.
        await other.resume()
    assert device.mode == 0


async def test_resume_waits_until_the_process_is_back(meet: Meet) -> None:
    miner, device = await meet(mode=1, asleep_api="closed")
    device.hashes = False
    await miner.resume()
    stats = await miner.read()
    assert stats.status is MinerStatus.STARTING


async def test_power_mode(meet: Meet) -> None:
    miner, device = await meet()
    await miner.set_power_mode("low")
    assert device.mode == 3
    stats = await miner.read()
    assert stats.power_mode == "low"
    assert stats.hashrate == pytest.approx(200.3 * 0.75, rel=0.03)
    await miner.set_power_mode("normal")
    assert device.mode == 0
    with pytest.raises(NotSupported, match="high"):
        await miner.set_power_mode("high")


async def test_power_mode_of_a_t21(meet: Meet) -> None:
    miner, device = await meet(model="T21")
    await miner.set_power_mode("high")
    assert device.mode == 2
    assert (await miner.read()).power_mode == "high"
    device.mode = 5  # for use with water, which nobody is offered
    assert (await miner.read()).power_mode is None


async def test_power_mode_where_there_is_none(meet: Meet) -> None:
    miner, device = await meet(model="S19 Pro")
    with pytest.raises(NotSupported):
        await miner.set_power_mode("low")
    assert device.posts == []


async def test_power_mode_does_not_wake_it(meet: Meet) -> None:
    miner, device = await meet(mode=1)
    with pytest.raises(CommandFailed, match="asleep"):
        await miner.set_power_mode("low")
    assert device.mode == 1


@pytest.mark.parametrize("model", ["S9", "T17+", "S19 Pro", "S21"])
async def test_fan(meet: Meet, model: str) -> None:
    miner, device = await meet(model=model)
    await miner.set_fan(70)
    assert (device.fan_manual, device.fan_duty) == (True, "70")
    settings = (await miner.read()).settings
    assert (settings.fan, settings.fan_automatic) == (70, False)
    await miner.set_fan(None)
    assert device.fan_manual is False
    settings = (await miner.read()).settings
    assert (settings.fan, settings.fan_automatic) == (None, True)
    assert [pool["pass"] for pool in device.pools] == ["s1", "s2", ""]
    for duty in (9, 101):
        with pytest.raises(NotSupported):
            await miner.set_fan(duty)


async def test_fan_of_a_hydro(meet: Meet) -> None:
    miner, _ = await meet(model="S19 XP Hyd.")
    with pytest.raises(NotSupported):
        await miner.set_fan(70)


@pytest.mark.parametrize("model", ["S9", "T17+", "S19 Pro", "S21"])
async def test_pools(meet: Meet, model: str) -> None:
    miner, device = await meet(model=model)
    await miner.set_pools(POOLS)
    assert device.pools == [
        {"url": "stratum+tcp://c.example:700", "user": "us.er-1", "pass": "p&c+1"},
        {"url": "stratum+ssl://d.example:443", "user": "us.er-2", "pass": "x"},
        {"url": "", "user": "", "pass": ""},
    ]
    assert [pool.user for pool in (await miner.read()).pools] == ["us.er-1", "us.er-2"]
    assert device.fan_manual is False


@pytest.mark.parametrize("model", ["S9", "S21"])
async def test_password_of_a_pool_that_stays(meet: Meet, model: str) -> None:
    miner, device = await meet(model=model)
    stays = PoolConfig(url="stratum+tcp://b.example:3333", user="me.1")
    await miner.set_pools([stays, POOLS[0]])
    assert [pool["pass"] for pool in device.pools] == ["s2", "p&c+1", ""]


@pytest.mark.parametrize("model", ["S9", "S21"])
async def test_pools_that_the_firmware_would_mangle(meet: Meet, model: str) -> None:
    miner, device = await meet(model=model)
    secret = 'se"cr et\\é'
    with pytest.raises(NotSupported, match="cannot store") as caught:
        await miner.set_pools(
            [PoolConfig(url="a.example:1", user="u", password=secret)]
        )
    assert secret not in str(caught.value)
    assert device.posts == []


async def test_pools_that_cannot_be_sent_back_stay(meet: Meet) -> None:
    miner, device = await meet()
    device.pools[2] = {"url": "e.example:1", "user": "a b", "pass": "c"}
    await miner.pause()
    assert "pools" not in sent(device)
    assert device.pools[2]["user"] == "a b"
    assert device.pools[0]["pass"] == "s1"


async def test_pools_while_asleep(meet: Meet) -> None:
    miner, device = await meet(mode=1, asleep_api="closed")
    await miner.set_pools(POOLS)
    assert device.pools[0]["user"] == "us.er-1"
    assert device.mode == 1


async def test_address_in_the_names_of_users(meet: Meet) -> None:
    """The miner appends it when mining; what was set is what is shown."""
    miner, device = await meet()
    device.settings = {"bitmain-user-ip-cat": "1"}
    await miner.set_pools(POOLS)
    assert sent(device)["bitmain-user-ip-cat"] == "1"
    assert device.settings == {"bitmain-user-ip-cat": "1"}
    assert device.pools[0]["user"] == "us.er-1"
    assert device.mined_user(0).startswith("us.er-1.")
    assert (await miner.read()).pools[0].user == "us.er-1"


async def test_form_without_a_known_field(
    meet: Meet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A value that cannot be sent back as it is would be lost."""
    odd = "x = {data:{_ant_pool1url:a,_ant_pool1user:b,_ant_pool1pw:c,_ant_new:d}}"
    monkeypatch.setattr("tests.simulators.antminer.form_page", lambda _: odd)
    assert form_order(odd)[-1] == "_ant_new"
    miner, device = await meet(model="S9")
    with pytest.raises(NotSupported, match="ant_new"):
        await miner.set_pools(POOLS)
    assert device.posts == []


@pytest.mark.parametrize("model", ["T17+", "S21"])
async def test_locate(meet: Meet, model: str) -> None:
    miner, device = await meet(model=model)
    for on in (True, False):
        await miner.locate(on)
        assert device.blinking is on
        assert (await miner.read()).locating is on
    await miner.locate(on=True)
    device.blinking = False  # the firmware stops after some minutes
    assert (await miner.read()).locating is False


async def test_locate_where_there_is_none(meet: Meet) -> None:
    miner, _ = await meet(model="S9")
    with pytest.raises(NotSupported):
        await miner.locate(on=True)


@pytest.mark.parametrize("model", ["S9", "S21"])
async def test_reboot(meet: Meet, model: str) -> None:
    miner, device = await meet(model=model)
    await miner.reboot()
    assert device.reboots == 1
    stats = await miner.read()
    assert stats.uptime is not None
    assert stats.uptime < 60


async def test_reboot_of_firmware_that_wants_another_method(meet: Meet) -> None:
    miner, device = await meet()
    device.reboots_by = ("POST",)
    await miner.reboot()
    assert device.reboots == 1


async def test_reboot_breaks_the_connection(meet: Meet) -> None:
    miner, device = await meet()
    device.dies_at_reboot = True
    await miner.reboot()
    assert device.reboots == 1
    await device.stop()
    with pytest.raises(DeviceUnreachable):
        await miner.reboot()


@pytest.mark.parametrize("name", SETTINGS)
async def test_refusal(meet: Meet, name: str) -> None:
    miner, device = await meet()
    device.busy = True
    with pytest.raises(CommandFailed, match=r"request busy \(M001\)"):
        await COMMANDS[name](miner)
    assert len(device.posts) == 1
    assert (await miner.read()).status is MinerStatus.MINING


@pytest.mark.parametrize(
    ("model", "name"),
    [("S9", "fan"), ("S9", "pools"), *(("S21", name) for name in SETTINGS)],
)
async def test_not_confirmed(meet: Meet, model: str, name: str) -> None:
    miner, device = await meet(model=model)
    hurry(miner)
    device.ignores_writes = True
    with pytest.raises(CommandFailed, match="not confirmed"):
        await COMMANDS[name](miner)
    assert len(device.posts) == 1


async def test_resume_and_locate_not_confirmed(meet: Meet) -> None:
    miner, device = await meet(mode=1)
    hurry(miner)
    device.ignores_writes = True
    with pytest.raises(CommandFailed, match="not confirmed"):
        await miner.resume()
    with pytest.raises(CommandFailed, match="not confirmed"):
        await miner.locate(on=True)


@pytest.mark.parametrize("name", ["pause", "fan", "pools"])
async def test_firmware_that_never_answers_what_it_does(meet: Meet, name: str) -> None:
    miner, device = await meet(patience=0.6)
    device.never_answers_posts = True
    await COMMANDS[name](miner)
    assert len(device.posts) == 1


@pytest.mark.parametrize("password", ["secret", None])
@pytest.mark.parametrize("name", COMMANDS)
async def test_command_without_the_password(
    meet: Meet, name: str, password: str | None
) -> None:
    miner, device = await meet(password=password)
    with pytest.raises(AuthenticationFailed) as caught:
        await COMMANDS[name](miner)
    words = (
        "refused the credentials" if password else "needs the user name and password"
    )
    assert words in str(caught.value)
    assert "secret" not in str(caught.value)
    assert device.posts == []
    assert device.reboots == 0
    if password is None:
        assert device.digest.wrong == 0
    else:
        # Once when it was met, once by the command, once to see who refused.
        for _ in range(3):
            assert (await miner.read()).status is MinerStatus.MINING
        assert device.digest.wrong == 3


async def test_command_after_the_password_was_set_right(meet: Meet) -> None:
    miner, device = await meet(password="later")
    assert miner.authentication_error is not None
    device.password = "later"
    await miner.set_fan(60)
    assert device.fan_duty == "60"
    assert miner.authentication_error is None


async def test_round_trips_of_a_command(meet: Meet) -> None:
    miner, device = await meet(model="S19 Pro")
    before = device.requests
    await miner.set_fan(55)
    # Read, write, read the settings again; then what it does, its pools and faults.
    assert device.requests - before == 6
    assert device.most_connections <= 2

"""What the driver for Braiins OS tells a miner to do, and how the miner confirms it."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, override

import pytest

from custom_components.miningsdk.sdk import (
    AuthenticationFailed,
    CommandFailed,
    DeviceUnreachable,
    MinerStatus,
    NotSupported,
    PoolConfig,
)
from custom_components.miningsdk.sdk.drivers.braiins import Braiins
from tests.conftest import OFFSET, Simulate
from tests.simulators.base import Trouble
from tests.simulators.braiins import SimulatedBraiins

type Meet = Callable[..., Awaitable[tuple[Braiins, SimulatedBraiins]]]
type Command = Callable[[Braiins], Awaitable[None]]

PORT = 80 + OFFSET
POOLS = [
    PoolConfig(url="stratum+tcp://c.example:700", user="us.er-1", password="secret-1"),
    PoolConfig(url="stratum2+tcp://d.example:443/key", user="us.er-2", password="x"),
]
COMMANDS: dict[str, Command] = {
    "pause": lambda miner: miner.pause(),
    "locate": lambda miner: miner.locate(on=True),
    "power_limit": lambda miner: miner.set_power_limit(2500),
    "fan": lambda miner: miner.set_fan(70),
    "target_temperature": lambda miner: miner.set_target_temperature(55),
    "pools": lambda miner: miner.set_pools(POOLS),
    "board_enable": lambda miner: miner.set_board_enabled(1, on=False),
}
UNCONFIRMED: dict[str, Command] = {
    "reboot": lambda miner: miner.reboot(),
    "restart": lambda miner: miner.restart(),
}


@pytest.fixture
async def meet(
    simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[Meet]:
    """Return a function that switches on a miner and connects to it."""
    miners: list[Braiins] = []
    monkeypatch.setattr(Braiins, "confirm_longer", {})
    monkeypatch.setattr(Braiins, "confirm_within", 0.1)
    monkeypatch.setattr(Braiins, "confirm_every", 0.01)

    async def switch_on(
        kind: type[SimulatedBraiins] = SimulatedBraiins,
        *,
        login: str | None = "root",
        **options: Any,
    ) -> tuple[Braiins, SimulatedBraiins]:
        device = await simulate(kind, **options)
        miner = Braiins(device.host, port=PORT, password=login, timeout=2.0)
        miners.append(miner)
        await miner.connect()
        await miner.read()
        return miner, device

    yield switch_on
    for miner in miners:
        await miner.close()


async def test_pause_and_resume(meet: Meet) -> None:
    miner, device = await meet(restart_seconds=30)
    await miner.pause()
    stats = await miner.read()
    assert (stats.status, stats.hashrate) == (MinerStatus.PAUSED, 0.0)
    assert [pool.url for pool in stats.pools] == [
        "stratum+tcp://a.example:3333",
        "stratum+tcp://b.example:3333",
    ]
    await miner.pause()  # again changes nothing
    await miner.resume()
    assert (await miner.read()).status is MinerStatus.STARTING
    assert device.writes == [
        ("PUT", "/actions/pause", None),
        ("PUT", "/actions/pause", None),
        ("PUT", "/actions/resume", None),
    ]


async def test_restart(meet: Meet) -> None:
    miner, device = await meet(restart_seconds=30)
    await miner.restart()
    assert device.restarts == 1
    assert (await miner.read()).status is MinerStatus.STARTING


async def test_reboot(meet: Meet) -> None:
    miner, device = await meet()
    await miner.reboot()
    assert device.reboots == 1
    assert (await miner.read()).uptime == pytest.approx(40, abs=2)
    assert device.logins == 2


async def test_reboot_breaks_the_connection(meet: Meet) -> None:
    miner, device = await meet()
    device.dies_at_reboot = True
    await miner.reboot()
    assert device.reboots == 1


async def test_locate(meet: Meet) -> None:
    miner, device = await meet()
    await miner.locate(on=True)
    assert (await miner.read()).locating is True
    await miner.locate(on=False)
    assert (await miner.read()).locating is False
    assert [body for _, _, body in device.writes] == [True, False]


async def test_power_limit(meet: Meet) -> None:
    miner, device = await meet()
    await miner.set_power_limit(2500)
    assert device.writes == [("PUT", "/performance/power-target", {"watt": 2500})]
    stats = await miner.read()
    assert stats.power_limit == 2500
    for watts in (908, 3487):
        with pytest.raises(NotSupported, match="909 to 3486 W"):
            await miner.set_power_limit(watts)


@pytest.mark.parametrize(
    "target", [{"hashrate_target": {"terahash_per_second": 120.0}}, {}]
)
async def test_power_limit_ends_another_mode(
    meet: Meet, target: dict[str, Any]
) -> None:
    miner, device = await meet()
    device.target = target
    assert (await miner.read()).power_limit == 3031  # as it was a moment ago
    await miner.set_power_limit(2500)
    assert device.target == {"power_target": {"watt": 2500}}
    assert device.writes[0][1] == "/performance/mode"
    assert (await miner.read()).power_limit == 2500


async def test_fan(meet: Meet) -> None:
    miner, device = await meet()
    assert device.cooling is not None
    device.cooling["auto"]["pause_mode"] = {"mode": {"auto": {}}}
    device.cooling["auto"]["max_fan_speed"] = 90
    await miner.set_fan(70)
    assert device.cooling == {
        "manual": {
            "target_temperature": {"degree_c": 60.0},
            "hot_temperature": {"degree_c": 75.0},
            "dangerous_temperature": {"degree_c": 85.0},
            "minimum_required_fans": 4,
            "pause_mode": {"mode": {"auto": {}}},
            "fan_speed_ratio": 0.7,
        }
    }
    settings = (await miner.read()).settings
    assert (settings.fan, settings.fan_automatic) == (70, False)
    await miner.set_fan(None)
    assert set(device.cooling) == {"auto"}
    assert "fan_speed_ratio" not in device.cooling["auto"]
    assert device.cooling["auto"]["dangerous_temperature"] == {"degree_c": 85.0}
    assert (await miner.read()).settings.fan_automatic is True
    with pytest.raises(NotSupported, match="10 to 100 %"):
        await miner.set_fan(5)


async def test_target_temperature(meet: Meet) -> None:
    miner, device = await meet()
    await miner.set_target_temperature(55)
    assert device.cooling is not None
    assert device.cooling["auto"]["target_temperature"] == {"degree_c": 55}
    assert device.cooling["auto"]["hot_temperature"] == {"degree_c": 75.0}
    assert (await miner.read()).settings.target_temperature == 55
    await miner.set_fan(70)
    await miner.set_target_temperature(50)
    assert device.cooling["manual"]["fan_speed_ratio"] == 0.7
    assert device.cooling["manual"]["target_temperature"] == {"degree_c": 50}
    with pytest.raises(NotSupported, match="20 to 75 °C"):
        await miner.set_target_temperature(76)


async def test_cooling_that_only_the_answer_tells(meet: Meet) -> None:
    miner, device = await meet()
    device.tells_cooling = False
    await miner.set_fan(40)
    settings = (await miner.read()).settings
    assert (settings.fan, settings.fan_automatic) == (40, False)


async def test_pools(meet: Meet) -> None:
    miner, device = await meet()
    device.groups.append({"name": "other", "pools": []})
    await miner.set_pools(POOLS)
    assert device.groups == [
        {
            "name": "home",
            "load_balance_strategy": {"quota": {"value": 1}},
            "pools": [
                {
                    "url": "stratum+tcp://c.example:700",
                    "user": "us.er-1",
                    "password": "secret-1",
                    "enabled": True,
                },
                {
                    "url": "stratum2+tcp://d.example:443/key",
                    "user": "us.er-2",
                    "password": "x",
                    "enabled": True,
                },
            ],
        }
    ]
    assert "secret-1" not in repr(await miner.read())


async def test_pools_where_there_are_none(meet: Meet) -> None:
    miner, device = await meet()
    device.groups = []
    await miner.set_pools(POOLS[:1])
    assert device.groups[0]["name"] == "Default"
    assert "load_balance_strategy" not in device.groups[0]


async def test_boards(meet: Meet) -> None:
    miner, device = await meet()
    await miner.set_board_enabled(1, on=False)
    assert device.off == {"2"}
    assert [board.enabled for board in (await miner.read()).boards] == [
        True,
        False,
        True,
    ]
    await miner.set_board_enabled(1, on=True)
    assert device.off == set()
    assert [body for _, _, body in device.writes] == [
        {"enable": False, "hashboard_ids": ["2"]},
        {"enable": True, "hashboard_ids": ["2"]},
    ]
    with pytest.raises(NotSupported, match="'3' is not one of: 0, 1, 2"):
        await miner.set_board_enabled(3, on=True)


async def test_boards_where_they_cannot_be_switched(meet: Meet) -> None:
    miner, device = await meet()
    device.absent = frozenset({"/configuration/constraints"})
    await miner.connect()
    with pytest.raises(NotSupported, match="does not offer board_enable"):
        await miner.set_board_enabled(0, on=False)


@pytest.mark.parametrize("name", COMMANDS | UNCONFIRMED)
async def test_refusal(meet: Meet, name: str) -> None:
    miner, device = await meet()
    device.refusal = '{"message": "not while\\n the moon is full"}'
    with pytest.raises(CommandFailed, match="refused: not while the moon is full"):
        await (COMMANDS | UNCONFIRMED)[name](miner)
    assert len(device.writes) == 1


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        ("plain words", "plain words"),
        ('"one text"', "one text"),
        ('{"error": "why"}', "why"),
        ("<html>no</html>", "HTTP status 422"),
        ("", "HTTP status 422"),
        ("{}", "HTTP status 422"),
        ("[1]", "HTTP status 422"),
    ],
)
async def test_words_of_a_refusal(meet: Meet, refusal: str, words: str) -> None:
    miner, device = await meet()
    device.refusal = refusal
    with pytest.raises(CommandFailed) as raised:
        await miner.pause()
    assert str(raised.value) == f"the device refused: {words}"


async def test_refusal_that_repeats_a_password(meet: Meet) -> None:
    miner, device = await meet()
    device.refusal = "bad pool: user us.er-1, password secret-1, x"
    with pytest.raises(CommandFailed) as raised:
        await miner.set_pools(POOLS)
    assert "user us.er-1, password ***, x" in str(raised.value)


@pytest.mark.parametrize("name", COMMANDS)
async def test_not_confirmed(meet: Meet, name: str) -> None:
    miner, device = await meet()
    device.ignores_writes = True
    with pytest.raises(CommandFailed, match="not confirmed within"):
        await COMMANDS[name](miner)
    assert len(device.writes) == 1


async def test_resume_not_confirmed(meet: Meet) -> None:
    miner, device = await meet(paused=True)
    device.ignores_writes = True
    with pytest.raises(CommandFailed, match="pause was sent, but not confirmed"):
        await miner.resume()


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize(
    ("login", "error"), [(None, NotSupported), ("guess", AuthenticationFailed)]
)
async def test_command_without_the_password(
    meet: Meet, name: str, login: str | None, error: type[Exception]
) -> None:
    miner, device = await meet(login=login)
    with pytest.raises(error):
        await COMMANDS[name](miner)
    assert device.writes == []


async def test_command_after_the_token_expired(meet: Meet) -> None:
    miner, device = await meet()
    device.expire()
    await miner.pause()
    assert device.logins == 2
    assert len(device.writes) == 1


async def test_command_after_the_password_was_changed(meet: Meet) -> None:
    miner, device = await meet()
    device.password = "new"
    device.expire()
    for _ in range(2):
        with pytest.raises(AuthenticationFailed):
            await miner.pause()
    assert device.logins == 2
    assert device.writes == []


async def test_command_to_a_miner_that_is_away(meet: Meet) -> None:
    miner, device = await meet()
    await device.stop()
    for command in (COMMANDS | UNCONFIRMED).values():
        with pytest.raises(DeviceUnreachable):
            await command(miner)


async def test_nothing_is_sent_twice_when_the_connection_breaks(meet: Meet) -> None:
    class Dying(SimulatedBraiins):
        @override
        def _take(self, request: Any, path: str, body: Any) -> Any:
            answer = super()._take(request, path, body)
            request.transport.close()
            return answer

    miner, device = await meet(Dying)
    with pytest.raises(DeviceUnreachable):
        await miner.set_power_limit(2500)
    assert len(device.writes) == 1
    assert (await miner.read()).power_limit == 2500


@pytest.mark.parametrize("name", COMMANDS)
async def test_trouble_while_confirming(meet: Meet, name: str) -> None:
    class Falling(SimulatedBraiins):
        @override
        def _take(self, request: Any, path: str, body: Any) -> Any:
            answer = super()._take(request, path, body)
            self.body = b"<html>starting</html>"
            return answer

    miner, device = await meet(Falling)
    with pytest.raises(CommandFailed, match="not confirmed within"):
        await COMMANDS[name](miner)
    device.body = None
    assert device.trouble is Trouble.NONE
    assert (await miner.read()).failed == {}


async def test_round_trips_of_a_command(meet: Meet) -> None:
    miner, device = await meet()
    for name, rounds in {
        "pause": 10,
        "power_limit": 11,
        "fan": 11,
        "pools": 11,
    }.items():
        device.requests = 0
        await COMMANDS[name](miner)
        assert device.requests == rounds, name

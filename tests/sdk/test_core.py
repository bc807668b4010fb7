"""What all drivers stand on: the vocabulary, the registry, the device, the miner."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime
from functools import partial
import json
import time
from typing import Any, override

import pytest

from custom_components.miningsdk.sdk import (
    AuthenticationFailed,
    Board,
    Capability,
    CommandFailed,
    DeviceInfo,
    DeviceKind,
    DeviceTimeout,
    DeviceUnreachable,
    InvalidReply,
    Limits,
    MinerPool,
    MinerSettings,
    MinerStats,
    MinerStatus,
    MiningSDKError,
    NotSupported,
    PoolConfig,
    device as device_module,
    register_miner,
    registry,
    to_json,
)
from custom_components.miningsdk.sdk.device import INFO_MAXIMUM_AGE, describe
from custom_components.miningsdk.sdk.miner import complete
from custom_components.miningsdk.sdk.transports.wire import (
    Probe,
    Wire,
)
from tests.conftest import Simulate
from tests.sdk.fakes import FakeDevice, StockMiner
from tests.sdk.trouble import ALL_TROUBLE, survives
from tests.simulators.base import Trouble

# The vocabulary.


def test_the_vocabulary_as_json() -> None:
    info = DeviceInfo(
        kind=DeviceKind.MINER,
        driver="x",
        host="10.0.0.1",
        capabilities=(Capability.POWER_LIMIT,),
        limits={Capability.POWER_LIMIT: Limits(minimum=1, maximum=2)},
    )
    when = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    shown = json.loads(to_json({"info": info, "stats": MinerStats(), "time": when}))
    assert shown["info"]["kind"] == "miner"
    assert shown["info"]["capabilities"] == ["power_limit"]
    assert shown["info"]["limits"]["power_limit"]["maximum"] == 2
    assert shown["stats"]["status"] == "unknown"
    assert shown["stats"]["hashrate"] is None
    assert shown["stats"]["settings"]["fan"] is None
    assert shown["time"] == "2026-01-02T03:04:05Z"
    assert "\n" in to_json(info, indent=True)


def test_the_vocabulary_cannot_be_changed() -> None:
    stats: Any = MinerStats()
    with pytest.raises(FrozenInstanceError):
        stats.hashrate = 5
    assert not hasattr(stats, "__dict__")


@pytest.mark.parametrize(
    ("serial", "mac", "expected"),
    [("S1", "m", "S1"), (None, "m", "m"), (None, None, None)],
)
def test_unique_ids(serial: str | None, mac: str | None, expected: str | None) -> None:
    info = DeviceInfo(
        kind=DeviceKind.MINER, driver="x", host="h", serial_number=serial, mac=mac
    )
    assert info.unique_id == expected


def test_pool_passwords_do_not_show() -> None:
    assert "geheim" not in repr(PoolConfig(url="u", user="n", password="geheim"))


def test_facts_are_kept_unless_new_ones_come() -> None:
    info = DeviceInfo(kind=DeviceKind.MINER, driver="x", host="h", model="S19")
    described = describe(info, model=None, chips=3)
    assert (described.model, described.chips) == ("S19", 3)


# The registry.


@pytest.fixture
def only_stock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_loaded", True)
    monkeypatch.setattr(registry, "_drivers", {})
    registry.register(StockMiner)


@pytest.mark.usefixtures("only_stock")
async def test_register_miner() -> None:
    miner = register_miner(
        "FakeMiner-f2-hydro", host="127.0.0.1", port=5, serial_number="S1"
    )
    assert isinstance(miner, StockMiner)
    assert miner.info.model == "F2-HYDRO"
    assert miner.info.serial_number == "S1"
    assert miner.info.port == 5
    assert register_miner("fakestock", host="h").info.model is None
    for unknown in ("fake", "fakestocks", "", "-"):
        with pytest.raises(NotSupported, match="no driver named"):
            register_miner(unknown, host="h")


@pytest.mark.usefixtures("only_stock")
def test_a_driver_can_be_replaced() -> None:
    class Better(StockMiner):
        models = "F3"

    registry.register(Better)
    assert registry.drivers() == (Better,)


# A device.


@pytest.fixture
async def pair(simulate: Simulate) -> AsyncGenerator[tuple[FakeDevice, StockMiner]]:
    """Return a simulated device and a miner that is connected to it."""
    simulated = await simulate(FakeDevice)
    async with StockMiner(
        simulated.host, port=simulated.port(simulated.ports[0]), timeout=0.3
    ) as miner:
        yield simulated, miner


type Pair = tuple[FakeDevice, StockMiner]


async def test_a_device_says_what_is_known_before_it_is_asked() -> None:
    miner = StockMiner("10.0.0.1", username="u", password="geheim", model="F9")
    assert miner.info.host == "10.0.0.1"
    assert miner.info.port is None
    assert miner.info.model == "F9"
    assert miner.info.capabilities == ()
    assert repr(miner) == "<fakestock 10.0.0.1:28181>"
    assert miner.port_of(9999) == 9999
    assert StockMiner("h", port=28182).port_of(9999) == 10000


async def test_who_a_device_is_is_not_asked_each_time(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulated, miner = pair
    for _ in range(3):
        await miner.read()
    assert simulated.asked == ["info", "stats", "stats", "stats"]
    later = time.monotonic() + INFO_MAXIMUM_AGE + 1
    monkeypatch.setattr(device_module, "monotonic", lambda: later)
    simulated.model = "F2"
    await miner.read()
    assert simulated.asked[-2:] == ["info", "stats"]
    assert miner.info.model == "F2"


async def test_another_device_on_the_same_address_is_noticed(pair: Pair) -> None:
    simulated, miner = pair
    await miner.read()
    await simulated.stop()
    with pytest.raises(DeviceUnreachable):
        await miner.read()
    simulated.serial = "FAKE0002"
    await simulated.start()
    await miner.read()
    assert miner.info.unique_id == "FAKE0002"


async def test_a_read_without_connect(simulate: Simulate) -> None:
    simulated = await simulate(FakeDevice)
    miner = StockMiner(simulated.host, port=simulated.port(simulated.ports[0]))
    assert (await miner.read()).status is MinerStatus.MINING
    assert miner.info.model == "F1"
    await miner.close()


async def test_a_read_ends_in_time(pair: Pair) -> None:
    simulated, miner = pair
    miner.wire.timeout = 60
    simulated.trouble = Trouble.SILENT
    with pytest.raises(DeviceTimeout, match=r"no whole answer within 0\.3 s"):
        await miner.read()


async def test_a_device_is_asked_one_thing_after_another(pair: Pair) -> None:
    simulated, miner = pair
    simulated.delay = 0.01
    await asyncio.gather(*(miner.read() for _ in range(5)))
    assert simulated.most_connections == 1


@pytest.mark.parametrize("trouble", ALL_TROUBLE)
async def test_a_device_survives(pair: Pair, trouble: Trouble) -> None:
    simulated, miner = pair
    if trouble is Trouble.WRONG_TYPES:
        simulated.body = b"[]"
        with pytest.raises(InvalidReply):
            await miner.read()
        simulated.body = None
    else:
        await survives(miner, simulated, trouble)


async def test_a_wrong_password_is_asked_about_once_an_hour(
    simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Guarded(StockMiner):
        @override
        async def _fetch_info(self) -> DeviceInfo:
            await self._write("check", 1)
            return await super()._fetch_info()

        @override
        async def _fetch_stats(self, failed: dict[str, str]) -> MinerStats:
            return MinerStats(status=MinerStatus.MINING, failed=failed)

    simulated = await simulate(FakeDevice, password="right")
    port = simulated.port(simulated.ports[0])
    miner = Guarded(simulated.host, port=port, password="right")
    await miner.check_credentials()
    simulated.password = "changed"
    miner.forget_info()
    stats = await miner.read()
    assert stats.status is MinerStatus.MINING
    assert stats.failed == {"info": "the device wants a password"}
    blamed = miner.authentication_error
    assert blamed == "the device wants a password"
    asked = len(simulated.asked)
    assert (await miner.read()).failed == {}
    assert len(simulated.asked) == asked
    later = time.monotonic() + INFO_MAXIMUM_AGE + 1
    monkeypatch.setattr(device_module, "monotonic", lambda: later)
    simulated.password = "right"
    await miner.read()
    assert miner.authentication_error is None
    assert miner.info.serial_number == "FAKE0001"


async def test_credentials_that_are_refused_while_connecting(
    simulate: Simulate,
) -> None:
    class Quiet(StockMiner):
        @override
        async def _fetch_info(self) -> DeviceInfo:
            nothing: dict[str, Any] = {}
            await self._optional("pools", {}, lambda: self._ask("stats"), nothing)
            return await super()._fetch_info()

    simulated = await simulate(FakeDevice, password="right")
    port = simulated.port(simulated.ports[0])
    async with Quiet(simulated.host, port=port, password="wrong") as miner:
        assert miner.info.model == "F1"
        with pytest.raises(AuthenticationFailed, match="wants a password"):
            await miner.check_credentials()


async def test_a_part_that_may_be_missing() -> None:
    miner = StockMiner("127.0.0.1")
    failed: dict[str, str] = {}

    async def refuse(error: MiningSDKError) -> int:
        raise error

    async def answer() -> int:
        return 5

    assert await miner._optional("power", failed, answer, 0) == 5
    for error in (InvalidReply("odd"), NotSupported("no"), DeviceTimeout("slow")):
        name = type(error).__name__
        assert await miner._optional(name, failed, partial(refuse, error), 7) == 7
    assert failed == {
        "InvalidReply": "odd",
        "NotSupported": "no",
        "DeviceTimeout": "slow",
    }
    with pytest.raises(DeviceUnreachable):
        await miner._optional("x", failed, lambda: refuse(DeviceUnreachable("gone")), 0)


# A miner.


async def test_commands_are_confirmed(pair: Pair) -> None:
    simulated, miner = pair
    await miner.pause()
    assert (await miner.read()).status is MinerStatus.PAUSED
    await miner.resume()
    await miner.set_power_limit(2500)
    await miner.set_fan(None)
    assert (await miner.read()).settings.fan_automatic is True
    await miner.set_fan(60)
    await miner.locate(True)
    assert (await miner.read()).locating is True
    await miner.set_pools([PoolConfig(url="Stratum+tcp://A:1/", user="u")])
    assert simulated.settings["pools"] == [["Stratum+tcp://A:1/", "u", "x"]]


@pytest.mark.parametrize(
    "command",
    [
        lambda miner: miner.pause(),
        lambda miner: miner.set_power_limit(2000),
        lambda miner: miner.set_power_mode("eco"),
        lambda miner: miner.set_profile("100TH"),
        lambda miner: miner.set_throttle(50),
        lambda miner: miner.set_fan(50),
        lambda miner: miner.set_fan(None),
        lambda miner: miner.set_target_temperature(60),
        lambda miner: miner.set_frequency(500),
        lambda miner: miner.set_voltage(1.2),
        lambda miner: miner.locate(True),
        lambda miner: miner.set_pools([PoolConfig(url="a", user="b")]),
    ],
)
async def test_what_the_device_ignores_has_failed(
    pair: Pair, command: Callable[[StockMiner], Awaitable[None]]
) -> None:
    simulated, miner = pair
    simulated.ignore = True
    with pytest.raises(CommandFailed, match=r"not confirmed within 0\.1 s"):
        await command(miner)
    # It is written once, however long it takes to see that it was ignored.
    assert simulated.asked.count("set") == 1


async def test_what_the_device_refuses_has_failed(pair: Pair) -> None:
    simulated, miner = pair
    simulated.refuse = "too hot"
    with pytest.raises(CommandFailed, match="too hot"):
        await miner.pause()
    assert simulated.asked.count("stats") == 0


async def test_a_command_that_takes_its_time(pair: Pair) -> None:
    simulated, miner = pair
    miner.confirm_within = 5
    simulated.late = 3
    await miner.pause()
    assert simulated.asked.count("stats") == 4


async def test_a_command_that_restarts_the_miner(pair: Pair) -> None:
    simulated, miner = pair
    miner.confirm_within = 5
    simulated.vanish = True

    async def come_back() -> None:
        await simulated.was_set.wait()
        await simulated.stop()
        await simulated.start()

    async with asyncio.TaskGroup() as group:
        group.create_task(come_back())
        await miner.set_power_limit(2000)
    assert simulated.settings["power_limit"] == 2000


async def test_a_miner_that_stays_away_after_a_command(pair: Pair) -> None:
    simulated, miner = pair
    simulated.vanish = True
    with pytest.raises(CommandFailed, match="connection refused"):
        await miner.set_target_temperature(99)


async def test_more_time_for_slow_commands(pair: Pair) -> None:
    simulated, miner = pair
    simulated.ignore = True
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StockMiner, "confirm_longer", {Capability.PAUSE: 0.05})
        with pytest.raises(CommandFailed, match=r"within 0\.05 s"):
            await miner.pause()


async def test_commands_without_the_password(pair: Pair) -> None:
    simulated, miner = pair
    simulated.password = "right"
    with pytest.raises(AuthenticationFailed):
        await miner.pause()
    assert "status" not in simulated.settings


async def test_a_reboot_makes_the_facts_doubtful(pair: Pair) -> None:
    simulated, miner = pair
    await miner.reboot()
    await miner.restart()
    simulated.model = "F2"
    await miner.read()
    assert miner.info.model == "F2"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (lambda m: m.set_power_limit(999), "999 W is outside .* 1000 to 4000 W"),
        (lambda m: m.set_power_limit(4001), "outside"),
        (lambda m: m.set_fan(5), "5 % is outside"),
        (lambda m: m.set_power_mode("warp"), "'warp' is not one of: eco, turbo"),
        (lambda m: m.set_profile(""), "is not one of: 100TH"),
        (lambda m: m.set_pools([]), "one to three pools"),
        (lambda m: m.set_pools([PoolConfig(url="a", user="b")] * 4), "one to three"),
    ],
)
async def test_what_is_not_even_sent(
    pair: Pair, command: Callable[[StockMiner], Awaitable[None]], words: str
) -> None:
    simulated, miner = pair
    with pytest.raises(NotSupported, match=words):
        await command(miner)
    assert "set" not in simulated.asked


@pytest.mark.parametrize(
    "command",
    [
        lambda miner: miner.pause(),
        lambda miner: miner.resume(),
        lambda miner: miner.reboot(),
        lambda miner: miner.locate(True),
        lambda miner: miner.set_power_limit(1),
        lambda miner: miner.set_power_mode("eco"),
        lambda miner: miner.set_fan(None),
        lambda miner: miner.set_pools([PoolConfig(url="a", user="b")]),
    ],
)
async def test_what_a_device_does_not_offer(
    command: Callable[[StockMiner], Awaitable[None]],
) -> None:
    with pytest.raises(NotSupported, match="does not offer"):
        await command(StockMiner("127.0.0.1"))


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(minimum=10), "10 to any"),
        (Limits(maximum=3), "any to 3"),
    ],
)
async def test_limits_with_one_end(limits: Limits, words: str) -> None:
    miner = StockMiner("127.0.0.1")
    miner._info = describe(miner.info, limits={Capability.THROTTLE: limits})
    with pytest.raises(NotSupported, match=words):
        miner._check_range(Capability.THROTTLE, 5, "%")


def test_what_follows_from_the_rest() -> None:
    stats = complete(
        MinerStats(
            power=3000,
            boards=(
                Board(index=0, hashrate=50, hashrate_expected=60, temperature_chip=70),
                Board(index=1, hashrate=50.00001, hashrate_expected=60),
                Board(index=2, enabled=False, temperature_chip=75),
            ),
            pools=(
                MinerPool(index=0, accepted=5, rejected=1),
                MinerPool(index=1, accepted=7),
            ),
        )
    )
    assert stats.hashrate == 100
    assert stats.hashrate_expected == 120
    assert stats.temperature_chip == 75
    assert stats.temperature_board is None
    assert (stats.accepted, stats.rejected, stats.stale) == (12, 1, None)
    assert stats.efficiency == 30


def test_what_does_not_follow() -> None:
    stats = complete(MinerStats(power=3000, boards=(Board(index=0), Board(index=1))))
    assert stats.hashrate is None
    assert stats.efficiency is None
    told = MinerStats(
        hashrate=0.0,
        power=20,
        accepted=3,
        boards=(Board(index=0, hashrate=50),),
        pools=(MinerPool(index=0, accepted=9),),
    )
    assert complete(told) == told
    silent = (Board(index=0, hashrate=50), Board(index=1))
    assert complete(MinerStats(boards=silent)).hashrate is None
    assert complete(MinerStats()) == MinerStats(settings=MinerSettings())


def test_questions_are_told_apart_by_name_and_port() -> None:
    async def one(_wire: Wire, _port: int) -> str:
        return ""

    async def two(_wire: Wire, _port: int) -> str:
        return ""

    assert Probe("a", 80, one) == Probe("a", 80, two)
    assert len({Probe("a", 80, one), Probe("a", 81, one), Probe("b", 80, one)}) == 3

"""Braiins OS over its REST API: who it is and what it does."""

from collections.abc import AsyncGenerator, Awaitable, Callable
import json
from typing import Any, override

from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.miningsdk.sdk import (
    AuthenticationFailed,
    Board,
    Capability,
    DeviceUnreachable,
    Fan,
    InvalidReply,
    Limits,
    MinerPool,
    MinerSettings,
    MinerStatus,
    PoolState,
    Severity,
    register_miner,
)
from custom_components.miningsdk.sdk.drivers._braiins_old import BraiinsCgminer
from custom_components.miningsdk.sdk.drivers.antminer import Antminer
from custom_components.miningsdk.sdk.drivers.braiins import Braiins
from custom_components.miningsdk.sdk.transports import cgminer, http
from custom_components.miningsdk.sdk.transports.wire import Wire
from tests.conftest import OFFSET, Simulate
from tests.sdk.trouble import ALL_TROUBLE, survives, survives_bytes
from tests.simulators._braiins_bosminer import SimulatedBosminer
from tests.simulators.base import Trouble
from tests.simulators.braiins import SimulatedBraiins

type Meet = Callable[..., Awaitable[tuple[Braiins, SimulatedBraiins]]]

PORT = 80 + OFFSET
RECORDED = {
    "/miner/details": "miner_details",
    "/miner/stats": "miner_stats",
    "/miner/hw/hashboards": "miner_hw_hashboards",
    "/miner/errors": "miner_errors",
    "/cooling/state": "cooling_state",
    "/performance/tuner-state": "performance_tuner_state",
    "/pools/": "pools",
    "/actions/locate": "actions_locate",
    "/configuration/miner": "configuration_miner",
}
EVERY_PART = {
    "/miner/stats": "hashrate",
    "/miner/hw/hashboards": "boards",
    "/cooling/state": "fans",
    "/performance/tuner-state": "power_limit",
    "/pools/": "pools",
    "/miner/errors": "faults",
    "/actions/locate": "locating",
    "/configuration/miner": "settings",
}


@pytest.fixture
async def meet(simulate: Simulate) -> AsyncGenerator[Meet]:
    """Return a function that switches on a miner and connects to it."""
    miners: list[Braiins] = []

    async def switch_on(
        kind: type[SimulatedBraiins] = SimulatedBraiins,
        *,
        login: str | None = "root",
        patience: float = 3.0,
        **options: Any,
    ) -> tuple[Braiins, SimulatedBraiins]:
        device = await simulate(kind, **options)
        miner = Braiins(device.host, port=PORT, password=login, timeout=patience)
        miners.append(miner)
        await miner.connect()
        return miner, device

    yield switch_on
    for miner in miners:
        await miner.close()


# Who it is.


async def test_info(meet: Meet) -> None:
    miner, device = await meet()
    info = miner.info
    assert (info.driver, info.firmware) == ("braiins", "braiins")
    assert (info.make, info.model) == ("Bitmain", "Antminer S19 XP")
    assert info.firmware_version == "25.07"
    assert info.mac == "02:11:22:33:44:66"
    assert info.unique_id == info.mac
    assert info.serial_number is None
    assert info.hostname == "Antminer"
    assert info.algorithm == "sha256"
    assert set(info.capabilities) == {
        Capability.PAUSE,
        Capability.REBOOT,
        Capability.RESTART,
        Capability.LOCATE,
        Capability.POWER_LIMIT,
        Capability.FAN,
        Capability.TARGET_TEMPERATURE,
        Capability.POOLS,
        Capability.BOARD_ENABLE,
    }
    assert info.limits == {
        Capability.POWER_LIMIT: Limits(minimum=909, maximum=3486, step=1),
        Capability.TARGET_TEMPERATURE: Limits(minimum=20, maximum=75, step=1),
        Capability.FAN: Limits(minimum=10, maximum=100, step=1, options=("auto",)),
        Capability.BOARD_ENABLE: Limits(options=("0", "1", "2")),
    }
    assert device.logins == 1
    assert device.requests == 4


async def test_mini_miner(meet: Meet) -> None:
    miner, _ = await meet(model="BMM 101", serial="BMM101SIM0001")
    assert (miner.info.make, miner.info.model) == ("Braiins", "BMM 101")
    assert miner.info.unique_id == "BMM101SIM0001"
    stats = await miner.read()
    assert stats.status is MinerStatus.MINING
    assert stats.hashrate == pytest.approx(1.0, rel=0.02)
    assert len(stats.boards) == len(stats.fans) == 1


async def test_miner_in_water(meet: Meet) -> None:
    miner, _ = await meet(model="S21 Hyd")
    offered = miner.info.capabilities
    assert Capability.FAN not in offered
    assert Capability.TARGET_TEMPERATURE not in offered
    stats = await miner.read()
    assert stats.fans == ()
    assert stats.settings.fan_automatic is None
    assert (stats.temperature_inlet, stats.temperature_outlet) == (35.0, 48.0)


async def test_firmware_that_tells_no_constraints(meet: Meet) -> None:
    miner, device = await meet()
    device.absent = frozenset({"/configuration/constraints"})
    device.tells_cooling = False
    await miner.connect()
    assert miner.info.limits == {}
    assert set(miner.info.capabilities) == {
        Capability.PAUSE,
        Capability.REBOOT,
        Capability.RESTART,
        Capability.LOCATE,
        Capability.POOLS,
    }
    assert (await miner.read()).settings == MinerSettings()


async def test_another_miner_on_the_same_address(
    meet: Meet, freezer: FrozenDateTimeFactory
) -> None:
    miner, device = await meet(serial="SIMA00000001")
    await miner.read()
    device.mac, device.serial = "02:11:22:33:44:99", None
    freezer.tick(3601)
    await miner.read()
    assert miner.info.mac == "02:11:22:33:44:99"
    assert miner.info.serial_number is None


async def test_recognition(simulate: Simulate) -> None:
    new = await simulate(SimulatedBraiins)
    old = await simulate(SimulatedBosminer)

    async def evidence(host: str, *ports: int) -> dict[Any, str]:
        wire = Wire(host=host)
        try:
            return {
                probe: await probe.ask(wire, probe.port + OFFSET)
                for probe in (cgminer.VERSION, http.ROOT)
                if probe.port in ports
            }
        finally:
            await wire.close()

    def scores(found: dict[Any, str]) -> tuple[int, int, int]:
        drivers = (Braiins, BraiinsCgminer, Antminer)
        first, second, third = (driver.recognise(found) for driver in drivers)
        return first, second, third

    assert scores(await evidence(new.host, 80, 4028)) == (90, 0, 0)
    assert scores(await evidence(new.host, 4028)) == (90, 0, 0)
    assert scores(await evidence(new.host, 80)) == (70, 0, 0)
    assert scores(await evidence(old.host, 4028)) == (0, 90, 0)
    assert scores({cgminer.VERSION: '{"VERSION":[{"Type":"Antminer S9"}]}'})[:2] == (
        0,
        0,
    )


def test_recorded_version(example: Callable[[str], bytes]) -> None:
    version = example("braiins/v24_09/asicrs/version.json").decode()
    assert Braiins.recognise({cgminer.VERSION: version}) == 90
    assert BraiinsCgminer.recognise({cgminer.VERSION: version}) == 0


def test_found_by_name_and_no_secret_in_repr() -> None:
    for name in ("braiins", "braiins-os", "boser", "Braiins-S19"):
        assert isinstance(register_miner(name, host="127.0.0.1"), Braiins)
    miner = register_miner("braiins", host="127.0.0.1", password="geheim")
    assert miner.username == "root"
    assert "geheim" not in repr(miner) + repr(vars(miner)["_rest"])


# What it does.


async def test_stats(meet: Meet) -> None:
    miner, device = await meet(speed=0.0)
    device.booted = device.now() - 5000
    stats = await miner.read()
    rate = round(device.rate, 4)
    assert stats.status is MinerStatus.MINING
    assert stats.hashrate == rate
    assert stats.hashrate_average == 138.18
    assert stats.hashrate_expected == 141.0
    assert (stats.power, stats.power_limit) == (3122, 3031)
    assert stats.efficiency == round(device.watts / device.rate, 2)
    assert (stats.temperature_chip, stats.temperature_board) == (70.0, 55.0)
    assert (stats.temperature_inlet, stats.temperature_outlet) == (41.0, 55.0)
    assert stats.fans == tuple(Fan(index=n, speed=5904 + n, duty=100) for n in range(4))
    assert stats.boards[1] == Board(
        index=1,
        hashrate=round(device.rate / 3, 4),
        hashrate_expected=47.0,
        temperature_board=54.0,
        temperature_chip=69.0,
        chips=110,
        chips_expected=110,
        frequency=487.0,
        voltage=12.938,
        serial_number="SIMHB00000002",
        enabled=True,
    )
    assert stats.pools == (
        MinerPool(
            index=0,
            url="stratum+tcp://a.example:3333",
            user="me.1",
            status=PoolState.ACTIVE,
            accepted=4416,
            rejected=18,
            stale=2,
        ),
        MinerPool(
            index=1,
            url="stratum+tcp://b.example:3333",
            user="me.1",
            status=PoolState.ALIVE,
            accepted=4,
            rejected=0,
            stale=0,
        ),
    )
    assert (stats.accepted, stats.rejected, stats.stale) == (4420, 18, 2)
    assert stats.best_difficulty == 776_342_690
    assert stats.uptime == 5040
    assert stats.locating is False
    assert stats.settings == MinerSettings(fan_automatic=True, target_temperature=60.0)
    assert stats.faults == ()
    assert stats.failed == {}


async def test_round_trips(meet: Meet, freezer: FrozenDateTimeFactory) -> None:
    miner, device = await meet()
    rounds = []
    for seconds in (0, 10, 10, 41, 10):
        freezer.tick(seconds)
        device.requests = 0
        await miner.read()
        rounds.append(device.requests)
    assert rounds == [9, 4, 4, 9, 4]
    assert device.logins == 1
    assert device.most_connections == 1


async def test_what_is_kept_a_minute_holds_no_password(meet: Meet) -> None:
    miner, device = await meet()
    device.groups[0]["pools"][0]["password"] = "pool-secret"
    stats = await miner.read()
    assert "pool-secret" not in repr(stats)
    assert "pool-secret" not in repr(vars(miner))


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ({}, MinerStatus.MINING),
        ({"tuner": 3}, MinerStatus.TUNING),
        ({"tuner": 5}, MinerStatus.MINING),
        ({"paused": True}, MinerStatus.PAUSED),
        ({"paused": True, "rates_known": False}, MinerStatus.PAUSED),
        ({"told_status": "MINER_STATUS_PAUSED"}, MinerStatus.PAUSED),
        ({"told_status": "paused"}, MinerStatus.PAUSED),
        ({"told_status": "3"}, MinerStatus.PAUSED),
        ({"hashes": False}, MinerStatus.IDLE),
        ({"hashes": False, "tuner": 6}, MinerStatus.STARTING),
        ({"pools_dead": True}, MinerStatus.IDLE),
        ({"process_runs": False}, MinerStatus.IDLE),
        ({"told_status": 4}, MinerStatus.FAULT),
        ({"told_status": 5}, MinerStatus.MINING),
        ({"told_status": 5, "hashes": False}, MinerStatus.FAULT),
        ({"told_status": 0, "hashes": False}, MinerStatus.UNKNOWN),
        ({"told_status": 99, "hashes": False}, MinerStatus.UNKNOWN),
        ({"told_status": "odd", "hashes": False}, MinerStatus.UNKNOWN),
        ({"rates_known": False}, MinerStatus.IDLE),
    ],
)
async def test_status(meet: Meet, state: dict[str, Any], status: MinerStatus) -> None:
    miner, device = await meet()
    for name, value in state.items():
        setattr(device, name, value)
    stats = await miner.read()
    assert stats.status is status
    assert ("status" in stats.failed) is (status is MinerStatus.UNKNOWN)


async def test_start(meet: Meet) -> None:
    miner, device = await meet()
    device.hashes = False
    device.booted = device.now() - 120
    assert (await miner.read()).status is MinerStatus.STARTING
    device.process_runs = False
    assert (await miner.read()).status is MinerStatus.STARTING
    device.booted = device.now() - 1200
    assert (await miner.read()).status is MinerStatus.IDLE


async def test_it_starts_after_a_pause_by_anybody(
    meet: Meet, freezer: FrozenDateTimeFactory
) -> None:
    miner, device = await meet()
    device.paused = True
    assert (await miner.read()).status is MinerStatus.PAUSED
    device.paused, device.hashes = False, False
    freezer.tick(200)
    assert (await miner.read()).status is MinerStatus.STARTING
    freezer.tick(900)
    assert (await miner.read()).status is MinerStatus.IDLE


async def test_paused(meet: Meet) -> None:
    miner, device = await meet(paused=True)
    stats = await miner.read()
    assert stats.hashrate == 0.0
    assert stats.power == pytest.approx(61, abs=1)
    assert stats.efficiency is None
    assert stats.power_limit == 3031
    assert stats.failed == {}
    # What it needed while it hashed may stand there for a while.
    device.stale_power = True
    assert (await miner.read()).power is None


async def test_parts_that_are_not_told_while_paused(meet: Meet) -> None:
    miner, device = await meet(paused=True)
    parts = ("/miner/stats", "/performance/tuner-state", "/miner/hw/hashboards")
    device.not_now = frozenset(parts)
    stats = await miner.read()
    assert stats.status is MinerStatus.PAUSED
    assert stats.hashrate == 0.0
    assert stats.temperature_chip == 70.0
    assert stats.failed == {}
    device.paused = False
    stats = await miner.read()
    assert set(stats.failed) == {"hashrate", "boards"}
    assert "present state" in stats.failed["hashrate"]


@pytest.mark.parametrize("path", EVERY_PART)
async def test_a_part_that_the_firmware_does_not_have(meet: Meet, path: str) -> None:
    miner, device = await meet()
    device.absent = frozenset({path})
    stats = await miner.read()
    assert stats.failed == {}
    assert stats.uptime is not None
    device.requests = 0
    await miner.read()
    assert device.requests <= 4
    assert path not in device.asked_for[-device.requests :]


async def test_parts_that_fail_lose_nothing_else(meet: Meet) -> None:
    miner, device = await meet()
    device.not_now = frozenset(EVERY_PART)
    stats = await miner.read()
    assert set(stats.failed) == set(EVERY_PART.values())
    assert stats.uptime is not None
    device.not_now = frozenset()
    stats = await miner.read()
    assert (stats.failed, stats.status) == ({}, MinerStatus.MINING)


@pytest.mark.parametrize("told", ["nested", "bare", "none"])
async def test_how_it_cools(meet: Meet, told: str) -> None:
    class Telling(SimulatedBraiins):
        @override
        def told(self) -> dict[str, Callable[[], object]]:
            found = super().told()
            configuration = json.loads(json.dumps(found["/configuration/miner"]()))
            configuration["temperature"] = {
                "nested": {"mode": {"manual": {"fan_speed_ratio": 0.55}}},
                "bare": {"manual": {"fan_speed_ratio": 0.55}},
                "none": None,
            }[told]
            return found | {"/configuration/miner": lambda: configuration}

    miner, _ = await meet(Telling)
    settings = (await miner.read()).settings
    if told == "none":
        # Then it does what its constraints say is usual.
        assert settings == MinerSettings(fan_automatic=True)
    else:
        assert settings == MinerSettings(fan=55, fan_automatic=False)


async def test_power_limit_by_the_tuner(meet: Meet) -> None:
    miner, device = await meet()
    device.absent = frozenset({"/configuration/miner"})
    assert (await miner.read()).power_limit == 3031
    device.absent = frozenset()
    await miner.connect()
    device.target = {"hashrate_target": {"terahash_per_second": 120.0}}
    assert (await miner.read()).power_limit is None
    device.target = {}
    await miner.connect()
    assert (await miner.read()).power_limit is None


async def test_boards_off_and_missing(meet: Meet) -> None:
    miner, device = await meet()
    device.off = {"1"}
    device.missing_boards = {"3"}
    stats = await miner.read()
    assert [board.index for board in stats.boards] == [0, 1]
    off, on = stats.boards
    assert (off.enabled, off.hashrate, off.temperature_chip) == (False, 0.0, None)
    assert off.chips is None
    assert on.enabled
    assert on.hashrate == pytest.approx(stats.hashrate, abs=0.01)
    assert stats.temperature_inlet == 42.0


async def test_faults(meet: Meet) -> None:
    miner, device = await meet()
    device.complain("Failed to resolve pool", ago=7200)
    device.complain("Hashboard not found", ago=4000, code="E12", component="board 2")
    device.complain("Fan is too slow", ago=9000, code="E7")
    device.complain("Failed to resolve pool", ago=50)
    device.complain("Failed to resolve pool", ago=20)
    found = (await miner.read()).faults
    assert [(f.code, f.message, f.component, f.severity) for f in found] == [
        ("E12", "Hashboard not found (look at it)", "board 2", Severity.WARNING),
        ("error", "Failed to resolve pool", None, Severity.WARNING),
    ]


@pytest.mark.parametrize(
    ("state", "code", "severity"),
    [
        ({"told_status": 4}, "suspended", Severity.CRITICAL),
        ({"told_status": 5}, "restricted", Severity.WARNING),
        ({"tuner": 4}, "tuner_error", Severity.WARNING),
    ],
)
async def test_faults_of_the_state(
    meet: Meet, state: dict[str, Any], code: str, severity: Severity
) -> None:
    miner, device = await meet()
    for name, value in state.items():
        setattr(device, name, value)
    (fault,) = (await miner.read()).faults
    assert (fault.code, fault.severity) == (code, severity)


async def test_recorded_replies_served(
    meet: Meet, example: Callable[[str], bytes]
) -> None:
    recorded = {
        path: json.loads(example(f"braiins/v25_07/asicrs/{name}.json"))
        for path, name in RECORDED.items()
    }

    class Recorded(SimulatedBraiins):
        @override
        def told(self) -> dict[str, Callable[[], object]]:
            return {path: lambda p=path: recorded[p] for path in recorded}  # type: ignore[misc]

    miner, _ = await meet(Recorded)
    assert miner.info.model == "Antminer S19 XP"
    assert miner.info.firmware_version == "25.07"
    assert miner.info.mac == recorded["/miner/details"]["mac_address"]
    stats = await miner.read()
    assert stats.failed == {}
    assert stats.status is MinerStatus.MINING
    assert stats.hashrate == 141.4636
    assert stats.hashrate_average == 138.2071
    assert stats.hashrate_expected == 142.8766
    assert (stats.power, stats.power_limit, stats.efficiency) == (3137, 3031, 21.79)
    assert (stats.temperature_chip, stats.temperature_board) == (70.5, 55.5)
    assert (stats.temperature_inlet, stats.temperature_outlet) == (40.0, 55.5)
    assert [fan.speed for fan in stats.fans] == [5904, 5874, 5874, 5904]
    assert [board.index for board in stats.boards] == [0, 1, 2]
    assert [board.frequency for board in stats.boards] == [486.7, 461.9, 500.0]
    assert [board.chips for board in stats.boards] == [110, 110, 110]
    assert [pool.status for pool in stats.pools] == [PoolState.ACTIVE, PoolState.ALIVE]
    assert (stats.accepted, stats.rejected, stats.stale) == (10464, 18, 0)
    assert stats.best_difficulty == 776_342_690
    assert stats.uptime == 69725
    # All of them are from long before the mining process was started.
    assert stats.faults == ()


# Logins.


async def test_without_a_password(meet: Meet) -> None:
    miner, device = await meet(login=None)
    await miner.check_credentials()
    assert miner.authentication_error is None
    assert (miner.info.make, miner.info.model) == ("Bitmain", "Antminer S19 XP")
    assert miner.info.capabilities == ()
    device.requests = 0
    stats = await miner.read()
    assert device.requests == 1
    assert device.logins == 0
    assert stats.failed == {}
    assert stats.status is MinerStatus.MINING
    assert stats.hashrate == pytest.approx(141, rel=0.02)
    assert (stats.power, stats.power_limit) == (3122, 3031)
    assert [board.frequency for board in stats.boards] == [573, 574, 575]
    assert [board.index for board in stats.boards] == [0, 1, 2]
    assert len(stats.fans) == 4
    assert stats.pools[0].status is PoolState.ACTIVE
    device.paused = True
    stats = await miner.read()
    assert stats.status is MinerStatus.UNKNOWN
    assert "nothing tells why" in stats.failed["status"]


async def test_password_that_is_empty(meet: Meet) -> None:
    miner, device = await meet(login="", password="")
    assert device.logins == 1
    assert Capability.PAUSE in miner.info.capabilities


async def test_wrong_password_is_not_tried_by_each_read(
    meet: Meet, freezer: FrozenDateTimeFactory
) -> None:
    miner, device = await meet(login="guess")
    for _ in range(3):
        assert (await miner.read()).status is MinerStatus.MINING
    assert device.logins == 1
    assert miner.info.capabilities == ()
    assert "guess" not in str(miner.authentication_error)
    with pytest.raises(AuthenticationFailed, match="user name or password"):
        await miner.check_credentials()
    assert device.logins == 1
    device.password = "guess"
    freezer.tick(3601)
    await miner.read()
    assert device.logins == 2
    assert miner.authentication_error is None
    assert Capability.PAUSE in miner.info.capabilities


async def test_expired_token_is_renewed_once(meet: Meet) -> None:
    miner, device = await meet()
    await miner.read()
    device.expire()
    assert (await miner.read()).failed == {}
    assert device.logins == 2


async def test_password_changed_while_reading(
    meet: Meet, freezer: FrozenDateTimeFactory
) -> None:
    miner, device = await meet()
    await miner.read()
    device.password = "new"
    device.expire()
    stats = await miner.read()
    assert stats.status is MinerStatus.MINING
    assert "user name or password" in stats.failed["info"]
    assert miner.authentication_error
    for _ in range(3):
        await miner.read()
    assert device.logins == 2
    device.password = "root"
    freezer.tick(3601)
    assert (await miner.read()).failed == {}
    assert miner.authentication_error is None


async def test_closed_socket(meet: Meet, simulate: Simulate) -> None:
    miner, device = await meet(has_socket=False)
    assert (await miner.read()).failed == {}
    device.expire()
    device.password = "new"
    with pytest.raises(AuthenticationFailed):
        await miner.read()
    for login in (None, "guess"):
        with pytest.raises(AuthenticationFailed, match="password"):
            await meet(has_socket=False, login=login)
    with pytest.raises(DeviceUnreachable):
        await meet(has_socket=False, has_rest=False, login=None)


async def test_firmware_without_rest(meet: Meet) -> None:
    miner, device = await meet(has_rest=False)
    assert miner.authentication_error is None
    assert miner.info.capabilities == ()
    assert (await miner.read()).status is MinerStatus.MINING
    device.has_rest = True
    await miner.connect()
    assert Capability.PAUSE in miner.info.capabilities
    await miner.read()
    device.has_rest = False
    stats = await miner.read()
    assert stats.status is MinerStatus.MINING
    assert "404" in stats.failed["info"]


async def test_page_where_the_login_should_be(meet: Meet) -> None:
    class Page(SimulatedBraiins):
        @override
        async def _log_in(self, request: Any) -> Any:
            return await self._serve_web(request.clone(rel_url="/"))

    miner, _ = await meet(Page)
    assert miner.info.capabilities == ()
    assert (await miner.read()).status is MinerStatus.MINING


@pytest.mark.parametrize("reply", [b"{}", b'{"token": ""}', b"[]"])
async def test_login_without_a_token(
    meet: Meet, simulate: Simulate, reply: bytes
) -> None:
    device = await simulate(SimulatedBraiins)
    device.body = reply
    miner = Braiins(device.host, port=PORT, password="root")
    with pytest.raises(InvalidReply, match="no token"):
        await miner.connect()
    await miner.close()


async def test_another_device_at_connect(meet: Meet) -> None:
    class Other(SimulatedBraiins):
        @override
        def told(self) -> dict[str, Callable[[], object]]:
            return {"/miner/details": lambda: {"name": "other"}}

    with pytest.raises(InvalidReply, match="not that of a miner"):
        await meet(Other)


# Trouble.


async def test_unreachable(meet: Meet) -> None:
    miner, device = await meet()
    await device.stop()
    with pytest.raises(DeviceUnreachable):
        await miner.read()


@pytest.mark.parametrize("login", ["root", None])
@pytest.mark.parametrize("trouble", ALL_TROUBLE)
async def test_trouble(meet: Meet, trouble: Trouble, login: str | None) -> None:
    miner, device = await meet(login=login, patience=0.4)
    await survives(miner, device, trouble)
    assert device.most_connections <= 2


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"[1, 2, {}]",
        b'"text"',
        b"\x00\xff",
        b'{"status": []}',
        b'{"status": 2, "hashboards": [{"id": {}, "stats": 7}], "errors": "x"}',
        b'{"status": 1e400, "system_uptime_s": -1}',
        b'{"status": 2, "miner_stats": {"real_hashrate": {"last_5s": [1]}}}',
    ],
)
async def test_any_bytes(meet: Meet, body: bytes) -> None:
    miner, device = await meet(patience=1.0)
    await survives_bytes(miner, device, body)
    assert (await miner.read()).status is MinerStatus.MINING

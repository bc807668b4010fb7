"""What each pool tells of an account, in the words of the vocabulary."""

from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime, timedelta
import itertools
import json
import socket
from typing import Any

import pytest

from custom_components.miningsdk.sdk import (
    AuthenticationFailed,
    DeviceKind,
    InvalidReply,
    PoolStats,
    PoolWorker,
    to_json,
)
from custom_components.miningsdk.sdk.pool_account import PoolAccount
from custom_components.miningsdk.sdk.registry import find, register_miner
from tests.conftest import OFFSET, Simulate
from tests.sdk.patience import Clock
from tests.simulators.pools import (
    ACCOUNT,
    KEY,
    POOLS,
    SimulatedBraiinsPool,
    SimulatedCKPool,
    SimulatedLuxor,
    SimulatedNiceHash,
    SimulatedOcean,
    SimulatedPool,
    SimulatedPublicPool,
    SimulatedViaBTC,
    Worker,
)

NAMES = sorted(POOLS)
TOTAL = 150.5
# Requests of a first reading, and of those that follow a minute apart.
REQUESTS = {
    "pool-braiins": (3, 2),
    "pool-ckpool": (1, 1),
    "pool-f2pool": (3, 1),
    "pool-foundry": (4, 2),
    "pool-luxor": (2, 1),
    "pool-nicehash": (1, 1),
    "pool-ocean": (4, 1),
    "pool-public-pool": (2, 1),
    "pool-viabtc": (4, 1),
}
NO_KEY = {"pool-ckpool", "pool-nicehash", "pool-ocean", "pool-public-pool"}
NO_USER = {"pool-braiins", "pool-viabtc", "pool-luxor"}
# What a pool has no word for.
UNKNOWN = {
    "pool-braiins": {"estimated_24h"},
    "pool-ckpool": {"balance", "paid_total", "earnings_24h", "estimated_24h"},
    "pool-f2pool": {"estimated_24h"},
    "pool-foundry": {"estimated_24h"},
    "pool-luxor": {"hashrate_1h", "paid_total", "estimated_24h"},
    "pool-nicehash": {
        "hashrate_1h",
        "hashrate_24h",
        "paid_total",
        "earnings_24h",
        "last_share",
    },
    "pool-ocean": {"paid_total", "estimated_24h"},
    "pool-public-pool": {
        "workers_total",
        "balance",
        "paid_total",
        "earnings_24h",
        "estimated_24h",
    },
    "pool-viabtc": {"paid_total", "estimated_24h"},
}

type Open = Callable[..., Any]


def port_of(device: SimulatedPool) -> int:
    return device.ports[0] + OFFSET


@pytest.fixture(autouse=True)
def nothing_but_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail when any name is looked up: the pools' own hosts must not be asked."""

    def refuse(host: object, *_: object, **__: object) -> None:
        pytest.fail(f"somebody looked up {host!r}")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
async def open_account(simulate: Simulate) -> AsyncGenerator[Open]:
    """Return a function that opens a pool and an account at it."""
    accounts: list[PoolAccount] = []

    async def make(name: str, **options: Any) -> tuple[PoolAccount, Any, Clock]:
        clock = Clock()
        kept = ("username", "password", "timeout")
        given = {key: options.pop(key) for key in kept if key in options}
        options.setdefault("wander", 0.0)
        device = await simulate(POOLS[name], clock=clock, **options)
        credentials = {"username": ACCOUNT, "password": KEY} | given
        account = register_miner(
            name, host=device.host, port=port_of(device), **credentials
        )
        assert isinstance(account, PoolAccount)
        accounts.append(account)
        return clock.drive(account), device, clock

    yield make
    for account in accounts:
        await account.close()


def near(found: datetime | None, seconds_ago: float) -> bool:
    assert found is not None
    assert found.tzinfo is UTC
    return abs(found - datetime.now(UTC) + timedelta(seconds=seconds_ago)) < timedelta(
        seconds=30
    )


@pytest.mark.parametrize("name", NAMES)
async def test_stats(name: str, open_account: Open) -> None:
    account, _device, _clock = await open_account(name)
    stats = await account.read()
    assert isinstance(stats, PoolStats)
    assert stats.failed == {}
    told = {
        "hashrate_5m": TOTAL,
        "hashrate_1h": TOTAL,
        "hashrate_24h": TOTAL,
        "workers_active": 2,
        "workers_total": 3,
        "balance": 0.01234567,
        "paid_total": 1.5,
        "earnings_24h": 0.00012345,
        "estimated_24h": 0.0002,
    }
    if name == "pool-public-pool":
        # The chart has six hours of slots; the rest of the day counts as nothing.
        told["hashrate_24h"] = TOTAL / 4
    for field, value in told.items():
        expected = None if field in UNKNOWN[name] else value
        tolerance = 0.6 if name == "pool-ckpool" else 1e-9
        assert getattr(stats, field) == pytest.approx(expected, abs=tolerance), field
    assert (stats.last_share is None) == ("last_share" in UNKNOWN[name])
    assert stats.last_share is None or near(stats.last_share, 4)
    first, second = stats.workers[:2]
    assert first.name in ("rig1", f"{ACCOUNT}.rig1")
    assert (first.hashrate, first.online) == (100.0, True)
    assert (second.hashrate, second.online) == (50.5, True)
    if name == "pool-public-pool":
        assert len(stats.workers) == 2
    else:
        assert stats.workers[2].online is False
        assert stats.workers[2].hashrate == 0
    assert json.loads(to_json(stats))["hashrate_5m"] is not None


@pytest.mark.parametrize("name", NAMES)
async def test_info(name: str, open_account: Open) -> None:
    account, device, _ = await open_account(name)
    assert account.info.unique_id is not None, "it is known before the pool is asked"
    before = account.info.unique_id
    await account.connect()
    info = account.info
    assert info.kind is DeviceKind.POOL
    assert info.driver == name
    assert info.make == account.make
    assert info.firmware is None
    assert info.algorithm == "sha256"
    assert info.capabilities == ()
    assert info.unique_id == before
    assert info.unique_id is not None
    assert info.unique_id.startswith(f"{name}:")
    assert info.unique_id.endswith(f":{ACCOUNT}")
    assert KEY not in to_json(info) + repr(account)
    assert len(device.asked) == 1


@pytest.mark.parametrize("name", sorted(NO_USER))
async def test_a_key_is_enough(name: str, open_account: Open) -> None:
    account, _, _ = await open_account(name, username=None)
    await account.check_credentials()
    unique_id = account.info.unique_id
    assert unique_id is not None
    if name == "pool-braiins":
        assert unique_id == f"{name}:{ACCOUNT}"
    else:
        assert unique_id.startswith(f"{name}:key-")
        assert KEY not in unique_id
    assert (await account.read()).hashrate_5m == TOTAL


@pytest.mark.parametrize("name", NAMES)
async def test_requests_per_reading(name: str, open_account: Open) -> None:
    account, device, clock = await open_account(name)
    first, later = REQUESTS[name]
    await account.connect()
    await account.read()
    assert len(device.asked) == first
    device.asked.clear()
    clock.now += 60
    await account.read()
    assert len(device.asked) == later
    assert device.most_connections == 1


@pytest.mark.parametrize("name", NAMES)
async def test_an_account_that_the_pool_does_not_know(
    name: str, open_account: Open
) -> None:
    account, _device, _ = await open_account(name, username="bc1qnobody")
    if name in ("pool-ckpool", "pool-foundry", "pool-luxor"):
        with pytest.raises(AuthenticationFailed, match="does not know"):
            await account.connect()
    elif name in ("pool-ocean", "pool-f2pool"):
        with pytest.raises(InvalidReply, match=r"says: .*no such user|No such user"):
            await account.connect()
    elif name in ("pool-public-pool", "pool-nicehash"):
        await account.connect()
        stats = await account.read()
        assert stats.workers == ()
        assert stats.hashrate_5m == 0
    else:
        await account.connect()  # The key names the account.


@pytest.mark.parametrize("name", sorted(set(NAMES) - NO_KEY))
async def test_a_wrong_key(name: str, open_account: Open) -> None:
    account, device, clock = await open_account(name, password="wrong-secret")
    with pytest.raises(AuthenticationFailed) as failure:
        await account.connect()
    assert "wrong-secret" not in str(failure.value)
    assert account.make in str(failure.value)
    for _ in range(5):
        clock.now += 60
        with pytest.raises(AuthenticationFailed):
            await account.read()
    assert len(device.asked) == 1, "a wrong key must not be sent again and again"
    device.key = "wrong-secret"
    clock.now += 3600
    assert (await account.read()).hashrate_5m == TOTAL


@pytest.mark.parametrize("name", sorted(set(NAMES) - NO_KEY))
async def test_a_key_that_stops_working(name: str, open_account: Open) -> None:
    account, device, clock = await open_account(name)
    await account.read()
    device.key = "another"
    clock.now += 60
    with pytest.raises(AuthenticationFailed) as failure:
        await account.read()
    assert KEY not in str(failure.value)
    device.asked.clear()
    clock.now += 60
    with pytest.raises(AuthenticationFailed):
        await account.read()
    assert device.asked == []
    device.key = KEY
    with pytest.raises(AuthenticationFailed):
        await account.read()
    await account.check_credentials()
    assert (await account.read()).hashrate_5m == TOTAL


@pytest.mark.parametrize("name", NAMES)
async def test_credentials_that_cannot_be(name: str, open_account: Open) -> None:
    missing = {"username": "  "} if name not in NO_USER else {"password": ""}
    account, device, _ = await open_account(name, **missing)
    with pytest.raises(AuthenticationFailed, match="needs the"):
        await account.connect()
    if name not in NO_KEY:
        account.password = "two\nlines"
        account.username = ACCOUNT
        with pytest.raises(AuthenticationFailed, match="characters"):
            await account.connect()
    if name not in NO_USER:
        account.password, account.username = KEY, ".."
        with pytest.raises(AuthenticationFailed, match="no account of this name"):
            await account.connect()
    assert device.asked == []


@pytest.mark.parametrize("name", NAMES)
async def test_one_part_that_fails_leaves_the_others(
    name: str, open_account: Open
) -> None:
    account, device, clock = await open_account(name)
    parts = account._parts()
    broken = [part for part in parts if not part.required]
    device.broken = tuple(
        part.path.partition("?")[0].rstrip("/0123456789") for part in broken
    )
    if name == "pool-viabtc":
        device.broken = ("/res/openapi/v1/account", "/res/openapi/v1/profit")
        broken = [part for part in broken if part.name != "workers"]
    if name == "pool-public-pool":
        device.broken = (parts[1].path,)
    stats = await account.read()
    assert set(stats.failed) == {part.name for part in broken}
    assert stats.hashrate_5m == pytest.approx(TOTAL, abs=0.6)
    asked = len(device.asked)
    device.broken = ()
    clock.now += 2000
    assert (await account.read()).failed == {}
    assert len(device.asked) - asked == len(parts)


def test_the_drivers_own_hosts_are_on_the_internet() -> None:
    for name in NAMES:
        driver, _ = find(name)
        assert issubclass(driver, PoolAccount)
        account = driver(username="u", password="p")
        assert account.endpoint.secure, name
        assert account.host == driver.default_host
        assert account.info.port is None


# What is peculiar to each.


@pytest.mark.parametrize("unit", ["Gh/s", "Th/s", "Ph/s"])
async def test_braiins_pool_honours_the_unit(unit: str, open_account: Open) -> None:
    account, device, _ = await open_account("pool-braiins")
    assert isinstance(device, SimulatedBraiinsPool)
    device.unit = unit
    stats = await account.read()
    assert stats.hashrate_1h == TOTAL
    assert stats.workers[0].hashrate == 100


async def test_braiins_pool_with_a_unit_that_is_none(open_account: Open) -> None:
    account, device, _ = await open_account("pool-braiins")
    profile = {"hash_rate_unit": "furlongs", "hash_rate_5m": 3, "ok_workers": 1}
    device.answer_with("/accounts/profile/json/btc/", {"btc": profile})
    stats = await account.read()
    assert stats.hashrate_5m is None
    assert "unit" in stats.failed["hashrate_5m"]
    assert stats.workers_active == 1


async def test_braiins_pool_gets_its_five_seconds(open_account: Open) -> None:
    account, device, clock = await open_account("pool-braiins", spacing=5.0)
    for _ in range(4):
        stats = await account.read()
        assert stats.failed == {}
        clock.now += 60
    times = [at for _, at in device.asked]
    assert min(b - a for a, b in itertools.pairwise(times)) >= 5
    assert clock.slept


async def test_two_accounts_share_the_turns_of_a_pool(open_account: Open) -> None:
    account, device, clock = await open_account("pool-braiins", spacing=5.0)
    other = clock.drive(type(account)(device.host, port=account.port, password=KEY))
    for _ in range(30):
        for one in (account, other):
            try:
                assert (await one.read()).hashrate_5m == TOTAL
            except InvalidReply as error:
                assert "a later reading" in str(error)
        clock.now += 20
    times = [at for _, at in device.asked]
    assert min(b - a for a, b in itertools.pairwise(times)) >= 5
    for path in ("profile", "workers", "rewards"):
        assert sum(path in asked for asked in device.paths) >= 2
    await other.close()


async def test_recorded_replies_of_braiins_pool(
    open_account: Open, example: Callable[[str], bytes]
) -> None:
    account, device, _ = await open_account("pool-braiins", username=None)
    for path, file in (("profile", "profile"), ("workers", "workers")):
        reply = json.loads(example(f"pools/braiins/{file}.json"))
        device.answer_with(f"/accounts/{path}/json/btc/", reply)
    device.broken = ("/accounts/rewards",)
    await account.connect()
    assert account.info.unique_id == "pool-braiins:example"
    stats = await account.read()
    assert stats.hashrate_5m == 28.2038
    assert stats.hashrate_24h == 29.3772
    assert stats.workers_active == 3
    assert stats.workers_total == 5
    assert stats.balance == 0.00144336
    assert stats.paid_total is None
    share = datetime(2020, 3, 27, 9, 9, 20, tzinfo=UTC)
    assert stats.workers == (
        PoolWorker(name="example.worker", hashrate=0.0, online=True, last_share=share),
    )


async def test_ocean_with_numbers_instead_of_text(open_account: Open) -> None:
    account, device, _ = await open_account("pool-ocean")
    assert isinstance(device, SimulatedOcean)
    device.numeric = True
    stats = await account.read()
    assert stats.failed == {}
    assert stats.hashrate_5m == TOTAL
    assert stats.balance == 0.01234567


async def test_recorded_reply_of_ocean(
    open_account: Open, example: Callable[[str], bytes]
) -> None:
    account, device, _ = await open_account("pool-ocean")
    reply = json.loads(example("pools/ocean/statsnap.json"))
    device.answer_with(f"/v1/statsnap/{ACCOUNT}", reply)
    # The snapshot has the same fields as the hashrate, as far as it goes.
    device.answer_with(f"/v1/user_hashrate/{ACCOUNT}", reply)
    stats = await account.read()
    assert stats.balance == 0.001
    assert stats.hashrate_5m == 2.0
    assert stats.hashrate_24h is None
    assert stats.last_share == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


async def test_recorded_reply_of_ckpool(
    open_account: Open, example: Callable[[str], bytes]
) -> None:
    account, device, _ = await open_account("pool-ckpool")
    reply = json.loads(example("pools/ckpool/user.json"))
    device.answer_with(f"/users/{ACCOUNT}", reply)
    stats = await account.read()
    share = datetime(2025, 7, 8, 8, 8, 1, tzinfo=UTC)
    assert stats == PoolStats(
        hashrate_5m=0.0,
        hashrate_1h=0.0046,
        hashrate_24h=85.4,
        workers_active=0,
        workers_total=1,
        last_share=share,
        workers=(
            PoolWorker(
                name="bc1qexample", hashrate=0.0, online=False, last_share=share
            ),
        ),
    )


async def test_ckpool_with_small_and_large_miners(open_account: Open) -> None:
    workers = [Worker("tiny", 3e-7), Worker("farm", 2.5e6), Worker("none", 0.0)]
    account, device, _ = await open_account("pool-ckpool", workers=workers)
    assert isinstance(device, SimulatedCKPool)
    stats = await account.read()
    assert [w.hashrate for w in stats.workers] == [0.0, 2.5e6, 0.0]
    assert [w.online for w in stats.workers] == [False, True, False]


async def test_recorded_shape_of_public_pool(
    open_account: Open, example: Callable[[str], bytes]
) -> None:
    account, device, _ = await open_account("pool-public-pool")
    reply = json.loads(example("pools/public-pool/client_address.shape.json"))
    device.answer_with(f"/api/client/{ACCOUNT}", reply)
    device.answer_with(f"/api/client/{ACCOUNT}/chart", [])
    stats = await account.read()
    seen = datetime(2025, 1, 1, 0, 10, tzinfo=UTC)
    assert stats.workers_active == 1
    assert stats.hashrate_24h is None
    assert stats.workers == (
        PoolWorker(name="worker", hashrate=0.0, online=True, last_share=seen),
    )


async def test_sessions_of_one_name_are_one_worker(open_account: Open) -> None:
    workers = [Worker("w", 1.0, share_age=9), Worker("w", 2.0, share_age=4)]
    account, device, _ = await open_account("pool-public-pool", workers=workers)
    assert isinstance(device, SimulatedPublicPool)
    stats = await account.read()
    assert [(w.name, w.hashrate) for w in stats.workers] == [("w", 3.0)]
    assert stats.workers_active == 2
    assert near(stats.workers[0].last_share, 4)


async def test_recorded_replies_of_viabtc(
    open_account: Open, example: Callable[[str], bytes]
) -> None:
    account, device, _ = await open_account("pool-viabtc")
    for path in ("hashrate", "hashrate/worker"):
        file = f"pools/viabtc/{path.replace('/', '_')}.json"
        device.answer_with(f"/res/openapi/v1/{path}", json.loads(example(file)))
    profit = json.loads(example("pools/viabtc/profit.json"))["data"]
    history = {"code": 0, "data": {"data": [{"date": "2018-12-26", **profit}]}}
    device.answer_with("/res/openapi/v1/profit/history", history)
    stats = await account.read()
    assert stats.hashrate_5m == 0.7477
    assert stats.hashrate_1h == 0.1246
    assert stats.hashrate_24h == 0.0
    assert (stats.workers_active, stats.workers_total) == (1, 1)
    assert stats.earnings_24h == 0.00002148
    share = datetime(2018, 12, 26, 8, 0, tzinfo=UTC)
    assert stats.workers == (
        PoolWorker(name="1x1", hashrate=0.2785, online=True, last_share=share),
    )


async def test_viabtc_refuses_an_address_that_is_not_on_the_list(
    open_account: Open,
) -> None:
    account, device, _ = await open_account("pool-viabtc")
    reply = {"code": 12004, "data": None, "message": f"IP denied for {KEY}"}
    device.answer_with("/res/openapi/v1/hashrate", reply)
    with pytest.raises(AuthenticationFailed, match="IP denied") as failure:
        await account.connect()
    assert KEY not in str(failure.value)


@pytest.mark.parametrize(
    ("name", "most", "count"),
    [("pool-viabtc", 50, 120), ("pool-luxor", 40, 100), ("pool-nicehash", 30, 70)],
)
async def test_all_pages_are_read(
    name: str, most: int, count: int, open_account: Open
) -> None:
    workers = [Worker(f"rig{number}", 1.0) for number in range(count)]
    account, device, _clock = await open_account(name, workers=workers)
    assert isinstance(device, SimulatedViaBTC | SimulatedLuxor | SimulatedNiceHash)
    if name == "pool-nicehash":
        count = min(count, 100)
        most = 100
    device.most = most
    stats = await account.read()
    assert len(stats.workers) == count
    assert len({worker.name for worker in stats.workers}) == count
    assert stats.failed == {}


async def test_pages_that_do_not_come_in_time(open_account: Open) -> None:
    workers = [Worker(f"rig{number}", 1.0) for number in range(2000)]
    account, _device, clock = await open_account("pool-viabtc", workers=workers)
    for _ in range(2):
        stats = await account.read()
        assert "pages were read" in stats.failed["workers"]
        assert 0 < len(stats.workers) < 2000
        assert stats.hashrate_5m == 2000
        clock.now += 35
    assert sum(clock.slept) <= 2 * account.timeout


async def test_nicehash_counts_its_other_algorithms_out(open_account: Open) -> None:
    workers = [Worker(f"rig{number}", 2.0) for number in range(150)]
    account, device, _ = await open_account("pool-nicehash", workers=workers)
    stats = await account.read()
    assert stats.hashrate_5m == 300.0
    assert stats.workers_total == 150
    assert len(device.asked) == 2


async def test_f2pool_says_what_is_wrong(open_account: Open) -> None:
    account, device, _ = await open_account("pool-f2pool")
    reply = {"code": 7, "msg": f"internal: {KEY} " + "x" * 300}
    device.answer_with("/v2/hash_rate/info", reply)
    with pytest.raises(InvalidReply, match="F2Pool says: internal") as failure:
        await account.connect()
    assert KEY[:8] not in str(failure.value)
    assert len(str(failure.value)) < 160


async def test_foundry_without_its_totals(open_account: Open) -> None:
    account, device, _ = await open_account("pool-foundry")
    device.broken = ("/subaccount_stats",)
    stats = await account.read()
    assert stats.hashrate_5m == TOTAL
    assert stats.hashrate_1h == TOTAL
    assert stats.hashrate_24h is None
    assert stats.workers_active == 2
    assert "hashrate" in stats.failed

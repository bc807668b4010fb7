"""How pools are asked: where, how often, and what comes of their bad days."""

from collections.abc import AsyncGenerator, Callable
import datetime as dt
import ipaddress
import itertools
import json
from pathlib import Path
import socket
import ssl
import time
from typing import Any, override

import aiohttp
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.miningsdk.sdk import (
    AuthenticationFailed,
    DeviceTimeout,
    DeviceUnreachable,
    InvalidReply,
    MiningSDKError,
    PoolStats,
    connect,
    to_json,
)
from custom_components.miningsdk.sdk.pool_account import PoolAccount
from custom_components.miningsdk.sdk.registry import find
from custom_components.miningsdk.sdk.targets import InvalidTarget
from custom_components.miningsdk.sdk.transports.web_api import (
    Endpoint,
    Turns,
    endpoint,
    is_public,
    retry_after,
)
from tests.conftest import OFFSET, Simulate, loopback_address
from tests.sdk.patience import Clock
from tests.simulators.base import Trouble
from tests.simulators.pools import ACCOUNT, KEY, POOLS, SimulatedPool, Worker

NAMES = sorted(POOLS)
# One that is open, one with a key, one of a single question.
SOME = ["pool-ocean", "pool-f2pool", "pool-ckpool"]

KEYS = """
    result btc info data workers workersList miningRigs totalRigs hashrate5m
    hashrate_5m hashrate_10min hashRate hash_rate worker earnings balance code
    activeWorkers stats pagination unpaid status lastshare hash_rate_info
    revenue_24h minerStatuses daily_rewards label lastSeen name
""".split()  # noqa: SIM905 - a list of these would be a page long.

type Open = Callable[..., Any]


@pytest.fixture(autouse=True)
def nothing_but_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail when any name is looked up: the pools' own hosts must not be asked."""

    def refuse(host: object, *_: object, **__: object) -> None:
        pytest.fail(f"somebody looked up {host!r}")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def driver_of(name: str) -> type[PoolAccount]:
    driver, _ = find(name)
    assert issubclass(driver, PoolAccount)
    return driver


def account_at(device: SimulatedPool, name: str, **options: Any) -> PoolAccount:
    given = {"username": ACCOUNT, "password": KEY, **options}
    return driver_of(name)(device.host, port=device.ports[0] + OFFSET, **given)


@pytest.fixture
async def open_account(simulate: Simulate) -> AsyncGenerator[Open]:
    """Return a function that opens a pool and an account at it."""
    accounts: list[PoolAccount] = []

    async def make(name: str, **options: Any) -> tuple[PoolAccount, Any, Clock]:
        device = await simulate(POOLS[name])
        accounts.append(account := account_at(device, name, **options))
        clock = Clock()
        return clock.drive(account), device, clock

    yield make
    for account in accounts:
        await account.close()


# How often.


@pytest.mark.parametrize("name", NAMES)
async def test_within_the_minimum_interval_nothing_is_asked(
    name: str, open_account: Open
) -> None:
    account, device, clock = await open_account(name)
    started = clock.now
    first = await account.read()
    asked = len(device.asked)
    clock.now = started + account.minimum_interval - 0.1
    assert await account.read() is first
    assert len(device.asked) == asked
    clock.now += 0.2
    assert await account.read() is not first
    assert len(device.asked) > asked


@pytest.mark.parametrize("name", NAMES)
async def test_requests_keep_their_distance(name: str, open_account: Open) -> None:
    account, device, clock = await open_account(name)
    device.clock = clock
    await account.read()
    times = [at for _, at in device.asked]
    gaps = [later - at for at, later in itertools.pairwise(times)]
    assert all(gap >= account.request_interval for gap in gaps)
    assert len(clock.slept) == len(gaps)


async def test_what_hardly_changes_is_asked_seldom(open_account: Open) -> None:
    account, device, clock = await open_account("pool-ocean")
    for _ in range(60):
        await account.read()
        clock.now += 60
    counts = {
        part: sum(f"/{part}/" in path for path in device.paths)
        for part in ("user_hashrate", "user_hashrate_full", "statsnap", "earnpay")
    }
    assert counts == {
        "user_hashrate": 60,
        "user_hashrate_full": 30,
        "statsnap": 12,
        "earnpay": 6,
    }


async def test_the_oldest_answer_is_renewed_first(open_account: Open) -> None:
    """Where turns are short, no part is left for ever."""
    account, device, clock = await open_account("pool-braiins", timeout=8.0)
    account._api._patience = 0.0
    stats = await account.read()
    assert set(stats.failed) == {"workers", "earnings_24h"}
    assert "a later reading" in stats.failed["workers"]
    for _ in range(8):
        clock.now += 60
        stats = await account.read()
    assert stats.failed == {}
    assert stats.earnings_24h is not None
    for part in ("profile", "workers"):
        assert sum(part in path for path in device.paths) >= 3


# Status 429.


@pytest.mark.parametrize("name", NAMES)
async def test_429_is_honoured(name: str, open_account: Open) -> None:
    account, device, clock = await open_account(name)
    before = await account.read()
    device.too_many = 300
    clock.now += 60
    asked = len(device.asked)
    during = await account.read()
    assert len(device.asked) == asked + 1
    assert during.hashrate_5m == before.hashrate_5m
    assert "asks to wait 300 s" in during.failed[account._parts()[0].name]
    device.too_many = None
    for _ in range(4):
        clock.now += 50
        stale = await account.read()
        assert len(device.asked) == asked + 1, "it asked to be left alone"
        assert "asks to wait" in str(stale.failed)
    clock.now += 101
    assert (await account.read()).failed == {}


@pytest.mark.parametrize("name", SOME)
async def test_429_at_first(name: str, open_account: Open) -> None:
    account, device, clock = await open_account(name)
    device.too_many = 120
    with pytest.raises(InvalidReply, match="asks to wait 120 s"):
        await account.connect()
    device.too_many = None
    with pytest.raises(InvalidReply, match=r"asks to wait 1\d\d s more"):
        await account.connect()
    assert len(device.asked) == 1
    clock.now += 121
    assert (await account.read()).hashrate_5m


async def test_429_again_and_again_waits_longer(open_account: Open) -> None:
    account, device, clock = await open_account("pool-ocean")
    device.too_many = 0
    waits = []
    for _ in range(9):
        with pytest.raises(InvalidReply) as failure:
            await account.read()
        waits.append(int(str(failure.value).partition("wait ")[2].split()[0]))
        clock.now += waits[-1] + 1
    assert waits == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    device.too_many = None
    await account.read()
    device.too_many = 0
    clock.now += 60
    assert "wait 60 s" in str((await account.read()).failed)


async def test_429_counts_for_all_accounts_at_the_pool(open_account: Open) -> None:
    account, device, clock = await open_account("pool-ocean")
    other = clock.drive(account_at(device, "pool-ocean", username="bc1qother"))
    device.too_many = 90
    with pytest.raises(InvalidReply):
        await account.read()
    device.too_many = None
    with pytest.raises(InvalidReply, match="asks to wait 90 s more"):
        await other.read()
    assert len(device.asked) == 1
    await other.close()


async def test_a_reading_does_not_stand_in_for_ever(open_account: Open) -> None:
    account, device, clock = await open_account("pool-ckpool")
    await account.read()
    device.too_many = 5000
    clock.now += 60
    assert (await account.read()).failed
    clock.now += 800
    assert (await account.read()).failed
    clock.now += 60
    with pytest.raises(InvalidReply, match="asks to wait"):
        await account.read()


def test_retry_after() -> None:
    assert retry_after("120") == 120
    assert retry_after(" 0 ") == 0
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=90)
    date = soon.strftime("%a, %d %b %Y %H:%M:%S GMT")
    assert retry_after(date) == pytest.approx(90, abs=2)
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert retry_after("Wed, 21 Oct 2015 07:28:00 -0000") == 0
    for nonsense in (None, "", "soon", "-5", "1e9", "Wed, 99 Foo 2015", "٣"):
        assert retry_after(nonsense) is None


def test_turns() -> None:
    turns = Turns()
    assert turns.take(10.0, 5.0, latest=16.0) == 10.0
    assert turns.take(11.0, 5.0, latest=16.0) == 15.0
    assert turns.take(11.0, 5.0, latest=16.0) is None
    assert turns.take(21.0, 5.0, latest=16.0) == 21.0, "it is free now"
    assert turns.held(0.0) == 0
    assert turns.hold(100.0, 1e12) == 86_400
    assert turns.hold(100.0, 5.0) == 120, "the second time in a row"


# Web pages and worse.


@pytest.mark.parametrize("status", [200, 403, 404, 429, 502, 503])
@pytest.mark.parametrize("name", NAMES)
async def test_a_web_page_is_no_answer(
    name: str, status: int, open_account: Open
) -> None:
    account, device, clock = await open_account(name)
    before = await account.read()
    device.page = status
    clock.now += 60
    words = "asks to wait" if status == 429 else "answered with a web page"
    if status == 429:
        assert words in str((await account.read()).failed)
    else:
        with pytest.raises(InvalidReply, match=words) as failure:
            await account.read()
        assert "Checking" not in str(failure.value)
        with pytest.raises(InvalidReply, match=words):
            await account.read()
    device.page = None
    clock.now += 61
    after = await account.read()
    assert after.failed == {}
    assert after.hashrate_5m == pytest.approx(before.hashrate_5m, rel=0.05)


@pytest.mark.parametrize("name", NAMES)
async def test_a_page_that_asks_for_a_key(name: str, open_account: Open) -> None:
    account, device, _ = await open_account(name)
    device.page = 401
    with pytest.raises(AuthenticationFailed, match="refused the key"):
        await account.connect()


async def test_a_part_that_this_pool_does_not_have(open_account: Open) -> None:
    account, device, clock = await open_account("pool-public-pool")
    device.gone = (f"/api/client/{ACCOUNT}/chart",)
    for _ in range(50):
        stats = await account.read()
        assert stats.hashrate_5m
        assert stats.hashrate_24h is None
        assert "does not know this request (404)" in stats.failed["chart"]
        clock.now += 60
    assert sum("chart" in path for path in device.paths) == 1


async def test_a_list_without_end(open_account: Open) -> None:
    account, device, _ = await open_account("pool-luxor")
    account._api.spacing = 0.0
    device.workers = [Worker(f"rig{number}", 1.0) for number in range(150)]
    device.most = 1
    stats = await account.read()
    assert len(stats.workers) == 100
    assert "no end" in stats.failed["workers"]


@pytest.mark.parametrize("trouble", [t for t in Trouble if t is not Trouble.NONE])
@pytest.mark.parametrize("name", NAMES)
async def test_trouble(name: str, trouble: Trouble, open_account: Open) -> None:
    account, device, clock = await open_account(name)
    account._api.spacing = 0.0
    before = await account.read()
    account.timeout = account.wire.timeout = 0.3
    device.trouble = trouble
    clock.now += 3000
    started = time.monotonic()
    with pytest.raises((DeviceUnreachable, DeviceTimeout, InvalidReply)) as failure:
        await account.read()
    assert str(failure.value)
    assert time.monotonic() - started < 2
    account.timeout = account.wire.timeout = 20.0
    device.trouble = Trouble.NONE
    clock.now += 60
    after = await account.read()
    assert after.failed == {}
    assert after.hashrate_5m == pytest.approx(before.hashrate_5m, rel=0.05)


@pytest.mark.parametrize("name", SOME)
async def test_a_pool_that_is_away(name: str, open_account: Open) -> None:
    account, device, clock = await open_account(name)
    await account.read()
    await device.stop()
    clock.now += 60
    with pytest.raises(DeviceUnreachable, match=r"refused|reset"):
        await account.read()
    await device.start()
    clock.now += 60
    assert (await account.read()).failed == {}


async def test_a_pool_that_goes_away_in_between(open_account: Open) -> None:
    account, device, _clock = await open_account("pool-ocean")
    sleep = account._api.sleep

    async def vanish(seconds: float) -> None:
        await sleep(seconds)
        device.trouble = Trouble.RESET

    account._api.sleep = vanish
    stats = await account.read()
    assert stats.hashrate_5m
    assert set(stats.failed) == {"workers", "balance", "earnings_24h"}
    assert not any("statsnap" in path or "earnpay" in path for path in device.paths)


@pytest.mark.parametrize("name", NAMES)
async def test_any_bytes(name: str, open_account: Open) -> None:
    account, device, clock = await open_account(name, timeout=2.0)
    account._api.spacing = 0.0

    @settings(
        max_examples=25,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(body=st.binary(max_size=200) | _json())
    def check(body: bytes) -> None:
        bodies.append(body)

    bodies: list[bytes] = []
    check()
    for body in bodies:
        device.body = body
        clock.now += 4000
        try:
            stats = await account.read()
        except MiningSDKError as error:
            assert str(error)
            assert KEY not in str(error)
        else:
            assert isinstance(stats, PoolStats)
            assert to_json(stats)
    device.body = None
    clock.now += 4000
    assert (await account.read()).failed == {}


@pytest.mark.parametrize("name", NAMES)
def test_any_reply(name: str) -> None:
    """Whatever the answers hold, they become stats, and those become JSON."""
    account = driver_of(name)("127.0.0.1", username=ACCOUNT, password=KEY)
    parts = account._parts()

    @settings(max_examples=150, deadline=None)
    @given(st.fixed_dictionaries({part.name: _replies() for part in parts}))
    def check(replies: dict[str, Any]) -> None:
        for part in parts:
            if part.following is not None:
                part.following([replies[part.name]])
                replies[part.name] = [replies[part.name]]
        stats = account._parse(replies, {})
        assert to_json(stats)
        assert stats.hashrate_5m is None or stats.hashrate_5m >= 0

    check()


def _json() -> st.SearchStrategy[bytes]:
    return _replies().map(_dump)


def _replies() -> st.SearchStrategy[Any]:
    """Return JSON that has the keys of pools, and anything below them."""
    keys = st.sampled_from(KEYS)
    leaves = (
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**63)
        | st.floats()
        | st.text(max_size=8)
        | st.sampled_from(["1e999", "4.57G", "-3", "NaN", "2026-01-01T00:00:00"])
    )
    trees = st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4)
        ),
        max_leaves=12,
    )
    return st.dictionaries(keys, trees, min_size=1, max_size=5) | trees


def _dump(value: object) -> bytes:
    return json.dumps(value).encode()


# Where.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("api.pool.example", Endpoint(host="api.pool.example", port=443, secure=True)),
        ("api.pool.example:8443", ("api.pool.example", 8443, True, "")),
        ("http://api.pool.example", ("api.pool.example", 3334, False, "")),
        ("HTTPS://umbrel.local/", ("umbrel.local", 443, True, "")),
        ("umbrel.local:2019", ("umbrel.local", 2019, False, "")),
        ("umbrel", ("umbrel", 3334, False, "")),
        ("192.168.1.5", ("192.168.1.5", 3334, False, "")),
        ("8.8.8.8", ("8.8.8.8", 443, True, "")),
        ("[fd00::5]:81", ("fd00::5", 81, False, "")),
        ("http://u:secret@h.lan:81//a//b/?q=1#f", ("h.lan", 81, False, "/a//b")),
    ],
)
def test_endpoint(text: str, expected: Any) -> None:
    found = endpoint(text, ports=(443, 3334))
    if not isinstance(expected, Endpoint):
        host, port, secure, base = expected
        expected = Endpoint(host=host, port=port, secure=secure, base=base)
    assert found == expected


@pytest.mark.parametrize(
    "text", ["", "ftp://pool", "a b", "pool:0", "http://", "x:y:z"]
)
def test_no_endpoint(text: str) -> None:
    with pytest.raises(InvalidTarget):
        endpoint(text, ports=(443, 80))


def test_no_secret_in_the_complaint_about_an_address() -> None:
    with pytest.raises(InvalidTarget) as failure:
        endpoint("http://user:secret@no host/", ports=(443, 80))
    assert "secret" not in str(failure.value)


def test_secure_can_be_chosen() -> None:
    assert not endpoint("a.example", ports=(443, 80), secure=False).secure
    assert endpoint("127.0.0.1", ports=(443, 80), secure=True).port == 443
    assert endpoint("127.0.0.1", ports=(443, 80), port=99).port == 99


@pytest.mark.parametrize(
    ("host", "public"),
    [
        ("pool.example", True),
        ("pool.example.", True),
        ("1.1.1.1", True),
        ("pool", False),
        ("localhost", False),
        ("pool.local", False),
        ("pool.home.arpa", False),
        ("node.fritz.box", False),
        ("127.8.8.8", False),
        ("10.0.0.1", False),
        ("fd00::1", False),
        ("100.64.0.1", False),
    ],
)
def test_is_public(host: str, public: bool) -> None:
    assert is_public(host) is public


async def test_a_pool_of_ones_own_below_a_base(simulate: Simulate) -> None:
    device = await simulate(POOLS["pool-ckpool"])
    port = device.ports[0] + OFFSET
    driver = driver_of("pool-ckpool")
    account = driver(f"http://{device.host}:{port}/stats/", username=ACCOUNT)
    with pytest.raises(MiningSDKError):
        await account.read()
    assert device.paths == [f"/stats/users/{ACCOUNT}"]
    await account.close()


async def test_accounts_at_two_hosts_are_two(simulate: Simulate) -> None:
    for name, distinct in (("pool-ckpool", True), ("pool-ocean", False)):
        hosts = [loopback_address(), loopback_address()]
        driver = driver_of(name)
        ids = {driver(h, port=9, username="bc1qx").info.unique_id for h in hosts}
        assert len(ids) == (2 if distinct else 1), name
        assert driver(username="bc1qx").info.unique_id == f"{name}:bc1qx"


async def test_names_are_quoted(open_account: Open) -> None:
    account, device, _ = await open_account("pool-ckpool", username="a/../b?c=d%2F")
    with pytest.raises(AuthenticationFailed):
        await account.connect()
    assert device.paths == ["/users/a%2F..%2Fb%3Fc%3Dd%252F"]


@pytest.mark.parametrize("name", NAMES)
async def test_the_default_host(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the name of the pool's own host is looked up, and here not found."""
    looked_up: list[object] = []

    def unknown(host: object, *_: object, **__: object) -> None:
        looked_up.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    driver = driver_of(name)
    account = driver(username=ACCOUNT, password=KEY)
    with pytest.raises(DeviceUnreachable, match="unknown host name"):
        await account.read()
    assert set(looked_up) == {driver.default_host}
    await account.close()


@pytest.mark.parametrize("name", NAMES)
async def test_by_the_front_door(name: str, simulate: Simulate) -> None:
    """What the command line does, with a name and an address."""
    device = await simulate(POOLS[name])
    account = await connect(
        f"{device.host}:{device.ports[0] + OFFSET}",
        driver=name,
        username=ACCOUNT,
        password=KEY,
    )
    assert isinstance(account, PoolAccount)
    account._api.sleep = Clock().sleep  # type: ignore[assignment]
    assert (await account.read()).hashrate_5m
    await account.close()


# Https.


@pytest.fixture
async def https(tmp_path: Path) -> AsyncGenerator[tuple[str, int, ssl.SSLContext]]:
    """Serve a CKPool account by https, with a certificate of our own making."""
    host = loopback_address()
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pool")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "pool.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)
    trusting = ssl.create_default_context(cafile=str(pem))

    async def user(request: web.Request) -> web.Response:
        return web.json_response({"hashrate5m": "2T", "worker": []})

    app = web.Application()
    app.router.add_get("/users/{user}", user)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, host, 20443, ssl_context=context)
    await site.start()
    yield host, 20443, trusting
    await runner.cleanup()


async def test_https(https: tuple[str, int, ssl.SSLContext]) -> None:
    host, port, trusting = https
    connector = aiohttp.TCPConnector(ssl=trusting)
    driver = driver_of("pool-ckpool")
    async with aiohttp.ClientSession(connector=connector) as session:
        account = driver(
            host, port=port, username=ACCOUNT, secure=True, session=session
        )
        assert (await account.read()).hashrate_5m == 2
        await account.close()
        assert not session.closed


async def test_a_certificate_that_nobody_trusts(
    https: tuple[str, int, ssl.SSLContext],
) -> None:
    host, port, _ = https
    driver = driver_of("pool-ckpool")
    account = driver(f"https://{host}:{port}", username=ACCOUNT)
    with pytest.raises(DeviceUnreachable, match="certificate is not trusted"):
        await account.read()
    await account.close()


class Resolver(aiohttp.abc.AbstractResolver):
    """Finds every name on one loopback address."""

    def __init__(self, address: str) -> None:
        self.address = address

    @override
    async def resolve(
        self, host: str, port: int = 0, family: int = socket.AF_INET
    ) -> list[aiohttp.abc.ResolveResult]:
        return [
            aiohttp.abc.ResolveResult(
                hostname=host,
                host=self.address,
                port=port,
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    @override
    async def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("name", "works"), [("pool.local", True), ("pool.example", False)]
)
async def test_a_session_that_trusts_anybody_does_so_at_home_only(
    name: str, works: bool, https: tuple[str, int, ssl.SSLContext]
) -> None:
    """Home Assistant's session for devices takes any certificate."""
    address, port, _ = https
    connector = aiohttp.TCPConnector(ssl=False, resolver=Resolver(address))
    driver = driver_of("pool-ckpool")
    async with aiohttp.ClientSession(connector=connector) as session:
        account = driver(
            name, port=port, username=ACCOUNT, secure=True, session=session
        )
        if works:
            assert (await account.read()).hashrate_5m == 2
        else:
            with pytest.raises(DeviceUnreachable, match="certificate is not trusted"):
                await account.read()


async def test_https_to_who_speaks_http(simulate: Simulate) -> None:
    device = await simulate(POOLS["pool-ckpool"])
    account = account_at(device, "pool-ckpool", secure=True)
    with pytest.raises(DeviceUnreachable):
        await account.read()
    await account.close()

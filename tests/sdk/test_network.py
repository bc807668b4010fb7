"""The network as a mempool tells it."""

from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime
import itertools
import json
import socket
import time
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.miningsdk.sdk import (
    DeviceTimeout,
    DeviceUnreachable,
    InvalidReply,
    MiningSDKError,
    NotSupported,
    to_json,
)
from custom_components.miningsdk.sdk.network import (
    Network,
    NetworkStats,
    read_network,
    subsidy_of,
)
from custom_components.miningsdk.sdk.targets import InvalidTarget
from tests.conftest import OFFSET, Simulate
from tests.sdk.patience import Clock
from tests.simulators.base import Trouble
from tests.simulators.mempool import SimulatedMempool

PORT = 80 + OFFSET
PARTS = {
    "block_height",
    "fees",
    "next_adjustment",
    "prices",
    "difficulty",
    "block_reward",
}

type Open = Callable[..., Any]


@pytest.fixture(autouse=True)
def nothing_but_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail when any name is looked up: mempool.space must not be asked."""

    def refuse(host: object, *_: object, **__: object) -> None:
        pytest.fail(f"somebody looked up {host!r}")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
async def open_network(simulate: Simulate) -> AsyncGenerator[Open]:
    """Return a function that starts a mempool and a reader of it."""
    networks: list[Network] = []

    async def make(
        timeout: float = 20.0,  # noqa: ASYNC109
        **options: Any,
    ) -> tuple[Network, SimulatedMempool, Clock]:
        clock = Clock()
        device = await simulate(SimulatedMempool, clock=clock, **options)
        network = Network(f"{device.host}:{PORT}", timeout=timeout)
        networks.append(network)
        return clock.drive(network), device, clock

    yield make
    for network in networks:
        await network.close()


async def test_stats(open_network: Open) -> None:
    network, device, _ = await open_network()
    async with network:
        stats = await network.read()
    assert stats == NetworkStats(
        difficulty=1.2e14,
        network_hashrate=859_012_300.0,
        block_height=955_000,
        block_subsidy=3.125,
        block_reward=3.14,
        fee_fastest=5,
        fee_half_hour=3,
        fee_hour=2,
        fee_economy=1,
        next_adjustment=datetime.fromtimestamp(device.retarget, UTC),
        next_adjustment_change=-1.23,
        next_adjustment_blocks=1121,
        prices={"USD": 100_000.0, "EUR": 90_000.0},
        failed={},
    )
    assert stats.hashprice == pytest.approx(5.2638352e-7)
    assert stats.price("eur") == 90_000
    assert stats.price("BTC") == 1
    assert stats.price("JPY") is None, "the server says -1 when it does not know"
    assert json.loads(to_json(stats))["next_adjustment"].endswith("Z")
    assert len(device.asked) == 6


async def test_old_instances_count_in_seconds(open_network: Open) -> None:
    network, device, _ = await open_network(old=True)
    stats = await network.read()
    assert stats.next_adjustment == datetime.fromtimestamp(device.retarget, UTC)


async def test_nothing_is_asked_more_often_than_it_changes(open_network: Open) -> None:
    network, device, clock = await open_network()
    for _ in range(60):
        await network.read()
        clock.now += 60
    counts = {path: device.paths.count(path) for path in set(device.paths)}
    assert counts == {
        "/api/blocks/tip/height": 30,
        "/api/v1/fees/recommended": 30,
        "/api/v1/difficulty-adjustment": 12,
        "/api/v1/prices": 12,
        "/api/v1/mining/hashrate/3d": 2,
        "/api/v1/mining/reward-stats/144": 2,
    }
    times = [at for _, at in device.asked]
    assert all(b - a >= 1 for a, b in itertools.pairwise(times))


@pytest.mark.parametrize("part", ["prices", "fees", "difficulty"])
async def test_one_part_that_fails(part: str, open_network: Open) -> None:
    network, device, clock = await open_network()
    paths = {
        "prices": "/api/v1/prices",
        "fees": "/api/v1/fees",
        "difficulty": "/api/v1/mining/hashrate",
    }
    device.broken = (paths[part],)
    stats = await network.read()
    assert set(stats.failed) == {part}
    assert "HTTP status 500" in stats.failed[part]
    assert (stats.hashprice is None) == (part == "difficulty")
    assert (stats.price("USD") is None) == (part == "prices")
    assert stats.block_height == 955_000
    device.broken = ()
    clock.now += 301
    assert (await network.read()).failed == {}


async def test_an_instance_without_mining(open_network: Open) -> None:
    network, device, clock = await open_network(without=("/v1/mining", "/v1/prices"))
    for _ in range(10):
        stats = await network.read()
        assert set(stats.failed) == {"prices", "difficulty", "block_reward"}
        assert stats.block_subsidy == 3.125
        clock.now += 60
    assert sum("mining" in path for path in device.paths) == 2, "it said it has none"


async def test_429_is_honoured(open_network: Open) -> None:
    network, device, clock = await open_network()
    before = await network.read()
    device.too_many = 400
    clock.now += 310
    asked = len(device.asked)
    stats = await network.read()
    assert len(device.asked) == asked + 1
    assert stats.block_height == before.block_height
    assert set(stats.failed) == {"block_height", "fees", "next_adjustment", "prices"}
    assert "asks to wait" in stats.failed["prices"]
    device.too_many = None
    clock.now += 380
    await network.read()
    assert len(device.asked) == asked + 1
    clock.now += 30
    assert (await network.read()).failed == {}


async def test_429_at_first(open_network: Open) -> None:
    network, device, clock = await open_network()
    device.too_many = 30
    with pytest.raises(InvalidReply, match="asks to wait 30 s"):
        await network.read()
    assert len(device.asked) == 1
    device.too_many = None
    clock.now += 31
    assert (await network.read()).failed == {}


async def test_a_web_page(open_network: Open) -> None:
    network, device, clock = await open_network()
    device.page = 502
    with pytest.raises(InvalidReply, match="web page"):
        await network.read()
    device.page = None
    clock.now += 301
    assert (await network.read()).failed == {}


async def test_without_internet(open_network: Open) -> None:
    network, device, clock = await open_network()
    await network.read()
    await device.stop()
    clock.now += 400
    stats = await network.read()
    assert stats.hashprice is not None, "what was read a while ago still holds"
    assert set(stats.failed) == {"block_height", "fees", "next_adjustment", "prices"}
    clock.now += 3000
    with pytest.raises(DeviceUnreachable):
        await network.read()
    await device.start()
    assert (await network.read()).failed == {}


@pytest.mark.parametrize("trouble", [t for t in Trouble if t is not Trouble.NONE])
async def test_trouble(trouble: Trouble, open_network: Open) -> None:
    network, device, clock = await open_network()
    network._api.spacing = 0.0
    await network.read()
    network.timeout = network.wire.timeout = 0.3
    device.trouble = trouble
    clock.now += 5000
    started = time.monotonic()
    with pytest.raises((DeviceUnreachable, DeviceTimeout, InvalidReply)) as failure:
        await network.read()
    assert str(failure.value)
    assert time.monotonic() - started < 2
    network.timeout = network.wire.timeout = 20.0
    device.trouble = Trouble.NONE
    clock.now += 301
    assert (await network.read()).failed == {}


async def test_a_slow_server(open_network: Open) -> None:
    """What came before the time was up is told."""
    network, device, clock = await open_network(timeout=0.5)
    network._api.spacing = 0.0
    device.delay = 0.2
    stats = await network.read()
    assert stats.difficulty == 1.2e14
    assert "no whole answer" in stats.failed["network"]
    device.delay = 0.0
    clock.now += 1
    assert (await network.read()).failed == {}


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(sorted(PARTS)),
        st.dictionaries(
            st.sampled_from(
                [
                    "currentHashrate",
                    "currentDifficulty",
                    "startBlock",
                    "endBlock",
                    "totalReward",
                    "fastestFee",
                    "estimatedRetargetDate",
                    "remainingBlocks",
                    "USD",
                    "EUR",
                ]
            ),
            st.none() | st.text(max_size=5) | st.integers() | st.floats(),
        ),
    )
)
def test_any_reply(replies: dict[str, Any]) -> None:
    stats = read_network(replies, {})
    assert to_json(stats)
    assert stats.hashprice is None or stats.hashprice >= 0


@pytest.mark.parametrize("body", [b"", b"null", b"-", b"[]", b'"x"', b"1.5", b"true"])
async def test_a_height_that_is_none(body: bytes, open_network: Open) -> None:
    network, device, _ = await open_network()
    device.body = body
    with pytest.raises(MiningSDKError):
        await network.read()


async def test_recorded_replies(
    open_network: Open, example: Callable[[str], bytes]
) -> None:
    network, device, _ = await open_network(height=736_655)
    for path, file in (
        ("/v1/difficulty-adjustment", "difficulty-adjustment"),
        ("/v1/fees/recommended", "fees-recommended"),
        ("/v1/mining/hashrate/3d", "mining-hashrate-3d"),
        ("/v1/mining/reward-stats/144", "mining-reward-stats-100"),
        ("/v1/prices", "prices"),
    ):
        device.answer_with(
            f"/api{path}", json.loads(example(f"network/mempool/{file}.json"))
        )
    stats = await network.read()
    assert stats.failed == {}
    assert stats.difficulty == 31_251_101_365_711.12
    assert stats.network_hashrate == 252_033_247.3552
    assert stats.block_subsidy == 6.25
    assert stats.block_reward == 6.38117483
    assert stats.fee_fastest == 1
    assert stats.next_adjustment == datetime(2021, 7, 31, 20, 14, 38, tzinfo=UTC)
    assert stats.next_adjustment_change == 98.46
    assert stats.next_adjustment_blocks == 1121
    assert stats.price("JPY") == 6_218_915
    assert len(stats.prices) == 7


@pytest.mark.parametrize(
    ("height", "subsidy"),
    [
        (0, 50.0),
        (209_999, 50.0),
        (210_000, 25.0),
        (840_000, 3.125),
        (1_050_000, 1.5625),
        (6_719_999, 0.00000002),
        (6_930_000, 0.0),
        (10**12, 0.0),
        (-1, 50.0),
    ],
)
def test_subsidy(height: int, subsidy: float) -> None:
    assert subsidy_of(height) == subsidy


def test_where() -> None:
    public = Network()
    assert public.endpoint.host == "mempool.space"
    assert public.endpoint.secure
    assert (public.endpoint.port, public.endpoint.base) == (443, "/api")
    own = Network("umbrel.local:3006").endpoint
    assert (own.host, own.port, own.secure, own.base) == (
        "umbrel.local",
        3006,
        False,
        "/api",
    )
    assert Network("http://h.lan/").endpoint.base == "/api"
    assert Network("https://h.lan/mempool/api/").endpoint.base == "/mempool/api"
    assert Network("192.168.1.9", secure=True).endpoint.port == 443
    with pytest.raises(InvalidTarget):
        Network("ftp://mempool")


async def test_a_base_that_is_wrong(open_network: Open, simulate: Simulate) -> None:
    device = await simulate(SimulatedMempool)
    async with Network(f"http://{device.host}:{PORT}/elsewhere") as network:
        Clock().drive(network)
        with pytest.raises(NotSupported, match="does not know"):
            await network.read()

"""The Bitcoin network: difficulty, fees, price, and what a hash is worth in it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

import aiohttp

from .economics import hashprice_btc
from .errors import DeviceTimeout, InvalidReply, NotSupported
from .fields import Fields
from .parts import Part, Parts
from .pool_values import HASH, SATOSHI, bitcoin, moment, rate
from .transports.web_api import WEB_PORTS, WebApi, endpoint
from .transports.wire import Wire

MEMPOOL_SPACE = "https://mempool.space/api"
_BASE = "/api"
_SPACING = 1.0
_HALVING = 210_000
_FIRST_SUBSIDY = 5_000_000_000  # satoshis
_CURRENCY_LETTERS = 3

_HEIGHT = Part(name="block_height", path="/blocks/tip/height", every=115)
_FEES = Part(
    name="fees", path="/v1/fees/recommended", every=115, expects=("fastestFee",)
)
_ADJUSTMENT = Part(
    name="next_adjustment",
    path="/v1/difficulty-adjustment",
    every=295,
    expects=("remainingBlocks", "difficultyChange"),
)
_PRICES = Part(name="prices", path="/v1/prices", every=295, expects=("USD", "EUR"))
_HASHRATE = Part(
    name="difficulty",
    path="/v1/mining/hashrate/3d",
    every=1795,
    expects=("currentDifficulty", "currentHashrate"),
)
_REWARD = Part(
    name="block_reward",
    path="/v1/mining/reward-stats/144",
    every=1795,
    expects=("totalReward",),
)
_PARTS = (_HASHRATE, _REWARD, _PRICES, _HEIGHT, _FEES, _ADJUSTMENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkStats:
    """One reading of the Bitcoin network.

    ``network_hashrate`` TH/s; ``block_subsidy`` BTC; ``block_reward`` BTC, subsidy and
    fees, the mean of the last 144 blocks; fees sat/vB; ``next_adjustment_change`` %;
    ``next_adjustment_blocks`` blocks that are still to come; ``prices`` of one BTC by
    currency (``"EUR"``); times in UTC. ``failed`` names what could not be read, and
    why.
    """

    difficulty: float | None = None
    network_hashrate: float | None = None
    block_height: int | None = None
    block_subsidy: float | None = None
    block_reward: float | None = None
    fee_fastest: float | None = None
    fee_half_hour: float | None = None
    fee_hour: float | None = None
    fee_economy: float | None = None
    next_adjustment: datetime | None = None
    next_adjustment_change: float | None = None
    next_adjustment_blocks: int | None = None
    prices: Mapping[str, float] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)

    @property
    def hashprice(self) -> float | None:
        """Return what 1 TH/s earns in a day, in BTC."""
        return hashprice_btc(self.difficulty, self.block_reward)

    def price(self, currency: str) -> float | None:
        """Return the price of one BTC in a currency; 1 for BTC itself."""
        wanted = currency.strip().upper()
        return 1.0 if wanted == "BTC" else self.prices.get(wanted)


class Network:
    """The network as mempool.space, or a mempool of one's own, tells it.

    Each fact is asked for no more often than the server renews it: height and fees
    every 2 minutes, difficulty adjustment and prices every 5, hashrate and rewards
    every 30; requests are 1 s apart. HTTP status 429 is honoured for as long as the
    server asks. What fails leaves the rest alone: its last answer stands in for up to
    15 minutes more, with a note in ``failed``. Source: protocols.md 14.
    """

    def __init__(
        self,
        url: str = MEMPOOL_SPACE,
        *,
        secure: bool | None = None,
        session: aiohttp.ClientSession | None = None,
        connect_timeout: float = 5.0,
        timeout: float = 20.0,
    ) -> None:
        """Describe the server without asking it.

        ``url`` may be ``umbrel.local:3006`` or ``http://host/base``; its API is below
        ``/api`` unless a base is given. ``secure`` is that of ``PoolAccount``.

        Raises:
            InvalidTarget: ``url`` is no address of a server.
        """
        text = url.strip().rstrip("/")
        if "/" not in text.rpartition("://")[2]:
            text += _BASE
        self.endpoint = endpoint(text, ports=WEB_PORTS, secure=secure)
        self.timeout = timeout
        self.wire = Wire(
            host=self.endpoint.host,
            connect_timeout=connect_timeout,
            timeout=timeout,
            session=session,
        )
        self._api = WebApi(self.wire, self.endpoint, spacing=_SPACING)
        self._replies = Parts(self._api, self._fetch)
        self._lock = asyncio.Lock()

    async def read(self) -> NetworkStats:
        """Read the network; what is still fresh is not asked for again.

        Raises:
            DeviceUnreachable, DeviceTimeout, InvalidReply: nothing at all is known;
                the text is that of the first part that failed.
        """
        failed: dict[str, str] = {}
        async with self._lock:
            self._api.begin()
            try:
                async with asyncio.timeout(self.timeout):
                    await self._replies.gather(_PARTS, failed)
            except TimeoutError:
                late = f"{self.wire.host}: no whole answer in {self.timeout:g} s"
                failed["network"] = late
        replies = self._replies.known(_PARTS)
        if not replies:
            raise self._replies.last_error or DeviceTimeout(failed["network"])
        return read_network(replies, failed)

    async def close(self) -> None:
        """Close what was opened here; a given session stays open."""
        await self.wire.close()

    async def __aenter__(self) -> Self:
        """Begin; nothing is asked yet."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close."""
        await self.close()

    async def _fetch(self, part: Part, path: str) -> Any:
        response = await self._api.ask("GET", path)
        host = self.wire.host
        if response.status in (404, 405, 501):
            raise NotSupported(f"{host} does not know {path} ({response.status})")
        if response.status >= 300:
            raise InvalidReply(f"{host} answered with HTTP status {response.status}")
        reply = response.json()
        ok = type(reply) is int if part is _HEIGHT else part.accepts(reply)
        if not ok:
            raise InvalidReply(f"{host} answered something else than {path}")
        return reply


def read_network(replies: Mapping[str, Any], failed: dict[str, str]) -> NetworkStats:
    """Make stats of the answers of a mempool, by the names of their parts."""
    hashrate = Fields(replies.get(_HASHRATE.name), failed)
    reward = Fields(replies.get(_REWARD.name), failed)
    fees = Fields(replies.get(_FEES.name), failed)
    adjustment = Fields(replies.get(_ADJUSTMENT.name), failed)
    height = Fields(replies, failed).integer(_HEIGHT.name)
    return NetworkStats(
        difficulty=hashrate.number("currentDifficulty", field="difficulty"),
        network_hashrate=rate(
            hashrate, "currentHashrate", scale=HASH, field="network_hashrate"
        ),
        block_height=height,
        block_subsidy=None if height is None else subsidy_of(height),
        block_reward=_mean_reward(reward),
        fee_fastest=fees.number("fastestFee", field="fee_fastest"),
        fee_half_hour=fees.number("halfHourFee", field="fee_half_hour"),
        fee_hour=fees.number("hourFee", field="fee_hour"),
        fee_economy=fees.number("economyFee", field="fee_economy"),
        next_adjustment=moment(adjustment.data.get("estimatedRetargetDate")),
        next_adjustment_change=adjustment.number(
            "difficultyChange", field="next_adjustment_change", digits=2
        ),
        next_adjustment_blocks=adjustment.integer(
            "remainingBlocks", field="next_adjustment_blocks"
        ),
        prices=_prices(Fields(replies.get(_PRICES.name), failed)),
        failed=failed,
    )


def subsidy_of(height: int) -> float:
    """Return the subsidy of the block at a height in BTC: halved every 210,000."""
    halvings = min(max(0, height) // _HALVING, 64)
    return round((_FIRST_SUBSIDY >> halvings) * SATOSHI, 8)


def _mean_reward(reward: Fields) -> float | None:
    """Return the mean reward of the blocks that were counted, in BTC."""
    first = reward.integer("startBlock", field="block_reward")
    last = reward.integer("endBlock", field="block_reward")
    earned = bitcoin(reward, "totalReward", field="block_reward", scale=SATOSHI)
    if first is None or last is None or earned is None or last < first:
        return None
    return round(earned / (last - first + 1), 8)


def _prices(reply: Fields) -> dict[str, float]:
    """Return the prices that are known; the server says -1 for those that are not."""
    found = {}
    for key in reply.data:
        if len(key) == _CURRENCY_LETTERS and key.isupper():
            price = reply.number(key, field="prices")
            if price is not None and price > 0:
                found[key] = price
    return found

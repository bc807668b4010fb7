"""A simulated mempool: the part of its API that tells of mining."""

from collections.abc import Callable
import time
from typing import Any, ClassVar, override

from aiohttp import web

from tests.simulators._pool_base import SimulatedPool


class SimulatedMempool(SimulatedPool):
    """mempool.space, or a mempool of one's own.

    ``old`` writes the adjustment in seconds as documented of old; ``without`` names
    the routes that this instance does not have. Limits are those of ``SimulatedPool``.
    """

    ports: ClassVar[tuple[int, ...]] = (80,)

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        offset: int = 0,
        height: int = 955_000,
        difficulty: float = 1.2e14,
        reward: int = 45_216_000_000,
        price: float = 100_000.0,
        base: str = "/api",
        old: bool = False,
        without: tuple[str, ...] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Describe an instance that is not running yet; ``reward`` is that of 144."""
        super().__init__(host, offset=offset, clock=clock)
        self.height = height
        self.difficulty = difficulty
        self.reward = reward
        self.price = price
        self.old = old
        self.retarget = 1_790_000_000
        self._base = base
        self._without = without

    @override
    def routes(self) -> list[web.AbstractRouteDef]:
        answers: dict[str, Callable[[], Any]] = {
            "/blocks/tip/height": lambda: str(self.height),
            "/v1/fees/recommended": self._fees,
            "/v1/difficulty-adjustment": self._adjustment,
            "/v1/prices": self._prices,
            "/v1/mining/hashrate/3d": self._hashrate,
            "/v1/mining/reward-stats/144": self._rewards,
        }
        return [
            web.get(f"{self._base}{path}", self._handler(answer))
            for path, answer in answers.items()
            if not path.startswith(self._without or ("\0",))
        ]

    @staticmethod
    def _handler(answer: Callable[[], Any]) -> Any:
        async def handle(request: web.Request) -> web.Response:
            reply = answer()
            if isinstance(reply, str):
                return web.Response(text=reply, content_type="text/plain")
            return web.json_response(reply)

        return handle

    @staticmethod
    def _fees() -> dict[str, Any]:
        return {
            "fastestFee": 5,
            "halfHourFee": 3,
            "hourFee": 2,
            "economyFee": 1,
            "minimumFee": 1,
        }

    def _adjustment(self) -> dict[str, Any]:
        unit = 1 if self.old else 1000
        return {
            "progressPercent": 44.397,
            "difficultyChange": -1.2345,
            "estimatedRetargetDate": self.retarget * unit,
            "remainingBlocks": 1121,
            "remainingTime": 665_977 * unit,
            "previousRetarget": 4.8,
            "nextRetargetHeight": self.height + 1121,
            "timeAvg": 594 * unit,
        }

    def _prices(self) -> dict[str, Any]:
        return {"time": 1_790_000_000, "USD": self.price, "EUR": 90_000, "JPY": -1}

    def _hashrate(self) -> dict[str, Any]:
        return {
            "hashrates": [{"timestamp": 1_790_000_000, "avgHashrate": 8.6e20}],
            "difficulty": [{"time": 1_790_000_000, "difficulty": self.difficulty}],
            "currentHashrate": 8.590123e20,
            "currentDifficulty": self.difficulty,
        }

    def _rewards(self) -> dict[str, Any]:
        return {
            "startBlock": self.height - 143,
            "endBlock": self.height,
            "totalReward": str(self.reward),
            "totalFee": "216000000",
            "totalTx": "500000",
        }

"""What all simulated pools share: accounts, keys, limits and their bad days."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
import math
import time
from typing import Any, ClassVar, override

from aiohttp import web
from aiohttp.typedefs import Handler

from tests.simulators.base import SimulatedDevice

ACCOUNT = "bc1qsimulatedaccount00000000000000000000"
KEY = "k3y-0f-A-simulated-account"
ERROR_PAGE = (
    "<!DOCTYPE html>\n<html><head><title>Just a moment...</title></head>"
    "<body>Checking your browser</body></html>"
)


@dataclass
class Worker:
    """One worker as the pool knows it: TH/s, and seconds since its last share."""

    name: str
    rate: float
    online: bool = True
    share_age: float = 20.0


def fleet() -> list[Worker]:
    """Return two miners that work and one that was switched off."""
    return [
        Worker("rig1", 100.0, share_age=4),
        Worker("rig2", 50.5),
        Worker("rig3", 0.0, online=False, share_age=86_400),
    ]


class SimulatedPool(SimulatedDevice):
    """The API of a pool with one account.

    ``too_many`` seconds are answered with status 429 and ``Retry-After`` (``0``: no
    such header); ``page`` is the status of an error page in HTML; ``broken`` and
    ``gone`` name paths (their beginning) that answer with status 500 and 404.
    Requests closer than ``spacing`` seconds, by ``clock``, are dropped without an
    answer. ``asked`` lists what was asked, and when.
    """

    ports: ClassVar[tuple[int, ...]] = (443,)
    key_header: ClassVar[str | None] = None

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        offset: int = 0,
        account: str = ACCOUNT,
        key: str = KEY,
        workers: list[Worker] | None = None,
        seed: int = 1,
        wander: float = 0.02,
        spacing: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Describe a pool that is not open yet; ``wander`` is that of the hashrate."""
        super().__init__(host, offset=offset)
        self.account = account
        self.key = key
        self.workers = fleet() if workers is None else workers
        self.balance = 0.01234567
        self.paid = 1.5
        self.earned = 0.00012345
        self.expected = 0.0002
        self.too_many: float | None = None
        self.page: int | None = None
        self.broken: tuple[str, ...] = ()
        self.gone: tuple[str, ...] = ()
        self.spacing = spacing
        self.clock = clock
        self.asked: list[tuple[str, float]] = []
        self._seed = seed
        self._wander = wander
        self._replies: dict[str, Any] = {}

    @abstractmethod
    def routes(self) -> list[web.AbstractRouteDef]:
        """Return what the pool answers where."""

    @override
    async def start(self) -> None:
        app = web.Application(middlewares=[self._limits, self._guard])
        app.add_routes(self.routes())
        await self.serve_http(self.ports[0], app)

    @property
    def paths(self) -> list[str]:
        """Return the paths that were asked, in order."""
        return [path for path, _ in self.asked]

    def answer_with(self, path: str, reply: Any) -> None:
        """Have a path answer with a recorded reply."""
        self._replies[path] = reply

    def wandering(self, rate: float) -> float:
        """Return a hashrate that is never quite the same, in TH/s."""
        phase = self._seed * 0.7 + self.requests * 0.31
        return rate * (1 + self._wander * math.sin(phase))

    def rate_of(self, worker: Worker) -> int:
        """Return the hashrate of a worker in H/s."""
        return round(self.wandering(worker.rate) * 1e12)

    @property
    def total(self) -> int:
        """Return the hashrate of the account in H/s."""
        return sum(self.rate_of(worker) for worker in self.workers)

    @property
    def online(self) -> int:
        """Return how many workers are at work."""
        return sum(worker.online for worker in self.workers)

    @staticmethod
    def share_at(worker: Worker) -> int:
        """Return when the last share of a worker came, in Unix seconds."""
        return int(time.time() - worker.share_age)

    def share_iso(self, worker: Worker) -> str:
        """Return when the last share of a worker came, in ISO 8601."""
        found = datetime.fromtimestamp(self.share_at(worker), UTC)
        return found.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def refuse(self) -> web.Response:
        """Return what the pool says to a wrong key."""
        return web.json_response({"message": "Unauthorized"}, status=401)

    @web.middleware
    async def _limits(
        self, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        now = self.clock()
        last = self.asked[-1][1] if self.asked else -math.inf
        self.asked.append((request.raw_path.partition("?")[0], now))
        if self.too_many is not None:
            wait = {"Retry-After": f"{self.too_many:.0f}"} if self.too_many else {}
            return web.json_response(
                {"error": "Too Many Requests"}, status=429, headers=wait
            )
        if now - last < self.spacing and request.transport is not None:
            request.transport.abort()
            raise web.HTTPTooManyRequests
        if self.page is not None:
            return web.Response(
                status=self.page, text=ERROR_PAGE, content_type="text/html"
            )
        return await handler(request)

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        header = self.key_header
        if header is not None and request.headers.get(header) != self.key:
            return self.refuse()
        if request.path.startswith(self.broken or ("\0",)):
            return web.json_response({"error": "internal"}, status=500)
        if request.path.startswith(self.gone or ("\0",)):
            return web.Response(status=404, text="404: Not Found")
        if request.path in self._replies:
            return web.json_response(self._replies[request.path])
        return await handler(request)

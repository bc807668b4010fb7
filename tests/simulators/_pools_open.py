"""Simulated pools that anybody may ask about an address."""

from datetime import UTC, datetime, timedelta
import time
from typing import Any, ClassVar, override

from aiohttp import web

from tests.simulators._pool_base import SimulatedPool, Worker

_SUFFIXES = ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "K"))


class SimulatedOcean(SimulatedPool):
    """OCEAN's API: numbers are text, as since 2026, unless ``numeric`` is set."""

    numeric = False

    @override
    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get("/v1/user_hashrate/{user}", self._hashrate),
            web.get("/v1/user_hashrate_full/{user}", self._full),
            web.get("/v1/statsnap/{user}", self._snapshot),
            web.get("/v1/earnpay/{user}/{start}/{end}", self._earnings),
        ]

    def _answer(self, request: web.Request, result: Any) -> web.Response:
        if request.match_info["user"] != self.account:
            error = "No such user or user has no active workers"
            return web.json_response({"error": error})
        return web.json_response({"result": result})

    def _number(self, value: float) -> float | str:
        if self.numeric:
            return value
        text = f"{value:.8f}"
        return text.rstrip("0").rstrip(".") if "." in text else text

    def _windows(self, rate: int) -> dict[str, Any]:
        spans = (60, 300, 600, 1800, 3600, 10_800, 43_200, 86_400)
        return {f"hashrate_{span}s": self._number(rate) for span in spans}

    async def _hashrate(self, request: web.Request) -> web.Response:
        result = {
            "snap_ts": self._number(int(time.time())),
            **self._windows(self.total),
            "active_worker_count": self.online,
            "lastest_share_ts": self._number(
                max(map(self.share_at, self.workers), default=0)
            ),
        }
        return self._answer(request, result)

    async def _full(self, request: web.Request) -> web.Response:
        workers = {w.name: [self._windows(self.rate_of(w))] for w in self.workers}
        snap = self._number(int(time.time()))
        return self._answer(request, {"snap_ts": snap, "workers": workers})

    async def _snapshot(self, request: web.Request) -> web.Response:
        result = {
            "snap_type": "user",
            "hashrate_60s": self._number(self.total),
            "hashrate_300s": self._number(self.total),
            "lastest_share_ts": self._number(int(time.time())),
            "estimated_earn_next_block": self._number(0.0001),
            "unpaid": self._number(self.balance),
        }
        return self._answer(request, result)

    async def _earnings(self, request: web.Request) -> web.Response:
        start, end = (int(request.match_info[key]) for key in ("start", "end"))
        assert end - start == 86_400
        halves = (round(self.earned * 1e8) // 2, -(-round(self.earned * 1e8) // 2))
        earnings = [
            {
                "block_hash": f"{number:064x}",
                "ts": "2026-01-01T00:00:00",
                "satoshis_net_earned": amount if number else str(amount),
            }
            for number, amount in enumerate(halves)
        ]
        result = {"start_ts": start, "end_ts": end, "earnings": earnings}
        return self._answer(request, {**result, "payouts": []})


class SimulatedCKPool(SimulatedPool):
    """The statistics that CKPool writes, behind a web server."""

    @override
    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get("/users/{user}", self._user),
            web.get("/pool/pool.status", self._status),
        ]

    @staticmethod
    def _suffixed(rate: float) -> str:
        for size, suffix in _SUFFIXES:
            if rate >= size:
                return f"{rate / size:.3g}{suffix}"
        return f"{rate:.0f}"

    def _rates(self, rate: float) -> dict[str, str]:
        spans = ("1m", "5m", "1hr", "1d", "7d")
        return {f"hashrate{span}": self._suffixed(rate) for span in spans}

    async def _user(self, request: web.Request) -> web.Response:
        if request.match_info["user"] != self.account:
            return web.Response(status=404, text="404 Not Found")
        reply = {
            **self._rates(self.total),
            "lastshare": max(map(self.share_at, self.workers), default=0),
            "workers": self.online,
            "shares": 7_831_260_707 + self.requests,
            "bestshare": 137_427_866_914_851.2,
            "bestever": 137_427_866_914_851,
            "authorised": 1_721_981_103,
            "worker": [self._worker(worker) for worker in self.workers],
        }
        return web.json_response(reply, content_type="application/octet-stream")

    def _worker(self, worker: Worker) -> dict[str, Any]:
        return {
            "workername": f"{self.account}.{worker.name}",
            **self._rates(self.rate_of(worker)),
            "lastshare": self.share_at(worker),
            "shares": 10_267,
            "bestshare": 203_034.4,
            "bestever": 203_034,
        }

    async def _status(self, request: web.Request) -> web.Response:
        lines = '{"runtime": 9240}\n{"hashrate1m": "1.71T"}\n{"diff": 0.24}\n'
        return web.Response(text=lines)


class SimulatedPublicPool(SimulatedPool):
    """Public-Pool's API: it lists who is connected, and nobody else."""

    ports: ClassVar[tuple[int, ...]] = (3334,)

    @override
    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get("/api/client/{user}", self._client),
            web.get("/api/client/{user}/chart", self._chart),
        ]

    async def _client(self, request: web.Request) -> web.Response:
        known = request.match_info["user"] == self.account
        workers = [w for w in self.workers if w.online and known]
        reply = {
            "bestDifficulty": 71.238 if known else None,
            "workersCount": len(workers),
            "workers": [
                {
                    "sessionId": f"c068be{number:02x}",
                    "name": worker.name,
                    "bestDifficulty": "71.24",
                    "hashRate": self.rate_of(worker),
                    "startTime": "2025-01-01T00:00:00.000Z",
                    "lastSeen": self.share_iso(worker),
                }
                for number, worker in enumerate(workers)
            ],
        }
        return web.json_response(reply)

    async def _chart(self, request: web.Request) -> web.Response:
        """Answer with six hours of ten-minute slots: the miners are new."""
        now = datetime.now(UTC).replace(second=0, microsecond=0)
        slots = [
            {
                "label": (now - timedelta(minutes=10 * n)).isoformat(),
                "data": self.total,
            }
            for n in range(36)
        ]
        return web.json_response(slots[::-1])


class SimulatedNiceHash(SimulatedPool):
    """The open statistics of NiceHash, ``size`` rigs to a page."""

    most = 100

    @override
    def routes(self) -> list[web.AbstractRouteDef]:
        return [web.get("/main/api/v2/mining/external/{user}/rigs2", self._rigs)]

    async def _rigs(self, request: web.Request) -> web.Response:
        size = min(int(request.query["size"]), self.most)
        page = int(request.query["page"])
        known = request.match_info["user"] == self.account
        rigs = self.workers if known else []
        unpaid = round(self.balance / 2, 8)
        reply = {
            "pagination": {
                "page": page,
                "size": size,
                "totalPageCount": -(-len(rigs) // size),
            },
            "totalRigs": len(rigs),
            "minerStatuses": {"MINING": self.online} if known else {},
            "externalBalance": f"{self.balance - unpaid:.8f}",
            "unpaidAmount": f"{unpaid:.8f}",
            "totalProfitability": self.expected,
            "miningRigs": [self._rig(w) for w in rigs[page * size : (page + 1) * size]],
            "btcAddress": self.account,
        }
        return web.json_response(reply)

    def _rig(self, worker: Worker) -> dict[str, Any]:
        speeds = [("SHA256ASICBOOST", self.rate_of(worker) / 1e12), ("SCRYPT", 1259.9)]
        stats = [
            {
                "algorithm": {"enumName": name, "description": name.title()},
                "speedAccepted": speed,
                "unpaidAmount": "0.00000007",
            }
            for name, speed in speeds
        ]
        return {
            "rigId": worker.name,
            "name": worker.name,
            "type": "UNMANAGED",
            "minerStatus": "MINING" if worker.online else "OFFLINE",
            "statusTime": int(time.time() * 1000),
            "stats": stats if worker.online else [],
        }

"""Simulated pools that ask for a key."""

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, override

from aiohttp import web

from tests.simulators._pool_base import SimulatedPool, Worker


def midnight(days_ago: int = 0) -> datetime:
    """Return the beginning of a day in UTC."""
    now = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return now - timedelta(days=days_ago)


class SimulatedBraiinsPool(SimulatedPool):
    """Braiins Pool: hashrates in ``unit``, amounts as text, no status 429."""

    key_header: ClassVar[str | None] = "Pool-Auth-Token"
    unit = "Gh/s"
    _SIZES: ClassVar[dict[str, float]] = {"Gh/s": 1e9, "Th/s": 1e12, "Ph/s": 1e15}

    @override
    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get("/accounts/profile/json/btc/", self._profile),
            web.get("/accounts/workers/json/btc/", self._workers),
            web.get("/accounts/rewards/json/btc", self._rewards),
        ]

    def _rates(self, rate: int) -> dict[str, Any]:
        shown = rate / self._SIZES[self.unit]
        spans = ("5m", "60m", "24h", "scoring")
        return {
            "hash_rate_unit": self.unit,
            **{f"hash_rate_{span}": shown for span in spans},
        }

    async def _profile(self, request: web.Request) -> web.Response:
        account = {
            "all_time_reward": f"{self.paid + self.balance:.8f}",
            "current_balance": f"{self.balance:.8f}",
            "today_reward": f"{self.earned / 2:.8f}",
            "estimated_reward": "0.00004134",
            **self._rates(self.total),
            "ok_workers": self.online,
            "low_workers": 0,
            "off_workers": len(self.workers) - self.online,
            "dis_workers": 0,
        }
        return web.json_response({"username": self.account, "btc": account})

    async def _workers(self, request: web.Request) -> web.Response:
        workers = {
            f"{self.account}.{worker.name}": {
                "state": "ok" if worker.online else "off",
                "last_share": self.share_at(worker),
                **self._rates(self.rate_of(worker)),
            }
            for worker in self.workers
        }
        return web.json_response({"btc": {"workers": workers}})

    async def _rewards(self, request: web.Request) -> web.Response:
        days = [
            {
                "date": int(midnight(ago).timestamp()),
                "total_reward": f"{self.earned / ago:.8f}",
                "calculation_date": int(midnight(ago - 1).timestamp()) + 7200,
            }
            for ago in (3, 1, 2)
        ]
        return web.json_response({"btc": {"daily_rewards": days}})


class SimulatedF2Pool(SimulatedPool):
    """F2Pool's API v2: everything is a POST, errors are a code and a message."""

    key_header: ClassVar[str | None] = "F2P-API-SECRET"

    @override
    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.post("/v2/hash_rate/info", self._info),
            web.post("/v2/hash_rate/worker/list", self._workers),
            web.post("/v2/assets/balance", self._balance),
        ]

    @override
    def refuse(self) -> web.Response:
        return web.json_response(
            {"code": 1001, "msg": f"invalid_token: {self.key[:3]} is not a token"}
        )

    async def _known(self, request: web.Request, reply: dict[str, Any]) -> web.Response:
        body = await request.json()
        assert body["currency"] == "bitcoin"
        if body["mining_user_name"] != self.account:
            return web.json_response({"code": 1404, "msg": "not_found: no such user"})
        return web.json_response(reply)

    @staticmethod
    def _rates(name: str, rate: int) -> dict[str, Any]:
        keys = ("hash_rate", "h1_hash_rate", "h24_hash_rate")
        return {"name": name, **dict.fromkeys(keys, rate), "h1_stale_hash_rate": 0}

    async def _info(self, request: web.Request) -> web.Response:
        info = self._rates(self.account, self.total)
        return await self._known(request, {"info": info, "currency": "bitcoin"})

    async def _workers(self, request: web.Request) -> web.Response:
        workers = [
            {
                "hash_rate_info": self._rates(worker.name, self.rate_of(worker)),
                "last_share_at": self.share_at(worker),
                "status": 0 if worker.online else 1,
                "host": "192.0.2.7",
            }
            for worker in self.workers
        ]
        return await self._known(request, {"workers": workers})

    async def _balance(self, request: web.Request) -> web.Response:
        info = {
            "balance": self.balance,
            "paid": self.paid,
            "total_income": self.paid + self.balance,
            "yesterday_income": self.earned,
            "estimated_today_income": self.earned / 3,
        }
        return await self._known(request, {"balance_info": info})


class SimulatedViaBTC(SimulatedPool):
    """ViaBTC's API: its errors are a code in a reply of status 200."""

    key_header: ClassVar[str | None] = "X-API-KEY"
    most = 50

    @override
    def routes(self) -> list[web.AbstractRouteDef]:
        api = "/res/openapi/v1"
        return [
            web.get(f"{api}/hashrate", self._hashrate),
            web.get(f"{api}/hashrate/worker", self._workers),
            web.get(f"{api}/account", self._account),
            web.get(f"{api}/profit/history", self._profits),
        ]

    @override
    def refuse(self) -> web.Response:
        return self._answer(None, 12001, "Invalid API key")

    @staticmethod
    def _answer(data: Any, code: int = 0, message: str = "OK") -> web.Response:
        return web.json_response({"code": code, "data": data, "message": message})

    @staticmethod
    def _rates(rate: int) -> dict[str, str]:
        return {f"hashrate_{span}": str(rate) for span in ("10min", "1hour", "24hour")}

    async def _hashrate(self, request: web.Request) -> web.Response:
        reply = {
            "coin": request.query["coin"],
            **self._rates(self.total),
            "active_workers": self.online,
            "unactive_workers": len(self.workers) - self.online,
        }
        return self._answer(reply)

    async def _workers(self, request: web.Request) -> web.Response:
        limit = min(int(request.query["limit"]), self.most)
        page = int(request.query["page"])
        start = (page - 1) * limit
        listed = self.workers[start : start + limit]
        reply = {
            "count": len(listed),
            "curr_page": page,
            "data": [self._worker(n, worker) for n, worker in enumerate(listed)],
            "has_next": start + limit < len(self.workers),
            "total": len(self.workers),
        }
        return self._answer(reply)

    def _worker(self, number: int, worker: Worker) -> dict[str, Any]:
        return {
            "coin": "BTC",
            "worker_id": 369 + number,
            "worker_name": worker.name,
            "worker_status": "active" if worker.online else "unactive",
            "last_active": self.share_at(worker),
            "reject_rate": "0",
            **self._rates(self.rate_of(worker)),
        }

    async def _account(self, request: web.Request) -> web.Response:
        amounts = [("LTC", 7.0), ("BTC", self.balance)]
        balance = [
            {"coin": coin, "amount": f"{amount:.8f}"} for coin, amount in amounts
        ]
        return self._answer({"account": self.account, "balance": balance})

    async def _profits(self, request: web.Request) -> web.Response:
        assert request.query["utc"] == "true"
        days = [
            {
                "coin": "BTC",
                "date": midnight(ago).date().isoformat(),
                "total_profit": f"{self.earned / ago:.8f}",
            }
            for ago in (1, 2)
        ]
        return self._answer({"data": days, "has_next": False})


class SimulatedLuxor(SimulatedPool):
    """Luxor's API v2, with pages of ``most`` workers at the most."""

    key_header: ClassVar[str | None] = "Authorization"
    most = 1000

    @override
    def routes(self) -> list[web.AbstractRouteDef]:
        api = "/api/v2/pool"
        return [
            web.get(f"{api}/summary/BTC", self._summary),
            web.get(f"{api}/workers/BTC", self._workers),
        ]

    def _is_known(self, request: web.Request) -> bool:
        return request.query.get("subaccount_names", self.account) == self.account

    async def _summary(self, request: web.Request) -> web.Response:
        if not self._is_known(request):
            return web.json_response({"message": "Not found"}, status=404)
        amount = {"currency_type": "BTC", "revenue_type": "MINING"}
        reply = {
            "currency_type": "BTC",
            "hashrate_5m": str(self.total),
            "hashrate_24h": str(self.total),
            "efficiency_5m": 0.99,
            "active_miners": self.online,
            "revenue_24h": [{**amount, "revenue": self.earned}],
            "balance": [
                {"currency_type": "LTC", "revenue": 3.0},
                {"currency_type": "BTC", "revenue": self.balance},
            ],
        }
        return web.json_response(reply)

    async def _workers(self, request: web.Request) -> web.Response:
        size = min(int(request.query["page_size"]), self.most)
        page = int(request.query["page_number"])
        start = (page - 1) * size
        more = start + size < len(self.workers)
        reply = {
            "total_active": self.online,
            "total_inactive": len(self.workers) - self.online,
            "workers": [
                {
                    "id": f"worker-{worker.name}",
                    "name": worker.name,
                    "hashrate": self.rate_of(worker),
                    "status": "ACTIVE" if worker.online else "INACTIVE",
                    "last_share_time": self.share_iso(worker),
                }
                for worker in self.workers[start : start + size]
            ],
            "pagination": {
                "page_number": page,
                "page_size": size,
                "next_page_url": f"/v2/pool/workers/BTC?page={page}" if more else None,
            },
        }
        return web.json_response(reply)


class SimulatedFoundry(SimulatedPool):
    """Foundry's API: hashrates in GH/s."""

    key_header: ClassVar[str | None] = "X-API-KEY"

    @override
    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get("/workers/{user}", self._workers),
            web.get("/subaccount_stats/{user}", self._stats),
            web.get("/balance/{user}", self._balance),
            web.get("/v2/earnings/{user}", self._earnings),
        ]

    def _answer(self, request: web.Request, reply: Any) -> web.Response:
        assert request.query["coin"] == "BTC"
        if request.match_info["user"] != self.account:
            return web.json_response({"message": "Not Found"}, status=404)
        return web.json_response(reply)

    async def _workers(self, request: web.Request) -> web.Response:
        workers = [
            {
                "workerId": f"{1000 + number}",
                "workerName": worker.name,
                "hashrate_5m": self.rate_of(worker) // 10**9,
                "hashrate_15m": self.rate_of(worker) // 10**9,
                "hashrate_1h": self.rate_of(worker) // 10**9,
                "lastShareTime": self.share_iso(worker),
                "tag": "untagged",
            }
            for number, worker in enumerate(self.workers)
        ]
        reply = {"workersList": workers, "totalWorkerCount": len(workers)}
        return self._answer(request, reply)

    async def _stats(self, request: web.Request) -> web.Response:
        rate = self.total // 10**9
        reply = {
            "name": self.account,
            "activeWorkers": self.online,
            "hashrate5minAvg": rate,
            "hashrate1hrAvg": rate,
            "hashrate24hrAvg": rate,
            "lastShareTime": max(map(self.share_iso, self.workers), default=""),
        }
        return self._answer(request, reply)

    async def _balance(self, request: web.Request) -> web.Response:
        reply = {"balance": self.balance, "totalWithdrawn": self.paid}
        return self._answer(request, reply)

    async def _earnings(self, request: web.Request) -> web.Response:
        assert int(request.query["startDateUnixMs"]) > 0
        days = [
            {
                "startTime": midnight(ago).isoformat(timespec="milliseconds"),
                "endTime": midnight(ago - 1).isoformat(timespec="milliseconds"),
                "totalAmount": self.earned / (ago or 7),
                "hashrate": self.total,
            }
            for ago in (2, 1, 0)
        ]
        return self._answer(request, days)

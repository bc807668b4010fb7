"""A simulated FutureBit Apollo: its GraphQL server, and the page that leads to it."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
import re
import time
from typing import Any, ClassVar, override
import zlib

from aiohttp import web
import orjson

from tests.simulators.base import SimulatedDevice
from tests.simulators.families import Family

type Object = dict[str, Any]
type Selection = dict[str, Selection]

_TOKEN = re.compile(r"[{}]|\([^)]*\)|\w+|\$")
_MODES = {"super_eco": 0.5, "eco": 0.8, "balanced": 1.0, "turbo": 1.2, "custom": 1.0}
# GH/s, W and chips of one unit.
_UNITS = {
    "v1": (2_600.0, 190.0, 44),
    "v2": (8_000.0, 258.0, 44),
    "v3": (12e3, 300.0, 60),
}
_DENIED = "You must be authenticated to access this resource"


class _UnknownError(Exception):
    """A field that the schema does not have."""


class SimulatedFutureBit(SimulatedDevice):
    """One Apollo with its ports 80 and 5000; ``versions`` are those of its units.

    ``knows`` is what its firmware can be asked: old firmware has no ``services``, and
    older one asks for a login at ``online``, which is true or false there. ``slow`` are
    the seconds for which the mining process starts or stops.
    """

    ports: ClassVar[tuple[int, ...]] = (5000, 80)

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        offset: int = 0,
        versions: tuple[str, ...] = ("v2",),
        firmware: str = "2.0.2",
        serial: str = "FB0001",
        mac: str | None = None,
        password: str = "s3cret",
        knows: tuple[str, ...] = ("services", "online", "software"),
        uptime: float = 7200.0,
        slow: float = 0.0,
        boot: float = 0.05,
    ) -> None:
        """Describe a miner that mines."""
        super().__init__(host, offset=offset)
        self.versions = versions
        self.firmware = firmware
        self.serial = serial
        digits = f"{zlib.crc32(serial.encode()):08x}"
        pairs = [digits[i : i + 2] for i in range(0, 8, 2)]
        self.mac = mac or ":".join(("02", "0a", *pairs))
        self.password = password
        self.knows = knows
        self.slow = slow
        self.boot = boot
        self.logins = 0
        self.refused = 0
        self.set_up = True
        self.tokens: set[str] = set()
        self.writes: list[str] = []
        self.stubborn = False
        self.refuses: str | None = None
        self.running = True
        self.crashed = False
        self.pool_up = True
        self.answers_late = 0.0
        self.clock = timedelta()
        self.started = time.monotonic() - uptime
        self._pending_until = 0.0
        self._told_at = datetime.now(UTC)
        self._away_until = 0.0
        self.mode = "balanced"
        self.software = "core_29_2"
        self.switched: list[str | None] = []
        self.pools: list[Object] = [
            self.pool(1, "stratum+tcp://pool.example:3333", "wallet.one"),
            self.pool(2, "stratum+tcp://donate.example:3333", "gift", donation=3),
        ]

    @staticmethod
    def pool(index: int, url: str, user: str, *, donation: int = 0) -> Object:
        return {
            "id": index,
            "index": index,
            "enabled": True,
            "donation": donation,
            "url": url,
            "username": user,
            "password": "pool-secret",
            "proxy": None,
        }

    # What it does.

    @property
    def state(self) -> str:
        if time.monotonic() < self._pending_until:
            return "pending"
        return "online" if self.running and not self.crashed else "offline"

    def _unit(self, place: int, version: str) -> Object:
        rate, watts, chips = _UNITS[version]
        if self.state == "online":
            self._told_at = datetime.now(UTC)
        rate = rate * _MODES[self.mode] if self.pool_up else 0.0
        spent = {"errors": 12.0, "bySol": round(rate * 0.99, 1), "name": "0 sec"}
        now = {"errors": 0.0, "bySol": round(rate, 1), "name": "30 sec"}
        host, _, port = self.pools[0]["url"].rpartition("//")[2].partition(":")
        shares = {"sharesAccepted": 320.0, "sharesRejected": 2.0, "sharesSent": 322.0}
        return {
            "uuid": f"{self.serial}-{place}",
            "version": version,
            "date": (self._told_at + self.clock).isoformat(),
            "versions": {"miner": self.firmware, "mspVer": "0xd167"},
            "master": {
                "upTime": int(time.monotonic() - self.started),
                "boardsW": watts,
                "boardsI": 21.5,
                "intervals": {"int_30": now, "int_0": spent},
            },
            "pool": {
                "host": host,
                "port": int(port),
                "userName": self.pools[0]["username"],
                "intervals": {"int_0": shares},
            },
            "fans": {"int_0": {"rpm": [3100 + 100 * place]}},
            "temperature": {"count": 2.0, "min": 0.0, "avr": 36.0, "max": 61.0 + place},
            "slots": {
                "int_0": {
                    "chips": chips,
                    "temperature": 62.5 + place,
                    "temperature1": None,
                }
            },
        }

    def units(self) -> list[Object]:
        """Return what each unit told last; the newest comes first at times."""
        listed = [self._unit(n, version) for n, version in enumerate(self.versions)]
        return listed[::-1]

    # Its servers.

    @override
    async def start(self) -> None:
        api, pages = web.Application(), web.Application()
        api.router.add_post("/api/graphql", self._serve)
        pages.router.add_get("/", self._lead)
        await self.serve_http(5000, api)
        await self.serve_http(80, pages)

    async def _lead(self, request: web.Request) -> web.Response:
        headers = {"Location": "/overview", "Refresh": "0;url=/overview"}
        return web.Response(status=308, headers=headers, text="/overview")

    async def _serve(self, request: web.Request) -> web.Response:
        if time.monotonic() < self._away_until:
            return web.Response(status=502)
        body = await request.json()
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        schema = self._schema(body.get("variables") or {})
        asked = _parse(body["query"])
        errors: list[Object] = []
        try:
            _check(asked, schema)
            if "nodeSoftware" in body["query"] and "software" not in self.knows:
                raise _UnknownError('Cannot query field "nodeSoftware".')
        except _UnknownError as error:
            refusal = _error(str(error), "GRAPHQL_VALIDATION_FAILED")
            return _reply({"errors": [refusal]}, 400)
        data: Object = {}
        for group, below in asked.items():
            authorised = token in self.tokens
            data[group] = self._group(schema[group], below, authorised, errors)
        if {"start", "stop", "restart"} & set(asked.get("Miner", ())):
            await asyncio.sleep(self.answers_late)
        return _reply({"data": data, **({"errors": errors} if errors else {})})

    def _group(
        self,
        schema: Object,
        asked: Selection,
        authorised: bool,
        errors: list[Object],
    ) -> Object | None:
        """Answer one group; a field that is denied takes its whole group with it."""
        found: Object = {}
        for name, below in asked.items():
            is_open, resolve = schema[name]
            if not is_open and not authorised:
                errors.append(_error(_DENIED, "UNAUTHENTICATED"))
                return None
            found[name] = _select(resolve(), below)
        return found

    def _schema(self, variables: Object) -> Object:
        """Return all that can be asked: whether it is open, and what answers it."""
        told = variables.get("input")
        newer = "online" in self.knows
        found: Object = {
            "Auth": {"login": (True, lambda: self._log_in(told))},
            "Miner": {
                "stats": (True, lambda: _result(stats=self.units())),
                "online": (newer, self._online),
                **{
                    name: (False, lambda name=name: self._order(name))
                    for name in ("start", "stop", "restart")
                },
            },
            "Mcu": {
                "stats": (False, lambda: _result(stats=self._computer())),
                "reboot": (False, self._reboot),
            },
            "Settings": {
                "read": (False, lambda: _result(settings=self._settings())),
                "update": (False, lambda: self._update(told)),
            },
            "Pool": {
                "list": (False, lambda: _result(pools=self.pools)),
                "updateAll": (False, lambda: self._replace(told)),
            },
        }
        if "services" in self.knows:
            found["Services"] = {"stats": (False, self._services)}
        return found

    def _log_in(self, told: Any) -> Object:
        words = "" if told["password"] == self.password else "Invalid password"
        if not self.set_up:
            words = "Setup not finished"
        if words:
            self.refused += 1
            return _fail(words)
        self.logins += 1
        self.tokens = {f"jwt-{self.logins}"}
        return _result(accessToken=f"jwt-{self.logins}")

    def _online(self) -> Object:
        now: object = self.state
        if "online" not in self.knows:
            now = now == "online"
        return _result(online={"timestamp": "", "status": now})

    def _services(self) -> Object:
        wanted = "online" if self.running else "offline"
        return _result(data=[{"requestedStatus": wanted, "status": self.state}])

    def _computer(self) -> Object:
        cards = [
            {"name": "wlan0", "address": self.host, "mac": "02:ff:00:00:00:01"},
            {"name": "eth0", "address": None, "mac": self.mac},
        ]
        return {"hostname": "apollo", "network": cards, "uptime": "1 day"}

    def _settings(self) -> Object:
        found: Object = {"minerMode": self.mode, "voltage": 0.0}
        return found | (
            {"nodeSoftware": self.software} if "software" in self.knows else {}
        )

    def _told(self, name: str) -> Object | None:
        self.writes.append(name)
        if self.refuses is not None:
            return _fail(self.refuses)
        return {"error": None} if self.stubborn else None

    def _order(self, name: str) -> Object:
        if (refused := self._told(name)) is not None:
            return refused
        self.running = name != "stop"
        self.crashed = False
        if name != "stop":
            self.started = time.monotonic()
        self._pending_until = time.monotonic() + self.slow
        return {"error": None}

    def _reboot(self) -> Object:
        if (refused := self._told("reboot")) is not None:
            return refused
        self.started = time.monotonic()
        self._away_until = time.monotonic() + self.boot
        return {"error": None}

    def _update(self, told: Any) -> Object:
        if (refused := self._told("update")) is not None:
            return {"result": None, **refused}
        assert told["minerMode"] in _MODES
        if told.get("nodeSoftware") != self.software:
            self.switched.append(told.get("nodeSoftware"))
        self.mode = told["minerMode"]
        return _result(settings=self._settings())

    def _replace(self, told: Any) -> Object:
        if (refused := self._told("updateAll")) is not None:
            return {"result": None, **refused}
        needed = {"index", "enabled", "url"}
        allowed = needed | {"donation", "username", "password", "proxy"}
        assert all(needed <= set(pool) <= allowed for pool in told["pools"])
        self.pools = [{"id": n, **pool} for n, pool in enumerate(told["pools"], 20)]
        return _result(pools=self.pools)


def _result(**found: Any) -> Object:
    return {"result": found, "error": None}


def _fail(words: str) -> Object:
    return {"result": None, "error": {"message": words}}


def _error(words: str, code: str) -> Object:
    return {"message": words, "extensions": {"code": code}}


def _reply(value: object, status: int = 200) -> web.Response:
    body = orjson.dumps(value)
    return web.Response(status=status, body=body, content_type="application/json")


def _parse(query: str) -> Selection:
    """Return what a query selects, without its variables."""
    stack: list[Selection] = [{}]
    last = ""
    for token in _TOKEN.findall(query.partition("query")[2] or query):
        if token == "{":
            stack.append(stack[-1].setdefault(last, {}))
        elif token == "}":
            stack.pop()
        elif token[0] not in "($":
            stack[-1][token] = {}
            last = token
    (found,) = stack[0].values()
    return found


def _check(asked: Selection, schema: Mapping[str, Any]) -> None:
    for group, below in asked.items():
        for name in below:
            if name not in schema.get(group, {}):
                raise _UnknownError(f'Cannot query field "{name}" on type "{group}".')


def _select(value: Any, asked: Selection) -> Any:
    if isinstance(value, list):
        return [_select(item, asked) for item in value]
    if not isinstance(value, dict) or not asked:
        return value
    return {name: _select(value.get(name), below) for name, below in asked.items()}


FAMILIES = (Family("futurebit", SimulatedFutureBit, password="s3cret"),)

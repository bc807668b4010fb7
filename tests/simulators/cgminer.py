"""Simulated miners with the cgminer socket API: the wire of all, and a plain one."""

from abc import abstractmethod
import asyncio
from collections.abc import Callable, Mapping
import math
import time
from typing import Any, ClassVar, override

import orjson

from tests.simulators.base import SimulatedDevice
from tests.simulators.families import Family

PORT = 4028
type Section = dict[str, Any]

_CODES = {
    "version": (22, "CGMiner versions"),
    "summary": (11, "Summary"),
    "pools": (7, "3 Pool(s)"),
    "devs": (9, "3 ASC(s)"),
    "edevs": (9, "3 ASC(s)"),
    "devdetails": (69, "Device Details"),
    "stats": (70, "CGMiner stats"),
    "estats": (70, "CGMiner stats"),
    "check": (72, "Check command"),
}
_UNKNOWN = (14, "Invalid command")
_NO_JSON = (23, "Invalid JSON")


class SocketMiner(SimulatedDevice):
    """The socket API: one request per connection, JSON in JSON out, text in text out.

    ``joins`` and ``speaks_json`` tell whether ``a+b`` and JSON are understood;
    ``asked`` lists the requests as they came. ``speed`` lets time run faster.
    """

    ports: ClassVar[tuple[int, ...]] = (PORT,)
    description = "cgminer 4.11.1"

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        offset: int = 0,
        seed: int = 1,
        joins: bool = True,
        speaks_json: bool = True,
        speed: float = 1.0,
        uptime: float = 5000.0,
    ) -> None:
        super().__init__(host, offset=offset)
        self.seed = seed
        self.joins = joins
        self.speaks_json = speaks_json
        self.speed = speed
        self.asked: list[str] = []
        self.canned: dict[str, bytes] = {}
        self._origin = (time.time(), time.monotonic())
        self.booted = self.now() - uptime

    @override
    async def start(self) -> None:
        await self.listen(PORT, self._serve)

    def now(self) -> float:
        """Return the time on the device's own clock."""
        date, started = self._origin
        return date + (time.monotonic() - started) * self.speed

    @property
    def uptime(self) -> int:
        return int(self.now() - self.booted)

    def wander(self, period: float = 60.0) -> float:
        """Return a factor around one that changes slowly."""
        return 1 + 0.01 * math.sin(self.now() / period * math.tau + self.seed)

    @abstractmethod
    def run(self, name: str, parameter: str) -> Section | None:
        """Return the data of a reply, or a STATUS; ``None`` for what is unknown."""

    def silent(self, name: str, parameter: str) -> bool:
        """Tell whether the device closes without a reply to this."""
        return False

    def refuse(self, code: int, message: str) -> Section:
        return self.status("E", code, message)

    def status(self, letter: str, code: int, message: str) -> Section:
        return {
            "STATUS": [
                {
                    "STATUS": letter,
                    "When": int(self.now()),
                    "Code": code,
                    "Msg": message,
                    "Description": self.description,
                }
            ]
        }

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        request = await reader.read(4095)
        if request:
            await self.answer(writer, self._reply(request.decode(errors="replace")))

    def _reply(self, request: str) -> bytes:
        if not request.startswith("{"):
            name, _, parameter = request.partition("|")
            return self._text(self._one(name, parameter))
        if not self.speaks_json:
            self.asked.append("?")
            return self._text(self.refuse(*_UNKNOWN))
        try:
            payload = orjson.loads(request)
        except orjson.JSONDecodeError:
            return self._json(self.refuse(*_NO_JSON))
        name = str(payload.get("command"))
        if name in self.canned:
            self.asked.append(name)
            return self.canned[name]
        if "+" in name and self.joins:
            parts = name.split("+")
            found = {part: [{**self._one(part, ""), "id": 1}] for part in parts}
            return self._json(found)
        found_one = self._one(name, str(payload.get("parameter") or ""))
        return self._json(found_one) if found_one else b""

    def _one(self, name: str, parameter: str) -> Section:
        self.asked.append(f"{name}|{parameter}" if parameter else name)
        found = self.run(name, parameter)
        if self.silent(name, parameter):
            return {}
        if found is None:
            return self.refuse(*_UNKNOWN)
        if "STATUS" in found:
            return found
        return {**self.status("S", *_CODES[name]), **found}

    def _json(self, reply: Mapping[str, Any]) -> bytes:
        return orjson.dumps({**reply, "id": 1}) + b"\x00"

    def _text(self, reply: Section) -> bytes:
        if not reply:
            return b""
        records = []
        for name, rows in reply.items():
            for row in rows:
                fields = ",".join(f"{key}={_plain(row[key])}" for key in row)
                named = next(iter(row)) in ("STATUS", "POOL", "STATS", "ASC")
                records.append(fields if named else f"{name},{fields}")
        return "|".join([*records, " "]).encode() + b"\x00"


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class SimulatedCgminer(SocketMiner):
    """A plain miner: three boards, two fans, rates in the ``unit`` that is given.

    ``unknown`` lists commands that its firmware does not know, ``chains`` has the
    statistics list the boards. ``rate`` is TH/s; 0 does not hash. A ``frozen`` one
    hangs: it repeats its last words.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        unit: str = "GHS",
        rate: float = 14.0,
        chains: bool = True,
        unknown: frozenset[str] = frozenset(),
        version: Section | None = None,
        **options: Any,
    ) -> None:
        super().__init__(host, **options)
        self.unit = unit
        self.rate = rate
        self.chains = chains
        self.unknown = unknown
        self.version: Section = {"API": "3.7", "CGMiner": "4.11.1"} | (version or {})
        self.model = "HashBox 9"
        self.windows: tuple[str, ...] = ("5s", "1m", "5m", "15m")
        self.pool_status = "Alive"
        self.sick: dict[int, str] = {}
        self.frozen: dict[str, Section] | None = None

    def freeze(self) -> None:
        """Have the miner hang: from now on it repeats what it says now."""
        self.frozen = {
            name: self.run(name, "") or {} for name in ("summary", "stats", "devs")
        }

    @override
    def run(self, name: str, parameter: str) -> Section | None:
        if name in self.unknown:
            return None
        if self.frozen and name in self.frozen:
            return self.frozen[name]
        replies: dict[str, Callable[[], Section]] = {
            "version": lambda: {"VERSION": [self.version]},
            "devdetails": lambda: {"DEVDETAILS": [{"Model": self.model}]},
            "summary": lambda: {"SUMMARY": [self._summary()]},
            "stats": lambda: {"STATS": [{"Type": "x"}, self._stats(), {"ID": "POOL0"}]},
            "devs": lambda: {"DEVS": [self._device(index) for index in range(3)]},
            "pools": lambda: {"POOLS": [self._pool(index) for index in range(3)]},
        }
        return replies[name]() if name in replies else None

    def _rates(self, rate: float) -> Section:
        scale = {"KHS": 1e9, "MHS": 1e6, "GHS": 1e3, "THS": 1.0}[self.unit]
        now = round(rate * scale * self.wander(), 2)
        average = round((rate or 3.0) * scale, 2)
        return {f"{self.unit} av": average} | {
            f"{self.unit} {window}": now for window in self.windows
        }

    def _summary(self) -> Section:
        return {
            "Elapsed": self.uptime,
            **self._rates(self.rate),
            "Accepted": self.uptime // 7,
            "Rejected": self.uptime // 900,
            "Stale": 1,
            "Hardware Errors": 12,
            "Total MH": self.uptime * self.rate * 1e6,
            "Best Share": "2.5G",
        }

    def _stats(self) -> Section:
        fans = {"fan_num": 2, "fan1": 0, "fan2": 4320, "fan3": 0, "fan4": 4200}
        stats: Section = {"STATS": 0, "ID": "HB0", "Elapsed": self.uptime, **fans}
        if self.chains:
            stats["total_rateideal"] = 14500.0
            for index in range(1, 4):
                stats |= {
                    f"chain_rate{index}": f"{self.rate / 3 * 1000:.2f}",
                    f"chain_acn{index}": 63,
                    f"temp_pcb{index}": f"4{index}-42-55-5{index}",
                    f"temp_chip{index}": f"6{index}-62-75-7{index}",
                    f"freq_avg{index}": 650,
                }
            stats |= {"temp9": 0, "chain_acn9": 0}
        return stats

    def _device(self, index: int) -> Section:
        return {
            "ASC": index,
            "Name": "HBX",
            "Enabled": "Y",
            "Status": self.sick.get(index, "Alive"),
            "Temperature": 55.0 + index if index else -273.0,
            **self._rates(self.rate / 3),
        }

    def _pool(self, index: int) -> Section:
        if index == 2:
            return {"POOL": 2, "URL": "", "User": "", "Status": "Dead"}
        return {
            "POOL": index,
            "URL": f"stratum+tcp://pool{index}.example.com:3333",
            "Status": self.pool_status,
            "User": "acct.rig",
            "Password": "pool-secret",
            "Accepted": self.uptime // 7 if index == 0 else 0,
            "Rejected": 0,
            "Stale": 0,
            "Stratum Active": index == 0 and self.pool_status == "Alive",
        }


FAMILIES = (Family("cgminer", SimulatedCgminer),)

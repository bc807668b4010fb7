"""Part ``hass``: what a site costs a real Home Assistant, in a process of its own."""

import asyncio
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
import json
import os
from pathlib import Path
import re
import shutil
import sqlite3
import tempfile
from typing import Any, override

import aiohttp

from custom_components.miningsdk.const import CONF_DEVICES, DOMAIN
from custom_components.miningsdk.inventory import Record
from custom_components.miningsdk.sdk import Miner, registry
from tests.benchmark.fleet import WIDE, Place
from tests.benchmark.plant import Plant
from tests.demo.hass import HomeAssistantProcess

PROBE = Path(__file__).parent / "probe"
# How many miners of the site answer, as Home Assistant shows it.
ONLINE = "sensor.hall_miners_online"
_PORT = 8199
_ENTRY_ID = "01BENCHMARK0000000000SITE0"
_AT_ONCE = 32
_COMPLETE_WITHIN = 240.0
_SETTLE = 20.0
_DAY = 86_400.0
_CONFIGURATION = """\
homeassistant:
  name: Benchmark
  country: CH
  currency: EUR
  unit_system: metric
  time_zone: Europe/Zurich
  latitude: 46.0
  longitude: 8.95
benchmark_probe:
energy:
history:
logger:
  default: warning
recorder:
  commit_interval: 5
websocket_api:
"""
# What the log holds of a machine, not of the site.
_NOT_OURS = re.compile(
    r"Skipping pip|zlib_ng and isal|We found a custom integration"
    r"|ffmpeg|libturbojpeg|libpcap|go2rtc|webrtc"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a site of so many miners costs; ``started`` and stalls in the second start.

    ``cpu_percent`` of one core, ``database_day`` in bytes, ``stall`` the lag of the
    event loop in ms that 99.9 % of all moments stay under.
    """

    miners: int
    detail: str
    entities: int
    added_s: float
    started_s: float
    cpu_percent: float
    stall_ms: float
    stall_longest_ms: float
    memory_mib: float
    database_day: float
    writes_per_s: float
    warnings: int
    warning: str


class MeasuredHass(HomeAssistantProcess):
    """A Home Assistant with a site in its configuration, and the probe."""

    def __init__(self, folder: Path, records: Sequence[Record], detail: str) -> None:
        super().__init__(folder, _PORT)
        self._records = records
        self._detail = detail
        self.fresh = True

    @property
    def pid(self) -> int:
        """Return the process."""
        assert self._process is not None
        return self._process.pid

    @override
    def _write(self) -> None:
        (self.config / "probe.json").unlink(missing_ok=True)
        if not self.fresh:
            return
        super()._write()
        shutil.copytree(PROBE, self.config / "custom_components" / "benchmark_probe")
        (self.config / "configuration.yaml").write_text(_CONFIGURATION)
        entries = {"entries": [_entry(self._records, self._detail)]}
        stored = {"version": 1, "minor_version": 5, "data": entries}
        path = self.config / ".storage" / "core.config_entries"
        path.write_text(json.dumps({**stored, "key": "core.config_entries"}))

    async def probe(self) -> dict[str, Any]:
        """Return what the probe told last."""
        path = self.config / "probe.json"
        while not path.exists():
            if self._process is None or self._process.returncode is not None:
                raise RuntimeError(f"Home Assistant ended by itself: {self.log}")
            await asyncio.sleep(0.2)
        found: dict[str, Any] = json.loads(path.read_text())
        return found

    async def completed(self) -> dict[str, Any]:
        """Wait until every entity has a state, and return what the probe told."""
        async with asyncio.timeout(_COMPLETE_WITHIN):
            while True:
                found = await self.probe()
                if found["complete_after"] is not None:
                    return found
                await asyncio.sleep(0.5)

    def database(self) -> int:
        """Return the bytes of the database, with what is only in its log so far."""
        path = self.config / "home-assistant_v2.db"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            pages, size = (
                database.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("page_count", "page_size")
            )
        return int(pages * size)

    def warnings(self) -> tuple[str, ...]:
        """Return what the log complains of."""
        if not self.log.exists():
            return ()
        lines = self.log.read_text().splitlines()
        found = [
            line for line in lines if re.search(r" (WARNING|ERROR|CRITICAL) ", line)
        ]
        return tuple(line for line in found if not _NOT_OURS.search(line))


async def measure(sizes: Sequence[tuple[int, str]], seconds: float) -> list[Load]:
    """Measure sites of so many miners at a level of detail, for so many seconds."""
    return [await _load(size, seconds, detail) for size, detail in sizes]


async def _load(miners: int, seconds: float, detail: str) -> Load:
    async with Plant(WIDE, miners) as plant:
        records = await read_records(plant.places)
        with tempfile.TemporaryDirectory() as folder:
            hass = MeasuredHass(Path(folder), records, detail)
            async with hass:
                added = await hass.completed()
                await asyncio.sleep(5)
            warnings = hass.warnings()
            hass.log.unlink(missing_ok=True)
            hass.fresh = False
            async with hass:
                started = await hass.completed()
                await asyncio.sleep(_SETTLE)
                steady = await _steady(hass, seconds)
            warnings += hass.warnings()
    return Load(
        miners=miners,
        detail=detail,
        entities=started["entities"],
        added_s=added["complete_after"],
        started_s=started["complete_after"],
        warnings=len(warnings),
        warning=warnings[0][:300] if warnings else "",
        **steady,
    )


async def _steady(hass: MeasuredHass, seconds: float) -> dict[str, float]:
    before, cpu, size = await hass.probe(), _cpu(hass.pid), hass.database()
    await asyncio.sleep(seconds)
    after, spent, grown = await hass.probe(), _cpu(hass.pid), hass.database()
    elapsed = after["time"] - before["time"]
    lags = _since(before["lags"], after["lags"])
    return {
        "cpu_percent": (spent - cpu) / elapsed * 100,
        "stall_ms": _quantile(lags, 0.999),
        "stall_longest_ms": max(lags, default=0) + 1.0,
        "memory_mib": _resident(hass.pid) / 2**20,
        "database_day": (grown - size) / elapsed * _DAY,
        "writes_per_s": (after["writes"] - before["writes"]) / elapsed,
    }


def _since(before: dict[str, int], after: dict[str, int]) -> dict[int, int]:
    counts = {int(lag): n - before.get(lag, 0) for lag, n in after.items()}
    return {lag: n for lag, n in sorted(counts.items()) if n}


def _quantile(lags: dict[int, int], share: float) -> float:
    left = sum(lags.values()) * share
    for lag, count in lags.items():
        left -= count
        if left <= 0:
            return lag + 1.0
    return 0.0


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks: int = os.sysconf("SC_CLK_TCK")
    return (int(fields[11]) + int(fields[12])) / ticks


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


async def read_records(places: Sequence[Place]) -> list[Record]:
    """Return the inventory of a site that has read all these miners before."""
    limit = asyncio.Semaphore(_AT_ONCE)
    async with aiohttp.ClientSession() as session:

        async def one(place: Place) -> Record:
            username, password = place.account
            driver, _ = registry.find(place.family)
            async with limit:
                device = driver(
                    place.host,
                    port=driver.default_port + place.offset if place.offset else None,
                    username=username,
                    password=password,
                    session=session,
                )
                assert isinstance(device, Miner)
                stats = await device.read()
                await device.close()
            record = Record.of(device.info, username, password)
            return Record(
                id=record.id,
                info=device.info,
                username=username,
                password=password,
                shape=record.shape.grown(stats),
            )

        return list(await asyncio.gather(*(one(place) for place in places)))


def _entry(records: Sequence[Record], detail: str) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    return {
        "created_at": now,
        "data": {CONF_DEVICES: [record.as_dict() for record in records]},
        "disabled_by": None,
        "discovery_keys": {},
        "domain": DOMAIN,
        "entry_id": _ENTRY_ID,
        "minor_version": 1,
        "modified_at": now,
        "options": {"scan_interval": 30, "detail": detail},
        "pref_disable_new_entities": False,
        "pref_disable_polling": False,
        "source": "user",
        "subentries": [],
        "title": "Hall",
        "unique_id": None,
        "version": 1,
    }

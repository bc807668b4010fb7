"""Part ``dead``: how soon a vanished device is known, and what it does to the rest."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
import tempfile
import time

import aiohttp

from custom_components.miningsdk.const import BACKOFF_FIRST, BACKOFF_LAST
from custom_components.miningsdk.sdk import AnyDevice, MiningSDKError, registry
from tests.benchmark.fleet import WIDE, Place
from tests.benchmark.hass import ONLINE, MeasuredHass, read_records
from tests.benchmark.plant import Plant

_VANISHED = 24
_INTERVAL = 30.0
_SILENT_FOR = 150.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Vanished:
    """How long it took until reading a silent device was given up, in s."""

    devices: int
    known_after_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """A site half of which keeps silent for a while, and then returns.

    ``on_time`` is the share of polls begun within 2 s of their time; ``returned_s``
    the time until all were online again, ``step_s`` the back-off that they were in.
    """

    miners: int
    silent: int
    polls: int
    on_time: float
    returned_s: float
    step_s: float


async def vanished() -> Vanished:
    """Read devices that take connections and say nothing any more."""
    async with Plant(WIDE, _VANISHED) as plant, aiohttp.ClientSession() as session:
        devices = [_device(place, session) for place in plant.places]
        await asyncio.gather(*(device.read() for device in devices))
        await plant.order("vanish", every=1)
        times = await asyncio.gather(*(_gives_up(device) for device in devices))
        await asyncio.gather(*(device.close() for device in devices))
    return Vanished(devices=len(devices), known_after_s=max(times))


def _device(place: Place, session: aiohttp.ClientSession) -> AnyDevice:
    username, password = place.account
    driver, _ = registry.find(place.family)
    return driver(
        place.host,
        port=driver.default_port + place.offset if place.offset else None,
        username=username,
        password=password,
        session=session,
    )


async def _gives_up(device: AnyDevice) -> float:
    started = time.perf_counter()
    try:
        await device.read()
    except MiningSDKError:
        return time.perf_counter() - started
    raise RuntimeError(f"{device!r} was read although it said nothing")


async def half(miners: int) -> Half:
    """Silence every second miner of a site for a while."""
    async with Plant(WIDE, miners) as plant:
        records = await read_records(plant.places)
        with tempfile.TemporaryDirectory() as folder:
            hass = MeasuredHass(Path(folder), records, "automatic")
            async with hass:
                await hass.completed()
                await asyncio.sleep(_INTERVAL)
                before = await hass.probe()
                await plant.order("vanish", every=2)
                await asyncio.sleep(_SILENT_FOR)
                after = await hass.probe()
                await plant.order("return", every=2)
                returned = await _until_online(hass, miners)
    polls = after["polls"] - before["polls"]
    late = after["late_polls"] - before["late_polls"]
    return Half(
        miners=miners,
        silent=len(range(0, miners, 2)),
        polls=polls,
        on_time=1 - late / polls,
        returned_s=returned,
        step_s=_step(_SILENT_FOR),
    )


async def _until_online(hass: MeasuredHass, miners: int) -> float:
    started = time.monotonic()
    async with asyncio.timeout(BACKOFF_LAST):
        while True:
            found = await hass.probe()
            if found["states"].get(ONLINE) == str(miners):
                return time.monotonic() - started
            await asyncio.sleep(0.5)


def _step(silent_for: float) -> float:
    """Return the wait that a device is in when it was silent for so long."""
    passed, step = 0.0, BACKOFF_FIRST
    while True:
        wait = max(step, _INTERVAL)
        passed += wait
        if passed >= silent_for:
            return wait
        step = min(step * 2, BACKOFF_LAST)

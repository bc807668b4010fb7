"""A clock that tests turn, and miners that say what a test wants."""

import asyncio
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import Any, ClassVar, override
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.miningsdk.const import DOMAIN
from custom_components.miningsdk.fleet import Fleet
from custom_components.miningsdk.inventory import Record
from custom_components.miningsdk.sdk import (
    Board,
    Capability,
    DeviceInfo,
    DeviceKind,
    DeviceUnreachable,
    Fan,
    Limits,
    Miner,
    MinerPool,
    MinerSettings,
    MinerStats,
    MinerStatus,
    PoolConfig,
    PoolState,
    register,
    registry,
)
from tests.conftest import loopback_address

FROZEN = pytest.mark.freeze_time("2026-11-22T12:00:00+00:00")

UNREACHABLE = DeviceUnreachable("nothing answers there")


def fleet_of(entry: MockConfigEntry) -> Fleet:
    """Return what runs a site."""
    fleet: Fleet = entry.runtime_data
    return fleet


def registered_of(
    hass: HomeAssistant, entry: MockConfigEntry, record: Record
) -> dict[str, er.RegistryEntry]:
    """Return the registered entities of a miner, by platform and key."""
    found = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    return {
        f"{entity.domain} {entity.unique_id.removeprefix(record.id + '_')}": entity
        for entity in found
        if entity.unique_id.startswith(record.id)
    }


class Clock:
    """The time of everything: of Home Assistant, its loop and the simulators."""

    def __init__(self, hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
        self.hass = hass
        self.freezer = freezer

    @property
    def now(self) -> float:
        """Return the loop's time in s."""
        return self.hass.loop.time()

    async def settle(self) -> None:
        """Let everything happen that is due, polls in the background included."""
        for _ in range(3):
            await asyncio.sleep(0)
        await self.hass.async_block_till_done(wait_background_tasks=True)

    async def forward(self, seconds: float, *, step: float | None = None) -> None:
        """Go on by so much, at once or in steps, and let happen what is due."""
        end = self.now + seconds
        while (left := end - self.now) > 1e-6:
            self.freezer.tick(min(left, step or left))
            await self.settle()


@pytest.fixture(name="clock")
def clock_fixture(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> Clock:
    """Return the clock; the test (or its module) must be marked ``FROZEN``."""
    return Clock(hass, freezer)


class Script:
    """One scripted miner: what it says, and what it was told."""

    def __init__(self, number: int, **facts: Any) -> None:
        self.host = facts.pop("host", None) or loopback_address()
        self.info = DeviceInfo(
            kind=DeviceKind.MINER,
            driver=ScriptedMiner.name,
            host=self.host,
            **{
                "make": "Acme",
                "model": "A1",
                "firmware_version": "1.0",
                "serial_number": f"SN{number:04d}",
                "algorithm": "sha256",
                **facts,
            },
        )
        self.stats = MinerStats(
            status=MinerStatus.MINING,
            hashrate=100.0,
            hashrate_expected=110.0,
            power=3000.0,
            temperature_chip=60.0,
            uptime=1000,
            accepted=990,
            rejected=10,
        )
        self.error: Exception | None = None
        self.refuses_account: str | None = None
        self.refuses: Exception | None = None
        # While this is set, a reading waits for it.
        self.gate: asyncio.Event | None = None
        self.reads = 0
        self.told: list[str] = []

    def say(self, **changes: Any) -> None:
        """Change what the next readings tell."""
        self.stats = replace(self.stats, **changes)

    def be(self, **facts: Any) -> None:
        """Change who answers at this address."""
        self.info = replace(self.info, **facts)

    @property
    def record(self) -> Record:
        """Return the record of this miner as a config flow would hand it over."""
        return Record.of(self.info)


class ScriptedMiner(Miner):
    """A driver without a wire."""

    name = "scripted"
    make = "Acme"
    models = "A1"
    default_port = 4444
    scripts: ClassVar[dict[str, Script]] = {}

    @property
    def script(self) -> Script:
        """Return what stands for the device at this address."""
        if (script := self.scripts.get(self.host)) is None:
            raise UNREACHABLE
        return script

    @override
    async def _fetch_info(self) -> DeviceInfo:
        script = self.script
        if script.error is not None:
            raise script.error
        return replace(script.info, host=self.host, port=self.info.port)

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> MinerStats:
        script = self.script
        script.reads += 1
        if script.gate is not None:
            await script.gate.wait()
        if script.error is not None:
            raise script.error
        self.authentication_error = script.refuses_account
        return replace(script.stats, failed=failed)

    def _tell(self, what: str, **changes: Any) -> None:
        if self.script.refuses is not None:
            raise self.script.refuses
        self.script.told.append(what)
        self.script.say(**changes)

    def _set(self, **changes: Any) -> None:
        settings = replace(self.script.stats.settings, **changes)
        self._tell(f"{changes}", settings=settings)

    @override
    async def _pause(self) -> None:
        self._tell("pause", status=MinerStatus.PAUSED)

    @override
    async def _resume(self) -> None:
        self._tell("resume", status=MinerStatus.MINING)

    @override
    async def _reboot(self) -> None:
        self._tell("reboot")

    @override
    async def _restart(self) -> None:
        self._tell("restart")

    @override
    async def _locate(self, on: bool) -> None:
        self._tell(f"locate {on}", locating=on)

    @override
    async def _set_power_limit(self, watts: float) -> None:
        self._tell(f"power limit {watts:g}", power_limit=watts)

    @override
    async def _set_power_mode(self, mode: str) -> None:
        self._tell(f"mode {mode}", power_mode=mode)

    @override
    async def _set_profile(self, profile: str) -> None:
        self._set(profile=profile)

    @override
    async def _set_throttle(self, percent: float) -> None:
        self._set(throttle=percent)

    @override
    async def _set_fan(self, duty: float | None) -> None:
        self._set(fan=duty, fan_automatic=duty is None)

    @override
    async def _set_target_temperature(self, celsius: float) -> None:
        self._set(target_temperature=celsius)

    @override
    async def _set_frequency(self, megahertz: float) -> None:
        self._set(frequency=megahertz)

    @override
    async def _set_voltage(self, volts: float) -> None:
        self._set(voltage=volts)

    @override
    async def _set_pools(self, pools: Sequence[PoolConfig]) -> None:
        self._tell(
            "pools",
            pools=tuple(
                MinerPool(index=i, url=pool.url, user=pool.user)
                for i, pool in enumerate(pools)
            ),
        )


type MakeScript = Callable[..., Script]


@pytest.fixture(name="script")
def script_fixture() -> Generator[MakeScript]:
    """Return a function that makes a scripted miner; ``full`` ones do everything."""
    registry.drivers()
    scripts: dict[str, Script] = {}

    def make(*, full: bool = False, **facts: Any) -> Script:
        if full:
            facts = {
                "capabilities": tuple(Capability),
                "limits": LIMITS,
                **facts,
            }
        made = Script(len(scripts) + 1, **facts)
        if full:
            made.stats = replace(made.stats, **EVERYTHING)
        scripts[made.host] = made
        return made

    with (
        patch.dict(registry._drivers),
        patch.object(ScriptedMiner, "scripts", scripts),
    ):
        register(ScriptedMiner)
        yield make


LIMITS = {
    Capability.POWER_LIMIT: Limits(minimum=1000, maximum=4000, step=10),
    Capability.POWER_MODE: Limits(options=("low", "normal", "turbo")),
    Capability.PROFILE: Limits(options=("90 TH", "100 TH")),
    Capability.THROTTLE: Limits(minimum=20, maximum=100, step=1),
    Capability.FAN: Limits(minimum=10, maximum=90, step=1, options=("auto",)),
    Capability.TARGET_TEMPERATURE: Limits(minimum=40, maximum=75, step=1),
    Capability.FREQUENCY: Limits(minimum=400, maximum=600, step=5),
    Capability.VOLTAGE: Limits(minimum=1.0, maximum=1.3, step=0.01),
}
EVERYTHING: dict[str, Any] = {
    "hashrate_average": 99.0,
    "power_limit": 3200.0,
    "power_mode": "normal",
    "efficiency": 30.0,
    "temperature_board": 55.0,
    "temperature_inlet": 22.0,
    "temperature_outlet": 41.0,
    "temperature_ambient": 20.0,
    "fans": (Fan(index=0, speed=4200, duty=50), Fan(index=1, speed=4300, duty=50)),
    "boards": (
        Board(
            index=0,
            hashrate=50.0,
            temperature_board=54.0,
            temperature_chip=59.0,
            chips=63,
            chips_expected=63,
            frequency=525.0,
            voltage=1.2,
        ),
        Board(
            index=1,
            hashrate=50.0,
            temperature_board=55.0,
            temperature_chip=60.0,
            chips=62,
            chips_expected=63,
            frequency=525.0,
            voltage=1.2,
        ),
    ),
    "pools": (
        MinerPool(
            index=0,
            url="stratum+tcp://pool.example:3333",
            user="account.one",
            status=PoolState.ACTIVE,
            accepted=990,
            rejected=10,
        ),
    ),
    "stale": 3,
    "hardware_errors": 7,
    "best_difficulty": 123456.0,
    "locating": False,
    "settings": MinerSettings(
        fan=50.0,
        fan_automatic=False,
        target_temperature=60.0,
        frequency=525.0,
        voltage=1.2,
        throttle=80.0,
        profile="100 TH",
    ),
}


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what takes other threads or some traffic, while the clock stands."""
    for _ in range(500_000):
        if condition():
            return
        await asyncio.sleep(0)
    pytest.fail("it did not happen")


def entity_id(hass: HomeAssistant, platform: str, record_id: str, key: str) -> str:
    """Return the id of an entity by what it shows."""
    found = er.async_get(hass).async_get_entity_id(
        platform, DOMAIN, f"{record_id}_{key}"
    )
    assert found is not None, f"no {platform} {key} of {record_id}"
    return found


def state_of(hass: HomeAssistant, platform: str, record_id: str, key: str) -> str:
    """Return the state of an entity by what it shows."""
    state = hass.states.get(entity_id(hass, platform, record_id, key))
    assert state is not None
    return state.state

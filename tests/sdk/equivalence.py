"""What all miners are told alike, whoever made them, and what they must show then."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
import time
from typing import Any, override

import pytest

from custom_components.miningsdk.sdk import (
    Capability,
    DeviceTimeout,
    DeviceUnreachable,
    InvalidReply,
    Limits,
    Miner,
    MinerPool,
    MinerStats,
    MinerStatus,
    PoolConfig,
    PoolState,
    registry,
)
from tests.conftest import Simulate
from tests.simulators.base import SimulatedDevice
from tests.simulators.families import Family, families

type Check = Callable[[MinerStats], bool]

FAMILIES = families()
SECRET = "geheim77"
POOLS = tuple(
    PoolConfig(
        url=f"stratum+tcp://{name}.example:3344", user="acct.rig7", password=SECRET
    )
    for name in ("first", "second", "third")
)
# Nothing here takes a second; but the machine may be busy.
PATIENCE = 8.0
_MOST_PROFILES = 3
# What is out of limits in the same way for all that have a range.
RANGES = {
    Capability.POWER_LIMIT: "set_power_limit",
    Capability.THROTTLE: "set_throttle",
    Capability.FAN: "set_fan",
    Capability.TARGET_TEMPERATURE: "set_target_temperature",
    Capability.FREQUENCY: "set_frequency",
    Capability.VOLTAGE: "set_voltage",
}
CHOICES = {
    Capability.POWER_MODE: "set_power_mode",
    Capability.PROFILE: "set_profile",
}
# Reboot and restart count as done once they were taken.
UNCONFIRMED = {Capability.REBOOT, Capability.RESTART}


def driver_of(family: Family) -> type[Miner]:
    """Return the driver of a family."""
    driver = registry.get(family.driver)
    assert issubclass(driver, Miner)
    return driver


type Claim = tuple[Family, Capability]
CLAIMS: list[Claim] = [
    (family, capability)
    for family in FAMILIES
    for capability in driver_of(family).implemented()
]


def name_of(value: object) -> str:
    """Return what a test is called by."""
    return value.driver if isinstance(value, Family) else str(value)


def of(claims: list[Claim]) -> pytest.MarkDecorator:
    """Have a test run for each of these families with a capability."""
    ids = [f"{family.driver}-{capability}" for family, capability in claims]
    return pytest.mark.parametrize(("family", "capability"), claims, ids=ids)


each_family = pytest.mark.parametrize("family", FAMILIES, ids=name_of)
each_that_pauses = pytest.mark.parametrize(
    "family",
    [family for family, capability in CLAIMS if capability is Capability.PAUSE],
    ids=name_of,
)

# Meeting a device.


@asynccontextmanager
async def meeting(
    simulate: Simulate,
    family: Family,
    capability: Capability | None = None,
    *,
    password: str | None = None,
    connect: bool = True,
) -> AsyncGenerator[tuple[Miner, SimulatedDevice]]:
    """Switch on a device of a family, of a model that has the capability.

    ``password`` is what the driver is told instead of the right one; empty is none.
    """
    other = family.others.get(capability.value, {}) if capability else {}
    device = await simulate(family.simulator, **{**family.options, **other})
    hurry(device)
    miner = miner_of(family, device, password)
    try:
        if connect:
            await miner.connect()
        yield miner, device
    finally:
        await miner.close()


def miner_of(
    family: Family, device: SimulatedDevice, password: str | None = None
) -> Miner:
    """Return a driver as a program that has just begun has it, with little patience."""
    if password is None:
        password = family.password or getattr(device, "password", None)
    driver = driver_of(family)
    miner = driver(
        device.host,
        port=device.port(driver.default_port),
        username=family.username if password else None,
        password=password or None,
        timeout=5.0,
    )
    miner.confirm_every = 0.01
    confirm_within(miner, PATIENCE)
    return miner


def confirm_within(miner: Miner, seconds: float) -> None:
    """Give the device so long to show what it was told, whatever that is."""
    miner._time_to_confirm = lambda capability: seconds  # type: ignore[method-assign]


def hurry(device: Any) -> None:
    """Have a device that is away for a while when it reboots come back at once."""
    if hasattr(device, "reboot_time"):
        device.reboot_time = 5.0
        device.speed = 100.0
    if hasattr(device, "boot"):
        device.boot = 0.05


# How each capability is used.


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a capability, and what a reading must show after it."""

    command: str
    values: tuple[Any, ...]
    shown: Check

    async def send(self, miner: Miner) -> None:
        """Tell it to a miner."""
        await getattr(miner, self.command)(*self.values)


type Uses = Callable[[Miner, Limits], Iterator[Use]]


def uses(miner: Miner, capability: Capability) -> list[Use]:
    """Return what this miner can be told, within the limits that it tells."""
    limits = miner.info.limits.get(capability, Limits())
    return list(_USES[capability](miner, limits))


def values(limits: Limits) -> tuple[float, ...]:
    """Return a value within a range, and both its ends."""
    low, high, step = limits.minimum, limits.maximum, limits.step
    assert low is not None and high is not None and step is not None
    assert low < high and 0 < step <= high - low
    return round(low + (high - low) / step // 2 * step, 6), high, low


def near(shown: float | None, wanted: float, tolerance: float = 0.5) -> bool:
    """Tell whether a value is shown as it was set."""
    return shown is not None and abs(shown - wanted) <= tolerance


def is_paused(stats: MinerStats) -> bool:
    """Tell whether it sleeps, and does not hash meanwhile."""
    return stats.status is MinerStatus.PAUSED and not stats.hashrate


def _shows(read: Callable[[MinerStats], object], wanted: object) -> Check:
    return lambda stats: read(stats) == wanted


def _pause(_miner: Miner, _limits: Limits) -> Iterator[Use]:
    yield Use("pause", (), is_paused)
    yield Use("resume", (), lambda stats: stats.status is not MinerStatus.PAUSED)


def _once(command: str) -> Uses:
    def found(_miner: Miner, _limits: Limits) -> Iterator[Use]:
        yield Use(command, (), lambda stats: stats.status is not MinerStatus.PAUSED)

    return found


def _locate(_miner: Miner, _limits: Limits) -> Iterator[Use]:
    for on in (True, False):
        yield Use("locate", (on,), _shows(lambda stats: stats.locating, on))


def _power_limit(miner: Miner, limits: Limits) -> Iterator[Use]:
    by_steps = type(miner).set_power_limit is not Miner.set_power_limit
    for watts in values(limits):

        def shown(stats: MinerStats, watts: float = watts) -> bool:
            limit = stats.power_limit
            # Where the steps are coarse, the highest is taken that keeps the limit;
            # above what a miner is rated for, its rated power may be in force.
            lower = by_steps or watts == limits.maximum
            below = lower and limit is not None and 0 < limit <= watts
            return below or near(limit, watts)

        yield Use("set_power_limit", (watts,), shown)


def _power_mode(_miner: Miner, limits: Limits) -> Iterator[Use]:
    assert len(limits.options) > 1
    for mode in reversed(limits.options):
        yield Use("set_power_mode", (mode,), _shows(lambda s: s.power_mode, mode))


def _profile(_miner: Miner, limits: Limits) -> Iterator[Use]:
    assert len(limits.options) > 1
    for name in limits.options[-_MOST_PROFILES:]:
        yield Use("set_profile", (name,), _shows(lambda s: s.settings.profile, name))


def _setting(name: str, tolerance: float = 0.5) -> Uses:
    def found(_miner: Miner, limits: Limits) -> Iterator[Use]:
        for value in values(limits):

            def shown(stats: MinerStats, value: float = value) -> bool:
                return near(getattr(stats.settings, name), value, tolerance)

            yield Use(f"set_{name}", (value,), shown)

    return found


def _fan(_miner: Miner, limits: Limits) -> Iterator[Use]:
    for duty in values(limits):

        def shown(stats: MinerStats, duty: float = duty) -> bool:
            found = stats.settings
            return found.fan_automatic is not True and near(found.fan, duty)

        yield Use("set_fan", (duty,), shown)
    if "auto" in limits.options:
        automatic = _shows(lambda stats: stats.settings.fan_automatic, wanted=True)
        yield Use("set_fan", (None,), automatic)


def _pools(_miner: Miner, limits: Limits) -> Iterator[Use]:
    for count in range(1, int(limits.maximum or len(POOLS)) + 1):

        def shown(stats: MinerStats, count: int = count) -> bool:
            wanted = [_bare(pool) for pool in POOLS[:count]]
            found = [pool for pool in stats.pools if pool.url]
            # What firmware keeps beside them it must not use.
            others = [p for p in found if _bare(p) not in wanted and p.status in _USED]
            return [_bare(pool) for pool in found[:count]] == wanted and not others

        yield Use("set_pools", (POOLS[:count],), shown)


_USED = (PoolState.ACTIVE, PoolState.ALIVE, PoolState.DEAD)


def _bare(pool: MinerPool | PoolConfig) -> tuple[str, str | None]:
    """Return address and user, without the scheme that firmware may leave out."""
    return (pool.url or "").rpartition("://")[2], pool.user


def _board_enable(_miner: Miner, limits: Limits) -> Iterator[Use]:
    for option in limits.options or ("0",):
        for on in (False, True):
            state = (int(option), on)

            def shown(stats: MinerStats, state: tuple[int, bool] = state) -> bool:
                return state in {(board.index, board.enabled) for board in stats.boards}

            yield Use("set_board_enabled", state, shown)


_USES: Mapping[Capability, Uses] = {
    Capability.PAUSE: _pause,
    Capability.REBOOT: _once("reboot"),
    Capability.RESTART: _once("restart"),
    Capability.LOCATE: _locate,
    Capability.POWER_LIMIT: _power_limit,
    Capability.POWER_MODE: _power_mode,
    Capability.PROFILE: _profile,
    Capability.THROTTLE: _setting("throttle"),
    Capability.FAN: _fan,
    Capability.TARGET_TEMPERATURE: _setting("target_temperature"),
    Capability.FREQUENCY: _setting("frequency"),
    Capability.VOLTAGE: _setting("voltage", 0.0005),
    Capability.POOLS: _pools,
    Capability.BOARD_ENABLE: _board_enable,
}


def use_of(miner: Miner, capability: Capability) -> Use:
    """Return a use, also where no limits are told."""
    if capability in miner.info.capabilities:
        return uses(miner, capability)[0]
    command, *values = WITHOUT_LIMITS[capability]
    return Use(str(command), tuple(values), is_paused)


WITHOUT_LIMITS: dict[Capability, tuple[Any, ...]] = {
    **{capability: (command, 50.0) for capability, command in RANGES.items()},
    **{capability: (command, "x") for capability, command in CHOICES.items()},
    Capability.PAUSE: ("pause",),
    Capability.REBOOT: ("reboot",),
    Capability.RESTART: ("restart",),
    Capability.LOCATE: ("locate", True),
    Capability.POOLS: ("set_pools", POOLS[:1]),
    Capability.BOARD_ENABLE: ("set_board_enabled", 0, False),
}


async def back(miner: Miner) -> MinerStats:
    """Read the miner, which may be away for a moment, or not know what it does."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            if (stats := await miner.read()).status is not MinerStatus.UNKNOWN:
                return stats
        except DeviceUnreachable, DeviceTimeout, InvalidReply:
            pass
        assert time.monotonic() < until, "it does not come back"


# A device that takes what it is told, and forgets it at once.


class _Bare(SimulatedDevice):
    @override
    async def start(self) -> None: ...


_WIRE = frozenset(vars(_Bare()))
_PLAIN = (type(None), bool, int, float, str, bytes, Enum)


def memory(device: SimulatedDevice) -> dict[str, Any]:
    """Return a copy of all that a simulated device remembers, but for its wire."""
    return {
        name: deepcopy(value)
        for name, value in vars(device).items()
        if name not in _WIRE and _is_plain(value)
    }


def _is_plain(value: object) -> bool:
    if isinstance(value, Mapping):
        return all(_is_plain(item) for item in value.values())
    if isinstance(value, list | tuple | set | frozenset):
        return all(map(_is_plain, value))
    if is_dataclass(value):
        return all(_is_plain(getattr(value, field.name)) for field in fields(value))
    return isinstance(value, _PLAIN)


def make_forgetful(miner: Miner, device: SimulatedDevice) -> None:
    """Have the device forget what the driver writes, once all of it is written."""
    for name in vars(Miner):
        if name.startswith(("_pause", "_resume", "_locate", "_set_")):
            setattr(miner, name, _undone(getattr(miner, name), device))


def _undone(
    write: Callable[..., Awaitable[None]], device: SimulatedDevice
) -> Callable[..., Awaitable[None]]:
    async def written(*values: Any) -> None:
        kept = memory(device)
        await write(*values)
        for name, value in kept.items():
            setattr(device, name, value)

    return written

"""A miner: its commands, each confirmed by the device before it counts as done."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import override

from . import models
from .algorithms import rounded
from .commands import Commanded
from .errors import AuthenticationFailed, MiningSDKError, NotSupported
from .model import (
    Board,
    Capability,
    DeviceKind,
    MinerPool,
    MinerStats,
    MinerStatus,
    PoolConfig,
)

type Check = Callable[[MinerStats], bool]

_ADDRESSES_OF_POOLS = 3
# What the whole has of its boards and pools, where the firmware does not tell it.
_TOTALS = ("hashrate", "hashrate_expected")
_HOTTEST = ("temperature_chip", "temperature_board")
_COUNTERS = ("accepted", "rejected", "stale")


class Miner(Commanded[MinerStats]):
    """A miner of any make.

    Every command writes, then reads back until the device shows what was asked for.

    Raises, from every command:
        NotSupported: the device does not offer it, or not this value.
        AuthenticationFailed: it asks for a password, or refuses the one it was given.
        CommandFailed: the device refused, or did not confirm in ``confirm_within``
            seconds; the text holds its own words. Nothing is tried a second time.
        and what ``Device`` raises.
    """

    kind = DeviceKind.MINER

    # Whether it was told to pause without having shown that it does.
    _may_fall_asleep = False

    async def pause(self) -> None:
        """Stop hashing, by the cheapest sleep that the firmware offers."""
        self._may_fall_asleep = True
        await self._command(
            Capability.PAUSE,
            self._pause,
            lambda stats: stats.status is MinerStatus.PAUSED,
        )
        self._may_fall_asleep = False

    async def resume(self) -> None:
        """Undo ``pause``; returns once the miner has left its sleep.

        A miner that hashes is left alone: some firmware resumes by a restart.
        """
        await self._command(
            Capability.PAUSE,
            self._wake,
            lambda stats: stats.status not in (MinerStatus.PAUSED, MinerStatus.UNKNOWN),
        )
        self._may_fall_asleep = False

    async def _wake(self) -> None:
        if self._may_fall_asleep or not await self._hashes():
            await self._resume()

    async def _hashes(self) -> bool:
        try:
            stats = await self._read_back()
        except AuthenticationFailed:
            raise
        except MiningSDKError:
            # Whatever is wrong with it, to resume may help.
            return False
        return stats.status in (MinerStatus.MINING, MinerStatus.TUNING)

    async def reboot(self) -> None:
        """Reboot the whole device; returns once it has taken the command."""
        await self._command(Capability.REBOOT, self._reboot, None)
        self.forget_info()

    async def restart(self) -> None:
        """Restart the mining process only."""
        await self._command(Capability.RESTART, self._restart, None)

    async def locate(self, on: bool) -> None:  # noqa: FBT001
        """Blink, so that a person finds the device; or stop blinking."""
        await self._command(
            Capability.LOCATE,
            lambda: self._locate(on),
            lambda stats: stats.locating is on,
        )

    async def set_power_limit(self, watts: float) -> None:
        """Limit the power in W, within ``info.limits``."""
        self._check_range(Capability.POWER_LIMIT, watts, "W")
        await self._command(
            Capability.POWER_LIMIT,
            lambda: self._set_power_limit(watts),
            lambda stats: _near(stats.power_limit, watts),
        )

    async def set_power_mode(self, mode: str) -> None:
        """Choose one of the power modes in ``info.limits``."""
        self._check_option(Capability.POWER_MODE, mode)
        await self._command(
            Capability.POWER_MODE,
            lambda: self._set_power_mode(mode),
            lambda stats: stats.power_mode == mode,
        )

    async def set_profile(self, profile: str) -> None:
        """Choose one of the tuning profiles in ``info.limits``."""
        self._check_option(Capability.PROFILE, profile)
        await self._command(
            Capability.PROFILE,
            lambda: self._set_profile(profile),
            lambda stats: stats.settings.profile == profile,
        )

    async def set_throttle(self, percent: float) -> None:
        """Run at a percentage of full power."""
        self._check_range(Capability.THROTTLE, percent, "%")
        await self._command(
            Capability.THROTTLE,
            lambda: self._set_throttle(percent),
            lambda stats: _near(stats.settings.throttle, percent),
        )

    async def set_fan(self, duty: float | None) -> None:
        """Run the fans at a fixed duty in %, or ``None`` for the automatic."""
        if duty is None:
            self._check_option(Capability.FAN, "auto")
        else:
            self._check_range(Capability.FAN, duty, "%")
        await self._command(
            Capability.FAN, lambda: self._set_fan(duty), lambda s: _fan_is(s, duty)
        )

    async def set_target_temperature(self, celsius: float) -> None:
        """Set the temperature in °C that the automatic fans aim for."""
        self._check_range(Capability.TARGET_TEMPERATURE, celsius, "°C")
        await self._command(
            Capability.TARGET_TEMPERATURE,
            lambda: self._set_target_temperature(celsius),
            lambda stats: _near(stats.settings.target_temperature, celsius),
        )

    async def set_frequency(self, megahertz: float) -> None:
        """Set the chips' frequency in MHz."""
        self._check_range(Capability.FREQUENCY, megahertz, "MHz")
        await self._command(
            Capability.FREQUENCY,
            lambda: self._set_frequency(megahertz),
            lambda stats: _near(stats.settings.frequency, megahertz),
        )

    async def set_voltage(self, volts: float) -> None:
        """Set the chips' voltage in V."""
        self._check_range(Capability.VOLTAGE, volts, "V")
        await self._command(
            Capability.VOLTAGE,
            lambda: self._set_voltage(volts),
            lambda stats: _near(stats.settings.voltage, volts, 0.0005),
        )

    async def set_pools(self, pools: Sequence[PoolConfig]) -> None:
        """Replace the pools, in order of priority; one to three of them."""
        if not 1 <= len(pools) <= _ADDRESSES_OF_POOLS:
            raise NotSupported("a miner takes one to three pools")
        await self._command(
            Capability.POOLS,
            lambda: self._set_pools(pools),
            lambda stats: _pools_are(stats.pools, pools),
        )

    async def set_board_enabled(self, index: int, on: bool) -> None:  # noqa: FBT001
        """Let the hashboard with this ``Board.index`` hash, or keep it from it.

        ``info.limits`` may list the boards that there are, as options.
        """
        if self._limits(Capability.BOARD_ENABLE).options:
            self._check_option(Capability.BOARD_ENABLE, str(index))
        await self._command(
            Capability.BOARD_ENABLE,
            lambda: self._set_board_enabled(index, on),
            lambda stats: _board_is(stats, index, on),
        )

    # What a driver implements, as far as its firmware can.

    async def _pause(self) -> None:
        raise NotImplementedError

    async def _resume(self) -> None:
        raise NotImplementedError

    async def _reboot(self) -> None:
        raise NotImplementedError

    async def _restart(self) -> None:
        raise NotImplementedError

    async def _locate(self, on: bool) -> None:  # noqa: FBT001
        raise NotImplementedError

    async def _set_power_limit(self, watts: float) -> None:
        raise NotImplementedError

    async def _set_power_mode(self, mode: str) -> None:
        raise NotImplementedError

    async def _set_profile(self, profile: str) -> None:
        raise NotImplementedError

    async def _set_throttle(self, percent: float) -> None:
        raise NotImplementedError

    async def _set_fan(self, duty: float | None) -> None:
        raise NotImplementedError

    async def _set_target_temperature(self, celsius: float) -> None:
        raise NotImplementedError

    async def _set_frequency(self, megahertz: float) -> None:
        raise NotImplementedError

    async def _set_voltage(self, volts: float) -> None:
        raise NotImplementedError

    async def _set_pools(self, pools: Sequence[PoolConfig]) -> None:
        raise NotImplementedError

    async def _set_board_enabled(self, index: int, on: bool) -> None:  # noqa: FBT001
        raise NotImplementedError

    @override
    async def _read(self) -> MinerStats:
        return self._complete(await super()._read())

    @override
    async def _read_back(self) -> MinerStats:
        return self._complete(await super()._read_back())

    def _complete(self, stats: MinerStats) -> MinerStats:
        if self._known_model is not None and not models.fits(
            self._known_model, stats.boards
        ):
            self._doubt_model()
        return complete(models.expect(stats, self._known_model))


def complete(stats: MinerStats) -> MinerStats:
    """Fill in what follows from the rest: totals, hottest and efficiency."""
    changes: dict[str, float | int | None] = {}
    for name in _TOTALS:
        if getattr(stats, name) is None and stats.boards:
            changes[name] = _total(stats.boards, name)
    for name in _HOTTEST:
        if getattr(stats, name) is None and stats.boards:
            found = [v for b in stats.boards if (v := getattr(b, name)) is not None]
            changes[name] = max(found, default=None)
    for name in _COUNTERS:
        if getattr(stats, name) is None and stats.pools:
            counts = [v for p in stats.pools if (v := getattr(p, name)) is not None]
            changes[name] = sum(counts) if counts else None
    hashrate = stats.hashrate or changes.get("hashrate")
    if stats.efficiency is None and stats.power is not None and hashrate:
        changes["efficiency"] = round(stats.power / hashrate, 2)
    return replace(stats, **changes) if changes else stats  # type: ignore[arg-type]


def _total(boards: tuple[Board, ...], field: str) -> float | None:
    """Add up the boards, unless one that is enabled keeps silent."""
    values: list[float | None] = [
        getattr(board, field) for board in boards if board.enabled is not False
    ]
    known = [value for value in values if value is not None]
    if not values or len(known) < len(values):
        return None
    return rounded(sum(known))


def _near(value: float | None, wanted: float, tolerance: float = 0.5) -> bool:
    return value is not None and abs(value - wanted) <= tolerance


def _fan_is(stats: MinerStats, duty: float | None) -> bool:
    if duty is None:
        return stats.settings.fan_automatic is True
    return stats.settings.fan_automatic is not True and _near(stats.settings.fan, duty)


def _board_is(stats: MinerStats, index: int, on: bool) -> bool:  # noqa: FBT001
    return any(b.index == index and b.enabled is on for b in stats.boards)


def _pools_are(shown: tuple[MinerPool, ...], wanted: Sequence[PoolConfig]) -> bool:
    found = [(_bare(pool.url), pool.user) for pool in shown if pool.url]
    return found[: len(wanted)] == [(_bare(pool.url), pool.user) for pool in wanted]


def _bare(url: str | None) -> str:
    """Return an address as it can be compared: firmware may drop the scheme."""
    return (url or "").lower().rpartition("://")[2].rstrip("/")

"""Commands that count as done only when the device shows what it was told."""

import asyncio
from collections.abc import Awaitable, Callable
from math import isfinite
from time import monotonic
from typing import ClassVar

from .device import Device
from .errors import (
    AuthenticationFailed,
    CommandFailed,
    DeviceTimeout,
    DeviceUnreachable,
    InvalidReply,
    MiningSDKError,
    NotSupported,
)
from .model import Capability, Limits


class Commanded[S](Device[S]):
    """A device that takes commands.

    Every command writes, then reads back until the device shows what was asked for.

    Raises, from every command:
        NotSupported: the device does not offer it, or not this value.
        AuthenticationFailed: it asks for a password, or refuses the one it was given.
        CommandFailed: the device refused, or did not confirm in ``confirm_within``
            seconds; the text holds its own words. Nothing is tried a second time.
        and what ``Device`` raises.
    """

    confirm_within: float = 30.0
    confirm_every: float = 1.0
    # Commands after which the device is away for a while and must not be hurried.
    confirm_longer: ClassVar[dict[Capability, float]] = {}
    # Settings whose change may interrupt mining: its process or tuning begins anew.
    restarts: ClassVar[frozenset[Capability]] = frozenset()
    # What the device does not show: what it was last told from here is shown instead.
    unseen: ClassVar[frozenset[Capability]] = frozenset()
    # Settings that sleep takes the place of in the device's memory: only the process
    # that paused it can bring them back, another one resumes to the device's usual.
    lost_asleep: ClassVar[frozenset[Capability]] = frozenset()

    @classmethod
    def implemented(cls) -> tuple[Capability, ...]:
        """Return what the driver can tell its devices; one of them may offer less."""
        return tuple(name for name in Capability if _implements(cls, name))

    async def _fetch_settings(self) -> None:
        """Read again what is set and hardly changes; a command calls it to confirm."""

    async def _command(
        self,
        capability: Capability,
        write: Callable[[], Awaitable[None]],
        check: Callable[[S], bool] | None,
    ) -> None:
        if capability not in self._info.capabilities:
            raise self._not_offered(capability)
        async with self._lock:
            await self._limited(write)
            if check is not None:
                await self._confirm(capability, check)

    def _not_offered(self, capability: Capability) -> MiningSDKError:
        """Say why this is not offered: it may be for want of the right password."""
        if self.authentication_error and capability in self.implemented():
            return AuthenticationFailed(self.authentication_error)
        return NotSupported(f"this device does not offer {capability.value}")

    def _time_to_confirm(self, capability: Capability) -> float:
        """Return how many seconds the device gets to show what it was told."""
        return self.confirm_longer.get(capability, self.confirm_within)

    async def _confirm(
        self, capability: Capability, check: Callable[[S], bool]
    ) -> None:
        within = self._time_to_confirm(capability)
        until = monotonic() + within
        problem = "the device still shows the old state"
        while True:
            try:
                if check(await self._limited(self._read_back)):
                    return
                problem = "the device still shows the old state"
            except (DeviceUnreachable, DeviceTimeout, InvalidReply) as error:
                # Many commands restart the device; it may be away for a while.
                problem = str(error)
            if monotonic() + self.confirm_every > until:
                raise CommandFailed(
                    f"{capability.value} was sent, but not confirmed within "
                    f"{within:g} s: {problem}"
                )
            await asyncio.sleep(self.confirm_every)

    async def _read_back(self) -> S:
        await self._fetch_settings()
        return await self._fetch_stats({})

    def _limits(self, capability: Capability) -> Limits:
        return self._info.limits.get(capability, Limits())

    def _check_range(self, capability: Capability, value: float, unit: str) -> None:
        limits = self._limits(capability)
        check_range(value, limits.minimum, limits.maximum, unit)

    def _check_option(self, capability: Capability, option: str) -> None:
        options = self._limits(capability).options
        if capability in self._info.capabilities and option not in options:
            raise NotSupported(
                f"{option!r} is not one of: {', '.join(options) or 'no options'}"
            )


def check_range(value: float, low: float | None, high: float | None, unit: str) -> None:
    """Refuse a value that lies outside of what the device takes.

    Raises:
        NotSupported: it does.
    """
    low_enough = high is None or value <= high
    if not isfinite(value) or not low_enough or (low is not None and value < low):
        raise NotSupported(
            f"{value:g} {unit} is outside of what the device takes: "
            f"{'any' if low is None else f'{low:g}'} to "
            f"{'any' if high is None else f'{high:g}'} {unit}"
        )


def _implements(driver: type, capability: Capability) -> bool:
    """Tell whether a driver overrides what its kind of device leaves to drivers."""
    name = capability.value
    for hook in (f"_{name}", f"_set_{name}", f"_set_{name}s", f"_set_{name}d"):
        found = [vars(base)[hook] for base in driver.__mro__ if hook in vars(base)]
        if found and found[0] is not found[-1]:
            return True
    return False

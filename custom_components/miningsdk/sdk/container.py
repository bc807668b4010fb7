"""A container that houses miners: its cooling, its sockets and its setpoints."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from .commands import Commanded, check_range
from .errors import NotSupported
from .model import (
    Capability,
    ContainerStats,
    ContainerStatus,
    DeviceKind,
    Setpoint,
    Socket,
)

# Setpoints are shown with one digit.
_SETPOINT_TOLERANCE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """From where a reading is alarming; a level that is not known is ``None``."""

    low_critical: float | None = None
    low: float | None = None
    high: float | None = None
    high_critical: float | None = None


class Container(Commanded[ContainerStats]):
    """A container of any make.

    ``allow_cooling`` lets it take commands to its cooling: switched off while miners
    run, they overheat within minutes. A driver lists ``Capability.COOLING`` and
    ``SETPOINT`` only when it is set; sockets may be switched without it.
    """

    kind = DeviceKind.CONTAINER
    extra_options: ClassVar[tuple[str, ...]] = ("allow_cooling",)
    # Whether it tells the power of each socket, and so of what is plugged into it.
    measures_sockets: ClassVar[bool] = False
    # Limits that its maker or operators use, by the key of the reading.
    thresholds: ClassVar[Mapping[str, Threshold]] = {}

    def __init__(
        self, host: str, *, allow_cooling: bool = False, **options: Any
    ) -> None:
        """Describe a container without talking to it; ``options`` as of Device."""
        super().__init__(host, **options)
        self.allow_cooling = allow_cooling

    async def set_cooling(self, on: bool) -> None:  # noqa: FBT001
        """Switch the cooling on or off."""
        self._check_allowed()
        await self._command(
            Capability.COOLING,
            lambda: self._set_cooling(on),
            lambda stats: self._cooling_is(stats, on),
        )

    async def reset_cooling(self) -> None:
        """Acknowledge the alarms of the cooling; returns once it shows none."""
        self._check_allowed()
        await self._command(
            Capability.COOLING,
            self._reset_cooling,
            lambda stats: (
                stats.status not in (ContainerStatus.FAULT, ContainerStatus.UNKNOWN)
            ),
        )

    async def set_actuator(self, key: str, on: bool) -> None:  # noqa: FBT001
        """Switch one of those actuators that ``info.limits`` lists as options."""
        self._check_allowed()
        self._check_option(Capability.COOLING, key)
        await self._command(
            Capability.COOLING,
            lambda: self._set_actuator(key, on),
            lambda stats: actuators_are(stats, {key: on}),
        )

    async def set_socket(self, index: int, on: bool) -> None:  # noqa: FBT001
        """Switch one socket, by the index it has in ``ContainerStats.sockets``."""
        await self.set_sockets((index,), on)

    async def set_sockets(self, indexes: Collection[int], on: bool) -> None:  # noqa: FBT001
        """Switch several sockets, one after the other."""
        wanted = tuple(dict.fromkeys(indexes))
        await self._command(
            Capability.SOCKET,
            lambda: self._set_sockets(wanted, on),
            lambda stats: sockets_are(stats.sockets, wanted, on),
        )

    async def set_setpoint(self, key: str, value: float) -> None:
        """Set one of ``ContainerStats.setpoints``, within what it accepts."""
        self._check_allowed()
        await self._command(
            Capability.SETPOINT,
            lambda: self._set_setpoint(key, value),
            lambda stats: _setpoint_is(stats, key, value),
        )

    def _check_allowed(self) -> None:
        if not self.allow_cooling:
            raise NotSupported(
                "commands to the cooling are not allowed here (allow_cooling is off)"
            )

    @staticmethod
    def _check_setpoint(
        setpoints: Collection[Setpoint], key: str, value: float
    ) -> None:
        """Refuse a setpoint that there is not, or a value that it does not take."""
        for point in setpoints:
            if point.key == key:
                check_range(value, point.minimum, point.maximum, point.unit or "")
                return
        known = ", ".join(point.key for point in setpoints)
        raise NotSupported(f"{key!r} is not one of: {known or 'no setpoints'}")

    def _cooling_is(self, stats: ContainerStats, on: bool) -> bool:  # noqa: FBT001
        """Tell whether the reading shows that the cooling does what it was told."""
        return stats.cooling_on is on

    # What a driver implements, as far as its container can.

    async def _set_cooling(self, on: bool) -> None:  # noqa: FBT001
        raise NotImplementedError

    async def _reset_cooling(self) -> None:
        raise NotImplementedError

    async def _set_actuator(self, key: str, on: bool) -> None:  # noqa: FBT001
        raise NotImplementedError

    async def _set_sockets(self, indexes: tuple[int, ...], on: bool) -> None:  # noqa: FBT001
        raise NotImplementedError

    async def _set_setpoint(self, key: str, value: float) -> None:
        raise NotImplementedError


def sockets_are(
    sockets: Collection[Socket],
    indexes: Collection[int],
    on: bool,  # noqa: FBT001
) -> bool:
    """Tell whether all of these sockets are shown on, or off."""
    shown = {socket.index: socket.on for socket in sockets}
    return all(shown.get(index) is on for index in indexes)


def actuators_are(stats: ContainerStats, wanted: dict[str, bool]) -> bool:
    """Tell whether actuators are shown as wanted."""
    shown = {actuator.key: actuator.on for actuator in stats.actuators}
    return all(shown.get(key) is on for key, on in wanted.items())


def _setpoint_is(stats: ContainerStats, key: str, value: float) -> bool:
    return any(
        point.key == key
        and point.value is not None
        and abs(point.value - value) <= _SETPOINT_TOLERANCE
        for point in stats.setpoints
    )

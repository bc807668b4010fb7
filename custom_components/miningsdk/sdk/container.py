"""A container that houses miners: its cooling, its sockets and its setpoints."""

from collections.abc import Collection
from typing import Any

from .commands import Commanded, check_range
from .errors import NotSupported
from .model import Capability, ContainerStats, DeviceKind, Setpoint


class Container(Commanded[ContainerStats]):
    """A container of any make.

    ``allow_cooling`` lets it take commands to its cooling: switched off while miners
    run, they overheat within minutes. A driver lists ``Capability.COOLING`` and
    ``SETPOINT`` only when it is set; sockets may be switched without it.
    """

    kind = DeviceKind.CONTAINER

    def __init__(
        self, host: str, *, allow_cooling: bool = False, **options: Any
    ) -> None:
        """Describe a container without talking to it; ``options`` as of Device."""
        super().__init__(host, **options)
        self.allow_cooling = allow_cooling

    async def switch_cooling(self, on: bool) -> None:  # noqa: FBT001
        """Switch the cooling on or off."""
        self._check_allowed()
        await self._command(
            Capability.COOLING,
            lambda: self._switch_cooling(on),
            lambda stats: stats.cooling_on is on,
        )

    async def switch_socket(self, index: int, on: bool) -> None:  # noqa: FBT001
        """Switch one socket, by the index it has in ``ContainerStats.sockets``."""
        await self.switch_sockets((index,), on)

    async def switch_sockets(self, indexes: Collection[int], on: bool) -> None:  # noqa: FBT001
        """Switch several sockets, one after the other."""
        wanted = tuple(dict.fromkeys(indexes))
        await self._command(
            Capability.SOCKET,
            lambda: self._switch_sockets(wanted, on),
            lambda stats: _sockets_are(stats, wanted, on),
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

    # What a driver implements, as far as its container can.

    async def _switch_cooling(self, on: bool) -> None:  # noqa: FBT001
        raise NotImplementedError

    async def _switch_sockets(self, indexes: tuple[int, ...], on: bool) -> None:  # noqa: FBT001
        raise NotImplementedError

    async def _set_setpoint(self, key: str, value: float) -> None:
        raise NotImplementedError


def _sockets_are(stats: ContainerStats, indexes: tuple[int, ...], on: bool) -> bool:  # noqa: FBT001
    shown = {socket.index: socket.on for socket in stats.sockets}
    return all(shown.get(index) is on for index in indexes)


def _setpoint_is(stats: ContainerStats, key: str, value: float) -> bool:
    return any(
        point.key == key
        and point.value is not None
        and abs(point.value - value) <= 0.05
        for point in stats.setpoints
    )

"""A meter that may also switch what it measures: a plug, or a relay with a meter."""

from typing import Any, ClassVar

from .commands import Commanded
from .container import sockets_are
from .meter import Meter
from .model import Capability, MeterStats


class SwitchedMeter(Meter, Commanded[MeterStats]):
    """A meter with relays of its own, shown as ``MeterStats.sockets``.

    ``channel`` picks one of several circuits that it measures, counted from 0;
    without it they are added up.
    """

    extra_options: ClassVar[tuple[str, ...]] = ("channel",)

    def __init__(
        self, host: str, *, channel: int | None = None, **options: Any
    ) -> None:
        """Describe a meter without talking to it; ``options`` as of Meter."""
        super().__init__(host, **options)
        self.channel = channel

    async def set_socket(self, index: int, on: bool) -> None:  # noqa: FBT001
        """Switch one relay, by the index it has in ``MeterStats.sockets``."""
        await self._command(
            Capability.SOCKET,
            lambda: self._set_socket(index, on),
            lambda stats: sockets_are(stats.sockets, (index,), on),
        )

    # What a driver implements, where there is a relay.

    async def _set_socket(self, index: int, on: bool) -> None:  # noqa: FBT001
        raise NotImplementedError

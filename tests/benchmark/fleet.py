"""The simulated miners of a benchmark: which, how many, and where."""

from collections.abc import Sequence
from dataclasses import dataclass
import errno
import socket

from tests.demo.makers import MAIN, MAKERS, PASSWORD
from tests.simulators.base import SimulatedDevice

# Where ordinary users may open no port below 1024, all ports lie this much higher.
_HIGH = 20000
# The mix on which the figures of other libraries are known, and one of more families.
MIXED = "mixed"
WIDE = "wide"
_MIXES = {MIXED: ("axeos", "antminer", "whatsminer"), WIDE: tuple(MAIN)}


@dataclass(frozen=True, slots=True)
class Place:
    """One miner: its family, address, number within its family, and account."""

    family: str
    host: str
    offset: int
    number: int

    @property
    def account(self) -> tuple[str | None, str | None]:
        """Return user name and password."""
        return None, PASSWORD

    def make(self) -> SimulatedDevice:
        """Return the simulated device, not switched on."""
        return MAKERS[self.family](self.host, self.offset, self.number)


def free_net() -> int:
    """Return the second number of loopback addresses that nobody listens on."""
    for net in range(20, 60):
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind((f"127.{net}.0.1", 80 if low_ports_allowed() else 80 + _HIGH))
            except OSError:
                continue
        return net
    raise RuntimeError("all loopback networks for benchmarks are in use")


def places(fleet: str, count: int, *, net: int) -> list[Place]:
    """Return the places of a fleet: one family, or those of a mix in turn.

    ``net`` is the second number of their addresses.
    """
    turn: Sequence[str] = _MIXES.get(fleet, (fleet,))
    offset = 0 if low_ports_allowed() else _HIGH
    return [
        Place(
            family=turn[n % len(turn)],
            host=f"127.{net}.{n // 250}.{1 + n % 250}",
            offset=offset,
            number=n // len(turn),
        )
        for n in range(count)
    ]


def low_ports_allowed() -> bool:
    """Tell whether this user may open the ports that real devices have."""
    with socket.socket() as sock:
        try:
            sock.bind(("127.19.250.250", 79))
        except OSError as error:
            return error.errno not in (errno.EACCES, errno.EPERM)
    return True

"""A small mixed site: simulated miners of every family on loopback addresses."""

from collections.abc import Callable
from dataclasses import dataclass
import errno
import socket
from typing import Self

from tests.simulators.axeos import SimulatedAxeOS
from tests.simulators.base import SimulatedDevice

# 127.0.0.1 is left to Home Assistant.
_FIRST_HOST = 2
_HIGH_PORTS = 20000


@dataclass(frozen=True, slots=True)
class Family:
    """One family of the site; ``make`` builds its n-th miner."""

    make: Callable[[str, int, int], SimulatedDevice]
    username: str | None = None
    password: str | None = None


FAMILIES: dict[str, Family] = {
    "Bitaxe": Family(
        lambda host, offset, n: SimulatedAxeOS(
            host,
            offset=offset,
            model=("601", "401", "204")[n % 3],
            mac=f"74:4d:bd:00:00:{n:02x}",
        )
    ),
}


class DemoSite:
    """Simulated miners, switched on together.

    On their real ports, one address each, where the machine allows it; otherwise all
    on 127.0.0.1 with ports of their own.
    """

    def __init__(self, miners: int) -> None:
        """Describe a site of this many miners, family after family in turn."""
        self._real = _low_ports_allowed()
        self.devices: list[SimulatedDevice] = []
        self._left_out: set[str] = set()
        families = list(FAMILIES.values())
        for n in range(miners):
            family = families[n % len(families)]
            host = f"127.0.{(n + _FIRST_HOST) // 250}.{(n + _FIRST_HOST) % 250}"
            device = (
                family.make(host, 0, n)
                if self._real
                else family.make("127.0.0.1", _HIGH_PORTS + n, n)
            )
            self.devices.append(device)
            # One of each family is for the user to add.
            if n >= miners - len(families) and miners > 2 * len(families):
                self._left_out.add(device.address)

    @property
    def description(self) -> str:
        """Say where the miners are."""
        if self._real:
            return f"from {self.devices[0].host} to {self.devices[-1].host}"
        return f"on 127.0.0.1 with high ports, such as {self.devices[0].address}"

    @property
    def targets(self) -> list[str]:
        """Return what the search of the config flow is given."""
        if self._real:
            networks = {d.host.rpartition(".")[0] for d in self.devices}
            return sorted(f"{network}.0/24" for network in networks)
        return [device.address for device in self.devices]

    def is_left_out(self, label: str) -> bool:
        """Tell whether the device with this label is left for the user to add."""
        return label.rpartition("(")[2].rstrip(")") in self._left_out

    def credentials(self, make: str) -> dict[str, str]:
        """Return the account of a make's simulated devices."""
        for name, family in FAMILIES.items():
            if name == make and family.password is not None:
                account = {"password": family.password}
                if family.username is not None:
                    account["username"] = family.username
                return account
        return {}

    async def __aenter__(self) -> Self:
        """Switch all of them on."""
        for device in self.devices:
            await device.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Switch all of them off."""
        for device in self.devices:
            await device.stop()


def _low_ports_allowed() -> bool:
    """Tell whether the real ports and other loopback addresses are to be had."""
    try:
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((f"127.0.0.{_FIRST_HOST}", 80))
    except PermissionError:
        return False
    except OSError as error:
        if error.errno in (errno.EADDRNOTAVAIL, errno.EADDRINUSE):
            return False
        raise
    return True

"""A small mixed site: simulated miners of every family on loopback addresses."""

import errno
from itertools import islice
import socket
from typing import Self

from tests.demo.makers import in_turn
from tests.demo.plant import equipment, mempool
from tests.simulators.base import SimulatedDevice
from tests.simulators.broker import Broker, mosquitto

# 127.0.0.1 is left to Home Assistant.
_FIRST_HOST = 2
# No address of a network as such: no search looks there.
_IN_NETWORK = 250
_HIGH_PORTS = 20000
# So many more are on, and not added: they are for the user.
LEFT_OUT = 3


class DemoSite:
    """Simulated miners, switched on together.

    On their real ports, one address each, where the machine allows it; otherwise all
    on 127.0.0.1 with ports of their own.
    """

    def __init__(self, miners: int) -> None:
        """Describe a site of this many miners, of each family in turn."""
        self.miners = miners
        self._real = _low_ports_allowed()
        self.devices: list[SimulatedDevice] = []
        self.mempool = mempool(real=self._real)
        self._left_out: set[str] = set()
        for n, (make, index) in enumerate(islice(in_turn(), miners + LEFT_OUT)):
            host = f"127.0.{n // _IN_NETWORK}.{_FIRST_HOST + n % _IN_NETWORK}"
            device = (
                make(host, 0, index)
                if self._real
                else make("127.0.0.1", _HIGH_PORTS + n, index)
            )
            self.devices.append(device)
            if n >= miners:
                self._left_out.add(device.address)

        # What talks over MQTT is there where a real broker is installed.
        self.broker = Broker() if mosquitto() else None
        half = miners // 2
        self.equipment = equipment(
            real=self._real,
            halves=(
                ",".join(d.host for d in self.devices[:half]),
                ",".join(d.host for d in self.devices[half:miners]),
            ),
            broker=self.broker,
        )

    def _all(self) -> list[SimulatedDevice]:
        return [*self.devices, *(e.device for e in self.equipment), self.mempool]

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

    @property
    def working(self) -> int:
        """Return how many miners and containers tell what they do, once added."""
        containers = [e for e in self.equipment if e.kind == "container"]
        return self.miners + len(containers)

    def is_left_out(self, label: str) -> bool:
        """Tell whether the device with this label is left for the user to add."""
        # "Name (address)", or an address alone behind the make.
        return label.replace("(", " ").rstrip(")").split()[-1] in self._left_out

    async def __aenter__(self) -> Self:
        """Switch all of them on."""
        if self.broker is not None:
            await self.broker.start()
        for device in self._all():
            await device.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Switch all of them off."""
        for device in self._all():
            await device.stop()
        if self.broker is not None:
            await self.broker.stop()


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

"""A small mixed site: simulated miners of every family on loopback addresses."""

from collections.abc import Callable
import errno
import socket
from typing import Self

from tests.demo.plant import equipment, mempool
from tests.simulators.antminer import SimulatedAntminer
from tests.simulators.avalon import SimulatedAvalon
from tests.simulators.axeos import SimulatedAxeOS
from tests.simulators.base import SimulatedDevice
from tests.simulators.nerdaxe import SimulatedNerdAxe
from tests.simulators.whatsminer import SimulatedWhatsminer
from tests.simulators.whatsminer_v3 import SimulatedWhatsminerV3

# 127.0.0.1 is left to Home Assistant.
_FIRST_HOST = 2
_HIGH_PORTS = 20000


PASSWORD = "demo"

type Make = Callable[[str, int, int], SimulatedDevice]


def _axeos(host: str, offset: int, n: int) -> SimulatedDevice:
    model = ("601", "401", "204", "801")[n % 4]
    return SimulatedAxeOS(host, offset=offset, model=model, mac=_mac("74:4d:bd", n))


def _nerdaxe(host: str, offset: int, n: int) -> SimulatedDevice:
    return SimulatedNerdAxe(host, offset=offset, mac=_mac("74:4d:be", n))


def _antminer(host: str, offset: int, n: int) -> SimulatedDevice:
    model = ("S21", "S19 Pro", "S9", "S19 XP Hyd.")[n % 4]
    return SimulatedAntminer(
        host,
        offset=offset,
        model=model,
        serial=f"SIMB0BDJAB0{n:06d}",
        mac=_mac("02:11:22", n),
        password=PASSWORD,
        seed=n,
    )


def _whatsminer(host: str, offset: int, n: int) -> SimulatedDevice:
    return SimulatedWhatsminer(
        host,
        offset=offset,
        model=("M30S++", "M50S")[n % 2],
        serial=f"HTM30H70{n:09d}",
        mac=_mac("c4:08:28", n),
        password=PASSWORD,
    )


def _whatsminer_v3(host: str, offset: int, n: int) -> SimulatedDevice:
    return SimulatedWhatsminerV3(
        host,
        offset=offset,
        model=("M60S", "M63S")[n % 2],
        serial=f"BTM3CS40{n:09d}",
        mac=_mac("c4:11:04", n),
        password=PASSWORD,
    )


def _avalon(host: str, offset: int, n: int) -> SimulatedDevice:
    return SimulatedAvalon(
        host,
        offset=offset,
        model=("q", "nano3s", "a1346", "mini3")[n % 4],
        serial=f"02010000aa{n:06x}",
        mac=_mac("b4:a2:eb", n).replace(":", ""),
        password=PASSWORD,
    )


def _mac(prefix: str, n: int) -> str:
    return f"{prefix}:{n >> 16 & 255:02x}:{n >> 8 & 255:02x}:{n & 255:02x}"


# How to make the nth miner of each family that the demo has.
MAKERS: dict[str, Make] = {
    "axeos": _axeos,
    "antminer": _antminer,
    "whatsminer-v3": _whatsminer_v3,
    "avalon": _avalon,
    "whatsminer": _whatsminer,
    "nerdaxe": _nerdaxe,
}
_TURN = tuple(MAKERS.values())


class DemoSite:
    """Simulated miners, switched on together.

    On their real ports, one address each, where the machine allows it; otherwise all
    on 127.0.0.1 with ports of their own.
    """

    def __init__(self, miners: int) -> None:
        """Describe a site of this many miners, family after family in turn."""
        self._real = _low_ports_allowed()
        self.devices: list[SimulatedDevice] = []
        self.mempool = mempool(real=self._real)
        self._left_out: set[str] = set()
        for n in range(miners):
            make = _TURN[n % len(_TURN)]
            index = n // len(_TURN)
            number = n + _FIRST_HOST
            host = f"127.0.{number // 250}.{number % 250}"
            device = (
                make(host, 0, index)
                if self._real
                else make("127.0.0.1", _HIGH_PORTS + n, index)
            )
            self.devices.append(device)
            # One of each family is for the user to add.
            if n >= miners - len(_TURN) and miners > 2 * len(_TURN):
                self._left_out.add(device.address)

        half = len(self.devices) // 2
        self.equipment = equipment(
            real=self._real,
            halves=(
                ",".join(d.host for d in self.devices[:half]),
                ",".join(d.host for d in self.devices[half:]),
            ),
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

    def is_left_out(self, label: str) -> bool:
        """Tell whether the device with this label is left for the user to add."""
        return label.rpartition("(")[2].rstrip(")") in self._left_out

    async def __aenter__(self) -> Self:
        """Switch all of them on."""
        for device in self._all():
            await device.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Switch all of them off."""
        for device in self._all():
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

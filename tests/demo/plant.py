"""What a site has beside its miners: containers, meters, sensors and pools."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.simulators.antspace import SimulatedAntspace
from tests.simulators.base import SimulatedDevice
from tests.simulators.bitdeer import SimulatedBitdeer
from tests.simulators.broker import Broker
from tests.simulators.mempool import SimulatedMempool
from tests.simulators.microbt_container import SimulatedMicroBt
from tests.simulators.modbus import SimulatedMeter
from tests.simulators.pools import ACCOUNT, POOLS
from tests.simulators.seneca import SimulatedSeneca

_HIGH_PORTS = 22000
_TOPIC = "C001_D40"


@dataclass(frozen=True, slots=True)
class Equipment:
    """One device that a person adds by hand: what it is, and what the form is given."""

    kind: str
    driver: str
    device: SimulatedDevice
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def form(self) -> dict[str, Any]:
        """Return what is typed into the form."""
        if isinstance(self.device, SimulatedBitdeer):
            # It is reached through the broker that Home Assistant has.
            return dict(self.details)
        host = self.device.address
        if self.kind == "pool":
            port = self.device.port(self.device.ports[0])
            host = f"http://{self.device.host}:{port}"
        return {"host": host, **self.details}


def equipment(
    *, real: bool, halves: tuple[str, str], broker: Broker | None
) -> list[Equipment]:
    """Return the plant of the demo; ``halves`` are the miners of each container.

    With a broker there is a third container, which talks through it.
    """
    place = _Places(real=real)
    found = [
        Equipment(
            "container",
            "antspace",
            SimulatedAntspace(**place.next(), miners=15),
            {"targets": halves[0]},
        ),
        Equipment(
            "container",
            "microbt-kehua",
            SimulatedMicroBt(**place.next()),
            {"targets": halves[1]},
        ),
    ]
    found += [
        Equipment(
            "meter", driver, SimulatedMeter(**place.next(), driver=driver, serial=n)
        )
        for n, driver in enumerate(("eastron-sdm630", "abb-b23", "schneider-pm5340"), 1)
    ]
    found += [
        Equipment("sensor", "seneca-z4rtd2", SimulatedSeneca(**place.next()))
        for _ in range(2)
    ]
    found += [
        Equipment(
            "pool",
            driver,
            POOLS[driver](**place.next()),
            {"username": ACCOUNT},
        )
        for driver in ("pool-ocean", "pool-ckpool")
    ]
    if broker is not None:
        # The last one: whenever something is added, the site starts anew, and it
        # waits a moment for what it has not heard yet.
        device = SimulatedBitdeer(
            broker.host,
            port=broker.port,
            username=broker.username,
            password=broker.password,
            topic=_TOPIC,
            every=2.0,
        )
        found.append(Equipment("container", "bitdeer-d40", device, {"topic": _TOPIC}))
    return found


def mempool(*, real: bool) -> SimulatedMempool:
    """Return the server for the network's data."""
    return SimulatedMempool(**_Places(real=real, first=200).next())


class _Places:
    """Addresses beside those of the miners."""

    def __init__(self, *, real: bool, first: int = 2) -> None:
        self._real = real
        self._next = first

    def next(self) -> dict[str, Any]:
        number = self._next
        self._next += 1
        if self._real:
            return {"host": f"127.0.9.{number}", "offset": 0}
        return {"host": "127.0.0.1", "offset": _HIGH_PORTS + number}

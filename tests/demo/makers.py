"""How to make the nth miner of each family, with its own serial number and MAC."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

from tests.simulators._braiins_bosminer import SimulatedBosminer
from tests.simulators.antminer import SimulatedAntminer
from tests.simulators.auradine import SimulatedAuradine
from tests.simulators.avalon import SimulatedAvalon
from tests.simulators.axeos import SimulatedAxeOS
from tests.simulators.base import SimulatedDevice
from tests.simulators.braiins import SimulatedBraiins
from tests.simulators.cgminer import SimulatedCgminer
from tests.simulators.elphapex import SimulatedElphapex
from tests.simulators.epic import SimulatedEpic
from tests.simulators.futurebit import SimulatedFutureBit
from tests.simulators.goldshell import SimulatedGoldshell
from tests.simulators.hiveon import SimulatedHiveon
from tests.simulators.iceriver import SimulatedIceRiver
from tests.simulators.innosilicon import SimulatedInnosilicon
from tests.simulators.luxos import SimulatedLuxOS
from tests.simulators.mara import SimulatedMara
from tests.simulators.mskminer import SimulatedMskMiner
from tests.simulators.nerdaxe import SimulatedNerdAxe
from tests.simulators.proto import SimulatedProto
from tests.simulators.sealminer import SimulatedSealminer
from tests.simulators.vnish import SimulatedVNish
from tests.simulators.volcminer import SimulatedVolcMiner
from tests.simulators.whatsminer import SimulatedWhatsminer
from tests.simulators.whatsminer_v3 import SimulatedWhatsminerV3

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """Makes the miners of a family, as far as its firmware tells them apart.

    ``serial`` is what a serial number begins with, ``mac`` the first half of a MAC.
    ``options`` are the same for all of them.
    """

    simulator: Callable[..., SimulatedDevice]
    serial: str | None = None
    mac: str | None = None
    password: bool = True
    seeded: bool = True
    options: dict[str, Any] = field(default_factory=dict)

    def __call__(self, host: str, offset: int, n: int) -> SimulatedDevice:
        """Return the nth, not switched on."""
        options = dict(self.options)
        if self.serial is not None:
            options["serial"] = f"{self.serial}{n + 1:06d}"
        if self.mac is not None:
            options["mac"] = _mac(self.mac, n + 1)
        if self.password:
            options["password"] = PASSWORD
        if self.seeded:
            options["seed"] = n + 1
        return self.simulator(host, offset=offset, **options)


def _mac(prefix: str, n: int) -> str:
    return f"{prefix}:{n >> 16 & 255:02x}:{n >> 8 & 255:02x}:{n & 255:02x}"


# Most of the demo, and all of the mixed fleet of the benchmark.
MAIN: dict[str, Make] = {
    "axeos": _axeos,
    "antminer": _antminer,
    "whatsminer-v3": _whatsminer_v3,
    "avalon": _avalon,
    "whatsminer": _whatsminer,
    "nerdaxe": _nerdaxe,
}
MAKERS: dict[str, Make] = {
    **MAIN,
    "braiins": Maker(
        simulator=SimulatedBraiins,
        serial="SIMBOS0BDJAB",
        mac="02:42:4f",
        options={"model": "S21"},
    ),
    "luxos": Maker(
        simulator=SimulatedLuxOS, serial="SIMLUX0BDJAB", mac="02:4c:58", password=False
    ),
    "vnish": Maker(simulator=SimulatedVNish, serial="SIMVN00000", mac="02:56:4e"),
    "epic": Maker(
        simulator=SimulatedEpic,
        serial="EPIC00",
        mac="e6:d4:41",
        seeded=False,
        options={"power_tune": True, "wobble": 0.01},
    ),
    "proto": Maker(
        simulator=SimulatedProto,
        serial="PROTO0",
        mac="c8:98:db",
        seeded=False,
        options={"wobble": 0.01},
    ),
    "iceriver": Maker(
        simulator=SimulatedIceRiver, serial="IR", mac="52:8c:10", seeded=False
    ),
    "goldshell": Maker(simulator=SimulatedGoldshell, serial="GS", mac="28:e2:97"),
    "elphapex": Maker(
        simulator=SimulatedElphapex, serial="SIMDG245192N", mac="02:44:47"
    ),
    "volcminer": Maker(simulator=SimulatedVolcMiner, serial="SIMVOLC", mac="02:56:4f"),
    "sealminer": Maker(simulator=SimulatedSealminer, serial="SIMSEAL", mac="02:53:45"),
    "auradine": Maker(simulator=SimulatedAuradine, serial="AU239", mac="1c:00:00"),
    "futurebit": Maker(
        simulator=SimulatedFutureBit, serial="FB", mac="02:0a:46", seeded=False
    ),
    "innosilicon": Maker(simulator=SimulatedInnosilicon, serial="IN", mac="50:6c:be"),
    "mara": Maker(simulator=SimulatedMara, serial="SIMMARA", mac="02:4d:41"),
    "hiveon": Maker(simulator=SimulatedHiveon, serial="SIMHIVE", mac="02:48:49"),
    "mskminer": Maker(simulator=SimulatedMskMiner, serial="SIMMSK", mac="02:4d:53"),
    # These tell nothing that is theirs alone, and ask for no password.
    "braiins-cgminer": Maker(simulator=SimulatedBosminer, password=False),
    "cgminer": Maker(simulator=SimulatedCgminer, password=False),
}


def _names() -> Iterator[str]:
    others = [name for name in MAKERS if name not in MAIN]
    yield from MAKERS
    for other in cycle(others):
        yield from MAIN
        yield other


def in_turn() -> Iterator[tuple[Make, int]]:
    """Yield who makes the next miner, and its number within its family.

    Each family comes once; from then on most are of the main ones.
    """
    made: Counter[str] = Counter()
    for name in _names():
        yield MAKERS[name], made[name]
        made[name] += 1

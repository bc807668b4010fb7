"""A simulated miner of the years when BOSminer spoke for itself, on the socket."""

import time
from typing import Any, override

from tests.simulators._braiins_socket import Look, sections
from tests.simulators.cgminer import Section, SocketMiner

_CODES = {
    "version": (22, "BOSminer versions"),
    "check": (72, "Check command"),
    "temps": (201, "3 Temp(s)"),
    "fans": (202, "4 Fan(s)"),
    "tempctrl": (200, "Temperature control"),
    "tunerstatus": (203, "Tuner Status"),
    "pause": (204, "Pause"),
    "resume": (205, "Resume"),
}


class BosSocket(SocketMiner):
    """The socket API of both, with the commands that cgminer does not have."""

    version: Section = {}  # noqa: RUF012
    takes: tuple[str, ...] = ()
    unknown: frozenset[str] = frozenset()
    unavailable: frozenset[str] = frozenset()

    def look(self) -> Look:
        """Return what there is to tell now."""
        raise NotImplementedError

    def order(self, name: str) -> Section | None:
        """Take a command that changes something."""
        return None

    @override
    def run(self, name: str, parameter: str) -> Section | None:
        if name in self.unknown:
            return None
        if name in self.unavailable:
            return self.status("E", 302, "Unavailable")
        found = self._data(name, parameter)
        if found is None:
            return None
        if name in _CODES:
            return {**self.status("S", *_CODES[name]), **found}
        return found

    def _data(self, name: str, parameter: str) -> Section | None:
        if name == "version":
            return {"VERSION": [self.version]}
        if name == "check":
            known = parameter in self.takes and parameter not in self.unknown
            answer = "Y" if known else "N"
            return {"CHECK": [{"Exists": answer, "Access": answer}]}
        return self.order(name) or sections(self.look()).get(name)


class SimulatedBosminer(BosSocket):
    """An Antminer S9 with Braiins OS of 2021: BOSminer speaks for itself.

    ``tells_pause`` has the tuner say that it is paused, as most do. ``ramp`` are the
    seconds from resume to the first hash, ``words`` what the tuner says by board.
    """

    takes = ("pause", "resume")
    description = "BOSminer bosminer-plus-am1-s9 0.9.0-6bf3b3bd"

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        model: str = "Bitmain Antminer S9",
        ids: tuple[int, ...] = (6, 7, 8),
        rate: float = 13.5,
        tells_pause: bool = True,
        ramp: float = 0.0,
        unknown: frozenset[str] = frozenset(),
        **options: Any,
    ) -> None:
        """Describe a miner that is not switched on yet."""
        super().__init__(host, **options)
        self.model = model
        self.ids = ids
        self.rate = rate
        self.tells_pause = tells_pause
        self.ramp = ramp
        self.unknown = unknown
        self.version = {
            "API": "3.7",
            "BOSminer+": "bosminer-plus-am1-s9 0.9.0-6bf3b3bd",
        }
        self.words: dict[int, str] = {}
        self.paused = False
        self.ignores_writes = False
        self.hashes = True
        self.pools_dead = False
        self.orders: list[str] = []
        self._ramps_until = 0.0

    @override
    def look(self) -> Look:
        ramping = time.monotonic() < self._ramps_until
        works = self.hashes and not self.paused and not ramping
        works = works and not self.pools_dead
        words = dict(self.words)
        if self.tells_pause and self.paused:
            words = dict.fromkeys(self.ids, "paused")
        elif self.tells_pause and ramping:
            words = dict.fromkeys(self.ids, "resuming")
        turns = 0 if self.paused else 1
        return Look(
            model=self.model,
            ids=self.ids,
            chips=63,
            rate=self.rate * self.wander() if works else 0.0,
            nominal=self.rate,
            watts=0 if self.paused else 1419,
            limit=1420,
            uptime=self.uptime,
            words=words,
            fans=(5340 * turns, 4620 * turns, 0, 0),
            duty=100 * turns,
            dead=self.pools_dead,
        )

    @override
    def order(self, name: str) -> Section | None:
        if name not in self.takes:
            return None
        self.orders.append(name)
        if not self.ignores_writes:
            self.paused = name == "pause"
            if not self.paused:
                self._ramps_until = time.monotonic() + self.ramp
        return {name.upper(): [True]}

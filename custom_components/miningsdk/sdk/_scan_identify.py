"""Tell what answers at an address, from harmless questions to its open ports."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
import logging

import aiohttp

from ._scan_ports import check, out_of_files
from .device import AnyDevice
from .errors import DeviceTimeout, DeviceUnreachable, MiningSDKError
from .registry import drivers
from .transports.wire import Probe, Wire

_LOGGER = logging.getLogger(__name__)
# A device that is slower than this with one question is given up on it.
_ANSWER_WITHIN = 3.0
_FILES_EVERY = 0.1


@dataclass(frozen=True, slots=True)
class Identified:
    """What was recognised: the driver, its port, and how surely (1 to 100)."""

    driver: type[AnyDevice]
    port: int
    score: int


class Catalogue:
    """The questions that all drivers ask, by port; the most shared ones first."""

    def __init__(self) -> None:
        """Collect the questions of all drivers there are."""
        self.drivers = tuple(driver for driver in drivers() if driver.probes)
        asked = Counter(probe for driver in self.drivers for probe in driver.probes)
        self.probes: dict[int, list[Probe]] = {}
        for probe, _ in asked.most_common():
            self.probes.setdefault(probe.port, []).append(probe)
        self.ports = tuple(self.probes)

    def best(self, evidence: dict[Probe, str]) -> tuple[int, type[AnyDevice] | None]:
        """Return the driver that fits the evidence best, with its score."""
        best: tuple[int, type[AnyDevice] | None] = (0, None)
        for driver in self.drivers:
            score = _score(driver, evidence)
            if score > best[0]:
                best = (score, driver)
        return best

    def shifts(self, port: int) -> list[int]:
        """Return by how much all ports may be moved, when one is known, likely first.

        Simulators and forwarded ports move them by round numbers.
        """
        usual = {*self.ports, *(driver.default_port for driver in self.drivers)}
        moved = {port - known for known in usual}
        return sorted(moved, key=lambda by: (by != 0, by % 100 != 0, abs(by)))


def _score(driver: type[AnyDevice], evidence: dict[Probe, str]) -> int:
    try:
        return min(int(driver.recognise(evidence)), 100)
    except Exception:
        # A driver of a third party must not hide the others.
        _LOGGER.exception("The driver %s failed to recognise a device", driver.name)
        return 0


class Interview:
    """The questions to one host whose ports are moved by ``shift``."""

    def __init__(self, catalogue: Catalogue, wire: Wire, shift: int = 0) -> None:
        """Begin without any evidence."""
        self._catalogue = catalogue
        self._wire = wire
        self._shift = shift
        self.evidence: dict[Probe, str] = {}
        self.failures: list[MiningSDKError] = []

    async def ask(self, ports: Iterable[int], until: float) -> None:
        """Ask all questions to these ports, as far as time allows."""
        asked = list(ports)
        try:
            async with asyncio.timeout_at(until), asyncio.TaskGroup() as group:
                for port in asked:
                    for probe in self._catalogue.probes.get(port - self._shift, ()):
                        group.create_task(self._ask(probe))
        except TimeoutError:
            self.failures.append(self._wire.silent(asked[0]))

    async def _ask(self, probe: Probe) -> None:
        port = probe.port + self._shift
        while True:
            try:
                self.evidence[probe] = await probe.ask(self._wire, port)
            except MiningSDKError as error:
                if out_of_files(error):
                    await asyncio.sleep(_FILES_EVERY)
                    continue
                self.failures.append(error)
            except Exception:
                _LOGGER.exception("The question %s failed", probe.name)
            return

    def conclude(self) -> Identified | None:
        """Return the driver that fits best, if any does."""
        score, driver = self._catalogue.best(self.evidence)
        if driver is None:
            return None
        return Identified(driver, driver.default_port + self._shift, score)


async def identify(
    host: str,
    *,
    port: int | None = None,
    session: aiohttp.ClientSession | None = None,
    connect_timeout: float = 2.0,
    timeout: float = 10.0,  # noqa: ASYNC109
    catalogue: Catalogue | None = None,
) -> Identified | None:
    """Tell which driver fits the device at an address; ``None``: it is none of ours.

    Without a port all usual ones are tried; with one, every question is tried there.

    Raises:
        DeviceUnreachable: nothing answers.
        DeviceTimeout: it takes connections, but answers nothing in time.
    """
    catalogue = catalogue or Catalogue()
    ports = catalogue.ports if port is None else (port,)
    found = await check(host, ports, connect_timeout)
    if not found.open:
        why = "no answer in time" if found.silent else "connection refused"
        at = "" if port is None else f" port {port}"
        raise DeviceUnreachable(f"{host}{at}: {why}")
    return await interview(
        catalogue,
        host,
        port=port,
        open_ports=found.open,
        session=session,
        connect_timeout=connect_timeout,
        timeout=timeout,
    )


async def interview(
    catalogue: Catalogue,
    host: str,
    *,
    port: int | None,
    open_ports: tuple[int, ...],
    session: aiohttp.ClientSession | None,
    connect_timeout: float,
    timeout: float,  # noqa: ASYNC109
) -> Identified | None:
    """Ask the open ports of a host what it is; see ``identify``."""
    wire = Wire(
        host=host,
        connect_timeout=connect_timeout,
        timeout=min(timeout, _ANSWER_WITHIN),
        session=session,
    )
    until = asyncio.get_running_loop().time() + timeout
    try:
        if port is not None:
            return await _at_port(catalogue, wire, port, until)
        asked = Interview(catalogue, wire)
        await asked.ask(open_ports, until)
        return _concluded([asked])
    finally:
        await wire.close()


async def _at_port(
    catalogue: Catalogue, wire: Wire, port: int, until: float
) -> Identified | None:
    """Try every question at one port, and then at those that belong to it."""
    asked: list[Interview] = []
    for shift in catalogue.shifts(port):
        asked.append(interview := Interview(catalogue, wire, shift))
        await interview.ask((port,), until)
        if port - shift in catalogue.probes and not interview.evidence:
            continue
        others = [
            other
            for usual in catalogue.ports
            if (other := usual + shift) != port and 0 < other <= 65_535
        ]
        found = await check(wire.host, others, wire.connect_timeout)
        await interview.ask(found.open, until)
        if (identified := interview.conclude()) is not None:
            return identified
    return _concluded(asked)


def _concluded(asked: list[Interview]) -> Identified | None:
    """Return what was found; raise when not one question was answered at all."""
    for interview in asked:
        if (identified := interview.conclude()) is not None:
            return identified
    failures = [error for interview in asked for error in interview.failures]
    silent = all(isinstance(e, DeviceTimeout | DeviceUnreachable) for e in failures)
    if failures and silent and not any(interview.evidence for interview in asked):
        raise failures[0]
    return None

"""Part ``scan``: how fast devices are found among hosts that refuse or keep silent."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from ipaddress import ip_network
import time

from custom_components.miningsdk.sdk import ScanProgress, scan
from custom_components.miningsdk.sdk._scan_identify import Catalogue
from tests.benchmark.fleet import WIDE, low_ports_allowed
from tests.benchmark.plant import Plant
from tests.benchmark.silent import SilentHosts

_LIVE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """How a scan of a network went, in s; ``whole`` is with the second pass."""

    network: str
    hosts: str
    live: int
    found: int
    first_pass_s: float
    whole_s: float
    cpu_s: float


async def measure(*, quick: bool) -> list[Scan]:
    """Scan a /24 with hosts that refuse and with silent ones, and a /20."""
    if not low_ports_allowed():
        return []
    results = []
    async with Plant(WIDE, _LIVE) as plant:
        results.append(await _scan(plant, "/24", silent=False))
        results.append(await _scan(plant, "/24", silent=True))
        if not quick:
            results.append(await _scan(plant, "/20", silent=False))
            results.append(await _scan(plant, "/20", silent=True))
    return results


def _hosts(network: str) -> list[str]:
    return [str(host) for host in ip_network(network).hosts()]


async def _scan(plant: Plant, size: str, *, silent: bool) -> Scan:
    network = f"127.{plant.net}.0.0{size}"
    async with AsyncExitStack() as stack:
        if silent:
            live = {place.host for place in plant.places}
            hosts = [host for host in _hosts(network) if host not in live]
            await stack.enter_async_context(SilentHosts(hosts, Catalogue().ports))
        first: list[float] = []
        started, cpu = time.perf_counter(), time.process_time()

        def progress(now: ScanProgress) -> None:
            if now.first_pass and now.done == now.total:
                first.append(time.perf_counter() - started)

        found = [
            info
            async for info in scan(
                network,
                second_timeout=3.0 if size == "/24" else None,
                progress=progress,
            )
        ]
        whole, spent = time.perf_counter() - started, time.process_time() - cpu
    return Scan(
        network=size,
        hosts="silent" if silent else "refusing",
        live=len(plant.places),
        found=len(found),
        first_pass_s=first[0] if first else whole,
        whole_s=whole,
        cpu_s=spent,
    )

"""Fixtures for all tests: sockets on loopback only, simulated devices."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
import itertools
import os
from pathlib import Path
from typing import Any

import pytest
import pytest_socket

from tests.simulators.base import SimulatedDevice

# Simulated devices keep their real ports, moved up by this much: ordinary users
# may not open the low ones.
OFFSET = 20000
EXAMPLES = Path(__file__).parents[2] / "shared" / "examples"

type Simulate = Callable[..., Awaitable[Any]]

_addresses = itertools.count(1)


@pytest.fixture(autouse=True)
def loopback_only() -> Generator[None]:
    """Allow sockets to loopback addresses, and to nothing else."""
    pytest_socket.enable_socket()
    pytest_socket.socket_allow_hosts(["127.0.0.0/8", "::1"], allow_unix_socket=True)
    yield
    pytest_socket.socket_allow_hosts(["127.0.0.1"], allow_unix_socket=True)


def loopback_address() -> str:
    """Return a loopback address that no other simulated device has."""
    # Test processes run side by side; each begins at another address.
    process, number = os.getpid(), next(_addresses)
    return (
        f"127.{10 + process % 230}.{(process // 230 + number // 250) % 250}"
        f".{1 + number % 250}"
    )


@pytest.fixture
async def simulate() -> AsyncGenerator[Simulate]:
    """Return a function that switches on a simulated device until the test ends."""
    devices: list[SimulatedDevice] = []

    async def switch_on(kind: type[SimulatedDevice], **options: Any) -> SimulatedDevice:
        options.setdefault("offset", OFFSET)
        device = kind(options.pop("host", None) or loopback_address(), **options)
        await device.start()
        devices.append(device)
        return device

    yield switch_on
    for device in devices:
        await device.stop()


@pytest.fixture
def example() -> Callable[[str], bytes]:
    """Return a function that reads a recorded reply, or skips where there is none."""

    def read(path: str) -> bytes:
        file = EXAMPLES / path
        if not file.exists():
            pytest.skip(f"the recorded reply {path} is not here")
        return file.read_bytes()

    return read

"""Containers without a wire, which say what a test wants."""

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any, ClassVar, override
from unittest.mock import patch

import pytest

from custom_components.miningsdk.sdk import (
    Capability,
    Container,
    ContainerStats,
    ContainerStatus,
    DeviceInfo,
    Socket,
    register,
    registry,
)
from tests.conftest import loopback_address
from tests.integration.fixtures_fleet import UNREACHABLE


class RackScript:
    """One scripted container: its sockets, and whether it answers."""

    def __init__(self, sockets: int) -> None:
        self.host = loopback_address()
        self.error: Exception | None = None
        self.stats = ContainerStats(
            status=ContainerStatus.RUNNING,
            sockets=tuple(
                Socket(index=i, on=True, power=3000.0 + 100 * i, name=f"A-{i}")
                for i in range(1, sockets + 1)
            ),
        )

    def say(self, index: int, **changes: Any) -> None:
        """Change what the next readings tell of a socket."""
        sockets = tuple(
            replace(socket, **changes) if socket.index == index else socket
            for socket in self.stats.sockets
        )
        self.stats = replace(self.stats, sockets=sockets)


class Rack(Container):
    """A container that measures its sockets."""

    name = "rack"
    make = "Acme"
    models = "Rack"
    transport = "none"
    default_port = 4445
    measures_sockets = True
    scripts: ClassVar[dict[str, RackScript]] = {}

    @property
    def script(self) -> RackScript:
        """Return what stands for the container at this address."""
        script = self.scripts.get(self.host)
        if script is None:
            raise UNREACHABLE
        if script.error is not None:
            raise script.error
        return script

    @override
    async def _fetch_info(self) -> DeviceInfo:
        assert self.script
        return replace(self.info, model="Rack", capabilities=(Capability.SOCKET,))

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> ContainerStats:
        return replace(self.script.stats, failed=failed)


class PlainRack(Rack):
    """A container that only switches its sockets."""

    name = "plain-rack"
    measures_sockets = False

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> ContainerStats:
        stats = await super()._fetch_stats(failed)
        sockets = tuple(replace(socket, power=None) for socket in stats.sockets)
        return replace(stats, sockets=sockets)


type MakeRack = Callable[..., RackScript]


@pytest.fixture(name="rack")
def rack_fixture() -> Generator[MakeRack]:
    """Return a function that makes a scripted container."""
    registry.drivers()
    scripts: dict[str, RackScript] = {}

    def make(sockets: int = 4) -> RackScript:
        made = RackScript(sockets)
        scripts[made.host] = made
        return made

    with patch.dict(registry._drivers), patch.object(Rack, "scripts", scripts):
        register(Rack)
        register(PlainRack)
        yield make

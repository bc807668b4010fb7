"""Which miners stand in which container and socket, and what they come to there."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from homeassistant.core import callback

from .attached import AttachedCoordinator
from .const import CONF_CONTAINER, CONF_DEVICES, CONF_SOCKET, CONF_TARGETS, LOGGER
from .coordinator import MinerCoordinator
from .inventory import Record
from .sdk import Container, MiningSDKError, Socket
from .sdk.targets import expand
from .totals import add_up


def socket_name(socket: Socket) -> str:
    """Return what the label of a socket says, or its number as people count."""
    return socket.name or f"Socket {socket.index + 1}"


@dataclass(frozen=True, slots=True)
class Plugged:
    """The socket of a container that a miner is plugged into."""

    container: AttachedCoordinator
    index: int

    @property
    def _socket(self) -> Socket:
        sockets: Iterable[Socket] = getattr(self.container.data, "sockets", ())
        found = next((s for s in sockets if s.index == self.index), None)
        return found or Socket(index=self.index)

    @property
    def name(self) -> str:
        """Return what people call the socket, and its container before it."""
        return f"{self.container.name}: {socket_name(self._socket)}"

    @property
    def described(self) -> dict[str, Any]:
        """Return what helps to find a fault, without what people call anything."""
        return {"container": self.container.device.name, **asdict(self._socket)}

    @property
    def measures(self) -> bool:
        """Tell whether the container measures each of its sockets."""
        device = self.container.device
        return isinstance(device, Container) and device.measures_sockets

    @property
    def power(self) -> float | None:
        """Return the power of the socket in W, as far as it is known now."""
        return self._socket.power if self.container.available else None


class Containers:
    """The containers of a site, and what is in them.

    A miner is in one container: that of the socket it is plugged into, or else the one
    it was chosen for, or else the first whose addresses hold its own.
    """

    def __init__(self, sockets: Mapping[str, Mapping[str, Any]]) -> None:
        """Begin without any; ``sockets`` are those of miners, as the options say."""
        self._sockets = sockets
        self._told: dict[str, AttachedCoordinator] = {}
        self._plugged: dict[str, Plugged] = {}
        self._chosen: dict[str, AttachedCoordinator] = {}
        self._by_host: dict[str, AttachedCoordinator] = {}

    def add(self, container: AttachedCoordinator) -> None:
        """Give a container the miners that it was configured with."""
        plugged = {
            miner_id: Plugged(container, place[CONF_SOCKET])
            for miner_id, place in self._sockets.items()
            if place[CONF_CONTAINER] == container.id
        }
        chosen = container.subentry.data.get(CONF_DEVICES, ())
        hosts = _hosts(container)
        self._plugged.update(plugged)
        for miner_id in chosen:
            self._chosen.setdefault(miner_id, container)
        for host in hosts:
            self._by_host.setdefault(host, container)
        if plugged or chosen or hosts:
            self._told[container.id] = container

    def of(self, record: Record) -> AttachedCoordinator | None:
        """Return the container that a miner is in."""
        return self.placed_in(record.id) or self._by_host.get(record.info.host)

    def placed_in(self, miner_id: str) -> AttachedCoordinator | None:
        """Return the container that a person put a miner into, whatever its address."""
        if plugged := self._plugged.get(miner_id):
            return plugged.container
        return self._chosen.get(miner_id)

    def chosen_for(self, miner_id: str) -> AttachedCoordinator | None:
        """Return the container whose form names a miner."""
        return self._chosen.get(miner_id)

    def socket_of(self, miner_id: str) -> Plugged | None:
        """Return the socket that a miner is plugged into."""
        return self._plugged.get(miner_id)

    def add_up(self, miners: Iterable[MinerCoordinator]) -> None:
        """Bring the totals of all containers up to date."""
        if not self._told:
            return
        groups: defaultdict[str, list[MinerCoordinator]] = defaultdict(list)
        for miner in miners:
            if container := self.of(miner.record):
                groups[container.id].append(miner)
        for container in self._told.values():
            container.totals = add_up(groups[container.id])

    @callback
    def async_measure(
        self, container: AttachedCoordinator, miners: Mapping[str, MinerCoordinator]
    ) -> None:
        """Have the miners in a container's sockets take up what these measure now."""
        for miner_id, plugged in self._plugged.items():
            if plugged.container is container and (miner := miners.get(miner_id)):
                miner.async_measure()

    def __contains__(self, container: AttachedCoordinator) -> bool:
        """Tell whether a container was told what is in it."""
        return container.id in self._told


def _hosts(container: AttachedCoordinator) -> list[str]:
    try:
        targets = expand(container.subentry.data.get(CONF_TARGETS, ""))
    except MiningSDKError as error:
        LOGGER.warning("%s: %s", container.name, error)
        return []
    return [target.host for target in targets]

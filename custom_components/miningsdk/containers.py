"""Which miners stand in which container, and what they come to there."""

from collections import defaultdict
from collections.abc import Iterable

from .attached import AttachedCoordinator
from .const import CONF_TARGETS, LOGGER
from .coordinator import MinerCoordinator
from .sdk import MiningSDKError
from .sdk.targets import expand
from .totals import add_up


class Containers:
    """The containers of a site, by the addresses of what is in them."""

    def __init__(self) -> None:
        """Begin without any."""
        self._by_host: dict[str, AttachedCoordinator] = {}

    def add(self, container: AttachedCoordinator) -> None:
        """Give a container the miners at the addresses that it was configured with.

        Of two containers that claim an address, the first one has it.
        """
        try:
            targets = expand(container.subentry.data.get(CONF_TARGETS, ""))
        except MiningSDKError as error:
            LOGGER.warning("%s: %s", container.name, error)
            return
        for target in targets:
            self._by_host.setdefault(target.host, container)

    def of(self, host: str) -> AttachedCoordinator | None:
        """Return the container that a miner at this address is in."""
        return self._by_host.get(host)

    def add_up(self, miners: Iterable[MinerCoordinator]) -> None:
        """Bring the totals of all containers up to date."""
        if not self._by_host:
            return
        groups: defaultdict[str, list[MinerCoordinator]] = defaultdict(list)
        for miner in miners:
            if container := self._by_host.get(miner.record.info.host):
                groups[container.id].append(miner)
        for container in {c.id: c for c in self._by_host.values()}.values():
            container.totals = add_up(groups[container.id])

    def __contains__(self, container: AttachedCoordinator) -> bool:
        """Tell whether a container was told what is in it."""
        return container in self._by_host.values()

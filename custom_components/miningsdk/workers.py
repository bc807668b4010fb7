"""Miners that hash for a pool account whose pool does not see them."""

from collections.abc import Iterator
from typing import override

from homeassistant.components.binary_sensor import BinarySensorDeviceClass
from homeassistant.const import CONF_USERNAME

from .attached import AttachedCoordinator
from .attached_entity import Part
from .controls_attached import AttachedBinarySensor
from .sdk import MinerStats, MinerStatus, PoolState, PoolStats
from .sdk.pool_workers import match_workers

# A pool shows a worker some minutes after its first share.
_SETTLED_AFTER = 1800


def worker_sensors(coordinator: AttachedCoordinator) -> Iterator[Part]:
    """Yield the sensor of an account whose pool lists its workers."""
    if isinstance(coordinator.data, PoolStats) and coordinator.data.workers:
        yield "unseen_miners", UnseenMinersSensor, None


def users_at(stats: MinerStats, account: str) -> list[str]:
    """Return the users by which a miner hashes for an account now."""
    if stats.status is not MinerStatus.MINING or (stats.uptime or 0) < _SETTLED_AFTER:
        return []
    wanted = account.casefold()
    return [
        pool.user
        for pool in stats.pools
        if pool.user
        and pool.status is PoolState.ACTIVE
        and pool.user.casefold().startswith(wanted)
    ]


class UnseenMinersSensor(AttachedBinarySensor):
    """Whether a miner hashes for this account, and the pool does not see it."""

    _attr_translation_key = "unseen_miners"
    _attr_device_class = BinarySensorDeviceClass.PROBLEM
    _unrecorded_attributes = frozenset({"miners"})

    @override
    def _update(self) -> None:
        stats = self.coordinator.data
        account = self.coordinator.subentry.data.get(CONF_USERNAME)
        # An old list of workers would accuse the wrong ones.
        if not isinstance(stats, PoolStats) or not account or "workers" in stats.failed:
            self._attr_is_on = None
            return
        miners = [
            (miner.name, users_at(miner.data, account))
            for miner in self.coordinator.fleet.coordinators.values()
            if miner.available and miner.data is not None
        ]
        unseen = match_workers(stats.workers, [m for m in miners if m[1]]).unseen
        self._attr_is_on = bool(unseen)
        self._attr_extra_state_attributes = {"miners": list(unseen)}

    @override
    def _shown(self) -> object:
        return self._attr_is_on, self.extra_state_attributes

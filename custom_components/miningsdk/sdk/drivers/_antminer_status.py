"""Tell from what is known what an Antminer with stock firmware is doing."""

from dataclasses import replace

from ..model import (
    Fault,
    MinerPool,
    MinerSettings,
    MinerStats,
    MinerStatus,
    Severity,
)
from ._antminer_conf import SLEEP, Config
from ._antminer_faults import ALL_POOLS_DEAD
from ._antminer_models import MODE_NAMES
from ._antminer_pools import Pools
from ._antminer_stats import Reading

# It takes up to a quarter of an hour from the start until the first hash.
START = 900.0


def mode_of(reading: Reading, config: Config | None) -> int | None:
    """Return the working mode, as told now or else as it was set."""
    if reading.mode is not None or config is None:
        return reading.mode
    return config.mode


def is_asleep(reading: Reading, mode: int | None) -> bool:
    """Tell whether it was put to sleep; the process then tells nothing of itself."""
    if reading.hashing or reading.sleeps:
        return reading.sleeps
    return reading.empty and reading.new_api if mode is None else mode == SLEEP


def status_of(
    reading: Reading, pools: Pools, faults: tuple[Fault, ...], mode: int | None
) -> MinerStatus:
    """Return what it is doing; mining only while it hashes."""
    if is_asleep(reading, mode):
        return MinerStatus.PAUSED
    if reading.hashing:
        return MinerStatus.MINING
    if reading.empty or reading.hashrate is None:
        return MinerStatus.STARTING if reading.empty else MinerStatus.UNKNOWN
    if any(fault.severity is Severity.CRITICAL for fault in faults):
        return MinerStatus.FAULT if not pools.all_dead else MinerStatus.IDLE
    return _status_without_hash(reading, pools, mode)


def _status_without_hash(
    reading: Reading, pools: Pools, mode: int | None
) -> MinerStatus:
    if pools.none_alive:
        return MinerStatus.IDLE
    if reading.new_api and mode is None and reading.still:
        # It may as well be asleep; only the settings would tell.
        return MinerStatus.UNKNOWN
    if reading.uptime is not None and reading.uptime < START:
        return MinerStatus.STARTING
    return MinerStatus.FAULT


def compose(
    reading: Reading,
    pools: Pools,
    faults: tuple[Fault, ...],
    config: Config | None,
    failed: dict[str, str],
) -> MinerStats:
    """Return the stats that follow from a reading and the settings."""
    mode = mode_of(reading, config)
    asleep = is_asleep(reading, mode)
    if pools.all_dead and not asleep:
        faults = (*faults, ALL_POOLS_DEAD)
    shown = pools.pools
    if asleep and not shown and config is not None:
        shown = config.unmined_pools()
    status = status_of(reading, pools, faults, mode)
    if status is MinerStatus.UNKNOWN:
        failed.setdefault("status", "it does not hash, and nothing tells why")
    return MinerStats(
        status=status,
        hashrate=reading.hashrate,
        hashrate_average=reading.hashrate_average,
        hashrate_expected=reading.hashrate_expected,
        power=reading.power,
        power_mode=None if mode is None else MODE_NAMES.get(mode),
        temperature_ambient=reading.temperature_ambient,
        fans=reading.fans,
        boards=reading.boards,
        pools=_named_as_configured(shown, config),
        hardware_errors=reading.hardware_errors,
        uptime=reading.uptime,
        settings=MinerSettings() if config is None else config.settings,
        faults=faults,
        failed=failed,
    )


def _named_as_configured(
    pools: tuple[MinerPool, ...], config: Config | None
) -> tuple[MinerPool, ...]:
    """Return the pools without the address that the miner adds to its user names."""
    if config is None or not config.appends_address:
        return pools
    users = [pool.user for pool in config.pools if pool.url]
    return tuple(
        replace(pool, user=user)
        if user and (pool.user or "").startswith(user)
        else pool
        for pool, user in zip(pools, users + [""] * len(pools), strict=False)
    )

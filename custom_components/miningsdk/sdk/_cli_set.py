"""Turn what was typed after ``set`` into a command to a miner."""

import argparse
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from .miner import Miner
from .model import PoolConfig

type Run = Callable[[Miner], Awaitable[None]]

_SIMPLE: dict[str, Run] = {
    "pause": Miner.pause,
    "resume": Miner.resume,
    "reboot": Miner.reboot,
    "restart": Miner.restart,
}
_WITH_VALUE: dict[str, Callable[[Miner, Any], Awaitable[None]]] = {
    "locate": lambda miner, value: miner.locate(value == "on"),
    "power-limit": Miner.set_power_limit,
    "power-mode": Miner.set_power_mode,
    "profile": Miner.set_profile,
    "throttle": Miner.set_throttle,
    "fan": lambda miner, value: miner.set_fan(None if value == "auto" else value),
    "target-temperature": Miner.set_target_temperature,
    "frequency": Miner.set_frequency,
    "voltage": Miner.set_voltage,
}


class WrongUsage(ValueError):  # noqa: N818
    """The words after an action make no sense."""


def command_of(options: argparse.Namespace) -> tuple[Run, object]:
    """Return the command, and its value as it may be shown.

    Raises:
        WrongUsage: the pools are incomplete.
    """
    action = options.action
    if action in _SIMPLE:
        return _SIMPLE[action], None
    if action == "pools":
        pools = pools_of(options.value)
        shown = [{"url": pool.url, "user": pool.user} for pool in pools]
        return lambda miner: miner.set_pools(pools), shown
    command, value = _WITH_VALUE[action], options.value
    return lambda miner: command(miner, value), value


def pools_of(words: Sequence[str]) -> list[PoolConfig]:
    """Read ``URL USER [PASS]`` once or more; what holds ``://`` begins a pool.

    Raises:
        WrongUsage: a pool has no user, or too many words.
    """
    groups: list[list[str]] = []
    for word in words:
        if not groups or "://" in word:
            groups.append([])
        groups[-1].append(word)
    if any(not 2 <= len(group) <= 3 for group in groups):
        raise WrongUsage("each pool takes an address, a user and perhaps a password")
    return [
        PoolConfig(url=url, user=user, password=rest[0] if rest else "x")
        for url, user, *rest in groups
    ]

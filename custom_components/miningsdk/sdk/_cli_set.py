"""Turn what was typed after ``set`` into a command to a device."""

import argparse
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .container import Container
from .device import AnyDevice
from .miner import Miner
from .model import PoolConfig
from .switched_meter import SwitchedMeter

type Run = Callable[[Any], Awaitable[None]]

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


@dataclass(frozen=True, slots=True)
class Command:
    """What to run on a device of which kinds, and its value as it may be shown."""

    run: Run
    value: object = None
    takes: tuple[type[AnyDevice], ...] = (Miner,)


def command_of(options: argparse.Namespace) -> Command:
    """Return the command.

    Raises:
        WrongUsage: the pools are incomplete.
    """
    action = options.action
    if action in _SIMPLE:
        return Command(_SIMPLE[action])
    if action == "pools":
        pools = pools_of(options.value)
        shown = [{"url": pool.url, "user": pool.user} for pool in pools]
        return Command(lambda miner: miner.set_pools(pools), shown)
    if action in _WITH_VALUE:
        command, value = _WITH_VALUE[action], options.value
        return Command(lambda miner: command(miner, value), value)
    if action == "board":
        index, on = options.key, options.value == "on"
        shown = [index, options.value]
        return Command(lambda miner: miner.set_board_enabled(index, on), shown)
    return _container_command(options)


def _container_command(options: argparse.Namespace) -> Command:
    if options.action == "reset-cooling":
        return Command(Container.reset_cooling, takes=(Container,))
    value = options.value
    if options.action == "cooling":
        return Command(lambda box: box.set_cooling(value == "on"), value, (Container,))
    key, shown = options.key, [options.key, value]
    if options.action == "socket":
        return Command(
            lambda box: box.set_socket(key, value == "on"),
            shown,
            (Container, SwitchedMeter),
        )
    if options.action == "actuator":
        return Command(
            lambda box: box.set_actuator(key, value == "on"), shown, (Container,)
        )
    return Command(lambda box: box.set_setpoint(key, value), shown, (Container,))


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

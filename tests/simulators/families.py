"""Every family of miners that is simulated: a simulator names itself, and is found.

A module of simulators lists its own in ``FAMILIES``; no other file knows them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
import importlib
import pkgutil
from typing import Any

from tests import simulators
from tests.simulators.base import SimulatedDevice


@dataclass(frozen=True, slots=True)
class Family:
    """A driver, a simulated device for it, and the account that the device has.

    ``options`` make the simulated device quick and the same in every run. ``others``
    are the models that take what this one does not, by the name of a capability.
    """

    driver: str
    simulator: type[SimulatedDevice]
    options: Mapping[str, Any] = field(default_factory=dict)
    username: str | None = None
    password: str | None = None
    others: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def families() -> tuple[Family, ...]:
    """Return the families of all simulators, by the name of their driver."""
    found: list[Family] = []
    for module in pkgutil.iter_modules(simulators.__path__):
        if module.name.startswith("_") or module.name == "families":
            continue
        loaded = importlib.import_module(f"{simulators.__name__}.{module.name}")
        found += getattr(loaded, "FAMILIES", ())
    return tuple(sorted(found, key=lambda family: family.driver))

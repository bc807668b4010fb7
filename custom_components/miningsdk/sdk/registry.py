"""Which drivers exist. Third parties add theirs with ``register``."""

import importlib
import pkgutil
from typing import Any

from . import drivers as _builtin
from .device import AnyDevice
from .errors import NotSupported

_drivers: dict[str, type[AnyDevice]] = {}
_loaded = False


def register(driver: type[AnyDevice]) -> None:
    """Add a driver; one of the same name is replaced."""
    _drivers[driver.name] = driver


def drivers() -> tuple[type[AnyDevice], ...]:
    """Return all drivers, importing the built-in ones on the first call."""
    global _loaded  # noqa: PLW0603
    if not _loaded:
        _loaded = True
        for module in pkgutil.iter_modules(_builtin.__path__):
            if module.name.startswith("_"):
                continue
            loaded = importlib.import_module(f"{_builtin.__name__}.{module.name}")
            for driver in loaded.DRIVERS:
                _drivers.setdefault(driver.name, driver)
    return tuple(_drivers[name] for name in sorted(_drivers))


def find(name: str) -> tuple[type[AnyDevice], str | None]:
    """Return the driver for a name such as ``whatsminer-m56s``, and its model part.

    Raises:
        NotSupported: no driver has this name.
    """
    wanted = name.strip().lower()
    names = {
        alias: driver
        for driver in drivers()
        for alias in (*driver.aliases, driver.name)
    }
    for known in sorted(names, key=len, reverse=True):
        if wanted == known or wanted.startswith(f"{known}-"):
            model = wanted[len(known) + 1 :]
            return names[known], model.upper() or None
    raise NotSupported(f"there is no driver named {name!r}")


def register_miner(name: str, *, host: str, **options: Any) -> AnyDevice:
    """Return a device of a known driver, not connected yet.

    ``name`` is a driver with or without a model, such as ``whatsminer-m56s``;
    ``options`` are those of ``Device``: port, username, password, session, ...

    Raises:
        NotSupported: no driver has this name.
    """
    driver, model = find(name)
    return driver(host, **{"model": model, **options})

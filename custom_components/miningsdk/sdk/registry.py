"""Which drivers exist: the built-in ones, and those that others add.

Others are packages with an entry point of the group ``miningsdk.drivers``, programs
that call ``register``, and files that describe a driver (see ``described``).
"""

from collections.abc import Callable
import importlib
import inspect
import pkgutil
import re
import sys
from threading import RLock
from typing import Any

from . import drivers as _builtin
from ._entry_points import offered_by_packages
from .device import AnyDevice, Device
from .errors import NotSupported
from .model import DeviceKind
from .transports.wire import Probe

_NAME = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
_SERVICE = re.compile(r"_[A-Za-z0-9-]{1,15}\._(?:tcp|udp)\.local\.")
_NEEDS = ("never", "control", "always")

_drivers: dict[str, type[AnyDevice]] = {}
_built_in: dict[str, type[AnyDevice]] = {}
_loaded = False
# Drivers may be registered in one thread while another one looks for some.
_lock = RLock()
_listeners: dict[object, Callable[[], None]] = {}


def register(driver: type[AnyDevice]) -> None:
    """Add a driver; one of the same name is replaced.

    Raises:
        TypeError: it is none, or does not say of itself what a driver must say.
    """
    check(driver)
    with _lock:
        _drivers[driver.name] = driver
    _tell()


def unregister(driver: type[AnyDevice]) -> None:
    """Take a driver away; a built-in one that it stood in for comes back."""
    with _lock:
        if _drivers.get(driver.name) is not driver:
            return
        if (replaced := _built_in.get(driver.name)) is None or replaced is driver:
            del _drivers[driver.name]
        else:
            _drivers[driver.name] = replaced
    _tell()


def add(driver: type[AnyDevice]) -> None:
    """Add the driver of somebody else, who may not replace those there are.

    Raises:
        TypeError: as ``register`` does; or one of its names is taken already.
    """
    check(driver)
    with _lock:
        for other in drivers():
            if not _same(other, driver):
                _check_apart(driver, other)
        _drivers[driver.name] = driver
    _tell()


def _check_apart(driver: type[AnyDevice], other: type[AnyDevice]) -> None:
    """Raise when a driver would take something from one that there is."""
    names = {other.name, *other.aliases}.intersection((driver.name, *driver.aliases))
    for name in names:
        raise TypeError(
            f"there is a driver of the name {name} already, in {other.__module__}"
        )
    asks = {probe: probe.ask for probe in other.probes}
    for probe in driver.probes:
        if asks.get(probe, probe.ask) is not probe.ask:
            raise TypeError(
                f"its question {probe.name!r} has the name of another one, of "
                f"{other.name}"
            )


def check(driver: object) -> None:
    """Raise unless this is a driver that can be used.

    Raises:
        TypeError: what is wrong with it.
    """
    shown = getattr(driver, "__qualname__", None) or repr(driver)
    if not isinstance(driver, type) or not issubclass(driver, Device):
        raise TypeError(
            f"{shown} is no subclass of {Device.__module__}.{Device.__qualname__}"
        )
    if inspect.isabstract(driver):
        missing = ", ".join(sorted(driver.__abstractmethods__))
        raise TypeError(f"{shown} does not implement {missing}")
    for name, right in _MUST_HOLD.items():
        if not right(getattr(driver, name, None)):
            raise TypeError(f"{shown}.{name} is missing or wrong")


def _is_name(value: object) -> bool:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def _is_account(value: object) -> bool:
    return isinstance(value, tuple) and [type(v) for v in value] == [str, str]


def _is_service(value: object) -> bool:
    return isinstance(value, str) and _SERVICE.fullmatch(value) is not None


def _all_are(value: object, kind: Callable[[object], bool]) -> bool:
    return isinstance(value, tuple) and all(kind(item) for item in value)


# What a class must say of itself, so that others are not harmed by it.
_MUST_HOLD: dict[str, Callable[[Any], bool]] = {
    "name": _is_name,
    "kind": lambda value: isinstance(value, DeviceKind),
    "aliases": lambda value: _all_are(value, _is_name),
    "models": lambda value: isinstance(value, str),
    "transport": lambda value: isinstance(value, str),
    "default_port": lambda value: isinstance(value, int) and 0 < value < 65_536,
    "needs_password": lambda value: value in _NEEDS,
    "checks_password": lambda value: isinstance(value, bool),
    "factory_accounts": lambda value: _all_are(value, _is_account),
    "make": lambda value: value is None or isinstance(value, str),
    "firmware": lambda value: value is None or isinstance(value, str),
    "default_username": lambda value: value is None or isinstance(value, str),
    "extra_options": lambda value: _all_are(value, lambda one: isinstance(one, str)),
    "probes": lambda value: _all_are(value, lambda one: isinstance(one, Probe)),
    "zeroconf_types": lambda value: _all_are(value, _is_service),
}


def _same(one: type[AnyDevice], other: type[AnyDevice]) -> bool:
    """Tell whether two classes are one, of which the module was read again."""
    home = sys.modules.get(other.__module__)
    return one is other or (
        (one.__module__, one.__qualname__) == (other.__module__, other.__qualname__)
        and getattr(home, other.__qualname__, None) is other
    )


def on_change(listener: Callable[[], None]) -> Callable[[], None]:
    """Have a function called whenever drivers come or go; returns how to end that.

    It is called in whichever thread registers them.
    """
    key = object()
    _listeners[key] = listener

    def remove() -> None:
        _listeners.pop(key, None)

    return remove


def _tell() -> None:
    for listener in tuple(_listeners.values()):
        listener()


def drivers() -> tuple[type[AnyDevice], ...]:
    """Return all drivers; the first call imports them, so it should not hurry."""
    if not _loaded:
        _load()
    with _lock:
        return tuple(_drivers[name] for name in sorted(_drivers))


def _load() -> None:
    global _loaded  # noqa: PLW0603
    with _lock:
        if _loaded or _built_in:
            # Another thread was quicker; or a package asks while it is imported.
            return
        found: dict[str, type[AnyDevice]] = {}
        for module in pkgutil.iter_modules(_builtin.__path__):
            if not module.name.startswith("_"):
                loaded = importlib.import_module(f"{_builtin.__name__}.{module.name}")
                found |= {driver.name: driver for driver in loaded.DRIVERS}
        _built_in.update(found)
        for name, driver in found.items():
            _drivers.setdefault(name, driver)
        offered_by_packages(add)
        _loaded = True


def _named(name: str) -> type[AnyDevice] | None:
    for driver in drivers():
        if name == driver.name or name in driver.aliases:
            return driver
    return None


def get(name: str) -> type[AnyDevice]:
    """Return the driver of exactly this name, or with it among its aliases.

    Raises:
        NotSupported: no driver has this name.
    """
    known = _drivers.get(name) if _loaded else None
    if (driver := known or _named(name)) is None:
        raise NotSupported(f"there is no driver named {name!r}")
    return driver


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

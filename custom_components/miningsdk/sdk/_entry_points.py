"""Drivers that installed packages offer by an entry point."""

from collections.abc import Callable, Iterable
import logging
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

_LOGGER = logging.getLogger(__name__)
GROUP = "miningsdk.drivers"


def offered_by_packages(take: Callable[[Any], None]) -> None:
    """Hand over each driver that a package offers; what is wrong is logged.

    An entry point is a driver, a list of drivers, or a module with ``DRIVERS``.
    """
    # It takes longer to import than all the rest, and nobody needs it before.
    from importlib.metadata import entry_points  # noqa: PLC0415

    for point in entry_points(group=GROUP):
        try:
            for driver in drivers_in(point.load()):
                take(driver)
        except Exception as error:  # noqa: BLE001 # One package must not harm the rest.
            _LOGGER.warning(
                "The drivers of %s cannot be used: %s: %s",
                _named(point),
                type(error).__name__,
                error,
            )


def drivers_in(offered: object) -> tuple[Any, ...]:
    """Return what is offered as drivers, one or several, not checked yet.

    Raises:
        TypeError: it is nothing of the kind.
    """
    if isinstance(offered, ModuleType):
        offered = getattr(offered, "DRIVERS", None)
    if isinstance(offered, type):
        return (offered,)
    if isinstance(offered, Iterable) and not isinstance(offered, str | bytes):
        return tuple(offered)
    raise TypeError("it is neither a driver, nor a list of drivers, nor has DRIVERS")


def _named(point: EntryPoint) -> str:
    package = "" if point.dist is None else f" of the package {point.dist.name}"
    return f"the entry point {point.name!r}{package}"

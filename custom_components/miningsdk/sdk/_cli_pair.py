"""Have a device make a password while somebody presses its button."""

import argparse

from ._cli_set import WrongUsage
from .device import AnyDevice
from .discovery import identify
from .errors import NotSupported
from .registry import drivers, find
from .targets import Target, single


async def pair(options: argparse.Namespace) -> tuple[AnyDevice, str]:
    """Return the device, closed again, and its new password.

    Raises:
        WrongUsage: the driver that was named does not pair.
        MiningSDKError: nobody has pressed the button, or the device is no such one.
    """
    target = single(options.host)
    kind, port = await _found(options, target)
    more = {} if options.timeout is None else {"timeout": options.timeout}
    device = kind(target.host, port=port, **more)
    try:
        return device, await device.pair(options.name)
    finally:
        await device.close()


async def _found(
    options: argparse.Namespace, target: Target
) -> tuple[type[AnyDevice], int | None]:
    if options.driver is not None:
        kind, _ = find(options.driver)
        if not kind.pairs:
            raise WrongUsage(f"{kind.name} makes no passwords; {_those_that_pair()}")
        return kind, target.port
    more = {} if options.timeout is None else {"timeout": options.timeout}
    found = await identify(target.host, port=target.port, **more)
    if found is None:
        raise NotSupported(f"{target.host} answers, but is no device we know")
    if not found.driver.pairs:
        raise NotSupported(
            f"{target.host} looks like {found.driver.name}, which makes no passwords; "
            f"{_those_that_pair()}"
        )
    return found.driver, found.port


def _those_that_pair() -> str:
    names = ", ".join(driver.name for driver in drivers() if driver.pairs)
    return f"those that do: {names or 'none'} (see --driver)"

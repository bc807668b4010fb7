"""Find out which of several accounts a device takes, and lock nobody out by it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from .device import AnyDevice
from .errors import AuthenticationFailed, LockedOut, MiningSDKError, NotSupported
from .model import DeviceInfo

# Devices that lock out do so after three to five wrong passwords.
MOST_REFUSALS = 3


@dataclass(frozen=True, slots=True)
class Account:
    """A user name, if the device has any, and the password that goes with it."""

    username: str | None = None
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundAccount:
    """What came of trying accounts on one device.

    ``account`` is the one that works, ``info`` what the device told of itself with
    it; ``refused`` are those that it refused, in the order in which they were tried.
    ``error`` is why the others were left out, such as that the device does not answer
    any more or is locked (``LockedOut``); ``unclear`` is the account that got it.
    """

    account: Account | None = None
    info: DeviceInfo | None = None
    refused: tuple[Account, ...] = ()
    error: MiningSDKError | None = None
    unclear: Account | None = None


async def find_account(
    make: Callable[[str | None, str], AnyDevice],
    accounts: Iterable[Account],
    *,
    most_refusals: int = MOST_REFUSALS,
) -> FoundAccount:
    """Try accounts on a device, one after another, until one of them works.

    ``make`` returns the device, not connected, with a user name and a password; it is
    called anew for each account. None is tried twice, nothing is tried after
    ``most_refusals`` were refused, and at the first sign of a lock it ends. What a
    device ships with is in ``factory_accounts_of``; try those only if its owner agrees.
    """
    refused: list[Account] = []
    tried: set[tuple[str | None, str | None]] = set()
    for account in accounts:
        device = make(account.username, account.password)
        # An account without a user name may be the same as one that has it.
        if (device.username, device.password) in tried:
            continue
        tried.add((device.username, device.password))
        error = await _try(device)
        if error is None:
            return FoundAccount(
                account=account, info=device.info, refused=tuple(refused)
            )
        if isinstance(error, LockedOut) or not isinstance(error, AuthenticationFailed):
            return FoundAccount(refused=tuple(refused), error=error, unclear=account)
        refused.append(account)
        if len(refused) >= most_refusals:
            break
    return FoundAccount(refused=tuple(refused))


async def _try(device: AnyDevice) -> MiningSDKError | None:
    if not device.checks_password:
        return NotSupported("the device does not tell whether a password is right")
    try:
        await device.check_credentials()
    except MiningSDKError as error:
        return error
    finally:
        await device.close()
    return None


def factory_accounts_of(driver: type[AnyDevice]) -> Iterator[Account]:
    """Yield the accounts that devices of a driver are sold with."""
    for username, password in driver.factory_accounts:
        yield Account(username or None, password)


def is_factory(
    driver: type[AnyDevice], username: str | None, password: str | None
) -> bool:
    """Tell whether an account is one that devices of a driver are sold with."""
    name = username or driver.default_username or ""
    return (name, password) in {
        (factory_name or driver.default_username or "", factory_password)
        for factory_name, factory_password in driver.factory_accounts
    }

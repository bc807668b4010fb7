"""The accounts of sites and ranges, and which of them a device takes."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_PASSWORD, CONF_USERNAME
from homeassistant.core import HomeAssistant

from .const import CONF_ACCOUNTS, CONF_FACTORY, CONNECTION_LIMIT, LOGGER
from .devices import device_session, make_device
from .fleet import LIMITER
from .inventory import Record
from .refusals import Refusals, async_refusals
from .sdk import (
    Account,
    AnyDevice,
    DeviceInfo,
    DeviceUnreachable,
    FoundAccount,
    LockedOut,
    MiningSDKError,
    factory_accounts_of,
    find_account,
    registry,
)
from .sites import ranges_over


@dataclass(frozen=True, slots=True)
class Wanted:
    """What may be tried on a device: accounts in order, and those it is sold with."""

    accounts: tuple[Account, ...] = ()
    factory: bool = False

    def __add__(self, other: Wanted) -> Wanted:
        """Return both; what comes from a factory is tried last in any case."""
        return Wanted(self.accounts + other.accounts, self.factory or other.factory)

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Wanted:
        """Return what a range or the options of a site hold."""
        return cls(accounts_of(data), data.get(CONF_FACTORY, False))


def accounts_of(data: Mapping[str, Any]) -> tuple[Account, ...]:
    """Return the accounts that a range or the options of a site hold, in order."""
    return tuple(
        Account(given.get(CONF_USERNAME), given[CONF_PASSWORD])
        for given in data.get(CONF_ACCOUNTS, ())
    )


def stored(accounts: Iterable[Account]) -> list[dict[str, str]]:
    """Return accounts as a range or the options of a site hold them."""
    return [
        {CONF_USERNAME: account.username, CONF_PASSWORD: account.password}
        if account.username
        else {CONF_PASSWORD: account.password}
        for account in accounts
    ]


def wanted_at(entry: ConfigEntry[Any], host: str) -> Wanted:
    """Return what a site wants to be tried: for ranges over the address, then all."""
    wanted = Wanted()
    for data in ranges_over(entry, host):
        wanted += Wanted.of(data)
    return wanted + Wanted.of(entry.options)


async def async_find_account(
    hass: HomeAssistant, key: str, info: DeviceInfo, wanted: Wanted
) -> FoundAccount:
    """Find the account that a device takes, among those that it has not refused yet.

    ``key`` is what the device is remembered by: the id of its record. None is found
    where the device needs none, or locks everybody out if more were tried.
    """
    try:
        driver = registry.get(info.driver)
    except MiningSDKError:
        return FoundAccount()
    if driver.needs_password == "never":
        return FoundAccount()
    candidates = dict.fromkeys(_candidates(driver, wanted))
    if not driver.checks_password:
        return FoundAccount(account=_named(driver, candidates))
    refusals = await async_refusals(hass)
    async with refusals.turn(key):
        found = await _find(hass, info, refusals.due(key, candidates))
        _note(refusals, key, found)
    return found


async def async_note_refused(
    hass: HomeAssistant, key: str, driver: str, account: Account
) -> None:
    """Remember that a device refused an account that it was given otherwise."""
    refusals = await async_refusals(hass)
    refusals.refused(key, _complete(registry.get(driver), account))


async def async_with_account(
    hass: HomeAssistant, record: Record, wanted: Wanted
) -> Record:
    """Return the record of a device that is new, with an account that it takes."""
    found = await async_find_account(hass, record.id, record.info, wanted)
    return with_account(record, found)


def with_account(record: Record, found: FoundAccount) -> Record:
    """Return the record of a device that is new, with the account that was found."""
    if (account := found.account) is None:
        return record
    told = found.info or record.info
    # How it was discovered may have told what it does not tell itself.
    new = Record.of(replace(told, mac=told.mac or record.info.mac))
    return replace(new, username=account.username, password=account.password)


def _candidates(driver: type[AnyDevice], wanted: Wanted) -> Iterator[Account]:
    for account in wanted.accounts:
        yield _complete(driver, account)
    if wanted.factory:
        for account in factory_accounts_of(driver):
            yield _complete(driver, account)


def _complete(driver: type[AnyDevice], account: Account) -> Account:
    """Return the account with the user name that would be used anyway."""
    return Account(account.username or driver.default_username, account.password)


def _named(driver: type[AnyDevice], accounts: Iterable[Account]) -> Account | None:
    """Return the account for a device that does not tell a wrong one from a right one.

    Only one that bears the user name of such devices; it is not sent before a command.
    """
    name = driver.default_username
    return next((a for a in accounts if name and a.username == name), None)


async def _find(
    hass: HomeAssistant, info: DeviceInfo, accounts: Iterator[Account]
) -> FoundAccount:
    session = device_session(hass)
    try:
        async with hass.data.setdefault(LIMITER, asyncio.Semaphore(CONNECTION_LIMIT)):
            return await find_account(
                lambda username, password: make_device(
                    info, session, username, password
                ),
                accounts,
            )
    except Exception:  # noqa: BLE001 # A driver of a third party may fail in any way.
        LOGGER.exception("Trying accounts on %s failed", info.host)
        return FoundAccount()


def _note(refusals: Refusals, key: str, found: FoundAccount) -> None:
    for account in found.refused:
        refusals.refused(key, account)
    if found.account is not None:
        refusals.harmless(key, found.account)
    if found.unclear is not None:
        if isinstance(found.error, DeviceUnreachable | LockedOut):
            refusals.harmless(key, found.unclear)
        if isinstance(found.error, LockedOut):
            refusals.locked(key)

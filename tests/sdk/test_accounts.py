"""Trying accounts on a device: each once, a few at most, and none once it is locked."""

from collections.abc import Callable
from typing import Any, override

import pytest

from custom_components.miningsdk.sdk import (
    Account,
    AnyDevice,
    AuthenticationFailed,
    DeviceKind,
    DeviceUnreachable,
    InvalidReply,
    LockedOut,
    NotSupported,
    factory_accounts_of,
    find_account,
    is_factory,
)
from custom_components.miningsdk.sdk.drivers.antminer import Antminer
from custom_components.miningsdk.sdk.drivers.vnish import VNish
from custom_components.miningsdk.sdk.drivers.whatsminer_v3 import WhatsminerV3
from custom_components.miningsdk.sdk.registry import check, drivers, find
from tests.conftest import Simulate
from tests.sdk.fakes import PAGE_PORT, FakeDevice, StockMiner
from tests.simulators.base import Trouble
from tests.simulators.families import Family, families
from tests.simulators.vnish import SimulatedVNish
from tests.simulators.whatsminer_v3 import SimulatedWhatsminerV3

ONE, TWO, THREE = (Account("root", word) for word in ("one", "two", "three"))


class SoldMiner(StockMiner):
    """A family whose password can be checked, and is known as it is sold."""

    name = "fakesold"
    default_username = "root"
    factory_accounts = (("root", "sold"), ("", "cheap"))

    @override
    async def check_credentials(self) -> None:
        await super().check_credentials()
        await self._ask("stats")


class Maker:
    """Makes devices, and counts with which accounts."""

    def __init__(self, kind: type[AnyDevice], host: str, port: int) -> None:
        self.tried: list[tuple[str | None, str]] = []
        self.made: list[AnyDevice] = []
        self._make: Callable[..., AnyDevice] = lambda **account: kind(
            host, port=port, connect_timeout=0.2, timeout=0.5, **account
        )

    def __call__(self, username: str | None, password: str) -> AnyDevice:
        self.tried.append((username, password))
        self.made.append(self._make(username=username, password=password))
        return self.made[-1]


@pytest.fixture
async def device(simulate: Simulate) -> FakeDevice:
    """Return a device that takes one password."""
    found: FakeDevice = await simulate(FakeDevice, password="two")
    return found


@pytest.fixture
def make(device: FakeDevice) -> Maker:
    """Return what makes the driver's side of it."""
    return Maker(SoldMiner, device.host, device.port(PAGE_PORT))


async def test_first_that_works_is_the_last_that_is_tried(make: Maker) -> None:
    found = await find_account(make, [ONE, TWO, THREE])
    assert found.account == TWO
    assert found.refused == (ONE,)
    assert found.error is None
    assert found.info is not None
    assert found.info.serial_number == "FAKE0001"
    assert make.tried == [("root", "one"), ("root", "two")]


async def test_none_is_tried_twice(make: Maker, device: FakeDevice) -> None:
    device.password = "another"
    # Without a user name it would be sent with the usual one.
    found = await find_account(make, [ONE, ONE, Account(None, "one"), TWO])
    assert found.account is None
    assert found.refused == (ONE, TWO)
    sent = [word for word in device.passwords if word]
    # Who it is, and a question that takes the password.
    assert sent == ["one", "one", "two", "two"]


async def test_few_are_tried(make: Maker, device: FakeDevice) -> None:
    device.password = "the 10th"
    accounts = [Account("root", f"the {n}th") for n in range(4, 11)]
    found = await find_account(make, accounts)
    assert found.refused == tuple(accounts[:3])
    assert len(make.tried) == 3
    found = await find_account(make, accounts, most_refusals=7)
    assert found.account == accounts[-1]


async def test_accounts_are_asked_for_one_by_one(make: Maker) -> None:
    """Whoever remembers what is tried, can do so before it is sent."""
    asked = []

    def accounts() -> Any:
        for account in (ONE, TWO, THREE):
            asked.append(account)
            yield account

    assert (await find_account(make, accounts())).account == TWO
    assert asked == [ONE, TWO]


async def test_ends_when_the_device_goes_away(make: Maker, device: FakeDevice) -> None:
    await device.stop()
    found = await find_account(make, [ONE, TWO])
    assert isinstance(found.error, DeviceUnreachable)
    assert found.unclear == ONE
    assert found.refused == ()
    assert len(make.tried) == 1


async def test_ends_at_an_answer_that_is_none(make: Maker, device: FakeDevice) -> None:
    device.trouble = Trouble.GARBAGE
    found = await find_account(make, [ONE, TWO])
    assert isinstance(found.error, InvalidReply)
    assert len(make.tried) == 1


async def test_ends_when_the_device_locks(simulate: Simulate) -> None:
    """A real family, which says so; the next one would only make it longer."""
    device: SimulatedVNish = await simulate(SimulatedVNish, password="the fifth")
    make = Maker(VNish, device.host, device.port(80))
    accounts = [Account(None, f"the {n}th") for n in range(9)]
    found = await find_account(make, accounts, most_refusals=9)
    assert isinstance(found.error, LockedOut)
    assert found.refused == tuple(accounts[: device.wrong])
    assert found.unclear == accounts[device.wrong]
    assert len(make.tried) == device.wrong + 1
    # And it is said again to whoever asks the same device once more.
    for _ in range(2):
        with pytest.raises(LockedOut, match="takes no password now"):
            await make.made[-1].check_credentials()
    with pytest.raises(AuthenticationFailed) as caught:
        await make.made[0].check_credentials()
    assert not isinstance(caught.value, LockedOut)
    for one in make.made:
        await one.close()


async def test_what_cannot_be_checked_is_not_tried(simulate: Simulate) -> None:
    device: SimulatedWhatsminerV3 = await simulate(SimulatedWhatsminerV3)
    make = Maker(WhatsminerV3, device.host, device.port(4433))
    found = await find_account(make, [ONE])
    assert isinstance(found.error, NotSupported)
    assert device.requests == 0


async def test_no_accounts(make: Maker) -> None:
    found = await find_account(make, [])
    assert (found.account, found.error, found.refused) == (None, None, ())
    assert make.tried == []


def test_passwords_are_not_shown() -> None:
    assert "one" not in repr(ONE)
    assert "root" in repr(ONE)


def test_factory_accounts() -> None:
    assert list(factory_accounts_of(SoldMiner)) == [
        Account("root", "sold"),
        Account(None, "cheap"),
    ]
    assert is_factory(SoldMiner, "root", "sold")
    assert is_factory(SoldMiner, None, "sold")
    assert is_factory(SoldMiner, None, "cheap")
    assert is_factory(SoldMiner, "root", "cheap")
    assert not is_factory(SoldMiner, "admin", "sold")
    assert not is_factory(SoldMiner, "root", "own")
    assert not is_factory(SoldMiner, "root", None)
    assert is_factory(Antminer, None, "root")


@pytest.mark.parametrize(
    "wrong",
    [
        {"factory_accounts": [("root", "sold")]},
        {"factory_accounts": ("root", "sold")},
        {"factory_accounts": (("root", None),)},
        {"checks_password": None},
    ],
)
def test_drivers_must_say_it_right(wrong: dict[str, Any]) -> None:
    class Wrong(SoldMiner):
        pass

    check(Wrong)
    for name, value in wrong.items():
        setattr(Wrong, name, value)
    with pytest.raises(TypeError, match=next(iter(wrong))):
        check(Wrong)


def test_only_what_takes_a_password_is_sold_with_one() -> None:
    for driver in drivers():
        if driver.factory_accounts:
            assert driver.kind is DeviceKind.MINER
            assert driver.needs_password != "never", driver.name


def _takes_password(family: Family) -> bool:
    driver, _ = find(family.driver)
    return driver.needs_password != "never" and family.password is not None


@pytest.mark.parametrize(
    "family",
    [family for family in families() if _takes_password(family)],
    ids=lambda family: family.driver,
)
async def test_each_family_tells_a_wrong_password(
    simulate: Simulate, family: Family
) -> None:
    """Or says of itself that it cannot; the right one is taken in any case."""
    driver, _ = find(family.driver)
    device = await simulate(family.simulator, **family.options)
    make = Maker(driver, device.host, device.port(driver.default_port))
    wrong = Account(family.username, "not this one")
    right = Account(family.username, family.password or "")
    found = await find_account(make, [wrong, right])
    if driver.checks_password:
        assert found.refused == (wrong,)
        assert found.account == right
    else:
        assert isinstance(found.error, NotSupported)


def _is_sold(family: Family) -> bool:
    driver, _ = find(family.driver)
    return bool(driver.factory_accounts) and driver.checks_password


@pytest.mark.parametrize(
    "family",
    [family for family in families() if _is_sold(family)],
    ids=lambda family: family.driver,
)
async def test_each_family_is_found_as_it_is_sold(
    simulate: Simulate, family: Family
) -> None:
    driver, _ = find(family.driver)
    account = next(factory_accounts_of(driver))
    options = {**family.options, "password": account.password}
    device = await simulate(family.simulator, **options)
    make = Maker(driver, device.host, device.port(driver.default_port))
    found = await find_account(make, factory_accounts_of(driver))
    assert found.account == account

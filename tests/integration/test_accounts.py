"""Lists of accounts: tried where a device needs one, each once, and few at a time."""

from datetime import timedelta
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import HomeAssistant
import pytest

from custom_components.miningsdk.accounts import Wanted, async_find_account
from custom_components.miningsdk.const import DOMAIN, RANGE_SCAN_INTERVAL
from custom_components.miningsdk.inventory import Record
from custom_components.miningsdk.ranges import async_take_in
from custom_components.miningsdk.refusals import async_refusals
from custom_components.miningsdk.sdk import Account, DeviceTimeout
from tests.conftest import Simulate
from tests.integration.conftest import AddSite, Axe, Fake, record_of
from tests.integration.drivers import GuardedMiner, LockingDevice
from tests.integration.flows import (
    Repairs,
    fleet_of,
    id_of,
    range_data,
    records_of,
    settle,
)
from tests.integration.test_flow_discovery import leased
from tests.integration.test_flow_range import pass_time
from tests.sdk.fakes import FakeDevice
from tests.simulators.vnish import SimulatedVNish
from tests.simulators.whatsminer_v3 import SimulatedWhatsminerV3

FILE = f"{DOMAIN}.refusals"
ONE, TWO, THREE = (
    {"username": "root", "password": word} for word in ("one", "two", "three")
)


def account_of(hass: HomeAssistant, device: FakeDevice) -> tuple[Any, Any]:
    record = records_of(hass)[id_of(device)]
    return record.username, record.password


async def restart(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Have everything read from its files again, as after a restart."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
    await settle(hass)
    hass.data.pop(f"{DOMAIN}_refusals")
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)


# Ranges.


async def test_range_tries_its_accounts_then_those_of_the_site(
    hass: HomeAssistant, fake: Fake, add_site: AddSite
) -> None:
    first = await fake(firmware="guarded", password="one")
    second = await fake(firmware="guarded", password="two")
    third = await fake(firmware="secret", password="three")
    free = await fake(firmware="open")
    hosts = ",".join(device.host for device in (first, second, third, free))
    await add_site(
        subentries=(range_data(hosts, ONE, TWO),), options={"accounts": [THREE]}
    )
    await settle(hass)
    assert account_of(hass, first) == ("root", "one")
    assert account_of(hass, second) == ("root", "two")
    assert account_of(hass, third) == ("root", "three")
    # What needs none gets to see none.
    assert account_of(hass, free) == (None, None)
    assert set(free.passwords) == {None}
    # Nothing is tried after the one that works.
    assert (first.refused, second.refused) == ([], ["one"])
    assert set(third.refused) == {"one", "two"}
    assert all(c.available for c in fleet_of(hass).coordinators.values())


async def test_refused_accounts_are_not_tried_in_a_loop(
    hass: HomeAssistant, fake: Fake, add_site: AddSite, freezer: FrozenDateTimeFactory
) -> None:
    device = await fake(firmware="guarded", password="another")
    await add_site(subentries=(range_data(device.host, ONE, TWO),))
    await settle(hass)
    assert account_of(hass, device) == (None, None)
    assert device.refused == ["one", "two"]
    for _ in range(6):
        await pass_time(hass, freezer, RANGE_SCAN_INTERVAL)
    assert device.refused == ["one", "two"]


async def test_restart_keeps_what_was_refused(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    fake: Fake,
    add_site: AddSite,
) -> None:
    device = await fake(firmware="guarded", password="another")
    entry = await add_site(subentries=(range_data(device.host, ONE, TWO),))
    await settle(hass)
    await restart(hass, entry)
    assert device.refused == ["one", "two"]
    # What is on the disk tells no password.
    kept = str(hass_storage[FILE])
    assert id_of(device) in kept
    assert not any(word in kept for word in ("one'", "two'", "root"))
    # Without it they would have been tried again.
    assert await hass.config_entries.async_unload(entry.entry_id)
    hass.data.pop(f"{DOMAIN}_refusals")
    hass_storage.pop(FILE)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)
    assert device.refused == ["one", "two"] * 2


async def test_what_was_refused_long_ago_is_tried_once_more(
    hass: HomeAssistant, fake: Fake, add_site: AddSite, freezer: FrozenDateTimeFactory
) -> None:
    device = await fake(firmware="guarded", password="another")
    entry = await add_site(subentries=(range_data(device.host, ONE),))
    await settle(hass)
    await restart(hass, entry)
    assert device.refused == ["one"]
    freezer.tick(timedelta(days=91))
    await restart(hass, entry)
    assert device.refused == ["one"] * 2


async def test_no_more_than_three_in_an_hour(
    hass: HomeAssistant, fake: Fake, add_site: AddSite, freezer: FrozenDateTimeFactory
) -> None:
    """The others have their turn in the next hour, as far as they are needed."""
    device = await fake(firmware="guarded", password="5")
    accounts = [{"password": str(number)} for number in range(1, 9)]
    await add_site(subentries=(range_data(device.host, *accounts),))
    await settle(hass)
    assert device.refused == ["1", "2", "3"]
    await pass_time(hass, freezer, RANGE_SCAN_INTERVAL)
    assert device.refused == ["1", "2", "3"]
    await pass_time(hass, freezer, RANGE_SCAN_INTERVAL)
    assert device.refused == ["1", "2", "3", "4"]
    assert account_of(hass, device) == ("root", "5")
    await pass_time(hass, freezer, 3 * RANGE_SCAN_INTERVAL)
    assert device.refused == ["1", "2", "3", "4"]


async def test_account_that_is_added_later_gets_to_those_that_want_one(
    hass: HomeAssistant, fake: Fake, add_site: AddSite
) -> None:
    """Also to one whose account does not work any more; the others keep theirs."""
    bare = await fake(firmware="guarded", password="two")
    changed = await fake(firmware="guarded", password="two")
    fine = await fake(firmware="guarded", password="own")
    known = [
        await record_of(changed, "root", "two"),
        await record_of(fine, "root", "own"),
    ]
    changed.password = "three"
    hosts = ",".join(device.host for device in (bare, changed, fine))
    entry = await add_site(*known, subentries=(range_data(hosts, ONE),))
    await settle(hass)
    assert account_of(hass, bare) == (None, None)
    assert account_of(hass, changed) == ("root", "two")
    assert fine.refused == []

    (subentry,) = entry.subentries.values()
    hass.config_entries.async_update_subentry(
        entry, subentry, data={**subentry.data, "accounts": [ONE, TWO, THREE]}
    )
    await settle(hass)
    assert account_of(hass, bare) == ("root", "two")
    assert account_of(hass, changed) == ("root", "three")
    assert account_of(hass, fine) == ("root", "own")
    assert bare.refused == ["one"]
    # Its own old one is known to be wrong, and not tried from the list.
    assert changed.refused.count("one") == 1
    assert "credentials" not in Repairs(hass).issues()


async def test_account_of_another_device_is_not_taken(
    hass: HomeAssistant, fake: Fake, add_site: AddSite
) -> None:
    """What answers at the address may have been replaced by one with that account."""
    gone = await fake(firmware="secret", password="own", serial="FAKEGONE")
    known = await record_of(gone, None, "own")
    await gone.stop()
    new = await fake(
        host=gone.host, firmware="secret", password="two", serial="FAKENEW"
    )
    await add_site(known, subentries=(range_data(gone.host, TWO),))
    await settle(hass)
    assert "two" in new.passwords
    assert records_of(hass)["FAKEGONE"].password == "own"


async def test_device_that_tells_who_it_is_only_with_an_account(
    hass: HomeAssistant, fake: Fake, add_site: AddSite
) -> None:
    """It is known already, and has moved: it is not added a second time."""
    device = await fake(firmware="secret", password="two")
    known = await record_of(device, "root", "two")
    await device.stop()
    there = await fake(firmware="secret", password="two", serial=device.serial)
    await add_site(known, subentries=(range_data(there.host, ONE, TWO),))
    await settle(hass)
    (record,) = records_of(hass).values()
    assert record.info.host == there.host


async def test_factory_passwords_only_where_it_was_agreed(
    hass: HomeAssistant, fake: Fake, add_site: AddSite
) -> None:
    """And after the accounts that were given."""
    agreed = await fake(firmware="sold", password="sold")
    other = await fake(firmware="sold", password="sold")
    await add_site(
        subentries=(
            range_data(agreed.host, ONE, factory=True),
            range_data(other.host, ONE),
        )
    )
    await settle(hass)
    assert account_of(hass, agreed) == ("root", "sold")
    assert account_of(hass, other) == (None, None)
    assert agreed.refused == other.refused == ["one"]
    assert "sold" not in other.passwords


async def test_locked_device_is_left_alone(
    hass: HomeAssistant, fake: Fake, add_site: AddSite, freezer: FrozenDateTimeFactory
) -> None:
    device = await fake(kind=LockingDevice, firmware="sold", password="three")
    await add_site(subentries=(range_data(device.host, ONE, TWO, THREE),))
    await settle(hass)
    assert device.refused == ["one", "two"]
    await pass_time(hass, freezer, RANGE_SCAN_INTERVAL)
    assert device.refused == ["one", "two"]
    assert account_of(hass, device) == (None, None)
    # The lock has ended by itself; the second one was never judged.
    device.refused.clear()
    await pass_time(hass, freezer, RANGE_SCAN_INTERVAL)
    assert account_of(hass, device) == ("root", "three")
    assert device.refused == ["two"]


async def test_device_that_goes_away_has_refused_nothing(
    hass: HomeAssistant, fake: Fake, add_site: AddSite
) -> None:
    device = await fake(firmware="guarded", password="one")
    record = await record_of(device)
    wanted = Wanted((Account("root", "one"),))
    await device.stop()
    found = await async_find_account(hass, record.id, record.info, wanted)
    assert found.account is None
    await device.start()
    found = await async_find_account(hass, record.id, record.info, wanted)
    assert found.account == Account("root", "one")


@pytest.mark.parametrize("error", [DeviceTimeout("late"), RuntimeError("odd")])
async def test_what_got_no_clear_answer_is_not_tried_again_soon(
    hass: HomeAssistant,
    fake: Fake,
    freezer: FrozenDateTimeFactory,
    error: Exception,
) -> None:
    device = await fake(firmware="guarded", password="one")
    record = await record_of(device)
    wanted = Wanted((Account("root", "one"),))
    with patch.object(GuardedMiner, "check_credentials", side_effect=error) as tried:
        for _ in range(3):
            found = await async_find_account(hass, record.id, record.info, wanted)
            assert found.account is None
            freezer.tick(timedelta(hours=1))
    assert tried.call_count == 1
    freezer.tick(timedelta(hours=4))
    found = await async_find_account(hass, record.id, record.info, wanted)
    assert found.account == Account("root", "one")


async def test_what_cannot_be_checked_gets_an_account_by_its_user_name(
    hass: HomeAssistant, simulate: Simulate, add_site: AddSite
) -> None:
    """Nothing is sent before a command, so that nothing can be locked."""
    device = await simulate(SimulatedWhatsminerV3, offset=0)
    other = {"username": "super", "password": "s"}
    await add_site(subentries=(range_data(device.host, ONE, other),))
    await settle(hass)
    (record,) = records_of(hass).values()
    assert record.info.driver == "whatsminer-v3"
    assert (record.username, record.password) == ("super", "s")


async def test_device_that_waits_for_its_driver(
    hass: HomeAssistant, fake: Fake, add_site: AddSite
) -> None:
    """What nobody reads is given no account either."""
    device = await fake(firmware="guarded", password="one")
    entry = await add_site(device)
    coordinator = entry.runtime_data.coordinators.pop(id_of(device))
    wanted = Wanted((Account("root", "one"),))
    await async_take_in(entry.runtime_data, coordinator.record.info, wanted)
    assert account_of(hass, device) == (None, None)
    await coordinator.async_stop()


async def test_removed_device_begins_anew(
    hass: HomeAssistant, fake: Fake, add_site: AddSite, freezer: FrozenDateTimeFactory
) -> None:
    device = await fake(firmware="guarded", password="another")
    await add_site(subentries=(range_data(device.host, ONE),))
    await settle(hass)
    await fleet_of(hass).async_remove(id_of(device))
    await pass_time(hass, freezer, RANGE_SCAN_INTERVAL)
    assert device.refused == ["one"] * 2


async def test_removed_site_begins_anew(
    hass: HomeAssistant, fake: Fake, add_site: AddSite
) -> None:
    device = await fake(firmware="guarded", password="another")
    for times in (1, 2):
        entry = await add_site(subentries=(range_data(device.host, ONE),))
        await settle(hass)
        assert device.refused == ["one"] * times
        await hass.config_entries.async_remove(entry.entry_id)


@pytest.mark.parametrize("password", ["right", "another"])
async def test_real_family(
    hass: HomeAssistant,
    simulate: Simulate,
    add_site: AddSite,
    freezer: FrozenDateTimeFactory,
    password: str,
) -> None:
    """It counts what it refuses, and would lock after a few."""
    device: SimulatedVNish = await simulate(SimulatedVNish, password=password)
    accounts = [{"password": "wrong"}, {"username": "x", "password": "right"}]
    await add_site(subentries=(range_data(device.address, *accounts),))
    await settle(hass)
    (record,) = records_of(hass).values()
    works = password == "right"
    assert record.info.driver == "vnish"
    assert record.password == ("right" if works else None)
    for _ in range(4):
        await pass_time(hass, freezer, RANGE_SCAN_INTERVAL)
    assert device.wrong == (1 if works else 2)


async def test_driver_that_is_gone(hass: HomeAssistant, fake: Fake) -> None:
    device = await fake(firmware="guarded", password="one")
    record = await record_of(device)
    wanted = Wanted((Account("root", "one"),))
    with patch.dict("custom_components.miningsdk.sdk.registry._drivers", clear=True):
        found = await async_find_account(hass, record.id, record.info, wanted)
    assert found.account is None
    assert set(device.passwords) == {None}


# Discovery.


async def test_leased_device_of_a_range(
    hass: HomeAssistant, fake: Fake, add_site: AddSite
) -> None:
    """With the accounts of all ranges over it, then those of the site."""
    device = await fake(firmware="guarded", password="three")
    await device.stop()
    ranges = (range_data(device.host, ONE), range_data(f"{device.host}/31", TWO))
    await add_site(subentries=ranges, options={"accounts": [THREE]})
    await settle(hass)
    await device.start()
    for _ in range(2):
        await leased(hass, device.host)
    assert account_of(hass, device) == ("root", "three")
    assert device.refused == ["one", "two"]


async def test_two_at_once_do_not_try_twice(
    hass: HomeAssistant, fake: Fake, add_site: AddSite
) -> None:
    device = await fake(firmware="guarded", password="another")
    record: Record = await record_of(device)
    await add_site()
    wanted = Wanted((Account("root", "one"), Account(None, "two")))
    device.delay = 0.05
    first = hass.async_create_task(
        async_find_account(hass, record.id, record.info, wanted)
    )
    await async_find_account(hass, record.id, record.info, wanted)
    await first
    assert device.refused == ["one", "two"]


async def test_memory_does_not_tell_same_passwords(hass: HomeAssistant) -> None:
    """The same account looks different on each device."""
    refusals = await async_refusals(hass)
    assert await async_refusals(hass) is refusals
    account = Account("root", "one")
    refusals.refused("A", account)
    refusals.refused("B", account)
    stored = refusals._data()["tries"]
    assert set(stored["A"]).isdisjoint(stored["B"])


async def test_known_device_without_need_is_not_asked(
    hass: HomeAssistant, axe: Axe, add_site: AddSite
) -> None:
    device = await axe()
    await add_site(device, subentries=(range_data(device.address, ONE),))
    await settle(hass)
    (record,) = records_of(hass).values()
    assert record.password is None

"""Devices that are as they were sold, or take no commands until somebody allows it."""

from asyncio.selector_events import BaseSelectorEventLoop
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.miningsdk.const import DOMAIN
from tests.conftest import Simulate
from tests.integration.conftest import AddSite, Fake, record_of
from tests.integration.flows import (
    Repairs,
    fill,
    fleet_of,
    id_of,
    range_data,
    settle,
    start_reconfigure,
)
from tests.sdk.fakes import FakeDevice
from tests.simulators.braiins import SimulatedBraiins
from tests.simulators.whatsminer import SimulatedWhatsminer
from tests.simulators.whatsminer_v3 import SimulatedWhatsminerV3

KIND = "factory_password"


@pytest.fixture
def repairs(hass: HomeAssistant) -> Repairs:
    """Return the repairs that Home Assistant shows."""
    return Repairs(hass)


async def as_sold(fake: Fake, add_site: AddSite) -> tuple[Any, FakeDevice]:
    device = await fake(firmware="sold", password="sold")
    return await add_site(await record_of(device, "root", "sold")), device


async def change(hass: HomeAssistant, entry: Any, device: FakeDevice) -> None:
    """Change the password at the device, then enter the new one."""
    device.password = "own"
    result = await start_reconfigure(hass, entry)
    result = await fill(hass, result, device=id_of(device))
    result = await fill(hass, result, host=device.host, username="root", password="own")
    assert result["reason"] == "reconfigure_successful"


async def test_it_is_told_until_it_is_changed(
    hass: HomeAssistant, fake: Fake, add_site: AddSite, repairs: Repairs
) -> None:
    entry, device = await as_sold(fake, add_site)
    issue = repairs.issues()[KIND]
    assert issue.severity is ir.IssueSeverity.WARNING
    assert not issue.is_fixable
    assert issue.translation_placeholders == {
        "name": "Sold F1 0001",
        "host": device.host,
    }
    # The device itself is left as it is.
    assert "set" not in device.asked
    await change(hass, entry, device)
    assert not repairs.issues()


async def test_account_without_a_user_name(
    fake: Fake, add_site: AddSite, repairs: Repairs
) -> None:
    """It is the same account as with the usual one."""
    device = await fake(firmware="sold", password="sold")
    await add_site(await record_of(device, None, "sold"))
    assert set(repairs.issues()) == {KIND}


async def test_own_password_is_nothing_to_tell(
    fake: Fake, add_site: AddSite, repairs: Repairs
) -> None:
    device = await fake(firmware="sold", password="own")
    await add_site(await record_of(device, "root", "own"), await fake(firmware="sold"))
    assert not repairs.issues()


async def test_it_can_be_ignored(
    hass: HomeAssistant, fake: Fake, add_site: AddSite, repairs: Repairs
) -> None:
    """For as long as it is true, also over a reload and while the device is off."""
    entry, device = await as_sold(fake, add_site)
    ir.async_ignore_issue(hass, DOMAIN, repairs.issues()[KIND].issue_id, ignore=True)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await settle(hass)
    assert repairs.issues()[KIND].dismissed_version is not None
    await device.stop()
    (coordinator,) = fleet_of(hass).coordinators.values()
    await coordinator.async_refresh()
    assert not coordinator.available
    assert repairs.issues()[KIND].dismissed_version is not None
    await device.start()
    await change(hass, entry, device)
    assert not repairs.issues()


async def test_password_that_works_no_more_is_another_matter(
    fake: Fake, add_site: AddSite, repairs: Repairs
) -> None:
    entry, device = await as_sold(fake, add_site)
    device.password = "own"
    (coordinator,) = entry.runtime_data.coordinators.values()
    await coordinator.async_refresh()
    assert set(repairs.issues()) == {"credentials"}
    result = await repairs.start("credentials")
    result = await repairs.fill(result, username="root", password="own")
    assert result["type"] == "create_entry"
    assert not repairs.issues()


async def test_password_that_works_again(
    fake: Fake, add_site: AddSite, repairs: Repairs
) -> None:
    entry, device = await as_sold(fake, add_site)
    (coordinator,) = entry.runtime_data.coordinators.values()
    for password, told in (("own", "credentials"), ("sold", KIND)):
        device.password = password
        await coordinator.async_refresh()
        assert set(repairs.issues()) == {told}


async def test_found_by_a_range(
    hass: HomeAssistant, fake: Fake, add_site: AddSite, repairs: Repairs
) -> None:
    device = await fake(firmware="sold", password="sold")
    await add_site(subentries=(range_data(device.host, factory=True),))
    await settle(hass)
    assert set(repairs.issues()) == {KIND}


async def test_empty_password_is_a_password(
    hass: HomeAssistant,
    simulate: Simulate,
    add_site: AddSite,
    repairs: Repairs,
) -> None:
    """Some are sold with none at all: that is kept, and is not the same as unknown."""
    device = await simulate(SimulatedBraiins, password="")
    entry = await add_site(subentries=(range_data(device.address, factory=True),))
    for _ in range(2):
        await settle(hass)
        (record,) = entry.runtime_data.inventory.records.values()
        assert (record.username, record.password) == ("root", "")
        assert set(repairs.issues()) == {KIND}
        assert await hass.config_entries.async_reload(entry.entry_id)
    # Nor is it lost when something else is changed.
    result = await start_reconfigure(hass, entry)
    result = await fill(hass, result, device=record.id)
    result = await fill(hass, result, host=device.address, username="root")
    assert result["reason"] == "reconfigure_successful"
    (record,) = entry.runtime_data.inventory.records.values()
    assert record.password == ""


async def test_removed_device(
    hass: HomeAssistant, fake: Fake, add_site: AddSite, repairs: Repairs
) -> None:
    entry, device = await as_sold(fake, add_site)
    await entry.runtime_data.async_remove(id_of(device))
    assert not repairs.issues()


async def test_removed_site(
    hass: HomeAssistant, fake: Fake, add_site: AddSite, repairs: Repairs
) -> None:
    """The other site's are still there."""
    first, _ = await as_sold(fake, add_site)
    _, other = await as_sold(fake, add_site)
    await hass.config_entries.async_remove(first.entry_id)
    placeholders = repairs.issues()[KIND].translation_placeholders
    assert placeholders is not None
    assert placeholders["host"] == other.host
    assert len(ours(hass)) == 1


def ours(hass: HomeAssistant) -> list[str]:
    return [key for domain, key in ir.async_get(hass).issues if domain == DOMAIN]


async def test_many_share_one_message(
    hass: HomeAssistant, fake: Fake, add_site: AddSite, repairs: Repairs
) -> None:
    devices = [await fake(firmware="sold", password="sold") for _ in range(4)]
    records = [await record_of(device, "root", "sold") for device in devices]
    entry = await add_site(*records)
    (issue,) = repairs.issues().values()
    assert issue.translation_key == "factory_passwords"
    assert issue.translation_placeholders == {
        "site": "Home",
        "names": "Sold F1 0001, Sold F1 0002, Sold F1 0003, Sold F1 0004",
    }
    assert len(ours(hass)) == 1
    await change(hass, entry, devices[0])
    assert set(repairs.issues()) == {KIND}
    assert len(ours(hass)) == 3


async def test_driver_that_is_gone(
    hass: HomeAssistant, fake: Fake, add_site: AddSite, repairs: Repairs
) -> None:
    """What it would say of its devices is not known."""
    device = await fake(firmware="sold", password="sold")
    record = await record_of(device, "root", "sold")
    info = {**record.as_dict()["info"], "driver": "gone"}
    entry = await add_site()
    inventory = entry.runtime_data.inventory
    inventory.put(type(record).from_dict({**record.as_dict(), "info": info}))
    entry.runtime_data.accounts.async_tell_of_factory()
    assert KIND not in repairs.issues()


# Commands that have to be allowed at the device.


@pytest.mark.parametrize(
    ("kind", "account"),
    [
        (SimulatedWhatsminer, {"username": "admin", "password": "own"}),
        (SimulatedWhatsminerV3, {"username": "super", "password": "own"}),
    ],
)
async def test_switched_off_api(
    hass: HomeAssistant,
    simulate: Simulate,
    add_site: AddSite,
    repairs: Repairs,
    monkeypatch: pytest.MonkeyPatch,
    kind: type[SimulatedWhatsminer],
    account: dict[str, str],
) -> None:
    """The user is told how to switch it on; nobody's server is asked to."""
    device = await simulate(kind, password=account["password"])
    await add_site(await record_of(device, **account))
    device.api_switch = False
    asked: set[Any] = set()
    connect = BaseSelectorEventLoop.sock_connect

    async def spy(self: Any, sock: Any, where: Any) -> None:
        asked.add(where[0])
        await connect(self, sock, where)

    monkeypatch.setattr(BaseSelectorEventLoop, "sock_connect", spy)
    (coordinator,) = fleet_of(hass).coordinators.values()
    with pytest.raises(HomeAssistantError, match="WhatsMinerTool"):
        await coordinator.async_command(lambda miner: miner.pause())
    assert asked == {device.host}
    issue = repairs.issues()["control_disabled"]
    assert set(repairs.issues()) == {"control_disabled"}
    assert not issue.is_fixable
    told = issue.translation_placeholders
    assert told is not None
    assert told["name"] == coordinator.name
    assert "Miner API Switch" in told["error"]

    # It is ignored until it is true no more.
    ir.async_ignore_issue(hass, DOMAIN, issue.issue_id, ignore=True)
    with pytest.raises(HomeAssistantError):
        await coordinator.async_command(lambda miner: miner.pause())
    assert repairs.issues()["control_disabled"].dismissed_version is not None
    device.api_switch = True
    await coordinator.async_command(lambda miner: miner.pause())
    assert not repairs.issues()


async def test_commands_with_the_factory_password(
    hass: HomeAssistant, simulate: Simulate, add_site: AddSite, repairs: Repairs
) -> None:
    """The device takes it, but no command with it; the advice says what to do."""
    device = await simulate(SimulatedWhatsminer, password="admin")
    entry = await add_site(await record_of(device, "admin", "admin"))
    assert set(repairs.issues()) == {KIND}
    (coordinator,) = entry.runtime_data.coordinators.values()
    with pytest.raises(HomeAssistantError, match="change the default password"):
        await coordinator.async_command(lambda miner: miner.pause())
    assert set(repairs.issues()) == {KIND, "control_disabled"}
    # Changed in the vendor's tool, and entered here.
    device.password = "own"
    result = await start_reconfigure(hass, entry)
    result = await fill(hass, result, device=coordinator.id)
    given = {"host": device.address, "username": "admin", "password": "own"}
    result = await fill(hass, result, **given)
    assert result["reason"] == "reconfigure_successful"
    assert not repairs.issues()
    await coordinator.async_command(lambda miner: miner.pause())

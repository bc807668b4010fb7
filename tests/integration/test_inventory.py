"""The inventory of thousands: how devices are found, and what taking them in costs."""

import asyncio
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import Any
from unittest.mock import patch

from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar, device_registry as dr
from homeassistant.helpers.storage import Store
import pytest

from custom_components.miningsdk import fleet as fleet_module, inventory, totals
from custom_components.miningsdk.fleet import Fleet
from custom_components.miningsdk.inventory import Inventory, Record, same_device
from custom_components.miningsdk.placing import async_place, async_suggest_areas
from custom_components.miningsdk.positions import Position, Positions
from custom_components.miningsdk.sdk import DeviceInfo, DeviceKind
from tests.integration.conftest import AddSite
from tests.integration.fixtures_fleet import (
    FROZEN,
    Clock,
    MakeScript,
    ScriptedMiner,
    clock_fixture,  # noqa: F401
    script_fixture,  # noqa: F401
)

pytestmark = FROZEN


def info(number: int, **more: Any) -> DeviceInfo:
    """Return a miner, one of many."""
    facts = {
        "kind": DeviceKind.MINER,
        "driver": ScriptedMiner.name,
        "host": f"10.{number // 62500}.{number // 250 % 250}.{1 + number % 250}",
        "serial_number": f"SN{number:05}",
        "mac": f"02:00:00:00:{number // 256:02x}:{number % 256:02x}",
        **more,
    }
    return DeviceInfo(**facts)


@pytest.fixture
def stored(hass: HomeAssistant) -> Inventory:
    """Return an inventory of five devices that tell more or less of themselves."""
    found = Inventory(hass, "test")
    found.put(Record.of(info(1)))
    found.put(Record.of(info(2, serial_number=None)))
    found.put(Record.of(info(3, mac=None)))
    found.put(Record.of(info(4, serial_number=None, mac=None)))
    found.put(Record.of(info(5, serial_number=None, mac=None, port=81)))
    return found


def found_by(
    stored: Inventory, number: int, driver: str | None = None, **more: Any
) -> str | None:
    """Return the host of what is found."""
    facts = info(number, **more)
    record = stored.find(replace(facts, driver=driver) if driver else facts)
    return record.info.host if record else None


async def test_find(stored: Inventory) -> None:
    """By serial number, else by MAC, else by address: as far as both tell it."""
    elsewhere: dict[str, Any] = {"host": "10.9.9.9"}
    assert found_by(stored, 1, **elsewhere) == "10.0.0.2"
    assert found_by(stored, 1, **elsewhere, serial_number=None) == "10.0.0.2"
    assert found_by(stored, 1, **elsewhere, mac=None) == "10.0.0.2"
    # Another serial number is another device, whatever its MAC is.
    assert found_by(stored, 1, **elsewhere, serial_number="SN9") is None
    assert found_by(stored, 2, **elsewhere) == "10.0.0.3"
    assert found_by(stored, 3, **elsewhere) == "10.0.0.4"
    assert found_by(stored, 3, **elsewhere, serial_number=None) is None
    # One that does not tell who it is, by where it is and what drives it.
    assert found_by(stored, 4) == "10.0.0.5"
    assert found_by(stored, 4, driver="other") is None
    assert found_by(stored, 4, **elsewhere) is None
    assert found_by(stored, 5) is None
    assert found_by(stored, 5, port=81) == "10.0.0.6"
    assert found_by(stored, 9, host="10.0.0.5") == "10.0.0.5"
    assert found_by(stored, 9, host="10.0.0.2") is None
    assert found_by(stored, 9, host="10.0.0.2", serial_number=None, mac=None) == (
        "10.0.0.2"
    )


async def test_finds_what_has_changed(stored: Inventory) -> None:
    """By the new facts, and not by the old ones any more."""
    record = stored.find(info(1))
    assert record is not None
    stored.put(replace(record, info=info(7)))
    assert stored.find(info(1)) is None
    assert stored.by_mac(info(1).mac or "") is None
    changed = stored.find(info(7))
    assert changed is not None
    assert changed.id == "SN00001"
    assert stored.by_mac(info(7).mac or "") is changed
    assert list(stored.at(info(1))) == []
    stored.drop(changed.id)
    assert stored.find(info(7)) is None
    stored.drop("nobody")
    assert len(stored.records) == 4


async def test_two_at_one_address(stored: Inventory) -> None:
    """The first that came is asked first."""
    newer = Record.of(info(8, host="10.0.0.2"))
    stored.put(newer)
    first, second = stored.at(newer.info)
    assert (first.id, second.id) == ("SN00001", newer.id)
    assert stored.find(info(8)) is newer


async def test_it_is_stored_as_it_was(
    hass: HomeAssistant, stored: Inventory, hass_storage: dict[str, Any]
) -> None:
    """What nothing is known of takes no room."""
    record = stored.find(info(1))
    assert record is not None
    stored.put(replace(record, position=Position.of({"rack": "2"})))
    await stored.async_save()
    devices = hass_storage["miningsdk.test"]["data"]["devices"]
    assert devices[0]["position"] == {"rack": "2"}
    assert all("position" not in one and "history" not in one for one in devices[1:])
    again = Inventory(hass, "test")
    await again.async_load()
    assert again.records == stored.records
    assert list(again.records) == list(stored.records)


# Thousands.


async def test_taking_in_thousands(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """Costs each of them the same, is written once, and lets the loop have its turns.

    Work is counted, not time: comparing two devices, and adding up the site.
    """
    entry = await add_site(script().record, options={"detail": "fleet"})
    fleet: Fleet = entry.runtime_data
    counted: Counter[str] = Counter()
    turns: list[int] = []

    def compare(one: DeviceInfo, other: DeviceInfo) -> bool | None:
        counted["compared"] += 1
        return same_device(one, other)

    async def watch() -> None:
        while True:
            turns.append(len(fleet.inventory.records))
            await asyncio.sleep(0)

    real = Store._async_write_data

    async def write(store: Store[Any], data: dict[str, Any]) -> None:
        counted["written"] += store.key == f"miningsdk.{entry.entry_id}"
        await real(store, data)

    total = 2000
    watching = asyncio.ensure_future(watch())
    with (
        patch.object(inventory, "same_device", compare),
        patch.object(fleet_module, "add_up", wraps=totals.add_up) as added_up,
        patch.object(Store, "_async_write_data", write),
        patch.object(fleet_module, "FIRST_READINGS_WITHIN", 0.01),
    ):
        adopting = asyncio.ensure_future(
            fleet.async_adopt([Record.of(info(n)) for n in range(total)])
        )
        while not adopting.done():
            await asyncio.sleep(0)
            clock.freezer.tick(0.001)
        assert len(adopting.result()) == total
        await clock.forward(15, step=1)
    watching.cancel()
    assert len(fleet.inventory.records) == total + 1
    assert counted["compared"] <= total
    assert counted["written"] == 1
    assert added_up.call_count < 30
    steps = [later - earlier for earlier, later in pairwise(turns)]
    assert max(steps) <= 10
    assert fleet.totals.total == total + 1
    # A second scan finds each by one comparison.
    counted.clear()
    with patch.object(inventory, "same_device", compare):
        assert all(fleet.inventory.find(info(n)) for n in range(total))
    assert counted["compared"] <= 2 * total


async def test_one_after_another_adds_up_a_large_site_seldom(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """As a range takes them in; a small one is right at once."""
    entry = await add_site(script().record, options={"detail": "fleet"})
    fleet: Fleet = entry.runtime_data
    with (
        patch.object(fleet_module, "add_up", wraps=totals.add_up) as added_up,
        patch.object(fleet_module, "_FEW", 5),
    ):
        for number in range(20):
            await fleet.async_adopt([Record.of(info(number))])
            if number < 4:
                assert fleet.totals.total == number + 2
        assert added_up.call_count <= 5
        await clock.forward(2)
        assert fleet.totals.total == 21
    for number in range(20):
        await fleet.async_remove(f"SN{number:05}")
    assert fleet.totals.total == 1


async def test_placing_many(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """In pieces, and written once; also those that wait for their driver."""
    records = [Record.of(info(n, driver="gone")) for n in range(220)]
    entry = await add_site(*records, options={"detail": "fleet"})
    fleet: Fleet = entry.runtime_data
    assert not fleet.coordinators
    turns: list[int] = []

    async def watch() -> None:
        while True:
            placed = sum(bool(r.position) for r in fleet.inventory.records.values())
            turns.append(placed)
            await asyncio.sleep(0)

    watching = asyncio.ensure_future(watch())
    given = {
        r.id: Position.of({"rack": "1", "slot": str(n)}) for n, r in enumerate(records)
    }
    with patch.object(Store, "async_delay_save", autospec=True) as saved:
        await async_place(fleet, dict(given))
    await asyncio.sleep(0)
    watching.cancel()
    assert turns[-1] == len(records)
    assert max(later - earlier for earlier, later in pairwise(turns)) <= 50
    assert {call.args[2] for call in saved.call_args_list} == {10.0}
    assert {r.id: r.position for r in fleet.inventory.records.values()} == given


async def test_areas_for_many(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """A rule for a site that is there already suggests one for each of its racks."""
    miners = [script(host=f"10.{n // 30}.{n % 3}.{n}") for n in range(60)]
    entry = await add_site(
        *(one.record for one in miners), options={"detail": "compact"}
    )
    fleet: Fleet = entry.runtime_data
    rule = {"position_rule": "10.{container}.{rack}.{slot}"}
    await async_suggest_areas(fleet, Positions(rule))
    names = {area.name for area in ar.async_get(hass).async_list_areas()}
    assert names == {f"Container {c} Rack {r}" for c in range(2) for r in range(3)}
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert sum(device.area_id is not None for device in devices) == 60

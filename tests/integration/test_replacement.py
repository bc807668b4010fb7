"""Another machine in the place of one: what goes on, and what is remembered."""

from typing import Any

from homeassistant.core import Event, HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.miningsdk.const import DOMAIN
from custom_components.miningsdk.fleet import Fleet
from custom_components.miningsdk.inventory import Inventory, Record
from custom_components.miningsdk.logbook import async_describe_events
from custom_components.miningsdk.placing import async_place
from custom_components.miningsdk.positions import Position
from custom_components.miningsdk.ranges import RangeScanner
from custom_components.miningsdk.replacement import (
    EVENT_MACHINE_REPLACED,
    async_replace,
)
from custom_components.miningsdk.sdk import Capability
from tests.integration.conftest import AddSite, Axe
from tests.integration.fixtures_fleet import (
    FROZEN,
    UNREACHABLE,
    Clock,
    MakeScript,
    Script,
    clock_fixture,  # noqa: F401
    entity_id,
    fleet_of,
    script_fixture,  # noqa: F401
    state_of,
)
from tests.integration.flows import (
    Repairs,
    id_of,
    options,
    range_data,
    records_of,
    settle,
)

pytestmark = FROZEN

OLD_MAC, NEW_MAC = "02:00:00:00:00:01", "02:00:00:00:00:02"


@pytest.fixture
def repairs(hass: HomeAssistant) -> Repairs:
    """Return the repairs that Home Assistant shows."""
    return Repairs(hass)


def device_of(
    hass: HomeAssistant, entry: MockConfigEntry, key: str
) -> dr.DeviceEntry | None:
    """Return how a miner is registered."""
    return dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, key), entry.entry_id
    )


async def read_anew(fleet: Fleet, key: str) -> None:
    """Ask a device who it is, and read it."""
    loop = fleet.coordinators[key]
    loop.device.forget_info()
    await loop.async_refresh()


async def taken_away(
    clock: Clock, add_site: AddSite, script: MakeScript
) -> tuple[MockConfigEntry, Script]:
    """Set up a miner that has used some energy and was then replaced."""
    miner = script(mac=OLD_MAC)
    entry = await add_site(miner.record)
    key = miner.record.id
    await async_place(fleet_of(entry), {key: Position.of({"rack": "2", "slot": "7"})})
    await clock.forward(600, step=30)
    miner.be(serial_number="SN9999", mac=NEW_MAC, model="A2")
    miner.be(capabilities=(Capability.LOCATE,))
    miner.say(locating=False)
    await read_anew(fleet_of(entry), key)
    return entry, miner


async def test_the_new_machine_goes_on(
    clock: Clock,
    hass: HomeAssistant,
    add_site: AddSite,
    script: MakeScript,
    repairs: Repairs,
) -> None:
    """Under the id of the old one: with its entities, position and energy."""
    entry, _ = await taken_away(clock, add_site, script)
    events = async_capture_events(hass, EVENT_MACHINE_REPLACED)
    entities = {
        one.entity_id
        for one in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    }
    used = float(state_of(hass, "sensor", "SN0001", "energy"))
    assert used == pytest.approx(3.0 * 570 / 3600, rel=0.1)
    assert state_of(hass, "sensor", "SN0001", "status") == "unavailable"

    result = await repairs.start("replaced")
    assert result["description_placeholders"]["other"] == "Acme A2 9999"
    result = await repairs.fill(result, next_step_id="replace")
    assert result["type"] == "create_entry"
    await clock.settle()
    assert "replaced" not in repairs.issues()
    fleet = fleet_of(entry)
    assert not fleet.strangers
    (record,) = fleet.inventory.records.values()
    assert record.id == "SN0001"
    assert (record.info.serial_number, record.info.model) == ("SN9999", "A2")
    assert record.position == Position.of({"rack": "2", "slot": "7"})
    assert [one.as_dict() for one in record.history] == [
        {
            "serial_number": "SN0001",
            "mac": OLD_MAC,
            "model": "A1",
            "until": "2026-11-22T12:10:00+00:00",
        }
    ]
    assert state_of(hass, "sensor", "SN0001", "status") == "mining"
    assert state_of(hass, "switch", "SN0001", "locate") == "off"
    left = {
        one.entity_id
        for one in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    }
    assert entities < left
    device = device_of(hass, entry, "SN0001")
    assert device is not None
    assert device.connections == {("mac", NEW_MAC)}
    assert (device.serial_number, device.model) == ("SN9999", "A2")
    assert device.name == "Acme A2 9999"

    # The energy of both is the energy of the place.
    await clock.forward(600, step=30)
    assert float(state_of(hass, "sensor", "SN0001", "energy")) == pytest.approx(
        2 * used, rel=0.1
    )
    (event,) = events
    assert event.data == {
        "device_id": device.id,
        "id": "SN0001",
        "name": "Acme A2 9999",
        "address": record.info.host,
        "position": {"rack": "2", "slot": "7"},
        "old": {
            "make": "Acme",
            "model": "A1",
            "serial_number": "SN0001",
            "mac": OLD_MAC,
        },
        "new": {
            "make": "Acme",
            "model": "A2",
            "serial_number": "SN9999",
            "mac": NEW_MAC,
        },
    }


async def test_history_and_energy_outlive_a_restart(
    clock: Clock,
    hass: HomeAssistant,
    add_site: AddSite,
    script: MakeScript,
    repairs: Repairs,
) -> None:
    entry, miner = await taken_away(clock, add_site, script)
    result = await repairs.start("replaced")
    await repairs.fill(result, next_step_id="replace")
    before = fleet_of(entry).inventory.records["SN0001"]
    used = float(state_of(hass, "sensor", "SN0001", "energy"))
    assert await hass.config_entries.async_reload(entry.entry_id)
    await clock.settle()
    (record,) = fleet_of(entry).inventory.records.values()
    assert (record.history, record.info) == (before.history, before.info)
    assert float(state_of(hass, "sensor", "SN0001", "energy")) >= used > 0
    device = device_of(hass, entry, "SN0001")
    assert device is not None
    assert device.connections == {("mac", NEW_MAC)}

    # And once more: the history grows.
    miner.be(serial_number="SN8888", mac=None)
    await read_anew(fleet_of(entry), "SN0001")
    result = await repairs.start("replaced")
    await repairs.fill(result, next_step_id="replace")
    (record,) = fleet_of(entry).inventory.records.values()
    assert [one.serial_number for one in record.history] == ["SN0001", "SN9999"]
    device = device_of(hass, entry, "SN0001")
    assert device is not None
    assert device.connections == set()


async def test_the_old_machine_turns_up_elsewhere(
    clock: Clock,
    hass: HomeAssistant,
    add_site: AddSite,
    script: MakeScript,
    repairs: Repairs,
) -> None:
    """It is a new device then, though the other still goes by its serial number."""
    entry, _ = await taken_away(clock, add_site, script)
    result = await repairs.start("replaced")
    await repairs.fill(result, next_step_id="replace")
    repaired = script(serial_number="SN0001", mac=OLD_MAC)
    (record,) = await fleet_of(entry).async_adopt([Record.of(repaired.info)])
    await clock.settle()
    assert record.id == "SN0001-2"
    assert not record.history
    assert record.position is None
    one, other = (device_of(hass, entry, key) for key in ("SN0001", "SN0001-2"))
    assert one is not None
    assert other is not None
    assert one.id != other.id
    assert other.connections == {("mac", OLD_MAC)}
    assert state_of(hass, "sensor", "SN0001-2", "status") == "mining"
    assert state_of(hass, "sensor", "SN0001", "status") == "mining"
    # A scan finds each of them again as itself.
    inventory = fleet_of(entry).inventory
    assert inventory.find(repaired.info) is record
    assert inventory.by_mac(NEW_MAC) is inventory.records["SN0001"]


async def test_an_account_works_on_for_the_new_machine(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """That of the new one, where it has one of its own."""
    old, new, newer = script(), script(), script()
    records = [
        Record.of(old.info, "root", "old"),
        Record.of(new.info),
        Record.of(newer.info, "admin", "newer"),
    ]
    fleet = fleet_of(await add_site(*records))
    await async_replace(fleet, old.record.id, new.info)
    record = fleet.inventory.records[old.record.id]
    assert (record.username, record.password) == ("root", "old")
    await async_replace(fleet, old.record.id, newer.info)
    (record,) = fleet.inventory.records.values()
    assert (record.username, record.password) == ("admin", "newer")


async def test_what_cannot_be_replaced(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """A machine by itself, and a device that is no more."""
    miner, other = script(), script()
    fleet = fleet_of(await add_site(miner.record, other.record))
    events = async_capture_events(hass, EVENT_MACHINE_REPLACED)
    await async_replace(fleet, miner.record.id, miner.info)
    await async_replace(fleet, "nobody", other.info)
    assert set(fleet.inventory.records) == {miner.record.id, other.record.id}
    assert not any(one.history for one in fleet.inventory.records.values())
    assert not events


async def test_a_mac_that_another_device_has_is_left_to_it(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """A device of the site that is no miner, such as what is left of a removed one."""
    miner = script(mac=OLD_MAC)
    entry = await add_site(miner.record)
    dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={(DOMAIN, "left over")},
        connections={("mac", NEW_MAC)},
    )
    new = script(serial_number="SN7777", mac=NEW_MAC)
    await async_replace(fleet_of(entry), miner.record.id, new.info)
    device = device_of(hass, entry, miner.record.id)
    assert device is not None
    assert device.connections == set()
    assert device.serial_number == "SN7777"


async def test_a_site_that_does_not_show_single_miners(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    miner, new = script(), script()
    entry = await add_site(miner.record, options={"detail": "fleet"})
    events = async_capture_events(hass, EVENT_MACHINE_REPLACED)
    await async_replace(fleet_of(entry), miner.record.id, new.info)
    (record,) = fleet_of(entry).inventory.records.values()
    assert record.info.serial_number == new.info.serial_number
    assert [event.data["device_id"] for event in events] == [None]
    assert fleet_of(entry).coordinators[record.id].available


async def test_a_machine_whose_driver_is_there_in_place_of_one_whose_is_not(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """It need not wait any more."""
    new = script()
    gone = Record.from_dict(
        {
            **new.record.as_dict(),
            "id": "gone",
            "info": {
                **new.record.as_dict()["info"],
                "driver": "gone",
                "host": "127.99.0.9",
                "serial_number": "gone",
            },
        }
    )
    entry = await add_site(gone)
    fleet = fleet_of(entry)
    assert (len(fleet.waiting), len(fleet.coordinators)) == (1, 0)
    await async_replace(fleet, "gone", new.info)
    await clock.settle()
    assert (len(fleet.waiting), len(fleet.coordinators)) == (0, 1)
    assert state_of(hass, "sensor", "gone", "status") == "mining"


async def test_a_device_that_is_removed_meanwhile(
    clock: Clock,
    hass: HomeAssistant,
    add_site: AddSite,
    script: MakeScript,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is made of it any more."""
    old, new = script(), script()
    fleet = fleet_of(await add_site(old.record, new.record))
    real = Fleet.async_remove

    async def remove(fleet: Fleet, record_id: str) -> None:
        await real(fleet, record_id)
        await real(fleet, old.record.id)

    monkeypatch.setattr(Fleet, "async_remove", remove)
    events = async_capture_events(hass, EVENT_MACHINE_REPLACED)
    await async_replace(fleet, old.record.id, new.info)
    assert not fleet.inventory.records
    assert not events


# With ranges, which take in what turns up.


async def test_a_range_takes_the_new_machine_in_and_asks(
    hass: HomeAssistant, axe: Axe, add_site: AddSite, repairs: Repairs
) -> None:
    """It is read at once; as what, a person may say later."""
    old = await axe()
    entry = await add_site(old, subentries=(range_data(old.address),))
    await settle(hass)
    await old.stop()
    new = await axe(host=old.host)
    fleet = fleet_of(entry)
    await RangeScanner(hass, fleet).async_scan(fleet.entry.subentries)
    await settle(hass)
    assert set(records_of(hass)) == {id_of(old), id_of(new)}
    assert set(repairs.issues()) == {"replaced"}
    # Reading the old one does not answer the question.
    fleet.coordinators[id_of(old)].device.forget_info()
    await fleet.coordinators[id_of(old)].async_refresh()
    assert set(repairs.issues()) == {"replaced"}
    result = await repairs.start("replaced")
    result = await repairs.fill(result, next_step_id="replace")
    assert result["type"] == "create_entry"
    await settle(hass)
    assert not repairs.issues()
    (record,) = records_of(hass).values()
    assert (record.id, record.info.mac) == (id_of(old), id_of(new))
    assert list(fleet.coordinators) == [id_of(old)]
    assert fleet.coordinators[id_of(old)].available
    assert device_of(hass, entry, id_of(new)) is None
    assert not [
        one
        for one in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
        if one.unique_id.startswith(id_of(new))
    ]
    # The next scan finds nothing new.
    await RangeScanner(hass, fleet).async_scan(fleet.entry.subentries)
    await settle(hass)
    assert list(records_of(hass)) == [id_of(old)]


async def test_a_machine_of_another_site_is_left_to_it(
    hass: HomeAssistant, axe: Axe, add_site: AddSite, repairs: Repairs
) -> None:
    old, new = await axe(), await axe()
    first = await add_site(old)
    await add_site(new, title="Hall")
    await old.stop()
    await new.stop()
    there = await axe(host=old.host, serial=2)
    assert there.mac == new.mac
    await read_anew(fleet_of(first), id_of(old))
    result = await repairs.start("replaced")
    assert (result["type"], result["reason"]) == ("abort", "in_another_site")
    assert result["description_placeholders"]["site"] == "Hall"
    assert list(fleet_of(first).inventory.records) == [id_of(old)]


# By hand.


async def test_replaced_by_hand(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """Wherever the new machine is: it was taken in as a device of its own before."""
    old, new = script(), script()
    entry = await add_site(old.record, new.record)
    old.error = UNREACHABLE
    result: Any = await hass.config_entries.options.async_init(entry.entry_id)
    flows = hass.config_entries.options
    for step in ("positions", "swap"):
        result = await flows.async_configure(result["flow_id"], {"next_step_id": step})
    assert set(options(result, "device")) == {old.record.id, new.record.id}
    result = await flows.async_configure(
        result["flow_id"], {"device": old.record.id, "machine": old.record.id}
    )
    assert result["errors"] == {"machine": "same_device"}
    result = await flows.async_configure(
        result["flow_id"], {"device": old.record.id, "machine": new.record.id}
    )
    assert result["type"] == "create_entry"
    await clock.settle()
    (record,) = fleet_of(entry).inventory.records.values()
    assert record.id == old.record.id
    assert record.info.host == new.host
    assert [one.serial_number for one in record.history] == ["SN0001"]
    assert state_of(hass, "sensor", record.id, "status") == "mining"
    assert hass.states.get(entity_id(hass, "sensor", record.id, "status")) is not None


async def test_replaced_by_hand_when_one_of_them_is_gone(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """Nothing happens to the other one."""
    miners = [script() for _ in range(3)]
    entry = await add_site(*(one.record for one in miners))
    flows = hass.config_entries.options
    result: Any = await flows.async_init(entry.entry_id)
    for step in ("positions", "swap"):
        result = await flows.async_configure(result["flow_id"], {"next_step_id": step})
    await fleet_of(entry).async_remove("SN0002")
    result = await flows.async_configure(
        result["flow_id"], {"device": "SN0001", "machine": "SN0002"}
    )
    assert (result["type"], result["reason"]) == ("abort", "no_devices")
    assert set(fleet_of(entry).inventory.records) == {"SN0001", "SN0003"}


# What is told of it.


def test_activity_says_that_the_machine_changed(hass: HomeAssistant) -> None:
    """By what tells the machines apart, as far as they do."""
    told: dict[str, Any] = {}
    async_describe_events(hass, lambda domain, kind, how: told.update({kind: how}))

    def message(old: dict[str, str], new: dict[str, str]) -> str:
        empty = dict.fromkeys(("make", "model", "serial_number", "mac"))
        data = {"name": "Rig", "old": {**empty, **old}, "new": {**empty, **new}}
        entry = told[EVENT_MACHINE_REPLACED](Event(EVENT_MACHINE_REPLACED, data))
        assert entry["name"] == "Rig"
        return str(entry["message"])

    assert message(
        {"model": "A1", "serial_number": "1", "mac": "m"}, {"make": "Acme", "mac": "n"}
    ) == ("is another machine now: Acme n in place of A1 1")
    assert message({}, {"model": "A1"}) == (
        "is another machine now: A1 in place of an unknown machine"
    )


async def test_history_is_stored(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """In the file of the site, which another start reads."""
    old, new = script(), script()
    entry = await add_site(old.record)
    fleet = fleet_of(entry)
    await async_replace(fleet, old.record.id, new.info)
    await fleet.inventory.async_save()
    again = Inventory(hass, entry.entry_id)
    await again.async_load()
    assert again.records == fleet.inventory.records
    assert again.find(new.info) is again.records[old.record.id]
    assert again.find(old.info) is None

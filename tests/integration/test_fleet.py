"""A site: its inventory, what its miners come to, and how devices come and go."""

from dataclasses import replace
from typing import Any

from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    device_registry as dr,
    issue_registry as ir,
)
import pytest

from custom_components.miningsdk.const import DOMAIN
from custom_components.miningsdk.detail import Detail, choose
from custom_components.miningsdk.inventory import Inventory, Record, Shape
from custom_components.miningsdk.sdk import (
    Capability,
    DeviceInfo,
    DeviceKind,
    Limits,
    MinerStats,
    MinerStatus,
)
from custom_components.miningsdk.totals import Totals, Work, add_up
from tests.integration.conftest import AddSite, offline_record
from tests.integration.fixtures_fleet import (
    FROZEN,
    UNREACHABLE,
    Clock,
    MakeScript,
    clock_fixture,  # noqa: F401
    entity_id,
    fleet_of,
    registered_of,
    script_fixture,  # noqa: F401
    state_of,
)

pytestmark = FROZEN


# What the miners of a site come to.


async def test_totals_leave_out_what_is_unknown(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """One that tells no power adds its hashrate, but nothing to the efficiency."""
    whole, silent, mute, off = (script() for _ in range(4))
    silent.say(power=None, hashrate=50.0, hashrate_expected=None)
    mute.say(status=MinerStatus.UNKNOWN, power=None, hashrate=None)
    mute.say(hashrate_expected=None)
    off.error = UNREACHABLE
    entry = await add_site(*(miner.record for miner in (whole, silent, mute, off)))
    assert fleet_of(entry).totals == Totals(
        total=4,
        online=3,
        mining=2,
        power=3000.0,
        without_power=2,
        work={
            # Less is expected than is done, if one of them does not tell.
            "sha256": Work(
                hashrate=150.0, hashrate_expected=None, power=3000.0, efficiency=30.0
            )
        },
    )
    shown = {
        key: state_of(hass, "sensor", entry.entry_id, key)
        for key in ("hashrate", "power", "efficiency", "online", "mining", "total")
    }
    assert shown == {
        "hashrate": "150.0",
        "power": "3000.0",
        "efficiency": "30.0",
        "online": "3",
        "mining": "2",
        "total": "4",
    }


async def test_totals_of_nothing_are_unknown(
    clock: Clock, hass: HomeAssistant, add_site: AddSite
) -> None:
    """A site whose miners are all off has no hashrate, which is not zero."""
    entry = await add_site(offline_record(serial_number="OFF1"))
    assert fleet_of(entry).totals == Totals(total=1, work={None: Work()})
    assert state_of(hass, "sensor", entry.entry_id, "hashrate") == STATE_UNKNOWN
    assert state_of(hass, "sensor", entry.entry_id, "online") == "0"
    assert add_up([]) == Totals()


async def test_paused_miners_are_online_but_do_not_mine(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """The totals follow within a second, not at the next poll of another."""
    miner = script(capabilities=(Capability.PAUSE,))
    entry = await add_site(miner.record)
    miner.say(hashrate=0.0)
    await hass.services.async_call(
        "switch",
        "turn_off",
        {"entity_id": entity_id(hass, "switch", miner.record.id, "mining")},
        blocking=True,
    )
    await clock.forward(1.1)
    totals = fleet_of(entry).totals
    assert (totals.online, totals.mining, totals.usual.hashrate) == (1, 0, 0.0)
    assert totals.usual.efficiency is None
    assert state_of(hass, "sensor", entry.entry_id, "mining") == "0"


async def test_small_changes_of_totals_are_not_written(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """A site with many miners changes with each poll of each of them."""
    miner = script()
    entry = await add_site(miner.record)
    for power in (3010.0, 3014.0, 3005.0):
        miner.say(power=power)
        await clock.forward(30)
        await clock.forward(2)
    assert fleet_of(entry).totals.power == 3005.0
    assert state_of(hass, "sensor", entry.entry_id, "power") == "3000.0"
    await clock.forward(300, step=30)
    assert state_of(hass, "sensor", entry.entry_id, "power") == "3005.0"
    miner.say(power=3100.0)
    await clock.forward(45, step=1)
    assert state_of(hass, "sensor", entry.entry_id, "power") == "3100.0"


# Devices come, go and move.


async def test_adopts_a_device_and_shows_it_without_a_reload(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """One that is off is shown as well."""
    entry = await add_site(script().record)
    new, off = script(), script()
    off.error = UNREACHABLE
    added = await fleet_of(entry).async_adopt([new.record, off.record])
    await clock.settle()
    assert [record.id for record in added] == [new.record.id, off.record.id]
    assert state_of(hass, "sensor", new.record.id, "status") == "mining"
    assert state_of(hass, "sensor", off.record.id, "status") == STATE_UNAVAILABLE
    assert fleet_of(entry).totals.total == 3


async def test_adopting_a_known_device_moves_it(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """What is not told again is kept: the account, the MAC, the history."""
    old, new = script(mac="02:00:00:00:00:01"), script()
    new.be(serial_number=old.info.serial_number, mac="02:00:00:00:00:01")
    record = replace(old.record, username="root", password="secret")
    entry = await add_site(record)
    found = Record.of(replace(new.info, mac=None, model=None, hostname="later"))
    assert await fleet_of(entry).async_adopt([found]) == []
    await clock.settle()
    kept = fleet_of(entry).inventory.records[record.id]
    assert kept.info.host == new.host
    assert (kept.info.mac, kept.info.model) == ("02:00:00:00:00:01", "A1")
    assert (kept.username, kept.password) == ("root", "secret")
    assert new.reads == 1
    assert len(fleet_of(entry).coordinators) == 1


async def test_an_update_that_changes_nothing_leaves_the_device_alone(
    clock: Clock, add_site: AddSite, script: MakeScript
) -> None:
    """A discovery of what is there already happens all the time."""
    miner = script()
    entry = await add_site(miner.record)
    fleet = fleet_of(entry)
    device = fleet.coordinators[miner.record.id].device
    record = fleet.inventory.records[miner.record.id]
    await fleet.async_update(record.id, info=record.info, username=None, password=None)
    await fleet.async_move(record, miner.host, None)
    assert fleet.coordinators[record.id].device is device


async def test_new_credentials_are_used_at_once(
    clock: Clock, add_site: AddSite, script: MakeScript
) -> None:
    """The device object that has them takes the place of the old one."""
    miner = script()
    entry = await add_site(miner.record)
    fleet = fleet_of(entry)
    miner.refuses_account = "wrong password"
    await fleet.coordinators[miner.record.id].async_refresh()
    issue = f"credentials_{entry.entry_id}_{miner.record.id}"
    assert ir.async_get(clock.hass).async_get_issue(DOMAIN, issue) is not None
    miner.refuses_account = None
    await fleet.async_update(
        miner.record.id, info=miner.info, username="root", password="better"
    )
    loop = fleet.coordinators[miner.record.id]
    assert (loop.device.username, loop.device.password) == ("root", "better")
    assert loop.available
    assert ir.async_get(clock.hass).async_get_issue(DOMAIN, issue) is None


async def test_moves_to_another_address(
    clock: Clock, add_site: AddSite, script: MakeScript
) -> None:
    """And is found there after a restart."""
    old, new = script(), script()
    new.be(serial_number=old.info.serial_number)
    entry = await add_site(old.record)
    await fleet_of(entry).async_move(old.record, new.host, None)
    assert fleet_of(entry).coordinators[old.record.id].device.host == new.host
    assert await clock.hass.config_entries.async_reload(entry.entry_id)
    assert fleet_of(entry).inventory.records[old.record.id].info.host == new.host


async def test_a_device_that_was_removed_can_come_back(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """Its entities are made again, without a reload."""
    miner = script()
    entry = await add_site(miner.record, script().record)
    fleet = fleet_of(entry)
    before = registered_of(hass, entry, miner.record).keys()
    devices = dr.async_get(hass)
    device = devices.async_get_device_by_identifier(
        (DOMAIN, miner.record.id), entry.entry_id
    )
    assert device is not None
    await fleet.async_remove(miner.record.id)
    devices.async_remove_device(device.id)
    await clock.settle()
    assert registered_of(hass, entry, miner.record).keys() == set()
    assert fleet.totals.total == 1

    await fleet.async_adopt([miner.record])
    await clock.settle()
    assert registered_of(hass, entry, miner.record).keys() == before
    assert state_of(hass, "sensor", miner.record.id, "status") == "mining"


async def test_removing_an_unknown_device_does_nothing(
    clock: Clock, add_site: AddSite, script: MakeScript
) -> None:
    """A device may be gone by the time that its card is deleted."""
    entry = await add_site(script().record)
    await fleet_of(entry).async_remove("nobody")
    assert fleet_of(entry).totals.total == 1


async def test_a_device_of_a_driver_that_is_gone_does_not_stop_the_site(
    clock: Clock,
    hass: HomeAssistant,
    add_site: AddSite,
    script: MakeScript,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A third party's integration may be removed; its devices stay in the file."""
    foreign, meter = script(), script()
    foreign.be(driver="acme-proprietary")
    meter.be(driver="eastron-sdm120")
    entry = await add_site(script().record, foreign.record, meter.record)
    fleet = fleet_of(entry)
    assert "is left out: there is no driver named 'acme-proprietary'" in caplog.text
    assert "is left out: eastron-sdm120 is no miner" in caplog.text
    assert len(fleet.coordinators) == 1
    assert foreign.record.id in fleet.inventory.records
    await fleet.async_move(foreign.record, "127.99.0.9", None)
    assert fleet.inventory.records[foreign.record.id].info.host == "127.99.0.9"
    assert await fleet.async_adopt([script().record])


# Another device on the address of a known one.


async def test_a_stranger_is_noticed_and_offered(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """The known device becomes unavailable, with its last values kept."""
    miner = script()
    entry = await add_site(miner.record)
    fleet, known = fleet_of(entry), miner.record
    issue = f"replaced_{entry.entry_id}_{known.id}"
    miner.error = UNREACHABLE
    await fleet.coordinators[known.id].async_refresh()
    miner.error = None
    miner.be(serial_number="SN9999")
    await fleet.coordinators[known.id].async_refresh()
    assert state_of(hass, "sensor", known.id, "status") == STATE_UNAVAILABLE
    assert fleet.strangers[known.id].serial_number == "SN9999"
    shown = ir.async_get(hass).async_get_issue(DOMAIN, issue)
    assert shown is not None
    assert shown.translation_placeholders == {
        "name": "Acme A1 0001",
        "host": miner.host,
        "other": "Acme A1 9999",
    }
    assert fleet.coordinators[known.id].data is not None

    miner.be(serial_number="SN0001")
    miner.error = UNREACHABLE
    await fleet.coordinators[known.id].async_refresh()
    miner.error = None
    await fleet.coordinators[known.id].async_refresh()
    assert state_of(hass, "sensor", known.id, "status") == "mining"
    assert fleet.strangers == {}
    assert ir.async_get(hass).async_get_issue(DOMAIN, issue) is None


async def test_a_known_device_on_anothers_address_is_followed(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """Its entities go on at the new address, and no issue is raised."""
    one, two = script(), script()
    entry = await add_site(one.record, two.record)
    fleet = fleet_of(entry)
    first, second = one.record, two.record
    # The second one comes up where the first one was, which is off.
    one.error = UNREACHABLE
    two.error = UNREACHABLE
    await fleet.coordinators[first.id].async_refresh()
    one.error = None
    one.be(serial_number=second.info.serial_number)
    await fleet.coordinators[first.id].async_refresh()
    await clock.settle()
    assert fleet.coordinators[second.id].device.host == one.host
    assert state_of(hass, "sensor", second.id, "status") == "mining"
    assert state_of(hass, "sensor", first.id, "status") == STATE_UNAVAILABLE
    assert not ir.async_get(hass).issues


async def test_a_device_that_tells_nothing_of_itself_is_never_a_stranger(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """It goes by its address, which cannot have moved."""
    miner = script(serial_number=None)
    entry = await add_site(miner.record)
    assert miner.record.id == f"scripted-{miner.host}"
    await fleet_of(entry).coordinators[miner.record.id].async_refresh()
    assert state_of(hass, "sensor", miner.record.id, "status") == "mining"
    assert fleet_of(entry).inventory.find(miner.info) is not None


# The inventory.


def test_a_record_survives_the_file() -> None:
    """Everything comes back as it was, from plain JSON."""
    record = Record(
        id="one",
        info=DeviceInfo(
            kind=DeviceKind.MINER,
            driver="axeos",
            host="fd00::1",
            port=8080,
            mac="02:00:00:00:00:01",
            capabilities=(Capability.PAUSE, Capability.FAN),
            limits={Capability.FAN: Limits(minimum=25, options=("auto",))},
        ),
        username="root",
        password="secret",
        shape=Shape(fields=frozenset({"power"}), boards=frozenset({0, 2})),
    )
    stored = record.as_dict()
    assert Record.from_dict(stored) == record
    assert "secret" not in repr(record)
    assert record.name == "axeos 0001"


def test_what_a_newer_version_stored_is_passed_over() -> None:
    """After a downgrade the site must still start."""
    stored = offline_record(serial_number="A").as_dict()
    stored["info"]["capabilities"] = ["pause", "teleport"]
    stored["info"]["limits"] = {
        "teleport": {"minimum": 1, "maximum": 2, "step": 1, "options": []}
    }
    stored["info"]["colour"] = "green"
    info = Record.from_dict(stored).info
    assert info.capabilities == (Capability.PAUSE,)
    assert info.limits == {}


def test_a_shape_only_grows() -> None:
    """A miner that sleeps shows less; its entities stay all the same."""
    first = Shape().grown(MinerStats(power=1.0, status=MinerStatus.MINING))
    assert first.fields == {"power", "status"}
    assert first.grown(MinerStats(status=MinerStatus.PAUSED)) is first


def test_names_are_what_a_person_would_say() -> None:
    """The make is not said twice, and an unknown device goes by its address."""
    facts: dict[str, Any] = {
        "kind": DeviceKind.MINER,
        "driver": "x",
        "host": "10.0.0.1",
    }

    def name(**more: Any) -> str:
        return Record.of(DeviceInfo(**facts, **more)).name

    assert name(make="Antminer", model="Antminer S19", serial_number="A-b1") == (
        "Antminer S19 AB1"
    )
    assert name(make="Bitaxe", model="Gamma 601") == "Bitaxe Gamma 601 10.0.0.1"
    assert name() == "x 10.0.0.1"
    assert name(port=8080) == "x 10.0.0.1:8080"


async def test_the_inventory_outlives_the_site(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """What was learnt is in the file when the site stops."""
    miner = script(full=True)
    entry = await add_site(miner.record)
    assert await hass.config_entries.async_unload(entry.entry_id)
    again = Inventory(hass, entry.entry_id)
    await again.async_load()
    stored = again.records[miner.record.id]
    assert stored.shape.boards == {0, 1}
    assert {"power", "settings.fan", "uptime"} <= stored.shape.fields
    assert stored.info == miner.info
    assert again.by_mac("02:00:00:00:00:01") is None
    assert "devices" not in entry.data


async def test_later_facts_reach_the_device_registry(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """A firmware update shows without a restart of Home Assistant."""
    miner = script()
    entry = await add_site(miner.record)
    known = miner.record
    loop = fleet_of(entry).coordinators[known.id]
    miner.be(firmware_version="2.0", serial_number=None)
    loop.device.forget_info()
    await loop.async_refresh()
    device = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, known.id), entry.entry_id
    )
    assert device is not None
    assert device.sw_version == "2.0"
    assert loop.record.info.serial_number == "SN0001"


async def test_facts_of_a_device_that_is_not_shown(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """At the level of the fleet a miner has no device, and is read all the same."""
    miner = script()
    entry = await add_site(miner.record, options={"detail": "fleet"})
    loop = fleet_of(entry).coordinators[miner.record.id]
    miner.be(firmware_version="2.0")
    loop.device.forget_info()
    await loop.async_refresh()
    assert loop.record.info.firmware_version == "2.0"
    assert (
        len(dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)) == 1
    )


# Levels of detail.


@pytest.mark.parametrize(
    ("miners", "level"),
    [
        (0, Detail.FULL),
        (50, Detail.FULL),
        (51, Detail.STANDARD),
        (500, Detail.STANDARD),
        (501, Detail.COMPACT),
        (2000, Detail.COMPACT),
        (2001, Detail.FLEET),
    ],
)
def test_the_level_follows_the_number_of_miners(miners: int, level: Detail) -> None:
    """Automatic means what Home Assistant can carry; anything else is as chosen."""
    assert choose("automatic", miners) is level
    assert choose("full", miners) is Detail.FULL


COMPACT = {"sensor status", "sensor hashrate", "switch mining"}
STANDARD = COMPACT | {
    "binary_sensor problem",
    "select power_mode",
    "sensor efficiency",
    "sensor energy",
    "sensor power",
    "sensor temperature_chip",
}


async def test_each_level_shows_what_it_promises(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """And takes out of the registry what only a finer one showed."""
    miner = script(full=True)
    entry = await add_site(miner.record)
    full = registered_of(hass, entry, miner.record).keys()
    assert full > STANDARD
    assert "sensor board_chips_1" in full
    site = {"energy", "hashrate", "hashrate_expected", "power"}
    site |= {"efficiency", "online", "mining", "total"}

    for level, expected in (
        ("standard", STANDARD),
        ("compact", COMPACT),
        ("fleet", set()),
        ("full", full),
        ("compact", COMPACT),
    ):
        hass.config_entries.async_update_entry(entry, options={"detail": level})
        await clock.settle()
        assert fleet_of(entry).detail.name.lower() == level
        assert registered_of(hass, entry, miner.record).keys() == expected
        for key in site:
            assert hass.states.get(entity_id(hass, "sensor", entry.entry_id, key))


async def test_a_large_site_begins_with_less(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """With 51 miners the level is standard, and each of them has its energy."""
    miners = [script(full=True) for _ in range(51)]
    entry = await add_site(*(miner.record for miner in miners))
    assert fleet_of(entry).detail is Detail.STANDARD
    for miner in miners:
        assert registered_of(hass, entry, miner.record).keys() == STANDARD


async def test_detail_keeps_what_a_device_merely_ceased_to_tell(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """Only the level takes entities away; a capability may come back."""
    miner = script(full=True)
    entry = await add_site(miner.record, options={"detail": "standard"})
    miner.be(capabilities=())
    loop = fleet_of(entry).coordinators[miner.record.id]
    loop.device.forget_info()
    await loop.async_refresh()
    assert await hass.config_entries.async_reload(entry.entry_id)
    await clock.settle()
    assert registered_of(hass, entry, miner.record).keys() == STANDARD

"""Where miners stand: rules, areas, what is shown, and the forms for it."""

from dataclasses import replace
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar, device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.miningsdk.const import DOMAIN
from custom_components.miningsdk.diagnostics import async_get_config_entry_diagnostics
from custom_components.miningsdk.placing import async_place
from custom_components.miningsdk.positions import (
    DEFAULT_AREA_NAME,
    EXAMPLE_RULE,
    NOWHERE,
    InvalidRuleError,
    Position,
    Positions,
    Rule,
    area_name,
    check_area_name,
)
from tests.integration.conftest import AddSite, offline_record
from tests.integration.fixtures_fleet import (
    FROZEN,
    Clock,
    MakeScript,
    Script,
    clock_fixture,  # noqa: F401
    entity_id,
    fleet_of,
    script_fixture,  # noqa: F401
)
from tests.integration.flows import fields, options, suggested

pytestmark = FROZEN

RULE = {"position_rule": EXAMPLE_RULE}


def at(*parts: str | None) -> Position:
    """Return a position by container, rack, row and slot."""
    names = ("container", "rack", "row", "slot")
    return Position.of(dict(zip(names, parts, strict=False)))


def device_of(
    hass: HomeAssistant, entry: MockConfigEntry, miner: Script
) -> dr.DeviceEntry:
    """Return how a miner is registered."""
    device = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, miner.record.id), entry.entry_id
    )
    assert device is not None
    return device


def area_of(hass: HomeAssistant, entry: MockConfigEntry, miner: Script) -> str | None:
    """Return the name of the area that a miner is in."""
    area_id = device_of(hass, entry, miner).area_id
    area = ar.async_get(hass).async_get_area(area_id) if area_id else None
    return area.name if area else None


def set_area(
    hass: HomeAssistant, entry: MockConfigEntry, miner: Script, name: str | None
) -> None:
    """Put a miner into an area, as a user does."""
    area_id = ar.async_get(hass).async_get_or_create(name).id if name else None
    device = device_of(hass, entry, miner)
    dr.async_get(hass).async_update_device(device.id, area_id=area_id)


def shown(hass: HomeAssistant, miner: Script) -> dict[str, str]:
    """Return the position that a miner's status shows."""
    state = hass.states.get(entity_id(hass, "sensor", miner.record.id, "status"))
    assert state is not None
    return {
        key: state.attributes[key]
        for key in ("container", "rack", "row", "slot")
        if key in state.attributes
    }


# The rule.


@pytest.mark.parametrize(
    ("template", "host", "position"),
    [
        ("10.{container}.{rack}.{slot}", "10.3.2.14", at("3", "2", None, "14")),
        ("10.1.{rack}.{slot}", "10.1.2.14", at(None, "2", None, "14")),
        ("10.1.{rack}.{slot}", "10.2.2.14", NOWHERE),
        ("*.*.{row}.*", "192.168.7.9", at(None, None, "7")),
        (" {container}. {rack} .{row}.{slot} ", "1.2.3.4", at("1", "2", "3", "4")),
        ("10.{container}.0.*", "10.3.0.14", at("3")),
        ("10.{container}.0.*", "10.3.1.14", NOWHERE),
        ("10.{container}.{rack}.{slot}", "miner-14.local", NOWHERE),
        ("10.{container}.{rack}.{slot}", "a.b.c.d", NOWHERE),
        ("10.{container}.{rack}.{slot}", "fe80::10.3.2.14", NOWHERE),
        ("10.{container}.{rack}.{slot}", "10.3.2", NOWHERE),
        ("010.{container}.*.*", "10.03.2.1", at("3")),
    ],
)
def test_positions_by_address(template: str, host: str, position: Position) -> None:
    assert Rule.parse(template).position(host) == position


@pytest.mark.parametrize(
    ("template", "key", "told"),
    [
        ("", "rule_not_four", {"octets": "1"}),
        ("10.{rack}.{slot}", "rule_not_four", {"octets": "3"}),
        ("10.{rack}.{slot}.1.2", "rule_not_four", {"octets": "5"}),
        ("10.1.2.3", "rule_without_part", {}),
        ("*.*.*.*", "rule_without_part", {}),
        ("10.{rack}.{rack}.1", "rule_part_twice", {"part": "rack"}),
        ("10.{shelf}.{rack}.1", "rule_unknown_part", {"part": "shelf"}),
        ("10.{}.{rack}.1", "rule_unknown_part", {"part": ""}),
        ("256.{rack}.1.1", "rule_bad_octet", {"octet": "256"}),
        ("-1.{rack}.1.1", "rule_bad_octet", {"octet": "-1"}),
        ("10.{rack}{slot}.1.1", "rule_bad_octet", {"octet": "{rack}{slot}"}),
        ("10.r{rack}.1.1", "rule_bad_octet", {"octet": "r{rack}"}),
        ("10..{rack}.1", "rule_bad_octet", {"octet": ""}),
        ("١٠.{rack}.1.1", "rule_bad_octet", {"octet": "١٠"}),
    ],
)
def test_rules_that_are_none(template: str, key: str, told: dict[str, str]) -> None:
    with pytest.raises(InvalidRuleError) as error:
        Rule.parse(template)
    assert error.value.key == key
    assert error.value.told == told


@pytest.mark.parametrize(
    ("template", "position", "name"),
    [
        (DEFAULT_AREA_NAME, at("3", "2", "1", "14"), "Container 3 Rack 2"),
        (DEFAULT_AREA_NAME, at("3"), "Container 3"),
        (DEFAULT_AREA_NAME, at(None, "2"), "Rack 2"),
        (DEFAULT_AREA_NAME, at(None, None, None, "14"), None),
        (DEFAULT_AREA_NAME, NOWHERE, None),
        ("{container}/{rack}", at("3"), "3"),
        ("Halle {container}, Regal {rack}", at(None, "2"), "Regal 2"),
        ("{rack} ({container})", at("3", "2"), "2 (3)"),
        ("", at("3"), None),
    ],
)
def test_names_of_areas(template: str, position: Position, name: str | None) -> None:
    check_area_name(template)
    assert area_name(template, position) == name


@pytest.mark.parametrize(
    ("template", "key"),
    [
        ("Hall", "area_without_part"),
        ("{", "area_without_part"),
        ("{rack} }", "area_without_part"),
        ("{shelf}", "area_unknown_part"),
        ("{rack} {}", "area_unknown_part"),
    ],
)
def test_names_that_are_none(template: str, key: str) -> None:
    with pytest.raises(InvalidRuleError) as error:
        check_area_name(template)
    assert error.value.key == key


def test_a_stored_rule_that_is_none(caplog: pytest.LogCaptureFixture) -> None:
    """The site goes on without it."""
    positions = Positions({"position_rule": "10.{shelf}.1.1", "area_name": "{shelf}"})
    assert positions.by_rule("10.3.1.1") == NOWHERE
    record = replace(offline_record(serial_number="X"), position=at("3"))
    assert positions.area_of(record) is None
    assert "rule_unknown_part" in caplog.text


# What is shown, and the areas.


async def test_position_is_shown_and_suggests_an_area(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """By the rule; where that does not fit, nothing is made up."""
    miner, elsewhere = script(host="10.3.2.14"), script(host="192.168.1.9")
    entry = await add_site(miner.record, elsewhere.record, options=RULE)
    assert shown(hass, miner) == {"container": "3", "rack": "2", "slot": "14"}
    assert shown(hass, elsewhere) == {}
    assert area_of(hass, entry, miner) == "Container 3 Rack 2"
    assert area_of(hass, entry, elsewhere) is None
    # One that is adopted later gets one as well.
    late = script(host="10.3.4.1")
    await fleet_of(entry).async_adopt([late.record])
    await clock.settle()
    assert area_of(hass, entry, late) == "Container 3 Rack 4"
    # Neither is more than it costs to write: a place is no history.
    state = hass.states.get(entity_id(hass, "sensor", late.record.id, "status"))
    assert state is not None
    assert state.state_info is not None
    assert {"container", "rack", "row", "slot"} <= set(
        state.state_info["unrecorded_attributes"]
    )


async def test_no_areas_where_none_are_wanted(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    miner = script(host="10.3.2.14")
    entry = await add_site(miner.record, options={**RULE, "area_name": ""})
    assert area_of(hass, entry, miner) is None
    assert shown(hass, miner)["rack"] == "2"
    assert not ar.async_get(hass).areas


async def test_position_and_area_follow_the_address(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """And what a person chose stays: another area, or none."""
    follows, chosen, taken_out = (script(host=f"10.3.2.{n}") for n in (1, 2, 3))
    entry = await add_site(
        *(one.record for one in (follows, chosen, taken_out)), options=RULE
    )
    set_area(hass, entry, chosen, "Garage")
    set_area(hass, entry, taken_out, None)
    fleet = fleet_of(entry)
    for number, miner in enumerate((follows, chosen, taken_out), 1):
        there = script(host=f"10.4.2.{number}", serial_number=miner.info.serial_number)
        record = fleet.inventory.records[miner.record.id]
        await fleet.async_move(record, there.host, None)
    await clock.settle()
    assert shown(hass, follows) == {"container": "4", "rack": "2", "slot": "1"}
    assert area_of(hass, entry, follows) == "Container 4 Rack 2"
    assert area_of(hass, entry, chosen) == "Garage"
    assert area_of(hass, entry, taken_out) is None
    # Out of what the rule is for: out of its area.
    out = script(host="192.168.1.9", serial_number=follows.info.serial_number)
    record = fleet.inventory.records[follows.record.id]
    await fleet.async_move(record, out.host, None)
    await clock.settle()
    assert shown(hass, follows) == {}
    assert area_of(hass, entry, follows) is None


async def test_an_area_that_was_deleted_is_not_brought_back(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    miner = script(host="10.3.2.14")
    entry = await add_site(miner.record, options=RULE)
    area_id = device_of(hass, entry, miner).area_id
    assert area_id is not None
    ar.async_get(hass).async_delete(area_id)
    await clock.settle()
    await async_place(fleet_of(entry), {miner.record.id: at("9", "9")})
    assert area_of(hass, entry, miner) is None


async def test_position_by_hand_outlives_restarts_and_moves(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """It is the machine's, not its address's; the rule counts again without it."""
    miner = script(host="10.3.2.14")
    entry = await add_site(miner.record, options=RULE)
    fleet = fleet_of(entry)
    await async_place(fleet, {miner.record.id: at("7", None, "b"), "nobody": at("1")})
    await clock.settle()
    assert shown(hass, miner) == {"container": "7", "row": "b"}
    assert area_of(hass, entry, miner) == "Container 7"
    assert list(fleet.inventory.records) == [miner.record.id]
    assert await hass.config_entries.async_reload(entry.entry_id)
    await clock.settle()
    fleet = fleet_of(entry)
    record = fleet.inventory.records[miner.record.id]
    assert record.position == at("7", None, "b")
    there = script(host="10.4.4.4", serial_number=miner.info.serial_number)
    await fleet.async_move(record, there.host, None)
    await clock.settle()
    assert shown(hass, miner) == {"container": "7", "row": "b"}
    await async_place(fleet, {miner.record.id: None})
    assert shown(hass, miner) == {"container": "4", "rack": "4", "slot": "4"}
    assert area_of(hass, entry, miner) == "Container 4 Rack 4"


async def test_what_changes_nothing_is_not_written(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    miner = script(host="10.3.2.14")
    entry = await add_site(miner.record, options=RULE)
    fleet = fleet_of(entry)
    record = fleet.inventory.records[miner.record.id]
    await async_place(fleet, {miner.record.id: NOWHERE})
    assert fleet.inventory.records[miner.record.id] is record


async def test_positions_where_single_miners_are_not_shown(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """There is nothing to put into an area, and the position is known all the same."""
    miner = script(host="10.3.2.14")
    entry = await add_site(miner.record, options={**RULE, "detail": "fleet"})
    fleet = fleet_of(entry)
    await async_place(fleet, {miner.record.id: at("5")})
    await fleet.async_move(fleet.inventory.records[miner.record.id], "10.1.1.1", None)
    assert fleet.coordinators[miner.record.id].position == at("5")
    assert not ar.async_get(hass).areas


async def test_diagnostics_tell_the_position_but_no_address(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    entry = await add_site(
        script(host="10.3.2.14").record, options={"position_rule": "10.3.{rack}.*"}
    )
    found = await async_get_config_entry_diagnostics(hass, entry)
    assert found["options"]["position_rule"] == "#.#.{rack}.*"
    (device,) = found["devices"]
    assert device["position"] == {"rack": "2"}
    assert "position" not in device["record"]


# The forms.


async def open_form(hass: HomeAssistant, entry: MockConfigEntry, step: str) -> Any:
    """Go to one of the forms about positions."""
    result: Any = await hass.config_entries.options.async_init(entry.entry_id)
    for choice in ("positions", step):
        result = await choose(hass, result, choice)
    return result


async def choose(hass: HomeAssistant, result: Any, option: str) -> Any:
    """Choose from a menu."""
    assert option in result["menu_options"]
    return await fill(hass, result, next_step_id=option)


async def fill(hass: HomeAssistant, result: Any, **given: Any) -> Any:
    """Fill in a form."""
    return await hass.config_entries.options.async_configure(result["flow_id"], given)


async def test_rule_of_a_site(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """Looked at before it is kept; miners without an area get one then."""
    miners = [script(host=f"10.3.{n}.1") for n in range(4)]
    chosen, out = script(host="10.4.1.1"), script(host="192.168.1.5")
    entry = await add_site(*(one.record for one in (*miners, chosen, out)))
    set_area(hass, entry, chosen, "Garage")
    result = await open_form(hass, entry, "rule")
    assert fields(result) == {"position_rule", "area_name"}
    assert suggested(result) == {"area_name": DEFAULT_AREA_NAME}

    result = await fill(
        hass, result, position_rule="10.{rack}.{rack}.1", area_name="{shelf}"
    )
    assert result["errors"] == {
        "position_rule": "rule_part_twice",
        "area_name": "area_unknown_part",
    }
    assert suggested(result)["position_rule"] == "10.{rack}.{rack}.1"
    result = await fill(hass, result, position_rule="10.1", area_name="Hall")
    assert result["errors"] == {
        "position_rule": "rule_not_four",
        "area_name": "area_without_part",
    }
    result = await fill(
        hass, result, position_rule=EXAMPLE_RULE, area_name="Hall {container}"
    )
    assert (result["type"], result["step_id"]) == ("menu", "rule_preview")
    told = result["description_placeholders"]
    assert told == {
        "rule": EXAMPLE_RULE,
        "fits": "5",
        "total": "6",
        "given": "0",
        "areas": "2",
        "examples": (
            "- `10.3.0.1`: Container 3, Rack 0, Slot 1\n"
            "- `10.3.1.1`: Container 3, Rack 1, Slot 1\n"
            "- `10.3.2.1`: Container 3, Rack 2, Slot 1"
        ),
    }
    assert area_of(hass, entry, miners[0]) is None
    result = await choose(hass, result, "rule")
    result = await fill(
        hass, result, position_rule=EXAMPLE_RULE, area_name="H {container}"
    )
    result = await choose(hass, result, "rule_save")
    assert result["type"] == "create_entry"
    await clock.settle()
    assert entry.options == {
        "position_rule": EXAMPLE_RULE,
        "area_name": "H {container}",
    }
    assert shown(hass, miners[1]) == {"container": "3", "rack": "1", "slot": "1"}
    assert {area_of(hass, entry, one) for one in miners} == {"H 3"}
    assert area_of(hass, entry, chosen) == "Garage"
    assert area_of(hass, entry, out) is None

    # Other options leave it alone; another rule takes the miners along.
    result = await hass.config_entries.options.async_init(entry.entry_id)
    result = await choose(hass, result, "settings")
    result = await fill(hass, result, scan_interval=60, detail="full")
    await clock.settle()
    assert entry.options["position_rule"] == EXAMPLE_RULE
    result = await open_form(hass, entry, "rule")
    result = await fill(
        hass, result, position_rule="*.*.{rack}.*", area_name="R {rack}"
    )
    result = await choose(hass, result, "rule_save")
    await clock.settle()
    assert [area_of(hass, entry, one) for one in miners] == ["R 0", "R 1", "R 2", "R 3"]
    assert area_of(hass, entry, chosen) == "Garage"

    # Without any, all areas stay: they may be in use.
    result = await open_form(hass, entry, "rule")
    result = await fill(hass, result)
    assert result["description_placeholders"]["rule"] == "–"
    assert result["description_placeholders"]["examples"].startswith("- `10.3.0.1`: –")
    result = await choose(hass, result, "rule_save")
    await clock.settle()
    assert entry.options["position_rule"] == entry.options["area_name"] == ""
    assert shown(hass, miners[0]) == {}
    assert area_of(hass, entry, miners[0]) == "R 0"
    result = await open_form(hass, entry, "rule")
    assert suggested(result) == {"position_rule": "", "area_name": ""}


async def test_rule_of_a_site_without_miners(
    hass: HomeAssistant, add_site: AddSite
) -> None:
    entry = await add_site()
    result = await open_form(hass, entry, "rule")
    result = await fill(hass, result, position_rule=EXAMPLE_RULE)
    assert result["description_placeholders"]["total"] == "0"
    assert result["description_placeholders"]["examples"] == "–"
    result = await choose(hass, result, "rule_save")
    assert entry.options == {"position_rule": EXAMPLE_RULE, "area_name": ""}


async def test_position_by_hand(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """Only one miner fits into a slot; without anything the rule counts."""
    miner, other = script(host="10.3.2.14"), script(host="10.3.2.15")
    entry = await add_site(miner.record, other.record, options=RULE)
    key = miner.record.id
    result = await open_form(hass, entry, "place")
    assert options(result, "device")[key] == (
        "Acme A1 0001 (10.3.2.14; Container 3, Rack 2, Slot 14)"
    )
    result = await fill(hass, result, device=key)
    assert result["step_id"] == "place_device"
    assert suggested(result) == {"container": "3", "rack": "2", "slot": "14"}
    told = result["description_placeholders"]
    assert told["ruled"] == "Container 3, Rack 2, Slot 14"

    result = await fill(hass, result, container="3", rack="2", slot="15")
    assert result["errors"] == {"slot": "position_taken"}
    assert result["description_placeholders"]["other"] == "Acme A1 0002"
    result = await fill(hass, result, container="x" * 101, row="a\tb")
    assert result["errors"] == {"container": "bad_part", "row": "bad_part"}
    assert suggested(result) == {"container": "x" * 101, "row": "a\tb"}
    result = await fill(hass, result, container="3", rack="2", row=" lower ")
    assert result["type"] == "create_entry"
    record = fleet_of(entry).inventory.records[key]
    assert record.position == at("3", "2", "lower")
    assert shown(hass, miner) == {"container": "3", "rack": "2", "row": "lower"}
    assert entry.options == RULE

    for given in ({"container": "3", "rack": "2", "slot": "14"}, {}):
        await async_place(fleet_of(entry), {key: at("9")})
        result = await open_form(hass, entry, "place")
        result = await fill(hass, result, device=key)
        result = await fill(hass, result, **given)
        assert result["type"] == "create_entry"
        assert fleet_of(entry).inventory.records[key].position is None
    await clock.settle()


async def test_forms_without_a_site_that_runs(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """They end, at whatever step it stops."""
    miner, other = script(host="10.3.2.14"), script(host="10.3.2.15")
    entry = await add_site(miner.record, other.record)
    steps = ("rule", "place", "table", "swap")
    opened = [await open_form(hass, entry, step) for step in steps]
    device = await fill(
        hass, await open_form(hass, entry, "place"), device=miner.record.id
    )
    text = f"id,rack\n{miner.record.id},1\n"
    previews = [
        await fill(
            hass, await open_form(hass, entry, "rule"), position_rule=EXAMPLE_RULE
        ),
        await fill(hass, await open_form(hass, entry, "table"), csv=text),
    ]
    menu: Any = await hass.config_entries.options.async_init(entry.entry_id)
    assert await hass.config_entries.async_unload(entry.entry_id)

    result = await fill(hass, opened[0], position_rule=EXAMPLE_RULE)
    assert (result["type"], result["reason"]) == ("abort", "no_devices")
    result = await fill(hass, opened[1], device=miner.record.id)
    assert (result["type"], result["reason"]) == ("abort", "no_devices")
    result = await fill(hass, opened[2], csv=text)
    assert (result["type"], result["reason"]) == ("abort", "no_devices")
    result = await fill(
        hass, opened[3], device=miner.record.id, machine=other.record.id
    )
    assert (result["type"], result["reason"]) == ("abort", "nothing_to_swap")
    result = await fill(hass, device, rack="1")
    assert (result["type"], result["reason"]) == ("abort", "no_devices")
    result = await choose(hass, previews[1], "table_apply")
    assert (result["type"], result["reason"]) == ("abort", "no_devices")
    result = await choose(hass, menu, "positions")
    assert (result["type"], result["reason"]) == ("abort", "no_devices")
    # A rule is an option, which can be kept all the same.
    result = await choose(hass, previews[0], "rule_save")
    assert result["type"] == "create_entry"
    assert entry.options["position_rule"] == EXAMPLE_RULE


async def test_hand_needs_miners(hass: HomeAssistant, add_site: AddSite) -> None:
    entry = await add_site()
    result = await open_form(hass, entry, "place")
    assert (result["type"], result["reason"]) == ("abort", "no_devices")
    result = await open_form(hass, entry, "swap")
    assert (result["type"], result["reason"]) == ("abort", "nothing_to_swap")

"""Levels of detail: what a site can carry, and what is left of what it hides."""

from collections.abc import Callable
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import (
    device_registry as dr,
    entity_registry as er,
    issue_registry as ir,
)
from homeassistant.helpers.entity_platform import MAX_ENABLED_ENTITIES_PER_CONFIG_ENTRY
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.miningsdk import levels
from custom_components.miningsdk.const import DOMAIN
from custom_components.miningsdk.detail import Detail, Level, Reason, decide
from custom_components.miningsdk.inventory import Record
from custom_components.miningsdk.sdk import Capability
from tests.integration.conftest import AddSite, offline_record
from tests.integration.fixtures_fleet import (
    FROZEN,
    Clock,
    MakeScript,
    clock_fixture,  # noqa: F401
    entity_id,
    fleet_of,
    registered_of,
    script_fixture,  # noqa: F401
)

pytestmark = FROZEN

type Allow = Callable[[int], Any]


@pytest.fixture(name="allow")
def allow_fixture(monkeypatch: pytest.MonkeyPatch) -> Allow:
    """Return a function that has Home Assistant allow a site so many entities."""
    monkeypatch.setattr(levels, "RESERVE", 10)

    def allow(entities: int) -> None:
        monkeypatch.setattr(levels, "MAX_ENABLED_ENTITIES_PER_CONFIG_ENTRY", entities)

    return allow


def enabled(hass: HomeAssistant, entry: MockConfigEntry, record: Record) -> set[str]:
    """Return the platform and key of each enabled entity of a miner."""
    found = registered_of(hass, entry, record)
    return {key for key, entity in found.items() if entity.disabled_by is None}


def told(hass: HomeAssistant, entry: MockConfigEntry) -> tuple[str, str]:
    """Return what the site says of its level."""
    state = hass.states.get(entity_id(hass, "sensor", entry.entry_id, "total"))
    assert state is not None
    return state.attributes["detail"], state.attributes["detail_reason"]


# What is decided.


def test_the_most_entities_of_a_miner() -> None:
    """A thousand of them fit at the standard level, and three thousand below it."""
    assert levels.MOST[Detail.FLEET] == 0
    assert levels.MOST[Detail.COMPACT] == 3
    assert levels.MOST[Detail.STANDARD] == 9
    room = MAX_ENABLED_ENTITIES_PER_CONFIG_ENTRY - levels.RESERVE
    assert 1000 * levels.MOST[Detail.STANDARD] < room
    assert 50 * levels.MOST[Detail.FULL] < room / 5


@pytest.mark.parametrize(
    ("option", "miners", "most", "level"),
    [
        ("automatic", 50, Detail.FULL, (Detail.FULL, Detail.FULL, "number_of_miners")),
        (
            "automatic",
            51,
            Detail.FULL,
            (Detail.STANDARD, Detail.STANDARD, "number_of_miners"),
        ),
        (
            "automatic",
            500,
            Detail.COMPACT,
            (Detail.COMPACT, Detail.STANDARD, "number_of_entities"),
        ),
        ("full", 900, Detail.FULL, (Detail.FULL, Detail.FULL, "chosen")),
        (
            "full",
            900,
            Detail.COMPACT,
            (Detail.COMPACT, Detail.FULL, "number_of_entities"),
        ),
        ("full", 900, Detail.FLEET, (Detail.FLEET, Detail.FULL, "number_of_entities")),
        ("fleet", 3, Detail.FULL, (Detail.FLEET, Detail.FLEET, "chosen")),
    ],
)
def test_a_level_is_lowered_until_it_fits(
    option: str, miners: int, most: Detail, level: tuple[Detail, Detail, str]
) -> None:
    """And it is known why; at the level of the fleet, nothing needs to fit."""
    detail, wanted, reason = level
    found = decide(option, miners, lambda detail: Detail.FLEET < detail <= most)
    assert found == Level(detail, wanted, Reason(reason))


# What is shown.


async def test_no_miner_has_more_than_was_promised(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """The most able one has nine entities at the standard level, and three below it."""
    miner = script(full=True)
    entry = await add_site(miner.record, options={"detail": "standard"})
    assert len(enabled(hass, entry, miner.record)) == 9
    hass.config_entries.async_update_entry(entry, options={"detail": "compact"})
    await clock.settle()
    assert len(enabled(hass, entry, miner.record)) == 3


async def test_at_the_standard_level_there_is_one_select(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """The profile, for those that have no power mode."""
    able = (Capability.PROFILE, Capability.REBOOT)
    both, one = script(full=True), script(full=True, capabilities=able)
    entry = await add_site(both.record, one.record, options={"detail": "standard"})
    assert "select power_mode" in enabled(hass, entry, both.record)
    assert "select profile" not in enabled(hass, entry, both.record)
    assert "select profile" in enabled(hass, entry, one.record)
    assert not any("button" in key for key in enabled(hass, entry, one.record))


async def test_what_was_chosen_is_lowered_and_said(
    clock: Clock,
    hass: HomeAssistant,
    add_site: AddSite,
    script: MakeScript,
    allow: Allow,
) -> None:
    """In an issue, and by the site itself; all miners are shown alike."""
    allow(60)
    miners = [script(full=True) for _ in range(6)]
    records = [miner.record for miner in miners]
    entry = await add_site(*records, options={"detail": "full"})
    assert told(hass, entry) == ("compact", "number_of_entities")
    for record in records:
        assert len(enabled(hass, entry, record)) == 3
    issue = ir.async_get(hass).async_get_issue(DOMAIN, f"too_detailed_{entry.entry_id}")
    assert issue is not None
    assert issue.translation_placeholders == {
        "site": "Home",
        "chosen": "full",
        "shown": "compact",
    }

    hass.config_entries.async_update_entry(entry, options={"detail": "automatic"})
    await clock.settle()
    assert told(hass, entry) == ("compact", "number_of_entities")
    assert not ir.async_get(hass).issues.get((DOMAIN, issue.issue_id))

    allow(10_000)
    hass.config_entries.async_update_entry(entry, options={"detail": "full"})
    await clock.settle()
    assert told(hass, entry) == ("full", "chosen")
    assert len(enabled(hass, entry, records[0])) > 9


async def test_an_issue_goes_with_its_site(
    clock: Clock,
    hass: HomeAssistant,
    add_site: AddSite,
    script: MakeScript,
    allow: Allow,
) -> None:
    """A deleted site has no level."""
    allow(12)
    entry = await add_site(script().record, options={"detail": "full"})
    issues = ir.async_get(hass).issues
    assert (DOMAIN, f"too_detailed_{entry.entry_id}") in issues
    await hass.config_entries.async_remove(entry.entry_id)
    assert (DOMAIN, f"too_detailed_{entry.entry_id}") not in issues


async def test_what_other_devices_have_counts_too(
    clock: Clock,
    hass: HomeAssistant,
    add_site: AddSite,
    script: MakeScript,
    allow: Allow,
) -> None:
    """So does what somebody enabled by hand; what they disabled does not."""
    miner = script(full=True)
    entry = await add_site(miner.record)
    registry = er.async_get(hass)
    # Those of the site itself, of which nobody knows before it has been set up.
    others = 8
    needed = len(enabled(hass, entry, miner.record))
    allow(10 + others + needed)
    await hass.config_entries.async_reload(entry.entry_id)
    assert fleet_of(entry).detail is Detail.FULL

    by_hand = entity_id(hass, "sensor", miner.record.id, "uptime")
    registry.async_update_entity(by_hand, disabled_by=None)
    await hass.config_entries.async_reload(entry.entry_id)
    assert told(hass, entry) == ("standard", "number_of_entities")

    registry.async_update_entity(
        entity_id(hass, "sensor", entry.entry_id, "mining"),
        disabled_by=er.RegistryEntryDisabler.USER,
    )
    await hass.config_entries.async_reload(entry.entry_id)
    assert fleet_of(entry).detail is Detail.FULL


async def test_a_miner_that_was_never_read_may_need_the_most(
    clock: Clock,
    hass: HomeAssistant,
    add_site: AddSite,
    script: MakeScript,
    allow: Allow,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is not known yet what it shows; the others need what they do show."""
    seen = script()
    off = offline_record(serial_number="OFF1")
    entry = await add_site(seen.record)
    needed = len(enabled(hass, entry, seen.record))
    assert needed < levels.MOST[Detail.FULL]
    allow(10 + 8 + needed + levels.MOST[Detail.STANDARD])
    await hass.config_entries.async_reload(entry.entry_id)
    assert fleet_of(entry).detail is Detail.FULL
    await fleet_of(entry).async_adopt([off])
    await clock.settle()
    assert fleet_of(entry).detail is Detail.STANDARD
    assert "does not generate unique IDs" not in caplog.text


async def test_a_site_that_grows_is_shown_with_less(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """From the 51st miner on, without a word from anybody, and all of it."""
    miners = [script(full=True) for _ in range(52)]
    records = [miner.record for miner in miners]
    entry = await add_site(*records[:50])
    assert told(hass, entry) == ("full", "number_of_miners")
    full = enabled(hass, entry, records[0])
    await fleet_of(entry).async_adopt(records[50:])
    await clock.settle()
    assert told(hass, entry) == ("standard", "number_of_miners")
    for record in records:
        assert enabled(hass, entry, record) < full
        assert len(enabled(hass, entry, record)) == 9

    # It takes a restart to show more again: one miner may come and go.
    for record in records[50:]:
        await fleet_of(entry).async_remove(record.id)
    await clock.settle()
    assert fleet_of(entry).detail is Detail.STANDARD
    await hass.config_entries.async_reload(entry.entry_id)
    assert told(hass, entry) == ("full", "number_of_miners")
    assert enabled(hass, entry, records[0]) == full


async def test_the_options_tell_what_automatic_chose(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """In words; of a site that is not running nothing is known."""
    entry = await add_site(script().record)

    async def placeholders() -> dict[str, str]:
        result = await hass.config_entries.options.async_init(entry.entry_id)
        result = await hass.config_entries.options.async_configure(
            result["flow_id"], {"next_step_id": "settings"}
        )
        assert result["type"] is FlowResultType.FORM
        found = dict(result["description_placeholders"] or {})
        hass.config_entries.options.async_abort(result["flow_id"])
        return {key: found[key] for key in ("detail", "reason", "miners")}

    assert await placeholders() == {
        "detail": "full",
        "reason": "by the number of miners",
        "miners": "1",
    }
    await hass.config_entries.async_unload(entry.entry_id)
    assert set((await placeholders()).values()) == {"–"}


# What is left.


async def test_what_comes_back_is_what_it_was(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """With its entity id, under which its history is, its name and its device."""
    miner = script(full=True)
    entry = await add_site(miner.record)
    registry, devices = er.async_get(hass), dr.async_get(hass)

    def ids() -> dict[str, str]:
        found = er.async_entries_for_config_entry(registry, entry.entry_id)
        return {
            f"{entity.domain} {entity.unique_id}": entity.entity_id for entity in found
        }

    def device() -> dr.DeviceEntry | None:
        return devices.async_get_device_by_identifier(
            (DOMAIN, miner.record.id), entry.entry_id
        )

    power = entity_id(hass, "sensor", miner.record.id, "power")
    registry.async_update_entity(power, new_entity_id="sensor.my_power", name="Mine")
    registered = device()
    assert registered is not None
    devices.async_update_device(registered.id, name_by_user="Heater")
    before = ids()

    for level in ("standard", "fleet", "compact", "fleet", "full"):
        hass.config_entries.async_update_entry(entry, options={"detail": level})
        await clock.settle()
        if level == "fleet":
            assert device() is None
            assert not any(miner.record.id in unique_id for unique_id in ids())
    assert ids() == before
    entity = registry.async_get("sensor.my_power")
    assert entity is not None
    assert entity.name == "Mine"
    back = device()
    assert back is not None
    assert (back.id, back.name_by_user) == (registered.id, "Heater")
    assert hass.states.get("sensor.my_power") is not None


async def test_only_miners_are_taken_out(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """The site stays, and so does what is of no miner that is known."""
    miner = script()
    entry = await add_site(miner.record)
    registry = er.async_get(hass)
    stray = registry.async_get_or_create(
        "sensor", DOMAIN, "GONE_power", config_entry=entry
    )
    hass.config_entries.async_update_entry(entry, options={"detail": "fleet"})
    await clock.settle()
    assert registry.async_get(stray.entity_id) is not None
    assert entity_id(hass, "sensor", entry.entry_id, "power")
    left = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert [device.name for device in left] == ["Home"]


async def test_an_id_with_underscores_is_not_mistaken(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """One that begins like another is another."""
    one, other = script(serial_number="A"), script(serial_number="A_power")
    entry = await add_site(one.record, other.record)
    hass.config_entries.async_update_entry(entry, options={"detail": "compact"})
    await clock.settle()
    for miner in (one, other):
        for key in ("status", "hashrate"):
            assert entity_id(hass, "sensor", miner.record.id, key)
    registry = er.async_get(hass)
    assert not registry.async_get_entity_id("sensor", DOMAIN, "A_power")
    assert not registry.async_get_entity_id("sensor", DOMAIN, "A_power_power")

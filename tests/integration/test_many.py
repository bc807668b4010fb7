"""Adding the entities of many miners: bit by bit, and each of them small."""

from collections import Counter
from collections.abc import Mapping
from inspect import getattr_static
from typing import Any
from unittest.mock import patch

from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import EntityPlatform, async_get_platforms
from propcache.api import cached_property
import pytest

from custom_components.miningsdk import lean
from custom_components.miningsdk.const import DOMAIN
from custom_components.miningsdk.sdk import MinerStatus
from tests.integration.conftest import AddSite
from tests.integration.fixtures_fleet import (
    FROZEN,
    Clock,
    MakeScript,
    Script,
    clock_fixture,  # noqa: F401
    fleet_of,
    script_fixture,  # noqa: F401
    state_of,
)
from tests.integration.test_levels import enabled

pytestmark = FROZEN


async def test_a_large_site_is_added_bit_by_bit(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """No batch is large, and most come after the set-up."""
    added: list[int] = []
    miners = [script() for _ in range(260)]
    with patch(
        "homeassistant.helpers.entity_platform.EntityPlatform.async_add_entities",
        autospec=True,
        side_effect=_counting(added),
    ):
        entry = await add_site(*(miner.record for miner in miners))
        at_setup = sum(added)
        await clock.settle()
    assert max(added) <= 20
    assert at_setup < sum(added)
    for miner in miners:
        assert len(enabled(hass, entry, miner.record)) == 7
    assert not any(
        state.state == "unavailable" for state in hass.states.async_all("sensor")
    )


def _counting(added: list[int]) -> Any:
    original = EntityPlatform.async_add_entities

    async def counting(self: Any, entities: Any, *args: Any, **kwargs: Any) -> None:
        entities = list(entities)
        if self.platform_name == DOMAIN:
            added.append(len(entities))
        await original(self, entities, *args, **kwargs)

    return counting


async def test_unloading_ends_what_is_being_added(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """Nothing turns up in a site that is not there any more."""
    miners = [script() for _ in range(260)]
    entry = await add_site(*(miner.record for miner in miners))
    assert await hass.config_entries.async_unload(entry.entry_id)
    await clock.settle()
    states = hass.states.async_all("sensor")
    assert states
    assert {state.state for state in states} == {"unavailable"}
    # And the rest is there after the next start.
    assert await hass.config_entries.async_setup(entry.entry_id)
    await clock.settle()
    for miner in miners:
        assert len(enabled(hass, entry, miner.record)) == 7


async def test_a_miner_removed_before_its_turn_is_not_shown(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """The others are."""
    miners = [script() for _ in range(260)]
    entry = await add_site(*(miner.record for miner in miners))
    last = miners[-1].record
    assert "sensor status" not in enabled(hass, entry, last)
    await fleet_of(entry).async_remove(last.id)
    await clock.settle()
    assert "sensor status" not in enabled(hass, entry, last)
    assert "sensor status" in enabled(hass, entry, miners[-2].record)


async def test_each_device_is_registered_once(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """Whatever it has; the registry looks through all devices each time."""
    miners = [script(full=True) for _ in range(3)]
    with patch.object(
        dr.DeviceRegistry,
        "async_get_or_create",
        autospec=True,
        side_effect=dr.DeviceRegistry.async_get_or_create,
    ) as create:
        entry = await add_site(*(miner.record for miner in miners))
    made = [call.kwargs["identifiers"] for call in create.call_args_list]
    for miner in miners:
        assert made.count({(DOMAIN, miner.record.id)}) == 1
    assert len(enabled(hass, entry, miners[0].record)) > 20
    found = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert len(found) == 4


# What each of them takes.


def _entities(hass: HomeAssistant) -> list[Entity]:
    return [
        entity
        for platform in async_get_platforms(hass, DOMAIN)
        for entity in platform.entities.values()
        if hasattr(entity, "coordinator")
    ]


async def test_entities_of_miners_are_small(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """Each remembers no more than what one table of names for all has room for."""
    miners = [script(full=True) for _ in range(60)]
    entry = await add_site(*(miner.record for miner in miners))
    for miner in miners:
        miner.say(status=MinerStatus.PAUSED, hashrate=0.0)
        await fleet_of(entry).coordinators[miner.record.id].async_refresh()
    sizes = Counter(
        type(entity).__name__ for entity in _entities(hass) if len(vars(entity)) > 30
    )
    assert sizes == {}
    assert len(_entities(hass)) == 60 * 9


async def test_small_entities_tell_the_same(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """As they would if they remembered it, apart from what they say by themselves."""
    await add_site(script(full=True).record)
    checked = Counter[str]()
    for entity in _entities(hass):
        for name in (*lean._SAME_FOR_ALL, *lean._TOLD_ANEW):
            usual = next((v[name] for v in _usual(entity) if name in v), None)
            said = isinstance(getattr_static(type(entity), name, None), property)
            if isinstance(usual, cached_property) and (
                name in lean._TOLD_ANEW or not said
            ):
                assert getattr(entity, name) == usual.func(entity), name
                assert name not in vars(entity)
                checked[name] += 1
    assert checked.keys() == {*lean._SAME_FOR_ALL, *lean._TOLD_ANEW}


def _usual(entity: Entity) -> list[Mapping[str, Any]]:
    """Return what the classes of Home Assistant hold that an entity is of."""
    return [
        vars(kind)
        for kind in type(entity).__mro__
        if kind.__module__.startswith("homeassistant.")
    ]


# How often they are written.


async def written(
    hass: HomeAssistant, clock: Clock, script: Script, readings: list[dict[str, Any]]
) -> Counter[str]:
    """Return how many states of each sensor these readings lead to, 30 s apart."""
    found = Counter[str]()

    @callback
    def count(event: Event[Any]) -> None:
        found[event.data["entity_id"].partition("0001_")[2]] += 1

    end = hass.bus.async_listen(EVENT_STATE_CHANGED, count)
    for reading in readings:
        script.say(**reading)
        await clock.forward(30)
    end()
    return found


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("full", {"hashrate": 9, "power": 9, "chip_temperature": 9, "energy": 9}),
        ("standard", {"hashrate": 1, "power": 1, "chip_temperature": 1, "energy": 1}),
    ],
)
async def test_of_many_miners_not_every_change_counts(
    clock: Clock,
    hass: HomeAssistant,
    add_site: AddSite,
    script: MakeScript,
    level: str,
    expected: dict[str, int],
) -> None:
    """What jitters by a hundredth is written each time, or each five minutes."""
    miner = script()
    await add_site(miner.record, options={"detail": level})
    await clock.forward(45, step=15)
    jitter = [
        {
            "hashrate": 100.0 + 2 * (n % 2),
            "power": 3000.0 + 40 * (n % 2),
            "temperature_chip": 60.0 + n % 2,
        }
        for n in range(1, 10)
    ]
    found = await written(hass, clock, miner, jitter)
    assert {key: found[key] for key in expected} == expected


async def test_of_many_miners_what_counts_is_written_at_once(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """A miner that stops, and one that is throttled."""
    miner = script()
    key = miner.record.id
    await add_site(miner.record, options={"detail": "standard"})
    await clock.forward(45, step=15)
    for hashrate in (90.0, 0.0, 1.0):
        miner.say(hashrate=hashrate)
        await clock.forward(30)
        assert state_of(hass, "sensor", key, "hashrate") == str(hashrate)

"""Switches of hashboards, on simulated miners that have them."""

from collections.abc import Generator
from dataclasses import replace
from unittest.mock import patch

from homeassistant.components.switch import DOMAIN as SWITCH_DOMAIN
from homeassistant.const import (
    ATTR_ENTITY_ID,
    SERVICE_TURN_OFF,
    SERVICE_TURN_ON,
    STATE_OFF,
    STATE_ON,
    STATE_UNKNOWN,
    EntityCategory,
)
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity import Entity
import pytest

from custom_components.miningsdk.const import CONF_DETAIL
from custom_components.miningsdk.detail import Detail
from custom_components.miningsdk.sdk import Board, Capability, Limits, Miner
from custom_components.miningsdk.sdk.registry import find
from custom_components.miningsdk.switch import BOARD, parts_of
from tests.conftest import Simulate
from tests.integration.conftest import AddSite, record_of
from tests.integration.families import FAMILIES
from tests.integration.fixtures_fleet import (
    MakeScript,
    entity_id,
    script_fixture,  # noqa: F401
    state_of,
)
from tests.simulators.luxos import SimulatedLuxOS


def _switches_boards(name: str) -> bool:
    driver, _ = find(name)
    return Capability.BOARD_ENABLE in getattr(driver, "implemented", tuple)()


WITH_BOARDS = [name for name in FAMILIES if _switches_boards(name)]


@pytest.fixture
def all_enabled() -> Generator[None]:
    """Have the registry take up what is off by default."""
    with patch.object(Entity, "entity_registry_enabled_default", new=True):
        yield


async def switch(hass: HomeAssistant, service: str, entity: str) -> None:
    """Switch as a user does."""
    await hass.services.async_call(
        SWITCH_DOMAIN, service, {ATTR_ENTITY_ID: entity}, blocking=True
    )


def test_families_with_such_switches() -> None:
    """The tests below are run for these."""
    assert set(WITH_BOARDS) >= {"braiins", "epic", "luxos", "vnish"}


@pytest.mark.usefixtures("all_enabled")
@pytest.mark.parametrize("name", WITH_BOARDS)
async def test_a_board_is_switched_off_and_on(
    hass: HomeAssistant, add_site: AddSite, simulate: Simulate, name: str
) -> None:
    """The device itself says so, each time; the other boards go on."""
    family = FAMILIES[name]
    device = await simulate(family.simulator, **family.options)
    record = await record_of(device, family.username, family.password)
    entry = await add_site(record)
    indexes = [part.index for part in parts_of(record, Detail.FULL) if part.index]
    assert indexes

    def boards() -> dict[int, bool | None]:
        stats = entry.runtime_data.coordinators[record.id].data
        assert stats is not None
        return {board.index: board.enabled for board in stats.boards}

    before = boards()
    index = indexes[0]
    board = entity_id(hass, "switch", record.id, f"board_enabled_{index}")
    assert before[index] is True
    assert state_of(hass, "switch", record.id, f"board_enabled_{index}") == STATE_ON

    await switch(hass, SERVICE_TURN_OFF, board)
    assert state_of(hass, "switch", record.id, f"board_enabled_{index}") == STATE_OFF
    assert boards() == {**before, index: False}

    await switch(hass, SERVICE_TURN_ON, board)
    assert state_of(hass, "switch", record.id, f"board_enabled_{index}") == STATE_ON
    assert boards() == before


@pytest.mark.usefixtures("all_enabled")
async def test_a_board_that_was_switched_elsewhere(
    hass: HomeAssistant, add_site: AddSite, simulate: Simulate
) -> None:
    """The next reading shows it."""
    device: SimulatedLuxOS = await simulate(SimulatedLuxOS)
    record = await record_of(device, None, None)
    entry = await add_site(record)
    device.state.boards[2] = False
    await entry.runtime_data.coordinators[record.id].async_refresh()
    shown = {
        index: state_of(hass, "switch", record.id, f"board_enabled_{index}")
        for index in range(3)
    }
    assert shown == {0: STATE_ON, 1: STATE_ON, 2: STATE_OFF}


@pytest.mark.usefixtures("all_enabled")
async def test_a_refusal_is_told_in_the_devices_words(
    hass: HomeAssistant, add_site: AddSite, simulate: Simulate
) -> None:
    """And the switch goes on showing the truth."""
    device: SimulatedLuxOS = await simulate(SimulatedLuxOS)
    record = await record_of(device, None, None)
    await add_site(record)
    device.refuses["disableboard"] = "Board in transition"
    board = entity_id(hass, "switch", record.id, "board_enabled_0")
    with pytest.raises(HomeAssistantError) as raised:
        await switch(hass, SERVICE_TURN_OFF, board)
    assert raised.value.translation_key == "command_failed"
    assert "Board in transition" in str(raised.value)
    assert state_of(hass, "switch", record.id, "board_enabled_0") == STATE_ON
    assert all(device.state.boards.values())


@pytest.mark.usefixtures("all_enabled")
async def test_what_is_not_confirmed_has_failed(
    hass: HomeAssistant,
    add_site: AddSite,
    simulate: Simulate,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A device that says yes and does nothing is found out."""
    monkeypatch.setattr(Miner, "_time_to_confirm", lambda *_: 0.05)
    device: SimulatedLuxOS = await simulate(SimulatedLuxOS)
    record = await record_of(device, None, None)
    await add_site(record)
    device.ignores.add("disableboard")
    board = entity_id(hass, "switch", record.id, "board_enabled_1")
    with pytest.raises(HomeAssistantError, match="not confirmed"):
        await switch(hass, SERVICE_TURN_OFF, board)
    assert state_of(hass, "switch", record.id, "board_enabled_1") == STATE_ON


async def test_they_are_settings_and_off_at_first(
    hass: HomeAssistant, add_site: AddSite, simulate: Simulate
) -> None:
    """People count boards from one."""
    record = await record_of(await simulate(SimulatedLuxOS), None, None)
    await add_site(record)
    registry = er.async_get(hass)
    for index in range(3):
        board = entity_id(hass, "switch", record.id, f"board_enabled_{index}")
        entity = registry.async_get(board)
        assert entity is not None
        assert entity.original_name == f"Hashboard {index + 1}"
        assert entity.entity_category is EntityCategory.CONFIG
        assert entity.disabled_by is er.RegistryEntryDisabler.INTEGRATION
        assert hass.states.get(board) is None


async def test_a_site_with_less_detail_has_none(
    hass: HomeAssistant, add_site: AddSite, simulate: Simulate
) -> None:
    """They are details of full detail only."""
    record = await record_of(await simulate(SimulatedLuxOS), None, None)
    await add_site(record, options={CONF_DETAIL: Detail.STANDARD.key})
    found = er.async_get(hass).entities.values()
    assert any(entity.domain == SWITCH_DOMAIN for entity in found)
    assert not [e for e in found if "board_enabled" in e.unique_id]


@pytest.mark.usefixtures("all_enabled")
async def test_boards_that_are_not_listed(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """Those that were seen have a switch; what is not told is unknown."""
    miner = script(full=True, limits={})
    miner.say(boards=(Board(index=1, enabled=False), Board(index=4)))
    entry = await add_site(miner.record)
    key = miner.record.id
    await entry.runtime_data.coordinators[key].async_refresh()
    await hass.async_block_till_done()
    assert state_of(hass, "switch", key, "board_enabled_1") == STATE_OFF
    assert state_of(hass, "switch", key, "board_enabled_4") == STATE_UNKNOWN
    miner.say(boards=())
    await entry.runtime_data.coordinators[key].async_refresh()
    assert state_of(hass, "switch", key, "board_enabled_1") == STATE_UNKNOWN


@pytest.mark.parametrize(
    ("capabilities", "options", "indexes"),
    [
        ((Capability.BOARD_ENABLE,), ("10", "2", "0"), [0, 2, 10]),
        ((Capability.BOARD_ENABLE,), ("1", "left"), [1]),
        ((Capability.PAUSE,), ("0", "1"), []),
    ],
)
def test_which_boards_have_a_switch(
    script: MakeScript,
    capabilities: tuple[Capability, ...],
    options: tuple[str, ...],
    indexes: list[int],
) -> None:
    """Those that the device lists, if it switches boards at all."""
    record = script(
        capabilities=capabilities,
        limits={Capability.BOARD_ENABLE: Limits(options=options)},
    ).record
    record = replace(record, shape=replace(record.shape, boards=frozenset({7})))
    found = [p.index for p in parts_of(record, Detail.FULL) if p.description is BOARD]
    assert found == indexes

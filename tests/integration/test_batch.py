"""Commands for many miners at once: which, in what order, with what result."""

import asyncio
from typing import Any

from homeassistant.auth.models import User
from homeassistant.core import Context, Event, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import area_registry as ar, device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.miningsdk.batch import EVENT_BATCH
from custom_components.miningsdk.const import DOMAIN
from custom_components.miningsdk.sdk import CommandFailed, MinerStatus
from tests.integration.conftest import AddSite
from tests.integration.fixtures_fleet import (
    UNREACHABLE,
    MakeScript,
    Script,
    entity_id,
    script_fixture,  # noqa: F401
    until,
)
from tests.integration.test_actions import device_of


async def call(
    hass: HomeAssistant,
    action: str,
    data: dict[str, Any] | None = None,
    *,
    user: User | None = None,
    **target: Any,
) -> dict[str, Any]:
    """Call an action and return its response."""
    answer: Any = await hass.services.async_call(
        DOMAIN,
        action,
        data or {},
        target=target,
        blocking=True,
        return_response=True,
        context=Context(user_id=None if user is None else user.id),
    )
    return dict(answer)


def outcomes(answer: dict[str, Any]) -> list[str]:
    return [result["outcome"] for result in answer["results"]]


async def add(
    add_site: AddSite, script: MakeScript, count: int
) -> tuple[MockConfigEntry, list[Script]]:
    miners = [script(full=True) for _ in range(count)]
    return await add_site(*(miner.record for miner in miners)), miners


@pytest.mark.parametrize(
    ("action", "data", "told"),
    [
        ("pause", {}, "pause"),
        ("reboot", {}, "reboot"),
        ("set_power_mode", {"mode": "low"}, "mode low"),
        ("set_power_limit", {"watts": 2500}, "power limit 2500"),
        ("locate", {}, "locate True"),
        ("locate", {"on": False}, "locate False"),
    ],
)
async def test_a_site_is_told_by_its_device(
    hass: HomeAssistant,
    add_site: AddSite,
    script: MakeScript,
    action: str,
    data: dict[str, Any],
    told: str,
) -> None:
    entry, miners = await add(add_site, script, 3)
    site = device_of(hass, entry, entry.entry_id)
    answer = await call(hass, action, data, device_id=site)
    assert outcomes(answer) == ["done"] * 3
    assert answer["state"] == "done"
    assert [miner.told for miner in miners] == [[told]] * 3


async def test_an_area_with_the_site_in_it_is_not_the_whole_site(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    entry, miners = await add(add_site, script, 2)
    area = ar.async_get(hass).async_create("Office")
    for key in (entry.entry_id, miners[1].record.id):
        dr.async_get(hass).async_update_device(
            device_of(hass, entry, key), area_id=area.id
        )
    answer = await call(hass, "pause", area_id=area.id)
    assert outcomes(answer) == ["done"]
    assert [miner.told for miner in miners] == [[], ["pause"]]


async def test_filters_leave_only_some(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    one, two, off = (
        script(full=True, model=model) for model in ("S21 Pro", "S19", "S21")
    )
    two.say(status=MinerStatus.FAULT)
    off.error = UNREACHABLE
    entry = await add_site(*(miner.record for miner in (one, two, off)))
    site = device_of(hass, entry, entry.entry_id)

    async def named(**filters: Any) -> list[str]:
        answer = await call(hass, "locate", filters, device_id=site)
        return [result["name"] for result in answer["results"]]

    assert await named(status="fault") == ["Acme S19 0002"]
    assert await named(status=["mining", "fault"]) == [
        "Acme S21 Pro 0001",
        "Acme S19 0002",
    ]
    assert await named(status="offline") == ["Acme S21 0003"]
    assert await named(model="s21*") == ["Acme S21 Pro 0001", "Acme S21 0003"]
    with pytest.raises(ServiceValidationError) as raised:
        await named(status="fault", model="s21*")
    assert raised.value.translation_key == "no_miner_targeted"


async def test_stages_follow_each_other(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """The next stage begins when the one before has ended and the pause is over."""
    entry, miners = await add(add_site, script, 5)
    events = async_capture_events(hass, EVENT_BATCH)
    loop, seen = hass.loop, []
    hass.bus.async_listen(EVENT_BATCH, callback(lambda event: seen.append(loop.time())))
    answer = await call(
        hass,
        "pause",
        {"batch_size": 2, "delay": {"milliseconds": 60}},
        device_id=device_of(hass, entry, entry.entry_id),
    )
    assert outcomes(answer) == ["done"] * 5
    counts = [event.data["done"] for event in events]
    assert counts == [0, 1, 2, 3, 4, 5]
    assert {event.data["batch_id"] for event in events} == {answer["batch_id"]}
    assert [event.data["state"] for event in events] == ["running"] * 5 + ["done"]
    assert seen[3] - seen[2] >= 0.05
    assert seen[5] - seen[4] >= 0.05
    assert all(miner.told == ["pause"] for miner in miners)
    first = events[1].data
    assert (first["action"], first["total"], first["failed"]) == ("pause", 5, 0)
    assert first["last"]["outcome"] == "done"


async def test_one_failure_ends_nothing(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    entry, miners = await add(add_site, script, 3)
    miners[1].refuses = CommandFailed("no way")
    site = device_of(hass, entry, entry.entry_id)
    answer = await call(hass, "reboot", {"batch_size": 1}, device_id=site)
    assert outcomes(answer) == ["done", "failed", "done"]
    assert "no way" in answer["results"][1]["error"]
    with pytest.raises(HomeAssistantError, match="no way"):
        await hass.services.async_call(
            DOMAIN, "reboot", {}, target={"device_id": site}, blocking=True
        )


async def test_a_batch_is_cancelled(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """What is under way is brought to its end, the rest is not begun."""
    entry, miners = await add(add_site, script, 3)
    site = device_of(hass, entry, entry.entry_id)
    events = async_capture_events(hass, EVENT_BATCH)
    work = hass.async_create_task(
        call(hass, "pause", {"batch_size": 1, "delay": 3600}, device_id=site)
    )
    await until(lambda: len(events) > 1)
    with pytest.raises(ServiceValidationError) as raised:
        await call(hass, "cancel_batch", {"batch_id": "another"})
    assert raised.value.translation_key == "no_such_batch"
    batch_id = events[0].data["batch_id"]
    answer = await call(hass, "cancel_batch", {"batch_id": batch_id})
    assert answer == {"cancelled": [batch_id]}
    answer = await work
    assert answer["state"] == "cancelled"
    assert outcomes(answer) == ["done", "cancelled", "cancelled"]
    assert events[-1].data["state"] == "cancelled"
    assert [miner.told for miner in miners] == [["pause"], [], []]
    assert await call(hass, "cancel_batch") == {"cancelled": []}


async def test_no_second_batch_on_the_same_miners(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    entry, miners = await add(add_site, script, 3)
    gate = asyncio.Event()
    miners[0].gate = gate
    first, third = (device_of(hass, entry, miners[n].record.id) for n in (0, 2))
    site = device_of(hass, entry, entry.entry_id)
    events: list[Event[Any]] = async_capture_events(hass, EVENT_BATCH)
    work = hass.async_create_task(call(hass, "pause", device_id=first))
    await until(lambda: bool(events))
    with pytest.raises(ServiceValidationError) as raised:
        await call(hass, "reboot", device_id=site)
    assert raised.value.translation_key == "batch_running"
    assert outcomes(await call(hass, "reboot", device_id=third)) == ["done"]
    gate.set()
    assert outcomes(await work) == ["done"]
    assert outcomes(await call(hass, "reboot", device_id=site)) == ["done"] * 3


async def test_what_was_paused_by_hand_is_left_to_the_hand(
    hass: HomeAssistant,
    add_site: AddSite,
    script: MakeScript,
    hass_admin_user: User,
) -> None:
    """An automation resumes what automations paused, and more only when asked."""
    entry, (by_hand, by_switch, by_rule, at_device) = await add(add_site, script, 4)
    keys = {
        miner.host: device_of(hass, entry, miner.record.id)
        for miner in (by_hand, by_switch, by_rule, at_device)
    }
    await call(hass, "pause", user=hass_admin_user, device_id=keys[by_hand.host])
    await hass.services.async_call(
        "switch",
        "turn_off",
        {},
        target={"entity_id": entity_id(hass, "switch", by_switch.record.id, "mining")},
        blocking=True,
        context=Context(user_id=hass_admin_user.id),
    )
    await call(hass, "pause", device_id=keys[by_rule.host])
    at_device.say(status=MinerStatus.PAUSED)
    for coordinator in entry.runtime_data.coordinators.values():
        await coordinator.async_refresh()
    site = device_of(hass, entry, entry.entry_id)

    # That it was paused already does not make it the automation's.
    assert outcomes(await call(hass, "pause", device_id=site)) == ["skipped"] * 4
    # And a restart forgets nothing.
    assert await hass.config_entries.async_reload(entry.entry_id)
    answer = await call(hass, "resume", device_id=site)
    assert outcomes(answer) == ["skipped", "skipped", "done", "skipped"]
    assert answer["results"][0]["error"] == "it was paused by hand"
    answer = await call(
        hass, "resume", {"paused_by_hand": True}, device_id=keys[by_hand.host]
    )
    assert outcomes(answer) == ["done"]
    # A person who calls it means all of them.
    answer = await call(hass, "resume", user=hass_admin_user, device_id=site)
    assert outcomes(answer) == ["done"] * 4
    assert at_device.told == ["resume"]


async def test_waking_it_at_the_device_ends_what_was_noted(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    entry, (miner,) = await add(add_site, script, 1)
    (coordinator,) = entry.runtime_data.coordinators.values()
    await call(hass, "pause", device_id=device_of(hass, entry, miner.record.id))
    assert coordinator.paused_by_automation
    miner.say(status=MinerStatus.MINING)
    await coordinator.async_refresh()
    miner.say(status=MinerStatus.PAUSED)
    await coordinator.async_refresh()
    assert not coordinator.paused_by_automation

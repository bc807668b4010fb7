"""Miners in containers: by address, by choice in the container's form, by socket."""

from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest

from custom_components.miningsdk.const import DOMAIN
from tests.integration.attached import (
    attached_data,
    begin_add,
    begin_change,
    coordinator_of,
    fill,
)
from tests.integration.conftest import AddSite
from tests.integration.fixtures_fleet import (
    MakeScript,
    script_fixture,  # noqa: F401
)
from tests.integration.flows import fields, options, settle, suggested
from tests.integration.scripted_container import (
    MakeRack,
    rack_fixture,  # noqa: F401
)


def parent(hass: HomeAssistant, entry: ConfigEntry, number: int) -> str | None:
    """Return the name of the device that a miner hangs on."""
    registry = dr.async_get(hass)
    device = registry.async_get_device_by_identifier(
        (DOMAIN, f"SN{number:04d}"), entry.entry_id
    )
    assert device is not None
    above = registry.async_get(device.via_device_id or "")
    return None if above is None else above.name


def totals(entry: ConfigEntry, *titles: str) -> list[int]:
    """Return how many miners each container counts, and last the site."""
    fleet = entry.runtime_data
    fleet._add_up()
    found = [coordinator_of(entry, title).totals.total for title in titles]
    return [*found, fleet.totals.total]


def by_title(entry: ConfigEntry, title: str) -> Any:
    """Return a subentry by what the user calls it."""
    return next(s for s in entry.subentries.values() if s.title == title)


async def test_choice_wins_over_the_address(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript, rack: MakeRack
) -> None:
    """And each miner counts in one container."""
    miners = [script() for _ in range(3)]
    ranged, chosen = rack(), rack()
    hosts = ",".join(miner.host for miner in miners[:2])
    entry = await add_site(
        *(miner.record for miner in miners),
        subentries=(
            attached_data(
                "container", "Range", driver="rack", host=ranged.host, targets=hosts
            ),
            attached_data(
                "container",
                "Choice",
                driver="rack",
                host=chosen.host,
                devices=["SN0001", "SN0003"],
            ),
        ),
    )
    await settle(hass)
    assert [parent(hass, entry, n) for n in (1, 2, 3)] == ["Choice", "Range", "Choice"]
    assert totals(entry, "Range", "Choice") == [1, 2, 3]


async def test_a_miner_that_was_chosen_twice_counts_once(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript, rack: MakeRack
) -> None:
    """By address, by choice and in two containers: the first one has it."""
    miner = script()
    entry = await add_site(
        miner.record,
        subentries=tuple(
            attached_data(
                "container",
                title,
                driver="rack",
                host=rack().host,
                targets=miner.host,
                devices=["SN0001", "gone"],
            )
            for title in ("One", "Two")
        ),
    )
    await settle(hass)
    assert parent(hass, entry, 1) == "One"
    assert totals(entry, "One", "Two") == [1, 0, 1]


async def test_socket_wins_over_both(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript, rack: MakeRack
) -> None:
    """It is where the miner is plugged in."""
    miner = script()
    other, box = rack(), rack()
    sub = attached_data("container", "Socket", driver="rack", host=box.host)
    entry = await add_site(
        miner.record,
        subentries=(
            attached_data(
                "container",
                "Other",
                driver="rack",
                host=other.host,
                targets=miner.host,
                devices=["SN0001"],
            ),
            sub,
        ),
    )
    await settle(hass)
    assert parent(hass, entry, 1) == "Other"
    place = {"container": by_title(entry, "Socket").subentry_id, "socket": 2}
    hass.config_entries.async_update_entry(
        entry, options={"sockets": {"SN0001": place}}
    )
    await settle(hass)
    assert parent(hass, entry, 1) == "Socket"
    assert totals(entry, "Other", "Socket") == [0, 1, 1]


async def test_chosen_when_the_container_is_added(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript, rack: MakeRack
) -> None:
    """Out of all miners of the site; it is added up at once, and after a restart."""
    miners = [script(), script()]
    box = rack()
    entry = await add_site(*(miner.record for miner in miners))
    assert parent(hass, entry, 1) == "Home"
    result = await begin_add(hass, entry, "container", "rack")
    assert list(options(result, "devices")) == ["SN0001", "SN0002"]
    assert options(result, "devices")["SN0002"] == f"Acme A1 0002 ({miners[1].host})"
    result = await fill(hass, result, host=box.host, devices=["SN0002"])
    assert result["type"] == "create_entry", result
    title = result["title"]
    await settle(hass)
    assert [parent(hass, entry, n) for n in (1, 2)] == ["Home", title]
    assert totals(entry, title) == [1, 2]
    shown = hass.states.get("sensor.rack_" + box.host.replace(".", "_") + "_miners")
    assert shown is not None
    assert shown.state == "1"

    assert await hass.config_entries.async_unload(entry.entry_id)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)
    assert [parent(hass, entry, n) for n in (1, 2)] == ["Home", title]
    assert totals(entry, title) == [1, 2]


async def test_choice_can_be_changed(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript, rack: MakeRack
) -> None:
    """Whoever is taken out hangs on the site again, and the totals go with the last."""
    miners = [script(), script()]
    box = rack()
    data = attached_data("container", driver="rack", host=box.host, devices=["SN0001"])
    entry = await add_site(*(m.record for m in miners), subentries=(data,))
    await settle(hass)
    result = await begin_change(hass, entry, by_title(entry, "Box"))
    assert suggested(result)["devices"] == ["SN0001"]
    result = await fill(hass, result, host=box.host, devices=["SN0002"])
    assert result["reason"] == "reconfigure_successful"
    await settle(hass)
    assert [parent(hass, entry, n) for n in (1, 2)] == ["Home", "Box"]
    assert totals(entry, "Box") == [1, 2]

    result = await begin_change(hass, entry, by_title(entry, "Box"))
    result = await fill(hass, result, host=box.host)
    assert result["reason"] == "reconfigure_successful"
    await settle(hass)
    assert [parent(hass, entry, n) for n in (1, 2)] == ["Home", "Home"]
    left = {
        e.unique_id.partition("_")[2]
        for e in er.async_entries_for_device(
            er.async_get(hass), coordinator_of(entry).device_id
        )
    }
    assert "status" in left
    assert not {key for key in left if key.startswith("miners_")}


async def test_a_miner_of_another_container_cannot_be_chosen(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript, rack: MakeRack
) -> None:
    """Whether it was chosen for that one or is in a socket of it; the form says who."""
    miners = [script() for _ in range(3)]
    taken, box = rack(), rack()
    data = attached_data(
        "container", "First", driver="rack", host=taken.host, devices=["SN0001"]
    )
    entry = await add_site(*(m.record for m in miners), subentries=(data,))
    place = {"container": by_title(entry, "First").subentry_id, "socket": 1}
    hass.config_entries.async_update_entry(
        entry, options={"sockets": {"SN0002": place}}
    )
    await settle(hass)
    result = await begin_add(hass, entry, "container", "rack")
    everybody = ["SN0001", "SN0002", "SN0003"]
    result = await fill(hass, result, host=box.host, devices=everybody)
    assert result["errors"] == {"devices": "in_another_container"}
    assert result["description_placeholders"]["miners"] == "Acme A1 0001, Acme A1 0002"
    assert suggested(result)["devices"] == everybody
    result = await fill(hass, result, host=box.host, devices=["SN0003"])
    assert result["type"] == "create_entry"
    await settle(hass)
    # Its own miners are no obstacle to a change of the first.
    result = await begin_change(hass, entry, by_title(entry, "First"))
    result = await fill(hass, result, host=taken.host, devices=["SN0001", "SN0002"])
    assert result["reason"] == "reconfigure_successful"
    await settle(hass)
    assert totals(entry, "First") == [2, 3]


async def test_change_while_the_site_is_not_running(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript, rack: MakeRack
) -> None:
    """Its miners cannot be shown then; those that were chosen stay so."""
    miner, box = script(), rack()
    data = attached_data("container", driver="rack", host=box.host, devices=["SN0001"])
    entry = await add_site(miner.record, subentries=(data,))
    assert await hass.config_entries.async_unload(entry.entry_id)
    result = await begin_change(hass, entry, by_title(entry, "Box"))
    assert "devices" not in fields(result)
    result = await fill(hass, result, host=box.host, allow_cooling=True)
    assert result["reason"] == "reconfigure_successful"
    assert by_title(entry, "Box").data["devices"] == ["SN0001"]


async def test_a_miner_that_is_gone(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript, rack: MakeRack
) -> None:
    """It is shown no more; should it come back, it is where it was."""
    miners = [script(), script()]
    box = rack()
    data = attached_data(
        "container", driver="rack", host=box.host, devices=["SN0001", "SN0002"]
    )
    entry = await add_site(*(m.record for m in miners), subentries=(data,))
    await settle(hass)
    await entry.runtime_data.async_remove("SN0002")
    assert totals(entry, "Box") == [1, 1]
    result = await begin_change(hass, entry, by_title(entry, "Box"))
    assert suggested(result)["devices"] == ["SN0001"]
    hass.config_entries.subentries.async_abort(result["flow_id"])
    await entry.runtime_data.async_adopt([miners[1].record])
    await settle(hass)
    assert parent(hass, entry, 2) == "Box"
    assert totals(entry, "Box") == [2, 2]


@pytest.mark.parametrize("how", ["choice", "socket"])
async def test_a_container_that_is_taken_away(
    hass: HomeAssistant,
    add_site: AddSite,
    script: MakeScript,
    rack: MakeRack,
    how: str,
) -> None:
    """Its miners hang on the site again, and measure themselves."""
    miner, box = script(), rack()
    chosen: dict[str, Any] = {"devices": ["SN0001"]} if how == "choice" else {}
    data = attached_data("container", driver="rack", host=box.host, **chosen)
    entry = await add_site(miner.record, subentries=(data,))
    if how == "socket":
        place = {"container": by_title(entry, "Box").subentry_id, "socket": 1}
        hass.config_entries.async_update_entry(
            entry, options={"sockets": {"SN0001": place}}
        )
    await settle(hass)
    assert parent(hass, entry, 1) == "Box"
    hass.config_entries.async_remove_subentry(entry, by_title(entry, "Box").subentry_id)
    await settle(hass)
    assert parent(hass, entry, 1) == "Home"
    assert entry.runtime_data.coordinators["SN0001"].data.power == 3000.0

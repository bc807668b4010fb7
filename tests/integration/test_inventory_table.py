"""The inventory as a table: the form with its preview, and the actions."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from aiohttp import FormData
from homeassistant.auth.models import User
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized
from homeassistant.helpers import area_registry as ar, device_registry as dr
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.miningsdk import flow_table
from custom_components.miningsdk.const import DOMAIN
from custom_components.miningsdk.placing import async_place
from custom_components.miningsdk.positions import EXAMPLE_RULE, Position
from custom_components.miningsdk.positions_table import MOST_CHARACTERS
from custom_components.miningsdk.replacement import async_replace
from tests.integration.conftest import AddSite
from tests.integration.fixtures_fleet import (
    FROZEN,
    Clock,
    MakeScript,
    clock_fixture,  # noqa: F401
    fleet_of,
    script_fixture,  # noqa: F401
)
from tests.integration.flows import fields, suggested

pytestmark = FROZEN

RULE = {"position_rule": EXAMPLE_RULE}
HEADER = "site,id,serial_number,mac,host,model,name,container,rack,row,slot,source\n"


def given(entry: MockConfigEntry) -> dict[str, dict[str, str]]:
    """Return the positions that were given to miners."""
    records = fleet_of(entry).inventory.records.values()
    return {one.id: one.position.as_dict() for one in records if one.position}


async def open_table(hass: HomeAssistant, entry: MockConfigEntry) -> Any:
    """Go to the form."""
    result: Any = await hass.config_entries.options.async_init(entry.entry_id)
    for step in ("positions", "table"):
        result = await choose(hass, result, step)
    return result


async def choose(hass: HomeAssistant, result: Any, option: str) -> Any:
    """Choose from a menu."""
    assert option in result["menu_options"]
    return await fill(hass, result, next_step_id=option)


async def fill(hass: HomeAssistant, result: Any, **fields: Any) -> Any:
    """Fill in a form."""
    return await hass.config_entries.options.async_configure(result["flow_id"], fields)


@contextmanager
def uploaded(path: Path | None) -> Generator[str]:
    """Have a file on its way to Home Assistant; without a path it never arrives."""

    @contextmanager
    def process(hass: HomeAssistant, file_id: str) -> Generator[Path]:
        if path is None or file_id != key:
            raise ValueError("File does not exist")
        yield path

    key = str(uuid4())
    with patch.object(flow_table, "process_uploaded_file", process):
        yield key


# The form.


async def test_import(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """Looked at first; nothing is changed before somebody said so."""
    miners = [script(host=f"10.3.2.{n}") for n in range(1, 5)]
    entry = await add_site(*(one.record for one in miners), options=RULE)
    await async_place(fleet_of(entry), {"SN0004": Position.of({"rack": "9"})})
    result = await open_table(hass, entry)
    assert fields(result) == {"csv", "file"}
    now = suggested(result)["csv"]
    assert now == HEADER + (
        "Home,SN0001,SN0001,,10.3.2.1,A1,Acme A1 0001,3,2,,1,rule\n"
        "Home,SN0002,SN0002,,10.3.2.2,A1,Acme A1 0002,3,2,,2,rule\n"
        "Home,SN0003,SN0003,,10.3.2.3,A1,Acme A1 0003,3,2,,3,rule\n"
        "Home,SN0004,SN0004,,10.3.2.4,A1,Acme A1 0004,,9,,,given\n"
    )
    result = await fill(hass, result, csv=now)
    assert (result["step_id"], result["menu_options"]) == ("table_nothing", ["table"])
    assert result["description_placeholders"] == {
        "changed": "0",
        "unchanged": "4",
        "unknown": "0",
        "wrong": "0",
        "ignored": "–",
        "changes": "–",
        "problems": "–",
    }
    result = await choose(hass, result, "table")
    assert suggested(result)["csv"] == now

    text = (
        "serial;name;container;rack;row;slot;owner\n"
        "SN0001;Left;3;2;;1;me\n"
        "SN0002;;5;1;b;7;me\n"
        "SN0003;;5;1;b;7;me\n"
        "SN0004;;3;2;;3;me\n"
        "SN7777;;1;1;1;1;me\n"
        ";;1;1;1;1;me\n"
    )
    result = await fill(hass, result, csv=text)
    assert result["step_id"] == "table_preview"
    assert result["menu_options"] == ["table_apply", "table"]
    assert result["description_placeholders"] == {
        "changed": "1",
        "unchanged": "0",
        "unknown": "1",
        "wrong": "5",
        "ignored": "owner",
        "changes": "- Left: Container 3, Rack 2, Slot 1 → Container 3, Rack 2, Slot 1",
        "problems": (
            "- **3** slot: The same slot is in line 4.\n"
            "- **4** slot: The same slot is in line 3.\n"
            "- **5** slot: The slot is taken by Acme A1 0003.\n"
            "- **6** serial_number: There is no miner SN7777.\n"
            "- **7**: Nothing says which miner it is: "
            "one of id, serial_number, mac, host is needed."
        ),
    }
    result = await choose(hass, result, "table")
    assert suggested(result)["csv"] == text
    better = text.replace("SN0003;;5;1;b;7", "SN0003;;5;1;b;8")
    result = await fill(hass, result, csv=better)
    assert result["description_placeholders"]["changed"] == "4"
    assert given(entry) == {"SN0004": {"rack": "9"}}

    result = await choose(hass, result, "table_apply")
    assert result["type"] == "create_entry"
    await clock.settle()
    assert given(entry) == {
        "SN0002": {"container": "5", "rack": "1", "row": "b", "slot": "7"},
        "SN0003": {"container": "5", "rack": "1", "row": "b", "slot": "8"},
        "SN0004": {"container": "3", "rack": "2", "slot": "3"},
    }
    assert entry.options == RULE
    devices = {
        one.serial_number: one
        for one in dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    }
    assert devices["SN0001"].name_by_user == "Left"
    areas = {area.id: area.name for area in ar.async_get(hass).async_list_areas()}
    assert areas[devices["SN0002"].area_id or ""] == "Container 5 Rack 1"
    # It is in the file of the site.
    assert await hass.config_entries.async_reload(entry.entry_id)
    await clock.settle()
    assert set(given(entry)) == {"SN0002", "SN0003", "SN0004"}


async def test_long_lists_are_cut(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    miners = [script() for _ in range(22)]
    entry = await add_site(*(one.record for one in miners))
    lines = [f"{one.record.id},1" for one in miners]
    lines += [f"NO{n},1" for n in range(25)]
    result = await open_table(hass, entry)
    result = await fill(hass, result, csv="\n".join(["id,rack", *lines]))
    told = result["description_placeholders"]
    assert told["changed"] == "22"
    assert told["changes"].endswith("\n- … (+2)")
    assert told["problems"].endswith("\n- … (+5)")
    assert len(told["problems"].splitlines()) == 21


async def test_file(
    clock: Clock,
    hass: HomeAssistant,
    add_site: AddSite,
    script: MakeScript,
    tmp_path: Path,
) -> None:
    """Counts instead of the text; of a wrong one the line is told, or why it is."""
    entry = await add_site(script().record)
    result = await open_table(hass, entry)
    result = await fill(hass, result)
    assert result["errors"] == {"base": "nothing_given"}
    path = tmp_path / "miners.csv"
    text = "serial;rack\r\nSN0001;Süd\r\n"
    path.write_bytes(text.encode("cp1252"))
    with uploaded(path) as key:
        result = await fill(hass, result, file=key, csv="what stood there")
    assert result["errors"] == {"file": "bad_encoding"}
    assert result["description_placeholders"]["line"] == "2"
    with uploaded(None) as key:
        result = await fill(hass, result, file=key)
    assert result["errors"] == {"file": "file_gone"}
    with path.open("wb") as file:
        file.truncate(4 * MOST_CHARACTERS + 1)
    with uploaded(path) as key:
        result = await fill(hass, result, file=key)
    assert result["errors"] == {"file": "file_too_large"}
    path.write_bytes(text.encode("utf-8-sig"))
    with uploaded(path) as key:
        result = await fill(hass, result, file=key, csv="what stood there")
    assert result["step_id"] == "table_preview"
    result = await choose(hass, result, "table")
    assert suggested(result)["csv"] == text
    result = await fill(hass, result, csv=text)
    result = await choose(hass, result, "table_apply")
    assert given(entry) == {"SN0001": {"rack": "Süd"}}


async def test_file_through_the_upload_of_home_assistant(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    add_site: AddSite,
    script: MakeScript,
) -> None:
    """It is gone from there afterwards; without any upload there is no file."""
    entry = await add_site(script().record)
    result = await open_table(hass, entry)
    result = await fill(hass, result, file=str(uuid4()))
    assert result["errors"] == {"file": "file_gone"}
    assert await async_setup_component(hass, "file_upload", {})
    client = await hass_client()
    form = FormData()
    form.add_field("file", b"serial;rack\nSN0001;7\n", filename="miners.csv")
    reply = await client.post("/api/file_upload", data=form)
    file_id = (await reply.json())["file_id"]
    result = await fill(hass, result, file=file_id)
    assert result["step_id"] == "table_preview"
    result = await choose(hass, result, "table")
    result = await fill(hass, result, file=file_id)
    assert result["errors"] == {"file": "file_gone"}


async def test_miner_is_removed_before_the_import(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    entry = await add_site(script().record, script().record)
    result = await open_table(hass, entry)
    text = "id,rack,name\nSN0001,1,Left\nSN0002,2,Right\n"
    result = await fill(hass, result, csv=text)
    device = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, "SN0001"), entry.entry_id
    )
    assert device is not None
    await fleet_of(entry).async_remove("SN0001")
    dr.async_get(hass).async_remove_device(device.id)
    result = await choose(hass, result, "table_apply")
    assert result["type"] == "create_entry"
    assert given(entry) == {"SN0002": {"rack": "2"}}


# The actions.


async def call(
    hass: HomeAssistant, action: str, user: User | None = None, **data: Any
) -> Any:
    """Call an action, and return its response."""
    return await hass.services.async_call(
        DOMAIN,
        action,
        data,
        blocking=True,
        return_response=True,
        context=Context(user_id=user.id if user else None),
    )


async def test_export_of_all_sites(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """Or of one; with the machines that there were before."""
    old, new = script(host="10.3.2.1", mac="02:00:00:00:00:01"), script(model="A2")
    first = await add_site(old.record, options=RULE)
    second = await add_site(script(host="10.9.9.9").record, title="Hall")
    await async_replace(fleet_of(first), old.record.id, new.info)
    await clock.settle()
    answer = await call(hass, "export_inventory")
    assert answer["csv"].startswith(HEADER)
    assert [(row["site"], row["id"]) for row in answer["rows"]] == [
        ("Home", "SN0001"),
        ("Hall", "SN0003"),
    ]
    assert answer["rows"][0]["serial_number"] == "SN0002"
    assert answer["rows"][0]["history"] == [
        {
            "serial_number": "SN0001",
            "mac": "02:00:00:00:00:01",
            "model": "A1",
            "until": "2026-11-22T12:00:00+00:00",
        }
    ]
    answer = await call(
        hass, "export_inventory", config_entry_id=second.entry_id, delimiter=";"
    )
    assert answer["csv"].splitlines()[1] == (
        "Hall;SN0003;SN0003;;10.9.9.9;A1;Acme A1 0003;;;;;"
    )
    assert len(answer["rows"]) == 1


async def test_import_only_looks_unless_told_otherwise(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """Over all sites, with an answer for each line that is wrong."""
    first = await add_site(script(host="10.3.2.1").record, options=RULE)
    second = await add_site(script().record, script().record, title="Hall")
    text = (
        "serial,name,rack,slot,owner\n"
        "SN0001,,7,1,me\nSN0002,Right,7,1,me\nSN0003,,,,me\nSN9999,,1,1,me\n"
    )
    looked = await call(hass, "import_inventory", csv=text)
    assert looked == {
        "dry_run": True,
        "changed": 2,
        "unchanged": 1,
        "unknown": 1,
        "changes": [
            {
                "line": 2,
                "id": "SN0001",
                "name": "Acme A1 0001",
                "before": {"container": "3", "rack": "2", "slot": "1"},
                "after": {"container": "3", "rack": "7", "slot": "1"},
            },
            {
                "line": 3,
                "id": "SN0002",
                "name": "Right",
                "before": {},
                "after": {"rack": "7", "slot": "1"},
            },
        ],
        "problems": [
            {
                "line": 5,
                "column": "serial_number",
                "error": "There is no miner SN9999.",
            }
        ],
        "ignored_columns": ["owner"],
    }
    assert given(first) == given(second) == {}
    done = await call(hass, "import_inventory", csv=text, dry_run=False)
    assert done == {**looked, "dry_run": False}
    assert given(first) == {"SN0001": {"container": "3", "rack": "7", "slot": "1"}}
    assert given(second) == {"SN0002": {"rack": "7", "slot": "1"}}
    # Twice is not more than once.
    again = await call(hass, "import_inventory", csv=text, dry_run=False)
    assert (again["changed"], again["unchanged"]) == (0, 3)
    # Of one site, others are unknown.
    only = await call(
        hass, "import_inventory", csv=text, config_entry_id=second.entry_id
    )
    assert (only["changed"], only["unchanged"], only["unknown"]) == (0, 2, 2)


@pytest.mark.parametrize("action", ["export_inventory", "import_inventory"])
async def test_actions_need_a_site_and_an_administrator(
    clock: Clock,
    hass: HomeAssistant,
    add_site: AddSite,
    hass_read_only_user: User,
    action: str,
) -> None:
    entry = await add_site()
    data: dict[str, Any] = (
        {"csv": "id,rack\nx,1"} if action == "import_inventory" else {}
    )
    with pytest.raises(Unauthorized):
        await call(hass, action, user=hass_read_only_user, **data)
    with pytest.raises(ServiceValidationError) as error:
        await call(hass, action, config_entry_id="nowhere", **data)
    assert error.value.translation_key == "no_such_site"
    assert await hass.config_entries.async_unload(entry.entry_id)
    with pytest.raises(ServiceValidationError):
        await call(hass, action, **data)

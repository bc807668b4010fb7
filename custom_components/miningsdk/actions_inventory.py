"""The actions that hand out and take in where miners stand."""

from typing import Any, Final

from homeassistant.const import ATTR_CONFIG_ENTRY_ID
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.service import async_register_admin_service
import voluptuous as vol

from .const import DOMAIN
from .fleet import Fleet
from .placing import async_apply, async_told, places_of
from .positions_csv import Change, Place, export, make_plan
from .positions_table import DELIMITERS, MOST_CHARACTERS
from .sites import async_fleets

ACTION_EXPORT: Final = "export_inventory"
ACTION_IMPORT: Final = "import_inventory"
CONF_CSV: Final = "csv"
CONF_DELIMITER: Final = "delimiter"
CONF_DRY_RUN: Final = "dry_run"

_SITE: Final = {vol.Optional(ATTR_CONFIG_ENTRY_ID): cv.string}
_EXPORT_SCHEMA = vol.Schema(
    {**_SITE, vol.Optional(CONF_DELIMITER, default=","): vol.In(DELIMITERS)}
)
_IMPORT_SCHEMA = vol.Schema(
    {
        **_SITE,
        vol.Required(CONF_CSV): vol.All(cv.string, vol.Length(max=MOST_CHARACTERS)),
        vol.Optional(CONF_DRY_RUN, default=True): cv.boolean,
    }
)


@callback
def async_setup_inventory_actions(hass: HomeAssistant) -> None:
    """Register the actions."""
    for name, action, schema in (
        (ACTION_EXPORT, _async_export, _EXPORT_SCHEMA),
        (ACTION_IMPORT, _async_import, _IMPORT_SCHEMA),
    ):
        async_register_admin_service(
            hass,
            DOMAIN,
            name,
            action,
            schema=schema,
            supports_response=SupportsResponse.ONLY,
        )


async def _async_export(call: ServiceCall) -> ServiceResponse:
    """Return the inventory of all sites, or of one, as CSV and as rows."""
    fleets = _fleets(call)
    places = [place for fleet in fleets for place in places_of(fleet)]
    rows: list[Any] = [
        {**place.as_row(), "history": _history(fleets, place)} for place in places
    ]
    csv = await call.hass.async_add_executor_job(
        export, places, call.data[CONF_DELIMITER]
    )
    return {"csv": csv, "rows": rows}


async def _async_import(call: ServiceCall) -> ServiceResponse:
    """Compare a table with the inventory, and take it in unless that is all."""
    fleets = _fleets(call)
    places = [place for fleet in fleets for place in places_of(fleet)]
    plan = await call.hass.async_add_executor_job(
        make_plan, call.data[CONF_CSV], places
    )
    if not call.data[CONF_DRY_RUN]:
        await async_apply(fleets, plan)
    told = await async_told(call.hass, plan.problems)
    problems: list[Any] = [
        {"line": problem.line, "column": problem.column, "error": words}
        for problem, words in zip(plan.problems, told, strict=True)
    ]
    changes: list[Any] = [_change(change) for change in plan.changes]
    return {
        "dry_run": call.data[CONF_DRY_RUN],
        "changed": len(changes),
        "unchanged": plan.unchanged,
        "unknown": plan.unknown,
        "changes": changes,
        "problems": problems,
        "ignored_columns": list(plan.ignored),
    }


def _fleets(call: ServiceCall) -> list[Fleet]:
    """Return the running sites that a call is about: that which it names, or all."""
    wanted = call.data.get(ATTR_CONFIG_ENTRY_ID)
    found = [
        fleet
        for fleet in async_fleets(call.hass)
        if wanted in (None, fleet.entry.entry_id)
    ]
    if not found:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="no_such_site"
        )
    return found


def _history(fleets: list[Fleet], place: Place) -> list[Any]:
    """Return the machines that were a device before, oldest first."""
    fleet = next(f for f in fleets if f.entry.entry_id == place.entry_id)
    history = fleet.inventory.records[place.id].history
    return [machine.as_dict() for machine in history]


def _change(change: Change) -> dict[str, Any]:
    return {
        "line": change.line,
        "id": change.place.id,
        "name": change.name or change.place.name,
        "before": change.place.position.as_dict(),
        "after": change.position.as_dict(),
    }

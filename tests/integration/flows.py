"""Walk through flows as the frontend does."""

from typing import Any

from homeassistant.components.repairs.issue_handler import RepairsFlowManager
from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigEntry,
    ConfigSubentryData,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component

from custom_components.miningsdk.const import CONF_TARGETS, DOMAIN, SUBENTRY_RANGE
from custom_components.miningsdk.fleet import Fleet
from custom_components.miningsdk.inventory import Record
from tests.sdk.fakes import FakeDevice
from tests.simulators.axeos import SimulatedAxeOS


async def start(
    hass: HomeAssistant, source: str = SOURCE_USER, data: Any = None, **more: Any
) -> Any:
    """Begin a config flow."""
    context: Any = {"source": source, **more}
    return await hass.config_entries.flow.async_init(DOMAIN, context=context, data=data)


async def choose(hass: HomeAssistant, result: Any, option: str) -> Any:
    """Choose from a menu."""
    assert option in result["menu_options"]
    return await fill(hass, result, next_step_id=option)


async def fill(hass: HomeAssistant, result: Any, **fields: Any) -> Any:
    """Fill in the form of a config flow."""
    return await hass.config_entries.flow.async_configure(result["flow_id"], fields)


async def open_card(hass: HomeAssistant, result: Any) -> Any:
    """Look at a running flow as somebody who clicks its card."""
    return await hass.config_entries.flow.async_configure(result["flow_id"])


async def begin(hass: HomeAssistant, option: str) -> Any:
    """Begin a config flow and take a way to find devices."""
    return await choose(hass, await start(hass), option)


async def search(hass: HomeAssistant, *targets: str) -> Any:
    """Search, and wait for the end of it."""
    result = await begin(hass, "search")
    return await searched(hass, await fill(hass, result, targets=list(targets)))


async def searched(hass: HomeAssistant, result: Any) -> Any:
    """Wait for the end of a search."""
    assert result["type"] == "progress"
    assert result["progress_action"] == "scan"
    await hass.async_block_till_done()
    return await open_card(hass, result)


async def start_reconfigure(hass: HomeAssistant, entry: ConfigEntry) -> Any:
    """Begin to reconfigure a site."""
    return await start(hass, SOURCE_RECONFIGURE, entry_id=entry.entry_id)


def options(result: Any, key: str) -> dict[str, str]:
    """Return what a field of a form lets one choose: labels by value."""
    schema = result["data_schema"].schema
    selector = next(value for field, value in schema.items() if field == key)
    return {o["value"]: o["label"] for o in selector.config["options"]}


def fields(result: Any) -> set[str]:
    """Return the fields of a form."""
    return {str(field) for field in result["data_schema"].schema}


def suggested(result: Any) -> dict[str, Any]:
    """Return what stands in a form to begin with."""
    return {
        str(field): field.description["suggested_value"]
        for field in result["data_schema"].schema
        if field.description and "suggested_value" in field.description
    }


def cards(hass: HomeAssistant) -> list[Any]:
    """Return the discovery cards that are shown."""
    return [
        flow
        for flow in hass.config_entries.flow.async_progress_by_handler(DOMAIN)
        if flow.get("step_id") == "discovered"
    ]


def sites(hass: HomeAssistant) -> list[ConfigEntry]:
    """Return the sites there are."""
    return hass.config_entries.async_entries(DOMAIN, include_ignore=False)


def fleet_of(hass: HomeAssistant) -> Fleet:
    """Return the only site, running."""
    (entry,) = sites(hass)
    fleet: Fleet = entry.runtime_data
    return fleet


def records_of(hass: HomeAssistant) -> dict[str, Record]:
    """Return the devices of the only site, by id."""
    return fleet_of(hass).inventory.records


def range_data(
    targets: str, *accounts: dict[str, str], factory: bool = False
) -> ConfigSubentryData:
    """Return a scan range as a site stores it."""
    data: dict[str, Any] = {CONF_TARGETS: targets}
    if accounts:
        data["accounts"] = list(accounts)
    if factory:
        data["factory"] = True
    return ConfigSubentryData(
        data=data,
        subentry_type=SUBENTRY_RANGE,
        title=targets,
        unique_id=None,
    )


def id_of(device: FakeDevice | SimulatedAxeOS) -> str:
    """Return what a device is known by."""
    if isinstance(device, SimulatedAxeOS):
        return device.mac.lower()
    assert device.serial is not None
    return device.serial


def state(hass: HomeAssistant, entity_id: str) -> str:
    """Return the state of an entity."""
    found = hass.states.get(entity_id)
    assert found is not None
    return found.state


async def settle(hass: HomeAssistant) -> None:
    """Wait for everything that goes on, polls and scans included."""
    await hass.async_block_till_done(wait_background_tasks=True)


class Repairs:
    """The repairs that Home Assistant shows."""

    def __init__(self, hass: HomeAssistant) -> None:
        self._hass = hass

    def issues(self) -> dict[str, ir.IssueEntry]:
        """Return the issues of the integration, by what they are about."""
        return {
            issue.translation_key or "": issue
            for (domain, _), issue in ir.async_get(self._hass).issues.items()
            if domain == DOMAIN
        }

    async def _manager(self) -> RepairsFlowManager:
        assert await async_setup_component(self._hass, "repairs", {})
        manager: RepairsFlowManager = self._hass.data["repairs"]["flow_manager"]
        return manager

    async def start(self, kind: str) -> Any:
        """Click on an issue."""
        manager = await self._manager()
        return await manager.async_init(
            DOMAIN, context={"issue_id": self.issues()[kind].issue_id}
        )

    async def fill(self, result: Any, **fields: Any) -> Any:
        """Fill in the form of a repair."""
        return await (await self._manager()).async_configure(result["flow_id"], fields)

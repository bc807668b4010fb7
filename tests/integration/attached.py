"""Set up devices that are configured by hand, as their flows would."""

from typing import Any

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigEntry,
    ConfigSubentry,
    ConfigSubentryData,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

from custom_components.miningsdk.attached import AttachedCoordinator
from custom_components.miningsdk.attached_check import identity


def attached_data(kind: str, title: str = "Box", **data: Any) -> ConfigSubentryData:
    """Return a device as a site stores it."""
    return ConfigSubentryData(
        data=data, subentry_type=kind, title=title, unique_id=identity(data)
    )


def only(entry: ConfigEntry) -> ConfigSubentry:
    """Return the only subentry of a site."""
    (subentry,) = entry.subentries.values()
    return subentry


def coordinator_of(entry: ConfigEntry, title: str = "Box") -> AttachedCoordinator:
    """Return the poll loop of the device of this name."""
    found: dict[str, AttachedCoordinator] = entry.runtime_data.attached
    return next(c for c in found.values() if c.name == title)


async def begin_add(
    hass: HomeAssistant, entry: ConfigEntry, kind: str, driver: str
) -> Any:
    """Begin to add a device, and choose what it is."""
    result = await hass.config_entries.subentries.async_init(
        (entry.entry_id, kind), context={"source": SOURCE_USER}
    )
    assert result["step_id"] == "user"
    result = await fill(hass, result, driver=driver)
    assert result["step_id"] == "details"
    return result


async def begin_change(
    hass: HomeAssistant, entry: ConfigEntry, subentry: ConfigSubentry
) -> Any:
    """Begin to change a device."""
    return await hass.config_entries.subentries.async_init(
        (entry.entry_id, subentry.subentry_type),
        context={
            "source": SOURCE_RECONFIGURE,
            "subentry_id": subentry.subentry_id,
        },
    )


async def fill(hass: HomeAssistant, result: Any, **fields: Any) -> Any:
    """Fill in the form of a subentry flow."""
    return await hass.config_entries.subentries.async_configure(
        result["flow_id"], fields
    )


def entity_of(
    hass: HomeAssistant, entry: ConfigEntry, platform: str, key: str
) -> str | None:
    """Return the id of an entity of the only device, by its key."""
    return er.async_get(hass).async_get_entity_id(
        platform, "miningsdk", f"{only(entry).subentry_id}_{key}"
    )


def state_at(hass: HomeAssistant, entry: ConfigEntry, platform: str, key: str) -> str:
    """Return the state of an entity of the only device, by its key."""
    entity_id = entity_of(hass, entry, platform, key)
    assert entity_id is not None, f"no {platform} {key}"
    state = hass.states.get(entity_id)
    assert state is not None, entity_id
    return state.state

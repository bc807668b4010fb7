"""Which miners an action means."""

from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from typing import Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import ATTR_DEVICE_ID, CONF_MODEL
from homeassistant.core import HomeAssistant, ServiceCall, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import (
    config_validation as cv,
    device_registry as dr,
    entity_registry as er,
)
from homeassistant.helpers.target import (
    TargetSelection,
    async_extract_referenced_entity_ids,
)
import voluptuous as vol

from .const import DOMAIN
from .coordinator import MinerCoordinator, MiningConfigEntry
from .fleet import Fleet
from .sdk import MinerStatus

CONF_STATUS: Final = "status"
# Not a status of a miner: it does not answer.
OFFLINE: Final = "offline"
STATUSES: Final = [*(status.value for status in MinerStatus), OFFLINE]
FILTERS: Final = {
    vol.Optional(CONF_STATUS): vol.All(cv.ensure_list, [vol.In(STATUSES)]),
    vol.Optional(CONF_MODEL): vol.All(cv.ensure_list, [cv.string]),
}


@callback
def async_targeted(call: ServiceCall) -> list[MinerCoordinator]:
    """Return the miners that a call means, each once.

    A target names them by device, entity, area, floor or label; the device of a site
    or of a container stands for all miners in it. The filters of the call leave only
    those of a status or of a model (with ``*`` and ``?``).

    Raises:
        ServiceValidationError: there is no miner among them.
    """
    found = {
        coordinator.id: coordinator
        for coordinator in _chosen(call)
        if _passes(call, coordinator)
    }
    if not found:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="no_miner_targeted"
        )
    return list(found.values())


def device_id_of(coordinator: MinerCoordinator) -> str | None:
    """Return the id that the device registry gave to a miner, if it has one."""
    device = dr.async_get(coordinator.hass).async_get_device_by_identifier(
        (DOMAIN, coordinator.id), coordinator.fleet.entry.entry_id
    )
    return None if device is None else device.id


def _chosen(call: ServiceCall) -> Iterator[MinerCoordinator]:
    hass = call.hass
    selected = async_extract_referenced_entity_ids(hass, TargetSelection(call.data))
    devices = set(selected.referenced_devices)
    entities = er.async_get(hass)
    for entity_id in selected.referenced | selected.indirectly_referenced:
        entity = entities.async_get(entity_id)
        if entity is not None and entity.device_id is not None:
            devices.add(entity.device_id)
    yield from _of_devices(hass, devices)
    # An area that holds the device of a site does not stand for the whole site.
    named = set(cv.ensure_list(call.data.get(ATTR_DEVICE_ID) or []))
    for fleet, device_id in _sites(hass, named):
        for coordinator in fleet.coordinators.values():
            if device_id in (
                fleet.site_device_id,
                fleet.parent_of(coordinator.record),
            ):
                yield coordinator


def _sites(
    hass: HomeAssistant, device_ids: Iterable[str]
) -> Iterator[tuple[Fleet, str]]:
    registry = dr.async_get(hass)
    for device_id in sorted(device_ids):
        device = registry.async_get(device_id)
        if device is None or device.config_entry_id is None:
            continue
        entry = hass.config_entries.async_get_entry(device.config_entry_id)
        if (
            entry is not None
            and entry.domain == DOMAIN
            and entry.state is ConfigEntryState.LOADED
        ):
            site: MiningConfigEntry = entry
            yield site.runtime_data, device_id


def _of_devices(
    hass: HomeAssistant, device_ids: Iterable[str]
) -> Iterator[MinerCoordinator]:
    registry = dr.async_get(hass)
    for fleet, device_id in _sites(hass, device_ids):
        device = registry.async_get(device_id)
        for domain, key in device.identifiers if device is not None else ():
            if domain == DOMAIN and key in fleet.coordinators:
                yield fleet.coordinators[key]


def _passes(call: ServiceCall, coordinator: MinerCoordinator) -> bool:
    statuses = call.data.get(CONF_STATUS)
    if statuses and _status(coordinator) not in statuses:
        return False
    models = call.data.get(CONF_MODEL)
    model = (coordinator.record.info.model or "").lower()
    return not models or any(fnmatch(model, wanted.lower()) for wanted in models)


def _status(coordinator: MinerCoordinator) -> str:
    if not coordinator.available or coordinator.data is None:
        return OFFLINE
    return coordinator.data.status.value

"""The actions: scan a network, and set pools on any target."""

import asyncio
from collections.abc import Iterable
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_PASSWORD, CONF_URL, CONF_USERNAME
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import (
    config_validation as cv,
    device_registry as dr,
    entity_registry as er,
)
from homeassistant.helpers.service import async_register_admin_service
from homeassistant.helpers.target import (
    TargetSelection,
    async_extract_referenced_entity_ids,
)
import voluptuous as vol

from .const import CONF_TARGETS, DOMAIN
from .coordinator import MinerCoordinator, MiningConfigEntry
from .devices import device_session
from .inventory import info_as_dict
from .networks import async_local_networks
from .sdk import MiningSDKError, PoolConfig, scan

ACTION_SCAN = "scan"
ACTION_SET_POOLS = "set_pools"
CONF_POOLS = "pools"
CONF_USER = "user"

# A miner may take minutes to confirm its pools, and others are to be read meanwhile.
_AT_ONCE = 16

_SCAN_SCHEMA = vol.Schema(
    {
        vol.Optional(CONF_TARGETS): vol.All(cv.ensure_list, [cv.string]),
        vol.Optional(CONF_USERNAME): cv.string,
        vol.Optional(CONF_PASSWORD): cv.string,
    }
)
_POOL_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_URL): cv.string,
        vol.Required(CONF_USER): cv.string,
        vol.Optional(CONF_PASSWORD, default="x"): cv.string,
    }
)
_SET_POOLS_SCHEMA = cv.make_entity_service_schema(
    {vol.Required(CONF_POOLS): vol.All([_POOL_SCHEMA], vol.Length(min=1, max=3))}
)


@callback
def async_setup_actions(hass: HomeAssistant) -> None:
    """Register the actions."""
    async_register_admin_service(
        hass,
        DOMAIN,
        ACTION_SCAN,
        _async_scan,
        schema=_SCAN_SCHEMA,
        supports_response=SupportsResponse.ONLY,
    )
    hass.services.async_register(
        DOMAIN,
        ACTION_SET_POOLS,
        _async_set_pools,
        schema=_SET_POOLS_SCHEMA,
        supports_response=SupportsResponse.OPTIONAL,
    )


async def _async_scan(call: ServiceCall) -> ServiceResponse:
    """Return what answers in the given or in the local networks."""
    targets = call.data.get(CONF_TARGETS) or await async_local_networks(call.hass)
    try:
        found: list[Any] = [
            info_as_dict(info)
            async for info in scan(
                targets,
                session=device_session(call.hass),
                username=call.data.get(CONF_USERNAME),
                password=call.data.get(CONF_PASSWORD),
            )
        ]
    except MiningSDKError as error:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="invalid_targets",
            translation_placeholders={"error": str(error)},
        ) from error
    return {"devices": found}


async def _async_set_pools(call: ServiceCall) -> ServiceResponse:
    """Write the same pools to each miner of the target, one result for each.

    All of them are tried; without a response, failures are raised in the end.
    """
    pools = [
        PoolConfig(
            url=pool[CONF_URL], user=pool[CONF_USER], password=pool[CONF_PASSWORD]
        )
        for pool in call.data[CONF_POOLS]
    ]
    few = asyncio.Semaphore(_AT_ONCE)

    async def set_pools(coordinator: MinerCoordinator) -> HomeAssistantError | None:
        try:
            async with few:
                await coordinator.async_command(lambda miner: miner.set_pools(pools))
        except HomeAssistantError as error:
            return error
        return None

    targeted = async_targeted(call)
    errors = await asyncio.gather(*map(set_pools, targeted.values()))
    if not call.return_response:
        _raise([error for error in errors if error is not None])
        return None
    return {
        "results": [
            {
                "device_id": device_id,
                "name": targeted[device_id].record.name,
                "done": error is None,
                "error": None if error is None else str(error),
            }
            for device_id, error in zip(targeted, errors, strict=True)
        ]
    }


def _raise(errors: list[HomeAssistantError]) -> None:
    if len(errors) > 1:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="several_failed",
            translation_placeholders={"errors": "; ".join(map(str, errors))},
        )
    if errors:
        raise errors[0]


@callback
def async_targeted(call: ServiceCall) -> dict[str, MinerCoordinator]:
    """Return the miners that a target means, by device, entity, area or label.

    The keys are the ids of their devices in the device registry.

    Raises:
        ServiceValidationError: there is no miner among them.
    """
    selected = async_extract_referenced_entity_ids(
        call.hass, TargetSelection(call.data)
    )
    devices = set(selected.referenced_devices)
    entities = er.async_get(call.hass)
    for entity_id in selected.referenced | selected.indirectly_referenced:
        entity = entities.async_get(entity_id)
        if entity is not None and entity.device_id is not None:
            devices.add(entity.device_id)
    found = dict(_coordinators(call.hass, devices))
    if not found:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="no_miner_targeted"
        )
    return found


def _coordinators(
    hass: HomeAssistant, device_ids: Iterable[str]
) -> Iterable[tuple[str, MinerCoordinator]]:
    registry = dr.async_get(hass)
    for device_id in sorted(device_ids):
        device = registry.async_get(device_id)
        if device is None or device.config_entry_id is None:
            continue
        entry = hass.config_entries.async_get_entry(device.config_entry_id)
        if (
            entry is None
            or entry.domain != DOMAIN
            or entry.state is not ConfigEntryState.LOADED
        ):
            continue
        site: MiningConfigEntry = entry
        for domain, key in device.identifiers:
            if domain == DOMAIN and key in site.runtime_data.coordinators:
                yield device_id, site.runtime_data.coordinators[key]

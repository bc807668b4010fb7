"""The actions: scan a network, and commands for miners on any target."""

from typing import Any, Final

from homeassistant.const import CONF_PASSWORD, CONF_USERNAME
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

from .actions_inventory import async_setup_inventory_actions
from .actions_miners import async_setup_miner_actions
from .const import CONF_TARGETS, DOMAIN
from .devices import device_session
from .inventory import info_as_dict
from .networks import async_local_networks
from .sdk import MiningSDKError, scan

ACTION_SCAN: Final = "scan"

_SCAN_SCHEMA = vol.Schema(
    {
        vol.Optional(CONF_TARGETS): vol.All(cv.ensure_list, [cv.string]),
        vol.Optional(CONF_USERNAME): cv.string,
        vol.Optional(CONF_PASSWORD): cv.string,
    }
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
    async_setup_inventory_actions(hass)
    async_setup_miner_actions(hass)


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

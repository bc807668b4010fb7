"""System health: the sites and their devices in a few numbers."""

from typing import Any

from homeassistant.components.system_health import SystemHealthRegistration
from homeassistant.core import HomeAssistant, callback

from .sites import async_fleets


@callback
def async_register(hass: HomeAssistant, register: SystemHealthRegistration) -> None:
    """Register what is shown."""
    register.async_register_info(_async_info)


async def _async_info(hass: HomeAssistant) -> dict[str, Any]:
    fleets = list(async_fleets(hass))
    return {
        "sites": len(fleets),
        "devices": sum(fleet.totals.total for fleet in fleets),
        "devices_online": sum(fleet.totals.online for fleet in fleets),
    }

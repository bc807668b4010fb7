"""What a search comes upon beside miners: meters, sensors and containers."""

import asyncio
from collections.abc import Iterable
from typing import Any, Final

from homeassistant.config_entries import ConfigSubentryData
from homeassistant.const import CONF_HOST
from homeassistant.core import HomeAssistant
from homeassistant.loader import IntegrationNotFound
from homeassistant.requirements import (
    RequirementsNotFound,
    async_get_integration_with_requirements,
)

from .attached import MODBUS
from .attached_check import Errors, async_check, identity, is_there
from .const import ATTACHED, CONF_DRIVER, LOGGER
from .inventory import address
from .sdk import DeviceInfo, registry
from .sites import async_sites

_TYPES: Final = {kind: subentry_type for subentry_type, kind in ATTACHED.items()}
_FIRST_UNIT: Final = 1


async def async_enable_modbus(hass: HomeAssistant) -> None:
    """Have the library at hand with which a search asks meters who they are.

    Home Assistant brings it when its Modbus integration is first used. Without it a
    search finds the rest.
    """
    try:
        await async_get_integration_with_requirements(hass, "modbus")
    except (IntegrationNotFound, RequirementsNotFound) as error:
        LOGGER.info("Meters on Modbus are not looked for: %s", error)


def is_attached(info: DeviceInfo) -> bool:
    """Tell whether a device becomes a part of a site that is configured by itself."""
    return info.kind in _TYPES


def is_offered(hass: HomeAssistant, info: DeviceInfo) -> bool:
    """Tell whether a search offers a device that is not a miner."""
    return (
        is_attached(info)
        # Its entities can be used by the site instead.
        and registry.get(info.driver).integration is None
        and not is_added(hass, info)
    )


def is_added(hass: HomeAssistant, info: DeviceInfo) -> bool:
    """Tell whether a site has the device already."""
    data = _data(info)
    return any(
        is_there(subentry.data, data)
        for entry in async_sites(hass)
        for subentry in entry.subentries.values()
    )


async def async_subentries(
    hass: HomeAssistant, found: Iterable[DeviceInfo]
) -> tuple[list[ConfigSubentryData], Errors]:
    """Read devices once; return what is kept of them, or what is wrong with one."""
    found = list(found)
    read = await asyncio.gather(*(async_check(hass, _data(info)) for info in found))
    kept = [
        ConfigSubentryData(
            data=_data(info),
            subentry_type=_TYPES[info.kind],
            title=title,
            unique_id=identity(_data(info)),
        )
        for info, (title, _) in zip(found, read, strict=True)
    ]
    return kept, next((errors for _, errors in read if errors), {})


def _data(info: DeviceInfo) -> dict[str, Any]:
    data: dict[str, Any] = {CONF_DRIVER: info.driver, CONF_HOST: address(info)}
    if MODBUS in registry.get(info.driver).all_options():
        data[MODBUS] = _FIRST_UNIT
    return data

"""Make SDK devices that use Home Assistant's network session."""

import aiohttp
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from .sdk import DeviceInfo, Miner, NotSupported, registry


def make_device(
    info: DeviceInfo,
    session: aiohttp.ClientSession,
    username: str | None = None,
    password: str | None = None,
) -> Miner:
    """Return the device that these facts describe, not connected yet."""
    device = registry.get(info.driver)(
        info.host,
        port=info.port,
        username=username,
        password=password,
        session=session,
        model=info.model,
        serial_number=info.serial_number,
    )
    if not isinstance(device, Miner):
        raise NotSupported(f"{info.driver} is no miner")
    return device


def device_session(hass: HomeAssistant) -> aiohttp.ClientSession:
    """Return Home Assistant's session for devices with certificates of their own."""
    return async_get_clientsession(hass, verify_ssl=False)

"""The networks of this machine, as far as a search of them makes sense."""

from ipaddress import ip_network

from homeassistant.components import network, zeroconf
from homeassistant.core import HomeAssistant

# A home's network is no larger; searching more than this needs a range by hand.
_LONGEST_SEARCH = 24


async def async_local_networks(hass: HomeAssistant) -> list[str]:
    """Return the IPv4 networks of the enabled adapters, each at most a /24."""
    found: list[str] = []
    for adapter in await network.async_get_adapters(hass):
        if not adapter["enabled"]:
            continue
        for address in adapter["ipv4"]:
            prefix = max(address["network_prefix"], _LONGEST_SEARCH)
            net = str(ip_network(f"{address['address']}/{prefix}", strict=False))
            if net not in found:
                found.append(net)
    return found


async def async_listener(hass: HomeAssistant) -> zeroconf.HaAsyncZeroconf | None:
    """Return what a search may listen with to devices that announce themselves."""
    if zeroconf.DOMAIN not in hass.config.components:
        return None
    return await zeroconf.async_get_async_instance(hass)

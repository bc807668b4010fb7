"""System health: a few numbers over all sites."""

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import get_system_health_info

from custom_components.miningsdk.const import DOMAIN
from tests.integration.conftest import AddSite
from tests.integration.fixtures_fleet import (
    UNREACHABLE,
    MakeScript,
    script_fixture,  # noqa: F401
)


async def test_counts_sites_and_devices(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """A site that is not set up counts for nothing."""
    assert await async_setup_component(hass, "system_health", {})
    off = script()
    off.error = UNREACHABLE
    await add_site(script().record, script().record)
    await add_site(script().record, off.record, title="Hall")
    await add_site(script().record, title="Later", setup=False)
    await hass.async_block_till_done()
    assert await get_system_health_info(hass, DOMAIN) == {
        "sites": 2,
        "devices": 4,
        "devices_online": 3,
    }

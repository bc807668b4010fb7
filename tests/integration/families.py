"""One simulated device of each family, the same in every run."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from unittest.mock import patch
from zlib import crc32

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity import Entity
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    snapshot_platform,
)
from pytest_homeassistant_custom_component.syrupy import HomeAssistantSnapshotExtension
from syrupy.assertion import SnapshotAssertion

from custom_components.miningsdk.const import CONF_DEVICES, DOMAIN, PLATFORMS
from custom_components.miningsdk.sdk import Miner
from custom_components.miningsdk.sdk.registry import find
from tests.conftest import Simulate
from tests.integration.conftest import record_of
from tests.simulators.families import families

_SITE_ID = "01SITE0SITE0SITE0SITE0SITE"
_PLATFORMS = list(Platform)


def is_controlled(name: str) -> bool:
    """Tell whether the driver of a family can at least pause and resume."""
    driver, _ = find(name)
    assert issubclass(driver, Miner)
    return driver._pause is not Miner._pause


FAMILIES = {family.driver: family for family in families()}
# What only reads has nothing to switch.
CONTROLLED = [name for name in FAMILIES if is_controlled(name)]
# Families that are recorded entity by entity; of the others a line each is.
MAIN = [
    "antminer",
    "avalon",
    "axeos",
    "cgminer",
    "nerdaxe",
    "whatsminer",
    "whatsminer-v3",
]
OTHERS = [name for name in FAMILIES if name not in MAIN]


def _host(platform: Platform, family: str) -> str:
    """Return an address of its own: names and ids may come from it."""
    place = crc32(family.encode())
    return (
        f"127.{200 + _PLATFORMS.index(platform)}.{place // 250 % 250}.{1 + place % 250}"
    )


def table(hass: HomeAssistant, entry_id: str, *, values: bool = True) -> dict[str, str]:
    """Return what there is to know of each entity in one line, by its name.

    State if wanted, and unit, device class, state class and category.
    """
    lines = {}
    for entity in er.async_entries_for_config_entry(er.async_get(hass), entry_id):
        state = hass.states.get(entity.entity_id)
        assert state is not None, entity.entity_id
        attributes = state.attributes
        facts = [
            f"{state.state if values else ''} "
            f"{attributes.get('unit_of_measurement', '')}".strip(),
            attributes.get("device_class"),
            attributes.get("state_class"),
            entity.entity_category,
        ]
        # A sensor and a number may bear one name.
        name = state.name if values else f"{state.name} ({entity.domain})"
        lines[name] = ", ".join(str(fact) for fact in facts if fact)
    return lines


type CheckPlatform = Callable[..., Awaitable[None]]


@pytest.fixture(name="recorded")
def recorded_fixture(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Return what was recorded, in the way that Home Assistant records."""
    return snapshot.use_extension(HomeAssistantSnapshotExtension)


@pytest.fixture(name="check_platform")
async def check_platform_fixture(
    hass: HomeAssistant,
    simulate: Simulate,
    recorded: SnapshotAssertion,
) -> AsyncGenerator[CheckPlatform]:
    """Return a function that compares a family's entities with the recorded ones.

    All that is known of them, or with ``short=True`` a line each; of one platform,
    or of all.
    """
    entry = MockConfigEntry(domain=DOMAIN, title="Home", entry_id=_SITE_ID)
    platforms: list[Platform] = []

    async def check(
        platform: Platform | None, name: str, *, short: bool = False
    ) -> None:
        platforms[:] = PLATFORMS if platform is None else [platform]
        family = FAMILIES[name]
        device = await simulate(
            family.simulator,
            host=_host(platform or Platform.SENSOR, name),
            **family.options,
        )
        record = await record_of(device, family.username, family.password)
        entry.add_to_hass(hass)
        hass.config_entries.async_update_entry(
            entry, data={CONF_DEVICES: [record.as_dict()]}
        )
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        if short:
            # Values of a device that counts by the clock are not the same each time.
            values = platform is not None
            assert table(hass, entry.entry_id, values=values) == recorded
        else:
            await snapshot_platform(hass, er.async_get(hass), recorded, entry.entry_id)

    with (
        patch("custom_components.miningsdk.PLATFORMS", new=platforms),
        patch.object(Entity, "entity_registry_enabled_default", new=True),
    ):
        yield check
        await hass.config_entries.async_unload(entry.entry_id)

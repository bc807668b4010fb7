"""Remove from the registry what the configuration of a device rules out by now."""

from collections.abc import Iterator

from homeassistant.core import callback
from homeassistant.helpers import entity_registry as er

from .attached import AttachedCoordinator
from .const import (
    CONF_POWER_ENTITY,
    CONF_ROOM_ENTITY,
    CONF_TEMPERATURE_ENTITY,
    DOMAIN,
    SUBENTRY_CONTAINER,
)

_ALLOW_COOLING = "allow_cooling"
# What may be commanded only where the user allowed it; "_" stands for any that follow.
_CONTROLS = (
    ("switch", "cooling"),
    ("switch", "actuator_"),
    ("number", "setpoint_"),
    ("button", "reset_cooling"),
)
# What another integration measures, by the option that names its entity.
FOLLOWED = {
    CONF_POWER_ENTITY: "power_measured",
    CONF_TEMPERATURE_ENTITY: "temperature_inlet",
    CONF_ROOM_ENTITY: "temperature_room",
}
# Where the same is shown instead, of which only one can be there.
_OTHER = {
    "sensor": "number",
    "number": "sensor",
    "binary_sensor": "switch",
    "switch": "binary_sensor",
}


@callback
def async_prune(coordinator: AttachedCoordinator) -> None:
    """Remove the entities of a container that an option no longer provides for.

    They would stay as unavailable, and a switch of the cooling would look as if it
    were only for the moment that it cannot be used.
    """
    if coordinator.subentry.subentry_type != SUBENTRY_CONTAINER:
        return
    unwanted = tuple(_unwanted(coordinator))
    registry = er.async_get(coordinator.hass)
    prefix = f"{coordinator.id}_"
    for entry in er.async_entries_for_device(
        registry, coordinator.device_id, include_disabled_entities=True
    ):
        key = entry.unique_id.removeprefix(prefix)
        if any(_fits(entry.domain, key, *one) for one in unwanted):
            registry.async_remove(entry.entity_id)


def _unwanted(coordinator: AttachedCoordinator) -> Iterator[tuple[str, str]]:
    data = coordinator.subentry.data
    if not data.get(_ALLOW_COOLING):
        yield from _CONTROLS
    for option, key in FOLLOWED.items():
        if option not in data:
            yield "sensor", key
    if CONF_POWER_ENTITY in data:
        yield "sensor", "power"
    if coordinator not in coordinator.fleet.containers:
        yield "sensor", "miners_"


def _fits(domain: str, key: str, wanted_domain: str, wanted: str) -> bool:
    if domain != wanted_domain:
        return False
    return key.startswith(wanted) if wanted.endswith("_") else key == wanted


@callback
def async_replace(coordinator: AttachedCoordinator, domain: str, key: str) -> None:
    """Make room for an entity that shows what one of another platform did before.

    A setpoint is a number where it may be set, and else a sensor; a pump is a switch
    or a binary sensor.
    """
    if (other := _OTHER.get(domain)) is None:
        return
    registry = er.async_get(coordinator.hass)
    unique_id = f"{coordinator.id}_{key}"
    if entity_id := registry.async_get_entity_id(other, DOMAIN, unique_id):
        registry.async_remove(entity_id)

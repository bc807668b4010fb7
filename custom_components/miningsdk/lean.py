"""Entities by the thousand: what each of them need not remember by itself."""

from collections.abc import Mapping
from inspect import getattr_static
from typing import Final

from homeassistant.components.sensor import SensorEntity
from homeassistant.helpers.entity import Entity
from propcache.api import cached_property

# What no entity of a miner tells apart from what its description and texts do.
_SAME_FOR_ALL: Final[Mapping[str, object]] = {
    "assumed_state": False,
    "attribution": None,
    "capability_attributes": None,
    "device_info": None,
    "entity_picture": None,
    "entity_registry_visible_default": True,
    "extra_state_attributes": None,
    "force_update": False,
    "has_entity_name": True,
    "icon": None,
    "last_reset": None,
    "should_poll": False,
    "state_attributes": None,
    "suggested_unit_of_measurement": None,
    "supported_features": None,
    "translation_placeholders": {},
    "unit_of_measurement": None,
}
# What is quickly told from the description, or kept already under another name.
_TOLD_ANEW: Final = (
    "current_option",
    "device_class",
    "entity_category",
    "is_on",
    "native_unit_of_measurement",
    "native_value",
    "options",
    "state_class",
    "suggested_display_precision",
    "translation_key",
    "unique_id",
    # These make the name, which is remembered.
    "_device_class_name",
    "_name_translation_key",
    "_object_id_device_class_name",
)
# What is remembered all the same, by Home Assistant and by the entities of miners.
_REMEMBERED: Final = (
    "hass",
    "platform",
    "platform_data",
    "parallel_updates",
    "registry_entry",
    "device_entry",
    "entity_id",
    "entity_description",
    "coordinator",
    "internal_integration_suggested_object_id",
    "name",
    "entity_registry_enabled_default",
    "_platform_state",
    "_state_info",
    "_on_remove",
    "_unsub_device_updates",
    "_verified_state_writable",
    "_cached_friendly_name",
    "_removed_from_registry",
    "_written",
    "_written_at",
    "__attr_unique_id",
)
_REMEMBERED_BY_SENSORS: Final = (
    "_sensor_option_display_precision",
    "_sensor_option_unit_of_measurement",
    "_unit_of_measurement_translation_key",
    "__attr_native_value",
)


def lean[E: Entity](kind: type[E]) -> type[E]:
    """Have the entities of a class keep little, and return the class.

    Home Assistant remembers forty answers in each entity, which takes 1.6 kB. With no
    more than thirty, all entities of a class share one table of names. What a class
    answers by itself is left as it is.
    """
    for name, value in _SAME_FOR_ALL.items():
        if isinstance(getattr_static(kind, name, None), cached_property):
            setattr(kind, name, value)
    for name in _TOLD_ANEW:
        found = getattr_static(kind, name, None)
        if isinstance(found, cached_property):
            setattr(kind, name, property(found.func))
    # The table has room for few names once there are many entities without them.
    more = _REMEMBERED_BY_SENSORS if issubclass(kind, SensorEntity) else ()
    vars(kind.__new__(kind)).update(dict.fromkeys((*_REMEMBERED, *more)))
    return kind

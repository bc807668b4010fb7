"""The forms of what is configured by hand: each driver asks for what it takes."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_USERNAME
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    ObjectSelector,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import voluptuous as vol

from .attached import MQTT, REGISTERS, SECURE
from .attached_check import TABLE
from .const import (
    ATTACHED,
    CONF_DEVICES,
    CONF_POWER_ENTITY,
    CONF_ROOM_ENTITY,
    CONF_TARGETS,
    CONF_TEMPERATURE_ENTITY,
    SUBENTRY_CONTAINER,
    SUBENTRY_POOL,
)
from .forms import PASSWORD, TEXT, label_of, measuring_entity, miner_options
from .inventory import Record
from .sdk import AnyDevice, registry


def _whole(highest: int) -> NumberSelector:
    return NumberSelector(
        NumberSelectorConfig(min=0, max=highest, step=1, mode=NumberSelectorMode.BOX)
    )


# How the options that only some drivers take are asked for, and what they begin with.
_OPTIONS: Mapping[str, tuple[Any, Any]] = MappingProxyType(
    {
        "unit": (_whole(255), 1),
        "channel": (_whole(63), vol.UNDEFINED),
        "base": (_whole(65_535), vol.UNDEFINED),
        TABLE: (ObjectSelector(), vol.UNDEFINED),
        REGISTERS: (TEXT, vol.UNDEFINED),
        "topic": (TEXT, vol.UNDEFINED),
        "anonymous": (BooleanSelector(), False),
        "invert": (BooleanSelector(), False),
        "allow_cooling": (BooleanSelector(), False),
        # Left empty: as the address tells.
        SECURE: (
            SelectSelector(
                SelectSelectorConfig(
                    options=["https", "http"], mode=SelectSelectorMode.DROPDOWN
                )
            ),
            vol.UNDEFINED,
        ),
    }
)


def details_schema(
    driver: type[AnyDevice],
    subentry_type: str,
    miners: Iterable[Record] = (),
    own: Iterable[str] = (),
) -> vol.Schema:
    """Return the form that a driver needs.

    ``miners`` are those that may be put into a container, ``own`` the entities that
    it has itself.
    """
    options = driver.all_options()
    # A pool has an address of its own, and Home Assistant knows an MQTT broker.
    optional = subentry_type == SUBENTRY_POOL or MQTT in options
    host = vol.Optional(CONF_HOST) if optional else vol.Required(CONF_HOST)
    fields: dict[vol.Marker, Any] = {host: TEXT}
    for name in options:
        if name in _OPTIONS:
            selector, default = _OPTIONS[name]
            fields[vol.Optional(name, default=default)] = selector
    if _takes_account(driver, subentry_type):
        fields[vol.Optional(CONF_USERNAME)] = TEXT
        fields[vol.Optional(CONF_PASSWORD)] = PASSWORD
    if subentry_type == SUBENTRY_CONTAINER:
        fields |= _container_fields(list(miners), list(own))
    return vol.Schema(fields)


def _takes_account(driver: type[AnyDevice], subentry_type: str) -> bool:
    """Tell whether an account is typed; what pairs is asked for its password itself."""
    if subentry_type == SUBENTRY_POOL:
        return True
    return driver.needs_password != "never" and not driver.pairs


def _container_fields(miners: list[Record], own: list[str]) -> dict[vol.Marker, Any]:
    fields: dict[vol.Marker, Any] = {vol.Optional(CONF_TARGETS): TEXT}
    if miners:
        fields[vol.Optional(CONF_DEVICES)] = SelectSelector(
            SelectSelectorConfig(
                options=miner_options(miners),
                multiple=True,
                mode=SelectSelectorMode.DROPDOWN,
            )
        )
    fields[vol.Optional(CONF_POWER_ENTITY)] = measuring_entity("power", own)
    for key in (CONF_TEMPERATURE_ENTITY, CONF_ROOM_ENTITY):
        fields[vol.Optional(key)] = measuring_entity("temperature", own)
    return fields


def driver_choice(subentry_type: str) -> SelectSelector:
    """Return a choice of all drivers of a kind."""
    kind = ATTACHED[subentry_type]
    return SelectSelector(
        SelectSelectorConfig(
            options=[
                SelectOptionDict(value=driver.name, label=label_of(driver))
                for driver in registry.drivers()
                if driver.kind is kind
            ],
            mode=SelectSelectorMode.DROPDOWN,
            sort=True,
        )
    )

"""Power and temperature that other integrations measure for a site and its miners."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from homeassistant.const import (
    ATTR_UNIT_OF_MEASUREMENT,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
    UnitOfPower,
    UnitOfTemperature,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util.unit_conversion import (
    BaseUnitConverter,
    PowerConverter,
    TemperatureConverter,
)

from .const import CONF_PLUGS
from .sdk import MinerStats

if TYPE_CHECKING:
    from .containers import Plugged


@callback
def async_number(hass: HomeAssistant, entity_id: str) -> tuple[float | None, str]:
    """Return the state of an entity as a number, and its unit."""
    state = hass.states.get(entity_id)
    if state is None or state.state in (STATE_UNAVAILABLE, STATE_UNKNOWN):
        return None, ""
    try:
        value = float(state.state)
    except ValueError:
        return None, ""
    return value, str(state.attributes.get(ATTR_UNIT_OF_MEASUREMENT) or "")


def _converted(
    hass: HomeAssistant,
    entity_id: str,
    converter: type[BaseUnitConverter],
    wanted: str,
) -> float | None:
    value, unit = async_number(hass, entity_id)
    if value is None:
        return None
    try:
        return converter.convert(value, unit or wanted, wanted)
    except HomeAssistantError:
        return None


@callback
def async_power(hass: HomeAssistant, entity_id: str) -> float | None:
    """Return the power that an entity measures, in W."""
    return _converted(hass, entity_id, PowerConverter, UnitOfPower.WATT)


@callback
def async_temperature(hass: HomeAssistant, entity_id: str) -> float | None:
    """Return the temperature that an entity measures, in °C."""
    return _converted(hass, entity_id, TemperatureConverter, UnitOfTemperature.CELSIUS)


type Plug = str | Plugged


def plug_of(
    options: Mapping[str, Any], device_id: str, plugged: Plugged | None
) -> Plug | None:
    """Return what measures a device's power, if that is not the device itself.

    An entity that the user named, or else the socket that it is plugged into, where
    its container measures that.
    """
    plugs: Mapping[str, str] = options.get(CONF_PLUGS, {})
    if entity_id := plugs.get(device_id):
        return entity_id
    return plugged if plugged is not None and plugged.measures else None


def name_of(plug: Plug) -> str:
    """Return the id of the entity, or what people call the socket."""
    return plug if isinstance(plug, str) else plug.name


@callback
def async_with_plug(
    hass: HomeAssistant, plug: Plug | None, stats: MinerStats
) -> MinerStats:
    """Return the reading with the power of the miner's own plug, if it has one.

    A plug that tells nothing makes the power unknown: what the miner thinks it draws
    must not appear under the name of what was measured.
    """
    if plug is None:
        return stats
    power = async_power(hass, plug) if isinstance(plug, str) else plug.power
    efficiency = (
        round(power / stats.hashrate, 2)
        if power is not None and stats.hashrate
        else None
    )
    return replace(stats, power=power, efficiency=efficiency)

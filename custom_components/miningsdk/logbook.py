"""Tell in the activity log that a device is another machine now."""

from collections.abc import Callable, Mapping
from typing import Any

from homeassistant.components.logbook import LOGBOOK_ENTRY_MESSAGE, LOGBOOK_ENTRY_NAME
from homeassistant.const import ATTR_NAME
from homeassistant.core import Event, HomeAssistant, callback

from .const import DOMAIN
from .replacement import ATTR_NEW, ATTR_OLD, EVENT_MACHINE_REPLACED

type Describe = Callable[[str, str, Callable[[Event], dict[str, str]]], None]


@callback
def async_describe_events(hass: HomeAssistant, async_describe_event: Describe) -> None:
    """Describe the events of sites."""
    async_describe_event(DOMAIN, EVENT_MACHINE_REPLACED, _described)


@callback
def _described(event: Event) -> dict[str, str]:
    old, new = _called(event.data[ATTR_OLD]), _called(event.data[ATTR_NEW])
    return {
        LOGBOOK_ENTRY_NAME: event.data[ATTR_NAME],
        LOGBOOK_ENTRY_MESSAGE: f"is another machine now: {new} in place of {old}",
    }


def _called(machine: Mapping[str, Any]) -> str:
    """Return what tells a machine from others."""
    known = (machine["model"] or machine["make"], _identity(machine))
    return " ".join(text for text in known if text) or "an unknown machine"


def _identity(machine: Mapping[str, Any]) -> str | None:
    identity: str | None = machine["serial_number"] or machine["mac"]
    return identity

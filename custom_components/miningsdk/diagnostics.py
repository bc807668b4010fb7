"""Diagnostics: what helps to find a fault, without what must stay private."""

from dataclasses import asdict
from typing import Any

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import DeviceEntry

from .const import DOMAIN
from .coordinator import MinerCoordinator, MiningConfigEntry

TO_REDACT = {
    "hostname",
    "mac",
    "password",
    "serial_number",
    "targets",
    "title",
    "unique_id",
    "url",
    "user",
    "username",
}


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: MiningConfigEntry
) -> dict[str, Any]:
    """Return the diagnostics of a site."""
    fleet = entry.runtime_data
    return {
        "options": dict(entry.options),
        "detail": fleet.detail.name.lower(),
        "totals": asdict(fleet.totals),
        "ranges": [
            async_redact_data(dict(subentry.data), TO_REDACT)
            for subentry in entry.subentries.values()
        ],
        "devices": [_device(c) for c in fleet.coordinators.values()],
    }


async def async_get_device_diagnostics(
    hass: HomeAssistant, entry: MiningConfigEntry, device: DeviceEntry
) -> dict[str, Any]:
    """Return the diagnostics of one miner, or of the site's own device."""
    coordinators = entry.runtime_data.coordinators
    for domain, key in device.identifiers:
        if domain == DOMAIN and key in coordinators:
            return _device(coordinators[key])
    return await async_get_config_entry_diagnostics(hass, entry)


def _device(coordinator: MinerCoordinator) -> dict[str, Any]:
    record = coordinator.record
    stored = record.as_dict()
    # The id is made of a serial number or a MAC.
    stored.pop("id")
    described: dict[str, Any] = async_redact_data(
        {
            "record": stored,
            "available": coordinator.available,
            "problem": coordinator.problem,
            "stats": None if coordinator.data is None else asdict(coordinator.data),
        },
        TO_REDACT,
    )
    described["record"]["info"]["host"] = "**REDACTED**"
    if described["problem"]:
        described["problem"] = described["problem"].replace(
            record.info.host, "**REDACTED**"
        )
    return described

"""Diagnostics: what helps to find a fault, without what must stay private."""

from collections.abc import Mapping
from dataclasses import replace
import re
from typing import Any

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.const import CONF_HOST, CONF_USERNAME
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import DeviceEntry
import orjson

from .attached import AttachedCoordinator
from .const import CONF_DEVICES, CONF_PLUGS, CONF_SOCKETS, DOMAIN
from .coordinator import MinerCoordinator, MiningConfigEntry
from .polling import DeviceCoordinator
from .positions import CONF_RULE
from .sdk import DeviceInfo, PoolStats, to_json

_REDACTED = "**REDACTED**"
TO_REDACT = {
    # Of a container: its miners, by what they are known by.
    CONF_DEVICES,
    "host",
    "hostname",
    "id",
    "mac",
    "password",
    "serial_number",
    "targets",
    "title",
    "topic",
    "unique_id",
    "url",
    "user",
    "username",
}


# Options tell no more than that of what is private.
_ACCOUNT = {"password", "username"}


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: MiningConfigEntry
) -> dict[str, Any]:
    """Return the diagnostics of a site."""
    fleet = entry.runtime_data
    return {
        "options": _options(entry.options),
        "detail": fleet.detail.key,
        "detail_reason": fleet.level.reason,
        "totals": _plain(fleet.totals),
        "ranges": [
            async_redact_data(dict(subentry.data), TO_REDACT)
            for subentry in entry.subentries.values()
        ],
        "devices": [_device(c) for c in fleet.coordinators.values()],
        "attached": [_attached(c) for c in fleet.attached.values()],
    }


async def async_get_device_diagnostics(
    hass: HomeAssistant, entry: MiningConfigEntry, device: DeviceEntry
) -> dict[str, Any]:
    """Return the diagnostics of one device, or of the site itself."""
    fleet = entry.runtime_data
    for domain, key in device.identifiers:
        if domain == DOMAIN and key in fleet.coordinators:
            return _device(fleet.coordinators[key])
        if domain == DOMAIN and key in fleet.attached:
            return _attached(fleet.attached[key])
    return await async_get_config_entry_diagnostics(hass, entry)


def _options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options; what is kept by device would tell serial numbers and MACs."""
    by_device = {CONF_PLUGS, CONF_SOCKETS}.intersection(options)
    found = {**options, **{key: list(options[key].values()) for key in by_device}}
    if CONF_RULE in found:
        # What it makes of addresses helps; the addresses themselves are private.
        found[CONF_RULE] = re.sub(r"\d+", "#", found[CONF_RULE])
    return async_redact_data(found, _ACCOUNT)


def _device(coordinator: MinerCoordinator) -> dict[str, Any]:
    described = {"record": coordinator.record.as_dict(), **_polled(coordinator)}
    if position := coordinator.position:
        described["position"] = position.as_dict()
    if plug := coordinator.plug:
        described["measured_by"] = plug if isinstance(plug, str) else "socket"
    if plugged := coordinator.fleet.containers.socket_of(coordinator.id):
        described["socket"] = plugged.described
    return _redacted(described, coordinator.record.info)


def _attached(coordinator: AttachedCoordinator) -> dict[str, Any]:
    device, data = coordinator.device, coordinator.subentry.data
    described = {
        "kind": coordinator.subentry.subentry_type,
        "info": device.info,
        "configured": dict(data),
        **_polled(coordinator),
    }
    if isinstance(stats := coordinator.data, PoolStats):
        # Workers bear the names that their owner gave them, and often the account's.
        described["stats"] = replace(stats, workers=())
    # The topic of a container is what it is known by, like a serial number.
    more = (data.get(CONF_HOST), data.get(CONF_USERNAME), data.get("topic"))
    return _redacted(described, device.info, *more)


def _polled(coordinator: DeviceCoordinator[Any, Any]) -> dict[str, Any]:
    return {
        "available": coordinator.available,
        "problem": coordinator.problem,
        "stats": coordinator.data,
    }


def _redacted(
    described: dict[str, Any], info: DeviceInfo, *more: str | None
) -> dict[str, Any]:
    redacted: dict[str, Any] = async_redact_data(_plain(described), TO_REDACT)
    words = [w for w in (info.host, info.mac, info.serial_number, *more) if w]
    # What the device and its driver put into words may name it too.
    for key in ("problem", "stats"):
        redacted[key] = _without(redacted[key], words)
    return redacted


def _plain(value: object) -> Any:
    """Return plain JSON; the redaction would not look into tuples."""
    return orjson.loads(to_json(value))


def _without(value: Any, words: list[str]) -> Any:
    """Return the same with each of the words blacked out in all texts."""
    if isinstance(value, dict):
        return {key: _without(inner, words) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without(inner, words) for inner in value]
    if isinstance(value, str):
        for word in words:
            value = value.replace(word, _REDACTED)
    return value

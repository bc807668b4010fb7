"""Try a device that is configured by hand, before anything of it is kept."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_USERNAME
from homeassistant.core import HomeAssistant

from .attached import (
    MQTT,
    REGISTERS,
    async_prepare,
    make_attached,
    temporary_modbus,
)
from .const import ATTACHED, CONF_DRIVER, CONF_TARGETS, LOGGER, SUBENTRY_POOL
from .flow_range import range_errors
from .forms import error_key
from .sdk import AnyDevice, MiningSDKError
from .sdk.targets import InvalidTarget, register_addresses

TABLE = "table"
# Two devices of a site that agree in all these are one.
_IDENTITY = (CONF_HOST, CONF_USERNAME, "unit", "channel", "base", "topic")
# What a search can tell of a device.
_PLACE = (CONF_DRIVER, CONF_HOST, "unit")

type Errors = dict[str, str]

# What is said of a device that refuses its account.
REFUSED: Errors = {"base": "invalid_auth"}


@asynccontextmanager
async def _device(
    hass: HomeAssistant, data: Mapping[str, Any]
) -> AsyncGenerator[AnyDevice]:
    await async_prepare(hass, data)
    async with temporary_modbus(hass) as units:
        device = make_attached(hass, data, units)
        try:
            yield device
        finally:
            await device.close()


async def async_check(
    hass: HomeAssistant, data: Mapping[str, Any]
) -> tuple[str, Errors]:
    """Read a device once; return what to call it, or what is wrong by field."""

    async def check() -> str:
        async with _device(hass, data) as device:
            await device.check_credentials()
            await device.read()
            return title_of(device, data)

    return await _tried(check, data)


async def async_pair(
    hass: HomeAssistant, entry: ConfigEntry, data: Mapping[str, Any]
) -> tuple[str, Errors]:
    """Have a device make a password at its button; return that, or what is wrong."""

    async def pair() -> str:
        async with _device(hass, data) as device:
            # Each site has one of its own: a new one voids the last of the same name.
            return await device.pair(f"home-assistant-{entry.entry_id[-6:].lower()}")

    password, errors = await _tried(pair, data)
    return password, {"base": "not_paired"} if errors == REFUSED else errors


async def _tried(
    work: Callable[[], Awaitable[str]], data: Mapping[str, Any]
) -> tuple[str, Errors]:
    try:
        return await work(), {}
    except MiningSDKError as error:
        return "", _problem(error, data)
    except Exception:  # noqa: BLE001 # A driver of a third party may fail anyhow.
        LOGGER.exception("Looking at %s failed", data.get(CONF_HOST))
        return "", {"base": "unknown"}


def typed_errors(data: Mapping[str, Any]) -> Errors:
    """Return what was typed wrongly, by field; nothing is asked for that."""
    if data.get(CONF_TARGETS) and range_errors(data):
        return {CONF_TARGETS: "invalid_targets"}
    if data.get(REGISTERS):
        try:
            register_addresses(data[REGISTERS])
        except InvalidTarget:
            return {REGISTERS: "invalid_registers"}
    return {}


def _problem(error: MiningSDKError, data: Mapping[str, Any]) -> Errors:
    """Return the key of what is wrong, by field."""
    if isinstance(error, InvalidTarget):
        return {CONF_HOST: "invalid_host"}
    # A wrong table is told apart by being a wrong value as well.
    if isinstance(error, ValueError) and data.get(TABLE) is not None:
        return {TABLE: "invalid_table"}
    return {"base": error_key(error)}


def is_taken(
    entry: ConfigEntry, data: Mapping[str, Any], own: str | None = None
) -> bool:
    """Tell whether a site has the device already, under another subentry."""
    return any(
        subentry.unique_id == identity(data)
        for subentry in entry.subentries.values()
        if subentry.subentry_id != own
    )


def is_there(known: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Tell whether a configured device is the one that was found."""
    return all(_plain(known.get(key)) == _plain(found.get(key)) for key in _PLACE)


def identity(data: Mapping[str, Any]) -> str:
    """Return what tells a configured device from all others of its driver."""
    return "|".join((data[CONF_DRIVER], *(_plain(data.get(k)) for k in _IDENTITY)))


def _plain(value: object) -> str:
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value).strip().lower()


def with_account(
    data: Mapping[str, Any], username: str | None, password: str | None
) -> dict[str, Any]:
    """Return the data of a device with another account; an empty field clears it."""
    given = {CONF_USERNAME: username, CONF_PASSWORD: password}
    kept = {key: value for key, value in data.items() if key not in given}
    return {**kept, **{key: value for key, value in given.items() if value}}


def title_of(device: AnyDevice, data: Mapping[str, Any]) -> str:
    """Return what the device is called until the user renames it."""
    info = device.info
    name = info.model or info.make or info.driver
    keys = (CONF_HOST, MQTT)
    if info.kind is ATTACHED[SUBENTRY_POOL]:
        keys = (CONF_USERNAME, CONF_HOST)
    where = next((data[key] for key in keys if data.get(key)), info.host)
    return f"{name} ({where})"

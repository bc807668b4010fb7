"""What the flows share: forms, and trying a device before anything is stored."""

import asyncio
from collections.abc import Awaitable, Iterable
from contextlib import suppress
from dataclasses import dataclass

from homeassistant.const import CONF_PASSWORD, CONF_USERNAME
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.selector import (
    EntitySelector,
    EntitySelectorConfig,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import voluptuous as vol

from .const import CONNECTION_LIMIT, DOMAIN, LOGGER
from .devices import device_session, make_device
from .fleet import LIMITER
from .inventory import Record, address
from .sdk import (
    AnyDevice,
    AuthenticationFailed,
    DeviceInfo,
    DeviceKind,
    DeviceTimeout,
    DeviceUnreachable,
    InvalidReply,
    LockedOut,
    MiningSDKError,
    NotSupported,
    identify,
    register_miner,
    registry,
)
from .sdk.targets import InvalidTarget, single

PASSWORD = TextSelector(
    TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="current-password")
)
TEXT = TextSelector(TextSelectorConfig(type=TextSelectorType.TEXT))

_ERRORS: tuple[tuple[type[MiningSDKError], str], ...] = (
    (LockedOut, "locked_out"),
    (AuthenticationFailed, "invalid_auth"),
    (DeviceTimeout, "timeout"),
    (DeviceUnreachable, "cannot_connect"),
    (NotSupported, "not_supported"),
    (InvalidReply, "invalid_reply"),
    (InvalidTarget, "invalid_host"),
)
# The keys that say that a device may just be off, or show nothing of what it is.
AWAY = ("cannot_connect", "timeout", "not_supported")


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of trying a device: its facts, or the key of an error."""

    info: DeviceInfo | None = None
    error: str | None = None


def credentials_schema(username: str | None = None) -> vol.Schema:
    """Return the form for an account; the password is never shown again."""
    return vol.Schema(
        {
            vol.Optional(
                CONF_USERNAME, description={"suggested_value": username}
            ): TEXT,
            vol.Optional(CONF_PASSWORD): PASSWORD,
        }
    )


async def find_device(hass: HomeAssistant, host: str) -> Checked:
    """Tell what answers at an address (``host`` or ``host:port``)."""
    return await _checked(host, _find(hass, host))


async def _find(hass: HomeAssistant, host: str) -> Checked:
    session = device_session(hass)
    target = single(host)
    found = await identify(target.host, port=target.port, session=session)
    if found is None:
        return Checked(error="not_supported")
    device = found.driver(target.host, port=found.port, session=session)
    try:
        # Some tell nothing of themselves without an account: that is asked for next.
        with suppress(AuthenticationFailed):
            await device.connect()
    finally:
        await device.close()
    return Checked(info=device.info)


async def check_device(
    hass: HomeAssistant, info: DeviceInfo, username: str | None, password: str | None
) -> Checked:
    """Try credentials on a known device."""
    return await _checked(info.host, _try(hass, info, username, password))


async def _try(
    hass: HomeAssistant, info: DeviceInfo, username: str | None, password: str | None
) -> Checked:
    device = make_device(info, device_session(hass), username, password)
    try:
        async with hass.data.setdefault(LIMITER, asyncio.Semaphore(CONNECTION_LIMIT)):
            await device.check_credentials()
    finally:
        await device.close()
    return Checked(info=device.info)


async def _checked(host: str, work: Awaitable[Checked]) -> Checked:
    try:
        return await work
    except MiningSDKError as error:
        return Checked(error=error_key(error))
    except Exception:  # noqa: BLE001 # A driver of a third party may fail in any way.
        LOGGER.exception("Looking at %s failed", host)
        return Checked(error="unknown")


def error_key(error: MiningSDKError) -> str:
    """Return the key of the form error that says this."""
    return next((key for kind, key in _ERRORS if isinstance(error, kind)), "unknown")


def offline_device(host: str, driver: str) -> DeviceInfo:
    """Describe a device that is off, by its address and what the user says it is."""
    target = single(host)
    return register_miner(driver, host=target.host, port=target.port).info


def driver_options() -> SelectSelector:
    """Return a choice of all miner drivers."""
    return SelectSelector(
        SelectSelectorConfig(
            options=[
                SelectOptionDict(value=driver.name, label=label_of(driver))
                for driver in registry.drivers()
                if driver.kind is DeviceKind.MINER
            ],
            mode=SelectSelectorMode.DROPDOWN,
            sort=True,
        )
    )


def label_of(driver: type[AnyDevice]) -> str:
    """Return make and models of a driver."""
    known = driver.models or driver.name
    if driver.make is None or driver.make in known:
        return known
    return f"{driver.make}: {known}"


def miner_options(records: Iterable[Record]) -> list[SelectOptionDict]:
    """Return miners by name and address, as a form offers them."""
    return [
        SelectOptionDict(value=record.id, label=_by_address(record))
        for record in records
    ]


def _by_address(record: Record) -> str:
    at = address(record.info)
    # What tells no name of its own is called by its address already.
    return record.name if record.name.endswith(at) else f"{record.name} ({at})"


def multi_select(
    key: str, records: Iterable[Record], *, multiple: bool = True
) -> vol.Schema:
    """Return a form to choose devices from a list, all of them to begin with."""
    records = list(records)
    default = [record.id for record in records] if multiple else vol.UNDEFINED
    return vol.Schema(
        {
            vol.Required(key, default=default): SelectSelector(
                SelectSelectorConfig(
                    options=miner_options(records),
                    multiple=multiple,
                    mode=(
                        SelectSelectorMode.LIST
                        if multiple
                        else SelectSelectorMode.DROPDOWN
                    ),
                    sort=True,
                )
            )
        }
    )


def measuring_entity(device_class: str, own: Iterable[str] = ()) -> EntitySelector:
    """Return a choice of entities that measure; a device's ``own`` are left out."""
    return EntitySelector(
        EntitySelectorConfig(
            domain="sensor", device_class=device_class, exclude_entities=list(own)
        )
    )


def own_entities(hass: HomeAssistant, entry_id: str, key: str) -> list[str]:
    """Return the entities of a device of a site, by what the device is known by."""
    device = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, key), entry_id)
    if device is None:
        return []
    found = er.async_entries_for_device(er.async_get(hass), device.id)
    return [entry.entity_id for entry in found]

"""What the flows share: forms, and trying a device before anything is stored."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from homeassistant.const import CONF_PASSWORD, CONF_USERNAME
from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import voluptuous as vol

from .devices import device_session, make_device
from .inventory import Record, address
from .sdk import (
    AnyDevice,
    AuthenticationFailed,
    DeviceInfo,
    DeviceKind,
    DeviceTimeout,
    DeviceUnreachable,
    InvalidReply,
    MiningSDKError,
    NotSupported,
    connect,
    register_miner,
    registry,
    scan,
)
from .sdk.targets import InvalidTarget, single

PASSWORD = TextSelector(
    TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="current-password")
)
TEXT = TextSelector(TextSelectorConfig(type=TextSelectorType.TEXT))

_ERRORS: tuple[tuple[type[MiningSDKError], str], ...] = (
    (AuthenticationFailed, "invalid_auth"),
    (DeviceTimeout, "timeout"),
    (DeviceUnreachable, "cannot_connect"),
    (NotSupported, "not_supported"),
    (InvalidReply, "invalid_reply"),
    (InvalidTarget, "invalid_host"),
)


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


def error_key(error: MiningSDKError) -> str:
    """Return the key of the form error that says this."""
    return next((key for kind, key in _ERRORS if isinstance(error, kind)), "unknown")


async def find_device(hass: HomeAssistant, host: str) -> Checked:
    """Tell what answers at an address (``host`` or ``host:port``)."""
    session = device_session(hass)
    try:
        device = await connect(host, session=session)
    except AuthenticationFailed:
        # It answers, but tells nothing of itself without an account.
        async for info in scan([host], session=session, second_timeout=None):
            return Checked(info=info)
        return Checked(error="invalid_auth")
    except MiningSDKError as error:
        return Checked(error=error_key(error))
    await device.close()
    return Checked(info=device.info)


def offline_device(host: str, driver: str) -> Checked:
    """Describe a device that is off, by its address and what the user says it is."""
    target = single(host)
    device = register_miner(driver, host=target.host, port=target.port)
    return Checked(info=device.info)


def driver_options() -> SelectSelector:
    """Return a choice of all miner drivers."""
    return SelectSelector(
        SelectSelectorConfig(
            options=[
                SelectOptionDict(
                    value=driver.name,
                    label=f"{driver.make or driver.name}: {driver.models}",
                )
                for driver in registry.drivers()
                if driver.kind is DeviceKind.MINER
            ],
            mode=SelectSelectorMode.DROPDOWN,
        )
    )


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
                    options=[
                        SelectOptionDict(
                            value=record.id,
                            label=f"{record.name} ({address(record.info)})",
                        )
                        for record in records
                    ],
                    multiple=multiple,
                    mode=SelectSelectorMode.LIST,
                )
            )
        }
    )


async def check_device(
    hass: HomeAssistant, info: DeviceInfo, username: str | None, password: str | None
) -> Checked:
    """Try credentials on a known device."""
    return await _check(make_device(info, device_session(hass), username, password))


async def _check(device: AnyDevice) -> Checked:
    try:
        await device.check_credentials()
    except MiningSDKError as error:
        return Checked(error=error_key(error))
    finally:
        await device.close()
    return Checked(info=device.info)


def as_list(value: Any) -> list[str]:
    """Return a field that takes one or several texts as a list."""
    return [value] if isinstance(value, str) else list(value or ())

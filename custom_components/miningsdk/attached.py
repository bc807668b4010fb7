"""Meters, sensors, containers and pool accounts: devices configured by hand."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, override

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_PORT, CONF_USERNAME
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.importlib import async_import_module
from homeassistant.setup import async_setup_component

from .const import CONF_DRIVER, DOMAIN
from .devices import device_session
from .issues import async_attached_issue, async_clear_attached_issue
from .polling import DeviceCoordinator
from .sdk import AnyDevice, DeviceKind, DeviceUnreachable, NotSupported
from .sdk.model import Stats
from .sdk.registry import get
from .sdk.targets import register_addresses, single
from .totals import Totals

if TYPE_CHECKING:
    from modbus_connection import ModbusUnit

    from .fleet import Fleet

_POOL = "Pool account"
# The options by which a driver shows that it speaks Modbus, or MQTT.
MODBUS, MQTT = "unit", "topic"
REGISTERS, SECURE = "registers", "secure"
# What forms give otherwise than drivers take it; all of their numbers are decimal ones.
_CONVERT: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {
        "unit": int,
        "channel": int,
        "base": int,
        REGISTERS: register_addresses,
        SECURE: lambda scheme: scheme == "https",
    }
)
_BASIC = (CONF_HOST, CONF_PORT, CONF_USERNAME, CONF_PASSWORD)

type Units = Callable[[str, int, int], Awaitable[ModbusUnit]]


async def async_prepare(hass: HomeAssistant, data: Mapping[str, Any]) -> None:
    """Load what the driver needs of Home Assistant; a home without it pays nothing.

    Raises:
        NotSupported: Home Assistant does not have it, or there is no such driver.
    """
    driver = get(data[CONF_DRIVER])
    options = driver.all_options()
    if MODBUS in options and not await _async_set_up_modbus(hass):
        raise NotSupported("the Modbus integration of Home Assistant does not start")
    if MQTT in options and not data.get(CONF_HOST):
        await async_import_module(hass, f"{__package__}.mqtt_link")


async def _async_set_up_modbus(hass: HomeAssistant) -> bool:
    # Whoever else waits for it is cancelled with the one who began.
    setup = async_setup_component(hass, "modbus", {})
    return await asyncio.shield(hass.async_create_task(setup))


def make_attached(
    hass: HomeAssistant, data: Mapping[str, Any], units: Units
) -> AnyDevice:
    """Return the device that a subentry describes, not connected yet.

    Raises:
        InvalidTarget: its address is none.
        MiningSDKError: there is no such driver, or what was given for it is wrong.
    """
    driver = get(data[CONF_DRIVER])
    data = _address(data, driver.kind)
    known = driver.all_options()
    given: dict[str, Any] = {
        key: _CONVERT.get(key, _same)(data[key])
        for key in (*_BASIC, *known)
        if data.get(key) not in (None, "")
    }
    if MODBUS in known:
        given["units"] = units
    if MQTT in known and CONF_HOST not in given:
        given[CONF_HOST] = "mqtt"
        # Imported by then; a home without MQTT may not have what it needs.
        from .mqtt_link import HassMqttLink  # noqa: PLC0415

        given["mqtt"] = HassMqttLink(hass)
    given.setdefault(CONF_HOST, None)
    return driver(**given, session=_session(hass, driver.kind))


def _same(value: Any) -> Any:
    return value


def _session(hass: HomeAssistant, kind: DeviceKind) -> Any:
    """Return a session; a pool gets a key, so its certificate has to be right."""
    if kind is DeviceKind.POOL:
        return async_get_clientsession(hass)
    return device_session(hass)


def _address(data: Mapping[str, Any], kind: DeviceKind) -> dict[str, Any]:
    """Return the data with a port that was typed behind the host in its own field."""
    if not data.get(CONF_HOST) or kind is DeviceKind.POOL:
        return dict(data)
    target = single(data[CONF_HOST])
    return {**data, CONF_HOST: target.host, CONF_PORT: target.port}


def shared_modbus(hass: HomeAssistant, entry: ConfigEntry[Any]) -> Units:
    """Return what hands out units on Home Assistant's own Modbus connections.

    They are let go of when the site is unloaded.
    """

    async def unit(host: str, port: int, unit_id: int) -> ModbusUnit:
        # The library is there only once Modbus has been set up.
        from homeassistant.components.modbus import async_get_unit  # noqa: PLC0415
        from modbus_connection import ModbusTcpParams  # noqa: PLC0415

        params = ModbusTcpParams(host=host, port=port)
        try:
            return async_get_unit(hass, entry, params, unit_id)
        except HomeAssistantError as error:
            raise DeviceUnreachable(str(error)) from error

    return unit


@asynccontextmanager
async def temporary_modbus(hass: HomeAssistant) -> AsyncGenerator[Units]:
    """Hand out units on the same connections, for as long as the context lasts."""
    async with AsyncExitStack() as stack:

        async def unit(host: str, port: int, unit_id: int) -> ModbusUnit:
            from homeassistant.components.modbus import (  # noqa: PLC0415
                async_get_temporary_unit,
            )
            from modbus_connection import ModbusTcpParams  # noqa: PLC0415

            params = ModbusTcpParams(host=host, port=port)
            held = async_get_temporary_unit(hass, params, unit_id)
            try:
                return await stack.enter_async_context(held)
            except HomeAssistantError as error:
                raise DeviceUnreachable(str(error)) from error

        yield unit


class AttachedCoordinator(DeviceCoordinator[AnyDevice, Stats]):
    """Poll one device that a person configured by hand."""

    def __init__(
        self, hass: HomeAssistant, fleet: Fleet, subentry: ConfigSubentry
    ) -> None:
        """Prepare to poll the device of a subentry.

        Raises:
            MiningSDKError: what is configured cannot be a device.
        """
        units = shared_modbus(hass, fleet.entry)
        super().__init__(hass, fleet, make_attached(hass, subentry.data, units))
        self.subentry = subentry
        # Limits of alarms that the user set, by reading and level.
        self.limits: dict[tuple[str, str], float] = {}
        # What the miners come to that are in it, if it is a container.
        self.totals = Totals()
        self._refused = False
        self.device_id = self._register()

    @property
    @override
    def id(self) -> str:
        """Return the id of the subentry."""
        return self.subentry.subentry_id

    @property
    @override
    def name(self) -> str:
        """Return what the user calls the device."""
        return self.subentry.title

    @property
    def device_info(self) -> DeviceInfo:
        """Return how the device stands in the device registry."""
        described = DeviceInfo(identifiers={(DOMAIN, self.id)}, name=self.name)
        described.update(self._facts())  # type: ignore[typeddict-item]
        if self.fleet.site_device_id:
            described["via_device_id"] = self.fleet.site_device_id
        return described

    def _facts(self) -> dict[str, str | None]:
        info = self.device.info
        is_pool = info.kind is DeviceKind.POOL
        return {
            "manufacturer": info.make,
            # A pool account has no model; its maker is the pool.
            "model": info.model or (_POOL if is_pool else info.driver),
            "serial_number": None if is_pool else info.serial_number,
            "sw_version": info.firmware_version,
        }

    def _register(self) -> str:
        # Registered before its entities: miners hang on the device of their container.
        registry = dr.async_get(self.hass)
        return registry.async_get_or_create(
            config_entry_id=self.fleet.entry.entry_id,
            config_subentry_id=self.id,
            **self.device_info,
        ).id

    @override
    async def async_stop(self) -> None:
        """Poll no more; a complaint about the account ends with it."""
        await super().async_stop()
        async_clear_attached_issue(self.hass, self.id)

    @override
    def _accepted(self, stats: Stats) -> bool:
        return True

    @override
    def _taken(self, stats: Stats) -> None:
        self._note_account(refused=bool(self.device.authentication_error))
        self._update_registry()
        self.fleet.async_attached_read(self)

    @override
    def _gone(self, *, refused: bool) -> None:
        if refused:
            self._note_account(refused=True)
        self.fleet.async_attached_read(self)

    def _note_account(self, *, refused: bool) -> None:
        """Complain while readings need another account; of a command, until a change.

        A reading that needs none says nothing of the account that a command wants.
        """
        if refused:
            self._account_refused()
        elif self._refused:
            async_clear_attached_issue(self.hass, self.id)
        self._refused = refused

    @override
    def _account_refused(self) -> None:
        async_attached_issue(self.hass, self.fleet.entry, self.subentry)

    def _update_registry(self) -> None:
        registry = dr.async_get(self.hass)
        facts = self._facts()
        device = registry.async_get(self.device_id)
        if device is not None and any(
            getattr(device, name) != fact for name, fact in facts.items()
        ):
            registry.async_update_device(self.device_id, **facts)  # type: ignore[arg-type]

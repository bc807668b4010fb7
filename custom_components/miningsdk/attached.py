"""Meters, sensors, containers and pool accounts: devices configured by hand."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, override

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_PORT, CONF_USERNAME
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.setup import async_setup_component

from .const import CONF_DRIVER, DOMAIN
from .devices import device_session
from .polling import DeviceCoordinator
from .sdk import AnyDevice
from .sdk.container import Container
from .sdk.model import Stats
from .sdk.registry import find
from .sdk.targets import single

if TYPE_CHECKING:
    from .fleet import Fleet

# The option by which a driver shows that it speaks Modbus.
_MODBUS = "unit"
_BASIC = (CONF_HOST, CONF_PORT, CONF_USERNAME, CONF_PASSWORD)


async def async_prepare(hass: HomeAssistant, data: Mapping[str, Any]) -> None:
    """Load what the driver needs of Home Assistant; a home without it pays nothing."""
    driver, _ = find(data[CONF_DRIVER])
    if _MODBUS in driver.all_options():
        await async_setup_component(hass, "modbus", {})


def make_attached(
    hass: HomeAssistant, data: Mapping[str, Any], **more: Any
) -> AnyDevice:
    """Return the device that a subentry describes, not connected yet."""
    driver, model = find(data[CONF_DRIVER])
    data = address_of(data)
    given = {
        key: data[key]
        for key in (*_BASIC, *driver.all_options())
        if data.get(key) not in (None, "")
    }
    given.setdefault(CONF_HOST, None)
    if _MODBUS in given:
        given[_MODBUS] = int(given[_MODBUS])
    return driver(**given, model=model, session=device_session(hass), **more)


def address_of(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data with a port that was typed behind the host in its own field."""
    if not data.get(CONF_HOST) or "/" in data[CONF_HOST]:
        return dict(data)
    target = single(data[CONF_HOST])
    return {**data, CONF_HOST: target.host, CONF_PORT: target.port}


def shared_modbus(
    hass: HomeAssistant, entry: ConfigEntry[Any]
) -> Callable[[str, int, int], Any]:
    """Return what hands out units on Home Assistant's own Modbus connections."""

    def unit(host: str, port: int, unit_id: int) -> Any:
        # The library is there only once Modbus has been set up.
        from homeassistant.components.modbus import async_get_unit  # noqa: PLC0415
        from modbus_connection import ModbusTcpParams  # noqa: PLC0415

        return async_get_unit(
            hass, entry, ModbusTcpParams(host=host, port=port), unit_id
        )

    return unit


class AttachedCoordinator(DeviceCoordinator[AnyDevice, Stats]):
    """Poll one device that a person configured by hand."""

    def __init__(
        self, hass: HomeAssistant, fleet: Fleet, subentry: ConfigSubentry
    ) -> None:
        """Prepare to poll the device of a subentry."""
        driver, _ = find(subentry.data[CONF_DRIVER])
        more: dict[str, Any] = {}
        if _MODBUS in driver.all_options():
            more["units"] = shared_modbus(hass, fleet.entry)
        super().__init__(hass, fleet, make_attached(hass, subentry.data, **more))
        self.subentry = subentry

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
        info = self.device.info
        described = DeviceInfo(
            identifiers={(DOMAIN, self.id)},
            manufacturer=info.make,
            model=info.model or info.driver,
            name=self.name,
            serial_number=info.serial_number,
            sw_version=info.firmware_version,
        )
        if self.fleet.site_device_id:
            described["via_device_id"] = self.fleet.site_device_id
        return described

    async def async_container_command(
        self, command: Callable[[Container], Awaitable[None]]
    ) -> None:
        """Run a command of a container; confirmed when this returns."""
        container = self.device
        if isinstance(container, Container):
            await self.async_command(lambda _: command(container))

    @override
    def _accepted(self, stats: Stats) -> bool:
        return True

    @override
    def _taken(self, stats: Stats) -> None:
        if self.device.authentication_error:
            self._account_refused()
        else:
            ir.async_delete_issue(self.hass, DOMAIN, self._issue_id)
        self._update_registry()
        self.fleet.async_attached_read()

    @override
    def _gone(self, *, refused: bool) -> None:
        if refused:
            self._account_refused()
        self.fleet.async_attached_read()

    @override
    def _account_refused(self) -> None:
        ir.async_create_issue(
            self.hass,
            DOMAIN,
            self._issue_id,
            is_fixable=False,
            severity=ir.IssueSeverity.ERROR,
            translation_key="attached_credentials",
            translation_placeholders={"name": self.name},
        )

    @property
    def _issue_id(self) -> str:
        return f"attached_{self.id}"

    def _update_registry(self) -> None:
        info = self.device.info
        registry = dr.async_get(self.hass)
        device = registry.async_get_device_by_identifier(
            (DOMAIN, self.id), self.fleet.entry.entry_id
        )
        if device is not None and device.sw_version != info.firmware_version:
            registry.async_update_device(device.id, sw_version=info.firmware_version)

"""Add or change a meter, a sensor, a container or a pool account of a site."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from homeassistant.config_entries import ConfigSubentryFlow, SubentryFlowResult
from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_USERNAME
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
)
import voluptuous as vol

from .attached import async_prepare, make_attached
from .const import (
    ATTACHED,
    CONF_DRIVER,
    CONF_TARGETS,
    SUBENTRY_CONTAINER,
    SUBENTRY_POOL,
)
from .flow_range import range_errors
from .forms import PASSWORD, TEXT, error_key
from .sdk import AnyDevice, MiningSDKError, registry

_UNIT = NumberSelector(
    NumberSelectorConfig(min=0, max=255, step=1, mode=NumberSelectorMode.BOX)
)
# How the options that only some drivers take are asked for.
_OPTIONS: Mapping[str, tuple[Any, Any]] = MappingProxyType(
    {
        "unit": (1, _UNIT),
        "invert": (False, BooleanSelector()),
        "topic": ("", TEXT),
        "allow_cooling": (False, BooleanSelector()),
    }
)


class DeviceSubentryFlow(ConfigSubentryFlow):
    """A device of one kind, configured by hand; it is read before it is kept."""

    subentry_type: ClassVar[str]

    _driver: type[AnyDevice]

    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask what it is."""
        if user_input is not None:
            self._driver, _ = registry.find(user_input[CONF_DRIVER])
            return await self.async_step_details()
        kind = ATTACHED[self.subentry_type]
        options = [
            SelectOptionDict(value=driver.name, label=_label(driver))
            for driver in registry.drivers()
            if driver.kind is kind
        ]
        return self.async_show_form(
            step_id="user",
            data_schema=vol.Schema(
                {
                    vol.Required(CONF_DRIVER): SelectSelector(
                        SelectSelectorConfig(options=options)
                    )
                }
            ),
        )

    async def async_step_details(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask where it is, and try to read it."""
        errors: dict[str, str] = {}
        if user_input is not None:
            data = {**user_input, CONF_DRIVER: self._driver.name}
            title, errors = await self._async_try(data)
            if not errors:
                return self.async_create_entry(title=title, data=data)
        return self._form("details", self._driver, user_input or {}, errors)

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Change where it is; an empty password keeps the one there is."""
        subentry = self._get_reconfigure_subentry()
        driver, _ = registry.find(subentry.data[CONF_DRIVER])
        errors: dict[str, str] = {}
        if user_input is not None:
            kept = {
                key: subentry.data[key]
                for key in (CONF_DRIVER, CONF_PASSWORD)
                if key in subentry.data
            }
            data = {**kept, **user_input}
            title, errors = await self._async_try(data)
            if not errors:
                return self.async_update_and_abort(
                    self._get_entry(), subentry, title=title, data=data
                )
        return self._form("reconfigure", driver, user_input or subentry.data, errors)

    async def _async_try(self, data: dict[str, Any]) -> tuple[str, dict[str, str]]:
        """Read the device once; return its title, or what is wrong by field."""
        if data.get(CONF_TARGETS) and range_errors(data):
            return "", {CONF_TARGETS: "invalid_targets"}
        try:
            await async_prepare(self.hass, data)
            device = make_attached(self.hass, data)
        except MiningSDKError, ValueError:
            return "", {CONF_HOST: "invalid_host"}
        try:
            await device.check_credentials()
            await device.read()
        except MiningSDKError as error:
            return "", {"base": error_key(error)}
        finally:
            await device.close()
        return title_of(device, data), {}

    def _form(
        self,
        step: str,
        driver: type[AnyDevice],
        defaults: Mapping[str, Any],
        errors: dict[str, str],
    ) -> SubentryFlowResult:
        return self.async_show_form(
            step_id=step,
            data_schema=self.add_suggested_values_to_schema(
                details_schema(driver, self.subentry_type),
                {k: v for k, v in defaults.items() if k != CONF_PASSWORD},
            ),
            errors=errors,
            description_placeholders={"driver": _label(driver)},
        )


def details_schema(driver: type[AnyDevice], subentry_type: str) -> vol.Schema:
    """Return the form that a driver needs."""
    pool = subentry_type == SUBENTRY_POOL
    host = vol.Optional(CONF_HOST) if pool else vol.Required(CONF_HOST)
    fields: dict[vol.Marker, Any] = {host: TEXT}
    for name in driver.all_options():
        if name in _OPTIONS:
            default, selector = _OPTIONS[name]
            fields[vol.Optional(name, default=default)] = selector
    if pool or driver.needs_password != "never":
        fields[vol.Optional(CONF_USERNAME)] = TEXT
        fields[vol.Optional(CONF_PASSWORD)] = PASSWORD
    if subentry_type == SUBENTRY_CONTAINER:
        fields[vol.Optional(CONF_TARGETS)] = TEXT
    return vol.Schema(fields)


def title_of(device: AnyDevice, data: Mapping[str, Any]) -> str:
    """Return what the device is called until the user renames it."""
    info = device.info
    name = info.model or info.make or info.driver
    where = data.get(CONF_USERNAME) or data.get(CONF_HOST) or info.host
    return f"{name} ({where})"


def _label(driver: type[AnyDevice]) -> str:
    return driver.models or driver.make or driver.name


class MeterSubentryFlow(DeviceSubentryFlow):
    """A power meter."""

    subentry_type = "meter"


class SensorSubentryFlow(DeviceSubentryFlow):
    """A sensor with readings of its own."""

    subentry_type = "sensor"


class ContainerSubentryFlow(DeviceSubentryFlow):
    """A container with its cooling and sockets."""

    subentry_type = "container"


class PoolSubentryFlow(DeviceSubentryFlow):
    """An account at a pool."""

    subentry_type = "pool"


FLOWS: dict[str, type[ConfigSubentryFlow]] = {
    flow.subentry_type: flow
    for flow in (
        MeterSubentryFlow,
        SensorSubentryFlow,
        ContainerSubentryFlow,
        PoolSubentryFlow,
    )
}

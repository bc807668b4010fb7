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
    ObjectSelector,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import voluptuous as vol

from .attached import MQTT, async_prepare, make_attached, temporary_modbus
from .const import (
    ATTACHED,
    CONF_DRIVER,
    CONF_TARGETS,
    LOGGER,
    SUBENTRY_CONTAINER,
    SUBENTRY_METER,
    SUBENTRY_POOL,
    SUBENTRY_SENSOR,
)
from .flow_range import range_errors
from .forms import PASSWORD, TEXT, error_key
from .sdk import AnyDevice, MiningSDKError, registry
from .sdk.targets import InvalidTarget


def _whole(highest: int) -> NumberSelector:
    return NumberSelector(
        NumberSelectorConfig(min=0, max=highest, step=1, mode=NumberSelectorMode.BOX)
    )


_TABLE = "table"
# How the options that only some drivers take are asked for, and what they begin with.
_OPTIONS: Mapping[str, tuple[Any, Any]] = MappingProxyType(
    {
        "unit": (_whole(255), 1),
        "channel": (_whole(63), vol.UNDEFINED),
        "base": (_whole(65_535), vol.UNDEFINED),
        _TABLE: (ObjectSelector(), vol.UNDEFINED),
        "topic": (TEXT, vol.UNDEFINED),
        "anonymous": (BooleanSelector(), False),
        "invert": (BooleanSelector(), False),
        "allow_cooling": (BooleanSelector(), False),
    }
)
# Two devices of a site that agree in all these are one.
_IDENTITY = (CONF_HOST, CONF_USERNAME, "unit", "channel", "base", "topic")


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
        return self.async_show_form(
            step_id="user",
            data_schema=vol.Schema(
                {vol.Required(CONF_DRIVER): _driver_choice(self.subentry_type)}
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
                return self.async_create_entry(
                    title=title, data=data, unique_id=identity(data)
                )
        return self._form("details", self._driver, user_input or {}, errors)

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Change where it is; an empty password keeps the one there is."""
        subentry = self._get_reconfigure_subentry()
        try:
            driver, _ = registry.find(subentry.data[CONF_DRIVER])
        except MiningSDKError:
            return self.async_abort(reason="driver_gone")
        errors: dict[str, str] = {}
        if user_input is not None:
            kept = {
                key: subentry.data[key]
                for key in (CONF_DRIVER, CONF_PASSWORD)
                if key in subentry.data
            }
            data = {**kept, **user_input}
            _, errors = await self._async_try(data)
            if not errors:
                # The user may have given it a name of its own.
                return self.async_update_and_abort(
                    self._get_entry(), subentry, data=data, unique_id=identity(data)
                )
        return self._form("reconfigure", driver, user_input or subentry.data, errors)

    async def _async_try(self, data: dict[str, Any]) -> tuple[str, dict[str, str]]:
        """Read the device once; return its title, or what is wrong by field."""
        if data.get(CONF_TARGETS) and range_errors(data):
            return "", {CONF_TARGETS: "invalid_targets"}
        if self._is_taken(data):
            return "", {"base": "already_configured"}
        try:
            return await self._async_read(data), {}
        except MiningSDKError as error:
            return "", _problem(error, data)
        except Exception:  # noqa: BLE001 # A driver of a third party may fail anyhow.
            LOGGER.exception("Looking at %s failed", data.get(CONF_HOST))
            return "", {"base": "unknown"}

    async def _async_read(self, data: dict[str, Any]) -> str:
        await async_prepare(self.hass, data)
        async with temporary_modbus(self.hass) as units:
            device = make_attached(self.hass, data, units)
            try:
                await device.check_credentials()
                await device.read()
            finally:
                await device.close()
        return title_of(device, data)

    def _is_taken(self, data: Mapping[str, Any]) -> bool:
        """Tell whether the site has the device already, under another subentry."""
        own = self.context.get("subentry_id")
        return any(
            subentry.unique_id == identity(data)
            for subentry in self._get_entry().subentries.values()
            if subentry.subentry_id != own
        )

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
    options = driver.all_options()
    # A pool has an address of its own, and Home Assistant knows an MQTT broker.
    optional = subentry_type == SUBENTRY_POOL or MQTT in options
    host = vol.Optional(CONF_HOST) if optional else vol.Required(CONF_HOST)
    fields: dict[vol.Marker, Any] = {host: TEXT}
    for name in options:
        if name in _OPTIONS:
            selector, default = _OPTIONS[name]
            fields[vol.Optional(name, default=default)] = selector
    if subentry_type == SUBENTRY_POOL or driver.needs_password != "never":
        fields[vol.Optional(CONF_USERNAME)] = TEXT
        fields[vol.Optional(CONF_PASSWORD)] = PASSWORD
    if subentry_type == SUBENTRY_CONTAINER:
        fields[vol.Optional(CONF_TARGETS)] = TEXT
    return vol.Schema(fields)


def _problem(error: MiningSDKError, data: Mapping[str, Any]) -> dict[str, str]:
    """Return the key of what is wrong, by field."""
    if isinstance(error, InvalidTarget):
        return {CONF_HOST: "invalid_host"}
    # A wrong table is told apart by being a wrong value as well.
    if isinstance(error, ValueError) and data.get(_TABLE) is not None:
        return {_TABLE: "invalid_table"}
    return {"base": error_key(error)}


def identity(data: Mapping[str, Any]) -> str:
    """Return what tells a configured device from all others of its driver."""
    return "|".join((data[CONF_DRIVER], *(_plain(data.get(k)) for k in _IDENTITY)))


def _plain(value: object) -> str:
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value).strip().lower()


def title_of(device: AnyDevice, data: Mapping[str, Any]) -> str:
    """Return what the device is called until the user renames it."""
    info = device.info
    name = info.model or info.make or info.driver
    keys = (CONF_HOST, MQTT)
    if info.kind is ATTACHED[SUBENTRY_POOL]:
        keys = (CONF_USERNAME, CONF_HOST)
    where = next((data[key] for key in keys if data.get(key)), info.host)
    return f"{name} ({where})"


def _driver_choice(subentry_type: str) -> SelectSelector:
    kind = ATTACHED[subentry_type]
    return SelectSelector(
        SelectSelectorConfig(
            options=[
                SelectOptionDict(value=driver.name, label=_label(driver))
                for driver in registry.drivers()
                if driver.kind is kind
            ],
            mode=SelectSelectorMode.DROPDOWN,
        )
    )


def _label(driver: type[AnyDevice]) -> str:
    known = driver.models or driver.name
    if driver.make is None or driver.make in known:
        return known
    return f"{driver.make}: {known}"


class MeterSubentryFlow(DeviceSubentryFlow):
    """A power meter."""

    subentry_type = SUBENTRY_METER


class SensorSubentryFlow(DeviceSubentryFlow):
    """A sensor with readings of its own."""

    subentry_type = SUBENTRY_SENSOR


class ContainerSubentryFlow(DeviceSubentryFlow):
    """A container with its cooling and sockets."""

    subentry_type = SUBENTRY_CONTAINER


class PoolSubentryFlow(DeviceSubentryFlow):
    """An account at a pool."""

    subentry_type = SUBENTRY_POOL


FLOWS: dict[str, type[ConfigSubentryFlow]] = {
    flow.subentry_type: flow
    for flow in (
        MeterSubentryFlow,
        SensorSubentryFlow,
        ContainerSubentryFlow,
        PoolSubentryFlow,
    )
}

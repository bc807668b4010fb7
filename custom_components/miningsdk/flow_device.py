"""Add or change a meter, a sensor, a container or a pool account of a site."""

from collections.abc import Mapping
from typing import Any, ClassVar

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntryState,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import CONF_HOST, CONF_PASSWORD
import voluptuous as vol

from .attached_check import (
    REFUSED,
    Errors,
    async_check,
    async_pair,
    identity,
    is_taken,
    typed_errors,
)
from .const import (
    CONF_DEVICES,
    CONF_DRIVER,
    SUBENTRY_CONTAINER,
    SUBENTRY_METER,
    SUBENTRY_POOL,
    SUBENTRY_SENSOR,
)
from .fleet import Fleet
from .forms import label_of, own_entities
from .forms_device import details_schema, driver_choice
from .sdk import AnyDevice, MiningSDKError, registry


class DeviceSubentryFlow(ConfigSubentryFlow):
    """A device of one kind, configured by hand; it is read before it is kept."""

    subentry_type: ClassVar[str]

    _driver: type[AnyDevice]

    def __init__(self) -> None:
        """Begin with nothing typed, and nothing to fill into the texts."""
        self._data: dict[str, Any] = {}
        self._placeholders: dict[str, str] = {}

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
                {vol.Required(CONF_DRIVER): driver_choice(self.subentry_type)}
            ),
        )

    async def async_step_details(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask where it is, and try to read it."""
        if user_input is None:
            return self._form({}, {})
        kept = {CONF_DRIVER: self._driver.name, **self._paired(user_input)}
        return await self._async_submit({**kept, **user_input})

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Change where it is; an empty password keeps the one there is."""
        subentry = self._get_reconfigure_subentry()
        try:
            self._driver, _ = registry.find(subentry.data[CONF_DRIVER])
        except MiningSDKError:
            return self.async_abort(reason="driver_gone")
        if user_input is None:
            return self._form(subentry.data, {})
        kept = _only(subentry.data, CONF_DRIVER, CONF_PASSWORD)
        kept |= self._paired(user_input)
        if self._fleet() is None:
            # Without the site its miners cannot be chosen from.
            kept |= _only(subentry.data, CONF_DEVICES)
        return await self._async_submit({**kept, **user_input})

    def _paired(self, user_input: Mapping[str, Any]) -> dict[str, Any]:
        """Return the password that this device made a moment ago, if it did."""
        same = self._data.get(CONF_HOST) == user_input.get(CONF_HOST)
        return _only(self._data, CONF_PASSWORD) if same and self._driver.pairs else {}

    async def async_step_pair(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask to press the button on the device, and have it make a password."""
        errors: Errors = {}
        if user_input is not None:
            password, errors = await async_pair(
                self.hass, self._get_entry(), self._data
            )
            if not errors:
                data = {**self._data, CONF_PASSWORD: password}
                return await self._async_submit(data)
            if errors != {"base": "not_paired"}:
                return self._form(self._data, errors)
        return self.async_show_form(
            step_id="pair",
            data_schema=vol.Schema({}),
            errors=errors,
            description_placeholders={"driver": label_of(self._driver)},
        )

    async def _async_submit(self, data: dict[str, Any]) -> SubentryFlowResult:
        """Try what was typed, and keep it once the device can be read."""
        self._data = data
        title, errors = await self._async_try(data)
        if not errors:
            return self._finish(title, data)
        if errors == REFUSED and self._driver.pairs:
            return await self.async_step_pair()
        return self._form(data, errors)

    def _finish(self, title: str, data: dict[str, Any]) -> SubentryFlowResult:
        if self.source != SOURCE_RECONFIGURE:
            return self.async_create_entry(
                title=title, data=data, unique_id=identity(data)
            )
        # The user may have given it a name of its own.
        return self.async_update_and_abort(
            self._get_entry(),
            self._get_reconfigure_subentry(),
            data=data,
            unique_id=identity(data),
        )

    async def _async_try(self, data: dict[str, Any]) -> tuple[str, Errors]:
        """Read the device once; return its title, or what is wrong by field."""
        if errors := typed_errors(data) or self._placed_elsewhere(data):
            return "", errors
        if is_taken(self._get_entry(), data, self._own_id):
            return "", {"base": "already_configured"}
        return await async_check(self.hass, data)

    @property
    def _own_id(self) -> str | None:
        return self.context.get("subentry_id")

    def _fleet(self) -> Fleet | None:
        entry = self._get_entry()
        if entry.state is not ConfigEntryState.LOADED:
            return None
        fleet: Fleet = entry.runtime_data
        return fleet

    def _placed_elsewhere(self, data: Mapping[str, Any]) -> Errors:
        """Tell whether a miner is in another container by choice or by its socket."""
        if (fleet := self._fleet()) is None:
            return {}
        names = [
            fleet.inventory.records[miner_id].name
            for miner_id in data.get(CONF_DEVICES, ())
            if (other := fleet.containers.placed_in(miner_id)) is not None
            and other.id != self._own_id
        ]
        self._placeholders = {"miners": ", ".join(names)}
        return {CONF_DEVICES: "in_another_container"} if names else {}

    def _form(self, defaults: Mapping[str, Any], errors: Errors) -> SubentryFlowResult:
        fleet, own = self._fleet(), self._own_id
        miners = list(fleet.inventory.records.values()) if fleet else []
        entry_id = self._get_entry().entry_id
        return self.async_show_form(
            step_id="reconfigure" if own else "details",
            data_schema=self.add_suggested_values_to_schema(
                details_schema(
                    self._driver,
                    self.subentry_type,
                    miners,
                    own_entities(self.hass, entry_id, own) if own else (),
                ),
                _shown(defaults, {miner.id for miner in miners}),
            ),
            errors=errors,
            description_placeholders={
                "driver": label_of(self._driver),
                **self._placeholders,
            },
        )


def _only(data: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: data[key] for key in keys if key in data}


def _shown(data: Mapping[str, Any], miners: set[str]) -> dict[str, Any]:
    """Return what a form begins with: no password, and no miner that is gone."""
    shown = {key: value for key, value in data.items() if key != CONF_PASSWORD}
    if CONF_DEVICES in shown:
        shown[CONF_DEVICES] = [one for one in shown[CONF_DEVICES] if one in miners]
    return shown


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

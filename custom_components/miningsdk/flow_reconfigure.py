"""Reconfigure a device of a site: another address, or other credentials."""

from dataclasses import replace
from typing import Any

from homeassistant.config_entries import ConfigEntryState, ConfigFlow, ConfigFlowResult
from homeassistant.const import (
    CONF_DEVICE,
    CONF_HOST,
    CONF_PASSWORD,
    CONF_USERNAME,
)
import voluptuous as vol

from .fleet import Fleet
from .forms import TEXT, Checked, check_device, credentials_schema, multi_select
from .inventory import Record, address
from .sdk.targets import InvalidTarget, single


class ReconfigureFlow(ConfigFlow):
    """Change one device of a site."""

    _device_id = ""

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which device has another address or other credentials."""
        if (fleet := self._fleet()) is None:
            return self.async_abort(reason="not_loaded")
        records = fleet.inventory.records
        if not records:
            return self.async_abort(reason="no_devices")
        if user_input is not None and user_input[CONF_DEVICE] in records:
            self._device_id = user_input[CONF_DEVICE]
            return await self.async_step_reconfigure_device()
        return self.async_show_form(
            step_id="reconfigure",
            data_schema=multi_select(CONF_DEVICE, records.values(), multiple=False),
        )

    def _fleet(self) -> Fleet | None:
        entry = self._get_reconfigure_entry()
        if entry.state is not ConfigEntryState.LOADED:
            return None
        fleet: Fleet = entry.runtime_data
        return fleet

    async def async_step_reconfigure_device(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the address and the account, and try them."""
        fleet = self._fleet()
        record = fleet.inventory.records.get(self._device_id) if fleet else None
        if fleet is None or record is None:
            return await self.async_step_reconfigure()
        errors: dict[str, str] = {}
        if user_input is not None:
            username = user_input.get(CONF_USERNAME)
            password = user_input.get(CONF_PASSWORD) or record.password
            checked = await self._async_check_moved(
                record, user_input[CONF_HOST], username, password
            )
            if checked.info is not None:
                await fleet.async_update(
                    record.id, info=checked.info, username=username, password=password
                )
                return self.async_abort(reason="reconfigure_successful")
            errors["base"] = checked.error or "unknown"
        return self._device_form(record, user_input, errors)

    def _device_form(
        self,
        record: Record,
        user_input: dict[str, Any] | None,
        errors: dict[str, str],
    ) -> ConfigFlowResult:
        given = user_input or {
            CONF_HOST: address(record.info),
            CONF_USERNAME: record.username,
        }
        schema = vol.Schema({vol.Required(CONF_HOST): TEXT}).extend(
            credentials_schema(given.get(CONF_USERNAME)).schema
        )
        return self.async_show_form(
            step_id="reconfigure_device",
            data_schema=self.add_suggested_values_to_schema(
                schema, {CONF_HOST: given[CONF_HOST]}
            ),
            errors=errors,
            description_placeholders={"name": record.name},
        )

    async def _async_check_moved(
        self, record: Record, host: str, username: str | None, password: str | None
    ) -> Checked:
        try:
            target = single(host)
        except InvalidTarget:
            return Checked(error="invalid_host")
        info = replace(record.info, host=target.host, port=target.port)
        checked = await check_device(self.hass, info, username, password)
        if checked.info is not None and record.is_another(checked.info):
            return Checked(error="different_device")
        return checked

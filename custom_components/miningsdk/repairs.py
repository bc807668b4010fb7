"""What only the user can mend: credentials, and a device that was replaced."""

from typing import Any, override

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_PASSWORD, CONF_USERNAME
from homeassistant.core import HomeAssistant
import voluptuous as vol

from .fleet import Fleet
from .forms import check_device, credentials_schema
from .inventory import Record, address
from .issues import CREDENTIALS


class _DeviceFlow(RepairsFlow):
    """A flow about one device of a site, which ``data`` of the issue names."""

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Begin."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Ask the user; where the device is gone, there is nothing to mend."""
        given = self.data or {}
        entry = self.hass.config_entries.async_get_entry(str(given.get("entry_id")))
        if entry is None or entry.state is not ConfigEntryState.LOADED:
            return self.async_create_entry(data={})
        fleet: Fleet = entry.runtime_data
        record = fleet.inventory.records.get(str(given.get("record_id")))
        if record is None:
            return self.async_create_entry(data={})
        return await self._async_mend(fleet, record, user_input)

    async def _async_mend(
        self, fleet: Fleet, record: Record, user_input: dict[str, Any] | None
    ) -> RepairsFlowResult:
        raise NotImplementedError


class CredentialsFlow(_DeviceFlow):
    """Take credentials, and keep them only once the device accepts them."""

    @override
    async def _async_mend(
        self, fleet: Fleet, record: Record, user_input: dict[str, Any] | None
    ) -> RepairsFlowResult:
        errors: dict[str, str] = {}
        username = record.username
        if user_input is not None:
            username = user_input.get(CONF_USERNAME)
            password = user_input.get(CONF_PASSWORD)
            checked = await check_device(self.hass, record.info, username, password)
            if checked.info is not None:
                await fleet.async_update(
                    record.id, info=checked.info, username=username, password=password
                )
                return self.async_create_entry(data={})
            errors["base"] = checked.error or "unknown"
        return self.async_show_form(
            step_id="confirm",
            data_schema=credentials_schema(username),
            errors=errors,
            description_placeholders=_placeholders(record),
        )


class ReplacedFlow(_DeviceFlow):
    """Take the new device into the site; the old one stays, as unavailable."""

    @override
    async def _async_mend(
        self, fleet: Fleet, record: Record, user_input: dict[str, Any] | None
    ) -> RepairsFlowResult:
        if (other := fleet.strangers.get(record.id)) is None:
            return self.async_create_entry(data={})
        new = Record.of(other, record.username, record.password)
        if user_input is not None:
            await fleet.async_adopt([new])
            return self.async_create_entry(data={})
        return self.async_show_form(
            step_id="confirm",
            data_schema=vol.Schema({}),
            description_placeholders={**_placeholders(record), "other": new.name},
        )


def _placeholders(record: Record) -> dict[str, str]:
    return {"name": record.name, "host": address(record.info)}


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, Any] | None
) -> RepairsFlow:
    """Return the flow that mends an issue."""
    return CredentialsFlow() if issue_id.startswith(CREDENTIALS) else ReplacedFlow()

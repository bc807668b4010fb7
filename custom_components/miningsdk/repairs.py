"""What only the user can mend: credentials, and a device that was replaced."""

from typing import Any, override

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.config_entries import (
    ConfigEntry,
    ConfigEntryState,
    ConfigSubentry,
)
from homeassistant.const import CONF_PASSWORD, CONF_USERNAME
from homeassistant.core import HomeAssistant
import voluptuous as vol

from .attached_check import (
    Errors,
    async_check,
    async_pair,
    identity,
    is_taken,
    with_account,
)
from .const import CONF_DRIVER
from .fleet import Fleet
from .forms import check_device, credentials_schema
from .inventory import Record, address
from .issues import ATTACHED_CREDENTIALS, CREDENTIALS
from .replacement import async_replace
from .sdk import registry
from .sites import async_find

_GO_ON = "go_on"


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
            password = user_input.get(CONF_PASSWORD) or None
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
    """Go on with the new machine as the same device, or take it in as another one."""

    async def async_step_replace(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Go on with the new machine under the old one's name, with its history."""
        return await self.async_step_confirm({_GO_ON: True})

    async def async_step_add(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Take the new machine in by itself; the old one stays, as unavailable."""
        return await self.async_step_confirm({_GO_ON: False})

    @override
    async def _async_mend(
        self, fleet: Fleet, record: Record, user_input: dict[str, Any] | None
    ) -> RepairsFlowResult:
        if (other := fleet.strangers.get(record.id)) is None:
            return self.async_create_entry(data={})
        new = Record.of(other, record.username, record.password)
        told = {**_placeholders(record), "other": new.name}
        if (known := async_find(self.hass, other)) and known[0] is not fleet:
            told["site"] = known[0].entry.title
            return self.async_abort(
                reason="in_another_site", description_placeholders=told
            )
        if user_input is None:
            return self.async_show_menu(
                step_id="confirm",
                menu_options=["replace", "add"],
                description_placeholders=told,
            )
        if user_input[_GO_ON]:
            await async_replace(fleet, record.id, other)
        else:
            await fleet.async_adopt([new])
            fleet.strangers.pop(record.id, None)
        return self.async_create_entry(data={})


class AttachedFlow(RepairsFlow):
    """Take another account of a device that was configured by hand.

    One that makes its password itself is asked for a new one at its button.
    """

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Begin, where there is anything to mend."""
        if (found := self._found()) is None:
            return self.async_create_entry(data={})
        driver, _ = registry.find(found[1].data[CONF_DRIVER])
        return await (
            self.async_step_pair() if driver.pairs else self.async_step_confirm()
        )

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Ask for the account, and keep it only once the device accepts it."""
        if (found := self._found()) is None:
            return self.async_create_entry(data={})
        entry, subentry = found
        errors: Errors = {}
        username = subentry.data.get(CONF_USERNAME)
        if user_input is not None:
            username = user_input.get(CONF_USERNAME)
            password = user_input.get(CONF_PASSWORD)
            data = with_account(subentry.data, username, password)
            if not (errors := await self._async_keep(entry, subentry, data)):
                return self.async_create_entry(data={})
        return self._form("confirm", subentry, credentials_schema(username), errors)

    async def async_step_pair(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Ask to press the button on the device."""
        if (found := self._found()) is None:
            return self.async_create_entry(data={})
        entry, subentry = found
        errors: Errors = {}
        if user_input is not None:
            password, errors = await async_pair(self.hass, entry, subentry.data)
            data = {**subentry.data, CONF_PASSWORD: password}
            if not errors:
                errors = await self._async_keep(entry, subentry, data)
            if not errors:
                return self.async_create_entry(data={})
        return self._form("pair", subentry, vol.Schema({}), errors)

    def _found(self) -> tuple[ConfigEntry, ConfigSubentry] | None:
        """Return the device, provided that its site runs and still has it."""
        given = self.data or {}
        entry = self.hass.config_entries.async_get_entry(str(given.get("entry_id")))
        if entry is None or entry.state is not ConfigEntryState.LOADED:
            return None
        subentry_id = str(given.get("subentry_id"))
        if subentry_id not in entry.runtime_data.attached:
            return None
        return entry, entry.subentries[subentry_id]

    async def _async_keep(
        self, entry: ConfigEntry, subentry: ConfigSubentry, data: dict[str, Any]
    ) -> Errors:
        """Try an account, and keep it if it works; the site starts over with it."""
        if is_taken(entry, data, subentry.subentry_id):
            return {"base": "already_configured"}
        _, errors = await async_check(self.hass, data)
        if not errors and not self.hass.config_entries.async_update_subentry(
            entry, subentry, data=data, unique_id=identity(data)
        ):
            # The same as before: what remembers the refusal is made anew.
            self.hass.config_entries.async_schedule_reload(entry.entry_id)
        return errors

    def _form(
        self, step: str, subentry: ConfigSubentry, schema: vol.Schema, errors: Errors
    ) -> RepairsFlowResult:
        return self.async_show_form(
            step_id=step,
            data_schema=schema,
            errors=errors,
            description_placeholders={"name": subentry.title},
        )


def _placeholders(record: Record) -> dict[str, str]:
    return {"name": record.name, "host": address(record.info)}


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, Any] | None
) -> RepairsFlow:
    """Return the flow that mends an issue."""
    if issue_id.startswith(ATTACHED_CREDENTIALS):
        return AttachedFlow()
    return CredentialsFlow() if issue_id.startswith(CREDENTIALS) else ReplacedFlow()

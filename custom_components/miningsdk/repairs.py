"""What only the user can mend: credentials, and a device that was replaced."""

from typing import TYPE_CHECKING, Any, override

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_PASSWORD, CONF_USERNAME
from homeassistant.core import HomeAssistant
import voluptuous as vol

from .forms import check_device, credentials_schema
from .inventory import Record, address
from .issues import CREDENTIALS
from .sdk import DeviceInfo

if TYPE_CHECKING:
    from .coordinator import MiningConfigEntry


class _DeviceFlow(RepairsFlow):
    """A flow about one device of a site."""

    def __init__(self, entry: MiningConfigEntry, record: Record) -> None:
        """Remember which device it is about."""
        self.entry = entry
        self.record = record

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Begin."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Ask the user."""
        raise NotImplementedError

    @property
    def placeholders(self) -> dict[str, str]:
        """Return what the texts name."""
        return {"name": self.record.name, "host": address(self.record.info)}


class CredentialsFlow(_DeviceFlow):
    """Take credentials, and keep them only once the device accepts them."""

    @override
    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Ask for credentials and try them."""
        errors: dict[str, str] = {}
        if user_input is not None:
            username = user_input.get(CONF_USERNAME)
            password = user_input.get(CONF_PASSWORD)
            checked = await check_device(
                self.hass, self.record.info, username, password
            )
            if checked.error is None:
                await self.entry.runtime_data.async_update(
                    self.record.id,
                    info=self.record.info,
                    username=username,
                    password=password,
                )
                return self.async_create_entry(data={})
            errors["base"] = checked.error
        return self.async_show_form(
            step_id="confirm",
            data_schema=credentials_schema(self.record.username),
            errors=errors,
            description_placeholders=self.placeholders,
        )


class ReplacedFlow(_DeviceFlow):
    """Take the new device into the site; the old one stays, as unavailable."""

    def __init__(
        self, entry: MiningConfigEntry, record: Record, other: DeviceInfo
    ) -> None:
        """Remember both devices."""
        super().__init__(entry, record)
        self.other = other

    @override
    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Ask whether to add the new device."""
        if user_input is not None:
            new = Record.of(self.other, self.record.username, self.record.password)
            await self.entry.runtime_data.async_adopt([new])
            return self.async_create_entry(data={})
        return self.async_show_form(
            step_id="confirm",
            data_schema=vol.Schema({}),
            description_placeholders={
                **self.placeholders,
                "other": Record.of(self.other).name,
            },
        )


class _GoneFlow(RepairsFlow):
    """The device has been removed in the meantime: there is nothing to mend."""

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """End at once, which withdraws the issue."""
        return self.async_create_entry(data={})


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, Any] | None
) -> RepairsFlow:
    """Return the flow that mends an issue."""
    given = data or {}
    entry = hass.config_entries.async_get_entry(given.get("entry_id", ""))
    if entry is None or entry.state is not ConfigEntryState.LOADED:
        return _GoneFlow()
    site: MiningConfigEntry = entry
    fleet = site.runtime_data
    record = fleet.inventory.records.get(given["record_id"])
    if record is None:
        return _GoneFlow()
    if issue_id.startswith(CREDENTIALS):
        return CredentialsFlow(site, record)
    if other := fleet.strangers.get(record.id):
        return ReplacedFlow(site, record, other)
    return _GoneFlow()

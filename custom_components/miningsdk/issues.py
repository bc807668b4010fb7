"""Raise and withdraw what only the user can mend."""

from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN
from .inventory import Record, address
from .sdk import DeviceInfo

if TYPE_CHECKING:
    from .coordinator import MiningConfigEntry

CREDENTIALS = "credentials"
REPLACED = "replaced"


def _issue_id(kind: str, entry: MiningConfigEntry, record_id: str) -> str:
    return f"{kind}_{entry.entry_id}_{record_id}"


@callback
def async_credentials_issue(
    hass: HomeAssistant, entry: MiningConfigEntry, record: Record
) -> None:
    """Ask for credentials of a device; asking again changes nothing."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        _issue_id(CREDENTIALS, entry, record.id),
        is_fixable=True,
        severity=ir.IssueSeverity.ERROR,
        translation_key=CREDENTIALS,
        translation_placeholders={"name": record.name, "host": address(record.info)},
        data={"entry_id": entry.entry_id, "record_id": record.id},
    )


@callback
def async_replaced_issue(
    hass: HomeAssistant, entry: MiningConfigEntry, record: Record, other: DeviceInfo
) -> None:
    """Tell that another device answers at a known address."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        _issue_id(REPLACED, entry, record.id),
        is_fixable=True,
        severity=ir.IssueSeverity.WARNING,
        translation_key=REPLACED,
        translation_placeholders={
            "name": record.name,
            "host": address(record.info),
            "other": Record.of(other).name,
        },
        data={"entry_id": entry.entry_id, "record_id": record.id},
    )


@callback
def async_clear_issues(
    hass: HomeAssistant, entry: MiningConfigEntry, record_id: str, *kinds: str
) -> None:
    """Withdraw what was asked about a device, all of it unless kinds are given."""
    for kind in kinds or (CREDENTIALS, REPLACED):
        ir.async_delete_issue(hass, DOMAIN, _issue_id(kind, entry, record_id))

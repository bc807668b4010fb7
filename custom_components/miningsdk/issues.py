"""Raise and withdraw what only the user can mend."""

from collections.abc import Container
from typing import TYPE_CHECKING

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN
from .inventory import Record, address
from .sdk import DeviceInfo

if TYPE_CHECKING:
    from .coordinator import MiningConfigEntry

CREDENTIALS = "credentials"
REPLACED = "replaced"
ATTACHED_CREDENTIALS = "attached_credentials"
CONTROL_DISABLED = "control_disabled"
FACTORY = "factory_password"
FACTORY_MANY = "factory_passwords"
DRIVER_FILE = "driver_file"
DRIVER_MISSING = "driver_missing"
TOO_DETAILED = "too_detailed"
_MOST_NAMES = 10
# More than so many devices of a site share one message.
_MOST_FACTORY = 3


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
    for kind in kinds or (CREDENTIALS, REPLACED, CONTROL_DISABLED):
        ir.async_delete_issue(hass, DOMAIN, _issue_id(kind, entry, record_id))


@callback
def async_attached_issue(
    hass: HomeAssistant, entry: MiningConfigEntry, subentry: ConfigSubentry
) -> None:
    """Ask for an account of a device that was configured by hand."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"{ATTACHED_CREDENTIALS}_{subentry.subentry_id}",
        is_fixable=True,
        severity=ir.IssueSeverity.ERROR,
        translation_key=ATTACHED_CREDENTIALS,
        translation_placeholders={"name": subentry.title},
        data={"entry_id": entry.entry_id, "subentry_id": subentry.subentry_id},
    )


@callback
def async_clear_attached_issue(hass: HomeAssistant, subentry_id: str) -> None:
    """Withdraw what was asked about a device that was configured by hand."""
    ir.async_delete_issue(hass, DOMAIN, f"{ATTACHED_CREDENTIALS}_{subentry_id}")


@callback
def async_control_issue(
    hass: HomeAssistant, entry: MiningConfigEntry, record: Record, words: str
) -> None:
    """Tell how commands are allowed at a device, in the words of its driver."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        _issue_id(CONTROL_DISABLED, entry, record.id),
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key=CONTROL_DISABLED,
        translation_placeholders={
            "name": record.name,
            "host": address(record.info),
            "error": words,
        },
    )


@callback
def async_factory_issues(
    hass: HomeAssistant, entry: MiningConfigEntry, records: list[Record]
) -> None:
    """Tell which devices have the password that they were sold with, and no others.

    What a user has ignored stays ignored for as long as it is true.
    """
    wanted: dict[str, dict[str, str]] = {}
    if len(records) > _MOST_FACTORY:
        names = listed([record.name for record in records])
        wanted[_issue_id(FACTORY_MANY, entry, "")] = {
            "site": entry.title,
            "names": names,
        }
    else:
        for record in records:
            placeholders = {"name": record.name, "host": address(record.info)}
            wanted[_issue_id(FACTORY, entry, record.id)] = placeholders
    _async_clear_factory(hass, entry.entry_id, but=wanted)
    for issue_id, placeholders in wanted.items():
        ir.async_create_issue(
            hass,
            DOMAIN,
            issue_id,
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING,
            translation_key=FACTORY if "host" in placeholders else FACTORY_MANY,
            translation_placeholders=placeholders,
        )


@callback
def _async_clear_factory(
    hass: HomeAssistant, entry_id: str, *, but: Container[str] = ()
) -> None:
    """Withdraw what was told; what is only remembered as ignored is left alone."""
    beginnings = tuple(f"{kind}_{entry_id}_" for kind in (FACTORY, FACTORY_MANY))
    for (domain, key), issue in list(ir.async_get(hass).issues.items()):
        if (
            domain == DOMAIN
            and issue.active
            and key not in but
            and key.startswith(beginnings)
        ):
            ir.async_delete_issue(hass, DOMAIN, key)


@callback
def async_forget_site(hass: HomeAssistant, entry_id: str) -> None:
    """Withdraw what was told of the devices of a site that was deleted."""
    _async_clear_factory(hass, entry_id)
    async_clear_detail_issue(hass, entry_id)


def listed(names: list[str]) -> str:
    """Return names with commas between them, but not hundreds of them."""
    shown = ", ".join(names[:_MOST_NAMES])
    more = len(names) - _MOST_NAMES
    return f"{shown} and {more} more" if more > 0 else shown


@callback
def async_file_issue(hass: HomeAssistant, file: str, path: str, why: str) -> None:
    """Tell what is wrong with a file that should describe a driver, line by line."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"{DRIVER_FILE}_{file}",
        is_fixable=False,
        severity=ir.IssueSeverity.ERROR,
        translation_key=DRIVER_FILE,
        translation_placeholders={
            "file": path,
            "error": "\n".join(f"- `{line}`" for line in why.splitlines()),
        },
    )


@callback
def async_clear_file_issue(hass: HomeAssistant, file: str) -> None:
    """Withdraw what was told about a file."""
    ir.async_delete_issue(hass, DOMAIN, f"{DRIVER_FILE}_{file}")


@callback
def async_driver_issue(
    hass: HomeAssistant, entry: MiningConfigEntry, driver: str, names: list[str]
) -> None:
    """Tell that a driver is missing, and which devices of the site need it."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        _issue_id(DRIVER_MISSING, entry, driver),
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key=DRIVER_MISSING,
        translation_placeholders={
            "driver": driver,
            "site": entry.title,
            "names": listed(names),
        },
    )


@callback
def async_clear_driver_issue(
    hass: HomeAssistant, entry: MiningConfigEntry, driver: str
) -> None:
    """Withdraw that a driver is missing."""
    ir.async_delete_issue(hass, DOMAIN, _issue_id(DRIVER_MISSING, entry, driver))


@callback
def async_detail_issue(
    hass: HomeAssistant, entry: MiningConfigEntry, chosen: str, shown: str
) -> None:
    """Tell that a site has too many miners for the level of detail chosen for it."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"{TOO_DETAILED}_{entry.entry_id}",
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key=TOO_DETAILED,
        translation_placeholders={
            "site": entry.title,
            "chosen": chosen,
            "shown": shown,
        },
    )


@callback
def async_clear_detail_issue(hass: HomeAssistant, entry_id: str) -> None:
    """Withdraw that the level of detail chosen for a site is too fine."""
    ir.async_delete_issue(hass, DOMAIN, f"{TOO_DETAILED}_{entry_id}")

"""Watch the accounts of a site's miners: refused, of no use, or as they were sold."""

from typing import TYPE_CHECKING

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from .inventory import Inventory, Record
from .issues import (
    CONTROL_DISABLED,
    CREDENTIALS,
    async_clear_issues,
    async_control_issue,
    async_credentials_issue,
    async_factory_issues,
)
from .refusals import async_refusals
from .sdk import NotSupported, is_factory, registry

if TYPE_CHECKING:
    from .coordinator import MiningConfigEntry


class AccountWatch:
    """Tells the user what is wrong with accounts, and only while it is."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: MiningConfigEntry,
        inventory: Inventory,
        changed: CALLBACK_TYPE,
    ) -> None:
        """Begin with nothing against any account.

        ``changed`` is called when ``async_tell_of_factory`` may have other news; it
        looks at all devices, so that many changes are better told of at once.
        """
        self._hass = hass
        self._entry = entry
        self._inventory = inventory
        self._changed = changed
        # Devices that refused the account when they were last read, by id.
        self._refused: set[str] = set()

    @callback
    def async_note(self, record: Record, *, refused: bool) -> None:
        """Ask for an account while readings need another, and no longer."""
        known = record.id in self._refused
        if refused:
            self._refused.add(record.id)
            self.async_failed(record)
        elif known:
            self._refused.discard(record.id)
            async_clear_issues(self._hass, self._entry, record.id, CREDENTIALS)
        if known is not refused:
            self._changed()

    @callback
    def async_failed(self, record: Record) -> None:
        """Ask the user for credentials that work."""
        async_credentials_issue(self._hass, self._entry, record)

    @callback
    def async_control_disabled(self, record: Record, words: str | None) -> None:
        """Tell how commands are allowed at a device, until one was carried out."""
        if words is None:
            async_clear_issues(self._hass, self._entry, record.id, CONTROL_DISABLED)
        else:
            async_control_issue(self._hass, self._entry, record, words)

    @callback
    def async_changed(self, record: Record) -> None:
        """Begin anew with a device that has another account or address."""
        self._refused.discard(record.id)
        async_clear_issues(self._hass, self._entry, record.id)
        self._changed()

    async def async_forget(self, record_id: str) -> None:
        """Forget a device that was removed."""
        self._refused.discard(record_id)
        async_clear_issues(self._hass, self._entry, record_id)
        (await async_refusals(self._hass)).forget(record_id)

    def is_wanted(self, record: Record) -> bool:
        """Tell whether a device has no account, or one that it refuses."""
        return record.password is None or record.id in self._refused

    @callback
    def async_tell_of_factory(self) -> None:
        """Tell which devices still have the password that they were sold with."""
        records = self._inventory.records.values()
        found = [r for r in records if r.id not in self._refused and _is_as_sold(r)]
        async_factory_issues(self._hass, self._entry, found)


def _is_as_sold(record: Record) -> bool:
    try:
        driver = registry.get(record.info.driver)
    except NotSupported:
        return False
    return is_factory(driver, record.username, record.password)

"""Devices that were discovered and not added yet, over all discovery flows.

A hall that powers up makes a thousand devices ask for an address at once. A few of
them get a card each; the others are offered with those, in a list.
"""

from homeassistant.config_entries import SOURCE_IGNORE
from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN
from .inventory import Record
from .sites import async_find

_MOST_CARDS = 3
_STEP = "discovered"


class DiscoveredPool:
    """What has been discovered."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Begin with nothing."""
        self._hass = hass
        self._records: dict[str, Record] = {}

    @staticmethod
    @callback
    def of(hass: HomeAssistant) -> DiscoveredPool:
        """Return the one pool of this Home Assistant."""
        return hass.data.setdefault(_POOL, DiscoveredPool(hass))

    @callback
    def add(self, record: Record) -> None:
        """Take note of a device."""
        self._records[record.id] = record

    @callback
    def offered(self, *, first: str | None) -> list[Record]:
        """Return what is still to be added, the device of the card at the top."""
        ignored = {
            entry.unique_id
            for entry in self._hass.config_entries.async_entries(DOMAIN)
            if entry.source == SOURCE_IGNORE
        }
        self._records = {
            key: record
            for key, record in self._records.items()
            if key not in ignored and async_find(self._hass, record.info) is None
        }
        return sorted(self._records.values(), key=lambda record: record.id != first)

    @callback
    def is_crowded(self, flow_id: str) -> bool:
        """Tell whether there are cards enough already."""
        return len(self._cards(flow_id)) >= _MOST_CARDS

    @callback
    def take(self, ids: set[str], flow_id: str) -> None:
        """Withdraw devices that have been added, and their cards."""
        for key in ids:
            self._records.pop(key, None)
        for card, unique_id in self._cards(flow_id).items():
            if unique_id in ids:
                self._hass.config_entries.flow.async_abort(card)

    def _cards(self, but: str) -> dict[str, str | None]:
        return {
            flow["flow_id"]: flow["context"].get("unique_id")
            for flow in self._hass.config_entries.flow.async_progress_by_handler(DOMAIN)
            if flow["flow_id"] != but and flow.get("step_id") == _STEP
        }


_POOL: HassKey[DiscoveredPool] = HassKey(f"{DOMAIN}_discovered")

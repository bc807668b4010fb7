"""Devices that were discovered and not added yet, over all discovery flows.

A hall that powers up makes a thousand devices ask for an address at once. A few of
them get a card each; the others are offered with those, in a list.
"""

from collections.abc import Container

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
        self._drop(ignored)
        return sorted(self._records.values(), key=lambda record: record.id != first)

    @callback
    def is_crowded(self, flow_id: str) -> bool:
        """Tell whether there are cards enough already."""
        return len(self._cards(flow_id)) >= _MOST_CARDS

    @callback
    def tidy(self, taken: Container[str | None] = (), *, but: str = "") -> None:
        """Withdraw the cards of devices that have been added, but not this flow's."""
        self._drop(taken)
        for card, unique_id in self._cards(but).items():
            if unique_id not in self._records:
                self._hass.config_entries.flow.async_abort(card)

    def _drop(self, keys: Container[str | None]) -> None:
        """Forget devices with these ids, and those that a site has by now."""
        self._records = {
            key: record
            for key, record in self._records.items()
            if key not in keys and async_find(self._hass, record.info) is None
        }

    def _cards(self, but: str) -> dict[str, str | None]:
        return {
            flow["flow_id"]: flow["context"].get("unique_id")
            for flow in self._hass.config_entries.flow.async_progress_by_handler(DOMAIN)
            if flow["flow_id"] != but and flow.get("step_id") == _STEP
        }


_POOL: HassKey[DiscoveredPool] = HassKey(f"{DOMAIN}_discovered")

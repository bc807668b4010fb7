"""What changed of a site's configuration, and what that takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant

from .coordinator import MiningConfigEntry
from .fleet import Fleet
from .ranges import RangeScanner


@dataclass(frozen=True, slots=True)
class _Configured:
    """What a site and its parts are set up with."""

    site: tuple[str, Mapping[str, Any], Mapping[str, Any]]
    parts: Mapping[str, tuple[str, Mapping[str, Any]]]

    @classmethod
    def of(cls, entry: MiningConfigEntry) -> Self:
        return cls(
            (entry.title, entry.data, entry.options),
            # Home Assistant changes subentries in place.
            {key: (one.title, one.data) for key, one in entry.subentries.items()},
        )

    def added_since(self, before: Self) -> list[str] | None:
        """Return the new subentries, or None if anything else has changed."""
        added = [key for key in self.parts if key not in before.parts]
        kept = {key: self.parts[key] for key in self.parts if key in before.parts}
        same = (self.site, kept) == (before.site, before.parts)
        return added if same else None


class Updates:
    """Takes on what the user changes while a site runs.

    What is only added joins it: a hall with a thousand miners does not stop for one
    more meter. For anything else it is set up anew.
    """

    def __init__(self, fleet: Fleet, scanner: RangeScanner) -> None:
        """Begin with what the site is set up with."""
        self._fleet = fleet
        self._scanner = scanner
        self._known = _Configured.of(fleet.entry)

    async def async_updated(
        self, hass: HomeAssistant, entry: MiningConfigEntry
    ) -> None:
        """Take on new options, ranges, devices or another title."""
        before, self._known = self._known, _Configured.of(entry)
        added = self._known.added_since(before)
        # What is added while the site starts must not be missed.
        if added is None or entry.state is not ConfigEntryState.LOADED:
            await hass.config_entries.async_reload(entry.entry_id)
        else:
            self._scanner.async_scan_now(added)
            # It ends with the site: the next change may set that up anew meanwhile.
            self._fleet.pace.async_start(self._fleet.async_begin(added))

"""The level of detail of a site in words."""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations

from .const import DOMAIN
from .coordinator import MiningConfigEntry

_UNKNOWN = "–"


async def async_level_words(
    hass: HomeAssistant, entry: MiningConfigEntry
) -> dict[str, str]:
    """Return what fills the gaps of a text that tells the level of a site, and why."""
    if entry.state is not ConfigEntryState.LOADED:
        return dict.fromkeys(("detail", "reason", "miners"), _UNKNOWN)
    fleet = entry.runtime_data
    texts = await async_get_translations(hass, hass.config.language, "entity", {DOMAIN})
    start = f"component.{DOMAIN}.entity.sensor.total.state_attributes"

    def word(attribute: str, value: str) -> str:
        return texts.get(f"{start}.{attribute}.state.{value}", value)

    return {
        "detail": word("detail", fleet.detail.key),
        "reason": word("detail_reason", fleet.level.reason),
        "miners": str(len(fleet.inventory.records)),
    }

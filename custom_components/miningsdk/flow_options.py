"""The options of a site."""

from typing import Any

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.const import CONF_SCAN_INTERVAL, UnitOfTime
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
)
import voluptuous as vol

from .const import (
    CONF_DETAIL,
    DEFAULT_INTERVAL,
    MAXIMUM_INTERVAL,
    MINIMUM_INTERVAL,
)
from .detail import AUTOMATIC, OPTIONS

_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_SCAN_INTERVAL, default=DEFAULT_INTERVAL): NumberSelector(
            NumberSelectorConfig(
                min=MINIMUM_INTERVAL,
                max=MAXIMUM_INTERVAL,
                step=1,
                mode=NumberSelectorMode.BOX,
                unit_of_measurement=UnitOfTime.SECONDS,
            )
        ),
        vol.Required(CONF_DETAIL, default=AUTOMATIC): SelectSelector(
            SelectSelectorConfig(options=OPTIONS, translation_key=CONF_DETAIL)
        ),
    }
)


class MiningOptionsFlow(OptionsFlow):
    """How often a site is read, and how much of it is shown."""

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the options."""
        if user_input is not None:
            return self.async_create_entry(data=user_input)
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(
                _SCHEMA, self.config_entry.options
            ),
        )

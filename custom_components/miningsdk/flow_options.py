"""The options of a site."""

from typing import Any

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.const import CONF_SCAN_INTERVAL, UnitOfRatio, UnitOfTime
from homeassistant.helpers.selector import (
    EntitySelector,
    EntitySelectorConfig,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
)
import voluptuous as vol

from .const import (
    CONF_DETAIL,
    CONF_NETWORK,
    CONF_POOL_FEE,
    CONF_POWER_ENTITY,
    CONF_PRICE_ENTITY,
    CONF_TEMPERATURE_ENTITY,
    DEFAULT_INTERVAL,
    MAXIMUM_INTERVAL,
    MINIMUM_INTERVAL,
)
from .detail import AUTOMATIC, OPTIONS
from .flow_accounts import AccountsFlow
from .flow_table import TableFlow
from .forms import TEXT, measuring_entity
from .level_words import async_level_words
from .sdk import MiningSDKError
from .sdk.network import MEMPOOL_SPACE, Network

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
        vol.Optional(CONF_NETWORK): TEXT,
        vol.Optional(CONF_PRICE_ENTITY): EntitySelector(
            EntitySelectorConfig(domain=["sensor", "input_number", "number"])
        ),
        vol.Optional(CONF_POWER_ENTITY): measuring_entity("power"),
        vol.Optional(CONF_TEMPERATURE_ENTITY): measuring_entity("temperature"),
        vol.Optional(CONF_POOL_FEE): NumberSelector(
            NumberSelectorConfig(
                min=0,
                max=10,
                step=0.01,
                mode=NumberSelectorMode.BOX,
                unit_of_measurement=UnitOfRatio.PERCENTAGE,
            )
        ),
    }
)


class MiningOptionsFlow(TableFlow, AccountsFlow):
    """How a site is read and shown, and what else measures it."""

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask what shall be changed."""
        return self.async_show_menu(
            step_id="init", menu_options=["settings", "plug", "accounts", "positions"]
        )

    async def async_step_settings(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the options of the site."""
        errors: dict[str, str] = {}
        if user_input is not None:
            errors = _errors(user_input)
            if not errors:
                kept = {**self._plugs(), **self._accounts(), **self._positions()}
                return self.async_create_entry(data={**user_input, **kept})
        return self.async_show_form(
            step_id="settings",
            data_schema=self.add_suggested_values_to_schema(
                _SCHEMA, user_input or self.config_entry.options
            ),
            errors=errors,
            description_placeholders={
                "mempool": MEMPOOL_SPACE,
                **await async_level_words(self.hass, self.config_entry),
            },
        )


def _errors(user_input: dict[str, Any]) -> dict[str, str]:
    """Return what is wrong with the options, by field."""
    try:
        if url := user_input.get(CONF_NETWORK):
            Network(url)
    except MiningSDKError:
        return {CONF_NETWORK: "invalid_url"}
    return {}

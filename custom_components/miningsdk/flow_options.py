"""The options of a site."""

from typing import Any

from homeassistant.config_entries import (
    ConfigEntryState,
    ConfigFlowResult,
    OptionsFlow,
)
from homeassistant.const import CONF_DEVICE, CONF_SCAN_INTERVAL, UnitOfRatio, UnitOfTime
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
    CONF_PLUGS,
    CONF_POOL_FEE,
    CONF_POWER_ENTITY,
    CONF_PRICE_ENTITY,
    CONF_TEMPERATURE_ENTITY,
    DEFAULT_INTERVAL,
    MAXIMUM_INTERVAL,
    MINIMUM_INTERVAL,
)
from .detail import AUTOMATIC, OPTIONS
from .forms import TEXT, multi_select
from .inventory import Record
from .sdk import MiningSDKError
from .sdk.network import MEMPOOL_SPACE, Network

_POWER_ENTITY = EntitySelector(
    EntitySelectorConfig(domain="sensor", device_class="power")
)
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
        vol.Optional(CONF_POWER_ENTITY): _POWER_ENTITY,
        vol.Optional(CONF_TEMPERATURE_ENTITY): EntitySelector(
            EntitySelectorConfig(domain="sensor", device_class="temperature")
        ),
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


class MiningOptionsFlow(OptionsFlow):
    """How a site is read and shown, and what else measures it."""

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask what shall be changed."""
        return self.async_show_menu(step_id="init", menu_options=["settings", "plug"])

    async def async_step_settings(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the options of the site."""
        errors: dict[str, str] = {}
        if user_input is not None:
            errors = _errors(user_input)
            if not errors:
                plugs = self.config_entry.options.get(CONF_PLUGS, {})
                return self.async_create_entry(data={**user_input, CONF_PLUGS: plugs})
        return self.async_show_form(
            step_id="settings",
            data_schema=self.add_suggested_values_to_schema(
                _SCHEMA, user_input or self.config_entry.options
            ),
            errors=errors,
            description_placeholders={"mempool": MEMPOOL_SPACE},
        )

    async def async_step_plug(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which entity measures the power of one miner; none: the miner itself."""
        records = self._records()
        if not records:
            return self.async_abort(reason="no_devices")
        options = self.config_entry.options
        if user_input is not None:
            plugs = dict(options.get(CONF_PLUGS, {}))
            plugs.pop(user_input[CONF_DEVICE], None)
            if entity_id := user_input.get(CONF_POWER_ENTITY):
                plugs[user_input[CONF_DEVICE]] = entity_id
            return self.async_create_entry(data={**options, CONF_PLUGS: plugs})
        schema = multi_select(CONF_DEVICE, records, multiple=False).extend(
            {vol.Optional(CONF_POWER_ENTITY): _POWER_ENTITY}
        )
        return self.async_show_form(step_id="plug", data_schema=schema)

    def _records(self) -> list[Record]:
        if self.config_entry.state is not ConfigEntryState.LOADED:
            return []
        return list(self.config_entry.runtime_data.inventory.records.values())


def _errors(user_input: dict[str, Any]) -> dict[str, str]:
    """Return what is wrong with the options, by field."""
    try:
        if url := user_input.get(CONF_NETWORK):
            Network(url)
    except MiningSDKError:
        return {CONF_NETWORK: "invalid_url"}
    return {}

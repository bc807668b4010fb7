"""The accounts of a site, which are tried on every device that joins it."""

from typing import Any

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
import voluptuous as vol

from .accounts import accounts_of, stored
from .const import CONF_ACCOUNTS, CONF_ANOTHER
from .forms_accounts import account_errors, account_fields, accounts_given


class AccountsFlow(OptionsFlow):
    """Keep the list of accounts of a site."""

    _given: dict[str, Any] | None = None

    async def async_step_accounts(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which accounts stay, and for one more."""
        if self._given is None:
            self._given = self._accounts()
        errors: dict[str, str] = {}
        if user_input is not None and not (errors := account_errors(user_input)):
            kept = accounts_given(accounts_of(self._given), user_input)
            self._given = {CONF_ACCOUNTS: stored(kept)}
            if not user_input.get(CONF_ANOTHER):
                data = {**self.config_entry.options, **self._given}
                return self.async_create_entry(data=data)
        given = (user_input or {}) if errors else {}
        return self.async_show_form(
            step_id="accounts",
            data_schema=vol.Schema(account_fields(accounts_of(self._given), given)),
            errors=errors,
        )

    def _accounts(self) -> dict[str, Any]:
        """Return those of the options that this flow is about."""
        options = self.config_entry.options
        return {k: options[k] for k in (CONF_ACCOUNTS,) if k in options}

"""The part of a form in which a list of accounts is kept."""

from collections.abc import Mapping, Sequence
from typing import Any

from homeassistant.const import CONF_PASSWORD, CONF_USERNAME
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import voluptuous as vol

from .const import CONF_ACCOUNTS, CONF_ANOTHER
from .forms import PASSWORD, TEXT
from .sdk import Account


def account_fields(
    accounts: Sequence[Account], given: Mapping[str, Any]
) -> dict[vol.Marker, Any]:
    """Return the fields: which accounts are kept, and one that is added.

    Passwords are never shown: an account goes by its place and its user name. What
    was ``given`` and not taken stands there again.
    """
    fields: dict[vol.Marker, Any] = {}
    if accounts:
        options = [
            SelectOptionDict(value=str(place), label=f"{place}. {a.username or '–'}")
            for place, a in enumerate(accounts, 1)
        ]
        left = given.get(CONF_ACCOUNTS, [option["value"] for option in options])
        fields[vol.Optional(CONF_ACCOUNTS, default=left)] = SelectSelector(
            SelectSelectorConfig(
                options=options, multiple=True, mode=SelectSelectorMode.LIST
            )
        )
    suggested = {"suggested_value": given.get(CONF_USERNAME)}
    fields[vol.Optional(CONF_USERNAME, description=suggested)] = TEXT
    fields[vol.Optional(CONF_PASSWORD)] = PASSWORD
    fields[vol.Optional(CONF_ANOTHER, default=False)] = BooleanSelector()
    return fields


def accounts_given(
    accounts: Sequence[Account], user_input: Mapping[str, Any]
) -> tuple[Account, ...]:
    """Return the accounts that are left, and last the one that was added."""
    every = [str(place) for place in range(1, len(accounts) + 1)]
    left = user_input.get(CONF_ACCOUNTS, every)
    kept = [a for place, a in enumerate(accounts, 1) if str(place) in left]
    if password := user_input.get(CONF_PASSWORD):
        kept.append(Account(user_input.get(CONF_USERNAME) or None, password))
    return tuple(dict.fromkeys(kept))


def account_errors(user_input: Mapping[str, Any]) -> dict[str, str]:
    """Return what is wrong with the account that is added, by field."""
    if user_input.get(CONF_USERNAME) and not user_input.get(CONF_PASSWORD):
        return {CONF_PASSWORD: "password_missing"}
    return {}

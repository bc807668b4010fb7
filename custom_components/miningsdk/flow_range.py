"""Scan ranges: the form that the site's flow and the range's own flow share."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import (
    ConfigSubentry,
    ConfigSubentryData,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.helpers.selector import BooleanSelector
import voluptuous as vol

from .accounts import accounts_of, stored
from .const import (
    CONF_ACCOUNTS,
    CONF_ANOTHER,
    CONF_FACTORY,
    CONF_TARGETS,
    SUBENTRY_RANGE,
)
from .forms import TEXT
from .forms_accounts import account_errors, account_fields, accounts_given
from .sdk import MiningSDKError
from .sdk.targets import expand


def range_schema(data: Mapping[str, Any], given: Mapping[str, Any]) -> vol.Schema:
    """Return the form for a range as it is, with what was ``given`` and not taken."""
    told = {**data, **given}
    factory = vol.Optional(CONF_FACTORY, default=told.get(CONF_FACTORY, False))
    return vol.Schema(
        {
            vol.Required(CONF_TARGETS, default=told.get(CONF_TARGETS, "")): TEXT,
            **account_fields(accounts_of(data), given),
            factory: BooleanSelector(),
        }
    )


def range_errors(user_input: Mapping[str, Any]) -> dict[str, str]:
    """Return what is wrong with a range, by field."""
    try:
        found = expand(user_input[CONF_TARGETS])
    except MiningSDKError:
        found = []
    errors = {} if found else {CONF_TARGETS: "invalid_targets"}
    return errors | account_errors(user_input)


def range_data(
    data: Mapping[str, Any], user_input: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the data of a range, as it was, with what was filled in."""
    new: dict[str, Any] = {CONF_TARGETS: user_input[CONF_TARGETS]}
    if accounts := accounts_given(accounts_of(data), user_input):
        new[CONF_ACCOUNTS] = stored(accounts)
    if user_input.get(CONF_FACTORY):
        new[CONF_FACTORY] = True
    return new


def range_subentry(data: Mapping[str, Any]) -> ConfigSubentryData:
    """Return the subentry of a range."""
    return ConfigSubentryData(
        data=dict(data),
        subentry_type=SUBENTRY_RANGE,
        title=data[CONF_TARGETS],
        unique_id=None,
    )


def async_subentry(data: ConfigSubentryData) -> ConfigSubentry:
    """Return the subentry itself, for a site that exists already."""
    return ConfigSubentry(
        data=MappingProxyType(data["data"]),
        subentry_type=data["subentry_type"],
        title=data["title"],
        unique_id=data["unique_id"],
    )


class RangeSubentryFlow(ConfigSubentryFlow):
    """Add or change a scan range of a site."""

    def __init__(self) -> None:
        """Begin with nothing typed."""
        self._data: dict[str, Any] = {}

    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Add a range."""
        errors = self._taken(user_input)
        if self._is_whole(user_input, errors):
            return self.async_create_entry(
                title=self._data[CONF_TARGETS], data=self._data
            )
        return self._form("user", user_input, errors)

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Change a range; the passwords that it has are never shown."""
        subentry = self._get_reconfigure_subentry()
        self._data = self._data or dict(subentry.data)
        errors = self._taken(user_input)
        if self._is_whole(user_input, errors):
            return self.async_update_and_abort(
                self._get_entry(),
                subentry,
                title=self._data[CONF_TARGETS],
                data=self._data,
            )
        return self._form("reconfigure", user_input, errors)

    def _taken(self, user_input: dict[str, Any] | None) -> dict[str, str]:
        """Take what was typed, or return what is wrong with it."""
        if user_input is None:
            return {}
        errors = range_errors(user_input)
        if not errors:
            self._data = range_data(self._data, user_input)
        return errors

    def _is_whole(
        self, user_input: dict[str, Any] | None, errors: dict[str, str]
    ) -> bool:
        """Tell whether all was taken and there is no more to come."""
        return bool(user_input and not errors and not user_input.get(CONF_ANOTHER))

    def _form(
        self, step: str, given: Mapping[str, Any] | None, errors: dict[str, str]
    ) -> SubentryFlowResult:
        # What was taken stands in the list; only what is wrong is typed again.
        schema = range_schema(self._data, (given or {}) if errors else {})
        return self.async_show_form(step_id=step, data_schema=schema, errors=errors)

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
from homeassistant.const import CONF_PASSWORD, CONF_USERNAME
import voluptuous as vol

from .const import CONF_TARGETS, SUBENTRY_RANGE
from .forms import PASSWORD, TEXT
from .sdk import MiningSDKError
from .sdk.targets import expand


def range_schema(defaults: Mapping[str, Any]) -> vol.Schema:
    """Return the form for a range; the password is never shown again."""
    return vol.Schema(
        {
            vol.Required(CONF_TARGETS, default=defaults.get(CONF_TARGETS, "")): TEXT,
            vol.Optional(
                CONF_USERNAME,
                description={"suggested_value": defaults.get(CONF_USERNAME)},
            ): TEXT,
            vol.Optional(CONF_PASSWORD): PASSWORD,
        }
    )


def range_errors(user_input: Mapping[str, Any]) -> dict[str, str]:
    """Return what is wrong with a range, by field."""
    try:
        targets = expand(user_input[CONF_TARGETS])
    except MiningSDKError:
        return {CONF_TARGETS: "invalid_targets"}
    return {} if targets else {CONF_TARGETS: "invalid_targets"}


def range_subentry(user_input: Mapping[str, Any]) -> ConfigSubentryData:
    """Return the subentry that a filled-in form means."""
    return ConfigSubentryData(
        data=dict(user_input),
        subentry_type=SUBENTRY_RANGE,
        title=user_input[CONF_TARGETS],
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

    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Add a range."""
        errors: dict[str, str] = {}
        if user_input is not None and not (errors := range_errors(user_input)):
            return self.async_create_entry(
                title=user_input[CONF_TARGETS], data=user_input
            )
        return self._form("user", user_input or {}, errors)

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Change a range; an empty password keeps the one there is."""
        subentry = self._get_reconfigure_subentry()
        errors: dict[str, str] = {}
        if user_input is not None and not (errors := range_errors(user_input)):
            kept = {k: v for k, v in subentry.data.items() if k == CONF_PASSWORD}
            return self.async_update_and_abort(
                self._get_entry(),
                subentry,
                title=user_input[CONF_TARGETS],
                data={**kept, **user_input},
            )
        return self._form("reconfigure", user_input or subentry.data, errors)

    def _form(
        self, step: str, defaults: Mapping[str, Any], errors: dict[str, str]
    ) -> SubentryFlowResult:
        return self.async_show_form(
            step_id=step, data_schema=range_schema(defaults), errors=errors
        )

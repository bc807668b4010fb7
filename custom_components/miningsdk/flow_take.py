"""The second half of every config flow: accounts, and the site to join."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentryData,
)
from homeassistant.const import CONF_NAME, CONF_PASSWORD, CONF_USERNAME
from homeassistant.core import callback
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import voluptuous as vol

from .const import CONF_DEVICES, CONF_SITE, DEFAULT_SITE_NAME
from .discovered import DiscoveredPool
from .flow_range import async_subentry
from .forms import AWAY, TEXT, Checked, check_device, credentials_schema
from .inventory import Record
from .sdk.registry import find as find_driver
from .sites import async_join, async_sites

_NEW_SITE = "new"


class TakeFlow(ConfigFlow):
    """Take devices into a site, with an account where they need one."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._range: ConfigSubentryData | None = None
        self._asking: list[Record] = []
        self._ready: list[Record] = []
        # By these ids they were discovered; an account may have told a better one.
        self._taken: set[str] = set()
        # These are added although they are off: nothing can be tried on them.
        self._away: set[str] = set()

    # Credentials, only where a device needs them.

    async def _async_take(self, records: Iterable[Record]) -> ConfigFlowResult:
        for record in records:
            self._taken.add(record.id)
            driver, _ = find_driver(record.info.driver)
            ask = driver.needs_password != "never"
            (self._asking if ask else self._ready).append(record)
        return await self._async_ask_next()

    async def _async_ask_next(self) -> ConfigFlowResult:
        if self._asking:
            return await self.async_step_credentials()
        return await self._async_choose_site()

    def _group(self) -> list[Record]:
        """Return the devices that the next form is about: those of one driver."""
        driver = self._asking[0].info.driver
        return [record for record in self._asking if record.info.driver == driver]

    async def async_step_credentials(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for an account, and keep it only where the device accepts it."""
        errors: dict[str, str] = {}
        group = self._group()
        driver, _ = find_driver(group[0].info.driver)
        username = driver.default_username
        if user_input is not None:
            username = user_input.get(CONF_USERNAME)
            password = user_input.get(CONF_PASSWORD)
            if not password and driver.needs_password == "always":
                errors["base"] = "password_needed"
            elif not password:
                self._settle((record, record) for record in group)
            else:
                errors = await self._async_try(group, username, password)
            if not errors:
                return await self._async_ask_next()
            group = self._group()
        return self.async_show_form(
            step_id="credentials",
            data_schema=credentials_schema(username),
            errors=errors,
            description_placeholders={
                "make": driver.make or driver.name,
                "names": ", ".join(record.name for record in group),
            },
        )

    def _settle(self, pairs: Iterable[tuple[Record, Record]]) -> None:
        """Ask no more about devices; each comes with what is kept of it."""
        for asked, kept in pairs:
            self._asking = [r for r in self._asking if r.id != asked.id]
            self._ready.append(kept)

    async def _async_try(
        self, group: list[Record], username: str | None, password: str
    ) -> dict[str, str]:
        """Try an account on each device; those that refuse are asked about again."""
        results = await asyncio.gather(
            *(check_device(self.hass, r.info, username, password) for r in group)
        )
        errors = []
        for record, result in zip(group, results, strict=True):
            if (kept := self._kept(record, result, username, password)) is not None:
                self._settle([(record, kept)])
            else:
                errors.append(result.error or "unknown")
        return {"base": errors[0]} if errors else {}

    def _kept(
        self, record: Record, result: Checked, username: str | None, password: str
    ) -> Record | None:
        if result.info is not None:
            # How it was discovered may have told what it does not tell itself.
            info = replace(result.info, mac=result.info.mac or record.info.mac)
            return Record.of(info, username, password)
        if record.id in self._away and result.error in AWAY:
            return replace(record, username=username or None, password=password)
        return None

    # The site.

    async def _async_choose_site(self) -> ConfigFlowResult:
        sites = async_sites(self.hass)
        if not sites:
            return await self._async_create(DEFAULT_SITE_NAME)
        if len(sites) == 1 and self.unique_id is not None:
            # Discovered: one click joins the only site there is.
            return await self._async_join(sites[0])
        return await self.async_step_site()

    async def async_step_site(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which site the devices belong to."""
        sites = async_sites(self.hass)
        errors: dict[str, str] = {}
        if user_input is not None:
            chosen = user_input[CONF_SITE]
            site = next((s for s in sites if s.entry_id == chosen), None)
            if site is not None:
                return await self._async_join(site)
            if name := user_input.get(CONF_NAME, "").strip():
                return await self._async_create(name)
            errors[CONF_NAME] = "name_needed"
        return self.async_show_form(
            step_id="site",
            data_schema=self.add_suggested_values_to_schema(
                _site_schema(sites), user_input
            ),
            errors=errors,
        )

    async def _async_create(self, title: str) -> ConfigFlowResult:
        # A site has no identity of its own: its devices have.
        await self.async_set_unique_id(None)
        self._async_forget()
        return self.async_create_entry(
            title=title,
            data={CONF_DEVICES: [record.as_dict() for record in self._ready]},
            subentries=[self._range] if self._range else [],
        )

    async def _async_join(self, site: ConfigEntry) -> ConfigFlowResult:
        await async_join(self.hass, site, self._ready)
        if self._range:
            self.hass.config_entries.async_add_subentry(
                site, async_subentry(self._range)
            )
        self._async_forget()
        return self.async_abort(
            reason="range_added" if self._range else "joined",
            description_placeholders={
                "site": site.title,
                "names": ", ".join(record.name for record in self._ready),
            },
        )

    @callback
    def _async_forget(self) -> None:
        """Withdraw the cards of devices that have been added."""
        DiscoveredPool.of(self.hass).tidy(self._taken, but=self.flow_id)


def _site_schema(sites: list[ConfigEntry]) -> vol.Schema:
    """Return the form to choose a site, or to name a new one."""
    options = [
        *(SelectOptionDict(value=s.entry_id, label=s.title) for s in sites),
        SelectOptionDict(value=_NEW_SITE, label="+"),
    ]
    default = sites[0].entry_id if sites else _NEW_SITE
    return vol.Schema(
        {
            vol.Required(CONF_SITE, default=default): SelectSelector(
                SelectSelectorConfig(
                    options=options,
                    mode=SelectSelectorMode.LIST,
                    translation_key=CONF_SITE,
                )
            ),
            vol.Optional(CONF_NAME): TEXT,
        }
    )

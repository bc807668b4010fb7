"""The second half of every config flow: accounts, and the site to join."""

import asyncio
from collections.abc import Iterable, Mapping
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
    BooleanSelector,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import voluptuous as vol

from .accounts import (
    Wanted,
    async_find_account,
    async_note_refused,
    async_with_account,
    wanted_at,
    with_account,
)
from .attached_check import Errors
from .const import CONF_DEVICES, CONF_FACTORY, CONF_SITE, DEFAULT_SITE_NAME
from .discovered import DiscoveredPool
from .flow_range import async_subentry
from .forms import (
    AWAY,
    TEXT,
    Checked,
    check_device,
    credentials_schema,
    error_key,
)
from .found import async_subentries, is_attached
from .inventory import Record
from .sdk import Account, DeviceInfo
from .sdk.registry import find as find_driver
from .sites import async_join, async_sites

_NEW_SITE = "new"
_FACTORY = vol.Optional(CONF_FACTORY, default=False)


class TakeFlow(ConfigFlow):
    """Take devices into a site, with an account where they need one."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._range: ConfigSubentryData | None = None
        # Meters and the like, which were read already.
        self._attached: list[ConfigSubentryData] = []
        self._asking: list[Record] = []
        self._ready: list[Record] = []
        # By these ids they were discovered; an account may have told a better one.
        self._taken: set[str] = set()
        # These are added although they are off: nothing can be tried on them.
        self._away: set[str] = set()
        # The site that they join, or the name of a new one.
        self._site_id: str | None = None
        self._new_site: str | None = None

    async def _async_attach(self, found: Iterable[DeviceInfo]) -> Errors:
        """Read what is not a miner, and keep it for the end; return what is wrong."""
        self._attached, errors = await async_subentries(
            self.hass, (info for info in found if is_attached(info))
        )
        return errors

    async def _async_take(self, records: Iterable[Record]) -> ConfigFlowResult:
        for record in records:
            self._taken.add(record.id)
            driver, _ = find_driver(record.info.driver)
            ask = driver.needs_password != "never"
            (self._asking if ask else self._ready).append(record)
        return await self._async_choose_site()

    # The site: its accounts are tried before anybody is asked for one.

    async def _async_choose_site(self) -> ConfigFlowResult:
        sites = async_sites(self.hass)
        if not sites:
            return await self._async_chosen(None)
        if len(sites) == 1 and self.unique_id is not None:
            # Discovered: one click joins the only site there is.
            return await self._async_chosen(sites[0])
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
                return await self._async_chosen(site)
            if name := user_input.get(CONF_NAME, "").strip():
                self._new_site = name
                return await self._async_chosen(None)
            errors[CONF_NAME] = "name_needed"
        return self.async_show_form(
            step_id="site",
            data_schema=self.add_suggested_values_to_schema(
                _site_schema(sites), user_input
            ),
            errors=errors,
        )

    async def _async_chosen(self, site: ConfigEntry | None) -> ConfigFlowResult:
        if site is not None:
            self._site_id, self._new_site = site.entry_id, None
            await self._async_try_accounts_of(site)
        return await self._async_ask_next()

    async def _async_try_accounts_of(self, site: ConfigEntry) -> None:
        """Try what the site has on all devices at once; ask no more where it works."""
        asking = [record for record in self._asking if record.id not in self._away]
        kept = await asyncio.gather(
            *(
                async_with_account(self.hass, r, wanted_at(site, r.info.host))
                for r in asking
            )
        )
        self._settle(
            (record, new)
            for record, new in zip(asking, kept, strict=True)
            if new.password is not None
        )

    # Credentials, only where a device needs them.

    async def _async_ask_next(self) -> ConfigFlowResult:
        if self._asking:
            return await self.async_step_credentials()
        return await self._async_finish()

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
        given = {CONF_USERNAME: driver.default_username}
        if user_input is not None:
            given = user_input
            errors = await self._async_try(group, user_input)
            if not errors:
                return await self._async_ask_next()
            group = self._group()
        schema = credentials_schema(given.get(CONF_USERNAME))
        if driver.factory_accounts:
            # Never on by itself: what is asked for is agreed to each time.
            schema = schema.extend({_FACTORY: BooleanSelector()})
        return self.async_show_form(
            step_id="credentials",
            data_schema=schema,
            errors=errors,
            description_placeholders={
                "make": driver.make or group[0].info.make or driver.name,
                "names": ", ".join(record.name for record in group),
            },
        )

    def _settle(self, pairs: Iterable[tuple[Record, Record]]) -> None:
        """Ask no more about devices; each comes with what is kept of it."""
        for asked, kept in pairs:
            self._asking = [r for r in self._asking if r.id != asked.id]
            self._ready.append(kept)

    async def _async_try(
        self, group: list[Record], user_input: Mapping[str, Any]
    ) -> dict[str, str]:
        """Try what was typed on each device; of those that refuse is asked again."""
        password = user_input.get(CONF_PASSWORD)
        factory = Wanted(factory=user_input.get(CONF_FACTORY, False))
        if not password and not factory.factory:
            driver, _ = find_driver(group[0].info.driver)
            if driver.needs_password == "always":
                return {"base": "password_needed"}
            self._settle((record, record) for record in group)
            return {}
        typed = None
        if password:
            typed = Account(user_input.get(CONF_USERNAME) or None, password)
        results = await asyncio.gather(
            *(self._async_try_one(record, typed, factory) for record in group)
        )
        self._settle((a, b) for a, (b, _) in zip(group, results, strict=True) if b)
        errors = [error for kept, error in results if kept is None]
        return {"base": errors[0]} if errors else {}

    async def _async_try_one(
        self, record: Record, typed: Account | None, factory: Wanted
    ) -> tuple[Record | None, str]:
        """Return what is kept of a device, or nothing and what is wrong."""
        error = "factory_refused"
        if typed is not None:
            result = await check_device(
                self.hass, record.info, typed.username, typed.password
            )
            if (kept := self._kept(record, result, typed)) is not None:
                return kept, ""
            error = result.error or "unknown"
            if error != "invalid_auth":
                return None, error
            driver = record.info.driver
            await async_note_refused(self.hass, record.id, driver, typed)
        found = await async_find_account(self.hass, record.id, record.info, factory)
        if found.account is not None:
            return with_account(record, found), ""
        return None, error if found.error is None else error_key(found.error)

    def _kept(self, record: Record, result: Checked, typed: Account) -> Record | None:
        username, password = typed.username, typed.password
        if result.info is not None:
            # How it was discovered may have told what it does not tell itself.
            info = replace(result.info, mac=result.info.mac or record.info.mac)
            return Record.of(info, username, password)
        if record.id in self._away and result.error in AWAY:
            return replace(record, username=username, password=password)
        return None

    # The end.

    async def _async_finish(self) -> ConfigFlowResult:
        sites = async_sites(self.hass)
        if self._new_site is not None or not sites:
            return await self._async_create(self._new_site or DEFAULT_SITE_NAME)
        for site in sites:
            if site.entry_id == self._site_id:
                return await self._async_join(site)
        # While an account was typed it was deleted, or the first one was made.
        return await self._async_choose_site()

    async def _async_create(self, title: str) -> ConfigFlowResult:
        # A site has no identity of its own: its devices have.
        await self.async_set_unique_id(None)
        self._async_forget()
        return self.async_create_entry(
            title=title,
            data={CONF_DEVICES: [record.as_dict() for record in self._ready]},
            subentries=self._subentries,
        )

    async def _async_join(self, site: ConfigEntry) -> ConfigFlowResult:
        await async_join(self.hass, site, self._ready)
        for subentry in self._subentries:
            self.hass.config_entries.async_add_subentry(site, async_subentry(subentry))
        self._async_forget()
        return self.async_abort(
            reason="range_added" if self._range else "joined",
            description_placeholders={
                "site": site.title,
                "names": ", ".join(
                    [
                        *(record.name for record in self._ready),
                        *(subentry["title"] for subentry in self._attached),
                    ]
                ),
            },
        )

    @property
    def _subentries(self) -> list[ConfigSubentryData]:
        return [*([self._range] if self._range else []), *self._attached]

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

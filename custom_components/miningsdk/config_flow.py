"""The config flow: search a network, add by address or range, take what is found."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, override

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentryData,
    ConfigSubentryFlow,
    OptionsFlow,
)
from homeassistant.const import (
    CONF_DEVICE,
    CONF_HOST,
    CONF_NAME,
    CONF_PASSWORD,
    CONF_USERNAME,
)
from homeassistant.core import callback
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
from homeassistant.helpers.service_info.dhcp import DhcpServiceInfo
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
import voluptuous as vol

from .const import (
    CONF_DEVICES,
    CONF_SITE,
    CONF_TARGETS,
    DEFAULT_SITE_NAME,
    DOMAIN,
    LOGGER,
    SUBENTRY_RANGE,
)
from .devices import device_session
from .discovered import DiscoveredPool
from .flow_options import MiningOptionsFlow
from .flow_range import (
    RangeSubentryFlow,
    async_subentry,
    range_errors,
    range_schema,
    range_subentry,
)
from .forms import (
    TEXT,
    Checked,
    check_device,
    credentials_schema,
    driver_options,
    find_device,
    multi_select,
    offline_device,
)
from .inventory import Record, address
from .networks import async_local_networks
from .sdk import MiningSDKError, scan
from .sdk.discovery import ScanProgress
from .sdk.registry import find as find_driver
from .sdk.targets import expand
from .sites import (
    async_find,
    async_find_by_mac,
    async_join,
    async_range_of,
    async_sites,
)

_NEW_SITE = "new"
_CONF_DRIVER = "driver"


class MiningConfigFlow(ConfigFlow, domain=DOMAIN):
    """Add devices; the first of them makes the site, later ones join it."""

    VERSION = 1

    def __init__(self) -> None:
        """Begin with nothing found."""
        self._targets: list[str] = []
        self._found: dict[str, Record] = {}
        self._scan: asyncio.Task[None] | None = None
        self._asking: list[Record] = []
        self._ready: list[Record] = []
        self._range: ConfigSubentryData | None = None

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> OptionsFlow:
        """Return the flow for the options."""
        return MiningOptionsFlow()

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, config_entry: ConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Return what a person adds to a site by hand."""
        return {SUBENTRY_RANGE: RangeSubentryFlow}

    @override
    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask how to find the devices."""
        return self.async_show_menu(
            step_id="user", menu_options=["search", "address", "range"]
        )

    # Search my network.

    async def async_step_search(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which networks to search."""
        errors: dict[str, str] = {}
        networks = await async_local_networks(self.hass)
        if user_input is not None:
            self._targets = user_input[CONF_TARGETS]
            errors = range_errors({CONF_TARGETS: ",".join(self._targets)})
            if not errors:
                return await self.async_step_scan()
        return self.async_show_form(
            step_id="search",
            data_schema=vol.Schema(
                {
                    vol.Required(
                        CONF_TARGETS, default=self._targets or networks
                    ): SelectSelector(
                        SelectSelectorConfig(
                            options=networks, multiple=True, custom_value=True
                        )
                    )
                }
            ),
            errors=errors,
        )

    async def async_step_scan(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Search, and show how far it is."""
        if self._scan is None:
            self._found = {}
            self._scan = self.hass.async_create_task(
                self._async_scan(), f"{DOMAIN} search"
            )
        if not self._scan.done():
            return self.async_show_progress(
                step_id="scan",
                progress_action="scan",
                progress_task=self._scan,
                description_placeholders={"targets": ", ".join(self._targets)},
            )
        self._scan = None
        return self.async_show_progress_done(
            next_step_id="pick" if self._found else "nothing"
        )

    async def _async_scan(self) -> None:
        def progress(state: ScanProgress) -> None:
            if state.total:
                share = state.done / state.total
                # The second, slower pass is the last fifth of the bar.
                self.async_update_progress(
                    share * 0.8 if state.first_pass else 0.8 + share * 0.2
                )

        try:
            async for info in scan(
                self._targets, session=device_session(self.hass), progress=progress
            ):
                if async_find(self.hass, info) is None:
                    record = Record.of(info)
                    self._found[record.id] = record
        except MiningSDKError as error:
            LOGGER.warning("The search ended early: %s", error)

    async def async_step_nothing(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Offer what to do when nothing new was found."""
        return self.async_show_menu(
            step_id="nothing", menu_options=["search", "address"]
        )

    async def async_step_pick(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which of the devices to add."""
        if user_input is not None:
            return await self._async_take(
                self._found[key] for key in user_input[CONF_DEVICES]
            )
        return self.async_show_form(
            step_id="pick",
            data_schema=multi_select(CONF_DEVICES, self._found.values()),
            description_placeholders={"count": str(len(self._found))},
        )

    @callback
    @override
    def async_remove(self) -> None:
        """End a search that nobody waits for any more."""
        if self._scan is not None:
            self._scan.cancel()

    # Add by address.

    async def async_step_address(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for an address and look what is there."""
        errors: dict[str, str] = {}
        if user_input is not None:
            host = user_input[CONF_HOST].strip()
            checked = await find_device(self.hass, host)
            driver = user_input.get(_CONF_DRIVER)
            if checked.error in ("cannot_connect", "timeout") and driver:
                checked = offline_device(host, driver)
            if checked.info is not None:
                if known := async_find(self.hass, checked.info):
                    return self._already(known[1])
                return await self._async_take([Record.of(checked.info)])
            errors["base"] = checked.error or "unknown"
        fields: dict[vol.Marker, Any] = {vol.Required(CONF_HOST): TEXT}
        if errors.get("base") in ("cannot_connect", "timeout"):
            fields[vol.Optional(_CONF_DRIVER)] = driver_options()
        return self.async_show_form(
            step_id="address",
            data_schema=self.add_suggested_values_to_schema(
                vol.Schema(fields), user_input
            ),
            errors=errors,
        )

    def _already(self, record: Record) -> ConfigFlowResult:
        return self.async_abort(
            reason="already_added", description_placeholders={"name": record.name}
        )

    # Add a range.

    async def async_step_range(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for a range whose devices join the site by themselves."""
        errors: dict[str, str] = {}
        if user_input is not None and not (errors := range_errors(user_input)):
            self._range = range_subentry(user_input)
            return await self._async_choose_site()
        return self.async_show_form(
            step_id="range",
            data_schema=range_schema(user_input or {}),
            errors=errors,
        )

    # Discovery.

    @override
    async def async_step_zeroconf(
        self, discovery_info: ZeroconfServiceInfo
    ) -> ConfigFlowResult:
        """Look at a device that announced itself."""
        return await self._async_discovered(discovery_info.host, None)

    @override
    async def async_step_dhcp(
        self, discovery_info: DhcpServiceInfo
    ) -> ConfigFlowResult:
        """Look at a device that got an address."""
        mac = ":".join(
            discovery_info.macaddress[i : i + 2] for i in range(0, 12, 2)
        ).lower()
        return await self._async_discovered(discovery_info.ip, mac)

    async def _async_discovered(self, host: str, mac: str | None) -> ConfigFlowResult:
        if mac is not None and (known := async_find_by_mac(self.hass, mac)):
            fleet, record = known
            await fleet.async_move(record, host, record.info.port)
            return self.async_abort(reason="already_configured")
        checked = await find_device(self.hass, host)
        if checked.info is None:
            return self.async_abort(reason=checked.error or "unknown")
        info = replace(checked.info, mac=checked.info.mac or mac)
        if known := async_find(self.hass, info):
            fleet, record = known
            await fleet.async_move(record, info.host, info.port)
            return self.async_abort(reason="already_configured")
        if covered := async_range_of(self.hass, host):
            fleet, subentry = covered
            await fleet.async_adopt(
                [
                    Record.of(
                        info,
                        subentry.data.get(CONF_USERNAME),
                        subentry.data.get(CONF_PASSWORD),
                    )
                ]
            )
            return self.async_abort(reason="handed_to_site")
        return await self._async_offer(Record.of(info))

    async def _async_offer(self, record: Record) -> ConfigFlowResult:
        """Show one card a device, but never more than a few of them."""
        await self.async_set_unique_id(record.id)
        self._abort_if_unique_id_configured()
        pool = DiscoveredPool.of(self.hass)
        pool.add(record)
        if pool.is_crowded(self.flow_id):
            return self.async_abort(reason="listed_with_others")
        self.context["title_placeholders"] = {
            "name": record.name,
            "host": address(record.info),
        }
        return await self.async_step_discovered()

    async def async_step_discovered(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether to add what was discovered: this device, and others with it."""
        pool = DiscoveredPool.of(self.hass)
        offered = pool.offered(first=self.unique_id)
        if user_input is not None:
            chosen = user_input.get(CONF_DEVICES, [record.id for record in offered])
            return await self._async_take(r for r in offered if r.id in chosen)
        first = offered[0]
        return self.async_show_form(
            step_id="discovered",
            data_schema=(
                multi_select(CONF_DEVICES, offered)
                if len(offered) > 1
                else vol.Schema({})
            ),
            description_placeholders={
                "name": first.name,
                "host": address(first.info),
                "count": str(len(offered)),
            },
        )

    # Credentials, only where a device needs them.

    async def _async_take(self, records: Iterable[Record]) -> ConfigFlowResult:
        for record in records:
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
        if user_input is not None:
            username = user_input.get(CONF_USERNAME)
            password = user_input.get(CONF_PASSWORD)
            if not password and driver.needs_password == "always":
                errors["base"] = "password_needed"
            elif not password:
                self._settle(group)
            else:
                errors = await self._async_try(group, username, password)
            if not errors:
                return await self._async_ask_next()
            group = self._group()
        return self.async_show_form(
            step_id="credentials",
            data_schema=credentials_schema(driver.default_username),
            errors=errors,
            description_placeholders={
                "make": driver.make or driver.name,
                "names": ", ".join(record.name for record in group),
            },
        )

    def _settle(self, group: Iterable[Record]) -> None:
        for record in group:
            self._asking = [r for r in self._asking if r.id != record.id]
            self._ready.append(record)

    async def _async_try(
        self, group: list[Record], username: str | None, password: str
    ) -> dict[str, str]:
        """Try an account on each device; those that refuse are asked about again."""
        results = await asyncio.gather(
            *(check_device(self.hass, r.info, username, password) for r in group)
        )
        self._settle(
            replace(Record.of(result.info, username, password), id=record.id)
            for record, result in zip(group, results, strict=True)
            if result.info is not None
        )
        error = next((r.error for r in results if r.error is not None), None)
        return {} if error is None else {"base": error}

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
        options = [
            *(SelectOptionDict(value=s.entry_id, label=s.title) for s in sites),
            SelectOptionDict(value=_NEW_SITE, label="+"),
        ]
        return self.async_show_form(
            step_id="site",
            data_schema=self.add_suggested_values_to_schema(
                vol.Schema(
                    {
                        vol.Required(
                            CONF_SITE, default=sites[0].entry_id
                        ): SelectSelector(
                            SelectSelectorConfig(
                                options=options,
                                mode=SelectSelectorMode.LIST,
                                translation_key=CONF_SITE,
                            )
                        ),
                        vol.Optional(CONF_NAME): TEXT,
                    }
                ),
                user_input,
            ),
            errors=errors,
        )

    async def _async_create(self, title: str) -> ConfigFlowResult:
        ready, self._ready = self._ready, []
        # A site has no identity of its own: its devices have.
        await self.async_set_unique_id(None)
        self._async_forget(ready)
        return self.async_create_entry(
            title=title,
            data={CONF_DEVICES: [record.as_dict() for record in ready]},
            subentries=[self._range] if self._range else [],
        )

    async def _async_join(self, site: ConfigEntry) -> ConfigFlowResult:
        ready, self._ready = self._ready, []
        await async_join(self.hass, site, ready)
        if self._range:
            self.hass.config_entries.async_add_subentry(
                site, async_subentry(self._range)
            )
        self._async_forget(ready)
        return self.async_abort(
            reason="range_added" if self._range else "joined",
            description_placeholders={
                "site": site.title,
                "count": str(len(ready)),
                "names": ", ".join(record.name for record in ready),
            },
        )

    @callback
    def _async_forget(self, records: Iterable[Record]) -> None:
        """Withdraw the cards of devices that have been added."""
        DiscoveredPool.of(self.hass).take(
            {record.id for record in records}, self.flow_id
        )

    # Reconfigure a device of the site.

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which device has another address or other credentials."""
        entry = self._get_reconfigure_entry()
        records = entry.runtime_data.inventory.records
        if not records:
            return self.async_abort(reason="no_devices")
        if user_input is not None:
            self._asking = [records[user_input[CONF_DEVICE]]]
            return await self.async_step_reconfigure_device()
        return self.async_show_form(
            step_id="reconfigure",
            data_schema=multi_select(CONF_DEVICE, records.values(), multiple=False),
        )

    async def async_step_reconfigure_device(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the address and the account, and try them."""
        record = self._asking[0]
        errors: dict[str, str] = {}
        if user_input is not None:
            username = user_input.get(CONF_USERNAME)
            password = user_input.get(CONF_PASSWORD) or record.password
            checked = await self._async_check_moved(
                record, user_input[CONF_HOST].strip(), username, password
            )
            if checked.info is not None:
                await self._get_reconfigure_entry().runtime_data.async_update(
                    record.id, info=checked.info, username=username, password=password
                )
                return self.async_abort(reason="reconfigure_successful")
            errors["base"] = checked.error or "unknown"
        schema = vol.Schema({vol.Required(CONF_HOST): TEXT}).extend(
            credentials_schema().schema
        )
        return self.async_show_form(
            step_id="reconfigure_device",
            data_schema=self.add_suggested_values_to_schema(
                schema,
                user_input
                or {CONF_HOST: address(record.info), CONF_USERNAME: record.username},
            ),
            errors=errors,
            description_placeholders={"name": record.name},
        )

    async def _async_check_moved(
        self, record: Record, host: str, username: str | None, password: str | None
    ) -> Checked:
        try:
            target = expand([host])
        except MiningSDKError:
            return Checked(error="invalid_host")
        if len(target) != 1:
            return Checked(error="invalid_host")
        info = replace(record.info, host=target[0].host, port=target[0].port)
        checked = await check_device(self.hass, info, username, password)
        if checked.info is not None and record.is_another(checked.info):
            return Checked(error="different_device")
        return checked

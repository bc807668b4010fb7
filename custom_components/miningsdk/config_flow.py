"""The config flow: search a network, add by address or range, take what is found."""

import asyncio
from dataclasses import replace
from typing import Any, override

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigFlowResult,
    ConfigSubentryFlow,
    OptionsFlow,
)
from homeassistant.const import CONF_HOST, CONF_MAC, CONF_PORT
from homeassistant.core import callback
from homeassistant.helpers.device_registry import format_mac
from homeassistant.helpers.selector import SelectSelector, SelectSelectorConfig
from homeassistant.helpers.service_info.dhcp import DhcpServiceInfo
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from homeassistant.helpers.typing import DiscoveryInfoType
import voluptuous as vol

from .accounts import wanted_at
from .const import (
    CONF_ANOTHER,
    CONF_DEVICES,
    CONF_TARGETS,
    DOMAIN,
    LOGGER,
    SUBENTRY_RANGE,
)
from .devices import device_session
from .discovered import DiscoveredPool
from .extensions import async_ready
from .flow_device import FLOWS
from .flow_options import MiningOptionsFlow
from .flow_range import (
    RangeSubentryFlow,
    range_data,
    range_errors,
    range_schema,
    range_subentry,
)
from .flow_reconfigure import ReconfigureFlow
from .flow_take import TakeFlow
from .forms import AWAY, TEXT, driver_options, find_device, multi_select, offline_device
from .found import async_enable_modbus, is_added, is_attached, is_offered
from .inventory import Record, address, address_of
from .networks import async_listener, async_local_networks
from .ranges import async_take_in
from .sdk import DeviceInfo, DeviceKind, scan
from .sdk.discovery import ScanProgress
from .sites import async_find, async_find_by_mac, async_range_of

_CONF_DRIVER = "driver"


class MiningConfigFlow(ReconfigureFlow, TakeFlow, domain=DOMAIN):
    """Add devices; the first of them makes the site, later ones join it."""

    VERSION = 1

    def __init__(self) -> None:
        """Begin with nothing found."""
        super().__init__()
        self._targets: list[str] = []
        self._found: dict[str, Record] = {}
        self._scan: asyncio.Task[None] | None = None
        self._offered: list[Record] = []
        self._range_data: dict[str, Any] = {}

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
        return {SUBENTRY_RANGE: RangeSubentryFlow, **FLOWS}

    @override
    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask how to find the devices."""
        await async_ready(self.hass)
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
        failed = self._scan.exception() is not None
        self._scan = None
        return self.async_show_progress_done(
            next_step_id="pick" if self._found else "failed" if failed else "nothing"
        )

    async def _async_scan(self) -> None:
        def progress(state: ScanProgress) -> None:
            if state.total:
                share = state.done / state.total
                # The second, slower pass is the last fifth of the bar.
                self.async_update_progress(
                    share * 0.8 if state.first_pass else 0.8 + share * 0.2
                )

        await async_enable_modbus(self.hass)
        try:
            async for info in scan(
                self._targets,
                session=device_session(self.hass),
                zeroconf=await async_listener(self.hass),
                progress=progress,
            ):
                if self._is_new(info):
                    record = Record.of(info)
                    self._found[record.id] = record
        except Exception:
            LOGGER.exception("The search ended early")
            raise

    def _is_new(self, info: DeviceInfo) -> bool:
        if info.kind is DeviceKind.MINER:
            return async_find(self.hass, info) is None
        return is_offered(self.hass, info)

    async def async_step_failed(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say that the search itself went wrong."""
        return self.async_abort(reason="unknown")

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
        errors: dict[str, str] = {}
        if user_input is not None:
            chosen = [self._found[key] for key in user_input[CONF_DEVICES]]
            if not chosen:
                errors[CONF_DEVICES] = "none_chosen"
            elif not (errors := await self._async_attach(r.info for r in chosen)):
                return await self._async_take(
                    r for r in chosen if not is_attached(r.info)
                )
        return self.async_show_form(
            step_id="pick",
            data_schema=multi_select(CONF_DEVICES, self._found.values()),
            errors=errors,
            description_placeholders={"count": str(len(self._found))},
        )

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
            if driver and checked.error in AWAY:
                info = offline_device(host, driver)
                self._away.add(Record.of(info).id)
                return await self._async_take_one(info)
            if checked.info is None:
                errors["base"] = checked.error or "unknown"
            elif not (errors := await self._async_attach([checked.info])):
                return await self._async_take_one(checked.info)
        fields: dict[vol.Marker, Any] = {vol.Required(CONF_HOST): TEXT}
        if errors.get("base") in AWAY:
            fields[vol.Optional(_CONF_DRIVER)] = driver_options()
        return self.async_show_form(
            step_id="address",
            data_schema=self.add_suggested_values_to_schema(
                vol.Schema(fields), user_input
            ),
            errors=errors,
        )

    async def _async_take_one(self, info: DeviceInfo) -> ConfigFlowResult:
        if is_attached(info):
            if is_added(self.hass, info):
                return self._already_added(Record.of(info))
            return await self._async_take([])
        if known := async_find(self.hass, info):
            return self._already_added(known[1])
        return await self._async_take([Record.of(info)])

    def _already_added(self, record: Record) -> ConfigFlowResult:
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
            self._range_data = range_data(self._range_data, user_input)
            if not user_input.get(CONF_ANOTHER):
                self._range = range_subentry(self._range_data)
                return await self._async_choose_site()
        given = (user_input or {}) if errors else {}
        return self.async_show_form(
            step_id="range",
            data_schema=range_schema(self._range_data, given),
            errors=errors,
        )

    # Discovery.

    @override
    async def async_step_zeroconf(
        self, discovery_info: ZeroconfServiceInfo
    ) -> ConfigFlowResult:
        """Look at a device that announced itself."""
        host, port = discovery_info.host, discovery_info.port
        return await self._async_discovered(host, port)

    @override
    async def async_step_dhcp(
        self, discovery_info: DhcpServiceInfo
    ) -> ConfigFlowResult:
        """Look at a device that got an address."""
        host, mac = discovery_info.ip, format_mac(discovery_info.macaddress)
        if known := async_find_by_mac(self.hass, mac):
            fleet, record = known
            await fleet.async_move(record, host, record.info.port)
            return self.async_abort(reason="already_configured")
        return await self._async_discovered(host, mac=mac)

    @override
    async def async_step_integration_discovery(
        self, discovery_info: DiscoveryInfoType
    ) -> ConfigFlowResult:
        """Look at a device that another integration was handed, and passes on.

        It brings the driver, so it knows by its manifest how such devices show up:
        ``host``, and ``port`` and ``mac`` where they are known.
        """
        host, port = str(discovery_info[CONF_HOST]), discovery_info.get(CONF_PORT)
        mac = discovery_info.get(CONF_MAC)
        return await self._async_discovered(
            host, port, mac=None if mac is None else format_mac(mac)
        )

    async def _async_discovered(
        self, host: str, port: int | None = None, *, mac: str | None = None
    ) -> ConfigFlowResult:
        await async_ready(self.hass)
        checked = await find_device(self.hass, address_of(host, port))
        if checked.info is None or is_attached(checked.info):
            return self.async_abort(reason=checked.error or "not_supported")
        info = replace(checked.info, mac=checked.info.mac or mac)
        if known := async_find(self.hass, info):
            fleet, record = known
            await fleet.async_move(record, info.host, info.port)
            return self.async_abort(reason="already_configured")
        if site := async_range_of(self.hass, host):
            await async_take_in(site, info, wanted_at(site.entry, host))
            DiscoveredPool.of(self.hass).tidy()
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
        errors: dict[str, str] = {}
        # Some may have been added elsewhere since this card was shown.
        offered = DiscoveredPool.of(self.hass).offered(first=self.unique_id)
        if not offered:
            return self.async_abort(reason="already_configured")
        if user_input is not None:
            shown = {record.id for record in self._offered}
            wanted = shown.intersection(user_input.get(CONF_DEVICES, shown))
            if chosen := [record for record in offered if record.id in wanted]:
                return await self._async_take(chosen)
            errors["base"] = "none_chosen"
        self._offered = offered
        return self.async_show_form(
            step_id="discovered",
            data_schema=(
                multi_select(CONF_DEVICES, offered)
                if len(offered) > 1
                else vol.Schema({})
            ),
            errors=errors,
            description_placeholders={
                "name": offered[0].name,
                "host": address(offered[0].info),
            },
        )

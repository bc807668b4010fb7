"""Drivers that others add: integrations with a module ``miningsdk.py``, and files.

The module holds a tuple ``DRIVERS``, or a coroutine ``async_get_drivers(hass)`` that
returns one; see docs/drivers.md.
"""

import asyncio
from collections.abc import Iterable
import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.integration_platform import (
    async_process_integration_platforms,
)
from homeassistant.helpers.typing import ConfigType
from homeassistant.loader import Integration, async_get_custom_components
from homeassistant.setup import async_setup_component
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN, LOGGER
from .issues import async_clear_file_issue, async_file_issue
from .sdk import described, registry

_FOLDER = "drivers"
_OFFERED_WITHIN = 10.0


class Extensions:
    """What others add to this Home Assistant."""

    def __init__(self, hass: HomeAssistant, config: ConfigType) -> None:
        """Begin with nothing."""
        self.hass = hass
        self._config = config
        # What is on its way or has come, by the domain of the integration.
        self._offers: dict[str, asyncio.Task[None]] = {}
        # What is wrong with each file of a driver.
        self._broken: dict[str, str] = {}
        self._loading: asyncio.Task[None] | None = None

    async def async_setup(self) -> None:
        """Take what is there, and have what comes later taken too."""
        await self.async_read_files()
        await async_process_integration_platforms(
            self.hass, DOMAIN, self._async_offered, wait_for_platforms=True
        )
        # They depend on this integration, and so wait until it is set up.
        self._loading = self.hass.async_create_task(
            self._async_load_installed(), f"{DOMAIN} drivers of other integrations"
        )

    async def async_wait(self) -> None:
        """Wait for what is installed; not to be used while this one is set up."""
        if self._loading is not None:
            await asyncio.wait([self._loading], timeout=_OFFERED_WITHIN)

    # Other integrations.

    async def _async_load_installed(self) -> None:
        """Set up the integrations that are there for their drivers.

        Without this they would need a line in the configuration or an entry first.
        """
        installed = await async_get_custom_components(self.hass)
        await asyncio.gather(
            *(
                self._async_load(integration)
                for integration in installed.values()
                if DOMAIN in integration.dependencies
                and integration.platforms_exists((DOMAIN,))
            )
        )

    async def _async_load(self, integration: Integration) -> None:
        domain = integration.domain
        if integration.disabled or not await async_setup_component(
            self.hass, domain, self._config
        ):
            LOGGER.error("The drivers of the integration %s are not there", domain)
            return
        try:
            # Home Assistant passes over a module that cannot be imported.
            module = await self.hass.async_add_import_executor_job(
                importlib.import_module, f"{integration.pkg_path}.{DOMAIN}"
            )
        except Exception:  # noqa: BLE001 # It is somebody else's.
            LOGGER.exception("The drivers of the integration %s are broken", domain)
        else:
            await self._async_offered(self.hass, domain, module)

    async def _async_offered(
        self, hass: HomeAssistant, domain: str, module: ModuleType
    ) -> None:
        """Take the drivers of an integration, once."""
        if (offer := self._offers.get(domain)) is None:
            offer = self._offers[domain] = self.hass.async_create_task(
                self._async_take(domain, module), f"{DOMAIN} drivers of {domain}"
            )
        await asyncio.wait([offer])

    async def _async_take(self, domain: str, module: ModuleType) -> None:
        try:
            async with asyncio.timeout(_OFFERED_WITHIN):
                offered = tuple(await _drivers_of(self.hass, module))
        except Exception:  # noqa: BLE001
            LOGGER.exception("The drivers of the integration %s are broken", domain)
            return
        for driver in offered:
            try:
                registry.add(driver)
            except TypeError as error:
                LOGGER.error(
                    "A driver of the integration %s is broken: %s", domain, error
                )

    # Files.

    async def async_read_files(self) -> None:
        """Take on what the files of the configuration folder describe by now."""
        folder = Path(self.hass.config.path(DOMAIN, _FOLDER))
        problems = await self.hass.async_add_executor_job(described.use, folder)
        broken: dict[str, str] = {}
        for problem in problems:
            known = broken.get(problem.file)
            broken[problem.file] = f"{known}\n{problem.text}" if known else problem.text
        self._complain(broken)

    @callback
    def _complain(self, broken: dict[str, str]) -> None:
        for file in self._broken.keys() - broken.keys():
            async_clear_file_issue(self.hass, file)
        for file, why in broken.items():
            if self._broken.get(file) != why:
                words = why.replace("\n", "; ")
                LOGGER.warning("%s/%s/%s: %s", DOMAIN, _FOLDER, file, words)
                path = f"{DOMAIN}/{_FOLDER}/{file}"
                async_file_issue(self.hass, file, path, why)
        self._broken = broken


async def _drivers_of(hass: HomeAssistant, module: ModuleType) -> Iterable[Any]:
    """Return what a module offers.

    Raises:
        TypeError: it offers nothing.
    """
    if (get := getattr(module, "async_get_drivers", None)) is not None:
        found: Iterable[Any] = await get(hass)
        return found
    if (drivers := getattr(module, "DRIVERS", None)) is not None:
        return tuple(drivers)
    raise TypeError(f"{module.__name__} has neither DRIVERS nor async_get_drivers")


async def async_setup_extensions(hass: HomeAssistant, config: ConfigType) -> None:
    """Take the drivers that others add, now and later."""
    hass.data[EXTENSIONS] = extensions = Extensions(hass, config)
    await extensions.async_setup()


async def async_ready(hass: HomeAssistant) -> None:
    """Have all drivers there, also while there is no site yet."""
    if await async_setup_component(hass, DOMAIN, {}):
        await hass.data[EXTENSIONS].async_wait()


EXTENSIONS: HassKey[Extensions] = HassKey(f"{DOMAIN}_extensions")

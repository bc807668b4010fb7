"""Fixtures for the integration: a Home Assistant with simulated devices around it."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState, ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowHandler, FlowManager
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.miningsdk.const import CONF_DEVICES, DOMAIN
from custom_components.miningsdk.inventory import Record
from custom_components.miningsdk.sdk import (
    Miner,
    _scan_identify,
    connect,
    register,
    register_miner,
    registry,
)
from custom_components.miningsdk.sdk.transports import web_api
from tests.conftest import Simulate, loopback_address
from tests.integration import texts
from tests.integration.drivers import DRIVERS
from tests.sdk.fakes import FakeDevice
from tests.simulators.axeos import SimulatedAxeOS
from tests.simulators.base import SimulatedDevice, Trouble

type AddSite = Callable[..., Awaitable[MockConfigEntry]]
type Axe = Callable[..., Awaitable[SimulatedAxeOS]]
type Fake = Callable[..., Awaitable[FakeDevice]]

NETWORK = "homeassistant.components.network.async_get_adapters"


@pytest.fixture(autouse=True)
def loadable(enable_custom_integrations: None, loopback_only: None) -> None:
    """Let Home Assistant load the integration, on loopback sockets only."""


@pytest.fixture(autouse=True)
def prompt_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have commands read back without waits in between, and give up soon."""
    monkeypatch.setattr(Miner, "confirm_every", 0.01)
    monkeypatch.setattr(Miner, "confirm_within", 2.0)


@pytest.fixture(autouse=True)
def prompt_pools(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask pools and the network without the pauses that real ones want."""

    def take(_: object, now: float, *__: float) -> float:
        return now

    monkeypatch.setattr(web_api.Turns, "take", take)


@pytest.fixture(autouse=True)
async def unloaded(hass: HomeAssistant, loadable: None) -> AsyncGenerator[None]:
    """Unload every site at the end: a poll loop must not outlive its test."""
    yield
    for entry in hass.config_entries.async_entries(DOMAIN):
        if entry.state is ConfigEntryState.LOADED:
            await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()


@pytest.fixture(autouse=True)
def texts_checked() -> Generator[None]:
    """Check that whatever a flow shows has its texts."""
    handle = FlowManager._async_handle_step

    async def checked(
        self: FlowManager, flow: FlowHandler, step_id: str, user_input: Any
    ) -> Any:
        found = texts.flow_texts(self, flow)
        result = await handle(self, flow, step_id, user_input)
        if found is not None:
            texts.check(found, result)
        return result

    with patch.object(FlowManager, "_async_handle_step", checked):
        yield


@pytest.fixture
def axe(simulate: Simulate) -> Axe:
    """Return a function that switches on a Bitaxe, each with a MAC of its own."""
    numbers = iter(range(1, 0xFFFF))

    async def switch_on(**options: Any) -> SimulatedAxeOS:
        options = {"serial": next(numbers), "ramp": 0, **options}
        device: SimulatedAxeOS = await simulate(SimulatedAxeOS, **options)
        return device

    return switch_on


@pytest.fixture
def fake_drivers() -> Generator[None]:
    """Register the invented families, some of which want a password."""
    registry.drivers()
    with patch.dict(registry._drivers):
        for kind in DRIVERS:
            register(kind)
        yield


@pytest.fixture
def fake(fake_drivers: None, simulate: Simulate) -> Fake:
    """Return a function that switches on a device of an invented family.

    It is on its usual ports and has a serial number of its own. ``firmware`` tells the
    family: see ``drivers``.
    """
    numbers = iter(range(1, 9999))

    async def switch_on(**options: Any) -> FakeDevice:
        options = {"offset": 0, "serial": f"FAKE{next(numbers):04}", **options}
        kind = options.pop("kind", FakeDevice)
        trouble = options.pop("trouble", Trouble.NONE)
        device: FakeDevice = await simulate(kind, **options)
        device.trouble = trouble
        return device

    return switch_on


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up early on devices that keep silent when they are asked who they are."""
    monkeypatch.setattr(_scan_identify, "_ANSWER_WITHIN", 0.2)


@pytest.fixture
def local_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give this machine two networks of which one adapter is switched off."""

    async def adapters(hass: HomeAssistant) -> list[dict[str, Any]]:
        def adapter(enabled: bool, *ipv4: tuple[str, int]) -> dict[str, Any]:
            found = [{"address": a, "network_prefix": prefix} for a, prefix in ipv4]
            return {"enabled": enabled, "ipv4": found, "ipv6": []}

        return [
            adapter(True, ("127.0.0.1", 8), ("127.9.9.130", 25), ("127.0.0.7", 16)),
            adapter(False, ("127.8.0.1", 24)),
        ]

    monkeypatch.setattr(NETWORK, adapters)


async def record_of(
    device: SimulatedDevice, username: str | None = None, password: str | None = None
) -> Record:
    """Return a device as the config flow would hand it to a site."""
    found = await connect(device.address, username=username, password=password)
    await found.close()
    return Record.of(found.info, username, password)


def offline_record(driver: str = "axeos", **facts: Any) -> Record:
    """Return a device that is off, at an address where nothing listens."""
    device = register_miner(driver, host=loopback_address(), port=29999)
    return Record.of(replace(device.info, **facts))


@pytest.fixture
def add_site(hass: HomeAssistant) -> AddSite:
    """Return a function that sets up a site with simulated devices or records in it.

    ``setup=False`` leaves it unloaded, with the devices waiting in its data.
    """

    async def add(
        *devices: SimulatedDevice | Record,
        title: str = "Home",
        options: Mapping[str, Any] | None = None,
        subentries: tuple[ConfigSubentryData, ...] = (),
        setup: bool = True,
    ) -> MockConfigEntry:
        records = [
            device if isinstance(device, Record) else await record_of(device)
            for device in devices
        ]
        for device in devices:
            if isinstance(device, SimulatedDevice):
                device.requests = device.most_connections = 0
        entry = MockConfigEntry(
            domain=DOMAIN,
            title=title,
            data={CONF_DEVICES: [record.as_dict() for record in records]},
            options=dict(options or {}),
            subentries_data=subentries,
        )
        entry.add_to_hass(hass)
        if setup:
            assert await hass.config_entries.async_setup(entry.entry_id)
            await hass.async_block_till_done()
        return entry

    return add

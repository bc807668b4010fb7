"""Diagnostics: all that helps, and nothing that is private."""

from collections.abc import Iterator
from dataclasses import replace
import json
from typing import Any

from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
    get_diagnostics_for_device,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from syrupy.assertion import SnapshotAssertion

from custom_components.miningsdk.const import DOMAIN, SUBENTRY_RANGE
from custom_components.miningsdk.sdk import Board, DeviceUnreachable, Fault
from tests.conftest import Simulate
from tests.integration.conftest import AddSite, record_of
from tests.integration.families import (
    FAMILIES,
    MAIN,
    recorded_fixture,  # noqa: F401
)
from tests.integration.fixtures_fleet import (
    FROZEN,
    MakeScript,
    Script,
    script_fixture,  # noqa: F401
)

RANGE = ConfigSubentryData(
    data={
        "targets": "127.66.0.0/30",
        "accounts": [{"username": "operator", "password": "rangepass"}],
    },
    subentry_type=SUBENTRY_RANGE,
    title="127.66.0.0/30",
    unique_id=None,
)


def device_of(hass: HomeAssistant, entry: MockConfigEntry, key: str) -> dr.DeviceEntry:
    """Return a device of a site."""
    device = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, key), entry.entry_id
    )
    assert device is not None
    return device


def ours(diagnostics: Any) -> str:
    """Return the diagnostics as the text that a user would post."""
    return json.dumps(diagnostics).lower()


def secrets_of(script: Script) -> Iterator[str]:
    """Yield what must not be in diagnostics of a scripted miner."""
    info = script.info
    yield from (info.host, "sn0001", "aabbcc", "aa:bb:cc", "workshop-rig")
    yield from ("account.one", "pool.example", "topsecret", "rootuser", "board-serial")
    yield from ("127.66", "operator", "rangepass")


@pytest.fixture
def private(script: MakeScript) -> Script:
    """Return a miner that has something to hide in every corner."""
    miner = script(full=True, mac="02:00:00:aa:bb:cc", hostname="workshop-rig")
    boards = tuple(
        replace(board, serial_number=f"board-serial-{board.index}")
        for board in miner.stats.boards
    )
    miner.say(
        boards=(*boards, Board(index=2)),
        faults=(
            Fault(code="1", message=f"{miner.host} cannot reach its pool"),
            Fault(code="2", message="SN0001 (02:00:00:aa:bb:cc) is not licensed"),
        ),
    )
    return miner


async def test_nothing_private_is_told(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    add_site: AddSite,
    private: Script,
) -> None:
    """Not of the site, not of a device, not of what went wrong."""
    record = replace(private.record, username="rootuser", password="topsecret")
    entry = await add_site(record, subentries=(RANGE,))
    loop = entry.runtime_data.coordinators[record.id]
    site = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    shown: list[Any] = [site]
    shown.append(
        await get_diagnostics_for_device(
            hass, hass_client, entry, device_of(hass, entry, record.id)
        )
    )
    private.error = DeviceUnreachable(f"{private.host}: connection refused by SN0001")
    await loop.async_refresh()
    shown.append(await get_diagnostics_for_config_entry(hass, hass_client, entry))
    for diagnostics in shown:
        text = ours(diagnostics)
        found = [secret for secret in secrets_of(private) if secret in text]
        assert found == []
    assert shown[-1]["devices"][0]["problem"] == (
        "**REDACTED**: connection refused by **REDACTED**"
    )
    assert shown[-1]["devices"][0]["available"] is False


async def test_what_helps_is_told(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    add_site: AddSite,
    private: Script,
) -> None:
    """Model, firmware, limits, the last reading and what could not be read."""
    entry = await add_site(private.record, subentries=(RANGE,))
    site: Any = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert site["detail"] == "full"
    assert site["totals"]["work"]["sha256"]["hashrate"] == 100.0
    assert site["ranges"][0]["targets"] == "**REDACTED**"
    device = site["devices"][0]
    assert device["record"]["info"]["model"] == "A1"
    assert device["record"]["info"]["limits"]["fan"]["options"] == ["auto"]
    assert device["stats"]["power"] == 3000.0
    assert device["stats"]["pools"][0]["accepted"] == 990
    assert device["stats"]["faults"][0]["message"] == (
        "**REDACTED** cannot reach its pool"
    )


async def test_of_the_sites_own_device(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    add_site: AddSite,
    script: MakeScript,
) -> None:
    """It stands for all of the site."""
    entry = await add_site(script().record, script().record)
    site = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    device: Any = await get_diagnostics_for_device(
        hass, hass_client, entry, device_of(hass, entry, entry.entry_id)
    )
    assert device == site
    assert len(device["devices"]) == 2


async def test_of_a_miner_never_reached(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    add_site: AddSite,
    script: MakeScript,
) -> None:
    """There is no reading yet, and that is what it says."""
    miner = script()
    miner.error = DeviceUnreachable("nothing answers there")
    entry = await add_site(miner.record)
    site: Any = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert site["devices"][0]["stats"] is None
    assert site["devices"][0]["problem"] == "nothing answers there"


@FROZEN
@pytest.mark.parametrize("name", FAMILIES)
async def test_diagnostics_of_each_family(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    add_site: AddSite,
    simulate: Simulate,
    recorded: SnapshotAssertion,
    name: str,
) -> None:
    """As they come from simulated devices, which hide less than scripted ones."""
    family = FAMILIES[name]
    device = await simulate(family.simulator, **family.options)
    record = await record_of(device, family.username, family.password)
    entry = await add_site(record)
    key = next(iter(entry.runtime_data.coordinators))
    shown = await get_diagnostics_for_device(
        hass, hass_client, entry, device_of(hass, entry, key)
    )
    if name in MAIN:
        assert shown == recorded
    info = record.info
    private = [info.host, info.serial_number, info.mac, family.password]
    private += [(info.mac or "").replace(":", "")]
    for pool in entry.runtime_data.coordinators[key].data.pools:
        private += [pool.user, pool.url]
    # The password of one family is also the name of its account.
    text = ours(shown)
    assert not [word for word in private if word and f'"{word.lower()}' in text]
    assert not [word for word in private[:3] if word and word.lower() in text]

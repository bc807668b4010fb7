"""The actions: scan, and set pools on any target."""

from typing import Any

from homeassistant.auth.models import User
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import (
    HomeAssistantError,
    ServiceValidationError,
    Unauthorized,
)
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    label_registry as lr,
)
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from custom_components.miningsdk.actions import ACTION_SCAN
from custom_components.miningsdk.const import DOMAIN
from custom_components.miningsdk.sdk import Capability, CommandFailed, scan
from tests.integration.conftest import AddSite, Axe
from tests.integration.fixtures_fleet import (
    UNREACHABLE,
    MakeScript,
    Script,
    entity_id,
    script_fixture,  # noqa: F401
)

ACTION_SET_POOLS = "set_pools"
POOLS = [
    {"url": "stratum+tcp://pool.example:3333", "user": "account.one"},
    {"url": "stratum+tcp://other.example:3333", "user": "account", "password": "p"},
]


async def set_pools(
    hass: HomeAssistant, *, response: bool = True, **target: Any
) -> dict[str, Any]:
    """Call the action, and return its results by the name of the device."""
    answer = await hass.services.async_call(
        DOMAIN,
        ACTION_SET_POOLS,
        {"pools": POOLS},
        target=target,
        blocking=True,
        return_response=response,
    )
    if answer is None:
        return {}
    results: Any = answer["results"]
    for result in results:
        assert (result["outcome"] == "done") is (result["error"] is None)
    return {result["name"]: result["error"] for result in results}


def device_of(hass: HomeAssistant, entry: MockConfigEntry, key: str) -> str:
    """Return the id that the device registry gave to a miner, or to the site."""
    device = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, key), entry.entry_id
    )
    assert device is not None
    return device.id


def was_told(script: Script) -> bool:
    """Tell whether a miner got the pools."""
    users = [pool.user for pool in script.stats.pools]
    return script.told == ["pools"] and users == ["account.one", "account"]


# Scan.


async def test_scan_returns_what_it_finds(
    hass: HomeAssistant, add_site: AddSite, axe: Axe
) -> None:
    """Devices that are added already are in it too; nothing is changed."""
    added, new = await axe(), await axe(hostname="workshop")
    entry = await add_site(added)
    answer = await hass.services.async_call(
        DOMAIN,
        ACTION_SCAN,
        {"targets": [added.address, new.address]},
        blocking=True,
        return_response=True,
    )
    assert answer is not None
    devices: Any = answer["devices"]
    assert {device["hostname"] for device in devices} == {"bitaxe", "workshop"}
    found = next(device for device in devices if device["hostname"] == "workshop")
    assert (found["driver"], found["model"]) == ("axeos", "Gamma 601")
    assert "pause" in found["capabilities"]
    assert found["limits"]["frequency"]["maximum"] == 625
    assert len(entry.runtime_data.coordinators) == 1


async def test_scan_takes_one_target_as_text_and_an_account(
    hass: HomeAssistant, add_site: AddSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the networks of Home Assistant when there is none."""
    await add_site()
    asked: list[tuple[Any, Any, Any]] = []

    def note(targets: Any, **options: Any) -> Any:
        asked.append((targets, options["username"], options["password"]))
        return scan([], **options)

    async def networks(_: HomeAssistant) -> list[str]:
        return ["192.0.2.0/24"]

    monkeypatch.setattr("custom_components.miningsdk.actions.scan", note)
    monkeypatch.setattr(
        "custom_components.miningsdk.actions.async_local_networks", networks
    )
    for data in (
        {"targets": "127.77.0.1", "username": "root", "password": "secret"},
        {},
    ):
        answer = await hass.services.async_call(
            DOMAIN, ACTION_SCAN, data, blocking=True, return_response=True
        )
        assert answer == {"devices": []}
    assert asked == [
        (["127.77.0.1"], "root", "secret"),
        (["192.0.2.0/24"], None, None),
    ]


async def test_scan_refuses_what_is_no_target(
    hass: HomeAssistant, add_site: AddSite
) -> None:
    """In words that a person understands."""
    await add_site()
    with pytest.raises(ServiceValidationError) as raised:
        await hass.services.async_call(
            DOMAIN,
            ACTION_SCAN,
            {"targets": "10.0.0.0/33"},
            blocking=True,
            return_response=True,
        )
    assert raised.value.translation_key == "invalid_targets"
    assert "10.0.0.0/33" in str(raised.value)


async def test_scan_is_for_administrators(
    hass: HomeAssistant, add_site: AddSite, hass_read_only_user: User
) -> None:
    """It tells what is in the network."""
    await add_site()
    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            DOMAIN,
            ACTION_SCAN,
            {"targets": "127.0.0.1"},
            blocking=True,
            return_response=True,
            context=Context(user_id=hass_read_only_user.id),
        )


# Set pools.


async def test_sets_pools_by_device(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """Only those of the target, and the result tells of each of them."""
    one, two, other = script(full=True), script(full=True), script(full=True)
    entry = await add_site(*(miner.record for miner in (one, two, other)))
    devices = [device_of(hass, entry, miner.record.id) for miner in (one, two)]
    assert await set_pools(hass, device_id=devices) == {
        "Acme A1 0001": None,
        "Acme A1 0002": None,
    }
    assert was_told(one)
    assert was_told(two)
    assert other.told == []


async def test_results_are_kept_apart_when_names_are_alike(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """A name holds only the end of the serial number."""
    one, two = script(full=True), script(full=True, serial_number="X0001")
    entry = await add_site(one.record, two.record)
    devices = [device_of(hass, entry, miner.record.id) for miner in (one, two)]
    two.refuses = CommandFailed("the pool list is locked")
    answer: Any = await hass.services.async_call(
        DOMAIN,
        ACTION_SET_POOLS,
        {"pools": POOLS},
        target={"device_id": devices},
        blocking=True,
        return_response=True,
    )
    done = {result["device_id"]: result["outcome"] for result in answer["results"]}
    assert done == dict(zip(devices, ("done", "failed"), strict=True))
    assert {result["name"] for result in answer["results"]} == {"Acme A1 0001"}


async def test_sets_pools_by_entity_area_and_label(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """Each miner once, by however many ways it is meant."""
    by_entity, by_area, by_label, other = (script(full=True) for _ in range(4))
    miners = (by_entity, by_area, by_label, other)
    entry = await add_site(*(miner.record for miner in miners))
    devices = dr.async_get(hass)
    area = ar.async_get(hass).async_create("Garage")
    label = lr.async_get(hass).async_create("Winter")
    devices.async_update_device(
        device_of(hass, entry, by_area.record.id), area_id=area.id
    )
    devices.async_update_device(
        device_of(hass, entry, by_label.record.id), labels={label.label_id}
    )
    results = await set_pools(
        hass,
        entity_id=[
            entity_id(hass, "sensor", by_entity.record.id, "hashrate"),
            entity_id(hass, "switch", by_area.record.id, "mining"),
        ],
        area_id=area.id,
        label_id=label.label_id,
    )
    assert list(results.values()) == [None, None, None]
    assert all(was_told(miner) for miner in miners[:3])
    assert other.told == []


async def test_sets_pools_of_a_real_miner(
    hass: HomeAssistant, add_site: AddSite, axe: Axe
) -> None:
    """It is written, read back and used."""
    device = await axe(boot=0.05)
    entry = await add_site(device)
    key = next(iter(entry.runtime_data.coordinators))
    results = await set_pools(hass, device_id=device_of(hass, entry, key))
    assert list(results.values()) == [None]
    assert device.mining_to == [
        ("pool.example", "account.one"),
        ("other.example", "account"),
    ]
    assert device.restarts == 1


async def test_one_failure_does_not_keep_the_others_from_their_pools(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """With a response it is in there, without one it is raised in the end."""
    bad, good = script(full=True), script(full=True)
    entry = await add_site(bad.record, good.record)
    bad.refuses = CommandFailed("the pool list is locked")
    devices = [device_of(hass, entry, miner.record.id) for miner in (bad, good)]
    assert await set_pools(hass, device_id=devices) == {
        "Acme A1 0001": "Acme A1 0001 did not do it: the pool list is locked",
        "Acme A1 0002": None,
    }
    good.told.clear()
    with pytest.raises(HomeAssistantError) as raised:
        await set_pools(hass, response=False, device_id=devices)
    assert raised.value.translation_key == "command_failed"
    assert was_told(good)

    good.refuses = UNREACHABLE
    with pytest.raises(HomeAssistantError) as raised:
        await set_pools(hass, response=False, device_id=devices)
    assert raised.value.translation_key == "several_failed"
    assert "the pool list is locked" in str(raised.value)
    assert "nothing answers there" in str(raised.value)


async def test_without_a_response_success_is_silence(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """As any other action."""
    miner = script(full=True)
    entry = await add_site(miner.record)
    device = device_of(hass, entry, miner.record.id)
    assert await set_pools(hass, response=False, device_id=device) == {}
    assert was_told(miner)


async def test_a_miner_that_takes_no_pools_says_so(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """It is the user's mistake, not the device's."""
    miner = script(capabilities=(Capability.PAUSE,))
    entry = await add_site(miner.record)
    with pytest.raises(ServiceValidationError) as raised:
        await set_pools(
            hass, response=False, device_id=device_of(hass, entry, miner.record.id)
        )
    assert raised.value.translation_key == "not_supported"


async def test_a_target_without_a_miner_is_refused(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """A device of another integration, one that is gone, a site unloaded."""
    miner = script(full=True)
    entry = await add_site(miner.record)
    known = device_of(hass, entry, miner.record.id)
    other = MockConfigEntry(domain="elsewhere")
    other.add_to_hass(hass)
    foreign = dr.async_get(hass).async_get_or_create(
        config_entry_id=other.entry_id, identifiers={("elsewhere", "1")}
    )
    lonely = er.async_get(hass).async_get_or_create("sensor", "elsewhere", "1")
    targets: list[dict[str, Any]] = [
        {"device_id": foreign.id},
        {"device_id": "nobody"},
        {"entity_id": [lonely.entity_id, "sensor.nobody"]},
    ]
    for target in targets:
        with pytest.raises(ServiceValidationError) as raised:
            await set_pools(hass, **target)
        assert raised.value.translation_key == "no_miner_targeted"
    assert await hass.config_entries.async_unload(entry.entry_id)
    with pytest.raises(ServiceValidationError):
        await set_pools(hass, device_id=known)
    assert miner.told == []


@pytest.mark.parametrize(
    "pools",
    [
        [],
        [POOLS[0]] * 4,
        [{"url": "stratum+tcp://pool.example:3333"}],
        [{"user": "account"}],
        "stratum+tcp://pool.example:3333",
    ],
)
async def test_pools_must_be_complete(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript, pools: Any
) -> None:
    """One to three of them, each with its address and its user."""
    miner = script(full=True)
    entry = await add_site(miner.record)
    with pytest.raises(vol.Invalid):
        await hass.services.async_call(
            DOMAIN,
            ACTION_SET_POOLS,
            {"pools": pools},
            target={"device_id": device_of(hass, entry, miner.record.id)},
            blocking=True,
        )
    assert miner.told == []

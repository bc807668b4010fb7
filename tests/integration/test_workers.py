"""Miners that hash for an account at a pool that does not see them."""

from dataclasses import replace
from typing import Any

from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest

from custom_components.miningsdk.sdk import MinerPool, MinerStats
from custom_components.miningsdk.sdk.model import MinerStatus, PoolState
from custom_components.miningsdk.workers import users_at
from tests.conftest import Simulate
from tests.integration.conftest import AddSite, Axe
from tests.integration.flows import fleet_of
from tests.simulators.pools import ACCOUNT, POOLS, Worker

HASHES = MinerStats(
    status=MinerStatus.MINING,
    uptime=7200,
    pools=(
        MinerPool(index=0, user=f"{ACCOUNT}.rig1", status=PoolState.ACTIVE),
        MinerPool(index=1, user=f"{ACCOUNT}.spare", status=PoolState.ALIVE),
    ),
)


@pytest.mark.parametrize(
    ("stats", "users"),
    [
        (HASHES, [f"{ACCOUNT}.rig1"]),
        (replace(HASHES, status=MinerStatus.PAUSED), []),
        (replace(HASHES, uptime=60), []),
        (replace(HASHES, uptime=None), []),
        (replace(HASHES, pools=()), []),
    ],
)
def test_who_hashes_for_an_account(stats: MinerStats, users: list[str]) -> None:
    assert users_at(stats, ACCOUNT.upper()) == users
    assert users_at(stats, "another") == []


async def test_unseen_miner_is_reported(
    hass: HomeAssistant,
    axe: Axe,
    add_site: AddSite,
    simulate: Simulate,
    entity_registry: er.EntityRegistry,
) -> None:
    pool: Any = await simulate(POOLS["pool-ckpool"])
    address = f"http://{pool.host}:{pool.port(pool.ports[0])}"
    entry = await add_site(
        await axe(),
        subentries=(
            ConfigSubentryData(
                data={
                    "driver": "pool-ckpool",
                    "host": address,
                    "username": ACCOUNT,
                },
                subentry_type="pool",
                title="Solo",
                unique_id=None,
            ),
        ),
    )
    await hass.async_block_till_done(wait_background_tasks=True)
    (miner,) = fleet_of(hass).coordinators.values()
    (account,) = entry.runtime_data.attached.values()
    entity_id = entity_registry.async_get_entity_id(
        "binary_sensor", "miningsdk", f"{account.id}_unseen_miners"
    )
    assert entity_id is not None
    state = hass.states.get(entity_id)
    assert state is not None
    # The miner hashes for somebody else.
    assert state.state == "off"

    def show(user: str, workers: list[Worker]) -> str:
        assert miner.data is not None
        (first, *_) = HASHES.pools
        miner.data = replace(HASHES, pools=(replace(first, user=user),))
        pool.workers = workers
        assert account.data is not None
        known = account.data.workers[0]
        account.data = replace(
            account.data,
            workers=tuple(
                replace(known, name=w.name, online=w.online) for w in workers
            ),
        )
        account.async_tell()
        found = hass.states.get(entity_id)
        assert found is not None
        return found.state

    assert show(f"{ACCOUNT}.rig1", [Worker("rig1", 100.0)]) == "off"
    assert show(f"{ACCOUNT}.rig7", [Worker("rig1", 100.0)]) == "on"
    state = hass.states.get(entity_id)
    assert state is not None
    assert state.attributes["miners"] == [miner.name]
    assert show(f"{ACCOUNT}.rig1", [Worker("rig1", 0.0, online=False)]) == "on"

    # An old list of workers accuses nobody.
    account.data = replace(account.data, failed={"workers": "HTTP status 429"})
    account.async_tell()
    state = hass.states.get(entity_id)
    assert state is not None
    assert state.state == "unknown"

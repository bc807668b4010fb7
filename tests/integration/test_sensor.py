"""Sensors of the miners and of the site."""

from datetime import UTC, datetime, timedelta
from typing import Any

from homeassistant.const import EntityCategory, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest

from custom_components.miningsdk.sdk import Fan, MinerPool, PoolState
from custom_components.miningsdk.sensor_miner import within_dead_band
from tests.integration.conftest import AddSite, Axe
from tests.integration.families import (
    MAIN,
    CheckPlatform,
    check_platform_fixture,  # noqa: F401
    recorded_fixture,  # noqa: F401
)
from tests.integration.fixtures_fleet import (
    FROZEN,
    Clock,
    MakeScript,
    clock_fixture,  # noqa: F401
    entity_id,
    script_fixture,  # noqa: F401
    state_of,
)


@FROZEN
@pytest.mark.parametrize("family", MAIN)
async def test_sensors(check_platform: CheckPlatform, family: str) -> None:
    """All that each family measures, and its site."""
    await check_platform(Platform.SENSOR, family, short=family != "axeos")


async def test_few_are_on_by_default(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """The rest of the vocabulary is there, switched off."""
    miner = script(full=True)
    await add_site(miner.record)
    sensors = [
        entity
        for entity in er.async_get(hass).entities.values()
        if entity.domain == "sensor" and entity.unique_id.startswith(miner.record.id)
    ]
    on = {
        entity.unique_id.removeprefix(f"{miner.record.id}_")
        for entity in sensors
        if entity.disabled_by is None
    }
    assert on == {
        "status",
        "hashrate",
        "power",
        "efficiency",
        "temperature_chip",
        "energy",
        "rejected_ratio",
        "fan_speed",
    }
    assert len(sensors) - len(on) == 34
    diagnostic = {
        entity.unique_id.rsplit("_", 1)[0]
        for entity in sensors
        if entity.entity_category is EntityCategory.DIAGNOSTIC
    }
    assert f"{miner.record.id}_board_chips" in diagnostic


async def test_fan_without_a_speed(
    hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """Where only the duty is told, no speed is shown that is never known."""
    miner = script()
    miner.say(fans=(Fan(index=0, duty=50),))
    await add_site(miner.record)
    known = {
        entity.unique_id.removeprefix(f"{miner.record.id}_")
        for entity in er.async_get(hass).entities.values()
    }
    assert "fan_speed" not in known
    assert any(key.startswith("fan_n_duty") for key in known)


async def test_parts_are_told_apart(
    hass: HomeAssistant,
    add_site: AddSite,
    script: MakeScript,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By number, as people count; one that is gone is unknown."""
    monkeypatch.setattr(
        "homeassistant.helpers.entity.Entity.entity_registry_enabled_default", True
    )
    miner = script(full=True)
    entry = await add_site(miner.record)
    key = miner.record.id
    shown = {
        name: state_of(hass, "sensor", key, name)
        for name in ("board_chips_0", "board_chips_1", "fan_n_duty_1", "pool_status_0")
    }
    assert shown == {
        "board_chips_0": "63",
        "board_chips_1": "62",
        "fan_n_duty_1": "50",
        "pool_status_0": "active",
    }
    state = hass.states.get(entity_id(hass, "sensor", key, "board_chips_1"))
    assert state is not None
    assert state.name == "Acme A1 0001 Board 2 working chips"

    miner.say(boards=miner.stats.boards[:1])
    await entry.runtime_data.coordinators[key].async_refresh()
    assert state_of(hass, "sensor", key, "board_chips_1") == "unknown"
    assert state_of(hass, "sensor", key, "board_chips_0") == "63"


@pytest.mark.parametrize(
    ("accepted", "rejected", "ratio"),
    [(99, 1, "1.0"), (0, 0, "unknown"), (None, 1, "unknown"), (5, None, "unknown")],
)
async def test_rejected_ratio(
    hass: HomeAssistant,
    add_site: AddSite,
    script: MakeScript,
    accepted: int | None,
    rejected: int | None,
    ratio: str,
) -> None:
    """No shares have no ratio."""
    miner = script()
    entry = await add_site(miner.record)
    miner.say(accepted=accepted, rejected=rejected)
    await entry.runtime_data.coordinators[miner.record.id].async_refresh()
    assert state_of(hass, "sensor", miner.record.id, "rejected_ratio") == ratio


@FROZEN
async def test_uptime_is_a_start_that_stands_still(
    clock: Clock,
    hass: HomeAssistant,
    add_site: AddSite,
    script: MakeScript,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Until the miner is started again."""
    monkeypatch.setattr(
        "homeassistant.helpers.entity.Entity.entity_registry_enabled_default", True
    )
    miner = script()
    entry = await add_site(miner.record)
    key = miner.record.id
    begin = state_of(hass, "sensor", key, "uptime")
    started = datetime(2026, 11, 22, 11, 43, 20, tzinfo=UTC)
    assert datetime.fromisoformat(begin) == started
    for seconds in range(30, 151, 30):
        miner.say(uptime=1000 + seconds + seconds % 20)
        await clock.forward(30)
    assert state_of(hass, "sensor", key, "uptime") == begin
    miner.say(uptime=5)
    await entry.runtime_data.coordinators[key].async_refresh()
    later = datetime.fromisoformat(state_of(hass, "sensor", key, "uptime"))
    miner.say(uptime=None)
    await entry.runtime_data.coordinators[key].async_refresh()
    assert state_of(hass, "sensor", key, "uptime") == "unknown"
    assert later - started > timedelta(minutes=15)


async def test_active_pool(
    hass: HomeAssistant,
    add_site: AddSite,
    script: MakeScript,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The one that gets the work; unknown while there is none."""
    monkeypatch.setattr(
        "homeassistant.helpers.entity.Entity.entity_registry_enabled_default", True
    )
    miner = script(full=True)
    entry = await add_site(miner.record)
    key = miner.record.id
    assert state_of(hass, "sensor", key, "active_pool") == (
        "stratum+tcp://pool.example:3333"
    )
    miner.say(
        pools=(
            MinerPool(index=0, url="one", status=PoolState.DEAD),
            MinerPool(index=1, url="two"),
        )
    )
    await entry.runtime_data.coordinators[key].async_refresh()
    assert state_of(hass, "sensor", key, "active_pool") == "unknown"


@pytest.mark.parametrize(
    ("shown", "written", "band", "ratio", "same"),
    [
        (100.4, 100.0, 0.0, 0.005, True),
        (100.6, 100.0, 0.0, 0.005, False),
        (60.9, 60.0, 1.0, 0.0, True),
        (61.0, 60.0, 1.0, 0.0, False),
        # Zero means that something stopped or started.
        (0, 0.5, 1.0, 0.0, False),
        (0.5, 0, 1.0, 0.0, False),
        (0, 0, 1.0, 0.0, True),
        (None, 60.0, 1.0, 0.0, False),
        (None, None, 1.0, 0.0, True),
        (5, 5, 0.0, 0.0, True),
        (6, 5, 0.0, 0.0, False),
        ("mining", "mining", 1.0, 0.0, True),
        ("mining", "idle", 1.0, 0.0, False),
    ],
)
def test_dead_bands(
    shown: Any, written: Any, band: float, ratio: float, *, same: bool
) -> None:
    """The edge of a band is news."""
    assert within_dead_band(shown, written, band=band, ratio=ratio) is same


async def test_a_real_miner_in_sensors(
    hass: HomeAssistant, add_site: AddSite, axe: Axe
) -> None:
    """Units are those of the vocabulary, whatever the device counts in."""
    device = await axe()
    entry = await add_site(device)
    key = next(iter(entry.runtime_data.inventory.records))
    shown = {
        name: float(state_of(hass, "sensor", key, name))
        for name in ("hashrate", "power", "efficiency", "temperature_chip")
    }
    assert shown["hashrate"] == pytest.approx(1.071, rel=0.05)
    assert shown["power"] == pytest.approx(17.5, rel=0.05)
    assert shown["efficiency"] == pytest.approx(16.4, rel=0.1)
    assert shown["temperature_chip"] == pytest.approx(60, abs=2)

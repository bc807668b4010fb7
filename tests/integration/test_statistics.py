"""Hourly history of single miners without entities, in a real recorder."""

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

from homeassistant.components.recorder import Recorder, get_instance
from homeassistant.components.recorder.statistics import (
    list_statistic_ids,
    statistics_during_period,
)
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from custom_components.miningsdk.const import DOMAIN
from custom_components.miningsdk.sdk import MinerStatus
from tests.integration.conftest import AddSite
from tests.integration.fixtures_fleet import (
    FROZEN,
    UNREACHABLE,
    Clock,
    MakeScript,
    Script,
    clock_fixture,  # noqa: F401
    script_fixture,  # noqa: F401
)

pytestmark = FROZEN

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
COMPACT = {"detail": "compact"}


@pytest.fixture(autouse=True)
def loadable(
    recorder_mock: Recorder, enable_custom_integrations: None, loopback_only: None
) -> None:
    """Let Home Assistant load the integration; the recorder is there before it."""


async def recorded(
    hass: HomeAssistant, name: str = "sn0001_power", **types: Any
) -> dict[int, dict[str, float]]:
    """Return what is recorded of a value, by the hour after noon."""
    await async_wait_recording_done(hass)
    found = await get_instance(hass).async_add_executor_job(
        statistics_during_period,
        hass,
        NOON - timedelta(hours=24),
        None,
        {f"{DOMAIN}:{name}"},
        "hour",
        None,
        {"mean", "min", "max", "sum"},
    )
    return {
        round((row["start"] - NOON.timestamp()) / 3600): {
            key: round(value, 3)
            for key, value in row.items()
            if key in ("mean", "min", "max", "sum") and isinstance(value, float)
        }
        for row in found.get(f"{DOMAIN}:{name}", ())
    }


async def hours(clock: Clock, number: float) -> None:
    """Go on by so many hours, with a poll every minute, and a little beyond."""
    await clock.forward(number * 3600, step=60)
    for _ in range(3):
        await clock.forward(1.1)


@pytest.fixture(name="miner")
def miner_fixture(script: MakeScript) -> Script:
    """Return a miner of 100 TH/s and 3 kW."""
    return script()


@pytest.fixture(name="site")
async def site_fixture(
    clock: Clock, add_site: AddSite, miner: Script
) -> MockConfigEntry:
    """Return a site with this miner, read every minute."""
    return await add_site(miner.record, options={**COMPACT, "scan_interval": 60})


async def test_an_hour_is_recorded(
    clock: Clock, hass: HomeAssistant, site: MockConfigEntry, miner: Script
) -> None:
    """Mean, minimum and maximum; energy as a sum that goes on."""
    miner.say(hashrate=90.0, power=2000.0)
    await hours(clock, 0.5)
    miner.say(hashrate=110.0, power=4000.0)
    await hours(clock, 0.5)
    power = await recorded(hass)
    assert power.keys() == {0}
    # The reading of the start was of 3 kW.
    assert (power[0]["min"], power[0]["max"]) == (2000, 4000)
    assert power[0]["mean"] == pytest.approx(3000, rel=0.03)
    hashrate = await recorded(hass, "sn0001_hashrate")
    assert hashrate[0]["mean"] == pytest.approx(100, rel=0.03)
    temperature = await recorded(hass, "sn0001_temperature")
    assert temperature == {0: {"mean": 60, "min": 60, "max": 60}}
    energy = await recorded(hass, "sn0001_energy")
    assert energy == {0: {"sum": pytest.approx(3.0, abs=0.1)}}
    await hours(clock, 1)
    energy = await recorded(hass, "sn0001_energy")
    assert energy[1]["sum"] - energy[0]["sum"] == pytest.approx(4.0, abs=0.1)


async def test_what_is_said_of_the_history(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """Names as people know the miners, and units that can be converted."""
    kaspa = script(algorithm="kheavyhash", serial_number="AA:BB-1__2")
    await add_site(kaspa.record, options={**COMPACT, "scan_interval": 60})
    kaspa.say(hashrate=8.0)
    await hours(clock, 1)
    await async_wait_recording_done(hass)
    found = await get_instance(hass).async_add_executor_job(list_statistic_ids, hass)
    assert {
        told["statistic_id"]: (
            told["name"],
            told["statistics_unit_of_measurement"],
            told["unit_class"],
            told["has_sum"],
        )
        for told in found
        if told["source"] == DOMAIN
    } == {
        f"{DOMAIN}:aa_bb_1_2_hashrate": (
            f"{kaspa.record.name} hashrate",
            "TH/s",
            None,
            False,
        ),
        f"{DOMAIN}:aa_bb_1_2_power": (
            f"{kaspa.record.name} power",
            "W",
            "power",
            False,
        ),
        f"{DOMAIN}:aa_bb_1_2_temperature": (
            f"{kaspa.record.name} temperature",
            "°C",
            "temperature",
            False,
        ),
        f"{DOMAIN}:aa_bb_1_2_energy": (
            f"{kaspa.record.name} energy",
            "kWh",
            "energy",
            True,
        ),
    }


async def test_other_algorithms_in_their_own_unit(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """As their entities show them."""
    scrypt = script(algorithm="scrypt", serial_number="L9")
    scrypt.say(hashrate=0.016)
    await add_site(scrypt.record, options={**COMPACT, "scan_interval": 60})
    await hours(clock, 1)
    assert (await recorded(hass, "l9_hashrate"))[0]["mean"] == 16.0


async def test_unknown_values_are_not_recorded(
    clock: Clock, hass: HomeAssistant, site: MockConfigEntry, miner: Script
) -> None:
    """Nor is an hour in which a miner was off: it is missing, not zero."""
    miner.say(power=None, temperature_chip=None, status=MinerStatus.PAUSED)
    miner.say(hashrate=0.0)
    # Not the hour that began with a reading of all.
    await hours(clock, 1)
    await hours(clock, 1)
    miner.error = UNREACHABLE
    await hours(clock, 2)
    assert (await recorded(hass)).keys() == {0}
    assert (await recorded(hass, "sn0001_temperature")).keys() == {0}
    assert (await recorded(hass, "sn0001_energy")).keys() == {0}
    hashrate = await recorded(hass, "sn0001_hashrate")
    assert hashrate.keys() - {2} == {0, 1}
    assert hashrate[1] == {"mean": 0, "min": 0, "max": 0}
    miner.error = None
    miner.say(power=1000.0)
    await hours(clock, 3)
    energy = await recorded(hass, "sn0001_energy")
    assert min(energy.keys() - {0}) >= 4
    assert energy[max(energy)]["sum"] < 3.2


# Over restarts.


async def test_an_hour_goes_on_after_a_restart(
    clock: Clock, hass: HomeAssistant, site: MockConfigEntry, miner: Script
) -> None:
    """Nothing is lost of it, and nothing counted twice."""
    miner.say(power=2000.0)
    await hours(clock, 0.5)
    assert await hass.config_entries.async_reload(site.entry_id)
    miner.say(power=4000.0)
    await hours(clock, 0.5)
    power = await recorded(hass)
    assert power[0]["mean"] == pytest.approx(3000, rel=0.03)
    assert (power[0]["min"], power[0]["max"]) == (2000, 4000)
    energy = await recorded(hass, "sn0001_energy")
    assert energy[0]["sum"] == pytest.approx(3.0, abs=0.15)


async def test_an_hour_that_ended_meanwhile_is_recorded(
    clock: Clock, hass: HomeAssistant, site: MockConfigEntry, miner: Script
) -> None:
    """When the site is running again, under its own time."""
    await hours(clock, 0.5)
    assert await hass.config_entries.async_unload(site.entry_id)
    await clock.forward(3 * 3600, step=600)
    assert await recorded(hass) == {}
    assert await hass.config_entries.async_setup(site.entry_id)
    await hours(clock, 0.1)
    assert (await recorded(hass)).keys() == {0}
    energy = await recorded(hass, "sn0001_energy")
    assert energy == {0: {"sum": pytest.approx(1.5, abs=0.1)}}
    await hours(clock, 1)
    energy = await recorded(hass, "sn0001_energy")
    assert energy.keys() == {0, 3}
    assert energy[3]["sum"] == pytest.approx(3.0, abs=0.2)


async def test_sums_go_on_over_restarts(
    clock: Clock, hass: HomeAssistant, site: MockConfigEntry, miner: Script
) -> None:
    """From what is recorded, hour by hour."""
    await hours(clock, 1)
    for _ in range(3):
        assert await hass.config_entries.async_reload(site.entry_id)
        await hours(clock, 1)
    sums = [row["sum"] for row in (await recorded(hass, "sn0001_energy")).values()]
    assert sums == [pytest.approx(3.0 * n, abs=0.1 * n) for n in range(1, 5)]
    assert sums == sorted(sums)


async def test_after_a_crash_less_does_not_replace_more(
    clock: Clock,
    hass: HomeAssistant,
    site: MockConfigEntry,
    miner: Script,
    hass_storage: dict[str, Any],
) -> None:
    """What was written down ten minutes before is older than what is recorded."""
    key = f"{DOMAIN}.{site.entry_id}.statistics"
    await hours(clock, 0.5)
    before = deepcopy(hass_storage[key])
    await hours(clock, 0.6)
    energy = await recorded(hass, "sn0001_energy")
    assert await hass.config_entries.async_unload(site.entry_id)
    hass_storage[key] = before
    assert await hass.config_entries.async_setup(site.entry_id)
    await hours(clock, 0.1)
    assert await recorded(hass, "sn0001_energy") == energy
    await hours(clock, 0.9)
    after = await recorded(hass, "sn0001_energy")
    assert after[0] == energy[0]
    assert after[1]["sum"] > energy[0]["sum"] + 2


async def test_it_is_written_down_before_home_assistant_ends(
    clock: Clock,
    hass: HomeAssistant,
    site: MockConfigEntry,
    miner: Script,
    hass_storage: dict[str, Any],
) -> None:
    """It does not unload its sites then."""
    key = f"{DOMAIN}.{site.entry_id}.statistics"
    await clock.forward(120, step=60)
    hass_storage.pop(key, None)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await clock.settle()
    (hour,) = hass_storage[key]["data"]["hours"].values()
    assert hour[miner.record.id][2][0] == 3


# What is kept of which.


@pytest.mark.parametrize("level", ["standard", "full"])
async def test_entities_keep_their_own_history(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript, level: str
) -> None:
    """Where there are such, nothing is kept twice."""
    await add_site(script().record, options={"detail": level, "scan_interval": 60})
    await hours(clock, 1)
    assert await recorded(hass) == {}


async def test_history_is_whole_over_a_change_of_the_level(
    clock: Clock, hass: HomeAssistant, site: MockConfigEntry, miner: Script
) -> None:
    """What was begun at a level is recorded at the other, and sums go on."""
    await hours(clock, 0.5)
    for level, wait in (("standard", 2), ("fleet", 1)):
        options = {"detail": level, "scan_interval": 60}
        hass.config_entries.async_update_entry(site, options=options)
        await clock.settle()
        await hours(clock, wait)
    energy = await recorded(hass, "sn0001_energy")
    assert energy[0]["sum"] == pytest.approx(1.5, abs=0.1)
    assert energy.keys() == {0, 2}
    assert energy[2]["sum"] == pytest.approx(3.0, abs=0.1)


async def test_many_miners_are_recorded_bit_by_bit(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """All of them, also where the site is unloaded in between."""
    miners = [script() for _ in range(25)]
    entry = await add_site(
        *(miner.record for miner in miners),
        options={"detail": "fleet", "scan_interval": 600},
    )
    await clock.forward(3601, step=60)
    some = {n for n in range(1, 26) if 0 in await recorded(hass, f"sn{n:04d}_power")}
    assert 0 < len(some) < 25
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hours(clock, 0.1)
    for n in range(1, 26):
        assert 0 in await recorded(hass, f"sn{n:04d}_power")


async def test_history_stays_when_a_miner_goes(
    clock: Clock,
    hass: HomeAssistant,
    site: MockConfigEntry,
    miner: Script,
    hass_storage: dict[str, Any],
) -> None:
    """The hour it was in is the last; a deleted site leaves no file."""
    await hours(clock, 1.5)
    await site.runtime_data.async_remove(miner.record.id)
    await hours(clock, 1)
    assert (await recorded(hass)).keys() == {0, 1}
    key = f"{DOMAIN}.{site.entry_id}.statistics"
    assert key in hass_storage
    await hass.config_entries.async_remove(site.entry_id)
    assert key not in hass_storage
    assert (await recorded(hass)).keys() == {0, 1}


async def test_a_miner_that_comes_is_kept_too(
    clock: Clock,
    hass: HomeAssistant,
    site: MockConfigEntry,
    miner: Script,
    script: MakeScript,
) -> None:
    """From then on, and once, however often it shows something new."""
    new = script()
    await site.runtime_data.async_adopt([new.record])
    new.say(best_difficulty=3.0)
    await hours(clock, 1)
    energy = await recorded(hass, "sn0002_energy")
    assert energy == {0: {"sum": pytest.approx(3.0, abs=0.1)}}

"""The poll loop of one device: when it asks, and what it makes of the answer."""

import asyncio
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from homeassistant.const import EVENT_HOMEASSISTANT_STOP, STATE_UNAVAILABLE
from homeassistant.core import CoreState, Event, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.miningsdk.const import DOMAIN, MAXIMUM_STATE_AGE
from custom_components.miningsdk.coordinator import MinerCoordinator
from custom_components.miningsdk.fleet import Fleet
from custom_components.miningsdk.sdk import (
    AuthenticationFailed,
    CommandFailed,
    DeviceTimeout,
    Fault,
    MinerStatus,
    NotSupported,
)
from tests.integration.conftest import AddSite, offline_record
from tests.integration.fixtures_fleet import (
    FROZEN,
    UNREACHABLE,
    Clock,
    MakeScript,
    Script,
    clock_fixture,  # noqa: F401
    entity_id,
    script_fixture,  # noqa: F401
    state_of,
)

pytestmark = FROZEN
INTERVAL = 30.0


def loop_of(entry: MockConfigEntry, script: Script) -> MinerCoordinator:
    """Return the poll loop of a scripted miner."""
    fleet: Fleet = entry.runtime_data
    return fleet.coordinators[script.record.id]


async def times_of_reads(
    clock: Clock, script: Script, seconds: float, step: float = 0.5
) -> list[float]:
    """Return when a miner was asked in the next seconds, counted from now."""
    begin, seen, times = clock.now, script.reads, []
    while clock.now - begin < seconds:
        await clock.forward(step)
        if script.reads != seen:
            seen = script.reads
            times.append(clock.now - begin)
    return times


def answers(loop: MinerCoordinator) -> bool:
    """Tell whether a miner answered the last time."""
    return loop.available


def gaps(times: list[float]) -> list[float]:
    """Return the seconds between times."""
    return [after - before for before, after in pairwise(times)]


def writes(hass: HomeAssistant, wanted: str) -> list[str]:
    """Return a list that grows with each state written for an entity."""
    written: list[str] = []

    @callback
    def is_wanted(data: Mapping[str, Any]) -> bool:
        return bool(data["entity_id"] == wanted)

    @callback
    def note(event: Event[Any]) -> None:
        written.append(event.data["new_state"].state)

    for kind in ("state_changed", "state_reported"):
        hass.bus.async_listen(kind, note, event_filter=is_wanted)
    return written


async def test_polls_are_spread_over_the_interval(
    clock: Clock, add_site: AddSite, script: MakeScript
) -> None:
    """Each miner has a phase of its own, and keeps to it."""
    miners = [script() for _ in range(24)]
    entry = await add_site(*(miner.record for miner in miners))
    due = sorted(loop_of(entry, miner)._due - clock.now for miner in miners)
    assert due[0] >= INTERVAL * 0.5
    assert due[-1] <= INTERVAL * 1.5
    assert len({round(moment, 1) for moment in due}) > 18
    halves = [moment < INTERVAL for moment in due]
    assert 5 < sum(halves) < 19

    one = miners[0]
    times = await times_of_reads(clock, one, 200)
    assert gaps(times) == [INTERVAL] * (len(times) - 1)


async def test_the_phase_does_not_depend_on_the_start(
    clock: Clock, add_site: AddSite, script: MakeScript
) -> None:
    """The hash of the id gives the phase, so a miner keeps it over restarts."""
    miner = script()
    first = await add_site(miner.record)
    before = loop_of(first, miner)._due - clock.now
    await clock.hass.config_entries.async_reload(first.entry_id)
    await clock.settle()
    assert loop_of(first, miner)._due - clock.now == pytest.approx(before)


async def test_backs_off_while_off_and_recovers_at_once(
    clock: Clock, add_site: AddSite, script: MakeScript
) -> None:
    """Never sooner than the interval, never later than ten minutes."""
    miner = script()
    entry = await add_site(miner.record, options={"scan_interval": 5})
    await clock.forward(10, step=0.5)
    miner.error = UNREACHABLE
    await clock.forward(5, step=0.5)
    loop = loop_of(entry, miner)
    assert not answers(loop)
    assert loop.problem == str(UNREACHABLE)

    waits = []
    for _ in range(9):
        waits.append(loop._due - clock.now)
        await clock.forward(waits[-1] + 0.001)
    assert [round(wait / 10) * 10 for wait in waits] == [
        *(10, 20, 40, 80, 160, 320),
        *(600, 600, 600),
    ]
    miner.error = None
    await clock.forward(600.1)
    assert answers(loop)
    assert gaps(await times_of_reads(clock, miner, 30)) == [5.0] * 5


async def test_a_miner_that_is_off_for_weeks_is_still_asked(
    clock: Clock, add_site: AddSite, script: MakeScript
) -> None:
    """The number of failures may grow past what a float can hold as a power of 2."""
    miner = script()
    entry = await add_site(miner.record)
    loop = loop_of(entry, miner)
    miner.error = UNREACHABLE
    await loop.async_refresh()
    loop._failures = 5000
    await loop.async_refresh()
    assert loop._due - clock.now == 600
    miner.error = None
    await clock.forward(600.1)
    assert answers(loop)


async def test_miners_off_from_the_start_are_spread_too(
    clock: Clock, add_site: AddSite
) -> None:
    """A hall that is off at the start must not be asked all at one moment."""
    records = [offline_record(serial_number=f"OFF{n}") for n in range(12)]
    entry = await add_site(*records)
    fleet: Fleet = entry.runtime_data
    due = {round(loop._due - clock.now, 1) for loop in fleet.coordinators.values()}
    assert len(due) > 8
    assert not any(answers(loop) for loop in fleet.coordinators.values())


async def test_refreshes_out_of_turn_do_not_put_off_the_next_poll(
    clock: Clock, add_site: AddSite, script: MakeScript
) -> None:
    """Ten commands in a row must not leave a miner unread for minutes."""
    miner = script()
    entry = await add_site(miner.record)
    loop = loop_of(entry, miner)
    await times_of_reads(clock, miner, 60)
    for _ in range(10):
        await loop.async_refresh()
        await clock.forward(0.5)
    assert loop._due - clock.now <= 1.5 * INTERVAL
    assert loop._due - clock.now > 0


async def test_recovery_by_a_refresh_brings_back_the_rhythm(
    clock: Clock, add_site: AddSite, script: MakeScript
) -> None:
    """A miner that answers again is not left to its long back-off."""
    miner = script()
    entry = await add_site(miner.record)
    loop = loop_of(entry, miner)
    miner.error = UNREACHABLE
    await loop.async_refresh()
    loop._failures = 20
    await loop.async_refresh()
    assert loop._due - clock.now == 600
    miner.error = None
    await loop.async_refresh()
    assert loop._due - clock.now <= 1.5 * INTERVAL


async def test_one_log_line_when_lost_and_one_when_back(
    clock: Clock,
    add_site: AddSite,
    script: MakeScript,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Polls in between say nothing."""
    miner = script()
    entry = await add_site(miner.record)
    loop = loop_of(entry, miner)
    name = miner.record.name

    def lines() -> list[str]:
        return [
            record.message
            for record in caplog.records
            if record.name == "custom_components.miningsdk"
        ]

    caplog.clear()
    miner.error = DeviceTimeout("no whole answer within 10 s")
    for _ in range(4):
        await loop.async_refresh()
    assert lines() == [f"{name} does not answer: no whole answer within 10 s"]
    caplog.clear()
    miner.error = None
    for _ in range(3):
        await loop.async_refresh()
    assert lines() == [f"{name} answers again"]


async def test_a_mistake_of_a_driver_does_not_end_its_polling(
    clock: Clock,
    add_site: AddSite,
    script: MakeScript,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is logged with its traceback once, and the miner is unavailable meanwhile."""
    miner = script()
    entry = await add_site(miner.record)
    loop = loop_of(entry, miner)
    miner.error = ZeroDivisionError("a driver's own mistake")
    await loop.async_refresh()
    await loop.async_refresh()
    assert not answers(loop)
    assert caplog.text.count("Traceback") == 1
    assert caplog.text.count("Unexpected error of Acme A1 0001") == 1
    miner.error = None
    await clock.forward(60, step=1)
    assert answers(loop)
    caplog.clear()


async def test_a_reading_that_fails_before_any_wait_is_tried_again(
    clock: Clock, add_site: AddSite, script: MakeScript
) -> None:
    """Such a poll ends before its task can be kept."""
    miner = script()
    miner.error = UNREACHABLE
    entry = await add_site(miner.record)
    loop = loop_of(entry, miner)
    assert not answers(loop)
    miner.error = None
    await clock.forward(60, step=1)
    assert answers(loop)


async def test_nothing_is_written_while_nothing_changes(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """Noise inside the dead band is not written, until the state is old."""
    miner = script()
    await add_site(miner.record)
    key = miner.record.id
    hashrate = writes(hass, entity_id(hass, "sensor", key, "hashrate"))
    status = writes(hass, entity_id(hass, "sensor", key, "status"))
    switch_like = writes(hass, entity_id(hass, "binary_sensor", key, "connectivity"))
    noise = 0.0
    for _ in range(8):
        noise = 0.4 - noise
        miner.say(hashrate=100.0 + noise)
        await clock.forward(INTERVAL)
    assert (hashrate, status, switch_like) == ([], [], [])

    await clock.forward(MAXIMUM_STATE_AGE, step=INTERVAL)
    assert len(hashrate) == len(status) == len(switch_like) == 1

    miner.say(hashrate=101.0)
    await clock.forward(INTERVAL)
    assert hashrate[1:] == ["101.0"]
    assert len(status) == 1


async def test_zero_and_unknown_are_never_noise(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """A miner that stopped is shown as such at once."""
    miner = script()
    entry = await add_site(miner.record)
    loop = loop_of(entry, miner)
    written = writes(hass, entity_id(hass, "sensor", miner.record.id, "hashrate"))
    for value in (0.0, 0.001, None, 100.0):
        miner.say(hashrate=value)
        await loop.async_refresh()
    assert written == ["0.0", "0.001", "unknown", "100.0"]


async def test_unavailable_is_written_once_and_back_again(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """Being off is a change, staying off is none."""
    miner = script()
    entry = await add_site(miner.record)
    loop = loop_of(entry, miner)
    key = miner.record.id
    power = writes(hass, entity_id(hass, "sensor", key, "power"))
    answers = writes(hass, entity_id(hass, "binary_sensor", key, "connectivity"))
    miner.error = UNREACHABLE
    for _ in range(3):
        await loop.async_refresh()
    miner.error = None
    await loop.async_refresh()
    assert power == [STATE_UNAVAILABLE, "3000.0"]
    assert answers == ["off", "on"]


async def test_attributes_that_change_are_written(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """Another fault on top of one is news although the problem stays on."""
    miner = script()
    entry = await add_site(miner.record)
    loop = loop_of(entry, miner)
    problem = entity_id(hass, "binary_sensor", miner.record.id, "problem")
    one = Fault(code="1", message="Fan 1 stands still")
    miner.say(faults=(one,))
    await loop.async_refresh()
    miner.say(faults=(one, Fault(code="2", message="Board 2 is lost")))
    await loop.async_refresh()
    state = hass.states.get(problem)
    assert state is not None
    assert state.state == "on"
    assert state.attributes["faults"] == ["Fan 1 stands still", "Board 2 is lost"]


async def test_a_removed_listener_is_not_called(
    clock: Clock, add_site: AddSite, script: MakeScript
) -> None:
    """Not even when it is removed twice, or while listeners are called."""
    miner = script()
    entry = await add_site(miner.record)
    loop = loop_of(entry, miner)
    called: list[str] = []
    removes: list[Callable[[], None]] = []

    def first() -> None:
        called.append("first")
        for remove in removes:
            remove()

    removes.append(loop.async_add_listener(first))
    removes.append(loop.async_add_listener(lambda: called.append("second")))
    await loop.async_refresh()
    assert called == ["first", "second"]
    await loop.async_refresh()
    assert called == ["first", "second"]
    removes[0]()


async def test_a_refresh_while_one_runs_waits_for_that(
    clock: Clock, add_site: AddSite, script: MakeScript
) -> None:
    """The device is asked once."""
    miner = script()
    entry = await add_site(miner.record)
    loop = loop_of(entry, miner)
    miner.gate = asyncio.Event()
    before = miner.reads
    waiting = [asyncio.create_task(loop.async_refresh()) for _ in range(3)]
    for _ in range(5):
        await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    miner.gate.set()
    await asyncio.gather(*waiting)
    assert miner.reads == before + 1


async def test_stop_cancels_a_poll_and_lets_its_waiters_go(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """After it, nothing is asked any more, whoever wants it."""
    miner = script()
    entry = await add_site(miner.record)
    loop = loop_of(entry, miner)
    miner.gate = asyncio.Event()
    waiting = asyncio.create_task(loop.async_refresh())
    for _ in range(5):
        await asyncio.sleep(0)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await asyncio.wait_for(waiting, 1)
    assert not waiting.cancelled()
    reads = miner.reads
    miner.gate = None
    await loop.async_refresh()
    await clock.forward(600, step=60)
    assert miner.reads == reads


async def test_an_exchange_ends_the_poll_of_the_old_device(
    clock: Clock, add_site: AddSite, script: MakeScript
) -> None:
    """A command that waits for a reading is not torn down with it."""
    old, new = script(), script()
    new.be(serial_number=old.info.serial_number)
    entry = await add_site(old.record)
    loop = loop_of(entry, old)
    old.gate = asyncio.Event()
    waiting = asyncio.create_task(loop.async_refresh())
    for _ in range(5):
        await asyncio.sleep(0)
    await entry.runtime_data.async_move(old.record, new.host, None)
    await asyncio.wait_for(waiting, 1)
    assert answers(loop)
    assert loop.device.host == new.host
    assert new.reads == 1
    times = await times_of_reads(clock, new, 120)
    assert gaps(times) == [INTERVAL] * (len(times) - 1)
    assert old.reads == 2


async def test_polls_stop_when_home_assistant_does(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """Neither a timer that is due nor a command asks anything after that."""
    miner = script()
    entry = await add_site(miner.record)
    reads = miner.reads
    hass.set_state(CoreState.stopping)
    await clock.forward(2 * INTERVAL)
    hass.set_state(CoreState.running)
    assert miner.reads == reads

    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await clock.settle()
    await loop_of(entry, miner).async_refresh()
    await clock.forward(2 * INTERVAL)
    assert miner.reads == reads


@pytest.mark.parametrize(
    ("error", "kind", "key"),
    [
        (CommandFailed("the fan is locked"), HomeAssistantError, "command_failed"),
        (NotSupported("not by this firmware"), ServiceValidationError, "not_supported"),
        (UNREACHABLE, HomeAssistantError, "unreachable"),
        (
            AuthenticationFailed("wrong password"),
            HomeAssistantError,
            "authentication_failed",
        ),
    ],
)
async def test_errors_of_commands_are_translated(
    clock: Clock,
    add_site: AddSite,
    script: MakeScript,
    error: Exception,
    kind: type[Exception],
    key: str,
) -> None:
    """They name the miner and hold the device's own words."""
    miner = script(full=True)
    entry = await add_site(miner.record)
    loop = loop_of(entry, miner)
    miner.refuses = error
    before = miner.reads
    with pytest.raises(kind) as raised:
        await loop.async_command(lambda device: device.pause())
    assert isinstance(raised.value, HomeAssistantError)
    assert raised.value.translation_key == key
    assert miner.record.name in str(raised.value)
    assert str(error) in str(raised.value)
    assert miner.reads > before
    issues = ir.async_get(clock.hass).issues
    asked = [issue for domain, issue in issues if domain == DOMAIN]
    assert bool(asked) is (key == "authentication_failed")


async def test_a_command_shows_its_effect_at_once(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript
) -> None:
    """The reading after a command is not left to the next poll."""
    miner = script(full=True)
    entry = await add_site(miner.record)
    await loop_of(entry, miner).async_command(lambda device: device.pause())
    assert miner.told == ["pause"]
    assert state_of(hass, "sensor", miner.record.id, "status") == MinerStatus.PAUSED


async def test_a_whole_reading_refused_asks_for_credentials_until_one_works(
    clock: Clock, add_site: AddSite, script: MakeScript
) -> None:
    """The issue goes away by itself when the account works again."""
    miner = script()
    entry = await add_site(miner.record)
    loop = loop_of(entry, miner)
    issues = ir.async_get(clock.hass)
    issue = f"credentials_{entry.entry_id}_{miner.record.id}"

    miner.error = AuthenticationFailed("the device wants a password")
    await loop.async_refresh()
    assert not answers(loop)
    assert issues.async_get_issue(DOMAIN, issue) is not None
    miner.error = UNREACHABLE
    await loop.async_refresh()
    assert issues.async_get_issue(DOMAIN, issue) is not None
    miner.error = None
    await loop.async_refresh()
    assert issues.async_get_issue(DOMAIN, issue) is None

    miner.refuses_account = "the password is wrong"
    await loop.async_refresh()
    assert answers(loop)
    assert issues.async_get_issue(DOMAIN, issue) is not None
    miner.refuses_account = None
    await loop.async_refresh()
    assert issues.async_get_issue(DOMAIN, issue) is None


async def test_a_command_refused_keeps_asking_though_readings_work(
    clock: Clock, add_site: AddSite, script: MakeScript
) -> None:
    """A device that anybody may read says nothing about the password when read."""
    miner = script(full=True)
    entry = await add_site(miner.record)
    loop = loop_of(entry, miner)
    miner.refuses = AuthenticationFailed("wrong password")
    with pytest.raises(HomeAssistantError):
        await loop.async_command(lambda device: device.pause())
    await loop.async_refresh()
    issue = f"credentials_{entry.entry_id}_{miner.record.id}"
    assert ir.async_get(clock.hass).async_get_issue(DOMAIN, issue) is not None

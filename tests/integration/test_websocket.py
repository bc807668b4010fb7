"""What a dashboard asks for: sites and their miners as rows."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import (
    MockHAClientWebSocket,
    WebSocketGenerator,
)

from custom_components.miningsdk.const import DOMAIN
from custom_components.miningsdk.feed import COLUMNS
from custom_components.miningsdk.positions import Position
from custom_components.miningsdk.sdk import Fault, MinerStatus, Severity
from tests.integration.conftest import AddSite, offline_record
from tests.integration.fixtures_fleet import (
    FROZEN,
    UNREACHABLE,
    Clock,
    MakeScript,
    Script,
    clock_fixture,  # noqa: F401
    fleet_of,
    script_fixture,  # noqa: F401
)

pytestmark = FROZEN

# 2026-11-22T12:00:00, and a miner that has run for 1,000 s.
STARTED = 1_795_348_800 - 1000


@pytest.fixture(name="client")
async def client_fixture(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> MockHAClientWebSocket:
    """Return a browser."""
    assert await async_setup_component(hass, DOMAIN, {})
    return await hass_ws_client(hass)


type Ask = Callable[..., Awaitable[Any]]


@pytest.fixture(name="ask")
def ask_fixture(client: MockHAClientWebSocket) -> Ask:
    """Return a function that gives a command and returns its result or its error."""

    async def ask(command: str, **given: Any) -> Any:
        await client.send_json_auto_id({"type": f"{DOMAIN}/{command}", **given})
        answer = await client.receive_json()
        return answer["result"] if answer["success"] else answer["error"]

    return ask


@pytest.fixture(name="heard")
def heard_fixture(client: MockHAClientWebSocket) -> Callable[[], Awaitable[Any]]:
    """Return a function that returns the next message of a subscription."""

    async def heard() -> Any:
        message = await client.receive_json()
        assert message["type"] == "event"
        return message["event"]

    return heard


type Heard = Callable[[], Awaitable[Any]]


def named(row: list[Any]) -> dict[str, Any]:
    """Return a row with the names of its columns, without what it does not tell."""
    assert len(row) == len(COLUMNS)
    return {k: v for k, v in zip(COLUMNS, row, strict=True) if v is not None}


async def poll(entry: MockConfigEntry, *miners: Script) -> None:
    """Read these miners now."""
    for miner in miners:
        await fleet_of(entry).coordinators[miner.record.id].async_refresh()


# Once.


async def test_sites(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript, ask: Ask
) -> None:
    """Those that are running, with what they come to."""
    entry = await add_site(script().record, title="Hall", options={"detail": "fleet"})
    other = await add_site(title="Barn")
    assert await hass.config_entries.async_unload(other.entry_id)
    assert await ask("sites") == {
        "sites": [
            {
                "entry_id": entry.entry_id,
                "title": "Hall",
                "device_id": fleet_of(entry).site_device_id,
                "interval": 30.0,
                "detail": "fleet",
                "detail_reason": "chosen",
                "totals": {
                    "total": 1,
                    "online": 1,
                    "mining": 1,
                    "power": 3000.0,
                    "without_power": 0,
                    "work": {
                        "sha256": {
                            "hashrate": 100.0,
                            "hashrate_expected": 110.0,
                            "power": 3000.0,
                            "efficiency": 30.0,
                        }
                    },
                },
            }
        ]
    }


async def test_all_miners_of_a_site(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript, ask: Ask
) -> None:
    """One that mines, one with faults, and one that is off."""
    mines, faulty = script(), script(algorithm="scrypt")
    mines.say(hashrate=100.12345, power=3012.34)
    faulty.say(
        status=MinerStatus.FAULT,
        hashrate=None,
        power=None,
        efficiency=None,
        uptime=None,
        faults=(
            Fault(code="1", message="all is well", severity=Severity.INFO),
            Fault(code="2", message="Fan 2 stands still", severity=Severity.CRITICAL),
        ),
    )
    off = offline_record(serial_number="OFF1", model="Gamma")
    place = Position(container="C1", rack="4", row="2", slot="7")
    record = replace(mines.record, position=place)
    entry = await add_site(record, faulty.record, off, options={"detail": "compact"})
    registry = dr.async_get(hass)
    device = registry.async_get_device_by_identifier(
        (DOMAIN, record.id), entry.entry_id
    )
    assert device is not None
    registry.async_update_device(device.id, name_by_user="Heater")

    found = await ask("fleet/get", entry_id=entry.entry_id)
    assert found["columns"] == list(COLUMNS)
    assert found["site"]["title"] == "Home"
    assert found["totals"]["total"] == 3
    rows = {row[0]: named(row) for row in found["rows"]}
    assert rows.keys() == {record.id, faulty.record.id, off.id}
    assert rows[record.id] == {
        "id": record.id,
        "device_id": device.id,
        "name": "Heater",
        "model": "A1",
        "algorithm": "sha256",
        "host": mines.host,
        "container": "C1",
        "rack": "4",
        "row": "2",
        "slot": "7",
        "status": "mining",
        "hashrate": 100.1,
        "power": 3012.0,
        "efficiency": 30.09,
        "temperature": 60.0,
        "started": STARTED,
    }
    told = rows[faulty.record.id]
    assert (told["status"], told["problem"]) == ("fault", "Fan 2 stands still")
    assert told.keys().isdisjoint({"hashrate", "power", "efficiency", "started"})
    assert rows[off.id]["status"] == "offline"
    assert rows[off.id]["problem"]
    assert "hashrate" not in rows[off.id]


async def test_what_is_off_shows_no_old_values(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, script: MakeScript, ask: Ask
) -> None:
    """Where it is, is still told; at the level of the fleet there is no device."""
    miner = script()
    entry = await add_site(miner.record, options={"detail": "fleet"})
    miner.error = UNREACHABLE
    await poll(entry, miner)
    (row,) = (await ask("fleet/get", entry_id=entry.entry_id))["rows"]
    assert named(row) == {
        "id": miner.record.id,
        "name": miner.record.name,
        "model": "A1",
        "algorithm": "sha256",
        "host": miner.host,
        "status": "offline",
        "problem": "nothing answers there",
    }


async def test_a_site_that_is_not_running_is_not_found(
    clock: Clock, hass: HomeAssistant, add_site: AddSite, ask: Ask
) -> None:
    """Nor is one that never was."""
    entry = await add_site()
    assert await hass.config_entries.async_unload(entry.entry_id)
    for command in ("fleet/get", "fleet/subscribe"):
        for entry_id in (entry.entry_id, "nothing"):
            assert (await ask(command, entry_id=entry_id))["code"] == "not_found"


async def test_users_may_look(
    clock: Clock,
    hass: HomeAssistant,
    add_site: AddSite,
    script: MakeScript,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_access_token: str,
) -> None:
    """Whoever sees states may see this."""
    entry = await add_site(script().record)
    client = await hass_ws_client(hass, hass_read_only_access_token)
    await client.send_json_auto_id(
        {"type": f"{DOMAIN}/fleet/get", "entry_id": entry.entry_id}
    )
    answer = await client.receive_json()
    assert len(answer["result"]["rows"]) == 1


# And then what changes.


async def test_subscribers_get_all_and_then_what_changed(
    clock: Clock,
    hass: HomeAssistant,
    add_site: AddSite,
    script: MakeScript,
    ask: Ask,
    heard: Heard,
) -> None:
    """Rows that changed, whole; totals; once a second at most."""
    one, other = script(), script()
    entry = await add_site(one.record, other.record)
    assert await ask("fleet/subscribe", entry_id=entry.entry_id) is None
    first = await heard()
    assert first["columns"] == list(COLUMNS)
    assert first["count"] == 2
    assert first["totals"]["online"] == 2
    rows = (await heard())["rows"]
    assert [row[0] for row in rows] == [one.record.id, other.record.id]

    for hashrate in (80.0, 50.0):
        one.say(hashrate=hashrate)
        await poll(entry, one, other)
    await clock.forward(1.1)
    changed = await heard()
    assert [named(row)["hashrate"] for row in changed["rows"]] == [50.0]
    assert changed["rows"][0][0] == one.record.id
    assert changed["totals"]["work"]["sha256"]["hashrate"] == 150.0
    assert changed["gone"] == []

    other.error = UNREACHABLE
    await poll(entry, one, other)
    await clock.forward(1.1)
    changed = await heard()
    assert [named(row)["status"] for row in changed["rows"]] == ["offline"]
    assert changed["totals"]["online"] == 1


async def test_nothing_is_sent_of_what_stays_the_same(
    clock: Clock,
    hass: HomeAssistant,
    add_site: AddSite,
    script: MakeScript,
    ask: Ask,
    heard: Heard,
) -> None:
    """An uptime that goes on is the same start; a restart is another."""
    miner = script()
    entry = await add_site(miner.record)
    await ask("fleet/subscribe", entry_id=entry.entry_id)
    await heard()
    assert named((await heard())["rows"][0])["started"] == STARTED
    miner.say(uptime=1010)
    await clock.forward(5)
    await poll(entry, miner)
    await clock.forward(1.1)
    miner.say(uptime=20)
    await poll(entry, miner)
    await clock.forward(1.1)
    (row,) = (await heard())["rows"]
    assert named(row)["started"] == pytest.approx(STARTED + 1000 + 6 - 20, abs=2)


async def test_devices_that_come_and_go(
    clock: Clock,
    hass: HomeAssistant,
    add_site: AddSite,
    script: MakeScript,
    ask: Ask,
    heard: Heard,
) -> None:
    """Without asking again."""
    entry = await add_site(script().record)
    await ask("fleet/subscribe", entry_id=entry.entry_id)
    await heard()
    await heard()
    new = script()
    await fleet_of(entry).async_adopt([new.record])
    await clock.forward(1.1)
    changed = await heard()
    assert [row[0] for row in changed["rows"]] == [new.record.id]
    await fleet_of(entry).async_remove(new.record.id)
    await clock.forward(1.1)
    changed = await heard()
    assert (changed["rows"], changed["gone"]) == ([], [new.record.id])
    # Nobody follows a loop that has ended.
    await poll(entry)
    await clock.forward(60, step=10)


async def test_a_large_site_comes_in_parts(
    clock: Clock,
    hass: HomeAssistant,
    add_site: AddSite,
    script: MakeScript,
    ask: Ask,
    heard: Heard,
) -> None:
    """So that one message holds nobody up."""
    miners = [script() for _ in range(251)]
    entry = await add_site(
        *(miner.record for miner in miners), options={"detail": "fleet"}
    )
    await ask("fleet/subscribe", entry_id=entry.entry_id)
    assert (await heard())["count"] == 251
    assert [len((await heard())["rows"]) for _ in range(2)] == [250, 1]
    rows = (await ask("fleet/get", entry_id=entry.entry_id))["rows"]
    assert len({row[0] for row in rows}) == 251


async def test_two_who_watch_miss_nothing(
    clock: Clock,
    hass: HomeAssistant,
    add_site: AddSite,
    script: MakeScript,
    ask: Ask,
    heard: Heard,
    client: MockHAClientWebSocket,
) -> None:
    """What the second is told at first has yet to be told to the first."""
    miner = script()
    entry = await add_site(miner.record)
    await ask("fleet/subscribe", entry_id=entry.entry_id)
    await heard()
    await heard()
    miner.say(hashrate=50.0)
    await poll(entry, miner)
    await ask("fleet/subscribe", entry_id=entry.entry_id)
    await heard()
    assert named((await heard())["rows"][0])["hashrate"] == 100.0
    await clock.forward(1.1)
    messages = [await client.receive_json() for _ in range(2)]
    assert len({message["id"] for message in messages}) == 2
    for message in messages:
        assert named(message["event"]["rows"][0])["hashrate"] == 50.0


async def test_an_end_of_the_subscription_leaves_nothing(
    clock: Clock,
    hass: HomeAssistant,
    add_site: AddSite,
    script: MakeScript,
    client: MockHAClientWebSocket,
    ask: Ask,
    heard: Heard,
) -> None:
    """Nobody follows the miners any more, nor the totals."""
    miner = script()
    entry = await add_site(miner.record)
    fleet = fleet_of(entry)
    loop = fleet.coordinators[miner.record.id]
    followers, listeners = len(loop._followers), len(fleet._listeners)
    await client.send_json(
        {"id": 77, "type": f"{DOMAIN}/fleet/subscribe", "entry_id": entry.entry_id}
    )
    assert (await client.receive_json())["success"]
    await heard()
    await heard()
    assert len(loop._followers) == followers + 1
    await client.send_json({"id": 78, "type": "unsubscribe_events", "subscription": 77})
    assert (await client.receive_json())["success"]
    assert len(loop._followers) == followers
    assert len(fleet._listeners) == listeners
    # Whoever asks again gets all again.
    await client.send_json(
        {"id": 79, "type": f"{DOMAIN}/fleet/subscribe", "entry_id": entry.entry_id}
    )
    assert (await client.receive_json())["success"]
    assert (await heard())["count"] == 1
    await client.close()
    await clock.settle()
    assert len(loop._followers) == followers


async def test_the_end_of_a_site_is_told(
    clock: Clock,
    hass: HomeAssistant,
    add_site: AddSite,
    script: MakeScript,
    ask: Ask,
    heard: Heard,
) -> None:
    """As when it is set up anew; then it is to be asked again."""
    entry = await add_site(script().record)
    await ask("fleet/subscribe", entry_id=entry.entry_id)
    await heard()
    await heard()
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert await heard() == {"closed": True}
    await ask("fleet/subscribe", entry_id=entry.entry_id)
    assert (await heard())["count"] == 1

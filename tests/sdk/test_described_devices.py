"""Devices that are read and told things as a file describes it."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import pytest

from custom_components.miningsdk.sdk import (
    AuthenticationFailed,
    Board,
    Capability,
    CommandFailed,
    DeviceUnreachable,
    Fan,
    Fault,
    InvalidReply,
    Limits,
    MeterStats,
    MinerPool,
    MinerSettings,
    MinerStats,
    MinerStatus,
    NotSupported,
    Severity,
)
from custom_components.miningsdk.sdk._described_links import filled
from custom_components.miningsdk.sdk.described import read_driver
from tests.conftest import OFFSET, Simulate
from tests.sdk.described_kiln import METER, MINER, PORT, SimulatedKiln
from tests.sdk.trouble import ALL_TROUBLE, survives, survives_bytes
from tests.simulators.base import Trouble

EXPECTED = MinerStats(
    status=MinerStatus.MINING,
    hashrate=0.00095,
    hashrate_average=0.0009,
    power=812.5,
    power_limit=150.0,
    power_mode="eco",
    efficiency=855263.16,
    temperature_chip=61.5,
    temperature_board=48.0,
    best_difficulty=1234.5,
    accepted=77,
    uptime=3600,
    locating=False,
    settings=MinerSettings(frequency=500.0, profile="loud"),
    fans=(Fan(index=0, speed=1210.0, duty=40.0), Fan(index=1, speed=1190.0)),
    boards=(
        Board(
            index=0,
            hashrate=0.0005,
            temperature_board=48.0,
            serial_number="B1",
            enabled=True,
        ),
        Board(index=2, hashrate=0.00045, enabled=False),
    ),
    pools=(MinerPool(index=0, url="stratum+tcp://a:1"),),
    faults=(Fault(code="7", message="Hot", severity=Severity.CRITICAL),),
)


type MakeKiln = Callable[..., Awaitable[tuple[SimulatedKiln, Any]]]


@pytest.fixture
async def kiln(simulate: Simulate) -> AsyncGenerator[MakeKiln]:
    """Return a function that switches a Kiln on and returns it with its driver."""
    made: list[Any] = []

    async def switch_on(
        text: str = MINER, *, password: str | None = None, auth: str = "none"
    ) -> tuple[SimulatedKiln, Any]:
        device = await simulate(SimulatedKiln, auth=auth)
        driver = read_driver(text)
        found: Any = driver(
            device.host,
            port=PORT + OFFSET,
            password=password,
            timeout=0.5,
            connect_timeout=0.3,
        )
        found.confirm_every, found.confirm_within = 0.01, 0.3
        made.append(found)
        return device, found

    yield switch_on
    for device in made:
        await device.close()


# A miner by HTTP.


async def test_all_that_is_mapped(kiln: MakeKiln) -> None:
    device, miner = await kiln()
    await miner.connect()
    info = miner.info
    assert (info.make, info.model, info.firmware) == ("Kiln", "K1", "kilnos")
    assert (info.firmware_version, info.hostname) == ("1.2", "kiln-42")
    assert (info.mac, info.serial_number) == ("02:00:00:00:00:2a", "KILN-0042")
    assert (info.algorithm, info.chips) == ("scrypt", 12)
    assert info.limits[Capability.POWER_LIMIT] == Limits(
        minimum=100, maximum=200, step=5
    )
    assert info.limits[Capability.POWER_MODE] == Limits(options=("eco", "turbo"))
    assert device.asked == ["/who"]
    assert await miner.read() == EXPECTED
    assert device.asked == ["/who", "/now?all=1", "/parts"], "who it is only hourly"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"asleep": "yes"}, MinerStatus.MINING),
        ({"asleep": True}, MinerStatus.PAUSED),
        ({"state": " error "}, MinerStatus.FAULT),
        ({"uptime": 0.5}, MinerStatus.STARTING),
        ({"uptime": "n/a", "rate": 0}, MinerStatus.IDLE),
        ({"rate": "much"}, MinerStatus.IDLE),
    ],
)
async def test_status_is_that_of_the_first_rule_that_fits(
    kiln: MakeKiln, changes: dict[str, Any], status: MinerStatus
) -> None:
    device, miner = await kiln()
    device.now |= changes
    assert (await miner.read()).status is status


@pytest.mark.parametrize(
    ("rate", "status"),
    [
        (5, MinerStatus.MINING),
        (0, MinerStatus.IDLE),
        (None, MinerStatus.UNKNOWN),
    ],
)
async def test_status_without_rules(
    kiln: MakeKiln, rate: float | None, status: MinerStatus
) -> None:
    text = MINER[: MINER.index("[[status]]")]
    device, miner = await kiln(text)
    device.now["rate"] = rate
    device.parts["boards"] = []
    assert (await miner.read()).status is status


async def test_without_a_rule_that_fits_nothing_is_known(kiln: MakeKiln) -> None:
    device, miner = await kiln(MINER.replace('[[status]]\nis = "idle"\n', ""))
    device.now["rate"] = 0
    assert (await miner.read()).status is MinerStatus.UNKNOWN


async def test_odd_values_lose_nothing_else(kiln: MakeKiln) -> None:
    device, miner = await kiln()
    device.now |= {"power": "a lot", "blinks": "perhaps", "limit": [], "uptime": 1e30}
    device.parts["errors"] = [{"id": 1, "text": "x", "level": "odd"}, 5]
    device.parts["boards"] = "none"
    stats = await miner.read()
    assert (stats.power, stats.locating, stats.power_limit) == (None, None, None)
    assert stats.uptime is None
    assert (stats.hashrate, stats.boards) == (0.00095, ())
    assert stats.faults == (Fault(code="1", message="x"),)
    assert set(stats.failed) == {"power", "locating", "power_limit", "faults"}


async def test_a_reply_that_is_missing_loses_only_itself(kiln: MakeKiln) -> None:
    device, miner = await kiln()
    device.broken = frozenset({"/parts"})
    stats = await miner.read()
    assert stats.status is MinerStatus.MINING
    assert (stats.boards, stats.hashrate) == ((), 0.00095)
    assert stats.failed == {"parts": "the device answered with HTTP status 500"}
    device.broken = frozenset({"/parts", "/now"})
    with pytest.raises(InvalidReply, match="HTTP status 500"):
        await miner.read()


async def test_a_reply_without_anything_of_ours_is_an_error(kiln: MakeKiln) -> None:
    device, miner = await kiln()
    await miner.connect()
    device.now = device.parts = {"something": "else"}
    with pytest.raises(InvalidReply, match="nothing that the driver's file names"):
        await miner.read()


async def test_a_path_that_the_device_does_not_know(kiln: MakeKiln) -> None:
    _, meter = await kiln(METER.replace('"/now"', '"/nothing/here"'))
    with pytest.raises(InvalidReply, match="nothing that the driver"):
        await meter.read()


async def test_a_device_that_tells_nothing_of_itself(kiln: MakeKiln) -> None:
    """It is asked for a reading instead, which proves that it is there."""
    a, b = MINER.index("[info]"), MINER.index("[stats]")
    device, miner = await kiln(MINER[:a] + MINER[b:])
    await miner.connect()
    assert device.asked == ["/now?all=1", "/parts"]
    assert miner.info.unique_id is None
    await device.stop()
    with pytest.raises(DeviceUnreachable):
        await miner.read()


@pytest.mark.parametrize("trouble", ALL_TROUBLE)
async def test_trouble(kiln: MakeKiln, trouble: Trouble) -> None:
    device, miner = await kiln()
    await miner.connect()
    await survives(miner, device, trouble)


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"5", b'{"now": 1}', b"\x00\xff", b'{"rate": {}}']
)
async def test_any_bytes(kiln: MakeKiln, body: bytes) -> None:
    device, miner = await kiln()
    await miner.connect()
    await survives_bytes(miner, device, body)


# Commands.


async def test_every_command(kiln: MakeKiln) -> None:
    """Each is sent as the file says, once, and confirmed by a reading."""
    device, miner = await kiln()
    await miner.connect()
    await miner.pause()
    assert (await miner.read()).status is MinerStatus.PAUSED
    await miner.resume()
    await miner.reboot()
    await miner.restart()
    await miner.locate(True)
    await miner.locate(False)
    await miner.set_power_limit(155.0)
    await miner.set_frequency(612.5)
    await miner.set_power_mode("turbo")
    await miner.set_profile("quiet & cool")
    assert device.told == [
        ("POST", "/sleep", b'{"on": true}'),
        ("POST", "/sleep", b'{"on": false}'),
        ("GET", "/reboot", b""),
        ("POST", "/restart", b""),
        ("PUT", "/blink/true", b""),
        ("PUT", "/blink/false", b""),
        ("PATCH", "/set", b"what=limit&to=155"),
        ("POST", "/set", b'{"what": "clock", "to": [612500]}'),
        ("POST", "/mode", b'{"name": "mode turbo", "all": [1, 2.5, true]}'),
        ("POST", "/profile/quiet%20%26%20cool", b""),
    ]
    assert miner._time_to_confirm(Capability.POWER_LIMIT) == 90


async def test_a_command_that_is_refused(kiln: MakeKiln) -> None:
    device, miner = await kiln()
    await miner.connect()
    device.refuse = (409, "not while\n the  kiln is hot" + "!" * 500)
    with pytest.raises(CommandFailed, match="refused: not while the kiln is hot!") as e:
        await miner.pause()
    assert len(str(e.value)) < 250
    device.refuse = (500, "")
    with pytest.raises(CommandFailed, match="refused: HTTP status 500"):
        await miner.reboot()
    assert len(device.told) == 2


async def test_a_command_that_is_not_done(kiln: MakeKiln) -> None:
    """By what its answer shows, or else by the next readings."""
    device, miner = await kiln()
    await miner.connect()
    device.ignore = True
    with pytest.raises(CommandFailed, match=r"refused: \{'done': False\}"):
        await miner.restart()
    with pytest.raises(CommandFailed, match="pause was sent, but not confirmed"):
        await miner.pause()
    with pytest.raises(NotSupported, match="outside"):
        await miner.set_power_limit(500)
    with pytest.raises(NotSupported, match="not one of"):
        await miner.set_power_mode("fast")
    assert len(device.told) == 2


@pytest.mark.parametrize("command", ["reboot", "pause"])
async def test_a_command_is_never_sent_twice(kiln: MakeKiln, command: str) -> None:
    """Not even a GET on a connection that breaks, which aiohttp would repeat."""
    device, miner = await kiln()
    await miner.connect()
    await miner.read()
    before = device.requests
    device.trouble = Trouble.CLOSED
    with pytest.raises((DeviceUnreachable, CommandFailed)):
        await miner._link.tell(miner.described.commands[command], None)
    assert device.requests == before + 1


@pytest.mark.parametrize(
    ("template", "value", "result"),
    [
        ("{value}", 5, 5),
        ("{value}", True, True),
        ("{value} W", 5, "5 W"),
        ("x{value}", True, "xtrue"),
        ({"a": ["{value}", {"b": "{value}"}]}, "eco", {"a": ["eco", {"b": "eco"}]}),
        (None, 5, None),
        (True, 5, True),
    ],
)
def test_templates(template: object, value: object, result: object) -> None:
    assert filled(template, value) == result


# Accounts.

AUTH = {
    "basic": 'type = "basic"\nusername = "admin"',
    "digest": 'type = "digest"\nusername = "root"',
    "header": 'type = "header"\nheader = "X-Key"\nvalue = "Key {password}!"',
}


def with_auth(text: str, auth: str, more: str = "") -> str:
    return text.replace("[ask]", f"[auth]\n{AUTH[auth]}\n{more}\n[ask]")


@pytest.mark.parametrize("auth", AUTH)
async def test_an_account_for_everything(kiln: MakeKiln, auth: str) -> None:
    device, miner = await kiln(with_auth(MINER, auth), password="geheim", auth=auth)
    assert type(miner).needs_password == "always"
    await miner.check_credentials()
    assert await miner.read() == EXPECTED
    await miner.pause()
    assert device.refused <= 1, "a digest is asked for once"
    assert "geheim" not in repr(miner)


@pytest.mark.parametrize("auth", AUTH)
async def test_a_wrong_password_is_sent_once(kiln: MakeKiln, auth: str) -> None:
    device, miner = await kiln(with_auth(MINER, auth), password="wrong", auth=auth)
    with pytest.raises(AuthenticationFailed, match="refuses the credentials") as error:
        await miner.check_credentials()
    assert "wrong" not in str(error.value)
    asked = device.requests
    for _ in range(3):
        with pytest.raises(AuthenticationFailed):
            await miner.read()
    assert device.requests == asked


async def test_no_password_where_one_is_needed(kiln: MakeKiln) -> None:
    device, miner = await kiln(with_auth(MINER, "basic"), auth="basic")
    for _ in range(2):
        with pytest.raises(AuthenticationFailed, match="wants credentials"):
            await miner.connect()
    assert device.refused == 2


async def test_an_account_for_control_only(kiln: MakeKiln) -> None:
    text = with_auth(MINER, "basic", 'needed_for = "control"')
    device, miner = await kiln(text, auth="basic")
    device.open_paths = ("/", "/now", "/parts", "/who")
    assert type(miner).needs_password == "control"
    assert await miner.read() == EXPECTED
    assert miner.info.capabilities == ()
    with pytest.raises(NotSupported):
        await miner.pause()
    other = type(miner)(miner.host, port=miner.port, password="geheim")
    other.confirm_every = 0.01
    await other.connect()
    assert Capability.PAUSE in other.info.capabilities
    await other.pause()
    await other.close()
    wrong = type(miner)(miner.host, port=miner.port, password="wrong")
    await wrong.connect()
    with pytest.raises(AuthenticationFailed):
        await wrong.pause()
    await wrong.close()


# A meter by HTTP.


async def test_a_meter(kiln: MakeKiln) -> None:
    device, meter = await kiln(METER)
    device.now = {
        "model": "Clay 3",
        "l1": 1.5,
        "l2": "500 W",
        "l3": -200,
        "u": 230.5,
        "factor": 0.97,
        "mains": 49990,
        "wh": 12_345_678,
        "alarms": ["E1", 7],
    }
    assert await meter.read() == MeterStats(
        power=1800.0,
        power_phase=(1500.0, 500.0, -200.0),
        voltage_phase=(230.5,),
        power_factor=0.97,
        frequency=49.99,
        energy_import=12345.678,
        faults=(Fault(code="E1", message="E1"), Fault(code="7", message="7")),
    )
    assert meter.info.model == "Clay 3"
    meter.invert = True
    assert (await meter.read()).power == -1800
    device.now["l2"] = "?"
    stats = await meter.read()
    assert stats.power_phase == (-1500.0, None, 200.0)
    assert stats.power is None
    assert "power_phase" in stats.failed

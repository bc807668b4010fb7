"""Adding and changing meters, sensors, containers and pool accounts."""

from typing import Any

from homeassistant.components.modbus.connection import DATA_MODBUS_CONNECTIONS
from homeassistant.config_entries import SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.util import slugify
import pytest

from custom_components.miningsdk.sdk import DeviceKind, registry
from tests.conftest import OFFSET, Simulate, loopback_address
from tests.integration.attached import (
    attached_data,
    begin_add,
    begin_change,
    fill,
    only,
    state_at,
)
from tests.integration.conftest import AddSite
from tests.integration.flows import fields, options, settle, suggested
from tests.simulators.antspace import SimulatedAntspace
from tests.simulators.base import Trouble
from tests.simulators.microbt_container import SimulatedMicroBt
from tests.simulators.modbus import SimulatedMeter
from tests.simulators.pools import (
    ACCOUNT,
    KEY,
    SimulatedOcean,
    SimulatedViaBTC,
)
from tests.simulators.seneca import SimulatedSeneca
from tests.simulators.shelly import SimulatedShelly

METER = "eastron-sdm630"


@pytest.mark.parametrize("kind", ["meter", "sensor", "container", "pool"])
async def test_each_kind_offers_its_drivers(
    hass: HomeAssistant, add_site: AddSite, kind: str
) -> None:
    """And every driver has a form that it can be filled in with."""
    entry = await add_site()
    flows = hass.config_entries.subentries
    names = {d.name for d in registry.drivers() if d.kind is DeviceKind(kind)}
    for name in sorted(names):
        result = await flows.async_init(
            (entry.entry_id, kind), context={"source": SOURCE_USER}
        )
        shown = options(result, "driver")
        assert set(shown) == names
        assert all(shown.values())
        result = await fill(hass, result, driver=name)
        driver, _ = registry.find(name)
        assert set(driver.all_options()) <= fields(result)


async def test_meter(
    hass: HomeAssistant, add_site: AddSite, simulate: Simulate
) -> None:
    """By host and port; the unit id is that behind a gateway."""
    meter = await simulate(SimulatedMeter, unit=7)
    entry = await add_site()
    result = await begin_add(hass, entry, "meter", METER)
    assert fields(result) == {"host", "unit", "invert"}
    result = await fill(hass, result, host=meter.address, unit=7.0, invert=True)
    assert result["type"] == "create_entry", result
    assert result["title"] == f"SDM630 ({meter.address})"
    assert only(entry).data == {
        "driver": METER,
        "host": meter.address,
        "unit": 7,
        "invert": True,
    }
    await settle(hass)
    state = hass.states.get(f"sensor.{slugify(result['title'])}_power")
    assert state is not None
    assert float(state.state) < 0


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (Trouble.SILENT, "timeout"),
        (Trouble.CLOSED, "cannot_connect"),
        (Trouble.GARBAGE, "cannot_connect"),
    ],
)
async def test_meter_in_trouble(
    hass: HomeAssistant,
    add_site: AddSite,
    simulate: Simulate,
    trouble: Trouble,
    error: str,
) -> None:
    """The form says so, keeps what was typed, and works once the trouble is over."""
    meter = await simulate(SimulatedMeter)
    entry = await add_site()
    result = await begin_add(hass, entry, "meter", METER)
    meter.trouble = trouble
    result = await fill(hass, result, host=meter.address, unit=1, invert=False)
    assert result["type"] == "form"
    assert set(result["errors"]) == {"base"}
    assert result["errors"]["base"] in {error, "timeout", "invalid_reply"}
    assert suggested(result)["host"] == meter.address
    meter.trouble = Trouble.NONE
    result = await fill(hass, result, host=meter.address, unit=1, invert=False)
    assert result["type"] == "create_entry"


@pytest.mark.parametrize(
    ("host", "unit", "error"),
    [
        ("not an address!", 1, {"host": "invalid_host"}),
        ("10.0.0.300", 1, {"host": "invalid_host"}),
        ("127.0.0.1:99999", 1, {"host": "invalid_host"}),
        (f"{loopback_address()}:{OFFSET + 502}", 1, {"base": "cannot_connect"}),
        (None, 9, {"base": "cannot_connect"}),
    ],
    # Addresses differ from process to process, and xdist wants equal names.
    ids=["no host", "no address", "no port", "nothing there", "no such unit"],
)
async def test_meter_typed_wrongly(
    hass: HomeAssistant,
    add_site: AddSite,
    simulate: Simulate,
    host: str | None,
    unit: int,
    error: dict[str, str],
) -> None:
    """A wrong address, a wrong unit id behind a gateway, and then the right ones."""
    meter = await simulate(SimulatedMeter)
    entry = await add_site()
    result = await begin_add(hass, entry, "meter", METER)
    result = await fill(hass, result, host=host or meter.address, unit=unit)
    assert result["errors"] == error
    # No connection of an attempt stays behind.
    assert not hass.data.get(DATA_MODBUS_CONNECTIONS)
    result = await fill(hass, result, host=meter.address, unit=1)
    assert result["type"] == "create_entry"


async def test_a_meter_is_added_once(
    hass: HomeAssistant, add_site: AddSite, simulate: Simulate
) -> None:
    """But another unit of the same gateway is another one."""
    meter = await simulate(SimulatedMeter, unit=1)
    meter.units[2] = meter.units[1]
    data = attached_data("meter", driver=METER, host=meter.address, unit=1)
    entry = await add_site(subentries=(data,))
    connections = meter.accepted
    result = await begin_add(hass, entry, "meter", METER)
    result = await fill(hass, result, host=f" {meter.address.upper()} ", unit=1.0)
    assert result["errors"] == {"base": "already_configured"}
    result = await fill(hass, result, host=meter.address, unit=2)
    assert result["type"] == "create_entry"
    await settle(hass)
    assert len(entry.subentries) == 2
    # Both go over the connection that was there.
    assert meter.most_connections == 1
    assert meter.accepted == connections


async def test_meter_by_a_table(
    hass: HomeAssistant, add_site: AddSite, simulate: Simulate
) -> None:
    """For a make that has no driver."""
    meter = await simulate(SimulatedMeter)
    entry = await add_site()
    result = await begin_add(hass, entry, "meter", "modbus-meter")
    assert "table" in fields(result)
    result = await fill(hass, result, host=meter.address, unit=1)
    assert result["errors"] == {"base": "not_supported"}
    wrong = [{"field": "power", "address": 52, "type": "f33"}]
    result = await fill(hass, result, host=meter.address, unit=1, table=wrong)
    assert result["errors"] == {"table": "invalid_table"}
    table = [{"field": "power", "address": 52, "type": "f32", "space": "input"}]
    result = await fill(hass, result, host=meter.address, unit=1, table=table)
    assert result["type"] == "create_entry"
    await settle(hass)
    (coordinator,) = entry.runtime_data.attached.values()
    assert coordinator.data.power == pytest.approx(10350, rel=0.05)


async def test_meter_with_a_password(
    hass: HomeAssistant, add_site: AddSite, simulate: Simulate
) -> None:
    """It is tried before it is kept."""
    plug = await simulate(SimulatedShelly, password="right")
    entry = await add_site()
    result = await begin_add(hass, entry, "meter", "shelly")
    assert {"username", "password", "channel"} <= fields(result)
    result = await fill(hass, result, host=plug.address, password="wrong")
    assert result["errors"] == {"base": "invalid_auth"}
    assert "password" not in suggested(result)
    result = await fill(hass, result, host=plug.address, password="right")
    assert result["type"] == "create_entry"
    assert only(entry).data["password"] == "right"


async def test_a_password_that_was_wrong_is_not_kept(
    hass: HomeAssistant, add_site: AddSite, simulate: Simulate
) -> None:
    """When the next attempt is without any."""
    plug = await simulate(SimulatedShelly, password="right")
    entry = await add_site()
    result = await begin_add(hass, entry, "meter", "shelly")
    result = await fill(hass, result, host=plug.address, password="wrong")
    assert result["errors"] == {"base": "invalid_auth"}
    plug.password = None
    result = await fill(hass, result, host=plug.address)
    assert result["type"] == "create_entry"
    assert "password" not in only(entry).data


async def test_sensor_with_other_registers(
    hass: HomeAssistant, add_site: AddSite, simulate: Simulate
) -> None:
    """A list of numbers; it is kept as it was typed."""
    box = await simulate(
        SimulatedSeneca, temperatures=(10.0, 20.5), registers=(70, 99), alive=False
    )
    entry = await add_site()
    result = await begin_add(hass, entry, "sensor", "seneca-z4rtd2")
    given = {"host": box.address, "unit": 1}
    for wrong in ("70, x", "70000", ", ,"):
        result = await fill(hass, result, **given, registers=wrong)
        assert result["errors"] == {"registers": "invalid_registers"}
    assert suggested(result)["registers"] == ", ,"
    result = await fill(hass, result, **given, registers="70, 99")
    assert result["type"] == "create_entry"
    await settle(hass)
    values = [
        state_at(hass, entry, "sensor", f"reading_temperature_{n}") for n in (1, 2)
    ]
    assert values == ["10.0", "20.5"]
    result = await begin_change(hass, entry, only(entry))
    assert suggested(result)["registers"] == "70, 99"
    result = await fill(hass, result, **given)
    # At the usual ones there is nothing here.
    assert result["errors"] == {"base": "invalid_reply"}


async def test_pool_by_a_protocol(
    hass: HomeAssistant,
    add_site: AddSite,
    simulate: Simulate,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An address without one may be asked by either."""
    monkeypatch.setattr(registry.find("pool-ocean")[0], "request_interval", 0.01)
    pool = await simulate(SimulatedOcean)
    entry = await add_site()
    result = await begin_add(hass, entry, "pool", "pool-ocean")
    assert set(options_of(result, "secure")) == {"https", "http"}
    given = {"host": pool.address, "username": ACCOUNT}
    result = await fill(hass, result, **given, secure="https")
    assert set(result["errors"]) == {"base"}
    assert suggested(result)["secure"] == "https"
    result = await fill(hass, result, **given, secure="http")
    assert result["type"] == "create_entry", result
    assert only(entry).data["secure"] == "http"
    await settle(hass)
    (coordinator,) = entry.runtime_data.attached.values()
    assert coordinator.device.endpoint.secure is False


def options_of(result: Any, key: str) -> list[str]:
    schema = result["data_schema"].schema
    config = next(value.config for field, value in schema.items() if field == key)
    return list(config["options"])


async def test_sensor(
    hass: HomeAssistant, add_site: AddSite, simulate: Simulate
) -> None:
    """A box of thermometers."""
    box = await simulate(SimulatedSeneca, unit=3)
    entry = await add_site()
    result = await begin_add(hass, entry, "sensor", "seneca-z4rtd2")
    assert fields(result) == {"host", "unit", "registers"}
    result = await fill(hass, result, host=box.address, unit=1)
    assert result["errors"] == {"base": "cannot_connect"}
    result = await fill(hass, result, host=box.address, unit=3)
    assert result["type"] == "create_entry"
    assert result["title"].startswith("Z-4RTD-2")


async def test_container(
    hass: HomeAssistant, add_site: AddSite, simulate: Simulate
) -> None:
    """Its cooling may not be switched unless the user says so."""
    box = await simulate(SimulatedAntspace)
    entry = await add_site()
    result = await begin_add(hass, entry, "container", "antspace")
    measured = {"power_entity", "temperature_entity", "room_entity"}
    assert fields(result) == {"host", "allow_cooling", "targets", *measured}
    result = await fill(hass, result, host=box.address, targets="10.0.0.0/8")
    assert result["errors"] == {"targets": "invalid_targets"}
    box.trouble = Trouble.GARBAGE
    result = await fill(hass, result, host=box.address, targets="10.0.0.0/24")
    assert result["errors"] == {"base": "invalid_reply"}
    box.trouble = Trouble.NONE
    result = await fill(hass, result, host=box.address, targets="10.0.0.0/24")
    assert result["type"] == "create_entry"
    assert only(entry).data["allow_cooling"] is False


async def test_container_over_modbus(
    hass: HomeAssistant, add_site: AddSite, simulate: Simulate
) -> None:
    """All of its units are read over one connection."""
    box = await simulate(SimulatedMicroBt, pdus=2)
    entry = await add_site()
    result = await begin_add(hass, entry, "container", "microbt-kehua")
    account = {"username": "admin", "password": "geheim"}
    result = await fill(hass, result, host=box.address, **account)
    assert result["type"] == "create_entry"
    assert box.most_connections == 1


async def test_container_without_the_mqtt_of_home_assistant(
    hass: HomeAssistant, add_site: AddSite
) -> None:
    """Without a broker's address, it is Home Assistant's own that is meant."""
    entry = await add_site()
    result = await begin_add(hass, entry, "container", "bitdeer-d40")
    assert {"host", "topic", "anonymous", "allow_cooling"} <= fields(result)
    result = await fill(hass, result, topic="C024_D40")
    assert result["errors"] == {"base": "cannot_connect"}


async def test_pool(hass: HomeAssistant, add_site: AddSite, simulate: Simulate) -> None:
    """By account; the address is that of a pool of one's own."""
    pool = await simulate(SimulatedOcean)
    entry = await add_site()
    result = await begin_add(hass, entry, "pool", "pool-ocean")
    assert fields(result) == {"host", "secure", "username", "password"}
    result = await fill(hass, result, host=f"http://{pool.address}")
    assert result["errors"] == {"base": "invalid_auth"}
    result = await fill(hass, result, host=f"ftp://{pool.address}", username=ACCOUNT)
    assert result["errors"] == {"host": "invalid_host"}
    result = await fill(hass, result, host=f"http://{pool.address}", username=ACCOUNT)
    assert result["type"] == "create_entry"
    assert ACCOUNT in result["title"]


@pytest.mark.parametrize("page", [429, 503])
async def test_pool_that_wants_to_be_left_alone(
    hass: HomeAssistant, add_site: AddSite, simulate: Simulate, page: int
) -> None:
    """Nothing is kept that could not be read."""
    pool = await simulate(SimulatedOcean)
    pool.page = page
    entry = await add_site()
    result = await begin_add(hass, entry, "pool", "pool-ocean")
    result = await fill(hass, result, host=f"http://{pool.address}", username=ACCOUNT)
    assert result["errors"] == {"base": "invalid_reply"}
    assert not entry.subentries


async def test_pool_with_a_key(
    hass: HomeAssistant, add_site: AddSite, simulate: Simulate
) -> None:
    """A wrong one is told; a change keeps the right one unless another is typed."""
    pool = await simulate(SimulatedViaBTC)
    host = f"http://{pool.address}"
    entry = await add_site()
    result = await begin_add(hass, entry, "pool", "pool-viabtc")
    result = await fill(hass, result, host=host, username=ACCOUNT, password="no")
    assert result["errors"] == {"base": "invalid_auth"}
    result = await fill(hass, result, host=host, username=ACCOUNT, password=KEY)
    assert result["type"] == "create_entry"
    await settle(hass)

    result = await begin_change(hass, entry, only(entry))
    assert suggested(result) == {"host": host, "username": ACCOUNT}
    result = await fill(hass, result, host=host, username=ACCOUNT)
    assert result["reason"] == "reconfigure_successful"
    assert only(entry).data["password"] == KEY


async def test_change_of_address(
    hass: HomeAssistant, add_site: AddSite, simulate: Simulate
) -> None:
    """A name of the user's own stays, and so do the entities."""
    first, second = await simulate(SimulatedMeter), await simulate(SimulatedMeter)
    data: dict[str, Any] = {"driver": METER, "unit": 1, "invert": False}
    entry = await add_site(
        subentries=(attached_data("meter", "Hall", host=first.address, **data),)
    )
    subentry_id, unique_id = only(entry).subentry_id, only(entry).unique_id
    result = await begin_change(hass, entry, only(entry))
    assert result["step_id"] == "reconfigure"
    assert suggested(result)["host"] == first.address
    away = f"{loopback_address()}:{OFFSET + 502}"
    result = await fill(hass, result, host=away, unit=1, invert=False)
    assert result["errors"] == {"base": "cannot_connect"}
    result = await fill(hass, result, host=second.address, unit=1, invert=False)
    assert result["reason"] == "reconfigure_successful"
    await settle(hass)
    after = only(entry)
    assert after.subentry_id == subentry_id
    assert after.title == "Hall"
    assert after.unique_id != unique_id
    assert after.data["host"] == second.address
    assert second.requests


async def test_change_into_another_device(
    hass: HomeAssistant, add_site: AddSite, simulate: Simulate
) -> None:
    """Two subentries never stand for one device."""
    first, second = await simulate(SimulatedMeter), await simulate(SimulatedMeter)
    entry = await add_site(
        subentries=tuple(
            attached_data("meter", host=m.address, driver=METER, unit=1)
            for m in (first, second)
        )
    )
    result = await begin_change(hass, entry, next(iter(entry.subentries.values())))
    result = await fill(hass, result, host=second.address, unit=1, invert=False)
    assert result["errors"] == {"base": "already_configured"}


async def test_change_without_the_driver(
    hass: HomeAssistant, add_site: AddSite, caplog: pytest.LogCaptureFixture
) -> None:
    """A third party's driver may be gone; the site runs without it."""
    data = attached_data("meter", "Hall", driver="acme-meter", host="127.0.0.1")
    entry = await add_site(subentries=(data,))
    assert "Hall is left out" in caplog.text
    result = await begin_change(hass, entry, only(entry))
    assert result["reason"] == "driver_gone"


async def test_a_driver_that_fails_anyhow(
    hass: HomeAssistant,
    add_site: AddSite,
    simulate: Simulate,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The form says so, and the log tells more."""
    box = await simulate(SimulatedAntspace)
    entry = await add_site()
    driver, _ = registry.find("antspace")

    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(driver, "_fetch_stats", broken)
    result = await begin_add(hass, entry, "container", "antspace")
    result = await fill(hass, result, host=box.address)
    assert result["errors"] == {"base": "unknown"}
    assert "ZeroDivisionError" in caplog.text

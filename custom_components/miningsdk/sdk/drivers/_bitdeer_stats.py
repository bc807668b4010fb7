"""Read what a Bitdeer D40 publishes. Nearly every value is text."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ..fields import Fields
from ..model import (
    Actuator,
    ContainerStats,
    ContainerStatus,
    Fault,
    Reading,
    Setpoint,
    Severity,
)
from ._bitdeer_sockets import Socketed, on_or_off, read_pdus

RUNNING, PDUS, MAIN = "RunningInfo", "PDUData", "MainData"
TACTICS, PARAMETERS = "TacticsData", "ParameterData"
TOPICS = (RUNNING, PDUS, MAIN, TACTICS, PARAMETERS)

AUTO_RUN, AIR_EXHAUST = "auto_run", "air_exhaust"
TANKS = {"tank_1": "Tank1Enable", "tank_2": "Tank2Enable"}
SWITCHES = {**TANKS, AIR_EXHAUST: "AirExhaustEnable"}
PUMPS = {
    "oil_pump_1": ("OilPump", 1),
    "oil_pump_2": ("OilPump", 2),
    "water_pump_1": ("WaterPump", 1),
    "water_pump_2": ("WaterPump", 2),
}

_KILO = 1000.0


class Limit(NamedTuple):
    """A setpoint among the running parameters, and what we let it be set to.

    The container itself documents no range.
    """

    source: str
    unit: str
    minimum: float
    maximum: float


LIMITS = {
    "oil_cold_alarm": Limit("CoolOilAlarmTemp", "°C", 10, 70),
    "oil_hot_alarm": Limit("HotOilAlarmTemp", "°C", 10, 80),
    "water_cold_alarm": Limit("CoolWaterAlarmTemp", "°C", 5, 60),
    "water_hot_alarm": Limit("HotWaterAlarmTemp", "°C", 5, 70),
    "oil_cold_target": Limit("CoolOilSettingTemp", "°C", 20, 50),
    "exhaust_fan_start": Limit("ExhausFansRunTemp", "°C", 0, 60),
    "pressure_alarm": Limit("PressureAlarmValue", "bar", 0, 5),
}
# Where the prices stand at which the container starts or stops by itself.
PRICES = {
    "start_electricity_price": ("RunTactics", "ElectricityPrice", "RunPrice"),
    "start_coin_price": ("RunTactics", "CoinPrice", "RunPrice"),
    "stop_electricity_price": ("StopTactics", "ElectricityPrice", "StopPrice"),
    "stop_coin_price": ("StopTactics", "CoinPrice", "StopPrice"),
}
_HIGHEST_PRICE = 10_000_000.0
_POLICIES = {0: "disabled", 1: "electricity", 2: "coin"}

_PHASES = ("A", "B", "C")
_CLIMATE = (
    ("ContainerTemperature", "temperature_ambient", "Inside temperature", "°C"),
    ("ContainerHumidity", "humidity", "Inside humidity", "%"),
    *(
        (
            f"Tank{tank}{liquid}{end}",
            f"temperature_{liquid.lower()}_{heat}_{tank}",
            f"Tank {tank} {heat} {liquid.lower()}",
            "°C",
        )
        for tank in (1, 2)
        for liquid in ("Oil", "Water")
        for end, heat in (("H", "hot"), ("L", "cold"))
    ),
    *(
        (f"Tank{tank}Pressure", f"pressure_tank_{tank}", f"Tank {tank} pressure", "bar")
        for tank in (1, 2)
    ),
)
_UPS = (
    ("InputVoltage", "ups_input_voltage", "UPS input voltage", "V"),
    ("InputFrequency", "ups_input_frequency", "UPS input frequency", "Hz"),
    ("OutputVoltage", "ups_output_voltage", "UPS output voltage", "V"),
    ("OutputFrequency", "ups_output_frequency", "UPS output frequency", "Hz"),
    ("Temperature", "ups_temperature", "UPS temperature", "°C"),
    ("BatteryStatus", "ups_battery", "UPS battery", "%"),
)
_ALARMS = {
    f"{part}{index} {words}": (f"{code}_{what}", f"{name} {index} {said}")
    for part, code, name in (
        ("OilPump", "oil_pump", "Oil pump"),
        ("WaterPump", "water_pump", "Water pump"),
    )
    for index in (1, 2)
    for words, what, said in (
        ("error", "error", "has an error"),
        ("not running", "not_running", "does not run"),
    )
} | {
    f"Tank{index} {words} overheat": (f"{code}_overheat", f"Tank {index}: {said}")
    for index in (1, 2)
    for words, code, said in (
        ("hot oil", "hot_oil", "hot oil too hot"),
        ("cool oil", "cold_oil", "cold oil too hot"),
        ("hot water", "hot_water", "hot water too hot"),
        ("cool water", "cold_water", "cold water too hot"),
    )
}


def read_stats(parts: Mapping[str, Fields], failed: dict[str, str]) -> ContainerStats:
    """Return the reading; what a missing part holds is unknown."""
    running = parts.get(RUNNING, Fields(None))
    main = parts.get(MAIN, Fields(None))
    parameters = running_parameters(parts)
    pdus = list(read_pdus(parts.get(PDUS, Fields(None))))
    faults = _faults(running)
    return ContainerStats(
        status=_status(running, faults),
        power=main.child("PowerData").number(
            "TotalPower", field="power", scale=_KILO, digits=1
        ),
        cooling_on=_cooling(parameters),
        readings=(
            *_electricity(main.child("PowerData")),
            *_table(main.child("TemperatureData"), _CLIMATE),
            *_table(main.child("UPSData"), _UPS),
            *_pdu_readings(pdus),
            *_tactics(parts.get(TACTICS, Fields(None)).child("Tactics")),
        ),
        actuators=(*_machines(running), *_switches(parameters)),
        sockets=tuple(socket for pdu in pdus for socket in pdu.sockets),
        setpoints=(*_limits(parameters), *_prices(parts)),
        faults=faults,
        failed=failed,
    )


def running_parameters(parts: Mapping[str, Fields]) -> Fields:
    """Return what the container is set to."""
    return parts.get(PARAMETERS, Fields(None)).child("RunningParameter")


def _cooling(parameters: Fields) -> bool | None:
    """Tell whether the cooling of any tank is enabled."""
    tanks = [parameters.boolean(source) for source in TANKS.values()]
    if True in tanks:
        return True
    return None if None in tanks else False


def _status(running: Fields, faults: Sequence[Fault]) -> ContainerStatus:
    if faults:
        return ContainerStatus.FAULT
    runs = running.boolean("RunningState", field="status")
    if runs is None:
        return ContainerStatus.UNKNOWN
    return ContainerStatus.RUNNING if runs else ContainerStatus.STOPPED


def _faults(running: Fields) -> tuple[Fault, ...]:
    listed = running.data.get("AlarmInfo")
    words = [str(text).strip() for text in listed] if isinstance(listed, list) else []
    found = [
        Fault(code=code, message=message, component=None, severity=Severity.CRITICAL)
        if known
        else Fault(code="unknown", message=text[:200])
        for text in words
        if text
        for known in [text in _ALARMS]
        for code, message in [_ALARMS.get(text, ("unknown", text))]
    ]
    if not found and running.boolean("AlarmState", field="faults"):
        found.append(Fault(code="alarm", message="The container raises an alarm"))
    return tuple(found)


def _table(
    fields: Fields, rows: Sequence[tuple[str, str, str, str]]
) -> Iterator[Reading]:
    for source, key, name, unit in rows:
        if fields.has(source):
            value = fields.number(source, field=key, digits=2)
            yield Reading(key=key, name=name, value=value, unit=unit)


def _electricity(power: Fields) -> Iterator[Reading]:
    for phase in _PHASES:
        for quantity, unit, scale in (
            ("Power", "W", _KILO),
            ("Voltage", "V", 1.0),
            ("Current", "A", 1.0),
        ):
            if power.has(f"{quantity}{phase}"):
                key = f"{quantity.lower()}_{phase.lower()}"
                value = power.number(
                    f"{quantity}{phase}", field=key, scale=scale, digits=1
                )
                name = f"{quantity} {phase}"
                yield Reading(key=key, name=name, value=value, unit=unit)


def _pdu_readings(pdus: Sequence[Socketed]) -> Iterator[Reading]:
    for pdu in pdus:
        place = pdu.name.replace("-", "_")
        name = f"PDU {pdu.name}"
        yield Reading(key=f"power_pdu_{place}", name=name, value=pdu.power, unit="W")
        yield Reading(
            key=f"current_pdu_{place}",
            name=f"{name} current",
            value=pdu.current,
            unit="A",
        )


def _tactics(tactics: Fields) -> Iterator[Reading]:
    for key, name, group in (
        ("start_policy", "Starts by", "RunTactics"),
        ("stop_policy", "Stops by", "StopTactics"),
    ):
        if policy := tactics.child(group):
            kind = policy.integer("TacticsType", field=key)
            word = None if kind is None else _POLICIES.get(kind)
            yield Reading(key=key, name=name, value=word)
    for key, name, group in (
        ("electricity_price", "Electricity price", "ElectricityPrice"),
        ("coin_price", "Coin price", "CoinPrice"),
    ):
        price = tactics.child("RunTactics").child(group)
        if price.has("CurrentPrice"):
            value = price.number("CurrentPrice", field=key)
            yield Reading(key=key, name=name, value=value, unit="USD")


def _machines(running: Fields) -> Iterator[Actuator]:
    """Yield what runs: all of it, each pump, each dry cooler with its fans."""
    if running.has("RunningState"):
        yield Actuator(
            key=AUTO_RUN,
            name="Automatic operation",
            on=running.boolean("RunningState"),
        )
    device = running.child("DeviceInfo")
    for key, (kind, index) in PUMPS.items():
        if device.has(f"{kind}{index}"):
            name = f"{kind.removesuffix('Pump')} pump {index}"
            yield Actuator(key=key, name=name, on=device.boolean(f"{kind}{index}"))
    for cooler in device.children("DryCooler"):
        yield from _cooler(cooler)


def _cooler(cooler: Fields) -> Iterator[Actuator]:
    place = cooler.integer("CoolerIndex")
    if place is None:
        return
    key, name = f"dry_cooler_{place + 1}", f"Dry cooler {place + 1}"
    yield Actuator(key=key, name=name, on=cooler.boolean("MainContactor"))
    fans = cooler.data.get("FansStatus")
    for index, fan in enumerate(fans if isinstance(fans, list) else (), 1):
        yield Actuator(
            key=f"{key}_fan_{index}", name=f"{name} fan {index}", on=on_or_off(fan)
        )


def _switches(parameters: Fields) -> Iterator[Actuator]:
    names = {"tank_1": "Tank 1", "tank_2": "Tank 2", AIR_EXHAUST: "Exhaust fan"}
    for key, source in SWITCHES.items():
        if parameters.has(source):
            yield Actuator(key=key, name=names[key], on=parameters.boolean(source))


def _limits(parameters: Fields) -> Iterator[Setpoint]:
    for key, limit in LIMITS.items():
        if parameters.has(limit.source):
            yield Setpoint(
                key=key,
                value=parameters.number(limit.source, field=key, digits=2),
                minimum=limit.minimum,
                maximum=limit.maximum,
                unit=limit.unit,
            )


def _prices(parts: Mapping[str, Fields]) -> Iterator[Setpoint]:
    tactics = parts.get(TACTICS, Fields(None)).child("Tactics")
    for key, (policy, group, source) in PRICES.items():
        price = tactics.child(policy).child(group)
        if price.has(source):
            yield Setpoint(
                key=key,
                value=price.number(source, field=key),
                minimum=0.0,
                maximum=_HIGHEST_PRICE,
                unit="USD",
            )

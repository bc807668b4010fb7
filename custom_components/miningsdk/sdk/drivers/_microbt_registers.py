"""The registers of a MicroBT container, unit by unit (MiningOS).

Register numbers here count from one, as in the maker's papers; the wire counts from
zero.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..model import Severity
from ._modbus_device import BlockReader
from ._modbus_table import Kind, Register

CDU = 1
CLIMATE = 2
ENVIRONMENT = 3
METERS = (4, 5, 6, 7)
DIAGNOSIS = 8
PDUS = tuple(range(9, 21))
SOCKETS = 20

# What is written, by the address on the wire.
LOGIN_NONCE, LOGIN_NONCE_WORDS, LOGIN = 300, 4, 304
MAIN_SWITCH = 600
_LAST_SOCKET = 309 - 1
SOCKET_ON, SOCKET_OFF = 1, 2


def socket_address(socket: int) -> int:
    """Return where a socket (1 to 20) is switched, on the wire."""
    return _LAST_SOCKET - socket


@dataclass(frozen=True, slots=True)
class Value:
    """One value: its key and name, its register, its scale and its unit."""

    key: str
    name: str
    number: int
    scale: float = 0.01
    unit: str | None = None


def row(key: str, number: int, kind: Kind = "s16") -> Register:
    """Return the register of a number that counts from one."""
    return Register(address=number - 1, field=key, kind=kind)


CDU_VALUES = (
    Value("dew_point", "Indoor dew point", 95, unit="°C"),
    Value("inlet_temperature", "Inlet temperature (T2)", 201, unit="°C"),
    Value("cooling_temperature", "Cooling temperature (T1)", 202, unit="°C"),
    Value("inlet_pressure", "Inlet pressure (P2)", 203, unit="bar"),
    Value("outlet_pressure", "Outlet pressure (P3)", 204, unit="bar"),
    Value("pump_inlet_pressure", "Pump inlet pressure (P1)", 205, unit="bar"),
    Value("pump_outlet_pressure", "Pump outlet pressure (P5)", 206, unit="bar"),
    Value("pump_speed", "Circulation pump speed", 209),
    Value("filter_pressure", "Filter pressure difference", 210, unit="bar"),
)
OUTLET_TEMPERATURE = Value(
    "outlet_temperature", "Outlet temperature (T3)", 211, unit="°C"
)
COOLING_STATE = Value("cooling_state", "State of the cooling system", 212)
SETPOINTS = (
    Value("fan_speed", "Fan speed", 614),
    Value("fan_start_temperature", "Fan start temperature", 615, unit="°C"),
    Value("fan_stop_temperature", "Fan stop temperature", 616, unit="°C"),
)
MODES = (
    Value("pump_mode", "Circulation pump mode", 602),
    Value("drain_valve_mode", "Drain valve mode", 603),
    Value("fan_mode", "Cooling fan mode", 604),
    Value("makeup_pump_mode", "Makeup pump mode", 605),
)
# The scale of both depends on the builder.
CLIMATE_VALUES = (
    Value("temperature", "Temperature", 3, unit="°C"),
    Value("humidity", "Humidity", 4, unit="%"),
)
CLIMATE_STATUS = Value("climate_status", "Climate sensor status", 2, scale=1.0)
ENVIRONMENT_STATUS = Value("environment_status", "Detector status", 2, scale=1.0)
ACTUATORS = (
    Value("cooling_fan", "Cooling fan", 607),
    Value("makeup_pump", "Makeup pump", 608),
    Value("buzzer", "Buzzer", 609),
)
MAIN = row("main", 601)
PUMP_A, PUMP_B = row("pump_a", 208), row("pump_b", 606)
ERROR_BITS = row("system_errors", 291, "u32")
METER_VALUES = (
    Value("status", "status", 2, scale=1.0),
    Value("energy", "energy", 3, unit="kWh"),
    Value("voltage_ab", "voltage AB", 50, unit="V"),
    Value("voltage_bc", "voltage BC", 51, unit="V"),
    Value("voltage_ca", "voltage CA", 52, unit="V"),
    Value("current_a", "current A", 53, unit="A"),
    Value("current_b", "current B", 54, unit="A"),
    Value("current_c", "current C", 55, unit="A"),
    Value("power", "power", 57, scale=10.0, unit="W"),
    Value("apparent_power", "apparent power", 65, scale=10.0, unit="VA"),
    Value("power_factor", "power factor", 69),
    Value("frequency", "frequency", 82, unit="Hz"),
)
PDU_VALUES = (
    Value("status", "status", 2, scale=1.0),
    Value("frequency", "frequency", 74, unit="Hz"),
    Value("voltage_ab", "voltage AB", 75, unit="V"),
    Value("voltage_ca", "voltage CA", 76, unit="V"),
    Value("voltage_bc", "voltage BC", 77, unit="V"),
    Value("current_a", "current A", 78, unit="A"),
    Value("current_b", "current B", 79, unit="A"),
    Value("current_c", "current C", 80, unit="A"),
    Value("power", "power", 81, scale=10.0, unit="W"),
)
PDU_BUZZER = row("buzzer", 5)
SOCKET_ROWS = tuple(row(f"socket_{n}", 45 + n) for n in range(1, SOCKETS + 1))
DIAGNOSIS_VALUES = (
    Value("cpu", "Controller CPU", 9, scale=1.0, unit="%"),
    Value("disk", "Controller disk", 10, scale=1.0, unit="%"),
    Value("memory", "Controller memory", 11, scale=1.0, unit="%"),
    Value("network_speed", "Controller network speed", 12, scale=1.0),
    Value("network_up", "Controller traffic up", 13, scale=1.0),
    Value("network_down", "Controller traffic down", 14, scale=1.0),
)
SOFTWARE = row("software", 3)


@dataclass(frozen=True, slots=True)
class Alarm:
    """A fault that a register or a bit stands for."""

    code: str
    message: str
    severity: Severity = Severity.WARNING


def _critical(code: str, message: str) -> Alarm:
    return Alarm(code, message, Severity.CRITICAL)


# By the bit of the system errors, the highest of the first register being bit 0.
SYSTEM_ERRORS = (
    _critical("low_inlet_pressure_circ_pump", "Circulation pump: low inlet pressure"),
    _critical("low_outlet_pressure_circ_pump", "Circulation pump: low outlet pressure"),
    Alarm("high_outlet_pressure_circ_pump", "Circulation pump: high outlet pressure"),
    _critical("circulating_pump_fault", "Circulation pump fault"),
    _critical("circ_pump_inverter_fault", "Circulation pump: inverter fault"),
    Alarm("high_pressure_diff_filter", "Filter: high pressure difference"),
    Alarm("small_inlet_outlet_pressure_diff", "Small pressure difference"),
    Alarm("large_inlet_outlet_pressure_diff", "Large pressure difference"),
    Alarm("high_inlet_temp_unit", "High inlet temperature"),
    Alarm("high_outlet_temp_unit", "High outlet temperature"),
    Alarm("small_temp_dew_point_diff_inlet_unit", "Inlet is near the dew point"),
    Alarm("circ_pump_inlet_pressure_sensor_fault", "Pump inlet pressure sensor fault"),
    Alarm(
        "circ_pump_outlet_pressure_sensor_fault", "Pump outlet pressure sensor fault"
    ),
    Alarm("unit_inlet_temp_sensor_fault", "Inlet temperature sensor fault"),
    Alarm("unit_outlet_temp_sensor_fault", "Outlet temperature sensor fault"),
    Alarm("unit_inlet_pressure_sensor_fault", "Inlet pressure sensor fault"),
    Alarm("unit_outlet_pressure_sensor_fault", "Outlet pressure sensor fault"),
    Alarm("filter_front_pressure_sensor_fault", "Filter front pressure sensor fault"),
    Alarm("filter_rear_pressure_sensor_fault", "Filter rear pressure sensor fault"),
    _critical("bypass_valve_fault", "Bypass valve fault"),
    Alarm("fan_fault", "Fan fault"),
    Alarm("temp_sensor_chilled_water_supply_fault", "Chilled water: sensor fault"),
    Alarm("temp_sensor_chilled_water_supply_fault", "Chilled water: sensor fault"),
    Alarm("pressure_sensor_chilled_water_supply_fault", "Chilled water: sensor fault"),
    _critical("circ_pump_high_inlet_pressure", "Circulation pump: high inlet pressure"),
)
GENERAL_ERRORS = (
    (
        row("fault_96", 96),
        Alarm("outdoor_ambient_temp_sensor_fault", "Outdoor temperature sensor fault"),
    ),
    (
        row("fault_97", 97),
        Alarm("indoor_temp_humidity_sensor_fault", "Indoor climate sensor fault"),
    ),
    (row("fault_98", 98), _critical("makeup_water_pump_fault", "Makeup pump fault")),
    (row("fault_99", 99), Alarm("power_fault", "Power supply fault")),
    (row("fault_100", 100), _critical("water_immersion_alarm", "Water immersion")),
)
ENVIRONMENT_ALARMS = (
    (row("smoke", 3), _critical("smoke", "Smoke in the container")),
    (row("water", 8), _critical("water_ingress", "Water in the container")),
)


def _numbered(
    first: int, count: int, code: str, message: str, alarm: Callable[[str, str], Alarm]
) -> list[tuple[Register, Alarm]]:
    return [
        (row(f"{code}_{n}", first + n), alarm(f"{code}_{n + 1}", f"{message} {n + 1}"))
        for n in range(count)
    ]


PDU_ALARMS = (
    *_numbered(158, 8, "access_control", "Door", Alarm),
    *_numbered(168, 6, "infrared", "Infrared detector", Alarm),
    *_numbered(174, 8, "water_ingress", "Water at sensor", _critical),
    *_numbered(182, 8, "smoke", "Smoke at detector", _critical),
    (row("high_wind", 190), Alarm("high_wind_speed", "High wind speed")),
    (row("low_wind", 191), Alarm("low_wind_speed", "Low wind speed")),
)


def rows_of(values: Iterable[Value], kind: Kind = "s16") -> list[Register]:
    """Return the registers of values."""
    return [row(value.key, value.number, kind) for value in values]


def cdu_reader() -> BlockReader:
    """Return how the cooling unit is read: four requests."""
    values = (
        *CDU_VALUES,
        OUTLET_TEMPERATURE,
        COOLING_STATE,
        *SETPOINTS,
        *MODES,
        *ACTUATORS,
    )
    errors = [register for register, _ in GENERAL_ERRORS]
    rows = [*rows_of(values), *errors, MAIN, PUMP_A, PUMP_B, ERROR_BITS]
    return BlockReader(rows, 32, 8)


def meter_reader() -> BlockReader:
    """Return how a meter is read: two requests, for one register between is missing."""
    return BlockReader(rows_of(METER_VALUES, "u16"), 70, 46)


def pdu_reader() -> BlockReader:
    """Return how a power distribution is read: two requests."""
    alarms = [register for register, _ in PDU_ALARMS]
    rows = [*rows_of(PDU_VALUES, "u16"), PDU_BUZZER, *SOCKET_ROWS, *alarms]
    return BlockReader(rows, 80, 60)


def climate_reader() -> BlockReader:
    """Return how temperature and humidity of the room are read: one request."""
    return BlockReader(rows_of((*CLIMATE_VALUES, CLIMATE_STATUS)), 32, 0)


def environment_reader() -> BlockReader:
    """Return how smoke and water in the room are read: one request."""
    alarms = [register for register, _ in ENVIRONMENT_ALARMS]
    return BlockReader([*alarms, *rows_of((ENVIRONMENT_STATUS,))], 32, 8)


def diagnosis_reader() -> BlockReader:
    """Return how the controller's own state is read: one request."""
    return BlockReader(rows_of(DIAGNOSIS_VALUES), 32, 0)

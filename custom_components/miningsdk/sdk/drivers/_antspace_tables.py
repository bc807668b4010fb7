"""What the two kinds of Antspace tell, as tables: key, name, unit, scale.

Source: mdk-devices.md 2.5. Flow is told in m³/h, pressure in bar, the power of the
immersion kind in 100 kW and in kW, its voltages in tenths.
"""

from typing import NamedTuple

from ..model import Severity

CRITICAL, WARNING = Severity.CRITICAL, Severity.WARNING


class Value(NamedTuple):
    """One measured value; ``source`` is the device's own key."""

    source: str
    key: str
    name: str
    unit: str | None = None
    scale: float = 1.0
    digits: int = 1


class Flag(NamedTuple):
    """One fault; ``code`` is what several flags of a sort have in common."""

    source: str
    code: str
    message: str
    severity: Severity = WARNING
    component: str | None = None


_LITRES_A_MINUTE = 1000 / 60

HK3_VALUES = (
    Value("supply_liquid_temp", "temperature_supply", "Supply temperature", "°C"),
    Value("return_liquid_temp", "temperature_return", "Return temperature", "°C"),
    Value(
        "supply_liquid_pressure",
        "pressure_supply",
        "Supply pressure",
        "bar",
        digits=2,
    ),
    Value(
        "return_liquid_pressure",
        "pressure_return",
        "Return pressure",
        "bar",
        digits=2,
    ),
    Value(
        "supply_liquid_flow", "flow_supply", "Supply flow", "L/min", _LITRES_A_MINUTE
    ),
    Value(
        "colding_tower_inlet_temp",
        "temperature_tower_inlet",
        "Cooling tower inlet temperature",
        "°C",
    ),
    Value("antbox_internal_temp", "temperature_ambient", "Inside temperature", "°C"),
    Value("antbox_internal_humidity", "humidity", "Inside humidity", "%"),
    Value("distribution_box1_power", "power_box_1", "Distribution box 1", "W"),
    Value("distribution_box2_power", "power_box_2", "Distribution box 2", "W"),
)
HK3_STATES = (("running_mode", "Running mode"),)
HK3_ACTUATORS = (
    ("circulating_pump", "Circulating pump"),
    ("fan1", "Exhaust fan 1"),
    ("fan2", "Exhaust fan 2"),
    ("spray_pump", "Spray pump"),
    ("fluid_infusion_pump", "Fluid infusion pump"),
    ("cooling_tower_fan1", "Cooling tower fan 1"),
    ("cooling_tower_fan2", "Cooling tower fan 2"),
    ("cooling_tower_fan3", "Cooling tower fan 3"),
)
_DISCONNECT = Flag(
    "disconnect", "disconnect", "The controller has lost the cooling system", CRITICAL
)
_LEAKAGE = Flag("leakage_fault", "leakage_fault", "Leakage", CRITICAL)
_SUPPLY_HIGH = Flag(
    "supply_liquid_temp_high", "supply_liquid_temp_high", "Supply temperature high"
)
_SUPPLY_TOO_HIGH = Flag(
    "supply_liquid_temp_too_high",
    "supply_liquid_temp_too_high",
    "Supply temperature too high",
    CRITICAL,
)
HK3_FAULTS = (
    _DISCONNECT,
    Flag("power_fault", "power_fault", "Power fault"),
    Flag("power_relay_fault", "power_relay_fault", "Power relay fault", CRITICAL),
    Flag("phasefailure", "phase_failure", "Phase failure"),
    Flag("liquid_level_low", "liquid_level_low", "Liquid level low"),
    Flag("liquid_level_high", "liquid_level_high", "Liquid level high"),
    Flag(
        "circulating_pump_fault",
        "circulating_pump_fault",
        "Circulating pump fault",
        CRITICAL,
        "circulating_pump",
    ),
    Flag("fan1_fault", "fan_fault", "Exhaust fan 1 fault", component="fan1"),
    Flag("fan2_fault", "fan_fault", "Exhaust fan 2 fault", component="fan2"),
    Flag(
        "fluid_infusion_pump_fault",
        "fluid_infusion_pump_fault",
        "Fluid infusion pump fault",
        component="fluid_infusion_pump",
    ),
    Flag(
        "spray_pump_fault",
        "spray_pump_fault",
        "Spray pump fault",
        component="spray_pump",
    ),
    *(
        Flag(
            f"cooling_tower_fan{number}_fault",
            "cooling_tower_fan_fault",
            f"Cooling tower fan {number} fault",
            component=f"cooling_tower_fan{number}",
        )
        for number in (1, 2, 3)
    ),
    _LEAKAGE,
    _SUPPLY_HIGH,
    _SUPPLY_TOO_HIGH,
    Flag(
        "supply_liquid_pressure_high",
        "supply_liquid_pressure_high",
        "Supply pressure high",
        CRITICAL,
    ),
    Flag(
        "return_liquid_pressure_low",
        "return_liquid_pressure_low",
        "Return pressure low",
        CRITICAL,
    ),
    Flag(
        "supply_liquid_flow_low", "supply_liquid_flow_low", "Supply flow low", CRITICAL
    ),
    Flag("freezing_alarm", "freezing_alarm", "Danger of freezing"),
    Flag(
        "cooling_tower_liquid_level_low",
        "cooling_tower_liquid_level_low",
        "Cooling tower level low",
    ),
)

IMMERSION_VALUES = (
    Value(
        "primary_supply_temp",
        "temperature_primary_supply",
        "Primary supply temperature",
        "°C",
    ),
    Value(
        "primary_return_temp",
        "temperature_primary_return",
        "Primary return temperature",
        "°C",
    ),
    Value(
        "second_supply_temp1",
        "temperature_secondary_supply_1",
        "Secondary supply temperature 1",
        "°C",
    ),
    Value(
        "second_supply_temp2",
        "temperature_secondary_supply_2",
        "Secondary supply temperature 2",
        "°C",
    ),
    Value(
        "second_return_temp1",
        "temperature_secondary_return_1",
        "Secondary return temperature 1",
        "°C",
    ),
    Value(
        "second_return_temp2",
        "temperature_secondary_return_2",
        "Secondary return temperature 2",
        "°C",
    ),
    Value("out_temp", "temperature_outside", "Outside temperature", "°C"),
    Value("container_temp", "temperature_ambient", "Inside temperature", "°C"),
    Value("container_humidity", "humidity", "Inside humidity", "%"),
    Value(
        "power_distribution_temp",
        "temperature_distribution",
        "Power distribution temperature",
        "°C",
    ),
    Value(
        "power_distribution_humidity",
        "humidity_distribution",
        "Power distribution humidity",
        "%",
    ),
    *(
        Value(f"tank_{tank}_level", f"level_tank_{tank}", f"Tank {tank.upper()} level")
        for tank in "abcd"
    ),
    Value("drycooler_freq", "frequency_dry_cooler", "Dry cooler frequency", "Hz"),
    Value("feedback_fre", "frequency_feedback", "Feedback frequency", "Hz"),
    *(
        Value(
            f"vol_{phase}_distribution",
            f"voltage_{phase}",
            f"Voltage {phase.upper()}",
            "V",
            0.1,
        )
        for phase in "abc"
    ),
    *(
        Value(
            f"cur_{phase}_distribution",
            f"current_{phase}",
            f"Current {phase.upper()}",
            "A",
        )
        for phase in "abc"
    ),
    Value("distribution_box_power", "power_box", "Distribution box", "W", 100_000),
    Value("power_distribution", "power_distribution", "Power distribution", "W", 1000),
    Value("open1", "opening_1", "Opening of valve 1"),
    Value("open2", "opening_2", "Opening of valve 2"),
    Value("protocol_version", "protocol_version", "Protocol version"),
)
IMMERSION_STATES = (
    ("running_mode", "Running mode"),
    ("pump_ready", "Pump ready"),
    ("pump_operation", "Pump operation"),
    ("pump_run", "Pump runs"),
    ("pump_start", "Pump start"),
    ("server_on", "Servers on"),
    ("one_pump", "One pump"),
)
# That the primary pump runs is no fault, although it is taken for one elsewhere.
IMMERSION_ACTUATORS = (
    ("primary_circulating_pump", "Primary circulating pump"),
    ("second_pump1", "Secondary pump 1"),
    ("second_pump2", "Secondary pump 2"),
    ("dry_cooler_freq_run", "Dry cooler at variable frequency"),
    ("dry_cooler_power_freq_run", "Dry cooler at mains frequency"),
    ("container_fan", "Container fan"),
)
IMMERSION_VALVES = (("valve1", "Valve 1"), ("valve2", "Valve 2"))
IMMERSION_FAULTS = (
    _DISCONNECT,
    Flag(
        "dry_cooler_power_fre_fault",
        "dry_cooler_power_fre_fault",
        "Dry cooler fault at mains frequency",
        component="dry_cooler",
    ),
    Flag(
        "dry_cooler_fre_conv",
        "dry_cooler_fre_conv",
        "Dry cooler frequency converter fault",
        component="dry_cooler",
    ),
    *(
        Flag(
            f"second_pump{number}_fault",
            "secondary_pump_fault",
            f"Secondary pump {number} fault",
            CRITICAL,
            f"second_pump{number}",
        )
        for number in (1, 2)
    ),
    Flag("fan_fault", "fan_fault", "Fan fault", component="container_fan"),
    Flag("phasefailure", "phase_failure", "Phase failure"),
    Flag(
        "supply_liquid_temp_fault",
        "supply_liquid_temp_fault",
        "Supply temperature sensor fault",
        CRITICAL,
    ),
    Flag(
        "return_liquid_temp_fault",
        "return_liquid_temp_fault",
        "Return temperature sensor fault",
        CRITICAL,
    ),
    Flag(
        "power_distribution_Fault",
        "power_distribution_fault",
        "Power distribution fault",
    ),
    Flag("lever_sensor_fault", "lever_sensor_fault", "Level sensor fault", CRITICAL),
    Flag("smoke_sensor_fault", "smoke_sensor_fault", "Smoke sensor fault"),
    Flag("return_liquid_temp_high", "return_liquid_temp_high", "Return temp. high"),
    Flag(
        "return_liquid_temp_too_high",
        "return_liquid_temp_too_high",
        "Return temperature too high",
        CRITICAL,
    ),
    Flag(
        "power_distribution_temp_high",
        "power_distribution_temp_high",
        "Power distribution too warm",
    ),
    Flag("lever_high", "lever_high", "Tank level high"),
    Flag("lever_low", "lever_low", "Tank level low", CRITICAL),
    _LEAKAGE,
    _SUPPLY_HIGH,
    _SUPPLY_TOO_HIGH,
    Flag("pump_alarm", "pump_alarm", "Pump alarm"),
)

"""All that the author of a driver needs, in one place: see docs/drivers.md."""

from .commands import Commanded
from .container import Container, Threshold
from .device import Device, describe
from .drivers._modbus_table import MeterMap, Register, phases
from .drivers._table_meter import TableMeter
from .errors import (
    AuthenticationFailed,
    CommandFailed,
    ControlDisabled,
    DeviceTimeout,
    DeviceUnreachable,
    InvalidReply,
    LockedOut,
    MiningSDKError,
    NotSupported,
)
from .fields import Fields, boolean, mac_address, number, serial_number, text
from .meter import Meter
from .miner import Miner
from .model import (
    Actuator,
    Board,
    Capability,
    ContainerStats,
    ContainerStatus,
    DeviceInfo,
    DeviceKind,
    Fan,
    Fault,
    Limits,
    MeterStats,
    MinerPool,
    MinerSettings,
    MinerStats,
    MinerStatus,
    PoolConfig,
    PoolState,
    Reading,
    SensorStats,
    Setpoint,
    Severity,
    Socket,
)
from .registry import register
from .switched_meter import SwitchedMeter
from .transports import cgminer, modbus
from .transports.http import ROOT, HttpClient, Response, ask_page, only_once
from .transports.login import LoginClient, Refusal
from .transports.wire import Probe, Wire

__all__ = [
    "ROOT",
    "Actuator",
    "AuthenticationFailed",
    "Board",
    "Capability",
    "CommandFailed",
    "Commanded",
    "Container",
    "ContainerStats",
    "ContainerStatus",
    "ControlDisabled",
    "Device",
    "DeviceInfo",
    "DeviceKind",
    "DeviceTimeout",
    "DeviceUnreachable",
    "Fan",
    "Fault",
    "Fields",
    "HttpClient",
    "InvalidReply",
    "Limits",
    "LockedOut",
    "LoginClient",
    "Meter",
    "MeterMap",
    "MeterStats",
    "Miner",
    "MinerPool",
    "MinerSettings",
    "MinerStats",
    "MinerStatus",
    "MiningSDKError",
    "NotSupported",
    "PoolConfig",
    "PoolState",
    "Probe",
    "Reading",
    "Refusal",
    "Register",
    "Response",
    "SensorStats",
    "Setpoint",
    "Severity",
    "Socket",
    "SwitchedMeter",
    "TableMeter",
    "Threshold",
    "Wire",
    "ask_page",
    "boolean",
    "cgminer",
    "describe",
    "mac_address",
    "modbus",
    "number",
    "only_once",
    "phases",
    "register",
    "serial_number",
    "text",
]

"""The vocabulary: what every device of a kind tells, whoever made it.

Units are fixed: hashrate TH/s, power W, energy kWh, efficiency J/TH,
temperature °C, fan speed rpm, duty and ratios %, voltage V, current A,
frequency MHz (mains: Hz), uptime s. ``None`` means unknown, never zero.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import orjson


class DeviceKind(StrEnum):
    """What a device is."""

    MINER = "miner"
    METER = "meter"
    SENSOR = "sensor"
    CONTAINER = "container"
    POOL = "pool"


class MinerStatus(StrEnum):
    """What a miner is doing; a miner that cannot be reached has no status."""

    MINING = "mining"
    STARTING = "starting"
    TUNING = "tuning"
    IDLE = "idle"
    PAUSED = "paused"
    FAULT = "fault"
    UNKNOWN = "unknown"


class PoolState(StrEnum):
    """How a miner sees one of its pools."""

    ACTIVE = "active"
    ALIVE = "alive"
    DEAD = "dead"
    DISABLED = "disabled"


class Severity(StrEnum):
    """How much a fault matters."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Capability(StrEnum):
    """What a device can be told to do."""

    PAUSE = "pause"
    REBOOT = "reboot"
    RESTART = "restart"
    LOCATE = "locate"
    POWER_LIMIT = "power_limit"
    POWER_MODE = "power_mode"
    PROFILE = "profile"
    THROTTLE = "throttle"
    FAN = "fan"
    TARGET_TEMPERATURE = "target_temperature"
    FREQUENCY = "frequency"
    VOLTAGE = "voltage"
    POOLS = "pools"
    BOARD_ENABLE = "board_enable"
    FIRMWARE_UPDATE = "firmware_update"
    SOCKET = "socket"
    COOLING = "cooling"
    SETPOINT = "setpoint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a capability accepts: a range with a step, or a list of options."""

    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceInfo:
    """Who a device is; changes only with its firmware or its network.

    ``port`` is given only when it is not the one its driver uses by default.
    ``boards``, ``chips`` (of all boards) and ``fans`` are how many there should be.
    What the device does not tell of itself, the table of models adds, see ``models``.
    ``limits`` holds the range or the options of those capabilities that have any.
    """

    kind: DeviceKind
    driver: str
    host: str
    port: int | None = None
    make: str | None = None
    model: str | None = None
    firmware: str | None = None
    firmware_version: str | None = None
    mac: str | None = None
    serial_number: str | None = None
    hostname: str | None = None
    algorithm: str | None = None
    boards: int | None = None
    chips: int | None = None
    fans: int | None = None
    capabilities: tuple[Capability, ...] = ()
    limits: Mapping[Capability, Limits] = field(default_factory=dict)

    @property
    def unique_id(self) -> str | None:
        """Return what stays the same when the address changes: serial, else MAC."""
        return self.serial_number or self.mac


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something the device itself reports as wrong."""

    code: str
    message: str
    component: str | None = None
    severity: Severity = Severity.WARNING


@dataclass(frozen=True, slots=True, kw_only=True)
class Fan:
    """One fan: its speed in rpm and its duty in %."""

    index: int
    speed: float | None = None
    duty: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One hashboard; ``chips`` are those that work, ``chips_expected`` all."""

    index: int
    hashrate: float | None = None
    hashrate_expected: float | None = None
    temperature_board: float | None = None
    temperature_chip: float | None = None
    chips: int | None = None
    chips_expected: int | None = None
    frequency: float | None = None
    voltage: float | None = None
    serial_number: str | None = None
    enabled: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MinerPool:
    """One pool as the miner sees it, with its share counters."""

    index: int
    url: str | None = None
    user: str | None = None
    status: PoolState | None = None
    accepted: int | None = None
    rejected: int | None = None
    stale: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolConfig:
    """One pool to be written to a miner, in order of priority."""

    url: str
    user: str
    password: str = field(default="x", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MinerSettings:
    """What the miner is set to, beside power limit and mode.

    ``fan`` %, ``target_temperature`` °C, ``frequency`` MHz, ``voltage`` V (of the
    chips), ``throttle`` % of full power.
    """

    fan: float | None = None
    fan_automatic: bool | None = None
    target_temperature: float | None = None
    frequency: float | None = None
    voltage: float | None = None
    throttle: float | None = None
    profile: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MinerStats:
    """One reading of a miner.

    ``hashrate`` is the shortest average the firmware gives, ``hashrate_average``
    the longest; ``temperature_chip`` and ``temperature_board`` are the hottest.
    ``failed`` names each field that could not be read, and why.
    """

    status: MinerStatus = MinerStatus.UNKNOWN
    hashrate: float | None = None
    hashrate_average: float | None = None
    hashrate_expected: float | None = None
    power: float | None = None
    power_limit: float | None = None
    power_mode: str | None = None
    efficiency: float | None = None
    temperature_chip: float | None = None
    temperature_board: float | None = None
    temperature_inlet: float | None = None
    temperature_outlet: float | None = None
    temperature_ambient: float | None = None
    fans: tuple[Fan, ...] = ()
    boards: tuple[Board, ...] = ()
    pools: tuple[MinerPool, ...] = ()
    accepted: int | None = None
    rejected: int | None = None
    stale: int | None = None
    hardware_errors: int | None = None
    best_difficulty: float | None = None
    uptime: int | None = None
    locating: bool | None = None
    settings: MinerSettings = MinerSettings()
    faults: tuple[Fault, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterStats:
    """One reading of a power meter.

    Power is positive when it is drawn. The phase fields hold three values, fewer on
    a meter of fewer phases. Powers in W, VA and var, ``power_factor`` -1 to 1,
    ``frequency`` Hz, energies kWh since the meter was made. ``sockets`` are the
    relays that the meter itself switches, if it has any.
    """

    power: float | None = None
    power_phase: tuple[float | None, ...] = ()
    voltage_phase: tuple[float | None, ...] = ()
    current_phase: tuple[float | None, ...] = ()
    power_reactive: float | None = None
    power_apparent: float | None = None
    power_factor: float | None = None
    frequency: float | None = None
    energy_import: float | None = None
    energy_export: float | None = None
    sockets: tuple[Socket, ...] = ()
    faults: tuple[Fault, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One measured value; ``key`` names it for programs, ``name`` for people."""

    key: str
    name: str
    value: float | str | bool | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorStats:
    """One reading of a sensor or of a device that holds several."""

    readings: tuple[Reading, ...] = ()
    faults: tuple[Fault, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)


class ContainerStatus(StrEnum):
    """What a container's cooling is doing."""

    RUNNING = "running"
    STOPPED = "stopped"
    FAULT = "fault"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actuator:
    """A pump, fan or valve of a container, and whether it runs."""

    key: str
    name: str
    on: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Socket:
    """One outlet of a power distribution: W and A; ``name`` is what its label says."""

    index: int
    on: bool | None = None
    power: float | None = None
    current: float | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Setpoint:
    """A value that a container is set to, and what it accepts."""

    key: str
    value: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerStats:
    """One reading of a container: its cooling, its sensors and its sockets."""

    status: ContainerStatus = ContainerStatus.UNKNOWN
    power: float | None = None
    cooling_on: bool | None = None
    readings: tuple[Reading, ...] = ()
    actuators: tuple[Actuator, ...] = ()
    sockets: tuple[Socket, ...] = ()
    setpoints: tuple[Setpoint, ...] = ()
    faults: tuple[Fault, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolWorker:
    """One worker as the pool sees it; ``online`` is the pool's own word."""

    name: str
    hashrate: float | None = None
    online: bool | None = None
    last_share: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolStats:
    """One reading of an account at a pool: TH/s and BTC; times in UTC.

    ``earnings_24h`` is what the pool credited, ``estimated_24h`` what it expects.
    """

    hashrate_5m: float | None = None
    hashrate_1h: float | None = None
    hashrate_24h: float | None = None
    workers_active: int | None = None
    workers_total: int | None = None
    balance: float | None = None
    paid_total: float | None = None
    earnings_24h: float | None = None
    estimated_24h: float | None = None
    last_share: datetime | None = None
    workers: tuple[PoolWorker, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)


type Stats = MinerStats | MeterStats | SensorStats | ContainerStats | PoolStats


def to_json(value: object, *, indent: bool = False) -> str:
    """Return the vocabulary as JSON; times are ISO 8601 in UTC."""
    option = orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z
    if indent:
        option |= orjson.OPT_INDENT_2
    return orjson.dumps(value, option=option).decode()

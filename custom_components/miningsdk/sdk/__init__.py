"""Monitor and control Bitcoin mining hardware from asyncio, in a few lines."""

from .device import AnyDevice, Device
from .discovery import ScanProgress, connect, identify, scan
from .errors import (
    AuthenticationFailed,
    CommandFailed,
    DeviceTimeout,
    DeviceUnreachable,
    InvalidReply,
    MiningSDKError,
    NotSupported,
)
from .miner import Miner
from .model import (
    Board,
    Capability,
    DeviceInfo,
    DeviceKind,
    Fan,
    Fault,
    Limits,
    MinerPool,
    MinerSettings,
    MinerStats,
    MinerStatus,
    PoolConfig,
    PoolState,
    Severity,
    to_json,
)
from .registry import register, register_miner

__version__ = "0.1.0"

__all__ = [
    "AnyDevice",
    "AuthenticationFailed",
    "Board",
    "Capability",
    "CommandFailed",
    "Device",
    "DeviceInfo",
    "DeviceKind",
    "DeviceTimeout",
    "DeviceUnreachable",
    "Fan",
    "Fault",
    "InvalidReply",
    "Limits",
    "Miner",
    "MinerPool",
    "MinerSettings",
    "MinerStats",
    "MinerStatus",
    "MiningSDKError",
    "NotSupported",
    "PoolConfig",
    "PoolState",
    "ScanProgress",
    "Severity",
    "__version__",
    "connect",
    "identify",
    "register",
    "register_miner",
    "scan",
    "to_json",
]

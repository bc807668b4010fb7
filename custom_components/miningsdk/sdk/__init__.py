"""Monitor and control Bitcoin mining hardware from asyncio, in a few lines."""

from .device import AnyDevice, Device

# from .discovery import connect, scan
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
    "Severity",
    "connect",
    "register",
    "register_miner",
    "scan",
    "to_json",
]

"""Monitor and control Bitcoin mining hardware from asyncio, in a few lines."""

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

from .accounts import (
    Account,
    FoundAccount,
    factory_accounts_of,
    find_account,
    is_factory,
)
from .device import AnyDevice, Device
from .discovery import ScanProgress, connect, identify, scan
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
    PoolStats,
    PoolWorker,
    Reading,
    SensorStats,
    Setpoint,
    Severity,
    Socket,
    to_json,
)
from .registry import register, register_miner

if TYPE_CHECKING:
    from .container import Container
    from .economics import (
        break_even_tariff,
        cost_per_ths,
        hashprice_btc,
        power_cost_per_day,
        profit_per_day,
        revenue_per_day,
    )
    from .network import Network, NetworkStats
    from .pool_account import PoolAccount
    from .pool_workers import WorkerMatches, match_workers
    from .switched_meter import SwitchedMeter

__version__ = "0.1.0"

# What most programs do not need is imported when it is first asked for.
_LATER: Mapping[str, str] = MappingProxyType(
    {
        "Container": "container",
        "break_even_tariff": "economics",
        "cost_per_ths": "economics",
        "hashprice_btc": "economics",
        "power_cost_per_day": "economics",
        "profit_per_day": "economics",
        "revenue_per_day": "economics",
        "Network": "network",
        "NetworkStats": "network",
        "PoolAccount": "pool_account",
        "WorkerMatches": "pool_workers",
        "match_workers": "pool_workers",
        "SwitchedMeter": "switched_meter",
    }
)

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import what is asked for now."""
        if name not in _LATER:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = getattr(import_module(f".{_LATER[name]}", __name__), name)
        globals()[name] = found
        return found

    def __dir__() -> list[str]:
        """Return all names, those of later too."""
        return sorted({*globals(), *_LATER})


__all__ = [
    "Account",
    "Actuator",
    "AnyDevice",
    "AuthenticationFailed",
    "Board",
    "Capability",
    "CommandFailed",
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
    "FoundAccount",
    "InvalidReply",
    "Limits",
    "LockedOut",
    "Meter",
    "MeterStats",
    "Miner",
    "MinerPool",
    "MinerSettings",
    "MinerStats",
    "MinerStatus",
    "MiningSDKError",
    "Network",
    "NetworkStats",
    "NotSupported",
    "PoolAccount",
    "PoolConfig",
    "PoolState",
    "PoolStats",
    "PoolWorker",
    "Reading",
    "ScanProgress",
    "SensorStats",
    "Setpoint",
    "Severity",
    "Socket",
    "SwitchedMeter",
    "WorkerMatches",
    "__version__",
    "break_even_tariff",
    "connect",
    "cost_per_ths",
    "factory_accounts_of",
    "find_account",
    "hashprice_btc",
    "identify",
    "is_factory",
    "match_workers",
    "power_cost_per_day",
    "profit_per_day",
    "register",
    "register_miner",
    "revenue_per_day",
    "scan",
    "to_json",
]

"""Simulated pools, one for each driver."""

from tests.simulators._pool_base import ACCOUNT, KEY, SimulatedPool, Worker, fleet
from tests.simulators._pools_keyed import (
    SimulatedBraiinsPool,
    SimulatedF2Pool,
    SimulatedFoundry,
    SimulatedLuxor,
    SimulatedViaBTC,
)
from tests.simulators._pools_open import (
    SimulatedCKPool,
    SimulatedNiceHash,
    SimulatedOcean,
    SimulatedPublicPool,
)

# By the name of the driver that reads them.
POOLS: dict[str, type[SimulatedPool]] = {
    "pool-braiins": SimulatedBraiinsPool,
    "pool-ckpool": SimulatedCKPool,
    "pool-f2pool": SimulatedF2Pool,
    "pool-foundry": SimulatedFoundry,
    "pool-luxor": SimulatedLuxor,
    "pool-nicehash": SimulatedNiceHash,
    "pool-ocean": SimulatedOcean,
    "pool-public-pool": SimulatedPublicPool,
    "pool-viabtc": SimulatedViaBTC,
}

__all__ = [
    "ACCOUNT",
    "KEY",
    "POOLS",
    "SimulatedBraiinsPool",
    "SimulatedCKPool",
    "SimulatedF2Pool",
    "SimulatedFoundry",
    "SimulatedLuxor",
    "SimulatedNiceHash",
    "SimulatedOcean",
    "SimulatedPool",
    "SimulatedPublicPool",
    "SimulatedViaBTC",
    "Worker",
    "fleet",
]

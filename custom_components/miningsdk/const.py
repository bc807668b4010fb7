"""Names shared by the modules of the integration."""

from datetime import timedelta
import logging
from typing import Final

from homeassistant.const import Platform

from .sdk import DeviceKind

DOMAIN: Final = "miningsdk"
LOGGER = logging.getLogger(__package__)

PLATFORMS: Final = [
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.NUMBER,
    Platform.SELECT,
    Platform.SENSOR,
    Platform.SWITCH,
]

CONF_ACCOUNTS: Final = "accounts"
CONF_ANOTHER: Final = "another"
CONF_CONTAINER: Final = "container"
CONF_DETAIL: Final = "detail"
CONF_DEVICES: Final = "devices"
CONF_FACTORY: Final = "factory"
CONF_ROOM_ENTITY: Final = "room_entity"
CONF_SITE: Final = "site"
CONF_SOCKET: Final = "socket"
CONF_SOCKETS: Final = "sockets"
CONF_TARGETS: Final = "targets"
CONF_TEMPERATURE_ENTITY: Final = "temperature_entity"
CONF_DRIVER: Final = "driver"
CONF_NETWORK: Final = "network"
CONF_PLUGS: Final = "plugs"
CONF_POOL_FEE: Final = "pool_fee"
CONF_POWER_ENTITY: Final = "power_entity"
CONF_PRICE_ENTITY: Final = "price_entity"
SUBENTRY_RANGE: Final = "range"
SUBENTRY_METER: Final = "meter"
SUBENTRY_SENSOR: Final = "sensor"
SUBENTRY_CONTAINER: Final = "container"
SUBENTRY_POOL: Final = "pool"
# What a person configures by hand, and what kind of device that is.
ATTACHED: Final = {
    SUBENTRY_METER: DeviceKind.METER,
    SUBENTRY_SENSOR: DeviceKind.SENSOR,
    SUBENTRY_CONTAINER: DeviceKind.CONTAINER,
    SUBENTRY_POOL: DeviceKind.POOL,
}

DEFAULT_SITE_NAME: Final = "Home"
DEFAULT_INTERVAL: Final = 30
MINIMUM_INTERVAL: Final = 5
MAXIMUM_INTERVAL: Final = 600

# A device that does not answer is asked again after this, doubling each time.
BACKOFF_FIRST: Final = 10.0
BACKOFF_LAST: Final = 600.0
# Devices asked at once over all sites. Half a hall that keeps silent for 4 s each must
# not keep the other half waiting.
CONNECTION_LIMIT: Final = 256
# How long the start waits for first readings before it goes on without them.
FIRST_READINGS_WITHIN: Final = 3.0
RANGE_SCAN_INTERVAL: Final = timedelta(minutes=30)
# A value inside its dead band is written again after this.
MAXIMUM_STATE_AGE: Final = 300.0

UNIT_HASHRATE: Final = "TH/s"
UNIT_EFFICIENCY: Final = "J/TH"
UNIT_BITCOIN: Final = "BTC"

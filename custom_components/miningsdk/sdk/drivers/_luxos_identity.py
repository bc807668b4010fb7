"""Say who a miner with LuxOS is, and what it can be told."""

from collections.abc import Mapping
from typing import Any

from ..device import describe
from ..fields import Fields, mac_address, serial_number
from ..model import Capability, DeviceInfo, Limits
from ._antminer_models import algorithm
from ._custom_firmware import make_of
from ._luxos_link import section
from ._same_device import forget_another

READS = (
    "version",
    "config",
    "profiles",
    "limits",
    "tempctrl",
    "fans",
    "devs",
    "devdetails",
)
MARK = "luxminer"
_PAGE_MARK = "luxor firmware"
# The lowest duty that the automatic may be given where the firmware tells no limits.
_LEAST_DUTY = 10.0
_LEAST_TARGET = 1.0


def score(version: str, root: str) -> int:
    """Return how surely a host is one, by its version reply and its first page."""
    if MARK in version.lower():
        return 90
    return 80 if _PAGE_MARK in root.lower() else 0


def watts_of_profiles(reply: Mapping[str, Any]) -> dict[str, float]:
    """Return what the profiles are to draw in W, by name; without a number as 0."""
    return {
        name: row.number("Watts") or 0.0
        for row in Fields(reply).children("PROFILES")
        if (name := row.text("Profile Name")) is not None
    }


def identity(old: DeviceInfo, replies: Mapping[str, dict[str, Any]]) -> DeviceInfo:
    """Return who it is now; what is not told stays, unless it is another miner."""
    version = section(replies["version"], "VERSION")
    config = section(replies["config"], "CONFIG")
    serial = serial_number(config.text("SerialNumber"))
    mac = mac_address(config.text("MACAddr"))
    old = forget_another(old, mac=mac, serial_number=serial, hardware=True)
    model = config.text("Model") or (version.text("Type") or "").partition(" (")[0]
    limits = _limits(replies, config)
    return describe(
        old,
        make=make_of(model),
        model=model or None,
        firmware_version=version.text("LUXminer", "Miner"),
        serial_number=serial,
        mac=mac,
        hostname=config.text("Hostname"),
        algorithm=algorithm(model),
        chips=_chips(replies["devdetails"]),
        capabilities=_capabilities(config, limits),
        limits=limits,
    )


def _chips(reply: Mapping[str, Any]) -> int | None:
    rows = Fields(reply).children("DEVDETAILS")
    return sum(row.integer("Chips") or 0 for row in rows) or None


def _limits(
    replies: Mapping[str, dict[str, Any]], config: Fields
) -> dict[Capability, Limits]:
    ranges = section(replies["limits"], "LIMITS")
    watts = watts_of_profiles(replies["profiles"])
    found = {
        Capability.PROFILE: Limits(options=tuple(watts)) if watts else None,
        Capability.POWER_LIMIT: _power(config, ranges, watts),
        Capability.BOARD_ENABLE: _boards(replies["devs"]),
        **_cooling(replies, ranges),
    }
    return {name: limit for name, limit in found.items() if limit is not None}


def _power(config: Fields, ranges: Fields, watts: Mapping[str, float]) -> Limits | None:
    """Return the range of its power target, or else what its profiles span."""
    if config.boolean("IsPowerTargetSupported"):
        low, high = ranges.number("PowerTargetMin"), ranges.number("PowerTargetMax")
        return Limits(minimum=low, maximum=high, step=1) if low and high else None
    steps = [power for power in watts.values() if power]
    return Limits(minimum=min(steps), maximum=max(steps), step=1) if steps else None


def _boards(reply: Mapping[str, Any]) -> Limits | None:
    rows = Fields(reply).children("DEVS")
    found = sorted(
        index for row in rows if (index := row.integer("ASC", "ID")) is not None
    )
    return Limits(options=tuple(map(str, found))) if found else None


def _cooling(
    replies: Mapping[str, dict[str, Any]], ranges: Fields
) -> dict[Capability, Limits | None]:
    """Return what its fans take; hydro and immersion models have none."""
    control = section(replies["tempctrl"], "TEMPCTRL")
    if not list(Fields(replies["fans"]).children("FANS")) or not control.text("Mode"):
        return {}
    target = None
    if control.has("Target") and control.has("Dangerous"):
        target = Limits(
            # It tells a limit of 0 °C, and a target of 0 where it has none.
            minimum=ranges.number("TemperatureMin") or _LEAST_TARGET,
            maximum=control.number("Hot"),
            step=1,
        )
    return {
        Capability.FAN: Limits(
            minimum=ranges.number("FanMinSpeedMin") or _LEAST_DUTY,
            maximum=ranges.number("FanSpeedMax") or 100.0,
            step=1,
            options=("auto",),
        ),
        Capability.TARGET_TEMPERATURE: target,
    }


def _capabilities(
    config: Fields, limits: Mapping[Capability, Limits]
) -> tuple[Capability, ...]:
    offered = {Capability.REBOOT, Capability.RESTART, Capability.POOLS, *limits}
    if config.text("CurtailMode") or config.has("CurtailMode"):
        offered.add(Capability.PAUSE)
    if config.text("RedLed"):
        offered.add(Capability.LOCATE)
    return tuple(name for name in Capability if name in offered)

"""Say who an Antminer with stock firmware is, and what it can be told."""

from collections.abc import Mapping
from dataclasses import dataclass

from ..device import describe
from ..fields import Fields, mac_address
from ..model import Capability, DeviceInfo, Limits
from ._antminer_conf import Config
from ._antminer_models import FAN, algorithm, has_fans, power_modes
from ._antminer_stats import Reading
from ._same_device import forget_another

_REALM = "ANTMINER CONFIGURATION"
_OTHERS = (
    "BOSER",
    "BOSMINER",
    "BRAIINS",
    "LUXMINER",
    "LUXOR",
    "VNISH",
    "ANTHILLOS",
    "HIVEON",
    "KAONSU",
    "MARAFW",
    "RWGLR",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What the web server tells of the firmware.

    ``config`` is ``None`` without a good password, ``form`` empty since the X19,
    ``light`` false where the firmware cannot blink.
    """

    modern: bool | None
    config: Config | None
    form: tuple[str, ...]
    light: bool


def score(version: str, root: str) -> int:
    """Return how surely a host is one, by its version reply and its first page.

    Its web server names its realm, its mining process its type. Firmware of others
    on the same hardware does too, but names itself somewhere.
    """
    version, root = version.upper(), root.upper()
    if any(mark in version or mark in root for mark in _OTHERS):
        return 0
    return 50 if _REALM in root or '"TYPE":"ANTMINER' in version else 0


def identity(
    old: DeviceInfo,
    reading: Reading | None,
    system: Fields,
    serial: str | None,
    web: Findings,
) -> DeviceInfo:
    """Return who it is now; what is not told stays, unless it is another miner."""
    mac = mac_address(system.text("macaddr"))
    old = forget_another(old, mac=mac, serial_number=serial)
    told = reading or Reading(new_api=False)
    info = describe(
        old,
        model=system.text("minertype") or told.model,
        firmware_version=system.text("system_filesystem_version")
        or told.firmware_version,
        serial_number=serial,
        mac=mac,
        hostname=system.text("hostname"),
        chips=told.chips,
    )
    limits = _limits(info, web)
    return describe(
        info,
        algorithm=algorithm(info.model),
        capabilities=_capabilities(limits, web),
        limits=limits,
    )


def _limits(info: DeviceInfo, web: Findings) -> dict[Capability, Limits]:
    """Return the limits of fans and modes, where the miner takes them."""
    limits: dict[Capability, Limits] = {}
    fan = bool(web.modern) and (web.config is None or web.config.takes_fan)
    if (fan or "_ant_fan_customize_switch" in web.form) and has_fans(info.model):
        limits[Capability.FAN] = FAN
    modes = power_modes(info.model, info.firmware_version)
    if web.modern and len(modes) > 1:
        limits[Capability.POWER_MODE] = Limits(options=tuple(modes.values()))
    return limits


def _capabilities(
    limits: Mapping[Capability, Limits], web: Findings
) -> tuple[Capability, ...]:
    """Return what this firmware takes; what only a password shows is assumed."""
    blind = web.config is None
    offered = {Capability.REBOOT, *limits}
    if web.modern and (web.config is None or web.config.mode is not None):
        offered.add(Capability.PAUSE)
    if web.light or (web.modern and blind):
        offered.add(Capability.LOCATE)
    if web.modern or web.form or (web.modern is False and blind):
        offered.add(Capability.POOLS)
    return tuple(name for name in Capability if name in offered)

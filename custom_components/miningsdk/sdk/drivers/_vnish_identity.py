"""Say who a miner with VNish is, and what it can be told."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ..device import describe
from ..fields import Fields, mac_address, serial_number
from ..model import Capability, DeviceInfo, Limits
from ._custom_firmware import make_of
from ._same_device import forget_another
from ._vnish_config import AUTOMATIC, MANUAL, Config

MARK = "anthillos"
_ALGORITHMS = {"sha256d": "sha256", "scrypt": "scrypt"}
_THROTTLE = Limits(minimum=20, maximum=100, step=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What was found: ``config`` is empty without a login that works.

    ``steps`` are the presets that are named after their power, in W.
    """

    info: Fields
    model: Fields
    state: Fields
    config: Config
    presets: tuple[str, ...] = ()
    steps: Mapping[str, float] = field(default_factory=dict)


def presets(reply: object, config: Config) -> Iterator[str]:
    """Yield the names of the presets that the power supply is good for."""
    wrapped = reply if isinstance(reply, Mapping) else {"presets": reply}
    for row in Fields(wrapped).children("presets"):
        name = row.data.get("name")
        needs_more = row.boolean("modded_psu_required") and not config.modified_supply
        if isinstance(name, str) and name and not needs_more:
            yield name


def watts(names: tuple[str, ...]) -> dict[str, float]:
    """Return the power in W of the presets that are named after it."""
    return {name: float(name) for name in names if name.isascii() and name.isdecimal()}


def board_serials(reply: object) -> dict[int, str]:
    """Return the serial numbers of the boards by the number of their chain."""
    rows = Fields(reply).children("chains")
    return {
        number: serial
        for row in rows
        if (number := row.integer("id")) is not None
        and (serial := serial_number(row.text("serial"))) is not None
    }


def chips_per_board(model: Fields) -> int | None:
    """Return how many chips each board has."""
    return model.child("chain").integer("chips_per_chain", missing=(0,))


def identity(old: DeviceInfo, found: Findings) -> DeviceInfo:
    """Return who it is now; what is not told stays, unless it is another miner."""
    info, network = found.info, found.info.child("system").child("network_status")
    serial = serial_number(info.text("serial") or found.model.text("serial"))
    mac = mac_address(network.text("mac"))
    old = forget_another(old, mac=mac, serial_number=serial, hardware=True)
    model = info.text("miner") or found.model.text("full_name")
    chips, boards = chips_per_board(found.model), _boards(found.model)
    limits = _limits(found) if found.config else {}
    return describe(
        old,
        make=make_of(model),
        model=model,
        firmware_version=info.text("fw_version"),
        serial_number=serial,
        mac=mac,
        hostname=network.text("hostname"),
        algorithm=_ALGORITHMS.get(
            info.text("algorithm") or found.model.text("algorithm") or ""
        ),
        chips=chips * boards if chips and boards else None,
        capabilities=_capabilities(found, limits) if found.config else (),
        limits=limits,
    )


def _boards(model: Fields) -> int | None:
    return model.child("chain").integer("num_chains", missing=(0,))


def _limits(found: Findings) -> dict[Capability, Limits]:
    limits = {
        Capability.PROFILE: Limits(options=found.presets) if found.presets else None,
        Capability.POWER_LIMIT: _power(found),
        Capability.THROTTLE: _THROTTLE if found.state.has("throttled") else None,
        Capability.BOARD_ENABLE: _board_options(found),
        **_cooling(found),
    }
    return {name: limit for name, limit in limits.items() if limit is not None}


def _power(found: Findings) -> Limits | None:
    """Return the range of the limit in W, or else what its presets span."""
    lowest = min(found.steps.values(), default=None)
    highest = max(found.steps.values(), default=None)
    if found.config.has_power_limit:
        overclock = found.model.child("overclock")
        highest = overclock.number("max_power_limit", missing=(0,)) or highest
    if highest is None:
        return None
    return Limits(minimum=lowest, maximum=highest, step=1)


def _board_options(found: Findings) -> Limits | None:
    boards = _boards(found.model)
    if boards is None or not found.config.takes_boards:
        return None
    return Limits(options=tuple(map(str, range(boards))))


def _cooling(found: Findings) -> dict[Capability, Limits | None]:
    """Return what its fans take; immersed ones have none."""
    if found.config.cooling_mode.text("name") not in (AUTOMATIC, MANUAL):
        return {}
    ranges = found.model.child("cooling")
    return {
        Capability.FAN: Limits(
            minimum=ranges.number("min_fan_pwm"),
            maximum=100,
            step=1,
            options=("auto",),
        ),
        Capability.TARGET_TEMPERATURE: Limits(
            minimum=ranges.number("min_target_temp"),
            maximum=ranges.number("max_target_temp"),
            step=1,
        ),
    }


def _capabilities(
    found: Findings, limits: Mapping[Capability, Limits]
) -> tuple[Capability, ...]:
    offered = {
        Capability.PAUSE,
        Capability.REBOOT,
        Capability.RESTART,
        Capability.POOLS,
        *limits,
    }
    if found.state.boolean("find_miner") is not None:
        offered.add(Capability.LOCATE)
    return tuple(name for name in Capability if name in offered)

"""What Braiins OS is set to and what it can be set to.

Its configuration holds the passwords of the pools, so those are left out of what is
kept.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..fields import Fields
from ..model import Capability, Limits, MinerSettings, PoolConfig

_POWER_TARGET = 1  # The number of that tuner mode.
_AUTO, _MANUAL = "auto", "manual"
# In the order of the firmware's numbers, which begin with 1.
_MODES = (_AUTO, _MANUAL, "disabled", "immersion", "hydro")
_SHARED = (
    "target_temperature",
    "hot_temperature",
    "dangerous_temperature",
    "minimum_required_fans",
    "pause_mode",
)
_FIELDS = {
    _AUTO: (*_SHARED, "min_fan_speed", "max_fan_speed"),
    _MANUAL: (*_SHARED, "fan_speed_ratio"),
}
_GROUP = "Default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cooling:
    """How the miner cools: its mode, and the fields of that mode as it tells them."""

    mode: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def takes_fan(self) -> bool:
        """Tell whether there are fans that can be set at all."""
        return self.mode in _FIELDS

    def settings(self) -> MinerSettings:
        """Return fan and target temperature as they are set."""
        fields = Fields(self.fields)
        return MinerSettings(
            fan=fields.number("fan_speed_ratio", scale=100, digits=0)
            if self.mode == _MANUAL
            else None,
            fan_automatic=self.mode == _AUTO if self.takes_fan else None,
            target_temperature=fields.child("target_temperature").number("degree_c"),
        )

    def with_target(self, celsius: float) -> dict[str, Any]:
        """Return what to write for another target temperature in the same mode."""
        target = {"target_temperature": {"degree_c": celsius}}
        return self._body(self.mode or _AUTO, target)

    def with_fan(self, duty: float | None) -> dict[str, Any]:
        """Return what to write for a fixed duty in %, or for the automatic."""
        if duty is None:
            return self._body(_AUTO, {})
        return self._body(_MANUAL, {"fan_speed_ratio": round(duty / 100, 4)})

    def _body(self, mode: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Return a mode with all that it shares with the present one.

        What is not written, the firmware resets to its default when the mode changes.
        """
        kept = {
            name: value
            for name in _FIELDS[mode]
            if (value := self.fields.get(name)) is not None
        }
        return {mode: {**kept, **changes}}


def read_cooling(reply: object) -> Cooling | None:
    """Return how it cools, from the configuration or from the answer to a command."""
    told = Fields(reply)
    told = told.child("mode") or told
    for mode in _MODES:
        if told.has(mode):
            return Cooling(mode=mode, fields=told.child(mode).data)
    return None


def default_cooling(constraints: Fields) -> Cooling:
    """Return how the miner cools as long as nobody sets it otherwise."""
    limits = constraints.child("cooling_constraints")
    number = limits.integer("default_cooling_mode")
    known = number is not None and 0 < number <= len(_MODES)
    return Cooling(mode=_MODES[number - 1] if number and known else None)


def without_pools(reply: object) -> dict[str, Any]:
    """Return a configuration without its pools, which hold passwords."""
    told = Fields(reply).data
    return {name: value for name, value in told.items() if name != "pool_groups"}


def works_by_power(configuration: Fields) -> bool:
    """Tell whether the tuner works by a power target, as far as is told."""
    tuner = configuration.child("tuner")
    if tuner.boolean("enabled") is False:
        return False
    return tuner.integer("tuner_mode") in (None, _POWER_TARGET)


def configured_power(configuration: Fields) -> float | None:
    """Return the power target in W, while the tuner works by one."""
    if not works_by_power(configuration):
        return None
    target = configuration.child("tuner").child("power_target")
    return target.number("watt", field="power_limit", missing=(0,))


def power_mode_body(watts: float) -> dict[str, Any]:
    """Return what to write to have the tuner work by a power target."""
    target = {"powertarget": {"power_target": {"watt": round(watts)}}}
    return {"tunermode": {"target": target}}


def board_index(name: str | None, place: int) -> int:
    """Return the index of a board by its id, which is its number counted from 1."""
    number = int(name) if name and name.isdecimal() else 0
    return number - 1 if number > 0 else place


def board_ids(constraints: Fields) -> dict[int, str]:
    """Return the ids of the boards that can be switched, by their index."""
    ids = constraints.child("hashboards_constraints").data.get("hashboard_ids")
    if not isinstance(ids, list):
        return {}
    names = [str(name) for name in ids if isinstance(name, str | int)]
    return {board_index(name, place): name for place, name in enumerate(names)}


def limits(constraints: Fields, cooling: Cooling) -> dict[Capability, Limits]:
    """Return what the miner accepts, of what it tells a range."""
    found: dict[Capability, Limits | None] = {
        Capability.POWER_LIMIT: _range(
            constraints.child("tuner_constraints").child("power_target"), "watt"
        )
    }
    told = constraints.child("cooling_constraints")
    if cooling.takes_fan:
        found[Capability.TARGET_TEMPERATURE] = _range(
            told.child("target_temperature"), "degree_c"
        )
        found[Capability.FAN] = _fan_range(told.child("fan_speed_ratio"))
    if ids := board_ids(constraints):
        found[Capability.BOARD_ENABLE] = Limits(
            options=tuple(str(index) for index in sorted(ids))
        )
    return {name: limit for name, limit in found.items() if limit is not None}


def _range(told: Fields, unit: str) -> Limits | None:
    low = told.child("min").number(unit)
    high = told.child("max").number(unit)
    if low is None or high is None or low >= high:
        return None
    return Limits(minimum=low, maximum=high, step=1)


def _fan_range(told: Fields) -> Limits | None:
    low = told.number("min", scale=100, digits=0)
    high = told.number("max", scale=100, digits=0)
    if low is None or high is None or low >= high:
        return None
    return Limits(minimum=low, maximum=high, step=1, options=(_AUTO,))


def pools_body(groups: object, pools: Sequence[PoolConfig]) -> list[dict[str, Any]]:
    """Return what to write to replace all pools, keeping the first group's ways."""
    first = Fields({"groups": groups}).child("groups")
    group: dict[str, Any] = {
        "name": first.text("name") or _GROUP,
        "pools": [
            {
                "url": pool.url,
                "user": pool.user,
                "password": pool.password,
                "enabled": True,
            }
            for pool in pools
        ],
    }
    if strategy := first.child("strategy"):
        group["load_balance_strategy"] = dict(strategy.data)
    return [group]


def secrets(pools: Iterable[PoolConfig]) -> tuple[str, ...]:
    """Return what must not be repeated from a refusal of these pools."""
    return tuple(pool.password for pool in pools)

"""What VNish is set to, and the settings that bring about a change.

Sources: the OpenAPI document of 1.3.4, settings recorded from an S21 Pro with 1.2.7,
and protocols.md 9. Objects go back whole, with nothing changed but what is meant.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import CommandFailed, NotSupported
from ..fields import Fields
from ..model import MinerPool, PoolConfig

type Settings = dict[str, Any]

AUTOMATIC = "auto"
MANUAL = "manual"
# The settings always hold three pools, of which some may be empty.
_SLOTS = 3
# What the fans aim for as the firmware comes, where nothing tells another value.
_TARGET = 65


class Config:
    """The settings of one miner as they were read; passwords are among them."""

    __slots__ = ("_miner",)

    def __init__(self, reply: object) -> None:
        """Wrap the reply to a read of the settings."""
        self._miner = Fields(reply).child("miner")

    def __bool__(self) -> bool:
        """Tell whether there are any settings of the miner."""
        return bool(self._miner)

    @property
    def preset(self) -> str | None:
        """Return the name of the preset; "disabled" is a word of the firmware."""
        name = self._miner.child("overclock").data.get("preset")
        return str(name) if isinstance(name, str | int) and name != "" else None

    @property
    def modified_supply(self) -> bool:
        """Tell whether the power supply gives more than the one it came with."""
        return self._miner.child("overclock").boolean("modded_psu") is True

    @property
    def has_power_limit(self) -> bool:
        """Tell whether the firmware takes a limit in W besides its presets."""
        return self._miner.child("misc").has("power_limit_enabled")

    @property
    def power_limit(self) -> float | None:
        """Return the limit in W while it is in force."""
        misc = self._miner.child("misc")
        if not misc.boolean("power_limit_enabled"):
            return None
        return misc.number("power_limit", field="power_limit", missing=(0,))

    @property
    def cooling_mode(self) -> Fields:
        """Return name and parameter of the mode of the fans."""
        return self._miner.child("cooling").child("mode")

    @property
    def takes_boards(self) -> bool:
        """Tell whether its boards can be disabled one by one."""
        chains = list(self._miner.child("overclock").children("chains"))
        return bool(chains) and all(chain.has("disabled") for chain in chains)

    def has_disabled(self, index: int) -> bool | None:
        """Tell whether a board is set to be off."""
        chains = list(self._miner.child("overclock").children("chains"))
        return chains[index].boolean("disabled") if 0 <= index < len(chains) else None

    @property
    def pools(self) -> tuple[MinerPool, ...]:
        """Return the pools as they are set, for as long as none of them is mined."""
        return tuple(
            MinerPool(index=place, url=pool.text("url"), user=pool.text("user"))
            for place, pool in enumerate(self._miner.children("pools"))
            if pool.text("url")
        )

    # What brings about a change.

    def with_preset(self, name: str) -> Settings:
        """Return what sets the preset of this name."""
        return _miner("overclock", {**self._part("overclock"), "preset": name})

    def with_power_limit(self, watts: float) -> Settings:
        """Return what sets the limit in W, and puts it in force."""
        changes = {"power_limit": round(watts), "power_limit_enabled": True}
        return _miner("misc", {**self._part("misc"), **changes})

    def with_board(self, index: int, *, on: bool) -> Settings:
        """Return what lets a board hash or keeps it from it.

        Raises:
            NotSupported: the settings have no such board.
        """
        overclock = self._part("overclock")
        chains = overclock.get("chains")
        if not isinstance(chains, list) or not 0 <= index < len(chains):
            raise NotSupported(f"the settings of the miner have no board {index}")
        changed = [
            {**chain, "disabled": not on} if place == index else chain
            for place, chain in enumerate(chains)
        ]
        return _miner("overclock", {**overclock, "chains": changed})

    def with_fan(self, duty: float | None) -> Settings:
        """Return what sets the fans to a duty in %, or to the automatic."""
        if duty is not None:
            return self._with_mode(MANUAL, round(duty))
        mode = self.cooling_mode
        target = mode.integer("param") if mode.text("name") == AUTOMATIC else None
        return self._with_mode(AUTOMATIC, _TARGET if target is None else target)

    def with_target(self, celsius: float) -> Settings:
        """Return what sets the temperature in °C that the fans aim for.

        Raises:
            CommandFailed: the fans do not run by temperature now.
        """
        if self.cooling_mode.text("name") != AUTOMATIC:
            raise CommandFailed("the fans are not automatic; make them so first")
        return self._with_mode(AUTOMATIC, round(celsius))

    def _with_mode(self, name: str, param: int) -> Settings:
        mode = {"name": name, "param": param}
        return _miner("cooling", {**self._part("cooling"), "mode": mode})

    def _part(self, name: str) -> dict[str, Any]:
        part = self._miner.data.get(name)
        if not isinstance(part, Mapping):
            raise NotSupported(f"the miner has no settings of {name}")
        return dict(part)


def pools_settings(pools: Sequence[PoolConfig]) -> Settings:
    """Return what sets the pools; empty slots make up for those that are missing."""
    slots = [
        {"url": pool.url, "user": pool.user, "pass": pool.password} for pool in pools
    ]
    empty = {"url": "", "user": "", "pass": ""}
    return _miner("pools", slots + [empty] * (_SLOTS - len(slots)))


def _miner(part: str, value: object) -> Settings:
    return {"miner": {part: value}}

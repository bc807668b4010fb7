"""The settings of MARA's firmware: one object, read and written back whole.

Source: replies that users posted, and how other programs change them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..fields import Fields
from ..model import Capability, Limits, MinerSettings, PoolConfig

SLEEP = "Sleep"
STOCK = "Stock"
_AUTO = "Auto"
_SELECTOR = "work-mode-selector"
_TUNER = "concorde"
_BY_POWER = "PowerTarget"
_OVERRIDE, _DUTY = "override-fan-control", "fan-fixed-percent"
_AIR = "AirCooling"
_UNCHANGED_PASSWORD = "x"
# The words that the firmware has, by ours.
MODES = {"auto": _AUTO, "fixed": "Fixed", "stock": STOCK}
# The firmware knows what each miner can do, and says so when it is too much.
_POWER = Limits(minimum=300, maximum=10_000, step=10)
_FAN = Limits(minimum=10, maximum=100, step=1, options=("auto",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What the miner is set to; ``raw`` holds the pools' passwords."""

    raw: Mapping[str, Any] = field(repr=False)
    selector: str | None = None
    power_limit: float | None = None
    settings: MinerSettings

    @property
    def asleep(self) -> bool:
        """Tell whether it was put to sleep."""
        return self.selector == SLEEP

    @property
    def power_mode(self) -> str | None:
        """Return the mode, unless it is the sleep."""
        known = {word: name for name, word in MODES.items()}
        return known.get(self.selector or "")


def read_config(reply: Mapping[str, Any]) -> Config:
    """Read the reply to ``miner_config``."""
    mode = Fields(reply).child("mode")
    tuner = mode.child(_TUNER)
    advanced = Fields(reply).child("advance-config")
    manual = advanced.boolean(_OVERRIDE)
    selector = mode.text(_SELECTOR)
    limited = selector == _AUTO and tuner.text("mode-select") == _BY_POWER
    return Config(
        raw=reply,
        selector=selector,
        power_limit=tuner.number("power-target") if limited else None,
        settings=MinerSettings(
            fan=advanced.number(_DUTY) if manual else None,
            fan_automatic=None if manual is None else not manual,
        ),
    )


def offered(config: Config) -> dict[Capability, Limits | None]:
    """Return what the settings let be changed, with its limits if it has any."""
    found: dict[Capability, Limits | None] = {}
    fields = Fields(config.raw)
    if config.selector is not None:
        found[Capability.PAUSE] = None
        found[Capability.POWER_MODE] = Limits(options=tuple(MODES))
        if fields.child("mode").child(_TUNER):
            found[Capability.POWER_LIMIT] = _POWER
    profile = fields.child("general-config").text("environment-profile")
    if config.settings.fan_automatic is not None and profile == _AIR:
        found[Capability.FAN] = _FAN
    if isinstance(config.raw.get("pools"), list):
        found[Capability.POOLS] = None
    return found


def with_selector(config: Config, selector: str) -> dict[str, Any]:
    """Return the whole settings with another mode."""
    return _with(config, "mode", {_SELECTOR: selector})


def with_power(config: Config, watts: float) -> dict[str, Any]:
    """Return the whole settings with a power target in W, which the tuner keeps."""
    tuner = dict(Fields(config.raw).child("mode").child(_TUNER).data)
    target = {"mode-select": _BY_POWER, "power-target": round(watts)}
    return _with(config, "mode", {_SELECTOR: _AUTO, _TUNER: tuner | target})


def with_fan(config: Config, duty: float | None) -> dict[str, Any]:
    """Return the whole settings with a fixed duty in %, or the automatic."""
    change: dict[str, Any] = {_OVERRIDE: duty is not None}
    if duty is not None:
        change[_DUTY] = round(duty)
    return _with(config, "advance-config", change)


def with_pools(config: Config, pools: Sequence[PoolConfig]) -> dict[str, Any]:
    """Return the whole settings with other pools, all in one group.

    A pool that stays keeps the password that it has.
    """
    fields = Fields(config.raw)
    known = {
        (pool.text("url"), pool.text("user")): pool.data.get("pass")
        for pool in fields.children("pools")
    }
    group = dict(fields.child("pool-group").data) or {"gid": 0, "alias": ""}
    rows = []
    for pool in pools:
        password = pool.password
        if password == _UNCHANGED_PASSWORD:
            password = known.get((pool.url, pool.user)) or password
        row = {"url": pool.url, "user": pool.user, "pass": password}
        rows.append(row | {"gid": group.get("gid", 0)})
    groups = [group | {"percent": 100}]
    return {**config.raw, "pool-group": groups, "pools": rows}


def before_sleep(history: object) -> str | None:
    """Return the mode that a miner had before it was put to sleep, if it tells.

    ``history`` is a list of changes, the newest last, each a list below some key.
    """
    for entry in reversed(history if isinstance(history, list) else []):
        changes = entry.values() if isinstance(entry, dict) else ()
        for change in (row for rows in changes for row in _rows(rows)):
            if change.get("path") == ["Mode", "WorkModeSelector"]:
                if change.get("to") != SLEEP:
                    return None
                found = change.get("from")
                return found if found in MODES.values() else None
    return None


def _rows(value: object) -> list[dict[str, Any]]:
    rows = value if isinstance(value, list) else []
    return [row for row in rows if isinstance(row, dict)]


def _with(config: Config, key: str, change: dict[str, Any]) -> dict[str, Any]:
    present = config.raw.get(key)
    kept = present if isinstance(present, dict) else {}
    return {**config.raw, key: {**kept, **change}}

"""The settings of stock Antminer firmware: read, changed and written back whole.

Source: get_miner_conf.cgi, set_miner_conf.cgi, miner.js (X19 and later) and
minerConfiguration.cgi (up to X17) in Bitmain's firmware images.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
import re
from typing import Any
from urllib.parse import quote_plus

import orjson

from ..errors import NotSupported
from ..fields import Fields
from ..model import MinerPool, MinerSettings, PoolConfig

SLEEP = 1
_SLOTS = 3
_UNCHANGED_PASSWORD = "x"
_FAN = "bitmain-fan-ctrl"
_DUTY = "bitmain-fan-pwm"
_MODE = "bitmain-work-mode"
# The browser sends these along; one that is left out of some firmware's request
# disappears from its configuration.
_KEPT = ("bitmain-hashrate-percent", "bitmain-user-ip-cat")
# The scripts cut the request at white space, and read(1) eats backslashes.
_UNSAFE_IN_JSON = re.compile(r'[\s"\\\x00-\x1f]')
# What the scripts up to X17 can decode again.
_SAFE_IN_FORM = re.compile(r"[A-Za-z0-9\-_.!~*'()#$&,+:;<=>?@\[\]^{|}/]*")
_FORM = re.compile(r"data\s*:\s*\{([^{}]*_ant_pool1url[^{}]*)\}")
_FORM_KEY = re.compile(r"(_ant_\w+)\s*:")
_FORM_SWITCHES = {
    "_ant_nobeeper": "bitmain-nobeeper",
    "_ant_notempoverctrl": "bitmain-notempoverctrl",
    "_ant_economic_mode": "bitmain-economic-mode",
    "_ant_force_tuning": "bitmain-force-tuning",
}
_FORM_VALUES = {
    "_ant_freq": ("bitmain-freq",),
    "_ant_voltage": ("bitmain-voltage",),
    "_ant_work_mode": (_MODE,),
    "_ant_multi_level": ("bitmain-low-vol", "bitmain-ex-hashrate"),
    "_ant_asic_boost": ("bitmain-close-asic-boost",),
    "_ant_low_vol_freq": ("bitmain-close-low-vol-freq",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What the miner is set to; ``raw`` is the reply, with the pools' passwords."""

    raw: Mapping[str, Any] = field(repr=False)
    pools: tuple[PoolConfig, ...]
    mode: int | None = None
    settings: MinerSettings

    @property
    def looks_modern(self) -> bool:
        """Tell whether it may be an X19 or later, which always has both keys."""
        return _MODE in self.raw and _FAN in self.raw

    @property
    def takes_fan(self) -> bool:
        """Tell whether the duty of the fans is among the settings."""
        return _DUTY in self.raw

    @property
    def appends_address(self) -> bool:
        """Tell whether the miner adds its address to the pools' user names."""
        return str(self.raw.get("bitmain-user-ip-cat")).lower() in ("1", "true")

    def unmined_pools(self) -> tuple[MinerPool, ...]:
        """Return the pools as far as they are known without the mining process."""
        return tuple(
            MinerPool(index=index, url=pool.url, user=pool.user or None)
            for index, pool in enumerate(self.pools)
            if pool.url
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is to be written; ``None`` leaves it as it is.

    ``fan`` is a duty in %, or ``"auto"``.
    """

    mode: int | None = None
    fan: float | str | None = None
    pools: Sequence[PoolConfig] | None = None


def read_config(reply: Mapping[str, Any]) -> Config:
    """Read the reply of get_miner_conf.cgi, which is the miner's own file."""
    fields = Fields(reply)
    manual = fields.boolean(_FAN)
    duty = fields.number(_DUTY)
    return Config(
        raw=reply,
        pools=tuple(
            PoolConfig(
                url=pool.text("url") or "",
                user=pool.text("user") or "",
                password=str(pool.data.get("pass") or ""),
            )
            for pool in fields.children("pools")
        ),
        mode=fields.integer(_MODE),
        settings=MinerSettings(
            fan=duty if manual else None,
            fan_automatic=None if manual is None else not manual,
        ),
    )


def json_body(config: Config, change: Change) -> bytes:
    """Return the request that the web page of X19 and later would send.

    The mode is written as ``miner-mode`` and read as ``bitmain-work-mode``; the
    page of the S21+ writes the second name. Both are sent. Pools that could not be
    sent back unharmed are left out, which leaves them as they are.

    Raises:
        NotSupported: a pool holds characters that the firmware would mangle.
    """
    raw = config.raw
    body: dict[str, object] = {
        key: value for key in _KEPT if (value := raw.get(key)) is not None
    }
    manual, duty = _fan(config, change)
    pools = _pools(config, change)
    kept = change.pools is None
    if not any(map(_is_unsafe, pools)) and not (kept and not config.pools):
        body["pools"] = [
            {"url": pool.url, "user": pool.user, "pass": pool.password}
            for pool in pools
        ]
    elif not kept:
        raise NotSupported(
            "this firmware cannot store a pool with spaces, quotes or backslashes"
        )
    body[_FAN] = manual
    body[_DUTY] = _like(raw.get(_DUTY), duty)
    mode = config.mode if change.mode is None else change.mode
    if mode is not None:
        body["miner-mode"] = mode
        body[_MODE] = _like(raw.get(_MODE), mode)
    if (level := raw.get("bitmain-freq-level")) is not None:
        body["freq-level"] = level
        body["bitmain-freq-level"] = level
    return orjson.dumps(body)


def form_order(page: str) -> tuple[str, ...]:
    """Return the fields of the settings form up to X17 in the page's own order.

    The scripts go by position, not by name, and the order differs by firmware.
    """
    found = _FORM.search(page)
    return tuple(_FORM_KEY.findall(found[1])) if found else ()


def form_body(config: Config, change: Change, order: Sequence[str]) -> bytes:
    """Return the request that the settings form up to X17 would send.

    Raises:
        NotSupported: the form has a field whose present value is not known, or a
            pool holds characters that the firmware cannot decode.
    """
    if change.pools is None and not config.pools:
        raise NotSupported("the miner does not tell its present pools")
    pools = _pools(config, change)
    manual, duty = _fan(config, change)
    values = {
        "_ant_fan_customize_switch": str(manual).lower(),
        "_ant_fan_customize_value": duty,
    }
    for number, pool in enumerate(pools, 1):
        values[f"_ant_pool{number}url"] = pool.url
        values[f"_ant_pool{number}user"] = pool.user
        values[f"_ant_pool{number}pw"] = pool.password
    pairs = []
    for key in order:
        value = values[key] if key in values else _form_value(config.raw, key)
        if not _SAFE_IN_FORM.fullmatch(value):
            raise NotSupported("this firmware cannot store some of these characters")
        pairs.append(f"{key}={quote_plus(value, safe="!~*'()")}")
    return "&".join(pairs).encode()


def _form_value(raw: Mapping[str, Any], key: str) -> str:
    if (switch := _FORM_SWITCHES.get(key)) is not None:
        # The scripts write a switch only while it is on.
        return "true" if str(raw.get(switch)).lower() == "true" else "false"
    for name in _FORM_VALUES.get(key, ()):
        if (value := raw.get(name)) is not None:
            return str(value)
    raise NotSupported(f"the miner does not tell its present {key.lstrip('_')}")


def _fan(config: Config, change: Change) -> tuple[bool, str]:
    duty = str(config.raw.get(_DUTY) or "")
    if change.fan is None:
        return config.settings.fan_automatic is False, duty or "100"
    if isinstance(change.fan, str):
        return False, duty or "100"
    return True, f"{change.fan:.0f}"


def _pools(config: Config, change: Change) -> list[PoolConfig]:
    """Return three pools; one that stays keeps the password that it has."""
    empty = PoolConfig(url="", user="", password="")
    if change.pools is None:
        pools = list(config.pools)
    else:
        known = {(pool.url, pool.user): pool for pool in config.pools}
        pools = [
            known.get((pool.url, pool.user), pool)
            if pool.password == _UNCHANGED_PASSWORD
            else pool
            for pool in change.pools
        ]
    return [*pools, empty, empty, empty][:_SLOTS]


def _is_unsafe(pool: PoolConfig) -> bool:
    return bool(_UNSAFE_IN_JSON.search(pool.url + pool.user + pool.password))


def _like(present: object, value: int | str) -> int | str:
    """Return a value as number or text, whichever the firmware stores."""
    if isinstance(present, int):
        return int(value)
    return str(value)

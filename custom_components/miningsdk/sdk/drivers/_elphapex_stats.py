"""Read what the CGI programs of Elphapex firmware print, and change its settings.

They print what Bitmain's print since the X19, in MH/s of scrypt; the chips' sensors
are text in thousandths of a degree. Source: replies that users posted, and how other
programs read and write them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from ..fields import Fields, number, serial_number
from ..model import MinerPool, MinerSettings, PoolConfig
from ._antminer_stats import Reading, read_stats

_MODE = "fc-work-mode"
_FAN, _DUTY = "fc-fan-ctrl", "fc-fan-pwm"
# Other programs write the first and have seen the second.
SLEEP = 1
ASLEEP = (SLEEP, -1000)
_MODE_NAMES = {0: "normal", 2: "high", 3: "low"}
_SLOTS = 3
_UNCHANGED_PASSWORD = "x"


def read_elphapex(reply: Mapping[str, Any], failed: dict[str, str]) -> Reading:
    """Read ``stats.cgi``; slots without a board are left out.

    Of the chips it tells how many there are, not how many there should be. What it
    calls frequency and hardware errors has no unit that could be told, and is left.

    Raises:
        InvalidReply: it is no such reply.
    """
    rows = reply.get("STATS")
    if isinstance(rows, list):
        rows = [_row(row) if isinstance(row, Mapping) else row for row in rows]
    reading = read_stats({**reply, "STATS": rows}, failed)
    info = Fields(reply).child("INFO")
    boards = tuple(replace(board, chips_expected=None) for board in reading.boards)
    return replace(
        reading,
        firmware_version=info.text("miner_version") or reading.firmware_version,
        boards=boards,
        hardware_errors=None,
    )


def read_serial(reply: Mapping[str, Any]) -> str | None:
    """Return the serial number that each of its replies holds."""
    return serial_number(Fields(reply).child("INFO").text("dev_sn"))


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    chains = row.get("chain")
    found = chains if isinstance(chains, list) else []
    known = {"rate_ideal": row.get("total_rateideal")} | dict(row)
    return known | {
        "chain": [
            _chain(chain)
            for chain in found
            if isinstance(chain, Mapping) and (chain.get("asic_num") or chain.get("sn"))
        ]
    }


def _chain(chain: Mapping[str, Any]) -> dict[str, Any]:
    """Return a board in the words and units that Bitmain's firmware has."""
    sensors = chain.get("temp_chip")
    celsius = [_thousandth(v) for v in sensors] if isinstance(sensors, list) else None
    # Its marks do not stand for a chip each.
    left = {"asic", "freq_avg", "hw"}
    kept = {key: value for key, value in chain.items() if key not in left}
    return kept | {"temp_chip": celsius}


def _thousandth(value: object) -> object:
    try:
        found = number(value)
    except ValueError:
        return value
    return None if found is None else found / 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What the miner is set to; ``raw`` is the reply, with the pools' passwords."""

    raw: Mapping[str, Any] = field(repr=False)
    pools: tuple[PoolConfig, ...]
    mode: int | None = None
    settings: MinerSettings

    @property
    def asleep(self) -> bool | None:
        """Tell whether it was put to sleep."""
        return None if self.mode is None else self.mode in ASLEEP

    @property
    def power_mode(self) -> str | None:
        """Return the mode as other programs name it."""
        return None if self.mode is None else _MODE_NAMES.get(self.mode)

    @property
    def takes_fan(self) -> bool:
        """Tell whether the fans are among the settings."""
        return self.settings.fan_automatic is not None and _DUTY in self.raw

    def unmined_pools(self) -> tuple[MinerPool, ...]:
        """Return the pools as far as they are known without the mining process."""
        return tuple(
            MinerPool(index=index, url=pool.url, user=pool.user or None)
            for index, pool in enumerate(self.pools)
            if pool.url
        )


def read_config(reply: Mapping[str, Any]) -> Config:
    """Read the reply of get_miner_conf.cgi."""
    fields = Fields(reply)
    manual = fields.boolean(_FAN)
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
            fan=fields.number(_DUTY) if manual else None,
            fan_automatic=None if manual is None else not manual,
            throttle=fields.number("fc-freq-level"),
        ),
    )


def with_mode(config: Config, mode: int) -> bytes:
    """Return the whole settings with another mode.

    It is read under one name; other programs write it under two.
    """
    shown = config.raw.get(_MODE)
    written: int | str = str(mode) if isinstance(shown, str) else mode
    return orjson.dumps({**config.raw, _MODE: written, "miner-mode": written})


def with_fan(config: Config, duty: float | None) -> bytes:
    """Return the whole settings with another duty in %, or the automatic."""
    changes: dict[str, object] = {_FAN: duty is not None}
    if duty is not None:
        shown = config.raw.get(_DUTY)
        changes[_DUTY] = round(duty) if isinstance(shown, int) else f"{duty:.0f}"
    return orjson.dumps({**config.raw, **changes})


def with_pools(config: Config, pools: Sequence[PoolConfig]) -> bytes:
    """Return the whole settings with other pools; one that stays keeps its password."""
    known = {(pool.url, pool.user): pool.password for pool in config.pools}
    rows = [
        {
            "url": pool.url,
            "user": pool.user,
            "pass": known.get((pool.url, pool.user), pool.password)
            if pool.password == _UNCHANGED_PASSWORD
            else pool.password,
        }
        for pool in pools
    ]
    rows += [{"url": "", "user": "", "pass": ""}] * (_SLOTS - len(rows))
    return orjson.dumps({**config.raw, "pools": rows})

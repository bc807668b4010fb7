"""Read what the mining process of a Sealminer tells of itself.

It numbers the keys of boards and fans from zero: ``0 Chip Count``, ``1 Speed``. Rates
are MH/s, powers W. Source: replies that users posted, and how other programs read
them.
"""

from collections.abc import Iterator

from ..fields import Fields, boolean, serial_number
from ..model import Board, Capability, Fan, Fault, Limits, MinerStatus
from ._antminer_status import START

_MH = 1e-6
_HOTTEST = 200.0
_FULL_PWM = 255
_SENSORS = 4
_MOST_PARTS = 16
# In J/TH: no Sealminer takes less, none more. In W: when its rating is not told.
_LEAST, _MOST = 5.0, 25.0
_STEP = 100
_ANY_LIMIT = Limits(minimum=500, maximum=15_000, step=10)
# What the words of its power management begin with; only "Running" was ever seen.
_WORDS = (
    ("susp", MinerStatus.PAUSED),
    ("sleep", MinerStatus.PAUSED),
    ("stop", MinerStatus.PAUSED),
    ("pause", MinerStatus.PAUSED),
    ("init", MinerStatus.STARTING),
    ("start", MinerStatus.STARTING),
    ("boot", MinerStatus.STARTING),
    ("tun", MinerStatus.TUNING),
    ("err", MinerStatus.FAULT),
    ("fault", MinerStatus.FAULT),
    ("fail", MinerStatus.FAULT),
    ("run", MinerStatus.MINING),
)


def status_of(
    word: str | None,
    hashrate: float | None,
    uptime: int | None,
    *,
    suspended: bool,
    alive: bool | None,
) -> MinerStatus:
    """Return what it is doing; mining only while it hashes.

    ``suspended`` is that we told it to stop and it has not hashed since, ``alive``
    whether any pool answers it. The firmware may not tell sleep otherwise.
    """
    known = _known(word)
    if known in (MinerStatus.FAULT, MinerStatus.PAUSED):
        return known or MinerStatus.UNKNOWN
    if hashrate:
        return MinerStatus.TUNING if known is MinerStatus.TUNING else MinerStatus.MINING
    if suspended and hashrate is not None:
        return MinerStatus.PAUSED
    if known in (MinerStatus.TUNING, MinerStatus.STARTING):
        return known or MinerStatus.UNKNOWN
    if known is None or hashrate is None:
        return MinerStatus.UNKNOWN
    return _without_hash(uptime, alive)


def _without_hash(uptime: int | None, alive: bool | None) -> MinerStatus:  # noqa: FBT001
    """Tell why it does not hash though it runs; it may as well be suspended."""
    if alive is False:
        return MinerStatus.IDLE
    starts = uptime is not None and uptime < START
    return MinerStatus.STARTING if starts else MinerStatus.UNKNOWN


def _known(word: str | None) -> MinerStatus | None:
    bare = (word or "").lower()
    return next((known for key, known in _WORDS if bare.startswith(key)), None)


def read_boards(row: Fields) -> tuple[Board, ...]:
    """Return the boards, each with the hottest of its chips."""
    return tuple(_board(row, index) for index in range(_count(row, "Board Count")))


def _board(row: Fields, index: int) -> Board:
    count = row.integer(f"{index} Chip Count", field="boards")
    bad = row.integer(f"{index} Bad Chip Count", field="boards") or 0
    return Board(
        index=index,
        # Its average goes on after it was stopped.
        hashrate=_rate(row, f"{index} MHS(1m)", f"{index} MHS(Sample)"),
        hashrate_expected=_rate(row, f"{index} MHS(Ideal)") or None,
        temperature_chip=_hottest(row, index),
        chips=None if count is None else max(count - bad, 0),
        chips_expected=count or None,
        frequency=row.number(f"{index} Freq", field="boards", missing=(0.0,)),
        serial_number=serial_number(row.text(f"{index} SN")),
    )


def _rate(row: Fields, *keys: str) -> float | None:
    value = row.number(*keys, field="boards", scale=_MH)
    return None if value is None or value < 0 else round(value, 4)


def _hottest(row: Fields, index: int) -> float | None:
    found = (
        row.number(f"{index} Temp {sensor}", field="temperature", digits=1)
        for sensor in range(_SENSORS)
    )
    likely = (value for value in found if value is not None and 0 < value < _HOTTEST)
    return max(likely, default=None)


def read_fans(row: Fields) -> Iterator[Fan]:
    """Return the fans: rpm, and their duty, which it tells as 0 to 255."""
    for index in range(_count(row, "Fan Count")):
        duty = row.number(f"{index} PWM", field="fans", scale=100 / _FULL_PWM, digits=1)
        yield Fan(
            index=index,
            speed=row.number(f"{index} Speed", field="fans"),
            duty=duty if duty is not None and 0 <= duty <= 100 else None,
        )


def read_faults(row: Fields) -> Iterator[Fault]:
    """Return the boards that are lost.

    Its error code is left: it also stands at a number while all is well.
    """
    for index in range(_count(row, "Board Count")):
        try:
            online = boolean(row.data.get(f"{index} Online"))
        except ValueError:
            continue
        if online is False:
            yield Fault(
                code=f"board_{index}_offline",
                message=f"hashboard {index} is not online",
                component="hashboard",
            )


def _count(row: Fields, key: str) -> int:
    count = row.integer(key, field=key.split(maxsplit=1)[0].lower() + "s") or 0
    return min(max(count, 0), _MOST_PARTS)


def power_limits(row: Fields) -> Limits:
    """Return between what the power limit may be, by the rating of the miner."""
    rated = row.number("MHS(Rated)", "MHS(Ideal)", scale=_MH)
    if not rated or rated < 1:
        return _ANY_LIMIT
    return Limits(
        minimum=round(rated * _LEAST / _STEP) * _STEP,
        maximum=round(rated * _MOST / _STEP) * _STEP,
        step=10,
    )


def offered(
    *, web: bool, light: bool = False, limit: bool = False
) -> tuple[Capability, ...]:
    """Return what it takes: it is stopped without a password, all else needs one."""
    found = {
        Capability.PAUSE: True,
        Capability.REBOOT: web,
        Capability.LOCATE: web and light,
        Capability.POWER_LIMIT: web and limit,
        Capability.POOLS: web,
    }
    return tuple(name for name, there in found.items() if there)

"""Read what a miner with VNish does from the summary that its API gives.

Sources: the OpenAPI document of 1.3.4, and a summary recorded from an S21 Pro (1.2.7).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from ..algorithms import rounded
from ..fields import Fields
from ..model import (
    Board,
    Fan,
    Fault,
    MinerPool,
    MinerSettings,
    MinerStats,
    MinerStatus,
    PoolState,
    Severity,
)
from ._vnish_config import AUTOMATIC, MANUAL, Config

_SCALES = {"GH/s": 1e-3, "MH/s": 1e-6}
_OWN_POOL = "UserPool"
_STATES = {
    "auto-tuning": MinerStatus.TUNING,
    "initializing": MinerStatus.STARTING,
    "starting": MinerStatus.STARTING,
    "restarting": MinerStatus.STARTING,
    "shutting-down": MinerStatus.IDLE,
    "stopped": MinerStatus.PAUSED,
    "paused": MinerStatus.PAUSED,
    "failure": MinerStatus.FAULT,
}
_POOL_STATES = {
    "active": PoolState.ACTIVE,
    "working": PoolState.ALIVE,
    "offline": PoolState.DEAD,
    "rejecting": PoolState.DEAD,
    "disabled": PoolState.DISABLED,
}
_BROKEN = frozenset({"failure", "disconnected"})
# A miner that says it mines shows a rate this many seconds later.
_START = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What changes seldom: the unit of rates, the make of the boards, the settings."""

    measure: str | None = None
    chips: int | None = None
    serials: Mapping[int, str] = field(default_factory=dict)
    config: Config | None = None
    preset: str | None = None
    steps: Mapping[str, float] = field(default_factory=dict)

    @property
    def scale(self) -> float | None:
        """Return what makes a rate TH/s, or ``None`` where its unit is not known."""
        return _SCALES.get(self.measure or "GH/s")

    def with_config(self, config: Config) -> Known:
        """Return the same with settings that were read again."""
        return replace(self, config=config)


def is_stopped(state: str | None) -> bool:
    """Tell whether it was stopped or paused."""
    return _STATES.get(state or "") is MinerStatus.PAUSED


def read_stats(
    miner: Fields,
    state: Fields,
    known: Known,
    locating: bool | None,  # noqa: FBT001
    failed: dict[str, str],
) -> MinerStats:
    """Return the stats that follow from the summary and the state of the miner."""
    if known.scale is None:
        failed["hashrate"] = f"rates in {known.measure!r} are not known"
    config = known.config or Config(None)
    stopped = is_stopped(state.text("miner_state"))
    chains = list(miner.children("chains"))
    boards = (_board(chain, known, stopped=stopped) for chain in chains)
    found = tuple(_pools(miner))
    alive = any(p.status in (PoolState.ACTIVE, PoolState.ALIVE) for p in found)
    rate = _rate(miner, "hr_realtime", known, "hashrate")
    cooling = miner.child("cooling")
    return MinerStats(
        status=_status(state, rate, alive=alive or not found, failed=failed),
        hashrate=rate,
        hashrate_average=_rate(miner, "hr_average", known, "hashrate_average"),
        hashrate_expected=_rate(miner, "hr_nominal", known, "hashrate_expected")
        or None,
        power=_power(miner, rate),
        power_limit=_power_limit(config, known),
        temperature_board=_hottest(miner, "pcb_temp"),
        temperature_chip=_hottest(miner, "chip_temp"),
        temperature_inlet=_water(chains, "inlet_water_temp"),
        temperature_outlet=_water(chains, "outlet_water_temp"),
        fans=tuple(_fans(cooling)),
        boards=tuple(
            sorted((b for b in boards if b is not None), key=lambda board: board.index)
        ),
        # A miner that is stopped mines none; what is set may have changed since.
        pools=(config.pools if stopped else ()) or found or config.pools,
        hardware_errors=miner.integer("hw_errors", field="hardware_errors"),
        best_difficulty=miner.number("best_share", field="best_difficulty"),
        locating=locating,
        settings=_settings(cooling, state, config, known),
        faults=tuple(_faults(state, chains, cooling)),
        failed=failed,
    )


def _status(
    state: Fields, rate: float | None, *, alive: bool, failed: dict[str, str]
) -> MinerStatus:
    """Return what it does, by its own word; mining only with a rate to show."""
    word = state.text("miner_state")
    if word != "mining":
        status = _STATES.get(word or "", MinerStatus.UNKNOWN)
        if status is MinerStatus.UNKNOWN:
            failed["status"] = f"miner_state {word!r} is not known"
        return status
    if rate:
        return MinerStatus.MINING
    if not alive:
        return MinerStatus.IDLE
    since = state.number("miner_state_time", field="status") or 0.0
    if since < _START:
        return MinerStatus.STARTING
    return MinerStatus.UNKNOWN if rate is None else MinerStatus.FAULT


def _rate(row: Fields, key: str, known: Known, field: str) -> float | None:
    if known.scale is None:
        return None
    value = row.number(key, field=field, scale=known.scale)
    return None if value is None or value < 0 else rounded(value)


def _power(miner: Fields, rate: float | None) -> float | None:
    watts = miner.number("power_consumption", field="power")
    if watts is None or watts < 0:
        return None
    return watts if watts or not rate else None


def _power_limit(config: Config, known: Known) -> float | None:
    """Return the limit in W, which older firmware sets by the name of its preset."""
    if config.has_power_limit:
        return config.power_limit
    return known.steps.get(config.preset or known.preset or "")


def _hottest(row: Fields, key: str) -> float | None:
    """Return the highest of some sensors; a miner that is off shows 0."""
    value = row.child(key).number("max", field="temperature", missing=(0,))
    return value if value is not None and -50 < value < 150 else None


def _water(chains: list[Fields], key: str) -> float | None:
    found = [chain.number(key, field="temperature", missing=(0,)) for chain in chains]
    return max(
        (value for value in found if value is not None and -50 < value < 150),
        default=None,
    )


def _board(chain: Fields, known: Known, *, stopped: bool) -> Board | None:
    number = chain.integer("id", field="boards")
    if number is None:
        return None
    return Board(
        index=number - 1,
        hashrate=_rate(chain, "hashrate_rt", known, "boards"),
        hashrate_expected=_rate(chain, "hashrate_ideal", known, "boards") or None,
        temperature_board=_hottest(chain, "pcb_temp"),
        temperature_chip=_hottest(chain, "chip_temp"),
        chips=_chips(chain.child("chip_statuses")),
        chips_expected=known.chips,
        frequency=chain.number("frequency", field="boards", missing=(0,)),
        voltage=chain.number("voltage", field="boards", scale=1e-3, missing=(0,)),
        serial_number=known.serials.get(number),
        enabled=_is_enabled(chain, number - 1, known, stopped=stopped),
    )


def _is_enabled(
    chain: Fields, index: int, known: Known, *, stopped: bool
) -> bool | None:
    state = chain.child("status").text("state")
    if stopped and known.config is not None:
        disabled = known.config.has_disabled(index)
        return None if disabled is None else not disabled
    return None if state is None else state != "disabled"


def _chips(statuses: Fields) -> int | None:
    """Return how many chips answer, whatever grade they have."""
    found = [statuses.integer(key, field="boards") for key in ("red", "orange", "grey")]
    return sum(count for count in found if count) or None


def _fans(cooling: Fields) -> Iterator[Fan]:
    duty = cooling.number("fan_duty", field="fans")
    for place, row in enumerate(cooling.children("fans")):
        index = row.integer("id", field="fans")
        yield Fan(
            index=place if index is None else index,
            speed=row.number("rpm", field="fans", missing=(-1,)),
            duty=duty,
        )


def _pools(miner: Fields) -> Iterator[MinerPool]:
    """Yield the pools of the user; the fee of the firmware goes to others."""
    for place, row in enumerate(miner.children("pools")):
        if not row.text("url") or (row.text("pool_type") or _OWN_POOL) != _OWN_POOL:
            continue
        index = row.integer("id", field="pools")
        yield MinerPool(
            index=place if index is None else index,
            url=row.text("url"),
            user=row.text("user"),
            status=_POOL_STATES.get((row.text("status") or "").lower()),
            accepted=row.integer("accepted", field="pools"),
            rejected=row.integer("rejected", field="pools"),
            stale=row.integer("stale", field="pools"),
        )


def _settings(
    cooling: Fields, state: Fields, config: Config, known: Known
) -> MinerSettings:
    """Return what is set; of the fans the summary tells, or else the settings."""
    mode = cooling.child("settings").child("mode")
    if not mode.has("param"):
        mode = config.cooling_mode or mode
    name = mode.text("name")
    param = mode.number("param", field="settings")
    return MinerSettings(
        fan=param if name == MANUAL else None,
        fan_automatic={AUTOMATIC: True, MANUAL: False}.get(name or ""),
        target_temperature=param if name == AUTOMATIC else None,
        throttle=state.number("throttled", field="throttle"),
        profile=config.preset or known.preset,
    )


def _faults(state: Fields, chains: list[Fields], cooling: Fields) -> Iterator[Fault]:
    if state.text("miner_state") == "failure":
        yield Fault(
            code=state.text("failure_code") or "failure",
            message=state.text("description") or "The miner does not say why it failed",
            severity=Severity.CRITICAL,
        )
    for chain in chains:
        status = chain.child("status")
        word, number = status.text("state"), chain.integer("id", field="boards")
        if word in _BROKEN and number is not None:
            yield Fault(
                code=f"board_{word}",
                message=status.text("description")
                or f"The miner calls its board {number - 1} {word}",
                component=f"board {number - 1}",
                severity=Severity.CRITICAL,
            )
    for place, fan in enumerate(cooling.children("fans")):
        if fan.text("status") == "lost":
            yield Fault(
                code="fan_lost",
                message=f"The miner has lost its fan {place}",
                component=f"fan {place}",
                severity=Severity.CRITICAL,
            )

"""Tell from what is known what a miner with Braiins OS is doing."""

from dataclasses import dataclass
from time import monotonic

from ..fields import Fields, text
from ..model import Fault, MinerPool, MinerStatus, Severity
from .cgminer import any_alive

# The order of the public API, whose REST form tells the numbers.
_STATUS = ("", "not_started", "normal", "paused", "suspended", "restricted")
_TUNER = ("", "disabled", "stable", "tuning", "error", "continuous", "preheat")
# From resume or restart to the first hash it may cool down, preheat and ramp up.
START = 900.0
# For so long after a command the averages may still tell of the time before it.
_LINGERS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What a miner shows of its state; ``told`` and ``tuner`` are its own words.

    ``uptime`` is that of the mining process in s, ``pools`` is ``None`` when unknown.
    """

    told: str = ""
    tuner: str = ""
    hashing: bool = False
    uptime: float | None = None
    pools: tuple[MinerPool, ...] | None = None


class Judge:
    """Tells what one miner does; remembers when it was last asleep."""

    def __init__(self) -> None:
        """Begin with a miner that was never seen asleep."""
        self._woken_at: float | None = None

    def expect_start(self) -> None:
        """Note that it was told to start, or that it sleeps now and may start next."""
        self._woken_at = monotonic()

    def status(self, signs: Signs) -> MinerStatus:
        """Return what it is doing; mining only while it hashes and says no other."""
        if signs.told == "paused":
            self.expect_start()
            return MinerStatus.PAUSED
        if signs.told == "suspended":
            return MinerStatus.FAULT
        if signs.hashing and signs.told != "not_started":
            if self._woken_for(_LINGERS):
                self._woken_at = None
            tuning = signs.tuner == "tuning"
            return MinerStatus.TUNING if tuning else MinerStatus.MINING
        return self._without_hash(signs)

    def _without_hash(self, signs: Signs) -> MinerStatus:
        if signs.pools and not any_alive(signs.pools):
            return MinerStatus.IDLE
        if self._starts(signs):
            return MinerStatus.STARTING
        if signs.told == "restricted":
            return MinerStatus.FAULT
        return MinerStatus.IDLE if signs.told else MinerStatus.UNKNOWN

    def _starts(self, signs: Signs) -> bool:
        if signs.tuner == "preheat":
            return True
        if signs.uptime is not None and signs.uptime < START:
            return True
        return self._woken_at is not None and not self._woken_for(START)

    def _woken_for(self, seconds: float) -> bool:
        return self._woken_at is not None and monotonic() - self._woken_at >= seconds


def told_status(details: Fields) -> str:
    """Return the status that the firmware tells, empty when it tells none."""
    return _word(details, "status", "miner_status_", _STATUS)


def told_tuner(tuner: Fields) -> str:
    """Return the state of the tuner that the firmware tells, empty without any."""
    return _word(tuner, "overall_tuner_state", "tuner_state_", _TUNER)


def _word(fields: Fields, key: str, prefix: str, names: tuple[str, ...]) -> str:
    """Return the name of a number, or a name as newer firmware may write it."""
    value = fields.data.get(key)
    if isinstance(value, str) and not value.isdecimal():
        word = (text(value) or "").lower().removeprefix(prefix)
        return word if word in names else ""
    number = fields.integer(key, field="status")
    return names[number] if number is not None and 0 <= number < len(names) else ""


def faults_of_state(told: str, tuner: str) -> tuple[Fault, ...]:
    """Return as faults what the firmware tells only by its state."""
    found = []
    if told == "suspended":
        found.append(
            Fault(
                code="suspended",
                message="The firmware has suspended mining",
                severity=Severity.CRITICAL,
            )
        )
    if told == "restricted":
        found.append(
            Fault(
                code="restricted",
                message="The firmware restricts mining; its licence may tell why",
            )
        )
    if tuner == "error":
        found.append(
            Fault(code="tuner_error", message="The tuner has failed", component="tuner")
        )
    return tuple(found)

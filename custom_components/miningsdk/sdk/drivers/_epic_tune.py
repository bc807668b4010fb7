"""What an ePIC miner may be tuned to: a power, or one of its firmware's hashrates.

Source: ``/perpetualtune`` and ``/capabilities`` in the OpenAPI document of API 1.30.0;
``/mode`` with presets in APIv3, for firmware that has them (protocols.md 10).
"""

from dataclasses import dataclass, field

from ..errors import NotSupported
from ..fields import Fields
from ..model import Limits

TERA = "TH/s"
# Firmware calls its search for a power by either of these.
POWER = frozenset({"Power", "PowerTune"})
_TUNE = "/perpetualtune/algo"
_PRESET = "/mode"

type Write = tuple[str, dict[str, object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What the miner tunes itself to, in TH/s or W, and how far it may fall short."""

    algorithm: str
    value: float | None = None
    unit: str | None = None
    minimum: int | None = None
    step: int | None = None


def target_of(summary: Fields) -> Target | None:
    """Return what the miner tunes itself to now."""
    algorithms = summary.child("PerpetualTune").child("Algorithm")
    for name in algorithms.data:
        told = algorithms.child(name)
        return Target(
            algorithm=name,
            value=told.number("Target", field="settings"),
            unit=told.text("Unit"),
            minimum=told.integer("Min Throttle Target"),
            step=told.integer("Throttle Step"),
        )
    return None


def profile_of(terahashes: float | None) -> str | None:
    """Return the name of a hashrate to tune to."""
    return None if terahashes is None else f"{terahashes:g} {TERA}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """What the capabilities offer.

    ``algorithms`` with the range of their targets; ``rates`` are the hashrates of the
    firmware's own presets; ``presets`` are those by which old firmware sets a power.
    """

    algorithms: dict[str, tuple[float, float]] = field(default_factory=dict)
    rates: tuple[int, ...] = ()
    presets: dict[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def watts(self) -> Limits | None:
        """Return the range of powers, if it can be told one."""
        ranges = [*self.presets.values()] or [
            limits for name, limits in self.algorithms.items() if name in POWER
        ]
        if not ranges:
            return None
        low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
        return Limits(minimum=low, maximum=high, step=1)

    def profiles(self, summary: Fields) -> tuple[str, ...]:
        """Return the hashrates that it can be told, lowest first."""
        low, high = self.algorithms.get(self._for_rates(summary), (1.0, 0.0))
        return tuple(f"{rate} {TERA}" for rate in self.rates if low <= rate <= high)

    def _for_rates(self, summary: Fields) -> str:
        """Return the algorithm in use, or the first one that has a hashrate, if any."""
        now = target_of(summary)
        names = [name for name in self.algorithms if name not in POWER]
        if now is not None and now.algorithm in names:
            return now.algorithm
        return names[0] if names else ""

    def to_power(self, summary: Fields, watts: float) -> Write:
        """Return what to write for a power in W.

        Raises:
            NotSupported: no preset of the firmware reaches it.
        """
        for preset, (low, high) in self.presets.items():
            if low <= watts <= high:
                return _PRESET, {"preset": preset, "power_target": round(watts)}
        algorithm = next((name for name in self.algorithms if name in POWER), None)
        if algorithm is None:
            raise NotSupported(f"no preset of the device is for {watts:g} W")
        return _TUNE, _body(summary, algorithm, round(watts))

    def to_profile(self, summary: Fields, profile: str) -> Write:
        """Return what to write for one of the ``profiles``."""
        rate = int(profile.partition(" ")[0])
        return _TUNE, _body(summary, self._for_rates(summary), rate)


def _body(summary: Fields, algorithm: str, value: int) -> dict[str, object]:
    """Return a target; how far it may fall short stays as it is, if it still fits."""
    body: dict[str, object] = {"algo": algorithm, "target": value}
    now = target_of(summary)
    if now is None or (now.algorithm in POWER) != (algorithm in POWER):
        return body
    if now.minimum is not None and now.minimum <= value:
        body["min_throttle"] = now.minimum
        if now.step is not None:
            body["throttle_step"] = now.step
    return body


def tuning(capabilities: Fields) -> Tuning:
    """Return what the capabilities offer."""
    algorithms = {}
    for option in capabilities.children("PerpetualTune"):
        name = option.text("algorithm")
        low, high = option.number("min"), option.number("max")
        if name and low is not None and high is not None and low < high:
            algorithms[name] = (low, high)
    rates = {
        round(rate)
        for preset in capabilities.children("Tune Presets")
        if (rate := preset.number("hashrate"))
    }
    return Tuning(
        algorithms=algorithms,
        rates=tuple(sorted(rates)),
        presets=_presets(capabilities.child("PresetsPowerLevels")),
    )


def _presets(levels: Fields) -> dict[str, tuple[float, float]]:
    presets = {}
    for name, listed in levels.data.items():
        powers = [
            watts
            for value in (listed if isinstance(listed, list) else [listed])
            if (watts := Fields({"W": value}).number("W"))
        ]
        if powers:
            presets[name] = (min(powers), max(powers))
    return presets

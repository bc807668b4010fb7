"""What differs between Antminer models, as far as the firmware does not tell."""

import re

from .. import models
from ..model import Limits

_NUMBER = re.compile(r"[ST](\d+)\D*")
_FIRST_MODERN = 19
_RELEASE = re.compile(r"\((\d{2})(\d{2})\d{2}-")
_COMPILED = re.compile(r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) +\d+ .*\b(20\d{2})")
_MONTHS = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun",
    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip

NORMAL = "normal"
# How peers and the settings page name the modes; 1 is sleep, not a power mode.
MODE_NAMES = {0: NORMAL, 2: "high", 3: "low"}
# From this release on, the settings page tells which model takes which mode.
_MODES_SINCE = (2024, 5)
_ONE_MODE = ("HYD", "IMM", "S21 PRO", "S21 XP", "S21+", "S21E", "S19 XP+", "S19 PRO++")
_HIGH_MODE = ("S19K PRO", "T21", "6870")
_LOW_MODE = ("S19", "T19", "S21")
_WITHOUT_FANS = ("HYD", "IMM")
# The models whose status server is known to tell the power.
_TELL_POWER = ("S19 XP HYD", "S21", "S21 PRO")

FAN = Limits(minimum=10, maximum=100, step=1, options=("auto",))


def bare(model: str | None) -> str:
    """Return a model as it can be compared: upper case, without the brand."""
    return (model or "").upper().removeprefix("ANTMINER").strip().rstrip(".")


def is_modern(model: str | None) -> bool | None:
    """Tell whether it is of the X19 generation or later, by its name alone."""
    found = _NUMBER.fullmatch(bare(model).split(" ")[0])
    return int(found[1]) >= _FIRST_MODERN if found else None


def algorithm(model: str | None) -> str | None:
    """Return what a model mines, by the table of models or the letters of its name."""
    return models.algorithm("Bitmain", model)


def has_fans(model: str | None) -> bool:
    """Tell whether a model is cooled by fans."""
    name = bare(model)
    return not any(word in name for word in _WITHOUT_FANS)


def tells_power(model: str | None) -> bool:
    """Tell whether the model's status server knows the power."""
    return bare(model).replace("HYDRO", "HYD") in _TELL_POWER


def power_modes(model: str | None, firmware_version: str | None) -> dict[int, str]:
    """Return the modes other than sleep that a firmware takes, by their number.

    Source: miner.js in Bitmain's images of 2024-05 to 2025-10, which lists Normal
    and Sleep for all, Low Power (3) for air-cooled S19, T19 and S21, and High Energy
    Mode (2) for S19k Pro and T21.
    """
    name = bare(model)
    built = _built(firmware_version or "")
    if built is None or built < _MODES_SINCE or any(word in name for word in _ONE_MODE):
        return {0: NORMAL}
    if any(word in name for word in _HIGH_MODE):
        return {mode: MODE_NAMES[mode] for mode in (0, 2)}
    if name.startswith(_LOW_MODE):
        return {mode: MODE_NAMES[mode] for mode in (0, 3)}
    return {0: NORMAL}


def _built(version: str) -> tuple[int, int] | None:
    """Return year and month of ``FR-1.12(251009-S21)`` or of a compile time."""
    if found := _RELEASE.search(version):
        return 2000 + int(found[1]), int(found[2])
    if (found := _COMPILED.search(version)) and found[1] in _MONTHS:
        return int(found[2]), _MONTHS.index(found[1]) + 1
    return None

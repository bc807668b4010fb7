"""Which Avalon families there are, and what each of them can be told to do.

Sources: the open firmware of the Nano 3S, the A10 manual, captures of an Avalon Q and
of an A1346. Frequency, voltage and the factory options stay out: they can do damage.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
import re

from ..fields import Fields
from ..model import Capability, Limits

_A_SERIES = re.compile(r"1[0-9][0-9x]{2}|1[0-9](?=-)")
_SPACES = re.compile(r"[\s_-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """What the miners of one family have in common.

    ``modes`` are the work modes by number. ``industrial`` miners take a new mode or
    wake up by a reboot only, and have a light to find them. ``account`` is that of
    their web page. ``documented`` is what those take that do not list it themselves.
    """

    modes: Mapping[int, str] = field(default_factory=dict)
    industrial: bool = False
    account: str = "admin"
    documented: frozenset[str] = frozenset()


UNKNOWN = Family()
NANO_3 = Family()
NANO_3S = Family(modes={0: "low", 1: "mid", 2: "high"})
MINI_3 = Family(modes={0: "heating", 1: "mining", 2: "night"})
Q = Family(modes={0: "eco", 1: "standard", 2: "super"})
A_SERIES = Family(
    modes={0: "normal", 1: "high"},
    industrial=True,
    account="root",
    documented=frozenset({"led", "reboot", "workmode"}),
)
A1346 = Family(
    modes=A_SERIES.modes,
    industrial=True,
    account="root",
    documented=A_SERIES.documented | {"fan-spd", "setpool", "softoff"},
)


def family_of(product: str | None, model: str | None) -> Family:
    """Return the family for PROD and MODEL of the version reply."""
    name = _SPACES.sub("", f"{product or ''} {model or ''}").lower()
    if "nano3s" in name:
        return NANO_3S
    if "nano" in name:
        return NANO_3
    if "mini3" in name:
        return MINI_3
    if (model or "").lower() == "q" or name.startswith("avalonq"):
        return Q
    if "avalonminer" in name and (match := _A_SERIES.match(_number(product, model))):
        return A1346 if match[0] == "1346" else A_SERIES
    return UNKNOWN


def model_name(product: str | None, model: str | None) -> str | None:
    """Return the name on the box: ``Avalon Q``, ``Avalon A1346``."""
    family = family_of(product, model)
    for known, name in (
        (NANO_3S, "Avalon Nano 3S"),
        (NANO_3, "Avalon Nano 3"),
        (MINI_3, "Avalon Mini 3"),
        (Q, "Avalon Q"),
    ):
        if family is known:
            return name
    if family.industrial:
        number = _number(product, model)
        series, _, variant = number.partition("-")
        return f"Avalon A{number if variant and len(series) == 2 else series}"
    return product or model


def _number(product: str | None, model: str | None) -> str:
    return model or (product or "").rpartition(" ")[2]


def offered(
    family: Family, options: frozenset[str], blob: Fields, *, pools: bool
) -> dict[Capability, Limits]:
    """Return what the miner takes, out of the ascset ``options`` that it lists.

    Only what can be seen in ``blob`` afterwards is offered, so that it can be
    confirmed. ``pools`` tells whether the pools can be written.
    """
    found: dict[Capability, Limits] = {}
    sleeps = {"softoff"} if family.industrial else {"softoff", "softon"}
    if options >= sleeps and blob.has("SYSTEMSTATU"):
        found[Capability.PAUSE] = Limits()
    if "reboot" in options:
        found[Capability.REBOOT] = Limits()
    if family.industrial and "led" in options and blob.has("Led"):
        found[Capability.LOCATE] = Limits()
    if family.modes and "workmode" in options and blob.has("WORKMODE"):
        names = tuple(family.modes.values())
        found[Capability.POWER_MODE] = Limits(options=names)
    if "fan-spd" in options and blob.has("FanR"):
        found[Capability.FAN] = Limits(
            minimum=15, maximum=100, step=1, options=("auto",)
        )
    if "target-temp" in options and blob.has("TarT"):
        found[Capability.TARGET_TEMPERATURE] = Limits(minimum=50, maximum=90, step=1)
    if pools:
        found[Capability.POOLS] = Limits()
    return found

"""How much of each miner a site shows, so that no entity is ever dropped silently."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final


class Detail(IntEnum):
    """Levels of detail; an entity exists at its own level and above."""

    FLEET = 0
    COMPACT = 1
    STANDARD = 2
    FULL = 3

    @property
    def key(self) -> str:
        """Return the name as options and texts have it."""
        return self.name.lower()


class Reason(StrEnum):
    """Why a site has the level of detail that it has."""

    CHOSEN = "chosen"
    NUMBER_OF_MINERS = "number_of_miners"
    NUMBER_OF_ENTITIES = "number_of_entities"


AUTOMATIC: Final = "automatic"
OPTIONS: Final = [AUTOMATIC, *(level.key for level in reversed(Detail))]

_LARGEST_SITE: Final = {Detail.FULL: 50, Detail.STANDARD: 500, Detail.COMPACT: 2000}


@dataclass(frozen=True, slots=True)
class Level:
    """The level of detail of a site, and why it is that.

    ``wanted`` is what the option means; the level is lower only where that would be
    more entities than Home Assistant allows a site.
    """

    detail: Detail
    wanted: Detail
    reason: Reason


def choose(option: str, miners: int) -> Detail:
    """Return the level that an option means for a site of this many miners."""
    if option != AUTOMATIC:
        return Detail[option.upper()]
    for level, largest in _LARGEST_SITE.items():
        if miners <= largest:
            return level
    return Detail.FLEET


def decide(option: str, miners: int, fits: Callable[[Detail], bool]) -> Level:
    """Return the level of a site: what the option means, or the next that fits."""
    wanted = choose(option, miners)
    for detail in sorted(Detail, reverse=True):
        if detail <= wanted and (detail is Detail.FLEET or fits(detail)):
            break
    if detail < wanted:
        reason = Reason.NUMBER_OF_ENTITIES
    elif option == AUTOMATIC:
        reason = Reason.NUMBER_OF_MINERS
    else:
        reason = Reason.CHOSEN
    return Level(detail, wanted, reason)

"""How much of each miner a site shows, so that no entity is ever dropped silently."""

from enum import IntEnum
from typing import Final


class Detail(IntEnum):
    """Levels of detail; an entity exists at its own level and above."""

    FLEET = 0
    COMPACT = 1
    STANDARD = 2
    FULL = 3


AUTOMATIC: Final = "automatic"
OPTIONS: Final = [AUTOMATIC, *(level.name.lower() for level in reversed(Detail))]

_LARGEST_SITE: Final = {Detail.FULL: 50, Detail.STANDARD: 500, Detail.COMPACT: 2000}


def choose(option: str, miners: int) -> Detail:
    """Return the level that an option means for a site of this many miners."""
    if option != AUTOMATIC:
        return Detail[option.upper()]
    for level, largest in _LARGEST_SITE.items():
        if miners <= largest:
            return level
    return Detail.FLEET

"""Where a miner stands: container, rack, row and slot, by hand or by a rule."""

from collections.abc import Mapping
from dataclasses import dataclass
import re
from typing import TYPE_CHECKING, Any, Final, Self

from .const import LOGGER

if TYPE_CHECKING:
    from .inventory import Record

PARTS: Final = ("container", "rack", "row", "slot")
CONF_RULE: Final = "position_rule"
CONF_AREA_NAME: Final = "area_name"
EXAMPLE_RULE: Final = "10.{container}.{rack}.{slot}"
DEFAULT_AREA_NAME: Final = "Container {container} Rack {rack}"
ANY: Final = "*"

_GAP = re.compile(r"\{(\w*)\}")
_HIGHEST = 255


class InvalidRuleError(ValueError):
    """A rule or a name that cannot be used; ``key`` is that of its text."""

    def __init__(self, key: str, **told: str) -> None:
        """Say what is wrong by the key of a text, and what fills its gaps."""
        super().__init__(key)
        self.key = key
        self.told = told


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A place; what is not known of it is ``None``. All parts are text, as painted."""

    container: str | None = None
    rack: str | None = None
    row: str | None = None
    slot: str | None = None

    def __bool__(self) -> bool:
        """Tell whether anything of it is known."""
        return any(getattr(self, part) for part in PARTS)

    @property
    def is_exact(self) -> bool:
        """Tell whether only one miner fits there."""
        return self.slot is not None

    @classmethod
    def of(cls, parts: Mapping[str, Any]) -> Self:
        """Return the place that these parts tell; an empty one is not known."""
        return cls(**{part: parts.get(part) or None for part in PARTS})

    def as_dict(self) -> dict[str, str]:
        """Return the parts that are known."""
        return {part: text for part in PARTS if (text := getattr(self, part))}


NOWHERE: Final = Position()


@dataclass(frozen=True, slots=True)
class Rule:
    """Tells the position from an IPv4 address, octet by octet."""

    octets: tuple[str, ...]

    @classmethod
    def parse(cls, template: str) -> Self:
        """Return the rule that a template means, such as ``10.{container}.{rack}.*``.

        An octet is a number, ``*`` for any, or one of the parts in braces.

        Raises:
            InvalidRuleError: it is none.
        """
        octets = tuple(octet.strip() for octet in template.strip().split("."))
        if len(octets) != 4:
            raise InvalidRuleError("rule_not_four", octets=str(len(octets)))
        names = [name for octet in octets if (name := _name_in(octet))]
        if not names:
            raise InvalidRuleError("rule_without_part")
        for name in names:
            if names.count(name) > 1:
                raise InvalidRuleError("rule_part_twice", part=name)
        return cls(octets)

    def position(self, host: str) -> Position:
        """Return the place of an address; nowhere where the rule does not fit."""
        numbers = host.split(".")
        if len(numbers) != 4 or not all(n.isdecimal() for n in numbers):
            return NOWHERE
        parts: dict[str, str] = {}
        for octet, number in zip(self.octets, numbers, strict=True):
            if octet.startswith("{"):
                parts[octet[1:-1]] = str(int(number))
            elif octet != ANY and int(octet) != int(number):
                return NOWHERE
        return Position.of(parts)


def _name_in(octet: str) -> str | None:
    """Return the part that an octet stands for, if it stands for one."""
    if found := _GAP.fullmatch(octet):
        if found[1] not in PARTS:
            raise InvalidRuleError("rule_unknown_part", part=found[1])
        return found[1]
    number = octet.isascii() and octet.isdecimal() and int(octet) <= _HIGHEST
    if octet != ANY and not number:
        raise InvalidRuleError("rule_bad_octet", octet=octet)
    return None


def check_area_name(template: str) -> None:
    """Check how areas are to be named; without any name there are none.

    Raises:
        InvalidRuleError: there is no part in it, or one that no position has.
    """
    names = _GAP.findall(template)
    for name in names:
        if name not in PARTS:
            raise InvalidRuleError("area_unknown_part", part=name)
    if template and (not names or set("{}") & set(_GAP.sub("", template))):
        raise InvalidRuleError("area_without_part")


def area_name(template: str, position: Position) -> str | None:
    """Return the name of the area of a position, if it says enough for one.

    The words before a part that is not known are left out along with it.
    """
    name, end, known = "", 0, position.as_dict()
    for gap in _GAP.finditer(template):
        if text := known.get(gap[1]):
            name += template[end : gap.start()] + text
        end = gap.end()
    return (name + template[end:]).strip(" ,;/-") if name else None


class Positions:
    """The positions of the miners of a site: given ones, or else by its rule."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        """Take the rule and the names of areas out of the options of the site."""
        self.template: str = options.get(CONF_RULE) or ""
        self.area_template: str = options.get(CONF_AREA_NAME, DEFAULT_AREA_NAME)
        self.rule: Rule | None = None
        try:
            self.rule = Rule.parse(self.template) if self.template else None
        except InvalidRuleError as error:
            LOGGER.warning("The rule for positions is of no use: %s", error)

    def by_rule(self, host: str) -> Position:
        """Return where an address is."""
        return self.rule.position(host) if self.rule else NOWHERE

    def of(self, record: Record) -> Position:
        """Return where a miner is; what a person said counts more than its address."""
        return record.position or self.by_rule(record.info.host)

    def area_of(self, record: Record) -> str | None:
        """Return the name of the area that a miner is in by its position."""
        return area_name(self.area_template, self.of(record))

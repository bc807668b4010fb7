"""A Modbus meter as data: which register holds what, and how to read them in blocks."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
import math
import struct
from typing import Literal

from ..transports.modbus import MAXIMUM_REGISTERS, Space, printable

type Kind = Literal[
    "u16", "s16", "u32", "s32", "u64", "s64", "f32", "f64", "acc32", "ascii"
]
type WordOrder = Literal["big", "little"]

WORDS: dict[Kind, int] = {
    "u16": 1,
    "s16": 1,
    "u32": 2,
    "s32": 2,
    "u64": 4,
    "s64": 4,
    "f32": 2,
    "f64": 4,
    "acc32": 2,
}
# What says "not available" unless a row names numbers of its own.
_MISSING: dict[Kind, tuple[int, ...]] = {
    "u16": (0xFFFF,),
    "s16": (-0x8000,),
    "u32": (0xFFFF_FFFF,),
    "s32": (-0x8000_0000,),
    "u64": (0xFFFF_FFFF_FFFF_FFFF,),
    "s64": (-0x8000_0000_0000_0000,),
    "f32": (),
    "f64": (),
    "acc32": (0, 0xFFFF_FFFF),
}
_FLOATS: dict[Kind, str] = {"f32": ">f", "f64": ">d"}
_DIGITS = {
    "power": 1,
    "power_phase": 1,
    "voltage_phase": 1,
    "current_phase": 3,
    "power_reactive": 1,
    "power_apparent": 1,
    "power_factor": 3,
    "frequency": 2,
    "energy_import": 3,
    "energy_export": 3,
}
FIELDS = frozenset(_DIGITS)
PHASED = frozenset({"power_phase", "voltage_phase", "current_phase"})
PHASES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """One value of a meter: where it is, and what of the vocabulary it is.

    ``address`` is the one on the wire, from zero; ``phase`` counts from zero too. The
    value is the raw number times ``scale`` plus ``offset``; rows of the same field and
    phase add up. ``missing`` are raw numbers that say "not available", ``highest`` is
    the largest raw number that makes sense. ``folded`` is a power factor that tells its
    quadrant by going beyond 1.
    """

    address: int
    field: str
    kind: Kind
    phase: int | None = None
    space: Space = "holding"
    word_order: WordOrder = "big"
    scale: float = 1.0
    offset: float = 0.0
    missing: tuple[int, ...] | None = None
    highest: int | None = None
    folded: bool = False
    words: int = 0

    @property
    def count(self) -> int:
        """Return how many registers the value takes."""
        return self.words or WORDS[self.kind]

    @property
    def end(self) -> int:
        """Return the first address after the value."""
        return self.address + self.count


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterMap:
    """All that is read of a meter, and how large and how gappy a block may be.

    ``identity`` are rows whose fields are those of ``DeviceInfo``.
    """

    registers: tuple[Register, ...] = ()
    identity: tuple[Register, ...] = ()
    maximum_block: int = MAXIMUM_REGISTERS
    maximum_gap: int = 30


@dataclass(frozen=True, slots=True)
class Block:
    """One request, with the rows that its reply holds."""

    space: Space
    address: int
    count: int
    rows: tuple[Register, ...]

    @classmethod
    def of(cls, rows: Sequence[Register]) -> Block:
        """Return the smallest block that holds rows of one space."""
        first = min(row.address for row in rows)
        last = max(row.end for row in rows)
        return cls(rows[0].space, first, last - first, tuple(rows))

    def halves(self) -> tuple[Block, Block]:
        """Split at the widest gap; of equal ones at that nearest to the middle."""
        rows = sorted(self.rows, key=_place)
        gaps = [after.address - row.end for row, after in pairwise(rows)]
        middle = len(gaps) // 2
        at = max(range(len(gaps)), key=lambda n: (max(gaps[n], 0), -abs(n - middle)))
        return Block.of(rows[: at + 1]), Block.of(rows[at + 1 :])


def _place(row: Register) -> tuple[str, int, int]:
    return row.space, row.address, row.end


def plan(
    rows: Iterable[Register],
    maximum_block: int = MAXIMUM_REGISTERS,
    maximum_gap: int = 0,
) -> list[Block]:
    """Merge rows into as few requests as the size and the gaps of a block allow."""
    blocks: list[Block] = []
    pending: list[Register] = []
    end = 0
    for row in sorted(rows, key=_place):
        if pending and (
            row.space != pending[0].space
            or row.address - end > maximum_gap
            or max(row.end, end) - pending[0].address > maximum_block
        ):
            blocks.append(Block.of(pending))
            pending = []
        end = max(row.end, end) if pending else row.end
        pending.append(row)
    if pending:
        blocks.append(Block.of(pending))
    return blocks


def decode_text(words: Sequence[int]) -> str:
    """Return registers as text, two characters in each; empty when it is none."""
    return printable(b"".join(word.to_bytes(2, "big") for word in words))


def decode_raw(
    kind: Kind, words: Sequence[int], word_order: WordOrder = "big"
) -> int | float:
    """Return registers as a number, without scale and without regard to sentinels."""
    ordered = words if word_order == "big" else words[::-1]
    raw = b"".join(word.to_bytes(2, "big") for word in ordered)
    if (form := _FLOATS.get(kind)) is not None:
        return float(struct.unpack(form, raw)[0])
    return int.from_bytes(raw, "big", signed=kind[0] == "s")


def decode(row: Register, words: Sequence[int]) -> float | None:
    """Return the value of a row; ``None`` when the meter says it is not available.

    Raises:
        ValueError: the raw number makes no sense.
    """
    raw = decode_raw(row.kind, words, row.word_order)
    if not math.isfinite(raw):
        return None
    missing = _MISSING[row.kind] if row.missing is None else row.missing
    if raw in missing:
        return None
    if row.highest is not None and raw > row.highest:
        raise ValueError(f"{raw} is beyond {row.highest}")
    value = raw * row.scale + row.offset
    return _unfold(value) if row.folded else value


def _unfold(factor: float) -> float:
    if factor > 1:
        return 2 - factor
    return -2 - factor if factor < -1 else factor


def rounded(field: str, value: float) -> float:
    """Return a value with the digits that its field deserves."""
    return round(value, _DIGITS[field])


def phases(
    field: str,
    kind: Kind,
    addresses: Sequence[int],
    **options: object,
) -> tuple[Register, ...]:
    """Return the rows of a field that has one register for each phase."""
    make: Callable[..., Register] = Register
    return tuple(
        make(address=address, field=field, kind=kind, phase=phase, **options)
        for phase, address in enumerate(addresses)
    )

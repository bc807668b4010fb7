"""The faults that an Avalon miner reports of itself, in words.

Sources: the table of power supply errors in the A10 manual, and what the A1346 is
known to set. Bit 512 of a board is set on sound A10 miners (the manual's own sample).
"""

from collections.abc import Iterator, Sequence

from ..fields import Fields
from ..model import Fault, Severity

_SUPPLY = (
    (1, "input voltage is too low"),
    (2, "is too hot"),
    (4, "is too hot"),
    (8, "is too hot"),
    (16, "input current is too high"),
    (32, "output voltage is too low"),
    (64, "output current is too high"),
    (128, "current is not shared"),
    (256, "current of output A is too high"),
    (512, "current of output B is too high"),
    (1024, "current of output C is too high"),
    (2048, "fan has failed"),
)
_BOARD_FAILS = 1
_BOARD_TOO_HOT = 128
_BOARD_HARMLESS = 512


def read_faults(
    blob: Fields,
    lists: dict[str, list[float | None]],
    *,
    in_fault: bool,
) -> tuple[Fault, ...]:
    """Return all faults; a miner in fault that gives no reason has one without."""
    found = [
        *_supply(blob, lists.get("PS", [])),
        *_boards(lists.get("ECHU", []), lists.get("HASHS", [])),
        *_flags(blob),
    ]
    if in_fault and not found:
        found.append(_fault("in_fault", "The miner says that it is in fault"))
    return tuple(found)


def _supply(blob: Fields, values: Sequence[float | None]) -> Iterator[Fault]:
    if len(values) >= 6 and not any(values):
        yield _fault("ps_silent", "The power supply tells nothing", "power supply")
    error = int(values[0] or 0) if values else 0
    for bit, words in _SUPPLY:
        if error & bit:
            yield _fault(f"ps_{bit}", f"The power supply's {words}", "power supply")
    if error >> 12:
        yield _fault(
            f"ps_{error >> 12 << 12}", f"Power supply error {error}", "power supply"
        )
    if blob.number("POWS", field="faults"):
        yield _fault("pows", "The power supply reports an error", "power supply")


def _boards(
    errors: Sequence[float | None], broken: Sequence[float | None]
) -> Iterator[Fault]:
    for index, value in enumerate(errors):
        error = int(value or 0) & ~_BOARD_HARMLESS
        board = f"board {index}"
        if error & _BOARD_FAILS:
            yield _fault("echu_1", "The board does not work properly", board)
        if error & _BOARD_TOO_HOT:
            yield _fault("echu_128", "The board is too hot", board)
        if rest := error & ~(_BOARD_FAILS | _BOARD_TOO_HOT):
            yield _fault(f"echu_{rest}", f"Board error {rest}", board, Severity.WARNING)
    for index, value in enumerate(broken):
        if value:
            yield _fault("hashs", "The board is faulty", f"board {index}")


def _flags(blob: Fields) -> Iterator[Fault]:
    if error := blob.integer("ECMM", field="faults"):
        message = f"Control board error {error}"
        yield _fault(f"ecmm_{error}", message, "control board", Severity.WARNING)
    if blob.number("POOLS", field="faults"):
        message = "The connection to the pools fails"
        yield _fault("pools", message, "network", Severity.WARNING)
    if blob.number("FanErr", field="faults"):
        yield _fault("fan_err", "A fan has failed", "fan")


def _fault(
    code: str,
    message: str,
    component: str | None = None,
    severity: Severity = Severity.CRITICAL,
) -> Fault:
    return Fault(code=code, message=message, component=component, severity=severity)

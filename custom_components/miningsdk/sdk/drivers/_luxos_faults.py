"""What a miner with LuxOS reports as wrong.

Source: Luxor's documentation of the command ``events``: what is wrong now; an event
goes from the list once its cause is gone.
"""

from collections.abc import Iterator

from ..fields import Fields
from ..model import Fault, Severity

# That it sleeps is no fault; nor is it then one that it talks to no pool.
_ASLEEP = frozenset({"SLEEP", "IDLE"})
_NO_POOLS = "NO_ACTIVE_POOLS"
_INFO = frozenset({"REBOOT_SYSINIT", "REBOOT_USER", "SHUTDOWN_USER"})
_CRITICAL = ("PANIC", "PROTECTION", "SHUTDOWN", "NOT_DETECTED", "NO_BOARDS")


def faults(reply: object, failed: dict[str, str], *, asleep: bool) -> tuple[Fault, ...]:
    """Return the faults that a list of events tells of."""
    return tuple(_each(Fields(reply, failed), asleep=asleep))


def _each(reply: Fields, *, asleep: bool) -> Iterator[Fault]:
    for event in reply.children("EVENTS"):
        code = event.text("Code")
        if code is None or code in _ASLEEP or (asleep and code == _NO_POOLS):
            continue
        yield Fault(
            code=code,
            message=event.text("Description") or code,
            component=_component(event),
            severity=_severity(code),
        )


def _component(event: Fields) -> str | None:
    target = (event.text("Target") or "miner").lower()
    if target == "miner":
        return None
    index = event.integer("ID", field="faults")
    return target if index is None else f"{target} {index}"


def _severity(code: str) -> Severity:
    if code in _INFO:
        return Severity.INFO
    failure = code.startswith("BOARD_") and code.endswith("_FAILURE")
    if failure or any(word in code for word in _CRITICAL):
        return Severity.CRITICAL
    return Severity.WARNING

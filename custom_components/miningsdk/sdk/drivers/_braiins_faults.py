"""Read the errors of Braiins OS, which keeps a log of them rather than a state."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from ..fields import Fields
from ..model import Fault

# A line of the log without a code tells of a moment, such as a name not resolved.
_PASSES_AFTER = timedelta(hours=1)


def read_faults(
    reply: object, failed: dict[str, str], now: datetime, uptime: float | None
) -> tuple[Fault, ...]:
    """Return the errors that still hold, the newest last and each only once.

    The log goes back over weeks and many restarts. An error with a code holds until
    the mining process is restarted, ``uptime`` seconds ago; one without for an hour.
    """
    hour_ago = now - _PASSES_AFTER
    started = hour_ago if uptime is None else now - timedelta(seconds=uptime)
    found: dict[Fault, None] = {}
    for error in Fields(reply, failed).children("errors"):
        coded = any(error.children("error_codes"))
        if _is_older(error, started if coded else max(hour_ago, started)):
            continue
        for fault in _faults(error):
            found.pop(fault, None)
            found[fault] = None
    return tuple(found)


def _is_older(error: Fields, than: datetime) -> bool:
    """Tell whether it is older; what has no date that can be read may be new."""
    try:
        at = datetime.fromisoformat(error.text("timestamp") or "")
    except ValueError:
        return False
    return (at if at.tzinfo else at.replace(tzinfo=UTC)) < than


def _faults(error: Fields) -> Iterator[Fault]:
    message = error.text("message")
    component = _component(error)
    codes = list(error.children("error_codes"))
    for code in codes:
        said = code.text("reason") or message or "no reason given"
        hint = code.text("hint")
        yield Fault(
            code=code.text("code") or "error",
            message=f"{said} ({hint})" if hint else said,
            component=component,
        )
    if not codes and message is not None:
        yield Fault(code="error", message=message, component=component)


def _component(error: Fields) -> str | None:
    names = []
    for part in error.children("components"):
        name, index = part.text("name"), part.integer("index", field="faults")
        if name is not None:
            names.append(name if index is None else f"{name} {index}")
    return ", ".join(names) or None

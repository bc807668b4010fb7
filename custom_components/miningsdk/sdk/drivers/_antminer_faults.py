"""The error codes of stock Antminer firmware.

A code is a letter, a number that names the part (a bit mask of boards or fans, 0
or nothing for all) and the kind: ``J4:2``. Source: errorcode.json 3.0.4 in
Bitmain's images, and the table of Tether's MDK.
"""

from collections.abc import Iterator, Mapping
import re
from typing import Any

from ..errors import InvalidReply, NotSupported
from ..fields import Fields
from ..model import Fault, Severity
from ..transports.json_reply import lenient

_CODE = re.compile(r"([A-Z])(\d*):(\d+)")
_INFO, _WARNING, _CRITICAL = Severity.INFO, Severity.WARNING, Severity.CRITICAL

_KINDS: dict[tuple[str, str], tuple[str, str, Severity]] = {
    ("R", "1"): ("the hashrate is low", "hashboard", _WARNING),
    ("N", "1"): ("the hashrate is higher than sold", "hashboard", _INFO),
    ("N", "2"): ("the frequency was reduced a lot", "hashboard", _WARNING),
    ("N", "3"): ("the boards hash unevenly", "hashboard", _WARNING),
    ("N", "4"): ("the network connection is lost", "network", _WARNING),
    ("V", "1"): (
        "the power supply does not start or its voltage is wrong",
        "psu",
        _CRITICAL,
    ),
    ("V", "2"): ("the power supply is not calibrated", "psu", _WARNING),
    ("V", "3"): ("the power is limited for protection", "psu", _WARNING),
    ("F", "1"): ("a fan is missing or too slow", "fan", _CRITICAL),
    ("J", "1"): ("a hashboard has bad chips", "hashboard", _WARNING),
    ("J", "2"): ("a hashboard has fewer chips than built in", "hashboard", _WARNING),
    ("J", "4"): ("the EEPROM data of a hashboard is wrong", "hashboard", _WARNING),
    ("J", "5"): ("the controller of a hashboard fails", "hashboard", _WARNING),
    ("J", "6"): ("a temperature sensor fails", "temperature", _CRITICAL),
    ("J", "8"): ("there are fewer hashboards than built in", "hashboard", _CRITICAL),
    ("P", "1"): ("stopped because it is too hot", "temperature", _CRITICAL),
    ("P", "2"): ("stopped because it is too cold", "temperature", _CRITICAL),
    ("M", "1"): ("the controller is out of memory", "controller", _CRITICAL),
    ("L", "1"): ("voltage or frequency exceeds the limit", "hashboard", _WARNING),
    ("L", "2"): ("voltage and frequency do not match", "hashboard", _WARNING),
}
_MIXED_LEVEL = ("no level fits the mix of hashboards", "hashboard", _WARNING)
_PARTS = {"rate": "hashboard", "network": "network", "fans": "fan"}

ALL_POOLS_DEAD = Fault(
    code="all_pools_dead",
    message="no pool can be reached",
    component="pool",
    severity=_CRITICAL,
)


def fault(code: str, message: str | None = None) -> Fault:
    """Return the fault for a code; the device's own words win over ours."""
    parts = _CODE.fullmatch(code)
    words, component, severity = "unknown error", None, _WARNING
    if parts is not None:
        letter, index, kind = parts.groups()
        known = _KINDS.get((letter, kind))
        if (letter, kind) == ("L", "2") and index in ("", "255"):
            known = _MIXED_LEVEL
        if known is not None:
            words, component, severity = known
    return Fault(
        code=code, message=message or words, component=component, severity=severity
    )


def read_warnings(reply: Mapping[str, Any]) -> tuple[Fault, ...]:
    """Read the reply to ``warning``: a list of code, cause and suggestion.

    Raises:
        NotSupported: the firmware has no such list.
    """
    if not isinstance(reply.get("WARNING"), list):
        raise NotSupported("the reply holds no WARNING")
    return tuple(
        fault(code, row.text("cause"))
        for row in Fields(reply).children("WARNING")
        if (code := row.text("code"))
    )


def read_status_page(text: str) -> tuple[Fault, ...]:
    """Read ``/warning`` of the status server.

    It is ``{"error_message": "P:2"}`` with ``None`` for all is well; some firmware
    writes ``code;reason;suggestion`` instead.

    Raises:
        NotSupported: it is neither.
    """
    if text.startswith("{"):
        try:
            reply = lenient(text.encode())
        except InvalidReply:
            reply = None
        if not isinstance(reply, dict) or "error_message" not in reply:
            raise NotSupported("the status server tells no errors")
        code = Fields(reply).text("error_message")
        return () if code is None else (fault(code),)
    code, *words = (part.strip() for part in text.split(";"))
    if not _CODE.fullmatch(code):
        raise NotSupported("the status server tells no errors")
    return (fault(code, words[0] if words and words[0] else None),)


def read_summary(
    reply: Mapping[str, Any], failed: dict[str, str]
) -> tuple[tuple[Fault, ...], float | None]:
    """Read the reply to ``summary``: its four lamps, and the best share.

    Raises:
        NotSupported: the reply holds none.
    """
    rows = reply.get("SUMMARY")
    if not isinstance(rows, list):
        raise NotSupported("the reply holds no SUMMARY")
    row = Fields(reply, failed).child("SUMMARY")
    best = row.number("bestshare", "Best Share", field="best_difficulty")
    return tuple(_lamps(row)), best or None


def _lamps(row: Fields) -> Iterator[Fault]:
    for lamp in row.children("status"):
        part, state = lamp.text("type"), lamp.text("status")
        if part is None or state is None or state.lower() == "s":
            continue
        number = lamp.text("code")
        yield Fault(
            code=part if number in (None, "0") else f"{part}:{number}",
            message=lamp.text("msg") or f"{part} is abnormal",
            component=_PARTS.get(part, "temperature" if part == "temp" else None),
            severity=_WARNING,
        )

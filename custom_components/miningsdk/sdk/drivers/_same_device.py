"""Notice that another device has come to an address."""

from dataclasses import replace
from typing import Any

from ..model import DeviceInfo

_OWN: dict[str, Any] = dict.fromkeys(("serial_number", "mac", "hostname", "chips"))
_HARDWARE: dict[str, Any] = {
    **dict.fromkeys(("make", "model", "algorithm")),
    "limits": {},
}


def forget_another(
    old: DeviceInfo,
    *,
    mac: str | None = None,
    serial_number: str | None = None,
    hardware: bool = False,
) -> DeviceInfo:
    """Return what is known of a device, without what was another one's.

    ``mac`` and ``serial_number`` are those that the device tells now, if it does.
    With ``hardware`` its make, model, algorithm and limits go as well: the firmware
    runs on that of several makers.
    """
    if _differ(serial_number, old.serial_number) or _differ(mac, old.mac):
        return replace(old, **_OWN, **(_HARDWARE if hardware else {}))
    return old


def _differ(found: str | None, known: str | None) -> bool:
    return found is not None and known is not None and found != known

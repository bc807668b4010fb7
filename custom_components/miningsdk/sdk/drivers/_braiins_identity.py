"""Say who a miner with Braiins OS is, and how surely a host is one."""

import re
from typing import Any

from ..fields import Fields, mac_address, serial_number
from ._custom_firmware import make_of

OWN_MAKE = "Braiins"
# Numbers of the firmware for who made the miner; its own has none.
_MAKES = {1: "Bitmain", 2: "MicroBT"}
_OWN_MODEL = re.compile(r"BMM[ -]?(\w+)", re.IGNORECASE)
# Such as 2025-08-06-0-3881c51d-25.07-plus: when and from what it was built, and what.
_BUILD = re.compile(r"\d{4}-\d\d-\d\d-\d+-[0-9a-f]+-(\d[\w.]*?)(?:-plus)?")


def score(version: str, root: str, *, rest: bool) -> int:
    """Return how surely a host is one, by its version reply and its first page.

    ``rest`` asks for firmware with the REST API, which its other process serves: that
    one names itself BOSer. Before it there was only BOSminer.
    """
    version = version.upper()
    if "BOSER" in version:
        return 90 if rest else 0
    if "BOSMINER" in version:
        return 0 if rest else 90
    return 70 if rest and "braiins os" in root.lower() else 0


def make_and_model(
    name: str | None, brand: float | None = None
) -> tuple[str | None, str | None]:
    """Return both from a name such as ``Bitmain Antminer S9``."""
    if name is None:
        return (None if brand is None else _MAKES.get(int(brand))), None
    if own := _OWN_MODEL.search(name):
        return OWN_MAKE, f"BMM {own[1]}".upper()
    model = name.strip()
    for maker in (*_MAKES.values(), OWN_MAKE):
        if model.lower().startswith(f"{maker.lower()} "):
            model = model[len(maker) + 1 :].strip()
    make = make_of(model)
    if make is None and brand is not None:
        make = _MAKES.get(int(brand))
    return make, model


def firmware_version(build: str | None) -> str | None:
    """Return ``25.07`` for a whole build name; what is no such name stays."""
    match = _BUILD.fullmatch(build or "")
    return match[1] if match else build


def identity(details: Fields) -> dict[str, Any]:
    """Return what the details of a miner tell of who it is."""
    who = details.child("miner_identity")
    make, model = make_and_model(
        who.text("miner_model", "name"), who.number("brand", field="info")
    )
    return {
        "make": make,
        "model": model,
        "firmware_version": firmware_version(
            details.child("bos_version").text("current")
        ),
        "mac": mac_address(details.text("mac_address")),
        "serial_number": serial_number(details.text("serial_number")),
        "hostname": details.text("hostname"),
    }

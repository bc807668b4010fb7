"""Who made a miner that runs a descendant of AxeOS, and is no Bitaxe.

The descendants keep its API and give themselves away by a few keys:

* Lucky Miner's own firmware by ``minerModel``; the open one for the same boards
  (ESP-Miner-LVXX) by a ``deviceModel`` of LV06, LV07 or LV08.
* ForgeOS on the BitForge Nano by ``chiptemp1``: one sensor per chip.
* ESP-Miner-Zyber by ``beneathfanspeed`` or a board of 1000 and up.
* Bitdsk by the keys of its fixed address beside the difficulty of the network. It has
  neither power, voltage nor fan control, and tells the passwords of pool and Wi-Fi in
  clear; these are not read.

Board versions are no help, as Lucky Miner uses that of a Bitaxe Hex. Source:
protocols.md 1.2 and 12, and the http_server.c and device_config.h of these.
"""

import re

from ..fields import Fields

type Maker = tuple[str, str | None]

_LUCKY = re.compile(r"LV\d\d\w*")
_ZYBER = re.compile(r"Zyber.*")
_ZYBER_BOARDS = {"1000": "Zyber8S", "1100": "Zyber8G", "1110": "Zyber8G"}
_ZYBER_KEYS = ("beneathfanspeed", "chipSubmitStr")
_BITDSK_KEYS = ("staticipopen", "networkdiff")


def maker(reply: Fields, asic: Fields) -> Maker | None:
    """Return make and model of a clone, and ``None`` for a Bitaxe."""
    if (model := reply.text("minerModel")) is not None:
        return "Lucky Miner", model
    device = asic.text("deviceModel") or ""
    if _LUCKY.fullmatch(device):
        return "Lucky Miner", device
    if reply.has("chiptemp1"):
        return "BitForge", "Nano" if device in ("", "BITFORGE_NANO") else device
    board = _ZYBER_BOARDS.get(reply.text("boardVersion") or "")
    if _ZYBER.fullmatch(device) or board or any(map(reply.has, _ZYBER_KEYS)):
        return "TinyChipHub", device or board or "Zyber"
    if all(map(reply.has, _BITDSK_KEYS)):
        return "Bitdsk", reply.text("ASICModel")
    return None

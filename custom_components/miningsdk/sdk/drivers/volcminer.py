"""VolcMiner, Hammer and Blackminer, whose firmware is one family.

What they do is read from the mining process on port 4028, which asks for no
password, or where that port is closed from the web server.
"""

from collections.abc import Mapping
from dataclasses import replace
import re
from typing import Any, ClassVar, override

from ..errors import (
    CommandFailed,
    DeviceUnreachable,
    InvalidReply,
    NotSupported,
)
from ..fields import Fields, mac_address, number
from ..model import Capability, Fan
from ..transports import cgminer, http
from ..transports.json_reply import lenient
from ..transports.wire import Probe
from ._antminer_pools import Pools, read_pools
from ._antminer_stats import read_old_status
from ._digest_cgi import Web
from ._flat_miner import FlatMiner
from ._flat_stats import Told

_REALM = 'REALM="BLACKMINER CONFIGURATION"'
# As far as the rates of the web page go: MH/s of scrypt, GH/s of all else.
_MAKES = {
    "VOLCMINER": ("VolcMiner", "scrypt"),
    "HAMMER": ("Hammer", "scrypt"),
    "BLACKMINER": ("Blackminer", None),
}
_TYPE = re.compile(rf'"TYPE":"(?:{"|".join(_MAKES)})')
# The web page's programs comment on their own output.
_COMMENT = re.compile(r"^\s*//.*$", re.MULTILINE)
_FAN = re.compile(r"fan(\d+)")
_MH, _GH = 1e-6, 1e-3


class VolcMiner(FlatMiner):
    """A VolcMiner D1, a Hammer D10 or a Blackminer F1, and what they became.

    Sources: how other programs talk to them, and what users posted of their replies.
    The form that sets pools also sets voltage and frequency, by position on older
    models, so it is left alone: these miners are only read and rebooted.
    """

    name = "volcminer"
    aliases = ("hammer", "blackminer")
    make = "VolcMiner"
    firmware = "stock"
    models = "VolcMiner D1, Hammer D10, Blackminer F1 (reading and reboot)"
    transport = "cgminer API on 4028, CGI with HTTP digest on 80"
    default_username = "root"
    factory_accounts = (("root", "ltc@dog"),)
    confirm_longer: ClassVar[dict[Capability, float]] = {}

    def __init__(self, host: str, **options: Any) -> None:
        """Describe a miner without talking to it; options are those of ``Device``."""
        super().__init__(host, **options)
        self._web = Web(
            self.wire, self.port, self.username, self.password, patient=True
        )
        self._by_page = False

    @override
    @classmethod
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        """Know it by the realm or the name on its first page, or by its type."""
        root = evidence.get(http.ROOT, "").upper()
        version = evidence.get(cgminer.VERSION, "").upper()
        page = root.startswith("HTTP 200") and "VOLCMINER" in root
        return 50 if _REALM in root or page or _TYPE.search(version) else 0

    @property
    @override
    def _usable(self) -> bool:
        return self._web.usable

    # Who it is.

    @override
    def _named(self, told: str | None) -> Mapping[str, Any]:
        words = (told or "").upper()
        make, algorithm = next(
            (facts for word, facts in _MAKES.items() if word in words), (None, None)
        )
        return {"make": make, "model": told, "algorithm": algorithm}

    @override
    async def _look(self) -> Mapping[str, Any]:
        self._by_page = False
        system = Fields(_uncommented(await self._web.page("get_system_info.cgi")))
        return {
            **self._named(system.text("minertype")),
            "firmware_version": system.text("system_filesystem_version"),
            "mac": mac_address(system.text("macaddr")),
            "hostname": system.text("hostname"),
            "capabilities": (Capability.REBOOT,),
            "limits": {},
        }

    # What it does.

    @override
    async def _ask(self, failed: dict[str, str]) -> tuple[Told, Pools]:
        if not self._by_page:
            try:
                return await super()._ask(failed)
            except DeviceUnreachable, NotSupported, CommandFailed:
                if not self._may_use_web():
                    raise
        found = await self._from_page(failed)
        # It is asked no more on the closed port until the hourly look at who it is.
        self._by_page = True
        return found

    async def _from_page(self, failed: dict[str, str]) -> tuple[Told, Pools]:
        reply = _uncommented(await self._web.page("get_miner_status.cgi"))
        unit = _MH if self.info.algorithm == "scrypt" else _GH
        reading = replace(read_old_status(reply, failed, unit), fans=_fans(reply))
        return Told(reading=reading), read_pools(reply, failed)

    # What it is told.

    @override
    async def _reboot(self) -> None:
        # Once this has answered, a broken connection means that it goes down.
        await self._web.page("get_system_info.cgi")
        self.authentication_error = None
        try:
            await self._web.reboot()
        except DeviceUnreachable, InvalidReply:
            return


def _uncommented(text: str) -> dict[str, Any]:
    """Return the object that a program prints between its comments."""
    reply = lenient(_COMMENT.sub("", text).encode())
    if not isinstance(reply, dict):
        raise InvalidReply("the program did not print an object")
    return reply


def _fans(reply: Mapping[str, Any]) -> tuple[Fan, ...]:
    """Return the fans that turn, in rpm with thousands separators."""
    fans = []
    for key, value in reply.items():
        if match := _FAN.fullmatch(key):
            try:
                speed = number(str(value).replace(",", ""))
            except ValueError:
                continue
            if speed:
                fans.append(Fan(index=int(match[1]) - 1, speed=speed))
    return tuple(sorted(fans, key=lambda fan: fan.index))


DRIVERS = (VolcMiner,)

"""ePIC UMC and PowerPlay: boards of Antminer, and BlockMiner, with ePIC's control."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, override

from ..device import describe
from ..errors import (
    AuthenticationFailed,
    CommandFailed,
    DeviceUnreachable,
    InvalidReply,
    NotSupported,
)
from ..fields import Fields, mac_address, serial_number
from ..miner import Miner
from ..model import Capability, DeviceInfo, Limits, MinerStats, PoolConfig
from ..transports import cgminer, http
from ..transports.wire import Probe
from ._custom_firmware import make_of
from ._epic_api import EpicApi
from ._epic_stats import Build, build, detected, is_idle, read_stats
from ._epic_tune import Tuning, tuning
from ._same_device import forget_another

_PAGE = "Miner Web Dashboard"
_SUMMARY = "/summary"
# What the automatic of the fans is set to where the miner does not tell (°C and %).
_AUTOMATIC = {"Target Temperature": 60, "Idle Speed": 20}
_FAN = Limits(minimum=1, maximum=100, step=1)

type Offer = dict[Capability, Limits | None]


class Epic(Miner):
    """A miner with a control board of ePIC, or with its firmware.

    Its API is HTTP on the port where others have the socket API of cgminer. Reading
    is open and costs one request; every command bears the password. Idle is what the
    firmware calls a pause, a lost pool and most faults alike: it is told by the last
    command and error which of them it is. The chips' temperature is known only where
    the sensors sit on chips. Source: see ``_epic_api`` and ``_epic_stats``.
    """

    name = "epic"
    make = "ePIC"
    firmware = "epic"
    aliases = ("powerplay", "blockminer")
    models = "Antminer S19 and S21 with ePIC UMC or PowerPlay; BlockMiner 520i, 720i"
    transport = "HTTP on 4028"
    default_port = cgminer.PORT
    needs_password = "control"
    factory_accounts = (("", "letmein"),)
    probes = (cgminer.VERSION, http.ROOT)
    confirm_longer: ClassVar[dict[Capability, float]] = {
        Capability.PAUSE: 180.0,
        Capability.POWER_LIMIT: 120.0,
        Capability.PROFILE: 120.0,
        Capability.POOLS: 120.0,
        Capability.BOARD_ENABLE: 120.0,
    }
    restarts = frozenset(confirm_longer) - {Capability.PAUSE}

    def __init__(self, *args: Any, **options: Any) -> None:
        """Describe a miner without talking to it; see ``Device``."""
        super().__init__(*args, **options)
        self._api = EpicApi(self.wire, self.port, self.password)
        self._summary = Fields(None)
        self._build = Build()
        self._tuning = Tuning()
        self._hints: tuple[str | None, ...] = ()
        self._automatic: dict[str, int] = dict(_AUTOMATIC)
        # Whether it was paused from here, and has been seen idle since.
        self._stopped = self._slept = False

    @override
    @classmethod
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        """Know it by the title of its page; nothing else may be on the port."""
        if '"STATUS"' in evidence.get(cgminer.VERSION, ""):
            return 0
        return 90 if _PAGE in evidence.get(http.ROOT, "") else 0

    # Who it is.

    @override
    async def _fetch_info(self) -> DeviceInfo:
        summary = await self._read_summary({})
        capabilities = Fields(await self._part("/capabilities"))
        network = Fields(await self._part("/network"))
        self._hints = _hints(summary)
        self._build = build(capabilities)
        self._tuning = tuning(capabilities)
        offer = self._offer(summary) if await self._may_tell() else {}
        algorithm = summary.child("Mining").text("Algorithm") or ""
        boards = capabilities.integer("Max HBs")
        model = capabilities.text("Model")
        mac = _mac(network)
        serial = serial_number(capabilities.text("Miner Serial Number"))
        return describe(
            forget_another(self.info, mac=mac, serial_number=serial, hardware=True),
            make=make_of(model) or self.make,
            model=_model(model),
            firmware_version=summary.text("Software"),
            mac=mac,
            serial_number=serial,
            hostname=summary.text("Hostname"),
            algorithm=algorithm.lower().replace("-", "") or None,
            boards=boards,
            chips=(self._build.chips or 0) * (boards or 0) or None,
            capabilities=tuple(offer),
            limits={what: limits for what, limits in offer.items() if limits},
        )

    async def _read_summary(self, failed: dict[str, str]) -> Fields:
        summary = Fields(await self._api.get(_SUMMARY), failed)
        if not summary.child("Status").has("Operating State"):
            raise InvalidReply("the reply is not that of ePIC firmware")
        self._summary = summary
        automatic = summary.child("Fans").child("Fan Mode").child("Auto")
        for key in _AUTOMATIC:
            if (value := automatic.integer(key)) is not None:
                self._automatic[key] = value
        return summary

    async def _part(self, path: str) -> dict[str, Any]:
        """Ask for what the first time may be missing or broken."""
        try:
            return await self._api.get(path)
        except NotSupported:
            return {}
        except InvalidReply:
            if self._connected:
                raise
            return {}

    async def _may_tell(self) -> bool:
        """Tell whether there is a password, and the device has not refused it.

        Firmware that cannot check a password checks it with the first command.
        """
        if not self.password:
            return False
        try:
            await self._api.tell("/authenticate", None)
        except AuthenticationFailed as error:
            self._blame_credentials(error)
            return False
        except NotSupported, CommandFailed, InvalidReply:
            pass
        return True

    def _offer(self, summary: Fields) -> Offer:
        offer: Offer = {
            Capability.PAUSE: None,
            Capability.REBOOT: None,
            Capability.RESTART: None,
            Capability.POOLS: Limits(minimum=1, maximum=3, step=1),
            Capability.FAN: replace(_FAN, options=("auto",)) if self._is_new else _FAN,
        }
        if summary.child("Misc").has("Locate Miner State"):
            offer[Capability.LOCATE] = None
        if places := detected(summary) if summary.has("HBStatus") else []:
            offer[Capability.BOARD_ENABLE] = Limits(options=tuple(map(str, places)))
        if (watts := self._tuning.watts) is not None:
            offer[Capability.POWER_LIMIT] = watts
        if profiles := self._tuning.profiles(summary):
            offer[Capability.PROFILE] = Limits(options=profiles)
        return offer

    @property
    def _is_new(self) -> bool:
        """Tell firmware with an automatic for the fans from that of old."""
        return self._summary.child("Fans").has("Fan Mode")

    # What it does.

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> MinerStats:
        summary = await self._read_summary(failed)
        if _hints(summary) != self._hints:
            self._stopped = self._slept = False
            await self._refresh_info()
        if is_idle(summary):
            self._slept = self._stopped
        elif self._slept:
            self._stopped = self._slept = False
        return read_stats(summary, self._build, stopped=self._stopped)

    # What it is told.

    @override
    async def _pause(self) -> None:
        await self._api.tell_slow("/miner", "Stop")
        self._stopped = True

    @override
    async def _resume(self) -> None:
        await self._api.tell_slow("/miner", "Autostart")
        self._stopped = False

    @override
    async def _reboot(self) -> None:
        # Once this has answered, a broken connection means that it goes down.
        await self._api.get(_SUMMARY)
        try:
            await self._api.tell("/reboot", 0)
        except DeviceUnreachable, InvalidReply:
            return

    @override
    async def _restart(self) -> None:
        await self._api.tell("/softreboot", None if self._is_new else 0)

    @override
    async def _locate(self, on: bool) -> None:
        await self._api.tell("/identify", on)

    @override
    async def _set_fan(self, duty: float | None) -> None:
        param: object = {"Auto": self._automatic}
        if duty is not None:
            param = {"Manual": round(duty)} if self._is_new else str(round(duty))
        await self._api.tell("/fanspeed", param)

    @override
    async def _set_power_limit(self, watts: float) -> None:
        path, param = self._tuning.to_power(await self._read_summary({}), watts)
        await self._api.tell_slow(path, param)

    @override
    async def _set_profile(self, profile: str) -> None:
        path, param = self._tuning.to_profile(await self._read_summary({}), profile)
        await self._api.tell_slow(path, param)

    @override
    async def _set_pools(self, pools: Sequence[PoolConfig]) -> None:
        summary = await self._read_summary({})
        unique = summary.child("Stratum").boolean("Worker Unique Id")
        param = {
            "coin": summary.child("Mining").text("Coin") or "BTC",
            "stratum_configs": [
                {"pool": p.url, "login": p.user, "password": p.password} for p in pools
            ],
            **({} if unique is None else {"unique_id": unique}),
        }
        await self._api.tell_slow("/coin", param)

    @override
    async def _set_board_enabled(self, index: int, on: bool) -> None:
        await self._api.tell_slow("/boardenable", [{"Index": index, "Data": on}])


def _hints(summary: Fields) -> tuple[str | None, ...]:
    """Return what a reading tells of who the device is."""
    return summary.text("Hostname"), summary.text("Software")


def _mac(network: Fields) -> str | None:
    """Return the MAC, which stands with the addresses, fixed or given by DHCP."""
    found = network.child("dhcp", "static").text("mac_address")
    return mac_address(found or network.text("mac_address"))


def _model(told: str | None) -> str | None:
    """Return the model as its maker writes it; the firmware writes ``AntMiner``."""
    if told is None or not told.lower().startswith("antminer"):
        return told
    return f"Antminer{told[8:]}"


DRIVERS = (Epic,)

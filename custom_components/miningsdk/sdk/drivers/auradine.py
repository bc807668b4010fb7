"""Auradine Teraflux with FluxOS, whose mining process is GCMiner."""

from collections.abc import Mapping, Sequence
from math import inf
import re
from time import monotonic
from typing import Any, ClassVar, override

from ..device import describe
from ..errors import (
    AuthenticationFailed,
    DeviceTimeout,
    DeviceUnreachable,
    InvalidReply,
    MiningSDKError,
)
from ..fields import Fields, mac_address, serial_number
from ..miner import Miner
from ..model import Capability, DeviceInfo, Limits, MinerStats, PoolConfig
from ..transports import cgminer
from ..transports.wire import Probe
from ._auradine_api import FluxApi
from ._auradine_stats import (
    LOCATING,
    NORMAL,
    POWER_MODES,
    Build,
    Replies,
    build,
    power_of,
    read_stats,
)
from ._process_clock import ProcessClock
from ._same_device import forget_another

_REST_PORT = 8080
_MARKS = ("gcminer", "fluxos")
_SOCKET = ("summary", "devs", "pools")
_REST = ("mode", "psu", "fan", "temperature", "led")
_PROGRAM = re.compile(r"^(?:GCMiner|FluxOS)-", re.IGNORECASE)
_HASH = re.compile(r"-[0-9a-f]{7,40}$")
# A power of nothing is not a limit.
_LEAST_WATTS = 100.0
_WAKES_WITHIN = 300.0


class Auradine(Miner):
    """A Teraflux; air, immersion or hydro.

    Rates, boards and pools come from the socket API, which asks for no password, in
    one request; power, fans, temperatures, sleep and lamps from the REST API, in one
    request each. Without a password they are tried on the socket, once an hour where
    it refuses. A power is set in W without a lower limit that is known; the upper is
    what its power supplies can give. Sources: see ``_auradine_api``.
    """

    name = "auradine"
    make = "Auradine"
    firmware = "stock"
    aliases = ("teraflux", "fluxos")
    models = "Auradine Teraflux AT, AI, AD and AH with FluxOS"
    transport = "cgminer API on 4028, HTTP with a token on 8080"
    default_port = cgminer.PORT
    default_username = "admin"
    factory_accounts = (("admin", "admin"),)
    needs_password = "control"
    probes = (cgminer.VERSION,)
    confirm_longer: ClassVar[dict[Capability, float]] = {
        Capability.PAUSE: 180.0,
        Capability.POWER_LIMIT: 180.0,
        Capability.POWER_MODE: 180.0,
        Capability.POOLS: 120.0,
    }
    restarts = frozenset({Capability.POWER_LIMIT, Capability.POWER_MODE})

    def __init__(self, *args: Any, **options: Any) -> None:
        """Describe a miner without talking to it; see ``Device``."""
        super().__init__(*args, **options)
        ports = (self.port, self.port_of(_REST_PORT))
        username = self.username or ""
        self._api = FluxApi(self.wire, ports, username, self.password)
        self._build = Build()
        self._clock = ProcessClock()
        self._slept = False
        self._woke_at = -inf

    @override
    @classmethod
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        """Know it by its mining process, which names itself or its system."""
        version = evidence.get(cgminer.VERSION, "").lower()
        known = '"status"' in version and any(mark in version for mark in _MARKS)
        return 50 if known else 0

    # Who it is.

    @override
    async def _fetch_info(self) -> DeviceInfo:
        self._api.start_over()
        version = await self._version()
        report = await self._part("ipreport")
        count = await self._on_socket("asccount")
        self._build = build(count, report, self._build)
        told = Fields(report).child("IPReport")
        model = told.text("model")
        if model is None:
            details = await self._on_socket("devdetails")
            model = Fields(details).child("DEVDETAILS").text("Model")
        mac = mac_address(told.text("mac"))
        serial = serial_number(told.text("SerialNo") or told.text("ChassisSerialNo"))
        limits = await self._limits_offered()
        return describe(
            forget_another(self.info, mac=mac, serial_number=serial),
            model=model,
            firmware_version=told.text("version") or _release(version),
            mac=mac,
            serial_number=serial,
            hostname=told.text("hostname"),
            algorithm="sha256",
            chips=Fields(count).child("ASCCount").integer("AsicCount"),
            capabilities=self._capabilities(limits),
            limits=limits,
        )

    async def _version(self) -> dict[str, Any]:
        """Ask what is there; a mining process may be away while the miner sleeps."""
        try:
            return await self._api.version()
        except DeviceUnreachable:
            if not self._api.has_password:
                raise
            await self._api.ask("mode")
            return {}

    async def _on_socket(self, name: str) -> dict[str, Any]:
        try:
            return await self._api.command(name)
        except DeviceUnreachable, InvalidReply:
            return {}

    async def _part(self, name: str) -> dict[str, Any]:
        """Ask for what the rest can do without."""
        try:
            return await self._api.ask(name)
        except MiningSDKError as error:
            self._blame_credentials(error)
            return {}

    @property
    def _may_tell(self) -> bool:
        return self._api.has_password and self.authentication_error is None

    async def _limits_offered(self) -> dict[Capability, Limits]:
        if not self._may_tell:
            return {}
        limits = {
            Capability.POWER_MODE: Limits(options=POWER_MODES),
            Capability.POOLS: Limits(minimum=1, maximum=3, step=1),
        }
        most = power_of(await self._part("psu"), "PoutMax", {})
        watts = self.info.limits.get(Capability.POWER_LIMIT)
        if most is not None and most > _LEAST_WATTS:
            watts = Limits(minimum=_LEAST_WATTS, maximum=most, step=1)
        return limits if watts is None else {**limits, Capability.POWER_LIMIT: watts}

    def _capabilities(
        self, limits: Mapping[Capability, Limits]
    ) -> tuple[Capability, ...]:
        if not self._may_tell:
            return ()
        always = (
            Capability.PAUSE,
            Capability.REBOOT,
            Capability.RESTART,
            Capability.LOCATE,
        )
        return (*always, *limits)

    # What it does.

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> MinerStats:
        try:
            replies = await self._api.together(_SOCKET, failed)
        except DeviceUnreachable as error:
            if not self._may_tell:
                raise
            failed["summary"] = str(error)
            replies = {}
        replies |= await self._rest(failed)
        found = Replies(replies=replies, failed=failed)
        summary = found.part("summary", "SUMMARY")
        if not summary and found.asleep is None:
            raise self._silence(found)
        if self._slept and found.asleep is False:
            self._woke_at = monotonic()
        self._slept = found.asleep is True
        return read_stats(
            found,
            self._build,
            alive=self._clock.goes(summary.number("Elapsed")),
            waking=monotonic() - self._woke_at < _WAKES_WITHIN,
        )

    async def _rest(self, failed: dict[str, str]) -> dict[str, dict[str, Any]]:
        """Ask for the rest, until the REST API keeps silent."""
        replies: dict[str, dict[str, Any]] = {}
        if self.authentication_error is not None:
            return replies
        for name in _REST:
            try:
                replies[name] = await self._api.ask(name)
            except MiningSDKError as error:
                self._blame_credentials(error)
                failed[name] = str(error)
                if isinstance(
                    error, DeviceUnreachable | DeviceTimeout | AuthenticationFailed
                ):
                    break
        return replies

    def _silence(self, found: Replies) -> MiningSDKError:
        """Return the error for a miner that tells neither its work nor its sleep."""
        words = found.failed.get("summary") or "the miner tells no summary"
        answers = any(found.replies.values())
        return InvalidReply(words) if answers else DeviceUnreachable(words)

    # What it is told.

    @override
    async def _pause(self) -> None:
        await self._api.tell("mode", sleep="on")

    @override
    async def _resume(self) -> None:
        await self._api.tell("mode", sleep="off")

    @override
    async def _set_power_mode(self, mode: str) -> None:
        await self._api.tell("mode", mode=mode)

    @override
    async def _set_power_limit(self, watts: float) -> None:
        await self._api.tell("mode", mode="custom", tune="power", power=round(watts))

    @override
    async def _locate(self, on: bool) -> None:
        await self._api.tell("led", code=LOCATING if on else NORMAL)

    @override
    async def _reboot(self) -> None:
        # Once this has answered, a broken connection means that it goes down.
        await self._api.ask("mode")
        try:
            await self._api.tell("restart")
        except DeviceUnreachable, InvalidReply:
            return

    @override
    async def _restart(self) -> None:
        await self._api.tell("restart", parameter="gcminer")

    @override
    async def _set_pools(self, pools: Sequence[PoolConfig]) -> None:
        listed = [{"url": p.url, "user": p.user, "pass": p.password} for p in pools]
        await self._api.tell("updatepools", pools=listed)


def _release(version: Mapping[str, Any]) -> str | None:
    """Return ``2023-05.24`` of ``GCMiner-2023-05.24-0ce5e7cc``."""
    told = Fields(version).child("STATUS").text("Description") or ""
    return _HASH.sub("", _PROGRAM.sub("", told)) or None


DRIVERS = (Auradine,)

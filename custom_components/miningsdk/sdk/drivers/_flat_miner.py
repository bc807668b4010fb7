"""A miner whose mining process tells the flat statistics of bmminer on port 4028.

That process asks for no password. Who the miner is, whether it sleeps, and all
commands are for its web server, which differs by firmware.
"""

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from time import monotonic
from typing import Any, ClassVar, override

from ..device import describe
from ..errors import (
    AuthenticationFailed,
    CommandFailed,
    DeviceUnreachable,
    MiningSDKError,
    NotSupported,
)
from ..miner import Miner
from ..model import (
    Capability,
    DeviceInfo,
    MinerPool,
    MinerSettings,
    MinerStats,
    MinerStatus,
    Severity,
)
from ..transports import cgminer, http
from ._antminer_faults import ALL_POOLS_DEAD
from ._antminer_pools import Pools
from ._antminer_stats import Reading
from ._antminer_status import START
from ._flat_stats import FlatLink, Told
from ._same_device import forget_another

_UNTOLD = "it does not hash, and nothing tells why"
_SILENT = "the mining process does not answer"
# A web server that failed is asked this often who the miner is and what it can do.
_WEB_AGAIN = 60.0


class FlatMiner(Miner):
    """What the drivers of such miners share.

    A driver looks at the web server: who it is (``_look``), whether it sleeps and
    whether it blinks.
    """

    default_port = http.PORT
    needs_password = "control"
    probes = (cgminer.VERSION, http.ROOT)
    # A changed mode restarts the mining process, which reads its boards anew.
    confirm_every = 3.0
    confirm_longer: ClassVar[dict[Capability, float]] = {
        Capability.PAUSE: 180.0,
        Capability.POOLS: 120.0,
    }

    def __init__(self, host: str, **options: Any) -> None:
        """Describe a miner without talking to it; options are those of ``Device``."""
        super().__init__(host, **options)
        self._link = FlatLink(self.wire, self.port_of(cgminer.PORT))
        self._web_client = http.HttpClient(self.wire, self.port)
        self._locating: bool | None = None
        self._silent_since: float | None = None
        self._web_failed_at: float | None = None

    # What a driver tells of its web server.

    @abstractmethod
    async def _look(self) -> Mapping[str, Any]:
        """Return what the web server tells of who it is, as fields of ``DeviceInfo``.

        Among them ``mac`` and ``capabilities``: those that it offers.
        """

    @property
    @abstractmethod
    def _usable(self) -> bool:
        """Tell whether there are credentials at all."""

    async def _sleeps(self) -> bool | None:
        """Ask whether it was told to sleep; only called while it does not hash."""
        return None

    async def _blinks(self) -> bool | None:
        """Ask whether it blinks; only called while it may."""
        return None

    def _named(self, told: str | None) -> Mapping[str, Any]:
        """Return what the type that the mining process tells says of who it is."""
        return {"model": told}

    @property
    def _settings(self) -> MinerSettings:
        """Return what is set, as last read."""
        return MinerSettings()

    @property
    def _unmined_pools(self) -> tuple[MinerPool, ...]:
        """Return the pools as far as they are known without the mining process."""
        return ()

    # Who it is.

    @override
    async def _fetch_info(self) -> DeviceInfo:
        self._link.reset()
        self._locating = None
        told = await self._first()
        self._web_failed_at = None
        found: Mapping[str, Any] = {"capabilities": (), "limits": {}}
        if self._may_use_web():
            try:
                found = await self._look()
            except AuthenticationFailed as error:
                self._blame_credentials(error)
            except MiningSDKError:
                # It may do again what it did; for how long is found out soon.
                found = {}
                self._web_failed_at = monotonic()
        if told is None and "mac" not in found:
            await self._be_alive()
        return self._describe(told, found)

    def _look_again(self) -> None:
        """Have the web server asked again when it did not answer some time ago."""
        since = self._web_failed_at
        if since is not None and monotonic() - since > _WEB_AGAIN:
            self.forget_info()

    def _describe(self, told: Told | None, found: Mapping[str, Any]) -> DeviceInfo:
        reading = Reading(new_api=False) if told is None else told.reading
        serial = None if told is None else told.serial_number
        old = forget_another(self.info, mac=found.get("mac"), serial_number=serial)
        named = {
            "firmware_version": reading.firmware_version,
            "serial_number": serial,
            "chips": reading.chips,
            **self._named(reading.model),
        }
        return describe(describe(old, **named), **found)

    async def _ask(self, failed: dict[str, str]) -> tuple[Told, Pools]:
        """Ask for what the miner does; a driver may know another way."""
        return await self._link.ask(failed)

    async def _first(self) -> Told | None:
        """Return a reading, or ``None`` while the mining process is not there."""
        try:
            return (await self._ask({}))[0]
        except DeviceUnreachable, NotSupported, CommandFailed:
            return None

    async def _be_alive(self) -> None:
        """Raise unless at least the web server answers and did not refuse us."""
        if self.authentication_error is not None:
            raise AuthenticationFailed(self.authentication_error)
        await self._web_client.request("GET", "/", limit=1024, truncate=True)

    # What it does.

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> MinerStats:
        try:
            told, pools = await self._ask(failed)
        except DeviceUnreachable, NotSupported, CommandFailed:
            return await self._stats_of_silent(failed)
        if self._silent_since is not None:
            # Back again: now it can tell more of who it is.
            self._silent_since = None
            self.forget_info()
        self._look_again()
        asleep: bool | None = told.reading.sleeps
        if not told.reading.hashing and not asleep:
            asleep = await self._from_web("status", failed, self._sleeps)
        await self._look_at_light(failed)
        status = status_of(told, pools, asleep)
        if status is MinerStatus.UNKNOWN:
            failed.setdefault("status", _UNTOLD)
        return self._compose(status, told, pools, failed)

    async def _stats_of_silent(self, failed: dict[str, str]) -> MinerStats:
        """Tell what can be told while the mining process does not answer."""
        now = monotonic()
        self._silent_since = since = self._silent_since or now
        asleep = await self._from_web("status", failed, self._sleeps)
        if asleep is None:
            await self._web_client.request("GET", "/", limit=1024, truncate=True)
            failed.setdefault("status", _SILENT)
            return MinerStats(failed=failed)
        await self._look_at_light(failed)
        status = MinerStatus.PAUSED if asleep else MinerStatus.STARTING
        if not asleep and now - since > START:
            status = MinerStatus.UNKNOWN
            failed["status"] = _SILENT
        return MinerStats(
            status=status,
            pools=self._unmined_pools,
            locating=self._locating,
            settings=self._settings,
            failed=failed,
        )

    def _compose(
        self, status: MinerStatus, told: Told, pools: Pools, failed: dict[str, str]
    ) -> MinerStats:
        reading, faults = told.reading, told.faults
        if pools.all_dead and status is not MinerStatus.PAUSED:
            faults = (*faults, ALL_POOLS_DEAD)
        return MinerStats(
            status=status,
            hashrate=reading.hashrate,
            hashrate_average=reading.hashrate_average,
            hashrate_expected=reading.hashrate_expected,
            power=reading.power,
            fans=reading.fans,
            boards=reading.boards,
            pools=pools.pools or self._unmined_pools,
            best_difficulty=pools.best_difficulty,
            hardware_errors=reading.hardware_errors,
            uptime=reading.uptime,
            locating=self._locating,
            settings=self._settings,
            faults=faults,
            failed=failed,
        )

    async def _look_at_light(self, failed: dict[str, str]) -> None:
        """See whether it still blinks; some firmware stops by itself."""
        if self._locating:
            self._locating = await self._from_web("locating", failed, self._blinks)

    def _may_use_web(self) -> bool:
        return self._usable and self.authentication_error is None

    async def _from_web[T](
        self, field: str, failed: dict[str, str], ask: Callable[[], Awaitable[T]]
    ) -> T | None:
        """Return what the web server tells, or ``None`` where it cannot be had."""
        if not self._may_use_web():
            return None
        try:
            return await ask()
        except MiningSDKError as error:
            self._blame_credentials(error)
            failed[field] = str(error)
            return None


def status_of(told: Told, pools: Pools, asleep: bool | None) -> MinerStatus:  # noqa: FBT001
    """Return what it is doing; mining only while it hashes."""
    reading = told.reading
    if asleep:
        return MinerStatus.PAUSED
    if reading.hashing:
        return MinerStatus.MINING
    if reading.empty or reading.hashrate is None:
        return MinerStatus.STARTING if reading.empty else MinerStatus.UNKNOWN
    if pools.none_alive:
        return MinerStatus.IDLE
    return _status_without_hash(told, asleep)


def _status_without_hash(told: Told, asleep: bool | None) -> MinerStatus:  # noqa: FBT001
    uptime = told.reading.uptime
    if any(fault.severity is Severity.CRITICAL for fault in told.faults):
        return MinerStatus.FAULT
    if uptime is not None and uptime < START:
        return MinerStatus.STARTING
    return MinerStatus.UNKNOWN if asleep is None else MinerStatus.FAULT

"""Braiins OS 23 and later on Antminers, and the Mini Miners BMM 100 and 101.

All goes through the public REST API, which wants a login. Without one, what the
socket API tells to everybody is read, and nothing is controlled.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from time import monotonic
from typing import Any, ClassVar, override

from ..device import describe
from ..errors import (
    AuthenticationFailed,
    DeviceUnreachable,
    InvalidReply,
    MiningSDKError,
    NotSupported,
)
from ..fields import Fields
from ..miner import Miner
from ..model import Capability, DeviceInfo, MinerStats, PoolConfig
from ..transports import cgminer, http
from ..transports.wire import Probe
from . import _braiins_api as api, _braiins_config as config
from ._braiins_compose import compose
from ._braiins_identity import identity, score
from ._braiins_old import BraiinsCgminer
from ._braiins_socket import Socket
from ._braiins_status import Judge, told_status
from ._same_device import forget_another

# What is asked besides the details, and the field that is not known without it.
_OFTEN = {api.STATS: "hashrate", api.BOARDS: "boards", api.COOLING: "fans"}
_SELDOM = {
    api.TUNER: "power_limit",
    api.POOLS: "pools",
    api.ERRORS: "faults",
    api.LOCATE: "locating",
    api.CONFIGURATION: "settings",
}
# How old in s the latter may be, unless a command was given.
_MAXIMUM_AGE = 60.0
_CONTROLS = (
    Capability.PAUSE,
    Capability.REBOOT,
    Capability.RESTART,
    Capability.LOCATE,
    Capability.POOLS,
)


class Braiins(Miner):
    """A miner with Braiins OS, read over REST with 4 requests, and 5 more a minute.

    What may be written is what the OpenAPI document describes, within the ranges of
    the miner's own constraints. New fan settings, boards and pools may have the
    firmware start mining anew. A power limit ends tuning by hashrate or by hand.
    Sources: OpenAPI document of 26.04, recorded replies of 25.07, protocols.md 7,
    16 and 17.
    """

    name = "braiins"
    firmware = "braiins"
    aliases = ("braiins-os", "boser")
    models = "Antminer S17 to S21 with Braiins OS 23 and later; Mini Miner BMM 100, 101"
    transport = "REST with a token on 80; read only cgminer API on 4028"
    default_port = http.PORT
    default_username = "root"
    factory_accounts = (("root", ""),)
    needs_password = "control"
    probes = (cgminer.VERSION, http.ROOT)
    # Reading back asks for everything.
    confirm_every = 2.0
    confirm_longer: ClassVar[dict[Capability, float]] = {
        Capability.PAUSE: 90.0,
        Capability.POWER_LIMIT: 60.0,
        Capability.POOLS: 90.0,
        Capability.BOARD_ENABLE: 180.0,
        Capability.FAN: 180.0,
        Capability.TARGET_TEMPERATURE: 180.0,
    }
    restarts = frozenset(
        {
            Capability.POOLS,
            Capability.BOARD_ENABLE,
            Capability.FAN,
            Capability.TARGET_TEMPERATURE,
        }
    )

    def __init__(self, host: str, **options: Any) -> None:
        """Describe a miner without talking to it; options are those of ``Device``."""
        super().__init__(host, **options)
        self._judge = Judge()
        self._rest = api.Rest(self.wire, self.port, self.username, self.password)
        self._socket = Socket(self.wire, self.port_of(cgminer.PORT), self._judge)
        self._via_rest = False
        self._kept: dict[str, tuple[Any, float]] = {}
        self._absent: set[str] = set()
        self._asleep = False
        # How it cools: by its answer to the last command unless it tells otherwise.
        self._cooling = config.Cooling()
        self._boards: dict[int, str] = {}

    @override
    @classmethod
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        """Know it by the name of its API process, or by its page alone."""
        return score(
            evidence.get(cgminer.VERSION, ""), evidence.get(http.ROOT, ""), rest=True
        )

    # Who it is.

    @override
    async def _fetch_info(self) -> DeviceInfo:
        self._kept.clear()
        self._absent.clear()
        details = await self._first_details()
        self._via_rest = details is not None
        if details is None:
            return await self._info_of_socket()
        constraints = Fields(await self._or_nothing(api.CONSTRAINTS))
        self._cooling = config.default_cooling(constraints)
        self._note_cooling(await self._or_nothing(api.CONFIGURATION))
        self._boards = config.board_ids(constraints)
        limits = config.limits(constraints, self._cooling)
        offered = {*_CONTROLS, *limits}
        found = identity(details)
        return describe(
            forget_another(
                self.info, mac=found["mac"], serial_number=found["serial_number"]
            ),
            **found,
            algorithm="sha256",
            capabilities=tuple(name for name in Capability if name in offered),
            limits=limits,
        )

    async def _first_details(self) -> Fields | None:
        """Return the details, or ``None`` where REST is not there or not for us."""
        if not self._rest.usable:
            return None
        try:
            return await self._details()
        except AuthenticationFailed as error:
            self._blame_credentials(error)
        except NotSupported:
            # Some releases had the same API in another form only.
            pass
        return None

    async def _details(self) -> Fields:
        details = Fields(await self._rest.get(api.DETAILS))
        if not details.has("status") and not details.child("miner_identity"):
            raise InvalidReply("the reply is not that of a miner with this firmware")
        return details

    async def _or_nothing(self, path: str) -> Any:
        """Return what a path tells; a firmware without it offers less."""
        try:
            return await self._rest.get(path)
        except NotSupported, InvalidReply:
            return None

    async def _info_of_socket(self) -> DeviceInfo:
        self._socket.reset()
        try:
            found = await self._socket.identity()
        except DeviceUnreachable:
            # The port may be closed; is it at least one that we could log in to?
            if not await self._rest.exists():
                raise
            raise AuthenticationFailed(
                self.authentication_error or api.NO_PASSWORD
            ) from None
        info = describe(self.info, **found, algorithm="sha256")
        return replace(info, capabilities=(), limits={})

    # What it does.

    @override
    async def _fetch_settings(self) -> None:
        self._kept.clear()

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> MinerStats:
        if not self._via_rest:
            return await self._socket.stats(failed)
        try:
            details = await self._details()
        except (AuthenticationFailed, NotSupported) as error:
            return await self._stats_after(error, failed)
        self._asleep = told_status(details) == "paused"
        replies = {
            path: await self._part(path, field, failed)
            for path, field in _OFTEN.items()
        } | {
            path: await self._part_seldom(path, field, failed)
            for path, field in _SELDOM.items()
        }
        self._note_cooling(replies[api.CONFIGURATION])
        return compose(details, replies, self._judge, self._cooling, failed)

    async def _stats_after(
        self, error: MiningSDKError, failed: dict[str, str]
    ) -> MinerStats:
        """Go on with what needs no login: password or firmware were changed."""
        self._blame_credentials(error)
        self._via_rest = False
        failed["info"] = str(error)
        try:
            return await self._socket.stats(failed)
        except DeviceUnreachable:
            raise error from None

    async def _part(self, path: str, field: str, failed: dict[str, str]) -> Any:
        """Return a part; what is not to be had in this firmware or state is none."""
        if path in self._absent:
            return None

        async def ask() -> Any:
            try:
                return await self._rest.get(path)
            except NotSupported:
                self._absent.add(path)
            except api.NotNow:
                if not self._asleep:
                    raise
            return None

        return await self._optional(field, failed, ask, None)

    async def _part_seldom(self, path: str, field: str, failed: dict[str, str]) -> Any:
        """Return a part that may be a minute old; one that failed is asked again."""
        found, until = self._kept.get(path, (None, 0.0))
        if monotonic() < until:
            return found
        self._kept.pop(path, None)
        found = await self._part(path, field, failed)
        if path == api.CONFIGURATION:
            found = config.without_pools(found)
        if field not in failed:
            self._kept[path] = (found, monotonic() + _MAXIMUM_AGE)
        return found

    def _note_cooling(self, configuration: object) -> None:
        """Note how it cools; what it does not tell stays as it was last known."""
        told = config.read_cooling(Fields(configuration).child("temperature").data)
        self._cooling = told or self._cooling

    # What it is told.

    @override
    async def _pause(self) -> None:
        await self._rest.write("PUT", "/actions/pause")

    @override
    async def _resume(self) -> None:
        await self._rest.write("PUT", "/actions/resume")
        self._judge.expect_start()

    @override
    async def _restart(self) -> None:
        await self._rest.write("PUT", "/actions/restart")
        self._judge.expect_start()

    @override
    async def _reboot(self) -> None:
        # Once this has answered, a broken connection means that it goes down.
        await self._details()
        with suppress(DeviceUnreachable, InvalidReply):
            await self._rest.write("PUT", "/actions/reboot")
        self._rest.log_out()

    @override
    async def _locate(self, on: bool) -> None:
        await self._rest.write("PUT", api.LOCATE, on)

    @override
    async def _set_power_limit(self, watts: float) -> None:
        configuration = Fields(await self._or_nothing(api.CONFIGURATION))
        if config.works_by_power(configuration):
            path, body = "/power-target", {"watt": round(watts)}
        else:
            # By hashrate or by hand, a power target alone would change nothing.
            path, body = "/mode", config.power_mode_body(watts)
        await self._rest.write("PUT", f"/performance{path}", body)

    @override
    async def _set_fan(self, duty: float | None) -> None:
        cooling = await self._present_cooling()
        await self._write_cooling(cooling.with_fan(duty))

    @override
    async def _set_target_temperature(self, celsius: float) -> None:
        cooling = await self._present_cooling()
        await self._write_cooling(cooling.with_target(celsius))

    async def _present_cooling(self) -> config.Cooling:
        self._note_cooling(await self._rest.get(api.CONFIGURATION))
        return self._cooling

    async def _write_cooling(self, body: dict[str, Any]) -> None:
        answer = await self._rest.write("PUT", "/cooling/mode", body)
        self._cooling = config.read_cooling(answer) or self._cooling

    @override
    async def _set_pools(self, pools: Sequence[PoolConfig]) -> None:
        body = config.pools_body(await self._rest.get(api.POOLS), pools)
        await self._rest.write("PUT", "/pools/batch", body, config.secrets(pools))

    @override
    async def _set_board_enabled(self, index: int, on: bool) -> None:
        names = [self._boards[index]]
        await self._rest.write(
            "PATCH", api.BOARDS, {"enable": on, "hashboard_ids": names}
        )


DRIVERS = (Braiins, BraiinsCgminer)

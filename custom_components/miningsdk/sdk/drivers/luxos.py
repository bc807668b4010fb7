"""LuxOS, the firmware of Luxor, on Antminer and other hardware.

Sources: Luxor's documentation of the API, its tools (luxos-tooling), recorded replies
of 2025.4 and 2026.9, and protocols.md 8. Nothing here asks for a password: whoever
reaches port 4028 may do everything.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar, override

from ..errors import CommandFailed, InvalidReply, MiningSDKError, NotSupported
from ..fields import Fields
from ..miner import Miner
from ..model import Capability, DeviceInfo, MinerStats, PoolConfig
from ..transports import cgminer, http
from ..transports.wire import Probe
from ._custom_firmware import highest_within, step_of
from ._luxos_identity import READS as IDENTITY, identity, score, watts_of_profiles
from ._luxos_link import Link, Session, section
from ._luxos_stats import READS, is_asleep, read_stats
from .cgminer import first

# The name of the group of pools that is written; its quota counts among groups only.
_GROUP = "miningsdk"
_QUOTA = "1"
_AUTOMATIC = "-1"


class LuxOS(Miner):
    """A miner with LuxOS.

    ``pause`` is the firmware's curtailment: boards and power supply are off, and stay
    so through a reboot, until ``resume``.

    A profile counts as set once the miner shows it. Its thermal management (ATM) may
    take another one later, as temperatures ask for and within its own bounds; it is
    switched off while a profile is set, and on again at once.

    The power limit is the firmware's power target on models that have one. On others
    it is the power of a profile: the highest one is taken that keeps the limit.
    """

    name = "luxos"
    aliases = ("luxminer",)
    firmware = "luxos"
    models = "Antminer S19, T19 and S21 families and others with LuxOS"
    transport = "TCP 4028, JSON"
    default_port = cgminer.PORT
    probes = (cgminer.VERSION, http.ROOT)
    # Boards ramp up slowly after each change.
    confirm_longer: ClassVar[dict[Capability, float]] = {
        Capability.PAUSE: 60.0,
        Capability.PROFILE: 60.0,
        Capability.POWER_LIMIT: 60.0,
        Capability.POOLS: 60.0,
        Capability.BOARD_ENABLE: 120.0,
    }
    restarts = frozenset(
        {Capability.PROFILE, Capability.POWER_LIMIT, Capability.BOARD_ENABLE}
    )

    def __init__(self, host: str, **options: Any) -> None:
        """Describe a miner without talking to it; options are those of ``Device``."""
        super().__init__(host, **options)
        self._link = Link(self.wire, self.port)
        # What the profiles are to draw in W, by their names.
        self._watts: dict[str, float] = {}
        self._has_target = False

    @override
    @classmethod
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        return score(evidence.get(cgminer.VERSION, ""), evidence.get(http.ROOT, ""))

    @override
    async def _fetch_info(self) -> DeviceInfo:
        self._link.reset()
        failed: dict[str, str] = {}
        replies = await self._link.read(IDENTITY, failed)
        config = section(replies["config"], "CONFIG")
        if not config and not section(replies["version"], "VERSION"):
            raise InvalidReply(failed.get("version", "the miner tells no version"))
        if config:
            self._watts = watts_of_profiles(replies["profiles"])
            self._has_target = config.boolean("IsPowerTargetSupported") is True
        return identity(self._info, replies)

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> MinerStats:
        replies = await self._link.read(READS, failed)
        if not first(replies["summary"].get("SUMMARY")) and not first(
            replies["config"].get("CONFIG")
        ):
            raise InvalidReply(failed.get("summary", "the miner tells no summary"))
        return read_stats(replies, self._watts, failed)

    # What it is told.

    async def _tell(self, name: str, *parameters: str) -> None:
        async with self._link.session() as session:
            await session.run(name, *parameters)

    async def _config(self) -> Fields:
        return section(await self._link.run("config"), "CONFIG")

    async def _sleeps(self) -> bool:
        return is_asleep(await self._config())

    @override
    async def _pause(self) -> None:
        if not await self._sleeps():
            await self._tell("curtail", "sleep")

    @override
    async def _resume(self) -> None:
        if await self._sleeps():
            await self._tell("curtail", "wakeup")

    @override
    async def _reboot(self) -> None:
        async with self._link.session() as session:
            await session.run_and_lose("rebootdevice")

    @override
    async def _restart(self) -> None:
        async with self._link.session() as session:
            await session.run_and_lose("resetminer")

    @override
    async def _locate(self, on: bool) -> None:
        await self._tell("ledset", "red", "blink" if on else "auto")

    @override
    async def set_power_limit(self, watts: float) -> None:
        """Limit the power in W; without a power target to the profile below it."""
        if not self._has_target:
            found = highest_within(watts, self._steps)
            if found is not None and watts <= max(self._steps.values()):
                watts = found
        await super().set_power_limit(watts)

    @property
    def _steps(self) -> dict[str, float]:
        return {name: watts for name, watts in self._watts.items() if watts}

    @override
    async def _set_power_limit(self, watts: float) -> None:
        if self._has_target:
            await self._tell("powertargetset", f"power={watts:.0f}")
        else:
            await self._set_profile(step_of(watts, self._steps))

    @override
    async def _set_profile(self, profile: str) -> None:
        config = await self._config()
        async with self._link.session() as session:
            if config.boolean("IsAtmEnabled"):
                await self._set_without_atm(session, profile)
            else:
                await session.run("profileset", profile)

    async def _set_without_atm(self, session: Session, profile: str) -> None:
        """Set a profile while the thermal management rests, as the firmware wants it.

        Raises:
            CommandFailed: the device refused it, or to switch it on again.
        """
        await session.run("atmset", "enabled=false")
        try:
            await session.run("profileset", profile)
        finally:
            try:
                await session.run("atmset", "enabled=true")
            except MiningSDKError as error:
                raise CommandFailed(
                    "the thermal management (ATM) was switched off to set the profile, "
                    f"and could not be switched on again: {error}"
                ) from None

    @override
    async def _set_fan(self, duty: float | None) -> None:
        if duty is not None and await self._sleeps():
            raise CommandFailed("the miner is asleep; resume it first")
        speed = _AUTOMATIC if duty is None else f"{duty:.0f}"
        await self._tell("fanset", f"speed={speed}")

    @override
    async def _set_target_temperature(self, celsius: float) -> None:
        """Write the target, and back as they are the limits that go with it."""
        control = section(await self._link.run("tempctrl"), "TEMPCTRL")
        hot, dangerous = control.number("Hot"), control.number("Dangerous")
        if hot is None or dangerous is None:
            raise NotSupported("the miner does not tell its temperature limits")
        await self._tell(
            "tempctrlset",
            f"target_temp={celsius:g}",
            f"hot_temp={hot:g}",
            f"dangerous_temp={dangerous:g}",
        )

    @override
    async def _set_board_enabled(self, index: int, on: bool) -> None:
        await self._tell("enableboard" if on else "disableboard", str(index))

    @override
    async def _set_pools(self, pools: Sequence[PoolConfig]) -> None:
        """Add the pools as a new group, then remove all groups that were there."""
        values = [value for p in pools for value in (p.url, p.user, p.password)]
        if any("," in value for value in values):
            raise NotSupported("the miner takes no comma in a pool")
        before = await self._groups()
        await self._link.run("addgroup", _GROUP, _QUOTA)
        added = [group for group in await self._groups() if group not in before]
        if len(added) != 1:
            raise CommandFailed("the device did not add a group of pools")
        await self._fill(added[0], pools)
        for group in sorted(before, reverse=True):
            await self._link.run("removegroup", str(group))

    async def _groups(self) -> list[int]:
        reply = await self._link.run("groups")
        rows = Fields(reply).children("GROUPS")
        return [n for row in rows if (n := row.integer("GROUP")) is not None]

    async def _fill(self, group: int, pools: Sequence[PoolConfig]) -> None:
        """Put pools into a group, and remove it again when one is refused."""
        try:
            for pool in pools:
                await self._link.run(
                    "addpool", pool.url, pool.user, pool.password, str(group)
                )
        except MiningSDKError as error:
            with suppress(MiningSDKError):
                await self._link.run("removegroup", str(group))
            raise _without_secrets(error, pools) from None


def _without_secrets(
    error: MiningSDKError, pools: Sequence[PoolConfig]
) -> MiningSDKError:
    """Return the error, unless the device repeats a password in it."""
    secrets = (pool.password for pool in pools if len(pool.password) > 1)
    if any(secret in str(error) for secret in secrets):
        return CommandFailed("the device refused the pool")
    return error


DRIVERS = (LuxOS,)

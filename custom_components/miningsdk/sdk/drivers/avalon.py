"""Canaan Avalon: the A10 to A15, Nano 3, Nano 3S, Mini 3 and Q.

Sources: the open firmware of the Nano 3S (its API and driver), the A10 manual, and
captures of an A1246, an A1346, an A1566 and an Avalon Q. The API has one thread and
no access groups: all but the pools can be written by anybody in the network.
"""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
import time
from typing import Any, ClassVar, override

import orjson

from ..device import describe
from ..errors import (
    AuthenticationFailed,
    CommandFailed,
    DeviceTimeout,
    InvalidReply,
    NotSupported,
)
from ..fields import Fields, mac_address, serial_number
from ..miner import Check, Miner
from ..model import (
    Capability,
    DeviceInfo,
    Limits,
    MinerSettings,
    MinerStats,
    MinerStatus,
    PoolConfig,
)
from ..transports import cgminer, cgminer_text
from ..transports.tcp import Decoder, exchange
from ..transports.wire import Probe
from ._avalon_models import A1346, UNKNOWN, family_of, model_name, offered
from ._avalon_reading import Blob, chip_count, read_blob, read_stats
from .cgminer import first, note_refusal, pools, unjoin

# Sleeping and waking are timed: that much after the miner's own time.
_SLEEP_DELAY = 5
# Home miners know the date; others tell the seconds since their start instead.
_EARLIEST_DATE = 1_000_000_000
_AUTOMATIC = -1


class Avalon(Miner):
    """An Avalon miner.

    New pools take effect by a reboot, and on the A series so does a new work mode
    and waking up; the command reboots the miner and waits until it is back.
    """

    name = "avalon"
    aliases = ("avalonminer", "canaan")
    make = "Canaan"
    firmware = "stock"
    models = "Avalon A10 to A15, Nano 3, Nano 3S, Mini 3, Q"
    transport = "TCP 4028, JSON or text"
    default_port = cgminer.PORT
    needs_password = "control"
    checks_password = False
    factory_accounts = (("root", "root"),)
    probes = (cgminer.VERSION,)
    restarts = frozenset({Capability.POWER_MODE, Capability.POOLS})
    unseen = frozenset({Capability.FAN})
    # Seconds within which a miner that was rebooted must be back; a Q needs 230.
    reboot_within: float = 420.0
    confirm_longer: ClassVar[dict[Capability, float]] = {
        Capability.POOLS: reboot_within
    }

    _family = UNKNOWN
    _options: frozenset[str] = frozenset()
    _speaks_text = False
    _joined = True
    _statistics = "estats"
    _rebooting = False
    _clock_ahead = 0.0
    _dna: str | None = None
    _mode: int | None = None
    _uptime = 0
    # The duty that was set and taken: the miner only tells the present one.
    _fan: int | None = None

    @override
    @classmethod
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        answer = evidence.get(cgminer.VERSION, "").lower()
        return 50 if '"prod":"avalon' in answer else 0

    @override
    async def _fetch_info(self) -> DeviceInfo:
        """Ask for version, state and the settings that the firmware lists."""
        self._joined, self._speaks_text = True, False
        failed: dict[str, str] = {}
        replies = await self._replies(("version", self._statistics), failed)
        version = Fields(first(replies["version"].get("VERSION")))
        if not version:
            raise InvalidReply(failed.get("version", "the miner tells no version"))
        blob = await self._find_statistics(replies[self._statistics], failed)
        product, model = version.text("PROD"), version.text("MODEL")
        self._family = family_of(product, model)
        self._options = await self._list_options()
        self._dna = blob.values.text("DNA")
        found = offered(
            self._family, self._options, blob.values, pools=await self._takes_pools()
        )
        return describe(
            self.info,
            model=model_name(product, model),
            firmware_version=version.text("VERSION", "LVERSION", "CGVERSION"),
            mac=mac_address(version.text("MAC")),
            serial_number=serial_number(version.text("DNA") or self._dna),
            algorithm="sha256",
            chips=chip_count(blob),
            capabilities=tuple(found),
            limits={name: limit for name, limit in found.items() if limit != Limits()},
        )

    async def _find_statistics(
        self, reply: Mapping[str, Any], failed: dict[str, str]
    ) -> Blob:
        """Take the older name of the statistics where the newer one is not known."""
        blob = read_blob(reply, failed)
        if not blob.values and self._statistics in failed:
            self._statistics = "stats" if self._statistics == "estats" else "estats"
            reply = await self._optional(
                self._statistics, failed, partial(self._run, self._statistics), {}
            )
            blob = read_blob(reply, failed)
        return blob

    async def _list_options(self) -> frozenset[str]:
        """Ask which settings there are; older firmware takes what is documented."""
        try:
            reply = await self._run("ascset", "0,help")
        except CommandFailed, NotSupported, InvalidReply:
            return self._family.documented
        _, _, listed = _message(reply).partition(":")
        if "|" not in listed:
            return self._family.documented
        return frozenset(name.strip() for name in listed.split("|"))

    async def _takes_pools(self) -> bool:
        """Tell whether the pools can be written in a form that is known."""
        if self._family.industrial:
            return self._family is A1346 and "setpool" in self._options
        if not self._family.modes:
            return False
        try:
            reply = await self._run("check", "setpool")
        except CommandFailed, NotSupported, InvalidReply:
            return False
        return Fields(first(reply.get("CHECK"))).boolean("Exists") is True

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> MinerStats:
        """Ask for summary, statistics and pools: at once where the firmware does."""
        names = ("summary", self._statistics, "pools")
        replies = await self._replies(names, failed)
        blob = read_blob(replies[self._statistics], failed)
        summary = Fields(first(replies["summary"].get("SUMMARY")), failed)
        if not blob.values and not summary:
            raise InvalidReply(failed.get("summary", "the miner tells nothing"))
        dna = blob.values.text("DNA")
        if None not in (dna, self._dna) and dna != self._dna:
            await self._refresh_info()
        stats = read_stats(
            blob,
            summary,
            pools(replies["pools"], failed),
            self._family,
            self._settings(blob.values),
        )
        self._mode = blob.values.integer("WORKMODE", field="power_mode")
        return stats

    def _settings(self, values: Fields) -> MinerSettings:
        uptime = values.integer("Elapsed", field="uptime") or 0
        if uptime < self._uptime:
            # The fans are automatic again after a restart, unless set otherwise.
            self._fan = None
        self._uptime = uptime
        duty = values.number("FanR", field="fans", digits=0)
        fixed = self._fan is not None and self._fan != _AUTOMATIC
        return MinerSettings(
            fan=duty if fixed else None,
            fan_automatic=None if self._fan is None else not fixed,
            target_temperature=values.number(
                "TarT", field="target_temperature", digits=1, missing=(-273, 0)
            ),
        )

    # What goes over the wire.

    async def _replies(
        self, names: Sequence[str], failed: dict[str, str]
    ) -> dict[str, dict[str, Any]]:
        """Return the replies to reads, from one request unless that was refused."""
        if self._joined and not self._speaks_text:
            replies = await self._together(names, failed)
            if replies is not None:
                return replies
        self._joined = False
        return {
            name: await self._optional(name, failed, partial(self._run, name), {})
            for name in names
        }

    async def _together(
        self, names: Sequence[str], failed: dict[str, str]
    ) -> dict[str, dict[str, Any]] | None:
        try:
            replies = unjoin(await self._ask("+".join(names)), names)
        except InvalidReply:
            return None
        for name, reply in (replies or {}).items():
            note_refusal(name, reply, failed)
        return replies

    async def _run(self, name: str, parameter: str | None = None) -> dict[str, Any]:
        """Run one command; raise when the miner refuses it."""
        reply = await self._ask(name, parameter)
        cgminer.raise_for_status(reply)
        return reply

    async def _ask(
        self,
        name: str,
        parameter: str | None = None,
        decode: Decoder[dict[str, Any]] = cgminer_text.decode,
    ) -> dict[str, Any]:
        """Send one request on a connection of its own and return the reply."""
        reply = await exchange(
            self.wire, self.port, self._encode(name, parameter), decode
        )
        if isinstance(reply, cgminer_text.TextReply) and not self._speaks_text:
            # A request in JSON that was answered in text was not understood.
            self._speaks_text = True
            return await self._ask(name, parameter, decode)
        self._note_clock(reply)
        return reply

    def _encode(self, name: str, parameter: str | None) -> bytes:
        if self._speaks_text:
            return cgminer_text.request(name, parameter)
        payload = {"command": name}
        if parameter is not None:
            payload["parameter"] = parameter
        return orjson.dumps(payload)

    def _note_clock(self, reply: Mapping[str, Any]) -> None:
        """Note how far the miner's clock is ahead, for what it does at a given time."""
        part: Mapping[str, Any] = reply
        if "STATUS" not in reply:
            part = first(next(iter(reply.values()), None))
        when = first(part.get("STATUS")).get("When")
        if isinstance(when, int) and when > _EARLIEST_DATE:
            self._clock_ahead = when - time.time()

    # What the miner can be told.

    async def _set(self, setting: str) -> None:
        await self._run("ascset", f"0,{setting}")

    async def _tell(self, setting: str) -> None:
        """Send a setting that the miner may act on before it replies."""
        try:
            async with asyncio.timeout(self.timeout / 2):
                reply = await self._ask("ascset", f"0,{setting}", _decode_or_silence)
        except TimeoutError, DeviceTimeout:
            return
        cgminer.raise_for_status(reply)

    async def _set_timed(self, setting: str) -> None:
        moment = int(time.time() + self._clock_ahead) + _SLEEP_DELAY
        await self._tell(f"{setting},1:{moment}")

    async def _reboot_to_apply(self) -> None:
        self._rebooting = True
        await self._tell("reboot,0")

    @override
    def _time_to_confirm(self, capability: Capability) -> float:
        if self._rebooting:
            return self.reboot_within
        return super()._time_to_confirm(capability)

    @override
    async def _confirm(self, capability: Capability, check: Check) -> None:
        try:
            await super()._confirm(capability, check)
        finally:
            self._rebooting = False

    @override
    async def _pause(self) -> None:
        """Send to sleep; what cannot be woken up at a given time sleeps at once."""
        if "softon" in self._options:
            await self._set_timed("softoff")
        else:
            await self._tell("softoff")

    @override
    async def _resume(self) -> None:
        if "softon" in self._options:
            await self._set_timed("softon")
        elif (await self._fetch_stats({})).status is MinerStatus.PAUSED:
            await self._reboot_to_apply()

    @override
    async def _reboot(self) -> None:
        await self._tell("reboot,0")

    @override
    async def _locate(self, on: bool) -> None:
        await self._set(f"led,1-{int(on)}")

    @override
    async def _set_power_mode(self, mode: str) -> None:
        numbers = {name: number for number, name in self._family.modes.items()}
        number = numbers[mode]
        if not self._family.industrial:
            await self._set(f"workmode,set,{number}")
        elif number != self._mode:
            await self._set(f"workmode,{number}")
            await self._reboot_to_apply()

    @override
    async def _set_fan(self, duty: float | None) -> None:
        speed = _AUTOMATIC if duty is None else round(duty)
        await self._set(f"fan-spd,{speed}")
        self._fan = speed

    @override
    async def _set_target_temperature(self, celsius: float) -> None:
        await self._set(f"target-temp,{round(celsius)}")

    @override
    async def _set_pools(self, pools: Sequence[PoolConfig]) -> None:
        """Write all slots, then reboot. Slots that are left over repeat the last pool.

        The firmware cannot empty a slot, and somebody else's pool must not stay.
        """
        if not self.password:
            raise AuthenticationFailed(
                "changing the pools needs the password of the miner's web page"
            )
        account = self.username or self._family.account
        for slot in range(max(len(pools), await self._count_pools())):
            pool = pools[min(slot, len(pools) - 1)]
            await self._set_pool(account, self.password, slot, pool)
        await self._reboot_to_apply()

    async def _count_pools(self) -> int:
        return len(pools(await self._run("pools"), {}))

    async def _set_pool(
        self, account: str, password: str, slot: int, pool: PoolConfig
    ) -> None:
        values = (account, password, str(slot), pool.url, pool.user, pool.password)
        if any("," in value or not value for value in values):
            raise NotSupported("the miner takes no empty value and no comma in a pool")
        joined = ",".join(values)
        try:
            if self._family.industrial:
                await self._set(f"setpool,{joined}")
            else:
                await self._run("setpool", joined)
        except CommandFailed as error:
            raise _refusal_of_pool(str(error), (password, pool.password)) from None


def _message(reply: Mapping[str, Any]) -> str:
    return str(first(reply.get("STATUS")).get("Msg") or "")


def _decode_or_silence(data: bytes, closed: bool) -> dict[str, Any] | None:  # noqa: FBT001
    """Decode a reply, if the miner sends one before it acts."""
    if closed and not data.strip(b"\x00 \r\n\t"):
        return {"STATUS": [{"STATUS": "S"}]}
    return cgminer_text.decode(data, closed)


def _refusal_of_pool(words: str, secrets: Sequence[str]) -> Exception:
    """Return the error for a pool that was refused; the miner may repeat secrets."""
    if any(secret in words for secret in secrets if len(secret) > 1):
        words = "the device refused the pool"
    lowered = words.lower()
    if any(hint in lowered for hint in ("username err", "userpass err", "auth")):
        return AuthenticationFailed(words)
    return CommandFailed(words)


DRIVERS = (Avalon,)

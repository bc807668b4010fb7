"""Whatsminer with API v2 on port 4028, from M20 on.

Source: protocols.md 4, 16 and 17, mdk-devices.md 2.1.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
import re
from typing import Any, ClassVar, override

import orjson

from ..device import describe
from ..errors import CommandFailed, InvalidReply, MiningSDKError, NotSupported
from ..fields import Fields, mac_address, serial_number
from ..miner import Miner
from ..model import (
    Capability,
    DeviceInfo,
    Fault,
    Limits,
    MinerPool,
    MinerSettings,
    MinerStats,
    PoolConfig,
)
from ..seldom import Seldom
from ..transports.cgminer import VERSION, request
from ..transports.http import ROOT
from ..transports.wire import Probe, Wire
from . import _whatsminer_common as common, _whatsminer_v2_stats as read
from ._whatsminer_v2 import PORT, V2, Silence

_DIGITS = re.compile(r"\d+")
# From this API version on the firmware takes a power limit and a percentage.
_POWER_SINCE = (2, 0, 5)
_CODES_SINCE = (2,)
_REFUSED = (CommandFailed, NotSupported, Silence)
# Single boards and error codes are connections of their own, to a miner that hashes
# undisturbed; its summary tells the hottest chip and the rate of all boards.
_BOARDS_EVERY = 2
_CODES_EVERY = 4


async def _ask_who(wire: Wire, port: int) -> str:
    """Ask for version and API; firmware of before 2020 only tells of its boards."""
    reply = orjson.dumps(await request(wire, port, {"cmd": "get_version"})).decode()
    if '"fw_ver"' in reply:
        return reply
    boards = await request(wire, port, {"command": "devdetails"})
    return reply + orjson.dumps(boards).decode()


_WHO = Probe("whatsminer", PORT, _ask_who)


class Whatsminer(Miner):
    """A Whatsminer on its API v2."""

    name = "whatsminer"
    aliases = ("miner-wm", "microbt")
    make = common.MAKE
    firmware = "stock"
    models = "M20 to M7x: air, hydro and immersion, firmware from 2019 on"
    transport = "TCP 4028, JSON; writes with a token and AES"
    default_port = PORT
    default_username = "admin"
    needs_password = "control"
    factory_accounts = (("admin", "admin"),)
    probes = (_WHO, VERSION, ROOT)
    confirm_longer: ClassVar[dict[Capability, float]] = common.CONFIRM_LONGER
    restarts = common.RESTARTS

    def __init__(self, host: str, **options: Any) -> None:
        """Describe a miner; options are those of ``Device``."""
        super().__init__(host, **options)
        self._api = V2(self.wire, self.port, self.username)
        self._joined = True
        self._board_commands: tuple[str, ...] = ("edevs", "devs")
        # What the last info told of the firmware.
        self._has_codes = True
        self._codes: Seldom[list[object]] = Seldom(_CODES_EVERY)
        self._boards: Seldom[dict[str, Any]] = Seldom(_BOARDS_EVERY)
        self._tells_off = False
        self._liquid = False
        self._ask_status_always = False
        # What the miner was last seen doing, and what it was last set to.
        self._asleep = False
        self._mute_asleep = False
        self._confirming = False
        self._led_due = False
        self._locating: bool | None = None
        self._set = read.Condition()

    @override
    @classmethod
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        who = evidence.get(_WHO, "").lower()
        old = evidence.get(VERSION, "").lower()
        if '"fw_ver"' in who or "bitmicro" in who or "whatsminer" in who + old:
            return 50
        # It refuses `version`, in an envelope unlike that of cgminer.
        refuses = '"status":"e"' in old and '"code":14' in old and '"when"' in old
        return 40 if refuses and "/cgi-bin/luci" in evidence.get(ROOT, "") else 0

    @override
    async def check_credentials(self) -> None:
        """Connect, and have the device decrypt a question of which nothing follows."""
        await super().check_credentials()
        if (password := self.password) and not self._api.is_bare:
            async with self._lock:
                await self._limited(lambda: self._api.check(password))

    @override
    async def _fetch_info(self) -> DeviceInfo:
        self._api.start_over()
        self._codes.forget()
        self._boards.forget()
        version = Fields(await self._fact("get_version")).child("Msg")
        network = Fields(await self._fact("get_miner_info")).child("Msg")
        self._set = read.condition(await self._fact("status"))
        summary = read.summary(await self._fact("summary"))
        self._tells_off = self._set.off is not None
        if not (version or network or summary or self._tells_off):
            raise InvalidReply("this does not answer as a Whatsminer does")
        self._locating = _locating(network)
        api = tuple(map(int, _DIGITS.findall(version.text("api_ver") or "")))
        self._has_codes = api >= _CODES_SINCE
        self._joined = True
        told = (self._set.throttle, self._set.liquid)
        self._ask_status_always = told != (None, None)
        model = version.text("miner_type") or await self._ask_model()
        info = self._identify(version, network, summary, model)
        self._liquid = (
            common.is_liquid(info.model)
            or summary.boolean("Liquid Cooling") is True
            or self._set.liquid is not None
        )
        return self._with_capabilities(info, summary, api)

    async def _try(self, command: str) -> dict[str, Any]:
        """Ask for what some firmware does not tell."""
        try:
            return await self._api.read(command)
        except _REFUSED:
            return {}

    async def _fact(self, command: str) -> dict[str, Any]:
        """Ask for a part of the info; the first time, it may be a broken one."""
        try:
            return await self._try(command)
        except InvalidReply:
            if self._connected:
                raise
            return {}

    async def _ask_model(self) -> str | None:
        return Fields(await self._fact("devdetails")).child("DEVDETAILS").text("Model")

    def _identify(
        self, version: Fields, network: Fields, summary: Fields, model: str | None
    ) -> DeviceInfo:
        info = self._info
        mac = mac_address(network.text("mac") or summary.text("MAC"))
        if mac is not None and info.mac not in (None, mac):
            # Another device has this address now; nothing of the old one holds.
            info = replace(
                info, model=None, serial_number=None, hostname=None, limits={}
            )
        told = version.text("fw_ver") or summary.text("Firmware Version")
        # Old firmware writes the quotes of its own script into the text.
        firmware = told or self._set.firmware or ""
        return describe(
            info,
            mac=mac,
            model=common.model_name(model),
            serial_number=serial_number(network.text("minersn")),
            hostname=network.text("hostname"),
            firmware_version=firmware.strip("'\" ") or None,
            algorithm="sha256",
        )

    def _with_capabilities(
        self, info: DeviceInfo, summary: Fields, api: tuple[int, ...]
    ) -> DeviceInfo:
        if self._api.is_bare:
            return replace(info, capabilities=(), limits={})
        found = [Capability.REBOOT, Capability.RESTART, Capability.POOLS]
        limits: dict[Capability, Limits] = {}
        if self._tells_off:
            found.append(Capability.PAUSE)
        if self._locating is not None:
            found.append(Capability.LOCATE)
        if not summary or summary.has("Power Mode"):
            found.append(Capability.POWER_MODE)
            limits[Capability.POWER_MODE] = Limits(options=common.POWER_MODES)
        if api >= _POWER_SINCE:
            found.append(Capability.POWER_LIMIT)
            limits[Capability.POWER_LIMIT] = self._power_limits(info, summary)
            if self._set.throttle is not None:
                found.append(Capability.THROTTLE)
                limits[Capability.THROTTLE] = common.THROTTLE
        return replace(info, capabilities=tuple(found), limits=limits)

    def _power_limits(self, info: DeviceInfo, summary: Fields) -> Limits:
        return common.power_limits(
            read.hashrate_expected(summary),
            read.efficiency(summary),
            (read.power_limit(summary), self._set.limit),
            info.limits.get(Capability.POWER_LIMIT),
        )

    @override
    async def _fetch_settings(self) -> None:
        self._confirming = True
        self._codes.forget()
        self._boards.forget()
        if self._led_due:
            reply = await self._api.read("get_miner_info")
            self._locating = _locating(Fields(reply).child("Msg"))

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> MinerStats:
        confirming, self._confirming = self._confirming, False
        state = None
        if confirming or self._asleep or self._ask_status_always:
            state = await self._optional("status", failed, self._read_status, None)
        if state is not None and state.off and self._mute_asleep:
            return await self._without_summary(state, failed)
        try:
            summary, pools = await self._read_summary(failed)
        except _REFUSED as error:
            return await self._explain(error, state, failed)
        nothing: dict[str, Any] = {}
        resting = not read.hashrate(summary)
        boards = await self._optional(
            "boards",
            failed,
            lambda: self._boards.get(self._read_boards, failed, now=resting),
            nothing,
        )
        faults = await self._read_faults(summary, failed)
        asked = state is not None or "status" in failed
        if self._tells_off and not asked and not read.hashrate(summary):
            state = await self._optional("status", failed, self._read_status, None)
        self._asleep = state is not None and state.off is True
        self._notice_changes(summary)
        reading = read.Reading(
            summary=summary,
            boards=boards,
            pools=pools,
            faults=faults,
            off=self._asleep,
            has_fans=not self._liquid,
            coolant=None if state is None else state.liquid,
        )
        return read.stats(
            reading,
            self._set,
            failed,
            locating=self._locating,
            prefer_set=confirming or self._asleep,
        )

    async def _read_status(self) -> read.Condition:
        found = read.condition(await self._api.read("status"))
        self._set = found.or_else(self._set)
        return found

    async def _read_summary(
        self, failed: dict[str, str]
    ) -> tuple[Fields, tuple[MinerPool, ...]]:
        """Return summary and pools, by one request where the firmware joins them."""
        if self._joined:
            with suppress(*_REFUSED, InvalidReply):
                reply = await self._api.read("summary+pools")
                if summary := read.summary(reply, failed):
                    return summary, read.pools(reply, failed)
        summary = read.summary(await self._api.read("summary"), failed)
        if not summary:
            raise InvalidReply("the reply has no summary")
        self._joined = False
        reply = await self._optional(
            "pools", failed, lambda: self._api.read("pools"), {}
        )
        return summary, read.pools(reply, failed)

    async def _read_boards(self, _: dict[str, str]) -> dict[str, Any]:
        for command in self._board_commands:
            if reply := await self._try(command):
                self._board_commands = (command,)
                return reply
        return {}

    async def _read_faults(
        self, summary: Fields, failed: dict[str, str]
    ) -> tuple[Fault, ...]:
        """Return the faults; old firmware has their codes in the summary."""
        codes = read.codes_in_summary(summary)
        if not codes and self._has_codes:
            # While it hashes there is time; else they have to tell why it does not.
            now = not read.hashrate(summary)
            codes = await self._optional(
                "faults",
                failed,
                lambda: self._codes.get(
                    lambda _: self._api.read_codes(), failed, now=now
                ),
                [],
            )
        return read.faults(codes)

    async def _explain(
        self,
        error: MiningSDKError,
        state: read.Condition | None,
        failed: dict[str, str],
    ) -> MinerStats:
        """Say what a miner does that gives no summary: it sleeps, or it starts.

        Raises:
            InvalidReply: it does not tell whether it is switched off.
        """
        if state is None:
            try:
                state = await self._read_status()
            except _REFUSED:
                state = read.Condition()
        if state.off is None:
            raise InvalidReply(str(error)) from None
        self._asleep = self._mute_asleep = state.off
        return await self._without_summary(state, failed)

    async def _without_summary(
        self, state: read.Condition, failed: dict[str, str]
    ) -> MinerStats:
        faults = await self._read_faults(Fields(None), failed)
        return MinerStats(
            status=common.status_without_values(off=self._asleep, faults=faults),
            hashrate=0.0 if self._asleep else None,
            power_limit=self._set.limit,
            power_mode=self._set.mode,
            temperature_inlet=state.liquid,
            locating=self._locating,
            settings=MinerSettings(throttle=self._set.throttle),
            faults=faults,
            failed=failed,
        )

    def _notice_changes(self, summary: Fields) -> None:
        """Look for what the info should tell otherwise by now."""
        info, limits = self._info, self._limits(Capability.POWER_LIMIT)
        mac = mac_address(summary.text("MAC"))
        if mac is not None and info.mac not in (None, mac):
            self.forget_info()
        elif limits.maximum == common.MOST_WATTS:
            better = self._power_limits(info, summary)
            changed = {**info.limits, Capability.POWER_LIMIT: better}
            self._info = replace(info, limits=changed)

    async def _write(self, command: str, **more: object) -> None:
        self._led_due = False
        await self._api.write(self.password, command, **more)

    @override
    async def _pause(self) -> None:
        await self._write("power_off", respbefore="true")

    @override
    async def _resume(self) -> None:
        await self._write("power_on")

    @override
    async def _reboot(self) -> None:
        await self._write("reboot")

    @override
    async def _restart(self) -> None:
        await self._write("restart_btminer")

    @override
    async def _locate(self, on: bool) -> None:
        if on:
            await self._write("set_led", **common.BLINK)
        else:
            await self._write("set_led", param="auto")
        self._led_due = True

    @override
    async def _set_power_limit(self, watts: float) -> None:
        await self._write("adjust_power_limit", power_limit=f"{watts:.0f}")

    @override
    async def _set_power_mode(self, mode: str) -> None:
        await self._write(f"set_{mode}_power")

    @override
    async def _set_throttle(self, percent: float) -> None:
        # Slower than set_power_pct, but made for frequent use.
        await self._write("set_power_pct_v2", percent=f"{percent:.0f}")

    @override
    async def _set_pools(self, pools: Sequence[PoolConfig]) -> None:
        texts: dict[str, object] = {}
        for place in range(1, 4):
            pool = pools[place - 1] if place <= len(pools) else None
            texts[f"pool{place}"] = pool.url if pool else ""
            texts[f"worker{place}"] = pool.user if pool else ""
            texts[f"passwd{place}"] = pool.password if pool else ""
        await self._write("update_pools", **texts)


def _locating(network: Fields) -> bool | None:
    """Tell whether the LED blinks by command, from what ``ledstat`` says."""
    state = network.text("ledstat")
    return None if state is None else state.lower() != "auto"


DRIVERS = (Whatsminer,)

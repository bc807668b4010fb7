"""The Nerd family: AxeOS of its own kind on NerdAxe, NerdQAxe and larger boards."""

from collections.abc import Mapping, Sequence
import re
from typing import Any, ClassVar, override

from ..errors import AuthenticationFailed
from ..fields import Fields
from ..model import Capability, Limits
from ..transports.wire import Probe
from ._axeos_api import (
    INFO,
    RESTART_PATH,
    SETTINGS_PATH,
    answers_as_axeos,
    is_nerd,
)
from ._axeos_base import AxeMiner, Offer, fan_limits, options, range_of
from ._axeos_pools import Target, flat_settings, slots

_SHUTDOWN_PATH = "/api/system/shutdown"

_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")
_SHUTDOWN_SINCE = (1, 0, 36)
_CODE = re.compile(r"\d{6}")
_RESTARTS_WITHIN = 120.0
_LOWEST_DUTY = 15.0
_PID_FAN = 2


class NerdAxe(AxeMiner):
    """A NerdAxe, NerdQAxe+/++, NerdOCTAXE, NerdEKO, NerdQX and their kin.

    There is no login, unless the owner set up one-time passwords (1.0.34 and later).
    Then settings, fans and pools need the password given here to be either the token
    of a session, which lasts a day (POST ``/api/v2/otp/session`` with the code), or
    the current code of six digits, which lasts half a minute; without it they raise
    ``AuthenticationFailed`` and nothing is sent, as five failures lock the device for
    five minutes. Reading, pause, resume and reboot never need it from 1.0.36 on.

    Pausing (1.0.36) shuts the chips down; only a restart of the device brings them
    back, and that is what resume does. Pools are taken over at once from 1.0.36 on,
    and by a restart before. Addresses that are not private IPv4 are refused, which
    reads as ``InvalidReply`` and, on a command, as ``CommandFailed``. With two
    fans the first one is set. Source: protocols.md 3.5, 16 and 17.
    """

    name = "nerdaxe"
    make = "NerdAxe"
    aliases = ("nerdqaxe", "nerdoctaxe", "nerdminer")
    models = (
        "NerdAxe, NerdAxeGamma, NerdQAxe+/++, NerdOCTAXE, NerdHaxe, NerdEKO, NerdQX"
    )
    needs_password = "control"
    checks_password = False
    confirm_longer: ClassVar[dict[Capability, float]] = {
        Capability.PAUSE: _RESTARTS_WITHIN,
        Capability.POOLS: _RESTARTS_WITHIN,
    }
    restarts = frozenset({Capability.POOLS})

    @classmethod
    @override
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        answer = evidence.get(INFO, "")
        return 90 if answers_as_axeos(answer) and is_nerd(answer) else 0

    @override
    def _describe(self, reply: Fields, asic: Fields) -> dict[str, Any]:
        return {
            "model": reply.text("deviceModel") or reply.text("ASICModel"),
            "chips": reply.integer("asicCount") or asic.integer("asicCount"),
        }

    @override
    def _offer(self, reply: Fields, asic: Fields) -> Offer:
        offer: Offer = {
            Capability.REBOOT: None,
            Capability.POOLS: Limits(minimum=1, maximum=slots(reply), step=1),
        }
        if _has_shutdown(reply):
            offer[Capability.PAUSE] = None
        if reply.has("autofanspeed"):
            offer[Capability.FAN] = fan_limits(_LOWEST_DUTY)
        if _has_pid(reply):
            offer[Capability.TARGET_TEMPERATURE] = Limits(
                minimum=30, maximum=80, step=1
            )
        if frequencies := range_of(options(asic, "frequencyOptions")):
            offer[Capability.FREQUENCY] = frequencies
        if voltages := range_of(options(asic, "voltageOptions"), scale=0.001):
            offer[Capability.VOLTAGE] = voltages
        return offer

    @override
    async def _write(self, method: str, path: str, json: object = None) -> str:
        return await self._api.write(method, path, json, self._one_time(path))

    def _one_time(self, path: str) -> dict[str, str] | None:
        """Return the header that the one-time password travels in, if there is one."""
        if not self._reply.boolean("otp"):
            return None
        given = (self.password or "").strip()
        if given and given.isascii() and given.isprintable():
            return {"X-TOTP" if _CODE.fullmatch(given) else "X-OTP-Session": given}
        if path != SETTINGS_PATH:
            return None
        raise AuthenticationFailed(
            "this device asks for one-time passwords: give the token of an OTP session "
            "(or the current code of six digits) as its password"
        )

    @override
    async def _pause(self) -> None:
        await self._write("POST", _SHUTDOWN_PATH)

    @override
    async def _resume(self) -> None:
        await self._write("POST", RESTART_PATH)

    @override
    def _automatic_fan(self) -> int:
        return _PID_FAN if _has_pid(self._reply) else 1

    @override
    async def _set_target_temperature(self, celsius: float) -> None:
        await self._patch(pidTargetTemp=round(celsius))

    @override
    async def _set_frequency(self, megahertz: float) -> None:
        # Anything but a whole number is ignored without a word.
        await self._patch(frequency=round(megahertz))

    @override
    async def _write_pools(self, wanted: Sequence[Target]) -> None:
        await self._patch(**flat_settings(self._reply, wanted, boolean_tls=True))

    @override
    def _pools_need_restart(self) -> bool:
        return not _has_shutdown(self._reply)


def _has_shutdown(reply: Fields) -> bool:
    match = _VERSION.match(reply.text("version") or "")
    new = match is None or tuple(map(int, match.groups())) >= _SHUTDOWN_SINCE
    return new and reply.has("shutdown")


def _has_pid(reply: Fields) -> bool:
    return (reply.number("pidTargetTemp") or 0) > 0


DRIVERS = (NerdAxe,)

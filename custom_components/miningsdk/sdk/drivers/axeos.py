"""AxeOS 2.0 to 2.15 on Bitaxe boards, and what its clones made of it."""

from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any, ClassVar, override

from .. import models
from ..fields import Fields
from ..model import Capability, Limits
from ..transports.wire import Probe
from ._axeos_api import INFO, answers_as_axeos, is_nerd
from ._axeos_base import AxeMiner, Offer, fan_limits, options, range_of
from ._axeos_clones import maker
from ._axeos_pools import Target, flat_settings, records, slots

_PAUSE_PATH = "/api/system/pause"
_RESUME_PATH = "/api/system/resume"
_IDENTIFY_PATH = "/api/system/identify"
_POOL_PATH = "/api/system/pools"

_CUE_SECONDS = 30.0
_RESTARTS_WITHIN = 120.0

# MHz and mV that AxeOS offered for each chip before 2.7 told them itself.
_OPTIONS = {
    "BM1397": ((*range(400, 601, 25), 485), range(1100, 1501, 50)),
    "BM1366": ((*range(400, 576, 25), 485), range(1100, 1301, 50)),
    "BM1368": ((*range(400, 576, 25), 490), range(1100, 1301, 50)),
    "BM1370": ((400, 490, 525, 550, 600, 625), (1000, 1060, *range(1100, 1251, 50))),
}
# The firmware takes anything up to 65535 once overclocking is allowed in it.
_OVERCLOCK_FREQUENCY = (0.5, 2.0)
_OVERCLOCK_VOLTAGE = (0.9, 1.2)


class AxeOS(AxeMiner):
    """A Bitaxe: Max, Ultra, Hex, Supra, Gamma and their kin; or a clone of one.

    Reading and writing need no login, but an address out of the private IPv4 ranges:
    any other is refused, which reads as ``InvalidReply`` and, on a command, as
    ``CommandFailed``. What the firmware offers is told from keys that came with it:
    ``manualFanSpeed`` 2.11, ``resetReason`` with identify 2.12, ``miningPaused`` with
    pause and resume 2.14, ``pools`` 2.15. A pause does not outlast a reboot.

    The locating cue lasts 30 s and cannot be read back: ``locating`` tells whether one
    that this driver began is still on, going by the words of the device's answers.

    Pools are stored, read back, and then the miner is restarted, as it goes on with
    the old ones otherwise. Frequency and voltage stay within the options of AxeOS;
    when overclocking is enabled on the device, within half to double the frequency
    and -10 to +20 % of the voltage. Source: protocols.md 3, 16 and 17.
    """

    name = "axeos"
    make = "Bitaxe"
    aliases = ("bitaxe", "luckyminer", "bitforge", "zyber", "bitdsk")
    models = (
        "Bitaxe Max, Ultra, Hex, Supra, Gamma, Gamma Duo/Turbo; clones: Lucky Miner "
        "LV06-08, BitForge Nano, Zyber8S/8G, Bitdsk"
    )
    confirm_longer: ClassVar[dict[Capability, float]] = {
        Capability.POOLS: _RESTARTS_WITHIN
    }
    restarts = frozenset({Capability.POOLS})
    unseen = frozenset({Capability.LOCATE})

    def __init__(self, *args: Any, **options: Any) -> None:
        """Describe a device without talking to it; see ``Device``."""
        super().__init__(*args, **options)
        self._cue_until = 0.0

    @classmethod
    @override
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        answer = evidence.get(INFO, "")
        if not answers_as_axeos(answer) or is_nerd(answer):
            return 0
        known = '"boardVersion"' in answer or '"stratumURL"' in answer
        return 90 if known else 60

    @override
    def _describe(self, reply: Fields, asic: Fields) -> dict[str, Any]:
        monitored = list(reply.child("hashrateMonitor").children("asics"))
        told = asic.integer("asicCount") or reply.integer("asicCount") or len(monitored)
        if (clone := maker(reply, asic)) is not None:
            return {"make": clone[0], "model": clone[1], "chips": told or None}
        board = reply.text("boardVersion") or ""
        known = models.lookup(self.make, board)
        family = known.model if known else asic.text("deviceModel")
        return {
            "make": self.make,
            "model": f"{family} {board}".strip() if family else reply.text("ASICModel"),
            "chips": told or None,
        }

    @override
    def _offer(self, reply: Fields, asic: Fields) -> Offer:
        offer: Offer = {
            Capability.REBOOT: None,
            Capability.POOLS: Limits(minimum=1, maximum=slots(reply), step=1),
        }
        if reply.has("miningPaused"):
            offer[Capability.PAUSE] = None
        if reply.has("resetReason"):
            offer[Capability.LOCATE] = None
        if reply.has("autofanspeed"):
            # The firmware keeps to this in its automatic; so do we when it is fixed.
            offer[Capability.FAN] = fan_limits(reply.number("minFanSpeed") or 0.0)
        if reply.has("temptarget"):
            offer[Capability.TARGET_TEMPERATURE] = Limits(
                minimum=35, maximum=66, step=1
            )
        frequencies, voltages = _choices(reply, asic)
        if reply.boolean("overclockEnabled"):
            frequencies = _widened(frequencies, _OVERCLOCK_FREQUENCY)
            voltages = _widened(voltages, _OVERCLOCK_VOLTAGE)
        if frequencies:
            offer[Capability.FREQUENCY] = range_of(frequencies)
        if voltages:
            offer[Capability.VOLTAGE] = range_of(voltages, scale=0.001)
        return offer

    @override
    async def _write(self, method: str, path: str, json: object = None) -> str:
        return await self._api.write(method, path, json)

    @override
    async def _pause(self) -> None:
        await self._write("POST", _PAUSE_PATH)

    @override
    async def _resume(self) -> None:
        await self._write("POST", _RESUME_PATH)

    @override
    def _is_locating(self) -> bool | None:
        if Capability.LOCATE not in self.info.capabilities:
            return None
        return monotonic() < self._cue_until

    @override
    async def _locate(self, on: bool) -> None:
        """Begin the cue anew, or end the one that was begun here.

        The only command toggles it, and its answer tells which way.
        """
        if not on and not self._is_locating():
            return
        if await self._toggle_cue() is not on:
            await self._toggle_cue()

    async def _toggle_cue(self) -> bool:
        answer = await self._write("POST", _IDENTIFY_PATH)
        now_on = "no longer" not in answer
        self._cue_until = monotonic() + _CUE_SECONDS if now_on else 0.0
        return now_on

    @override
    async def _set_target_temperature(self, celsius: float) -> None:
        await self._patch(temptarget=round(celsius))

    @override
    async def _set_frequency(self, megahertz: float) -> None:
        await self._patch(
            frequency=round(megahertz) if megahertz.is_integer() else megahertz
        )

    @override
    async def _write_pools(self, wanted: Sequence[Target]) -> None:
        if not self._reply.has("primaryPoolIndex"):
            await self._patch(**flat_settings(self._reply, wanted, boolean_tls=False))
            return
        for number, record in records(self._reply, wanted).items():
            await self._write("PUT", f"{_POOL_PATH}/{number}", record)

    @override
    def _pools_need_restart(self) -> bool:
        return True


def _choices(reply: Fields, asic: Fields) -> tuple[Sequence[int], Sequence[int]]:
    """Return the frequencies and voltages that AxeOS offers for this board.

    Clones carry the version of a board that they are not: nothing is assumed of them.
    """
    told = options(asic, "frequencyOptions"), options(asic, "voltageOptions")
    if told[0] or told[1]:
        return told
    board = models.lookup(AxeOS.make, reply.text("boardVersion"))
    genuine = board is not None and maker(reply, asic) is None
    known = _OPTIONS.get(reply.text("ASICModel") or "") if genuine else None
    return (sorted(known[0]), known[1]) if known else told


def _widened(values: Sequence[int], by: tuple[float, float]) -> Sequence[int]:
    if not values:
        return values
    low, high = round(values[0] * by[0]), round(values[-1] * by[1])
    return (low, low + 1, high)


DRIVERS = (AxeOS,)

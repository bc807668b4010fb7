"""Braiins OS 20 to 22, and open-source BOSminer: all through the socket API."""

from collections.abc import Mapping
from typing import ClassVar, override

from ..device import describe
from ..miner import Miner
from ..model import Capability, DeviceInfo, MinerStats
from ..transports import cgminer
from ..transports.wire import Probe
from ._braiins_identity import score
from ._braiins_socket import Socket
from ._braiins_status import Judge


class BraiinsCgminer(Miner):
    """A miner whose BOSminer speaks for itself, without a password.

    Pause and resume are offered where the firmware says that it knows them; not all
    show that they are paused, so one that was paused from here counts as such until
    it hashes again. A power limit and all other settings are read only. Source: the
    vendor's page on the BOSminer API, protocols.md 2 and 7.
    """

    name = "braiins-cgminer"
    firmware = "braiins"
    aliases = ("bosminer",)
    models = "Antminer S9, X17 and X19 with Braiins OS 20 to 22 (BOSminer)"
    transport = "cgminer API on 4028"
    default_port = cgminer.PORT
    probes = (cgminer.VERSION,)
    # Ramping down takes a dozen seconds, switching on again takes longer.
    confirm_longer: ClassVar[dict[Capability, float]] = {Capability.PAUSE: 90.0}

    def __init__(self, host: str, **options: object) -> None:
        """Describe a miner without talking to it; options are those of ``Device``."""
        super().__init__(host, **options)  # type: ignore[arg-type]
        self._socket = Socket(self.wire, self.port, Judge())

    @override
    @classmethod
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        """Know it by the name of its mining process."""
        return score(evidence.get(cgminer.VERSION, ""), "", rest=False)

    @override
    async def _fetch_info(self) -> DeviceInfo:
        self._socket.reset()
        found = await self._socket.identity()
        pauses = await self._socket.knows("pause")
        return describe(
            self.info,
            **found,
            algorithm="sha256",
            capabilities=(Capability.PAUSE,) if pauses else (),
        )

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> MinerStats:
        return await self._socket.stats(failed)

    @override
    async def _pause(self) -> None:
        await self._socket.run("pause")
        self._socket.expect_pause()

    @override
    async def _resume(self) -> None:
        await self._socket.run("resume")
        self._socket.expect_start()

"""Invented families that ask for passwords, measure, or break."""

import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar, override

from custom_components.miningsdk.sdk import Device, DeviceInfo, DeviceKind
from custom_components.miningsdk.sdk.transports.wire import Probe
from tests.sdk.fakes import FAKES, PAGE_PORT, WHO, FakeDevice, StockMiner


class GuardedMiner(StockMiner):
    """A family that is read by anybody and controlled with a password."""

    name = "fakeguarded"
    aliases = ()
    make = "Guarded"
    firmware = "guarded"
    default_username = "root"

    @classmethod
    @override
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        return 90 if '"fake":"guarded"' in evidence.get(WHO, "") else 0

    @override
    async def check_credentials(self) -> None:
        await super().check_credentials()
        if self.password is not None:
            await self._ask("stats")


class OpenMiner(GuardedMiner):
    """A family that knows no passwords."""

    name = "fakeopen"
    make = "Open"
    firmware = "open"
    needs_password = "never"

    @classmethod
    @override
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        return 90 if '"fake":"open"' in evidence.get(WHO, "") else 0


class Meter(Device[None]):
    """A device that is no miner."""

    name = "fakemeter"
    kind = DeviceKind.METER
    default_port = PAGE_PORT
    probes: ClassVar[tuple[Probe, ...]] = (WHO,)

    @classmethod
    @override
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        return 90 if '"fake":"meter"' in evidence.get(WHO, "") else 0

    @override
    async def _fetch_info(self) -> DeviceInfo:
        return self.info

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> None:
        raise NotImplementedError


DRIVERS = (*FAKES, GuardedMiner, OpenMiner, Meter)


class SpeechlessDevice(FakeDevice):
    """A device that is recognised by its page and says nothing sensible otherwise."""

    @override
    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.read(65_536)
        await self.answer(writer, b"%%%")


class OddDevice(FakeDevice):
    """A device that leaves out what its driver takes for granted."""

    @override
    def _reply(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"fake": "open"}

"""Invented families that ask for passwords, measure, or break."""

import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar, override

from custom_components.miningsdk.sdk import (
    AuthenticationFailed,
    Device,
    DeviceInfo,
    DeviceKind,
    LockedOut,
)
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


class SoldMiner(GuardedMiner):
    """A family that is known to be sold with a password, and may lock itself."""

    name = "fakesold"
    make = "Sold"
    firmware = "sold"
    factory_accounts = (("root", "sold"),)

    @classmethod
    @override
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        return 90 if '"fake":"sold"' in evidence.get(WHO, "") else 0

    @override
    async def check_credentials(self) -> None:
        try:
            await super().check_credentials()
        except AuthenticationFailed:
            if (await self._ask("info")).get("locked"):
                raise LockedOut("too many wrong passwords") from None
            raise


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


DRIVERS = (*FAKES, GuardedMiner, OpenMiner, SoldMiner, Meter)


class LockingDevice(FakeDevice):
    """A device that takes no password any more after a few wrong ones."""

    patience = 1

    @override
    def _reply(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["command"] == "info":
            locked = len(self.refused) > self.patience
            return {**super()._reply(asked), "locked": locked}
        if asked.get("password") and len(self.refused) > self.patience:
            return {"denied": True}
        return super()._reply(asked)


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

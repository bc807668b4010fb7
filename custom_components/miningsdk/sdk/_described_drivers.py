"""Make driver classes out of what files describe."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, override

from ._described_commands import capability_of
from ._described_links import WORDS, CgminerLink, HttpLink
from ._described_schema import CGMINER, HTTP, METER, MODBUS, Description
from .device import AnyDevice, Device, describe
from .drivers._modbus_device import IDENTITY
from .drivers._table_meter import TableMeter
from .errors import CommandFailed, InvalidReply
from .meter import Meter
from .miner import Miner
from .model import Capability, DeviceInfo, Limits, MeterStats, MinerStats
from .transports import cgminer, http
from .transports.wire import Probe

# The question whose answer holds markers, and the protocol whose port it is asked at.
_PROBES = {
    "page": (http.ROOT, HTTP),
    "version": (cgminer.VERSION, CGMINER),
    "identity": (IDENTITY, MODBUS),
}


class FromFile[S](Device[S]):
    """A device of which a file tells how it is recognised."""

    described: ClassVar[Description]

    def __init__(self, host: str, *, model: str | None = None, **options: Any) -> None:
        """Describe a device without talking to it; ``options`` as of Device."""
        model = model or self.described.facts.get("model")
        super().__init__(host, model=model, **options)

    @classmethod
    @override
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        wanted = cls.described.markers.values()
        for probe, markers in zip(cls.probes, wanted, strict=True):
            answer = evidence.get(probe, "").lower()
            if not all(marker.lower() in answer for marker in markers):
                return 0
        return cls.described.surety if wanted else 0


class DescribedTable(FromFile[MeterStats], TableMeter):
    """A meter whose registers are listed in a file."""


class Described[S](FromFile[S]):
    """A device that is asked for replies, and told things, as a file describes it."""

    def __init__(self, host: str, **options: Any) -> None:
        """Describe a device without talking to it; ``options`` as of Device."""
        super().__init__(host, **options)
        kind = HttpLink if self.described.protocol == HTTP else CgminerLink
        self._link = kind(self, self.described)

    @override
    async def _fetch_info(self) -> DeviceInfo:
        mapped, failed = self.described.mapped, dict[str, str]()
        names = mapped.info_replies() or mapped.stats_replies()
        replies = await self._link.ask(self._in_order(names), failed)
        offered, limits = self._offer()
        return describe(
            self.info,
            **{"algorithm": self.described.facts.get("algorithm")}
            | mapped.facts(replies),
            capabilities=offered,
            limits=limits,
        )

    async def _replies(self, failed: dict[str, str]) -> dict[str, Any]:
        """Ask what a reading needs; raises when nothing of it is there."""
        mapped = self.described.mapped
        names = self._in_order(mapped.stats_replies())
        replies = await self._link.ask(names, failed)
        if all(value.raw(replies) is None for value in mapped.everything()):
            raise InvalidReply("nothing that the driver's file names is in the replies")
        return replies

    def _in_order(self, names: frozenset[str]) -> list[str]:
        return [name for name in self.described.ask if name in names]

    def _offer(self) -> tuple[tuple[Capability, ...], dict[Capability, Limits]]:
        """Return what the device can be told; nothing without an account it needs."""
        if self.needs_password != "never" and not self.password:
            return (), {}
        commands = self.described.commands
        offered = dict.fromkeys(capability_of(name) for name in commands)
        limits = {
            capability_of(name): command.limits
            for name, command in commands.items()
            if command.limits is not None
        }
        return tuple(offered), limits


class DescribedMeter(Described[MeterStats], Meter):
    """A meter that is read as a file describes it."""

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> MeterStats:
        return self.described.mapped.meter(await self._replies(failed), failed)


class DescribedMiner(Described[MinerStats], Miner):
    """A miner that is read and told as a file describes it."""

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> MinerStats:
        return self.described.mapped.miner(await self._replies(failed), failed)

    async def _tell(self, name: str, value: Any = None) -> None:
        command = self.described.commands[name]
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = round(value * command.scale, 6)
            value = int(value) if value == int(value) else value
        reply = await self._link.tell(command, value)
        if command.ok is not None and not command.ok.holds(reply):
            raise CommandFailed(f"the device refused: {str(reply)[:WORDS]}")


def _hook(name: str) -> tuple[str, Callable[..., Any]]:
    """Return the method by which a miner is told something, and its name."""

    async def plain(self: DescribedMiner) -> None:
        await self._tell(name)

    async def with_value(self: DescribedMiner, value: Any) -> None:
        await self._tell(name, value)

    if hasattr(Miner, method := f"_set_{name}"):
        return method, with_value
    return f"_{name}", with_value if name == "locate" else plain


def make_driver(description: Description) -> type[AnyDevice]:
    """Return the driver that a file describes."""
    facts = description.facts
    base: type[AnyDevice] = DescribedTable
    if description.protocol != MODBUS:
        base = DescribedMeter if description.kind == METER else DescribedMiner
    more = {} if description.port is None else {"default_port": description.port}
    return type(
        description.name.title().replace("-", ""),
        (base,),
        {
            "__doc__": f"The driver {description.name}, described by a file.",
            "__module__": __name__,
            "described": description,
            "name": description.name,
            "make": facts.get("make"),
            "firmware": facts.get("firmware"),
            "models": facts.get("models") or facts.get("model") or description.name,
            "probes": tuple(_probe(s, description) for s in description.markers),
            **_BY_PROTOCOL[description.protocol],
            **_account(description),
            **_told(description),
            **more,
        },
    )


_BY_PROTOCOL: Mapping[str, Mapping[str, Any]] = {
    HTTP: {"transport": "HTTP, by a file", "default_port": http.PORT},
    CGMINER: {"transport": "cgminer API, by a file", "default_port": cgminer.PORT},
    MODBUS: {"transport": "Modbus TCP, by a file"},
}


def _account(description: Description) -> dict[str, Any]:
    auth = description.auth
    if auth.type == "none":
        return {}
    needs = "control" if auth.needed_for == "control" else "always"
    return {"default_username": auth.username, "needs_password": needs}


def _told(description: Description) -> dict[str, Any]:
    """Return what a class has because its device takes commands."""
    if description.protocol == MODBUS:
        return {"table": description.table}
    commands = description.commands
    longer = {
        capability_of(name): command.within
        for name, command in commands.items()
        if command.within is not None
    }
    return {"confirm_longer": longer, **dict(map(_hook, commands))}


def _probe(source: str, description: Description) -> Probe:
    """Return the shared question, or the same one to the port that the file names."""
    probe, protocol = _PROBES[source]
    port = description.port
    if port in (None, probe.port) or protocol != description.protocol:
        return probe
    return Probe(f"{probe.name} {port}", port, probe.ask)

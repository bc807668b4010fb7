"""Bitdeer D40: an immersion container that talks to an MQTT broker."""

import asyncio
from collections.abc import Callable, Collection, Mapping
import copy
from datetime import datetime
from math import inf
from time import monotonic
from typing import Any, ClassVar, override

import orjson

from ..container import Container, Threshold, actuators_are
from ..device import describe
from ..errors import CommandFailed, DeviceTimeout, InvalidReply, NotSupported
from ..fields import Fields
from ..model import Capability, ContainerStats, DeviceInfo, Limits
from ..transports.json_reply import lenient
from ..transports.mqtt import Inbox, MqttClient, MqttLink
from . import _bitdeer_stats as d40
from ._bitdeer_sockets import place_of, read_pdus

# The container publishes everything each 5 s; what is older is no longer true.
_STALE_AFTER = 30.0
# It publishes all of its topics one right after the other.
_TOGETHER = 1.0
# It takes one message at a time.
_PACE = 0.1
_COOLS_WITHIN = 60.0
_KINDS = {14: "D40 M56", 16: "D40 M30", 13: "D40 A1346/S19XP"}
_ALL = "-1"


_OIL = Threshold(low_critical=33, high=42, high_critical=45)
_PRESSURE = Threshold(low_critical=2, low=2.3, high=3.5, high_critical=4)


class BitdeerD40(Container):
    """A D40 for M56, M30, A1346 or S19XP.

    ``topic`` is the name of the container, which every topic begins with, such as
    ``C024_D40``; ``host`` is the broker that the container was told. A broker that
    lets anybody in is used only with ``anonymous``. ``mqtt`` hands in a client that
    is connected already. The container publishes by itself, so a reading asks for
    nothing; what it last said counts for 30 s. A command is confirmed by what it
    publishes after it. The index of a socket is 100 for each PDU plus its place.
    Source: mdk-devices.md 2.6.
    """

    name = "bitdeer-d40"
    aliases = ("bitdeer",)
    make = "Bitdeer"
    models = "D40 for M56, M30, A1346 and S19XP"
    transport = "MQTT, port 1883 of a broker"
    default_port = 1883
    needs_password = "always"
    extra_options = ("topic", "anonymous")
    measures_sockets = True
    # Source: mdk-devices.md 3.7.
    thresholds: ClassVar[Mapping[str, Threshold]] = {
        f"{reading}_{tank}": threshold
        for tank in (1, 2)
        for reading, threshold in (
            ("temperature_oil_cold", _OIL),
            ("pressure_tank", _PRESSURE),
        )
    }
    confirm_longer: ClassVar[dict[Capability, float]] = {
        Capability.COOLING: _COOLS_WITHIN
    }
    stale_after: float = _STALE_AFTER
    pace: float = _PACE

    def __init__(
        self,
        host: str,
        *,
        topic: str | None = None,
        anonymous: bool = False,
        mqtt: MqttLink | None = None,
        **options: Any,
    ) -> None:
        """Describe a container without talking to it; ``options`` as of Container."""
        options["serial_number"] = options.get("serial_number") or topic
        super().__init__(host, **options)
        self.topic = topic
        self._kind = self._info.model
        self._own = None if mqtt is not None else self._client(anonymous=anonymous)
        self._link: MqttLink = mqtt or self._own  # type: ignore[assignment]
        self._inbox = Inbox()
        self._stop: Callable[[], None] | None = None
        self._sent_at = -inf

    def _client(self, *, anonymous: bool) -> MqttClient:
        return MqttClient(
            self.wire,
            self.port,
            username=self.username,
            password=self.password,
            anonymous=anonymous,
        )

    @override
    async def close(self) -> None:
        if self._stop is not None:
            self._stop()
            self._stop = None
        if self._own is not None:
            await self._own.close()
        await super().close()

    @property
    def _patience(self) -> float:
        """Return how long to wait for a message, to fail in words of our own."""
        return self.timeout * 0.7

    @property
    def _rest(self) -> float:
        return self.timeout * 0.15

    def _topics(self) -> list[str]:
        return [f"{self.topic}{name}" for name in d40.TOPICS]

    async def _listen(self) -> None:
        """Subscribe, and wait for what the container says of itself.

        Raises:
            DeviceTimeout: the broker is there, but the container keeps silent.
            and what ``MqttLink`` raises.
        """
        if not self.topic:
            raise NotSupported(
                "this needs the option topic: the name of the container, "
                "which its topics begin with"
            )
        if self._stop is None:
            self._stop = await self._link.subscribe(self._topics(), self._inbox.hear)
        then = monotonic() - self.stale_after
        if not self._inbox.since(then):
            self._link.check()
        first, *others = self._topics()
        if await self._inbox.wait([first], then, self._patience):
            await self._inbox.wait(others, then, min(self._rest, _TOGETHER))
        self._came()

    def _came(self) -> dict[str, bytes]:
        """Return what came lately, by topic; raise when nothing did."""
        came = self._inbox.since(monotonic() - self.stale_after)
        if not came:
            self._link.check()
            raise DeviceTimeout(
                f"{self.host}: the broker is there, but nothing has come from "
                f"{self.topic} for {self.stale_after:g} s; is the topic right, and "
                "may this user listen to it?"
            )
        return came

    def _parts(self, failed: dict[str, str]) -> dict[str, Fields]:
        """Return what was published lately, and note what was not.

        Raises:
            DeviceTimeout: nothing was; or what keeps the client from the broker.
            InvalidReply: nothing of it can be read.
        """
        parts: dict[str, Fields] = {}
        came = self._came()
        for name in d40.TOPICS:
            payload = came.get(f"{self.topic}{name}")
            if payload is None:
                failed[name] = f"nothing has come for {self.stale_after:g} s"
                continue
            try:
                decoded = lenient(payload)
            except InvalidReply as error:
                failed[name] = str(error)
                continue
            if isinstance(decoded, dict) and _CONTENT[name] in decoded:
                parts[name] = Fields(decoded, failed)
            else:
                failed[name] = "the message is of another kind"
        if not parts:
            raise InvalidReply("nothing that the container publishes can be read")
        return parts

    @override
    async def _fetch_info(self) -> DeviceInfo:
        await self._listen()
        parts = self._parts({})
        stats = d40.read_stats(parts, {})
        pdus = list(read_pdus(parts.get(d40.PDUS, Fields(None))))
        offered = [Capability.SOCKET] if pdus else []
        limits: dict[Capability, Limits] = {}
        if self.allow_cooling:
            offered += [Capability.COOLING, Capability.SETPOINT]
            keys = [one.key for one in stats.actuators if _is_switchable(one.key)]
            limits[Capability.COOLING] = Limits(options=tuple(keys))
        return describe(
            self.info,
            model=self._model(parts),
            serial_number=self.topic,
            capabilities=tuple(offered),
            limits=limits,
        )

    def _model(self, parts: dict[str, Fields]) -> str:
        """Return the kind that was given, or what the number of sockets tells."""
        if self._kind:
            return f"D40 {self._kind.removeprefix('D40').strip(' -')}"
        for pdu in parts.get(d40.PDUS, Fields(None)).children("PDUData"):
            listed = pdu.data.get("SocketStatus")
            if isinstance(listed, list) and len(listed) in _KINDS:
                return _KINDS[len(listed)]
        return "D40"

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> ContainerStats:
        return d40.read_stats(self._parts(failed), failed)

    @override
    async def _read_back(self) -> ContainerStats:
        """Read what was published after the command, and nothing older."""
        known = self._inbox.since(monotonic() - self.stale_after)
        if not await self._inbox.wait(known, self._sent_at, self._patience):
            self._link.check()
            raise DeviceTimeout(f"{self.host}: {self.topic} keeps silent since then")
        return await self._fetch_stats({})

    async def _send(self, name: str, body: dict[str, Any]) -> None:
        # The answer may come before the broker has said that it took the order.
        self._sent_at = monotonic()
        await self._link.publish(f"{self.topic}{name}", orjson.dumps(body).decode())
        await asyncio.sleep(self.pace)

    # Commands.

    @override
    async def _set_cooling(self, on: bool) -> None:
        """Switch all fans of the dry coolers, and the cooling of both tanks."""
        tanks = self._parameters(dict.fromkeys(d40.TANKS.values(), _digit(on)))
        running = self._parts({}).get(d40.RUNNING, Fields(None))
        for cooler in running.child("DeviceInfo").children("DryCooler"):
            index = cooler.integer("CoolerIndex")
            if index is not None:
                await self._send("CoolerOperate", _fans(index, _ALL, on=on))
        await self._send("ParameterSet", tanks)

    @override
    def _cooling_is(self, stats: ContainerStats, on: bool) -> bool:
        fans = {one.key: on for one in stats.actuators if "_fan_" in one.key}
        return actuators_are(stats, fans | dict.fromkeys(d40.TANKS, on))

    @override
    async def _reset_cooling(self) -> None:
        await self._send("RunningOperate", _operate("AlarmReset"))

    @override
    async def _set_actuator(self, key: str, on: bool) -> None:
        if key in d40.SWITCHES:
            order = self._parameters({d40.SWITCHES[key]: _digit(on)})
            await self._send("ParameterSet", order)
        elif key in d40.PUMPS:
            kind, index = d40.PUMPS[key]
            order = {"Type": kind, "Index": str(index), "Operate": _digit(on)}
            await self._send("PumpOperate", order)
        elif key == d40.AUTO_RUN:
            order = _operate("AutoRun" if on else "AutoStop")
            await self._send("RunningOperate", order)
        else:
            cooler, _, fan = key.removeprefix("dry_cooler_").partition("_fan_")
            place = str(int(fan) - 1)
            await self._send("CoolerOperate", _fans(int(cooler) - 1, place, on=on))

    @override
    async def _set_sockets(self, indexes: tuple[int, ...], on: bool) -> None:
        """Switch sockets; a whole PDU takes one message."""
        data = self._parts({}).get(d40.PDUS, Fields(None))
        wanted = set(indexes)
        orders: list[tuple[int, int]] = []
        for pdu in read_pdus(data):
            here = {socket.index for socket in pdu.sockets}
            if here and here <= wanted:
                orders.append((pdu.index, -1))
            else:
                orders += [place_of(index) for index in sorted(here & wanted)]
            wanted -= here
        if wanted:
            raise CommandFailed(f"there is no socket {min(wanted)}")
        for index, place in orders:
            order = {"PDUIndex": index, "SocketIndex": place, "Operate": _digit(on)}
            await self._send("PDUOperate", order)

    @override
    async def _set_setpoint(self, key: str, value: float) -> None:
        parts = self._parts({})
        self._check_setpoint(d40.read_stats(parts, {}).setpoints, key, value)
        text = str(round(float(value), 2))
        if key in d40.LIMITS:
            order = self._parameters({d40.LIMITS[key].source: text})
            await self._send("ParameterSet", order)
            return
        policy, group, source = d40.PRICES[key]
        tactics = copy.deepcopy(dict(parts[d40.TACTICS].child("Tactics").data))
        tactics[policy][group][source] = text
        await self._send("TacticsSet", {"Tactics": tactics})

    def _parameters(self, changes: dict[str, str]) -> dict[str, Any]:
        """Return the order to set all parameters as they are, but for some changes."""
        known = d40.running_parameters(self._parts({}))
        if not known:
            raise CommandFailed("the container does not tell what it is set to")
        parameters = {key: known.data[key] for key in _PARAMETERS if known.has(key)}
        return {"TimeStamp": _now(), "RunningParameter": parameters | changes}


_CONTENT = {
    d40.RUNNING: "RunningState",
    d40.PDUS: "PDUData",
    d40.MAIN: "PowerData",
    d40.TACTICS: "Tactics",
    d40.PARAMETERS: "RunningParameter",
}
_PARAMETERS: Collection[str] = (
    *(limit.source for limit in d40.LIMITS.values()),
    *d40.SWITCHES.values(),
)


def _is_switchable(key: str) -> bool:
    """Tell all from the main contactors of dry coolers, which follow their fans."""
    return not key.startswith("dry_cooler_") or "_fan_" in key


def _digit(on: bool) -> str:  # noqa: FBT001
    return "1" if on else "0"


def _fans(cooler: int, fan: str, *, on: bool) -> dict[str, str]:
    return {"CoolerIndex": str(cooler), "FansIndex": fan, "Operate": _digit(on)}


def _operate(what: str) -> dict[str, str]:
    return {"TimeStamp": _now(), "Operate": what}


def _now() -> str:
    """Return the time of the place, as the container's own clock shows it."""
    return datetime.now().astimezone().strftime("%Y-%m-%d %H:%M:%S")


DRIVERS = (BitdeerD40,)

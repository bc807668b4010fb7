"""Bitmain Antspace: HK3 containers cooled by water, and immersion containers."""

from collections.abc import Mapping
from typing import Any, ClassVar, override

from ..container import Container, Threshold
from ..device import describe
from ..errors import CommandFailed, InvalidReply
from ..fields import Fields
from ..model import Capability, ContainerStats, DeviceInfo, Limits
from ..transports.http import HttpClient, ask_page
from ..transports.wire import Probe, Wire
from ._antspace_stats import PID, SUPPLY, Kind, kind_of, read_miners, read_state

_PATH = "/cooler?operation="
_STATE = "coolerState"
# Pumps run up and down slowly, and the controller asks them in turn.
_COOLS_WITHIN = 90.0


async def _ask(wire: Wire, port: int) -> str:
    return await ask_page(wire, port, f"{_PATH}{_STATE}")


STATE = Probe("antspace state", 80, _ask)


_TANK = Threshold(low_critical=33, high=46, high_critical=48)


class Antspace(Container):
    """An Antspace: HK3 with cooling tower, or one with immersion tanks.

    It takes no login: whoever reaches it commands it. Which of the two it is shows in
    its state. A reading is two requests, the state and the summary of its miners; a
    setpoint or switch is one. It tells no serial number. Source: mdk-devices.md 2.5.
    """

    name = "antspace"
    make = "Bitmain"
    models = "Antspace HK3 (hydro) and Antspace immersion"
    transport = "HTTP, port 80"
    default_port = 80
    probes = (STATE,)
    # The tanks' liquid of one with immersion is warmer; it has keys of its own.
    # Source: mdk-devices.md 3.7.
    thresholds: ClassVar[Mapping[str, Threshold]] = {
        "temperature_supply": Threshold(
            low_critical=21, low=25, high=37, high_critical=40
        ),
        "pressure_supply": Threshold(
            low_critical=2, low=2.3, high=3.5, high_critical=4
        ),
        "temperature_secondary_supply_1": _TANK,
        "temperature_secondary_supply_2": _TANK,
    }
    confirm_longer: ClassVar[dict[Capability, float]] = {
        Capability.COOLING: _COOLS_WITHIN
    }

    def __init__(self, *args: Any, **options: Any) -> None:
        """Describe a container without talking to it; see ``Container``."""
        super().__init__(*args, **options)
        self._http = HttpClient(self.wire, self.port)
        self._state = Fields(None)

    @classmethod
    @override
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        answer = evidence.get(STATE, "")
        return 90 if f'"{_STATE}"' in answer and '"params"' in answer else 0

    async def _ask(self, operation: str) -> Fields:
        """Run an operation and return the parameters that it answers."""
        response = await self._http.request("GET", f"{_PATH}{operation}")
        response.raise_for_status()
        reply = Fields(response.json())
        if reply.boolean("ok") is not True:
            raise InvalidReply(f"the device answers no {operation.partition('&')[0]}")
        return reply.child("params")

    async def _ask_state(self) -> Kind:
        self._state = await self._ask(_STATE)
        return kind_of(self._state)

    @override
    async def _fetch_info(self) -> DeviceInfo:
        kind = await self._ask_state()
        allowed = self.allow_cooling
        return describe(
            self.info,
            model=kind.model,
            capabilities=(Capability.COOLING, Capability.SETPOINT) if allowed else (),
            limits={Capability.COOLING: Limits(options=(PID,))} if allowed else {},
        )

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> ContainerStats:
        kind = await self._ask_state()
        if kind.model != self._info.model:
            await self._refresh_info()
        state = Fields(self._state.data, failed)
        miners = await self._optional(
            "miners", failed, lambda: self._ask("minerInfo"), Fields(None)
        )
        return read_state(kind, state, read_miners(Fields(miners.data, failed)))

    async def _tell(self, operation: str) -> None:
        """Send a command; the device says in its reply whether it takes it."""
        response = await self._http.request("GET", f"{_PATH}{operation}")
        response.raise_for_status()
        reply = Fields(response.json())
        if reply.boolean("ok") is not True:
            words = reply.text("error", "msg", "message", "params")
            raise CommandFailed(
                f"the device refused: {(words or 'no reason given')[:200]}"
            )

    @override
    async def _set_cooling(self, on: bool) -> None:
        await self._tell("open" if on else "close")

    @override
    async def _reset_cooling(self) -> None:
        await self._tell("reset")

    @override
    async def _set_setpoint(self, key: str, value: float) -> None:
        self._check_setpoint(
            read_state(kind_of(self._state), self._state, ()).setpoints, key, value
        )
        await self._tell(f"setTemp&temp={value:g}")

    @override
    async def _set_actuator(self, key: str, on: bool) -> None:
        """Leave the supply temperature to the PID controller, or fix it as it is."""
        wanted = "pid" if on else self._state.number(SUPPLY)
        if wanted is None:
            raise CommandFailed("the device does not tell its set temperature")
        await self._tell(
            f"setTemp&temp={wanted if isinstance(wanted, str) else f'{wanted:g}'}"
        )


DRIVERS = (Antspace,)

"""What the simulated meters of a home share: a load that wanders, energy that grows."""

import math
import time
from typing import Any

from aiohttp import web
import orjson

from .base import SimulatedDevice

_SECONDS_AN_HOUR = 3600.0


class SimulatedLoad(SimulatedDevice):
    """A device on one HTTP port that measures ``channels`` circuits.

    ``power`` is that of the first circuit in W; each further one draws a third less.
    Negative power is fed in. ``relays`` switch the circuits of the same number;
    ``stubborn`` takes their commands without obeying.
    """

    ports = (80,)
    scheme = "http"

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        offset: int = 0,
        serial: int = 1,
        mac: str | None = None,
        password: str | None = None,
        power: float = 3250.0,
        channels: int = 1,
        relays: int = 0,
    ) -> None:
        """Describe a meter that has counted for a while."""
        super().__init__(host, offset=offset)
        self.serial = serial
        self.mac = mac or f"A8032A{serial & 0xFFFFFF:06X}"
        self.password = password
        self.base_power = power
        self.channels = channels
        self.on = [True] * relays
        self.stubborn = False
        self.unauthorised = 0
        self._since = time.monotonic()
        self._imported = [1500.0 + 100 * n + serial for n in range(channels)]
        self._exported = [12.5 + n for n in range(channels)]

    def power(self, channel: int = 0) -> float:
        """Return the power of a circuit now, in W."""
        if channel < len(self.on) and not self.on[channel]:
            return 0.0
        wander = 1 + 0.01 * math.sin(time.monotonic() / 9 + self.serial + channel)
        return self.base_power * (2 / 3) ** channel * wander

    def voltage(self, channel: int = 0) -> float:
        """Return the voltage of a circuit now, in V."""
        return 231.4 + math.sin(time.monotonic() / 31 + self.serial + channel)

    def imported(self, channel: int = 0) -> float:
        """Return what a circuit has drawn, in kWh."""
        return self._imported[channel] + self._since_start(channel, drawn=True)

    def exported(self, channel: int = 0) -> float:
        """Return what a circuit has fed in, in kWh."""
        return self._exported[channel] + self._since_start(channel, drawn=False)

    def _since_start(self, channel: int, *, drawn: bool) -> float:
        power = self.power(channel)
        if (power >= 0) is not drawn:
            return 0.0
        hours = (time.monotonic() - self._since) / _SECONDS_AN_HOUR
        return abs(power) * hours / 1000

    def switch(self, relay: int, on: bool) -> None:
        """Obey a command, unless stubborn."""
        if not self.stubborn:
            self.on[relay] = on


def reply(body: object, status: int = 200) -> web.Response:
    """Return JSON."""
    return web.Response(
        body=orjson.dumps(body), status=status, content_type="application/json"
    )


def object_of(body: bytes) -> dict[str, Any]:
    """Return a JSON object that was sent; raises ``ValueError`` when it is none."""
    decoded = orjson.loads(body)
    if not isinstance(decoded, dict):
        raise ValueError("not an object")
    return decoded

"""What the meters that speak HTTP have in common: login, circuits and their sums."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from time import monotonic
from typing import Any, Self, override

from ..errors import AuthenticationFailed, InvalidReply, NotSupported
from ..fields import Fields
from ..model import MeterStats, Socket
from ..switched_meter import SwitchedMeter
from ..transports.http import HttpClient, Response

# Credentials that were refused are not sent again any sooner, unless somebody asks.
_REFUSED_FOR = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """One measured circuit: W, V, A, VA, var, Hz, kWh."""

    index: int
    power: float | None = None
    voltage: float | None = None
    current: float | None = None
    apparent: float | None = None
    reactive: float | None = None
    factor: float | None = None
    frequency: float | None = None
    energy_import: float | None = None
    energy_export: float | None = None


class HomeMeter(SwitchedMeter):
    """A meter on HTTP, with a login or without."""

    default_port = 80

    def __init__(self, *args: Any, **options: Any) -> None:
        """Describe a meter without talking to it; see ``SwitchedMeter``."""
        super().__init__(*args, **options)
        self._http = HttpClient(self.wire, self.port)
        self._refusal = ""
        self._refused_at = -inf

    @override
    async def connect(self) -> Self:
        self._refused_at = -inf
        return await super().connect()

    async def _request(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Send a request with the login.

        Raises:
            AuthenticationFailed: it is refused, or was just before.
            and what ``HttpClient.request`` raises.
        """
        if monotonic() - self._refused_at < _REFUSED_FOR:
            raise AuthenticationFailed(self._refusal)
        response = await self._http.request(method, path, json=json, headers=headers)
        if response.status == 401:
            raise self._refused()
        return response

    async def _get(
        self, path: str, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Return the object at a path."""
        response = await self._request("GET", path, headers=headers)
        response.raise_for_status()
        return as_object(response)

    def _refused(self) -> AuthenticationFailed:
        """Remember that the login was refused; return the error to raise."""
        self._refusal = (
            "the device refused the credentials"
            if self.password
            else "the device asks for its password"
        )
        self._refused_at = monotonic()
        return AuthenticationFailed(self._refusal)

    def _chosen(self, circuits: Sequence[Circuit]) -> Sequence[Circuit]:
        """Return the circuits to read.

        Raises:
            NotSupported: there is none, or not the one that was asked for.
        """
        if not circuits:
            raise NotSupported("this device does not measure any power")
        if self.channel is None:
            return circuits
        for circuit in circuits:
            if circuit.index == self.channel:
                return (circuit,)
        raise NotSupported(f"this device has no channel {self.channel}")


def as_object(response: Response) -> dict[str, Any]:
    """Return the reply as an object; raises ``InvalidReply`` when it is none."""
    reply = response.json()
    if not isinstance(reply, dict):
        raise InvalidReply("the reply is not an object")
    return reply


def read_circuits(
    circuits: Sequence[Circuit],
    failed: dict[str, str],
    *,
    phases: bool,
    sockets: Sequence[Socket] = (),
) -> MeterStats:
    """Return the reading of several circuits together.

    ``phases`` tells that they are conductors, not plugs that happen to share a case.
    """
    conductors = circuits if phases or len(circuits) == 1 else ()
    power = total(circuits, lambda circuit: circuit.power, 1)
    apparent = total(circuits, lambda circuit: circuit.apparent, 1)
    return MeterStats(
        power=power,
        power_phase=tuple(circuit.power for circuit in conductors),
        voltage_phase=tuple(circuit.voltage for circuit in conductors),
        current_phase=tuple(circuit.current for circuit in conductors),
        power_reactive=total(circuits, lambda circuit: circuit.reactive, 1),
        power_apparent=apparent,
        power_factor=_factor(circuits, power, apparent),
        frequency=next((c.frequency for c in circuits if c.frequency), None),
        energy_import=total(circuits, lambda circuit: circuit.energy_import, 6),
        energy_export=total(circuits, lambda circuit: circuit.energy_export, 6),
        sockets=tuple(sockets),
        failed=failed,
    )


def total(
    circuits: Sequence[Circuit],
    value: Callable[[Circuit], float | None],
    digits: int,
) -> float | None:
    """Add up one value, unless one circuit does not tell it."""
    known = [found for circuit in circuits if (found := value(circuit)) is not None]
    if not known or len(known) < len(circuits):
        return None
    return round(sum(known), digits)


def _factor(
    circuits: Sequence[Circuit], power: float | None, apparent: float | None
) -> float | None:
    if len(circuits) == 1 and circuits[0].factor is not None:
        return circuits[0].factor
    return ratio(power, apparent)


def ratio(power: float | None, apparent: float | None) -> float | None:
    """Return the power factor, if there is any load to have one."""
    if power is None or not apparent:
        return None
    return max(-1.0, min(1.0, round(power / apparent, 3)))


def watt_hours(fields: Fields, *keys: str, field: str) -> float | None:
    """Return an energy that is told in Wh, as kWh."""
    return fields.number(*keys, field=field, scale=0.001, digits=6)

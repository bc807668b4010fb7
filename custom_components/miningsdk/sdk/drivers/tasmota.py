"""Tasmota on plugs and meters that measure energy."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, override
from urllib.parse import quote

from ..device import describe
from ..errors import CommandFailed, InvalidReply
from ..fields import Fields, mac_address, number
from ..model import Capability, DeviceInfo, MeterStats, Socket
from ..transports.http import ask_page
from ..transports.wire import Probe, Wire
from ._home_meter import Circuit, HomeMeter, as_object, read_circuits

_POWER = "POWER"
# Name and password, in whatever language.
_LOGIN_WORDS = 2


async def _ask(wire: Wire, port: int) -> str:
    return await ask_page(wire, port, "/cm?cmnd=Status")


STATUS = Probe("tasmota status", 80, _ask)


class Tasmota(HomeMeter):
    """A plug or meter with Tasmota, over its web server.

    A reading is one request (``Status 8``), and one more when there is a relay
    (``Status 11``). The web password, if one is set, has to travel in the address of
    each request; it is kept out of every error. Of several circuits the firmware tells
    power and current as lists, the rest for all of them. Source: protocols.md 13.4.
    """

    integration = "tasmota"
    name = "tasmota"
    make = "Tasmota"
    firmware = "tasmota"
    models = "any plug or meter with Tasmota that measures energy"
    transport = "HTTP, port 80"
    default_username = "admin"
    # Only if somebody set one; then it needs it for everything.
    needs_password = "control"
    probes = (STATUS,)
    zeroconf_types = ("_http._tcp.local.",)

    @classmethod
    @override
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        answer = evidence.get(STATUS, "")
        status = '"Status":{' in answer and '"Topic"' in answer
        return 90 if status or _asks_for_login(answer) else 0

    async def _command_reply(self, command: str) -> Fields:
        """Run a command of the firmware and return what it answers."""
        path = f"/cm?cmnd={quote(command)}"
        if self.password:
            user = quote(self.username or "", safe="")
            secret = quote(self.password, safe="")
            path = f"/cm?user={user}&password={secret}&cmnd={quote(command)}"
        response = await self._request("GET", path)
        response.raise_for_status()
        reply = as_object(response)
        # Older firmware says so in HTTP 200.
        if len(reply) == 1 and _asks_for_login(response.text()):
            raise self._refused()
        return Fields(reply)

    @override
    async def _fetch_info(self) -> DeviceInfo:
        reply = await self._command_reply("Status 0")
        status, network = reply.child("Status"), reply.child("StatusNET")
        if not status:
            raise InvalidReply("the reply is not a status")
        self._chosen(_circuits(reply.child("StatusSNS").child("ENERGY")))
        relays = _relays(reply.child("StatusSTS"))
        return describe(
            self.info,
            model=status.text("DeviceName") or _first(status, "FriendlyName"),
            firmware_version=reply.child("StatusFWR").text("Version"),
            mac=mac_address(network.text("Mac")),
            hostname=network.text("Hostname"),
            capabilities=(Capability.SOCKET,) if relays else (),
        )

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> MeterStats:
        reply = await self._command_reply("Status 8")
        sensors = reply.child("StatusSNS")
        if not sensors:
            raise InvalidReply("the reply is not a status")
        energy = Fields(sensors.child("ENERGY").data, failed)
        circuits = self._chosen(_circuits(energy))
        sockets: tuple[Socket, ...] = ()
        if Capability.SOCKET in self._info.capabilities:
            sockets = await self._optional("sockets", failed, self._sockets, ())
        stats = read_circuits(
            circuits, failed, phases=_are_phases(energy), sockets=sockets
        )
        return stats if self.channel is not None else _with_totals(stats, energy)

    async def _sockets(self) -> tuple[Socket, ...]:
        reply = await self._command_reply("Status 11")
        return tuple(_relays(reply.child("StatusSTS")))

    @override
    async def _set_socket(self, index: int, on: bool) -> None:
        turn = "ON" if on else "OFF"
        reply = await self._command_reply(f"Power{index + 1} {turn}")
        if not any(key.startswith(_POWER) for key in reply.data):
            words = ", ".join(f"{key} {value}" for key, value in reply.data.items())
            raise CommandFailed(f"the device refused: {words[:200]}")


def _asks_for_login(text: str) -> bool:
    """Tell whether a reply is the request for a login, which is translated."""
    return '{"WARNING":' in text.upper() and text.count("=<") == _LOGIN_WORDS


def _first(fields: Fields, key: str) -> str | None:
    value = fields.data.get(key)
    return str(value[0]) if isinstance(value, list) and value else fields.text(key)


def _relays(state: Fields) -> list[Socket]:
    """Read the relays: ``POWER`` where there is one, else ``POWER1`` and on."""
    numbers = sorted(
        int(number)
        for key in state.data
        if key.startswith(_POWER)
        and (number := key.removeprefix(_POWER) or "1").isascii()
        and number.isdecimal()
    )
    return [
        Socket(
            index=number - 1,
            on=state.boolean(f"{_POWER}{number}", _POWER, field="sockets"),
        )
        for number in numbers
    ]


def _count(energy: Fields) -> int:
    """Return how many circuits there are: as many as the longest list has."""
    return max(
        (len(value) for value in energy.data.values() if isinstance(value, list)),
        default=1 if energy.has("Power") else 0,
    )


def _are_phases(energy: Fields) -> bool:
    """Tell conductors, each with a voltage of its own, from plugs in one case."""
    return isinstance(energy.data.get("Voltage"), list)


def _circuits(energy: Fields) -> list[Circuit]:
    count = _count(energy)
    return [_circuit(energy, index, alone=count == 1) for index in range(count)]


def _circuit(energy: Fields, index: int, *, alone: bool) -> Circuit:
    def value(key: str, field: str, digits: int, *, shared: bool = False) -> Any:
        raw = energy.data.get(key)
        if isinstance(raw, list):
            raw = raw[index] if index < len(raw) else None
        elif not (alone or shared):
            return None
        return _number(energy, key, raw, field, digits)

    return Circuit(
        index=index,
        power=value("Power", "power", 1),
        voltage=value("Voltage", "voltage_phase", 1, shared=True),
        current=value("Current", "current_phase", 3),
        apparent=value("ApparentPower", "power_apparent", 1),
        reactive=value("ReactivePower", "power_reactive", 1),
        factor=value("Factor", "power_factor", 3),
        frequency=value("Frequency", "frequency", 2, shared=True),
        energy_import=value(_import(energy), "energy_import", 6),
        energy_export=value("ExportActive", "energy_export", 6),
    )


def _with_totals(stats: MeterStats, energy: Fields) -> MeterStats:
    """Fill in what is told once for all circuits together."""
    told = {
        field: _number(energy, key, raw, field, digits)
        for field, key, digits in (
            ("power", "Power", 1),
            ("power_apparent", "ApparentPower", 1),
            ("power_reactive", "ReactivePower", 1),
            ("energy_import", _import(energy), 6),
            ("energy_export", "ExportActive", 6),
        )
        if getattr(stats, field) is None
        and not isinstance(raw := energy.data.get(key), list)
    }
    return replace(stats, **told)  # type: ignore[arg-type]


def _import(energy: Fields) -> str:
    """Return the key of what was drawn; ``Total`` may hold both ways."""
    return "ImportActive" if energy.has("ImportActive") else "Total"


def _number(
    energy: Fields, key: str, raw: object, field: str, digits: int
) -> float | None:
    try:
        found = number(raw)
    except ValueError as error:
        energy.failed.setdefault(field, f"{key}: {error}")
        return None
    return None if found is None else round(found, digits)


DRIVERS = (Tasmota,)

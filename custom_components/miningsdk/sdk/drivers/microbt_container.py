"""MicroBT containers, built by Kehua or Wonderint: a gateway with twenty Modbus units.

One unit cools, twelve distribute power to twenty sockets each, four are meters, and the
rest watch the room (MiningOS; no paper of the maker was read). Writes need a login:
eight random bytes are read, and the hash of these with the hashes of name and password
is written back. Where MiningOS reads the thresholds of the fan is one register away
from where it writes them, so they are shown but not set.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
import hashlib
from time import monotonic
from typing import Any, ClassVar, override

from ..container import Container, Threshold
from ..device import describe
from ..errors import (
    AuthenticationFailed,
    CommandFailed,
    DeviceTimeout,
    InvalidReply,
    NotSupported,
)
from ..model import (
    Actuator,
    Capability,
    ContainerStats,
    DeviceInfo,
    Reading,
    Setpoint,
    Socket,
)
from ..transports.modbus import Refused, Unit, UnitProvider, UnitUnreachable
from . import _microbt_registers as regs
from ._microbt_reading import (
    Part,
    Words,
    faults_of,
    mode_of,
    name_of,
    reading_of,
    status_of,
    total_power,
)
from ._modbus_device import BlockReader, ModbusDevice

# A unit that does not answer is not waited for again so soon.
_AWAY_FOR = 60.0


class _MicroBtContainer(ModbusDevice[ContainerStats], Container):
    """A container; sockets count on from one power distribution to the next.

    ``allow_cooling`` lists the command to the cooling, which needs name and password
    just as the sockets do. ``unit`` is that of the cooling; the others follow it.
    """

    make = "MicroBT"
    transport = "Modbus TCP 502, units 1 to 20, functions 3, 6 and 16"
    needs_password = "control"
    climate_scale: ClassVar[float]
    # Source: mdk-devices.md 3.7.
    thresholds: ClassVar[Mapping[str, Threshold]] = {
        "inlet_temperature": Threshold(low_critical=25, high=37, high_critical=39)
    }

    def __init__(
        self,
        host: str,
        *,
        unit: int = 1,
        units: UnitProvider | None = None,
        allow_cooling: bool = False,
        timeout: float = 30.0,
        model: str | None = None,
        **options: Any,
    ) -> None:
        """Describe a container without talking to it; ``options`` as of Device."""
        super().__init__(
            host,
            unit=unit,
            units=units,
            allow_cooling=allow_cooling,
            timeout=timeout,
            model=model or self.models,
            **options,
        )
        self._readers: dict[int, BlockReader] = {
            regs.CDU: regs.cdu_reader(),
            regs.CLIMATE: regs.climate_reader(),
            regs.ENVIRONMENT: regs.environment_reader(),
            regs.DIAGNOSIS: regs.diagnosis_reader(),
            **{number: regs.meter_reader() for number in regs.METERS},
            **{number: regs.pdu_reader() for number in regs.PDUS},
        }
        self._away: dict[int, tuple[float, str]] = {}
        self._seen: set[int] = set()
        # The units that show whether the last command was done.
        self._touched: frozenset[int] = frozenset()

    def _unit_of(self, number: int) -> Unit:
        return self.link.unit(self.unit_id + number - regs.CDU)

    @override
    async def check_credentials(self) -> None:
        """Connect, and log in without any command after it."""
        await super().check_credentials()
        if self.username or self.password:
            async with self._lock:
                await self._limited(self._login)

    @override
    async def _fetch_info(self) -> DeviceInfo:
        for reader in self._readers.values():
            reader.reset()
        await self.unit.read("holding", 0, 1)
        capabilities = [Capability.SOCKET]
        if self.allow_cooling:
            capabilities.append(Capability.COOLING)
        return describe(
            self.info,
            firmware_version=await self._optional("firmware", {}, self._software, None),
            capabilities=tuple(capabilities),
        )

    async def _software(self) -> str | None:
        row = regs.SOFTWARE
        try:
            words = await self._unit_of(regs.DIAGNOSIS).read("holding", row.address, 1)
        except UnitUnreachable as error:
            raise InvalidReply(str(error)) from None
        return str(words[0])

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> ContainerStats:
        return await self._gather(frozenset(self._readers), failed)

    @override
    async def _read_back(self) -> ContainerStats:
        return await self._gather(self._touched, {})

    async def _gather(
        self, numbers: frozenset[int], failed: dict[str, str]
    ) -> ContainerStats:
        parts: dict[int, Part] = {}
        for number in self._readers:
            if number in numbers and (words := await self._ask(number, failed)):
                parts[number] = Part(words)
                self._seen.add(number)
        return self._stats(parts, failed)

    async def _ask(self, number: int, failed: dict[str, str]) -> Words:
        """Read one unit; only the cooling is indispensable."""
        name = name_of(number)
        until, why = self._away.get(number, (0.0, ""))
        if monotonic() < until:
            failed[name] = why
            return {}
        notes: dict[str, str] = {}
        try:
            words = await self._readers[number].read(self._unit_of(number), notes)
        except (UnitUnreachable, DeviceTimeout, InvalidReply) as error:
            if number == regs.CDU:
                raise
            failed[name] = str(error)
            self._away[number] = monotonic() + _AWAY_FOR, str(error)
            return {}
        self._away.pop(number, None)
        failed.update({f"{name}_{key}": text for key, text in notes.items()})
        return words

    def _stats(
        self, parts: Mapping[int, Part], failed: dict[str, str]
    ) -> ContainerStats:
        cdu = parts.get(regs.CDU, Part({}))
        pump = self._pump(cdu)
        faults = faults_of(parts)
        return ContainerStats(
            status=status_of(*pump, faults),
            power=total_power(parts, self._seen),
            cooling_on=cdu.flag(regs.MAIN.field),
            readings=tuple(self._readings(parts)),
            actuators=tuple(_actuators(parts, running=pump[0])),
            sockets=tuple(self._sockets(parts)),
            setpoints=tuple(
                Setpoint(key=v.key, value=cdu.scaled(v), unit=v.unit)
                for v in regs.SETPOINTS
            ),
            faults=tuple(faults),
            failed=failed,
        )

    def _pump(self, cdu: Part) -> tuple[bool | None, bool]:
        """Return whether the pump runs, and whether it says that it is broken."""
        raise NotImplementedError

    def _own_readings(self, cdu: Part) -> list[Reading]:
        """Return what only this builder's cooling unit tells."""
        raise NotImplementedError

    def _readings(self, parts: Mapping[int, Part]) -> list[Reading]:
        found: list[Reading] = []
        if (cdu := parts.get(regs.CDU)) is not None:
            found += [reading_of(cdu, value) for value in regs.CDU_VALUES]
            found += self._own_readings(cdu)
            found += [mode_of(cdu, value) for value in regs.MODES]
        if (climate := parts.get(regs.CLIMATE)) is not None:
            found += self._climate(climate)
        if (room := parts.get(regs.ENVIRONMENT)) is not None:
            found.append(reading_of(room, regs.ENVIRONMENT_STATUS))
        if (diagnosis := parts.get(regs.DIAGNOSIS)) is not None:
            found += [reading_of(diagnosis, value) for value in regs.DIAGNOSIS_VALUES]
        return found + self._power_readings(parts)

    @staticmethod
    def _power_readings(parts: Mapping[int, Part]) -> list[Reading]:
        found: list[Reading] = []
        for numbers, values in (
            (regs.METERS, regs.METER_VALUES),
            (regs.PDUS, regs.PDU_VALUES),
        ):
            for number in numbers:
                if (part := parts.get(number)) is not None:
                    found += [reading_of(part, v, name_of(number)) for v in values]
        return found

    def _climate(self, part: Part) -> list[Reading]:
        values = [replace(v, scale=self.climate_scale) for v in regs.CLIMATE_VALUES]
        return [reading_of(part, value) for value in (*values, regs.CLIMATE_STATUS)]

    def _sockets(self, parts: Mapping[int, Part]) -> list[Socket]:
        found: list[Socket] = []
        for place, number in enumerate(regs.PDUS):
            part = parts.get(number)
            if part is None and number not in self._seen:
                continue
            for socket, row in enumerate(regs.SOCKET_ROWS, 1):
                found.append(
                    Socket(
                        index=place * regs.SOCKETS + socket,
                        on=None if part is None else part.flag(row.field),
                        name=f"PDU {place + 1} socket {socket}",
                    )
                )
        return found

    @override
    async def _set_cooling(self, on: bool) -> None:
        self._touched = frozenset({regs.CDU})
        await self._login()
        await self._write(regs.CDU, regs.MAIN_SWITCH, int(on))

    @override
    async def _set_sockets(self, indexes: tuple[int, ...], on: bool) -> None:
        places = [divmod(index - 1, regs.SOCKETS) for index in indexes]
        for index, (place, _) in zip(indexes, places, strict=True):
            if not 0 <= place < len(regs.PDUS):
                raise NotSupported(f"there is no socket {index}")
        self._touched = frozenset(regs.PDUS[place] for place, _ in places)
        for number in self._touched:
            # What is told to do something must be seen doing it.
            self._away.pop(number, None)
        await self._login()
        value = regs.SOCKET_ON if on else regs.SOCKET_OFF
        for place, socket in places:
            address = regs.socket_address(socket + 1)
            await self._write(regs.PDUS[place], address, value)

    async def _login(self) -> None:
        """Log in, which every command needs.

        Raises:
            AuthenticationFailed: name or password are missing or refused.
        """
        if not self.username or not self.password:
            raise AuthenticationFailed(
                "commands to this container need a user name and a password"
            )
        nonce = await self.unit.read(
            "holding", regs.LOGIN_NONCE, regs.LOGIN_NONCE_WORDS
        )
        words = login_words(nonce, self.username, self.password)
        try:
            await self.unit.write_many(regs.LOGIN, words)
        except Refused as error:
            raise AuthenticationFailed(f"the login was refused: {error}") from None

    async def _write(self, number: int, address: int, value: int) -> None:
        try:
            await self._unit_of(number).write(address, value)
        except Refused as error:
            raise CommandFailed(str(error)) from None


def login_words(nonce: Sequence[int], username: str, password: str) -> list[int]:
    """Return what is written to log in: a hash in sixteen registers."""
    random = b"".join(word.to_bytes(2, "big") for word in nonce)
    name = hashlib.md5(username.encode()).digest()
    secret = hashlib.md5(password.encode()).digest()
    answer = hashlib.sha256(random + name + secret).digest()
    return [int.from_bytes(answer[at : at + 2]) for at in range(0, len(answer), 2)]


def _actuators(parts: Mapping[int, Part], *, running: bool | None) -> list[Actuator]:
    found = [Actuator(key="circulation_pump", name="Circulation pump", on=running)]
    if (cdu := parts.get(regs.CDU)) is not None:
        found += [
            Actuator(key=value.key, name=value.name, on=cdu.flag(value.key))
            for value in regs.ACTUATORS
        ]
    for place, number in enumerate(regs.PDUS, 1):
        if (part := parts.get(number)) is not None:
            on = part.flag(regs.PDU_BUZZER.field)
            key = f"{name_of(number)}_buzzer"
            found.append(Actuator(key=key, name=f"PDU {place} buzzer", on=on))
    return found


class MicroBtKehua(_MicroBtContainer):
    """A MicroBT container built by Kehua."""

    name = "microbt-kehua"
    models = "Kehua"
    climate_scale = 0.01

    @override
    def _pump(self, cdu: Part) -> tuple[bool | None, bool]:
        state = cdu.value(regs.PUMP_A.field)
        return (None if state is None else state == 100), state == 200

    @override
    def _own_readings(self, cdu: Part) -> list[Reading]:
        return [reading_of(cdu, regs.COOLING_STATE)]


class MicroBtWonderint(_MicroBtContainer):
    """A MicroBT container built by Wonderint."""

    name = "microbt-wonderint"
    models = "Wonderint"
    climate_scale = 0.1

    @override
    def _pump(self, cdu: Part) -> tuple[bool | None, bool]:
        state = cdu.value(regs.PUMP_B.field)
        return (None if state is None else state == 1), False

    @override
    def _own_readings(self, cdu: Part) -> list[Reading]:
        return [reading_of(cdu, regs.OUTLET_TEMPERATURE)]


DRIVERS = (MicroBtKehua, MicroBtWonderint)

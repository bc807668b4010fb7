"""A MicroBT container: twenty Modbus units behind one address, and its login."""

import hashlib
import math
import struct

from tests.simulators.modbus import Exception_, SimulatedModbus, UnitMap

_CDU = 1
_METERS = range(4, 8)
_PDUS = range(9, 21)


class SimulatedMicroBt(SimulatedModbus):
    """A container of either builder, with the cooling and all sockets on.

    Registers are set by the numbers of the maker, which count from one. ``ignores``
    lets it take commands without doing anything.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        offset: int = 0,
        builder: str = "kehua",
        username: str = "admin",
        password: str = "geheim",
        pdus: int = 12,
        seed: int = 1,
        alive: bool = True,
    ) -> None:
        super().__init__(host, offset=offset)
        self.builder = builder
        self.ignores = False
        self._secret = (
            hashlib.md5(username.encode()).digest()
            + hashlib.md5(password.encode()).digest()
        )
        self._logged_in = False
        self._nonces = seed
        self._alive = alive
        self._ticks = seed
        self.logins = 0
        self._make_cdu()
        self._make_room()
        for number in _METERS:
            self._make_meter(number)
        for number in list(_PDUS)[:pdus]:
            self._make_pdu(number)

    def set(self, unit: int, number: int, *values: int) -> None:
        """Set registers from a number on, which counts from one."""
        self.units[unit].put(number - 1, values)

    def get(self, unit: int, number: int) -> int:
        """Return a register by its number."""
        return self.units[unit].holding[number - 1]

    def _make(self, unit: int, *ranges: tuple[int, int]) -> UnitMap:
        """Make a unit that has only the registers that it is known to have."""
        made = self.units[unit] = UnitMap()
        for first, count in ranges:
            made.put(first - 1, [0] * count)
        return made

    def _make_cdu(self) -> None:
        ranges = ((1, 4), (26, 10), (46, 20), (90, 11), (201, 12))
        unit = self._make(_CDU, *ranges, (291, 10), (301, 4), (601, 23))
        unit.on_write = self._write_cdu
        unit.before_read = self._live
        self.set(_CDU, 1, 12)
        self.set(_CDU, 95, 1240)
        self.set(_CDU, 201, 3150, 2980, 310, 260, 150, 330)
        self.set(_CDU, 209, 4500, 45)
        self.set(_CDU, 601, 1, 1, 1, 1, 0)
        self.set(_CDU, 607, 1, 0, 0)
        self.set(_CDU, 614, 8000, 3500, 3000)
        if self.builder == "kehua":
            self.set(_CDU, 208, 100)
            self.set(_CDU, 212, 200)
        else:
            self.set(_CDU, 211, 3620)
            self.set(_CDU, 606, 1)
        self._new_nonce()

    def _make_room(self) -> None:
        self._make(2, (2, 3))
        scale = 100 if self.builder == "kehua" else 10
        self.set(2, 2, 1, round(27.4 * scale), round(41.5 * scale))
        self._make(3, (2, 15))
        self._make(8, (2, 13))
        self.set(8, 2, 1, 217, 3, 2, 26, 11, 22, 34, 51, 47, 100, 12, 15)

    def _make_meter(self, number: int) -> None:
        self._make(number, (2, 70), (73, 9), (82, 3))
        self.set(number, 2, 1, 41250 + number)
        self.set(number, 50, 39810, 39920, 39870, 41000, 41250, 40900)
        self.set(number, 57, 28010)
        self.set(number, 65, 28320)
        self.set(number, 69, 99)
        self.set(number, 82, 5001)

    def _make_pdu(self, number: int) -> None:
        unit = self._make(number, (2, 191))
        unit.on_write = lambda address, values: self._write_pdu(number, address, values)
        self.set(number, 2, 1)
        self.set(number, 46, *[1] * 20)
        self.set(number, 74, 5001, 39800, 39870, 39910, 13700, 13800, 13650, 9340)

    def _live(self) -> None:
        if not self._alive:
            return
        self._ticks += 1
        wave = math.sin(self._ticks / 9)
        self.set(_CDU, 201, 3150 + round(20 * wave), 2980 + round(15 * wave))

    def _new_nonce(self) -> None:
        self._nonces += 1
        nonce = hashlib.sha256(struct.pack(">Q", self._nonces)).digest()[:8]
        self.set(_CDU, 301, *struct.unpack(">4H", nonce))

    def _write_cdu(self, address: int, values: list[int]) -> None:
        if address == 304 and len(values) == 16:
            self._log_in(struct.pack(">16H", *values))
            return
        self._must_be_logged_in()
        if address == 600 and values in ([0], [1]):
            self._switch_cooling(on=values == [1])
            return
        raise Exception_(2)

    def _log_in(self, answer: bytes) -> None:
        nonce = struct.pack(">4H", *(self.get(_CDU, 301 + at) for at in range(4)))
        self._logged_in = answer == hashlib.sha256(nonce + self._secret).digest()
        self._new_nonce()
        if not self._logged_in:
            raise Exception_(3)
        self.logins += 1

    def _switch_cooling(self, *, on: bool) -> None:
        if self.ignores:
            return
        self.set(_CDU, 601, int(on))
        if self.builder == "kehua":
            self.set(_CDU, 208, 100 if on else 0)
        else:
            self.set(_CDU, 606, int(on))

    def _write_pdu(self, number: int, address: int, values: list[int]) -> None:
        self._must_be_logged_in()
        socket = 308 - address
        if not 1 <= socket <= 20 or values not in ([1], [2]):
            raise Exception_(2)
        if not self.ignores:
            self.set(number, 45 + socket, values[0])

    def _must_be_logged_in(self) -> None:
        if not self._logged_in:
            raise Exception_(1)

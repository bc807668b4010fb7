"""A meter that describes itself in the SunSpec way.

Written from the published models, offset by offset, and not from the driver.
"""

import math
import struct
from typing import Any

from tests.simulators.modbus import SimulatedModbus, UnitMap

_NOT_THERE = 0x8000


def _s16(value: float | None) -> int:
    return _NOT_THERE if value is None else round(value) & 0xFFFF


def _f32(value: float | None) -> list[int]:
    raw = struct.pack(">f", math.nan if value is None else value)
    return list(struct.unpack(">2H", raw))


def _u32(value: int) -> list[int]:
    return [value >> 16 & 0xFFFF, value & 0xFFFF]


class SimulatedSunSpec(SimulatedModbus):
    """A meter of one of the models 201 to 204 or 211 to 214.

    ``before`` are other models (number, length) in the chain; ``values`` are by the
    names of the vocabulary, ``None`` for what the meter does not measure.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        offset: int = 0,
        model: int = 203,
        base: int = 40000,
        unit: int = 1,
        serial: str = "16091234",
        common_length: int = 66,
        before: tuple[tuple[int, int], ...] = (),
        values: dict[str, Any] | None = None,
        events: int = 0,
        seed: int = 1,
        alive: bool = True,
    ) -> None:
        super().__init__(host, offset=offset)
        self.model = model
        self.values: dict[str, Any] = {
            "power": -1234.0,
            "power_phase": (-400.0, -410.0, -424.0),
            "voltage_phase": (231.4, 230.2, 229.8),
            "current_phase": (1.75, 1.79, 1.86),
            "power_apparent": 1240.0,
            "power_reactive": -120.0,
            "power_factor": 0.995,
            "frequency": 49.98,
            "energy_export": 4567.0,
            "energy_import": 890.0,
            **(values or {}),
        }
        self.events = events
        self.map = self.units[unit] = UnitMap()
        self._alive = alive
        self._ticks = seed
        self.map.put(base, (0x5375, 0x6E53))
        at = self._put_common(base + 2, common_length, serial)
        for number, length in before:
            self.map.put(at, [number, length, *[0] * length])
            at += length + 2
        self.start_of_model = at
        length = 105 if model < 210 else 124
        self.map.put(at, [model, length, *[0] * length])
        self.map.put(at + length + 2, (0xFFFF, 0))
        self.map.before_read = self._live
        self.update()

    def _put_common(self, at: int, length: int, serial: str) -> int:
        self.map.put(at, [1, length, *[0] * length])
        for offset, text, words in (
            (2, "Fronius", 16),
            (18, "Smart Meter TS 65A-3", 16),
            (34, "<primary>", 8),
            (42, "1.3", 8),
            (50, serial, 16),
        ):
            self.map.put_text(at + offset, text, words)
        return at + length + 2

    def update(self) -> None:
        """Put the values into the registers of the model."""
        if self.model < 210:
            self._update_whole()
        else:
            self._update_floats()

    def _phase(self, name: str, count: int = 3) -> list[float | None]:
        shown = {1: 1, 2: 2}.get(self.model % 10, 3)
        values = list(self.values[name])[:shown]
        return values + [None] * (count - len(values))

    def _update_whole(self) -> None:
        v, start = self.values, self.start_of_model

        def scaled(value: float | None, power: int) -> int:
            return _s16(None if value is None else value * 10**-power)

        def put(offset: int, values: list[float | None], power: int) -> None:
            self.map.put(start + offset, [scaled(value, power) for value in values])

        put(2, [sum(v["current_phase"]), *self._phase("current_phase")], -2)
        self.map.put(start + 6, [-2 & 0xFFFF])
        put(7, [None, *self._phase("voltage_phase"), None, None, None, None], -1)
        self.map.put(start + 15, [-1 & 0xFFFF])
        put(16, [v["frequency"]], -2)
        self.map.put(start + 17, [-2 & 0xFFFF])
        put(18, [v["power"], *self._phase("power_phase")], 0)
        put(23, [v["power_apparent"], None, None, None], 0)
        put(28, [v["power_reactive"], None, None, None], 0)
        put(33, [v["power_factor"], None, None, None], -3)
        self.map.put(start + 37, [-3 & 0xFFFF])
        for offset, name in ((38, "energy_export"), (46, "energy_import")):
            self.map.put(start + offset, _u32(round((v[name] or 0) * 100)))
        self.map.put(start + 54, [1])
        self.map.put(start + 105, _u32(self.events))

    def _update_floats(self) -> None:
        v, start = self.values, self.start_of_model

        def put(offset: int, values: list[float | None]) -> None:
            self.map.put(start + offset, [w for value in values for w in _f32(value)])

        put(2, [None, *self._phase("current_phase")])
        put(10, [None, *self._phase("voltage_phase"), None, None, None, None])
        put(26, [v["frequency"], v["power"], *self._phase("power_phase")])
        put(36, [v["power_apparent"], None, None, None])
        put(44, [v["power_reactive"], None, None, None])
        put(52, [v["power_factor"], None, None, None])
        for offset, name in ((60, "energy_export"), (68, "energy_import")):
            value = v[name]
            put(offset, [None if value is None else value * 1000])
        self.map.put(start + 124, _u32(self.events))

    def _live(self) -> None:
        if not self._alive:
            return
        self._ticks += 1
        self.values["power"] = -1234.0 + round(60 * math.sin(self._ticks / 5))
        self.values["energy_export"] += 0.01
        self.update()

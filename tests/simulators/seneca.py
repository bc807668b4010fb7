"""A Seneca Z-4RTD-2 behind a gateway: four thermometers."""

from collections.abc import Sequence
import math

from tests.simulators.modbus import SimulatedModbus, UnitMap


class SimulatedSeneca(SimulatedModbus):
    """A converter; ``None`` among the temperatures is a broken thermometer."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        offset: int = 0,
        unit: int = 1,
        temperatures: Sequence[float | None] = (41.3, 38.9, 22.5, -7.4),
        registers: Sequence[int] = (2, 3, 4, 5),
        alive: bool = True,
    ) -> None:
        super().__init__(host, offset=offset)
        self.temperatures = list(temperatures)
        self._registers = registers
        self._alive = alive
        self._ticks = 0
        self.map = self.units[unit] = UnitMap()
        self.map.put(0, (0x2B, 0x0104))
        self.map.before_read = self._live
        self._live()

    def _live(self) -> None:
        self._ticks += self._alive
        wave = round(5 * math.sin(self._ticks / 8)) / 10 if self._alive else 0.0
        for address, celsius in zip(self._registers, self.temperatures, strict=True):
            raw = 8500 if celsius is None else round((celsius + wave) * 10)
            self.map.put(address, (raw,))

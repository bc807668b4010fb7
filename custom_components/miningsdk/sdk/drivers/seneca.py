"""Seneca Z-4RTD-2: four resistance thermometers behind a gateway.

One holding register for each channel, tenths of a degree, signed. 850.0 says that the
thermometer is broken or not connected (MiningOS). The registers of the channels are the
third to the sixth in two public sources; they can be set.
"""

from collections.abc import Sequence
from typing import Any, override

from ..model import DeviceInfo, DeviceKind, Fault, Reading, SensorStats
from ..transports.modbus import UnitProvider
from ._modbus_device import BlockReader, ModbusDevice
from ._modbus_table import Register, decode_raw

_CHANNELS = (2, 3, 4, 5)
_FAULT = 850.0
_LOWEST = -200.0


class SenecaZ4rtd2(ModbusDevice[SensorStats]):
    """A Seneca Z-4RTD-2 converter.

    ``registers`` are the addresses of the channels on the wire, from zero; one that is
    left out stays unread.
    """

    name = "seneca-z4rtd2"
    kind = DeviceKind.SENSOR
    make = "Seneca"
    models = "Z-4RTD-2"
    transport = "Modbus TCP 502 through a gateway, function 3"
    extra_options = ("registers",)

    def __init__(
        self,
        host: str,
        *,
        unit: int = 1,
        units: UnitProvider | None = None,
        registers: Sequence[int] = _CHANNELS,
        model: str | None = None,
        **options: Any,
    ) -> None:
        """Describe a sensor without talking to it; ``options`` as of Device."""
        super().__init__(
            host, unit=unit, units=units, model=model or self.models, **options
        )
        self._rows = tuple(
            Register(address=address, field=f"temperature_{channel}", kind="s16")
            for channel, address in enumerate(registers, 1)
        )
        self._reader = BlockReader(self._rows, 125, 4)

    @override
    async def _fetch_info(self) -> DeviceInfo:
        self._reader.reset()
        await self._reader.read(self.unit, {})
        return self.info

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> SensorStats:
        words = await self._reader.read(self.unit, failed)
        readings: list[Reading] = []
        faults: list[Fault] = []
        for channel, row in enumerate(self._rows, 1):
            raw = words.get(row)
            celsius = None if raw is None else decode_raw("s16", raw) / 10
            if celsius == _FAULT:
                faults.append(_fault(channel))
                celsius = None
            elif celsius is not None and not _LOWEST <= celsius < _FAULT:
                failed.setdefault(row.field, f"{celsius:g} °C is out of range")
                celsius = None
            readings.append(
                Reading(
                    key=row.field,
                    name=f"Temperature {channel}",
                    value=celsius,
                    unit="°C",
                )
            )
        return SensorStats(
            readings=tuple(readings), faults=tuple(faults), failed=failed
        )


def _fault(channel: int) -> Fault:
    return Fault(
        code="sensor_error",
        message=f"The thermometer of channel {channel} is broken or not connected",
        component=f"channel {channel}",
    )


DRIVERS = (SenecaZ4rtd2,)

"""What meters hold in their registers, written down by hand from their manuals.

The simulated meters put values into registers by the tables of the drivers, so that a
mistake in a table would cancel out. Here it would not.
"""

from dataclasses import dataclass, field
from typing import Any

from custom_components.miningsdk.sdk import MeterStats
from tests.simulators.modbus import UnitMap

type Words = dict[int, list[int]]


@dataclass(frozen=True, kw_only=True)
class Example:
    """A driver, the registers of a meter, and what must be read from them."""

    driver: str
    holding: Words = field(default_factory=dict)
    input: Words = field(default_factory=dict)
    single: dict[int, int] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    stats: MeterStats

    def unit(self) -> UnitMap:
        """Return a unit that has these registers, and zeros between them."""
        unit = UnitMap(single=dict(self.single))
        for space, blocks in (("holding", self.holding), ("input", self.input)):
            for first, after in _runs(blocks):
                unit.put(first, [0] * (after - first), space)
            for address, words in blocks.items():
                unit.put(address, words, space)
        return unit


def _runs(blocks: Words) -> list[tuple[int, int]]:
    """Return where registers begin and end, passing over small gaps."""
    runs: list[tuple[int, int]] = []
    for address in sorted(blocks):
        end = address + len(blocks[address])
        if runs and address - runs[-1][1] < 40:
            runs[-1] = runs[-1][0], end
        else:
            runs.append((address, end))
    return runs


# Floats, high word first, in input registers.
SDM630 = Example(
    driver="eastron-sdm630",
    input={
        0x00: [0x4366, 0x2000],
        0x02: [0x4367, 0x8000],
        0x04: [0x4365, 0x0000],
        0x06: [0x4174, 0x0000],
        0x08: [0x4180, 0x0000],
        0x0A: [0x4168, 0x0000],
        0x0C: [0x455A, 0xC000],
        0x0E: [0x4561, 0x0000],
        0x10: [0x454B, 0x2000],
        0x34: [0x4621, 0xB800],
        0x38: [0x4622, 0x8000],
        0x3C: [0xC44B, 0x0000],
        0x3E: [0x3F40, 0x0000],
        0x46: [0x4248, 0x0000],
        0x48: [0x4640, 0xE600],
        0x4A: [0x4286, 0x8000],
    },
    stats=MeterStats(
        power=10350.0,
        power_phase=(3500.0, 3600.0, 3250.0),
        voltage_phase=(230.1, 231.5, 229.0),
        current_phase=(15.25, 16.0, 14.5),
        power_reactive=-812.0,
        power_apparent=10400.0,
        power_factor=0.75,
        frequency=50.0,
        energy_import=12345.5,
        energy_export=67.25,
    ),
)
SDM120 = Example(
    driver="eastron-sdm120",
    input={
        0x00: [0x4366, 0x2000],
        0x06: [0x4174, 0x0000],
        0x0C: [0x455A, 0xC000],
        0x12: [0x4561, 0x0000],
        0x18: [0xC44B, 0x0000],
        0x1E: [0x3F40, 0x0000],
        0x46: [0x4248, 0x0000],
        0x48: [0x4640, 0xE600],
        0x4A: [0x4286, 0x8000],
    },
    stats=MeterStats(
        power=3500.0,
        voltage_phase=(230.1,),
        current_phase=(15.25,),
        power_reactive=-812.0,
        power_apparent=3600.0,
        power_factor=0.75,
        frequency=50.0,
        energy_import=12345.5,
        energy_export=67.25,
    ),
)
# Scaled whole numbers of 16, 32 and 64 bits, high word first.
B23 = Example(
    driver="abb-b23",
    holding={
        0x5000: [0, 0, 0x0012, 0xD687],
        0x5004: [0, 0, 0, 0x1A2B],
        0x5B00: [0, 0x08FD],
        0x5B02: [0, 0x0908],
        0x5B04: [0, 0x08FB],
        0x5B0C: [0, 0x05DD],
        0x5B0E: [0, 0x05E8],
        0x5B10: [0, 0x05FA],
        0x5B14: [0x000F, 0xCAF8],
        0x5B16: [0x0005, 0x3408],
        0x5B18: [0x0005, 0x4790],
        0x5B1A: [0x0005, 0x4F60],
        0x5B1C: [0xFFFE, 0xC2D0],
        0x5B24: [0x000F, 0xD778],
        0x5B2C: [0x1389],
        0x5B3A: [0x03E5],
        0x8900: [0x0012, 0xD687],
        0x8908: [0x4231, 0x2E32, 0x302E, 0x3220, 0x2020, 0, 0, 0],
        0x8960: [0x4232, 0x3320],
    },
    stats=MeterStats(
        power=10350.0,
        power_phase=(3410.0, 3460.0, 3480.0),
        voltage_phase=(230.1, 231.2, 229.9),
        current_phase=(15.01, 15.12, 15.3),
        power_reactive=-812.0,
        power_apparent=10382.0,
        power_factor=0.997,
        frequency=50.01,
        energy_import=12345.67,
        energy_export=66.99,
    ),
)
# A B21 says of its phases that they are not available.
B21 = Example(
    driver="abb-b21",
    holding={
        **B23.holding,
        0x5B02: [0xFFFF, 0xFFFF],
        0x5B04: [0xFFFF, 0xFFFF],
        0x5B0E: [0xFFFF, 0xFFFF],
        0x5B10: [0xFFFF, 0xFFFF],
        0x5B16: [0x7FFF, 0xFFFF],
        0x5B18: [0x7FFF, 0xFFFF],
        0x5B1A: [0x7FFF, 0xFFFF],
        0x5B1C: [0x7FFF, 0xFFFF],
        0x5B3A: [0x7FFF],
        0x5004: [0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF],
        0x8960: [0x4232, 0x3120],
    },
    stats=MeterStats(
        power=10350.0,
        voltage_phase=(230.1, None, None),
        current_phase=(15.01, None, None),
        power_apparent=10382.0,
        frequency=50.01,
        energy_import=12345.67,
    ),
)
M4M20 = Example(
    driver="abb-m4m20",
    holding={
        0x5000: [0, 0, 0x0012, 0xD687],
        0x5004: [0, 0, 0, 0x1A2B],
        0x5B02: [0, 0x08FD],
        0x5B04: [0, 0x0908],
        0x5B06: [0, 0x08FB],
        0x5B10: [0, 0x05DD],
        0x5B12: [0, 0x05E8],
        0x5B14: [0, 0x05FA],
        0x5B2A: [0x000F, 0xD778],
        0x5B32: [0x1389],
        0x5B40: [0x03E5],
        51994: [0xFFC2, 0xF700],
        51996: [0, 0x8534],
        51998: [0, 0x8728],
        52000: [0, 0x87F0],
        52002: [0, 0x032C],
    },
    stats=MeterStats(
        power=-4_000_000.0,
        power_phase=(34100.0, 34600.0, 34800.0),
        voltage_phase=(230.1, 231.2, 229.9),
        current_phase=(15.01, 15.12, 15.3),
        power_reactive=812.0,
        power_apparent=10382.0,
        power_factor=0.997,
        frequency=50.01,
        energy_import=12345.67,
        energy_export=66.99,
    ),
)
REU615 = Example(
    driver="abb-reu615",
    holding={1939: [0xFFC2, 0xF700], 1941: [0, 0x80E8]},
    stats=MeterStats(power=-4_000_000.0, voltage_phase=(33000.0,)),
)
# Whole numbers, low word first.
EM24 = Example(
    driver="carlo-gavazzi-em24",
    input={
        0x00: [0x08FD, 0],
        0x02: [0x0908, 0],
        0x04: [0x08FB, 0],
        0x0C: [0x3AA2, 0],
        0x0E: [0x3B10, 0],
        0x10: [0x3BC4, 0],
        0x12: [0x8534, 0],
        0x14: [0x8728, 0],
        0x16: [0x87F0, 0],
        0x28: [0x6BB4, 0xFFFE],
        0x2A: [0x958C, 0x0001],
        0x2C: [0x1FB8, 0],
        0x31: [0xFC1B],
        0x33: [500],
        0x34: [0xE240, 0x0001],
        0x4E: [0x029E, 0],
    },
    holding={0x5000: [0x4258, 0x3132, 0x3334, 0x3536, 0x3700, 0, 0]},
    single={0x000B: 1651},
    stats=MeterStats(
        power=-10350.0,
        power_phase=(3410.0, 3460.0, 3480.0),
        voltage_phase=(230.1, 231.2, 229.9),
        current_phase=(15.01, 15.12, 15.3),
        power_reactive=812.0,
        power_apparent=10382.0,
        power_factor=-0.997,
        frequency=50.0,
        energy_import=12345.6,
        energy_export=67.0,
    ),
)
# Floats in kW, energies as whole Wh of 64 bits, and a factor that tells its quadrant.
PM5340 = Example(
    driver="schneider-pm5340",
    holding={
        49: [0x504D, 0x3533, 0x3430, *[0] * 17],
        129: [0x00BC, 0x614E],
        2999: [0x4174, 0x0000],
        3001: [0x4180, 0x0000],
        3003: [0x4168, 0x0000],
        3027: [0x4366, 0x2000],
        3029: [0x4367, 0x8000],
        3031: [0x4365, 0x0000],
        3053: [0x405A, 0x3D71],
        3055: [0x405D, 0x70A4],
        3057: [0x405E, 0xB852],
        3059: [0x4125, 0x999A],
        3067: [0xBF4F, 0xDF3B],
        3075: [0x4126, 0x1CAC],
        3083: [0x3FA0, 0x0000],
        3109: [0x4247, 0xEB85],
        3203: [0, 0, 0x00BC, 0x614E],
        3207: [0, 0, 0, 0x1A2B],
    },
    stats=MeterStats(
        power=10350.0,
        power_phase=(3410.0, 3460.0, 3480.0),
        voltage_phase=(230.1, 231.5, 229.0),
        current_phase=(15.25, 16.0, 14.5),
        power_reactive=-812.0,
        power_apparent=10382.0,
        power_factor=0.75,
        frequency=49.98,
        energy_import=12345.678,
        energy_export=6.699,
    ),
)
IEM3255 = Example(
    driver="schneider-iem3xxx",
    holding={
        **PM5340.holding,
        49: [0x6945, 0x4D33, 0x3235, 0x3500, *[0] * 16],
        # This one does not know its phases, and counts in one direction only.
        3053: [0x7FC0, 0x0000],
        3055: [0x7FC0, 0x0000],
        3057: [0x7FC0, 0x0000],
        3083: [0xFFC0, 0x0000],
        3207: [0x8000, 0, 0, 0],
    },
    stats=MeterStats(
        power=10350.0,
        voltage_phase=(230.1, 231.5, 229.0),
        current_phase=(15.25, 16.0, 14.5),
        power_reactive=-812.0,
        power_apparent=10382.0,
        frequency=49.98,
        energy_import=12345.678,
    ),
)
P3U30 = Example(
    driver="schneider-p3u30",
    holding={
        2016: [20_000],
        2017: [20_100],
        2018: [19_900],
        2020: [50],
        2021: [0xF830],
        2022: [0x0064],
        2023: [0x07D5],
    },
    stats=MeterStats(
        power=-2_000_000.0,
        voltage_phase=(20000.0, 20100.0, 19900.0),
        power_reactive=100_000.0,
        power_apparent=2_005_000.0,
        frequency=50.0,
    ),
)
# Floats and doubles; energies of two tariffs.
PAC2200 = Example(
    driver="siemens-pac2200",
    input={
        1: [0x4366, 0x2000],
        3: [0x4367, 0x8000],
        5: [0x4365, 0x0000],
        13: [0x4174, 0x0000],
        15: [0x4180, 0x0000],
        17: [0x4168, 0x0000],
        25: [0x455A, 0xC000],
        27: [0x4561, 0x0000],
        29: [0x454B, 0x2000],
        55: [0x4248, 0x0000],
        63: [0x4622, 0x8000],
        65: [0x4621, 0xB800],
        67: [0xC44B, 0x0000],
        69: [0x3F40, 0x0000],
        801: [0x4167, 0x8BD5, 0x0000, 0x0000],
        805: [0x411E, 0x8480, 0x0000, 0x0000],
        809: [0x40F0, 0x5B80, 0x0000, 0x0000],
        813: [0x0000, 0x0000, 0x0000, 0x0000],
    },
    stats=MeterStats(
        power=10350.0,
        power_phase=(3500.0, 3600.0, 3250.0),
        voltage_phase=(230.1, 231.5, 229.0),
        current_phase=(15.25, 16.0, 14.5),
        power_reactive=-812.0,
        power_apparent=10400.0,
        power_factor=0.75,
        frequency=50.0,
        energy_import=12845.0,
        energy_export=67.0,
    ),
)
JANITZA = Example(
    driver="janitza",
    holding={
        19000: [0x4366, 0x2000],
        19002: [0x4367, 0x8000],
        19004: [0x4365, 0x0000],
        19012: [0x4174, 0x0000],
        19014: [0x4180, 0x0000],
        19016: [0x4168, 0x0000],
        19020: [0x455A, 0xC000],
        19022: [0x4561, 0x0000],
        19024: [0x454B, 0x2000],
        19026: [0x4621, 0xB800],
        19034: [0x4622, 0x8000],
        19042: [0xC44B, 0x0000],
        19050: [0x4248, 0x0000],
        19068: [0x4B3C, 0x614E],
        19076: [0x4782, 0xD700],
    },
    stats=MeterStats(
        power=10350.0,
        power_phase=(3500.0, 3600.0, 3250.0),
        voltage_phase=(230.1, 231.5, 229.0),
        current_phase=(15.25, 16.0, 14.5),
        power_reactive=-812.0,
        power_apparent=10400.0,
        frequency=50.0,
        energy_import=12345.678,
        energy_export=66.99,
    ),
)
# Shares of a full scale; the scales are those of one site of MiningOS.
PM180 = Example(
    driver="satec-pm180",
    holding={
        256: [7000],
        257: [7100],
        258: [6900],
        259: [1234],
        260: [1100],
        261: [1300],
        262: [5100],
        263: [5200],
        264: [5500],
        274: [9899],
        275: [6000],
        276: [5100],
        277: [6100],
        279: [2500],
        287: [4567],
        288: [123],
        289: [89],
        290: [0],
    },
    options={
        "voltage_high": 45360.0,
        "current_high": 1198.0,
        "power_high": 108_682_560.0,
        "frequency_low": 45.0,
        "frequency_high": 65.0,
    },
    stats=MeterStats(
        power=21_749_555.2,
        power_phase=(2_184_737.9, 4_358_606.5, 10_880_212.3),
        voltage_phase=(31755.2, 32208.8, 31301.5),
        current_phase=(147.848, 131.793, 155.756),
        power_reactive=2_184_737.9,
        power_apparent=23_923_423.8,
        power_factor=0.98,
        frequency=50.0,
        energy_import=1_234_567.0,
        energy_export=89.0,
    ),
)
EXAMPLES = (
    SDM630,
    SDM120,
    B23,
    B21,
    M4M20,
    REU615,
    EM24,
    PM5340,
    IEM3255,
    P3U30,
    PAC2200,
    JANITZA,
    PM180,
)

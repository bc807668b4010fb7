"""The Avalon models that can be simulated."""

from collections.abc import Mapping
from dataclasses import dataclass, field

_HOME = (
    "help|voltage|fan-spd|lcd|hash-sn-read|workmode|worklevel|work_mode_lvl|reboot|"
    "softon|softoff|filter-clean|facopts|faclock|frequency|loop|password|qr_auth|time|"
)
_NANO = (
    "help|voltage|fan-spd|ledmode|ledset|lcd|nightlamp|hash-sn-read|workmode|worklevel|"
    "work_mode_lvl|reboot|filter-clean|facopts|faclock|frequency|loop|password|qr_auth|"
)
_INDUSTRY = "help|led|workmode|fan-spd|hashpower|reboot|softoff|setpool|password|"


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What the units of one model share; rates in TH/s and power in W are by mode."""

    product: str
    model: str
    swtype: str = "MM319"
    rates: tuple[float, ...]
    power: tuple[int, ...]
    boards: int = 1
    chips: int = 160
    fans: int = 1
    options: str | None = _HOME
    windows: tuple[str, ...] = ("5s", "1m", "5m", "15m")
    home: bool = True
    # The seventh number of PS, the momentary rate and SoftOFF came with the A11.
    modern: bool = True
    named: bool = True  # MAC and DNA stand in the version reply.
    extra: Mapping[str, str] = field(default_factory=dict)


PROFILES = {
    "q": Profile(
        product="Avalon Q",
        model="Q",
        rates=(54.2, 80.7, 90.1),
        power=(843, 1403, 1674),
        fans=4,
        extra={"CPU": "K230"},
    ),
    "mini3": Profile(
        product="Avalon Mini3",
        model="Mini3",
        rates=(30.1, 37.6, 21.4),
        power=(700, 810, 420),
        chips=66,
        fans=2,
    ),
    "nano3s": Profile(
        product="Avalon Nano3s",
        model="Nano3s",
        rates=(3.2, 4.6, 6.6),
        power=(70, 100, 133),
        chips=12,
        options=_NANO,
    ),
    "nano3": Profile(
        product="Avalonnano",
        model="nano3",
        swtype="MM318_X2",
        rates=(4.0,),
        power=(130,),
        chips=10,
        options=None,
        named=False,
    ),
    "a1066": Profile(
        product="AvalonMiner 1066",
        model="1066",
        swtype="MM320",
        rates=(43.0, 50.6),
        power=(2310, 2834),
        boards=3,
        chips=114,
        fans=4,
        options=None,
        windows=("30s", "1m", "5m", "15m"),
        home=False,
        modern=False,
    ),
    "a1246": Profile(
        product="AvalonMiner 1246",
        model="1246-83",
        swtype="MM320",
        rates=(71.3, 81.2),
        power=(2900, 3504),
        boards=3,
        chips=120,
        fans=4,
        options="help|led|workmode|fan-spd|reboot|",
        windows=("30s", "1m", "5m", "15m"),
        home=False,
    ),
    "a1346": Profile(
        product="AvalonMiner 1346-110",
        model="1346-110",
        swtype="MM317",
        rates=(104.0, 110.8),
        power=(3100, 3348),
        boards=3,
        chips=136,
        fans=4,
        options=_INDUSTRY,
        windows=("30s", "1m", "5m", "15m"),
        home=False,
    ),
    "a1566": Profile(
        product="AvalonMiner 15-194",
        model="15-194",
        rates=(160.0, 199.2),
        power=(2800, 3731),
        boards=3,
        fans=2,
        options=_INDUSTRY,
        windows=("30s", "1m", "5m", "15m"),
        home=False,
        extra={"EEPROM": "160 160 160", "WALLPOWER": "{power}"},
    ),
}

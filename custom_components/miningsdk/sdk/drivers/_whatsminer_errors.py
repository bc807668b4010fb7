"""What the error codes of a Whatsminer mean.

A code is type, subtype and value: ``531`` is type 53 on board 1, ``5111`` type 511
on board 1, and of six digits ``541023`` is type 54 on board 1, chip 23. Other
codes stand for themselves. Source: protocols.md 4.3, mdk-devices.md A.
"""

from ..model import Fault, Severity

_INFO, _WARN, _CRIT = Severity.INFO, Severity.WARNING, Severity.CRITICAL

type _Meaning = tuple[str, str | None, Severity]

_PSU = "power supply"
_NET = "network"

# Codes that stand for themselves; they go before the types below.
_EXACT: dict[int, _Meaning] = {
    110: ("The speed of the intake fan cannot be read", "fan in", _CRIT),
    111: ("The speed of the exhaust fan cannot be read", "fan out", _CRIT),
    120: ("The intake fan is off its target by over 2000 rpm", "fan in", _WARN),
    121: ("The exhaust fan is off its target by over 2000 rpm", "fan out", _WARN),
    130: ("The intake fan is off its target by over 3000 rpm", "fan in", _CRIT),
    131: ("The exhaust fan is off its target by over 3000 rpm", "fan out", _CRIT),
    140: ("The fans run too fast", "fan", _WARN),
    200: ("No power supply is found", _PSU, _CRIT),
    201: ("The power supply does not fit the configuration", _PSU, _CRIT),
    202: ("The output voltage of the power supply is wrong", _PSU, _CRIT),
    203: ("The power supply protects itself", _PSU, _WARN),
    204: ("The power supply protects itself against its current", _PSU, _WARN),
    205: ("The current of the power supply is wrong", _PSU, _WARN),
    206: ("The mains voltage is too low", _PSU, _WARN),
    207: ("The power supply protects itself against its input current", _PSU, _CRIT),
    208: ("The values of the power supply fluctuate too much", _PSU, _WARN),
    209: ("The output voltage strays from its target", _PSU, _WARN),
    210: ("The power supply reports an error of its own", _PSU, _CRIT),
    211: ("The output current of the power supply strays too far", _PSU, _WARN),
    212: ("The output voltage of the power supply is at its border", _PSU, _WARN),
    213: ("Mains voltage and current do not match the power", _PSU, _WARN),
    214: ("The measured input power does not change", _PSU, _WARN),
    215: ("The output voltage of the power supply cannot be set", _PSU, _CRIT),
    216: ("The values of the power supply have been stuck for long", _PSU, _WARN),
    217: ("The power supply cannot be switched on", _PSU, _WARN),
    218: ("The mains voltage is under 230 V, too low for high power", _PSU, _WARN),
    219: ("The input current of the power supply is wrong", _PSU, _WARN),
    239: ("The output of the power supply went over its voltage", _PSU, _CRIT),
    240: ("The output of the power supply fell under its voltage", _PSU, _CRIT),
    241: ("The output currents of the power supply are unequal", _PSU, _CRIT),
    257: ("The primary side of the power supply drew too much current", _PSU, _CRIT),
    258: ("The voltages of the three phases are unequal", _PSU, _WARN),
    259: ("Unequal voltages of the three phases: switched off", _PSU, _CRIT),
    260: ("The currents of the three phases are unequal", _PSU, _WARN),
    261: ("Unequal currents of the three phases: switched off", _PSU, _CRIT),
    263: ("The power supply hardly answers", _PSU, _WARN),
    264: ("The power supply does not answer", _PSU, _CRIT),
    265: ("The power supply reports an unknown error", _PSU, _WARN),
    266: ("The power supply reports an unknown error", _PSU, _WARN),
    267: ("The watchdog of the power supply switched it off", _PSU, _CRIT),
    268: ("The output of the power supply went over its current", _PSU, _CRIT),
    269: ("The input of the power supply went over its current", _PSU, _CRIT),
    270: ("The mains voltage is too high", _PSU, _WARN),
    271: ("The mains voltage is too low: switched off", _PSU, _CRIT),
    272: ("The power supply gives too much power", _PSU, _WARN),
    273: ("The power supply draws too much power", _PSU, _WARN),
    274: ("The fan of the power supply has a problem", _PSU, _WARN),
    275: ("The power supply is hot", _PSU, _WARN),
    309: ("None of the boards' temperature sensors is found", "board", _CRIT),
    326: ("The coolant's temperature sensor does not answer", "coolant", _CRIT),
    329: ("The control board's sensor does not answer", "control board", _WARN),
    360: ("The hashboards are too hot", "board", _CRIT),
    370: ("The ambient temperature changes too fast", "ambient", _WARN),
    400: ("A board's memory has an unknown error", "board", _WARN),
    500: ("The firmware does not know this type of hashboard", "board", _CRIT),
    600: ("The ambient temperature is too high", "ambient", _CRIT),
    610: ("Too hot for high power: back to normal power", "ambient", _WARN),
    620: ("The coolant is too hot", "coolant", _WARN),
    652: ("The temperature of the coolant changes too fast", "coolant", _WARN),
    700: ("The control board has no valid MAC address", "control board", _WARN),
    701: ("The control board does not support these chips", "control board", _CRIT),
    702: ("The version of the control board is unknown", "control board", _WARN),
    710: ("The control board restarted unexpectedly", "control board", _WARN),
    711: ("The control board restarted unexpectedly", "control board", _WARN),
    712: ("The control board restarted unexpectedly", "control board", _WARN),
    713: ("The control board restarted unexpectedly", "control board", _WARN),
    714: ("The network connection is unstable", _NET, _INFO),
    800: ("The mining program has been altered", "firmware", _CRIT),
    801: ("The system monitor has been altered", "firmware", _CRIT),
    802: ("The remote daemon has been altered", "firmware", _CRIT),
    810: ("Boards were swapped after the change to liquid cooling", "board", _WARN),
    820: ("The power supply was swapped after liquid cooling", _PSU, _WARN),
    900: ("The power rate cannot be worked out", _PSU, _INFO),
    901: ("The power rate is wrong", _PSU, _INFO),
    902: ("The power rate is wrong", _PSU, _INFO),
    2000: ("No pool is set", "pool", _WARN),
    2010: ("All pools are disabled", "pool", _WARN),
    2030: ("The pool rejects too many shares", "pool", _WARN),
    2040: ("The pool does not support ASICBoost", "pool", _WARN),
    2050: ("Switching to another pool failed", "pool", _WARN),
    2310: ("The hashrate is too low", "hashrate", _WARN),
    2320: ("The hashrate is too low", "hashrate", _WARN),
    2330: ("Hashrate is being lost", "hashrate", _WARN),
    2340: ("Too much hashrate is lost", "hashrate", _WARN),
    2350: ("Too much hashrate is lost", "hashrate", _WARN),
    5079: ("The coolant flows too slowly", "coolant", _CRIT),
    5090: ("The chips' temperatures are not calibrated", "board", _WARN),
    8000: ("The factory tool is too old", "firmware", _INFO),
    8010: ("The frequency is below standard", "hashrate", _WARN),
    8020: ("The hashrate is below standard", "hashrate", _WARN),
    8400: ("The firmware is old or not official", "firmware", _WARN),
    8410: ("The firmware is made for another series", "firmware", _WARN),
    8700: ("The power supply does not belong to this model", _PSU, _WARN),
    9999: ("An error that the miner itself does not know", None, _WARN),
    100000: ("The security library failed", "security", _CRIT),
    100001: ("A file's signature is illegal", "security", _CRIT),
    100002: ("A start-up file has been altered", "security", _CRIT),
    100003: ("A system file has been altered", "security", _CRIT),
    100100: ("The mining program was removed", "security", _CRIT),
    110000: ("Illegal files were found", "security", _CRIT),
    110001: ("A virus was found and removed", "security", _CRIT),
}

# First and last code of ranges that mean the same.
_RANGES: tuple[tuple[int, int, _Meaning], ...] = (
    (233, 235, ("The output side of the power supply is too hot", _PSU, _CRIT)),
    (236, 238, ("The output of the power supply went over its current", _PSU, _CRIT)),
    (243, 245, ("The input side of the power supply is too hot", _PSU, _CRIT)),
    (246, 247, ("The input of the power supply went over its current", _PSU, _CRIT)),
    (248, 249, ("The mains voltage is too high: switched off", _PSU, _CRIT)),
    (250, 251, ("The mains voltage is too low: switched off", _PSU, _CRIT)),
    (253, 254, ("The fan of the power supply failed", _PSU, _CRIT)),
    (255, 256, ("The power supply gave too much power", _PSU, _CRIT)),
    (276, 279, ("The power supply reports an unknown error", _PSU, _WARN)),
    (280, 299, ("The power supply sets a status bit of its maker", _PSU, _WARN)),
    (361, 363, ("A hashboard is too hot", "board", _CRIT)),
    (380, 383, ("The humidity is out of range", "ambient", _WARN)),
    (2020, 2029, ("A pool cannot be reached", "pool", _WARN)),
    (8001, 8399, ("A factory test found a value out of standard", None, _INFO)),
    (8401, 8499, ("The firmware does not fit the miner", "firmware", _WARN)),
    (8500, 8799, ("Serial numbers or product types do not match", None, _WARN)),
    (9000, 9098, ("A process of the firmware ended unexpectedly", "firmware", _WARN)),
    (100004, 109999, ("The security check failed", "security", _CRIT)),
    (110002, 119999, ("The security check found harmful files", "security", _CRIT)),
)

# Type -> what is wrong with the board that the last digit names.
_BOARD: dict[int, tuple[str, Severity]] = {
    30: ("temperature sensor not found", _CRIT),
    32: ("temperature cannot be read", _WARN),
    35: ("too hot, switched off", _CRIT),
    41: ("memory not found", _WARN),
    42: ("memory cannot be understood", _WARN),
    43: ("memory names a wrong chip bin", _WARN),
    44: ("memory names a wrong number of chips", _WARN),
    45: ("memory cannot be read", _WARN),
    51: ("of the wrong type", _CRIT),
    52: ("of the wrong chip bin", _CRIT),
    53: ("not found", _CRIT),
    54: ("chips cannot be identified", _CRIT),
    55: ("has bad chips", _CRIT),
    56: ("out of balance", _CRIT),
    57: ("chips cannot be talked to", _WARN),
    58: ("cannot be reset", _WARN),
    59: ("frequency too low", _WARN),
    72: ("serial line disturbed", _WARN),
    211: ("in a step of the factory test", _INFO),
    501: ("chip voltage too low", _WARN),
    502: ("chip voltage changed", _WARN),
    503: ("chip temperatures spread too far", _WARN),
    504: ("has a hot spot", _WARN),
    505: ("chips too hot, stopped", _CRIT),
    506: ("chips too hot, stopped", _CRIT),
    507: ("coolant flow abnormal", _CRIT),
    508: ("chip temperatures cannot be calibrated", _WARN),
    509: ("chip temperatures are not calibrated", _WARN),
    511: ("took too long to reach its frequency", _WARN),
    512: ("too many transfer errors", _WARN),
    513: ("runs unsteadily", _WARN),
    514: ("runs unsteadily", _INFO),
    517: ("took too long to answer", _WARN),
    603: ("chips too hot, power cut", _CRIT),
}

# Type -> what is wrong with the chip that the last three of six digits name.
_CHIP: dict[int, tuple[str, Severity]] = {
    52: ("gives wrong results", _WARN),
    53: ("gives too few results", _WARN),
    54: ("too hot, protected", _WARN),
    55: ("was reset", _INFO),
    56: ("gives no results", _WARN),
}


def split(code: int) -> tuple[int, int, int]:
    """Return type, subtype and value of a code."""
    if 200_000 <= code <= 999_999:
        return code // 10_000, code // 1_000 % 10, code % 1_000
    return code // 100, code // 10 % 10, code % 10


def fault(code: object, reason: str | None = None) -> Fault | None:
    """Return what a code means, or ``None`` when it is no code or zero.

    ``reason`` is what the device itself says of it.
    """
    text = str(code).strip()
    if not text.isascii() or not text.isdecimal() or not int(text):
        return None
    number = int(text)
    message, component, severity = _meaning(number)
    if reason:
        message = f"{message}: {reason.strip()[:200]}"
    return Fault(
        code=str(number), message=message, component=component, severity=severity
    )


def _meaning(number: int) -> _Meaning:
    if (exact := _EXACT.get(number)) is not None:
        return exact
    for first, last, meaning in _RANGES:
        if first <= number <= last:
            return meaning
    kind, subtype, value = split(number)
    if number >= 100_000:
        if (chip := _CHIP.get(kind)) is not None:
            what, severity = chip
            place = f"board {subtype} chip {value}"
            return f"Chip {value} of hashboard {subtype} {what}", place, severity
    elif (board := _BOARD.get(kind * 10 + subtype)) is not None:
        what, severity = board
        return f"Hashboard {value}: {what}", f"board {value}", severity
    return f"Unknown error {number}", None, _WARN

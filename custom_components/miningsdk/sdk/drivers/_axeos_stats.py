"""The one reply of AxeOS as ``MinerStats``; Bitaxe and the Nerd family alike.

Units of the firmware: GH/s, W, mV, °C, rpm, %, MHz, s. The temperature of the voltage
regulator (vrTemp) is given as ``temperature_board``: it is the only thing measured on
the board beside the chips. Source: protocols.md 3.3, 3.5 and 3.6.
"""

import re

from ..fields import Fields, text
from ..model import (
    Board,
    Fan,
    Fault,
    MinerSettings,
    MinerStats,
    MinerStatus,
    Severity,
)
from ._axeos_pools import connected, read_pools

# Wi-Fi, the pool and the ramp of the chips take about this long after a start, in s.
STARTS_WITHIN = 120
_UNPOWERED_MILLIVOLTS = 100.0
_UNPOWERED_WATTS = 3.0
_HIGHEST_TEMPERATURE = 150.0
_DIFFICULTY = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kKMGTPE]?)\s*")
_PREFIXES = "kMGTPE"
_MOST = 3.0
# ForgeOS gives the average of its two chips as "temp", and each of them besides.
_CHIPS = ("temp", "temp2", "chiptemp1", "chiptemp2")
# Faults in which the firmware has stopped the chips, whatever rate it still shows.
_STOPPING = frozenset({"overheat_mode", "core_voltage_off"})
_AVERAGES = (("hashRate_1d", 86_400), ("hashRate_1h", 3_600), ("hashRate_10m", 600))


def read_stats(
    reply: Fields,
    *,
    chips: int | None,
    fans: int,
    waking: bool,
    locating: bool | None,
) -> MinerStats:
    """Return what the reply says.

    ``chips`` is how many there should be, ``fans`` how many were ever seen to turn,
    ``waking`` whether it left its sleep just now.
    """
    expected = _expected(reply, chips)
    hashrate = _credible(reply, expected)
    uptime = reply.integer("uptimeSeconds", field="uptime")
    faults = _faults(reply)
    booting = uptime is not None and uptime < STARTS_WITHIN
    status = _status(reply, hashrate, faults, starting=waking or booting)
    hashing = status is MinerStatus.MINING
    return MinerStats(
        status=status,
        hashrate=hashrate,
        hashrate_average=_average(reply, uptime, status),
        hashrate_expected=expected,
        power=_positive(reply.number("power", digits=1)),
        temperature_chip=(chip := _hottest(reply, "temperature_chip", *_CHIPS)),
        temperature_board=(
            board := _hottest(reply, "temperature_board", "vrTemp", "vrTempInt")
        ),
        fans=_fans(reply, fans),
        boards=(
            Board(
                index=0,
                hashrate=hashrate,
                hashrate_expected=expected,
                temperature_board=board,
                temperature_chip=chip,
                chips=_working_chips(reply) if hashing else None,
                chips_expected=chips,
                frequency=reply.number(
                    "actualFrequency", "frequency", field="frequency", digits=1
                ),
                voltage=reply.number(
                    "coreVoltageActual", field="voltage", scale=0.001, digits=3
                ),
            ),
        ),
        pools=read_pools(reply, hashing=hashing),
        accepted=reply.integer("sharesAccepted", field="accepted"),
        rejected=reply.integer("sharesRejected", field="rejected"),
        hardware_errors=_chip_errors(reply),
        best_difficulty=_difficulty(reply),
        uptime=uptime,
        locating=locating,
        settings=_settings(reply),
        faults=faults,
        failed=reply.failed,
    )


def _positive(value: float | None) -> float | None:
    return None if value is None or value < 0 else value


def _hashrate(reply: Fields, key: str, *, field: str) -> float | None:
    return _positive(reply.number(key, field=field, scale=0.001, digits=4))


def _credible(reply: Fields, expected: float | None) -> float | None:
    """Return the hashrate; ForgeOS estimates a million times too much on its waking."""
    rate = _hashrate(reply, "hashRate", field="hashrate")
    if not (reply.has("chiptemp1") and expected and rate and rate > expected * _MOST):
        return rate
    reply.failed["hashrate"] = "hashRate: more than the chips can do"
    return None


def _average(reply: Fields, uptime: int | None, status: MinerStatus) -> float | None:
    """Return the longest average.

    Bitaxe's one over an hour stands still while nothing is hashed, and is withheld
    then. Those of the Nerd family count the time before the start as zero: the
    longest that the uptime fills is taken.
    """
    if not reply.has("hashRate_1d"):
        if status is not MinerStatus.MINING:
            return None
        return _hashrate(reply, "hashRate_1h", field="hashrate_average")
    for key, seconds in _AVERAGES:
        if uptime is None or uptime >= seconds:
            return _hashrate(reply, key, field="hashrate_average")
    return None


def _expected(reply: Fields, chips: int | None) -> float | None:
    """Return what the set frequency should give; older firmware leaves it to us."""
    told = _hashrate(reply, "expectedHashrate", field="hashrate_expected")
    cores = reply.number("smallCoreCount", field="hashrate_expected")
    frequency = reply.number("frequency", field="frequency")
    if told is not None or cores is None or frequency is None or not chips:
        return told
    return round(frequency * cores * chips / 1e6, 4)


def _hottest(reply: Fields, field: str, *keys: str) -> float | None:
    """Return the highest reading; -1 is "not read", 0 "not read yet"."""
    values = (reply.number(key, field=field, digits=1) for key in keys)
    return max(
        (v for v in values if v is not None and 0 < v < _HIGHEST_TEMPERATURE),
        default=None,
    )


def _fans(reply: Fields, seen: int) -> tuple[Fan, ...]:
    """Return the fans: those listed, or one, or two if the second ever turned."""
    if listed := list(reply.children("fans")):
        return tuple(
            Fan(
                index=index,
                speed=_positive(fan.number("rpm", field="fans", digits=0)),
                duty=_positive(fan.number("speedPerc", field="fans", digits=0)),
            )
            for index, fan in enumerate(listed)
        )
    # Lucky Miner gives the speed as "fanSpeed" and the duty as "fanspeed", Bitdsk the
    # speed as "fanSpeedRpm"; ForgeOS has "fanrpm", and "fanSpeed" is the duty.
    speeds = ("fanrpm", "fanSpeedRpm", "fanSpeed")
    rpm = _positive(reply.number(*speeds, field="fans", digits=0))
    duties = ("fanspeed", "fanSpeed") if reply.has("fanrpm") else ("fanspeed",)
    duty = _positive(reply.number(*duties, field="fans", digits=0))
    if rpm is None and duty is None:
        return ()
    first = Fan(index=0, speed=rpm, duty=duty)
    second = _positive(reply.number("fan2rpm", "fanrpm2", field="fans", digits=0))
    if second is None or not (second or seen > 1):
        return (first,)
    duty = reply.number("fanspeed2", "fanspeed", field="fans", digits=0)
    return first, Fan(index=1, speed=second, duty=_positive(duty))


def _working_chips(reply: Fields) -> int | None:
    asics = list(reply.child("hashrateMonitor").children("asics"))
    if not asics:
        return None
    return sum((asic.number("total", field="chips") or 0) > 0 for asic in asics)


def _chip_errors(reply: Fields) -> int | None:
    asics = reply.child("hashrateMonitor").children("asics")
    counts = [asic.integer("errorCount", field="hardware_errors") for asic in asics]
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _difficulty(reply: Fields) -> float | None:
    """Return the best share ever: a number from 2.11 on, text such as 1.2M before."""
    raw = reply.data.get("bestDiff")
    if isinstance(raw, str) and (match := _DIFFICULTY.fullmatch(raw)):
        suffix = match[2].replace("K", "k")
        power = _PREFIXES.index(suffix) + 1 if suffix else 0
        return round(float(match[1]) * 1000.0**power, 2)
    if isinstance(raw, str) and text(raw) is not None:
        reply.failed["best_difficulty"] = "bestDiff: not a difficulty"
        return None
    return _positive(reply.number("bestDiff", field="best_difficulty"))


def fan_mode(reply: Fields) -> int | None:
    """Return 0 (fixed), 1 (automatic) or, in the Nerd family, 2 (PID)."""
    mode = reply.data.get("autofanspeed")
    if isinstance(mode, bool):
        return int(mode)
    return reply.integer("autofanspeed", field="fan_automatic")


def _settings(reply: Fields) -> MinerSettings:
    mode = fan_mode(reply)
    manual = mode == 0
    target = reply.number(
        "temptarget", "pidTargetTemp", field="target_temperature", missing=(-1, 0)
    )
    return MinerSettings(
        fan=reply.number("manualFanSpeed", "fanspeed", field="fan", digits=0)
        if manual
        else None,
        fan_automatic=None if mode is None else not manual,
        target_temperature=target,
        frequency=reply.number("frequency", field="frequency", digits=2),
        voltage=reply.number("coreVoltage", field="voltage", scale=0.001, digits=3),
    )


def _faults(reply: Fields) -> tuple[Fault, ...]:
    found = [
        Fault(
            code=code,
            message=message,
            component=component,
            severity=Severity.CRITICAL,
        )
        for code, component in (("power_fault", "power"), ("hardware_fault", "board"))
        if (message := _complaint(reply, code)) is not None
    ]
    if reply.boolean("overheat_mode"):
        found.append(
            Fault(
                code="overheat_mode",
                message="Overheated: the firmware protects the chips",
                component="chips",
                severity=Severity.CRITICAL,
            )
        )
    if _is_switched_off(reply):
        found.append(
            Fault(
                code="core_voltage_off",
                message="The firmware has cut off the chips: too hot, or bad power",
                component="power",
                severity=Severity.CRITICAL,
            )
        )
    return tuple(found)


def _complaint(reply: Fields, key: str) -> str | None:
    """Return the words of a fault; some firmware says only 0 or 1."""
    raw = reply.data.get(key)
    if raw in (None, False, 0, "", "0", "false"):
        return None
    words = text(raw)
    if words is None or words in ("1", "true"):
        return f"The firmware reports a {key.replace('_', ' ')}"
    return words[:200]


def _is_switched_off(reply: Fields) -> bool:
    """Tell whether a Nerd miner has cut the chips' voltage without being told to.

    It does so when it overheats and on a power fault, and says it on its screen only.
    """
    volts = reply.number("coreVoltageActual", field="voltage")
    if not reply.has("hostip") or volts is None or volts > _UNPOWERED_MILLIVOLTS:
        return False
    if reply.boolean("shutdown") or (reply.number("uptimeSeconds") or 0) < (
        STARTS_WITHIN
    ):
        return False
    power = reply.number("power")
    idle = power is not None and power < _UNPOWERED_WATTS
    return idle or not reply.number("hashRate")


def is_paused(reply: Fields) -> bool:
    """Tell whether the miner was put to sleep by a command."""
    return bool(reply.boolean("miningPaused") or reply.boolean("shutdown"))


def _status(
    reply: Fields, hashrate: float | None, faults: tuple[Fault, ...], *, starting: bool
) -> MinerStatus:
    if is_paused(reply):
        return MinerStatus.PAUSED
    if any(fault.code in _STOPPING for fault in faults):
        return MinerStatus.FAULT
    if hashrate is None:
        return MinerStatus.UNKNOWN
    if hashrate > 0 and connected(reply) is not False:
        return MinerStatus.MINING
    if faults:
        return MinerStatus.FAULT
    return MinerStatus.STARTING if starting else MinerStatus.IDLE

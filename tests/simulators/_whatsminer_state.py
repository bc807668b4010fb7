"""What a simulated Whatsminer is and does, whatever it is asked through."""

from abc import ABC
from dataclasses import dataclass
import math
import time
from typing import Any
import zlib

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.simulators.base import SimulatedDevice

# Firmware of before 2020 has cgminer's own API, without the vendor's commands.
BARE = "bare"
_MODES = {"low": 0.75, "normal": 1.0, "high": 1.12}


@dataclass(frozen=True, slots=True)
class Hardware:
    """What a model has, and what it does at its rated power."""

    type: str
    boards: int
    chips: int
    ths: float
    watts: int
    liquid: bool = False


HARDWARE = {
    "M20S": Hardware("M20SV10", 3, 105, 68.0, 3360),
    "M30S++": Hardware("M30S++_VH70", 3, 111, 112.0, 3472),
    "M50S": Hardware("M50S_VH50", 3, 117, 126.0, 3276),
    "M53": Hardware("M53_VH30", 4, 152, 226.0, 6554, liquid=True),
    "M56S": Hardware("M56S_VH30", 4, 152, 212.0, 5550, liquid=True),
    "M60S": Hardware("M60S_VK40", 3, 225, 186.0, 3441),
    "M63S": Hardware("M63S_VK30", 4, 272, 390.0, 7215, liquid=True),
    "M7BS": Hardware("M7BS_VM30", 4, 288, 560.0, 8085, liquid=True),
}


def mac_of(serial: str) -> str:
    """Return a locally administered MAC that belongs to a serial number."""
    digits = f"{zlib.crc32(serial.encode()):08X}"
    return "C6:07:" + ":".join(digits[i : i + 2] for i in range(0, 8, 2))


def crypt(key: bytes, data: bytes, *, encrypt: bool) -> bytes:
    """Run AES-256-ECB, in whole blocks."""
    cipher = Cipher(algorithms.AES(key), modes.ECB())
    run = cipher.encryptor() if encrypt else cipher.decryptor()
    return run.update(data) + run.finalize()


def envelope(code: int, message: object, api: str = "") -> dict[str, Any]:
    """Return the vendor's own envelope around an answer."""
    return {
        "STATUS": "S" if code in (131, 134) else "E",
        "When": int(time.time()),
        "Code": code,
        "Msg": message,
        "Description": api,
    }


class WhatsminerState(SimulatedDevice, ABC):
    """The state of a Whatsminer, and what follows from it as time passes."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        offset: int = 0,
        model: str = "M30S++",
        api: str = "2.0.5",
        firmware: str = "20230803.11.REL",
        serial: str = "HTM30H702208A1001",
        mac: str | None = None,
        password: str = "s3cret",
        asleep: bool = False,
        faults: tuple[int, ...] = (),
        age: float = 7200.0,
    ) -> None:
        """Describe a miner that has been mining for ``age`` seconds."""
        super().__init__(host, offset=offset)
        self.hardware = HARDWARE[model]
        self.api = api
        self.firmware = firmware
        self.serial = serial
        self.mac = mac or mac_of(serial)
        self.seed = zlib.crc32(serial.encode()) % 1000
        self.password = password
        self.api_switch = True
        self.asleep = asleep
        self.faults = list(faults)
        self.power_mode = "normal"
        self.power_limit = self.hardware.watts
        self.throttle = 100
        self.led = "auto"
        self.coolant: float | None = 41.5 if self.hardware.liquid else None
        self.pool_alive = True
        self.stalled = False
        # How long the miner is away after a restart, and then needs to speed up.
        self.restart_seconds = 0.0
        self.ramp = 0.0
        self.joins = True
        self.has_edevs = True
        self.maximum_tokens = 32
        # A command answered with a code and a text, or taken and not done.
        self.refused: dict[str, tuple[int, str]] = {}
        self.ignored: set[str] = set()
        self.mute: set[str] = set()
        self.canned: dict[str, bytes] = {}
        self.writes: list[str] = []
        self.pools = [
            {
                "url": f"stratum+tcp://pool{n}.example:3333",
                "user": "acct.rig",
                "pw": "x",
            }
            for n in (1, 2, 3)
        ]
        now = time.monotonic()
        self._booted = now - age - 600
        self._started = now - age
        self._away_until = 0.0
        self._tokens: dict[str, float] = {}
        self._given = 0

    # What it does.

    def restart(self) -> None:
        """Start the mining process anew."""
        now = time.monotonic()
        self._started = now
        self._away_until = now + self.restart_seconds

    def forget_tokens(self) -> None:
        """Lose all tokens, as a reboot does."""
        self._tokens.clear()

    @property
    def down(self) -> bool:
        """Tell whether the mining process is not running."""
        return self.asleep or time.monotonic() < self._away_until

    @property
    def elapsed(self) -> int:
        """Return for how many seconds it has been mining."""
        return int(time.monotonic() - self._started)

    @property
    def share(self) -> float:
        """Return how much of its full speed it has reached, 0 to 1."""
        if self.down or self.stalled or not self.pool_alive:
            return 0.0
        age = time.monotonic() - self._started
        return min(1.0, 0.1 + age / self.ramp) if self.ramp else 1.0

    @property
    def tuned(self) -> bool:
        """Tell whether it has reached its frequency."""
        return time.monotonic() - self._started >= self.ramp

    def rate(self, window: float = 0.0) -> float:
        """Return a hashrate in TH/s; the longer the window, the calmer."""
        wander = math.sin(time.monotonic() / 7 + self.seed + window) * 0.01
        factor = _MODES[self.power_mode] * self.throttle / 100
        factor = min(factor, self.power_limit / self.hardware.watts * 1.15)
        return self.hardware.ths * factor * self.share * (1 + wander / (1 + window))

    @property
    def watts(self) -> int:
        """Return the power drawn in W."""
        if not self.share:
            return 60
        load = self.rate() / self.hardware.ths
        return int(min(self.hardware.watts * load, self.power_limit * 1.01))

    @property
    def accepted(self) -> int:
        """Return the shares accepted since the start."""
        return 0 if self.down else self.elapsed // 4 + self.seed

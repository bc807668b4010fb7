"""A simulated Avalon miner: A series, Nano 3, Nano 3S, Mini 3 and Q."""

import asyncio
from collections.abc import Callable, Mapping
import random
from typing import Any, override

from tests.simulators.avalon_profiles import PROFILES
from tests.simulators.cgminer import SocketMiner
from tests.simulators.families import Family

type Section = dict[str, Any]


class SimulatedAvalon(SocketMiner):
    """One Avalon miner.

    ``overrides`` replaces values of the bracket text, or with ``None`` removes them;
    ``ignores`` lists settings that are taken but do nothing, ``refuses`` those that
    are refused, with the words; ``mute`` those that are not answered. ``settings`` is
    what it lists of them, if not what its model does.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        model: str = "q",
        serial: str = "02010000aa00bb01",
        mac: str = "b4a2eb300001",
        password: str = "web-secret",
        firmware: str = "25052801_14a19a2",
        asleep: bool = False,
        mode: int = 1,
        reboot_time: float = 200.0,
        settings: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(host, **options)
        self.profile = PROFILES[model]
        self.serial = serial
        self.mac = mac
        self.password = password
        self.account = "admin" if self.profile.home else "root"
        self.firmware = firmware
        self.options = settings or self.profile.options
        self.asleep = asleep
        self.mode = self.configured_mode = min(mode, len(self.profile.rates) - 1)
        self.reboot_time = reboot_time
        self.start_time = 40.0
        self.state: str | None = None
        self.fan: int | None = None
        self.target = 65
        self.led = False
        self.overrides: dict[str, str | None] = {}
        self.ignores: set[str] = set()
        self.refuses: dict[str, str] = {}
        self.mute = {"softon"} if self.profile.home else {"reboot"}
        self.takes_setpool = self.profile.home
        self.pool_status = "Alive"
        self.pools = [
            (f"stratum+tcp://pool{index}.example.com:4444", "worker1", "x")
            for index in range(3)
        ]
        self._saved_pools = list(self.pools)
        self._pending: tuple[float, bool] | None = None
        self._starts_until = 0.0
        self._chips = self._make_chips()

    def _make_chips(self) -> list[tuple[str, str]]:
        rng = random.Random(self.seed)
        count = self.profile.chips
        return [
            (
                " ".join(f"{rng.randint(58, 76):3}" for _ in range(count)),
                " ".join(str(rng.randint(276, 312)) for _ in range(count)),
            )
            for _ in range(self.profile.boards)
        ]

    # What goes on in it.

    def _tick(self) -> None:
        if self._pending and self.now() >= self._pending[0]:
            self.asleep, self._pending = self._pending[1], None
            if not self.asleep:
                self._starts_until = self.now() + self.start_time

    @property
    def work(self) -> str:
        if self.state:
            return self.state
        if self.asleep:
            return "In Idle"
        return "In Init" if self.now() < self._starts_until else "In Work"

    @property
    def rate(self) -> float:
        """Return the rate of now in TH/s."""
        if self.work != "In Work" or self.pool_status != "Alive":
            return 0.0
        return self.profile.rates[self.mode] * self.wander()

    def _reboot(self) -> None:
        task = asyncio.get_running_loop().create_task(self._boot())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _boot(self) -> None:
        for server in self._servers:
            server.close()
        self._servers.clear()
        await asyncio.sleep(self.reboot_time / self.speed)
        self.booted = self.now()
        self.asleep, self.fan, self._pending = False, None, None
        self.mode = self.configured_mode
        self.pools = list(self._saved_pools)
        self._starts_until = self.now() + self.start_time
        await self.start()

    # What it answers.

    @override
    def run(self, name: str, parameter: str) -> Section | None:
        self._tick()
        if parameter:
            return self._told(name, parameter)
        replies: dict[str, Callable[[], Section]] = {
            "version": lambda: {"VERSION": [self._version()]},
            "summary": lambda: {"SUMMARY": [self._summary()]},
            "estats": lambda: {"STATS": [self._statistics()]},
            "stats": lambda: {"STATS": [self._statistics(), {"ID": "POOL0"}]},
            "pools": lambda: {"POOLS": [self._pool(i) for i in range(len(self.pools))]},
        }
        return None if name in self.refuses or name not in replies else replies[name]()

    @override
    def silent(self, name: str, parameter: str) -> bool:
        setting = parameter.split(",")[1:2]
        return name == "ascset" and bool(self.mute.intersection(setting))

    def _version(self) -> Section:
        profile = self.profile
        found: Section = {
            "CGMiner": "4.11.1",
            "API": "3.7",
            "PROD": profile.product,
            "MODEL": profile.model,
            "HWTYPE": "MM4v1_X3",
            "SWTYPE": profile.swtype,
        }
        key = "LVERSION" if profile.home and profile.named else "VERSION"
        found[key] = self.firmware
        if profile.named:
            found |= {"DNA": self.serial, "MAC": self.mac, "UPAPI": "2"}
        return found

    def _summary(self) -> Section:
        rate = round(self.rate * 1e6, 2)
        return {
            "Elapsed": self.uptime,
            "MHS av": round(self.profile.rates[self.mode] * 0.97e6, 2),
            **{f"MHS {window}": rate for window in self.profile.windows},
            "Found Blocks": 0,
            "Accepted": self.uptime // 6,
            "Rejected": self.uptime // 800,
            "Hardware Errors": 0,
            "Stale": 3,
            "Total MH": self.uptime * 5e6,
            "Best Share": 354914572,
        }

    def _pool(self, index: int) -> Section:
        url, user, password = self.pools[index]
        return {
            "POOL": index,
            "URL": url,
            "Status": self.pool_status,
            "Priority": index,
            "Accepted": self.uptime // 6 if index == 0 else 0,
            "Rejected": 0,
            "Stale": 0,
            "User": user,
            "Password": f"{password}-pool-secret",
            "Stratum Active": index == 0 and self.pool_status == "Alive",
        }

    def _statistics(self) -> Section:
        values = self._values()
        for key, value in self.overrides.items():
            values.pop(key, None)
            if value is not None:
                values[key] = value
        chips: dict[str, str] = {}
        for index, (temperatures, volts) in enumerate(self._chips):
            chips |= {f"PVT_T{index}": f" {temperatures}", f"PVT_V{index}": volts}
        found: Section = {"STATS": 0, "ID": "AVALON0", "Elapsed": self.uptime}
        if self.profile.fans == 4 and self.profile.home:
            found["MM ID0:Summary"] = f"'STATS':{{{_brackets(values)}}}"
            found["HBinfo"] = f"'HB0':{{{_brackets(chips)}}}"
        else:
            found["MM ID0"] = _brackets(values | chips)
            found["MM Count"] = 1
        return found

    def _values(self) -> dict[str, str]:
        """Return the bracket text's values; averages stay up while it sleeps."""
        profile = self.profile
        hashes = self.rate > 0
        nominal = profile.rates[self.mode]
        share = nominal * 970 / profile.boards
        duty = self.fan if self.fan is not None else (48 if hashes else 0)
        boards = range(profile.boards)
        values = {
            "Ver": f"{profile.model}-{self.firmware}",
            "DNA": self.serial,
            "NETFAIL": "0 0 0 0 0 0 0 0",
            "SYSTEMSTATU": f"Work: {self.work}, Hash Board: {profile.boards} ",
            "Elapsed": str(self.uptime),
            "LW": str(self.uptime * 450),
            "HW": "7",
            "DH": "2.449%",
            **self._temperatures(hashes=hashes),
        }
        for index in range(profile.fans):
            values[f"Fan{index + 1}"] = str(duty * 55 + index * 8)
        values |= {"FanR": f"{duty}%", "PS": self._supply(hashes=hashes)}
        if profile.modern:
            values |= {"GHSspd": f"{self.rate * 1000:.2f}", "DHspd": "0.000%"}
        values |= {
            "GHSmm": f"{nominal * 1010:.2f}",
            "GHSavg": f"{nominal * 970:.2f}",
            "Freq": "282.86",
            "MGHS": " ".join(f"{share + index:.2f}" for index in boards),
            "TA": str(profile.chips * profile.boards),
            "ECHU": " ".join("0" if profile.modern else "512" for _ in boards),
            "ECMM": "0",
            "ADJ": "1",
        }
        return values | self._by_line(hashes=hashes)

    def _by_line(self, *, hashes: bool) -> dict[str, str]:
        profile = self.profile
        boards = range(profile.boards)
        values: dict[str, str] = {}
        if profile.modern:
            values["SoftOFF"] = ("4" if profile.home else "5") if self.asleep else "0"
        if not profile.home:
            values |= {
                "MTmax": " ".join(str(77 - i if hashes else -273) for i in boards),
                "Led": str(int(self.led)),
                "POWS": "0",
                "HASHS": " ".join("0" for _ in boards),
                "POOLS": "0",
            }
        else:
            values |= {"TarT": str(self.target), "FanErr": "0", "CALIALL": "7"}
        if len(profile.rates) > 1:
            values |= {"WORKMODE": str(self.mode)}
        if profile.modern and profile.named:
            values["MPO"] = str(round(profile.power[self.mode] * 0.95))
        power = str(profile.power[self.mode] if hashes else 12)
        return values | {k: v.format(power=power) for k, v in profile.extra.items()}

    def _temperatures(self, *, hashes: bool) -> dict[str, str]:
        warm = {"TMax": "78" if hashes else "0", "TAvg": "69" if hashes else "0"}
        if not self.profile.home:
            return {"Temp": "31", **warm}
        if self.profile.fans == 4:
            return {"ITemp": "26", "HBITemp": "55", "HBOTemp": "58", **warm}
        return {"ITemp": "-273", "OTemp": "44", **warm}

    def _supply(self, *, hashes: bool) -> str:
        power = self.profile.power[self.mode]
        if self.profile.home and self.profile.fans < 4:
            return f"0 0 27458 4 0 3990 {power if hashes else 6}"
        if not self.profile.modern:
            return f"0 1217 1279 221 {power if hashes else 0} 1280"
        if hashes:
            return f"0 1222 1312 250 {power - 250} 1320 {power}"
        return "0 1221 1 0 0 1320 12"

    # What it can be told.

    def _told(self, name: str, parameter: str) -> Section | None:
        if name == "check":
            exists = "Y" if parameter == "setpool" and self.takes_setpool else "N"
            return {"CHECK": [{"Exists": exists, "Access": exists}]}
        if name == "setpool" and self.takes_setpool:
            return self._set_pool(parameter, 133, 132, "Pool set info: ")
        if name != "ascset":
            return None
        option, _, value = parameter.partition(",")[2].partition(",")
        return self._set(option, value)

    def _set(self, option: str, value: str) -> Section:
        if option in self.refuses:
            return self._failed(self.refuses[option])
        if option == "help" and self.options:
            return self._informed(self.options)
        if option not in (self.options or "led|workmode|reboot").split("|"):
            return self._failed(f"Unknown option: {option}")
        handler = getattr(self, f"_do_{option.replace('-', '_')}")
        found: Section = handler(value)
        return found

    def _ok(self) -> Section:
        return self.status("S", 119, "ASC 0 set OK")

    def _informed(self, words: str) -> Section:
        return self.status("I", 118, f"ASC 0 set info: {words}")

    def _failed(self, words: str) -> Section:
        return self.refuse(120, f"ASC 0 set failed: {words}")

    def _do_softoff(self, value: str) -> Section:
        if not self.profile.home and "softon" not in (self.options or ""):
            self.asleep = self.asleep or "softoff" not in self.ignores
            return self._ok()
        return self._plan("softoff", value, asleep=True)

    def _do_softon(self, value: str) -> Section:
        return self._plan("softon", value, asleep=False)

    def _plan(self, option: str, value: str, *, asleep: bool) -> Section:
        index, _, moment = value.partition(":")
        if index != "1" or not moment.isdecimal():
            return self._failed(f"{option} unknown argument")
        # What was to happen long ago is not done any more.
        if option not in self.ignores and int(moment) > self.now() - 3600:
            self._pending = (int(moment), asleep)
        return self._informed(f"success {option}:{moment}")

    def _do_reboot(self, value: str) -> Section:
        if not value.isdecimal():
            return self._failed("reboot value not number")
        self._reboot()
        return self._ok()

    def _do_led(self, value: str) -> Section:
        if value == "1-255":
            return self._informed(f"LED[{int(self.led)}]")
        if "led" not in self.ignores:
            self.led = value == "1-1"
        return self._ok()

    def _do_workmode(self, value: str) -> Section:
        if not self.profile.home:
            if value != "255":
                self.configured_mode = int(value)
            return self._informed(f"WORKMODE[{self.configured_mode}]")
        verb, _, mode = value.partition(",")
        if verb == "get":
            return self._informed(f"workmode {self.mode}")
        if verb != "set":
            return self._failed("error:2 parameter error")
        if int(mode) >= len(self.profile.rates):
            return self._failed("error:1 not support set workmode max_mode[2]")
        if "workmode" not in self.ignores and int(mode) != self.mode:
            self.mode = self.configured_mode = int(mode)
            self._starts_until = self.now() + self.start_time
        return self._ok()

    def _do_fan_spd(self, value: str) -> Section:
        speed = int(value)
        if speed != -1 and not 15 <= speed <= 100:
            return self._failed("invalid fan value, valid range 15-100")
        if "fan-spd" not in self.ignores:
            self.fan = None if speed == -1 else speed
        return self._ok()

    def _do_target_temp(self, value: str) -> Section:
        self.target = int(value)
        return self._ok()

    def _do_setpool(self, value: str) -> Section:
        return self._set_pool(value, 118, 120, "ASC 0 set info: ")

    def _set_pool(self, value: str, done: int, failed: int, start: str) -> Section:
        account, password, slot, url, user, key = value.split(",")
        if account != self.account:
            return self.refuse(failed, f"{start}username err")
        if password != self.password:
            return self.refuse(failed, f"{start}userpass err")
        if "setpool" in self.refuses:
            return self.refuse(failed, start + self.refuses["setpool"])
        if "setpool" not in self.ignores:
            self._saved_pools[int(slot)] = (url, user, key)
        words = f"pool success set to {url}\nworkerpassword is {key}\nPlease reboot"
        return self.status("S" if done == 133 else "I", done, start + words)


def _brackets(values: Mapping[str, str]) -> str:
    return " ".join(f"{key}[{value}]" for key, value in values.items())


FAMILIES = (
    Family(
        "avalon",
        SimulatedAvalon,
        others={
            "locate": {"model": "a1246"},
            "target_temperature": {"settings": "help|target-temp|"},
        },
    ),
)

"""A simulated miner with LuxOS: port 4028 with its sessions, and a page on port 80."""

from collections.abc import Callable
from typing import ClassVar, override

from aiohttp import web

from tests.simulators._luxos_replies import State, profiles, reply
from tests.simulators.cgminer import Section, SocketMiner
from tests.simulators.families import Family

_SESSION_LASTS = 60.0
# What needs a session, by the list in the vendor's own tools.
_NEEDS_SESSION = frozenset(
    {
        "atmset", "curtail", "disableboard", "enableboard", "fanset", "ledset",
        "logoff", "powertargetset", "profileset", "rebootdevice", "resetminer",
        "tempctrlset",
    }
)  # fmt: skip


class SimulatedLuxOS(SocketMiner):
    """One miner; attributes are its state and may be changed at any time.

    ``ramp_time`` is how many seconds its boards need after it woke up or was given
    another profile. ``power_target`` makes it a model that takes a target in W.
    ``unknown`` lists commands that its firmware does not know, ``ignores`` those that
    it takes and does nothing, ``refuses`` those that it refuses, with its words.
    """

    ports: ClassVar[tuple[int, ...]] = (4028, 80)

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        model: str = "Antminer S19k Pro",
        serial: str = "SIMLUX0BDJAB00071",
        mac: str = "02:4c:58:00:00:71",
        firmware: str = "2026.8.3.101112-5ad0c0de",
        ramp_time: float = 0.0,
        asleep: bool = False,
        power_target: bool = False,
        water: bool = False,
        boards: tuple[int, ...] = (0, 1, 2),
        events: tuple[str, ...] = (),
        unknown: frozenset[str] = frozenset(),
        **options: object,
    ) -> None:
        """Describe a miner that is not switched on yet."""
        super().__init__(host, **options)  # type: ignore[arg-type]
        self.firmware = firmware
        self.description = f"LUXminer {firmware}"
        self.ramp_time = ramp_time
        self.unknown = unknown
        self.ignores: set[str] = set()
        self.refuses: dict[str, str] = {}
        self.state = State(
            model=model,
            serial=serial,
            mac=mac,
            seed=self.seed,
            power_target=power_target,
            water=water,
            boards=dict.fromkeys(boards, True),
            events=list(events),
            asleep=asleep,
        )
        self.dies_at_reboot = False
        self.reboots = 0
        self.restarts = 0
        self.sessions = 0
        self.session: str | None = None
        self.session_until = 0.0
        self.ramped_at = 0.0

    @override
    async def start(self) -> None:
        """Open the ports."""
        await super().start()
        app = web.Application()
        app.router.add_get("/{path:.*}", self._page)
        await self.serve_http(80, app)

    async def _page(self, _: web.Request) -> web.Response:
        page = "<html><head><title>Luxor Firmware</title></head></html>"
        return web.Response(text=page, content_type="text/html")

    def occupy(self) -> None:
        """Have somebody else hold the session."""
        self.session, self.session_until = "other001", self.now() + _SESSION_LASTS

    @property
    def ramping(self) -> bool:
        """Tell whether the boards are on their way to their frequency."""
        return self.now() < self.ramped_at

    def _ramp(self) -> None:
        self.ramped_at = self.now() + self.ramp_time

    @override
    def silent(self, name: str, parameter: str) -> bool:
        return self.dies_at_reboot and name in ("rebootdevice", "resetminer")

    @override
    def run(self, name: str, parameter: str) -> Section | None:
        if name in self.unknown:
            return None
        if name in self.refuses:
            return self.refuse(407, self.refuses[name])
        if name == "logon":
            return self._log_on()
        values = parameter.split(",") if parameter else []
        if name in _NEEDS_SESSION:
            if not values or values[0] != self._session_now():
                return self.refuse(401, "Invalid session ID")
            self.session_until = self.now() + _SESSION_LASTS
            values = values[1:]
        return self._do(name, values) if name in self._commands() else self._tell(name)

    def _do(self, name: str, values: list[str]) -> Section:
        if name not in self.ignores:
            words = self._commands()[name](*values)
            if words is not None:
                return self.refuse(407, words)
        return self.status("S", 300, f"{name} done")

    def _tell(self, name: str) -> Section | None:
        state = self.state
        state.now, state.uptime = self.now(), self.uptime
        state.ramping = self.ramping
        state.wander = self.wander()
        told = reply(name, state, self.firmware)
        if told is None:
            return None
        return {**self.status("S", 200, f"LUXminer {name}"), **told}

    # Sessions.

    def _session_now(self) -> str | None:
        return self.session if self.now() < self.session_until else None

    def _log_on(self) -> Section:
        if self._session_now() is not None:
            return self.refuse(402, "Another session is active")
        self.sessions += 1
        self.session = f"sim{self.sessions:05d}"
        self.session_until = self.now() + _SESSION_LASTS
        told = {"SESSION": [{"SessionID": self.session}]}
        return {**self.status("S", 316, "Session created"), **told}

    def _log_off(self) -> None:
        self.session = None

    # What it is told. Each returns why it refuses, or None.

    def _commands(self) -> dict[str, Callable[..., str | None]]:
        return {
            "logoff": self._log_off,
            "curtail": self._curtail,
            "profileset": self._set_profile,
            "powertargetset": self._set_target,
            "atmset": self._set_atm,
            "fanset": self._set_fan,
            "ledset": self._set_led,
            "tempctrlset": self._set_temperatures,
            "enableboard": lambda board: self._switch_board(board, on=True),
            "disableboard": lambda board: self._switch_board(board, on=False),
            "rebootdevice": self._reboot,
            "resetminer": self._reset,
            "addgroup": self._add_group,
            "removegroup": self._remove_group,
            "addpool": self._add_pool,
        }

    def _curtail(self, action: str) -> str | None:
        asleep = action == "sleep"
        if action not in ("sleep", "wakeup"):
            return "Invalid curtail action"
        if asleep is self.state.asleep:
            return f"Miner is already {'in sleep mode' if asleep else 'awake'}"
        self.state.asleep = asleep
        self._ramp()
        return None

    def _set_profile(self, name: str) -> str | None:
        if self.state.atm:
            return "ATM is enabled"
        if name not in {row["Profile Name"] for row in profiles()}:
            return f"Profile {name} not found"
        self.state.profile = name
        self._ramp()
        return None

    def _set_target(self, setting: str) -> str | None:
        key, _, watts = setting.partition("=")
        if not self.state.power_target or key != "power":
            return "Power targeting is not supported"
        self.state.target_watts = int(watts)
        self._ramp()
        return None

    def _set_atm(self, setting: str) -> None:
        self.state.atm = setting == "enabled=true"

    def _set_fan(self, setting: str) -> str | None:
        key, _, speed = setting.partition("=")
        if key != "speed" or not -1 <= int(speed) <= 100:
            return "Invalid fan speed"
        self.state.fan_speed = int(speed)
        return None

    def _set_led(self, colour: str, mode: str) -> str | None:
        if colour != "red" or mode not in ("on", "off", "blink", "auto"):
            return "Invalid LED"
        self.state.led = mode
        return None

    def _set_temperatures(self, *settings: str) -> str | None:
        wanted = dict(setting.split("=") for setting in settings)
        found = [
            float(wanted[key]) for key in ("target_temp", "hot_temp", "dangerous_temp")
        ]
        if found != sorted(found):
            return "Temperatures are not in order"
        self.state.target, self.state.hot, self.state.dangerous = found
        return None

    def _switch_board(self, board: str, *, on: bool) -> str | None:
        if int(board) not in self.state.boards:
            return f"Board {board} not found"
        self.state.boards[int(board)] = on
        return None

    def _reboot(self) -> None:
        self.reboots += 1
        self.booted = self.now()
        self.session = None

    def _reset(self) -> None:
        self.restarts += 1
        self.booted = self.now()
        self.session = None

    def _add_group(self, name: str, quota: str) -> None:
        self.state.groups.append((name, float(quota), []))

    def _remove_group(self, group: str) -> str | None:
        if int(group) >= len(self.state.groups):
            return f"Group {group} not found"
        del self.state.groups[int(group)]
        return None

    def _add_pool(self, url: str, user: str, password: str, group: str) -> str | None:
        if not url.startswith("stratum"):
            return f"Invalid pool {url},{user},{password}"
        self.state.groups[int(group)][2].append((url, user, password))
        return None


FAMILIES = (Family("luxos", SimulatedLuxOS),)

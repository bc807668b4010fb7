"""A simulated Antminer with stock firmware: ports 80 (digest), 4028 and 6060."""

import asyncio
import json
import time
from typing import Any, ClassVar, override

from aiohttp import web

from tests.simulators._antminer_replies import (
    SPECS,
    State,
    flat_stats,
    modern_stats,
    new_status,
    old_status,
    pools,
    status_page,
    summary,
    warnings,
)
from tests.simulators._antminer_web import (
    FORMS,
    Digest,
    decode_form,
    form_page,
    status_reply,
    verdict,
)
from tests.simulators.base import SimulatedDevice
from tests.simulators.families import Family


class SimulatedAntminer(SimulatedDevice):
    """One Antminer; attributes are its state and may be changed at any time.

    ``asleep_api`` is what the mining process does while asleep: ``empty`` STATS,
    a ``closed`` port or ``zeros``. ``ignores_writes`` acknowledges and does nothing.
    """

    ports: ClassVar[tuple[int, ...]] = (80, 4028, 6060)

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        offset: int = 0,
        model: str = "S21",
        serial: str = "SIMB0BDJAB0240001",
        mac: str = "02:11:22:33:44:55",
        password: str = "root",
        firmware: str | None = None,
        mode: int = 0,
        faults: tuple[str, ...] = (),
        pools_dead: bool = False,
        asleep_api: str = "empty",
        status_port: bool = True,
        seed: int = 1,
    ) -> None:
        """Describe a miner that is not switched on yet."""
        super().__init__(host, offset=offset)
        self.model = model
        self.spec = SPECS[model]
        self.serial = serial
        self.mac = mac
        self.password = password
        self.firmware = firmware or self.spec.firmware
        self.mode = mode
        self.faults = list(faults)
        self.pools_dead = pools_dead
        self.asleep_api = asleep_api
        self.status_port = status_port
        self.seed = seed
        self.pools = [
            {"url": "stratum+tcp://a.example:3333", "user": f"me.{seed}", "pass": "s1"},
            {"url": "stratum+tcp://b.example:3333", "user": f"me.{seed}", "pass": "s2"},
            {"url": "", "user": "", "pass": ""},
        ]
        self.fan_manual = False
        self.fan_duty = "100"
        self.settings: dict[str, Any] = {"bitmain-user-ip-cat": "0"}
        self.blinking = False
        self.hashes = True
        self.bad_chips = 0
        self.dead_fans = 0
        self.watts = 3510
        self.crashed = False
        self.dies_at_reboot = False
        self.reboots_by: tuple[str, ...] = ("GET", "POST")
        self.busy = False
        self.never_answers_posts = False
        self.ignores_writes = False
        self.reboots = 0
        self.restarts = 0
        self.posts: list[tuple[str, str]] = []
        self.commands: list[str] = []
        self.open_api = True
        self.digest = Digest()
        self._started = time.monotonic() - 5000 - 60 * seed
        self._api: asyncio.Server | None = None

    @override
    async def start(self) -> None:
        """Open the ports."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve_web)
        await self.serve_http(80, app)
        self._api = None
        await self.follow()
        if self.status_port and self.spec.modern:
            await self.listen(6060, self._serve_status)

    async def follow(self) -> None:
        """Open or close port 4028 as the state asks for; call after changing it."""
        wanted = self.open_api and not self.process_down
        if wanted and self._api is None:
            await self.listen(4028, self._serve_api)
            self._api = self._servers[-1]
        elif not wanted and self._api is not None:
            self._api.close()
            self._servers.remove(self._api)
            self._api = None

    @property
    def asleep(self) -> bool:
        """Tell whether it was put to sleep."""
        return self.mode == (1 if self.spec.modern else 254)

    @property
    def process_down(self) -> bool:
        """Tell whether there is no mining process, which some sleep without."""
        return self.crashed or (self.asleep and self.asleep_api == "closed")

    @property
    def uptime(self) -> int:
        """Return the seconds since the mining process was started."""
        return int(time.monotonic() - self._started)

    @uptime.setter
    def uptime(self, seconds: int) -> None:
        self._started = time.monotonic() - seconds

    @property
    def shares(self) -> int:
        """Return how many shares the pool took."""
        return 4000 + self.uptime // 12

    def mined_user(self, index: int) -> str:
        """Return a pool's user as it mines, with its address if it is to add it."""
        user = self.pools[index]["user"]
        if self.settings.get("bitmain-user-ip-cat") != "1" or not user:
            return user
        return f"{user}.{self.host.rpartition('.')[2]}"

    @property
    def state(self) -> State:
        """Return what there is to tell now."""
        hashing = self.hashes and not self.asleep and not self.pools_dead
        return State(
            spec=self.spec,
            model=self.model,
            firmware=self.firmware,
            serial=self.serial,
            now=time.monotonic(),
            uptime=self.uptime,
            hashing=hashing,
            mode=self.mode,
            seed=self.seed,
            bad_chips=self.bad_chips,
            dead_fans=self.dead_fans,
        )

    # The mining process.

    async def _serve_api(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        asked = await reader.read(4096)
        if not asked:
            return
        reply = self._reply_to_bytes(asked)
        # The old one ends with NUL and forgets a comma between the rows of stats.
        text = json.dumps(reply)
        if not self.spec.modern:
            text = text.replace('"}, {"STATS":', '"}{"STATS":') + "\x00"
        await self.answer(writer, text.encode())

    def _reply_to_bytes(self, asked: bytes) -> dict[str, Any]:
        try:
            request = json.loads(asked)
        except ValueError:
            return old_status("E", 23, "Invalid JSON")
        if not isinstance(request, dict) or "command" not in request:
            return old_status("E", 24, "Missing JSON 'command'")
        command = str(request["command"])
        self.commands.append(command)
        return self.reply_to(command, new=bool(request.get("new_api")))

    def reply_to(self, command: str, *, new: bool) -> dict[str, Any]:
        """Return the reply to a command, in the format that is asked for."""
        if "+" in command and not self.spec.modern:
            parts = command.split("+")
            return {part: [self.reply_to(part, new=False)] for part in parts} | {
                "id": 1
            }
        known = {"version", "stats", "pools", "summary"}
        if self.spec.warns:
            known.add("warning")
        if command not in known:
            return old_status("E", 14, "Invalid command")
        new = new and self.spec.modern
        rows = self._rows(command, new=new)
        if not new:
            return old_status("S", 11, command) | {command.upper(): rows, "id": 1}
        return new_status(self.state, command) | {command.upper(): rows}

    def _rows(self, command: str, *, new: bool) -> list[dict[str, Any]]:
        state = self.state
        if command == "pools":
            dead, shares = self.pools_dead, self.shares
            slots = [
                slot | {"user": self.mined_user(index)}
                for index, slot in enumerate(self.pools)
            ]
            return pools(slots, modern=new, dead=dead, shares=shares)
        if command == "warning":
            return warnings(self.faults)
        if command == "version":
            return flat_stats(state)[:1]
        if new and self.asleep and self.asleep_api != "zeros":
            return []
        if command == "stats":
            return modern_stats(state) if new else flat_stats(state)
        return summary(state, self.faults)

    # The status server.

    async def _serve_status(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = request.split(" ")[1]
        self.commands.append(path)
        told = {
            "/get_sn": self.serial,
            "/miner_power": f"miner power:{self.watts}",
            "/warning": json.dumps(
                {"error_message": self.faults[0] if self.faults else "None"}
            ),
        }
        body = told.get(path, "error 6060 cmd")
        await self.answer(writer, status_reply(body))

    # The web server.

    async def _serve_web(self, request: web.Request) -> web.StreamResponse:
        refusal = self.digest.refusal(request, self.password)
        if refusal is not None:
            return refusal
        program = request.path.removeprefix("/cgi-bin/").removesuffix(".cgi")
        if program == "reboot":
            return self._reboot(request)
        if request.method == "POST":
            text = await request.text()
            if text != "action=onPageLoaded":
                self.posts.append((program, text))
            return await self._serve_post(program, text, request.content_type)
        page = self._page(program)
        if page is None:
            return web.Response(status=404, text="<h1>404</h1>")
        return web.Response(text=f"\n\n{page}\n")

    def _reboot(self, request: web.Request) -> web.Response:
        if request.method not in self.reboots_by:
            return web.Response(status=405)
        self.reboots += 1
        self.uptime = 0
        if self.dies_at_reboot and request.transport is not None:
            request.transport.close()
        return web.Response(text="Status: 200\n")

    def _page(self, program: str) -> str | None:
        pages: dict[str, Any] = {
            "get_system_info": self._system_info(),
            "get_miner_conf": self.configuration(),
        }
        if self.spec.modern:
            pages["get_blink_status"] = {"blink": self.blinking}
            if program in ("stats", "pools", "summary", "warning"):
                return self._relayed(program)
        elif program == "minerConfiguration":
            return form_page(FORMS[self.model])
        elif program == "get_miner_status":
            rows = self._rows("pools", new=True)
            pages[program] = status_page(self.state, rows)
        return json.dumps(pages[program]) if program in pages else None

    def _relayed(self, command: str) -> str | None:
        if self.process_down:
            return "Socket connect failed: Connection refused"
        reply = self.reply_to(command, new=True)
        return None if isinstance(reply["STATUS"], list) else json.dumps(reply)

    def _system_info(self) -> dict[str, str]:
        told = {
            "minertype": f"Antminer {self.model}",
            "nettype": "DHCP",
            "macaddr": self.mac,
            "hostname": "Antminer",
            "ipaddress": self.host,
            "system_filesystem_version": self.firmware,
        }
        if self.spec.modern:
            told |= {"firmware_type": "Release", "serinum": self.serial or "Unknown"}
        return told

    def configuration(self) -> dict[str, Any]:
        """Return what get_miner_conf.cgi prints."""
        told: dict[str, Any] = {"pools": self.pools}
        if not self.spec.modern:
            if self.fan_manual:
                told |= {"bitmain-fan-ctrl": True, "bitmain-fan-pwm": self.fan_duty}
            told |= {
                "api-listen": True,
                "bitmain-freq": "650",
                "bitmain-voltage": "0706",
            }
            if self.model != "S9":
                told["bitmain-work-mode"] = str(self.mode)
            return told
        told |= {
            "bitmain-fan-ctrl": self.fan_manual,
            "bitmain-fan-pwm": self.fan_duty,
            "bitmain-work-mode": str(self.mode),
        }
        if self.spec.release:
            told |= {"bitmain-hashrate-percent": None, "bitmain-user-ip-cat": None}
            return told | self.settings
        return told | {"api-groups": "A:stats:pools", "bitmain-freq-level": "100"}

    async def _serve_post(
        self, program: str, text: str, content_type: str
    ) -> web.StreamResponse:
        if program == "blink":
            return self._blink(text)
        if program != "set_miner_conf":
            return web.Response(status=404)
        if self.busy:
            return verdict("error", "M001", "request busy")
        if not self.ignores_writes:
            try:
                if self.spec.modern:
                    self._take_json(text, content_type)
                else:
                    self._take_form(text)
            except ValueError:
                return verdict("error", "M001", "Illegal request!")
            await self.follow()
        if self.never_answers_posts:
            await asyncio.sleep(3600)
        if not self.spec.modern:
            return web.Response(text="ok\n")
        # The release of 2025-10 chats before its verdict.
        return verdict("success", "M000", "OK!", chat="Received JSON data.\n")

    def _blink(self, text: str) -> web.Response:
        if self.spec.modern:
            wanted = json.loads(text).get("blink")
            if not isinstance(wanted, bool):
                return web.Response(text='{"code":"B001"}')
            self.blinking = self.blinking if self.ignores_writes else wanted
            return web.Response(text='{"code":"B000"}' if wanted else '{"code":"B100"}')
        if self.model == "S9":
            return web.Response(status=404)
        if text != "action=onPageLoaded":
            self.blinking = text == "action=startBlink"
        return web.Response(text=json.dumps({"isBlinking": self.blinking}))

    def _take_json(self, text: str, content_type: str) -> None:
        """Do what the script does: what is missing stays, one key gets lost."""
        body = json.loads(text) if content_type == "application/json" else None
        if not isinstance(body, dict):
            raise ValueError("not an object")
        for slot, new in zip(self.pools, body.get("pools") or [], strict=False):
            slot.update({k: v for k, v in new.items() if v is not None})
        self.fan_manual = body.get("bitmain-fan-ctrl", self.fan_manual)
        self.fan_duty = str(body.get("bitmain-fan-pwm", self.fan_duty))
        kept = body.get("bitmain-user-ip-cat")
        self.settings = {} if kept is None else {"bitmain-user-ip-cat": kept}
        mode = body.get("miner-mode")
        if mode is not None and int(mode) in self.spec.accepted:
            self._change_mode(int(mode))

    def _change_mode(self, mode: int) -> None:
        if mode != self.mode:
            self.restarts += 1
            self.uptime = 0
        self.mode = mode

    def _take_form(self, text: str) -> None:
        """Do what the script does: cut at ``&`` and go by position."""
        values = decode_form(text, FORMS[self.model])
        for number, slot in enumerate(self.pools, 1):
            slot["url"] = values[f"_ant_pool{number}url"]
            slot["user"] = values[f"_ant_pool{number}user"]
            slot["pass"] = values[f"_ant_pool{number}pw"]
        self.fan_manual = values["_ant_fan_customize_switch"] == "true"
        self.fan_duty = values["_ant_fan_customize_value"]


FAMILIES = (Family("antminer", SimulatedAntminer, username="root", password="root"),)

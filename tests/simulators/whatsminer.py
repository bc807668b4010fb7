"""A simulated Whatsminer with API v2, of several models and firmware ages."""

import asyncio
import base64
from collections.abc import Callable
from contextlib import suppress
import hashlib
import time
from typing import Any, ClassVar, override

import orjson

from custom_components.miningsdk.sdk.transports.md5crypt import md5_crypt
from tests.simulators._whatsminer_state import BARE, WhatsminerState, crypt, envelope
from tests.simulators.families import Family

_SALT = "BQ5hoXV9"


class SimulatedWhatsminer(WhatsminerState):
    """One Whatsminer on API v2.

    ``api`` is "bare", "1.4.0", "2.0.4", "2.0.5" or "2.2.2"; the last one also
    stands for the reduced API v2 of firmware with API v3.
    """

    ports: ClassVar[tuple[int, ...]] = (4028, 80)

    @override
    async def start(self) -> None:
        await self.listen(4028, self._serve)
        await self.listen(80, self._serve_web)

    # What it says.

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        data = b""
        while True:
            chunk = await reader.read(65536)
            if not chunk:
                return
            data += chunk
            with suppress(orjson.JSONDecodeError):
                request = orjson.loads(data)
                break
        reply = self._handle(request)
        if reply is None:
            self.requests += 1
        else:
            await self.answer(writer, reply)

    async def _serve_web(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.readuntil(b"\r\n\r\n")
        reply = (
            "HTTP/1.1 307 Temporary Redirect\r\nConnection: close\r\n"
            f"Location: https://{self.host}/cgi-bin/luci\r\nContent-Length: 0\r\n\r\n"
        )
        await self.answer(writer, reply.encode())

    def _handle(self, request: Any) -> bytes | None:
        if not isinstance(request, dict):
            return orjson.dumps(envelope(23, "json load err"))
        if "enc" in request and self.api != BARE:
            return self._handle_encrypted(request)
        command = request.get("command") if self.api == BARE else request.get("cmd")
        command = command or request.get("command")
        if not isinstance(command, str) or (
            self.api == BARE and "command" not in request
        ):
            return self._cgminer_error(24, "Missing JSON 'command'")
        if command in self.canned:
            return self.canned[command]
        return self._read(command)

    def _read(self, command: str) -> bytes | None:
        names = command.split("+")
        if len(names) > 1 and not self.joins:
            return orjson.dumps(envelope(45, "command join err", self._description))
        if self.down and self.api != "2.2.2" and {"summary", "pools"} & set(names):
            return (
                None if self.api != "2.0.5" else self._error(132, "API command ERROR")
            )
        replies = [self._reply_to(name) for name in names]
        if any(reply is None for reply in replies):
            return self._unknown()
        if len(names) == 1:
            return self._encode(replies[0])
        return self._encode(
            {**{n: [r] for n, r in zip(names, replies, strict=True)}, "id": 1}
        )

    def _encode(self, reply: object) -> bytes:
        body = orjson.dumps(reply)
        return body if self.api.startswith("2.") else body + b"\x00"

    def _reply_to(self, name: str) -> dict[str, Any] | None:
        plain: dict[str, Callable[[], dict[str, Any]]] = {
            "summary": self.summary,
            "pools": self.pool_list,
            "devs": self.boards,
            "devdetails": self.details,
        }
        if self.has_edevs and self.api != BARE:
            plain["edevs"] = self.boards
        if name == "version" and self.api == BARE:
            version = {"CGMiner": "4.9.2", "API": "3.7"}
            return {"STATUS": [{"STATUS": "S", "Code": 22}], "VERSION": [version]}
        if name in plain:
            return plain[name]()
        return None if self.api == BARE else self._vendor_reply(name)

    def _vendor_reply(self, name: str) -> dict[str, Any] | None:
        if name == "get_error_code":
            return self._codes() if self.api >= "2" else None
        if name == "get_token":
            return self._token()
        facts: dict[str, Callable[[], dict[str, Any]]] = {
            "get_version": self._version,
            "status": self._status,
            "get_psu": lambda: {"name": "P221B", "model": "P221B", "fan_speed": "6300"},
        }
        if self.api >= "2":
            facts["get_miner_info"] = self._network
        if name not in facts:
            return None
        return envelope(131, facts[name](), self._description)

    @property
    def _description(self) -> str:
        return f"whatsminer v{self.api}" if self.api < "2" else ""

    def _unknown(self) -> bytes:
        if self.api == BARE:
            return self._cgminer_error(14, "Invalid command")
        return self._error(14, "invalid cmd")

    def _error(self, code: int, message: str) -> bytes:
        return orjson.dumps(envelope(code, message, self._description))

    def _cgminer_error(self, code: int, message: str) -> bytes:
        status = {"STATUS": "E", "When": int(time.time()), "Code": code, "Msg": message}
        return orjson.dumps({"STATUS": [status], "id": 1}) + b"\x00"

    def _version(self) -> dict[str, Any]:
        api = self._description or self.api
        facts = {"api_ver": api, "fw_ver": self.firmware, "platform": "H616"}
        if self.api == "2.2.2":
            facts["miner_type"] = self.hardware.type
        return facts

    def _network(self) -> dict[str, Any]:
        return {
            "ip": self.host,
            "proto": "dhcp",
            "hostname": "WhatsMiner",
            "mac": self.mac,
            "ledstat": self.led,
            "minersn": self.serial,
            "powersn": "A1232B0120100049",
        }

    def _status(self) -> dict[str, Any]:
        off = str(self.asleep).lower()
        if self.api < "2":
            return {"btmineroff": off, "Firmware Version": f"'{self.firmware}'"}
        facts: dict[str, Any] = {
            "mineroff": off,
            "mineroff_reason": "by whatsminer api" if self.asleep else "",
            "FirmwareVersion": self.firmware,
            "power_mode": self.power_mode,
            "power_limit_set": str(self.power_limit),
            "hash_percent": "0",
        }
        if self.api == "2.2.2":
            facts["power_pct"] = self.throttle
            facts["liquid_temp"] = self.coolant or 0
        return facts

    def _codes(self) -> dict[str, Any]:
        stamps = [{str(code): "2026-11-20 08:15:00"} for code in self.faults]
        return envelope(131, {"error_code": stamps})

    def details(self) -> dict[str, Any]:
        """Return the model of each board."""
        boards = [
            {
                "DEVDETAILS": n,
                "Name": "SM",
                "ID": n,
                "Driver": "bitmicro",
                "Model": self.hardware.type,
            }
            for n in range(self.hardware.boards)
        ]
        return {"STATUS": [{"STATUS": "S", "Code": 69}], "DEVDETAILS": boards, "id": 1}

    def summary(self) -> dict[str, Any]:
        """Return the summary, in the shape of the firmware's age."""
        fans = 0 if self.hardware.liquid else 5400 + self.seed % 300
        rate, average = self.rate(), self.rate(60)
        facts: dict[str, Any] = {
            "Elapsed": self.elapsed,
            "MHS av": round(average * 1e6, 2),
            "MHS 1m": round(rate * 1e6, 2),
            "MHS 15m": round(average * 1e6, 2),
            "HS RT": round(rate * 1e6, 2),
            "freq_avg": 640,
            "Fan Speed In": fans,
            "Fan Speed Out": fans and fans + 60,
            "Power": self.watts,
            "Uptime": int(time.monotonic() - self._booted),
            "Target Freq": 625,
            "Env Temp": 27.5,
            "Power Mode": self.power_mode.capitalize(),
            "Factory GHS": int(self.hardware.ths * 1000),
            "Power Limit": self.power_limit,
            "Chip Temp Min": 61.0,
            "Chip Temp Max": 88.25 if self.share else 0.0,
            "Chip Temp Avg": 76.5,
            "Upfreq Complete": int(self.tuned),
        }
        if self.api == "2.2.2":
            facts["Power Rate"] = round(self.watts / rate, 2) if rate else 0
            return envelope(131, facts)
        facts |= {
            "MHS 5s": round(self.rate(0.1) * 1e6, 2),
            "Accepted": self.accepted,
            "Rejected": self.accepted // 200,
            "Stale": 0,
            "Best Share": 82_000_000 + self.seed,
            "Hardware Errors": self.seed % 70,
            "Temperature": 71.5,
            "MAC": self.mac,
            "Liquid Cooling": self.hardware.liquid,
            "Firmware Version": f"'{self.firmware}'",
        }
        if self.api < "2" or self.api == BARE:
            facts["Error Code Count"] = len(self.faults)
            facts |= {f"Error Code {n}": code for n, code in enumerate(self.faults)}
        status = {"STATUS": "S", "Code": 11, "Msg": "Summary"}
        return {"STATUS": [status], "SUMMARY": [facts], "id": 1}

    def pool_list(self) -> dict[str, Any]:
        """Return the pools; the first one that answers is mined on."""
        first = 0 if self.api == BARE else 1
        pools = [
            {
                "POOL": first + place,
                "URL": pool["url"],
                "Status": "Alive" if self.pool_alive else "Dead",
                "Priority": place,
                "User": pool["user"],
                "Accepted": 0 if place else self.accepted,
                "Rejected": 0 if place else self.accepted // 200,
                "Stale": 0,
                "Stratum Active": not place and self.pool_alive,
            }
            for place, pool in enumerate(self.pools)
        ]
        return {"STATUS": [{"STATUS": "S", "Code": 7}], "POOLS": pools, "id": 1}

    def boards(self) -> dict[str, Any]:
        """Return the boards, in the shape of the firmware's age."""
        boards = [self._board(place) for place in range(self.hardware.boards)]
        return {"STATUS": [{"STATUS": "S", "Code": 9}], "DEVS": boards, "id": 1}

    def _board(self, place: int) -> dict[str, Any]:
        rate = self.rate(place) / self.hardware.boards
        facts: dict[str, Any] = {
            "Slot": place,
            "Temperature": 69.0 + place,
            "Chip Frequency": 640 + place,
            "Factory GHS": int(self.hardware.ths * 1000 / self.hardware.boards),
            "Upfreq Complete": int(self.tuned),
            "Effective Chips": self.hardware.chips,
            "PCB SN": f"HEM1EP9C4{self.seed:03d}K6000{place}",
        }
        if self.api == "2.2.2":
            # This firmware tells TH/s here, whatever the name says.
            return facts | {"MHS av": round(rate, 3), "HS RT": round(rate, 3)}
        return facts | {
            "ASC": place,
            "Enabled": "Y",
            "Status": "Alive",
            "MHS av": round(rate * 1e6, 2),
            "MHS 5s": round(rate * 1e6, 2),
            "Chip Temp Max": 86.25 + place if self.share else 0.0,
        }

    # What it can be told.

    @property
    def _key(self) -> str:
        return md5_crypt(self.password, _SALT)

    def _token(self) -> dict[str, Any]:
        now = time.monotonic()
        self._tokens = {s: end for s, end in self._tokens.items() if end > now}
        if len(self._tokens) >= self.maximum_tokens:
            return envelope(136, "over max connect", self._description)
        self._given += 1
        fresh, moment = f"n{self._given:07d}", f"{self._given % 10000:04d}"
        self._tokens[md5_crypt(self._key + moment, fresh)] = now + 1800
        token = {"time": moment, "salt": _SALT, "newsalt": fresh}
        return envelope(134, token, self._description)

    def _handle_encrypted(self, request: dict[str, Any]) -> bytes | None:
        key = hashlib.sha256(self._key.encode()).digest()
        try:
            plain = crypt(key, base64.b64decode(request["data"]), encrypt=False)
            order = orjson.loads(plain.rstrip(b"\x00"))
        except ValueError:
            return self._error(23, "enc json load err")
        command = str(order.pop("cmd", ""))
        if (reply := self._reply_to(command)) is None:
            self.writes.append(command)
            code, message = self._obey(command, order)
            if not code:
                return None
            reply = envelope(code, message, self._description)
        body = orjson.dumps(reply)
        body += b"\x00" * (-len(body) % 16)
        data = base64.b64encode(crypt(key, body, encrypt=True)).decode()
        return orjson.dumps({"enc": data})

    def _obey(self, command: str, order: dict[str, Any]) -> tuple[int, str]:
        """Return a code and a text; code 0 closes the connection without a word."""
        if not self.api_switch:
            return 45, "can't access write cmd"
        if self.password == "admin":
            return 45, "permission denied"
        if order.pop("token", None) not in self._tokens:
            return 135, "check token err"
        if command in self.refused:
            return self.refused[command]
        known = getattr(self, f"_do_{command}", None)
        if known is None:
            return 14, "invalid cmd"
        if command not in self.ignored:
            known(**order)
        return (0, "") if command in self.mute else (131, "API command OK")

    def _do_power_off(self, respbefore: str = "false") -> None:
        assert respbefore in ("true", "false")
        self.asleep = True

    def _do_power_on(self) -> None:
        self.asleep = False
        self.restart()

    def _do_reboot(self) -> None:
        self._booted = time.monotonic()
        self.forget_tokens()
        self.restart()

    def _do_restart_btminer(self) -> None:
        self.asleep = False
        self.restart()

    def _do_set_led(self, param: str = "", **pattern: Any) -> None:
        if param == "auto":
            self.led = "auto"
            return
        assert pattern["color"] in ("red", "green")
        times = (pattern["period"], pattern["duration"], pattern["start"])
        self.led = "1,{},{},{} ".format(*map(int, times))

    def _do_set_low_power(self) -> None:
        self._change_mode("low")

    def _do_set_normal_power(self) -> None:
        self._change_mode("normal")

    def _do_set_high_power(self) -> None:
        self._change_mode("high")

    def _change_mode(self, mode: str) -> None:
        self.power_mode = mode
        self.restart()

    def _do_adjust_power_limit(self, power_limit: str) -> None:
        assert isinstance(power_limit, str)
        self.power_limit = int(power_limit)
        self.restart()

    def _do_set_power_pct_v2(self, percent: str) -> None:
        assert isinstance(percent, str)
        self.throttle = int(percent)

    def _do_update_pools(self, **texts: str) -> None:
        self.pools = [
            {
                "url": texts[f"pool{n}"],
                "user": texts[f"worker{n}"],
                "pw": texts[f"passwd{n}"],
            }
            for n in (1, 2, 3)
            if texts[f"pool{n}"]
        ]


FAMILIES = (
    Family(
        "whatsminer",
        SimulatedWhatsminer,
        username="admin",
        password="s3cret",
        others={"throttle": {"api": "2.2.2"}},
    ),
)

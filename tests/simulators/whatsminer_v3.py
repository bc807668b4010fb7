"""A simulated Whatsminer with API v3, and the reduced API v2 beside it."""

import asyncio
import base64
import hashlib
import time
from typing import Any, ClassVar, override

import orjson

from tests.simulators._whatsminer_state import crypt
from tests.simulators.base import Trouble
from tests.simulators.families import Family
from tests.simulators.whatsminer import SimulatedWhatsminer

_SALT = "uhCiDyVj"
_REASONS = {531: "Slot1 not found.", 264: "Power xfer error. code: 0xc0000000"}


def frame(body: bytes) -> bytes:
    """Return a body with its length before it."""
    return len(body).to_bytes(4, "little") + body


class SimulatedWhatsminerV3(SimulatedWhatsminer):
    """One Whatsminer on API v3; ``password`` is that of its account "super"."""

    ports: ClassVar[tuple[int, ...]] = (4433, 4028, 80)

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        model: str = "M60S",
        firmware: str = "20251209.16.Rel2",
        api_v3: str = "3.0.5",
        serial: str = "BTM3CS40HD24083112345",
        has_v2: bool = True,
        **options: Any,
    ) -> None:
        """Describe a miner; options are those of the one with API v2."""
        options.setdefault("api", "2.2.2")
        super().__init__(host, model=model, firmware=firmware, serial=serial, **options)
        self.api_v3 = api_v3
        self.account = "super"
        self.has_v2 = has_v2
        self.says_down = False
        self.counts_shares = False
        self.frame_trouble = False
        self.has_setting = True

    @override
    async def start(self) -> None:
        await self.listen(4433, self._serve_frames)
        if self.has_v2:
            await self.listen(4028, self._serve)
        await self.listen(80, self._serve_web)

    @override
    async def mangle(self, reply: bytes) -> bytes | None:
        mangled = await super().mangle(reply)
        if mangled is None or not self.frame_trouble:
            return mangled
        if self.body is not None or self.trouble is Trouble.WRONG_TYPES:
            return frame(mangled)
        return mangled

    async def _serve_frames(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while True:
            length = int.from_bytes(await reader.readexactly(4), "little")
            if not length:
                continue
            reply = self._answer_v3(orjson.loads(await reader.readexactly(length)))
            if reply is None:
                self.requests += 1
                return
            await self.answer(writer, frame(reply))
            if self.body is not None or self.trouble is not Trouble.NONE:
                return

    def _answer_v3(self, request: dict[str, Any]) -> bytes | None:
        command, param = str(request.get("cmd")), request.get("param")
        if command in self.canned:
            return self.canned[command]
        reads = {
            "get.device.info": self._device,
            "get.miner.status": self._live,
            "get.miner.setting": self._setting,
        }
        code: int | None
        if command in reads:
            code, message = reads[command](param)
        elif command.startswith("set."):
            code, message = self._obey_v3(command, request)
        else:
            code, message = -2, "invalid command"
        if code is None:
            return None
        reply = {"code": code, "when": int(time.time()), "msg": message}
        return orjson.dumps({**reply, "desc": command})

    def _device(self, param: object) -> tuple[int, object]:
        sections = self._sections()
        if param is None:
            return 0, sections
        return (
            (0, {str(param): sections[str(param)]}) if param in sections else (-2, "")
        )

    def _sections(self) -> dict[str, Any]:
        hardware = self.hardware
        power: dict[str, Any] = {"type": "P221B", "mode": "1", "fanspeed": 6344}
        if self.coolant is not None:
            power["liquid-temperature"] = self.coolant
        codes = [
            {str(code): "2026-11-20 08:15:00", "reason": _REASONS.get(code, "")}
            for code in self.faults
        ]
        boards = {
            f"pcbsn{n}": f"BKM3CSE14{self.seed:03d}K4275{n}"
            for n in range(hardware.boards)
        }
        return {
            "network": {"mac": self.mac, "hostname": "WhatsMiner", "ip": self.host},
            "miner": {
                "working": str(not self.asleep).lower(),
                "type": hardware.type,
                "hash-percent": "0",
                "board-num": str(hardware.boards),
                "miner-sn": self.serial,
                "power-limit-set": str(self.power_limit),
                **boards,
            },
            "system": {
                "api": self.api_v3,
                "apiswitch": str(int(self.api_switch)),
                "fwversion": self.firmware,
                "platform": "H616",
                "ledstatus": self.led,
            },
            "power": power,
            "salt": _SALT,
            "error-code": codes,
        }

    def _live(self, param: object) -> tuple[int, object]:
        if self.down and self.says_down:
            return 0, "btminer process is down err"
        if not isinstance(param, str):
            return -3, "param item is null"
        found: dict[str, Any] = {}
        for name in param.split("+"):
            if name == "summary":
                found[name] = self._summary_v3()
            elif name == "pools":
                found[name] = self._pools_v3()
            elif name == "edevs":
                found[name] = self._boards_v3()
            else:
                return -2, f"invalid param: {name}"
        return 0, found

    def _summary_v3(self) -> dict[str, Any]:
        rate, fans = self.rate(), 0 if self.hardware.liquid else 5400
        return {
            "elapsed": self.elapsed,
            "bootup-time": self.elapsed + 600,
            "freq-avg": 625,
            "target-freq": 0,
            "factory-hash": self.hardware.ths,
            "hash-average": round(self.rate(60), 3),
            "hash-1min": round(self.rate(1), 3),
            "hash-15min": round(self.rate(15), 3),
            "hash-realtime": round(rate, 3),
            "power-rate": round(self.watts / rate, 3) if rate else 0,
            "power-5min": self.watts + 0.5,
            "power-realtime": self.watts,
            "environment-temperature": 28.5,
            "board-temperature": [41.1 + n for n in range(self.hardware.boards)],
            "chip-temp-min": 68.0,
            "chip-temp-avg": 75.5,
            "chip-temp-max": 82.0,
            "power-limit": min(self.power_limit, self.hardware.watts),
            "up-freq-finish": int(self.tuned),
            "fan-speed-in": fans,
            "fan-speed-out": fans,
        }

    def _pools_v3(self) -> list[dict[str, Any]]:
        pools = [
            {
                "id": place + 1,
                "url": pool["url"],
                "status": "alive" if self.pool_alive else "dead",
                "account": pool["user"],
                "stratum-active": not place and self.pool_alive,
                "reject-rate": 0.5,
                "last-share-time": int(time.time()),
            }
            for place, pool in enumerate(self.pools)
        ]
        if self.counts_shares:
            for place, shown in enumerate(pools):
                shown["accepted"] = 0 if place else self.accepted
                shown["rejected"] = 0
        return pools

    def _boards_v3(self) -> list[dict[str, Any]]:
        return [
            {
                "id": place,
                "slot": place,
                "hash-average": round(self.rate(place) / self.hardware.boards, 3),
                "factory-hash": round(self.hardware.ths / self.hardware.boards, 3),
                "freq": 625.4 + place,
                "effective-chips": self.hardware.chips,
                "chip-temp-min": 68.0,
                "chip-temp-max": 80.0 + place if self.share else 0,
            }
            for place in range(self.hardware.boards)
        ]

    def _setting(self, _: object) -> tuple[int, object]:
        if not self.has_setting:
            return -2, "invalid command"
        found: dict[str, Any] = {
            "power-limit": self.power_limit,
            "power-mode": self.power_mode,
            "upfreq-speed": 0,
            "fast-boot": "disable",
            "target-freq": 0,
        }
        if self.api_v3 >= "3.0.3":
            found["power-percent"] = 0 if self.throttle == 100 else self.throttle
        return 0, found

    def _obey_v3(
        self, command: str, request: dict[str, Any]
    ) -> tuple[int | None, object]:
        self.writes.append(command)
        text = f"{command}{self.password}{_SALT}{request['ts']}"
        digest = hashlib.sha256(text.encode()).digest()
        token = base64.b64encode(digest).decode()[:8]
        allowed = self.api_switch and request.get("account") == self.account
        if not allowed or request.get("token") != token:
            return -4, "no permission for write command"
        if command in self.refused:
            return self.refused[command]
        known = getattr(self, f"_v3_{command.replace('.', '_')}", None)
        if known is None:
            return -2, "invalid command"
        if command not in self.ignored:
            param = request.get("param")
            if command == "set.miner.pools":
                param = self._decrypted(digest, param)
            known(param)
        return (None, "") if command in self.mute else (0, "ok")

    @staticmethod
    def _decrypted(key: bytes, param: object) -> Any:
        plain = crypt(key, base64.b64decode(str(param)), encrypt=False)
        return orjson.loads(plain[: -plain[-1]])

    def _v3_set_miner_service(self, param: str) -> None:
        assert param in ("start", "stop", "restart")
        self.asleep = param == "stop"
        self.restart()

    def _v3_set_system_reboot(self, _: object) -> None:
        self._do_reboot()

    def _v3_set_system_led(self, param: object) -> None:
        if param == "auto":
            self.led = "auto"
        else:
            assert isinstance(param, list)
            assert param[0]["color"] in ("red", "green")
            self.led = "flash"

    def _v3_set_miner_power_mode(self, param: str) -> None:
        self._change_mode(param)

    def _v3_set_miner_power_limit(self, param: int) -> None:
        assert isinstance(param, int)
        self.power_limit = param
        self.restart()

    def _v3_set_miner_power_percent(self, param: dict[str, Any]) -> None:
        assert isinstance(param["percent"], int)
        assert param["mode"] in ("fast", "normal")
        self.throttle = param["percent"]

    def _v3_set_miner_pools(self, param: list[dict[str, str]]) -> None:
        self.pools = [
            {"url": pool["pool"], "user": pool["worker"], "pw": pool["passwd"]}
            for pool in param
        ]


FAMILIES = (
    Family("whatsminer-v3", SimulatedWhatsminerV3, username="super", password="s3cret"),
)

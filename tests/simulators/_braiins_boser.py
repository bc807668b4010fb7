"""The state of a simulated miner with the REST API, and what it tells of it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
import time
from typing import Any, override

from tests.simulators import _braiins_rest as rest
from tests.simulators._braiins_bosminer import BosSocket
from tests.simulators._braiins_socket import Look

_STARTED, _NORMAL, _PAUSED = 1, 2, 3


class BoserState(BosSocket):
    """What a miner with Braiins OS 25 does; attributes may be changed at any time.

    ``restart_seconds`` is how long it does not hash after what starts mining anew.
    """

    description = "BOSer boser-buildroot 0.1.0-3881c51d"

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        model: str = "S19 XP",
        serial: str | None = None,
        mac: str = "02:11:22:33:44:66",
        firmware: str = "2025-08-06-0-3881c51d-25.07-plus",
        paused: bool = False,
        restart_seconds: float = 0.0,
        **options: Any,
    ) -> None:
        """Describe a miner that is not switched on yet."""
        super().__init__(host, **options)
        self.spec = rest.SPECS[model]
        self.serial = serial
        self.mac = mac
        self.firmware = firmware
        self.paused = paused
        self.restart_seconds = restart_seconds
        self.version = {"API": "3.7", "BOSer": "boser-buildroot 0.1.0-3881c51d"}
        self.told_status: object = None
        self.tuner = 2
        self.target: dict[str, Any] = {"power_target": {"watt": self.spec.watts}}
        liquid = self.spec.liquid
        self.cooling: dict[str, Any] | None = {
            "hydro" if liquid else "auto": {
                "target_temperature": {"degree_c": 60.0},
                "hot_temperature": {"degree_c": 75.0},
                "dangerous_temperature": {"degree_c": 85.0},
                **({} if liquid else {"minimum_required_fans": self.spec.fans}),
            }
        }
        self.tells_cooling = True
        self.groups: list[dict[str, Any]] = [
            {
                "name": "home",
                "load_balance_strategy": {"quota": {"value": 1}},
                "pools": [
                    {"url": "stratum+tcp://a.example:3333", "user": f"me.{self.seed}"},
                    {"url": "stratum+tcp://b.example:3333", "user": f"me.{self.seed}"},
                ],
            }
        ]
        self.off: set[str] = set()
        self.missing_boards: set[str] = set()
        self.errors: list[dict[str, Any]] = []
        self.locating = False
        self.hashes = True
        self.pools_dead = False
        self.rates_known = True
        self.stale_power = False
        self.process_runs = True
        self.restarts = 0
        self._ramps_until = 0.0

    def complain(
        self, message: str, *, ago: float = 60.0, code: str = "", component: str = ""
    ) -> None:
        """Add a line to the list of errors, which is never emptied."""
        at = datetime.now(UTC) - timedelta(seconds=ago)
        codes = [{"code": code, "reason": message, "hint": "look at it"}]
        name, _, index = component.partition(" ")
        parts = [{"name": name, "index": int(index or 0)}]
        self.errors.append(
            {
                "timestamp": at.isoformat().replace("+00:00", "Z"),
                "message": message,
                "error_codes": codes if code else [],
                "components": parts if component else [],
            }
        )

    # What it does.

    @property
    def target_watts(self) -> float:
        target = self.target.get("power_target", {"watt": self.spec.watts})
        return float(target["watt"])

    @property
    def nominal(self) -> float:
        """Return the TH/s that it is tuned for."""
        on = self.spec.boards - len(self.off | self.missing_boards)
        return (
            self.spec.rate
            * self.target_watts
            / self.spec.watts
            * on
            / max(self.spec.boards, 1)
        )

    @property
    def rate(self) -> float:
        """Return the TH/s of now."""
        works = self.hashes and self.process_runs and not self.paused
        if not works or self.pools_dead or time.monotonic() < self._ramps_until:
            return 0.0
        return self.nominal * self.wander()

    @property
    def watts(self) -> float:
        if self.stale_power or self.rate:
            return self.target_watts * 1.03
        return self.target_watts * 0.02

    def anew(self) -> None:
        """Start mining anew, as some commands have it do."""
        self.restarts += 1
        self._ramps_until = time.monotonic() + self.restart_seconds

    @override
    def look(self) -> Look:
        ids = tuple(range(1, self.spec.boards + 1))
        pools = [pool for group in self.groups for pool in group["pools"]]
        return Look(
            model=self.spec.name,
            ids=ids,
            chips=self.spec.chips,
            rate=self.rate,
            nominal=self.nominal,
            watts=self.watts,
            limit=self.target_watts,
            uptime=self.uptime,
            words={},
            off=tuple(int(name) for name in self.off),
            fans=(5904,) * self.spec.fans,
            dead=self.pools_dead,
            hertz=False,
            pools=tuple((pool["url"], pool["user"]) for pool in pools),
        )

    # What it tells over REST, by path.

    def told(self) -> dict[str, Callable[[], object]]:
        return {
            "/version/": lambda: {"major": 1, "minor": 3, "patch": 0},
            "/miner/details": self._details,
            "/miner/stats": self._stats,
            "/miner/hw/hashboards": lambda: {"hashboards": self._boards()},
            "/miner/errors": lambda: {"errors": self.errors},
            "/cooling/state": self._cooling_state,
            "/performance/tuner-state": lambda: rest.tuner_state(
                self.tuner, self.target
            ),
            "/pools/": lambda: rest.pool_groups(
                self.groups, dead=self.pools_dead, shares=4000 + self.uptime // 12
            ),
            "/actions/locate": lambda: self.locating,
            "/configuration/miner": self._configuration,
            "/configuration/constraints": lambda: rest.constraints(
                self.spec, cooling=5 if self.spec.liquid else 1
            ),
        }

    def _details(self) -> dict[str, Any]:
        status: object = _PAUSED if self.paused else _NORMAL
        status = status if self.process_runs else _STARTED
        return {
            "uid": "sim0000000000001",
            "miner_identity": {
                "brand": self.spec.brand,
                "model": 18,
                "name": self.spec.name,
                "miner_model": self.spec.name,
            },
            "platform": 4,
            "bos_mode": 4,
            "bos_version": {
                "bos_plus": True,
                "current": self.firmware,
                "major": "2022-09-13-0-11012d53-22.08-plus",
            },
            "hostname": "Antminer",
            "mac_address": self.mac,
            "serial_number": self.serial,
            "kernel_version": "4.9.113",
            "system_uptime": self.uptime + 40,
            "system_uptime_s": self.uptime + 40,
            "bosminer_uptime_s": self.uptime if self.process_runs else 0,
            "sticker_hashrate": rest.giga(self.spec.rate),
            "status": status if self.told_status is None else self.told_status,
            "control_board_soc_family": 3,
        }

    def _stats(self) -> dict[str, Any]:
        rate = self.rate if self.rates_known else None
        efficiency = self.watts / self.rate if self.rate else 0.0
        return {
            "miner_stats": rest.solver(rate, self.nominal, self.nominal, 776_342_690),
            "power_stats": {
                "approximated_consumption": rest.watts(self.watts),
                "efficiency": {"joule_per_terahash": efficiency},
            },
            "pool_stats": {
                "accepted_shares": 4004 + self.uptime // 12,
                "rejected_shares": 18,
                "stale_shares": 2,
                "best_share": 776_342_690,
            },
        }

    def _boards(self) -> list[dict[str, Any]]:
        names = [str(n) for n in range(1, self.spec.boards + 1)]
        there = [name for name in names if name not in self.missing_boards]
        on = [name for name in there if name not in self.off]
        share = 1 / max(len(on), 1)
        return [
            rest.board(
                self.spec,
                int(name),
                enabled=name in on,
                rate=self.rate * share if name in on else 0.0,
                nominal=self.nominal * share if name in on else 0.0,
                best=776_000 + int(name),
            )
            for name in there
        ]

    def _cooling_state(self) -> dict[str, Any]:
        heat = {"degree_c": 67.0 + self.spec.boards}
        manual = (self.cooling or {}).get("manual", {})
        ratio = 0.0 if self.paused else manual.get("fan_speed_ratio", 1.0)
        return {
            "fans": [
                {
                    "position": n,
                    "rpm": round((5904 + n) * ratio),
                    "target_speed_ratio": ratio,
                }
                for n in range(self.spec.fans)
            ],
            "highest_temperature": {"id": None, "location": 1, "temperature": heat},
        }

    def _configuration(self) -> dict[str, Any]:
        by_power = "power_target" in self.target
        told: dict[str, Any] = {
            "pool_groups": self.groups,
            "tuner": {
                "enabled": bool(self.target),
                "tuner_mode": 1 if by_power else 2,
                "power_target": self.target.get("power_target"),
                "hashrate_target": self.target.get("hashrate_target"),
            },
        }
        if self.tells_cooling:
            told["temperature"] = {"mode": self.cooling}
        return told

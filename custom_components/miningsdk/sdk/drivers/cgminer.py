"""Any miner with the cgminer socket API, read only: the fallback of all others.

Sources: the API notes of cgminer and recorded replies. Functions without an
underscore read what all dialects of the API share, for other drivers too.
"""

from collections.abc import Iterable, Mapping
from functools import partial
import re
from typing import Any, override

from ..algorithms import rounded
from ..device import describe
from ..errors import CommandFailed, InvalidReply, MiningSDKError, NotSupported
from ..fields import Fields, mac_address, number
from ..miner import Miner
from ..model import (
    Board,
    DeviceInfo,
    Fan,
    Fault,
    MinerPool,
    MinerStats,
    MinerStatus,
    PoolState,
    Severity,
)
from ..transports import cgminer
from ..transports.wire import Probe
from ._process_clock import ProcessClock

WINDOWS = ("5s", "30s", "1m", "5m", "15m", "30m")
_COMMANDS = ("summary", "stats", "devs", "pools")
# Firmware that hashes at all does so this many seconds after its start.
_START_TIME = 300
_HASHRATES = (("THS", 1.0), ("GHS", 1e-3), ("MHS", 1e-6), ("KHS", 1e-9))
_RATE_UNITS = {"KH": 1e-9, "MH": 1e-6, "GH": 1e-3, "TH": 1.0}
_MAGNITUDES = {"K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}
_POOL_STATES = {
    "alive": PoolState.ALIVE,
    "dead": PoolState.DEAD,
    "rejecting": PoolState.DEAD,
    "disabled": PoolState.DISABLED,
}
_SICK = frozenset({"sick", "dead", "nostart"})
_DIFFICULTY = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([KMGTPE])?\s*", re.IGNORECASE)
_FAN = re.compile(r"fan_?(\d{1,2})", re.IGNORECASE)
_CHAIN = re.compile(
    r"(chain_rate|chain_acn|temp_chip|temp2_|temp_pcb|freq_avg|temp)(\d{1,2})"
)


def first(value: object) -> Mapping[str, Any]:
    """Return an object, or the first one of a list, or an empty one."""
    if isinstance(value, list) and value:
        value = value[0]
    return value if isinstance(value, Mapping) else {}


def unjoin(
    reply: Mapping[str, Any], names: Iterable[str]
) -> dict[str, dict[str, Any]] | None:
    """Return the parts of a joined reply by command; ``None``: it was not joined."""
    parts = {name: dict(first(reply.get(name))) for name in names}
    return parts if all(parts.values()) else None


def hashrate(fields: Fields, *windows: str, field: str = "hashrate") -> float | None:
    """Return the first of the windows, such as ``5s`` or ``av``, in TH/s."""
    for window in windows:
        for unit, scale in _HASHRATES:
            rate = fields.number(f"{unit} {window}", field=field, scale=scale)
            if rate is not None and rate >= 0:
                return rounded(rate)
    return None


def difficulty(value: object) -> float | None:
    """Return a share's difficulty, which may be written as ``2.5G``."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    match = _DIFFICULTY.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    return float(match[1]) * _MAGNITUDES.get((match[2] or "").upper(), 1.0)


def pools(reply: object, failed: dict[str, str]) -> tuple[MinerPool, ...]:
    """Return the pools of a reply; slots without an address are passed over."""
    found = enumerate(Fields(reply, failed).children("POOLS"))
    return tuple(_pool(pool, place) for place, pool in found if pool.text("URL"))


def _pool(pool: Fields, place: int) -> MinerPool:
    state = _POOL_STATES.get((pool.text("Status") or "").lower())
    if state is PoolState.ALIVE and pool.boolean("Stratum Active", field="pools"):
        state = PoolState.ACTIVE
    index = pool.integer("POOL", field="pools")
    return MinerPool(
        index=place if index is None else index,
        url=pool.text("URL"),
        user=pool.text("User"),
        status=state,
        accepted=pool.integer("Accepted", field="pools"),
        rejected=pool.integer("Rejected", field="pools"),
        stale=pool.integer("Stale", field="pools"),
    )


class Cgminer(Miner):
    """A miner of which nothing is known but that it speaks this API."""

    name = "cgminer"
    aliases = ("generic-cgminer",)
    models = "Any miner with the cgminer socket API (read only)"
    transport = "TCP 4028, JSON"
    default_port = cgminer.PORT
    probes = (cgminer.VERSION,)

    _joined = True
    # The work that was last seen done, which proves that the miner works.
    _work: float | None = None

    def __init__(self, host: str, **options: Any) -> None:
        """Describe a miner without talking to it; options are those of ``Device``."""
        super().__init__(host, **options)
        self._clock = ProcessClock()

    @override
    @classmethod
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        return 10 if '"STATUS"' in evidence.get(cgminer.VERSION, "") else 0

    @override
    async def _fetch_info(self) -> DeviceInfo:
        """Ask for the version, and for the model where the version has none."""
        self._joined = True
        reply = await self._identity("version")
        status = reply.get("STATUS")
        if not isinstance(status, str) and not first(status):
            raise InvalidReply("the reply is not one of the cgminer API")
        version = Fields(first(reply.get("VERSION")))
        model = version.text("Type", "PROD", "MODEL", "Model")
        if model is None:
            details = await self._identity("devdetails")
            model = Fields(first(details.get("DEVDETAILS"))).text("Model")
        program = Fields(first(status)).text("Description") or ""
        firmware, _, firmware_version = program.partition(" ")
        return describe(
            self.info,
            model=model,
            firmware=firmware.lower() or None,
            firmware_version=firmware_version.strip() or None,
            mac=mac_address(version.text("MAC")),
        )

    async def _identity(self, name: str) -> dict[str, Any]:
        """Ask what some firmware refuses although it answers all the rest."""
        try:
            return await cgminer.command(self.wire, self.port, name)
        except (CommandFailed, NotSupported) as error:
            return {"STATUS": [{"STATUS": "E", "Msg": str(error)}]}

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> MinerStats:
        replies = await self._together(failed) if self._joined else None
        if replies is None:
            self._joined = False
            replies = await self._one_by_one(failed)
        summary = Fields(first(replies["summary"].get("SUMMARY")), failed)
        if not summary:
            raise InvalidReply(failed.get("summary") or "the miner tells no summary")
        found = pools(replies["pools"], failed)
        known = None if "pools" in failed else any_alive(found)
        devices = list(Fields(replies["devs"], failed).children("DEVS"))
        return _read(
            summary,
            Fields(_merged(replies["stats"]), failed),
            devices,
            found,
            self._status(summary, known),
        )

    async def _together(
        self, failed: dict[str, str]
    ) -> dict[str, dict[str, Any]] | None:
        try:
            reply = await cgminer.request(
                self.wire, self.port, {"command": "+".join(_COMMANDS)}
            )
        except InvalidReply:
            return None
        replies = unjoin(reply, _COMMANDS)
        for name, part in (replies or {}).items():
            note_refusal(name, part, failed)
        return replies

    async def _one_by_one(self, failed: dict[str, str]) -> dict[str, dict[str, Any]]:
        replies: dict[str, dict[str, Any]] = {}
        for name in _COMMANDS:
            replies[name] = await self._optional(
                name, failed, partial(self._ask, name), {}
            )
        return replies

    async def _ask(self, name: str) -> dict[str, Any]:
        return await cgminer.command(self.wire, self.port, name)

    def _status(self, summary: Fields, alive: bool | None) -> MinerStatus:  # noqa: FBT001
        """Mining is what has a rate now, on a clock that goes on."""
        elapsed = summary.number("Elapsed", field="uptime")
        work = summary.number("Total MH", "Accepted", field="accepted")
        done, self._work = self._work, work
        if not self._clock.goes(elapsed):
            return MinerStatus.UNKNOWN
        rate = hashrate(summary, *WINDOWS)
        if rate is None:
            grew = None not in (done, work) and (work or 0) > (done or 0)
            return MinerStatus.MINING if grew else MinerStatus.UNKNOWN
        if rate > 0:
            return MinerStatus.MINING
        starts = elapsed is not None and elapsed < _START_TIME and alive is not False
        return MinerStatus.STARTING if starts else MinerStatus.IDLE


def any_alive(found: tuple[MinerPool, ...]) -> bool:
    """Tell whether at least one pool answers the miner."""
    return any(pool.status in (PoolState.ACTIVE, PoolState.ALIVE) for pool in found)


def note_refusal(name: str, reply: dict[str, Any], failed: dict[str, str]) -> None:
    """Note why a command that was joined with others was refused, if it was."""
    try:
        cgminer.raise_for_status(reply)
    except MiningSDKError as error:
        failed[name] = str(error)


def _merged(reply: Mapping[str, Any]) -> dict[str, Any]:
    """Return the statistics of all devices as one object, without the pools'."""
    merged: dict[str, Any] = {}
    for part in Fields(reply).children("STATS"):
        if not str(part.data.get("ID", "")).startswith("POOL"):
            merged.update(part.data)
    return merged


def _read(
    summary: Fields,
    stats: Fields,
    devices: list[Fields],
    found: tuple[MinerPool, ...],
    status: MinerStatus,
) -> MinerStats:
    scale = _RATE_UNITS.get((stats.text("rate_unit") or "GH").upper(), 1e-3)
    return MinerStats(
        status=status,
        hashrate=hashrate(summary, *WINDOWS, "av"),
        hashrate_average=hashrate(summary, "av", field="hashrate_average"),
        hashrate_expected=_scaled(
            stats.number("total_rateideal", field="hashrate_expected"), scale
        ),
        fans=_fans(stats),
        boards=_chains(stats, scale) or _devices(devices),
        pools=found,
        accepted=summary.integer("Accepted", field="accepted"),
        rejected=summary.integer("Rejected", field="rejected"),
        stale=summary.integer("Stale", field="stale"),
        hardware_errors=summary.integer("Hardware Errors", field="hardware_errors"),
        best_difficulty=difficulty(summary.data.get("Best Share")),
        uptime=summary.integer("Elapsed", field="uptime"),
        faults=_faults(devices),
        failed=summary.failed,
    )


def _fans(stats: Fields) -> tuple[Fan, ...]:
    """Return the fans; a list longer than ``fan_num`` holds places without a fan."""
    speeds = {
        int(match[1]): stats.number(key, field="fans", digits=0)
        for key in stats.data
        if (match := _FAN.fullmatch(key))
    }
    places = sorted(speeds)
    count = stats.integer("fan_num", field="fans")
    if count is not None and len(places) > count:
        places = [place for place in places if speeds[place]]
    return tuple(
        Fan(index=index, speed=speeds[place]) for index, place in enumerate(places)
    )


def _chains(stats: Fields, scale: float) -> tuple[Board, ...]:
    """Return the boards that the statistics list by number, such as chain_rate1."""
    chains: dict[int, dict[str, float]] = {}
    for key, value in stats.data.items():
        match = _CHAIN.fullmatch(key)
        highest = _highest(value, stats.failed) if match else None
        if match and highest:
            chains.setdefault(int(match[2]), {})[match[1]] = highest
    return tuple(
        Board(
            index=number - 1,
            hashrate=_scaled(chain.get("chain_rate"), scale),
            temperature_board=chain.get("temp_pcb", chain.get("temp")),
            temperature_chip=chain.get("temp_chip", chain.get("temp2_")),
            chips=int(chain["chain_acn"]) if "chain_acn" in chain else None,
            frequency=chain.get("freq_avg"),
        )
        for number, chain in sorted(chains.items())
        if number
    )


def _highest(value: object, failed: dict[str, str]) -> float | None:
    """Return the highest of values such as ``46-47-60-61``; zero is no sensor."""
    parts = value.split("-") if isinstance(value, str) else [value]
    try:
        values = [found for part in parts if (found := number(part)) is not None]
    except ValueError as error:
        failed.setdefault("boards", str(error))
        return None
    highest = max(values, default=0.0)
    return highest if highest > 0 else None


def _scaled(rate: float | None, scale: float) -> float | None:
    return None if rate is None else rounded(rate * scale)


def _devices(devices: list[Fields]) -> tuple[Board, ...]:
    return tuple(
        Board(
            index=place,
            hashrate=hashrate(device, *WINDOWS, "av", field="boards"),
            temperature_board=_celsius(device),
            enabled=device.boolean("Enabled", field="boards"),
        )
        for place, device in enumerate(devices)
    )


def _celsius(device: Fields) -> float | None:
    """Return the temperature of a device; without a sensor it is zero or -273."""
    value = device.number("Temperature", field="boards", digits=1, missing=(0,))
    return value if value is not None and -50 < value < 200 else None


def _faults(devices: list[Fields]) -> tuple[Fault, ...]:
    return tuple(
        Fault(
            code=f"device_{state}",
            message=f"The miner calls its device {place} {state}",
            component=f"board {place}",
            severity=Severity.CRITICAL,
        )
        for place, device in enumerate(devices)
        if (state := (device.text("Status") or "").lower()) in _SICK
    )


DRIVERS = (Cgminer,)

"""What simulated miners with the flat statistics of bmminer on port 4028 share."""

from abc import abstractmethod
import asyncio
from typing import Any, ClassVar, override

from aiohttp import web

from tests.simulators.cgminer import PORT, Section, SocketMiner


class FlatDevice(SocketMiner):
    """One miner: its state may be changed at any time.

    ``asleep_api`` is what the mining process does while asleep: ``zeros`` or a
    ``closed`` port. ``warm_up`` is how many seconds it starts before it hashes.
    ``ignores_writes`` acknowledges and does nothing.
    """

    ports: ClassVar[tuple[int, ...]] = (80, PORT)
    description = "bmminer 1.0.0"
    unit = "GHS"
    boards = 3
    slots = 16
    chips = 76
    frequency = 525
    fans = 4

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        model: str,
        serial: str,
        mac: str,
        password: str,
        firmware: str,
        rate: float,
        asleep_api: str = "zeros",
        warm_up: float = 0.0,
        pools_dead: bool = False,
        **options: Any,
    ) -> None:
        """Describe a miner that is not switched on yet; ``rate`` is of its unit."""
        super().__init__(host, **options)
        self.model = model
        self.serial = serial
        self.mac = mac
        self.password = password
        self.firmware = firmware
        self.rate = rate
        self.asleep_api = asleep_api
        self.warm_up = warm_up
        self.pools_dead = pools_dead
        self.pools = [
            {"url": "stratum+tcp://a.example:3333", "user": f"me.{self.seed}"},
            {"url": "stratum+tcp://b.example:3333", "user": f"me.{self.seed}"},
            {"url": "", "user": ""},
        ]
        self.asleep = False
        self.hashes = True
        self.crashed = False
        self.open_api = True
        self.blinking = False
        self.ignores_writes = False
        self.bad_chips = 0
        self.missing_boards = 0
        self.dead_fans = 0
        self.reboots = 0
        self.restarts = 0
        self.posts: list[tuple[str, str]] = []
        self.pages: list[str] = []
        self._api: asyncio.Server | None = None

    @override
    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.serve_web)
        await self.serve_http(80, app)
        self._api = None
        await self.follow()

    @abstractmethod
    async def serve_web(self, request: web.Request) -> web.StreamResponse:
        """Answer a request to the web server."""

    async def follow(self) -> None:
        """Open or close port 4028 as the state asks for; call after changing it."""
        asleep = self.asleep and self.asleep_api == "closed"
        closed = self.crashed or asleep or not self.open_api
        if not closed and self._api is None:
            await self.listen(PORT, self._serve)
            self._api = self._servers[-1]
        elif closed and self._api is not None:
            self._api.close()
            self._servers.remove(self._api)
            self._api = None

    async def sleep(self, asleep: bool) -> None:
        """Put it to sleep or wake it, which starts the mining process anew."""
        if asleep != self.asleep and not self.ignores_writes:
            self.asleep = asleep
            self.restart()
            await self.follow()

    def restart(self) -> None:
        """Start the mining process anew."""
        self.restarts += 1
        self.booted = self.now()

    def reboot(self) -> None:
        """Start the whole device anew."""
        self.reboots += 1
        self.booted = self.now()

    def uptime_is(self, seconds: float) -> None:
        """Have the mining process run for so long already."""
        self.booted = self.now() - seconds

    @property
    def hashing(self) -> bool:
        """Tell whether it hashes now."""
        warm = self.uptime >= self.warm_up
        return self.hashes and warm and not self.asleep and not self.pools_dead

    def rate_of(self, board: int) -> float:
        """Return the rate of a board in the miner's unit."""
        if not self.hashing or board >= self.boards - self.missing_boards:
            return 0.0
        return self.rate / self.boards * self.wander(45 + board)

    @property
    def total(self) -> float:
        """Return the rate of all boards."""
        return sum(self.rate_of(board) for board in range(self.boards))

    def celsius(self, board: int) -> int:
        """Return the temperature of the coolest chip."""
        return 52 + board + self.seed % 5 if self.hashing else 23

    # The mining process.

    @override
    def run(self, name: str, parameter: str) -> Section | None:
        if name == "version":
            return {"VERSION": [self.head()]}
        if name == "stats":
            return {"STATS": [self.head(), self.row()]}
        return {"POOLS": self.pool_rows()} if name == "pools" else None

    @abstractmethod
    def head(self) -> Section:
        """Return who it is, with which both version and stats begin."""

    def row(self) -> Section:
        """Return the values."""
        row: Section = {
            "STATS": 0,
            "ID": "BTM_SOC0",
            "Elapsed": self.uptime,
            "Calls": 0,
            "Wait": 0.0,
            f"{self.unit} 5s": round(self.total, 2),
            f"{self.unit} av": round(self.total * 0.998, 2),
            "miner_count": self.boards,
            "frequency": str(self.frequency),
            "fan_num": self.fans,
            "temp_num": self.boards,
            "no_matching_work": 33,
        }
        row |= {f"fan{slot}": self._rpm(slot) for slot in range(1, 9)}
        for slot in range(1, self.slots + 1):
            row |= self.chain(slot, there=slot <= self.boards - self.missing_boards)
        return row

    def _rpm(self, slot: int) -> int:
        if slot > self.fans or slot <= self.dead_fans:
            return 0
        return (4700 + 10 * (self.seed % 30) if self.hashing else 900) + 60 * slot

    def chain(self, slot: int, *, there: bool) -> Section:
        """Return the values of one slot; an empty one has a number for a rate."""
        low = self.celsius(slot - 1)
        temps = f"{low}-{low}-{low + 14}-{low + 15}" if there else "0-0-0-0"
        return {
            f"temp_chip{slot}": temps,
            f"temp_pcb{slot}": temps,
            f"chain_acn{slot}": self.chips if there else 0,
            f"chain_acs{slot}": " " + self._marks(slot) if there else "",
            f"chain_hw{slot}": 11 if there else 0,
            f"chain_rate{slot}": f"{self.rate_of(slot - 1):.2f}" if there else 0.0,
            f"freq{slot}": self.frequency if there else 0,
        }

    def _marks(self, slot: int) -> str:
        bad = self.bad_chips if slot == 1 else 0
        good = self.chips - bad if self.hashing else 0
        return "o" * good + "x" * (self.chips - good)

    def pool_rows(self) -> list[Section]:
        """Return the pools, as the mining process tells them."""
        rows = []
        for index, pool in enumerate(self.pools):
            if not pool["url"]:
                continue
            mined = index == 0 and not self.pools_dead
            accepted = 900 + self.uptime // 20 if mined else 0
            rows.append(
                {
                    "POOL": index,
                    "URL": pool["url"],
                    "Status": "Dead" if self.pools_dead else "Alive",
                    "Priority": index,
                    "Accepted": accepted,
                    "Rejected": accepted // 400,
                    "Stale": accepted // 900,
                    "User": pool["user"],
                    "Stratum Active": mined,
                    "Best Share": 311621 if index == 0 else 0,
                }
            )
        return rows


def rwglr_row(device: FlatDevice, *, watts: float, supply: str, old: bool) -> Section:
    """Return what the builds that name themselves rwglr add to the values.

    ``old`` builds write the power as text.
    """
    row: Section = {
        "total_rateideal": device.rate,
        "rate_unit": "GH",
        "fan_pwm": 62 if device.hashing else 20,
        "psu_status": supply,
        "miner_id": device.serial,
    }
    if old:
        row["chain_power"] = f"{watts:g} W (by model)"
    else:
        row["total_power"] = watts
    for slot in range(1, device.slots + 1):
        there = slot <= device.boards - device.missing_boards
        row |= {
            f"chain_voltage{slot}": 13.7 if there else 0.0,
            f"chain_power{slot}": round(watts / device.boards) if there else 0,
            # Also the slots without a board have one.
            f"chain_rateideal{slot}": round(device.rate / device.boards, 2),
        }
    return row

"""A simulated VolcMiner: ports 80 (digest) and 4028."""

from collections.abc import Mapping
import json
from typing import Any, override

from aiohttp import web

from tests.simulators._antminer_web import Digest
from tests.simulators._flat_device import FlatDevice
from tests.simulators.cgminer import Section
from tests.simulators.families import Family

_REALM = "blackMiner Configuration"


class SimulatedVolcMiner(FlatDevice):
    """One scrypt miner; its rates are in MH/s, a ``Blackminer`` has GH/s."""

    description = "ccminer 2.3.3"
    unit = "MHS"
    chips = 96
    frequency = 2000
    slots = 8

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        model: str = "VolcMiner D1",
        serial: str = "SIMVOLC0001",
        mac: str = "02:56:4f:4c:00:01",
        password: str = "ltc@dog",
        firmware: str = "20240910120000",
        rate: float = 15200.0,
        open_api: bool = True,
        **options: Any,
    ) -> None:
        """Describe a miner that is not switched on yet."""
        super().__init__(
            host,
            model=model,
            serial=serial,
            mac=mac,
            password=password,
            firmware=firmware,
            rate=rate,
            **options,
        )
        if model.startswith("Blackminer"):
            self.unit = "GHS"
        self.open_api = open_api
        self.digest = Digest(_REALM)
        self.dies_at_reboot = False

    # The mining process.

    @override
    def head(self) -> Section:
        return {
            "CCMiner": "2.3.3",
            "API": "3.1",
            "Miner": "2.0.1",
            "CompileTime": "Tue Sep 10 11:12:13 CST 2024",
            "Type": self.model,
        }

    @override
    def row(self) -> Section:
        row = super().row()
        for window in ("5s", "av"):
            row[f"{self.unit} {window}"] = f"{row[f'{self.unit} {window}']:.4f}"
        return row

    @override
    def chain(self, slot: int, *, there: bool) -> Section:
        found = super().chain(slot, there=there)
        low = self.celsius(slot - 1)
        return {
            f"chain_acn{slot}": found[f"chain_acn{slot}"],
            f"chain_acs{slot}": found[f"chain_acs{slot}"],
            f"chain_hw{slot}": found[f"chain_hw{slot}"],
            f"chain_rate{slot}": found[f"chain_rate{slot}"] if there else "",
            f"temp{slot}": low + 12 if there else 0,
        }

    @override
    def _json(self, reply: Mapping[str, Any]) -> bytes:
        # Its statistics name each temperature twice, for the two sensors of a board.
        return super()._json(reply).replace(b'"temp1":', b'"temp1":1,"temp1":')

    # The web server.

    @override
    async def serve_web(self, request: web.Request) -> web.StreamResponse:
        refusal = self.digest.refusal(request, self.password)
        if refusal is not None:
            return refusal
        program = request.path.removeprefix("/cgi-bin/").removesuffix(".cgi")
        self.pages.append(program)
        if program == "reboot":
            self.reboot()
            if self.dies_at_reboot and request.transport is not None:
                request.transport.close()
            return web.Response(text="")
        pages = {
            "get_system_info": self._system_info,
            "get_miner_status": self.status_page,
        }
        if program not in pages:
            return web.Response(status=404, text="<h1>404</h1>")
        page = json.dumps(pages[program](), indent=1)
        return web.Response(text=f"// {program}\n{page}\n// end\n")

    def _system_info(self) -> Section:
        return {
            "minertype": self.model,
            "nettype": "DHCP",
            "macaddr": self.mac,
            "hostname": "volc",
            "system_filesystem_version": self.firmware,
            "cgminer_version": "2.3.3",
        }

    def status_page(self) -> Section:
        """Return what the web page shows of what the miner does."""
        if self.crashed:
            return {"summary": {}, "pools": [], "devs": []}
        there = self.boards - self.missing_boards
        return {
            "summary": {
                "elapsed": str(self.uptime),
                "ghs5s": f"{self.total:,.2f}",
                "ghsav": f"{self.total * 0.998:,.2f}",
                "hw": "33",
            },
            "pools": [
                {
                    "index": str(row["POOL"]),
                    "url": row["URL"],
                    "user": row["User"],
                    "status": row["Status"],
                    "priority": str(row["Priority"]),
                    "accepted": f"{row['Accepted']}",
                    "rejected": f"{row['Rejected']}",
                    "stale": f"{row['Stale']}",
                }
                for row in self.pool_rows()
            ],
            "fan1": "3,900",
            "fan2": "0",
            "fan3": "4,020",
            "devs": [
                {
                    "index": str(board + 1),
                    "chain_acn": str(self.chips),
                    "freq": str(self.frequency),
                    "temp": [self.celsius(board) + 10, self.celsius(board) + 12],
                    "chain_acs": " " + self._marks(board + 1),
                    "chain_rate": f"{self.rate_of(board):,.2f}",
                }
                for board in range(there)
            ],
        }


FAMILIES = (
    Family("volcminer", SimulatedVolcMiner, username="root", password="ltc@dog"),
)

"""The flat statistics of bmminer as firmware of others than Bitmain has them.

Two of them, Hiveon ASIC and MSKMiner, name their mining process alike and add the
same keys: power in W, voltages, the duty of the fans and a word on the power supply.
Source: what users of these firmwares posted of their replies.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..errors import CommandFailed, InvalidReply, NotSupported
from ..fields import Fields, serial_number
from ..model import Board, Fault
from ..transports import cgminer
from ..transports.wire import Wire
from ._antminer_pools import Pools, read_pools
from ._antminer_stats import Reading, flat_row, read_stats

_GOOD_SUPPLY = "ok"
_FULL = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One reply to ``stats``, with what only some firmware adds to it."""

    reading: Reading
    faults: tuple[Fault, ...] = ()
    serial_number: str | None = None


class FlatLink:
    """The mining process of one miner, asked for statistics and pools at once."""

    def __init__(self, wire: Wire, port: int) -> None:
        """Prepare; nothing is asked yet."""
        self._wire = wire
        self._port = port
        self.reset()

    def reset(self) -> None:
        """Forget whether the firmware answers two commands at once."""
        self._joined = True

    async def ask(self, failed: dict[str, str]) -> tuple[Told, Pools]:
        """Return what the process tells of itself and of its pools.

        Raises:
            DeviceUnreachable: the port is closed.
            NotSupported, CommandFailed: it answers, but has nothing to tell.
            and what the transport raises.
        """
        if self._joined:
            try:
                return await self._both(failed)
            except NotSupported, CommandFailed, InvalidReply:
                self._joined = False
        told = read_told(await self._command("stats"), failed)
        try:
            return told, read_pools(await self._command("pools"), failed)
        except (NotSupported, CommandFailed, InvalidReply) as error:
            failed["pools"] = str(error)
            return told, Pools(known=False)

    async def _both(self, failed: dict[str, str]) -> tuple[Told, Pools]:
        reply = Fields(await self._command("stats+pools"))
        stats, pools = reply.child("stats"), reply.child("pools")
        if not stats or not pools:
            raise NotSupported("the reply does not hold both")
        return read_told(stats.data, failed), read_pools(pools.data, failed)

    async def _command(self, name: str) -> dict[str, Any]:
        return await cgminer.command(self._wire, self._port, name)


def read_told(reply: Mapping[str, Any], failed: dict[str, str]) -> Told:
    """Read a reply to ``stats``.

    Raises:
        InvalidReply: it is no such reply.
    """
    reading = read_stats(reply, failed)
    row = Fields(flat_row(_rows(reply)), failed)
    duty = row.number("fan_pwm", field="fans")
    return Told(
        reading=replace(
            reading,
            power=reading.power or _power(row),
            boards=tuple(_with_voltage(board, row) for board in reading.boards),
            fans=tuple(
                replace(fan, duty=duty if duty is not None and duty <= _FULL else None)
                for fan in reading.fans
            ),
        ),
        faults=_supply(row),
        serial_number=serial_number(row.text("miner_id")),
    )


def _rows(reply: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    rows = reply.get("STATS")
    found = rows if isinstance(rows, list) else []
    return [row for row in found if isinstance(row, Mapping)]


def _power(row: Fields) -> float | None:
    """Return W; older builds write it as ``1345 W`` and how it was found out."""
    value = row.number("total_power", field="power", digits=1)
    if value is None and (words := row.text("chain_power")):
        value = Fields({"power": words.split()[0]}, row.failed).number("power")
    return value if value is not None and value > 0 else None


def _with_voltage(board: Board, row: Fields) -> Board:
    volts = row.number(
        f"chain_voltage{board.index + 1}", field="boards", digits=3, missing=(0.0,)
    )
    return board if volts is None else replace(board, voltage=volts)


def _supply(row: Fields) -> tuple[Fault, ...]:
    """Return what the firmware says against the power supply; ``PSU OK`` is well."""
    words = row.text("psu_status")
    if words is None or words.lower().split()[-1] == _GOOD_SUPPLY:
        return ()
    return (Fault(code="psu", message=words, component="psu"),)

"""What all devices on Modbus TCP share: the unit id, the link and block reads."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, override

from ..device import Device
from ..errors import DeviceTimeout, InvalidReply, MiningSDKError
from ..transports.modbus import (
    ModbusLink,
    Refused,
    Unit,
    UnitProvider,
    ask_identity,
)
from ..transports.wire import Probe
from ._modbus_table import Block, Register, plan

PORT = 502
# A block that is refused for one of these may hold what the unit does not have.
_NOT_THERE = (2, 3)
IDENTITY = Probe("modbus identity", PORT, ask_identity)


class ModbusDevice[S](Device[S]):
    """A device with registers.

    ``unit`` is its unit id, which tells several devices behind one gateway apart.
    ``units`` hands in the connection of somebody else (host, port and unit id in, a
    ``modbus_connection.ModbusUnit`` out); without it one of our own is shared by all
    devices at the same address.
    """

    transport = "Modbus TCP 502"
    default_port = PORT
    extra_options: ClassVar[tuple[str, ...]] = ("unit",)

    def __init__(
        self,
        host: str,
        *,
        unit: int = 1,
        units: UnitProvider | None = None,
        **options: Any,
    ) -> None:
        """Describe a device without talking to it; ``options`` as of Device."""
        super().__init__(host, **options)
        self.unit_id = unit
        self.link = ModbusLink(self.wire, self.port, units)
        self.unit: Unit = self.link.unit(unit)

    @override
    async def close(self) -> None:
        await self.link.close()
        await super().close()


class BlockReader:
    """Read rows in as few requests as a unit takes, and learn what it does not take.

    A block that is refused is split until the row that the unit does not have stands
    alone. What was learnt is kept; rows that were refused are tried again after
    ``reset``.
    """

    def __init__(
        self, rows: Iterable[Register], maximum_block: int, maximum_gap: int
    ) -> None:
        """Plan the requests."""
        self.blocks = plan(rows, maximum_block, maximum_gap)
        self._refused: dict[Register, str] = {}

    def reset(self) -> None:
        """Try again what was refused."""
        self.blocks += [Block.of([row]) for row in self._refused]
        self._refused.clear()

    async def read(
        self, unit: Unit, failed: dict[str, str]
    ) -> dict[Register, Sequence[int]]:
        """Return the registers of each row; what could not be read is in ``failed``.

        Raises:
            MiningSDKError: nothing at all could be read.
        """
        found: dict[Register, Sequence[int]] = {}
        waiting, done = self.blocks[::-1], []
        refused = dict(self._refused)
        trouble: MiningSDKError = InvalidReply(f"{unit}: no register can be read")
        while waiting:
            block = waiting.pop()
            try:
                words = await unit.read(block.space, block.address, block.count)
            except Refused as error:
                trouble = error
                if error.code not in _NOT_THERE:
                    done.append(block)
                    _note(failed, block.rows, error)
                elif len(block.rows) > 1:
                    waiting += block.halves()[::-1]
                else:
                    refused[block.rows[0]] = str(error)
            except (DeviceTimeout, InvalidReply) as error:
                if not found:
                    raise
                # The rest would most likely have to be waited for as well.
                rest = [block, *waiting[::-1]]
                done += rest
                _note(failed, (row for left in rest for row in left.rows), error)
                break
            else:
                done.append(block)
                _cut(block, words, found)
        self.blocks, self._refused = done, refused
        if not found:
            raise trouble
        for row, why in refused.items():
            failed.setdefault(row.field, why)
        return found


def _cut(
    block: Block, words: Sequence[int], found: dict[Register, Sequence[int]]
) -> None:
    for row in block.rows:
        at = row.address - block.address
        found[row] = words[at : at + row.count]


def _note(failed: dict[str, str], rows: Iterable[Register], why: object) -> None:
    for row in rows:
        failed.setdefault(row.field, str(why))


def identity_words(evidence: Mapping[Probe, str]) -> str:
    """Return what a unit says of itself to function 43/14, in small letters."""
    return evidence.get(IDENTITY, "").lower()

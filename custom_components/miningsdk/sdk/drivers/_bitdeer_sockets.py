"""The sockets of a Bitdeer D40: eight PDUs, each with 13, 14 or 16 of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..fields import Fields, boolean, number
from ..model import Socket

_KILO = 1000.0
_PDUS_OF_A_SIDE = 4
# So many sockets of one PDU fit below the number of the next.
_STEP = 100


@dataclass(frozen=True, slots=True)
class Socketed:
    """One PDU: its place, and what it tells of each socket."""

    index: int
    name: str
    sockets: tuple[Socket, ...]

    @property
    def power(self) -> float | None:
        """Return the power of all sockets in W, if all are known."""
        return _sum([socket.power for socket in self.sockets], 1)

    @property
    def current(self) -> float | None:
        """Return the current of all sockets in A, if all are known."""
        return _sum([socket.current for socket in self.sockets], 2)


def read_pdus(data: Fields) -> Iterator[Socketed]:
    """Yield the PDUs; the index of a socket is 100 for each PDU, and its place."""
    for pdu in data.children("PDUData"):
        index = pdu.integer("PDUIndex", field="sockets")
        listed = pdu.data.get("SocketStatus")
        if index is None or index < 0 or not isinstance(listed, list):
            continue
        # What the container could not read from its PDU is unknown.
        readable = pdu.boolean("ReadStatus") is not False
        names = socket_names(index, len(listed))
        sockets = [
            _socket(pdu, index, place, name, readable=readable)
            for place, name in enumerate(names)
            if name is not None
        ]
        yield Socketed(index, pdu_name(index), tuple(sockets))


def _socket(
    pdu: Fields, index: int, place: int, name: str, *, readable: bool
) -> Socket:
    socket = _STEP * (index + 1) + place + 1
    label = f"{pdu_name(index)} {name}"
    if not readable:
        return Socket(index=socket, name=label)
    return Socket(
        index=socket,
        name=label,
        on=on_or_off(_item(pdu, "SocketStatus", place)),
        power=_scaled(_item(pdu, "PowerData", place), _KILO, 1),
        current=_scaled(_item(pdu, "CurrentData", place), 1.0, 2),
    )


def place_of(socket: int) -> tuple[int, int]:
    """Return the numbers by which the container knows a socket: PDU and place."""
    pdu, place = divmod(socket, _STEP)
    return pdu - 1, place - 1


def pdu_name(index: int) -> str:
    """Return what stands on a PDU: its side and its number there."""
    side, place = divmod(index, _PDUS_OF_A_SIDE)
    return f"{side + 1}-{place + 1}"


def socket_names(pdu: int, count: int) -> list[str | None]:
    """Return what stands on the sockets of a PDU, by how many there are.

    With 13 sockets, the first one is missing on the third and fourth PDU of a side.
    """
    if count == 16:
        return [*_group("a", 6), *_group("b", 5), *_group("c", 5)]
    if count == 13:
        names: list[str | None] = [*_group("a", 5), *_group("b", 4), *_group("c", 4)]
        if pdu % _PDUS_OF_A_SIDE >= 2:
            names[0] = None
        return names
    return [str(number) for number in range(1, count + 1)]


def _group(letter: str, count: int) -> list[str]:
    return [f"{letter}{number}" for number in range(1, count + 1)]


def _item(fields: Fields, key: str, place: int) -> Any:
    values = fields.data.get(key)
    if isinstance(values, list) and place < len(values):
        return values[place]
    return None


def _scaled(value: object, scale: float, digits: int) -> float | None:
    try:
        found = number(value)
    except ValueError:
        return None
    return None if found is None else round(found * scale, digits)


def _sum(values: Sequence[float | None], digits: int) -> float | None:
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return None
    return round(sum(known), digits)


def on_or_off(value: object) -> bool | None:
    """Return what a "0" or "1" means; anything else is unknown."""
    try:
        return boolean(value)
    except ValueError:
        return None

"""Read what a person types for addresses: ranges, networks, names, ports, registers."""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
import re
from typing import NamedTuple

from .errors import MiningSDKError

MAXIMUM_TARGETS = 65_536
_LAST_REGISTER = 65_535
_NAME = re.compile(
    r"(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?"
    r"(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*\.?",
    re.IGNORECASE,
)
_SEPARATORS = re.compile(r"[\s,;]+")

type Address = IPv4Address | IPv6Address


class InvalidTarget(MiningSDKError, ValueError):  # noqa: N818
    """What was given is no address, or a range of too many."""


class Target(NamedTuple):
    """One address or name to look at; without a port, at the usual ones."""

    host: str
    port: int | None = None

    @property
    def is_loopback(self) -> bool:
        """Tell whether this never leaves the machine."""
        address = literal(self.host)
        return address.is_loopback if address else self.host.lower() == "localhost"


def literal(host: str) -> Address | None:
    """Return the address that a host is, or ``None`` when it is a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def single(text: str) -> Target:
    """Read ``host``, ``host:port``, ``[address]:port`` or the address of a web page.

    Raises:
        InvalidTarget: it is none of these.
    """
    host, port = _split_port(text.strip())
    return Target(_checked_host(host), port)


def expand(targets: str | Iterable[str | Target]) -> list[Target]:
    """Return every single address, each once, in the order given.

    Understands networks (``10.0.0.0/24``), ranges (``10.0.0.1-50``,
    ``10.0.0.1-10.0.1.20``), addresses, names, each with a port or not
    (``10.0.0.0/28:4028``, ``[fd00::/120]:80``), and lists of all these.

    Raises:
        InvalidTarget: one is none of these, or they are more than 65,536.
    """
    entries = [targets] if isinstance(targets, str) else targets
    found: dict[Target, None] = {}
    for entry in entries:
        parts = [entry] if isinstance(entry, Target) else _SEPARATORS.split(entry)
        for part in filter(None, parts):
            found.update(dict.fromkeys(_expand_one(part)))
            if len(found) > MAXIMUM_TARGETS:
                raise _too_many(str(part))
    return list(found)


def register_addresses(text: str) -> tuple[int, ...]:
    """Read addresses of Modbus registers, such as ``2, 3, 4, 5``.

    Raises:
        InvalidTarget: one is no whole number from 0 to 65535, or there is none.
    """
    words = [word for word in _SEPARATORS.split(text) if word]
    if not words or not all(w.isascii() and w.isdecimal() for w in words):
        raise InvalidTarget(f"{text!r} is not a list of registers")
    found = tuple(int(word) for word in words)
    if max(found) > _LAST_REGISTER:
        raise InvalidTarget(f"{text!r} has a register beyond {_LAST_REGISTER}")
    return found


def _expand_one(text: str | Target) -> Iterator[Target]:
    if isinstance(text, Target):
        return iter((text,))
    body, port = _split_port(text)
    hosts = _network(body) if "/" in body else _range(body)
    if hosts is None:
        return iter((Target(_checked_host(body), port),))
    return (Target(host, port) for host in hosts)


def _split_port(text: str) -> tuple[str, int | None]:
    if "://" in text:
        text = text.partition("://")[2].partition("/")[0].rpartition("@")[2]
    if text.startswith("["):
        body, closed, rest = text[1:].partition("]")
        if not closed or (rest and not rest.startswith(":")):
            raise InvalidTarget(f"{text!r} is not an address")
        return body, _port(rest[1:], text) if rest else None
    if text.count(":") == 1:
        body, _, number = text.partition(":")
        return body, _port(number, text)
    return text, None


def _port(number: str, text: str) -> int:
    if number.isascii() and number.isdecimal() and 1 <= int(number) <= 65_535:
        return int(number)
    raise InvalidTarget(f"{text!r} has no port from 1 to 65535")


def _checked_host(host: str) -> str:
    if address := literal(host):
        return str(address)
    # A name never ends in a number; what does is an address gone wrong.
    if _NAME.fullmatch(host) and not host.rstrip(".").rpartition(".")[2].isdecimal():
        return host
    raise InvalidTarget(f"{host!r} is neither an address nor a host name")


def _network(text: str) -> Iterator[str]:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise InvalidTarget(f"{text!r} is not a network") from None
    if network.num_addresses > MAXIMUM_TARGETS:
        raise _too_many(text)
    return map(str, network.hosts())


def _range(text: str) -> Iterator[str] | None:
    """Return the addresses of a range; ``None`` when it is one host, or a name."""
    start, dash, end = text.partition("-")
    first = literal(start)
    if not dash or first is None:
        return None
    last = _range_end(first, end)
    if last is None or last.version != first.version or int(last) < int(first):
        raise InvalidTarget(f"{text!r} is not a range of addresses")
    if int(last) - int(first) >= MAXIMUM_TARGETS:
        raise _too_many(text)
    kind = type(first)
    return (str(kind(number)) for number in range(int(first), int(last) + 1))


def _range_end(first: Address, end: str) -> Address | None:
    """Read the end of a range: a whole address, or only its last part."""
    if (address := literal(end)) is not None:
        return address
    separator = "." if first.version == 4 else ":"
    return literal(str(first.exploded).rpartition(separator)[0] + separator + end)


def _too_many(text: str) -> InvalidTarget:
    return InvalidTarget(
        f"{text!r} makes more than {MAXIMUM_TARGETS:,} addresses; scan a part of them"
    )

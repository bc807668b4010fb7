"""Find devices by who they are or where they are, also among thousands."""

from collections.abc import Iterator

from .sdk import DeviceInfo


class Lookup:
    """The ids of records by serial number, MAC and address, in the order they came."""

    def __init__(self) -> None:
        """Begin with none."""
        self._ids: dict[tuple[str, str], dict[str, None]] = {}

    def add(self, record_id: str, info: DeviceInfo) -> None:
        """Have a record found by these facts."""
        for key in _keys(info):
            self._ids.setdefault(key, {})[record_id] = None

    def drop(self, record_id: str, info: DeviceInfo) -> None:
        """Have a record not found by these facts any more."""
        for key in _keys(info):
            ids = self._ids.get(key, {})
            ids.pop(record_id, None)
            if not ids:
                self._ids.pop(key, None)

    def by_serial_number(self, serial_number: str | None) -> Iterator[str]:
        """Yield the ids of the records of this serial number."""
        return self._found("serial_number", serial_number)

    def by_mac(self, mac: str | None) -> Iterator[str]:
        """Yield the ids of the records with this MAC."""
        return self._found("mac", mac)

    def by_address(self, host: str, port: int | None) -> Iterator[str]:
        """Yield the ids of the records at this address."""
        return self._found("address", f"{host}:{port}")

    def _found(self, kind: str, value: str | None) -> Iterator[str]:
        yield from tuple(self._ids.get((kind, value), ())) if value else ()


def _keys(info: DeviceInfo) -> Iterator[tuple[str, str]]:
    yield "address", f"{info.host}:{info.port}"
    if info.serial_number:
        yield "serial_number", info.serial_number
    if info.mac:
        yield "mac", info.mac

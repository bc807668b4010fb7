"""Read loosely typed replies without losing the rest when one value is odd."""

from collections.abc import Iterator, Mapping
from math import isfinite
import re
from typing import Any, cast

_NUMBER = re.compile(r"\s*([-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)\s*[^\d\s.,:]{0,6}\s*")
_BLANK = frozenset({"", "-", "n/a", "na", "nan", "null", "none", "unknown", "inf"})
_LARGEST = 2**63
_BEGINNINGS = frozenset("0123456789+-")
_LONGEST_BLANK = max(map(len, _BLANK))
_TRUE = frozenset({"1", "true", "yes", "on", "y", "enable", "enabled"})
_FALSE = frozenset({"0", "false", "no", "off", "n", "disable", "disabled"})


def number(value: object) -> float | None:
    """Return a finite number, also from text such as ``"245.0 V"``.

    ``None`` means that the value says "unknown".

    Raises:
        ValueError: the value is something else than a number.
    """
    if isinstance(value, bool):
        raise ValueError(f"{value!r} is not a number")
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, int):
        return float(value) if isfinite(value) else None
    if value is None:
        return None
    if isinstance(value, str):
        if (found := _plain(value)) is not None:
            return found
        if value.strip().lower() in _BLANK:
            return None
        if match := _NUMBER.fullmatch(value):
            found = float(match[1])
            return found if isfinite(found) else None
    raise ValueError(f"{_short(value)} is not a number")


def _plain(value: str) -> float | None:
    """Return the number of a text that is nothing else, as most of them are."""
    if "_" in value or value[:1] not in _BEGINNINGS:
        return None
    try:
        found = float(value)
    except ValueError:
        return None
    return found if isfinite(found) else None


def boolean(value: object) -> bool | None:
    """Return a truth value, also from 0, 1 and the usual words.

    Raises:
        ValueError: the value is something else.
    """
    if value is None or isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    if text in _BLANK:
        return None
    raise ValueError(f"{_short(value)} is neither yes nor no")


def text(value: object) -> str | None:
    """Return trimmed text, or ``None`` when there is nothing in it."""
    if type(value) is not str and (
        not isinstance(value, int | float) or isinstance(value, bool)
    ):
        return None
    stripped = str(value).replace("\x00", "").strip()
    if len(stripped) <= _LONGEST_BLANK and stripped.lower() in _BLANK:
        return None
    return stripped


def serial_number(value: object) -> str | None:
    """Return a serial number, or ``None`` for the usual fillers."""
    found = text(value)
    if found is None or len(found) < 4 or not set(found.lower()) - set("0f -:."):
        return None
    return found


def mac_address(value: object) -> str | None:
    """Return a MAC as ``aa:bb:cc:dd:ee:ff``, or ``None`` when it is none."""
    digits = re.sub(r"[^0-9a-fA-F]", "", str(value)).lower() if value else ""
    if len(digits) != 12 or digits in {"0" * 12, "f" * 12}:
        return None
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 40 else shown[:37] + "..."


class Fields:
    """One object of a reply, read key by key.

    What is absent is ``None``. What is there but cannot be read is ``None`` too,
    and noted in ``failed`` under the name of the vocabulary's field.
    """

    __slots__ = ("data", "failed")

    def __init__(self, data: object, failed: dict[str, str] | None = None) -> None:
        """Wrap a decoded reply; anything but an object counts as empty."""
        # An exact type is told a lot sooner than an abstract one.
        known = type(data) is dict or isinstance(data, Mapping)
        self.data: Mapping[str, Any] = cast(Mapping[str, Any], data) if known else {}
        self.failed: dict[str, str] = {} if failed is None else failed

    def __bool__(self) -> bool:
        """Tell whether there is anything to read."""
        return bool(self.data)

    def has(self, key: str) -> bool:
        """Tell whether the reply has this key at all."""
        return key in self.data

    def number(
        self,
        *keys: str,
        field: str | None = None,
        scale: float = 1.0,
        digits: int | None = None,
        missing: tuple[float, ...] = (),
    ) -> float | None:
        """Return the first of the keys that holds a number, scaled and rounded.

        ``missing`` lists the numbers by which this firmware says "not measured".
        """
        data = self.data
        for key in keys:
            raw = data.get(key)
            if raw is None:
                continue
            # Most are plain numbers, and there are thousands of them a second.
            if type(raw) is float and isfinite(raw):
                value: float | None = raw
            elif type(raw) is int and -_LARGEST < raw < _LARGEST:
                value = float(raw)
            else:
                try:
                    value = number(raw)
                except ValueError as error:
                    self._note(field or key, key, error)
                    continue
            if value is None or (missing and value in missing):
                continue
            if scale != 1.0:
                value *= scale
            return value if digits is None else round(value, digits)
        return None

    def integer(
        self, *keys: str, field: str | None = None, missing: tuple[float, ...] = ()
    ) -> int | None:
        """Return the first of the keys that holds a number, as a whole number."""
        if len(keys) == 1 and not missing:
            raw = self.data.get(keys[0])
            if type(raw) is int and -_LARGEST < raw < _LARGEST:
                return raw
        value = self.number(*keys, field=field, missing=missing)
        # A larger one is nonsense, and JSON could not hold it.
        return None if value is None or abs(value) >= _LARGEST else round(value)

    def boolean(self, *keys: str, field: str | None = None) -> bool | None:
        """Return the first of the keys that holds a truth value."""
        for key in keys:
            raw = self.data.get(key)
            if raw is None:
                continue
            try:
                value = boolean(raw)
            except ValueError as error:
                self._note(field or key, key, error)
                continue
            if value is not None:
                return value
        return None

    def text(self, *keys: str) -> str | None:
        """Return the first of the keys that holds any text."""
        for key in keys:
            raw = self.data.get(key)
            if raw is not None and (value := text(raw)) is not None:
                return value
        return None

    def child(self, *keys: str) -> Fields:
        """Return the object below the first key that holds one, or an empty one.

        A list stands for its first element, as cgminer wraps its answers.
        """
        for key in keys:
            value = self.data.get(key)
            if isinstance(value, list) and value:
                value = value[0]
            if type(value) is dict or isinstance(value, Mapping):
                return Fields(value, self.failed)
        return Fields(None, self.failed)

    def children(self, key: str) -> Iterator[Fields]:
        """Yield the objects of a list; what is no object is passed over."""
        value = self.data.get(key)
        if isinstance(value, list):
            for item in value:
                if type(item) is dict or isinstance(item, Mapping):
                    yield Fields(item, self.failed)

    def _note(self, field: str, key: str, error: ValueError) -> None:
        self.failed.setdefault(field, f"{key}: {error}")

"""Drivers that are described by data alone: one TOML file each, in a folder.

The files are explained in docs/drivers.md. What is wrong with one is told with its
file, line and key, and keeps no other from being used.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
import tomllib
from typing import Any, override

from . import registry
from ._described_check import Table
from ._described_drivers import make_driver
from ._described_lines import Path as KeyPath, line_at, lines_of
from ._described_schema import read_description
from .device import AnyDevice

SUFFIX = ".toml"
# What people try instead, of which nothing would be heard otherwise.
_OTHER_SUFFIXES = (".json", ".yaml", ".yml")
_LARGEST = 262_144


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that is wrong with a file: where, and what."""

    file: str
    line: int | None = None
    key: str | None = None
    why: str

    @property
    def place(self) -> str:
        """Return line and key, as far as they are known."""
        where = [] if self.line is None else [f"line {self.line}"]
        return ", ".join([*where, self.key] if self.key else where)

    @property
    def text(self) -> str:
        """Return what is wrong and where in the file."""
        return f"{self.place}: {self.why}" if self.place else self.why

    @override
    def __str__(self) -> str:
        """Return all of it in one line."""
        return f"{self.file}, {self.text}" if self.place else f"{self.file}: {self.why}"


class InvalidDescription(Exception):  # noqa: N818
    """A file does not describe a driver; ``problems`` tell why."""

    def __init__(self, problems: list[Problem]) -> None:
        """Keep the problems, in the order of their lines."""
        self.problems = sorted(problems, key=lambda problem: problem.line or 0)
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True, slots=True)
class _Used:
    """A file whose driver is registered."""

    text: str
    driver: type[AnyDevice]


_used: dict[Path, dict[str, _Used]] = {}
_lock = Lock()


def read_driver(text: str, file: str = "driver.toml") -> type[AnyDevice]:
    """Return the driver that the text of a file describes; it is not registered.

    Raises:
        InvalidDescription: all that is wrong with it.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # Its words end with the place, which is told by itself.
        why = error.msg[:1].lower() + error.msg[1:]
        raise InvalidDescription(
            [Problem(file=file, line=error.lineno, why=why)]
        ) from None
    found: dict[KeyPath, str] = {}
    top = Table(data, (), found.setdefault)
    description = read_description(top)
    top.finish()
    if found:
        raise InvalidDescription(_located(file, text, found))
    return make_driver(description)


def _located(file: str, text: str, found: Mapping[KeyPath, str]) -> list[Problem]:
    lines = lines_of(text)
    return [
        Problem(file=file, line=line_at(lines, path), key=_key(path), why=why)
        for path, why in found.items()
    ]


def _key(path: KeyPath) -> str | None:
    """Return a path as people write it, such as ``stats.fans[0].speed``."""
    key = ""
    for step in path:
        if isinstance(step, int):
            key += f"[{step}]"
        else:
            key += f".{step}" if key else step
    return key or None


def use(folder: Path) -> tuple[Problem, ...]:
    """Register the drivers that the files of a folder describe; tell what is wrong.

    Asked again about the same folder, it takes on what has changed there and takes
    away the drivers whose files are gone or broken. It reads files, so it blocks. A
    folder that does not exist is an empty one.
    """
    with _lock:
        problems: list[Problem] = []
        before = _used.get(folder, {})
        texts = _texts(folder, problems)
        for file in set(before) - set(texts):
            registry.unregister(before.pop(file).driver)
        for file, text in texts.items():
            if file not in before or before[file].text != text:
                _renew(before, file, text, problems)
        _used[folder] = before
        return tuple(problems)


def _renew(
    used: dict[str, _Used], file: str, text: str, problems: list[Problem]
) -> None:
    """Put the driver of a file that is new or has changed in place of the old one."""
    old = used.pop(file, None)
    if old is not None:
        registry.unregister(old.driver)
    try:
        driver = read_driver(text, file)
        _add(driver, used, file, text)
    except InvalidDescription as error:
        problems += error.problems
    else:
        used[file] = _Used(text, driver)


def _add(
    driver: type[AnyDevice], used: Mapping[str, _Used], file: str, text: str
) -> None:
    """Register a driver unless its name is taken; raises ``InvalidDescription``."""
    for other, known in used.items():
        if known.driver.name == driver.name:
            why = f"{other} describes a driver of this name already"
            raise InvalidDescription(_located(file, text, {("name",): why}))
    try:
        registry.add(driver)
    except TypeError as error:
        why = str(error)
        raise InvalidDescription(_located(file, text, {("name",): why})) from None


def _texts(folder: Path, problems: list[Problem]) -> dict[str, str]:
    """Return the text of each file that can be read."""
    texts: dict[str, str] = {}
    for file in sorted(_files(folder, problems)):
        if file.suffix in _OTHER_SUFFIXES:
            why = f"a driver is described by a file that ends with {SUFFIX}"
            problems.append(Problem(file=file.name, why=why))
        elif file.suffix == SUFFIX:
            try:
                texts[file.name] = _read(file)
            except (OSError, ValueError) as error:
                problems.append(Problem(file=file.name, why=_reason(error)))
    return texts


def _files(folder: Path, problems: list[Problem]) -> list[Path]:
    try:
        return [file for file in folder.iterdir() if not file.name.startswith(".")]
    except FileNotFoundError:
        return []
    except OSError as error:
        problems.append(Problem(file=folder.name, why=_reason(error)))
        return []


def _read(file: Path) -> str:
    with file.open("rb") as opened:
        data = opened.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise ValueError("it is larger than 256 KiB")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise ValueError("it is not text in UTF-8") from None


def _reason(error: Any) -> str:
    return getattr(error, "strerror", None) or str(error)

"""Tables and progress bars for people."""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
import os
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from . import algorithms, models
from .algorithms import Quantity
from .commands import Commanded
from .device import AnyDevice
from .discovery import ScanProgress
from .model import Capability, DeviceInfo, Limits, MeterStats

type Bar = Callable[[ScanProgress], None]

# Without a terminal nothing forces lines to be short.
_WIDTH = 200
_PASSES = {True: "Scanning", False: "Asking silent ones again"}
_UNITS = {
    "hashrate": "TH/s",
    "hashrate_average": "TH/s",
    "hashrate_expected": "TH/s",
    "hashrate_5m": "TH/s",
    "hashrate_1h": "TH/s",
    "hashrate_24h": "TH/s",
    "power": "W",
    "power_limit": "W",
    "power_phase": "W",
    "power_reactive": "var",
    "power_apparent": "VA",
    "energy_import": "kWh",
    "energy_export": "kWh",
    "current": "A",
    "current_phase": "A",
    "efficiency": "J/TH",
    "temperature_chip": "°C",
    "temperature_board": "°C",
    "temperature_inlet": "°C",
    "temperature_outlet": "°C",
    "temperature_ambient": "°C",
    "target_temperature": "°C",
    "fan": "%",
    "duty": "%",
    "throttle": "%",
    "speed": "rpm",
    "frequency": "MHz",
    "voltage": "V",
    "voltage_phase": "V",
    "uptime": "s",
    "balance": "BTC",
    "paid_total": "BTC",
    "earnings_24h": "BTC",
    "estimated_24h": "BTC",
}
_MAINS = {"frequency": "Hz"}
# What each algorithm counts in a unit of its own.
_WORK: dict[str, Quantity] = {
    "hashrate": "hashrate",
    "hashrate_average": "hashrate",
    "hashrate_expected": "hashrate",
    "efficiency": "efficiency",
}
_DRIVERS = (
    "name",
    "make",
    "models",
    "transport",
    "needs_password",
    "capabilities",
)
_MODELS = ("make", "model", "algorithm", "boards", "chips", "fans", "cooling")


def console() -> Console:
    """Return the console of the standard output."""
    found = Console(highlight=False, markup=False, emoji=False)
    if not found.is_terminal and "COLUMNS" not in os.environ:
        found.width = _WIDTH
    return found


def address(info: DeviceInfo) -> str:
    """Return where a device is, as it can be typed."""
    if info.port is None:
        return info.host
    host = f"[{info.host}]" if ":" in info.host else info.host
    return f"{host}:{info.port}"


def text(value: object, unit: str | None = None) -> str:
    """Return a value with its unit; a dash when it is unknown."""
    if value is None or value in ((), []):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return _quantity(value, unit)
    if isinstance(value, Mapping):
        return " ".join(text(item) for item in value.values())
    if isinstance(value, tuple | list):
        return ", ".join(text(item, unit) for item in value)
    return plain(str(value))


def plain(shown: str) -> str:
    """Return text that cannot steer a terminal, whatever a device wrote into it."""
    if shown.isprintable():
        return shown
    return "".join(sign if sign.isprintable() else "?" for sign in shown)


def _quantity(value: float, unit: str | None) -> str:
    if unit == "s":
        return duration(value)
    whole = isinstance(value, int) or value.is_integer()
    shown = f"{int(value):,}" if whole else f"{value:.10g}"
    return f"{shown} {unit}" if unit else shown


def field_of(record: object, name: str, algorithm: str | None = None) -> str:
    """Return a field of the vocabulary with its unit; work as people count it."""
    return _shown(record, name, getattr(record, name, None), algorithm)


def _shown(record: object, name: str, value: object, algorithm: str | None) -> str:
    quantity = _WORK.get(name)
    if quantity is None or not isinstance(value, int | float):
        return text(value, unit_of(record, name))
    found = algorithms.of(algorithm)
    return text(found.convert(quantity, value), found.unit(quantity))


def unit_of(record: object, name: str) -> str | None:
    """Return the unit of a field of the vocabulary, if it has one."""
    if isinstance(record, MeterStats) and name in _MAINS:
        return _MAINS[name]
    return _UNITS.get(name)


def duration(seconds: float) -> str:
    """Return a time such as ``3d 4h 05m``."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    if days:
        return f"{days}d {hour}h {minute:02}m"
    return f"{hour}h {minute:02}m {second:02}s"


@contextmanager
def progress() -> Generator[Bar]:
    """Show a bar on the terminal of the standard error, if it is one."""
    target = Console(stderr=True)
    if not target.is_terminal:
        yield lambda *_: None
        return
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[found]} found"),
        console=target,
        transient=True,
    ) as bar:
        task = bar.add_task(_PASSES[True], total=None, found=0)

        def update(state: ScanProgress) -> None:
            bar.update(
                task,
                description=_PASSES[state.first_pass],
                completed=state.done,
                total=state.total,
                found=state.found,
            )

        yield update


_FOUND: tuple[tuple[str, Callable[[DeviceInfo], str | None]], ...] = (
    ("Address", address),
    ("Make", lambda info: info.make),
    ("Model", models.label),
    ("Firmware", lambda info: info.firmware),
    ("Version", lambda info: info.firmware_version),
    ("Serial number", lambda info: info.serial_number),
    ("MAC", lambda info: info.mac),
    ("Host name", lambda info: info.hostname),
    ("Driver", lambda info: info.driver),
)


def infos(found: Iterable[DeviceInfo]) -> None:
    """Print who was found."""
    rows = [[text(value(info)) for _, value in _FOUND] for info in found]
    if rows:
        _print_rows([name for name, _ in _FOUND], rows)
    console().print(f"{len(rows) or 'nothing'} found")


def reading(info: DeviceInfo, stats: object) -> None:
    """Print who a device is and what it does."""
    out = console()
    out.print(_facts(address(info), replace(info, model=models.label(info))))
    if info.limits:
        out.print(_limits(info.limits))
    out.print(_facts("Now", stats, info.algorithm))
    for name, items in _lists(stats):
        out.print(_records(name, items, info.algorithm))


def _facts(title: str, record: object, algorithm: str | None = None) -> Table:
    table = Table(title=title, title_justify="left", show_header=False)
    for name, value in _flat(record):
        table.add_row(name, _shown(record, name, value, algorithm))
    return table


def _flat(record: Any) -> Iterable[tuple[str, object]]:
    """Yield what is known of a record, with the records inside it."""
    for field in fields(record):
        value = getattr(record, field.name)
        if is_dataclass(value):
            yield from _flat(value)
        elif isinstance(value, Mapping):
            if field.name != "limits":
                yield from ((f"{field.name}: {k}", v) for k, v in value.items())
        elif value is not None and value != () and not _is_records(value):
            yield field.name, value


def _lists(record: Any) -> Iterable[tuple[str, tuple[Any, ...]]]:
    for field in fields(record):
        value = getattr(record, field.name)
        if _is_records(value):
            yield field.name, value


def _is_records(value: object) -> bool:
    return isinstance(value, tuple) and bool(value) and is_dataclass(value[0])


def _records(title: str, items: tuple[Any, ...], algorithm: str | None) -> Table:
    """Return a table of records, without the columns that nothing is known of."""
    known = [
        field.name
        for field in fields(items[0])
        if any(getattr(item, field.name) is not None for item in items)
    ]
    rows = [[field_of(item, name, algorithm) for name in known] for item in items]
    return _table(known, rows, title=title)


def _limits(limits: Mapping[Capability, Limits]) -> Table:
    rows = [
        [
            capability.value,
            text(limit.minimum),
            text(limit.maximum),
            text(limit.step),
            text(limit.options),
        ]
        for capability, limit in limits.items()
    ]
    return _table(["may be set", "from", "to", "step", "options"], rows)


def describe_driver(driver: type[AnyDevice]) -> dict[str, object]:
    """Return what a person wants to know of a driver."""
    return {
        "name": driver.name,
        "aliases": driver.aliases,
        "kind": driver.kind,
        "make": driver.make,
        "firmware": driver.firmware,
        "models": driver.models,
        "transport": driver.transport,
        "port": driver.default_port,
        "needs_password": driver.needs_password,
        "capabilities": list(driver.implemented())
        if issubclass(driver, Commanded)
        else [],
    }


def drivers(known: Iterable[dict[str, object]]) -> None:
    """Print what is known of the drivers; a device may offer less than its driver."""
    rows = [[text(driver[name]) for name in _DRIVERS] for driver in known]
    _print_rows([name.replace("_", " ") for name in _DRIVERS], rows)


def known_models(known: Iterable[models.Model]) -> None:
    """Print what is known of the models; the chips are those of one board."""
    rows = [
        [text(getattr(model, name)) for name in _MODELS]
        + [field_of(model, name, model.algorithm) for name in ("hashrate", "power")]
        for model in known
    ]
    header = [name.replace("chips", "chips a board") for name in _MODELS]
    _print_rows([*header, "hashrate", "power"], rows)


def _print_rows(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    console().print(_table(header, rows))


def _table(
    header: Sequence[str], rows: Iterable[Sequence[str]], title: str | None = None
) -> Table:
    table = Table(*header, title=title, title_justify="left")
    for row in rows:
        table.add_row(*row)
    return table

"""The table ``commands`` of a driver's file: what a device can be told, and how."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ._described_check import Table, listed
from ._described_mapping import Condition, Mapped
from ._described_values import plain_set, value_of
from .model import Capability, Limits, MinerStatus

CONDITIONS = ("path", "equals", "above", "below")
_METHODS = ("get", "post", "put", "patch")
# What is told without a value, with a number, with one of several words, and on or off;
# and where the reading shows it.
_PLAIN = ("pause", "resume", "reboot", "restart")
_NUMBERS = {
    "power_limit": "power_limit",
    "throttle": "settings.throttle",
    "target_temperature": "settings.target_temperature",
    "frequency": "settings.frequency",
    "voltage": "settings.voltage",
}
_WORDS = {"power_mode": "power_mode", "profile": "settings.profile"}
_SWITCHES = {"locate": "locating"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One request that has the device do something; ``{value}`` stands for what."""

    method: str
    path: str
    json: Any = None
    form: Mapping[str, Any] | None = None
    scale: float = 1.0
    # What the reply shows when the device did it, if it shows anything.
    ok: Condition | None = None
    within: float | None = None
    limits: Limits | None = None


def read_commands(top: Table, mapped: Mapped, *, http: bool) -> dict[str, Command]:
    """Return the commands of a file; each must be one that a reading can confirm."""
    table = top.table("commands")
    if table is None:
        return {}
    found: dict[str, Command] = {}
    for name in (*_PLAIN, *_NUMBERS, *_WORDS, *_SWITCHES):
        if inner := table.table(name):
            found[name] = _command(inner, name, http=http)
            _check_readback(table, name, mapped)
    for one, other in (("pause", "resume"), ("resume", "pause")):
        if table.has(one) and not table.has(other):
            table.wrong(one, f"{other} must be given with it")
    table.finish()
    return found


def _command(table: Table, name: str, *, http: bool) -> Command:
    request = _http_request(table) if http else _cgminer_request(table)
    limits = _limits(table, name)
    ok = table.table("ok")
    condition = None
    if ok is not None:
        ok.need("path")
        condition = condition_of(ok, None)
        ok.finish()
    scale = table.number("scale") if name in _NUMBERS else None
    within = table.number("within", 1, 1800)
    table.finish()
    return Command(
        **request,
        limits=limits,
        ok=condition,
        scale=1.0 if scale is None else scale,
        within=within,
    )


def _http_request(table: Table) -> dict[str, Any]:
    given = [method for method in _METHODS if table.has(method)]
    paths = {
        method: table.text(method, r"/\S*", "a path that begins with /")
        for method in _METHODS
    }
    if len(given) != 1:
        table.wrong(None, f"give one of {listed(_METHODS)}, with a path")
    method = given[0] if given else "post"
    form = table.raw("form")
    if form is not None and not isinstance(form, Mapping):
        table.wrong("form", "this is not a table with keys and values")
    return {
        "method": method.upper(),
        "path": paths[method] or "/",
        "json": table.raw("json"),
        "form": form,
    }


def _cgminer_request(table: Table) -> dict[str, Any]:
    table.need("command")
    return {
        "method": table.text("command", r"[a-z_]+", "a command such as ascset") or "",
        "path": table.text("parameter") or "",
    }


def _limits(table: Table, name: str) -> Limits | None:
    if name in _WORDS:
        table.need("options")
        return Limits(options=table.texts("options"))
    if name not in _NUMBERS:
        return None
    table.need("minimum", "maximum")
    low, high = table.number("minimum"), table.number("maximum")
    step = table.number("step", 0.000_001)
    if low is not None and high is not None and low >= high:
        table.wrong("maximum", "this must be more than minimum")
    return Limits(minimum=low, maximum=high, step=step)


def _check_readback(table: Table, name: str, mapped: Mapped) -> None:
    """Complain about a command of which a reading could not show that it was done."""
    if name in ("pause", "resume"):
        if MinerStatus.PAUSED not in [status for status, _ in mapped.status]:
            table.wrong(name, 'no reading shows it: give a [[status]] of is="paused"')
        return
    field_ = {**_NUMBERS, **_WORDS, **_SWITCHES}.get(name)
    if field_ is None:
        return
    section, _, key = field_.rpartition(".")
    if key not in (mapped.settings if section else mapped.values):
        table.wrong(name, f"no reading shows it: give stats.{field_}")


def capability_of(command: str) -> Capability:
    """Return the capability that a command of the file stands for."""
    return Capability("pause" if command == "resume" else command)


def condition_of(table: Table, ask: Iterable[str] | None) -> Condition | None:
    """Return what a table says that a reply must show; see ``value_of``."""
    table.need("path")
    value = value_of(table, "path", "text", ask, "")
    equals = plain_set(table.raw("equals"))
    above, below = table.number("above"), table.number("below")
    if not any(table.has(key) for key in CONDITIONS[1:]):
        table.wrong(None, "give equals, above or below with the path")
    elif table.has("equals") and (table.has("above") or table.has("below")):
        table.wrong("equals", "give either equals, or above and below")
    if value is None:
        return None
    return Condition(value=value, equals=equals, above=above, below=below)

"""What the source of the integration refers to: texts, icons, other integrations."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
import importlib
import json
from pathlib import Path
from typing import Any

from homeassistant.components.binary_sensor import BinarySensorEntity
from homeassistant.components.button import ButtonEntity
from homeassistant.components.number import NumberEntity
from homeassistant.components.select import SelectEntity
from homeassistant.components.sensor import SensorEntity
from homeassistant.components.switch import SwitchEntity
from homeassistant.helpers.entity import EntityDescription
from homeassistant.util.yaml import load_yaml_dict

import custom_components.miningsdk
from custom_components.miningsdk.positions_table import Wrong

ROOT = Path(custom_components.miningsdk.__file__).parent
REPOSITORY = ROOT.parents[1]
_PACKAGE = custom_components.miningsdk.__name__
# What these rooms hold knows nothing of Home Assistant.
_APART = {"sdk", "gateway"}

_ENTITIES = {
    "binary_sensor": BinarySensorEntity,
    "button": ButtonEntity,
    "number": NumberEntity,
    "select": SelectEntity,
    "sensor": SensorEntity,
    "switch": SwitchEntity,
}


@cache
def read_json(name: str) -> dict[str, Any]:
    """Return a JSON file of the integration, or of the repository."""
    file = ROOT / name
    if not file.exists():
        file = REPOSITORY / name
    loaded: dict[str, Any] = json.loads(file.read_text())
    return loaded


@cache
def read_yaml(name: str) -> dict[str, Any]:
    """Return a YAML file of the integration."""
    return dict(load_yaml_dict(ROOT / name))


@cache
def texts(*path: str) -> dict[str, Any]:
    """Return a part of the English texts."""
    found: Any = read_json("translations/en.json")
    for key in path:
        found = found.get(key, {})
    return dict(found)


def leaves(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Yield each text with its path, joined by dots."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    else:
        yield ".".join(path), str(value)


@cache
def sources() -> dict[str, ast.Module]:
    """Return each module of the integration, parsed."""
    return {
        ".".join(file.relative_to(ROOT).with_suffix("").parts): ast.parse(
            file.read_text()
        )
        for file in sorted(ROOT.rglob("*.py"))
        if file.relative_to(ROOT).parts[0] not in _APART
    }


def module(name: str) -> Any:
    """Return a module of the integration itself."""
    inner = name.removesuffix("__init__").rstrip(".")
    return importlib.import_module(f"{_PACKAGE}.{inner}" if inner else _PACKAGE)


def calls(*names: str) -> Iterator[tuple[str, ast.Call]]:
    """Yield each call of a function or class of one of these names, and its module."""
    for name, tree in sources().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                called = node.func
                word = getattr(called, "attr", getattr(called, "id", None))
                if word in names:
                    yield name, node


def argument(call: ast.Call, name: str) -> ast.expr | None:
    """Return an argument that is given by its name."""
    return next((k.value for k in call.keywords if k.arg == name), None)


def words(where: str, node: ast.expr | None) -> set[str]:
    """Return the texts that an expression may come to, as far as can be told."""
    match node:
        case ast.Constant(value=str(text)):
            return {text}
        case ast.IfExp(body=body, orelse=orelse):
            return words(where, body) | words(where, orelse)
        case ast.BoolOp(values=values):
            return {word for value in values for word in words(where, value)}
        case ast.Name(id=name):
            found = getattr(module(where), name, None)
            return {found} if isinstance(found, str) else set()
    return set()


def strings() -> set[str]:
    """Return every text constant of the source, and the names of its functions."""
    found: set[str] = set()
    for tree in sources().values():
        for node in ast.walk(tree):
            match node:
                case ast.Constant(value=str(text)):
                    found.add(text)
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    found.add(name)
    return found


def exception_keys() -> set[str]:
    """Return the keys of all errors that are raised."""
    return {
        key
        for where, call in calls(
            "HomeAssistantError", "ServiceValidationError", "UpdateFailed"
        )
        for key in words(where, argument(call, "translation_key"))
    } | set(Wrong)


def issue_keys() -> set[str]:
    """Return the keys of all issues that are raised."""
    return {
        key
        for where, call in calls("async_create_issue")
        for key in words(where, argument(call, "translation_key"))
    }


def selector_keys() -> set[str]:
    """Return the translation keys of all selectors, in flows and in actions."""
    found = {
        key
        for where, call in calls("SelectSelectorConfig", "ObjectSelectorConfig")
        for key in words(where, argument(call, "translation_key"))
    }
    for action in read_yaml("services.yaml").values():
        for field in action["fields"].values():
            for config in field["selector"].values():
                if config and "translation_key" in config:
                    found.add(config["translation_key"])
    return found


def descriptions() -> Iterator[tuple[str, EntityDescription]]:
    """Yield every entity description with its platform."""
    for name in sources():
        for value in vars(module(name)).values():
            for found in _flat(value):
                yield _platform_of_description(found), found


def _flat(value: object) -> Iterator[EntityDescription]:
    if isinstance(value, EntityDescription):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _flat(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _flat(inner)


def _platform_of_description(found: EntityDescription) -> str:
    for kind in type(found).__mro__:
        if kind.__module__.startswith("homeassistant.components."):
            return kind.__module__.split(".")[2]
    raise AssertionError(f"{found.key} is of no platform")


def _platform_of_class(kind: type) -> str | None:
    return next((p for p, base in _ENTITIES.items() if issubclass(kind, base)), None)


def entity_keys() -> dict[str, set[str]]:
    """Return the translation keys of all entities, by platform."""
    found: dict[str, set[str]] = {platform: set() for platform in _ENTITIES}
    for platform, description in descriptions():
        if isinstance(description.translation_key, str):
            found[platform].add(description.translation_key)
    for name, tree in sources().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                platform_of = _platform_of_class(getattr(module(name), node.name))
                if platform_of:
                    found[platform_of] |= set(_keys_of_class(name, node))
    return found


def _keys_of_class(where: str, node: ast.ClassDef) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Assign):
            for target in inner.targets:
                word = getattr(target, "attr", getattr(target, "id", None))
                if word == "_attr_translation_key":
                    yield from words(where, inner.value)


def imported_integrations() -> Iterator[tuple[str, str]]:
    """Yield each module, and each of Home Assistant's integrations it imports."""
    for name, tree in sources().items():
        for node in _outside_type_checking(tree):
            yield from ((name, found) for found in _integrations(node))


def _outside_type_checking(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        yield node
        yield from _outside_type_checking(node)


def _integrations(node: ast.AST) -> Iterable[str]:
    start = "homeassistant.components"
    match node:
        case ast.ImportFrom(module=str(found), names=names) if found == start:
            return [alias.name for alias in names]
        case ast.ImportFrom(module=str(found)) if found.startswith(f"{start}."):
            return [found.split(".")[2]]
        case ast.Import(names=names):
            return [
                alias.name.split(".")[2]
                for alias in names
                if alias.name.startswith(f"{start}.")
            ]
    return []

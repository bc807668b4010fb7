"""Check that everything a flow shows has a text, with all its gaps filled in."""

from collections.abc import Mapping
from functools import cache
import json
from pathlib import Path
import re
from typing import Any

from homeassistant.components.repairs.issue_handler import RepairsFlowManager
from homeassistant.config_entries import OptionsFlowManager
from homeassistant.data_entry_flow import FlowHandler, FlowResultType

from custom_components.miningsdk import const

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@cache
def texts() -> dict[str, Any]:
    """Return the English texts."""
    file = Path(const.__file__).parent / "translations" / "en.json"
    loaded: dict[str, Any] = json.loads(file.read_text())
    return loaded


def section(*path: str) -> dict[str, Any]:
    """Return a part of the texts."""
    found = texts()
    for key in path:
        found = found[key]
    return found


def flow_texts(
    manager: object, flow: FlowHandler[Any, Any, Any]
) -> dict[str, Any] | None:
    """Return the texts of a flow, or nothing where it is not one of ours."""
    handler: Any = flow.handler
    if isinstance(manager, OptionsFlowManager):
        return section("options")
    if isinstance(handler, tuple):
        return section("config_subentries", handler[1])
    if handler != const.DOMAIN:
        return None
    if isinstance(manager, RepairsFlowManager):
        # Of two kinds that an id may begin with, the longer one is meant.
        issue_id, kinds = flow.context["issue_id"], section("issues")
        kind = max((k for k in kinds if issue_id.startswith(k)), key=len)
        return section("issues", kind, "fix_flow")
    return section("config")


def check(found: Mapping[str, Any], result: Mapping[str, Any]) -> None:
    """Check the texts that a result of a flow needs."""
    given = set(result.get("description_placeholders") or {})
    match result["type"]:
        case FlowResultType.FORM:
            step = found["step"][result["step_id"]]
            assert step["title"]
            for key in result["data_schema"].schema:
                assert step["data"][str(key)]
                assert step["data_description"][str(key)]
            for error in (result["errors"] or {}).values():
                _filled(found["error"][error], given)
            _filled(step.get("description", "") + step["title"], given)
        case FlowResultType.MENU:
            step = found["step"][result["step_id"]]
            assert set(step["menu_options"]) == set(result["menu_options"])
            _filled(step["description"], given)
            # The frontend fills the gaps of a menu's title in a repair only.
            _filled(step["title"], given if _is_repair(found) else set())
        case FlowResultType.ABORT:
            _filled(found["abort"][result["reason"]], given)
        case FlowResultType.SHOW_PROGRESS:
            _filled(found["progress"][result["progress_action"]], given)


def _is_repair(found: Mapping[str, Any]) -> bool:
    return any(found is kind.get("fix_flow") for kind in section("issues").values())


def _filled(text: str, given: set[str]) -> None:
    assert text
    assert set(_PLACEHOLDER.findall(text)) <= given

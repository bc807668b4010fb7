"""What hassfest and HACS check, as far as it can be checked without them."""

from pathlib import Path
import re
import struct
import tomllib
from typing import Any

from homeassistant.components.sensor import SensorEntityDescription
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import validate_selector
from homeassistant.loader import async_get_integration
from homeassistant.setup import async_setup_component
import jsonschema
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.miningsdk import CONFIG_SCHEMA
from custom_components.miningsdk.config_flow import MiningConfigFlow
from custom_components.miningsdk.const import DOMAIN, PLATFORMS
from custom_components.miningsdk.detail import OPTIONS
from custom_components.miningsdk.system_health import _async_info
from tests.integration.conftest import AddSite
from tests.integration.house import (
    REPOSITORY,
    ROOT,
    descriptions,
    entity_keys,
    exception_keys,
    imported_integrations,
    issue_keys,
    leaves,
    module,
    read_json,
    read_yaml,
    selector_keys,
    sources,
    strings,
    texts,
)

_TEXT = {"type": "string", "minLength": 1}
_TEXTS = {"type": "array", "items": _TEXT}
_HTTPS = {
    "type": "string",
    "pattern": "^https://(?!www.home-assistant.io/integrations)",
}
MANIFEST = {
    "type": "object",
    "additionalProperties": False,
    "required": [
        "domain",
        "name",
        "codeowners",
        "documentation",
        "integration_type",
        "iot_class",
        "issue_tracker",
        "requirements",
        "version",
    ],
    "properties": {
        "domain": {"const": "miningsdk"},
        "name": _TEXT,
        "after_dependencies": _TEXTS,
        "codeowners": {**_TEXTS, "minItems": 1, "items": {"pattern": "^@"}},
        "config_flow": {"const": True},
        "dependencies": _TEXTS,
        "dhcp": {
            "type": "array",
            "items": {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": False,
                "properties": {
                    "macaddress": {"pattern": r"^[0-9A-F]+\*$"},
                    "hostname": {"pattern": "^[^A-Z]+$"},
                    "registered_devices": {"const": True},
                },
            },
        },
        "documentation": _HTTPS,
        "integration_type": {"const": "hub"},
        "iot_class": {"enum": ["local_polling", "local_push"]},
        "issue_tracker": _HTTPS,
        "loggers": _TEXTS,
        "mqtt": _TEXTS,
        "quality_scale": {"enum": ["custom", "bronze", "silver", "gold", "platinum"]},
        "requirements": {**_TEXTS, "items": {"pattern": "=="}},
        "version": {"pattern": r"^\d+\.\d+\.\d+(b\d+)?$"},
        "zeroconf": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["type"],
                "additionalProperties": False,
                "properties": {
                    "type": {"pattern": r"^_[a-z0-9-]+\._(tcp|udp)\.local\.$"},
                    "name": {"pattern": "^[^A-Z]+$"},
                    "properties": {
                        "type": "object",
                        "additionalProperties": {"pattern": "^[^A-Z]+$"},
                    },
                },
            },
        },
    },
}
HACS = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name"],
    "properties": {
        "name": _TEXT,
        "content_in_root": {"const": False},
        "country": _TEXTS,
        "filename": {"pattern": r"\.zip$"},
        "hacs": _TEXT,
        "hide_default_branch": {"type": "boolean"},
        "homeassistant": {"pattern": r"^\d{4}\.\d+\.\d+$"},
        "persistent_directory": _TEXT,
        "zip_release": {"type": "boolean"},
    },
}
# What an integration may import without saying so in its manifest.
FREE = {platform.value for platform in Platform} | {
    *("automation", "frontend", "group", "homeassistant", "lovelace", "panel_custom"),
    *("persistent_notification", "script", "system_health", "webhook", "websocket_api"),
}
RULES = {
    # Bronze
    *("action-setup", "appropriate-polling", "brands", "common-modules"),
    *("config-flow-test-coverage", "config-flow", "dependency-transparency"),
    *("docs-actions", "docs-conditions", "docs-high-level-description"),
    *("docs-installation-instructions", "docs-removal-instructions", "docs-triggers"),
    *("entity-event-setup", "entity-unique-id", "has-entity-name", "runtime-data"),
    *("test-before-configure", "test-before-setup", "unique-config-entry"),
    # Silver
    *("action-exceptions", "config-entry-unloading", "docs-configuration-parameters"),
    *("docs-installation-parameters", "entity-unavailable", "integration-owner"),
    *("log-when-unavailable", "parallel-updates", "reauthentication-flow"),
    "test-coverage",
    # Gold
    *("devices", "diagnostics", "discovery-update-info", "discovery"),
    *("docs-data-update", "docs-examples", "docs-known-limitations"),
    *("docs-supported-devices", "docs-supported-functions", "docs-troubleshooting"),
    *("docs-use-cases", "dynamic-devices", "entity-category", "entity-device-class"),
    *("entity-disabled-by-default", "entity-translations", "exception-translations"),
    *("icon-translations", "reconfiguration-flow", "repair-issues", "stale-devices"),
    # Platinum
    *("async-dependency", "inject-websession", "strict-typing"),
}


# The manifests.


def test_the_manifest_is_valid() -> None:
    """Its keys, their values and their order."""
    manifest = read_json("manifest.json")
    jsonschema.validate(manifest, MANIFEST)
    keys = list(manifest)
    assert keys[:2] == ["domain", "name"]
    assert keys[2:] == sorted(keys[2:])
    assert manifest["domain"] == DOMAIN == ROOT.name


async def test_home_assistant_can_load_it(hass: HomeAssistant) -> None:
    """With all that it depends on."""
    integration = await async_get_integration(hass, DOMAIN)
    assert await integration.resolve_dependencies()
    assert integration.all_dependencies_resolved
    assert str(integration.version) == read_json("manifest.json")["version"]
    assert CONFIG_SCHEMA({}) == {}


def test_all_say_the_same_version() -> None:
    """The integration, the wheel and the changelog."""
    version = read_json("manifest.json")["version"]
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert project["version"] == version
    head = re.search(r"^## \[?(\d\S*?)\]?(?:\s|$)", _read("CHANGELOG.md"), re.MULTILINE)
    assert head is None or head[1] == version


def _read(name: str) -> str:
    return (REPOSITORY / name).read_text()


def test_hacs_takes_it() -> None:
    """One integration, a license, a readme, and a file that HACS understands."""
    hacs = read_json("hacs.json")
    jsonschema.validate(hacs, HACS)
    assert hacs["zip_release"] is True
    assert hacs["filename"] == f"{DOMAIN}.zip"
    assert [file.parent.name for file in ROOT.parent.glob("*/manifest.json")] == [
        DOMAIN
    ]
    assert "Apache License" in _read("LICENSE")
    assert _read("README.md").startswith("# ")


@pytest.mark.parametrize(("name", "size"), [("icon.png", 256), ("icon@2x.png", 512)])
def test_brand_icons_have_their_size(name: str, size: int) -> None:
    """As Home Assistant serves them."""
    data = (ROOT / "brand" / name).read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", data[16:24]) == (size, size)


def test_what_is_imported_is_in_the_manifest() -> None:
    """Apart from the base platforms, and from that for which a module is a platform."""
    manifest = read_json("manifest.json")
    named = {*manifest["dependencies"], *manifest["after_dependencies"]}
    missing = {
        (where, found)
        for where, found in imported_integrations()
        if found not in named | FREE and found not in sources()
    }
    assert missing == set()


# Texts.


def test_keys_and_texts_are_well_formed() -> None:
    """No HTML, no placeholder in quotes, no text that is the name of the brand."""
    for path, text in leaves(texts()):
        assert all(re.fullmatch(r"[a-z0-9_-]+", key) for key in path.split(".")), path
        assert not re.search(r"<[a-z/]", text), path
        assert not re.search(r"'\{\w+\}'", text), path
        assert text.strip() == text, path
        assert text, path
        if path.endswith(".title"):
            assert text != "MiningSDK" or path == "title", path


def test_each_field_of_a_form_is_described() -> None:
    """And nothing is described that is no field."""

    def check(step: dict[str, Any], path: str) -> None:
        assert set(step.get("data", {})) == set(step.get("data_description", {})), path
        assert set(step.get("menu_option_descriptions", {})) <= set(
            step.get("menu_options", {})
        ), path

    forms = {"config": texts("config"), "options": texts("options")}
    forms |= texts("config_subentries")
    forms |= {
        f"issue {key}": issue["fix_flow"]
        for key, issue in texts("issues").items()
        if "fix_flow" in issue
    }
    for name, form in forms.items():
        for step, content in form["step"].items():
            check(content, f"{name} {step}")


def test_each_issue_has_either_a_description_or_a_flow() -> None:
    """As the schema of hassfest demands."""
    for key, issue in texts("issues").items():
        assert ("description" in issue) is not ("fix_flow" in issue), key


def test_errors_have_their_texts() -> None:
    """And no text is for an error that is never raised."""
    assert exception_keys() == set(texts("exceptions"))


def test_issues_have_their_texts() -> None:
    """And no text is for an issue that is never raised."""
    assert issue_keys() == set(texts("issues"))


def test_entities_have_their_texts() -> None:
    """And no text is for an entity that there is not."""
    named = {platform: set(keys) for platform, keys in texts("entity").items() if keys}
    used = {platform: keys for platform, keys in entity_keys().items() if keys}
    assert used == named


def test_each_entity_has_a_name() -> None:
    """From its text, or else from its device class."""
    for platform, description in descriptions():
        key = description.translation_key
        assert key or description.device_class, f"{platform} {description.key}"


def test_each_state_has_its_text() -> None:
    """Of the sensors whose states are known beforehand."""
    for platform, description in descriptions():
        if isinstance(description, SensorEntityDescription) and description.options:
            key = str(description.translation_key)
            states = texts("entity", platform, key, "state")
            assert set(states) == set(description.options), key


def test_selectors_have_their_texts() -> None:
    """Of their options or fields."""
    assert selector_keys() == set(texts("selector"))
    assert set(texts("selector", "detail", "options")) == set(OPTIONS)


def test_each_kind_of_subentry_has_its_texts() -> None:
    """Of what a person adds to a site by hand."""
    offered = MiningConfigFlow.async_get_supported_subentry_types(
        MockConfigEntry(domain=DOMAIN)
    )
    assert set(texts("config_subentries")) == set(offered)


def test_no_text_of_a_flow_is_dead() -> None:
    """Each step is a method, each error and each abort is named somewhere."""
    known = strings()
    flows = {"config": texts("config"), "options": texts("options")}
    flows |= texts("config_subentries")
    for name, flow in flows.items():
        for step in flow["step"]:
            assert f"async_step_{step}" in known, f"{name}: {step}"
        for key in (*flow.get("error", {}), *flow.get("abort", {})):
            # Home Assistant's own helpers end flows with these.
            own = {"already_configured", "already_in_progress"}
            own |= {"reconfigure_successful"}
            assert key in known | own, f"{name}: {key}"


async def test_system_health_has_its_texts(
    hass: HomeAssistant, add_site: AddSite
) -> None:
    """For each number that it shows."""
    await add_site()
    assert set(await _async_info(hass)) == set(texts("system_health", "info"))


def test_every_language_says_the_same() -> None:
    """The same keys, with the same gaps to be filled in."""

    def gaps(file: str) -> dict[str, set[str]]:
        found = read_json(f"translations/{file}")
        return {p: set(re.findall(r"\{(\w+)\}", text)) for p, text in leaves(found)}

    files = [file.name for file in (ROOT / "translations").glob("*.json")]
    assert "en.json" in files
    for file in files:
        assert gaps(file) == gaps("en.json"), file


# Actions.


async def test_actions_are_described_everywhere(hass: HomeAssistant) -> None:
    """In the code, in services.yaml, in the texts and in the icons."""
    assert await async_setup_component(hass, DOMAIN, {})
    actions = set(hass.services.async_services()[DOMAIN])
    described = read_yaml("services.yaml")
    assert set(described) == actions
    assert set(texts("services")) == actions
    assert set(read_json("icons.json")["services"]) == actions
    for name, action in described.items():
        fields = action.get("fields", {})
        assert set(texts("services", name, "fields")) == set(fields)
        for field in fields.values():
            validate_selector(field["selector"])
        if target := action.get("target"):
            validate_selector({"target": target})


# Icons.


def test_icons_belong_to_texts() -> None:
    """And each entity without a device class has one."""
    icons = read_json("icons.json")["entity"]
    named = texts("entity")
    for platform, keys in icons.items():
        assert set(keys) <= set(named[platform]), platform
    for platform, description in descriptions():
        if description.device_class is None:
            assert description.translation_key in icons[platform], description.key


def test_icons_are_well_formed() -> None:
    """An icon of a state differs from that which stands for all others."""
    for platform, keys in read_json("icons.json")["entity"].items():
        for key, icon in keys.items():
            assert set(icon) <= {"default", "state", "range"}, key
            assert icon["default"] not in icon.get("state", {}).values(), key
            states = texts("entity", platform, key, "state") or {"on": "", "off": ""}
            assert set(icon.get("state", {})) <= set(states), key


def test_icons_exist() -> None:
    """In the set that the frontend of the demo ships."""
    used = {text for _, text in leaves(read_json("icons.json"))}
    assert all(re.fullmatch(r"mdi:[a-z0-9-]+", icon) for icon in used)
    pattern = ".venv-demo/lib/*/site-packages/hass_frontend/static/mdi/*.json"
    files = list(REPOSITORY.glob(pattern))
    if not files:
        pytest.skip("the demo's Home Assistant is not installed")
    icons = {name for file in files for name in _names_of_icons(file)}
    assert {icon for icon in used if icon.removeprefix("mdi:") not in icons} == set()


def _names_of_icons(file: Path) -> set[str]:
    found = read_json(str(file))
    return set(found) if isinstance(found, dict) else set()


# The quality scale.


def test_the_quality_scale_is_whole_and_honest() -> None:
    """All 54 rules, each with a status; an exemption or a gap says why."""
    rules = read_yaml("quality_scale.yaml")["rules"]
    assert len(RULES) == 54
    assert set(rules) == RULES
    for name, rule in rules.items():
        if isinstance(rule, str):
            assert rule == "done", name
        else:
            assert rule["status"] in ("done", "todo", "exempt"), name
            assert rule["comment"].strip(), name


def test_what_the_quality_scale_says_of_the_source_is_true() -> None:
    """As far as the source can tell by itself."""
    for platform in PLATFORMS:
        assert hasattr(module(platform.value), "PARALLEL_UPDATES"), platform
    for name in ("coordinator", "entity", "diagnostics", "repairs", "config_flow"):
        assert name in sources(), name
    assert (ROOT / "py.typed").exists()
    assert (ROOT / "sdk" / "py.typed").exists()
    assert "_attr_icon" not in strings()

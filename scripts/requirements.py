"""Print what the integrations of the demo require, as the installed manifests say."""

import json
from pathlib import Path

import homeassistant
from homeassistant.bootstrap import DEFAULT_INTEGRATIONS
from homeassistant.const import BASE_PLATFORMS

COMPONENTS = Path(homeassistant.__file__).parent / "components"
# What the demo's configuration.yaml names, and what the frontend asks for. The rest is
# what every Home Assistant sets up by itself.
INTEGRATIONS = (
    "assist_pipeline",
    "config",
    "conversation",
    "dhcp",
    "diagnostics",
    "energy",
    "hassio",
    "history",
    "input_number",
    "logbook",
    "mobile_app",
    "modbus",
    "mqtt",
    "recorder",
    "template",
    "zeroconf",
    *BASE_PLATFORMS,
    *DEFAULT_INTEGRATIONS,
)


def requirements() -> set[str]:
    """Return the pinned requirements of the integrations and of all they depend on."""
    found: set[str] = set()
    waiting, seen = sorted(INTEGRATIONS), set[str]()
    while waiting:
        name = waiting.pop()
        file = COMPONENTS / name / "manifest.json"
        if name in seen or not file.exists():
            continue
        seen.add(name)
        manifest = json.loads(file.read_text())
        found.update(manifest.get("requirements", []))
        waiting += manifest.get("dependencies", [])
    return found


if __name__ == "__main__":
    print("\n".join(sorted(requirements())))

"""Integrations of strangers, installed into a configuration folder of their own."""

from collections.abc import Callable, Generator
from pathlib import Path
import sys
from typing import Any
from unittest.mock import patch

from homeassistant.core import HomeAssistant
from homeassistant.loader import DATA_CUSTOM_COMPONENTS
import orjson
import pytest

import custom_components
from custom_components.miningsdk.const import DOMAIN
from custom_components.miningsdk.sdk import described, registry

type Stranger = Callable[..., Path]

SETUP = '''"""A stranger."""


async def async_setup(hass, config):
    return True
'''


@pytest.fixture(name="config_folder")
def config_folder_fixture(hass: HomeAssistant, tmp_path: Path) -> Generator[Path]:
    """Return a configuration folder with integrations and drivers of its own."""
    registry.drivers()
    hass.config.config_dir = str(tmp_path)
    own = tmp_path / "custom_components"
    own.mkdir()
    paths = [*custom_components.__path__, str(own)]
    before = set(sys.modules)
    with (
        patch.object(custom_components, "__path__", paths),
        patch.dict(registry._drivers),
        patch.dict(described._used, clear=True),
    ):
        yield tmp_path
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(own)):
            del sys.modules[name]


@pytest.fixture(name="stranger")
def stranger_fixture(hass: HomeAssistant, config_folder: Path) -> Stranger:
    """Return a function that installs an integration; ``module`` brings drivers."""

    def install(
        domain: str, module: str, *, setup: str = SETUP, **manifest: Any
    ) -> Path:
        folder = config_folder / "custom_components" / domain
        folder.mkdir(parents=True)
        facts = {
            "domain": domain,
            "name": domain.title(),
            "version": "1.0.0",
            "dependencies": [DOMAIN],
            "requirements": [],
            **manifest,
        }
        (folder / "manifest.json").write_bytes(orjson.dumps(facts))
        (folder / "__init__.py").write_text(setup)
        (folder / f"{DOMAIN}.py").write_text(module)
        installed(hass)
        return folder

    return install


def installed(hass: HomeAssistant) -> None:
    """Have Home Assistant look again at what is installed, as after a restart."""
    hass.data.pop(DATA_CUSTOM_COMPONENTS, None)

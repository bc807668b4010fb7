"""Home Assistant as a process of its own, on loopback, in a folder of its own."""

import asyncio
import json
import os
from pathlib import Path
import shutil
import socket
import sys
from typing import Any, Self

INTEGRATION = Path(__file__).parents[2] / "custom_components" / "miningsdk"

# These steps set up integrations that reach for the internet.
_STEPS_DONE = ["core_config", "analytics", "integration"]

# Given here: settings in YAML are but a trial of five minutes.
_HTTP = {
    "server_host": ["127.0.0.1"],
    "cors_allowed_origins": [],
    "login_attempts_threshold": -1,
    "ip_ban_enabled": True,
    "ssl_profile": "intermediate_v6",
    "use_x_frame_options": True,
    "created_at": "2026-11-22T00:00:00+00:00",
    "error": None,
    "error_message": None,
}

CONFIGURATION = """\
homeassistant:
  name: Demo
  country: CH
  currency: EUR
  unit_system: metric
  time_zone: Europe/Zurich
  latitude: 46.0
  longitude: 8.95
  elevation: 273
automation: !include automations.yaml
config:
dhcp:
diagnostics:
energy:
frontend:
history:
logbook:
logger:
  default: warning
recorder:
  commit_interval: 1
system_health:
zeroconf:
input_number:
  electricity_price:
    name: Electricity price (move me)
    min: 0
    max: 1
    step: 0.01
    initial: 0.18
    unit_of_measurement: EUR/kWh
template:
  - sensor:
      - name: Electricity price
        unique_id: electricity_price
        unit_of_measurement: EUR/kWh
        state: "{{ states('input_number.electricity_price') }}"
"""
# Smart plugs of other integrations, for miners that tell no power.
PLUGS = tuple(f"sensor.plug_{number}" for number in range(1, 9))
_PLUG = """\
      - name: Plug {number}
        unique_id: plug_{number}
        device_class: power
        state_class: measurement
        unit_of_measurement: W
        state: "{{{{ {watts} + now().minute % 10 }}}}"
"""


class HomeAssistantProcess:
    """A real ``hass``, started on entry and ended on exit."""

    def __init__(
        self, folder: Path, port: int, integration: Path = INTEGRATION
    ) -> None:
        """Describe a Home Assistant that keeps all it writes in ``folder``."""
        self._integration = integration
        self.config = folder / "config"
        self.port = port
        self.log = self.config / "home-assistant.log"
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        """Write a fresh configuration and start.

        Raises:
            OSError: something else is on the port.
        """
        with socket.socket() as probe:
            # Home Assistant would start all the same, in its recovery mode.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", self.port))
        await asyncio.to_thread(self._write)
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "homeassistant",
            "--config",
            str(self.config),
            "--skip-pip",
            "--log-file",
            str(self.log),
            env={**os.environ, "HOME": str(self.config)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            # From another folder it would load the integration of that one.
            cwd=self.config,
            start_new_session=True,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Ask it to end, and make sure that it did."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(30):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    async def wait(self) -> int:
        """Wait until it ends by itself."""
        assert self._process is not None
        return await self._process.wait()

    def _write(self) -> None:
        shutil.rmtree(self.config, ignore_errors=True)
        components = self.config / "custom_components"
        components.mkdir(parents=True)
        (components / "miningsdk").symlink_to(
            self._integration, target_is_directory=True
        )
        blueprints = self.config / "blueprints" / "automation"
        blueprints.mkdir(parents=True)
        shutil.copytree(
            self._integration / "blueprints" / "automation", blueprints / "miningsdk"
        )
        plugs = [
            _PLUG.format(number=number, watts=800 + 350 * number)
            for number, _ in enumerate(PLUGS, 1)
        ]
        (self.config / "configuration.yaml").write_text(CONFIGURATION + "".join(plugs))
        (self.config / "automations.yaml").write_text("[]\n")
        storage = self.config / ".storage"
        storage.mkdir()
        adapter = "lo0" if sys.platform == "darwin" else "lo"
        _store(storage, "core.network", 1, {"configured_adapters": [adapter]})
        _store(storage, "onboarding", 4, {"done": _STEPS_DONE})
        http = {
            "stable": {**_HTTP, "server_port": self.port},
            "pending": None,
            "yaml_migration_done": True,
        }
        _store(storage, "http", 3, http)


def _store(folder: Path, key: str, version: int, data: dict[str, Any]) -> None:
    stored = {"version": version, "minor_version": 1, "key": key, "data": data}
    (folder / key).write_text(json.dumps(stored))

"""The demo, as the README tells to start it: a real Home Assistant of today."""

import asyncio
from pathlib import Path
import re
import signal
import socket
import zipfile

import aiohttp
import pytest

from scripts.release_zip import build
from tests.demo.makers import MAKERS
from tests.simulators.broker import mosquitto

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-demo" / "bin" / "python"
# One of each family.
MINERS = len(MAKERS)
# One of them talks over MQTT, and is there where a broker is installed.
CONTAINERS = 2 if mosquitto() is None else 3
# Anything of ours above the level of information, and every deprecation.
OURS = re.compile(r"(ERROR|WARNING).*miningsdk|deprecat", re.IGNORECASE)
# Home Assistant says this of every custom integration.
USUAL = re.compile(r"has not been tested by Home Assistant")


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@pytest.mark.timeout(300)
@pytest.mark.skipif(not PYTHON.exists(), reason="scripts/setup made no .venv-demo")
async def test_release_zip_runs_in_home_assistant(tmp_path: Path) -> None:
    """The site is set up, every miner is read, and the log holds nothing of ours."""
    package = tmp_path / "miningsdk.zip"
    build(package)
    integration = tmp_path / "miningsdk"
    zipfile.ZipFile(package).extractall(integration)
    port = free_port()
    demo = await asyncio.create_subprocess_exec(
        PYTHON,
        "-m",
        "tests.demo",
        *("--miners", str(MINERS), "--port", str(port)),
        *("--folder", str(tmp_path / "demo"), "--integration", str(integration)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        assert demo.stdout is not None
        said = ""
        async with asyncio.timeout(240):
            while "Home Assistant is ready" not in said:
                line = await demo.stdout.readline()
                assert line, said
                said += line.decode()
        assert f"http://127.0.0.1:{port} (user demo, password demo)" in said
        states = await read_states(f"http://127.0.0.1:{port}")
        async with asyncio.timeout(60):
            # The network is asked politely, one question a second.
            while states.get("sensor.home_profit") in (None, "unknown"):
                await asyncio.sleep(1)
                states = await read_states(f"http://127.0.0.1:{port}")
    finally:
        if demo.returncode is None:
            demo.send_signal(signal.SIGINT)
        async with asyncio.timeout(60):
            await demo.wait()
    statuses = {key: state for key, state in states.items() if key.endswith("_status")}
    containers = {key: s for key, s in statuses.items() if s == "running"}
    miners = {key: s for key, s in statuses.items() if key not in containers}
    assert len(containers) == CONTAINERS, statuses
    assert len(miners) == MINERS, statuses
    assert set(miners.values()) <= {"mining", "starting", "tuning"}, miners
    assert states["sensor.home_miners_online"] == str(MINERS)
    assert float(states["sensor.home_hashrate"]) > 100
    for name in ("revenue", "power_cost", "break_even_tariff"):
        assert float(states[f"sensor.home_{name}"]) > 0
    assert states["automation.pause_miners_on_a_high_tariff"] == "on"
    log = (tmp_path / "demo" / "config" / "home-assistant.log").read_text()
    bad = [
        line
        for line in log.splitlines()
        if OURS.search(line) and not USUAL.search(line)
    ]
    assert not bad, "\n".join(bad)


async def read_states(url: str) -> dict[str, str]:
    """Log in as the demo's owner and return the state of each entity."""
    client = f"{url}/"
    async with aiohttp.ClientSession() as session:

        async def post(path: str, **options: object) -> dict[str, str]:
            async with session.post(url + path, **options) as response:  # type: ignore[arg-type]
                assert response.ok, await response.text()
                answer: dict[str, str] = await response.json()
                return answer

        flow = await post(
            "/auth/login_flow",
            json={
                "client_id": client,
                "handler": ["homeassistant", None],
                "redirect_uri": client,
            },
        )
        done = await post(
            f"/auth/login_flow/{flow['flow_id']}",
            json={"client_id": client, "username": "demo", "password": "demo"},
        )
        token = await post(
            "/auth/token",
            data={
                "client_id": client,
                "code": done["result"],
                "grant_type": "authorization_code",
            },
        )
        async with session.get(
            f"{url}/api/states",
            headers={"Authorization": f"Bearer {token['access_token']}"},
        ) as response:
            return {s["entity_id"]: s["state"] for s in await response.json()}

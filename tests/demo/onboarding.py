"""Do over HTTP what a person does in the browser: onboard, add the site, automate."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
import re
from typing import Any, Self

import aiohttp

from .hass import PLUGS
from .makers import PASSWORD
from .site import DemoSite

_CLIENT_ID = "http://127.0.0.1/"
_START_WITHIN = 180
# A number stands behind it where two of a model have the same name.
_STATUS = re.compile(r"_status(_\d+)?$")
_OPTIONS = "/api/config/config_entries/options/flow"
_SUBENTRIES = "/api/config/config_entries/subentries/flow"


class Client:
    """A browser's part of the talk with Home Assistant."""

    def __init__(self, url: str) -> None:
        """Talk to the Home Assistant at ``url``."""
        self._url = url
        self._session: aiohttp.ClientSession | None = None
        self._headers: dict[str, str] = {}
        self._entry_id = ""

    async def __aenter__(self) -> Self:
        """Open the connection."""
        self._session = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connection."""
        assert self._session is not None
        await self._session.close()

    async def call(self, method: str, path: str, **options: Any) -> Any:
        """Send a request; raises with the answer's text when it is refused."""
        assert self._session is not None
        async with self._session.request(
            method, self._url + path, headers=self._headers, **options
        ) as response:
            if response.status >= 400:
                text = await response.text()
                raise RuntimeError(f"{method} {path}: {response.status} {text}")
            return await response.json()

    async def wait_until_up(self) -> None:
        """Wait until the web server answers."""
        async with asyncio.timeout(_START_WITHIN):
            while True:
                try:
                    await self.call("GET", "/api/onboarding")
                except aiohttp.ClientError, RuntimeError:
                    await asyncio.sleep(0.2)
                else:
                    return

    async def onboard(self) -> None:
        """Create the owner ``demo``; the other steps would reach for the internet."""
        created = await self.call(
            "POST",
            "/api/onboarding/users",
            json={
                "name": "Demo",
                "username": "demo",
                "password": "demo",
                "language": "en",
                "client_id": _CLIENT_ID,
            },
        )
        token = await self.call(
            "POST",
            "/auth/token",
            data={
                "grant_type": "authorization_code",
                "code": created["auth_code"],
                "client_id": _CLIENT_ID,
            },
        )
        self._headers = {"Authorization": f"Bearer {token['access_token']}"}

    async def add_site(self, site: DemoSite) -> None:
        """Search 127.0.0.0/24 and add what was found, but for a few to try it with."""
        flow = await self.call(
            "POST", "/api/config/config_entries/flow", json={"handler": "miningsdk"}
        )
        flow = await self._step(flow, {"next_step_id": "search"})
        flow = await self._step(flow, {"targets": site.targets})
        async with asyncio.timeout(120):
            while flow["type"] in ("progress", "progress_done"):
                await asyncio.sleep(0.2)
                flow = await self.call("GET", self._path(flow))
        if flow["step_id"] != "pick":
            raise RuntimeError(f"the search found nothing: {flow}")
        options = flow["data_schema"][0]["selector"]["select"]["options"]
        picked = [o["value"] for o in options if not site.is_left_out(o["label"])]
        flow = await self._step(flow, {"devices": picked})
        while flow["type"] == "form" and flow["step_id"] == "credentials":
            flow = await self._step(flow, {"password": PASSWORD})
            if flow.get("errors"):
                raise RuntimeError(f"{flow['description_placeholders']}: {flow}")
        if flow["type"] != "create_entry":
            raise RuntimeError(f"the site was not created: {flow}")
        self._entry_id = flow["result"]["entry_id"]

    async def add_broker(self, site: DemoSite) -> None:
        """Have Home Assistant's MQTT integration connect to the broker."""
        if site.broker is None:
            return
        flow = await self.call(
            "POST", "/api/config/config_entries/flow", json={"handler": "mqtt"}
        )
        flow = await self._step(
            flow,
            {
                "broker": site.broker.host,
                "port": site.broker.port,
                "username": site.broker.username,
                "password": site.broker.password,
                "other_settings": {"set_client_cert": False, "set_ca_cert": "off"},
            },
        )
        if flow["type"] != "create_entry":
            raise RuntimeError(f"the broker was not taken: {flow.get('errors')}")

    async def add_equipment(self, site: DemoSite) -> None:
        """Add containers, meters, sensors and pools, and let the site count money."""
        for item in site.equipment:
            flow = await self.call(
                "POST", _SUBENTRIES, json={"handler": [self._entry_id, item.kind]}
            )
            path = f"{_SUBENTRIES}/{flow['flow_id']}"
            flow = await self.call("POST", path, json={"driver": item.driver})
            flow = await self.call("POST", path, json=item.form)
            if flow["type"] != "create_entry":
                raise RuntimeError(f"{item.driver}: {flow.get('errors')}")
            await self._wait_until_loaded()
        settings = {
            "scan_interval": 30,
            "detail": "automatic",
            "network": f"http://{site.mempool.address}",
            "price_entity": "sensor.electricity_price",
        }
        await self._set_options({"next_step_id": "settings"}, settings)

    async def plug_in(self) -> None:
        """Say which plug measures each miner that does not tell its power."""
        async with self._commands() as ask:
            told = await ask("miningsdk/fleet/get", entry_id=self._entry_id)
        rows = [dict(zip(told["columns"], row, strict=True)) for row in told["rows"]]
        lacking = [row["id"] for row in rows if row["power"] is None]
        # A large site has more of them than anybody would have plugs for.
        if len(lacking) <= len(PLUGS):
            for miner, plug in zip(lacking, PLUGS, strict=False):
                await self._set_options(
                    {"next_step_id": "plug"}, {"device": miner}, {"power_entity": plug}
                )

    async def _set_options(self, *steps: dict[str, Any]) -> None:
        flow = await self.call("POST", _OPTIONS, json={"handler": self._entry_id})
        for step in steps:
            path = f"{_OPTIONS}/{flow['flow_id']}"
            flow = await self.call("POST", path, json=step)
        if flow["type"] != "create_entry":
            raise RuntimeError(f"{steps}: {flow}")
        await self._wait_until_loaded()

    async def wait_until_read(self, working: int) -> None:
        """Wait until so many miners and containers were read."""
        async with asyncio.timeout(_START_WITHIN):
            while True:
                told = [
                    state["entity_id"]
                    for state in await self.call("GET", "/api/states")
                    if _STATUS.search(state["entity_id"])
                    and state["state"] not in ("unavailable", "unknown")
                ]
                if len(told) >= working:
                    return
                await asyncio.sleep(0.2)

    async def _wait_until_loaded(self) -> None:
        """Wait until the site is set up again: it is for each change to it."""
        async with asyncio.timeout(_START_WITHIN):
            while True:
                entries = await self.call("GET", "/api/config/config_entries/entry")
                ours = next(e for e in entries if e["entry_id"] == self._entry_id)
                if ours["state"] == "loaded":
                    return
                await asyncio.sleep(0.1)

    async def furnish(self) -> None:
        """Put the miners into areas, and their energy into the energy dashboard."""
        async with self._commands() as ask:
            devices = await ask("config/device_registry/list")
            miners = [d for d in devices if _is_ours(d) and d["entry_type"] is None]
            areas = [
                (await ask("config/area_registry/create", name=name))["area_id"]
                for name in ("Garage", "Cellar")
            ]
            for number, device in enumerate(miners):
                await ask(
                    "config/device_registry/update",
                    device_id=device["id"],
                    area_id=areas[number % len(areas)],
                )
            entities = await ask("config/entity_registry/list")
            await ask(
                "energy/save_prefs",
                device_consumption=[
                    {"stat_consumption": entity["entity_id"]}
                    for entity in entities
                    if entity["platform"] == "miningsdk"
                    and entity["unique_id"].endswith("_energy")
                    and entity["device_id"] in {d["id"] for d in miners}
                ],
            )

    @asynccontextmanager
    async def _commands(self) -> AsyncGenerator[_Commands]:
        assert self._session is not None
        async with self._session.ws_connect(f"{self._url}/api/websocket") as socket:
            await socket.receive_json()
            token = self._headers["Authorization"].removeprefix("Bearer ")
            await socket.send_json({"type": "auth", "access_token": token})
            await socket.receive_json()
            yield _Commands(socket)

    async def add_automation(self) -> None:
        """Pause the miners while electricity is expensive."""
        states = await self.call("GET", "/api/states")
        switches = [
            state["entity_id"]
            for state in states
            if state["entity_id"].startswith("switch.")
            and state["entity_id"].endswith("_mining")
        ]
        await self.call(
            "POST",
            "/api/config/automation/config/demo_tariff",
            json={
                "alias": "Pause miners on a high tariff",
                "use_blueprint": {
                    "path": "miningsdk/pause_on_high_tariff.yaml",
                    "input": {
                        "tariff": "sensor.electricity_price",
                        "threshold": 0.3,
                        "miners": sorted(switches),
                        "minimum_on": {"seconds": 10},
                        "minimum_off": {"seconds": 10},
                    },
                },
            },
        )

    async def _step(self, flow: dict[str, Any], data: dict[str, Any]) -> Any:
        return await self.call("POST", self._path(flow), json=data)

    def _path(self, flow: dict[str, Any]) -> str:
        return f"/api/config/config_entries/flow/{flow['flow_id']}"


class _Commands:
    """Commands over a websocket, one after another."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._id = 0

    async def __call__(self, kind: str, **data: Any) -> Any:
        self._id += 1
        await self._socket.send_json({"id": self._id, "type": kind, **data})
        answer = await self._socket.receive_json()
        if not answer["success"]:
            raise RuntimeError(f"{kind}: {answer['error']}")
        return answer["result"]


def _is_ours(device: dict[str, Any]) -> bool:
    return any(domain == "miningsdk" for domain, _ in device["identifiers"])

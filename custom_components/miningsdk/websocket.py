"""What a dashboard asks for: the sites, and all miners of one as compact rows.

Anybody who may use Home Assistant may ask; nothing can be changed by it.
"""

import asyncio
from typing import Any

from homeassistant.components import websocket_api
from homeassistant.core import HomeAssistant, callback
import voluptuous as vol

from .const import DOMAIN
from .feed import COLUMNS, Feed, Message, Row, site_of, totals_of
from .fleet import Fleet
from .sites import async_fleets

_ENTRY_ID = "entry_id"


@callback
def async_setup_websocket(hass: HomeAssistant) -> None:
    """Take the commands."""
    for command in (list_sites, get_fleet, subscribe_fleet):
        websocket_api.async_register_command(hass, command)


@websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/sites"})
@callback
def list_sites(
    hass: HomeAssistant,
    connection: websocket_api.ActiveConnection,
    msg: dict[str, Any],
) -> None:
    """Return the sites that are running, with their totals."""
    sites = [
        {**site_of(fleet), "totals": totals_of(fleet.totals)}
        for fleet in async_fleets(hass)
    ]
    connection.send_result(msg["id"], {"sites": sites})


@websocket_api.websocket_command(
    {vol.Required("type"): f"{DOMAIN}/fleet/get", vol.Required(_ENTRY_ID): str}
)
@websocket_api.async_response
async def get_fleet(
    hass: HomeAssistant,
    connection: websocket_api.ActiveConnection,
    msg: dict[str, Any],
) -> None:
    """Return all miners of a site."""
    if (found := _find(hass, connection, msg)) is None:
        return
    fleet, feed = found
    rows: list[Row] = []
    for some in feed.parts():
        rows += some
        await asyncio.sleep(0)
    connection.send_result(msg["id"], {**_head(fleet), "rows": rows})


@websocket_api.websocket_command(
    {vol.Required("type"): f"{DOMAIN}/fleet/subscribe", vol.Required(_ENTRY_ID): str}
)
@websocket_api.async_response
async def subscribe_fleet(
    hass: HomeAssistant,
    connection: websocket_api.ActiveConnection,
    msg: dict[str, Any],
) -> None:
    """Send all miners of a site, part by part, and then what changes of them.

    The first message has the ``columns`` of all rows, and how many rows there are.
    The last one says that the site is ``closed``: it is set up anew, or is no more.
    """
    if (found := _find(hass, connection, msg)) is None:
        return
    fleet, feed = found
    key = msg["id"]

    @callback
    def send(message: Message) -> None:
        connection.send_event(key, message)

    connection.subscriptions[key] = feed.async_subscribe(send)
    connection.send_result(key)
    send({**_head(fleet), "count": len(fleet.coordinators)})
    for rows in feed.parts():
        if key not in connection.subscriptions:
            break
        send({"rows": rows})
        await asyncio.sleep(0)


def _head(fleet: Fleet) -> Message:
    return {
        "site": site_of(fleet),
        "columns": COLUMNS,
        "totals": totals_of(fleet.totals),
    }


def _find(
    hass: HomeAssistant,
    connection: websocket_api.ActiveConnection,
    msg: dict[str, Any],
) -> tuple[Fleet, Feed] | None:
    """Return the site that is meant, or tell that there is none that is running."""
    for fleet in async_fleets(hass):
        if fleet.entry.entry_id == msg[_ENTRY_ID] and fleet.feed is not None:
            return fleet, fleet.feed
    connection.send_error(
        msg["id"], websocket_api.ERR_NOT_FOUND, "There is no such site running"
    )
    return None

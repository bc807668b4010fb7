"""The floor: a client that asks for the same live facts and makes nothing of them.

It is what one would write in an afternoon: one request after another, sockets and
aiohttp, the standard library's JSON, no error handling, no units, no types.
"""

import asyncio
from collections.abc import Awaitable, Callable
import json
import struct
from typing import Any

import aiohttp

from tests.benchmark.fleet import Place

# Models without the port that tells the power.
_without_status: set[str] = set()

type Ask = Callable[[aiohttp.ClientSession, Place], Awaitable[list[Any]]]


async def _socket(place: Place, port: int, request: dict[str, Any]) -> Any:
    reader, writer = await asyncio.open_connection(place.host, port + place.offset)
    writer.write(json.dumps(request).encode())
    data = await reader.read()
    writer.close()
    try:
        return json.loads(data.rstrip(b"\x00"))
    except json.JSONDecodeError:
        # Old firmware leaves out commas; a bare client has no cure for that.
        return data


async def _page(session: aiohttp.ClientSession, place: Place, path: str) -> Any:
    async with session.get(f"http://{place.host}:{80 + place.offset}{path}") as reply:
        return await reply.json(content_type=None)


async def _axeos(session: aiohttp.ClientSession, place: Place) -> list[Any]:
    return [await _page(session, place, "/api/system/info")]


async def _antminer(session: aiohttp.ClientSession, place: Place) -> list[Any]:
    names = ("stats", "pools", "warning")
    replies = [
        await _socket(place, 4028, {"command": name, "new_api": True}) for name in names
    ]
    if place.host not in _without_status:
        try:
            reader, writer = await asyncio.open_connection(
                place.host, 6060 + place.offset
            )
        except ConnectionRefusedError:
            _without_status.add(place.host)
            return replies
        writer.write(b"GET /miner_power HTTP/1.0\r\n\r\n")
        replies.append(await reader.read())
        writer.close()
    return replies


async def _whatsminer(session: aiohttp.ClientSession, place: Place) -> list[Any]:
    names = ("summary", "edevs", "pools", "status", "get_error_code")
    return [await _socket(place, 4028, {"cmd": name}) for name in names]


async def _whatsminer_v3(session: aiohttp.ClientSession, place: Place) -> list[Any]:
    reader, writer = await asyncio.open_connection(place.host, 4433 + place.offset)
    replies = []
    questions = [{"cmd": "get.device.info"}] + [
        {"cmd": "get.miner.status", "param": part}
        for part in ("summary", "pools", "edevs")
    ]
    for question in questions:
        request = json.dumps(question).encode()
        writer.write(struct.pack("<I", len(request)) + request)
        (size,) = struct.unpack("<I", await reader.readexactly(4))
        replies.append(json.loads(await reader.readexactly(size)))
    writer.close()
    # Only the older API on 4028 tells how many shares were accepted.
    return [*replies, await _socket(place, 4028, {"cmd": "summary"})]


async def _avalon(session: aiohttp.ClientSession, place: Place) -> list[Any]:
    names = ("summary", "estats", "pools")
    return [await _socket(place, 4028, {"command": name}) for name in names]


ASK: dict[str, Ask] = {
    "axeos": _axeos,
    "nerdaxe": _axeos,
    "antminer": _antminer,
    "whatsminer": _whatsminer,
    "whatsminer-v3": _whatsminer_v3,
    "avalon": _avalon,
}

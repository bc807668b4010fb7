"""One miner may speak two APIs: the one that tells more is taken, once a reading."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
import sys
from typing import Any, override

from aiohttp import web
import orjson
import pytest

from custom_components.miningsdk.sdk import MinerStatus, connect
from custom_components.miningsdk.sdk.transports import tcp
from custom_components.miningsdk.sdk.transports.framed import Link
from custom_components.miningsdk.sdk.transports.http import HttpClient
from tests.conftest import OFFSET, Simulate
from tests.sdk.equivalence import FAMILIES, meeting
from tests.simulators.base import SimulatedDevice
from tests.simulators.families import Family
from tests.simulators.luxos import SimulatedLuxOS
from tests.simulators.vnish import SimulatedVNish
from tests.simulators.whatsminer_v3 import SimulatedWhatsminerV3

# Which ports a reading asks of devices that have several: with a password, without.
# Facts that change seldom may come from another one, once an hour.
PORTS = {
    "antminer": ({4028, 6060}, {4028, 6060}),
    "auradine": ({4028, 8080}, {4028}),
    "braiins": ({80}, {4028}),
    "goldshell": ({4028}, {4028}),
    "hiveon": ({4028}, {4028}),
    "innosilicon": ({4028}, {4028}),
    "luxos": ({4028}, {4028}),
    "mara": ({80}, {4028}),
    "mskminer": ({4028}, {4028}),
    "sealminer": ({4028}, {4028}),
    "vnish": ({80}, {80}),
    "volcminer": ({4028}, {4028}),
    "whatsminer": ({4028}, {4028}),
    "whatsminer-v3": ({4433, 4028}, {4433, 4028}),
}
# Some things are asked for with every second or fourth reading only.
READINGS = 8

type Question = tuple[int, object]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Question]:
    """Return the questions that go out from now on: the port, and what is asked."""
    questions: list[Question] = []

    def noted(ask: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def wrapped(wire: Any, port: int, request: Any, *more: Any) -> Any:
            questions.append((port - OFFSET, request))
            return await ask(wire, port, request, *more)

        return wrapped

    for module in list(sys.modules.values()):
        if getattr(module, "exchange", None) is tcp.exchange and module is not tcp:
            monkeypatch.setattr(module, "exchange", noted(tcp.exchange))

    get = HttpClient.request

    async def request(self: HttpClient, method: str, path: str, **more: Any) -> Any:
        body = more.get("json") or more.get("data")
        questions.append((self.port - OFFSET, (method, path, repr(body))))
        return await get(self, method, path, **more)

    monkeypatch.setattr(HttpClient, "request", request)
    frame = Link.ask

    async def ask(self: Link, question: object) -> Any:
        questions.append((self._port - OFFSET, repr(question)))
        return await frame(self, question)

    monkeypatch.setattr(Link, "ask", ask)
    return questions


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.driver)
async def test_nothing_is_asked_twice_in_a_reading(
    simulate: Simulate, asked: list[Question], family: Family
) -> None:
    async with meeting(simulate, family) as (miner, device):
        for _ in range(READINGS):
            asked.clear()
            await miner.read()
            assert asked
            assert max(Counter(asked).values()) == 1, asked
        assert device.most_connections <= 2


@pytest.mark.parametrize("with_password", [True, False])
@pytest.mark.parametrize("name", PORTS)
async def test_which_api_is_read(
    simulate: Simulate, asked: list[Question], name: str, with_password: bool
) -> None:
    family = next(family for family in FAMILIES if family.driver == name)
    password = None if with_password else ""
    async with meeting(simulate, family, password=password) as (miner, _):
        asked.clear()
        for _ in range(READINGS):
            assert (await miner.read()).status is MinerStatus.MINING
        ports = {port for port, _ in asked}
    assert ports == PORTS[name][not with_password]


# Firmware that keeps something of the one that it replaced.


class LuxOSBesideStock(SimulatedLuxOS):
    """LuxOS, with the web server of the maker's firmware still in front."""

    @override
    async def _page(self, _: web.Request) -> web.Response:
        realm = 'Digest realm="antMiner Configuration", nonce="1", qop="auth"'
        return web.Response(status=401, headers={"WWW-Authenticate": realm})


class VNishBesideStock(SimulatedVNish):
    """VNish whose mining process names itself as that of the maker's firmware does."""

    @override
    async def _serve_socket(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.read(4096)
        status = {"STATUS": "S", "Code": 22, "Msg": "Versions", "When": 1}
        version = {"API": "3.1", "Miner": "49.0.1.3", "Type": "Antminer S21 Pro"}
        reply = {"STATUS": [status], "VERSION": [version], "id": 1}
        await self.answer(writer, orjson.dumps(reply))


@pytest.mark.parametrize(
    ("kind", "driver", "port"),
    [
        (SimulatedWhatsminerV3, "whatsminer-v3", 4433),
        (SimulatedWhatsminerV3, "whatsminer-v3", 4028),
        (LuxOSBesideStock, "luxos", 4028),
        (LuxOSBesideStock, "luxos", 80),
        (VNishBesideStock, "vnish", 80),
        (VNishBesideStock, "vnish", 4028),
    ],
)
async def test_the_one_that_tells_more_is_found_by_either_port(
    simulate: Simulate, kind: type[SimulatedDevice], driver: str, port: int
) -> None:
    device = await simulate(kind)
    miner = await connect(device.host, port=device.port(port))
    try:
        assert miner.info.driver == driver
        assert miner.port == device.port(miner.default_port)
        assert (await miner.read()).status is MinerStatus.MINING
    finally:
        await miner.close()


async def test_shares_that_only_the_other_api_counts(
    simulate: Simulate, asked: list[Question]
) -> None:
    """They are asked for once, and cost nothing more once that API is closed."""
    (family,) = (family for family in FAMILIES if family.driver == "whatsminer-v3")
    async with meeting(simulate, family) as (miner, device):
        assert isinstance(device, SimulatedWhatsminerV3)
        assert (await miner.read()).accepted == device.accepted
        await device.stop()
        device.has_v2 = False
        await device.start()
        miner.forget_info()
        asked.clear()
        for _ in range(READINGS):
            stats = await miner.read()
            assert stats.status is MinerStatus.MINING
            assert (stats.accepted, dict(stats.failed)) == (None, {})
        assert [port for port, _ in asked].count(4028) == 1

"""HTTP to one device, with its errors said in the words of the SDK."""

from collections.abc import Mapping
from functools import cache
import ssl
from typing import Any

import aiohttp
from aiohttp import (
    ClientConnectionError,
    ClientConnectorError,
    ClientHandlerType,
    ClientMiddlewareType,
    ClientOSError,
    ClientRequest,
    ClientResponse,
    ServerDisconnectedError,
)
from yarl import URL

from ..errors import (
    AuthenticationFailed,
    DeviceUnreachable,
    InvalidReply,
    NotSupported,
)
from .json_reply import lenient
from .wire import MAXIMUM_REPLY, Probe, Wire, reason

PORT = 80
_ROOT_BYTES = 4096
_KEPT_URLS = 64


class Response:
    """A reply that has been read to its end (or to the limit asked for)."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Keep what the device answered."""
        self.status = status
        self.headers = headers
        self.body = body

    def text(self) -> str:
        """Return the body as text, whatever its bytes."""
        return self.body.decode("utf-8", errors="replace")

    def json(self) -> Any:
        """Return the body as JSON; raises ``InvalidReply`` when it is none."""
        return lenient(self.body)

    def raise_for_status(self) -> None:
        """Raise when the device refused or failed."""
        if self.status in (401, 403):
            raise AuthenticationFailed("the device refused the credentials")
        if self.status in (404, 405, 501):
            raise NotSupported(f"the device does not know this request ({self.status})")
        if self.status >= 300:
            raise InvalidReply(f"the device answered with HTTP status {self.status}")


class HttpClient:
    """Requests to one device; connections are kept alive by the session."""

    __slots__ = (
        "_middlewares",
        "_urls",
        "base",
        "peer",
        "port",
        "secure",
        "trust",
        "wire",
    )

    def __init__(
        self,
        wire: Wire,
        port: int,
        *middlewares: ClientMiddlewareType,
        secure: bool = False,
        base: str = "",
        trust: ssl.SSLContext | None = None,
        peer: str | None = None,
    ) -> None:
        """Talk to ``port`` of the wire's host, through aiohttp middlewares if any.

        ``secure`` means https; ``base`` is put before every path. ``trust`` stands
        in for the authorities that the system trusts, ``peer`` for the name that
        the certificate must bear.
        """
        self.wire = wire
        self.port = port
        self.secure = secure
        self.base = base
        self.trust = trust
        self.peer = peer
        self._middlewares = middlewares or None
        # To put an address together takes as long as all the rest of a request.
        self._urls: dict[str, URL] = {}

    def _url(self, path: str) -> URL:
        found = self._urls.get(path)
        if found is None:
            scheme = "https" if self.secure else "http"
            root = URL.build(scheme=scheme, host=self.wire.host, port=self.port)
            found = root.join(URL(self.base + path, encoded=True))
            if len(self._urls) >= _KEPT_URLS:
                self._urls.clear()
            self._urls[path] = found
        return found

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        data: object = None,
        headers: Mapping[str, str] | None = None,
        limit: int = MAXIMUM_REPLY,
        truncate: bool = False,
    ) -> Response:
        """Send a request and return the reply, whatever its status.

        Redirects are not followed. A body over ``limit`` bytes is an error, or is
        cut off there when ``truncate`` is set.

        Raises:
            DeviceUnreachable: no connection, or it broke off, or over https its
                certificate is not trusted.
            DeviceTimeout: no whole reply in time.
            InvalidReply: it was not HTTP, or too large.
        """
        wire = self.wire
        try:
            async with (
                wire.slots,
                wire.get_session().request(
                    method,
                    self._url(path),
                    json=json,
                    data=data,
                    headers=headers,
                    allow_redirects=False,
                    middlewares=self._middlewares,
                    ssl=self.trust or True,
                    server_hostname=self.peer,
                    timeout=_timeout(wire.timeout, wire.connect_timeout, wire.patience),
                ) as response,
            ):
                body = await _read(response, limit, truncate=truncate)
                return Response(response.status, response.headers, body)
        except aiohttp.ConnectionTimeoutError:
            raise wire.unreachable(self.port) from None
        except TimeoutError:
            raise wire.silent(self.port) from None
        except aiohttp.ClientConnectorCertificateError:
            raise DeviceUnreachable(
                f"{wire.host} port {self.port}: its certificate is not trusted"
            ) from None
        except aiohttp.ClientConnectorError as error:
            raise wire.unreachable(self.port, error.os_error) from None
        except aiohttp.ClientConnectionError, ConnectionError:
            raise wire.unreachable(self.port, ConnectionResetError()) from None
        except aiohttp.ClientPayloadError:
            raise InvalidReply("the device closed before its reply was whole") from None
        except aiohttp.ClientError as error:
            raise InvalidReply(
                f"the device does not speak HTTP ({type(error).__name__})"
            ) from None
        except OSError as error:
            raise DeviceUnreachable(f"{wire.host}: {reason(error)}") from None

    async def get_json(self, path: str) -> Any:
        """Return the JSON at a path."""
        response = await self.request("GET", path)
        response.raise_for_status()
        return response.json()


async def only_once(
    request: ClientRequest, handler: ClientHandlerType
) -> ClientResponse:
    """Keep aiohttp from sending a command again when the connection breaks."""
    try:
        return await handler(request)
    except ClientConnectorError:
        raise
    except ClientOSError, ServerDisconnectedError:
        raise ClientConnectionError("the connection broke") from None


async def writes_only_once(
    request: ClientRequest, handler: ClientHandlerType
) -> ClientResponse:
    """Do as ``only_once`` but for GET, where a firmware only reads by it."""
    if request.method == "GET":
        return await handler(request)
    return await only_once(request, handler)


@cache
def _timeout(
    total: float | None, connect: float, silence: float
) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=total, sock_connect=connect, sock_read=silence)


async def _read(
    response: aiohttp.ClientResponse, limit: int, *, truncate: bool
) -> bytes:
    length = response.content_length
    if length is not None and length <= limit:
        return await response.read()
    if length is not None and not truncate:
        raise InvalidReply("the reply is larger than 1 MiB")
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > limit:
            if not truncate:
                raise InvalidReply("the reply is larger than 1 MiB")
            response.close()
            break
    return bytes(body[:limit])


async def ask_page(wire: Wire, port: int, path: str) -> str:
    """Return status, headers and the beginning of a page as one text, to look into."""
    client = HttpClient(wire, port)
    response = await client.request("GET", path, limit=_ROOT_BYTES, truncate=True)
    headers = "\n".join(f"{key}: {value}" for key, value in response.headers.items())
    return f"HTTP {response.status}\n{headers}\n\n{response.text()}"


async def _ask_root(wire: Wire, port: int) -> str:
    return await ask_page(wire, port, "/")


ROOT = Probe("http root", PORT, _ask_root)

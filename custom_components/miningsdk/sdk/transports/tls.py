"""TLS to devices whose certificates come from an authority of their maker."""

import asyncio
from contextlib import suppress
from functools import lru_cache
import ssl
from typing import Any

from ..errors import DeviceUnreachable, InvalidReply
from .wire import Wire


async def trust(authority: str, *, by_name: bool) -> ssl.SSLContext:
    """Return what trusts one authority (PEM) and nobody else; see ``_context``.

    Made in a thread, because it blocks.
    """
    return await asyncio.to_thread(_context, authority, by_name=by_name)


@lru_cache(maxsize=8)
def _context(authority: str, *, by_name: bool) -> ssl.SSLContext:
    """Return what trusts one authority (PEM) and nobody else.

    With ``by_name`` the common name of the certificate must be the one asked for;
    devices have no host name that a certificate could bear.
    """
    context = ssl.create_default_context(cadata=authority)
    # Makers sign with certificates of version 1, which lack what this asks for.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.check_hostname = by_name
    context.hostname_checks_common_name = True
    return context


def encrypt_only() -> ssl.SSLContext:
    """Return what takes any certificate, for devices that have made their own.

    It keeps out who only listens. A device that nobody can vouch for is no safer, and
    no less safe, than one that speaks plain HTTP.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def certificate_name(wire: Wire, port: int, authority: str) -> str:
    """Return the common name in a device's certificate, once the chain is proven.

    Nothing but the handshake is sent.

    Raises:
        DeviceUnreachable: no connection, or the authority did not sign it.
        DeviceTimeout: no handshake in time.
        InvalidReply: it does not speak TLS, or bears no name.
    """
    context = await trust(authority, by_name=False)
    try:
        async with wire.slots, asyncio.timeout(wire.timeout):
            _, writer = await asyncio.open_connection(wire.host, port, ssl=context)
            found = _common_name(writer.get_extra_info("peercert"))
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
    except TimeoutError:
        raise wire.silent(port) from None
    except ssl.SSLCertVerificationError:
        raise DeviceUnreachable(
            f"{wire.host} port {port}: its certificate is not trusted"
        ) from None
    except ssl.SSLError:
        raise InvalidReply("the device does not speak TLS") from None
    except OSError as error:
        raise wire.unreachable(port, error) from None
    if found is None:
        raise InvalidReply("the certificate bears no name")
    return found


def _common_name(certificate: dict[str, Any] | None) -> str | None:
    for group in (certificate or {}).get("subject", ()):
        for key, value in group:
            if key == "commonName":
                return str(value)
    return None
